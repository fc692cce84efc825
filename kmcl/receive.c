// SPDX-License-Identifier: GPL-2.0
/*
 * The way in: one reader per channel takes packets out of the ring, completes
 * what is answered and delivers what is new.
 *
 * The reader runs in softirq, or with BH off.  rx.claims makes it one: who
 * raises it from 0 reads, the others leave a claim behind, for which the reader
 * looks again.  A packet is copied once, into an object of the pool, which is
 * then the driver's until it calls VmbChannelPacketComplete().
 *
 * Delivery at PASSIVE_LEVEL goes through rx.backlog and a worker.  The reader
 * goes on reading meanwhile, so that a driver which waits inside ProcessPacket
 * for an answer gets it.  While the backlog is not empty everything new goes
 * through it: order is kept.
 *
 * The reader stops, with the peer's signals masked, when a data packet is next
 * and the gate is shut (paused), the quota is used up, or the pool is empty.
 * Whoever removes the reason kicks it.
 */
#include <linux/export.h>
#include <linux/slab.h>
#include "compat.h"
#include "kmcl.h"

#define RX_BUDGET	256	/* packets per run of the reader */
#define RX_RETRY	(HZ / 10)

static u32 object_room(u32 bytes)
{
	return sizeof(struct kmcl_incoming) + bytes;
}

static struct kmcl_incoming *object_alloc(struct kmcl_channel *ch, u32 bytes, gfp_t gfp)
{
	struct kmcl_incoming *in = kvmalloc(object_room(bytes), gfp);

	if (!in)
		return NULL;
	memset(in, 0, sizeof(*in));
	in->object.magic = KMCL_MAGIC_INCOMING;
	in->object.channel = ch;
	in->capacity = bytes;
	atomic_set(&in->state, KMCL_IN_FREE);
	return in;
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

static void rx_kick(struct kmcl_channel *ch)
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
			/* pairs with object_get(): the object before its pointer */
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
		queue_delayed_work(kmcl_wq, &rx->grow, RX_RETRY);
	else
		rx_kick(ch);
}

static struct kmcl_incoming *object_get(struct kmcl_channel *ch, u32 bytes)
{
	struct kmcl_rx *rx = &ch->rx;
	struct kmcl_incoming *in;
	struct llist_node *node;

	if (unlikely(bytes > rx->object_bytes)) {
		/* pairs with the release in rx_grow() */
		in = smp_load_acquire(&rx->spare);
		if (in && in->capacity >= bytes) {
			WRITE_ONCE(rx->spare, NULL);
			return in;
		}
		if (in) {		/* for a packet that is gone by now */
			WRITE_ONCE(rx->spare, NULL);
			kvfree(in);
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
	queue_delayed_work(kmcl_wq, &rx->grow, 0);
	return NULL;
}

/* Somebody may be waiting for an object or for quota. */
static void rx_unblock(struct kmcl_channel *ch)
{
	/* pairs with the barrier in rx_stop(): our change, then its flag */
	smp_mb__after_atomic();
	if (unlikely(READ_ONCE(ch->rx.blocked)))
		rx_kick(ch);
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
	atomic_set(&in->state, KMCL_IN_FREE);
	if (unlikely(in->extra)) {
		in->object.magic = 0;
		kvfree(in);
	} else {
		llist_add(&in->free, &ch->rx.pool);
	}
	atomic_dec(&ch->rx.busy);
	rx_unblock(ch);
}

/* The driver has nothing more to do with one packet. */
static void driver_done(struct kmcl_channel *ch)
{
	if (atomic_dec_and_test(&ch->rx.delivered))
		wake_up_all(&ch->life_wait);
}

static void call_process(struct kmcl_channel *ch, struct kmcl_incoming *in)
{
	const struct kmcl_packet_callbacks *cb = &ch->config.packet;
	VMBPACKETCOMPLETION handle = (VMBPACKETCOMPLETION)in;
	VMBCHANNEL channel = kmcl_channel_handle(ch);
	void *payload = in->payload;
	u32 len = in->len;

	atomic_inc(&ch->rx.delivered);
	atomic_set(&in->state, KMCL_IN_DRIVER);
	if (cb->ex && cb->process_ex)
		cb->process_ex(channel, cb->context, handle, payload, len, 0);
	else if (!cb->ex && cb->process)
		cb->process(channel, handle, payload, len, 0);
	else
		VmbChannelPacketComplete(handle, NULL, 0);
}

static void call_batch_end(struct kmcl_channel *ch, u32 count)
{
	const struct kmcl_packet_callbacks *cb = &ch->config.packet;
	VMBCHANNEL channel = kmcl_channel_handle(ch);

	if (!count)
		return;
	if (cb->ex && cb->complete_ex)
		cb->complete_ex(channel, cb->context, count);
	else if (!cb->ex && cb->complete)
		cb->complete(channel, count);
}

/* ---- delivery at PASSIVE_LEVEL ---- */

static void backlog_add(struct kmcl_channel *ch, struct kmcl_incoming *in, bool front)
{
	struct kmcl_rx *rx = &ch->rx;

	atomic_set(&in->state, KMCL_IN_READY);
	spin_lock_bh(&rx->lock);
	if (front)
		list_add(&in->node, &rx->backlog);
	else
		list_add_tail(&in->node, &rx->backlog);
	WRITE_ONCE(rx->backlogged, true);
	spin_unlock_bh(&rx->lock);
	queue_work(kmcl_wq, &rx->worker);
}

/* A packet that its ProcessPacket gave back with DeferToPassive. */
static void deferred(struct kmcl_channel *ch, struct kmcl_incoming *in)
{
	backlog_add(ch, in, true);
	driver_done(ch);
}

/* @last: nothing is owed for earlier packets, so an empty backlog ends the run. */
static struct kmcl_incoming *backlog_next(struct kmcl_channel *ch, bool last)
{
	struct kmcl_rx *rx = &ch->rx;
	struct kmcl_incoming *in = NULL;

	spin_lock_bh(&rx->lock);
	/* checked under the lock that kmcl_rx_wait_idle() takes */
	if (READ_ONCE(rx->gate))
		in = list_first_entry_or_null(&rx->backlog, struct kmcl_incoming, node);
	if (in)
		list_del(&in->node);
	rx->worker_on = in || !last;
	WRITE_ONCE(rx->backlogged, rx->worker_on || !list_empty(&rx->backlog));
	spin_unlock_bh(&rx->lock);
	return in;
}

static void rx_worker(struct work_struct *work)
{
	struct kmcl_channel *ch = container_of(work, struct kmcl_channel, rx.worker);
	struct kmcl_rx *rx = &ch->rx;
	struct kmcl_incoming *in;
	u32 count = 0;

	WRITE_ONCE(rx->worker_task, current);
	for (;;) {
		in = backlog_next(ch, !count);
		if (!in && !count)
			break;
		if (!in) {
			call_batch_end(ch, count);
			count = 0;
			continue;
		}
		rx->worker_defer = false;
		WRITE_ONCE(rx->worker_packet, in);
		call_process(ch, in);
		WRITE_ONCE(rx->worker_packet, NULL);
		if (rx->worker_defer)
			deferred(ch, in);
		else
			count++;
		cond_resched();
	}
	WRITE_ONCE(rx->worker_task, NULL);
	rx_kick(ch);
	wake_up_all(&ch->life_wait);
}

/* ---- the reader ---- */

/* False: it comes again, and counts then. */
static bool rx_deliver(struct kmcl_channel *ch, struct kmcl_incoming *in)
{
	struct kmcl_rx *rx = &ch->rx;

	rx->defer = false;
	WRITE_ONCE(rx->current_packet, in);
	call_process(ch, in);
	/* @in may be gone, but for one that was deferred */
	WRITE_ONCE(rx->current_packet, NULL);
	if (likely(!rx->defer))
		return true;
	deferred(ch, in);
	return false;
}

/* Take the pipe header off; false: the peer wrote nonsense. */
static bool pipe_unwrap(struct kmcl_incoming *in)
{
	__le32 *header = (__le32 *)in->data;
	u32 type, size;

	if (in->len < KMCL_PIPE_HEADER)
		return false;
	type = le32_to_cpu(header[0]);
	size = le32_to_cpu(header[1]);
	if ((type != 1 && type != 2) || size > in->len - KMCL_PIPE_HEADER)
		return false;
	in->payload = in->data + KMCL_PIPE_HEADER;
	in->len = size;
	return true;
}

enum rx_result {
	RX_TAKEN,		/* delivered, go on */
	RX_STOP,		/* leave the packet in the ring */
	RX_POISON,
};

/* One packet of new data at the head of the ring. */
static enum rx_result rx_data(struct kmcl_channel *ch, struct kmcl_link *link,
			      const struct kmcl_ring_packet *pkt, u32 *count)
{
	struct kmcl_rx *rx = &ch->rx;
	struct kmcl_incoming *in;

	if (!READ_ONCE(rx->gate) || atomic_read(&rx->busy) >= READ_ONCE(rx->quota))
		return RX_STOP;
	in = object_get(ch, pkt->len);
	if (unlikely(!in))
		return RX_STOP;

	kmcl_ring_copy(&link->in, pkt->payload, in->data, pkt->len);
	in->payload = in->data;
	in->len = pkt->len;
	in->id = pkt->id;
	in->wants_reply = pkt->flags & KMCL_DESC_WANTS_REPLY;
	in->object.pointer = NULL;
	atomic_inc(&rx->busy);

	if (unlikely(pkt->type != KMCL_TYPE_INBAND)) {
		/* whoever sent it waits for an answer and gets an empty one */
		ch->stats.unsupported++;
		kmcl_warn(ch, "packet with external data (type %u) answered unread: not supported yet\n",
			  pkt->type);
		if (in->wants_reply)
			kmcl_reply(in, NULL, 0);
		else
			kmcl_rx_retire(in);
		return RX_TAKEN;
	}
	if ((ch->config.flags & VMBUS_CHANNEL_INIT_FLAG_IS_PIPE) && !pipe_unwrap(in)) {
		kmcl_rx_retire(in);
		kmcl_poison(ch, "pipe header of an incoming packet is damaged");
		return RX_POISON;
	}
	if (unlikely(READ_ONCE(rx->passive) || READ_ONCE(rx->backlogged)))
		backlog_add(ch, in, false);
	else if (rx_deliver(ch, in))
		++*count;
	return RX_TAKEN;
}

static enum rx_result rx_one(struct kmcl_channel *ch, struct kmcl_link *link,
			     const struct kmcl_ring_packet *pkt, u32 *count)
{
	switch (pkt->type) {
	case KMCL_TYPE_COMPLETION:
		kmcl_ring_copy(&link->in, pkt->payload, ch->rx.scratch, pkt->len);
		if (!kmcl_packet_answered(ch, pkt->id, ch->rx.scratch, pkt->len)) {
			ch->stats.stale_ids++;
			kmcl_warn(ch, "answer to transaction %#llx ignored: nothing waits for it\n",
				  pkt->id);
		}
		return RX_TAKEN;
	case KMCL_TYPE_INBAND:
	case KMCL_TYPE_TRANSFER:
	case KMCL_TYPE_GPA_DIRECT:
		return rx_data(ch, link, pkt, count);
	default:
		kmcl_poison(ch, "incoming packet of unknown type");
		return RX_POISON;
	}
}

/*
 * Read until the ring is empty, the head must stay, or the budget is used.
 * Returns true when it wants to be called again.
 */
static bool rx_batch(struct kmcl_channel *ch, struct kmcl_link *link)
{
	struct kmcl_rx *rx = &ch->rx;
	struct kmcl_ring *ring = &link->in;
	struct kmcl_ring_packet pkt;
	enum rx_result result = RX_TAKEN;
	enum kmcl_ring_fault fault;
	u32 avail = 0, unread = 0, count = 0, n = 0;
	bool again = false;

	WRITE_ONCE(rx->blocked, false);
	link->ops->mask(link);
	for (;;) {
		if (!avail) {
			if (unread) {
				link->ops->consumed(link);
				unread = 0;
			}
			fault = kmcl_ring_avail(ring, &avail);
			if (unlikely(fault))
				goto poison;
			if (!avail) {
				/* empty: allow signals, then look once more */
				link->ops->unmask(link);
				fault = kmcl_ring_avail(ring, &avail);
				if (unlikely(fault))
					goto poison;
				if (likely(!avail))
					break;
				link->ops->mask(link);
			}
		}
		if (unlikely(n++ == RX_BUDGET)) {
			again = true;
			break;
		}
		fault = kmcl_ring_head(ring, avail, &pkt);
		if (unlikely(fault))
			goto poison;
		result = rx_one(ch, link, &pkt, &count);
		if (unlikely(result != RX_TAKEN))
			break;
		kmcl_ring_skip(ring, &pkt);
		avail -= pkt.total;
		unread += pkt.total;
		/* a large batch gives the peer its room back in quarters */
		if (unread >= ring->size / 4) {
			link->ops->consumed(link);
			unread = 0;
		}
		if (unlikely(READ_ONCE(ch->poison)))
			break;
	}
	if (unread)
		link->ops->consumed(link);
	call_batch_end(ch, count);
	if (unlikely(result == RX_STOP)) {
		WRITE_ONCE(rx->blocked, true);
		/* pairs with rx_unblock(): our flag, then its reason */
		smp_mb();
		again = READ_ONCE(rx->gate) && !READ_ONCE(ch->poison) &&
			atomic_read(&rx->busy) < READ_ONCE(rx->quota) &&
			(pkt.len > rx->object_bytes ? !!READ_ONCE(rx->spare) :
						      !llist_empty(&rx->pool));
	}
	return again;

poison:
	kmcl_poison(ch, kmcl_ring_fault_name(fault));
	if (unread)
		link->ops->consumed(link);
	call_batch_end(ch, count);
	return false;
}

/**
 * kmcl_rx_event() - something may be in the ring
 * @ch: channel
 *
 * Context: softirq or BH off, inside an RCU read side section.
 */
void kmcl_rx_event(struct kmcl_channel *ch)
{
	struct kmcl_link *link;
	bool again = false;
	int claims;

	if (atomic_inc_return(&ch->rx.claims) != 1)
		return;
	do {
		claims = atomic_read(&ch->rx.claims);
		link = rcu_dereference(ch->link);
		if (link && !READ_ONCE(ch->poison))
			again = rx_batch(ch, link);
	} while (atomic_sub_return(claims, &ch->rx.claims));

	if (unlikely(!READ_ONCE(ch->rx.gate)))
		wake_up_all(&ch->life_wait);
	if (again && link)
		link->ops->kick(link);
}

/**
 * kmcl_link_event() - the peer signalled
 * @link: a link that is open
 *
 * New packets, answers, or room in the outgoing ring: the bus does not say
 * which.
 *
 * Context: softirq, or process with BH off.
 */
void kmcl_link_event(struct kmcl_link *link)
{
	struct kmcl_channel *ch = link->channel;

	rcu_read_lock();
	kmcl_rx_event(ch);
	kmcl_tx_event(ch);
	rcu_read_unlock();
}
EXPORT_SYMBOL_GPL(kmcl_link_event);

/* ---- life ---- */

void kmcl_rx_init(struct kmcl_channel *ch)
{
	struct kmcl_rx *rx = &ch->rx;

	spin_lock_init(&rx->lock);
	INIT_LIST_HEAD(&rx->backlog);
	INIT_LIST_HEAD(&rx->all);
	init_llist_head(&rx->pool);
	INIT_WORK(&rx->worker, rx_worker);
	INIT_DELAYED_WORK(&rx->grow, rx_grow);
	rx->quota = KMCL_DEFAULT_QUOTA;
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
	return (u64)ch->rx.quota * object_room(object_bytes(ch));
}

/**
 * kmcl_rx_start() - get ready to receive
 * @ch: channel that is being enabled
 * @in_bytes: data bytes of the incoming ring
 *
 * The pool starts with what one ring of largest packets holds.
 *
 * Return: 0 or -ENOMEM.
 */
int kmcl_rx_start(struct kmcl_channel *ch, u32 in_bytes)
{
	struct kmcl_rx *rx = &ch->rx;

	rx->object_bytes = object_bytes(ch);
	rx->scratch = kvmalloc(min(in_bytes, KMCL_PACKET_MAX), GFP_KERNEL);
	if (!rx->scratch)
		return -ENOMEM;
	if (pool_grow(ch, clamp(in_bytes / rx->object_bytes, 1u, rx->quota))) {
		kmcl_rx_finish(ch);
		return -ENOMEM;
	}
	return 0;
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
	list_for_each_entry_safe(in, next, &rx->backlog, node)
		if (in->extra)
			kvfree(in);
	INIT_LIST_HEAD(&rx->backlog);
	rx->backlogged = false;
	rx->blocked = false;
	init_llist_head(&rx->pool);
	list_for_each_entry_safe(in, next, &rx->all, all) {
		in->object.magic = 0;
		kvfree(in);
	}
	INIT_LIST_HEAD(&rx->all);
	rx->objects = 0;
	kvfree(rx->spare);
	rx->spare = NULL;
	kvfree(rx->scratch);
	rx->scratch = NULL;
	atomic_set(&rx->busy, 0);
}

/* Let data through and look at what has piled up. */
void kmcl_rx_open_gate(struct kmcl_channel *ch)
{
	WRITE_ONCE(ch->rx.gate, true);
	/* the gate, then the look: pairs with the one in rx_batch() */
	smp_mb();
	if (READ_ONCE(ch->rx.backlogged))
		queue_work(kmcl_wq, &ch->rx.worker);
	rx_kick(ch);
}

void kmcl_rx_shut_gate(struct kmcl_channel *ch)
{
	/* under the lock: a worker that got a packet is seen as on */
	spin_lock_bh(&ch->rx.lock);
	WRITE_ONCE(ch->rx.gate, false);
	spin_unlock_bh(&ch->rx.lock);
	/* the gate, then the claims: pairs with the increment in kmcl_rx_event() */
	smp_mb();
}

static bool rx_idle(struct kmcl_channel *ch)
{
	bool idle;

	spin_lock_bh(&ch->rx.lock);
	idle = !ch->rx.worker_on && !atomic_read(&ch->rx.claims);
	spin_unlock_bh(&ch->rx.lock);
	return idle;
}

/**
 * kmcl_rx_wait_idle() - wait until no ProcessPacket runs
 * @ch: channel with its gate shut
 */
void kmcl_rx_wait_idle(struct kmcl_channel *ch)
{
	/* a reader between signals wakes nobody: look again now and then */
	while (!wait_event_timeout(ch->life_wait, rx_idle(ch), HZ / 10))
		;
}

/**
 * kmcl_rx_wait_driver() - wait until the driver has completed what it was given
 * @ch: channel with its gate shut
 */
void kmcl_rx_wait_driver(struct kmcl_channel *ch)
{
	struct kmcl_step step;

	if (!atomic_read(&ch->rx.delivered))
		return;
	kmcl_step_begin(&step, ch, "the driver to complete incoming packets");
	wait_event(ch->life_wait, !atomic_read(&ch->rx.delivered));
	kmcl_step_end(&step);
}

/* ---- the API ---- */

static struct kmcl_incoming *incoming(VMBPACKETCOMPLETION handle)
{
	struct kmcl_incoming *in = (struct kmcl_incoming *)handle;

	return likely(in && in->object.magic == KMCL_MAGIC_INCOMING) ? in : NULL;
}

VOID VmbChannelPacketComplete(VMBPACKETCOMPLETION PacketCompletionContext,
			      PVOID Buffer, UINT32 BufferLength)
{
	struct kmcl_incoming *in = incoming(PacketCompletionContext);
	struct kmcl_channel *ch;

	if (!in)
		return;
	ch = in->object.channel;
	if (unlikely(atomic_cmpxchg(&in->state, KMCL_IN_DRIVER, KMCL_IN_REPLYING) !=
		     KMCL_IN_DRIVER)) {
		kmcl_err(ch, "%s: the packet is not the driver's, ignored\n", __func__);
		return;
	}
	/* inside: rx_wait_driver() returns, the channel stays until we leave */
	rcu_read_lock();
	if (in->wants_reply)
		kmcl_reply(in, Buffer, BufferLength);
	else
		kmcl_rx_retire(in);
	driver_done(ch);
	rcu_read_unlock();
}
EXPORT_SYMBOL_GPL(VmbChannelPacketComplete);

VOID VmbChannelPacketDeferToPassive(VMBPACKETCOMPLETION PacketCompletionContext)
{
	struct kmcl_incoming *in = incoming(PacketCompletionContext);
	bool *defer = NULL;
	struct kmcl_rx *rx;

	if (!in)
		return;
	rx = &in->object.channel->rx;
	if (READ_ONCE(rx->worker_packet) == in)
		defer = &rx->worker_defer;
	else if (READ_ONCE(rx->current_packet) == in)
		defer = &rx->defer;
	/* one that has been completed is not given back */
	if (!defer || atomic_cmpxchg(&in->state, KMCL_IN_DRIVER, KMCL_IN_READY) != KMCL_IN_DRIVER) {
		kmcl_err(in->object.channel,
			 "%s: outside ProcessPacket or after PacketComplete, ignored\n", __func__);
		return;
	}
	*defer = true;
}
EXPORT_SYMBOL_GPL(VmbChannelPacketDeferToPassive);

VOID VmbChannelPacketFail(VMBPACKETCOMPLETION PacketCompletionContext)
{
	struct kmcl_incoming *in = incoming(PacketCompletionContext);
	struct kmcl_channel *ch;

	if (!in)
		return;
	ch = in->object.channel;
	if (atomic_cmpxchg(&in->state, KMCL_IN_DRIVER, KMCL_IN_REPLYING) != KMCL_IN_DRIVER) {
		kmcl_err(ch, "%s: the packet is not the driver's, ignored\n", __func__);
		return;
	}
	rcu_read_lock();
	kmcl_poison(ch, "the driver failed an incoming packet");
	kmcl_rx_retire(in);
	driver_done(ch);
	rcu_read_unlock();
}
EXPORT_SYMBOL_GPL(VmbChannelPacketFail);

VOID VmbChannelSetIncomingProcessingAtPassive(VMBCHANNEL Channel, BOOLEAN Passive)
{
	struct kmcl_channel *ch = kmcl_channel(Channel);

	if (ch)
		WRITE_ONCE(ch->rx.passive, !!Passive);
}
EXPORT_SYMBOL_GPL(VmbChannelSetIncomingProcessingAtPassive);
