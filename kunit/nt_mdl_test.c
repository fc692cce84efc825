// SPDX-License-Identifier: GPL-2.0
/*
 * Memory descriptor lists, held against what Windows documents: fields, flags,
 * page frame numbers, and the bytes that the pages contain.
 */
#include <kunit/test.h>
#include <linux/bottom_half.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <ntddk.h>
#include "helper.h"
#include "kmsg.h"

#define PAGE	4096u

/* Data of a module, over a page boundary wherever it is put. */
static u8 module_data[2 * PAGE];

/* ---- helpers ---- */

static u8 *byte_of(PMDL mdl, unsigned int i)
{
	phys_addr_t at = mdl->ByteOffset + i;

	at = (MmGetMdlPfnArray(mdl)[at / PAGE] * PAGE) + at % PAGE;
	return (u8 *)page_address(pfn_to_page(PHYS_PFN(at))) + offset_in_page(at);
}

/* Whether the pages of the MDL contain the bytes at @buf, and no others. */
static bool pages_contain(PMDL mdl, const void *buf, unsigned int len)
{
	unsigned int i;

	if (mdl->ByteCount != len)
		return false;
	for (i = 0; i < len; i++)
		if (*byte_of(mdl, i) != ((const u8 *)buf)[i])
			return false;
	return true;
}

/* An MDL of pages that do not lie side by side: every second one of a row. */
static PMDL scattered(struct kunit *test, struct page *pages[], unsigned int n)
{
	PMDL mdl = IoAllocateMdl(NULL, n * PAGE, FALSE, FALSE, NULL);
	struct page *row = alloc_pages(GFP_KERNEL, 4);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, mdl);
	KUNIT_ASSERT_NOT_NULL(test, row);
	KUNIT_ASSERT_LE(test, n, 8);
	split_page(row, 4);
	for (i = 0; i < 16; i++)
		if (i % 2 || i / 2 >= n)
			__free_page(row + i);
	for (i = 0; i < n; i++) {
		pages[i] = row + 2 * i;
		memset(page_address(pages[i]), 'a' + i, PAGE_SIZE);
		MmGetMdlPfnArray(mdl)[i] = page_to_phys(pages[i]) / PAGE;
	}
	mdl->MdlFlags |= MDL_PAGES_LOCKED;
	return mdl;
}

static void scattered_free(PMDL mdl, struct page *pages[], unsigned int n)
{
	while (n--)
		__free_page(pages[n]);
	IoFreeMdl(mdl);
}

static PHYSICAL_ADDRESS phys(u64 n)
{
	PHYSICAL_ADDRESS p = { .QuadPart = n };

	return p;
}

/* ---- description ---- */

static void a_span_counts_every_page_that_is_touched(struct kunit *test)
{
	static const struct { u64 va, size, span; } t[] = {
		{ 0, 0, 0 }, { 0x1000, 0, 0 }, { 1, 0, 1 },
		{ 0, 1, 1 }, { 0xfff, 1, 1 }, { 0xfff, 2, 2 }, { 0, 0x1000, 1 },
		{ 1, 0x1000, 2 }, { 0, 0x1001, 2 }, { 0xffff888000000ffe, 0x1002, 2 },
		{ 0xffff888000000ffe, 0x1003, 3 }, { 0, 0xfffff000, 0xfffff },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(t); i++)
		KUNIT_EXPECT_EQ_MSG(test, ADDRESS_AND_SIZE_TO_SPAN_PAGES(t[i].va, t[i].size),
				    t[i].span, "%#llx, %#llx", t[i].va, t[i].size);
	KUNIT_EXPECT_EQ(test, BYTES_TO_PAGES(0), 0);
	KUNIT_EXPECT_EQ(test, BYTES_TO_PAGES(4096), 1);
	KUNIT_EXPECT_EQ(test, BYTES_TO_PAGES(4097), 2);
	KUNIT_EXPECT_EQ(test, ROUND_TO_PAGES(4097), 8192ull);
	KUNIT_EXPECT_EQ(test, BYTE_OFFSET(0x12345), 0x345);
}

static void an_mdl_describes_its_buffer(struct kunit *test)
{
	u8 *va = (u8 *)0xffff888012345678;
	PMDL mdl = IoAllocateMdl(va, 2 * PAGE, FALSE, FALSE, NULL);

	KUNIT_ASSERT_NOT_NULL(test, mdl);
	KUNIT_EXPECT_NULL(test, mdl->Next);
	KUNIT_EXPECT_EQ(test, mdl->Size, 0x30 + 3 * 8);
	KUNIT_EXPECT_EQ(test, MmSizeOfMdl(va, 2 * PAGE), 0x30 + 3 * 8);
	KUNIT_EXPECT_EQ(test, mdl->MdlFlags, 0);
	KUNIT_EXPECT_NULL(test, mdl->MappedSystemVa);
	KUNIT_EXPECT_PTR_EQ(test, (u8 *)MmGetMdlBaseVa(mdl), va - 0x678);
	KUNIT_EXPECT_EQ(test, MmGetMdlByteOffset(mdl), 0x678);
	KUNIT_EXPECT_EQ(test, MmGetMdlByteCount(mdl), 2 * PAGE);
	KUNIT_EXPECT_PTR_EQ(test, (u8 *)MmGetMdlVirtualAddress(mdl), va);
	KUNIT_EXPECT_PTR_EQ(test, (u8 *)MmGetMdlPfnArray(mdl), (u8 *)mdl + 0x30);
	KUNIT_EXPECT_FALSE(test, kmcl_nt_mdl_has_pages(mdl));
	IoFreeMdl(mdl);
}

static void an_mdl_in_the_drivers_own_memory_is_as_good(struct kunit *test)
{
	u8 *buf = kunit_kmalloc(test, 3 * PAGE, GFP_KERNEL);
	PMDL mdl;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	mdl = kunit_kmalloc(test, MmSizeOfMdl(buf + 5, 2 * PAGE), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, mdl);
	/* what was there before does not show */
	memset(mdl, 0xff, MmSizeOfMdl(buf + 5, 2 * PAGE));
	get_random_bytes(buf, 3 * PAGE);
	MmInitializeMdl(mdl, buf + 5, 2 * PAGE);
	KUNIT_EXPECT_NULL(test, mdl->Next);
	KUNIT_EXPECT_EQ(test, mdl->MdlFlags, 0);
	MmBuildMdlForNonPagedPool(mdl);
	KUNIT_EXPECT_TRUE(test, pages_contain(mdl, buf + 5, 2 * PAGE));
}

static void a_secondary_buffer_is_appended_and_a_primary_one_replaces(struct kunit *test)
{
	IRP irp = { NULL };
	PMDL a, b, c, d;

	a = IoAllocateMdl((PVOID)0x1000, 1, FALSE, FALSE, &irp);
	KUNIT_ASSERT_PTR_EQ(test, irp.MdlAddress, a);
	b = IoAllocateMdl((PVOID)0x1000, 1, TRUE, FALSE, &irp);
	c = IoAllocateMdl((PVOID)0x1000, 1, TRUE, TRUE, &irp);
	KUNIT_EXPECT_PTR_EQ(test, irp.MdlAddress, a);
	KUNIT_EXPECT_PTR_EQ(test, a->Next, b);
	KUNIT_EXPECT_PTR_EQ(test, b->Next, c);
	KUNIT_EXPECT_NULL(test, c->Next);
	d = IoAllocateMdl((PVOID)0x1000, 1, FALSE, FALSE, &irp);
	KUNIT_EXPECT_PTR_EQ(test, irp.MdlAddress, d);
	KUNIT_EXPECT_NULL(test, d->Next);
	IoFreeMdl(a);
	IoFreeMdl(b);
	IoFreeMdl(c);
	IoFreeMdl(d);

	irp.MdlAddress = NULL;
	a = IoAllocateMdl((PVOID)0x1000, 1, TRUE, FALSE, &irp);
	KUNIT_EXPECT_PTR_EQ(test, irp.MdlAddress, a);
	IoFreeMdl(a);
}

static void the_largest_mdl_is_just_below_4_gib(struct kunit *test)
{
	PMDL mdl = IoAllocateMdl(NULL, 8185 * PAGE, FALSE, FALSE, NULL);

	KUNIT_ASSERT_NOT_NULL(test, mdl);
	KUNIT_EXPECT_EQ(test, (USHORT)mdl->Size, 0x30 + 8185 * 8);
	IoFreeMdl(mdl);
	mdl = IoAllocateMdl(NULL, 8186 * PAGE, FALSE, FALSE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, mdl);
	KUNIT_EXPECT_EQ(test, mdl->Size, 0);
	IoFreeMdl(mdl);
	KUNIT_EXPECT_NULL(test, IoAllocateMdl(NULL, U32_MAX, FALSE, FALSE, NULL));
	KUNIT_EXPECT_NULL(test, IoAllocateMdl(NULL, U32_MAX - PAGE, FALSE, FALSE, NULL));
}

/* ---- pages ---- */

/* Each part of @buf is described by an MDL whose pages contain it. */
static void check_memory(struct kunit *test, const char *kind, u8 *buf, unsigned int size)
{
	static const unsigned int offsets[] = { 0, 1, 8, 511, PAGE - 1, PAGE, PAGE + 1 };
	unsigned int i, len;
	PMDL mdl;

	for (i = 0; i < ARRAY_SIZE(offsets) && offsets[i] < size; i++) {
		len = size - offsets[i];
		mdl = IoAllocateMdl(buf + offsets[i], len, FALSE, FALSE, NULL);
		KUNIT_ASSERT_NOT_NULL(test, mdl);
		MmBuildMdlForNonPagedPool(mdl);
		KUNIT_EXPECT_EQ_MSG(test, mdl->MdlFlags, MDL_SOURCE_IS_NONPAGED_POOL, "%s", kind);
		KUNIT_EXPECT_PTR_EQ_MSG(test, (u8 *)mdl->MappedSystemVa, buf + offsets[i],
					"%s", kind);
		KUNIT_EXPECT_PTR_EQ_MSG(test,
					(u8 *)MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority),
					buf + offsets[i], "%s", kind);
		KUNIT_EXPECT_TRUE_MSG(test, pages_contain(mdl, buf + offsets[i], len),
				      "%s at %u", kind, offsets[i]);
		IoFreeMdl(mdl);
	}
}

static void every_kind_of_kernel_memory_has_pages(struct kunit *test)
{
	u8 *small = kunit_kmalloc(test, 100, GFP_KERNEL);
	u8 *large = kunit_kmalloc(test, 5 * PAGE, GFP_KERNEL);
	u8 *virt = vmalloc(5 * PAGE);
	u8 stack[200];
	PMDL mdl;

	KUNIT_ASSERT_NOT_NULL(test, small);
	KUNIT_ASSERT_NOT_NULL(test, large);
	KUNIT_ASSERT_NOT_NULL(test, virt);
	get_random_bytes(small, 100);
	get_random_bytes(large, 5 * PAGE);
	get_random_bytes(virt, 5 * PAGE);
	get_random_bytes(stack, sizeof(stack));
	get_random_bytes(module_data, sizeof(module_data));

	check_memory(test, "kmalloc, small", small, 100);
	check_memory(test, "kmalloc, pages", large, 5 * PAGE);
	check_memory(test, "vmalloc", virt, 5 * PAGE);
	check_memory(test, "stack", stack, sizeof(stack));
	check_memory(test, "module", module_data, sizeof(module_data));
	/* data of the kernel itself */
	check_memory(test, "kernel", (u8 *)empty_zero_page, PAGE);

	/* the numbers are the kernel's own */
	mdl = IoAllocateMdl(virt + 3, 4 * PAGE, FALSE, FALSE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, mdl);
	MmBuildMdlForNonPagedPool(mdl);
	if (PAGE_SIZE == PAGE) {
		KUNIT_EXPECT_EQ(test, MmGetMdlPfnArray(mdl)[0], vmalloc_to_pfn(virt));
		KUNIT_EXPECT_EQ(test, MmGetMdlPfnArray(mdl)[4], vmalloc_to_pfn(virt + 4 * PAGE));
	}
	KUNIT_EXPECT_EQ(test, MmGetPhysicalAddress(virt + PAGE + 77).QuadPart,
			MmGetMdlPfnArray(mdl)[1] * PAGE + 77);
	KUNIT_EXPECT_EQ(test, MmGetPhysicalAddress(small).QuadPart, virt_to_phys(small));
	IoFreeMdl(mdl);
	vfree(virt);
}

static void an_address_without_memory_gives_no_pages_and_one_line(struct kunit *test)
{
	PMDL mdl = IoAllocateMdl((PVOID)0x7f0000001000, PAGE, FALSE, FALSE, NULL);
	struct kmsg k;

	KUNIT_ASSERT_NOT_NULL(test, mdl);
	kmsg_mark(&k);
	MmBuildMdlForNonPagedPool(mdl);
	KUNIT_EXPECT_FALSE(test, kmcl_nt_mdl_has_pages(mdl));
	KUNIT_EXPECT_NULL(test, mdl->MappedSystemVa);
	kmsg_expect(test, &k, 1, "no kernel memory at");
	KUNIT_EXPECT_NULL(test, MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority));
	kmsg_expect(test, &k, 1, "no pages that can be mapped");
	KUNIT_EXPECT_EQ(test, MmGetPhysicalAddress((PVOID)0x7f0000001000).QuadPart, 0);
	IoFreeMdl(mdl);
}

static void locked_pages_say_who_writes(struct kunit *test)
{
	u8 *buf = kunit_kmalloc(test, 3 * PAGE, GFP_KERNEL);
	struct kmsg k;
	PMDL mdl;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	mdl = IoAllocateMdl(buf + 9, 2 * PAGE, FALSE, FALSE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, mdl);
	get_random_bytes(buf, 3 * PAGE);

	MmProbeAndLockPages(mdl, KernelMode, IoReadAccess);
	KUNIT_EXPECT_EQ(test, mdl->MdlFlags, MDL_PAGES_LOCKED);
	KUNIT_EXPECT_TRUE(test, pages_contain(mdl, buf + 9, 2 * PAGE));
	MmUnlockPages(mdl);
	KUNIT_EXPECT_EQ(test, mdl->MdlFlags, 0);

	MmProbeAndLockPages(mdl, KernelMode, IoModifyAccess);
	KUNIT_EXPECT_EQ(test, mdl->MdlFlags, MDL_PAGES_LOCKED | MDL_WRITE_OPERATION);
	/* a mapping goes with the lock */
	KUNIT_EXPECT_NOT_NULL(test, MmGetSystemAddressForMdlSafe(mdl, HighPagePriority));
	KUNIT_EXPECT_TRUE(test, mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA);
	MmUnlockPages(mdl);
	KUNIT_EXPECT_EQ(test, mdl->MdlFlags & MDL_MAPPING_FLAGS, 0);
	KUNIT_EXPECT_NULL(test, mdl->MappedSystemVa);

	kmsg_mark(&k);
	MmProbeAndLockPages(mdl, UserMode, IoReadAccess);
	KUNIT_EXPECT_FALSE(test, kmcl_nt_mdl_has_pages(mdl));
	kmsg_expect(test, &k, 1, "MmProbeAndLockPages: no kernel memory");
	IoFreeMdl(mdl);
}

/* ---- parts ---- */

static void a_partial_mdl_describes_its_part_byte_for_byte(struct kunit *test)
{
	u8 *buf = vmalloc(4 * PAGE);
	unsigned int off, len;
	PMDL source, target;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	get_random_bytes(buf, 4 * PAGE);
	source = IoAllocateMdl(buf + 1900, 3 * PAGE, FALSE, FALSE, NULL);
	target = IoAllocateMdl(NULL, 4 * PAGE, FALSE, FALSE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, source);
	KUNIT_ASSERT_NOT_NULL(test, target);
	MmBuildMdlForNonPagedPool(source);

	for (off = 0; off < 3 * PAGE; off += 1331) {
		for (len = 1; len <= 3 * PAGE - off; len += 1777) {
			IoBuildPartialMdl(source, target, buf + 1900 + off, len);
			KUNIT_EXPECT_EQ(test, target->MdlFlags,
					MDL_PARTIAL | MDL_SOURCE_IS_NONPAGED_POOL);
			KUNIT_EXPECT_PTR_EQ(test, (u8 *)MmGetMdlVirtualAddress(target),
					    buf + 1900 + off);
			KUNIT_EXPECT_PTR_EQ(test, (u8 *)target->MappedSystemVa, buf + 1900 + off);
			KUNIT_EXPECT_TRUE_MSG(test, pages_contain(target, buf + 1900 + off, len),
					      "%u bytes at %u", len, off);
			MmPrepareMdlForReuse(target);
		}
	}
	/* no length: the rest */
	IoBuildPartialMdl(source, target, buf + 1900 + 5000, 0);
	KUNIT_EXPECT_TRUE(test, pages_contain(target, buf + 6900, 3 * PAGE - 5000));

	IoFreeMdl(target);
	IoFreeMdl(source);
	vfree(buf);
}

static void a_part_that_does_not_fit_is_refused_in_one_line(struct kunit *test)
{
	u8 *buf = kunit_kzalloc(test, 4 * PAGE, GFP_KERNEL);
	PMDL source, target, small;
	struct kmsg k;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	source = IoAllocateMdl(buf, 3 * PAGE, FALSE, FALSE, NULL);
	target = IoAllocateMdl(buf, 4 * PAGE, FALSE, FALSE, NULL);
	small = IoAllocateMdl(buf, PAGE, FALSE, FALSE, NULL);
	KUNIT_ASSERT_TRUE(test, source && target && small);

	kmsg_mark(&k);
	/* the source has no pages yet */
	IoBuildPartialMdl(source, target, buf, 1);
	KUNIT_EXPECT_FALSE(test, kmcl_nt_mdl_has_pages(target));
	MmBuildMdlForNonPagedPool(source);
	/* one byte too long, begins behind the end, begins before the beginning */
	IoBuildPartialMdl(source, target, buf + 1, 3 * PAGE);
	KUNIT_EXPECT_FALSE(test, kmcl_nt_mdl_has_pages(target));
	IoBuildPartialMdl(source, target, buf + 3 * PAGE + 1, 0);
	KUNIT_EXPECT_FALSE(test, kmcl_nt_mdl_has_pages(target));
	IoBuildPartialMdl(source, target, buf - 1, 1);
	KUNIT_EXPECT_FALSE(test, kmcl_nt_mdl_has_pages(target));
	KUNIT_EXPECT_EQ(test, target->ByteCount, 0);
	/* a target with room for fewer pages */
	IoBuildPartialMdl(source, small, buf + PAGE - 1, 2);
	KUNIT_EXPECT_FALSE(test, kmcl_nt_mdl_has_pages(small));
	kmsg_expect(test, &k, 5, "IoBuildPartialMdl");
	/* just fits */
	IoBuildPartialMdl(source, small, buf + PAGE - 1, 1);
	KUNIT_EXPECT_TRUE(test, kmcl_nt_mdl_has_pages(small));
	kmsg_expect(test, &k, 5, "IoBuildPartialMdl");

	IoFreeMdl(small);
	IoFreeMdl(target);
	IoFreeMdl(source);
}

static void a_part_of_unmapped_pages_has_a_mapping_of_its_own(struct kunit *test)
{
	PMDL target = IoAllocateMdl(NULL, 3 * PAGE, FALSE, FALSE, NULL);
	struct page *pages[3];
	PMDL source = scattered(test, pages, 3);
	u8 *va;

	KUNIT_ASSERT_NOT_NULL(test, target);
	IoBuildPartialMdl(source, target, (u8 *)MmGetMdlVirtualAddress(source) + PAGE - 1, 2);
	KUNIT_EXPECT_EQ(test, target->MdlFlags, MDL_PARTIAL);
	va = MmGetSystemAddressForMdlSafe(target, NormalPagePriority);
	KUNIT_ASSERT_NOT_NULL(test, va);
	KUNIT_EXPECT_EQ(test, va[0], 'a');
	KUNIT_EXPECT_EQ(test, va[1], 'b');
	KUNIT_EXPECT_EQ(test, target->MdlFlags,
			MDL_PARTIAL | MDL_MAPPED_TO_SYSTEM_VA | MDL_PARTIAL_HAS_BEEN_MAPPED);
	KUNIT_EXPECT_EQ(test, source->MdlFlags, MDL_PAGES_LOCKED);
	MmPrepareMdlForReuse(target);
	KUNIT_EXPECT_EQ(test, target->MdlFlags, MDL_PARTIAL);

	/* and IoFreeMdl() undoes one that is left */
	va = MmGetSystemAddressForMdlSafe(target, NormalPagePriority);
	KUNIT_EXPECT_NOT_NULL(test, va);
	IoFreeMdl(target);
	KUNIT_EXPECT_NULL(test, vmalloc_to_page(va));
	scattered_free(source, pages, 3);
}

static void a_part_of_mapped_pages_uses_their_mapping(struct kunit *test)
{
	PMDL target = IoAllocateMdl(NULL, 3 * PAGE, FALSE, FALSE, NULL);
	struct page *pages[3];
	PMDL source = scattered(test, pages, 3);
	struct kmsg k;
	u8 *va;

	KUNIT_ASSERT_NOT_NULL(test, target);
	va = MmGetSystemAddressForMdlSafe(source, NormalPagePriority);
	KUNIT_ASSERT_NOT_NULL(test, va);
	IoBuildPartialMdl(source, target, (u8 *)MmGetMdlVirtualAddress(source) + 2 * PAGE - 1, 2);
	KUNIT_EXPECT_EQ(test, target->MdlFlags,
			MDL_PARTIAL | MDL_MAPPED_TO_SYSTEM_VA | MDL_PARENT_MAPPED_SYSTEM_VA);
	KUNIT_EXPECT_PTR_EQ(test, (u8 *)MmGetSystemAddressForMdlSafe(target, NormalPagePriority),
			    va + 2 * PAGE - 1);
	/* it is the source's to undo */
	kmsg_mark(&k);
	MmUnmapLockedPages(target->MappedSystemVa, target);
	kmsg_expect(test, &k, 1, "no mapping of its own");
	MmPrepareMdlForReuse(target);
	IoFreeMdl(target);
	KUNIT_EXPECT_EQ(test, va[2 * PAGE], 'c');
	MmUnmapLockedPages(va, source);
	scattered_free(source, pages, 3);
}

/* ---- mappings ---- */

static void a_mapping_reaches_the_pages_in_order(struct kunit *test)
{
	struct page *pages[5];
	PMDL mdl = scattered(test, pages, 5);
	unsigned int i;
	u8 *va;

	mdl->ByteOffset = 40;
	mdl->ByteCount -= 40;
	va = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority | MdlMappingNoExecute);
	KUNIT_ASSERT_NOT_NULL(test, va);
	KUNIT_EXPECT_EQ(test, offset_in_page(va), 40);
	KUNIT_EXPECT_EQ(test, mdl->MdlFlags, MDL_PAGES_LOCKED | MDL_MAPPED_TO_SYSTEM_VA);
	KUNIT_EXPECT_PTR_EQ(test, (u8 *)mdl->MappedSystemVa, va);
	/* the second time it is there already */
	KUNIT_EXPECT_PTR_EQ(test, (u8 *)MmGetSystemAddressForMdlSafe(mdl, 0), va);
	for (i = 0; i < 5; i++) {
		KUNIT_EXPECT_EQ(test, va[i * PAGE], 'a' + i);
		va[i * PAGE] = 'A' + i;
		KUNIT_EXPECT_EQ(test, *byte_of(mdl, i * PAGE), 'A' + i);
	}
	MmUnmapLockedPages(va, mdl);
	KUNIT_EXPECT_EQ(test, mdl->MdlFlags, MDL_PAGES_LOCKED);
	KUNIT_EXPECT_NULL(test, mdl->MappedSystemVa);
	KUNIT_EXPECT_NULL(test, vmalloc_to_page(va));
	scattered_free(mdl, pages, 5);
}

static void a_read_only_mapping_is_another_one(struct kunit *test)
{
	u8 *buf = kunit_kzalloc(test, PAGE, GFP_KERNEL);
	PMDL mdl;
	u8 *va;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	mdl = IoAllocateMdl(buf, 64, FALSE, FALSE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, mdl);
	MmProbeAndLockPages(mdl, KernelMode, IoReadAccess);
	va = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority | MdlMappingNoWrite);
	KUNIT_ASSERT_NOT_NULL(test, va);
	KUNIT_EXPECT_TRUE(test, is_vmalloc_addr(va));
	buf[63] = 'x';
	KUNIT_EXPECT_EQ(test, va[63], 'x');
	MmUnlockPages(mdl);
	IoFreeMdl(mdl);
}

/* Windows would make a mapping in user space. */
static void a_mapping_for_user_mode_is_refused(struct kunit *test)
{
	struct page *pages[2];
	PMDL mdl = scattered(test, pages, 2);

	KUNIT_EXPECT_NULL(test, MmMapLockedPagesSpecifyCache(mdl, UserMode, MmCached, NULL, FALSE,
							     NormalPagePriority));
	KUNIT_EXPECT_EQ(test, mdl->MdlFlags, MDL_PAGES_LOCKED);
	scattered_free(mdl, pages, 2);
}

static void at_dispatch_level_neighbouring_pages_can_be_mapped(struct kunit *test)
{
	u8 *buf = kunit_kzalloc(test, 3 * PAGE, GFP_KERNEL);
	struct page *pages[2];
	PMDL apart = scattered(test, pages, 2);
	struct kmsg k;
	PMDL mdl;
	u8 *va;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	kmsg_mark(&k);
	local_bh_disable();
	mdl = IoAllocateMdl(buf + 1, 2 * PAGE, FALSE, FALSE, NULL);
	if (mdl) {
		MmProbeAndLockPages(mdl, KernelMode, IoWriteAccess);
		va = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
		KUNIT_EXPECT_PTR_EQ(test, va, buf + 1);
		MmUnlockPages(mdl);
		IoFreeMdl(mdl);
	}
	va = MmGetSystemAddressForMdlSafe(apart, NormalPagePriority);
	local_bh_enable();
	KUNIT_EXPECT_NOT_NULL(test, mdl);
	KUNIT_EXPECT_NULL(test, va);
	kmsg_expect(test, &k, 1, "PASSIVE_LEVEL only");

	/* mapped below, unmapped up there */
	va = MmGetSystemAddressForMdlSafe(apart, NormalPagePriority);
	KUNIT_EXPECT_NOT_NULL(test, va);
	local_bh_disable();
	KUNIT_EXPECT_PTR_EQ(test, (u8 *)MmGetSystemAddressForMdlSafe(apart, 0), va);
	MmUnmapLockedPages(va, apart);
	local_bh_enable();
	KUNIT_EXPECT_EQ(test, apart->MdlFlags, MDL_PAGES_LOCKED);
	/* and nothing was written there */
	KUNIT_EXPECT_NULL(test, memchr_inv(page_address(pages[0]), 'a', PAGE_SIZE));
	KUNIT_EXPECT_TRUE(test, becomes(!vmalloc_to_page(va)));
	scattered_free(apart, pages, 2);
}

/* ---- pages of the library's ---- */

static void allocated_pages_are_zeroed_locked_and_unmapped(struct kunit *test)
{
	PMDL mdl = MmAllocatePagesForMdl(phys(0), phys(-1ull), phys(0), 5 * PAGE - 1);
	u8 *va;

	KUNIT_ASSERT_NOT_NULL(test, mdl);
	KUNIT_EXPECT_EQ(test, mdl->ByteCount, round_up(5 * PAGE, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, mdl->ByteOffset, 0);
	KUNIT_EXPECT_NULL(test, mdl->StartVa);
	KUNIT_EXPECT_EQ(test, mdl->MdlFlags, MDL_PAGES_LOCKED);
	va = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
	KUNIT_ASSERT_NOT_NULL(test, va);
	KUNIT_EXPECT_NULL(test, memchr_inv(va, 0, mdl->ByteCount));
	memset(va, 0x55, mdl->ByteCount);
	MmUnmapLockedPages(va, mdl);
	MmFreePagesFromMdl(mdl);
	ExFreePool(mdl);

	/* freeing undoes a mapping as well */
	mdl = MmAllocatePagesForMdlEx(phys(0), phys(-1ull), phys(0), 3 * PAGE, MmCached,
				      MM_DONT_ZERO_ALLOCATION | MM_ALLOCATE_FULLY_REQUIRED);
	KUNIT_ASSERT_NOT_NULL(test, mdl);
	KUNIT_EXPECT_NOT_NULL(test, MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority));
	MmFreePagesFromMdl(mdl);
	KUNIT_EXPECT_EQ(test, mdl->MdlFlags & MDL_MAPPING_FLAGS, 0);
	ExFreePool(mdl);
}

static void allocated_chunks_are_contiguous(struct kunit *test)
{
	const ULONG flags = MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS | MM_ALLOCATE_FULLY_REQUIRED;
	PMDL mdl = MmAllocatePagesForMdlEx(phys(0), phys(-1ull), phys(4 * PAGE), 12 * PAGE,
					   MmCached, flags);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, mdl);
	for (i = 0; i < 12; i++)
		if (i % 4)
			KUNIT_EXPECT_EQ(test, MmGetMdlPfnArray(mdl)[i],
					MmGetMdlPfnArray(mdl)[i - 1] + 1);
	MmFreePagesFromMdl(mdl);
	ExFreePool(mdl);

	/* a chunk is a power of 2, and divides the whole */
	KUNIT_EXPECT_NULL(test, MmAllocatePagesForMdlEx(phys(0), phys(-1ull), phys(3 * PAGE),
							12 * PAGE, MmCached, flags));
	KUNIT_EXPECT_NULL(test, MmAllocatePagesForMdlEx(phys(0), phys(-1ull), phys(8 * PAGE),
							12 * PAGE, MmCached, flags));
}

static void pages_that_cannot_be_had_are_not(struct kunit *test)
{
	/* no page there */
	KUNIT_EXPECT_NULL(test, MmAllocatePagesForMdl(phys(1ull << 51), phys(-1ull), phys(0),
						      PAGE));
	KUNIT_EXPECT_NULL(test, MmAllocatePagesForMdl(phys(0), phys(-1ull), phys(0), 0));
	KUNIT_EXPECT_NULL(test, MmAllocatePagesForMdl(phys(0), phys(-1ull), phys(0), U32_MAX));
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_span_counts_every_page_that_is_touched),
	KUNIT_CASE(an_mdl_describes_its_buffer),
	KUNIT_CASE(an_mdl_in_the_drivers_own_memory_is_as_good),
	KUNIT_CASE(a_secondary_buffer_is_appended_and_a_primary_one_replaces),
	KUNIT_CASE(the_largest_mdl_is_just_below_4_gib),
	KUNIT_CASE(every_kind_of_kernel_memory_has_pages),
	KUNIT_CASE(an_address_without_memory_gives_no_pages_and_one_line),
	KUNIT_CASE(locked_pages_say_who_writes),
	KUNIT_CASE(a_partial_mdl_describes_its_part_byte_for_byte),
	KUNIT_CASE(a_part_that_does_not_fit_is_refused_in_one_line),
	KUNIT_CASE(a_part_of_unmapped_pages_has_a_mapping_of_its_own),
	KUNIT_CASE(a_part_of_mapped_pages_uses_their_mapping),
	KUNIT_CASE(a_mapping_reaches_the_pages_in_order),
	KUNIT_CASE(a_read_only_mapping_is_another_one),
	KUNIT_CASE(a_mapping_for_user_mode_is_refused),
	KUNIT_CASE(at_dispatch_level_neighbouring_pages_can_be_mapped),
	KUNIT_CASE(allocated_pages_are_zeroed_locked_and_unmapped),
	KUNIT_CASE(allocated_chunks_are_contiguous),
	KUNIT_CASE(pages_that_cannot_be_had_are_not),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_nt_mdl",
	.test_cases = cases,
};

kunit_test_suite(suite);
