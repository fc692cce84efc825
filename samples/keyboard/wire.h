/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The messages of the synthetic keyboard, as they stand in a packet.
 *
 * Little-endian.  The guest asks for a version, the host responds and sends
 * keystrokes from then on.
 */
#ifndef _KEYBOARD_WIRE_H
#define _KEYBOARD_WIRE_H

#include <ntddk.h>

#define KB_TYPE_REQUEST		1
#define KB_TYPE_RESPONSE	2
#define KB_TYPE_KEYSTROKE	3
/* From the guest; not every guest tells. */
#define KB_TYPE_LEDS		4

/* Major in the high half. */
#define KB_VERSION_1_0		0x00010000

typedef struct _KB_REQUEST {
	UINT32 Type;
	UINT32 Version;
} KB_REQUEST, *PKB_REQUEST;

#define KB_ACCEPTED		0x00000001

typedef struct _KB_RESPONSE {
	UINT32 Type;
	UINT32 Status;
} KB_RESPONSE, *PKB_RESPONSE;

/* MakeCode is a character of UTF-16 then, and no key. */
#define KB_FLAG_UNICODE		0x00000001
#define KB_FLAG_BREAK		0x00000002
#define KB_FLAG_E0		0x00000004
#define KB_FLAG_E1		0x00000008

typedef struct _KB_KEYSTROKE {
	UINT32 Type;
	UINT16 MakeCode;
	UINT16 Reserved;
	UINT32 Flags;
} KB_KEYSTROKE, *PKB_KEYSTROKE;

#define KB_LED_SCROLL_LOCK	0x0001
#define KB_LED_NUM_LOCK		0x0002
#define KB_LED_CAPS_LOCK	0x0004

typedef struct _KB_LEDS {
	UINT32 Type;
	UINT16 Flags;
	UINT16 Reserved;
} KB_LEDS, *PKB_LEDS;

#define KB_MAXIMUM_MESSAGE	256

C_ASSERT(sizeof(KB_REQUEST) == 8);
C_ASSERT(sizeof(KB_RESPONSE) == 8);
C_ASSERT(sizeof(KB_KEYSTROKE) == 12);
C_ASSERT(sizeof(KB_LEDS) == 8);

#endif /* _KEYBOARD_WIRE_H */
