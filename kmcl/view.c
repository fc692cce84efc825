// SPDX-License-Identifier: GPL-2.0
/* Looking at a channel without holding it up; see debugfs.c for the rules. */
#include <linux/percpu.h>
#include "kmcl.h"
#include "server.h"
#include "view.h"

/*
 * One word for what may be several: the later in this list hides the earlier.
 *
 *   disabled    Enable has not been called, or all is over
 *   restoring   a server's: of a save, and not enabled yet
 *   waiting     for the offer, or for a device to be free
 *   offered     a server's: for a client
 *   opening     the peer has been asked
 *   paused      open; nothing is delivered and sends wait
 *   running     open
 *   saving      stands still between SaveBegin and Start or Disable
 *   closing     the rings are going, or gone; the driver is told, or completes what it has
 *   poisoned    the same, and the reason is the peer's, or PacketFail
 *   asleep      the system hibernates
 */
static const char *state_name(const struct kmcl_channel *ch)
{
	enum kmcl_link_state link = READ_ONCE(ch->link_state);

	switch (READ_ONCE(ch->state)) {
	case KMCL_DISABLED:
		return READ_ONCE(ch->restore) || READ_ONCE(ch->unsettled) ? "restoring" :
									    "disabled";
	case KMCL_WAITING:
		if (link == KMCL_LINK_OPENING)
			return "opening";
		return ch->server ? "offered" : "waiting";
	case KMCL_ASLEEP:
		return "asleep";
	case KMCL_OPEN:
		break;
	}
	if (READ_ONCE(ch->poison))
		return "poisoned";
	if (link != KMCL_LINK_UP)
		return "closing";
	if (READ_ONCE(ch->save))
		return "saving";
	return READ_ONCE(ch->running) ? "running" : "paused";
}

static const char *link_name(enum kmcl_link_state state)
{
	switch (state) {
	case KMCL_LINK_NONE:
		return "none";
	case KMCL_LINK_OPENING:
		return "opening";
	case KMCL_LINK_UP:
		return "up";
	case KMCL_LINK_CLOSING:
		return "closing";
	}
	return "unknown";
}

/* Not the transport's own name, which goes with its module. */
static const char *transport_name(const struct kmcl_channel *ch)
{
	const struct kmcl_transport *t = READ_ONCE(ch->transport);

	if (!t)
		return "-";
	if (t == &kmcl_loopback_transport)
		return "loopback";
	if (t != &kmcl_server_transport)
		return "vmbus";
	return ch->server->flags & VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER ? "loopback" :
										   "provider";
}

/* The rings are the peer's too: what stands there is taken for no more than it can be. */
static void view_rings(struct kmcl_channel *ch, struct kmcl_view *view)
{
	struct kmcl_link *link;

	rcu_read_lock();
	link = rcu_dereference(ch->link);
	if (link) {
		view->in_bytes = link->in.size;
		kmcl_ring_avail(&link->in, &view->in_used);
		view->in_used = min(view->in_used, view->in_bytes);
		view->out_bytes = READ_ONCE(ch->tx.ring_bytes);
		if (link->ops->out_used)
			view->out_used = min(link->ops->out_used(link), view->out_bytes);
	}
	rcu_read_unlock();
}

static void view_packets(struct kmcl_channel *ch, struct kmcl_view *view)
{
	u32 i, n = smp_load_acquire(&ch->slots);	/* pairs with slots_grow() */
	struct kmcl_chunk *chunk = NULL;
	struct kmcl_slot *slot;

	for (i = 0; i < n; i++) {
		if (i % KMCL_SLOT_CHUNK == 0) {
			/* chunks stay as long as the channel, the list of them may move */
			spin_lock_bh(&ch->slot_lock);
			chunk = ch->chunks[i / KMCL_SLOT_CHUNK];
			spin_unlock_bh(&ch->slot_lock);
			cond_resched();
		}
		slot = &chunk->slots[i % KMCL_SLOT_CHUNK];
		view->counters.sent += READ_ONCE(slot->sent);
		view->counters.sent_bytes += READ_ONCE(slot->sent_bytes);
		switch (kmcl_word_state(atomic64_read(&slot->word))) {
		case KMCL_SLOT_SENT:
		case KMCL_SLOT_LENT:
			view->in_flight++;
			break;
		case KMCL_SLOT_QUEUED:
			view->queued++;
			break;
		default:
			break;
		}
	}
}

static void view_counters(struct kmcl_channel *ch, struct kmcl_counters *sum)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		const struct kmcl_counters *c = per_cpu_ptr(ch->tx.counters, cpu);

		sum->sent += READ_ONCE(c->sent);
		sum->sent_bytes += READ_ONCE(c->sent_bytes);
		sum->replies += READ_ONCE(c->replies);
		sum->reply_bytes += READ_ONCE(c->reply_bytes);
		sum->deferred += READ_ONCE(c->deferred);
		sum->aborted += READ_ONCE(c->aborted);
	}
}

static u32 count_subs(struct kmcl_channel *ch)
{
	struct klist_iter iter;
	u32 count = 0;

	klist_iter_init(&ch->subs, &iter);
	while (kmcl_next_sub(&iter))
		count++;
	klist_iter_exit(&iter);
	return count;
}

/**
 * kmcl_view() - look at a channel
 * @ch: channel; the caller has a reference on it
 * @view: filled in
 *
 * Context: process.
 */
void kmcl_view(struct kmcl_channel *ch, struct kmcl_view *view)
{
	memset(view, 0, sizeof(*view));
	view->number = ch->number;
	strscpy(view->name, ch->name, sizeof(view->name));
	strscpy(view->friendly, ch->config.friendly, sizeof(view->friendly));
	kmcl_channel_guids(ch, &view->type, &view->instance);
	view->server = ch->server;
	view->state = state_name(ch);
	view->link = link_name(READ_ONCE(ch->link_state));
	view->transport = transport_name(ch);
	view->primary = READ_ONCE(ch->primary_number);
	view->sub_index = READ_ONCE(ch->sub_index);
	view->subs = count_subs(ch);
	view_rings(ch, view);
	view->max_packets = READ_ONCE(ch->config.max_count);
	view->packets = READ_ONCE(ch->packets);
	view_packets(ch, view);
	view->quota = READ_ONCE(ch->rx.quota);
	view->held = atomic_read(&ch->rx.busy);
	view->at_driver = atomic_read(&ch->rx.delivered);
	kmcl_gpadls_sum(ch, &view->gpadls, &view->gpadl_bytes);
	view_counters(ch, &view->counters);
	view->stats = ch->stats;
	view->last_poison = READ_ONCE(ch->last_poison);
}
