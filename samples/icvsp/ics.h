/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The server of an integration service: its channel, the agreement about versions,
 * and the questions.  A service adds what its messages mean.
 */
#ifndef _ICVSP_ICS_H
#define _ICVSP_ICS_H

#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "../integration/wire.h"

typedef struct _ICS_DEVICE *PICS_DEVICE;

/* The longest message is a shutdown's. */
#define ICS_MAXIMUM_BODY	2060

#define IcsPrint(Level, Format, ...)						\
	DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_ ## Level ## _LEVEL, Format, ##__VA_ARGS__)

/*
 * At or below DISPATCH_LEVEL; any but Body may be called while another runs.  After
 * IcsDestroy none is called.
 */
typedef struct _ICS_SERVICE {
	PCUNICODE_STRING Name;
	GUID Type;
	UINT16 MessageType;
	/* What is offered; the client chooses. */
	const IC_VERSION *Versions;
	ULONG VersionCount;
	/* In ms; 0: Tick is not called. */
	LONG Period;
	/* A client has chosen.  May be NULL. */
	VOID (*Agreed)(PVOID Context);
	/* Again and again from then on, while the channel is open. */
	VOID (*Tick)(PVOID Context);
	/*
	 * The client has answered the last message with IC_OK, IC_FAIL or another
	 * failure.  Body is the driver's own copy, Length bytes of it.
	 */
	VOID (*Answered)(PVOID Context, UINT32 Status, PVOID Body, UINT32 Length);
	/* There will be no answer any more.  PASSIVE_LEVEL; may be NULL. */
	VOID (*Closed)(PVOID Context);
} ICS_SERVICE;

typedef struct _ICS_COUNTERS {
	/* Both 0.0 while none are agreed. */
	IC_VERSION Framework;
	IC_VERSION Message;
	ULONG64 Sent;
	ULONG64 Answered;
	ULONG64 BadMessages;
} ICS_COUNTERS, *PICS_COUNTERS;

/*
 * IcsCreate offers the service on Bus, a bus's handle, or NULL: the loopback.  Calls
 * may come before it returns, but not before Device is set.  IcsCreate and IcsDestroy
 * at PASSIVE_LEVEL, IcsQueryCounters at any level.
 */
NTSTATUS IcsCreate(PDEVICE_OBJECT Parent, HANDLE Bus, const ICS_SERVICE *Service,
		   PVOID Context, PICS_DEVICE *Device);
VOID IcsDestroy(PICS_DEVICE Device);
VOID IcsQueryCounters(PICS_DEVICE Device, PICS_COUNTERS Counters);

/*
 * Sends a message; an answer to the one before is not waited for any more.
 * STATUS_INVALID_DEVICE_STATE: no client has agreed to a version.
 * STATUS_INSUFFICIENT_RESOURCES: memory is short, or the client does not read.  At or
 * below DISPATCH_LEVEL.
 */
NTSTATUS IcsSend(PICS_DEVICE Device, const VOID *Body, UINT32 Length);

/* 0.0 while none is agreed. */
IC_VERSION IcsVersion(PICS_DEVICE Device);

/* Counts a message that a healthy client does not send. */
VOID IcsBadMessage(PICS_DEVICE Device, const char *Why, ULONG Value);

#endif /* _ICVSP_ICS_H */
