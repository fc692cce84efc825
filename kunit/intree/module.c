// SPDX-License-Identifier: GPL-2.0
#include "../vsp/module.c"
