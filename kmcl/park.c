// SPDX-License-Identifier: GPL-2.0
/*
 * Offers without a server: what is left to the client of one that was saved and has gone,
 * until another one adopts it; see save.h.
 *
 *   a server's --kmcl_endpoint_park()--> parked --kmcl_endpoint_adopt()--> a channel's that
 *                                          |                               is restored
 *                                          |                                   |
 *                               120 s, or the client closes      kmcl_endpoint_resume()
 *                                          v                                   v
 *                                      rescinded                           a server's
 *
 * A parked offer keeps the rings mapped and looks at nothing.  What its client lends and
 * takes back meanwhile goes on: that is between the client and the offer.
 *
 * An offer may be revived, too: from what was saved alone, when its provider can say
 * which memory the client's frame numbers mean, and knows such a client.
 *
 * Lock order: park_lock, then an offer's event, then its lock.
 */
#include <linux/module.h>
#include "kmcl.h"
#include "save.h"
#include "server.h"

static unsigned int park_seconds = 120;
module_param(park_seconds, uint, 0644);
MODULE_PARM_DESC(park_seconds, "how long the client of a saved server is kept waiting for the next one");

static DEFINE_MUTEX(park_lock);
static LIST_HEAD(parked);		/* struct kmcl_endpoint; park_lock */

/* ---- what is saved of an offer ---- */

/**
 * kmcl_endpoint_save() - describe how a client has it open
 * @link: the server's, frozen
 * @open: the description
 */
void kmcl_endpoint_save(struct kmcl_link *link, struct kmcl_save_open *open)
{
	struct kmcl_endpoint *ep = kmcl_endpoint(link);

	mutex_lock(&ep->lock);
	*open = (struct kmcl_save_open) {
		.gpadl = cpu_to_le32(ep->open.gpadl),
		.downstream_page = cpu_to_le32(ep->open.downstream_page),
		.target_vp = cpu_to_le32(ep->open.target_vp),
		.in_bytes = cpu_to_le32(link->in.size),
		.out_bytes = cpu_to_le32(ep->rings.out.size),
		.read = cpu_to_le32(link->in.read),
		.write = cpu_to_le32(ep->rings.out.write),
	};
	static_assert(sizeof(open->user) == sizeof(ep->open.user));
	memcpy(open->user, ep->open.user, sizeof(open->user));
	mutex_unlock(&ep->lock);
}

/**
 * kmcl_endpoint_save_gpadl() - describe memory that a client has lent
 * @link: the server's
 * @next: numbers below are done; moved on
 * @record: the description is added to it
 *
 * Context: process.
 * Return: 1; 0 there is no more; -ENOMEM.
 */
int kmcl_endpoint_save_gpadl(struct kmcl_link *link, u64 *next, struct kmcl_record *record)
{
	struct kmcl_endpoint *ep = kmcl_endpoint(link);
	struct kmcl_save_gpadl head = {};
	unsigned long index = *next;
	struct kmcl_lent *lent;
	int ret = 0;
	__le64 frame;
	u32 i;

	mutex_lock(&ep->lock);
	lent = xa_find(&ep->lent, &index, U32_MAX, XA_PRESENT);
	if (!lent)
		goto out;
	head.handle = cpu_to_le32(lent->handle);
	head.offset = cpu_to_le32(lent->offset);
	head.bytes = cpu_to_le32(lent->bytes);
	head.flags = cpu_to_le32(lent->dying ? KMCL_SAVED_DYING : 0);
	ret = kmcl_record_add(record, &head, sizeof(head));
	for (i = 0; !ret && i < lent->count; i++) {
		frame = cpu_to_le64(lent->frames[i]);
		ret = kmcl_record_add(record, &frame, sizeof(frame));
	}
	*next = lent->handle + 1ull;
	ret = ret ?: 1;
out:
	mutex_unlock(&ep->lock);
	return ret;
}

/* ---- parking ---- */

/* Called with park_lock. */
static void unpark(struct kmcl_endpoint *ep)
{
	list_del_init(&ep->node);
	mutex_lock(&ep->lock);
	ep->parked = false;
	mutex_unlock(&ep->lock);
}

static void expire(struct work_struct *work)
{
	struct kmcl_endpoint *ep = container_of(to_delayed_work(work), struct kmcl_endpoint,
						expire);
	bool mine;

	mutex_lock(&park_lock);
	mine = ep->parked;
	if (mine)
		unpark(ep);
	mutex_unlock(&park_lock);
	/* otherwise somebody else has it, and waits for us to return */
	if (!mine)
		return;
	pr_info("kmcl: %s: %s: taken back\n", ep->name,
		ep->client == KMCL_CLIENT_NONE ? "its client has left a saved server" :
						 "nobody has restored what was saved");
	kmcl_endpoint_end(ep);
}

/**
 * kmcl_endpoint_park() - part a server's offer from its channel
 * @ch: saved channel that is on its way down, parted from its rings; park_as is set
 *
 * Context: process.
 * Return: false: its client has closed. Then the rings are closed, and the rest is as
 * at any close.
 */
bool kmcl_endpoint_park(struct kmcl_channel *ch)
{
	struct kmcl_link *link = ch->target.link;
	struct kmcl_endpoint *ep = kmcl_endpoint(link);
	bool ok;

	/* its signals are for nobody from here on */
	WRITE_ONCE(ep->live, false);
	WRITE_ONCE(link->channel, NULL);
	synchronize_rcu();
	tasklet_kill(&ep->rings.tasklet);
	kmcl_endpoint_unmap_all(link);

	mutex_lock(&park_lock);
	/* so that nobody is about to tell the channel something */
	mutex_lock(&ep->event);
	mutex_lock(&ep->lock);
	ok = !ep->memory || ep->client == KMCL_CLIENT_OPEN;
	if (ok) {
		ep->target = NULL;
		ep->parked = true;
		ep->saved = ch->park_as;
		INIT_DELAYED_WORK(&ep->expire, expire);
		list_add(&ep->node, &parked);
		ch->target.link = NULL;
		queue_delayed_work(kmcl_server_wq, &ep->expire,
				   (unsigned long)READ_ONCE(park_seconds) * HZ);
	}
	mutex_unlock(&ep->lock);
	mutex_unlock(&ep->event);
	mutex_unlock(&park_lock);
	if (!ok)
		link->ops->close(link);
	return ok;
}

/* ---- adopting ---- */

/*
 * Called with park_lock: what a predecessor of @ch has left; @all: of a primary also what its
 * sub-channels have, which were parked before it, and come first.
 */
static struct kmcl_endpoint *find(const struct kmcl_channel *ch, bool all)
{
	const struct kmcl_server *server = ch->primary ? ch->primary->server : ch->server;
	struct kmcl_host *host = kmcl_server_host(server);
	struct kmcl_endpoint *ep;

	list_for_each_entry_reverse(ep, &parked, node)
		if (ep->offer.host == host &&
		    (ep->offer.sub_index == ch->sub_index || (all && !ch->sub_index)) &&
		    guid_equal(&ep->offer.type, &server->type) &&
		    guid_equal(&ep->offer.instance, &server->instance))
			return ep;
	return NULL;
}

/* Is it as it was saved?  What the client lends may have changed. */
static bool fits(struct kmcl_endpoint *ep, const struct kmcl_restore *r)
{
	const struct kmcl_save_open *open = &r->open;
	struct kmcl_save_open is;

	if (ep->saved != r->reader.save || r->is_open != !!ep->memory)
		return false;
	if (!r->is_open)
		return true;
	kmcl_endpoint_save(&ep->rings.link, &is);
	return !memcmp(&is, open, sizeof(is));
}

static int revive_gpadl(struct kmcl_endpoint *ep, const struct kmcl_saved *saved)
{
	const struct kmcl_save_gpadl *gpadl = (void *)saved->bytes;
	u32 i, count, handle = le32_to_cpu(gpadl->handle);
	u64 *frames;
	int ret;

	count = kmcl_gpadl_frames(le32_to_cpu(gpadl->offset), le32_to_cpu(gpadl->bytes));
	frames = kvmalloc_array(count, sizeof(*frames), GFP_KERNEL);
	if (!frames)
		return -ENOMEM;
	for (i = 0; i < count; i++)
		frames[i] = le64_to_cpu(gpadl->frames[i]);
	ret = kmcl_offer_gpadl(&ep->offer, handle, le32_to_cpu(gpadl->offset),
			       le32_to_cpu(gpadl->bytes), frames, count);
	kvfree(frames);
	return ret;
}

static int revive_rings(struct kmcl_endpoint *ep, const struct kmcl_save_open *open)
{
	struct kmcl_offer_open how = {
		.gpadl = le32_to_cpu(open->gpadl),
		.downstream_page = le32_to_cpu(open->downstream_page),
		.target_vp = le32_to_cpu(open->target_vp),
	};
	struct kmcl_rings *rings = &ep->rings;
	int ret;

	memcpy(how.user, open->user, sizeof(how.user));
	/* as a client that opens: the same is checked */
	ret = kmcl_offer_open(&ep->offer, &how);
	if (!ret)
		ret = kmcl_endpoint_map_rings(ep);
	if (ret)
		return ret;
	ep->client = KMCL_CLIENT_OPEN;
	ep->serving = ep->turn;
	if (rings->link.in.size != le32_to_cpu(open->in_bytes) ||
	    rings->out.size != le32_to_cpu(open->out_bytes))
		return -EINVAL;
	rings->link.in.read = le32_to_cpu(open->read);
	rings->published = rings->link.in.read;
	rings->out.write = le32_to_cpu(open->write);
	return 0;
}

/* An offer from what was saved alone. */
static int revive(struct kmcl_channel *ch, const struct kmcl_restore *r)
{
	const struct kmcl_server *server = ch->primary ? ch->primary->server : ch->server;
	const struct kmcl_host *host = kmcl_server_host(server);
	const struct kmcl_save_gpadl *gpadl;
	struct kmcl_saved *saved;
	struct kmcl_endpoint *ep;
	int ret = 0;

	if (!host->ops->restore || !host->ops->page)
		return -ENODEV;
	ep = kmcl_endpoint_new(&ch->target);
	if (!ep)
		return -ENOMEM;
	ep->revived = true;
	list_for_each_entry(saved, &r->gpadls, node) {
		ret = revive_gpadl(ep, saved);
		if (ret)
			break;
	}
	if (!ret && r->is_open)
		ret = revive_rings(ep, &r->open);
	/* only now: the rings' may be one that the client wants back */
	list_for_each_entry(saved, &r->gpadls, node) {
		gpadl = (void *)saved->bytes;
		if (!ret && le32_to_cpu(gpadl->flags) & KMCL_SAVED_DYING)
			kmcl_offer_gpadl_teardown(&ep->offer, le32_to_cpu(gpadl->handle));
	}
	if (ret) {
		kmcl_endpoint_end(ep);
		return ret == -ENOMEM ? ret : -EINVAL;
	}
	ch->target.link = &ep->rings.link;
	return 0;
}

/*
 * Called with park_lock and the offer's event: its client neither comes nor goes, so that
 * one that is there is the channel's, which is told when it closes.
 */
static int take_over(struct kmcl_endpoint *ep, struct kmcl_channel *ch,
		     const struct kmcl_restore *r)
{
	if (kmcl_endpoint_lost(&ep->rings.link))
		return -ENODEV;
	if (!fits(ep, r))
		return -EINVAL;
	unpark(ep);
	ch->target.link = &ep->rings.link;
	mutex_lock(&ep->lock);
	ep->target = &ch->target;
	mutex_unlock(&ep->lock);
	return 0;
}

/**
 * kmcl_endpoint_adopt() - take over what a predecessor has left
 * @ch: disabled server channel
 * @r: what was saved; all records have been read
 *
 * Context: process.
 * Return: 0: @ch->target.link is set; otherwise it is not: -ENODEV there is nothing;
 * -EINVAL it is not as it was saved; -ENOMEM.
 */
int kmcl_endpoint_adopt(struct kmcl_channel *ch, const struct kmcl_restore *r)
{
	struct kmcl_endpoint *ep;
	int ret = 0;

	mutex_lock(&park_lock);
	ep = find(ch, false);
	if (ep) {
		mutex_lock(&ep->event);
		ret = take_over(ep, ch, r);
		mutex_unlock(&ep->event);
	}
	mutex_unlock(&park_lock);
	if (!ep)
		return revive(ch, r);
	if (!ret)
		cancel_delayed_work_sync(&ep->expire);
	return ret;
}

/**
 * kmcl_endpoint_lost() - has the client of an adopted offer gone?
 * @link: the server's
 *
 * Return: true when it had the offer open, and has not any more.
 */
bool kmcl_endpoint_lost(struct kmcl_link *link)
{
	struct kmcl_endpoint *ep = kmcl_endpoint(link);

	return ep->memory && READ_ONCE(ep->client) != KMCL_CLIENT_OPEN;
}

/**
 * kmcl_endpoint_resume() - have an adopted offer's client talk to the channel
 * @ch: restored channel that is being enabled
 *
 * Context: process.
 * Return: 0, or -ENODEV: the client is not there any more.
 */
int kmcl_endpoint_resume(struct kmcl_channel *ch)
{
	struct kmcl_target *t = &ch->target;
	struct kmcl_endpoint *ep = kmcl_endpoint(t->link);
	struct kmcl_host *host = ep->offer.host;
	int ret = 0;

	if (ep->revived) {
		if (host->ops->restore(host, &ep->offer))
			return -ENODEV;
		ep->revived = false;
	}
	mutex_lock(&ep->lock);
	if (kmcl_endpoint_lost(t->link))
		ret = -ENODEV;
	else
		ep->target = t;
	t->active = ep->offer.instance;
	t->active_type = ep->offer.type;
	t->pipe = ep->offer.pipe;
	/* while nobody was there */
	if (!ret && ep->client == KMCL_CLIENT_OPENING)
		kmcl_target_arrived(t);
	mutex_unlock(&ep->lock);
	return ret;
}

/**
 * kmcl_endpoint_drop() - an adopted offer is not wanted after all
 * @ch: disabled channel that has let go of all that is the client's
 *
 * Context: process.
 */
void kmcl_endpoint_drop(struct kmcl_channel *ch)
{
	struct kmcl_link *link = ch->target.link;

	if (!link)
		return;
	ch->target.link = NULL;
	kmcl_endpoint_end(kmcl_endpoint(link));
}

/**
 * kmcl_endpoint_refuse() - nobody wants what a predecessor has left
 * @ch: disabled server channel
 *
 * With a primary go its sub-channels: who opens the next one must not find them.
 *
 * Context: process.
 */
void kmcl_endpoint_refuse(struct kmcl_channel *ch)
{
	struct kmcl_endpoint *ep;

	for (;;) {
		mutex_lock(&park_lock);
		ep = find(ch, true);
		if (ep)
			unpark(ep);
		mutex_unlock(&park_lock);
		if (!ep)
			return;
		cancel_delayed_work_sync(&ep->expire);
		kmcl_endpoint_end(ep);
	}
}

/* Nobody can adopt any more. */
void kmcl_park_exit(void)
{
	struct kmcl_endpoint *ep;

	for (;;) {
		mutex_lock(&park_lock);
		ep = list_first_entry_or_null(&parked, struct kmcl_endpoint, node);
		if (ep)
			unpark(ep);
		mutex_unlock(&park_lock);
		if (!ep)
			return;
		cancel_delayed_work_sync(&ep->expire);
		kmcl_endpoint_end(ep);
	}
}
