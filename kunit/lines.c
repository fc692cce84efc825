// SPDX-License-Identifier: GPL-2.0
/*
 * A console that counts: some promises are about what is said, and how often.
 */
#include <linux/atomic.h>
#include <linux/console.h>
#include <linux/string.h>
#include "lines.h"

static const char *watched;
static atomic_t seen;

static void lines_write(struct console *con, const char *text, unsigned int len)
{
	if (strnstr(text, watched, len))
		atomic_inc(&seen);
}

static struct console lines_console = {
	.name = "lines",
	.write = lines_write,
	.index = -1,
};

/**
 * lines_watch - count lines from now on
 * @phrase: those that contain it, until lines_seen()
 */
void lines_watch(const char *phrase)
{
	watched = phrase;
	atomic_set(&seen, 0);
	/* unregistering clears it */
	lines_console.flags = CON_ENABLED;
	register_console(&lines_console);
}

/**
 * lines_seen - stop counting
 *
 * Return: how many lines there were since lines_watch().
 */
unsigned int lines_seen(void)
{
	unregister_console(&lines_console);
	return atomic_read(&seen);
}
