// SPDX-License-Identifier: GPL-2.0
/*
 * Many packets at a time: windows of packets in flight, and what happens when
 * the outgoing ring is full.
 */
#include <linux/kthread.h>
#include <linux/slab.h>
#include "fixture.h"

/* ---- windows ---- */

/* 100,000 in all under KASAN, where each costs twenty times as much. */
#define MANY	(IS_ENABLED(CONFIG_KASAN) ? 34000 : 100000)

struct flight {
	struct stream *stream;
	VMBPACKET packet;
	u64 number;
	struct flight *next;
};

struct stream {
	struct vsc *v;
	spinlock_t lock;		/* idle */
	struct flight *idle;
	int done;
	int bad;
};

static struct flight *take_idle(struct stream *s)
{
	struct flight *f;

	spin_lock_bh(&s->lock);
	f = s->idle;
	if (f)
		s->idle = f->next;
	spin_unlock_bh(&s->lock);
	return f;
}

static void put_idle(struct flight *f)
{
	struct stream *s = f->stream;

	spin_lock_bh(&s->lock);
	f->next = s->idle;
	s->idle = f;
	spin_unlock_bh(&s->lock);
}

static VOID on_landed(VMBPACKET packet, PVOID context, NTSTATUS status, PVOID buf, UINT32 len)
{
	struct flight *f = context;
	struct stream *s = f->stream;
	const u64 *echo = buf;

	if (packet != f->packet || status || len != 16 || echo[0] != f->number ||
	    echo[1] != ~f->number)
		s->bad++;
	s->done++;
	put_idle(f);
	wake_up_all(&s->v->wait);
}

/* This thread alone takes: what it has seen idle stays so. */
static struct flight *next_idle(struct stream *s, u64 sent)
{
	if (!vsc_wait(s->v, READ_ONCE(s->idle)))
		KUNIT_FAIL(s->v->test, "packet %llu: nothing completes, %d have", sent, s->done);
	return take_idle(s);
}

static void fly(struct kunit *test, u32 window, u32 total, enum hvsim_exec exec,
		enum hvsim_irq irq)
{
	struct vsc *v = vsc_new(test);
	struct stream *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	struct flight *f = kunit_kcalloc(test, window, sizeof(*f), GFP_KERNEL);
	u64 i;

	KUNIT_ASSERT_TRUE(test, s && f);
	s->v = v;
	spin_lock_init(&s->lock);
	hvsim_set_irq(irq);
	v->offer.exec = exec;
	if (exec == HVSIM_EXEC_INLINE && window > 1) {
		v->offer.script.answer = HVSIM_ANSWER_LATER;
		v->offer.script.lag = window - 1;
	}
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketSize(v->ch, 16), STATUS_SUCCESS);
	vsc_bring_up(v);
	for (i = 0; i < window; i++) {
		f[i].stream = s;
		f[i].packet = VmbPacketAllocate(v->ch);
		KUNIT_ASSERT_NOT_NULL(test, f[i].packet);
		VmbPacketSetCompletionRoutineEx(f[i].packet, &f[i], on_landed);
		put_idle(&f[i]);
	}
	for (i = 0; i < total; i++) {
		struct flight *one = next_idle(s, i);
		u64 payload[2] = { i, ~i };

		if (!one)
			break;
		one->number = i;
		if (VmbPacketSend(one->packet, payload, 16, NULL, WAIT_FOR_COMPLETION)) {
			KUNIT_FAIL(test, "packet %llu is refused", i);
			break;
		}
	}
	v->host->script.lag = 0;
	if (exec == HVSIM_EXEC_INLINE && window > 1)
		KUNIT_EXPECT_EQ(test, hvsim_answer(v->host, window), window - 1);
	vsc_expect_soon(v, READ_ONCE(s->done) == total);
	KUNIT_EXPECT_EQ(test, s->bad, 0);
	KUNIT_EXPECT_EQ(test, v->kch->stats.stale_ids, 0ull);
	KUNIT_EXPECT_EQ(test, v->host->stats.packets[VM_PKT_DATA_INBAND], (unsigned long)total);
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_EQ(test, s->done, total);
	for (i = 0; i < window; i++)
		VmbPacketFree(f[i].packet);
}

static void a_hundred_thousand_packets_one_in_flight(struct kunit *test)
{
	fly(test, 1, MANY, HVSIM_EXEC_INLINE, HVSIM_IRQ_DIRECT);
}

static void a_hundred_thousand_packets_thirty_two_in_flight(struct kunit *test)
{
	fly(test, 32, MANY, HVSIM_EXEC_INLINE, HVSIM_IRQ_DIRECT);
}

static void a_hundred_thousand_packets_a_thousand_in_flight(struct kunit *test)
{
	fly(test, 1024, MANY, HVSIM_EXEC_INLINE, HVSIM_IRQ_DIRECT);
}

static void packets_in_flight_at_a_host_that_runs_by_itself(struct kunit *test)
{
	static const u32 windows[] = { 1, 32, 1024 };
	/* two processors wait for each other, and on a busy machine each of them for the machine */
	const u32 share = num_online_cpus() > 1 ? 4 : 1;
	int i;

	for (i = 0; i < ARRAY_SIZE(windows); i++) {
		fly(test, windows[i], (windows[i] == 1 ? 2000 : 20000) / share, HVSIM_EXEC_ASYNC,
		    HVSIM_IRQ_DIRECT);
		hvsim_reset();
	}
}

static void packets_in_flight_under_real_interrupts(struct kunit *test)
{
	static const u32 windows[] = { 1, 32, 1024 };
	int i;

	for (i = 0; i < ARRAY_SIZE(windows); i++) {
		fly(test, windows[i], 2000, HVSIM_EXEC_INLINE, HVSIM_IRQ_TIMER);
		hvsim_reset();
		fly(test, windows[i], 2000, HVSIM_EXEC_ASYNC, HVSIM_IRQ_TIMER);
		hvsim_reset();
	}
}

/* ---- a full ring ---- */

#define SENDERS		4
#define EACH		1000

struct crowd;

struct sender {
	struct crowd *crowd;
	u32 number;
	struct task_struct *task;
	u32 expected;			/* the host's: next of this sender */
};

struct crowd {
	struct vsc *v;
	struct sender sender[SENDERS];
	atomic_t running;
	atomic_t refused;
	int overtaken;
	int arrived;
};

static enum hvsim_answer check_order(struct hvsim_chan *chan,
				     const struct vmpacket_descriptor *desc,
				     const void *payload, u32 len)
{
	struct crowd *c = chan->script.priv;
	const u32 *p = payload;

	if (p[0] >= SENDERS || p[1] != c->sender[p[0]].expected++)
		c->overtaken++;
	c->arrived++;
	return HVSIM_ANSWER_SCRIPTED;
}

static int send_many(void *data)
{
	struct sender *s = data;
	struct crowd *c = s->crowd;
	u32 payload[256] = { s->number };
	u32 i, len;

	for (i = 0; i < EACH; i++) {
		payload[1] = i;
		len = 8 + (i * 37 + s->number * 11) % 900;
		if (vsc_send(c->v, payload, len, i % 3 ? WAIT_FOR_COMPLETION : 0))
			atomic_inc(&c->refused);
		if (i % 16 == s->number)
			cond_resched();
		if (i % 100 == 50)
			schedule_timeout_uninterruptible(1);
	}
	atomic_dec(&c->running);
	wake_up_all(&c->v->wait);
	return 0;
}

static struct crowd *crowd_new(struct kunit *test, enum hvsim_exec exec)
{
	struct crowd *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);
	struct vsc *v = vsc_new(test);

	KUNIT_ASSERT_NOT_NULL(test, c);
	c->v = v;
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketSize(v->ch, 1024), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketCount(v->ch, SENDERS * EACH),
			STATUS_SUCCESS);
	v->offer.exec = exec;
	v->offer.script.on_packet = check_order;
	v->offer.script.priv = c;
	vsc_bring_up(v);
	return c;
}

static void nothing_overtakes(struct kunit *test, enum hvsim_exec exec, bool pause)
{
	struct crowd *c = crowd_new(test, exec);
	struct vsc *v = c->v;
	unsigned long end;
	int i;

	atomic_set(&c->running, SENDERS);
	for (i = 0; i < SENDERS; i++) {
		c->sender[i].crowd = c;
		c->sender[i].number = i;
		c->sender[i].task = kthread_run(send_many, &c->sender[i], "kmcl-send%d", i);
		KUNIT_ASSERT_FALSE(test, IS_ERR(c->sender[i].task));
	}
	/* a host that reads by fits and starts, and a driver that pauses */
	end = jiffies + 20 * HZ;
	while (atomic_read(&c->running) && time_before(jiffies, end)) {
		hvsim_stall(v->host);
		schedule_timeout_uninterruptible(2);
		hvsim_resume(v->host);
		if (!pause)
			continue;
		VmbChannelPause(v->ch);
		schedule_timeout_uninterruptible(1);
		VmbChannelStart(v->ch);
	}
	hvsim_resume(v->host);
	vsc_expect_soon(v, !atomic_read(&c->running));
	vsc_expect_soon(v, atomic_read(&v->completions) == SENDERS * EACH);
	KUNIT_EXPECT_EQ(test, atomic_read(&c->refused), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->ok), SENDERS * EACH);
	KUNIT_EXPECT_GT(test, v->kch->stats.queued, 100ull);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, c->arrived, SENDERS * EACH);
	KUNIT_EXPECT_EQ(test, c->overtaken, 0);
	KUNIT_EXPECT_EQ(test, v->kch->packets, 0u);
}

static void each_threads_packets_keep_their_order_behind_a_full_ring(struct kunit *test)
{
	nothing_overtakes(test, HVSIM_EXEC_ASYNC, false);
	hvsim_reset();
	nothing_overtakes(test, HVSIM_EXEC_INLINE, false);
}

static void each_threads_packets_keep_their_order_under_real_interrupts(struct kunit *test)
{
	hvsim_set_irq(HVSIM_IRQ_TIMER);
	nothing_overtakes(test, HVSIM_EXEC_ASYNC, false);
}

static void each_threads_packets_keep_their_order_across_pauses(struct kunit *test)
{
	nothing_overtakes(test, HVSIM_EXEC_ASYNC, true);
}

/* Send number @i of sender 0. */
static NTSTATUS send_one(struct crowd *c, u32 i, u32 len, u32 flags)
{
	u32 payload[256] = { 0, i };

	return vsc_send(c->v, payload, len, flags);
}

/* Sends until packets queue, then @more; returns how many went out in all. */
static u32 fill_the_ring(struct crowd *c, u32 more)
{
	struct vsc *v = c->v;
	u32 i = 0;

	hvsim_stall(v->host);
	while (!v->kch->stats.queued && i < EACH)
		KUNIT_ASSERT_EQ(v->test, send_one(c, i++, 1024, 0), STATUS_SUCCESS);
	while (more--)
		KUNIT_ASSERT_EQ(v->test, send_one(c, i++, 16, 0), STATUS_SUCCESS);
	return i;
}

/* Small ones would fit beside the large one at the head: they wait behind it. */
static void small_packets_wait_behind_a_large_one(struct kunit *test)
{
	struct crowd *c = crowd_new(test, HVSIM_EXEC_INLINE);
	struct vsc *v = c->v;
	u32 n = fill_the_ring(c, 20);

	KUNIT_EXPECT_EQ(test, atomic_read(&v->completions), (int)n - 21);
	KUNIT_EXPECT_EQ(test, v->kch->stats.queued, 21ull);
	hvsim_resume(v->host);
	vsc_expect_soon(v, atomic_read(&v->ok) == n);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, c->arrived, (int)n);
	KUNIT_EXPECT_EQ(test, c->overtaken, 0);
	/* and the way is straight again */
	KUNIT_EXPECT_EQ(test, send_one(c, n, 16, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, v->kch->stats.queued, 21ull);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->ok), (int)n + 1);
	KUNIT_EXPECT_EQ(test, c->overtaken, 0);
}

static void a_full_ring_asks_for_the_room_it_needs_and_gets_a_signal(struct kunit *test)
{
	struct crowd *c = crowd_new(test, HVSIM_EXEC_INLINE);
	struct vsc *v = c->v;
	u32 n = fill_the_ring(c, 0);

	KUNIT_EXPECT_EQ(test, hvsim_peek(v->host, HVSIM_G2H, HVSIM_PENDING_SIZE),
			16u + 1024u + 8u);
	/* not before the case is over */
	mod_timer(&v->kch->tx.timer, jiffies + 60 * HZ);
	hvsim_resume(v->host);
	vsc_expect_soon(v, atomic_read(&v->ok) == n);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, c->arrived, (int)n);
	KUNIT_EXPECT_EQ(test, hvsim_peek(v->host, HVSIM_G2H, HVSIM_PENDING_SIZE), 0u);
	KUNIT_EXPECT_GT(test, v->host->stats.irqs, 0ul);
}

static void a_lost_room_signal_is_made_up_for_by_the_timer(struct kunit *test)
{
	struct crowd *c = crowd_new(test, HVSIM_EXEC_INLINE);
	struct vsc *v = c->v;
	u32 n = fill_the_ring(c, 5);
	unsigned long irqs;

	local_bh_disable();
	irqs = v->host->stats.irqs;
	hvsim_poke(v->host, HVSIM_G2H, HVSIM_PENDING_SIZE, 0);
	hvsim_resume(v->host);
	KUNIT_EXPECT_EQ(test, hvsim_ring_used(v->host, HVSIM_G2H), 0u);
	KUNIT_EXPECT_EQ(test, v->host->stats.irqs, irqs);
	local_bh_enable();
	vsc_expect_soon(v, atomic_read(&v->ok) == n);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, c->arrived, (int)n);
	KUNIT_EXPECT_EQ(test, c->overtaken, 0);
}

/* Where every wish for room is ignored, the timer alone empties the queue. */
static enum hvsim_answer forget_the_wish(struct hvsim_chan *chan,
					 const struct vmpacket_descriptor *desc,
					 const void *payload, u32 len)
{
	hvsim_poke(chan, HVSIM_G2H, HVSIM_PENDING_SIZE, 0);
	return check_order(chan, desc, payload, len);
}

static void a_host_that_never_signals_room_is_served_all_the_same(struct kunit *test)
{
	struct crowd *c = crowd_new(test, HVSIM_EXEC_INLINE);
	struct vsc *v = c->v;
	u32 i, n;

	v->host->script.on_packet = forget_the_wish;
	n = fill_the_ring(c, 0);
	for (i = 0; i < 100; i++)
		KUNIT_ASSERT_EQ(test, send_one(c, n++, 1024, 0), STATUS_SUCCESS);
	hvsim_poke(v->host, HVSIM_G2H, HVSIM_PENDING_SIZE, 0);
	hvsim_resume(v->host);
	vsc_expect_soon(v, atomic_read(&v->ok) == n);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, c->arrived, (int)n);
	KUNIT_EXPECT_EQ(test, c->overtaken, 0);
}

static void a_queued_packet_that_wants_an_answer_gets_it(struct kunit *test)
{
	struct crowd *c = crowd_new(test, HVSIM_EXEC_INLINE);
	struct vsc *v = c->v;
	u32 i, n = fill_the_ring(c, 0);

	for (i = 0; i < 50; i++)
		KUNIT_ASSERT_EQ(test, send_one(c, n++, 8 + i, WAIT_FOR_COMPLETION),
				STATUS_SUCCESS);
	hvsim_resume(v->host);
	vsc_expect_soon(v, atomic_read(&v->ok) == n);
	KUNIT_EXPECT_EQ(test, v->host->stats.answers, 50ul);
	KUNIT_EXPECT_EQ(test, c->overtaken, 0);
}

static void disable_completes_what_the_full_ring_held_back(struct kunit *test)
{
	struct crowd *c = crowd_new(test, HVSIM_EXEC_INLINE);
	struct vsc *v = c->v;
	u32 n = fill_the_ring(c, 30);

	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->completions), (int)n);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->cancelled), 31);
	KUNIT_EXPECT_EQ(test, v->kch->packets, 0u);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_hundred_thousand_packets_one_in_flight),
	KUNIT_CASE(a_hundred_thousand_packets_thirty_two_in_flight),
	KUNIT_CASE(a_hundred_thousand_packets_a_thousand_in_flight),
	KUNIT_CASE(packets_in_flight_at_a_host_that_runs_by_itself),
	KUNIT_CASE(packets_in_flight_under_real_interrupts),
	KUNIT_CASE(each_threads_packets_keep_their_order_behind_a_full_ring),
	KUNIT_CASE(each_threads_packets_keep_their_order_under_real_interrupts),
	KUNIT_CASE(each_threads_packets_keep_their_order_across_pauses),
	KUNIT_CASE(small_packets_wait_behind_a_large_one),
	KUNIT_CASE(a_full_ring_asks_for_the_room_it_needs_and_gets_a_signal),
	KUNIT_CASE(a_lost_room_signal_is_made_up_for_by_the_timer),
	KUNIT_CASE(a_host_that_never_signals_room_is_served_all_the_same),
	KUNIT_CASE(a_queued_packet_that_wants_an_answer_gets_it),
	KUNIT_CASE(disable_completes_what_the_full_ring_held_back),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_queue",
	.init = vsc_suite_init,
	.exit = vsc_suite_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KUnit suites for KMCL under load");
