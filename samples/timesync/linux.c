// SPDX-License-Identifier: GPL-2.0
/*
 * Linux around the time service: the clock, a PTP device that tells the host's time
 * (chrony's best source on a guest), and files for the administrator in
 * /sys/module/kmcl_timesync/timesync/.
 *
 * The reference time is the hypervisor's counter that the kernel's own clocksource
 * reads too.  After live migration it goes on counting; after hibernation it may
 * start anew, but then so does the channel, and old samples are forgotten.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/hyperv.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/ptp_clock_kernel.h>
#include <linux/slab.h>
#include <linux/time64.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>

#include <asm/mshyperv.h>

#include <kmcl/device.h>
#include <kmcl/status.h>

#include "../sample.h"
#include "protocol.h"

static bool timesync_implicit;
module_param(timesync_implicit, bool, 0644);
MODULE_PARM_DESC(timesync_implicit,
		 "Set the clock by a mere sample too when it is 5 s or more behind the host");

static bool set_time = true;
module_param(set_time, bool, 0644);
MODULE_PARM_DESC(set_time, "Set the clock when the host wants it; N: only report");

/**
 * struct timesync - the device and what Linux has for it
 * @protocol: the device
 * @work: sets the clock
 * @ptp_info: of @ptp
 * @ptp: the PTP device, or NULL
 * @sets: how often the clock was set
 */
struct timesync {
	PTS_DEVICE protocol;
	struct work_struct work;
	struct ptp_clock_info ptp_info;
	struct ptp_clock *ptp;
	atomic64_t sets;
};

static struct sample timesync;

/* ---- what the protocol asks for ---- */

ULONG64 TsReferenceTime(PVOID System)
{
	return hv_read_reference_counter();
}

BOOLEAN TsImplicit(PVOID System)
{
	return READ_ONCE(timesync_implicit);
}

VOID TsSetTime(PVOID System)
{
	struct timesync *ts = System;

	schedule_work(&ts->work);
}

VOID TsCancelSetTime(PVOID System)
{
	struct timesync *ts = System;

	cancel_work_sync(&ts->work);
}

/* -ESTALE: what the kernel's own driver answers without a fresh sample. */
static int host_time(struct timesync *ts, struct timespec64 *time)
{
	ULONG64 units;

	if (!TsQueryHostTime(ts->protocol, &units))
		return -ESTALE;
	/* Neither the past before 1970 nor what overflows is worth telling apart. */
	if (units < KMCL_NT_UNIX_EPOCH ||
	    units - KMCL_NT_UNIX_EPOCH > KTIME_MAX / KMCL_NT_NS_PER_UNIT)
		return -ERANGE;
	*time = ns_to_timespec64((units - KMCL_NT_UNIX_EPOCH) * KMCL_NT_NS_PER_UNIT);
	return 0;
}

static void timesync_work(struct work_struct *work)
{
	struct timesync *ts = container_of(work, struct timesync, work);
	struct timespec64 before, time;
	int ret;

	ret = host_time(ts, &time);
	if (!ret && READ_ONCE(set_time)) {
		ktime_get_real_ts64(&before);
		ret = do_settimeofday64(&time);
		if (!ret) {
			atomic64_inc(&ts->sets);
			pr_info_ratelimited("clock set by %lld ms\n",
					    ktime_ms_delta(timespec64_to_ktime(time),
							   timespec64_to_ktime(before)));
		}
	}
	if (ret)
		pr_warn_ratelimited("clock not set to the host's time (%d)\n", ret);
}

/* ---- PTP ---- */

static int ptp_gettime(struct ptp_clock_info *info, struct timespec64 *ts)
{
	return host_time(container_of(info, struct timesync, ptp_info), ts);
}

static int ptp_settime(struct ptp_clock_info *info, const struct timespec64 *ts)
{
	return -EOPNOTSUPP;
}

static int ptp_adjtime(struct ptp_clock_info *info, s64 delta)
{
	return -EOPNOTSUPP;
}

static int ptp_adjfine(struct ptp_clock_info *info, long delta)
{
	return -EOPNOTSUPP;
}

static int ptp_enable(struct ptp_clock_info *info, struct ptp_clock_request *request, int on)
{
	return -EOPNOTSUPP;
}

/* The name is the one that the kernel's own driver has: /dev/ptp_hyperv by udev. */
static const struct ptp_clock_info timesync_ptp = {
	.owner = THIS_MODULE,
	.name = "hyperv",
	.gettime64 = ptp_gettime,
	.settime64 = ptp_settime,
	.adjtime = ptp_adjtime,
	.adjfine = ptp_adjfine,
	.enable = ptp_enable,
};

/* ---- files ---- */

static int timesync_counters(TS_COUNTERS *c)
{
	struct timesync *ts = sample_get(&timesync);

	if (IS_ERR(ts))
		return PTR_ERR(ts);
	TsQueryCounters(ts->protocol, c);
	sample_put(&timesync);
	return 0;
}

static int ic_counters(IC_COUNTERS *c)
{
	TS_COUNTERS all;
	int ret = timesync_counters(&all);

	if (!ret)
		*c = all.Ic;
	return ret;
}

#include "../integration/files.h"

#define TIMESYNC_COUNTER(file, member)						\
static ssize_t file##_show(struct kobject *kobj, struct kobj_attribute *attr,	\
			   char *buf)						\
{										\
	TS_COUNTERS c;								\
	int ret = timesync_counters(&c);					\
										\
	return ret ?: sysfs_emit(buf, "%llu\n", c.member);			\
}										\
static struct kobj_attribute file##_attr = __ATTR_RO(file)

TIMESYNC_COUNTER(samples, Samples);
TIMESYNC_COUNTER(syncs, Syncs);
TIMESYNC_COUNTER(stale_samples, Stale);

/* The host's clock less this one when the last sample came; empty before the first. */
static ssize_t offset_us_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	TS_COUNTERS c;
	int ret = timesync_counters(&c);

	if (ret)
		return ret;
	if (!c.LastSample)
		return sysfs_emit(buf, "\n");
	return sysfs_emit(buf, "%lld\n", div_s64(c.LastOffset, 10));
}

static struct kobj_attribute offset_us_attr = __ATTR_RO(offset_us);

static ssize_t last_ms_ago_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	TS_COUNTERS c;
	int ret = timesync_counters(&c);

	if (ret)
		return ret;
	if (!c.LastSample)
		return sysfs_emit(buf, "\n");
	return sysfs_emit(buf, "%llu\n", div_u64(KeQueryInterruptTime() - c.LastSample, 10000));
}

static struct kobj_attribute last_ms_ago_attr = __ATTR_RO(last_ms_ago);

static ssize_t clock_sets_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	struct timesync *ts = sample_get(&timesync);
	s64 sets;

	if (IS_ERR(ts))
		return PTR_ERR(ts);
	sets = atomic64_read(&ts->sets);
	sample_put(&timesync);
	return sysfs_emit(buf, "%lld\n", sets);
}

static struct kobj_attribute clock_sets_attr = __ATTR_RO(clock_sets);

static struct attribute *timesync_attrs[] = {
	&samples_attr.attr,
	&syncs_attr.attr,
	&stale_samples_attr.attr,
	&offset_us_attr.attr,
	&last_ms_ago_attr.attr,
	&clock_sets_attr.attr,
	IC_FILES,
	NULL
};

static const struct attribute_group timesync_group = {
	.attrs = timesync_attrs,
};

/* ---- module ---- */

static void *timesync_create(struct device *dev)
{
	struct timesync *ts;
	int ret;

	if (!hv_read_reference_counter) {
		dev_warn(dev, "the hypervisor has no reference counter\n");
		return ERR_PTR(-EOPNOTSUPP);
	}
	ts = kzalloc(sizeof(*ts), GFP_KERNEL);
	if (!ts)
		return ERR_PTR(-ENOMEM);
	INIT_WORK(&ts->work, timesync_work);
	ts->ptp_info = timesync_ptp;
	ret = kmcl_status_to_errno(TsCreate(kmcl_device_object(dev), ts, &ts->protocol));
	if (ret) {
		kfree(ts);
		return ERR_PTR(ret);
	}
	/* NULL on a kernel without PTP; the clock is set all the same. */
	ts->ptp = ptp_clock_register(&ts->ptp_info, NULL);
	if (IS_ERR(ts->ptp)) {
		dev_warn(dev, "no PTP device (%pe)\n", ts->ptp);
		ts->ptp = NULL;
	}
	return ts;
}

static void timesync_destroy(void *device)
{
	struct timesync *ts = device;

	if (ts->ptp)
		ptp_clock_unregister(ts->ptp);
	TsDestroy(ts->protocol);
	kfree(ts);
}

static int timesync_add(struct device *dev)
{
	return sample_add(&timesync, dev);
}

static void timesync_remove(struct device *dev)
{
	sample_remove(&timesync);
}

static const struct hv_vmbus_device_id timesync_ids[] = {
	/* 9527e630-d0ae-497b-adce-e80ab0175caf */
	{ HV_TS_GUID, },
	{ },
};

MODULE_DEVICE_TABLE(vmbus, timesync_ids);

static struct sample timesync = {
	.name = "timesync",
	.files = &timesync_group,
	.vsc = {
		.name = KBUILD_MODNAME,
		.owner = THIS_MODULE,
		.id_table = timesync_ids,
		.add = timesync_add,
		.remove = timesync_remove,
	},
	.create = timesync_create,
	.destroy = timesync_destroy,
};

static int __init timesync_init(void)
{
	return sample_register(&timesync);
}
module_init(timesync_init);

static void __exit timesync_exit(void)
{
	sample_unregister(&timesync);
}
module_exit(timesync_exit);

MODULE_DESCRIPTION("Time synchronisation for Hyper-V guests, ported with KMCL");
MODULE_LICENSE("GPL");
