// SPDX-License-Identifier: GPL-2.0
/*
 * The ring writer alone, and the two rules about who is signalled, over plain memory
 * against a model that counts bytes.
 */
#include <kunit/test.h>
#include <linux/prandom.h>
/* not exported by the library: ring_test.c has the suites' copy */
#include "ring.h"

#define SMALL		128u		/* bytes of ring: every pair of indices can be tried */
#define ROUNDS		10000

struct model {
	struct kmcl_ring_ctl *ctl;
	struct kmcl_ring_out out;
	struct kmcl_ring in;		/* of the same ring */
};

static struct model *new_model(struct kunit *test)
{
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	u8 *data;

	KUNIT_ASSERT_NOT_NULL(test, m);
	/* allocations of exactly this size, so that KASAN sees one byte too many */
	m->ctl = kunit_kzalloc(test, sizeof(*m->ctl), GFP_KERNEL);
	data = kunit_kzalloc(test, SMALL, GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, m->ctl && data);
	m->out = (struct kmcl_ring_out) { .ctl = m->ctl, .data = data, .size = SMALL };
	m->in = (struct kmcl_ring) { .ctl = m->ctl, .data = data, .size = SMALL };
	return m;
}

static void stand_at(struct model *m, u32 read, u32 write)
{
	m->in.read = read;
	m->out.write = write;
	m->ctl->out = cpu_to_le32(read);
	m->ctl->in = cpu_to_le32(write);
}

/* The model: bytes that are written and not read, and those that are free. */
static u32 used(u32 read, u32 write)
{
	return (write + SMALL - read) % SMALL;
}

static void room_is_right_at_every_pair_of_indices(struct kunit *test)
{
	struct model *m = new_model(test);
	u32 read, write, room;

	for (read = 0; read < SMALL; read += 8) {
		for (write = 0; write < SMALL; write += 8) {
			stand_at(m, read, write);
			KUNIT_ASSERT_EQ(test, kmcl_ring_room(&m->out, &room), KMCL_RING_OK);
			/* a full ring would look empty */
			KUNIT_ASSERT_EQ(test, room, SMALL - used(read, write) - 8);
		}
	}
}

static void a_read_index_outside_the_ring_or_unaligned_is_a_fault(struct kunit *test)
{
	static const u32 bad[] = {
		SMALL, SMALL + 8, 2 * SMALL, 0x7ffffff8, 0x80000000, 0xfffffff8, 0xffffffff,
		1, 2, 4, 7, SMALL - 1, SMALL - 4,
	};
	struct model *m = new_model(test);
	u32 i, room;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		room = 77;
		m->ctl->out = cpu_to_le32(bad[i]);
		KUNIT_EXPECT_EQ_MSG(test, kmcl_ring_room(&m->out, &room), KMCL_RING_INDEX,
				    "read index %#x", bad[i]);
		KUNIT_EXPECT_EQ(test, room, 0);
	}
}

static void bytes_are_put_whole_wherever_the_ring_ends(struct kunit *test)
{
	struct model *m = new_model(test);
	u32 at, len, i;

	for (at = 0; at < SMALL; at++) {
		for (len = 0; len <= SMALL; len += 3) {
			u8 *from = kmalloc(len, GFP_KERNEL);

			KUNIT_ASSERT_NOT_NULL(test, from);
			memset(m->out.data, 0xee, SMALL);
			for (i = 0; i < len; i++)
				from[i] = i;
			KUNIT_ASSERT_EQ(test, kmcl_ring_put(&m->out, at, from, len),
					(at + len) % SMALL);
			kfree(from);
			for (i = 0; i < SMALL; i++)
				KUNIT_ASSERT_EQ(test, m->out.data[(at + i) % SMALL],
						i < len ? i : 0xee);
		}
	}
	KUNIT_EXPECT_EQ(test, m->out.write, 0);
}

static void publish_signals_a_reader_that_has_read_all_and_wants_it(struct kunit *test)
{
	struct model *m = new_model(test);
	u32 read, write, next, mask;

	for (read = 0; read < SMALL; read += 8) {
		for (write = 0; write < SMALL; write += 8) {
			for (mask = 0; mask < 2; mask++) {
				next = (write + 24) % SMALL;
				stand_at(m, read, write);
				m->ctl->interrupt_mask = cpu_to_le32(mask);
				KUNIT_ASSERT_EQ(test, kmcl_ring_publish(&m->out, next),
						!mask && read == write);
				KUNIT_ASSERT_EQ(test, m->out.write, next);
				KUNIT_ASSERT_EQ(test, le32_to_cpu(m->ctl->in), next);
			}
		}
	}
}

/* The step after which what the writer wishes for fits, and no other. */
static void consumed_signals_the_step_that_crosses_the_wish(struct kunit *test)
{
	struct model *m = new_model(test);
	u32 before, after, write, wish, published;

	for (before = 0; before < SMALL; before += 8) {
		for (write = 0; write < SMALL; write += 8) {
			for (after = 0; after <= used(before, write); after += 8) {
				for (wish = 0; wish < SMALL; wish += 8) {
					u32 was = SMALL - used(before, write);

					stand_at(m, before, write);
					m->ctl->pending_send_size = cpu_to_le32(wish);
					m->in.read = (before + after) % SMALL;
					published = before;
					KUNIT_ASSERT_EQ(test,
							kmcl_ring_consumed(&m->in, &published),
							wish && was <= wish && was + after > wish);
					KUNIT_ASSERT_EQ(test, published, m->in.read);
					KUNIT_ASSERT_EQ(test, le32_to_cpu(m->ctl->out),
							m->in.read);
				}
			}
		}
	}
}

/* Which the writer finds out by itself; so it is signalled, and not left to wait. */
static void a_writer_that_lies_about_its_index_is_signalled(struct kunit *test)
{
	struct model *m = new_model(test);
	u32 published = 0;

	stand_at(m, 0, 64);
	m->in.read = 24;
	m->ctl->in = cpu_to_le32(0xffffffff);
	KUNIT_EXPECT_FALSE(test, kmcl_ring_consumed(&m->in, &published));
	m->ctl->pending_send_size = cpu_to_le32(8);
	KUNIT_EXPECT_TRUE(test, kmcl_ring_consumed(&m->in, &published));
}

static void the_write_index_is_never_fetched_back(struct kunit *test)
{
	struct model *m = new_model(test);
	u32 room;

	stand_at(m, 16, 40);
	m->ctl->in = cpu_to_le32(0xffffffff);
	KUNIT_EXPECT_EQ(test, kmcl_ring_room(&m->out, &room), KMCL_RING_OK);
	KUNIT_EXPECT_EQ(test, room, SMALL - 24 - 8);
	kmcl_ring_publish(&m->out, 64);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(m->ctl->in), 64);
}

/* Packets with what writer and reader do in turn: nobody is left to wait. */
static void writer_and_reader_keep_each_other_going(struct kunit *test)
{
	struct model *m = new_model(test);
	u32 wrote = 0, read = 0, published = 0, want = 0, round;
	bool reader = true, writer = true;
	struct rnd_state rnd;

	prandom_seed_state(&rnd, 21);
	for (round = 0; round < ROUNDS; round++) {
		KUNIT_ASSERT_TRUE_MSG(test, reader || writer, "both sleep after %u", wrote);
		if (writer && (!reader || prandom_u32_state(&rnd) % 2)) {
			u32 len = want ?: 24 + prandom_u32_state(&rnd) % 8 * 8, room, at;
			u8 bytes[80] = {};
			struct kmcl_desc *desc = (void *)bytes;

			desc->offset8 = cpu_to_le16(2);
			desc->len8 = cpu_to_le16(len / 8 - 1);
			desc->id = cpu_to_le64(wrote);
			KUNIT_ASSERT_EQ(test, kmcl_ring_room(&m->out, &room), KMCL_RING_OK);
			if (len > room) {
				want = len;
				m->ctl->pending_send_size = cpu_to_le32(len);
				KUNIT_ASSERT_EQ(test, kmcl_ring_room(&m->out, &room), KMCL_RING_OK);
				writer = len <= room;
				continue;
			}
			want = 0;
			m->ctl->pending_send_size = 0;
			at = kmcl_ring_put(&m->out, m->out.write, bytes, len);
			wrote++;
			reader |= kmcl_ring_publish(&m->out, at);
		} else {
			struct kmcl_ring_packet pkt;
			u32 avail, n = 1 + prandom_u32_state(&rnd) % 3;

			m->ctl->interrupt_mask = cpu_to_le32(1);
			KUNIT_ASSERT_EQ(test, kmcl_ring_avail(&m->in, &avail), KMCL_RING_OK);
			while (avail && n--) {
				KUNIT_ASSERT_EQ(test, kmcl_ring_head(&m->in, avail, &pkt),
						KMCL_RING_OK);
				KUNIT_ASSERT_EQ(test, pkt.id, read);
				kmcl_ring_skip(&m->in, &pkt);
				avail -= pkt.total;
				read++;
			}
			writer |= kmcl_ring_consumed(&m->in, &published);
			if (!avail) {
				m->ctl->interrupt_mask = 0;
				KUNIT_ASSERT_EQ(test, kmcl_ring_avail(&m->in, &avail),
						KMCL_RING_OK);
				reader = avail;
			}
		}
	}
	KUNIT_EXPECT_GT(test, read, ROUNDS / 8);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(room_is_right_at_every_pair_of_indices),
	KUNIT_CASE(a_read_index_outside_the_ring_or_unaligned_is_a_fault),
	KUNIT_CASE(bytes_are_put_whole_wherever_the_ring_ends),
	KUNIT_CASE(publish_signals_a_reader_that_has_read_all_and_wants_it),
	KUNIT_CASE(consumed_signals_the_step_that_crosses_the_wish),
	KUNIT_CASE(a_writer_that_lies_about_its_index_is_signalled),
	KUNIT_CASE(the_write_index_is_never_fetched_back),
	KUNIT_CASE(writer_and_reader_keep_each_other_going),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_ring_out",
	.test_cases = cases,
};

kunit_test_suite(suite);
