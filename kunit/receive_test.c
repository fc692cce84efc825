// SPDX-License-Identifier: GPL-2.0
/*
 * Incoming packets: what ProcessPacket gets, and what becomes of the answers.
 */
#include <linux/kthread.h>
#include <linux/slab.h>
#include "fixture.h"
#include "helper.h"

#define ASK	VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED
#define HELD	512

/* Packets that ProcessPacket keeps for the case. */
struct held {
	int n;
	VMBPACKETCOMPLETION pkt[HELD];
	void *buf[HELD];
	u32 len[HELD];
};

static void hold(struct vsc *v, VMBPACKETCOMPLETION pkt, void *buf, u32 len)
{
	struct held *h = v->priv;

	if (h->n == HELD)
		return;
	h->pkt[h->n] = pkt;
	h->buf[h->n] = buf;
	h->len[h->n] = len;
	WRITE_ONCE(h->n, h->n + 1);
}

static struct vsc *holding_vsc(struct kunit *test, u32 max_packet, struct held **held)
{
	struct vsc *v = vsc_new(test);

	*held = kunit_kzalloc(test, sizeof(**held), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, *held);
	v->priv = *held;
	v->on_packet = hold;
	v->offer.exec = HVSIM_EXEC_INLINE;
	v->offer.script.record = true;
	if (max_packet)
		KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketSize(v->ch, max_packet),
				STATUS_SUCCESS);
	vsc_bring_up(v);
	return v;
}

static int host_sends(struct vsc *v, u16 flags, u64 id, const void *payload, u32 len)
{
	return hvsim_send(v->host, VM_PKT_DATA_INBAND, flags, id, payload, len);
}

/* @n packets with the numbers from 0 as payload and as transaction id. */
static void host_sends_numbers(struct vsc *v, u16 flags, int n)
{
	u64 i, payload[2];

	for (i = 0; i < n; i++) {
		payload[0] = i;
		payload[1] = ~i;
		KUNIT_ASSERT_EQ(v->test, host_sends(v, flags, i, payload, sizeof(payload)), 0);
	}
}

static unsigned long replies(struct vsc *v)
{
	return v->host->stats.packets[VM_PKT_COMP];
}

static void a_packet_is_delivered_in_whole_words(struct kunit *test)
{
	static const u32 lens[] = { 0, 1, 7, 8, 9, 100, 4095, 4096 };
	struct held *h;
	struct vsc *v = holding_vsc(test, 0, &h);
	u8 *data = kunit_kzalloc(test, 4096, GFP_KERNEL);
	int i;

	memset(data, 0xab, 4096);
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		KUNIT_ASSERT_EQ(test, host_sends(v, 0, 0, data, lens[i]), 0);
		vsc_expect_soon(v, atomic_read(&v->received) == i + 1);
		KUNIT_EXPECT_EQ(test, h->len[i], ALIGN(lens[i], 8));
		KUNIT_EXPECT_NULL(test, memchr_inv(h->buf[i], 0xab, lens[i]));
		KUNIT_EXPECT_NULL(test, memchr_inv(h->buf[i] + lens[i], 0,
						   ALIGN(lens[i], 8) - lens[i]));
		KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)h->buf[i], 8));
	}
	for (i = 0; i < ARRAY_SIZE(lens); i++)
		VmbChannelPacketComplete(h->pkt[i], NULL, 0);
}

static void a_reply_goes_out_only_to_those_who_ask(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	const struct hvsim_packet *rec;

	v->offer.script.record = true;
	vsc_bring_up(v);
	KUNIT_EXPECT_EQ(test, host_sends(v, 0, 0x1111, "no", 3), 0);
	KUNIT_EXPECT_EQ(test, host_sends(v, ASK, 0xfedcba9876543210, "please", 7), 0);
	KUNIT_EXPECT_EQ(test, host_sends(v, 0, 0x2222, "no", 3), 0);
	vsc_expect_soon(v, atomic_read(&v->received) == 3);
	hvsim_settle();
	KUNIT_ASSERT_TRUE(test, list_is_singular(&v->host->record));
	rec = list_first_entry(&v->host->record, struct hvsim_packet, node);
	KUNIT_EXPECT_EQ(test, rec->desc.type, (u16)VM_PKT_COMP);
	KUNIT_EXPECT_EQ(test, rec->desc.flags, (u16)0);
	KUNIT_EXPECT_EQ(test, rec->desc.trans_id, 0xfedcba9876543210ull);
	KUNIT_EXPECT_EQ(test, hvsim_payload_len(rec), 8u);
	KUNIT_EXPECT_STREQ(test, (char *)hvsim_payload(rec), "please");
}

/* The recorded replies carry their ids as payload, in this order. */
static void expect_replies(struct vsc *v, int n, bool backwards, u32 len)
{
	struct hvsim_packet *rec;
	int i = 0;

	list_for_each_entry(rec, &v->host->record, node) {
		u64 want = backwards ? n - 1 - i : i;
		const u64 *payload = hvsim_payload(rec);

		if (rec->desc.type != VM_PKT_COMP)
			continue;
		KUNIT_ASSERT_EQ(v->test, rec->desc.trans_id, want);
		KUNIT_ASSERT_EQ(v->test, hvsim_payload_len(rec), len);
		KUNIT_ASSERT_EQ(v->test, payload[0], want);
		i++;
	}
	KUNIT_EXPECT_EQ(v->test, i, n);
}

static int complete_backwards(void *data)
{
	struct vsc *v = data;
	struct held *h = v->priv;
	int i;

	for (i = h->n - 1; i >= 0; i--)
		VmbChannelPacketComplete(h->pkt[i], h->buf[i], h->len[i]);
	wake_up_all(&v->wait);
	return 0;
}

static void packets_are_completed_later_by_anyone_in_any_order(struct kunit *test)
{
	struct held *h;
	struct vsc *v = holding_vsc(test, 0, &h);

	host_sends_numbers(v, ASK, 40);
	vsc_expect_soon(v, atomic_read(&v->received) == 40);
	KUNIT_EXPECT_EQ(test, replies(v), 0ul);
	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(complete_backwards, v, "kmcl-complete")));
	vsc_expect_soon(v, replies(v) == 40);
	expect_replies(v, 40, true, 16);
}

static void a_packets_buffer_is_good_until_it_is_completed(struct kunit *test)
{
	struct held *h;
	struct vsc *v = holding_vsc(test, 0, &h);
	int i;

	host_sends_numbers(v, ASK, 200);
	vsc_expect_soon(v, atomic_read(&v->received) == 200);
	/* every other one goes, and 100 more come */
	for (i = 0; i < 200; i += 2)
		VmbChannelPacketComplete(h->pkt[i], NULL, 0);
	host_sends_numbers(v, 0, 100);
	vsc_expect_soon(v, atomic_read(&v->received) == 300);
	for (i = 1; i < 300; i += i < 199 ? 2 : 1) {
		u64 *payload = h->buf[i], want = i < 200 ? i : i - 200;

		KUNIT_EXPECT_EQ(test, payload[0], want);
		KUNIT_EXPECT_EQ(test, payload[1], ~want);
		VmbChannelPacketComplete(h->pkt[i], NULL, 0);
	}
	KUNIT_EXPECT_EQ(test, replies(v), 200ul);
}

/* Straight into the ring, and through the queue while it is full. */
static void a_reply_may_be_the_packets_own_buffer(struct kunit *test)
{
	struct held *h;
	struct vsc *v = holding_vsc(test, 0, &h);
	struct hvsim_packet *rec;
	u64 payload[100];
	int i, n = 0;

	for (i = 0; i < 100; i++)
		payload[i] = i;
	for (i = 0; i < 200; i++) {
		KUNIT_ASSERT_EQ(test, host_sends(v, ASK, i, payload, sizeof(payload)), 0);
		vsc_expect_soon(v, READ_ONCE(h->n) == i + 1);
	}
	hvsim_stall(v->host);
	for (i = 0; i < 200; i++)
		VmbChannelPacketComplete(h->pkt[i], h->buf[i] + 8 * (i % 50), 400);
	KUNIT_EXPECT_GT(test, v->kch->stats.queued, 20ull);
	hvsim_resume(v->host);
	vsc_expect_soon(v, replies(v) == 200);
	list_for_each_entry(rec, &v->host->record, node) {
		KUNIT_EXPECT_EQ(test, rec->desc.trans_id, (u64)n);
		KUNIT_EXPECT_MEMEQ(test, hvsim_payload(rec), &payload[n % 50], 400);
		n++;
	}
}

static void replies_wait_for_room_in_order_and_none_is_lost(struct kunit *test)
{
	struct held *h;
	struct vsc *v = holding_vsc(test, 2048, &h);
	u64 *reply = kunit_kzalloc(test, 1000, GFP_KERNEL);
	int i;

	host_sends_numbers(v, ASK, 400);
	vsc_expect_soon(v, atomic_read(&v->received) == 400);
	hvsim_stall(v->host);
	for (i = 0; i < 400; i++) {
		reply[0] = i;
		VmbChannelPacketComplete(h->pkt[i], reply, 1000);
		reply[0] = ~0ull;
	}
	KUNIT_EXPECT_GT(test, v->kch->stats.queued, 300ull);
	hvsim_resume(v->host);
	vsc_expect_soon(v, replies(v) == 400);
	expect_replies(v, 400, false, 1000);
	vsc_expect_soon(v, atomic_read(&v->kch->rx.busy) == 0);
	vsc_expect_log(v, "");
}

/* Both ends may have nothing left to read with but what waits in a queue as a reply. */
static void a_reply_that_waits_asks_for_no_more_room_than_the_head(struct kunit *test)
{
	const u32 one = sizeof(struct kmcl_desc) + 64 + KMCL_FOOTER_SIZE;
	struct held *h;
	struct vsc *v = holding_vsc(test, 0, &h);
	u8 buf[64] = {};
	u32 sent = 0;

	KUNIT_ASSERT_EQ(test, host_sends(v, ASK, 1, buf, 16), 0);
	vsc_expect_soon(v, READ_ONCE(h->n) == 1);
	hvsim_stall(v->host);
	while (v->kch->stats.queued < 8 && sent++ < 10000)
		KUNIT_ASSERT_EQ(test, vsc_send(v, buf, sizeof(buf), 0), STATUS_SUCCESS);
	/* sends alone wait together */
	KUNIT_EXPECT_TRUE(test, becomes(hvsim_peek(v->host, HVSIM_G2H, HVSIM_PENDING_SIZE) >=
					8 * one));
	VmbChannelPacketComplete(h->pkt[0], NULL, 0);
	KUNIT_EXPECT_LE(test, hvsim_peek(v->host, HVSIM_G2H, HVSIM_PENDING_SIZE), one + 8);
	hvsim_resume(v->host);
	vsc_expect_soon(v, replies(v) == 1);
}

static void a_reply_may_be_larger_than_the_largest_packet(struct kunit *test)
{
	struct held *h;
	struct vsc *v = holding_vsc(test, 64, &h);
	u64 *reply = kunit_kzalloc(test, 30000, GFP_KERNEL);
	int i;

	host_sends_numbers(v, ASK, 10);
	vsc_expect_soon(v, atomic_read(&v->received) == 10);
	hvsim_stall(v->host);
	for (i = 0; i < 10; i++) {
		reply[0] = i;
		VmbChannelPacketComplete(h->pkt[i], reply, 30000);
	}
	KUNIT_EXPECT_EQ(test, v->kch->stats.queued, 8ull);
	hvsim_resume(v->host);
	vsc_expect_soon(v, replies(v) == 10);
	expect_replies(v, 10, false, 30000);
	vsc_expect_log(v, "");
}

static void a_reply_that_no_ring_takes_closes_the_channel(struct kunit *test)
{
	static const u32 lens[] = { 65536, 524265, 600000, 0xfffffff0, U32_MAX };
	u8 *reply = kvzalloc(600000, GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, reply);
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		struct vsc *v = vsc_new(test);
		struct held *h;

		h = kunit_kzalloc(test, sizeof(*h), GFP_KERNEL);
		v->priv = h;
		v->on_packet = hold;
		/* the first does not fit its ring, the others no packet */
		if (i)
			VmbClientChannelInitSetRingBufferPageCount(v->ch, 16, 200);
		vsc_bring_up(v);
		KUNIT_EXPECT_EQ(test, host_sends(v, ASK, 1, "x", 1), 0);
		vsc_expect_soon(v, READ_ONCE(h->n) == 1);
		VmbChannelPacketComplete(h->pkt[0], reply, lens[i]);
		vsc_expect_soon(v, v->logged == 2);
		vsc_expect_log(v, "UC");
		KUNIT_EXPECT_EQ(test, v->kch->stats.faults, 1ull);
		KUNIT_EXPECT_EQ(test, replies(v), 0ul);
		vsc_drop(v);
		hvsim_reset();
	}
	kvfree(reply);
}

/* ---- batches ---- */

/* One that looks again and again costs a processor until the driver completes something. */
static void a_reader_that_may_have_no_more_memory_waits(struct kunit *test)
{
	struct held *h;
	struct vsc *v = holding_vsc(test, 64, &h);
	struct kmcl_incoming *spare = kunit_kzalloc(test, sizeof(*spare), GFP_KERNEL);
	struct kmcl_rx *rx = &v->kch->rx;
	u8 buf[1000] = {};

	KUNIT_ASSERT_NOT_NULL(test, spare);
	KUNIT_ASSERT_EQ(test, host_sends(v, ASK, 1, buf, 16), 0);
	vsc_expect_soon(v, READ_ONCE(h->n) == 1);
	/* an object for a large packet is there, and so much is at the driver */
	atomic_add(KMCL_POOL_MAX, &rx->extra_bytes);
	WRITE_ONCE(rx->spare, spare);
	KUNIT_ASSERT_EQ(test, host_sends(v, ASK, 2, buf, sizeof(buf)), 0);
	KUNIT_EXPECT_TRUE(test, becomes(READ_ONCE(rx->blocked)));
	schedule_timeout_uninterruptible(2);
	KUNIT_EXPECT_EQ(test, h->n, 1u);
	WRITE_ONCE(rx->spare, NULL);
	atomic_sub(KMCL_POOL_MAX, &rx->extra_bytes);
	VmbChannelPacketComplete(h->pkt[0], NULL, 0);
	vsc_expect_soon(v, READ_ONCE(h->n) == 2);
	VmbChannelPacketComplete(h->pkt[1], NULL, 0);
}

static void a_batch_ends_once_with_its_number_of_packets(struct kunit *test)
{
	static const int sizes[] = { 1, 2, 17, 200 };
	struct vsc *v = vsc_new(test);
	struct hvsim_raw raw = {
		.desc = { .type = VM_PKT_DATA_INBAND, .offset8 = 2, .len8 = 2 },
	};
	int i, k, all = 0;

	vsc_bring_up(v);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		all += sizes[i];
		raw.quiet = true;
		for (k = 0; k < sizes[i]; k++)
			KUNIT_ASSERT_EQ(test, hvsim_send_raw(v->host, &raw), 0);
		hvsim_interrupt(v->host);
		vsc_expect_soon(v, atomic_read(&v->batches) == i + 1);
		KUNIT_EXPECT_EQ(test, atomic_read(&v->received), all);
		KUNIT_EXPECT_EQ(test, atomic_read(&v->batch_packets), all);
	}
	/* a signal for nothing is no batch */
	hvsim_interrupt(v->host);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, atomic_read(&v->batches), (int)ARRAY_SIZE(sizes));
}

static void batches_of_a_full_ring_add_up(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	int n;

	vsc_bring_up(v);
	VmbChannelPause(v->ch);
	n = hvsim_fill(v->host, 8);
	KUNIT_ASSERT_GT(test, n, 1000);
	VmbChannelStart(v->ch);
	vsc_expect_soon(v, atomic_read(&v->batch_packets) == n);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->received), n);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, atomic_read(&v->batch_packets), n);
}

/* ---- what is not data ---- */

static void external_data_is_answered_empty_and_counted(struct kunit *test)
{
	static const u16 types[] = { VM_PKT_DATA_USING_XFER_PAGES, VM_PKT_DATA_USING_GPA_DIRECT };
	struct vsc *v = vsc_new(test);
	const struct hvsim_packet *rec;
	u64 body[6] = { 0, 0, 0, 0, 0x5555, 0x6666 };
	struct hvsim_raw raw = {
		.desc = { .offset8 = 6, .len8 = 8 },
		.payload = body,
		.len = sizeof(body),
	};
	int i;

	v->offer.script.record = true;
	vsc_bring_up(v);
	for (i = 0; i < 4; i++) {
		raw.desc.type = types[i / 2];
		raw.desc.flags = i % 2;
		raw.desc.trans_id = 0x4000 + i;
		hvsim_clear_record(v->host);
		KUNIT_EXPECT_EQ(test, hvsim_send_raw(v->host, &raw), 0);
		vsc_expect_soon(v, v->kch->stats.unsupported == i + 1);
		hvsim_settle();
		KUNIT_EXPECT_EQ(test, atomic_read(&v->received), 0);
		if (!(i % 2)) {
			KUNIT_EXPECT_TRUE(test, list_empty(&v->host->record));
			continue;
		}
		KUNIT_ASSERT_TRUE(test, list_is_singular(&v->host->record));
		rec = list_first_entry(&v->host->record, struct hvsim_packet, node);
		KUNIT_EXPECT_EQ(test, rec->desc.type, (u16)VM_PKT_COMP);
		KUNIT_EXPECT_EQ(test, rec->desc.trans_id, 0x4000ull + i);
		KUNIT_EXPECT_EQ(test, hvsim_payload_len(rec), 0u);
	}
	KUNIT_EXPECT_EQ(test, host_sends(v, 0, 0, "data", 5), 0);
	vsc_expect_soon(v, atomic_read(&v->received) == 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->kch->rx.busy), 0);
	vsc_expect_log(v, "");
}

/* ---- misuse and defaults ---- */

static void a_failed_packet_closes_the_channel(struct kunit *test)
{
	struct held *h;
	struct vsc *v = holding_vsc(test, 0, &h);
	int i;

	v->host->script.answer = HVSIM_ANSWER_NONE;
	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_EQ(test, vsc_send(v, &i, 4, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	host_sends_numbers(v, ASK, 3);
	vsc_expect_soon(v, READ_ONCE(h->n) == 3);

	VmbChannelPacketFail(h->pkt[1]);
	vsc_expect_soon(v, atomic_read(&v->removed) == 10);
	KUNIT_EXPECT_EQ(test, v->kch->stats.faults, 1ull);
	/* Suspend has come; Closed waits for the other two */
	vsc_expect_soon(v, v->logged == 1);
	hvsim_settle();
	vsc_expect_log(v, "U");
	/* it is retired: this is nothing */
	VmbChannelPacketComplete(h->pkt[1], NULL, 0);
	VmbChannelPacketFail(h->pkt[1]);
	VmbChannelPacketComplete(h->pkt[0], NULL, 0);
	hvsim_settle();
	vsc_expect_log(v, "U");
	VmbChannelPacketComplete(h->pkt[2], NULL, 0);
	vsc_expect_soon(v, v->logged == 2);
	vsc_expect_log(v, "UC");
	KUNIT_EXPECT_EQ(test, replies(v), 0ul);
	KUNIT_EXPECT_EQ(test, vsc_send(v, "x", 1, 0), STATUS_INVALID_DEVICE_STATE);
}

static void a_packet_is_completed_once(struct kunit *test)
{
	struct held *h;
	struct vsc *v = holding_vsc(test, 0, &h);

	host_sends_numbers(v, ASK, 2);
	vsc_expect_soon(v, READ_ONCE(h->n) == 2);
	VmbChannelPacketComplete(h->pkt[0], NULL, 0);
	VmbChannelPacketComplete(h->pkt[0], NULL, 0);
	VmbChannelPacketFail(h->pkt[0]);
	VmbChannelPacketDeferToPassive(h->pkt[0]);
	/* outside ProcessPacket: ignored, the packet stays the driver's */
	VmbChannelPacketDeferToPassive(h->pkt[1]);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, replies(v), 1ul);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->kch->rx.delivered), 1);
	VmbChannelPacketComplete(h->pkt[1], NULL, 0);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, replies(v), 2ul);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->kch->rx.busy), 0);
	VmbChannelPacketComplete(NULL, NULL, 0);
	VmbChannelPacketComplete((VMBPACKETCOMPLETION)v->ch, NULL, 0);
	VmbChannelPacketFail(NULL);
	VmbChannelPacketDeferToPassive(NULL);
	KUNIT_EXPECT_EQ(test, v->kch->stats.faults, 0ull);
	vsc_expect_log(v, "");
}

static void complete_then_defer(struct vsc *v, VMBPACKETCOMPLETION pkt, void *buf, u32 len)
{
	VmbChannelPacketComplete(pkt, NULL, 0);
	VmbChannelPacketDeferToPassive(pkt);
}

static void a_completed_packet_is_not_deferred(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	v->on_packet = complete_then_defer;
	vsc_bring_up(v);
	host_sends_numbers(v, ASK, 100);
	vsc_expect_soon(v, replies(v) == 100);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, atomic_read(&v->received), 100);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->kch->rx.busy), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->kch->rx.delivered), 0);
}

static void without_a_handler_packets_are_completed_empty(struct kunit *test)
{
	struct hvsim_packet *rec;
	int style;

	for (style = 0; style < 2; style++) {
		struct vsc *v = vsc_new(test);

		if (style)
			VmbChannelInitSetProcessPacketCallbacks(v->ch, NULL, NULL);
		else
			VmbChannelInitSetProcessPacketCallbacksEx(v->ch, v, NULL, NULL);
		v->offer.script.record = true;
		vsc_bring_up(v);
		host_sends_numbers(v, ASK, 50);
		hvsim_settle();
		KUNIT_EXPECT_EQ(test, replies(v), 50ul);
		list_for_each_entry(rec, &v->host->record, node)
			KUNIT_EXPECT_EQ(test, hvsim_payload_len(rec), 0u);
		KUNIT_EXPECT_EQ(test, atomic_read(&v->received), 0);
		hvsim_reset();
	}
}

static VOID legacy_process(VMBCHANNEL ch, VMBPACKETCOMPLETION pkt, PVOID buf, UINT32 len,
			   UINT32 flags)
{
	struct vsc *v = VmbChannelGetPointer(ch);

	atomic_inc(&v->received);
	VmbChannelPacketComplete(pkt, buf, len);
}

static VOID legacy_complete(VMBCHANNEL ch, UINT32 count)
{
	struct vsc *v = VmbChannelGetPointer(ch);

	atomic_add(count, &v->batch_packets);
	wake_up_all(&v->wait);
}

static void the_latest_packet_callbacks_win(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	/* the fixture has registered the Ex style before */
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetProcessPacketCallbacks(v->ch, legacy_process,
								      legacy_complete),
			STATUS_SUCCESS);
	vsc_bring_up(v);
	host_sends_numbers(v, ASK, 50);
	vsc_expect_soon(v, atomic_read(&v->batch_packets) == 50);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->received), 50);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->batches), 0);
}

static void an_incoming_packet_has_a_channel_and_a_pointer(struct kunit *test)
{
	struct held *h;
	struct vsc *v = holding_vsc(test, 0, &h);
	VMBPACKET pkt;

	host_sends_numbers(v, 0, 1);
	vsc_expect_soon(v, READ_ONCE(h->n) == 1);
	pkt = (VMBPACKET)h->pkt[0];
	KUNIT_EXPECT_PTR_EQ(test, VmbPacketGetChannel(pkt), v->ch);
	KUNIT_EXPECT_NULL(test, VmbPacketGetPointer(pkt));
	VmbPacketSetPointer(pkt, test);
	KUNIT_EXPECT_PTR_EQ(test, VmbPacketGetPointer(pkt), (void *)test);
	/* but it is nothing to send or to free */
	KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, "x", 1, NULL, 0), STATUS_INVALID_PARAMETER_1);
	VmbPacketFree(pkt);
	VmbChannelPacketComplete(h->pkt[0], NULL, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->kch->rx.busy), 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_packet_is_delivered_in_whole_words),
	KUNIT_CASE(a_reply_goes_out_only_to_those_who_ask),
	KUNIT_CASE(packets_are_completed_later_by_anyone_in_any_order),
	KUNIT_CASE(a_packets_buffer_is_good_until_it_is_completed),
	KUNIT_CASE(a_reply_may_be_the_packets_own_buffer),
	KUNIT_CASE(replies_wait_for_room_in_order_and_none_is_lost),
	KUNIT_CASE(a_reply_that_waits_asks_for_no_more_room_than_the_head),
	KUNIT_CASE(a_reply_may_be_larger_than_the_largest_packet),
	KUNIT_CASE(a_reply_that_no_ring_takes_closes_the_channel),
	KUNIT_CASE(a_reader_that_may_have_no_more_memory_waits),
	KUNIT_CASE(a_batch_ends_once_with_its_number_of_packets),
	KUNIT_CASE(batches_of_a_full_ring_add_up),
	KUNIT_CASE(external_data_is_answered_empty_and_counted),
	KUNIT_CASE(a_failed_packet_closes_the_channel),
	KUNIT_CASE(a_packet_is_completed_once),
	KUNIT_CASE(a_completed_packet_is_not_deferred),
	KUNIT_CASE(without_a_handler_packets_are_completed_empty),
	KUNIT_CASE(the_latest_packet_callbacks_win),
	KUNIT_CASE(an_incoming_packet_has_a_channel_and_a_pointer),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_receive",
	.init = vsc_suite_init,
	.exit = vsc_suite_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
