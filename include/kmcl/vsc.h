/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A parent device for a VSC that names no TargetPnp.
 *
 * On Windows the PnP manager loads the driver for a VMBus device and hands it
 * the device object that VmbChannelAllocate() wants.  Here a VSC's Linux file
 * registers a struct kmcl_vsc; the library finds the devices, whatever the
 * transport, and calls @add and @remove.
 */
#ifndef _KMCL_VSC_H
#define _KMCL_VSC_H

#include <linux/list.h>
#include <linux/mod_devicetable.h>
#include <linux/types.h>

struct device;
struct kmcl_transport;
struct module;

/**
 * struct kmcl_vsc - a driver for VMBus devices
 * @name: driver name, as seen under /sys/bus/vmbus/drivers
 * @owner: THIS_MODULE
 * @id_table: class GUIDs, ended by an empty entry; export the same table with
 *	MODULE_DEVICE_TABLE(vmbus, ...) so that udev loads the module
 * @add: a device is there. Context: process, may sleep, one call at a time per
 *	driver. Here the VSC allocates its channel with kmcl_device_object(dev) as
 *	the parent and enables it. An errno leaves the device alone and logs it.
 * @remove: the device is going or gone; disable and clean up its channel.
 *	Called once for each @add that returned 0. Context: as @add.
 * @private: the library's
 * @transport: the library's
 */
struct kmcl_vsc {
	const char *name;
	struct module *owner;
	const struct hv_vmbus_device_id *id_table;
	int (*add)(struct device *dev);
	void (*remove)(struct device *dev);

	void *private;
	struct kmcl_transport *transport;
};

int kmcl_vsc_register(struct kmcl_vsc *vsc);
void kmcl_vsc_unregister(struct kmcl_vsc *vsc);

#endif
