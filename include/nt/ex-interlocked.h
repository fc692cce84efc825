/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Interlocked operations on plain integers: fully ordered, as on Windows.
 */
#ifndef _KMCL_NT_EX_INTERLOCKED_H
#define _KMCL_NT_EX_INTERLOCKED_H

#include <linux/atomic.h>
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

/* These return the value after. */
#define InterlockedIncrement(p)		atomic_inc_return(kmcl_nt_atomic(p))
#define InterlockedDecrement(p)		atomic_dec_return(kmcl_nt_atomic(p))
#define InterlockedIncrement64(p)	atomic64_inc_return(kmcl_nt_atomic64(p))

/* These return the value before. */
#define InterlockedExchange(p, v)	atomic_xchg(kmcl_nt_atomic(p), (v))
#define InterlockedExchange64(p, v)	atomic64_xchg(kmcl_nt_atomic64(p), (v))
#define InterlockedExchangeAdd64(p, v)	atomic64_fetch_add((v), kmcl_nt_atomic64(p))

/* Acquire pairs with any of the above; the other is for statistics. */
#define ReadAcquire(p)			atomic_read_acquire(kmcl_nt_atomic(p))
#define ReadNoFence64(p)		atomic64_read(kmcl_nt_atomic64(p))

#endif /* _KMCL_NT_EX_INTERLOCKED_H */
