// SPDX-License-Identifier: GPL-2.0
/*
 * Objects for incoming packets.
 *
 * The pool starts with what one ring of largest packets holds and grows in
 * process context, when the reader finds it empty, up to the quota.  Anybody
 * puts objects back; only the reader takes them, which is what makes the list
 * lockless.  A packet larger than MaximumPacketSize gets an object of its own;
 * what those hold together is bounded like the pool.
 */
#include <linux/slab.h>
#include "kmcl.h"

#define POOL_RETRY	(HZ / 10)

/* Where the client context begins in an object for @bytes of packet. */
static u32 context_offset(u32 bytes)
{
	return ALIGN(sizeof(struct kmcl_incoming) + bytes, KMCL_CONTEXT_ALIGN);
}

static u64 object_room(u32 bytes, u32 context)
{
	if (!context)
		return sizeof(struct kmcl_incoming) + bytes;
	return (u64)context_offset(bytes) + context;
}

static struct kmcl_incoming *object_alloc(struct kmcl_channel *ch, u32 bytes, gfp_t gfp)
{
	u32 context = ch->rx.context_bytes, generation;
	struct kmcl_incoming *in = kvmalloc(object_room(bytes, context), gfp);

	if (!in)
		return NULL;
	memset(in, 0, sizeof(*in));
	if (context)
		in->client_context = (u8 *)in + context_offset(bytes);
	in->object.magic = KMCL_MAGIC_INCOMING;
	in->object.channel = ch;
	in->capacity = bytes;
	if (kmcl_handle_new(in, &in->place, &generation)) {
		kvfree(in);
		return NULL;
	}
	atomic64_set(&in->word, (s64)generation << 32 | KMCL_IN_FREE);
	return in;
}

/* A handle that is late may be looking at it. */
static void object_free(struct kmcl_incoming *in)
{
	struct kmcl_rx *rx = &in->object.channel->rx;

	spin_lock_bh(&rx->lock);
	list_del(&in->all);
	spin_unlock_bh(&rx->lock);
	kmcl_incoming_release(in);
	kmcl_handle_end(in->place, atomic64_read(&in->word) >> 32);
	kvfree_rcu(in, rcu);
}

/* Add @count objects to the pool, up to the quota; process context. */
static int pool_grow(struct kmcl_channel *ch, u32 count)
{
	struct kmcl_rx *rx = &ch->rx;
	struct kmcl_incoming *in;

	while (count--) {
		if (READ_ONCE(rx->objects) >= rx->quota)
			return 0;
		in = object_alloc(ch, rx->object_bytes, GFP_KERNEL);
		if (!in)
			return -ENOMEM;
		spin_lock_bh(&rx->lock);
		list_add(&in->all, &rx->all);
		rx->objects++;
		spin_unlock_bh(&rx->lock);
		llist_add(&in->free, &rx->pool);
	}
	return 0;
}

/* Have the reader look again, soon. */
void kmcl_rx_kick(struct kmcl_channel *ch)
{
	struct kmcl_link *link;

	rcu_read_lock();
	link = rcu_dereference(ch->link);
	if (link)
		link->ops->kick(link);
	rcu_read_unlock();
}

/* The reader found no object: make some, or wait and try again. */
static void rx_grow(struct work_struct *work)
{
	struct kmcl_channel *ch = container_of(to_delayed_work(work),
					       struct kmcl_channel, rx.grow);
	struct kmcl_rx *rx = &ch->rx;
	u32 want = READ_ONCE(rx->want_bytes);
	int ret = 0;

	if (want > rx->object_bytes && !READ_ONCE(rx->spare)) {
		struct kmcl_incoming *in = object_alloc(ch, want, GFP_KERNEL);

		if (in) {
			in->extra = true;
			/* as all that may be a packet: a save looks for them there */
			spin_lock_bh(&rx->lock);
			list_add(&in->all, &rx->all);
			spin_unlock_bh(&rx->lock);
			/* pairs with kmcl_pool_get(): the object before its pointer */
			smp_store_release(&rx->spare, in);
		} else {
			ret = -ENOMEM;
		}
	} else if (llist_empty(&rx->pool)) {
		ret = pool_grow(ch, max(rx->objects, 1u));
		if (ret && !llist_empty(&rx->pool))
			ret = 0;
	}
	if (ret)
		queue_delayed_work(ch->wq, &rx->grow, POOL_RETRY);
	else
		kmcl_rx_kick(ch);
}

/* More than a packet's worth of them may be as large as the peer likes, but not all at a time. */
static bool extra_is_over(const struct kmcl_rx *rx, u32 bytes)
{
	u32 held = atomic_read(&rx->extra_bytes);

	return held && held + bytes + rx->context_bytes > KMCL_POOL_MAX;
}

/**
 * kmcl_pool_has() - would the reader get on if it looked again?
 * @ch: channel whose reader has stopped
 * @bytes: payload of the packet that it has stopped at
 *
 * Return: false: it is kicked when there is an object.
 */
bool kmcl_pool_has(const struct kmcl_channel *ch, u32 bytes)
{
	const struct kmcl_rx *rx = &ch->rx;

	if (bytes > rx->object_bytes)
		return READ_ONCE(rx->spare) && !extra_is_over(rx, bytes);
	return !llist_empty(&rx->pool);
}

/**
 * kmcl_pool_get() - take an object for a packet
 * @ch: channel
 * @bytes: payload that it must hold
 *
 * Context: the reader.
 * Return: an object, or NULL: the reader stops, and is kicked when there is one.
 */
struct kmcl_incoming *kmcl_pool_get(struct kmcl_channel *ch, u32 bytes)
{
	struct kmcl_rx *rx = &ch->rx;
	struct kmcl_incoming *in;
	struct llist_node *node;

	if (unlikely(bytes > rx->object_bytes)) {
		/* the next one retired kicks */
		if (extra_is_over(rx, bytes))
			return NULL;
		/* pairs with the release in rx_grow() */
		in = smp_load_acquire(&rx->spare);
		if (in && in->capacity >= bytes) {
			WRITE_ONCE(rx->spare, NULL);
			atomic_add(in->capacity + rx->context_bytes, &rx->extra_bytes);
			return in;
		}
		if (in) {		/* for a packet that is gone by now */
			WRITE_ONCE(rx->spare, NULL);
			object_free(in);
		}
		WRITE_ONCE(rx->want_bytes, bytes);
		goto none;
	}
	node = llist_del_first(&rx->pool);
	if (likely(node))
		return llist_entry(node, struct kmcl_incoming, free);
	WRITE_ONCE(rx->want_bytes, 0);
	if (READ_ONCE(rx->objects) >= rx->quota)
		return NULL;		/* all in use: the next one retired kicks */
none:
	queue_delayed_work(ch->wq, &rx->grow, 0);
	return NULL;
}

/**
 * kmcl_pool_extra() - make an object for a packet that does not come from the ring
 * @ch: channel that is being restored
 * @bytes: payload that it must hold, at least
 *
 * It counts as in use.
 *
 * Context: process.
 * Return: the object, in FREE, or NULL.
 */
struct kmcl_incoming *kmcl_pool_extra(struct kmcl_channel *ch, u32 bytes)
{
	struct kmcl_rx *rx = &ch->rx;
	struct kmcl_incoming *in = object_alloc(ch, bytes, GFP_KERNEL);

	if (!in)
		return NULL;
	if (in->client_context)
		memset(in->client_context, 0, rx->context_bytes);
	in->extra = true;
	in->order = rx->order++;
	atomic_add(in->capacity + rx->context_bytes, &rx->extra_bytes);
	atomic_inc(&rx->busy);
	spin_lock_bh(&rx->lock);
	list_add_tail(&in->all, &rx->all);
	spin_unlock_bh(&rx->lock);
	return in;
}

/* Somebody may be waiting for an object or for quota. */
static void rx_unblock(struct kmcl_channel *ch)
{
	if (unlikely(READ_ONCE(ch->rx.over_quota)))
		WRITE_ONCE(ch->rx.over_quota, false);
	/* pairs with the reader's in rx_batch(): our change, then its flag */
	smp_mb__after_atomic();
	if (unlikely(READ_ONCE(ch->rx.blocked)))
		kmcl_rx_kick(ch);
}

/**
 * kmcl_rx_retire() - an incoming packet is over
 * @in: the packet; not touched by the caller any more
 *
 * Context: any up to softirq, inside an RCU read side section while the
 * channel is enabled.
 */
void kmcl_rx_retire(struct kmcl_incoming *in)
{
	struct kmcl_channel *ch = in->object.channel;

	if (in->tx.data && in->tx.data != in->data)
		kfree(in->tx.data);
	in->tx.data = NULL;
	in->saved = false;
	if (unlikely(in->piece_count))
		kmcl_incoming_release(in);
	/* its handle names nothing from here on */
	atomic64_set(&in->word, (atomic64_read(&in->word) & ~0xffffffffLL) + (1LL << 32) +
				KMCL_IN_FREE);
	if (unlikely(in->extra)) {
		atomic_sub(in->capacity + ch->rx.context_bytes, &ch->rx.extra_bytes);
		object_free(in);
	} else {
		llist_add(&in->free, &ch->rx.pool);
	}
	atomic_dec(&ch->rx.busy);
	rx_unblock(ch);
}

/* Bytes of one incoming object: the largest packet, pipe header included. */
static u32 object_bytes(const struct kmcl_channel *ch)
{
	return ALIGN(ch->config.max_packet, 8) + KMCL_PIPE_HEADER;
}

/**
 * kmcl_rx_pool_bytes() - what a full pool needs
 * @ch: channel
 *
 * A packet and its reply share one buffer: the reply replaces the packet.
 *
 * Return: bytes.
 */
u64 kmcl_rx_pool_bytes(const struct kmcl_channel *ch)
{
	return ch->config.quota * object_room(object_bytes(ch), ch->config.client_context);
}

/* Called with rx.lock: what the driver asked for, as far as the pool may grow. */
static void quota_update(struct kmcl_channel *ch)
{
	struct kmcl_rx *rx = &ch->rx;
	u32 most = U32_MAX;

	if (rx->object_bytes)
		most = max_t(u32, 1, div64_u64(KMCL_POOL_MAX, object_room(rx->object_bytes,
									  rx->context_bytes)));
	WRITE_ONCE(rx->quota, min(ch->config.quota, most));
}

/**
 * kmcl_rx_set_quota() - bound the incoming packets that are held
 * @ch: channel in any state
 * @quota: packets, from 1
 *
 * Nothing is dropped when that is less than are held: the reader stops until
 * completions have brought them below. A reader that has stopped for want of
 * quota is not woken here: the next completion does that.
 *
 * Context: any up to softirq.
 */
void kmcl_rx_set_quota(struct kmcl_channel *ch, u32 quota)
{
	u32 most;

	spin_lock_bh(&ch->rx.lock);
	ch->config.quota = quota;
	quota_update(ch);
	most = ch->rx.quota;
	spin_unlock_bh(&ch->rx.lock);
	if (most < quota)
		kmcl_warn(ch, "a quota of %u packets exceeds %u bytes of memory: %u are taken\n",
			  quota, KMCL_POOL_MAX, most);
}

/**
 * kmcl_rx_start() - get ready to receive
 * @ch: channel that is being enabled
 * @in_bytes: data bytes of the incoming ring
 *
 * The pool starts with what one ring of largest packets holds.
 *
 * Return: 0 or -ENOMEM; kmcl_rx_finish() is the caller's in any case.
 */
int kmcl_rx_start(struct kmcl_channel *ch, u32 in_bytes)
{
	struct kmcl_rx *rx = &ch->rx;

	spin_lock_bh(&rx->lock);
	rx->object_bytes = object_bytes(ch);
	rx->context_bytes = ch->config.client_context;
	quota_update(ch);
	spin_unlock_bh(&rx->lock);
	rx->scratch = kvmalloc(min(in_bytes, KMCL_PACKET_MAX), GFP_KERNEL);
	if (!rx->scratch)
		return -ENOMEM;
	return pool_grow(ch, clamp(in_bytes / rx->object_bytes, 1u, rx->quota));
}

/**
 * kmcl_rx_finish() - free what kmcl_rx_start() got
 * @ch: channel without a link, nothing at the driver, nothing queued
 *
 * Packets that were read and never delivered go with it.
 */
void kmcl_rx_finish(struct kmcl_channel *ch)
{
	struct kmcl_rx *rx = &ch->rx;
	struct kmcl_incoming *in, *next;

	cancel_work_sync(&rx->worker);
	cancel_delayed_work_sync(&rx->grow);
	INIT_LIST_HEAD(&rx->backlog);
	rx->backlogged = false;
	rx->blocked = false;
	rx->over_quota = false;
	init_llist_head(&rx->pool);
	list_for_each_entry_safe(in, next, &rx->all, all)
		object_free(in);
	rx->objects = 0;
	/* the next Enable may permit more */
	spin_lock_bh(&rx->lock);
	rx->object_bytes = 0;
	quota_update(ch);
	spin_unlock_bh(&rx->lock);
	rx->spare = NULL;
	kvfree(rx->scratch);
	rx->scratch = NULL;
	atomic_set(&rx->busy, 0);
	atomic_set(&rx->extra_bytes, 0);
}

void kmcl_pool_init(struct kmcl_channel *ch)
{
	struct kmcl_rx *rx = &ch->rx;

	INIT_LIST_HEAD(&rx->all);
	init_llist_head(&rx->pool);
	INIT_DELAYED_WORK(&rx->grow, rx_grow);
}
