// SPDX-License-Identifier: GPL-2.0
/*
 * When ProcessPacket is called: at which level, how many at a time, and not at
 * all while the channel is paused.
 */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/slab.h>
#include "fixture.h"
#include "helper.h"

#define ASK	VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED

/* What the ProcessPackets of this file write down. */
struct log {
	u64 next;			/* number that is expected */
	int disorder;
	int passive;			/* calls in process context */
	int other;			/* calls elsewhere */
	int deferred;
	int wrong;
	VMBPACKETCOMPLETION deferred_pkt;
	void *deferred_buf;
	int n;
	VMBPACKETCOMPLETION pkt[4096];
};

static struct vsc *log_vsc(struct kunit *test, u32 max_packet, struct log **log,
			   void (*on_packet)(struct vsc *, VMBPACKETCOMPLETION, void *, u32))
{
	struct vsc *v = vsc_new(test);

	*log = kunit_kzalloc(test, sizeof(**log), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, *log);
	v->priv = *log;
	v->on_packet = on_packet;
	v->offer.exec = HVSIM_EXEC_INLINE;
	if (max_packet)
		KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketSize(v->ch, max_packet),
				STATUS_SUCCESS);
	vsc_bring_up(v);
	return v;
}

/* Packets numbered @from to @to - 1; waits when the guest's ring is full. */
static void host_sends(struct vsc *v, u16 flags, u64 from, u64 to)
{
	int tries = 0, ret;

	while (from < to) {
		ret = hvsim_send(v->host, VM_PKT_DATA_INBAND, flags, from, &from, sizeof(from));
		if (!ret) {
			from++;
			continue;
		}
		if (ret != -EAGAIN || tries++ == 500)
			break;
		schedule_timeout_uninterruptible(1);
	}
	KUNIT_EXPECT_EQ(v->test, from, to);
}

static bool at_passive(void)
{
	return in_task() && !irqs_disabled();
}

static void note(struct log *l, const void *buf)
{
	if (*(const u64 *)buf != l->next)
		l->disorder++;
	l->next = *(const u64 *)buf + 1;
	if (at_passive())
		l->passive++;
	else
		l->other++;
}

static void keep(struct vsc *v, VMBPACKETCOMPLETION pkt, void *buf, u32 len)
{
	struct log *l = v->priv;

	note(l, buf);
	if (l->n < ARRAY_SIZE(l->pkt)) {
		l->pkt[l->n] = pkt;
		WRITE_ONCE(l->n, l->n + 1);
	}
}

static void let_go(struct log *l)
{
	while (l->n)
		VmbChannelPacketComplete(l->pkt[--l->n], NULL, 0);
}

/* ---- PASSIVE_LEVEL ---- */

/* Every third packet wants to sleep. */
static void defer_some(struct vsc *v, VMBPACKETCOMPLETION pkt, void *buf, u32 len)
{
	struct log *l = v->priv;
	u64 number = *(u64 *)buf;

	if (number % 3 == 0 && !at_passive()) {
		l->deferred++;
		l->deferred_pkt = pkt;
		l->deferred_buf = buf;
		VmbChannelPacketDeferToPassive(pkt);
		return;
	}
	note(l, buf);
	if (number % 3 == 0) {
		msleep(20);
		if (pkt == l->deferred_pkt && buf != l->deferred_buf)
			l->wrong++;
	}
	VmbChannelPacketComplete(pkt, buf, len);
}

static void a_deferred_packet_comes_again_where_it_may_sleep(struct kunit *test)
{
	struct log *l;
	struct vsc *v = log_vsc(test, 0, &l, defer_some);

	host_sends(v, ASK, 0, 1);
	/* noted before it sleeps, and completed after that */
	KUNIT_EXPECT_TRUE(test, becomes(atomic_read(&v->batches) == 1));
	KUNIT_EXPECT_EQ(test, l->next, 1);
	KUNIT_EXPECT_EQ(test, l->deferred, 1);
	KUNIT_EXPECT_EQ(test, l->passive, 1);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, v->host->stats.packets[VM_PKT_COMP], 1ul);
	/* seen twice, processed once */
	KUNIT_EXPECT_EQ(test, atomic_read(&v->received), 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->batch_packets), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->batches), 1);
}

static void what_comes_behind_a_deferred_packet_stays_behind_it(struct kunit *test)
{
	struct log *l;
	struct vsc *v = log_vsc(test, 0, &l, defer_some);
	u64 i;

	for (i = 0; i < 60; i += 4) {
		host_sends(v, ASK, i, i + 4);
		if (i % 8)
			schedule_timeout_uninterruptible(1);
	}
	vsc_expect_soon(v, l->next == 60);
	vsc_expect_soon(v, atomic_read(&v->batch_packets) == 60);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, l->disorder, 0);
	KUNIT_EXPECT_EQ(test, l->wrong, 0);
	KUNIT_EXPECT_GE(test, l->deferred, 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->received), 60 + l->deferred);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->batch_packets), 60);
	KUNIT_EXPECT_EQ(test, v->host->stats.packets[VM_PKT_COMP], 60ul);
}

static void sleep_and_complete(struct vsc *v, VMBPACKETCOMPLETION pkt, void *buf, u32 len)
{
	struct log *l = v->priv;

	note(l, buf);
	if (at_passive() && l->next % 10 == 0)
		msleep(20);
	VmbChannelPacketComplete(pkt, buf, len);
}

static void passive_processing_is_process_context(struct kunit *test)
{
	struct log *l;
	struct vsc *v = log_vsc(test, 0, &l, sleep_and_complete);

	VmbChannelSetIncomingProcessingAtPassive(v->ch, TRUE);
	host_sends(v, ASK, 0, 100);
	vsc_expect_soon(v, atomic_read(&v->batch_packets) == 100);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, l->passive, 100);
	KUNIT_EXPECT_EQ(test, l->other, 0);
	KUNIT_EXPECT_EQ(test, l->disorder, 0);
	KUNIT_EXPECT_EQ(test, v->host->stats.packets[VM_PKT_COMP], 100ul);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->kch->rx.busy), 0);
}

static void switching_to_passive_and_back_keeps_the_order(struct kunit *test)
{
	struct log *l;
	struct vsc *v = log_vsc(test, 0, &l, sleep_and_complete);
	u64 i;

	for (i = 0; i < 300; i += 10) {
		/* TRUE is whatever is not 0, in a BOOLEAN */
		VmbChannelSetIncomingProcessingAtPassive(v->ch, i % 20 ? 0 : 0x40);
		host_sends(v, 0, i, i + 10);
		if (i % 50 == 0)
			schedule_timeout_uninterruptible(2);
	}
	vsc_expect_soon(v, l->next == 300);
	KUNIT_EXPECT_EQ(test, l->disorder, 0);
	KUNIT_EXPECT_GT(test, l->passive, 0);
	KUNIT_EXPECT_EQ(test, l->passive + l->other, 300);
	/* and in the end it is off */
	vsc_expect_soon(v, !READ_ONCE(v->kch->rx.backlogged));
	l->other = 0;
	host_sends(v, 0, 300, 310);
	vsc_expect_soon(v, l->next == 310);
	KUNIT_EXPECT_EQ(test, l->other, 10);
}

static void ask_back(struct vsc *v, VMBPACKETCOMPLETION pkt, void *buf, u32 len)
{
	struct log *l = v->priv;
	UINT32 size = 8;
	u64 answer = 0;

	note(l, buf);
	if (VmbChannelSendSynchronousRequest(v->ch, buf, 8, NULL, WAIT_FOR_COMPLETION, &answer,
					     &size, NULL) || size != 8 || answer != *(u64 *)buf)
		l->wrong++;
	VmbChannelPacketComplete(pkt, NULL, 0);
}

static void a_request_inside_a_passive_process_packet_gets_its_answer(struct kunit *test)
{
	struct log *l;
	struct vsc *v = log_vsc(test, 0, &l, ask_back);

	v->host->exec = HVSIM_EXEC_ASYNC;
	VmbChannelSetIncomingProcessingAtPassive(v->ch, TRUE);
	host_sends(v, 0, 0, 50);
	vsc_expect_soon(v, atomic_read(&v->batch_packets) == 50);
	KUNIT_EXPECT_EQ(test, l->wrong, 0);
	KUNIT_EXPECT_EQ(test, l->disorder, 0);
	KUNIT_EXPECT_EQ(test, v->host->stats.answers, 50ul);
}

static void packets_deferred_before_a_pause_come_after_it(struct kunit *test)
{
	struct log *l;
	struct vsc *v = log_vsc(test, 0, &l, sleep_and_complete);
	u64 before;

	VmbChannelSetIncomingProcessingAtPassive(v->ch, TRUE);
	host_sends(v, ASK, 0, 100);
	VmbChannelPause(v->ch);
	before = l->next;
	schedule_timeout_uninterruptible(3);
	KUNIT_EXPECT_EQ(test, l->next, before);
	KUNIT_EXPECT_LT(test, before, 100ull);
	VmbChannelStart(v->ch);
	vsc_expect_soon(v, l->next == 100);
	KUNIT_EXPECT_EQ(test, l->disorder, 0);
	vsc_expect_log(v, "USP");
}

/* ---- how many ---- */

static void a_thousand_packets_at_the_driver_stop_the_reader(struct kunit *test)
{
	struct log *l;
	struct vsc *v = log_vsc(test, 8, &l, keep);
	unsigned long irqs;
	u32 left;

	host_sends(v, 0, 0, 1500);
	vsc_expect_soon(v, READ_ONCE(l->n) == 1024);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, l->n, 1024);
	left = hvsim_ring_used(v->host, HVSIM_H2G);
	KUNIT_EXPECT_EQ(test, left, 476u * 32);
	irqs = v->host->stats.irqs;
	host_sends(v, 0, 1500, 1600);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, l->n, 1024);
	KUNIT_EXPECT_EQ(test, v->host->stats.irqs, irqs);

	/* one out, one in */
	VmbChannelPacketComplete(l->pkt[0], NULL, 0);
	vsc_expect_soon(v, READ_ONCE(l->n) == 1025);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, l->n, 1025);
	l->pkt[0] = l->pkt[--l->n];
	let_go(l);
	vsc_expect_soon(v, l->next == 1600);
	KUNIT_EXPECT_EQ(test, l->disorder, 0);
	let_go(l);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->received), 1600);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->batch_packets), 1600);
	KUNIT_EXPECT_LE(test, v->kch->rx.objects, 1024u);
}

static void the_pool_grows_while_packets_are_kept(struct kunit *test)
{
	struct log *l;
	struct vsc *v = log_vsc(test, 0, &l, keep);

	KUNIT_EXPECT_LE(test, v->kch->rx.objects, 16u);
	host_sends(v, 0, 0, 300);
	vsc_expect_soon(v, READ_ONCE(l->n) == 300);
	KUNIT_EXPECT_EQ(test, l->disorder, 0);
	KUNIT_EXPECT_GE(test, v->kch->rx.objects, 300u);
	KUNIT_EXPECT_LE(test, v->kch->rx.objects, 1024u);
	let_go(l);
}

struct large {
	int calls;
	int wrong;
	u32 len;
};

static void check_large(struct vsc *v, VMBPACKETCOMPLETION pkt, void *buf, u32 len)
{
	struct large *l = v->priv;

	if (memchr_inv(buf, l->calls + 1, len))
		l->wrong++;
	l->len = len;
	WRITE_ONCE(l->calls, l->calls + 1);
	VmbChannelPacketComplete(pkt, buf, len);
}

static void packets_larger_than_the_maximum_are_delivered(struct kunit *test)
{
	static const u32 lens[] = { 64, 72, 80, 4096, 64, 30000, 65496, 8, 65496, 72 };
	struct large *l = kunit_kzalloc(test, sizeof(*l), GFP_KERNEL);
	struct vsc *v = vsc_new(test);
	u8 *data = kunit_kzalloc(test, 65536, GFP_KERNEL);
	int i, passive;

	KUNIT_ASSERT_TRUE(test, l && data);
	v->priv = l;
	v->on_packet = check_large;
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketSize(v->ch, 64), STATUS_SUCCESS);
	vsc_bring_up(v);
	for (passive = 0; passive < 2; passive++) {
		VmbChannelSetIncomingProcessingAtPassive(v->ch, passive);
		l->calls = 0;
		for (i = 0; i < ARRAY_SIZE(lens); i++) {
			memset(data, i + 1, lens[i]);
			KUNIT_ASSERT_EQ(test, hvsim_send(v->host, VM_PKT_DATA_INBAND, ASK, i, data,
							 lens[i]), 0);
			vsc_expect_soon(v, READ_ONCE(l->calls) == i + 1);
			KUNIT_EXPECT_EQ(test, l->len, lens[i]);
			hvsim_settle();
		}
	}
	KUNIT_EXPECT_EQ(test, l->wrong, 0);
	KUNIT_EXPECT_EQ(test, v->host->stats.packets[VM_PKT_COMP], 2 * ARRAY_SIZE(lens));
	KUNIT_EXPECT_EQ(test, atomic_read(&v->kch->rx.busy), 0);
}

/* Several in the ring at once, which have to wait for memory one by one. */
static void large_and_small_packets_keep_their_order(struct kunit *test)
{
	struct log *l;
	struct vsc *v = log_vsc(test, 64, &l, sleep_and_complete);
	u64 *data = kunit_kzalloc(test, 8000, GFP_KERNEL);
	int i;

	VmbChannelPause(v->ch);
	for (i = 0; i < 30; i++) {
		data[0] = i;
		KUNIT_ASSERT_EQ(test, hvsim_send(v->host, VM_PKT_DATA_INBAND, 0, i, data,
						 i % 3 ? 8 : 1000 * (1 + i % 7)), 0);
	}
	VmbChannelStart(v->ch);
	vsc_expect_soon(v, l->next == 30);
	KUNIT_EXPECT_EQ(test, l->disorder, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->received), 30);
}

/* ---- paused ---- */

/* The link's functions, with a count of the times that the reader starts. */
static struct {
	const struct kmcl_link_ops *real;
	struct kmcl_link_ops ops;
	int runs;
} spy;

static void spy_mask(struct kmcl_link *link)
{
	spy.runs++;
	spy.real->mask(link);
}

static void a_paused_channel_with_a_full_ring_costs_nothing(struct kunit *test)
{
	struct log *l;
	struct vsc *v = log_vsc(test, 0, &l, sleep_and_complete);
	struct kmcl_link *link = v->kch->target.link;
	unsigned long irqs;
	int n = 0, i;
	u64 number;

	VmbChannelPause(v->ch);
	spy.real = link->ops;
	spy.ops = *link->ops;
	spy.ops.mask = spy_mask;
	spy.runs = 0;
	WRITE_ONCE(link->ops, &spy.ops);

	for (number = 0; !hvsim_send(v->host, VM_PKT_DATA_INBAND, 0, 0, &number, 8); number++)
		n++;
	KUNIT_EXPECT_GT(test, n, 1000);
	/* the first packet found the ring empty; nothing after it interrupts */
	KUNIT_EXPECT_LE(test, spy.runs, 2);
	irqs = v->host->stats.irqs;
	spy.runs = 0;
	msleep(200);
	KUNIT_EXPECT_EQ(test, v->host->stats.irqs, irqs);
	KUNIT_EXPECT_EQ(test, spy.runs, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->kch->rx.claims), 0);
	KUNIT_EXPECT_EQ(test, hvsim_peek(v->host, HVSIM_H2G, HVSIM_INTERRUPT_MASK), 1u);
	/* one look for each interrupt that is sent all the same, and no more */
	for (i = 0; i < 5; i++) {
		hvsim_interrupt(v->host);
		hvsim_settle();
	}
	KUNIT_EXPECT_LE(test, spy.runs, 5);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->received), 0);
	WRITE_ONCE(link->ops, spy.real);

	VmbChannelStart(v->ch);
	vsc_expect_soon(v, l->next == n);
	KUNIT_EXPECT_EQ(test, l->disorder, 0);
	KUNIT_EXPECT_EQ(test, hvsim_peek(v->host, HVSIM_H2G, HVSIM_INTERRUPT_MASK), 0u);
}

static void answers_at_the_head_are_processed_while_paused(struct kunit *test)
{
	struct log *l;
	struct vsc *v = log_vsc(test, 0, &l, keep);
	int i;

	v->host->script.answer = HVSIM_ANSWER_LATER;
	for (i = 0; i < 5; i++)
		KUNIT_EXPECT_EQ(test, vsc_send(v, &i, 4, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	VmbChannelPause(v->ch);
	KUNIT_EXPECT_EQ(test, hvsim_answer(v->host, 3), 3);
	vsc_expect_soon(v, atomic_read(&v->ok) == 3);

	/* data comes, and then an answer behind it */
	host_sends(v, 0, 0, 1);
	KUNIT_EXPECT_EQ(test, hvsim_answer(v->host, 1), 1);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, atomic_read(&v->ok), 3);
	KUNIT_EXPECT_EQ(test, l->n, 0);
	VmbChannelStart(v->ch);
	vsc_expect_soon(v, atomic_read(&v->ok) == 4);
	KUNIT_EXPECT_EQ(test, l->n, 1);
	let_go(l);
	KUNIT_EXPECT_EQ(test, hvsim_answer(v->host, 1), 1);
	vsc_expect_soon(v, atomic_read(&v->ok) == 5);
}

static int pause(void *data)
{
	struct vsc *v = data;
	struct log *l = v->priv;

	VmbChannelPause(v->ch);
	WRITE_ONCE(l->wrong, -1);
	wake_up_all(&v->wait);
	return 0;
}

static void pause_waits_until_every_packet_is_completed(struct kunit *test)
{
	struct log *l;
	struct vsc *v = log_vsc(test, 0, &l, keep);

	host_sends(v, ASK, 0, 3);
	vsc_expect_soon(v, READ_ONCE(l->n) == 3);
	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(pause, v, "kmcl-pause")));
	vsc_expect_soon(v, v->logged == 1);
	host_sends(v, ASK, 3, 5);
	while (l->n) {
		hvsim_settle();
		KUNIT_EXPECT_EQ(test, l->wrong, 0);
		vsc_expect_log(v, "U");
		VmbChannelPacketComplete(l->pkt[--l->n], NULL, 0);
	}
	vsc_expect_soon(v, READ_ONCE(l->wrong) == -1);
	hvsim_settle();
	/* replies go out, what came meanwhile does not come in */
	KUNIT_EXPECT_EQ(test, v->host->stats.packets[VM_PKT_COMP], 3ul);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->received), 3);
	VmbChannelStart(v->ch);
	vsc_expect_soon(v, READ_ONCE(l->n) == 2);
	let_go(l);
	vsc_expect_log(v, "USP");
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_deferred_packet_comes_again_where_it_may_sleep),
	KUNIT_CASE(what_comes_behind_a_deferred_packet_stays_behind_it),
	KUNIT_CASE(passive_processing_is_process_context),
	KUNIT_CASE(switching_to_passive_and_back_keeps_the_order),
	KUNIT_CASE(a_request_inside_a_passive_process_packet_gets_its_answer),
	KUNIT_CASE(packets_deferred_before_a_pause_come_after_it),
	KUNIT_CASE(a_thousand_packets_at_the_driver_stop_the_reader),
	KUNIT_CASE(the_pool_grows_while_packets_are_kept),
	KUNIT_CASE(packets_larger_than_the_maximum_are_delivered),
	KUNIT_CASE(large_and_small_packets_keep_their_order),
	KUNIT_CASE(a_paused_channel_with_a_full_ring_costs_nothing),
	KUNIT_CASE(answers_at_the_head_are_processed_while_paused),
	KUNIT_CASE(pause_waits_until_every_packet_is_completed),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_delivery",
	.init = vsc_suite_init,
	.exit = vsc_suite_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
