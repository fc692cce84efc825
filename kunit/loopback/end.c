// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>
#include <linux/slab.h>
#include <kmcl/host.h>
#include "end.h"

const char *end_bus;

static void no_bus(void)
{
}

void (*end_settle)(void) = no_bus;

const GUID end_type = { 0x6b6d636c, 0x0003, 0x4000, { 0x80, 0, 0, 0, 0, 0, 0, 3 } };
const GUID end_instance = { 0x6b6d636c, 0x0004, 0x4000, { 0x80, 0, 0, 0, 0, 0, 0, 4 } };

#define LOOPBACK	VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER

static LIST_HEAD(ends);			/* of the running case */

static void tell(struct end *e, enum end_event event)
{
	if (e->logged < END_LOG - 1)
		e->log[e->logged++] = event;
	if (e->on_state)
		e->on_state(e, event);
	wake_up_all(&e->wait);
}

static NTSTATUS opened(VMBCHANNEL ch, PVOID context)
{
	struct end *e = context;

	tell(e, END_OPENED);
	return e->opened_status;
}

static VOID closed(VMBCHANNEL ch, PVOID context)
{
	tell(context, END_CLOSED);
}

static VOID suspend(VMBCHANNEL ch, PVOID context)
{
	tell(context, END_SUSPEND);
}

static VOID started(VMBCHANNEL ch, PVOID context)
{
	tell(context, END_STARTED);
}

static VOID post_started(VMBCHANNEL ch, PVOID context)
{
	tell(context, END_POST_STARTED);
}

static VOID pnp_failure(VMBCHANNEL ch, NTSTATUS status)
{
	struct end *e = VmbChannelGetPointer(ch);

	e->pnp_status = status;
	tell(e, END_PNP_FAILURE);
}

static VOID process(VMBCHANNEL ch, PVOID context, VMBPACKETCOMPLETION pkt, PVOID buf,
		    UINT32 len, UINT32 flags)
{
	struct end *e = context;

	if (e->on_packet)
		e->on_packet(e, pkt, buf, len, flags);
	else
		VmbChannelPacketComplete(pkt, buf, len);
	atomic_inc(&e->received);
	wake_up_all(&e->wait);
}

VOID end_completed(VMBPACKET packet, PVOID context, NTSTATUS status, PVOID buf, UINT32 len)
{
	struct end *e = context;

	if (status == STATUS_SUCCESS)
		atomic_inc(&e->ok);
	else if (status == STATUS_CANCELLED)
		atomic_inc(&e->cancelled);
	else if (status == STATUS_DEVICE_REMOVED)
		atomic_inc(&e->removed);
	atomic_inc(&e->completions);
	wake_up_all(&e->wait);
	VmbPacketFree(packet);
}

/* A packet whose completion is counted and which then frees itself. */
VMBPACKET end_packet(struct end *e)
{
	VMBPACKET pkt = VmbPacketAllocate(e->ch);

	if (pkt)
		VmbPacketSetCompletionRoutineEx(pkt, e, end_completed);
	return pkt;
}

NTSTATUS end_send(struct end *e, const void *buf, u32 len, u32 flags)
{
	VMBPACKET pkt = end_packet(e);
	NTSTATUS status;

	if (!pkt)
		return STATUS_INSUFFICIENT_RESOURCES;
	status = VmbPacketSend(pkt, (void *)buf, len, NULL, flags);
	if (!NT_SUCCESS(status))
		VmbPacketFree(pkt);
	return status;
}

static void find_bus(struct end *e)
{
	struct kunit *test = e->test;
	HANDLE bus;

	if (!end_bus) {
		KUNIT_ASSERT_EQ(test, VmbServerChannelInitSetFlags(e->ch, LOOPBACK),
				STATUS_SUCCESS);
		return;
	}
	bus = kmcl_host_handle(end_bus);
	KUNIT_ASSERT_NOT_NULL(test, bus);
	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetVmbusHandle(e->ch, bus), STATUS_SUCCESS);
	ZwClose(bus);
}

struct end *end_new(struct kunit *test, bool server)
{
	PVMB_CHANNEL_STATE_CHANGE_CALLBACKS any;
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5 state;
	struct end *e = kunit_kzalloc(test, sizeof(*e), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, e);
	e->test = test;
	e->server = server;
	init_waitqueue_head(&e->wait);
	KUNIT_ASSERT_EQ(test, VmbChannelAllocate(NULL, server, &e->ch), STATUS_SUCCESS);
	list_add(&e->node, &ends);
	e->kch = kmcl_channel_find(e->ch, __func__, _RET_IP_);
	VmbChannelSetPointer(e->ch, e);
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT_V5(&state);
	state.CallbackContext = e;
	state.EvtChannelOpenedEx = opened;
	state.EvtChannelClosedEx = closed;
	state.EvtChannelSuspendEx = suspend;
	state.EvtChannelStartedEx = started;
	state.EvtChannelPostStartedEx = post_started;
	any = (PVMB_CHANNEL_STATE_CHANGE_CALLBACKS)&state;
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetStateChangeCallbacks(e->ch, any), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetProcessPacketCallbacksEx(e->ch, e, process, NULL),
			STATUS_SUCCESS);
	if (server) {
		KUNIT_ASSERT_EQ(test, VmbServerChannelInitSetTargetInterfaceId(e->ch, end_type,
									       end_instance),
				STATUS_SUCCESS);
		find_bus(e);
	} else {
		KUNIT_ASSERT_EQ(test, VmbClientChannelInitSetTargetPnp(e->ch, &end_type,
								       &end_instance, pnp_failure),
				STATUS_SUCCESS);
	}
	return e;
}

void end_drop(struct end *e)
{
	list_del_init(&e->node);
	VmbChannelDisable(e->ch);
	VmbChannelCleanup(e->ch);
}

void end_clear_log(struct end *e)
{
	memset(e->log, 0, sizeof(e->log));
	e->logged = 0;
}

static bool is_running(struct end *e)
{
	return READ_ONCE(e->kch->running) && !READ_ONCE(e->kch->life_owner);
}

void end_bring_up(struct end *server, struct end *client)
{
	struct kunit *test = server->test;

	KUNIT_ASSERT_EQ(test, VmbChannelEnable(server->ch), STATUS_SUCCESS);
	VmbChannelStart(server->ch);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(client->ch), STATUS_SUCCESS);
	KUNIT_ASSERT_TRUE(test, end_wait(server, is_running(server)));
	KUNIT_ASSERT_TRUE(test, end_wait(client, is_running(client)));
}

void end_pair(struct kunit *test, struct end **server, struct end **client)
{
	*server = end_new(test, true);
	*client = end_new(test, false);
	end_bring_up(*server, *client);
	end_expect_log(*server, "OSP");
	end_expect_log(*client, "OSP");
	end_clear_log(*server);
	end_clear_log(*client);
}

int end_init(struct kunit *test)
{
	return 0;
}

void end_exit(struct kunit *test)
{
	struct end *e, *next;

	list_for_each_entry_safe(e, next, &ends, node)
		if (!e->server)
			end_drop(e);
	list_for_each_entry_safe(e, next, &ends, node)
		end_drop(e);
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KMCL: suites of servers and clients in the loopback");
