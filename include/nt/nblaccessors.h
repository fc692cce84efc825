/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The names by which drivers reach the members of network buffers.  Each one can
 * be assigned to.
 */
#ifndef _KMCL_NT_NBLACCESSORS_H
#define _KMCL_NT_NBLACCESSORS_H

#include <nbl.h>

#define NET_BUFFER_LIST_NEXT_NBL(nbl)			((nbl)->Next)
#define NET_BUFFER_LIST_FIRST_NB(nbl)			((nbl)->FirstNetBuffer)
#define NET_BUFFER_LIST_FLAGS(nbl)			((nbl)->Flags)
#define NET_BUFFER_LIST_NBL_FLAGS(nbl)			((nbl)->NblFlags)
#define NET_BUFFER_LIST_STATUS(nbl)			((nbl)->Status)
#define NET_BUFFER_LIST_INFO(nbl, id)			((nbl)->NetBufferListInfo[id])
#define NET_BUFFER_LIST_PROTOCOL_RESERVED(nbl)		((nbl)->ProtocolReserved)
#define NET_BUFFER_LIST_MINIPORT_RESERVED(nbl)		((nbl)->MiniportReserved)
#define NET_BUFFER_LIST_CONTEXT_DATA_START(nbl)					\
	(&(nbl)->Context->ContextData[(nbl)->Context->Offset])
#define NET_BUFFER_LIST_CONTEXT_DATA_SIZE(nbl)		((nbl)->Context->Size)

#define NET_BUFFER_NEXT_NB(nb)				((nb)->Next)
#define NET_BUFFER_FIRST_MDL(nb)			((nb)->MdlChain)
#define NET_BUFFER_DATA_LENGTH(nb)			((nb)->DataLength)
#define NET_BUFFER_DATA_OFFSET(nb)			((nb)->DataOffset)
#define NET_BUFFER_CURRENT_MDL(nb)			((nb)->CurrentMdl)
#define NET_BUFFER_CURRENT_MDL_OFFSET(nb)		((nb)->CurrentMdlOffset)
#define NET_BUFFER_PROTOCOL_RESERVED(nb)		((nb)->ProtocolReserved)
#define NET_BUFFER_MINIPORT_RESERVED(nb)		((nb)->MiniportReserved)
#define NET_BUFFER_CHECKSUM_BIAS(nb)			((nb)->ChecksumBias)

#endif /* _KMCL_NT_NBLACCESSORS_H */
