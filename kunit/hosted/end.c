// SPDX-License-Identifier: GPL-2.0
/*
 * The ends of the loopback's suites, where a case's servers are offered by the
 * simulated host and its clients are channels of the in-tree bus.
 */
#define end_init	loopback_init
#define end_exit	loopback_exit
#include "../loopback/end.c"
#undef end_init
#undef end_exit
#include "end.h"
#include "sim/sim.h"

static void settle(void)
{
	hvsim_settle();
}

int end_init(struct kunit *test)
{
	int ret = hvsim_begin(test);

	end_bus = "simulator";
	end_settle = settle;
	return ret ?: loopback_init(test);
}

void end_exit(struct kunit *test)
{
	loopback_exit(test);
	hvsim_end(test);
}
