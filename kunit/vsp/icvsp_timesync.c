// SPDX-License-Identifier: GPL-2.0
#include "../../samples/icvsp/timesync.c"
