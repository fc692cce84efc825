/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mingw-w64 has no NDIS 6: network buffers, and what injects them, as this project's own
 * headers declare them, so that a compiler for Windows reads the sources that use them.
 */
#ifndef _KMCL_MINGW_NDIS_H
#define _KMCL_MINGW_NDIS_H

#include <ntddk.h>

typedef unsigned int UINT;

#include <nbl.h>
#include <nblaccessors.h>
#include <nblapi.h>

typedef ULONG IF_INDEX;
typedef ULONG NDIS_PORT_NUMBER;

#define NDIS_DEFAULT_PORT_NUMBER	((NDIS_PORT_NUMBER)0)
#define NDIS_STATUS_SUCCESS		((NDIS_STATUS)STATUS_SUCCESS)

#endif /* _KMCL_MINGW_NDIS_H */
