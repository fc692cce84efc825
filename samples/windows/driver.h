/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between the Windows driver that all samples share and a sample's own
 * windows.c, which defines SampleDriver.
 */
#ifndef _WINDOWS_DRIVER_H
#define _WINDOWS_DRIVER_H

#include <ntddk.h>

typedef struct _SAMPLE_DRIVER {
	/* The device has started: bring the protocol up.  PASSIVE_LEVEL. */
	NTSTATUS (*Create)(PDEVICE_OBJECT Parent, PVOID *Sample);
	/* The device stops, or is gone: take it down.  PASSIVE_LEVEL. */
	VOID (*Destroy)(PVOID Sample);
	/*
	 * A request of the driver above; completes it, now or later.  NULL: there are
	 * none.  Not called while Create or Destroy runs, and not without a device.
	 */
	NTSTATUS (*InternalControl)(PVOID Sample, PIRP Irp);
} SAMPLE_DRIVER;

extern const SAMPLE_DRIVER SampleDriver;

#endif /* _WINDOWS_DRIVER_H */
