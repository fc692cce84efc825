/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Arithmetic that says when it overflows.  On overflow the result is all ones,
 * as on Windows.
 */
#ifndef _KMCL_NT_NTINTSAFE_H
#define _KMCL_NT_NTINTSAFE_H

#include <linux/overflow.h>

#include <ntdef.h>

#define KMCL_NT_SAFE(Name, type, op)						\
static inline NTSTATUS Name(type a, type b, type *result)			\
{										\
	bool over = check_##op##_overflow(a, b, result);			\
										\
	if (over)								\
		*result = (type)~0ULL;						\
	return over ? STATUS_INTEGER_OVERFLOW : STATUS_SUCCESS;			\
}

#define KMCL_NT_SAFE_TYPE(Prefix, type)						\
	KMCL_NT_SAFE(Rtl##Prefix##Add, type, add)				\
	KMCL_NT_SAFE(Rtl##Prefix##Sub, type, sub)				\
	KMCL_NT_SAFE(Rtl##Prefix##Mult, type, mul)

KMCL_NT_SAFE_TYPE(UShort, USHORT)
KMCL_NT_SAFE_TYPE(ULong, ULONG)
KMCL_NT_SAFE_TYPE(UInt32, UINT32)
KMCL_NT_SAFE_TYPE(ULongLong, ULONGLONG)
KMCL_NT_SAFE_TYPE(ULongPtr, ULONG_PTR)
KMCL_NT_SAFE_TYPE(SIZET, SIZE_T)
#define RtlSizeTAdd(a, b, r)	RtlSIZETAdd(a, b, r)
#define RtlSizeTSub(a, b, r)	RtlSIZETSub(a, b, r)
#define RtlSizeTMult(a, b, r)	RtlSIZETMult(a, b, r)

#define KMCL_NT_NARROW(v, most, result)						\
({										\
	bool __fits = (v) <= (most);						\
										\
	*(result) = __fits ? (v) : (most);					\
	__fits ? STATUS_SUCCESS : STATUS_INTEGER_OVERFLOW;			\
})

static inline NTSTATUS RtlULongToUChar(ULONG Value, PUCHAR Result)
{
	return KMCL_NT_NARROW(Value, MAXUCHAR, Result);
}

static inline NTSTATUS RtlULongToUShort(ULONG Value, PUSHORT Result)
{
	return KMCL_NT_NARROW(Value, MAXUSHORT, Result);
}

static inline NTSTATUS RtlSizeTToUShort(SIZE_T Value, PUSHORT Result)
{
	return KMCL_NT_NARROW(Value, MAXUSHORT, Result);
}

static inline NTSTATUS RtlULongLongToULong(ULONGLONG Value, PULONG Result)
{
	return KMCL_NT_NARROW(Value, MAXULONG, Result);
}

#define RtlULongPtrToULong(Value, Result)	RtlULongLongToULong(Value, Result)
#define RtlSizeTToULong(Value, Result)		RtlULongLongToULong(Value, Result)

#endif /* _KMCL_NT_NTINTSAFE_H */
