/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What drivers use and the DDK headers of mingw-w64 do not have: included first
 * into every file by scripts/windows.sh.  Microsoft's own headers need none of it.
 */
#ifndef _KMCL_MINGW_DDK_H
#define _KMCL_MINGW_DDK_H

#include <ntddk.h>

#ifndef POOL_FLAG_NON_PAGED
typedef ULONG64 POOL_FLAGS;

#define POOL_FLAG_UNINITIALIZED	0x0000000000000002ULL
#define POOL_FLAG_NON_PAGED	0x0000000000000040ULL
#define POOL_FLAG_PAGED		0x0000000000000100ULL

/* As Windows' own header does it for systems that are older than the function. */
static inline PVOID ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag)
{
	POOL_TYPE type = Flags & POOL_FLAG_PAGED ? PagedPool : NonPagedPoolNx;
	PVOID p = ExAllocatePoolWithTag(type, NumberOfBytes, Tag);

	if (p && !(Flags & POOL_FLAG_UNINITIALIZED))
		RtlZeroMemory(p, NumberOfBytes);
	return p;
}
#endif

#define KMCL_READ(Name, type, order)						\
static inline type Name(type const volatile *Source)				\
{										\
	return __atomic_load_n(Source, order);					\
}

KMCL_READ(ReadAcquire, LONG, __ATOMIC_ACQUIRE)
KMCL_READ(ReadNoFence, LONG, __ATOMIC_RELAXED)
KMCL_READ(ReadULongAcquire, ULONG, __ATOMIC_ACQUIRE)
KMCL_READ(ReadULongNoFence, ULONG, __ATOMIC_RELAXED)
KMCL_READ(ReadAcquire64, LONG64, __ATOMIC_ACQUIRE)
KMCL_READ(ReadNoFence64, LONG64, __ATOMIC_RELAXED)
KMCL_READ(ReadULong64Acquire, ULONG64, __ATOMIC_ACQUIRE)
KMCL_READ(ReadULong64NoFence, ULONG64, __ATOMIC_RELAXED)
KMCL_READ(ReadPointerAcquire, PVOID, __ATOMIC_ACQUIRE)
KMCL_READ(ReadPointerNoFence, PVOID, __ATOMIC_RELAXED)

#define KMCL_WRITE(Name, type, order)						\
static inline VOID Name(type volatile *Destination, type Value)			\
{										\
	__atomic_store_n(Destination, Value, order);				\
}

KMCL_WRITE(WriteRelease, LONG, __ATOMIC_RELEASE)
KMCL_WRITE(WriteNoFence, LONG, __ATOMIC_RELAXED)
KMCL_WRITE(WriteULongRelease, ULONG, __ATOMIC_RELEASE)
KMCL_WRITE(WriteULongNoFence, ULONG, __ATOMIC_RELAXED)
KMCL_WRITE(WriteRelease64, LONG64, __ATOMIC_RELEASE)
KMCL_WRITE(WriteNoFence64, LONG64, __ATOMIC_RELAXED)
KMCL_WRITE(WriteULong64Release, ULONG64, __ATOMIC_RELEASE)
KMCL_WRITE(WriteULong64NoFence, ULONG64, __ATOMIC_RELAXED)

#ifndef MdlMappingNoWrite
#define MdlMappingNoWrite	0x80000000
#define MdlMappingNoExecute	0x40000000
#endif

#endif /* _KMCL_MINGW_DDK_H */
