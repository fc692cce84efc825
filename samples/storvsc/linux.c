// SPDX-License-Identifier: GPL-2.0
/*
 * Linux around the storage protocol: the module, the adapters that the bus
 * brings, and the scan for disks.
 *
 * Who owns what.  An adapter lives from add to remove.  Its disks are made and
 * unmade by the scan, a work item of the adapter's, and by remove, which stops the
 * scan first.  The protocol calls in from the channel's callbacks and only ever
 * sets a flag or queues the scan.
 *
 * Remove: no request waits for the channel any more, disks go, then the protocol.
 * Where the host has taken the device away, every request has come back with an
 * error by then; where the module is unloaded, what is under way is waited for,
 * for a while.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/hyperv.h>
#include <linux/module.h>
#include <linux/ratelimit.h>
#include <linux/slab.h>
#include <scsi/scsi_proto.h>

#include <kmcl/device.h>
#include <kmcl/status.h>
#include <kmcl/vsc.h>

#include "linux.h"

static unsigned int ring_pages = 32;
module_param(ring_pages, uint, 0444);
MODULE_PARM_DESC(ring_pages, "Pages of 4 KiB in each ring of each channel (default 32)");

static unsigned int queue_depth = 128;
module_param(queue_depth, uint, 0444);
MODULE_PARM_DESC(queue_depth, "Requests under way on one channel (default 128)");

static int sub_channels = -1;
module_param(sub_channels, int, 0444);
MODULE_PARM_DESC(sub_channels, "Sub-channels at most (default: as many as there are further processors)");

unsigned int stor_timeout = 60;
module_param_named(timeout, stor_timeout, uint, 0444);
MODULE_PARM_DESC(timeout, "Seconds after which an answer is missed (default 60)");

/* A synthetic SCSI controller has one target that matters, and 64 LUNs. */
#define STOR_TARGETS		2
#define STOR_LUNS		64

/* How long remove waits for answers before it closes the channel. */
#define STOR_REMOVE_PATIENCE	(10 * HZ)

static DEFINE_MUTEX(adapters_lock);
static LIST_HEAD(adapters);
static struct workqueue_struct *stor_wq;

/* ---- the scan ---- */

static struct stor_disk *find_disk(struct stor_adapter *a, u8 target, u8 lun)
{
	struct stor_disk *disk;

	list_for_each_entry(disk, &a->disks, node)
		if (disk->target == target && disk->lun == lun)
			return disk;
	return NULL;
}

/*
 * Return: 0; -ENODEV when there is certainly no disk; -ESHUTDOWN when the channel
 * has gone; another errno when the host did not say.
 */
static int scan_lun(struct stor_adapter *a, u8 target, u8 lun)
{
	struct stor_disk *disk = find_disk(a, target, lun);
	struct stor_geometry g;
	u8 type = 0;
	int ret;

	ret = stor_inquire(a, target, lun, &type);
	if (ret)
		return ret;
	if (type != TYPE_DISK)
		return -ENODEV;
	ret = stor_read_geometry(a, target, lun, &g);
	if (ret)
		return ret;
	if (disk && disk->geometry.block_size != g.block_size) {
		dev_warn(a->dev, "%s: another medium with blocks of %u bytes\n",
			 disk->gd->disk_name, g.block_size);
		stor_disk_remove(disk, true);
		disk = NULL;
	}
	if (!disk)
		return stor_disk_add(a, target, lun, &g);
	stor_disk_update(disk, &g);
	return 0;
}

static void scan_target(struct stor_adapter *a, u8 target)
{
	u64 luns[4] = { };
	struct stor_disk *disk, *next;
	unsigned int lun;
	int ret;

	ret = stor_report_luns(a, target, luns);
	if (ret == -ESHUTDOWN)
		return;
	/* a target that is not there has no LUNs */
	if (ret && ret != -ENODEV)
		/* a host that does not say is asked one by one */
		luns[0] = ~0ULL >> (64 - STOR_LUNS);

	for (lun = 0; lun < 256; lun++) {
		if (!(luns[lun / 64] & 1ULL << lun % 64))
			continue;
		ret = scan_lun(a, target, lun);
		/* the next attach begins another scan */
		if (ret == -ESHUTDOWN)
			return;
		disk = find_disk(a, target, lun);
		/* what does not say clearly that it has gone stays */
		if (disk)
			disk->seen = ret != -ENODEV;
		else if (ret && ret != -ENODEV)
			dev_warn(a->dev, "target %u, LUN %u: no disk (%d)\n", target, lun, ret);
	}

	list_for_each_entry_safe(disk, next, &a->disks, node) {
		if (disk->target != target || disk->seen)
			continue;
		dev_info(a->dev, "%s: gone\n", disk->gd->disk_name);
		stor_disk_remove(disk, true);
	}
}

static void scan_work(struct work_struct *work)
{
	struct stor_adapter *a = container_of(work, struct stor_adapter, scan_work);
	STOR_INFORMATION info;
	struct stor_disk *disk;
	unsigned int target;

	mutex_lock(&a->lock);
	list_for_each_entry(disk, &a->disks, node)
		disk->seen = false;
	StorQueryInformation(a->device, &info);
	WRITE_ONCE(a->path, info.Path);
	if (info.Target) {
		scan_target(a, info.Target);
	} else {
		for (target = 0; target < STOR_TARGETS; target++)
			scan_target(a, target);
	}
	mutex_unlock(&a->lock);
}

/* From any context; a scan that runs is followed by another. */
void stor_rescan(struct stor_adapter *a)
{
	if (!READ_ONCE(a->removing))
		queue_work(stor_wq, &a->scan_work);
}

/* For the administrator: close the channels and open them again, under the I/O. */
int stor_reconnect(struct stor_adapter *a)
{
	NTSTATUS status = STATUS_DEVICE_REMOVED;

	mutex_lock(&a->connect_lock);
	if (!READ_ONCE(a->removing))
		status = StorReconnect(a->device);
	mutex_unlock(&a->connect_lock);
	return kmcl_status_to_errno(status);
}

/* ---- the lower half of the protocol ---- */

VOID StorAttached(PVOID Adapter)
{
	struct stor_adapter *a = Adapter;

	WRITE_ONCE(a->attached, true);
	stor_rescan(a);
}

VOID StorDetached(PVOID Adapter)
{
	struct stor_adapter *a = Adapter;

	WRITE_ONCE(a->detached, jiffies);
	WRITE_ONCE(a->attached, false);
}

VOID StorBusChanged(PVOID Adapter)
{
	stor_rescan(Adapter);
}

/* ---- adapters ---- */

static const struct hv_vmbus_device_id stor_ids[] = {
	/* ba6163d9-04a1-4d29-b605-72e2ffb1dc7f */
	{ HV_SCSI_GUID, .driver_data = StorKindScsi },
	/* 32412632-86cb-44a2-9b5c-50d1417354f5 */
	{ HV_IDE_GUID, .driver_data = StorKindIde },
	/* 2f9bcc4a-0069-4af3-b76b-6fd0be528cda */
	{ HV_SYNTHFC_GUID, .driver_data = StorKindFibreChannel },
	{ },
};

MODULE_DEVICE_TABLE(vmbus, stor_ids);

static STOR_KIND kind_of(struct device *dev)
{
	const struct hv_vmbus_device_id *id;

	for (id = stor_ids; !guid_is_null(&id->guid); id++)
		if (guid_equal(&id->guid, &device_to_hv_device(dev)->dev_type))
			return id->driver_data;
	return StorKindScsi;
}

static unsigned int wanted_sub_channels(STOR_KIND kind)
{
	unsigned int n = sub_channels < 0 ? num_online_cpus() - 1 : sub_channels;

	return kind == StorKindIde ? 0 : min_t(unsigned int, n, STOR_MAXIMUM_SUB_CHANNELS);
}

/* Remove has waited long enough for a host that does not answer. */
static void give_up_work(struct work_struct *work)
{
	struct stor_adapter *a = container_of(to_delayed_work(work), struct stor_adapter,
					      give_up_work);

	dev_warn(a->dev, "the host has not answered for %u s, closing the channel\n",
		 STOR_REMOVE_PATIENCE / HZ);
	StorDisconnect(a->device);
}

static int stor_add(struct device *dev)
{
	STOR_CONFIG config = {
		.Name = dev_name(dev),
		.Kind = kind_of(dev),
		.RingPages = ring_pages,
		.QueueDepth = queue_depth,
		.MaximumTransfer = STOR_MAX_BYTES,
	};
	struct stor_adapter *a;
	NTSTATUS status;
	int ret;

	config.SubChannels = wanted_sub_channels(config.Kind);
	a = kzalloc(sizeof(*a), GFP_KERNEL);
	if (!a)
		return -ENOMEM;
	a->dev = dev;
	mutex_init(&a->lock);
	INIT_LIST_HEAD(&a->disks);
	mutex_init(&a->connect_lock);
	INIT_WORK(&a->scan_work, scan_work);
	INIT_DELAYED_WORK(&a->give_up_work, give_up_work);
	ratelimit_state_init(&a->failed, DEFAULT_RATELIMIT_INTERVAL, DEFAULT_RATELIMIT_BURST);

	/* The scan's own commands come out of the same depth. */
	ret = stor_tags_init(a, min_t(unsigned int, 1 + config.SubChannels, nr_cpu_ids),
			     queue_depth - 1);
	if (ret)
		goto free_adapter;
	status = StorCreate(kmcl_device_object(dev), a, &config, &a->device);
	ret = kmcl_status_to_errno(status);
	if (ret)
		goto free_tags;

	mutex_lock(&adapters_lock);
	list_add_tail(&a->node, &adapters);
	mutex_unlock(&adapters_lock);
	return 0;

free_tags:
	blk_mq_free_tag_set(&a->tags);
free_adapter:
	kfree(a);
	return ret;
}

static struct stor_adapter *take_adapter(struct device *dev)
{
	struct stor_adapter *a, *found = NULL;

	mutex_lock(&adapters_lock);
	list_for_each_entry(a, &adapters, node) {
		if (a->dev == dev) {
			found = a;
			list_del(&a->node);
			break;
		}
	}
	mutex_unlock(&adapters_lock);
	return found;
}

static void stor_remove(struct device *dev)
{
	struct stor_adapter *a = take_adapter(dev);
	struct stor_disk *disk, *next;
	STOR_INFORMATION info;

	WRITE_ONCE(a->removing, true);
	queue_delayed_work(stor_wq, &a->give_up_work, STOR_REMOVE_PATIENCE);
	cancel_work_sync(&a->scan_work);
	StorQueryInformation(a->device, &info);
	mutex_lock(&a->lock);
	list_for_each_entry_safe(disk, next, &a->disks, node)
		stor_disk_remove(disk, !info.Channels);
	mutex_unlock(&a->lock);
	cancel_delayed_work_sync(&a->give_up_work);
	StorDestroy(a->device);
	blk_mq_free_tag_set(&a->tags);
	kfree(a);
}

static struct kmcl_vsc stor_vsc = {
	.name = KBUILD_MODNAME,
	.owner = THIS_MODULE,
	.id_table = stor_ids,
	.add = stor_add,
	.remove = stor_remove,
};

static int __init stor_init(void)
{
	int ret;

	/* The protocol counts pages of 4 KiB, and so does this driver. */
	if (PAGE_SIZE != HV_HYP_PAGE_SIZE) {
		pr_warn("this kernel has pages of %lu bytes, 4096 are needed\n", PAGE_SIZE);
		return -EOPNOTSUPP;
	}
	if (!stor_timeout || stor_timeout > 3600) {
		pr_warn("timeout is 1 to 3600 s\n");
		return -EINVAL;
	}
	if (queue_depth < 2 || queue_depth > 4096 || !ring_pages || ring_pages > 1024) {
		pr_warn("queue_depth is 2 to 4096 and ring_pages 1 to 1024\n");
		return -EINVAL;
	}
	stor_wq = alloc_workqueue(KBUILD_MODNAME, WQ_UNBOUND, 0);
	if (!stor_wq)
		return -ENOMEM;
	ret = kmcl_vsc_register(&stor_vsc);
	if (ret)
		destroy_workqueue(stor_wq);
	return ret;
}
module_init(stor_init);

static void __exit stor_exit(void)
{
	kmcl_vsc_unregister(&stor_vsc);
	destroy_workqueue(stor_wq);
}
module_exit(stor_exit);

MODULE_DESCRIPTION("Hyper-V storage, ported with KMCL");
MODULE_LICENSE("GPL");
