// SPDX-License-Identifier: GPL-2.0
#include "alloc.h"

#define MOST_SITES	1000
#define TRIES		4

unsigned int alloc_failures;

void expect_status(struct vsc *v, NTSTATUS status, bool met)
{
	if (met && status == STATUS_INSUFFICIENT_RESOURCES)
		alloc_failures++;
	else
		KUNIT_EXPECT_EQ(v->test, status, STATUS_SUCCESS);
}

void sweep(struct kunit *test, void (*what)(struct vsc *v, unsigned int nth),
	   struct vsc *v, unsigned int least)
{
	unsigned int nth, before, tries;

	alloc_failures = 0;
	for (nth = 1; nth < MOST_SITES; nth++) {
		v->priv = NULL;
		before = alloc_failures;
		/*
		 * What the failure hit may have been the debug kernel's own, made
		 * now and then: another time another site is the @nth.
		 */
		for (tries = 0; tries < TRIES && !v->priv && alloc_failures == before; tries++)
			what(v, nth);
		/* @what reports a run that met no failure */
		if (v->priv)
			break;
	}
	kunit_info(test, "%u allocation sites\n", nth - 1);
	KUNIT_EXPECT_GE(test, nth - 1, least);
	KUNIT_EXPECT_LT(test, nth, MOST_SITES);
}

void alloc_needed(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_FAILSLAB) || !IS_ENABLED(CONFIG_FAIL_PAGE_ALLOC))
		kunit_skip(test, "needs CONFIG_FAILSLAB and CONFIG_FAIL_PAGE_ALLOC");
}

int alloc_init(struct kunit *test)
{
	alloc_needed(test);
	return vsc_suite_init(test);
}

void alloc_exit(struct kunit *test)
{
	allocation_failed();
	if (IS_ENABLED(CONFIG_FAILSLAB))
		vsc_suite_exit(test);
}

struct vsc *small_vsc(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketSize(v->ch, 256), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumExternalData(v->ch, 4096, 1),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbClientChannelInitSetRingBufferPageCount(v->ch, 1, 1),
			STATUS_SUCCESS);
	return v;
}
