// SPDX-License-Identifier: GPL-2.0
/*
 * Saving a server channel; see save.h for the state machine.
 *
 * A record is put together in memory of the save's own, once, whatever the buffers
 * are that it is written to, a chunk at a time.  So SavePacket is called for a packet
 * when its turn has come, and never again; and the bytes do not depend on the
 * buffers.
 *
 * The walk over the packets goes over lists of what was there when the walk began.
 * Nothing of it goes away while the channel is frozen.
 *
 *   delivered     the driver's, in the order of their arrival; one that the driver
 *                 completes before its turn has come is left out here, and is among
 *                 the replies
 *   undelivered   read and not yet at the driver, in their order
 *   replies and outgoing packets that are queued, in their order; then replies that
 *                 were kept since SaveBegin
 *   outgoing packets that await their answer; then those that are held
 */
#include <linux/export.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include "kmcl.h"
#include "observe.h"
#include "save.h"
#include "server.h"

#define SAVE_TRIES	4	/* of a driver that finds out how much it needs */

enum save_stage {
	STAGE_BEGIN,
	STAGE_CONFIG,
	STAGE_NAME,
	STAGE_OPEN,
	STAGE_GPADLS,
	STAGE_INCOMING,
	STAGE_OUTGOING,
	STAGE_END,
	STAGE_OVER,
};

enum item_kind {
	ITEM_UNDELIVERED,
	ITEM_DELIVERED,
	ITEM_REPLY,
	ITEM_QUEUED,
	ITEM_SENT,
};

struct save_item {
	void *object;
	enum item_kind kind;
};

/**
 * struct kmcl_save - a save, from SaveBegin until the channel thaws
 * @writer: what has been written
 * @stage: what comes next
 * @ended: SaveEnd was called
 * @failed: how it failed; 0: it has not
 * @record: the record that is being written
 * @tag: its tag
 * @flags: its flags
 * @written: bytes of it that are written
 * @writing: there is one
 * @items: packets of this stage
 * @count: how many
 * @next: the next one
 * @gpadl: numbers below are done
 * @gpadls: records so far
 * @incoming: the same
 * @replies: the same
 * @outgoing: the same
 */
struct kmcl_save {
	struct kmcl_blob_writer writer;
	enum save_stage stage;
	bool ended;
	NTSTATUS failed;
	struct kmcl_record record;
	u16 tag;
	u16 flags;
	u32 written;
	bool writing;
	struct save_item *items;
	u32 count;
	u32 next;
	u64 gpadl;
	u32 gpadls;
	u32 incoming;
	u32 replies;
	u32 outgoing;
};

/* ---- records ---- */

static NTSTATUS record_begin(struct kmcl_save *save, u16 tag, u16 flags)
{
	save->record.len = 0;
	save->tag = tag;
	save->flags = flags;
	save->written = 0;
	save->writing = true;
	return STATUS_SUCCESS;
}

static NTSTATUS add(struct kmcl_save *save, const void *from, u32 bytes)
{
	return kmcl_record_add(&save->record, from, bytes) ? STATUS_INSUFFICIENT_RESOURCES :
							     STATUS_SUCCESS;
}

/* A record that is there at once. */
static NTSTATUS record_is(struct kmcl_save *save, u16 tag, u16 flags, const void *from, u32 bytes)
{
	record_begin(save, tag, flags);
	return add(save, from, bytes);
}

/**
 * kmcl_save_describe() - say which channel this is
 * @ch: server channel
 * @begin: what its saves begin with
 * @config: what they go on with
 */
void kmcl_save_describe(const struct kmcl_channel *ch, struct kmcl_save_begin *begin,
			struct kmcl_save_config *config)
{
	const struct kmcl_server *server = ch->primary ? ch->primary->server : ch->server;
	const struct kmcl_config *cfg = &ch->config;

	*begin = (struct kmcl_save_begin) {
		.sub_index = cpu_to_le16(ch->sub_index),
		.epoch = cpu_to_le32(ch->id_base >> KMCL_ID_EPOCH),
	};
	export_guid(begin->type, &server->type);
	export_guid(begin->instance, &server->instance);
	*config = (struct kmcl_save_config) {
		.flags = cpu_to_le32(cfg->flags),
		.server_flags = cpu_to_le32(ch->server->flags),
		.max_packet = cpu_to_le32(cfg->max_packet),
		.max_external = cpu_to_le32(cfg->max_external),
		.max_chain = cpu_to_le32(cfg->max_chain),
		.max_count = cpu_to_le32(cfg->max_count),
		.mmio = cpu_to_le16(ch->server->mmio),
		.mmio_optional = cpu_to_le16(ch->server->mmio_optional),
	};
}

static NTSTATUS save_begin(struct kmcl_channel *ch)
{
	struct kmcl_save_config config;
	struct kmcl_save_begin begin;

	kmcl_save_describe(ch, &begin, &config);
	return record_is(ch->save, KMCL_SAVE_BEGIN, KMCL_BLOB_CRITICAL, &begin, sizeof(begin));
}

static NTSTATUS save_config(struct kmcl_channel *ch)
{
	struct kmcl_save_config config;
	struct kmcl_save_begin begin;

	kmcl_save_describe(ch, &begin, &config);
	return record_is(ch->save, KMCL_SAVE_CONFIG, KMCL_BLOB_CRITICAL, &config, sizeof(config));
}

static NTSTATUS save_open(struct kmcl_channel *ch)
{
	struct kmcl_save_open open;

	kmcl_endpoint_save(ch->target.link, &open);
	return record_is(ch->save, KMCL_SAVE_OPEN, KMCL_BLOB_CRITICAL, &open, sizeof(open));
}

static NTSTATUS save_end(struct kmcl_save *save)
{
	struct kmcl_save_end end = {
		.chunks = cpu_to_le32(save->writer.chunks + 1),
		.gpadls = cpu_to_le32(save->gpadls),
		.bytes = cpu_to_le64(save->writer.bytes),
		.incoming = cpu_to_le32(save->incoming),
		.replies = cpu_to_le32(save->replies),
		.outgoing = cpu_to_le32(save->outgoing),
	};

	return record_is(save, KMCL_SAVE_END, KMCL_BLOB_CRITICAL | KMCL_BLOB_LAST, &end,
			 sizeof(end));
}

/* ---- packets ---- */

static NTSTATUS call_save_packet(struct kmcl_channel *ch, void *handle, void *buf, u32 size,
				 u32 *needed)
{
	const struct kmcl_save_callbacks *cb = &ch->server->save;
	VMBCHANNEL channel = kmcl_channel_handle(ch);

	if (cb->ex)
		return cb->save_ex(channel, cb->context, handle, buf, size, needed);
	return cb->save(channel, handle, buf, size, needed);
}

/* What the driver has to say about a packet, behind what is in the record; @state: its bytes. */
static NTSTATUS add_state(struct kmcl_channel *ch, void *handle, u32 *state)
{
	struct kmcl_record *record = &ch->save->record;
	u32 needed = 0, size, tries;
	NTSTATUS status;

	*state = 0;
	if (!ch->server->save.save)
		return STATUS_SUCCESS;
	status = call_save_packet(ch, handle, NULL, 0, &needed);
	if (NT_SUCCESS(status))
		return STATUS_SUCCESS;
	for (tries = 0, size = 0; tries < SAVE_TRIES && needed > size; tries++) {
		size = needed;
		if (size > KMCL_STATE_MAX) {
			kmcl_err(ch, "SavePacket wants %u bytes for one packet, more than %u\n",
				 size, KMCL_STATE_MAX);
			return STATUS_INSUFFICIENT_RESOURCES;
		}
		if (kmcl_record_add(record, NULL, size))
			return STATUS_INSUFFICIENT_RESOURCES;
		record->len -= size;
		status = call_save_packet(ch, handle, record->bytes + record->len, size, &needed);
		if (NT_SUCCESS(status)) {
			*state = min(needed, size);
			record->len += *state;
			return STATUS_SUCCESS;
		}
	}
	kmcl_err(ch, "SavePacket has failed: status %#x\n", status);
	/* these two say something else when VmbChannelSaveContinue() returns them */
	if (status == STATUS_BUFFER_OVERFLOW || status == STATUS_BUFFER_TOO_SMALL)
		return STATUS_UNSUCCESSFUL;
	return status;
}

/* The record has moved since its head was added. */
#define record_head(save, type)	((type *)(save)->record.bytes)

/* The driver's name for a packet: of one that was restored, that of what stands for it. */
static void *drivers_handle(struct kmcl_incoming *in)
{
	struct kmcl_packet *pkt;
	void *handle;

	/* the driver may be completing it */
	rcu_read_lock();
	pkt = READ_ONCE(in->carrier);
	handle = pkt ? (void *)kmcl_packet_handle(pkt) : (void *)kmcl_incoming_handle(in);
	rcu_read_unlock();
	return handle;
}

/*
 * Payload and description of external data, to @to if it is not NULL. Whoever completes
 * a packet meanwhile puts the reply over it, under the same lock: false, there is
 * nothing but the reply.
 */
static bool copy_incoming(struct kmcl_incoming *in, bool delivered, u8 *to, u32 *external)
{
	struct kmcl_rx *rx = &in->object.channel->rx;
	const void *from;
	bool whole;

	spin_lock_bh(&rx->lock);
	whole = !delivered || kmcl_incoming_state(in) == KMCL_IN_DRIVER;
	if (whole)
		*external = kmcl_incoming_described(in, &from);
	if (whole && to) {
		memcpy(to, in->payload, in->len);
		memcpy(to + in->len, from, *external);
	}
	spin_unlock_bh(&rx->lock);
	return whole;
}

/* One that is completed before it is copied is for the next stage, with the replies. */
static NTSTATUS save_incoming(struct kmcl_channel *ch, struct kmcl_incoming *in, bool delivered)
{
	struct kmcl_save *save = ch->save;
	struct kmcl_save_incoming head = {
		.id = cpu_to_le64(in->id),
		.flags = cpu_to_le32((in->wants_reply ? KMCL_SAVED_WANTS_REPLY : 0) |
				     (delivered ? 0 : KMCL_SAVED_UNDELIVERED)),
		.len = cpu_to_le32(in->len),
	};
	u32 state = 0, external;
	NTSTATUS status;

	if (!copy_incoming(in, delivered, NULL, &external))
		return STATUS_SUCCESS;
	head.external = cpu_to_le32(external);
	record_begin(save, KMCL_SAVE_INCOMING, KMCL_BLOB_CRITICAL);
	status = add(save, &head, sizeof(head)) ?: add(save, NULL, in->len + external);
	if (status)
		return status;
	if (!copy_incoming(in, delivered, save->record.bytes + sizeof(head), &external)) {
		save->writing = false;
		return STATUS_SUCCESS;
	}
	if (delivered)
		status = add_state(ch, drivers_handle(in), &state);
	if (status)
		return status;
	/* completed while the driver described it: the one who restores it completes it again */
	in->saved = true;
	record_head(save, struct kmcl_save_incoming)->state = cpu_to_le32(state);
	save->incoming++;
	return STATUS_SUCCESS;
}

static NTSTATUS save_reply(struct kmcl_channel *ch, struct kmcl_incoming *in)
{
	struct kmcl_save *save = ch->save;
	struct kmcl_save_reply head = {
		.id = cpu_to_le64(in->id),
		.len = cpu_to_le32(in->tx.len),
	};

	record_begin(save, KMCL_SAVE_REPLY, KMCL_BLOB_CRITICAL);
	save->replies++;
	return add(save, &head, sizeof(head)) ?: add(save, in->tx.data, in->tx.len);
}

static NTSTATUS save_packet(struct kmcl_channel *ch, struct kmcl_packet *pkt, bool queued)
{
	struct kmcl_save *save = ch->save;
	struct kmcl_save_outgoing head = {
		.id = cpu_to_le64(pkt->tx.id),
		.where = cpu_to_le32(queued ? KMCL_SAVED_QUEUED : KMCL_SAVED_SENT),
		.flags = cpu_to_le32(pkt->tx.wants_reply ? KMCL_SAVED_WANTS_REPLY : 0),
		.len = cpu_to_le32(queued ? pkt->tx.len : 0),
	};
	NTSTATUS status;
	u32 state;

	record_begin(save, KMCL_SAVE_OUTGOING, KMCL_BLOB_CRITICAL);
	status = add(save, &head, sizeof(head)) ?: add(save, pkt->tx.data, le32_to_cpu(head.len));
	if (!status)
		status = add_state(ch, kmcl_packet_handle(pkt), &state);
	if (status)
		return status;
	record_head(save, struct kmcl_save_outgoing)->state = cpu_to_le32(state);
	save->outgoing++;
	return STATUS_SUCCESS;
}

/* Count what there is of a kind, or note it when there is room for it. */
static void note(struct kmcl_save *save, u32 room, void *object, enum item_kind kind)
{
	if (save->count < room)
		save->items[save->count] = (struct save_item) { .object = object, .kind = kind };
	save->count++;
}

/* What the driver has before what it has not, and each in its order. */
static int by_order(const void *a, const void *b)
{
	const struct save_item *x = a, *y = b;
	const struct kmcl_incoming *in = x->object, *other = y->object;

	if (x->kind != y->kind)
		return x->kind == ITEM_DELIVERED ? -1 : 1;
	/* a packet that was deferred is in front of the backlog, as it was delivered before */
	return (s32)(in->order - other->order);
}

/* What has been received and not been completed. */
static void note_incoming(struct kmcl_channel *ch, u32 room)
{
	struct kmcl_save *save = ch->save;
	struct kmcl_incoming *in;

	spin_lock_bh(&ch->rx.lock);
	/* the first look counts, the second one may find some of the former gone */
	list_for_each_entry(in, &ch->rx.backlog, node)
		note(save, room, in, ITEM_UNDELIVERED);
	list_for_each_entry(in, &ch->rx.all, all)
		if (kmcl_incoming_state(in) == KMCL_IN_DRIVER)
			note(save, room, in, ITEM_DELIVERED);
	spin_unlock_bh(&ch->rx.lock);
	sort(save->items, min(save->count, room), sizeof(*save->items), by_order, NULL);
}

static void note_list(struct kmcl_save *save, u32 room, struct list_head *list)
{
	struct kmcl_tx_item *item;

	list_for_each_entry(item, list, node) {
		if (item->type == KMCL_TYPE_COMPLETION)
			note(save, room, container_of(item, struct kmcl_incoming, tx), ITEM_REPLY);
		else
			note(save, room, container_of(item, struct kmcl_packet, tx), ITEM_QUEUED);
	}
}

/* What is on its way out, or waits for its answer. */
static void note_outgoing(struct kmcl_channel *ch, u32 room)
{
	struct kmcl_save *save = ch->save;
	struct kmcl_packet *pkt;
	struct kmcl_incoming *in;
	u32 index = 0;

	spin_lock_bh(&ch->tx.lock);
	note_list(save, room, &ch->tx.queue);
	spin_unlock_bh(&ch->tx.lock);
	spin_lock_bh(&ch->rx.lock);
	list_for_each_entry(in, &ch->rx.kept, node)
		if (in->wants_reply && !in->saved)
			note(save, room, in, ITEM_REPLY);
	spin_unlock_bh(&ch->rx.lock);
	while ((pkt = kmcl_packet_sent_from(ch, &index)))
		note(save, room, pkt, ITEM_SENT);
	/* last, since it may have become longer at the second look */
	spin_lock_bh(&ch->tx.lock);
	note_list(save, room, &ch->tx.held);
	spin_unlock_bh(&ch->tx.lock);
}

/*
 * A list of what there is.  Between the two looks the driver may complete packets, which
 * the next stage finds, and send some more, which are not of this save.
 */
static NTSTATUS note_all(struct kmcl_channel *ch, void (*look)(struct kmcl_channel *ch, u32 room))
{
	struct kmcl_save *save = ch->save;
	u32 room;

	/* who has moved a packet's state has put it where it can be found */
	synchronize_rcu();
	save->count = 0;
	look(ch, 0);
	room = save->count;
	kvfree(save->items);
	save->items = kvmalloc_array(max(room, 1u), sizeof(*save->items), GFP_KERNEL);
	save->count = 0;
	save->next = 0;
	if (!save->items)
		return STATUS_INSUFFICIENT_RESOURCES;
	look(ch, room);
	save->count = min(save->count, room);
	return STATUS_SUCCESS;
}

static NTSTATUS save_item(struct kmcl_channel *ch, const struct save_item *item)
{
	struct kmcl_incoming *in = item->object;

	switch (item->kind) {
	case ITEM_UNDELIVERED:
		return save_incoming(ch, in, false);
	case ITEM_DELIVERED:
		return save_incoming(ch, in, true);
	case ITEM_REPLY:
		return save_reply(ch, in);
	case ITEM_QUEUED:
		return save_packet(ch, item->object, true);
	case ITEM_SENT:
		return save_packet(ch, item->object, false);
	}
	return STATUS_UNSUCCESSFUL;
}

/* ---- one record after the other ---- */

/* The next packet of this stage, if there is one: as save->writing says. */
static NTSTATUS next_item(struct kmcl_channel *ch)
{
	struct kmcl_save *save = ch->save;
	NTSTATUS status = STATUS_SUCCESS;

	while (!status && !save->writing && save->next < save->count)
		status = save_item(ch, &save->items[save->next++]);
	return status;
}

static NTSTATUS next_gpadl(struct kmcl_channel *ch)
{
	struct kmcl_save *save = ch->save;
	int ret;

	record_begin(save, KMCL_SAVE_GPADL, KMCL_BLOB_CRITICAL);
	ret = kmcl_endpoint_save_gpadl(ch->target.link, &save->gpadl, &save->record);
	if (ret > 0)
		save->gpadls++;
	else
		save->writing = false;
	return ret < 0 ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS;
}

/* What comes next, or the next stage: then there may be nothing yet. */
static NTSTATUS advance(struct kmcl_channel *ch)
{
	struct kmcl_save *save = ch->save;
	bool open = ch->state == KMCL_OPEN;
	NTSTATUS status;

	switch (save->stage) {
	case STAGE_BEGIN:
		save->stage = STAGE_CONFIG;
		return save_begin(ch);
	case STAGE_CONFIG:
		save->stage = STAGE_NAME;
		return save_config(ch);
	case STAGE_NAME:
		save->stage = open ? STAGE_OPEN : STAGE_GPADLS;
		return record_is(save, KMCL_SAVE_NAME, 0, ch->name, strlen(ch->name));
	case STAGE_OPEN:
		save->stage = STAGE_GPADLS;
		return save_open(ch);
	case STAGE_GPADLS:
		status = next_gpadl(ch);
		if (status || save->writing)
			return status;
		save->stage = STAGE_INCOMING;
		return note_all(ch, note_incoming);
	case STAGE_INCOMING:
		status = next_item(ch);
		if (status || save->writing)
			return status;
		save->stage = STAGE_OUTGOING;
		return note_all(ch, note_outgoing);
	case STAGE_OUTGOING:
		status = next_item(ch);
		if (status || save->writing)
			return status;
		save->stage = STAGE_END;
		return STATUS_SUCCESS;
	case STAGE_END:
		save->stage = STAGE_OVER;
		return save_end(save);
	case STAGE_OVER:
		break;
	}
	return STATUS_SUCCESS;
}

/* As VmbChannelSaveContinue(), for a save that has not failed. */
static NTSTATUS go_on(struct kmcl_channel *ch, u8 *buf, u32 size, u32 *filled, u32 *required)
{
	struct kmcl_save *save = ch->save;
	struct kmcl_record *record = &save->record;
	NTSTATUS status;
	u32 bytes;

	for (;;) {
		while (!save->writing && save->stage != STAGE_OVER) {
			/* the client may close at any time */
			if (ch->state == KMCL_OPEN && !kmcl_link_is_up(ch))
				return STATUS_DEVICE_REMOVED;
			status = advance(ch);
			if (status)
				return status;
		}
		if (!save->writing)
			return STATUS_SUCCESS;
		bytes = kmcl_blob_chunk_bytes(record->len - save->written);
		if (bytes > size - *filled) {
			*required = bytes;
			return *filled ? STATUS_BUFFER_OVERFLOW : STATUS_BUFFER_TOO_SMALL;
		}
		save->written += kmcl_blob_put(&save->writer, buf + *filled, save->tag, save->flags,
					       record->bytes + save->written,
					       record->len - save->written);
		*filled += bytes;
		save->writing = save->written < record->len;
		cond_resched();
	}
}

/* ---- life; the caller owns it ---- */

/**
 * kmcl_save_is_complete() - may this channel be parked?
 * @ch: channel
 *
 * Return: true when all of it is written, and nothing has happened since.
 */
bool kmcl_save_is_complete(struct kmcl_channel *ch)
{
	const struct kmcl_save *save = ch->save;

	return save && !save->failed && save->stage == STAGE_OVER && !save->writing;
}

/**
 * kmcl_save_name() - which save it is
 * @ch: channel that is being saved
 *
 * Return: what its chunks carry, not 0.
 */
u64 kmcl_save_name(struct kmcl_channel *ch)
{
	return ch->save->writer.save;
}

/**
 * kmcl_save_drop() - a save is of no use any more
 * @ch: channel, saved or not
 *
 * It thaws.
 *
 * Context: process.
 */
void kmcl_save_drop(struct kmcl_channel *ch)
{
	struct kmcl_save *save = ch->save;

	if (!save)
		return;
	ch->save = NULL;
	kmcl_thaw(ch);
	kmcl_record_free(&save->record);
	kvfree(save->items);
	kfree(save);
}

/* ---- the API ---- */

/* A server channel whose life the caller now owns, or NULL with the status that says why. */
static struct kmcl_channel *enter(VMBCHANNEL handle, const char *who, NTSTATUS *status)
{
	struct kmcl_channel *ch = kmcl_channel_find(handle, who, _RET_IP_);

	*status = STATUS_INVALID_PARAMETER_1;
	if (!ch || !ch->server)
		return NULL;
	*status = STATUS_INVALID_DEVICE_REQUEST;
	if (!kmcl_passive(ch, who))
		return NULL;
	kmcl_life_enter(ch);
	return ch;
}

NTSTATUS VmbChannelSaveBegin(VMBCHANNEL Channel)
{
	struct kmcl_save *save;
	struct kmcl_channel *ch;
	NTSTATUS status;

	ch = enter(Channel, __func__, &status);
	if (!ch)
		return status;
	status = STATUS_INVALID_PARAMETER_1;
	if (ch->save || (ch->state != KMCL_WAITING &&
			 (ch->state != KMCL_OPEN || !kmcl_link_is_up(ch))))
		goto out;
	status = STATUS_INSUFFICIENT_RESOURCES;
	save = kzalloc(sizeof(*save), GFP_KERNEL);
	if (!save)
		goto out;
	save->writer.save = get_random_u64() | 1;
	status = STATUS_INVALID_PARAMETER_1;
	if (!kmcl_freeze(ch)) {
		kfree(save);
		goto out;
	}
	ch->save = save;
	status = STATUS_SUCCESS;
out:
	trace_kmcl_save(ch, KMCL_SAVE_STEP_BEGIN, status, 0, 0);
	kmcl_life_leave(ch);
	return status;
}
EXPORT_SYMBOL_GPL(VmbChannelSaveBegin);

NTSTATUS VmbChannelSaveContinue(VMBCHANNEL Channel, PVOID SaveBuffer, ULONG SaveBufferSize,
				PULONG SaveBufferFilled, PULONG SaveBufferRequired)
{
	u32 filled = 0, required = 0;
	struct kmcl_save *save;
	struct kmcl_channel *ch;
	NTSTATUS status;

	if (!SaveBuffer && SaveBufferSize)
		return STATUS_INVALID_PARAMETER_2;
	if (!SaveBufferFilled)
		return STATUS_INVALID_PARAMETER_4;
	if (!SaveBufferRequired)
		return STATUS_INVALID_PARAMETER_5;
	*SaveBufferFilled = 0;
	*SaveBufferRequired = 0;
	ch = enter(Channel, __func__, &status);
	if (!ch)
		return status;
	save = ch->save;
	status = STATUS_INVALID_PARAMETER_1;
	if (!save || save->ended)
		goto out;
	status = save->failed;
	if (status)
		goto out;
	status = go_on(ch, SaveBuffer, SaveBufferSize, &filled, &required);
	if (NT_SUCCESS(status) || status == STATUS_BUFFER_OVERFLOW ||
	    status == STATUS_BUFFER_TOO_SMALL) {
		*SaveBufferFilled = filled;
		*SaveBufferRequired = required;
	} else {
		save->failed = status;
	}
out:
	trace_kmcl_save(ch, KMCL_SAVE_STEP_CONTINUE, status, filled, required);
	kmcl_life_leave(ch);
	return status;
}
EXPORT_SYMBOL_GPL(VmbChannelSaveContinue);

VOID VmbChannelSaveEnd(VMBCHANNEL Channel)
{
	struct kmcl_channel *ch;
	NTSTATUS status;

	ch = enter(Channel, __func__, &status);
	if (!ch)
		return;
	if (!ch->save || ch->save->ended)
		kmcl_err(ch, "%s without VmbChannelSaveBegin, ignored\n", __func__);
	else
		ch->save->ended = true;
	trace_kmcl_save(ch, KMCL_SAVE_STEP_END, STATUS_SUCCESS, 0, 0);
	kmcl_life_leave(ch);
}
EXPORT_SYMBOL_GPL(VmbChannelSaveEnd);
