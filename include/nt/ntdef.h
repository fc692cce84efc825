/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The basic types of Windows kernel code.
 *
 * Windows' long has 32 bits, so LONG and ULONG are never C's long here.
 * BOOLEAN is a byte and not bool, because Windows code stores other values
 * than 0 and 1 in it.  WCHAR holds UTF-16; the kernel builds with
 * -fshort-wchar, so L"..." is an array of it.
 *
 * Names that Linux headers define too (TRUE, FALSE) are taken as they are
 * when they exist; both orders of inclusion work.
 */
#ifndef _KMCL_NT_NTDEF_H
#define _KMCL_NT_NTDEF_H

#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/container_of.h>
#include <linux/kernel.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/types.h>

#include <sal.h>
#include <guiddef.h>
#include <ntstatus.h>

/* Calling conventions: there is only one. */
#define NTAPI
#define FASTCALL
#define NTHALAPI
#define NTSYSAPI
#define FORCEINLINE static __always_inline
#define DECLSPEC_ALIGN(n) __aligned(n)
#define DECLSPEC_NORETURN __noreturn
#define DECLSPEC_NOINLINE noinline

#ifndef VOID
#define VOID void
#endif
#ifndef CONST
#define CONST const
#endif

#ifndef TRUE
#define TRUE 1
#endif
#ifndef FALSE
#define FALSE 0
#endif

typedef void *PVOID, *LPVOID;
typedef const void *PCVOID;
typedef void *HANDLE;
typedef HANDLE *PHANDLE;

typedef char CHAR, CCHAR, *PCHAR, *PSTR;
typedef const char *PCSTR;
typedef u8 UCHAR, *PUCHAR;
typedef u8 BOOLEAN, *PBOOLEAN;
typedef s16 SHORT, *PSHORT, CSHORT;
typedef u16 USHORT, *PUSHORT;
typedef s32 LONG, *PLONG, INT, *PINT;
typedef u32 ULONG, *PULONG, UINT, *PUINT;
typedef s64 LONGLONG, *PLONGLONG;
typedef u64 ULONGLONG, *PULONGLONG;

typedef s8 INT8, *PINT8;
typedef u8 UINT8, *PUINT8;
typedef s16 INT16, *PINT16;
typedef u16 UINT16, *PUINT16;
typedef s32 INT32, *PINT32, LONG32, *PLONG32;
typedef u32 UINT32, *PUINT32, ULONG32, *PULONG32;
typedef s64 INT64, *PINT64, LONG64, *PLONG64;
typedef u64 UINT64, *PUINT64, ULONG64, *PULONG64;

/* Integers as wide as a pointer, printed by Windows code as 64 bits. */
typedef s64 LONG_PTR, *PLONG_PTR, INT_PTR, *PINT_PTR, SSIZE_T;
typedef u64 ULONG_PTR, *PULONG_PTR, UINT_PTR, *PUINT_PTR, SIZE_T, *PSIZE_T;
typedef ULONG_PTR PFN_NUMBER, *PPFN_NUMBER;

typedef u16 WCHAR, *PWCHAR, *PWSTR, *PWCH;
typedef const WCHAR *PCWSTR;

typedef union _LARGE_INTEGER {
	struct {
		ULONG LowPart;
		LONG HighPart;
	};
	struct {
		ULONG LowPart;
		LONG HighPart;
	} u;
	LONGLONG QuadPart;
} LARGE_INTEGER, *PLARGE_INTEGER;

typedef union _ULARGE_INTEGER {
	struct {
		ULONG LowPart;
		ULONG HighPart;
	};
	struct {
		ULONG LowPart;
		ULONG HighPart;
	} u;
	ULONGLONG QuadPart;
} ULARGE_INTEGER, *PULARGE_INTEGER;

typedef LARGE_INTEGER PHYSICAL_ADDRESS, *PPHYSICAL_ADDRESS;

/* Lengths are in bytes; Buffer need not end with a NUL. */
typedef struct _UNICODE_STRING {
	USHORT Length;
	USHORT MaximumLength;
	PWCH Buffer;
} UNICODE_STRING, *PUNICODE_STRING;
typedef const UNICODE_STRING *PCUNICODE_STRING;

#define RTL_CONSTANT_STRING(s)							\
	{ sizeof(s) - sizeof((s)[0]), sizeof(s), (PWCH)(s) }
#define DECLARE_CONST_UNICODE_STRING(var, s)					\
	const UNICODE_STRING var = RTL_CONSTANT_STRING(s)

typedef struct _LIST_ENTRY {
	struct _LIST_ENTRY *Flink;
	struct _LIST_ENTRY *Blink;
} LIST_ENTRY, *PLIST_ENTRY;

/*
 * A device object is the address of a struct device and nothing else;
 * <kmcl/device.h> converts.  The struct is never defined.
 */
typedef struct _DEVICE_OBJECT *PDEVICE_OBJECT;

/* Whom something is done for. Here it is always the kernel. */
typedef CCHAR KPROCESSOR_MODE;

enum _MODE {
	KernelMode,
	UserMode,
};

#define ANYSIZE_ARRAY 1
#define CONTAINING_RECORD(address, type, field) container_of(address, type, field)
#define FIELD_OFFSET(type, field) ((LONG)offsetof(type, field))
#ifndef ARRAYSIZE
#define ARRAYSIZE(a) ARRAY_SIZE(a)
#endif
#define RTL_NUMBER_OF(a) ARRAY_SIZE(a)
#define RTL_FIELD_SIZE(type, field) sizeof_field(type, field)
#define RTL_SIZEOF_THROUGH_FIELD(type, field)					\
	(offsetof(type, field) + sizeof_field(type, field))
#define MAXUCHAR	0xff
#define MAXUSHORT	0xffff
#define MAXULONG	0xffffffffU
#define MAXLONG		0x7fffffff
#define MAXULONGLONG	0xffffffffffffffffULL
#define MAXLONGLONG	0x7fffffffffffffffLL
#define C_ASSERT(e) static_assert(e)
#define UNREFERENCED_PARAMETER(p) ((void)(p))
#define DBG_UNREFERENCED_PARAMETER(p) ((void)(p))

C_ASSERT(sizeof(NTSTATUS) == 4 && sizeof(LONG) == 4 && sizeof(ULONG) == 4);
C_ASSERT(sizeof(ULONG_PTR) == 8 && sizeof(PVOID) == 8);
C_ASSERT(sizeof(PFN_NUMBER) == 8 && sizeof(BOOLEAN) == 1);
C_ASSERT(sizeof(WCHAR) == 2 && sizeof(LARGE_INTEGER) == 8);
C_ASSERT(sizeof(UNICODE_STRING) == 16 && sizeof(GUID) == 16);

#endif /* _KMCL_NT_NTDEF_H */
