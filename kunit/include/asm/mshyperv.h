/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What <asm/mshyperv.h> is on UML: hypercalls and synthetic MSRs become plain
 * calls into the simulated hypervisor (sim/hypervisor.c). scripts/uml.sh has it
 * found before the kernel's own.
 */
#ifndef _KMCL_UML_ASM_MSHYPERV_H
#define _KMCL_UML_ASM_MSHYPERV_H

#include <linux/types.h>
#include <linux/io.h>

/* The bus takes its interrupt through hv_setup_vmbus_handler(), not from an IRQ. */
#define HYPERVISOR_CALLBACK_VECTOR	0xf3

/* The bus maps SynIC pages this way under a paravisor only. */
#ifndef ioremap_cache
static inline void __iomem *ioremap_cache(phys_addr_t addr, size_t size)
{
	return (void __iomem *)phys_to_virt(addr);
}
#endif

u64 hv_get_msr(unsigned int reg);
void hv_set_msr(unsigned int reg, u64 value);

/* The names of 6.1. */
#define hv_get_register(reg)		hv_get_msr(reg)
#define hv_set_register(reg, value)	hv_set_msr(reg, value)

#include <asm-generic/mshyperv.h>

#endif
