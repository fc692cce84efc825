/* SPDX-License-Identifier: GPL-2.0 */
/* What kmcl_fuzz is asked for: module parameters, and the cases. */
#ifndef _KUNIT_FUZZ_MODULE_H
#define _KUNIT_FUZZ_MODULE_H

#include "books.h"

extern unsigned int fuzz_seed;

/* Skip the case unless it is the one that was asked for. */
void fuzz_only(struct kunit *test, const char *what);
/* Another round? The log says which seed it is, should it be the last. */
bool fuzz_round(struct kunit *test, const char *what, u32 i);
void fuzz_totals(const char *what, u32 rounds, const struct totals *t);

void a_lying_host_hurts_nobody(struct kunit *test);
void a_lying_client_hurts_nobody(struct kunit *test);
void a_damaged_save_hurts_nobody(struct kunit *test);

#endif
