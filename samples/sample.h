/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the Linux files of the samples have in common: a driver for one device at a
 * time, and a directory of files for the administrator, /sys/module/MODULE/NAME/.
 *
 * The device is there between add and remove; the files of a sample ask for it
 * with sample_get(), which keeps it there until sample_put().
 */
#ifndef _KMCL_SAMPLE_H
#define _KMCL_SAMPLE_H

#include <linux/device.h>
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sysfs.h>

#include <kmcl/vsc.h>

/**
 * struct sample - one device, its files, and its driver
 * @name: of the directory
 * @files: in it
 * @vsc: the driver; its add and remove call sample_add() and sample_remove()
 * @create: makes the device: the sample's own pointer, or an error pointer
 * @destroy: takes it down
 * @lock: for @device
 * @device: what @create made, or NULL
 * @kobj: the directory
 */
struct sample {
	const char *name;
	const struct attribute_group *files;
	struct kmcl_vsc vsc;
	void *(*create)(struct device *dev);
	void (*destroy)(void *device);

	/* keeps create, destroy and the files apart */
	struct mutex lock;
	void *device;
	struct kobject *kobj;
};

static inline int sample_add(struct sample *s, struct device *dev)
{
	void *device;
	int ret = 0;

	mutex_lock(&s->lock);
	if (s->device) {
		ret = -EBUSY;
	} else {
		device = s->create(dev);
		if (IS_ERR(device))
			ret = PTR_ERR(device);
		else
			s->device = device;
	}
	mutex_unlock(&s->lock);

	return ret;
}

/* Called for the device whose add succeeded, and there is only one such. */
static inline void sample_remove(struct sample *s)
{
	mutex_lock(&s->lock);
	s->destroy(s->device);
	s->device = NULL;
	mutex_unlock(&s->lock);
}

/* The device, or an error pointer, after which there is nothing to put. */
static inline void *sample_get(struct sample *s)
{
	if (mutex_lock_interruptible(&s->lock))
		return ERR_PTR(-ERESTARTSYS);
	if (s->device)
		return s->device;
	mutex_unlock(&s->lock);

	return ERR_PTR(-ENODEV);
}

static inline void sample_put(struct sample *s)
{
	mutex_unlock(&s->lock);
}

static inline int sample_register(struct sample *s)
{
	int ret;

	mutex_init(&s->lock);
	s->kobj = kobject_create_and_add(s->name, &s->vsc.owner->mkobj.kobj);
	if (!s->kobj)
		return -ENOMEM;
	ret = sysfs_create_group(s->kobj, s->files);
	if (!ret)
		ret = kmcl_vsc_register(&s->vsc);
	if (ret)
		kobject_put(s->kobj);
	return ret;
}

static inline void sample_unregister(struct sample *s)
{
	/* Files first: one that is being read is waited for. */
	kobject_put(s->kobj);
	kmcl_vsc_unregister(&s->vsc);
}

#endif /* _KMCL_SAMPLE_H */
