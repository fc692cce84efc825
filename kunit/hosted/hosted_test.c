// SPDX-License-Identifier: GPL-2.0
/*
 * A server whose clients are on the in-tree bus: its packets with external data and
 * its client's GPADLs over real control messages, its sub-channels, and a guest that
 * is late, gone or hostile.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include "../helper.h"
#include "../kmsg.h"
#include "end.h"
#include "sim/sim.h"

/* The host's channel of the server that all cases have. */
static struct hvsim_chan *host_channel(struct kunit *test, u16 sub_index)
{
	struct hvsim_chan *chan;
	guid_t type, instance;

	import_guid(&type, (const u8 *)&end_type);
	import_guid(&instance, (const u8 *)&end_instance);
	chan = hvsim_find(&type, &instance, sub_index);
	KUNIT_ASSERT_NOT_NULL(test, chan);
	return chan;
}

/* ---- external data ---- */

#define BYTES	(3 * PAGE_SIZE)

static VMBPACKETCOMPLETION held;
static PMDL held_mdl;

/* Adds one to every byte of what the client has lent, there. */
static void on_external(struct end *s, VMBPACKETCOMPLETION pkt, void *buf, u32 len, u32 flags)
{
	struct kunit *test = s->test;
	u8 *data;
	u32 i;

	KUNIT_EXPECT_EQ(test, flags, VMBUS_CHANNEL_PROCESS_PACKET_FLAG_EXTERNAL_DATA);
	KUNIT_EXPECT_EQ(test, VmbChannelPacketGetExternalData(pkt, 0, &held_mdl), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, MmGetMdlByteCount(held_mdl), BYTES);
	data = MmGetSystemAddressForMdlSafe(held_mdl, NormalPagePriority);
	KUNIT_EXPECT_NOT_NULL(test, data);
	for (i = 0; data && i < BYTES; i++)
		data[i]++;
	if (s->priv)
		held = pkt;
	else
		VmbChannelPacketComplete(pkt, "done", 4);
}

static u8 *send_external(struct end *c)
{
	struct kunit *test = c->test;
	u8 *data = kunit_kzalloc(test, BYTES, GFP_KERNEL);
	VMBPACKET pkt = end_packet(c);
	PMDL mdl;

	KUNIT_ASSERT_NOT_NULL(test, data);
	KUNIT_ASSERT_NOT_NULL(test, pkt);
	mdl = IoAllocateMdl(data, BYTES, FALSE, FALSE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, mdl);
	MmBuildMdlForNonPagedPool(mdl);
	memset(data, 7, BYTES);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, "take", 4, mdl, WAIT_FOR_COMPLETION),
			STATUS_SUCCESS);
	c->priv = mdl;
	return data;
}

static void external_data_are_the_clients_own_pages(struct kunit *test)
{
	struct end *s, *c;
	u8 *data;

	end_pair(test, &s, &c);
	s->on_packet = on_external;
	data = send_external(c);
	end_expect_soon(c, atomic_read(&c->ok) == 1);
	KUNIT_EXPECT_EQ(test, data[0], 8);
	KUNIT_EXPECT_EQ(test, data[BYTES - 1], 8);
	IoFreeMdl(c->priv);
}

static void disable(void *arg)
{
	struct end *e = arg;

	VmbChannelDisable(e->ch);
}

/* The guest's close is over when its rings are torn down; before, nothing may be reused. */
static void a_close_waits_until_the_server_lets_go(struct kunit *test)
{
	struct helper closer;
	struct hvsim_chan *chan;
	struct end *s, *c;
	u8 *data;

	end_pair(test, &s, &c);
	chan = host_channel(test, 0);
	s->on_packet = on_external;
	s->priv = s;
	held = NULL;
	data = send_external(c);
	end_expect_soon(s, atomic_read(&s->received) == 1);
	KUNIT_ASSERT_TRUE(test, helper_start(&closer, disable, c));
	KUNIT_EXPECT_TRUE(test, hvsim_wait_open(chan, false));
	end_expect_soon(s, s->logged == 1);
	schedule_timeout_uninterruptible(2);
	KUNIT_EXPECT_FALSE(test, completion_done(&closer.done));
	KUNIT_EXPECT_EQ(test, atomic_read(&c->completions), 0);
	KUNIT_EXPECT_EQ(test, hvsim_gpadl_count(chan), 1);
	/* still the client's, and still there */
	data[0] = 1;
	KUNIT_EXPECT_EQ(test, *(u8 *)MmGetSystemAddressForMdlSafe(held_mdl, NormalPagePriority),
			1);
	VmbChannelPacketComplete(held, NULL, 0);
	KUNIT_EXPECT_TRUE(test, helper_join(&closer));
	KUNIT_EXPECT_EQ(test, atomic_read(&c->cancelled), 1);
	KUNIT_EXPECT_EQ(test, hvsim_gpadl_count(chan), 0);
	end_expect_soon(s, s->logged == 2);
	end_expect_log(s, "UC");
	IoFreeMdl(c->priv);
	hvsim_put(chan);
}

/* ---- GPADLs ---- */

static void delete_gpadl(void *arg)
{
	struct end *c = arg;

	VmbChannelDeleteGpadl(c->ch, (unsigned long)c->priv);
}

static void a_clients_gpadl_is_mapped_and_given_back(struct kunit *test)
{
	struct helper deleter;
	struct end *s, *c;
	UINT32 handle;
	u8 *mine, *theirs;
	PVOID va;
	PMDL mdl;

	end_pair(test, &s, &c);
	KUNIT_ASSERT_EQ(test, VmbChannelCreateGpadl(c->ch, 0, 300, &handle), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelGetSystemAddressForGpadl(c->ch, 0, handle, &va),
			STATUS_SUCCESS);
	mine = va;
	KUNIT_ASSERT_EQ(test, VmbChannelMapGpadl(s->ch, 0, handle, &mdl), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, MmGetMdlByteCount(mdl), 300 * PAGE_SIZE);
	theirs = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
	KUNIT_ASSERT_NOT_NULL(test, theirs);
	mine[299 * PAGE_SIZE + 5] = 42;
	KUNIT_EXPECT_EQ(test, theirs[299 * PAGE_SIZE + 5], 42);
	theirs[17] = 43;
	KUNIT_EXPECT_EQ(test, mine[17], 43);
	c->priv = (void *)(unsigned long)handle;
	KUNIT_ASSERT_TRUE(test, helper_start(&deleter, delete_gpadl, c));
	schedule_timeout_uninterruptible(2);
	KUNIT_EXPECT_FALSE(test, completion_done(&deleter.done));
	VmbChannelUnmapGpadl(s->ch, handle);
	KUNIT_EXPECT_TRUE(test, helper_join(&deleter));
	KUNIT_EXPECT_NE(test, VmbChannelMapGpadl(s->ch, 0, handle, &mdl), STATUS_SUCCESS);
}

/* ---- sub-channels ---- */

static void a_servers_sub_channel_is_one_on_the_bus(struct kunit *test)
{
	struct end *s, *c, *ss, *sc;

	end_pair(test, &s, &c);
	ss = end_new(test, true);
	sc = end_new(test, false);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetPrimaryChannel(ss->ch, s->ch, 1), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetPrimaryChannel(sc->ch, c->ch, 1), STATUS_SUCCESS);
	end_bring_up(ss, sc);
	KUNIT_EXPECT_EQ(test, end_send(sc, "sub", 3, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	end_expect_soon(sc, atomic_read(&sc->ok) == 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&ss->received), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&s->received), 0);
	/* it goes with its primary */
	VmbChannelDisable(c->ch);
	end_expect_soon(ss, ss->logged == 5);
	end_expect_log(ss, "OSPUC");
	end_expect_soon(s, s->logged == 2);
	end_expect_log(s, "UC");
	end_drop(sc);
	end_drop(ss);
}

/* ---- a guest that is late, gone or hostile ---- */

static void enable(void *arg)
{
	struct end *e = arg;

	VmbChannelEnable(e->ch);
}

static void a_server_may_go_while_its_client_opens(struct kunit *test)
{
	struct end *s = end_new(test, true), *c = end_new(test, false);
	struct hvsim_chan *chan;
	struct helper opener;

	KUNIT_ASSERT_EQ(test, VmbChannelEnable(s->ch), STATUS_SUCCESS);
	end_settle();
	chan = host_channel(test, 0);
	hvsim_hold(chan, CHANNELMSG_OPENCHANNEL);
	KUNIT_ASSERT_TRUE(test, helper_start(&opener, enable, c));
	KUNIT_EXPECT_TRUE(test, becomes(hvsim_held(chan, CHANNELMSG_OPENCHANNEL)));
	VmbChannelDisable(s->ch);
	KUNIT_EXPECT_TRUE(test, helper_join(&opener));
	hvsim_unhold(chan, CHANNELMSG_OPENCHANNEL);
	KUNIT_EXPECT_TRUE(test, hvsim_wait_released(chan));
	end_expect_log(s, "");
	end_expect_log(c, "");
	hvsim_put(chan);
}

static void offer_it(void *arg)
{
	struct end *e = arg;

	e->enabled = VmbChannelEnable(e->ch);
	VmbChannelStart(e->ch);
}

/*
 * The bus has a new device in its list before it looks for a driver for it, and an old one
 * after it has heard that it is gone.  Before that it is as good as any, until the open.
 */
static void a_device_that_comes_while_a_client_looks_for_it_is_its(struct kunit *test)
{
	struct end *s = end_new(test, true), *c = end_new(test, false);
	struct helper offerer;
	NTSTATUS status;
	int i;

	for (i = 0; i < 20; i++) {
		KUNIT_ASSERT_TRUE(test, helper_start(&offerer, offer_it, s));
		status = VmbChannelEnable(c->ch);
		if (status == STATUS_DEVICE_REMOVED)
			status = VmbChannelEnable(c->ch);
		KUNIT_ASSERT_EQ(test, status, STATUS_SUCCESS);
		KUNIT_ASSERT_TRUE(test, helper_join(&offerer));
		KUNIT_ASSERT_EQ(test, s->enabled, STATUS_SUCCESS);
		KUNIT_ASSERT_TRUE(test, becomes(READ_ONCE(c->kch->running)));
		VmbChannelDisable(c->ch);
		VmbChannelDisable(s->ch);
		end_clear_log(s);
		end_clear_log(c);
	}
}

static void a_guest_that_breaks_its_ring_gets_the_device_anew(struct kunit *test)
{
	struct hvsim_chan *chan;
	struct end *s, *c;
	struct kmsg k;

	end_pair(test, &s, &c);
	chan = host_channel(test, 0);
	kmsg_mark(&k);
	hvsim_poke(chan, HVSIM_H2G, HVSIM_READ_INDEX, 13);
	KUNIT_EXPECT_EQ(test, end_send(s, "look", 4, WAIT_FOR_COMPLETION),
			STATUS_INVALID_DEVICE_STATE);
	kmsg_expect(test, &k, 1, "kmcl: ");
	/* rescinded, and offered again */
	end_expect_soon(c, c->logged == 2);
	end_expect_log(c, "UC");
	end_expect_soon(s, s->logged >= 2);
	end_expect_log(s, "UC");
	KUNIT_EXPECT_TRUE(test, hvsim_wait_released(chan));
	hvsim_put(chan);
	end_clear_log(c);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(c->ch), STATUS_SUCCESS);
	end_expect_soon(c, c->logged == 3);
	KUNIT_EXPECT_EQ(test, end_send(c, "again", 5, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	end_expect_soon(c, atomic_read(&c->ok) == 1);
}

/* A device that comes back at once is offered when the guest has given up the old one. */
static void a_server_may_come_and_go_faster_than_its_guest(struct kunit *test)
{
	struct end *s, *c;
	int i;

	end_pair(test, &s, &c);
	for (i = 0; i < 5; i++) {
		VmbChannelDisable(s->ch);
		KUNIT_EXPECT_EQ(test, VmbChannelEnable(s->ch), STATUS_SUCCESS);
		VmbChannelStart(s->ch);
	}
	end_expect_soon(c, c->logged == 2);
	end_expect_log(c, "UC");
	end_clear_log(c);
	/* until the guest has heard of the last of them */
	end_settle();
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(c->ch), STATUS_SUCCESS);
	end_expect_soon(c, c->logged == 3);
	KUNIT_EXPECT_EQ(test, end_send(c, "again", 5, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	end_expect_soon(c, atomic_read(&c->ok) == 1);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(external_data_are_the_clients_own_pages),
	KUNIT_CASE(a_close_waits_until_the_server_lets_go),
	KUNIT_CASE(a_clients_gpadl_is_mapped_and_given_back),
	KUNIT_CASE(a_servers_sub_channel_is_one_on_the_bus),
	KUNIT_CASE(a_server_may_go_while_its_client_opens),
	KUNIT_CASE(a_device_that_comes_while_a_client_looks_for_it_is_its),
	KUNIT_CASE(a_guest_that_breaks_its_ring_gets_the_device_anew),
	KUNIT_CASE(a_server_may_come_and_go_faster_than_its_guest),
	{}
};

static struct kunit_suite suite = {
	.name = "hosted",
	.init = end_init,
	.exit = end_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
