/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The messages of the virtual storage protocol, as they stand in a packet.
 *
 * Little-endian, naturally aligned.  Both sides send the one fixed-size message
 * below; what follows its head depends on the operation.  The guest asks and the
 * host's completion carries the message back, its operation changed to
 * StorOperationCompleteIo.  The data of a SCSI command are no part of it: they
 * are the packet's external data.
 */
#ifndef _STORVSC_WIRE_H
#define _STORVSC_WIRE_H

#include <ntddk.h>

typedef enum _STOR_OPERATION {
	StorOperationCompleteIo = 1,
	StorOperationRemoveDevice = 2,
	StorOperationExecuteSrb = 3,
	StorOperationResetLun = 4,
	StorOperationResetAdapter = 5,
	StorOperationResetBus = 6,
	StorOperationBeginInitialization = 7,
	StorOperationEndInitialization = 8,
	StorOperationQueryProtocolVersion = 9,
	StorOperationQueryProperties = 10,
	StorOperationEnumerateBus = 11,
	StorOperationFcHbaData = 12,
	StorOperationCreateSubChannels = 13,
} STOR_OPERATION;

/* The sender wants a completion. */
#define STOR_FLAG_COMPLETION		0x00000001

/* Major in the high byte, minor in the low byte. */
#define STOR_VERSION_6_2		0x0602
#define STOR_VERSION_6_0		0x0600
#define STOR_VERSION_5_1		0x0501
#define STOR_VERSION_4_2		0x0402

typedef struct _STOR_VERSION {
	UINT16 MajorMinor;
	UINT16 Revision;
} STOR_VERSION;

/* The host serves more channels than the primary. */
#define STOR_PROPERTY_MULTI_CHANNEL	0x00000001

typedef struct _STOR_PROPERTIES {
	UINT32 Reserved;
	/* Sub-channels that the host would create. */
	UINT16 MaximumChannelCount;
	UINT16 Reserved1;
	UINT32 Flags;
	UINT32 MaximumTransferBytes;
	UINT32 Reserved2[2];
} STOR_PROPERTIES;

/* The addresses of a Fibre Channel adapter: one of the two pairs is in use. */
typedef struct _STOR_WWN {
	UINT8 PrimaryActive;
	UINT8 Reserved[3];
	UINT8 PrimaryPort[8];
	UINT8 PrimaryNode[8];
	UINT8 SecondaryPort[8];
	UINT8 SecondaryNode[8];
} STOR_WWN;

#define STOR_MAXIMUM_CDB		16
#define STOR_MAXIMUM_SENSE		20
/* Up to version 4.2. */
#define STOR_MAXIMUM_SENSE_4_2		18

/* STOR_SRB.DataIn */
#define STOR_DATA_OUT			0
#define STOR_DATA_IN			1
#define STOR_DATA_NONE			2

/* STOR_SRB.SrbFlags */
#define STOR_SRB_QUEUE_ACTION_ENABLE	0x00000002
#define STOR_SRB_NO_SYNCH_TRANSFER	0x00000008
#define STOR_SRB_DATA_IN		0x00000040
#define STOR_SRB_DATA_OUT		0x00000080

#define STOR_QUEUE_UNTAGGED		0xff
#define STOR_QUEUE_SIMPLE		0x20

/* A SCSI command, and in the completion what became of it. */
typedef struct _STOR_SRB {
	/* Of this struct in the version agreed, STOR_SRB_SIZE... */
	UINT16 Length;
	UINT8 SrbStatus;
	UINT8 ScsiStatus;
	UINT8 PortNumber;
	UINT8 PathId;
	UINT8 TargetId;
	UINT8 Lun;
	UINT8 CdbLength;
	UINT8 SenseInfoLength;
	UINT8 DataIn;
	UINT8 Reserved;
	UINT32 DataTransferLength;
	union {
		UINT8 Cdb[STOR_MAXIMUM_CDB];
		UINT8 Sense[STOR_MAXIMUM_SENSE];
	} u;
	/* The rest is there since version 5.1. */
	UINT16 Reserved1;
	UINT8 QueueTag;
	UINT8 QueueAction;
	UINT32 SrbFlags;
	/* In seconds. */
	UINT32 TimeOutValue;
	UINT32 QueueSortKey;
} STOR_SRB, *PSTOR_SRB;

#define STOR_SRB_SIZE			sizeof(STOR_SRB)
#define STOR_SRB_SIZE_4_2		FIELD_OFFSET(STOR_SRB, Reserved1)

typedef struct _STOR_PACKET {
	UINT32 Operation;
	UINT32 Flags;
	/* Not 0 in a completion: the host did not do it. */
	UINT32 Status;
	union {
		STOR_SRB Srb;
		STOR_PROPERTIES Properties;
		STOR_VERSION Version;
		STOR_WWN Wwn;
		UINT16 SubChannelCount;
	} u;
} STOR_PACKET, *PSTOR_PACKET;

#define STOR_PACKET_HEAD		FIELD_OFFSET(STOR_PACKET, u)
#define STOR_PACKET_SIZE		sizeof(STOR_PACKET)
#define STOR_PACKET_SIZE_4_2		(STOR_PACKET_HEAD + STOR_SRB_SIZE_4_2)

C_ASSERT(sizeof(STOR_VERSION) == 4);
C_ASSERT(sizeof(STOR_PROPERTIES) == 24);
C_ASSERT(sizeof(STOR_WWN) == 36);
C_ASSERT(STOR_SRB_SIZE == 52);
C_ASSERT(STOR_SRB_SIZE_4_2 == 36);
C_ASSERT(STOR_PACKET_HEAD == 12);
C_ASSERT(STOR_PACKET_SIZE == 64);
C_ASSERT(STOR_PACKET_SIZE_4_2 == 48);

#endif /* _STORVSC_WIRE_H */
