/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between the Windows driver that all samples share and a sample's own
 * windows.c, which defines SampleDriver.
 */
#ifndef _WINDOWS_DRIVER_H
#define _WINDOWS_DRIVER_H

#include <ntddk.h>

typedef struct _SAMPLE_DRIVER {
	/* Bytes of Extra: the sample's own, zeroed, there as long as the device object. */
	ULONG ExtraSize;
	/* The device has started: bring the protocol up.  PASSIVE_LEVEL. */
	NTSTATUS (*Create)(PDEVICE_OBJECT Parent, PVOID Extra, PVOID *Sample);
	/* The device stops, or is gone: take it down.  PASSIVE_LEVEL. */
	VOID (*Destroy)(PVOID Sample);
	/*
	 * A request of the driver above.  Sample is NULL while the device is not
	 * started, else there until this returns.  FALSE: it is for the bus below; TRUE:
	 * it was completed, or will be, and Status is for the driver above.  May be NULL.
	 */
	BOOLEAN (*InternalControl)(PVOID Extra, PVOID Sample, PIRP Irp, NTSTATUS *Status);
} SAMPLE_DRIVER;

extern const SAMPLE_DRIVER SampleDriver;

#endif /* _WINDOWS_DRIVER_H */
