// SPDX-License-Identifier: GPL-2.0
/*
 * Sub-channels: they come up after their primary, pause with it, and otherwise live
 * on their own.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include "helper.h"
#include "kmsg.h"
#include "subs.h"
#include "vmbus.h"

#define SUBS		4

/* ---- configuration ---- */

static void a_sub_channel_needs_a_disabled_channel_a_primary_and_an_index(struct kunit *test)
{
	struct vsc *p = subs_primary(test), *v = vsc_new(test), *other = vsc_new(test);

	KUNIT_EXPECT_EQ(test, VmbChannelInitSetPrimaryChannel(NULL, p->ch, 1),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetPrimaryChannel(v->ch, NULL, 1),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetPrimaryChannel(v->ch, v->ch, 1),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetPrimaryChannel(v->ch, p->ch, 0),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetPrimaryChannel(v->ch, p->ch, 1), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetPrimaryChannel(v->ch, p->ch, 2),
			STATUS_INVALID_PARAMETER_2);
	/* one level */
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetPrimaryChannel(other->ch, v->ch, 1),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetPrimaryChannel(p->ch, other->ch, 1),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(other->ch), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetPrimaryChannel(other->ch, p->ch, 2),
			STATUS_INVALID_PARAMETER_1);
}

static void a_sub_channel_is_enabled_only_while_its_primary_is_open(struct kunit *test)
{
	struct vsc *p = subs_primary(test), *v = subs_new(p, 1);

	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_INVALID_DEVICE_STATE);
	/* waiting for its offer is not open */
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(p->ch), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_INVALID_DEVICE_STATE);
	vsc_offer(p);
	vsc_expect_soon(p, p->logged == 3);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	VmbChannelDisable(p->ch);
	vsc_expect_disabled(v);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_INVALID_DEVICE_STATE);
	vsc_expect_log(v, "");
}

static void a_sub_channel_whose_primary_is_cleaned_up_stays_disabled(struct kunit *test)
{
	struct vsc *p = subs_primary(test), *v = subs_bring_up(p, 1);
	struct kmsg k;

	kmsg_mark(&k);
	vsc_drop(p);
	kmsg_expect(test, &k, 1, "1 sub-channels left");
	subs_expect_story(test, "ucUC");
	vsc_expect_disabled(v);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_INVALID_DEVICE_STATE);
}

/* ---- coming up ---- */

static void an_offered_sub_channel_comes_up_in_its_Enable(struct kunit *test)
{
	struct vsc *p = subs_primary(test), *v = subs_new(p, 1);

	vsc_bring_up(p);
	vsc_offer(v);
	KUNIT_EXPECT_FALSE(test, v->host->open);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, v->host->open);
	subs_expect_story(test, "OSPosp");
	subs_expect_traffic(v);
	subs_expect_traffic(p);
	KUNIT_EXPECT_EQ(test, v->host->stats.packets[VM_PKT_DATA_INBAND], SOME);
}

static void a_sub_channel_that_is_not_offered_yet_comes_up_later(struct kunit *test)
{
	struct vsc *p = subs_primary(test), *v = subs_new(p, 2);

	vsc_bring_up(p);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	/* what is sent meanwhile waits */
	KUNIT_EXPECT_EQ(test, vsc_send(v, "early", 6, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	vsc_expect_log(v, "");
	vsc_offer(v);
	vsc_expect_soon(v, v->logged == 3);
	vsc_expect_soon(v, atomic_read(&v->ok) == 1);
	subs_expect_traffic(v);
}

static void the_offer_with_the_right_index_is_taken(struct kunit *test)
{
	struct vsc *p = subs_primary(test), *v[SUBS];
	int i;

	vsc_bring_up(p);
	for (i = 0; i < SUBS; i++) {
		v[i] = subs_new(p, i + 1);
		KUNIT_EXPECT_EQ(test, VmbChannelEnable(v[i]->ch), STATUS_SUCCESS);
	}
	for (i = SUBS - 1; i >= 0; i--) {
		vsc_offer(v[i]);
		vsc_expect_soon(v[i], subs_is_running(v[i]));
		KUNIT_EXPECT_TRUE(test, v[i]->host->open);
	}
	for (i = 0; i < SUBS; i++)
		subs_expect_traffic(v[i]);
	VmbChannelDisable(p->ch);
	for (i = 0; i < SUBS; i++) {
		vsc_expect_log(v[i], "OSPUC");
		KUNIT_EXPECT_FALSE(test, v[i]->host->open);
		KUNIT_EXPECT_TRUE(test, hvsim_wait_released(v[i]->host));
	}
	subs_expect_story(test, "OSPospospospospucucucucUC");
}

static void an_index_serves_one_channel_at_a_time(struct kunit *test)
{
	struct vsc *p = subs_primary(test), *v = subs_bring_up(p, 1), *other = subs_new(p, 1);
	struct kmsg k;

	kmsg_mark(&k);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(other->ch), STATUS_UNSUCCESSFUL);
	kmsg_expect(test, &k, 1, "another channel has this index");
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(other->ch), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_UNSUCCESSFUL);
}

static struct vsc *the_sub;

static void enable_sub_in_post_started(struct vsc *v, enum vsc_event event)
{
	subs_tell(v, event);
	if (event == VSC_POST_STARTED)
		subs_enable(the_sub);
}

static void a_sub_channel_can_be_enabled_inside_the_primarys_PostStarted(struct kunit *test)
{
	struct vsc *p = subs_primary(test), *v = subs_new(p, 1);

	the_sub = v;
	p->on_state = enable_sub_in_post_started;
	vsc_bring_up(p);
	KUNIT_EXPECT_EQ(test, (NTSTATUS)(long)v->priv, STATUS_SUCCESS);
	vsc_offer(v);
	vsc_expect_soon(v, subs_is_running(v));
	subs_expect_story(test, "OSPosp");

	/* and again after each close */
	VmbChannelDisable(p->ch);
	subs_expect_story(test, "ucUC");
	KUNIT_EXPECT_TRUE(test, hvsim_wait_released(v->host));
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(p->ch), STATUS_SUCCESS);
	vsc_offer(v);
	vsc_expect_soon(v, subs_is_running(v));
	subs_expect_story(test, "OSPosp");
	subs_expect_traffic(v);
}

static void enable_sub_in_opened(struct vsc *v, enum vsc_event event)
{
	subs_tell(v, event);
	if (event != VSC_OPENED)
		return;
	vsc_offer(the_sub);
	subs_enable(the_sub);
}

static void a_sub_channel_enabled_inside_the_primarys_Opened_starts_after_it(struct kunit *test)
{
	struct vsc *p = subs_primary(test), *v = subs_new(p, 1);

	the_sub = v;
	p->on_state = enable_sub_in_opened;
	vsc_bring_up(p);
	subs_expect_story(test, "OoSPsp");
}

static void an_Opened_that_fails_takes_the_sub_channel_with_it(struct kunit *test)
{
	struct vsc *p = subs_primary(test), *v = subs_new(p, 1);

	the_sub = v;
	p->on_state = enable_sub_in_opened;
	p->opened_status = STATUS_UNSUCCESSFUL;
	KUNIT_EXPECT_EQ(test, vsc_up(p), STATUS_UNSUCCESSFUL);
	subs_expect_story(test, "Ooc");
	vsc_expect_disabled(v);
	vsc_expect_disabled(p);
	KUNIT_EXPECT_FALSE(test, p->host->open);
}

static void a_sub_channel_that_the_host_does_not_open_leaves_the_primary(struct kunit *test)
{
	struct vsc *p = subs_primary(test), *v = subs_new(p, 1);

	vsc_bring_up(p);
	v->offer.script.open_status = 1;
	vsc_offer(v);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_UNSUCCESSFUL);
	subs_expect_traffic(p);
	v->host->script.open_status = 0;
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	subs_expect_traffic(v);
}

/* ---- pause and resume ---- */

static void sub_channels_pause_and_resume_with_the_primary(struct kunit *test)
{
	struct vsc *p = subs_primary(test), *v = subs_bring_up(p, 1);

	VmbChannelPause(p->ch);
	subs_expect_story(test, "uU");
	subs_send(v, WAIT_FOR_COMPLETION);
	KUNIT_EXPECT_EQ(test, 0, hvsim_send(v->host, VM_PKT_DATA_INBAND, 0, 1, "data", 4));
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, subs_done(v), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->received), 0);
	/* the primary's pause is not the sub-channel's to end */
	VmbChannelStart(v->ch);
	subs_expect_story(test, "");
	VmbChannelStart(p->ch);
	subs_expect_story(test, "SPsp");
	vsc_expect_soon(v, atomic_read(&v->ok) == SOME);
	vsc_expect_soon(v, atomic_read(&v->received) == 1);
}

static void a_sub_channel_paused_alone_stays_paused(struct kunit *test)
{
	struct vsc *p = subs_primary(test), *v = subs_bring_up(p, 1);

	VmbChannelPause(v->ch);
	subs_expect_story(test, "u");
	subs_expect_traffic(p);
	VmbChannelPause(p->ch);
	VmbChannelStart(p->ch);
	subs_expect_story(test, "USP");
	VmbChannelStart(v->ch);
	subs_expect_story(test, "sp");
	subs_expect_traffic(v);
}

static void a_sub_channel_enabled_below_a_paused_primary_waits_for_its_Start(struct kunit *test)
{
	struct vsc *p = subs_primary(test), *v = subs_new(p, 1);

	vsc_bring_up(p);
	VmbChannelPause(p->ch);
	subs_expect_story(test, "OSPU");
	KUNIT_EXPECT_EQ(test, vsc_up(v), STATUS_SUCCESS);
	subs_expect_story(test, "o");
	VmbChannelStart(p->ch);
	subs_expect_story(test, "SPsp");
	subs_expect_traffic(v);
	VmbChannelPause(p->ch);
	subs_expect_story(test, "uU");
	/* paused when it closes: Closed alone */
	VmbChannelDisable(p->ch);
	subs_expect_story(test, "cC");
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_sub_channel_needs_a_disabled_channel_a_primary_and_an_index),
	KUNIT_CASE(a_sub_channel_is_enabled_only_while_its_primary_is_open),
	KUNIT_CASE(a_sub_channel_whose_primary_is_cleaned_up_stays_disabled),
	KUNIT_CASE(an_offered_sub_channel_comes_up_in_its_Enable),
	KUNIT_CASE(a_sub_channel_that_is_not_offered_yet_comes_up_later),
	KUNIT_CASE(the_offer_with_the_right_index_is_taken),
	KUNIT_CASE(an_index_serves_one_channel_at_a_time),
	KUNIT_CASE(a_sub_channel_can_be_enabled_inside_the_primarys_PostStarted),
	KUNIT_CASE(a_sub_channel_enabled_inside_the_primarys_Opened_starts_after_it),
	KUNIT_CASE(an_Opened_that_fails_takes_the_sub_channel_with_it),
	KUNIT_CASE(a_sub_channel_that_the_host_does_not_open_leaves_the_primary),
	KUNIT_CASE(sub_channels_pause_and_resume_with_the_primary),
	KUNIT_CASE(a_sub_channel_paused_alone_stays_paused),
	KUNIT_CASE(a_sub_channel_enabled_below_a_paused_primary_waits_for_its_Start),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_subchannel",
	.init = vsc_suite_init,
	.exit = vsc_suite_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
