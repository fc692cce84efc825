/* SPDX-License-Identifier: GPL-2.0 */
/*
 * INTERFACE: how every table of functions that one Windows driver gives to
 * another begins.
 */
#ifndef _KMCL_NT_IO_INTERFACE_H
#define _KMCL_NT_IO_INTERFACE_H

#include <ntdef.h>

typedef VOID (*PINTERFACE_REFERENCE)(PVOID Context);
typedef VOID (*PINTERFACE_DEREFERENCE)(PVOID Context);

typedef struct _INTERFACE {
	USHORT Size;
	USHORT Version;
	PVOID Context;
	PINTERFACE_REFERENCE InterfaceReference;
	PINTERFACE_DEREFERENCE InterfaceDereference;
} INTERFACE, *PINTERFACE;

C_ASSERT(sizeof(INTERFACE) == 32);

#endif /* _KMCL_NT_IO_INTERFACE_H */
