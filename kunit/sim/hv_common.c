// SPDX-License-Identifier: GPL-2.0
/*
 * drivers/hv/hv_common.c is meant for vmlinux: one variable it uses is not
 * there for a module. Its weak symbols give way to those of platform.c.
 */
#include <linux/panic.h>
static bool __maybe_unused sim_crash_kexec_post_notifiers;
#define crash_kexec_post_notifiers sim_crash_kexec_post_notifiers
#include "hv/hv_common.c"
