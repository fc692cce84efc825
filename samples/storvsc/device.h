/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The device, as the two files of the protocol share it: channel.c brings the
 * channels up and shakes hands, request.c sends commands.
 */
#ifndef _STORVSC_DEVICE_H
#define _STORVSC_DEVICE_H

#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "protocol.h"
#include "wire.h"

/* "Stor" in a memory dump. */
#define STOR_POOL_TAG		0x726f7453

#define StorPrint(Device, Level, Format, ...)					\
	DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_ ## Level ## _LEVEL, "%s: " Format,	\
		   (Device)->Config.Name, ##__VA_ARGS__)

typedef struct _STOR_CHANNEL STOR_CHANNEL, *PSTOR_CHANNEL;

/* A packet made beforehand, so that sending never looks for memory. */
typedef struct _STOR_SLOT {
	LIST_ENTRY Link;
	VMBPACKET Packet;
	PSTOR_CHANNEL Channel;
	/* While it is under way. */
	PSTOR_REQUEST Request;
} STOR_SLOT, *PSTOR_SLOT;

struct _STOR_CHANNEL {
	PSTOR_DEVICE Device;
	VMBCHANNEL Channel;
	/* 0 for the primary, else the sub-channel's index. */
	USHORT Index;
	/* Requests may go out here. */
	LONG Ready;
	LONG64 Requests;

	PSTOR_SLOT Slots;
	/* Protects Free, the slots that are not under way. */
	KSPIN_LOCK Lock;
	LIST_ENTRY Free;
};

struct _STOR_DEVICE {
	STOR_CONFIG Config;
	PVOID Adapter;

	/*
	 * Set by the handshake, before the primary becomes ready, and unchanged
	 * until it is closed.
	 */
	LONG Version;
	ULONG PacketLength;
	ULONG SrbLength;
	ULONG SenseLength;
	ULONG MaximumTransfer;
	UCHAR Path;
	UCHAR Target;
	UCHAR PortName[8];
	UCHAR NodeName[8];

	/* The handshake is over: a start after a pause goes on without one. */
	BOOLEAN Shaken;
	LONG64 BadMessages;

	/* The primary and as many more as the host has agreed to. */
	LONG ChannelsWanted;
	/* As many as there are here, the primary first. */
	ULONG ChannelCount;
	STOR_CHANNEL Channels[];
};

/* Counts something that a healthy host does not send. */
VOID StorBadMessage(PSTOR_DEVICE Device, UINT32 Operation, UINT32 Length, PCSTR Why);

/* request.c */
NTSTATUS StorCreateSlots(PSTOR_CHANNEL Channel);
VOID StorDeleteSlots(PSTOR_CHANNEL Channel);

#endif /* _STORVSC_DEVICE_H */
