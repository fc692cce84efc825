// SPDX-License-Identifier: GPL-2.0
/* This driver's copy of what integration services have in common. */
#include "../integration/ic.c"
