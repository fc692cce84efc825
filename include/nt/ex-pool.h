/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pool memory.  Non-paged and paged pool are the same memory here; the flag
 * only says where it may be asked for.
 */
#ifndef _KMCL_NT_EX_POOL_H
#define _KMCL_NT_EX_POOL_H

#include <linux/mm.h>
#include <linux/slab.h>

#include <ke-irql.h>

typedef ULONG64 POOL_FLAGS;

#define POOL_FLAG_UNINITIALIZED		0x0000000000000002ULL
#define POOL_FLAG_CACHE_ALIGNED		0x0000000000000008ULL
#define POOL_FLAG_NON_PAGED		0x0000000000000040ULL
#define POOL_FLAG_PAGED			0x0000000000000100ULL

/**
 * ExAllocatePool2() - get memory
 * @Flags: POOL_FLAG_* bits; without UNINITIALIZED the memory is zeroed
 * @NumberOfBytes: how much, from 1
 * @Tag: ignored
 *
 * Context: any but hard interrupt; process alone for paged pool.
 * Return: the memory, NULL without.
 */
static inline PVOID ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag)
{
	gfp_t gfp = Flags & POOL_FLAG_UNINITIALIZED ? 0 : __GFP_ZERO;

	if (!NumberOfBytes)
		return NULL;
	if (KeGetCurrentIrql() > APC_LEVEL)
		return kmalloc(NumberOfBytes, GFP_ATOMIC | gfp);
	return kvmalloc(NumberOfBytes, GFP_KERNEL | gfp);
}

static inline VOID ExFreePoolWithTag(PVOID P, ULONG Tag)
{
	kvfree(P);
}

#define ExFreePool(P) ExFreePoolWithTag(P, 0)

#endif /* _KMCL_NT_EX_POOL_H */
