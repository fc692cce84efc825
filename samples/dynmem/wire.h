/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The messages of the Dynamic Memory protocol, as they stand in a packet.
 *
 * Little-endian, naturally aligned; a page is 4 KiB.  The guest begins: it asks
 * for a version until the host accepts one, reports what it can do, and from
 * then on reports its memory once a second and answers requests.
 */
#ifndef _DYNMEM_WIRE_H
#define _DYNMEM_WIRE_H

#include <ntddk.h>

typedef enum _DM_TYPE {
	DmVersionRequest = 1,
	DmVersionResponse = 2,
	DmCapabilitiesReport = 3,
	DmCapabilitiesResponse = 4,
	DmStatusReport = 5,
	DmBalloonRequest = 6,
	DmBalloonResponse = 7,
	DmUnballoonRequest = 8,
	DmUnballoonResponse = 9,
	DmHotAddRequest = 10,
	DmHotAddResponse = 11,
	DmInfo = 12,
} DM_TYPE;

/* The size of a message includes this; the guest numbers what it sends. */
typedef struct _DM_HEADER {
	UINT16 Type;
	UINT16 Size;
	UINT32 TransactionId;
} DM_HEADER, *PDM_HEADER;

/* No message is larger than a page. */
#define DM_MAXIMUM_MESSAGE	4096

/* Major in the high half, minor in the low half. */
#define DM_VERSION_3		0x00020000
#define DM_VERSION_2		0x00010000
#define DM_VERSION_1		0x00000003

#define DM_LAST_ATTEMPT		0x00000001

typedef struct _DM_VERSION_REQUEST {
	DM_HEADER Header;
	UINT32 Version;
	UINT32 Flags;
} DM_VERSION_REQUEST;

#define DM_ACCEPTED		0x0000000000000001ULL
/* In the capabilities response alone: the host does not want status reports. */
#define DM_NO_REPORTS		0x0000000000000004ULL

/* The answer to a version request and to a capabilities report. */
typedef struct _DM_RESPONSE {
	DM_HEADER Header;
	UINT64 Flags;
} DM_RESPONSE, *PDM_RESPONSE;

#define DM_CAN_BALLOON		0x0000000000000001ULL
#define DM_CAN_HOT_ADD		0x0000000000000002ULL

typedef struct _DM_CAPABILITIES_REPORT {
	DM_HEADER Header;
	UINT64 Capabilities;
	UINT64 MinimumPages;
	UINT64 MaximumPageNumber;
} DM_CAPABILITIES_REPORT;

/* In pages. The host computes with the first two. */
typedef struct _DM_STATUS_REPORT {
	DM_HEADER Header;
	UINT64 Available;
	UINT64 Committed;
	UINT64 PageFileSize;
	UINT64 ZeroAndFree;
	UINT32 PageFileWrites;
	UINT32 IoDifference;
} DM_STATUS_REPORT;

/* A range of pages in one number: 40 bits first page, 24 bits count. */
#define DM_RANGE_FIRST_BITS	40
#define DM_RANGE_MAXIMUM_COUNT	0xffffffULL
#define DM_RANGE(First, Count)	((UINT64)(First) | (UINT64)(Count) << DM_RANGE_FIRST_BITS)
#define DM_RANGE_FIRST(Range)	((Range) & ((1ULL << DM_RANGE_FIRST_BITS) - 1))
#define DM_RANGE_COUNT(Range)	((Range) >> DM_RANGE_FIRST_BITS)

typedef struct _DM_BALLOON_REQUEST {
	DM_HEADER Header;
	UINT32 Pages;
	UINT32 Reserved;
} DM_BALLOON_REQUEST, *PDM_BALLOON_REQUEST;

/* Bit 0 of MoreAndCount: another response follows.  The rest: ranges. */
typedef struct _DM_BALLOON_RESPONSE {
	DM_HEADER Header;
	UINT32 Reserved;
	UINT32 MoreAndCount;
	UINT64 Ranges[];
} DM_BALLOON_RESPONSE, *PDM_BALLOON_RESPONSE;

#define DM_MORE			0x00000001

typedef struct _DM_UNBALLOON_REQUEST {
	DM_HEADER Header;
	UINT32 Flags;
	UINT32 RangeCount;
	UINT64 Ranges[];
} DM_UNBALLOON_REQUEST, *PDM_UNBALLOON_REQUEST;

typedef struct _DM_UNBALLOON_RESPONSE {
	DM_HEADER Header;
} DM_UNBALLOON_RESPONSE;

typedef struct _DM_HOT_ADD_RESPONSE {
	DM_HEADER Header;
	UINT32 Pages;
	UINT32 Result;
} DM_HOT_ADD_RESPONSE;

#define DM_INFO_MAXIMUM_PAGES	0

typedef struct _DM_INFO {
	DM_HEADER Header;
	UINT32 Reserved;
	UINT32 InfoSize;
	UINT32 InfoType;
	UINT32 DataSize;
	UINT64 Data;
} DM_INFO, *PDM_INFO;

#define DM_MAXIMUM_RANGES							\
	((DM_MAXIMUM_MESSAGE - sizeof(DM_BALLOON_RESPONSE)) / sizeof(UINT64))

C_ASSERT(sizeof(DM_HEADER) == 8);
C_ASSERT(sizeof(DM_VERSION_REQUEST) == 16);
C_ASSERT(sizeof(DM_RESPONSE) == 16);
C_ASSERT(sizeof(DM_CAPABILITIES_REPORT) == 32);
C_ASSERT(sizeof(DM_STATUS_REPORT) == 48);
C_ASSERT(sizeof(DM_BALLOON_REQUEST) == 16);
C_ASSERT(sizeof(DM_BALLOON_RESPONSE) == 16);
C_ASSERT(sizeof(DM_UNBALLOON_REQUEST) == 16);
C_ASSERT(sizeof(DM_HOT_ADD_RESPONSE) == 16);
C_ASSERT(sizeof(DM_INFO) == 32);

#endif /* _DYNMEM_WIRE_H */
