// SPDX-License-Identifier: GPL-2.0
/*
 * The link of a channel (enum kmcl_link_state): its open pair of rings.
 *
 * It goes down under whatever life is doing, from the bus's remove callback, from
 * poison_work, or from a Disable that finds life owned by somebody who waits; none
 * of them may wait for a callback of the driver.  kmcl_link_down() fences every
 * user of the rings, completes what does not need the rings any more, closes,
 * completes the packets whose external data the peer could use up to then, and
 * leaves the rest (Suspend, drain, Closed) to life_work.
 */
#include "kmcl.h"
#include "observe.h"

static bool link_settled(struct kmcl_channel *ch)
{
	enum kmcl_link_state state = READ_ONCE(ch->link_state);

	return state == KMCL_LINK_NONE || state == KMCL_LINK_UP;
}

/* Move the link from @from to @to; false when it is (or settles) elsewhere. */
static bool link_move(struct kmcl_channel *ch, enum kmcl_link_state from,
		      enum kmcl_link_state to)
{
	bool ok, settled;

	for (;;) {
		wait_event(ch->life_wait, link_settled(ch));
		spin_lock(&ch->life_lock);
		settled = link_settled(ch);
		ok = ch->link_state == from;
		if (settled && ok)
			ch->link_state = to;
		spin_unlock(&ch->life_lock);
		if (settled && ok)
			trace_kmcl_channel_link(ch, from, to);
		if (settled)
			return ok;
	}
}

static bool link_is(struct kmcl_channel *ch, enum kmcl_link_state state)
{
	bool is;

	spin_lock(&ch->life_lock);
	is = ch->link_state == state;
	spin_unlock(&ch->life_lock);
	return is;
}

static void link_set(struct kmcl_channel *ch, enum kmcl_link_state to)
{
	enum kmcl_link_state from;

	spin_lock(&ch->life_lock);
	from = ch->link_state;
	ch->link_state = to;
	spin_unlock(&ch->life_lock);
	trace_kmcl_channel_link(ch, from, to);
	wake_up_all(&ch->life_wait);
}

/**
 * kmcl_link_up() - open the rings
 * @ch: channel with a target
 * @out_bytes: data bytes of the outgoing ring; of no matter to a server, whose
 *	client has made the rings
 * @in_bytes: of the incoming one
 *
 * Context: process; waits for the peer without limit.
 * Return: 0, or an errno as of struct kmcl_link_ops.
 */
int kmcl_link_up(struct kmcl_channel *ch, u32 out_bytes, u32 in_bytes)
{
	struct kmcl_link *link = ch->target.link;
	struct kmcl_step step;
	int ret;

	if (!link_move(ch, KMCL_LINK_NONE, KMCL_LINK_OPENING))
		return -EBUSY;
	/* after the move: a primary that closes from here on waits for us */
	if (ch->primary && !link_is(ch->primary, KMCL_LINK_UP)) {
		link_set(ch, KMCL_LINK_NONE);
		return -ENODEV;
	}
	WRITE_ONCE(link->channel, ch);
	link->processor = kmcl_device_processor(ch);
	WRITE_ONCE(ch->poison, NULL);
	kmcl_rx_shut_gate(ch);
	kmcl_step_begin(&step, ch, "the host to open the channel");
	ret = kmcl_bounce_start(ch, link);
	if (!ret)
		ret = link->ops->open(link, out_bytes, in_bytes);
	kmcl_step_end(&step);
	if (!ret) {
		kmcl_tx_attach(ch, link, link->out_bytes ?: out_bytes);
		rcu_assign_pointer(ch->link, link);
		/* for what the peer did before there was anybody to look */
		link->ops->kick(link);
	} else {
		kmcl_bounce_finish(ch);
		WRITE_ONCE(link->channel, NULL);
	}
	link_set(ch, ret ? KMCL_LINK_NONE : KMCL_LINK_UP);
	return ret;
}

/* Part the channel from its rings; false: they are gone, or somebody else does it. */
static bool link_fence(struct kmcl_channel *ch, NTSTATUS status)
{
	if (!link_move(ch, KMCL_LINK_UP, KMCL_LINK_CLOSING))
		return false;

	/* nobody enters any more: neither senders, pump nor reader */
	kmcl_rx_shut_gate(ch);
	kmcl_tx_off(ch);
	kmcl_tx_attach(ch, NULL, 0);
	ch->closing = rcu_dereference_protected(ch->link, true);
	RCU_INIT_POINTER(ch->link, NULL);
	synchronize_rcu();

	/* and those who were inside have left; what is frozen is for kmcl_thaw() */
	if (!kmcl_tx_is_frozen(ch))
		kmcl_tx_abort(ch, status);
	return true;
}

/* Close what link_fence() has parted; true: the peer has no part in it any more. */
static bool link_close(struct kmcl_channel *ch)
{
	struct kmcl_link *link = ch->closing;
	struct kmcl_step step;
	int ret;

	if (link->ops->leave)
		link->ops->leave(link);
	mutex_lock(&ch->control);
	if (link->unshare_first)
		kmcl_gpadls_unshare(ch);
	kmcl_step_begin(&step, ch, "the host to close the channel");
	ret = link->ops->close(link);
	if (ret && ret != -EINPROGRESS)
		kmcl_err(ch, "the rings could not be closed; their memory stays with the host\n");
	kmcl_step_end(&step);
	/* a server that still maps one lets go when the channel closes */
	kmcl_gpadls_unshare(ch);
	mutex_unlock(&ch->control);
	return !ret;
}

static void link_end(struct kmcl_channel *ch, NTSTATUS status, bool closed)
{
	kmcl_tx_abort_lent(ch, status, closed);
	kmcl_bounce_finish(ch);
	link_set(ch, KMCL_LINK_NONE);
}

/**
 * kmcl_link_down() - take the rings away
 * @ch: channel
 * @status: how outgoing packets end
 *
 * Idempotent; returns when the rings are closed, whoever closed them.  Waits
 * for the peer's answer to the close, never for a packet of the peer nor for a
 * sleeping callback of the driver.
 *
 * Context: process.
 */
void kmcl_link_down(struct kmcl_channel *ch, NTSTATUS status)
{
	bool closed;

	if (!link_fence(ch, status))
		return;
	/* their rings close with these */
	kmcl_subs_cut(ch, status);
	closed = link_close(ch);
	kmcl_subs_cut_end(ch, status, closed);
	link_end(ch, status, closed);
}

/**
 * kmcl_link_part() - as kmcl_link_down(), but leave the rings open
 * @ch: channel
 * @status: how outgoing packets end
 *
 * Context: process.
 * Return: false: they are gone.
 */
bool kmcl_link_part(struct kmcl_channel *ch, NTSTATUS status)
{
	if (!link_fence(ch, status))
		return false;
	link_end(ch, status, true);
	return true;
}

/**
 * kmcl_link_cut() - as kmcl_link_down(), for rings that close with the primary's
 * @ch: sub-channel whose primary is closing
 * @status: how outgoing packets end
 *
 * Until kmcl_link_cut_end() the link counts as closing, and external data in
 * flight are the peer's.
 *
 * Context: process.
 */
void kmcl_link_cut(struct kmcl_channel *ch, NTSTATUS status)
{
	ch->cut = link_fence(ch, status);
	if (ch->cut)
		link_close(ch);
}

/**
 * kmcl_link_cut_end() - the primary has closed
 * @ch: sub-channel, after kmcl_link_cut()
 * @status: the same
 * @closed: it has really closed
 *
 * Context: process.
 */
void kmcl_link_cut_end(struct kmcl_channel *ch, NTSTATUS status, bool closed)
{
	if (!ch->cut)
		return;
	ch->cut = false;
	link_end(ch, status, closed);
}

/**
 * kmcl_link_refused() - a packet was not written, with -ENODEV
 * @ch: channel
 *
 * Context: any up to softirq, inside an RCU read side section.
 */
void kmcl_link_refused(struct kmcl_channel *ch)
{
	/* NULL: it is being closed already */
	struct kmcl_link *link = rcu_dereference(ch->link);

	if (link && link->ops->refused)
		link->ops->refused(link);
}

/**
 * kmcl_poison() - the peer broke the rules, or the driver says so
 * @ch: channel
 * @why: what is wrong, a constant phrase
 *
 * Traffic stops at once; a work item closes the rings and completes everything
 * with STATUS_DEVICE_REMOVED.
 *
 * Context: any up to softirq.
 */
void kmcl_poison(struct kmcl_channel *ch, const char *why)
{
	if (cmpxchg(&ch->poison, NULL, why))
		return;
	ch->stats.faults++;
	WRITE_ONCE(ch->last_poison, why);
	trace_kmcl_channel_poison(ch, why);
	kmcl_err(ch, "closing the channel: %s\n", why);
	kmcl_tx_off(ch);
	queue_work(ch->wq, &ch->poison_work);
}

static void poison_work(struct work_struct *work)
{
	struct kmcl_channel *ch = container_of(work, struct kmcl_channel, poison_work);

	kmcl_link_down(ch, STATUS_DEVICE_REMOVED);
	mod_delayed_work(ch->wq, &ch->life_work, 0);
}

/**
 * kmcl_link_is_up() - is there anything to start?
 * @ch: channel
 *
 * Return: false when the rings are gone, or about to be.
 */
bool kmcl_link_is_up(struct kmcl_channel *ch)
{
	return READ_ONCE(ch->link_state) == KMCL_LINK_UP &&
	       !READ_ONCE(ch->poison) && !READ_ONCE(ch->stopping);
}

void kmcl_link_init(struct kmcl_channel *ch)
{
	INIT_WORK(&ch->poison_work, poison_work);
}
