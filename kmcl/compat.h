/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Differences between the kernels that the library builds for, each named by
 * what is different.  The only place that looks at kernel versions.
 */
#ifndef _KMCL_COMPAT_H
#define _KMCL_COMPAT_H

#include <linux/device.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/timer.h>
#include <linux/version.h>
#include <linux/workqueue.h>

/* hex_to_bin() and its like were in <linux/kernel.h>, later in both, now here */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#include <linux/hex.h>
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define timer_delete_sync(timer)	del_timer_sync(timer)
#endif

/* a workqueue without WQ_UNBOUND was one per processor; now it has to say so */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
#define WQ_PERCPU	0
#endif

/* the workqueue of schedule_work() has a new name; the old one is another, and warns */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#define system_percpu_wq	system_wq
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
#define timer_destroy_on_stack(timer)	destroy_timer_on_stack(timer)
#endif

/* MAX_ORDER was one more than the largest order */
#ifndef MAX_PAGE_ORDER
#define MAX_PAGE_ORDER	(MAX_ORDER - 1)
#endif

/* is_vmalloc_or_module_addr(), which was not exported */
static inline bool kmcl_is_mapped_by_page(const void *va)
{
#if defined(CONFIG_MODULES) && defined(MODULES_VADDR)
	if ((unsigned long)va >= MODULES_VADDR && (unsigned long)va < MODULES_END)
		return true;
#endif
	return is_vmalloc_addr(va);
}

/* hv_driver.remove returned int */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define KMCL_REMOVE_RET		int
#define KMCL_REMOVE_DONE	return 0
#else
#define KMCL_REMOVE_RET		void
#define KMCL_REMOVE_DONE	return
#endif

/*
 * A device on its bus's list may not be probed yet, and the bus will see to it; earlier kernels
 * had who registers a driver probe it there and then.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 3, 0)
#define kmcl_device_is_ready(dev)	dev_ready_to_probe(dev)
#else
#define kmcl_device_is_ready(dev)	((void)(dev), true)
#endif

/* hv_ringbuffer_write() did not check the indices it reads from shared memory */
#define KMCL_BUS_TRUSTS_INDICES	(LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 117))

/* For samples that are block devices: define this before the #include. */
#ifdef KMCL_COMPAT_BLOCK
#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/err.h>

/* get_unaligned() and its kin moved */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#include <asm/unaligned.h>
#else
#include <linux/unaligned.h>
#endif

#ifdef BLK_STS_RESV_CONFLICT
#define KMCL_STS_RESERVED	BLK_STS_RESV_CONFLICT
#else
#define KMCL_STS_RESERVED	BLK_STS_NEXUS
#endif

/* merging became the rule */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 14, 0)
#define KMCL_MQ_FLAGS		BLK_MQ_F_SHOULD_MERGE
#else
#define KMCL_MQ_FLAGS		0
#endif

/**
 * struct kmcl_disk_limits - what a disk with a write cache takes
 * @max_bytes: in one request
 * @boundary: a request is one run of bytes through whole units of this size
 * @block_size: logical
 * @physical_size: physical
 * @discard_bytes: in one discard, 0: there are none
 * @discard_granularity: bytes
 */
struct kmcl_disk_limits {
	u32 max_bytes;
	u32 boundary;
	u32 block_size;
	u32 physical_size;
	u32 discard_bytes;
	u32 discard_granularity;
};

/* limits were set one by one, once the disk was there */
static inline struct gendisk *kmcl_alloc_disk(struct blk_mq_tag_set *set,
					      const struct kmcl_disk_limits *l, void *data)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
	struct gendisk *gd = blk_mq_alloc_disk(set, data);
	struct request_queue *q;

	if (IS_ERR(gd))
		return gd;
	q = gd->queue;
	blk_queue_logical_block_size(q, l->block_size);
	blk_queue_physical_block_size(q, l->physical_size);
	blk_queue_max_hw_sectors(q, l->max_bytes >> SECTOR_SHIFT);
	blk_queue_max_segments(q, l->max_bytes / l->boundary + 1);
	blk_queue_virt_boundary(q, l->boundary - 1);
	blk_queue_max_discard_sectors(q, l->discard_bytes >> SECTOR_SHIFT);
	q->limits.discard_granularity = l->discard_granularity;
	blk_queue_write_cache(q, true, false);
	blk_queue_flag_set(QUEUE_FLAG_NONROT, q);
	return gd;
#else
	struct queue_limits lim = {
		.features = BLK_FEAT_WRITE_CACHE,
		.logical_block_size = l->block_size,
		.physical_block_size = l->physical_size,
		.max_hw_sectors = l->max_bytes >> SECTOR_SHIFT,
		.max_segments = l->max_bytes / l->boundary + 1,
		.virt_boundary_mask = l->boundary - 1,
		.max_hw_discard_sectors = l->discard_bytes >> SECTOR_SHIFT,
		.discard_granularity = l->discard_granularity,
	};

	return blk_mq_alloc_disk(set, &lim, data);
#endif
}
#endif /* KMCL_COMPAT_BLOCK */

#endif
