// SPDX-License-Identifier: GPL-2.0
/*
 * Windows around the keyboard: a port driver below the keyboard class driver,
 * which connects itself while the device stack is built.
 */
#include "../windows/driver.h"
#include "protocol.h"

#include <kbdmou.h>
#include <ntddkbd.h>

#define KBW_PREFIXES	3
#define KBW_SCAN_CODES	128

typedef struct _KBW {
	/* Protects what follows. */
	KSPIN_LOCK Lock;
	CONNECT_DATA Class;
	BOOLEAN Down[KBW_PREFIXES][KBW_SCAN_CODES];
} KBW, *PKBW;

/* The class driver copies what it has room for. */
static VOID KbwReport(PKBW Kbw, UINT8 ScanCode, ULONG Prefix, BOOLEAN Down)
{
	KEYBOARD_INPUT_DATA data = { 0 };
	CONNECT_DATA class;
	ULONG consumed = 0;
	KIRQL irql;

	KeAcquireSpinLock(&Kbw->Lock, &irql);
	Kbw->Down[Prefix % KBW_PREFIXES][ScanCode % KBW_SCAN_CODES] = Down;
	class = Kbw->Class;
	KeReleaseSpinLock(&Kbw->Lock, irql);
	if (!class.ClassService)
		return;

	data.MakeCode = ScanCode;
	data.Flags = Down ? KEY_MAKE : KEY_BREAK;
	if (Prefix & KB_PREFIX_E0)
		data.Flags |= KEY_E0;
	if (Prefix & KB_PREFIX_E1)
		data.Flags |= KEY_E1;
	KeRaiseIrql(DISPATCH_LEVEL, &irql);
	((PSERVICE_CALLBACK_ROUTINE)class.ClassService)(class.ClassDeviceObject, &data, &data + 1,
							&consumed);
	KeLowerIrql(irql);
}

VOID KbKeystroke(PVOID System, UINT8 ScanCode, ULONG Prefix, BOOLEAN Down)
{
	KbwReport(System, ScanCode, Prefix, Down);
}

VOID KbReleaseAll(PVOID System)
{
	PKBW kbw = System;
	ULONG prefix;
	ULONG code;

	for (prefix = 0; prefix < KBW_PREFIXES; prefix++)
		for (code = 0; code < KBW_SCAN_CODES; code++)
			if (kbw->Down[prefix][code])
				KbwReport(kbw, (UINT8)code, prefix, FALSE);
}

static NTSTATUS KbwDone(PIRP Irp, NTSTATUS Status)
{
	Irp->IoStatus.Status = Status;
	IoCompleteRequest(Irp, IO_NO_INCREMENT);
	return Status;
}

/* Zeroed memory is a spin lock that is free. */
static BOOLEAN KbwInternalControl(PVOID Extra, PVOID Sample, PIRP Irp, NTSTATUS *Status)
{
	PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
	PCONNECT_DATA data = stack->Parameters.DeviceIoControl.Type3InputBuffer;
	PKBW kbw = Extra;
	NTSTATUS status;
	KIRQL irql;

	UNREFERENCED_PARAMETER(Sample);

	switch (stack->Parameters.DeviceIoControl.IoControlCode) {
	case IOCTL_INTERNAL_KEYBOARD_CONNECT:
		if (stack->Parameters.DeviceIoControl.InputBufferLength < sizeof(*data)) {
			*Status = KbwDone(Irp, STATUS_INVALID_PARAMETER);
			return TRUE;
		}
		KeAcquireSpinLock(&kbw->Lock, &irql);
		status = kbw->Class.ClassService ? STATUS_SHARING_VIOLATION : STATUS_SUCCESS;
		if (NT_SUCCESS(status))
			kbw->Class = *data;
		KeReleaseSpinLock(&kbw->Lock, irql);
		*Status = KbwDone(Irp, status);
		return TRUE;
	case IOCTL_INTERNAL_KEYBOARD_DISCONNECT:
		/* As the port drivers of Windows answer it: nobody disconnects. */
		*Status = KbwDone(Irp, STATUS_NOT_IMPLEMENTED);
		return TRUE;
	default:
		return FALSE;
	}
}

static NTSTATUS KbwCreate(PDEVICE_OBJECT Parent, PVOID Extra, PVOID *Sample)
{
	return KbCreate(Parent, Extra, (PKB_DEVICE *)Sample);
}

static VOID KbwDestroy(PVOID Sample)
{
	KbDestroy(Sample);
}

const SAMPLE_DRIVER SampleDriver = {
	.ExtraSize = sizeof(KBW),
	.Create = KbwCreate,
	.Destroy = KbwDestroy,
	.InternalControl = KbwInternalControl,
};
