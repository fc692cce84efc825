/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Disks in memory, which outlive the driver that serves them: kmcl_ramdisk keeps
 * them until it is unloaded itself.
 */
#ifndef _STORVSP_LINUX_RAMDISK_H
#define _STORVSP_LINUX_RAMDISK_H

#include <linux/types.h>

void *ramdisk_get(unsigned int number, u64 bytes);

#endif /* _STORVSP_LINUX_RAMDISK_H */
