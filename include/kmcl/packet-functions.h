/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packets: those that the driver sends, and those that it receives.
 *
 * Each block describes the function whose type it is, VmbX for FN_VMB_X.
 *
 * Included by <vmbuskernelmodeclientlibapi.h> only.
 */
#ifndef _KMCL_PACKET_FUNCTIONS_H
#define _KMCL_PACKET_FUNCTIONS_H

/**
 * DOC: Sending
 *
 * A full ring never fails a send: the packet queues, in order, behind all that
 * is queued before it.  Without WAIT_FOR_COMPLETION the packet completes, with
 * STATUS_SUCCESS and no buffer, when it enters the ring; with it, when the peer's
 * completion arrives, whose payload is the routine's buffer.  Between
 * VmbChannelEnable() and the open, while paused, and on a server between opens,
 * a send returns STATUS_SUCCESS and queues.  Decided here: on a disabled channel
 * it returns STATUS_INVALID_DEVICE_STATE.
 *
 * Decided here: a status by position names the parameter; external data without
 * WAIT_FOR_COMPLETION is refused with the position of Flags; a packet with
 * external data that has entered the ring completes only when the peer has
 * answered or the channel is really closed.
 *
 * The memory of external data stays in place, and is not freed or used for
 * anything else, from the send until the completion routine is called; MDLs and
 * lists of frames are not needed any more when the send returns.  Each MDL of a
 * chain becomes a range of the packet, empty ones none.  Where the peer cannot
 * reach the guest's memory the data are copied (through the DMA API of the VMBus
 * device): out of the memory in the send, back into it before the completion
 * routine is called.  DATA_OUT_ONLY saves the second copy.  DATA_IN_ONLY saves none
 * of them here: what the peer leaves alone comes back as it was, so that it sees what
 * was in the memory.  Both together mean neither.
 */

/**
 * typedef FN_VMB_CHANNEL_SIZEOF_PACKET - VmbChannelSizeofPacket(): memory for a packet
 * @Channel: a channel whose limits are set
 *
 * The encoded packet is included, so that a send never fails for lack of memory.
 *
 * Context: process or softirq.
 * Return: bytes that VmbPacketInitialize() needs.
 */
typedef UINT32 FN_VMB_CHANNEL_SIZEOF_PACKET(VMBCHANNEL Channel);
typedef FN_VMB_CHANNEL_SIZEOF_PACKET *PFN_VMB_CHANNEL_SIZEOF_PACKET;
FN_VMB_CHANNEL_SIZEOF_PACKET VmbChannelSizeofPacket;

/**
 * typedef FN_VMB_PACKET_ALLOCATE - VmbPacketAllocate(): make a packet
 * @Channel: the channel to send it on
 *
 * Its default completion routine frees it.
 *
 * Context: process or softirq.
 * Return: the packet; NULL without memory or when as many packets exist as
 * VmbChannelInitSetMaximumPacketCount() allows.
 */
typedef VMBPACKET FN_VMB_PACKET_ALLOCATE(VMBCHANNEL Channel);
typedef FN_VMB_PACKET_ALLOCATE *PFN_VMB_PACKET_ALLOCATE;
FN_VMB_PACKET_ALLOCATE VmbPacketAllocate;

/**
 * typedef FN_VMB_PACKET_FREE - VmbPacketFree(): unmake a packet
 * @Packet: a packet that is not under way: never sent, or its own completion
 *          routine has been called.  The memory of one that was initialised
 *          stays the caller's
 *
 * Context: process or softirq.
 */
typedef VOID FN_VMB_PACKET_FREE(VMBPACKET Packet);
typedef FN_VMB_PACKET_FREE *PFN_VMB_PACKET_FREE;
FN_VMB_PACKET_FREE VmbPacketFree;

/**
 * typedef FN_VMB_PACKET_INITIALIZE - VmbPacketInitialize(): make a packet in place
 * @Channel: the channel to send it on
 * @Packet: the caller's memory, cast; from now on the handle
 * @PacketSize: bytes there, at least VmbChannelSizeofPacket()
 *
 * It has no completion routine and must be given one before it is sent.
 *
 * Decided here: it counts against MaximumPacketCount until its completion
 * routine is called; then the memory may be dropped, initialised again, or sent
 * again.  Memory that is dropped without ever being sent is given to
 * VmbPacketFree() first.
 *
 * Context: process or softirq.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER_1 for a handle that is none;
 * STATUS_INVALID_PARAMETER_2 for NULL, for memory that is not aligned to 8, and
 * for a packet that is under way; STATUS_INVALID_PARAMETER_3 when the memory is
 * too small; STATUS_INSUFFICIENT_RESOURCES when as many packets exist as allowed;
 * STATUS_INVALID_DEVICE_REQUEST above DISPATCH_LEVEL.
 */
typedef NTSTATUS FN_VMB_PACKET_INITIALIZE(VMBCHANNEL Channel, VMBPACKET Packet,
					  UINT32 PacketSize);
typedef FN_VMB_PACKET_INITIALIZE *PFN_VMB_PACKET_INITIALIZE;
FN_VMB_PACKET_INITIALIZE VmbPacketInitialize;

/**
 * typedef FN_VMB_PACKET_GET_CHANNEL - VmbPacketGetChannel(): whose is it
 * @Packet: a packet
 *
 * Context: process or softirq.
 * Return: the channel that it was made for.
 */
typedef VMBCHANNEL FN_VMB_PACKET_GET_CHANNEL(VMBPACKET Packet);
typedef FN_VMB_PACKET_GET_CHANNEL *PFN_VMB_PACKET_GET_CHANNEL;
FN_VMB_PACKET_GET_CHANNEL VmbPacketGetChannel;

/**
 * typedef FN_VMB_PACKET_SET_POINTER - VmbPacketSetPointer(): keep a pointer
 * @Packet: a packet
 * @Pointer: whatever the driver likes
 *
 * Context: process or softirq.
 */
typedef VOID FN_VMB_PACKET_SET_POINTER(VMBPACKET Packet, PVOID Pointer);
typedef FN_VMB_PACKET_SET_POINTER *PFN_VMB_PACKET_SET_POINTER;
FN_VMB_PACKET_SET_POINTER VmbPacketSetPointer;

/**
 * typedef FN_VMB_PACKET_GET_POINTER - VmbPacketGetPointer(): find it again
 * @Packet: a packet
 *
 * Context: process or softirq.
 * Return: what VmbPacketSetPointer() kept, NULL before.
 */
typedef PVOID FN_VMB_PACKET_GET_POINTER(VMBPACKET Packet);
typedef FN_VMB_PACKET_GET_POINTER *PFN_VMB_PACKET_GET_POINTER;
FN_VMB_PACKET_GET_POINTER VmbPacketGetPointer;

/**
 * typedef FN_VMB_PACKET_GET_INLINE_PACKET_CONTEXT_POINTER - the driver's room in a packet
 * @Packet: a packet of VmbPacketAllocate()
 *
 * Context: process or softirq.
 * Return: the area whose size VmbChannelInitSetInlinePacketContextSize() set,
 * valid until VmbPacketFree(); NULL when that is 0, and for a packet of
 * VmbPacketInitialize(), whose memory is the driver's anyway.
 */
typedef PVOID FN_VMB_PACKET_GET_INLINE_PACKET_CONTEXT_POINTER(VMBPACKET Packet);
typedef FN_VMB_PACKET_GET_INLINE_PACKET_CONTEXT_POINTER
	*PFN_VMB_PACKET_GET_INLINE_PACKET_CONTEXT_POINTER;
FN_VMB_PACKET_GET_INLINE_PACKET_CONTEXT_POINTER VmbPacketGetInlinePacketContextPointer;

/**
 * typedef FN_VMB_PACKET_SET_COMPLETION_ROUTINE - VmbPacketSetCompletionRoutine(): who is told
 * @Packet: a packet that is not under way
 * @CompletionRoutine: called once for each send that returned success; it, and
 *                     no longer the library, decides what becomes of the packet
 *
 * Context: process or softirq.
 */
typedef VOID FN_VMB_PACKET_SET_COMPLETION_ROUTINE(VMBPACKET Packet,
		PFN_VMB_PACKET_COMPLETION_ROUTINE CompletionRoutine);
typedef FN_VMB_PACKET_SET_COMPLETION_ROUTINE *PFN_VMB_PACKET_SET_COMPLETION_ROUTINE;
FN_VMB_PACKET_SET_COMPLETION_ROUTINE VmbPacketSetCompletionRoutine;

/**
 * typedef FN_VMB_PACKET_SET_COMPLETION_ROUTINE_EX - who is told, with context
 * @Packet: a packet that is not under way
 * @CallbackContext: second parameter of the routine
 * @CompletionRoutine: as VmbPacketSetCompletionRoutine()
 *
 * Context: process or softirq.
 */
typedef VOID FN_VMB_PACKET_SET_COMPLETION_ROUTINE_EX(VMBPACKET Packet, PVOID CallbackContext,
		PFN_VMB_PACKET_COMPLETION_ROUTINE_EX CompletionRoutine);
typedef FN_VMB_PACKET_SET_COMPLETION_ROUTINE_EX *PFN_VMB_PACKET_SET_COMPLETION_ROUTINE_EX;
FN_VMB_PACKET_SET_COMPLETION_ROUTINE_EX VmbPacketSetCompletionRoutineEx;

/**
 * typedef FN_VMB_PACKET_SEND - VmbPacketSend(): send a packet
 * @Packet: the packet; the library's until the completion routine runs, if this
 *          returns success
 * @Buffer: inline data; not read any more after the return
 * @BufferLength: bytes there, up to MaximumPacketSize
 * @ExternalDataMdl: external data, or NULL; the Next chain is followed
 * @Flags: VMBUS_CHANNEL_FORMAT_FLAG_* bits.  DATA_IN_ONLY: the peer only writes
 *         the external data; DATA_OUT_ONLY: it only reads them; PAGED_BUFFER:
 *         @Buffer is copied before anything runs at DISPATCH_LEVEL
 *
 * Context: process or softirq; process alone with PAGED_BUFFER.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER_1 when the packet has no
 * completion routine or is under way; _2 when @Buffer is NULL and @BufferLength
 * is not 0; _3 when that is too large; _4 for more external data or a longer
 * chain than allowed, for an MDL that has no pages, for a frame that is no memory
 * of the guest's, and for a chain that describes no byte; _5 for an unknown bit
 * and for external data without WAIT_FOR_COMPLETION;
 * STATUS_INSUFFICIENT_RESOURCES when external data cannot be mapped, or for a
 * packet in the caller's memory when as many are under way as allowed;
 * STATUS_INVALID_DEVICE_STATE on a channel that is disabled or going down;
 * STATUS_INVALID_DEVICE_REQUEST for PAGED_BUFFER above PASSIVE_LEVEL, and above
 * DISPATCH_LEVEL; Decided here: STATUS_NOT_SUPPORTED for external data of a server.
 */
typedef NTSTATUS FN_VMB_PACKET_SEND(VMBPACKET Packet, PVOID Buffer, UINT32 BufferLength,
				    PMDL ExternalDataMdl, UINT32 Flags);
typedef FN_VMB_PACKET_SEND *PFN_VMB_PACKET_SEND;
FN_VMB_PACKET_SEND VmbPacketSend;

/**
 * typedef FN_VMB_PACKET_SEND_WITH_EXTERNAL_MDL - send part of an MDL
 * @Packet: as VmbPacketSend()
 * @Buffer: as VmbPacketSend()
 * @BufferLength: as VmbPacketSend()
 * @Mdl: external data, or NULL; the Next chain is followed
 * @MdlOffset: bytes to skip from the start of the described buffer, not of the
 *             page
 * @MdlLength: bytes of external data, 0 for the rest
 * @Flags: as VmbPacketSend(); FORCE_MDL_LENGTH: only the first MDL is used, and
 *         @MdlLength may exceed it, up to the end of the last page that it
 *         describes
 *
 * Context: process or softirq; process alone with PAGED_BUFFER.
 * Return: as VmbPacketSend(), with _5 or _6 when offset or length lie outside of
 * the described buffer and _7 for @Flags.  Decided here: MDLs that @MdlOffset
 * skips count in the length of the chain, those behind @MdlLength do not.
 */
typedef NTSTATUS FN_VMB_PACKET_SEND_WITH_EXTERNAL_MDL(VMBPACKET Packet, PVOID Buffer,
						      UINT32 BufferLength, PMDL Mdl,
						      UINT32 MdlOffset, UINT32 MdlLength,
						      UINT32 Flags);
typedef FN_VMB_PACKET_SEND_WITH_EXTERNAL_MDL *PFN_VMB_PACKET_SEND_WITH_EXTERNAL_MDL;
FN_VMB_PACKET_SEND_WITH_EXTERNAL_MDL VmbPacketSendWithExternalMdl;

/**
 * typedef FN_VMB_PACKET_SEND_WITH_EXTERNAL_PFNS - VmbPacketSendWithExternalPfns(): send with frames
 * @Packet: as VmbPacketSend()
 * @Buffer: as VmbPacketSend()
 * @BufferLength: as VmbPacketSend()
 * @Pfns: frame numbers of the external data, in units of 4 KiB
 * @PfnCount: entries there
 * @Flags: as VmbPacketSend()
 *
 * There is no offset parameter: the data begin with the first frame.  They are one
 * range.
 *
 * Context: process or softirq; process alone with PAGED_BUFFER.
 * Return: as VmbPacketSend(), with _4 for @Pfns and for more of them than allowed,
 * _5 for a @PfnCount of 0, and _6 for @Flags.
 */
typedef NTSTATUS FN_VMB_PACKET_SEND_WITH_EXTERNAL_PFNS(VMBPACKET Packet, PVOID Buffer,
						       UINT32 BufferLength, PPFN_NUMBER Pfns,
						       UINT32 PfnCount, UINT32 Flags);
typedef FN_VMB_PACKET_SEND_WITH_EXTERNAL_PFNS *PFN_VMB_PACKET_SEND_WITH_EXTERNAL_PFNS;
FN_VMB_PACKET_SEND_WITH_EXTERNAL_PFNS VmbPacketSendWithExternalPfns;

/**
 * typedef FN_VMB_CHANNEL_SEND_SYNCHRONOUS_REQUEST - send and wait
 * @Channel: the channel to send on
 * @Buffer: inline data
 * @BufferLength: bytes there, up to MaximumPacketSize
 * @ExternalDataMdl: external data, or NULL
 * @Flags: as VmbPacketSend()
 * @CompletionBuffer: where the answer goes, or NULL
 * @CompletionBufferSize: bytes there, a multiple of 8; returns the bytes written
 * @Timeout: in units of 100 ns, negative for relative; NULL waits for ever; zero
 *           does not wait
 *
 * A client may combine any flags with any timeout.  Without WAIT_FOR_COMPLETION
 * this is fire and forget: queued, or with a zero timeout never queued.  A server
 * may only use a zero timeout without WAIT_FOR_COMPLETION.
 *
 * Decided here: a request with external data that has entered the ring keeps
 * waiting after its timeout, until the peer has answered or the channel is
 * closed, and then returns STATUS_CANCELLED; what @CompletionBuffer holds then is
 * undefined.
 *
 * Context: process, may sleep; softirq too with a zero timeout and without
 * WAIT_FOR_COMPLETION.
 * Return: STATUS_SUCCESS; STATUS_BUFFER_OVERFLOW when a zero timeout was given
 * and the packet does not fit and, Decided here, when the answer was longer than
 * the buffer, which it fills; STATUS_CANCELLED on timeout;
 * STATUS_DEVICE_REMOVED when the channel goes down; Decided here:
 * STATUS_INVALID_PARAMETER_7 when the buffer's size is no multiple of 8,
 * STATUS_INVALID_PARAMETER for what a server may not do; otherwise as
 * VmbPacketSend(), with STATUS_INSUFFICIENT_RESOURCES when no packet can be had.
 */
typedef NTSTATUS FN_VMB_CHANNEL_SEND_SYNCHRONOUS_REQUEST(VMBCHANNEL Channel, PVOID Buffer,
							 UINT32 BufferLength,
							 PMDL ExternalDataMdl, UINT32 Flags,
							 PVOID CompletionBuffer,
							 PUINT32 CompletionBufferSize,
							 PLARGE_INTEGER Timeout);
typedef FN_VMB_CHANNEL_SEND_SYNCHRONOUS_REQUEST *PFN_VMB_CHANNEL_SEND_SYNCHRONOUS_REQUEST;
FN_VMB_CHANNEL_SEND_SYNCHRONOUS_REQUEST VmbChannelSendSynchronousRequest;

/**
 * typedef FN_VMB_CHANNEL_PACKET_COMPLETE - VmbChannelPacketComplete(): answer a packet
 * @Packet: what ProcessPacket delivered; invalid afterwards
 * @Buffer: the answer, or NULL
 * @BufferLength: bytes there
 *
 * Exactly once per packet, inside the callback or any time later, from any
 * thread.  The answer goes on the wire only if the sender asked for one.  It is
 * never lost or reordered because the ring is full.  It may be longer than
 * MaximumPacketSize; Decided here: if it then has to wait and memory is short,
 * the channel is poisoned with a log line.
 *
 * Context: process or softirq.
 */
typedef VOID FN_VMB_CHANNEL_PACKET_COMPLETE(VMBPACKETCOMPLETION Packet, PVOID Buffer,
					    UINT32 BufferLength);
typedef FN_VMB_CHANNEL_PACKET_COMPLETE *PFN_VMB_CHANNEL_PACKET_COMPLETE;
FN_VMB_CHANNEL_PACKET_COMPLETE VmbChannelPacketComplete;

/**
 * typedef FN_VMB_CHANNEL_PACKET_DEFER_TO_PASSIVE - once more in process context
 * @Packet: the packet that ProcessPacket is being called for
 *
 * Only inside ProcessPacket, which then returns: the same packet is delivered
 * again in process context.
 *
 * Context: process or softirq.
 */
typedef VOID FN_VMB_CHANNEL_PACKET_DEFER_TO_PASSIVE(VMBPACKETCOMPLETION Packet);
typedef FN_VMB_CHANNEL_PACKET_DEFER_TO_PASSIVE *PFN_VMB_CHANNEL_PACKET_DEFER_TO_PASSIVE;
FN_VMB_CHANNEL_PACKET_DEFER_TO_PASSIVE VmbChannelPacketDeferToPassive;

/**
 * typedef FN_VMB_CHANNEL_PACKET_FAIL - VmbChannelPacketFail(): reject a malformed packet
 * @Packet: the packet; invalid afterwards
 *
 * The queue stops and the channel is poisoned.  Decided here: this retires the
 * packet, no VmbChannelPacketComplete() follows.
 *
 * Context: process or softirq.
 */
typedef VOID FN_VMB_CHANNEL_PACKET_FAIL(VMBPACKETCOMPLETION Packet);
typedef FN_VMB_CHANNEL_PACKET_FAIL *PFN_VMB_CHANNEL_PACKET_FAIL;
FN_VMB_CHANNEL_PACKET_FAIL VmbChannelPacketFail;

/**
 * typedef FN_VMB_CHANNEL_PACKET_GET_EXTERNAL_DATA - what came with a packet
 * @Packet: a packet with external data
 * @Flags: VMBUS_CHANNEL_PACKET_EXTERNAL_DATA_FLAG_* bits
 * @Mdl: the data, an MDL for each range: locked, the library's, gone after
 *       VmbChannelPacketComplete(); MmGetSystemAddressForMdlSafe() has an address
 *
 * ProcessPacket is called with VMBUS_CHANNEL_PROCESS_PACKET_FLAG_EXTERNAL_DATA for
 * a packet that has any.
 *
 * Decided here: on a client the data lie in a GPADL of the channel.  Transfer
 * pages are pieces of a set that the driver has registered, see
 * <kmcl/page-set.h>; frames of a GPA direct packet are pages of one GPADL, in the
 * order in which it lends them.  A packet that names anything else, or more than
 * VmbChannelInitSetMaximumExternalData() allows, is answered unread, counted and
 * reported; one that cannot be true poisons the channel.  The memory stays until
 * the packet is completed, also when the GPADL is deleted.
 *
 * Context: process or softirq.
 * Return: STATUS_SUCCESS; STATUS_PENDING without memory in softirq, inside
 * ProcessPacket: return from the callback, the packet comes again in process
 * context; STATUS_INVALID_PARAMETER_1 when the packet has no external data or is
 * not the driver's; STATUS_INVALID_PARAMETER_2 for an unknown bit; _3 for NULL;
 * STATUS_INSUFFICIENT_RESOURCES without memory otherwise.
 */
typedef NTSTATUS FN_VMB_CHANNEL_PACKET_GET_EXTERNAL_DATA(VMBPACKETCOMPLETION Packet,
							 UINT32 Flags, PMDL *Mdl);
typedef FN_VMB_CHANNEL_PACKET_GET_EXTERNAL_DATA *PFN_VMB_CHANNEL_PACKET_GET_EXTERNAL_DATA;
FN_VMB_CHANNEL_PACKET_GET_EXTERNAL_DATA VmbChannelPacketGetExternalData;

/**
 * typedef FN_VMB_CHANNEL_PACKET_GET_CLIENT_CONTEXT - the driver's room with a packet
 * @Packet: an incoming packet
 *
 * Context: process or softirq.
 * Return: the area whose size VmbChannelInitSetClientContextSize() set, valid
 * until VmbChannelPacketComplete(); NULL when that is 0.
 */
typedef PVOID FN_VMB_CHANNEL_PACKET_GET_CLIENT_CONTEXT(VMBPACKETCOMPLETION Packet);
typedef FN_VMB_CHANNEL_PACKET_GET_CLIENT_CONTEXT *PFN_VMB_CHANNEL_PACKET_GET_CLIENT_CONTEXT;
FN_VMB_CHANNEL_PACKET_GET_CLIENT_CONTEXT VmbChannelPacketGetClientContext;

#endif /* _KMCL_PACKET_FUNCTIONS_H */
