/* SPDX-License-Identifier: GPL-2.0 */
/* A primary and its sub-channels, for the suites about them. */
#ifndef _KUNIT_SUBS_H
#define _KUNIT_SUBS_H

#include "fixture.h"

#define SOME		8	/* packets that subs_send() sends */

/* A state callback: what happened to all of them, in order, is one story. */
void subs_tell(struct vsc *v, enum vsc_event event);

/*
 * The story so far, which begins anew: letters of enum vsc_event, upper case for
 * the primary and lower case for a sub-channel.
 */
void subs_expect_story(struct kunit *test, const char *letters);

/* The same, when only how many there are and the last of them are certain. */
void subs_expect_end(struct kunit *test, unsigned int letters, const char *end);

bool subs_is_disabled(struct vsc *v);
bool subs_is_running(struct vsc *v);

/* A primary, not offered yet, and the beginning of a story. */
struct vsc *subs_primary(struct kunit *test);
/* A sub-channel of the primary, not offered yet. */
struct vsc *subs_new(struct vsc *primary, u16 index);
/* Both in traffic, with an empty story. */
struct vsc *subs_bring_up(struct vsc *primary, u16 index);

/* Enable it, for a helper thread or a callback; the status is in its @priv. */
void subs_enable(void *sub);

int subs_done(struct vsc *v);
void subs_send(struct vsc *v, u32 flags);
void subs_expect_traffic(struct vsc *v);

#endif
