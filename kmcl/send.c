// SPDX-License-Identifier: GPL-2.0
/*
 * The way out: straight into the ring while nothing waits, else through the
 * queue (queue.c).
 *
 * The empty-queue path takes no lock of ours.  It finds the link in
 * tx.send_link, which is set only while the queue is empty and the channel
 * runs.
 */
#include <linux/export.h>
#include <linux/slab.h>
#include "compat.h"
#include "kmcl.h"
#include "observe.h"

/* Copy what the driver handed over into the packet, pipe header first. */
static void encode(struct kmcl_packet *pkt, const void *buf, u32 len, bool pipe)
{
	u8 *p = pkt->data;

	if (pipe) {
		__le32 *header = (__le32 *)p;

		header[0] = cpu_to_le32(1);	/* data */
		header[1] = cpu_to_le32(len);
		p += KMCL_PIPE_HEADER;
	}
	if (len)
		memcpy(p, buf, len);
	pkt->tx.data = pkt->data;
	pkt->tx.len = len + (pipe ? KMCL_PIPE_HEADER : 0);
}

/*
 * Map what will go through the queue, if there is a link: the sender is here to be told.
 * Called after a look at tx.send_link, without which there is none.
 */
static noinline int map_to_queue(struct kmcl_external *ext, struct kmcl_channel *ch)
{
	struct kmcl_link *link = rcu_dereference(ch->link);

	return link ? kmcl_external_map(ext, link) : 0;
}

/*
 * The compiler makes a copy of this for each kind of send: @source is a constant NULL, so
 * that a packet without external data pays nothing for them, or never NULL.
 */
static __always_inline NTSTATUS submit(struct kmcl_packet *pkt, const void *buf, u32 len,
				       u32 flags, const struct kmcl_source *source)
{
	struct kmcl_channel *ch = pkt->object.channel;
	bool wait = source || flags & VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION;
	bool pipe = ch->config.flags & VMBUS_CHANNEL_INIT_FLAG_IS_PIPE;
	bool copied = pipe || flags & VMBUS_CHANNEL_FORMAT_FLAG_PAGED_BUFFER;
	struct kmcl_external *ext = pkt->external;
	struct kmcl_link *link;
	struct kmcl_slot *slot;
	NTSTATUS status;
	s64 word, gen;
	int ret = 0;
	u64 id;

	if (unlikely(!kmcl_dispatch(ch, "VmbPacketSend")))
		return STATUS_INVALID_DEVICE_REQUEST;
	if (unlikely(!pkt->slot) && !kmcl_packet_take_slot(pkt))
		return STATUS_INSUFFICIENT_RESOURCES;
	slot = pkt->slot;

	/* a new generation: whatever answers the previous send is stale now */
	word = atomic64_read(&slot->word);
	gen = word - KMCL_SLOT_IDLE + (1LL << 32);
	if (kmcl_word_state(word) != KMCL_SLOT_IDLE ||
	    !atomic64_try_cmpxchg(&slot->word, &word, gen | KMCL_SLOT_WRITING)) {
		kmcl_err(ch, "VmbPacketSend: the packet is in flight already\n");
		return STATUS_INVALID_PARAMETER_1;
	}
	slot->lends = source;
	id = gen | kmcl_packet_number(ch, pkt);
	pkt->tx.id = id;
	pkt->tx.type = source ? KMCL_TYPE_GPA_DIRECT : KMCL_TYPE_INBAND;
	pkt->tx.wants_reply = wait;
	if (copied) {
		encode(pkt, buf, len, pipe);
		buf = pkt->data;
		len = pkt->tx.len;
	}
	if (source) {
		status = kmcl_external_encode(pkt, source, flags);
		if (status) {
			atomic64_set(&slot->word, gen | KMCL_SLOT_IDLE);
			return status;
		}
	}

	kmcl_count_send(slot, len);
	trace_kmcl_packet_submit(ch, id, source ? KMCL_TYPE_GPA_DIRECT : KMCL_TYPE_INBAND, len,
				 flags);
	rcu_read_lock();
	link = rcu_dereference(ch->tx.send_link);
	if (source && unlikely(link ? kmcl_external_map(ext, link) : map_to_queue(ext, ch))) {
		kmcl_uncount_send(slot, len);
		atomic64_set(&slot->word, gen | KMCL_SLOT_IDLE);
		rcu_read_unlock();
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	if (likely(link)) {
		ret = source ? link->ops->send_external(link, ext->wire, ext->size, buf, len,
							id) :
			       link->ops->send(link, buf, len, id, KMCL_TYPE_INBAND, wait);
		/* the packet may be gone */
		kmcl_wrote(ch, id, source ? KMCL_TYPE_GPA_DIRECT : KMCL_TYPE_INBAND, len, ret);
		if (likely(!ret)) {
			if (!wait) {
				atomic64_set(&slot->word, gen | KMCL_SLOT_IDLE);
				kmcl_packet_done(pkt, STATUS_SUCCESS, NULL, 0);
			}
			rcu_read_unlock();
			return STATUS_SUCCESS;
		}
		/* published before it failed: the packet is not ours any more */
		if (wait && atomic64_read(&slot->word) != (gen | KMCL_SLOT_WRITING)) {
			rcu_read_unlock();
			return STATUS_SUCCESS;
		}
		if (ret != -EAGAIN && ret != -ENODEV)
			kmcl_tx_corrupt(ch);
	}
	if (!copied)
		encode(pkt, buf, len, false);
	pkt->tx.head = source ? ext->size : KMCL_DESC_SIZE;
	status = kmcl_tx_enqueue(pkt, gen, ret == -ENODEV && !wait);
	rcu_read_unlock();
	return status;
}

/**
 * kmcl_submit() - send a packet, or queue it
 * @pkt: idle packet with a completion routine
 * @buf: payload
 * @len: its bytes, checked by the caller
 * @flags: VMBUS_CHANNEL_FORMAT_FLAG_*, checked by the caller
 * @source: external data, or NULL; WAIT_FOR_COMPLETION is set then
 *
 * Context: process or softirq, interrupts on.
 * Return: STATUS_SUCCESS: the completion routine is, was or will be called,
 * once. Otherwise it is not: STATUS_INVALID_DEVICE_STATE the channel is
 * disabled or going down; STATUS_INVALID_PARAMETER_1 the packet is in flight;
 * STATUS_INVALID_DEVICE_REQUEST above DISPATCH_LEVEL;
 * STATUS_INSUFFICIENT_RESOURCES no slot for a packet in the driver's memory, or
 * external data cannot be mapped; what kmcl_external_encode() returns.
 */
NTSTATUS kmcl_submit(struct kmcl_packet *pkt, const void *buf, u32 len, u32 flags,
		     const struct kmcl_source *source)
{
	return likely(!source) ? submit(pkt, buf, len, flags, NULL) :
				 submit(pkt, buf, len, flags, source);
}

/**
 * kmcl_send_now() - fire and forget, or fail
 * @ch: channel
 * @buf: payload
 * @len: its bytes
 *
 * Context: process or softirq.
 * Return: STATUS_SUCCESS; STATUS_BUFFER_OVERFLOW it does not fit, or would
 * overtake what is queued, or the channel does not run yet;
 * STATUS_INVALID_DEVICE_STATE disabled, or the peer has damaged the ring;
 * STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS kmcl_send_now(struct kmcl_channel *ch, const void *buf, u32 len)
{
	bool pipe = ch->config.flags & VMBUS_CHANNEL_INIT_FLAG_IS_PIPE;
	NTSTATUS status = STATUS_BUFFER_OVERFLOW;
	struct kmcl_packet *pkt = NULL;
	struct kmcl_link *link;
	int ret;

	if (pipe) {
		pkt = kmcl_packet_alloc(ch, true, GFP_ATOMIC);
		if (!pkt)
			return STATUS_INSUFFICIENT_RESOURCES;
		encode(pkt, buf, len, true);
		buf = pkt->tx.data;
		len = pkt->tx.len;
	}
	rcu_read_lock();
	link = rcu_dereference(ch->tx.send_link);
	if (link) {
		ret = link->ops->send(link, buf, len, 0, KMCL_TYPE_INBAND, false);
		kmcl_wrote(ch, 0, KMCL_TYPE_INBAND, len, ret);
		if (!ret) {
			this_cpu_inc(ch->tx.counters->sent);
			this_cpu_add(ch->tx.counters->sent_bytes, len);
		}
		if (!ret) {
			status = STATUS_SUCCESS;
		} else if (ret == -ENODEV) {
			status = STATUS_DEVICE_REMOVED;
		} else if (ret != -EAGAIN) {
			/* not worth another try, as BUFFER_OVERFLOW would be */
			status = STATUS_INVALID_DEVICE_STATE;
			kmcl_tx_corrupt(ch);
		}
	} else if (READ_ONCE(ch->tx.mode) <= KMCL_TX_DRAIN) {
		status = STATUS_INVALID_DEVICE_STATE;
	}
	rcu_read_unlock();
	if (pkt)
		kmcl_packet_free(pkt);
	return status;
}

/**
 * kmcl_reply() - complete an incoming packet on the wire
 * @in: packet that the driver has completed, owned by the caller
 * @buf: payload of the completion; may lie inside @in
 * @len: its bytes
 *
 * Retires @in once the reply is in the ring or can never get there.
 *
 * Context: process or softirq.
 */
void kmcl_reply(struct kmcl_incoming *in, const void *buf, u32 len)
{
	struct kmcl_channel *ch = in->object.channel;
	struct kmcl_tx *tx = &ch->tx;
	struct kmcl_link *link;
	void *copy = in->data;
	int ret = -EAGAIN;

	rcu_read_lock();
	if (unlikely(len > KMCL_PACKET_MAX - KMCL_DESC_SIZE ||
		     KMCL_DESC_SIZE + ALIGN(len, 8) + KMCL_FOOTER_SIZE >=
		     READ_ONCE(ch->tx.ring_bytes))) {
		kmcl_poison(ch, "reply larger than the outgoing ring or any packet");
		goto retire;
	}
	link = rcu_dereference(tx->reply_link);
	if (likely(link)) {
		ret = link->ops->send(link, buf, len, in->id, KMCL_TYPE_COMPLETION, false);
		kmcl_wrote(ch, in->id, KMCL_TYPE_COMPLETION, len, ret);
	}
	if (likely(!ret) || ret == -ENODEV)
		goto retire;
	if (ret != -EAGAIN) {
		kmcl_tx_corrupt(ch);
		goto retire;
	}
	if (len > in->capacity) {
		copy = kmalloc(len, GFP_ATOMIC);
		if (!copy) {
			kmcl_poison(ch, "no memory to keep a large reply");
			goto retire;
		}
	}
	if (len)
		memmove(copy, buf, len);
	in->tx = (struct kmcl_tx_item) {
		.data = copy,
		.len = len,
		.head = KMCL_DESC_SIZE,
		.id = in->id,
		.type = KMCL_TYPE_COMPLETION,
	};

	if (!kmcl_tx_enqueue_reply(in))
		goto retire;
	rcu_read_unlock();
	return;

retire:
	kmcl_rx_retire(in);
	rcu_read_unlock();
}

/* ---- the API ---- */

static __always_inline NTSTATUS check_flags(struct kmcl_channel *ch, bool external, u32 flags,
					    unsigned int flags_at)
{
	if (flags & ~VMBUS_CHANNEL_FORMAT_FLAGS ||
	    (external && !(flags & VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION)))
		return STATUS_INVALID_PARAMETER_1 + flags_at - 1;
	/* the memory of a server's side is not for clients to see */
	if (unlikely(external && ch->server))
		return STATUS_NOT_SUPPORTED;
	if (unlikely(flags & VMBUS_CHANNEL_FORMAT_FLAG_PAGED_BUFFER) &&
	    (in_interrupt() || irqs_disabled())) {
		kmcl_err(ch, "a send of a paged buffer above PASSIVE_LEVEL, refused\n");
		return STATUS_INVALID_DEVICE_REQUEST;
	}
	return STATUS_SUCCESS;
}

/**
 * kmcl_check_flags() - are the flags of a send in order?
 * @ch: channel
 * @external: external data come with it
 * @flags: the flags
 * @flags_at: their position among the parameters
 *
 * Return: STATUS_SUCCESS; the position; STATUS_NOT_SUPPORTED for external data of a
 * server; STATUS_INVALID_DEVICE_REQUEST for paged memory above PASSIVE_LEVEL.
 */
NTSTATUS kmcl_check_flags(struct kmcl_channel *ch, bool external, u32 flags,
			  unsigned int flags_at)
{
	return check_flags(ch, external, flags, flags_at);
}

/* @flags_at: the position of @flags among the parameters. */
static __always_inline NTSTATUS check_send(const struct kmcl_packet *pkt, const void *buf, u32 len,
					   bool external, u32 flags, unsigned int flags_at)
{
	if (!pkt || !pkt->routine)
		return STATUS_INVALID_PARAMETER_1;
	if (!buf && len)
		return STATUS_INVALID_PARAMETER_2;
	if (len > pkt->capacity || len > pkt->object.channel->config.max_packet)
		return STATUS_INVALID_PARAMETER_3;
	return check_flags(pkt->object.channel, external, flags, flags_at);
}

/* Apart, so that a packet without external data pays nothing for them. */
static noinline NTSTATUS send_mdl(struct kmcl_packet *pkt, const void *buf, u32 len, PMDL mdl,
				  u32 offset, u32 length, u32 flags)
{
	struct kmcl_source source = { .mdl = mdl, .offset = offset, .length = length };

	return submit(pkt, buf, len, flags, &source);
}

NTSTATUS VmbPacketSend(VMBPACKET Packet, PVOID Buffer, UINT32 BufferLength,
		       PMDL ExternalDataMdl, UINT32 Flags)
{
	struct kmcl_packet *pkt = kmcl_packet(Packet);
	NTSTATUS status;

	status = check_send(pkt, Buffer, BufferLength, ExternalDataMdl, Flags, 5);
	if (unlikely(status))
		return status;
	if (ExternalDataMdl)
		return send_mdl(pkt, Buffer, BufferLength, ExternalDataMdl, 0, 0, Flags);
	return submit(pkt, Buffer, BufferLength, Flags, NULL);
}
EXPORT_SYMBOL_GPL(VmbPacketSend);

NTSTATUS VmbPacketSendWithExternalMdl(VMBPACKET Packet, PVOID Buffer, UINT32 BufferLength,
				      PMDL Mdl, UINT32 MdlOffset, UINT32 MdlLength, UINT32 Flags)
{
	struct kmcl_packet *pkt = kmcl_packet(Packet);
	NTSTATUS status;

	status = check_send(pkt, Buffer, BufferLength, Mdl, Flags, 7);
	if (unlikely(status))
		return status;
	if (likely(Mdl))
		return send_mdl(pkt, Buffer, BufferLength, Mdl, MdlOffset, MdlLength, Flags);
	if (MdlOffset)
		return STATUS_INVALID_PARAMETER_5;
	if (MdlLength)
		return STATUS_INVALID_PARAMETER_6;
	return kmcl_submit(pkt, Buffer, BufferLength, Flags, NULL);
}
EXPORT_SYMBOL_GPL(VmbPacketSendWithExternalMdl);

NTSTATUS VmbPacketSendWithExternalPfns(VMBPACKET Packet, PVOID Buffer, UINT32 BufferLength,
				       PPFN_NUMBER Pfns, UINT32 PfnCount, UINT32 Flags)
{
	struct kmcl_packet *pkt = kmcl_packet(Packet);
	struct kmcl_source source = { .frames = Pfns, .count = PfnCount };
	NTSTATUS status;

	status = check_send(pkt, Buffer, BufferLength, Pfns, Flags, 6);
	if (unlikely(status))
		return status;
	if (!Pfns && PfnCount)
		return STATUS_INVALID_PARAMETER_4;
	return kmcl_submit(pkt, Buffer, BufferLength, Flags, Pfns ? &source : NULL);
}
EXPORT_SYMBOL_GPL(VmbPacketSendWithExternalPfns);
