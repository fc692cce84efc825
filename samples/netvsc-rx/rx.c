// SPDX-License-Identifier: GPL-2.0
/*
 * The VSC's receive path: a message's frames become NET_BUFFER_LISTs over its bytes,
 * which are injected as a chain; the last one to come back answers the message.
 */
#include "rx.h"

#define RX_TAG	0x78527652

/* A message until it is answered. */
typedef struct _RX_PACKET {
	RX_PORT *Port;
	VMBPACKETCOMPLETION Packet;
	PMDL Mdl;		/* ours, over the message; NULL: its external data */
	LONG Outstanding;	/* lists */
	LONG Dropped;
	UINT32 Count;
} RX_PACKET;

static VOID RxAnswer(RX_PORT *Port, VMBPACKETCOMPLETION Packet, UINT32 Count, UINT32 Dropped)
{
	RX_ANSWER answer = { .Frames = Count - Dropped, .Dropped = Dropped };

	InterlockedAdd64(&Port->Dropped, Dropped);
	InterlockedIncrement64(&Port->Answered);
	VmbChannelPacketComplete(Packet, &answer, sizeof(answer));
}

static VOID RxPacketEnd(RX_PACKET *Rx)
{
	/* no list is left that describes the packet's memory */
	RxAnswer(Rx->Port, Rx->Packet, Rx->Count, (UINT32)Rx->Dropped);
	if (Rx->Mdl)
		IoFreeMdl(Rx->Mdl);
	ExFreePoolWithTag(Rx, RX_TAG);
}

static void NTAPI RxDone(void *Context, NET_BUFFER_LIST *NetBufferList, BOOLEAN DispatchLevel)
{
	RX_PACKET *rx = Context;

	UNREFERENCED_PARAMETER(DispatchLevel);

	if (NET_BUFFER_LIST_STATUS(NetBufferList) != NDIS_STATUS_SUCCESS)
		InterlockedIncrement(&rx->Dropped);
	FwpsFreeNetBufferList(NetBufferList);
	InterlockedIncrement64(&rx->Port->Completed);
	if (!InterlockedDecrement(&rx->Outstanding))
		RxPacketEnd(rx);
}

static VOID RxFreeChain(NET_BUFFER_LIST *First)
{
	NET_BUFFER_LIST *next;

	for (; First; First = next) {
		next = NET_BUFFER_LIST_NEXT_NBL(First);
		NET_BUFFER_LIST_NEXT_NBL(First) = NULL;
		FwpsFreeNetBufferList(First);
	}
}

/* Lists over the bytes of the message's frames; NULL: no memory, or no such bytes. */
static NET_BUFFER_LIST *RxChain(RX_PORT *Port, const RX_MESSAGE *Message, PMDL Mdl, UINT32 Skip)
{
	NET_BUFFER_LIST *first = NULL, **link = &first;
	UINT32 i;

	for (i = 0; i < Message->Count; i++) {
		UINT32 offset = Message->Frame[i].Offset;

		if (offset > MAXULONG - Skip ||
		    !NT_SUCCESS(FwpsAllocateNetBufferAndNetBufferList(Port->Pool, 0, 0, Mdl,
								      offset + Skip,
								      Message->Frame[i].Length,
								      link))) {
			*link = NULL;
			RxFreeChain(first);
			return NULL;
		}
		link = &NET_BUFFER_LIST_NEXT_NBL(*link);
	}
	return first;
}

static VOID RxInject(RX_PORT *Port, VMBPACKETCOMPLETION Packet, const RX_MESSAGE *Message,
		     PMDL Mdl, PMDL OwnMdl, UINT32 Skip)
{
	RX_PACKET *rx = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*rx), RX_TAG);
	UINT32 count = Message->Count;
	NET_BUFFER_LIST *chain;
	NTSTATUS status;

	chain = rx ? RxChain(Port, Message, Mdl, Skip) : NULL;
	if (chain) {
		rx->Port = Port;
		rx->Packet = Packet;
		rx->Mdl = OwnMdl;
		rx->Count = count;
		rx->Dropped = 0;
		/* before the call: the first may be back before it returns */
		rx->Outstanding = (LONG)count;
		InterlockedAdd64(&Port->Injected, count);
		status = FwpsInjectMacReceiveAsync(Port->Handle, NULL, 0,
						   FWPS_LAYER_INBOUND_MAC_FRAME_ETHERNET,
						   Port->IfIndex, NDIS_DEFAULT_PORT_NUMBER, chain,
						   RxDone, rx);
		if (NT_SUCCESS(status))
			return;
		/* nothing has happened: all is ours */
		InterlockedAdd64(&Port->Injected, -(LONG64)count);
		RxFreeChain(chain);
	}
	if (rx)
		ExFreePoolWithTag(rx, RX_TAG);
	if (OwnMdl)
		IoFreeMdl(OwnMdl);
	RxAnswer(Port, Packet, count, count);
}

VOID RxProcessPacket(VMBCHANNEL Channel, PVOID Context, VMBPACKETCOMPLETION Packet, PVOID Buffer,
		     UINT32 BufferLength, UINT32 Flags)
{
	const RX_MESSAGE *message = Buffer;
	RX_PORT *port = Context;
	NTSTATUS status;
	UINT32 table;
	PMDL mdl;

	UNREFERENCED_PARAMETER(Channel);

	if (BufferLength < sizeof(*message) || !message->Count ||
	    message->Count > RX_MAX_FRAMES ||
	    BufferLength < sizeof(*message) + message->Count * sizeof(RX_FRAME)) {
		InterlockedIncrement64(&port->Messages);
		InterlockedIncrement64(&port->Bad);
		RxAnswer(port, Packet, 0, 0);
		return;
	}
	table = (UINT32)(sizeof(*message) + message->Count * sizeof(RX_FRAME));
	if (Flags & VMBUS_CHANNEL_PROCESS_PACKET_FLAG_EXTERNAL_DATA) {
		status = VmbChannelPacketGetExternalData(Packet, 0, &mdl);
		/* it comes again */
		if (status == STATUS_PENDING)
			return;
		InterlockedIncrement64(&port->Messages);
		if (NT_SUCCESS(status))
			RxInject(port, Packet, message, mdl, NULL, 0);
		else
			RxAnswer(port, Packet, message->Count, message->Count);
		return;
	}
	InterlockedIncrement64(&port->Messages);
	/* the message stays where it is until it is answered */
	mdl = IoAllocateMdl(Buffer, BufferLength, FALSE, FALSE, NULL);
	if (!mdl) {
		RxAnswer(port, Packet, message->Count, message->Count);
		return;
	}
	MmBuildMdlForNonPagedPool(mdl);
	RxInject(port, Packet, message, mdl, mdl, table);
}

NTSTATUS RxPortOpen(RX_PORT *Port, IF_INDEX IfIndex)
{
	NET_BUFFER_LIST_POOL_PARAMETERS parameters = {
		.Header = {
			.Type = NDIS_OBJECT_TYPE_DEFAULT,
			.Revision = NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
			.Size = NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
		},
		.fAllocateNetBuffer = TRUE,
		.PoolTag = RX_TAG,
	};
	NTSTATUS status;

	RtlZeroMemory(Port, sizeof(*Port));
	Port->IfIndex = IfIndex;
	Port->Pool = NdisAllocateNetBufferListPool(NULL, &parameters);
	if (!Port->Pool)
		return STATUS_INSUFFICIENT_RESOURCES;
	status = FwpsInjectionHandleCreate(AF_UNSPEC, FWPS_INJECTION_TYPE_L2, &Port->Handle);
	if (!NT_SUCCESS(status))
		NdisFreeNetBufferListPool(Port->Pool);
	return status;
}

VOID RxPortClose(RX_PORT *Port)
{
	FwpsInjectionHandleDestroy(Port->Handle);
	NdisFreeNetBufferListPool(Port->Pool);
}

/* The VSP has gone: the next one is welcome. */
static VOID RxVscClosed(VMBCHANNEL Channel)
{
	RX_PORT *port = VmbChannelGetPointer(Channel);

	if (!port->Going)
		VmbChannelEnable(Channel);
}

static NTSTATUS RxVscOpen(RX_PORT *Port, VMBCHANNEL Channel)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS callbacks;
	NTSTATUS status;

	VmbChannelSetPointer(Channel, Port);
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&callbacks);
	callbacks.EvtChannelClosed = RxVscClosed;
	status = VmbChannelInitSetStateChangeCallbacks(Channel, &callbacks);
	if (!NT_SUCCESS(status))
		return status;
	status = VmbChannelInitSetProcessPacketCallbacksEx(Channel, Port, RxProcessPacket, NULL);
	if (!NT_SUCCESS(status))
		return status;
	status = VmbClientChannelInitSetTargetPnp(Channel, &RxType, &RxInstance, NULL);
	if (!NT_SUCCESS(status))
		return status;
	return VmbChannelEnable(Channel);
}

NTSTATUS RxVscCreate(RX_PORT *Port, IF_INDEX IfIndex, VMBCHANNEL *Channel)
{
	NTSTATUS status = RxPortOpen(Port, IfIndex);

	if (!NT_SUCCESS(status))
		return status;
	status = VmbChannelAllocate(NULL, FALSE, Channel);
	if (NT_SUCCESS(status)) {
		status = RxVscOpen(Port, *Channel);
		if (NT_SUCCESS(status))
			return STATUS_SUCCESS;
		VmbChannelCleanup(*Channel);
	}
	RxPortClose(Port);
	return status;
}

VOID RxVscDestroy(RX_PORT *Port, VMBCHANNEL Channel)
{
	Port->Going = TRUE;
	VmbChannelDisable(Channel);
	/* lists that are in flight answer packets of the channel */
	RxPortClose(Port);
	VmbChannelCleanup(Channel);
}
