// SPDX-License-Identifier: GPL-2.0
/*
 * From a target to a VMBus device.
 *
 * There is one hv_driver per class GUID that channels ask for, registered while
 * somebody does, and one per VSC that registers itself.  Probe and remove only
 * bind and unbind: they run under device_lock, on the bus's one-at-a-time
 * workqueue, and never wait for code of a port.
 *
 * Locks.  drivers_lock is held while drivers come and go, which probes devices.
 * kmcl_bind_lock is inside it and inside device_lock, guards the lists, and is never
 * held while the driver core is called.  A kmcl_vdev's lock is outside kmcl_bind_lock.
 */
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <kmcl/vsc.h>
#include "compat.h"
#include "vmbus.h"

/* A driver that is slower than this keeps the system from hibernating. */
#define SLEEP_PATIENCE	(20 * HZ)

/**
 * struct kmcl_vdrv - a driver registered with the bus
 * @hv: the bus's part
 * @ids: its id table, when it belongs to a class and not to a VSC
 * @name: its name, ditto
 * @refs: targets that want the class; drivers_lock
 * @node: in the list of class drivers; drivers_lock
 * @vsc: the VSC, or NULL
 * @wq: where the VSC's add and remove run, in order
 * @dying: binds no more devices; kmcl_bind_lock
 */
struct kmcl_vdrv {
	struct hv_driver hv;
	struct hv_vmbus_device_id ids[2];
	char name[48];
	unsigned int refs;
	struct list_head node;
	struct kmcl_vsc *vsc;
	struct workqueue_struct *wq;
	bool dying;
};

static DEFINE_MUTEX(drivers_lock);
static LIST_HEAD(drivers);

DEFINE_MUTEX(kmcl_bind_lock);	/* the two lists below, owners, sub-channels */
/* Inside everything: for those who cannot sleep. */
static DEFINE_SPINLOCK(owner_lock);
static LIST_HEAD(devices);		/* struct kmcl_vdev, bound to us */
static LIST_HEAD(waiting);		/* struct kmcl_target, not found yet */

/* ---- devices ---- */

static void vdev_release(struct kref *ref)
{
	struct kmcl_vdev *v = container_of(ref, struct kmcl_vdev, ref);

	if (v->primary) {
		kobject_put(&v->chan->kobj);
		kmcl_vdev_put(v->primary);
	}
	put_device(&v->hv->device);
	kfree(v);
}

void kmcl_vdev_put(struct kmcl_vdev *v)
{
	kref_put(&v->ref, vdev_release);
}

/* A device that is being bound, or a sub-channel @chan of one that is. */
struct kmcl_vdev *kmcl_vdev_new(struct hv_device *hv, struct vmbus_channel *chan)
{
	struct kmcl_vdev *v = kzalloc(sizeof(*v), GFP_KERNEL);

	if (!v)
		return NULL;
	v->link.ops = &kmcl_vmbus_link_ops;
	v->hv = hv;
	v->chan = chan;
	kref_init(&v->ref);
	mutex_init(&v->lock);
	init_waitqueue_head(&v->wait);
	INIT_LIST_HEAD(&v->node);
	get_device(&hv->device);
	return v;
}

/* The bound device whose primary channel this is, or NULL; with kmcl_bind_lock. */
struct kmcl_vdev *kmcl_vdev_find(struct vmbus_channel *chan)
{
	struct kmcl_vdev *v;

	list_for_each_entry(v, &devices, node)
		if (v->chan == chan)
			return v;
	return NULL;
}

static bool target_wants(const struct kmcl_target *t, const struct hv_device *hv)
{
	if (!t->has_type)
		return t->parent == &hv->device;
	return guid_equal(&t->type, &hv->dev_type) &&
	       (t->any_instance || guid_equal(&t->instance, &hv->dev_instance));
}

static void vdev_set_owner(struct kmcl_vdev *v, struct kmcl_target *t)
{
	spin_lock(&owner_lock);
	v->owner = t;
	spin_unlock(&owner_lock);
	if (!t)
		wake_up_all(&v->wait);
}

/* Called with kmcl_bind_lock. */
void kmcl_vdev_attach(struct kmcl_vdev *v, struct kmcl_target *t)
{
	kref_get(&v->ref);
	vdev_set_owner(v, t);
	list_del_init(&t->node);
	t->device = &v->hv->device;
	t->active = v->hv->dev_instance;
	t->active_type = v->hv->dev_type;
	t->pipe = v->chan->offermsg.offer.chn_flags & VMBUS_CHANNEL_NAMED_PIPE_MODE;
	/* life_work looks at it without the lock */
	smp_store_release(&t->link, &v->link);
}

static void vsc_add(struct work_struct *work)
{
	struct kmcl_vdev *v = container_of(work, struct kmcl_vdev, add_work);
	struct kmcl_vsc *vsc = v->drv->vsc;
	int ret;

	if (!READ_ONCE(v->gone)) {
		ret = vsc->add(&v->hv->device);
		v->added = !ret;
		if (ret)
			pr_err("kmcl: %s: device %s not taken (%d)\n", vsc->name,
			       dev_name(&v->hv->device), ret);
	}
	kmcl_vdev_put(v);
}

static void vsc_remove(struct work_struct *work)
{
	struct kmcl_vdev *v = container_of(work, struct kmcl_vdev, remove_work);

	if (v->added)
		v->drv->vsc->remove(&v->hv->device);
	v->added = false;
	kmcl_vdev_put(v);
}

static void vdev_queue(struct kmcl_vdev *v, struct work_struct *work)
{
	kref_get(&v->ref);
	if (!queue_work(v->drv->wq, work))
		kmcl_vdev_put(v);
}

static int kmcl_probe(struct hv_device *hv, const struct hv_vmbus_device_id *id)
{
	struct kmcl_vdrv *drv = container_of(drv_to_hv_drv(hv->device.driver),
					     struct kmcl_vdrv, hv);
	struct kmcl_target *t;
	struct kmcl_vdev *v;
	int ret = -ENODEV;

	v = kmcl_vdev_new(hv, hv->channel);
	if (!v)
		return -ENOMEM;
	v->drv = drv;
	INIT_WORK(&v->add_work, vsc_add);
	INIT_WORK(&v->remove_work, vsc_remove);
	kmcl_subs_init(v);
	/* where external data are bounced, they keep their offset in a frame */
	dma_set_min_align_mask(&hv->device, HV_HYP_PAGE_SIZE - 1);

	mutex_lock(&kmcl_bind_lock);
	if (drv->vsc && !drv->dying) {
		vdev_queue(v, &v->add_work);
		ret = 0;
	} else if (!drv->vsc) {
		list_for_each_entry(t, &waiting, node) {
			if (!target_wants(t, hv))
				continue;
			kmcl_vdev_attach(v, t);
			kmcl_target_arrived(t);
			ret = 0;
			break;
		}
	}
	if (!ret) {
		list_add_tail(&v->node, &devices);
		hv_set_drvdata(hv, v);
	}
	mutex_unlock(&kmcl_bind_lock);
	/* nobody wants this one of its class: leave it to another driver */
	if (ret)
		kmcl_vdev_put(v);
	return ret;
}

/* The rings close here; what the port has to do follows on its own time. */
static void vdev_gone(struct kmcl_vdev *v)
{
	mutex_lock(&kmcl_bind_lock);
	WRITE_ONCE(v->gone, true);
	list_del_init(&v->node);
	mutex_unlock(&kmcl_bind_lock);

	mutex_lock(&v->lock);
	if (v->owner)
		kmcl_target_gone(v->owner);
	mutex_unlock(&v->lock);

	if (v->drv->vsc)
		vdev_queue(v, &v->remove_work);
}

static KMCL_REMOVE_RET kmcl_remove(struct hv_device *hv)
{
	struct kmcl_vdev *v = hv_get_drvdata(hv);

	hv_set_drvdata(hv, NULL);
	vdev_gone(v);
	kmcl_vdev_put(v);
	KMCL_REMOVE_DONE;
}

static void kmcl_shutdown(struct hv_device *hv)
{
	vdev_gone(hv_get_drvdata(hv));
}

/* ---- hibernation ---- */

/* The system holds no lock: the device may be unbound beside this. */
static struct kmcl_vdev *vdev_get(struct hv_device *hv)
{
	struct kmcl_vdev *v;

	mutex_lock(&kmcl_bind_lock);
	v = kmcl_vdev_find(hv->channel);
	if (v)
		kref_get(&v->ref);
	mutex_unlock(&kmcl_bind_lock);
	return v;
}

static bool vdev_settled(struct kmcl_vdev *v)
{
	bool settled;

	spin_lock(&owner_lock);
	/* neither is given up while we look */
	settled = !v->owner || kmcl_target_settled(v->owner);
	spin_unlock(&owner_lock);
	return settled;
}

static bool wait_settled(struct kmcl_vdev *v)
{
	return wait_event_timeout(v->wait, vdev_settled(v), SLEEP_PATIENCE);
}

/* The owner may come back, and who has asked for the device meanwhile gets it. */
static void vdev_wake(struct kmcl_vdev *v)
{
	struct kmcl_target *t;

	mutex_lock(&v->lock);
	mutex_lock(&kmcl_bind_lock);
	v->asleep = false;
	list_for_each_entry(t, &waiting, node) {
		if (v->owner || v->gone || t->has_type == !!v->drv->vsc ||
		    !target_wants(t, v->hv))
			continue;
		kmcl_vdev_attach(v, t);
		kmcl_target_arrived(t);
		break;
	}
	mutex_unlock(&kmcl_bind_lock);
	if (v->owner)
		kmcl_target_wake(v->owner);
	mutex_unlock(&v->lock);
}

/*
 * Freeze and poweroff, in the noirq phase: user space and freezable threads are
 * frozen, timers, workqueues and the bus work.  Whoever holds the channel up for
 * long holds the system up: then the system stays awake.
 */
static int kmcl_suspend(struct hv_device *hv)
{
	struct kmcl_vdev *v = vdev_get(hv);
	int ret = 0;

	if (!v)
		return 0;
	mutex_lock(&v->lock);
	mutex_lock(&kmcl_bind_lock);
	v->asleep = true;
	mutex_unlock(&kmcl_bind_lock);
	if (v->owner)
		kmcl_target_sleep(v->owner);
	mutex_unlock(&v->lock);
	if (!wait_settled(v)) {
		pr_warn("kmcl: device %s: its driver is not quiet after %u s: no hibernation\n",
			dev_name(&hv->device), SLEEP_PATIENCE / HZ);
		vdev_wake(v);
		ret = -EBUSY;
	}
	kmcl_vdev_put(v);
	return ret;
}

/* Thaw and restore. The driver's callbacks may take longer than the system waits. */
static int kmcl_resume(struct hv_device *hv)
{
	struct kmcl_vdev *v = vdev_get(hv);

	if (!v)
		return 0;
	vdev_wake(v);
	if (!wait_settled(v))
		pr_warn("kmcl: device %s: not back after %u s\n", dev_name(&hv->device),
			SLEEP_PATIENCE / HZ);
	kmcl_vdev_put(v);
	return 0;
}

/* ---- drivers ---- */

static int vdrv_register(struct kmcl_vdrv *drv, struct module *owner, const char *name)
{
	drv->hv.probe = kmcl_probe;
	drv->hv.remove = kmcl_remove;
	drv->hv.shutdown = kmcl_shutdown;
	drv->hv.suspend = kmcl_suspend;
	drv->hv.resume = kmcl_resume;
	drv->hv.driver.probe_type = PROBE_FORCE_SYNCHRONOUS;
	return __vmbus_driver_register(&drv->hv, owner, name);
}

static struct kmcl_vdrv *class_get(const guid_t *type)
{
	struct kmcl_vdrv *drv;
	int ret;

	mutex_lock(&drivers_lock);
	list_for_each_entry(drv, &drivers, node) {
		if (!guid_equal(&drv->ids[0].guid, type))
			continue;
		/* devices that nobody wanted before may be wanted now */
		ret = driver_attach(&drv->hv.driver);
		if (ret)
			goto error;
		drv->refs++;
		goto out;
	}
	drv = kzalloc(sizeof(*drv), GFP_KERNEL);
	if (!drv) {
		ret = -ENOMEM;
		goto error;
	}
	drv->refs = 1;
	guid_copy(&drv->ids[0].guid, type);
	snprintf(drv->name, sizeof(drv->name), "kmcl:%pUl", type);
	drv->hv.name = drv->name;
	drv->hv.id_table = drv->ids;
	/*
	 * Without an owner: every target holds the module already, and the driver
	 * core leaves its link below /sys/module behind when it is out of memory,
	 * after which the name could never be registered again.
	 */
	ret = vdrv_register(drv, NULL, NULL);
	if (ret) {
		kfree(drv);
		goto error;
	}
	list_add(&drv->node, &drivers);
out:
	mutex_unlock(&drivers_lock);
	return drv;
error:
	mutex_unlock(&drivers_lock);
	return ERR_PTR(ret);
}

static void class_put(struct kmcl_vdrv *drv)
{
	mutex_lock(&drivers_lock);
	if (!--drv->refs) {
		list_del(&drv->node);
		vmbus_driver_unregister(&drv->hv);
		kfree(drv);
	}
	mutex_unlock(&drivers_lock);
}

/* ---- who else has it ---- */

struct owned {
	const struct kmcl_target *target;	/* either */
	const struct hv_vmbus_device_id *ids;	/* or */
	const struct device_driver *ours;
	const char *name;
	unsigned int found;
};

static int owned_by_other(struct device *dev, void *data)
{
	const struct hv_device *hv = device_to_hv_device(dev);
	const struct device_driver *driver = READ_ONCE(dev->driver);
	const struct hv_vmbus_device_id *id;
	struct owned *o = data;

	if (!driver || driver == o->ours)
		return 0;
	if (o->target && !target_wants(o->target, hv))
		return 0;
	if (o->ids) {
		for (id = o->ids; !guid_is_null(&id->guid); id++)
			if (guid_equal(&id->guid, &hv->dev_type))
				break;
		if (guid_is_null(&id->guid))
			return 0;
	}
	o->found++;
	pr_warn("kmcl: %s: device %s belongs to driver %s; to free it: echo %s > /sys/bus/vmbus/drivers/%s/unbind\n",
		o->name, dev_name(dev), driver->name, dev_name(dev), driver->name);
	return 0;
}

/* ---- who should have it and has not ---- */

struct unbound {
	const struct kmcl_target *target;
	struct device_driver *driver;
};

static int is_left_unbound(struct device *dev, const void *data)
{
	const struct hv_device *hv = device_to_hv_device(dev);
	const struct unbound *u = data;

	/* not one that the host has taken back, which is on its way out */
	return !READ_ONCE(dev->driver) && kmcl_device_is_ready(dev) &&
	       !READ_ONCE(hv->channel->rescind) && target_wants(u->target, hv) &&
	       u->driver->bus->match(dev, u->driver);
}

/* One of those, with a reference, or NULL. */
static struct device *left_unbound(const struct unbound *u)
{
	return bus_find_device(u->driver->bus, NULL, u, is_left_unbound);
}

static bool target_found(struct kmcl_target *t)
{
	bool found;

	mutex_lock(&kmcl_bind_lock);
	found = t->link;
	mutex_unlock(&kmcl_bind_lock);
	return found;
}

/*
 * The bus does not say why a device was not bound. While a target waits for it
 * that is for want of memory only, or because the bus has not got to it yet:
 * then trying again waits for the bus. False: it is there and cannot be bound.
 *
 * One that was seen before the bus has tried, and is unbound afterwards, cannot. Another
 * one has come meanwhile, and that is no reason to give up.
 */
static bool bind_unbound(struct kmcl_target *t, struct kmcl_vdrv *drv)
{
	struct unbound u = { .target = t, .driver = &drv->hv.driver };
	struct device *before = left_unbound(&u), *after;
	bool ok = true;

	while (before && ok) {
		ok = !driver_attach(u.driver);
		after = ok && !target_found(t) ? left_unbound(&u) : NULL;
		if (after == before)
			ok = false;
		put_device(before);
		before = after;
	}
	put_device(before);
	return ok;
}

/* ---- the transport's operations ---- */

static int claim_parent(struct kmcl_target *t)
{
	struct kmcl_vdev *v;
	int ret = -EINVAL;

	mutex_lock(&kmcl_bind_lock);
	list_for_each_entry(v, &devices, node) {
		if (&v->hv->device != t->parent)
			continue;
		ret = -EBUSY;
		if (v->owner)
			break;
		if (v->asleep) {
			list_add_tail(&t->node, &waiting);
			ret = -EINPROGRESS;
			break;
		}
		kmcl_vdev_attach(v, t);
		ret = 0;
		break;
	}
	mutex_unlock(&kmcl_bind_lock);
	if (ret == -EBUSY)
		pr_warn("kmcl: %s: the device belongs to another channel\n", t->name);
	if (ret == -EINVAL)
		pr_warn("kmcl: %s: the parent is no VMBus device of a registered VSC, and no TargetPnp is set\n",
			t->name);
	return ret;
}

static void kmcl_vmbus_release(struct kmcl_target *t)
{
	struct kmcl_link *link;

	mutex_lock(&kmcl_bind_lock);
	list_del_init(&t->node);
	link = t->link;
	mutex_unlock(&kmcl_bind_lock);

	if (link) {
		struct kmcl_vdev *v = kmcl_vdev(link);

		/* waits for a remove that is telling us */
		mutex_lock(&v->lock);
		mutex_lock(&kmcl_bind_lock);
		vdev_set_owner(v, NULL);
		mutex_unlock(&kmcl_bind_lock);
		mutex_unlock(&v->lock);
		t->link = NULL;
		t->device = NULL;
		kmcl_vdev_put(v);
	}
	if (t->private)
		class_put(t->private);
	t->private = NULL;
}

static void kmcl_vmbus_settled(struct kmcl_target *t)
{
	wake_up_all(&kmcl_vdev(t->link)->wait);
}

static int kmcl_vmbus_claim(struct kmcl_target *t)
{
	struct kmcl_vdrv *drv;
	struct kmcl_vdev *v;
	struct owned o = { .target = t, .name = t->name };
	bool taken = false;

	if (t->sub_index)
		return kmcl_sub_claim(t);
	if (!t->has_type)
		return claim_parent(t);

	mutex_lock(&kmcl_bind_lock);
	list_add_tail(&t->node, &waiting);
	list_for_each_entry(v, &devices, node) {
		if (v->drv->vsc || (v->asleep && !v->owner) || !target_wants(t, v->hv))
			continue;
		if (!v->owner) {
			kmcl_vdev_attach(v, t);
			break;
		}
		taken = !t->any_instance;
	}
	mutex_unlock(&kmcl_bind_lock);

	/* registering probes what is there already */
	drv = class_get(&t->type);
	if (IS_ERR(drv)) {
		kmcl_vmbus_release(t);
		return PTR_ERR(drv);
	}
	t->private = drv;

	if (target_found(t))
		return 0;

	if (taken)
		pr_warn("kmcl: %s: device %pUl belongs to another channel\n",
			t->name, &t->instance);
	o.ours = &drv->hv.driver;
	bus_for_each_dev(drv->hv.driver.bus, NULL, &o, owned_by_other);
	if (taken || o.found) {
		kmcl_vmbus_release(t);
		return -EBUSY;
	}
	if (!bind_unbound(t, drv)) {
		kmcl_vmbus_release(t);
		return -ENOMEM;
	}
	return target_found(t) ? 0 : -EINPROGRESS;
}

static int kmcl_vmbus_vsc_register(struct kmcl_vsc *vsc)
{
	struct owned o = { .ids = vsc->id_table, .name = vsc->name };
	struct kmcl_vdrv *drv;
	int ret;

	drv = kzalloc(sizeof(*drv), GFP_KERNEL);
	if (!drv)
		return -ENOMEM;
	drv->vsc = vsc;
	drv->wq = alloc_ordered_workqueue("kmcl_%s", WQ_MEM_RECLAIM, vsc->name);
	if (!drv->wq) {
		kfree(drv);
		return -ENOMEM;
	}
	drv->hv.name = vsc->name;
	drv->hv.id_table = vsc->id_table;
	ret = vdrv_register(drv, vsc->owner, vsc->owner ? module_name(vsc->owner) : vsc->name);
	if (ret) {
		destroy_workqueue(drv->wq);
		kfree(drv);
		return ret;
	}
	vsc->private = drv;
	o.ours = &drv->hv.driver;
	bus_for_each_dev(drv->hv.driver.bus, NULL, &o, owned_by_other);
	return 0;
}

static void kmcl_vmbus_vsc_unregister(struct kmcl_vsc *vsc)
{
	struct kmcl_vdrv *drv = vsc->private;
	struct kmcl_vdev *v;

	/* first the port, with its devices still there: a graceful Disable */
	mutex_lock(&kmcl_bind_lock);
	drv->dying = true;
	list_for_each_entry(v, &devices, node)
		if (v->drv == drv)
			vdev_queue(v, &v->remove_work);
	mutex_unlock(&kmcl_bind_lock);
	flush_workqueue(drv->wq);

	vmbus_driver_unregister(&drv->hv);
	destroy_workqueue(drv->wq);
	kfree(drv);
}

struct kmcl_transport kmcl_vmbus_transport = {
	.name		= "vmbus",
	.owner		= THIS_MODULE,
	.claim		= kmcl_vmbus_claim,
	.release	= kmcl_vmbus_release,
	.settled	= kmcl_vmbus_settled,
	.vsc_register	= kmcl_vmbus_vsc_register,
	.vsc_unregister	= kmcl_vmbus_vsc_unregister,
};
