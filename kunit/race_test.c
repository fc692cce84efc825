// SPDX-License-Identifier: GPL-2.0
/*
 * Threads that send while the channel is taken from under them. The promise is
 * kept in books: what a send accepted completes once, what it refused does not,
 * and nothing is called when Disable has returned.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include "fixture.h"
#include "helper.h"

#define SENDERS		3

/* A disable is three grace periods, and those are long on a preemptible kernel. */
#define ROUNDS(most)	((most) / (IS_ENABLED(CONFIG_PREEMPTION) ? 10 : 1))

/* What a packet's pointer says of it. */
#define SENDING		((void *)1)
#define COMPLETED	((void *)2)

struct race {
	struct vsc *v;
	struct helper senders[SENDERS];
	struct helper victim;
	bool stop;
	bool over;			/* Disable has returned: silence */
	atomic_t accepted;
	atomic_t refused;
	atomic_t ended;
	atomic_t twice;
	atomic_t odd;			/* a status that nobody promised */
	atomic_t noise;			/* callbacks while over */
	atomic_t seed;
};

static void listen(struct race *r)
{
	if (READ_ONCE(r->over))
		atomic_inc(&r->noise);
}

static VOID race_completed(VMBPACKET packet, PVOID context, NTSTATUS status, PVOID buf,
			   UINT32 len)
{
	struct race *r = context;

	listen(r);
	if (VmbPacketGetPointer(packet) != SENDING)
		atomic_inc(&r->twice);
	VmbPacketSetPointer(packet, COMPLETED);
	if (status != STATUS_SUCCESS && status != STATUS_CANCELLED &&
	    status != STATUS_DEVICE_REMOVED)
		atomic_inc(&r->odd);
	atomic_inc(&r->ended);
	VmbPacketFree(packet);
}

static void race_packet(struct vsc *v, VMBPACKETCOMPLETION pkt, void *buf, u32 len)
{
	listen(v->priv);
	VmbChannelPacketComplete(pkt, buf, len);
}

static void race_state(struct vsc *v, enum vsc_event event)
{
	listen(v->priv);
	v->logged = 0;		/* the order is another suite's business */
}

/* False: refused, the channel is down. */
static bool send_one(struct race *r, struct rnd_state *rnd)
{
	VMBPACKET pkt = VmbPacketAllocate(r->v->ch);
	u32 random = prandom_u32_state(rnd);
	u8 payload[600] = {};
	NTSTATUS status;

	if (!pkt)		/* as many in flight as there may be */
		return false;
	VmbPacketSetCompletionRoutineEx(pkt, r, race_completed);
	VmbPacketSetPointer(pkt, SENDING);
	status = VmbPacketSend(pkt, payload, random % sizeof(payload), NULL,
			       random & BIT(20) ? WAIT_FOR_COMPLETION : 0);
	if (NT_SUCCESS(status)) {
		atomic_inc(&r->accepted);
		return true;
	}
	if (status != STATUS_INVALID_DEVICE_STATE)
		atomic_inc(&r->odd);
	atomic_inc(&r->refused);
	VmbPacketFree(pkt);
	return false;
}

static void sender(void *arg)
{
	struct race *r = arg;
	struct rnd_state rnd;
	u32 burst;

	prandom_seed_state(&rnd, atomic_inc_return(&r->seed));
	while (!READ_ONCE(r->stop)) {
		for (burst = prandom_u32_state(&rnd) % 32; burst; burst--) {
			if (!send_one(r, &rnd)) {
				usleep_range(1000, 5000);
				break;
			}
			if (prandom_u32_state(&rnd) % 4 == 0)
				cond_resched();
		}
		burst = 100 + prandom_u32_state(&rnd) % 400;
		usleep_range(burst, burst + 10);
	}
}

static struct race *new_race(struct kunit *test)
{
	struct race *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, r);
	r->v = vsc_new(test);
	r->v->priv = r;
	r->v->on_packet = race_packet;
	r->v->on_state = race_state;
	return r;
}

static void start_senders(struct race *r)
{
	int i;

	for (i = 0; i < SENDERS; i++)
		KUNIT_ASSERT_TRUE(r->v->test, helper_start(&r->senders[i], sender, r));
}

static void stop_senders(struct race *r)
{
	int i;

	WRITE_ONCE(r->stop, true);
	for (i = 0; i < SENDERS; i++)
		KUNIT_EXPECT_TRUE(r->v->test, helper_join(&r->senders[i]));
}

/* After the senders have stopped and the channel is disabled. */
static void expect_balance(struct race *r)
{
	struct kunit *test = r->v->test;

	KUNIT_EXPECT_GT(test, atomic_read(&r->accepted), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&r->ended), atomic_read(&r->accepted));
	KUNIT_EXPECT_EQ(test, atomic_read(&r->twice), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&r->odd), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&r->noise), 0);
	KUNIT_EXPECT_EQ(test, r->v->kch->packets, 0);
	kunit_info(test, "%d accepted, %d refused\n", atomic_read(&r->accepted),
		   atomic_read(&r->refused));
}

/* Some moment of the next millisecond, in the middle of anything. */
static void any_moment(void)
{
	u32 us = get_random_u32() % 1000;

	if (us % 4)
		usleep_range(us, us + 10);
}

static bool race_disabled(struct race *r)
{
	return READ_ONCE(r->v->kch->state) == KMCL_DISABLED && !READ_ONCE(r->v->kch->life_owner);
}

static void enable_again(struct race *r)
{
	WRITE_ONCE(r->over, false);
	KUNIT_EXPECT_EQ(r->v->test, VmbChannelEnable(r->v->ch), STATUS_SUCCESS);
	/* when the senders meet it is chance, but not whether one ever does */
	KUNIT_EXPECT_TRUE(r->v->test, becomes(atomic_read(&r->accepted)));
}

static void disable_once(struct race *r)
{
	VmbChannelDisable(r->v->ch);
	/* senders are at work all the time: only callbacks must not be */
	WRITE_ONCE(r->over, true);
}

static void disable_rounds(struct race *r, int rounds)
{
	int i, n;

	vsc_offer(r->v);
	start_senders(r);
	for (i = 0; i < rounds; i++) {
		enable_again(r);
		any_moment();
		for (n = get_random_u32() % 64; n; n--)
			hvsim_send(r->v->host, VM_PKT_DATA_INBAND, n % 2, n, "payload", 8);
		disable_once(r);
		any_moment();
	}
	stop_senders(r);
	expect_balance(r);
}

static void sends_that_meet_a_disable_fail_or_complete_once(struct kunit *test)
{
	disable_rounds(new_race(test), ROUNDS(100));
}

static void sends_to_a_silent_host_meet_a_disable_and_complete_once(struct kunit *test)
{
	struct race *r = new_race(test);

	r->v->offer.script.answer = HVSIM_ANSWER_NONE;
	disable_rounds(r, ROUNDS(50));
}

static void sends_to_a_lagging_host_meet_a_disable_and_complete_once(struct kunit *test)
{
	struct race *r = new_race(test);

	r->v->offer.script.answer = HVSIM_ANSWER_LATER;
	r->v->offer.script.lag = 20;
	hvsim_set_irq(HVSIM_IRQ_TIMER);
	disable_rounds(r, ROUNDS(50));
}

static void many_enables_and_disables_under_traffic_leave_nothing(struct kunit *test)
{
	struct race *r = new_race(test);
	int i;

	vsc_offer(r->v);
	start_senders(r);
	for (i = 0; i < ROUNDS(500); i++) {
		enable_again(r);
		if (i % 16 == 0)
			any_moment();
		disable_once(r);
	}
	stop_senders(r);
	expect_balance(r);
	KUNIT_EXPECT_EQ(test, r->v->host->stats.control[CHANNELMSG_OPENCHANNEL], i);
	KUNIT_EXPECT_EQ(test, r->v->host->stats.control[CHANNELMSG_CLOSECHANNEL], i);
}

static void sends_that_meet_a_rescind_fail_or_complete_once(struct kunit *test)
{
	struct race *r = new_race(test);
	int i;

	start_senders(r);
	for (i = 0; i < 12; i++) {
		vsc_offer(r->v);
		enable_again(r);
		any_moment();
		hvsim_rescind(r->v->host);
		KUNIT_EXPECT_TRUE(test, hvsim_wait_released(r->v->host));
		KUNIT_EXPECT_TRUE(test, becomes(race_disabled(r)));
		WRITE_ONCE(r->over, true);
		any_moment();
	}
	stop_senders(r);
	expect_balance(r);
}

static void sends_that_meet_corruption_fail_or_complete_once(struct kunit *test)
{
	struct race *r = new_race(test);
	int i;

	r->v->offer.script.lenient = true;
	vsc_offer(r->v);
	start_senders(r);
	for (i = 0; i < ROUNDS(50); i++) {
		enable_again(r);
		any_moment();
		if (i % 2) {
			hvsim_poke(r->v->host, HVSIM_H2G, HVSIM_WRITE_INDEX, 4);
			hvsim_interrupt(r->v->host);
		} else {
			hvsim_poke(r->v->host, HVSIM_G2H, HVSIM_READ_INDEX, 0xffffffff);
		}
		/* who has poisoned it disables it, or the host has mended it */
		any_moment();
		disable_once(r);
		/* poison's own work may still be looking, and finds nothing to do */
		KUNIT_EXPECT_TRUE(test, becomes(race_disabled(r)));
	}
	stop_senders(r);
	expect_balance(r);
}

static void pause_and_start(void *arg)
{
	struct race *r = arg;

	while (!READ_ONCE(r->stop)) {
		VmbChannelPause(r->v->ch);
		any_moment();
		VmbChannelStart(r->v->ch);
		any_moment();
	}
}

static void pauses_that_meet_a_disable_return(struct kunit *test)
{
	struct race *r = new_race(test);

	KUNIT_ASSERT_TRUE(test, helper_start(&r->victim, pause_and_start, r));
	disable_rounds(r, ROUNDS(50));
	KUNIT_EXPECT_TRUE(test, helper_join(&r->victim));
}

static struct kunit_case cases[] = {
	KUNIT_CASE(sends_that_meet_a_disable_fail_or_complete_once),
	KUNIT_CASE(sends_to_a_silent_host_meet_a_disable_and_complete_once),
	KUNIT_CASE(sends_to_a_lagging_host_meet_a_disable_and_complete_once),
	KUNIT_CASE(many_enables_and_disables_under_traffic_leave_nothing),
	KUNIT_CASE(sends_that_meet_a_rescind_fail_or_complete_once),
	KUNIT_CASE(sends_that_meet_corruption_fail_or_complete_once),
	KUNIT_CASE(pauses_that_meet_a_disable_return),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_race",
	.init = vsc_suite_init,
	.exit = vsc_suite_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
