// SPDX-License-Identifier: GPL-2.0
/*
 * samples/storvsc against a scripted controller: the handshake, disks, data, and what a
 * host may answer.
 */
#include <linux/delay.h>
#include <linux/kmod.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <scsi/scsi_proto.h>
#include "../helper.h"
#include "../kmsg.h"
#include "frame.h"

/* What the driver asks for at most. */
#define MAX_TRANSFER	SZ_512K

/* ---- handshake ---- */

static void a_disk_appears_with_its_size(struct kunit *test)
{
	stor_bring_up(test);
	KUNIT_EXPECT_EQ(test, bdev_nr_bytes(stor_bdev), (loff_t)DISK_BYTES);
	KUNIT_EXPECT_FALSE(test, bdev_read_only(stor_bdev));
	KUNIT_EXPECT_EQ(test, bdev_logical_block_size(stor_bdev), 512u);
	KUNIT_EXPECT_EQ(test, bdev_physical_block_size(stor_bdev), 4096u);
	KUNIT_EXPECT_STREQ(test, stor_attr(test, "protocol_version"), "6.2");
	KUNIT_EXPECT_EQ(test, stor_number(test, "channels"), 1L);
	KUNIT_EXPECT_EQ(test, stor_number(test, "bad_messages"), 0L);
}

static void every_version_is_agreed_on_down_to_4_2(struct kunit *test)
{
	static const struct {
		u16 version;
		const char *name;
	} versions[] = {
		{ 0x0702, "6.2" }, { 0x0602, "6.2" }, { 0x0600, "6.0" }, { 0x0501, "5.1" },
		{ 0x0402, "4.2" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(versions); i++) {
		host.version = versions[i].version;
		stor_bring_up(test);
		KUNIT_EXPECT_STREQ(test, stor_attr(test, "protocol_version"), versions[i].name);
		stor_close();
		hvsim_rescind(host.chan[0]);
		KUNIT_ASSERT_TRUE(test, hvsim_wait_released(host.chan[0]));
		KUNIT_ASSERT_TRUE(test, becomes(!stor_there_is(DISK)));
	}
}

static void expect_no_disk(struct kunit *test, const char *why)
{
	struct kmsg k;

	kmsg_mark(&k);
	KUNIT_ASSERT_EQ(test, storhost_offer(&host), 0);
	KUNIT_EXPECT_TRUE(test, becomes(kmsg_count(&k, "no handshake with the host, no disks")));
	kmsg_expect(test, &k, 1, why);
	hvsim_settle();
	KUNIT_EXPECT_FALSE(test, stor_there_is(DISK));
}

static void a_host_without_a_common_version_brings_no_disk(struct kunit *test)
{
	host.version = 0x0200;
	expect_no_disk(test, "the host accepts no protocol version down to 4.2");
}

static void a_host_that_refuses_a_step_brings_no_disk(struct kunit *test)
{
	static const enum storhost_op steps[] = {
		STORHOST_BEGIN, STORHOST_PROPERTIES, STORHOST_END,
	};
	char why[64];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		host.refuse = steps[i];
		snprintf(why, sizeof(why), "the host refuses operation %u", steps[i]);
		expect_no_disk(test, why);
		hvsim_rescind(host.chan[0]);
		KUNIT_ASSERT_TRUE(test, hvsim_wait_released(host.chan[0]));
	}
}

static void a_host_that_falls_silent_can_still_be_removed(struct kunit *test)
{
	host.silent = STORHOST_PROPERTIES;
	KUNIT_ASSERT_EQ(test, storhost_offer(&host), 0);
	KUNIT_ASSERT_TRUE(test, hvsim_wait_open(host.chan[0], true));
	KUNIT_ASSERT_TRUE(test, becomes(host.step == 2));
	hvsim_rescind(host.chan[0]);
	KUNIT_EXPECT_TRUE(test, hvsim_wait_released(host.chan[0]));
}

static void a_fibre_channel_adapter_tells_its_addresses(struct kunit *test)
{
	host.type = STORHOST_GUID(HV_SYNTHFC_GUID);
	stor_bring_up(test);
	KUNIT_EXPECT_EQ(test, stor_read_one(test), 0);
}

static void an_ide_disk_is_where_its_offer_says(struct kunit *test)
{
	host.type = STORHOST_GUID(HV_IDE_GUID);
	/* path 0, target 0; a number that is not 0 is for the path alone */
	host.instance = GUID_INIT(0x00000000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7);
	stor_bring_up(test);
	KUNIT_EXPECT_EQ(test, stor_read_one(test), 0);
}

/* ---- data ---- */

static void what_is_written_is_read_back(struct kunit *test)
{
	u8 *out = stor_buffer(test, SZ_1M + 8192), *in = stor_buffer(test, SZ_1M + 8192);
	static const struct {
		u32 offset, len;
	} pieces[] = {
		{ 0, 512 }, { 512, 512 }, { 3584, 512 }, { 0, 4096 }, { 512, 4096 },
		{ 3584, 1024 }, { 2048, SZ_64K }, { 0, SZ_512K }, { 512, SZ_512K },
		{ 3584, SZ_1M - 8192 }, { 0, SZ_1M - 512 },
	};
	sector_t sector = 7;
	unsigned int i;

	stor_bring_up(test);
	for (i = 0; i < ARRAY_SIZE(pieces); i++) {
		u32 off = pieces[i].offset, len = pieces[i].len;

		KUNIT_EXPECT_EQ(test, stor_io(test, REQ_OP_WRITE, sector, out + off, len), 0);
		KUNIT_EXPECT_EQ(test, memcmp(host.disk[0].data + sector * 512, out + off, len), 0);
		memset(in, 0xaa, SZ_1M + 8192);
		KUNIT_EXPECT_EQ(test, stor_io(test, REQ_OP_READ, sector, in + 4096 - off, len), 0);
		KUNIT_EXPECT_EQ(test, memcmp(in + 4096 - off, out + off, len), 0);
		/* not a byte beside it */
		KUNIT_EXPECT_TRUE(test, !memchr_inv(in, 0xaa, 4096 - off));
		KUNIT_EXPECT_TRUE(test, !memchr_inv(in + 4096 - off + len, 0xaa, 4096));
		sector += 3;
	}
	KUNIT_EXPECT_LE(test, host.largest, MAX_TRANSFER);
	KUNIT_EXPECT_GT(test, host.offsets, 0ul);
}

static void no_request_is_larger_than_the_host_takes(struct kunit *test)
{
	void *buf = stor_buffer(test, SZ_1M);

	host.max_transfer = 20000;
	stor_bring_up(test);
	KUNIT_EXPECT_EQ(test, stor_io(test, REQ_OP_WRITE, 0, buf, SZ_1M), 0);
	KUNIT_EXPECT_EQ(test, host.largest, 16384u);
	KUNIT_EXPECT_EQ(test, memcmp(host.disk[0].data, buf, SZ_1M), 0);
}

static void large_blocks_are_counted_right(struct kunit *test)
{
	void *buf = stor_buffer(test, SZ_64K);

	storhost_disk_free(&host.disk[0]);
	KUNIT_ASSERT_EQ(test, storhost_disk_init(&host.disk[0], DISK_BYTES, 4096), 0);
	stor_bring_up(test);
	KUNIT_EXPECT_EQ(test, bdev_logical_block_size(stor_bdev), 4096u);
	KUNIT_EXPECT_EQ(test, stor_io(test, REQ_OP_WRITE, 80, buf, SZ_64K), 0);
	KUNIT_EXPECT_EQ(test, memcmp(host.disk[0].data + 80 * 512, buf, SZ_64K), 0);
}

static void a_disk_beyond_two_tebibytes_takes_long_commands(struct kunit *test)
{
	storhost_disk_free(&host.disk[0]);
	host.disk[0].present = true;
	host.disk[0].block_size = 512;
	host.disk[0].blocks = 1ULL << 33;
	stor_bring_up(test);
	KUNIT_EXPECT_EQ(test, bdev_nr_sectors(stor_bdev), 1ULL << 33);
	KUNIT_EXPECT_EQ(test, host.commands[READ_16], 0ul);
	KUNIT_EXPECT_EQ(test, stor_io(test, REQ_OP_READ, (1ULL << 33) - 8,
				      stor_buffer(test, 4096), 4096),
			0);
	KUNIT_EXPECT_EQ(test, host.commands[READ_16], 1ul);
}

static void a_host_without_the_long_capacity_is_asked_for_the_short_one(struct kunit *test)
{
	host.no_capacity_16 = true;
	stor_bring_up(test);
	KUNIT_EXPECT_EQ(test, bdev_nr_bytes(stor_bdev), (loff_t)DISK_BYTES);
	KUNIT_EXPECT_EQ(test, stor_read_one(test), 0);
}

static void a_flush_reaches_the_host(struct kunit *test)
{
	stor_bring_up(test);
	KUNIT_EXPECT_EQ(test, blkdev_issue_flush(stor_bdev), 0);
	KUNIT_EXPECT_EQ(test, host.commands[SYNCHRONIZE_CACHE], 1ul);
}

static void a_host_without_a_cache_is_not_asked_again(struct kunit *test)
{
	host.no_flush = true;
	stor_bring_up(test);
	KUNIT_EXPECT_EQ(test, blkdev_issue_flush(stor_bdev), 0);
	KUNIT_EXPECT_EQ(test, blkdev_issue_flush(stor_bdev), 0);
	KUNIT_EXPECT_EQ(test, host.commands[SYNCHRONIZE_CACHE], 1ul);
}

static void a_discard_is_an_unmap(struct kunit *test)
{
	host.disk[0].unmap = true;
	memset(host.disk[0].data, 0x5a, DISK_BYTES);
	stor_bring_up(test);
	KUNIT_EXPECT_EQ(test, blkdev_issue_discard(stor_bdev, 64, 128, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, host.commands[UNMAP], 1ul);
	KUNIT_EXPECT_TRUE(test, !memchr_inv(host.disk[0].data, 0x5a, 64 * 512));
	KUNIT_EXPECT_TRUE(test, !memchr_inv(host.disk[0].data + 64 * 512, 0, 128 * 512));
	KUNIT_EXPECT_TRUE(test, !memchr_inv(host.disk[0].data + 192 * 512, 0x5a, 512));
}

static void a_disk_that_cannot_unmap_takes_no_discard(struct kunit *test)
{
	stor_bring_up(test);
	KUNIT_EXPECT_EQ(test, bdev_max_discard_sectors(stor_bdev), 0u);
	KUNIT_EXPECT_EQ(test, host.commands[UNMAP], 0ul);
}

static void a_write_protected_disk_is_read_only(struct kunit *test)
{
	host.disk[0].read_only = true;
	KUNIT_ASSERT_EQ(test, storhost_offer(&host), 0);
	KUNIT_ASSERT_TRUE(test, becomes(stor_there_is(DISK)));
	stor_file = open_path(DISK, O_RDONLY);
	KUNIT_ASSERT_FALSE(test, IS_ERR(stor_file));
	stor_bdev = I_BDEV(stor_file->f_mapping->host);
	KUNIT_EXPECT_TRUE(test, bdev_read_only(stor_bdev));
	KUNIT_EXPECT_EQ(test, stor_read_one(test), 0);
}

/* ---- results ---- */

struct outcome {
	const char *what;
	u8 scsi, srb, key, asc, ascq;
	unsigned int times;
	int error;
};

static const struct outcome outcomes[] = {
	{ "a recovered error is none", 2, 0x84, RECOVERED_ERROR, 0x17, 0, 1, 0 },
	{ "a unit attention is tried again", 2, 0x84, UNIT_ATTENTION, 0x29, 0, 2, 0 },
	{ "an aborted command is tried again", 2, 0x84, ABORTED_COMMAND, 0, 0, 1, 0 },
	{ "but not for ever", 2, 0x84, ABORTED_COMMAND, 0, 0, 1000, -EIO },
	{ "a busy host is asked later", 8, 0x04, 0, 0, 0, 3, 0 },
	{ "a full queue is waited for", 0x28, 0x04, 0, 0, 0, 3, 0 },
	{ "a disk that becomes ready is waited for", 2, 0x84, NOT_READY, 4, 1, 3, 0 },
	{ "one that is not ready fails", 2, 0x84, NOT_READY, 0x3a, 0, 1, -EIO },
	{ "a bad medium", 2, 0x84, MEDIUM_ERROR, 0x11, 0, 1, -ENODATA },
	{ "failing hardware", 2, 0x84, HARDWARE_ERROR, 0x44, 0, 1, -EIO },
	{ "a command that the host refuses", 2, 0x84, ILLEGAL_REQUEST, 0x24, 0, 1, -EREMOTEIO },
	{ "no space left", 2, 0x84, DATA_PROTECT, 0x27, 7, 1, -ENOSPC },
	{ "a reservation", 0x18, 0x04, 0, 0, 0, 1, -EBADE },
	{ "an error of the host's without a word", 0, 0x04, 0, 0, 0, 1, -EIO },
	{ "an error without sense data", 2, 0x04, 0, 0, 0, 1, -EIO },
};

static void a_result_becomes_the_right_error(struct kunit *test)
{
	void *buf = stor_buffer(test, 4096);
	unsigned int i;

	stor_bring_up(test);
	for (i = 0; i < ARRAY_SIZE(outcomes); i++) {
		const struct outcome *o = &outcomes[i];
		struct storhost_fault f = {
			.opcode = READ_10,
			.times = o->times,
			.scsi = o->scsi,
			.srb = o->srb,
			.done = o->key == RECOVERED_ERROR,
			.sense = { 0x70, 0, o->key, [7] = 10, [12] = o->asc, [13] = o->ascq },
		};

		host.fault = f;
		KUNIT_EXPECT_EQ_MSG(test, stor_io(test, REQ_OP_READ, 0, buf, 4096), o->error, "%s",
				    o->what);
		host.fault.times = 0;
	}
}

/* ---- scan ---- */

static void a_disk_that_comes_is_found(struct kunit *test)
{
	stor_bring_up(test);
	KUNIT_ASSERT_EQ(test, storhost_disk_init(&host.disk[3], SZ_1M, 512), 0);
	KUNIT_ASSERT_EQ(test, storhost_tell(&host, STORHOST_ENUMERATE), 0);
	KUNIT_EXPECT_TRUE(test, becomes(stor_there_is("/dev/kmsd1")));
	KUNIT_EXPECT_EQ(test, stor_read_one(test), 0);
}

static void a_disk_that_goes_is_removed(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, storhost_disk_init(&host.disk[1], SZ_1M, 512), 0);
	stor_bring_up(test);
	KUNIT_ASSERT_TRUE(test, becomes(stor_there_is("/dev/kmsd1")));
	host.disk[1].present = false;
	KUNIT_ASSERT_EQ(test, storhost_tell(&host, STORHOST_REMOVE_DEVICE), 0);
	KUNIT_EXPECT_TRUE(test, becomes(!stor_there_is("/dev/kmsd1")));
	/* the other one does not notice */
	KUNIT_EXPECT_EQ(test, stor_read_one(test), 0);
}

static void a_disk_that_goes_under_io_fails_it_once(struct kunit *test)
{
	stor_bring_up(test);
	host.disk[0].present = false;
	KUNIT_EXPECT_LT(test, stor_read_one(test), 0);
	/* nobody told the guest: the failed request did */
	stor_close();
	KUNIT_EXPECT_TRUE(test, becomes(!stor_there_is(DISK)));
}

static void a_disk_that_grows_is_seen_to(struct kunit *test)
{
	stor_bring_up(test);
	vfree(host.disk[0].data);
	host.disk[0].data = vzalloc(2 * DISK_BYTES);
	KUNIT_ASSERT_NOT_NULL(test, host.disk[0].data);
	host.disk[0].blocks *= 2;
	/* CAPACITY DATA HAS CHANGED, said with the next command */
	host.fault = (struct storhost_fault) {
		.opcode = READ_10, .times = 1, .scsi = 2, .srb = 0x84,
		.sense = { 0x70, 0, UNIT_ATTENTION, [7] = 10, [12] = 0x2a, [13] = 0x09 },
	};
	KUNIT_EXPECT_EQ(test, stor_read_one(test), 0);
	KUNIT_EXPECT_TRUE(test, becomes(bdev_nr_bytes(stor_bdev) == 2 * DISK_BYTES));
}

static void a_host_that_lists_no_luns_is_asked_one_by_one(struct kunit *test)
{
	host.no_report_luns = true;
	KUNIT_ASSERT_EQ(test, storhost_disk_init(&host.disk[5], SZ_1M, 512), 0);
	stor_bring_up(test);
	KUNIT_EXPECT_TRUE(test, becomes(stor_there_is("/dev/kmsd1")));
}

static void what_is_no_disk_is_left_alone(struct kunit *test)
{
	/* an optical drive */
	host.disk[1] = (struct storhost_disk){ .present = true, .type = 5, .blocks = 8,
					       .block_size = 2048 };
	stor_bring_up(test);
	hvsim_settle();
	KUNIT_EXPECT_FALSE(test, stor_there_is("/dev/kmsd1"));
}

static void a_size_that_cannot_be_is_refused(struct kunit *test)
{
	static const struct storhost_disk bad[] = {
		{ .blocks = 0, .block_size = 512 },
		{ .blocks = 8, .block_size = 0 },
		{ .blocks = 8, .block_size = 513 },
		{ .blocks = 8, .block_size = 8192 },
		{ .blocks = 1ULL << 62, .block_size = 4096 },
	};
	unsigned int i;
	struct kmsg k;

	kmsg_mark(&k);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		host.disk[1 + i] = bad[i];
		host.disk[1 + i].present = true;
	}
	stor_bring_up(test);
	hvsim_settle();
	KUNIT_EXPECT_TRUE(test, becomes(kmsg_count(&k, "cannot be") == ARRAY_SIZE(bad)));
	KUNIT_EXPECT_FALSE(test, stor_there_is("/dev/kmsd1"));
}

/* ---- a host that lies ---- */

static u32 forge_length(struct storhost *h, struct storhost_msg *m)
{
	h->forge = NULL;
	return 16;
}

static u32 forge_operation(struct storhost *h, struct storhost_msg *m)
{
	h->forge = NULL;
	m->op = cpu_to_le32(99);
	return STORHOST_MSG;
}

static u32 forge_transfer(struct storhost *h, struct storhost_msg *m)
{
	h->forge = NULL;
	m->srb.transfer = cpu_to_le32(U32_MAX);
	return STORHOST_MSG;
}

static u32 forge_short(struct storhost *h, struct storhost_msg *m)
{
	h->forge = NULL;
	m->srb.transfer = cpu_to_le32(512);
	return STORHOST_MSG;
}

static u32 forge_sense(struct storhost *h, struct storhost_msg *m)
{
	h->forge = NULL;
	m->srb.scsi_status = 2;
	m->srb.srb_status = 0x84;
	m->srb.sense_len = 255;
	memset(m->srb.cdb, 0xff, sizeof(m->srb.cdb));
	return STORHOST_MSG;
}

static u32 forge_long(struct storhost *h, struct storhost_msg *m)
{
	h->forge = NULL;
	return sizeof(*m);
}

static void a_lying_answer_is_an_error_and_no_more(struct kunit *test)
{
	static const struct {
		u32 (*forge)(struct storhost *h, struct storhost_msg *m);
		int error;
		long bad;
	} lies[] = {
		{ forge_length, -EIO, 1 },
		{ forge_operation, -EIO, 2 },
		{ forge_transfer, 0, 2 },
		{ forge_short, -EIO, 2 },
		{ forge_sense, -EIO, 2 },
		{ forge_long, 0, 2 },
	};
	unsigned int i;

	stor_bring_up(test);
	for (i = 0; i < ARRAY_SIZE(lies); i++) {
		host.forge = lies[i].forge;
		KUNIT_EXPECT_EQ_MSG(test, stor_read_one(test), lies[i].error, "lie %u", i);
		KUNIT_EXPECT_EQ(test, stor_number(test, "bad_messages"), lies[i].bad);
	}
	KUNIT_EXPECT_EQ(test, stor_read_one(test), 0);
}

static void what_nobody_asked_for_is_counted(struct kunit *test)
{
	static const u32 ops[] = { 0, STORHOST_COMPLETE_IO, STORHOST_EXECUTE_SRB, 14, U32_MAX };
	unsigned int i;
	u8 byte = 1;

	stor_bring_up(test);
	for (i = 0; i < ARRAY_SIZE(ops); i++)
		KUNIT_EXPECT_EQ(test, storhost_tell(&host, ops[i]), 0);
	/* too short for an address, too short for anything */
	KUNIT_EXPECT_EQ(test, hvsim_send(host.chan[0], VM_PKT_DATA_INBAND, 0, 0,
					 &(u32){ STORHOST_FCHBA }, 4), 0);
	KUNIT_EXPECT_EQ(test, hvsim_send(host.chan[0], VM_PKT_DATA_INBAND, 0, 0, &byte, 0), 0);
	KUNIT_EXPECT_TRUE(test, becomes(stor_number(test, "bad_messages") ==
					ARRAY_SIZE(ops) + 2));
	KUNIT_EXPECT_EQ(test, stor_read_one(test), 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_disk_appears_with_its_size),
	KUNIT_CASE(every_version_is_agreed_on_down_to_4_2),
	KUNIT_CASE(a_host_without_a_common_version_brings_no_disk),
	KUNIT_CASE(a_host_that_refuses_a_step_brings_no_disk),
	KUNIT_CASE(a_host_that_falls_silent_can_still_be_removed),
	KUNIT_CASE(a_fibre_channel_adapter_tells_its_addresses),
	KUNIT_CASE(an_ide_disk_is_where_its_offer_says),
	KUNIT_CASE(what_is_written_is_read_back),
	KUNIT_CASE(no_request_is_larger_than_the_host_takes),
	KUNIT_CASE(large_blocks_are_counted_right),
	KUNIT_CASE(a_disk_beyond_two_tebibytes_takes_long_commands),
	KUNIT_CASE(a_host_without_the_long_capacity_is_asked_for_the_short_one),
	KUNIT_CASE(a_flush_reaches_the_host),
	KUNIT_CASE(a_host_without_a_cache_is_not_asked_again),
	KUNIT_CASE(a_discard_is_an_unmap),
	KUNIT_CASE(a_disk_that_cannot_unmap_takes_no_discard),
	KUNIT_CASE(a_write_protected_disk_is_read_only),
	KUNIT_CASE(a_result_becomes_the_right_error),
	KUNIT_CASE(a_disk_that_comes_is_found),
	KUNIT_CASE(a_disk_that_goes_is_removed),
	KUNIT_CASE(a_disk_that_goes_under_io_fails_it_once),
	KUNIT_CASE(a_disk_that_grows_is_seen_to),
	KUNIT_CASE(a_host_that_lists_no_luns_is_asked_one_by_one),
	KUNIT_CASE(what_is_no_disk_is_left_alone),
	KUNIT_CASE(a_size_that_cannot_be_is_refused),
	KUNIT_CASE(a_lying_answer_is_an_error_and_no_more),
	KUNIT_CASE(what_nobody_asked_for_is_counted),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_storvsc",
	.suite_init = stor_suite_init,
	.init = stor_init,
	.exit = stor_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_DESCRIPTION("KUnit suites of the storage VSC");
MODULE_LICENSE("GPL");
