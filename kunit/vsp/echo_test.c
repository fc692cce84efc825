// SPDX-License-Identifier: GPL-2.0
/*
 * The shortest pair, as its module.
 */
#include "../helper.h"
#include "../kmsg.h"
#include "module.h"

static void echo_makes_its_round_trips_and_says_so(struct kunit *test)
{
	struct kmsg k;

	kmsg_mark(&k);
	KUNIT_ASSERT_EQ(test, module_load("kmcl_echo:round_trips=1000"), 0);
	KUNIT_EXPECT_TRUE(test, becomes(kmsg_count(&k, "kmcl_echo: 1000 round trips, ")));
	KUNIT_EXPECT_EQ(test, module_unload("kmcl_echo"), 0);
	kmsg_expect(test, &k, 1, "kmcl_echo: ");
}

static void echo_makes_them_again_each_time_it_is_loaded(struct kunit *test)
{
	struct kmsg k;
	int i;

	kmsg_mark(&k);
	for (i = 1; i <= 3; i++) {
		KUNIT_ASSERT_EQ(test, module_load("kmcl_echo:round_trips=1"), 0);
		KUNIT_EXPECT_TRUE(test, becomes(kmsg_count(&k, "kmcl_echo: 1 round trips, ") == i));
		KUNIT_EXPECT_EQ(test, module_unload("kmcl_echo"), 0);
	}
	KUNIT_EXPECT_NE(test, module_load("kmcl_echo:round_trips=0"), 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(echo_makes_its_round_trips_and_says_so),
	KUNIT_CASE(echo_makes_them_again_each_time_it_is_loaded),
	{}
};

static struct kunit_suite suite = {
	.name = "vsp_echo",
	.test_cases = cases,
};

kunit_test_suite(suite);
