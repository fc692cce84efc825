// SPDX-License-Identifier: GPL-2.0
/*
 * The channel of an integration service, and the host's framework around it.
 *
 * Written as a Windows driver writes it; each service is a driver of its own and
 * includes this file.
 *
 *	Opened --> no version --negotiate, in common--> agreed
 *	               ^ |                               | ^
 *	               | +--- negotiate, in common ------+ |
 *	               +----- negotiate, nothing common ---+
 *
 * The host may negotiate again at any time.  A service's own message is served
 * when a version is agreed, and answered with IC_FAIL before.
 *
 * A message lies in memory that the host cannot reach any more; it is answered
 * where it lies.  Some hosts never read the answers to messages that are no
 * transactions, as others do that look the same: so everything is answered, a
 * bounded number of answers waits for room in the ring, and one packet is kept for
 * the case that there is no memory for another.
 */
#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "ic.h"
#include "wire.h"

/* "Inte" in a memory dump. */
#define IC_POOL_TAG		0x65746e49

/* Answers that may wait for room, and data pages of each ring. */
#define IC_MAXIMUM_ANSWERS	64
#define IC_RING_PAGES		4

#define IC_VERSION_WORD(Version)	((LONG)(Version).Major << 16 | (Version).Minor)

struct _IC_DEVICE {
	VMBCHANNEL Channel;
	const IC_SERVICE *Service;
	PVOID Context;

	/* The packet that is kept; lives from Opened to Closed. */
	VMBPACKET Reserve;
	LONG ReserveBusy;

	/* Read by anyone.  Versions as IC_VERSION_WORD has them. */
	LONG Framework;
	LONG Message;
	LONG64 Unanswered;
	LONG64 BadMessages;
};

static const IC_VERSION IcFrameworks[] = {
	{ 3, 0 },
	{ 1, 0 },
};

static BOOLEAN IcWorthALine(LONG64 Count)
{
	/* The host decides how many there are: the first, the second, the fourth ... */
	return (Count & (Count - 1)) == 0;
}

VOID IcBadMessage(PIC_DEVICE Device, const char *Why, ULONG Value)
{
	LONG64 n = InterlockedIncrement64(&Device->BadMessages);

	if (IcWorthALine(n))
		IcPrint(WARNING, "bad message: %s (%u); %lld so far\n", Why, Value, n);
}

/* ---- answers ---- */

static VOID IcUnanswered(PIC_DEVICE Device, ULONG Action)
{
	LONG64 n = InterlockedIncrement64(&Device->Unanswered);

	if (IcWorthALine(n))
		IcPrint(WARNING, "a message stays unanswered; %lld so far\n", n);
	if (Action)
		Device->Service->Answered(Device->Context, Action);
}

static VOID IcPutPacket(PIC_DEVICE Device, VMBPACKET Packet)
{
	if (Packet == Device->Reserve)
		InterlockedExchange(&Device->ReserveBusy, 0);
	else
		VmbPacketFree(Packet);
}

static VOID IcSent(VMBPACKET Packet, PVOID CompletionContext, NTSTATUS Status, PVOID Buffer,
		   UINT32 BufferLength)
{
	PIC_DEVICE device = CompletionContext;
	ULONG action = (ULONG)(ULONG_PTR)VmbPacketGetPointer(Packet);

	UNREFERENCED_PARAMETER(Status);
	UNREFERENCED_PARAMETER(Buffer);
	UNREFERENCED_PARAMETER(BufferLength);

	IcPutPacket(device, Packet);
	if (action)
		device->Service->Answered(device->Context, action);
}

static VOID IcAnswer(PIC_DEVICE Device, PIC_HEADER Header, UINT32 Length, ULONG Action)
{
	VMBPACKET packet = VmbPacketAllocate(Device->Channel);
	NTSTATUS status;

	if (!packet) {
		if (InterlockedExchange(&Device->ReserveBusy, 1)) {
			IcUnanswered(Device, Action);
			return;
		}
		packet = Device->Reserve;
	}
	VmbPacketSetCompletionRoutineEx(packet, Device, IcSent);
	VmbPacketSetPointer(packet, (PVOID)(ULONG_PTR)Action);
	status = VmbPacketSend(packet, Header, Length, NULL, 0);
	if (!NT_SUCCESS(status)) {
		IcPutPacket(Device, packet);
		IcUnanswered(Device, Action);
	}
}

/* ---- versions ---- */

/* The first of ours that is also theirs. */
static BOOLEAN IcChoose(const IC_VERSION *Ours, ULONG OurCount, const IC_VERSION *Theirs,
			ULONG TheirCount, PIC_VERSION Chosen)
{
	ULONG i, j;

	for (i = 0; i < OurCount; i++) {
		for (j = 0; j < TheirCount; j++) {
			if (IC_VERSION_WORD(Ours[i]) != IC_VERSION_WORD(Theirs[j]))
				continue;
			*Chosen = Ours[i];
			return TRUE;
		}
	}
	return FALSE;
}

static VOID IcAgree(PIC_DEVICE Device, IC_VERSION Framework, IC_VERSION Message)
{
	LONG before = InterlockedExchange(&Device->Message, IC_VERSION_WORD(Message));

	InterlockedExchange(&Device->Framework, IC_VERSION_WORD(Framework));
	if (before != IC_VERSION_WORD(Message))
		IcPrint(INFO, "version %u.%u agreed, framework %u.%u\n", Message.Major,
			Message.Minor, Framework.Major, Framework.Minor);
}

static VOID IcForgetVersions(PIC_DEVICE Device)
{
	InterlockedExchange(&Device->Message, 0);
	InterlockedExchange(&Device->Framework, 0);
}

/* Turns the offer into the answer to it. */
static UINT32 IcNegotiate(PIC_DEVICE Device, PIC_HEADER Header, UINT32 Length)
{
	PIC_NEGOTIATE negotiate = (PIC_NEGOTIATE)(Header + 1);
	IC_VERSION framework, message;
	ULONG frameworks, messages;

	if (Length < sizeof(*negotiate)) {
		IcBadMessage(Device, "no versions in a negotiation, length", Length);
		return IC_FAIL;
	}
	frameworks = negotiate->FrameworkCount;
	messages = negotiate->MessageCount;
	negotiate->FrameworkCount = 0;
	negotiate->MessageCount = 0;
	Header->Size = sizeof(*negotiate);
	IcForgetVersions(Device);

	if (frameworks + messages > (Length - sizeof(*negotiate)) / sizeof(IC_VERSION)) {
		IcBadMessage(Device, "more versions than fit into the message",
			     frameworks + messages);
		return IC_FAIL;
	}
	if (!IcChoose(IcFrameworks, ARRAYSIZE(IcFrameworks), negotiate->Versions, frameworks,
		      &framework) ||
	    !IcChoose(Device->Service->Versions, Device->Service->VersionCount,
		      negotiate->Versions + frameworks, messages, &message)) {
		IcBadMessage(Device, "none of the offered versions is known, offered",
			     frameworks + messages);
		return IC_OK;
	}
	/* One of each was found, so there is room for two. */
	negotiate->FrameworkCount = 1;
	negotiate->MessageCount = 1;
	negotiate->Versions[0] = framework;
	negotiate->Versions[1] = message;
	Header->Size += 2 * sizeof(IC_VERSION);
	IcAgree(Device, framework, message);
	return IC_OK;
}

/* ---- messages ---- */

static UINT32 IcDispatch(PIC_DEVICE Device, PIC_HEADER Header, UINT32 Length, PULONG Action)
{
	LONG word = ReadAcquire(&Device->Message);
	IC_VERSION version;

	if (Header->Type == IC_TYPE_NEGOTIATE)
		return IcNegotiate(Device, Header, Length);
	if (Header->Type != Device->Service->Type) {
		IcBadMessage(Device, "unknown type", Header->Type);
		return IC_FAIL;
	}
	if (!word) {
		IcBadMessage(Device, "no version is agreed, type", Header->Type);
		return IC_FAIL;
	}
	version.Major = (UINT16)(word >> 16);
	version.Minor = (UINT16)word;
	return Device->Service->Message(Device->Context, version, Header + 1, Length, Action);
}

static VOID IcProcessPacket(VMBCHANNEL Channel, PVOID CallbackContext, VMBPACKETCOMPLETION Packet,
			    PVOID Buffer, UINT32 BufferLength, UINT32 Flags)
{
	PIC_DEVICE device = CallbackContext;
	PIC_HEADER header = Buffer;
	ULONG action = 0;

	UNREFERENCED_PARAMETER(Channel);
	UNREFERENCED_PARAMETER(Flags);

	if (BufferLength < sizeof(*header)) {
		IcBadMessage(device, "no header, length", BufferLength);
	} else if (BufferLength > IC_MAXIMUM_MESSAGE) {
		IcBadMessage(device, "too long, length", BufferLength);
	} else if (header->Flags & IC_RESPONSE) {
		/* An answer to it could be answered in its turn. */
		IcBadMessage(device, "an answer to nothing, type", header->Type);
	} else {
		header->Status = IcDispatch(device, header, BufferLength - sizeof(*header),
					    &action);
		header->Flags = IC_TRANSACTION | IC_RESPONSE;
		IcAnswer(device, header, BufferLength, action);
	}
	/* Answers are messages of their own. */
	VmbChannelPacketComplete(Packet, NULL, 0);
}

/* ---- channel ---- */

static NTSTATUS IcOpened(VMBCHANNEL Channel, PVOID CallbackContext)
{
	PIC_DEVICE device = CallbackContext;

	PAGED_CODE();

	IcForgetVersions(device);
	device->Reserve = VmbPacketAllocate(Channel);
	if (!device->Reserve)
		return STATUS_INSUFFICIENT_RESOURCES;
	InterlockedExchange(&device->ReserveBusy, 0);
	if (device->Service->Opened)
		device->Service->Opened(device->Context);
	return STATUS_SUCCESS;
}

static VOID IcClosed(VMBCHANNEL Channel, PVOID CallbackContext)
{
	PIC_DEVICE device = CallbackContext;

	PAGED_CODE();
	UNREFERENCED_PARAMETER(Channel);

	IcForgetVersions(device);
	VmbPacketFree(device->Reserve);
	device->Reserve = NULL;
}

static NTSTATUS IcConfigure(PIC_DEVICE Device)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5 callbacks;
	PVMB_CHANNEL_STATE_CHANGE_CALLBACKS legacy;
	NTSTATUS status;

	status = VmbChannelInitSetFriendlyName(Device->Channel, Device->Service->Name);
	if (!NT_SUCCESS(status))
		return status;
	status = VmbChannelInitSetFlags(Device->Channel, VMBUS_CHANNEL_INIT_FLAG_IS_PIPE);
	if (!NT_SUCCESS(status))
		return status;
	status = VmbChannelInitSetMaximumPacketSize(Device->Channel, IC_MAXIMUM_MESSAGE);
	if (!NT_SUCCESS(status))
		return status;
	status = VmbChannelInitSetMaximumPacketCount(Device->Channel, IC_MAXIMUM_ANSWERS);
	if (!NT_SUCCESS(status))
		return status;
	status = VmbClientChannelInitSetRingBufferPageCount(Device->Channel, IC_RING_PAGES,
							    IC_RING_PAGES);
	if (!NT_SUCCESS(status))
		return status;

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT_V5(&callbacks);
	callbacks.CallbackContext = Device;
	callbacks.EvtChannelOpenedEx = IcOpened;
	callbacks.EvtChannelClosedEx = IcClosed;
	/* Both forms go through one function, which looks at the version. */
	legacy = (PVMB_CHANNEL_STATE_CHANGE_CALLBACKS)&callbacks;
	status = VmbChannelInitSetStateChangeCallbacks(Device->Channel, legacy);
	if (!NT_SUCCESS(status))
		return status;

	return VmbChannelInitSetProcessPacketCallbacksEx(Device->Channel, Device, IcProcessPacket,
							 NULL);
}

NTSTATUS IcCreate(PDEVICE_OBJECT Parent, const IC_SERVICE *Service, PVOID Context,
		  PIC_DEVICE *Device)
{
	PIC_DEVICE device;
	NTSTATUS status;

	PAGED_CODE();

	device = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*device), IC_POOL_TAG);
	if (!device)
		return STATUS_INSUFFICIENT_RESOURCES;
	device->Service = Service;
	device->Context = Context;
	/* Messages come before VmbChannelEnable returns. */
	*Device = device;

	status = VmbChannelAllocate(Parent, FALSE, &device->Channel);
	if (!NT_SUCCESS(status))
		goto FreeDevice;
	status = IcConfigure(device);
	if (!NT_SUCCESS(status))
		goto CleanupChannel;
	status = VmbChannelEnable(device->Channel);
	if (!NT_SUCCESS(status))
		goto CleanupChannel;
	return STATUS_SUCCESS;

CleanupChannel:
	VmbChannelCleanup(device->Channel);
FreeDevice:
	ExFreePoolWithTag(device, IC_POOL_TAG);
	return status;
}

VOID IcDestroy(PIC_DEVICE Device)
{
	PAGED_CODE();

	VmbChannelDisable(Device->Channel);
	VmbChannelCleanup(Device->Channel);
	ExFreePoolWithTag(Device, IC_POOL_TAG);
}

VOID IcQueryCounters(PIC_DEVICE Device, PIC_COUNTERS Counters)
{
	LONG framework = ReadAcquire(&Device->Framework);
	LONG message = ReadAcquire(&Device->Message);

	Counters->Framework.Major = (UINT16)(framework >> 16);
	Counters->Framework.Minor = (UINT16)framework;
	Counters->Message.Major = (UINT16)(message >> 16);
	Counters->Message.Minor = (UINT16)message;
	Counters->Unanswered = ReadNoFence64(&Device->Unanswered);
	Counters->BadMessages = ReadNoFence64(&Device->BadMessages);
}
