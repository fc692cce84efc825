/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Objects that a thread can wait for, and the waits.
 *
 * As on Windows a waitable object begins with a DISPATCHER_HEADER, so that one
 * function waits for any of them: KEVENT, KSEMAPHORE, KMUTEX, KTIMER, and a
 * thread.
 *
 * The state is protected by the lock of the object's wait queue.  Who signals
 * holds it until he is done with the object, and who waits takes it last, so an
 * object on the waiter's stack may go out of scope when the wait returns.
 *
 * All waiters are woken and one of them finds the object signalled; who comes
 * first is not promised, on Windows neither.  There are no APCs: alertable waits
 * are as any other, and no wait is interrupted by a signal.
 */
#ifndef _KMCL_NT_KE_WAIT_H
#define _KMCL_NT_KE_WAIT_H

#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include <ke-irql.h>
#include <ke-time.h>

typedef enum _KWAIT_REASON {
	Executive,
	FreePage,
	PageIn,
	PoolAllocation,
	DelayExecution,
	Suspended,
	UserRequest,
} KWAIT_REASON;

typedef enum _WAIT_TYPE {
	WaitAll,
	WaitAny,
} WAIT_TYPE;

typedef LONG KPRIORITY;

#define IO_NO_INCREMENT		0
#define MAXIMUM_WAIT_OBJECTS	64
#define THREAD_WAIT_OBJECTS	3

/* What a satisfied wait does to the object. */
enum kmcl_nt_object_type {
	KMCL_NT_STAYS_SIGNALLED,
	KMCL_NT_RELEASES_ONE,
	KMCL_NT_COUNTS,
	KMCL_NT_OWNED,
};

typedef struct _DISPATCHER_HEADER {
	UCHAR Type;
	/* Signalled above 0. */
	LONG SignalState;
	/* KMCL_NT_OWNED alone. */
	struct task_struct *Owner;
	/* Its lock protects all of this. */
	wait_queue_head_t Waiters;
} DISPATCHER_HEADER, *PDISPATCHER_HEADER;

/* Room for KeWaitForMultipleObjects() to wait for one object with. */
typedef struct _KWAIT_BLOCK {
	wait_queue_entry_t Entry;
} KWAIT_BLOCK, *PKWAIT_BLOCK;

void kmcl_nt_header_init(PDISPATCHER_HEADER h, enum kmcl_nt_object_type type, LONG state);

/* Returns the state before. */
static inline LONG kmcl_nt_header_signal(PDISPATCHER_HEADER h)
{
	unsigned long flags;
	LONG old;

	spin_lock_irqsave(&h->Waiters.lock, flags);
	old = h->SignalState;
	h->SignalState = 1;
	wake_up_all_locked(&h->Waiters);
	spin_unlock_irqrestore(&h->Waiters.lock, flags);

	return old;
}

/* Returns the state before. */
static inline LONG kmcl_nt_header_clear(PDISPATCHER_HEADER h)
{
	unsigned long flags;
	LONG old;

	spin_lock_irqsave(&h->Waiters.lock, flags);
	old = h->SignalState;
	h->SignalState = 0;
	spin_unlock_irqrestore(&h->Waiters.lock, flags);

	return old;
}

/**
 * KeWaitForSingleObject() - wait until an object is signalled
 * @Object: anything that begins with a DISPATCHER_HEADER
 * @WaitReason: ignored
 * @WaitMode: ignored, the wait is the kernel's
 * @Alertable: ignored
 * @Timeout: see <ke-time.h>; NULL waits for ever, zero does not wait
 *
 * Kernel threads wait without counting as load, because on Windows a waiting
 * thread is no load either.
 *
 * Context: process, may sleep; softirq too when the timeout is zero.
 * Return: STATUS_SUCCESS or STATUS_TIMEOUT.
 */
NTSTATUS KeWaitForSingleObject(PVOID Object, KWAIT_REASON WaitReason, KPROCESSOR_MODE WaitMode,
			       BOOLEAN Alertable, PLARGE_INTEGER Timeout);

/**
 * KeWaitForMultipleObjects() - wait for one of several objects, or for all
 * @Count: how many, up to MAXIMUM_WAIT_OBJECTS
 * @Object: the objects; for WaitAll each of them once
 * @WaitType: WaitAny or WaitAll
 * @WaitReason: ignored
 * @WaitMode: ignored
 * @Alertable: ignored
 * @Timeout: as for KeWaitForSingleObject()
 * @WaitBlockArray: @Count of them; may be NULL for up to THREAD_WAIT_OBJECTS
 *
 * WaitAll changes no object before all are signalled, and then all of them at
 * once.
 *
 * Context: as KeWaitForSingleObject().
 * Return: STATUS_WAIT_0 plus the lowest index of an object that satisfied
 * WaitAny; STATUS_SUCCESS for WaitAll; STATUS_TIMEOUT; STATUS_INVALID_PARAMETER
 * for a count or an array that Windows answers with a bugcheck, and for an
 * object that WaitAll is given twice.
 */
NTSTATUS KeWaitForMultipleObjects(ULONG Count, PVOID Object[], WAIT_TYPE WaitType,
				  KWAIT_REASON WaitReason, KPROCESSOR_MODE WaitMode,
				  BOOLEAN Alertable, PLARGE_INTEGER Timeout,
				  PKWAIT_BLOCK WaitBlockArray);

/**
 * KeDelayExecutionThread() - sleep
 * @WaitMode: ignored
 * @Alertable: ignored
 * @Interval: see <ke-time.h>
 *
 * Context: process, may sleep.
 * Return: STATUS_SUCCESS.
 */
NTSTATUS KeDelayExecutionThread(KPROCESSOR_MODE WaitMode, BOOLEAN Alertable,
				PLARGE_INTEGER Interval);

#endif /* _KMCL_NT_KE_WAIT_H */
