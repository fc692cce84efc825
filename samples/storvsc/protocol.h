/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between the storage protocol and the system that it runs on.
 *
 * The upper half is what the system calls, the lower half what it provides.  The
 * protocol carries SCSI commands to the host and their results back, over as many
 * channels as there are; what the commands mean is the system's business.
 */
#ifndef _STORVSC_PROTOCOL_H
#define _STORVSC_PROTOCOL_H

#include <ntddk.h>

#include "srb.h"

typedef struct _STOR_DEVICE STOR_DEVICE, *PSTOR_DEVICE;

typedef enum _STOR_KIND {
	StorKindScsi,
	/* One disk, whose path and target stand in the instance GUID. */
	StorKindIde,
	/* A Fibre Channel adapter; the host tells its addresses. */
	StorKindFibreChannel,
} STOR_KIND;

#define STOR_MAXIMUM_SUB_CHANNELS	63

typedef struct _STOR_CONFIG {
	/* What log lines call the device; stays valid as long as the device. */
	PCSTR Name;
	STOR_KIND Kind;
	/* At most so many channels besides the primary, if the host has them. */
	USHORT SubChannels;
	/* Of 4 KiB, for each direction of each channel. */
	ULONG RingPages;
	/* Requests that may be under way on one channel. */
	ULONG QueueDepth;
	/* Bytes that one request may carry, whatever the host would take. */
	ULONG MaximumTransfer;
} STOR_CONFIG, *PSTOR_CONFIG;

/* What the handshake has brought, and counters. */
typedef struct _STOR_INFORMATION {
	/* As on the wire, 0x0602 for 6.2; 0 while none is agreed. */
	ULONG Version;
	/* Bytes that one request may carry. */
	ULONG MaximumTransfer;
	/* Channels that requests go out on now. */
	ULONG Channels;
	/* Where an IDE disk is. */
	UCHAR Path;
	UCHAR Target;
	/* Of a Fibre Channel adapter. */
	UCHAR PortName[8];
	UCHAR NodeName[8];
	LONG64 BadMessages;
} STOR_INFORMATION, *PSTOR_INFORMATION;

typedef enum _STOR_DIRECTION {
	StorDirectionNone,
	StorDirectionIn,
	StorDirectionOut,
} STOR_DIRECTION;

typedef struct _STOR_REQUEST STOR_REQUEST, *PSTOR_REQUEST;

/* At or below DISPATCH_LEVEL, and possibly before StorSubmit returns. */
typedef VOID STOR_COMPLETION(PSTOR_REQUEST Request);
typedef STOR_COMPLETION *PSTOR_COMPLETION;

struct _STOR_REQUEST {
	/* ---- the question ---- */
	PSTOR_COMPLETION Completion;
	STOR_DIRECTION Direction;
	/* Bytes of Mdl that are the data, from its start; 0 and NULL: none. */
	ULONG DataLength;
	PMDL Mdl;
	/* In seconds, for the host; the guest waits as long as it takes. */
	ULONG Timeout;
	/* Chooses the channel: requests with the same hint go the same way. */
	ULONG Hint;
	UCHAR Path;
	UCHAR Target;
	UCHAR Lun;
	UCHAR CdbLength;
	UCHAR Cdb[16];

	/* ---- the answer ---- */
	/*
	 * STATUS_SUCCESS: the host has answered and what follows is valid.
	 * STATUS_CANCELLED, STATUS_DEVICE_REMOVED: the channel has gone.
	 * STATUS_UNSUCCESSFUL: the answer makes no sense.
	 */
	NTSTATUS Status;
	/* At most DataLength. */
	ULONG Transferred;
	UCHAR SrbStatus;
	UCHAR ScsiStatus;
	/* 0: there is no sense data. */
	UCHAR SenseLength;
	UCHAR Sense[20];
};

/*
 * StorCreate makes the device and brings its primary channel up; Adapter is
 * handed to the lower half.  StorReconnect closes the channels and begins anew.
 * The caller lets only one of StorCreate, StorReconnect and StorDestroy run at a
 * time.  StorDisconnect closes the channels, at any time between StorCreate and
 * StorDestroy: every request has been completed when it returns.  PASSIVE_LEVEL.
 */
NTSTATUS StorCreate(PDEVICE_OBJECT Parent, PVOID Adapter, const STOR_CONFIG *Config,
		    PSTOR_DEVICE *Device);
NTSTATUS StorReconnect(PSTOR_DEVICE Device);
VOID StorDisconnect(PSTOR_DEVICE Device);
VOID StorDestroy(PSTOR_DEVICE Device);

/*
 * Sends a request.  After success the request and its memory are the protocol's
 * until the completion routine is called, which happens once, however long the
 * host takes: until then the host may read and write the data.
 *
 * STATUS_INSUFFICIENT_RESOURCES: as many are under way as may be, try again
 * later.  STATUS_INVALID_DEVICE_STATE: there is no channel, now or for ever.
 * At or below DISPATCH_LEVEL.
 */
NTSTATUS StorSubmit(PSTOR_DEVICE Device, PSTOR_REQUEST Request);

VOID StorQueryInformation(PSTOR_DEVICE Device, PSTOR_INFORMATION Information);
/* Requests sent so far on channel Index, 0 for the primary. */
LONG64 StorQueryRequests(PSTOR_DEVICE Device, ULONG Index);

/* ---- what the system provides ---- */

/* The handshake is done, requests are possible.  PASSIVE_LEVEL. */
VOID StorAttached(PVOID Adapter);
/* The channels are closed; StorAttached may come again.  PASSIVE_LEVEL. */
VOID StorDetached(PVOID Adapter);
/* The host says that disks have come or gone.  Up to DISPATCH_LEVEL. */
VOID StorBusChanged(PVOID Adapter);

#endif /* _STORVSC_PROTOCOL_H */
