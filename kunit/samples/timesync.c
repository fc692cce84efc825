// SPDX-License-Identifier: GPL-2.0
#include "../../samples/timesync/protocol.c"
