// SPDX-License-Identifier: GPL-2.0
/*
 * The simulated host's rings and scripts, against the in-tree bus alone: what
 * every other suite stands on. The control protocol is in sim_control_test.c.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "sim_guest.h"

static struct guest *const guest = &guests[0];
static struct hvsim_chan *host;

static int ring_init(struct kunit *test)
{
	int ret = guest_init(test);

	if (!ret)
		host = guest_up(test, 0);
	return ret;
}

/* ---- round trips, however the host runs and interrupts ---- */

static const struct mode {
	const char *name;
	enum hvsim_exec exec;
	enum hvsim_irq irq;
	bool mask;
} modes[] = {
	{ "host in a work item, direct interrupt", HVSIM_EXEC_ASYNC, HVSIM_IRQ_DIRECT },
	{ "host in a work item, timer interrupt", HVSIM_EXEC_ASYNC, HVSIM_IRQ_TIMER },
	{ "host in the hypercall, direct interrupt", HVSIM_EXEC_INLINE, HVSIM_IRQ_DIRECT },
	{ "host in the hypercall, timer interrupt", HVSIM_EXEC_INLINE, HVSIM_IRQ_TIMER },
	{ "host on command, direct interrupt", HVSIM_EXEC_MANUAL, HVSIM_IRQ_DIRECT },
	{ "host on command, timer interrupt", HVSIM_EXEC_MANUAL, HVSIM_IRQ_TIMER },
	{ "host masks while it reads", HVSIM_EXEC_ASYNC, HVSIM_IRQ_DIRECT, true },
};

KUNIT_ARRAY_PARAM_DESC(modes, modes, name);

static void packets_come_back(struct kunit *test)
{
	const struct mode *mode = test->param_value;
	u8 text[100] = "hello, host";
	unsigned int i;

	hvsim_set_exec(host, mode->exec);
	hvsim_set_irq(mode->irq);
	host->script.mask = mode->mask;
	for (i = 0; i < 500; i++) {
		KUNIT_ASSERT_EQ(test, guest_send(guest, i + 1, text, 1 + i % sizeof(text)), 0);
		if (mode->exec == HVSIM_EXEC_MANUAL)
			hvsim_run(host);
		KUNIT_ASSERT_TRUE(test, guest_wait(guest, i + 1));
		KUNIT_ASSERT_EQ(test, guest->ids[i], i + 1);
		KUNIT_ASSERT_EQ(test, guest->last_len, ALIGN(1 + i % sizeof(text), 8));
	}
	KUNIT_EXPECT_EQ(test, host->stats.packets[VM_PKT_DATA_INBAND], 500);
	KUNIT_EXPECT_EQ(test, host->stats.answers, 500);
	KUNIT_EXPECT_TRUE(test, hvsim_settle());
}

/* ---- full rings ---- */

static unsigned int send_until_full(struct kunit *test, u32 len)
{
	void *data = kunit_kzalloc(test, len, GFP_KERNEL);
	unsigned int nr = 0;
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, data);
	while (!(ret = guest_send(guest, nr + 1, data, len)))
		nr++;
	KUNIT_EXPECT_EQ(test, ret, -EAGAIN);
	return nr;
}

static void a_stalled_host_lets_the_ring_fill(struct kunit *test)
{
	unsigned int nr;

	hvsim_stall(host);
	nr = send_until_full(test, 256);
	KUNIT_EXPECT_EQ(test, nr, (hvsim_ring_bytes(host, HVSIM_G2H) - 1) / (16 + 256 + 8));
	KUNIT_EXPECT_TRUE(test, hvsim_settle());
	KUNIT_EXPECT_EQ(test, host->stats.packets[VM_PKT_DATA_INBAND], 0);
	hvsim_resume(host);
	KUNIT_EXPECT_TRUE(test, guest_wait(guest, nr));
}

static void room_is_signalled_to_a_guest_that_waits(struct kunit *test)
{
	unsigned int callbacks;

	host->script.answer = HVSIM_ANSWER_NONE;
	hvsim_stall(host);
	send_until_full(test, 256);
	set_channel_pending_send_size(guest->channel, 16 + 256 + 8);
	hvsim_resume(host);
	KUNIT_EXPECT_TRUE(test, hvsim_settle());
	KUNIT_EXPECT_EQ(test, host->stats.irqs, 1);
	callbacks = guest->callbacks;
	KUNIT_EXPECT_GE(test, callbacks, 1);

	/* and not to one that does not */
	set_channel_pending_send_size(guest->channel, 0);
	hvsim_stall(host);
	send_until_full(test, 256);
	hvsim_resume(host);
	KUNIT_EXPECT_TRUE(test, hvsim_settle());
	KUNIT_EXPECT_EQ(test, host->stats.irqs, 1);
	KUNIT_EXPECT_EQ(test, guest->callbacks, callbacks);
}

static void the_host_waits_for_room_and_loses_no_answer(struct kunit *test)
{
	unsigned int i, nr = 0, idle = 0;
	u8 data[256] = { };

	/* more answers than the guest's ring holds, and then the guest's fills too */
	guest_stop_reading(guest);
	while (idle < 3) {
		if (!guest_send(guest, nr + 1, data, sizeof(data))) {
			nr++;
			idle = 0;
			continue;
		}
		hvsim_settle();
		idle++;
	}
	KUNIT_EXPECT_GT(test, nr, host->stats.answers);
	KUNIT_EXPECT_GT(test, hvsim_peek(host, HVSIM_H2G, HVSIM_PENDING_SIZE), 0);
	KUNIT_ASSERT_LE(test, nr, GUEST_IDS);
	guest_read(guest);
	KUNIT_EXPECT_TRUE(test, guest_wait(guest, nr));
	for (i = 0; i < nr; i++)
		KUNIT_ASSERT_EQ(test, guest->ids[i], i + 1);
	KUNIT_EXPECT_TRUE(test, hvsim_settle());
	KUNIT_EXPECT_EQ(test, hvsim_peek(host, HVSIM_H2G, HVSIM_PENDING_SIZE), 0);
}

static void the_host_fills_the_guests_ring(struct kunit *test)
{
	int nr;

	guest_stop_reading(guest);
	nr = hvsim_fill(host, 256);
	KUNIT_EXPECT_EQ(test, nr, (hvsim_ring_bytes(host, HVSIM_H2G) - 1) / (16 + 256 + 8));
	KUNIT_EXPECT_EQ(test, hvsim_ring_used(host, HVSIM_H2G), nr * (16 + 256 + 8));
	KUNIT_EXPECT_EQ(test, host->stats.irqs, 1);
	guest_read(guest);
	KUNIT_EXPECT_EQ(test, guest->inband, nr);
}

static void a_masked_guest_is_not_interrupted(struct kunit *test)
{
	unsigned int callbacks = guest->callbacks;

	hvsim_poke(host, HVSIM_H2G, HVSIM_INTERRUPT_MASK, 1);
	KUNIT_EXPECT_EQ(test, hvsim_send(host, VM_PKT_DATA_INBAND, 0, 0, "x", 1), 0);
	KUNIT_EXPECT_EQ(test, host->stats.irqs, 0);
	KUNIT_EXPECT_EQ(test, guest->callbacks, callbacks);
	hvsim_poke(host, HVSIM_H2G, HVSIM_INTERRUPT_MASK, 0);
	hvsim_interrupt(host);
	KUNIT_EXPECT_TRUE(test, hvsim_settle());
	KUNIT_EXPECT_EQ(test, guest->inband, 1);
}

/* ---- scripts ---- */

static void send_burst(struct kunit *test, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		KUNIT_ASSERT_EQ(test, guest_send(guest, i + 1, &i, sizeof(i)), 0);
	KUNIT_EXPECT_TRUE(test, hvsim_settle());
}

static void a_silent_host_takes_packets_and_says_nothing(struct kunit *test)
{
	host->script.answer = HVSIM_ANSWER_NONE;
	send_burst(test, 20);
	KUNIT_EXPECT_EQ(test, host->stats.packets[VM_PKT_DATA_INBAND], 20);
	KUNIT_EXPECT_EQ(test, guest->completions, 0);
}

static void a_fixed_answer_has_the_given_payload(struct kunit *test)
{
	static const u8 payload[40];

	host->script.fixed = payload;
	host->script.fixed_len = sizeof(payload);
	host->script.answer = HVSIM_ANSWER_FIXED;
	send_burst(test, 1);
	KUNIT_EXPECT_EQ(test, guest->completions, 1);
	KUNIT_EXPECT_EQ(test, guest->last_len, sizeof(payload));
}

static void answers_lag_behind_by_the_number_asked(struct kunit *test)
{
	unsigned int i;

	host->script.answer = HVSIM_ANSWER_LATER;
	host->script.lag = 7;
	send_burst(test, 20);
	KUNIT_EXPECT_EQ(test, guest->completions, 13);
	for (i = 0; i < 13; i++)
		KUNIT_EXPECT_EQ(test, guest->ids[i], i + 1);
	KUNIT_EXPECT_EQ(test, hvsim_kept(host), 7);
}

static void kept_answers_come_on_command_in_any_order(struct kunit *test)
{
	host->script.answer = HVSIM_ANSWER_LATER;
	send_burst(test, 5);
	KUNIT_EXPECT_EQ(test, guest->completions, 0);
	KUNIT_EXPECT_TRUE(test, hvsim_answer_id(host, 4));
	KUNIT_EXPECT_FALSE(test, hvsim_answer_id(host, 4));
	KUNIT_EXPECT_EQ(test, hvsim_answer(host, 2), 2);
	KUNIT_EXPECT_EQ(test, hvsim_answer(host, 9), 2);
	KUNIT_EXPECT_TRUE(test, hvsim_settle());
	KUNIT_ASSERT_EQ(test, guest->completions, 5);
	KUNIT_EXPECT_EQ(test, guest->ids[0], 4);
	KUNIT_EXPECT_EQ(test, guest->ids[1], 1);
	KUNIT_EXPECT_EQ(test, guest->ids[4], 5);
}

static void the_record_keeps_every_packet_in_order(struct kunit *test)
{
	struct hvsim_packet *pkt;
	unsigned int i = 0;

	host->script.record = true;
	send_burst(test, 30);
	list_for_each_entry(pkt, &host->record, node) {
		KUNIT_EXPECT_EQ(test, pkt->desc.trans_id, i + 1);
		KUNIT_EXPECT_EQ(test, hvsim_payload_len(pkt), 8);
		KUNIT_EXPECT_EQ(test, *(const u32 *)hvsim_payload(pkt), i);
		i++;
	}
	KUNIT_EXPECT_EQ(test, i, 30);
	hvsim_clear_record(host);
	KUNIT_EXPECT_TRUE(test, list_empty(&host->record));
}

static enum hvsim_answer answer_even(struct hvsim_chan *chan,
				     const struct vmpacket_descriptor *desc,
				     const void *payload, u32 len)
{
	return desc->trans_id % 2 ? HVSIM_ANSWER_NONE : HVSIM_ANSWER_SCRIPTED;
}

static void a_hook_decides_packet_by_packet(struct kunit *test)
{
	host->script.on_packet = answer_even;
	send_burst(test, 10);
	KUNIT_EXPECT_EQ(test, guest->completions, 5);
	KUNIT_EXPECT_EQ(test, guest->ids[0], 2);
}

/* ---- lies ---- */

static void forged_and_repeated_completions_arrive(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, hvsim_send(host, VM_PKT_COMP, 0, ~0ULL, NULL, 0), 0);
	KUNIT_EXPECT_TRUE(test, hvsim_settle());
	KUNIT_EXPECT_EQ(test, guest->completions, 3);
	KUNIT_EXPECT_EQ(test, guest->ids[2], ~0ULL);
	KUNIT_EXPECT_EQ(test, guest->last_len, 0);
}

static void raw_packets_land_in_the_ring_as_given(struct kunit *test)
{
	static const struct vmpacket_descriptor lies[] = {
		{ .type = 0xffff, .len8 = 0xffff, .offset8 = 0xffff, .flags = 0xffff,
		  .trans_id = ~0ULL },
		{ .type = VM_PKT_COMP, .len8 = 0, .offset8 = 0 },
		{ .type = VM_PKT_DATA_INBAND, .len8 = 1, .offset8 = 2, .trans_id = 7 },
	};
	struct hv_ring_buffer *rb = guest->channel->inbound.ring_buffer;
	u32 at = rb->write_index;
	unsigned int i;

	guest_stop_reading(guest);
	for (i = 0; i < ARRAY_SIZE(lies); i++) {
		struct hvsim_raw raw = {
			.desc = lies[i],
			.payload = "abcdefg",
			.len = 8,
			.size = 32,
			.quiet = true,
		};

		KUNIT_ASSERT_EQ(test, hvsim_send_raw(host, &raw), 0);
		KUNIT_EXPECT_MEMEQ(test, rb->buffer + at, &lies[i], sizeof(lies[i]));
		KUNIT_EXPECT_MEMEQ(test, rb->buffer + at + 16, "abcdefg", 8);
		at += 32 + 8;
		KUNIT_EXPECT_EQ(test, rb->write_index, at);
	}
	KUNIT_EXPECT_EQ(test, host->stats.irqs, 0);
}

static void every_shared_word_can_be_poked(struct kunit *test)
{
	struct hv_ring_buffer *rb[] = {
		[HVSIM_G2H] = guest->channel->outbound.ring_buffer,
		[HVSIM_H2G] = guest->channel->inbound.ring_buffer,
	};
	enum hvsim_dir dir;

	/* no traffic in between: nobody but this test reads them */
	hvsim_stall(host);
	for (dir = HVSIM_G2H; dir <= HVSIM_H2G; dir++) {
		struct hv_ring_buffer saved = {
			.write_index = rb[dir]->write_index,
			.read_index = rb[dir]->read_index,
			.interrupt_mask = rb[dir]->interrupt_mask,
		};

		hvsim_poke(host, dir, HVSIM_WRITE_INDEX, 0xfffffff8);
		hvsim_poke(host, dir, HVSIM_READ_INDEX, 0x7fffffff);
		hvsim_poke(host, dir, HVSIM_INTERRUPT_MASK, 0xdead);
		hvsim_poke(host, dir, HVSIM_PENDING_SIZE, 0xffffffff);
		hvsim_poke(host, dir, HVSIM_FEATURES, 0x80000000);
		KUNIT_EXPECT_EQ(test, rb[dir]->write_index, 0xfffffff8);
		KUNIT_EXPECT_EQ(test, rb[dir]->read_index, 0x7fffffff);
		KUNIT_EXPECT_EQ(test, rb[dir]->interrupt_mask, 0xdead);
		KUNIT_EXPECT_EQ(test, rb[dir]->pending_send_sz, 0xffffffff);
		KUNIT_EXPECT_EQ(test, hvsim_peek(host, dir, HVSIM_FEATURES), 0x80000000);

		hvsim_poke(host, dir, HVSIM_WRITE_INDEX, saved.write_index);
		hvsim_poke(host, dir, HVSIM_READ_INDEX, saved.read_index);
		hvsim_poke(host, dir, HVSIM_INTERRUPT_MASK, saved.interrupt_mask);
		hvsim_poke(host, dir, HVSIM_PENDING_SIZE, 0);
		hvsim_poke(host, dir, HVSIM_FEATURES, 1);
	}
	hvsim_resume(host);
	send_burst(test, 3);
	KUNIT_EXPECT_EQ(test, guest->completions, 3);
}

/* ---- the host's eye on the guest ---- */

static void a_guests_malformed_packets_are_counted(struct kunit *test)
{
	host->script.lenient = true;
	host->script.answer = HVSIM_ANSWER_NONE;
	KUNIT_EXPECT_EQ(test, vmbus_sendpacket(guest->channel, "x", 1, 1,
					       VM_PKT_DATA_INBAND, 6), 0);
	KUNIT_EXPECT_TRUE(test, hvsim_settle());
	KUNIT_EXPECT_EQ(test, host->stats.faults, 1);
	KUNIT_EXPECT_EQ(test, vmbus_sendpacket(guest->channel, "x", 1, 2, 99, 0), 0);
	KUNIT_EXPECT_TRUE(test, hvsim_settle());
	KUNIT_EXPECT_EQ(test, host->stats.faults, 2);
	KUNIT_EXPECT_EQ(test, vmbus_sendpacket(guest->channel, "x", 1, 3,
					       VM_PKT_DATA_USING_GPA_DIRECT, 0), 0);
	KUNIT_EXPECT_TRUE(test, hvsim_settle());
	KUNIT_EXPECT_EQ(test, host->stats.faults, 3);
	KUNIT_EXPECT_EQ(test, hvsim_faults(), 0);
}

static void a_write_index_outside_the_ring_is_counted(struct kunit *test)
{
	host->script.lenient = true;
	WRITE_ONCE(guest->channel->outbound.ring_buffer->write_index, GUEST_RING);
	hvsim_run(host);
	KUNIT_EXPECT_EQ(test, host->stats.faults, 1);
}

static void a_signal_that_is_missing_is_noticed(struct kunit *test)
{
	host->script.lenient = true;
	hvsim_poke(host, HVSIM_G2H, HVSIM_INTERRUPT_MASK, 1);
	KUNIT_EXPECT_EQ(test, guest_send(guest, 1, "x", 1), 0);
	hvsim_poke(host, HVSIM_G2H, HVSIM_INTERRUPT_MASK, 0);
	KUNIT_EXPECT_FALSE(test, hvsim_settle());
	KUNIT_EXPECT_EQ(test, host->stats.faults, 1);
	hvsim_run(host);
	KUNIT_EXPECT_TRUE(test, hvsim_settle());
}

/* ---- external data ---- */

static enum hvsim_answer store(struct hvsim_chan *chan, const struct vmpacket_descriptor *desc,
			       const void *payload, u32 len)
{
	const struct gpa_range *range;
	u32 done, pos, nr;

	if (hvsim_gpa_ranges(desc, 0, &range) != 1)
		return HVSIM_ANSWER_NONE;
	for (done = 0; done < range->byte_count; done += nr) {
		pos = range->byte_offset + done;
		nr = min_t(u32, range->byte_count - done, HV_HYP_PAGE_SIZE - offset_in_page(pos));
		memset(hvsim_gpa(range->pfn_array[pos >> HV_HYP_PAGE_SHIFT], offset_in_page(pos)),
		       0xa5, nr);
	}
	return HVSIM_ANSWER_SCRIPTED;
}

static void the_host_stores_into_external_data(struct kunit *test)
{
	struct vmbus_packet_mpb_array *desc;
	u32 size = struct_size(desc, range.pfn_array, 3), i;
	u8 *data = vzalloc(3 * PAGE_SIZE);

	desc = kunit_kzalloc(test, size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, desc);
	KUNIT_ASSERT_NOT_NULL(test, data);
	host->script.on_packet = store;
	desc->rangecount = 1;
	desc->range.offset = 100;
	desc->range.len = 2 * PAGE_SIZE;
	for (i = 0; i < 3; i++)
		desc->range.pfn_array[i] = vmalloc_to_pfn(data + i * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, vmbus_sendpacket_mpb_desc(guest->channel, desc, size, "12345678",
							8, 77), 0);
	KUNIT_EXPECT_TRUE(test, guest_wait(guest, 1));
	KUNIT_EXPECT_EQ(test, guest->ids[0], 77);
	KUNIT_EXPECT_EQ(test, data[99], 0);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(data + 100, 0xa5, 2 * PAGE_SIZE), NULL);
	KUNIT_EXPECT_EQ(test, data[100 + 2 * PAGE_SIZE], 0);
	vfree(data);
}

static struct kunit_case ring_cases[] = {
	KUNIT_CASE_PARAM(packets_come_back, modes_gen_params),
	KUNIT_CASE(a_stalled_host_lets_the_ring_fill),
	KUNIT_CASE(room_is_signalled_to_a_guest_that_waits),
	KUNIT_CASE(the_host_waits_for_room_and_loses_no_answer),
	KUNIT_CASE(the_host_fills_the_guests_ring),
	KUNIT_CASE(a_masked_guest_is_not_interrupted),
	KUNIT_CASE(a_silent_host_takes_packets_and_says_nothing),
	KUNIT_CASE(a_fixed_answer_has_the_given_payload),
	KUNIT_CASE(answers_lag_behind_by_the_number_asked),
	KUNIT_CASE(kept_answers_come_on_command_in_any_order),
	KUNIT_CASE(the_record_keeps_every_packet_in_order),
	KUNIT_CASE(a_hook_decides_packet_by_packet),
	KUNIT_CASE(forged_and_repeated_completions_arrive),
	KUNIT_CASE(raw_packets_land_in_the_ring_as_given),
	KUNIT_CASE(every_shared_word_can_be_poked),
	KUNIT_CASE(a_guests_malformed_packets_are_counted),
	KUNIT_CASE(a_write_index_outside_the_ring_is_counted),
	KUNIT_CASE(a_signal_that_is_missing_is_noticed),
	KUNIT_CASE(the_host_stores_into_external_data),
	{}
};

static struct kunit_suite ring_suite = {
	.name = "sim_ring",
	.suite_init = guest_register,
	.suite_exit = guest_unregister,
	.init = ring_init,
	.exit = guest_exit,
	.test_cases = ring_cases,
};

kunit_test_suite(ring_suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KUnit suites of the simulated VMBus host");
