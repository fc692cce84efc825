/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What Windows' <ndis.h> offers a driver that injects packets: network buffers and
 * the status values that they come back with.  There are no miniports, protocol
 * drivers or filters here.
 */
#ifndef _KMCL_NT_NDIS_H
#define _KMCL_NT_NDIS_H

#include <ntddk.h>
#include <nbl.h>
#include <nblaccessors.h>
#include <nblapi.h>

typedef ULONG NET_IFINDEX, IF_INDEX;
typedef ULONG NDIS_PORT_NUMBER;

#define NDIS_DEFAULT_PORT_NUMBER	((NDIS_PORT_NUMBER)0)

#define NDIS_STATUS_SUCCESS			((NDIS_STATUS)STATUS_SUCCESS)
#define NDIS_STATUS_PENDING			((NDIS_STATUS)STATUS_PENDING)
#define NDIS_STATUS_FAILURE			((NDIS_STATUS)STATUS_UNSUCCESSFUL)
#define NDIS_STATUS_RESOURCES			((NDIS_STATUS)STATUS_INSUFFICIENT_RESOURCES)
#define NDIS_STATUS_NOT_SUPPORTED		((NDIS_STATUS)STATUS_NOT_SUPPORTED)
#define NDIS_STATUS_INVALID_PARAMETER		((NDIS_STATUS)STATUS_INVALID_PARAMETER)
#define NDIS_STATUS_SEND_ABORTED		((NDIS_STATUS)0xC023000C)
#define NDIS_STATUS_RESET_IN_PROGRESS		((NDIS_STATUS)0xC001000D)
#define NDIS_STATUS_INVALID_LENGTH		((NDIS_STATUS)0xC0010014)
#define NDIS_STATUS_PAUSED			((NDIS_STATUS)0xC023002A)
#define NDIS_STATUS_INTERFACE_NOT_FOUND		((NDIS_STATUS)0xC023002B)

#endif /* _KMCL_NT_NDIS_H */
