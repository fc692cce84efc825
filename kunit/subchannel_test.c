// SPDX-License-Identifier: GPL-2.0
/*
 * Sub-channels: they come up after their primary, live on their own, and end
 * with it.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include "fixture.h"
#include "helper.h"
#include "kmsg.h"
#include "vmbus.h"

#define SUBS		4
#define SOME		8

/*
 * What happened to all of them, in order: letters of enum vsc_event, upper case
 * for the primary and lower case for a sub-channel.
 */
static char story[128];
static unsigned int told;

static void tell(struct vsc *v, enum vsc_event event)
{
	char letter = v->kch->sub_index ? event | 0x20 : event;

	if (told < sizeof(story) - 1)
		story[told++] = letter;
}

static void expect_story(struct kunit *test, const char *letters)
{
	KUNIT_EXPECT_STREQ(test, story, letters);
	memset(story, 0, sizeof(story));
	told = 0;
}

static bool is_disabled(struct vsc *v)
{
	return READ_ONCE(v->kch->state) == KMCL_DISABLED && !READ_ONCE(v->kch->life_owner);
}

static bool is_running(struct vsc *v)
{
	return READ_ONCE(v->kch->running) && !READ_ONCE(v->kch->life_owner);
}

static struct vsc *new_primary(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	memset(story, 0, sizeof(story));
	told = 0;
	v->on_state = tell;
	return v;
}

/* A sub-channel of the primary, not offered yet. */
static struct vsc *new_sub(struct vsc *primary, u16 index)
{
	struct vsc *v = vsc_new(primary->test);

	v->on_state = tell;
	v->offer.sub_index = index;
	KUNIT_ASSERT_EQ(v->test, VmbChannelInitSetPrimaryChannel(v->ch, primary->ch, index),
			STATUS_SUCCESS);
	return v;
}

/* Both in traffic, with an empty story. */
static struct vsc *bring_up_both(struct vsc *primary, u16 index)
{
	struct vsc *v;

	if (!primary->host)
		vsc_bring_up(primary);
	v = new_sub(primary, index);
	vsc_bring_up(v);
	expect_story(v->test, story);
	return v;
}

static int done(struct vsc *v)
{
	return atomic_read(&v->completions);
}

static void send_some(struct vsc *v, u32 flags)
{
	int i;

	for (i = 0; i < SOME; i++)
		KUNIT_EXPECT_EQ(v->test, vsc_send(v, "request", 8, flags), STATUS_SUCCESS);
}

static void expect_traffic(struct vsc *v)
{
	int ok = atomic_read(&v->ok), received = atomic_read(&v->received);

	send_some(v, WAIT_FOR_COMPLETION);
	vsc_expect_soon(v, atomic_read(&v->ok) == ok + SOME);
	KUNIT_EXPECT_EQ(v->test, 0, hvsim_send(v->host, VM_PKT_DATA_INBAND, 0, 1, "data", 4));
	vsc_expect_soon(v, atomic_read(&v->received) == received + 1);
}

static void enable(void *arg)
{
	struct vsc *v = arg;

	v->priv = (void *)(long)VmbChannelEnable(v->ch);
}

static void disable(void *arg)
{
	struct vsc *v = arg;

	VmbChannelDisable(v->ch);
}

/* ---- configuration ---- */

static void a_sub_channel_needs_a_disabled_channel_a_primary_and_an_index(struct kunit *test)
{
	struct vsc *p = new_primary(test), *v = vsc_new(test), *other = vsc_new(test);

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
	struct vsc *p = new_primary(test), *v = new_sub(p, 1);

	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_INVALID_DEVICE_STATE);
	/* waiting for its offer is not open */
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(p->ch), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_INVALID_DEVICE_STATE);
	vsc_offer(p);
	vsc_expect_soon(p, p->logged == 3);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	VmbChannelDisable(p->ch);
	KUNIT_EXPECT_TRUE(test, is_disabled(v));
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_INVALID_DEVICE_STATE);
	vsc_expect_log(v, "");
}

static void a_sub_channel_whose_primary_is_cleaned_up_stays_disabled(struct kunit *test)
{
	struct vsc *p = new_primary(test), *v = bring_up_both(p, 1);
	struct kmsg k;

	kmsg_mark(&k);
	vsc_drop(p);
	kmsg_expect(test, &k, 1, "1 sub-channels left");
	expect_story(test, "ucUC");
	KUNIT_EXPECT_TRUE(test, is_disabled(v));
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_INVALID_DEVICE_STATE);
}

/* ---- coming up ---- */

static void an_offered_sub_channel_comes_up_in_its_Enable(struct kunit *test)
{
	struct vsc *p = new_primary(test), *v = new_sub(p, 1);

	vsc_bring_up(p);
	vsc_offer(v);
	KUNIT_EXPECT_FALSE(test, v->host->open);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, v->host->open);
	expect_story(test, "OSPosp");
	expect_traffic(v);
	expect_traffic(p);
	KUNIT_EXPECT_EQ(test, v->host->stats.packets[VM_PKT_DATA_INBAND], SOME);
}

static void a_sub_channel_that_is_not_offered_yet_comes_up_later(struct kunit *test)
{
	struct vsc *p = new_primary(test), *v = new_sub(p, 2);

	vsc_bring_up(p);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	/* what is sent meanwhile waits */
	KUNIT_EXPECT_EQ(test, vsc_send(v, "early", 6, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	vsc_expect_log(v, "");
	vsc_offer(v);
	vsc_expect_soon(v, v->logged == 3);
	vsc_expect_soon(v, atomic_read(&v->ok) == 1);
	expect_traffic(v);
}

static void the_offer_with_the_right_index_is_taken(struct kunit *test)
{
	struct vsc *p = new_primary(test), *v[SUBS];
	int i;

	vsc_bring_up(p);
	for (i = 0; i < SUBS; i++) {
		v[i] = new_sub(p, i + 1);
		KUNIT_EXPECT_EQ(test, VmbChannelEnable(v[i]->ch), STATUS_SUCCESS);
	}
	for (i = SUBS - 1; i >= 0; i--) {
		vsc_offer(v[i]);
		vsc_expect_soon(v[i], is_running(v[i]));
		KUNIT_EXPECT_TRUE(test, v[i]->host->open);
	}
	for (i = 0; i < SUBS; i++)
		expect_traffic(v[i]);
	VmbChannelDisable(p->ch);
	for (i = 0; i < SUBS; i++) {
		vsc_expect_log(v[i], "OSPUC");
		KUNIT_EXPECT_FALSE(test, v[i]->host->open);
		KUNIT_EXPECT_TRUE(test, hvsim_wait_released(v[i]->host));
	}
	expect_story(test, "OSPospospospospucucucucUC");
}

static void an_index_serves_one_channel_at_a_time(struct kunit *test)
{
	struct vsc *p = new_primary(test), *v = bring_up_both(p, 1), *other = new_sub(p, 1);
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
	tell(v, event);
	if (event == VSC_POST_STARTED)
		enable(the_sub);
}

static void a_sub_channel_can_be_enabled_inside_the_primarys_PostStarted(struct kunit *test)
{
	struct vsc *p = new_primary(test), *v = new_sub(p, 1);

	the_sub = v;
	p->on_state = enable_sub_in_post_started;
	vsc_bring_up(p);
	KUNIT_EXPECT_EQ(test, (NTSTATUS)(long)v->priv, STATUS_SUCCESS);
	vsc_offer(v);
	vsc_expect_soon(v, is_running(v));
	expect_story(test, "OSPosp");

	/* and again after each close */
	VmbChannelDisable(p->ch);
	expect_story(test, "ucUC");
	KUNIT_EXPECT_TRUE(test, hvsim_wait_released(v->host));
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(p->ch), STATUS_SUCCESS);
	vsc_offer(v);
	vsc_expect_soon(v, is_running(v));
	expect_story(test, "OSPosp");
	expect_traffic(v);
}

static void enable_sub_in_opened(struct vsc *v, enum vsc_event event)
{
	tell(v, event);
	if (event != VSC_OPENED)
		return;
	vsc_offer(the_sub);
	enable(the_sub);
}

static void a_sub_channel_enabled_inside_the_primarys_Opened_starts_after_it(struct kunit *test)
{
	struct vsc *p = new_primary(test), *v = new_sub(p, 1);

	the_sub = v;
	p->on_state = enable_sub_in_opened;
	vsc_bring_up(p);
	expect_story(test, "OoSPsp");
}

static void an_Opened_that_fails_takes_the_sub_channel_with_it(struct kunit *test)
{
	struct vsc *p = new_primary(test), *v = new_sub(p, 1);

	the_sub = v;
	p->on_state = enable_sub_in_opened;
	p->opened_status = STATUS_UNSUCCESSFUL;
	KUNIT_EXPECT_EQ(test, vsc_up(p), STATUS_UNSUCCESSFUL);
	expect_story(test, "Ooc");
	KUNIT_EXPECT_TRUE(test, is_disabled(v));
	KUNIT_EXPECT_TRUE(test, is_disabled(p));
	KUNIT_EXPECT_FALSE(test, p->host->open);
}

static void a_sub_channel_that_the_host_does_not_open_leaves_the_primary(struct kunit *test)
{
	struct vsc *p = new_primary(test), *v = new_sub(p, 1);

	vsc_bring_up(p);
	v->offer.script.open_status = 1;
	vsc_offer(v);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_UNSUCCESSFUL);
	expect_traffic(p);
	v->host->script.open_status = 0;
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	expect_traffic(v);
}

/* ---- pause and resume ---- */

static void sub_channels_pause_and_resume_with_the_primary(struct kunit *test)
{
	struct vsc *p = new_primary(test), *v = bring_up_both(p, 1);

	VmbChannelPause(p->ch);
	expect_story(test, "uU");
	send_some(v, WAIT_FOR_COMPLETION);
	KUNIT_EXPECT_EQ(test, 0, hvsim_send(v->host, VM_PKT_DATA_INBAND, 0, 1, "data", 4));
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, done(v), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->received), 0);
	/* the primary's pause is not the sub-channel's to end */
	VmbChannelStart(v->ch);
	expect_story(test, "");
	VmbChannelStart(p->ch);
	expect_story(test, "SPsp");
	vsc_expect_soon(v, atomic_read(&v->ok) == SOME);
	vsc_expect_soon(v, atomic_read(&v->received) == 1);
}

static void a_sub_channel_paused_alone_stays_paused(struct kunit *test)
{
	struct vsc *p = new_primary(test), *v = bring_up_both(p, 1);

	VmbChannelPause(v->ch);
	expect_story(test, "u");
	expect_traffic(p);
	VmbChannelPause(p->ch);
	VmbChannelStart(p->ch);
	expect_story(test, "USP");
	VmbChannelStart(v->ch);
	expect_story(test, "sp");
	expect_traffic(v);
}

static void a_sub_channel_enabled_below_a_paused_primary_waits_for_its_Start(struct kunit *test)
{
	struct vsc *p = new_primary(test), *v = new_sub(p, 1);

	vsc_bring_up(p);
	VmbChannelPause(p->ch);
	expect_story(test, "OSPU");
	KUNIT_EXPECT_EQ(test, vsc_up(v), STATUS_SUCCESS);
	expect_story(test, "o");
	VmbChannelStart(p->ch);
	expect_story(test, "SPsp");
	expect_traffic(v);
	VmbChannelPause(p->ch);
	expect_story(test, "uU");
	/* paused when it closes: Closed alone */
	VmbChannelDisable(p->ch);
	expect_story(test, "cC");
}

/* ---- one ends alone ---- */

static void a_sub_channel_disabled_alone_completes_everything_once(struct kunit *test)
{
	struct vsc *p = new_primary(test), *v = bring_up_both(p, 1);

	v->host->script.answer = HVSIM_ANSWER_LATER;
	send_some(v, WAIT_FOR_COMPLETION);
	hvsim_settle();
	VmbChannelDisable(v->ch);
	expect_story(test, "uc");
	KUNIT_EXPECT_EQ(test, done(v), SOME);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->cancelled), SOME);
	KUNIT_EXPECT_EQ(test, vsc_send(v, "late", 5, 0), STATUS_INVALID_DEVICE_STATE);
	/* the bus cannot close it: to the host it is open */
	KUNIT_EXPECT_TRUE(test, v->host->open);
	KUNIT_EXPECT_EQ(test, v->host->stats.control[CHANNELMSG_CLOSECHANNEL], 0);
	/* late answers reach nobody */
	hvsim_answer(v->host, SOME);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, done(v), SOME);
	expect_traffic(p);
}

static void a_sub_channel_is_enabled_again_on_the_rings_it_had(struct kunit *test)
{
	struct vsc *p = new_primary(test), *v = bring_up_both(p, 1);
	int i;

	v->host->script.answer = HVSIM_ANSWER_LATER;
	send_some(v, WAIT_FOR_COMPLETION);
	hvsim_settle();
	for (i = 1; i <= 3; i++) {
		VmbChannelDisable(v->ch);
		/* written while nobody was there */
		KUNIT_EXPECT_EQ(test, 0, hvsim_send(v->host, VM_PKT_DATA_INBAND, 0, 1, "data", 4));
		hvsim_answer(v->host, SOME);
		hvsim_settle();
		KUNIT_EXPECT_EQ(test, atomic_read(&v->received), i - 1);
		KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
		vsc_expect_soon(v, atomic_read(&v->received) == i);
		expect_story(test, "ucosp");
	}
	/* answers to what was cancelled */
	KUNIT_EXPECT_EQ(test, v->kch->stats.stale_ids, SOME);
	KUNIT_EXPECT_EQ(test, done(v), SOME);
	KUNIT_EXPECT_EQ(test, v->host->stats.control[CHANNELMSG_OPENCHANNEL], 1);
	v->host->script.answer = HVSIM_ANSWER_ECHO;
	atomic_set(&v->received, 0);
	expect_traffic(v);
}

static void rings_that_stay_open_do_not_change_their_size(struct kunit *test)
{
	struct vsc *p = new_primary(test), *v = bring_up_both(p, 1);
	struct kmsg k;

	VmbChannelDisable(v->ch);
	KUNIT_ASSERT_EQ(test, VmbClientChannelInitSetRingBufferPageCount(v->ch, 8, 8),
			STATUS_SUCCESS);
	kmsg_mark(&k);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_UNSUCCESSFUL);
	kmsg_expect(test, &k, 1, "keeps its rings of 65536 and 65536 bytes");
	KUNIT_EXPECT_EQ(test, 0, hvsim_send(v->host, VM_PKT_DATA_INBAND, 0, 1, "data", 4));
	hvsim_settle();
	KUNIT_ASSERT_EQ(test, VmbClientChannelInitSetRingBufferPageCount(v->ch, 16, 16),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	vsc_expect_soon(v, atomic_read(&v->received) == 1);
}

static void a_sub_channel_rescinded_alone_completes_everything_once(struct kunit *test)
{
	struct vsc *p = new_primary(test), *v = bring_up_both(p, 1), *w = bring_up_both(p, 2);

	v->host->script.answer = HVSIM_ANSWER_NONE;
	send_some(v, WAIT_FOR_COMPLETION);
	hvsim_settle();
	hvsim_rescind(v->host);
	/* nobody is told: it is seen within the second */
	vsc_expect_soon(v, done(v) == SOME);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->removed), SOME);
	KUNIT_EXPECT_TRUE(test, becomes(is_disabled(v)));
	expect_story(test, "uc");
	expect_traffic(p);
	expect_traffic(w);

	/* the host offers another one in its place */
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	vsc_expect_log(v, "UC");
	vsc_offer(v);
	vsc_expect_soon(v, is_running(v));
	expect_story(test, "osp");
	expect_traffic(v);
}

static void a_send_that_meets_a_rescinded_sub_channel_completes_as_removed(struct kunit *test)
{
	struct vsc *p = new_primary(test), *v = bring_up_both(p, 1);
	unsigned long start;

	hvsim_rescind(v->host);
	hvsim_settle();
	start = jiffies;
	KUNIT_EXPECT_EQ(test, vsc_send(v, "request", 8, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	vsc_expect_soon(v, done(v) == 1);
	/* not only when the next look is due */
	KUNIT_EXPECT_LT(test, jiffies - start, HZ / 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->removed), 1);
	KUNIT_EXPECT_TRUE(test, becomes(is_disabled(v)));
	expect_story(test, "uc");
	expect_traffic(p);
}

static void a_poisoned_sub_channel_leaves_the_others(struct kunit *test)
{
	struct vsc *p = new_primary(test), *v = bring_up_both(p, 1), *w = bring_up_both(p, 2);
	struct kmsg k;

	v->host->script.lenient = true;
	v->host->script.answer = HVSIM_ANSWER_NONE;
	send_some(v, WAIT_FOR_COMPLETION);
	hvsim_settle();
	kmsg_mark(&k);
	hvsim_poke(v->host, HVSIM_H2G, HVSIM_WRITE_INDEX, 4);
	hvsim_interrupt(v->host);
	vsc_expect_soon(v, done(v) == SOME);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->removed), SOME);
	KUNIT_EXPECT_TRUE(test, becomes(is_disabled(v)));
	kmsg_expect(test, &k, 1, "closing the channel");
	expect_story(test, "uc");
	expect_traffic(p);
	expect_traffic(w);
}

static void a_rescinded_sub_channel_that_nobody_enabled_is_let_go(struct kunit *test)
{
	struct vsc *p = new_primary(test), *v = new_sub(p, 1);

	vsc_bring_up(p);
	vsc_offer(v);
	vsc_rescind(v);
	KUNIT_EXPECT_TRUE(test, becomes(list_empty(&kmcl_vdev(p->kch->target.link)->subs)));
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	vsc_offer(v);
	vsc_expect_soon(v, is_running(v));
	expect_traffic(v);
}

static void a_rescind_during_a_sub_channels_open_fails_its_Enable(struct kunit *test)
{
	struct vsc *p = new_primary(test), *v = new_sub(p, 1);
	struct helper h;

	vsc_bring_up(p);
	expect_story(test, "OSP");
	vsc_offer(v);
	hvsim_hold(v->host, CHANNELMSG_OPENCHANNEL);
	KUNIT_ASSERT_TRUE(test, helper_start(&h, enable, v));
	KUNIT_EXPECT_TRUE(test, becomes(hvsim_held(v->host, CHANNELMSG_OPENCHANNEL)));
	hvsim_rescind(v->host);
	KUNIT_EXPECT_TRUE(test, helper_join(&h));
	KUNIT_EXPECT_EQ(test, (NTSTATUS)(long)v->priv, STATUS_DEVICE_REMOVED);
	expect_story(test, "");
	expect_traffic(p);
	VmbChannelDisable(p->ch);
	/* also what the bus leaves to the close of the primary */
	KUNIT_EXPECT_TRUE(test, hvsim_wait_released(v->host));
}

static void enable_again(struct vsc *v, enum vsc_event event)
{
	tell(v, event);
	if (event == VSC_CLOSED)
		enable(v);
}

static void a_rescinded_sub_channel_that_enables_inside_Closed_takes_the_next(struct kunit *test)
{
	struct vsc *p = new_primary(test), *v = bring_up_both(p, 1);

	v->on_state = enable_again;
	hvsim_rescind(v->host);
	vsc_expect_soon(v, v->logged == 2);
	KUNIT_EXPECT_EQ(test, (NTSTATUS)(long)v->priv, STATUS_SUCCESS);
	vsc_offer(v);
	vsc_expect_soon(v, is_running(v));
	expect_story(test, "ucosp");
	/* the primary closes: it has to wait for that one to open */
	VmbChannelDisable(p->ch);
	KUNIT_EXPECT_EQ(test, (NTSTATUS)(long)v->priv, STATUS_INVALID_DEVICE_STATE);
	KUNIT_EXPECT_TRUE(test, is_disabled(v));
	expect_story(test, "ucUC");
}

/* ---- all end ---- */

static void sub_channels_close_before_their_primary(struct kunit *test)
{
	struct vsc *p = new_primary(test), *v = bring_up_both(p, 1), *w = bring_up_both(p, 2);

	v->host->script.answer = HVSIM_ANSWER_NONE;
	w->host->script.answer = HVSIM_ANSWER_NONE;
	send_some(v, WAIT_FOR_COMPLETION);
	send_some(w, WAIT_FOR_COMPLETION);
	VmbChannelDisable(p->ch);
	expect_story(test, "ucucUC");
	KUNIT_EXPECT_EQ(test, atomic_read(&v->cancelled), SOME);
	KUNIT_EXPECT_EQ(test, atomic_read(&w->cancelled), SOME);
	KUNIT_EXPECT_EQ(test, v->host->stats.control[CHANNELMSG_CLOSECHANNEL], 1);
	KUNIT_EXPECT_FALSE(test, v->host->open);
	KUNIT_EXPECT_FALSE(test, w->host->open);
	KUNIT_EXPECT_TRUE(test, hvsim_wait_released(v->host));
}

static void a_primary_that_is_rescinded_takes_its_sub_channels_with_it(struct kunit *test)
{
	struct vsc *p = new_primary(test), *v = bring_up_both(p, 1), *w = bring_up_both(p, 2);

	v->host->script.answer = HVSIM_ANSWER_NONE;
	send_some(v, WAIT_FOR_COMPLETION);
	hvsim_settle();
	hvsim_rescind(w->host);
	hvsim_rescind(v->host);
	vsc_rescind(p);
	KUNIT_EXPECT_EQ(test, done(v), SOME);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->removed), SOME);
	KUNIT_EXPECT_TRUE(test, becomes(is_disabled(p)));
	KUNIT_EXPECT_TRUE(test, is_disabled(v));
	KUNIT_EXPECT_TRUE(test, is_disabled(w));
	vsc_expect_log(v, "UC");
	vsc_expect_log(w, "UC");
	/* the primary's last */
	KUNIT_EXPECT_EQ(test, told, 6u);
	KUNIT_EXPECT_STREQ(test, story + 4, "UC");
}

static void a_poisoned_primary_takes_its_sub_channels_with_it(struct kunit *test)
{
	struct vsc *p = new_primary(test), *v = bring_up_both(p, 1);

	p->host->script.lenient = true;
	v->host->script.answer = HVSIM_ANSWER_NONE;
	send_some(v, WAIT_FOR_COMPLETION);
	hvsim_settle();
	hvsim_poke(p->host, HVSIM_H2G, HVSIM_WRITE_INDEX, 4);
	hvsim_interrupt(p->host);
	KUNIT_EXPECT_TRUE(test, becomes(is_disabled(p)));
	KUNIT_EXPECT_TRUE(test, is_disabled(v));
	KUNIT_EXPECT_EQ(test, atomic_read(&v->removed), SOME);
	expect_story(test, "ucUC");
	KUNIT_EXPECT_FALSE(test, v->host->open);
}

static void an_unbound_device_takes_its_sub_channels_with_it(struct kunit *test)
{
	struct vsc *p = new_primary(test), *v = bring_up_both(p, 1);
	struct device *dev = get_device(p->kch->target.device);

	v->host->script.answer = HVSIM_ANSWER_NONE;
	send_some(v, WAIT_FOR_COMPLETION);
	device_release_driver(dev);
	put_device(dev);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->removed), SOME);
	KUNIT_EXPECT_FALSE(test, v->host->open);
	KUNIT_EXPECT_TRUE(test, becomes(is_disabled(p)));
	KUNIT_EXPECT_TRUE(test, is_disabled(v));
	expect_story(test, "ucUC");
}

static VMBPACKETCOMPLETION held;

static void hold(struct vsc *v, VMBPACKETCOMPLETION pkt, void *buf, u32 len)
{
	held = pkt;
}

static void a_primary_that_closes_waits_for_a_sub_channels_received_packets(struct kunit *test)
{
	struct vsc *p = new_primary(test), *v = bring_up_both(p, 1);
	struct helper h;

	v->on_packet = hold;
	KUNIT_EXPECT_EQ(test, 0, hvsim_send(v->host, VM_PKT_DATA_INBAND, 1, 1, "data", 4));
	vsc_expect_soon(v, atomic_read(&v->received) == 1);
	KUNIT_ASSERT_TRUE(test, helper_start(&h, disable, p));
	vsc_expect_soon(v, v->logged == 1);
	schedule_timeout_uninterruptible(2);
	expect_story(test, "u");
	KUNIT_EXPECT_TRUE(test, v->host->open);
	VmbChannelPacketComplete(held, "answer", 7);
	KUNIT_EXPECT_TRUE(test, helper_join(&h));
	expect_story(test, "cUC");
	/* before the rings closed */
	KUNIT_EXPECT_EQ(test, v->host->stats.packets[VM_PKT_COMP], 1);
}

/* ---- misuse ---- */

static void disable_the_primary(struct vsc *v, enum vsc_event event)
{
	struct vsc *p = v->priv;

	tell(v, event);
	if (event != VSC_SUSPEND)
		return;
	VmbChannelDisable(p->ch);
	VmbChannelPause(p->ch);
	KUNIT_EXPECT_EQ(v->test, VmbChannelEnable(p->ch), STATUS_INVALID_DEVICE_STATE);
}

static void the_primary_is_not_touched_inside_a_sub_channels_callback(struct kunit *test)
{
	struct vsc *p = new_primary(test), *v = bring_up_both(p, 1);
	struct kmsg k;

	v->priv = p;
	v->on_state = disable_the_primary;
	kmsg_mark(&k);
	VmbChannelDisable(v->ch);
	kmsg_expect(test, &k, 3, "inside a callback of a sub-channel, ignored");
	expect_story(test, "uc");
	expect_traffic(p);
	v->on_state = tell;
}

/* ---- races ---- */

static void enables_and_disables_that_meet_the_primarys_return(struct kunit *test)
{
	struct vsc *p = new_primary(test), *v;
	int round, rounds = IS_ENABLED(CONFIG_PREEMPTION) ? 6 : 24;
	struct helper h, g;

	p->on_state = NULL;
	v = new_sub(p, 1);
	v->on_state = NULL;
	for (round = 0; round < rounds; round++) {
		KUNIT_EXPECT_EQ(test, round ? VmbChannelEnable(p->ch) : vsc_up(p), STATUS_SUCCESS);
		if (round % 3)
			vsc_offer(v);
		if (round & 2)
			enable(v);
		if (round & 2 && round & 4)
			send_some(v, 0);
		KUNIT_ASSERT_TRUE(test, helper_start(&h, round & 1 ? enable : disable, v));
		KUNIT_ASSERT_TRUE(test, helper_start(&g, disable, p));
		if (round & 4 && round % 3)
			hvsim_rescind(v->host);
		KUNIT_EXPECT_TRUE(test, helper_join(&h));
		KUNIT_EXPECT_TRUE(test, helper_join(&g));
		KUNIT_EXPECT_TRUE(test, is_disabled(p));
		KUNIT_EXPECT_TRUE(test, is_disabled(v));
		KUNIT_EXPECT_FALSE(test, p->host->open);
		if (round % 3) {
			hvsim_rescind(v->host);
			KUNIT_EXPECT_TRUE(test, hvsim_wait_released(v->host));
		}
	}
	KUNIT_EXPECT_EQ(test, done(v) % SOME, 0);
}

static NTSTATUS asked;

static void ask(struct vsc *v, enum vsc_event event)
{
	tell(v, event);
	if (event == VSC_POST_STARTED)
		asked = VmbChannelSendSynchronousRequest(v->ch, "version?", 8, NULL,
							 WAIT_FOR_COMPLETION, NULL, NULL, NULL);
}

static void a_primary_that_is_disabled_cuts_a_sub_channels_open_handshake_short(struct kunit *test)
{
	struct vsc *p = new_primary(test), *v = new_sub(p, 1);
	struct helper h;

	vsc_bring_up(p);
	expect_story(test, "OSP");
	v->on_state = ask;
	v->offer.script.answer = HVSIM_ANSWER_NONE;
	vsc_offer(v);
	KUNIT_ASSERT_TRUE(test, helper_start(&h, enable, v));
	KUNIT_EXPECT_TRUE(test, becomes(v->host->stats.packets[VM_PKT_DATA_INBAND]));
	VmbChannelDisable(p->ch);
	KUNIT_EXPECT_TRUE(test, helper_join(&h));
	KUNIT_EXPECT_EQ(test, asked, STATUS_DEVICE_REMOVED);
	expect_story(test, "ospucUC");
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
	KUNIT_CASE(a_sub_channel_disabled_alone_completes_everything_once),
	KUNIT_CASE(a_sub_channel_is_enabled_again_on_the_rings_it_had),
	KUNIT_CASE(rings_that_stay_open_do_not_change_their_size),
	KUNIT_CASE(a_sub_channel_rescinded_alone_completes_everything_once),
	KUNIT_CASE(a_send_that_meets_a_rescinded_sub_channel_completes_as_removed),
	KUNIT_CASE(a_poisoned_sub_channel_leaves_the_others),
	KUNIT_CASE(a_rescinded_sub_channel_that_nobody_enabled_is_let_go),
	KUNIT_CASE(a_rescind_during_a_sub_channels_open_fails_its_Enable),
	KUNIT_CASE(a_rescinded_sub_channel_that_enables_inside_Closed_takes_the_next),
	KUNIT_CASE(sub_channels_close_before_their_primary),
	KUNIT_CASE(a_primary_that_is_rescinded_takes_its_sub_channels_with_it),
	KUNIT_CASE(a_poisoned_primary_takes_its_sub_channels_with_it),
	KUNIT_CASE(an_unbound_device_takes_its_sub_channels_with_it),
	KUNIT_CASE(a_primary_that_closes_waits_for_a_sub_channels_received_packets),
	KUNIT_CASE(the_primary_is_not_touched_inside_a_sub_channels_callback),
	KUNIT_CASE(enables_and_disables_that_meet_the_primarys_return),
	KUNIT_CASE(a_primary_that_is_disabled_cuts_a_sub_channels_open_handshake_short),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_subchannel",
	.init = vsc_suite_init,
	.exit = vsc_suite_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
