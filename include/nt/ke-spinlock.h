/* SPDX-License-Identifier: GPL-2.0 */
/*
 * NT spin locks: Linux spin locks that are taken with softirqs off, because
 * that is what DISPATCH_LEVEL keeps away.
 *
 * Each place that initialises one has its own lockdep class.  Unlike on Windows
 * a lock has to be initialised before use, zeroed memory is not enough.
 *
 * The in-stack queued forms are the same lock: Linux's spin locks queue.
 */
#ifndef _KMCL_NT_KE_SPINLOCK_H
#define _KMCL_NT_KE_SPINLOCK_H

#include <linux/spinlock.h>

#include <ke-irql.h>

typedef struct _KSPIN_LOCK {
	/* The driver says what it protects. */
	spinlock_t Lock;
} KSPIN_LOCK, *PKSPIN_LOCK;

typedef struct _KLOCK_QUEUE_HANDLE {
	PKSPIN_LOCK SpinLock;
	KIRQL OldIrql;
} KLOCK_QUEUE_HANDLE, *PKLOCK_QUEUE_HANDLE;

/* A macro, so that spin_lock_init() makes the class at the caller's place. */
#define KeInitializeSpinLock(SpinLock) spin_lock_init(&(SpinLock)->Lock)

static inline KIRQL KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK SpinLock)
	__acquires(&SpinLock->Lock)
{
	KIRQL old = KeGetCurrentIrql();

	spin_lock_bh(&SpinLock->Lock);
	return old;
}

#define KeAcquireSpinLock(SpinLock, OldIrql)					\
	(*(OldIrql) = KeAcquireSpinLockRaiseToDpc(SpinLock))

/* The kernel counts nesting itself; the old level is for the caller's eyes. */
static inline VOID KeReleaseSpinLock(PKSPIN_LOCK SpinLock, KIRQL OldIrql)
	__releases(&SpinLock->Lock)
{
	spin_unlock_bh(&SpinLock->Lock);
}

/* For callers that are at DISPATCH_LEVEL already. */
static inline VOID KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock)
	__acquires(&SpinLock->Lock)
{
	spin_lock(&SpinLock->Lock);
}

static inline VOID KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK SpinLock)
	__releases(&SpinLock->Lock)
{
	spin_unlock(&SpinLock->Lock);
}

/* A macro, so that sparse sees the condition. */
#define KeTryToAcquireSpinLockAtDpcLevel(SpinLock)				\
	((BOOLEAN)spin_trylock(&(SpinLock)->Lock))

static inline VOID KeAcquireInStackQueuedSpinLock(PKSPIN_LOCK SpinLock,
						  PKLOCK_QUEUE_HANDLE LockHandle)
	__acquires(&SpinLock->Lock)
{
	KIRQL old = KeAcquireSpinLockRaiseToDpc(SpinLock);

	LockHandle->SpinLock = SpinLock;
	LockHandle->OldIrql = old;
}

static inline VOID KeReleaseInStackQueuedSpinLock(PKLOCK_QUEUE_HANDLE LockHandle)
	__releases(&LockHandle->SpinLock->Lock)
{
	spin_unlock_bh(&LockHandle->SpinLock->Lock);
}

static inline VOID KeAcquireInStackQueuedSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock,
							    PKLOCK_QUEUE_HANDLE LockHandle)
	__acquires(&SpinLock->Lock)
{
	spin_lock(&SpinLock->Lock);
	LockHandle->SpinLock = SpinLock;
	LockHandle->OldIrql = DISPATCH_LEVEL;
}

static inline VOID KeReleaseInStackQueuedSpinLockFromDpcLevel(PKLOCK_QUEUE_HANDLE LockHandle)
	__releases(&LockHandle->SpinLock->Lock)
{
	spin_unlock(&LockHandle->SpinLock->Lock);
}

#endif /* _KMCL_NT_KE_SPINLOCK_H */
