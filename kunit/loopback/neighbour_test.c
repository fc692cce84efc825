// SPDX-License-Identifier: GPL-2.0
/*
 * What rings.c writes carries no byte of what lies beside a payload that is no whole number of
 * words: from a server to its client, and from a client of the loopback to its server.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include "../helper.h"
#include "bus.h"

#define MINE		0x11
#define NEIGHBOUR	0xee
#define LENGTHS		41u

/* @len bytes of a payload in @room: the payload, then zeros. */
static void expect_payload(struct kunit *test, const u8 *at, u32 room, u32 len)
{
	KUNIT_ASSERT_EQ(test, room, ALIGN(len, 8));
	KUNIT_EXPECT_TRUE_MSG(test, !memchr_inv(at, MINE, len), "%u bytes: %*ph", len, (int)room,
			      at);
	KUNIT_EXPECT_TRUE_MSG(test, !memchr_inv(at + len, 0, room - len), "%u bytes: %*ph", len,
			      (int)room, at);
}

/* ---- from a server ---- */

/* The next packet that the client reads. */
static void expect_read(struct bus *b, u32 len, u16 type)
{
	struct kmcl_ring_packet pkt;
	u8 got[64];

	KUNIT_ASSERT_TRUE(b->test, becomes(bus_read(b, &pkt, got, sizeof(got))));
	KUNIT_EXPECT_EQ(b->test, pkt.type, type);
	expect_payload(b->test, got, pkt.len, len);
	kmcl_offer_signal(b->offer);
}

static void reply_with_a_part(struct end *e, VMBPACKETCOMPLETION pkt, void *buf, u32 len, u32 flags)
{
	VmbChannelPacketComplete(pkt, e->priv, *(u32 *)buf);
}

/* A packet of each length, and a reply of the same. */
static void send_all(struct bus *b, struct end *s, u8 *from, bool wait)
{
	struct kmcl_desc ask = {
		.type = cpu_to_le16(KMCL_TYPE_INBAND),
		.flags = cpu_to_le16(KMCL_DESC_WANTS_REPLY),
	};
	u32 len;

	s->priv = from;
	memset(from, NEIGHBOUR, 64);
	for (len = 0; len < LENGTHS; len++) {
		u64 message = len;
		int received = atomic_read(&s->received);

		memset(from, MINE, len);
		KUNIT_ASSERT_EQ(b->test, end_send(s, from, len, 0), STATUS_SUCCESS);
		bus_packet(b, &ask, sizeof(ask), &message, sizeof(message));
		end_expect_soon(s, atomic_read(&s->received) == received + 1);
		if (!wait)
			continue;
		expect_read(b, len, KMCL_TYPE_INBAND);
		expect_read(b, len, KMCL_TYPE_COMPLETION);
	}
}

static void a_client_is_shown_no_byte_of_a_neighbour(struct kunit *test)
{
	struct bus *b = bus_new(test, true);
	struct end *s = bus_open_server(b);
	u8 from[64], *large = kunit_kmalloc(test, 2000, GFP_KERNEL);
	struct kmcl_ring_packet pkt;
	u32 len, filled = 0;

	KUNIT_ASSERT_NOT_NULL(test, large);
	s->on_packet = reply_with_a_part;
	/* what lay in the ring */
	memset(b->in.data, NEIGHBOUR, b->in.size);
	send_all(b, s, from, true);
	/* and behind one that is full */
	memset(large, MINE, 2000);
	while (!READ_ONCE(s->kch->tx.busy) && filled++ < 100)
		KUNIT_ASSERT_EQ(test, end_send(s, large, 2000, 0), STATUS_SUCCESS);
	send_all(b, s, from, false);
	for (; filled; filled--) {
		KUNIT_ASSERT_TRUE(test, becomes(bus_read(b, &pkt, large, 2000)));
		kmcl_offer_signal(b->offer);
	}
	for (len = 0; len < LENGTHS; len++) {
		expect_read(b, len, KMCL_TYPE_INBAND);
		expect_read(b, len, KMCL_TYPE_COMPLETION);
	}
}

/* ---- from a client ---- */

static u32 expected;

static void look_at_payload(struct end *e, VMBPACKETCOMPLETION pkt, void *buf, u32 len, u32 flags)
{
	expect_payload(e->test, buf, len, expected);
	VmbChannelPacketComplete(pkt, NULL, 0);
}

static void a_server_is_shown_no_byte_of_a_neighbour(struct kunit *test)
{
	u8 *from = kunit_kmalloc(test, 128, GFP_KERNEL);
	struct end *s, *c;
	PMDL mdl;

	KUNIT_ASSERT_NOT_NULL(test, from);
	memset(from, NEIGHBOUR, 128);
	end_pair(test, &s, &c);
	s->on_packet = look_at_payload;
	mdl = IoAllocateMdl(from + 64, 64, FALSE, FALSE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, mdl);
	MmBuildMdlForNonPagedPool(mdl);
	for (expected = 0; expected < LENGTHS; expected++) {
		int received = atomic_read(&s->received);

		memset(from, MINE, expected);
		KUNIT_EXPECT_EQ(test, end_send(c, from, expected, WAIT_FOR_COMPLETION),
				STATUS_SUCCESS);
		end_expect_soon(s, atomic_read(&s->received) == received + 1);
		KUNIT_EXPECT_EQ(test, STATUS_SUCCESS,
				VmbPacketSend(end_packet(c), from, expected, mdl,
					      WAIT_FOR_COMPLETION));
		end_expect_soon(c, atomic_read(&c->ok) == 2 * (int)expected + 2);
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&s->received), 2 * (int)LENGTHS);
	IoFreeMdl(mdl);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_client_is_shown_no_byte_of_a_neighbour),
	KUNIT_CASE(a_server_is_shown_no_byte_of_a_neighbour),
	{}
};

static struct kunit_suite suite = {
	.name = "loopback_neighbour",
	.init = end_init,
	.exit = bus_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
