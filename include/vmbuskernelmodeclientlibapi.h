/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The VMBus Kernel Mode Client Library (KMCL), interface versions V1 to V5.
 *
 * This is the only header that the source of a VSC or VSP includes besides
 * <ntddk.h>.  It has Windows' names, so that the same source builds as a Linux
 * module (-I include -I include/nt) and as a Windows driver (-I include, and
 * the DDK's own <ntddk.h>).  Here are the handles, constants and callbacks; the
 * functions and tables stand in the headers included at the end.
 *
 * A page in any parameter is 4,096 bytes.  A status INVALID_PARAMETER_n speaks
 * about the n-th parameter.  "Decided here" marks a rule on which the public
 * documentation of the API is silent or contradicts itself.
 */
#ifndef _VMBUSKERNELMODECLIENTLIBAPI_H
#define _VMBUSKERNELMODECLIENTLIBAPI_H

#include <ntddk.h>
#ifdef _WIN32
#include <stddef.h>
#include <string.h>
#endif

/**
 * DOC: The life of a channel
 *
 * VmbChannelAllocate() or VmbChannelInitialize(), then the Init functions, then
 * VmbChannelEnable().  When the channel opens, the library calls Opened,
 * Started, turns the incoming queue on and calls PostStarted; then there is
 * traffic.  VmbChannelDisable(), a close by the peer and a withdrawn offer call
 * Suspend, wait for the incoming packets that the driver still holds, and call
 * Closed; the channel is then disabled.  VmbChannelCleanup() wants it so.
 *
 * Decided here: the Init functions are legal only while the channel is
 * disabled; otherwise they return STATUS_INVALID_PARAMETER_1.  So do a
 * client-only function on a server channel and the reverse.
 *
 * In Started a packet may be sent, but waiting there for its completion never
 * returns; PostStarted is the place for a synchronous handshake.  Decided here:
 * the incoming queue is on before PostStarted, so ProcessPacket may run before
 * or during it.
 *
 * The incoming queue is stopped before Suspend is called: no ProcessPacket runs
 * during or after it.  The driver must stop sending.  On a client, Closed always
 * leaves the channel disabled, and the driver enables it again; a server goes
 * back to offered when its client closes, and only its own VmbChannelDisable()
 * ends in disabled.  All GPADLs are gone when Closed returns.
 *
 * Decided here: every packet for which a send returned success has its
 * completion routine called exactly once, whatever happens: with
 * STATUS_CANCELLED when this side closed, with STATUS_DEVICE_REMOVED when the
 * peer did or the ring is corrupt.  A completion routine may run before the send
 * returns, on the sender's thread, so callers hold no lock that it takes.
 *
 * Decided here: hibernation of the guest is Suspend and Closed before, Opened,
 * Started and PostStarted after; a driver may see such a pair without
 * hibernation having happened, and VmbChannelEnable() between the two returns
 * success and does nothing.  Live migration of the guest is invisible.
 */

/**
 * DOC: Levels
 *
 * Decided here: at or below DISPATCH_LEVEL, that is in softirq or process
 * context and never in hard interrupt or with interrupts off, run:
 * VmbPacketAllocate(), VmbPacketFree(), VmbPacketInitialize(), the three
 * VmbPacketSend functions (PASSIVE_LEVEL with
 * VMBUS_CHANNEL_FORMAT_FLAG_PAGED_BUFFER), VmbPacketSetCompletionRoutine() and
 * its Ex form, VmbChannelPacketComplete(), VmbChannelPacketDeferToPassive(),
 * VmbChannelPacketFail(), VmbChannelPacketGetExternalData(), the functions that
 * get or set a pointer, VmbPacketGetChannel(), the two functions that get a
 * context area, VmbChannelSizeofPacket() and VmbChannelSetTransactionQuota().
 * Everything else is PASSIVE_LEVEL: process context, may sleep.
 */

/*
 * Three distinct pointers to structs that are never defined, so that one handle
 * in the place of another does not compile.  The Initialize functions build the
 * object in the caller's memory: there the handle is the buffer's address.  The
 * handle of an object that the library allocated is no address of anything.  After
 * its object's end it is refused, as is one of another kind: with the status that
 * the function has for a bad first parameter, or with a log line.
 *
 * Decided here: an incoming packet is one object.  Its VMBPACKET and its
 * VMBPACKETCOMPLETION have the same value and may be cast into each other; no
 * other cast between handles is legal.
 */
typedef struct VMBCHANNEL__ *VMBCHANNEL;
typedef struct VMBPACKET__ *VMBPACKET;
typedef struct VMBPACKETCOMPLETION__ *VMBPACKETCOMPLETION;

/* How a packet is sent. */
#define VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION	0x00000001
#define VMBUS_CHANNEL_FORMAT_FLAG_FORCE_MDL_LENGTH	0x00000002
#define VMBUS_CHANNEL_FORMAT_FLAG_PAGED_BUFFER		0x00000004
#define VMBUS_CHANNEL_FORMAT_FLAG_DATA_IN_ONLY		0x00000008
#define VMBUS_CHANNEL_FORMAT_FLAG_DATA_OUT_ONLY		0x00000010
#define VMBUS_CHANNEL_FORMAT_FLAGS			0x0000001f

/* How a GPADL is made; prose leaves the word FLAG out. */
#define VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY		0x00000001
#define VMBUS_CHANNEL_GPADL_READ_ONLY	VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY
#define VMBUS_CHANNEL_GPADL_FLAGS			0x00000001

/* What VmbChannelInitSetFlags() takes. */
#define VMBUS_CHANNEL_INIT_FLAG_IS_PIPE			0x00000001
#define VMBUS_CHANNEL_INIT_FLAGS			0x00000001

/* What VmbServerChannelInitSetFlags() takes. */
#define VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER			0x00000001
#define VMBUS_SERVER_CHANNEL_INIT_FLAG_ENUMERATE_DEVICE_INTERFACE	0x00000002
#define VMBUS_SERVER_CHANNEL_INIT_FLAG_OFFER_AS_PIPE			0x00000004
#define VMBUS_SERVER_CHANNEL_INIT_FLAG_FORCE_NEW_CHANNEL		0x00000008
#define VMBUS_SERVER_CHANNEL_INIT_FLAG_TLNPI_PROVIDER_OFFER		0x00000010
#define VMBUS_SERVER_CHANNEL_INIT_FLAGS					0x0000001f

/* Bytes of user-defined data in an offer. */
#define VMBUS_SERVER_CHANNEL_INIT_MAXIMUM_OFFER_DATA	120

/* What ProcessPacket is told about a packet. */
#define VMBUS_CHANNEL_PROCESS_PACKET_FLAG_EXTERNAL_DATA	0x00000001
#define VMBUS_CHANNEL_PROCESS_PACKET_FLAGS		0x00000001

/* What VmbChannelPacketGetExternalData() takes. */
#define VMBUS_CHANNEL_PACKET_EXTERNAL_DATA_FLAG_READ_ONLY	0x00000001
#define VMBUS_CHANNEL_PACKET_EXTERNAL_DATA_FLAGS		0x00000001

/**
 * typedef EVT_VMB_CHANNEL_OPENED - the channel is open, nothing flows yet
 * @Channel: the channel
 *
 * Context: process, may sleep.
 * Return: a failure status rolls the channel back to where nothing flows.
 */
typedef NTSTATUS EVT_VMB_CHANNEL_OPENED(VMBCHANNEL Channel);
typedef EVT_VMB_CHANNEL_OPENED *PFN_VMB_CHANNEL_OPENED;
typedef NTSTATUS EVT_VMB_CHANNEL_OPENED_EX(VMBCHANNEL Channel, PVOID CallbackContext);
typedef EVT_VMB_CHANNEL_OPENED_EX *PFN_VMB_CHANNEL_OPENED_EX;

/**
 * typedef EVT_VMB_CHANNEL_CLOSED - the channel is closed, no GPADL is left
 * @Channel: the channel
 *
 * Context: process, may sleep.
 */
typedef VOID EVT_VMB_CHANNEL_CLOSED(VMBCHANNEL Channel);
typedef EVT_VMB_CHANNEL_CLOSED *PFN_VMB_CHANNEL_CLOSED;
typedef VOID EVT_VMB_CHANNEL_CLOSED_EX(VMBCHANNEL Channel, PVOID CallbackContext);
typedef EVT_VMB_CHANNEL_CLOSED_EX *PFN_VMB_CHANNEL_CLOSED_EX;

/**
 * typedef EVT_VMB_CHANNEL_SUSPEND - the incoming queue has stopped
 * @Channel: the channel
 *
 * The driver stops sending and completes the packets that it holds.
 *
 * Context: process, may sleep.
 */
typedef VOID EVT_VMB_CHANNEL_SUSPEND(VMBCHANNEL Channel);
typedef EVT_VMB_CHANNEL_SUSPEND *PFN_VMB_CHANNEL_SUSPEND;
typedef VOID EVT_VMB_CHANNEL_SUSPEND_EX(VMBCHANNEL Channel, PVOID CallbackContext);
typedef EVT_VMB_CHANNEL_SUSPEND_EX *PFN_VMB_CHANNEL_SUSPEND_EX;

/**
 * typedef EVT_VMB_CHANNEL_STARTED - sends are possible, the queue is still off
 * @Channel: the channel
 *
 * A wait for a completion in here never returns.
 *
 * Context: process, may sleep.
 */
typedef VOID EVT_VMB_CHANNEL_STARTED(VMBCHANNEL Channel);
typedef EVT_VMB_CHANNEL_STARTED *PFN_VMB_CHANNEL_STARTED;
typedef VOID EVT_VMB_CHANNEL_STARTED_EX(VMBCHANNEL Channel, PVOID CallbackContext);
typedef EVT_VMB_CHANNEL_STARTED_EX *PFN_VMB_CHANNEL_STARTED_EX;

/**
 * typedef EVT_VMB_CHANNEL_POST_STARTED - the incoming queue is on
 * @Channel: the channel
 *
 * The place for a synchronous version handshake.
 *
 * Context: process, may sleep.
 */
typedef VOID EVT_VMB_CHANNEL_POST_STARTED(VMBCHANNEL Channel);
typedef EVT_VMB_CHANNEL_POST_STARTED *PFN_VMB_CHANNEL_POST_STARTED;
typedef VOID EVT_VMB_CHANNEL_POST_STARTED_EX(VMBCHANNEL Channel, PVOID CallbackContext);
typedef EVT_VMB_CHANNEL_POST_STARTED_EX *PFN_VMB_CHANNEL_POST_STARTED_EX;

/**
 * typedef EVT_VMB_CHANNEL_PROCESS_PACKET - a packet has arrived
 * @Channel: the channel
 * @Packet: what VmbChannelPacketComplete() answers
 * @Buffer: the inline data, writable by the driver.  Decided here: valid until
 *          the packet is completed
 * @BufferLength: bytes at @Buffer, a multiple of 8 as sent, less for a pipe
 * @Flags: VMBUS_CHANNEL_PROCESS_PACKET_FLAG_* bits
 *
 * Context: process or softirq; process alone after
 * VmbChannelSetIncomingProcessingAtPassive() or a deferral.
 */
typedef VOID EVT_VMB_CHANNEL_PROCESS_PACKET(VMBCHANNEL Channel, VMBPACKETCOMPLETION Packet,
					    PVOID Buffer, UINT32 BufferLength, UINT32 Flags);
typedef EVT_VMB_CHANNEL_PROCESS_PACKET *PFN_VMB_CHANNEL_PROCESS_PACKET;
typedef VOID EVT_VMB_CHANNEL_PROCESS_PACKET_EX(VMBCHANNEL Channel, PVOID CallbackContext,
					       VMBPACKETCOMPLETION Packet, PVOID Buffer,
					       UINT32 BufferLength, UINT32 Flags);
typedef EVT_VMB_CHANNEL_PROCESS_PACKET_EX *PFN_VMB_CHANNEL_PROCESS_PACKET_EX;

/**
 * typedef EVT_VMB_CHANNEL_PROCESSING_COMPLETE - a batch of packets is over
 * @Channel: the channel
 * @PacketsProcessed: packets in that batch
 *
 * Comes once per batch after its last ProcessPacket, when the incoming ring has
 * become empty or delivery pauses otherwise.
 *
 * Context: as ProcessPacket.
 */
typedef VOID EVT_VMB_CHANNEL_PROCESSING_COMPLETE(VMBCHANNEL Channel, UINT32 PacketsProcessed);
typedef EVT_VMB_CHANNEL_PROCESSING_COMPLETE *PFN_VMB_CHANNEL_PROCESSING_COMPLETE;
typedef VOID EVT_VMB_CHANNEL_PROCESSING_COMPLETE_EX(VMBCHANNEL Channel, PVOID CallbackContext,
						    UINT32 PacketsProcessed);
typedef EVT_VMB_CHANNEL_PROCESSING_COMPLETE_EX *PFN_VMB_CHANNEL_PROCESSING_COMPLETE_EX;

/**
 * typedef EVT_VMB_PACKET_COMPLETION_ROUTINE - a sent packet is the driver's again
 * @Packet: the packet; the routine frees it, sends it again or keeps it
 * @Status: STATUS_SUCCESS, STATUS_CANCELLED or STATUS_DEVICE_REMOVED
 * @Buffer: what the peer answered, valid during the call; NULL without answer
 * @BufferLength: bytes at @Buffer
 *
 * Context: process or softirq.  May run before the send returns.
 */
typedef VOID EVT_VMB_PACKET_COMPLETION_ROUTINE(VMBPACKET Packet, NTSTATUS Status, PVOID Buffer,
					       UINT32 BufferLength);
typedef EVT_VMB_PACKET_COMPLETION_ROUTINE *PFN_VMB_PACKET_COMPLETION_ROUTINE;
typedef VOID EVT_VMB_PACKET_COMPLETION_ROUTINE_EX(VMBPACKET Packet, PVOID CallbackContext,
						  NTSTATUS Status, PVOID Buffer,
						  UINT32 BufferLength);
typedef EVT_VMB_PACKET_COMPLETION_ROUTINE_EX *PFN_VMB_PACKET_COMPLETION_ROUTINE_EX;

/**
 * typedef EVT_VMB_CHANNEL_SAVE_PACKET - add the driver's state to a saved packet
 * @Channel: a server channel that is being saved
 * @Packet: the packet.  Decided here: for an incoming packet this is the handle
 *          that ProcessPacket delivered, cast
 * @SaveBuffer: where the state goes
 * @SaveBufferSize: bytes at @SaveBuffer; the first call says 0
 * @BytesNeeded: bytes that the state takes
 *
 * Context: process, may sleep.
 * Return: success with size 0 means that there is no state; a failure means
 * that the library calls again with at least @BytesNeeded bytes.
 */
typedef NTSTATUS EVT_VMB_CHANNEL_SAVE_PACKET(VMBCHANNEL Channel, VMBPACKET Packet,
					     PVOID SaveBuffer, UINT32 SaveBufferSize,
					     PUINT32 BytesNeeded);
typedef EVT_VMB_CHANNEL_SAVE_PACKET *PFN_VMB_CHANNEL_SAVE_PACKET;
typedef NTSTATUS EVT_VMB_CHANNEL_SAVE_PACKET_EX(VMBCHANNEL Channel, PVOID CallbackContext,
						VMBPACKET Packet, PVOID SaveBuffer,
						UINT32 SaveBufferSize, PUINT32 BytesNeeded);
typedef EVT_VMB_CHANNEL_SAVE_PACKET_EX *PFN_VMB_CHANNEL_SAVE_PACKET_EX;

/**
 * typedef EVT_VMB_CHANNEL_RESTORE_PACKET - take over a restored packet
 * @Channel: a server channel that is being restored
 * @LibraryBuffer: what VmbPacketRestore() wants
 * @LibraryBufferSize: bytes at @LibraryBuffer
 * @SaveBuffer: what SavePacket wrote.  Decided here: NULL when it wrote nothing
 * @SaveBufferSize: bytes at @SaveBuffer
 *
 * Context: process, may sleep.
 * Return: a failure makes VmbChannelRestoreFromBuffer() fail.
 */
typedef NTSTATUS EVT_VMB_CHANNEL_RESTORE_PACKET(VMBCHANNEL Channel, PVOID LibraryBuffer,
						UINT32 LibraryBufferSize, PVOID SaveBuffer,
						UINT32 SaveBufferSize);
typedef EVT_VMB_CHANNEL_RESTORE_PACKET *PFN_VMB_CHANNEL_RESTORE_PACKET;
typedef NTSTATUS EVT_VMB_CHANNEL_RESTORE_PACKET_EX(VMBCHANNEL Channel, PVOID CallbackContext,
						   PVOID LibraryBuffer, UINT32 LibraryBufferSize,
						   PVOID SaveBuffer, UINT32 SaveBufferSize);
typedef EVT_VMB_CHANNEL_RESTORE_PACKET_EX *PFN_VMB_CHANNEL_RESTORE_PACKET_EX;

/**
 * typedef EVT_VMB_CHANNEL_PNP_FAILURE - an awaited offer came and could not be opened
 * @Channel: the channel
 * @Status: why
 *
 * There is no Ex form.
 *
 * Context: process, may sleep.
 */
typedef VOID EVT_VMB_CHANNEL_PNP_FAILURE(VMBCHANNEL Channel, NTSTATUS Status);
typedef EVT_VMB_CHANNEL_PNP_FAILURE *PFN_VMB_CHANNEL_PNP_FAILURE;

#define VMB_CHANNEL_STATE_CHANGE_CALLBACKS_VERSION_1	1
#define VMB_CHANNEL_STATE_CHANGE_CALLBACKS_VERSION_5	5

/*
 * Both structs go through VmbChannelInitSetStateChangeCallbacks(); a caller of
 * the V5 form casts.  Decided here: a NULL entry means the default handler,
 * which succeeds and does nothing.
 */
typedef struct _VMB_CHANNEL_STATE_CHANGE_CALLBACKS {
	ULONG Version;
	ULONG Size;
	PFN_VMB_CHANNEL_OPENED EvtChannelOpened;
	PFN_VMB_CHANNEL_CLOSED EvtChannelClosed;
	PFN_VMB_CHANNEL_SUSPEND EvtChannelSuspend;
	PFN_VMB_CHANNEL_STARTED EvtChannelStarted;
	PFN_VMB_CHANNEL_POST_STARTED EvtChannelPostStarted;
} VMB_CHANNEL_STATE_CHANGE_CALLBACKS, *PVMB_CHANNEL_STATE_CHANGE_CALLBACKS;

typedef struct _VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5 {
	ULONG Version;
	ULONG Size;
	PVOID CallbackContext;
	PFN_VMB_CHANNEL_OPENED_EX EvtChannelOpenedEx;
	PFN_VMB_CHANNEL_CLOSED_EX EvtChannelClosedEx;
	PFN_VMB_CHANNEL_SUSPEND_EX EvtChannelSuspendEx;
	PFN_VMB_CHANNEL_STARTED_EX EvtChannelStartedEx;
	PFN_VMB_CHANNEL_POST_STARTED_EX EvtChannelPostStartedEx;
} VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5, *PVMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5;

C_ASSERT(sizeof(VMB_CHANNEL_STATE_CHANGE_CALLBACKS) == 48);
C_ASSERT(offsetof(VMB_CHANNEL_STATE_CHANGE_CALLBACKS, EvtChannelOpened) == 8);
C_ASSERT(sizeof(VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5) == 56);
C_ASSERT(offsetof(VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5, EvtChannelOpenedEx) == 16);

/**
 * VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT() - prepare a struct of callbacks
 * @Callbacks: zeroed; gets its version and size
 *
 * Context: any.
 */
static inline void
VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(PVMB_CHANNEL_STATE_CHANGE_CALLBACKS Callbacks)
{
	memset(Callbacks, 0, sizeof(*Callbacks));
	Callbacks->Version = VMB_CHANNEL_STATE_CHANGE_CALLBACKS_VERSION_1;
	Callbacks->Size = sizeof(*Callbacks);
}

/**
 * VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT_V5() - prepare a struct of callbacks
 * @Callbacks: zeroed; gets its version and size
 *
 * Context: any.
 */
static inline void
VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT_V5(PVMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5 Callbacks)
{
	memset(Callbacks, 0, sizeof(*Callbacks));
	Callbacks->Version = VMB_CHANNEL_STATE_CHANGE_CALLBACKS_VERSION_5;
	Callbacks->Size = sizeof(*Callbacks);
}

#include <kmcl/config-functions.h>
#include <kmcl/channel-functions.h>
#include <kmcl/packet-functions.h>
#include <kmcl/server-functions.h>
#include <kmcl/interface-tables.h>

#endif /* _VMBUSKERNELMODECLIENTLIBAPI_H */
