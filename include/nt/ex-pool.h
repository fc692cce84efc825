/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pool memory.  Non-paged and paged pool are the same memory here; the flag
 * only says where it may be asked for.  Tags, quotas and priorities are ignored,
 * and nothing raises an exception.  Blocks are aligned to 16 bytes.
 *
 * Lookaside lists keep no list: the kernel's allocator is one itself.
 */
#ifndef _KMCL_NT_EX_POOL_H
#define _KMCL_NT_EX_POOL_H

#include <linux/mm.h>
#include <linux/slab.h>

#include <ke-irql.h>

typedef ULONG64 POOL_FLAGS;

#define POOL_FLAG_USE_QUOTA		0x0000000000000001ULL
#define POOL_FLAG_UNINITIALIZED		0x0000000000000002ULL
#define POOL_FLAG_SESSION		0x0000000000000004ULL
#define POOL_FLAG_CACHE_ALIGNED		0x0000000000000008ULL
#define POOL_FLAG_RAISE_ON_FAILURE	0x0000000000000020ULL
#define POOL_FLAG_NON_PAGED		0x0000000000000040ULL
#define POOL_FLAG_NON_PAGED_EXECUTE	0x0000000000000080ULL
#define POOL_FLAG_PAGED			0x0000000000000100ULL

typedef enum _POOL_TYPE {
	NonPagedPool = 0,
	NonPagedPoolExecute = NonPagedPool,
	PagedPool = 1,
	NonPagedPoolNx = 512,
} POOL_TYPE;

/*
 * kmalloc() aligns to the power of 2 that the size is rounded to, except that
 * it has sizes of 96 and 192 between them: those are passed over.
 */
static inline size_t kmcl_nt_pool_size(size_t size)
{
	if (size <= 8)
		return 9;
	if (size > 64 && size <= 96)
		return 97;
	if (size > 128 && size <= 192)
		return 193;
	return size;
}

static inline void *kmcl_nt_pool_alloc(size_t size, gfp_t gfp)
{
	size = kmcl_nt_pool_size(size);
	if (KeGetCurrentIrql() > APC_LEVEL)
		return kmalloc(size, GFP_ATOMIC | gfp);
	return kvmalloc(size, GFP_KERNEL | gfp);
}

/**
 * ExAllocatePool2() - get memory
 * @Flags: POOL_FLAG_* bits; without UNINITIALIZED the memory is zeroed
 * @NumberOfBytes: how much, from 1
 * @Tag: ignored
 *
 * Context: any but hard interrupt; process alone for paged pool.
 * Return: the memory; NULL without, for 0 bytes, and when @Flags name no pool.
 */
static inline PVOID ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag)
{
	if (!NumberOfBytes || !(Flags & (POOL_FLAG_NON_PAGED | POOL_FLAG_NON_PAGED_EXECUTE |
					 POOL_FLAG_PAGED)))
		return NULL;
	return kmcl_nt_pool_alloc(NumberOfBytes, Flags & POOL_FLAG_UNINITIALIZED ? 0 : __GFP_ZERO);
}

/* Before ExAllocatePool2(): not zeroed, and 0 bytes have an address. */
static inline PVOID ExAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
	return kmcl_nt_pool_alloc(NumberOfBytes, 0);
}

static inline PVOID ExAllocatePoolZero(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
	return kmcl_nt_pool_alloc(NumberOfBytes, __GFP_ZERO);
}

#define ExAllocatePoolUninitialized(PoolType, NumberOfBytes, Tag)		\
	ExAllocatePoolWithTag(PoolType, NumberOfBytes, Tag)
#define ExAllocatePool(PoolType, NumberOfBytes)					\
	ExAllocatePoolWithTag(PoolType, NumberOfBytes, 0)

static inline VOID ExFreePoolWithTag(PVOID P, ULONG Tag)
{
	kvfree(P);
}

#define ExFreePool(P) ExFreePoolWithTag(P, 0)

/* ---- lookaside lists ---- */

typedef PVOID ALLOCATE_FUNCTION(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag);
typedef ALLOCATE_FUNCTION *PALLOCATE_FUNCTION;
typedef VOID FREE_FUNCTION(PVOID Buffer);
typedef FREE_FUNCTION *PFREE_FUNCTION;

typedef struct _NPAGED_LOOKASIDE_LIST {
	PALLOCATE_FUNCTION Allocate;
	PFREE_FUNCTION Free;
	SIZE_T Size;
	ULONG Tag;
	POOL_TYPE Type;
} NPAGED_LOOKASIDE_LIST, *PNPAGED_LOOKASIDE_LIST, PAGED_LOOKASIDE_LIST, *PPAGED_LOOKASIDE_LIST;

static inline VOID kmcl_nt_lookaside_init(PNPAGED_LOOKASIDE_LIST list, POOL_TYPE type,
					  PALLOCATE_FUNCTION allocate, PFREE_FUNCTION free,
					  SIZE_T size, ULONG tag)
{
	list->Allocate = allocate;
	list->Free = free;
	list->Size = size;
	list->Tag = tag;
	list->Type = type;
}

static inline PVOID ExAllocateFromNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside)
{
	if (Lookaside->Allocate)
		return Lookaside->Allocate(Lookaside->Type, Lookaside->Size, Lookaside->Tag);
	return ExAllocatePoolWithTag(Lookaside->Type, Lookaside->Size, Lookaside->Tag);
}

static inline VOID ExFreeToNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside, PVOID Entry)
{
	if (Lookaside->Free)
		Lookaside->Free(Entry);
	else
		ExFreePoolWithTag(Entry, Lookaside->Tag);
}

/* @Flags and @Depth are about the list that there is not. */
#define ExInitializeNPagedLookasideList(Lookaside, Allocate, Free, Flags, Size, Tag, Depth)	\
	kmcl_nt_lookaside_init(Lookaside, NonPagedPoolNx, Allocate, Free, Size, Tag)
#define ExInitializePagedLookasideList(Lookaside, Allocate, Free, Flags, Size, Tag, Depth)	\
	kmcl_nt_lookaside_init(Lookaside, PagedPool, Allocate, Free, Size, Tag)
#define ExAllocateFromPagedLookasideList(Lookaside)				\
	ExAllocateFromNPagedLookasideList(Lookaside)
#define ExFreeToPagedLookasideList(Lookaside, Entry)				\
	ExFreeToNPagedLookasideList(Lookaside, Entry)
#define ExDeleteNPagedLookasideList(Lookaside)	((void)(Lookaside))
#define ExDeletePagedLookasideList(Lookaside)	((void)(Lookaside))

#endif /* _KMCL_NT_EX_POOL_H */
