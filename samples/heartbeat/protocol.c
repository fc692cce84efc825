// SPDX-License-Identifier: GPL-2.0
/*
 * The heartbeat: every two seconds the host sends a number, and takes the guest
 * for alive while it gets back the next one.
 *
 * Written as a Windows driver writes it.
 */
#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "protocol.h"
#include "wire.h"

/* "Hear" in a memory dump. */
#define HB_POOL_TAG		0x72616548

struct _HB_DEVICE {
	PIC_DEVICE Ic;
	LONG State;
	LONG64 Beats;
	LONG64 Sequence;
	LONG64 LastBeat;
};

static UINT32 HbMessage(PVOID Context, IC_VERSION Version, PVOID Body, UINT32 Length,
			PULONG Action)
{
	PHB_DEVICE device = Context;
	PHB_MESSAGE message = Body;
	UINT64 sequence;

	UNREFERENCED_PARAMETER(Action);

	if (Length < sizeof(message->Sequence)) {
		IcBadMessage(device->Ic, "no sequence number in a heartbeat, length", Length);
		return IC_FAIL;
	}
	sequence = IcGet64(&message->Sequence);
	InterlockedExchange64(&device->Sequence, (LONG64)sequence);
	InterlockedExchange64(&device->LastBeat, (LONG64)KeQueryInterruptTime());
	InterlockedIncrement64(&device->Beats);

	IcPut64(&message->Sequence, sequence + 1);
	if (Version.Major >= 3 && Length >= sizeof(*message))
		message->State = (UINT32)ReadAcquire(&device->State);
	return IC_OK;
}

static const IC_VERSION HbVersions[] = {
	{ 3, 0 },
	{ 1, 0 },
};

static DECLARE_CONST_UNICODE_STRING(HbName, L"Heartbeat");

static const IC_SERVICE HbService = {
	.Name = &HbName,
	.Type = IC_TYPE_HEARTBEAT,
	.Versions = HbVersions,
	.VersionCount = ARRAYSIZE(HbVersions),
	.Message = HbMessage,
};

NTSTATUS HbCreate(PDEVICE_OBJECT Parent, PHB_DEVICE *Device)
{
	PHB_DEVICE device;
	NTSTATUS status;

	PAGED_CODE();

	device = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*device), HB_POOL_TAG);
	if (!device)
		return STATUS_INSUFFICIENT_RESOURCES;
	status = IcCreate(Parent, &HbService, device, &device->Ic);
	if (!NT_SUCCESS(status)) {
		ExFreePoolWithTag(device, HB_POOL_TAG);
		return status;
	}
	*Device = device;
	return STATUS_SUCCESS;
}

VOID HbDestroy(PHB_DEVICE Device)
{
	PAGED_CODE();

	IcDestroy(Device->Ic);
	ExFreePoolWithTag(Device, HB_POOL_TAG);
}

VOID HbSetState(PHB_DEVICE Device, HB_STATE State)
{
	InterlockedExchange(&Device->State, (LONG)State);
}

VOID HbQueryCounters(PHB_DEVICE Device, PHB_COUNTERS Counters)
{
	IcQueryCounters(Device->Ic, &Counters->Ic);
	Counters->Beats = ReadNoFence64(&Device->Beats);
	Counters->Sequence = ReadNoFence64(&Device->Sequence);
	Counters->LastBeat = ReadNoFence64(&Device->LastBeat);
	Counters->State = (HB_STATE)ReadAcquire(&Device->State);
}
