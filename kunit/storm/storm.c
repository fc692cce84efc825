// SPDX-License-Identifier: GPL-2.0
/*
 * A storm over the loopback, or over a bus that another module provides: who does
 * what, and the verdict.
 */
#include <linux/delay.h>
#include <linux/kmod.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/debug.h>
#include <linux/slab.h>
#include <linux/umh.h>
#include "storm.h"

/* Nothing that a thread does may take longer, on a machine with other work to do. */
#define STUCK	(100 * HZ)
#define LONG	20u		/* seconds */

static u32 seed;		/* of the last storm */

/* ---- threads ---- */

static int thread_main(void *data)
{
	struct storm_thread *t = data;
	struct rnd_state rnd;
	u32 us;

	prandom_seed_state(&rnd, t->seed);
	while (!READ_ONCE(t->storm->stop)) {
		t->once(t->end, &rnd);
		us = prandom_u32_state(&rnd) % (t->pause_ms * USEC_PER_MSEC);
		usleep_range(us, us + 50);
	}
	complete(&t->done);
	return 0;
}

/* @once again and again, up to @pause_ms between. */
bool storm_thread(struct storm *s, struct storm_end *e, const char *name,
		  void (*once)(struct storm_end *e, struct rnd_state *rnd), u32 pause_ms)
{
	struct storm_thread *t;

	if (s->nr_threads == STORM_THREADS)
		return false;
	t = &s->threads[s->nr_threads];
	*t = (struct storm_thread) {
		.storm = s,
		.end = e,
		.once = once,
		.pause_ms = pause_ms,
		.seed = s->seed * STORM_THREADS + s->nr_threads,
		.name = name,
	};
	init_completion(&t->done);
	t->task = kthread_run(thread_main, t, "storm_%s", name);
	if (IS_ERR(t->task))
		return false;
	s->nr_threads++;
	return true;
}

/* False: a thread is stuck, and everything that it uses has to stay. */
bool storm_stop(struct storm *s)
{
	bool ok = true;
	u32 i;

	WRITE_ONCE(s->stop, true);
	for (i = 0; i < s->nr_threads; i++) {
		if (wait_for_completion_timeout(&s->threads[i].done, STUCK))
			continue;
		pr_err("kmcl_storm: STUCK: thread %s\n", s->threads[i].name);
		sched_show_task(s->threads[i].task);
		ok = false;
	}
	if (!ok)
		__module_get(THIS_MODULE);
	return ok;
}

/* ---- a driver that comes and goes ---- */

static int unload(const char *name)
{
	char *argv[4], *envp[] = { NULL };

	argv[0] = "/sbin/modprobe";
	argv[1] = "-r";
	argv[2] = (char *)name;
	argv[3] = NULL;
	return call_usermodehelper(argv[0], argv, envp, UMH_WAIT_PROC);
}

static void load_and_unload(struct storm_end *e, struct rnd_state *rnd)
{
	if (request_module("kmcl_storm_client"))
		return;
	schedule_timeout_uninterruptible(msecs_to_jiffies(prandom_u32_state(rnd) % 40));
	if (!unload("kmcl_storm_client"))
		atomic_inc(&e->storm->unloads);
}

/* ---- all of it ---- */

static bool start(struct storm *s, struct storm_end *server, struct storm_end *client,
		  struct storm_end *other, bool modules)
{
	return storm_thread(s, client, "send", storm_send, 2) &&
	       storm_thread(s, client, "send2", storm_send, 3) &&
	       storm_thread(s, server, "send_back", storm_send, 3) &&
	       storm_thread(s, client, "live", storm_live, 20) &&
	       storm_thread(s, client, "live2", storm_live, 50) &&
	       storm_thread(s, server, "live_server", storm_live, 70) &&
	       storm_thread(s, other, "live_other", storm_live, 50) &&
	       storm_thread(s, server, "service", storm_service, 50) &&
	       storm_thread(s, other, "service2", storm_service, 150) &&
	       (!modules || storm_thread(s, other, "modules", load_and_unload, 20));
}

/* Those who complete go on until every channel is disabled, which waits for them. */
static bool completers(struct storm *s, struct storm_end *server, struct storm_end *client,
		       struct storm_end *other)
{
	return storm_thread(s, server, "complete", storm_complete, 30) &&
	       storm_thread(s, client, "complete2", storm_complete, 30) &&
	       storm_thread(s, other, "complete3", storm_complete, 5);
}

struct all {
	struct storm storm;
	struct storm completing;
	struct storm_end server;
	struct storm_end client;
	struct storm_end other;
};

static bool blow(struct all *a, u32 for_seconds, bool modules)
{
	struct storm *s = &a->storm;
	bool ok;

	a->server.type = storm_type;
	a->client.type = storm_type;
	a->other.type = storm_type;
	a->server.instance = storm_instance(STORM_FIRST);
	a->client.instance = a->server.instance;
	a->other.instance = storm_instance(STORM_MODULE);
	ok = !storm_end_init(&a->server, s, true) && !storm_end_init(&a->client, s, false) &&
	     !storm_end_init(&a->other, s, true);
	if (!ok)
		goto drop;
	ok = completers(&a->completing, &a->server, &a->client, &a->other) &&
	     start(s, &a->server, &a->client, &a->other, modules);
	if (ok)
		schedule_timeout_uninterruptible(for_seconds * HZ);
	if (!storm_stop(s))
		return false;
	if (modules)
		unload("kmcl_storm_client");
	if (ok) {
		VmbChannelEnable(a->server.ch);
		VmbChannelStart(a->server.ch);
		ok = storm_answers(&a->client);
		if (!ok)
			pr_err("kmcl_storm: no answer after the storm\n");
	}
drop:
	if (a->client.ch)
		VmbChannelDisable(a->client.ch);
	if (a->server.ch)
		VmbChannelDisable(a->server.ch);
	if (a->other.ch)
		VmbChannelDisable(a->other.ch);
	if (!storm_stop(&a->completing))
		return false;
	pr_info("kmcl_storm: %u s: %d saves, %d of them restored; %d unloads\n", for_seconds,
		atomic_read(&s->saves), atomic_read(&s->adopted), atomic_read(&s->unloads));
	/* in so long a time everything has happened */
	if (for_seconds >= LONG)
		ok &= atomic_read(&s->adopted) && atomic_read(&a->other.received) &&
		      (!modules || atomic_read(&s->unloads));
	ok &= storm_balanced(&a->client, "client");
	ok &= storm_balanced(&a->server, "server");
	ok &= storm_balanced(&a->other, "the module's server");
	storm_end_drop(&a->client);
	storm_end_drop(&a->server);
	storm_end_drop(&a->other);
	return ok;
}

/**
 * storm_blow() - a storm
 * @bus: of the servers' clients; NULL: the loopback
 * @for_seconds: how long
 * @modules: kmcl_storm_client.ko is there to be loaded
 *
 * Return: true when nothing was stuck, somebody answers afterwards, and the books
 * balance.
 */
bool storm_blow(const char *bus, u32 for_seconds, bool modules)
{
	struct all *a = kvzalloc(sizeof(*a), GFP_KERNEL);
	bool ok;

	if (!a)
		return false;
	a->storm.seed = ++seed;
	a->completing.seed = a->storm.seed + 1000;
	a->server.bus = bus;
	a->other.bus = bus;
	ok = blow(a, for_seconds, modules);
	/* what is stuck goes on using it */
	if (ok)
		kvfree(a);
	return ok;
}
