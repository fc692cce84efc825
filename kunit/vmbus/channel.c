// SPDX-License-Identifier: GPL-2.0
/*
 * UML knows no memory that a host cannot see: the simulated hypervisor counts what it is shown.
 * Later kernels hide only what a GPADL says was shown, and here all of them do.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/hyperv.h>
#include <linux/mm.h>
#include <linux/set_memory.h>
#include "../sim/compat.h"

int hvsim_set_memory_decrypted(unsigned long addr, int pages);
int hvsim_set_memory_encrypted(unsigned long addr, int pages);

#define set_memory_decrypted	hvsim_set_memory_decrypted
#if HVSIM_TEARDOWN_HIDES_ALWAYS
#define set_memory_encrypted(addr, pages)					\
	(gpadl->decrypted ? hvsim_set_memory_encrypted(addr, pages) : 0)
#else
#define set_memory_encrypted	hvsim_set_memory_encrypted
#endif
#include "hv/channel.c"
