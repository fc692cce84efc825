/* SPDX-License-Identifier: GPL-2.0 */
/*
 * GUIDs.  Bit for bit the kernel's guid_t; the members have Windows' names.
 *
 * DEFINE_GUID declares, unless <initguid.h> was included first: then it
 * defines.  So exactly one file of a port includes <initguid.h>.
 */
#ifndef _KMCL_NT_GUIDDEF_H
#define _KMCL_NT_GUIDDEF_H

#include <linux/build_bug.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/uuid.h>

typedef struct _GUID {
	u32 Data1;
	u16 Data2;
	u16 Data3;
	u8 Data4[8];
} GUID;

typedef GUID *LPGUID;
typedef const GUID *LPCGUID;
typedef GUID *PGUID;
typedef const GUID *REFGUID;

static_assert(sizeof(GUID) == sizeof(guid_t));

#define IsEqualGUID(a, b) (memcmp((a), (b), sizeof(GUID)) == 0)

#endif /* _KMCL_NT_GUIDDEF_H */

/* Outside of the guard: <initguid.h> may come after the first inclusion. */
#undef DEFINE_GUID
#ifdef INITGUID
#define DEFINE_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8)		\
	extern const GUID name;							\
	const GUID name = { l, w1, w2, { b1, b2, b3, b4, b5, b6, b7, b8 } }
#else
#define DEFINE_GUID(name, ...) extern const GUID name
#endif
