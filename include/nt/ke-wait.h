/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Objects that a thread can wait for, and the wait.
 *
 * As on Windows a waitable object begins with a DISPATCHER_HEADER, so that one
 * function waits for any of them.
 */
#ifndef _KMCL_NT_KE_WAIT_H
#define _KMCL_NT_KE_WAIT_H

#include <linux/completion.h>
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

/* What a satisfied wait does to the object. */
enum kmcl_nt_object_type {
	KMCL_NT_STAYS_SIGNALLED,
	KMCL_NT_RELEASES_ONE,
	KMCL_NT_THREAD,
};

typedef struct _DISPATCHER_HEADER {
	UCHAR Type;
	LONG SignalState;
	/* Protects SignalState; held while waking, see KeWaitForSingleObject(). */
	spinlock_t Lock;
	wait_queue_head_t Waiters;
	/* Threads alone: signalled by the kernel when no code of theirs runs. */
	struct completion Exited;
} DISPATCHER_HEADER, *PDISPATCHER_HEADER;

/* A macro, so that the lockdep classes are made at the caller's place. */
#define kmcl_nt_header_init(header, type, state)				\
do {										\
	PDISPATCHER_HEADER __h = (header);					\
										\
	__h->Type = (type);							\
	__h->SignalState = (state);						\
	spin_lock_init(&__h->Lock);						\
	init_waitqueue_head(&__h->Waiters);					\
	init_completion(&__h->Exited);						\
} while (0)

/* Returns the state before. */
static inline LONG kmcl_nt_header_signal(PDISPATCHER_HEADER h)
{
	unsigned long flags;
	LONG old;

	spin_lock_irqsave(&h->Lock, flags);
	old = h->SignalState;
	h->SignalState = 1;
	wake_up_all(&h->Waiters);
	spin_unlock_irqrestore(&h->Lock, flags);

	return old;
}

static inline NTSTATUS kmcl_nt_wait_thread(PDISPATCHER_HEADER h, long timeout)
{
	if (!timeout) {
		if (!try_wait_for_completion(&h->Exited))
			return STATUS_TIMEOUT;
	} else if (!wait_for_completion_timeout(&h->Exited, timeout)) {
		return STATUS_TIMEOUT;
	}
	/* A thread that has ended stays signalled for the next one who asks. */
	complete(&h->Exited);
	return STATUS_SUCCESS;
}

/**
 * KeWaitForSingleObject() - wait until an object is signalled
 * @Object: an event or a thread
 * @WaitReason: ignored
 * @WaitMode: ignored, the wait is the kernel's
 * @Alertable: ignored, there are no APCs
 * @Timeout: see <ke-time.h>; NULL waits for ever, zero does not wait
 *
 * The waiter's last step takes the lock that the waker holds until it is done
 * with the object, so an object on the waiter's stack may go out of scope when
 * this returns.
 *
 * Kernel threads wait without counting as load, because on Windows a waiting
 * thread is no load either.
 *
 * Context: process, may sleep; softirq too when the timeout is zero and the
 * object is an event.
 * Return: STATUS_SUCCESS or STATUS_TIMEOUT.
 */
static inline NTSTATUS KeWaitForSingleObject(PVOID Object, KWAIT_REASON WaitReason,
					     KPROCESSOR_MODE WaitMode, BOOLEAN Alertable,
					     PLARGE_INTEGER Timeout)
{
	unsigned int state = current->flags & PF_KTHREAD ? TASK_IDLE : TASK_UNINTERRUPTIBLE;
	long timeout = kmcl_nt_timeout_jiffies(Timeout);
	PDISPATCHER_HEADER h = Object;
	unsigned long flags;
	bool signalled;

	if (h->Type == KMCL_NT_THREAD)
		return kmcl_nt_wait_thread(h, timeout);

	for (;;) {
		spin_lock_irqsave(&h->Lock, flags);
		signalled = h->SignalState;
		if (signalled && h->Type == KMCL_NT_RELEASES_ONE)
			h->SignalState = 0;
		spin_unlock_irqrestore(&h->Lock, flags);

		if (signalled)
			return STATUS_SUCCESS;
		if (!timeout)
			return STATUS_TIMEOUT;

		timeout = ___wait_event(h->Waiters, ___wait_cond_timeout(READ_ONCE(h->SignalState)),
					state, 0, timeout, __ret = schedule_timeout(__ret));
	}
}

/**
 * KeDelayExecutionThread() - sleep
 * @WaitMode: ignored
 * @Alertable: ignored
 * @Interval: see <ke-time.h>
 *
 * Context: process, may sleep.
 * Return: STATUS_SUCCESS.
 */
static inline NTSTATUS KeDelayExecutionThread(KPROCESSOR_MODE WaitMode, BOOLEAN Alertable,
					      PLARGE_INTEGER Interval)
{
	unsigned int state = current->flags & PF_KTHREAD ? TASK_IDLE : TASK_UNINTERRUPTIBLE;
	long timeout = kmcl_nt_timeout_jiffies(Interval);

	while (timeout) {
		__set_current_state(state);
		timeout = schedule_timeout(timeout);
	}
	return STATUS_SUCCESS;
}

#endif /* _KMCL_NT_KE_WAIT_H */
