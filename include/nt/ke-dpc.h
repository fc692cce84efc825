/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Deferred procedure calls, and timers.
 *
 * A DPC runs in softirq (DISPATCH_LEVEL) on the processor that queued it, in the
 * order of queueing; importance and target processor are ignored.  A DPC that is
 * queued already is not queued again.  Its routine may queue or free it.
 *
 * A timer ticks with the kernel's jiffies, never early.  A due time in absolute
 * time is converted once; later changes of the clock do not move it.  A timer
 * is not made on a stack: kernels that check timers (DEBUG_OBJECTS) object.
 */
#ifndef _KMCL_NT_KE_DPC_H
#define _KMCL_NT_KE_DPC_H

#include <linux/list.h>
#include <linux/timer.h>

#include <ke-wait.h>

struct _KDPC;
struct kmcl_nt_dpc_queue;

typedef VOID KDEFERRED_ROUTINE(struct _KDPC *Dpc, PVOID DeferredContext, PVOID SystemArgument1,
			       PVOID SystemArgument2);
typedef KDEFERRED_ROUTINE *PKDEFERRED_ROUTINE;

typedef struct _KDPC {
	PKDEFERRED_ROUTINE DeferredRoutine;
	PVOID DeferredContext;
	PVOID SystemArgument1;
	PVOID SystemArgument2;
	struct list_head DpcListEntry;
	/* The queue that it stands in, NULL when in none. */
	struct kmcl_nt_dpc_queue *DpcData;
} KDPC, *PKDPC, *PRKDPC;

typedef enum _KDPC_IMPORTANCE {
	LowImportance,
	MediumImportance,
	HighImportance,
	MediumHighImportance,
} KDPC_IMPORTANCE;

typedef enum _TIMER_TYPE {
	NotificationTimer = KMCL_NT_STAYS_SIGNALLED,
	SynchronizationTimer = KMCL_NT_RELEASES_ONE,
} TIMER_TYPE;

typedef struct _KTIMER {
	DISPATCHER_HEADER Header;
	/* The rest is protected by the header's lock. */
	BOOLEAN Inserted;
	/* In milliseconds, 0 for once. */
	LONG Period;
	PKDPC Dpc;
	struct timer_list Timer;
} KTIMER, *PKTIMER;

static inline VOID KeInitializeDpc(PRKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine,
				   PVOID DeferredContext)
{
	Dpc->DeferredRoutine = DeferredRoutine;
	Dpc->DeferredContext = DeferredContext;
	Dpc->DpcData = NULL;
}

#define KeSetImportanceDpc(Dpc, Importance)	((void)(Dpc), (void)(Importance))
#define KeSetTargetProcessorDpc(Dpc, Number)	((void)(Dpc), (void)(Number))

/**
 * KeInsertQueueDpc() - have a DPC called
 * @Dpc: the DPC
 * @SystemArgument1: for its routine
 * @SystemArgument2: for its routine
 *
 * Context: any.
 * Return: TRUE; FALSE when it is queued already, with the arguments of then.
 */
BOOLEAN KeInsertQueueDpc(PRKDPC Dpc, PVOID SystemArgument1, PVOID SystemArgument2);

/**
 * KeRemoveQueueDpc() - take a DPC back
 * @Dpc: the DPC; its routine may be running
 *
 * Context: any.
 * Return: TRUE when it was queued and will not be called.
 */
BOOLEAN KeRemoveQueueDpc(PRKDPC Dpc);

/**
 * KeFlushQueuedDpcs() - wait until every DPC that is queued now has run
 *
 * Also those of timers that have expired.
 *
 * Context: process, may sleep.
 */
VOID KeFlushQueuedDpcs(VOID);

void kmcl_nt_timer_expired(struct timer_list *t);

/* A macro, for the lockdep class. */
#define KeInitializeTimerEx(TimerObject, TimerType)				\
do {										\
	PKTIMER __t = (TimerObject);						\
										\
	kmcl_nt_header_init(&__t->Header, (enum kmcl_nt_object_type)(TimerType), 0); \
	__t->Inserted = FALSE;							\
	__t->Period = 0;							\
	__t->Dpc = NULL;							\
	timer_setup(&__t->Timer, kmcl_nt_timer_expired, 0);			\
} while (0)

#define KeInitializeTimer(TimerObject) KeInitializeTimerEx(TimerObject, NotificationTimer)

/**
 * KeSetTimerEx() - start a timer
 * @Timer: the timer; it is no longer signalled, and a start before is forgotten
 * @DueTime: see <ke-time.h>; zero or past expires at once
 * @Period: milliseconds from then on, 0 for once
 * @Dpc: queued each time, or NULL
 *
 * Context: process or softirq.
 * Return: TRUE when it had been started and not expired.
 */
BOOLEAN KeSetTimerEx(PKTIMER Timer, LARGE_INTEGER DueTime, LONG Period, PKDPC Dpc);

static inline BOOLEAN KeSetTimer(PKTIMER Timer, LARGE_INTEGER DueTime, PKDPC Dpc)
{
	return KeSetTimerEx(Timer, DueTime, 0, Dpc);
}

/**
 * KeCancelTimer() - stop a timer
 * @Timer: the timer; a DPC that it has queued is not taken back, see
 *         KeFlushQueuedDpcs()
 *
 * Context: process or softirq.
 * Return: TRUE when it had been started and not expired, or is periodic.
 */
BOOLEAN KeCancelTimer(PKTIMER Timer);

static inline BOOLEAN KeReadStateTimer(PKTIMER Timer)
{
	return READ_ONCE(Timer->Header.SignalState) > 0;
}

#endif /* _KMCL_NT_KE_DPC_H */
