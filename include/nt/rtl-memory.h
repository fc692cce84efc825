/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory helpers.  Macros, so that the compiler's and FORTIFY's checks see the
 * caller's objects.
 */
#ifndef _KMCL_NT_RTL_MEMORY_H
#define _KMCL_NT_RTL_MEMORY_H

#include <linux/string.h>

#include <ntdef.h>

#define RtlZeroMemory(d, n)		((void)memset((d), 0, (n)))
#define RtlFillMemory(d, n, v)		((void)memset((d), (v), (n)))
#define RtlCopyMemory(d, s, n)		((void)memcpy((d), (s), (n)))
#define RtlMoveMemory(d, s, n)		((void)memmove((d), (s), (n)))
#define RtlEqualMemory(a, b, n)		(memcmp((a), (b), (n)) == 0)

#endif /* _KMCL_NT_RTL_MEMORY_H */
