/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What only the side that offers a channel calls.
 *
 * Each block describes the function whose type it is, VmbX for FN_VMB_X.
 * Decided here: on a client channel they return STATUS_INVALID_PARAMETER_1.
 *
 * Included by <vmbuskernelmodeclientlibapi.h> only.
 */
#ifndef _KMCL_SERVER_FUNCTIONS_H
#define _KMCL_SERVER_FUNCTIONS_H

/**
 * typedef FN_VMB_CHANNEL_MAP_GPADL - VmbChannelMapGpadl(): reach the client's memory
 * @Channel: an open server channel
 * @Flags: VMBUS_CHANNEL_GPADL_FLAG_* bits
 * @GpadlHandle: the GPADL, as the client named it
 * @Mdl: describes it until VmbChannelUnmapGpadl()
 *
 * One mapping per GPADL at a time.  The MDL is the library's: locked and not mapped
 * (MmGetSystemAddressForMdlSafe()), gone after VmbChannelUnmapGpadl(), and at the
 * latest when Closed returns.  Decided here: READ_ONLY is accepted and changes
 * nothing, and no GPADL is known to be read-only, because the wire has no bit for it.
 *
 * Context: process, may sleep.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER_1 when the channel is not an
 * open server's (from Opened to Closed, inside both too), and above PASSIVE_LEVEL;
 * _2 for an unknown bit; _3 for an unknown or mapped GPADL, and for that of the rings;
 * _4 for NULL; STATUS_INSUFFICIENT_RESOURCES without memory.
 */
typedef NTSTATUS FN_VMB_CHANNEL_MAP_GPADL(VMBCHANNEL Channel, UINT32 Flags, UINT32 GpadlHandle,
					  PMDL *Mdl);
typedef FN_VMB_CHANNEL_MAP_GPADL *PFN_VMB_CHANNEL_MAP_GPADL;
FN_VMB_CHANNEL_MAP_GPADL VmbChannelMapGpadl;

/**
 * typedef FN_VMB_CHANNEL_UNMAP_GPADL - VmbChannelUnmapGpadl(): let go of it
 * @Channel: the channel
 * @GpadlHandle: a mapped GPADL
 *
 * A client that deletes it waits for this.  One that is not mapped is ignored, with a
 * log line.
 *
 * Context: process, may sleep.
 */
typedef VOID FN_VMB_CHANNEL_UNMAP_GPADL(VMBCHANNEL Channel, UINT32 GpadlHandle);
typedef FN_VMB_CHANNEL_UNMAP_GPADL *PFN_VMB_CHANNEL_UNMAP_GPADL;
FN_VMB_CHANNEL_UNMAP_GPADL VmbChannelUnmapGpadl;

/**
 * typedef FN_VMB_CHANNEL_SAVE_BEGIN - VmbChannelSaveBegin(): begin to save
 * @Channel: an enabled server channel, running or paused, with a client or without
 *
 * The channel stands still from here on: ProcessPacket does not run, nothing is read
 * from the ring, not even answers, and nothing is written.  No state callback is
 * called.  What the driver sends and completes meanwhile waits.  Decided here:
 * VmbChannelStart() ends that, and all of it goes on; VmbChannelDisable() does, too.
 *
 * Context: process, may sleep; waits for ProcessPacket to return.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER_1 when the channel cannot be
 * saved: no server's, not enabled, being saved already, or its client has just gone;
 * STATUS_INVALID_DEVICE_REQUEST in a callback of the channel or above PASSIVE_LEVEL;
 * STATUS_INSUFFICIENT_RESOURCES without memory.
 */
typedef NTSTATUS FN_VMB_CHANNEL_SAVE_BEGIN(VMBCHANNEL Channel);
typedef FN_VMB_CHANNEL_SAVE_BEGIN *PFN_VMB_CHANNEL_SAVE_BEGIN;
FN_VMB_CHANNEL_SAVE_BEGIN VmbChannelSaveBegin;

/**
 * typedef FN_VMB_CHANNEL_SAVE_CONTINUE - VmbChannelSaveContinue(): save some more
 * @Channel: the channel
 * @SaveBuffer: where the state goes
 * @SaveBufferSize: bytes there; 65,536 hold any piece
 * @SaveBufferFilled: bytes written, whole pieces
 * @SaveBufferRequired: bytes that the next piece needs; 0 when there is none
 *
 * The bytes are this library's alone (Documentation/save-format.md).  They hold every
 * packet received and not completed, and every packet sent and not answered, each
 * with what SavePacket adds.  Decided here: a packet that is sent after this function
 * has come to the outgoing ones is not of this save; one that the driver completes
 * after SavePacket has been called for it is completed by who restores it, and the
 * driver's own completion is heard by nobody unless the channel goes on.
 *
 * Decided here: after STATUS_SUCCESS, VmbChannelDisable() and
 * VmbChannelCleanup() without a VmbChannelStart() in between park the channel:
 * the library keeps offer, open and GPADLs for 120 s (the module parameter
 * park_seconds), and VmbChannelRestoreFromBuffer() on a server channel with the same
 * GUIDs adopts it.  Outgoing packets complete with STATUS_CANCELLED.
 *
 * Context: process, may sleep; calls SavePacket.
 * Return: STATUS_SUCCESS when all is saved; STATUS_BUFFER_OVERFLOW when some is,
 * call again; STATUS_BUFFER_TOO_SMALL when not even the next piece fits;
 * otherwise nothing is written and, but for parameters, the save has failed:
 * STATUS_INVALID_PARAMETER_1 when the channel is not being saved (any more), _2 for
 * NULL with a size, _4 and _5 for NULL; STATUS_INVALID_DEVICE_REQUEST in a callback of
 * the channel or above PASSIVE_LEVEL; STATUS_DEVICE_REMOVED when the client has gone;
 * STATUS_INSUFFICIENT_RESOURCES without memory; what SavePacket returned.
 */
typedef NTSTATUS FN_VMB_CHANNEL_SAVE_CONTINUE(VMBCHANNEL Channel, PVOID SaveBuffer,
					      ULONG SaveBufferSize, PULONG SaveBufferFilled,
					      PULONG SaveBufferRequired);
typedef FN_VMB_CHANNEL_SAVE_CONTINUE *PFN_VMB_CHANNEL_SAVE_CONTINUE;
FN_VMB_CHANNEL_SAVE_CONTINUE VmbChannelSaveContinue;

/**
 * typedef FN_VMB_CHANNEL_SAVE_END - VmbChannelSaveEnd(): end the save
 * @Channel: the channel
 *
 * Decided here: the channel goes on standing still.  What follows is
 * VmbChannelStart(), after which all of it goes on and what was saved is void, or
 * VmbChannelDisable().
 *
 * Context: process, may sleep.
 */
typedef VOID FN_VMB_CHANNEL_SAVE_END(VMBCHANNEL Channel);
typedef FN_VMB_CHANNEL_SAVE_END *PFN_VMB_CHANNEL_SAVE_END;
FN_VMB_CHANNEL_SAVE_END VmbChannelSaveEnd;

/**
 * typedef FN_VMB_CHANNEL_RESTORE_FROM_BUFFER - take over what was saved
 * @Channel: a disabled server channel, configured as the one that was saved
 * @SaveBuffer: one or more whole chunks that VmbChannelSaveContinue() wrote, in order
 * @SaveBufferSize: bytes there
 *
 * Nothing happens before the last chunk has come and all of it has been checked.
 * Then RestorePacket is called for each packet that the driver had.  From the first
 * chunk to VmbChannelEnable() the channel's configuration is fixed.
 *
 * Decided here: VmbChannelEnable() opens a restored channel without a call of Opened,
 * since no client opens; VmbChannelStart() calls Started and PostStarted.  A packet
 * that ProcessPacket had not been called for yet comes as a new one, and so does
 * every packet of a driver without RestorePacket.  When the restore fails, packets
 * that RestorePacket has taken over are as at a close: outgoing ones complete with
 * STATUS_CANCELLED, the driver completes the incoming ones; and the client is let go.
 *
 * Who can change what is saved can have the driver read and write its client's memory:
 * it is kept as safe as that.
 *
 * Context: process, may sleep; calls RestorePacket.
 * Return: STATUS_SUCCESS when all is restored; STATUS_MORE_PROCESSING_REQUIRED
 * when more chunks exist, which is an error by its severity and is tested for
 * explicitly; otherwise nothing is restored: STATUS_INVALID_PARAMETER_1 when the channel
 * is not a disabled server's that can be offered, or is restored already;
 * STATUS_INVALID_PARAMETER_2 when this is not what was saved of this channel, damaged or
 * cut within a chunk, and for NULL; STATUS_INVALID_PARAMETER_3 for 0;
 * STATUS_INVALID_DEVICE_REQUEST in a callback of the channel or above PASSIVE_LEVEL;
 * STATUS_REVISION_MISMATCH when it needs a later library; STATUS_DEVICE_REMOVED when the
 * client has gone; STATUS_INSUFFICIENT_RESOURCES without memory;
 * STATUS_UNSUCCESSFUL when RestorePacket has not called VmbPacketRestore(); what it
 * returned.
 */
typedef NTSTATUS FN_VMB_CHANNEL_RESTORE_FROM_BUFFER(VMBCHANNEL Channel, PVOID SaveBuffer,
						    ULONG SaveBufferSize);
typedef FN_VMB_CHANNEL_RESTORE_FROM_BUFFER *PFN_VMB_CHANNEL_RESTORE_FROM_BUFFER;
FN_VMB_CHANNEL_RESTORE_FROM_BUFFER VmbChannelRestoreFromBuffer;

/**
 * typedef FN_VMB_PACKET_RESTORE - VmbPacketRestore(): fill a restored packet
 * @Packet: a packet of VmbPacketAllocate(), inside RestorePacket, on its thread, once; an
 *          outgoing one has its completion routine
 * @LibraryBuffer: what RestorePacket was given
 * @LibraryBufferSize: bytes there
 *
 * Decided here: a restored incoming packet is completed by casting it to
 * VMBPACKETCOMPLETION, and is no packet any more then; it does not count against
 * MaximumPacketCount.  Its payload is found with kmcl_packet_payload().
 *
 * Context: process, may sleep.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER_1 outside of RestorePacket, for a
 * second packet, and for one that is in use, too small, or not of the right kind;
 * STATUS_INVALID_PARAMETER_2 or _3 when the buffer is not what the library wrote.
 */
typedef NTSTATUS FN_VMB_PACKET_RESTORE(VMBPACKET Packet, PVOID LibraryBuffer,
				       ULONG LibraryBufferSize);
typedef FN_VMB_PACKET_RESTORE *PFN_VMB_PACKET_RESTORE;
FN_VMB_PACKET_RESTORE VmbPacketRestore;

/**
 * typedef FN_VMB_CONVERT_VMBUS_HANDLE_TO_KERNEL_HANDLE - keep a process' handle
 * @VmbusHandle: a handle of the calling process; Decided here: a file descriptor
 * @KernelHandle: the same object for the kernel; the caller closes it with ZwClose();
 *	NULL on failure
 *
 * Decided here: the descriptor is one that a provider of clients has given the
 * process, see kmcl_host_fd(); drivers of the kernel's own have kmcl_host_handle().
 *
 * Context: process, may sleep; in the process that owns the handle.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER_1 for a handle that is none;
 * STATUS_INVALID_PARAMETER_2 for NULL; STATUS_INSUFFICIENT_RESOURCES without memory;
 * STATUS_INVALID_DEVICE_REQUEST above PASSIVE_LEVEL.
 */
typedef NTSTATUS FN_VMB_CONVERT_VMBUS_HANDLE_TO_KERNEL_HANDLE(HANDLE VmbusHandle,
							      PHANDLE KernelHandle);
typedef FN_VMB_CONVERT_VMBUS_HANDLE_TO_KERNEL_HANDLE
	*PFN_VMB_CONVERT_VMBUS_HANDLE_TO_KERNEL_HANDLE;
FN_VMB_CONVERT_VMBUS_HANDLE_TO_KERNEL_HANDLE VmbConvertVmbusHandleToKernelHandle;

/**
 * typedef FN_VMB_SERVER_CHANNEL_INIT_SET_FLAGS - choose the kind of offer
 * @Channel: a disabled server channel
 * @Flags: VMBUS_SERVER_CHANNEL_INIT_FLAG_* bits
 *
 * LOOPBACK_OFFER offers to client channels of the same kernel, and OFFER_AS_PIPE says
 * to the client that both sides put the pipe header in front of packets, which
 * VmbChannelInitSetFlags() hides.  Decided here: the others are handed to the provider
 * of clients, and the loopback does nothing with them.
 *
 * Context: process, may sleep.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER_1 when the channel is not a
 * disabled server's; STATUS_INVALID_PARAMETER_2 for an unknown bit.
 */
typedef NTSTATUS FN_VMB_SERVER_CHANNEL_INIT_SET_FLAGS(VMBCHANNEL Channel, UINT32 Flags);
typedef FN_VMB_SERVER_CHANNEL_INIT_SET_FLAGS *PFN_VMB_SERVER_CHANNEL_INIT_SET_FLAGS;
FN_VMB_SERVER_CHANNEL_INIT_SET_FLAGS VmbServerChannelInitSetFlags;

/**
 * typedef FN_VMB_SERVER_CHANNEL_INIT_SET_MMIO_MEGABYTES - ask for a window
 * @Channel: a disabled server channel
 * @MmioMegabytes: MiB of address space that the client must have
 * @MmioMegabytesOptional: MiB that it may have besides
 *
 * For the provider of clients to make true; a client in the loopback has no window.
 *
 * Context: process, may sleep.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER_1 when the channel is not a
 * disabled server's; STATUS_INVALID_PARAMETER when both sizes are 0.
 */
typedef NTSTATUS FN_VMB_SERVER_CHANNEL_INIT_SET_MMIO_MEGABYTES(VMBCHANNEL Channel,
							       UINT16 MmioMegabytes,
							       UINT16 MmioMegabytesOptional);
typedef FN_VMB_SERVER_CHANNEL_INIT_SET_MMIO_MEGABYTES
	*PFN_VMB_SERVER_CHANNEL_INIT_SET_MMIO_MEGABYTES;
FN_VMB_SERVER_CHANNEL_INIT_SET_MMIO_MEGABYTES VmbServerChannelInitSetMmioMegabytes;

/**
 * typedef FN_VMB_SERVER_CHANNEL_INIT_SET_SAVE_RESTORE_PACKET_CALLBACKS - save packets
 * @Channel: a disabled server channel
 * @SavePacketCallback: adds the driver's state to a packet
 * @RestorePacketCallback: takes a restored packet over
 *
 * The latest valid registration wins, of this form or the Ex form.
 *
 * Context: process, may sleep.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER_1 when the channel is not a
 * disabled server's.
 */
typedef NTSTATUS FN_VMB_SERVER_CHANNEL_INIT_SET_SAVE_RESTORE_PACKET_CALLBACKS(VMBCHANNEL Channel,
		PFN_VMB_CHANNEL_SAVE_PACKET SavePacketCallback,
		PFN_VMB_CHANNEL_RESTORE_PACKET RestorePacketCallback);
typedef FN_VMB_SERVER_CHANNEL_INIT_SET_SAVE_RESTORE_PACKET_CALLBACKS
	*PFN_VMB_SERVER_CHANNEL_INIT_SET_SAVE_RESTORE_PACKET_CALLBACKS;
FN_VMB_SERVER_CHANNEL_INIT_SET_SAVE_RESTORE_PACKET_CALLBACKS
	VmbServerChannelInitSetSaveRestorePacketCallbacks;

/**
 * typedef FN_VMB_SERVER_CHANNEL_INIT_SET_SAVE_RESTORE_PACKET_CALLBACKS_EX - with context
 * @Channel: a disabled server channel
 * @CallbackContext: second parameter of both callbacks
 * @SavePacketCallback: adds the driver's state to a packet
 * @RestorePacketCallback: takes a restored packet over
 *
 * Context: process, may sleep.
 * Return: as the form without context.
 */
typedef NTSTATUS FN_VMB_SERVER_CHANNEL_INIT_SET_SAVE_RESTORE_PACKET_CALLBACKS_EX(VMBCHANNEL Channel,
		PVOID CallbackContext, PFN_VMB_CHANNEL_SAVE_PACKET_EX SavePacketCallback,
		PFN_VMB_CHANNEL_RESTORE_PACKET_EX RestorePacketCallback);
typedef FN_VMB_SERVER_CHANNEL_INIT_SET_SAVE_RESTORE_PACKET_CALLBACKS_EX
	*PFN_VMB_SERVER_CHANNEL_INIT_SET_SAVE_RESTORE_PACKET_CALLBACKS_EX;
FN_VMB_SERVER_CHANNEL_INIT_SET_SAVE_RESTORE_PACKET_CALLBACKS_EX
	VmbServerChannelInitSetSaveRestorePacketCallbacksEx;

/**
 * typedef FN_VMB_SERVER_CHANNEL_INIT_SET_TARGET_INTERFACE_ID - set the GUIDs
 * @Channel: a disabled server channel
 * @InterfaceType: the type that the offer carries, by value
 * @InterfaceInstance: the instance that it carries, by value
 *
 * Of sub-channels those of the primary count.
 *
 * Context: process, may sleep.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER_1 when the channel is not a
 * disabled server's.
 */
typedef NTSTATUS FN_VMB_SERVER_CHANNEL_INIT_SET_TARGET_INTERFACE_ID(VMBCHANNEL Channel,
								    GUID InterfaceType,
								    GUID InterfaceInstance);
typedef FN_VMB_SERVER_CHANNEL_INIT_SET_TARGET_INTERFACE_ID
	*PFN_VMB_SERVER_CHANNEL_INIT_SET_TARGET_INTERFACE_ID;
FN_VMB_SERVER_CHANNEL_INIT_SET_TARGET_INTERFACE_ID VmbServerChannelInitSetTargetInterfaceId;

/**
 * typedef FN_VMB_SERVER_CHANNEL_INIT_SET_TARGET_VTL - set the trust level
 * @Channel: a disabled server channel
 * @TargetVtl: the virtual trust level of the client; Decided here: 0
 *
 * Context: process, may sleep.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER_1 when the channel is not a
 * disabled server's; STATUS_INVALID_PARAMETER_2 for a level that cannot be had.
 */
typedef NTSTATUS FN_VMB_SERVER_CHANNEL_INIT_SET_TARGET_VTL(VMBCHANNEL Channel, UINT8 TargetVtl);
typedef FN_VMB_SERVER_CHANNEL_INIT_SET_TARGET_VTL *PFN_VMB_SERVER_CHANNEL_INIT_SET_TARGET_VTL;
FN_VMB_SERVER_CHANNEL_INIT_SET_TARGET_VTL VmbServerChannelInitSetTargetVtl;

/**
 * typedef FN_VMB_SERVER_CHANNEL_INIT_SET_VMBUS_HANDLE - set the bus
 * @Channel: a disabled server channel
 * @VmbusHandle: the bus to offer on, from VmbConvertVmbusHandleToKernelHandle()
 *
 * Decided here: the channel keeps what the handle names, not the handle, which may be
 * closed afterwards.  LOOPBACK_OFFER goes before it.  The latest counts.
 *
 * Context: process, may sleep.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER_1 when the channel is not a
 * disabled server's; STATUS_INVALID_PARAMETER_2 for a handle that is none.
 */
typedef NTSTATUS FN_VMB_SERVER_CHANNEL_INIT_SET_VMBUS_HANDLE(VMBCHANNEL Channel,
							     HANDLE VmbusHandle);
typedef FN_VMB_SERVER_CHANNEL_INIT_SET_VMBUS_HANDLE
	*PFN_VMB_SERVER_CHANNEL_INIT_SET_VMBUS_HANDLE;
FN_VMB_SERVER_CHANNEL_INIT_SET_VMBUS_HANDLE VmbServerChannelInitSetVmbusHandle;

#endif /* _KMCL_SERVER_FUNCTIONS_H */
