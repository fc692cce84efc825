// SPDX-License-Identifier: GPL-2.0
/*
 * The channel of an integration service, and the framework around its messages.
 *
 * Written as a Windows driver writes it.  The server speaks first:
 *
 *	         PostStarted                an answer with versions that were offered
 *	Closed --------------> Negotiating -----------------------------------> Agreed
 *	  ^                        |        any other answer
 *	  |                        +-----------------------------------> Refused
 *	  +------------------------------ Suspend ------------------- from any of them
 *
 * The answer to a message is a message of its own with the same number.  One question
 * is open at a time: the next one is asked whether there was an answer or not, and what
 * then comes late, twice, or in another's name is counted and dropped.
 */
#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "ics.h"

/* "Icsv" in a memory dump. */
#define ICS_POOL_TAG		0x76736349

/* Questions that wait for a client to read. */
#define ICS_MAXIMUM_QUESTIONS	16

#define ICS_VERSION_WORD(Version)	((LONG)(Version).Major << 16 | (Version).Minor)

/* All that is offered; IC_MAXIMUM_MESSAGE has room for many more. */
#define ICS_MAXIMUM_VERSIONS	16

typedef enum _ICS_STATE {
	IcsClosed,
	IcsNegotiating,
	IcsAgreed,
	IcsRefused,
} ICS_STATE;

struct _ICS_DEVICE {
	VMBCHANNEL Channel;
	const ICS_SERVICE *Service;
	PVOID Context;
	KTIMER Timer;
	KDPC Dpc;

	/* Protects what follows. */
	KSPIN_LOCK Lock;
	ICS_STATE State;
	/* The question that is open, if there is one. */
	BOOLEAN Open;
	UINT16 OpenType;
	UINT8 OpenId;

	/* Read by anyone.  Versions as ICS_VERSION_WORD has them. */
	LONG Framework;
	LONG Message;
	LONG64 Sent;
	LONG64 Answered;
	LONG64 BadMessages;
};

static const IC_VERSION IcsFrameworks[] = {
	{ 1, 0 },
	{ 3, 0 },
};

/*
 * The client decides how many of these there are, so only the first, the second, the
 * fourth and so on are worth a line.
 */
VOID IcsBadMessage(PICS_DEVICE Device, const char *Why, ULONG Value)
{
	LONG64 n = InterlockedIncrement64(&Device->BadMessages);

	if ((n & (n - 1)) == 0)
		IcsPrint(WARNING, "bad message of service %u: %s (%u); %lld so far\n",
			 Device->Service->MessageType, Why, Value, n);
}

static IC_VERSION IcsWordVersion(LONG Word)
{
	IC_VERSION version;

	version.Major = (UINT16)((ULONG)Word >> 16);
	version.Minor = (UINT16)Word;
	return version;
}

IC_VERSION IcsVersion(PICS_DEVICE Device)
{
	return IcsWordVersion(ReadAcquire(&Device->Message));
}

/* ---- questions ---- */

/* FALSE: not in this state. */
static BOOLEAN IcsOpenQuestion(PICS_DEVICE Device, ICS_STATE State, UINT16 Type, PUINT8 Id)
{
	BOOLEAN may;
	KIRQL irql;

	KeAcquireSpinLock(&Device->Lock, &irql);
	may = Device->State == State;
	if (may) {
		Device->Open = TRUE;
		Device->OpenType = Type;
		*Id = ++Device->OpenId;
	}
	KeReleaseSpinLock(&Device->Lock, irql);
	return may;
}

/* FALSE: nobody has asked that. */
static BOOLEAN IcsCloseQuestion(PICS_DEVICE Device, UINT16 Type, UINT8 Id)
{
	BOOLEAN open;
	KIRQL irql;

	KeAcquireSpinLock(&Device->Lock, &irql);
	open = Device->Open && Device->OpenType == Type && Device->OpenId == Id;
	if (open)
		Device->Open = FALSE;
	KeReleaseSpinLock(&Device->Lock, irql);
	return open;
}

static BOOLEAN IcsMove(PICS_DEVICE Device, ICS_STATE From, ICS_STATE To)
{
	BOOLEAN moved;
	KIRQL irql;

	KeAcquireSpinLock(&Device->Lock, &irql);
	moved = Device->State == From;
	if (moved)
		Device->State = To;
	KeReleaseSpinLock(&Device->Lock, irql);
	return moved;
}

static NTSTATUS IcsSendPacket(PICS_DEVICE Device, PIC_HEADER Header, UINT32 Length)
{
	VMBPACKET packet = VmbPacketAllocate(Device->Channel);
	NTSTATUS status;

	if (!packet)
		return STATUS_INSUFFICIENT_RESOURCES;
	/* The packet's default completion routine frees it. */
	status = VmbPacketSend(packet, Header, Length, NULL, 0);
	if (NT_SUCCESS(status))
		InterlockedIncrement64(&Device->Sent);
	else
		VmbPacketFree(packet);
	return status;
}

static NTSTATUS IcsAsk(PICS_DEVICE Device, ICS_STATE State, UINT16 Type, const VOID *Body,
		       UINT32 Length)
{
	PIC_HEADER header;
	NTSTATUS status;
	UINT8 id;

	header = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*header) + Length, ICS_POOL_TAG);
	if (!header)
		return STATUS_INSUFFICIENT_RESOURCES;
	if (IcsOpenQuestion(Device, State, Type, &id)) {
		header->Framework = IcsWordVersion(ReadAcquire(&Device->Framework));
		header->Type = Type;
		header->Message = IcsVersion(Device);
		header->Size = (UINT16)Length;
		header->TransactionId = id;
		header->Flags = IC_TRANSACTION | IC_REQUEST;
		RtlCopyMemory(header + 1, Body, Length);
		status = IcsSendPacket(Device, header, sizeof(*header) + Length);
	} else {
		status = STATUS_INVALID_DEVICE_STATE;
	}
	ExFreePoolWithTag(header, ICS_POOL_TAG);
	return status;
}

NTSTATUS IcsSend(PICS_DEVICE Device, const VOID *Body, UINT32 Length)
{
	if (Length > ICS_MAXIMUM_BODY)
		return STATUS_INVALID_PARAMETER;
	return IcsAsk(Device, IcsAgreed, Device->Service->MessageType, Body, Length);
}

/* ---- versions ---- */

static VOID IcsNegotiate(PICS_DEVICE Device)
{
	struct {
		IC_NEGOTIATE Head;
		IC_VERSION Versions[ICS_MAXIMUM_VERSIONS];
	} body;
	ULONG count = Device->Service->VersionCount;
	NTSTATUS status;

	NT_ASSERT(ARRAYSIZE(IcsFrameworks) + count <= ICS_MAXIMUM_VERSIONS);
	RtlZeroMemory(&body, sizeof(body));
	body.Head.FrameworkCount = ARRAYSIZE(IcsFrameworks);
	body.Head.MessageCount = (UINT16)count;
	RtlCopyMemory(body.Versions, IcsFrameworks, sizeof(IcsFrameworks));
	RtlCopyMemory(body.Versions + ARRAYSIZE(IcsFrameworks), Device->Service->Versions,
		      count * sizeof(IC_VERSION));
	count += ARRAYSIZE(IcsFrameworks);
	status = IcsAsk(Device, IcsNegotiating, IC_TYPE_NEGOTIATE, &body,
			(UINT32)(sizeof(body.Head) + count * sizeof(IC_VERSION)));
	if (!NT_SUCCESS(status))
		IcsPrint(ERROR, "service %u cannot negotiate, status 0x%08x\n",
			 Device->Service->MessageType, (ULONG)status);
}

static BOOLEAN IcsIsOneOf(IC_VERSION Version, const IC_VERSION *Versions, ULONG Count)
{
	ULONG i;

	for (i = 0; i < Count; i++)
		if (ICS_VERSION_WORD(Version) == ICS_VERSION_WORD(Versions[i]))
			return TRUE;
	return FALSE;
}

static BOOLEAN IcsChosen(PICS_DEVICE Device, UINT32 Status, PIC_NEGOTIATE Answer, UINT32 Length)
{
	if (Length < sizeof(*Answer) + 2 * sizeof(IC_VERSION)) {
		IcsBadMessage(Device, "half an answer about versions, length", Length);
		return FALSE;
	}
	/* What a client answers that knows none of them. */
	if (Status != IC_OK || !Answer->FrameworkCount || !Answer->MessageCount) {
		IcsPrint(WARNING, "the client of service %u knows none of the versions\n",
			 Device->Service->MessageType);
		return FALSE;
	}
	if (Answer->FrameworkCount != 1 || Answer->MessageCount != 1 ||
	    !IcsIsOneOf(Answer->Versions[0], IcsFrameworks, ARRAYSIZE(IcsFrameworks)) ||
	    !IcsIsOneOf(Answer->Versions[1], Device->Service->Versions,
			Device->Service->VersionCount)) {
		IcsBadMessage(Device, "versions that were not offered, first major",
			      Answer->Versions[0].Major);
		return FALSE;
	}
	return TRUE;
}

static VOID IcsOnVersions(PICS_DEVICE Device, UINT32 Status, PIC_NEGOTIATE Answer, UINT32 Length)
{
	LARGE_INTEGER due;

	if (!IcsChosen(Device, Status, Answer, Length)) {
		IcsMove(Device, IcsNegotiating, IcsRefused);
		return;
	}
	InterlockedExchange(&Device->Framework, ICS_VERSION_WORD(Answer->Versions[0]));
	InterlockedExchange(&Device->Message, ICS_VERSION_WORD(Answer->Versions[1]));
	if (!IcsMove(Device, IcsNegotiating, IcsAgreed))
		return;
	if (Device->Service->Period) {
		due.QuadPart = -10000LL * Device->Service->Period;
		KeSetTimerEx(&Device->Timer, due, Device->Service->Period, &Device->Dpc);
	}
	if (Device->Service->Agreed)
		Device->Service->Agreed(Device->Context);
}

/* ---- answers ---- */

static VOID IcsOnAnswer(PICS_DEVICE Device, PIC_HEADER Header, UINT32 Length)
{
	PVOID body = Header + 1;

	if (!(Header->Flags & IC_RESPONSE) ||
	    !IcsCloseQuestion(Device, Header->Type, Header->TransactionId)) {
		IcsBadMessage(Device, "an answer to nothing, type", Header->Type);
		return;
	}
	InterlockedIncrement64(&Device->Answered);
	if (Header->Type == IC_TYPE_NEGOTIATE)
		IcsOnVersions(Device, Header->Status, body, Length);
	else
		Device->Service->Answered(Device->Context, Header->Status, body, Length);
}

static VOID IcsProcessPacket(VMBCHANNEL Channel, PVOID CallbackContext,
			     VMBPACKETCOMPLETION Packet, PVOID Buffer, UINT32 BufferLength,
			     UINT32 Flags)
{
	PICS_DEVICE device = CallbackContext;
	PIC_HEADER header = Buffer;

	UNREFERENCED_PARAMETER(Channel);
	UNREFERENCED_PARAMETER(Flags);

	if (BufferLength < sizeof(*header))
		IcsBadMessage(device, "no header, length", BufferLength);
	else
		IcsOnAnswer(device, header, BufferLength - sizeof(*header));
	VmbChannelPacketComplete(Packet, NULL, 0);
}

static VOID NTAPI IcsTimerDpc(PKDPC Dpc, PVOID DeferredContext, PVOID SystemArgument1,
			      PVOID SystemArgument2)
{
	PICS_DEVICE device = DeferredContext;

	UNREFERENCED_PARAMETER(Dpc);
	UNREFERENCED_PARAMETER(SystemArgument1);
	UNREFERENCED_PARAMETER(SystemArgument2);

	device->Service->Tick(device->Context);
}

/* ---- channel ---- */

static VOID IcsPostStarted(VMBCHANNEL Channel, PVOID CallbackContext)
{
	PICS_DEVICE device = CallbackContext;

	PAGED_CODE();
	UNREFERENCED_PARAMETER(Channel);

	if (IcsMove(device, IcsClosed, IcsNegotiating))
		IcsNegotiate(device);
}

static VOID IcsSuspend(VMBCHANNEL Channel, PVOID CallbackContext)
{
	PICS_DEVICE device = CallbackContext;
	KIRQL irql;

	PAGED_CODE();
	UNREFERENCED_PARAMETER(Channel);

	/* No answer is taken any more, so nobody sets the timer again. */
	KeAcquireSpinLock(&device->Lock, &irql);
	device->State = IcsClosed;
	device->Open = FALSE;
	KeReleaseSpinLock(&device->Lock, irql);
	KeCancelTimer(&device->Timer);
	KeFlushQueuedDpcs();
	InterlockedExchange(&device->Framework, 0);
	InterlockedExchange(&device->Message, 0);
	if (device->Service->Closed)
		device->Service->Closed(device->Context);
}

/* To some a bus's instances are its devices, whatever their types: each its own. */
static const GUID IcsInstance = {
	0x6b6d636c, 0x6963, 0x4000, { 0x80, 0, 0, 0, 0, 0, 0, 1 }
};

static NTSTATUS IcsConfigureServer(PICS_DEVICE Device, HANDLE Bus)
{
	UINT32 flags = VMBUS_SERVER_CHANNEL_INIT_FLAG_OFFER_AS_PIPE;
	VMBCHANNEL channel = Device->Channel;
	GUID instance = IcsInstance;
	NTSTATUS status;

	instance.Data1 = Device->Service->Type.Data1;
	status = VmbServerChannelInitSetTargetInterfaceId(channel, Device->Service->Type,
							  instance);
	if (!NT_SUCCESS(status))
		return status;
	if (Bus)
		status = VmbServerChannelInitSetVmbusHandle(channel, Bus);
	else
		flags |= VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER;
	if (!NT_SUCCESS(status))
		return status;
	status = VmbServerChannelInitSetFlags(channel, flags);
	if (!NT_SUCCESS(status))
		return status;
	return VmbChannelInitSetFlags(channel, VMBUS_CHANNEL_INIT_FLAG_IS_PIPE);
}

static NTSTATUS IcsConfigure(PICS_DEVICE Device, HANDLE Bus)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5 callbacks;
	PVMB_CHANNEL_STATE_CHANGE_CALLBACKS legacy;
	VMBCHANNEL channel = Device->Channel;
	NTSTATUS status;

	status = IcsConfigureServer(Device, Bus);
	if (!NT_SUCCESS(status))
		return status;
	status = VmbChannelInitSetFriendlyName(channel, Device->Service->Name);
	if (!NT_SUCCESS(status))
		return status;
	status = VmbChannelInitSetMaximumPacketSize(channel, IC_MAXIMUM_MESSAGE);
	if (!NT_SUCCESS(status))
		return status;
	status = VmbChannelInitSetMaximumPacketCount(channel, ICS_MAXIMUM_QUESTIONS);
	if (!NT_SUCCESS(status))
		return status;

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT_V5(&callbacks);
	callbacks.CallbackContext = Device;
	callbacks.EvtChannelPostStartedEx = IcsPostStarted;
	callbacks.EvtChannelSuspendEx = IcsSuspend;
	/* Both forms go through one function, which looks at the version. */
	legacy = (PVMB_CHANNEL_STATE_CHANGE_CALLBACKS)&callbacks;
	status = VmbChannelInitSetStateChangeCallbacks(channel, legacy);
	if (!NT_SUCCESS(status))
		return status;

	return VmbChannelInitSetProcessPacketCallbacksEx(channel, Device, IcsProcessPacket, NULL);
}

NTSTATUS IcsCreate(PDEVICE_OBJECT Parent, HANDLE Bus, const ICS_SERVICE *Service,
		   PVOID Context, PICS_DEVICE *Device)
{
	PICS_DEVICE device;
	NTSTATUS status;

	PAGED_CODE();

	device = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*device), ICS_POOL_TAG);
	if (!device)
		return STATUS_INSUFFICIENT_RESOURCES;
	device->Service = Service;
	device->Context = Context;
	KeInitializeSpinLock(&device->Lock);
	KeInitializeTimer(&device->Timer);
	KeInitializeDpc(&device->Dpc, IcsTimerDpc, device);
	*Device = device;

	status = VmbChannelAllocate(Parent, TRUE, &device->Channel);
	if (!NT_SUCCESS(status))
		goto FreeDevice;
	status = IcsConfigure(device, Bus);
	if (!NT_SUCCESS(status))
		goto CleanupChannel;
	status = VmbChannelEnable(device->Channel);
	if (!NT_SUCCESS(status))
		goto CleanupChannel;
	VmbChannelStart(device->Channel);
	return STATUS_SUCCESS;

CleanupChannel:
	VmbChannelCleanup(device->Channel);
FreeDevice:
	ExFreePoolWithTag(device, ICS_POOL_TAG);
	*Device = NULL;
	return status;
}

VOID IcsDestroy(PICS_DEVICE Device)
{
	PAGED_CODE();

	VmbChannelDisable(Device->Channel);
	VmbChannelCleanup(Device->Channel);
	ExFreePoolWithTag(Device, ICS_POOL_TAG);
}

VOID IcsQueryCounters(PICS_DEVICE Device, PICS_COUNTERS Counters)
{
	Counters->Framework = IcsWordVersion(ReadAcquire(&Device->Framework));
	Counters->Message = IcsVersion(Device);
	Counters->Sent = ReadNoFence64(&Device->Sent);
	Counters->Answered = ReadNoFence64(&Device->Answered);
	Counters->BadMessages = ReadNoFence64(&Device->BadMessages);
}
