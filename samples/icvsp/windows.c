// SPDX-License-Identifier: GPL-2.0
/* Windows around the servers of the integration services, offered in the loopback. */
#include "../windows/driver.h"
#include "protocol.h"

typedef struct _ICVW {
	PHBS_DEVICE Heartbeat;
	PTSS_DEVICE Timesync;
	PSDS_DEVICE Shutdown;
} ICVW, *PICVW;

/* This machine's own clock is no reference that a client has. */
BOOLEAN TssReferenceTime(PVOID System, PULONG64 Time)
{
	UNREFERENCED_PARAMETER(System);
	UNREFERENCED_PARAMETER(Time);

	return FALSE;
}

static NTSTATUS IcvwCreate(PDEVICE_OBJECT Parent, PVOID Extra, PVOID *Sample)
{
	PICVW icvw = Extra;
	NTSTATUS status;

	status = HbsCreate(Parent, NULL, &icvw->Heartbeat);
	if (!NT_SUCCESS(status))
		return status;
	status = TssCreate(Parent, NULL, NULL, &icvw->Timesync);
	if (!NT_SUCCESS(status))
		goto DestroyHeartbeat;
	status = SdsCreate(Parent, NULL, &icvw->Shutdown);
	if (!NT_SUCCESS(status))
		goto DestroyTimesync;
	*Sample = icvw;
	return STATUS_SUCCESS;

DestroyTimesync:
	TssDestroy(icvw->Timesync);
DestroyHeartbeat:
	HbsDestroy(icvw->Heartbeat);
	return status;
}

static VOID IcvwDestroy(PVOID Sample)
{
	PICVW icvw = Sample;

	SdsDestroy(icvw->Shutdown);
	TssDestroy(icvw->Timesync);
	HbsDestroy(icvw->Heartbeat);
}

const SAMPLE_DRIVER SampleDriver = {
	.ExtraSize = sizeof(ICVW),
	.Create = IcvwCreate,
	.Destroy = IcvwDestroy,
};
