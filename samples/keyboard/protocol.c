// SPDX-License-Identifier: GPL-2.0
/*
 * The synthetic keyboard: one question about the version, then keystrokes.
 *
 * Written as a Windows driver writes it.
 *
 *	            PostStarted           response
 *	Opened ----------------> Asked --------------> Accepted, or Refused
 *	  any ------------------------- Closed ------> Closed
 *
 * The host answers the question twice: it completes the packet, which says nothing,
 * and it sends the response, as data.  They come in any order, so it is the response
 * alone that counts.  Nobody waits in a state callback: KbCreate does, for the first
 * response, and the channel can close under it.
 */
#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "protocol.h"
#include "wire.h"

/* "Keyb" in a memory dump. */
#define KB_POOL_TAG		0x6279654b

#define KB_SECOND		10000000LL
#define KB_PATIENCE		(10 * KB_SECOND)

#define KB_RING_PAGES		4

#define KbPrint(Level, Format, ...)						\
	DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_ ## Level ## _LEVEL, Format, ##__VA_ARGS__)

typedef enum _KB_STATE {
	KbClosed,
	KbOpened,
	KbAsked,
	KbAccepted,
	KbRefused,
} KB_STATE;

struct _KB_DEVICE {
	VMBCHANNEL Channel;
	PVOID System;

	/* KB_STATE; who waits for the first answer is woken by Answered. */
	LONG State;
	KEVENT Answered;

	LONG64 Keystrokes;
	LONG64 Characters;
	LONG64 BadMessages;
};

/*
 * The host decides how many of these there are, so only the first, the second, the
 * fourth and so on are worth a line.
 */
static VOID KbBadMessage(PKB_DEVICE Device, const char *Why, ULONG Value)
{
	LONG64 n = InterlockedIncrement64(&Device->BadMessages);

	if ((n & (n - 1)) == 0)
		KbPrint(WARNING, "bad message: %s (%u); %lld so far\n", Why, Value, n);
}

/* ---- from the host ---- */

static VOID KbOnResponse(PKB_DEVICE Device, PKB_RESPONSE Response)
{
	BOOLEAN accepted = (Response->Status & KB_ACCEPTED) != 0;

	if (ReadAcquire(&Device->State) != KbAsked) {
		KbBadMessage(Device, "a response without a question, status", Response->Status);
		return;
	}
	InterlockedExchange(&Device->State, accepted ? KbAccepted : KbRefused);
	if (!accepted)
		KbPrint(WARNING, "the host refuses version 1.0 of the protocol, status 0x%08x\n",
			Response->Status);
	KeSetEvent(&Device->Answered, IO_NO_INCREMENT, FALSE);
}

static VOID KbOnKeystroke(PKB_DEVICE Device, PKB_KEYSTROKE Keystroke)
{
	ULONG prefix = 0;

	if (ReadAcquire(&Device->State) != KbAccepted) {
		KbBadMessage(Device, "a keystroke before the handshake, code",
			     Keystroke->MakeCode);
		return;
	}
	if (Keystroke->Flags & KB_FLAG_UNICODE) {
		if (InterlockedIncrement64(&Device->Characters) == 1)
			KbPrint(INFO, "the host types text, not keys: ignored\n");
		return;
	}
	if (Keystroke->MakeCode < 1 || Keystroke->MakeCode > 0x7f) {
		KbBadMessage(Device, "no scan code of set 1", Keystroke->MakeCode);
		return;
	}
	InterlockedIncrement64(&Device->Keystrokes);
	if (Keystroke->Flags & KB_FLAG_E0)
		prefix |= KB_PREFIX_E0;
	if (Keystroke->Flags & KB_FLAG_E1)
		prefix |= KB_PREFIX_E1;
	KbKeystroke(Device->System, (UINT8)Keystroke->MakeCode, prefix,
		    !(Keystroke->Flags & KB_FLAG_BREAK));
}

static VOID KbProcessPacket(VMBCHANNEL Channel, PVOID CallbackContext, VMBPACKETCOMPLETION Packet,
			    PVOID Buffer, UINT32 BufferLength, UINT32 Flags)
{
	PKB_DEVICE device = CallbackContext;
	PUINT32 type = Buffer;

	UNREFERENCED_PARAMETER(Channel);
	UNREFERENCED_PARAMETER(Flags);

	if (BufferLength < sizeof(*type))
		KbBadMessage(device, "no type, length", BufferLength);
	else if (*type == KB_TYPE_RESPONSE && BufferLength >= sizeof(KB_RESPONSE))
		KbOnResponse(device, Buffer);
	else if (*type == KB_TYPE_KEYSTROKE && BufferLength >= sizeof(KB_KEYSTROKE))
		KbOnKeystroke(device, Buffer);
	else if (*type == KB_TYPE_RESPONSE || *type == KB_TYPE_KEYSTROKE)
		KbBadMessage(device, "too short for its type", *type);
	else
		KbBadMessage(device, "unknown type", *type);
	VmbChannelPacketComplete(Packet, NULL, 0);
}

/* ---- channel ---- */

static NTSTATUS KbOnOpened(VMBCHANNEL Channel, PVOID CallbackContext)
{
	PKB_DEVICE device = CallbackContext;

	PAGED_CODE();
	UNREFERENCED_PARAMETER(Channel);

	KeClearEvent(&device->Answered);
	InterlockedExchange(&device->State, KbOpened);
	return STATUS_SUCCESS;
}

static VOID KbOnPostStarted(VMBCHANNEL Channel, PVOID CallbackContext)
{
	PKB_DEVICE device = CallbackContext;
	NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;
	KB_REQUEST request;
	VMBPACKET packet;

	PAGED_CODE();

	/* After a pause the session goes on. */
	if (ReadAcquire(&device->State) != KbOpened)
		return;

	request.Type = KB_TYPE_REQUEST;
	request.Version = KB_VERSION_1_0;
	/* The response may come before the send returns. */
	InterlockedExchange(&device->State, KbAsked);
	packet = VmbPacketAllocate(Channel);
	if (packet) {
		/* The packet's default completion routine frees it. */
		status = VmbPacketSend(packet, &request, sizeof(request), NULL,
				       VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION);
		if (!NT_SUCCESS(status))
			VmbPacketFree(packet);
	}
	if (!NT_SUCCESS(status))
		KbPrint(ERROR, "the host cannot be asked, status 0x%08x\n", (ULONG)status);
}

static VOID KbOnClosed(VMBCHANNEL Channel, PVOID CallbackContext)
{
	PKB_DEVICE device = CallbackContext;

	PAGED_CODE();
	UNREFERENCED_PARAMETER(Channel);

	InterlockedExchange(&device->State, KbClosed);
	KeSetEvent(&device->Answered, IO_NO_INCREMENT, FALSE);
	KbReleaseAll(device->System);
}

static NTSTATUS KbConfigure(PKB_DEVICE Device)
{
	DECLARE_CONST_UNICODE_STRING(name, L"Keyboard");
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5 callbacks;
	PVMB_CHANNEL_STATE_CHANGE_CALLBACKS legacy;
	NTSTATUS status;

	status = VmbChannelInitSetFriendlyName(Device->Channel, &name);
	if (!NT_SUCCESS(status))
		return status;
	status = VmbChannelInitSetMaximumPacketSize(Device->Channel, KB_MAXIMUM_MESSAGE);
	if (!NT_SUCCESS(status))
		return status;
	status = VmbClientChannelInitSetRingBufferPageCount(Device->Channel, KB_RING_PAGES,
							    KB_RING_PAGES);
	if (!NT_SUCCESS(status))
		return status;

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT_V5(&callbacks);
	callbacks.CallbackContext = Device;
	callbacks.EvtChannelOpenedEx = KbOnOpened;
	callbacks.EvtChannelPostStartedEx = KbOnPostStarted;
	callbacks.EvtChannelClosedEx = KbOnClosed;
	/* Both forms go through one function, which looks at the version. */
	legacy = (PVMB_CHANNEL_STATE_CHANGE_CALLBACKS)&callbacks;
	status = VmbChannelInitSetStateChangeCallbacks(Device->Channel, legacy);
	if (!NT_SUCCESS(status))
		return status;

	return VmbChannelInitSetProcessPacketCallbacksEx(Device->Channel, Device, KbProcessPacket,
							 NULL);
}

static NTSTATUS KbAwaitAnswer(PKB_DEVICE Device)
{
	LARGE_INTEGER patience;

	patience.QuadPart = -KB_PATIENCE;
	KeWaitForSingleObject(&Device->Answered, Executive, KernelMode, FALSE, &patience);
	switch (ReadAcquire(&Device->State)) {
	case KbAccepted:
		return STATUS_SUCCESS;
	case KbRefused:
		return STATUS_REVISION_MISMATCH;
	case KbClosed:
		return STATUS_DEVICE_REMOVED;
	default:
		KbPrint(WARNING, "the host has not answered for 10 seconds\n");
		return STATUS_CANCELLED;
	}
}

NTSTATUS KbCreate(PDEVICE_OBJECT Parent, PVOID System, PKB_DEVICE *Device)
{
	PKB_DEVICE device;
	NTSTATUS status;

	PAGED_CODE();

	device = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*device), KB_POOL_TAG);
	if (!device)
		return STATUS_INSUFFICIENT_RESOURCES;
	device->System = System;
	KeInitializeEvent(&device->Answered, NotificationEvent, FALSE);

	status = VmbChannelAllocate(Parent, FALSE, &device->Channel);
	if (!NT_SUCCESS(status))
		goto FreeDevice;
	status = KbConfigure(device);
	if (!NT_SUCCESS(status))
		goto CleanupChannel;
	status = VmbChannelEnable(device->Channel);
	if (!NT_SUCCESS(status))
		goto CleanupChannel;
	status = KbAwaitAnswer(device);
	if (!NT_SUCCESS(status))
		goto DisableChannel;

	*Device = device;
	return STATUS_SUCCESS;

DisableChannel:
	VmbChannelDisable(device->Channel);
CleanupChannel:
	VmbChannelCleanup(device->Channel);
FreeDevice:
	ExFreePoolWithTag(device, KB_POOL_TAG);
	return status;
}

VOID KbDestroy(PKB_DEVICE Device)
{
	PAGED_CODE();

	VmbChannelDisable(Device->Channel);
	VmbChannelCleanup(Device->Channel);
	ExFreePoolWithTag(Device, KB_POOL_TAG);
}

VOID KbQueryCounters(PKB_DEVICE Device, PKB_COUNTERS Counters)
{
	Counters->Keystrokes = ReadNoFence64(&Device->Keystrokes);
	Counters->Characters = ReadNoFence64(&Device->Characters);
	Counters->BadMessages = ReadNoFence64(&Device->BadMessages);
}
