/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between the time service and the system that it runs on.
 *
 * The upper half is what the system calls, the lower half what it provides.  All
 * times are in 100 ns; those of the host and of the system count from the year
 * 1601, in UTC.
 */
#ifndef _TIMESYNC_PROTOCOL_H
#define _TIMESYNC_PROTOCOL_H

#include <ntddk.h>

#include "../integration/ic.h"

typedef struct _TS_DEVICE *PTS_DEVICE;

#define TS_SECOND		10000000LL

/* A sample that is older says nothing about the present any more. */
#define TS_MAXIMUM_AGE		(600 * TS_SECOND)

typedef struct _TS_COUNTERS {
	IC_COUNTERS Ic;
	/* Good ones. */
	ULONG64 Samples;
	/* Those of them for which the clock was to be set. */
	ULONG64 Syncs;
	/* Too old when they came. */
	ULONG64 Stale;
	/* Of the last sample: when it came (KeQueryInterruptTime, 0: never) ... */
	ULONG64 LastSample;
	/* ... and the host's time less the system's, then. */
	LONG64 LastOffset;
} TS_COUNTERS, *PTS_COUNTERS;

/*
 * Messages may come before TsCreate returns, but not before Device is set.  After
 * TsDestroy nothing of the lower half is called.  Both at PASSIVE_LEVEL.
 */
NTSTATUS TsCreate(PDEVICE_OBJECT Parent, PVOID System, PTS_DEVICE *Device);
VOID TsDestroy(PTS_DEVICE Device);

/* The rest at or below DISPATCH_LEVEL. */
VOID TsQueryCounters(PTS_DEVICE Device, PTS_COUNTERS Counters);

/* The host's time now, from its last sample.  FALSE when that is too old, or missing. */
BOOLEAN TsQueryHostTime(PTS_DEVICE Device, PULONG64 Time);

/* The partition's reference time: what host and guest both count in. */
ULONG64 TsReferenceTime(PVOID System);

/*
 * Whether a mere sample that is five seconds or more ahead of the system's clock is
 * reason to set it.
 */
BOOLEAN TsImplicit(PVOID System);

/*
 * The clock is to be set, soon and at PASSIVE_LEVEL, to what TsQueryHostTime says
 * then.  Called again while that is outstanding, once is enough.
 */
VOID TsSetTime(PVOID System);

/* Waits for that, or prevents it.  At PASSIVE_LEVEL. */
VOID TsCancelSetTime(PVOID System);

#endif /* _TIMESYNC_PROTOCOL_H */
