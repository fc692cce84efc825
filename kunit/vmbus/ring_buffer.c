// SPDX-License-Identifier: GPL-2.0
/* Isolated guests map their rings with vmap_pfn(), which UML does not have. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/vmalloc.h>

static inline void *no_vmap_pfn(unsigned long *pfns, unsigned int count, pgprot_t prot)
{
	return NULL;
}

#define vmap_pfn no_vmap_pfn
#include "hv/ring_buffer.c"
