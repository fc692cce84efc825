// SPDX-License-Identifier: GPL-2.0
/*
 * Sub-channels end: alone, with their primary, and when somebody is in the middle of
 * something.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include "helper.h"
#include "kmsg.h"
#include "subs.h"
#include "vmbus.h"

static void disable(void *arg)
{
	struct vsc *v = arg;

	VmbChannelDisable(v->ch);
}

/* ---- one ends alone ---- */

static void a_sub_channel_disabled_alone_completes_everything_once(struct kunit *test)
{
	struct vsc *p = subs_primary(test), *v = subs_bring_up(p, 1);

	v->host->script.answer = HVSIM_ANSWER_LATER;
	subs_send(v, WAIT_FOR_COMPLETION);
	hvsim_settle();
	VmbChannelDisable(v->ch);
	subs_expect_story(test, "uc");
	KUNIT_EXPECT_EQ(test, subs_done(v), SOME);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->cancelled), SOME);
	KUNIT_EXPECT_EQ(test, vsc_send(v, "late", 5, 0), STATUS_INVALID_DEVICE_STATE);
	/* the bus cannot close it: to the host it is open */
	KUNIT_EXPECT_TRUE(test, v->host->open);
	KUNIT_EXPECT_EQ(test, v->host->stats.control[CHANNELMSG_CLOSECHANNEL], 0);
	/* late answers reach nobody */
	hvsim_answer(v->host, SOME);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, subs_done(v), SOME);
	subs_expect_traffic(p);
}

static void a_sub_channel_is_enabled_again_on_the_rings_it_had(struct kunit *test)
{
	struct vsc *p = subs_primary(test), *v = subs_bring_up(p, 1);
	int i;

	v->host->script.answer = HVSIM_ANSWER_LATER;
	subs_send(v, WAIT_FOR_COMPLETION);
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
		subs_expect_story(test, "ucosp");
	}
	/* answers to what was cancelled */
	KUNIT_EXPECT_EQ(test, v->kch->stats.stale_ids, SOME);
	KUNIT_EXPECT_EQ(test, subs_done(v), SOME);
	KUNIT_EXPECT_EQ(test, v->host->stats.control[CHANNELMSG_OPENCHANNEL], 1);
	v->host->script.answer = HVSIM_ANSWER_ECHO;
	atomic_set(&v->received, 0);
	subs_expect_traffic(v);
}

static void rings_that_stay_open_do_not_change_their_size(struct kunit *test)
{
	struct vsc *p = subs_primary(test), *v = subs_bring_up(p, 1);
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
	struct vsc *p = subs_primary(test), *v = subs_bring_up(p, 1), *w = subs_bring_up(p, 2);

	v->host->script.answer = HVSIM_ANSWER_NONE;
	subs_send(v, WAIT_FOR_COMPLETION);
	hvsim_settle();
	hvsim_rescind(v->host);
	/* nobody is told: it is seen within the second */
	vsc_expect_soon(v, subs_done(v) == SOME);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->removed), SOME);
	KUNIT_EXPECT_TRUE(test, becomes(subs_is_disabled(v)));
	subs_expect_story(test, "uc");
	subs_expect_traffic(p);
	subs_expect_traffic(w);

	/* the host offers another one in its place */
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	vsc_expect_log(v, "UC");
	vsc_offer(v);
	vsc_expect_soon(v, subs_is_running(v));
	subs_expect_story(test, "osp");
	subs_expect_traffic(v);
}

static void a_send_that_meets_a_rescinded_sub_channel_completes_as_removed(struct kunit *test)
{
	struct vsc *p = subs_primary(test), *v = subs_bring_up(p, 1);

	/* no look is due: the send is who sees it */
	cancel_delayed_work_sync(&kmcl_vdev(p->kch->target.link)->poll);
	hvsim_rescind(v->host);
	hvsim_settle();
	KUNIT_EXPECT_FALSE(test, subs_is_disabled(v));
	KUNIT_ASSERT_EQ(test, vsc_send(v, "request", 8, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	vsc_expect_soon(v, subs_done(v) == 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->removed), 1);
	KUNIT_EXPECT_TRUE(test, becomes(subs_is_disabled(v)));
	subs_expect_story(test, "uc");
	subs_expect_traffic(p);
}

static void a_poisoned_sub_channel_leaves_the_others(struct kunit *test)
{
	struct vsc *p = subs_primary(test), *v = subs_bring_up(p, 1), *w = subs_bring_up(p, 2);
	struct kmsg k;

	v->host->script.lenient = true;
	v->host->script.answer = HVSIM_ANSWER_NONE;
	subs_send(v, WAIT_FOR_COMPLETION);
	hvsim_settle();
	kmsg_mark(&k);
	hvsim_poke(v->host, HVSIM_H2G, HVSIM_WRITE_INDEX, 4);
	hvsim_interrupt(v->host);
	vsc_expect_soon(v, subs_done(v) == SOME);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->removed), SOME);
	KUNIT_EXPECT_TRUE(test, becomes(subs_is_disabled(v)));
	kmsg_expect(test, &k, 1, "closing the channel");
	subs_expect_story(test, "uc");
	subs_expect_traffic(p);
	subs_expect_traffic(w);
}

static void a_rescinded_sub_channel_that_nobody_enabled_is_let_go(struct kunit *test)
{
	struct vsc *p = subs_primary(test), *v = subs_new(p, 1);

	vsc_bring_up(p);
	vsc_offer(v);
	vsc_rescind(v);
	KUNIT_EXPECT_TRUE(test, becomes(list_empty(&kmcl_vdev(p->kch->target.link)->subs)));
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	vsc_offer(v);
	vsc_expect_soon(v, subs_is_running(v));
	subs_expect_traffic(v);
}

static void a_rescind_during_a_sub_channels_open_fails_its_Enable(struct kunit *test)
{
	struct vsc *p = subs_primary(test), *v = subs_new(p, 1);
	struct helper h;

	vsc_bring_up(p);
	subs_expect_story(test, "OSP");
	vsc_offer(v);
	hvsim_hold(v->host, CHANNELMSG_OPENCHANNEL);
	KUNIT_ASSERT_TRUE(test, helper_start(&h, subs_enable, v));
	KUNIT_EXPECT_TRUE(test, becomes(hvsim_held(v->host, CHANNELMSG_OPENCHANNEL)));
	hvsim_rescind(v->host);
	KUNIT_EXPECT_TRUE(test, helper_join(&h));
	KUNIT_EXPECT_EQ(test, (NTSTATUS)(long)v->priv, STATUS_DEVICE_REMOVED);
	subs_expect_story(test, "");
	subs_expect_traffic(p);
	VmbChannelDisable(p->ch);
	/* also what the bus leaves to the close of the primary */
	KUNIT_EXPECT_TRUE(test, hvsim_wait_released(v->host));
}

static void enable_again(struct vsc *v, enum vsc_event event)
{
	subs_tell(v, event);
	if (event == VSC_CLOSED)
		subs_enable(v);
}

static void a_rescinded_sub_channel_that_enables_inside_Closed_takes_the_next(struct kunit *test)
{
	struct vsc *p = subs_primary(test), *v = subs_bring_up(p, 1);

	v->on_state = enable_again;
	hvsim_rescind(v->host);
	vsc_expect_soon(v, v->logged == 2);
	KUNIT_EXPECT_EQ(test, (NTSTATUS)(long)v->priv, STATUS_SUCCESS);
	vsc_offer(v);
	vsc_expect_soon(v, subs_is_running(v));
	subs_expect_story(test, "ucosp");
	/* the primary closes: it has to wait for that one to open */
	VmbChannelDisable(p->ch);
	KUNIT_EXPECT_EQ(test, (NTSTATUS)(long)v->priv, STATUS_INVALID_DEVICE_STATE);
	vsc_expect_disabled(v);
	subs_expect_story(test, "ucUC");
}

/* ---- all end ---- */

static void sub_channels_close_before_their_primary(struct kunit *test)
{
	struct vsc *p = subs_primary(test), *v = subs_bring_up(p, 1), *w = subs_bring_up(p, 2);

	v->host->script.answer = HVSIM_ANSWER_NONE;
	w->host->script.answer = HVSIM_ANSWER_NONE;
	subs_send(v, WAIT_FOR_COMPLETION);
	subs_send(w, WAIT_FOR_COMPLETION);
	VmbChannelDisable(p->ch);
	subs_expect_story(test, "ucucUC");
	KUNIT_EXPECT_EQ(test, atomic_read(&v->cancelled), SOME);
	KUNIT_EXPECT_EQ(test, atomic_read(&w->cancelled), SOME);
	KUNIT_EXPECT_EQ(test, v->host->stats.control[CHANNELMSG_CLOSECHANNEL], 1);
	KUNIT_EXPECT_FALSE(test, v->host->open);
	KUNIT_EXPECT_FALSE(test, w->host->open);
	KUNIT_EXPECT_TRUE(test, hvsim_wait_released(v->host));
}

static void a_primary_that_is_rescinded_takes_its_sub_channels_with_it(struct kunit *test)
{
	struct vsc *p = subs_primary(test), *v = subs_bring_up(p, 1), *w = subs_bring_up(p, 2);

	v->host->script.answer = HVSIM_ANSWER_NONE;
	subs_send(v, WAIT_FOR_COMPLETION);
	hvsim_settle();
	hvsim_rescind(w->host);
	hvsim_rescind(v->host);
	vsc_rescind(p);
	KUNIT_EXPECT_EQ(test, subs_done(v), SOME);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->removed), SOME);
	KUNIT_EXPECT_TRUE(test, becomes(subs_is_disabled(p)));
	vsc_expect_disabled(v);
	vsc_expect_disabled(w);
	vsc_expect_log(v, "UC");
	vsc_expect_log(w, "UC");
	/* the primary's last */
	subs_expect_end(test, 6, "UC");
}

static void a_poisoned_primary_takes_its_sub_channels_with_it(struct kunit *test)
{
	struct vsc *p = subs_primary(test), *v = subs_bring_up(p, 1);

	p->host->script.lenient = true;
	v->host->script.answer = HVSIM_ANSWER_NONE;
	subs_send(v, WAIT_FOR_COMPLETION);
	hvsim_settle();
	hvsim_poke(p->host, HVSIM_H2G, HVSIM_WRITE_INDEX, 4);
	hvsim_interrupt(p->host);
	KUNIT_EXPECT_TRUE(test, becomes(subs_is_disabled(p)));
	vsc_expect_disabled(v);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->removed), SOME);
	subs_expect_story(test, "ucUC");
	KUNIT_EXPECT_FALSE(test, v->host->open);
}

static void an_unbound_device_takes_its_sub_channels_with_it(struct kunit *test)
{
	struct vsc *p = subs_primary(test), *v = subs_bring_up(p, 1);
	struct device *dev = get_device(p->kch->target.device);

	v->host->script.answer = HVSIM_ANSWER_NONE;
	subs_send(v, WAIT_FOR_COMPLETION);
	device_release_driver(dev);
	put_device(dev);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->removed), SOME);
	KUNIT_EXPECT_FALSE(test, v->host->open);
	KUNIT_EXPECT_TRUE(test, becomes(subs_is_disabled(p)));
	vsc_expect_disabled(v);
	subs_expect_story(test, "ucUC");
}

static VMBPACKETCOMPLETION held;

static void hold(struct vsc *v, VMBPACKETCOMPLETION pkt, void *buf, u32 len)
{
	held = pkt;
}

static void a_primary_that_closes_waits_for_a_sub_channels_received_packets(struct kunit *test)
{
	struct vsc *p = subs_primary(test), *v = subs_bring_up(p, 1);
	struct helper h;

	v->on_packet = hold;
	KUNIT_EXPECT_EQ(test, 0, hvsim_send(v->host, VM_PKT_DATA_INBAND, 1, 1, "data", 4));
	vsc_expect_soon(v, atomic_read(&v->received) == 1);
	KUNIT_ASSERT_TRUE(test, helper_start(&h, disable, p));
	vsc_expect_soon(v, v->logged == 1);
	schedule_timeout_uninterruptible(2);
	subs_expect_story(test, "u");
	KUNIT_EXPECT_TRUE(test, v->host->open);
	VmbChannelPacketComplete(held, "answer", 7);
	KUNIT_EXPECT_TRUE(test, helper_join(&h));
	subs_expect_story(test, "cUC");
	/* before the rings closed */
	KUNIT_EXPECT_EQ(test, v->host->stats.packets[VM_PKT_COMP], 1);
}

/* ---- misuse ---- */

static void disable_the_primary(struct vsc *v, enum vsc_event event)
{
	struct vsc *p = v->priv;

	subs_tell(v, event);
	if (event != VSC_SUSPEND)
		return;
	VmbChannelDisable(p->ch);
	VmbChannelPause(p->ch);
	KUNIT_EXPECT_EQ(v->test, VmbChannelEnable(p->ch), STATUS_INVALID_DEVICE_STATE);
}

static void the_primary_is_not_touched_inside_a_sub_channels_callback(struct kunit *test)
{
	struct vsc *p = subs_primary(test), *v = subs_bring_up(p, 1);
	struct kmsg k;

	v->priv = p;
	v->on_state = disable_the_primary;
	kmsg_mark(&k);
	VmbChannelDisable(v->ch);
	kmsg_expect(test, &k, 3, "inside a callback of a sub-channel, ignored");
	subs_expect_story(test, "uc");
	subs_expect_traffic(p);
	v->on_state = subs_tell;
}

/* ---- races ---- */

static void enables_and_disables_that_meet_the_primarys_return(struct kunit *test)
{
	struct vsc *p = subs_primary(test), *v;
	int round, rounds = IS_ENABLED(CONFIG_PREEMPTION) ? 6 : 24;
	struct helper h, g;

	p->on_state = NULL;
	v = subs_new(p, 1);
	v->on_state = NULL;
	for (round = 0; round < rounds; round++) {
		KUNIT_EXPECT_EQ(test, round ? VmbChannelEnable(p->ch) : vsc_up(p), STATUS_SUCCESS);
		if (round % 3)
			vsc_offer(v);
		if (round & 2)
			subs_enable(v);
		if (round & 2 && round & 4)
			subs_send(v, 0);
		KUNIT_ASSERT_TRUE(test, helper_start(&h, round & 1 ? subs_enable : disable, v));
		KUNIT_ASSERT_TRUE(test, helper_start(&g, disable, p));
		if (round & 4 && round % 3)
			hvsim_rescind(v->host);
		KUNIT_EXPECT_TRUE(test, helper_join(&h));
		KUNIT_EXPECT_TRUE(test, helper_join(&g));
		vsc_expect_disabled(p);
		vsc_expect_disabled(v);
		KUNIT_EXPECT_FALSE(test, p->host->open);
		if (round % 3) {
			hvsim_rescind(v->host);
			KUNIT_EXPECT_TRUE(test, hvsim_wait_released(v->host));
		}
	}
	KUNIT_EXPECT_EQ(test, subs_done(v) % SOME, 0);
}

static NTSTATUS asked;

static void ask(struct vsc *v, enum vsc_event event)
{
	subs_tell(v, event);
	if (event == VSC_POST_STARTED)
		asked = VmbChannelSendSynchronousRequest(v->ch, "version?", 8, NULL,
							 WAIT_FOR_COMPLETION, NULL, NULL, NULL);
}

static void a_primary_that_is_disabled_cuts_a_sub_channels_open_handshake_short(struct kunit *test)
{
	struct vsc *p = subs_primary(test), *v = subs_new(p, 1);
	struct helper h;

	vsc_bring_up(p);
	subs_expect_story(test, "OSP");
	v->on_state = ask;
	v->offer.script.answer = HVSIM_ANSWER_NONE;
	vsc_offer(v);
	KUNIT_ASSERT_TRUE(test, helper_start(&h, subs_enable, v));
	KUNIT_EXPECT_TRUE(test, becomes(v->host->stats.packets[VM_PKT_DATA_INBAND]));
	VmbChannelDisable(p->ch);
	KUNIT_EXPECT_TRUE(test, helper_join(&h));
	KUNIT_EXPECT_EQ(test, asked, STATUS_DEVICE_REMOVED);
	subs_expect_story(test, "ospucUC");
}

static struct kunit_case cases[] = {
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
	.name = "kmcl_subchannel_end",
	.init = vsc_suite_init,
	.exit = vsc_suite_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
