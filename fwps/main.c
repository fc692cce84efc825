// SPDX-License-Identifier: GPL-2.0
/*
 * The module.
 */
#define pr_fmt(fmt) "fwps: " fmt

#include <linux/module.h>
#include "fwps.h"

static int __init fwps_init(void)
{
	return fwps_pools_init();
}

static void __exit fwps_exit(void)
{
	fwps_handles_exit();
	fwps_pools_exit();
}

module_init(fwps_init);
module_exit(fwps_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Packet injection with completion: FwpsInject* on sk_buffs");
