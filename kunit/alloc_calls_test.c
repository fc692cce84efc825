// SPDX-License-Identifier: GPL-2.0
/* No memory: what is left when an object ends, external data, answers. See alloc.h. */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "alloc.h"
#include "external.h"
#include "helper.h"

/* ---- ends ---- */

static void do_cleanup(struct vsc *v, unsigned int nth)
{
	VMBCHANNEL ch;
	bool met;

	KUNIT_ASSERT_EQ(v->test, VmbChannelAllocate(NULL, FALSE, &ch), STATUS_SUCCESS);
	fail_allocation(nth);
	VmbChannelCleanup(ch);
	met = allocation_failed();
	/* its handle names nothing any more */
	KUNIT_EXPECT_EQ(v->test, VmbChannelInitSetFlags(ch, 0), STATUS_INVALID_PARAMETER_1);
	swept(v, met);
}

static void cleanup_needs_no_memory(struct kunit *test)
{
	sweep(test, do_cleanup, vsc_new(test), 0);
}

static void do_free(struct vsc *v, unsigned int nth)
{
	VMBPACKET pkt = VmbPacketAllocate(v->ch);
	bool met;

	KUNIT_ASSERT_NOT_NULL(v->test, pkt);
	fail_allocation(nth);
	VmbPacketFree(pkt);
	met = allocation_failed();
	KUNIT_EXPECT_EQ(v->test, v->kch->packets, 0u);
	KUNIT_EXPECT_NULL(v->test, VmbPacketGetChannel(pkt));
	swept(v, met);
}

static void packet_free_needs_no_memory(struct kunit *test)
{
	sweep(test, do_free, small_vsc(test), 0);
}

/* ---- Start and Pause ---- */

static void do_pause(struct vsc *v, unsigned int nth)
{
	bool met;

	fail_allocation(nth);
	VmbChannelPause(v->ch);
	met = allocation_failed();
	KUNIT_EXPECT_FALSE(v->test, v->kch->running);
	VmbChannelStart(v->ch);
	KUNIT_EXPECT_TRUE(v->test, v->kch->running);
	swept(v, met);
}

static void do_start(struct vsc *v, unsigned int nth)
{
	int ok = atomic_read(&v->ok);
	bool met;

	VmbChannelPause(v->ch);
	KUNIT_EXPECT_EQ(v->test, vsc_send(v, "held", 5, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	fail_allocation(nth);
	VmbChannelStart(v->ch);
	met = allocation_failed();
	KUNIT_EXPECT_TRUE(v->test, v->kch->running);
	vsc_expect_soon(v, atomic_read(&v->ok) == ok + 1);
	swept(v, met);
}

static void pause_and_start_need_no_memory(struct kunit *test)
{
	struct vsc *v = small_vsc(test);

	vsc_bring_up(v);
	sweep(test, do_pause, v, 0);
	sweep(test, do_start, v, 0);
	KUNIT_EXPECT_EQ(test, alloc_failures, 0u);
}

/* ---- external data ---- */

static u8 *lent;
static PMDL lent_mdl;

static NTSTATUS send_mdl(struct vsc *v, VMBPACKET pkt)
{
	return VmbPacketSend(pkt, "x", 1, lent_mdl, WAIT_FOR_COMPLETION);
}

static NTSTATUS send_external_mdl(struct vsc *v, VMBPACKET pkt)
{
	return VmbPacketSendWithExternalMdl(pkt, "x", 1, lent_mdl, 100, 0,
					    WAIT_FOR_COMPLETION);
}

static NTSTATUS send_external_pfns(struct vsc *v, VMBPACKET pkt)
{
	PFN_NUMBER frame = frame_of(lent);

	return VmbPacketSendWithExternalPfns(pkt, "x", 1, &frame, 1, WAIT_FOR_COMPLETION);
}

static void a_send_with_external_data_allocates_nothing(struct kunit *test)
{
	NTSTATUS (* const ways[])(struct vsc *v, VMBPACKET pkt) = {
		send_mdl, send_external_mdl, send_external_pfns,
	};
	struct vsc *v = small_vsc(test);
	struct bounce *transport;
	unsigned int i;

	lent = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, lent);
	lent_mdl = mdl_for(lent, 200);
	vsc_bring_up(v);
	/* the DMA API's own debugging gives up when it finds no memory */
	transport = bounce_new(test);
	bounce_set(transport, v->kch->target.link);
	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		VMBPACKET pkt = vsc_packet(v);

		KUNIT_ASSERT_NOT_NULL(test, pkt);
		fail_allocation(1);
		KUNIT_EXPECT_EQ(test, ways[i](v, pkt), STATUS_SUCCESS);
		KUNIT_EXPECT_FALSE(test, allocation_failed());
		vsc_expect_soon(v, atomic_read(&v->ok) == i + 1);
	}
	bounce_expect_even(test, transport);
}

static void do_bounce(struct vsc *v, unsigned int nth)
{
	u32 bytes = v->kch->bounce.bytes;
	NTSTATUS status;
	bool met;

	fail_allocation(nth);
	status = VmbChannelAllocateBounceBuffer(v->ch, 2 * PAGE_SIZE);
	met = allocation_failed();
	expect_status(v, status, met);
	if (NT_SUCCESS(status))
		bytes += 2 * PAGE_SIZE;
	KUNIT_EXPECT_EQ(v->test, v->kch->bounce.bytes, bytes);
	swept(v, met);
}

static void bounce_memory_is_had_or_not(struct kunit *test)
{
	struct vsc *v = small_vsc(test);

	vsc_bring_up(v);
	/* the chunk, what is in use of it, the memory */
	sweep(test, do_bounce, v, 3);
	KUNIT_EXPECT_GE(test, alloc_failures, 3u);
}

/* ---- the device's window ---- */

static void do_window(struct vsc *v, unsigned int nth)
{
	u64 start = 1, size = 1;
	bool met;

	/* each open reserves it anew */
	KUNIT_ASSERT_EQ(v->test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	fail_allocation(nth);
	VmbChannelGetMmioSpace(v->ch, &start, &size);
	met = allocation_failed();
	if (!met)
		KUNIT_EXPECT_EQ(v->test, size, (u64)SZ_1M);
	if (!size) {
		KUNIT_EXPECT_EQ(v->test, start, 0ull);
		/* the next who asks may be luckier */
		VmbChannelGetMmioSpace(v->ch, &start, &size);
	}
	KUNIT_EXPECT_EQ(v->test, size, (u64)SZ_1M);
	KUNIT_EXPECT_NE(v->test, start, 0ull);
	VmbChannelDisable(v->ch);
	swept(v, met);
}

static void the_window_is_reserved_or_nothing_is(struct kunit *test)
{
	struct vsc *v = small_vsc(test);

	v->offer.mmio_megabytes = 1;
	vsc_offer(v);
	/* the bus goes on where it could not have one */
	sweep(test, do_window, v, 1);
}

/* ---- answers ---- */

static VMBPACKETCOMPLETION kept;

static void keep(struct vsc *v, VMBPACKETCOMPLETION pkt, void *buf, u32 len)
{
	WRITE_ONCE(kept, pkt);
}

/* A packet that the driver has, of a host that reads no answers: the ring is full. */
static void full_ring(struct vsc *v)
{
	kept = NULL;
	vsc_bring_up(v);
	KUNIT_EXPECT_EQ(v->test, hvsim_send(v->host, VM_PKT_DATA_INBAND, 1, 1, "ask", 3), 0);
	vsc_expect_soon(v, atomic_read(&v->received) && READ_ONCE(kept));
	hvsim_stall(v->host);
	while (!v->kch->stats.queued)
		KUNIT_ASSERT_EQ(v->test, vsc_send(v, "filling", 8, 0), STATUS_SUCCESS);
}

static void a_large_answer_that_cannot_be_kept_closes_the_channel(struct kunit *test)
{
	static u8 answer[2000];
	struct vsc *v = small_vsc(test);

	v->on_packet = keep;
	full_ring(v);
	fail_allocation(1);
	VmbChannelPacketComplete(kept, answer, sizeof(answer));
	KUNIT_EXPECT_TRUE(test, allocation_failed());
	vsc_expect_soon(v, v->logged == 2);
	vsc_expect_log(v, "UC");
	KUNIT_EXPECT_EQ(test, v->kch->stats.faults, 1ull);
	KUNIT_EXPECT_TRUE(test, becomes(atomic_read(&v->kch->rx.busy) == 0));
}

static void a_small_answer_needs_no_memory(struct kunit *test)
{
	struct vsc *v = small_vsc(test);

	v->on_packet = keep;
	full_ring(v);
	fail_allocation(1);
	VmbChannelPacketComplete(kept, "yes", 3);
	KUNIT_EXPECT_FALSE(test, allocation_failed());
	KUNIT_EXPECT_NULL(test, v->kch->poison);
	hvsim_resume(v->host);
	vsc_expect_soon(v, atomic_read(&v->kch->rx.busy) == 0);
	vsc_expect_log(v, "");
}

static struct kunit_case cases[] = {
	KUNIT_CASE(cleanup_needs_no_memory),
	KUNIT_CASE(packet_free_needs_no_memory),
	KUNIT_CASE(pause_and_start_need_no_memory),
	KUNIT_CASE(a_send_with_external_data_allocates_nothing),
	KUNIT_CASE(bounce_memory_is_had_or_not),
	KUNIT_CASE(the_window_is_reserved_or_nothing_is),
	KUNIT_CASE(a_large_answer_that_cannot_be_kept_closes_the_channel),
	KUNIT_CASE(a_small_answer_needs_no_memory),
	{}
};

static int calls_init(struct kunit *test)
{
	alloc_needed(test);
	return external_suite_init(test);
}

static void calls_exit(struct kunit *test)
{
	allocation_failed();
	if (IS_ENABLED(CONFIG_FAILSLAB))
		external_suite_exit(test);
}

static struct kunit_suite suite = {
	.name = "kmcl_alloc_calls",
	.init = calls_init,
	.exit = calls_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
