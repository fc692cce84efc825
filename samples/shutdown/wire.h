/* SPDX-License-Identifier: GPL-2.0 */
/* The message of the shutdown service, as it stands behind the header of the framework. */
#ifndef _SHUTDOWN_WIRE_H
#define _SHUTDOWN_WIRE_H

#include "../integration/wire.h"

#define SD_FLAG_FORCE		0x00000001
#define SD_FLAG_RESTART		0x00000002
#define SD_FLAG_HIBERNATE	0x00000004

/* Windows' SHTDN_REASON_FLAG_PLANNED. */
#define SD_REASON_PLANNED	0x80000000

/* Followed by 2048 bytes of text for whoever sits before the screen. */
typedef struct _SD_MESSAGE {
	UINT32 Reason;
	UINT32 Seconds;
	UINT32 Flags;
} SD_MESSAGE, *PSD_MESSAGE;

C_ASSERT(sizeof(SD_MESSAGE) == 12);

#endif /* _SHUTDOWN_WIRE_H */
