// SPDX-License-Identifier: GPL-2.0
/*
 * Linux around the servers of the integration services: the module, and files for
 * the administrator in /sys/module/kmcl_icvsp/icvsp/, in a directory for each.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/math64.h>
#include <linux/module.h>
#include <linux/string.h>

#include <kmcl/status.h>

#include "../vsp.h"
#include "protocol.h"

static PHBS_DEVICE heartbeat;
static PTSS_DEVICE timesync;
static PSDS_DEVICE shutdown;

/* ---- the lower half of the protocols ---- */

/* This machine's own clock is no reference that a client has. */
BOOLEAN TssReferenceTime(PVOID System, PULONG64 Time)
{
	return FALSE;
}

/* ---- files ---- */

static void heartbeat_counters(ICS_COUNTERS *c)
{
	HBS_COUNTERS all;

	HbsQueryCounters(heartbeat, &all);
	*c = all.Ics;
}

static void timesync_counters(ICS_COUNTERS *c)
{
	TssQueryCounters(timesync, c);
}

static void shutdown_counters(ICS_COUNTERS *c)
{
	SdsQueryCounters(shutdown, c);
}

/* The macros' files are told apart by the service in their names. */
#define IC_ATTR(service, file, mode, show, store)				\
static struct kobj_attribute service##_##file##_attr =				\
	__ATTR(file, mode, show, store)

#define IC_SHOW(service, file, format, ...)					\
static ssize_t service##_##file##_show(struct kobject *kobj,			\
				       struct kobj_attribute *attr, char *buf)	\
{										\
	ICS_COUNTERS c;								\
										\
	service##_counters(&c);							\
	return sysfs_emit(buf, format "\n", __VA_ARGS__);			\
}										\
IC_ATTR(service, file, 0444, service##_##file##_show, NULL)

#define IC_SHOW_ALL(service)							\
IC_SHOW(service, version, "%u.%u", c.Message.Major, c.Message.Minor);		\
IC_SHOW(service, framework_version, "%u.%u", c.Framework.Major, c.Framework.Minor); \
IC_SHOW(service, sent, "%llu", c.Sent);						\
IC_SHOW(service, answered, "%llu", c.Answered);					\
IC_SHOW(service, bad_messages, "%llu", c.BadMessages)

#define IC_ATTRS(service)							\
	&service##_version_attr.attr,						\
	&service##_framework_version_attr.attr,					\
	&service##_sent_attr.attr,						\
	&service##_answered_attr.attr,						\
	&service##_bad_messages_attr.attr

IC_SHOW_ALL(heartbeat);
IC_SHOW_ALL(timesync);
IC_SHOW_ALL(shutdown);

static ssize_t beats_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	HBS_COUNTERS c;

	HbsQueryCounters(heartbeat, &c);
	return sysfs_emit(buf, "%llu\n", c.Beats);
}

IC_ATTR(heartbeat, beats, 0444, beats_show, NULL);

static ssize_t last_ms_ago_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	HBS_COUNTERS c;

	HbsQueryCounters(heartbeat, &c);
	if (!c.LastBeat)
		return sysfs_emit(buf, "-1\n");
	return sysfs_emit(buf, "%llu\n", div_u64(KeQueryInterruptTime() - c.LastBeat, 10000));
}

IC_ATTR(heartbeat, last_ms_ago, 0444, last_ms_ago_show, NULL);

static ssize_t application_state_show(struct kobject *kobj, struct kobj_attribute *attr,
				      char *buf)
{
	HBS_COUNTERS c;

	HbsQueryCounters(heartbeat, &c);
	return sysfs_emit(buf, "%u\n", c.State);
}

IC_ATTR(heartbeat, application_state, 0444, application_state_show, NULL);

/* What to answer to a writer whose question no client hears. */
static int not_connected(NTSTATUS status)
{
	if (status == STATUS_INVALID_DEVICE_STATE)
		return -ENOTCONN;
	return kmcl_status_to_errno(status);
}

static ssize_t sync_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			  size_t count)
{
	return not_connected(TssSync(timesync)) ?: count;
}

IC_ATTR(timesync, sync, 0200, NULL, sync_store);

static const char * const shutdown_kinds[] = {
	[SdsPowerOff] = "poweroff",
	[SdsRestart] = "restart",
	[SdsHibernate] = "hibernate",
};

static ssize_t request_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			     size_t count)
{
	int kind = sysfs_match_string(shutdown_kinds, buf);

	if (kind < 0)
		return kind;
	return not_connected(SdsRequest(shutdown, kind, FALSE)) ?: count;
}

IC_ATTR(shutdown, request, 0200, NULL, request_store);

static ssize_t answer_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	static const char * const answers[] = {
		[SdsNone] = "none",
		[SdsAsked] = "asked",
		[SdsAgreed] = "agreed",
		[SdsDeclined] = "declined",
	};

	return sysfs_emit(buf, "%s\n", answers[SdsQueryAnswer(shutdown)]);
}

IC_ATTR(shutdown, answer, 0444, answer_show, NULL);

static struct attribute *heartbeat_attrs[] = {
	IC_ATTRS(heartbeat),
	&heartbeat_beats_attr.attr,
	&heartbeat_last_ms_ago_attr.attr,
	&heartbeat_application_state_attr.attr,
	NULL
};

static struct attribute *timesync_attrs[] = {
	IC_ATTRS(timesync),
	&timesync_sync_attr.attr,
	NULL
};

static struct attribute *shutdown_attrs[] = {
	IC_ATTRS(shutdown),
	&shutdown_request_attr.attr,
	&shutdown_answer_attr.attr,
	NULL
};

static const struct attribute_group heartbeat_group = {
	.name = "heartbeat",
	.attrs = heartbeat_attrs,
};

static const struct attribute_group timesync_group = {
	.name = "timesync",
	.attrs = timesync_attrs,
};

static const struct attribute_group shutdown_group = {
	.name = "shutdown",
	.attrs = shutdown_attrs,
};

static const struct attribute_group *icvsp_groups[] = {
	&heartbeat_group,
	&timesync_group,
	&shutdown_group,
	NULL
};

/* ---- module ---- */

static int icvsp_create(void)
{
	NTSTATUS status;

	status = HbsCreate(NULL, vsp_bus_handle, &heartbeat);
	if (!NT_SUCCESS(status))
		return kmcl_status_to_errno(status);
	status = TssCreate(NULL, vsp_bus_handle, NULL, &timesync);
	if (!NT_SUCCESS(status))
		goto destroy_heartbeat;
	status = SdsCreate(NULL, vsp_bus_handle, &shutdown);
	if (!NT_SUCCESS(status))
		goto destroy_timesync;
	return 0;

destroy_timesync:
	TssDestroy(timesync);
destroy_heartbeat:
	HbsDestroy(heartbeat);
	return kmcl_status_to_errno(status);
}

static void icvsp_destroy(void)
{
	SdsDestroy(shutdown);
	TssDestroy(timesync);
	HbsDestroy(heartbeat);
	/* the timers' */
	kmcl_nt_flush();
}

static int __init icvsp_init(void)
{
	int ret = vsp_bus_get();

	if (ret)
		return ret;
	ret = icvsp_create();
	if (ret)
		goto put_bus;
	ret = vsp_files_add("icvsp", icvsp_groups);
	if (ret)
		goto destroy;
	return 0;

destroy:
	icvsp_destroy();
put_bus:
	vsp_bus_put();
	return ret;
}
module_init(icvsp_init);

static void __exit icvsp_exit(void)
{
	vsp_files_remove();
	icvsp_destroy();
	vsp_bus_put();
}
module_exit(icvsp_exit);

MODULE_DESCRIPTION("Heartbeat, time and shutdown for VMBus clients, served with KMCL");
MODULE_LICENSE("GPL");
