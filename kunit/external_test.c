// SPDX-License-Identifier: GPL-2.0
/*
 * External data of outgoing packets: what the functions refuse, and what the
 * host sees of the rest.
 */
#include <linux/slab.h>
#include "external.h"
#include "helper.h"
#include "kmsg.h"

#define PAGE		4096u
#define FORCE		VMBUS_CHANNEL_FORMAT_FLAG_FORCE_MDL_LENGTH
#define PAGED		VMBUS_CHANNEL_FORMAT_FLAG_PAGED_BUFFER
#define send_mdl	VmbPacketSendWithExternalMdl
#define send_pfns	VmbPacketSendWithExternalPfns

#define refused(test, position, call)						\
	KUNIT_EXPECT_EQ(test, call, STATUS_INVALID_PARAMETER_##position)
#define accepted(test, call)		KUNIT_EXPECT_EQ(test, call, STATUS_SUCCESS)

static u8 *memory(struct kunit *test, u32 bytes)
{
	u8 *p = kunit_kzalloc(test, bytes, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	return p;
}

static struct vsc *recording_vsc(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	v->offer.exec = HVSIM_EXEC_INLINE;
	v->offer.script.record = true;
	return v;
}

/* One range of the packet that was recorded. */
static const struct gpa_range *range(struct vsc *v, u32 index)
{
	const struct gpa_range *r;

	KUNIT_ASSERT_GT(v->test, hvsim_gpa_ranges(recorded(v), index, &r), (int)index);
	KUNIT_ASSERT_NOT_NULL(v->test, r);
	return r;
}

static u32 ranges(struct vsc *v)
{
	const struct gpa_range *r;

	return hvsim_gpa_ranges(recorded(v), 0, &r);
}

static void expect_range(struct vsc *v, u32 index, const u8 *first, u32 bytes)
{
	const struct gpa_range *r = range(v, index);

	KUNIT_EXPECT_EQ(v->test, r->byte_offset, offset_in_page(first));
	KUNIT_EXPECT_EQ(v->test, r->byte_count, bytes);
	KUNIT_EXPECT_EQ(v->test, r->pfn_array[0], frame_of(first));
	KUNIT_EXPECT_EQ(v->test, r->pfn_array[(r->byte_offset + bytes - 1) / PAGE],
			frame_of(first + bytes - 1));
}

/* ---- statuses ---- */

static void limits_are_set_while_disabled_and_not_to_0(struct kunit *test)
{
	struct vsc *v = recording_vsc(test);

	refused(test, 1, VmbChannelInitSetMaximumExternalData(NULL, 1, 1));
	refused(test, 2, VmbChannelInitSetMaximumExternalData(v->ch, 0, 1));
	refused(test, 3, VmbChannelInitSetMaximumExternalData(v->ch, 1, 0));
	accepted(test, VmbChannelInitSetMaximumExternalData(v->ch, 1, 1));
	accepted(test, VmbChannelInitSetMaximumExternalData(v->ch, 1 << 20, 64));
	vsc_bring_up(v);
	refused(test, 1, VmbChannelInitSetMaximumExternalData(v->ch, 1, 1));
}

static void a_refused_send_names_its_parameter(struct kunit *test)
{
	struct vsc *v = recording_vsc(test);
	u8 *p = memory(test, 3 * PAGE);
	PMDL mdl = mdl_for(p, 100);
	PFN_NUMBER frame = frame_of(p), none = 1ULL << 40, absurd = ~0ULL >> 8;
	const u32 wait = WAIT_FOR_COMPLETION;
	struct lot *lot;
	VMBPACKET pkt;
	u32 flag;

	vsc_bring_up(v);
	lot = lot_new(v);
	pkt = lot->pkt;

	refused(test, 1, send_mdl(NULL, p, 8, mdl, 0, 0, wait));
	refused(test, 1, send_pfns(NULL, p, 8, &frame, 1, wait));
	refused(test, 2, send_mdl(pkt, NULL, 8, mdl, 0, 0, wait));
	refused(test, 2, send_pfns(pkt, NULL, 8, &frame, 1, wait));
	refused(test, 3, send_mdl(pkt, p, 4097, mdl, 0, 0, wait));
	refused(test, 3, send_pfns(pkt, p, 4097, &frame, 1, wait));

	/* external data ask for an answer */
	refused(test, 5, VmbPacketSend(pkt, p, 8, mdl, 0));
	refused(test, 7, send_mdl(pkt, p, 8, mdl, 0, 0, 0));
	refused(test, 6, send_pfns(pkt, p, 8, &frame, 1, 0));
	for (flag = VMBUS_CHANNEL_FORMAT_FLAGS + 1; flag; flag <<= 1) {
		refused(test, 5, VmbPacketSend(pkt, p, 8, mdl, wait | flag));
		refused(test, 7, send_mdl(pkt, p, 8, mdl, 0, 0, wait | flag));
		refused(test, 6, send_pfns(pkt, p, 8, &frame, 1, wait | flag));
	}

	refused(test, 5, send_mdl(pkt, p, 8, mdl, 100, 0, wait));
	refused(test, 5, send_mdl(pkt, p, 8, mdl, 101, 0, wait));
	refused(test, 5, send_mdl(pkt, p, 8, mdl, ~0u, 1, wait));
	refused(test, 6, send_mdl(pkt, p, 8, mdl, 0, 101, wait));
	refused(test, 6, send_mdl(pkt, p, 8, mdl, 99, 2, wait));
	refused(test, 6, send_mdl(pkt, p, 8, mdl, 50, ~0u, wait));
	refused(test, 5, send_mdl(pkt, p, 8, NULL, 1, 0, wait));
	refused(test, 6, send_mdl(pkt, p, 8, NULL, 0, 1, wait));

	refused(test, 4, send_pfns(pkt, p, 8, NULL, 1, wait));
	refused(test, 5, send_pfns(pkt, p, 8, &frame, 0, wait));
	refused(test, 4, send_pfns(pkt, p, 8, &frame, 33, wait));
	refused(test, 4, send_pfns(pkt, p, 8, &frame, ~0u, wait));
	refused(test, 4, send_pfns(pkt, p, 8, &none, 1, wait));
	refused(test, 4, send_pfns(pkt, p, 8, &absurd, 1, wait));

	KUNIT_EXPECT_EQ(test, lot->calls, 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&v->host->record));
	/* and after all that it is as good as new */
	accepted(test, send_mdl(pkt, p, 8, mdl, 0, 0, wait));
	KUNIT_EXPECT_EQ(test, lot->calls, 1);
	KUNIT_EXPECT_EQ(test, lot->status, STATUS_SUCCESS);
	lot_free(lot);
}

static void without_external_data_it_is_an_ordinary_packet(struct kunit *test)
{
	struct vsc *v = recording_vsc(test);
	struct lot *lot;

	vsc_bring_up(v);
	lot = lot_new(v);
	accepted(test, send_mdl(lot->pkt, "payload", 8, NULL, 0, 0, 0));
	accepted(test, send_pfns(lot->pkt, "payload", 8, NULL, 0, WAIT_FOR_COMPLETION));
	KUNIT_EXPECT_EQ(test, v->host->stats.packets[VM_PKT_DATA_INBAND], 2ul);
	KUNIT_EXPECT_EQ(test, lot->calls, 2);
	lot_free(lot);
}

static void an_mdl_without_pages_or_bytes_is_refused(struct kunit *test)
{
	struct vsc *v = recording_vsc(test);
	u8 *p = memory(test, 64);
	PMDL blank = mdl_keep(IoAllocateMdl(p, 64, FALSE, FALSE, NULL));
	PMDL empty = mdl_for(p, 0), good = mdl_for(p, 64);
	struct lot *lot;

	vsc_bring_up(v);
	lot = lot_new(v);
	refused(test, 4, VmbPacketSend(lot->pkt, p, 8, blank, WAIT_FOR_COMPLETION));
	refused(test, 4, VmbPacketSend(lot->pkt, p, 8, empty, WAIT_FOR_COMPLETION));
	good->Next = blank;
	refused(test, 4, VmbPacketSend(lot->pkt, p, 8, good, WAIT_FOR_COMPLETION));
	/* an empty one in a chain is no range of its own */
	good->Next = NULL;
	empty->Next = good;
	accepted(test, VmbPacketSend(lot->pkt, p, 8, empty, WAIT_FOR_COMPLETION));
	KUNIT_EXPECT_EQ(test, ranges(v), 1u);
	expect_range(v, 0, p, 64);
	lot_free(lot);
}

static PFN_NUMBER memory_ends(PFN_NUMBER frame)
{
	while (pfn_valid(PHYS_PFN(frame * PAGE)))
		frame++;
	return frame;
}

/* Alone, at the end of what would be one run, and where the number wraps. */
static void a_frame_that_is_no_memory_is_refused_wherever_it_is(struct kunit *test)
{
	struct vsc *v = recording_vsc(test);
	u8 *p = memory(test, 4 * PAGE);
	PMDL mdl = mdl_for(p, 3 * PAGE);
	PFN_NUMBER good = frame_of(p), end = memory_ends(good), none = 1ULL << 40;
	PFN_NUMBER lost = 1ULL << 52;
	PFN_NUMBER rows[][3] = {
		{ none, good, good + 1 }, { good, none, good + 1 }, { good, good + 1, none },
		{ end - 2, end - 1, end }, { end - 1, end, end + 1 }, { end, good, good + 1 },
		{ ~0ULL, 0, 1 }, { ~0ULL - 1, ~0ULL, 0 }, { lost - 1, lost, lost + 1 },
		{ lost + good, lost + good + 1, lost + good + 2 },
	};
	struct lot *lot;
	unsigned int i;

	vsc_bring_up(v);
	lot = lot_new(v);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		memcpy(MmGetMdlPfnArray(mdl), rows[i], sizeof(rows[i]));
		refused(test, 4, VmbPacketSend(lot->pkt, p, 8, mdl, WAIT_FOR_COMPLETION));
		refused(test, 4, send_pfns(lot->pkt, p, 8, rows[i], 3, WAIT_FOR_COMPLETION));
	}
	KUNIT_EXPECT_EQ(test, lot->calls, 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&v->host->record));
	lot_free(lot);
}

static void the_limits_hold_to_the_byte_and_to_the_mdl(struct kunit *test)
{
	struct vsc *v = recording_vsc(test);
	u8 *p = memory(test, 4 * PAGE);
	PMDL a, b, c, d, whole = mdl_for(p + 1, 3 * PAGE), more = mdl_for(p + 1, 3 * PAGE + 1);
	PFN_NUMBER frames[4];
	struct lot *lot;
	int i;

	d = mdl_for(p + 300, 1);
	c = mdl_before(p + 200, 1, d);
	b = mdl_before(p + 100, 1, c);
	a = mdl_before(p, 1, b);
	for (i = 0; i < 4; i++)
		frames[i] = frame_of(p) + i;

	accepted(test, VmbChannelInitSetMaximumExternalData(v->ch, 3 * PAGE, 3));
	vsc_bring_up(v);
	lot = lot_new(v);
	refused(test, 4, VmbPacketSend(lot->pkt, p, 8, a, WAIT_FOR_COMPLETION));
	accepted(test, VmbPacketSend(lot->pkt, p, 8, b, WAIT_FOR_COMPLETION));
	/* the fourth is never reached */
	accepted(test, send_mdl(lot->pkt, p, 8, a, 0, 3, WAIT_FOR_COMPLETION));
	refused(test, 4, VmbPacketSend(lot->pkt, p, 8, more, WAIT_FOR_COMPLETION));
	accepted(test, VmbPacketSend(lot->pkt, p, 8, whole, WAIT_FOR_COMPLETION));
	accepted(test, send_mdl(lot->pkt, p, 8, more, 1, 0, WAIT_FOR_COMPLETION));
	refused(test, 4, send_pfns(lot->pkt, p, 8, frames, 4, WAIT_FOR_COMPLETION));
	accepted(test, send_pfns(lot->pkt, p, 8, frames, 3, WAIT_FOR_COMPLETION));
	/* a chain that bites its tail */
	d->Next = a;
	refused(test, 4, VmbPacketSend(lot->pkt, p, 8, a, WAIT_FOR_COMPLETION));
	d->ByteCount = 0;
	d->Next = d;
	refused(test, 4, VmbPacketSend(lot->pkt, p, 8, d, WAIT_FOR_COMPLETION));
	KUNIT_EXPECT_EQ(test, lot->calls, 5);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->ok), 5);
	lot_free(lot);
}

static void limits_that_no_packet_can_keep_are_refused_at_enable(struct kunit *test)
{
	static const u32 sizes[][2] = {
		{ 300u << 20, 1 }, { 64u << 20, 70000 }, { ~0u, ~0u }, { ~0u, 1 },
	};
	struct vsc *v = recording_vsc(test);
	unsigned int i;
	struct kmsg k;

	vsc_offer(v);
	kmsg_mark(&k);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		accepted(test, VmbChannelInitSetMaximumExternalData(v->ch, sizes[i][0],
								    sizes[i][1]));
		KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_INVALID_PARAMETER);
		KUNIT_EXPECT_NULL(test, VmbPacketAllocate(v->ch));
	}
	kmsg_expect(test, &k, 1, "external data of 314572800 bytes in up to 1 MDLs");
	/* many MDLs of one byte each, in all */
	accepted(test, VmbChannelInitSetMaximumExternalData(v->ch, 100, ~0u));
	accepted(test, VmbChannelEnable(v->ch));
}

/* ---- what the host sees ---- */

static void the_host_sees_one_range_for_each_mdl_and_the_payload_behind(struct kunit *test)
{
	struct vsc *v = recording_vsc(test);
	u8 *p = memory(test, 6 * PAGE);
	const struct vmpacket_descriptor *desc;
	struct lot *lot;
	PMDL chain;

	chain = mdl_for(p + 4 * PAGE + 17, 2 * PAGE - 17);
	chain = mdl_before(p + 2 * PAGE, PAGE, chain);
	chain = mdl_before(p + 4095, 2, chain);
	vsc_bring_up(v);
	lot = lot_new(v);
	accepted(test, VmbPacketSend(lot->pkt, "inline payload", 14, chain, WAIT_FOR_COMPLETION));

	desc = recorded(v);
	KUNIT_EXPECT_EQ(test, desc->type, VM_PKT_DATA_USING_GPA_DIRECT);
	KUNIT_EXPECT_EQ(test, desc->flags, VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED);
	KUNIT_EXPECT_EQ(test, desc->offset8 << 3, 16 + 8 + 3 * 8 + 5 * 8);
	KUNIT_EXPECT_EQ(test, ranges(v), 3u);
	expect_range(v, 0, p + 4095, 2);
	expect_range(v, 1, p + 2 * PAGE, PAGE);
	expect_range(v, 2, p + 4 * PAGE + 17, 2 * PAGE - 17);
	KUNIT_EXPECT_MEMEQ(test, (u8 *)desc + (desc->offset8 << 3), "inline payload\0", 16);
	KUNIT_EXPECT_EQ(test, lot->calls, 1);
	KUNIT_EXPECT_EQ(test, lot->status, STATUS_SUCCESS);
	KUNIT_EXPECT_MEMEQ(test, lot->data, "inline payload", 14);
	lot_free(lot);
}

static void an_offset_counts_from_the_buffer_and_not_from_the_page(struct kunit *test)
{
	struct vsc *v = recording_vsc(test);
	u8 *p = memory(test, 6 * PAGE);
	PMDL chain = mdl_before(p + 1000, 5000, mdl_for(p + 3 * PAGE + 7, 2 * PAGE));
	static const struct {
		u32 offset, length;
		/* expected, in p */
		u32 first, bytes, second, rest;
	} rows[] = {
		{ 0, 0, 1000, 5000, 3 * PAGE + 7, 2 * PAGE },
		{ 0, 1, 1000, 1, 0, 0 },
		{ 0, 5000, 1000, 5000, 0, 0 },
		{ 0, 5001, 1000, 5000, 3 * PAGE + 7, 1 },
		{ 4000, 0, 5000, 1000, 3 * PAGE + 7, 2 * PAGE },
		{ 4999, 2, 5999, 1, 3 * PAGE + 7, 1 },
		{ 5000, 0, 3 * PAGE + 7, 2 * PAGE, 0, 0 },
		{ 5000 + PAGE, 0, 4 * PAGE + 7, PAGE, 0, 0 },
		{ 5000 + 2 * PAGE - 1, 1, 5 * PAGE + 6, 1, 0, 0 },
	};
	struct lot *lot;
	unsigned int i;

	vsc_bring_up(v);
	lot = lot_new(v);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		accepted(test, send_mdl(lot->pkt, NULL, 0, chain, rows[i].offset, rows[i].length,
					WAIT_FOR_COMPLETION));
		KUNIT_ASSERT_EQ(test, ranges(v), rows[i].rest ? 2u : 1u);
		expect_range(v, 0, p + rows[i].first, rows[i].bytes);
		if (rows[i].rest)
			expect_range(v, 1, p + rows[i].second, rows[i].rest);
		hvsim_clear_record(v->host);
	}
	lot_free(lot);
}

static void a_forced_length_may_fill_the_last_page_of_the_first_mdl(struct kunit *test)
{
	struct vsc *v = recording_vsc(test);
	u8 *p = memory(test, 4 * PAGE);
	/* ends 96 bytes before the end of its second page */
	PMDL mdl = mdl_before(p + 1000, 2 * PAGE - 1000 - 96, mdl_for(p + 2 * PAGE, PAGE));
	const u32 flags = WAIT_FOR_COMPLETION | FORCE, own = 2 * PAGE - 1096;
	struct lot *lot;

	vsc_bring_up(v);
	lot = lot_new(v);
	accepted(test, send_mdl(lot->pkt, NULL, 0, mdl, 0, own + 96, flags));
	KUNIT_EXPECT_EQ(test, ranges(v), 1u);
	expect_range(v, 0, p + 1000, own + 96);
	hvsim_clear_record(v->host);
	accepted(test, send_mdl(lot->pkt, NULL, 0, mdl, own - 1, 97, flags));
	expect_range(v, 0, p + 999 + own, 97);
	hvsim_clear_record(v->host);
	refused(test, 6, send_mdl(lot->pkt, NULL, 0, mdl, 0, own + 97, flags));
	refused(test, 6, send_mdl(lot->pkt, NULL, 0, mdl, own - 1, 98, flags));
	refused(test, 5, send_mdl(lot->pkt, NULL, 0, mdl, own, 0, flags));
	/* the rest is the rest of what is described, of this MDL */
	accepted(test, send_mdl(lot->pkt, NULL, 0, mdl, 8, 0, flags));
	KUNIT_EXPECT_EQ(test, ranges(v), 1u);
	expect_range(v, 0, p + 1008, own - 8);
	hvsim_clear_record(v->host);
	accepted(test, VmbPacketSend(lot->pkt, NULL, 0, mdl, flags));
	KUNIT_EXPECT_EQ(test, ranges(v), 1u);
	expect_range(v, 0, p + 1000, own);
	lot_free(lot);
}

static void frames_are_one_range_from_the_first_byte_on(struct kunit *test)
{
	struct vsc *v = recording_vsc(test);
	u8 *p = memory(test, 4 * PAGE);
	PFN_NUMBER frames[] = { frame_of(p + 3 * PAGE), frame_of(p), frame_of(p + PAGE) };
	const struct gpa_range *r;
	struct lot *lot;

	vsc_bring_up(v);
	lot = lot_new(v);
	accepted(test, send_pfns(lot->pkt, "x", 1, frames, 3, WAIT_FOR_COMPLETION));
	KUNIT_EXPECT_EQ(test, ranges(v), 1u);
	r = range(v, 0);
	KUNIT_EXPECT_EQ(test, r->byte_offset, 0u);
	KUNIT_EXPECT_EQ(test, r->byte_count, 3 * PAGE);
	KUNIT_EXPECT_MEMEQ(test, r->pfn_array, frames, sizeof(frames));
	lot_free(lot);
}

static void a_pipe_header_stands_between_ranges_and_payload(struct kunit *test)
{
	struct vsc *v = recording_vsc(test);
	u8 *p = memory(test, 64);
	const struct vmpacket_descriptor *desc;
	const u32 *header;
	struct lot *lot;

	accepted(test, VmbChannelInitSetFlags(v->ch, VMBUS_CHANNEL_INIT_FLAG_IS_PIPE));
	v->offer.flags = VMBUS_CHANNEL_NAMED_PIPE_MODE;
	vsc_bring_up(v);
	lot = lot_new(v);
	accepted(test, VmbPacketSend(lot->pkt, "abc", 3, mdl_for(p, 64), WAIT_FOR_COMPLETION));
	desc = recorded(v);
	header = (void *)desc + (desc->offset8 << 3);
	KUNIT_EXPECT_EQ(test, desc->offset8 << 3, 16 + 8 + 8 + 8);
	KUNIT_EXPECT_EQ(test, header[0], 1u);
	KUNIT_EXPECT_EQ(test, header[1], 3u);
	KUNIT_EXPECT_MEMEQ(test, &header[2], "abc", 3);
	lot_free(lot);
}

/* ---- waiting ---- */

/* The host's word for a packet, from the memory it names. */
static u32 word_of(const struct hvsim_packet *pkt)
{
	const struct gpa_range *r;

	hvsim_gpa_ranges(&pkt->desc, 0, &r);
	return *(u32 *)hvsim_gpa(r->pfn_array[0], r->byte_offset);
}

static void packets_that_queue_keep_their_order_and_their_data(struct kunit *test)
{
	enum { COUNT = 60 };
	struct vsc *v = recording_vsc(test);
	u32 *words = (u32 *)memory(test, COUNT * 64);
	u8 *payload = memory(test, 1000);
	struct hvsim_packet *pkt;
	struct lot *lots[COUNT];
	u32 i;

	accepted(test, VmbClientChannelInitSetRingBufferPageCount(v->ch, 1, 1));
	vsc_bring_up(v);
	hvsim_stall(v->host);
	for (i = 0; i < COUNT; i++) {
		words[16 * i] = i;
		payload[0] = i;
		lots[i] = lot_new(v);
		accepted(test, VmbPacketSend(lots[i]->pkt, payload, 1000,
					     i % 3 ? mdl_for(&words[16 * i], 4) : NULL,
					     WAIT_FOR_COMPLETION));
	}
	KUNIT_EXPECT_GT(test, v->kch->stats.queued, 20ull);
	hvsim_resume(v->host);
	vsc_expect_soon(v, atomic_read(&v->ok) == COUNT);
	i = 0;
	list_for_each_entry(pkt, &v->host->record, node) {
		KUNIT_EXPECT_EQ(test, *(u8 *)hvsim_payload(pkt), i);
		if (i % 3)
			KUNIT_EXPECT_EQ(test, word_of(pkt), i);
		i++;
	}
	KUNIT_EXPECT_EQ(test, i, COUNT);
	for (i = 0; i < COUNT; i++) {
		KUNIT_EXPECT_EQ(test, lots[i]->calls, 1);
		lot_free(lots[i]);
	}
}

static void sent_before_the_open_or_while_paused_it_follows(struct kunit *test)
{
	struct vsc *v = recording_vsc(test);
	u32 *word = (u32 *)memory(test, 4);
	PMDL mdl = mdl_for(word, 4);
	struct lot *lot;

	*word = 4711;
	/* no offer yet */
	accepted(test, VmbChannelEnable(v->ch));
	lot = lot_new(v);
	accepted(test, VmbPacketSend(lot->pkt, "a", 1, mdl, WAIT_FOR_COMPLETION));
	KUNIT_EXPECT_EQ(test, lot->calls, 0);
	vsc_offer(v);
	vsc_expect_soon(v, lot->calls == 1);
	KUNIT_EXPECT_EQ(test, lot->status, STATUS_SUCCESS);
	expect_range(v, 0, (u8 *)word, 4);
	hvsim_clear_record(v->host);

	VmbChannelPause(v->ch);
	accepted(test, VmbPacketSend(lot->pkt, "b", 1, mdl, WAIT_FOR_COMPLETION));
	hvsim_settle();
	KUNIT_EXPECT_TRUE(test, list_empty(&v->host->record));
	VmbChannelStart(v->ch);
	vsc_expect_soon(v, lot->calls == 2);
	expect_range(v, 0, (u8 *)word, 4);
	lot_free(lot);
}

/* Many ranges of two bytes, over a page boundary each: nothing is longer on the wire. */
static void sizeof_packet_is_enough_for_the_largest_description(struct kunit *test)
{
	static const u32 limits[][2] = { { 1, 1 }, { 2, 1 }, { 7, 9 }, { 64, 8 }, { 131072, 5 } };
	u8 *p = memory(test, 34 * PAGE);
	const u32 guard = 64;
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(limits); i++) {
		u32 bytes = limits[i][0], chain = limits[i][1], left = bytes, size;
		struct vsc *v = recording_vsc(test);
		struct lot *lot;
		PMDL mdl = NULL;
		u8 *packet;

		for (j = 0; j < chain && left; j++) {
			u32 len = min(j + 1 < chain ? 2 : left, left);

			mdl = mdl_before(p + (j + 1) * PAGE - 1, len, mdl);
			left -= len;
		}
		accepted(test, VmbChannelInitSetMaximumPacketSize(v->ch, 16));
		accepted(test, VmbChannelInitSetMaximumExternalData(v->ch, bytes, chain));
		vsc_bring_up(v);
		VmbChannelPause(v->ch);
		lot = lot_new(v);
		lot_free(lot);
		size = VmbChannelSizeofPacket(v->ch);
		packet = memory(test, size + guard);
		memset(packet + size, 0xa5, guard);
		lot->pkt = (VMBPACKET)packet;
		refused(test, 3, VmbPacketInitialize(v->ch, lot->pkt, size - 1));
		accepted(test, VmbPacketInitialize(v->ch, lot->pkt, size));
		VmbPacketSetCompletionRoutineEx(lot->pkt, v, vsc_completed);
		accepted(test, VmbPacketSend(lot->pkt, "0123456789abcdef", 16, mdl,
					     WAIT_FOR_COMPLETION));
		VmbChannelStart(v->ch);
		vsc_expect_soon(v, atomic_read(&v->ok) == 1);
		KUNIT_EXPECT_EQ(test, host_bytes(recorded(v)), bytes);
		KUNIT_EXPECT_NULL(test, memchr_inv(packet + size, 0xa5, guard));
		vsc_drop(v);
		hvsim_reset();
	}
}

/* ---- the rest ---- */

static void a_paged_buffer_is_copied_at_passive_level_only(struct kunit *test)
{
	struct vsc *v = recording_vsc(test);
	struct lot *lot;
	NTSTATUS status;

	vsc_bring_up(v);
	lot = lot_new(v);
	accepted(test, VmbPacketSend(lot->pkt, "paged", 5, NULL, PAGED));
	KUNIT_EXPECT_MEMEQ(test, (u8 *)recorded(v) + 16, "paged", 5);
	hvsim_clear_record(v->host);
	accepted(test, VmbPacketSend(lot->pkt, "paged", 5, mdl_for(lot->data, 8),
				     WAIT_FOR_COMPLETION | PAGED));
	KUNIT_EXPECT_MEMEQ(test, (u8 *)recorded(v) + 40, "paged", 5);
	local_bh_disable();
	status = VmbPacketSend(lot->pkt, "paged", 5, NULL, PAGED);
	local_bh_enable();
	KUNIT_EXPECT_EQ(test, status, STATUS_INVALID_DEVICE_REQUEST);
	KUNIT_EXPECT_EQ(test, lot->calls, 2);
	lot_free(lot);
}

/* Writes the answer into the external data. */
static enum hvsim_answer answer_in_memory(struct hvsim_chan *chan,
					  const struct vmpacket_descriptor *desc,
					  const void *payload, u32 len)
{
	host_fill(desc, 0x5a);
	return HVSIM_ANSWER_SCRIPTED;
}

static void a_synchronous_request_takes_an_mdl(struct kunit *test)
{
	FN_VMB_CHANNEL_SEND_SYNCHRONOUS_REQUEST *sync = VmbChannelSendSynchronousRequest;
	struct vsc *v = recording_vsc(test);
	u8 *p = memory(test, 3 * PAGE);
	PMDL mdl = mdl_for(p + 100, 5000), chain = NULL;
	LARGE_INTEGER second = { .QuadPart = -10000000 };
	u64 answer = 0;
	u32 size = 8;
	int i;

	v->offer.script.on_packet = answer_in_memory;
	vsc_bring_up(v);
	accepted(test, sync(v->ch, "request", 8, mdl, WAIT_FOR_COMPLETION, &answer, &size,
			    &second));
	KUNIT_EXPECT_EQ(test, size, 8u);
	KUNIT_EXPECT_MEMEQ(test, &answer, "request", 8);
	KUNIT_EXPECT_NULL(test, memchr_inv(p + 100, 0x5a, 5000));
	KUNIT_EXPECT_EQ(test, p[99] | p[5100], 0);

	for (i = 0; i < 33; i++)
		chain = mdl_before(p, 1, chain);
	refused(test, 4, sync(v->ch, "request", 8, chain, WAIT_FOR_COMPLETION, NULL, NULL, NULL));
	refused(test, 5, sync(v->ch, "request", 8, mdl, 0, NULL, NULL, NULL));
}

static void sending_allocates_nothing(struct kunit *test)
{
#ifdef CONFIG_FAILSLAB
	struct vsc *v = recording_vsc(test);
	u8 *p = memory(test, 2 * PAGE);
	PMDL mdl = mdl_before(p + 10, PAGE, mdl_for(p + PAGE + 64, 64));
	NTSTATUS status[2];
	struct lot *a, *b;

	v->offer.exec = HVSIM_EXEC_MANUAL;
	vsc_bring_up(v);
	/* the DMA API itself allocates where it is debugged */
	bounce_set(bounce_new(test), v->kch->target.link);
	a = lot_new(v);
	b = lot_new(v);
	current->fail_nth = 1;
	status[0] = VmbPacketSend(a->pkt, p, 100, mdl, WAIT_FOR_COMPLETION);
	status[1] = VmbPacketSend(b->pkt, p, 100, NULL, WAIT_FOR_COMPLETION);
	KUNIT_EXPECT_EQ(test, current->fail_nth, 1);
	current->fail_nth = 0;
	KUNIT_EXPECT_EQ(test, status[0], STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, status[1], STATUS_SUCCESS);
	VmbChannelDisable(v->ch);
	lot_free(a);
	lot_free(b);
#else
	kunit_skip(test, "needs CONFIG_FAILSLAB");
#endif
}

static struct kunit_case cases[] = {
	KUNIT_CASE(limits_are_set_while_disabled_and_not_to_0),
	KUNIT_CASE(a_refused_send_names_its_parameter),
	KUNIT_CASE(without_external_data_it_is_an_ordinary_packet),
	KUNIT_CASE(an_mdl_without_pages_or_bytes_is_refused),
	KUNIT_CASE(a_frame_that_is_no_memory_is_refused_wherever_it_is),
	KUNIT_CASE(the_limits_hold_to_the_byte_and_to_the_mdl),
	KUNIT_CASE(limits_that_no_packet_can_keep_are_refused_at_enable),
	KUNIT_CASE(the_host_sees_one_range_for_each_mdl_and_the_payload_behind),
	KUNIT_CASE(an_offset_counts_from_the_buffer_and_not_from_the_page),
	KUNIT_CASE(a_forced_length_may_fill_the_last_page_of_the_first_mdl),
	KUNIT_CASE(frames_are_one_range_from_the_first_byte_on),
	KUNIT_CASE(a_pipe_header_stands_between_ranges_and_payload),
	KUNIT_CASE(packets_that_queue_keep_their_order_and_their_data),
	KUNIT_CASE(sent_before_the_open_or_while_paused_it_follows),
	KUNIT_CASE(sizeof_packet_is_enough_for_the_largest_description),
	KUNIT_CASE(a_paged_buffer_is_copied_at_passive_level_only),
	KUNIT_CASE(a_synchronous_request_takes_an_mdl),
	KUNIT_CASE(sending_allocates_nothing),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_external",
	.init = external_suite_init,
	.exit = external_suite_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
