// SPDX-License-Identifier: GPL-2.0
/*
 * How a channel ends: by the driver, by the host, by the device, and by all of
 * them at the worst moment. Everything that was accepted completes once.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include <timetravel.h>
#include "fixture.h"
#include "helper.h"
#include "kmsg.h"
#include "vmbus.h"

#define SOME		8
#define LOST_POST	5	/* HV_STATUS_INVALID_PARAMETER: not tried again */

static int done(struct vsc *v)
{
	return atomic_read(&v->completions);
}

static bool is_disabled(struct vsc *v)
{
	return READ_ONCE(v->kch->state) == KMCL_DISABLED && !READ_ONCE(v->kch->life_owner);
}

static struct vmbus_channel *bus_channel(struct vsc *v)
{
	return kmcl_vdev(v->kch->target.link)->hv->channel;
}

static void send_some(struct vsc *v, u32 flags)
{
	int i;

	for (i = 0; i < SOME; i++)
		KUNIT_EXPECT_EQ(v->test, vsc_send(v, "request", 8, flags), STATUS_SUCCESS);
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

/* ---- the host takes the offer back ---- */

#define RECEIVED	3

static VMBPACKETCOMPLETION received[RECEIVED];

static void hold_packet(struct vsc *v, VMBPACKETCOMPLETION pkt, void *buf, u32 len)
{
	int i = atomic_read(&v->received) - 1;

	if (i < RECEIVED)
		received[i] = pkt;
}

/* Unanswered, queued behind a full ring, and received: SOME, SOME and RECEIVED. */
static int occupy(struct vsc *v)
{
	static u8 block[4000];
	int i, sent = 0;

	v->on_packet = hold_packet;
	v->host->script.answer = HVSIM_ANSWER_NONE;
	send_some(v, WAIT_FOR_COMPLETION);
	hvsim_settle();
	hvsim_stall(v->host);
	while (!v->kch->stats.queued && sent++ < 100)
		KUNIT_EXPECT_EQ(v->test, vsc_send(v, block, sizeof(block), 0), STATUS_SUCCESS);
	send_some(v, WAIT_FOR_COMPLETION);
	KUNIT_EXPECT_EQ(v->test, v->kch->stats.queued, 1 + SOME);
	KUNIT_EXPECT_EQ(v->test, atomic_read(&v->ok), sent - 1);
	for (i = 0; i < RECEIVED; i++)
		KUNIT_EXPECT_EQ(v->test, 0,
				hvsim_send(v->host, VM_PKT_DATA_INBAND, 1, i, "payload", 8));
	vsc_expect_soon(v, atomic_read(&v->received) == RECEIVED);
	return sent + 2 * SOME;
}

static void a_rescind_completes_what_was_sent_once_as_removed(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	int all, i;

	vsc_bring_up(v);
	all = occupy(v);
	hvsim_rescind(v->host);
	vsc_expect_soon(v, done(v) == all);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->removed), 2 * SOME + 1);
	vsc_expect_soon(v, v->logged == 1);

	/* Closed waits for the received ones, which are still the driver's */
	schedule_timeout_uninterruptible(HZ / 10);
	vsc_expect_log(v, "U");
	KUNIT_EXPECT_EQ(test, vsc_send(v, "late", 5, 0), STATUS_INVALID_DEVICE_STATE);
	for (i = 0; i < RECEIVED; i++)
		VmbChannelPacketComplete(received[i], "answer", 7);
	KUNIT_EXPECT_TRUE(test, becomes(is_disabled(v)));
	KUNIT_EXPECT_TRUE(test, hvsim_wait_released(v->host));
	vsc_expect_log(v, "UC");
	KUNIT_EXPECT_EQ(test, done(v), all);
	KUNIT_EXPECT_EQ(test, v->kch->stats.stale_ids, 0);
}

static void a_disable_completes_what_was_sent_once_as_cancelled(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct helper h;
	int all, i;

	vsc_bring_up(v);
	all = occupy(v);
	KUNIT_ASSERT_TRUE(test, helper_start(&h, disable, v));
	vsc_expect_soon(v, v->logged == 1);
	for (i = 0; i < RECEIVED; i++)
		VmbChannelPacketComplete(received[i], "answer", 7);
	KUNIT_EXPECT_TRUE(test, helper_join(&h));
	KUNIT_EXPECT_EQ(test, done(v), all);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->cancelled), 2 * SOME + 1);
	vsc_expect_log(v, "UC");
	KUNIT_EXPECT_FALSE(test, v->host->open);
}

static struct vsc *hooked;

/* Between publication and the return of the signal the offer goes away. */
static void rescind_in_signal(struct hvsim_chan *chan)
{
	chan->script.on_signal = NULL;
	bus_channel(hooked)->rescind = true;
	hvsim_rescind(chan);
}

/* The same, and the host had answered before. */
static void answer_and_rescind_in_signal(struct hvsim_chan *chan)
{
	chan->script.on_signal = NULL;
	hvsim_run(chan);
	bus_channel(hooked)->rescind = true;
	hvsim_rescind(chan);
}

/* The rescind is on its way and the bus has not noticed. */
static void late_rescind_in_signal(struct hvsim_chan *chan)
{
	chan->script.on_signal = NULL;
	hvsim_rescind(chan);
}

static struct vsc *send_hooked(struct kunit *test, u32 flags,
			       void (*hook)(struct hvsim_chan *chan))
{
	struct vsc *v = vsc_new(test);
	NTSTATUS status;

	hooked = v;
	/* what a hook sets going follows the send, and neither runs beside it nor before its end */
	hvsim_stay_on_bus_cpu();
	vsc_bring_up(v);
	hvsim_settle();
	v->host->script.on_signal = hook;
	preempt_disable();
	status = vsc_send(v, "request", 8, flags);
	preempt_enable();
	KUNIT_EXPECT_EQ(test, status, STATUS_SUCCESS);
	KUNIT_EXPECT_NULL(test, v->host->script.on_signal);
	KUNIT_EXPECT_TRUE(test, hvsim_wait_released(v->host));
	KUNIT_EXPECT_TRUE(test, becomes(is_disabled(v)));
	KUNIT_EXPECT_EQ(test, done(v), 1);
	vsc_expect_log(v, "UC");
	return v;
}

static void a_request_completes_once_if_the_offer_goes_during_its_signal(struct kunit *test)
{
	struct vsc *v = send_hooked(test, WAIT_FOR_COMPLETION, rescind_in_signal);

	KUNIT_EXPECT_EQ(test, atomic_read(&v->removed), 1);
}

static void a_message_completes_once_if_the_offer_goes_during_its_signal(struct kunit *test)
{
	struct vsc *v = send_hooked(test, 0, rescind_in_signal);

	KUNIT_EXPECT_EQ(test, atomic_read(&v->removed), 1);
}

static void a_request_answered_before_the_offer_goes_is_a_success(struct kunit *test)
{
	struct vsc *v = send_hooked(test, WAIT_FOR_COMPLETION, answer_and_rescind_in_signal);

	KUNIT_EXPECT_EQ(test, atomic_read(&v->ok), 1);
}

static void a_request_completes_once_if_the_bus_notices_the_rescind_later(struct kunit *test)
{
	struct vsc *v = send_hooked(test, WAIT_FOR_COMPLETION, late_rescind_in_signal);

	KUNIT_EXPECT_EQ(test, atomic_read(&v->removed), 1);
}

static void a_message_is_sent_if_the_bus_notices_the_rescind_later(struct kunit *test)
{
	struct vsc *v = send_hooked(test, 0, late_rescind_in_signal);

	KUNIT_EXPECT_EQ(test, atomic_read(&v->ok), 1);
}

static void a_rescind_during_the_open_fails_the_enable(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct helper h;

	vsc_offer(v);
	hvsim_hold(v->host, CHANNELMSG_OPENCHANNEL);
	KUNIT_ASSERT_TRUE(test, helper_start(&h, enable, v));
	KUNIT_EXPECT_TRUE(test, becomes(hvsim_held(v->host, CHANNELMSG_OPENCHANNEL)));
	KUNIT_EXPECT_EQ(test, vsc_send(v, "early", 6, 0), STATUS_SUCCESS);
	vsc_rescind(v);
	KUNIT_EXPECT_TRUE(test, helper_join(&h));
	KUNIT_EXPECT_EQ(test, (NTSTATUS)(long)v->priv, STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_TRUE(test, becomes(is_disabled(v)));
	KUNIT_EXPECT_EQ(test, done(v), 1);
	vsc_expect_log(v, "");
	hvsim_unhold(v->host, CHANNELMSG_OPENCHANNEL);

	vsc_bring_up(v);
}

/* The bus looks at a rescind when the close that it waits for has been answered. */
static void a_rescind_during_the_close_ends_it_once(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct helper h;

	vsc_bring_up(v);
	hvsim_hold(v->host, CHANNELMSG_GPADL_TEARDOWN);
	KUNIT_ASSERT_TRUE(test, helper_start(&h, disable, v));
	KUNIT_EXPECT_TRUE(test, becomes(hvsim_held(v->host, CHANNELMSG_GPADL_TEARDOWN)));
	hvsim_rescind(v->host);
	schedule_timeout_uninterruptible(2);
	KUNIT_EXPECT_FALSE(test, completion_done(&h.done));
	hvsim_unhold(v->host, CHANNELMSG_GPADL_TEARDOWN);
	KUNIT_EXPECT_TRUE(test, helper_join(&h));
	KUNIT_EXPECT_TRUE(test, hvsim_wait_released(v->host));
	vsc_expect_disabled(v);
	vsc_expect_log(v, "UC");
}

/* ---- a host that is silent ---- */

static void a_disable_does_not_wait_for_packets_of_the_host(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	unsigned long start;

	v->offer.script.answer = HVSIM_ANSWER_NONE;
	vsc_bring_up(v);
	send_some(v, WAIT_FOR_COMPLETION);
	start = jiffies;
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_LT(test, jiffies - start, HZ);
	KUNIT_EXPECT_EQ(test, done(v), SOME);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->cancelled), SOME);
	vsc_expect_log(v, "UC");
}

static void need_time_travel(struct kunit *test)
{
	if (time_travel_mode == TT_MODE_OFF)
		kunit_skip(test, "takes longer than 10 s: run with --time-travel");
}

static void a_silent_close_is_named_after_10_s_and_ends_with_the_answer(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct helper h;
	struct kmsg k;

	need_time_travel(test);
	v->offer.script.answer = HVSIM_ANSWER_NONE;
	vsc_bring_up(v);
	send_some(v, WAIT_FOR_COMPLETION);
	hvsim_hold(v->host, CHANNELMSG_GPADL_TEARDOWN);
	kmsg_mark(&k);
	KUNIT_ASSERT_TRUE(test, helper_start(&h, disable, v));
	KUNIT_EXPECT_TRUE(test, becomes(hvsim_held(v->host, CHANNELMSG_GPADL_TEARDOWN)));
	/* long before the line */
	KUNIT_EXPECT_EQ(test, done(v), SOME);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->cancelled), SOME);
	schedule_timeout_uninterruptible(15 * HZ);
	kmsg_expect(test, &k, 1, "still waiting for the host to close the channel");
	KUNIT_EXPECT_FALSE(test, completion_done(&h.done));
	vsc_expect_log(v, "U");
	hvsim_unhold(v->host, CHANNELMSG_GPADL_TEARDOWN);
	KUNIT_EXPECT_TRUE(test, helper_join(&h));
	vsc_expect_log(v, "UC");
}

static void a_silent_open_is_named_after_10_s_and_ends_with_the_answer(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct helper h;
	struct kmsg k;

	need_time_travel(test);
	vsc_offer(v);
	hvsim_hold(v->host, CHANNELMSG_OPENCHANNEL);
	kmsg_mark(&k);
	KUNIT_ASSERT_TRUE(test, helper_start(&h, enable, v));
	KUNIT_EXPECT_TRUE(test, becomes(hvsim_held(v->host, CHANNELMSG_OPENCHANNEL)));
	schedule_timeout_uninterruptible(15 * HZ);
	kmsg_expect(test, &k, 1, "still waiting for the host to open the channel");
	KUNIT_EXPECT_FALSE(test, completion_done(&h.done));
	hvsim_unhold(v->host, CHANNELMSG_OPENCHANNEL);
	KUNIT_EXPECT_TRUE(test, helper_join(&h));
	KUNIT_EXPECT_EQ(test, (NTSTATUS)(long)v->priv, STATUS_SUCCESS);
	vsc_expect_log(v, "OSP");
}

static NTSTATUS handshake_status;

static void handshake(struct vsc *v, enum vsc_event event)
{
	if (event != VSC_POST_STARTED)
		return;
	handshake_status = VmbChannelSendSynchronousRequest(v->ch, "version?", 8, NULL,
							    WAIT_FOR_COMPLETION, NULL, NULL,
							    NULL);
}

static void a_disable_cuts_a_handshake_in_PostStarted_short(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct helper h;

	v->on_state = handshake;
	v->offer.script.answer = HVSIM_ANSWER_NONE;
	vsc_offer(v);
	KUNIT_ASSERT_TRUE(test, helper_start(&h, enable, v));
	KUNIT_EXPECT_TRUE(test, becomes(v->host->stats.packets[VM_PKT_DATA_INBAND]));
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_TRUE(test, helper_join(&h));
	KUNIT_EXPECT_EQ(test, handshake_status, STATUS_DEVICE_REMOVED);
	vsc_expect_disabled(v);
	vsc_expect_log(v, "OSPUC");
}

static void a_rescind_cuts_a_handshake_in_PostStarted_short(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct helper h;

	v->on_state = handshake;
	v->offer.script.answer = HVSIM_ANSWER_NONE;
	vsc_offer(v);
	KUNIT_ASSERT_TRUE(test, helper_start(&h, enable, v));
	KUNIT_EXPECT_TRUE(test, becomes(v->host->stats.packets[VM_PKT_DATA_INBAND]));
	vsc_rescind(v);
	KUNIT_EXPECT_TRUE(test, helper_join(&h));
	KUNIT_EXPECT_EQ(test, handshake_status, STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_TRUE(test, becomes(is_disabled(v)));
	vsc_expect_log(v, "OSPUC");
}

static void ask_the_host(struct vsc *v, VMBPACKETCOMPLETION pkt, void *buf, u32 len)
{
	handshake_status = VmbChannelSendSynchronousRequest(v->ch, "help", 5, NULL,
							    WAIT_FOR_COMPLETION, NULL, NULL,
							    NULL);
	VmbChannelPacketComplete(pkt, NULL, 0);
}

static void a_disable_cuts_a_request_in_ProcessPacket_short(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct helper h;

	handshake_status = STATUS_SUCCESS;
	v->on_packet = ask_the_host;
	v->offer.script.answer = HVSIM_ANSWER_NONE;
	VmbChannelSetIncomingProcessingAtPassive(v->ch, TRUE);
	vsc_bring_up(v);
	KUNIT_EXPECT_EQ(test, 0, hvsim_send(v->host, VM_PKT_DATA_INBAND, 1, 1, "payload", 8));
	KUNIT_EXPECT_TRUE(test, becomes(v->host->stats.packets[VM_PKT_DATA_INBAND]));
	KUNIT_ASSERT_TRUE(test, helper_start(&h, disable, v));
	KUNIT_EXPECT_TRUE(test, becomes(completion_done(&h.done)));
	KUNIT_EXPECT_EQ(test, handshake_status, STATUS_DEVICE_REMOVED);
	vsc_expect_log(v, "UC");
	/* the driver was not late with its answer */
	KUNIT_EXPECT_EQ(test, v->host->stats.packets[VM_PKT_COMP], 1);
}

static void wait_in_suspend(struct vsc *v, enum vsc_event event)
{
	if (event == VSC_SUSPEND)
		wait_event(v->wait, atomic_read(&v->completions) == SOME);
}

static void a_disable_ends_what_Suspend_waits_for(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct helper h;

	v->on_state = wait_in_suspend;
	v->offer.script.answer = HVSIM_ANSWER_NONE;
	vsc_bring_up(v);
	send_some(v, WAIT_FOR_COMPLETION);
	KUNIT_ASSERT_TRUE(test, helper_start(&h, disable, v));
	KUNIT_EXPECT_TRUE(test, becomes(completion_done(&h.done)));
	KUNIT_EXPECT_EQ(test, atomic_read(&v->cancelled), SOME);
	vsc_expect_log(v, "UC");
}

/* ---- two at once ---- */

/* Nor for room in the ring; replies are still the driver's to give. */
static void a_disable_that_waits_for_the_driver_cancels_what_is_queued(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct helper h;
	int i, total;

	vsc_bring_up(v);
	total = occupy(v);
	KUNIT_ASSERT_TRUE(test, helper_start(&h, disable, v));
	vsc_expect_soon(v, atomic_read(&v->completions) == total);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->cancelled), 2 * SOME + 1);
	KUNIT_EXPECT_FALSE(test, completion_done(&h.done));
	vsc_expect_log(v, "U");
	for (i = 0; i < RECEIVED; i++)
		VmbChannelPacketComplete(received[i], "late", 5);
	KUNIT_EXPECT_TRUE(test, helper_join(&h));
	vsc_expect_log(v, "UC");
	KUNIT_EXPECT_EQ(test, atomic_read(&v->completions), total);
}

static void two_disables_at_once_close_once_and_both_return(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct helper a, b;

	vsc_bring_up(v);
	hvsim_hold(v->host, CHANNELMSG_GPADL_TEARDOWN);
	KUNIT_ASSERT_TRUE(test, helper_start(&a, disable, v));
	KUNIT_ASSERT_TRUE(test, helper_start(&b, disable, v));
	KUNIT_EXPECT_TRUE(test, becomes(hvsim_held(v->host, CHANNELMSG_GPADL_TEARDOWN)));
	KUNIT_EXPECT_FALSE(test, completion_done(&a.done));
	KUNIT_EXPECT_FALSE(test, completion_done(&b.done));
	hvsim_unhold(v->host, CHANNELMSG_GPADL_TEARDOWN);
	KUNIT_EXPECT_TRUE(test, helper_join(&a));
	KUNIT_EXPECT_TRUE(test, helper_join(&b));
	vsc_expect_disabled(v);
	vsc_expect_log(v, "UC");
	KUNIT_EXPECT_EQ(test, v->host->stats.control[CHANNELMSG_CLOSECHANNEL], 1);
}

static void pause(void *arg)
{
	struct vsc *v = arg;

	VmbChannelPause(v->ch);
}

static void a_pause_that_meets_a_rescind_returns(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct helper h;
	int round;

	for (round = 0; round < 8; round++) {
		vsc_bring_up(v);
		if (round % 2)
			hvsim_rescind(v->host);
		KUNIT_ASSERT_TRUE(test, helper_start(&h, pause, v));
		if (round & 2)
			schedule_timeout_uninterruptible(1);
		hvsim_rescind(v->host);
		KUNIT_EXPECT_TRUE(test, helper_join(&h));
		KUNIT_EXPECT_TRUE(test, hvsim_wait_released(v->host));
		KUNIT_EXPECT_TRUE(test, becomes(is_disabled(v)));
		vsc_expect_log(v, "UC");
		VmbChannelDisable(v->ch);	/* forgets the pause */
		memset(v->log, 0, sizeof(v->log));
		v->logged = 0;
	}
}

/* ---- the device ---- */

static void an_unbound_device_is_a_rescind_to_the_driver(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct device *dev;

	v->offer.script.answer = HVSIM_ANSWER_NONE;
	vsc_bring_up(v);
	send_some(v, WAIT_FOR_COMPLETION);
	dev = get_device(v->kch->target.device);
	device_release_driver(dev);
	put_device(dev);
	KUNIT_EXPECT_EQ(test, done(v), SOME);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->removed), SOME);
	KUNIT_EXPECT_FALSE(test, v->host->open);
	KUNIT_EXPECT_EQ(test, v->host->stats.control[CHANNELMSG_CLOSECHANNEL], 1);
	KUNIT_EXPECT_TRUE(test, becomes(is_disabled(v)));
	vsc_expect_log(v, "UC");

	/* nobody else has it: it is ours again when we ask */
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	vsc_expect_log(v, "UCOSP");
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_EQ(test, v->host->stats.control[CHANNELMSG_CLOSECHANNEL], 2);
}

static void rings_that_cannot_be_closed_stay_with_the_host(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct kmsg k;

	vsc_bring_up(v);
	hvsim_settle();
	kmsg_mark(&k);
	hvsim_fail_posts(1, LOST_POST);
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_EQ(test, hvsim_failing_posts(), 0);
	kmsg_expect(test, &k, 1, "the rings could not be closed; their memory stays with the host");
	vsc_expect_disabled(v);
	vsc_expect_log(v, "UC");
	/* the host never heard of it and may go on writing */
	KUNIT_EXPECT_TRUE(test, v->host->open);
	KUNIT_EXPECT_EQ(test, 0, hvsim_send(v->host, VM_PKT_DATA_INBAND, 0, 1, "payload", 8));
	KUNIT_EXPECT_EQ(test, atomic_read(&v->received), 0);
}

/* The close was heard; that the memory shall come back was not. */
static void rings_that_the_host_does_not_give_back_stay_with_it(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct hvsim_gpadl *g;
	struct kmsg k;
	u32 handle;

	vsc_bring_up(v);
	handle = bus_channel(v)->ringbuffer_gpadlhandle.gpadl_handle;
	hvsim_settle();
	kmsg_mark(&k);
	hvsim_fail_posts_of(CHANNELMSG_GPADL_TEARDOWN, 1, LOST_POST);
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_EQ(test, hvsim_failing_posts(), 0);
	kmsg_expect(test, &k, 1, "the rings could not be closed; their memory stays with the host");
	KUNIT_EXPECT_TRUE(test, hvsim_wait_open(v->host, false));
	vsc_expect_log(v, "UC");
	g = hvsim_find_gpadl(handle);
	KUNIT_ASSERT_NOT_NULL(test, g);
	memset(hvsim_gpa(page_to_pfn(g->pages[1]), 0), 0xee, PAGE_SIZE);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_rescind_completes_what_was_sent_once_as_removed),
	KUNIT_CASE(a_disable_completes_what_was_sent_once_as_cancelled),
	KUNIT_CASE(a_request_completes_once_if_the_offer_goes_during_its_signal),
	KUNIT_CASE(a_message_completes_once_if_the_offer_goes_during_its_signal),
	KUNIT_CASE(a_request_answered_before_the_offer_goes_is_a_success),
	KUNIT_CASE(a_request_completes_once_if_the_bus_notices_the_rescind_later),
	KUNIT_CASE(a_message_is_sent_if_the_bus_notices_the_rescind_later),
	KUNIT_CASE(a_rescind_during_the_open_fails_the_enable),
	KUNIT_CASE(a_rescind_during_the_close_ends_it_once),
	KUNIT_CASE(a_disable_does_not_wait_for_packets_of_the_host),
	KUNIT_CASE(a_silent_close_is_named_after_10_s_and_ends_with_the_answer),
	KUNIT_CASE(a_silent_open_is_named_after_10_s_and_ends_with_the_answer),
	KUNIT_CASE(a_disable_cuts_a_handshake_in_PostStarted_short),
	KUNIT_CASE(a_rescind_cuts_a_handshake_in_PostStarted_short),
	KUNIT_CASE(a_disable_cuts_a_request_in_ProcessPacket_short),
	KUNIT_CASE(a_disable_ends_what_Suspend_waits_for),
	KUNIT_CASE(a_disable_that_waits_for_the_driver_cancels_what_is_queued),
	KUNIT_CASE(two_disables_at_once_close_once_and_both_return),
	KUNIT_CASE(a_pause_that_meets_a_rescind_returns),
	KUNIT_CASE(an_unbound_device_is_a_rescind_to_the_driver),
	KUNIT_CASE(rings_that_cannot_be_closed_stay_with_the_host),
	KUNIT_CASE(rings_that_the_host_does_not_give_back_stay_with_it),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_teardown",
	.init = vsc_suite_init,
	.exit = vsc_suite_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
