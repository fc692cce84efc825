/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A PDEVICE_OBJECT is the address of a struct device.
 *
 * The conversion takes no reference: whoever hands a device object to KMCL
 * keeps the device alive until VmbChannelCleanup() has returned.
 */
#ifndef _KMCL_DEVICE_H
#define _KMCL_DEVICE_H

#include <ntdef.h>

struct device;

/**
 * kmcl_device_object() - the name of a Linux device in the Windows-named API
 * @dev: a device or NULL
 *
 * Context: any.
 * Return: the device object, NULL for NULL.
 */
static inline PDEVICE_OBJECT kmcl_device_object(struct device *dev)
{
	return (PDEVICE_OBJECT)dev;
}

/**
 * kmcl_device() - the Linux device behind a device object
 * @obj: what kmcl_device_object() returned
 *
 * Context: any.
 * Return: the device, NULL for NULL.
 */
static inline struct device *kmcl_device(PDEVICE_OBJECT obj)
{
	return (struct device *)obj;
}

#endif /* _KMCL_DEVICE_H */
