// SPDX-License-Identifier: GPL-2.0
/*
 * Sub-channels: what ties them to their primary.
 *
 * A sub-channel is a channel like any other, with a life, a link and packets of
 * its own, but its rings live inside its primary's: it can be enabled from the
 * primary's Opened on, it runs only while the primary does, and it is disabled
 * before the primary closes.  So with primary P and sub-channel S:
 *
 *	Enable P	P Opened Started PostStarted
 *	Enable S	S Opened Started PostStarted, now or when it is offered
 *	Pause P		S Suspend, P Suspend
 *	Start P		P Started PostStarted, S Started PostStarted
 *	Disable P	S Suspend Closed, P Suspend Closed
 *
 * and the same order, with the rings of all of them cut first, when the peer
 * takes the primary away.  A sub-channel that the peer takes away alone, or that
 * is disabled alone, leaves the others as they are.
 *
 * Who owns a primary's life may take the life of its sub-channels, never the
 * reverse: an operation on the primary is refused inside a callback of a
 * sub-channel.  Cutting the links (kmcl_subs_cut()) needs no life at all.
 *
 * The list of sub-channels is a klist: who walks it may wait at each of them,
 * and Cleanup of one waits until nobody looks at it.
 */
#include <linux/export.h>
#include "kmcl.h"

struct kmcl_channel *kmcl_next_sub(struct klist_iter *iter)
{
	struct klist_node *node = klist_next(iter);

	return node ? container_of(node, struct kmcl_channel, sub_node) : NULL;
}

/* Call @visit for every sub-channel, with its life owned. */
void kmcl_each_sub(struct kmcl_channel *ch, void (*visit)(struct kmcl_channel *sub))
{
	struct kmcl_channel *sub;
	struct klist_iter iter;

	klist_iter_init(&ch->subs, &iter);
	while ((sub = kmcl_next_sub(&iter))) {
		kmcl_life_enter(sub);
		visit(sub);
		kmcl_life_leave(sub);
	}
	klist_iter_exit(&iter);
}

/**
 * kmcl_subs_cut() - take the rings of every sub-channel away
 * @ch: primary whose link is closing, so that none can open any more
 * @status: how outgoing packets end
 *
 * Context: process.
 */
void kmcl_subs_cut(struct kmcl_channel *ch, NTSTATUS status)
{
	struct kmcl_channel *sub;
	struct klist_iter iter;

	klist_iter_init(&ch->subs, &iter);
	while ((sub = kmcl_next_sub(&iter)))
		kmcl_link_cut(sub, status);
	klist_iter_exit(&iter);
}

/**
 * kmcl_subs_cut_end() - the rings of every sub-channel are closed
 * @ch: primary, after kmcl_subs_cut() and its own close
 * @status: as for kmcl_subs_cut()
 * @closed: the close succeeded
 *
 * Context: process.
 */
void kmcl_subs_cut_end(struct kmcl_channel *ch, NTSTATUS status, bool closed)
{
	struct kmcl_channel *sub;
	struct klist_iter iter;

	klist_iter_init(&ch->subs, &iter);
	while ((sub = kmcl_next_sub(&iter)))
		kmcl_link_cut_end(sub, status, closed);
	klist_iter_exit(&iter);
}

/**
 * kmcl_subs_disable() - disable every sub-channel
 * @ch: primary whose life the caller owns; it closes or has closed
 *
 * None can be enabled from here on. Context: process.
 */
void kmcl_subs_disable(struct kmcl_channel *ch)
{
	struct kmcl_channel *sub;
	struct klist_iter iter;

	/* who owns a sub-channel's life looks at it, and is waited for below */
	WRITE_ONCE(ch->subs_open, false);
	WRITE_ONCE(ch->subs_run, false);
	WRITE_ONCE(ch->subs_asleep, false);
	klist_iter_init(&ch->subs, &iter);
	while ((sub = kmcl_next_sub(&iter)))
		kmcl_take_down(sub);
	klist_iter_exit(&iter);
}

static void pause_sub(struct kmcl_channel *sub)
{
	if (sub->state == KMCL_OPEN && sub->running)
		kmcl_suspend(sub);
}

/**
 * kmcl_subs_pause() - pause every sub-channel that runs
 * @ch: primary whose life the caller owns
 *
 * Context: process.
 */
void kmcl_subs_pause(struct kmcl_channel *ch)
{
	WRITE_ONCE(ch->subs_run, false);
	kmcl_each_sub(ch, pause_sub);
}

static void start_sub(struct kmcl_channel *sub)
{
	if (sub->state == KMCL_OPEN && !sub->running && kmcl_may_run(sub))
		kmcl_start(sub);
}

/**
 * kmcl_subs_start() - start every sub-channel that is not paused on its own
 * @ch: primary whose life the caller owns, running
 *
 * Context: process.
 */
void kmcl_subs_start(struct kmcl_channel *ch)
{
	kmcl_each_sub(ch, start_sub);
}

/**
 * kmcl_in_sub_callback() - is this a callback of a sub-channel?
 * @ch: the primary
 *
 * Return: true when the caller stands in a state callback or in ProcessPacket
 * of one: whatever waits for the primary waits for that.
 */
bool kmcl_in_sub_callback(struct kmcl_channel *ch)
{
	struct kmcl_channel *sub;
	struct klist_iter iter;
	bool inside = false;

	klist_iter_init(&ch->subs, &iter);
	while (!inside && (sub = kmcl_next_sub(&iter)))
		inside = kmcl_life_is_mine(sub) || READ_ONCE(sub->rx.worker_task) == current;
	klist_iter_exit(&iter);
	return inside;
}

/**
 * kmcl_sub_orphaned() - may this channel not be enabled, for want of a primary?
 * @ch: any channel whose life the caller owns
 *
 * Return: true for a sub-channel whose primary is not open.
 */
bool kmcl_sub_orphaned(struct kmcl_channel *ch)
{
	return ch->sub_index && !(ch->primary && READ_ONCE(ch->primary->subs_open));
}

/* ---- configuration, and the end of it ---- */

static struct lock_class_key sub_control_class, server_sub_control_class;

NTSTATUS VmbChannelInitSetPrimaryChannel(VMBCHANNEL Channel, VMBCHANNEL PrimaryChannel,
					 UINT16 SubChannelIndex)
{
	struct kmcl_channel *primary = kmcl_channel(PrimaryChannel);
	struct kmcl_channel *ch = kmcl_channel_disabled(Channel);

	/* one level only: a primary has none above it */
	if (!ch || ch->has_subs)
		return STATUS_INVALID_PARAMETER_1;
	if (ch->sub_index || !primary || primary == ch || primary->sub_index ||
	    !primary->server != !ch->server)
		return STATUS_INVALID_PARAMETER_2;
	if (!SubChannelIndex)
		return STATUS_INVALID_PARAMETER_3;
	/* the primary's is held while those of its sub-channels are waited for */
	if (ch->server)
		lockdep_set_class(&ch->control, &server_sub_control_class);
	else
		lockdep_set_class(&ch->control, &sub_control_class);
	ch->primary = primary;
	ch->primary_number = primary->number;
	ch->sub_index = SubChannelIndex;
	ch->target.primary = &primary->target;
	ch->target.sub_index = SubChannelIndex;
	primary->has_subs = true;
	kmcl_channel_name(ch);
	klist_add_tail(&ch->sub_node, &primary->subs);
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetPrimaryChannel);

static void orphan(struct kmcl_channel *sub)
{
	/* with its life owned: enable() looks at it */
	sub->primary = NULL;
	sub->target.primary = NULL;
}

/**
 * kmcl_sub_exit() - part a channel from its primary and its sub-channels
 * @ch: disabled channel that is being cleaned up
 *
 * Sub-channels that are left are disabled already; they can only be cleaned up.
 */
void kmcl_sub_exit(struct kmcl_channel *ch)
{
	struct kmcl_channel *sub;
	struct klist_iter iter;
	unsigned int left = 0;

	if (ch->primary)
		klist_remove(&ch->sub_node);
	ch->primary = NULL;

	klist_iter_init(&ch->subs, &iter);
	while ((sub = kmcl_next_sub(&iter))) {
		kmcl_life_enter(sub);
		orphan(sub);
		klist_del(&sub->sub_node);
		kmcl_life_leave(sub);
		left++;
	}
	klist_iter_exit(&iter);
	if (left)
		kmcl_warn(ch, "VmbChannelCleanup: %u sub-channels left; they cannot be enabled any more\n",
			  left);
}

void kmcl_sub_init(struct kmcl_channel *ch)
{
	klist_init(&ch->subs, NULL, NULL);
}
