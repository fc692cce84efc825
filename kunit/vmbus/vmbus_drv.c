// SPDX-License-Identifier: GPL-2.0
/*
 * UML has no CONFIG_OF_ADDRESS: the bus's device gets one range of addresses for
 * the windows of its devices from here.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/ioport.h>
#include <linux/of_address.h>
#include <linux/sizes.h>
#include "../sim/compat.h"

#define UML_MMIO_BASE	0xfe0000000ULL
#define UML_MMIO_SIZE	SZ_64M

static bool range_taken;

static inline int one_range_parser_init(struct of_range_parser *parser, struct device_node *node)
{
	range_taken = false;
	return 0;
}

static inline struct of_range *one_range(struct of_range_parser *parser, struct of_range *range)
{
	if (range_taken)
		return NULL;
	range_taken = true;
	*range = (struct of_range) {
		.cpu_addr = UML_MMIO_BASE,
		.size = UML_MMIO_SIZE,
		.flags = IORESOURCE_MEM,
	};
	return range;
}

#undef of_range_parser_init
#define of_range_parser_init one_range_parser_init
#define of_pci_range_parser_one one_range
#if HVSIM_BUS_IS_ACPI_DRIVER
#include "acpi_bus.h"
#endif
#include "hv/vmbus_drv.c"
