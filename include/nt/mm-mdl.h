/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory descriptor lists: the x64 layout, which drivers read directly.
 *
 * An MDL names the pages behind a buffer.  The page frame numbers follow the
 * struct, in units of 4 KiB whatever PAGE_SIZE is, because that is what the
 * hypervisor counts in.
 *
 * The life of one, as on Windows: IoAllocateMdl() or MmInitializeMdl() describe
 * a range of addresses; MmBuildMdlForNonPagedPool(), MmProbeAndLockPages() or
 * IoBuildPartialMdl() put in the pages; MmGetSystemAddressForMdlSafe() finds or
 * makes a mapping; MmUnlockPages(), MmPrepareMdlForReuse() and IoFreeMdl() take
 * it apart.  Who shares an MDL between threads serialises them: nothing here
 * takes a lock.
 *
 * What is different:
 * - Memory of the kernel never leaves its place, so locking it costs nothing and
 *   pins nothing: who frees the buffer first has freed it.  Memory of user space
 *   is not locked here (Windows would raise an exception): one line, no pages.
 * - Pages that do not lie side by side are mapped in process context alone.
 *   Higher up MmGetSystemAddressForMdlSafe() returns NULL, which it may on
 *   Windows too; a packet's data is reached after VmbChannelPacketDeferToPassive().
 * - Memory is mapped cached whatever was asked for: another type would alias the
 *   mapping that the kernel has of all memory.
 * - Size is 0 in an MDL of more than 8185 pages, where it does not fit.
 */
#ifndef _KMCL_NT_MM_MDL_H
#define _KMCL_NT_MM_MDL_H

#include <ntdef.h>

/* Windows' page, not the processor's. */
#define KMCL_NT_PAGE_SHIFT		12
#define KMCL_NT_PAGE_SIZE		(1UL << KMCL_NT_PAGE_SHIFT)

typedef struct _MDL {
	struct _MDL *Next;
	CSHORT Size;
	CSHORT MdlFlags;
	struct _EPROCESS *Process;
	PVOID MappedSystemVa;
	PVOID StartVa;
	ULONG ByteCount;
	ULONG ByteOffset;
} MDL, *PMDL;
typedef const MDL *PCMDL;

C_ASSERT(FIELD_OFFSET(MDL, Next) == 0x00);
C_ASSERT(FIELD_OFFSET(MDL, Size) == 0x08);
C_ASSERT(FIELD_OFFSET(MDL, MdlFlags) == 0x0A);
C_ASSERT(FIELD_OFFSET(MDL, Process) == 0x10);
C_ASSERT(FIELD_OFFSET(MDL, MappedSystemVa) == 0x18);
C_ASSERT(FIELD_OFFSET(MDL, StartVa) == 0x20);
C_ASSERT(FIELD_OFFSET(MDL, ByteCount) == 0x28);
C_ASSERT(FIELD_OFFSET(MDL, ByteOffset) == 0x2C);
C_ASSERT(sizeof(MDL) == 0x30);

#define MDL_MAPPED_TO_SYSTEM_VA		0x0001
#define MDL_PAGES_LOCKED		0x0002
#define MDL_SOURCE_IS_NONPAGED_POOL	0x0004
#define MDL_ALLOCATED_FIXED_SIZE	0x0008
#define MDL_PARTIAL			0x0010
#define MDL_PARTIAL_HAS_BEEN_MAPPED	0x0020
#define MDL_IO_PAGE_READ		0x0040
#define MDL_WRITE_OPERATION		0x0080
#define MDL_PARENT_MAPPED_SYSTEM_VA	0x0100
#define MDL_FREE_EXTRA_PTES		0x0200
#define MDL_DESCRIBES_AWE		0x0400
#define MDL_IO_SPACE			0x0800
#define MDL_NETWORK_HEADER		0x1000
#define MDL_MAPPING_CAN_FAIL		0x2000
#define MDL_ALLOCATED_MUST_SUCCEED	0x4000
#define MDL_INTERNAL			0x8000

#define MDL_MAPPING_FLAGS						\
	(MDL_MAPPED_TO_SYSTEM_VA | MDL_PAGES_LOCKED | MDL_SOURCE_IS_NONPAGED_POOL | \
	 MDL_PARTIAL_HAS_BEEN_MAPPED | MDL_PARENT_MAPPED_SYSTEM_VA | MDL_IO_SPACE)

typedef enum _LOCK_OPERATION {
	IoReadAccess,
	IoWriteAccess,
	IoModifyAccess,
} LOCK_OPERATION;

typedef enum _MEMORY_CACHING_TYPE {
	MmNonCached = 0,
	MmCached = 1,
	MmWriteCombined = 2,
} MEMORY_CACHING_TYPE;

/* The two flags may be added to a priority; the priority itself means nothing. */
typedef enum _MM_PAGE_PRIORITY {
	LowPagePriority = 0,
	NormalPagePriority = 16,
	HighPagePriority = 32,
} MM_PAGE_PRIORITY;

#define MdlMappingNoWrite		0x80000000U
#define MdlMappingNoExecute		0x40000000U

/* What MmAllocatePagesForMdlEx() takes. */
#define MM_DONT_ZERO_ALLOCATION			0x00000001
#define MM_ALLOCATE_FROM_LOCAL_NODE_ONLY	0x00000002
#define MM_ALLOCATE_FULLY_REQUIRED		0x00000004
#define MM_ALLOCATE_NO_WAIT			0x00000008
#define MM_ALLOCATE_PREFER_CONTIGUOUS		0x00000010
#define MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS	0x00000020

/* There is no I/O manager: this is the one member that IoAllocateMdl() uses. */
typedef struct _IRP {
	PMDL MdlAddress;
} IRP, *PIRP;

#define BYTE_OFFSET(Va)		((ULONG)((ULONG_PTR)(Va) & (KMCL_NT_PAGE_SIZE - 1)))
#define BYTES_TO_PAGES(Size)							\
	((ULONG)(((ULONG_PTR)(Size) + KMCL_NT_PAGE_SIZE - 1) >> KMCL_NT_PAGE_SHIFT))
#define ROUND_TO_PAGES(Size)							\
	(((ULONG_PTR)(Size) + KMCL_NT_PAGE_SIZE - 1) & ~(ULONG_PTR)(KMCL_NT_PAGE_SIZE - 1))
#define ADDRESS_AND_SIZE_TO_SPAN_PAGES(Va, Size)				\
	BYTES_TO_PAGES((ULONG_PTR)(Size) + BYTE_OFFSET(Va))

#define MmGetMdlPfnArray(Mdl)	((PPFN_NUMBER)((PMDL)(Mdl) + 1))
#define MmGetMdlByteCount(Mdl)	((Mdl)->ByteCount)
#define MmGetMdlByteOffset(Mdl)	((Mdl)->ByteOffset)
#define MmGetMdlBaseVa(Mdl)	((Mdl)->StartVa)

/* A number for comparing, not to be read from: see MmGetSystemAddressForMdlSafe(). */
static inline PVOID MmGetMdlVirtualAddress(PCMDL Mdl)
{
	return (PUCHAR)Mdl->StartVa + Mdl->ByteOffset;
}

/* Bytes of an MDL, its page frame numbers included, for a buffer there. */
static inline SIZE_T MmSizeOfMdl(PVOID Base, SIZE_T Length)
{
	return sizeof(MDL) + sizeof(PFN_NUMBER) * ADDRESS_AND_SIZE_TO_SPAN_PAGES(Base, Length);
}

/**
 * MmInitializeMdl() - describe a buffer, in memory of MmSizeOfMdl() bytes
 * @MemoryDescriptorList: that memory
 * @BaseVa: the buffer
 * @Length: its bytes
 *
 * The pages are not known yet.
 *
 * Context: any.
 */
static inline VOID MmInitializeMdl(PMDL MemoryDescriptorList, PVOID BaseVa, SIZE_T Length)
{
	SIZE_T size = MmSizeOfMdl(BaseVa, Length);

	memset(MemoryDescriptorList, 0, sizeof(*MemoryDescriptorList));
	MemoryDescriptorList->Size = size <= U16_MAX ? (CSHORT)size : 0;
	MemoryDescriptorList->StartVa = (PUCHAR)BaseVa - BYTE_OFFSET(BaseVa);
	MemoryDescriptorList->ByteOffset = BYTE_OFFSET(BaseVa);
	MemoryDescriptorList->ByteCount = (ULONG)Length;
}

/* Whether the page frame numbers mean anything. */
static inline bool kmcl_nt_mdl_has_pages(PCMDL Mdl)
{
	return Mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_SOURCE_IS_NONPAGED_POOL | MDL_PARTIAL);
}

/**
 * IoAllocateMdl() - allocate an MDL for a buffer
 * @VirtualAddress: the buffer; may be NULL, for the target of IoBuildPartialMdl()
 * @Length: its bytes, below 4 GiB less a page
 * @SecondaryBuffer: with @Irp: append to the chain at its MdlAddress instead of
 *                   replacing it
 * @ChargeQuota: ignored
 * @Irp: where to put it, or NULL
 *
 * Context: any but hard interrupt; above 64 KiB of MDL (32 MiB of buffer) better
 * in process context.
 * Return: the MDL, without pages; NULL without memory or for a longer buffer.
 */
PMDL IoAllocateMdl(PVOID VirtualAddress, ULONG Length, BOOLEAN SecondaryBuffer,
		   BOOLEAN ChargeQuota, PIRP Irp);

/**
 * IoFreeMdl() - free an MDL of IoAllocateMdl()
 * @Mdl: it alone, not what Next points to; a mapping that was made for a partial
 *       MDL is undone
 *
 * Context: any but hard interrupt.
 */
VOID IoFreeMdl(PMDL Mdl);

/**
 * MmBuildMdlForNonPagedPool() - put in the pages of a buffer in kernel memory
 * @MemoryDescriptorList: its buffer is pool (kmalloc, vmalloc), on a stack, or
 *                        data of a module or the kernel
 *
 * The buffer's own address becomes MappedSystemVa.  An address without pages
 * leaves the MDL without, and one rate-limited line.
 *
 * Context: any.
 */
VOID MmBuildMdlForNonPagedPool(PMDL MemoryDescriptorList);

/**
 * MmProbeAndLockPages() - put in the pages of a buffer and lock them
 * @MemoryDescriptorList: its buffer is kernel memory
 * @AccessMode: KernelMode
 * @Operation: anything but IoReadAccess sets MDL_WRITE_OPERATION
 *
 * On Windows a failure is an exception.  Here MDL_PAGES_LOCKED stays clear, and
 * one rate-limited line says so.
 *
 * Context: any.
 */
VOID MmProbeAndLockPages(PMDL MemoryDescriptorList, KPROCESSOR_MODE AccessMode,
			 LOCK_OPERATION Operation);

/**
 * MmUnlockPages() - undo MmProbeAndLockPages()
 * @MemoryDescriptorList: an MDL with locked pages; a mapping is undone too
 *
 * Context: any but hard interrupt.
 */
VOID MmUnlockPages(PMDL MemoryDescriptorList);

/**
 * IoBuildPartialMdl() - describe part of a buffer that another MDL describes
 * @SourceMdl: with pages; of a chain, this one alone
 * @TargetMdl: large enough for the part; what it described is forgotten
 * @VirtualAddress: where the part begins, in terms of
 *                  MmGetMdlVirtualAddress(@SourceMdl)
 * @Length: its bytes, 0 for the rest
 *
 * The target uses the source's mapping, if there is one, and its pages: it goes
 * before the source does.  A part that is not within the source, or too large for
 * the target (on Windows a bugcheck), leaves the target without pages and
 * one rate-limited line.
 *
 * Context: any but hard interrupt.
 */
VOID IoBuildPartialMdl(PMDL SourceMdl, PMDL TargetMdl, PVOID VirtualAddress, ULONG Length);

/**
 * MmMapLockedPagesSpecifyCache() - map the pages of an MDL
 * @MemoryDescriptorList: with pages, and not mapped
 * @AccessMode: KernelMode
 * @CacheType: ignored
 * @RequestedAddress: ignored
 * @BugCheckOnFailure: ignored, a failure is NULL
 * @Priority: MdlMappingNoWrite makes the mapping read-only
 *
 * Context: process, may sleep; softirq too when the pages lie side by side and
 * the mapping is writable.
 * Return: where the first byte is; NULL without room, without pages, for
 * UserMode, and out of context.
 */
PVOID MmMapLockedPagesSpecifyCache(PMDL MemoryDescriptorList, KPROCESSOR_MODE AccessMode,
				   MEMORY_CACHING_TYPE CacheType, PVOID RequestedAddress,
				   ULONG BugCheckOnFailure, ULONG Priority);

/**
 * MmUnmapLockedPages() - undo MmMapLockedPagesSpecifyCache()
 * @BaseAddress: what it returned
 * @MemoryDescriptorList: what it mapped
 *
 * Context: any but hard interrupt.
 */
VOID MmUnmapLockedPages(PVOID BaseAddress, PMDL MemoryDescriptorList);

/**
 * MmAllocatePagesForMdlEx() - allocate pages, described by an MDL, not mapped
 * @LowAddress: lowest physical address
 * @HighAddress: highest physical address
 * @SkipBytes: with MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS the size of a chunk, a
 *             power of 2 of at least a page; else ignored
 * @TotalBytes: how much, below 4 GiB less a page
 * @CacheType: ignored
 * @Flags: MM_* bits
 *
 * MmFreePagesFromMdl() frees the pages, ExFreePool() then the MDL.
 *
 * Memory is looked for where the kernel's zones allow it: below 16 MiB, below
 * 4 GiB, or anywhere.  A page outside of the range ends the search.
 *
 * Context: process, may sleep.
 * Return: an MDL of locked pages, possibly of fewer bytes than asked for unless
 * MM_ALLOCATE_FULLY_REQUIRED is set; NULL when there are none.
 */
PMDL MmAllocatePagesForMdlEx(PHYSICAL_ADDRESS LowAddress, PHYSICAL_ADDRESS HighAddress,
			     PHYSICAL_ADDRESS SkipBytes, SIZE_T TotalBytes,
			     MEMORY_CACHING_TYPE CacheType, ULONG Flags);

static inline PMDL MmAllocatePagesForMdl(PHYSICAL_ADDRESS LowAddress,
					 PHYSICAL_ADDRESS HighAddress,
					 PHYSICAL_ADDRESS SkipBytes, SIZE_T TotalBytes)
{
	return MmAllocatePagesForMdlEx(LowAddress, HighAddress, SkipBytes, TotalBytes, MmCached, 0);
}

/**
 * MmFreePagesFromMdl() - free the pages of MmAllocatePagesForMdl()
 * @MemoryDescriptorList: its MDL; a mapping is undone
 *
 * Context: process, may sleep.
 */
VOID MmFreePagesFromMdl(PMDL MemoryDescriptorList);

/**
 * MmGetPhysicalAddress() - where a byte of kernel memory really is
 * @BaseAddress: its address
 *
 * Context: any.
 * Return: its physical address, 0 when it has none.
 */
PHYSICAL_ADDRESS MmGetPhysicalAddress(PVOID BaseAddress);

/**
 * MmGetSystemAddressForMdlSafe() - an address at which the buffer can be used
 * @Mdl: with pages
 * @Priority: see MmMapLockedPagesSpecifyCache()
 *
 * Maps the pages unless they are mapped.
 *
 * Context: any but hard interrupt when there is a mapping; else as
 * MmMapLockedPagesSpecifyCache().
 * Return: where the first byte is, NULL on failure.
 */
static inline PVOID MmGetSystemAddressForMdlSafe(PMDL Mdl, ULONG Priority)
{
	if (Mdl->MdlFlags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL))
		return Mdl->MappedSystemVa;
	return MmMapLockedPagesSpecifyCache(Mdl, KernelMode, MmCached, NULL, FALSE, Priority);
}

/* Before a partial MDL is built anew: undoes a mapping that was made for it. */
static inline VOID MmPrepareMdlForReuse(PMDL Mdl)
{
	if (Mdl->MdlFlags & MDL_PARTIAL_HAS_BEEN_MAPPED)
		MmUnmapLockedPages(Mdl->MappedSystemVa, Mdl);
}

#endif /* _KMCL_NT_MM_MDL_H */
