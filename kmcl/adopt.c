// SPDX-License-Identifier: GPL-2.0
/*
 * From what was saved to a channel that goes on; see save.h for the state machine.
 *
 * An incoming packet that is restored has an object of its own, outside of the pool,
 * until it is completed.  What the driver calls it is the VMBPACKET that it has given to
 * VmbPacketRestore(): that packet stands for the incoming one (pkt->stands_for), and is
 * over with it.  An outgoing one that awaits its answer has a slot as any other, and the
 * old id is another name of it (ch->restored).
 */
#include <linux/export.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <kmcl/restored.h>
#include "kmcl.h"
#include "observe.h"
#include "save.h"
#include "server.h"

/* ---- what the library makes of it ---- */

/* @len bytes of payload at @from, and room for @external bytes behind them. */
static struct kmcl_incoming *new_incoming(struct kmcl_channel *ch, u64 id, const void *from,
					  u32 len, u32 external)
{
	struct kmcl_incoming *in = kmcl_pool_extra(ch, ALIGN(len, 8) + external);

	if (!in)
		return NULL;
	in->id = id;
	in->payload = in->data;
	in->len = len;
	memcpy(in->data, from, len);
	return in;
}

static NTSTATUS make_incoming(struct kmcl_channel *ch, struct kmcl_restore *r,
			      struct kmcl_saved *saved)
{
	const struct kmcl_save_incoming *from = (void *)saved->bytes;
	u32 len = le32_to_cpu(from->len), external = le32_to_cpu(from->external);
	struct kmcl_incoming *in;
	bool damaged;
	void *head;

	in = new_incoming(ch, le64_to_cpu(from->id), from->data, len, external);
	if (!in)
		return STATUS_INSUFFICIENT_RESOURCES;
	saved->in = in;
	in->wants_reply = le32_to_cpu(from->flags) & KMCL_SAVED_WANTS_REPLY;
	kmcl_incoming_set(in, KMCL_IN_READY);
	if (!external)
		return STATUS_SUCCESS;
	head = in->data + ALIGN(len, 8);
	memcpy(head, from->data + len, external);
	r->why = kmcl_incoming_resolve(in, KMCL_TYPE_GPA_DIRECT, head, external, &damaged);
	return r->why ? STATUS_INVALID_PARAMETER_2 : STATUS_SUCCESS;
}

static NTSTATUS make_reply(struct kmcl_channel *ch, struct kmcl_restore *r,
			   struct kmcl_saved *saved)
{
	const struct kmcl_save_reply *from = (void *)saved->bytes;
	struct kmcl_incoming *in;

	in = new_incoming(ch, le64_to_cpu(from->id), from->data, le32_to_cpu(from->len), 0);
	if (!in)
		return STATUS_INSUFFICIENT_RESOURCES;
	saved->in = in;
	in->wants_reply = true;
	kmcl_incoming_set(in, KMCL_IN_REPLYING);
	in->tx = (struct kmcl_tx_item) {
		.data = in->data,
		.len = in->len,
		.head = KMCL_DESC_SIZE,
		.id = in->id,
		.type = KMCL_TYPE_COMPLETION,
	};
	if (kmcl_tx_room(&in->tx) >= le32_to_cpu(r->open.out_bytes)) {
		r->why = "a reply that fits into no ring";
		return STATUS_INVALID_PARAMETER_2;
	}
	kmcl_tx_put(ch, &in->tx);
	return STATUS_SUCCESS;
}

/* What can be wrong with an outgoing packet is found out before any is restored. */
static NTSTATUS prepare_outgoing(struct kmcl_channel *ch, struct kmcl_restore *r,
				 struct kmcl_saved *saved)
{
	struct kmcl_save_outgoing *from = (void *)saved->bytes;
	u32 len = ALIGN(le32_to_cpu(from->len), 8);
	int ret;

	if (r->is_open && len + KMCL_DESC_SIZE + KMCL_FOOTER_SIZE >=
			  le32_to_cpu(r->open.out_bytes)) {
		r->why = "a packet that fits into no ring";
		return STATUS_INVALID_PARAMETER_2;
	}
	if (le32_to_cpu(from->where) != KMCL_SAVED_SENT)
		return STATUS_SUCCESS;
	ret = kmcl_packet_restore_prepare(ch, le64_to_cpu(from->id));
	if (ret != -EEXIST)
		return ret ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS;
	r->why = "two packets of the same transaction id";
	return STATUS_INVALID_PARAMETER_2;
}

static NTSTATUS make_all(struct kmcl_channel *ch, struct kmcl_restore *r)
{
	NTSTATUS status = STATUS_SUCCESS;
	struct kmcl_saved *saved;

	list_for_each_entry(saved, &r->incoming, node) {
		status = make_incoming(ch, r, saved);
		if (status)
			return status;
		cond_resched();
	}
	list_for_each_entry(saved, &r->queue, node) {
		status = saved->tag == KMCL_SAVE_REPLY ? make_reply(ch, r, saved) :
							 prepare_outgoing(ch, r, saved);
		if (status)
			return status;
		cond_resched();
	}
	return STATUS_SUCCESS;
}

/* ---- what the driver makes of it ---- */

static NTSTATUS call_restore_packet(struct kmcl_channel *ch, void *state, u32 size)
{
	const struct kmcl_save_callbacks *cb = &ch->server->save;
	VMBCHANNEL channel = kmcl_channel_handle(ch);
	struct kmcl_token token = ch->restore->token;

	if (!size)
		state = NULL;
	if (cb->ex)
		return cb->restore_ex(channel, cb->context, &token, sizeof(token), state, size);
	return cb->restore(channel, &token, sizeof(token), state, size);
}

/* RestorePacket has failed: what it had begun is not restored, and its packet is its own. */
static void take_back(struct kmcl_channel *ch, struct kmcl_saved *saved, struct kmcl_packet *pkt)
{
	struct kmcl_incoming *in = saved->in;

	if (!pkt)
		return;
	if (saved->tag != KMCL_SAVE_INCOMING) {
		kmcl_packet_unrestore(pkt);
		return;
	}
	/* unless it has been completed already */
	if (kmcl_incoming_move(in, kmcl_incoming_handle(in), KMCL_IN_DRIVER, KMCL_IN_READY)) {
		kmcl_carrier_detach(in);
		kmcl_driver_done(ch);
		rcu_read_lock();
		kmcl_rx_retire(in);
		rcu_read_unlock();
	}
}

/* Have the driver take a packet over, with its own state of @size bytes. */
static NTSTATUS hand_over(struct kmcl_channel *ch, struct kmcl_restore *r,
			  struct kmcl_saved *saved, void *state, u32 size)
{
	NTSTATUS status;

	r->token.save = r->reader.save;
	r->token.nonce = get_random_u64();
	r->token.index++;
	r->token.tag = saved->tag;
	r->current_packet = saved;
	r->restored = NULL;
	status = call_restore_packet(ch, state, size);
	r->current_packet = NULL;
	if (NT_SUCCESS(status) && r->restored)
		return STATUS_SUCCESS;
	take_back(ch, saved, r->restored);
	if (NT_SUCCESS(status)) {
		r->why = "RestorePacket has not called VmbPacketRestore";
		return STATUS_UNSUCCESSFUL;
	}
	r->why = "RestorePacket has failed";
	/* which says something else when VmbChannelRestoreFromBuffer() returns it */
	return status == STATUS_MORE_PROCESSING_REQUIRED ? STATUS_UNSUCCESSFUL : status;
}

/* A driver that has no RestorePacket, or has not had the packet yet, gets it as a new one. */
static void deliver_later(struct kmcl_channel *ch, struct kmcl_incoming *in)
{
	spin_lock_bh(&ch->rx.lock);
	list_add_tail(&in->node, &ch->rx.backlog);
	WRITE_ONCE(ch->rx.backlogged, true);
	spin_unlock_bh(&ch->rx.lock);
}

static NTSTATUS restore_incoming(struct kmcl_channel *ch, struct kmcl_restore *r,
				 struct kmcl_saved *saved)
{
	struct kmcl_save_incoming *from = (void *)saved->bytes;
	u32 state = le32_to_cpu(from->len) + le32_to_cpu(from->external);

	if (ch->server->save.restore && !(le32_to_cpu(from->flags) & KMCL_SAVED_UNDELIVERED))
		return hand_over(ch, r, saved, from->data + state, le32_to_cpu(from->state));
	deliver_later(ch, saved->in);
	return STATUS_SUCCESS;
}

/* The packet goes on where it was. */
static NTSTATUS put_outgoing(struct kmcl_packet *pkt, const struct kmcl_saved *saved)
{
	const struct kmcl_save_outgoing *from = (void *)saved->bytes;
	int ret;

	if (le32_to_cpu(from->where) == KMCL_SAVED_SENT)
		ret = kmcl_packet_restore_sent(pkt, le64_to_cpu(from->id));
	else
		ret = kmcl_packet_restore_queued(pkt, from->data, le32_to_cpu(from->len),
						 le32_to_cpu(from->flags) & KMCL_SAVED_WANTS_REPLY);
	return ret ? STATUS_INVALID_PARAMETER_1 : STATUS_SUCCESS;
}

static NTSTATUS restore_outgoing(struct kmcl_channel *ch, struct kmcl_restore *r,
				 struct kmcl_saved *saved)
{
	struct kmcl_save_outgoing *from = (void *)saved->bytes;
	u32 len = le32_to_cpu(from->len);
	struct kmcl_packet *pkt;
	NTSTATUS status;

	if (ch->server->save.restore)
		return hand_over(ch, r, saved, from->data + len, le32_to_cpu(from->state));
	pkt = kmcl_packet_alloc(ch, false, GFP_KERNEL);
	if (!pkt)
		return STATUS_INSUFFICIENT_RESOURCES;
	status = put_outgoing(pkt, saved);
	if (status)
		kmcl_packet_free(pkt);
	return status;
}

static NTSTATUS restore_all(struct kmcl_channel *ch, struct kmcl_restore *r)
{
	struct kmcl_saved *saved;
	NTSTATUS status;

	list_for_each_entry(saved, &r->incoming, node) {
		status = restore_incoming(ch, r, saved);
		if (status)
			return status;
		cond_resched();
	}
	list_for_each_entry(saved, &r->queue, node) {
		if (saved->tag != KMCL_SAVE_OUTGOING)
			continue;
		status = restore_outgoing(ch, r, saved);
		if (status)
			return status;
		cond_resched();
	}
	return STATUS_SUCCESS;
}

/* ---- life; the caller owns it ---- */

static NTSTATUS status_of(struct kmcl_restore *r, int err)
{
	switch (err) {
	case -ENOMEM:
		return STATUS_INSUFFICIENT_RESOURCES;
	case -ENODEV:
		r->why = "its client has gone";
		return STATUS_DEVICE_REMOVED;
	default:
		r->why = "it is not the state in which the offer was left";
		return STATUS_INVALID_PARAMETER_2;
	}
}

/**
 * kmcl_restore_commit() - the last chunk has come
 * @ch: disabled server channel; all records are as the format says
 *
 * Context: process, calls RestorePacket.
 * Return: STATUS_SUCCESS; otherwise the caller drops what there is.
 */
NTSTATUS kmcl_restore_commit(struct kmcl_channel *ch)
{
	struct kmcl_restore *r = ch->restore;
	u32 epoch = (le32_to_cpu(r->begin.epoch) + 1) % KMCL_ID_EPOCHS;
	NTSTATUS status;
	int ret;

	ret = kmcl_endpoint_adopt(ch, r);
	if (ret)
		return status_of(r, ret);
	ch->unsettled = true;
	ch->id_base = epoch << KMCL_ID_EPOCH;
	ch->rx.context_bytes = ch->config.client_context;
	if (kmcl_packets_reserve(ch, r->counts.incoming + r->counts.outgoing))
		return STATUS_INSUFFICIENT_RESOURCES;
	/* what the driver completes from here on waits for Enable */
	kmcl_tx_wait(ch, r->is_open ? le32_to_cpu(r->open.out_bytes) : 0);
	status = make_all(ch, r) ?: restore_all(ch, r);
	r->complete = !status;
	return status;
}

/**
 * kmcl_restore_drop() - nothing comes of a restore
 * @ch: disabled channel
 * @status: how outgoing packets end that were restored
 *
 * Incoming packets that were restored stay the driver's until it completes them.
 */
void kmcl_restore_drop(struct kmcl_channel *ch, NTSTATUS status)
{
	kmcl_restore_free(ch);
	if (!ch->unsettled)
		return;
	kmcl_tx_off(ch);
	synchronize_rcu();
	kmcl_tx_abort(ch, status);
	xa_destroy(&ch->restored);
	if (!atomic_read(&ch->rx.delivered))
		kmcl_restore_settle(ch);
}

/**
 * kmcl_restore_settle() - wait until nothing is left of it
 * @ch: disabled channel, after kmcl_restore_drop()
 *
 * Context: process; waits for the driver.
 */
void kmcl_restore_settle(struct kmcl_channel *ch)
{
	if (!ch->unsettled)
		return;
	kmcl_rx_wait_driver(ch);
	/* the last one may be on its way out */
	synchronize_rcu();
	kmcl_rx_finish(ch);
	kmcl_endpoint_drop(ch);
	ch->unsettled = false;
}

/**
 * kmcl_restore_is_over() - may something else begin?
 * @ch: disabled channel
 *
 * A restore that is not complete is dropped.
 *
 * Return: false when the driver still has packets of a restore of which nothing came.
 */
bool kmcl_restore_is_over(struct kmcl_channel *ch)
{
	kmcl_restore_drop(ch, STATUS_CANCELLED);
	return !ch->unsettled;
}

/**
 * kmcl_restore_check() - something may have happened to a restored channel
 * @ch: disabled channel: its client has closed, or its driver has completed the last of
 *	what was restored in vain
 *
 * Context: process; waits for nobody.
 */
void kmcl_restore_check(struct kmcl_channel *ch)
{
	if (!ch->unsettled)
		return;
	if (ch->restore && kmcl_endpoint_lost(ch->target.link)) {
		kmcl_err(ch, "what was restored is lost: its client has gone\n");
		kmcl_restore_drop(ch, STATUS_DEVICE_REMOVED);
	} else if (!ch->restore && !atomic_read(&ch->rx.delivered)) {
		kmcl_restore_settle(ch);
	}
}

/**
 * kmcl_restore_resume() - enable a restored channel
 * @ch: disabled channel
 *
 * It is open from here on, and paused; its driver's Opened is not called, since nobody
 * opens.
 *
 * Context: process.
 * Return: as VmbChannelEnable().
 */
NTSTATUS kmcl_restore_resume(struct kmcl_channel *ch)
{
	struct kmcl_restore *r = ch->restore;
	u32 in_bytes = le32_to_cpu(r->open.in_bytes);
	bool open = r->is_open;
	int ret;

	ret = open ? kmcl_rx_start(ch, in_bytes) : 0;
	if (!ret && !try_module_get(kmcl_server_transport.owner))
		ret = -ENODEV;
	if (ret) {
		kmcl_restore_drop(ch, STATUS_CANCELLED);
		return kmcl_status_from_errno(ret);
	}
	ch->transport = &kmcl_server_transport;
	ret = kmcl_endpoint_resume(ch);
	if (!ret) {
		/* it is as if it had been offered all the time */
		ch->unsettled = false;
		ch->claimed = true;
		kmcl_set_state(ch, KMCL_WAITING);
		kmcl_restore_free(ch);
		ret = open ? kmcl_link_up(ch, 0, in_bytes) : 0;
		if (!ret && !open)
			return STATUS_SUCCESS;
	}
	if (ch->unsettled) {
		kmcl_transport_put(ch->transport);
		ch->transport = NULL;
		kmcl_err(ch, "what was restored is lost: its client has gone\n");
		kmcl_restore_drop(ch, STATUS_DEVICE_REMOVED);
		return STATUS_DEVICE_REMOVED;
	}
	if (!ret)
		kmcl_device_bind(ch);
	/* its client may have closed just now, which life_work() has been told */
	kmcl_set_state(ch, KMCL_OPEN);
	WRITE_ONCE(ch->subs_open, true);
	if (kmcl_may_run(ch))
		kmcl_start(ch);
	return STATUS_SUCCESS;
}

/* ---- the API ---- */

NTSTATUS VmbPacketRestore(VMBPACKET Packet, PVOID LibraryBuffer, ULONG LibraryBufferSize)
{
	struct kmcl_packet *pkt = kmcl_packet(Packet);
	struct kmcl_restore *r;
	struct kmcl_channel *ch;
	NTSTATUS status;

	if (!pkt)
		return STATUS_INVALID_PARAMETER_1;
	ch = pkt->object.channel;
	if (!kmcl_life_is_mine(ch) || !ch->restore || !ch->restore->current_packet ||
	    ch->restore->restored) {
		kmcl_err(ch, "%s outside of RestorePacket, or for a second time, refused\n",
			 __func__);
		return STATUS_INVALID_PARAMETER_1;
	}
	r = ch->restore;
	if (!LibraryBuffer)
		return STATUS_INVALID_PARAMETER_2;
	if (LibraryBufferSize != sizeof(r->token))
		return STATUS_INVALID_PARAMETER_3;
	if (memcmp(LibraryBuffer, &r->token, sizeof(r->token)))
		return STATUS_INVALID_PARAMETER_2;
	if (r->current_packet->tag == KMCL_SAVE_INCOMING)
		status = kmcl_carrier_attach(pkt, r->current_packet->in) ?
			 STATUS_INVALID_PARAMETER_1 : STATUS_SUCCESS;
	else
		status = put_outgoing(pkt, r->current_packet);
	trace_kmcl_packet_restore(ch, r->current_packet->tag == KMCL_SAVE_INCOMING, status);
	if (!status)
		r->restored = pkt;
	return status;
}
EXPORT_SYMBOL_GPL(VmbPacketRestore);

PVOID kmcl_packet_payload(VMBPACKETCOMPLETION packet, PUINT32 length)
{
	struct kmcl_incoming *in;
	void *payload = NULL;

	*length = 0;
	rcu_read_lock();
	packet = kmcl_stands_for(packet);
	in = kmcl_incoming(packet);
	if (in && kmcl_incoming_is_drivers(in, packet)) {
		payload = in->payload;
		*length = in->len;
	}
	rcu_read_unlock();
	return payload;
}
EXPORT_SYMBOL_GPL(kmcl_packet_payload);
