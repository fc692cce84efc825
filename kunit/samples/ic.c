// SPDX-License-Identifier: GPL-2.0
/*
 * What integration services have in common, for all suites about them.
 */
#include "../../samples/integration/ic.c"
#include "ic_host.h"

VMBCHANNEL ic_channel(PIC_DEVICE ic)
{
	return ic->Channel;
}
