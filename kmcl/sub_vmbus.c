// SPDX-License-Identifier: GPL-2.0
/*
 * Sub-channels over the in-tree bus.
 *
 * They are the bus's children of a primary channel, and three of its rules shape
 * what is here.
 *
 * They are announced once, to the callback that the primary's driver has set,
 * and closing the primary clears that: so it is set before each open, and what is
 * announced is kept in the primary's list until the next close.  The host takes
 * its sub-channels back when the primary closes; the list is empty after it.
 *
 * They cannot be closed alone.  Disable of one leaves its rings open, masked and
 * without an owner, and the next Enable finds them as they are; the primary's
 * close closes them.
 *
 * A rescind of one is told to nobody.  The flag that the bus sets is polled, once
 * a second while there are any, and at once after a send that failed.  One that
 * is not open the bus frees right then, so a reference to its kobject is held:
 * that keeps the memory, and its name in sysfs, no longer than the poll takes.
 */
#include <linux/list.h>
#include <linux/printk.h>
#include "compat.h"
#include "vmbus.h"

#define POLL_INTERVAL	HZ

/* Targets of sub-channels that have not been offered; kmcl_bind_lock. */
static LIST_HEAD(waiting_subs);

static struct lock_class_key sub_lock_class;

static bool sub_wanted(const struct kmcl_vdev *v, const struct kmcl_target *t)
{
	return t->sub_index == v->index && t->primary->link == &v->primary->link;
}

/* ---- offers ---- */

/* The bus: a sub-channel is there.  It stays until this returns, whatever the host does. */
static void sub_offered(struct vmbus_channel *chan)
{
	struct kmcl_vdev *primary, *v;
	struct kmcl_target *t;

	mutex_lock(&kmcl_bind_lock);
	primary = kmcl_vdev_find(chan->primary_channel);
	/* announced to one that closes meanwhile: it will be taken back */
	if (!primary || !primary->subs_on)
		goto out;
	v = kmcl_vdev_new(primary->hv, chan);
	if (!v) {
		pr_err("kmcl: %s: no memory for sub-channel %u\n",
		       dev_name(&primary->hv->device), chan->offermsg.offer.sub_channel_index);
		goto out;
	}
	kobject_get(&chan->kobj);
	kref_get(&primary->ref);
	/* the primary's is held around a wait for poll, which takes this */
	lockdep_set_class(&v->lock, &sub_lock_class);
	v->primary = primary;
	v->index = chan->offermsg.offer.sub_channel_index;
	list_add_tail(&v->node, &primary->subs);
	list_for_each_entry(t, &waiting_subs, node) {
		if (!sub_wanted(v, t))
			continue;
		kmcl_vdev_attach(v, t);
		kmcl_target_arrived(t);
		break;
	}
	schedule_delayed_work(&primary->poll, round_jiffies_relative(POLL_INTERVAL));
out:
	mutex_unlock(&kmcl_bind_lock);
}

/**
 * kmcl_sub_claim() - the transport's claim, for a sub-channel
 * @t: target whose primary is open
 *
 * Return: as struct kmcl_transport's claim.
 */
int kmcl_sub_claim(struct kmcl_target *t)
{
	struct kmcl_vdev *primary = kmcl_vdev(t->primary->link), *v, *found = NULL;
	struct kmcl_target *other;
	int ret = -EINPROGRESS;

	mutex_lock(&kmcl_bind_lock);
	list_for_each_entry(v, &primary->subs, node) {
		if (v->index != t->sub_index || v->gone || READ_ONCE(v->chan->rescind))
			continue;
		found = v;
		ret = v->owner ? -EBUSY : 0;
		break;
	}
	list_for_each_entry(other, &waiting_subs, node)
		if (other->sub_index == t->sub_index && other->primary == t->primary)
			ret = -EBUSY;
	if (!ret)
		kmcl_vdev_attach(found, t);
	else if (ret == -EINPROGRESS)
		list_add_tail(&t->node, &waiting_subs);
	mutex_unlock(&kmcl_bind_lock);
	if (ret == -EBUSY)
		pr_warn("kmcl: %s: another channel has this index\n", t->name);
	return ret;
}

/* ---- rescinds ---- */

/* With kmcl_bind_lock. The list keeps what the bus has still open, until the close. */
static struct kmcl_vdev *next_rescinded(struct kmcl_vdev *primary)
{
	struct kmcl_vdev *v;

	list_for_each_entry(v, &primary->subs, node) {
		if (v->gone || !READ_ONCE(v->chan->rescind))
			continue;
		WRITE_ONCE(v->gone, true);
		kref_get(&v->ref);
		return v;
	}
	return NULL;
}

static void poll_rescinds(struct work_struct *work)
{
	struct kmcl_vdev *primary = container_of(to_delayed_work(work), struct kmcl_vdev, poll);
	struct kmcl_vdev *v;
	bool more;

	for (;;) {
		mutex_lock(&kmcl_bind_lock);
		v = next_rescinded(primary);
		more = primary->subs_on && !list_empty(&primary->subs);
		mutex_unlock(&kmcl_bind_lock);
		if (!v)
			break;

		/* does not wait: the primary's close waits for this */
		mutex_lock(&v->lock);
		if (v->owner)
			kmcl_target_lost(v->owner);
		mutex_unlock(&v->lock);

		mutex_lock(&kmcl_bind_lock);
		/* never opened: the bus has freed its part */
		if (!v->tried && !list_empty(&v->node)) {
			list_del_init(&v->node);
			kmcl_vdev_put(v);
		}
		mutex_unlock(&kmcl_bind_lock);
		kmcl_vdev_put(v);
	}
	if (more)
		schedule_delayed_work(&primary->poll, round_jiffies_relative(POLL_INTERVAL));
}

/**
 * kmcl_sub_rescinded() - the bus refused a send, as it does after a rescind
 * @v: a device, or a sub-channel that is not fenced
 *
 * Context: any up to softirq.
 */
void kmcl_sub_rescinded(struct kmcl_vdev *v)
{
	if (v->primary)
		mod_delayed_work(system_percpu_wq, &v->primary->poll, 0);
}

/* ---- the primary opens and closes ---- */

void kmcl_subs_init(struct kmcl_vdev *v)
{
	INIT_LIST_HEAD(&v->subs);
	INIT_DELAYED_WORK(&v->poll, poll_rescinds);
}

/* Before the primary opens. */
void kmcl_subs_collect(struct kmcl_vdev *v)
{
	mutex_lock(&kmcl_bind_lock);
	v->subs_on = true;
	mutex_unlock(&kmcl_bind_lock);
	vmbus_set_sc_create_callback(v->chan, sub_offered);
}

/*
 * A rescind that came while it was being opened: the bus leaves its removal to
 * the close of an open channel, and then finds that it is none.  Its rings and
 * GPADL are gone, so that this close does nothing else.
 */
static void finish_failed_open(struct kmcl_vdev *v)
{
	if (v->tried && !v->connected && v->chan->rescind &&
	    completion_done(&v->chan->rescind_event))
		v->chan->state = CHANNEL_OPENED_STATE;
}

/**
 * kmcl_subs_stop() - the primary is about to close
 * @v: device whose sub-channels' links are all down
 */
void kmcl_subs_stop(struct kmcl_vdev *v)
{
	struct kmcl_vdev *sub;

	mutex_lock(&kmcl_bind_lock);
	v->subs_on = false;
	mutex_unlock(&kmcl_bind_lock);
	cancel_delayed_work_sync(&v->poll);

	mutex_lock(&kmcl_bind_lock);
	list_for_each_entry(sub, &v->subs, node)
		finish_failed_open(sub);
	mutex_unlock(&kmcl_bind_lock);
}

/**
 * kmcl_subs_forget() - the primary has closed, and with it all its sub-channels
 * @v: device
 */
void kmcl_subs_forget(struct kmcl_vdev *v)
{
	struct kmcl_vdev *sub, *next;

	mutex_lock(&kmcl_bind_lock);
	v->subs_on = false;
	list_for_each_entry_safe(sub, next, &v->subs, node) {
		WRITE_ONCE(sub->gone, true);
		sub->connected = false;
		list_del_init(&sub->node);
		kmcl_vdev_put(sub);
	}
	mutex_unlock(&kmcl_bind_lock);
	cancel_delayed_work_sync(&v->poll);
}

/* ---- one opens and closes ---- */

/**
 * kmcl_sub_reattach() - take rings that an earlier Disable has left open
 * @v: connected sub-channel
 * @out_bytes: what the channel wants
 * @in_bytes: ditto
 *
 * Return: 0; -ENODEV it is rescinded; -EMSGSIZE the rings are of another size.
 */
int kmcl_sub_reattach(struct kmcl_vdev *v, u32 out_bytes, u32 in_bytes)
{
	struct vmbus_channel *chan = v->chan;

	if (READ_ONCE(chan->rescind))
		return -ENODEV;
	if (out_bytes == chan->outbound.ring_datasize && in_bytes == chan->inbound.ring_datasize)
		return 0;
	pr_warn("kmcl: %s: sub-channel %u keeps its rings of %u and %u bytes until the primary closes\n",
		dev_name(&v->hv->device), v->index, chan->outbound.ring_datasize,
		chan->inbound.ring_datasize);
	return -EMSGSIZE;
}

/**
 * kmcl_sub_detach() - part a channel from rings that stay open
 * @v: connected sub-channel whose senders and reader have left
 *
 * Return: 0 when the host has no part in them any more; -EINPROGRESS otherwise.
 */
int kmcl_sub_detach(struct kmcl_vdev *v)
{
	/* an event finds nobody; the channel waits for one that found it (RCU) */
	WRITE_ONCE(v->link.channel, NULL);
	v->link.ops->mask(&v->link);
	v->link.ops->want_room(&v->link, 0);
	return READ_ONCE(v->chan->rescind) ? 0 : -EINPROGRESS;
}
