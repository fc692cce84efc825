/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rundown protection: who got it may use an object, and who wants to take the
 * object away waits until nobody does.
 */
#ifndef _KMCL_NT_EX_RUNDOWN_H
#define _KMCL_NT_EX_RUNDOWN_H

#include <linux/atomic.h>
#include <linux/completion.h>

#include <ntdef.h>

#define KMCL_NT_RUNDOWN_BEGUN	1
#define KMCL_NT_RUNDOWN_USER	2

typedef struct _EX_RUNDOWN_REF {
	/* KMCL_NT_RUNDOWN_USER for each user, and _BEGUN. */
	atomic_t Count;
	struct completion Over;
} EX_RUNDOWN_REF, *PEX_RUNDOWN_REF;

/* A macro, for the lockdep class. */
#define ExInitializeRundownProtection(RunRef)					\
do {										\
	PEX_RUNDOWN_REF __r = (RunRef);						\
										\
	atomic_set(&__r->Count, 0);						\
	init_completion(&__r->Over);						\
} while (0)

/* FALSE: the rundown has begun.  Context: any. */
static inline BOOLEAN ExAcquireRundownProtection(PEX_RUNDOWN_REF RunRef)
{
	int count = atomic_read(&RunRef->Count);

	do {
		if (count & KMCL_NT_RUNDOWN_BEGUN)
			return FALSE;
	} while (!atomic_try_cmpxchg(&RunRef->Count, &count, count + KMCL_NT_RUNDOWN_USER));
	return TRUE;
}

/* Context: any. */
static inline VOID ExReleaseRundownProtection(PEX_RUNDOWN_REF RunRef)
{
	if (atomic_sub_return(KMCL_NT_RUNDOWN_USER, &RunRef->Count) == KMCL_NT_RUNDOWN_BEGUN)
		complete_all(&RunRef->Over);
}

/* Begins the rundown, once, and waits for its end.  Context: process, may sleep. */
static inline VOID ExWaitForRundownProtectionRelease(PEX_RUNDOWN_REF RunRef)
{
	if (!atomic_fetch_or(KMCL_NT_RUNDOWN_BEGUN, &RunRef->Count))
		complete_all(&RunRef->Over);
	wait_for_completion(&RunRef->Over);
}

/* After a rundown alone. */
static inline VOID ExReInitializeRundownProtection(PEX_RUNDOWN_REF RunRef)
{
	reinit_completion(&RunRef->Over);
	atomic_set(&RunRef->Count, 0);
}

#define ExRundownCompleted(RunRef) ((void)(RunRef))

#endif /* _KMCL_NT_EX_RUNDOWN_H */
