// SPDX-License-Identifier: GPL-2.0
/*
 * Hibernation: the host forgets its channels while the guest lies on disk.
 *
 * To the driver a channel that sleeps is closed and comes back: Suspend and
 * Closed before, Opened, Started and PostStarted after.  To Enable it is enabled
 * all the time, and sends wait for it.  The state is ASLEEP:
 *
 *	OPEN ----Suspend, drain, close, Closed----> ASLEEP
 *	OPEN <---------open, Opened, Started------- ASLEEP
 *	OPEN <-Started- (aborted before the close)
 *
 * The transport asks (kmcl_target_sleep(), kmcl_target_wake()) and waits, with a
 * limit, until the channel has settled; it never waits for longer, because it is
 * called by a system on its way to sleep.  The channel's own work does what was
 * asked, since the driver's callbacks may take their time, or wait for somebody
 * who is frozen.  While it waits for the driver it looks whether it is still
 * wanted to sleep; if not, traffic goes on.  After the close there is no way
 * back but the one through ASLEEP.
 *
 * Sub-channels are quiet before their primary, which closes the rings of all;
 * Closed comes in the same order.  They are found again, or waited for, after the
 * primary has started: the host offers them anew when the protocol asks.
 */
#include <linux/export.h>
#include "kmcl.h"
#include "observe.h"

/* The channel that the transport talks to. */
static struct kmcl_channel *upper(struct kmcl_channel *ch)
{
	return ch->primary ?: ch;
}

/**
 * kmcl_roused() - has the system changed its mind?
 * @ch: channel
 *
 * Return: true while @ch falls asleep and is not wanted to any more: whoever
 * waits for the driver gives up.
 */
bool kmcl_roused(struct kmcl_channel *ch)
{
	return READ_ONCE(ch->falling) && !READ_ONCE(upper(ch)->sleep_wanted);
}

/* Like kmcl_suspend(), but it may give up; then traffic has to be started again. */
static bool quiesce(struct kmcl_channel *ch)
{
	kmcl_rx_shut_gate(ch);
	kmcl_rx_wait_idle(ch);
	if (kmcl_roused(ch)) {
		if (ch->running)
			kmcl_rx_open_gate(ch);
		return false;
	}
	kmcl_tx_set(ch, KMCL_TX_RUN, KMCL_TX_HOLD);
	if (ch->running)
		kmcl_call_suspend(ch);
	kmcl_set_running(ch, false);
	kmcl_rx_wait_driver(ch);
	return !kmcl_roused(ch);
}

/* The channel is quiet, rings open; false: it gave up, or the driver is not done. */
static bool quiet(struct kmcl_channel *ch)
{
	bool ok;

	WRITE_ONCE(ch->falling, true);
	/* the driver may wait for answers before it is quiet */
	ch->cancelled = false;
	queue_delayed_work(ch->wq, &ch->impatient_work, KMCL_PATIENCE);
	ok = quiesce(ch);
	cancel_delayed_work_sync(&ch->impatient_work);
	WRITE_ONCE(ch->falling, false);
	return ok;
}

/* The rings are closed: what is left between OPEN and ASLEEP. */
static void close_for_sleep(struct kmcl_channel *ch)
{
	/* at once, unless the link went before it was quiet */
	kmcl_suspend(ch);
	kmcl_call_closed(ch);
	/* Enable inside Closed: it is enabled */
	ch->reenable = false;
	kmcl_rest(ch);
	kmcl_tx_set(ch, KMCL_TX_OFF, KMCL_TX_HOLD);
}

/* ---- sub-channels ---- */

static bool subs_quiet(struct kmcl_channel *ch)
{
	struct kmcl_channel *sub;
	struct klist_iter iter;
	bool ok = true;

	klist_iter_init(&ch->subs, &iter);
	while (ok && (sub = kmcl_next_sub(&iter))) {
		ok = kmcl_life_enter_unless(sub, ch);
		if (!ok)
			break;
		if (sub->state == KMCL_OPEN)
			ok = quiet(sub);
		kmcl_life_leave(sub);
	}
	klist_iter_exit(&iter);
	return ok;
}

static void sub_sleep(struct kmcl_channel *sub)
{
	if (sub->state == KMCL_OPEN)
		close_for_sleep(sub);
	else if (sub->state != KMCL_WAITING)
		return;
	/* what it was attached to is gone */
	kmcl_unclaim(sub);
	kmcl_set_state(sub, KMCL_ASLEEP);
}

/**
 * kmcl_subs_wake() - have the sub-channels look for their offers again
 * @ch: primary whose life the caller owns, open again
 */
void kmcl_subs_wake(struct kmcl_channel *ch)
{
	struct kmcl_channel *sub;
	struct klist_iter iter;

	if (!ch->subs_asleep)
		return;
	WRITE_ONCE(ch->subs_asleep, false);
	klist_iter_init(&ch->subs, &iter);
	while ((sub = kmcl_next_sub(&iter))) {
		kmcl_life_enter(sub);
		if (sub->state == KMCL_ASLEEP)
			kmcl_wake_sub(sub);
		kmcl_life_leave(sub);
	}
	klist_iter_exit(&iter);
}

/* ---- the channel's own work ---- */

static void fall_asleep(struct kmcl_channel *ch)
{
	/* who enables a sub-channel from here on finds it asleep, who starts it waits */
	WRITE_ONCE(ch->subs_asleep, true);
	WRITE_ONCE(ch->subs_run, false);
	if (!(subs_quiet(ch) && quiet(ch)) && READ_ONCE(ch->link_state) == KMCL_LINK_UP) {
		kmcl_warn(ch, "awake again before it slept\n");
		if (ch->running) {
			WRITE_ONCE(ch->subs_run, true);
			kmcl_subs_start(ch);
		} else if (kmcl_may_run(ch)) {
			kmcl_start(ch);
		}
		kmcl_subs_wake(ch);
		return;
	}
	kmcl_link_down(ch, STATUS_CANCELLED);
	WRITE_ONCE(ch->subs_open, false);
	kmcl_each_sub(ch, sub_sleep);
	close_for_sleep(ch);
	kmcl_set_state(ch, KMCL_ASLEEP);
}

/**
 * kmcl_fall_asleep() - what the transport has asked for
 * @ch: channel whose life the caller owns; no sub-channel
 *
 * Gives up when it is not wanted any more. Context: process.
 */
void kmcl_fall_asleep(struct kmcl_channel *ch)
{
	switch (ch->state) {
	case KMCL_DISABLED:
	case KMCL_ASLEEP:
		break;
	case KMCL_WAITING:
		/* found, and not opened yet */
		if (ch->target.link)
			kmcl_set_state(ch, KMCL_ASLEEP);
		break;
	case KMCL_OPEN:
		fall_asleep(ch);
		break;
	}
}

/**
 * kmcl_settle() - tell the transport how far it is
 * @ch: channel whose life the caller owns
 */
void kmcl_settle(struct kmcl_channel *ch)
{
	WRITE_ONCE(ch->asleep, ch->state == KMCL_ASLEEP);
	if (ch->transport && ch->target.link)
		ch->transport->settled(&ch->target);
}

/* ---- the transport ---- */

/**
 * kmcl_target_sleep() - the system is about to sleep
 * @target: with @target->link set
 *
 * The channel's work calls the transport's settled when kmcl_target_settled()
 * may have become true. Context: process.
 */
void kmcl_target_sleep(struct kmcl_target *target)
{
	struct kmcl_channel *ch = container_of(target, struct kmcl_channel, target);

	WRITE_ONCE(ch->sleep_wanted, true);
	mod_delayed_work(ch->wq, &ch->life_work, 0);
}
EXPORT_SYMBOL_GPL(kmcl_target_sleep);

/**
 * kmcl_target_wake() - the system is awake, or did not fall asleep
 * @target: with @target->link set
 *
 * Context: process.
 */
void kmcl_target_wake(struct kmcl_target *target)
{
	struct kmcl_channel *ch = container_of(target, struct kmcl_channel, target);
	struct kmcl_channel *sub;
	struct klist_iter iter;

	WRITE_ONCE(ch->sleep_wanted, false);
	wake_up_all(&ch->life_wait);
	klist_iter_init(&ch->subs, &iter);
	while ((sub = kmcl_next_sub(&iter)))
		wake_up_all(&sub->life_wait);
	klist_iter_exit(&iter);
	mod_delayed_work(ch->wq, &ch->life_work, 0);
}
EXPORT_SYMBOL_GPL(kmcl_target_wake);

/**
 * kmcl_target_settled() - is the channel where it was last asked to be?
 * @target: claimed
 *
 * Context: any.
 * Return: true when it sleeps and was asked to, or neither.
 */
bool kmcl_target_settled(const struct kmcl_target *target)
{
	const struct kmcl_channel *ch = container_of(target, struct kmcl_channel, target);

	return READ_ONCE(ch->asleep) == READ_ONCE(ch->sleep_wanted);
}
EXPORT_SYMBOL_GPL(kmcl_target_settled);
