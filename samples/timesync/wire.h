/* SPDX-License-Identifier: GPL-2.0 */
/* The message of the time service, as it stands behind the header of the framework. */
#ifndef _TIMESYNC_WIRE_H
#define _TIMESYNC_WIRE_H

#include "../integration/wire.h"

/* Flags of a message.  None of them is a sample too. */
#define TS_FLAG_SYNC		0x01
#define TS_FLAG_SAMPLE		0x02

/* Version 4. */
typedef struct _TS_MESSAGE {
	IC_UINT64 HostTime;
	IC_UINT64 ReferenceTime;
	UINT8 Flags;
	UINT8 LeapIndicator;
	UINT8 Stratum;
	UINT8 Reserved;
} TS_MESSAGE, *PTS_MESSAGE;

/* Versions before; the host's view of the guest's clock has never been filled in. */
typedef struct _TS_MESSAGE_V3 {
	IC_UINT64 HostTime;
	IC_UINT64 GuestTime;
	IC_UINT64 RoundTripTime;
	UINT8 Flags;
	UINT8 Reserved[3];
} TS_MESSAGE_V3, *PTS_MESSAGE_V3;

C_ASSERT(FIELD_OFFSET(TS_MESSAGE, Flags) == 16);
C_ASSERT(FIELD_OFFSET(TS_MESSAGE_V3, Flags) == 24);

#endif /* _TIMESYNC_WIRE_H */
