/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the Linux files of the VSPs have in common: the bus to offer on, and a
 * directory of files for the administrator, /sys/module/MODULE/NAME/.
 *
 * A VSP has one device, from module init to module exit; its files are there as long
 * as that is.
 */
#ifndef _KMCL_VSP_H
#define _KMCL_VSP_H

#include <linux/err.h>
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include <kmcl/host.h>
#include <ntddk.h>

#define VSP_LOOPBACK	"loopback"

static char *bus = VSP_LOOPBACK;
module_param(bus, charp, 0444);
MODULE_PARM_DESC(bus, "Whose clients are served: a provider's name (default: loopback)");

static HANDLE vsp_bus_handle;
static struct kobject *vsp_kobj;

/* The handle for the protocol: NULL is the loopback. */
static inline int vsp_bus_get(void)
{
	if (!strcmp(bus, VSP_LOOPBACK))
		return 0;
	vsp_bus_handle = kmcl_host_handle(bus);
	if (!vsp_bus_handle) {
		pr_warn("there is no bus of the name %s\n", bus);
		return -ENODEV;
	}
	return 0;
}

static inline void vsp_bus_put(void)
{
	if (vsp_bus_handle)
		ZwClose(vsp_bus_handle);
	vsp_bus_handle = NULL;
}

/* When the device is there; @groups ends with NULL. */
static inline int vsp_files_add(const char *name, const struct attribute_group **groups)
{
	int ret;

	vsp_kobj = kobject_create_and_add(name, &THIS_MODULE->mkobj.kobj);
	if (!vsp_kobj)
		return -ENOMEM;
	ret = sysfs_create_groups(vsp_kobj, groups);
	if (ret)
		kobject_put(vsp_kobj);
	return ret;
}

/* Before it goes: a file that is being read or written is waited for. */
static inline void vsp_files_remove(void)
{
	kobject_put(vsp_kobj);
}

#endif /* _KMCL_VSP_H */
