// SPDX-License-Identifier: GPL-2.0
/*
 * Linux around the shutdown service: poweroff and reboot by the system's own
 * commands, hibernation by an event for udev, as the kernel's own driver does it,
 * and files for the administrator in /sys/module/kmcl_shutdown/shutdown/.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitops.h>
#include <linux/err.h>
#include <linux/hyperv.h>
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/reboot.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <asm/mshyperv.h>

#include <kmcl/device.h>
#include <kmcl/status.h>

#include "../sample.h"
#include "protocol.h"

static bool log_only;
module_param(log_only, bool, 0644);
MODULE_PARM_DESC(log_only, "Agree to what the host asks for, log it, and do nothing");

/**
 * struct shutdown - the device and what it has to do
 * @protocol: the device
 * @dev: the same, Linux' view
 * @work: does it
 * @todo: bit SD_ACTION: what is to be done
 */
struct shutdown {
	PSD_DEVICE protocol;
	struct device *dev;
	struct work_struct work;
	unsigned long todo;
};

static struct sample shutdown;

/* ---- what the protocol asks for ---- */

BOOLEAN SdCanHibernate(PVOID System)
{
	return hv_is_hibernation_supported();
}

VOID SdAct(PVOID System, SD_ACTION Action)
{
	struct shutdown *s = System;

	set_bit(Action, &s->todo);
	schedule_work(&s->work);
}

/* What the kernel's own driver says to udev, whose rules decide what follows. */
static char *hibernate_event[] = { "EVENT=hibernate", NULL };

static void shutdown_work(struct work_struct *work)
{
	struct shutdown *s = container_of(work, struct shutdown, work);
	unsigned long todo = xchg(&s->todo, 0);

	if (READ_ONCE(log_only)) {
		pr_info("log_only is set: nothing is done\n");
		return;
	}
	if (todo & BIT(SdHibernate))
		kobject_uevent_env(&s->dev->kobj, KOBJ_CHANGE, hibernate_event);
	if (todo & BIT(SdRestart))
		orderly_reboot();
	else if (todo & BIT(SdPowerOff))
		orderly_poweroff(true);
}

/* ---- files ---- */

static int shutdown_counters(SD_COUNTERS *c)
{
	struct shutdown *s = sample_get(&shutdown);

	if (IS_ERR(s))
		return PTR_ERR(s);
	SdQueryCounters(s->protocol, c);
	sample_put(&shutdown);
	return 0;
}

static int ic_counters(IC_COUNTERS *c)
{
	SD_COUNTERS all;
	int ret = shutdown_counters(&all);

	if (!ret)
		*c = all.Ic;
	return ret;
}

#include "../integration/files.h"

#define SHUTDOWN_COUNTER(file, format, member)					\
static ssize_t file##_show(struct kobject *kobj, struct kobj_attribute *attr,	\
			   char *buf)						\
{										\
	SD_COUNTERS c;								\
	int ret = shutdown_counters(&c);					\
										\
	return ret ?: sysfs_emit(buf, format "\n", c.member);			\
}										\
static struct kobj_attribute file##_attr = __ATTR_RO(file)

SHUTDOWN_COUNTER(agreed, "%llu", Agreed);
SHUTDOWN_COUNTER(declined, "%llu", Declined);
SHUTDOWN_COUNTER(last_reason, "0x%08x", Reason);

static struct attribute *shutdown_attrs[] = {
	&agreed_attr.attr,
	&declined_attr.attr,
	&last_reason_attr.attr,
	IC_FILES,
	NULL
};

static const struct attribute_group shutdown_group = {
	.attrs = shutdown_attrs,
};

/* ---- module ---- */

static void *shutdown_create(struct device *dev)
{
	struct shutdown *s = kzalloc(sizeof(*s), GFP_KERNEL);
	int ret;

	if (!s)
		return ERR_PTR(-ENOMEM);
	s->dev = dev;
	INIT_WORK(&s->work, shutdown_work);
	ret = kmcl_status_to_errno(SdCreate(kmcl_device_object(dev), s, &s->protocol));
	if (ret) {
		flush_work(&s->work);
		kfree(s);
		return ERR_PTR(ret);
	}
	return s;
}

static void shutdown_destroy(void *device)
{
	struct shutdown *s = device;

	SdDestroy(s->protocol);
	/* What was agreed to is done. */
	flush_work(&s->work);
	kfree(s);
}

static int shutdown_add(struct device *dev)
{
	return sample_add(&shutdown, dev);
}

static void shutdown_remove(struct device *dev)
{
	sample_remove(&shutdown);
}

static const struct hv_vmbus_device_id shutdown_ids[] = {
	/* 0e0b6031-5213-4934-818b-38d90ced39db */
	{ HV_SHUTDOWN_GUID, },
	{ },
};

MODULE_DEVICE_TABLE(vmbus, shutdown_ids);

static struct sample shutdown = {
	.name = "shutdown",
	.files = &shutdown_group,
	.vsc = {
		.name = KBUILD_MODNAME,
		.owner = THIS_MODULE,
		.id_table = shutdown_ids,
		.add = shutdown_add,
		.remove = shutdown_remove,
	},
	.create = shutdown_create,
	.destroy = shutdown_destroy,
};

static int __init shutdown_init(void)
{
	return sample_register(&shutdown);
}
module_init(shutdown_init);

static void __exit shutdown_exit(void)
{
	sample_unregister(&shutdown);
}
module_exit(shutdown_exit);

MODULE_DESCRIPTION("Shutdown by the host for Hyper-V guests, ported with KMCL");
MODULE_LICENSE("GPL");
