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
 * @Channel: a paused server channel
 *
 * Context: process, may sleep.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER_1 when the channel cannot be
 * saved; STATUS_INSUFFICIENT_RESOURCES without memory.
 */
typedef NTSTATUS FN_VMB_CHANNEL_SAVE_BEGIN(VMBCHANNEL Channel);
typedef FN_VMB_CHANNEL_SAVE_BEGIN *PFN_VMB_CHANNEL_SAVE_BEGIN;
FN_VMB_CHANNEL_SAVE_BEGIN VmbChannelSaveBegin;

/**
 * typedef FN_VMB_CHANNEL_SAVE_CONTINUE - VmbChannelSaveContinue(): save some more
 * @Channel: the channel
 * @SaveBuffer: where the state goes
 * @SaveBufferSize: bytes there
 * @SaveBufferFilled: bytes written
 * @SaveBufferRequired: bytes that the next piece needs
 *
 * The bytes are this library's alone.  They hold every packet received and not
 * completed, and every packet sent and not answered.
 *
 * Decided here: after STATUS_SUCCESS, VmbChannelDisable() and
 * VmbChannelCleanup() without a VmbChannelStart() in between park the channel:
 * the library keeps offer, open and GPADLs for 120 s (a module parameter), and
 * VmbChannelRestoreFromBuffer() on a server channel with the same GUIDs adopts
 * it.
 *
 * Context: process, may sleep.
 * Return: STATUS_SUCCESS when all is saved; STATUS_BUFFER_OVERFLOW when some is,
 * call again; STATUS_BUFFER_TOO_SMALL when not even the next piece fits;
 * otherwise the save has failed.
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
 * Context: process, may sleep.
 */
typedef VOID FN_VMB_CHANNEL_SAVE_END(VMBCHANNEL Channel);
typedef FN_VMB_CHANNEL_SAVE_END *PFN_VMB_CHANNEL_SAVE_END;
FN_VMB_CHANNEL_SAVE_END VmbChannelSaveEnd;

/**
 * typedef FN_VMB_CHANNEL_RESTORE_FROM_BUFFER - take over what was saved
 * @Channel: a disabled server channel
 * @SaveBuffer: one or more whole chunks that VmbChannelSaveContinue() wrote
 * @SaveBufferSize: bytes there
 *
 * Context: process, may sleep.
 * Return: STATUS_SUCCESS when all is restored; STATUS_MORE_PROCESSING_REQUIRED
 * when more chunks exist, which is an error by its severity and is tested for
 * explicitly; otherwise the restore has failed and nothing is restored.
 */
typedef NTSTATUS FN_VMB_CHANNEL_RESTORE_FROM_BUFFER(VMBCHANNEL Channel, PVOID SaveBuffer,
						    ULONG SaveBufferSize);
typedef FN_VMB_CHANNEL_RESTORE_FROM_BUFFER *PFN_VMB_CHANNEL_RESTORE_FROM_BUFFER;
FN_VMB_CHANNEL_RESTORE_FROM_BUFFER VmbChannelRestoreFromBuffer;

/**
 * typedef FN_VMB_PACKET_RESTORE - VmbPacketRestore(): fill a restored packet
 * @Packet: a packet of VmbPacketAllocate(), inside RestorePacket
 * @LibraryBuffer: what RestorePacket was given
 * @LibraryBufferSize: bytes there
 *
 * Decided here: a restored incoming packet is completed by casting it to
 * VMBPACKETCOMPLETION.
 *
 * Context: process, may sleep.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER_2 or _3 when the buffer is not
 * what the library wrote.
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
