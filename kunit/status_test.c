// SPDX-License-Identifier: GPL-2.0
/*
 * Statuses that no other suite comes by.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include "external.h"
#include "fixture.h"
#include "kmsg.h"

/* With the bus's transport away: a device cannot come, and GUIDs only in the loopback. */
static void without_a_transport_a_device_is_not_supported_and_guids_wait(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct kmcl_transport *transport;
	NTSTATUS status, waits;
	VMBCHANNEL bare;
	struct kmsg k;

	vsc_bring_up(v);
	transport = v->kch->transport;
	VmbChannelDisable(v->ch);
	KUNIT_ASSERT_EQ(test, VmbChannelAllocate(NULL, FALSE, &bare), STATUS_SUCCESS);

	kmcl_transport_unregister(transport);
	kmsg_mark(&k);
	status = VmbChannelEnable(bare);
	waits = VmbChannelEnable(v->ch);
	KUNIT_EXPECT_EQ(test, v->kch->state, KMCL_WAITING);
	KUNIT_EXPECT_EQ(test, kmcl_transport_register(transport), 0);
	KUNIT_EXPECT_EQ(test, status, STATUS_NOT_SUPPORTED);
	kmsg_expect(test, &k, 1, "no transport: modprobe kmcl_vmbus");
	KUNIT_EXPECT_EQ(test, waits, STATUS_SUCCESS);
	kmsg_expect(test, &k, 1, "there is no VMBus here: waiting for an offer of the loopback");
	/* it looks again when there is one */
	vsc_expect_soon(v, v->logged == 5);
	vsc_expect_log(v, "UCOSP");
	VmbChannelCleanup(bare);
}

/* Keeps its packet; the slot went with the completion, and somebody else may have it. */
static VOID keep(VMBPACKET packet, PVOID context, NTSTATUS status, PVOID buf, UINT32 len)
{
	vsc_count(context, status);
}

static void a_packet_in_memory_is_sent_again_when_there_is_a_slot(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	VMBPACKET pkt, other;
	u32 size;

	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketCount(v->ch, 1), STATUS_SUCCESS);
	v->offer.exec = HVSIM_EXEC_INLINE;
	vsc_bring_up(v);
	size = VmbChannelSizeofPacket(v->ch);
	pkt = kunit_kzalloc(test, size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pkt);
	KUNIT_ASSERT_EQ(test, VmbPacketInitialize(v->ch, pkt, size), STATUS_SUCCESS);
	VmbPacketSetCompletionRoutineEx(pkt, v, keep);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, "1", 1, NULL, 0), STATUS_SUCCESS);
	other = VmbPacketAllocate(v->ch);
	KUNIT_ASSERT_NOT_NULL(test, other);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, "2", 1, NULL, 0), STATUS_INSUFFICIENT_RESOURCES);
	VmbPacketFree(other);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, "3", 1, NULL, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->ok), 2);
	KUNIT_EXPECT_EQ(test, v->kch->packets, 0u);
}

/* The same for all three: a slot, a channel that is enabled, no more than is allowed. */
static void every_form_of_send_says_what_it_lacks(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	u8 *page = kunit_kzalloc(test, HV_HYP_PAGE_SIZE, GFP_KERNEL);
	PFN_NUMBER frame = frame_of(page);
	VMBPACKET pkt, other;
	PMDL mdl, chain;
	u32 size;

	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketCount(v->ch, 1), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumExternalData(v->ch, 4096, 1),
			STATUS_SUCCESS);
	mdl = mdl_for(page, 64);
	chain = mdl_before(page, 64, mdl);
	v->offer.exec = HVSIM_EXEC_INLINE;
	vsc_bring_up(v);
	size = VmbChannelSizeofPacket(v->ch);
	pkt = kunit_kzalloc(test, size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pkt);
	KUNIT_ASSERT_EQ(test, VmbPacketInitialize(v->ch, pkt, size), STATUS_SUCCESS);
	VmbPacketSetCompletionRoutineEx(pkt, v, keep);

	KUNIT_EXPECT_EQ(test, VmbPacketSendWithExternalMdl(pkt, NULL, 0, chain, 0, 0,
							   WAIT_FOR_COMPLETION),
			STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_EQ(test, VmbPacketSendWithExternalMdl(pkt, NULL, 0, mdl, 0, 0,
							   WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, atomic_read(&v->ok), 1);
	other = VmbPacketAllocate(v->ch);
	KUNIT_ASSERT_NOT_NULL(test, other);
	KUNIT_EXPECT_EQ(test, VmbPacketSendWithExternalMdl(pkt, NULL, 0, mdl, 0, 0,
							   WAIT_FOR_COMPLETION),
			STATUS_INSUFFICIENT_RESOURCES);
	KUNIT_EXPECT_EQ(test, VmbPacketSendWithExternalPfns(pkt, NULL, 0, &frame, 1,
							    WAIT_FOR_COMPLETION),
			STATUS_INSUFFICIENT_RESOURCES);
	VmbPacketFree(other);
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_EQ(test, VmbPacketSendWithExternalMdl(pkt, NULL, 0, mdl, 0, 0,
							   WAIT_FOR_COMPLETION),
			STATUS_INVALID_DEVICE_STATE);
	KUNIT_EXPECT_EQ(test, VmbPacketSendWithExternalPfns(pkt, NULL, 0, &frame, 1,
							    WAIT_FOR_COMPLETION),
			STATUS_INVALID_DEVICE_STATE);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->completions), 1);
	VmbPacketFree(pkt);
}

/* What is to be shared in all ways, and what became of each. */
struct shared {
	u8 *page;
	PFN_NUMBER frame;
	PMDL mdl;
	NTSTATUS status[3];
};

static void share(struct vsc *v, struct shared *s)
{
	UINT32 handle;

	s->status[0] = VmbChannelCreateGpadlFromBuffer(v->ch, 0, s->page, PAGE_SIZE, &handle);
	s->status[1] = VmbChannelCreateGpadlFromMdl(v->ch, 0, s->mdl, 0, 0, &handle);
	s->status[2] = VmbChannelCreateGpadlFromPfnList(v->ch, 0, &s->frame, 1, &handle);
}

/* The rings are gone when Closed is called. */
static void share_in_closed(struct vsc *v, enum vsc_event event)
{
	if (event == VSC_CLOSED)
		share(v, v->priv);
}

static void nothing_can_be_shared_with_a_host_that_refuses_or_is_gone(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct shared s = { .page = (u8 *)__get_free_page(GFP_KERNEL) };
	int i;

	KUNIT_ASSERT_NOT_NULL(test, s.page);
	s.frame = frame_of(s.page);
	s.mdl = mdl_for(s.page, PAGE_SIZE);
	v->priv = &s;
	v->on_state = share_in_closed;
	vsc_bring_up(v);
	v->host->script.gpadl_status = 0xc0000001;
	share(v, &s);
	for (i = 0; i < ARRAY_SIZE(s.status); i++)
		KUNIT_EXPECT_EQ(test, s.status[i], STATUS_UNSUCCESSFUL);
	v->host->script.gpadl_status = 0;
	VmbChannelDisable(v->ch);
	for (i = 0; i < ARRAY_SIZE(s.status); i++)
		KUNIT_EXPECT_EQ(test, s.status[i], STATUS_DEVICE_REMOVED);
	free_page((unsigned long)s.page);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(without_a_transport_a_device_is_not_supported_and_guids_wait),
	KUNIT_CASE(a_packet_in_memory_is_sent_again_when_there_is_a_slot),
	KUNIT_CASE(every_form_of_send_says_what_it_lacks),
	KUNIT_CASE(nothing_can_be_shared_with_a_host_that_refuses_or_is_gone),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_status",
	.init = external_suite_init,
	.exit = external_suite_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
