/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between the protocol and the system that it runs on.
 *
 * The upper half is what the system calls, the lower half what it provides.
 * All of it runs at PASSIVE_LEVEL.
 */
#ifndef _DYNMEM_PROTOCOL_H
#define _DYNMEM_PROTOCOL_H

#include <ntddk.h>

typedef struct _DM_DEVICE *PDM_DEVICE;

typedef struct _DM_COUNTERS {
	/* 3, 2 or 1; 0 while none is agreed. */
	ULONG Version;
	/* Of the guest's maximum size, as far as the host told. */
	ULONG64 MaximumPages;
	ULONG64 ReportsSent;
	ULONG64 BalloonRequests;
	ULONG64 UnballoonRequests;
	ULONG64 HotAddRequests;
	ULONG64 PagesBallooned;
	ULONG64 BadMessages;
} DM_COUNTERS, *PDM_COUNTERS;

/*
 * DmCreate makes the device and brings its channel up; Pages is handed to the
 * lower half.  DmReconnect closes the channel and opens it again, which begins
 * the protocol anew.  The caller lets only one of DmCreate, DmReconnect and
 * DmDestroy run at a time.
 */
NTSTATUS DmCreate(PDEVICE_OBJECT Parent, PVOID Pages, PDM_DEVICE *Device);
NTSTATUS DmReconnect(PDM_DEVICE Device);
VOID DmDestroy(PDM_DEVICE Device);
VOID DmQueryCounters(PDM_DEVICE Device, PDM_COUNTERS Counters);

/* In pages.  Total includes what is ballooned. */
typedef struct _DM_MEMORY {
	ULONG64 Total;
	ULONG64 Available;
	ULONG64 Committed;
} DM_MEMORY, *PDM_MEMORY;

#define DM_LARGE_ORDER	9

/*
 * Takes 2^Order neighbouring pages from the system without trying hard.  Each
 * may later be freed for itself.
 */
BOOLEAN DmAllocatePages(PVOID Pages, ULONG Order, PPFN_NUMBER First);

/* Skips pages that DmAllocatePages did not give; returns how many it freed. */
ULONG DmFreePages(PVOID Pages, PFN_NUMBER First, ULONG Count);

/* Frees what is left; returns how many that were. */
ULONG64 DmFreeAllPages(PVOID Pages);

VOID DmQueryMemory(PVOID Pages, PDM_MEMORY Memory);

#endif /* _DYNMEM_PROTOCOL_H */
