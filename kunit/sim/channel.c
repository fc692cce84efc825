// SPDX-License-Identifier: GPL-2.0
/*
 * The host's channels: their table, their life from offer to release, and the
 * loop that serves an open one.
 *
 *	hvsim_offer()  ->  open  ->  close  ->  hvsim_rescind()  ->  released
 *			     ^_________|
 *
 * Who touches the rings stands between hvsim_enter() and hvsim_leave(); a close
 * lets nobody else in and unmaps the rings when the last one has left.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "internal.h"

/* How long a test may wait for the guest before the host gives up on it. */
#define PATIENCE	(10 * HZ)

DECLARE_WAIT_QUEUE_HEAD(hvsim_changed);

/* A channel's number is its place here; the table holds a reference. */
static struct hvsim_chan *by_relid[HVSIM_MAX_RELID];

struct hvsim_chan *hvsim_chan_get(u32 relid)
{
	struct hvsim_chan *chan = NULL;
	unsigned long flags;

	spin_lock_irqsave(&hvsim_lock, flags);
	if (relid < HVSIM_MAX_RELID)
		chan = by_relid[relid];
	if (chan)
		kref_get(&chan->ref);
	spin_unlock_irqrestore(&hvsim_lock, flags);
	return chan;
}

static void chan_free(struct kref *ref)
{
	kfree(container_of(ref, struct hvsim_chan, ref));
}

void hvsim_chan_put(struct hvsim_chan *chan)
{
	kref_put(&chan->ref, chan_free);
}

bool hvsim_enter(struct hvsim_chan *chan)
{
	atomic_inc(&chan->users);
	/* Pairs with the barrier in hvsim_close(). */
	smp_mb__after_atomic();
	if (READ_ONCE(chan->open))
		return true;
	hvsim_leave(chan);
	return false;
}

void hvsim_leave(struct hvsim_chan *chan)
{
	if (atomic_dec_and_test(&chan->users) && !READ_ONCE(chan->open))
		wake_up_all(&hvsim_changed);
}

/* From any context, on any processor. */
void hvsim_count(struct hvsim_chan *chan, unsigned long *counter)
{
	unsigned long flags;

	spin_lock_irqsave(&chan->lock, flags);
	++*counter;
	spin_unlock_irqrestore(&chan->lock, flags);
}

/* ---- serving ---- */

static bool has_work(struct hvsim_chan *chan)
{
	return READ_ONCE(chan->open) && !READ_ONCE(chan->stalled) &&
	       hvsim_script_flush(chan);
}

static void serve_rings(struct hvsim_chan *chan)
{
	bool mask;
	int size;

	if (!hvsim_enter(chan))
		return;
	do {
		mask = READ_ONCE(chan->script.mask);
		if (mask)
			hvsim_poke(chan, HVSIM_G2H, HVSIM_INTERRUPT_MASK, 1);
		while (has_work(chan)) {
			size = hvsim_recv(chan, chan->rx, chan->g2h.size);
			if (size < 0)
				WRITE_ONCE(chan->stalled, true);
			if (size <= 0)
				break;
			hvsim_script_packet(chan, (void *)chan->rx, size);
		}
		if (!mask)
			break;
		hvsim_poke(chan, HVSIM_G2H, HVSIM_INTERRUPT_MASK, 0);
		/* The guest signals from here on; what it wrote before is seen now. */
		smp_mb();
	} while (has_work(chan) && hvsim_ring_used(chan, HVSIM_G2H));
	hvsim_leave(chan);
}

/*
 * One server at a time, without waiting: who comes while another serves leaves
 * a kick behind, and the other looks again.
 */
static void serve(struct hvsim_chan *chan)
{
	int seen;

	if (atomic_fetch_inc(&chan->kicks))
		return;
	do {
		seen = atomic_read(&chan->kicks);
		WRITE_ONCE(chan->unseen, false);
		serve_rings(chan);
	} while (!atomic_sub_and_test(seen, &chan->kicks));
}

static void serve_work(struct work_struct *work)
{
	serve(container_of(work, struct hvsim_chan, work));
}

static void kick(struct hvsim_chan *chan, bool even_manual)
{
	switch (READ_ONCE(chan->exec)) {
	case HVSIM_EXEC_ASYNC:
		queue_work(hvsim_wq, &chan->work);
		break;
	case HVSIM_EXEC_INLINE:
		serve(chan);
		break;
	case HVSIM_EXEC_MANUAL:
		if (even_manual)
			serve(chan);
		break;
	}
}

/**
 * hvsim_run - let the host look at a channel now, in any execution mode
 * @chan: the channel
 */
void hvsim_run(struct hvsim_chan *chan)
{
	serve(chan);
}
EXPORT_SYMBOL_GPL(hvsim_run);

/**
 * hvsim_stall - the host stops reading, so that the guest's ring fills
 * @chan: the channel
 */
void hvsim_stall(struct hvsim_chan *chan)
{
	WRITE_ONCE(chan->stalled, true);
}
EXPORT_SYMBOL_GPL(hvsim_stall);

/**
 * hvsim_resume - the host reads again, and looks at once
 * @chan: the channel
 */
void hvsim_resume(struct hvsim_chan *chan)
{
	WRITE_ONCE(chan->stalled, false);
	kick(chan, true);
}
EXPORT_SYMBOL_GPL(hvsim_resume);

/**
 * hvsim_set_exec - say how the host runs on a channel from now on
 * @chan: the channel
 * @exec: how
 *
 * What the guest has signalled so far is looked at now, unless @exec is
 * HVSIM_EXEC_MANUAL.
 */
void hvsim_set_exec(struct hvsim_chan *chan, enum hvsim_exec exec)
{
	WRITE_ONCE(chan->exec, exec);
	kick(chan, false);
}
EXPORT_SYMBOL_GPL(hvsim_set_exec);

/* The guest's hypercall: it has written to an empty ring, or made room. */
u64 hvsim_signal_event(u64 connection)
{
	struct hvsim_chan *chan = hvsim_chan_get((u32)connection - HVSIM_EVENT_CONNECTION);
	void (*on_signal)(struct hvsim_chan *chan);

	if (!chan)
		return HV_STATUS_INVALID_CONNECTION_ID;
	hvsim_count(chan, &chan->stats.signals);
	if (!READ_ONCE(chan->open))
		hvsim_count(chan, &chan->stats.closed_signals);
	WRITE_ONCE(chan->unseen, true);
	on_signal = READ_ONCE(chan->script.on_signal);
	if (on_signal)
		on_signal(chan);
	if (hvsim_has_server(chan))
		hvsim_server_signal(chan);
	else
		kick(chan, false);
	hvsim_chan_put(chan);
	return HV_STATUS_SUCCESS;
}

/* ---- open and close ---- */

/*
 * The host's answer to an open: 0, or the status of the refusal. With a server 0
 * means that all is prepared for his answer.
 */
u32 hvsim_open(struct hvsim_chan *chan, const struct vmbus_channel_open_channel *msg)
{
	struct hvsim_gpadl *gpadl = hvsim_find_gpadl(msg->ringbuffer_gpadlhandle);
	u32 split = msg->downstream_ringbuffer_pageoffset;
	u32 status = chan->script.open_status;

	if (chan->open || chan->opening || chan->rx || !gpadl || gpadl->relid != chan->relid ||
	    split < 2 || gpadl->nr < split + 2) {
		hvsim_fault(chan, "open with GPADL %#x of %u pages, %u of them outbound",
			    msg->ringbuffer_gpadlhandle, gpadl ? gpadl->nr : 0, split);
		return HVSIM_REFUSED;
	}
	memcpy(chan->userdata, msg->userdata, sizeof(chan->userdata));
	chan->target_vp = msg->target_vp;
	if (!status && chan->script.on_open)
		status = chan->script.on_open(chan, chan->userdata);
	if (status)
		return status;

	chan->rx = kvmalloc((split - 1) * HV_HYP_PAGE_SIZE, GFP_KERNEL);
	if (!chan->rx)
		return HVSIM_REFUSED;
	if (hvsim_ring_map(&chan->g2h, gpadl->pages, split))
		goto free_rx;
	if (hvsim_ring_map(&chan->h2g, gpadl->pages + split, gpadl->nr - split))
		goto unmap;
	chan->g2h.pos = READ_ONCE(chan->g2h.rb->read_index);
	chan->h2g.pos = READ_ONCE(chan->h2g.rb->write_index);
	if (chan->g2h.pos || chan->h2g.pos)
		hvsim_fault(chan, "opened with ring indices %#x and %#x", chan->g2h.pos,
			    chan->h2g.pos);
	chan->ring_gpadl = gpadl->handle;
	chan->stalled = false;
	chan->forged = false;
	chan->unseen = false;
	chan->open_id = msg->openid;
	WRITE_ONCE(chan->opening, true);
	if (!hvsim_has_server(chan)) {
		WRITE_ONCE(chan->h2g.rb->feature_bits.value, 1);
		hvsim_finish_open(chan, true, &chan->open_id);
	}
	return 0;

unmap:
	hvsim_ring_unmap(&chan->g2h);
free_rx:
	kvfree(chan->rx);
	chan->rx = NULL;
	return HVSIM_REFUSED;
}

/* Let nobody in any more. True for the one who has to unmap the rings. */
static bool shut(struct hvsim_chan *chan)
{
	unsigned long flags;
	bool was;

	spin_lock_irqsave(&chan->lock, flags);
	was = chan->open || chan->opening;
	WRITE_ONCE(chan->open, false);
	WRITE_ONCE(chan->opening, false);
	spin_unlock_irqrestore(&chan->lock, flags);
	/* Pairs with hvsim_enter(): who entered before this is counted. */
	smp_mb();
	if (was && chan->script.on_close)
		chan->script.on_close(chan);
	if (was)
		wake_up_all(&hvsim_changed);
	return was;
}

static void unmap_rings(struct hvsim_chan *chan)
{
	wait_event(hvsim_changed, !atomic_read(&chan->users));
	hvsim_script_drop(chan);
	hvsim_ring_unmap(&chan->g2h);
	hvsim_ring_unmap(&chan->h2g);
	kvfree(chan->rx);
	chan->rx = NULL;
	chan->ring_gpadl = 0;
}

/* After shut(): nobody is told of the close but a server. */
static void finish_close(struct hvsim_chan *chan)
{
	if (hvsim_has_server(chan))
		hvsim_server_close(chan);
	unmap_rings(chan);
}

static void unmap_work(struct work_struct *work)
{
	finish_close(container_of(work, struct hvsim_chan, unmap_work));
}

/*
 * The end of an open, once: true for who has to tell the guest, of the open that
 * has the number *open_id.
 */
bool hvsim_finish_open(struct hvsim_chan *chan, bool accepted, u32 *open_id)
{
	unsigned long flags;
	bool was;

	*open_id = chan->open_id;
	spin_lock_irqsave(&chan->lock, flags);
	was = chan->opening;
	WRITE_ONCE(chan->opening, false);
	if (was && accepted) {
		/* Rings first, then the flag that lets users in. */
		smp_store_release(&chan->open, true);
	}
	spin_unlock_irqrestore(&chan->lock, flags);
	if (was && accepted)
		wake_up_all(&hvsim_changed);
	else if (was)
		unmap_rings(chan);
	return was;
}

/* From the host's workqueue or a test. */
void hvsim_close(struct hvsim_chan *chan)
{
	if (shut(chan))
		finish_close(chan);
}

/* The guest has said goodbye: everything is offered anew when it comes back. */
void hvsim_forget_offers(void)
{
	struct hvsim_chan *chan;
	u32 relid;

	for (relid = 1; relid < HVSIM_MAX_RELID; relid++) {
		chan = hvsim_chan_get(relid);
		if (!chan)
			continue;
		hvsim_close(chan);
		if (hvsim_has_server(chan))
			hvsim_server_drop(chan);
		hvsim_gpadl_drop(relid);
		/* what was rescinded stays so */
		if (chan->offered)
			chan->sent = false;
		WRITE_ONCE(chan->offered, false);
		hvsim_chan_put(chan);
	}
}

/* ---- offer, rescind, forget ---- */

/**
 * hvsim_add - make a channel that hvsim_announce() will offer the guest
 * @offer: what to offer, copied
 *
 * Context: may sleep.
 * Return: the channel, for hvsim_put() besides hvsim_forget(), or an ERR_PTR().
 */
struct hvsim_chan *hvsim_add(const struct hvsim_offer *offer)
{
	struct hvsim_chan *chan = kzalloc(sizeof(*chan), GFP_KERNEL);
	unsigned long flags;
	u32 relid;

	if (!chan)
		return ERR_PTR(-ENOMEM);
	chan->offer = *offer;
	chan->script = offer->script;
	chan->exec = offer->exec;
	chan->holds = offer->hold;
	chan->server = offer->server;
	mutex_init(&chan->server_lock);
	kref_init(&chan->ref);
	spin_lock_init(&chan->lock);
	INIT_LIST_HEAD(&chan->record);
	INIT_LIST_HEAD(&chan->kept);
	INIT_LIST_HEAD(&chan->out);
	INIT_LIST_HEAD(&chan->spare);
	INIT_WORK(&chan->work, serve_work);
	INIT_WORK(&chan->unmap_work, unmap_work);

	spin_lock_irqsave(&hvsim_lock, flags);
	for (relid = 1; relid < HVSIM_MAX_RELID && by_relid[relid]; relid++)
		;
	if (relid < HVSIM_MAX_RELID) {
		chan->relid = relid;
		by_relid[relid] = chan;
	}
	spin_unlock_irqrestore(&hvsim_lock, flags);
	if (!chan->relid) {
		kfree(chan);
		return ERR_PTR(-ENOSPC);
	}
	kref_get(&chan->ref);
	return chan;
}
EXPORT_SYMBOL_GPL(hvsim_add);

/**
 * hvsim_offer - offer the guest a channel
 * @offer: what to offer, copied
 *
 * Context: may sleep.
 * Return: the channel, the test's until hvsim_forget() or hvsim_reset(), or an
 * ERR_PTR().
 */
struct hvsim_chan *hvsim_offer(const struct hvsim_offer *offer)
{
	struct hvsim_chan *chan = hvsim_add(offer);

	if (IS_ERR(chan))
		return chan;
	hvsim_send_offer(chan);
	hvsim_chan_put(chan);
	return chan;
}
EXPORT_SYMBOL_GPL(hvsim_offer);

static bool same_device(const struct hvsim_chan *a, const struct hvsim_chan *b)
{
	return guid_equal(&a->offer.type, &b->offer.type) &&
	       guid_equal(&a->offer.instance, &b->offer.instance);
}

/* Has the guest still to release a primary that was the same device? */
bool hvsim_predecessor(const struct hvsim_chan *chan)
{
	const struct hvsim_chan *other;
	u32 relid;

	lockdep_assert_held(&hvsim_lock);
	if (chan->offer.sub_index)
		return false;
	for (relid = 1; relid < HVSIM_MAX_RELID; relid++) {
		other = by_relid[relid];
		if (other && other != chan && !other->offer.sub_index && other->sent &&
		    !other->released && same_device(other, chan))
			return true;
	}
	return false;
}

/* The guest has asked for its offers. */
void hvsim_offer_all(void)
{
	struct hvsim_chan *chan;
	u32 relid;

	for (relid = 1; relid < HVSIM_MAX_RELID; relid++) {
		chan = hvsim_chan_get(relid);
		if (!chan)
			continue;
		hvsim_send_offer(chan);
		hvsim_chan_put(chan);
	}
}

/**
 * hvsim_rescind - take a channel away from the guest
 * @chan: the channel
 *
 * The rings are closed on the host's side at once. Good in every context, in a
 * hook too: inside a hypercall it comes between publication and signal. Rescind
 * the sub-channels of a primary first, as a host does.
 */
void hvsim_rescind(struct hvsim_chan *chan)
{
	struct vmbus_channel_rescind_offer msg = {
		.header.msgtype = CHANNELMSG_RESCIND_CHANNELOFFER,
		.child_relid = chan->relid,
	};
	unsigned long flags;
	bool offered;

	spin_lock_irqsave(&hvsim_lock, flags);
	offered = chan->offered;
	WRITE_ONCE(chan->offered, false);
	/* one that still waits for its predecessor to go is never seen */
	if (!chan->sent) {
		chan->sent = true;
		WRITE_ONCE(chan->released, true);
	}
	spin_unlock_irqrestore(&hvsim_lock, flags);
	if (shut(chan))
		queue_work(hvsim_wq, &chan->unmap_work);
	if (offered)
		hvsim_post(&msg, sizeof(msg));
}
EXPORT_SYMBOL_GPL(hvsim_rescind);

/* Take back every sub-channel of a primary. */
void hvsim_rescind_subs(struct hvsim_chan *primary)
{
	struct hvsim_chan *chan;
	u32 relid;

	for (relid = 1; relid < HVSIM_MAX_RELID; relid++) {
		chan = hvsim_chan_get(relid);
		if (!chan)
			continue;
		if (chan->offer.sub_index &&
		    guid_equal(&chan->offer.type, &primary->offer.type) &&
		    guid_equal(&chan->offer.instance, &primary->offer.instance))
			hvsim_rescind(chan);
		hvsim_chan_put(chan);
	}
}

/**
 * hvsim_wait_open - wait until the guest has opened a channel, or closed it
 * @chan: the channel
 * @open: which of the two
 *
 * Context: may sleep.
 * Return: false if nothing came in ten seconds.
 */
bool hvsim_wait_open(struct hvsim_chan *chan, bool open)
{
	return wait_event_timeout(hvsim_changed, READ_ONCE(chan->open) == open, PATIENCE);
}
EXPORT_SYMBOL_GPL(hvsim_wait_open);

/**
 * hvsim_wait_released - wait until the guest has given up a rescinded channel
 * @chan: the channel
 *
 * By then the device is gone and the driver's remove has returned.
 *
 * Context: may sleep.
 * Return: false if nothing came in ten seconds.
 */
bool hvsim_wait_released(struct hvsim_chan *chan)
{
	return wait_event_timeout(hvsim_changed, READ_ONCE(chan->released), PATIENCE);
}
EXPORT_SYMBOL_GPL(hvsim_wait_released);

/**
 * hvsim_forget - remove a channel from the host
 * @chan: the channel; after a rescind and its release, if the guest ever saw it.
 *	Not valid any more afterwards; nothing happens when it is forgotten already
 *
 * Context: may sleep; not in a hook.
 */
void hvsim_forget(struct hvsim_chan *chan)
{
	unsigned long flags;
	bool known;

	hvsim_close(chan);
	spin_lock_irqsave(&hvsim_lock, flags);
	known = by_relid[chan->relid] == chan;
	if (known)
		by_relid[chan->relid] = NULL;
	spin_unlock_irqrestore(&hvsim_lock, flags);
	if (!known)
		return;
	hvsim_drop_messages(chan);
	cancel_work_sync(&chan->work);
	flush_work(&chan->unmap_work);
	hvsim_gpadl_drop(chan->relid);
	hvsim_script_forget(chan);
	hvsim_chan_put(chan);
}
EXPORT_SYMBOL_GPL(hvsim_forget);

/* For the end of a test: no hook runs after this, and the host answers again. */
void hvsim_reset_scripts(void)
{
	struct hvsim_chan *chan;
	u32 relid;

	for (relid = 1; relid < HVSIM_MAX_RELID; relid++) {
		chan = hvsim_chan_get(relid);
		if (!chan)
			continue;
		WRITE_ONCE(chan->exec, HVSIM_EXEC_ASYNC);
		WRITE_ONCE(chan->script.on_signal, NULL);
		WRITE_ONCE(chan->script.on_packet, NULL);
		WRITE_ONCE(chan->script.on_open, NULL);
		WRITE_ONCE(chan->script.on_close, NULL);
		WRITE_ONCE(chan->script.answer, HVSIM_ANSWER_NONE);
		WRITE_ONCE(chan->script.record, false);
		hvsim_chan_put(chan);
	}
}

/*
 * Rescind and forget every channel. One that the guest does not let go of is
 * reported once, keeps its number, and is left alone until the guest is gone.
 */
int hvsim_forget_all(bool guest_gone)
{
	struct hvsim_chan *chan;
	int ret = 0;
	u32 relid;

	/* Sub-channels first: the guest frees a primary after its sub-channels. */
	for (relid = HVSIM_MAX_RELID - 1; relid; relid--) {
		chan = hvsim_chan_get(relid);
		if (!chan)
			continue;
		hvsim_rescind(chan);
		hvsim_chan_put(chan);
	}
	for (relid = HVSIM_MAX_RELID - 1; relid; relid--) {
		chan = hvsim_chan_get(relid);
		if (!chan)
			continue;
		if (guest_gone || !chan->sent || (!chan->lost && hvsim_wait_released(chan))) {
			hvsim_flush();
			hvsim_forget(chan);
		} else if (!chan->lost) {
			hvsim_fault(chan, "not released after its rescind");
			chan->lost = true;
			ret = -ETIMEDOUT;
		}
		hvsim_chan_put(chan);
	}
	return ret;
}

/* Did the guest leave packets in a ring and tell nobody? */
bool hvsim_lost_signals(void)
{
	struct hvsim_chan *chan;
	bool lost = false;
	u32 relid, used;

	for (relid = 1; relid < HVSIM_MAX_RELID; relid++) {
		chan = hvsim_chan_get(relid);
		if (!chan)
			continue;
		used = hvsim_ring_used(chan, HVSIM_G2H);
		if (used && !chan->unseen && !chan->stalled && !chan->forged &&
		    list_empty(&chan->out)) {
			hvsim_fault(chan, "%u bytes in the ring, and no signal", used);
			lost = true;
		}
		hvsim_chan_put(chan);
	}
	return lost;
}
