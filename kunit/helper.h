/* SPDX-License-Identifier: GPL-2.0 */
/* A thread for what may block in a case, waiting for what it brings about, and files. */
#ifndef _KMCL_HELPER_H
#define _KMCL_HELPER_H

#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include "sim/compat.h"

/**
 * struct helper - a thread that does one thing
 * @done: when it has
 * @fn: the thing
 * @arg: for @fn
 */
struct helper {
	struct completion done;
	void (*fn)(void *arg);
	void *arg;
};

static inline int helper_main(void *data)
{
	struct helper *h = data;

	h->fn(h->arg);
	complete(&h->done);
	return 0;
}

static inline bool helper_start(struct helper *h, void (*fn)(void *arg), void *arg)
{
	init_completion(&h->done);
	h->fn = fn;
	h->arg = arg;
	return !IS_ERR(kthread_run(helper_main, h, "kmcl_helper"));
}

/* Wait until it has returned; false: not in 20 s. */
static inline bool helper_join(struct helper *h)
{
	return wait_for_completion_timeout(&h->done, 20 * HZ);
}

/* Look every tick, for what wakes nobody, as long as a busy machine may take. */
#define becomes(condition)						\
({									\
	unsigned long end_ = jiffies + 20 * HZ;				\
	bool is_;							\
									\
	while (!(is_ = (condition)) && time_before(jiffies, end_))	\
		schedule_timeout_uninterruptible(1);			\
	is_;								\
})

/* filp_open() for a case, whose thread may have a root of its own. */
static inline struct file *open_path(const char *path, int flags)
{
	struct file *file = NULL;

	scoped_with_init_fs()
		file = filp_open(path, flags, 0);
	return file;
}

#endif
