/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a driver does with a configured channel, and the memory that it shares
 * with the peer as a whole (GPADLs).
 *
 * Each block describes the function whose type it is, VmbX for FN_VMB_X.
 *
 * Included by <vmbuskernelmodeclientlibapi.h> only.
 */
#ifndef _KMCL_CHANNEL_FUNCTIONS_H
#define _KMCL_CHANNEL_FUNCTIONS_H

/**
 * typedef FN_VMB_CHANNEL_ENABLE - VmbChannelEnable(): bring the channel up
 * @Channel: a disabled channel
 *
 * A client takes an existing offer or waits for one and returns at once; it
 * needs no VmbChannelStart() unless it was paused.  A server offers the channel
 * and needs VmbChannelStart().
 *
 * Decided here: when the offer is present, the channel is opened and the state
 * callbacks run before this returns, and a failure to open is returned; when it
 * is not, this returns success and a later failure reaches PnpFailure.
 *
 * Decided here: the rings grow until two packets of the largest permitted
 * encoding fit; they are never made smaller than asked for.
 *
 * Decided here: inside Closed and PnpFailure it returns success and takes effect
 * when they have returned; a failure then reaches PnpFailure.  Inside the Closed
 * that the driver's own VmbChannelDisable() brings about it is refused.
 *
 * Decided here: while the system hibernates an open channel is closed (Suspend,
 * Closed) and opened again afterwards (Opened, Started, PostStarted) without a
 * call of the driver's; one that comes meanwhile returns success and does
 * nothing, and one for a disabled channel takes effect afterwards.
 *
 * Context: process, may sleep; inside no other state callback.
 * Return: STATUS_SUCCESS; STATUS_INVALID_DEVICE_STATE when the channel is not
 * disabled, is a sub-channel whose primary is not open, or from the wrong context;
 * STATUS_INVALID_PARAMETER_1 for a handle
 * that is none; STATUS_NOT_SUPPORTED when no transport can be loaded, and for a
 * server without a bus to offer on;
 * STATUS_INVALID_PARAMETER when the configured limits exceed 524,280
 * bytes per packet, and for a server without GUIDs; STATUS_INSUFFICIENT_RESOURCES when rings or receive pool
 * cannot be had or the pool would exceed 64 MiB, with a log line of the numbers;
 * STATUS_UNSUCCESSFUL when another driver owns the offer (or, of a server, offers the
 * same), with a log line of its
 * name; otherwise what Opened returned or what became of the peer's answer.
 */
typedef NTSTATUS FN_VMB_CHANNEL_ENABLE(VMBCHANNEL Channel);
typedef FN_VMB_CHANNEL_ENABLE *PFN_VMB_CHANNEL_ENABLE;
FN_VMB_CHANNEL_ENABLE VmbChannelEnable;

/**
 * typedef FN_VMB_CHANNEL_DISABLE - VmbChannelDisable(): take the channel down
 * @Channel: a channel in any state
 *
 * Returns when the teardown is complete: Suspend and Closed have returned, every
 * packet has been completed, and no callback of the channel runs any more.  The
 * peer's silence on packets does not hold it up.
 *
 * Context: process, may sleep; never inside a callback of the channel.
 */
typedef VOID FN_VMB_CHANNEL_DISABLE(VMBCHANNEL Channel);
typedef FN_VMB_CHANNEL_DISABLE *PFN_VMB_CHANNEL_DISABLE;
FN_VMB_CHANNEL_DISABLE VmbChannelDisable;

/**
 * typedef FN_VMB_CHANNEL_START - VmbChannelStart(): let traffic flow
 * @Channel: a channel
 *
 * On an open, paused channel this calls Started and then PostStarted.
 *
 * Context: process, may sleep; never inside a state callback.
 */
typedef VOID FN_VMB_CHANNEL_START(VMBCHANNEL Channel);
typedef FN_VMB_CHANNEL_START *PFN_VMB_CHANNEL_START;
FN_VMB_CHANNEL_START VmbChannelStart;

/**
 * typedef FN_VMB_CHANNEL_PAUSE - VmbChannelPause(): hold traffic back
 * @Channel: a channel
 *
 * On a running channel this stops the queue, calls Suspend and not Closed, and
 * returns when Suspend has returned and every incoming packet has been
 * completed.  On a disabled channel it means: come up paused; such a channel
 * gets Opened alone until VmbChannelStart().
 *
 * Decided here: while paused, sends queue, and the ring is read only as far as
 * completions stand at its head.
 *
 * Context: process, may sleep; never inside a state callback.
 */
typedef VOID FN_VMB_CHANNEL_PAUSE(VMBCHANNEL Channel);
typedef FN_VMB_CHANNEL_PAUSE *PFN_VMB_CHANNEL_PAUSE;
FN_VMB_CHANNEL_PAUSE VmbChannelPause;

/**
 * typedef FN_VMB_CHANNEL_SET_POINTER - VmbChannelSetPointer(): keep a pointer
 * @Channel: a channel in any state
 * @Pointer: whatever the driver likes
 *
 * Context: process or softirq.
 */
typedef VOID FN_VMB_CHANNEL_SET_POINTER(VMBCHANNEL Channel, PVOID Pointer);
typedef FN_VMB_CHANNEL_SET_POINTER *PFN_VMB_CHANNEL_SET_POINTER;
FN_VMB_CHANNEL_SET_POINTER VmbChannelSetPointer;

/**
 * typedef FN_VMB_CHANNEL_GET_POINTER - VmbChannelGetPointer(): find it again
 * @Channel: a channel in any state
 *
 * Context: process or softirq.
 * Return: what VmbChannelSetPointer() kept, NULL before.
 */
typedef PVOID FN_VMB_CHANNEL_GET_POINTER(VMBCHANNEL Channel);
typedef FN_VMB_CHANNEL_GET_POINTER *PFN_VMB_CHANNEL_GET_POINTER;
FN_VMB_CHANNEL_GET_POINTER VmbChannelGetPointer;

/**
 * typedef FN_VMB_CHANNEL_GET_INTERFACE_INSTANCE - which offer is it
 * @Channel: a channel that is bound to an offer
 * @InterfaceInstance: the instance of that offer, also when any was asked for;
 *                     Decided here: zero when there is none yet
 *
 * Context: process, may sleep.
 */
typedef VOID FN_VMB_CHANNEL_GET_INTERFACE_INSTANCE(VMBCHANNEL Channel, LPGUID InterfaceInstance);
typedef FN_VMB_CHANNEL_GET_INTERFACE_INSTANCE *PFN_VMB_CHANNEL_GET_INTERFACE_INSTANCE;
FN_VMB_CHANNEL_GET_INTERFACE_INSTANCE VmbChannelGetInterfaceInstance;

/**
 * typedef FN_VMB_CHANNEL_GET_MMIO_SPACE - VmbChannelGetMmioSpace(): where is its window
 * @Channel: a channel, from Opened to the return of Closed
 * @PhysicalAddress: Decided here: the physical address of the window, for
 *                   ioremap(); or NULL
 * @Size: its bytes, or NULL.  Decided here: both are 0 when the offer has no
 *        window, when there is no room for it, with a log line, and at any other
 *        time
 *
 * The addresses are reserved at the first call and given back when Closed has
 * returned; what the driver has mapped there must be unmapped by then.
 *
 * Context: process, may sleep.
 */
typedef VOID FN_VMB_CHANNEL_GET_MMIO_SPACE(VMBCHANNEL Channel, UINT64 *PhysicalAddress,
					   UINT64 *Size);
typedef FN_VMB_CHANNEL_GET_MMIO_SPACE *PFN_VMB_CHANNEL_GET_MMIO_SPACE;
FN_VMB_CHANNEL_GET_MMIO_SPACE VmbChannelGetMmioSpace;

/**
 * typedef FN_VMB_CHANNEL_GET_TARGET_DEVICE_OBJECT - the VMBus device
 * @Channel: a channel, from Opened to the return of Closed
 * @TargetDeviceObject: the VMBus device that the channel speaks through; NULL at
 *                      any other time
 *
 * Decided here: no reference is taken.  The device is there until Closed returns;
 * who wants it for longer takes a reference of its own before, with
 * get_device(kmcl_device(TargetDeviceObject)).
 *
 * Context: process, may sleep.
 */
typedef VOID FN_VMB_CHANNEL_GET_TARGET_DEVICE_OBJECT(VMBCHANNEL Channel,
						     PDEVICE_OBJECT *TargetDeviceObject);
typedef FN_VMB_CHANNEL_GET_TARGET_DEVICE_OBJECT *PFN_VMB_CHANNEL_GET_TARGET_DEVICE_OBJECT;
FN_VMB_CHANNEL_GET_TARGET_DEVICE_OBJECT VmbChannelGetTargetDeviceObject;

/**
 * typedef FN_VMB_CHANNEL_GET_PARENT_DEVICE_OBJECT - the driver's device
 * @Channel: a channel in any state
 * @ParentDeviceObject: what the channel was made with, perhaps NULL
 *
 * Decided here: no reference is taken.  The channel holds one of its own until
 * VmbChannelCleanup().
 *
 * Context: process, may sleep.
 */
typedef VOID FN_VMB_CHANNEL_GET_PARENT_DEVICE_OBJECT(VMBCHANNEL Channel,
						     PDEVICE_OBJECT *ParentDeviceObject);
typedef FN_VMB_CHANNEL_GET_PARENT_DEVICE_OBJECT *PFN_VMB_CHANNEL_GET_PARENT_DEVICE_OBJECT;
FN_VMB_CHANNEL_GET_PARENT_DEVICE_OBJECT VmbChannelGetParentDeviceObject;

/**
 * typedef FN_VMB_CHANNEL_SET_INCOMING_PROCESSING_AT_PASSIVE - receive in process context
 * @Channel: a channel.  Decided here: in any state
 * @ProcessAtPassive: non-zero: deliver packets in process context alone
 *
 * Context: process, may sleep.
 */
typedef VOID FN_VMB_CHANNEL_SET_INCOMING_PROCESSING_AT_PASSIVE(VMBCHANNEL Channel,
							       BOOLEAN ProcessAtPassive);
typedef FN_VMB_CHANNEL_SET_INCOMING_PROCESSING_AT_PASSIVE
	*PFN_VMB_CHANNEL_SET_INCOMING_PROCESSING_AT_PASSIVE;
FN_VMB_CHANNEL_SET_INCOMING_PROCESSING_AT_PASSIVE VmbChannelSetIncomingProcessingAtPassive;

/**
 * typedef FN_VMB_CHANNEL_SET_TRANSACTION_QUOTA - bound the packets held
 * @Channel: a channel
 * @Quota: incoming packets that the driver may hold at a time, from 1
 *
 * Lowering it drops nothing and stops taking packets; a blocked queue restarts
 * only when a packet is completed.  Decided here: 0 is ignored with a log line;
 * on an enabled channel no more are held than fit into 64 MiB, and a log line
 * says so; on a disabled one VmbChannelEnable() refuses.
 *
 * Context: process or softirq.
 */
typedef VOID FN_VMB_CHANNEL_SET_TRANSACTION_QUOTA(VMBCHANNEL Channel, UINT32 Quota);
typedef FN_VMB_CHANNEL_SET_TRANSACTION_QUOTA *PFN_VMB_CHANNEL_SET_TRANSACTION_QUOTA;
FN_VMB_CHANNEL_SET_TRANSACTION_QUOTA VmbChannelSetTransactionQuota;

/**
 * typedef FN_VMB_CHANNEL_SET_ALLOWABLE_DPC_CPU_USAGE - bound the softirq share
 * @Channel: a channel in any state
 * @AllowableDpcCpuUsage: share of a processor for delivery in softirq, 1 to 100
 *                        percent; another value is one log line
 *
 * Decided here: counted in windows of 10 ms, over everything that the channel
 * does for incoming packets in softirq, completion routines included.  When the
 * share of a window is used up, new packets are delivered in process context,
 * where the scheduler divides the time, in order, and until that backlog is
 * empty; answers are still completed in softirq.  At 100 nothing is counted.
 *
 * Context: process, may sleep.
 */
typedef VOID FN_VMB_CHANNEL_SET_ALLOWABLE_DPC_CPU_USAGE(VMBCHANNEL Channel,
							UINT8 AllowableDpcCpuUsage);
typedef FN_VMB_CHANNEL_SET_ALLOWABLE_DPC_CPU_USAGE *PFN_VMB_CHANNEL_SET_ALLOWABLE_DPC_CPU_USAGE;
FN_VMB_CHANNEL_SET_ALLOWABLE_DPC_CPU_USAGE VmbChannelSetAllowableDpcCpuUsage;

/**
 * typedef FN_VMB_CHANNEL_SET_INTERRUPT_LATENCY - trade delay for fewer signals
 * @Channel: a channel from Opened to Closed, inside both callbacks too
 * @InterruptLatency: longest delay of a signal to the peer, in units of 100 ns
 * @OldInterruptLatency: the value before, written on success alone, or NULL
 *
 * hv_vmbus keeps the monitor page, where Windows puts this number, to itself.
 * Decided here: two values work on a channel that the host monitors, 0 (signal
 * at once) and 1000 (100 us, what the host does by itself, which is also how a
 * channel starts and what the old value then is).  A channel that is not
 * monitored signals at once, and takes 0 alone.
 *
 * Context: process, may sleep.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER_1 when the channel is not
 * open; STATUS_NOT_SUPPORTED for other values; STATUS_INVALID_DEVICE_STATE above
 * PASSIVE_LEVEL.
 */
typedef NTSTATUS FN_VMB_CHANNEL_SET_INTERRUPT_LATENCY(VMBCHANNEL Channel, UINT16 InterruptLatency,
						      PUINT16 OldInterruptLatency);
typedef FN_VMB_CHANNEL_SET_INTERRUPT_LATENCY *PFN_VMB_CHANNEL_SET_INTERRUPT_LATENCY;
FN_VMB_CHANNEL_SET_INTERRUPT_LATENCY VmbChannelSetInterruptLatency;

/**
 * typedef FN_VMB_CHANNEL_CREATE_GPADL_FROM_BUFFER - share a buffer
 * @Channel: an open client channel
 * @Flags: VMBUS_CHANNEL_GPADL_FLAG_* bits.  READ_ONLY is the driver's word to its
 *         server: the bus has no way to tell the peer, and enforces nothing
 * @Buffer: kernel memory (vmalloc, kmalloc, pages, a module's data) that starts
 *          with a page of 4 KiB
 * @BufferSize: bytes at @Buffer, whole pages, at most 33,546,240 over hv_vmbus
 * @GpadlHandle: the number that names the GPADL on both sides; written on success
 *               alone
 *
 * Returns when the peer has confirmed, however long that takes; after 10 s one
 * line says what it waits for.  A channel waits for one create or delete at a
 * time.  Valid from Opened to Closed; inside Closed there is no peer any more.
 *
 * The pages stay in place until VmbChannelDeleteGpadl() even if the driver frees
 * them before, except for an object of a slab (kmalloc() up to 8 KiB), which
 * nobody but the driver can keep.
 *
 * Context: process, may sleep.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER_1 when the channel is not open
 * or a server's; STATUS_INVALID_PARAMETER_2 for an unknown bit; _3, _4 or _5
 * when that is NULL or 0, and _3 too when the buffer is not all mapped memory of
 * the kernel; STATUS_NOT_SUPPORTED, with a log line, for parts of pages, for more
 * than the bus can describe, and on a confidential guest;
 * STATUS_INSUFFICIENT_RESOURCES without memory; STATUS_DEVICE_REMOVED when the
 * channel closes; STATUS_UNSUCCESSFUL when the peer refuses;
 * STATUS_INVALID_DEVICE_STATE above PASSIVE_LEVEL.
 */
typedef NTSTATUS FN_VMB_CHANNEL_CREATE_GPADL_FROM_BUFFER(VMBCHANNEL Channel, UINT32 Flags,
							 PVOID Buffer, UINT32 BufferSize,
							 PUINT32 GpadlHandle);
typedef FN_VMB_CHANNEL_CREATE_GPADL_FROM_BUFFER *PFN_VMB_CHANNEL_CREATE_GPADL_FROM_BUFFER;
FN_VMB_CHANNEL_CREATE_GPADL_FROM_BUFFER VmbChannelCreateGpadlFromBuffer;

/**
 * typedef FN_VMB_CHANNEL_CREATE_GPADL_FROM_MDL - share what an MDL names
 * @Channel: an open client channel
 * @Flags: VMBUS_CHANNEL_GPADL_FLAG_* bits
 * @Mdl: the memory, with its pages filled in; the Next chain is followed
 * @MdlOffset: bytes to skip from the start of the described buffer
 * @MdlLength: bytes to share, 0 for the rest
 * @GpadlHandle: the number that names the GPADL on both sides; written on success
 *               alone
 *
 * What is shared of each MDL is whole pages of 4 KiB; an MDL of 0 bytes is passed
 * over.  The MDLs themselves are not needed any more when this returns.
 *
 * Context: process, may sleep.
 * Return: as VmbChannelCreateGpadlFromBuffer(), with the numbers of these
 * parameters: _3 also for an MDL whose pages are not filled in, _4 when the chain
 * ends before the offset, _5 when it ends before the length;
 * STATUS_NOT_SUPPORTED also for frames that are not memory of this kernel.
 */
typedef NTSTATUS FN_VMB_CHANNEL_CREATE_GPADL_FROM_MDL(VMBCHANNEL Channel, UINT32 Flags,
						      PMDL Mdl, UINT32 MdlOffset,
						      UINT32 MdlLength, PUINT32 GpadlHandle);
typedef FN_VMB_CHANNEL_CREATE_GPADL_FROM_MDL *PFN_VMB_CHANNEL_CREATE_GPADL_FROM_MDL;
FN_VMB_CHANNEL_CREATE_GPADL_FROM_MDL VmbChannelCreateGpadlFromMdl;

/**
 * typedef FN_VMB_CHANNEL_CREATE_GPADL_FROM_PFN_LIST - share frames
 * @Channel: an open client channel
 * @Flags: VMBUS_CHANNEL_GPADL_FLAG_* bits
 * @PfnList: frame numbers in units of 4 KiB
 * @PfnCount: entries there, from 1, at most 8,190 over hv_vmbus
 * @GpadlHandle: the number that names the GPADL on both sides; written on success
 *               alone
 *
 * Context: process, may sleep.
 * Return: as VmbChannelCreateGpadlFromBuffer(), with the numbers of these
 * parameters; STATUS_NOT_SUPPORTED also for frames that are not memory of this
 * kernel.
 */
typedef NTSTATUS FN_VMB_CHANNEL_CREATE_GPADL_FROM_PFN_LIST(VMBCHANNEL Channel, UINT32 Flags,
							   PPFN_NUMBER PfnList, UINT32 PfnCount,
							   PUINT32 GpadlHandle);
typedef FN_VMB_CHANNEL_CREATE_GPADL_FROM_PFN_LIST *PFN_VMB_CHANNEL_CREATE_GPADL_FROM_PFN_LIST;
FN_VMB_CHANNEL_CREATE_GPADL_FROM_PFN_LIST VmbChannelCreateGpadlFromPfnList;

/**
 * typedef FN_VMB_CHANNEL_CREATE_GPADL - VmbChannelCreateGpadl(): share new memory
 * @Channel: an open client channel
 * @Flags: VMBUS_CHANNEL_GPADL_FLAG_* bits
 * @PageCount: pages of 4 KiB that the library allocates, from 1, at most 8,190
 *             over hv_vmbus
 * @GpadlHandle: the number that names the GPADL on both sides; written on success
 *               alone
 *
 * Not in any table.  The memory is zeroed and belongs to the library; it goes
 * with the GPADL.  On a confidential guest this is the only way to share memory,
 * because sharing destroys what was in it.
 *
 * Context: process, may sleep.
 * Return: as VmbChannelCreateGpadlFromBuffer(), with the numbers of these
 * parameters.
 */
typedef NTSTATUS FN_VMB_CHANNEL_CREATE_GPADL(VMBCHANNEL Channel, UINT32 Flags, UINT32 PageCount,
					     PUINT32 GpadlHandle);
typedef FN_VMB_CHANNEL_CREATE_GPADL *PFN_VMB_CHANNEL_CREATE_GPADL;
FN_VMB_CHANNEL_CREATE_GPADL VmbChannelCreateGpadl;

/**
 * typedef FN_VMB_CHANNEL_GET_SYSTEM_ADDRESS_FOR_GPADL - where is it
 * @Channel: the channel of the GPADL
 * @Flags: VMBUS_CHANNEL_GPADL_FLAG_* bits
 * @GpadlHandle: a GPADL that this channel has created, in whatever way
 * @SystemAddress: where the kernel sees the memory, in one piece, valid until
 *                 VmbChannelDeleteGpadl() or the return of Closed; NULL when
 *                 there is no such GPADL
 *
 * Not in any table.
 *
 * Context: process, may sleep.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER_1 for a handle that is no
 * channel, _2 for an unknown bit, _3 for an unknown GPADL, _4 for NULL;
 * STATUS_INVALID_DEVICE_STATE above PASSIVE_LEVEL.
 */
typedef NTSTATUS FN_VMB_CHANNEL_GET_SYSTEM_ADDRESS_FOR_GPADL(VMBCHANNEL Channel, UINT32 Flags,
							     UINT32 GpadlHandle,
							     PVOID *SystemAddress);
typedef FN_VMB_CHANNEL_GET_SYSTEM_ADDRESS_FOR_GPADL
	*PFN_VMB_CHANNEL_GET_SYSTEM_ADDRESS_FOR_GPADL;
FN_VMB_CHANNEL_GET_SYSTEM_ADDRESS_FOR_GPADL VmbChannelGetSystemAddressForGpadl;

/**
 * typedef FN_VMB_CHANNEL_DELETE_GPADL - VmbChannelDeleteGpadl(): end the sharing
 * @Channel: the channel of the GPADL
 * @GpadlHandle: the GPADL
 *
 * Waits until the peer has unmapped it, or is gone.  Valid from Opened to Closed,
 * inside both callbacks too.  The return of Closed deletes what is left.  Decided
 * here: the peer gives everything back when the rings close, before Closed is
 * called; there the driver can still read the memory and nobody else can.
 *
 * When the peer did not hear of the delete, the memory is never used again, and
 * a log line says so.  A handle that names no GPADL is one log line.
 *
 * Context: process, may sleep.
 */
typedef VOID FN_VMB_CHANNEL_DELETE_GPADL(VMBCHANNEL Channel, UINT32 GpadlHandle);
typedef FN_VMB_CHANNEL_DELETE_GPADL *PFN_VMB_CHANNEL_DELETE_GPADL;
FN_VMB_CHANNEL_DELETE_GPADL VmbChannelDeleteGpadl;

#endif /* _KMCL_CHANNEL_FUNCTIONS_H */
