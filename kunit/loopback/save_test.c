// SPDX-License-Identifier: GPL-2.0
/*
 * Servicing: a server is saved, goes, and another one goes on where it was.
 */
#include <linux/slab.h>
#include "../helper.h"
#include "../kmsg.h"
#include "servicing.h"
#include <kmcl/restored.h>

#define LARGE	65536u		/* a buffer that any chunk fits into */

#define set_callbacks	VmbServerChannelInitSetSaveRestorePacketCallbacks

static struct helper closer;

static void close_client(void *client)
{
	struct end *c = client;

	VmbChannelDisable(c->ch);
}

static void a_client_sees_a_pause_and_no_error(struct kunit *test)
{
	struct call *calls = calls_new(test);
	struct blob b = {};
	struct vsp *v, *w;
	struct end *c;
	u32 i;

	v = vsp_pair(test, 64, &c);
	for (i = 0; i < 10; i++)
		KUNIT_ASSERT_EQ(test, call_send(c, calls, i, i), STATUS_SUCCESS);
	end_expect_soon(v->e, atomic_read(&v->asked) == 10);
	blob_save(test, v, &b, LARGE);
	KUNIT_EXPECT_EQ(test, v->saves, 2 * 10);
	/* the driver completes what it has, and nobody hears of it */
	vsp_answer_all(v);
	end_drop(v->e);
	end_expect_log(v->e, "UC");
	/* in between */
	for (; i < 20; i++)
		KUNIT_ASSERT_EQ(test, call_send(c, calls, i, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, atomic_read(&c->completions), 0);

	w = vsp_follow(test, &b, 64, calls);
	KUNIT_EXPECT_EQ(test, w->restores, 10);
	end_expect_soon(w->e, atomic_read(&w->asked) == 20);
	for (i = 0; i < 20; i++)
		KUNIT_EXPECT_EQ(test, w->asks[i].restored, i < 10);
	vsp_answer_all(w);
	end_expect_soon(c, calls_are_answered(calls, 20));
	calls_expect(test, calls, 20);
	end_expect_log(c, "");
	KUNIT_EXPECT_EQ(test, w->e->kch->stats.faults + c->kch->stats.faults, 0);
	KUNIT_EXPECT_EQ(test, w->e->kch->stats.stale_ids + c->kch->stats.stale_ids, 0);
	/* and it is a channel as any other */
	for (; i < 40; i++)
		KUNIT_ASSERT_EQ(test, call_send(c, calls, i, 0), STATUS_SUCCESS);
	end_expect_soon(w->e, atomic_read(&w->asked) == 40);
	vsp_answer_all(w);
	end_expect_soon(c, calls_are_answered(calls, 40));
	calls_expect(test, calls, 40);
	blob_free(&b);
}

static void start_goes_on_as_if_nothing_had_been_saved(struct kunit *test)
{
	struct call *calls = calls_new(test), *mine = calls_new(test);
	struct blob b = {};
	struct vsp *v;
	struct end *c;
	u32 i;

	v = vsp_pair(test, 64, &c);
	for (i = 0; i < 10; i++)
		KUNIT_ASSERT_EQ(test, call_send(c, calls, i, 0), STATUS_SUCCESS);
	end_expect_soon(v->e, atomic_read(&v->asked) == 10);
	blob_save(test, v, &b, LARGE);
	/* everything waits */
	vsp_answer(v, 3);
	vsp_answer(v, 1);
	for (i = 10; i < 20; i++)
		KUNIT_ASSERT_EQ(test, call_send(c, calls, i, 0), STATUS_SUCCESS);
	for (i = 0; i < 5; i++)
		KUNIT_ASSERT_EQ(test, call_send(v->e, mine, i, 0), STATUS_SUCCESS);
	msleep(50);
	KUNIT_EXPECT_EQ(test, atomic_read(&c->completions), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&c->received), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->asked), 10);

	VmbChannelStart(v->e->ch);
	end_expect_soon(v->e, calls_are_answered(mine, 5));
	end_expect_soon(v->e, atomic_read(&v->asked) == 20);
	vsp_answer_all(v);
	end_expect_soon(c, calls_are_answered(calls, 20));
	calls_expect(test, calls, 20);
	calls_expect(test, mine, 5);
	end_expect_log(v->e, "");
	end_expect_log(c, "");

	/* and what was saved is void: the offer goes with its server */
	end_drop(v->e);
	end_expect_soon(c, c->logged == 2);
	end_expect_log(c, "UC");
	v = vsp_new(test, 64);
	KUNIT_EXPECT_EQ(test, blob_read(test, v->e, b.bytes, b.size), STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_EQ(test, v->restores, 0);
	blob_free(&b);
}

static void a_save_that_is_not_complete_does_not_park(struct kunit *test)
{
	struct call *calls = calls_new(test);
	ULONG filled, required;
	NTSTATUS status;
	struct vsp *v;
	struct end *c;
	u8 buf[128];

	v = vsp_pair(test, 64, &c);
	KUNIT_ASSERT_EQ(test, call_send(c, calls, 0, 0), STATUS_SUCCESS);
	end_expect_soon(v->e, atomic_read(&v->asked) == 1);
	KUNIT_ASSERT_EQ(test, VmbChannelSaveBegin(v->e->ch), STATUS_SUCCESS);
	status = VmbChannelSaveContinue(v->e->ch, buf, sizeof(buf), &filled, &required);
	KUNIT_EXPECT_EQ(test, status, STATUS_BUFFER_OVERFLOW);
	VmbChannelSaveEnd(v->e->ch);
	vsp_answer_all(v);
	end_drop(v->e);
	/* an answer that was given goes out: nobody else would */
	end_expect_soon(c, c->logged == 2);
	end_expect_log(c, "UC");
	calls_expect(test, calls, 1);
}

static void one_that_nobody_restores_is_rescinded(struct kunit *test)
{
	struct call *calls = calls_new(test);
	struct blob b = {};
	struct vsp *v;
	struct end *c;
	unsigned long start;

	v = vsp_pair(test, 64, &c);
	KUNIT_ASSERT_EQ(test, call_send(c, calls, 0, 0), STATUS_SUCCESS);
	end_expect_soon(v->e, atomic_read(&v->asked) == 1);
	blob_save(test, v, &b, LARGE);
	vsp_answer_all(v);
	end_drop(v->e);
	start = jiffies;
	/* interruptible, since a task that waits for two minutes otherwise is reported */
	while (time_before(jiffies, start + 119 * HZ))
		schedule_timeout_interruptible(HZ);
	end_expect_log(c, "");
	/* timers of that length are exact to some seconds */
	while (c->logged < 2 && time_before(jiffies, start + 135 * HZ))
		schedule_timeout_interruptible(HZ / 10);
	end_expect_log(c, "UC");
	KUNIT_EXPECT_GE(test, jiffies - start, 120 * HZ);
	KUNIT_EXPECT_EQ(test, calls[0].removed, 1);
	v = vsp_new(test, 64);
	KUNIT_EXPECT_EQ(test, blob_read(test, v->e, b.bytes, b.size), STATUS_DEVICE_REMOVED);
	blob_free(&b);
}

/* Another server of the same GUIDs, which does not restore: it begins anew. */
static void an_offer_anew_ends_what_was_parked(struct kunit *test)
{
	struct call *calls = calls_new(test);
	struct blob b = {};
	struct vsp *v, *w;
	struct end *c;

	v = vsp_pair(test, 64, &c);
	KUNIT_ASSERT_EQ(test, call_send(c, calls, 0, 0), STATUS_SUCCESS);
	end_expect_soon(v->e, atomic_read(&v->asked) == 1);
	blob_save(test, v, &b, LARGE);
	vsp_answer_all(v);
	end_drop(v->e);
	w = vsp_new(test, 64);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(w->e->ch), STATUS_SUCCESS);
	end_expect_soon(c, c->logged == 2);
	end_expect_log(c, "UC");
	KUNIT_EXPECT_EQ(test, calls[0].removed, 1);
	VmbChannelStart(w->e->ch);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(c->ch), STATUS_SUCCESS);
	end_expect_soon(c, c->logged == 5);
	blob_free(&b);
}

static void a_client_that_closes_meanwhile_is_let_go(struct kunit *test)
{
	struct call *calls = calls_new(test);
	struct blob b = {};
	struct vsp *v, *w;
	struct end *c;

	v = vsp_pair(test, 64, &c);
	KUNIT_ASSERT_EQ(test, call_send(c, calls, 0, 0), STATUS_SUCCESS);
	end_expect_soon(v->e, atomic_read(&v->asked) == 1);
	blob_save(test, v, &b, LARGE);
	vsp_answer_all(v);
	end_drop(v->e);
	VmbChannelDisable(c->ch);
	end_expect_log(c, "UC");
	KUNIT_EXPECT_EQ(test, calls[0].cancelled, 1);
	w = vsp_new(test, 64);
	KUNIT_EXPECT_EQ(test, blob_read(test, w->e, b.bytes, b.size), STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_EQ(test, w->restores, 0);
	end_clear_log(c);
	end_bring_up(w->e, c);
	blob_free(&b);
}

/* The client closes between SaveBegin and Disable. */
static void a_client_that_closes_ends_the_save(struct kunit *test)
{
	struct call *mine = calls_new(test);
	ULONG filled, required;
	NTSTATUS status;
	struct vsp *v;
	struct end *c;
	u8 buf[128];

	v = vsp_pair(test, 64, &c);
	KUNIT_ASSERT_EQ(test, VmbChannelSaveBegin(v->e->ch), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, call_send(v->e, mine, 0, 0), STATUS_SUCCESS);
	VmbChannelDisable(c->ch);
	end_expect_soon(v->e, v->e->logged == 2);
	end_expect_log(v->e, "UC");
	end_expect_soon(v->e, mine[0].removed + mine[0].cancelled == 1);
	status = VmbChannelSaveContinue(v->e->ch, buf, sizeof(buf), &filled, &required);
	KUNIT_EXPECT_EQ(test, status, STATUS_INVALID_PARAMETER_1);
	/* it is offered again, and runs */
	end_clear_log(v->e);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(c->ch), STATUS_SUCCESS);
	end_expect_soon(v->e, v->e->logged == 3);
	end_expect_log(v->e, "OSP");
}

static void keep_for_later(struct end *e, VMBPACKETCOMPLETION pkt, void *buf, u32 len, u32 flags)
{
	struct vsp *v = e->priv;
	struct ask *ask = &v->asks[atomic_read(&v->asked)];

	ask->packet = pkt;
	memcpy(&ask->message, buf, sizeof(ask->message));
	atomic_inc(&v->asked);
}

#define ASKED	150		/* and 100 of them are not answered when the server is saved */

/* A VSP with a hundred requests of its own: each answer finds its packet under the old id. */
static void requests_of_the_server_find_their_answers(struct kunit *test)
{
	struct call *before = calls_new(test), *calls = calls_new(test);
	struct vsp *v, *w, at_client = {};
	struct blob b = {};
	struct end *c;
	u32 i;

	v = vsp_pair(test, ASKED + 50, &c);
	at_client.asks = kunit_kcalloc(test, ASKED + 50, sizeof(struct ask), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, at_client.asks);
	at_client.e = c;
	c->priv = &at_client;
	c->on_packet = keep_for_later;
	for (i = 0; i < ASKED; i++)
		KUNIT_ASSERT_EQ(test, call_send(v->e, before, i, 0), STATUS_SUCCESS);
	end_expect_soon(c, atomic_read(&at_client.asked) == ASKED);
	/* a third is answered before */
	for (i = 0; i < ASKED; i += 3)
		vsp_answer(&at_client, i);
	end_expect_soon(v->e, atomic_read(&v->e->completions) == 50);

	blob_save(test, v, &b, LARGE);
	end_drop(v->e);
	for (i = 0; i < ASKED; i++) {
		KUNIT_EXPECT_EQ(test, before[i].answers, i % 3 == 0);
		KUNIT_EXPECT_EQ(test, before[i].cancelled, i % 3 != 0);
	}
	/* another third while nobody is there */
	for (i = 1; i < ASKED; i += 3)
		vsp_answer(&at_client, i);
	w = vsp_follow(test, &b, ASKED + 50, calls);
	KUNIT_EXPECT_EQ(test, w->restores, 100);
	/* those that it sends itself get in nobody's way */
	for (i = ASKED; i < ASKED + 50; i++)
		KUNIT_ASSERT_EQ(test, call_send(w->e, calls, i, 0), STATUS_SUCCESS);
	end_expect_soon(c, atomic_read(&at_client.asked) == ASKED + 50);
	vsp_answer_all(&at_client);
	end_expect_soon(w->e, atomic_read(&w->e->completions) == 100 + 50);
	for (i = 0; i < ASKED + 50; i++) {
		KUNIT_EXPECT_EQ(test, calls[i].answers, i % 3 != 0 || i >= ASKED);
		KUNIT_EXPECT_EQ(test, calls[i].wrong + calls[i].cancelled + calls[i].removed, 0);
	}
	KUNIT_EXPECT_EQ(test, w->e->kch->stats.stale_ids, 0);
	KUNIT_EXPECT_TRUE(test, xa_empty(&w->e->kch->restored));
	blob_free(&b);
}

static void fill_with(u8 *p, u32 len, u8 seed)
{
	u32 i;

	for (i = 0; i < len; i++)
		p[i] = seed + i;
}

/* The memory that a client names in a packet is named again for who restores it. */
static void external_data_are_there_after_a_restore(struct kunit *test)
{
	struct call *calls = calls_new(test);
	const u32 bytes = 3 * 4096;
	struct blob b = {};
	struct vsp *v, *w;
	struct end *c;
	u8 *memory, *expected;
	PMDL mdl, got;
	u32 len;
	void *va;

	v = vsp_pair(test, 64, &c);
	memory = kunit_kmalloc(test, 4 * 4096, GFP_KERNEL);
	expected = kunit_kmalloc(test, bytes, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, memory);
	KUNIT_ASSERT_NOT_NULL(test, expected);
	fill_with(memory + 100, bytes, 7);
	fill_with(expected, bytes, 7);
	mdl = IoAllocateMdl(memory + 100, bytes, FALSE, FALSE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, mdl);
	MmBuildMdlForNonPagedPool(mdl);
	KUNIT_ASSERT_EQ(test, call_send_mdl(c, calls, 0, 0, mdl), STATUS_SUCCESS);
	end_expect_soon(v->e, atomic_read(&v->asked) == 1);
	blob_save(test, v, &b, LARGE);
	vsp_answer_all(v);
	end_drop(v->e);

	w = vsp_new(test, 64);
	KUNIT_ASSERT_EQ(test, blob_read(test, w->e, b.bytes, b.size), STATUS_SUCCESS);
	/* before it is enabled, too */
	KUNIT_ASSERT_EQ(test, VmbChannelPacketGetExternalData(w->asks[0].packet, 0, &got),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, MmGetMdlByteCount(got), bytes);
	va = MmGetSystemAddressForMdlSafe(got, NormalPagePriority);
	KUNIT_ASSERT_NOT_NULL(test, va);
	KUNIT_EXPECT_MEMEQ(test, va, expected, bytes);
	va = kmcl_packet_payload(w->asks[0].packet, &len);
	KUNIT_ASSERT_NOT_NULL(test, va);
	KUNIT_EXPECT_EQ(test, len, sizeof(struct message));
	KUNIT_EXPECT_EQ(test, ((struct message *)va)->number, 0);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(w->e->ch), STATUS_SUCCESS);
	VmbChannelStart(w->e->ch);
	va = MmGetSystemAddressForMdlSafe(got, NormalPagePriority);
	fill_with(va, bytes, 99);
	vsp_answer_all(w);
	end_expect_soon(c, calls_are_answered(calls, 1));
	calls_expect(test, calls, 1);
	fill_with(expected, bytes, 99);
	KUNIT_EXPECT_MEMEQ(test, memory + 100, expected, bytes);
	IoFreeMdl(mdl);
	blob_free(&b);
}

/* What is completed while the channel is being saved is saved as a reply, or completed again. */
static void complete_next(struct vsp *v, VMBPACKET packet)
{
	struct ask *ask = VmbPacketGetPointer(packet);
	u32 index = ask - v->asks;

	/* SavePacket is called twice for each: the next one, which has not been saved yet */
	if (index + 1 < atomic_read(&v->asked))
		vsp_answer(v, index + 1);
	/* and one that was saved as the driver's */
	if (index >= 2)
		vsp_answer(v, index - 2);
}

static void what_is_completed_meanwhile_is_answered_once(struct kunit *test)
{
	struct call *calls = calls_new(test);
	struct blob b = {};
	struct vsp *v, *w;
	struct end *c;
	u32 i;

	v = vsp_pair(test, 64, &c);
	for (i = 0; i < 20; i++)
		KUNIT_ASSERT_EQ(test, call_send(c, calls, i, 0), STATUS_SUCCESS);
	end_expect_soon(v->e, atomic_read(&v->asked) == 20);
	v->on_save = complete_next;
	KUNIT_ASSERT_EQ(test, VmbChannelSaveBegin(v->e->ch), STATUS_SUCCESS);
	vsp_answer(v, 7);
	KUNIT_ASSERT_EQ(test, blob_write(test, v->e, &b, LARGE), STATUS_SUCCESS);
	/* and what was saved as the driver's: completed by who restores it */
	vsp_answer_all(v);
	VmbChannelSaveEnd(v->e->ch);
	KUNIT_EXPECT_LT(test, v->saves, 2 * 20);
	KUNIT_EXPECT_GT(test, v->saves, 0);
	end_drop(v->e);
	KUNIT_EXPECT_EQ(test, atomic_read(&c->completions), 0);

	w = vsp_follow(test, &b, 64, calls);
	KUNIT_EXPECT_EQ(test, w->restores, v->saves / 2);
	vsp_answer_all(w);
	end_expect_soon(c, calls_are_answered(calls, 20));
	calls_expect(test, calls, 20);
	/* one more, behind any second answer */
	KUNIT_ASSERT_EQ(test, call_send(c, calls, 20, 0), STATUS_SUCCESS);
	end_expect_soon(w->e, atomic_read(&w->asked) == v->saves / 2 + 1);
	vsp_answer_all(w);
	end_expect_soon(c, calls_are_answered(calls, 21));
	KUNIT_EXPECT_EQ(test, c->kch->stats.stale_ids, 0);
	blob_free(&b);
}

/* The same, and the channel goes on. */
static void what_is_completed_meanwhile_leaves_at_start(struct kunit *test)
{
	struct call *calls = calls_new(test);
	struct blob b = {};
	struct vsp *v;
	struct end *c;
	u32 i;

	v = vsp_pair(test, 64, &c);
	for (i = 0; i < 20; i++)
		KUNIT_ASSERT_EQ(test, call_send(c, calls, i, 0), STATUS_SUCCESS);
	end_expect_soon(v->e, atomic_read(&v->asked) == 20);
	v->on_save = complete_next;
	blob_save(test, v, &b, LARGE);
	KUNIT_EXPECT_EQ(test, atomic_read(&c->completions), 0);
	VmbChannelStart(v->e->ch);
	vsp_answer_all(v);
	end_expect_soon(c, calls_are_answered(calls, 20));
	calls_expect(test, calls, 20);
	/* once more, with nothing in the way */
	blob_free(&b);
	blob_save(test, v, &b, LARGE);
	VmbChannelStart(v->e->ch);
	KUNIT_ASSERT_EQ(test, call_send(c, calls, 20, 0), STATUS_SUCCESS);
	end_expect_soon(v->e, atomic_read(&v->asked) == 21);
	vsp_answer_all(v);
	end_expect_soon(c, calls_are_answered(calls, 21));
	blob_free(&b);
}

static void a_server_is_serviced_again_and_again(struct kunit *test)
{
	struct call *calls = calls_new(test), *mine = calls_new(test);
	struct vsp *v, *w, at_client = {};
	struct blob b = {};
	struct end *c;
	u32 i;

	v = vsp_pair(test, 128, &c);
	at_client.asks = kunit_kcalloc(test, 200, sizeof(struct ask), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, at_client.asks);
	at_client.e = c;
	c->priv = &at_client;
	c->on_packet = keep_for_later;
	for (i = 0; i < 10; i++) {
		/* one more each time, both ways, and none is answered */
		KUNIT_ASSERT_EQ(test, call_send(c, calls, i, 3 * i), STATUS_SUCCESS);
		memset(&mine[i], 0, sizeof(mine[i]));
		KUNIT_ASSERT_EQ(test, call_send(v->e, mine, i, 0), STATUS_SUCCESS);
		end_expect_soon(v->e, atomic_read(&v->asked) == i + 1);
		end_expect_soon(c, atomic_read(&at_client.asked) == i + 1);
		blob_save(test, v, &b, LARGE);
		vsp_answer_all(v);
		end_drop(v->e);
		memset(mine, 0, 10 * sizeof(*mine));
		w = vsp_follow(test, &b, 128, mine);
		KUNIT_EXPECT_EQ(test, w->restores, 2 * (i + 1));
		blob_free(&b);
		v = w;
	}
	vsp_answer_all(v);
	vsp_answer_all(&at_client);
	end_expect_soon(c, calls_are_answered(calls, 10));
	end_expect_soon(v->e, calls_are_answered(mine, 10));
	calls_expect(test, calls, 10);
	calls_expect(test, mine, 10);
	end_expect_log(c, "");
}

static void a_server_without_a_client_is_serviced(struct kunit *test)
{
	struct call *calls = calls_new(test);
	struct blob b = {};
	struct vsp *v, *w;
	struct end *c;

	v = vsp_new(test, 64);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(v->e->ch), STATUS_SUCCESS);
	VmbChannelStart(v->e->ch);
	KUNIT_ASSERT_EQ(test, call_send(v->e, calls, 0, 0), STATUS_SUCCESS);
	blob_save(test, v, &b, LARGE);
	end_drop(v->e);
	KUNIT_EXPECT_EQ(test, calls[0].cancelled, 1);
	/* a client comes while nobody is there */
	c = end_new(test, false);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketSize(c->ch, 256), STATUS_SUCCESS);
	memset(calls, 0, sizeof(*calls));
	w = vsp_new(test, 64);
	w->calls = calls;
	KUNIT_ASSERT_EQ(test, blob_read(test, w->e, b.bytes, b.size), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, w->restores, 1);
	end_bring_up(w->e, c);
	end_expect_soon(w->e, calls_are_answered(calls, 1));
	calls_expect(test, calls, 1);
	blob_free(&b);
}

/* A driver that says nothing about packets gets them as new ones. */
static void without_callbacks_packets_come_again(struct kunit *test)
{
	struct call *calls = calls_new(test);
	struct blob b = {};
	struct vsp *v, *w;
	struct end *c;
	u32 i;

	v = vsp_pair(test, 64, &c);
	for (i = 0; i < 10; i++)
		KUNIT_ASSERT_EQ(test, call_send(c, calls, i, 0), STATUS_SUCCESS);
	end_expect_soon(v->e, atomic_read(&v->asked) == 10);
	blob_save(test, v, &b, LARGE);
	vsp_answer_all(v);
	end_drop(v->e);
	w = vsp_new(test, 64);
	KUNIT_ASSERT_EQ(test, set_callbacks(w->e->ch, NULL, NULL), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, blob_read(test, w->e, b.bytes, b.size), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, atomic_read(&w->asked), 0);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(w->e->ch), STATUS_SUCCESS);
	VmbChannelStart(w->e->ch);
	end_expect_soon(w->e, atomic_read(&w->asked) == 10);
	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_EQ(test, w->asks[i].message.number, i);
	vsp_answer_all(w);
	end_expect_soon(c, calls_are_answered(calls, 10));
	calls_expect(test, calls, 10);
	blob_free(&b);
}

/* RestorePacket fails for the @nth of ten; @after it has restored the packet. */
static void restore_fails_at(struct kunit *test, struct call *calls, struct call *mine, u32 nth,
			     bool after)
{
	struct vsp *v, *w, at_client = {};
	struct blob b = {};
	struct end *c;
	u32 i;

	memset(calls, 0, 5 * sizeof(*calls));
	memset(mine, 0, 5 * sizeof(*mine));
	v = vsp_pair(test, 64, &c);
	at_client.asks = kunit_kcalloc(test, 10, sizeof(struct ask), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, at_client.asks);
	c->priv = &at_client;
	c->on_packet = keep_for_later;
	for (i = 0; i < 5; i++) {
		KUNIT_ASSERT_EQ(test, call_send(c, calls, i, 0), STATUS_SUCCESS);
		KUNIT_ASSERT_EQ(test, call_send(v->e, mine, i, 0), STATUS_SUCCESS);
	}
	end_expect_soon(v->e, atomic_read(&v->asked) == 5);
	end_expect_soon(c, atomic_read(&at_client.asked) == 5);
	blob_save(test, v, &b, LARGE);
	vsp_answer_all(v);
	end_drop(v->e);
	memset(mine, 0, 5 * sizeof(*mine));

	w = vsp_new(test, 64);
	w->calls = mine;
	w->fail_restore = nth;
	w->fail_after = after;
	KUNIT_EXPECT_EQ(test, blob_read(test, w->e, b.bytes, b.size), STATUS_UNSUCCESSFUL);
	KUNIT_EXPECT_EQ(test, w->restores, nth);
	/* those of its own that it had back are over, and the others were never */
	for (i = 0; i < 5; i++)
		KUNIT_EXPECT_EQ(test, mine[i].cancelled, i + 6 < nth);
	KUNIT_EXPECT_TRUE(test, xa_empty(&w->e->kch->restored));
	if (after)
		VmbPacketFree(w->failed);
	/* what it has been given it completes, as at a close */
	KUNIT_EXPECT_EQ(test, atomic_read(&w->asked), min(nth - 1, 5u));
	vsp_answer_all(w);
	end_drop(w->e);
	end_expect_soon(c, c->logged >= 1);
	vsp_answer_all(&at_client);
	end_expect_soon(c, c->logged == 2);
	end_expect_log(c, "UC");
	for (i = 0; i < 5; i++)
		KUNIT_EXPECT_EQ(test, calls[i].removed, 1);
	blob_free(&b);
	end_drop(c);
}

static void nothing_is_half_restored(struct kunit *test)
{
	struct call *calls = calls_new(test), *mine = calls_new(test);
	u32 nth;

	for (nth = 1; nth <= 10; nth++) {
		restore_fails_at(test, calls, mine, nth, false);
		restore_fails_at(test, calls, mine, nth, true);
	}
}

/* After RestoreFromBuffer and before Enable. */
static void a_client_that_closes_ends_the_restore(struct kunit *test)
{
	struct call *calls = calls_new(test);
	struct blob b = {};
	struct vsp *v, *w;
	struct end *c;

	v = vsp_pair(test, 64, &c);
	KUNIT_ASSERT_EQ(test, call_send(c, calls, 0, 0), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, call_send(c, calls, 1, 0), STATUS_SUCCESS);
	end_expect_soon(v->e, atomic_read(&v->asked) == 2);
	blob_save(test, v, &b, LARGE);
	vsp_answer_all(v);
	end_drop(v->e);
	w = vsp_new(test, 64);
	KUNIT_ASSERT_EQ(test, blob_read(test, w->e, b.bytes, b.size), STATUS_SUCCESS);
	/* its memory is its own again when the driver has let go of it, and not before */
	vsp_answer(w, 0);
	KUNIT_ASSERT_TRUE(test, helper_start(&closer, close_client, c));
	KUNIT_EXPECT_TRUE(test, becomes(calls[0].cancelled && calls[1].cancelled));
	KUNIT_EXPECT_TRUE(test, becomes(!READ_ONCE(w->e->kch->restore)));
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(w->e->ch), STATUS_INVALID_DEVICE_STATE);
	KUNIT_EXPECT_EQ(test, blob_read(test, w->e, b.bytes, b.size), STATUS_INVALID_PARAMETER_1);
	vsp_answer(w, 1);
	KUNIT_EXPECT_TRUE(test, helper_join(&closer));
	end_expect_log(c, "UC");
	end_clear_log(c);
	end_bring_up(w->e, c);
	blob_free(&b);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_client_sees_a_pause_and_no_error),
	KUNIT_CASE(start_goes_on_as_if_nothing_had_been_saved),
	KUNIT_CASE(a_save_that_is_not_complete_does_not_park),
	KUNIT_CASE_SLOW(one_that_nobody_restores_is_rescinded),
	KUNIT_CASE(an_offer_anew_ends_what_was_parked),
	KUNIT_CASE(a_client_that_closes_meanwhile_is_let_go),
	KUNIT_CASE(a_client_that_closes_ends_the_save),
	KUNIT_CASE(a_client_that_closes_ends_the_restore),
	KUNIT_CASE(requests_of_the_server_find_their_answers),
	KUNIT_CASE(external_data_are_there_after_a_restore),
	KUNIT_CASE(what_is_completed_meanwhile_is_answered_once),
	KUNIT_CASE(what_is_completed_meanwhile_leaves_at_start),
	KUNIT_CASE(a_server_is_serviced_again_and_again),
	KUNIT_CASE(a_server_without_a_client_is_serviced),
	KUNIT_CASE(without_callbacks_packets_come_again),
	KUNIT_CASE(nothing_is_half_restored),
	{}
};

static struct kunit_suite suite = {
	.name = "loopback_save",
	.init = end_init,
	.exit = vsp_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
