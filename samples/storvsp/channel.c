// SPDX-License-Identifier: GPL-2.0
/*
 * The channels of a storage controller: their life, the handshake, and what becomes
 * of each message.
 *
 * Written as a Windows driver writes it.  The client asks, one thing at a time and in
 * this order, on the primary:
 *
 *	begin -> version (until one suits both) -> properties -> end -> [sub-channels]
 *
 * Commands are served from "end" on, on every channel that is open.  What comes out
 * of turn is refused, by the status in its answer, and counted.  When the primary
 * closes, the sub-channels go with it and the handshake begins anew.
 *
 * A client is not to be trusted.  The library has copied its message out of its
 * reach; the lengths and numbers in it are checked here and in scsi.c.  Its external
 * data stay within its reach: they are copied once, either way, and never looked at
 * twice.
 */
#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "../storvsc/srb.h"
#include "device.h"

/* How long nothing has come when a client is quiet, in 100 ns; and how often to look. */
#define VSP_QUIET		(100 * 10 * 1000)
#define VSP_QUIET_TRIES		20

/* Pieces of memory that the data of a command may lie in. */
#define VSP_MAXIMUM_RANGES	32

/* Status of an answer, as Windows' hosts have it. */
#define VSP_REFUSED		0xC0000010U
#define VSP_UNKNOWN_VERSION	0xC0000059U
#define VSP_NO_RESOURCES	0xC000009AU

/* ba6163d9-04a1-4d29-b605-72e2ffb1dc7f, a SCSI controller. */
static const GUID VspType = {
	0xba6163d9, 0x04a1, 0x4d29, { 0xb6, 0x05, 0x72, 0xe2, 0xff, 0xb1, 0xdc, 0x7f }
};

static const UINT16 VspVersions[] = {
	STOR_VERSION_6_2,
	STOR_VERSION_6_0,
	STOR_VERSION_5_1,
	STOR_VERSION_4_2,
};

/*
 * The client decides how many of these there are, so only the first, the second,
 * the fourth and so on are worth a line.
 */
VOID VspBadMessage(PVSP_DEVICE Device, UINT32 Operation, UINT32 Value, PCSTR Why)
{
	LONG64 n = InterlockedIncrement64(&Device->BadMessages);

	if ((n & (n - 1)) == 0)
		VspPrint(Device, WARNING,
			 "message of operation %u: %s (%u); %lld bad messages so far\n",
			 Operation, Why, Value, n);
}

/* Until a version is agreed, messages have the length that every client knows. */
ULONG VspPacketLength(PVSP_DEVICE Device)
{
	return ReadAcquire(&Device->Version) < STOR_VERSION_5_1 ? (ULONG)STOR_PACKET_SIZE_4_2 :
								  (ULONG)STOR_PACKET_SIZE;
}

/* ---- handshake, on the primary alone ---- */

static UINT32 VspAgreeOnVersion(PVSP_DEVICE Device, STOR_VERSION *Version)
{
	ULONG i;

	for (i = 0; i < ARRAYSIZE(VspVersions); i++) {
		if (VspVersions[i] != Version->MajorMinor)
			continue;
		InterlockedExchange(&Device->Version, Version->MajorMinor);
		InterlockedExchange(&Device->Step, StorOperationQueryProperties);
		return 0;
	}
	/* The client asks for an older one. */
	return VSP_UNKNOWN_VERSION;
}

static UINT32 VspTellProperties(PVSP_DEVICE Device, STOR_PROPERTIES *Properties)
{
	RtlZeroMemory(Properties, sizeof(*Properties));
	Properties->MaximumTransferBytes = Device->Config.MaximumTransfer;
	if (ReadAcquire(&Device->Version) >= STOR_VERSION_5_1 && Device->Config.SubChannels) {
		Properties->MaximumChannelCount = Device->Config.SubChannels;
		Properties->Flags = STOR_PROPERTY_MULTI_CHANNEL;
	}
	InterlockedExchange(&Device->Step, StorOperationEndInitialization);
	return 0;
}

static UINT32 VspCreateSubChannels(PVSP_DEVICE Device, ULONG Count)
{
	NTSTATUS status;
	ULONG i;

	if (ReadAcquire(&Device->Version) < STOR_VERSION_5_1 || Device->Offered ||
	    Count > Device->Config.SubChannels) {
		VspBadMessage(Device, StorOperationCreateSubChannels, Count,
			      "so many sub-channels are not to be had");
		return VSP_REFUSED;
	}
	for (i = 1; i <= Count; i++) {
		status = VspEnableChannel(&Device->Channels[i]);
		if (!NT_SUCCESS(status)) {
			VspPrint(Device, WARNING, "sub-channel %u cannot be offered, status 0x%08x\n",
				 i, (ULONG)status);
			return VSP_NO_RESOURCES;
		}
		Device->Offered = i;
	}
	return 0;
}

static UINT32 VspDispatch(PVSP_CHANNEL Channel, PSTOR_PACKET Message, ULONG Length)
{
	PVSP_DEVICE device = Channel->Device;
	LONG step = ReadAcquire(&device->Step);

	if (Channel->Index) {
		VspBadMessage(device, Message->Operation, Channel->Index,
			      "not on a sub-channel");
		return VSP_REFUSED;
	}
	if (Length < VspPacketLength(device)) {
		VspBadMessage(device, Message->Operation, Length, "too short");
		return VSP_REFUSED;
	}
	switch (Message->Operation) {
	case StorOperationResetLun:
	case StorOperationResetAdapter:
	case StorOperationResetBus:
		/* What is under way ends by itself. */
		return 0;
	case StorOperationCreateSubChannels:
		if (step == VSP_STEP_READY)
			return VspCreateSubChannels(device, Message->u.SubChannelCount);
		break;
	case StorOperationBeginInitialization:
		if (step != StorOperationBeginInitialization)
			break;
		InterlockedExchange(&device->Step, StorOperationQueryProtocolVersion);
		return 0;
	case StorOperationQueryProtocolVersion:
		if (step != StorOperationQueryProtocolVersion)
			break;
		return VspAgreeOnVersion(device, &Message->u.Version);
	case StorOperationQueryProperties:
		if (step != StorOperationQueryProperties)
			break;
		return VspTellProperties(device, &Message->u.Properties);
	case StorOperationEndInitialization:
		if (step != StorOperationEndInitialization)
			break;
		InterlockedExchange(&device->Step, VSP_STEP_READY);
		return 0;
	}
	VspBadMessage(device, Message->Operation, (UINT32)step, "out of turn or unknown, step");
	return VSP_REFUSED;
}

/* ---- commands ---- */

static VOID VspNotAnSrb(PVSP_DEVICE Device, PSTOR_SRB Srb, UINT32 Value, PCSTR Why)
{
	VspBadMessage(Device, StorOperationExecuteSrb, Value, Why);
	Srb->SrbStatus = STOR_SRB_CODE_INVALID_REQUEST;
	Srb->ScsiStatus = 0;
	Srb->DataTransferLength = 0;
}

/* Sums cannot overflow: the library keeps to VmbChannelInitSetMaximumExternalData. */
static ULONG VspExternalLength(PMDL Mdl)
{
	ULONG length = 0;

	for (; Mdl; Mdl = Mdl->Next)
		length += MmGetMdlByteCount(Mdl);
	return length;
}

static UINT32 VspCommand(PVSP_CHANNEL Channel, PVSP_REQUEST Request, PSTOR_PACKET Message)
{
	PVSP_DEVICE device = Channel->Device;
	PSTOR_SRB srb = &Message->u.Srb;
	PMDL external = NULL;
	NTSTATUS status;

	if (ReadAcquire(&device->Step) != VSP_STEP_READY) {
		VspBadMessage(device, Message->Operation, Channel->Index,
			      "a command before the end of the handshake, channel");
		return VSP_REFUSED;
	}
	if (Request->Length < VspPacketLength(device)) {
		VspBadMessage(device, Message->Operation, Request->Length, "too short");
		return VSP_REFUSED;
	}
	if (ReadAcquire(&device->Going)) {
		srb->SrbStatus = STOR_SRB_CODE_INVALID_LUN;
		srb->ScsiStatus = 0;
		srb->DataTransferLength = 0;
		return 0;
	}
	if (Request->External) {
		status = VmbChannelPacketGetExternalData(Request->Packet, 0, &external);
		if (!NT_SUCCESS(status)) {
			srb->SrbStatus = STOR_SRB_CODE_BUSY;
			srb->ScsiStatus = STOR_SCSI_BUSY;
			srb->DataTransferLength = 0;
			return 0;
		}
	}

	if (srb->CdbLength > STOR_MAXIMUM_CDB)
		VspNotAnSrb(device, srb, srb->CdbLength, "a command too long");
	else if (srb->DataIn > STOR_DATA_NONE)
		VspNotAnSrb(device, srb, srb->DataIn, "data in no direction");
	else if (srb->DataTransferLength > device->Config.MaximumTransfer)
		VspNotAnSrb(device, srb, srb->DataTransferLength, "more data than was agreed");
	else if (srb->DataTransferLength > VspExternalLength(external))
		VspNotAnSrb(device, srb, srb->DataTransferLength, "more data than came along");
	else
		VspExecute(device, srb, external);
	return 0;
}

VOID VspServe(PVSP_CHANNEL Channel, PVSP_REQUEST Request)
{
	PVSP_DEVICE device = Channel->Device;
	STOR_PACKET answer = Request->Message;

	PAGED_CODE();

	if (Request->Length < STOR_PACKET_HEAD) {
		VspBadMessage(device, 0, Request->Length, "no message");
		VmbChannelPacketComplete(Request->Packet, NULL, 0);
		return;
	}
	if (answer.Operation == StorOperationExecuteSrb)
		answer.Status = VspCommand(Channel, Request, &answer);
	else
		answer.Status = VspDispatch(Channel, &answer, Request->Length);
	answer.Operation = StorOperationCompleteIo;
	/* In the form in which it came. */
	VmbChannelPacketComplete(Request->Packet, &answer, Request->Length);
}

/* At any level: what is not served here and now is copied, and waits. */
static VOID VspProcessPacket(VMBCHANNEL Channel, PVOID CallbackContext,
			     VMBPACKETCOMPLETION Packet, PVOID Buffer, UINT32 BufferLength,
			     UINT32 Flags)
{
	PVSP_REQUEST request = VmbChannelPacketGetClientContext(Packet);
	PVSP_CHANNEL channel = CallbackContext;

	UNREFERENCED_PARAMETER(Channel);

	InterlockedIncrement64(&channel->Requests);
	if (BufferLength > sizeof(request->Message))
		BufferLength = sizeof(request->Message);
	request->Packet = Packet;
	request->Length = (UINT16)BufferLength;
	request->External = (Flags & VMBUS_CHANNEL_PROCESS_PACKET_FLAG_EXTERNAL_DATA) != 0;
	RtlCopyMemory(&request->Message, Buffer, BufferLength);
	/* For VspSavePacket, which is given the packet alone. */
	VmbPacketSetPointer((VMBPACKET)Packet, request);
	VspEnqueue(channel, request);
}

/* ---- life ---- */

static NTSTATUS VspOpened(VMBCHANNEL Channel, PVOID CallbackContext)
{
	PVSP_CHANNEL channel = CallbackContext;
	PVSP_DEVICE device = channel->Device;

	PAGED_CODE();
	UNREFERENCED_PARAMETER(Channel);

	if (!channel->Index) {
		device->Offered = 0;
		InterlockedExchange(&device->Version, 0);
		InterlockedExchange(&device->Step, StorOperationBeginInitialization);
	}
	InterlockedExchange(&channel->Open, 1);
	return STATUS_SUCCESS;
}

static VOID VspStarted(VMBCHANNEL Channel, PVOID CallbackContext)
{
	PAGED_CODE();
	UNREFERENCED_PARAMETER(Channel);

	VspArrive(CallbackContext);
}

static VOID VspSuspend(VMBCHANNEL Channel, PVOID CallbackContext)
{
	PAGED_CODE();
	UNREFERENCED_PARAMETER(Channel);

	VspLeave(CallbackContext);
}

/* With the primary the library has disabled the sub-channels. */
static VOID VspClosed(VMBCHANNEL Channel, PVOID CallbackContext)
{
	PVSP_CHANNEL channel = CallbackContext;

	PAGED_CODE();
	UNREFERENCED_PARAMETER(Channel);

	InterlockedExchange(&channel->Open, 0);
	if (channel->Index)
		return;
	channel->Device->Offered = 0;
	InterlockedExchange(&channel->Device->Version, 0);
}

NTSTATUS VspEnableChannel(PVSP_CHANNEL Channel)
{
	NTSTATUS status = VmbChannelEnable(Channel->Channel);

	/* Until it is started, a server is offered and serves nothing. */
	if (NT_SUCCESS(status))
		VmbChannelStart(Channel->Channel);
	return status;
}

/* ---- create and destroy ---- */

static NTSTATUS VspConfigureServer(PVSP_CHANNEL Channel)
{
	PVSP_DEVICE device = Channel->Device;
	VMBCHANNEL channel = Channel->Channel;
	NTSTATUS status;

	status = VmbServerChannelInitSetTargetInterfaceId(channel, VspType,
							  device->Config.Instance);
	if (!NT_SUCCESS(status))
		return status;
	if (device->Config.Bus)
		status = VmbServerChannelInitSetVmbusHandle(channel, device->Config.Bus);
	else
		status = VmbServerChannelInitSetFlags(channel,
					VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER);
	if (!NT_SUCCESS(status))
		return status;
	if (Channel->Index) {
		status = VmbChannelInitSetPrimaryChannel(channel, device->Channels[0].Channel,
							 Channel->Index);
		if (!NT_SUCCESS(status))
			return status;
	}
	return VmbServerChannelInitSetSaveRestorePacketCallbacksEx(channel, Channel, VspSavePacket,
								   VspRestorePacket);
}

static NTSTATUS VspConfigure(PVSP_CHANNEL Channel)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5 callbacks;
	PVMB_CHANNEL_STATE_CHANGE_CALLBACKS legacy;
	VMBCHANNEL channel = Channel->Channel;
	NTSTATUS status;

	status = VspConfigureServer(Channel);
	if (!NT_SUCCESS(status))
		return status;
	status = VmbChannelInitSetMaximumPacketSize(channel, sizeof(STOR_PACKET));
	if (!NT_SUCCESS(status))
		return status;
	status = VmbChannelInitSetMaximumExternalData(channel,
						      Channel->Device->Config.MaximumTransfer,
						      VSP_MAXIMUM_RANGES);
	if (!NT_SUCCESS(status))
		return status;
	status = VmbChannelInitSetClientContextSize(channel, sizeof(VSP_REQUEST));
	if (!NT_SUCCESS(status))
		return status;

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT_V5(&callbacks);
	callbacks.CallbackContext = Channel;
	callbacks.EvtChannelOpenedEx = VspOpened;
	callbacks.EvtChannelStartedEx = VspStarted;
	callbacks.EvtChannelSuspendEx = VspSuspend;
	callbacks.EvtChannelClosedEx = VspClosed;
	/* Both forms go through one function, which looks at the version. */
	legacy = (PVMB_CHANNEL_STATE_CHANGE_CALLBACKS)&callbacks;
	status = VmbChannelInitSetStateChangeCallbacks(channel, legacy);
	if (!NT_SUCCESS(status))
		return status;

	return VmbChannelInitSetProcessPacketCallbacksEx(channel, Channel, VspProcessPacket, NULL);
}

static NTSTATUS VspCreateChannel(PVSP_DEVICE Device, PDEVICE_OBJECT Parent, USHORT Index)
{
	PVSP_CHANNEL channel = &Device->Channels[Index];
	NTSTATUS status;

	channel->Device = Device;
	channel->Index = Index;
	status = VmbChannelAllocate(Parent, TRUE, &channel->Channel);
	if (!NT_SUCCESS(status))
		return status;
	/* From here on VspDelete knows it. */
	Device->ChannelCount++;

	status = VspQueueCreate(channel, Parent);
	if (!NT_SUCCESS(status))
		return status;
	return VspConfigure(channel);
}

/* Sub-channels before their primary. */
static VOID VspDelete(PVSP_DEVICE Device)
{
	PVSP_CHANNEL channel;

	while (Device->ChannelCount) {
		channel = &Device->Channels[--Device->ChannelCount];
		VmbChannelCleanup(channel->Channel);
		VspQueueDelete(channel);
	}
	ExFreePoolWithTag(Device, VSP_POOL_TAG);
}

NTSTATUS VspCreate(PDEVICE_OBJECT Parent, PVOID System, const VSP_CONFIG *Config,
		   PVSP_DEVICE *Device)
{
	PVSP_DEVICE device;
	NTSTATUS status;
	ULONG i;

	PAGED_CODE();

	if (Config->SubChannels > VSP_MAXIMUM_SUB_CHANNELS || !Config->MaximumTransfer ||
	    Config->MaximumTransfer > VSP_MAXIMUM_TRANSFER || BYTE_OFFSET(Config->MaximumTransfer))
		return STATUS_INVALID_PARAMETER;
	device = ExAllocatePool2(POOL_FLAG_NON_PAGED,
				 FIELD_OFFSET(VSP_DEVICE, Channels) +
				 (1 + Config->SubChannels) * sizeof(VSP_CHANNEL), VSP_POOL_TAG);
	if (!device)
		return STATUS_INSUFFICIENT_RESOURCES;
	device->Config = *Config;
	device->System = System;
	device->Step = StorOperationBeginInitialization;

	for (i = 0; i <= Config->SubChannels; i++) {
		status = VspCreateChannel(device, Parent, (USHORT)i);
		if (!NT_SUCCESS(status)) {
			VspDelete(device);
			return status;
		}
	}
	*Device = device;
	return STATUS_SUCCESS;
}

NTSTATUS VspOffer(PVSP_DEVICE Device)
{
	PAGED_CODE();

	return VspEnableChannel(&Device->Channels[0]);
}

/*
 * A client may wait for the end of its commands before it lets go of a controller that
 * is taken away, as Linux' own does, and a command that is never read never ends.  So
 * the disks go first: what comes fails, until nothing has come for a while.  A client
 * that never stops asking is left with what it has asked last.
 */
static VOID VspGo(PVSP_DEVICE Device)
{
	LARGE_INTEGER pause = { .QuadPart = -VSP_QUIET };
	LONG64 before, now = -1;
	VSP_INFORMATION info;
	ULONG i, tries;

	InterlockedExchange(&Device->Going, 1);
	for (tries = 0; tries < VSP_QUIET_TRIES; tries++) {
		before = now;
		now = 0;
		for (i = 0; i < Device->ChannelCount; i++)
			now += VspQueryRequests(Device, i);
		VspQueryInformation(Device, &info);
		if (!info.Channels || (now == before && !info.Waiting))
			break;
		KeDelayExecutionThread(KernelMode, FALSE, &pause);
	}
}

VOID VspDestroy(PVSP_DEVICE Device)
{
	ULONG i;

	PAGED_CODE();

	if (!Device->Saved)
		VspGo(Device);
	/* What is held goes back even if its channel was never started. */
	for (i = 0; i < Device->ChannelCount; i++)
		VspLeave(&Device->Channels[i]);
	for (i = Device->ChannelCount; i; i--)
		VmbChannelDisable(Device->Channels[i - 1].Channel);
	VspDelete(Device);
}

VOID VspQueryInformation(PVSP_DEVICE Device, PVSP_INFORMATION Information)
{
	PVSP_CHANNEL channel;
	ULONG i;
	KIRQL irql;

	RtlZeroMemory(Information, sizeof(*Information));
	Information->Version = (ULONG)ReadAcquire(&Device->Version);
	for (i = 0; i < Device->ChannelCount; i++) {
		channel = &Device->Channels[i];
		if (ReadAcquire(&channel->Open))
			Information->Channels++;
		KeAcquireSpinLock(&channel->Lock, &irql);
		Information->Waiting += channel->WaitingCount;
		KeReleaseSpinLock(&channel->Lock, irql);
	}
	Information->Saved = Device->Saved;
	Information->BadMessages = ReadNoFence64(&Device->BadMessages);
}

LONG64 VspQueryRequests(PVSP_DEVICE Device, ULONG Index)
{
	if (Index >= Device->ChannelCount)
		return 0;
	return ReadNoFence64(&Device->Channels[Index].Requests);
}
