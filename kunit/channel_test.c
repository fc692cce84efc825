// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a channel: who is called when, and what happens to sends meanwhile.
 */
#include <linux/module.h>
#include "fixture.h"
#include "helper.h"
#include "kmsg.h"

static void clear_log(struct vsc *v)
{
	memset(v->log, 0, sizeof(v->log));
	v->logged = 0;
}

/* Payload @i of what the host has recorded, as a byte; -1: there is none. */
static int recorded(struct vsc *v, unsigned int i)
{
	struct hvsim_packet *pkt;

	hvsim_settle();
	list_for_each_entry(pkt, &v->host->record, node)
		if (!i--)
			return *(const u8 *)hvsim_payload(pkt);
	return -1;
}

static void expect_recorded(struct vsc *v, const char *letters)
{
	unsigned int i;

	for (i = 0; letters[i]; i++)
		KUNIT_EXPECT_EQ_MSG(v->test, recorded(v, i), letters[i], "packet %u", i);
	KUNIT_EXPECT_EQ(v->test, recorded(v, i), -1);
}

static NTSTATUS send_letter(struct vsc *v, char letter)
{
	return vsc_send(v, &letter, 1, WAIT_FOR_COMPLETION);
}

/* The host sends @n packets that want no completion. */
static void host_sends(struct vsc *v, unsigned int n)
{
	while (n--)
		KUNIT_EXPECT_EQ(v->test, 0,
				hvsim_send(v->host, VM_PKT_DATA_INBAND, 0, 0, "data", 4));
}

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

/* ---- enable ---- */

static struct task_struct *callback_task;

static void note_task(struct vsc *v, enum vsc_event event)
{
	if (event == VSC_POST_STARTED)
		callback_task = current;
}

static void enable_with_the_offer_present_calls_back_before_it_returns(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	v->on_state = note_task;
	callback_task = NULL;
	vsc_offer(v);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	vsc_expect_log(v, "OSP");
	KUNIT_EXPECT_PTR_EQ(test, callback_task, current);
}

static void enable_before_the_offer_succeeds_and_opens_when_it_comes(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	vsc_expect_log(v, "");
	vsc_offer(v);
	vsc_expect_soon(v, v->logged == 3);
	vsc_expect_log(v, "OSP");
	KUNIT_EXPECT_EQ(test, send_letter(v, 'a'), STATUS_SUCCESS);
	vsc_expect_soon(v, atomic_read(&v->ok) == 1);
}

static void enable_of_an_enabled_channel_is_refused(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_INVALID_DEVICE_STATE);
	vsc_offer(v);
	vsc_expect_soon(v, v->logged == 3);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_INVALID_DEVICE_STATE);
	vsc_expect_log(v, "OSP");
}

static void an_open_that_the_host_refuses_fails_enable(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct kmsg k;

	v->offer.script.open_status = 0xc0000001;
	kmsg_mark(&k);
	KUNIT_EXPECT_FALSE(test, NT_SUCCESS(vsc_up(v)));
	kmsg_expect(test, &k, 1, "the host did not open the channel");
	vsc_expect_log(v, "");
	KUNIT_EXPECT_EQ(test, send_letter(v, 'a'), STATUS_INVALID_DEVICE_STATE);
	v->host->script.open_status = 0;
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	vsc_expect_log(v, "OSP");
}

static void an_open_refused_later_reaches_pnp_failure(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	v->offer.script.open_status = 0xc0000001;
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, send_letter(v, 'a'), STATUS_SUCCESS);
	vsc_offer(v);
	vsc_expect_soon(v, v->logged == 1);
	vsc_expect_log(v, "F");
	KUNIT_EXPECT_FALSE(test, NT_SUCCESS(v->pnp_status));
	KUNIT_EXPECT_EQ(test, atomic_read(&v->cancelled), 1);
	KUNIT_EXPECT_EQ(test, send_letter(v, 'b'), STATUS_INVALID_DEVICE_STATE);
}

static void enable_again(struct vsc *v, enum vsc_event event)
{
	if (event != VSC_PNP_FAILURE)
		return;
	v->host->script.open_status = 0;
	KUNIT_EXPECT_EQ(v->test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
}

static void enable_inside_pnp_failure_takes_effect_afterwards(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	v->offer.script.open_status = 0xc0000001;
	v->on_state = enable_again;
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	vsc_offer(v);
	vsc_expect_soon(v, v->logged == 4);
	vsc_expect_log(v, "FOSP");
}

/* ---- a failed Opened ---- */

static void send_in_opened(struct vsc *v, enum vsc_event event)
{
	if (event == VSC_OPENED)
		KUNIT_EXPECT_EQ(v->test, send_letter(v, 'o'), STATUS_SUCCESS);
}

static void a_failed_opened_rolls_back_and_its_status_is_returned(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	v->opened_status = STATUS_REVISION_MISMATCH;
	v->on_state = send_in_opened;
	v->offer.script.record = true;
	KUNIT_EXPECT_EQ(test, vsc_up(v), STATUS_REVISION_MISMATCH);
	vsc_expect_log(v, "O");
	KUNIT_EXPECT_FALSE(test, v->host->open);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->completions), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->cancelled), 1);
	KUNIT_EXPECT_EQ(test, recorded(v, 0), -1);
	KUNIT_EXPECT_EQ(test, send_letter(v, 'x'), STATUS_INVALID_DEVICE_STATE);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetFlags(v->ch, 0), STATUS_SUCCESS);

	v->opened_status = STATUS_SUCCESS;
	clear_log(v);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	vsc_expect_log(v, "OSP");
	vsc_expect_soon(v, atomic_read(&v->ok) == 1);
	expect_recorded(v, "o");
}

static void a_failed_opened_later_reaches_pnp_failure(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	v->opened_status = STATUS_REVISION_MISMATCH;
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	vsc_offer(v);
	vsc_expect_soon(v, v->logged == 2);
	vsc_expect_log(v, "OF");
	KUNIT_EXPECT_EQ(test, v->pnp_status, STATUS_REVISION_MISMATCH);
	KUNIT_EXPECT_FALSE(test, v->host->open);
}

static void a_warning_from_opened_is_a_failure_too(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	v->opened_status = STATUS_BUFFER_OVERFLOW;
	KUNIT_EXPECT_EQ(test, vsc_up(v), STATUS_BUFFER_OVERFLOW);
	vsc_expect_log(v, "O");
}

/* ---- sends before there is traffic ---- */

static void send_in_each(struct vsc *v, enum vsc_event event)
{
	if (event == VSC_OPENED || event == VSC_STARTED || event == VSC_POST_STARTED)
		KUNIT_EXPECT_EQ(v->test, send_letter(v, event), STATUS_SUCCESS);
}

static void sends_before_and_inside_the_callbacks_leave_in_order(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	v->on_state = send_in_each;
	v->offer.script.record = true;
	KUNIT_EXPECT_EQ(test, send_letter(v, 'x'), STATUS_INVALID_DEVICE_STATE);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, send_letter(v, '1'), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, send_letter(v, '2'), STATUS_SUCCESS);
	vsc_offer(v);
	vsc_expect_soon(v, atomic_read(&v->ok) == 5);
	expect_recorded(v, "12OSP");
}

static void sends_while_paused_leave_in_order_after_start(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	v->offer.script.record = true;
	vsc_bring_up(v);
	v->on_state = send_in_each;
	VmbChannelPause(v->ch);
	KUNIT_EXPECT_EQ(test, send_letter(v, '1'), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, send_letter(v, '2'), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, recorded(v, 0), -1);
	VmbChannelStart(v->ch);
	vsc_expect_soon(v, atomic_read(&v->ok) == 4);
	expect_recorded(v, "12SP");
}

static void sends_held_when_disabled_complete_once_as_cancelled(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	KUNIT_ASSERT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, send_letter(v, '1'), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, send_letter(v, '2'), STATUS_SUCCESS);
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->completions), 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->cancelled), 2);
	KUNIT_EXPECT_EQ(test, send_letter(v, '3'), STATUS_INVALID_DEVICE_STATE);

	vsc_offer(v);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	VmbChannelPause(v->ch);
	KUNIT_EXPECT_EQ(test, send_letter(v, '4'), STATUS_SUCCESS);
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->completions), 3);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->cancelled), 3);
}

static void handshake(struct vsc *v, enum vsc_event event)
{
	LARGE_INTEGER timeout = { .QuadPart = -50000000LL };
	NTSTATUS status;
	UINT32 size = 8;
	u8 answer[8];

	if (event != VSC_POST_STARTED)
		return;
	status = VmbChannelSendSynchronousRequest(v->ch, "version", 8, NULL, WAIT_FOR_COMPLETION,
						  answer, &size, &timeout);
	KUNIT_EXPECT_EQ(v->test, status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(v->test, size, 8u);
	KUNIT_EXPECT_MEMEQ(v->test, answer, "version", 8);
}

static void a_synchronous_handshake_works_in_post_started(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	v->on_state = handshake;
	vsc_bring_up(v);
	VmbChannelDisable(v->ch);
	clear_log(v);
	vsc_rescind(v);
	hvsim_forget(v->host);
	/* the same from the library's own thread */
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	vsc_offer(v);
	vsc_expect_soon(v, v->logged == 3);
}

static void receive_in_post_started(struct vsc *v, enum vsc_event event)
{
	if (event == VSC_OPENED || event == VSC_STARTED) {
		if (event == VSC_OPENED)
			host_sends(v, 1);
		hvsim_settle();
		KUNIT_EXPECT_EQ(v->test, atomic_read(&v->received), 0);
	} else if (event == VSC_POST_STARTED) {
		vsc_expect_soon(v, atomic_read(&v->received) == 1);
	}
}

static void packets_arrive_from_post_started_on_and_not_before(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	v->on_state = receive_in_post_started;
	vsc_bring_up(v);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->received), 1);
}

/* ---- pause and start ---- */

static void pause_suspends_and_start_starts(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	vsc_bring_up(v);
	VmbChannelPause(v->ch);
	vsc_expect_log(v, "U");
	VmbChannelPause(v->ch);
	vsc_expect_log(v, "U");
	KUNIT_EXPECT_TRUE(test, v->host->open);
	VmbChannelStart(v->ch);
	vsc_expect_log(v, "USP");
	VmbChannelStart(v->ch);
	vsc_expect_log(v, "USP");
	KUNIT_EXPECT_EQ(test, v->host->stats.control[CHANNELMSG_OPENCHANNEL], 1ul);
}

static void pause_before_enable_means_come_up_paused(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	VmbChannelPause(v->ch);
	KUNIT_EXPECT_EQ(test, vsc_up(v), STATUS_SUCCESS);
	vsc_expect_log(v, "O");
	host_sends(v, 1);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, atomic_read(&v->received), 0);
	VmbChannelStart(v->ch);
	vsc_expect_log(v, "OSP");
	vsc_expect_soon(v, atomic_read(&v->received) == 1);
}

static void pause_while_waiting_means_come_up_paused(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	KUNIT_ASSERT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	VmbChannelPause(v->ch);
	vsc_offer(v);
	vsc_expect_soon(v, v->logged == 1);
	hvsim_settle();
	vsc_expect_log(v, "O");
	VmbChannelStart(v->ch);
	vsc_expect_log(v, "OSP");
}

static void start_before_the_offer_takes_a_pause_back(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	VmbChannelPause(v->ch);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	VmbChannelStart(v->ch);
	vsc_offer(v);
	vsc_expect_soon(v, v->logged == 3);
	vsc_expect_log(v, "OSP");
}

static void answers_come_in_while_paused(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	v->offer.script.answer = HVSIM_ANSWER_LATER;
	vsc_bring_up(v);
	KUNIT_EXPECT_EQ(test, send_letter(v, 'a'), STATUS_SUCCESS);
	VmbChannelPause(v->ch);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, atomic_read(&v->completions), 0);
	KUNIT_EXPECT_EQ(test, hvsim_answer(v->host, 1), 1);
	vsc_expect_soon(v, atomic_read(&v->ok) == 1);
}

static VMBPACKETCOMPLETION held;

static void hold_packet(struct vsc *v, VMBPACKETCOMPLETION pkt, void *buf, u32 len)
{
	held = pkt;
}

struct taking_down {
	void (*down)(VMBCHANNEL ch);
	VMBCHANNEL ch;
};

static void take_down(void *arg)
{
	struct taking_down *t = arg;

	t->down(t->ch);
}

static void expect_wait_for_incoming(struct vsc *v, void (*down)(VMBCHANNEL ch),
				     const char *before, const char *after)
{
	struct taking_down t = { .down = down, .ch = v->ch };
	struct helper h;

	v->on_packet = hold_packet;
	host_sends(v, 1);
	vsc_expect_soon(v, atomic_read(&v->received) == 1);
	KUNIT_ASSERT_TRUE(v->test, helper_start(&h, take_down, &t));
	vsc_expect_soon(v, v->logged == strlen(before));
	schedule_timeout_uninterruptible(HZ / 20);
	KUNIT_EXPECT_FALSE(v->test, completion_done(&h.done));
	vsc_expect_log(v, before);
	VmbChannelPacketComplete(held, NULL, 0);
	held = NULL;
	KUNIT_EXPECT_TRUE(v->test, helper_join(&h));
	vsc_expect_log(v, after);
}

static void pause_waits_until_incoming_packets_are_completed(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	vsc_bring_up(v);
	expect_wait_for_incoming(v, VmbChannelPause, "U", "U");
}

static void disable_drains_incoming_packets_between_suspend_and_closed(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	vsc_bring_up(v);
	expect_wait_for_incoming(v, VmbChannelDisable, "U", "UC");
}

static void flood_in_suspend(struct vsc *v, enum vsc_event event)
{
	if (event != VSC_SUSPEND)
		return;
	KUNIT_EXPECT_EQ(v->test, atomic_read(&v->in_packet), 0);
	atomic_set(&v->received, 0);
	host_sends(v, 20);
	hvsim_settle();
	KUNIT_EXPECT_EQ(v->test, atomic_read(&v->received), 0);
}

static void no_packet_is_delivered_during_or_after_suspend(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	v->on_state = flood_in_suspend;
	vsc_bring_up(v);
	host_sends(v, 20);
	VmbChannelPause(v->ch);
	host_sends(v, 1);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, atomic_read(&v->received), 0);
	VmbChannelStart(v->ch);
	/* and those of the first twenty that were not delivered before */
	vsc_expect_soon(v, atomic_read(&v->received) >= 21);
	VmbChannelDisable(v->ch);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, atomic_read(&v->received), 0);
}

static void the_same_holds_for_delivery_at_passive(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	VmbChannelSetIncomingProcessingAtPassive(v->ch, TRUE);
	v->on_state = flood_in_suspend;
	vsc_bring_up(v);
	host_sends(v, 20);
	VmbChannelPause(v->ch);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, atomic_read(&v->received), 0);
	VmbChannelStart(v->ch);
	vsc_expect_soon(v, atomic_read(&v->received) >= 20);
	VmbChannelDisable(v->ch);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, atomic_read(&v->received), 0);
}

/* ---- disable ---- */

static void disable_while_waiting_calls_nobody(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	KUNIT_ASSERT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	VmbChannelDisable(v->ch);
	vsc_offer(v);
	vsc_expect_log(v, "");
	KUNIT_EXPECT_FALSE(test, v->host->open);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	vsc_expect_log(v, "OSP");
}

static void disable_of_a_paused_channel_calls_closed_alone(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	vsc_bring_up(v);
	VmbChannelPause(v->ch);
	vsc_expect_log(v, "U");
	VmbChannelDisable(v->ch);
	vsc_expect_log(v, "UC");

	clear_log(v);
	VmbChannelPause(v->ch);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	VmbChannelDisable(v->ch);
	vsc_expect_log(v, "OC");
}

static void disable_of_a_disabled_channel_is_harmless(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	VmbChannelDisable(v->ch);
	VmbChannelDisable(v->ch);
	vsc_bring_up(v);
	VmbChannelDisable(v->ch);
	VmbChannelDisable(v->ch);
	vsc_expect_log(v, "UC");
}

static void a_channel_can_be_enabled_again_and_again(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	unsigned int i;

	vsc_offer(v);
	for (i = 1; i <= 20; i++) {
		clear_log(v);
		KUNIT_ASSERT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
		KUNIT_EXPECT_EQ(test, send_letter(v, 'a'), STATUS_SUCCESS);
		vsc_expect_soon(v, atomic_read(&v->ok) == i);
		VmbChannelDisable(v->ch);
		vsc_expect_log(v, "OSPUC");
	}
}

static void no_callback_runs_after_disable(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	unsigned int i;
	int seen;

	v->offer.script.answer = HVSIM_ANSWER_LATER;
	vsc_bring_up(v);
	for (i = 0; i < 50; i++)
		KUNIT_EXPECT_EQ(test, send_letter(v, 'a'), STATUS_SUCCESS);
	host_sends(v, 50);
	VmbChannelDisable(v->ch);
	vsc_expect_log(v, "UC");
	KUNIT_EXPECT_EQ(test, atomic_read(&v->completions), 50);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->cancelled), 50);
	seen = atomic_read(&v->received);
	hvsim_settle();
	vsc_rescind(v);
	vsc_expect_log(v, "UC");
	KUNIT_EXPECT_EQ(test, atomic_read(&v->completions), 50);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->received), seen);
}

static void cleanup_of_an_enabled_channel_disables_it_first(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct kmsg k;

	vsc_bring_up(v);
	kmsg_mark(&k);
	list_del_init(&v->node);
	VmbChannelCleanup(v->ch);
	kmsg_expect(test, &k, 1, "VmbChannelCleanup of an enabled channel: disabling it first");
	vsc_expect_log(v, "UC");
	KUNIT_EXPECT_FALSE(test, v->host->open);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_packet_goes_to_the_host_and_its_answer_comes_back),
	KUNIT_CASE(enable_with_the_offer_present_calls_back_before_it_returns),
	KUNIT_CASE(enable_before_the_offer_succeeds_and_opens_when_it_comes),
	KUNIT_CASE(enable_of_an_enabled_channel_is_refused),
	KUNIT_CASE(an_open_that_the_host_refuses_fails_enable),
	KUNIT_CASE(an_open_refused_later_reaches_pnp_failure),
	KUNIT_CASE(enable_inside_pnp_failure_takes_effect_afterwards),
	KUNIT_CASE(a_failed_opened_rolls_back_and_its_status_is_returned),
	KUNIT_CASE(a_failed_opened_later_reaches_pnp_failure),
	KUNIT_CASE(a_warning_from_opened_is_a_failure_too),
	KUNIT_CASE(sends_before_and_inside_the_callbacks_leave_in_order),
	KUNIT_CASE(sends_while_paused_leave_in_order_after_start),
	KUNIT_CASE(sends_held_when_disabled_complete_once_as_cancelled),
	KUNIT_CASE(a_synchronous_handshake_works_in_post_started),
	KUNIT_CASE(packets_arrive_from_post_started_on_and_not_before),
	KUNIT_CASE(pause_suspends_and_start_starts),
	KUNIT_CASE(pause_before_enable_means_come_up_paused),
	KUNIT_CASE(pause_while_waiting_means_come_up_paused),
	KUNIT_CASE(start_before_the_offer_takes_a_pause_back),
	KUNIT_CASE(answers_come_in_while_paused),
	KUNIT_CASE(pause_waits_until_incoming_packets_are_completed),
	KUNIT_CASE(disable_drains_incoming_packets_between_suspend_and_closed),
	KUNIT_CASE(no_packet_is_delivered_during_or_after_suspend),
	KUNIT_CASE(the_same_holds_for_delivery_at_passive),
	KUNIT_CASE(disable_while_waiting_calls_nobody),
	KUNIT_CASE(disable_of_a_paused_channel_calls_closed_alone),
	KUNIT_CASE(disable_of_a_disabled_channel_is_harmless),
	KUNIT_CASE(a_channel_can_be_enabled_again_and_again),
	KUNIT_CASE(no_callback_runs_after_disable),
	KUNIT_CASE(cleanup_of_an_enabled_channel_disables_it_first),
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
