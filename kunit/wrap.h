/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Wrappers around the functions of an API that take notes of what the suites call
 * and what comes back: written to the log when the suites are unloaded, a line for
 * each function and status, for scripts/functions.py.
 *
 * A suite is linked with --wrap for each of the functions: where it calls one, it
 * calls what these macros define, which call the function. So a status counts as
 * provoked only when a case has really seen it. The library's calls of itself are not
 * counted, nor are those through a table.
 *
 * On a kernel that can let allocations fail each call is also asked how many it makes
 * on the caller's thread: a case that lets the n-th fail has tried that site of the
 * function; in all other calls one that is too far off to be met counts them. What
 * callbacks of the suites allocate is among them.
 */
#ifndef _KUNIT_WRAP_H
#define _KUNIT_WRAP_H

#include <ntddk.h>

#define WRAP_VALUES	24		/* that one function returns, at most */

/**
 * struct wrap - the notes about one function
 * @name: its name
 * @nothing: what it returns, if anything, is no status: whether that is 0 is noted
 * @seen: values that it has returned
 * @value: these
 * @sites: allocations within a call, at most
 * @failed: the last of them that has failed
 * @tried: calls in which one was to fail
 * @next: the notes about another function
 */
struct wrap {
	const char *name;
	bool nothing;
	unsigned int seen;
	NTSTATUS value[WRAP_VALUES];
	unsigned int sites;
	unsigned int failed;
	unsigned int tried;
	struct wrap *next;
};

/* The failure that is still to come on this thread, and whose idea it is. */
struct wrap_watch {
	unsigned int nth;
	bool mine;
};

struct wrap_watch wrap_begin(void);
void wrap_end(struct wrap *w, struct wrap_watch watch, NTSTATUS value);

/* A function that is not built is a weak symbol: no case calls it. */
#define WRAP_DECLARE(what)							\
	extern typeof(what) __wrap_##what;					\
	extern typeof(what) __real_##what __weak;

#define WRAP(type, what, params, args, is_status, noted)			\
	WRAP_DECLARE(what)							\
	type __wrap_##what params						\
	{									\
		static struct wrap notes = { .name = #what, .nothing = !(is_status) }; \
		struct wrap_watch watch = wrap_begin();				\
		type value = __real_##what args;				\
										\
		wrap_end(&notes, watch, noted);					\
		return value;							\
	}

#define WRAP_STATUS(what, params, args)						\
	WRAP(NTSTATUS, what, params, args, true, value)
/* Returns something else that is told by its number. */
#define WRAP_NUMBER(type, what, params, args)					\
	WRAP(type, what, params, args, true, (NTSTATUS)value)
/* Returns something else: whether it is 0 is noted. */
#define WRAP_VALUE(type, what, params, args)					\
	WRAP(type, what, params, args, false, !value)

#define WRAP_NOTHING(what, params, args)					\
	WRAP_DECLARE(what)							\
	void __wrap_##what params						\
	{									\
		static struct wrap notes = { .name = #what, .nothing = true };	\
		struct wrap_watch watch = wrap_begin();				\
										\
		__real_##what args;						\
		wrap_end(&notes, watch, 0);					\
	}

#endif
