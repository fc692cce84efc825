/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Locks that may sleep: fast and guarded mutexes are Linux's mutex, push locks
 * its rw_semaphore.  Lockdep sees all of them.  None may be taken twice by one
 * thread, as on Windows.  ERESOURCE, which may, is not here.
 */
#ifndef _KMCL_NT_EX_MUTEX_H
#define _KMCL_NT_EX_MUTEX_H

#include <linux/mutex.h>
#include <linux/rwsem.h>

#include <ntdef.h>

typedef struct _FAST_MUTEX {
	/* The driver says what it protects. */
	struct mutex Lock;
} FAST_MUTEX, *PFAST_MUTEX, KGUARDED_MUTEX, *PKGUARDED_MUTEX;

typedef struct _EX_PUSH_LOCK {
	struct rw_semaphore Lock;
} EX_PUSH_LOCK, *PEX_PUSH_LOCK;

/* Macros, for the lockdep classes. */
#define ExInitializeFastMutex(FastMutex)	mutex_init(&(FastMutex)->Lock)
#define ExAcquireFastMutex(FastMutex)		mutex_lock(&(FastMutex)->Lock)
#define ExAcquireFastMutexUnsafe(FastMutex)	mutex_lock(&(FastMutex)->Lock)
#define ExTryToAcquireFastMutex(FastMutex)	((BOOLEAN)mutex_trylock(&(FastMutex)->Lock))
#define ExReleaseFastMutex(FastMutex)		mutex_unlock(&(FastMutex)->Lock)
#define ExReleaseFastMutexUnsafe(FastMutex)	mutex_unlock(&(FastMutex)->Lock)

#define KeInitializeGuardedMutex(Mutex)		mutex_init(&(Mutex)->Lock)
#define KeAcquireGuardedMutex(Mutex)		mutex_lock(&(Mutex)->Lock)
#define KeTryToAcquireGuardedMutex(Mutex)	((BOOLEAN)mutex_trylock(&(Mutex)->Lock))
#define KeReleaseGuardedMutex(Mutex)		mutex_unlock(&(Mutex)->Lock)

#define ExInitializePushLock(PushLock)		init_rwsem(&(PushLock)->Lock)
#define ExAcquirePushLockExclusive(PushLock)	down_write(&(PushLock)->Lock)
#define ExReleasePushLockExclusive(PushLock)	up_write(&(PushLock)->Lock)
#define ExAcquirePushLockShared(PushLock)	down_read(&(PushLock)->Lock)
#define ExReleasePushLockShared(PushLock)	up_read(&(PushLock)->Lock)

#endif /* _KMCL_NT_EX_MUTEX_H */
