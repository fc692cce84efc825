// SPDX-License-Identifier: GPL-2.0
/*
 * Windows around the keyboard server: a keyboard filter above this device, or
 * anything else in the kernel, has keys go down and up with a request of our own,
 * an array of KEYBOARD_INPUT_DATA.
 */
#include "../windows/driver.h"
#include "protocol.h"

#include <ntddkbd.h>

#define IOCTL_INTERNAL_KBDVSP_KEYSTROKES					\
	CTL_CODE(FILE_DEVICE_KEYBOARD, 0x900, METHOD_NEITHER, FILE_ANY_ACCESS)

static NTSTATUS KbvwKeystrokes(PKBV_DEVICE Device, const KEYBOARD_INPUT_DATA *Data, ULONG Count)
{
	NTSTATUS status = STATUS_SUCCESS;
	ULONG prefix;
	ULONG i;

	for (i = 0; NT_SUCCESS(status) && i < Count; i++) {
		prefix = 0;
		if (Data[i].Flags & KEY_E0)
			prefix = KBV_PREFIX_E0;
		else if (Data[i].Flags & KEY_E1)
			prefix = KBV_PREFIX_E1;
		status = KbvKeystroke(Device, (UINT8)Data[i].MakeCode, prefix,
				      !(Data[i].Flags & KEY_BREAK));
	}
	return status;
}

static BOOLEAN KbvwInternalControl(PVOID Extra, PVOID Sample, PIRP Irp, NTSTATUS *Status)
{
	PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
	ULONG length = stack->Parameters.DeviceIoControl.InputBufferLength;

	UNREFERENCED_PARAMETER(Extra);

	if (stack->Parameters.DeviceIoControl.IoControlCode != IOCTL_INTERNAL_KBDVSP_KEYSTROKES)
		return FALSE;
	if (!Sample)
		*Status = STATUS_DEVICE_NOT_READY;
	else
		*Status = KbvwKeystrokes(Sample, stack->Parameters.DeviceIoControl.Type3InputBuffer,
					 length / sizeof(KEYBOARD_INPUT_DATA));
	Irp->IoStatus.Status = *Status;
	IoCompleteRequest(Irp, IO_NO_INCREMENT);
	return TRUE;
}

static NTSTATUS KbvwCreate(PDEVICE_OBJECT Parent, PVOID Extra, PVOID *Sample)
{
	UNREFERENCED_PARAMETER(Extra);

	return KbvCreate(Parent, NULL, (PKBV_DEVICE *)Sample);
}

static VOID KbvwDestroy(PVOID Sample)
{
	KbvDestroy(Sample);
}

const SAMPLE_DRIVER SampleDriver = {
	.Create = KbvwCreate,
	.Destroy = KbvwDestroy,
	.InternalControl = KbvwInternalControl,
};
