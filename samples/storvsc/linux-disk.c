// SPDX-License-Identifier: GPL-2.0
/*
 * A disk as a block device, blk-mq over StorSubmit().
 *
 * The limits make every request one run of bytes through whole pages, so that it
 * is one MDL, one range of external data, and fits one packet.  Everything that a
 * request needs lies beside it: nothing is allocated on the way.
 *
 * A request that the host does not answer waits, with a line in the log every
 * stor_timeout seconds: its pages are the host's, who may write to them at any
 * time, so failing it would hand out memory that still changes.  What ends it is
 * the answer or the end of the channel.
 *
 * When the channel closes under a request (hibernation, a reconnect, a host that
 * broke the protocol) it goes back to its queue and waits as long for the channel
 * to open again.
 */
#include <linux/device.h>
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/ratelimit.h>
#include <linux/sysfs.h>

#define KMCL_COMPAT_BLOCK
#include "../../kmcl/compat.h"
#include "linux.h"

/* For what may go away by itself, such as a reset of the host's. */
#define MAX_RETRIES		5
#define LATER_MSECS		100
#define UNMAP_LIST		24

static DEFINE_IDA(stor_index);

/**
 * struct stor_io - beside every request of the block layer
 * @srb: the request as the protocol takes it
 * @retries: how often it was sent again because of its result
 * @sent: when, in jiffies
 * @unmap: the list of an UNMAP
 * @mdl: its data
 */
struct stor_io {
	STOR_REQUEST srb;
	unsigned int retries;
	unsigned long sent;
	u8 unmap[UNMAP_LIST] __aligned(8);
	struct stor_mdl mdl;
};

static struct request *io_request(struct stor_io *io)
{
	return blk_mq_rq_from_pdu(io);
}

/* ---- the way back ---- */

static void log_failure(struct stor_disk *disk, struct request *rq, const STOR_REQUEST *srb)
{
	if (!__ratelimit(&disk->adapter->failed))
		return;
	dev_warn(disk->adapter->dev,
		 "%s: command 0x%02x at sector %llu failed: status 0x%08x, SRB 0x%02x, SCSI 0x%02x, sense %*ph\n",
		 disk->gd->disk_name, srb->Cdb[0], (u64)blk_rq_pos(rq), srb->Status, srb->SrbStatus,
		 srb->ScsiStatus, srb->SenseLength, srb->Sense);
}

/* Back to the queue; the block layer sends it again. */
static void send_again(struct request *rq, unsigned int msecs)
{
	struct request_queue *q = rq->q;

	blk_mq_requeue_request(rq, false);
	blk_mq_delay_kick_requeue_list(q, msecs);
}

/* In softirq, on the processor that sent it. */
static void stor_complete_rq(struct request *rq)
{
	struct stor_io *io = blk_mq_rq_to_pdu(rq);
	struct stor_disk *disk = rq->q->queuedata;
	struct stor_adapter *a = disk->adapter;
	struct stor_result r = stor_judge(&io->srb);

	if (r.rescan)
		stor_rescan(a);
	if (r.verdict == STOR_FAILED && r.unsupported && req_op(rq) == REQ_OP_FLUSH) {
		/* a host without a cache need not know the command */
		WRITE_ONCE(disk->no_flush, true);
		r.verdict = STOR_DONE;
	}
	if (r.verdict == STOR_DONE && io->srb.Transferred != io->srb.DataLength &&
	    req_op(rq) != REQ_OP_DISCARD) {
		r.verdict = STOR_FAILED;
		r.error = BLK_STS_IOERR;
	}
	if (r.verdict == STOR_RETRY && ++io->retries > MAX_RETRIES) {
		r.verdict = STOR_FAILED;
		r.error = BLK_STS_IOERR;
	}
	/* whoever removes the adapter waits for its requests */
	if (r.verdict != STOR_DONE && READ_ONCE(a->removing))
		r.verdict = STOR_GONE;

	switch (r.verdict) {
	case STOR_DONE:
		blk_mq_end_request(rq, BLK_STS_OK);
		break;
	case STOR_RETRY:
	case STOR_RESEND:
		send_again(rq, 0);
		break;
	case STOR_LATER:
		send_again(rq, LATER_MSECS);
		break;
	case STOR_GONE:
		blk_mq_end_request(rq, BLK_STS_OFFLINE);
		break;
	case STOR_FAILED:
		log_failure(disk, rq, &io->srb);
		blk_mq_end_request(rq, r.error);
		break;
	}
}

static VOID stor_completed(PSTOR_REQUEST srb)
{
	blk_mq_complete_request(io_request(container_of(srb, struct stor_io, srb)));
}

/* ---- the way out ---- */

static bool map_data(struct request *rq, struct stor_io *io)
{
	struct req_iterator iter;
	struct bio_vec bv;

	rq_for_each_segment(bv, rq, iter)
		if (!stor_mdl_add(&io->mdl, page_to_phys(bv.bv_page) + bv.bv_offset, bv.bv_len))
			return false;
	return true;
}

static blk_status_t prepare(struct stor_disk *disk, struct request *rq, struct stor_io *io)
{
	STOR_REQUEST *srb = &io->srb;
	u32 shift = ilog2(disk->geometry.block_size);
	u64 lba = (u64)blk_rq_pos(rq) << SECTOR_SHIFT >> shift;
	u32 blocks = blk_rq_bytes(rq) >> shift;
	u32 len = 0;

	stor_mdl_init(&io->mdl);
	switch (req_op(rq)) {
	case REQ_OP_READ:
	case REQ_OP_WRITE:
		stor_cdb_rw(srb, req_op(rq) == REQ_OP_WRITE, lba, blocks);
		len = blk_rq_bytes(rq);
		if (!map_data(rq, io)) {
			pr_err_ratelimited("kmcl_storvsc: %s: a request that is no run of pages\n",
					   disk->gd->disk_name);
			return BLK_STS_IOERR;
		}
		break;
	case REQ_OP_FLUSH:
		stor_cdb_flush(srb);
		break;
	case REQ_OP_DISCARD:
		len = stor_cdb_unmap(srb, io->unmap, lba, blocks);
		stor_mdl_add(&io->mdl, virt_to_phys(io->unmap), len);
		break;
	default:
		return BLK_STS_NOTSUPP;
	}
	srb->Completion = stor_completed;
	srb->DataLength = len;
	srb->Mdl = len ? &io->mdl.mdl : NULL;
	srb->Timeout = stor_timeout;
	srb->Target = disk->target;
	srb->Lun = disk->lun;
	return BLK_STS_OK;
}

/* There is no channel: does it come back? */
static blk_status_t no_channel(struct stor_adapter *a)
{
	if (READ_ONCE(a->removing))
		return BLK_STS_OFFLINE;
	if (READ_ONCE(a->attached) ||
	    time_before(jiffies, READ_ONCE(a->detached) + stor_timeout * HZ))
		return BLK_STS_RESOURCE;
	return BLK_STS_OFFLINE;
}

static blk_status_t stor_queue_rq(struct blk_mq_hw_ctx *hctx, const struct blk_mq_queue_data *bd)
{
	struct stor_disk *disk = hctx->queue->queuedata;
	struct stor_adapter *a = disk->adapter;
	struct request *rq = bd->rq;
	struct stor_io *io = blk_mq_rq_to_pdu(rq);
	blk_status_t ret;
	NTSTATUS status;

	if (!(rq->rq_flags & RQF_DONTPREP)) {
		rq->rq_flags |= RQF_DONTPREP;
		io->retries = 0;
	}
	if (req_op(rq) == REQ_OP_FLUSH && READ_ONCE(disk->no_flush)) {
		blk_mq_start_request(rq);
		blk_mq_end_request(rq, BLK_STS_OK);
		return BLK_STS_OK;
	}
	ret = prepare(disk, rq, io);
	if (ret)
		return ret;

	/*
	 * One hardware queue for each channel, as far as there are processors; where
	 * there are more channels, the tag spreads over them.
	 */
	io->srb.Hint = hctx->queue_num + rq->tag * a->tags.nr_hw_queues;
	io->srb.Path = a->path;
	io->sent = jiffies;
	blk_mq_start_request(rq);
	/* once this succeeds, the request may be another one already */
	status = StorSubmit(a->device, &io->srb);
	if (NT_SUCCESS(status))
		return BLK_STS_OK;
	if (status == STATUS_INSUFFICIENT_RESOURCES)
		return BLK_STS_RESOURCE;
	if (status == STATUS_INVALID_DEVICE_STATE)
		return no_channel(a);
	return BLK_STS_IOERR;
}

static enum blk_eh_timer_return stor_late(struct request *rq)
{
	struct stor_disk *disk = rq->q->queuedata;
	struct stor_io *io = blk_mq_rq_to_pdu(rq);

	dev_warn_ratelimited(disk->adapter->dev,
			     "%s: command 0x%02x at sector %llu not answered for %u s, still waiting\n",
			     disk->gd->disk_name, io->srb.Cdb[0], (u64)blk_rq_pos(rq),
			     jiffies_to_msecs(jiffies - io->sent) / 1000);
	return BLK_EH_RESET_TIMER;
}

static const struct blk_mq_ops stor_mq_ops = {
	.queue_rq	= stor_queue_rq,
	.complete	= stor_complete_rq,
	.timeout	= stor_late,
};

int stor_tags_init(struct stor_adapter *a, unsigned int queues, unsigned int depth)
{
	a->tags.ops = &stor_mq_ops;
	a->tags.nr_hw_queues = queues;
	a->tags.queue_depth = depth;
	a->tags.numa_node = NUMA_NO_NODE;
	a->tags.cmd_size = sizeof(struct stor_io);
	a->tags.timeout = stor_timeout * HZ;
	a->tags.flags = KMCL_MQ_FLAGS;
	return blk_mq_alloc_tag_set(&a->tags);
}

/* ---- files: /sys/block/NAME/storvsc/ ---- */

static struct stor_disk *dev_disk(struct device *dev)
{
	return dev_to_disk(dev)->private_data;
}

static ssize_t protocol_version_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	STOR_INFORMATION info;

	StorQueryInformation(dev_disk(dev)->adapter->device, &info);
	return sysfs_emit(buf, "%u.%u\n", info.Version >> 8, info.Version & 0xff);
}
static DEVICE_ATTR_RO(protocol_version);

static ssize_t channels_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	STOR_INFORMATION info;

	StorQueryInformation(dev_disk(dev)->adapter->device, &info);
	return sysfs_emit(buf, "%u\n", info.Channels);
}
static DEVICE_ATTR_RO(channels);

static ssize_t bad_messages_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	STOR_INFORMATION info;

	StorQueryInformation(dev_disk(dev)->adapter->device, &info);
	return sysfs_emit(buf, "%lld\n", info.BadMessages);
}
static DEVICE_ATTR_RO(bad_messages);

/* Requests of the whole adapter, channel by channel. */
static ssize_t requests_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	PSTOR_DEVICE device = dev_disk(dev)->adapter->device;
	unsigned int i;
	int len = 0;

	for (i = 0; i <= STOR_MAXIMUM_SUB_CHANNELS; i++) {
		LONG64 n = StorQueryRequests(device, i);

		if (i && !n)
			continue;
		len += sysfs_emit_at(buf, len, "%s%lld", i ? " " : "", n);
	}
	return len + sysfs_emit_at(buf, len, "\n");
}
static DEVICE_ATTR_RO(requests);

static ssize_t rescan_store(struct device *dev, struct device_attribute *attr, const char *buf,
			    size_t count)
{
	stor_rescan(dev_disk(dev)->adapter);
	return count;
}
static DEVICE_ATTR_WO(rescan);

static ssize_t reconnect_store(struct device *dev, struct device_attribute *attr,
			       const char *buf, size_t count)
{
	return stor_reconnect(dev_disk(dev)->adapter) ?: count;
}
static DEVICE_ATTR_WO(reconnect);

static struct attribute *stor_attrs[] = {
	&dev_attr_protocol_version.attr,
	&dev_attr_channels.attr,
	&dev_attr_requests.attr,
	&dev_attr_bad_messages.attr,
	&dev_attr_rescan.attr,
	&dev_attr_reconnect.attr,
	NULL
};

static const struct attribute_group stor_group = {
	.name = "storvsc",
	.attrs = stor_attrs,
};

static const struct attribute_group *stor_groups[] = { &stor_group, NULL };

/* ---- disks ---- */

/* The last one who had it open has gone. */
static void stor_free_disk(struct gendisk *gd)
{
	struct stor_disk *disk = gd->private_data;

	ida_free(&stor_index, disk->index);
	kfree(disk);
}

static const struct block_device_operations stor_fops = {
	.owner		= THIS_MODULE,
	.free_disk	= stor_free_disk,
};

static u32 max_bytes(struct stor_adapter *a)
{
	STOR_INFORMATION info;

	StorQueryInformation(a->device, &info);
	return info.MaximumTransfer & ~(STOR_PAGE - 1);
}

/**
 * stor_disk_add() - make a block device
 * @a: adapter; its lock is held
 * @target: address
 * @lun: address
 * @g: what it is like
 *
 * Return: 0 or a negative errno.
 */
int stor_disk_add(struct stor_adapter *a, u8 target, u8 lun, const struct stor_geometry *g)
{
	struct kmcl_disk_limits lim = {
		.max_bytes = max_bytes(a),
		.boundary = STOR_PAGE,
		.block_size = g->block_size,
		.physical_size = g->physical_size,
	};
	struct stor_disk *disk;
	struct gendisk *gd;
	int ret;

	if (lim.max_bytes < STOR_PAGE) {
		dev_warn(a->dev, "the host takes less than a page per request, no disk\n");
		return -EINVAL;
	}
	if (g->unmap) {
		lim.discard_bytes = min_t(u64, (u64)g->unmap_blocks * g->block_size, SZ_1G);
		lim.discard_granularity = min_t(u64, (u64)g->unmap_granularity * g->block_size,
						SZ_1G);
	}
	disk = kzalloc(sizeof(*disk), GFP_KERNEL);
	if (!disk)
		return -ENOMEM;
	disk->adapter = a;
	disk->target = target;
	disk->lun = lun;
	disk->geometry = *g;
	disk->seen = true;
	disk->index = ida_alloc(&stor_index, GFP_KERNEL);
	if (disk->index < 0) {
		ret = disk->index;
		goto free_disk;
	}
	gd = kmcl_alloc_disk(&a->tags, &lim, disk);
	if (IS_ERR(gd)) {
		ret = PTR_ERR(gd);
		goto free_index;
	}
	disk->gd = gd;
	snprintf(gd->disk_name, sizeof(gd->disk_name), "kmsd%d", disk->index);
	gd->fops = &stor_fops;
	gd->private_data = disk;
	set_capacity(gd, g->blocks * (g->block_size >> SECTOR_SHIFT));
	set_disk_ro(gd, g->read_only);
	/*
	 * Not below the VMBus device: the library has the disk removed when the bus
	 * is done with its device, and the directory would be gone by then.
	 */
	ret = device_add_disk(NULL, gd, stor_groups);
	if (ret) {
		/* frees the rest */
		put_disk(gd);
		return ret;
	}
	list_add_tail(&disk->node, &a->disks);
	dev_info(a->dev, "%s: target %u, LUN %u: %llu blocks of %u bytes%s%s\n", gd->disk_name,
		 target, lun, g->blocks, g->block_size, g->read_only ? ", read-only" : "",
		 g->unmap ? ", can unmap" : "");
	return 0;

free_index:
	ida_free(&stor_index, disk->index);
free_disk:
	kfree(disk);
	return ret;
}

/* It is still there; its size and whether it can be written may be new. */
void stor_disk_update(struct stor_disk *disk, const struct stor_geometry *g)
{
	u64 sectors = g->blocks * (g->block_size >> SECTOR_SHIFT);

	disk->geometry.blocks = g->blocks;
	set_capacity_and_notify(disk->gd, sectors);
	if (disk->geometry.read_only != g->read_only) {
		disk->geometry.read_only = g->read_only;
		set_disk_ro(disk->gd, g->read_only);
	}
}

/**
 * stor_disk_remove() - take a block device away
 * @disk: the disk; its adapter's lock is held
 * @dead: nobody is there any more: what is not written yet is lost
 *
 * Returns when no request of its is under way.
 */
void stor_disk_remove(struct stor_disk *disk, bool dead)
{
	struct gendisk *gd = disk->gd;

	list_del(&disk->node);
	if (dead)
		blk_mark_disk_dead(gd);
	del_gendisk(gd);
	/* whoever has it open keeps it */
	put_disk(gd);
}
