/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Network buffers: pools, and moving the start of the data.
 *
 * A pool keeps what is freed for its next allocation and gives memory back when
 * it is freed itself.  That is why a NET_BUFFER_LIST that was freed already is
 * recognised, whatever is done with it then.
 *
 * An address that is no NET_BUFFER_LIST or NET_BUFFER of a pool is refused; where
 * the function returns nothing, or names no status for it, one rate-limited line
 * names the caller.
 */
#ifndef _KMCL_NT_NBLAPI_H
#define _KMCL_NT_NBLAPI_H

#include <nbl.h>
#include <nblaccessors.h>

typedef struct _NDIS_OBJECT_HEADER {
	UCHAR Type;
	UCHAR Revision;
	USHORT Size;
} NDIS_OBJECT_HEADER, *PNDIS_OBJECT_HEADER;

#define NDIS_OBJECT_TYPE_DEFAULT	0x80

typedef struct _NET_BUFFER_LIST_POOL_PARAMETERS {
	NDIS_OBJECT_HEADER Header;
	UCHAR ProtocolId;
	BOOLEAN fAllocateNetBuffer;
	USHORT ContextSize;
	ULONG PoolTag;
	ULONG DataSize;
	ULONG Flags;
} NET_BUFFER_LIST_POOL_PARAMETERS, *PNET_BUFFER_LIST_POOL_PARAMETERS;

#define NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1		1
#define NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1			\
	RTL_SIZEOF_THROUGH_FIELD(NET_BUFFER_LIST_POOL_PARAMETERS, DataSize)

typedef struct _NET_BUFFER_POOL_PARAMETERS {
	NDIS_OBJECT_HEADER Header;
	ULONG PoolTag;
	ULONG DataSize;
} NET_BUFFER_POOL_PARAMETERS, *PNET_BUFFER_POOL_PARAMETERS;

#define NET_BUFFER_POOL_PARAMETERS_REVISION_1			1
#define NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1			\
	RTL_SIZEOF_THROUGH_FIELD(NET_BUFFER_POOL_PARAMETERS, DataSize)

/* Allocates an MDL and the memory it describes; may enlarge what is asked for. */
typedef PMDL (NET_BUFFER_ALLOCATE_MDL_HANDLER_FN)(PULONG BufferSize);
typedef NET_BUFFER_ALLOCATE_MDL_HANDLER_FN *NET_BUFFER_ALLOCATE_MDL_HANDLER;
/* Frees both. */
typedef VOID (NET_BUFFER_FREE_MDL_HANDLER_FN)(PMDL Mdl);
typedef NET_BUFFER_FREE_MDL_HANDLER_FN *NET_BUFFER_FREE_MDL_HANDLER;

/**
 * NdisAllocateNetBufferListPool() - make a pool of NET_BUFFER_LISTs
 * @NdisHandle: ignored, there are no NDIS drivers; usually NULL
 * @Parameters: Header with type, revision 1 and size; ContextSize, a multiple of
 *	MEMORY_ALLOCATION_ALIGNMENT, is kept ready in each NET_BUFFER_LIST;
 *	DataSize is 0 (the driver brings its own memory)
 *
 * Context: process, may sleep; softirq too.
 * Return: the pool; NULL without memory and for parameters that are none.
 */
NDIS_HANDLE NdisAllocateNetBufferListPool(NDIS_HANDLE NdisHandle,
					  const NET_BUFFER_LIST_POOL_PARAMETERS *Parameters);

/**
 * NdisFreeNetBufferListPool() - free a pool
 * @PoolHandle: a pool of NdisAllocateNetBufferListPool(), from which nothing is
 *	allocated any more
 *
 * With NET_BUFFER_LISTs still allocated one line says how many; the pool goes
 * with the last of them.
 *
 * Context: process or softirq.
 */
VOID NdisFreeNetBufferListPool(NDIS_HANDLE PoolHandle);

/**
 * NdisAllocateNetBufferPool() - make a pool of NET_BUFFERs
 * @NdisHandle: ignored
 * @Parameters: Header with type, revision 1 and size; DataSize is 0
 *
 * For NET_BUFFER_LISTs of more than one packet.
 *
 * Context: process, may sleep; softirq too.
 * Return: the pool; NULL without memory and for parameters that are none.
 */
NDIS_HANDLE NdisAllocateNetBufferPool(NDIS_HANDLE NdisHandle,
				      const NET_BUFFER_POOL_PARAMETERS *Parameters);

/**
 * NdisFreeNetBufferPool() - free a pool
 * @PoolHandle: a pool of NdisAllocateNetBufferPool(); see
 *	NdisFreeNetBufferListPool()
 *
 * Context: process or softirq.
 */
VOID NdisFreeNetBufferPool(NDIS_HANDLE PoolHandle);

/**
 * NdisAllocateNetBuffer() - allocate a packet
 * @PoolHandle: a pool of NET_BUFFERs
 * @MdlChain: where its data are; the caller's; or NULL
 * @DataOffset: bytes of @MdlChain before the data; 0 without @MdlChain
 * @DataLength: bytes of data, below 4 GiB; 0 without @MdlChain
 *
 * Context: process or softirq.
 * Return: the NET_BUFFER; NULL without memory, for a pool that is none, and
 * for data that are not within @MdlChain.
 */
PNET_BUFFER NdisAllocateNetBuffer(NDIS_HANDLE PoolHandle, PMDL MdlChain, ULONG DataOffset,
				  SIZE_T DataLength);

/**
 * NdisFreeNetBuffer() - free a packet
 * @NetBuffer: from NdisAllocateNetBuffer(); the MDL chain stays the caller's, less
 *	what NdisRetreatNetBufferDataStart() has allocated
 *
 * Context: process or softirq.
 */
VOID NdisFreeNetBuffer(PNET_BUFFER NetBuffer);

/**
 * NdisGetDataBuffer() - the first bytes of a packet, in one piece
 * @NetBuffer: the packet
 * @BytesNeeded: how many, not 0
 * @Storage: room for @BytesNeeded, where they are copied to if they are not in
 *	one piece or not aligned; or NULL
 * @AlignMultiple: a power of 2: the alignment that is needed, 0 or 1 for none
 * @AlignOffset: the address is to be @AlignMultiple * n + @AlignOffset
 *
 * Context: process or softirq.
 * Return: a pointer into the packet if they lie there side by side and aligned,
 * else @Storage, if that is not NULL; NULL for more bytes than there are, and for
 * pages that are not mapped.
 */
PVOID NdisGetDataBuffer(PNET_BUFFER NetBuffer, ULONG BytesNeeded, PVOID Storage,
			UINT AlignMultiple, UINT AlignOffset);

/**
 * NdisRetreatNetBufferDataStart() - room in front of the data
 * @NetBuffer: the packet
 * @DataOffsetDelta: bytes of room
 * @DataBackFill: if memory has to be allocated for it: bytes of backfill then
 * @AllocateMdlHandler: what allocates, or NULL for pool memory
 *
 * Uses backfill as far as there is any, and memory in a new MDL, first in the chain,
 * for the rest.  NdisAdvanceNetBufferDataStart() frees that.  The new bytes
 * belong to the data; what is in them is undefined.
 *
 * Context: process or softirq.
 * Return: NDIS_STATUS_SUCCESS; NDIS_STATUS_RESOURCES without memory, and then
 * nothing has changed; NDIS_STATUS_FAILURE where memory is needed for a NET_BUFFER of no
 * pool, and for lengths beyond 4 GiB.
 */
NDIS_STATUS NdisRetreatNetBufferDataStart(PNET_BUFFER NetBuffer, ULONG DataOffsetDelta,
					  ULONG DataBackFill,
					  NET_BUFFER_ALLOCATE_MDL_HANDLER AllocateMdlHandler);

/**
 * NdisAdvanceNetBufferDataStart() - take bytes from the front of the data
 * @NetBuffer: the packet
 * @DataOffsetDelta: bytes, at most DataLength: more are refused with a line
 * @FreeMdl: free MDLs of NdisRetreatNetBufferDataStart() that are passed
 * @FreeMdlHandler: what frees those of an AllocateMdlHandler
 *
 * Without @FreeMdl the chain stays as it is.
 *
 * Context: process or softirq.
 */
VOID NdisAdvanceNetBufferDataStart(PNET_BUFFER NetBuffer, ULONG DataOffsetDelta, BOOLEAN FreeMdl,
				   NET_BUFFER_FREE_MDL_HANDLER FreeMdlHandler);

/**
 * NdisRetreatNetBufferListDataStart() - the same in each packet of a list
 * @NetBufferList: the list
 * @DataOffsetDelta: see NdisRetreatNetBufferDataStart()
 * @DataBackFill: see NdisRetreatNetBufferDataStart()
 * @AllocateMdlHandler: see NdisRetreatNetBufferDataStart()
 * @FreeMdlHandler: what frees its MDLs if a later one cannot be allocated
 *
 * Context: process or softirq.
 * Return: as NdisRetreatNetBufferDataStart(); all packets or none.
 */
NDIS_STATUS NdisRetreatNetBufferListDataStart(PNET_BUFFER_LIST NetBufferList,
					      ULONG DataOffsetDelta, ULONG DataBackFill,
					      NET_BUFFER_ALLOCATE_MDL_HANDLER AllocateMdlHandler,
					      NET_BUFFER_FREE_MDL_HANDLER FreeMdlHandler);

/**
 * NdisAdvanceNetBufferListDataStart() - the same in each packet of a list
 * @NetBufferList: the list
 * @DataOffsetDelta: see NdisAdvanceNetBufferDataStart()
 * @FreeMdl: see NdisAdvanceNetBufferDataStart()
 * @FreeMdlHandler: see NdisAdvanceNetBufferDataStart()
 *
 * Context: process or softirq.
 */
VOID NdisAdvanceNetBufferListDataStart(PNET_BUFFER_LIST NetBufferList, ULONG DataOffsetDelta,
				       BOOLEAN FreeMdl,
				       NET_BUFFER_FREE_MDL_HANDLER FreeMdlHandler);

#endif /* _KMCL_NT_NBLAPI_H */
