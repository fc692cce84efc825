// SPDX-License-Identifier: GPL-2.0
/*
 * The same work on both sides, in short batches that take turns. What is reported is
 * the minimum: on a user mode kernel that repeats, also beside other load.
 */
#include <linux/glob.h>
#include <linux/module.h>
#include "../fixture.h"
#include "bench.h"

#define ROUNDS		600
#define ROUNDS_NOT_TIME	2		/* what is counted is the same each time */
#define PHASES		6
#define BATCH		200

u8 payload[PAYLOAD_MOST];
u8 *external;

static char *only = "*";
module_param(only, charp, 0444);
MODULE_PARM_DESC(only, "the cases beside the in-tree pattern that shall run, as a glob");

static bool ours_only;
module_param(ours_only, bool, 0444);
MODULE_PARM_DESC(ours_only, "count no instructions of the in-tree pattern, for a profile of ours");

/* ---- batches ---- */

static int send(struct bench *b, struct side *s, unsigned int i)
{
	return b->external ? s->send_external(s, i, b->len) : s->send(s, i, b->len);
}

static void send_and_more(struct bench *b, struct side *s, bool answers)
{
	unsigned long before = s->answered;
	unsigned int i, failed = 0, n;

	if (!answers)
		meter_begin();
	for (i = 0; i < b->n; i++)
		failed |= send(b, s, i);
	if (!answers)
		meter_end();
	n = host_read(s, b->n);
	host_answer(s, n, b->external ? INLINE_BYTES : b->len);
	if (answers)
		meter_begin();
	hvsim_interrupt(s->host);
	if (answers)
		meter_end();
	KUNIT_ASSERT_EQ(b->test, failed, 0u);
	KUNIT_ASSERT_EQ(b->test, s->answered, before + b->n);
}

/* Sends into a ring that has room for them; the host does not look. */
static void batch_send(struct bench *b, struct side *s)
{
	send_and_more(b, s, false);
}

/* Answers that are in the ring, and one interrupt. */
static void batch_answers(struct bench *b, struct side *s)
{
	send_and_more(b, s, true);
}

/* Packets that are in the ring, each of them completed, and one interrupt. */
static void batch_receive(struct bench *b, struct side *s)
{
	unsigned long before = s->received;

	host_send(b->test, s, b->n, b->len);
	meter_begin();
	hvsim_interrupt(s->host);
	meter_end();
	KUNIT_ASSERT_EQ(b->test, host_read(s, b->n), b->n);
	KUNIT_ASSERT_EQ(b->test, s->received, before + b->n);
}

static struct ours *cold_ours;

static void batch_receive_cold(struct bench *b, struct side *s)
{
	unsigned long before = s->received;

	host_send(b->test, s, b->n, b->len);
	host_forget_cache(s);
	if (s == ours_side(cold_ours))
		ours_forget_cache(cold_ours);
	else
		intree_forget_cache();
	meter_begin();
	hvsim_interrupt(s->host);
	meter_end();
	KUNIT_ASSERT_EQ(b->test, host_read(s, b->n), b->n);
	KUNIT_ASSERT_EQ(b->test, s->received, before + b->n);
}

/* @b->burst at a time, while @b->window are in flight; the host's part included. */
static void batch_roundtrip(struct bench *b, struct side *s)
{
	unsigned long before = s->answered;
	unsigned int sent, i, failed = 0;

	meter_begin();
	for (sent = 0; sent < b->n; sent += b->burst) {
		for (i = 0; i < b->burst; i++) {
			failed |= send(b, s, b->first + s->next);
			if (++s->next >= b->window)
				s->next = 0;
		}
		meter_host_begin();
		host_read(s, b->burst);
		host_answer(s, b->burst, b->external ? INLINE_BYTES : b->len);
		meter_host_end();
		hvsim_interrupt(s->host);
	}
	meter_end();
	KUNIT_ASSERT_EQ(b->test, failed, 0u);
	KUNIT_ASSERT_EQ(b->test, s->answered, before + sent);
}

/* Have @count packets in flight, which the host has read. */
static void fill(struct kunit *test, struct side *s, unsigned int count, u32 len)
{
	unsigned int failed = 0, i;

	s->next = 0;
	while (s->next < count) {
		for (i = 0; i < 32 && s->next < count; i++)
			failed |= s->send(s, s->next++, len);
		host_read(s, i);
	}
	KUNIT_ASSERT_EQ(test, failed, 0u);
}

static void drain(struct side *s, u32 len)
{
	while (s->unanswered->count) {
		host_answer(s, 32, len);
		hvsim_interrupt(s->host);
	}
	s->next = 0;
}

/* ---- measuring ---- */

static u64 measure(struct bench *b, struct side *s)
{
	meter_read();
	b->batch(b, s);
	return meter_read();
}

/* The best of some batches, in hundredths for one operation. */
static s64 best(struct bench *b, struct side *s, unsigned int rounds)
{
	u64 least = U64_MAX;

	while (rounds--)
		least = min(least, measure(b, s));
	return div_u64(least * 100, b->n);
}

static const char *name_of(const struct bench *b, char *name, size_t size)
{
	if (b->batch == batch_roundtrip && !b->external)
		snprintf(name, size, "%s_%u_w%u", b->name, b->len, b->window);
	else
		snprintf(name, size, "%s_%u", b->name, b->len);
	return name;
}

static void count(struct bench *b, struct side *ours, struct side *intree, enum meter what,
		  const char *unit)
{
	unsigned int n = b->n;
	char name[40];
	s64 x, y;

	if (!meter_has(what))
		return;
	/* each instruction takes microseconds then */
	if (what == METER_INSTRUCTIONS)
		b->n = max(b->burst, 16u);
	meter_use(what);
	x = best(b, ours, ROUNDS_NOT_TIME);
	y = ours_only ? -1 : best(b, intree, ROUNDS_NOT_TIME);
	meter_use(METER_TIME);
	if (what == METER_INSTRUCTIONS)
		pr_info("kmcl_bench: operations %u\n",
			(ours_only ? 1 : 2) * ROUNDS_NOT_TIME * b->n);
	b->n = n;
	meter_row(name_of(b, name, sizeof(name)), unit, x, y);
}

static void take_turns(struct bench *b, struct side *ours, struct side *intree)
{
	u64 least_ours = U64_MAX, least_intree = U64_MAX;
	char name[40];
	unsigned int i;

	if (!meter_has(METER_TIME))
		return;
	for (i = 0; i < ROUNDS; i++) {
		least_ours = min(least_ours, measure(b, ours));
		least_intree = min(least_intree, measure(b, intree));
	}
	meter_row(name_of(b, name, sizeof(name)), "ns", div_u64(least_ours * 100, b->n),
		  div_u64(least_intree * 100, b->n));
}

static void compare(struct bench *b, struct side *ours, struct side *intree)
{
	char name[40];

	if (!glob_match(only, name_of(b, name, sizeof(name))))
		return;
	take_turns(b, ours, intree);
	count(b, ours, intree, METER_ALLOCATIONS, "allocations");
	count(b, ours, intree, METER_INSTRUCTIONS, "instructions");
}

/* ---- cases ---- */

/* Packets of @len bytes that fit into a ring. */
static unsigned int fitting(u32 len, unsigned int most)
{
	return min_t(unsigned int, most, RING_BYTES / (ALIGN(len, 8) + OVERHEAD) - 1);
}

static void sizes(struct bench *b, struct side *ours, struct side *intree, const char *name,
		  void (*batch)(struct bench *b, struct side *s))
{
	static const u32 all[] = { 16, 64, 512, 4096 };
	unsigned int i;

	b->name = name;
	b->batch = batch;
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		b->len = all[i];
		b->n = fitting(b->len, BATCH);
		compare(b, ours, intree);
	}
}

static void windows(struct bench *b, struct side *ours, struct side *intree)
{
	static const u32 all[] = { 16, 64, 512, 4096 };
	static const u32 window[] = { 1, 32, 1024 };
	unsigned int i, j;

	b->name = "roundtrip";
	b->batch = batch_roundtrip;
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		for (j = 0; j < ARRAY_SIZE(window); j++) {
			/* a window needs no other instructions, nor does a size that send lacks */
			if (meter_has(METER_INSTRUCTIONS) && (all[i] != 64 || window[j] > 32))
				continue;
			b->len = all[i];
			b->window = window[j];
			b->burst = min(b->window, 32u);
			b->n = ALIGN(BATCH, b->burst);
			fill(b->test, ours, b->window - b->burst, b->len);
			fill(b->test, intree, b->window - b->burst, b->len);
			compare(b, ours, intree);
			drain(ours, b->len);
			drain(intree, b->len);
		}
	}
}

static void externals(struct bench *b, struct side *ours, struct side *intree)
{
	static const u32 all[] = { 4096, EXTERNAL_MOST };
	unsigned int i;

	b->external = true;
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		b->len = all[i];
		b->n = BATCH;
		b->window = 1;
		b->burst = 1;
		b->name = "external_send";
		b->batch = batch_send;
		compare(b, ours, intree);
		b->name = "external_roundtrip";
		b->batch = batch_roundtrip;
		compare(b, ours, intree);
	}
	b->external = false;
}

/* ---- many in flight ---- */

/* What is in flight stays so while others come and go; and the other way round. */
static void park(struct side *s)
{
	swap(s->unanswered, s->parked);
	s->next = 0;
}

static void many_in_flight(struct bench *b, struct side *side[2])
{
	s64 one[2] = { S64_MAX, S64_MAX }, many[2] = { S64_MAX, S64_MAX };
	s64 turn1[2] = { S64_MAX, S64_MAX }, turn[2] = { S64_MAX, S64_MAX };
	unsigned int i, phase, n = ROUNDS / PHASES;

	if (!meter_has(METER_TIME))
		return;
	b->batch = batch_roundtrip;
	b->len = 64;
	for (phase = 0; phase < PHASES; phase++) {
		for (i = 0; i < 2; i++) {
			struct side *s = side[i];

			b->n = 192;
			b->window = 1;
			b->burst = 1;
			one[i] = min(one[i], best(b, s, n));
			b->window = 32;
			b->burst = 32;
			turn1[i] = min(turn1[i], best(b, s, n));

			fill(b->test, s, PARKED, b->len);
			park(s);
			b->first = PARKED;
			b->window = 1;
			b->burst = 1;
			many[i] = min(many[i], best(b, s, n));
			park(s);
			b->first = 0;

			/* all of them in turn; the burst is sent before the oldest is answered */
			s->next = PARKED;
			b->window = PARKED + 32;
			b->burst = 32;
			turn[i] = min(turn[i], best(b, s, n));
			drain(s, b->len);
		}
	}
	meter_row("inflight_1_of_1", "ns", one[0], one[1]);
	meter_row("inflight_1_of_16384", "ns", many[0], many[1]);
	meter_row("inflight_32_of_32", "ns", turn1[0], turn1[1]);
	meter_row("inflight_32_of_16384_in_turn", "ns", turn[0], turn[1]);
	meter_ratio("inflight_16384_to_1", many[0], one[0]);
}

static void beside_the_in_tree_pattern(struct kunit *test)
{
	struct bench b = { .test = test };
	struct side *ours, *intree;

	external = kunit_kzalloc(test, EXTERNAL_MOST, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, external);
	cold_ours = ours_new(test, WINDOW);
	ours = ours_side(cold_ours);
	intree = intree_new(test, WINDOW);
	meter_function("VmbPacketSend", VmbPacketSend);
	meter_function("vmbus_sendpacket", vmbus_sendpacket);
	meter_function("vmbus_link_send", ours_vsc(cold_ours)->kch->link->ops->send);
	meter_function("hvsim_interrupt", hvsim_interrupt);
	meter_function("ours_new", ours_new);

	sizes(&b, ours, intree, "send", batch_send);
	sizes(&b, ours, intree, "answer", batch_answers);
	windows(&b, ours, intree);
	sizes(&b, ours, intree, "receive", batch_receive);
	externals(&b, ours, intree);
	b.burst = 0;
	b.name = "receive_cold";
	b.batch = batch_receive_cold;
	b.len = 4096;
	b.n = 32;
	take_turns(&b, ours, intree);

	intree_free();
	ours_free(cold_ours);
}

static void with_many_in_flight(struct kunit *test)
{
	struct bench b = { .test = test };
	struct side *side[2];
	struct ours *o;

	external = kunit_kzalloc(test, EXTERNAL_MOST, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, external);
	o = ours_new(test, MOST);
	side[0] = ours_side(o);
	side[1] = intree_new(test, MOST);
	many_in_flight(&b, side);
	intree_free();
	run_queued(test, o);
	ours_free(o);
}

/* ---- the suite ---- */

static int suite_init(struct kunit *test)
{
	if (num_online_cpus() > 1)
		kunit_skip(test, "on several processors UML makes a system call of each irq-off");
	return vsc_suite_init(test);
}

static void suite_exit(struct kunit *test)
{
	if (num_online_cpus() == 1)
		vsc_suite_exit(test);
}

static void over_the_loopback(struct kunit *test)
{
	run_loopback(test);
}

static struct kunit_case cases[] = {
	KUNIT_CASE_SLOW(beside_the_in_tree_pattern),
	KUNIT_CASE_SLOW(with_many_in_flight),
	KUNIT_CASE_SLOW(over_the_loopback),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_bench",
	.suite_init = meter_init,
	.suite_exit = meter_exit,
	.init = suite_init,
	.exit = suite_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KMCL beside the in-tree pattern: ns, instructions and allocations per packet");
