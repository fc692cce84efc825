// SPDX-License-Identifier: GPL-2.0
/*
 * samples/storvsc against a scripted controller: the module as it is loaded, its
 * disks as whoever mounts them sees them.
 */
#include <kunit/test.h>
#include <linux/blkdev.h>
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kmod.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <linux/vmalloc.h>
#include <scsi/scsi_proto.h>
#include "../helper.h"
#include "../kmsg.h"
#include "host.h"

#define DISK		"/dev/kmsd0"
#define DISK_BYTES	SZ_4M
/* What the driver asks for at most. */
#define MAX_TRANSFER	SZ_512K

static struct storhost host;
static struct file *disk_file;
static struct block_device *bdev;
static void *buffers[32];
static unsigned int nr_buffers;

/* The rig's modprobe takes parameters. Rings as small as they get. */
static int storvsc_suite_init(struct kunit_suite *suite)
{
	return request_module("kmcl_storvsc:sub_channels=8:ring_pages=4:timeout=2");
}

/* ---- the disk ---- */

static struct file *open_disk(const char *path)
{
	return open_path(path, O_RDWR);
}

static void close_file(struct file *f)
{
	filp_close(f, NULL);
	/* a kernel thread's files are closed later */
	flush_delayed_fput();
}

static bool there_is(const char *path)
{
	struct file *f = open_path(path, O_RDONLY);

	if (IS_ERR(f))
		return false;
	close_file(f);
	return true;
}

static void close_disk(void)
{
	if (disk_file)
		close_file(disk_file);
	disk_file = NULL;
	bdev = NULL;
}

static void use_disk(struct kunit *test)
{
	KUNIT_ASSERT_TRUE(test, becomes(there_is(DISK)));
	disk_file = open_disk(DISK);
	if (IS_ERR(disk_file)) {
		disk_file = NULL;
		KUNIT_FAIL_AND_ABORT(test, "cannot open the disk\n");
	}
	bdev = I_BDEV(disk_file->f_mapping->host);
}

/* Offer the controller and open its first disk. */
static void bring_up(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, storhost_offer(&host), 0);
	use_disk(test);
}

/* A file below the disk's own directory in sysfs, as a string. */
static const char *disk_attr(struct kunit *test, const char *name)
{
	static char buf[128];
	loff_t pos = 0;
	struct file *f;
	ssize_t n;

	snprintf(buf, sizeof(buf), "/sys/block/kmsd0/storvsc/%s", name);
	f = open_path(buf, O_RDONLY);
	KUNIT_ASSERT_FALSE(test, IS_ERR(f));
	n = kernel_read(f, buf, sizeof(buf) - 1, &pos);
	close_file(f);
	KUNIT_ASSERT_GT(test, n, 0L);
	buf[n - 1] = 0;
	return buf;
}

static long disk_number(struct kunit *test, const char *name)
{
	long n = -1;

	KUNIT_EXPECT_EQ(test, kstrtol(disk_attr(test, name), 10, &n), 0);
	return n;
}

static ssize_t disk_set(const char *name)
{
	char path[64];
	loff_t pos = 0;
	struct file *f;
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/block/kmsd0/storvsc/%s", name);
	f = open_path(path, O_WRONLY);
	if (IS_ERR(f))
		return PTR_ERR(f);
	n = kernel_write(f, "1", 1, &pos);
	close_file(f);
	return n;
}

/* ---- I/O ---- */

/* Requests under way: each must end once. */
struct io {
	struct bio *bio;
	struct completion done;
	atomic_t ends;
	blk_status_t status;
};

static void io_end(struct bio *bio)
{
	struct io *io = bio->bi_private;

	io->status = bio->bi_status;
	atomic_inc(&io->ends);
	complete(&io->done);
}

/* @buf from vmalloc() or kmalloc(), at any offset that the block layer takes. */
static void io_start(struct kunit *test, struct io *io, enum req_op op, sector_t sector,
		     void *buf, u32 len)
{
	u32 pages = len ? DIV_ROUND_UP(offset_in_page(buf) + len, PAGE_SIZE) : 0;

	init_completion(&io->done);
	atomic_set(&io->ends, 0);
	io->bio = bio_alloc(bdev, pages, op, GFP_KERNEL);
	io->bio->bi_iter.bi_sector = sector;
	io->bio->bi_private = io;
	io->bio->bi_end_io = io_end;
	while (len && op != REQ_OP_DISCARD) {
		u32 step = min_t(u32, len, PAGE_SIZE - offset_in_page(buf));
		struct page *page = is_vmalloc_addr(buf) ? vmalloc_to_page(buf) : virt_to_page(buf);

		KUNIT_ASSERT_EQ(test, bio_add_page(io->bio, page, step, offset_in_page(buf)), step);
		buf += step;
		len -= step;
	}
	if (op == REQ_OP_DISCARD)
		io->bio->bi_iter.bi_size = len;
	submit_bio(io->bio);
}

static int io_finish(struct kunit *test, struct io *io)
{
	bool ended = wait_for_completion_timeout(&io->done, 100 * HZ);

	KUNIT_EXPECT_TRUE_MSG(test, ended, "a request never ended");
	/* when it has not, its memory may still be written: leave it there */
	if (!ended)
		return -ETIME;
	KUNIT_EXPECT_EQ(test, atomic_read(&io->ends), 1);
	bio_put(io->bio);
	return blk_status_to_errno(io->status);
}

static int do_io(struct kunit *test, enum req_op op, sector_t sector, void *buf, u32 len)
{
	struct io io;

	io_start(test, &io, op, sector, buf, len);
	return io_finish(test, &io);
}

/* Memory until the end of the case, which waits for the requests in it. */
static void *buffer(struct kunit *test, u32 len)
{
	void *buf = vmalloc(len);

	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_ASSERT_LT(test, (size_t)nr_buffers, ARRAY_SIZE(buffers));
	buffers[nr_buffers++] = buf;
	get_random_bytes(buf, len);
	return buf;
}

static int read_one(struct kunit *test)
{
	return do_io(test, REQ_OP_READ, 0, buffer(test, 4096), 4096);
}

/* ---- the frame ---- */

static int storvsc_init(struct kunit *test)
{
	int ret = hvsim_begin(test);

	if (ret)
		return ret;
	storhost_init(&host);
	return storhost_disk_init(&host.disk[0], DISK_BYTES, 512);
}

static void storvsc_exit(struct kunit *test)
{
	unsigned int i;

	close_disk();
	WRITE_ONCE(host.hold, false);
	storhost_release(&host, UINT_MAX);
	hvsim_end(test);
	storhost_forget_held(&host);
	/* the next case's disk has the same name */
	KUNIT_EXPECT_TRUE(test, becomes(!there_is(DISK)));
	KUNIT_EXPECT_EQ(test, host.faults, 0u);
	while (nr_buffers)
		vfree(buffers[--nr_buffers]);
	for (i = 0; i < STORHOST_LUNS; i++)
		storhost_disk_free(&host.disk[i]);
}

/* ---- handshake ---- */

static void a_disk_appears_with_its_size(struct kunit *test)
{
	bring_up(test);
	KUNIT_EXPECT_EQ(test, bdev_nr_bytes(bdev), (loff_t)DISK_BYTES);
	KUNIT_EXPECT_FALSE(test, bdev_read_only(bdev));
	KUNIT_EXPECT_EQ(test, bdev_logical_block_size(bdev), 512u);
	KUNIT_EXPECT_EQ(test, bdev_physical_block_size(bdev), 4096u);
	KUNIT_EXPECT_STREQ(test, disk_attr(test, "protocol_version"), "6.2");
	KUNIT_EXPECT_EQ(test, disk_number(test, "channels"), 1L);
	KUNIT_EXPECT_EQ(test, disk_number(test, "bad_messages"), 0L);
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
		bring_up(test);
		KUNIT_EXPECT_STREQ(test, disk_attr(test, "protocol_version"), versions[i].name);
		close_disk();
		hvsim_rescind(host.chan[0]);
		KUNIT_ASSERT_TRUE(test, hvsim_wait_released(host.chan[0]));
		KUNIT_ASSERT_TRUE(test, becomes(!there_is(DISK)));
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
	KUNIT_EXPECT_FALSE(test, there_is(DISK));
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
	bring_up(test);
	KUNIT_EXPECT_EQ(test, read_one(test), 0);
}

static void an_ide_disk_is_where_its_offer_says(struct kunit *test)
{
	host.type = STORHOST_GUID(HV_IDE_GUID);
	/* path 0, target 0; a number that is not 0 is for the path alone */
	host.instance = GUID_INIT(0x00000000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7);
	bring_up(test);
	KUNIT_EXPECT_EQ(test, read_one(test), 0);
}

/* ---- data ---- */

static void what_is_written_is_read_back(struct kunit *test)
{
	u8 *out = buffer(test, SZ_1M + 8192), *in = buffer(test, SZ_1M + 8192);
	static const struct {
		u32 offset, len;
	} pieces[] = {
		{ 0, 512 }, { 512, 512 }, { 3584, 512 }, { 0, 4096 }, { 512, 4096 },
		{ 3584, 1024 }, { 2048, SZ_64K }, { 0, SZ_512K }, { 512, SZ_512K },
		{ 3584, SZ_1M - 8192 }, { 0, SZ_1M - 512 },
	};
	sector_t sector = 7;
	unsigned int i;

	bring_up(test);
	for (i = 0; i < ARRAY_SIZE(pieces); i++) {
		u32 off = pieces[i].offset, len = pieces[i].len;

		KUNIT_EXPECT_EQ(test, do_io(test, REQ_OP_WRITE, sector, out + off, len), 0);
		KUNIT_EXPECT_EQ(test, memcmp(host.disk[0].data + sector * 512, out + off, len), 0);
		memset(in, 0xaa, SZ_1M + 8192);
		KUNIT_EXPECT_EQ(test, do_io(test, REQ_OP_READ, sector, in + 4096 - off, len), 0);
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
	void *buf = buffer(test, SZ_1M);

	host.max_transfer = 20000;
	bring_up(test);
	KUNIT_EXPECT_EQ(test, do_io(test, REQ_OP_WRITE, 0, buf, SZ_1M), 0);
	KUNIT_EXPECT_EQ(test, host.largest, 16384u);
	KUNIT_EXPECT_EQ(test, memcmp(host.disk[0].data, buf, SZ_1M), 0);
}

static void large_blocks_are_counted_right(struct kunit *test)
{
	void *buf = buffer(test, SZ_64K);

	storhost_disk_free(&host.disk[0]);
	KUNIT_ASSERT_EQ(test, storhost_disk_init(&host.disk[0], DISK_BYTES, 4096), 0);
	bring_up(test);
	KUNIT_EXPECT_EQ(test, bdev_logical_block_size(bdev), 4096u);
	KUNIT_EXPECT_EQ(test, do_io(test, REQ_OP_WRITE, 80, buf, SZ_64K), 0);
	KUNIT_EXPECT_EQ(test, memcmp(host.disk[0].data + 80 * 512, buf, SZ_64K), 0);
}

static void a_disk_beyond_two_tebibytes_takes_long_commands(struct kunit *test)
{
	storhost_disk_free(&host.disk[0]);
	host.disk[0].present = true;
	host.disk[0].block_size = 512;
	host.disk[0].blocks = 1ULL << 33;
	bring_up(test);
	KUNIT_EXPECT_EQ(test, bdev_nr_sectors(bdev), 1ULL << 33);
	KUNIT_EXPECT_EQ(test, host.commands[READ_16], 0ul);
	KUNIT_EXPECT_EQ(test, do_io(test, REQ_OP_READ, (1ULL << 33) - 8, buffer(test, 4096), 4096),
			0);
	KUNIT_EXPECT_EQ(test, host.commands[READ_16], 1ul);
}

static void a_host_without_the_long_capacity_is_asked_for_the_short_one(struct kunit *test)
{
	host.no_capacity_16 = true;
	bring_up(test);
	KUNIT_EXPECT_EQ(test, bdev_nr_bytes(bdev), (loff_t)DISK_BYTES);
	KUNIT_EXPECT_EQ(test, read_one(test), 0);
}

static void a_flush_reaches_the_host(struct kunit *test)
{
	bring_up(test);
	KUNIT_EXPECT_EQ(test, blkdev_issue_flush(bdev), 0);
	KUNIT_EXPECT_EQ(test, host.commands[SYNCHRONIZE_CACHE], 1ul);
}

static void a_host_without_a_cache_is_not_asked_again(struct kunit *test)
{
	host.no_flush = true;
	bring_up(test);
	KUNIT_EXPECT_EQ(test, blkdev_issue_flush(bdev), 0);
	KUNIT_EXPECT_EQ(test, blkdev_issue_flush(bdev), 0);
	KUNIT_EXPECT_EQ(test, host.commands[SYNCHRONIZE_CACHE], 1ul);
}

static void a_discard_is_an_unmap(struct kunit *test)
{
	host.disk[0].unmap = true;
	memset(host.disk[0].data, 0x5a, DISK_BYTES);
	bring_up(test);
	KUNIT_EXPECT_EQ(test, blkdev_issue_discard(bdev, 64, 128, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, host.commands[UNMAP], 1ul);
	KUNIT_EXPECT_TRUE(test, !memchr_inv(host.disk[0].data, 0x5a, 64 * 512));
	KUNIT_EXPECT_TRUE(test, !memchr_inv(host.disk[0].data + 64 * 512, 0, 128 * 512));
	KUNIT_EXPECT_TRUE(test, !memchr_inv(host.disk[0].data + 192 * 512, 0x5a, 512));
}

static void a_disk_that_cannot_unmap_takes_no_discard(struct kunit *test)
{
	bring_up(test);
	KUNIT_EXPECT_EQ(test, bdev_max_discard_sectors(bdev), 0u);
	KUNIT_EXPECT_EQ(test, host.commands[UNMAP], 0ul);
}

static void a_write_protected_disk_is_read_only(struct kunit *test)
{
	host.disk[0].read_only = true;
	KUNIT_ASSERT_EQ(test, storhost_offer(&host), 0);
	KUNIT_ASSERT_TRUE(test, becomes(there_is(DISK)));
	disk_file = open_path(DISK, O_RDONLY);
	KUNIT_ASSERT_FALSE(test, IS_ERR(disk_file));
	bdev = I_BDEV(disk_file->f_mapping->host);
	KUNIT_EXPECT_TRUE(test, bdev_read_only(bdev));
	KUNIT_EXPECT_EQ(test, read_one(test), 0);
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
	void *buf = buffer(test, 4096);
	unsigned int i;

	bring_up(test);
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
		KUNIT_EXPECT_EQ_MSG(test, do_io(test, REQ_OP_READ, 0, buf, 4096), o->error, "%s",
				    o->what);
		host.fault.times = 0;
	}
}

/* ---- scan ---- */

static void a_disk_that_comes_is_found(struct kunit *test)
{
	bring_up(test);
	KUNIT_ASSERT_EQ(test, storhost_disk_init(&host.disk[3], SZ_1M, 512), 0);
	KUNIT_ASSERT_EQ(test, storhost_tell(&host, STORHOST_ENUMERATE), 0);
	KUNIT_EXPECT_TRUE(test, becomes(there_is("/dev/kmsd1")));
	KUNIT_EXPECT_EQ(test, read_one(test), 0);
}

static void a_disk_that_goes_is_removed(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, storhost_disk_init(&host.disk[1], SZ_1M, 512), 0);
	bring_up(test);
	KUNIT_ASSERT_TRUE(test, becomes(there_is("/dev/kmsd1")));
	host.disk[1].present = false;
	KUNIT_ASSERT_EQ(test, storhost_tell(&host, STORHOST_REMOVE_DEVICE), 0);
	KUNIT_EXPECT_TRUE(test, becomes(!there_is("/dev/kmsd1")));
	/* the other one does not notice */
	KUNIT_EXPECT_EQ(test, read_one(test), 0);
}

static void a_disk_that_goes_under_io_fails_it_once(struct kunit *test)
{
	bring_up(test);
	host.disk[0].present = false;
	KUNIT_EXPECT_LT(test, read_one(test), 0);
	/* nobody told the guest: the failed request did */
	close_disk();
	KUNIT_EXPECT_TRUE(test, becomes(!there_is(DISK)));
}

static void a_disk_that_grows_is_seen_to(struct kunit *test)
{
	bring_up(test);
	vfree(host.disk[0].data);
	host.disk[0].data = vzalloc(2 * DISK_BYTES);
	KUNIT_ASSERT_NOT_NULL(test, host.disk[0].data);
	host.disk[0].blocks *= 2;
	/* CAPACITY DATA HAS CHANGED, said with the next command */
	host.fault = (struct storhost_fault) {
		.opcode = READ_10, .times = 1, .scsi = 2, .srb = 0x84,
		.sense = { 0x70, 0, UNIT_ATTENTION, [7] = 10, [12] = 0x2a, [13] = 0x09 },
	};
	KUNIT_EXPECT_EQ(test, read_one(test), 0);
	KUNIT_EXPECT_TRUE(test, becomes(bdev_nr_bytes(bdev) == 2 * DISK_BYTES));
}

static void a_host_that_lists_no_luns_is_asked_one_by_one(struct kunit *test)
{
	host.no_report_luns = true;
	KUNIT_ASSERT_EQ(test, storhost_disk_init(&host.disk[5], SZ_1M, 512), 0);
	bring_up(test);
	KUNIT_EXPECT_TRUE(test, becomes(there_is("/dev/kmsd1")));
}

static void what_is_no_disk_is_left_alone(struct kunit *test)
{
	/* an optical drive */
	host.disk[1] = (struct storhost_disk){ .present = true, .type = 5, .blocks = 8,
					       .block_size = 2048 };
	bring_up(test);
	hvsim_settle();
	KUNIT_EXPECT_FALSE(test, there_is("/dev/kmsd1"));
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
	bring_up(test);
	hvsim_settle();
	KUNIT_EXPECT_TRUE(test, becomes(kmsg_count(&k, "cannot be") == ARRAY_SIZE(bad)));
	KUNIT_EXPECT_FALSE(test, there_is("/dev/kmsd1"));
}

/* ---- time ---- */

static void a_request_without_an_answer_waits_and_is_told_of(struct kunit *test)
{
	void *buf = buffer(test, 4096);
	struct kmsg k;
	struct io io;

	memset(host.disk[0].data, 0x5a, 4096);
	bring_up(test);
	WRITE_ONCE(host.hold, true);
	kmsg_mark(&k);
	io_start(test, &io, REQ_OP_READ, 0, buf, 4096);
	ssleep(5);
	KUNIT_EXPECT_EQ(test, atomic_read(&io.ends), 0);
	KUNIT_EXPECT_GE(test, kmsg_count(&k, "not answered for"), 1u);
	/* late is as good */
	KUNIT_EXPECT_EQ(test, storhost_release(&host, 1), 1u);
	KUNIT_EXPECT_EQ(test, io_finish(test, &io), 0);
	KUNIT_EXPECT_TRUE(test, !memchr_inv(buf, 0x5a, 4096));
}

/* ---- going ---- */

#define MANY	40

static void start_many(struct kunit *test, struct io *io, u8 *buf)
{
	unsigned int i;

	for (i = 0; i < MANY; i++)
		io_start(test, &io[i], i % 2 ? REQ_OP_WRITE : REQ_OP_READ, 8 * i, buf + 4096 * i,
			 4096);
}

static void a_rescinded_controller_fails_every_request_once(struct kunit *test)
{
	struct io *io = kunit_kcalloc(test, MANY, sizeof(*io), GFP_KERNEL);
	u8 *buf = buffer(test, MANY * 4096);
	unsigned int i;

	bring_up(test);
	WRITE_ONCE(host.hold, true);
	start_many(test, io, buf);
	KUNIT_ASSERT_TRUE(test, becomes(READ_ONCE(host.held) > 0));
	hvsim_rescind(host.chan[0]);
	for (i = 0; i < MANY; i++)
		KUNIT_EXPECT_LT(test, io_finish(test, &io[i]), 0);
	KUNIT_EXPECT_LT(test, read_one(test), 0);
	close_disk();
	KUNIT_EXPECT_TRUE(test, hvsim_wait_released(host.chan[0]));
	storhost_forget_held(&host);
}

static int unload(void)
{
	char *argv[4], *envp[1] = { };

	argv[0] = "/sbin/modprobe";
	argv[1] = "-r";
	argv[2] = "kmcl_storvsc";
	argv[3] = NULL;
	return call_usermodehelper(argv[0], argv, envp, UMH_WAIT_PROC);
}

static void unloading_does_not_wait_for_a_silent_host(struct kunit *test)
{
	struct kmsg k;

	bring_up(test);
	close_disk();
	/* a scan, whose first command the host keeps */
	WRITE_ONCE(host.hold, true);
	KUNIT_ASSERT_EQ(test, storhost_tell(&host, STORHOST_ENUMERATE), 0);
	KUNIT_ASSERT_TRUE(test, becomes(READ_ONCE(host.held) > 0));
	kmsg_mark(&k);
	KUNIT_EXPECT_EQ(test, unload(), 0);
	kmsg_expect(test, &k, 1, "closing the channel");
	KUNIT_EXPECT_FALSE(test, there_is(DISK));
	KUNIT_EXPECT_FALSE(test, host.chan[0]->open);
	storhost_forget_held(&host);
	KUNIT_EXPECT_EQ(test, storvsc_suite_init(NULL), 0);
}

static void a_reconnect_loses_no_request(struct kunit *test)
{
	struct io *io = kunit_kcalloc(test, MANY, sizeof(*io), GFP_KERNEL);
	u8 *buf = buffer(test, MANY * 4096);
	unsigned int i;

	bring_up(test);
	WRITE_ONCE(host.hold, true);
	start_many(test, io, buf);
	KUNIT_ASSERT_TRUE(test, becomes(READ_ONCE(host.held) > 0));
	/* from here on the host answers, but not what came before the close */
	WRITE_ONCE(host.hold, false);
	KUNIT_EXPECT_EQ(test, disk_set("reconnect"), 1L);
	storhost_forget_held(&host);
	for (i = 0; i < MANY; i++)
		KUNIT_EXPECT_EQ(test, io_finish(test, &io[i]), 0);
	for (i = 1; i < MANY; i += 2)
		KUNIT_EXPECT_EQ(test, memcmp(host.disk[0].data + 4096 * i, buf + 4096 * i, 4096),
				0);
	KUNIT_EXPECT_STREQ(test, disk_attr(test, "protocol_version"), "6.2");
}

static void io_does_not_wait_for_ever_for_a_channel(struct kunit *test)
{
	bring_up(test);
	host.refuse = STORHOST_BEGIN;
	KUNIT_EXPECT_EQ(test, disk_set("reconnect"), 1L);
	KUNIT_EXPECT_LT(test, read_one(test), 0);
	host.refuse = 0;
	KUNIT_EXPECT_EQ(test, disk_set("reconnect"), 1L);
	KUNIT_EXPECT_EQ(test, read_one(test), 0);
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

	bring_up(test);
	for (i = 0; i < ARRAY_SIZE(lies); i++) {
		host.forge = lies[i].forge;
		KUNIT_EXPECT_EQ_MSG(test, read_one(test), lies[i].error, "lie %u", i);
		KUNIT_EXPECT_EQ(test, disk_number(test, "bad_messages"), lies[i].bad);
	}
	KUNIT_EXPECT_EQ(test, read_one(test), 0);
}

static void what_nobody_asked_for_is_counted(struct kunit *test)
{
	static const u32 ops[] = { 0, STORHOST_COMPLETE_IO, STORHOST_EXECUTE_SRB, 14, U32_MAX };
	unsigned int i;
	u8 byte = 1;

	bring_up(test);
	for (i = 0; i < ARRAY_SIZE(ops); i++)
		KUNIT_EXPECT_EQ(test, storhost_tell(&host, ops[i]), 0);
	/* too short for an address, too short for anything */
	KUNIT_EXPECT_EQ(test, hvsim_send(host.chan[0], VM_PKT_DATA_INBAND, 0, 0,
					 &(u32){ STORHOST_FCHBA }, 4), 0);
	KUNIT_EXPECT_EQ(test, hvsim_send(host.chan[0], VM_PKT_DATA_INBAND, 0, 0, &byte, 0), 0);
	KUNIT_EXPECT_TRUE(test, becomes(disk_number(test, "bad_messages") ==
					ARRAY_SIZE(ops) + 2));
	KUNIT_EXPECT_EQ(test, read_one(test), 0);
}

/* ---- sub-channels ---- */

static void bring_up_with_subs(struct kunit *test, unsigned int subs)
{
	host.sub_channels = subs;
	bring_up(test);
	KUNIT_ASSERT_TRUE(test, becomes(disk_number(test, "channels") == 1 + subs));
}

static void requests_use_every_channel(struct kunit *test)
{
	struct io *io = kunit_kcalloc(test, MANY, sizeof(*io), GFP_KERNEL);
	u8 *buf = buffer(test, MANY * 4096);
	unsigned int i;

	bring_up_with_subs(test, 4);
	start_many(test, io, buf);
	for (i = 0; i < MANY; i++)
		KUNIT_EXPECT_EQ(test, io_finish(test, &io[i]), 0);
	for (i = 0; i <= 4; i++)
		KUNIT_EXPECT_GT(test, host.requests[i], 0ul);
}

static void a_sub_channel_that_goes_alone_loses_no_request(struct kunit *test)
{
	struct io *io = kunit_kcalloc(test, MANY, sizeof(*io), GFP_KERNEL);
	u8 *buf = buffer(test, MANY * 4096);
	struct hvsim_chan *gone;
	unsigned int i;

	bring_up_with_subs(test, 4);
	WRITE_ONCE(host.hold, true);
	start_many(test, io, buf);
	KUNIT_ASSERT_TRUE(test, becomes(READ_ONCE(host.held) == MANY));
	gone = host.chan[2];
	host.chan[2] = NULL;
	hvsim_rescind(gone);
	WRITE_ONCE(host.hold, false);
	storhost_release(&host, UINT_MAX);
	for (i = 0; i < MANY; i++)
		KUNIT_EXPECT_EQ(test, io_finish(test, &io[i]), 0);
	KUNIT_EXPECT_TRUE(test, becomes(disk_number(test, "channels") == 4));
}

static void sub_channels_come_back_after_a_reconnect(struct kunit *test)
{
	bring_up_with_subs(test, 2);
	KUNIT_EXPECT_EQ(test, disk_set("reconnect"), 1L);
	KUNIT_EXPECT_TRUE(test, becomes(disk_number(test, "channels") == 3));
	KUNIT_EXPECT_EQ(test, read_one(test), 0);
}

static void a_host_that_creates_no_sub_channels_does_no_harm(struct kunit *test)
{
	host.sub_channels = 4;
	host.refuse = STORHOST_SUB_CHANNELS;
	bring_up(test);
	KUNIT_EXPECT_EQ(test, disk_number(test, "channels"), 1L);
	KUNIT_EXPECT_EQ(test, read_one(test), 0);
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
	KUNIT_CASE_SLOW(a_request_without_an_answer_waits_and_is_told_of),
	KUNIT_CASE(a_rescinded_controller_fails_every_request_once),
	KUNIT_CASE_SLOW(unloading_does_not_wait_for_a_silent_host),
	KUNIT_CASE(a_reconnect_loses_no_request),
	KUNIT_CASE_SLOW(io_does_not_wait_for_ever_for_a_channel),
	KUNIT_CASE(a_lying_answer_is_an_error_and_no_more),
	KUNIT_CASE(what_nobody_asked_for_is_counted),
	KUNIT_CASE(requests_use_every_channel),
	KUNIT_CASE(a_sub_channel_that_goes_alone_loses_no_request),
	KUNIT_CASE(sub_channels_come_back_after_a_reconnect),
	KUNIT_CASE(a_host_that_creates_no_sub_channels_does_no_harm),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_storvsc",
	.suite_init = storvsc_suite_init,
	.init = storvsc_init,
	.exit = storvsc_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_DESCRIPTION("KUnit suite of the storage VSC");
MODULE_LICENSE("GPL");
