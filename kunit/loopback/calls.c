// SPDX-License-Identifier: GPL-2.0
#include "../calls.c"
