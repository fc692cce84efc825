/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Interrupt request levels, told from the context that Linux is really in.
 *
 * PASSIVE_LEVEL is process context that may sleep, DISPATCH_LEVEL is softirq or
 * a section that must not sleep, everything above is hard interrupt or
 * interrupts off.  Nothing is stored: there is no level that could be wrong.
 *
 * A thread may raise itself to DISPATCH_LEVEL (softirqs off) and come back.
 * APC_LEVEL is PASSIVE_LEVEL, there being no APCs, and nothing goes above
 * DISPATCH_LEVEL, because no code of a driver runs in hard interrupt.
 */
#ifndef _KMCL_NT_KE_IRQL_H
#define _KMCL_NT_KE_IRQL_H

#include <linux/bottom_half.h>
#include <linux/bug.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/preempt.h>

#include <ntdef.h>

typedef UCHAR KIRQL, *PKIRQL;

#define PASSIVE_LEVEL	0
#define APC_LEVEL	1
#define DISPATCH_LEVEL	2
#define HIGH_LEVEL	15

/**
 * KeGetCurrentIrql() - the level of the caller
 *
 * A kernel that does not count preemption cannot see a plain spin lock of Linux
 * code; the spin locks of <ke-spinlock.h> are seen everywhere.
 *
 * Context: any.
 * Return: PASSIVE_LEVEL, DISPATCH_LEVEL or HIGH_LEVEL.
 */
static inline KIRQL KeGetCurrentIrql(void)
{
	if (in_hardirq() || irqs_disabled())
		return HIGH_LEVEL;
	if (in_softirq() || (IS_ENABLED(CONFIG_PREEMPT_COUNT) && !preemptible()))
		return DISPATCH_LEVEL;
	return PASSIVE_LEVEL;
}

/* Returns the level before, for KeLowerIrql(). */
static inline KIRQL KfRaiseIrql(KIRQL NewIrql)
{
	KIRQL old = KeGetCurrentIrql();

	if (NewIrql >= DISPATCH_LEVEL && old < DISPATCH_LEVEL)
		local_bh_disable();
	return old;
}

static inline VOID KeLowerIrql(KIRQL NewIrql)
{
	if (NewIrql < DISPATCH_LEVEL && KeGetCurrentIrql() == DISPATCH_LEVEL)
		local_bh_enable();
}

#define KeRaiseIrql(NewIrql, OldIrql)	(*(OldIrql) = KfRaiseIrql(NewIrql))
#define KeRaiseIrqlToDpcLevel()		KfRaiseIrql(DISPATCH_LEVEL)

#define PAGED_CODE() might_sleep()

/* There are no APCs that it would hold off. */
#define KeEnterCriticalRegion()		((void)0)
#define KeLeaveCriticalRegion()		((void)0)

#endif /* _KMCL_NT_KE_IRQL_H */
