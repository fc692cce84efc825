// SPDX-License-Identifier: GPL-2.0
/*
 * The host's side of the bus: what server channels offer, who has opened it, and
 * the memory that clients describe.
 *
 * To a server channel this is a transport.  Its claim is an offer and its release a
 * rescind; its target has arrived when a client opens and is gone when that
 * closes.  Below is a provider (include/kmcl/host.h), which carries the messages.
 *
 * Memory.  The rings, GPADLs and external data are the client's.  What keeps them
 * there is the protocol: a client may use its memory for something else when its
 * rings' GPADL has been torn down, and that is confirmed when the server has let
 * go of everything (kmcl_endpoint_rest(): after its packets have been completed and
 * Closed has returned).  Another GPADL is confirmed when it is not mapped.
 *
 * Locks.  ep->event is held while the channel is told that its client has gone, so
 * that the channel stays meanwhile; ep->lock, inside it, is never held around a
 * call of the provider or the channel.
 */
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <kmcl/status.h>
#include "compat.h"
#include "kmcl.h"
#include "server.h"

#define LENT_MAX	(1u << 20)	/* pages that one client may describe: 4 GiB */

static struct kmcl_endpoint *endpoint_of(struct kmcl_offer *offer)
{
	return container_of(offer, struct kmcl_endpoint, offer);
}

static struct kmcl_lent *lent_find(struct kmcl_endpoint *ep, u32 handle)
{
	return xa_load(&ep->lent, handle);
}

/* Called with ep->lock. */
static void lent_forget(struct kmcl_endpoint *ep, struct kmcl_lent *lent)
{
	xa_erase(&ep->lent, lent->handle);
	ep->lent_pages -= lent->count;
}

/* Called with ep->lock; what can be given back now is collected in @back. */
static void lent_put(struct kmcl_endpoint *ep, struct kmcl_lent *lent, struct list_head *back)
{
	if (--lent->users || !lent->dying)
		return;
	lent_forget(ep, lent);
	list_add_tail(&lent->node, back);
}

/* Called with ep->lock: the rings that the last open names are not needed. */
static void asked_put(struct kmcl_endpoint *ep, struct list_head *back)
{
	if (ep->asked)
		lent_put(ep, ep->asked, back);
	ep->asked = NULL;
}

/* Without ep->lock: tell the client what it has back. */
static void give_back(struct kmcl_endpoint *ep, struct list_head *back)
{
	struct kmcl_host *host = ep->offer.host;
	struct kmcl_lent *lent, *next;

	list_for_each_entry_safe(lent, next, back, node) {
		host->ops->torn_down(host, &ep->offer, lent->handle);
		kvfree(lent);
	}
}

/**
 * kmcl_endpoint_page() - the page behind a frame number of a client's
 * @link: the server's
 * @frame: the number, unchecked
 *
 * Context: any up to softirq.
 * Return: the page, or NULL when there is no such memory.
 */
struct page *kmcl_endpoint_page(struct kmcl_link *link, u64 frame)
{
	struct kmcl_host *host = kmcl_endpoint(link)->offer.host;

	if (host->ops->page)
		return host->ops->page(host, frame);
	/* one kernel, and pages of 4 KiB: see lend.c */
	return frame <= ULONG_MAX >> PAGE_SHIFT ? pfn_to_online_page(frame) : NULL;
}

/* ---- what a client does ---- */

/**
 * kmcl_offer_gpadl() - a client describes memory
 * @offer: the offer that it belongs to
 * @handle: the client's number for it, not 0
 * @byte_offset: where it begins in its first frame, below 4096
 * @byte_count: its size, not 0
 * @frames: frame numbers of the client's
 * @nr_frames: how many; as many as the bytes touch
 *
 * Context: process.
 * Return: 0; -EINVAL it is not what it should be; -EEXIST the number is in use;
 * -EFAULT there is no such memory; -ENOMEM, also when the client has described
 * 4 GiB already.
 */
int kmcl_offer_gpadl(struct kmcl_offer *offer, u32 handle, u32 byte_offset, u32 byte_count,
		     const u64 *frames, u32 nr_frames)
{
	struct kmcl_endpoint *ep = endpoint_of(offer);
	struct kmcl_lent *lent;
	int ret = -EFAULT;
	u32 i;

	if (!handle || !byte_count || byte_offset >= KMCL_PAGE_SIZE || !nr_frames ||
	    DIV_ROUND_UP_ULL((u64)byte_offset + byte_count, KMCL_PAGE_SIZE) != nr_frames)
		return -EINVAL;
	/* the client decides how much: that is not worth the kernel's own words */
	lent = kvzalloc(size_add(struct_size(lent, pages, nr_frames),
				 array_size(nr_frames, sizeof(*frames))),
			GFP_KERNEL | __GFP_NOWARN);
	if (!lent)
		return -ENOMEM;
	lent->frames = (u64 *)&lent->pages[nr_frames];
	memcpy(lent->frames, frames, nr_frames * sizeof(*frames));
	lent->count = nr_frames;
	lent->handle = handle;
	lent->offset = byte_offset;
	lent->bytes = byte_count;
	for (i = 0; i < nr_frames; i++) {
		lent->pages[i] = kmcl_endpoint_page(&ep->rings.link, lent->frames[i]);
		if (!lent->pages[i])
			goto free;
	}
	mutex_lock(&ep->lock);
	ret = -ENOMEM;
	if (nr_frames <= LENT_MAX - ep->lent_pages)
		ret = xa_insert(&ep->lent, handle, lent, GFP_KERNEL);
	if (!ret)
		ep->lent_pages += nr_frames;
	mutex_unlock(&ep->lock);
	if (!ret)
		return 0;
	if (ret == -EBUSY)
		ret = -EEXIST;
free:
	kvfree(lent);
	return ret;
}
EXPORT_SYMBOL_GPL(kmcl_offer_gpadl);

/**
 * kmcl_offer_gpadl_teardown() - a client wants its memory back
 * @offer: the offer
 * @handle: what the client called it
 *
 * Context: process.
 * Return: 0: it is the client's again; -EINPROGRESS: ->torn_down will say when;
 * -ENOENT there is no such GPADL.
 */
int kmcl_offer_gpadl_teardown(struct kmcl_offer *offer, u32 handle)
{
	struct kmcl_endpoint *ep = endpoint_of(offer);
	struct kmcl_lent *lent;
	int ret = -ENOENT;

	mutex_lock(&ep->lock);
	lent = lent_find(ep, handle);
	if (lent && !lent->dying) {
		lent->dying = true;
		ret = -EINPROGRESS;
		if (!lent->users) {
			lent_forget(ep, lent);
			kvfree(lent);
			ret = 0;
		}
	}
	mutex_unlock(&ep->lock);
	return ret;
}
EXPORT_SYMBOL_GPL(kmcl_offer_gpadl_teardown);

/**
 * kmcl_offer_open() - a client opens
 * @offer: the offer
 * @open: where its rings are
 *
 * ->opened is the answer, once the server's Opened has returned.
 *
 * Context: process.
 * Return: 0; -EBUSY it is open already; -EINVAL the rings cannot be there.
 */
int kmcl_offer_open(struct kmcl_offer *offer, const struct kmcl_offer_open *open)
{
	struct kmcl_endpoint *ep = endpoint_of(offer);
	struct kmcl_lent *lent;
	int ret = -EINVAL;

	mutex_lock(&ep->lock);
	lent = lent_find(ep, open->gpadl);
	/* a control page and a page of data at least, each; an index fits into 31 bits */
	if (!lent || lent->dying || lent->offset || lent->bytes % KMCL_PAGE_SIZE ||
	    open->downstream_page < 2 || lent->count < 4 || lent->bytes > INT_MAX ||
	    open->downstream_page > lent->count - 2)
		goto out;
	ret = -EBUSY;
	if (ep->client != KMCL_CLIENT_NONE)
		goto out;
	ret = 0;
	ep->open = *open;
	ep->turn++;
	/* what has been checked here is what server_open() finds */
	ep->asked = lent;
	lent->users++;
	ep->client = KMCL_CLIENT_OPENING;
	if (ep->target)
		kmcl_target_arrived(ep->target);
out:
	mutex_unlock(&ep->lock);
	return ret;
}
EXPORT_SYMBOL_GPL(kmcl_offer_open);

/**
 * kmcl_offer_close() - a client closes, or has vanished
 * @offer: the offer
 *
 * When this returns the server looks at the rings no more. Nothing else that the
 * client has lent is free before its teardown. ->torn_down may be called meanwhile.
 *
 * Context: process.
 */
void kmcl_offer_close(struct kmcl_offer *offer)
{
	struct kmcl_endpoint *ep = endpoint_of(offer);
	struct kmcl_target *target;
	LIST_HEAD(back);
	bool was_open;

	mutex_lock(&ep->event);
	mutex_lock(&ep->lock);
	was_open = ep->client != KMCL_CLIENT_NONE;
	ep->client = KMCL_CLIENT_NONE;
	ep->broken = false;
	asked_put(ep, &back);
	target = ep->target;
	/* nothing is left to come back to */
	if (ep->parked && ep->memory)
		mod_delayed_work(kmcl_server_wq, &ep->expire, 0);
	mutex_unlock(&ep->lock);
	give_back(ep, &back);
	if (was_open && target)
		kmcl_target_gone(target);
	mutex_unlock(&ep->event);
}
EXPORT_SYMBOL_GPL(kmcl_offer_close);

/**
 * kmcl_offer_signal() - a client has written, or made room
 * @offer: the offer
 *
 * Context: any.
 */
void kmcl_offer_signal(struct kmcl_offer *offer)
{
	struct kmcl_endpoint *ep = endpoint_of(offer);

	if (READ_ONCE(ep->live))
		kmcl_rings_event(&ep->rings);
}
EXPORT_SYMBOL_GPL(kmcl_offer_signal);

/* ---- a server's link ---- */

/**
 * kmcl_endpoint_map_rings() - reach the rings, both empty, that a client has asked to open
 * @ep: the offer, its lock held or the caller's alone
 *
 * Return: 0 or -ENOMEM.
 */
int kmcl_endpoint_map_rings(struct kmcl_endpoint *ep)
{
	struct kmcl_lent *lent = ep->asked;
	struct kmcl_rings_place place = {
		.memory = vmap(lent->pages, lent->count, VM_MAP, PAGE_KERNEL),
		.first = ep->open.downstream_page * KMCL_PAGE_SIZE,
	};

	if (!place.memory)
		return -ENOMEM;
	place.second = lent->bytes - place.first;
	ep->memory = place.memory;
	/* its user goes with it */
	ep->rings_in = lent;
	ep->asked = NULL;
	kmcl_rings_open(&ep->rings, &place, true);
	return 0;
}

static int server_open(struct kmcl_link *link, u32 out_bytes, u32 in_bytes)
{
	struct kmcl_endpoint *ep = kmcl_endpoint(link);
	int ret = -ENODEV;

	mutex_lock(&ep->lock);
	/* of a server that was restored */
	if (ep->memory && ep->client == KMCL_CLIENT_OPEN)
		ret = 0;
	/* another open than the one that the channel has prepared for waits its turn */
	else if (ep->asked && ep->turn == ep->serving)
		ret = kmcl_endpoint_map_rings(ep);
	if (!ret)
		WRITE_ONCE(ep->live, true);
	mutex_unlock(&ep->lock);
	return ret;
}

static int server_close(struct kmcl_link *link)
{
	struct kmcl_endpoint *ep = kmcl_endpoint(link);

	mutex_lock(&ep->lock);
	WRITE_ONCE(ep->live, false);
	kmcl_rings_close(&ep->rings);
	vunmap(ep->memory);
	ep->memory = NULL;
	/* one that has come since knows nothing of these rings */
	ep->broken = ep->client != KMCL_CLIENT_NONE && ep->turn == ep->serving;
	mutex_unlock(&ep->lock);
	return 0;
}

/* The driver's Opened has returned, or the client was not let in. */
static void server_opened(struct kmcl_link *link, int err)
{
	struct kmcl_endpoint *ep = kmcl_endpoint(link);
	struct kmcl_host *host = ep->offer.host;
	LIST_HEAD(back);
	bool tell;

	mutex_lock(&ep->lock);
	/* it may have closed meanwhile, and opened anew */
	tell = ep->client == KMCL_CLIENT_OPENING && ep->turn == ep->serving;
	if (tell && err) {
		ep->client = KMCL_CLIENT_NONE;
		ep->broken = false;
		asked_put(ep, &back);
	} else if (tell) {
		ep->client = KMCL_CLIENT_OPEN;
	}
	mutex_unlock(&ep->lock);
	if (tell)
		host->ops->opened(host, &ep->offer, err);
	give_back(ep, &back);
}

static void server_signal(struct kmcl_rings *rings)
{
	struct kmcl_endpoint *ep = kmcl_endpoint(&rings->link);

	ep->offer.host->ops->signal(ep->offer.host, &ep->offer);
}

/* No memory of a server's is lent to a client: nothing to map, share or bounce. */
static const struct kmcl_link_ops server_link_ops = {
	.open		= server_open,
	.close		= server_close,
	.opened		= server_opened,
	.send		= kmcl_rings_send,
	.send_external	= kmcl_rings_send_external,
	.want_room	= kmcl_rings_want_room,
	.out_used	= kmcl_rings_out_used,
	.consumed	= kmcl_rings_consumed,
	.mask		= kmcl_rings_mask,
	.unmask		= kmcl_rings_unmask,
	.kick		= kmcl_rings_kick,
};

/* ---- a server's GPADLs ---- */

/**
 * kmcl_endpoint_map() - describe a client's memory to the driver
 * @link: the server's
 * @handle: the client's number for it
 * @mdl: the description, until kmcl_endpoint_unmap()
 *
 * Context: process.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER_3 there is no such GPADL, or it
 * is mapped; STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS kmcl_endpoint_map(struct kmcl_link *link, u32 handle, PMDL *mdl)
{
	struct kmcl_endpoint *ep = kmcl_endpoint(link);
	NTSTATUS status = STATUS_INVALID_PARAMETER_3;
	struct kmcl_lent *lent;
	u32 i;

	mutex_lock(&ep->lock);
	lent = lent_find(ep, handle);
	if (!lent || lent->dying || lent->mdl || lent == ep->rings_in || lent == ep->asked)
		goto out;
	status = STATUS_INSUFFICIENT_RESOURCES;
	lent->mdl = IoAllocateMdl((void *)(uintptr_t)lent->offset, lent->bytes, FALSE, FALSE,
				  NULL);
	if (!lent->mdl)
		goto out;
	for (i = 0; i < lent->count; i++)
		MmGetMdlPfnArray(lent->mdl)[i] = page_to_pfn(lent->pages[i]);
	lent->mdl->MdlFlags |= MDL_PAGES_LOCKED;
	lent->users++;
	*mdl = lent->mdl;
	status = STATUS_SUCCESS;
out:
	mutex_unlock(&ep->lock);
	return status;
}

/* Called with ep->lock. */
static void lent_unmap(struct kmcl_endpoint *ep, struct kmcl_lent *lent, struct list_head *back)
{
	MmUnlockPages(lent->mdl);
	IoFreeMdl(lent->mdl);
	lent->mdl = NULL;
	lent_put(ep, lent, back);
}

/**
 * kmcl_endpoint_unmap() - the driver lets go of a client's memory
 * @link: the server's
 * @handle: the client's number for it
 *
 * Context: process.
 * Return: false when it is not mapped.
 */
bool kmcl_endpoint_unmap(struct kmcl_link *link, u32 handle)
{
	struct kmcl_endpoint *ep = kmcl_endpoint(link);
	struct kmcl_lent *lent;
	bool mapped;
	LIST_HEAD(back);

	mutex_lock(&ep->lock);
	lent = lent_find(ep, handle);
	mapped = lent && lent->mdl;
	if (mapped)
		lent_unmap(ep, lent, &back);
	mutex_unlock(&ep->lock);
	give_back(ep, &back);
	return mapped;
}

/**
 * kmcl_endpoint_unmap_all() - the driver has gone: so has what it had mapped
 * @link: the server's
 *
 * Context: process.
 */
void kmcl_endpoint_unmap_all(struct kmcl_link *link)
{
	struct kmcl_endpoint *ep = kmcl_endpoint(link);
	struct kmcl_lent *lent;
	unsigned long handle;
	LIST_HEAD(back);

	mutex_lock(&ep->lock);
	xa_for_each(&ep->lent, handle, lent)
		if (lent->mdl)
			lent_unmap(ep, lent, &back);
	mutex_unlock(&ep->lock);
	give_back(ep, &back);
}

/* ---- a server's life ---- */

/**
 * kmcl_endpoint_wanted() - is there a client that waits for its open to be answered?
 * @link: the server's
 *
 * Return: true when it does.
 */
bool kmcl_endpoint_wanted(struct kmcl_link *link)
{
	return READ_ONCE(kmcl_endpoint(link)->client) == KMCL_CLIENT_OPENING;
}

/**
 * kmcl_endpoint_serve() - turn to the client that wants to open
 * @link: the server's
 * @out_bytes: data bytes of the ring to it
 * @in_bytes: of the ring from it
 *
 * What is opened and answered from here on is this open of its. If it changes its
 * mind, that comes to nothing.
 *
 * Context: process.
 * Return: false when there is none any more.
 */
bool kmcl_endpoint_serve(struct kmcl_link *link, u32 *out_bytes, u32 *in_bytes)
{
	struct kmcl_endpoint *ep = kmcl_endpoint(link);
	bool there;

	mutex_lock(&ep->lock);
	there = ep->asked;
	if (there) {
		ep->serving = ep->turn;
		*in_bytes = (ep->open.downstream_page - 1) * KMCL_PAGE_SIZE;
		*out_bytes = (ep->asked->count - ep->open.downstream_page - 1) * KMCL_PAGE_SIZE;
	}
	mutex_unlock(&ep->lock);
	return there;
}

/**
 * kmcl_endpoint_rest() - the server has let go of all that is the client's
 * @link: the server's, closed
 *
 * Context: process.
 * Return: true when the client does not know: the offer has to be taken back.
 */
bool kmcl_endpoint_rest(struct kmcl_link *link)
{
	struct kmcl_endpoint *ep = kmcl_endpoint(link);
	LIST_HEAD(back);
	bool broken;

	kmcl_endpoint_unmap_all(link);
	mutex_lock(&ep->lock);
	if (ep->rings_in)
		lent_put(ep, ep->rings_in, &back);
	ep->rings_in = NULL;
	broken = ep->broken;
	mutex_unlock(&ep->lock);
	give_back(ep, &back);
	return broken;
}

static void endpoint_free(struct kmcl_endpoint *ep)
{
	struct kmcl_lent *lent;
	unsigned long handle;

	/* a signal may have come after the close */
	tasklet_kill(&ep->rings.tasklet);
	xa_for_each(&ep->lent, handle, lent)
		kvfree(lent);
	xa_destroy(&ep->lent);
	module_put(ep->offer.host->owner);
	kfree(ep);
}

/**
 * kmcl_endpoint_end() - take an offer back that has no server
 * @ep: the offer; freed
 *
 * Context: process.
 */
void kmcl_endpoint_end(struct kmcl_endpoint *ep)
{
	if (ep->memory)
		server_close(&ep->rings.link);
	/* else its provider has not heard of it */
	if (!ep->revived) {
		kmcl_endpoint_rest(&ep->rings.link);
		ep->offer.host->ops->rescind(ep->offer.host, &ep->offer);
	}
	endpoint_free(ep);
}

/**
 * kmcl_endpoint_new() - prepare an offer that nobody knows yet
 * @t: of the server channel
 *
 * Context: process.
 * Return: the offer, or NULL.
 */
struct kmcl_endpoint *kmcl_endpoint_new(struct kmcl_target *t)
{
	/* a sub-channel is its primary's, and of the same bus */
	const struct kmcl_server *server = t->primary ? t->primary->server : t->server;
	struct kmcl_host *host = kmcl_server_host(server);
	struct kmcl_endpoint *ep;

	if (!try_module_get(host->owner))
		return NULL;
	ep = kzalloc(sizeof(*ep), GFP_KERNEL);
	if (!ep) {
		module_put(host->owner);
		return NULL;
	}
	ep->offer = (struct kmcl_offer) {
		.host = host,
		.type = server->type,
		.instance = server->instance,
		.name = ep->name,
		.sub_index = t->sub_index,
		.flags = t->server->flags,
		.pipe = t->server->flags & VMBUS_SERVER_CHANNEL_INIT_FLAG_OFFER_AS_PIPE,
		.mmio_megabytes = t->server->mmio,
		.mmio_megabytes_optional = t->server->mmio_optional,
	};
	strscpy(ep->name, t->name, sizeof(ep->name));
	kmcl_rings_init(&ep->rings, &server_link_ops, server_signal);
	INIT_LIST_HEAD(&ep->node);
	mutex_init(&ep->event);
	mutex_init(&ep->lock);
	xa_init(&ep->lent);
	return ep;
}

static int server_claim(struct kmcl_target *t)
{
	struct kmcl_endpoint *ep = kmcl_endpoint_new(t);
	int ret;

	if (!ep)
		return -ENOMEM;
	ep->target = t;
	t->link = &ep->rings.link;
	t->active = ep->offer.instance;
	t->active_type = ep->offer.type;
	t->pipe = ep->offer.pipe;
	ret = ep->offer.host->ops->offer(ep->offer.host, &ep->offer);
	if (!ret)
		return -EINPROGRESS;
	if (ret == -EEXIST) {
		pr_err("kmcl: %s: %s has an offer with these GUIDs already\n", t->name,
		       ep->offer.host->name);
		ret = -EBUSY;
	}
	t->link = NULL;
	endpoint_free(ep);
	return ret;
}

static void server_release(struct kmcl_target *t)
{
	struct kmcl_endpoint *ep;

	/* it was parked */
	if (!t->link)
		return;
	ep = kmcl_endpoint(t->link);
	/* afterwards the provider calls no more */
	ep->offer.host->ops->rescind(ep->offer.host, &ep->offer);
	t->link = NULL;
	endpoint_free(ep);
}

/* Nothing of a server's waits for that. */
static void server_settled(struct kmcl_target *t)
{
}

struct kmcl_transport kmcl_server_transport = {
	.name		= "server",
	.owner		= THIS_MODULE,
	.claim		= server_claim,
	.release	= server_release,
	.settled	= server_settled,
};
