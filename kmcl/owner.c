// SPDX-License-Identifier: GPL-2.0
/*
 * Who owns a channel's life, who may wait for it, and a line about who waits
 * for long.
 *
 * Ownership is a pointer and a wait queue, not a lock: no lock is held while
 * code of the driver runs, and whoever would wait for himself is seen.
 */
#include "compat.h"
#include "kmcl.h"

/* ---- waiting for somebody else ---- */

static void step_late(struct timer_list *t)
{
	struct kmcl_step *step = container_of(t, struct kmcl_step, timer);

	pr_warn("kmcl: %s: still waiting for %s after %u s\n", step->channel->name,
		step->what, KMCL_STEP_WARN / HZ);
}

void kmcl_step_begin(struct kmcl_step *step, struct kmcl_channel *ch, const char *what)
{
	step->channel = ch;
	step->what = what;
	timer_setup_on_stack(&step->timer, step_late, 0);
	mod_timer(&step->timer, jiffies + KMCL_STEP_WARN);
}

void kmcl_step_end(struct kmcl_step *step)
{
	timer_delete_sync(&step->timer);
	timer_destroy_on_stack(&step->timer);
}

/* ---- ownership of life ---- */

bool kmcl_life_try(struct kmcl_channel *ch)
{
	bool ok;

	spin_lock(&ch->life_lock);
	ok = !ch->life_owner;
	if (ok)
		ch->life_owner = current;
	spin_unlock(&ch->life_lock);
	return ok;
}

void kmcl_life_enter(struct kmcl_channel *ch)
{
	wait_event(ch->life_wait, kmcl_life_try(ch));
}

/* The same, unless the system wakes first; @ch: who has been asked to sleep. */
bool kmcl_life_enter_unless(struct kmcl_channel *sub, struct kmcl_channel *ch)
{
	bool mine = false;

	wait_event(sub->life_wait,
		   (mine = kmcl_life_try(sub)) || !READ_ONCE(ch->sleep_wanted));
	return mine;
}

void kmcl_life_leave(struct kmcl_channel *ch)
{
	spin_lock(&ch->life_lock);
	ch->life_owner = NULL;
	spin_unlock(&ch->life_lock);
	wake_up_all(&ch->life_wait);
}

/**
 * kmcl_may_sleep() - is this PASSIVE_LEVEL?
 * @ch: channel
 * @who: function name for the log line
 *
 * Return: false, with one line, above it.
 */
bool kmcl_may_sleep(struct kmcl_channel *ch, const char *who)
{
	if (!in_interrupt() && !irqs_disabled())
		return true;
	kmcl_err(ch, "%s above PASSIVE_LEVEL, ignored\n", who);
	return false;
}

/**
 * kmcl_passive() - may this caller wait for the channel?
 * @ch: channel
 * @who: function name for the log line
 *
 * Return: false, with one line, inside a callback of the channel that the
 * caller would wait for, or above PASSIVE_LEVEL.
 */
bool kmcl_passive(struct kmcl_channel *ch, const char *who)
{
	if (!kmcl_may_sleep(ch, who))
		return false;
	if (kmcl_life_is_mine(ch)) {
		kmcl_err(ch, "%s inside a state change callback, ignored\n", who);
		return false;
	}
	if (READ_ONCE(ch->rx.worker_task) == current) {
		kmcl_err(ch, "%s inside ProcessPacket, ignored\n", who);
		return false;
	}
	if (kmcl_in_sub_callback(ch)) {
		kmcl_err(ch, "%s inside a callback of a sub-channel, ignored\n", who);
		return false;
	}
	return true;
}
