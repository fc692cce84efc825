// SPDX-License-Identifier: GPL-2.0
/*
 * The ring reader alone, over plain memory, against a model that knows no wrap:
 * it writes byte by byte, modulo the size.
 */
#include <kunit/test.h>
#include <linux/list.h>
#include <linux/prandom.h>
#include "ring.h"
/* pure code, not exported by the library: the suite has its own copy */
#include "ring.c"

#define SMALL		256u		/* bytes of ring: everything wraps soon */
#define ROUNDS		10000

struct model {
	struct kmcl_ring ring;
	u32 write;			/* the peer's own index */
};

static struct model *new_model(struct kunit *test, u32 size)
{
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, m);
	/* allocations of exactly this size, so that KASAN sees one byte too many */
	m->ring.ctl = kunit_kzalloc(test, sizeof(*m->ring.ctl), GFP_KERNEL);
	m->ring.data = kunit_kzalloc(test, size, GFP_KERNEL);
	m->ring.size = size;
	KUNIT_ASSERT_NOT_NULL(test, m->ring.ctl);
	KUNIT_ASSERT_NOT_NULL(test, m->ring.data);
	return m;
}

/* Both sides stand at @pos and the ring is empty. */
static void stand_at(struct model *m, u32 pos)
{
	m->ring.read = pos;
	m->write = pos;
	m->ring.ctl->in = cpu_to_le32(pos);
}

static void write_bytes(struct model *m, const void *from, u32 len)
{
	u32 i;

	for (i = 0; i < len; i++)
		m->ring.data[(m->write + i) % m->ring.size] = ((const u8 *)from)[i];
	m->write = (m->write + len) % m->ring.size;
}

static void publish(struct model *m)
{
	m->ring.ctl->in = cpu_to_le32(m->write);
}

static struct kmcl_desc a_desc(u32 offset8, u32 len8)
{
	return (struct kmcl_desc) {
		.type = cpu_to_le16(KMCL_TYPE_INBAND),
		.offset8 = cpu_to_le16(offset8),
		.len8 = cpu_to_le16(len8),
		.flags = cpu_to_le16(KMCL_DESC_WANTS_REPLY),
		.id = cpu_to_le64(0x1122334455667788),
	};
}

static void write_packet(struct model *m, const struct kmcl_desc *desc,
			 const void *behind, u32 len)
{
	u64 footer = (u64)m->write << 32;

	write_bytes(m, desc, sizeof(*desc));
	write_bytes(m, behind, len);
	write_bytes(m, &footer, sizeof(footer));
	publish(m);
}

static void avail_is_right_at_every_pair_of_indices(struct kunit *test)
{
	struct model *m = new_model(test, SMALL);
	u32 read, write, avail;

	for (read = 0; read < SMALL; read += 8) {
		for (write = 0; write < SMALL; write += 8) {
			stand_at(m, read);
			m->ring.ctl->in = cpu_to_le32(write);
			KUNIT_ASSERT_EQ(test, kmcl_ring_avail(&m->ring, &avail), KMCL_RING_OK);
			KUNIT_ASSERT_EQ(test, avail, (write + SMALL - read) % SMALL);
		}
	}
}

static void a_write_index_outside_the_ring_or_unaligned_is_a_fault(struct kunit *test)
{
	static const u32 bad[] = {
		SMALL, SMALL + 8, 2 * SMALL, 0x7ffffff8, 0x80000000, 0xfffffff8, 0xffffffff,
		1, 2, 4, 7, SMALL - 1, SMALL - 4,
	};
	struct model *m = new_model(test, SMALL);
	u32 i, avail;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		avail = 77;
		m->ring.ctl->in = cpu_to_le32(bad[i]);
		KUNIT_EXPECT_EQ_MSG(test, kmcl_ring_avail(&m->ring, &avail), KMCL_RING_INDEX,
				    "write index %#x", bad[i]);
		KUNIT_EXPECT_EQ(test, avail, 0);
	}
}

static void a_copy_is_whole_wherever_the_ring_ends(struct kunit *test)
{
	struct model *m = new_model(test, SMALL);
	u32 from, len, i;

	for (i = 0; i < SMALL; i++)
		m->ring.data[i] = i;
	for (from = 0; from < SMALL; from++) {
		for (len = 0; len <= SMALL; len += 5) {
			u8 *to = kmalloc(len, GFP_KERNEL);

			KUNIT_ASSERT_NOT_NULL(test, to);
			kmcl_ring_copy(&m->ring, from, to, len);
			for (i = 0; i < len && to[i] == (u8)(from + i); i++)
				;
			kfree(to);
			KUNIT_ASSERT_EQ_MSG(test, i, len, "%u bytes from %u", len, from);
		}
	}
}

static void a_head_is_read_whole_wherever_the_ring_ends(struct kunit *test)
{
	struct kmcl_desc desc = a_desc(3, 5);
	struct model *m = new_model(test, SMALL);
	struct kmcl_ring_packet pkt;
	u64 behind[3] = { 1, 2, 3 };
	u32 pos, avail;

	/* from 24 bytes before the end on: payload, then descriptor wraps */
	for (pos = 0; pos < SMALL; pos += 8) {
		stand_at(m, pos);
		write_packet(m, &desc, behind, sizeof(behind));
		KUNIT_ASSERT_EQ(test, kmcl_ring_avail(&m->ring, &avail), KMCL_RING_OK);
		KUNIT_ASSERT_EQ(test, avail, 48);
		KUNIT_ASSERT_EQ(test, kmcl_ring_head(&m->ring, avail, &pkt), KMCL_RING_OK);
		KUNIT_EXPECT_EQ(test, pkt.type, KMCL_TYPE_INBAND);
		KUNIT_EXPECT_EQ(test, pkt.flags, KMCL_DESC_WANTS_REPLY);
		KUNIT_EXPECT_EQ(test, pkt.id, 0x1122334455667788);
		KUNIT_EXPECT_EQ(test, pkt.total, 48);
		KUNIT_EXPECT_EQ(test, pkt.header, 8);
		KUNIT_EXPECT_EQ(test, pkt.payload, (pos + 24) % SMALL);
		KUNIT_EXPECT_EQ(test, pkt.len, 16);
		kmcl_ring_skip(&m->ring, &pkt);
		KUNIT_EXPECT_EQ(test, m->ring.read, m->write);
	}
}

/* One packet as the model remembers it. */
struct sent {
	struct list_head node;
	struct kmcl_desc desc;
	u32 len;			/* behind the descriptor */
	u8 bytes[];
};

static struct sent *random_packet(struct kunit *test, struct rnd_state *rnd, u32 room)
{
	u32 words = prandom_u32_state(rnd) % (room / 8 + 1);
	u32 header = prandom_u32_state(rnd) % (words + 1);
	struct sent *s = kmalloc(struct_size(s, bytes, words * 8), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	s->desc = a_desc(2 + header, 2 + words);
	s->desc.type = cpu_to_le16(prandom_u32_state(rnd));
	s->desc.flags = cpu_to_le16(prandom_u32_state(rnd));
	s->desc.id = cpu_to_le64((u64)prandom_u32_state(rnd) << 32 | prandom_u32_state(rnd));
	s->len = words * 8;
	prandom_bytes_state(rnd, s->bytes, s->len);
	return s;
}

static void take_and_compare(struct kunit *test, struct model *m, const struct sent *s, u32 avail)
{
	u32 header = le16_to_cpu(s->desc.offset8) * 8 - KMCL_DESC_SIZE;
	struct kmcl_ring_packet pkt;
	u8 got[SMALL];

	KUNIT_ASSERT_EQ(test, kmcl_ring_head(&m->ring, avail, &pkt), KMCL_RING_OK);
	KUNIT_ASSERT_EQ(test, pkt.type, le16_to_cpu(s->desc.type));
	KUNIT_ASSERT_EQ(test, pkt.flags, le16_to_cpu(s->desc.flags));
	KUNIT_ASSERT_EQ(test, pkt.id, le64_to_cpu(s->desc.id));
	KUNIT_ASSERT_EQ(test, pkt.header, header);
	KUNIT_ASSERT_EQ(test, pkt.len, s->len - header);
	KUNIT_ASSERT_EQ(test, pkt.total, KMCL_DESC_SIZE + s->len + KMCL_FOOTER_SIZE);
	kmcl_ring_copy(&m->ring, pkt.payload, got, pkt.len);
	KUNIT_ASSERT_EQ(test, memcmp(got, s->bytes + header, pkt.len), 0);
	kmcl_ring_skip(&m->ring, &pkt);
}

static void random_packets_come_out_as_they_went_in(struct kunit *test)
{
	struct model *m = new_model(test, SMALL);
	u32 used = 0, round, avail, frame;
	struct sent *s, *next;
	struct rnd_state rnd;
	LIST_HEAD(sent);

	prandom_seed_state(&rnd, 20);
	for (round = 0; round < ROUNDS; round++) {
		/* as many as fit, one byte always stays free */
		while (SMALL - used > 24 + 8) {
			s = random_packet(test, &rnd, SMALL - used - 24 - 8);
			write_packet(m, &s->desc, s->bytes, s->len);
			used += 24 + s->len;
			list_add_tail(&s->node, &sent);
			if (prandom_u32_state(&rnd) % 2)
				break;
		}
		KUNIT_ASSERT_EQ(test, kmcl_ring_avail(&m->ring, &avail), KMCL_RING_OK);
		KUNIT_ASSERT_EQ(test, avail, used);
		list_for_each_entry_safe(s, next, &sent, node) {
			take_and_compare(test, m, s, avail);
			frame = 24 + s->len;
			avail -= frame;
			used -= frame;
			list_del(&s->node);
			kfree(s);
			if (prandom_u32_state(&rnd) % 4 == 0)
				break;
		}
	}
	list_for_each_entry_safe(s, next, &sent, node)
		kfree(s);
}

static const struct {
	const char *what;
	u32 offset8, len8, avail;
	enum kmcl_ring_fault fault;
} heads[] = {
	{ "8 bytes written", 2, 2, 8, KMCL_RING_SHORT },
	{ "16 bytes written", 2, 2, 16, KMCL_RING_SHORT },
	{ "no footer", 2, 3, 24, KMCL_RING_LENGTH },
	{ "length 0", 2, 0, 64, KMCL_RING_SHORT },
	{ "length 1", 1, 1, 64, KMCL_RING_SHORT },
	{ "length and offset 0", 0, 0, 64, KMCL_RING_SHORT },
	{ "one unit more than written", 2, 8, 64, KMCL_RING_LENGTH },
	{ "longest length", 2, 0xffff, 248, KMCL_RING_LENGTH },
	{ "longest length, longest offset", 0xffff, 0xffff, 248, KMCL_RING_LENGTH },
	{ "offset 0", 0, 4, 64, KMCL_RING_OFFSET },
	{ "offset inside the descriptor", 1, 4, 64, KMCL_RING_OFFSET },
	{ "offset behind the packet", 5, 4, 64, KMCL_RING_OFFSET },
	{ "longest offset", 0xffff, 4, 64, KMCL_RING_OFFSET },
	{ "no payload", 2, 2, 24, KMCL_RING_OK },
	{ "header only", 4, 4, 64, KMCL_RING_OK },
	{ "exactly what was written", 2, 7, 64, KMCL_RING_OK },
	{ "the whole ring", 2, 30, 248, KMCL_RING_OK },
};

static void every_lie_of_a_descriptor_is_its_own_fault(struct kunit *test)
{
	struct model *m = new_model(test, SMALL);
	struct kmcl_ring_packet pkt;
	struct kmcl_desc desc;
	u32 i, pos;

	for (i = 0; i < ARRAY_SIZE(heads); i++) {
		for (pos = 0; pos < SMALL; pos += 8) {
			stand_at(m, pos);
			desc = a_desc(heads[i].offset8, heads[i].len8);
			write_bytes(m, &desc, sizeof(desc));
			KUNIT_ASSERT_EQ_MSG(test, kmcl_ring_head(&m->ring, heads[i].avail, &pkt),
					    heads[i].fault, "%s at %u", heads[i].what, pos);
		}
	}
}

static void every_fault_has_a_phrase_of_its_own(struct kunit *test)
{
	const char *name, *other;
	int i, j;

	for (i = KMCL_RING_OK; i <= KMCL_RING_OFFSET; i++) {
		name = kmcl_ring_fault_name(i);
		KUNIT_EXPECT_STRNEQ(test, name, "unknown fault");
		for (j = KMCL_RING_OK; j < i; j++) {
			other = kmcl_ring_fault_name(j);
			KUNIT_EXPECT_STRNEQ(test, name, other);
		}
	}
	KUNIT_EXPECT_STREQ(test, kmcl_ring_fault_name(KMCL_RING_OFFSET + 1), "unknown fault");
}

static void the_read_index_is_never_fetched_back(struct kunit *test)
{
	struct kmcl_desc desc = a_desc(2, 2);
	struct model *m = new_model(test, SMALL);
	struct kmcl_ring_packet pkt;
	u32 avail;

	stand_at(m, 16);
	write_packet(m, &desc, NULL, 0);
	m->ring.ctl->out = cpu_to_le32(0xffffffff);
	KUNIT_ASSERT_EQ(test, kmcl_ring_avail(&m->ring, &avail), KMCL_RING_OK);
	KUNIT_EXPECT_EQ(test, avail, 24);
	KUNIT_ASSERT_EQ(test, kmcl_ring_head(&m->ring, avail, &pkt), KMCL_RING_OK);
	kmcl_ring_skip(&m->ring, &pkt);
	KUNIT_EXPECT_EQ(test, m->ring.read, 40);
	KUNIT_EXPECT_EQ(test, m->ring.ctl->out, cpu_to_le32(0xffffffff));
}

static struct kunit_case cases[] = {
	KUNIT_CASE(avail_is_right_at_every_pair_of_indices),
	KUNIT_CASE(a_write_index_outside_the_ring_or_unaligned_is_a_fault),
	KUNIT_CASE(a_copy_is_whole_wherever_the_ring_ends),
	KUNIT_CASE(a_head_is_read_whole_wherever_the_ring_ends),
	KUNIT_CASE(random_packets_come_out_as_they_went_in),
	KUNIT_CASE(every_lie_of_a_descriptor_is_its_own_fault),
	KUNIT_CASE(every_fault_has_a_phrase_of_its_own),
	KUNIT_CASE(the_read_index_is_never_fetched_back),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_ring",
	.test_cases = cases,
};

kunit_test_suite(suite);
