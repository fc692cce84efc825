// SPDX-License-Identifier: GPL-2.0
/*
 * Two threads, each on a processor of its own, that send on one channel of the
 * loopback: a packet costs as many locks and allocations as with one thread.
 */
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include "../fixture.h"
#include "bench.h"

#define BURSTS		400
#define LEN		64

struct thread {
	struct sender *sender;
	struct completion *go;
	struct completion done;
	int failed;
};

static int run(void *data)
{
	struct thread *t = data;
	unsigned int i;

	wait_for_completion(t->go);
	for (i = 0; i < BURSTS; i++)
		t->failed |= sender_burst(t->sender, LEN);
	complete(&t->done);
	return 0;
}

/* Packets of @count threads; returns the nanoseconds of all of them. */
static u64 go(struct kunit *test, struct thread *threads, unsigned int count)
{
	DECLARE_COMPLETION_ONSTACK(all);
	struct task_struct *task;
	unsigned int i;
	u64 t;

	for (i = 0; i < count; i++) {
		threads[i].go = &all;
		threads[i].failed = 0;
		init_completion(&threads[i].done);
		task = kthread_create(run, &threads[i], "kmcl_bench/%u", i);
		KUNIT_ASSERT_FALSE(test, IS_ERR(task));
		kthread_bind(task, i);
		wake_up_process(task);
	}
	t = ktime_get_ns();
	complete_all(&all);
	for (i = 0; i < count; i++)
		wait_for_completion(&threads[i].done);
	t = ktime_get_ns() - t;
	for (i = 0; i < count; i++)
		KUNIT_ASSERT_EQ(test, threads[i].failed, 0);
	return t;
}

/* Calls for a hundred packets, of one thread and of two. */
static void count(struct kunit *test, struct thread *threads, enum meter what, const char *unit)
{
	u64 calls[2], before;
	unsigned int n;

	if (!meter_has(what)) {
		pr_info("kmcl_bench: threads %s are not available on this kernel\n", unit);
		return;
	}
	meter_use(what);
	for (n = 1; n <= 2; n++) {
		before = what == METER_LOCKS ? meter_locks(lo_library()) : meter_allocations();
		go(test, threads, n);
		calls[n - 1] = what == METER_LOCKS ? meter_locks(lo_library()) :
						     meter_allocations();
		calls[n - 1] = div_u64((calls[n - 1] - before) * 100, n * BURSTS * BURST);
	}
	meter_use(METER_TIME);
	meter_row("threads_1", unit, calls[0], -1);
	meter_row("threads_2", unit, calls[1], -1);
	/* what else the kernel does meanwhile is less than one for a hundred packets */
	KUNIT_EXPECT_LE(test, calls[1], calls[0] + 1);
	KUNIT_EXPECT_LE(test, calls[0], calls[1] + 1);
	if (what == METER_LOCKS)
		KUNIT_EXPECT_GT(test, calls[0], 0ULL);
	else
		KUNIT_EXPECT_LE(test, calls[0], 1ULL);
}

static void two_threads_share_a_channel(struct kunit *test)
{
	struct thread threads[2] = {};
	unsigned int n;

	if (num_online_cpus() < 2)
		kunit_skip(test, "one processor");
	lo_up(test);
	for (n = 0; n < 2; n++)
		threads[n].sender = sender_new(test);
	/* everything that is allocated once */
	go(test, threads, 2);
	for (n = 1; n <= 2; n++)
		pr_info("kmcl_bench: threads_%u packets_per_second %llu\n", n,
			div64_u64((u64)n * BURSTS * BURST * NSEC_PER_SEC, go(test, threads, n)));
	count(test, threads, METER_LOCKS, "locks");
	count(test, threads, METER_ALLOCATIONS, "allocations");
	for (n = 0; n < 2; n++)
		sender_free(threads[n].sender);
	lo_down();
}

static struct kunit_case cases[] = {
	KUNIT_CASE_SLOW(two_threads_share_a_channel),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_bench_threads",
	.suite_init = meter_init,
	.suite_exit = meter_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
