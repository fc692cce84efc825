/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What all integration services have in common on the wire.
 *
 * Little-endian.  The channel is a pipe, so the library adds and removes the pipe
 * header; a message begins behind it.  The host speaks first: it offers versions
 * in a negotiate message, then it sends the service's own messages.  The guest
 * answers each with a message of the same length, not with a completion.
 */
#ifndef _INTEGRATION_WIRE_H
#define _INTEGRATION_WIRE_H

#include <ntddk.h>

typedef struct _IC_VERSION {
	UINT16 Major;
	UINT16 Minor;
} IC_VERSION, *PIC_VERSION;

#define IC_TYPE_NEGOTIATE	0
#define IC_TYPE_HEARTBEAT	1
#define IC_TYPE_SHUTDOWN	3
#define IC_TYPE_TIMESYNC	4

/* Flags of a header. */
#define IC_TRANSACTION		0x01
#define IC_REQUEST		0x02
#define IC_RESPONSE		0x04

/* Status of a response; the values are COM's. */
#define IC_OK			0x00000000U
#define IC_FAIL			0x80004005U

/* Size counts what follows the header.  No host relies on it, so neither do we. */
typedef struct _IC_HEADER {
	IC_VERSION Framework;
	UINT16 Type;
	IC_VERSION Message;
	UINT16 Size;
	UINT32 Status;
	UINT8 TransactionId;
	UINT8 Flags;
	UINT8 Reserved[2];
} IC_HEADER, *PIC_HEADER;

/*
 * Both ways.  The framework's versions come first in Versions, then the service's.
 * A response names one of each, or none when there is no common one.
 */
typedef struct _IC_NEGOTIATE {
	UINT16 FrameworkCount;
	UINT16 MessageCount;
	UINT32 Reserved;
	IC_VERSION Versions[];
} IC_NEGOTIATE, *PIC_NEGOTIATE;

/*
 * A message's own part lies at a multiple of 4, so numbers of 64 bits in it come in
 * halves.
 */
typedef struct _IC_UINT64 {
	UINT32 Low;
	UINT32 High;
} IC_UINT64;

static inline UINT64 IcGet64(const IC_UINT64 *From)
{
	return (UINT64)From->High << 32 | From->Low;
}

static inline VOID IcPut64(IC_UINT64 *To, UINT64 Value)
{
	To->Low = (UINT32)Value;
	To->High = (UINT32)(Value >> 32);
}

/* No service here has a message that is longer than a page. */
#define IC_MAXIMUM_MESSAGE	4096

C_ASSERT(sizeof(IC_VERSION) == 4);
C_ASSERT(sizeof(IC_HEADER) == 20);
C_ASSERT(sizeof(IC_NEGOTIATE) == 8);

#endif /* _INTEGRATION_WIRE_H */
