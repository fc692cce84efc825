// SPDX-License-Identifier: GPL-2.0
#include "../../samples/storvsp/save.c"
