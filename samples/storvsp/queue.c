// SPDX-License-Identifier: GPL-2.0
/*
 * The requests of a channel, in the order in which they came.
 *
 * Written as a Windows driver writes it.  Packets come in at any level, and are
 * served at PASSIVE_LEVEL by a work item, one after the other; each channel has its
 * own, so a client that wants more at a time opens more channels.
 *
 *	        VspHold                 VspLeave, while held
 *	serving -------> held ------------------------------> giving back
 *	   ^  <---------                                          |
 *	   |    VspRelease                                        |
 *	   +------------------------- VspArrive ------------------+
 *
 * While the channel serves, VspLeave has nothing to do: the library waits for what
 * is under way.  What is held would never be answered then, so it goes back as it
 * is; the peer has gone, or the packets are saved and will be served by another
 * controller.
 */
#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "device.h"

static IO_WORKITEM_ROUTINE VspWork;

/* With the lock held.  TRUE: the caller queues the work item. */
static BOOLEAN VspMayWork(PVSP_CHANNEL Channel)
{
	if (Channel->Working || IsListEmpty(&Channel->Waiting) ||
	    (Channel->Held && !Channel->Leaving))
		return FALSE;
	Channel->Working = TRUE;
	KeClearEvent(&Channel->Idle);
	return TRUE;
}

static VOID VspStartWork(PVSP_CHANNEL Channel)
{
	IoQueueWorkItem(Channel->Work, VspWork, DelayedWorkQueue, Channel);
}

/* Back says that the request is not to be served. */
static PVSP_REQUEST VspDequeue(PVSP_CHANNEL Channel, PBOOLEAN Back)
{
	PLIST_ENTRY entry = NULL;
	KIRQL irql;

	KeAcquireSpinLock(&Channel->Lock, &irql);
	*Back = Channel->Held && Channel->Leaving;
	if (!IsListEmpty(&Channel->Waiting) && (*Back || !Channel->Held)) {
		entry = RemoveHeadList(&Channel->Waiting);
		Channel->WaitingCount--;
	} else {
		Channel->Working = FALSE;
		KeSetEvent(&Channel->Idle, IO_NO_INCREMENT, FALSE);
	}
	KeReleaseSpinLock(&Channel->Lock, irql);

	return entry ? CONTAINING_RECORD(entry, VSP_REQUEST, Link) : NULL;
}

static VOID NTAPI VspWork(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
	PVSP_CHANNEL channel = Context;
	PVSP_REQUEST request;
	BOOLEAN back;

	UNREFERENCED_PARAMETER(DeviceObject);

	for (;;) {
		/* After the last one the channel may be gone. */
		request = VspDequeue(channel, &back);
		if (!request)
			break;
		if (back)
			VmbChannelPacketComplete(request->Packet, NULL, 0);
		else
			VspServe(channel, request);
	}
}

VOID VspEnqueue(PVSP_CHANNEL Channel, PVSP_REQUEST Request)
{
	BOOLEAN start;
	KIRQL irql;

	KeAcquireSpinLock(&Channel->Lock, &irql);
	InsertTailList(&Channel->Waiting, &Request->Link);
	Channel->WaitingCount++;
	start = VspMayWork(Channel);
	KeReleaseSpinLock(&Channel->Lock, irql);
	if (start)
		VspStartWork(Channel);
}

/* Sets one of the two that steer the queue. */
static VOID VspSteer(PVSP_CHANNEL Channel, PBOOLEAN What, BOOLEAN Value)
{
	BOOLEAN start;
	KIRQL irql;

	KeAcquireSpinLock(&Channel->Lock, &irql);
	*What = Value;
	start = VspMayWork(Channel);
	KeReleaseSpinLock(&Channel->Lock, irql);
	if (start)
		VspStartWork(Channel);
}

VOID VspHold(PVSP_CHANNEL Channel)
{
	PAGED_CODE();

	VspSteer(Channel, &Channel->Held, TRUE);
	KeWaitForSingleObject(&Channel->Idle, Executive, KernelMode, FALSE, NULL);
}

VOID VspRelease(PVSP_CHANNEL Channel)
{
	VspSteer(Channel, &Channel->Held, FALSE);
}

VOID VspLeave(PVSP_CHANNEL Channel)
{
	VspSteer(Channel, &Channel->Leaving, TRUE);
}

VOID VspArrive(PVSP_CHANNEL Channel)
{
	VspSteer(Channel, &Channel->Leaving, FALSE);
}

NTSTATUS VspQueueCreate(PVSP_CHANNEL Channel, PDEVICE_OBJECT Parent)
{
	KeInitializeSpinLock(&Channel->Lock);
	InitializeListHead(&Channel->Waiting);
	KeInitializeEvent(&Channel->Idle, NotificationEvent, TRUE);
	Channel->Work = IoAllocateWorkItem(Parent);
	return Channel->Work ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

/* The channel is disabled: every packet has been completed. */
VOID VspQueueDelete(PVSP_CHANNEL Channel)
{
	KIRQL irql;

	if (!Channel->Work)
		return;
	KeWaitForSingleObject(&Channel->Idle, Executive, KernelMode, FALSE, NULL);
	/* Who set the event may still hold the lock. */
	KeAcquireSpinLock(&Channel->Lock, &irql);
	KeReleaseSpinLock(&Channel->Lock, irql);
	IoFreeWorkItem(Channel->Work);
}
