// SPDX-License-Identifier: GPL-2.0
/*
 * Answers to nothing: forged, stale, repeated and early transaction ids are
 * counted and ignored, and the right answer still completes once.
 */
#include <linux/module.h>
#include "fixture.h"

/* A slot counts on when its packet is freed, and when the next one sends. */
#define NEXT_OWNER	(2ULL << 32)

/*
 * A VSC whose host looks inside the guest's hypercall and interrupts from there:
 * what a case does has been seen by the other side when the call returns.
 */
static struct vsc *new_vsc(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	v->offer.exec = HVSIM_EXEC_INLINE;
	return v;
}

/* A completion routine that keeps its packet. */
static VOID keep(VMBPACKET packet, PVOID context, NTSTATUS status, PVOID buf, UINT32 len)
{
	vsc_count(context, status);
}

static VMBPACKET kept_packet(struct vsc *v)
{
	VMBPACKET pkt = VmbPacketAllocate(v->ch);

	KUNIT_ASSERT_NOT_NULL(v->test, pkt);
	VmbPacketSetCompletionRoutineEx(pkt, v, keep);
	return pkt;
}

static NTSTATUS send_kept(VMBPACKET pkt, u32 flags)
{
	return VmbPacketSend(pkt, "request", 8, NULL, flags);
}

/* The id under which the packet travels, or will. */
static u64 id_of(VMBPACKET pkt)
{
	return kmcl_packet(pkt)->tx.id;
}

static int done(struct vsc *v)
{
	return atomic_read(&v->completions);
}

/* The host answers @id, whatever that is, and the guest has looked at it. */
static void forge(struct vsc *v, u64 id)
{
	KUNIT_ASSERT_EQ(v->test, hvsim_send(v->host, VM_PKT_COMP, 0, id, "forged!", 8), 0);
	hvsim_interrupt(v->host);
}

static u64 stale(struct vsc *v)
{
	return READ_ONCE(v->kch->stats.stale_ids);
}

/* The channel still does what it should. */
static void expect_traffic(struct vsc *v)
{
	int ok = atomic_read(&v->ok), all = done(v);

	v->host->script.answer = HVSIM_ANSWER_ECHO;
	KUNIT_EXPECT_EQ(v->test, vsc_send(v, "ping", 5, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	vsc_expect_soon(v, atomic_read(&v->ok) == ok + 1);
	KUNIT_EXPECT_EQ(v->test, done(v), all + 1);
}

/* ---- transaction ids ---- */

static void an_id_that_was_never_given_out_is_ignored(struct kunit *test)
{
	static const u64 ids[] = {
		0, 1, 2, 256, 257, 0x1000, 0x7fffffff, 0xffffffff, 1ULL << 32, 1ULL << 32 | 257,
		0xffffffff00000001, 0x7fffffffffffffff, U64_MAX - 1, U64_MAX,
	};
	struct vsc *v = new_vsc(test);
	VMBPACKET pkt;
	u32 i;

	v->offer.script.answer = HVSIM_ANSWER_LATER;
	vsc_bring_up(v);
	/* slot 1 exists and waits, under a generation of its own */
	pkt = kept_packet(v);
	KUNIT_ASSERT_EQ(test, send_kept(pkt, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		if (ids[i] == id_of(pkt))
			continue;
		forge(v, ids[i]);
	}
	KUNIT_EXPECT_GE(test, stale(v), ARRAY_SIZE(ids) - 1);
	KUNIT_EXPECT_EQ(test, done(v), 0);
	KUNIT_EXPECT_EQ(test, hvsim_answer(v->host, 1), 1);
	vsc_expect_soon(v, atomic_read(&v->ok) == 1);
	KUNIT_EXPECT_EQ(test, v->kch->stats.faults, 0);
	VmbPacketFree(pkt);
	expect_traffic(v);
}

static void an_answer_to_the_previous_send_does_not_complete_the_next(struct kunit *test)
{
	struct vsc *v = new_vsc(test);
	VMBPACKET pkt;
	u64 old;

	v->offer.script.answer = HVSIM_ANSWER_LATER;
	vsc_bring_up(v);
	pkt = kept_packet(v);
	KUNIT_ASSERT_EQ(test, send_kept(pkt, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	old = id_of(pkt);
	KUNIT_ASSERT_EQ(test, hvsim_answer(v->host, 1), 1);
	vsc_expect_soon(v, done(v) == 1);

	KUNIT_ASSERT_EQ(test, send_kept(pkt, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	KUNIT_EXPECT_NE(test, id_of(pkt), old);
	forge(v, old);
	KUNIT_EXPECT_EQ(test, done(v), 1);
	KUNIT_EXPECT_EQ(test, stale(v), 1);
	KUNIT_EXPECT_EQ(test, hvsim_answer(v->host, 1), 1);
	vsc_expect_soon(v, atomic_read(&v->ok) == 2);
	VmbPacketFree(pkt);
}

static void a_repeated_answer_completes_once(struct kunit *test)
{
	struct vsc *v = new_vsc(test);
	VMBPACKET pkt;
	int i;

	vsc_bring_up(v);
	pkt = kept_packet(v);
	KUNIT_ASSERT_EQ(test, send_kept(pkt, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	vsc_expect_soon(v, done(v) == 1);
	for (i = 0; i < 5; i++)
		forge(v, id_of(pkt));
	KUNIT_EXPECT_EQ(test, done(v), 1);
	KUNIT_EXPECT_EQ(test, stale(v), 5);
	VmbPacketFree(pkt);
	expect_traffic(v);
}

static void an_answer_to_a_freed_packet_is_ignored(struct kunit *test)
{
	struct vsc *v = new_vsc(test);
	VMBPACKET pkt, other;
	u64 old;

	vsc_bring_up(v);
	pkt = kept_packet(v);
	KUNIT_ASSERT_EQ(test, send_kept(pkt, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	vsc_expect_soon(v, done(v) == 1);
	old = id_of(pkt);
	VmbPacketFree(pkt);
	forge(v, old);
	forge(v, old + NEXT_OWNER);	/* what the slot's next send will be called */
	KUNIT_EXPECT_EQ(test, stale(v), 2);

	/* and when the slot has a new owner that has not sent yet */
	other = kept_packet(v);
	forge(v, old);
	forge(v, old + NEXT_OWNER);
	KUNIT_EXPECT_EQ(test, stale(v), 4);
	KUNIT_EXPECT_EQ(test, done(v), 1);
	KUNIT_ASSERT_EQ(test, send_kept(other, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, id_of(other), old + NEXT_OWNER);
	vsc_expect_soon(v, done(v) == 2);
	VmbPacketFree(other);
}

static void an_answer_that_nobody_asked_for_is_ignored(struct kunit *test)
{
	struct vsc *v = new_vsc(test);
	VMBPACKET pkt;

	vsc_bring_up(v);
	pkt = kept_packet(v);
	KUNIT_ASSERT_EQ(test, send_kept(pkt, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->ok), 1);
	forge(v, id_of(pkt));
	KUNIT_EXPECT_EQ(test, done(v), 1);
	KUNIT_EXPECT_EQ(test, stale(v), 1);
	VmbPacketFree(pkt);
	expect_traffic(v);
}

static void an_answer_from_before_a_disable_is_ignored_after_the_enable(struct kunit *test)
{
	struct vsc *v = new_vsc(test);
	VMBPACKET pkt;
	u64 old;

	v->offer.script.answer = HVSIM_ANSWER_NONE;
	vsc_bring_up(v);
	pkt = kept_packet(v);
	KUNIT_ASSERT_EQ(test, send_kept(pkt, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	old = id_of(pkt);
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->cancelled), 1);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, send_kept(pkt, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	forge(v, old);
	KUNIT_EXPECT_EQ(test, done(v), 1);
	KUNIT_EXPECT_EQ(test, stale(v), 1);
	forge(v, id_of(pkt));
	vsc_expect_soon(v, atomic_read(&v->ok) == 1);
	VmbPacketFree(pkt);
}

/* ---- answers that are too early ---- */

static void an_answer_to_a_packet_behind_a_full_ring_is_ignored(struct kunit *test)
{
	struct vsc *v = new_vsc(test);
	static u8 block[4000];
	VMBPACKET pkt;
	int sent = 0;

	vsc_bring_up(v);
	hvsim_stall(v->host);
	while (!v->kch->stats.queued && sent < 100) {
		KUNIT_ASSERT_EQ(test, vsc_send(v, block, sizeof(block), 0), STATUS_SUCCESS);
		sent++;
	}
	KUNIT_ASSERT_EQ(test, v->kch->stats.queued, 1);
	pkt = kept_packet(v);
	KUNIT_ASSERT_EQ(test, send_kept(pkt, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, done(v), sent - 1);
	forge(v, id_of(pkt));
	KUNIT_EXPECT_EQ(test, done(v), sent - 1);
	KUNIT_EXPECT_EQ(test, stale(v), 1);
	hvsim_resume(v->host);
	vsc_expect_soon(v, done(v) == sent + 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->ok), sent + 1);
	VmbPacketFree(pkt);
}

static void an_answer_to_a_packet_held_by_pause_is_ignored(struct kunit *test)
{
	struct vsc *v = new_vsc(test);
	VMBPACKET pkt;

	vsc_bring_up(v);
	VmbChannelPause(v->ch);
	pkt = kept_packet(v);
	KUNIT_ASSERT_EQ(test, send_kept(pkt, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	forge(v, id_of(pkt));
	KUNIT_EXPECT_EQ(test, done(v), 0);
	KUNIT_EXPECT_EQ(test, stale(v), 1);
	KUNIT_EXPECT_EQ(test, v->host->stats.packets[VM_PKT_DATA_INBAND], 0);
	VmbChannelStart(v->ch);
	vsc_expect_soon(v, atomic_read(&v->ok) == 1);
	KUNIT_EXPECT_EQ(test, done(v), 1);
	VmbPacketFree(pkt);
}

/* A transport whose host answers what it has not been given yet. */
static struct vsc *early;
static const struct kmcl_link_ops *real_ops;

static int early_send(struct kmcl_link *link, const void *data, u32 len, u64 id,
		      enum kmcl_packet_type type, bool wants_reply)
{
	/* no waiting here: this is inside the library's read side section */
	hvsim_send(early->host, VM_PKT_COMP, 0, id, "forged!", 8);
	hvsim_interrupt(early->host);
	return real_ops->send(link, data, len, id, type, wants_reply);
}

static void early_on(struct vsc *v, struct kmcl_link_ops *ops)
{
	early = v;
	real_ops = v->kch->target.link->ops;
	*ops = *real_ops;
	ops->send = early_send;
	v->kch->target.link->ops = ops;
}

static void an_answer_before_the_packet_is_published_is_ignored(struct kunit *test)
{
	static struct kmcl_link_ops ops;
	struct vsc *v = new_vsc(test);
	VMBPACKET pkt;

	vsc_bring_up(v);
	early_on(v, &ops);
	pkt = kept_packet(v);
	KUNIT_EXPECT_EQ(test, send_kept(pkt, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	v->kch->target.link->ops = real_ops;
	vsc_expect_soon(v, atomic_read(&v->ok) == 1);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, stale(v), 1);
	KUNIT_EXPECT_EQ(test, done(v), 1);
	VmbPacketFree(pkt);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(an_id_that_was_never_given_out_is_ignored),
	KUNIT_CASE(an_answer_to_the_previous_send_does_not_complete_the_next),
	KUNIT_CASE(a_repeated_answer_completes_once),
	KUNIT_CASE(an_answer_to_a_freed_packet_is_ignored),
	KUNIT_CASE(an_answer_that_nobody_asked_for_is_ignored),
	KUNIT_CASE(an_answer_from_before_a_disable_is_ignored_after_the_enable),
	KUNIT_CASE(an_answer_to_a_packet_behind_a_full_ring_is_ignored),
	KUNIT_CASE(an_answer_to_a_packet_held_by_pause_is_ignored),
	KUNIT_CASE(an_answer_before_the_packet_is_published_is_ignored),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_stale_id",
	.init = vsc_suite_init,
	.exit = vsc_suite_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
