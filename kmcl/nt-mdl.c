// SPDX-License-Identifier: GPL-2.0
/*
 * Memory descriptor lists: what of <mm-mdl.h> is more than a line.
 *
 * Called by drivers, and by the library for the MDLs that it hands out.  Nothing
 * here comes from a peer, but a driver's mistakes end in one line each: these
 * functions return nothing, and on Windows the same mistakes are bugchecks.
 */
#define pr_fmt(fmt) "kmcl: " fmt

#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/llist.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <ntddk.h>
#include "compat.h"
#include "nt.h"

/* Of Windows' pages in a page of the kernel's: one, but for other processors. */
#define PFNS_PER_PAGE	(PAGE_SIZE / KMCL_NT_PAGE_SIZE)

static bool may_sleep(void)
{
	return KeGetCurrentIrql() < DISPATCH_LEVEL;
}

static unsigned int mdl_span(PCMDL mdl)
{
	return ADDRESS_AND_SIZE_TO_SPAN_PAGES(MmGetMdlVirtualAddress(mdl), mdl->ByteCount);
}

/* Page frame numbers that fit behind an MDL. */
static unsigned int mdl_room(PCMDL mdl)
{
	/* too large for Size: then the driver is believed */
	if (!mdl->Size)
		return UINT_MAX;
	return ((USHORT)mdl->Size - sizeof(MDL)) / sizeof(PFN_NUMBER);
}

/* False: there is no memory at that address, or none of the kernel's. */
static bool kernel_address_to_phys(const void *va, phys_addr_t *phys)
{
	const struct page *page;

	if (kmcl_is_mapped_by_page(va)) {
		page = vmalloc_to_page(va);
		if (!page)
			return false;
		*phys = page_to_phys(page) + offset_in_page(va);
		return true;
	}
	/* also the kernel's own data, which is not where the rest of memory is mapped */
	if (!virt_addr_valid(va))
		return false;
	*phys = virt_to_phys((void *)va);
	return true;
}

static bool mdl_fill(PMDL mdl)
{
	PPFN_NUMBER pfns = MmGetMdlPfnArray(mdl);
	const u8 *va = mdl->StartVa;
	unsigned int i, n = mdl_span(mdl);
	phys_addr_t phys;

	for (i = 0; i < n; i++) {
		if (!kernel_address_to_phys(va + i * KMCL_NT_PAGE_SIZE, &phys))
			return false;
		pfns[i] = phys >> KMCL_NT_PAGE_SHIFT;
	}
	return true;
}

/* ---- making them ---- */

PMDL IoAllocateMdl(PVOID VirtualAddress, ULONG Length, BOOLEAN SecondaryBuffer,
		   BOOLEAN ChargeQuota, PIRP Irp)
{
	size_t size = MmSizeOfMdl(VirtualAddress, Length);
	PMDL mdl, *link;

	if (Length >= U32_MAX - KMCL_NT_PAGE_SIZE)
		return NULL;
	mdl = may_sleep() ? kvmalloc(size, GFP_KERNEL) : kmalloc(size, GFP_ATOMIC | __GFP_NOWARN);
	if (!mdl)
		return NULL;
	MmInitializeMdl(mdl, VirtualAddress, Length);

	if (Irp) {
		link = &Irp->MdlAddress;
		while (SecondaryBuffer && *link)
			link = &(*link)->Next;
		*link = mdl;
	}
	return mdl;
}
EXPORT_SYMBOL_GPL(IoAllocateMdl);

VOID IoFreeMdl(PMDL Mdl)
{
	if (!Mdl)
		return;
	MmPrepareMdlForReuse(Mdl);
	kvfree(Mdl);
}
EXPORT_SYMBOL_GPL(IoFreeMdl);

VOID MmBuildMdlForNonPagedPool(PMDL MemoryDescriptorList)
{
	PMDL mdl = MemoryDescriptorList;

	mdl->Process = NULL;
	if (!mdl_fill(mdl)) {
		pr_err_ratelimited("%ps: %s: no kernel memory at %p, %u bytes\n",
				   __builtin_return_address(0), __func__,
				   MmGetMdlVirtualAddress(mdl), mdl->ByteCount);
		return;
	}
	mdl->MappedSystemVa = MmGetMdlVirtualAddress(mdl);
	mdl->MdlFlags |= MDL_SOURCE_IS_NONPAGED_POOL;
}
EXPORT_SYMBOL_GPL(MmBuildMdlForNonPagedPool);

VOID MmProbeAndLockPages(PMDL MemoryDescriptorList, KPROCESSOR_MODE AccessMode,
			 LOCK_OPERATION Operation)
{
	PMDL mdl = MemoryDescriptorList;

	mdl->Process = NULL;
	if (AccessMode != KernelMode || !mdl_fill(mdl)) {
		pr_err_ratelimited("%ps: %s: no kernel memory at %p, %u bytes\n",
				   __builtin_return_address(0), __func__,
				   MmGetMdlVirtualAddress(mdl), mdl->ByteCount);
		return;
	}
	mdl->MdlFlags |= MDL_PAGES_LOCKED;
	if (Operation == IoReadAccess)
		mdl->MdlFlags &= ~MDL_WRITE_OPERATION;
	else
		mdl->MdlFlags |= MDL_WRITE_OPERATION;
}
EXPORT_SYMBOL_GPL(MmProbeAndLockPages);

VOID MmUnlockPages(PMDL MemoryDescriptorList)
{
	PMDL mdl = MemoryDescriptorList;

	if (mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA)
		MmUnmapLockedPages(mdl->MappedSystemVa, mdl);
	mdl->MdlFlags &= ~MDL_PAGES_LOCKED;
}
EXPORT_SYMBOL_GPL(MmUnlockPages);

VOID IoBuildPartialMdl(PMDL SourceMdl, PMDL TargetMdl, PVOID VirtualAddress, ULONG Length)
{
	/* a difference of numbers: the driver may hand in anything */
	ULONG_PTR skip = (ULONG_PTR)VirtualAddress - (ULONG_PTR)MmGetMdlVirtualAddress(SourceMdl);
	ULONG bytes = Length ?: SourceMdl->ByteCount - (ULONG)skip;
	unsigned int first, n = ADDRESS_AND_SIZE_TO_SPAN_PAGES(VirtualAddress, bytes);

	TargetMdl->MdlFlags &= MDL_ALLOCATED_FIXED_SIZE | MDL_ALLOCATED_MUST_SUCCEED;
	TargetMdl->Process = SourceMdl->Process;
	TargetMdl->MappedSystemVa = NULL;
	TargetMdl->ByteOffset = BYTE_OFFSET(VirtualAddress);
	TargetMdl->StartVa = (PUCHAR)VirtualAddress - TargetMdl->ByteOffset;
	TargetMdl->ByteCount = 0;

	if (!kmcl_nt_mdl_has_pages(SourceMdl) || skip > SourceMdl->ByteCount ||
	    bytes > SourceMdl->ByteCount - skip || n > mdl_room(TargetMdl)) {
		pr_err_ratelimited("%ps: %s: %u bytes at %#llx do not fit: source %u bytes%s, target %d pages\n",
				   __builtin_return_address(0), __func__, bytes, skip,
				   SourceMdl->ByteCount,
				   kmcl_nt_mdl_has_pages(SourceMdl) ? "" : " without pages",
				   mdl_room(TargetMdl));
		return;
	}

	first = (SourceMdl->ByteOffset + skip) >> KMCL_NT_PAGE_SHIFT;
	memcpy(MmGetMdlPfnArray(TargetMdl), MmGetMdlPfnArray(SourceMdl) + first,
	       n * sizeof(PFN_NUMBER));
	TargetMdl->ByteCount = bytes;
	TargetMdl->MdlFlags |= MDL_PARTIAL;
	TargetMdl->MdlFlags |= SourceMdl->MdlFlags & (MDL_SOURCE_IS_NONPAGED_POOL |
						      MDL_MAPPED_TO_SYSTEM_VA | MDL_IO_PAGE_READ);
	if (SourceMdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA)
		TargetMdl->MdlFlags |= MDL_PARENT_MAPPED_SYSTEM_VA;
	if (SourceMdl->MappedSystemVa)
		TargetMdl->MappedSystemVa = (PUCHAR)SourceMdl->MappedSystemVa + skip;
}
EXPORT_SYMBOL_GPL(IoBuildPartialMdl);

/* ---- mapping ---- */

/*
 * The address of the pages where the kernel maps all memory, if they lie side by
 * side there.
 */
static void *mdl_linear(const PFN_NUMBER *pfns, unsigned int n)
{
	phys_addr_t phys = (phys_addr_t)pfns[0] << KMCL_NT_PAGE_SHIFT;
	unsigned int i;

	for (i = 1; i < n; i++)
		if (pfns[i] != pfns[0] + i)
			return NULL;
	return page_address(pfn_to_page(PHYS_PFN(phys))) + offset_in_page(phys);
}

/*
 * Where the kernel's pages are larger than Windows', a mapping of the kernel's
 * pages must put each of Windows' behind the one before.
 */
static bool mdl_mappable(const PFN_NUMBER *pfns, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (!pfn_valid(pfns[i] / PFNS_PER_PAGE))
			return false;
		if (i && pfns[i] != pfns[i - 1] + 1 &&
		    (pfns[i] % PFNS_PER_PAGE || (pfns[i - 1] + 1) % PFNS_PER_PAGE))
			return false;
	}
	return n;
}

/*
 * A mapping that was made for an MDL.  It is ended at any level, and vunmap() is for
 * PASSIVE_LEVEL; what vfree() does above it is no way out, since it keeps its notes in
 * the memory that is mapped, which belongs to somebody.
 */
struct mapping {
	struct llist_node node;		/* in unmaps */
	void *va;			/* a page's */
};

static DEFINE_XARRAY_FLAGS(mappings, XA_FLAGS_LOCK_BH);	/* by page of their address */
static LLIST_HEAD(unmaps);

static void unmap_all(struct work_struct *work)
{
	struct mapping *m, *next;

	llist_for_each_entry_safe(m, next, llist_del_all(&unmaps), node) {
		vunmap(m->va);
		kfree(m);
	}
}

static DECLARE_WORK(unmap_work, unmap_all);

void kmcl_nt_mdl_exit(void)
{
	flush_work(&unmap_work);
}

static bool mapping_add(void *va)
{
	struct mapping *m = kmalloc(sizeof(*m), GFP_KERNEL);

	if (!m)
		return false;
	m->va = va;
	if (!xa_insert_bh(&mappings, (unsigned long)va >> PAGE_SHIFT, m, GFP_KERNEL))
		return true;
	kfree(m);
	return false;
}

static void mapping_end(unsigned long va)
{
	struct mapping *m = xa_erase_bh(&mappings, va >> PAGE_SHIFT);

	if (!m)
		return;
	if (may_sleep()) {
		vunmap(m->va);
		kfree(m);
	} else if (llist_add(&m->node, &unmaps)) {
		schedule_work(&unmap_work);
	}
}

static void *mdl_vmap(const PFN_NUMBER *pfns, unsigned int n, bool writable)
{
	size_t skip = pfns[0] % PFNS_PER_PAGE * KMCL_NT_PAGE_SIZE;
	unsigned int count = DIV_ROUND_UP(skip + n * KMCL_NT_PAGE_SIZE, PAGE_SIZE);
	struct page **pages;
	unsigned int i;
	void *va;

	pages = kvmalloc_array(count, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return NULL;
	pages[0] = pfn_to_page(pfns[0] / PFNS_PER_PAGE);
	for (i = 1; i < count; i++)
		pages[i] = pfn_to_page(pfns[i * PFNS_PER_PAGE - skip / KMCL_NT_PAGE_SIZE] /
				       PFNS_PER_PAGE);
	va = vmap(pages, count, VM_MAP, writable ? PAGE_KERNEL : PAGE_KERNEL_RO);
	kvfree(pages);
	if (va && !mapping_add(va)) {
		vunmap(va);
		va = NULL;
	}
	return va ? va + skip : NULL;
}

PVOID MmMapLockedPagesSpecifyCache(PMDL MemoryDescriptorList, KPROCESSOR_MODE AccessMode,
				   MEMORY_CACHING_TYPE CacheType, PVOID RequestedAddress,
				   ULONG BugCheckOnFailure, ULONG Priority)
{
	PMDL mdl = MemoryDescriptorList;
	PFN_NUMBER *pfns = MmGetMdlPfnArray(mdl);
	unsigned int n = mdl_span(mdl);
	void *va = NULL;

	if (AccessMode != KernelMode || !kmcl_nt_mdl_has_pages(mdl) || !mdl_mappable(pfns, n)) {
		pr_err_ratelimited("%ps: an MDL of %u bytes has no pages that can be mapped\n",
				   __builtin_return_address(0), mdl->ByteCount);
		return NULL;
	}
	if (!(Priority & MdlMappingNoWrite))
		va = mdl_linear(pfns, n);
	if (!va) {
		if (!may_sleep()) {
			pr_warn_ratelimited("%ps: the %u pages of an MDL are not side by side: they are mapped at PASSIVE_LEVEL only\n",
					    __builtin_return_address(0), n);
			return NULL;
		}
		va = mdl_vmap(pfns, n, !(Priority & MdlMappingNoWrite));
		if (!va)
			return NULL;
	}
	mdl->MappedSystemVa = va + mdl->ByteOffset;
	mdl->MdlFlags |= MDL_MAPPED_TO_SYSTEM_VA;
	if (mdl->MdlFlags & MDL_PARTIAL)
		mdl->MdlFlags |= MDL_PARTIAL_HAS_BEEN_MAPPED;
	return mdl->MappedSystemVa;
}
EXPORT_SYMBOL_GPL(MmMapLockedPagesSpecifyCache);

VOID MmUnmapLockedPages(PVOID BaseAddress, PMDL MemoryDescriptorList)
{
	PMDL mdl = MemoryDescriptorList;

	if (!(mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA) || BaseAddress != mdl->MappedSystemVa ||
	    (mdl->MdlFlags & MDL_PARENT_MAPPED_SYSTEM_VA)) {
		pr_err_ratelimited("%ps: %s: the MDL has no mapping of its own at that address\n",
				   __builtin_return_address(0), __func__);
		return;
	}
	if (is_vmalloc_addr(BaseAddress))
		mapping_end((unsigned long)BaseAddress);
	mdl->MdlFlags &= ~(MDL_MAPPED_TO_SYSTEM_VA | MDL_PARTIAL_HAS_BEEN_MAPPED);
	mdl->MappedSystemVa = NULL;
}
EXPORT_SYMBOL_GPL(MmUnmapLockedPages);

PHYSICAL_ADDRESS MmGetPhysicalAddress(PVOID BaseAddress)
{
	PHYSICAL_ADDRESS address = { .QuadPart = 0 };
	phys_addr_t phys;

	if (kernel_address_to_phys(BaseAddress, &phys))
		address.QuadPart = phys;
	return address;
}
EXPORT_SYMBOL_GPL(MmGetPhysicalAddress);

/* ---- pages ---- */

static gfp_t pages_gfp(ULONG flags, u64 high)
{
	/* fewer pages than asked for are an answer: no reserves, no killing for them */
	gfp_t gfp = __GFP_NORETRY | __GFP_NOMEMALLOC | __GFP_NOWARN;

	gfp |= flags & MM_ALLOCATE_NO_WAIT ? GFP_NOWAIT : GFP_KERNEL;
	if (!(flags & MM_DONT_ZERO_ALLOCATION))
		gfp |= __GFP_ZERO;
	if (flags & MM_ALLOCATE_FROM_LOCAL_NODE_ONLY)
		gfp |= __GFP_THISNODE;
	if (high < SZ_16M)
		gfp |= GFP_DMA;
	else if (high < SZ_4G)
		gfp |= GFP_DMA32;
	return gfp;
}

/* Adds 2^order pages to the MDL, if they are within the range. */
static bool mdl_add_pages(PMDL mdl, gfp_t gfp, unsigned int order, u64 low, u64 high)
{
	PFN_NUMBER *pfns = MmGetMdlPfnArray(mdl) + mdl->ByteCount / KMCL_NT_PAGE_SIZE;
	struct page *page = alloc_pages(gfp, order);
	size_t bytes = PAGE_SIZE << order;
	phys_addr_t phys;
	unsigned int i;

	if (!page)
		return false;
	phys = page_to_phys(page);
	if (phys < low || phys + bytes - 1 > high) {
		__free_pages(page, order);
		return false;
	}
	if (order)
		split_page(page, order);
	for (i = 0; i < bytes / KMCL_NT_PAGE_SIZE; i++)
		pfns[i] = (phys >> KMCL_NT_PAGE_SHIFT) + i;
	mdl->ByteCount += bytes;
	return true;
}

PMDL MmAllocatePagesForMdlEx(PHYSICAL_ADDRESS LowAddress, PHYSICAL_ADDRESS HighAddress,
			     PHYSICAL_ADDRESS SkipBytes, SIZE_T TotalBytes,
			     MEMORY_CACHING_TYPE CacheType, ULONG Flags)
{
	gfp_t gfp = pages_gfp(Flags, HighAddress.QuadPart);
	unsigned int order = 0;
	size_t chunk = PAGE_SIZE;
	size_t total;
	PMDL mdl;

	if (!TotalBytes || TotalBytes >= U32_MAX - PAGE_SIZE)
		return NULL;
	if (Flags & MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS) {
		if (SkipBytes.QuadPart < KMCL_NT_PAGE_SIZE || SkipBytes.QuadPart > SZ_1G ||
		    !is_power_of_2(SkipBytes.QuadPart) || TotalBytes % SkipBytes.QuadPart)
			return NULL;
		order = get_order(SkipBytes.QuadPart);
		if (order > MAX_PAGE_ORDER)
			return NULL;
		chunk = PAGE_SIZE << order;
	}
	/* whole pages of the kernel's, so that each is freed by itself */
	total = round_up(TotalBytes, chunk);
	if (total > U32_MAX)
		return NULL;

	mdl = IoAllocateMdl(NULL, total, FALSE, FALSE, NULL);
	if (!mdl)
		return NULL;
	mdl->ByteCount = 0;
	mdl->MdlFlags = MDL_PAGES_LOCKED;
	while (mdl->ByteCount < total) {
		if (!mdl_add_pages(mdl, gfp, order, LowAddress.QuadPart, HighAddress.QuadPart))
			break;
		cond_resched();
	}
	if (!mdl->ByteCount ||
	    (Flags & MM_ALLOCATE_FULLY_REQUIRED && mdl->ByteCount < total)) {
		MmFreePagesFromMdl(mdl);
		kvfree(mdl);
		return NULL;
	}
	return mdl;
}
EXPORT_SYMBOL_GPL(MmAllocatePagesForMdlEx);

VOID MmFreePagesFromMdl(PMDL MemoryDescriptorList)
{
	PMDL mdl = MemoryDescriptorList;
	PFN_NUMBER *pfns = MmGetMdlPfnArray(mdl);
	unsigned int i, n = mdl_span(mdl);

	MmUnlockPages(mdl);
	for (i = 0; i < n; i += PFNS_PER_PAGE) {
		__free_page(pfn_to_page(pfns[i] / PFNS_PER_PAGE));
		cond_resched();
	}
	mdl->ByteCount = 0;
}
EXPORT_SYMBOL_GPL(MmFreePagesFromMdl);
