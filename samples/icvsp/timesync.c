// SPDX-License-Identifier: GPL-2.0
/*
 * The server of the time service: this machine's time goes out, first with the
 * demand to set the clock, then as a sample every few seconds.
 *
 * Written as a Windows driver writes it.  Version 4, in which a sample carries the
 * reference time at which it was true, is offered where both sides have one.
 */
#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "../timesync/wire.h"
#include "protocol.h"

/* "Tssv" in a memory dump. */
#define TSS_POOL_TAG		0x76737354

#define TSS_PERIOD		5000

/* Clients want at least so many bytes of version 4. */
typedef struct _TSS_MESSAGE {
	TS_MESSAGE Sample;
	UINT32 Reserved;
} TSS_MESSAGE;

struct _TSS_DEVICE {
	PICS_DEVICE Ics;
	PVOID System;
};

static NTSTATUS TssSend(PTSS_DEVICE Device, UINT8 Flags)
{
	LARGE_INTEGER now;
	TS_MESSAGE_V3 old;
	TSS_MESSAGE message;
	ULONG64 reference;

	KeQuerySystemTime(&now);
	if (IcsVersion(Device->Ics).Major >= 4) {
		if (!TssReferenceTime(Device->System, &reference))
			return STATUS_INVALID_DEVICE_STATE;
		RtlZeroMemory(&message, sizeof(message));
		IcPut64(&message.Sample.HostTime, (UINT64)now.QuadPart);
		IcPut64(&message.Sample.ReferenceTime, reference);
		message.Sample.Flags = Flags;
		return IcsSend(Device->Ics, &message, sizeof(message));
	}
	RtlZeroMemory(&old, sizeof(old));
	IcPut64(&old.HostTime, (UINT64)now.QuadPart);
	old.Flags = Flags;
	return IcsSend(Device->Ics, &old, sizeof(old));
}

NTSTATUS TssSync(PTSS_DEVICE Device)
{
	return TssSend(Device, TS_FLAG_SYNC);
}

static VOID TssAgreed(PVOID Context)
{
	/* One that cannot be sent is followed by samples all the same. */
	(VOID)TssSync(Context);
}

static VOID TssTick(PVOID Context)
{
	(VOID)TssSend(Context, TS_FLAG_SAMPLE);
}

static VOID TssAnswered(PVOID Context, UINT32 Status, PVOID Body, UINT32 Length)
{
	PTSS_DEVICE device = Context;

	UNREFERENCED_PARAMETER(Body);
	UNREFERENCED_PARAMETER(Length);

	if (Status != IC_OK)
		IcsBadMessage(device->Ics, "a sample failed, status", Status);
}

static const IC_VERSION TssVersions[] = {
	{ 1, 0 },
	{ 3, 0 },
	{ 4, 0 },
};

static DECLARE_CONST_UNICODE_STRING(TssName, L"Time Synchronization Server");

/* 9527e630-d0ae-497b-adce-e80ab0175caf */
#define TSS_SERVICE(Count) {							\
	.Name = &TssName,							\
	.Type = { 0x9527e630, 0xd0ae, 0x497b,					\
		  { 0xad, 0xce, 0xe8, 0x0a, 0xb0, 0x17, 0x5c, 0xaf } },		\
	.MessageType = IC_TYPE_TIMESYNC,					\
	.Versions = TssVersions,						\
	.VersionCount = (Count),						\
	.Agreed = TssAgreed,							\
	.Period = TSS_PERIOD,							\
	.Tick = TssTick,							\
	.Answered = TssAnswered,						\
}

static const ICS_SERVICE TssService = TSS_SERVICE(ARRAYSIZE(TssVersions));
static const ICS_SERVICE TssServiceBeforeReference = TSS_SERVICE(ARRAYSIZE(TssVersions) - 1);

NTSTATUS TssCreate(PDEVICE_OBJECT Parent, HANDLE Bus, PVOID System, PTSS_DEVICE *Device)
{
	const ICS_SERVICE *service = &TssService;
	PTSS_DEVICE device;
	ULONG64 reference;
	NTSTATUS status;

	PAGED_CODE();

	device = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*device), TSS_POOL_TAG);
	if (!device)
		return STATUS_INSUFFICIENT_RESOURCES;
	device->System = System;
	if (!TssReferenceTime(System, &reference))
		service = &TssServiceBeforeReference;
	status = IcsCreate(Parent, Bus, service, device, &device->Ics);
	if (!NT_SUCCESS(status)) {
		ExFreePoolWithTag(device, TSS_POOL_TAG);
		return status;
	}
	*Device = device;
	return STATUS_SUCCESS;
}

VOID TssDestroy(PTSS_DEVICE Device)
{
	PAGED_CODE();

	IcsDestroy(Device->Ics);
	ExFreePoolWithTag(Device, TSS_POOL_TAG);
}

VOID TssQueryCounters(PTSS_DEVICE Device, PICS_COUNTERS Counters)
{
	IcsQueryCounters(Device->Ics, Counters);
}
