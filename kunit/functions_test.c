// SPDX-License-Identifier: GPL-2.0
/*
 * A walk over the names of all functions. What is said of them beyond that, a case
 * that asserts a result and one for each status, is the work of scripts/functions.sh.
 */
#include <linux/module.h>
#include <wdf.h>
#include "calls.h"
#include "fixture.h"

/* Servers are not built yet: weak, so that what there is can be counted. */
#define WEAK(name) extern typeof(name) name __weak;
KMCL_SERVER_FUNCTIONS_V1(WEAK)
KMCL_SERVER_FUNCTIONS_V5(WEAK)
#undef WEAK

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
#define SERVER(what) { .name = #what, .address = what, .server = true },
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

/* scripts/functions.sh holds these lines against Documentation/functions.md. */
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

static void a_table_has_each_function_of_its_version_once_and_no_other(struct kunit *test)
{
	static const unsigned int counts[] = { 0, 41, 44, 46, 48, 57 };
	static const u16 sizes[] = { 0, 0x168, 0x180, 0x190, 0x1A0, 0x1E8 };
	union {
		INTERFACE head;
		const void *members[0x1E8 / sizeof(void *)];
	} *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	const unsigned int first = sizeof(INTERFACE) / sizeof(void *);
	unsigned int version, i;
	NTSTATUS status;

	KUNIT_ASSERT_NOT_NULL(test, t);
	for (version = 1; version <= 5; version++) {
		status = WdfFdoQueryForInterface(NULL, &KMCL_CLIENT_INTERFACE_TYPE, &t->head,
						 sizes[version], version, NULL);
		if (status == STATUS_NOT_SUPPORTED)
			kunit_skip(test, "some functions are not built yet");
		KUNIT_ASSERT_EQ(test, status, STATUS_SUCCESS);
		KUNIT_EXPECT_EQ(test, first + counts[version], sizes[version] / sizeof(void *));
		for (i = 0; i < counts[version]; i++)
			KUNIT_EXPECT_PTR_EQ_MSG(test, t->members[first + i], functions[i].address,
						"%s in V%u", functions[i].name, version);
		t->head.InterfaceDereference(t->head.Context);
	}
}

static struct kunit_case cases[] = {
	KUNIT_CASE(there_are_74_functions_and_59_for_clients),
	KUNIT_CASE(each_function_is_exported_or_not_built),
	KUNIT_CASE(a_table_has_each_function_of_its_version_once_and_no_other),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_functions",
	.test_cases = cases,
};

kunit_test_suite(suite);
