// SPDX-License-Identifier: GPL-2.0
/*
 * A channel that stands still while it is being saved (see save.h): the ring is
 * neither read nor written, and what was in flight stays where it is.
 *
 * Whoever sends or completes meanwhile is not held up.  Sends wait on tx.held as they do
 * on a paused channel.  Completed packets wait on rx.kept with their replies, which
 * leave in that order when the channel thaws.
 */
#include <linux/slab.h>
#include "kmcl.h"
#include "save.h"

/**
 * kmcl_freeze() - have a channel stand still
 * @ch: server channel, open or offered, whose life the caller owns
 *
 * Context: process; waits for ProcessPacket to return.
 * Return: false: its client has gone.
 */
bool kmcl_freeze(struct kmcl_channel *ch)
{
	struct kmcl_rx *rx = &ch->rx;

	kmcl_rx_shut_gate(ch);
	/* a ProcessPacket may wait for an answer, so that is still read */
	kmcl_rx_wait_idle(ch);
	WRITE_ONCE(rx->frozen, true);
	spin_lock_bh(&rx->lock);
	WRITE_ONCE(rx->keep, true);
	spin_unlock_bh(&rx->lock);
	if (!kmcl_tx_freeze(ch, ch->state == KMCL_OPEN)) {
		kmcl_thaw(ch);
		return false;
	}
	/* the reader, senders and completers that had entered before */
	synchronize_rcu();
	return true;
}

/**
 * kmcl_keep_reply() - complete a packet when the channel has thawed
 * @in: packet that the driver has completed, in REPLYING
 * @buf: payload of the completion
 * @len: its bytes
 *
 * Context: process or softirq, inside an RCU read side section.
 * Return: false when it has thawed already.
 */
bool kmcl_keep_reply(struct kmcl_incoming *in, const void *buf, u32 len)
{
	struct kmcl_channel *ch = in->object.channel;
	struct kmcl_rx *rx = &ch->rx;
	void *copy = in->data;
	bool keep;

	if (!in->wants_reply)
		len = 0;
	if (len > in->capacity)
		copy = kmalloc(len, GFP_ATOMIC);
	spin_lock_bh(&rx->lock);
	keep = rx->keep;
	if (keep) {
		if (copy && len)
			memmove(copy, buf, len);
		in->tx.data = copy;
		in->tx.len = len;
		if (!copy)
			in->wants_reply = false;
		list_add_tail(&in->node, &rx->kept);
	}
	spin_unlock_bh(&rx->lock);
	if (!keep && copy != in->data)
		kfree(copy);
	if (keep && !copy)
		kmcl_poison(ch, "no memory to keep a large reply");
	return keep;
}

/* The completions that were kept, in their order, and those that come meanwhile. */
static void complete_kept(struct kmcl_channel *ch)
{
	struct kmcl_rx *rx = &ch->rx;
	struct kmcl_incoming *in, *next;
	LIST_HEAD(list);
	void *large;
	const void *data;

	for (;;) {
		spin_lock_bh(&rx->lock);
		list_splice_init(&rx->kept, &list);
		if (list_empty(&list))
			WRITE_ONCE(rx->keep, false);
		spin_unlock_bh(&rx->lock);
		if (list_empty(&list))
			return;
		list_for_each_entry_safe(in, next, &list, node) {
			rcu_read_lock();
			list_del(&in->node);
			data = in->tx.data;
			large = data == in->data ? NULL : (void *)data;
			in->tx.data = NULL;
			in->saved = false;
			if (in->wants_reply)
				kmcl_reply(in, data, in->tx.len);
			else
				kmcl_rx_retire(in);
			rcu_read_unlock();
			kfree(large);
		}
	}
}

/**
 * kmcl_thaw() - end that
 * @ch: channel whose life the caller owns; not running, as far as its gate and its
 *	sends go
 *
 * What was kept goes on, or ends as at any close when there is no client any more.
 *
 * Context: process.
 */
void kmcl_thaw(struct kmcl_channel *ch)
{
	/* gone: whoever took the rings has left it to us to complete what is outgoing */
	if (kmcl_tx_thaw(ch, ch->state == KMCL_OPEN))
		kmcl_tx_abort(ch, STATUS_DEVICE_REMOVED);
	complete_kept(ch);
	WRITE_ONCE(ch->rx.frozen, false);
	kmcl_rx_kick(ch);
}
