// SPDX-License-Identifier: GPL-2.0
/*
 * Reading what was saved; see save.h for the state machine.
 *
 * Here nothing happens but reading.  Records are kept as they are, in memory of the
 * restore's own, and each is checked when it is whole: against Documentation/save-format.md,
 * and against the channel as far as that is known.  What they ask for is done when the last
 * one has come (adopt.c).
 */
#include <linux/export.h>
#include <linux/slab.h>
#include "kmcl.h"
#include "save.h"
#include "server.h"

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

/* ---- single records ---- */

static bool read_begin(struct kmcl_channel *ch, struct kmcl_restore *r)
{
	const struct kmcl_server *server = ch->primary ? ch->primary->server : ch->server;
	struct kmcl_save_begin *begin = &r->begin;
	guid_t type, instance;

	if (r->record.len != sizeof(*begin))
		return false;
	memcpy(begin, r->record.bytes, sizeof(*begin));
	import_guid(&type, begin->type);
	import_guid(&instance, begin->instance);
	if (begin->reserved || le32_to_cpu(begin->epoch) >= KMCL_ID_EPOCHS)
		return false;
	if (!guid_equal(&type, &server->type) || !guid_equal(&instance, &server->instance) ||
	    le16_to_cpu(begin->sub_index) != ch->sub_index) {
		r->why = "it is of another channel";
		return false;
	}
	return true;
}

static bool read_config(struct kmcl_channel *ch, struct kmcl_restore *r)
{
	const struct kmcl_config *cfg = &ch->config;
	struct kmcl_save_config *config = &r->config;

	if (r->record.len != sizeof(*config))
		return false;
	memcpy(config, r->record.bytes, sizeof(*config));
	if (config->reserved)
		return false;
	if (le32_to_cpu(config->flags) != cfg->flags ||
	    le32_to_cpu(config->server_flags) != ch->server->flags ||
	    le16_to_cpu(config->mmio) != ch->server->mmio ||
	    le16_to_cpu(config->mmio_optional) != ch->server->mmio_optional) {
		r->why = "the channel's flags, or the window that it asks for, were others";
		return false;
	}
	if (le32_to_cpu(config->max_packet) > cfg->max_packet ||
	    le32_to_cpu(config->max_external) > cfg->max_external ||
	    le32_to_cpu(config->max_chain) > cfg->max_chain ||
	    le32_to_cpu(config->max_count) > cfg->max_count) {
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
	       !(*undelivered && in->state) &&
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

static bool check_outgoing(const struct kmcl_record *record)
{
	const struct kmcl_save_outgoing *out = (void *)record->bytes;
	bool wants_reply;

	if (record->len < sizeof(*out))
		return false;
	wants_reply = le32_to_cpu(out->flags) & KMCL_SAVED_WANTS_REPLY;
	if (out->reserved || le32_to_cpu(out->flags) & ~KMCL_SAVED_WANTS_REPLY ||
	    le32_to_cpu(out->len) > KMCL_PACKET_MAX - KMCL_DESC_SIZE ||
	    tail_of(record, *out) != (u64)le32_to_cpu(out->len) + le32_to_cpu(out->state))
		return false;
	if (le32_to_cpu(out->where) == KMCL_SAVED_SENT)
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
static bool take(struct kmcl_channel *ch, struct kmcl_restore *r, NTSTATUS *status)
{
	const struct kmcl_record *record = &r->record;
	bool undelivered;

	switch (r->reader.head.tag) {
	case KMCL_SAVE_BEGIN:
		return step(r, AT_BEGIN, false) && read_begin(ch, r);
	case KMCL_SAVE_CONFIG:
		return step(r, AT_CONFIG, false) && read_config(ch, r);
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
		/* a server may send before there is a client */
		if (!step(r, AT_QUEUE, true) || !check_outgoing(record))
			return false;
		r->counts.outgoing++;
		*status = keep(r, &r->queue);
		return true;
	case KMCL_SAVE_END:
		r->over = step(r, AT_END, false) && read_end(r);
		return r->over;
	case KMCL_SAVE_NAME:
		return r->stage >= AT_BEGIN;
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
static NTSTATUS read_chunk(struct kmcl_channel *ch, struct kmcl_restore *r, const u8 *from,
			   u32 size, u32 *used)
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
	if (!take(ch, r, &status))
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

static struct kmcl_restore *restore_new(void)
{
	struct kmcl_restore *r = kzalloc(sizeof(*r), GFP_KERNEL);

	if (!r)
		return NULL;
	INIT_LIST_HEAD(&r->gpadls);
	INIT_LIST_HEAD(&r->incoming);
	INIT_LIST_HEAD(&r->queue);
	return r;
}

/**
 * kmcl_restore_free() - what was read is not needed any more
 * @ch: channel whose life the caller owns
 */
void kmcl_restore_free(struct kmcl_channel *ch)
{
	struct kmcl_restore *r = ch->restore;

	if (!r)
		return;
	ch->restore = NULL;
	free_records(&r->gpadls);
	free_records(&r->incoming);
	free_records(&r->queue);
	kmcl_record_free(&r->record);
	kfree(r);
}

/**
 * kmcl_restore_is_complete() - does Enable go on from here?
 * @ch: channel whose life the caller owns
 *
 * Return: true when all of a save is restored.
 */
bool kmcl_restore_is_complete(struct kmcl_channel *ch)
{
	return ch->restore && ch->restore->complete;
}

static NTSTATUS read_all(struct kmcl_channel *ch, const u8 *from, u32 size)
{
	struct kmcl_restore *r = ch->restore;
	NTSTATUS status = STATUS_SUCCESS;
	u32 at = 0, used = 0;

	while (!status && at < size) {
		status = read_chunk(ch, r, from + at, size - at, &used);
		at += used;
		cond_resched();
	}
	if (status)
		return status;
	return r->over ? kmcl_restore_commit(ch) : STATUS_MORE_PROCESSING_REQUIRED;
}

NTSTATUS VmbChannelRestoreFromBuffer(VMBCHANNEL Channel, PVOID SaveBuffer, ULONG SaveBufferSize)
{
	struct kmcl_channel *ch = kmcl_channel(Channel);
	NTSTATUS status = STATUS_INVALID_PARAMETER_1;

	if (!ch || !ch->server)
		return STATUS_INVALID_PARAMETER_1;
	if (!SaveBuffer)
		return STATUS_INVALID_PARAMETER_2;
	if (!SaveBufferSize)
		return STATUS_INVALID_PARAMETER_3;
	if (!kmcl_passive(ch, __func__))
		return STATUS_INVALID_DEVICE_REQUEST;
	kmcl_life_enter(ch);
	if (ch->state != KMCL_DISABLED || kmcl_server_enable(ch) ||
	    (ch->restore ? ch->restore->complete : !kmcl_restore_is_over(ch)))
		goto out;
	if (!ch->restore)
		ch->restore = restore_new();
	status = STATUS_INSUFFICIENT_RESOURCES;
	if (!ch->restore)
		goto out;
	status = read_all(ch, SaveBuffer, SaveBufferSize);
	if (NT_SUCCESS(status) || status == STATUS_MORE_PROCESSING_REQUIRED)
		goto out;
	kmcl_err(ch, "%s: nothing is restored (status %#x): %s\n", __func__, status,
		 ch->restore->why ?: "see above");
	kmcl_restore_drop(ch, STATUS_CANCELLED);
	kmcl_endpoint_refuse(ch);
out:
	kmcl_life_leave(ch);
	return status;
}
EXPORT_SYMBOL_GPL(VmbChannelRestoreFromBuffer);
