/* SPDX-License-Identifier: GPL-2.0 */
/* The message of the heartbeat service, as it stands behind the header of the framework. */
#ifndef _HEARTBEAT_WIRE_H
#define _HEARTBEAT_WIRE_H

#include "../integration/wire.h"

/*
 * Behind the sequence number hosts send between nothing and 32 bytes; the first
 * four take the state of the guest's applications, since version 3.
 */
typedef struct _HB_MESSAGE {
	IC_UINT64 Sequence;
	UINT32 State;
} HB_MESSAGE, *PHB_MESSAGE;

C_ASSERT(sizeof(HB_MESSAGE) == 12);

#endif /* _HEARTBEAT_WIRE_H */
