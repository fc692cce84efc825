// SPDX-License-Identifier: GPL-2.0
/*
 * The host is shown what it is sent, and no byte of what lies beside that: behind a payload
 * that is no whole number of words, whichever way it takes into the ring, and around external
 * data in the pages that they are bounced through.
 *
 * What may be seen is all of one value; everything that may not, of two others.
 */
#include <linux/slab.h>
#include "external.h"
#include "helper.h"

#define PAGE		4096u
#define MINE		0x11	/* what is sent */
#define NEIGHBOUR	0xee	/* what lies beside it */
#define EARLIER		0xdd	/* what was sent before */
#define LENGTHS		41u	/* of payloads: from 0 on */
#define FORCE		VMBUS_CHANNEL_FORMAT_FLAG_FORCE_MDL_LENGTH
#define PAGED		VMBUS_CHANNEL_FORMAT_FLAG_PAGED_BUFFER

static u32 count_of(const void *at, u8 byte, u32 len)
{
	const u8 *end = memchr_inv(at, byte, len);

	return end ? end - (const u8 *)at : len;
}

/* ---- payloads ---- */

/* The way into the ring. */
enum way {
	WAY_STRAIGHT,
	WAY_HELD,			/* sent while paused */
	WAY_QUEUED,			/* behind a full ring */
	WAYS,
};

/* Replies with as much of @priv as the packet says. */
static void reply_with_a_part(struct vsc *v, VMBPACKETCOMPLETION pkt, void *buf, u32 len)
{
	VmbChannelPacketComplete(pkt, v->priv, *(u32 *)buf);
}

/* Each packet: its payload, then at most 7 zeros. */
static void expect_payloads(struct vsc *v, enum way how, u32 packets, bool pipe)
{
	struct kunit *test = v->test;
	struct hvsim_packet *pkt;
	u32 seen = 0;

	list_for_each_entry(pkt, &v->host->record, node) {
		u32 header = pipe && pkt->desc.type != VM_PKT_COMP ? KMCL_PIPE_HEADER : 0;
		const u8 *at = hvsim_payload(pkt) + header;
		u32 len = hvsim_payload_len(pkt) - header;
		u32 mine = count_of(at, MINE, len);

		KUNIT_EXPECT_LE_MSG(test, len - mine, 7u, "way %u, type %u", how, pkt->desc.type);
		KUNIT_EXPECT_EQ_MSG(test, count_of(at + mine, 0, len - mine), len - mine,
				    "way %u, type %u: %*ph", how, pkt->desc.type,
				    min_t(int, len, 64), at);
		seen++;
	}
	KUNIT_EXPECT_EQ_MSG(test, seen, packets, "way %u", how);
}

static void send_external(struct vsc *v, void *buf, u32 len, PMDL mdl)
{
	KUNIT_EXPECT_EQ(v->test, STATUS_SUCCESS,
			VmbPacketSend(vsc_packet(v), buf, len, mdl, WAIT_FOR_COMPLETION));
}

/* Until a packet has to wait; the payloads are whole words. */
static u32 fill_ring(struct vsc *v, u8 byte)
{
	u8 *large = kunit_kmalloc(v->test, 4000, GFP_KERNEL);
	u32 sent = 0;

	KUNIT_ASSERT_NOT_NULL(v->test, large);
	memset(large, byte, 4000);
	hvsim_stall(v->host);
	while (!READ_ONCE(v->kch->tx.busy) && sent < 100) {
		KUNIT_EXPECT_EQ(v->test, vsc_send(v, large, 4000, 0), STATUS_SUCCESS);
		sent++;
	}
	return sent;
}

/* Every length, in every form. Returns how many packets the host should get. */
static u32 send_all(struct vsc *v, enum way how, u8 *from, u8 *memory)
{
	LARGE_INTEGER at_once = { .QuadPart = 0 };
	struct kunit *test = v->test;
	u32 len, sent = 0;

	for (len = 0; len < LENGTHS; len++) {
		u64 message = len;

		memset(from, MINE, len);
		KUNIT_EXPECT_EQ(test, vsc_send(v, from, len, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
		KUNIT_EXPECT_EQ(test, vsc_send(v, from, len, 0), STATUS_SUCCESS);
		KUNIT_EXPECT_EQ(test, vsc_send(v, from, len, PAGED), STATUS_SUCCESS);
		/* each has its own: that they overlap, nobody has to expect */
		send_external(v, from, len, mdl_for(memory + len * 64, 64));
		sent += 4;
		if (how == WAY_STRAIGHT) {
			KUNIT_EXPECT_EQ(test, STATUS_SUCCESS,
					VmbChannelSendSynchronousRequest(v->ch, from, len, NULL, 0,
									 NULL, NULL, &at_once));
			sent++;
		}
		/* one that is paused is delivered nothing, and replies to nothing */
		if (how != WAY_HELD) {
			__le32 pipe[4] = { cpu_to_le32(1), cpu_to_le32(8), cpu_to_le32(len) };
			bool is_pipe = v->kch->config.flags & VMBUS_CHANNEL_INIT_FLAG_IS_PIPE;

			KUNIT_EXPECT_EQ(test, 0,
					hvsim_send(v->host, VM_PKT_DATA_INBAND, 1, len,
						   is_pipe ? (void *)pipe : &message,
						   is_pipe ? 16 : 8));
			vsc_expect_soon(v, !atomic_read(&v->kch->rx.delivered));
			sent++;
		}
	}
	return sent;
}

static void send_each_way(struct kunit *test, bool pipe)
{
	struct vsc *v = vsc_new(test);
	u8 *from = kunit_kmalloc(test, 64, GFP_KERNEL);
	u8 *memory = kunit_kzalloc(test, LENGTHS * 64, GFP_KERNEL);
	u32 packets;
	enum way how;

	KUNIT_ASSERT_TRUE(test, from && memory);
	v->offer.exec = HVSIM_EXEC_INLINE;
	v->on_packet = reply_with_a_part;
	v->priv = from;
	if (pipe)
		KUNIT_EXPECT_EQ(test, STATUS_SUCCESS,
				VmbChannelInitSetFlags(v->ch, VMBUS_CHANNEL_INIT_FLAG_IS_PIPE));
	vsc_bring_up(v);
	for (how = 0; how < WAYS; how++) {
		/* all of the ring, and the packets' own memory */
		fill_ring(v, EARLIER);
		hvsim_resume(v->host);
		vsc_expect_soon(v, !READ_ONCE(v->kch->tx.busy));
		memset(from, NEIGHBOUR, 64);
		hvsim_clear_record(v->host);
		v->host->script.record = true;
		packets = 0;
		if (how == WAY_HELD)
			VmbChannelPause(v->ch);
		if (how == WAY_QUEUED)
			packets = fill_ring(v, MINE);
		packets += send_all(v, how, from, memory);
		if (how == WAY_HELD)
			VmbChannelStart(v->ch);
		if (how == WAY_QUEUED) {
			KUNIT_EXPECT_TRUE(test, READ_ONCE(v->kch->tx.busy));
			hvsim_resume(v->host);
		}
		vsc_expect_soon(v, !READ_ONCE(v->kch->tx.busy));
		hvsim_settle();
		expect_payloads(v, how, packets, pipe);
		v->host->script.record = false;
		hvsim_clear_record(v->host);
	}
	vsc_drop(v);
	hvsim_reset();
}

static void what_fills_a_payload_up_to_whole_words_is_zeros(struct kunit *test)
{
	send_each_way(test, false);
	send_each_way(test, true);
}

/* ---- external data ---- */

#define HOST		0x5a	/* what the host writes, over everything it can reach */
#define ROOM		40u	/* pages of each driver's */
#define BOUNCE		(128 * PAGE)

/* Of what is described: where in the driver's memory, and how long. */
struct piece {
	u32 at;
	u32 len;
};

enum form {
	FORM_CHAIN,			/* an MDL for each piece */
	FORM_PART,			/* the piece is in the middle of an MDL */
	FORM_FORCED,			/* it is longer than its MDL, which has 1 byte */
	FORM_FRAMES,			/* each is a page, and a frame of it */
};

static const struct row {
	enum form form;
	struct piece piece[3];
} rows[] = {
	{ FORM_CHAIN, { { 0, 1 } } },
	{ FORM_CHAIN, { { 4095, 1 } } },
	{ FORM_CHAIN, { { 4095, 2 } } },
	{ FORM_CHAIN, { { 1, 4095 } } },
	{ FORM_CHAIN, { { 100, 3 * PAGE + 50 } } },
	{ FORM_CHAIN, { { 17, 8000 }, { 3 * PAGE, PAGE } } },
	/* the last takes more than one mapping */
	{ FORM_CHAIN, { { PAGE - 3, 7 }, { 10 * PAGE + 100, 3 * PAGE },
			{ 20 * PAGE + 1, 19 * PAGE } } },
	{ FORM_PART, { { 83, 4100 } } },
	{ FORM_FORCED, { { 1000, 100 } } },
	{ FORM_FORCED, { { 1000, PAGE - 1000 } } },
	{ FORM_FRAMES, { { 3 * PAGE, PAGE }, { 7 * PAGE, PAGE }, { 8 * PAGE, PAGE } } },
};

enum moment {
	MOMENT_OPEN,			/* sent, and in the ring */
	MOMENT_PAUSED,			/* mapped by the sender, and in the ring later */
	MOMENT_FULL,			/* the same */
	MOMENT_EARLY,			/* mapped when there is a ring, and memory */
	MOMENT_AGAIN,			/* the first try has found memory for a part alone */
	MOMENTS,
};

/* What the host has found in the pages that it was told of. */
static struct {
	u8 expected;
	u32 packets;
	u32 around;			/* packets with a byte beside a range */
	u32 within;			/* with another byte in one */
} host;

static struct bounce *transport;

static void look_at_page(u8 *page, u32 from, u32 to, bool *around, bool *within)
{
	*around |= count_of(page, 0, from) < from || count_of(page + to, 0, PAGE - to) < PAGE - to;
	*within |= count_of(page + from, host.expected, to - from) < to - from;
	memset(page, HOST, PAGE);
}

static enum hvsim_answer host_looks(struct hvsim_chan *chan, const struct vmpacket_descriptor *desc,
				    const void *payload, u32 len)
{
	bool around = false, within = false;
	const struct gpa_range *r;
	int i, n;

	if (desc->type != VM_PKT_DATA_USING_GPA_DIRECT)
		return HVSIM_ANSWER_SCRIPTED;
	n = hvsim_gpa_ranges(desc, 0, &r);
	for (i = 0; i < n; i++) {
		u32 from, end, page;

		hvsim_gpa_ranges(desc, i, &r);
		from = r->byte_offset;
		end = from + r->byte_count;
		for (page = 0; page * PAGE < end; page++, from = 0)
			look_at_page(hvsim_gpa(r->pfn_array[page], 0), from,
				     min(end - page * PAGE, PAGE), &around, &within);
	}
	host.packets++;
	host.around += around;
	host.within += within;
	return HVSIM_ANSWER_SCRIPTED;
}

static void expect_host_saw(struct kunit *test, enum moment moment, u32 packets)
{
	KUNIT_EXPECT_EQ_MSG(test, host.packets, packets, "moment %u", moment);
	KUNIT_EXPECT_EQ_MSG(test, host.around, 0u, "moment %u", moment);
	KUNIT_EXPECT_EQ_MSG(test, host.within, 0u, "moment %u", moment);
	memset(&host, 0, sizeof(host));
	host.expected = MINE;
}

static void set_pieces(const struct row *row, u8 *memory, u8 byte)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(row->piece); i++)
		memset(memory + row->piece[i].at, byte, row->piece[i].len);
}

/* The host has written where it was told, and nowhere else. */
static void expect_written(struct kunit *test, const struct row *row, u8 *memory)
{
	const struct piece *p = row->piece;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(row->piece); i++)
		KUNIT_EXPECT_EQ(test, count_of(memory + p[i].at, HOST, p[i].len), p[i].len);
	set_pieces(row, memory, NEIGHBOUR);
	KUNIT_EXPECT_EQ(test, count_of(memory, NEIGHBOUR, ROOM * PAGE), ROOM * PAGE);
}

static NTSTATUS send_row(const struct row *row, struct lot *lot, u8 *memory)
{
	const struct piece *p = row->piece;
	PFN_NUMBER frames[3];
	PMDL mdl = NULL;
	int i;

	switch (row->form) {
	case FORM_PART:
		mdl = mdl_for(memory + p->at - 33, p->len + 500);
		return VmbPacketSendWithExternalMdl(lot->pkt, NULL, 0, mdl, 33, p->len,
						    WAIT_FOR_COMPLETION);
	case FORM_FORCED:
		mdl = mdl_for(memory + p->at, 1);
		return VmbPacketSendWithExternalMdl(lot->pkt, NULL, 0, mdl, 0, p->len,
						    WAIT_FOR_COMPLETION | FORCE);
	case FORM_FRAMES:
		for (i = 0; i < 3; i++)
			frames[i] = frame_of(memory + p[i].at);
		return VmbPacketSendWithExternalPfns(lot->pkt, NULL, 0, frames, 3,
						     WAIT_FOR_COMPLETION);
	default:
		for (i = 2; i >= 0; i--)
			if (p[i].len)
				mdl = mdl_before(memory + p[i].at, p[i].len, mdl);
		return VmbPacketSend(lot->pkt, NULL, 0, mdl, WAIT_FOR_COMPLETION);
	}
}

/* From here on nothing is mapped but through the channel's own memory. */
static void narrow(struct vsc *v, enum vsc_event event)
{
	if (event != VSC_OPENED)
		return;
	transport->fail = -1;
	bounce_set(transport, v->kch->target.link);
}

/* All of the memory was used before, by somebody with other data. */
static void use_all(struct vsc *v, struct lot *lot)
{
	u8 *memory = kunit_kmalloc(v->test, BOUNCE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(v->test, memory);
	memset(memory, EARLIER, BOUNCE);
	host.expected = EARLIER;
	KUNIT_EXPECT_EQ(v->test, STATUS_SUCCESS,
			VmbPacketSend(lot->pkt, NULL, 0, mdl_for(memory, BOUNCE),
				      WAIT_FOR_COMPLETION));
	kunit_kfree(v->test, memory);
}

/* All but a few pages are used; a chain of three gets its first piece, or two. */
static void fail_half_way(struct vsc *v, const struct row *row, struct lot *lot, u8 *memory)
{
	struct kunit *test = v->test;
	struct lot *other = lot_new(v);
	u8 *much = kunit_kmalloc(test, BOUNCE - 7 * PAGE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, much);
	memset(much, EARLIER, BOUNCE - 7 * PAGE);
	host.expected = EARLIER;
	v->host->script.answer = HVSIM_ANSWER_LATER;
	KUNIT_EXPECT_EQ(test, STATUS_SUCCESS,
			VmbPacketSend(other->pkt, NULL, 0, mdl_for(much, BOUNCE - 7 * PAGE),
				      WAIT_FOR_COMPLETION));
	KUNIT_EXPECT_EQ(test, send_row(row, lot, memory), STATUS_INSUFFICIENT_RESOURCES);
	v->host->script.answer = HVSIM_ANSWER_ECHO;
	hvsim_answer(v->host, 1);
	KUNIT_EXPECT_EQ(test, other->calls, 1);
	host.packets--;
	host.expected = MINE;
	lot_free(other);
}

static void bounce_at(struct kunit *test, enum moment moment)
{
	bool early = moment == MOMENT_EARLY;
	struct lot *lots[ARRAY_SIZE(rows)];
	u8 *memory[ARRAY_SIZE(rows)];
	struct vsc *v = vsc_new(test);
	u32 i;

	v->offer.exec = HVSIM_EXEC_INLINE;
	v->offer.script.on_packet = host_looks;
	v->on_state = narrow;
	transport = bounce_new(test);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetMaximumExternalData(v->ch, BOUNCE, 64),
			STATUS_SUCCESS);
	/* for those who are early it comes when somebody has missed it */
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetBounceBufferSizes(v->ch, early ? 0 : BOUNCE, BOUNCE,
								 BOUNCE), STATUS_SUCCESS);
	if (early)
		KUNIT_ASSERT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	else
		vsc_bring_up(v);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		lots[i] = lot_new(v);
		memory[i] = kunit_kmalloc(test, ROOM * PAGE, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, memory[i]);
		memset(memory[i], NEIGHBOUR, ROOM * PAGE);
		set_pieces(&rows[i], memory[i], MINE);
	}
	if (!early) {
		use_all(v, lots[0]);
		expect_host_saw(test, moment, 1);
	}
	if (moment == MOMENT_PAUSED)
		VmbChannelPause(v->ch);
	if (moment == MOMENT_FULL)
		fill_ring(v, MINE);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (moment == MOMENT_AGAIN && rows[i].piece[2].len > PAGE)
			fail_half_way(v, &rows[i], lots[i], memory[i]);
		KUNIT_EXPECT_EQ(test, send_row(&rows[i], lots[i], memory[i]), STATUS_SUCCESS);
	}
	host.expected = MINE;
	if (moment == MOMENT_PAUSED)
		VmbChannelStart(v->ch);
	if (moment == MOMENT_FULL)
		hvsim_resume(v->host);
	if (early)
		vsc_offer(v);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		vsc_expect_soon(v, lots[i]->calls == 1 + (!early && !i));
		KUNIT_EXPECT_EQ(test, lots[i]->status, STATUS_SUCCESS);
		expect_written(test, &rows[i], memory[i]);
		lot_free(lots[i]);
		kunit_kfree(test, memory[i]);
	}
	expect_host_saw(test, moment, ARRAY_SIZE(rows));
	KUNIT_EXPECT_EQ(test, transport->maps, 0u);
	vsc_drop(v);
	hvsim_reset();
}

static void what_is_around_external_data_in_a_bounced_page_is_zeros(struct kunit *test)
{
	enum moment moment;

	memset(&host, 0, sizeof(host));
	for (moment = 0; moment < MOMENTS; moment++)
		bounce_at(test, moment);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(what_fills_a_payload_up_to_whole_words_is_zeros),
	KUNIT_CASE(what_is_around_external_data_in_a_bounced_page_is_zeros),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_neighbour",
	.init = external_suite_init,
	.exit = external_suite_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
