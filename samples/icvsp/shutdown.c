// SPDX-License-Identifier: GPL-2.0
/*
 * The server of the shutdown service: it asks, and notes what the client says.
 *
 * Written as a Windows driver writes it.  A client that agrees closes its channel soon
 * after; the answer stays until the next client opens it.
 */
#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "../shutdown/wire.h"
#include "protocol.h"

/* "Sdsv" in a memory dump. */
#define SDS_POOL_TAG		0x76736453

/* Seconds that the client may give its programs. */
#define SDS_SECONDS		180

/* Other, planned. */
#define SDS_REASON		(SD_REASON_PLANNED | 0x00050000U)

/* Clients expect all of it. */
typedef struct _SDS_MESSAGE {
	SD_MESSAGE Request;
	UINT8 Text[2048];
} SDS_MESSAGE, *PSDS_MESSAGE;

C_ASSERT(sizeof(SDS_MESSAGE) == ICS_MAXIMUM_BODY);

struct _SDS_DEVICE {
	PICS_DEVICE Ics;
	/* SDS_ANSWER */
	LONG Answer;
};

static UINT32 SdsFlags(SDS_KIND Kind, BOOLEAN Force)
{
	UINT32 flags = Force ? SD_FLAG_FORCE : 0;

	if (Kind == SdsRestart)
		flags |= SD_FLAG_RESTART;
	else if (Kind == SdsHibernate)
		flags |= SD_FLAG_HIBERNATE;
	return flags;
}

NTSTATUS SdsRequest(PSDS_DEVICE Device, SDS_KIND Kind, BOOLEAN Force)
{
	PSDS_MESSAGE message;
	NTSTATUS status;

	/* Too large for a stack. */
	message = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*message), SDS_POOL_TAG);
	if (!message)
		return STATUS_INSUFFICIENT_RESOURCES;
	message->Request.Reason = SDS_REASON;
	message->Request.Seconds = SDS_SECONDS;
	message->Request.Flags = SdsFlags(Kind, Force);
	/* The answer may be there before the send returns. */
	InterlockedExchange(&Device->Answer, SdsAsked);
	status = IcsSend(Device->Ics, message, sizeof(*message));
	if (!NT_SUCCESS(status))
		InterlockedExchange(&Device->Answer, SdsNone);
	ExFreePoolWithTag(message, SDS_POOL_TAG);
	return status;
}

static VOID SdsAnswered(PVOID Context, UINT32 Status, PVOID Body, UINT32 Length)
{
	PSDS_DEVICE device = Context;

	UNREFERENCED_PARAMETER(Body);
	UNREFERENCED_PARAMETER(Length);

	InterlockedExchange(&device->Answer, Status == IC_OK ? SdsAgreed : SdsDeclined);
	IcsPrint(INFO, "the client %s\n", Status == IC_OK ? "agrees to end" : "declines to end");
}

static VOID SdsOnAgreed(PVOID Context)
{
	PSDS_DEVICE device = Context;

	InterlockedExchange(&device->Answer, SdsNone);
}

static VOID SdsClosed(PVOID Context)
{
	PSDS_DEVICE device = Context;

	InterlockedCompareExchange(&device->Answer, SdsNone, SdsAsked);
}

static const IC_VERSION SdsVersions[] = {
	{ 1, 0 },
	{ 3, 0 },
	{ 3, 1 },
	{ 3, 2 },
};

static DECLARE_CONST_UNICODE_STRING(SdsName, L"Guest Shutdown Server");

static const ICS_SERVICE SdsService = {
	.Name = &SdsName,
	/* 0e0b6031-5213-4934-818b-38d90ced39db */
	.Type = { 0x0e0b6031, 0x5213, 0x4934, { 0x81, 0x8b, 0x38, 0xd9, 0x0c, 0xed, 0x39, 0xdb } },
	.MessageType = IC_TYPE_SHUTDOWN,
	.Versions = SdsVersions,
	.VersionCount = ARRAYSIZE(SdsVersions),
	.Agreed = SdsOnAgreed,
	.Answered = SdsAnswered,
	.Closed = SdsClosed,
};

NTSTATUS SdsCreate(PDEVICE_OBJECT Parent, HANDLE Bus, PSDS_DEVICE *Device)
{
	PSDS_DEVICE device;
	NTSTATUS status;

	PAGED_CODE();

	device = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*device), SDS_POOL_TAG);
	if (!device)
		return STATUS_INSUFFICIENT_RESOURCES;
	status = IcsCreate(Parent, Bus, &SdsService, device, &device->Ics);
	if (!NT_SUCCESS(status)) {
		ExFreePoolWithTag(device, SDS_POOL_TAG);
		return status;
	}
	*Device = device;
	return STATUS_SUCCESS;
}

VOID SdsDestroy(PSDS_DEVICE Device)
{
	PAGED_CODE();

	IcsDestroy(Device->Ics);
	ExFreePoolWithTag(Device, SDS_POOL_TAG);
}

SDS_ANSWER SdsQueryAnswer(PSDS_DEVICE Device)
{
	return (SDS_ANSWER)ReadAcquire(&Device->Answer);
}

VOID SdsQueryCounters(PSDS_DEVICE Device, PICS_COUNTERS Counters)
{
	IcsQueryCounters(Device->Ics, Counters);
}
