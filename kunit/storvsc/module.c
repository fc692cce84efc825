// SPDX-License-Identifier: GPL-2.0
/*
 * The storage controller without a suite: one disk, for a file system.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/module.h>
#include "host.h"

static unsigned int mib = 64;
module_param(mib, uint, 0444);
MODULE_PARM_DESC(mib, "Size of the disk in MiB");

static ushort sub_channels;
module_param(sub_channels, ushort, 0444);
MODULE_PARM_DESC(sub_channels, "Sub-channels that the host creates");

static struct storhost host;

static void report(void)
{
	char line[128] = "";
	unsigned int i;
	int len = 0;

	for (i = 0; i <= STORHOST_SUBS; i++)
		if (host.requests[i])
			len += scnprintf(line + len, sizeof(line) - len, " %lu", host.requests[i]);
	pr_info("requests by channel:%s; largest %u bytes, %lu begin inside a page\n", line,
		host.largest, host.offsets);
	if (host.faults)
		pr_err("BUG: the guest broke %u rules\n", host.faults);
}

static int __init storhost_module_init(void)
{
	int ret;

	storhost_init(&host);
	host.sub_channels = min_t(unsigned int, sub_channels, STORHOST_SUBS);
	ret = storhost_disk_init(&host.disk[0], (u64)mib << 20, 512);
	if (ret)
		return ret;
	host.disk[0].unmap = true;
	ret = storhost_offer(&host);
	if (ret)
		storhost_disk_free(&host.disk[0]);
	return ret;
}
module_init(storhost_module_init);

static void __exit storhost_module_exit(void)
{
	report();
	hvsim_reset();
	storhost_forget_held(&host);
	storhost_disk_free(&host.disk[0]);
}
module_exit(storhost_module_exit);

MODULE_DESCRIPTION("A storage controller of the simulated host");
MODULE_LICENSE("GPL");
