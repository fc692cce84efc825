/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The device, as the two files of the protocol share it: channel.c brings
 * messages in and runs the thread, protocol.c is what the thread does.
 */
#ifndef _DYNMEM_DEVICE_H
#define _DYNMEM_DEVICE_H

#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "wire.h"

#define DM_SECOND		10000000ULL

#define DmPrint(Level, Format, ...)						\
	DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_ ## Level ## _LEVEL, Format, ##__VA_ARGS__)

typedef enum _DM_STATE {
	DmStateOpened,
	DmStateVersion,
	DmStateCapabilities,
	DmStateReady,
	DmStateRefused,
} DM_STATE;

struct _DM_DEVICE {
	VMBCHANNEL Channel;
	PVOID Pages;

	/* Messages, between ProcessPacket and the thread. */
	KSPIN_LOCK Lock;
	LIST_ENTRY Messages;
	KEVENT Wake;

	PVOID Thread;
	LONG Stop;
	LONG Started;

	/* The thread's own, except that Opened sets it up. */
	DM_STATE State;
	ULONG Attempt;
	BOOLEAN WantsReports;
	BOOLEAN Complained;
	UINT32 TransactionId;
	ULONGLONG Asked;
	ULONGLONG NextReport;
	PDM_BALLOON_RESPONSE Response;

	/* Read by anyone. */
	LONG Version;
	LONG64 MaximumPages;
	LONG64 ReportsSent;
	LONG64 BalloonRequests;
	LONG64 UnballoonRequests;
	LONG64 HotAddRequests;
	LONG64 PagesBallooned;
	LONG64 BadMessages;
};

static inline BOOLEAN DmStopping(struct _DM_DEVICE *Device)
{
	return ReadAcquire(&Device->Stop) != 0;
}

/* Counts a message that a healthy host does not send. */
VOID DmBadMessage(struct _DM_DEVICE *Device, PDM_HEADER Header, const char *Why);

/* Does whatever is due by time.  Returns when it wants to be called again. */
ULONGLONG DmTick(struct _DM_DEVICE *Device);

/* Serves a message.  Returns FALSE when it is not what it says it is. */
BOOLEAN DmDispatch(struct _DM_DEVICE *Device, PDM_HEADER Header);

#endif /* _DYNMEM_DEVICE_H */
