/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Differences between the kernels that the library builds for, each named by
 * what is different.  The only place that looks at kernel versions.
 */
#ifndef _KMCL_COMPAT_H
#define _KMCL_COMPAT_H

#include <linux/mmzone.h>
#include <linux/timer.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define timer_delete_sync(timer)	del_timer_sync(timer)
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
#define timer_destroy_on_stack(timer)	destroy_timer_on_stack(timer)
#endif

/* MAX_ORDER was one more than the largest order */
#ifndef MAX_PAGE_ORDER
#define MAX_PAGE_ORDER	(MAX_ORDER - 1)
#endif

/* hv_driver.remove returned int */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define KMCL_REMOVE_RET		int
#define KMCL_REMOVE_DONE	return 0
#else
#define KMCL_REMOVE_RET		void
#define KMCL_REMOVE_DONE	return
#endif

/* hv_ringbuffer_write() did not check the indices it reads from shared memory */
#define KMCL_BUS_TRUSTS_INDICES	(LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 117))

#endif
