/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What no text of the library's may say: where anything is in the kernel's memory, and what stands
 * there besides. A case collects the addresses of what is alive, and reads what people see.
 */
#ifndef _KMCL_SECRET_H
#define _KMCL_SECRET_H

#include <kunit/test.h>
#include "kmcl.h"

#define SECRETS		256u
#define SECRET_GUIDS	8u

/**
 * struct secrets - what is to be looked for, and what is no secret
 * @test: the case
 * @count: of addresses
 * @of: addresses of objects that are alive
 * @guids: that may be shown; all other text of that form is somebody's memory
 * @known: how many
 * @looked: texts that were searched
 * @found: what was in the last of them
 */
struct secrets {
	struct kunit *test;
	u32 count;
	unsigned long of[SECRETS];
	guid_t guids[SECRET_GUIDS];
	u32 known;
	u32 looked;
	char found[64];
};

struct secrets *secrets_new(struct kunit *test);
void secret_add(struct secrets *s, const void *address);
/* A channel, and all that hangs on it now: driver, link, rings, packets, GPADLs. */
void secret_add_channel(struct secrets *s, struct kmcl_channel *kch);
void secret_know_guid(struct secrets *s, const void *guid);

/*
 * What @text should not say: one of the addresses, in whichever form; any other number that
 * is one; a GUID of nobody; what is no text. NULL: nothing of that.
 */
const char *secret_in(struct secrets *s, const char *text);

#define secret_expect_none(s, text, where)				\
	KUNIT_EXPECT_STREQ_MSG((s)->test, secret_in(s, text) ?: "", "", "%s", where)

#endif
