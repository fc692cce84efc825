// SPDX-License-Identifier: GPL-2.0
/*
 * A walk over the names of all functions. What is said of them beyond that, a case
 * that asserts a result and one for each status, is the work of scripts/functions.py.
 */
#include <linux/module.h>
#include <wdf.h>
#include "calls.h"
#include "fixture.h"

static const struct function {
	const char *name;
	const void *address;		/* NULL: exported by nobody */
	bool server;
	bool flat;
} functions[] = {
#define CLIENT(what) { .name = #what, .address = __real_##what },
	KMCL_CLIENT_FUNCTIONS(CLIENT)
#define FLAT(what) { .name = #what, .address = __real_##what, .flat = true },
	KMCL_FLAT_FUNCTIONS(FLAT)
#define SERVER(what) { .name = #what, .address = __real_##what, .server = true },
	KMCL_SERVER_FUNCTIONS_V1(SERVER)
	KMCL_SERVER_FUNCTIONS_V5(SERVER)
};

static void there_are_74_functions_and_59_for_clients(struct kunit *test)
{
	unsigned int i, j, client = 0, flat = 0;

	KUNIT_EXPECT_EQ(test, ARRAY_SIZE(functions), 74ul);
	for (i = 0; i < ARRAY_SIZE(functions); i++) {
		client += !functions[i].server;
		flat += functions[i].flat;
		KUNIT_EXPECT_EQ(test, strncmp(functions[i].name, "Vmb", 3), 0);
		for (j = 0; j < i; j++)
			KUNIT_EXPECT_STRNEQ(test, functions[i].name, functions[j].name);
	}
	KUNIT_EXPECT_EQ(test, client, 59u);
	KUNIT_EXPECT_EQ(test, flat, 2u);
}

/* scripts/functions.py holds these lines against Documentation/functions.md. */
static void each_function_is_exported_or_not_built(struct kunit *test)
{
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(functions); i++) {
		pr_info("kmcl_functions: %s %s\n", functions[i].name,
			functions[i].address ? "exported" : "missing");
		/* and is no other one under a second name */
		for (j = 0; functions[i].address && j < i; j++)
			KUNIT_EXPECT_PTR_NE_MSG(test, functions[i].address, functions[j].address,
						"%s is %s", functions[i].name, functions[j].name);
	}
}

/* A table of @version for servers: those of clients, then those of servers alone. */
static void expect_table(struct kunit *test, const GUID *type, u16 size, u16 version,
			 unsigned int clients, unsigned int servers)
{
	union {
		INTERFACE head;
		const void *members[0x260 / sizeof(void *)];
	} *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	const unsigned int first = sizeof(INTERFACE) / sizeof(void *);
	NTSTATUS status;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, t);
	status = WdfFdoQueryForInterface(NULL, type, &t->head, size, version, NULL);
	if (status == STATUS_NOT_SUPPORTED)
		kunit_skip(test, "some functions are not built yet");
	KUNIT_ASSERT_EQ(test, status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, first + clients + servers, size / sizeof(void *));
	for (i = 0; i < clients; i++)
		KUNIT_EXPECT_PTR_EQ_MSG(test, t->members[first + i], functions[i].address,
					"%s in V%u", functions[i].name, version);
	/* all of a client, and two that are in no table */
	for (i = 0; i < servers; i++)
		KUNIT_EXPECT_PTR_EQ_MSG(test, t->members[first + clients + i],
					functions[59 + i].address, "%s in V%u",
					functions[59 + i].name, version);
	t->head.InterfaceDereference(t->head.Context);
}

static void a_table_has_each_function_of_its_version_once_and_no_other(struct kunit *test)
{
	static const unsigned int counts[] = { 0, 41, 44, 46, 48, 57 };
	static const u16 sizes[] = { 0, 0x168, 0x180, 0x190, 0x1A0, 0x1E8 };
	unsigned int version;

	for (version = 1; version <= 5; version++)
		expect_table(test, &KMCL_CLIENT_INTERFACE_TYPE, sizes[version], version,
			     counts[version], 0);
}

static void a_servers_table_has_the_clients_functions_and_then_its_own(struct kunit *test)
{
	expect_table(test, &KMCL_SERVER_INTERFACE_TYPE, 0x1D8, 1, 41, 14);
	expect_table(test, &KMCL_SERVER_INTERFACE_TYPE, 0x260, 5, 57, 15);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(there_are_74_functions_and_59_for_clients),
	KUNIT_CASE(each_function_is_exported_or_not_built),
	KUNIT_CASE(a_table_has_each_function_of_its_version_once_and_no_other),
	KUNIT_CASE(a_servers_table_has_the_clients_functions_and_then_its_own),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_functions",
	.test_cases = cases,
};

kunit_test_suite(suite);
