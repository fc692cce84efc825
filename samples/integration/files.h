/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The files that every integration service shows on Linux.
 *
 * Included by the Linux file of a service, which defines before it:
 * static int ic_counters(IC_COUNTERS *c), 0 or an error.
 */
#ifndef _INTEGRATION_FILES_H
#define _INTEGRATION_FILES_H

#include <linux/sysfs.h>

#include "ic.h"

static ssize_t version_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	IC_COUNTERS c;
	int ret = ic_counters(&c);

	return ret ?: sysfs_emit(buf, "%u.%u\n", c.Message.Major, c.Message.Minor);
}

static struct kobj_attribute version_attr = __ATTR_RO(version);

static ssize_t framework_version_show(struct kobject *kobj, struct kobj_attribute *attr,
				      char *buf)
{
	IC_COUNTERS c;
	int ret = ic_counters(&c);

	return ret ?: sysfs_emit(buf, "%u.%u\n", c.Framework.Major, c.Framework.Minor);
}

static struct kobj_attribute framework_version_attr = __ATTR_RO(framework_version);

static ssize_t unanswered_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	IC_COUNTERS c;
	int ret = ic_counters(&c);

	return ret ?: sysfs_emit(buf, "%llu\n", c.Unanswered);
}

static struct kobj_attribute unanswered_attr = __ATTR_RO(unanswered);

static ssize_t bad_messages_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	IC_COUNTERS c;
	int ret = ic_counters(&c);

	return ret ?: sysfs_emit(buf, "%llu\n", c.BadMessages);
}

static struct kobj_attribute bad_messages_attr = __ATTR_RO(bad_messages);

#define IC_FILES								\
	&version_attr.attr,							\
	&framework_version_attr.attr,						\
	&unanswered_attr.attr,							\
	&bad_messages_attr.attr

#endif /* _INTEGRATION_FILES_H */
