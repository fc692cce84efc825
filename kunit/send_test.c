// SPDX-License-Identifier: GPL-2.0
/*
 * VmbPacketSend() on a ring with room: what it refuses, what the host sees, and
 * what the completion routine gets.
 */
#include <linux/slab.h>
#include "fixture.h"

#define PIPE	VMBUS_CHANNEL_INIT_FLAG_IS_PIPE

/* The last completion. */
struct answer {
	struct vsc *v;
	int calls;
	NTSTATUS status;
	bool null;
	u32 len;
	u8 data[32768];
};

static VOID on_answer(VMBPACKET packet, PVOID context, NTSTATUS status, PVOID buf, UINT32 len)
{
	struct answer *a = context;

	a->calls++;
	a->status = status;
	a->null = !buf;
	a->len = len;
	if (buf)
		memcpy(a->data, buf, min_t(u32, len, sizeof(a->data)));
	wake_up_all(&a->v->wait);
}

/* A packet that is kept, whose completions go to an answer. */
static VMBPACKET answered_packet(struct vsc *v, struct answer **answer)
{
	VMBPACKET pkt = VmbPacketAllocate(v->ch);
	struct answer *a = kunit_kzalloc(v->test, sizeof(*a), GFP_KERNEL);

	KUNIT_ASSERT_TRUE(v->test, pkt && a);
	a->v = v;
	VmbPacketSetCompletionRoutineEx(pkt, a, on_answer);
	*answer = a;
	return pkt;
}

static struct vsc *prompt_vsc(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	v->offer.exec = HVSIM_EXEC_INLINE;
	v->offer.script.record = true;
	return v;
}

/* The only packet recorded since the last call. */
static const struct hvsim_packet *recorded(struct vsc *v)
{
	KUNIT_ASSERT_TRUE(v->test, list_is_singular(&v->host->record));
	return list_first_entry(&v->host->record, struct hvsim_packet, node);
}

static void a_refused_send_names_its_parameter(struct kunit *test)
{
	struct vsc *v = prompt_vsc(test);
	struct answer *a;
	VMBPACKET pkt;
	u8 *big = kunit_kzalloc(test, 8192, GFP_KERNEL);
	MDL mdl = { .Size = sizeof(mdl) };
	u32 flag;

	vsc_bring_up(v);
	pkt = answered_packet(v, &a);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(NULL, big, 8, NULL, 0), STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbPacketSend((VMBPACKET)v->ch, big, 8, NULL, 0),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, NULL, 8, NULL, 0), STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, big, 4097, NULL, 0),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, big, U32_MAX, NULL, 0),
			STATUS_INVALID_PARAMETER_3);
	for (flag = VMBUS_CHANNEL_FORMAT_FLAGS + 1; flag; flag <<= 1)
		KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, big, 8, NULL, flag),
				STATUS_INVALID_PARAMETER_5);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, big, 8, &mdl, 0), STATUS_INVALID_PARAMETER_5);

	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, big, 8, NULL, 0), STATUS_INVALID_DEVICE_STATE);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, big, 8, NULL, WAIT_FOR_COMPLETION),
			STATUS_INVALID_DEVICE_STATE);
	KUNIT_EXPECT_EQ(test, a->calls, 0);
	KUNIT_EXPECT_EQ(test, v->host->stats.packets[VM_PKT_DATA_INBAND], 0ul);
	VmbPacketFree(pkt);
}

static void a_send_before_the_open_or_while_paused_is_kept(struct kunit *test)
{
	struct vsc *v = prompt_vsc(test);
	struct answer *a, *b;
	VMBPACKET pkt, plain;

	/* no offer yet */
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	pkt = answered_packet(v, &a);
	plain = answered_packet(v, &b);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, "1", 1, NULL, WAIT_FOR_COMPLETION),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(plain, "2", 1, NULL, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, a->calls, 0);
	KUNIT_EXPECT_EQ(test, b->calls, 0);
	vsc_offer(v);
	vsc_expect_soon(v, a->calls == 1 && b->calls == 1);
	KUNIT_EXPECT_EQ(test, a->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, b->status, STATUS_SUCCESS);

	VmbChannelPause(v->ch);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, "3", 1, NULL, WAIT_FOR_COMPLETION),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(plain, "4", 1, NULL, 0), STATUS_SUCCESS);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, a->calls, 1);
	KUNIT_EXPECT_EQ(test, b->calls, 1);
	KUNIT_EXPECT_EQ(test, v->host->stats.packets[VM_PKT_DATA_INBAND], 2ul);
	VmbChannelStart(v->ch);
	vsc_expect_soon(v, a->calls == 2 && b->calls == 2);
	KUNIT_EXPECT_EQ(test, v->host->stats.packets[VM_PKT_DATA_INBAND], 4ul);
	VmbPacketFree(pkt);
	VmbPacketFree(plain);
}

static void without_wait_a_packet_completes_when_it_enters_the_ring(struct kunit *test)
{
	struct vsc *v = prompt_vsc(test);
	struct answer *a;
	VMBPACKET pkt;

	v->offer.exec = HVSIM_EXEC_MANUAL;
	vsc_bring_up(v);
	pkt = answered_packet(v, &a);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, "x", 1, NULL, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, a->calls, 1);
	KUNIT_EXPECT_EQ(test, a->status, STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, a->null);
	KUNIT_EXPECT_EQ(test, a->len, 0u);
	hvsim_run(v->host);
	KUNIT_EXPECT_EQ(test, v->host->stats.answers, 0ul);
	KUNIT_EXPECT_EQ(test, a->calls, 1);
	VmbPacketFree(pkt);
}

static void with_wait_a_packet_completes_when_the_answer_comes(struct kunit *test)
{
	static u8 answer[] = "an answer of 24 bytes .";
	struct vsc *v = prompt_vsc(test);
	struct answer *a;
	VMBPACKET pkt;

	v->offer.exec = HVSIM_EXEC_MANUAL;
	v->offer.script.answer = HVSIM_ANSWER_FIXED;
	v->offer.script.fixed = answer;
	v->offer.script.fixed_len = sizeof(answer);
	vsc_bring_up(v);
	pkt = answered_packet(v, &a);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, "x", 1, NULL, WAIT_FOR_COMPLETION),
			STATUS_SUCCESS);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, a->calls, 0);
	hvsim_run(v->host);
	vsc_expect_soon(v, a->calls == 1);
	KUNIT_EXPECT_EQ(test, a->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, a->len, (u32)sizeof(answer));
	KUNIT_EXPECT_STREQ(test, (char *)a->data, (char *)answer);
	VmbPacketFree(pkt);
}

/* An answer is not bound to MaximumPacketSize, nor is it of whole words. */
static void an_answer_of_any_length_reaches_the_routine(struct kunit *test)
{
	static const u32 lens[] = { 0, 1, 7, 8, 9, 64, 65, 4096, 30001 };
	struct vsc *v = prompt_vsc(test);
	struct answer *a;
	VMBPACKET pkt;
	u8 *fixed;
	int i;

	fixed = kunit_kzalloc(test, sizeof(a->data), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fixed);
	memset(fixed, 0x5a, sizeof(a->data));
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketSize(v->ch, 64), STATUS_SUCCESS);
	v->offer.script.answer = HVSIM_ANSWER_FIXED;
	v->offer.script.fixed = fixed;
	vsc_bring_up(v);
	pkt = answered_packet(v, &a);
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		v->host->script.fixed_len = lens[i];
		KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, &i, 4, NULL, WAIT_FOR_COMPLETION),
				STATUS_SUCCESS);
		KUNIT_EXPECT_EQ(test, a->calls, i + 1);
		KUNIT_EXPECT_EQ(test, a->len, ALIGN(lens[i], 8));
		KUNIT_EXPECT_NULL(test, memchr_inv(a->data, 0x5a, lens[i]));
		KUNIT_EXPECT_NULL(test, memchr_inv(a->data + lens[i], 0,
						   ALIGN(lens[i], 8) - lens[i]));
	}
	VmbPacketFree(pkt);
}

static void any_length_goes_out_with_zeros_behind_it(struct kunit *test, bool paused)
{
	static const u32 lens[] = { 0, 1, 2, 7, 8, 9, 15, 17, 63, 1001, 4089, 4095, 4096 };
	struct vsc *v = prompt_vsc(test);
	struct answer *a;
	VMBPACKET pkt;
	u8 *data = kunit_kzalloc(test, 4096, GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, data);
	memset(data, 0xee, 4096);
	vsc_bring_up(v);
	pkt = answered_packet(v, &a);
	/* so that what an earlier send has left in the packet is not zeros */
	VmbChannelPause(v->ch);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, data, 4096, NULL, 0), STATUS_SUCCESS);
	VmbChannelStart(v->ch);
	KUNIT_ASSERT_EQ(test, a->calls, 1);

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		const struct hvsim_packet *rec;
		const u8 *payload;

		hvsim_clear_record(v->host);
		if (paused)
			VmbChannelPause(v->ch);
		KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, lens[i] ? data : NULL, lens[i], NULL,
						    WAIT_FOR_COMPLETION), STATUS_SUCCESS);
		if (paused)
			VmbChannelStart(v->ch);
		vsc_expect_soon(v, a->calls == i + 2);
		KUNIT_EXPECT_EQ(test, a->len, ALIGN(lens[i], 8));
		rec = recorded(v);
		payload = hvsim_payload(rec);
		KUNIT_EXPECT_EQ(test, hvsim_payload_len(rec), ALIGN(lens[i], 8));
		KUNIT_EXPECT_NULL(test, memchr_inv(payload, 0xee, lens[i]));
		KUNIT_EXPECT_NULL(test, memchr_inv(payload + lens[i], 0,
						   ALIGN(lens[i], 8) - lens[i]));
	}
	VmbPacketFree(pkt);
}

static void a_packet_of_any_length_goes_out_padded_with_zeros(struct kunit *test)
{
	any_length_goes_out_with_zeros_behind_it(test, false);
}

static void a_queued_packet_of_any_length_goes_out_padded_with_zeros(struct kunit *test)
{
	any_length_goes_out_with_zeros_behind_it(test, true);
}

static void on_the_wire_there_are_slot_and_generation_and_no_pointer(struct kunit *test)
{
	struct vsc *v = prompt_vsc(test);
	struct answer *a;
	VMBPACKET pkt;
	u64 last = 0;
	int i;

	vsc_bring_up(v);
	pkt = answered_packet(v, &a);
	for (i = 0; i < 50; i++) {
		bool wait = i % 3, paused = i % 5 == 4;
		const struct hvsim_packet *rec;

		hvsim_clear_record(v->host);
		if (paused)
			VmbChannelPause(v->ch);
		KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, "0123456789", 10, NULL,
						    wait ? WAIT_FOR_COMPLETION : 0),
				STATUS_SUCCESS);
		if (paused)
			VmbChannelStart(v->ch);
		vsc_expect_soon(v, a->calls == i + 1);
		rec = recorded(v);
		KUNIT_EXPECT_EQ(test, rec->desc.type, (u16)KMCL_TYPE_INBAND);
		KUNIT_EXPECT_EQ(test, rec->desc.offset8, (u16)2);
		KUNIT_EXPECT_EQ(test, rec->desc.len8, (u16)4);
		KUNIT_EXPECT_EQ(test, rec->desc.flags, (u16)wait);
		KUNIT_EXPECT_GE(test, (u32)rec->desc.trans_id, 1u);
		KUNIT_EXPECT_LE(test, (u32)rec->desc.trans_id, v->kch->slots);
		if (last)
			KUNIT_EXPECT_EQ(test, rec->desc.trans_id, last + (1ULL << 32));
		last = rec->desc.trans_id;
	}
	VmbPacketFree(pkt);
}

static void a_packet_is_sent_from_process_packet(struct vsc *v, VMBPACKETCOMPLETION in,
						 void *buf, u32 len)
{
	if (vsc_send(v, buf, len, WAIT_FOR_COMPLETION))
		atomic_inc((atomic_t *)v->priv);
	VmbChannelPacketComplete(in, NULL, 0);
}

static void packets_are_sent_from_process_packet(struct kunit *test)
{
	struct vsc *v = prompt_vsc(test);
	atomic_t *failed = kunit_kzalloc(test, sizeof(*failed), GFP_KERNEL);
	u64 i;

	v->priv = failed;
	v->on_packet = a_packet_is_sent_from_process_packet;
	vsc_bring_up(v);
	for (i = 0; i < 200; i++)
		KUNIT_ASSERT_EQ(test, hvsim_send(v->host, VM_PKT_DATA_INBAND, 0, i, &i,
						 sizeof(i)), 0);
	vsc_expect_soon(v, atomic_read(&v->ok) == 200);
	KUNIT_EXPECT_EQ(test, atomic_read(failed), 0);
	KUNIT_EXPECT_EQ(test, v->host->stats.packets[VM_PKT_DATA_INBAND], 200ul);
}

/* ---- chains ---- */

struct chain {
	struct vsc *v;
	u32 flags;
	int left;
	int calls;
	int depth;
	int max_depth;
	NTSTATUS failed;
	unsigned long low;
	unsigned long high;
};

static VOID on_link(VMBPACKET packet, PVOID context, NTSTATUS status, PVOID buf, UINT32 len)
{
	unsigned long here = (unsigned long)__builtin_frame_address(0);
	struct chain *c = context;
	NTSTATUS sent;

	c->max_depth = max(c->max_depth, ++c->depth);
	c->low = c->calls ? min(c->low, here) : here;
	c->high = c->calls ? max(c->high, here) : here;
	c->calls++;
	if (status)
		c->failed = status;
	if (c->left > 0) {
		c->left--;
		sent = VmbPacketSend(packet, &c->left, sizeof(c->left), NULL, c->flags);
		if (sent)
			c->failed = sent;
	}
	c->depth--;
	wake_up_all(&c->v->wait);
}

static void run_chain(struct kunit *test, u32 flags, bool pipe)
{
	struct vsc *v = prompt_vsc(test);
	struct chain *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);
	VMBPACKET pkt;

	KUNIT_ASSERT_NOT_NULL(test, c);
	v->offer.script.record = false;
	if (pipe)
		KUNIT_ASSERT_EQ(test, VmbChannelInitSetFlags(v->ch, PIPE), STATUS_SUCCESS);
	vsc_bring_up(v);
	c->v = v;
	c->flags = flags;
	c->left = 10000;
	pkt = VmbPacketAllocate(v->ch);
	KUNIT_ASSERT_NOT_NULL(test, pkt);
	VmbPacketSetCompletionRoutineEx(pkt, c, on_link);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, "", 0, NULL, flags), STATUS_SUCCESS);
	vsc_expect_soon(v, READ_ONCE(c->calls) == 10001);
	KUNIT_EXPECT_EQ(test, c->failed, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, c->max_depth, 1);
	if (!flags)
		KUNIT_EXPECT_LT(test, c->high - c->low, 1024ul);
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_EQ(test, c->calls, 10001);
	VmbPacketFree(pkt);
}

static void ten_thousand_sends_chained_from_completions_need_no_stack(struct kunit *test)
{
	run_chain(test, 0, false);
	hvsim_reset();
	run_chain(test, 0, true);
}

static void ten_thousand_answers_chained_never_nest(struct kunit *test)
{
	run_chain(test, WAIT_FOR_COMPLETION, false);
	hvsim_reset();
	hvsim_set_irq(HVSIM_IRQ_TIMER);
	run_chain(test, WAIT_FOR_COMPLETION, false);
}

/* A routine that makes several others complete: one after the other. */
static VOID on_fan(VMBPACKET packet, PVOID context, NTSTATUS status, PVOID buf, UINT32 len)
{
	struct chain *c = context;
	int i;

	c->max_depth = max(c->max_depth, ++c->depth);
	c->calls++;
	for (i = 0; i < 3 && c->left > 0; i++) {
		VMBPACKET next = VmbPacketAllocate(c->v->ch);

		c->left--;
		VmbPacketSetCompletionRoutineEx(next, c, on_fan);
		c->failed |= VmbPacketSend(next, &i, sizeof(i), NULL, c->flags);
	}
	VmbPacketFree(packet);
	c->depth--;
}

static void completions_caused_by_a_completion_wait_for_it(struct kunit *test)
{
	struct vsc *v = prompt_vsc(test);
	struct chain *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);
	VMBPACKET pkt;

	vsc_bring_up(v);
	c->v = v;
	c->left = 600;
	pkt = VmbPacketAllocate(v->ch);
	VmbPacketSetCompletionRoutineEx(pkt, c, on_fan);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, "", 0, NULL, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, c->calls, 601);
	KUNIT_EXPECT_EQ(test, c->max_depth, 1);
	KUNIT_EXPECT_EQ(test, c->failed, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, v->kch->packets, 0u);
}

/* ---- pipes ---- */

static void the_host_sees_a_pipe_header_that_the_driver_does_not(struct kunit *test)
{
	static const u32 lens[] = { 0, 1, 8, 13, 4096 };
	struct vsc *v = prompt_vsc(test);
	struct answer *a;
	VMBPACKET pkt;
	u8 *data = kunit_kzalloc(test, 4096, GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, data);
	memset(data, 0xee, 4096);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetFlags(v->ch, PIPE), STATUS_SUCCESS);
	vsc_bring_up(v);
	pkt = answered_packet(v, &a);
	for (i = 0; i < 2 * ARRAY_SIZE(lens); i++) {
		const struct hvsim_packet *rec;
		u32 len = lens[i / 2];
		const __le32 *head;

		hvsim_clear_record(v->host);
		if (i % 2)
			VmbChannelPause(v->ch);
		KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, data, len, NULL, 0), STATUS_SUCCESS);
		if (i % 2)
			VmbChannelStart(v->ch);
		vsc_expect_soon(v, a->calls == i + 1);
		rec = recorded(v);
		head = hvsim_payload(rec);
		KUNIT_ASSERT_EQ(test, hvsim_payload_len(rec), ALIGN(8 + len, 8));
		KUNIT_EXPECT_EQ(test, le32_to_cpu(head[0]), 1u);
		KUNIT_EXPECT_EQ(test, le32_to_cpu(head[1]), len);
		KUNIT_EXPECT_NULL(test, memchr_inv(head + 2, 0xee, len));
		KUNIT_EXPECT_NULL(test, memchr_inv((u8 *)(head + 2) + len, 0,
						   ALIGN(len, 8) - len));
	}
	KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, data, 4097, NULL, 0),
			STATUS_INVALID_PARAMETER_3);
	VmbPacketFree(pkt);
}

struct piped {
	u32 len;
	u8 data[64];
};

static void keep_piped(struct vsc *v, VMBPACKETCOMPLETION pkt, void *buf, u32 len)
{
	struct piped *p = v->priv;

	p->len = len;
	memcpy(p->data, buf, min_t(u32, len, sizeof(p->data)));
	VmbChannelPacketComplete(pkt, NULL, 0);
}

static struct vsc *pipe_vsc(struct kunit *test)
{
	struct vsc *v = prompt_vsc(test);

	v->priv = kunit_kzalloc(test, sizeof(struct piped), GFP_KERNEL);
	v->on_packet = keep_piped;
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetFlags(v->ch, PIPE), STATUS_SUCCESS);
	vsc_bring_up(v);
	return v;
}

static int pipe_write(struct vsc *v, u32 type, u32 size, u32 len)
{
	__le32 packet[18] = { cpu_to_le32(type), cpu_to_le32(size) };

	memset(packet + 2, 0x77, sizeof(packet) - 8);
	return hvsim_send(v->host, VM_PKT_DATA_INBAND, 0, 0, packet, len);
}

static void the_driver_gets_what_is_in_the_pipe_and_its_exact_length(struct kunit *test)
{
	static const u32 lens[] = { 0, 1, 7, 8, 31, 64 };
	struct vsc *v = pipe_vsc(test);
	struct piped *p = v->priv;
	int i;

	for (i = 0; i < 2 * ARRAY_SIZE(lens); i++) {
		u32 len = lens[i / 2];

		KUNIT_EXPECT_EQ(test, pipe_write(v, 1 + i % 2, len, 8 + len), 0);
		vsc_expect_soon(v, atomic_read(&v->received) == i + 1);
		KUNIT_EXPECT_EQ(test, p->len, len);
		KUNIT_EXPECT_NULL(test, memchr_inv(p->data, 0x77, len));
	}
	vsc_expect_log(v, "");
}

static void a_damaged_pipe_header_closes_the_channel(struct kunit *test)
{
	static const struct {
		u32 type, size, len;
	} bad[] = {
		{ 0, 8, 16 }, { 3, 8, 16 }, { 0xffffffff, 8, 16 }, { 1, 9, 16 },
		{ 1, 0xffffffff, 16 }, { 1, 0xfffffff8, 16 }, { 2, 1, 8 }, { 1, 0, 0 },
	};
	struct vsc *v = pipe_vsc(test);
	int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		KUNIT_EXPECT_EQ(test, pipe_write(v, bad[i].type, bad[i].size, bad[i].len), 0);
		vsc_expect_soon(v, v->logged == 2);
		vsc_expect_log(v, "UC");
		KUNIT_EXPECT_EQ(test, v->kch->stats.faults, i + 1ull);
		KUNIT_EXPECT_EQ(test, atomic_read(&v->received), 0);
		KUNIT_ASSERT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
		memset(v->log, 0, sizeof(v->log));
		v->logged = 0;
	}
	KUNIT_EXPECT_EQ(test, pipe_write(v, 1, 8, 16), 0);
	vsc_expect_soon(v, atomic_read(&v->received) == 1);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_refused_send_names_its_parameter),
	KUNIT_CASE(a_send_before_the_open_or_while_paused_is_kept),
	KUNIT_CASE(without_wait_a_packet_completes_when_it_enters_the_ring),
	KUNIT_CASE(with_wait_a_packet_completes_when_the_answer_comes),
	KUNIT_CASE(an_answer_of_any_length_reaches_the_routine),
	KUNIT_CASE(a_packet_of_any_length_goes_out_padded_with_zeros),
	KUNIT_CASE(a_queued_packet_of_any_length_goes_out_padded_with_zeros),
	KUNIT_CASE(on_the_wire_there_are_slot_and_generation_and_no_pointer),
	KUNIT_CASE(packets_are_sent_from_process_packet),
	KUNIT_CASE(ten_thousand_sends_chained_from_completions_need_no_stack),
	KUNIT_CASE(ten_thousand_answers_chained_never_nest),
	KUNIT_CASE(completions_caused_by_a_completion_wait_for_it),
	KUNIT_CASE(the_host_sees_a_pipe_header_that_the_driver_does_not),
	KUNIT_CASE(the_driver_gets_what_is_in_the_pipe_and_its_exact_length),
	KUNIT_CASE(a_damaged_pipe_header_closes_the_channel),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_send",
	.init = vsc_suite_init,
	.exit = vsc_suite_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
