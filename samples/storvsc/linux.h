/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between the Linux files: linux.c owns adapters and finds disks, linux-scsi.c
 * knows the commands, linux-disk.c is the block device.
 */
#ifndef _STORVSC_LINUX_H
#define _STORVSC_LINUX_H

#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/completion.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/ratelimit.h>
#include <linux/sizes.h>
#include <linux/workqueue.h>

#include "protocol.h"

#define STOR_PAGE		4096
/* Bytes one request may carry: what fits beside it in the smallest ring. */
#define STOR_MAX_BYTES		(512 * 1024)
#define STOR_MAX_PAGES		(STOR_MAX_BYTES / STOR_PAGE + 1)

struct device;

/**
 * struct stor_adapter - a storage device of the host's, with any number of disks
 * @dev: the VMBus device
 * @node: in the list of adapters
 * @device: the protocol's part; NULL while it is being made or is gone
 * @path: of all its disks
 * @tags: of all its disks
 * @lock: protects @disks; held while disks are added and removed
 * @disks: struct stor_disk
 * @scan_work: looks which disks there are
 * @give_up_work: ends the waiting of remove
 * @connect_lock: one reconnect at a time
 * @attached: requests are possible
 * @detached: when @attached ended, in jiffies
 * @removing: it does not come back
 * @failed: lines about failed commands, rate-limited
 */
struct stor_adapter {
	struct device *dev;
	struct list_head node;
	PSTOR_DEVICE device;
	u8 path;
	struct blk_mq_tag_set tags;
	struct mutex lock;		/* disks */
	struct list_head disks;
	struct work_struct scan_work;
	struct delayed_work give_up_work;
	struct mutex connect_lock;	/* reconnects */
	bool attached;
	unsigned long detached;
	bool removing;
	struct ratelimit_state failed;
};

/**
 * struct stor_geometry - what the commands of the scan say of a disk
 * @blocks: its size
 * @block_size: bytes in one, a power of 2 from 512 to 4096
 * @physical_size: what the medium writes at once
 * @read_only: it cannot be written
 * @unmap: it can be told what is not needed any more
 * @unmap_blocks: in one command at most
 * @unmap_granularity: blocks
 */
struct stor_geometry {
	u64 blocks;
	u32 block_size;
	u32 physical_size;
	bool read_only;
	bool unmap;
	u32 unmap_blocks;
	u32 unmap_granularity;
};

/**
 * struct stor_disk - one disk
 * @node: in its adapter's list
 * @adapter: its adapter
 * @gd: the block device
 * @index: its number, for its name
 * @target: its address
 * @lun: its address
 * @geometry: as last seen
 * @seen: by the scan that is running
 * @no_flush: the host does not know the command, so there is nothing to flush
 */
struct stor_disk {
	struct list_head node;
	struct stor_adapter *adapter;
	struct gendisk *gd;
	int index;
	u8 target;
	u8 lun;
	struct stor_geometry geometry;
	bool seen;
	bool no_flush;
};

/**
 * struct stor_mdl - an MDL with room for the pages of the largest request
 * @mdl: its head, as the protocol takes it
 * @pfns: its page frame numbers
 */
struct stor_mdl {
	MDL mdl;
	PFN_NUMBER pfns[STOR_MAX_PAGES];
};

void stor_mdl_init(struct stor_mdl *m);
bool stor_mdl_add(struct stor_mdl *m, phys_addr_t phys, u32 len);

/* linux-scsi.c */

/* What becomes of a request, by its result. */
enum stor_verdict {
	STOR_DONE,
	/* at once, a few times */
	STOR_RETRY,
	/* the host is busy: after a while, as often as it takes */
	STOR_LATER,
	/* the channel has gone and may come back */
	STOR_RESEND,
	/* there is no such disk any more */
	STOR_GONE,
	STOR_FAILED,
};

struct stor_result {
	enum stor_verdict verdict;
	blk_status_t error;		/* of STOR_FAILED */
	bool rescan;			/* the host hints at changes */
	bool unsupported;		/* the command is not known */
};

struct stor_result stor_judge(const STOR_REQUEST *srb);
void stor_cdb_rw(STOR_REQUEST *srb, bool write, u64 lba, u32 blocks);
void stor_cdb_flush(STOR_REQUEST *srb);
u32 stor_cdb_unmap(STOR_REQUEST *srb, u8 *list, u64 lba, u32 blocks);

/* These wait; in scan_work alone. */
int stor_report_luns(struct stor_adapter *a, u8 target, u64 luns[4]);
int stor_inquire(struct stor_adapter *a, u8 target, u8 lun, u8 *type);
int stor_read_geometry(struct stor_adapter *a, u8 target, u8 lun, struct stor_geometry *g);

/* linux-disk.c */
int stor_tags_init(struct stor_adapter *a, unsigned int queues, unsigned int depth);
int stor_disk_add(struct stor_adapter *a, u8 target, u8 lun, const struct stor_geometry *g);
void stor_disk_update(struct stor_disk *disk, const struct stor_geometry *g);
void stor_disk_remove(struct stor_disk *disk, bool dead);

/* linux.c */

/*
 * Seconds: how long a command may take, as the host is told; then the log is. As
 * long does I/O wait for a closed channel to come back.
 */
extern unsigned int stor_timeout;

void stor_rescan(struct stor_adapter *a);
int stor_reconnect(struct stor_adapter *a);

#endif /* _STORVSC_LINUX_H */
