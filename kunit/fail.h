/* SPDX-License-Identifier: GPL-2.0 */
/*
 * No memory: the n-th allocation of this task from now on fails, nobody else's.
 */
#ifndef _KUNIT_FAIL_H
#define _KUNIT_FAIL_H

#include <linux/sched.h>

#ifdef CONFIG_FAILSLAB
static inline void fail_allocation(unsigned int nth)
{
	current->fail_nth = nth;
}

/* True: the failure was met. */
static inline bool allocation_failed(void)
{
	bool met = !current->fail_nth;

	current->fail_nth = 0;
	return met;
}
#else
static inline void fail_allocation(unsigned int nth)
{
}

static inline bool allocation_failed(void)
{
	return false;
}
#endif

#endif
