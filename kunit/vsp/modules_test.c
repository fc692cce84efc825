// SPDX-License-Identifier: GPL-2.0
/*
 * The VSPs' modules, their parameters and their files.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include "../helper.h"
#include "../kmsg.h"
#include "client.h"
#include "module.h"
#include "storvsp.h"

#define expect_file(test, name, text)	KUNIT_EXPECT_STREQ(test, module_file(test, name), text)

/* ---- storage ---- */

static const GUID storage = {
	0xba6163d9, 0x04a1, 0x4d29, { 0xb6, 0x05, 0x72, 0xe2, 0xff, 0xb1, 0xdc, 0x7f }
};

static void exit(struct kunit *test)
{
	clients_drop();
	/* what a case that was broken off has left */
	module_unload("kmcl_storvsp");
	module_unload("kmcl_ramdisk");
	module_unload("kmcl_kbdvsp");
	module_unload("kmcl_icvsp");
}

/* Of the first disk of the module. */
static u8 one_block(struct kunit *test, bool write, u8 *buf)
{
	struct sv sv = { .test = test, .c = client_new(test, &storage, NULL, 0) };
	const u8 cdb[10] = { write ? 0x2a : 0x28, [5] = 7, [8] = 1 };
	struct sv_msg msg;
	u8 status;

	sv_connect(&sv, 0x0602);
	status = sv_do(&sv, &msg, cdb, 10, write ? SV_OUT : SV_IN, buf, 512);
	expect_file(test, "kmcl_storvsp/storvsp/protocol_version", "6.2");
	expect_file(test, "kmcl_storvsp/storvsp/channels", "1");
	expect_file(test, "kmcl_storvsp/storvsp/requests", "5 0 0");
	expect_file(test, "kmcl_storvsp/storvsp/bad_messages", "0");
	clients_drop();
	return status;
}

static void a_disk_outlives_the_module_that_serves_it(struct kunit *test)
{
	u8 *buf = kunit_kzalloc(test, 1024, GFP_KERNEL);
	struct kmsg k;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	memset(buf, 0x5a, 512);
	KUNIT_ASSERT_EQ(test, module_load("kmcl_ramdisk"), 0);
	KUNIT_ASSERT_EQ(test, module_load("kmcl_storvsp:mib=1:sub_channels=2"), 0);
	KUNIT_EXPECT_EQ(test, one_block(test, true, buf), SV_GOOD);
	KUNIT_EXPECT_EQ(test, module_unload("kmcl_storvsp"), 0);
	KUNIT_ASSERT_EQ(test, module_load("kmcl_storvsp:mib=1:sub_channels=2"), 0);
	KUNIT_EXPECT_EQ(test, one_block(test, false, buf + 512), SV_GOOD);
	KUNIT_EXPECT_MEMEQ(test, buf, buf + 512, 512);
	KUNIT_EXPECT_EQ(test, module_unload("kmcl_storvsp"), 0);
	/* as long as it has the same size */
	kmsg_mark(&k);
	KUNIT_EXPECT_NE(test, module_load("kmcl_storvsp:mib=2:sub_channels=2"), 0);
	kmsg_expect(test, &k, 1, "unload this module to forget it");
	KUNIT_EXPECT_EQ(test, module_unload("kmcl_ramdisk"), 0);
	KUNIT_ASSERT_EQ(test, module_load("kmcl_ramdisk"), 0);
	KUNIT_ASSERT_EQ(test, module_load("kmcl_storvsp:mib=2:sub_channels=2"), 0);
	KUNIT_EXPECT_EQ(test, one_block(test, false, buf), SV_GOOD);
	KUNIT_EXPECT_NULL(test, memchr_inv(buf, 0, 512));
	KUNIT_EXPECT_EQ(test, module_unload("kmcl_storvsp"), 0);
	KUNIT_EXPECT_EQ(test, module_unload("kmcl_ramdisk"), 0);
}

static void a_controller_is_saved_to_a_file_and_restored_from_it(struct kunit *test)
{
	static const u8 test_unit_ready[6];
	struct sv sv = { .test = test };
	struct sv_msg msg;
	struct kmsg k;

	KUNIT_ASSERT_EQ(test, module_load("kmcl_ramdisk"), 0);
	KUNIT_ASSERT_EQ(test, module_load("kmcl_storvsp:mib=1:sub_channels=2"), 0);
	sv.c = client_new(test, &storage, NULL, 0);
	sv_connect(&sv, 0x0602);
	KUNIT_EXPECT_LT(test, module_write(test, "kmcl_storvsp/storvsp/save", "/nowhere/at/all"),
			0L);
	expect_file(test, "kmcl_storvsp/storvsp/saved", "0");
	KUNIT_EXPECT_EQ(test, module_write(test, "kmcl_storvsp/storvsp/save", "/dev/state\n"), 11L);
	expect_file(test, "kmcl_storvsp/storvsp/saved", "1");
	KUNIT_EXPECT_EQ(test, module_write(test, "kmcl_storvsp/storvsp/resume", "1"), 1L);
	expect_file(test, "kmcl_storvsp/storvsp/saved", "0");
	KUNIT_EXPECT_EQ(test, sv_do(&sv, &msg, test_unit_ready, 6, SV_NONE, NULL, 0), SV_GOOD);
	KUNIT_EXPECT_EQ(test, module_write(test, "kmcl_storvsp/storvsp/save", "/dev/state"), 10L);
	KUNIT_EXPECT_EQ(test, module_unload("kmcl_storvsp"), 0);
	KUNIT_EXPECT_TRUE(test, client_is_open(sv.c));
	/* a state that is none, and one that is not this controller's */
	kmsg_mark(&k);
	KUNIT_EXPECT_NE(test, module_load("kmcl_storvsp:mib=1:state=/init"), 0);
	kmsg_expect(test, &k, 1, "this is not a state of this controller");
	KUNIT_EXPECT_NE(test, module_load("kmcl_storvsp:mib=1:state=/nowhere"), 0);
	kmsg_expect(test, &k, 1, "cannot read /nowhere");
	KUNIT_ASSERT_EQ(test, module_load("kmcl_storvsp:mib=1:sub_channels=2:state=/dev/state"), 0);
	KUNIT_EXPECT_EQ(test, sv_do(&sv, &msg, test_unit_ready, 6, SV_NONE, NULL, 0), SV_GOOD);
	expect_file(test, "kmcl_storvsp/storvsp/protocol_version", "6.2");
	clients_drop();
	KUNIT_EXPECT_EQ(test, module_unload("kmcl_storvsp"), 0);
	KUNIT_EXPECT_EQ(test, module_unload("kmcl_ramdisk"), 0);
}

#define READS	100u

/* One of them, and how often it has ended. */
static struct read {
	atomic_t ends;
	NTSTATUS status;
} reads[READS];

static VOID read_done(VMBPACKET packet, PVOID context, NTSTATUS status, PVOID buf, UINT32 len)
{
	struct read *r = context;

	r->status = status;
	VmbPacketFree(packet);
	atomic_inc(&r->ends);
}

/* The module goes without a save while its client works: that hears of it, and nothing is lost. */
static void a_server_that_is_killed_under_requests_ends_each_once(struct kunit *test)
{
	struct sv sv = { .test = test };
	u8 *buf = kunit_kzalloc(test, 512, GFP_KERNEL);
	const u8 cdb[10] = { 0x28, [8] = 1 };
	struct sv_msg msg;
	u32 i, ended = 0;
	PMDL mdl;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	mdl = sv_mdl(test, buf, 512);
	KUNIT_ASSERT_EQ(test, module_load("kmcl_ramdisk"), 0);
	KUNIT_ASSERT_EQ(test, module_load("kmcl_storvsp:mib=1:latency_us=2000"), 0);
	sv.c = client_new(test, &storage, NULL, 0);
	sv_connect(&sv, 0x0602);
	memset(reads, 0, sizeof(reads));
	for (i = 0; i < READS; i++) {
		VMBPACKET packet = VmbPacketAllocate(sv.c->ch);
		NTSTATUS status;

		KUNIT_ASSERT_NOT_NULL(test, packet);
		VmbPacketSetCompletionRoutineEx(packet, &reads[i], read_done);
		sv_command(&msg, cdb, 10, SV_IN, 512);
		status = VmbPacketSend(packet, &msg, sizeof(msg), mdl,
				       VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION);
		KUNIT_ASSERT_EQ(test, status, STATUS_SUCCESS);
	}
	for (i = 0; i < READS; i++)
		ended += atomic_read(&reads[i].ends);
	KUNIT_EXPECT_LT(test, ended, READS);
	KUNIT_EXPECT_EQ(test, module_unload("kmcl_storvsp"), 0);
	KUNIT_EXPECT_TRUE(test, becomes(!client_is_open(sv.c)));
	for (i = 0; i < READS; i++) {
		KUNIT_EXPECT_TRUE_MSG(test, becomes(atomic_read(&reads[i].ends)), "read %u", i);
		KUNIT_EXPECT_EQ(test, atomic_read(&reads[i].ends), 1);
		if (reads[i].status != STATUS_SUCCESS)
			KUNIT_EXPECT_EQ(test, reads[i].status, STATUS_DEVICE_REMOVED);
	}
	clients_drop();
	KUNIT_EXPECT_EQ(test, module_unload("kmcl_ramdisk"), 0);
	IoFreeMdl(mdl);
}

static void parameters_that_make_no_sense_are_refused(struct kunit *test)
{
	static const char * const wrong[] = {
		"mib=0", "mib=2000000", "disks=9", "sub_channels=64", "block_size=500",
		"block_size=768", "block_size=8192", "latency_us=1000001",
	};
	char what[64];
	int i;

	KUNIT_ASSERT_EQ(test, module_load("kmcl_ramdisk"), 0);
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		snprintf(what, sizeof(what), "kmcl_storvsp:%s", wrong[i]);
		KUNIT_EXPECT_NE_MSG(test, module_load(what), 0, "%s", what);
	}
	KUNIT_EXPECT_EQ(test, module_unload("kmcl_ramdisk"), 0);
}

static void a_bus_that_does_not_exist_is_refused(struct kunit *test)
{
	struct kmsg k;

	kmsg_mark(&k);
	KUNIT_EXPECT_NE(test, module_load("kmcl_kbdvsp:bus=nowhere"), 0);
	KUNIT_EXPECT_NE(test, module_load("kmcl_icvsp:bus=nowhere"), 0);
	kmsg_expect(test, &k, 2, "there is no bus of the name nowhere");
	KUNIT_EXPECT_EQ(test, module_load("kmcl_kbdvsp:bus=loopback"), 0);
	KUNIT_EXPECT_EQ(test, module_unload("kmcl_kbdvsp"), 0);
}

/* ---- keyboard ---- */

static const GUID keyboard = {
	0xf912ad6d, 0x2b17, 0x48ea, { 0xbd, 0x65, 0xf9, 0x27, 0xa6, 0x1c, 0x76, 0x84 }
};

static void keys_are_written_as_a_keyboard_sends_them(struct kunit *test)
{
	static const char * const wrong[] = { "xyz", "100", "00", "e0", "e0 e1", "1e,9e", "80" };
	static const u32 flags[] = { 0, 2, 4, 6, 8, 0 };
	static const u16 codes[] = { 0x1e, 0x1e, 0x48, 0x48, 0x1d, 0x45 };
	static const char typed[] = " 1e 9e\te0 48 e0 c8 E1 1d 45\n";
	const u32 request[] = { 1, 0x00010000 };
	u32 event[4];
	struct client *c;
	u64 answer;
	int i;

	KUNIT_ASSERT_EQ(test, module_load("kmcl_kbdvsp"), 0);
	KUNIT_EXPECT_EQ(test, module_write(test, "kmcl_kbdvsp/kbdvsp/keystroke", "1e"),
			(ssize_t)-ENOTCONN);
	expect_file(test, "kmcl_kbdvsp/kbdvsp/connected", "0");
	c = client_new(test, &keyboard, NULL, 0);
	client_open(c);
	KUNIT_EXPECT_EQ(test, client_ask(c, request, 8, NULL, &answer, 8), 0);
	KUNIT_EXPECT_EQ(test, client_await(c, event, 16), 8);
	expect_file(test, "kmcl_kbdvsp/kbdvsp/connected", "1");
	KUNIT_EXPECT_EQ(test, module_write(test, "kmcl_kbdvsp/kbdvsp/keystroke", typed),
			(ssize_t)strlen(typed));
	for (i = 0; i < ARRAY_SIZE(codes); i++) {
		KUNIT_EXPECT_EQ(test, client_await(c, event, 16), 16);
		KUNIT_EXPECT_EQ(test, event[1], (u32)codes[i]);
		KUNIT_EXPECT_EQ(test, event[2], flags[i]);
	}
	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		KUNIT_EXPECT_LT_MSG(test, module_write(test, "kmcl_kbdvsp/kbdvsp/keystroke",
						       wrong[i]), 0L, "%s", wrong[i]);
	expect_file(test, "kmcl_kbdvsp/kbdvsp/keystrokes", "6");
	expect_file(test, "kmcl_kbdvsp/kbdvsp/leds", "0x0");
	expect_file(test, "kmcl_kbdvsp/kbdvsp/bad_messages", "0");
	/* the server may go first */
	KUNIT_EXPECT_EQ(test, module_unload("kmcl_kbdvsp"), 0);
	KUNIT_EXPECT_TRUE(test, becomes(!client_is_open(c)));
}

/* ---- integration services ---- */

static const GUID shutdown = {
	0x0e0b6031, 0x5213, 0x4934, { 0x81, 0x8b, 0x38, 0xd9, 0x0c, 0xed, 0x39, 0xdb }
};

static void a_shutdown_is_asked_for_by_a_file(struct kunit *test)
{
	static const char request[] = "kmcl_icvsp/icvsp/shutdown/request";
	static const char answer[] = "kmcl_icvsp/icvsp/shutdown/answer";
	static const char version[] = "kmcl_icvsp/icvsp/shutdown/version";
	u8 *msg = kunit_kzalloc(test, 2080, GFP_KERNEL);
	struct client *c;
	int len;

	KUNIT_ASSERT_NOT_NULL(test, msg);
	KUNIT_ASSERT_EQ(test, module_load("kmcl_icvsp"), 0);
	KUNIT_EXPECT_EQ(test, module_write(test, request, "poweroff"), (ssize_t)-ENOTCONN);
	KUNIT_EXPECT_EQ(test, module_write(test, request, "explode"), (ssize_t)-EINVAL);
	KUNIT_EXPECT_EQ(test, module_write(test, "kmcl_icvsp/icvsp/timesync/sync", "1"),
			(ssize_t)-ENOTCONN);
	expect_file(test, "kmcl_icvsp/icvsp/heartbeat/last_ms_ago", "-1");
	expect_file(test, "kmcl_icvsp/icvsp/timesync/version", "0.0");
	expect_file(test, answer, "none");
	c = client_new(test, &shutdown, NULL, VMBUS_CHANNEL_INIT_FLAG_IS_PIPE);
	client_open(c);
	/* the last of each list, where the first stood */
	len = client_await(c, msg, 2080);
	KUNIT_ASSERT_EQ(test, len, 20 + 8 + 6 * 4);
	*(u16 *)&msg[20] = 1;
	*(u16 *)&msg[22] = 1;
	memcpy(&msg[28], &msg[32], 4);
	memcpy(&msg[32], &msg[48], 4);
	msg[17] = 5;
	client_tell(c, msg, len);
	KUNIT_EXPECT_TRUE(test, becomes(!strcmp(module_file(test, version), "3.2")));
	KUNIT_EXPECT_EQ(test, module_write(test, request, "restart\n"), 8L);
	expect_file(test, answer, "asked");
	len = client_await(c, msg, 2080);
	KUNIT_EXPECT_EQ(test, len, 2080);
	msg[17] = 5;
	client_tell(c, msg, len);
	KUNIT_EXPECT_TRUE(test, becomes(!strcmp(module_file(test, answer), "agreed")));
	expect_file(test, "kmcl_icvsp/icvsp/shutdown/sent", "2");
	expect_file(test, "kmcl_icvsp/icvsp/shutdown/answered", "2");
	KUNIT_EXPECT_EQ(test, module_unload("kmcl_icvsp"), 0);
	KUNIT_EXPECT_TRUE(test, becomes(!client_is_open(c)));
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_disk_outlives_the_module_that_serves_it),
	KUNIT_CASE(a_controller_is_saved_to_a_file_and_restored_from_it),
	KUNIT_CASE(a_server_that_is_killed_under_requests_ends_each_once),
	KUNIT_CASE(parameters_that_make_no_sense_are_refused),
	KUNIT_CASE(a_bus_that_does_not_exist_is_refused),
	KUNIT_CASE(keys_are_written_as_a_keyboard_sends_them),
	KUNIT_CASE(a_shutdown_is_asked_for_by_a_file),
	{}
};

static struct kunit_suite suite = {
	.name = "vsp_modules",
	.exit = exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
