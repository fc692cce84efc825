// SPDX-License-Identifier: GPL-2.0
#include "../../samples/timesync/protocol.c"

PIC_DEVICE ts_ic(PTS_DEVICE device);
PIC_DEVICE ts_ic(PTS_DEVICE device)
{
	return device->Ic;
}
