// SPDX-License-Identifier: GPL-2.0
/*
 * The channels of a storage device: their life, the handshake, and what the host
 * says unasked.
 *
 * Written as a Windows driver writes it.  The handshake runs in PostStarted of the
 * primary, one question at a time:
 *
 *	begin -> version (until one is accepted) -> properties
 *	      -> [addresses, Fibre Channel alone] -> end -> [sub-channels]
 *
 * From "end" on the primary takes requests; a sub-channel takes them as soon as
 * the host has offered it and it is open.  When one of these steps fails the
 * channel stays open and takes no requests; StorReconnect begins anew.
 *
 * A sub-channel lives no longer than its primary is open.  When it goes alone its
 * requests come back with STATUS_DEVICE_REMOVED and the others carry on.
 */
#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "device.h"
#include "protocol.h"
#include "wire.h"

#define STOR_SECOND		10000000LL
/* Hosts under load have taken more than a minute for a step. */
#define STOR_PATIENCE		(180 * STOR_SECOND)

/* Unsolicited messages are answered at once: few are enough. */
#define STOR_INCOMING_QUOTA	16

static const UINT16 StorVersions[] = {
	STOR_VERSION_6_2,
	STOR_VERSION_6_0,
	STOR_VERSION_5_1,
	STOR_VERSION_4_2,
};

/*
 * The host decides how many of these there are, so only the first, the second,
 * the fourth and so on are worth a line.
 */
VOID StorBadMessage(PSTOR_DEVICE Device, UINT32 Operation, UINT32 Length, PCSTR Why)
{
	LONG64 n = InterlockedIncrement64(&Device->BadMessages);

	if ((n & (n - 1)) == 0)
		StorPrint(Device, WARNING,
			  "message of operation %u, %u bytes: %s (%lld bad messages so far)\n",
			  Operation, Length, Why, n);
}

/* ---- handshake ---- */

/* One question and its answer, which lies in Answer when this succeeds. */
static NTSTATUS StorAsk(PSTOR_DEVICE Device, STOR_OPERATION Operation, PSTOR_PACKET Question,
			PSTOR_PACKET Answer)
{
	UINT32 length = sizeof(*Answer);
	LARGE_INTEGER timeout;
	NTSTATUS status;

	Question->Operation = Operation;
	Question->Flags = STOR_FLAG_COMPLETION;
	timeout.QuadPart = -STOR_PATIENCE;
	status = VmbChannelSendSynchronousRequest(Device->Channels[0].Channel, Question,
						  Device->PacketLength, NULL,
						  VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION,
						  Answer, &length, &timeout);
	if (!NT_SUCCESS(status)) {
		StorPrint(Device, ERROR, "no answer to operation %u, status 0x%08x\n",
			  (ULONG)Operation, (ULONG)status);
		return status;
	}
	if (length < Device->PacketLength || Answer->Operation != StorOperationCompleteIo) {
		StorBadMessage(Device, Answer->Operation, length, "no answer to what was asked");
		return STATUS_UNSUCCESSFUL;
	}
	return STATUS_SUCCESS;
}

/* A step that the host may not refuse. */
static NTSTATUS StorStep(PSTOR_DEVICE Device, STOR_OPERATION Operation, PSTOR_PACKET Answer)
{
	STOR_PACKET question;
	NTSTATUS status;

	RtlZeroMemory(&question, sizeof(question));
	RtlZeroMemory(Answer, sizeof(*Answer));
	status = StorAsk(Device, Operation, &question, Answer);
	if (NT_SUCCESS(status) && Answer->Status) {
		StorPrint(Device, ERROR, "the host refuses operation %u with status 0x%08x\n",
			  (ULONG)Operation, Answer->Status);
		status = STATUS_UNSUCCESSFUL;
	}
	return status;
}

/* Until a version is agreed, messages have the length that every host knows. */
static VOID StorSetVersion(PSTOR_DEVICE Device, UINT16 Version)
{
	BOOLEAN old = Version < STOR_VERSION_5_1;

	Device->PacketLength = (ULONG)(old ? STOR_PACKET_SIZE_4_2 : STOR_PACKET_SIZE);
	Device->SrbLength = (ULONG)(old ? STOR_SRB_SIZE_4_2 : STOR_SRB_SIZE);
	Device->SenseLength = old ? STOR_MAXIMUM_SENSE_4_2 : STOR_MAXIMUM_SENSE;
	InterlockedExchange(&Device->Version, Version);
}

static NTSTATUS StorAgreeOnVersion(PSTOR_DEVICE Device)
{
	STOR_PACKET question;
	STOR_PACKET answer;
	NTSTATUS status;
	ULONG i;

	for (i = 0; i < ARRAYSIZE(StorVersions); i++) {
		RtlZeroMemory(&question, sizeof(question));
		RtlZeroMemory(&answer, sizeof(answer));
		question.u.Version.MajorMinor = StorVersions[i];
		status = StorAsk(Device, StorOperationQueryProtocolVersion, &question, &answer);
		if (!NT_SUCCESS(status))
			return status;
		if (answer.Status)
			continue;
		StorSetVersion(Device, StorVersions[i]);
		return STATUS_SUCCESS;
	}
	StorPrint(Device, ERROR, "the host accepts no protocol version down to %u.%u\n",
		  STOR_VERSION_4_2 >> 8, STOR_VERSION_4_2 & 0xff);
	return STATUS_REVISION_MISMATCH;
}

/* Returns how many sub-channels the host would create. */
static ULONG StorTakeProperties(PSTOR_DEVICE Device, const STOR_PROPERTIES *Properties)
{
	Device->MaximumTransfer = Device->Config.MaximumTransfer;
	if (Properties->MaximumTransferBytes < Device->MaximumTransfer)
		Device->MaximumTransfer = Properties->MaximumTransferBytes;

	/* Older hosts have something else in this place. */
	if (ReadAcquire(&Device->Version) < STOR_VERSION_5_1 ||
	    !(Properties->Flags & STOR_PROPERTY_MULTI_CHANNEL))
		return 0;
	return Properties->MaximumChannelCount;
}

static VOID StorTakeAddresses(PSTOR_DEVICE Device, const STOR_WWN *Wwn)
{
	const UINT8 *port = Wwn->PrimaryActive ? Wwn->PrimaryPort : Wwn->SecondaryPort;
	const UINT8 *node = Wwn->PrimaryActive ? Wwn->PrimaryNode : Wwn->SecondaryNode;

	RtlCopyMemory(Device->PortName, port, sizeof(Device->PortName));
	RtlCopyMemory(Device->NodeName, node, sizeof(Device->NodeName));
}

/*
 * The host answers and then offers, in its own time.  Enable waits for the offer;
 * a sub-channel that never comes is no harm.
 */
static VOID StorOpenSubChannels(PSTOR_DEVICE Device, ULONG Count)
{
	STOR_PACKET question;
	STOR_PACKET answer;
	NTSTATUS status;
	ULONG i;

	RtlZeroMemory(&question, sizeof(question));
	RtlZeroMemory(&answer, sizeof(answer));
	question.u.SubChannelCount = (UINT16)Count;
	status = StorAsk(Device, StorOperationCreateSubChannels, &question, &answer);
	if (!NT_SUCCESS(status))
		return;
	if (answer.Status) {
		StorPrint(Device, WARNING, "the host creates no sub-channels, status 0x%08x\n",
			  answer.Status);
		return;
	}
	for (i = 1; i <= Count; i++) {
		status = VmbChannelEnable(Device->Channels[i].Channel);
		if (!NT_SUCCESS(status))
			StorPrint(Device, WARNING, "no sub-channel %u, status 0x%08x\n", i,
				  (ULONG)status);
	}
	InterlockedExchange(&Device->ChannelsWanted, (LONG)Count + 1);
}

/* An IDE disk is told where it is by the name of its offer. */
static VOID StorLocate(PSTOR_DEVICE Device)
{
	GUID instance;

	if (Device->Config.Kind != StorKindIde)
		return;
	VmbChannelGetInterfaceInstance(Device->Channels[0].Channel, &instance);
	Device->Path = (UCHAR)instance.Data1;
	Device->Target = (UCHAR)instance.Data2;
}

static NTSTATUS StorShakeHands(PSTOR_DEVICE Device, PULONG SubChannels)
{
	STOR_PACKET answer;
	NTSTATUS status;

	StorSetVersion(Device, 0);
	status = StorStep(Device, StorOperationBeginInitialization, &answer);
	if (!NT_SUCCESS(status))
		return status;
	status = StorAgreeOnVersion(Device);
	if (!NT_SUCCESS(status))
		return status;

	status = StorStep(Device, StorOperationQueryProperties, &answer);
	if (!NT_SUCCESS(status))
		return status;
	*SubChannels = StorTakeProperties(Device, &answer.u.Properties);
	if (!Device->MaximumTransfer) {
		StorPrint(Device, ERROR, "the host takes transfers of 0 bytes\n");
		return STATUS_UNSUCCESSFUL;
	}

	if (Device->Config.Kind == StorKindFibreChannel) {
		status = StorStep(Device, StorOperationFcHbaData, &answer);
		if (!NT_SUCCESS(status))
			return status;
		StorTakeAddresses(Device, &answer.u.Wwn);
	}
	return StorStep(Device, StorOperationEndInitialization, &answer);
}

/* ---- what the host says unasked ---- */

static VOID StorProcessPacket(VMBCHANNEL Channel, PVOID CallbackContext,
			      VMBPACKETCOMPLETION Packet, PVOID Buffer, UINT32 BufferLength,
			      UINT32 Flags)
{
	PSTOR_CHANNEL channel = CallbackContext;
	PSTOR_DEVICE device = channel->Device;
	PSTOR_PACKET packet = Buffer;

	UNREFERENCED_PARAMETER(Channel);
	UNREFERENCED_PARAMETER(Flags);

	if (BufferLength < sizeof(packet->Operation)) {
		StorBadMessage(device, 0, BufferLength, "no operation");
		VmbChannelPacketComplete(Packet, NULL, 0);
		return;
	}

	switch (packet->Operation) {
	case StorOperationEnumerateBus:
	case StorOperationRemoveDevice:
		StorBusChanged(device->Adapter);
		break;
	case StorOperationFcHbaData:
		if (BufferLength < STOR_PACKET_HEAD + sizeof(STOR_WWN))
			StorBadMessage(device, packet->Operation, BufferLength, "too short");
		else if (device->Config.Kind == StorKindFibreChannel)
			StorTakeAddresses(device, &packet->u.Wwn);
		break;
	default:
		StorBadMessage(device, packet->Operation, BufferLength, "nobody asked for this");
		break;
	}
	VmbChannelPacketComplete(Packet, NULL, 0);
}

/* ---- life ---- */

static VOID StorPostStarted(VMBCHANNEL Channel, PVOID CallbackContext)
{
	PSTOR_CHANNEL channel = CallbackContext;
	PSTOR_DEVICE device = channel->Device;
	ULONG subChannels = 0;

	PAGED_CODE();
	UNREFERENCED_PARAMETER(Channel);

	if (channel->Index || device->Shaken) {
		InterlockedExchange(&channel->Ready, 1);
		return;
	}

	if (!NT_SUCCESS(StorShakeHands(device, &subChannels))) {
		StorPrint(device, ERROR, "no handshake with the host, no disks\n");
		InterlockedExchange(&device->Version, 0);
		return;
	}
	if (subChannels > device->Config.SubChannels)
		subChannels = device->Config.SubChannels;
	StorPrint(device, INFO, "protocol version %d.%d, %u bytes per request, %u sub-channels\n",
		  ReadAcquire(&device->Version) >> 8, ReadAcquire(&device->Version) & 0xff,
		  device->MaximumTransfer, subChannels);

	StorLocate(device);
	device->Shaken = TRUE;
	InterlockedExchange(&channel->Ready, 1);
	StorAttached(device->Adapter);
	if (subChannels)
		StorOpenSubChannels(device, subChannels);
}

/* From here on no new request begins; those under way end by themselves. */
static VOID StorSuspend(VMBCHANNEL Channel, PVOID CallbackContext)
{
	PSTOR_CHANNEL channel = CallbackContext;

	PAGED_CODE();
	UNREFERENCED_PARAMETER(Channel);

	InterlockedExchange(&channel->Ready, 0);
}

static VOID StorClosed(VMBCHANNEL Channel, PVOID CallbackContext)
{
	PSTOR_CHANNEL channel = CallbackContext;
	PSTOR_DEVICE device = channel->Device;

	PAGED_CODE();
	UNREFERENCED_PARAMETER(Channel);

	/* A channel that was never started is closed without Suspend. */
	InterlockedExchange(&channel->Ready, 0);
	if (channel->Index)
		return;
	device->Shaken = FALSE;
	InterlockedExchange(&device->ChannelsWanted, 1);
	InterlockedExchange(&device->Version, 0);
	StorDetached(device->Adapter);
}

/* ---- create and destroy ---- */

static NTSTATUS StorConfigure(PSTOR_CHANNEL Channel)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5 callbacks;
	PVMB_CHANNEL_STATE_CHANGE_CALLBACKS legacy;
	PSTOR_DEVICE device = Channel->Device;
	VMBCHANNEL channel = Channel->Channel;
	NTSTATUS status;

	status = VmbChannelInitSetMaximumPacketSize(channel, sizeof(STOR_PACKET));
	if (!NT_SUCCESS(status))
		return status;
	/* The data of a request are one MDL. */
	status = VmbChannelInitSetMaximumExternalData(channel, device->Config.MaximumTransfer, 1);
	if (!NT_SUCCESS(status))
		return status;
	/* And one for the handshake. */
	status = VmbChannelInitSetMaximumPacketCount(channel, device->Config.QueueDepth + 1);
	if (!NT_SUCCESS(status))
		return status;
	status = VmbClientChannelInitSetRingBufferPageCount(channel, device->Config.RingPages,
							    device->Config.RingPages);
	if (!NT_SUCCESS(status))
		return status;
	if (Channel->Index) {
		status = VmbChannelInitSetPrimaryChannel(channel, device->Channels[0].Channel,
							 Channel->Index);
		if (!NT_SUCCESS(status))
			return status;
	}
	VmbChannelSetTransactionQuota(channel, STOR_INCOMING_QUOTA);

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT_V5(&callbacks);
	callbacks.CallbackContext = Channel;
	callbacks.EvtChannelPostStartedEx = StorPostStarted;
	callbacks.EvtChannelSuspendEx = StorSuspend;
	callbacks.EvtChannelClosedEx = StorClosed;
	/* Both forms go through one function, which looks at the version. */
	legacy = (PVMB_CHANNEL_STATE_CHANGE_CALLBACKS)&callbacks;
	status = VmbChannelInitSetStateChangeCallbacks(channel, legacy);
	if (!NT_SUCCESS(status))
		return status;

	return VmbChannelInitSetProcessPacketCallbacksEx(channel, Channel, StorProcessPacket, NULL);
}

static NTSTATUS StorCreateChannel(PSTOR_DEVICE Device, PDEVICE_OBJECT Parent, USHORT Index)
{
	PSTOR_CHANNEL channel = &Device->Channels[Index];
	NTSTATUS status;

	channel->Device = Device;
	channel->Index = Index;
	KeInitializeSpinLock(&channel->Lock);
	InitializeListHead(&channel->Free);

	status = VmbChannelAllocate(Parent, FALSE, &channel->Channel);
	if (!NT_SUCCESS(status))
		return status;
	/* From here on StorDelete knows it. */
	Device->ChannelCount++;

	status = StorConfigure(channel);
	if (!NT_SUCCESS(status))
		return status;
	return StorCreateSlots(channel);
}

/* Sub-channels before their primary. */
static VOID StorDelete(PSTOR_DEVICE Device)
{
	PSTOR_CHANNEL channel;

	while (Device->ChannelCount) {
		channel = &Device->Channels[--Device->ChannelCount];
		StorDeleteSlots(channel);
		VmbChannelCleanup(channel->Channel);
	}
	ExFreePoolWithTag(Device, STOR_POOL_TAG);
}

NTSTATUS StorCreate(PDEVICE_OBJECT Parent, PVOID Adapter, const STOR_CONFIG *Config,
		    PSTOR_DEVICE *Device)
{
	PSTOR_DEVICE device;
	NTSTATUS status;
	ULONG i;

	PAGED_CODE();

	if (Config->SubChannels > STOR_MAXIMUM_SUB_CHANNELS || !Config->QueueDepth)
		return STATUS_INVALID_PARAMETER;
	device = ExAllocatePool2(POOL_FLAG_NON_PAGED,
				 FIELD_OFFSET(STOR_DEVICE, Channels) +
				 (1 + Config->SubChannels) * sizeof(STOR_CHANNEL), STOR_POOL_TAG);
	if (!device)
		return STATUS_INSUFFICIENT_RESOURCES;
	device->Config = *Config;
	device->Adapter = Adapter;
	device->ChannelsWanted = 1;

	for (i = 0; i <= Config->SubChannels; i++) {
		status = StorCreateChannel(device, Parent, (USHORT)i);
		if (!NT_SUCCESS(status))
			goto Delete;
	}

	/* The lower half is called from here on, and may ask for information. */
	*Device = device;
	status = VmbChannelEnable(device->Channels[0].Channel);
	if (!NT_SUCCESS(status))
		goto Delete;
	return STATUS_SUCCESS;

Delete:
	*Device = NULL;
	StorDelete(device);
	return status;
}

NTSTATUS StorReconnect(PSTOR_DEVICE Device)
{
	PAGED_CODE();

	VmbChannelDisable(Device->Channels[0].Channel);
	return VmbChannelEnable(Device->Channels[0].Channel);
}

VOID StorDisconnect(PSTOR_DEVICE Device)
{
	PAGED_CODE();

	VmbChannelDisable(Device->Channels[0].Channel);
}

/* With the primary the sub-channels close. */
VOID StorDestroy(PSTOR_DEVICE Device)
{
	PAGED_CODE();

	VmbChannelDisable(Device->Channels[0].Channel);
	StorDelete(Device);
}

VOID StorQueryInformation(PSTOR_DEVICE Device, PSTOR_INFORMATION Information)
{
	ULONG i;

	RtlZeroMemory(Information, sizeof(*Information));
	Information->Version = (ULONG)ReadAcquire(&Device->Version);
	Information->MaximumTransfer = Device->MaximumTransfer;
	for (i = 0; i < Device->ChannelCount; i++)
		if (ReadAcquire(&Device->Channels[i].Ready))
			Information->Channels++;
	Information->Path = Device->Path;
	Information->Target = Device->Target;
	RtlCopyMemory(Information->PortName, Device->PortName, sizeof(Device->PortName));
	RtlCopyMemory(Information->NodeName, Device->NodeName, sizeof(Device->NodeName));
	Information->BadMessages = ReadNoFence64(&Device->BadMessages);
}

LONG64 StorQueryRequests(PSTOR_DEVICE Device, ULONG Index)
{
	if (Index >= Device->ChannelCount)
		return 0;
	return ReadNoFence64(&Device->Channels[Index].Requests);
}
