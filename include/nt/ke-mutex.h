/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a thread waits for with KeWaitForSingleObject() and gives back: mutexes
 * with an owner, who may take them again, and semaphores.
 *
 * Lockdep does not see them.  A driver that does not wait for several objects at
 * a time is better off with a FAST_MUTEX, <ex-mutex.h>.
 */
#ifndef _KMCL_NT_KE_MUTEX_H
#define _KMCL_NT_KE_MUTEX_H

#include <ke-wait.h>

typedef struct _KMUTANT {
	DISPATCHER_HEADER Header;
} KMUTANT, *PKMUTANT, *PRKMUTANT, KMUTEX, *PKMUTEX, *PRKMUTEX;

typedef struct _KSEMAPHORE {
	DISPATCHER_HEADER Header;
	LONG Limit;
} KSEMAPHORE, *PKSEMAPHORE, *PRKSEMAPHORE;

/* @Level is ignored on Windows too. */
#define KeInitializeMutex(Mutex, Level)						\
	kmcl_nt_header_init(&(Mutex)->Header, KMCL_NT_OWNED, 1)

#define KeInitializeSemaphore(Semaphore, Count, MaximumCount)			\
do {										\
	PRKSEMAPHORE __s = (Semaphore);						\
										\
	kmcl_nt_header_init(&__s->Header, KMCL_NT_COUNTS, Count);		\
	__s->Limit = (MaximumCount);						\
} while (0)

/* 1 when it is free, else 0 or less. */
static inline LONG KeReadStateMutex(PRKMUTEX Mutex)
{
	return READ_ONCE(Mutex->Header.SignalState);
}

static inline LONG KeReadStateSemaphore(PRKSEMAPHORE Semaphore)
{
	return READ_ONCE(Semaphore->Header.SignalState);
}

/**
 * KeReleaseMutex() - undo one wait that was satisfied
 * @Mutex: a mutex that the caller owns; a foreign one (on Windows an exception)
 *         stays as it is, and one rate-limited line says so
 * @Wait: ignored
 *
 * Context: process.
 * Return: the state before; 0 means that it is free now.
 */
LONG KeReleaseMutex(PRKMUTEX Mutex, BOOLEAN Wait);

/**
 * KeReleaseSemaphore() - let @Adjustment more waits be satisfied
 * @Semaphore: the semaphore; a sum above its limit (on Windows an exception)
 *             leaves it as it is, and one rate-limited line says so
 * @Increment: ignored
 * @Adjustment: from 1
 * @Wait: ignored
 *
 * Context: any.
 * Return: the state before.
 */
LONG KeReleaseSemaphore(PRKSEMAPHORE Semaphore, KPRIORITY Increment, LONG Adjustment,
			BOOLEAN Wait);

#endif /* _KMCL_NT_KE_MUTEX_H */
