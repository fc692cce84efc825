/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The heartbeat, as the system sees it.
 */
#ifndef _HEARTBEAT_PROTOCOL_H
#define _HEARTBEAT_PROTOCOL_H

#include <ntddk.h>

#include "../integration/ic.h"

typedef struct _HB_DEVICE *PHB_DEVICE;

/*
 * What the host's management shows beside the heartbeat.  Unknown is what a guest
 * says in which nobody watches the applications.
 */
typedef enum _HB_STATE {
	HbUnknown = 0,
	HbHealthy = 1,
	HbCritical = 2,
	HbStopped = 3,
} HB_STATE;

typedef struct _HB_COUNTERS {
	IC_COUNTERS Ic;
	ULONG64 Beats;
	/* As the host sent it last. */
	ULONG64 Sequence;
	/* KeQueryInterruptTime of the last; 0 before the first. */
	ULONG64 LastBeat;
	HB_STATE State;
} HB_COUNTERS, *PHB_COUNTERS;

NTSTATUS HbCreate(PDEVICE_OBJECT Parent, PHB_DEVICE *Device);
VOID HbDestroy(PHB_DEVICE Device);

/* At any level. */
VOID HbSetState(PHB_DEVICE Device, HB_STATE State);
VOID HbQueryCounters(PHB_DEVICE Device, PHB_COUNTERS Counters);

#endif /* _HEARTBEAT_PROTOCOL_H */
