// SPDX-License-Identifier: GPL-2.0
/*
 * The driver that the suites put between KMCL and the simulated host.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include "fixture.h"

const guid_t vsc_type = GUID_INIT(0x6b6d636c, 0x0001, 0x4000, 0x80, 0, 0, 0, 0, 0, 0, 1);
const guid_t vsc_instance = GUID_INIT(0x6b6d636c, 0x0002, 0x4000, 0x80, 0, 0, 0, 0, 0, 0, 2);

static void vsc_event(struct vsc *v, enum vsc_event event)
{
	if (v->logged < VSC_LOG - 1)
		v->log[v->logged++] = event;
	if (v->on_state)
		v->on_state(v, event);
	wake_up_all(&v->wait);
}

static NTSTATUS vsc_opened(VMBCHANNEL ch, PVOID context)
{
	struct vsc *v = context;

	vsc_event(v, VSC_OPENED);
	return v->opened_status;
}

static VOID vsc_closed(VMBCHANNEL ch, PVOID context)
{
	vsc_event(context, VSC_CLOSED);
}

static VOID vsc_suspend(VMBCHANNEL ch, PVOID context)
{
	vsc_event(context, VSC_SUSPEND);
}

static VOID vsc_started(VMBCHANNEL ch, PVOID context)
{
	vsc_event(context, VSC_STARTED);
}

static VOID vsc_post_started(VMBCHANNEL ch, PVOID context)
{
	vsc_event(context, VSC_POST_STARTED);
}

static VOID vsc_pnp_failure(VMBCHANNEL ch, NTSTATUS status)
{
	struct vsc *v = VmbChannelGetPointer(ch);

	v->pnp_status = status;
	vsc_event(v, VSC_PNP_FAILURE);
}

static VOID vsc_process(VMBCHANNEL ch, PVOID context, VMBPACKETCOMPLETION pkt,
			PVOID buf, UINT32 len, UINT32 flags)
{
	struct vsc *v = context;

	atomic_inc(&v->in_packet);
	atomic_inc(&v->received);
	if (v->on_packet)
		v->on_packet(v, pkt, buf, len);
	else
		VmbChannelPacketComplete(pkt, buf, len);
	atomic_dec(&v->in_packet);
	wake_up_all(&v->wait);
}

static VOID vsc_processed(VMBCHANNEL ch, PVOID context, UINT32 count)
{
	struct vsc *v = context;

	atomic_inc(&v->batches);
	atomic_add(count, &v->batch_packets);
	wake_up_all(&v->wait);
}

void vsc_count(struct vsc *v, NTSTATUS status)
{
	if (status == STATUS_SUCCESS)
		atomic_inc(&v->ok);
	else if (status == STATUS_CANCELLED)
		atomic_inc(&v->cancelled);
	else if (status == STATUS_DEVICE_REMOVED)
		atomic_inc(&v->removed);
	atomic_inc(&v->completions);
	wake_up_all(&v->wait);
}

VOID vsc_completed(VMBPACKET packet, PVOID context, NTSTATUS status, PVOID buf, UINT32 len)
{
	vsc_count(context, status);
	VmbPacketFree(packet);
}

/* A packet whose completion is counted and which then frees itself. */
VMBPACKET vsc_packet(struct vsc *v)
{
	VMBPACKET pkt = VmbPacketAllocate(v->ch);

	if (pkt)
		VmbPacketSetCompletionRoutineEx(pkt, v, vsc_completed);
	return pkt;
}

NTSTATUS vsc_send(struct vsc *v, const void *buf, u32 len, u32 flags)
{
	VMBPACKET pkt = vsc_packet(v);
	NTSTATUS status;

	if (!pkt)
		return STATUS_INSUFFICIENT_RESOURCES;
	status = VmbPacketSend(pkt, (void *)buf, len, NULL, flags);
	if (!NT_SUCCESS(status))
		VmbPacketFree(pkt);
	return status;
}

/* Every VSC of the running case; a case's resources end after its suite's exit. */
static LIST_HEAD(vscs);

/**
 * vsc_drop() - disable and clean up, now rather than at the end of the case
 * @v: the driver
 */
void vsc_drop(struct vsc *v)
{
	list_del_init(&v->node);
	VmbChannelDisable(v->ch);
	VmbChannelCleanup(v->ch);
}

struct vsc *vsc_new(struct kunit *test)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5 state;
	struct vsc *v = kunit_kzalloc(test, sizeof(*v), GFP_KERNEL);
	NTSTATUS status;

	KUNIT_ASSERT_NOT_NULL(test, v);
	v->test = test;
	init_waitqueue_head(&v->wait);
	v->offer.type = vsc_type;
	v->offer.instance = vsc_instance;
	KUNIT_ASSERT_EQ(test, VmbChannelAllocate(NULL, FALSE, &v->ch), STATUS_SUCCESS);
	v->kch = kmcl_channel(v->ch);
	list_add(&v->node, &vscs);

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT_V5(&state);
	state.CallbackContext = v;
	state.EvtChannelOpenedEx = vsc_opened;
	state.EvtChannelClosedEx = vsc_closed;
	state.EvtChannelSuspendEx = vsc_suspend;
	state.EvtChannelStartedEx = vsc_started;
	state.EvtChannelPostStartedEx = vsc_post_started;
	status = VmbChannelInitSetStateChangeCallbacks(v->ch, (void *)&state);
	KUNIT_ASSERT_EQ(test, status, STATUS_SUCCESS);
	status = VmbChannelInitSetProcessPacketCallbacksEx(v->ch, v, vsc_process, vsc_processed);
	KUNIT_ASSERT_EQ(test, status, STATUS_SUCCESS);
	status = VmbClientChannelInitSetTargetPnp(v->ch, (void *)&vsc_type,
						  (void *)&vsc_instance, vsc_pnp_failure);
	KUNIT_ASSERT_EQ(test, status, STATUS_SUCCESS);
	VmbChannelSetPointer(v->ch, v);
	return v;
}

void vsc_offer(struct vsc *v)
{
	/* who asks for an answer within the send means to see it when that returns */
	if (v->offer.exec == HVSIM_EXEC_INLINE)
		hvsim_stay_on_bus_cpu();
	v->host = hvsim_offer(&v->offer);
	KUNIT_ASSERT_NOT_NULL(v->test, v->host);
	hvsim_settle();
}

/* Offer and enable, whatever comes of it. */
NTSTATUS vsc_up(struct vsc *v)
{
	vsc_offer(v);
	return VmbChannelEnable(v->ch);
}

/* Offer, enable, and be in traffic, with an empty log. */
void vsc_bring_up(struct vsc *v)
{
	KUNIT_ASSERT_EQ(v->test, vsc_up(v), STATUS_SUCCESS);
	KUNIT_ASSERT_TRUE(v->test, v->host->open);
	KUNIT_ASSERT_STREQ(v->test, v->log, "OSP");
	memset(v->log, 0, sizeof(v->log));
	v->logged = 0;
}

/* Take the offer back and wait until the bus has removed the device. */
void vsc_rescind(struct vsc *v)
{
	hvsim_rescind(v->host);
	KUNIT_EXPECT_TRUE(v->test, hvsim_wait_released(v->host));
}

int vsc_suite_init(struct kunit *test)
{
	return hvsim_begin(test);
}

void vsc_suite_exit(struct kunit *test)
{
	struct vsc *v, *next;

	list_for_each_entry_safe(v, next, &vscs, node)
		vsc_drop(v);
	hvsim_end(test);
}
