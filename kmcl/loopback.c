// SPDX-License-Identifier: GPL-2.0
/*
 * The loopback: a bus within the kernel, whose servers and clients are channels of
 * this library.
 *
 * To servers it is a provider, to clients a transport.  Between them are real rings
 * with the packets of the wire, in memory that the client describes by frames, so
 * that neither end can tell it from another bus.
 *
 * A client channel looks here first (life.c).  While it waits, here or for another
 * transport, it is watched for: an offer that fits makes it look again.
 *
 * Locks.  lo_lock guards the lists and who is joined to whom; it is the innermost.
 * A client's lock is held while the client tells the server's side something, so
 * that the offer stays; what answers comes through lo_lock alone.
 */
#include <linux/completion.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "compat.h"
#include "kmcl.h"
#include "server.h"

/**
 * struct lo_client - a client channel that has found an offer
 * @rings: its end
 * @lock: @offer, and around each kmcl_offer_*() call but signals
 * @offer: the offer; NULL once it was rescinded
 * @lo: the same, for who parts the two; lo_lock
 * @parted: whoever rescinds has nothing more to do with this
 * @target: the client channel's
 * @opened: kmcl_offer_open() is answered, or never will be
 * @result: how
 * @torn_down: kmcl_offer_gpadl_teardown() is answered, or never will be
 * @next_gpadl: number for the next GPADL
 * @ring_gpadl: number of the rings'
 * @memory: of the rings
 */
struct lo_client {
	struct kmcl_rings rings;
	struct mutex lock;	/* outside everything of the server's */
	struct kmcl_offer *offer;
	struct lo_offer *lo;
	struct completion parted;
	struct kmcl_target *target;
	struct completion opened;
	int result;
	struct completion torn_down;
	u32 next_gpadl;
	u32 ring_gpadl;
	void *memory;
};

/**
 * struct lo_offer - an offer, and who has it
 * @node: in the list of offers; lo_lock
 * @offer: the offer
 * @client: lo_lock; read by signals inside an RCU read side section
 */
struct lo_offer {
	struct list_head node;
	struct kmcl_offer *offer;
	struct lo_client __rcu *client;
};

static DEFINE_SPINLOCK(lo_lock);
static LIST_HEAD(offers);
static LIST_HEAD(watchers);		/* struct kmcl_target */

static struct lo_client *client_of(struct kmcl_link *link)
{
	return container_of(link, struct lo_client, rings.link);
}

static struct lo_client *joined(struct lo_offer *lo)
{
	return rcu_dereference_protected(lo->client, lockdep_is_held(&lo_lock));
}

/* ---- who fits whom ---- */

static bool target_fits(const struct kmcl_target *t, const struct kmcl_offer *offer)
{
	if (t->sub_index != offer->sub_index)
		return false;
	/* a sub-channel's GUIDs are its primary's */
	if (t->primary)
		return t->primary->has_type && guid_equal(&t->primary->type, &offer->type) &&
		       guid_equal(&t->primary->active, &offer->instance);
	return t->has_type && guid_equal(&t->type, &offer->type) &&
	       (t->any_instance || guid_equal(&t->instance, &offer->instance));
}

/**
 * kmcl_loopback_watch() - have a client look again when something fits
 * @t: its target, which waits; in the list already is all right
 *
 * Context: process.
 */
void kmcl_loopback_watch(struct kmcl_target *t)
{
	spin_lock(&lo_lock);
	if (list_empty(&t->watch))
		list_add_tail(&t->watch, &watchers);
	spin_unlock(&lo_lock);
}

/**
 * kmcl_loopback_unwatch() - it waits no more
 * @t: its target; kmcl_target_retry() is not called for it after this
 *
 * Context: process.
 */
void kmcl_loopback_unwatch(struct kmcl_target *t)
{
	spin_lock(&lo_lock);
	list_del_init(&t->watch);
	spin_unlock(&lo_lock);
}

/* Called with lo_lock. */
static void retry_watchers(const struct kmcl_offer *offer)
{
	struct kmcl_target *t;

	list_for_each_entry(t, &watchers, watch)
		if (target_fits(t, offer))
			kmcl_target_retry(t);
}

/**
 * kmcl_loopback_retry() - have everybody who waits look again
 *
 * A transport has come.  Context: process.
 */
void kmcl_loopback_retry(void)
{
	struct kmcl_target *t;

	spin_lock(&lo_lock);
	list_for_each_entry(t, &watchers, watch)
		kmcl_target_retry(t);
	spin_unlock(&lo_lock);
}

/* ---- the provider ---- */

static int lo_host_offer(struct kmcl_host *host, struct kmcl_offer *offer)
{
	struct lo_offer *lo = kzalloc(sizeof(*lo), GFP_KERNEL), *other;

	if (!lo)
		return -ENOMEM;
	lo->offer = offer;
	offer->private = lo;
	spin_lock(&lo_lock);
	list_for_each_entry(other, &offers, node) {
		if (!guid_equal(&other->offer->type, &offer->type) ||
		    !guid_equal(&other->offer->instance, &offer->instance) ||
		    other->offer->sub_index != offer->sub_index)
			continue;
		spin_unlock(&lo_lock);
		kfree(lo);
		return -EEXIST;
	}
	list_add_tail(&lo->node, &offers);
	retry_watchers(offer);
	spin_unlock(&lo_lock);
	return 0;
}

static void lo_host_rescind(struct kmcl_host *host, struct kmcl_offer *offer)
{
	struct lo_offer *lo = offer->private;
	struct lo_client *client;

	/* parted under lo_lock by one of us: here, or in lo_release() */
	spin_lock(&lo_lock);
	list_del(&lo->node);
	client = joined(lo);
	rcu_assign_pointer(lo->client, NULL);
	if (client)
		client->lo = NULL;
	spin_unlock(&lo_lock);
	if (client) {
		mutex_lock(&client->lock);
		WRITE_ONCE(client->offer, NULL);
		mutex_unlock(&client->lock);
		client->result = -ENODEV;
		complete_all(&client->opened);
		complete_all(&client->torn_down);
		/*
		 * A client closes its sub-channels with their primary, and that waits
		 * for the server, which is here: so here nobody waits for them.
		 */
		if (offer->sub_index)
			kmcl_target_lost(client->target);
		else
			kmcl_target_gone(client->target);
		complete(&client->parted);
	}
	/* signals, either way */
	synchronize_rcu();
	kfree(lo);
}

static void lo_host_opened(struct kmcl_host *host, struct kmcl_offer *offer, int err)
{
	struct lo_offer *lo = offer->private;
	struct lo_client *client;

	spin_lock(&lo_lock);
	client = joined(lo);
	if (client) {
		client->result = err;
		complete(&client->opened);
	}
	spin_unlock(&lo_lock);
}

/* One at a time is waited for. */
static void lo_host_torn_down(struct kmcl_host *host, struct kmcl_offer *offer, u32 handle)
{
	struct lo_offer *lo = offer->private;
	struct lo_client *client;

	spin_lock(&lo_lock);
	client = joined(lo);
	if (client)
		complete(&client->torn_down);
	spin_unlock(&lo_lock);
}

static void lo_host_signal(struct kmcl_host *host, struct kmcl_offer *offer)
{
	struct lo_offer *lo = offer->private;
	struct lo_client *client;

	rcu_read_lock();
	client = rcu_dereference(lo->client);
	if (client)
		kmcl_rings_event(&client->rings);
	rcu_read_unlock();
}

static const struct kmcl_host_ops lo_host_ops = {
	.offer		= lo_host_offer,
	.rescind	= lo_host_rescind,
	.opened		= lo_host_opened,
	.torn_down	= lo_host_torn_down,
	.signal		= lo_host_signal,
};

struct kmcl_host kmcl_loopback = {
	.name	= "loopback",
	.owner	= THIS_MODULE,
	.ops	= &lo_host_ops,
};

/* ---- a client's link ---- */

/* Frame numbers of memory at a kernel address, for kvfree(). */
static u64 *frames_of(const void *memory, u32 count)
{
	u64 *frames = kvmalloc_array(count, sizeof(*frames), GFP_KERNEL | __GFP_NOWARN);
	u32 i;

	for (i = 0; frames && i < count; i++) {
		const void *at = memory + (size_t)i * KMCL_PAGE_SIZE;

		frames[i] = kmcl_is_mapped_by_page(at) ? vmalloc_to_pfn(at) :
							 page_to_pfn(virt_to_page(at));
	}
	return frames;
}

/* Called with client->lock. */
static int describe(struct lo_client *client, const void *memory, u32 bytes, u32 *handle)
{
	u32 count = bytes / KMCL_PAGE_SIZE;
	u64 *frames;
	int ret;

	if (!client->offer)
		return -ENODEV;
	frames = frames_of(memory, count);
	if (!frames)
		return -ENOMEM;
	/* a number that is in use, after four billion of them: try the next time */
	*handle = ++client->next_gpadl ?: ++client->next_gpadl;
	ret = kmcl_offer_gpadl(client->offer, *handle, 0, bytes, frames, count);
	kvfree(frames);
	return ret;
}

/* Waits for the server, without limit; one at a time. */
static void take_back(struct lo_client *client, u32 handle)
{
	int ret = 0;

	mutex_lock(&client->lock);
	if (client->offer) {
		reinit_completion(&client->torn_down);
		ret = kmcl_offer_gpadl_teardown(client->offer, handle);
	}
	mutex_unlock(&client->lock);
	if (ret == -EINPROGRESS)
		wait_for_completion(&client->torn_down);
}

static int lo_open(struct kmcl_link *link, u32 out_bytes, u32 in_bytes)
{
	struct lo_client *client = client_of(link);
	struct kmcl_rings_place place = {
		.first = out_bytes + KMCL_PAGE_SIZE,
		.second = in_bytes + KMCL_PAGE_SIZE,
	};
	struct kmcl_offer_open open = {
		.downstream_page = place.first / KMCL_PAGE_SIZE,
	};
	struct kmcl_ring_ctl *ctl;
	bool described;
	int ret;

	/* whoever opens says what could not be had */
	place.memory = __vmalloc((size_t)place.first + place.second,
				 GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN);
	if (!place.memory)
		return -ENOMEM;
	/* we honour the other side's wish for room */
	ctl = place.memory;
	ctl->feature_bits = cpu_to_le32(1);
	ctl = place.memory + place.first;
	ctl->feature_bits = cpu_to_le32(1);
	/* before the server can signal */
	kmcl_rings_open(&client->rings, &place, false);

	mutex_lock(&client->lock);
	ret = describe(client, place.memory, place.first + place.second, &open.gpadl);
	described = !ret;
	if (described) {
		reinit_completion(&client->opened);
		ret = kmcl_offer_open(client->offer, &open);
	}
	mutex_unlock(&client->lock);
	if (!ret) {
		wait_for_completion(&client->opened);
		ret = READ_ONCE(client->result);
	}
	if (ret) {
		kmcl_rings_close(&client->rings);
		if (described)
			take_back(client, open.gpadl);
		vfree(place.memory);
		return ret;
	}
	client->memory = place.memory;
	client->ring_gpadl = open.gpadl;
	link->share_max = INT_MAX & ~(KMCL_PAGE_SIZE - 1);
	return 0;
}

/* A server that keeps a GPADL mapped lets go of it when its client closes. */
static void lo_leave(struct kmcl_link *link)
{
	struct lo_client *client = client_of(link);

	mutex_lock(&client->lock);
	if (client->offer)
		kmcl_offer_close(client->offer);
	mutex_unlock(&client->lock);
}

static int lo_close(struct kmcl_link *link)
{
	struct lo_client *client = client_of(link);

	kmcl_rings_close(&client->rings);
	take_back(client, client->ring_gpadl);
	vfree(client->memory);
	client->memory = NULL;
	return 0;
}

static void lo_signal(struct kmcl_rings *rings)
{
	struct lo_client *client = client_of(&rings->link);
	struct kmcl_offer *offer;

	rcu_read_lock();
	offer = READ_ONCE(client->offer);
	if (offer)
		kmcl_offer_signal(offer);
	rcu_read_unlock();
}

/* The server is in the same kernel. */
static dma_addr_t lo_map(struct kmcl_link *link, phys_addr_t phys, u32 bytes,
			 enum dma_data_direction dir)
{
	return phys;
}

static void lo_unmap(struct kmcl_link *link, dma_addr_t addr, u32 bytes,
		     enum dma_data_direction dir)
{
}

static int lo_share(struct kmcl_link *link, void *memory, u32 bytes, u32 *handle, bool *shown)
{
	struct lo_client *client = client_of(link);
	int ret;

	mutex_lock(&client->lock);
	ret = describe(client, memory, bytes, handle);
	mutex_unlock(&client->lock);
	return ret;
}

static int lo_unshare(struct kmcl_link *link, u32 handle, void *memory, u32 bytes, bool shown)
{
	take_back(client_of(link), handle);
	return 0;
}

static void *lo_bounce_alloc(struct kmcl_link *link, u32 bytes, dma_addr_t *addr)
{
	void *memory = alloc_pages_exact(bytes, GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN);

	if (memory)
		*addr = virt_to_phys(memory);
	return memory;
}

static void lo_bounce_free(struct kmcl_link *link, void *memory, u32 bytes, dma_addr_t addr)
{
	free_pages_exact(memory, bytes);
}

static const struct kmcl_link_ops lo_link_ops = {
	.open		= lo_open,
	.leave		= lo_leave,
	.close		= lo_close,
	.send		= kmcl_rings_send,
	.send_external	= kmcl_rings_send_external,
	.map		= lo_map,
	.unmap		= lo_unmap,
	.want_room	= kmcl_rings_want_room,
	.out_used	= kmcl_rings_out_used,
	.consumed	= kmcl_rings_consumed,
	.mask		= kmcl_rings_mask,
	.unmask		= kmcl_rings_unmask,
	.kick		= kmcl_rings_kick,
	.share		= lo_share,
	.unshare	= lo_unshare,
	.bounce_alloc	= lo_bounce_alloc,
	.bounce_free	= lo_bounce_free,
};

/* ---- the transport ---- */

static struct lo_client *client_new(struct kmcl_target *t)
{
	struct lo_client *client = kzalloc(sizeof(*client), GFP_KERNEL);

	if (!client)
		return NULL;
	kmcl_rings_init(&client->rings, &lo_link_ops, lo_signal);
	mutex_init(&client->lock);
	init_completion(&client->parted);
	init_completion(&client->opened);
	init_completion(&client->torn_down);
	client->target = t;
	return client;
}

/* Called with lo_lock. -EINPROGRESS: nothing fits; -EBUSY: it has a client. */
static int join(struct kmcl_target *t, struct lo_client *client)
{
	const struct lo_client *other;
	int ret = -EINPROGRESS;
	struct lo_offer *lo;

	list_for_each_entry(lo, &offers, node) {
		if (!target_fits(t, lo->offer))
			continue;
		other = joined(lo);
		if (other) {
			if (!t->any_instance)
				pr_err("kmcl: %s: the loopback's offer belongs to %s already\n",
				       t->name, other->target->name);
			ret = -EBUSY;
			continue;
		}
		client->lo = lo;
		client->offer = lo->offer;
		t->active = lo->offer->instance;
		t->active_type = lo->offer->type;
		t->pipe = lo->offer->pipe;
		t->link = &client->rings.link;
		rcu_assign_pointer(lo->client, client);
		return 0;
	}
	/* one of them may become free */
	return t->any_instance ? -EINPROGRESS : ret;
}

static int lo_claim(struct kmcl_target *t)
{
	struct lo_client *client;
	int ret;

	if (!t->has_type && !t->primary)
		return -EINPROGRESS;
	client = client_new(t);
	if (!client)
		return -ENOMEM;
	spin_lock(&lo_lock);
	ret = join(t, client);
	spin_unlock(&lo_lock);
	if (!ret)
		return 0;
	kfree(client);
	return ret;
}

static void lo_release(struct kmcl_target *t)
{
	struct lo_client *client;
	bool mine;

	if (!t->link)
		return;
	client = client_of(t->link);
	spin_lock(&lo_lock);
	mine = client->lo;
	if (mine)
		rcu_assign_pointer(client->lo->client, NULL);
	client->lo = NULL;
	/* somebody else may wait for it */
	if (mine)
		retry_watchers(client->offer);
	spin_unlock(&lo_lock);
	if (!mine)
		wait_for_completion(&client->parted);
	/* signals of the server's */
	synchronize_rcu();
	tasklet_kill(&client->rings.tasklet);
	t->link = NULL;
	kfree(client);
}

/* The loopback does not hibernate. */
static void lo_settled(struct kmcl_target *t)
{
}

struct kmcl_transport kmcl_loopback_transport = {
	.name		= "loopback",
	.owner		= THIS_MODULE,
	.claim		= lo_claim,
	.release	= lo_release,
	.settled	= lo_settled,
};
