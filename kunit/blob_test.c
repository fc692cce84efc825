// SPDX-License-Identifier: GPL-2.0
/*
 * Chunks of saved state alone, over plain memory: what is written is read again, and
 * whatever else is there is refused.
 */
#include <kunit/test.h>
#include <linux/string.h>
#include "blob.h"
/* pure code, not exported by the library: the suite has its own copy */
#include "blob.c"

#define SAVE		0x1122334455667788ULL
#define RECORDS		5
#define SMALL		40u		/* bytes of a record that is no special case */

/* A save in memory of exactly its size, so that KASAN sees one byte too many. */
struct save {
	struct kunit *test;
	struct kmcl_blob_writer writer;
	u8 *bytes;
	u32 size;
};

/* What reading it gave, next to what was written. */
struct result {
	enum kmcl_blob_fault fault;
	u32 records;
	bool over;
	bool equal;			/* each record read is the one written */
};

static u8 nth_byte(u32 record, u32 at)
{
	return record * 37 + at * 11 + (at >> 8);
}

static u8 *record_body(struct kunit *test, u32 record, u32 len)
{
	u8 *body = kunit_kmalloc(test, len + 1, GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, body);
	for (i = 0; i < len; i++)
		body[i] = nth_byte(record, i);
	return body;
}

static u16 nth_flags(u32 record, u32 records)
{
	if (record + 1 == records)
		return KMCL_BLOB_CRITICAL | KMCL_BLOB_LAST;
	return record % 2 ? 0 : KMCL_BLOB_CRITICAL;
}

static u32 written_size(u32 len)
{
	return len + max(1u, DIV_ROUND_UP(len, KMCL_BLOB_BODY_MAX)) * KMCL_BLOB_HEADER;
}

static void append(struct save *s, u16 tag, u16 flags, const u8 *body, u32 len)
{
	u32 done = 0, at = s->size, n;
	u8 *bytes;

	bytes = kunit_kmalloc(s->test, at + written_size(len), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(s->test, bytes);
	if (at)
		memcpy(bytes, s->bytes, at);
	do {
		n = kmcl_blob_chunk_bytes(len - done);
		KUNIT_EXPECT_LE(s->test, n, KMCL_BLOB_CHUNK_MAX);
		KUNIT_EXPECT_EQ(s->test, n - KMCL_BLOB_HEADER,
				kmcl_blob_put(&s->writer, bytes + at, tag, flags, body + done,
					      len - done));
		at += n;
		done += n - KMCL_BLOB_HEADER;
	} while (done < len);
	KUNIT_EXPECT_EQ(s->test, at, s->size + written_size(len));
	KUNIT_EXPECT_EQ(s->test, s->writer.bytes, at);
	s->bytes = bytes;
	s->size = at;
}

static struct save *begin(struct kunit *test)
{
	struct save *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	s->test = test;
	s->writer.save = SAVE;
	return s;
}

/* @len[i] bytes of record i, whose tag is i + 1. */
static struct save *write_records(struct kunit *test, const u32 *len, u32 records)
{
	struct save *s = begin(test);
	u32 i;

	for (i = 0; i < records; i++)
		append(s, i + 1, nth_flags(i, records), record_body(test, i, len[i]), len[i]);
	return s;
}

static struct save *a_save(struct kunit *test)
{
	static const u32 len[RECORDS] = { SMALL, 0, 1, 77, 24 };

	return write_records(test, len, RECORDS);
}

/* Compare what was read of a record, a chunk at a time. */
static bool same(const u8 *body, u32 record, u32 from, u32 len)
{
	u32 i;

	for (i = 0; i < len; i++)
		if (body[i] != nth_byte(record, from + i))
			return false;
	return true;
}

static struct result read_all(struct kunit *test, const u8 *bytes, u32 size, u32 records)
{
	struct result result = { .equal = true };
	struct kmcl_blob_reader r = {};
	u32 at = 0, in_record = 0;
	u8 *body;

	while (at < size) {
		result.fault = kmcl_blob_head(&r, bytes + at, size - at);
		if (result.fault)
			break;
		body = kmalloc(r.head.len, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, body);
		result.fault = kmcl_blob_body(&r, bytes + at, body);
		if (!result.fault &&
		    (r.head.tag != result.records + 1 ||
		     (r.head.flags & ~KMCL_BLOB_CONTINUES) != nth_flags(result.records, records) ||
		     !same(body, result.records, in_record, r.head.len)))
			result.equal = false;
		kfree(body);
		if (result.fault)
			break;
		at += KMCL_BLOB_HEADER + r.head.len;
		in_record += r.head.len;
		if (!r.continues) {
			result.records++;
			in_record = 0;
		}
		KUNIT_EXPECT_EQ(test, r.bytes, at);
	}
	result.over = r.over;
	return result;
}

/* Where chunk @n begins; the end for the one behind the last. */
static u32 chunk_at(const struct save *s, u32 n)
{
	const struct kmcl_blob_wire *wire;
	u32 at = 0;

	while (n--) {
		wire = (const void *)s->bytes + at;
		at += KMCL_BLOB_HEADER + le32_to_cpu(wire->len);
	}
	return at;
}

static void what_is_written_is_read_again(struct kunit *test)
{
	static const u32 len[] = {
		0, 1, 7, 8, 4096, KMCL_BLOB_BODY_MAX - 1, KMCL_BLOB_BODY_MAX,
		KMCL_BLOB_BODY_MAX + 1, 3 * KMCL_BLOB_BODY_MAX, 3 * KMCL_BLOB_BODY_MAX + 5, 0,
	};
	struct save *s = write_records(test, len, ARRAY_SIZE(len));
	struct result result = read_all(test, s->bytes, s->size, ARRAY_SIZE(len));

	KUNIT_EXPECT_EQ(test, result.fault, KMCL_BLOB_OK);
	KUNIT_EXPECT_EQ(test, result.records, ARRAY_SIZE(len));
	KUNIT_EXPECT_TRUE(test, result.over);
	KUNIT_EXPECT_TRUE(test, result.equal);
	KUNIT_EXPECT_EQ(test, s->writer.chunks, 6 + 1 + 2 + 3 + 4 + 1);
}

/* The format as bytes: it does not change unnoticed. The sum is zlib's. */
static void a_chunk_is_these_bytes(struct kunit *test)
{
	static const u8 expected[] = {
		0x4b, 0x4d, 0x43, 0x53,  0x01, 0x00,  0x05, 0x00,
		0x01, 0x00,  0x00, 0x00,  0x03, 0x00, 0x00, 0x00,
		0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,
		0x04, 0x00, 0x00, 0x00,  0x4a, 0xf9, 0xdb, 0x62,
		'k', 'm', 'c', 'l',
	};
	struct kmcl_blob_writer w = { .save = SAVE, .chunks = 3 };
	u8 bytes[sizeof(expected)];

	KUNIT_EXPECT_EQ(test, kmcl_blob_chunk_bytes(4), sizeof(bytes));
	KUNIT_EXPECT_EQ(test, kmcl_blob_put(&w, bytes, 5, KMCL_BLOB_CRITICAL, "kmcl", 4), 4);
	KUNIT_EXPECT_MEMEQ(test, bytes, expected, sizeof(expected));
}

static void every_flipped_bit_is_refused(struct kunit *test)
{
	struct save *s = a_save(test);
	struct result result;
	u32 i, bit;

	for (i = 0; i < s->size; i++) {
		for (bit = 0; bit < 8; bit++) {
			s->bytes[i] ^= 1 << bit;
			result = read_all(test, s->bytes, s->size, RECORDS);
			KUNIT_EXPECT_NE_MSG(test, result.fault, KMCL_BLOB_OK,
					    "bit %u of byte %u", bit, i);
			KUNIT_EXPECT_TRUE(test, result.equal);
			KUNIT_EXPECT_FALSE(test, result.over);
			s->bytes[i] ^= 1 << bit;
		}
	}
	KUNIT_EXPECT_EQ(test, read_all(test, s->bytes, s->size, RECORDS).fault, KMCL_BLOB_OK);
}

static void every_truncation_is_refused_or_plainly_not_over(struct kunit *test)
{
	struct save *s = a_save(test);
	u32 size, chunk = 0;
	struct result result;
	u8 *bytes;

	for (size = 0; size < s->size; size++) {
		bytes = kmemdup(s->bytes, size, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, bytes);
		result = read_all(test, bytes, size, RECORDS);
		kfree(bytes);
		if (size == chunk_at(s, chunk + 1))
			chunk++;
		KUNIT_EXPECT_EQ_MSG(test, result.fault,
				    size == chunk_at(s, chunk) ? KMCL_BLOB_OK : KMCL_BLOB_SHORT,
				    "%u bytes", size);
		KUNIT_EXPECT_EQ(test, result.records, chunk);
		KUNIT_EXPECT_FALSE(test, result.over);
		KUNIT_EXPECT_TRUE(test, result.equal);
	}
}

/* The chunks of @s in the order @order; KASAN sees what is read behind them. */
static struct result read_in_order(struct save *s, const u32 *order, u32 count)
{
	u32 i, at = 0, from, len;
	struct result result;
	u8 *bytes;

	bytes = kmalloc(s->size + KMCL_BLOB_CHUNK_MAX, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(s->test, bytes);
	for (i = 0; i < count; i++) {
		from = chunk_at(s, order[i]);
		len = chunk_at(s, order[i] + 1) - from;
		memcpy(bytes + at, s->bytes + from, len);
		at += len;
	}
	result = read_all(s->test, bytes, at, RECORDS);
	kfree(bytes);
	return result;
}

static void every_swap_of_two_chunks_is_refused(struct kunit *test)
{
	struct save *s = a_save(test);
	u32 order[RECORDS], i, j, k;

	for (i = 0; i < RECORDS; i++) {
		for (j = i + 1; j < RECORDS; j++) {
			for (k = 0; k < RECORDS; k++)
				order[k] = k == i ? j : k == j ? i : k;
			KUNIT_EXPECT_EQ(test, read_in_order(s, order, RECORDS).fault,
					KMCL_BLOB_ORDER);
		}
	}
}

static void a_missing_or_repeated_chunk_is_refused(struct kunit *test)
{
	struct save *s = a_save(test);
	u32 order[RECORDS + 1], i, k, n;

	for (i = 0; i < RECORDS; i++) {
		for (k = 0, n = 0; k < RECORDS; k++)
			if (k != i)
				order[n++] = k;
		/* without the last one it is not over, and nothing is wrong yet */
		KUNIT_EXPECT_EQ(test, read_in_order(s, order, n).fault,
				i + 1 < RECORDS ? KMCL_BLOB_ORDER : KMCL_BLOB_OK);
		for (k = 0, n = 0; k < RECORDS; k++) {
			order[n++] = k;
			if (k == i)
				order[n++] = k;
		}
		KUNIT_EXPECT_EQ(test, read_in_order(s, order, n).fault,
				i + 1 < RECORDS ? KMCL_BLOB_ORDER : KMCL_BLOB_OVER);
	}
}

static void nothing_follows_the_last_chunk(struct kunit *test)
{
	struct save *s = a_save(test);
	struct result result;
	u8 *bytes = kunit_kzalloc(test, s->size + 1, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, bytes);
	memcpy(bytes, s->bytes, s->size);
	result = read_all(test, bytes, s->size + 1, RECORDS);
	KUNIT_EXPECT_EQ(test, result.fault, KMCL_BLOB_OVER);
	KUNIT_EXPECT_EQ(test, result.records, RECORDS);
}

static void chunks_of_two_saves_do_not_mix(struct kunit *test)
{
	struct save *s = begin(test);
	u8 *body = record_body(test, 0, SMALL);

	append(s, 1, KMCL_BLOB_CRITICAL, body, SMALL);
	s->writer.save ^= 1ULL << 63;
	append(s, 2, 0, body, SMALL);
	KUNIT_EXPECT_EQ(test, read_all(test, s->bytes, s->size, 3).fault, KMCL_BLOB_MIXED);
}

/* Change a field of the only chunk, and make its sum right again. */
static enum kmcl_blob_fault with(struct kunit *test, void (*change)(struct kmcl_blob_wire *wire))
{
	struct kmcl_blob_reader r = {};
	struct kmcl_blob_wire *wire;
	struct save *s = begin(test);
	enum kmcl_blob_fault fault;
	u8 body[SMALL];

	append(s, 1, KMCL_BLOB_CRITICAL, record_body(test, 0, SMALL), SMALL);
	wire = (void *)s->bytes;
	change(wire);
	wire->crc = cpu_to_le32(crc_end(crc_begin(wire), wire + 1, SMALL));
	fault = kmcl_blob_head(&r, s->bytes, s->size);
	return fault ?: kmcl_blob_body(&r, s->bytes, body);
}

static void change_nothing(struct kmcl_blob_wire *wire)
{
}

static void change_magic(struct kmcl_blob_wire *wire)
{
	wire->magic = cpu_to_le32(KMCL_BLOB_MAGIC + 1);
}

static void change_version(struct kmcl_blob_wire *wire)
{
	wire->version = cpu_to_le16(KMCL_BLOB_VERSION + 1);
}

static void change_version_to_none(struct kmcl_blob_wire *wire)
{
	wire->version = 0;
}

static void change_flags(struct kmcl_blob_wire *wire)
{
	wire->flags = cpu_to_le16(KMCL_BLOB_FLAGS + 1);
}

static void change_to_endless(struct kmcl_blob_wire *wire)
{
	wire->flags = cpu_to_le16(KMCL_BLOB_LAST | KMCL_BLOB_CONTINUES);
}

static void change_to_short_part(struct kmcl_blob_wire *wire)
{
	wire->flags = cpu_to_le16(KMCL_BLOB_CONTINUES);
}

static void change_reserved(struct kmcl_blob_wire *wire)
{
	wire->reserved = cpu_to_le16(0x100);
}

static void change_sequence(struct kmcl_blob_wire *wire)
{
	wire->sequence = cpu_to_le32(1);
}

static void change_length_by_one(struct kmcl_blob_wire *wire)
{
	wire->len = cpu_to_le32(SMALL + 1);
}

static void change_length_to_too_much(struct kmcl_blob_wire *wire)
{
	wire->len = cpu_to_le32(KMCL_BLOB_BODY_MAX + 1);
}

static void change_length_to_most(struct kmcl_blob_wire *wire)
{
	wire->len = cpu_to_le32(U32_MAX);
}

static void a_header_that_is_wrong_with_a_right_sum_is_refused(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, with(test, change_nothing), KMCL_BLOB_OK);
	KUNIT_EXPECT_EQ(test, with(test, change_magic), KMCL_BLOB_ALIEN);
	KUNIT_EXPECT_EQ(test, with(test, change_version), KMCL_BLOB_NEWER);
	KUNIT_EXPECT_EQ(test, with(test, change_version_to_none), KMCL_BLOB_NEWER);
	KUNIT_EXPECT_EQ(test, with(test, change_flags), KMCL_BLOB_FLAG);
	KUNIT_EXPECT_EQ(test, with(test, change_to_endless), KMCL_BLOB_FLAG);
	KUNIT_EXPECT_EQ(test, with(test, change_to_short_part), KMCL_BLOB_LENGTH);
	KUNIT_EXPECT_EQ(test, with(test, change_reserved), KMCL_BLOB_FLAG);
	KUNIT_EXPECT_EQ(test, with(test, change_sequence), KMCL_BLOB_ORDER);
	KUNIT_EXPECT_EQ(test, with(test, change_length_by_one), KMCL_BLOB_SHORT);
	KUNIT_EXPECT_EQ(test, with(test, change_length_to_too_much), KMCL_BLOB_LENGTH);
	KUNIT_EXPECT_EQ(test, with(test, change_length_to_most), KMCL_BLOB_LENGTH);
}

/* A record of two chunks whose second one is of another: tag, then flags. */
static void a_record_goes_on_as_itself(struct kunit *test)
{
	static const u16 second[][2] = {
		{ 1, KMCL_BLOB_CRITICAL }, { 2, KMCL_BLOB_CRITICAL }, { 1, 0 },
		{ 1, KMCL_BLOB_CRITICAL | KMCL_BLOB_LAST },
	};
	u8 *body = record_body(test, 0, KMCL_BLOB_BODY_MAX + 1);
	u8 *to = kunit_kmalloc(test, KMCL_BLOB_BODY_MAX, GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, to);
	for (i = 0; i < ARRAY_SIZE(second); i++) {
		struct kmcl_blob_writer w = { .save = SAVE };
		struct kmcl_blob_reader r = {};
		u8 *bytes = kunit_kmalloc(test, KMCL_BLOB_CHUNK_MAX, GFP_KERNEL);
		u8 next[KMCL_BLOB_HEADER + 1];

		KUNIT_ASSERT_NOT_NULL(test, bytes);
		kmcl_blob_put(&w, bytes, 1, KMCL_BLOB_CRITICAL, body, KMCL_BLOB_BODY_MAX + 1);
		kmcl_blob_put(&w, next, second[i][0], second[i][1], body, 1);
		KUNIT_ASSERT_EQ(test, kmcl_blob_head(&r, bytes, KMCL_BLOB_CHUNK_MAX), KMCL_BLOB_OK);
		KUNIT_ASSERT_EQ(test, kmcl_blob_body(&r, bytes, to), KMCL_BLOB_OK);
		KUNIT_EXPECT_TRUE(test, r.continues);
		KUNIT_EXPECT_EQ(test, kmcl_blob_head(&r, next, sizeof(next)),
				i ? KMCL_BLOB_ORDER : KMCL_BLOB_OK);
	}
}

/* What is behind a header that was looked at is looked at once, when it is copied. */
static void a_buffer_that_changes_meanwhile_is_not_believed(struct kunit *test)
{
	struct kmcl_blob_reader r = {};
	struct save *s = a_save(test);
	u8 body[SMALL];

	KUNIT_ASSERT_EQ(test, kmcl_blob_head(&r, s->bytes, s->size), KMCL_BLOB_OK);
	memset(s->bytes, 0xff, KMCL_BLOB_HEADER);
	KUNIT_EXPECT_EQ(test, kmcl_blob_body(&r, s->bytes, body), KMCL_BLOB_OK);
	KUNIT_EXPECT_TRUE(test, same(body, 0, 0, SMALL));

	s = a_save(test);
	memset(&r, 0, sizeof(r));
	KUNIT_ASSERT_EQ(test, kmcl_blob_head(&r, s->bytes, s->size), KMCL_BLOB_OK);
	s->bytes[KMCL_BLOB_HEADER + SMALL - 1]++;
	KUNIT_EXPECT_EQ(test, kmcl_blob_body(&r, s->bytes, body), KMCL_BLOB_CRC);
	KUNIT_EXPECT_EQ(test, r.chunks, 0);
}

static void a_save_may_begin_at_any_address(struct kunit *test)
{
	struct save *s = a_save(test);
	u8 *bytes = kunit_kmalloc(test, s->size + 8, GFP_KERNEL);
	struct kmcl_blob_writer w = { .save = SAVE };
	struct result result;
	u32 shift;

	KUNIT_ASSERT_NOT_NULL(test, bytes);
	for (shift = 0; shift < 8; shift++) {
		memcpy(bytes + shift, s->bytes, s->size);
		result = read_all(test, bytes + shift, s->size, RECORDS);
		KUNIT_EXPECT_EQ(test, result.fault, KMCL_BLOB_OK);
		KUNIT_EXPECT_TRUE(test, result.equal && result.over);

		w.chunks = 0;
		kmcl_blob_put(&w, bytes + shift, 1, KMCL_BLOB_CRITICAL, record_body(test, 0, SMALL),
			      SMALL);
		KUNIT_EXPECT_MEMEQ(test, bytes + shift, s->bytes, KMCL_BLOB_HEADER + SMALL);
	}
}

static void every_fault_has_a_name_of_its_own(struct kunit *test)
{
	u32 i, j;

	for (i = KMCL_BLOB_OK; i <= KMCL_BLOB_OVER; i++)
		for (j = i + 1; j <= KMCL_BLOB_OVER; j++)
			KUNIT_EXPECT_STRNEQ(test, kmcl_blob_fault_name(i), kmcl_blob_fault_name(j));
}

static struct kunit_case cases[] = {
	KUNIT_CASE(what_is_written_is_read_again),
	KUNIT_CASE(a_chunk_is_these_bytes),
	KUNIT_CASE(every_flipped_bit_is_refused),
	KUNIT_CASE(every_truncation_is_refused_or_plainly_not_over),
	KUNIT_CASE(every_swap_of_two_chunks_is_refused),
	KUNIT_CASE(a_missing_or_repeated_chunk_is_refused),
	KUNIT_CASE(nothing_follows_the_last_chunk),
	KUNIT_CASE(chunks_of_two_saves_do_not_mix),
	KUNIT_CASE(a_header_that_is_wrong_with_a_right_sum_is_refused),
	KUNIT_CASE(a_record_goes_on_as_itself),
	KUNIT_CASE(a_buffer_that_changes_meanwhile_is_not_believed),
	KUNIT_CASE(a_save_may_begin_at_any_address),
	KUNIT_CASE(every_fault_has_a_name_of_its_own),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_blob",
	.test_cases = cases,
};

kunit_test_suite(suite);
