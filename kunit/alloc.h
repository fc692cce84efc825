/* SPDX-License-Identifier: GPL-2.0 */
/*
 * No memory: each step is repeated with its first, second, third ... allocation
 * failing, until it gets through without meeting the failure.
 *
 * A failure hits the task that asked for it and nobody else, so what the library
 * does on its own workqueues (an offer that arrives later, a rescind, growing
 * the pool) is not reached from here. The same code is: Enable with the offer
 * present opens on the caller's thread, and unbinding a device on the caller's
 * thread is the rescind's remove.
 *
 * Everything is kept below a page, where kvmalloc() has nothing to fall back to.
 */
#ifndef _KUNIT_ALLOC_H
#define _KUNIT_ALLOC_H

#include "fail.h"
#include "fixture.h"

/* How often what was tried has failed; an allocation of a debug kernel's own may not matter. */
extern unsigned int alloc_failures;

/* What a call may return when @met says that an allocation in it failed. */
void expect_status(struct vsc *v, NTSTATUS status, bool met);

/*
 * Repeat @what, which does one thing and checks what came of it. Fails the case
 * when the number of sites is not within bounds: a sweep that meets nothing
 * proves nothing.
 */
void sweep(struct kunit *test, void (*what)(struct vsc *v, unsigned int nth),
	   struct vsc *v, unsigned int least);

/* What @what says at its end: whether a failure was met. */
static inline void swept(struct vsc *v, bool met)
{
	v->priv = met ? NULL : v;
}

/* Skips the case on a kernel where no allocation can be had to fail. */
void alloc_needed(struct kunit *test);
int alloc_init(struct kunit *test);
void alloc_exit(struct kunit *test);
/* A driver that fits into pages. */
struct vsc *small_vsc(struct kunit *test);

#endif
