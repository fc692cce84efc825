// SPDX-License-Identifier: GPL-2.0
/*
 * Linux around the storage server: the module, disks in memory, and files for the
 * administrator in /sys/module/kmcl_storvsp/storvsp/.
 *
 * To be serviced, the controller is saved to a file, this module is unloaded and
 * loaded again with the parameter state=, while kmcl_ramdisk keeps the disks.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/kernel_read_file.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include <kmcl/status.h>

#include "../vsp.h"
#include "linux-ramdisk.h"
#include "protocol.h"

static unsigned int mib = 64;
module_param(mib, uint, 0444);
MODULE_PARM_DESC(mib, "Size of a disk in MiB (default 64)");

static unsigned int disks = 1;
module_param(disks, uint, 0444);
MODULE_PARM_DESC(disks, "Disks, 0 to 8 (default 1)");

static unsigned int block_size = 512;
module_param(block_size, uint, 0444);
MODULE_PARM_DESC(block_size, "Bytes of a block: 512 to 4096 (default 512)");

static bool read_only;
module_param(read_only, bool, 0444);
MODULE_PARM_DESC(read_only, "Disks are write-protected");

static unsigned int sub_channels = 4;
module_param(sub_channels, uint, 0444);
MODULE_PARM_DESC(sub_channels, "Sub-channels that a client may have, 0 to 63 (default 4)");

static unsigned int latency_us;
module_param(latency_us, uint, 0444);
MODULE_PARM_DESC(latency_us, "Microseconds that each piece that is read or written takes, up to 1000000 (default 0)");

static char *state;
module_param(state, charp, 0444);
MODULE_PARM_DESC(state, "File that a controller was saved to: go on with that");

#define STORVSP_TRANSFER	SZ_512K
/* No state is larger than that by far. */
#define STORVSP_STATE_LIMIT	SZ_1G

static PVSP_DEVICE storvsp;
static void *storvsp_memory[VSP_LUNS];
/* one save or resume at a time */
static DEFINE_MUTEX(storvsp_lock);

/* ---- the lower half of the protocol ---- */

BOOLEAN VspQueryDisk(PVOID System, ULONG Lun, PVSP_DISK Disk)
{
	if (Lun >= disks)
		return FALSE;
	Disk->Blocks = ((u64)mib << 20) / block_size;
	Disk->BlockSize = block_size;
	Disk->ReadOnly = read_only;
	memcpy(Disk->Serial, "ramdisk000000000", sizeof(Disk->Serial));
	Disk->Serial[sizeof(Disk->Serial) - 1] += Lun;
	return TRUE;
}

static void storvsp_take_time(void)
{
	if (latency_us)
		fsleep(latency_us);
}

NTSTATUS VspRead(PVOID System, ULONG Lun, ULONG64 Offset, PVOID Buffer, ULONG Length)
{
	storvsp_take_time();
	memcpy(Buffer, storvsp_memory[Lun] + Offset, Length);
	return STATUS_SUCCESS;
}

NTSTATUS VspWrite(PVOID System, ULONG Lun, ULONG64 Offset, const VOID *Buffer, ULONG Length)
{
	storvsp_take_time();
	memcpy(storvsp_memory[Lun] + Offset, Buffer, Length);
	return STATUS_SUCCESS;
}

NTSTATUS VspUnmap(PVOID System, ULONG Lun, ULONG64 Offset, ULONG64 Length)
{
	memset(storvsp_memory[Lun] + Offset, 0, Length);
	return STATUS_SUCCESS;
}

/* ---- save and restore ---- */

static NTSTATUS storvsp_write(PVOID context, const VOID *buffer, ULONG length)
{
	struct file *file = context;
	ssize_t n = kernel_write(file, buffer, length, &file->f_pos);

	if (n == length)
		return STATUS_SUCCESS;
	return kmcl_status_from_errno(n < 0 ? n : -ENOSPC);
}

static int storvsp_save(const char *path)
{
	struct file *file = filp_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	NTSTATUS status;
	int ret;

	if (IS_ERR(file))
		return PTR_ERR(file);
	mutex_lock(&storvsp_lock);
	status = VspSave(storvsp, storvsp_write, file);
	mutex_unlock(&storvsp_lock);
	ret = kmcl_status_to_errno(status);
	if (!ret)
		pr_info("saved to %s: unload and load again with state=, or write to resume\n",
			path);
	filp_close(file, NULL);
	return ret;
}

static int storvsp_restore(const char *path)
{
	void *buffer = NULL;
	ssize_t length;
	NTSTATUS status;

	length = kernel_read_file_from_path(path, 0, &buffer, STORVSP_STATE_LIMIT, NULL,
					    READING_UNKNOWN);
	if (length < 0) {
		pr_warn("cannot read %s (%zd)\n", path, length);
		return length;
	}
	status = VspRestore(storvsp, buffer, length);
	vfree(buffer);
	return kmcl_status_to_errno(status);
}

/* ---- files ---- */

static ssize_t save_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			  size_t count)
{
	char *path = kstrndup(buf, count, GFP_KERNEL);
	int ret;

	if (!path)
		return -ENOMEM;
	ret = storvsp_save(strim(path));
	kfree(path);
	return ret ?: count;
}

static struct kobj_attribute save_attr = __ATTR_WO(save);

static ssize_t resume_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			    size_t count)
{
	mutex_lock(&storvsp_lock);
	VspResume(storvsp);
	mutex_unlock(&storvsp_lock);
	return count;
}

static struct kobj_attribute resume_attr = __ATTR_WO(resume);

static ssize_t protocol_version_show(struct kobject *kobj, struct kobj_attribute *attr,
				     char *buf)
{
	VSP_INFORMATION info;

	VspQueryInformation(storvsp, &info);
	return sysfs_emit(buf, "%u.%u\n", info.Version >> 8, info.Version & 0xff);
}

static struct kobj_attribute protocol_version_attr = __ATTR_RO(protocol_version);

static ssize_t requests_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	unsigned int i;
	int len = 0;

	for (i = 0; i <= sub_channels; i++)
		len += sysfs_emit_at(buf, len, "%s%lld", i ? " " : "", VspQueryRequests(storvsp, i));
	return len + sysfs_emit_at(buf, len, "\n");
}

static struct kobj_attribute requests_attr = __ATTR_RO(requests);

#define STORVSP_NUMBER(file, format, member)						\
static ssize_t file##_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)	\
{											\
	VSP_INFORMATION info;								\
											\
	VspQueryInformation(storvsp, &info);						\
	return sysfs_emit(buf, format "\n", info.member);				\
}											\
static struct kobj_attribute file##_attr = __ATTR_RO(file)

STORVSP_NUMBER(channels, "%u", Channels);
STORVSP_NUMBER(waiting, "%u", Waiting);
STORVSP_NUMBER(saved, "%u", Saved);
STORVSP_NUMBER(bad_messages, "%lld", BadMessages);

static struct attribute *storvsp_attrs[] = {
	&save_attr.attr,
	&resume_attr.attr,
	&protocol_version_attr.attr,
	&requests_attr.attr,
	&channels_attr.attr,
	&waiting_attr.attr,
	&saved_attr.attr,
	&bad_messages_attr.attr,
	NULL
};

static const struct attribute_group storvsp_group = {
	.attrs = storvsp_attrs,
};

static const struct attribute_group *storvsp_groups[] = {
	&storvsp_group,
	NULL
};

/* ---- module ---- */

static int storvsp_check_parameters(void)
{
	if (!mib || mib > SZ_1M || disks > VSP_LUNS || sub_channels > VSP_MAXIMUM_SUB_CHANNELS) {
		pr_warn("mib is 1 to %u, disks 0 to %u, sub_channels 0 to %u\n", SZ_1M, VSP_LUNS,
			VSP_MAXIMUM_SUB_CHANNELS);
		return -EINVAL;
	}
	if (block_size < 512 || block_size > 4096 || !is_power_of_2(block_size)) {
		pr_warn("block_size is 512, 1024, 2048 or 4096\n");
		return -EINVAL;
	}
	if (latency_us > USEC_PER_SEC) {
		pr_warn("latency_us is 0 to %lu\n", USEC_PER_SEC);
		return -EINVAL;
	}
	return 0;
}

static int storvsp_find_disks(void)
{
	unsigned int i;

	for (i = 0; i < disks; i++) {
		storvsp_memory[i] = ramdisk_get(i, (u64)mib << 20);
		if (IS_ERR(storvsp_memory[i]))
			return PTR_ERR(storvsp_memory[i]);
	}
	return 0;
}

static int storvsp_create(void)
{
	VSP_CONFIG config = {
		.Name = KBUILD_MODNAME,
		.Instance = { 0x6b6d636c, 0x7370, 0x4000, { 0x80, 0, 0, 0, 0, 0, 0, 1 } },
		.Bus = vsp_bus_handle,
		.SubChannels = sub_channels,
		.MaximumTransfer = STORVSP_TRANSFER,
	};

	return kmcl_status_to_errno(VspCreate(NULL, NULL, &config, &storvsp));
}

/* The work items of the protocol have been waited for, but for their last lines. */
static void storvsp_destroy(void)
{
	VspDestroy(storvsp);
	kmcl_nt_flush();
}

static int __init storvsp_init(void)
{
	int ret = storvsp_check_parameters();

	if (!ret)
		ret = storvsp_find_disks();
	if (!ret)
		ret = vsp_bus_get();
	if (ret)
		return ret;
	ret = storvsp_create();
	if (ret)
		goto put_bus;
	ret = state ? storvsp_restore(state) : kmcl_status_to_errno(VspOffer(storvsp));
	if (!ret)
		ret = vsp_files_add("storvsp", storvsp_groups);
	if (ret)
		goto destroy;
	return 0;

destroy:
	storvsp_destroy();
put_bus:
	vsp_bus_put();
	return ret;
}
module_init(storvsp_init);

static void __exit storvsp_exit(void)
{
	vsp_files_remove();
	storvsp_destroy();
	vsp_bus_put();
}
module_exit(storvsp_exit);

MODULE_DESCRIPTION("Storage for VMBus clients, served with KMCL");
MODULE_LICENSE("GPL");
