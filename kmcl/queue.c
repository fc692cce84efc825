// SPDX-License-Identifier: GPL-2.0
/*
 * The queue behind a full ring, one per channel, that nothing overtakes.
 *
 * Whoever queues something clears tx.send_link first, under tx.lock, and it is
 * set again, under tx.lock, after the last queued packet is in the ring: so what
 * a thread sent before is always in the ring before what it sends next.
 *
 * Replies to incoming packets share the queue.  They are not held back by
 * Pause, since the peer waits for them, and they pass sends that are.
 */
#include <linux/prefetch.h>
#include "compat.h"
#include "kmcl.h"
#include "observe.h"

#define TX_DELAY_MIN	msecs_to_jiffies(10)
#define TX_DELAY_MAX	HZ
#define TX_BATCH	16	/* completions called per release of the lock */
#define TX_AHEAD	64	/* packets to wait for room for together */

/* Called with tx.lock after anything that could change the answer. */
static void tx_update(struct kmcl_channel *ch)
{
	struct kmcl_tx *tx = &ch->tx;
	bool idle = list_empty(&tx->queue);
	bool direct = idle && tx->mode != KMCL_TX_OFF && !tx->frozen;
	struct kmcl_link *link = direct ? tx->link : NULL;

	WRITE_ONCE(tx->busy, !idle);
	rcu_assign_pointer(tx->reply_link, link);
	rcu_assign_pointer(tx->send_link, tx->mode == KMCL_TX_RUN ? link : NULL);
}

static struct kmcl_packet *item_packet(const struct kmcl_tx_item *item)
{
	return container_of(item, struct kmcl_packet, tx);
}

/* Has it external data, for which the peer may have a right to the pages? */
static bool item_is_external(const struct kmcl_tx_item *item)
{
	return item->type == KMCL_TYPE_GPA_DIRECT;
}

static int tx_write(struct kmcl_link *link, const struct kmcl_tx_item *item)
{
	enum kmcl_packet_type type = item->type;
	u32 len = item->len;
	u64 id = item->id;
	int ret;

	if (item_is_external(item)) {
		struct kmcl_external *ext = item_packet(item)->external;

		ret = link->ops->send_external(link, ext->wire, ext->size, item->data, len, id);
	} else {
		ret = link->ops->send(link, item->data, len, id, type, item->wants_reply);
	}
	/* the packet may be gone */
	kmcl_wrote(link->channel, id, type, len, ret);
	return ret;
}

/*
 * How much room to wait for: what the head and those behind it take, but no more
 * than a quarter of the ring, so that a signal pays for many packets while the peer
 * still has plenty to read.  A peer that waits for what is queued has read all of the
 * rest before, and then there is as much room.
 *
 * Not with replies in the queue: their objects are what we receive with, so the peer may
 * wait for us to read on before it reads on itself.  Then it is the head alone, which may
 * go out as soon as it fits.
 */
static u32 tx_wish(const struct kmcl_tx *tx, const struct kmcl_tx_item *head)
{
	u32 room = kmcl_tx_room(head), most = max(room, tx->ring_bytes / 4), n = 0;
	const struct kmcl_tx_item *item;

	if (tx->replies)
		return room;
	list_for_each_entry(item, &tx->queue, node) {
		if (room >= most || ++n == TX_AHEAD)
			break;
		room += kmcl_tx_room(item);
	}
	return min(room, most);
}

/*
 * Ring full: say how much room we wait for, then look again, since the peer may
 * have made it before it could see the wish.  @item is off the queue.
 */
static int tx_write_or_wait(const struct kmcl_tx *tx, const struct kmcl_tx_item *item)
{
	struct kmcl_link *link = tx->link;
	int ret = tx_write(link, item);

	if (ret != -EAGAIN)
		return ret;
	link->channel->stats.full++;
	link->ops->want_room(link, tx_wish(tx, item));
	/* pairs with the peer's, between its read index and its look at the wish */
	virt_mb();
	return tx_write(link, item);
}

/* Replies are the only items of type completion. */
static bool item_is_reply(const struct kmcl_tx_item *item)
{
	return item->type == KMCL_TYPE_COMPLETION;
}

/* An item has left the queue for good and nobody else will end it. */
static void item_end(struct kmcl_tx_item *item, NTSTATUS status)
{
	if (item_is_reply(item))
		kmcl_rx_retire(container_of(item, struct kmcl_incoming, tx));
	else
		kmcl_packet_done(item_packet(item), status, NULL, 0);
}

static void end_list(struct list_head *list, NTSTATUS status)
{
	struct kmcl_tx_item *item, *next;

	list_for_each_entry_safe(item, next, list, node) {
		list_del(&item->node);
		item_end(item, status);
	}
}

/*
 * Write the head of the queue.  Called with tx.lock.
 *
 * External data of a packet that was sent before there was a link are mapped
 * here; when that fails, the queue waits as it does for a full ring.
 *
 * A packet is off the list before it is written: if it wants an answer its
 * memory can be gone as soon as it is published.  After that only the slot, and
 * what was read before, may be looked at.
 */
static int tx_write_head(struct kmcl_channel *ch, struct list_head *done)
{
	struct kmcl_tx *tx = &ch->tx;
	struct kmcl_tx_item *item = list_first_entry(&tx->queue, struct kmcl_tx_item, node);
	struct kmcl_slot *slot = item_is_reply(item) ? NULL : item_packet(item)->slot;
	s64 gen = item->id & ~0xffffffffULL, word = gen | KMCL_SLOT_WRITING;
	bool wants_reply = item->wants_reply;
	const struct kmcl_tx_item *next;
	int ret;

	if (item_is_external(item) && !item_packet(item)->external->link &&
	    kmcl_external_map(item_packet(item)->external, tx->link))
		return -EAGAIN;
	list_del(&item->node);
	/* the next one, a packet for the most part, was put there a while ago */
	next = list_first_entry(&tx->queue, struct kmcl_tx_item, node);
	prefetch(next);
	prefetch(item_packet(next)->data);
	if (slot)
		atomic64_set(&slot->word, word);

	ret = tx_write_or_wait(tx, item);
	if (!ret) {
		if (wants_reply)
			return 0;
		if (slot)
			atomic64_set(&slot->word, gen | KMCL_SLOT_IDLE);
		list_add_tail(&item->node, done);
		return 0;
	}
	/* -ENODEV says nothing about the packet, its state does */
	if (slot && !atomic64_try_cmpxchg(&slot->word, &word, gen | KMCL_SLOT_QUEUED))
		return ret;
	list_add(&item->node, &tx->queue);
	return ret;
}

/*
 * Move what is queued into the ring.  Two pumps may run: each write happens
 * under tx.lock and takes the head.
 */
static void tx_pump(struct kmcl_channel *ch)
{
	struct kmcl_tx *tx = &ch->tx;
	unsigned int n = 0;
	LIST_HEAD(done);
	int ret = 0;

	rcu_read_lock();
	spin_lock_bh(&tx->lock);
	tx->waiting = false;
	while (tx->link && tx->mode != KMCL_TX_OFF && !tx->frozen && !list_empty(&tx->queue)) {
		ret = tx_write_head(ch, &done);
		if (ret)
			break;
		if (++n % TX_BATCH)
			continue;
		spin_unlock_bh(&tx->lock);
		end_list(&done, STATUS_SUCCESS);
		spin_lock_bh(&tx->lock);
	}
	if (!tx->link || tx->mode == KMCL_TX_OFF || tx->frozen) {
		/* teardown has taken, or will take, what is left; or it goes on later */
	} else if (list_empty(&tx->queue)) {
		tx->link->ops->want_room(tx->link, 0);
	} else if (ret == -EAGAIN) {
		tx->delay = n ? TX_DELAY_MIN : min(tx->delay * 2, TX_DELAY_MAX);
		mod_timer(&tx->timer, jiffies + tx->delay);
		tx->waiting = true;
	}
	if (list_empty(&tx->queue))
		tx->replies = false;
	tx_update(ch);
	spin_unlock_bh(&tx->lock);
	end_list(&done, STATUS_SUCCESS);
	if (ret && ret != -EAGAIN && ret != -ENODEV)
		kmcl_tx_corrupt(ch);
	rcu_read_unlock();
}

static void tx_timer(struct timer_list *t)
{
	tx_pump(container_of(t, struct kmcl_channel, tx.timer));
}

/**
 * kmcl_tx_event() - the peer may have made room
 * @ch: channel
 *
 * Context: softirq or BH off, inside an RCU read side section.
 */
void kmcl_tx_event(struct kmcl_channel *ch)
{
	if (READ_ONCE(ch->tx.busy))
		tx_pump(ch);
}

/*
 * Called with tx.lock: something more to wait.  True: for the pump; otherwise that has
 * found the ring full, and a signal or the timer calls it again.
 */
static bool tx_append(struct kmcl_channel *ch, struct kmcl_tx_item *item)
{
	struct kmcl_tx *tx = &ch->tx;
	bool first = list_empty(&tx->queue);

	list_add_tail(&item->node, &tx->queue);
	trace_kmcl_packet_queue(ch, item, false);
	ch->stats.queued++;
	if (first)
		tx_update(ch);
	return !tx->waiting;
}

/**
 * kmcl_tx_enqueue() - keep a packet that cannot go out now
 * @pkt: packet in WRITING, encoded
 * @gen: its generation
 * @seen: the peer may have it all the same (the offer went away during the
 *	write, and no answer was asked for)
 *
 * Context: any up to softirq, inside an RCU read side section.
 * Return: as kmcl_submit().
 */
NTSTATUS kmcl_tx_enqueue(struct kmcl_packet *pkt, s64 gen, bool seen)
{
	struct kmcl_channel *ch = pkt->object.channel;
	struct kmcl_tx *tx = &ch->tx;
	enum kmcl_tx_mode mode;
	bool pump = false;

	spin_lock_bh(&tx->lock);
	mode = tx->mode;
	switch (mode) {
	case KMCL_TX_OFF:
	case KMCL_TX_DRAIN:
		if (!seen)
			kmcl_uncount_send(pkt->slot, pkt->tx.len);
		atomic64_set(&pkt->slot->word, gen | KMCL_SLOT_IDLE);
		break;
	case KMCL_TX_HOLD:
		atomic64_set(&pkt->slot->word, gen | KMCL_SLOT_QUEUED);
		list_add_tail(&pkt->tx.node, &tx->held);
		trace_kmcl_packet_queue(ch, &pkt->tx, true);
		break;
	case KMCL_TX_RUN:
		atomic64_set(&pkt->slot->word, gen | KMCL_SLOT_QUEUED);
		pump = tx_append(ch, &pkt->tx);
		break;
	}
	spin_unlock_bh(&tx->lock);

	if (pump)
		tx_pump(ch);
	if (mode == KMCL_TX_RUN || mode == KMCL_TX_HOLD)
		return STATUS_SUCCESS;
	if (item_is_external(&pkt->tx))
		kmcl_external_unmap(pkt->external);
	if (!seen)
		return STATUS_INVALID_DEVICE_STATE;
	kmcl_packet_done(pkt, STATUS_DEVICE_REMOVED, NULL, 0);
	return STATUS_SUCCESS;
}

/**
 * kmcl_tx_enqueue_reply() - keep a reply that cannot go out now
 * @in: completed packet, its reply encoded
 *
 * Context: any up to softirq, inside an RCU read side section.
 * Return: false when it can never go out any more.
 */
bool kmcl_tx_enqueue_reply(struct kmcl_incoming *in)
{
	struct kmcl_channel *ch = in->object.channel;
	struct kmcl_tx *tx = &ch->tx;
	bool ok, pump = false;

	spin_lock_bh(&tx->lock);
	ok = (tx->link || tx->waits) && tx->mode != KMCL_TX_OFF;
	if (ok) {
		pump = tx_append(ch, &in->tx);
		/* the first one: what is waited for is less from now on */
		if (!tx->replies)
			pump = true;
		tx->replies = true;
	}
	spin_unlock_bh(&tx->lock);
	if (pump)
		tx_pump(ch);
	return ok;
}

/**
 * kmcl_packet_cancel() - take back a packet that is queued or unanswered
 * @pkt: the packet
 * @id: the id of the send that is meant
 *
 * Context: process.
 * Return: 0: the routine of that send has not been called and will not be.
 * -EALREADY: it was called, or is about to be. -EBUSY: the peer may still use the
 * packet's external data; the routine will be called when that is over.
 */
int kmcl_packet_cancel(struct kmcl_packet *pkt, u64 id)
{
	struct kmcl_channel *ch = pkt->object.channel;
	s64 gen = id & ~0xffffffffULL, word;

	for (;;) {
		word = gen | KMCL_SLOT_SENT;
		if (atomic64_try_cmpxchg(&pkt->slot->word, &word, gen | KMCL_SLOT_IDLE))
			return 0;
		if (word == (gen | KMCL_SLOT_LENT))
			return -EBUSY;
		if (word == (gen | KMCL_SLOT_QUEUED)) {
			bool mine;

			spin_lock_bh(&ch->tx.lock);
			mine = atomic64_try_cmpxchg(&pkt->slot->word, &word,
						    gen | KMCL_SLOT_IDLE);
			if (mine) {
				list_del(&pkt->tx.node);
				if (item_is_external(&pkt->tx))
					kmcl_external_unmap(pkt->external);
				tx_update(ch);
			}
			spin_unlock_bh(&ch->tx.lock);
			if (mine) {
				/* what waited behind it may fit */
				tx_pump(ch);
				return 0;
			}
		} else if (word != (gen | KMCL_SLOT_WRITING)) {
			return -EALREADY;
		}
		cond_resched();
		cpu_relax();
	}
}

/**
 * kmcl_tx_set() - change what happens to sends
 * @ch: channel
 * @from: mode it is expected in
 * @to: next mode
 *
 * HOLD to RUN puts what was held behind what is queued and starts it.
 *
 * Return: false when the mode was another, as after poison.
 */
bool kmcl_tx_set(struct kmcl_channel *ch, enum kmcl_tx_mode from, enum kmcl_tx_mode to)
{
	struct kmcl_tx *tx = &ch->tx;
	bool ok;

	spin_lock_bh(&tx->lock);
	ok = tx->mode == from;
	if (ok) {
		tx->mode = to;
		if (to == KMCL_TX_RUN)
			list_splice_tail_init(&tx->held, &tx->queue);
		tx_update(ch);
	}
	spin_unlock_bh(&tx->lock);
	if (ok && to == KMCL_TX_RUN)
		tx_pump(ch);
	return ok;
}

/**
 * kmcl_tx_off() - refuse sends from now on
 * @ch: channel
 *
 * What is queued stays for kmcl_tx_abort(). Context: any up to softirq.
 */
void kmcl_tx_off(struct kmcl_channel *ch)
{
	spin_lock_bh(&ch->tx.lock);
	ch->tx.mode = KMCL_TX_OFF;
	ch->tx.waits = false;
	tx_update(ch);
	spin_unlock_bh(&ch->tx.lock);
}

/**
 * kmcl_tx_drain() - refuse sends, but let out what was accepted
 * @ch: channel
 */
void kmcl_tx_drain(struct kmcl_channel *ch)
{
	spin_lock_bh(&ch->tx.lock);
	if (ch->tx.mode != KMCL_TX_OFF)
		ch->tx.mode = KMCL_TX_DRAIN;
	tx_update(ch);
	spin_unlock_bh(&ch->tx.lock);
}

/**
 * kmcl_tx_attach() - connect the queue to a ring, or part them
 * @ch: channel
 * @link: open link, or NULL
 * @ring_bytes: size of its outgoing data area
 */
void kmcl_tx_attach(struct kmcl_channel *ch, struct kmcl_link *link, u32 ring_bytes)
{
	spin_lock_bh(&ch->tx.lock);
	ch->tx.link = link;
	ch->tx.waits = false;
	ch->tx.waiting = false;
	ch->tx.delay = TX_DELAY_MIN;
	if (link)
		WRITE_ONCE(ch->tx.ring_bytes, ring_bytes);
	tx_update(ch);
	spin_unlock_bh(&ch->tx.lock);
}

/**
 * kmcl_tx_abort() - complete everything outgoing that has no use for the rings
 * @ch: channel, switched off and parted from its ring; every sender has left
 * @status: for the completion routines
 *
 * In flight first, then what was queued, then what was held: oldest first. What
 * is in flight with external data is left: see kmcl_tx_abort_lent().
 *
 * Context: process.
 */
void kmcl_tx_abort(struct kmcl_channel *ch, NTSTATUS status)
{
	struct kmcl_tx_item *item;
	LIST_HEAD(list);

	timer_delete_sync(&ch->tx.timer);
	kmcl_packets_abort(ch, KMCL_SLOT_SENT, status);

	spin_lock_bh(&ch->tx.lock);
	list_splice_init(&ch->tx.queue, &list);
	list_splice_tail_init(&ch->tx.held, &list);
	/* off the queue: a cancel that comes now finds it completed */
	list_for_each_entry(item, &list, node)
		if (!item_is_reply(item))
			kmcl_packet_move(item_packet(item), KMCL_SLOT_QUEUED, KMCL_SLOT_IDLE);
	tx_update(ch);
	spin_unlock_bh(&ch->tx.lock);
	end_list(&list, status);
}

/**
 * kmcl_tx_abort_lent() - complete what was in flight with external data
 * @ch: channel, after kmcl_tx_abort(), its link closed or given up
 * @status: for the completion routines
 * @closed: the link is really closed; otherwise the peer may go on writing into
 *	the pages, and they are given up too
 *
 * Context: process.
 */
void kmcl_tx_abort_lent(struct kmcl_channel *ch, NTSTATUS status, bool closed)
{
	if (!closed)
		kmcl_packets_abandon(ch);
	kmcl_packets_abort(ch, KMCL_SLOT_LENT, status);
}

static void take_packets(struct list_head *from, struct list_head *to)
{
	struct kmcl_tx_item *item, *next;

	list_for_each_entry_safe(item, next, from, node) {
		if (item_is_reply(item))
			continue;
		kmcl_packet_move(item_packet(item), KMCL_SLOT_QUEUED, KMCL_SLOT_IDLE);
		if (item_is_external(item))
			kmcl_external_unmap(item_packet(item)->external);
		list_move_tail(&item->node, to);
	}
}

/**
 * kmcl_tx_cancel() - complete outgoing packets, and keep the rings
 * @ch: channel that accepts no more sends
 * @status: for the completion routines
 *
 * Replies go on, and so does what is in flight with external data. An answer that
 * still comes for another packet finds nothing and is ignored.
 *
 * Context: process.
 */
void kmcl_tx_cancel(struct kmcl_channel *ch, NTSTATUS status)
{
	LIST_HEAD(list);

	/* senders that had entered before have left their packet somewhere */
	synchronize_rcu();
	spin_lock_bh(&ch->tx.lock);
	take_packets(&ch->tx.queue, &list);
	take_packets(&ch->tx.held, &list);
	tx_update(ch);
	spin_unlock_bh(&ch->tx.lock);

	kmcl_packets_abort(ch, KMCL_SLOT_SENT, status);
	end_list(&list, status);
	/* for replies that stood behind */
	tx_pump(ch);
}

/* ---- saving and restoring ---- */

/**
 * kmcl_tx_freeze() - have everything outgoing stay where it is
 * @ch: channel
 * @open: it has rings
 *
 * Context: process.
 * Return: false when it has them no longer.
 */
bool kmcl_tx_freeze(struct kmcl_channel *ch, bool open)
{
	struct kmcl_tx *tx = &ch->tx;
	bool ok;

	spin_lock_bh(&tx->lock);
	ok = tx->mode != KMCL_TX_OFF && (tx->link || !open);
	if (ok) {
		tx->frozen = true;
		if (tx->mode == KMCL_TX_RUN)
			tx->mode = KMCL_TX_HOLD;
		tx_update(ch);
	}
	spin_unlock_bh(&tx->lock);
	return ok;
}

/**
 * kmcl_tx_thaw() - let what is queued out again
 * @ch: channel, frozen or not
 * @open: it had rings
 *
 * What is held stays so.
 *
 * Context: process.
 * Return: true when it has no rings any more, and what is outgoing is for the caller
 * to complete.
 */
bool kmcl_tx_thaw(struct kmcl_channel *ch, bool open)
{
	struct kmcl_tx *tx = &ch->tx;
	bool gone;

	spin_lock_bh(&tx->lock);
	gone = tx->frozen && (tx->mode == KMCL_TX_OFF || (open && !tx->link));
	tx->frozen = false;
	tx_update(ch);
	spin_unlock_bh(&tx->lock);
	if (!gone)
		tx_pump(ch);
	return gone;
}

bool kmcl_tx_is_frozen(struct kmcl_channel *ch)
{
	bool frozen;

	spin_lock_bh(&ch->tx.lock);
	frozen = ch->tx.frozen;
	spin_unlock_bh(&ch->tx.lock);
	return frozen;
}

/**
 * kmcl_tx_wait() - keep what comes for rings that there will be
 * @ch: channel that is being restored
 * @ring_bytes: data bytes of the outgoing one; 0: there was none
 *
 * Context: process.
 */
void kmcl_tx_wait(struct kmcl_channel *ch, u32 ring_bytes)
{
	spin_lock_bh(&ch->tx.lock);
	ch->tx.mode = KMCL_TX_HOLD;
	ch->tx.waits = ring_bytes;
	WRITE_ONCE(ch->tx.ring_bytes, ring_bytes);
	tx_update(ch);
	spin_unlock_bh(&ch->tx.lock);
}

/**
 * kmcl_tx_put() - queue something restored, behind what is there
 * @ch: channel after kmcl_tx_wait()
 * @item: a packet in QUEUED, or a reply
 *
 * Context: process.
 */
void kmcl_tx_put(struct kmcl_channel *ch, struct kmcl_tx_item *item)
{
	struct kmcl_tx *tx = &ch->tx;

	spin_lock_bh(&tx->lock);
	list_add_tail(&item->node, item_is_reply(item) ? &tx->queue : &tx->held);
	tx->replies |= item_is_reply(item);
	tx_update(ch);
	spin_unlock_bh(&tx->lock);
}

void kmcl_tx_init(struct kmcl_channel *ch)
{
	spin_lock_init(&ch->tx.lock);
	INIT_LIST_HEAD(&ch->tx.queue);
	INIT_LIST_HEAD(&ch->tx.held);
	ch->tx.delay = TX_DELAY_MIN;
	timer_setup(&ch->tx.timer, tx_timer, 0);
}
