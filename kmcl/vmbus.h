/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of kmcl_vmbus.ko share. */
#ifndef _KMCL_VMBUS_H
#define _KMCL_VMBUS_H

#include <linux/hyperv.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>
#include "transport.h"

struct kmcl_vdrv;

/**
 * struct kmcl_vdev - a VMBus device that is bound to us, or a sub-channel of one
 * @link: its rings
 * @chan: the bus's channel; a sub-channel's is referenced
 * @hv: the device; a reference is held
 * @drv: the driver it is bound to; NULL for a sub-channel
 * @primary: of a sub-channel: the device it belongs to; a reference is held
 * @subs: of a device: sub-channels that were offered since it was opened;
 *	kmcl_bind_lock
 * @subs_on: of a device: it is open and collects @subs; kmcl_bind_lock
 * @poll: of a device: looks for sub-channels that have been rescinded
 * @index: of a sub-channel: which one
 * @tried: of a sub-channel: it has been opened, or its open has failed
 * @connected: of a sub-channel: its rings are open on the bus
 * @ref: the binding (for a sub-channel, the primary's list), the owner, and
 *	queued work hold one each
 * @node: in the list of bound devices, or in the primary's; kmcl_bind_lock
 * @lock: held while the owner is told that the device goes
 * @owner: the channel it is claimed for; changes under @lock, kmcl_bind_lock and
 *	a spin lock of bind.c; read under any of them
 * @asleep: the system hibernates: no open, no new owner; kmcl_bind_lock
 * @wait: for the owner to settle, or to go
 * @gone: being removed; set once, before the owner is told
 * @added: the VSC's add() succeeded; its work items only
 * @add_work: calls the VSC's add()
 * @remove_work: calls the VSC's remove()
 */
struct kmcl_vdev {
	struct kmcl_link link;
	struct vmbus_channel *chan;
	struct hv_device *hv;
	struct kmcl_vdrv *drv;
	struct kmcl_vdev *primary;
	struct list_head subs;
	bool subs_on;
	struct delayed_work poll;
	u16 index;
	bool tried;
	bool connected;
	struct kref ref;
	struct list_head node;
	struct mutex lock;	/* held while the owner is told */
	struct kmcl_target *owner;
	bool asleep;
	wait_queue_head_t wait;
	bool gone;
	bool added;
	struct work_struct add_work;
	struct work_struct remove_work;
};

static inline struct kmcl_vdev *kmcl_vdev(struct kmcl_link *link)
{
	return container_of(link, struct kmcl_vdev, link);
}

extern const struct kmcl_link_ops kmcl_vmbus_link_ops;
extern struct kmcl_transport kmcl_vmbus_transport;

/* bind.c */
extern struct mutex kmcl_bind_lock;
struct kmcl_vdev *kmcl_vdev_new(struct hv_device *hv, struct vmbus_channel *chan);
struct kmcl_vdev *kmcl_vdev_find(struct vmbus_channel *chan);
void kmcl_vdev_attach(struct kmcl_vdev *v, struct kmcl_target *t);
void kmcl_vdev_put(struct kmcl_vdev *v);

/* sub_vmbus.c */
void kmcl_subs_init(struct kmcl_vdev *v);
void kmcl_subs_collect(struct kmcl_vdev *v);
void kmcl_subs_stop(struct kmcl_vdev *v);
void kmcl_subs_forget(struct kmcl_vdev *v);
void kmcl_sub_rescinded(struct kmcl_vdev *v);
int kmcl_sub_claim(struct kmcl_target *t);
int kmcl_sub_reattach(struct kmcl_vdev *v, u32 out_bytes, u32 in_bytes);
int kmcl_sub_detach(struct kmcl_vdev *v);

#endif
