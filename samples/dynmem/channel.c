// SPDX-License-Identifier: GPL-2.0
/*
 * The channel of Dynamic Memory, and the thread that serves it.
 *
 * Written as a Windows driver writes it.  One thread does everything that the
 * protocol wants.  Packets are held until it has dealt with them, so a host that
 * asks faster than the guest can work is slowed down by the channel's quota
 * instead of filling memory.  The thread lives from Opened to Suspend; from then
 * to the next Opened nothing of this driver runs.
 */
#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "device.h"
#include "protocol.h"
#include "wire.h"

/* "Dynm" in a memory dump. */
#define DM_POOL_TAG		0x6d6e7944

/* A packet that waits for the thread. */
typedef struct _DM_MESSAGE {
	LIST_ENTRY Link;
	VMBPACKETCOMPLETION Packet;
	PDM_HEADER Header;
} DM_MESSAGE, *PDM_MESSAGE;

static PDM_MESSAGE DmNextMessage(PDM_DEVICE Device)
{
	PLIST_ENTRY entry = NULL;
	KIRQL irql;

	KeAcquireSpinLock(&Device->Lock, &irql);
	if (!IsListEmpty(&Device->Messages))
		entry = RemoveHeadList(&Device->Messages);
	KeReleaseSpinLock(&Device->Lock, irql);

	return entry ? CONTAINING_RECORD(entry, DM_MESSAGE, Link) : NULL;
}

/*
 * May run in softirq.  What the thread needs to remember about the packet is
 * small; when there is no memory for that, PASSIVE_LEVEL can wait for some.
 */
static VOID DmProcessPacket(VMBCHANNEL Channel, PVOID CallbackContext, VMBPACKETCOMPLETION Packet,
			    PVOID Buffer, UINT32 BufferLength, UINT32 Flags)
{
	PDM_DEVICE device = CallbackContext;
	PDM_HEADER header = Buffer;
	DM_HEADER none = { 0 };
	PDM_MESSAGE message;
	KIRQL irql;

	UNREFERENCED_PARAMETER(Channel);
	UNREFERENCED_PARAMETER(Flags);

	if (BufferLength < sizeof(*header)) {
		DmBadMessage(device, &none, "no header");
		VmbChannelPacketFail(Packet);
		return;
	}
	if (header->Size < sizeof(*header) || header->Size > BufferLength) {
		DmBadMessage(device, header, "not as long as it says");
		VmbChannelPacketFail(Packet);
		return;
	}

	message = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*message), DM_POOL_TAG);
	if (!message) {
		if (KeGetCurrentIrql() > PASSIVE_LEVEL) {
			VmbChannelPacketDeferToPassive(Packet);
			return;
		}
		DmBadMessage(device, header, "dropped, out of memory");
		VmbChannelPacketComplete(Packet, NULL, 0);
		return;
	}
	message->Packet = Packet;
	message->Header = header;

	KeAcquireSpinLock(&device->Lock, &irql);
	InsertTailList(&device->Messages, &message->Link);
	KeReleaseSpinLock(&device->Lock, irql);
	KeSetEvent(&device->Wake, IO_NO_INCREMENT, FALSE);
}

/* ---- thread ---- */

static VOID DmThread(PVOID StartContext)
{
	PDM_DEVICE device = StartContext;
	PDM_MESSAGE message;
	LARGE_INTEGER wait;
	ULONGLONG due;
	ULONGLONG now;

	while (!DmStopping(device)) {
		due = DmTick(device);
		message = DmNextMessage(device);
		if (!message) {
			now = KeQueryInterruptTime();
			wait.QuadPart = due > now ? -(LONGLONG)(due - now) : 0;
			KeWaitForSingleObject(&device->Wake, Executive, KernelMode, FALSE, &wait);
			continue;
		}
		if (DmDispatch(device, message->Header)) {
			VmbChannelPacketComplete(message->Packet, NULL, 0);
		} else {
			DmBadMessage(device, message->Header, "too short for what it says");
			VmbChannelPacketFail(message->Packet);
		}
		ExFreePoolWithTag(message, DM_POOL_TAG);
	}
	PsTerminateSystemThread(STATUS_SUCCESS);
}

static NTSTATUS DmStartThread(PDM_DEVICE Device)
{
	NTSTATUS status;
	HANDLE handle;

	InterlockedExchange(&Device->Stop, 0);
	status = PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, DmThread,
				      Device);
	if (!NT_SUCCESS(status))
		return status;
	status = ObReferenceObjectByHandle(handle, THREAD_ALL_ACCESS, NULL, KernelMode,
					   &Device->Thread, NULL);
	NT_ASSERT(NT_SUCCESS(status));
	ZwClose(handle);
	return status;
}

/* When this returns, no code of the thread runs and no packet is held. */
static VOID DmStopThread(PDM_DEVICE Device)
{
	PDM_MESSAGE message;

	if (Device->Thread) {
		InterlockedExchange(&Device->Stop, 1);
		KeSetEvent(&Device->Wake, IO_NO_INCREMENT, FALSE);
		KeWaitForSingleObject(Device->Thread, Executive, KernelMode, FALSE, NULL);
		ObDereferenceObject(Device->Thread);
		Device->Thread = NULL;
	}
	for (;;) {
		message = DmNextMessage(Device);
		if (!message)
			break;
		VmbChannelPacketComplete(message->Packet, NULL, 0);
		ExFreePoolWithTag(message, DM_POOL_TAG);
	}
}

/* ---- channel ---- */

static NTSTATUS DmOpened(VMBCHANNEL Channel, PVOID CallbackContext)
{
	PDM_DEVICE device = CallbackContext;

	PAGED_CODE();
	UNREFERENCED_PARAMETER(Channel);

	device->State = DmStateOpened;
	device->Attempt = 0;
	device->Complained = FALSE;
	InterlockedExchange(&device->Started, 0);
	InterlockedExchange(&device->Version, 0);
	DmPrint(INFO, "channel open\n");
	return DmStartThread(device);
}

/* Sends are possible from here on, and the thread is told so. */
static VOID DmPostStarted(VMBCHANNEL Channel, PVOID CallbackContext)
{
	PDM_DEVICE device = CallbackContext;

	PAGED_CODE();
	UNREFERENCED_PARAMETER(Channel);

	/* After a pause Suspend has ended the thread; the session goes on. */
	if (!device->Thread && !NT_SUCCESS(DmStartThread(device)))
		DmPrint(ERROR, "no thread to resume with; reconnect to try again\n");
	InterlockedExchange(&device->Started, 1);
	KeSetEvent(&device->Wake, IO_NO_INCREMENT, FALSE);
}

static VOID DmSuspend(VMBCHANNEL Channel, PVOID CallbackContext)
{
	PAGED_CODE();
	UNREFERENCED_PARAMETER(Channel);

	DmStopThread(CallbackContext);
}

/*
 * The host that knew which pages are ballooned has forgotten, or is about to:
 * they are the guest's again.
 */
static VOID DmClosed(VMBCHANNEL Channel, PVOID CallbackContext)
{
	PDM_DEVICE device = CallbackContext;
	ULONG64 pages;

	PAGED_CODE();
	UNREFERENCED_PARAMETER(Channel);

	/* A channel that was never started is closed without Suspend. */
	DmStopThread(device);
	pages = DmFreeAllPages(device->Pages);
	InterlockedExchange64(&device->PagesBallooned, 0);
	InterlockedExchange(&device->Version, 0);
	DmPrint(INFO, "channel closed, %llu ballooned pages are the guest's again\n",
		pages);
}

static NTSTATUS DmConfigure(PDM_DEVICE Device)
{
	DECLARE_CONST_UNICODE_STRING(name, L"Dynamic Memory");
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5 callbacks;
	PVMB_CHANNEL_STATE_CHANGE_CALLBACKS legacy;
	NTSTATUS status;

	status = VmbChannelInitSetFriendlyName(Device->Channel, &name);
	if (!NT_SUCCESS(status))
		return status;
	status = VmbChannelInitSetMaximumPacketSize(Device->Channel, DM_MAXIMUM_MESSAGE);
	if (!NT_SUCCESS(status))
		return status;

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT_V5(&callbacks);
	callbacks.CallbackContext = Device;
	callbacks.EvtChannelOpenedEx = DmOpened;
	callbacks.EvtChannelPostStartedEx = DmPostStarted;
	callbacks.EvtChannelSuspendEx = DmSuspend;
	callbacks.EvtChannelClosedEx = DmClosed;
	/* Both forms go through one function, which looks at the version. */
	legacy = (PVMB_CHANNEL_STATE_CHANGE_CALLBACKS)&callbacks;
	status = VmbChannelInitSetStateChangeCallbacks(Device->Channel, legacy);
	if (!NT_SUCCESS(status))
		return status;

	return VmbChannelInitSetProcessPacketCallbacksEx(Device->Channel, Device, DmProcessPacket,
							 NULL);
}

NTSTATUS DmCreate(PDEVICE_OBJECT Parent, PVOID Pages, PDM_DEVICE *Device)
{
	PDM_DEVICE device;
	NTSTATUS status;

	PAGED_CODE();

	device = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*device), DM_POOL_TAG);
	if (!device)
		return STATUS_INSUFFICIENT_RESOURCES;
	device->Pages = Pages;
	KeInitializeSpinLock(&device->Lock);
	InitializeListHead(&device->Messages);
	KeInitializeEvent(&device->Wake, SynchronizationEvent, FALSE);

	status = STATUS_INSUFFICIENT_RESOURCES;
	device->Response = ExAllocatePool2(POOL_FLAG_NON_PAGED, DM_MAXIMUM_MESSAGE, DM_POOL_TAG);
	if (!device->Response)
		goto FreeDevice;

	status = VmbChannelAllocate(Parent, FALSE, &device->Channel);
	if (!NT_SUCCESS(status))
		goto FreeResponse;
	status = DmConfigure(device);
	if (!NT_SUCCESS(status))
		goto CleanupChannel;
	status = VmbChannelEnable(device->Channel);
	if (!NT_SUCCESS(status))
		goto CleanupChannel;

	*Device = device;
	return STATUS_SUCCESS;

CleanupChannel:
	VmbChannelCleanup(device->Channel);
FreeResponse:
	ExFreePoolWithTag(device->Response, DM_POOL_TAG);
FreeDevice:
	ExFreePoolWithTag(device, DM_POOL_TAG);
	return status;
}

NTSTATUS DmReconnect(PDM_DEVICE Device)
{
	PAGED_CODE();

	VmbChannelDisable(Device->Channel);
	return VmbChannelEnable(Device->Channel);
}

VOID DmDestroy(PDM_DEVICE Device)
{
	PAGED_CODE();

	VmbChannelDisable(Device->Channel);
	VmbChannelCleanup(Device->Channel);
	ExFreePoolWithTag(Device->Response, DM_POOL_TAG);
	ExFreePoolWithTag(Device, DM_POOL_TAG);
}

VOID DmQueryCounters(PDM_DEVICE Device, PDM_COUNTERS Counters)
{
	Counters->Version = ReadAcquire(&Device->Version);
	Counters->MaximumPages = ReadNoFence64(&Device->MaximumPages);
	Counters->ReportsSent = ReadNoFence64(&Device->ReportsSent);
	Counters->BalloonRequests = ReadNoFence64(&Device->BalloonRequests);
	Counters->UnballoonRequests = ReadNoFence64(&Device->UnballoonRequests);
	Counters->HotAddRequests = ReadNoFence64(&Device->HotAddRequests);
	Counters->PagesBallooned = ReadNoFence64(&Device->PagesBallooned);
	Counters->BadMessages = ReadNoFence64(&Device->BadMessages);
}
