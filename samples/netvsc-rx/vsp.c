// SPDX-License-Identifier: GPL-2.0
/*
 * The VSP: sends messages of frames, never more of them unanswered than there are
 * credits, and counts what comes back.
 */
#include "rx.h"

const GUID RxType = { 0x6e657472, 0x7876, 0x7363, { 0x80, 0, 0, 0, 0, 0, 0, 1 } };
const GUID RxInstance = { 0x6e657472, 0x7876, 0x7363, { 0x80, 0, 0, 0, 0, 0, 0, 2 } };

/* An EtherType for local experiments. */
#define RX_ETHERTYPE	0x88b5

/* Locally administered: who the frames are from. */
static const UCHAR RxSource[6] = { 0x02, 'r', 'x', 'v', 's', 'p' };

UINT32 RxBuild(RX_VSP *Vsp, PVOID Buffer, UINT32 Count)
{
	RX_MESSAGE *message = Buffer;
	UCHAR *bytes = (UCHAR *)&message->Frame[Count], *frame;
	UINT32 i, j;

	message->Count = Count;
	message->Reserved = 0;
	for (i = 0; i < Count; i++) {
		frame = bytes + i * Vsp->Length;
		message->Frame[i].Offset = i * Vsp->Length;
		message->Frame[i].Length = Vsp->Length;
		RtlCopyMemory(frame, Vsp->Address, 6);
		RtlCopyMemory(frame + 6, RxSource, 6);
		frame[12] = RX_ETHERTYPE >> 8;
		frame[13] = RX_ETHERTYPE & 0xff;
		RtlCopyMemory(frame + 14, &Vsp->Number, sizeof(Vsp->Number));
		/* who gets it can tell it from others */
		for (j = 18; j < Vsp->Length; j++)
			frame[j] = (UCHAR)(Vsp->Number * 31 + j);
		Vsp->Number++;
	}
	return (UINT32)(bytes - (UCHAR *)Buffer) + Count * Vsp->Length;
}

static VOID RxVspPump(RX_VSP *Vsp);

static VOID RxVspAnswered(VMBPACKET Packet, PVOID Context, NTSTATUS Status, PVOID Buffer,
			  UINT32 BufferLength)
{
	UINT32 count = (UINT32)(ULONG_PTR)VmbPacketGetPointer(Packet);
	const RX_ANSWER *answer = Buffer;
	RX_VSP *vsp = Context;
	KIRQL irql;

	KeAcquireSpinLock(&vsp->Lock, &irql);
	vsp->Outstanding--;
	if (NT_SUCCESS(Status) && BufferLength >= sizeof(*answer) &&
	    answer->Frames + answer->Dropped == count) {
		vsp->Answers++;
		vsp->Frames += answer->Frames;
		vsp->Dropped += answer->Dropped;
	} else {
		vsp->Lost++;
		vsp->LostFrames += count;
	}
	KeReleaseSpinLock(&vsp->Lock, irql);
	VmbPacketFree(Packet);
	RxVspPump(vsp);
}

/* FALSE: not now. */
static BOOLEAN RxVspSendOne(RX_VSP *Vsp, UINT32 Count)
{
	VMBPACKET packet = VmbPacketAllocate(Vsp->Channel);
	UINT32 length;

	if (!packet)
		return FALSE;
	VmbPacketSetCompletionRoutineEx(packet, Vsp, RxVspAnswered);
	VmbPacketSetPointer(packet, (PVOID)(ULONG_PTR)Count);
	length = RxBuild(Vsp, Vsp->Bytes, Count);
	if (NT_SUCCESS(VmbPacketSend(packet, Vsp->Bytes, length, NULL,
				     VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION)))
		return TRUE;
	VmbPacketFree(packet);
	return FALSE;
}

/* One at a time: an answer that arrives meanwhile has this go on. */
static VOID RxVspPump(RX_VSP *Vsp)
{
	BOOLEAN sent;
	UINT32 count;
	KIRQL irql;

	KeAcquireSpinLock(&Vsp->Lock, &irql);
	if (Vsp->Pumping) {
		Vsp->Again = TRUE;
		KeReleaseSpinLock(&Vsp->Lock, irql);
		return;
	}
	Vsp->Pumping = TRUE;
	do {
		Vsp->Again = FALSE;
		sent = TRUE;
		while (sent && Vsp->Left && Vsp->Outstanding < RX_WINDOW) {
			count = Vsp->Left < Vsp->PerMessage ? (UINT32)Vsp->Left : Vsp->PerMessage;
			Vsp->Left -= count;
			Vsp->Outstanding++;
			Vsp->Messages++;
			if (Vsp->Outstanding > Vsp->MaxOutstanding)
				Vsp->MaxOutstanding = Vsp->Outstanding;
			KeReleaseSpinLock(&Vsp->Lock, irql);
			sent = RxVspSendOne(Vsp, count);
			KeAcquireSpinLock(&Vsp->Lock, &irql);
			if (!sent) {
				Vsp->Left += count;
				Vsp->Outstanding--;
				Vsp->Messages--;
			}
		}
	} while (Vsp->Again);
	Vsp->Pumping = FALSE;
	KeReleaseSpinLock(&Vsp->Lock, irql);
}

static VOID RxVspStarted(VMBCHANNEL Channel)
{
	RxVspPump(VmbChannelGetPointer(Channel));
}

static NTSTATUS RxVspOffer(RX_VSP *Vsp)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS callbacks;
	NTSTATUS status;

	VmbChannelSetPointer(Vsp->Channel, Vsp);
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&callbacks);
	callbacks.EvtChannelPostStarted = RxVspStarted;
	status = VmbChannelInitSetStateChangeCallbacks(Vsp->Channel, &callbacks);
	if (!NT_SUCCESS(status))
		return status;
	status = VmbChannelInitSetMaximumPacketSize(Vsp->Channel, sizeof(Vsp->Bytes));
	if (!NT_SUCCESS(status))
		return status;
	status = VmbServerChannelInitSetFlags(Vsp->Channel,
					      VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER);
	if (!NT_SUCCESS(status))
		return status;
	status = VmbServerChannelInitSetTargetInterfaceId(Vsp->Channel, RxType, RxInstance);
	if (!NT_SUCCESS(status))
		return status;
	status = VmbChannelEnable(Vsp->Channel);
	if (NT_SUCCESS(status))
		VmbChannelStart(Vsp->Channel);
	return status;
}

NTSTATUS RxVspCreate(RX_VSP *Vsp)
{
	NTSTATUS status;

	KeInitializeSpinLock(&Vsp->Lock);
	status = VmbChannelAllocate(NULL, TRUE, &Vsp->Channel);
	if (!NT_SUCCESS(status))
		return status;
	status = RxVspOffer(Vsp);
	if (!NT_SUCCESS(status))
		VmbChannelCleanup(Vsp->Channel);
	return status;
}

VOID RxVspDestroy(RX_VSP *Vsp)
{
	VmbChannelDisable(Vsp->Channel);
	VmbChannelCleanup(Vsp->Channel);
}

VOID RxVspSend(RX_VSP *Vsp, UINT64 Frames)
{
	KIRQL irql;

	KeAcquireSpinLock(&Vsp->Lock, &irql);
	Vsp->Left += Frames;
	KeReleaseSpinLock(&Vsp->Lock, irql);
	RxVspPump(Vsp);
}
