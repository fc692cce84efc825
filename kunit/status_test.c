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

/* The rings are gone when Closed is called. */
static void share_in_closed(struct vsc *v, enum vsc_event event)
{
	static u8 page[4096] __aligned(4096);
	NTSTATUS *status = v->priv;
	UINT32 handle;

	if (event == VSC_CLOSED)
		*status = VmbChannelCreateGpadlFromBuffer(v->ch, 0, page, sizeof(page), &handle);
}

static void a_buffer_cannot_be_shared_with_a_host_that_is_gone(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	NTSTATUS status = STATUS_SUCCESS;

	v->priv = &status;
	v->on_state = share_in_closed;
	vsc_bring_up(v);
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_EQ(test, status, STATUS_DEVICE_REMOVED);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(without_a_transport_a_device_is_not_supported_and_guids_wait),
	KUNIT_CASE(a_packet_in_memory_is_sent_again_when_there_is_a_slot),
	KUNIT_CASE(every_form_of_send_says_what_it_lacks),
	KUNIT_CASE(a_buffer_cannot_be_shared_with_a_host_that_is_gone),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_status",
	.init = external_suite_init,
	.exit = external_suite_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
