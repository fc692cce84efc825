// SPDX-License-Identifier: GPL-2.0
/* A storm over the loopback, for kernels that have no KUnit: the log says what came of it. */
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>
#include "storm.h"

#define ROUND	60u

static unsigned int seconds = 10;
module_param(seconds, uint, 0444);
MODULE_PARM_DESC(seconds, "blow for so long");

static struct task_struct *task;

static int alone(void *unused)
{
	unsigned int left = seconds;
	bool ok = true;

	while (ok && left && !kthread_should_stop()) {
		ok = storm_blow(NULL, min(left, ROUND), true);
		left -= min(left, ROUND);
	}
	pr_info("kmcl_storm: after %u s: %s\n", seconds - left, ok ? "balanced" : "FAILED");
	while (!kthread_should_stop())
		schedule_timeout_interruptible(HZ / 10);
	return 0;
}

static int __init storm_init(void)
{
	task = kthread_run(alone, NULL, "kmcl_storm");
	return PTR_ERR_OR_ZERO(task);
}

static void __exit storm_exit(void)
{
	kthread_stop(task);
}

module_init(storm_init);
module_exit(storm_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KMCL: everything at once and at random");
