/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Interlocked operations on plain integers and pointers: fully ordered, as on
 * Windows.  So are their NoFence, Acquire and Release forms, which may be weaker
 * and on Windows' x64 are not.
 */
#ifndef _KMCL_NT_EX_INTERLOCKED_H
#define _KMCL_NT_EX_INTERLOCKED_H

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/build_bug.h>

#include <ntdef.h>

C_ASSERT(sizeof(atomic_t) == sizeof(LONG));
C_ASSERT(sizeof(atomic64_t) == sizeof(LONG64));

/*
 * Macros, because Windows code passes pointers to volatile and to plain objects
 * alike.  The size is checked, the rest is the kernel's business.
 */
#define kmcl_nt_atomic(p)							\
	((atomic_t *)(p) + BUILD_BUG_ON_ZERO(sizeof(*(p)) != sizeof(atomic_t)))
#define kmcl_nt_atomic64(p)							\
	((atomic64_t *)(p) + BUILD_BUG_ON_ZERO(sizeof(*(p)) != sizeof(atomic64_t)))
#define kmcl_nt_pointer(p)							\
	((PVOID *)(p) + BUILD_BUG_ON_ZERO(sizeof(*(p)) != sizeof(PVOID)))

/* These return the value after. */
#define InterlockedIncrement(p)		atomic_inc_return(kmcl_nt_atomic(p))
#define InterlockedDecrement(p)		atomic_dec_return(kmcl_nt_atomic(p))
#define InterlockedAdd(p, v)		atomic_add_return((v), kmcl_nt_atomic(p))
#define InterlockedIncrement64(p)	atomic64_inc_return(kmcl_nt_atomic64(p))
#define InterlockedDecrement64(p)	atomic64_dec_return(kmcl_nt_atomic64(p))
#define InterlockedAdd64(p, v)		atomic64_add_return((v), kmcl_nt_atomic64(p))

/* These return the value before. */
#define InterlockedExchange(p, v)	atomic_xchg(kmcl_nt_atomic(p), (v))
#define InterlockedExchangeAdd(p, v)	atomic_fetch_add((v), kmcl_nt_atomic(p))
#define InterlockedCompareExchange(p, v, c)					\
	atomic_cmpxchg(kmcl_nt_atomic(p), (c), (v))
#define InterlockedAnd(p, v)		atomic_fetch_and((v), kmcl_nt_atomic(p))
#define InterlockedOr(p, v)		atomic_fetch_or((v), kmcl_nt_atomic(p))
#define InterlockedXor(p, v)		atomic_fetch_xor((v), kmcl_nt_atomic(p))
#define InterlockedExchange64(p, v)	atomic64_xchg(kmcl_nt_atomic64(p), (v))
#define InterlockedExchangeAdd64(p, v)	atomic64_fetch_add((v), kmcl_nt_atomic64(p))
#define InterlockedCompareExchange64(p, v, c)					\
	atomic64_cmpxchg(kmcl_nt_atomic64(p), (c), (v))
#define InterlockedAnd64(p, v)		atomic64_fetch_and((v), kmcl_nt_atomic64(p))
#define InterlockedOr64(p, v)		atomic64_fetch_or((v), kmcl_nt_atomic64(p))
#define InterlockedXor64(p, v)		atomic64_fetch_xor((v), kmcl_nt_atomic64(p))
#define InterlockedExchangePointer(p, v)	xchg(kmcl_nt_pointer(p), (PVOID)(v))
#define InterlockedCompareExchangePointer(p, v, c)				\
	cmpxchg(kmcl_nt_pointer(p), (PVOID)(c), (PVOID)(v))

/* The bit before; bits above 31 are in the next LONG. */
#define InterlockedBitTestAndSet(p, bit)					\
	((UCHAR)!!(InterlockedOr((LONG *)(p) + (bit) / 32, 1U << (bit) % 32) & 1U << (bit) % 32))
#define InterlockedBitTestAndReset(p, bit)					\
	((UCHAR)!!(InterlockedAnd((LONG *)(p) + (bit) / 32, ~(1U << (bit) % 32)) & 1U << (bit) % 32))

#define InterlockedIncrementNoFence(p)		InterlockedIncrement(p)
#define InterlockedDecrementNoFence(p)		InterlockedDecrement(p)
#define InterlockedIncrementAcquire(p)		InterlockedIncrement(p)
#define InterlockedDecrementRelease(p)		InterlockedDecrement(p)
#define InterlockedExchangeNoFence(p, v)	InterlockedExchange(p, v)
#define InterlockedExchangeAddNoFence(p, v)	InterlockedExchangeAdd(p, v)
#define InterlockedCompareExchangeAcquire(p, v, c)	InterlockedCompareExchange(p, v, c)
#define InterlockedCompareExchangeRelease(p, v, c)	InterlockedCompareExchange(p, v, c)
#define InterlockedCompareExchangeNoFence(p, v, c)	InterlockedCompareExchange(p, v, c)

/*
 * Acquire pairs with any of the above and with Release; NoFence is for
 * statistics.  The size of an object is checked against the name.
 */
#define kmcl_nt_sized(p, type)							\
	((type *)(p) + BUILD_BUG_ON_ZERO(sizeof(*(p)) != sizeof(type)))

/* Each pairs with the other, or with a fully ordered operation: the driver says which. */
#define kmcl_nt_acquire(p)		smp_load_acquire(p)
/* see above */
#define kmcl_nt_release(p, v)		smp_store_release(p, v)

#define ReadAcquire(p)			kmcl_nt_acquire(kmcl_nt_sized(p, LONG))
#define ReadNoFence(p)			READ_ONCE(*kmcl_nt_sized(p, LONG))
#define ReadRaw(p)			READ_ONCE(*kmcl_nt_sized(p, LONG))
#define ReadULongAcquire(p)		kmcl_nt_acquire(kmcl_nt_sized(p, ULONG))
#define ReadULongNoFence(p)		READ_ONCE(*kmcl_nt_sized(p, ULONG))
#define ReadUShortAcquire(p)		kmcl_nt_acquire(kmcl_nt_sized(p, USHORT))
#define ReadUShortNoFence(p)		READ_ONCE(*kmcl_nt_sized(p, USHORT))
#define ReadAcquire64(p)		kmcl_nt_acquire(kmcl_nt_sized(p, LONG64))
#define ReadNoFence64(p)		READ_ONCE(*kmcl_nt_sized(p, LONG64))
#define ReadULong64Acquire(p)		kmcl_nt_acquire(kmcl_nt_sized(p, ULONG64))
#define ReadULong64NoFence(p)		READ_ONCE(*kmcl_nt_sized(p, ULONG64))
#define ReadPointerAcquire(p)		kmcl_nt_acquire(kmcl_nt_pointer(p))
#define ReadPointerNoFence(p)		READ_ONCE(*kmcl_nt_pointer(p))

#define WriteRelease(p, v)		kmcl_nt_release(kmcl_nt_sized(p, LONG), (v))
#define WriteNoFence(p, v)		WRITE_ONCE(*kmcl_nt_sized(p, LONG), (v))
#define WriteRaw(p, v)			WRITE_ONCE(*kmcl_nt_sized(p, LONG), (v))
#define WriteULongRelease(p, v)		kmcl_nt_release(kmcl_nt_sized(p, ULONG), (v))
#define WriteULongNoFence(p, v)		WRITE_ONCE(*kmcl_nt_sized(p, ULONG), (v))
#define WriteRelease64(p, v)		kmcl_nt_release(kmcl_nt_sized(p, LONG64), (v))
#define WriteNoFence64(p, v)		WRITE_ONCE(*kmcl_nt_sized(p, LONG64), (v))
#define WriteULong64Release(p, v)	kmcl_nt_release(kmcl_nt_sized(p, ULONG64), (v))
#define WriteULong64NoFence(p, v)	WRITE_ONCE(*kmcl_nt_sized(p, ULONG64), (v))
#define WritePointerRelease(p, v)	kmcl_nt_release(kmcl_nt_pointer(p), (PVOID)(v))
#define WritePointerNoFence(p, v)	WRITE_ONCE(*kmcl_nt_pointer(p), (PVOID)(v))

/* The driver says what it orders. */
#define KeMemoryBarrier()		smp_mb()
#define MemoryBarrier()			KeMemoryBarrier()
#define KeMemoryBarrierWithoutFence()	barrier()

#endif /* _KMCL_NT_EX_INTERLOCKED_H */
