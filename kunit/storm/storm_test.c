// SPDX-License-Identifier: GPL-2.0
/*
 * Storms: in the loopback, between servers on the simulated host and clients on the
 * in-tree bus, and between a client and a host that has no manners. A few seconds of
 * each unless seconds=N asks for more; then in rounds, with other random numbers each.
 */
#include <kunit/test.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "sim/compat.h"
#include "host.h"

#define ROUND	20u		/* seconds: KUnit gives a case five minutes */

static unsigned int seconds = 2;
module_param(seconds, uint, 0444);
MODULE_PARM_DESC(seconds, "of each storm");

/* The rounds as KUnit's parameters: how many seconds are still to come. */
static HVSIM_PARAMS(next_round)
{
	unsigned long left = prev ? (unsigned long)prev : seconds + ROUND;

	if (left <= ROUND)
		return NULL;
	left -= ROUND;
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%lu s to go", left);
	return (void *)left;
}

static u32 this_round(struct kunit *test)
{
	return min_t(unsigned long, (unsigned long)test->param_value, ROUND);
}

static void in_the_loopback_every_book_balances(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, storm_blow(NULL, this_round(test), true));
}

static void on_the_bus_every_book_balances(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, storm_blow("simulator", this_round(test), true));
}

static void whatever_the_host_does_every_book_balances(struct kunit *test)
{
	struct storm_host *h = kzalloc(sizeof(*h), GFP_KERNEL);
	struct storm *s = kzalloc(sizeof(*s), GFP_KERNEL);
	struct storm *completing = kzalloc(sizeof(*s), GFP_KERNEL);
	struct storm_end *c;

	KUNIT_ASSERT_TRUE(test, h && s && completing);
	c = &h->client;
	s->seed = this_round(test) + (unsigned long)test->param_value;
	c->liars = true;
	storm_host_ids(&c->type, &c->instance);
	KUNIT_ASSERT_EQ(test, storm_end_init(c, s, false), 0);
	storm_host_offer(h);
	KUNIT_ASSERT_TRUE(test, storm_thread(completing, c, "complete", storm_complete, 5));
	KUNIT_EXPECT_TRUE(test, storm_thread(s, c, "send", storm_send, 2));
	KUNIT_EXPECT_TRUE(test, storm_thread(s, c, "send2", storm_send, 3));
	KUNIT_EXPECT_TRUE(test, storm_thread(s, c, "live", storm_live, 5));
	KUNIT_EXPECT_TRUE(test, storm_thread(s, c, "live2", storm_live, 10));
	KUNIT_EXPECT_TRUE(test, storm_thread(s, c, "host", storm_host_act, 10));
	schedule_timeout_uninterruptible(this_round(test) * HZ);
	KUNIT_ASSERT_TRUE(test, storm_stop(s));
	/* the device may be nobody's, and its rings damaged */
	hvsim_rescind(h->chan);
	KUNIT_EXPECT_TRUE(test, hvsim_wait_released(h->chan));
	hvsim_forget(h->chan);
	storm_host_offer(h);
	KUNIT_EXPECT_TRUE(test, storm_answers(c));
	VmbChannelDisable(c->ch);
	KUNIT_ASSERT_TRUE(test, storm_stop(completing));
	KUNIT_EXPECT_TRUE(test, storm_balanced(c, "client"));
	KUNIT_EXPECT_GT(test, atomic_read(&c->answered), 0);
	KUNIT_EXPECT_GT(test, h->rescinds, 0u);
	KUNIT_EXPECT_GT(test, h->unbinds, 0u);
	kunit_info(test, "%u rescinds, %u unbinds\n", h->rescinds, h->unbinds);
	storm_end_drop(c);
	kfree(completing);
	kfree(s);
	kfree(h);
}

static int init(struct kunit *test)
{
	return hvsim_begin(test);
}

static void exit(struct kunit *test)
{
	hvsim_end(test);
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(in_the_loopback_every_book_balances, next_round),
	KUNIT_CASE_PARAM(on_the_bus_every_book_balances, next_round),
	KUNIT_CASE_PARAM(whatever_the_host_does_every_book_balances, next_round),
	{}
};

static struct kunit_suite suite = {
	.name = "storm",
	.init = init,
	.exit = exit,
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KMCL: storms");
