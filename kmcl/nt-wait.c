// SPDX-License-Identifier: GPL-2.0
/*
 * The waits of <ke-wait.h>, mutexes and semaphores, and threads.
 *
 * An object's state is protected by the lock of its wait queue.  WaitAll is the
 * only one that holds several of these locks; it takes them under a lock of its
 * own, so that two of it cannot wait for each other.  For lockdep all of them are
 * one class, which is what it wants of locks that are taken in any order; nothing
 * of a driver runs under them.
 */
#define pr_fmt(fmt) "kmcl: " fmt

#include <linux/err.h>
#include <linux/export.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <ntddk.h>

static DEFINE_SPINLOCK(wait_all_lock);

void kmcl_nt_header_init(PDISPATCHER_HEADER h, enum kmcl_nt_object_type type, LONG state)
{
	h->Type = type;
	h->SignalState = state;
	h->Owner = NULL;
	/* one place, one class */
	init_waitqueue_head(&h->Waiters);
}
EXPORT_SYMBOL_GPL(kmcl_nt_header_init);

static unsigned int wait_state(void)
{
	return current->flags & PF_KTHREAD ? TASK_IDLE : TASK_UNINTERRUPTIBLE;
}

/* ---- one object, under its lock ---- */

static bool signalled(const DISPATCHER_HEADER *h)
{
	return h->SignalState > 0 || (h->Type == KMCL_NT_OWNED && h->Owner == current);
}

static void satisfy(PDISPATCHER_HEADER h)
{
	switch (h->Type) {
	case KMCL_NT_RELEASES_ONE:
		h->SignalState = 0;
		break;
	case KMCL_NT_OWNED:
		h->Owner = current;
		fallthrough;
	case KMCL_NT_COUNTS:
		h->SignalState--;
		break;
	}
}

/* ---- one and several ---- */

static bool take_one(PDISPATCHER_HEADER h)
{
	unsigned long flags;
	bool taken;

	spin_lock_irqsave(&h->Waiters.lock, flags);
	taken = signalled(h);
	if (taken)
		satisfy(h);
	spin_unlock_irqrestore(&h->Waiters.lock, flags);
	return taken;
}

static bool take_any(PVOID objects[], unsigned int n, unsigned int *which)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (take_one(objects[i])) {
			*which = i;
			return true;
		}
	}
	return false;
}

static bool take_all(PVOID objects[], unsigned int n)
{
	PDISPATCHER_HEADER h;
	unsigned long flags;
	bool taken = true;
	unsigned int i;

	spin_lock_irqsave(&wait_all_lock, flags);
	for (i = 0; i < n; i++) {
		h = objects[i];
		spin_lock_nest_lock(&h->Waiters.lock, &wait_all_lock);
		/* sparse counts no locks over a loop */
		__release(&h->Waiters.lock);
		if (!signalled(h))
			taken = false;
	}
	for (i = 0; i < n; i++) {
		h = objects[i];
		if (taken)
			satisfy(h);
		__acquire(&h->Waiters.lock);
		spin_unlock(&h->Waiters.lock);
	}
	spin_unlock_irqrestore(&wait_all_lock, flags);
	return taken;
}

static NTSTATUS wait_for(PVOID objects[], unsigned int n, bool all, PKWAIT_BLOCK blocks,
			 PLARGE_INTEGER due)
{
	long timeout = kmcl_nt_timeout_jiffies(due);
	unsigned int state = wait_state();
	unsigned int i, which = 0;
	PDISPATCHER_HEADER h;
	bool taken;

	taken = all ? take_all(objects, n) : take_any(objects, n, &which);
	if (taken || !timeout)
		return taken ? STATUS_WAIT_0 + which : STATUS_TIMEOUT;

	might_sleep();
	for (i = 0; i < n; i++) {
		h = objects[i];
		init_waitqueue_entry(&blocks[i].Entry, current);
		add_wait_queue(&h->Waiters, &blocks[i].Entry);
	}
	for (;;) {
		/* before the look: who signals after it wakes us */
		set_current_state(state);
		taken = all ? take_all(objects, n) : take_any(objects, n, &which);
		if (taken || !timeout)
			break;
		timeout = schedule_timeout(timeout);
	}
	__set_current_state(TASK_RUNNING);
	for (i = 0; i < n; i++) {
		h = objects[i];
		remove_wait_queue(&h->Waiters, &blocks[i].Entry);
	}
	return taken ? STATUS_WAIT_0 + which : STATUS_TIMEOUT;
}

NTSTATUS KeWaitForSingleObject(PVOID Object, KWAIT_REASON WaitReason, KPROCESSOR_MODE WaitMode,
			       BOOLEAN Alertable, PLARGE_INTEGER Timeout)
{
	KWAIT_BLOCK block;

	return wait_for(&Object, 1, false, &block, Timeout);
}
EXPORT_SYMBOL_GPL(KeWaitForSingleObject);

static bool any_twice(PVOID objects[], unsigned int n)
{
	unsigned int i, j;

	for (i = 1; i < n; i++)
		for (j = 0; j < i; j++)
			if (objects[i] == objects[j])
				return true;
	return false;
}

NTSTATUS KeWaitForMultipleObjects(ULONG Count, PVOID Object[], WAIT_TYPE WaitType,
				  KWAIT_REASON WaitReason, KPROCESSOR_MODE WaitMode,
				  BOOLEAN Alertable, PLARGE_INTEGER Timeout,
				  PKWAIT_BLOCK WaitBlockArray)
{
	KWAIT_BLOCK blocks[THREAD_WAIT_OBJECTS];
	bool all = WaitType == WaitAll;

	if (!Count || Count > (WaitBlockArray ? MAXIMUM_WAIT_OBJECTS : THREAD_WAIT_OBJECTS) ||
	    (all && any_twice(Object, Count))) {
		pr_err_ratelimited("%ps: %s: %u objects%s cannot be waited for\n",
				   __builtin_return_address(0), __func__, Count,
				   WaitBlockArray ? "" : " without wait blocks");
		return STATUS_INVALID_PARAMETER;
	}
	return wait_for(Object, Count, all, WaitBlockArray ?: blocks, Timeout);
}
EXPORT_SYMBOL_GPL(KeWaitForMultipleObjects);

NTSTATUS KeDelayExecutionThread(KPROCESSOR_MODE WaitMode, BOOLEAN Alertable,
				PLARGE_INTEGER Interval)
{
	long timeout = kmcl_nt_timeout_jiffies(Interval);
	unsigned int state = wait_state();

	might_sleep();
	while (timeout) {
		__set_current_state(state);
		timeout = schedule_timeout(timeout);
	}
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(KeDelayExecutionThread);

/* ---- mutexes and semaphores ---- */

LONG KeReleaseMutex(PRKMUTEX Mutex, BOOLEAN Wait)
{
	PDISPATCHER_HEADER h = &Mutex->Header;
	unsigned long flags;
	bool mine;
	LONG old;

	spin_lock_irqsave(&h->Waiters.lock, flags);
	old = h->SignalState;
	mine = h->Owner == current;
	if (mine && ++h->SignalState > 0) {
		h->Owner = NULL;
		wake_up_all_locked(&h->Waiters);
	}
	spin_unlock_irqrestore(&h->Waiters.lock, flags);
	if (!mine)
		pr_err_ratelimited("%ps: %s: the mutex belongs to another thread\n",
				   __builtin_return_address(0), __func__);
	return old;
}
EXPORT_SYMBOL_GPL(KeReleaseMutex);

LONG KeReleaseSemaphore(PRKSEMAPHORE Semaphore, KPRIORITY Increment, LONG Adjustment, BOOLEAN Wait)
{
	PDISPATCHER_HEADER h = &Semaphore->Header;
	unsigned long flags;
	bool fits;
	LONG old;

	spin_lock_irqsave(&h->Waiters.lock, flags);
	old = h->SignalState;
	fits = Adjustment > 0 && Adjustment <= Semaphore->Limit - old;
	if (fits) {
		h->SignalState += Adjustment;
		wake_up_all_locked(&h->Waiters);
	}
	spin_unlock_irqrestore(&h->Waiters.lock, flags);
	if (!fits)
		pr_err_ratelimited("%ps: %s: %d more than %d exceeds the semaphore's limit\n",
				   __builtin_return_address(0), __func__, Adjustment, old);
	return old;
}
EXPORT_SYMBOL_GPL(KeReleaseSemaphore);

/* ---- threads ---- */

/*
 * The end of every thread.  Whoever waited may unload the driver, which may
 * be the last user of this module: the reference goes together with the thread.
 */
static void __noreturn thread_end(PKTHREAD t)
{
	kmcl_nt_header_signal(&t->Header);
	ObDereferenceObject(t);
	module_put_and_kthread_exit(0);
}

static int thread_main(void *arg)
{
	PKTHREAD t = arg;

	t->StartRoutine(t->StartContext);
	thread_end(t);
}

NTSTATUS PsTerminateSystemThread(NTSTATUS ExitStatus)
{
	if (!(current->flags & PF_KTHREAD) || kthread_func(current) != thread_main)
		return STATUS_INVALID_PARAMETER;
	thread_end(kthread_data(current));
}
EXPORT_SYMBOL_GPL(PsTerminateSystemThread);

NTSTATUS kmcl_nt_create_thread(const char *name, PHANDLE handle, PKSTART_ROUTINE routine,
			       PVOID context)
{
	struct task_struct *task;
	PKTHREAD t;

	t = kmcl_nt_object_new(sizeof(*t));
	if (!t)
		return STATUS_INSUFFICIENT_RESOURCES;
	kmcl_nt_header_init(&t->Header, KMCL_NT_STAYS_SIGNALLED, 0);
	t->StartRoutine = routine;
	t->StartContext = context;

	task = kthread_create(thread_main, t, "%s", name);
	if (IS_ERR(task)) {
		ObDereferenceObject(t);
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	/* the thread's own, before it can end */
	ObReferenceObject(t);
	__module_get(THIS_MODULE);
	*handle = t;
	wake_up_process(task);
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(kmcl_nt_create_thread);
