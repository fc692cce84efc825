// SPDX-License-Identifier: GPL-2.0
/*
 * drivers/hv/hv_common.c is meant for vmlinux: one variable it uses is not
 * there for a module. Its weak symbols give way to those of platform.c.
 */
#include <linux/acpi.h>
#include <linux/panic.h>
static bool __maybe_unused sim_crash_kexec_post_notifiers;
#define crash_kexec_post_notifiers sim_crash_kexec_post_notifiers

/* 6.1 has no stub of it for kernels without ACPI. */
static inline bool no_sleep_state(u8 state)
{
	return false;
}

#define acpi_sleep_state_supported no_sleep_state
#include "hv/hv_common.c"
