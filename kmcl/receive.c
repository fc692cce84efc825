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
 *
 * The objects themselves are in pool.c; what the driver does with one is in complete.c.
 */
#include <linux/export.h>
#include "compat.h"
#include "kmcl.h"
#include "observe.h"

#define RX_BUDGET	256	/* packets per run of the reader */
#define RX_RUNS		8	/* of the reader, before others get the processor */
#define RX_WINDOW	(10 * NSEC_PER_MSEC)	/* for the share of a processor */

static void call_process(struct kmcl_channel *ch, struct kmcl_incoming *in)
{
	const struct kmcl_packet_callbacks *cb = &ch->config.packet;
	VMBPACKETCOMPLETION handle = kmcl_incoming_handle(in);
	VMBCHANNEL channel = kmcl_channel_handle(ch);
	void *payload = in->payload;
	u32 flags = in->piece_count ? VMBUS_CHANNEL_PROCESS_PACKET_FLAG_EXTERNAL_DATA : 0;
	u32 len = in->len;

	atomic_inc(&ch->rx.delivered);
	kmcl_incoming_set(in, KMCL_IN_DRIVER);
	if (cb->ex && cb->process_ex)
		cb->process_ex(channel, cb->context, handle, payload, len, flags);
	else if (!cb->ex && cb->process)
		cb->process(channel, handle, payload, len, flags);
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

	kmcl_incoming_set(in, KMCL_IN_READY);
	spin_lock_bh(&rx->lock);
	if (front)
		list_add(&in->node, &rx->backlog);
	else
		list_add_tail(&in->node, &rx->backlog);
	WRITE_ONCE(rx->backlogged, true);
	spin_unlock_bh(&rx->lock);
	queue_work(ch->wq, &rx->worker);
}

/* A packet that its ProcessPacket gave back with DeferToPassive. */
static void deferred(struct kmcl_channel *ch, struct kmcl_incoming *in)
{
	trace_kmcl_packet_defer(in, in->len);
	this_cpu_inc(ch->tx.counters->deferred);
	backlog_add(ch, in, true);
	kmcl_driver_done(ch);
}

/* @last: nothing is owed for earlier packets, so an empty backlog ends the run. */
static struct kmcl_incoming *backlog_next(struct kmcl_channel *ch, bool last)
{
	struct kmcl_rx *rx = &ch->rx;
	struct kmcl_incoming *in = NULL;

	spin_lock_bh(&rx->lock);
	/* checked under the lock that shuts it */
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
	kmcl_rx_kick(ch);
	wake_up_all(&ch->life_wait);
}

/* ---- the share of a processor ---- */

/*
 * A driver may bound the reader's share of a processor.  What comes when the
 * share of a window is used up is delivered by the worker, where the scheduler
 * divides the time; the reader goes on copying, up to the quota, and completing
 * what is answered.  Only a channel with a bound looks at the clock.
 */
static void share_begin(struct kmcl_rx *rx)
{
	if (unlikely(READ_ONCE(rx->share) < 100))
		rx->batch_began = ktime_get_mono_fast_ns();
}

static void share_end(struct kmcl_rx *rx)
{
	u64 now;

	if (likely(READ_ONCE(rx->share) == 100))
		return;
	now = ktime_get_mono_fast_ns();
	/* 0: the bound came in the middle of this batch */
	if (rx->batch_began && now > rx->batch_began)
		rx->window_used += now - rx->batch_began;
	rx->batch_began = 0;
}

static bool share_is_used(struct kmcl_rx *rx)
{
	u8 share = READ_ONCE(rx->share);
	u64 now, used;

	if (likely(share == 100))
		return false;
	now = ktime_get_mono_fast_ns();
	if (now - rx->window >= RX_WINDOW) {
		rx->window = now;
		rx->window_used = 0;
		rx->batch_began = now;
	}
	used = rx->window_used;
	if (rx->batch_began && now > rx->batch_began)
		used += now - rx->batch_began;
	return used >= RX_WINDOW / 100 * share;
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

/* True: stop until a packet is completed, even if the quota is raised meanwhile. */
static bool over_quota(struct kmcl_rx *rx)
{
	int busy = atomic_read(&rx->busy);

	if (unlikely(READ_ONCE(rx->over_quota)))
		return true;
	if (likely(busy < READ_ONCE(rx->quota)))
		return false;
	rx->stop_busy = busy;
	WRITE_ONCE(rx->over_quota, true);
	return true;
}

/* What a packet takes in an object: the description of external data behind the payload. */
static u32 packet_room(const struct kmcl_ring_packet *pkt)
{
	return pkt->len + (pkt->type == KMCL_TYPE_INBAND ? 0 : pkt->header);
}

/*
 * External data: the description behind the payload, resolved. False: the packet
 * is not delivered, and is over.
 */
static bool rx_external(struct kmcl_channel *ch, struct kmcl_link *link,
			const struct kmcl_ring_packet *pkt, struct kmcl_incoming *in)
{
	void *head = in->data + pkt->len;
	bool damaged = false;
	const char *why;

	kmcl_ring_copy(&link->in, kmcl_ring_wrap(&link->in, link->in.read, KMCL_DESC_SIZE),
		       head, pkt->header);
	why = kmcl_incoming_resolve(in, pkt->type, head, pkt->header, &damaged);
	if (likely(!why))
		return true;
	if (damaged) {
		kmcl_rx_retire(in);
		kmcl_poison(ch, why);
		return false;
	}
	/* whoever sent it waits for an answer and gets an empty one */
	ch->stats.unsupported++;
	kmcl_warn(ch, "packet with external data (type %u) answered unread: %s\n", pkt->type, why);
	if (in->wants_reply)
		kmcl_reply(in, NULL, 0);
	else
		kmcl_rx_retire(in);
	return false;
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
	bool external = pkt->type != KMCL_TYPE_INBAND;
	struct kmcl_rx *rx = &ch->rx;
	struct kmcl_incoming *in;

	if (!READ_ONCE(rx->gate))
		return RX_STOP;
	if (unlikely(over_quota(rx)))
		return RX_STOP;
	in = kmcl_pool_get(ch, packet_room(pkt));
	if (unlikely(!in))
		return RX_STOP;

	kmcl_ring_copy(&link->in, pkt->payload, in->data, pkt->len);
	in->payload = in->data;
	in->len = pkt->len;
	in->id = pkt->id;
	in->order = rx->order++;
	in->wants_reply = pkt->flags & KMCL_DESC_WANTS_REPLY;
	in->object.pointer = NULL;
	if (unlikely(in->client_context))
		memset(in->client_context, 0, rx->context_bytes);
	atomic_inc(&rx->busy);
	trace_kmcl_packet_receive(ch, pkt);
	ch->stats.received++;
	ch->stats.received_bytes += pkt->len;

	if (unlikely(external) && !rx_external(ch, link, pkt, in))
		return READ_ONCE(ch->poison) ? RX_POISON : RX_TAKEN;
	if ((ch->config.flags & VMBUS_CHANNEL_INIT_FLAG_IS_PIPE) && !pipe_unwrap(in)) {
		kmcl_rx_retire(in);
		kmcl_poison(ch, "pipe header of an incoming packet is damaged");
		return RX_POISON;
	}
	if (unlikely(READ_ONCE(rx->passive) || READ_ONCE(rx->backlogged) || share_is_used(rx)))
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
			trace_kmcl_packet_stale(ch, pkt->id, pkt->len);
			kmcl_warn(ch, "answer to transaction %#llx ignored: nothing waits for it\n",
				  pkt->id);
			return RX_TAKEN;
		}
		ch->stats.answers++;
		ch->stats.answer_bytes += pkt->len;
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
		/* pairs with kmcl_rx_retire(): our flag, then its reason */
		smp_mb();
		/* a completion may have come before our wish for one */
		if (READ_ONCE(rx->over_quota) && atomic_read(&rx->busy) < rx->stop_busy)
			WRITE_ONCE(rx->over_quota, false);
		again = READ_ONCE(rx->gate) && !READ_ONCE(ch->poison) &&
			!READ_ONCE(rx->over_quota) &&
			atomic_read(&rx->busy) < READ_ONCE(rx->quota) &&
			kmcl_pool_has(ch, packet_room(&pkt));
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
	unsigned int runs = 0;
	bool again = false;
	int claims;

	if (atomic_inc_return(&ch->rx.claims) != 1)
		return;
	do {
		claims = atomic_read(&ch->rx.claims);
		link = rcu_dereference(ch->link);
		if (link && !READ_ONCE(ch->poison) && likely(!READ_ONCE(ch->rx.frozen))) {
			share_begin(&ch->rx);
			again = rx_batch(ch, link);
			share_end(&ch->rx);
		}
		/* a peer that signals all the time does not keep us in here */
		if (unlikely(++runs == RX_RUNS)) {
			/* what we have read, before another may read */
			atomic_set_release(&ch->rx.claims, 0);
			again = true;
			break;
		}
	} while (atomic_sub_return(claims, &ch->rx.claims));

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
	struct kmcl_channel *ch;

	rcu_read_lock();
	/* rings that stay open without an owner, as a sub-channel's do */
	ch = READ_ONCE(link->channel);
	if (likely(ch)) {
		kmcl_rx_event(ch);
		kmcl_tx_event(ch);
	}
	rcu_read_unlock();
}
EXPORT_SYMBOL_GPL(kmcl_link_event);

/* ---- life ---- */

void kmcl_rx_init(struct kmcl_channel *ch)
{
	struct kmcl_rx *rx = &ch->rx;

	spin_lock_init(&rx->lock);
	INIT_LIST_HEAD(&rx->backlog);
	INIT_LIST_HEAD(&rx->kept);
	INIT_WORK(&rx->worker, rx_worker);
	kmcl_pool_init(ch);
	rx->quota = ch->config.quota;
	rx->share = 100;
}

/* Let data through and look at what has piled up. */
void kmcl_rx_open_gate(struct kmcl_channel *ch)
{
	WRITE_ONCE(ch->rx.gate, true);
	/* the gate, then the look: pairs with the one in rx_batch() */
	smp_mb();
	if (READ_ONCE(ch->rx.backlogged))
		queue_work(ch->wq, &ch->rx.worker);
	kmcl_rx_kick(ch);
}

void kmcl_rx_shut_gate(struct kmcl_channel *ch)
{
	/* under the lock: a worker that got a packet is seen as on */
	spin_lock_bh(&ch->rx.lock);
	WRITE_ONCE(ch->rx.gate, false);
	spin_unlock_bh(&ch->rx.lock);
}

static bool worker_idle(struct kmcl_channel *ch)
{
	bool idle;

	spin_lock_bh(&ch->rx.lock);
	idle = !ch->rx.worker_on;
	spin_unlock_bh(&ch->rx.lock);
	return idle;
}

/**
 * kmcl_rx_wait_idle() - wait until no ProcessPacket runs
 * @ch: channel with its gate shut
 */
void kmcl_rx_wait_idle(struct kmcl_channel *ch)
{
	/* a reader that came in before the gate was shut */
	synchronize_rcu();
	wait_event(ch->life_wait, worker_idle(ch) || kmcl_roused(ch));
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
	wait_event(ch->life_wait, !atomic_read(&ch->rx.delivered) || kmcl_roused(ch));
	kmcl_step_end(&step);
}

/* ---- the API ---- */

VOID VmbChannelSetIncomingProcessingAtPassive(VMBCHANNEL Channel, BOOLEAN Passive)
{
	struct kmcl_channel *ch = kmcl_channel(Channel);

	if (ch)
		WRITE_ONCE(ch->rx.passive, !!Passive);
}
EXPORT_SYMBOL_GPL(VmbChannelSetIncomingProcessingAtPassive);

VOID VmbChannelSetAllowableDpcCpuUsage(VMBCHANNEL Channel, UINT8 AllowableDpcCpuUsage)
{
	struct kmcl_channel *ch = kmcl_channel(Channel);

	if (!ch)
		return;
	if (!AllowableDpcCpuUsage || AllowableDpcCpuUsage > 100) {
		kmcl_err(ch, "%s: %u percent is no share of a processor, ignored\n", __func__,
			 AllowableDpcCpuUsage);
		return;
	}
	WRITE_ONCE(ch->rx.share, AllowableDpcCpuUsage);
}
EXPORT_SYMBOL_GPL(VmbChannelSetAllowableDpcCpuUsage);
