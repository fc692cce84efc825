/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory helpers.  Macros, so that the compiler's and FORTIFY's checks see the
 * caller's objects.
 */
#ifndef _KMCL_NT_RTL_MEMORY_H
#define _KMCL_NT_RTL_MEMORY_H

#include <linux/bitops.h>
#include <linux/string.h>
#include <linux/swab.h>

#include <ntdef.h>

#define RtlZeroMemory(d, n)		((void)memset((d), 0, (n)))
#define RtlFillMemory(d, n, v)		((void)memset((d), (v), (n)))
#define RtlCopyMemory(d, s, n)		((void)memcpy((d), (s), (n)))
#define RtlMoveMemory(d, s, n)		((void)memmove((d), (s), (n)))
#define RtlEqualMemory(a, b, n)		(memcmp((a), (b), (n)) == 0)
#define RtlZeroBytes(d, n)		RtlZeroMemory(d, n)
#define RtlCopyBytes(d, s, n)		RtlCopyMemory(d, s, n)

/* Not optimised away. */
static inline PVOID RtlSecureZeroMemory(PVOID ptr, SIZE_T cnt)
{
	memzero_explicit(ptr, cnt);
	return ptr;
}

/* How many bytes are the same before the first that differs. */
static inline SIZE_T RtlCompareMemory(const VOID *Source1, const VOID *Source2, SIZE_T Length)
{
	const UCHAR *a = Source1, *b = Source2;
	SIZE_T i;

	for (i = 0; i < Length && a[i] == b[i]; i++)
		;
	return i;
}

#define RtlUshortByteSwap(v)		((USHORT)swab16(v))
#define RtlUlongByteSwap(v)		((ULONG)swab32(v))
#define RtlUlonglongByteSwap(v)		((ULONGLONG)swab64(v))

/* FALSE without a bit that is set; then *Index is undefined, as on Windows. */
#define BitScanForward(Index, Mask)						\
	((BOOLEAN)((Mask) && (*(Index) = __ffs((ULONG)(Mask)), TRUE)))
#define BitScanReverse(Index, Mask)						\
	((BOOLEAN)((Mask) && (*(Index) = __fls((ULONG)(Mask)), TRUE)))
#define BitScanForward64(Index, Mask)						\
	((BOOLEAN)((Mask) && (*(Index) = __ffs64(Mask), TRUE)))
#define BitScanReverse64(Index, Mask)						\
	((BOOLEAN)((Mask) && (*(Index) = fls64(Mask) - 1, TRUE)))
#define RtlNumberOfSetBitsUlongPtr(v)	((ULONG)hweight64(v))

#endif /* _KMCL_NT_RTL_MEMORY_H */
