/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Network buffers: NET_BUFFER_LIST, NET_BUFFER, and what is reached through
 * their members.
 *
 * A NET_BUFFER is one packet: DataLength bytes that begin DataOffset bytes into
 * its chain of MDLs.  CurrentMdl and CurrentMdlOffset name the same place once
 * more: the bytes of the MDLs before CurrentMdl, and CurrentMdlOffset, add up to
 * DataOffset.  What lies before the data is backfill.
 *
 * A NET_BUFFER_LIST is one or more packets that share a Status and out-of-band
 * information.  NET_BUFFER_LISTs form chains through Next.
 *
 * Both come from pools of <nblapi.h> and from nowhere else: fwps.ko keeps more
 * behind them than is seen here.  The members are those of Windows, by name and
 * meaning; offsets are not, there being no binary driver.
 */
#ifndef _KMCL_NT_NBL_H
#define _KMCL_NT_NBL_H

#include <mm-mdl.h>
#include <ntdef.h>

#ifndef MEMORY_ALLOCATION_ALIGNMENT
#define MEMORY_ALLOCATION_ALIGNMENT	16
#endif

typedef PVOID NDIS_HANDLE, *PNDIS_HANDLE;
typedef NTSTATUS NDIS_STATUS, *PNDIS_STATUS;
typedef PHYSICAL_ADDRESS NDIS_PHYSICAL_ADDRESS;

typedef struct _NET_BUFFER NET_BUFFER, *PNET_BUFFER;
typedef struct _NET_BUFFER_LIST NET_BUFFER_LIST, *PNET_BUFFER_LIST;
typedef struct _NET_BUFFER_LIST_CONTEXT NET_BUFFER_LIST_CONTEXT, *PNET_BUFFER_LIST_CONTEXT;

struct _NET_BUFFER {
	PNET_BUFFER Next;
	PMDL CurrentMdl;
	ULONG CurrentMdlOffset;
	union {
		ULONG DataLength;
		SIZE_T stDataLength;
	};
	PMDL MdlChain;
	ULONG DataOffset;
	USHORT ChecksumBias;
	USHORT Reserved;
	NDIS_HANDLE NdisPoolHandle;
	PVOID NdisReserved[2];
	PVOID ProtocolReserved[6];
	PVOID MiniportReserved[4];
	NDIS_PHYSICAL_ADDRESS DataPhysicalAddress;
	union {
		PVOID SharedMemoryInfo;
		PVOID ScatterGatherList;
	};
};

/* Room of the driver's, between Offset and Offset + Size of ContextData. */
struct _NET_BUFFER_LIST_CONTEXT {
	PNET_BUFFER_LIST_CONTEXT Next;
	USHORT Size;
	USHORT Offset;
	UCHAR ContextData[] DECLSPEC_ALIGN(MEMORY_ALLOCATION_ALIGNMENT);
};

/* Indices of NetBufferListInfo.  What injection reads of it: <fwpsk.h>. */
typedef enum _NDIS_NET_BUFFER_LIST_INFO {
	TcpIpChecksumNetBufferListInfo,
	TcpOffloadBytesTransferred = TcpIpChecksumNetBufferListInfo,
	IPsecOffloadV1NetBufferListInfo,
	IPsecOffloadV2NetBufferListInfo = IPsecOffloadV1NetBufferListInfo,
	TcpLargeSendNetBufferListInfo,
	TcpReceiveNoPush = TcpLargeSendNetBufferListInfo,
	ClassificationHandleNetBufferListInfo,
	Ieee8021QNetBufferListInfo,
	NetBufferListCancelId,
	MediaSpecificInformation,
	NetBufferListFrameType,
	NetBufferListProtocolId = NetBufferListFrameType,
	NetBufferListHashValue,
	NetBufferListHashInfo,
	WfpNetBufferListInfo,
	MaxNetBufferListInfo,
} NDIS_NET_BUFFER_LIST_INFO, *PNDIS_NET_BUFFER_LIST_INFO;

struct _NET_BUFFER_LIST {
	PNET_BUFFER_LIST Next;
	PNET_BUFFER FirstNetBuffer;
	PNET_BUFFER_LIST_CONTEXT Context;
	PNET_BUFFER_LIST ParentNetBufferList;
	NDIS_HANDLE NdisPoolHandle;
	PVOID NdisReserved[2];
	PVOID ProtocolReserved[4];
	PVOID MiniportReserved[2];
	PVOID Scratch;
	NDIS_HANDLE SourceHandle;
	ULONG NblFlags;
	LONG ChildRefCount;
	ULONG Flags;
	union {
		NDIS_STATUS Status;
		ULONG NdisReserved2;
	};
	PVOID NetBufferListInfo[MaxNetBufferListInfo];
};

/* In NetBufferListInfo[Ieee8021QNetBufferListInfo], as a value. */
typedef union _NDIS_NET_BUFFER_LIST_8021Q_INFO {
	struct {
		UINT32 UserPriority:3;
		UINT32 CanonicalFormatId:1;
		UINT32 VlanId:12;
		UINT32 Reserved:16;
	} TagHeader;
	PVOID Value;
} NDIS_NET_BUFFER_LIST_8021Q_INFO, *PNDIS_NET_BUFFER_LIST_8021Q_INFO;

#endif /* _KMCL_NT_NBL_H */
