// SPDX-License-Identifier: GPL-2.0
/*
 * Records of saved state, read and checked; see records.h.
 *
 * Each record is checked when it is whole: against Documentation/save-format.md, and
 * against the channel as far as that is known.  Nothing happens here but reading.
 */
#include <linux/align.h>
#include <linux/build_bug.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/byteorder.h>
#include "records.h"
#include "ring.h"

/* The order of records; packets are one stage. */
enum restore_stage {
	AT_START,
	AT_BEGIN,
	AT_CONFIG,
	AT_OPEN,
	AT_GPADLS,
	AT_INCOMING,
	AT_QUEUE,
	AT_END,
};

/* ---- one record ---- */

/* Room for @bytes more, zeroed. */
static int record_reserve(struct kmcl_record *record, u32 bytes)
{
	u64 want = (u64)record->len + bytes;
	u8 *larger;

	if (want <= record->room)
		return 0;
	if (want > INT_MAX)
		return -ENOMEM;
	/* so that the copies together cost no more than the record */
	want = min_t(u64, max_t(u64, want, 2ull * record->room), INT_MAX);
	larger = kvmalloc(want, GFP_KERNEL);
	if (!larger)
		return -ENOMEM;
	if (record->len)
		memcpy(larger, record->bytes, record->len);
	kvfree(record->bytes);
	record->bytes = larger;
	record->room = want;
	return 0;
}

/**
 * kmcl_record_add() - make a record longer
 * @record: the record
 * @from: what is added; NULL: zeros
 * @bytes: how much
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int kmcl_record_add(struct kmcl_record *record, const void *from, u32 bytes)
{
	if (!bytes)
		return 0;
	if (record_reserve(record, bytes))
		return -ENOMEM;
	if (from)
		memcpy(record->bytes + record->len, from, bytes);
	else
		memset(record->bytes + record->len, 0, bytes);
	record->len += bytes;
	return 0;
}

void kmcl_record_free(struct kmcl_record *record)
{
	kvfree(record->bytes);
	memset(record, 0, sizeof(*record));
}

/* What a record of @type, whose length ends with it, leaves for what it counts. */
#define tail_of(record, type)	((u64)(record)->len - sizeof(type))

/**
 * kmcl_gpadl_frames() - frames that memory touches
 * @offset: where it begins in the first one
 * @bytes: its size
 *
 * Return: how many.
 */
u32 kmcl_gpadl_frames(u32 offset, u32 bytes)
{
	return DIV_ROUND_UP_ULL((u64)offset + bytes, KMCL_PAGE_SIZE);
}

static bool read_begin(struct kmcl_restore *r)
{
	struct kmcl_save_begin *begin = &r->begin;

	if (r->record.len != sizeof(*begin))
		return false;
	memcpy(begin, r->record.bytes, sizeof(*begin));
	if (begin->reserved || le32_to_cpu(begin->epoch) >= KMCL_SAVE_EPOCHS)
		return false;
	if (memcmp(begin->type, r->self.type, sizeof(begin->type)) ||
	    memcmp(begin->instance, r->self.instance, sizeof(begin->instance)) ||
	    begin->sub_index != r->self.sub_index) {
		r->why = "it is of another channel";
		return false;
	}
	return true;
}

static bool read_config(struct kmcl_restore *r)
{
	const struct kmcl_save_config *limits = &r->limits;
	struct kmcl_save_config *config = &r->config;

	if (r->record.len != sizeof(*config))
		return false;
	memcpy(config, r->record.bytes, sizeof(*config));
	if (config->reserved)
		return false;
	if (config->flags != limits->flags || config->server_flags != limits->server_flags ||
	    config->mmio != limits->mmio || config->mmio_optional != limits->mmio_optional) {
		r->why = "the channel's flags, or the window that it asks for, were others";
		return false;
	}
	if (le32_to_cpu(config->max_packet) > le32_to_cpu(limits->max_packet) ||
	    le32_to_cpu(config->max_external) > le32_to_cpu(limits->max_external) ||
	    le32_to_cpu(config->max_chain) > le32_to_cpu(limits->max_chain) ||
	    le32_to_cpu(config->max_count) > le32_to_cpu(limits->max_count)) {
		r->why = "the channel's limits were larger";
		return false;
	}
	return true;
}

/* Is @at a place in a ring of @bytes? */
static bool is_index(__le32 at, u32 bytes)
{
	return le32_to_cpu(at) < bytes && IS_ALIGNED(le32_to_cpu(at), 8);
}

static bool read_open(struct kmcl_restore *r)
{
	struct kmcl_save_open *open = &r->open;
	u32 in, out;

	if (r->record.len != sizeof(*open))
		return false;
	memcpy(open, r->record.bytes, sizeof(*open));
	in = le32_to_cpu(open->in_bytes);
	out = le32_to_cpu(open->out_bytes);
	r->is_open = true;
	return !open->reserved && in && out && IS_ALIGNED(in, KMCL_PAGE_SIZE) &&
	       IS_ALIGNED(out, KMCL_PAGE_SIZE) && is_index(open->read, in) &&
	       is_index(open->write, out);
}

static bool check_gpadl(const struct kmcl_record *record)
{
	const struct kmcl_save_gpadl *gpadl = (void *)record->bytes;
	u32 offset, bytes;

	if (record->len < sizeof(*gpadl))
		return false;
	offset = le32_to_cpu(gpadl->offset);
	bytes = le32_to_cpu(gpadl->bytes);
	return gpadl->handle && bytes && offset < KMCL_PAGE_SIZE &&
	       !(le32_to_cpu(gpadl->flags) & ~KMCL_SAVED_DYING) &&
	       tail_of(record, *gpadl) == sizeof(gpadl->frames[0]) *
					  (u64)kmcl_gpadl_frames(offset, bytes);
}

static bool check_incoming(const struct kmcl_record *record, bool *undelivered)
{
	const struct kmcl_save_incoming *in = (void *)record->bytes;
	u32 flags;

	if (record->len < sizeof(*in))
		return false;
	flags = le32_to_cpu(in->flags);
	*undelivered = flags & KMCL_SAVED_UNDELIVERED;
	return !in->reserved && !(flags & ~(KMCL_SAVED_WANTS_REPLY | KMCL_SAVED_UNDELIVERED)) &&
	       le32_to_cpu(in->len) <= KMCL_PACKET_MAX &&
	       le32_to_cpu(in->external) <= KMCL_PACKET_MAX &&
	       le32_to_cpu(in->state) <= KMCL_STATE_MAX && !(*undelivered && in->state) &&
	       tail_of(record, *in) == (u64)le32_to_cpu(in->len) + le32_to_cpu(in->external) +
				       le32_to_cpu(in->state);
}

static bool check_reply(const struct kmcl_record *record)
{
	const struct kmcl_save_reply *reply = (void *)record->bytes;

	return record->len >= sizeof(*reply) && !reply->reserved &&
	       le32_to_cpu(reply->len) <= KMCL_PACKET_MAX - KMCL_DESC_SIZE &&
	       tail_of(record, *reply) == le32_to_cpu(reply->len);
}

static bool check_outgoing(const struct kmcl_record *record, bool *sent)
{
	const struct kmcl_save_outgoing *out = (void *)record->bytes;
	bool wants_reply;

	if (record->len < sizeof(*out))
		return false;
	wants_reply = le32_to_cpu(out->flags) & KMCL_SAVED_WANTS_REPLY;
	if (out->reserved || le32_to_cpu(out->flags) & ~KMCL_SAVED_WANTS_REPLY ||
	    le32_to_cpu(out->len) > KMCL_PACKET_MAX - KMCL_DESC_SIZE ||
	    le32_to_cpu(out->state) > KMCL_STATE_MAX ||
	    tail_of(record, *out) != (u64)le32_to_cpu(out->len) + le32_to_cpu(out->state))
		return false;
	*sent = le32_to_cpu(out->where) == KMCL_SAVED_SENT;
	if (*sent)
		return !out->len && wants_reply && out->id;
	return le32_to_cpu(out->where) == KMCL_SAVED_QUEUED;
}

static bool read_end(struct kmcl_restore *r)
{
	const struct kmcl_blob_reader *reader = &r->reader;
	struct kmcl_save_end *end = &r->end;

	if (r->record.len != sizeof(*end))
		return false;
	memcpy(end, r->record.bytes, sizeof(*end));
	return !end->reserved && le32_to_cpu(end->chunks) == reader->chunks &&
	       le64_to_cpu(end->bytes) == reader->bytes - KMCL_BLOB_HEADER - sizeof(*end) &&
	       le32_to_cpu(end->gpadls) == r->counts.gpadls &&
	       le32_to_cpu(end->incoming) == r->counts.incoming &&
	       le32_to_cpu(end->replies) == r->counts.replies &&
	       le32_to_cpu(end->outgoing) == r->counts.outgoing;
}

/* ---- all of them ---- */

static NTSTATUS keep(struct kmcl_restore *r, struct list_head *list)
{
	struct kmcl_saved *saved = kvmalloc(struct_size(saved, bytes, r->record.len), GFP_KERNEL);

	if (!saved)
		return STATUS_INSUFFICIENT_RESOURCES;
	saved->tag = r->reader.head.tag;
	saved->len = r->record.len;
	memcpy(saved->bytes, r->record.bytes, saved->len);
	list_add_tail(&saved->node, list);
	return STATUS_SUCCESS;
}

/* May a record of @stage come now? */
static bool step(struct kmcl_restore *r, enum restore_stage stage, bool repeats)
{
	if (stage < r->stage || (stage == r->stage && !repeats))
		return false;
	/* who is not there cannot be left out */
	if ((stage > AT_BEGIN && r->stage < AT_BEGIN) ||
	    (stage > AT_CONFIG && r->stage < AT_CONFIG))
		return false;
	r->stage = stage;
	return true;
}

/* A record that is whole; false: it is not what it should be. */
static bool take(struct kmcl_restore *r, NTSTATUS *status)
{
	const struct kmcl_record *record = &r->record;
	bool undelivered, sent;

	switch (r->reader.head.tag) {
	case KMCL_SAVE_BEGIN:
		return step(r, AT_BEGIN, false) && read_begin(r);
	case KMCL_SAVE_CONFIG:
		return step(r, AT_CONFIG, false) && read_config(r);
	case KMCL_SAVE_OPEN:
		return step(r, AT_OPEN, false) && read_open(r);
	case KMCL_SAVE_GPADL:
		if (!step(r, AT_GPADLS, true) || !check_gpadl(record))
			return false;
		r->counts.gpadls++;
		*status = keep(r, &r->gpadls);
		return true;
	case KMCL_SAVE_INCOMING:
		if (!r->is_open || !step(r, AT_INCOMING, true) ||
		    !check_incoming(record, &undelivered))
			return false;
		r->counts.incoming++;
		*status = keep(r, &r->incoming);
		return true;
	case KMCL_SAVE_REPLY:
		if (!r->is_open || !step(r, AT_QUEUE, true) || !check_reply(record))
			return false;
		r->counts.replies++;
		*status = keep(r, &r->queue);
		return true;
	case KMCL_SAVE_OUTGOING:
		if (!step(r, AT_QUEUE, true) || !check_outgoing(record, &sent))
			return false;
		/* a server may send before there is a client, and nobody else answers */
		if (sent && !r->is_open)
			return false;
		r->counts.outgoing++;
		*status = keep(r, &r->queue);
		return true;
	case KMCL_SAVE_END:
		r->over = step(r, AT_END, false) && read_end(r);
		return r->over;
	case KMCL_SAVE_NAME:
		return r->stage >= AT_BEGIN && record->len <= KMCL_SAVE_NAME_MAX;
	default:
		/* it said itself that it can be left out */
		return r->stage >= AT_BEGIN;
	}
}

/* The flags that a record of this library has; @known: it is one. */
static u16 proper_flags(u16 tag, bool *known)
{
	*known = tag >= KMCL_SAVE_BEGIN && tag <= KMCL_SAVE_NAME;
	switch (tag) {
	case KMCL_SAVE_END:
		return KMCL_BLOB_CRITICAL | KMCL_BLOB_LAST;
	case KMCL_SAVE_NAME:
		return 0;
	default:
		return *known ? KMCL_BLOB_CRITICAL : 0;
	}
}

static NTSTATUS bad(struct kmcl_restore *r, const char *why)
{
	if (!r->why)
		r->why = why;
	return STATUS_INVALID_PARAMETER_2;
}

/* The next chunk, @size bytes at most; @used: how many it was. */
static NTSTATUS read_chunk(struct kmcl_restore *r, const u8 *from, u32 size, u32 *used)
{
	struct kmcl_blob_reader *reader = &r->reader;
	const struct kmcl_blob_head *head = &reader->head;
	bool first = !reader->continues, known;
	NTSTATUS status = STATUS_SUCCESS;
	enum kmcl_blob_fault fault;
	u16 flags;
	u32 len;

	fault = kmcl_blob_head(reader, from, size);
	if (fault) {
		bad(r, kmcl_blob_fault_name(fault));
		return fault == KMCL_BLOB_NEWER ? STATUS_REVISION_MISMATCH :
						  STATUS_INVALID_PARAMETER_2;
	}
	flags = proper_flags(head->tag, &known);
	/* what is skipped is read all the same, for its sum, and not kept */
	if (first || !known)
		r->record.len = 0;
	len = r->record.len;
	if (len > KMCL_RECORD_MAX - head->len)
		return bad(r, "a record longer than any can be");
	if (kmcl_record_add(&r->record, NULL, head->len))
		return STATUS_INSUFFICIENT_RESOURCES;
	fault = kmcl_blob_body(reader, from, r->record.bytes + len);
	if (fault)
		return bad(r, kmcl_blob_fault_name(fault));
	*used = KMCL_BLOB_HEADER + head->len;

	if (!known && head->flags & KMCL_BLOB_CRITICAL) {
		bad(r, "a record that this library does not know and must not leave out");
		return STATUS_REVISION_MISMATCH;
	}
	if ((head->flags & ~KMCL_BLOB_CONTINUES) != flags)
		return bad(r, "a record with the flags of another");
	if (reader->continues)
		return STATUS_SUCCESS;
	if (!take(r, &status))
		return bad(r, "a record that is not as the format says");
	return status;
}

static void free_records(struct list_head *list)
{
	struct kmcl_saved *saved, *next;

	list_for_each_entry_safe(saved, next, list, node) {
		list_del(&saved->node);
		kvfree(saved);
	}
}

/**
 * kmcl_records_init() - before the first chunk
 * @r: restore, zeroed; @r->self and @r->limits may be set before or after
 */
void kmcl_records_init(struct kmcl_restore *r)
{
	INIT_LIST_HEAD(&r->gpadls);
	INIT_LIST_HEAD(&r->incoming);
	INIT_LIST_HEAD(&r->queue);
}

/**
 * kmcl_records_read() - read whole chunks
 * @r: what has been read so far
 * @from: chunks, at any address; may change meanwhile
 * @size: bytes of them
 *
 * Context: process.
 * Return: STATUS_SUCCESS: all of them are read, and @r->over says whether they were the last;
 * STATUS_INVALID_PARAMETER_2, STATUS_REVISION_MISMATCH: refused, and @r->why says why;
 * STATUS_INSUFFICIENT_RESOURCES. After an error nothing can be done with @r but to free it.
 */
NTSTATUS kmcl_records_read(struct kmcl_restore *r, const u8 *from, u32 size)
{
	NTSTATUS status = STATUS_SUCCESS;
	u32 at = 0, used = 0;

	while (!status && at < size) {
		status = read_chunk(r, from + at, size - at, &used);
		at += used;
		cond_resched();
	}
	return status;
}

/**
 * kmcl_records_free() - what was read is not needed any more
 * @r: after kmcl_records_init()
 */
void kmcl_records_free(struct kmcl_restore *r)
{
	free_records(&r->gpadls);
	free_records(&r->incoming);
	free_records(&r->queue);
	kmcl_record_free(&r->record);
}
