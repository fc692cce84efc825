// SPDX-License-Identifier: GPL-2.0
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kmod.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <linux/vmalloc.h>
#include "../helper.h"
#include "frame.h"

struct storhost host;
struct file *stor_file;
struct block_device *stor_bdev;
static void *buffers[32];
static unsigned int nr_buffers;

/* The rig's modprobe takes parameters. Rings as small as they get. */
int stor_load(void)
{
	return request_module("kmcl_storvsc:sub_channels=8:ring_pages=4:timeout=2");
}

/* The suites share one load of the module. */
int stor_suite_init(struct kunit_suite *suite)
{
	static bool loaded;
	int ret = loaded ? 0 : stor_load();

	loaded = !ret;
	return ret;
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

bool stor_there_is(const char *path)
{
	struct file *f = open_path(path, O_RDONLY);

	if (IS_ERR(f))
		return false;
	close_file(f);
	return true;
}

void stor_close(void)
{
	if (stor_file)
		close_file(stor_file);
	stor_file = NULL;
	stor_bdev = NULL;
}

void stor_open(struct kunit *test)
{
	KUNIT_ASSERT_TRUE(test, becomes(stor_there_is(DISK)));
	stor_file = open_disk(DISK);
	if (IS_ERR(stor_file)) {
		stor_file = NULL;
		KUNIT_FAIL_AND_ABORT(test, "cannot open the disk\n");
	}
	stor_bdev = I_BDEV(stor_file->f_mapping->host);
}

void stor_bring_up(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, storhost_offer(&host), 0);
	stor_open(test);
}

const char *stor_attr(struct kunit *test, const char *name)
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

long stor_number(struct kunit *test, const char *name)
{
	long n = -1;

	KUNIT_EXPECT_EQ(test, kstrtol(stor_attr(test, name), 10, &n), 0);
	return n;
}

ssize_t stor_set(const char *name)
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

static void io_end(struct bio *bio)
{
	struct io *io = bio->bi_private;

	io->status = bio->bi_status;
	atomic_inc(&io->ends);
	complete(&io->done);
}

void stor_io_start(struct kunit *test, struct io *io, enum req_op op, sector_t sector,
		   void *buf, u32 len)
{
	u32 pages = len ? DIV_ROUND_UP(offset_in_page(buf) + len, PAGE_SIZE) : 0;

	init_completion(&io->done);
	atomic_set(&io->ends, 0);
	io->bio = bio_alloc(stor_bdev, pages, op, GFP_KERNEL);
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

int stor_io_finish(struct kunit *test, struct io *io)
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

int stor_io(struct kunit *test, enum req_op op, sector_t sector, void *buf, u32 len)
{
	struct io io;

	stor_io_start(test, &io, op, sector, buf, len);
	return stor_io_finish(test, &io);
}

void *stor_buffer(struct kunit *test, u32 len)
{
	void *buf = vmalloc(len);

	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_ASSERT_LT(test, (size_t)nr_buffers, ARRAY_SIZE(buffers));
	buffers[nr_buffers++] = buf;
	get_random_bytes(buf, len);
	return buf;
}

int stor_read_one(struct kunit *test)
{
	return stor_io(test, REQ_OP_READ, 0, stor_buffer(test, 4096), 4096);
}

/* ---- the frame ---- */

int stor_init(struct kunit *test)
{
	int ret = hvsim_begin(test);

	if (ret)
		return ret;
	storhost_init(&host);
	return storhost_disk_init(&host.disk[0], DISK_BYTES, 512);
}

void stor_exit(struct kunit *test)
{
	unsigned int i;

	stor_close();
	WRITE_ONCE(host.hold, false);
	storhost_release(&host, UINT_MAX);
	hvsim_end(test);
	storhost_forget_held(&host);
	/* the next case's disk has the same name */
	KUNIT_EXPECT_TRUE(test, becomes(!stor_there_is(DISK)));
	KUNIT_EXPECT_EQ(test, host.faults, 0u);
	while (nr_buffers)
		vfree(buffers[--nr_buffers]);
	for (i = 0; i < STORHOST_LUNS; i++)
		storhost_disk_free(&host.disk[i]);
}
