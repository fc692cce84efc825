// SPDX-License-Identifier: GPL-2.0
/*
 * Records of saved state alone, over plain memory: what the format bounds is bounded, and
 * nothing is kept that the fuzzers have shown to be too much.
 */
#include <kunit/test.h>
#include <linux/module.h>
#include "records.h"
/* pure code, not exported by the library: the suite has its own copy; blob.c is in blob_test.c */
#include "records.c"

/**
 * struct reader - a restore, and what it is given chunk by chunk
 * @restore: the restore
 * @writer: of the chunks
 * @chunk: the last one
 */
struct reader {
	struct kmcl_restore restore;
	struct kmcl_blob_writer writer;
	u8 *chunk;
};

/* One record after the other, whole or in parts; @body NULL: zeros. */
static NTSTATUS give(struct reader *r, u16 tag, u16 flags, const void *body, u32 len)
{
	u32 n = kmcl_blob_put(&r->writer, r->chunk, tag, flags, body, len);

	return kmcl_records_read(&r->restore, r->chunk, KMCL_BLOB_HEADER + n);
}

static NTSTATUS give_critical(struct reader *r, u16 tag, const void *body, u32 len)
{
	return give(r, tag, KMCL_BLOB_CRITICAL, body, len);
}

/* Up to CONFIG, and OPEN when a client is there. */
static struct reader *reader_new(struct kunit *test, bool is_open)
{
	struct reader *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
	struct kmcl_save_open open = {
		.in_bytes = cpu_to_le32(KMCL_PAGE_SIZE), .out_bytes = cpu_to_le32(KMCL_PAGE_SIZE),
	};
	struct kmcl_save_begin begin = {};
	struct kmcl_save_config config = {};

	KUNIT_ASSERT_NOT_NULL(test, r);
	r->chunk = kunit_kzalloc(test, KMCL_BLOB_CHUNK_MAX, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, r->chunk);
	r->writer.save = 77;
	kmcl_records_init(&r->restore);
	KUNIT_ASSERT_EQ(test, give_critical(r, KMCL_SAVE_BEGIN, &begin, sizeof(begin)),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, give_critical(r, KMCL_SAVE_CONFIG, &config, sizeof(config)),
			STATUS_SUCCESS);
	if (is_open)
		KUNIT_ASSERT_EQ(test, give_critical(r, KMCL_SAVE_OPEN, &open, sizeof(open)),
				STATUS_SUCCESS);
	return r;
}

static void a_record_longer_than_any_can_be_is_refused_before_it_is_kept(struct kunit *test)
{
	u8 *body = kunit_kzalloc(test, KMCL_BLOB_BODY_MAX, GFP_KERNEL);
	struct reader *r = reader_new(test, true);
	NTSTATUS status = STATUS_SUCCESS;
	u32 given = 0;

	KUNIT_ASSERT_NOT_NULL(test, body);
	/* each chunk says that more of it follows */
	while (!status && given <= 2 * KMCL_RECORD_MAX) {
		u32 n = r->writer.chunks;

		kmcl_blob_put(&r->writer, r->chunk, KMCL_SAVE_GPADL, KMCL_BLOB_CRITICAL, body,
			      KMCL_BLOB_BODY_MAX + 1);
		KUNIT_ASSERT_EQ(test, r->writer.chunks, n + 1);
		status = kmcl_records_read(&r->restore, r->chunk, KMCL_BLOB_CHUNK_MAX);
		given += KMCL_BLOB_BODY_MAX;
	}
	KUNIT_EXPECT_EQ(test, status, STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_STREQ(test, r->restore.why, "a record longer than any can be");
	KUNIT_EXPECT_LE(test, r->restore.record.len, KMCL_RECORD_MAX);
	KUNIT_EXPECT_EQ(test, r->restore.counts.gpadls, 0);
	kmcl_records_free(&r->restore);
}

static NTSTATUS give_packet(struct reader *r, u16 tag, u32 state)
{
	struct kmcl_save_incoming *in;
	struct kmcl_save_outgoing *out;
	u8 *bytes = kvzalloc(sizeof(*in) + state, GFP_KERNEL);
	NTSTATUS status = STATUS_SUCCESS;
	u32 done = 0, len;

	static_assert(sizeof(*in) == sizeof(*out));
	if (!bytes)
		return STATUS_INSUFFICIENT_RESOURCES;
	if (tag == KMCL_SAVE_INCOMING) {
		in = (void *)bytes;
		in->state = cpu_to_le32(state);
	} else {
		out = (void *)bytes;
		out->state = cpu_to_le32(state);
		out->where = cpu_to_le32(KMCL_SAVED_QUEUED);
	}
	len = sizeof(*in) + state;
	while (!status && done < len) {
		u32 n = kmcl_blob_put(&r->writer, r->chunk, tag, KMCL_BLOB_CRITICAL, bytes + done,
				      len - done);

		status = kmcl_records_read(&r->restore, r->chunk, KMCL_BLOB_HEADER + n);
		done += n;
	}
	kvfree(bytes);
	return status;
}

static void a_driver_s_state_is_no_larger_than_one_that_can_be_saved(struct kunit *test)
{
	static const u16 tags[] = { KMCL_SAVE_INCOMING, KMCL_SAVE_OUTGOING };
	struct reader *r;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(tags); i++) {
		r = reader_new(test, true);
		KUNIT_EXPECT_EQ(test, give_packet(r, tags[i], KMCL_STATE_MAX), STATUS_SUCCESS);
		KUNIT_EXPECT_EQ(test, give_packet(r, tags[i], KMCL_STATE_MAX + 1),
				STATUS_INVALID_PARAMETER_2);
		kmcl_records_free(&r->restore);
	}
}

static void a_name_has_no_more_than_255_bytes(struct kunit *test)
{
	struct reader *r = reader_new(test, false);
	static u8 name[KMCL_SAVE_NAME_MAX + 1];

	KUNIT_EXPECT_EQ(test, give(r, KMCL_SAVE_NAME, 0, name, KMCL_SAVE_NAME_MAX),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, give(r, KMCL_SAVE_NAME, 0, name, KMCL_SAVE_NAME_MAX + 1),
			STATUS_INVALID_PARAMETER_2);
	kmcl_records_free(&r->restore);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_record_longer_than_any_can_be_is_refused_before_it_is_kept),
	KUNIT_CASE(a_driver_s_state_is_no_larger_than_one_that_can_be_saved),
	KUNIT_CASE(a_name_has_no_more_than_255_bytes),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_records",
	.test_cases = cases,
};

kunit_test_suite(suite);
