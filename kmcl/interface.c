// SPDX-License-Identifier: GPL-2.0
/*
 * The queried style of calling: tables of functions, filled on request.
 *
 * There is one table for clients, of the newest version. Each version begins with
 * the one before, so an older one is the first bytes of it; that, and that every
 * member leads to the function of its name, follows from the asserts and lists
 * below. In a server's table the functions of servers stand behind those of
 * clients, so each of the two versions has one of its own.
 */
#include <linux/export.h>
#include <linux/module.h>
#include <wdf.h>
#include "functions.h"
#include "kmcl.h"

#define MEMBER(name) .name = name,
static const KMCL_CLIENT_INTERFACE_V5 client = {
	KMCL_CLIENT_FUNCTIONS(MEMBER)
};

static const KMCL_SERVER_INTERFACE_V1 server_v1 = {
	KMCL_CLIENT_FUNCTIONS_V1(MEMBER)
	KMCL_SERVER_FUNCTIONS_V1(MEMBER)
};

static const KMCL_SERVER_INTERFACE_V5 server_v5 = {
	KMCL_CLIENT_FUNCTIONS(MEMBER)
	KMCL_SERVER_FUNCTIONS_V1(MEMBER)
	KMCL_SERVER_FUNCTIONS_V5(MEMBER)
};

#undef MEMBER

#define SAME_PLACE(version, name)						\
	static_assert(offsetof(KMCL_CLIENT_INTERFACE_##version, name) ==	\
		      offsetof(KMCL_CLIENT_INTERFACE_V5, name))
#define IN_V1(name)	SAME_PLACE(V1, name);
#define IN_V2(name)	SAME_PLACE(V2, name);
#define IN_V3(name)	SAME_PLACE(V3, name);
#define IN_V4(name)	SAME_PLACE(V4, name);
KMCL_CLIENT_FUNCTIONS_V1(IN_V1)
KMCL_CLIENT_FUNCTIONS_V2(IN_V2)
KMCL_CLIENT_FUNCTIONS_V3(IN_V3)
KMCL_CLIENT_FUNCTIONS_V4(IN_V4)

/* Tables that are out: so many references on the module are theirs. */
static atomic_t references;

static bool is_ours(PVOID context, const char *who, unsigned long caller)
{
	if (likely(context == &references))
		return true;
	pr_err_ratelimited("kmcl: %s of a table that is not ours, ignored; called from %pS\n",
			   who, (void *)caller);
	return false;
}

static VOID interface_reference(PVOID context)
{
	if (!is_ours(context, "InterfaceReference", _RET_IP_))
		return;
	/* the caller's own reference keeps the module */
	__module_get(THIS_MODULE);
	atomic_inc(&references);
}

static VOID interface_dereference(PVOID context)
{
	if (!is_ours(context, "InterfaceDereference", _RET_IP_))
		return;
	if (atomic_dec_if_positive(&references) < 0) {
		pr_err_ratelimited("kmcl: InterfaceDereference without a reference, ignored; called from %pS\n",
				   (void *)_RET_IP_);
		return;
	}
	module_put(THIS_MODULE);
}

/* Bytes of the client table of @version, 0 for one that there is not. */
static size_t client_size(u16 version)
{
	static const u16 sizes[] = {
		[KMCL_CLIENT_INTERFACE_VERSION_V1] = sizeof(KMCL_CLIENT_INTERFACE_V1),
		[KMCL_CLIENT_INTERFACE_VERSION_V2] = sizeof(KMCL_CLIENT_INTERFACE_V2),
		[KMCL_CLIENT_INTERFACE_VERSION_V3] = sizeof(KMCL_CLIENT_INTERFACE_V3),
		[KMCL_CLIENT_INTERFACE_VERSION_V4] = sizeof(KMCL_CLIENT_INTERFACE_V4),
		[KMCL_CLIENT_INTERFACE_VERSION_V5] = sizeof(KMCL_CLIENT_INTERFACE_V5),
	};

	return version < ARRAY_SIZE(sizes) ? sizes[version] : 0;
}

/* The table of servers of @version, or NULL. */
static const void *server_table(u16 version, size_t *size)
{
	switch (version) {
	case KMCL_SERVER_INTERFACE_VERSION_V1:
		*size = sizeof(server_v1);
		return &server_v1;
	case KMCL_SERVER_INTERFACE_VERSION_V5:
		*size = sizeof(server_v5);
		return &server_v5;
	default:
		*size = 0;
		return NULL;
	}
}

static NTSTATUS query(LPCGUID type, PINTERFACE interface, u16 size, u16 version)
{
	static const guid_t client_type = GUID_INIT(0x4aecb860, 0xe161, 0x42bb, 0xa5, 0xca, 0x77,
						    0xf3, 0xa9, 0x64, 0x59, 0x05);
	static const guid_t server_type = GUID_INIT(0x83b21474, 0xc5b9, 0x4f65, 0xb5, 0xe7, 0x72,
						    0x0c, 0x69, 0x2b, 0xd3, 0x71);
	const void *table = &client;
	size_t want;

	if (!type || !interface)
		return STATUS_INVALID_PARAMETER;
	if (IsEqualGUID(type, &client_type))
		want = client_size(version);
	else if (IsEqualGUID(type, &server_type))
		table = server_table(version, &want);
	else
		return STATUS_NOT_SUPPORTED;
	if (!want)
		return STATUS_REVISION_MISMATCH;
	if (size != want)
		return STATUS_INVALID_PARAMETER;
	if (!try_module_get(THIS_MODULE))
		return STATUS_NOT_SUPPORTED;

	atomic_inc(&references);
	memcpy(interface, table, size);
	interface->Size = size;
	interface->Version = version;
	interface->Context = &references;
	interface->InterfaceReference = interface_reference;
	interface->InterfaceDereference = interface_dereference;
	return STATUS_SUCCESS;
}

/* ---- the API ---- */

NTSTATUS WdfFdoQueryForInterface(WDFDEVICE Fdo, LPCGUID InterfaceType, PINTERFACE Interface,
				 USHORT Size, USHORT Version, PVOID InterfaceSpecificData)
{
	return query(InterfaceType, Interface, Size, Version);
}
EXPORT_SYMBOL_GPL(WdfFdoQueryForInterface);

NTSTATUS WdfIoTargetQueryForInterface(WDFIOTARGET IoTarget, LPCGUID InterfaceType,
				      PINTERFACE Interface, USHORT Size, USHORT Version,
				      PVOID InterfaceSpecificData)
{
	return query(InterfaceType, Interface, Size, Version);
}
EXPORT_SYMBOL_GPL(WdfIoTargetQueryForInterface);
