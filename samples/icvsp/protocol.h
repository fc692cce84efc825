/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between the servers of the integration services and the system that they run on.
 *
 * The upper half is what the system calls, the lower half what it provides.  The
 * functions that create and destroy at PASSIVE_LEVEL, the others at or below
 * DISPATCH_LEVEL.  Bus is a bus's handle, or NULL: the loopback.
 */
#ifndef _ICVSP_PROTOCOL_H
#define _ICVSP_PROTOCOL_H

#include <ntddk.h>

#include "ics.h"

/* ---- heartbeat: a beat every two seconds ---- */

typedef struct _HBS_DEVICE *PHBS_DEVICE;

typedef struct _HBS_COUNTERS {
	ICS_COUNTERS Ics;
	/* Beats that were answered rightly. */
	ULONG64 Beats;
	/* KeQueryInterruptTime of the last; 0 before the first. */
	ULONG64 LastBeat;
	/* What the client says of its applications: 0 unknown, 1 healthy, 2 critical ... */
	ULONG State;
} HBS_COUNTERS, *PHBS_COUNTERS;

NTSTATUS HbsCreate(PDEVICE_OBJECT Parent, HANDLE Bus, PHBS_DEVICE *Device);
VOID HbsDestroy(PHBS_DEVICE Device);
VOID HbsQueryCounters(PHBS_DEVICE Device, PHBS_COUNTERS Counters);

/* ---- time: the demand to set the clock at first, then a sample every five seconds ---- */

typedef struct _TSS_DEVICE *PTSS_DEVICE;

NTSTATUS TssCreate(PDEVICE_OBJECT Parent, HANDLE Bus, PVOID System, PTSS_DEVICE *Device);
VOID TssDestroy(PTSS_DEVICE Device);
/* Have the client set its clock, once more. */
NTSTATUS TssSync(PTSS_DEVICE Device);
VOID TssQueryCounters(PTSS_DEVICE Device, PICS_COUNTERS Counters);

/* ---- shutdown ---- */

typedef struct _SDS_DEVICE *PSDS_DEVICE;

typedef enum _SDS_KIND {
	SdsPowerOff,
	SdsRestart,
	SdsHibernate,
} SDS_KIND;

typedef enum _SDS_ANSWER {
	/* Nothing was asked, or the client has gone. */
	SdsNone,
	SdsAsked,
	SdsAgreed,
	SdsDeclined,
} SDS_ANSWER;

NTSTATUS SdsCreate(PDEVICE_OBJECT Parent, HANDLE Bus, PSDS_DEVICE *Device);
VOID SdsDestroy(PSDS_DEVICE Device);
/* Returns as IcsSend; what the client says of it, SdsQueryAnswer tells. */
NTSTATUS SdsRequest(PSDS_DEVICE Device, SDS_KIND Kind, BOOLEAN Force);
SDS_ANSWER SdsQueryAnswer(PSDS_DEVICE Device);
VOID SdsQueryCounters(PSDS_DEVICE Device, PICS_COUNTERS Counters);

/* ---- what the system provides ---- */

/*
 * The time that clients of the bus read as their reference time, in 100 ns.  FALSE:
 * there is none that both have.
 */
BOOLEAN TssReferenceTime(PVOID System, PULONG64 Time);

#endif /* _ICVSP_PROTOCOL_H */
