/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The header that most Windows drivers begin with.  It adds nothing to <wdm.h>.
 */
#ifndef _KMCL_NT_NTDDK_H
#define _KMCL_NT_NTDDK_H

#include <wdm.h>

#endif /* _KMCL_NT_NTDDK_H */
