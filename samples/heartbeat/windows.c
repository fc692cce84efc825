// SPDX-License-Identifier: GPL-2.0
/* Windows around the heartbeat. */
#include "../windows/driver.h"
#include "protocol.h"

static NTSTATUS HbwCreate(PDEVICE_OBJECT Parent, PVOID Extra, PVOID *Sample)
{
	UNREFERENCED_PARAMETER(Extra);

	return HbCreate(Parent, (PHB_DEVICE *)Sample);
}

static VOID HbwDestroy(PVOID Sample)
{
	HbDestroy(Sample);
}

const SAMPLE_DRIVER SampleDriver = {
	.Create = HbwCreate,
	.Destroy = HbwDestroy,
};
