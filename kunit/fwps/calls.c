// SPDX-License-Identifier: GPL-2.0
/* The functions of packet injection, as the suites call them (../wrap.h). */
#include <fwpsk.h>
#include "../wrap.h"

WRAP_VALUE(NDIS_HANDLE, NdisAllocateNetBufferListPool,
	(NDIS_HANDLE a, const NET_BUFFER_LIST_POOL_PARAMETERS *b), (a, b))
WRAP_NOTHING(NdisFreeNetBufferListPool, (NDIS_HANDLE a), (a))
WRAP_VALUE(NDIS_HANDLE, NdisAllocateNetBufferPool,
	(NDIS_HANDLE a, const NET_BUFFER_POOL_PARAMETERS *b), (a, b))
WRAP_NOTHING(NdisFreeNetBufferPool, (NDIS_HANDLE a), (a))
WRAP_VALUE(PNET_BUFFER, NdisAllocateNetBuffer,
	(NDIS_HANDLE a, PMDL b, ULONG c, SIZE_T d), (a, b, c, d))
WRAP_NOTHING(NdisFreeNetBuffer, (PNET_BUFFER a), (a))
WRAP_VALUE(PVOID, NdisGetDataBuffer,
	(PNET_BUFFER a, ULONG b, PVOID c, UINT d, UINT e), (a, b, c, d, e))
WRAP_STATUS(NdisRetreatNetBufferDataStart,
	(PNET_BUFFER a, ULONG b, ULONG c, NET_BUFFER_ALLOCATE_MDL_HANDLER d), (a, b, c, d))
WRAP_NOTHING(NdisAdvanceNetBufferDataStart,
	(PNET_BUFFER a, ULONG b, BOOLEAN c, NET_BUFFER_FREE_MDL_HANDLER d), (a, b, c, d))
WRAP_STATUS(NdisRetreatNetBufferListDataStart,
	(PNET_BUFFER_LIST a, ULONG b, ULONG c, NET_BUFFER_ALLOCATE_MDL_HANDLER d,
	 NET_BUFFER_FREE_MDL_HANDLER e), (a, b, c, d, e))
WRAP_NOTHING(NdisAdvanceNetBufferListDataStart,
	(PNET_BUFFER_LIST a, ULONG b, BOOLEAN c, NET_BUFFER_FREE_MDL_HANDLER d), (a, b, c, d))

WRAP_STATUS(FwpsInjectionHandleCreate0, (ADDRESS_FAMILY a, UINT32 b, HANDLE *c), (a, b, c))
WRAP_STATUS(FwpsInjectionHandleDestroy0, (HANDLE a), (a))
WRAP_STATUS(FwpsAllocateNetBufferAndNetBufferList0,
	(NDIS_HANDLE a, USHORT b, USHORT c, MDL *d, ULONG e, SIZE_T f, NET_BUFFER_LIST **g),
	(a, b, c, d, e, f, g))
WRAP_NOTHING(FwpsFreeNetBufferList0, (NET_BUFFER_LIST *a), (a))
WRAP_STATUS(FwpsAllocateCloneNetBufferList0,
	(NET_BUFFER_LIST *a, NDIS_HANDLE b, NDIS_HANDLE c, ULONG d, NET_BUFFER_LIST **e),
	(a, b, c, d, e))
WRAP_NOTHING(FwpsFreeCloneNetBufferList0, (NET_BUFFER_LIST *a, ULONG b), (a, b))
WRAP_NOTHING(FwpsReferenceNetBufferList0, (NET_BUFFER_LIST *a, BOOLEAN b), (a, b))
WRAP_NOTHING(FwpsDereferenceNetBufferList0, (NET_BUFFER_LIST *a, BOOLEAN b), (a, b))
WRAP_STATUS(FwpsInjectMacReceiveAsync0,
	(HANDLE a, HANDLE b, UINT32 c, UINT16 d, IF_INDEX e, NDIS_PORT_NUMBER f,
	 NET_BUFFER_LIST *g, FWPS_INJECT_COMPLETE h, HANDLE i), (a, b, c, d, e, f, g, h, i))
WRAP_STATUS(FwpsInjectMacSendAsync0,
	(HANDLE a, HANDLE b, UINT32 c, UINT16 d, IF_INDEX e, NDIS_PORT_NUMBER f,
	 NET_BUFFER_LIST *g, FWPS_INJECT_COMPLETE h, HANDLE i), (a, b, c, d, e, f, g, h, i))
WRAP_STATUS(FwpsInjectNetworkReceiveAsync0,
	(HANDLE a, HANDLE b, UINT32 c, COMPARTMENT_ID d, IF_INDEX e, IF_INDEX f,
	 NET_BUFFER_LIST *g, FWPS_INJECT_COMPLETE0 h, HANDLE i), (a, b, c, d, e, f, g, h, i))
WRAP_STATUS(FwpsInjectNetworkSendAsync0,
	(HANDLE a, HANDLE b, UINT32 c, COMPARTMENT_ID d, NET_BUFFER_LIST *e,
	 FWPS_INJECT_COMPLETE0 f, HANDLE g), (a, b, c, d, e, f, g))
WRAP_NUMBER(FWPS_PACKET_INJECTION_STATE, FwpsQueryPacketInjectionState0,
	(HANDLE a, const NET_BUFFER_LIST *b, HANDLE *c), (a, b, c))

WRAP_STATUS(fwps_flow_open, (struct socket *a, UINT64 *b), (a, b))
WRAP_STATUS(fwps_flow_close, (UINT64 a), (a))
/* there is a macro of this name, for flags that the compiler knows */
#undef FwpsStreamInjectAsync0
WRAP_STATUS(FwpsStreamInjectAsync0,
	(HANDLE a, HANDLE b, UINT32 c, UINT64 d, UINT32 e, UINT16 f, UINT32 g,
	 NET_BUFFER_LIST *h, SIZE_T i, FWPS_INJECT_COMPLETE0 j, HANDLE k),
	(a, b, c, d, e, f, g, h, i, j, k))
