// SPDX-License-Identifier: GPL-2.0
/*
 * Sub-channels of a server, and those of its client that find them.
 */
#include <linux/module.h>
#include <linux/vmalloc.h>
#include "../helper.h"
#include "end.h"

#define SUBS	3

static struct end *sub_of(struct kunit *test, struct end *primary, u16 index)
{
	struct end *e = end_new(test, primary->server);

	KUNIT_ASSERT_EQ(test, VmbChannelInitSetPrimaryChannel(e->ch, primary->ch, index),
			STATUS_SUCCESS);
	return e;
}

struct family {
	struct end *s, *c;
	struct end *ss[SUBS], *cs[SUBS];
};

/* Everything up and talking. */
static void family_up(struct kunit *test, struct family *f)
{
	u32 i;

	end_pair(test, &f->s, &f->c);
	for (i = 0; i < SUBS; i++) {
		f->ss[i] = sub_of(test, f->s, i + 1);
		f->cs[i] = sub_of(test, f->c, i + 1);
		KUNIT_ASSERT_EQ(test, VmbChannelEnable(f->ss[i]->ch), STATUS_SUCCESS);
		VmbChannelStart(f->ss[i]->ch);
		KUNIT_ASSERT_EQ(test, VmbChannelEnable(f->cs[i]->ch), STATUS_SUCCESS);
		end_expect_soon(f->ss[i], f->ss[i]->logged == 3);
		end_expect_log(f->ss[i], "OSP");
		end_expect_log(f->cs[i], "OSP");
		end_clear_log(f->ss[i]);
		end_clear_log(f->cs[i]);
	}
}

static void expect_talk(struct end *e)
{
	int before = atomic_read(&e->ok);

	KUNIT_EXPECT_EQ(e->test, end_send(e, "hello", 5, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	end_expect_soon(e, atomic_read(&e->ok) == before + 1);
}

static void each_sub_channel_finds_its_own(struct kunit *test)
{
	struct family f;
	u32 i;

	family_up(test, &f);
	for (i = 0; i < SUBS; i++) {
		expect_talk(f.cs[i]);
		expect_talk(f.ss[i]);
		KUNIT_EXPECT_EQ(test, atomic_read(&f.ss[i]->received), 1);
		KUNIT_EXPECT_EQ(test, atomic_read(&f.cs[i]->received), 1);
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&f.s->received), 0);
}

static void a_sub_channel_is_offered_while_its_primary_is_open(struct kunit *test)
{
	struct end *s = end_new(test, true), *c = end_new(test, false);
	struct end *sub = sub_of(test, s, 1), *other = sub_of(test, c, 1);

	KUNIT_EXPECT_EQ(test, VmbChannelEnable(sub->ch), STATUS_INVALID_DEVICE_STATE);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(s->ch), STATUS_SUCCESS);
	/* offered is not open */
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(sub->ch), STATUS_INVALID_DEVICE_STATE);
	VmbChannelStart(s->ch);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(c->ch), STATUS_SUCCESS);
	end_expect_soon(s, s->logged == 3);
	/* the client may look first */
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(other->ch), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(sub->ch), STATUS_SUCCESS);
	VmbChannelStart(sub->ch);
	end_expect_soon(other, other->logged == 3);
	expect_talk(other);
}

static void servers_and_clients_do_not_mix(struct kunit *test)
{
	struct end *s = end_new(test, true), *c = end_new(test, false);

	KUNIT_EXPECT_EQ(test, VmbChannelInitSetPrimaryChannel(s->ch, c->ch, 1),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetPrimaryChannel(c->ch, s->ch, 1),
			STATUS_INVALID_PARAMETER_2);
}

static void each_sub_channel_ends_alone(struct kunit *test)
{
	struct family f;

	family_up(test, &f);
	/* at the client: the server's is offered again */
	VmbChannelDisable(f.cs[0]->ch);
	end_expect_soon(f.ss[0], f.ss[0]->logged == 2);
	end_expect_log(f.ss[0], "UC");
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(f.cs[0]->ch), STATUS_SUCCESS);
	end_expect_soon(f.ss[0], f.ss[0]->logged == 5);
	/* at the server: the client's hears of it */
	VmbChannelDisable(f.ss[1]->ch);
	end_expect_log(f.ss[1], "UC");
	end_expect_soon(f.cs[1], f.cs[1]->logged == 2);
	end_expect_log(f.cs[1], "UC");
	expect_talk(f.cs[0]);
	expect_talk(f.cs[2]);
	expect_talk(f.c);
	end_expect_log(f.s, "");
	end_expect_log(f.c, "");
}

static void a_client_that_closes_closes_all(struct kunit *test)
{
	struct family f;
	u32 i;

	family_up(test, &f);
	VmbChannelDisable(f.c->ch);
	end_expect_log(f.c, "UC");
	end_expect_soon(f.s, f.s->logged == 2);
	end_expect_log(f.s, "UC");
	for (i = 0; i < SUBS; i++) {
		end_expect_soon(f.cs[i], f.cs[i]->logged == 2);
		end_expect_log(f.cs[i], "UC");
		end_expect_log(f.ss[i], "UC");
		KUNIT_EXPECT_EQ(test, f.ss[i]->kch->state, KMCL_DISABLED);
	}
	/* and may come again */
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(f.c->ch), STATUS_SUCCESS);
	end_expect_soon(f.s, f.s->logged == 5);
	expect_talk(f.c);
}

static void a_server_that_closes_closes_all(struct kunit *test)
{
	struct family f;
	u32 i;

	family_up(test, &f);
	VmbChannelDisable(f.s->ch);
	end_expect_log(f.s, "UC");
	end_expect_soon(f.c, f.c->logged == 2);
	end_expect_log(f.c, "UC");
	for (i = 0; i < SUBS; i++) {
		end_expect_log(f.ss[i], "UC");
		end_expect_soon(f.cs[i], f.cs[i]->logged == 2);
		end_expect_log(f.cs[i], "UC");
	}
}

static void pause_and_start_reach_all(struct kunit *test)
{
	struct family f;
	u32 i;

	family_up(test, &f);
	VmbChannelPause(f.s->ch);
	for (i = 0; i < SUBS; i++) {
		end_expect_log(f.ss[i], "U");
		end_expect_log(f.cs[i], "");
		KUNIT_EXPECT_EQ(test, end_send(f.cs[i], "later", 5, WAIT_FOR_COMPLETION),
				STATUS_SUCCESS);
	}
	VmbChannelStart(f.s->ch);
	for (i = 0; i < SUBS; i++) {
		end_expect_soon(f.cs[i], atomic_read(&f.cs[i]->ok) == 1);
		end_expect_log(f.ss[i], "USP");
	}
}

static VMBPACKETCOMPLETION kept;

static void keep(struct end *e, VMBPACKETCOMPLETION pkt, void *buf, u32 len, u32 flags)
{
	kept = pkt;
}

static void disable(void *arg)
{
	struct end *e = arg;

	VmbChannelDisable(e->ch);
}

/* The client's primary waits for the server's, which waits for its sub-channels. */
static void closing_all_waits_for_what_one_holds(struct kunit *test)
{
	u8 *memory = vzalloc(4096);
	struct family f;
	struct helper h;
	VMBPACKET pkt;
	PMDL mdl;

	family_up(test, &f);
	KUNIT_ASSERT_NOT_NULL(test, memory);
	mdl = IoAllocateMdl(memory, 4096, FALSE, FALSE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, mdl);
	MmBuildMdlForNonPagedPool(mdl);
	f.ss[1]->on_packet = keep;
	pkt = end_packet(f.cs[1]);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, NULL, 0, mdl, WAIT_FOR_COMPLETION),
			STATUS_SUCCESS);
	end_expect_soon(f.ss[1], atomic_read(&f.ss[1]->received) == 1);
	KUNIT_ASSERT_TRUE(test, helper_start(&h, disable, f.c));
	end_expect_soon(f.ss[1], f.ss[1]->logged == 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&f.cs[1]->completions), 0);
	VmbChannelPacketComplete(kept, NULL, 0);
	KUNIT_EXPECT_TRUE(test, helper_join(&h));
	KUNIT_EXPECT_EQ(test, atomic_read(&f.cs[1]->completions), 1);
	end_expect_log(f.c, "UC");
	IoFreeMdl(mdl);
	vfree(memory);
}

static void save(struct end *e)
{
	u8 *buf = kunit_kmalloc(e->test, 65536, GFP_KERNEL);
	ULONG filled, required;

	KUNIT_ASSERT_NOT_NULL(e->test, buf);
	KUNIT_ASSERT_EQ(e->test, VmbChannelSaveBegin(e->ch), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(e->test, VmbChannelSaveContinue(e->ch, buf, 65536, &filled, &required),
			STATUS_SUCCESS);
	VmbChannelSaveEnd(e->ch);
}

/* A server that does not restore, and has no sub-channels: nobody finds those of the last one. */
static void an_offer_anew_ends_parked_sub_channels_too(struct kunit *test)
{
	struct end *s, *c, *ss, *cs;
	unsigned long start;

	end_pair(test, &s, &c);
	ss = sub_of(test, s, 1);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(ss->ch), STATUS_SUCCESS);
	save(ss);
	save(s);
	end_drop(ss);
	end_drop(s);
	end_clear_log(c);
	s = end_new(test, true);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(s->ch), STATUS_SUCCESS);
	end_expect_soon(c, c->logged == 2);
	VmbChannelStart(s->ch);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(c->ch), STATUS_SUCCESS);
	end_expect_soon(c, c->logged == 5);
	cs = sub_of(test, c, 1);
	start = jiffies;
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(cs->ch), STATUS_SUCCESS);
	KUNIT_EXPECT_LT(test, jiffies - start, 10 * HZ);
	ss = sub_of(test, s, 1);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(ss->ch), STATUS_SUCCESS);
	VmbChannelStart(ss->ch);
	end_expect_soon(cs, cs->logged == 3);
	expect_talk(cs);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(each_sub_channel_finds_its_own),
	KUNIT_CASE(a_sub_channel_is_offered_while_its_primary_is_open),
	KUNIT_CASE(servers_and_clients_do_not_mix),
	KUNIT_CASE(each_sub_channel_ends_alone),
	KUNIT_CASE(a_client_that_closes_closes_all),
	KUNIT_CASE(a_server_that_closes_closes_all),
	KUNIT_CASE(pause_and_start_reach_all),
	KUNIT_CASE(closing_all_waits_for_what_one_holds),
	KUNIT_CASE(an_offer_anew_ends_parked_sub_channels_too),
	{}
};

static struct kunit_suite suite = {
	.name = "loopback_sub",
	.init = end_init,
	.exit = end_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
