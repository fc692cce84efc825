// SPDX-License-Identifier: GPL-2.0
/*
 * Both ends at once, at random: whatever happens, every packet ends once, and
 * nothing waits for ever.
 */
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include "../helper.h"
#include "end.h"

#define ROUNDS	300

/* What a thread does to an end. */
struct actor {
	struct helper helper;
	struct end *e;
	bool sends;
	u32 seed;
	int accepted;
};

static void send_some(struct actor *a, struct rnd_state *rnd)
{
	u32 flags = prandom_u32_state(rnd) % 4 ? WAIT_FOR_COMPLETION : 0;
	u8 body[600] = {};
	int n = prandom_u32_state(rnd) % 8;

	while (n--)
		a->accepted += NT_SUCCESS(end_send(a->e, body, prandom_u32_state(rnd) % 600,
						   flags));
}

static void act(void *arg)
{
	struct actor *a = arg;
	struct rnd_state rnd;
	int i;

	prandom_seed_state(&rnd, a->seed);
	for (i = 0; i < ROUNDS; i++) {
		VMBCHANNEL ch = a->e->ch;

		if (a->sends) {
			send_some(a, &rnd);
			schedule_timeout_uninterruptible(prandom_u32_state(&rnd) % 2);
			continue;
		}
		switch (prandom_u32_state(&rnd) % 6) {
		case 0:
			VmbChannelDisable(ch);
			break;
		case 1:
		case 2:
			VmbChannelEnable(ch);
			break;
		case 3:
			VmbChannelPause(ch);
			break;
		default:
			VmbChannelStart(ch);
			break;
		}
		schedule_timeout_uninterruptible(prandom_u32_state(&rnd) % 3);
	}
}

/* Some are answered at once, some by a thread, some deferred. */
static void answer(struct end *e, VMBPACKETCOMPLETION pkt, void *buf, u32 len, u32 flags)
{
	if (len % 7 == 3 && in_interrupt())
		VmbChannelPacketDeferToPassive(pkt);
	else
		VmbChannelPacketComplete(pkt, buf, len);
}

/* Not every client is let in, and some clients come back from inside Closed. */
static void moody(struct end *e, enum end_event event)
{
	e->opened_status = e->received.counter % 5 == 4 ? STATUS_UNSUCCESSFUL : STATUS_SUCCESS;
	if (event == END_CLOSED && !e->server && e->received.counter % 3)
		VmbChannelEnable(e->ch);
	e->logged = 0;
}

static void whatever_both_ends_do_every_packet_ends_once(struct kunit *test)
{
	struct end *s = end_new(test, true), *c = end_new(test, false), *ends[] = { s, c };
	struct actor *actors = kunit_kcalloc(test, 6, sizeof(*actors), GFP_KERNEL);
	int i, accepted[2] = {};

	KUNIT_ASSERT_NOT_NULL(test, actors);
	for (i = 0; i < 2; i++) {
		ends[i]->on_packet = answer;
		ends[i]->on_state = moody;
		KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketSize(ends[i]->ch, 600),
				STATUS_SUCCESS);
		KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketCount(ends[i]->ch, 100),
				STATUS_SUCCESS);
	}
	/* small rings, which are full often */
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumExternalData(c->ch, 4096, 1), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbClientChannelInitSetRingBufferPageCount(c->ch, 1, 1),
			STATUS_SUCCESS);
	for (i = 0; i < 6; i++) {
		actors[i].e = ends[i % 2];
		actors[i].sends = i < 2;
		actors[i].seed = 77 + i;
		KUNIT_ASSERT_TRUE(test, helper_start(&actors[i].helper, act, &actors[i]));
	}
	for (i = 0; i < 6; i++) {
		KUNIT_EXPECT_TRUE(test, wait_for_completion_timeout(&actors[i].helper.done,
								    100 * HZ));
		accepted[i % 2] += actors[i].accepted;
	}
	c->on_state = NULL;
	s->on_state = NULL;
	VmbChannelDisable(c->ch);
	VmbChannelDisable(s->ch);
	for (i = 0; i < 2; i++) {
		struct end *e = ends[i];

		KUNIT_EXPECT_EQ(test, atomic_read(&e->completions), accepted[i]);
		KUNIT_EXPECT_EQ(test, atomic_read(&e->ok) + atomic_read(&e->cancelled) +
				      atomic_read(&e->removed), accepted[i]);
		KUNIT_EXPECT_EQ(test, e->kch->stats.faults, 0ull);
		KUNIT_EXPECT_EQ(test, e->kch->packets, 0);
		KUNIT_EXPECT_GT(test, atomic_read(&e->ok), 0);
	}
	/* and they can be had again */
	s->opened_status = STATUS_SUCCESS;
	c->opened_status = STATUS_SUCCESS;
	end_bring_up(s, c);
}

/* Servers and clients come and go, two of each, and none is left waiting for another. */
static void whoever_comes_and_goes_finds_a_peer(struct kunit *test)
{
	struct end *ends[4];
	struct actor *actors = kunit_kcalloc(test, 4, sizeof(*actors), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, actors);
	for (i = 0; i < 4; i++) {
		ends[i] = end_new(test, i < 2);
		if (i >= 2)
			KUNIT_ASSERT_EQ(test, VmbClientChannelInitSetTargetPnp(ends[i]->ch,
									       &end_type, NULL,
									       NULL),
					STATUS_SUCCESS);
		actors[i].e = ends[i];
		actors[i].seed = 177 + i;
		ends[i]->on_state = moody;
	}
	for (i = 0; i < 4; i++)
		KUNIT_ASSERT_TRUE(test, helper_start(&actors[i].helper, act, &actors[i]));
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_TRUE(test, wait_for_completion_timeout(&actors[i].helper.done,
								    100 * HZ));
	for (i = 3; i >= 0; i--) {
		ends[i]->on_state = NULL;
		ends[i]->opened_status = STATUS_SUCCESS;
		VmbChannelDisable(ends[i]->ch);
	}
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(ends[2]->ch), STATUS_SUCCESS);
	VmbChannelStart(ends[2]->ch);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(ends[1]->ch), STATUS_SUCCESS);
	VmbChannelStart(ends[1]->ch);
	KUNIT_EXPECT_EQ(test, end_send(ends[2], "hello", 5, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	end_expect_soon(ends[2], atomic_read(&ends[2]->ok) == 1);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(whatever_both_ends_do_every_packet_ends_once),
	KUNIT_CASE(whoever_comes_and_goes_finds_a_peer),
	{}
};

static struct kunit_suite suite = {
	.name = "loopback_race",
	.init = end_init,
	.exit = end_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
