/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between the shutdown service and the system that it runs on.
 *
 * The upper half is what the system calls, the lower half what it provides.
 */
#ifndef _SHUTDOWN_PROTOCOL_H
#define _SHUTDOWN_PROTOCOL_H

#include <ntddk.h>

#include "../integration/ic.h"

typedef struct _SD_DEVICE *PSD_DEVICE;

typedef enum _SD_ACTION {
	SdPowerOff = 1,
	SdRestart = 2,
	SdHibernate = 3,
} SD_ACTION;

typedef struct _SD_COUNTERS {
	IC_COUNTERS Ic;
	/* Requests that were agreed to, and those that were not. */
	ULONG64 Agreed;
	ULONG64 Declined;
	/* Of the last request: Windows' SHTDN_REASON_* bits, and the host's patience. */
	ULONG Reason;
	ULONG Seconds;
} SD_COUNTERS, *PSD_COUNTERS;

/* Both at PASSIVE_LEVEL.  After SdDestroy nothing of the lower half is called. */
NTSTATUS SdCreate(PDEVICE_OBJECT Parent, PVOID System, PSD_DEVICE *Device);
VOID SdDestroy(PSD_DEVICE Device);

/* The rest at or below DISPATCH_LEVEL. */
VOID SdQueryCounters(PSD_DEVICE Device, PSD_COUNTERS Counters);

BOOLEAN SdCanHibernate(PVOID System);

/*
 * The host has asked for this, and has its answer.  Begins it and returns; the
 * services of the system end in good order, whether or not the host asked for force.
 */
VOID SdAct(PVOID System, SD_ACTION Action);

#endif /* _SHUTDOWN_PROTOCOL_H */
