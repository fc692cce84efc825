// SPDX-License-Identifier: GPL-2.0
/*
 * Reading the kernel log from inside a case.
 */
#include <linux/string.h>
#include "kmsg.h"

/**
 * kmsg_mark() - remember the end of the log as it is now
 * @k: the mark
 *
 * Context: may sleep.
 */
void kmsg_mark(struct kmsg *k)
{
	char line[256];
	size_t len;

	kmsg_dump_rewind(&k->from);
	while (kmsg_dump_get_line(&k->from, false, line, sizeof(line), &len))
		;
}

/**
 * kmsg_count() - count lines since a mark
 * @k: the mark
 * @text: what they contain
 *
 * Context: may sleep.
 * Return: their number.
 */
unsigned int kmsg_count(const struct kmsg *k, const char *text)
{
	struct kmsg_dump_iter at = k->from;
	unsigned int n = 0;
	char line[256];
	size_t len;

	while (kmsg_dump_get_line(&at, false, line, sizeof(line) - 1, &len)) {
		line[len] = 0;
		if (strstr(line, text))
			n++;
	}
	return n;
}

/**
 * kmsg_text() - all lines since a mark
 * @k: the mark
 * @to: where they go, a string
 * @size: room there; what is more is left out
 *
 * Context: may sleep.
 */
void kmsg_text(const struct kmsg *k, char *to, size_t size)
{
	struct kmsg_dump_iter at = k->from;
	size_t len;

	while (size > 1 && kmsg_dump_get_line(&at, false, to, size - 1, &len)) {
		to += len;
		size -= len;
	}
	*to = 0;
}
