// SPDX-License-Identifier: GPL-2.0
/*
 * The module.
 */
#define pr_fmt(fmt) "fwps: " fmt

#include <linux/module.h>
#include "fwps.h"

static int __init fwps_init(void)
{
	int ret = fwps_flows_init();

	if (ret)
		return ret;
	ret = fwps_pools_init();
	if (ret)
		fwps_flows_exit();
	return ret;
}

static void __exit fwps_exit(void)
{
	fwps_flows_close();
	fwps_handles_exit();
	fwps_flows_exit();
	fwps_pools_exit();
}

module_init(fwps_init);
module_exit(fwps_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Packet injection with completion: FwpsInject* on sk_buffs");
