// SPDX-License-Identifier: GPL-2.0
/* The storm itself, for the suite: kmcl_storm.ko has the same files. */
#include "storm.c"
#include "end.c"
#include "service.c"
