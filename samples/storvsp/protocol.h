/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between the storage server and the system that it runs on.
 *
 * The upper half is what the system calls, the lower half what it provides: disks,
 * as memory or files are.  All of it at PASSIVE_LEVEL.
 */
#ifndef _STORVSP_PROTOCOL_H
#define _STORVSP_PROTOCOL_H

#include <ntddk.h>

typedef struct _VSP_DEVICE VSP_DEVICE, *PVSP_DEVICE;

/* LUNs of the only target. */
#define VSP_LUNS			8
#define VSP_MAXIMUM_SUB_CHANNELS	63
/* Whatever clients ask for. */
#define VSP_MAXIMUM_TRANSFER		(1024 * 1024)

typedef struct _VSP_CONFIG {
	/* What log lines call the controller; stays valid as long as the device. */
	PCSTR Name;
	/* Tells controllers on one bus apart. */
	GUID Instance;
	/* The bus to offer on; NULL: the loopback. */
	HANDLE Bus;
	/* Channels besides the primary that a client may ask for. */
	USHORT SubChannels;
	/* Bytes that one request may carry: pages of 4 KiB. */
	ULONG MaximumTransfer;
} VSP_CONFIG, *PVSP_CONFIG;

typedef struct _VSP_INFORMATION {
	/* As on the wire, 0x0602 for 6.2; 0 while none is agreed. */
	ULONG Version;
	/* Open now, the primary included. */
	ULONG Channels;
	/* Requests that wait to be served. */
	ULONG Waiting;
	/* VspSave has succeeded, nothing is served. */
	BOOLEAN Saved;
	LONG64 BadMessages;
} VSP_INFORMATION, *PVSP_INFORMATION;

/*
 * VspCreate makes the controller; VspOffer, or VspRestore in its place, shows it to
 * clients.  VspDestroy takes it back from them: unless it was saved, its clients see
 * it go.  The system lets only one of these and of VspSave and VspResume run at a
 * time.
 */
NTSTATUS VspCreate(PDEVICE_OBJECT Parent, PVOID System, const VSP_CONFIG *Config,
		   PVSP_DEVICE *Device);
NTSTATUS VspOffer(PVSP_DEVICE Device);
VOID VspDestroy(PVSP_DEVICE Device);

/* Takes the next bytes of a saved state away.  A failure ends the save. */
typedef NTSTATUS VSP_WRITE(PVOID Context, const VOID *Buffer, ULONG Length);

/*
 * Saves the controller and its clients' requests, but not the disks.  After success
 * nothing is served any more; VspDestroy then leaves the clients waiting for a
 * controller that VspRestore makes of the state, and VspResume goes on as if nothing
 * had been saved.  After a failure the controller goes on by itself.
 */
NTSTATUS VspSave(PVSP_DEVICE Device, VSP_WRITE *Write, PVOID Context);
VOID VspResume(PVSP_DEVICE Device);
/* After a failure there is nothing left to do but VspDestroy. */
NTSTATUS VspRestore(PVSP_DEVICE Device, PVOID State, ULONG Length);

VOID VspQueryInformation(PVSP_DEVICE Device, PVSP_INFORMATION Information);
/* Messages that have come on channel Index, 0 for the primary. */
LONG64 VspQueryRequests(PVSP_DEVICE Device, ULONG Index);

/* ---- what the system provides ---- */

typedef struct _VSP_DISK {
	ULONG64 Blocks;
	/* A power of two, 512 to 4096. */
	ULONG BlockSize;
	BOOLEAN ReadOnly;
	/* Printable, not terminated. */
	CHAR Serial[16];
} VSP_DISK, *PVSP_DISK;

/* Whether there is a disk, and what it is. */
BOOLEAN VspQueryDisk(PVOID System, ULONG Lun, PVSP_DISK Disk);

/*
 * Whole blocks that exist, of a disk that exists; several calls at a time.  What one
 * call writes all later ones read, and a power failure of the server does not undo it.
 */
NTSTATUS VspRead(PVOID System, ULONG Lun, ULONG64 Offset, PVOID Buffer, ULONG Length);
NTSTATUS VspWrite(PVOID System, ULONG Lun, ULONG64 Offset, const VOID *Buffer, ULONG Length);
/* Unmapped blocks read as zeros. */
NTSTATUS VspUnmap(PVOID System, ULONG Lun, ULONG64 Offset, ULONG64 Length);

#endif /* _STORVSP_PROTOCOL_H */
