// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include "wrap.h"

#ifdef CONFIG_FAULT_INJECTION
#define FAR	(1u << 20)

struct wrap_watch wrap_begin(void)
{
	struct wrap_watch watch = {};

	if (!in_task())
		return watch;
	watch.mine = !current->fail_nth;
	if (watch.mine)
		current->fail_nth = FAR;
	watch.nth = current->fail_nth;
	return watch;
}

static void count(struct wrap *w, struct wrap_watch watch)
{
	unsigned int now = current->fail_nth;

	if (!watch.nth)
		return;
	if (watch.mine)
		current->fail_nth = 0;
	else if (watch.nth <= FAR / 2)
		w->tried++;
	/* a callback may have begun or ended a sweep */
	if (now > watch.nth || (!now && watch.nth > FAR / 2))
		return;
	if (now)
		w->sites = max(w->sites, watch.nth - now);
	else
		w->failed = max(w->failed, watch.nth);
}
#else
struct wrap_watch wrap_begin(void)
{
	return (struct wrap_watch) {};
}

static void count(struct wrap *w, struct wrap_watch watch)
{
}
#endif

static DEFINE_SPINLOCK(lock);
static struct wrap *all;

void wrap_end(struct wrap *w, struct wrap_watch watch, NTSTATUS value)
{
	unsigned long flags;
	unsigned int i;

	count(w, watch);
	spin_lock_irqsave(&lock, flags);
	for (i = 0; i < w->seen; i++)
		if (w->value[i] == value)
			break;
	if (i == w->seen && i < WRAP_VALUES) {
		w->value[w->seen++] = value;
		if (!i) {
			w->next = all;
			all = w;
		}
	}
	spin_unlock_irqrestore(&lock, flags);
}

static int __init wrap_init(void)
{
	return 0;
}

static void __exit wrap_exit(void)
{
	struct wrap *w;
	unsigned int i;

	for (w = all; w; w = w->next) {
		if (IS_ENABLED(CONFIG_FAULT_INJECTION))
			pr_info("kmcl_allocations: %s %u %u %u\n", w->name, w->sites,
				w->failed, w->tried);
		for (i = 0; i < w->seen; i++)
			if (w->nothing)
				pr_info("kmcl_calls: %s %s\n", w->name,
					w->value[i] ? "zero" : "called");
			else
				pr_info("kmcl_calls: %s %#010x\n", w->name, w->value[i]);
	}
}

module_init(wrap_init);
module_exit(wrap_exit);
