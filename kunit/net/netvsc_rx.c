// SPDX-License-Identifier: GPL-2.0
#include "../../samples/netvsc-rx/rx.c"
