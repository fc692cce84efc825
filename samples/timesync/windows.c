// SPDX-License-Identifier: GPL-2.0
/*
 * Windows around the time service: its clock, set from a work item.
 */
#include "../windows/driver.h"
#include "protocol.h"

/* "Tscw" in a memory dump. */
#define TSW_POOL_TAG	0x77637354

/* Exported by the kernel, and declared in the headers of file systems alone. */
NTSYSAPI NTSTATUS NTAPI ZwSetSystemTime(PLARGE_INTEGER NewTime, PLARGE_INTEGER OldTime);

typedef struct _TSW {
	PTS_DEVICE Device;
	WORK_QUEUE_ITEM Work;
	/* 1 while the work item is queued. */
	LONG Queued;
	/* Held by the work item from TsSetTime to its end. */
	EX_RUNDOWN_REF Rundown;
} TSW, *PTSW;

ULONG64 TsReferenceTime(PVOID System)
{
	LARGE_INTEGER frequency;
	LARGE_INTEGER now;

	UNREFERENCED_PARAMETER(System);

	/* In a guest this is the partition's reference counter, ten million a second. */
	now = KeQueryPerformanceCounter(&frequency);
	NT_ASSERT(frequency.QuadPart == TS_SECOND);
	return (ULONG64)now.QuadPart;
}

BOOLEAN TsImplicit(PVOID System)
{
	UNREFERENCED_PARAMETER(System);
	return FALSE;
}

static VOID NTAPI TswWork(PVOID Parameter)
{
	PTSW tsw = Parameter;
	LARGE_INTEGER now;
	ULONG64 time;

	/* What comes from here on wants another look. */
	InterlockedExchange(&tsw->Queued, 0);
	if (TsQueryHostTime(tsw->Device, &time)) {
		now.QuadPart = (LONGLONG)time;
		ZwSetSystemTime(&now, NULL);
	}
	ExReleaseRundownProtection(&tsw->Rundown);
}

VOID TsSetTime(PVOID System)
{
	PTSW tsw = System;

	if (!ExAcquireRundownProtection(&tsw->Rundown))
		return;
	if (InterlockedExchange(&tsw->Queued, 1))
		ExReleaseRundownProtection(&tsw->Rundown);
	else
		ExQueueWorkItem(&tsw->Work, DelayedWorkQueue);
}

VOID TsCancelSetTime(PVOID System)
{
	PTSW tsw = System;

	ExWaitForRundownProtectionRelease(&tsw->Rundown);
}

static NTSTATUS TswCreate(PDEVICE_OBJECT Parent, PVOID Extra, PVOID *Sample)
{
	PTSW tsw = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*tsw), TSW_POOL_TAG);
	NTSTATUS status;

	UNREFERENCED_PARAMETER(Extra);

	if (!tsw)
		return STATUS_INSUFFICIENT_RESOURCES;
	ExInitializeWorkItem(&tsw->Work, TswWork, tsw);
	ExInitializeRundownProtection(&tsw->Rundown);
	status = TsCreate(Parent, tsw, &tsw->Device);
	if (!NT_SUCCESS(status)) {
		ExFreePoolWithTag(tsw, TSW_POOL_TAG);
		return status;
	}
	*Sample = tsw;
	return STATUS_SUCCESS;
}

static VOID TswDestroy(PVOID Sample)
{
	PTSW tsw = Sample;

	TsDestroy(tsw->Device);
	ExFreePoolWithTag(tsw, TSW_POOL_TAG);
}

const SAMPLE_DRIVER SampleDriver = {
	.Create = TswCreate,
	.Destroy = TswDestroy,
};
