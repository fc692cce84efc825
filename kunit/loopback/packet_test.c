// SPDX-License-Identifier: GPL-2.0
/*
 * Packets between a server and a client: order, full rings, quotas, and the two
 * handles of an incoming packet.
 */
#include <linux/module.h>
#include "../helper.h"
#include "end.h"

static void be_small(struct kunit *test, struct end *e)
{
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumExternalData(e->ch, 4096, 1), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketSize(e->ch, 1000), STATUS_SUCCESS);
	if (!e->server)
		KUNIT_ASSERT_EQ(test, VmbClientChannelInitSetRingBufferPageCount(e->ch, 1, 1),
				STATUS_SUCCESS);
}

static void check_order(struct end *e, VMBPACKETCOMPLETION pkt, void *buf, u32 len, u32 flags)
{
	unsigned long next = (unsigned long)e->priv;

	if (*(u32 *)buf != (u32)next)
		KUNIT_FAIL(e->test, "%u comes when %lu should", *(u32 *)buf, next);
	e->priv = (void *)(next + 1);
	VmbChannelPacketComplete(pkt, buf, len);
}

static void full_rings_lose_nothing_and_keep_the_order(struct kunit *test)
{
	struct end *s = end_new(test, true), *c = end_new(test, false);
	u32 body[250] = {}, i;

	be_small(test, s);
	be_small(test, c);
	s->on_packet = check_order;
	c->on_packet = check_order;
	end_bring_up(s, c);
	/* nobody reads: softirqs of this processor wait */
	local_bh_disable();
	for (i = 0; i < 200; i++) {
		body[0] = i;
		KUNIT_EXPECT_EQ(test, end_send(s, body, 4 + 8 * i % 900, WAIT_FOR_COMPLETION),
				STATUS_SUCCESS);
		KUNIT_EXPECT_EQ(test, end_send(c, body, 1000, WAIT_FOR_COMPLETION),
				STATUS_SUCCESS);
	}
	local_bh_enable();
	end_expect_soon(s, atomic_read(&s->ok) == 200);
	end_expect_soon(c, atomic_read(&c->ok) == 200);
	KUNIT_EXPECT_GT(test, c->kch->stats.queued, 0ull);
	KUNIT_EXPECT_GT(test, s->kch->stats.queued, 0ull);
}

static void rings_fill_while_the_other_side_is_paused(struct kunit *test)
{
	struct end *s = end_new(test, true), *c = end_new(test, false);
	u32 body[250] = {}, i;

	be_small(test, s);
	be_small(test, c);
	s->on_packet = check_order;
	c->on_packet = check_order;
	end_bring_up(s, c);
	VmbChannelPause(c->ch);
	for (i = 0; i < 50; i++) {
		body[0] = i;
		KUNIT_EXPECT_EQ(test, end_send(s, body, 1000, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	}
	KUNIT_EXPECT_GT(test, s->kch->stats.queued, 0ull);
	KUNIT_EXPECT_EQ(test, atomic_read(&c->received), 0);
	VmbChannelStart(c->ch);
	end_expect_soon(s, atomic_read(&s->ok) == 50);
	VmbChannelPause(s->ch);
	c->kch->stats.queued = 0;
	for (i = 0; i < 50; i++) {
		body[0] = i;
		KUNIT_EXPECT_EQ(test, end_send(c, body, 1000, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	}
	KUNIT_EXPECT_GT(test, c->kch->stats.queued, 0ull);
	VmbChannelStart(s->ch);
	end_expect_soon(c, atomic_read(&c->ok) == 50);
}

/* ---- one packet each, for ever ---- */

#define TURNS	2000

struct player {
	VMBPACKET pkt;
	int left;
};

static void play(struct end *e);

static VOID played(VMBPACKET packet, PVOID context, NTSTATUS status, PVOID buf, UINT32 len)
{
	struct end *e = context;
	struct player *p = e->priv;

	KUNIT_EXPECT_EQ(e->test, status, STATUS_SUCCESS);
	if (--p->left)
		play(e);
	wake_up_all(&e->wait);
}

static void play(struct end *e)
{
	struct player *p = e->priv;

	KUNIT_EXPECT_EQ(e->test, VmbPacketSend(p->pkt, "mine", 5, NULL, WAIT_FOR_COMPLETION),
			STATUS_SUCCESS);
}

static void two_ends_with_one_packet_each_send_for_ever(struct kunit *test)
{
	struct player players[2] = {};
	struct end *s = end_new(test, true), *c = end_new(test, false), *ends[] = { s, c };
	int i;

	for (i = 0; i < 2; i++) {
		be_small(test, ends[i]);
		KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketCount(ends[i]->ch, 1),
				STATUS_SUCCESS);
		VmbChannelSetTransactionQuota(ends[i]->ch, 1);
		ends[i]->priv = &players[i];
		players[i].left = TURNS;
		players[i].pkt = VmbPacketAllocate(ends[i]->ch);
		KUNIT_ASSERT_NOT_NULL(test, players[i].pkt);
		KUNIT_EXPECT_NULL(test, VmbPacketAllocate(ends[i]->ch));
		VmbPacketSetCompletionRoutineEx(players[i].pkt, ends[i], played);
	}
	end_bring_up(s, c);
	play(s);
	play(c);
	end_expect_soon(s, !READ_ONCE(players[0].left));
	end_expect_soon(c, !READ_ONCE(players[1].left));
	KUNIT_EXPECT_EQ(test, atomic_read(&s->received), TURNS);
	KUNIT_EXPECT_EQ(test, atomic_read(&c->received), TURNS);
	VmbPacketFree(players[0].pkt);
	VmbPacketFree(players[1].pkt);
}

/* ---- incoming packets at a server ---- */

#define KEPT	64

struct keeper {
	VMBPACKETCOMPLETION pkts[KEPT];
	atomic_t n;
};

static void keep(struct end *e, VMBPACKETCOMPLETION pkt, void *buf, u32 len, u32 flags)
{
	struct keeper *k = e->priv;

	k->pkts[atomic_fetch_inc(&k->n)] = pkt;
}

static void a_quota_bounds_what_a_server_takes(struct kunit *test)
{
	struct keeper k = {};
	struct end *s, *c;
	int i;

	end_pair(test, &s, &c);
	s->priv = &k;
	s->on_packet = keep;
	VmbChannelSetTransactionQuota(s->ch, 3);
	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_EQ(test, end_send(c, "one of ten", 11, WAIT_FOR_COMPLETION),
				STATUS_SUCCESS);
	schedule_timeout_uninterruptible(HZ / 10);
	KUNIT_EXPECT_EQ(test, atomic_read(&k.n), 3);
	/* more takes effect with the next completion */
	VmbChannelSetTransactionQuota(s->ch, 5);
	schedule_timeout_uninterruptible(HZ / 10);
	KUNIT_EXPECT_EQ(test, atomic_read(&k.n), 3);
	VmbChannelPacketComplete(k.pkts[0], NULL, 0);
	end_expect_soon(s, atomic_read(&k.n) == 6);
	for (i = 1; i < 10; i++) {
		end_expect_soon(s, atomic_read(&k.n) > i);
		VmbChannelPacketComplete(k.pkts[i], NULL, 0);
	}
	end_expect_soon(c, atomic_read(&c->ok) == 10);
}

static void an_incoming_packet_is_one_object_with_two_handles(struct kunit *test)
{
	struct keeper k = {};
	VMBPACKET pkt;
	struct end *s, *c;

	end_pair(test, &s, &c);
	s->priv = &k;
	s->on_packet = keep;
	KUNIT_EXPECT_EQ(test, end_send(c, "an object", 10, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	end_expect_soon(s, atomic_read(&s->received) == 1);
	pkt = (VMBPACKET)k.pkts[0];
	KUNIT_EXPECT_PTR_EQ(test, VmbPacketGetChannel(pkt), s->ch);
	KUNIT_EXPECT_NULL(test, VmbPacketGetPointer(pkt));
	VmbPacketSetPointer(pkt, &k);
	KUNIT_EXPECT_PTR_EQ(test, VmbPacketGetPointer(pkt), (PVOID)&k);
	/* but it is none of ours to send, or to free */
	KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, "no", 3, NULL, 0), STATUS_INVALID_PARAMETER_1);
	VmbPacketFree(pkt);
	VmbChannelPacketComplete((VMBPACKETCOMPLETION)pkt, "done", 5);
	end_expect_soon(c, atomic_read(&c->ok) == 1);
	/* and then it names nothing */
	KUNIT_EXPECT_NULL(test, VmbPacketGetPointer(pkt));
	KUNIT_EXPECT_NULL(test, VmbPacketGetChannel(pkt));
}

static void defer(struct end *e, VMBPACKETCOMPLETION pkt, void *buf, u32 len, u32 flags)
{
	if (in_interrupt()) {
		VmbChannelPacketDeferToPassive(pkt);
		return;
	}
	might_sleep();
	atomic_inc((atomic_t *)e->priv);
	VmbChannelPacketComplete(pkt, buf, len);
}

static void a_server_takes_its_packets_at_passive_level(struct kunit *test)
{
	atomic_t passive = ATOMIC_INIT(0);
	struct end *s, *c;
	int i;

	end_pair(test, &s, &c);
	s->priv = &passive;
	s->on_packet = defer;
	for (i = 0; i < 20; i++) {
		if (i == 10)
			VmbChannelSetIncomingProcessingAtPassive(s->ch, TRUE);
		KUNIT_EXPECT_EQ(test, end_send(c, "calmly", 7, WAIT_FOR_COMPLETION),
				STATUS_SUCCESS);
	}
	end_expect_soon(c, atomic_read(&c->ok) == 20);
	KUNIT_EXPECT_EQ(test, atomic_read(&passive), 20);
}

static void a_server_has_room_of_its_own_with_each_packet(struct kunit *test)
{
	struct end *s = end_new(test, true), *c = end_new(test, false);
	struct keeper k = {};
	u64 *context;

	KUNIT_ASSERT_EQ(test, VmbChannelInitSetClientContextSize(s->ch, 24), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetInlinePacketContextSize(s->ch, 24), STATUS_SUCCESS);
	s->priv = &k;
	s->on_packet = keep;
	end_bring_up(s, c);
	KUNIT_EXPECT_EQ(test, end_send(c, "with room", 10, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	end_expect_soon(s, atomic_read(&s->received) == 1);
	context = VmbChannelPacketGetClientContext(k.pkts[0]);
	KUNIT_ASSERT_NOT_NULL(test, context);
	KUNIT_EXPECT_EQ(test, context[0] | context[1] | context[2], 0ull);
	context[2] = 1;
	VmbChannelPacketComplete(k.pkts[0], NULL, 0);
}

/* ---- synchronous requests ---- */

static void a_server_does_not_wait_for_its_client(struct kunit *test)
{
	LARGE_INTEGER zero = {}, soon = { .QuadPart = -10000000 };
	const UINT32 wait = WAIT_FOR_COMPLETION;
	u8 answer[16];
	UINT32 len = sizeof(answer);
	struct end *s, *c;
	PMDL mdl;

	end_pair(test, &s, &c);
	mdl = IoAllocateMdl(answer, sizeof(answer), FALSE, FALSE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, mdl);
#define request(mdl, flags, timeout)						\
	VmbChannelSendSynchronousRequest(s->ch, "hurry", 6, mdl, flags, answer, &len, timeout)
	KUNIT_EXPECT_EQ(test, request(NULL, wait, NULL), STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, request(NULL, wait, &zero), STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, request(NULL, wait, &soon), STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, request(NULL, 0, NULL), STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, request(NULL, 0, &soon), STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, request(mdl, wait, NULL), STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test, atomic_read(&c->received), 0);
	KUNIT_EXPECT_EQ(test, request(NULL, 0, &zero), STATUS_SUCCESS);
	end_expect_soon(c, atomic_read(&c->received) == 1);
	VmbChannelPause(s->ch);
	KUNIT_EXPECT_EQ(test, request(NULL, 0, &zero), STATUS_BUFFER_OVERFLOW);
	VmbChannelDisable(s->ch);
	KUNIT_EXPECT_EQ(test, request(NULL, 0, &zero), STATUS_INVALID_DEVICE_STATE);
	IoFreeMdl(mdl);
}

static void a_client_waits_for_its_server_as_for_any_other(struct kunit *test)
{
	LARGE_INTEGER soon = { .QuadPart = -1000000 };
	struct keeper k = {};
	u8 answer[16] = {};
	UINT32 len = sizeof(answer);
	struct end *s, *c;

	end_pair(test, &s, &c);
	KUNIT_EXPECT_EQ(test, VmbChannelSendSynchronousRequest(c->ch, "question", 8, NULL,
							       WAIT_FOR_COMPLETION, answer, &len,
							       NULL), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, len, 8u);
	KUNIT_EXPECT_MEMEQ(test, answer, "question", 8);
	s->priv = &k;
	s->on_packet = keep;
	KUNIT_EXPECT_EQ(test, VmbChannelSendSynchronousRequest(c->ch, "question", 8, NULL,
							       WAIT_FOR_COMPLETION, NULL, NULL,
							       &soon), STATUS_CANCELLED);
	/* too late */
	VmbChannelPacketComplete(k.pkts[0], "answer", 7);
	KUNIT_EXPECT_TRUE(test, becomes(c->kch->stats.stale_ids == 1));
}

static struct kunit_case cases[] = {
	KUNIT_CASE(full_rings_lose_nothing_and_keep_the_order),
	KUNIT_CASE(rings_fill_while_the_other_side_is_paused),
	KUNIT_CASE(two_ends_with_one_packet_each_send_for_ever),
	KUNIT_CASE(a_quota_bounds_what_a_server_takes),
	KUNIT_CASE(an_incoming_packet_is_one_object_with_two_handles),
	KUNIT_CASE(a_server_takes_its_packets_at_passive_level),
	KUNIT_CASE(a_server_has_room_of_its_own_with_each_packet),
	KUNIT_CASE(a_server_does_not_wait_for_its_client),
	KUNIT_CASE(a_client_waits_for_its_server_as_for_any_other),
	{}
};

static struct kunit_suite suite = {
	.name = "loopback_packet",
	.init = end_init,
	.exit = end_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
