// SPDX-License-Identifier: GPL-2.0
/*
 * The work of the benchmark done through KMCL.
 */
#include <linux/ktime.h>
#include <linux/module.h>
#include "../fixture.h"
#include "bench.h"

struct ours {
	struct side side;
	struct vsc *v;
	VMBPACKET packets[MOST];
	PMDL mdl;
};

static VOID done(VMBPACKET packet, PVOID context, NTSTATUS status, PVOID buf, UINT32 len)
{
	struct ours *o = context;

	o->side.answered++;
}

static VOID process(VMBCHANNEL channel, PVOID context, VMBPACKETCOMPLETION packet, PVOID buf,
		    UINT32 len, UINT32 flags)
{
	struct ours *o = context;

	VmbChannelPacketComplete(packet, payload, REPLY_BYTES);
	o->side.received++;
}

static int send(struct side *s, unsigned int i, u32 len)
{
	struct ours *o = container_of(s, struct ours, side);

	return VmbPacketSend(o->packets[i], payload, len, NULL, WAIT_FOR_COMPLETION);
}

static int send_external(struct side *s, unsigned int i, u32 len)
{
	struct ours *o = container_of(s, struct ours, side);

	return VmbPacketSendWithExternalMdl(o->packets[i], payload, INLINE_BYTES, o->mdl, 0, len,
					    WAIT_FOR_COMPLETION |
					    VMBUS_CHANNEL_FORMAT_FLAG_DATA_IN_ONLY);
}

/* Fire and forget. */
int ours_send_away(struct side *s, unsigned int i, u32 len)
{
	struct ours *o = container_of(s, struct ours, side);

	return VmbPacketSend(o->packets[i], payload, len, NULL, 0);
}

/**
 * ours_new() - a channel of KMCL's, in traffic
 * @test: the case
 * @packets: how many it has; more than WINDOW are small ones
 *
 * Return: the channel, enabled.
 */
struct ours *ours_new(struct kunit *test, unsigned int packets)
{
	struct ours *o = kunit_kzalloc(test, sizeof(*o), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, o);
	o->v = vsc_new(test);
	VmbClientChannelInitSetRingBufferPageCount(o->v->ch, RING_PAGES, RING_PAGES);
	VmbChannelInitSetProcessPacketCallbacksEx(o->v->ch, o, process, NULL);
	if (packets > WINDOW) {
		VmbChannelInitSetMaximumPacketSize(o->v->ch, 64);
		VmbChannelInitSetMaximumExternalData(o->v->ch, PAGE_SIZE, 1);
		KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketCount(o->v->ch, packets),
				STATUS_SUCCESS);
	}
	vsc_bring_up(o->v);
	o->side.host = o->v->host;
	o->side.packets = packets;
	o->side.unanswered = &o->side.ids[0];
	o->side.parked = &o->side.ids[1];
	o->side.send = send;
	o->side.send_external = send_external;
	o->mdl = IoAllocateMdl(external, EXTERNAL_MOST, FALSE, FALSE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, o->mdl);
	MmBuildMdlForNonPagedPool(o->mdl);
	for (i = 0; i < packets; i++) {
		o->packets[i] = VmbPacketAllocate(o->v->ch);
		KUNIT_ASSERT_NOT_NULL(test, o->packets[i]);
		VmbPacketSetCompletionRoutineEx(o->packets[i], o, done);
	}
	return o;
}

struct side *ours_side(struct ours *o)
{
	return &o->side;
}

struct vsc *ours_vsc(struct ours *o)
{
	return o->v;
}

/* Where the reader puts packets. */
void ours_forget_cache(struct ours *o)
{
	struct kmcl_incoming *in;

	list_for_each_entry(in, &o->v->kch->rx.all, all)
		forget_cache(in, sizeof(*in) + in->capacity);
}

void ours_free(struct ours *o)
{
	unsigned int i;

	VmbChannelDisable(o->v->ch);
	for (i = 0; i < o->side.packets; i++)
		VmbPacketFree(o->packets[i]);
	vsc_drop(o->v);
	hvsim_rescind(o->side.host);
	hvsim_settle();
	IoFreeMdl(o->mdl);
}
