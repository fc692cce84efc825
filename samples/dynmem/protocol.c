// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's side of Dynamic Memory: what the thread does with the time and with
 * the host's messages.
 *
 * Written as a Windows driver writes it.  A message lies in memory that the host
 * cannot reach any more; its contents are the host's all the same, so every size
 * and count is checked against the header's, and the header's against the packet.
 */
#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "device.h"
#include "protocol.h"
#include "wire.h"

#define DM_PATIENCE		(10 * DM_SECOND)
#define DM_RETRY_PERIOD		(DM_SECOND / 10)

/* Pages are freed in pieces, between which the thread looks up. */
#define DM_FREE_STEP		4096

#define DM_MEGABYTE		256ULL

static const struct {
	ULONG Number;
	UINT32 Wire;
} DmVersions[] = {
	{ 3, DM_VERSION_3 },
	{ 2, DM_VERSION_2 },
	{ 1, DM_VERSION_1 },
};

/*
 * The host decides how many of these there are, so only the first, the second,
 * the fourth and so on are worth a line.
 */
VOID DmBadMessage(PDM_DEVICE Device, PDM_HEADER Header, const char *Why)
{
	LONG64 n = InterlockedIncrement64(&Device->BadMessages);

	if ((n & (n - 1)) == 0)
		DmPrint(WARNING, "message of type %u, size %u: %s (%lld bad messages so far)\n",
			Header->Type, Header->Size, Why, n);
}

/*
 * Numbers a message and sends it.  When every packet of the channel is under
 * way, a message that the host waits for is tried again; a status report is not,
 * the next one is better anyway.
 */
static NTSTATUS DmSend(PDM_DEVICE Device, PDM_HEADER Header, UINT16 Type, UINT32 Size,
		       BOOLEAN Insist)
{
	LARGE_INTEGER pause;
	NTSTATUS status;
	VMBPACKET packet;

	Header->Type = Type;
	Header->Size = (UINT16)Size;
	Header->TransactionId = ++Device->TransactionId;

	for (;;) {
		packet = VmbPacketAllocate(Device->Channel);
		if (packet)
			break;
		if (!Insist)
			return STATUS_INSUFFICIENT_RESOURCES;
		if (DmStopping(Device))
			return STATUS_CANCELLED;
		pause.QuadPart = -(LONGLONG)DM_RETRY_PERIOD;
		KeDelayExecutionThread(KernelMode, FALSE, &pause);
	}

	/* The packet's default completion routine frees it. */
	status = VmbPacketSend(packet, Header, Size, NULL, 0);
	if (!NT_SUCCESS(status)) {
		VmbPacketFree(packet);
		if (Insist)
			DmPrint(WARNING, "message of type %u not sent, status 0x%08x\n",
				Type, (ULONG)status);
	}
	return status;
}

/* ---- handshake ---- */

static VOID DmAskForVersion(PDM_DEVICE Device)
{
	DM_VERSION_REQUEST request;

	RtlZeroMemory(&request, sizeof(request));
	request.Version = DmVersions[Device->Attempt].Wire;
	if (Device->Attempt == ARRAYSIZE(DmVersions) - 1)
		request.Flags = DM_LAST_ATTEMPT;

	Device->State = DmStateVersion;
	Device->Asked = KeQueryInterruptTime();
	DmSend(Device, &request.Header, DmVersionRequest, sizeof(request), TRUE);
}

static VOID DmReportCapabilities(PDM_DEVICE Device)
{
	DM_CAPABILITIES_REPORT report;

	RtlZeroMemory(&report, sizeof(report));
	report.Capabilities = DM_CAN_BALLOON;
	report.MaximumPageNumber = ~0ULL;

	Device->State = DmStateCapabilities;
	Device->Asked = KeQueryInterruptTime();
	DmSend(Device, &report.Header, DmCapabilitiesReport, sizeof(report), TRUE);
}

static VOID DmOnVersionResponse(PDM_DEVICE Device, PDM_RESPONSE Response)
{
	UINT32 wire = DmVersions[Device->Attempt].Wire;
	ULONG number = DmVersions[Device->Attempt].Number;

	if (Device->State != DmStateVersion) {
		DmBadMessage(Device, &Response->Header, "no version was asked for");
		return;
	}
	if (Response->Flags & DM_ACCEPTED) {
		DmPrint(INFO, "protocol version %u.0 agreed (%u.%u on the wire)\n",
			number, wire >> 16, wire & 0xffff);
		InterlockedExchange(&Device->Version, (LONG)number);
		DmReportCapabilities(Device);
		return;
	}
	if (Device->Attempt == ARRAYSIZE(DmVersions) - 1) {
		DmPrint(WARNING, "the host accepts no protocol version down to 1.0\n");
		Device->State = DmStateRefused;
		return;
	}
	Device->Attempt++;
	DmAskForVersion(Device);
}

static VOID DmOnCapabilitiesResponse(PDM_DEVICE Device, PDM_RESPONSE Response)
{
	if (Device->State != DmStateCapabilities) {
		DmBadMessage(Device, &Response->Header, "no capabilities were reported");
		return;
	}
	if (!(Response->Flags & DM_ACCEPTED)) {
		DmPrint(WARNING, "the host refuses a guest that can balloon\n");
		Device->State = DmStateRefused;
		return;
	}
	Device->WantsReports = !(Response->Flags & DM_NO_REPORTS);
	/* between the host's own seconds, which count from this handshake too */
	Device->NextReport = KeQueryInterruptTime() + DM_SECOND / 2;
	Device->State = DmStateReady;
	DmPrint(INFO, "ready to balloon, %s status reports\n",
		Device->WantsReports ? "sending" : "the host wants no");
}

/* ---- status ---- */

/*
 * What the guest keeps whatever the host asks for: an eighth of its memory and a
 * bit for the kernel itself, but not more than a gigabyte.
 */
static ULONG64 DmReserve(PDM_MEMORY Memory)
{
	ULONG64 reserve = 32 * DM_MEGABYTE + Memory->Total / 8;

	return reserve < 1024 * DM_MEGABYTE ? reserve : 1024 * DM_MEGABYTE;
}

/*
 * The host takes the committed pages for what the guest needs.  Ballooned pages
 * and the reserve belong to it, or the host would ask for them again.
 */
static VOID DmReportStatus(PDM_DEVICE Device)
{
	DM_STATUS_REPORT report;
	DM_MEMORY memory;
	NTSTATUS status;

	DmQueryMemory(Device->Pages, &memory);

	RtlZeroMemory(&report, sizeof(report));
	report.Available = memory.Available;
	report.Committed = memory.Committed + DmReserve(&memory) +
			   ReadNoFence64(&Device->PagesBallooned);
	status = DmSend(Device, &report.Header, DmStatusReport, sizeof(report), FALSE);
	if (NT_SUCCESS(status))
		InterlockedIncrement64(&Device->ReportsSent);
}

/* Also called in the middle of long requests, so that reports keep coming. */
ULONGLONG DmTick(PDM_DEVICE Device)
{
	ULONGLONG now = KeQueryInterruptTime();

	switch (Device->State) {
	case DmStateOpened:
		if (ReadAcquire(&Device->Started))
			DmAskForVersion(Device);
		break;
	case DmStateVersion:
	case DmStateCapabilities:
		/* A late answer is as good; only the administrator should know. */
		if (now - Device->Asked < DM_PATIENCE || Device->Complained)
			break;
		Device->Complained = TRUE;
		DmPrint(WARNING, "the host has not answered for 10 seconds, still waiting\n");
		break;
	case DmStateReady:
		if (!Device->WantsReports)
			break;
		if (now >= Device->NextReport) {
			DmReportStatus(Device);
			Device->NextReport += DM_SECOND;
			/* After a long silence one report is enough. */
			if (Device->NextReport <= now)
				Device->NextReport = now + DM_SECOND;
		}
		return Device->NextReport;
	case DmStateRefused:
		break;
	}
	return now + DM_SECOND;
}

/* ---- balloon ---- */

static ULONG DmFreeRange(PDM_DEVICE Device, UINT64 Range)
{
	PFN_NUMBER first = DM_RANGE_FIRST(Range);
	ULONG left = (ULONG)DM_RANGE_COUNT(Range);
	ULONG freed = 0;
	ULONG step;

	while (left && !DmStopping(Device)) {
		step = left < DM_FREE_STEP ? left : DM_FREE_STEP;
		freed += DmFreePages(Device->Pages, first, step);
		first += step;
		left -= step;
		DmTick(Device);
	}
	InterlockedExchangeAdd64(&Device->PagesBallooned, -(LONG64)freed);
	return freed;
}

/* Adds a block to the response; neighbours become one range. */
static VOID DmAddBlock(PDM_BALLOON_RESPONSE Response, PULONG Ranges, PFN_NUMBER First, ULONG Count)
{
	UINT64 last;

	if (*Ranges) {
		last = Response->Ranges[*Ranges - 1];
		if (DM_RANGE_FIRST(last) + DM_RANGE_COUNT(last) == First &&
		    DM_RANGE_COUNT(last) + Count <= DM_RANGE_MAXIMUM_COUNT) {
			Response->Ranges[*Ranges - 1] = DM_RANGE(DM_RANGE_FIRST(last),
								 DM_RANGE_COUNT(last) + Count);
			return;
		}
	}
	Response->Ranges[(*Ranges)++] = DM_RANGE(First, Count);
}

/*
 * Takes up to Wanted pages into the response, in large blocks while the system
 * has any.  Returns how many; fewer than wanted with room left in the response
 * means that there are no more.
 */
static ULONG DmFillResponse(PDM_DEVICE Device, ULONG Wanted, PULONG Order, PULONG Ranges)
{
	PDM_BALLOON_RESPONSE response = Device->Response;
	PFN_NUMBER first;
	ULONG count;
	ULONG got = 0;

	*Ranges = 0;
	while (got < Wanted && *Ranges < DM_MAXIMUM_RANGES && !DmStopping(Device)) {
		if (Wanted - got < 1U << *Order)
			*Order = 0;
		if (!DmAllocatePages(Device->Pages, *Order, &first)) {
			if (!*Order)
				break;
			*Order = 0;
			continue;
		}
		count = 1U << *Order;
		DmAddBlock(response, Ranges, first, count);
		got += count;
		InterlockedExchangeAdd64(&Device->PagesBallooned, count);
		DmTick(Device);
	}
	return got;
}

static VOID DmOnBalloonRequest(PDM_DEVICE Device, PDM_BALLOON_REQUEST Request)
{
	PDM_BALLOON_RESPONSE response = Device->Response;
	ULONG order = DM_LARGE_ORDER;
	ULONG asked = Request->Pages;
	ULONG total = 0;
	ULONG wanted = asked;
	DM_MEMORY memory;
	ULONG64 reserve;
	NTSTATUS status;
	BOOLEAN more;
	ULONG ranges;
	ULONG got;
	ULONG i;

	if (Device->State != DmStateReady) {
		DmBadMessage(Device, &Request->Header, "a request before the handshake");
		return;
	}
	InterlockedIncrement64(&Device->BalloonRequests);

	DmQueryMemory(Device->Pages, &memory);
	reserve = DmReserve(&memory);
	if (memory.Available < reserve)
		wanted = 0;
	else if (memory.Available - reserve < wanted)
		wanted = (ULONG)(memory.Available - reserve);

	/*
	 * The last response says so.  If it comes without a range, the host knows
	 * that there is nothing more to be had.
	 */
	do {
		got = DmFillResponse(Device, wanted - total, &order, &ranges);
		if (DmStopping(Device))
			return;
		total += got;
		more = total < wanted && ranges == DM_MAXIMUM_RANGES;

		response->Reserved = 0;
		response->MoreAndCount = ranges << 1 | (more ? DM_MORE : 0);
		status = DmSend(Device, &response->Header, DmBalloonResponse,
				sizeof(*response) + ranges * sizeof(UINT64), TRUE);
		if (!NT_SUCCESS(status)) {
			/* The host never hears of them, so they are still the guest's. */
			for (i = 0; i < ranges; i++)
				DmFreeRange(Device, response->Ranges[i]);
			return;
		}
	} while (more);

	DmPrint(INFO, "balloon: the host asked for %u pages and got %u; %lld are ballooned\n",
		asked, total,
		ReadNoFence64(&Device->PagesBallooned));
}

/* Returns whether the message is what it says it is. */
static BOOLEAN DmOnUnballoonRequest(PDM_DEVICE Device, PDM_UNBALLOON_REQUEST Request)
{
	DM_UNBALLOON_RESPONSE response;
	BOOLEAN foreign = FALSE;
	ULONG i;

	if (Request->RangeCount > (Request->Header.Size - sizeof(*Request)) / sizeof(UINT64))
		return FALSE;
	if (Device->State != DmStateReady) {
		DmBadMessage(Device, &Request->Header, "a request before the handshake");
		return TRUE;
	}

	for (i = 0; i < Request->RangeCount; i++) {
		UINT64 range = Request->Ranges[i];

		if (DmFreeRange(Device, range) != DM_RANGE_COUNT(range))
			foreign = TRUE;
	}
	if (DmStopping(Device))
		return TRUE;
	if (foreign)
		DmBadMessage(Device, &Request->Header, "returns pages that are not ballooned");

	/* The host waits for an answer to the last part alone. */
	if (Request->Flags & DM_MORE)
		return TRUE;

	InterlockedIncrement64(&Device->UnballoonRequests);
	DmPrint(INFO, "unballoon: the host returned pages; %lld are ballooned\n",
		ReadNoFence64(&Device->PagesBallooned));
	RtlZeroMemory(&response, sizeof(response));
	DmSend(Device, &response.Header, DmUnballoonResponse, sizeof(response), TRUE);
	return TRUE;
}

/* The capabilities did not offer this; a host that asks anyway gets a clear no. */
static VOID DmOnHotAddRequest(PDM_DEVICE Device)
{
	DM_HOT_ADD_RESPONSE response;

	if (InterlockedIncrement64(&Device->HotAddRequests) == 1)
		DmPrint(INFO, "the host offers memory to add; this driver declines\n");
	RtlZeroMemory(&response, sizeof(response));
	DmSend(Device, &response.Header, DmHotAddResponse, sizeof(response), TRUE);
}

static VOID DmOnInfo(PDM_DEVICE Device, PDM_INFO Info)
{
	if (Info->InfoType != DM_INFO_MAXIMUM_PAGES || Info->DataSize != sizeof(Info->Data))
		return;
	InterlockedExchange64(&Device->MaximumPages, Info->Data);
	DmPrint(INFO, "the host may give this guest up to %llu pages\n",
		Info->Data);
}

/* ---- messages ---- */

BOOLEAN DmDispatch(PDM_DEVICE Device, PDM_HEADER Header)
{
	switch (Header->Type) {
	case DmVersionResponse:
		if (Header->Size < sizeof(DM_RESPONSE))
			return FALSE;
		DmOnVersionResponse(Device, (PDM_RESPONSE)Header);
		return TRUE;
	case DmCapabilitiesResponse:
		if (Header->Size < sizeof(DM_RESPONSE))
			return FALSE;
		DmOnCapabilitiesResponse(Device, (PDM_RESPONSE)Header);
		return TRUE;
	case DmBalloonRequest:
		if (Header->Size < sizeof(DM_BALLOON_REQUEST))
			return FALSE;
		DmOnBalloonRequest(Device, (PDM_BALLOON_REQUEST)Header);
		return TRUE;
	case DmUnballoonRequest:
		if (Header->Size < sizeof(DM_UNBALLOON_REQUEST))
			return FALSE;
		return DmOnUnballoonRequest(Device, (PDM_UNBALLOON_REQUEST)Header);
	case DmHotAddRequest:
		DmOnHotAddRequest(Device);
		return TRUE;
	case DmInfo:
		if (Header->Size >= sizeof(DM_INFO))
			DmOnInfo(Device, (PDM_INFO)Header);
		return TRUE;
	default:
		DmBadMessage(Device, Header, "unknown type");
		return TRUE;
	}
}
