/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The controller, as the files of the protocol share it: channel.c has the channels
 * and the handshake, queue.c the requests that wait, scsi.c serves commands, and
 * save.c saves and restores.
 */
#ifndef _STORVSP_DEVICE_H
#define _STORVSP_DEVICE_H

#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "../storvsc/wire.h"
#include "protocol.h"

/* "Vstr" in a memory dump. */
#define VSP_POOL_TAG		0x72747356

#define VspPrint(Device, Level, Format, ...)					\
	DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_ ## Level ## _LEVEL, "%s: " Format,	\
		   (Device)->Config.Name, ##__VA_ARGS__)

typedef struct _VSP_CHANNEL VSP_CHANNEL, *PVSP_CHANNEL;

/*
 * A message of the client's, in the room that the library keeps with the packet; it
 * is gone when the packet is completed.
 */
typedef struct _VSP_REQUEST {
	LIST_ENTRY Link;
	VMBPACKETCOMPLETION Packet;
	/* Bytes of Message that came; the rest is zero. */
	UINT16 Length;
	/* There are external data. */
	BOOLEAN External;
	STOR_PACKET Message;
} VSP_REQUEST, *PVSP_REQUEST;

struct _VSP_CHANNEL {
	PVSP_DEVICE Device;
	VMBCHANNEL Channel;
	/* 0 for the primary, else the sub-channel's index. */
	USHORT Index;
	/* A client has it open. */
	LONG Open;
	/* Between SaveBegin and SaveEnd. */
	BOOLEAN Saving;
	LONG64 Requests;

	/* ---- queue.c; Lock protects all of it ---- */
	KSPIN_LOCK Lock;
	LIST_ENTRY Waiting;
	ULONG WaitingCount;
	/* Nothing is served: what comes waits. */
	BOOLEAN Held;
	/* The channel goes: what is held is given back unserved. */
	BOOLEAN Leaving;
	/* The work item is queued or runs. */
	BOOLEAN Working;
	PIO_WORKITEM Work;
	/* Signalled while not Working. */
	KEVENT Idle;
};

/* What the client may ask next, if not for one of these steps. */
#define VSP_STEP_READY		0xffff

struct _VSP_DEVICE {
	VSP_CONFIG Config;
	PVOID System;

	/* A STOR_OPERATION, or VSP_STEP_READY: commands are served. */
	LONG Step;
	LONG Version;
	/* Sub-channels that the client has asked for. */
	ULONG Offered;
	BOOLEAN Saved;
	/* VspDestroy: there are no disks any more. */
	LONG Going;
	LONG64 BadMessages;

	/* As many as there are here, the primary first. */
	ULONG ChannelCount;
	VSP_CHANNEL Channels[];
};

/* channel.c: counts something that a healthy client does not send. */
VOID VspBadMessage(PVSP_DEVICE Device, UINT32 Operation, UINT32 Value, PCSTR Why);
/* Bytes of a message in the version agreed. */
ULONG VspPacketLength(PVSP_DEVICE Device);
/* Serves a request, and completes its packet. */
VOID VspServe(PVSP_CHANNEL Channel, PVSP_REQUEST Request);
NTSTATUS VspEnableChannel(PVSP_CHANNEL Channel);

/* queue.c */
NTSTATUS VspQueueCreate(PVSP_CHANNEL Channel, PDEVICE_OBJECT Parent);
VOID VspQueueDelete(PVSP_CHANNEL Channel);
VOID VspEnqueue(PVSP_CHANNEL Channel, PVSP_REQUEST Request);
/* When this returns, nothing is being served. */
VOID VspHold(PVSP_CHANNEL Channel);
VOID VspRelease(PVSP_CHANNEL Channel);
/* The channel closes or pauses: all that waits is answered, or given back. */
VOID VspLeave(PVSP_CHANNEL Channel);
VOID VspArrive(PVSP_CHANNEL Channel);

/* scsi.c: turns a command into its result; External is the client's memory. */
VOID VspExecute(PVSP_DEVICE Device, PSTOR_SRB Srb, PMDL External);

/* save.c */
EVT_VMB_CHANNEL_SAVE_PACKET_EX VspSavePacket;
EVT_VMB_CHANNEL_RESTORE_PACKET_EX VspRestorePacket;

#endif /* _STORVSP_DEVICE_H */
