// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/vmalloc.h>

#include "linux-ramdisk.h"

#define RAMDISKS	8

static struct {
	void *memory;
	u64 bytes;
} ramdisks[RAMDISKS];

static DEFINE_MUTEX(ramdisks_lock);

/**
 * ramdisk_get() - find a disk, or make it
 * @number: which, from 0 on
 * @bytes: its size
 *
 * A disk that is there keeps its contents; it is there as long as this module is.
 *
 * Context: process, may sleep.
 * Return: its memory; an error pointer: -EINVAL for a number that there is not or a
 * size that the disk does not have, -ENOMEM.
 */
void *ramdisk_get(unsigned int number, u64 bytes)
{
	void *memory;

	if (number >= RAMDISKS || !bytes)
		return ERR_PTR(-EINVAL);
	mutex_lock(&ramdisks_lock);
	memory = ramdisks[number].memory;
	if (!memory) {
		memory = vzalloc(bytes);
		ramdisks[number].memory = memory;
		ramdisks[number].bytes = bytes;
		if (!memory)
			memory = ERR_PTR(-ENOMEM);
	} else if (ramdisks[number].bytes != bytes) {
		pr_warn("disk %u has %llu bytes: unload this module to forget it\n", number,
			ramdisks[number].bytes);
		memory = ERR_PTR(-EINVAL);
	}
	mutex_unlock(&ramdisks_lock);
	return memory;
}
EXPORT_SYMBOL_GPL(ramdisk_get);

static int __init ramdisk_init(void)
{
	return 0;
}
module_init(ramdisk_init);

static void __exit ramdisk_exit(void)
{
	unsigned int i;

	for (i = 0; i < RAMDISKS; i++)
		vfree(ramdisks[i].memory);
}
module_exit(ramdisk_exit);

MODULE_DESCRIPTION("Disks in memory for kmcl_storvsp, which may go and come back");
MODULE_LICENSE("GPL");
