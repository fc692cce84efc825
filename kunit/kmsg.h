/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the library says: a case marks a place in the kernel log and counts the
 * lines behind it.
 *
 * Lines are rate limited at their source, ten in five seconds: a case that
 * provokes more of one kind sees fewer.
 */
#ifndef _KMCL_KMSG_H
#define _KMCL_KMSG_H

#include <linux/kmsg_dump.h>

struct kmsg {
	struct kmsg_dump_iter from;
};

void kmsg_mark(struct kmsg *k);
unsigned int kmsg_count(const struct kmsg *k, const char *text);
void kmsg_text(const struct kmsg *k, char *to, size_t size);

/* @n lines since the mark contain @text. */
#define kmsg_expect(test, k, n, text)	KUNIT_EXPECT_EQ(test, kmsg_count(k, text), n)

#endif
