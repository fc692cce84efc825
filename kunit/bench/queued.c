// SPDX-License-Identifier: GPL-2.0
/*
 * A ring that is always full: what the queue behind it costs.
 */
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/sort.h>
#include "../fixture.h"
#include "bench.h"

#define LEN		64
#define STEP		128		/* packets sent, and read, at a time */
#define STEPS		2		/* in a batch */
#define ROUNDS		1000
#define BEHIND		512		/* packets that wait, at the least */
#define DRAINED		1024
#define SAMPLES		500

struct queued {
	struct kunit *test;
	struct side *s;
	struct kmcl_channel *ch;
	unsigned int next;
	bool wait;			/* for answers */
};

static void send(struct queued *q, unsigned int n)
{
	int failed = 0;

	while (n--) {
		failed |= q->wait ? q->s->send(q->s, q->next, LEN) :
				    ours_send_away(q->s, q->next, LEN);
		if (++q->next == q->s->packets)
			q->next = 0;
	}
	KUNIT_ASSERT_EQ(q->test, failed, 0);
}

static void host(struct queued *q, unsigned int n)
{
	KUNIT_ASSERT_EQ(q->test, host_read(q->s, n), n);
	if (!q->wait)
		return;
	host_answer(q->s, n, LEN);
	hvsim_interrupt(q->s->host);
}

static void empty(struct queued *q)
{
	while (host_read(q->s, STEP)) {
		host_answer(q->s, q->s->packets, LEN);
		hvsim_interrupt(q->s->host);
	}
	KUNIT_ASSERT_FALSE(q->test, READ_ONCE(q->ch->tx.busy));
}

/* Until the ring is full and @behind packets wait. */
static void overfill(struct queued *q, unsigned int behind)
{
	while (!READ_ONCE(q->ch->tx.busy))
		send(q, 1);
	send(q, behind - 1);
}

static u64 batch(struct queued *q, bool full)
{
	unsigned int i;
	u64 t;

	t = ktime_get_ns();
	for (i = 0; i < STEPS; i++) {
		send(q, STEP);
		host(q, STEP);
	}
	t = ktime_get_ns() - t;
	/* nothing overtakes the queue: while there is one, all of them were in it */
	KUNIT_ASSERT_EQ(q->test, READ_ONCE(q->ch->tx.busy), full);
	return t;
}

static void throughput(struct queued *q, const char *what)
{
	u64 least[2] = { U64_MAX, U64_MAX };
	unsigned int phase, i, full;
	char name[40];

	for (phase = 0; phase < 10; phase++) {
		for (full = 0; full < 2; full++) {
			if (full)
				overfill(q, BEHIND);
			for (i = 0; i < ROUNDS / 10; i++)
				least[full] = min(least[full], batch(q, full));
			empty(q);
		}
	}
	for (full = 0; full < 2; full++) {
		snprintf(name, sizeof(name), "%s%s_%u", full ? "queued" : "unqueued", what, LEN);
		meter_row(name, "ns", div_u64(least[full] * 100, STEP * STEPS), -1);
	}
	snprintf(name, sizeof(name), "queued%s_throughput", what);
	meter_ratio(name, least[0], least[1]);
}

static int smaller(const void *a, const void *b)
{
	const u64 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* From the host's first look at a full ring until nothing is behind it any more. */
static void latency(struct queued *q)
{
	u64 *t = kunit_kzalloc(q->test, SAMPLES * sizeof(*t), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(q->test, t);
	for (i = 0; i < SAMPLES; i++) {
		overfill(q, DRAINED);
		t[i] = ktime_get_ns();
		while (READ_ONCE(q->ch->tx.busy) && host_read(q->s, 16))
			;
		t[i] = ktime_get_ns() - t[i];
		empty(q);
	}
	sort(t, SAMPLES, sizeof(*t), smaller, NULL);
	meter_row("drain_1024_p50", "ns", t[SAMPLES / 2] * 100, -1);
	meter_row("drain_1024_p99", "ns", t[SAMPLES * 99 / 100] * 100, -1);
}

static void allocations(struct queued *q)
{
	u64 least = U64_MAX, before;
	unsigned int i;

	if (!meter_has(METER_ALLOCATIONS))
		return;
	meter_use(METER_ALLOCATIONS);
	overfill(q, BEHIND);
	for (i = 0; i < 5; i++) {
		before = meter_allocations();
		batch(q, true);
		least = min(least, meter_allocations() - before);
	}
	empty(q);
	meter_use(METER_TIME);
	meter_row("queued_64", "allocations", div_u64(least * 100, STEP * STEPS), -1);
}

/* @o has enough packets to fill the ring and to have many behind it. */
void run_queued(struct kunit *test, struct ours *o)
{
	struct queued q = {
		.test = test,
		.s = ours_side(o),
		.ch = ours_vsc(o)->kch,
	};

	if (!meter_has(METER_TIME))
		return;
	throughput(&q, "_one_way");
	latency(&q);
	q.wait = true;
	throughput(&q, "");
	allocations(&q);
}
