// SPDX-License-Identifier: GPL-2.0
/* Isolated guests map their rings with vmap_pfn(), which UML does not have. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/vmalloc.h>
#ifndef CONFIG_VMAP_PFN
#define vmap_pfn(pfns, count, prot)	NULL
#endif
#include "hv/ring_buffer.c"
