/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the suites of the storage VSC share: one controller, the first disk on it as
 * whoever mounts it sees it, and requests to it.
 */
#ifndef _KUNIT_STORVSC_FRAME_H
#define _KUNIT_STORVSC_FRAME_H

#include <kunit/test.h>
#include <linux/blkdev.h>
#include <linux/completion.h>
#include "host.h"

#define DISK		"/dev/kmsd0"
#define DISK_BYTES	SZ_4M

extern struct storhost host;
extern struct file *stor_file;
extern struct block_device *stor_bdev;

/* A request under way: it must end once. */
struct io {
	struct bio *bio;
	struct completion done;
	atomic_t ends;
	blk_status_t status;
};

int stor_load(void);
int stor_suite_init(struct kunit_suite *suite);
int stor_init(struct kunit *test);
void stor_exit(struct kunit *test);

bool stor_there_is(const char *path);
/* Offer the controller and open its first disk. */
void stor_bring_up(struct kunit *test);
void stor_open(struct kunit *test);
void stor_close(void);

/* A file below the disk's own directory in sysfs. */
const char *stor_attr(struct kunit *test, const char *name);
long stor_number(struct kunit *test, const char *name);
ssize_t stor_set(const char *name);

/* Memory until the end of the case, which waits for the requests in it. */
void *stor_buffer(struct kunit *test, u32 len);
/* @buf from vmalloc() or kmalloc(), at any offset that the block layer takes. */
void stor_io_start(struct kunit *test, struct io *io, enum req_op op, sector_t sector,
		   void *buf, u32 len);
int stor_io_finish(struct kunit *test, struct io *io);
int stor_io(struct kunit *test, enum req_op op, sector_t sector, void *buf, u32 len);
int stor_read_one(struct kunit *test);

#endif
