// SPDX-License-Identifier: GPL-2.0
#include "hv/channel_mgmt.c"
