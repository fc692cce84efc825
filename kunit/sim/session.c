// SPDX-License-Identifier: GPL-2.0
/*
 * A test's frame around the simulator: begin and end, waiting until all is
 * quiet, and the report of rules that the guest broke.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <kunit/test.h>
#include "internal.h"

static struct kunit *current_test;
static atomic_long_t faults;

atomic_t hvsim_activity;

/* A breath between two looks at something that changes soon. */
void hvsim_pause(void)
{
	usleep_range(50, 100);
}

/*
 * The host's memory is not the guest's: faults that a test injects into the
 * running thread's allocations are not meant for it.
 */
void *hvsim_alloc(size_t size)
{
	void *p;

#ifdef CONFIG_FAULT_INJECTION
	unsigned int nth = current->fail_nth;

	if (in_task())
		current->fail_nth = 0;
#endif
	p = kzalloc(size, GFP_ATOMIC);
#ifdef CONFIG_FAULT_INJECTION
	if (in_task())
		current->fail_nth = nth;
#endif
	if (!p)
		hvsim_fault(NULL, "the host has no memory");
	return p;
}

/* The guest broke a rule: say which, and fail the running test. */
void hvsim_fault(struct hvsim_chan *chan, const char *fmt, ...)
{
	struct kunit *test = READ_ONCE(current_test);
	struct va_format vaf = { .fmt = fmt };
	va_list args;

	va_start(args, fmt);
	vaf.va = &args;
	if (chan)
		pr_err("channel %u: %pV\n", chan->relid, &vaf);
	else
		pr_err("%pV\n", &vaf);
	va_end(args);

	if (chan)
		chan->stats.faults++;
	if (chan && chan->script.lenient)
		return;
	atomic_long_inc(&faults);
	if (test)
		kunit_set_failure(test);
}

/**
 * hvsim_faults - how many rules the guest has broken since hvsim_begin()
 *
 * Return: their number, channels with a lenient script excepted.
 */
unsigned long hvsim_faults(void)
{
	return atomic_long_read(&faults);
}
EXPORT_SYMBOL_GPL(hvsim_faults);

/**
 * hvsim_flush - wait until the host has done what is in its queue
 *
 * Context: may sleep; not in a hook.
 */
void hvsim_flush(void)
{
	flush_workqueue(hvsim_wq);
}
EXPORT_SYMBOL_GPL(hvsim_flush);

/*
 * hv_vmbus is loaded after this module and knows what the guest still has to
 * do; without it there is no guest.
 */
static bool guest_idle(void)
{
	typeof(hvsim_guest_idle) *idle = symbol_get(hvsim_guest_idle);
	bool ret;

	if (!idle)
		return true;
	ret = idle();
	symbol_put(hvsim_guest_idle);
	return ret;
}

/**
 * hvsim_settle - wait until host and guest have nothing left to do
 *
 * Waits for the host's queue, interrupts on their way, the bus's tasklets and
 * workqueues, and whatever follows from all that. A guest that waits for a
 * message put aside counts as idle. Packets that lie in a ring although nobody
 * stopped the host are a signal that the guest forgot, and fail the test.
 *
 * Context: may sleep; not in a hook.
 * Return: false if it never got quiet or a signal is missing.
 */
bool hvsim_settle(void)
{
	unsigned long end = jiffies + 10 * HZ;
	int seen, quiet = 0;

	while (quiet < 3) {
		if (time_after(jiffies, end))
			return false;
		seen = atomic_read(&hvsim_activity);
		hvsim_flush();
		hvsim_pause();
		if ((guest_idle() || hvsim_any_held()) && hvsim_hypervisor_idle() &&
		    seen == atomic_read(&hvsim_activity))
			quiet++;
		else
			quiet = 0;
	}
	return !hvsim_lost_signals();
}
EXPORT_SYMBOL_GPL(hvsim_settle);

/**
 * hvsim_reset - put the host back to how hv_sim.ko started
 *
 * Answers everything it was silent on, rescinds every channel, waits for the
 * guest to release them and forgets them. Pointers to channels are not valid
 * afterwards.
 *
 * Context: may sleep; not in a hook.
 * Return: 0, or -ETIMEDOUT for a guest that holds on to a channel.
 */
int hvsim_reset(void)
{
	int ret;

	hvsim_fail_posts(0, 0);
	hvsim_set_irq(HVSIM_IRQ_DIRECT);
	hvsim_reset_scripts();
	hvsim_unhold_all();
	hvsim_flush();
	ret = hvsim_forget_all(false);
	hvsim_settle();
	return ret;
}
EXPORT_SYMBOL_GPL(hvsim_reset);

/**
 * hvsim_begin - start a test: for a suite's init
 * @test: the test; fails from now on when the guest breaks a rule
 *
 * Return: 0, or a negative errno if an earlier test left something behind.
 */
int hvsim_begin(struct kunit *test)
{
	int ret = hvsim_reset();

	atomic_long_set(&faults, 0);
	WRITE_ONCE(current_test, test);
	return ret;
}
EXPORT_SYMBOL_GPL(hvsim_begin);

/**
 * hvsim_end - end a test: for a suite's exit
 * @test: the test
 *
 * Resets the host and thereby takes every channel away from the guest.
 */
void hvsim_end(struct kunit *test)
{
	if (hvsim_reset())
		kunit_err(test, "the guest holds on to a channel\n");
	WRITE_ONCE(current_test, NULL);
}
EXPORT_SYMBOL_GPL(hvsim_end);
