/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The functions behind the wrappers of calls.c, for cases that look at addresses.
 * NULL: not built yet.
 */
#ifndef _KMCL_CALLS_H
#define _KMCL_CALLS_H

#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>
#include "functions.h"

#define CALLS_REAL(name) extern typeof(name) __real_##name __weak;
KMCL_CLIENT_FUNCTIONS(CALLS_REAL)
KMCL_FLAT_FUNCTIONS(CALLS_REAL)
KMCL_SERVER_FUNCTIONS_V1(CALLS_REAL)
KMCL_SERVER_FUNCTIONS_V5(CALLS_REAL)
#undef CALLS_REAL

#endif
