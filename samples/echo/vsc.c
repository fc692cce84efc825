// SPDX-License-Identifier: GPL-2.0
/*
 * The VSC: one packet goes back and forth as often as is wanted, whenever the
 * channel opens.  A number in it tells each time from the last.
 */
#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "echo.h"

#define EchoPrint(Level, Format, ...)						\
	DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_ ## Level ## _LEVEL, Format, ##__VA_ARGS__)

static VMBCHANNEL EchoClient;
static ULONG EchoRoundTrips;
static UINT64 EchoNumber;
static LARGE_INTEGER EchoBegan;

static VOID EchoReport(VOID)
{
	LARGE_INTEGER frequency, now = KeQueryPerformanceCounter(&frequency);
	ULONG64 ticks = (ULONG64)(now.QuadPart - EchoBegan.QuadPart);

	if (!ticks)
		ticks = 1;
	EchoPrint(INFO, "%u round trips, %llu per second\n", EchoRoundTrips,
		  (ULONG64)EchoRoundTrips * (ULONG64)frequency.QuadPart / ticks);
}

static NTSTATUS EchoSend(VMBPACKET Packet)
{
	return VmbPacketSend(Packet, &EchoNumber, sizeof(EchoNumber), NULL,
			     VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION);
}

/* FALSE: the packet is on its way again, and may be answered by now. */
static BOOLEAN EchoIsOver(VMBPACKET Packet, NTSTATUS Status, PVOID Buffer, UINT32 BufferLength)
{
	if (NT_SUCCESS(Status) &&
	    (BufferLength != sizeof(EchoNumber) ||
	     !RtlEqualMemory(Buffer, &EchoNumber, sizeof(EchoNumber)))) {
		EchoPrint(ERROR, "round trip %llu brings back something else\n", EchoNumber);
		return TRUE;
	}
	if (NT_SUCCESS(Status)) {
		if (++EchoNumber == EchoRoundTrips) {
			EchoReport();
			return TRUE;
		}
		Status = EchoSend(Packet);
	}
	if (NT_SUCCESS(Status))
		return FALSE;
	EchoPrint(INFO, "closed after %llu round trips\n", EchoNumber);
	return TRUE;
}

static VOID EchoAnswered(VMBPACKET Packet, NTSTATUS Status, PVOID Buffer, UINT32 BufferLength)
{
	if (EchoIsOver(Packet, Status, Buffer, BufferLength))
		VmbPacketFree(Packet);
}

static VOID EchoPostStarted(VMBCHANNEL Channel)
{
	VMBPACKET packet = VmbPacketAllocate(Channel);

	if (!packet)
		return;
	EchoNumber = 0;
	EchoBegan = KeQueryPerformanceCounter(NULL);
	VmbPacketSetCompletionRoutine(packet, EchoAnswered);
	if (!NT_SUCCESS(EchoSend(packet)))
		VmbPacketFree(packet);
}

static NTSTATUS EchoOpen(VOID)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS callbacks;
	NTSTATUS status;

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&callbacks);
	callbacks.EvtChannelPostStarted = EchoPostStarted;
	status = VmbChannelInitSetStateChangeCallbacks(EchoClient, &callbacks);
	if (!NT_SUCCESS(status))
		return status;
	status = VmbClientChannelInitSetTargetPnp(EchoClient, &EchoType, &EchoInstance, NULL);
	if (!NT_SUCCESS(status))
		return status;
	return VmbChannelEnable(EchoClient);
}

NTSTATUS EchoVscCreate(ULONG RoundTrips)
{
	NTSTATUS status = VmbChannelAllocate(NULL, FALSE, &EchoClient);

	if (!NT_SUCCESS(status))
		return status;
	EchoRoundTrips = RoundTrips;
	status = EchoOpen();
	if (!NT_SUCCESS(status))
		VmbChannelCleanup(EchoClient);
	return status;
}

VOID EchoVscDestroy(VOID)
{
	VmbChannelDisable(EchoClient);
	VmbChannelCleanup(EchoClient);
}
