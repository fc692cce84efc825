// SPDX-License-Identifier: GPL-2.0
/*
 * Events, mutexes, semaphores, threads, rundown, and waiting for one or several
 * of them, held against what Windows documents.
 */
#include <kunit/test.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <ntddk.h>
#include "helper.h"
#include "kmsg.h"

#define MS	10000LL		/* in units of 100 ns */

static LARGE_INTEGER units(LONGLONG n)
{
	LARGE_INTEGER t = { .QuadPart = n };

	return t;
}

static NTSTATUS wait_one(PVOID object, LONGLONG n)
{
	LARGE_INTEGER t = units(n);

	return KeWaitForSingleObject(object, Executive, KernelMode, FALSE, &t);
}

static NTSTATUS wait_many(PVOID objects[], ULONG n, WAIT_TYPE type, LONGLONG time)
{
	LARGE_INTEGER t = units(time);

	return KeWaitForMultipleObjects(n, objects, type, Executive, KernelMode, FALSE, &t, NULL);
}

/* A thread that waits without end, and writes down what came of it. */
struct waiter {
	struct helper helper;
	PVOID object[3];
	ULONG n;
	WAIT_TYPE type;
	NTSTATUS status;
	bool over;
};

static void waiter_main(void *arg)
{
	struct waiter *w = arg;

	w->status = w->n == 1 ? KeWaitForSingleObject(w->object[0], Executive, KernelMode, FALSE,
						      NULL) :
				KeWaitForMultipleObjects(w->n, w->object, w->type, Executive,
							 KernelMode, FALSE, NULL, NULL);
	WRITE_ONCE(w->over, true);
}

static void waiter_start(struct kunit *test, struct waiter *w)
{
	w->over = false;
	KUNIT_ASSERT_TRUE(test, helper_start(&w->helper, waiter_main, w));
}

/* ---- events ---- */

static void a_notification_event_stays_signalled(struct kunit *test)
{
	KEVENT event;

	KeInitializeEvent(&event, NotificationEvent, FALSE);
	KUNIT_EXPECT_EQ(test, KeReadStateEvent(&event), 0);
	KUNIT_EXPECT_EQ(test, wait_one(&event, 0), STATUS_TIMEOUT);
	KUNIT_EXPECT_EQ(test, KeSetEvent(&event, IO_NO_INCREMENT, FALSE), 0);
	KUNIT_EXPECT_EQ(test, KeSetEvent(&event, IO_NO_INCREMENT, FALSE), 1);
	KUNIT_EXPECT_EQ(test, wait_one(&event, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, wait_one(&event, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, KeResetEvent(&event), 1);
	KUNIT_EXPECT_EQ(test, KeResetEvent(&event), 0);
	KUNIT_EXPECT_EQ(test, wait_one(&event, 0), STATUS_TIMEOUT);

	/* a BOOLEAN is a byte: everything but 0 is true */
	KeInitializeEvent(&event, NotificationEvent, 0x80);
	KUNIT_EXPECT_EQ(test, KeReadStateEvent(&event), 1);
	KeClearEvent(&event);
	KUNIT_EXPECT_EQ(test, KeReadStateEvent(&event), 0);
}

static void a_synchronization_event_lets_one_pass(struct kunit *test)
{
	struct waiter w[3] = {};
	unsigned int i, passed;
	KEVENT event;

	KeInitializeEvent(&event, SynchronizationEvent, TRUE);
	KUNIT_EXPECT_EQ(test, wait_one(&event, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, wait_one(&event, 0), STATUS_TIMEOUT);

	for (i = 0; i < 3; i++) {
		w[i].object[0] = &event;
		w[i].n = 1;
		waiter_start(test, &w[i]);
	}
	for (passed = 1; passed <= 3; passed++) {
		KeSetEvent(&event, IO_NO_INCREMENT, FALSE);
		KUNIT_EXPECT_TRUE(test, becomes(w[0].over + w[1].over + w[2].over == passed));
		KUNIT_EXPECT_EQ(test, KeReadStateEvent(&event), 0);
	}
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_TRUE(test, helper_join(&w[i].helper));
}

static void a_wait_is_as_long_as_it_was_asked_to_be(struct kunit *test)
{
	ULONGLONG start = KeQueryInterruptTime(), waited;
	LARGE_INTEGER due;
	KEVENT event;

	KeInitializeEvent(&event, NotificationEvent, FALSE);
	KUNIT_EXPECT_EQ(test, wait_one(&event, -30 * MS), STATUS_TIMEOUT);
	waited = KeQueryInterruptTime() - start;
	KUNIT_EXPECT_GE(test, waited, 30 * MS);
	KUNIT_EXPECT_LT(test, waited, 1000 * MS);

	/* an absolute time */
	KeQuerySystemTime(&due);
	due.QuadPart += 30 * MS;
	start = KeQueryInterruptTime();
	KUNIT_EXPECT_EQ(test, wait_one(&event, due.QuadPart), STATUS_TIMEOUT);
	KUNIT_EXPECT_GE(test, KeQueryInterruptTime() - start, 29 * MS);
	/* one that is past */
	KUNIT_EXPECT_EQ(test, wait_one(&event, 1), STATUS_TIMEOUT);

	start = KeQueryInterruptTime();
	due = units(-20 * MS);
	KUNIT_EXPECT_EQ(test, KeDelayExecutionThread(KernelMode, FALSE, &due), STATUS_SUCCESS);
	KUNIT_EXPECT_GE(test, KeQueryInterruptTime() - start, 20 * MS);
}

static void set_soon(void *event)
{
	schedule_timeout_uninterruptible(2);
	KeSetEvent(event, IO_NO_INCREMENT, FALSE);
}

static void a_set_event_ends_a_wait_before_its_time(struct kunit *test)
{
	ULONGLONG start = KeQueryInterruptTime();
	struct helper h;
	KEVENT event;

	KeInitializeEvent(&event, NotificationEvent, FALSE);
	KUNIT_ASSERT_TRUE(test, helper_start(&h, set_soon, &event));
	KUNIT_EXPECT_EQ(test, wait_one(&event, -60000 * MS), STATUS_SUCCESS);
	KUNIT_EXPECT_LT(test, KeQueryInterruptTime() - start, 10000 * MS);
	KUNIT_EXPECT_TRUE(test, helper_join(&h));
}

static void without_a_timeout_the_state_is_read_at_dispatch_level(struct kunit *test)
{
	NTSTATUS before, after;
	KEVENT event;
	KIRQL irql;

	KeInitializeEvent(&event, SynchronizationEvent, FALSE);
	KeRaiseIrql(DISPATCH_LEVEL, &irql);
	before = wait_one(&event, 0);
	KeSetEvent(&event, IO_NO_INCREMENT, FALSE);
	after = wait_one(&event, 0);
	KeLowerIrql(irql);
	KUNIT_EXPECT_EQ(test, before, STATUS_TIMEOUT);
	KUNIT_EXPECT_EQ(test, after, STATUS_SUCCESS);
}

static void levels_go_up_and_come_back(struct kunit *test)
{
	KIRQL seen, old;

	KUNIT_EXPECT_EQ(test, KeGetCurrentIrql(), PASSIVE_LEVEL);
	old = KeRaiseIrqlToDpcLevel();
	seen = KeGetCurrentIrql();
	KeLowerIrql(old);
	KUNIT_EXPECT_EQ(test, old, PASSIVE_LEVEL);
	KUNIT_EXPECT_EQ(test, seen, DISPATCH_LEVEL);
	KUNIT_EXPECT_EQ(test, KeGetCurrentIrql(), PASSIVE_LEVEL);
	/* an inner pair changes nothing */
	local_bh_disable();
	KeRaiseIrql(DISPATCH_LEVEL, &old);
	KeLowerIrql(old);
	seen = KeGetCurrentIrql();
	local_bh_enable();
	KUNIT_EXPECT_EQ(test, seen, DISPATCH_LEVEL);
	KUNIT_EXPECT_EQ(test, KeGetCurrentIrql(), PASSIVE_LEVEL);
	/* there are no APCs */
	KeRaiseIrql(APC_LEVEL, &old);
	KUNIT_EXPECT_EQ(test, KeGetCurrentIrql(), PASSIVE_LEVEL);
	KeLowerIrql(old);
}

/* ---- several ---- */

static void wait_any_names_the_first_that_is_signalled(struct kunit *test)
{
	KEVENT a, b, c;
	PVOID all[] = { &a, &b, &c };

	KeInitializeEvent(&a, SynchronizationEvent, FALSE);
	KeInitializeEvent(&b, SynchronizationEvent, TRUE);
	KeInitializeEvent(&c, SynchronizationEvent, TRUE);
	KUNIT_EXPECT_EQ(test, wait_many(all, 3, WaitAny, 0), STATUS_WAIT_1);
	/* and takes that one alone */
	KUNIT_EXPECT_EQ(test, KeReadStateEvent(&b), 0);
	KUNIT_EXPECT_EQ(test, KeReadStateEvent(&c), 1);
	KUNIT_EXPECT_EQ(test, wait_many(all, 3, WaitAny, 0), STATUS_WAIT_2);
	KUNIT_EXPECT_EQ(test, wait_many(all, 3, WaitAny, 0), STATUS_TIMEOUT);
	KUNIT_EXPECT_EQ(test, wait_many(all, 3, WaitAny, -10 * MS), STATUS_TIMEOUT);
}

static void wait_any_wakes_for_each_of_its_objects(struct kunit *test)
{
	struct waiter w = { .n = 3, .type = WaitAny };
	KEVENT event[3];
	unsigned int i;

	for (i = 0; i < 3; i++) {
		KeInitializeEvent(&event[i], SynchronizationEvent, FALSE);
		w.object[i] = &event[i];
	}
	for (i = 0; i < 3; i++) {
		waiter_start(test, &w);
		schedule_timeout_uninterruptible(2);
		KUNIT_EXPECT_FALSE(test, w.over);
		KeSetEvent(&event[i], IO_NO_INCREMENT, FALSE);
		KUNIT_EXPECT_TRUE(test, helper_join(&w.helper));
		KUNIT_EXPECT_EQ(test, w.status, STATUS_WAIT_0 + i);
	}
}

static void wait_all_takes_all_or_nothing(struct kunit *test)
{
	struct waiter w = { .n = 2, .type = WaitAll };
	KEVENT a, b;

	KeInitializeEvent(&a, SynchronizationEvent, TRUE);
	KeInitializeEvent(&b, SynchronizationEvent, FALSE);
	w.object[0] = &a;
	w.object[1] = &b;
	KUNIT_EXPECT_EQ(test, wait_many(w.object, 2, WaitAll, 0), STATUS_TIMEOUT);
	KUNIT_EXPECT_EQ(test, KeReadStateEvent(&a), 1);

	waiter_start(test, &w);
	schedule_timeout_uninterruptible(2);
	/* somebody else may have the one that is signalled meanwhile */
	KUNIT_EXPECT_EQ(test, wait_one(&a, 0), STATUS_SUCCESS);
	KeSetEvent(&b, IO_NO_INCREMENT, FALSE);
	schedule_timeout_uninterruptible(2);
	KUNIT_EXPECT_FALSE(test, w.over);
	KUNIT_EXPECT_EQ(test, KeReadStateEvent(&b), 1);
	KeSetEvent(&a, IO_NO_INCREMENT, FALSE);
	KUNIT_EXPECT_TRUE(test, helper_join(&w.helper));
	KUNIT_EXPECT_EQ(test, w.status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, KeReadStateEvent(&a), 0);
	KUNIT_EXPECT_EQ(test, KeReadStateEvent(&b), 0);
}

static void two_wait_alls_in_opposite_order_do_not_block_each_other(struct kunit *test)
{
	struct waiter w[2] = { { .n = 2, .type = WaitAll }, { .n = 2, .type = WaitAll } };
	KEVENT a, b;
	unsigned int round;

	KeInitializeEvent(&a, SynchronizationEvent, FALSE);
	KeInitializeEvent(&b, SynchronizationEvent, FALSE);
	w[0].object[0] = &a;
	w[0].object[1] = &b;
	w[1].object[0] = &b;
	w[1].object[1] = &a;
	waiter_start(test, &w[0]);
	waiter_start(test, &w[1]);
	for (round = 1; round <= 2; round++) {
		KeSetEvent(&a, IO_NO_INCREMENT, FALSE);
		KeSetEvent(&b, IO_NO_INCREMENT, FALSE);
		KUNIT_EXPECT_TRUE(test, becomes(w[0].over + w[1].over == round));
	}
	KUNIT_EXPECT_TRUE(test, helper_join(&w[0].helper));
	KUNIT_EXPECT_TRUE(test, helper_join(&w[1].helper));
}

static void more_than_three_objects_want_wait_blocks(struct kunit *test)
{
	const ULONG n = MAXIMUM_WAIT_OBJECTS;
	KWAIT_BLOCK *blocks = kunit_kcalloc(test, n, sizeof(*blocks), GFP_KERNEL);
	KEVENT *events = kunit_kcalloc(test, n, sizeof(*events), GFP_KERNEL);
	PVOID *objects = kunit_kcalloc(test, n + 1, sizeof(*objects), GFP_KERNEL);
	LARGE_INTEGER soon = units(-10 * MS);
	struct kmsg k;
	ULONG i;

	KUNIT_ASSERT_TRUE(test, blocks && events && objects);
	for (i = 0; i < n; i++) {
		KeInitializeEvent(&events[i], SynchronizationEvent, i == n - 1);
		objects[i] = &events[i];
	}
	KUNIT_EXPECT_EQ(test, KeWaitForMultipleObjects(n, objects, WaitAny, Executive, KernelMode,
						       FALSE, &soon, blocks), STATUS_WAIT_63);
	KUNIT_EXPECT_EQ(test, KeWaitForMultipleObjects(n, objects, WaitAll, Executive, KernelMode,
						       FALSE, &soon, blocks), STATUS_TIMEOUT);
	kmsg_mark(&k);
	KUNIT_EXPECT_EQ(test, wait_many(objects, 4, WaitAny, 0), STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, wait_many(objects, 0, WaitAny, 0), STATUS_INVALID_PARAMETER);
	objects[n] = &events[0];
	KUNIT_EXPECT_EQ(test, KeWaitForMultipleObjects(n + 1, objects, WaitAny, Executive,
						       KernelMode, FALSE, &soon, blocks),
			STATUS_INVALID_PARAMETER);
	/* twice the same cannot be taken at once */
	objects[1] = &events[0];
	KUNIT_EXPECT_EQ(test, wait_many(objects, 2, WaitAll, 0), STATUS_INVALID_PARAMETER);
	kmsg_expect(test, &k, 4, "cannot be waited for");
}

/* ---- mutexes and semaphores ---- */

static void a_mutex_is_its_owners_as_often_as_it_likes(struct kunit *test)
{
	struct waiter w = { .n = 1 };
	KMUTEX mutex;

	KeInitializeMutex(&mutex, 0);
	KUNIT_EXPECT_EQ(test, KeReadStateMutex(&mutex), 1);
	KUNIT_EXPECT_EQ(test, wait_one(&mutex, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, wait_one(&mutex, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, KeReadStateMutex(&mutex), -1);
	w.object[0] = &mutex;
	waiter_start(test, &w);
	KUNIT_EXPECT_EQ(test, KeReleaseMutex(&mutex, FALSE), -1);
	schedule_timeout_uninterruptible(2);
	KUNIT_EXPECT_FALSE(test, w.over);
	KUNIT_EXPECT_EQ(test, KeReleaseMutex(&mutex, FALSE), 0);
	KUNIT_EXPECT_TRUE(test, helper_join(&w.helper));
	/* the other thread has it now, and took it along */
	KUNIT_EXPECT_EQ(test, KeReadStateMutex(&mutex), 0);
	KUNIT_EXPECT_EQ(test, wait_one(&mutex, 0), STATUS_TIMEOUT);
}

static void a_mutex_of_another_thread_is_not_released(struct kunit *test)
{
	struct kmsg k;
	KMUTEX mutex;

	KeInitializeMutex(&mutex, 0);
	kmsg_mark(&k);
	KeReleaseMutex(&mutex, FALSE);
	KUNIT_EXPECT_EQ(test, KeReadStateMutex(&mutex), 1);
	kmsg_expect(test, &k, 1, "belongs to another thread");
}

static void a_semaphore_counts_up_to_its_limit(struct kunit *test)
{
	KSEMAPHORE s;
	struct kmsg k;

	KeInitializeSemaphore(&s, 1, 3);
	KUNIT_EXPECT_EQ(test, wait_one(&s, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, wait_one(&s, 0), STATUS_TIMEOUT);
	KUNIT_EXPECT_EQ(test, KeReleaseSemaphore(&s, IO_NO_INCREMENT, 2, FALSE), 0);
	KUNIT_EXPECT_EQ(test, KeReadStateSemaphore(&s), 2);
	kmsg_mark(&k);
	KUNIT_EXPECT_EQ(test, KeReleaseSemaphore(&s, IO_NO_INCREMENT, 2, FALSE), 2);
	KUNIT_EXPECT_EQ(test, KeReadStateSemaphore(&s), 2);
	kmsg_expect(test, &k, 1, "exceeds the semaphore's limit");
	KUNIT_EXPECT_EQ(test, KeReleaseSemaphore(&s, IO_NO_INCREMENT, 1, FALSE), 2);
	KUNIT_EXPECT_EQ(test, wait_one(&s, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, wait_one(&s, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, wait_one(&s, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, wait_one(&s, 0), STATUS_TIMEOUT);
}

/* ---- threads ---- */

struct thread_arg {
	KEVENT go;
	atomic_t ran;
	bool terminate;
};

static VOID thread_routine(PVOID context)
{
	struct thread_arg *t = context;

	KeWaitForSingleObject(&t->go, Executive, KernelMode, FALSE, NULL);
	atomic_inc(&t->ran);
	if (t->terminate)
		PsTerminateSystemThread(STATUS_SUCCESS);
	atomic_inc(&t->ran);
}

static void check_thread(struct kunit *test, bool terminate)
{
	struct thread_arg t = { .terminate = terminate };
	PVOID both[2], thread;
	HANDLE handle;

	KeInitializeEvent(&t.go, NotificationEvent, FALSE);
	KUNIT_ASSERT_EQ(test, PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL,
						   thread_routine, &t), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, ObReferenceObjectByHandle(handle, THREAD_ALL_ACCESS, NULL,
							KernelMode, &thread, NULL),
			STATUS_SUCCESS);
	/* at once, whatever the thread is doing */
	KUNIT_EXPECT_EQ(test, ZwClose(handle), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, wait_one(thread, 0), STATUS_TIMEOUT);
	both[0] = thread;
	both[1] = &t.go;
	KeSetEvent(&t.go, IO_NO_INCREMENT, FALSE);
	KUNIT_EXPECT_EQ(test, wait_many(both, 2, WaitAll, -10000 * MS), STATUS_SUCCESS);
	/* stays signalled */
	KUNIT_EXPECT_EQ(test, wait_one(thread, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, atomic_read(&t.ran), terminate ? 1 : 2);
	ObDereferenceObject(thread);
}

static void a_thread_is_signalled_when_it_has_ended(struct kunit *test)
{
	check_thread(test, true);
	check_thread(test, false);
}

static void a_thread_outlives_its_handle(struct kunit *test)
{
	struct thread_arg t = {};
	HANDLE handle;

	KeInitializeEvent(&t.go, NotificationEvent, FALSE);
	KUNIT_ASSERT_EQ(test, PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL,
						   thread_routine, &t), STATUS_SUCCESS);
	ZwClose(handle);
	KeSetEvent(&t.go, IO_NO_INCREMENT, FALSE);
	KUNIT_EXPECT_TRUE(test, becomes(atomic_read(&t.ran) == 2));
	/* t.go is on this stack: let go of it first */
	schedule_timeout_uninterruptible(2);
}

static void only_a_system_thread_ends_itself(struct kunit *test)
{
	HANDLE handle;

	KUNIT_EXPECT_EQ(test, PsTerminateSystemThread(STATUS_SUCCESS), STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, test, NULL,
						   thread_routine, NULL),
			STATUS_INVALID_PARAMETER);
}

/* ---- rundown ---- */

static void run_down(void *ref)
{
	ExWaitForRundownProtectionRelease(ref);
}

static void a_rundown_waits_for_its_users_and_lets_no_more_in(struct kunit *test)
{
	EX_RUNDOWN_REF ref;
	struct helper h;

	ExInitializeRundownProtection(&ref);
	KUNIT_EXPECT_TRUE(test, ExAcquireRundownProtection(&ref));
	KUNIT_EXPECT_TRUE(test, ExAcquireRundownProtection(&ref));
	ExReleaseRundownProtection(&ref);
	KUNIT_ASSERT_TRUE(test, helper_start(&h, run_down, &ref));
	KUNIT_EXPECT_TRUE(test, becomes(atomic_read(&ref.Count) & KMCL_NT_RUNDOWN_BEGUN));
	KUNIT_EXPECT_FALSE(test, ExAcquireRundownProtection(&ref));
	KUNIT_EXPECT_FALSE(test, completion_done(&h.done));
	ExReleaseRundownProtection(&ref);
	KUNIT_EXPECT_TRUE(test, helper_join(&h));
	KUNIT_EXPECT_FALSE(test, ExAcquireRundownProtection(&ref));
	ExRundownCompleted(&ref);

	ExReInitializeRundownProtection(&ref);
	KUNIT_EXPECT_TRUE(test, ExAcquireRundownProtection(&ref));
	ExReleaseRundownProtection(&ref);
	/* nobody to wait for */
	ExWaitForRundownProtectionRelease(&ref);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_notification_event_stays_signalled),
	KUNIT_CASE(a_synchronization_event_lets_one_pass),
	KUNIT_CASE(a_wait_is_as_long_as_it_was_asked_to_be),
	KUNIT_CASE(a_set_event_ends_a_wait_before_its_time),
	KUNIT_CASE(without_a_timeout_the_state_is_read_at_dispatch_level),
	KUNIT_CASE(levels_go_up_and_come_back),
	KUNIT_CASE(wait_any_names_the_first_that_is_signalled),
	KUNIT_CASE(wait_any_wakes_for_each_of_its_objects),
	KUNIT_CASE(wait_all_takes_all_or_nothing),
	KUNIT_CASE(two_wait_alls_in_opposite_order_do_not_block_each_other),
	KUNIT_CASE(more_than_three_objects_want_wait_blocks),
	KUNIT_CASE(a_mutex_is_its_owners_as_often_as_it_likes),
	KUNIT_CASE(a_mutex_of_another_thread_is_not_released),
	KUNIT_CASE(a_semaphore_counts_up_to_its_limit),
	KUNIT_CASE(a_thread_is_signalled_when_it_has_ended),
	KUNIT_CASE(a_thread_outlives_its_handle),
	KUNIT_CASE(only_a_system_thread_ends_itself),
	KUNIT_CASE(a_rundown_waits_for_its_users_and_lets_no_more_in),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_nt_wait",
	.test_cases = cases,
};

kunit_test_suite(suite);
