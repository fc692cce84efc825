// SPDX-License-Identifier: GPL-2.0
/*
 * The loopback: a server and a client find each other, talk, and part.
 */
#include <linux/module.h>
#include "../helper.h"
#include "../kmsg.h"
#include "end.h"

static void a_server_and_a_client_find_each_other(struct kunit *test)
{
	struct end *s, *c;
	GUID instance = {};

	end_pair(test, &s, &c);
	VmbChannelGetInterfaceInstance(c->ch, &instance);
	KUNIT_EXPECT_MEMEQ(test, &instance, &end_instance, sizeof(GUID));
}

static void packets_go_both_ways(struct kunit *test)
{
	struct end *s, *c;
	int i;

	end_pair(test, &s, &c);
	for (i = 0; i < 100; i++) {
		KUNIT_EXPECT_EQ(test, end_send(c, "to the server", 14, WAIT_FOR_COMPLETION),
				STATUS_SUCCESS);
		KUNIT_EXPECT_EQ(test, end_send(s, "to the client", 14, WAIT_FOR_COMPLETION),
				STATUS_SUCCESS);
	}
	end_expect_soon(c, atomic_read(&c->ok) == 100);
	end_expect_soon(s, atomic_read(&s->ok) == 100);
	KUNIT_EXPECT_EQ(test, atomic_read(&s->received), 100);
	KUNIT_EXPECT_EQ(test, atomic_read(&c->received), 100);
}

static void a_client_waits_for_its_server(struct kunit *test)
{
	struct end *s = end_new(test, true), *c = end_new(test, false);

	KUNIT_EXPECT_EQ(test, VmbChannelEnable(c->ch), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, end_send(c, "early", 6, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	end_expect_log(c, "");
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(s->ch), STATUS_SUCCESS);
	VmbChannelStart(s->ch);
	end_expect_soon(c, atomic_read(&c->ok) == 1);
	/* what was queued goes out before the driver hears of it */
	end_expect_soon(c, c->logged == 3);
	end_expect_log(c, "OSP");
}

static void a_server_outlives_its_clients(struct kunit *test)
{
	struct end *s, *c;
	int i;

	end_pair(test, &s, &c);
	for (i = 0; i < 3; i++) {
		VmbChannelDisable(c->ch);
		end_expect_soon(s, s->logged == 2);
		end_expect_log(s, "UC");
		KUNIT_EXPECT_EQ(test, VmbChannelEnable(c->ch), STATUS_SUCCESS);
		end_expect_soon(s, s->logged == 5);
		end_expect_log(s, "UCOSP");
		KUNIT_EXPECT_EQ(test, end_send(c, "again", 6, WAIT_FOR_COMPLETION),
				STATUS_SUCCESS);
		end_expect_soon(c, atomic_read(&c->ok) == i + 1);
		end_clear_log(s);
	}
}

static void a_server_that_is_disabled_is_a_rescind_to_its_client(struct kunit *test)
{
	struct end *s, *c;

	end_pair(test, &s, &c);
	VmbChannelDisable(s->ch);
	end_expect_log(s, "UC");
	end_expect_soon(c, c->logged == 2);
	end_expect_log(c, "UC");
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(c->ch), STATUS_SUCCESS);
	end_clear_log(c);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(s->ch), STATUS_SUCCESS);
	end_expect_soon(c, c->logged == 3);
	end_expect_log(c, "OSP");
}

static void a_client_whose_ring_is_too_small_is_refused(struct kunit *test)
{
	struct end *s = end_new(test, true), *c = end_new(test, false);
	struct kmsg k;

	/* the client enlarges its rings for packets of its own size, not for ours */
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketSize(s->ch, 16384), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbClientChannelInitSetRingBufferPageCount(c->ch, 4, 4),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(s->ch), STATUS_SUCCESS);
	VmbChannelStart(s->ch);
	end_settle();
	kmsg_mark(&k);
	KUNIT_EXPECT_NE(test, VmbChannelEnable(c->ch), STATUS_SUCCESS);
	kmsg_expect(test, &k, 1, "is too small for packets of 16384, refused");
	end_expect_log(s, "");
	KUNIT_ASSERT_EQ(test, VmbClientChannelInitSetRingBufferPageCount(c->ch, 5, 4),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(c->ch), STATUS_SUCCESS);
	end_expect_log(c, "OSP");
}

#define LONG	(200u << 10)

static void answer_long(struct end *e, VMBPACKETCOMPLETION pkt, void *buf, u32 len, u32 flags)
{
	VmbChannelPacketComplete(pkt, e->priv, LONG);
}

/* An answer may be as long as the ring that it comes through, whatever ours is. */
static void a_client_may_have_larger_rings_than_its_server(struct kunit *test)
{
	struct end *s = end_new(test, true), *c = end_new(test, false);
	const u32 len = LONG;
	void *buf = kunit_kzalloc(test, len, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketSize(c->ch, len), STATUS_SUCCESS);
	VmbChannelSetTransactionQuota(c->ch, 16);
	end_bring_up(s, c);
	KUNIT_EXPECT_EQ(test, end_send(s, "short", 6, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	end_expect_soon(s, atomic_read(&s->ok) == 1);
	/* a long answer */
	c->priv = buf;
	c->on_packet = answer_long;
	KUNIT_EXPECT_EQ(test, end_send(s, "long", 5, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	end_expect_soon(s, atomic_read(&s->ok) == 2);
	KUNIT_EXPECT_EQ(test, end_send(c, buf, len, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	end_expect_soon(c, atomic_read(&c->ok) == 1);
}

/* A client asks for what a device may have, and the loopback has what it can. */
static void a_client_has_bounce_memory_and_no_window_or_latency(struct kunit *test)
{
	struct end *s = end_new(test, true), *c = end_new(test, false);
	UINT64 start = 1, size = 1;
	UINT16 old = 1;

	if (end_bus)
		kunit_skip(test, "the clients are another bus's");
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetBounceBufferSizes(c->ch, 8192, 4096, 16384),
			STATUS_SUCCESS);
	end_bring_up(s, c);
	KUNIT_EXPECT_EQ(test, c->kch->bounce.bytes, 8192u);
	KUNIT_EXPECT_EQ(test, VmbChannelAllocateBounceBuffer(c->ch, 4096), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, c->kch->bounce.bytes, 12288u);
	VmbChannelGetMmioSpace(c->ch, &start, &size);
	KUNIT_EXPECT_EQ(test, start, 0ull);
	KUNIT_EXPECT_EQ(test, size, 0ull);
	KUNIT_EXPECT_EQ(test, VmbChannelSetInterruptLatency(c->ch, 1, &old), STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test, VmbChannelSetInterruptLatency(c->ch, 0, &old), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, old, 0);
	VmbChannelDisable(c->ch);
	KUNIT_EXPECT_EQ(test, c->kch->bounce.bytes, 0u);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_server_and_a_client_find_each_other),
	KUNIT_CASE(packets_go_both_ways),
	KUNIT_CASE(a_client_waits_for_its_server),
	KUNIT_CASE(a_server_outlives_its_clients),
	KUNIT_CASE(a_server_that_is_disabled_is_a_rescind_to_its_client),
	KUNIT_CASE(a_client_whose_ring_is_too_small_is_refused),
	KUNIT_CASE(a_client_may_have_larger_rings_than_its_server),
	KUNIT_CASE(a_client_has_bounce_memory_and_no_window_or_latency),
	{}
};

static struct kunit_suite suite = {
	.name = END_SUITE("loopback"),
	.init = end_init,
	.exit = end_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
