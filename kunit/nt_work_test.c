// SPDX-License-Identifier: GPL-2.0
/*
 * DPCs, timers and work items, held against what Windows documents.
 */
#include <kunit/test.h>
#include <linux/module.h>
#include <linux/slab.h>
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

/* ---- DPCs ---- */

struct record {
	KDPC dpc[3];
	char order[8];
	unsigned int n;
	KIRQL irql;
	PVOID arg1;
	PVOID arg2;
	bool again;
};

static VOID record_routine(PKDPC dpc, PVOID context, PVOID arg1, PVOID arg2)
{
	struct record *r = context;

	r->irql = KeGetCurrentIrql();
	r->arg1 = arg1;
	r->arg2 = arg2;
	if (r->n < sizeof(r->order) - 1)
		r->order[r->n++] = '0' + (dpc - r->dpc);
	if (r->again) {
		r->again = false;
		KeInsertQueueDpc(dpc, arg2, arg1);
	}
}

static struct record *record_new(struct kunit *test)
{
	struct record *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, r);
	for (i = 0; i < ARRAY_SIZE(r->dpc); i++) {
		/* what was there before does not matter */
		memset(&r->dpc[i], 0xff, sizeof(r->dpc[i]));
		KeInitializeDpc(&r->dpc[i], record_routine, r);
	}
	return r;
}

static void a_dpc_is_called_once_at_dispatch_level_with_its_arguments(struct kunit *test)
{
	struct record *r = record_new(test);
	BOOLEAN first, second;
	KIRQL irql;

	irql = KeRaiseIrqlToDpcLevel();
	first = KeInsertQueueDpc(&r->dpc[0], r, test);
	/* the arguments of then */
	second = KeInsertQueueDpc(&r->dpc[0], NULL, NULL);
	KeLowerIrql(irql);
	KeFlushQueuedDpcs();
	KUNIT_EXPECT_TRUE(test, first);
	KUNIT_EXPECT_FALSE(test, second);
	KUNIT_EXPECT_STREQ(test, r->order, "0");
	KUNIT_EXPECT_EQ(test, r->irql, DISPATCH_LEVEL);
	KUNIT_EXPECT_PTR_EQ(test, r->arg1, (PVOID)r);
	KUNIT_EXPECT_PTR_EQ(test, r->arg2, (PVOID)test);
	/* it is free again */
	KUNIT_EXPECT_TRUE(test, KeInsertQueueDpc(&r->dpc[0], NULL, NULL));
	KeFlushQueuedDpcs();
	KUNIT_EXPECT_STREQ(test, r->order, "00");
}

static void dpcs_run_in_their_order_and_one_can_be_taken_back(struct kunit *test)
{
	struct record *r = record_new(test);
	BOOLEAN removed, again;
	KIRQL irql;

	irql = KeRaiseIrqlToDpcLevel();
	KeInsertQueueDpc(&r->dpc[2], NULL, NULL);
	KeInsertQueueDpc(&r->dpc[0], NULL, NULL);
	KeInsertQueueDpc(&r->dpc[1], NULL, NULL);
	removed = KeRemoveQueueDpc(&r->dpc[0]);
	again = KeRemoveQueueDpc(&r->dpc[0]);
	KeLowerIrql(irql);
	KeFlushQueuedDpcs();
	KUNIT_EXPECT_TRUE(test, removed);
	KUNIT_EXPECT_FALSE(test, again);
	KUNIT_EXPECT_STREQ(test, r->order, "21");
	KUNIT_EXPECT_FALSE(test, KeRemoveQueueDpc(&r->dpc[1]));
}

static void a_dpc_may_queue_itself(struct kunit *test)
{
	struct record *r = record_new(test);

	r->again = true;
	KeInsertQueueDpc(&r->dpc[1], r, NULL);
	KeFlushQueuedDpcs();
	KeFlushQueuedDpcs();
	KUNIT_EXPECT_STREQ(test, r->order, "11");
	KUNIT_EXPECT_PTR_EQ(test, r->arg2, (PVOID)r);
}

static VOID free_routine(PKDPC dpc, PVOID context, PVOID arg1, PVOID arg2)
{
	kfree(dpc);
	complete(context);
}

static void a_dpc_may_free_itself(struct kunit *test)
{
	DECLARE_COMPLETION_ONSTACK(done);
	PKDPC dpc = kmalloc(sizeof(*dpc), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, dpc);
	KeInitializeDpc(dpc, free_routine, &done);
	KeInsertQueueDpc(dpc, NULL, NULL);
	KUNIT_EXPECT_TRUE(test, wait_for_completion_timeout(&done, 20 * HZ));
}

/* ---- timers ---- */

static PKTIMER timer_new(struct kunit *test, TIMER_TYPE type)
{
	PKTIMER timer = kunit_kzalloc(test, sizeof(*timer), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, timer);
	KeInitializeTimerEx(timer, type);
	return timer;
}

static void a_timer_signals_when_it_is_due_and_not_before(struct kunit *test)
{
	PKTIMER timer = timer_new(test, NotificationTimer);
	ULONGLONG start = KeQueryInterruptTime();

	KUNIT_EXPECT_FALSE(test, KeReadStateTimer(timer));
	KUNIT_EXPECT_FALSE(test, KeSetTimer(timer, units(-50 * MS), NULL));
	KUNIT_EXPECT_EQ(test, wait_one(timer, 0), STATUS_TIMEOUT);
	KUNIT_EXPECT_EQ(test, wait_one(timer, -10000 * MS), STATUS_SUCCESS);
	KUNIT_EXPECT_GE(test, KeQueryInterruptTime() - start, 50 * MS);
	KUNIT_EXPECT_LT(test, KeQueryInterruptTime() - start, 1000 * MS);
	/* stays signalled until it is set again */
	KUNIT_EXPECT_TRUE(test, KeReadStateTimer(timer));
	KUNIT_EXPECT_FALSE(test, KeCancelTimer(timer));
	KUNIT_EXPECT_FALSE(test, KeSetTimer(timer, units(-50000 * MS), NULL));
	KUNIT_EXPECT_FALSE(test, KeReadStateTimer(timer));
	/* and this time it had not expired */
	KUNIT_EXPECT_TRUE(test, KeSetTimer(timer, units(0), NULL));
	KUNIT_EXPECT_EQ(test, wait_one(timer, -1000 * MS), STATUS_SUCCESS);
}

static void a_cancelled_timer_does_nothing(struct kunit *test)
{
	PKTIMER timer = timer_new(test, NotificationTimer);
	struct record *r = record_new(test);

	KeSetTimer(timer, units(-10 * MS), &r->dpc[0]);
	KUNIT_EXPECT_TRUE(test, KeCancelTimer(timer));
	KUNIT_EXPECT_FALSE(test, KeCancelTimer(timer));
	KUNIT_EXPECT_EQ(test, wait_one(timer, -50 * MS), STATUS_TIMEOUT);
	KeFlushQueuedDpcs();
	KUNIT_EXPECT_STREQ(test, r->order, "");
}

static void a_timer_queues_its_dpc(struct kunit *test)
{
	PKTIMER timer = timer_new(test, SynchronizationTimer);
	struct record *r = record_new(test);

	KeSetTimer(timer, units(-10 * MS), &r->dpc[2]);
	KUNIT_EXPECT_EQ(test, wait_one(timer, -1000 * MS), STATUS_SUCCESS);
	KeFlushQueuedDpcs();
	KUNIT_EXPECT_STREQ(test, r->order, "2");
	KUNIT_EXPECT_NULL(test, r->arg1);
	/* a synchronization timer let this thread pass, and nobody else */
	KUNIT_EXPECT_EQ(test, wait_one(timer, 0), STATUS_TIMEOUT);
}

static void a_periodic_timer_goes_on_until_it_is_cancelled(struct kunit *test)
{
	PKTIMER timer = timer_new(test, SynchronizationTimer);
	struct record *r = record_new(test);
	unsigned int i, calls;

	KeSetTimerEx(timer, units(-10 * MS), 20, &r->dpc[0]);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, wait_one(timer, -1000 * MS), STATUS_SUCCESS);
	/* a periodic one is always under way */
	KUNIT_EXPECT_TRUE(test, KeCancelTimer(timer));
	KeFlushQueuedDpcs();
	calls = r->n;
	KUNIT_EXPECT_GE(test, calls, 4);
	kmcl_nt_header_clear(&timer->Header);
	KUNIT_EXPECT_EQ(test, wait_one(timer, -100 * MS), STATUS_TIMEOUT);
	KUNIT_EXPECT_EQ(test, r->n, calls);
}

/* ---- work items ---- */

struct work {
	WORK_QUEUE_ITEM item;
	PIO_WORKITEM io;
	PDEVICE_OBJECT device;
	KEVENT done;
	KIRQL irql;
	unsigned int calls;
	PVOID seen;
};

static struct work *work_new(struct kunit *test)
{
	struct work *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, w);
	KeInitializeEvent(&w->done, SynchronizationEvent, FALSE);
	w->device = (PDEVICE_OBJECT)test;
	w->io = IoAllocateWorkItem(w->device);
	KUNIT_ASSERT_NOT_NULL(test, w->io);
	return w;
}

static VOID ex_routine(PVOID parameter)
{
	struct work *w = parameter;

	w->calls++;
	w->irql = KeGetCurrentIrql();
	KeSetEvent(&w->done, IO_NO_INCREMENT, FALSE);
}

static VOID io_routine(PDEVICE_OBJECT device, PVOID context)
{
	struct work *w = context;

	w->seen = device;
	/* as drivers do */
	IoFreeWorkItem(w->io);
	ex_routine(w);
}

static VOID io_routine_ex(PVOID object, PVOID context, PIO_WORKITEM item)
{
	struct work *w = context;

	w->seen = item;
	ex_routine(w);
}

static void a_work_item_runs_at_passive_level(struct kunit *test)
{
	struct work *w = work_new(test);
	KIRQL irql;

	ExInitializeWorkItem(&w->item, ex_routine, w);
	irql = KeRaiseIrqlToDpcLevel();
	ExQueueWorkItem(&w->item, DelayedWorkQueue);
	KeLowerIrql(irql);
	KUNIT_EXPECT_EQ(test, wait_one(&w->done, -5000 * MS), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, w->irql, PASSIVE_LEVEL);
	/* and again */
	ExQueueWorkItem(&w->item, CriticalWorkQueue);
	kmcl_nt_flush();
	KUNIT_EXPECT_EQ(test, w->calls, 2);
	IoFreeWorkItem(w->io);
}

static void a_work_item_of_a_device_is_given_it(struct kunit *test)
{
	struct work *w = work_new(test);

	IoQueueWorkItemEx(w->io, io_routine_ex, DelayedWorkQueue, w);
	KUNIT_EXPECT_EQ(test, wait_one(&w->done, -5000 * MS), STATUS_SUCCESS);
	KUNIT_EXPECT_PTR_EQ(test, w->seen, (PVOID)w->io);
	IoQueueWorkItem(w->io, io_routine, DelayedWorkQueue, w);
	KUNIT_EXPECT_EQ(test, wait_one(&w->done, -5000 * MS), STATUS_SUCCESS);
	KUNIT_EXPECT_PTR_EQ(test, w->seen, (PVOID)w->device);
	kmcl_nt_flush();
	KUNIT_EXPECT_EQ(test, w->calls, 2);
}

static void a_work_item_that_is_queued_stays_as_it_is(struct kunit *test)
{
	struct work *w = work_new(test);
	struct kmsg k;
	KIRQL irql;

	kmsg_mark(&k);
	irql = KeRaiseIrqlToDpcLevel();
	IoQueueWorkItemEx(w->io, io_routine_ex, DelayedWorkQueue, w);
	IoQueueWorkItemEx(w->io, io_routine_ex, DelayedWorkQueue, w);
	KeLowerIrql(irql);
	kmcl_nt_flush();
	/* another processor may have begun the first in between: then it was not queued */
	KUNIT_EXPECT_EQ(test, w->calls + kmsg_count(&k, "queued already"), 2);
	if (num_online_cpus() == 1)
		KUNIT_EXPECT_EQ(test, w->calls, 1);
	IoFreeWorkItem(w->io);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_dpc_is_called_once_at_dispatch_level_with_its_arguments),
	KUNIT_CASE(dpcs_run_in_their_order_and_one_can_be_taken_back),
	KUNIT_CASE(a_dpc_may_queue_itself),
	KUNIT_CASE(a_dpc_may_free_itself),
	KUNIT_CASE(a_timer_signals_when_it_is_due_and_not_before),
	KUNIT_CASE(a_cancelled_timer_does_nothing),
	KUNIT_CASE(a_timer_queues_its_dpc),
	KUNIT_CASE(a_periodic_timer_goes_on_until_it_is_cancelled),
	KUNIT_CASE(a_work_item_runs_at_passive_level),
	KUNIT_CASE(a_work_item_of_a_device_is_given_it),
	KUNIT_CASE(a_work_item_that_is_queued_stays_as_it_is),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_nt_work",
	.test_cases = cases,
};

kunit_test_suite(suite);
