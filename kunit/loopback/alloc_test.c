// SPDX-License-Identifier: GPL-2.0
/*
 * Each allocation fails in turn: a status, or the client hears of it, and then
 * everything works.
 */
#include <linux/fdtable.h>
#include <linux/module.h>
#include <linux/vmalloc.h>
#include "../helper.h"
#include "bus.h"

#ifdef CONFIG_FAILSLAB
/* More than any of these functions makes. */
#define ALLOCATIONS	200

#define for_each_failure(n)	for (n = 1, current->fail_nth = 1; n < ALLOCATIONS;	\
				     current->fail_nth = ++n)

/* True when the allocation was not met: there is no such one. */
static bool through(void)
{
	bool met = !current->fail_nth;

	current->fail_nth = 0;
	return !met;
}

static void a_server_is_offered_or_not(struct kunit *test)
{
	struct end *s = end_new(test, true);
	NTSTATUS status;
	int n;

	for_each_failure(n) {
		status = VmbChannelEnable(s->ch);
		if (through())
			break;
		if (NT_SUCCESS(status)) {
			VmbChannelDisable(s->ch);
			continue;
		}
		KUNIT_EXPECT_EQ(test, status, STATUS_INSUFFICIENT_RESOURCES);
		KUNIT_EXPECT_EQ(test, s->kch->state, KMCL_DISABLED);
	}
	KUNIT_EXPECT_EQ(test, status, STATUS_SUCCESS);
	KUNIT_EXPECT_GT(test, n, 1);
}

static void a_client_opens_or_not(struct kunit *test)
{
	struct end *s = end_new(test, true), *c = end_new(test, false);
	NTSTATUS status;
	int n;

	KUNIT_ASSERT_EQ(test, VmbChannelEnable(s->ch), STATUS_SUCCESS);
	VmbChannelStart(s->ch);
	for_each_failure(n) {
		status = VmbChannelEnable(c->ch);
		if (through())
			break;
		if (NT_SUCCESS(status)) {
			VmbChannelDisable(c->ch);
			continue;
		}
		KUNIT_EXPECT_EQ(test, status, STATUS_INSUFFICIENT_RESOURCES);
		KUNIT_EXPECT_EQ(test, c->kch->state, KMCL_DISABLED);
	}
	KUNIT_EXPECT_EQ(test, status, STATUS_SUCCESS);
	KUNIT_EXPECT_GT(test, n, 4);
	KUNIT_EXPECT_EQ(test, end_send(c, "hello", 5, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	end_expect_soon(c, atomic_read(&c->ok) == 1);
}

static void a_gpadl_is_lent_and_mapped_or_not(struct kunit *test)
{
	u8 *memory = vzalloc(8192);
	struct end *s, *c;
	UINT32 handle;
	NTSTATUS status;
	PMDL mdl;
	int n;

	end_pair(test, &s, &c);
	KUNIT_ASSERT_NOT_NULL(test, memory);
	for_each_failure(n) {
		status = VmbChannelCreateGpadlFromBuffer(c->ch, 0, memory, 8192, &handle);
		if (NT_SUCCESS(status)) {
			status = VmbChannelMapGpadl(s->ch, 0, handle, &mdl);
			if (NT_SUCCESS(status) &&
			    !MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority))
				status = STATUS_INSUFFICIENT_RESOURCES;
			if (mdl)
				VmbChannelUnmapGpadl(s->ch, handle);
			VmbChannelDeleteGpadl(c->ch, handle);
		}
		if (through())
			break;
		if (!NT_SUCCESS(status))
			KUNIT_EXPECT_EQ(test, status, STATUS_INSUFFICIENT_RESOURCES);
	}
	KUNIT_EXPECT_EQ(test, status, STATUS_SUCCESS);
	KUNIT_EXPECT_GT(test, n, 4);
	vfree(memory);
}

static void a_handle_is_given_or_not(struct kunit *test)
{
	struct bus *b = bus_new(test, false);
	int before = module_refcount(THIS_MODULE), fd = -1, n;
	HANDLE handle = NULL;

	for_each_failure(n) {
		fd = kmcl_host_fd(&b->host);
		handle = kmcl_host_handle(b->host.name);
		if (through())
			break;
		if (fd >= 0)
			close_fd(fd);
		if (handle)
			ZwClose(handle);
		KUNIT_EXPECT_TRUE(test, becomes(module_refcount(THIS_MODULE) == before));
	}
	KUNIT_EXPECT_GE(test, fd, 0);
	KUNIT_EXPECT_NOT_NULL(test, handle);
	if (fd >= 0)
		close_fd(fd);
	if (handle)
		ZwClose(handle);
	KUNIT_EXPECT_TRUE(test, becomes(module_refcount(THIS_MODULE) == before));
}
#else
static void none(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_FAILSLAB");
}

#define a_server_is_offered_or_not		none
#define a_client_opens_or_not			none
#define a_gpadl_is_lent_and_mapped_or_not	none
#define a_handle_is_given_or_not		none
#endif

static struct kunit_case cases[] = {
	KUNIT_CASE(a_server_is_offered_or_not),
	KUNIT_CASE(a_client_opens_or_not),
	KUNIT_CASE(a_gpadl_is_lent_and_mapped_or_not),
	KUNIT_CASE(a_handle_is_given_or_not),
	{}
};

static struct kunit_suite suite = {
	.name = "loopback_alloc",
	.init = end_init,
	.exit = bus_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
