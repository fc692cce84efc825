/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Time in units of 100 ns.
 *
 * A timeout is relative when it is negative, and otherwise the system time at
 * which it expires, counted from the year 1601.
 */
#ifndef _KMCL_NT_KE_TIME_H
#define _KMCL_NT_KE_TIME_H

#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/sched.h>
#include <linux/timekeeping.h>

#include <ntdef.h>

#define KMCL_NT_UNITS_PER_SECOND	10000000LL
#define KMCL_NT_NS_PER_UNIT		100
/* From 1601-01-01 to 1970-01-01. */
#define KMCL_NT_UNIX_EPOCH		116444736000000000LL
/* Windows' clock ticks 64 times a second. */
#define KMCL_NT_UNITS_PER_TICK		156250

/* Time since boot; never goes backwards, goes on while the machine sleeps. */
static inline ULONGLONG KeQueryInterruptTime(void)
{
	return div_u64(ktime_get_boottime_ns(), KMCL_NT_NS_PER_UNIT);
}

/* The same without the time that the machine slept. */
static inline ULONGLONG KeQueryUnbiasedInterruptTime(void)
{
	return div_u64(ktime_get_ns(), KMCL_NT_NS_PER_UNIT);
}

static inline VOID KeQuerySystemTime(PLARGE_INTEGER CurrentTime)
{
	CurrentTime->QuadPart = div_s64(ktime_get_real_ns(), KMCL_NT_NS_PER_UNIT) +
				KMCL_NT_UNIX_EPOCH;
}

#define KeQuerySystemTimePrecise(CurrentTime) KeQuerySystemTime(CurrentTime)

static inline ULONG KeQueryTimeIncrement(VOID)
{
	return KMCL_NT_UNITS_PER_TICK;
}

static inline VOID KeQueryTickCount(PLARGE_INTEGER TickCount)
{
	TickCount->QuadPart = div_u64(KeQueryInterruptTime(), KMCL_NT_UNITS_PER_TICK);
}

/* Ten million counts a second, as on Windows 10. */
static inline LARGE_INTEGER KeQueryPerformanceCounter(PLARGE_INTEGER PerformanceFrequency)
{
	LARGE_INTEGER now = { .QuadPart = KeQueryUnbiasedInterruptTime() };

	if (PerformanceFrequency)
		PerformanceFrequency->QuadPart = KMCL_NT_UNITS_PER_SECOND;
	return now;
}

/* Busy; Windows too asks for no more than 50 us. */
#define KeStallExecutionProcessor(MicroSeconds)	udelay(MicroSeconds)

/* Rounds up, so that a wait is never shorter than it was asked to be. */
static inline long kmcl_nt_timeout_jiffies(PLARGE_INTEGER timeout)
{
	LARGE_INTEGER now;
	LONGLONG units;
	u64 j;

	if (!timeout)
		return MAX_SCHEDULE_TIMEOUT;

	if (timeout->QuadPart <= 0) {
		units = timeout->QuadPart == S64_MIN ? S64_MAX : -timeout->QuadPart;
	} else {
		KeQuerySystemTime(&now);
		units = timeout->QuadPart - now.QuadPart;
	}
	if (units <= 0)
		return 0;
	if (units > S64_MAX / KMCL_NT_NS_PER_UNIT)
		return MAX_SCHEDULE_TIMEOUT - 1;

	j = nsecs_to_jiffies64(units * KMCL_NT_NS_PER_UNIT) + 1;
	return min_t(u64, j, MAX_SCHEDULE_TIMEOUT - 1);
}

#endif /* _KMCL_NT_KE_TIME_H */
