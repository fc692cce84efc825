// SPDX-License-Identifier: GPL-2.0
/*
 * kmcl_fuzz: what=host, client or restore; rounds from seed on. Round i of seed s is round 0 of
 * seed s + i.
 */
#include <linux/module.h>
#include "host.h"
#include "module.h"

static char *what = "";
module_param(what, charp, 0444);
MODULE_PARM_DESC(what, "who lies: host, client, or restore for a save");

unsigned int fuzz_seed = 1;
module_param_named(seed, fuzz_seed, uint, 0444);
MODULE_PARM_DESC(seed, "of the first round; the next ones have the numbers behind it");

static unsigned int fuzz_rounds = 20;
module_param_named(rounds, fuzz_rounds, uint, 0444);
MODULE_PARM_DESC(rounds, "how many");

static unsigned int seconds = 60;
module_param(seconds, uint, 0444);
MODULE_PARM_DESC(seconds, "that they may take together; 0: as long as it takes");

static unsigned long began;

void fuzz_only(struct kunit *test, const char *name)
{
	if (strcmp(what, name))
		kunit_skip(test, "not asked for: what=%s", what);
	began = jiffies;
}

bool fuzz_round(struct kunit *test, const char *name, u32 i)
{
	if (i >= fuzz_rounds || READ_ONCE(test->status) == KUNIT_FAILURE ||
	    (i && seconds && time_after(jiffies, began + seconds * HZ)))
		return false;
	pr_info("kmcl_fuzz: %s, seed %u\n", name, fuzz_seed + i);
	return true;
}

void fuzz_totals(const char *name, u32 rounds, const struct totals *t)
{
	pr_info("kmcl_fuzz: %s: %u rounds: %llu packets sent, %llu received, %llu requests answered, %llu GPADLs, %llu times poisoned, %llu forged answers, %llu descriptions refused, %llu times replaced, %llu saves refused\n",
		name, rounds, t->accepted, t->given, t->requests, t->gpadls, t->faults, t->stale,
		t->unread, t->serviced, t->refused);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_lying_host_hurts_nobody),
	KUNIT_CASE(a_lying_client_hurts_nobody),
	KUNIT_CASE(a_damaged_save_hurts_nobody),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_fuzz",
	.init = vsc_suite_init,
	.exit = vsc_suite_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_DESCRIPTION("peers of KMCL channels that lie, at random");
MODULE_LICENSE("GPL");
