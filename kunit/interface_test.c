// SPDX-License-Identifier: GPL-2.0
/*
 * The queried tables: who gets which, what is in it, and a driver that uses
 * nothing else.
 */
#include <linux/module.h>
#include <initguid.h>
#include <wdf.h>
#include "calls.h"
#include "fixture.h"
#include "sim/compat.h"
#include "kmsg.h"

#define GUARD	64

union table {
	INTERFACE head;
	KMCL_CLIENT_INTERFACE_V5 v5;
	KMCL_SERVER_INTERFACE_V5 server;
	u8 bytes[sizeof(KMCL_SERVER_INTERFACE_V5) + GUARD];
};

static const u16 sizes[] = { 0, 0x168, 0x180, 0x190, 0x1A0, 0x1E8 };

/* Every function of the table of @version is built. */
static bool built(u16 version)
{
	bool all = true;

#define IS_BUILT(name) all = all && __real_##name;
	switch (version) {
	case 5:
		KMCL_CLIENT_FUNCTIONS_V5(IS_BUILT)
		fallthrough;
	case 4:
		KMCL_CLIENT_FUNCTIONS_V4(IS_BUILT)
		fallthrough;
	case 3:
		KMCL_CLIENT_FUNCTIONS_V3(IS_BUILT)
		fallthrough;
	case 2:
		KMCL_CLIENT_FUNCTIONS_V2(IS_BUILT)
		fallthrough;
	default:
		KMCL_CLIENT_FUNCTIONS_V1(IS_BUILT)
	}
#undef IS_BUILT
	return all;
}

static bool server_built(void)
{
	bool all = built(5);

#define IS_BUILT(name) all = all && __real_##name;
	KMCL_SERVER_FUNCTIONS_V1(IS_BUILT)
	KMCL_SERVER_FUNCTIONS_V5(IS_BUILT)
#undef IS_BUILT
	return all;
}

static NTSTATUS ask(const GUID *type, union table *t, u16 size, u16 version)
{
	return WdfFdoQueryForInterface(NULL, type, t ? &t->head : NULL, size, version, NULL);
}

/* References on kmcl.ko; this module's own dependency is one of them. */
static int kmcl_references(struct kunit *test)
{
	struct module_use *use;

	list_for_each_entry(use, &THIS_MODULE->target_list, target_list)
		if (!strcmp(use->target->name, "kmcl"))
			return module_refcount(use->target);
	KUNIT_FAIL(test, "not linked to kmcl.ko");
	return 0;
}

static void each_version_fills_its_size_and_no_more(struct kunit *test)
{
	int before = kmcl_references(test);
	union table *t = kunit_kmalloc(test, sizeof(*t), GFP_KERNEL);
	u16 version;

	KUNIT_ASSERT_NOT_NULL(test, t);
	for (version = 1; version <= 5; version++) {
		u16 size = sizes[version];
		NTSTATUS status;

		memset(t, 0xa5, sizeof(*t));
		status = ask(&KMCL_CLIENT_INTERFACE_TYPE, t, size, version);
		KUNIT_EXPECT_NULL(test, memchr_inv(t->bytes + size, 0xa5, sizeof(*t) - size));
		if (!built(version)) {
			KUNIT_EXPECT_EQ(test, status, STATUS_NOT_SUPPORTED);
			KUNIT_EXPECT_NULL(test, memchr_inv(t, 0xa5, sizeof(*t)));
			continue;
		}
		KUNIT_ASSERT_EQ(test, status, STATUS_SUCCESS);
		KUNIT_EXPECT_EQ(test, t->head.Size, size);
		KUNIT_EXPECT_EQ(test, t->head.Version, version);
		KUNIT_EXPECT_EQ(test, kmcl_references(test), before + 1);
		t->head.InterfaceDereference(t->head.Context);
		KUNIT_EXPECT_EQ(test, kmcl_references(test), before);
	}
}

static void every_member_is_the_function_of_its_name(struct kunit *test)
{
	union table *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	unsigned int n = 0;
	NTSTATUS status;

	KUNIT_ASSERT_NOT_NULL(test, t);
	if (!built(5))
		kunit_skip(test, "some functions are not built yet");
	status = ask(&KMCL_CLIENT_INTERFACE_TYPE, t, sizes[5], 5);
	KUNIT_ASSERT_EQ(test, status, STATUS_SUCCESS);
#define SAME(name)								\
	KUNIT_EXPECT_TRUE_MSG(test, t->v5.name && t->v5.name == __real_##name, #name);	\
	n++;
	KMCL_CLIENT_FUNCTIONS(SAME)
#undef SAME
	KUNIT_EXPECT_EQ(test, n, 57u);
	t->head.InterfaceDereference(t->head.Context);
}

static void both_functions_give_the_same_table(struct kunit *test)
{
	union table *a = kunit_kzalloc(test, sizeof(*a), GFP_KERNEL);
	union table *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);
	NTSTATUS status;

	KUNIT_ASSERT_TRUE(test, a && b);
	status = ask(&KMCL_CLIENT_INTERFACE_TYPE, a, sizes[1], 1);
	KUNIT_EXPECT_EQ(test, status, built(1) ? STATUS_SUCCESS : STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test, WdfIoTargetQueryForInterface(NULL, &KMCL_CLIENT_INTERFACE_TYPE,
							   &b->head, sizes[1], 1, NULL), status);
	KUNIT_EXPECT_MEMEQ(test, a, b, sizeof(*a));
	if (NT_SUCCESS(status)) {
		a->head.InterfaceDereference(a->head.Context);
		b->head.InterfaceDereference(b->head.Context);
	}
}

static void what_is_wrong_is_refused_and_nothing_written(struct kunit *test)
{
	static const GUID other = { 1, 2, 3, { 4 } };
	const GUID *client = &KMCL_CLIENT_INTERFACE_TYPE;
	union table *t = kunit_kmalloc(test, sizeof(*t), GFP_KERNEL);
	int before = kmcl_references(test);
	u32 version, size;

	KUNIT_ASSERT_NOT_NULL(test, t);
	memset(t, 0xa5, sizeof(*t));
	KUNIT_EXPECT_EQ(test, ask(NULL, t, sizes[1], 1), STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, ask(client, NULL, sizes[1], 1), STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, WdfIoTargetQueryForInterface(NULL, NULL, &t->head, sizes[1], 1,
							   NULL), STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, ask(&other, t, sizes[1], 1), STATUS_NOT_SUPPORTED);
	for (version = 0; version <= 0xffff; version++)
		if (version < 1 || version > 5)
			KUNIT_ASSERT_EQ(test, ask(client, t, sizes[1], version),
					STATUS_REVISION_MISMATCH);
	for (version = 1; version <= 5; version++)
		for (size = 0; size <= 0x300; size++)
			if (size != sizes[version])
				KUNIT_ASSERT_EQ(test, ask(client, t, size, version),
						STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, ask(client, t, 0xffff, 5), STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_NULL(test, memchr_inv(t, 0xa5, sizeof(*t)));
	KUNIT_EXPECT_EQ(test, kmcl_references(test), before);
}

static void a_servers_table_is_given_whole_or_not_at_all(struct kunit *test)
{
	const GUID *server = &KMCL_SERVER_INTERFACE_TYPE;
	union table *t = kunit_kmalloc(test, sizeof(*t), GFP_KERNEL);
	int before = kmcl_references(test);
	u16 version;

	KUNIT_ASSERT_NOT_NULL(test, t);
	for (version = 0; version <= 6; version++) {
		bool is = version == 1 || version == 5;
		u16 size = version == 1 ? 0x1D8 : 0x260;

		memset(t, 0xa5, sizeof(*t));
		KUNIT_EXPECT_EQ(test, ask(server, t, size + 8, version),
				is ? STATUS_INVALID_PARAMETER : STATUS_REVISION_MISMATCH);
		if (!is || !server_built()) {
			KUNIT_EXPECT_EQ(test, ask(server, t, size, version),
					is ? STATUS_NOT_SUPPORTED : STATUS_REVISION_MISMATCH);
			KUNIT_EXPECT_NULL(test, memchr_inv(t, 0xa5, sizeof(*t)));
			continue;
		}
		KUNIT_EXPECT_EQ(test, ask(server, t, size, version), STATUS_SUCCESS);
		KUNIT_EXPECT_EQ(test, t->head.Size, size);
		KUNIT_EXPECT_EQ(test, t->head.Version, version);
		KUNIT_EXPECT_NULL(test, memchr_inv(t->bytes + size, 0xa5, sizeof(*t) - size));
		KUNIT_EXPECT_EQ(test, kmcl_references(test), before + 1);
		t->head.InterfaceDereference(t->head.Context);
	}
	KUNIT_EXPECT_EQ(test, kmcl_references(test), before);
}

static void a_table_keeps_the_library_until_it_is_given_back(struct kunit *test)
{
	union table *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	int before = kmcl_references(test);
	struct kmsg k;
	NTSTATUS status;

	KUNIT_ASSERT_NOT_NULL(test, t);
	status = ask(&KMCL_CLIENT_INTERFACE_TYPE, t, sizes[4], 4);
	if (!built(4))
		kunit_skip(test, "some functions are not built yet");
	KUNIT_ASSERT_EQ(test, status, STATUS_SUCCESS);
	t->head.InterfaceReference(t->head.Context);
	KUNIT_EXPECT_EQ(test, kmcl_references(test), before + 2);
	t->head.InterfaceDereference(t->head.Context);
	t->head.InterfaceDereference(t->head.Context);
	KUNIT_EXPECT_EQ(test, kmcl_references(test), before);
	kmsg_mark(&k);
	t->head.InterfaceDereference(t->head.Context);
	t->head.InterfaceReference(NULL);
	t->head.InterfaceDereference(test);
	KUNIT_EXPECT_EQ(test, kmcl_references(test), before);
	kmsg_expect(test, &k, 1, "InterfaceDereference without a reference, ignored");
	kmsg_expect(test, &k, 2, "of a table that is not ours, ignored");
}

/* ---- a driver that links nothing but the query ---- */

static union table kmcl;

struct driver {
	struct vsc *v;
	int answered;
	int received;
};

static VOID table_answered(VMBPACKET packet, PVOID context, NTSTATUS status, PVOID buf, UINT32 len)
{
	struct driver *d = context;

	d->answered += NT_SUCCESS(status);
	kmcl.v5.VmbPacketFree(packet);
	wake_up_all(&d->v->wait);
}

static VOID table_received(VMBCHANNEL ch, PVOID context, VMBPACKETCOMPLETION packet, PVOID buf,
			   UINT32 len, UINT32 flags)
{
	struct driver *d = context;

	kmcl.v5.VmbChannelPacketComplete(packet, NULL, 0);
	d->received++;
	wake_up_all(&d->v->wait);
}

static void a_driver_lives_on_the_table_alone(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct driver d = { .v = v };
	NTSTATUS status;
	VMBCHANNEL ch;
	VMBPACKET pkt;

	if (!built(5))
		kunit_skip(test, "some functions are not built yet");
	KUNIT_ASSERT_EQ(test, ask(&KMCL_CLIENT_INTERFACE_TYPE, &kmcl, sizes[5], 5),
			STATUS_SUCCESS);
	vsc_offer(v);
	KUNIT_ASSERT_EQ(test, kmcl.v5.VmbChannelAllocate(NULL, FALSE, &ch), STATUS_SUCCESS);
	status = kmcl.v5.VmbChannelInitSetProcessPacketCallbacksEx(ch, &d, table_received, NULL);
	KUNIT_EXPECT_EQ(test, status, STATUS_SUCCESS);
	status = kmcl.v5.VmbClientChannelInitSetTargetPnp(ch, (void *)&vsc_type,
							  (void *)&vsc_instance, NULL);
	KUNIT_EXPECT_EQ(test, status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, kmcl.v5.VmbChannelEnable(ch), STATUS_SUCCESS);
	pkt = kmcl.v5.VmbPacketAllocate(ch);
	KUNIT_ASSERT_NOT_NULL(test, pkt);
	kmcl.v5.VmbPacketSetCompletionRoutineEx(pkt, &d, table_answered);
	KUNIT_EXPECT_EQ(test, kmcl.v5.VmbPacketSend(pkt, "x", 1, NULL, WAIT_FOR_COMPLETION),
			STATUS_SUCCESS);
	vsc_expect_soon(v, d.answered == 1);
	KUNIT_EXPECT_EQ(test, hvsim_send(v->host, VM_PKT_DATA_INBAND, 0, 0, "y", 1), 0);
	vsc_expect_soon(v, d.received == 1);
	kmcl.v5.VmbChannelDisable(ch);
	kmcl.v5.VmbChannelCleanup(ch);
	kmcl.head.InterfaceDereference(kmcl.head.Context);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(each_version_fills_its_size_and_no_more),
	KUNIT_CASE(every_member_is_the_function_of_its_name),
	KUNIT_CASE(both_functions_give_the_same_table),
	KUNIT_CASE(what_is_wrong_is_refused_and_nothing_written),
	KUNIT_CASE(a_servers_table_is_given_whole_or_not_at_all),
	KUNIT_CASE(a_table_keeps_the_library_until_it_is_given_back),
	KUNIT_CASE(a_driver_lives_on_the_table_alone),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_interface",
	.init = vsc_suite_init,
	.exit = vsc_suite_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
