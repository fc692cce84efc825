// SPDX-License-Identifier: GPL-2.0
/*
 * Which callbacks are called, in both styles, and what a driver must not do
 * inside them.
 */
#include <linux/module.h>
#include "fixture.h"
#include "kmsg.h"

/* ---- registration ---- */

static char legacy_log[16];
static unsigned int legacy_packets, legacy_batched;
static VMBCHANNEL legacy_channel;

static void legacy_event(VMBCHANNEL ch, char letter)
{
	unsigned int n = strlen(legacy_log);

	legacy_channel = ch;
	if (n < sizeof(legacy_log) - 1)
		legacy_log[n] = letter;
}

static NTSTATUS legacy_opened(VMBCHANNEL ch)
{
	legacy_event(ch, 'o');
	return STATUS_SUCCESS;
}

static VOID legacy_closed(VMBCHANNEL ch)
{
	legacy_event(ch, 'c');
}

static VOID legacy_suspend(VMBCHANNEL ch)
{
	legacy_event(ch, 'u');
}

static VOID legacy_started(VMBCHANNEL ch)
{
	legacy_event(ch, 's');
}

static VOID legacy_post_started(VMBCHANNEL ch)
{
	legacy_event(ch, 'p');
}

static VOID legacy_process(VMBCHANNEL ch, VMBPACKETCOMPLETION pkt, PVOID buf, UINT32 len,
			   UINT32 flags)
{
	struct vsc *v = VmbChannelGetPointer(ch);

	legacy_packets++;
	KUNIT_EXPECT_EQ(v->test, len, 8u);
	KUNIT_EXPECT_MEMEQ(v->test, buf, "message", 8);
	VmbChannelPacketComplete(pkt, "thanks!", 8);
}

static VOID legacy_processed(VMBCHANNEL ch, UINT32 count)
{
	struct vsc *v = VmbChannelGetPointer(ch);

	legacy_batched += count;
	wake_up_all(&v->wait);
}

static void register_legacy(struct vsc *v)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS state;

	memset(legacy_log, 0, sizeof(legacy_log));
	legacy_packets = 0;
	legacy_batched = 0;
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&state);
	state.EvtChannelOpened = legacy_opened;
	state.EvtChannelClosed = legacy_closed;
	state.EvtChannelSuspend = legacy_suspend;
	state.EvtChannelStarted = legacy_started;
	state.EvtChannelPostStarted = legacy_post_started;
	KUNIT_EXPECT_EQ(v->test, VmbChannelInitSetStateChangeCallbacks(v->ch, &state),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(v->test, VmbChannelInitSetProcessPacketCallbacks(v->ch, legacy_process,
									 legacy_processed),
			STATUS_SUCCESS);
}

static void host_asks(struct vsc *v, u64 id)
{
	KUNIT_EXPECT_EQ(v->test, hvsim_send(v->host, VM_PKT_DATA_INBAND,
					    VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED, id,
					    "message", 8), 0);
}

/* The host got a completion of @id with @payload as its only packet. */
static void expect_completion(struct vsc *v, u64 id, const char *payload, u32 len)
{
	struct hvsim_packet *pkt;

	hvsim_settle();
	pkt = list_first_entry_or_null(&v->host->record, struct hvsim_packet, node);
	KUNIT_ASSERT_NOT_NULL(v->test, pkt);
	KUNIT_EXPECT_TRUE(v->test, list_is_singular(&v->host->record));
	KUNIT_EXPECT_EQ(v->test, pkt->desc.type, VM_PKT_COMP);
	KUNIT_EXPECT_EQ(v->test, pkt->desc.trans_id, id);
	KUNIT_ASSERT_EQ(v->test, hvsim_payload_len(pkt), len);
	if (len)
		KUNIT_EXPECT_MEMEQ(v->test, hvsim_payload(pkt), payload, len);
}

static void the_legacy_callbacks_work_too(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	register_legacy(v);
	v->offer.script.record = true;
	KUNIT_EXPECT_EQ(test, vsc_up(v), STATUS_SUCCESS);
	KUNIT_EXPECT_STREQ(test, legacy_log, "osp");
	KUNIT_EXPECT_PTR_EQ(test, legacy_channel, v->ch);
	host_asks(v, 77);
	vsc_expect_soon(v, legacy_batched == 1);
	KUNIT_EXPECT_EQ(test, legacy_packets, 1u);
	expect_completion(v, 77, "thanks!", 8);
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_STREQ(test, legacy_log, "ospuc");
	vsc_expect_log(v, "");
	KUNIT_EXPECT_EQ(test, atomic_read(&v->received), 0);
}

static VOID other_started(VMBCHANNEL ch, PVOID context)
{
	*(char *)context = 'x';
}

static void the_latest_valid_registration_wins(struct kunit *test)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5 state;
	struct vsc *v = vsc_new(test);
	char seen = 0;

	register_legacy(v);
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT_V5(&state);
	state.CallbackContext = &seen;
	state.EvtChannelStartedEx = other_started;
	KUNIT_EXPECT_EQ(test, vsc_set_state(v->ch, &state), STATUS_SUCCESS);
	/* one that is refused changes nothing */
	state.CallbackContext = NULL;
	state.Size--;
	KUNIT_EXPECT_EQ(test, vsc_set_state(v->ch, &state), STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, vsc_up(v), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, seen, 'x');
	KUNIT_EXPECT_STREQ(test, legacy_log, "");
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_STREQ(test, legacy_log, "");
}

static void the_callbacks_struct_is_copied(struct kunit *test)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5 state;
	struct vsc *v = vsc_new(test);
	char seen = 0;

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT_V5(&state);
	state.CallbackContext = &seen;
	state.EvtChannelStartedEx = other_started;
	KUNIT_EXPECT_EQ(test, vsc_set_state(v->ch, &state), STATUS_SUCCESS);
	memset(&state, 0xff, sizeof(state));
	KUNIT_EXPECT_EQ(test, vsc_up(v), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, seen, 'x');
}

static void without_callbacks_packets_are_completed_empty(struct kunit *test)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS state;
	struct vsc *v = vsc_new(test);

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&state);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetStateChangeCallbacks(v->ch, &state),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetProcessPacketCallbacks(v->ch, NULL, NULL),
			STATUS_SUCCESS);
	v->offer.script.record = true;
	KUNIT_EXPECT_EQ(test, vsc_up(v), STATUS_SUCCESS);
	host_asks(v, 5);
	expect_completion(v, 5, NULL, 0);
	VmbChannelPause(v->ch);
	VmbChannelStart(v->ch);
	VmbChannelDisable(v->ch);
	vsc_expect_log(v, "");
}

static void a_channel_that_registers_nothing_opens_and_closes(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	VMBCHANNEL ch;

	vsc_offer(v);
	KUNIT_ASSERT_EQ(test, VmbChannelAllocate(NULL, FALSE, &ch), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, vsc_set_target(ch, NULL), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(ch), STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, v->host->open);
	VmbChannelDisable(ch);
	KUNIT_EXPECT_FALSE(test, v->host->open);
	VmbChannelCleanup(ch);
}

/* ---- what is refused inside a callback ---- */

static void misuse(struct vsc *v)
{
	KUNIT_EXPECT_EQ(v->test, VmbChannelEnable(v->ch), STATUS_INVALID_DEVICE_STATE);
	VmbChannelStart(v->ch);
	VmbChannelPause(v->ch);
	VmbChannelDisable(v->ch);
	VmbChannelCleanup(v->ch);
}

#define MISUSES	5

static void expect_refusals(struct kunit *test, const struct kmsg *k, const char *where)
{
	KUNIT_EXPECT_EQ(test, kmsg_count(k, where), MISUSES);
	kmsg_expect(test, k, 1, "VmbChannelEnable");
	kmsg_expect(test, k, 1, "VmbChannelStart");
	kmsg_expect(test, k, 1, "VmbChannelPause");
	kmsg_expect(test, k, 1, "VmbChannelDisable");
	kmsg_expect(test, k, 1, "VmbChannelCleanup");
}

static void misuse_in_started(struct vsc *v, enum vsc_event event)
{
	if (event == VSC_STARTED)
		misuse(v);
}

static void control_inside_a_state_callback_is_refused_with_one_line(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct kmsg k;

	v->on_state = misuse_in_started;
	vsc_offer(v);
	kmsg_mark(&k);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	expect_refusals(test, &k, "inside a state change callback, ignored");
	vsc_expect_log(v, "OSP");
	KUNIT_EXPECT_EQ(test, vsc_send(v, "x", 1, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	vsc_expect_soon(v, atomic_read(&v->ok) == 1);
}

static void misuse_in_others(struct vsc *v, enum vsc_event event)
{
	if (event == VSC_SUSPEND)
		VmbChannelDisable(v->ch);
	else if (event == VSC_CLOSED)
		VmbChannelStart(v->ch);
	else if (event == VSC_OPENED)
		VmbChannelPause(v->ch);
}

static void suspend_closed_and_opened_hang_nobody_who_misuses_them(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	v->on_state = misuse_in_others;
	vsc_bring_up(v);
	VmbChannelPause(v->ch);
	VmbChannelStart(v->ch);
	VmbChannelDisable(v->ch);
	vsc_expect_log(v, "USPUC");
}

static void misuse_in_packet(struct vsc *v, VMBPACKETCOMPLETION pkt, void *buf, u32 len)
{
	misuse(v);
	VmbChannelPacketComplete(pkt, NULL, 0);
}

static void control_inside_process_packet_is_refused_with_one_line(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct kmsg k;

	v->on_packet = misuse_in_packet;
	vsc_bring_up(v);
	kmsg_mark(&k);
	host_asks(v, 1);
	vsc_expect_soon(v, atomic_read(&v->batches) == 1);
	expect_refusals(test, &k, "above PASSIVE_LEVEL, ignored");
	vsc_expect_log(v, "");
	KUNIT_EXPECT_TRUE(test, v->host->open);
}

static void control_inside_passive_process_packet_is_refused_too(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct kmsg k;

	VmbChannelSetIncomingProcessingAtPassive(v->ch, TRUE);
	v->on_packet = misuse_in_packet;
	vsc_bring_up(v);
	kmsg_mark(&k);
	host_asks(v, 1);
	vsc_expect_soon(v, atomic_read(&v->batches) == 1);
	expect_refusals(test, &k, "inside ProcessPacket, ignored");
	vsc_expect_log(v, "");
	KUNIT_EXPECT_TRUE(test, v->host->open);
}

static VOID misuse_in_completion(VMBPACKET pkt, PVOID context, NTSTATUS status, PVOID buf,
				 UINT32 len)
{
	struct vsc *v = context;

	VmbChannelPause(v->ch);
	VmbChannelDisable(v->ch);
	vsc_completed(pkt, context, status, buf, len);
}

static void control_inside_a_completion_routine_is_refused(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct kmsg k;
	VMBPACKET pkt;

	vsc_bring_up(v);
	pkt = VmbPacketAllocate(v->ch);
	KUNIT_ASSERT_NOT_NULL(test, pkt);
	VmbPacketSetCompletionRoutineEx(pkt, v, misuse_in_completion);
	kmsg_mark(&k);
	/* completes when it enters the ring: on this very thread */
	KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, "x", 1, NULL, 0), STATUS_SUCCESS);
	vsc_expect_soon(v, atomic_read(&v->ok) == 1);
	kmsg_expect(test, &k, 1, "VmbChannelPause above PASSIVE_LEVEL");
	kmsg_expect(test, &k, 1, "VmbChannelDisable above PASSIVE_LEVEL");
	vsc_expect_log(v, "");
	KUNIT_EXPECT_TRUE(test, v->host->open);
}

/* ---- several threads ---- */

struct other {
	struct work_struct work;
	struct vsc *v;
	NTSTATUS status;
};

static void enable_elsewhere(struct work_struct *work)
{
	struct other *o = container_of(work, struct other, work);

	o->status = VmbChannelEnable(o->v->ch);
}

static void disable_elsewhere(struct work_struct *work)
{
	struct other *o = container_of(work, struct other, work);

	VmbChannelDisable(o->v->ch);
	o->status = STATUS_SUCCESS;
}

static void kick_other(struct vsc *v, enum vsc_event event)
{
	struct other *o = v->priv;

	if (event != VSC_OPENED)
		return;
	schedule_work(&o->work);
	/* give it time to run into us */
	schedule_timeout_uninterruptible(3);
}

static void a_second_enable_waits_for_the_first_and_is_refused(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct other o = { .v = v, .status = STATUS_PENDING };

	INIT_WORK_ONSTACK(&o.work, enable_elsewhere);
	v->priv = &o;
	v->on_state = kick_other;
	KUNIT_EXPECT_EQ(test, vsc_up(v), STATUS_SUCCESS);
	flush_work(&o.work);
	destroy_work_on_stack(&o.work);
	KUNIT_EXPECT_EQ(test, o.status, STATUS_INVALID_DEVICE_STATE);
	vsc_expect_log(v, "OSP");
}

static void disable_during_enable_ends_in_disabled(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct other o = { .v = v, .status = STATUS_PENDING };

	INIT_WORK_ONSTACK(&o.work, disable_elsewhere);
	v->priv = &o;
	v->on_state = kick_other;
	vsc_up(v);
	flush_work(&o.work);
	destroy_work_on_stack(&o.work);
	KUNIT_EXPECT_EQ(test, o.status, STATUS_SUCCESS);
	KUNIT_EXPECT_FALSE(test, v->host->open);
	/* what was opened is closed; what was not started is not suspended */
	vsc_expect_log(v, "OC");
	KUNIT_EXPECT_EQ(test, vsc_send(v, "x", 1, 0), STATUS_INVALID_DEVICE_STATE);
	v->on_state = NULL;
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(the_legacy_callbacks_work_too),
	KUNIT_CASE(the_latest_valid_registration_wins),
	KUNIT_CASE(the_callbacks_struct_is_copied),
	KUNIT_CASE(without_callbacks_packets_are_completed_empty),
	KUNIT_CASE(a_channel_that_registers_nothing_opens_and_closes),
	KUNIT_CASE(control_inside_a_state_callback_is_refused_with_one_line),
	KUNIT_CASE(suspend_closed_and_opened_hang_nobody_who_misuses_them),
	KUNIT_CASE(control_inside_process_packet_is_refused_with_one_line),
	KUNIT_CASE(control_inside_passive_process_packet_is_refused_too),
	KUNIT_CASE(control_inside_a_completion_routine_is_refused),
	KUNIT_CASE(a_second_enable_waits_for_the_first_and_is_refused),
	KUNIT_CASE(disable_during_enable_ends_in_disabled),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_callback",
	.init = vsc_suite_init,
	.exit = vsc_suite_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
