// SPDX-License-Identifier: GPL-2.0
/*
 * What is measured between meter_begin() and meter_end().
 *
 * Time: ktime. Allocations and locks: the kernel's own tracepoints, where it has
 * them. Instructions: kunit/uml/steps.c runs the whole kernel under ptrace; a
 * trap asks it to count from here to the next one, which gives the number back.
 */
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/tracepoint.h>
#include "bench.h"

static bool steps;
module_param(steps, bool, 0444);
MODULE_PARM_DESC(steps, "runs under kunit/uml/steps.c: count instructions, and measure no time");

static enum meter meter;
static u64 spent, began;
static atomic64_t allocations, locks;
static struct module *locker = THIS_MODULE;

/* ---- tracepoints ---- */

#ifdef CONFIG_TRACEPOINTS
/* Whatever else a tracepoint gives is not looked at. */
static void allocated(void *data)
{
	atomic64_inc(&allocations);
}

static bool is_rcu(const struct lockdep_map *lock)
{
#ifdef CONFIG_LOCKDEP
	return !strncmp(lock->name, "rcu_", 4);
#else
	return false;
#endif
}

static void locked(void *data, const struct lockdep_map *lock, unsigned int subclass,
		   int trylock, int read, int check, const struct lockdep_map *next,
		   unsigned long ip)
{
	/* an RCU read side section is no lock, it only looks like one to lockdep */
	if (within_module(ip, locker) && !is_rcu(lock))
		atomic64_inc(&locks);
}

static struct probe {
	const char *name;
	void *call;
	enum meter meter;
	struct tracepoint *tp;
} probes[] = {
	{ "kmalloc", allocated, METER_ALLOCATIONS },
	{ "kmem_cache_alloc", allocated, METER_ALLOCATIONS },
	{ "mm_page_alloc", allocated, METER_ALLOCATIONS },
	{ "lock_acquire", locked, METER_LOCKS },
};

static void find(struct tracepoint *tp, void *data)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(probes); i++)
		if (!strcmp(tp->name, probes[i].name))
			probes[i].tp = tp;
}

static void listen(enum meter what, bool on)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(probes); i++) {
		if (probes[i].meter != what || !probes[i].tp)
			continue;
		if (on)
			tracepoint_probe_register(probes[i].tp, probes[i].call, NULL);
		else
			tracepoint_probe_unregister(probes[i].tp, probes[i].call, NULL);
	}
	if (!on)
		tracepoint_synchronize_unregister();
}

int meter_init(struct kunit_suite *suite)
{
	for_each_kernel_tracepoint(find, NULL);
	return 0;
}

bool meter_has(enum meter what)
{
	unsigned int i;

	if (what == METER_TIME)
		return !steps;
	if (what == METER_INSTRUCTIONS)
		return steps;
	for (i = 0; i < ARRAY_SIZE(probes); i++)
		if (probes[i].meter == what && !probes[i].tp)
			return false;
	return !steps;
}
#else
static void listen(enum meter what, bool on)
{
}

int meter_init(struct kunit_suite *suite)
{
	return 0;
}

bool meter_has(enum meter what)
{
	return what == (steps ? METER_INSTRUCTIONS : METER_TIME);
}
#endif

/**
 * meter_use() - measure this from now on
 * @what: something that meter_has()
 *
 * Time is not measured well while anything else is listened to.
 */
void meter_use(enum meter what)
{
	if (meter == METER_ALLOCATIONS || meter == METER_LOCKS)
		listen(meter, false);
	meter = what;
	if (meter == METER_ALLOCATIONS || meter == METER_LOCKS)
		listen(meter, true);
}

u64 meter_locks(struct module *by)
{
	locker = by;
	return atomic64_read(&locks);
}

u64 meter_allocations(void)
{
	return atomic64_read(&allocations);
}

/* ---- reading ---- */

#define STEPS_BEGIN	0x6b6d636c62656769ULL
#define STEPS_END	0x6b6d636c656e6421ULL

/* What steps.c makes of a trap: it puts the instructions since the last one into rax. */
static noinline u64 trap(u64 what)
{
#ifdef CONFIG_X86_64
	asm volatile("int3" : "+a"(what) : : "memory");
#endif
	return what;
}

static u64 now(void)
{
	switch (meter) {
	case METER_TIME:
		return ktime_get_ns();
	case METER_ALLOCATIONS:
		return meter_allocations();
	case METER_LOCKS:
		return atomic64_read(&locks);
	case METER_INSTRUCTIONS:
		break;
	}
	return 0;
}

void meter_begin(void)
{
	if (meter == METER_INSTRUCTIONS)
		trap(STEPS_BEGIN);
	else
		began = now();
}

void meter_end(void)
{
	if (meter == METER_INSTRUCTIONS)
		spent += trap(STEPS_END);
	else
		spent += now() - began;
}

void meter_host_begin(void)
{
	if (meter != METER_TIME)
		meter_end();
}

void meter_host_end(void)
{
	if (meter != METER_TIME)
		meter_begin();
}

/* What was measured since the last call, which was of @n operations. */
u64 meter_read(void)
{
	u64 ret = spent;

	spent = 0;
	return ret;
}

/* Where code is in memory, for scripts/steps.py. */
void meter_function(const char *name, const void *at)
{
	if (steps)
		pr_info("kmcl_bench: function %s %lx\n", name, (unsigned long)at);
}

void meter_exit(struct kunit_suite *suite)
{
	meter_use(METER_TIME);
}

/* In hundredths; below 0: there is no figure. scripts/bench.sh reads this. */
void meter_row(const char *name, const char *unit, s64 ours, s64 intree)
{
	pr_info("kmcl_bench: %s %s %lld %lld\n", name, unit, ours, intree);
}

/* @a / @b, for a target that is about two figures of ours. */
void meter_ratio(const char *name, u64 a, u64 b)
{
	pr_info("kmcl_bench: %s ratio %llu %llu\n", name, a, b);
}
