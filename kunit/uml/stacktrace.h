/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Included before arch/um/kernel/stacktrace.c when a UML kernel is built.
 *
 * UML unwinds by looking at every word of the stack and asking whether it is an
 * address of code, and KASAN, kmemleak and lockdep unwind at each allocation:
 * that question took two thirds of a run.  Words that lie neither in the
 * kernel's text nor where modules are loaded are most of them, and need no
 * look into the list of modules.
 */
#include <linux/kernel.h>
#include <linux/pgtable.h>
#include <asm/sections.h>

static inline int kmcl_text_address(unsigned long addr)
{
	if (addr >= (unsigned long)_stext && addr < (unsigned long)_etext)
		return 1;
	if (addr < VMALLOC_START || addr >= VMALLOC_END)
		return 0;
	return __kernel_text_address(addr);
}

#define __kernel_text_address kmcl_text_address
