// SPDX-License-Identifier: GPL-2.0
/*
 * The shutdown service: the host asks the guest to power off, to restart or to
 * hibernate.
 *
 * Written as a Windows driver writes it.  The guest answers, and acts once the
 * answer is in the ring: the host waits for it, and nobody would send it later.
 */
#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "protocol.h"
#include "wire.h"

/* "Shut" in a memory dump. */
#define SD_POOL_TAG		0x74756853

struct _SD_DEVICE {
	PIC_DEVICE Ic;
	PVOID System;
	LONG64 Agreed;
	LONG64 Declined;
	LONG Reason;
	LONG Seconds;
};

static UINT32 SdMessage(PVOID Context, IC_VERSION Version, PVOID Body, UINT32 Length,
			PULONG Action)
{
	PSD_DEVICE device = Context;
	PSD_MESSAGE message = Body;
	const char *what;

	UNREFERENCED_PARAMETER(Version);

	if (Length < sizeof(*message)) {
		IcBadMessage(device->Ic, "half a shutdown request, length", Length);
		return IC_FAIL;
	}
	switch (message->Flags & ~SD_FLAG_FORCE) {
	case 0:
		*Action = SdPowerOff;
		what = "power off";
		break;
	case SD_FLAG_RESTART:
		*Action = SdRestart;
		what = "restart";
		break;
	case SD_FLAG_HIBERNATE:
		if (SdCanHibernate(device->System))
			*Action = SdHibernate;
		what = "hibernate";
		break;
	default:
		IcBadMessage(device->Ic, "a shutdown of unknown kind, flags", message->Flags);
		InterlockedIncrement64(&device->Declined);
		return IC_FAIL;
	}
	InterlockedExchange(&device->Reason, (LONG)message->Reason);
	InterlockedExchange(&device->Seconds, (LONG)message->Seconds);
	IcPrint(INFO, "the host asks this guest to %s%s: %s, reason 0x%08x, within %u s%s\n",
		what, message->Flags & SD_FLAG_FORCE ? " by force" : "",
		message->Reason & SD_REASON_PLANNED ? "planned" : "unplanned",
		message->Reason, message->Seconds, *Action ? "" : "; it cannot");
	if (!*Action) {
		InterlockedIncrement64(&device->Declined);
		return IC_FAIL;
	}
	InterlockedIncrement64(&device->Agreed);
	return IC_OK;
}

static VOID SdAnswered(PVOID Context, ULONG Action)
{
	PSD_DEVICE device = Context;

	SdAct(device->System, (SD_ACTION)Action);
}

static const IC_VERSION SdVersions[] = {
	{ 3, 2 },
	{ 3, 1 },
	{ 3, 0 },
	{ 1, 0 },
};

static DECLARE_CONST_UNICODE_STRING(SdName, L"Guest Shutdown");

static const IC_SERVICE SdService = {
	.Name = &SdName,
	.Type = IC_TYPE_SHUTDOWN,
	.Versions = SdVersions,
	.VersionCount = ARRAYSIZE(SdVersions),
	.Message = SdMessage,
	.Answered = SdAnswered,
};

NTSTATUS SdCreate(PDEVICE_OBJECT Parent, PVOID System, PSD_DEVICE *Device)
{
	PSD_DEVICE device;
	NTSTATUS status;

	PAGED_CODE();

	device = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*device), SD_POOL_TAG);
	if (!device)
		return STATUS_INSUFFICIENT_RESOURCES;
	device->System = System;
	status = IcCreate(Parent, &SdService, device, &device->Ic);
	if (!NT_SUCCESS(status)) {
		ExFreePoolWithTag(device, SD_POOL_TAG);
		return status;
	}
	*Device = device;
	return STATUS_SUCCESS;
}

VOID SdDestroy(PSD_DEVICE Device)
{
	PAGED_CODE();

	IcDestroy(Device->Ic);
	ExFreePoolWithTag(Device, SD_POOL_TAG);
}

VOID SdQueryCounters(PSD_DEVICE Device, PSD_COUNTERS Counters)
{
	IcQueryCounters(Device->Ic, &Counters->Ic);
	Counters->Agreed = ReadNoFence64(&Device->Agreed);
	Counters->Declined = ReadNoFence64(&Device->Declined);
	Counters->Reason = (ULONG)ReadAcquire(&Device->Reason);
	Counters->Seconds = (ULONG)ReadAcquire(&Device->Seconds);
}
