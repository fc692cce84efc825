/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between the keyboard's protocol and the system that it runs on.
 *
 * The upper half is what the system calls, the lower half what it provides.
 */
#ifndef _KEYBOARD_PROTOCOL_H
#define _KEYBOARD_PROTOCOL_H

#include <ntddk.h>

typedef struct _KB_DEVICE *PKB_DEVICE;

typedef struct _KB_COUNTERS {
	ULONG64 Keystrokes;
	/* Text that the host types without keys: there is nothing to map it to. */
	ULONG64 Characters;
	ULONG64 BadMessages;
} KB_COUNTERS, *PKB_COUNTERS;

/*
 * KbCreate makes the device, brings its channel up and waits until the host has
 * accepted the protocol, for ten seconds at the most.  Keystrokes may come before it
 * returns.  After KbDestroy nothing of the lower half is called.  Both at
 * PASSIVE_LEVEL.
 */
NTSTATUS KbCreate(PDEVICE_OBJECT Parent, PVOID System, PKB_DEVICE *Device);
VOID KbDestroy(PKB_DEVICE Device);
/* At any level. */
VOID KbQueryCounters(PKB_DEVICE Device, PKB_COUNTERS Counters);

/* Prefixes of a scan code; no key has both. */
#define KB_PREFIX_E0		0x01
#define KB_PREFIX_E1		0x02

/*
 * A key went down, or up.  ScanCode is of set 1, without the break bit: 1 to 0x7f.
 * At or below DISPATCH_LEVEL, one at a time, in the host's order.
 */
VOID KbKeystroke(PVOID System, UINT8 ScanCode, ULONG Prefix, BOOLEAN Down);

/* The channel has closed: nobody will say any more which keys go up.  At PASSIVE_LEVEL. */
VOID KbReleaseAll(PVOID System);

#endif /* _KEYBOARD_PROTOCOL_H */
