/* SPDX-License-Identifier: GPL-2.0 */
/* The ends of the loopback's suites, here with a frame of their own around each case. */
#ifndef _KUNIT_HOSTED_END_H
#define _KUNIT_HOSTED_END_H

#define end_init	loopback_init
#define end_exit	loopback_exit
#include "../loopback/end.h"
#undef end_init
#undef end_exit

int end_init(struct kunit *test);
void end_exit(struct kunit *test);

#endif
