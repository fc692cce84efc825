// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a channel: what can be configured, and who is called when.
 */
#include <linux/module.h>
#include "fixture.h"

static void a_packet_goes_to_the_host_and_its_answer_comes_back(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	vsc_bring_up(v);
	KUNIT_EXPECT_EQ(test, vsc_send(v, "hello", 6, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	vsc_expect_soon(v, atomic_read(&v->ok) == 1);
	VmbChannelDisable(v->ch);
	vsc_expect_log(v, "UC");
	KUNIT_EXPECT_FALSE(test, v->host->open);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_packet_goes_to_the_host_and_its_answer_comes_back),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_channel",
	.init = vsc_suite_init,
	.exit = vsc_suite_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KUnit suites for KMCL");
