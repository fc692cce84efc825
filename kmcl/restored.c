// SPDX-License-Identifier: GPL-2.0
/*
 * Packets that were restored: those that await an answer, or room in the ring, and those
 * that stand for an incoming one.  See adopt.c.
 */
#include <linux/slab.h>
#include "kmcl.h"

/**
 * kmcl_packet_new_id() - find a packet that was sent before the channel was restored
 * @ch: channel
 * @old: the id that the peer knows it by, unchecked
 *
 * Return: the id under which it goes here, or 0; its slot says whether it still waits.
 */
u64 kmcl_packet_new_id(struct kmcl_channel *ch, u64 old)
{
	void *entry = xa_load(&ch->restored, old);
	unsigned long value;

	if (!entry)
		return 0;
	value = xa_to_value(entry);
	return (u64)(value >> KMCL_ID_EPOCH) << 32 |
	       (ch->id_base + (value & ((1u << KMCL_ID_EPOCH) - 1)) + 1);
}

/* Move an idle packet on, in a new generation; false: it is not idle. */
static bool packet_take(struct kmcl_packet *pkt, enum kmcl_slot_state state, s64 *gen)
{
	s64 word;

	if (!pkt->slot)
		return false;
	word = atomic64_read(&pkt->slot->word);
	*gen = (word & ~0xffffffffLL) + (1LL << 32);
	return kmcl_word_state(word) == KMCL_SLOT_IDLE &&
	       atomic64_try_cmpxchg(&pkt->slot->word, &word, *gen | state);
}

/**
 * kmcl_packet_restore_prepare() - have memory for an old id
 * @ch: channel that is being restored
 * @id: the id
 *
 * Context: process.
 * Return: 0; -EEXIST it is of another packet; -ENOMEM.
 */
int kmcl_packet_restore_prepare(struct kmcl_channel *ch, u64 id)
{
	int ret;

	if (kmcl_slot_by_id(ch, id))
		return -EEXIST;
	/* reserved, which is not found */
	ret = xa_insert_bh(&ch->restored, id, NULL, GFP_KERNEL);
	return ret == -EBUSY ? -EEXIST : ret;
}

/**
 * kmcl_packet_restore_sent() - a packet awaits an answer to what a predecessor sent
 * @pkt: idle packet
 * @id: the id that it was sent under, prepared
 *
 * Context: process.
 * Return: 0; -EINVAL it is not idle, or has no completion routine.
 */
int kmcl_packet_restore_sent(struct kmcl_packet *pkt, u64 id)
{
	struct kmcl_channel *ch = pkt->object.channel;
	s64 gen;

	if (!pkt->routine || !packet_take(pkt, KMCL_SLOT_WRITING, &gen))
		return -EINVAL;
	/* needs no memory */
	xa_store_bh(&ch->restored, id,
		    xa_mk_value((u64)gen >> 32 << KMCL_ID_EPOCH | pkt->index), GFP_ATOMIC);
	/* as its successor will save it */
	pkt->tx.id = id;
	pkt->tx.type = KMCL_TYPE_INBAND;
	pkt->tx.wants_reply = true;
	pkt->slot->lends = false;
	atomic64_set(&pkt->slot->word, gen | KMCL_SLOT_SENT);
	return 0;
}

/**
 * kmcl_packet_restore_queued() - a packet waits for room in the ring
 * @pkt: idle packet
 * @data: its payload, pipe header included
 * @len: bytes of it
 * @wants_reply: whether it asks for an answer
 *
 * Context: process.
 * Return: 0; -EINVAL it is not idle, has no completion routine, or is too small.
 */
int kmcl_packet_restore_queued(struct kmcl_packet *pkt, const void *data, u32 len,
			       bool wants_reply)
{
	s64 gen;

	if (!pkt->routine || len > KMCL_PIPE_HEADER + ALIGN(pkt->capacity, 8) ||
	    !packet_take(pkt, KMCL_SLOT_QUEUED, &gen))
		return -EINVAL;
	memcpy(pkt->data, data, len);
	pkt->slot->lends = false;
	pkt->tx = (struct kmcl_tx_item) {
		.data = pkt->data,
		.len = len,
		.head = KMCL_DESC_SIZE,
		.id = kmcl_packet_id(pkt, gen),
		.type = KMCL_TYPE_INBAND,
		.wants_reply = wants_reply,
	};
	kmcl_tx_put(pkt->object.channel, &pkt->tx);
	return 0;
}

/**
 * kmcl_packet_unrestore() - a packet is idle again, and its routine not called
 * @pkt: packet that was just restored, on a channel without rings
 */
void kmcl_packet_unrestore(struct kmcl_packet *pkt)
{
	if (kmcl_packet_cancel(pkt, kmcl_packet_id(pkt, atomic64_read(&pkt->slot->word))))
		return;
	xa_erase_bh(&pkt->object.channel->restored, pkt->tx.id);
}

/**
 * kmcl_carrier_attach() - have a packet stand for an incoming one
 * @pkt: idle packet of VmbPacketAllocate()
 * @in: restored packet, in READY, which is the driver's from here on
 *
 * Context: process.
 * Return: 0; -EINVAL it is not such a packet.
 */
int kmcl_carrier_attach(struct kmcl_packet *pkt, struct kmcl_incoming *in)
{
	struct kmcl_channel *ch = pkt->object.channel;
	s64 gen;

	/* no state that a send, a free or an answer does something with */
	if (!pkt->library || !packet_take(pkt, KMCL_SLOT_ENDING, &gen))
		return -EINVAL;
	/* it is none of those that may be sent */
	spin_lock_bh(&ch->slot_lock);
	pkt->internal = true;
	ch->packets--;
	spin_unlock_bh(&ch->slot_lock);
	atomic_inc(&ch->rx.delivered);
	in->carrier = pkt;
	kmcl_incoming_set(in, KMCL_IN_DRIVER);
	WRITE_ONCE(pkt->stands_for, kmcl_incoming_handle(in));
	return 0;
}

/**
 * kmcl_carrier_detach() - it is a packet as any other again
 * @in: packet that stays behind, in no hands but the caller's
 */
void kmcl_carrier_detach(struct kmcl_incoming *in)
{
	struct kmcl_packet *pkt = in->carrier;
	struct kmcl_channel *ch = pkt->object.channel;

	in->carrier = NULL;
	WRITE_ONCE(pkt->stands_for, NULL);
	spin_lock_bh(&ch->slot_lock);
	pkt->internal = false;
	ch->packets++;
	spin_unlock_bh(&ch->slot_lock);
	kmcl_packet_move(pkt, KMCL_SLOT_ENDING, KMCL_SLOT_IDLE);
}

/**
 * kmcl_carrier_end() - it is over with the packet that it stands for
 * @in: that one, just completed
 *
 * Context: any up to softirq.
 */
void kmcl_carrier_end(struct kmcl_incoming *in)
{
	struct kmcl_packet *pkt = in->carrier;
	struct kmcl_channel *ch = pkt->object.channel;

	in->carrier = NULL;
	kmcl_packet_give_slot(pkt);
	pkt->object.magic = 0;
	/* somebody else may be about to complete it, too */
	kvfree_rcu(pkt, rcu);
	kmcl_channel_put(ch);
}
