// SPDX-License-Identifier: GPL-2.0
#include "hv/hv_utils_transport.c"
