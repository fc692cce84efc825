// SPDX-License-Identifier: GPL-2.0
/*
 * The server of the heartbeat: a number goes out, the client adds one, and since
 * version 3 says how its applications are.
 *
 * Written as a Windows driver writes it.
 */
#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "../heartbeat/wire.h"
#include "protocol.h"

/* "Hbsv" in a memory dump. */
#define HBS_POOL_TAG		0x76736248

#define HBS_PERIOD		2000

/* What hosts send behind the number and the state. */
typedef struct _HBS_MESSAGE {
	HB_MESSAGE Beat;
	UINT32 Reserved[7];
} HBS_MESSAGE;

struct _HBS_DEVICE {
	PICS_DEVICE Ics;
	LONG64 Sequence;
	LONG64 Beats;
	LONG64 LastBeat;
	LONG State;
};

static VOID HbsBeat(PVOID Context)
{
	PHBS_DEVICE device = Context;
	HBS_MESSAGE message;

	RtlZeroMemory(&message, sizeof(message));
	IcPut64(&message.Beat.Sequence, (UINT64)InterlockedIncrement64(&device->Sequence));
	/* One that cannot be sent is missed, as one that is not answered. */
	(VOID)IcsSend(device->Ics, &message, sizeof(message));
}

static VOID HbsAnswered(PVOID Context, UINT32 Status, PVOID Body, UINT32 Length)
{
	PHBS_DEVICE device = Context;
	PHB_MESSAGE message = Body;

	if (Status != IC_OK || Length < sizeof(message->Sequence)) {
		IcsBadMessage(device->Ics, "a heartbeat failed, status", Status);
		return;
	}
	if (IcGet64(&message->Sequence) != (UINT64)ReadAcquire64(&device->Sequence) + 1) {
		IcsBadMessage(device->Ics, "a heartbeat with a wrong number, low half",
			      message->Sequence.Low);
		return;
	}
	if (IcsVersion(device->Ics).Major >= 3 && Length >= sizeof(*message))
		InterlockedExchange(&device->State, (LONG)message->State);
	InterlockedExchange64(&device->LastBeat, (LONG64)KeQueryInterruptTime());
	InterlockedIncrement64(&device->Beats);
}

static VOID HbsClosed(PVOID Context)
{
	PHBS_DEVICE device = Context;

	InterlockedExchange(&device->State, 0);
}

static const IC_VERSION HbsVersions[] = {
	{ 1, 0 },
	{ 3, 0 },
};

static DECLARE_CONST_UNICODE_STRING(HbsName, L"Heartbeat Server");

static const ICS_SERVICE HbsService = {
	.Name = &HbsName,
	/* 57164f39-9115-4e78-ab55-382f3bd5422d */
	.Type = { 0x57164f39, 0x9115, 0x4e78, { 0xab, 0x55, 0x38, 0x2f, 0x3b, 0xd5, 0x42, 0x2d } },
	.MessageType = IC_TYPE_HEARTBEAT,
	.Versions = HbsVersions,
	.VersionCount = ARRAYSIZE(HbsVersions),
	.Agreed = HbsBeat,
	.Period = HBS_PERIOD,
	.Tick = HbsBeat,
	.Answered = HbsAnswered,
	.Closed = HbsClosed,
};

NTSTATUS HbsCreate(PDEVICE_OBJECT Parent, HANDLE Bus, PHBS_DEVICE *Device)
{
	PHBS_DEVICE device;
	NTSTATUS status;

	PAGED_CODE();

	device = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*device), HBS_POOL_TAG);
	if (!device)
		return STATUS_INSUFFICIENT_RESOURCES;
	status = IcsCreate(Parent, Bus, &HbsService, device, &device->Ics);
	if (!NT_SUCCESS(status)) {
		ExFreePoolWithTag(device, HBS_POOL_TAG);
		return status;
	}
	*Device = device;
	return STATUS_SUCCESS;
}

VOID HbsDestroy(PHBS_DEVICE Device)
{
	PAGED_CODE();

	IcsDestroy(Device->Ics);
	ExFreePoolWithTag(Device, HBS_POOL_TAG);
}

VOID HbsQueryCounters(PHBS_DEVICE Device, PHBS_COUNTERS Counters)
{
	IcsQueryCounters(Device->Ics, &Counters->Ics);
	Counters->Beats = ReadNoFence64(&Device->Beats);
	Counters->LastBeat = ReadNoFence64(&Device->LastBeat);
	Counters->State = (ULONG)ReadAcquire(&Device->State);
}
