// SPDX-License-Identifier: GPL-2.0
#include "../../samples/heartbeat/protocol.c"

PIC_DEVICE hb_ic(PHB_DEVICE device);
PIC_DEVICE hb_ic(PHB_DEVICE device)
{
	return device->Ic;
}
