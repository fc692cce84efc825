/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An integration service: its channel, the agreement about versions, and the
 * answers.  A service adds what its messages mean.
 */
#ifndef _INTEGRATION_IC_H
#define _INTEGRATION_IC_H

#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "wire.h"

typedef struct _IC_DEVICE *PIC_DEVICE;

#define IcPrint(Level, Format, ...)						\
	DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_ ## Level ## _LEVEL, Format, ##__VA_ARGS__)

/*
 * A message of the service's type, after a version was agreed.  Body is the
 * driver's own copy, Length bytes of it, aligned to 4; what is written there goes
 * back to the host.  Returns IC_OK or IC_FAIL for the answer.  What is stored in
 * Action, when it is not 0, is handed to IC_ANSWERED later.
 *
 * At or below DISPATCH_LEVEL, never two at a time.
 */
typedef UINT32 IC_MESSAGE(PVOID Context, IC_VERSION Version, PVOID Body, UINT32 Length,
			  PULONG Action);

/*
 * The answer to a message that had an Action has reached the ring, or never will.
 * At or below DISPATCH_LEVEL, never after IcDestroy has returned.
 */
typedef VOID IC_ANSWERED(PVOID Context, ULONG Action);

/* The channel opens: whatever an earlier one brought is void.  At PASSIVE_LEVEL. */
typedef VOID IC_OPENED(PVOID Context);

typedef struct _IC_SERVICE {
	PCUNICODE_STRING Name;
	UINT16 Type;
	/* In the order in which they are preferred. */
	const IC_VERSION *Versions;
	ULONG VersionCount;
	IC_MESSAGE *Message;
	IC_ANSWERED *Answered;
	IC_OPENED *Opened;
} IC_SERVICE;

typedef struct _IC_COUNTERS {
	/* Both 0.0 while none are agreed. */
	IC_VERSION Framework;
	IC_VERSION Message;
	/* Answers that were not sent, for want of memory or since the host reads none. */
	ULONG64 Unanswered;
	ULONG64 BadMessages;
} IC_COUNTERS, *PIC_COUNTERS;

/*
 * IcCreate makes the device and brings its channel up; messages may come before it
 * returns, but not before Device is set.  IcCreate and IcDestroy at PASSIVE_LEVEL,
 * IcQueryCounters at any level.
 */
NTSTATUS IcCreate(PDEVICE_OBJECT Parent, const IC_SERVICE *Service, PVOID Context,
		  PIC_DEVICE *Device);
VOID IcDestroy(PIC_DEVICE Device);
VOID IcQueryCounters(PIC_DEVICE Device, PIC_COUNTERS Counters);

/* Counts a message that a healthy host does not send. */
VOID IcBadMessage(PIC_DEVICE Device, const char *Why, ULONG Value);

#endif /* _INTEGRATION_IC_H */
