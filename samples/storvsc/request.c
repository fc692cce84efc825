// SPDX-License-Identifier: GPL-2.0
/*
 * SCSI commands on their way to the host and back.
 *
 * Written as a Windows driver writes it.  Each channel has as many packets as
 * requests may be under way on it, made when the channel is made: a disk that has
 * to be written to so that memory gets free cannot wait for memory.
 *
 * The data are external data of the packet.  From the send to the completion
 * routine their pages are the host's; there is no timeout that would take them
 * back, only the host's answer or the end of the channel.
 */
#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "device.h"
#include "protocol.h"
#include "wire.h"

static PSTOR_SLOT StorTakeSlot(PSTOR_CHANNEL Channel)
{
	PLIST_ENTRY entry = NULL;
	KIRQL irql;

	KeAcquireSpinLock(&Channel->Lock, &irql);
	if (!IsListEmpty(&Channel->Free))
		entry = RemoveHeadList(&Channel->Free);
	KeReleaseSpinLock(&Channel->Lock, irql);

	return entry ? CONTAINING_RECORD(entry, STOR_SLOT, Link) : NULL;
}

static VOID StorReturnSlot(PSTOR_SLOT Slot)
{
	PSTOR_CHANNEL channel = Slot->Channel;
	KIRQL irql;

	/* The one used last is the one that the processor's cache still knows. */
	KeAcquireSpinLock(&channel->Lock, &irql);
	InsertHeadList(&channel->Free, &Slot->Link);
	KeReleaseSpinLock(&channel->Lock, irql);
}

/* ---- the way back ---- */

/* What the host says of a command is a claim: lengths are cut to what was asked. */
static NTSTATUS StorDecode(PSTOR_DEVICE Device, PSTOR_REQUEST Request, PVOID Buffer,
			   UINT32 BufferLength)
{
	PSTOR_PACKET packet = Buffer;
	PSTOR_SRB srb;

	if (BufferLength < Device->PacketLength) {
		StorBadMessage(Device, 0, BufferLength, "a completion too short to be one");
		return STATUS_UNSUCCESSFUL;
	}
	if (packet->Operation != StorOperationCompleteIo) {
		StorBadMessage(Device, packet->Operation, BufferLength,
			       "a completion of another operation");
		return STATUS_UNSUCCESSFUL;
	}

	srb = &packet->u.Srb;
	Request->SrbStatus = srb->SrbStatus;
	Request->ScsiStatus = srb->ScsiStatus;
	Request->Transferred = srb->DataTransferLength;
	if (Request->Transferred > Request->DataLength)
		Request->Transferred = Request->DataLength;

	Request->SenseLength = 0;
	if (srb->SrbStatus & STOR_SRB_SENSE_VALID) {
		Request->SenseLength = srb->SenseInfoLength;
		if (Request->SenseLength > Device->SenseLength)
			Request->SenseLength = (UCHAR)Device->SenseLength;
		RtlCopyMemory(Request->Sense, srb->u.Sense, Request->SenseLength);
	}
	return STATUS_SUCCESS;
}

static VOID StorCompleted(VMBPACKET Packet, PVOID CallbackContext, NTSTATUS Status, PVOID Buffer,
			  UINT32 BufferLength)
{
	PSTOR_SLOT slot = CallbackContext;
	PSTOR_REQUEST request = slot->Request;

	UNREFERENCED_PARAMETER(Packet);

	if (NT_SUCCESS(Status))
		Status = StorDecode(slot->Channel->Device, request, Buffer, BufferLength);
	request->Status = Status;

	/* The slot first: whoever waits for this request may send the next. */
	slot->Request = NULL;
	StorReturnSlot(slot);
	request->Completion(request);
}

/* ---- the way out ---- */

static VOID StorEncode(PSTOR_DEVICE Device, PSTOR_REQUEST Request, PSTOR_PACKET Packet)
{
	PSTOR_SRB srb = &Packet->u.Srb;

	RtlZeroMemory(Packet, sizeof(*Packet));
	Packet->Operation = StorOperationExecuteSrb;
	Packet->Flags = STOR_FLAG_COMPLETION;

	srb->Length = (UINT16)Device->SrbLength;
	srb->PathId = Request->Path;
	srb->TargetId = Request->Target;
	srb->Lun = Request->Lun;
	srb->CdbLength = Request->CdbLength;
	srb->SenseInfoLength = (UINT8)Device->SenseLength;
	srb->DataTransferLength = Request->DataLength;
	RtlCopyMemory(srb->u.Cdb, Request->Cdb, Request->CdbLength);

	/* The host of version 4.2 is not sent what follows. */
	srb->QueueTag = STOR_QUEUE_UNTAGGED;
	srb->QueueAction = STOR_QUEUE_SIMPLE;
	srb->SrbFlags = STOR_SRB_NO_SYNCH_TRANSFER | STOR_SRB_QUEUE_ACTION_ENABLE;
	srb->TimeOutValue = Request->Timeout;

	switch (Request->Direction) {
	case StorDirectionIn:
		srb->DataIn = STOR_DATA_IN;
		srb->SrbFlags |= STOR_SRB_DATA_IN;
		break;
	case StorDirectionOut:
		srb->DataIn = STOR_DATA_OUT;
		srb->SrbFlags |= STOR_SRB_DATA_OUT;
		break;
	default:
		srb->DataIn = STOR_DATA_NONE;
		break;
	}
}

static NTSTATUS StorSend(PSTOR_CHANNEL Channel, PSTOR_REQUEST Request)
{
	PSTOR_DEVICE device = Channel->Device;
	UINT32 flags = VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION;
	STOR_PACKET packet;
	NTSTATUS status;
	PSTOR_SLOT slot;

	slot = StorTakeSlot(Channel);
	if (!slot)
		return STATUS_INSUFFICIENT_RESOURCES;
	slot->Request = Request;
	StorEncode(device, Request, &packet);

	/* From a send that succeeds the request may be gone before it returns. */
	if (!Request->DataLength) {
		status = VmbPacketSend(slot->Packet, &packet, device->PacketLength, NULL, flags);
	} else {
		flags |= Request->Direction == StorDirectionIn ?
			 VMBUS_CHANNEL_FORMAT_FLAG_DATA_IN_ONLY :
			 VMBUS_CHANNEL_FORMAT_FLAG_DATA_OUT_ONLY;
		status = VmbPacketSendWithExternalMdl(slot->Packet, &packet, device->PacketLength,
						      Request->Mdl, 0, Request->DataLength, flags);
	}
	if (!NT_SUCCESS(status)) {
		slot->Request = NULL;
		StorReturnSlot(slot);
		return status;
	}
	InterlockedIncrement64(&Channel->Requests);
	return STATUS_SUCCESS;
}

/*
 * The hint says where the search begins.  A channel whose packets are all under
 * way, and one that has just gone, hand the request on to the next.
 */
NTSTATUS StorSubmit(PSTOR_DEVICE Device, PSTOR_REQUEST Request)
{
	NTSTATUS result = STATUS_INVALID_DEVICE_STATE;
	PSTOR_CHANNEL channel;
	NTSTATUS status;
	ULONG channels;
	ULONG i;

	if (Request->CdbLength > STOR_MAXIMUM_CDB ||
	    (Request->DataLength && Request->Direction == StorDirectionNone))
		return STATUS_INVALID_PARAMETER;

	channels = (ULONG)ReadAcquire(&Device->ChannelsWanted);
	for (i = 0; i < channels; i++) {
		channel = &Device->Channels[(Request->Hint + i) % channels];
		if (!ReadAcquire(&channel->Ready))
			continue;
		status = StorSend(channel, Request);
		if (status == STATUS_INSUFFICIENT_RESOURCES)
			result = status;
		else if (status != STATUS_INVALID_DEVICE_STATE)
			return status;
	}
	return result;
}

/* ---- slots ---- */

NTSTATUS StorCreateSlots(PSTOR_CHANNEL Channel)
{
	ULONG count = Channel->Device->Config.QueueDepth;
	PSTOR_SLOT slot;
	ULONG i;

	Channel->Slots = ExAllocatePool2(POOL_FLAG_NON_PAGED, count * sizeof(*Channel->Slots),
					 STOR_POOL_TAG);
	if (!Channel->Slots)
		return STATUS_INSUFFICIENT_RESOURCES;
	for (i = 0; i < count; i++) {
		slot = &Channel->Slots[i];
		slot->Channel = Channel;
		slot->Packet = VmbPacketAllocate(Channel->Channel);
		if (!slot->Packet)
			return STATUS_INSUFFICIENT_RESOURCES;
		VmbPacketSetCompletionRoutineEx(slot->Packet, slot, StorCompleted);
		StorReturnSlot(slot);
	}
	return STATUS_SUCCESS;
}

/* The channel is disabled, so every slot is free; some may never have been made. */
VOID StorDeleteSlots(PSTOR_CHANNEL Channel)
{
	PSTOR_SLOT slot;

	for (;;) {
		slot = StorTakeSlot(Channel);
		if (!slot)
			break;
		VmbPacketFree(slot->Packet);
	}
	if (Channel->Slots)
		ExFreePoolWithTag(Channel->Slots, STOR_POOL_TAG);
	Channel->Slots = NULL;
}
