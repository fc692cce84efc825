// SPDX-License-Identifier: GPL-2.0
/*
 * Windows around the shutdown service: a power action, begun from a work item.
 */
#include "../windows/driver.h"
#include "protocol.h"

/* "Sdwn" in a memory dump. */
#define SDW_POOL_TAG	0x6e776453

/* Exported by the kernel, and declared in the headers of file systems alone. */
NTSYSAPI NTSTATUS NTAPI ZwInitiatePowerAction(POWER_ACTION SystemAction,
					      SYSTEM_POWER_STATE LightestSystemState,
					      ULONG Flags, BOOLEAN Asynchronous);

typedef struct _SDW {
	PSD_DEVICE Device;
	WORK_QUEUE_ITEM Work;
	/* An SD_ACTION, 0 when there is none; the first one stands. */
	LONG Action;
	/* Held by the work item from SdAct to its end. */
	EX_RUNDOWN_REF Rundown;
} SDW, *PSDW;

BOOLEAN SdCanHibernate(PVOID System)
{
	UNREFERENCED_PARAMETER(System);
	return TRUE;
}

static VOID NTAPI SdwWork(PVOID Parameter)
{
	PSDW sdw = Parameter;

	switch (InterlockedExchange(&sdw->Action, 0)) {
	case SdPowerOff:
		ZwInitiatePowerAction(PowerActionShutdownOff, PowerSystemSleeping3, 0, TRUE);
		break;
	case SdRestart:
		ZwInitiatePowerAction(PowerActionShutdownReset, PowerSystemSleeping3, 0, TRUE);
		break;
	case SdHibernate:
		ZwInitiatePowerAction(PowerActionHibernate, PowerSystemHibernate, 0, TRUE);
		break;
	}
	ExReleaseRundownProtection(&sdw->Rundown);
}

VOID SdAct(PVOID System, SD_ACTION Action)
{
	PSDW sdw = System;

	if (!ExAcquireRundownProtection(&sdw->Rundown))
		return;
	if (InterlockedCompareExchange(&sdw->Action, (LONG)Action, 0))
		ExReleaseRundownProtection(&sdw->Rundown);
	else
		ExQueueWorkItem(&sdw->Work, DelayedWorkQueue);
}

static NTSTATUS SdwCreate(PDEVICE_OBJECT Parent, PVOID Extra, PVOID *Sample)
{
	PSDW sdw = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*sdw), SDW_POOL_TAG);
	NTSTATUS status;

	UNREFERENCED_PARAMETER(Extra);

	if (!sdw)
		return STATUS_INSUFFICIENT_RESOURCES;
	ExInitializeWorkItem(&sdw->Work, SdwWork, sdw);
	ExInitializeRundownProtection(&sdw->Rundown);
	status = SdCreate(Parent, sdw, &sdw->Device);
	if (!NT_SUCCESS(status)) {
		ExFreePoolWithTag(sdw, SDW_POOL_TAG);
		return status;
	}
	*Sample = sdw;
	return STATUS_SUCCESS;
}

static VOID SdwDestroy(PVOID Sample)
{
	PSDW sdw = Sample;

	SdDestroy(sdw->Device);
	/* SdAct is called no more; what it began is waited for. */
	ExWaitForRundownProtectionRelease(&sdw->Rundown);
	ExFreePoolWithTag(sdw, SDW_POOL_TAG);
}

const SAMPLE_DRIVER SampleDriver = {
	.Create = SdwCreate,
	.Destroy = SdwDestroy,
};
