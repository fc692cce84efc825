// SPDX-License-Identifier: GPL-2.0
/*
 * Linux around the heartbeat: the module, and files for the administrator in
 * /sys/module/kmcl_heartbeat/heartbeat/.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/hyperv.h>
#include <linux/module.h>
#include <linux/string.h>

#include <kmcl/device.h>
#include <kmcl/status.h>

#include "../sample.h"
#include "protocol.h"

static struct sample heartbeat;

static int heartbeat_counters(HB_COUNTERS *c)
{
	PHB_DEVICE device = sample_get(&heartbeat);

	if (IS_ERR(device))
		return PTR_ERR(device);
	HbQueryCounters(device, c);
	sample_put(&heartbeat);
	return 0;
}

static int ic_counters(IC_COUNTERS *c)
{
	HB_COUNTERS all;
	int ret = heartbeat_counters(&all);

	if (!ret)
		*c = all.Ic;
	return ret;
}

#include "../integration/files.h"

/* ---- files ---- */

static ssize_t count_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	HB_COUNTERS c;
	int ret = heartbeat_counters(&c);

	return ret ?: sysfs_emit(buf, "%llu\n", c.Beats);
}

static struct kobj_attribute count_attr = __ATTR_RO(count);

static ssize_t sequence_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	HB_COUNTERS c;
	int ret = heartbeat_counters(&c);

	return ret ?: sysfs_emit(buf, "%llu\n", c.Sequence);
}

static struct kobj_attribute sequence_attr = __ATTR_RO(sequence);

/* How long ago the last one came; empty before the first. */
static ssize_t last_ms_ago_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	HB_COUNTERS c;
	int ret = heartbeat_counters(&c);

	if (ret)
		return ret;
	if (!c.LastBeat)
		return sysfs_emit(buf, "\n");
	return sysfs_emit(buf, "%llu\n", div_u64(KeQueryInterruptTime() - c.LastBeat, 10000));
}

static struct kobj_attribute last_ms_ago_attr = __ATTR_RO(last_ms_ago);

static const char * const heartbeat_states[] = {
	[HbUnknown] = "unknown",
	[HbHealthy] = "healthy",
	[HbCritical] = "critical",
	[HbStopped] = "stopped",
};

static ssize_t application_state_show(struct kobject *kobj, struct kobj_attribute *attr,
				      char *buf)
{
	HB_COUNTERS c;
	int ret = heartbeat_counters(&c);

	return ret ?: sysfs_emit(buf, "%s\n", heartbeat_states[c.State]);
}

static ssize_t application_state_store(struct kobject *kobj, struct kobj_attribute *attr,
				       const char *buf, size_t count)
{
	int state = sysfs_match_string(heartbeat_states, buf);
	PHB_DEVICE device;

	if (state < 0)
		return state;
	device = sample_get(&heartbeat);
	if (IS_ERR(device))
		return PTR_ERR(device);
	HbSetState(device, state);
	sample_put(&heartbeat);
	return count;
}

static struct kobj_attribute application_state_attr = __ATTR_RW(application_state);

static struct attribute *heartbeat_attrs[] = {
	&count_attr.attr,
	&sequence_attr.attr,
	&last_ms_ago_attr.attr,
	&application_state_attr.attr,
	IC_FILES,
	NULL
};

static const struct attribute_group heartbeat_group = {
	.attrs = heartbeat_attrs,
};

/* ---- module ---- */

static void *heartbeat_create(struct device *dev)
{
	PHB_DEVICE device;
	int ret = kmcl_status_to_errno(HbCreate(kmcl_device_object(dev), &device));

	return ret ? ERR_PTR(ret) : device;
}

static void heartbeat_destroy(void *device)
{
	HbDestroy(device);
}

static int heartbeat_add(struct device *dev)
{
	return sample_add(&heartbeat, dev);
}

static void heartbeat_remove(struct device *dev)
{
	sample_remove(&heartbeat);
}

static const struct hv_vmbus_device_id heartbeat_ids[] = {
	/* 57164f39-9115-4e78-ab55-382f3bd5422d */
	{ HV_HEART_BEAT_GUID, },
	{ },
};

MODULE_DEVICE_TABLE(vmbus, heartbeat_ids);

static struct sample heartbeat = {
	.name = "heartbeat",
	.files = &heartbeat_group,
	.vsc = {
		.name = KBUILD_MODNAME,
		.owner = THIS_MODULE,
		.id_table = heartbeat_ids,
		.add = heartbeat_add,
		.remove = heartbeat_remove,
	},
	.create = heartbeat_create,
	.destroy = heartbeat_destroy,
};

static int __init heartbeat_init(void)
{
	return sample_register(&heartbeat);
}
module_init(heartbeat_init);

static void __exit heartbeat_exit(void)
{
	sample_unregister(&heartbeat);
}
module_exit(heartbeat_exit);

MODULE_DESCRIPTION("Heartbeat for Hyper-V guests, ported with KMCL");
MODULE_LICENSE("GPL");
