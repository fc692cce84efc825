// SPDX-License-Identifier: GPL-2.0
/*
 * What a GPADL shows the host: exactly the pages that the driver named, from
 * any kind of memory, and nothing when a parameter is wrong. How GPADLs end is
 * in gpadl_end_test.c.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "fixture.h"
#include "kmsg.h"

#define PAGE		4096u
#define READ_ONLY	VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY
#define MOST_PAGES	8190u	/* that the bus can list */

/* An open channel with no GPADL but the rings'. */
static struct vsc *open_vsc(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	vsc_bring_up(v);
	return v;
}

/* GPADLs of the channel at the host, without the rings'. */
static unsigned int gpadls(struct vsc *v)
{
	return hvsim_gpadl_count(v->host) - 1;
}

static void *pages_alloc(struct kunit *test, u32 count)
{
	void *mem = vzalloc(count * PAGE);

	KUNIT_ASSERT_NOT_NULL(test, mem);
	return mem;
}

/* Byte @at of a GPADL, where the host sees it. */
static u8 *host_byte(struct kunit *test, u32 handle, u32 at)
{
	struct hvsim_gpadl *g = hvsim_find_gpadl(handle);

	KUNIT_ASSERT_NOT_NULL(test, g);
	at += g->byte_offset;
	KUNIT_ASSERT_LT(test, at / PAGE, g->nr);
	return hvsim_gpa(page_to_pfn(g->pages[at / PAGE]), at % PAGE);
}

/* The host and the kernel see the same @bytes, in the same order. */
static void expect_shared(struct vsc *v, u32 handle, u8 *mem, u32 bytes)
{
	struct hvsim_gpadl *g = hvsim_find_gpadl(handle);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(v->test, g);
	KUNIT_EXPECT_EQ(v->test, g->relid, v->host->relid);
	KUNIT_EXPECT_EQ(v->test, g->byte_count, bytes);
	KUNIT_EXPECT_EQ(v->test, g->byte_offset, 0u);
	KUNIT_EXPECT_EQ(v->test, g->nr, bytes / PAGE);
	for (i = 0; i < bytes; i += PAGE) {
		mem[i] = i / PAGE + 1;
		*host_byte(v->test, handle, i + PAGE - 1) = i / PAGE + 2;
	}
	for (i = 0; i < bytes; i += PAGE) {
		KUNIT_EXPECT_EQ(v->test, *host_byte(v->test, handle, i), (u8)(i / PAGE + 1));
		KUNIT_EXPECT_EQ(v->test, mem[i + PAGE - 1], (u8)(i / PAGE + 2));
	}
}

static void *address_of(struct vsc *v, u32 handle)
{
	PVOID address = NULL;

	KUNIT_EXPECT_EQ(v->test, VmbChannelGetSystemAddressForGpadl(v->ch, 0, handle, &address),
			STATUS_SUCCESS);
	return address;
}

/* ---- what the host sees ---- */

static void share_buffer(struct vsc *v, void *mem, u32 bytes)
{
	u32 handle = 0;

	KUNIT_EXPECT_EQ(v->test, VmbChannelCreateGpadlFromBuffer(v->ch, 0, mem, bytes, &handle),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(v->test, gpadls(v), 1u);
	KUNIT_EXPECT_PTR_EQ(v->test, address_of(v, handle), mem);
	expect_shared(v, handle, mem, bytes);
	VmbChannelDeleteGpadl(v->ch, handle);
	KUNIT_EXPECT_EQ(v->test, gpadls(v), 0u);
	KUNIT_EXPECT_NULL(v->test, hvsim_find_gpadl(handle));
}

static u8 module_data[2 * PAGE] __aligned(PAGE);

static void a_buffer_of_any_kernel_memory_is_shared_in_place(struct kunit *test)
{
	struct vsc *v = open_vsc(test);
	void *mem;

	mem = pages_alloc(test, 3);
	share_buffer(v, mem, 3 * PAGE);
	/* a part of it too */
	share_buffer(v, mem + PAGE, PAGE);
	vfree(mem);

	mem = kmalloc(PAGE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, mem);
	share_buffer(v, mem, PAGE);
	kfree(mem);

	mem = kmalloc(8 * PAGE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, mem);
	share_buffer(v, mem, 8 * PAGE);
	kfree(mem);

	mem = (void *)__get_free_pages(GFP_KERNEL, 1);
	KUNIT_ASSERT_NOT_NULL(test, mem);
	share_buffer(v, mem, 2 * PAGE);
	free_pages((unsigned long)mem, 1);

	share_buffer(v, module_data, sizeof(module_data));
}

static void memory_of_the_library_is_zeroed_and_shared(struct kunit *test)
{
	struct vsc *v = open_vsc(test);
	u32 handle = 0;
	u8 *mem;

	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadl(v->ch, 0, 5, &handle), STATUS_SUCCESS);
	mem = address_of(v, handle);
	KUNIT_ASSERT_NOT_NULL(test, mem);
	KUNIT_EXPECT_NULL(test, memchr_inv(mem, 0, 5 * PAGE));
	expect_shared(v, handle, mem, 5 * PAGE);
	VmbChannelDeleteGpadl(v->ch, handle);
	KUNIT_EXPECT_EQ(test, gpadls(v), 0u);
}

/* An MDL over @bytes at @mem, built by hand; more than one page of PFNs will not do. */
struct test_mdl {
	MDL mdl;
	PFN_NUMBER pfns[8];
};

static void describe(struct test_mdl *m, void *mem, u32 bytes, struct test_mdl *next)
{
	u32 offset = offset_in_page(mem), i;

	memset(m, 0, sizeof(*m));
	m->mdl.Next = next ? &next->mdl : NULL;
	m->mdl.Size = sizeof(*m);
	m->mdl.MdlFlags = MDL_SOURCE_IS_NONPAGED_POOL;
	m->mdl.StartVa = mem - offset;
	m->mdl.ByteOffset = offset;
	m->mdl.ByteCount = bytes;
	for (i = 0; i < DIV_ROUND_UP(offset + bytes, PAGE); i++)
		m->pfns[i] = vmalloc_to_pfn(mem - offset + i * PAGE);
}

static void a_chain_of_MDLs_is_shared_as_one_piece(struct kunit *test)
{
	struct vsc *v = open_vsc(test);
	u8 *a = pages_alloc(test, 3), *b = pages_alloc(test, 4), *seen;
	struct test_mdl m[4];
	u32 handle = 0;

	describe(&m[0], a, 3 * PAGE, &m[1]);
	describe(&m[1], b + PAGE, 0, &m[2]);
	describe(&m[2], b + 2 * PAGE, 2 * PAGE, &m[3]);
	describe(&m[3], b, PAGE, NULL);
	a[0] = 'a';
	b[3 * PAGE] = 'b';
	b[0] = 'c';

	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromMdl(v->ch, READ_ONLY, &m[0].mdl, 0, 0,
							   &handle), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, *host_byte(test, handle, 0), 'a');
	KUNIT_EXPECT_EQ(test, *host_byte(test, handle, 4 * PAGE), 'b');
	KUNIT_EXPECT_EQ(test, *host_byte(test, handle, 5 * PAGE), 'c');
	seen = address_of(v, handle);
	KUNIT_ASSERT_NOT_NULL(test, seen);
	expect_shared(v, handle, seen, 6 * PAGE);
	/* the driver's own addresses name the same memory */
	KUNIT_EXPECT_EQ(test, a[2 * PAGE], 3);
	KUNIT_EXPECT_EQ(test, b[3 * PAGE], 5);
	KUNIT_EXPECT_EQ(test, b[PAGE - 1], 7);
	VmbChannelDeleteGpadl(v->ch, handle);

	/* from the last page of a to the first of the third MDL */
	a[2 * PAGE] = 'x';
	b[2 * PAGE] = 'y';
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromMdl(v->ch, 0, &m[0].mdl, 2 * PAGE, 2 * PAGE,
							   &handle), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, *host_byte(test, handle, 0), 'x');
	KUNIT_EXPECT_EQ(test, *host_byte(test, handle, PAGE), 'y');
	expect_shared(v, handle, address_of(v, handle), 2 * PAGE);
	VmbChannelDeleteGpadl(v->ch, handle);

	/* the rest from the fourth page of the chain on */
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromMdl(v->ch, 0, &m[0].mdl, 4 * PAGE, 0,
							   &handle), STATUS_SUCCESS);
	expect_shared(v, handle, address_of(v, handle), 2 * PAGE);
	VmbChannelDeleteGpadl(v->ch, handle);
	KUNIT_EXPECT_EQ(test, gpadls(v), 0u);
	vfree(a);
	vfree(b);
}

static void an_offset_into_an_MDL_may_reach_a_page_boundary(struct kunit *test)
{
	struct vsc *v = open_vsc(test);
	u8 *a = pages_alloc(test, 3);
	struct test_mdl m;
	u32 handle = 0;

	/* the buffer starts 100 bytes into its page, the GPADL one page later */
	describe(&m, a + 100, 3 * PAGE - 100, NULL);
	a[PAGE] = 'p';
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromMdl(v->ch, 0, &m.mdl, PAGE - 100, 0,
							   &handle), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, *host_byte(test, handle, 0), 'p');
	expect_shared(v, handle, a + PAGE, 2 * PAGE);
	VmbChannelDeleteGpadl(v->ch, handle);
	vfree(a);
}

static void a_list_of_pages_is_shared_in_its_order(struct kunit *test)
{
	struct vsc *v = open_vsc(test);
	u8 *a = pages_alloc(test, 3);
	PFN_NUMBER pfns[] = {
		vmalloc_to_pfn(a + 2 * PAGE), vmalloc_to_pfn(a), vmalloc_to_pfn(a + PAGE),
	};
	u32 handle = 0;

	a[0] = 1;
	a[PAGE] = 2;
	a[2 * PAGE] = 3;
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromPfnList(v->ch, 0, pfns, ARRAY_SIZE(pfns),
							       &handle), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, *host_byte(test, handle, 0), 3);
	KUNIT_EXPECT_EQ(test, *host_byte(test, handle, PAGE), 1);
	KUNIT_EXPECT_EQ(test, *host_byte(test, handle, 2 * PAGE), 2);
	expect_shared(v, handle, address_of(v, handle), 3 * PAGE);
	VmbChannelDeleteGpadl(v->ch, handle);
	vfree(a);
}

/* So many that their list takes several messages, and the bus can still say how many. */
static void as_many_pages_as_the_bus_can_list_are_shared(struct kunit *test)
{
	struct vsc *v = open_vsc(test);
	u8 *a = pages_alloc(test, 2);
	PFN_NUMBER *pfns = vmalloc((MOST_PAGES + 1) * sizeof(*pfns));
	struct kmsg k;
	u32 handle = 0, i;

	KUNIT_ASSERT_NOT_NULL(test, pfns);
	for (i = 0; i <= MOST_PAGES; i++)
		pfns[i] = vmalloc_to_pfn(a);
	pfns[MOST_PAGES - 1] = vmalloc_to_pfn(a + PAGE);
	a[PAGE] = 'z';
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromPfnList(v->ch, 0, pfns, MOST_PAGES, &handle),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, *host_byte(test, handle, (MOST_PAGES - 1) * PAGE), 'z');
	VmbChannelDeleteGpadl(v->ch, handle);

	kmsg_mark(&k);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromPfnList(v->ch, 0, pfns, MOST_PAGES + 1,
							       &handle), STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadl(v->ch, 0, MOST_PAGES + 1, &handle),
			STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadl(v->ch, 0, U32_MAX, &handle),
			STATUS_NOT_SUPPORTED);
	kmsg_expect(test, &k, 3, "the bus takes up to 33546240 bytes, not");
	KUNIT_EXPECT_EQ(test, gpadls(v), 0u);
	vfree(pfns);
	vfree(a);
}

static void each_GPADL_of_a_channel_has_a_handle_of_its_own(struct kunit *test)
{
	struct vsc *v = open_vsc(test);
	u8 *a = pages_alloc(test, 1);
	u32 handle[3] = {}, i;

	/* the same memory, too */
	for (i = 0; i < ARRAY_SIZE(handle); i++)
		KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromBuffer(v->ch, 0, a, PAGE,
								      &handle[i]), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, gpadls(v), 3u);
	VmbChannelDeleteGpadl(v->ch, handle[1]);
	KUNIT_EXPECT_NOT_NULL(test, hvsim_find_gpadl(handle[0]));
	KUNIT_EXPECT_NULL(test, hvsim_find_gpadl(handle[1]));
	KUNIT_EXPECT_NOT_NULL(test, hvsim_find_gpadl(handle[2]));
	VmbChannelDeleteGpadl(v->ch, handle[0]);
	VmbChannelDeleteGpadl(v->ch, handle[2]);
	vfree(a);
}

/* A driver that frees too early hurts itself only, as far as pages can be held. */
static void pages_stay_in_place_until_the_delete(struct kunit *test)
{
	struct vsc *v = open_vsc(test);
	u8 *a = pages_alloc(test, 2), *b = (u8 *)__get_free_pages(GFP_KERNEL | __GFP_COMP, 3);
	u32 from_vmalloc = 0, from_pages = 0;

	KUNIT_ASSERT_NOT_NULL(test, b);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromBuffer(v->ch, 0, a, 2 * PAGE, &from_vmalloc),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromBuffer(v->ch, 0, b, 8 * PAGE, &from_pages),
			STATUS_SUCCESS);
	vfree(a);
	memset(host_byte(test, from_vmalloc, PAGE), 0xee, PAGE);
	VmbChannelDeleteGpadl(v->ch, from_vmalloc);
	KUNIT_EXPECT_EQ(test, page_count(virt_to_page(b)), 9);
	VmbChannelDeleteGpadl(v->ch, from_pages);
	KUNIT_EXPECT_EQ(test, page_count(virt_to_page(b)), 1);
	free_pages((unsigned long)b, 3);
}

/* ---- what it refuses ---- */

static void nothing_was_sent(struct vsc *v, u32 handle)
{
	/* the rings' */
	KUNIT_EXPECT_EQ(v->test, v->host->stats.control[CHANNELMSG_GPADL_HEADER], 1ul);
	KUNIT_EXPECT_EQ(v->test, handle, 0u);
}

static void FromBuffer_names_the_wrong_parameter(struct kunit *test)
{
	struct vsc *v = open_vsc(test);
	void *a = pages_alloc(test, 1);
	u32 handle = 0;

	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromBuffer(NULL, 0, a, PAGE, &handle),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromBuffer(v->ch, 2, a, PAGE, &handle),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromBuffer(v->ch, 0, NULL, PAGE, &handle),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromBuffer(v->ch, 0, a, 0, &handle),
			STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromBuffer(v->ch, 0, a, PAGE, NULL),
			STATUS_INVALID_PARAMETER_5);
	/* more than there is, and an address that is nobody's */
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromBuffer(v->ch, 0, a, 2 * PAGE, &handle),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromBuffer(v->ch, 0, (void *)PAGE, PAGE,
							      &handle), STATUS_INVALID_PARAMETER_3);
	nothing_was_sent(v, handle);
	vfree(a);
}

static void FromMdl_names_the_wrong_parameter(struct kunit *test)
{
	struct vsc *v = open_vsc(test);
	void *a = pages_alloc(test, 2);
	struct test_mdl m[2];
	u32 handle = 0;

	describe(&m[0], a, PAGE, &m[1]);
	describe(&m[1], a + PAGE, PAGE, NULL);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromMdl(NULL, 0, &m[0].mdl, 0, 0, &handle),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromMdl(v->ch, 4, &m[0].mdl, 0, 0, &handle),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromMdl(v->ch, 0, NULL, 0, 0, &handle),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromMdl(v->ch, 0, &m[0].mdl, 2 * PAGE, 0,
							   &handle), STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromMdl(v->ch, 0, &m[0].mdl, 3 * PAGE, PAGE,
							   &handle), STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromMdl(v->ch, 0, &m[0].mdl, PAGE, 2 * PAGE,
							   &handle), STATUS_INVALID_PARAMETER_5);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromMdl(v->ch, 0, &m[0].mdl, 0, 0, NULL),
			STATUS_INVALID_PARAMETER_6);
	/* a ring of MDLs that describe nothing */
	m[1].mdl.ByteCount = 0;
	m[1].mdl.Next = &m[1].mdl;
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromMdl(v->ch, 0, &m[0].mdl, 0, 0, &handle),
			STATUS_INVALID_PARAMETER_3);
	/* nobody has filled in its pages */
	m[1].mdl.MdlFlags = 0;
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromMdl(v->ch, 0, &m[0].mdl, 0, 0, &handle),
			STATUS_INVALID_PARAMETER_3);
	nothing_was_sent(v, handle);
	vfree(a);
}

static void FromPfnList_names_the_wrong_parameter(struct kunit *test)
{
	struct vsc *v = open_vsc(test);
	void *a = pages_alloc(test, 1);
	PFN_NUMBER pfn = vmalloc_to_pfn(a);
	u32 handle = 0;

	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromPfnList(NULL, 0, &pfn, 1, &handle),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromPfnList(v->ch, 8, &pfn, 1, &handle),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromPfnList(v->ch, 0, NULL, 1, &handle),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromPfnList(v->ch, 0, &pfn, 0, &handle),
			STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromPfnList(v->ch, 0, &pfn, 1, NULL),
			STATUS_INVALID_PARAMETER_5);
	nothing_was_sent(v, handle);
	vfree(a);
}

static void CreateGpadl_names_the_wrong_parameter(struct kunit *test)
{
	struct vsc *v = open_vsc(test);
	u32 handle = 0;

	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadl(NULL, 0, 1, &handle),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadl(v->ch, 0x80000000, 1, &handle),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadl(v->ch, 0, 0, &handle),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadl(v->ch, 0, 1, NULL),
			STATUS_INVALID_PARAMETER_4);
	nothing_was_sent(v, handle);
}

static void GetSystemAddress_names_the_wrong_parameter(struct kunit *test)
{
	struct vsc *v = open_vsc(test), *other = vsc_new(test);
	PVOID address = test;
	u32 handle = 0;

	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadl(v->ch, 0, 1, &handle), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelGetSystemAddressForGpadl(NULL, 0, handle, &address),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelGetSystemAddressForGpadl(v->ch, 2, handle, &address),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_PTR_EQ(test, address, (PVOID)test);
	KUNIT_EXPECT_EQ(test, VmbChannelGetSystemAddressForGpadl(v->ch, 0, handle + 1, &address),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_NULL(test, address);
	/* a handle names a GPADL of its own channel alone */
	KUNIT_EXPECT_EQ(test, VmbChannelGetSystemAddressForGpadl(other->ch, 0, handle, &address),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, VmbChannelGetSystemAddressForGpadl(v->ch, 0, handle, NULL),
			STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_EQ(test, VmbChannelGetSystemAddressForGpadl(v->ch, READ_ONLY, handle,
								 &address), STATUS_SUCCESS);
	VmbChannelDeleteGpadl(v->ch, handle);
}

static void parts_of_pages_are_refused_rather_than_rounded(struct kunit *test)
{
	struct vsc *v = open_vsc(test);
	void *a = pages_alloc(test, 3);
	struct test_mdl m[2];
	struct kmsg k;
	u32 handle = 0;

	kmsg_mark(&k);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromBuffer(v->ch, 0, a, PAGE + 1, &handle),
			STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromBuffer(v->ch, 0, a + 8, PAGE, &handle),
			STATUS_NOT_SUPPORTED);
	kmsg_expect(test, &k, 1, "the bus takes whole pages, not 4096 bytes at offset 8 of a page");

	describe(&m[0], a, PAGE, &m[1]);
	describe(&m[1], a + PAGE, PAGE, NULL);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromMdl(v->ch, 0, &m[0].mdl, 8, 0, &handle),
			STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromMdl(v->ch, 0, &m[0].mdl, 0, 100, &handle),
			STATUS_NOT_SUPPORTED);
	/* a gap in the middle */
	describe(&m[0], a, PAGE - 1, &m[1]);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromMdl(v->ch, 0, &m[0].mdl, 0, 0, &handle),
			STATUS_NOT_SUPPORTED);
	kmsg_expect(test, &k, 5, "the bus takes whole pages");
	nothing_was_sent(v, handle);
	vfree(a);
}

static void frames_that_are_no_memory_are_refused(struct kunit *test)
{
	struct vsc *v = open_vsc(test);
	void *a = pages_alloc(test, 1);
	PFN_NUMBER pfns[] = { vmalloc_to_pfn(a), ULONG_MAX >> 12 };
	struct test_mdl m;
	struct kmsg k;
	u32 handle = 0;

	kmsg_mark(&k);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromPfnList(v->ch, 0, pfns, 2, &handle),
			STATUS_NOT_SUPPORTED);
	describe(&m, a, PAGE, NULL);
	m.pfns[0] = pfns[1];
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromMdl(v->ch, 0, &m.mdl, 0, 0, &handle),
			STATUS_NOT_SUPPORTED);
	kmsg_expect(test, &k, 2, "is no memory of this kernel");
	nothing_was_sent(v, handle);
	vfree(a);
}

/* Whoever has seen a confidential guest's memory shared has seen its contents go. */
static void a_confidential_guest_shares_memory_of_the_library_alone(struct kunit *test)
{
	struct vsc *v = open_vsc(test);
	void *a = pages_alloc(test, 1);
	PFN_NUMBER pfn = vmalloc_to_pfn(a);
	struct test_mdl m;
	struct kmsg k;
	u32 handle = 0;

	describe(&m, a, PAGE, NULL);
	v->kch->target.link->share_wipes = true;
	kmsg_mark(&k);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromBuffer(v->ch, 0, a, PAGE, &handle),
			STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromMdl(v->ch, 0, &m.mdl, 0, 0, &handle),
			STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromPfnList(v->ch, 0, &pfn, 1, &handle),
			STATUS_NOT_SUPPORTED);
	kmsg_expect(test, &k, 3, "use VmbChannelCreateGpadl()");
	nothing_was_sent(v, handle);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadl(v->ch, 0, 1, &handle), STATUS_SUCCESS);
	VmbChannelDeleteGpadl(v->ch, handle);
	vfree(a);
}

/* What goes back to the allocator while the host sees it, the host sees for ever. */
static void memory_that_is_given_back_is_hidden_from_the_host_again(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	void *a = pages_alloc(test, 2);
	long none = hvsim_shown_pages(), rings;
	u32 handle[2] = {}, left;

	vsc_bring_up(v);
	rings = hvsim_shown_pages();
	KUNIT_EXPECT_GT(test, rings, none);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadl(v->ch, 0, 3, &handle[0]), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromBuffer(v->ch, 0, a, 2 * PAGE, &handle[1]),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, hvsim_shown_pages(), rings + 5);
	VmbChannelDeleteGpadl(v->ch, handle[0]);
	KUNIT_EXPECT_EQ(test, hvsim_shown_pages(), rings + 2);
	VmbChannelDeleteGpadl(v->ch, handle[1]);
	KUNIT_EXPECT_EQ(test, hvsim_shown_pages(), rings);
	/* and what the close takes back, with the rings */
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadl(v->ch, 0, 4, &left), STATUS_SUCCESS);
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_EQ(test, hvsim_shown_pages(), none);
	vfree(a);
}

static void a_GPADL_above_PASSIVE_LEVEL_is_refused(struct kunit *test)
{
	struct vsc *v = open_vsc(test);
	PFN_NUMBER pfn = 1;
	PVOID address;
	struct test_mdl m;
	struct kmsg k;
	u32 handle = 0;

	kmsg_mark(&k);
	local_bh_disable();
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadl(v->ch, 0, 1, &handle),
			STATUS_INVALID_DEVICE_STATE);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromBuffer(v->ch, 0, &m, PAGE, &handle),
			STATUS_INVALID_DEVICE_STATE);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromMdl(v->ch, 0, &m.mdl, 0, 0, &handle),
			STATUS_INVALID_DEVICE_STATE);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromPfnList(v->ch, 0, &pfn, 1, &handle),
			STATUS_INVALID_DEVICE_STATE);
	KUNIT_EXPECT_EQ(test, VmbChannelGetSystemAddressForGpadl(v->ch, 0, handle, &address),
			STATUS_INVALID_DEVICE_STATE);
	VmbChannelDeleteGpadl(v->ch, handle);
	local_bh_enable();
	kmsg_expect(test, &k, 6, "above PASSIVE_LEVEL, ignored");
	nothing_was_sent(v, handle);
}

static void a_delete_of_what_is_not_there_is_one_line(struct kunit *test)
{
	struct vsc *v = open_vsc(test);
	struct kmsg k;
	u32 handle = 0;

	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadl(v->ch, 0, 1, &handle), STATUS_SUCCESS);
	kmsg_mark(&k);
	VmbChannelDeleteGpadl(NULL, handle);
	VmbChannelDeleteGpadl(v->ch, handle + 1);
	kmsg_expect(test, &k, 1, "VmbChannelDeleteGpadl: there is no GPADL");
	KUNIT_EXPECT_EQ(test, gpadls(v), 1u);
	VmbChannelDeleteGpadl(v->ch, handle);
	VmbChannelDeleteGpadl(v->ch, handle);
	kmsg_expect(test, &k, 2, "VmbChannelDeleteGpadl: there is no GPADL");
	KUNIT_EXPECT_EQ(test, v->host->stats.control[CHANNELMSG_GPADL_TEARDOWN], 1ul);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_buffer_of_any_kernel_memory_is_shared_in_place),
	KUNIT_CASE(memory_of_the_library_is_zeroed_and_shared),
	KUNIT_CASE(a_chain_of_MDLs_is_shared_as_one_piece),
	KUNIT_CASE(an_offset_into_an_MDL_may_reach_a_page_boundary),
	KUNIT_CASE(a_list_of_pages_is_shared_in_its_order),
	KUNIT_CASE(as_many_pages_as_the_bus_can_list_are_shared),
	KUNIT_CASE(each_GPADL_of_a_channel_has_a_handle_of_its_own),
	KUNIT_CASE(pages_stay_in_place_until_the_delete),
	KUNIT_CASE(FromBuffer_names_the_wrong_parameter),
	KUNIT_CASE(FromMdl_names_the_wrong_parameter),
	KUNIT_CASE(FromPfnList_names_the_wrong_parameter),
	KUNIT_CASE(CreateGpadl_names_the_wrong_parameter),
	KUNIT_CASE(GetSystemAddress_names_the_wrong_parameter),
	KUNIT_CASE(parts_of_pages_are_refused_rather_than_rounded),
	KUNIT_CASE(frames_that_are_no_memory_are_refused),
	KUNIT_CASE(a_confidential_guest_shares_memory_of_the_library_alone),
	KUNIT_CASE(memory_that_is_given_back_is_hidden_from_the_host_again),
	KUNIT_CASE(a_GPADL_above_PASSIVE_LEVEL_is_refused),
	KUNIT_CASE(a_delete_of_what_is_not_there_is_one_line),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_gpadl",
	.init = vsc_suite_init,
	.exit = vsc_suite_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
