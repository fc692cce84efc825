// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that a client lends its server.
 */
#include <linux/module.h>
#include <linux/vmalloc.h>
#include "../helper.h"
#include "../kmsg.h"
#include "end.h"

#define PAGES	5u
#define BYTES	(PAGES * 4096)

static u8 *mapped(PMDL mdl)
{
	return MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
}

/* @memory of @c is lent, and @s has it under @handle. */
static UINT32 lend(struct kunit *test, struct end *c, u8 *memory)
{
	UINT32 handle = 0;

	KUNIT_ASSERT_NOT_NULL(test, memory);
	KUNIT_ASSERT_EQ(test, VmbChannelCreateGpadlFromBuffer(c->ch, 0, memory, BYTES, &handle),
			STATUS_SUCCESS);
	return handle;
}

static void a_server_maps_what_its_client_lends(struct kunit *test)
{
	u8 *memory = vzalloc(BYTES);
	struct end *s, *c;
	UINT32 handle;
	u8 *there;
	PMDL mdl;
	u32 i;

	end_pair(test, &s, &c);
	handle = lend(test, c, memory);
	for (i = 0; i < BYTES; i++)
		memory[i] = i / 7;
	KUNIT_ASSERT_EQ(test, VmbChannelMapGpadl(s->ch, 0, handle, &mdl), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, MmGetMdlByteCount(mdl), BYTES);
	KUNIT_EXPECT_EQ(test, MmGetMdlByteOffset(mdl), 0u);
	KUNIT_EXPECT_NULL(test, mdl->Next);
	/* locked, and not mapped */
	KUNIT_EXPECT_TRUE(test, mdl->MdlFlags & MDL_PAGES_LOCKED);
	KUNIT_EXPECT_FALSE(test, mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA);
	for (i = 0; i < PAGES; i++)
		KUNIT_EXPECT_EQ(test, MmGetMdlPfnArray(mdl)[i],
				(PFN_NUMBER)vmalloc_to_pfn(memory + i * 4096));
	there = mapped(mdl);
	KUNIT_ASSERT_NOT_NULL(test, there);
	KUNIT_EXPECT_MEMEQ(test, there, memory, BYTES);
	there[BYTES - 1] = 0xee;
	KUNIT_EXPECT_EQ(test, memory[BYTES - 1], 0xee);
	VmbChannelUnmapGpadl(s->ch, handle);
	VmbChannelDeleteGpadl(c->ch, handle);
	vfree(memory);
}

static void every_kind_of_gpadl_arrives(struct kunit *test)
{
	u8 *memory = kunit_kzalloc(test, 3 * 4096, GFP_KERNEL), *page;
	UINT32 handles[3] = {};
	PFN_NUMBER frames[2];
	struct end *s, *c;
	PVOID own;
	PMDL mdl;
	int i;

	end_pair(test, &s, &c);
	KUNIT_ASSERT_NOT_NULL(test, memory);
	page = PTR_ALIGN(memory, 4096);
	memcpy(page, "driver", 7);
	frames[0] = page_to_pfn(virt_to_page(page));
	frames[1] = page_to_pfn(virt_to_page(page + 4096));
	KUNIT_ASSERT_EQ(test, VmbChannelCreateGpadlFromPfnList(c->ch, 0, frames, 2, &handles[0]),
			STATUS_SUCCESS);
	mdl = IoAllocateMdl(page, 4096, FALSE, FALSE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, mdl);
	MmBuildMdlForNonPagedPool(mdl);
	KUNIT_ASSERT_EQ(test, VmbChannelCreateGpadlFromMdl(c->ch, 0, mdl, 0, 0, &handles[1]),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelCreateGpadl(c->ch, 0, 2, &handles[2]), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelGetSystemAddressForGpadl(c->ch, 0, handles[2], &own),
			STATUS_SUCCESS);
	memcpy(own, "driver", 7);
	for (i = 0; i < 3; i++) {
		PMDL there;

		KUNIT_ASSERT_EQ(test, VmbChannelMapGpadl(s->ch, 0, handles[i], &there),
				STATUS_SUCCESS);
		KUNIT_EXPECT_STREQ(test, (char *)mapped(there), "driver");
		VmbChannelUnmapGpadl(s->ch, handles[i]);
		VmbChannelDeleteGpadl(c->ch, handles[i]);
		KUNIT_EXPECT_EQ(test, VmbChannelMapGpadl(s->ch, 0, handles[i], &there),
				STATUS_INVALID_PARAMETER_3);
	}
	IoFreeMdl(mdl);
}

static void a_gpadl_is_mapped_once_at_a_time(struct kunit *test)
{
	u8 *memory = vzalloc(BYTES);
	PMDL mdl, other = (PMDL)test;
	struct end *s, *c;
	UINT32 handle;
	struct kmsg k;

	end_pair(test, &s, &c);
	handle = lend(test, c, memory);
	KUNIT_ASSERT_EQ(test, VmbChannelMapGpadl(s->ch, VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY, handle,
						 &mdl), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelMapGpadl(s->ch, 0, handle, &other),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_NULL(test, other);
	VmbChannelUnmapGpadl(s->ch, handle);
	KUNIT_EXPECT_EQ(test, VmbChannelMapGpadl(s->ch, 0, handle, &mdl), STATUS_SUCCESS);
	VmbChannelUnmapGpadl(s->ch, handle);
	kmsg_mark(&k);
	VmbChannelUnmapGpadl(s->ch, handle);
	kmsg_expect(test, &k, 1, "is not mapped, ignored");
	VmbChannelDeleteGpadl(c->ch, handle);
	vfree(memory);
}

static void what_is_no_gpadl_of_the_client_is_refused(struct kunit *test)
{
	struct end *s, *c;
	PMDL mdl;

	end_pair(test, &s, &c);
	KUNIT_EXPECT_EQ(test, VmbChannelMapGpadl(NULL, 0, 1, &mdl), STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelMapGpadl(c->ch, 0, 1, &mdl), STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelMapGpadl(s->ch, 2, 1, &mdl), STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbChannelMapGpadl(s->ch, 0, 99, &mdl), STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, VmbChannelMapGpadl(s->ch, 0, 1, NULL), STATUS_INVALID_PARAMETER_4);
	/* the rings are the library's */
	KUNIT_EXPECT_EQ(test, VmbChannelMapGpadl(s->ch, 0, 1, &mdl), STATUS_INVALID_PARAMETER_3);
	local_bh_disable();
	KUNIT_EXPECT_EQ(test, VmbChannelMapGpadl(s->ch, 0, 1, &mdl), STATUS_INVALID_PARAMETER_1);
	local_bh_enable();
	VmbChannelDisable(c->ch);
	end_expect_soon(s, s->logged == 2);
	KUNIT_EXPECT_TRUE(test, becomes(READ_ONCE(s->kch->state) == KMCL_WAITING));
	KUNIT_EXPECT_EQ(test, VmbChannelMapGpadl(s->ch, 0, 1, &mdl), STATUS_INVALID_PARAMETER_1);
}

struct deletion {
	struct end *c;
	UINT32 handle;
};

static void delete(void *arg)
{
	struct deletion *d = arg;

	VmbChannelDeleteGpadl(d->c->ch, d->handle);
}

static void a_client_that_deletes_waits_until_it_is_unmapped(struct kunit *test)
{
	u8 *memory = vzalloc(BYTES);
	struct deletion d;
	struct helper h;
	struct end *s, *c;
	PMDL mdl, again;

	end_pair(test, &s, &c);
	d.c = c;
	d.handle = lend(test, c, memory);
	KUNIT_ASSERT_EQ(test, VmbChannelMapGpadl(s->ch, 0, d.handle, &mdl), STATUS_SUCCESS);
	KUNIT_ASSERT_NOT_NULL(test, mapped(mdl));
	KUNIT_ASSERT_TRUE(test, helper_start(&h, delete, &d));
	schedule_timeout_uninterruptible(HZ / 10);
	KUNIT_EXPECT_FALSE(test, completion_done(&h.done));
	/* the server's still, and only once */
	*mapped(mdl) = 1;
	VmbChannelUnmapGpadl(s->ch, d.handle);
	KUNIT_EXPECT_TRUE(test, helper_join(&h));
	KUNIT_EXPECT_EQ(test, VmbChannelMapGpadl(s->ch, 0, d.handle, &again),
			STATUS_INVALID_PARAMETER_3);
	vfree(memory);
}

static u8 *there;

static void use_in_closed(struct end *e, enum end_event event)
{
	if (event == END_CLOSED)
		there[0] = 0x77;
}

/* What is mapped at the client's close is the server's up to the end of Closed. */
static void what_is_mapped_is_let_go_when_closed_returns(struct kunit *test)
{
	struct end *s, *c, *ends[2];
	UINT32 handle;
	u8 *memory;
	PMDL mdl;
	int i;

	end_pair(test, &s, &c);
	ends[0] = c;
	ends[1] = s;
	for (i = 0; i < 2; i++) {
		memory = vzalloc(BYTES);
		handle = lend(test, c, memory);
		KUNIT_ASSERT_EQ(test, VmbChannelMapGpadl(s->ch, 0, handle, &mdl), STATUS_SUCCESS);
		there = mapped(mdl);
		KUNIT_ASSERT_NOT_NULL(test, there);
		s->on_state = use_in_closed;
		end_clear_log(c);
		VmbChannelDisable(ends[i]->ch);
		end_expect_soon(c, c->logged == 2);
		KUNIT_EXPECT_TRUE(test, becomes(READ_ONCE(c->kch->state) == KMCL_DISABLED));
		KUNIT_EXPECT_EQ(test, memory[0], 0x77);
		/* and nobody's but ours from here on */
		vfree(memory);
		if (i)
			break;
		end_clear_log(s);
		KUNIT_ASSERT_EQ(test, VmbChannelEnable(c->ch), STATUS_SUCCESS);
		end_expect_soon(s, s->logged == 3);
	}
}

static void unmap_in_closed(struct end *e, enum end_event event)
{
	if (event == END_CLOSED)
		VmbChannelUnmapGpadl(e->ch, *(UINT32 *)e->priv);
}

static void disable(void *arg)
{
	struct end *e = arg;

	VmbChannelDisable(e->ch);
}

/* A server that unmaps in Closed alone keeps nobody from closing. */
static void a_client_closes_while_it_waits_for_an_unmap(struct kunit *test)
{
	u8 *memory = vzalloc(BYTES);
	struct helper deletes, closes;
	struct deletion d;
	struct end *s, *c;
	PMDL mdl;

	end_pair(test, &s, &c);
	d.c = c;
	d.handle = lend(test, c, memory);
	s->priv = &d.handle;
	s->on_state = unmap_in_closed;
	KUNIT_ASSERT_EQ(test, VmbChannelMapGpadl(s->ch, 0, d.handle, &mdl), STATUS_SUCCESS);
	KUNIT_ASSERT_TRUE(test, helper_start(&deletes, delete, &d));
	schedule_timeout_uninterruptible(HZ / 10);
	KUNIT_ASSERT_TRUE(test, helper_start(&closes, disable, c));
	if (!helper_join(&closes)) {
		KUNIT_FAIL(test, "the close waits for Delete, which waits for the close");
		VmbChannelUnmapGpadl(s->ch, d.handle);
		KUNIT_EXPECT_TRUE(test, helper_join(&closes));
	}
	KUNIT_EXPECT_TRUE(test, helper_join(&deletes));
	end_expect_log(s, "UC");
	vfree(memory);
}

static void without_memory_nothing_is_mapped(struct kunit *test)
{
#ifdef CONFIG_FAILSLAB
	u8 *memory = vzalloc(BYTES);
	struct end *s, *c;
	NTSTATUS status;
	UINT32 handle;
	PMDL mdl;

	end_pair(test, &s, &c);
	handle = lend(test, c, memory);
	current->fail_nth = 1;
	status = VmbChannelMapGpadl(s->ch, 0, handle, &mdl);
	current->fail_nth = 0;
	KUNIT_EXPECT_EQ(test, status, STATUS_INSUFFICIENT_RESOURCES);
	KUNIT_EXPECT_NULL(test, mdl);
	KUNIT_EXPECT_EQ(test, VmbChannelMapGpadl(s->ch, 0, handle, &mdl), STATUS_SUCCESS);
	VmbChannelUnmapGpadl(s->ch, handle);
	VmbChannelDeleteGpadl(c->ch, handle);
	vfree(memory);
#else
	kunit_skip(test, "needs CONFIG_FAILSLAB");
#endif
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_server_maps_what_its_client_lends),
	KUNIT_CASE(every_kind_of_gpadl_arrives),
	KUNIT_CASE(a_gpadl_is_mapped_once_at_a_time),
	KUNIT_CASE(what_is_no_gpadl_of_the_client_is_refused),
	KUNIT_CASE(a_client_that_deletes_waits_until_it_is_unmapped),
	KUNIT_CASE(what_is_mapped_is_let_go_when_closed_returns),
	KUNIT_CASE(a_client_closes_while_it_waits_for_an_unmap),
	KUNIT_CASE(without_memory_nothing_is_mapped),
	{}
};

static struct kunit_suite suite = {
	.name = "loopback_gpadl",
	.init = end_init,
	.exit = end_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
