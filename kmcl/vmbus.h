/* SPDX-License-Identifier: GPL-2.0 */
/* What the two files of kmcl_vmbus.ko share. */
#ifndef _KMCL_VMBUS_H
#define _KMCL_VMBUS_H

#include <linux/hyperv.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>
#include "transport.h"

struct kmcl_vdrv;

/**
 * struct kmcl_vdev - a VMBus device that is bound to us
 * @link: its rings
 * @hv: the device; a reference is held
 * @drv: the driver it is bound to
 * @ref: the binding, the owner, and queued work hold one each
 * @node: in the list of bound devices; bind_lock
 * @lock: held while the owner is told that the device goes
 * @owner: the channel it is claimed for; changes under @lock and bind_lock
 * @gone: being removed; set once, before the owner is told
 * @added: the VSC's add() succeeded; its work items only
 * @add_work: calls the VSC's add()
 * @remove_work: calls the VSC's remove()
 */
struct kmcl_vdev {
	struct kmcl_link link;
	struct hv_device *hv;
	struct kmcl_vdrv *drv;
	struct kref ref;
	struct list_head node;
	struct mutex lock;	/* held while the owner is told */
	struct kmcl_target *owner;
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

#endif
