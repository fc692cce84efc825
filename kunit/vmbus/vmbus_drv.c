// SPDX-License-Identifier: GPL-2.0
/* UML has no CONFIG_OF_ADDRESS: the platform device "vmbus" has no ranges. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/of_address.h>
#include "../sim/compat.h"
static inline int no_range_parser_init(struct of_range_parser *parser, struct device_node *node)
{
	return 0;
}

#undef of_range_parser_init
#define of_range_parser_init no_range_parser_init
#if HVSIM_BUS_IS_ACPI_DRIVER
#include "acpi_bus.h"
#endif
#include "hv/vmbus_drv.c"
