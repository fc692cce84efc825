/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Up to 6.3 the bus was an ACPI driver. UML has no ACPI: here is as much of it
 * as that driver touches, with one device, "VMBUS", that has one resource and
 * is there from the registration of the driver to its end.
 */
#ifndef _KMCL_UML_ACPI_BUS_H
#define _KMCL_UML_ACPI_BUS_H

#include <linux/acpi.h>
#include <linux/device.h>
#include <linux/slab.h>

struct acpi_device {
	acpi_handle handle;
	struct {
		u32 cca_seen:1;
		u32 coherent_dma:1;
	} flags;
	struct device dev;
};

struct acpi_driver {
	const char *name;
	const struct acpi_device_id *ids;
	struct {
		int (*add)(struct acpi_device *device);
		int (*remove)(struct acpi_device *device);
	} ops;
	struct device_driver drv;
};

static struct acpi_device *uml_acpi_device;

static void uml_acpi_release(struct device *dev)
{
	kfree(container_of(dev, struct acpi_device, dev));
}

static inline void acpi_bus_unregister_driver(struct acpi_driver *driver)
{
	struct acpi_device *device = uml_acpi_device;

	if (!device)
		return;
	uml_acpi_device = NULL;
	driver->ops.remove(device);
	device->dev.driver = NULL;
	device_unregister(&device->dev);
}

static inline int acpi_bus_register_driver(struct acpi_driver *driver)
{
	struct acpi_device *device = kzalloc(sizeof(*device), GFP_KERNEL);
	int ret;

	if (!device)
		return -ENOMEM;
	device->dev.init_name = "VMBUS:00";
	device->dev.release = uml_acpi_release;
	ret = device_register(&device->dev);
	if (ret) {
		put_device(&device->dev);
		return ret;
	}
	/* For its power management: on no bus, but the driver's all the same. */
	device->dev.driver = &driver->drv;
	uml_acpi_device = device;
	ret = driver->ops.add(device);
	if (ret)
		acpi_bus_unregister_driver(driver);
	return ret;
}

static inline struct acpi_device *acpi_dev_parent(struct acpi_device *device)
{
	return NULL;
}

/* The kernel's own stubs fail, or are not there. */
static inline acpi_status uml_walk_resources(acpi_handle handle, char *method,
					     acpi_walk_resource_callback walk, void *context)
{
	struct acpi_resource res = {
		.type = ACPI_RESOURCE_TYPE_ADDRESS64,
		.data.address64.address.minimum = UML_MMIO_BASE,
		.data.address64.address.maximum = UML_MMIO_BASE + UML_MMIO_SIZE - 1,
	};

	return walk(&res, context);
}

static inline bool uml_resource_interrupt(struct acpi_resource *res, int index,
					  struct resource *interrupt)
{
	interrupt->start = 0;
	return false;
}

#define acpi_walk_resources uml_walk_resources
#define acpi_dev_resource_interrupt uml_resource_interrupt

#endif
