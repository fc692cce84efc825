// SPDX-License-Identifier: GPL-2.0
/* Windows around both ends of echo. */
#include "../windows/driver.h"
#include "echo.h"

#define ECHO_ROUND_TRIPS	100000

static NTSTATUS EchoCreate(PDEVICE_OBJECT Parent, PVOID Extra, PVOID *Sample)
{
	NTSTATUS status;

	UNREFERENCED_PARAMETER(Parent);

	status = EchoVspCreate();
	if (!NT_SUCCESS(status))
		return status;
	status = EchoVscCreate(ECHO_ROUND_TRIPS);
	if (!NT_SUCCESS(status)) {
		EchoVspDestroy();
		return status;
	}
	/* There is but one; what says that it is there is not NULL. */
	*Sample = Extra;
	return STATUS_SUCCESS;
}

static VOID EchoDestroy(PVOID Sample)
{
	UNREFERENCED_PARAMETER(Sample);

	EchoVscDestroy();
	EchoVspDestroy();
}

const SAMPLE_DRIVER SampleDriver = {
	.Create = EchoCreate,
	.Destroy = EchoDestroy,
};
