/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between the keyboard server and the system that it runs on, which has the keys.
 */
#ifndef _KBDVSP_PROTOCOL_H
#define _KBDVSP_PROTOCOL_H

#include <ntddk.h>

typedef struct _KBV_DEVICE *PKBV_DEVICE;

typedef struct _KBV_COUNTERS {
	/* A client has the keyboard open and speaks its protocol. */
	BOOLEAN Connected;
	/* KB_LED_* of the last that it told. */
	ULONG Leds;
	ULONG64 Keystrokes;
	ULONG64 BadMessages;
} KBV_COUNTERS, *PKBV_COUNTERS;

/*
 * KbvCreate offers a keyboard on Bus, a bus's handle, or NULL: the loopback.  Both at
 * PASSIVE_LEVEL.
 */
NTSTATUS KbvCreate(PDEVICE_OBJECT Parent, HANDLE Bus, PKBV_DEVICE *Device);
VOID KbvDestroy(PKBV_DEVICE Device);

/* Prefixes of a scan code; no key has both. */
#define KBV_PREFIX_E0		0x01
#define KBV_PREFIX_E1		0x02

/*
 * A key goes down, or up.  ScanCode is of set 1, without the break bit: 1 to 0x7f.
 * In the order of the calls, which the caller sees to.
 *
 * STATUS_INVALID_DEVICE_STATE: nobody listens.  STATUS_INVALID_PARAMETER: no scan
 * code.  STATUS_INSUFFICIENT_RESOURCES: the client is slow to read, or memory short.
 * At or below DISPATCH_LEVEL.
 */
NTSTATUS KbvKeystroke(PKBV_DEVICE Device, UINT8 ScanCode, ULONG Prefix, BOOLEAN Down);

/* At any level. */
VOID KbvQueryCounters(PKBV_DEVICE Device, PKBV_COUNTERS Counters);

#endif /* _KBDVSP_PROTOCOL_H */
