/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The two framework calls with which a driver asks for KMCL's tables, and the
 * handles that they take.  Nothing else of the framework is here.
 */
#ifndef _KMCL_NT_WDF_H
#define _KMCL_NT_WDF_H

#include <ntddk.h>

typedef struct WDFDEVICE__ *WDFDEVICE;
typedef struct WDFIOTARGET__ *WDFIOTARGET;

/**
 * WdfFdoQueryForInterface() - fill a table of functions for a device
 * @Fdo: the device that asks.  Decided here: not looked at, the tables are the
 *       same for all; may be NULL
 * @InterfaceType: KMCL_CLIENT_INTERFACE_TYPE or KMCL_SERVER_INTERFACE_TYPE
 * @Interface: where the table goes; never written past @Size
 * @Size: bytes at @Interface; must be the size of the table of @Version
 * @Version: a KMCL_CLIENT_INTERFACE_VERSION_* or KMCL_SERVER_INTERFACE_VERSION_*
 * @InterfaceSpecificData: ignored
 *
 * A filled table holds one reference on the library, so that it stays loaded.  The
 * caller ends it with InterfaceDereference(Context) of the table; more of them
 * are taken with InterfaceReference(Context).  One that nobody holds any more is
 * ignored with a log line.
 *
 * Context: process or softirq.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER when @InterfaceType or
 * @Interface is NULL or @Size is not what @Version wants;
 * STATUS_REVISION_MISMATCH when @Version is unknown; STATUS_NOT_SUPPORTED when
 * @InterfaceType names something else and, until everything is built, for a
 * table with a function that is not.  On a failure nothing is written.
 */
NTSTATUS WdfFdoQueryForInterface(WDFDEVICE Fdo, LPCGUID InterfaceType,
				 PINTERFACE Interface, USHORT Size,
				 USHORT Version, PVOID InterfaceSpecificData);

/**
 * WdfIoTargetQueryForInterface() - fill a table of functions for an I/O target
 * @IoTarget: the target that is asked, not looked at
 * @InterfaceType: see WdfFdoQueryForInterface()
 * @Interface: see WdfFdoQueryForInterface()
 * @Size: see WdfFdoQueryForInterface()
 * @Version: see WdfFdoQueryForInterface()
 * @InterfaceSpecificData: ignored
 *
 * Context: process or softirq.
 * Return: as WdfFdoQueryForInterface().
 */
NTSTATUS WdfIoTargetQueryForInterface(WDFIOTARGET IoTarget, LPCGUID InterfaceType,
				      PINTERFACE Interface, USHORT Size,
				      USHORT Version, PVOID InterfaceSpecificData);

#endif /* _KMCL_NT_WDF_H */
