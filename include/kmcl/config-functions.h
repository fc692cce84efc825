/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a channel is made and configured: the client's side of it.
 *
 * Each block describes the function whose type it is, VmbX for FN_VMB_X.  All
 * of them want process context.  The functions whose name contains Init want a
 * disabled channel and return STATUS_INVALID_PARAMETER_1 otherwise; what they
 * set holds from the next VmbChannelEnable() on.
 *
 * Included by <vmbuskernelmodeclientlibapi.h> only.
 */
#ifndef _KMCL_CONFIG_FUNCTIONS_H
#define _KMCL_CONFIG_FUNCTIONS_H

/**
 * typedef FN_VMB_CHANNEL_ALLOCATE - VmbChannelAllocate(): make a channel
 * @ParentDeviceObject: the device that the driver serves; stays alive until
 *                      VmbChannelCleanup().  Decided here: on a client without
 *                      VmbClientChannelInitSetTargetPnp() the target is the
 *                      VMBus device behind it; with it, NULL is allowed
 * @IsServer: non-zero for the side that offers the channel
 * @Channel: the new channel, disabled.  Decided here: NULL on failure
 *
 * Decided here, because no defaults are published: packets of 4 KiB, external
 * data of 128 KiB in at most 32 MDLs, 1,024 packets in flight, an incoming quota
 * of 1,024, rings of 16 pages each way, a DPC share of 100 percent.
 *
 * Context: process, may sleep.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER_3 when @Channel is NULL;
 * STATUS_INSUFFICIENT_RESOURCES without memory; STATUS_INVALID_DEVICE_REQUEST above
 * PASSIVE_LEVEL.
 */
typedef NTSTATUS FN_VMB_CHANNEL_ALLOCATE(PDEVICE_OBJECT ParentDeviceObject, BOOLEAN IsServer,
					 VMBCHANNEL *Channel);
typedef FN_VMB_CHANNEL_ALLOCATE *PFN_VMB_CHANNEL_ALLOCATE;
FN_VMB_CHANNEL_ALLOCATE VmbChannelAllocate;

/**
 * typedef FN_VMB_SIZEOF_CHANNEL - VmbSizeofChannel(): memory for a channel
 *
 * Context: process or softirq.
 * Return: bytes that VmbChannelInitialize() needs.
 */
typedef ULONG FN_VMB_SIZEOF_CHANNEL(void);
typedef FN_VMB_SIZEOF_CHANNEL *PFN_VMB_SIZEOF_CHANNEL;
FN_VMB_SIZEOF_CHANNEL VmbSizeofChannel;

/**
 * typedef FN_VMB_CHANNEL_INITIALIZE - VmbChannelInitialize(): make a channel in place
 * @ParentDeviceObject: see VmbChannelAllocate()
 * @IsServer: see VmbChannelAllocate()
 * @Channel: the caller's memory, cast; from now on the handle
 * @ChannelSize: bytes there, at least VmbSizeofChannel()
 *
 * Decided here: the memory holds the handle, and the library keeps what is behind
 * it; after VmbChannelCleanup() the library does not touch the memory again, also
 * when packets of the channel are still there.  Until then it is not moved,
 * freed or written by the caller.
 *
 * Context: process, may sleep.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER_3 when @Channel is NULL, not
 * aligned to 8, a handle that the library has made, or memory of a channel that was
 * not cleaned up; STATUS_INVALID_PARAMETER_4 when the memory is too small;
 * STATUS_INSUFFICIENT_RESOURCES without memory for what is behind the handle;
 * STATUS_INVALID_DEVICE_REQUEST above PASSIVE_LEVEL.
 */
typedef NTSTATUS FN_VMB_CHANNEL_INITIALIZE(PDEVICE_OBJECT ParentDeviceObject, BOOLEAN IsServer,
					   VMBCHANNEL Channel, ULONG ChannelSize);
typedef FN_VMB_CHANNEL_INITIALIZE *PFN_VMB_CHANNEL_INITIALIZE;
FN_VMB_CHANNEL_INITIALIZE VmbChannelInitialize;

/**
 * typedef FN_VMB_CHANNEL_CLEANUP - VmbChannelCleanup(): unmake a channel
 * @Channel: a disabled channel; the handle is invalid afterwards
 *
 * Frees the memory only if VmbChannelAllocate() made it.
 *
 * Context: process, may sleep.
 */
typedef VOID FN_VMB_CHANNEL_CLEANUP(VMBCHANNEL Channel);
typedef FN_VMB_CHANNEL_CLEANUP *PFN_VMB_CHANNEL_CLEANUP;
FN_VMB_CHANNEL_CLEANUP VmbChannelCleanup;

/**
 * typedef FN_VMB_CHANNEL_INIT_SET_FLAGS - VmbChannelInitSetFlags(): choose pipe mode
 * @Channel: a disabled channel
 * @Flags: VMBUS_CHANNEL_INIT_FLAG_* bits, replacing the earlier ones
 *
 * IS_PIPE hides the 8-byte header of pipe packets in both directions.  A pipe
 * offer that is opened without the flag, or the reverse, gets one log line.
 *
 * Context: process, may sleep.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER_1 when the channel is not
 * disabled; STATUS_INVALID_PARAMETER_2 for an unknown bit.
 */
typedef NTSTATUS FN_VMB_CHANNEL_INIT_SET_FLAGS(VMBCHANNEL Channel, UINT32 Flags);
typedef FN_VMB_CHANNEL_INIT_SET_FLAGS *PFN_VMB_CHANNEL_INIT_SET_FLAGS;
FN_VMB_CHANNEL_INIT_SET_FLAGS VmbChannelInitSetFlags;

/**
 * typedef FN_VMB_CHANNEL_INIT_SET_MAXIMUM_PACKET_SIZE - bound inline data
 * @Channel: a disabled channel
 * @MaximumPacketSize: bytes of inline data that a sent packet may have, from 1
 *
 * Incoming packets may be larger, up to the ring.  Decided here: limits whose
 * encoding exceeds 524,280 bytes make VmbChannelEnable() fail.
 *
 * Context: process, may sleep.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER_1 when the channel is not
 * disabled; STATUS_INVALID_PARAMETER_2 for 0.
 */
typedef NTSTATUS FN_VMB_CHANNEL_INIT_SET_MAXIMUM_PACKET_SIZE(VMBCHANNEL Channel,
							     UINT32 MaximumPacketSize);
typedef FN_VMB_CHANNEL_INIT_SET_MAXIMUM_PACKET_SIZE
	*PFN_VMB_CHANNEL_INIT_SET_MAXIMUM_PACKET_SIZE;
FN_VMB_CHANNEL_INIT_SET_MAXIMUM_PACKET_SIZE VmbChannelInitSetMaximumPacketSize;

/**
 * typedef FN_VMB_CHANNEL_INIT_SET_MAXIMUM_EXTERNAL_DATA - bound external data
 * @Channel: a disabled channel
 * @MaximumExternalDataSize: bytes of external data per packet, from 1
 * @MaximumChainLength: MDLs that may describe them, from 1.  Documented for
 *                      incoming packets; Decided here: it bounds sends too
 *
 * Decided here: 128 KiB in 32 MDLs when this is never called.  Room for the
 * description of as much is in every packet object and, twice, in the rings;
 * VmbChannelEnable() refuses what no packet can hold.
 *
 * Context: process, may sleep.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER_1 when the channel is not
 * disabled; STATUS_INVALID_PARAMETER_2 or _3 when that value is 0.
 */
typedef NTSTATUS FN_VMB_CHANNEL_INIT_SET_MAXIMUM_EXTERNAL_DATA(VMBCHANNEL Channel,
							       UINT32 MaximumExternalDataSize,
							       UINT32 MaximumChainLength);
typedef FN_VMB_CHANNEL_INIT_SET_MAXIMUM_EXTERNAL_DATA
	*PFN_VMB_CHANNEL_INIT_SET_MAXIMUM_EXTERNAL_DATA;
FN_VMB_CHANNEL_INIT_SET_MAXIMUM_EXTERNAL_DATA VmbChannelInitSetMaximumExternalData;

/**
 * typedef FN_VMB_CHANNEL_INIT_SET_MAXIMUM_PACKET_COUNT - bound the packets in flight
 * @Channel: a disabled channel
 * @MaximumPacketCount: packet objects that may exist for outgoing packets, from 1
 *
 * Context: process, may sleep.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER_1 when the channel is not
 * disabled; STATUS_INVALID_PARAMETER_2 for 0 and, Decided here, for more than
 * 1,048,576; STATUS_INSUFFICIENT_RESOURCES without memory for the table of them.
 */
typedef NTSTATUS FN_VMB_CHANNEL_INIT_SET_MAXIMUM_PACKET_COUNT(VMBCHANNEL Channel,
							      UINT32 MaximumPacketCount);
typedef FN_VMB_CHANNEL_INIT_SET_MAXIMUM_PACKET_COUNT
	*PFN_VMB_CHANNEL_INIT_SET_MAXIMUM_PACKET_COUNT;
FN_VMB_CHANNEL_INIT_SET_MAXIMUM_PACKET_COUNT VmbChannelInitSetMaximumPacketCount;

/**
 * typedef FN_VMB_CHANNEL_INIT_SET_CLIENT_CONTEXT_SIZE - room with incoming packets
 * @Channel: a disabled channel
 * @ContextSize: bytes of the driver's own with each incoming packet, 0 for none;
 *               VmbChannelPacketGetClientContext() finds them
 *
 * Decided here: the area is aligned to 16 bytes and zeroed before a packet is
 * delivered first, not when it is delivered again.  It counts in the 64 MiB that
 * the incoming packets of a channel may take, see VmbChannelEnable().
 *
 * Context: process, may sleep.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER_1 when the channel is not
 * disabled; Decided here: STATUS_INVALID_PARAMETER_2 for more than 64 MiB.
 */
typedef NTSTATUS FN_VMB_CHANNEL_INIT_SET_CLIENT_CONTEXT_SIZE(VMBCHANNEL Channel,
							     UINT32 ContextSize);
typedef FN_VMB_CHANNEL_INIT_SET_CLIENT_CONTEXT_SIZE
	*PFN_VMB_CHANNEL_INIT_SET_CLIENT_CONTEXT_SIZE;
FN_VMB_CHANNEL_INIT_SET_CLIENT_CONTEXT_SIZE VmbChannelInitSetClientContextSize;

/**
 * typedef FN_VMB_CHANNEL_INIT_SET_INLINE_PACKET_CONTEXT_SIZE - room in outgoing packets
 * @Channel: a disabled channel
 * @ContextSize: bytes of the driver's own in each packet that
 *               VmbPacketAllocate() makes, 0 for none;
 *               VmbPacketGetInlinePacketContextPointer() finds them
 *
 * Decided here: the area is aligned to 16 bytes, zeroed when the packet is
 * allocated, and the driver's until the packet is freed.  Packets that exist
 * keep the size that they were allocated with.
 *
 * Context: process, may sleep.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER_1 when the channel is not
 * disabled; Decided here: STATUS_INVALID_PARAMETER_2 for more than 64 MiB.
 */
typedef NTSTATUS FN_VMB_CHANNEL_INIT_SET_INLINE_PACKET_CONTEXT_SIZE(VMBCHANNEL Channel,
								    UINT32 ContextSize);
typedef FN_VMB_CHANNEL_INIT_SET_INLINE_PACKET_CONTEXT_SIZE
	*PFN_VMB_CHANNEL_INIT_SET_INLINE_PACKET_CONTEXT_SIZE;
FN_VMB_CHANNEL_INIT_SET_INLINE_PACKET_CONTEXT_SIZE VmbChannelInitSetInlinePacketContextSize;

/**
 * typedef FN_VMB_CHANNEL_INIT_SET_FRIENDLY_NAME - VmbChannelInitSetFriendlyName(): name the channel
 * @Channel: a disabled channel
 * @FriendlyName: what log lines and listings call the channel; copied
 *
 * Context: process, may sleep.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER_1 when the channel is not
 * disabled; STATUS_INVALID_PARAMETER_2 for NULL and for a second call.
 */
typedef NTSTATUS FN_VMB_CHANNEL_INIT_SET_FRIENDLY_NAME(VMBCHANNEL Channel,
						       PCUNICODE_STRING FriendlyName);
typedef FN_VMB_CHANNEL_INIT_SET_FRIENDLY_NAME *PFN_VMB_CHANNEL_INIT_SET_FRIENDLY_NAME;
FN_VMB_CHANNEL_INIT_SET_FRIENDLY_NAME VmbChannelInitSetFriendlyName;

/**
 * typedef FN_VMB_CHANNEL_INIT_SET_PROCESS_PACKET_CALLBACKS - receive packets
 * @Channel: a disabled channel
 * @ProcessPacketCallback: called for each incoming packet
 * @ProcessingCompleteCallback: called after each batch
 *
 * The latest valid registration wins, of this form or the Ex form.  Decided
 * here: NULL means the default handler, which completes every packet without
 * data or does nothing.
 *
 * Context: process, may sleep.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER_1 when the channel is not
 * disabled.
 */
typedef NTSTATUS FN_VMB_CHANNEL_INIT_SET_PROCESS_PACKET_CALLBACKS(VMBCHANNEL Channel,
		PFN_VMB_CHANNEL_PROCESS_PACKET ProcessPacketCallback,
		PFN_VMB_CHANNEL_PROCESSING_COMPLETE ProcessingCompleteCallback);
typedef FN_VMB_CHANNEL_INIT_SET_PROCESS_PACKET_CALLBACKS
	*PFN_VMB_CHANNEL_INIT_SET_PROCESS_PACKET_CALLBACKS;
FN_VMB_CHANNEL_INIT_SET_PROCESS_PACKET_CALLBACKS VmbChannelInitSetProcessPacketCallbacks;

/**
 * typedef FN_VMB_CHANNEL_INIT_SET_PROCESS_PACKET_CALLBACKS_EX - receive packets, with context
 * @Channel: a disabled channel
 * @CallbackContext: second parameter of both callbacks
 * @ProcessPacketCallback: called for each incoming packet
 * @ProcessingCompleteCallback: called after each batch
 *
 * As VmbChannelInitSetProcessPacketCallbacks().
 *
 * Context: process, may sleep.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER_1 when the channel is not
 * disabled.
 */
typedef NTSTATUS FN_VMB_CHANNEL_INIT_SET_PROCESS_PACKET_CALLBACKS_EX(VMBCHANNEL Channel,
		PVOID CallbackContext, PFN_VMB_CHANNEL_PROCESS_PACKET_EX ProcessPacketCallback,
		PFN_VMB_CHANNEL_PROCESSING_COMPLETE_EX ProcessingCompleteCallback);
typedef FN_VMB_CHANNEL_INIT_SET_PROCESS_PACKET_CALLBACKS_EX
	*PFN_VMB_CHANNEL_INIT_SET_PROCESS_PACKET_CALLBACKS_EX;
FN_VMB_CHANNEL_INIT_SET_PROCESS_PACKET_CALLBACKS_EX VmbChannelInitSetProcessPacketCallbacksEx;

/**
 * typedef FN_VMB_CHANNEL_INIT_SET_STATE_CHANGE_CALLBACKS - follow the state
 * @Channel: a disabled channel
 * @StateChangeCallbacks: either struct of callbacks, prepared by its INIT
 *                        function; copied.  The latest valid one wins
 *
 * Context: process, may sleep.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER_1 when the channel is not
 * disabled; STATUS_INVALID_PARAMETER_2 for NULL and for a pair of version and
 * size that no struct has.
 */
typedef NTSTATUS FN_VMB_CHANNEL_INIT_SET_STATE_CHANGE_CALLBACKS(VMBCHANNEL Channel,
		PVMB_CHANNEL_STATE_CHANGE_CALLBACKS StateChangeCallbacks);
typedef FN_VMB_CHANNEL_INIT_SET_STATE_CHANGE_CALLBACKS
	*PFN_VMB_CHANNEL_INIT_SET_STATE_CHANGE_CALLBACKS;
FN_VMB_CHANNEL_INIT_SET_STATE_CHANGE_CALLBACKS VmbChannelInitSetStateChangeCallbacks;

/**
 * typedef FN_VMB_CHANNEL_INIT_SET_BOUNCE_BUFFER_SIZES - size the bounce memory
 * @Channel: a disabled channel
 * @InitialSize: bytes at the start, a multiple of 4096; by default 0
 * @IncrementSize: bytes per growth, a multiple of 4096; 0 keeps the default
 * @MaximumSize: bytes up to which the library lets it grow, a multiple of 4096;
 *               0 keeps the default
 *
 * External data are made visible to the peer by the DMA API, which bounces, where
 * it must, through memory that all devices share.  Bounce memory is a channel's
 * own, from open to close, for what finds no room there.  A channel for which
 * neither this nor VmbChannelAllocateBounceBuffer() was called has none.
 *
 * Decided here, because no defaults are published: 128 KiB and 1 MiB.  The initial
 * memory is allocated with each open, which fails without it; growth happens in
 * the background, after a send has returned STATUS_INSUFFICIENT_RESOURCES.
 *
 * Context: process, may sleep.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER_1 when the channel is not
 * disabled; STATUS_INVALID_PARAMETER_2, _3 or _4 when that value is no multiple,
 * and _4 when it is not 0 and less than @InitialSize.
 */
typedef NTSTATUS FN_VMB_CHANNEL_INIT_SET_BOUNCE_BUFFER_SIZES(VMBCHANNEL Channel,
							     UINT32 InitialSize,
							     UINT32 IncrementSize,
							     UINT32 MaximumSize);
typedef FN_VMB_CHANNEL_INIT_SET_BOUNCE_BUFFER_SIZES
	*PFN_VMB_CHANNEL_INIT_SET_BOUNCE_BUFFER_SIZES;
FN_VMB_CHANNEL_INIT_SET_BOUNCE_BUFFER_SIZES VmbChannelInitSetBounceBufferSizes;

/**
 * typedef FN_VMB_CHANNEL_ALLOCATE_BOUNCE_BUFFER - add bounce memory
 * @Channel: a client channel
 * @Size: bytes to add, a multiple of 4096; they belong to the channel and go with
 *        it
 *
 * Decided here: on an open channel the memory is there when this returns; either
 * way it is allocated again with each later open, which fails without it.
 * MaximumSize does not bound it.
 *
 * Context: process, may sleep.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER when @Size is no multiple or
 * @Channel is none; STATUS_NOT_SUPPORTED on a server;
 * STATUS_INSUFFICIENT_RESOURCES without memory, and nothing has changed;
 * STATUS_INVALID_DEVICE_STATE above PASSIVE_LEVEL.
 */
typedef NTSTATUS FN_VMB_CHANNEL_ALLOCATE_BOUNCE_BUFFER(VMBCHANNEL Channel, UINT32 Size);
typedef FN_VMB_CHANNEL_ALLOCATE_BOUNCE_BUFFER *PFN_VMB_CHANNEL_ALLOCATE_BOUNCE_BUFFER;
FN_VMB_CHANNEL_ALLOCATE_BOUNCE_BUFFER VmbChannelAllocateBounceBuffer;

/**
 * typedef FN_VMB_CHANNEL_INIT_SET_PRIMARY_CHANNEL - make a sub-channel
 * @Channel: a disabled channel; becomes a sub-channel
 * @PrimaryChannel: its primary, in any state; no sub-channel itself
 * @SubChannelIndex: which of the primary's sub-channels, from 1 to 65,535
 *
 * A sub-channel can be enabled only while its primary is open (from Opened on),
 * closes before it, pauses before it and resumes after it.  It needs no
 * TargetPnp; one gives it a PnpFailure callback and changes nothing else.  To
 * ask the peer for sub-channels is the protocol's business.
 *
 * Decided here: VmbChannelEnable() of a sub-channel that the peer has not offered
 * succeeds, and the channel comes up when it is offered.
 *
 * Decided here: a sub-channel that is disabled alone is gone for the driver, but
 * stays open for the peer until the primary closes, because hv_vmbus closes a
 * sub-channel only with its primary.  Enabled before that, it continues with the
 * same rings, in the same size, and with what the peer has written to them.
 *
 * Decided here: when the primary is cleaned up first, its sub-channels are
 * disabled and can only be cleaned up.
 *
 * Context: process, may sleep.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER_1 when the channel is not
 * disabled or has sub-channels itself; STATUS_INVALID_PARAMETER_2 when a primary
 * is already set, or @PrimaryChannel is no channel that can be one;
 * STATUS_INVALID_PARAMETER_3 for index 0.
 */
typedef NTSTATUS FN_VMB_CHANNEL_INIT_SET_PRIMARY_CHANNEL(VMBCHANNEL Channel,
							 VMBCHANNEL PrimaryChannel,
							 UINT16 SubChannelIndex);
typedef FN_VMB_CHANNEL_INIT_SET_PRIMARY_CHANNEL *PFN_VMB_CHANNEL_INIT_SET_PRIMARY_CHANNEL;
FN_VMB_CHANNEL_INIT_SET_PRIMARY_CHANNEL VmbChannelInitSetPrimaryChannel;

/**
 * typedef FN_VMB_CLIENT_CHANNEL_INIT_SET_RING_BUFFER_PAGE_COUNT - size the rings
 * @Channel: a disabled client channel
 * @IncomingPageCount: pages of 4 KiB for the ring from the peer
 * @OutgoingPageCount: pages of 4 KiB for the ring to the peer
 *
 * Decided here: the counts are data pages and the library adds the control page.
 * VmbChannelEnable() enlarges both until two of the largest packets fit.
 *
 * Context: process, may sleep.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER_1 when the channel is not
 * disabled or a server's; STATUS_INVALID_PARAMETER_2 or _3 when that count is 0.
 */
typedef NTSTATUS FN_VMB_CLIENT_CHANNEL_INIT_SET_RING_BUFFER_PAGE_COUNT(VMBCHANNEL Channel,
								       UINT32 IncomingPageCount,
								       UINT32 OutgoingPageCount);
typedef FN_VMB_CLIENT_CHANNEL_INIT_SET_RING_BUFFER_PAGE_COUNT
	*PFN_VMB_CLIENT_CHANNEL_INIT_SET_RING_BUFFER_PAGE_COUNT;
FN_VMB_CLIENT_CHANNEL_INIT_SET_RING_BUFFER_PAGE_COUNT VmbClientChannelInitSetRingBufferPageCount;

/**
 * typedef FN_VMB_CLIENT_CHANNEL_INIT_SET_TARGET_PNP - choose the offer
 * @Channel: a disabled client channel
 * @InterfaceType: the type of the offer to wait for
 * @InterfaceInstance: which instance of it, NULL for any
 * @PnpFailureCallback: told when the offer came and could not be opened, or NULL
 *
 * Context: process, may sleep.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER_1 when the channel is not
 * disabled or a server's; STATUS_INVALID_PARAMETER_2 when @InterfaceType is NULL.
 */
typedef NTSTATUS FN_VMB_CLIENT_CHANNEL_INIT_SET_TARGET_PNP(VMBCHANNEL Channel,
		LPCGUID InterfaceType, LPCGUID InterfaceInstance,
		PFN_VMB_CHANNEL_PNP_FAILURE PnpFailureCallback);
typedef FN_VMB_CLIENT_CHANNEL_INIT_SET_TARGET_PNP *PFN_VMB_CLIENT_CHANNEL_INIT_SET_TARGET_PNP;
FN_VMB_CLIENT_CHANNEL_INIT_SET_TARGET_PNP VmbClientChannelInitSetTargetPnp;

/**
 * typedef FN_VMB_CLIENT_CHANNEL_INIT_SET_TARGET_PROCESSOR_INDEX - choose the processor
 * @Channel: a disabled client channel
 * @ProcessorIndex: the processor that the peer interrupts, by Linux' number
 *
 * Holds for the channel's opens to come.  A processor that goes offline before
 * one of them is replaced by the bus's choice, with a log line; afterwards the
 * bus keeps it online, and /sys/bus/vmbus can move the channel.
 *
 * Context: process, may sleep.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER_1 when the channel is not
 * disabled or a server's; STATUS_INVALID_PARAMETER_2 for a processor that does
 * not exist or is offline.
 */
typedef NTSTATUS FN_VMB_CLIENT_CHANNEL_INIT_SET_TARGET_PROCESSOR_INDEX(VMBCHANNEL Channel,
								       ULONG ProcessorIndex);
typedef FN_VMB_CLIENT_CHANNEL_INIT_SET_TARGET_PROCESSOR_INDEX
	*PFN_VMB_CLIENT_CHANNEL_INIT_SET_TARGET_PROCESSOR_INDEX;
FN_VMB_CLIENT_CHANNEL_INIT_SET_TARGET_PROCESSOR_INDEX VmbClientChannelInitSetTargetProcessorIndex;

#endif /* _KMCL_CONFIG_FUNCTIONS_H */
