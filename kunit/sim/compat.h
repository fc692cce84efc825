/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Differences between the kernels that the rig runs, each named by what is
 * different. As kmcl/compat.h is for the library, this is the only place of the
 * rig that looks at kernel versions.
 */
#ifndef _KMCL_HVSIM_COMPAT_H
#define _KMCL_HVSIM_COMPAT_H

#include <linux/fs_struct.h>
#include <linux/hrtimer.h>
#include <linux/version.h>

/* hv_vmbus was an ACPI driver; now a platform driver without ACPI */
#define HVSIM_BUS_IS_ACPI_DRIVER	(LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0))

/* The architecture did not name the version of the hypervisor to common code. */
#define HVSIM_NAMES_HYPERVISOR		(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0))

/* The loader keeps to itself who uses a module. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 0, 0)
struct module_use {
	struct list_head source_list;
	struct list_head target_list;
	struct module *source, *target;
};
#endif

/* Taking a GPADL back hid its memory whether or not it had been shown */
#define HVSIM_TEARDOWN_HIDES_ALWAYS	(LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0))

/* KUnit ran the suites of a module before the module was live */
#define HVSIM_KUNIT_IS_EARLY		(LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0))

/* A generator of a case's parameters is told whose they are. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
#define HVSIM_PARAMS(name)	const void *name(struct kunit *test, const void *prev, char *desc)
#else
#define HVSIM_PARAMS(name)	const void *name(const void *prev, char *desc)
#endif

/* A kernel thread's root was that of init. */
#ifndef scoped_with_init_fs
#define scoped_with_init_fs()
#endif

/* An address that a socket is given has a type without a size. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
#define sockaddr_unsized	sockaddr
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*function)(struct hrtimer *),
				 clockid_t clock_id, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock_id, mode);
	timer->function = function;
}
#endif

#endif
