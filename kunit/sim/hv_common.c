// SPDX-License-Identifier: GPL-2.0
/*
 * drivers/hv/hv_common.c is meant for vmlinux: two things it uses are not
 * there for a module. Its weak symbols give way to those of platform.c.
 */
#include <linux/panic.h>
static bool __maybe_unused sim_crash_kexec_post_notifiers;
#define crash_kexec_post_notifiers sim_crash_kexec_post_notifiers
#include <linux/acpi.h>
#ifndef CONFIG_ACPI
#define acpi_sleep_state_supported(state)	false
#endif
#include "hv/hv_common.c"
