// SPDX-License-Identifier: GPL-2.0
/*
 * Handles of the wrong kind, late handles, and calls at the wrong level: refused
 * with a status or a line that names driver and channel, and without a look at
 * memory that is gone.
 */
#include <linux/bottom_half.h>
#include <linux/irqflags.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "fixture.h"
#include "kmsg.h"

#define ASK	VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED

/* How a line names this driver. */
#define ME	"[" KBUILD_MODNAME "]"

struct held {
	int n;
	VMBPACKETCOMPLETION pkt[16];
};

static void hold(struct vsc *v, VMBPACKETCOMPLETION pkt, void *buf, u32 len)
{
	struct held *h = v->priv;

	h->pkt[h->n++] = pkt;
	h->n %= ARRAY_SIZE(h->pkt);
}

/* A driver that keeps what it gets, one packet at a time, with a name for the lines. */
static struct vsc *named_vsc(struct kunit *test, struct held **held)
{
	static WCHAR text[] = L"handles";
	UNICODE_STRING name = { .Buffer = text, .Length = 14, .MaximumLength = 16 };
	struct vsc *v = vsc_new(test);

	*held = kunit_kzalloc(test, sizeof(**held), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, *held);
	v->priv = *held;
	v->on_packet = hold;
	v->offer.exec = HVSIM_EXEC_INLINE;
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetFriendlyName(v->ch, &name), STATUS_SUCCESS);
	VmbChannelSetTransactionQuota(v->ch, 1);
	return v;
}

static void host_asks(struct vsc *v, u64 id)
{
	KUNIT_ASSERT_EQ(v->test, hvsim_send(v->host, VM_PKT_DATA_INBAND, ASK, id, "question", 8),
			0);
	hvsim_settle();
}

static unsigned long replies(struct vsc *v)
{
	return v->host->stats.packets[VM_PKT_COMP];
}

/* The lines are rate limited together: a case begins with the full number. */
static int handle_init(struct kunit *test)
{
	ratelimit_state_init(&kmcl_bad_handles, DEFAULT_RATELIMIT_INTERVAL,
			     DEFAULT_RATELIMIT_BURST);
	return vsc_suite_init(test);
}

/* ---- what a handle is ---- */

static void a_handle_is_no_address_and_looks_aligned(struct kunit *test)
{
	struct held *h;
	struct vsc *v = named_vsc(test, &h);
	unsigned long handle[3];
	int i;

	vsc_bring_up(v);
	host_asks(v, 1);
	handle[0] = (unsigned long)v->ch;
	handle[1] = (unsigned long)VmbPacketAllocate(v->ch);
	handle[2] = (unsigned long)h->pkt[0];
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_NE(test, handle[i] >> 56, 0ul);
		KUNIT_EXPECT_NE(test, handle[i] >> 56, 0xfful);
		KUNIT_EXPECT_EQ(test, handle[i] % 16, 0ul);
		KUNIT_EXPECT_NE(test, handle[i] >> 56, handle[(i + 1) % 3] >> 56);
	}
	VmbPacketFree((VMBPACKET)handle[1]);
	VmbChannelPacketComplete(h->pkt[0], NULL, 0);
}

/* ---- wrong kind ---- */

static void no_channel_function_takes_a_packet(struct kunit *test)
{
	struct held *h;
	struct vsc *v = named_vsc(test, &h);
	VMBCHANNEL wrong[2];
	struct kmsg k;
	int i;

	vsc_bring_up(v);
	host_asks(v, 1);
	wrong[0] = (VMBCHANNEL)VmbPacketAllocate(v->ch);
	wrong[1] = (VMBCHANNEL)h->pkt[0];
	kmsg_mark(&k);
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, VmbChannelEnable(wrong[i]), STATUS_INVALID_PARAMETER_1);
		KUNIT_EXPECT_EQ(test, VmbChannelInitSetFlags(wrong[i], 0),
				STATUS_INVALID_PARAMETER_1);
		KUNIT_EXPECT_NULL(test, VmbPacketAllocate(wrong[i]));
		VmbChannelCleanup(wrong[i]);
	}
	/* nor is a handle, of whatever kind, memory for another object */
	KUNIT_EXPECT_EQ(test, VmbChannelInitialize(NULL, FALSE, wrong[0], VmbSizeofChannel()),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, VmbChannelInitialize(NULL, FALSE, v->ch, VmbSizeofChannel()),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, VmbPacketInitialize(v->ch, (VMBPACKET)wrong[0],
						  VmbChannelSizeofPacket(v->ch)),
			STATUS_INVALID_PARAMETER_2);
	kmsg_expect(test, &k, 8, "where another kind of handle belongs");
	kmsg_expect(test, &k, 8, ME);
	kmsg_expect(test, &k, 8, "kmcl: handles (");
	kmsg_expect(test, &k, 4, "a VMBPACKET where");
	kmsg_expect(test, &k, 4, "a VMBPACKETCOMPLETION where");
	VmbPacketFree((VMBPACKET)wrong[0]);
	VmbChannelPacketComplete(h->pkt[0], NULL, 0);
	KUNIT_EXPECT_EQ(test, replies(v), 1ul);
}

static void no_packet_function_takes_a_channel(struct kunit *test)
{
	struct held *h;
	struct vsc *v = named_vsc(test, &h);
	VMBPACKET wrong = (VMBPACKET)v->ch;
	struct kmsg k;

	vsc_bring_up(v);
	kmsg_mark(&k);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(wrong, "x", 1, NULL, 0), STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_NULL(test, VmbPacketGetChannel(wrong));
	KUNIT_EXPECT_NULL(test, VmbPacketGetPointer(wrong));
	KUNIT_EXPECT_NULL(test, VmbPacketGetInlinePacketContextPointer(wrong));
	VmbPacketSetPointer(wrong, v);
	VmbPacketSetCompletionRoutine(wrong, NULL);
	VmbPacketFree(wrong);
	VmbChannelPacketComplete((VMBPACKETCOMPLETION)wrong, NULL, 0);
	VmbChannelPacketFail((VMBPACKETCOMPLETION)wrong);
	VmbChannelPacketDeferToPassive((VMBPACKETCOMPLETION)wrong);
	kmsg_expect(test, &k, 10, "a VMBCHANNEL where another kind of handle belongs");
	kmsg_expect(test, &k, 10, "kmcl: handles (");
	/* and the channel is what it was */
	KUNIT_EXPECT_PTR_EQ(test, VmbChannelGetPointer(v->ch), (void *)v);
	KUNIT_EXPECT_EQ(test, vsc_send(v, "x", 1, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	vsc_expect_soon(v, atomic_read(&v->ok) == 1);
}

static void packets_of_one_direction_are_not_those_of_the_other(struct kunit *test)
{
	struct held *h;
	struct vsc *v = named_vsc(test, &h);
	VMBPACKET out;
	struct kmsg k;

	vsc_bring_up(v);
	host_asks(v, 1);
	out = VmbPacketAllocate(v->ch);
	kmsg_mark(&k);
	VmbChannelPacketComplete((VMBPACKETCOMPLETION)out, NULL, 0);
	VmbChannelPacketFail((VMBPACKETCOMPLETION)out);
	KUNIT_EXPECT_NULL(test, VmbChannelPacketGetClientContext((VMBPACKETCOMPLETION)out));
	VmbPacketFree((VMBPACKET)h->pkt[0]);
	KUNIT_EXPECT_EQ(test, VmbPacketSend((VMBPACKET)h->pkt[0], "x", 1, NULL, 0),
			STATUS_INVALID_PARAMETER_1);
	kmsg_expect(test, &k, 5, "where another kind of handle belongs");
	kmsg_expect(test, &k, 5, ME);
	KUNIT_EXPECT_EQ(test, v->kch->packets, 1u);
	KUNIT_EXPECT_EQ(test, replies(v), 0ul);
	/* but for these, which take both */
	KUNIT_EXPECT_PTR_EQ(test, VmbPacketGetChannel((VMBPACKET)h->pkt[0]), v->ch);
	VmbPacketSetPointer((VMBPACKET)h->pkt[0], h);
	KUNIT_EXPECT_PTR_EQ(test, VmbPacketGetPointer((VMBPACKET)h->pkt[0]), (void *)h);
	VmbChannelPacketComplete(h->pkt[0], NULL, 0);
	VmbPacketFree(out);
}

static void a_number_that_nobody_gave_out_is_no_handle(struct kunit *test)
{
	static const unsigned long wild[] = {
		0x4300000000000000, 0x43ffffffffffffff, 0x5000000003fffff0, 0x49ffffffffffffff,
		0x6b6b6b6b6b6b6b6b, 0x5050505050505050, 0xdead000000000100,
	};
	struct vsc *v = vsc_new(test);
	int i;

	vsc_bring_up(v);
	for (i = 0; i < ARRAY_SIZE(wild); i++) {
		KUNIT_EXPECT_EQ(test, VmbChannelEnable((VMBCHANNEL)wild[i]),
				STATUS_INVALID_PARAMETER_1);
		KUNIT_EXPECT_NULL(test, VmbChannelGetPointer((VMBCHANNEL)wild[i]));
		KUNIT_EXPECT_NULL(test, VmbPacketGetChannel((VMBPACKET)wild[i]));
		VmbPacketFree((VMBPACKET)wild[i]);
		VmbChannelPacketComplete((VMBPACKETCOMPLETION)wild[i], NULL, 0);
	}
	KUNIT_EXPECT_EQ(test, VmbPacketInitialize(v->ch, (VMBPACKET)wild[4],
						  VmbChannelSizeofPacket(v->ch)),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, vsc_send(v, "x", 1, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	vsc_expect_soon(v, atomic_read(&v->ok) == 1);
}

/* ---- late channels ---- */

static void a_channel_is_refused_after_cleanup(struct kunit *test)
{
	struct held *h;
	struct vsc *v = named_vsc(test, &h);
	VMBCHANNEL ch = v->ch, next[8];
	unsigned long fill = 0;
	struct kmsg k;
	GUID guid;
	int i;

	vsc_drop(v);
	rcu_barrier();
	/* its memory and its place are somebody else's */
	for (i = 0; i < ARRAY_SIZE(next); i++) {
		KUNIT_ASSERT_EQ(test, VmbChannelAllocate(NULL, FALSE, &next[i]), STATUS_SUCCESS);
		KUNIT_EXPECT_PTR_NE(test, next[i], ch);
		VmbChannelSetPointer(next[i], &next[i]);
	}
	kmsg_mark(&k);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(ch), STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetMaximumPacketSize(ch, 8),
			STATUS_INVALID_PARAMETER_1);
	VmbChannelCleanup(ch);
	VmbChannelDisable(ch);
	VmbChannelPause(ch);
	kmsg_expect(test, &k, 5, "the VMBCHANNEL is over");
	kmsg_expect(test, &k, 5, "kmcl: handles (");
	kmsg_expect(test, &k, 5, ME);
	VmbChannelStart(ch);
	VmbChannelSetPointer(ch, &fill);
	VmbChannelSetTransactionQuota(ch, 1);
	VmbChannelSetIncomingProcessingAtPassive(ch, TRUE);
	memset(&guid, 0xa5, sizeof(guid));
	VmbChannelGetInterfaceInstance(ch, &guid);
	KUNIT_EXPECT_NULL(test, memchr_inv(&guid, 0xa5, sizeof(guid)));
	KUNIT_EXPECT_NULL(test, VmbChannelGetPointer(ch));
	KUNIT_EXPECT_NULL(test, VmbPacketAllocate(ch));
	KUNIT_EXPECT_EQ(test, VmbChannelSizeofPacket(ch), 0u);
	KUNIT_EXPECT_EQ(test, VmbChannelSendSynchronousRequest(ch, "x", 1, NULL, 0, NULL, NULL,
							       NULL), STATUS_INVALID_PARAMETER_1);
	for (i = 0; i < ARRAY_SIZE(next); i++) {
		KUNIT_EXPECT_PTR_EQ(test, VmbChannelGetPointer(next[i]), (void *)&next[i]);
		VmbChannelCleanup(next[i]);
	}
}

static void memory_of_a_channel_is_one_channel_at_a_time(struct kunit *test)
{
	ULONG size = VmbSizeofChannel();
	VMBCHANNEL ch = kunit_kzalloc(test, size, GFP_KERNEL);
	VMBCHANNEL copy = kunit_kzalloc(test, size, GFP_KERNEL);
	struct kmsg k;

	KUNIT_ASSERT_TRUE(test, ch && copy);
	KUNIT_ASSERT_EQ(test, VmbChannelInitialize(NULL, FALSE, ch, size), STATUS_SUCCESS);
	kmsg_mark(&k);
	KUNIT_EXPECT_EQ(test, VmbChannelInitialize(NULL, FALSE, ch, size),
			STATUS_INVALID_PARAMETER_3);
	kmsg_expect(test, &k, 1, "the memory is a channel that was not cleaned up");
	/* byte for byte, and not that channel; but memory for another one */
	memcpy(copy, ch, size);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(copy), STATUS_INVALID_PARAMETER_1);
	VmbChannelCleanup(copy);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetFlags(ch, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelInitialize(NULL, FALSE, copy, size), STATUS_SUCCESS);
	VmbChannelCleanup(copy);
	memcpy(copy, ch, size);
	VmbChannelCleanup(ch);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetFlags(ch, 0), STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetFlags(copy, 0), STATUS_INVALID_PARAMETER_1);
}

/* ---- late packets ---- */

static void a_freed_packet_is_refused(struct kunit *test)
{
	struct held *h;
	struct vsc *v = named_vsc(test, &h);
	VMBPACKET pkt, next;
	struct kmsg k;
	int round;

	vsc_bring_up(v);
	pkt = VmbPacketAllocate(v->ch);
	VmbPacketFree(pkt);
	for (round = 0; round < 2; round++) {
		/* the second time its slot, and perhaps its memory, is another packet's */
		next = round ? VmbPacketAllocate(v->ch) : NULL;
		KUNIT_EXPECT_PTR_NE(test, next, pkt);
		kmsg_mark(&k);
		VmbPacketFree(pkt);
		KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, "x", 1, NULL, 0),
				STATUS_INVALID_PARAMETER_1);
		VmbPacketSetCompletionRoutineEx(pkt, v, vsc_completed);
		VmbPacketSetPointer(pkt, v);
		KUNIT_EXPECT_NULL(test, VmbPacketGetChannel(pkt));
		kmsg_expect(test, &k, 5, "the VMBPACKET is over");
		kmsg_expect(test, &k, 5, "kmcl: handles (");
		kmsg_expect(test, &k, 5, ME);
		KUNIT_EXPECT_EQ(test, v->kch->packets, (u32)round);
	}
	KUNIT_EXPECT_NULL(test, VmbPacketGetPointer(next));
	KUNIT_EXPECT_PTR_EQ(test, VmbPacketGetChannel(next), v->ch);
	VmbPacketFree(next);
	KUNIT_EXPECT_EQ(test, v->host->stats.packets[VM_PKT_DATA_INBAND], 0ul);
}

/* The slots of a channel go with it, and their numbers are given out again. */
static void a_packet_of_a_channel_that_is_gone_is_nobody_elses(struct kunit *test)
{
	VMBPACKET old, pkt[4];
	VMBCHANNEL ch;
	int i, n;

	for (i = 0; i < 4; i++) {
		KUNIT_ASSERT_EQ(test, VmbChannelAllocate(NULL, FALSE, &ch), STATUS_SUCCESS);
		for (n = 0; n < 4; n++) {
			pkt[n] = VmbPacketAllocate(ch);
			KUNIT_ASSERT_NOT_NULL(test, pkt[n]);
			if (i)
				KUNIT_EXPECT_PTR_NE(test, pkt[n], old);
		}
		if (i) {
			VmbPacketFree(old);
			KUNIT_EXPECT_NULL(test, VmbPacketGetChannel(old));
		}
		for (n = 0; n < 4; n++) {
			KUNIT_EXPECT_PTR_EQ(test, VmbPacketGetChannel(pkt[n]), ch);
			VmbPacketFree(pkt[n]);
		}
		old = pkt[0];
		VmbChannelCleanup(ch);
	}
	VmbPacketFree(old);
}

static void a_packet_is_completed_once(struct kunit *test)
{
	struct held *h;
	struct vsc *v = named_vsc(test, &h);
	struct kmsg k;

	vsc_bring_up(v);
	host_asks(v, 1);
	KUNIT_ASSERT_EQ(test, h->n, 1);
	VmbChannelPacketComplete(h->pkt[0], "one", 4);
	kmsg_mark(&k);
	VmbChannelPacketComplete(h->pkt[0], "two", 4);
	VmbChannelPacketFail(h->pkt[0]);
	VmbChannelPacketDeferToPassive(h->pkt[0]);
	KUNIT_EXPECT_NULL(test, VmbPacketGetChannel((VMBPACKET)h->pkt[0]));
	kmsg_expect(test, &k, 4, "the VMBPACKETCOMPLETION is over");
	kmsg_expect(test, &k, 4, "kmcl: handles (");
	kmsg_expect(test, &k, 4, ME);
	KUNIT_EXPECT_EQ(test, replies(v), 1ul);
	KUNIT_EXPECT_TRUE(test, v->host->open);
}

/* With a quota of one the next packet has the same object. */
static void a_late_completion_is_not_the_next_packets(struct kunit *test)
{
	struct held *h;
	struct vsc *v = named_vsc(test, &h);
	struct kmcl_incoming *object;
	int i;

	vsc_bring_up(v);
	host_asks(v, 1);
	rcu_read_lock();
	object = kmcl_incoming(h->pkt[0]);
	rcu_read_unlock();
	KUNIT_ASSERT_NOT_NULL(test, object);
	VmbChannelPacketComplete(h->pkt[0], NULL, 0);
	for (i = 1; i < 10; i++) {
		host_asks(v, 1 + i);
		KUNIT_ASSERT_EQ(test, h->n, i + 1);
		rcu_read_lock();
		KUNIT_EXPECT_PTR_EQ(test, kmcl_incoming(h->pkt[i]), object);
		rcu_read_unlock();
		KUNIT_EXPECT_PTR_NE(test, h->pkt[i], h->pkt[0]);
		VmbChannelPacketComplete(h->pkt[i - 1], NULL, 0);
		VmbChannelPacketFail(h->pkt[0]);
		VmbPacketSetPointer((VMBPACKET)h->pkt[0], h);
		KUNIT_EXPECT_EQ(test, replies(v), (unsigned long)i);
		KUNIT_EXPECT_NULL(test, VmbPacketGetPointer((VMBPACKET)h->pkt[i]));
		VmbChannelPacketComplete(h->pkt[i], NULL, 0);
		KUNIT_EXPECT_EQ(test, replies(v), 1ul + i);
	}
}

static void a_completion_after_disable_finds_nothing(struct kunit *test)
{
	struct held *h;
	struct vsc *v = named_vsc(test, &h);
	struct kmsg k;

	vsc_bring_up(v);
	host_asks(v, 1);
	VmbChannelPacketComplete(h->pkt[0], NULL, 0);
	VmbChannelDisable(v->ch);
	rcu_barrier();
	kmsg_mark(&k);
	VmbChannelPacketComplete(h->pkt[0], NULL, 0);
	kmsg_expect(test, &k, 1, "the VMBPACKETCOMPLETION is over");
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	host_asks(v, 2);
	KUNIT_ASSERT_EQ(test, h->n, 2);
	VmbChannelPacketComplete(h->pkt[0], NULL, 0);
	kmsg_expect(test, &k, 2, "the VMBPACKETCOMPLETION is over");
	KUNIT_EXPECT_EQ(test, atomic_read(&v->kch->rx.delivered), 1);
	VmbChannelPacketComplete(h->pkt[1], NULL, 0);
}

/* ---- another channel's ---- */

static void defer_the_other(struct vsc *v, VMBPACKETCOMPLETION pkt, void *buf, u32 len)
{
	struct held *theirs = v->priv;

	VmbChannelPacketDeferToPassive(theirs->pkt[0]);
	VmbChannelPacketComplete(pkt, NULL, 0);
}

static void a_packet_belongs_to_its_channel(struct kunit *test)
{
	static const guid_t other = GUID_INIT(0x6b6d636c, 0x0002, 0x4000,
					      0x80, 0, 0, 0, 0, 0, 0, 9);
	struct held *h;
	struct vsc *v = named_vsc(test, &h), *w = vsc_new(test);
	struct kmsg k;

	w->offer.instance = other;
	w->offer.exec = HVSIM_EXEC_INLINE;
	w->priv = h;
	w->on_packet = defer_the_other;
	KUNIT_ASSERT_EQ(test, vsc_set_target(w->ch, &other), STATUS_SUCCESS);
	vsc_bring_up(v);
	vsc_bring_up(w);
	host_asks(v, 1);
	kmsg_mark(&k);
	host_asks(w, 2);
	/* its own line, and the packet is still there to be completed */
	kmsg_expect(test, &k, 1, "VmbChannelPacketDeferToPassive: outside ProcessPacket");
	kmsg_expect(test, &k, 1, "kmcl: handles (");
	KUNIT_EXPECT_EQ(test, atomic_read(&v->received), 1);
	KUNIT_EXPECT_EQ(test, replies(w), 1ul);
	VmbChannelPacketComplete(h->pkt[0], NULL, 0);
	KUNIT_EXPECT_EQ(test, replies(v), 1ul);
	KUNIT_EXPECT_EQ(test, replies(w), 1ul);
}

static VMBPACKET packet_memory(struct vsc *v)
{
	void *p = kunit_kzalloc(v->test, VmbChannelSizeofPacket(v->ch), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(v->test, p);
	return p;
}

static NTSTATUS initialize(struct vsc *v, VMBPACKET pkt)
{
	return VmbPacketInitialize(v->ch, pkt, VmbChannelSizeofPacket(v->ch));
}

static void memory_of_a_packet_moves_to_another_channel_when_it_is_idle(struct kunit *test)
{
	struct held *h;
	struct vsc *v = named_vsc(test, &h), *w = vsc_new(test);
	VMBPACKET pkt = packet_memory(v);

	v->offer.script.answer = HVSIM_ANSWER_NONE;
	vsc_bring_up(v);
	KUNIT_EXPECT_EQ(test, initialize(w, pkt), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, w->kch->packets, 1u);
	KUNIT_EXPECT_EQ(test, initialize(v, pkt), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, w->kch->packets, 0u);
	KUNIT_EXPECT_EQ(test, v->kch->packets, 1u);
	KUNIT_EXPECT_PTR_EQ(test, VmbPacketGetChannel(pkt), v->ch);
	VmbPacketSetCompletionRoutineEx(pkt, v, vsc_completed);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, "x", 1, NULL, WAIT_FOR_COMPLETION),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, initialize(w, pkt), STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, w->kch->packets, 0u);
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->cancelled), 1);
}

static void a_packet_in_memory_does_not_outlive_its_channel(struct kunit *test)
{
	struct held *h;
	struct vsc *v = named_vsc(test, &h), *w;
	VMBPACKET pkt = packet_memory(v);

	KUNIT_ASSERT_EQ(test, initialize(v, pkt), STATUS_SUCCESS);
	VmbPacketSetCompletionRoutineEx(pkt, v, vsc_completed);
	vsc_drop(v);
	rcu_barrier();
	KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, "x", 1, NULL, 0), STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_NULL(test, VmbPacketGetChannel(pkt));
	VmbPacketFree(pkt);
	w = vsc_new(test);
	KUNIT_EXPECT_EQ(test, initialize(w, pkt), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, w->kch->packets, 1u);
	VmbPacketFree(pkt);
	KUNIT_EXPECT_EQ(test, w->kch->packets, 0u);
}

/* ---- levels ---- */

static void what_sleeps_is_refused_at_dispatch_level(struct kunit *test)
{
	struct held *h;
	struct vsc *v = named_vsc(test, &h);
	NTSTATUS allocate, initialize, enable, flags, count;
	VMBCHANNEL ch = v->ch, memory;
	struct kmsg k;

	memory = kunit_kzalloc(test, VmbSizeofChannel(), GFP_KERNEL);
	kmsg_mark(&k);
	local_bh_disable();
	allocate = VmbChannelAllocate(NULL, FALSE, &ch);
	initialize = VmbChannelInitialize(NULL, FALSE, memory, VmbSizeofChannel());
	enable = VmbChannelEnable(v->ch);
	flags = VmbChannelInitSetFlags(v->ch, 0);
	count = VmbChannelInitSetMaximumPacketCount(v->ch, 100);
	VmbChannelDisable(v->ch);
	VmbChannelStart(v->ch);
	VmbChannelPause(v->ch);
	VmbChannelCleanup(v->ch);
	local_bh_enable();
	KUNIT_EXPECT_EQ(test, allocate, STATUS_INVALID_DEVICE_REQUEST);
	KUNIT_EXPECT_NULL(test, ch);
	KUNIT_EXPECT_EQ(test, initialize, STATUS_INVALID_DEVICE_REQUEST);
	KUNIT_EXPECT_EQ(test, enable, STATUS_INVALID_DEVICE_STATE);
	KUNIT_EXPECT_EQ(test, flags, STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, count, STATUS_INVALID_PARAMETER_1);
	kmsg_expect(test, &k, 9, "above PASSIVE_LEVEL");
	kmsg_expect(test, &k, 7, "kmcl: handles (");
	vsc_bring_up(v);
}

static void nothing_is_done_with_interrupts_off(struct kunit *test)
{
	struct held *h;
	struct vsc *v = named_vsc(test, &h);
	NTSTATUS send, with_mdl, with_frames, now, initialised;
	PFN_NUMBER frame = virt_to_phys(h) / HV_HYP_PAGE_SIZE;
	LARGE_INTEGER at_once = { .QuadPart = 0 };
	VMBPACKET pkt, none, memory;
	unsigned long flags;
	bool still_off;
	struct kmsg k;
	PMDL mdl;

	vsc_bring_up(v);
	host_asks(v, 1);
	memory = packet_memory(v);
	pkt = vsc_packet(v);
	mdl = IoAllocateMdl(h, sizeof(*h), FALSE, FALSE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, mdl);
	MmBuildMdlForNonPagedPool(mdl);
	kmsg_mark(&k);
	local_irq_save(flags);
	none = VmbPacketAllocate(v->ch);
	initialised = initialize(v, memory);
	send = VmbPacketSend(pkt, "x", 1, NULL, 0);
	with_mdl = VmbPacketSendWithExternalMdl(pkt, "x", 1, mdl, 0, 0, WAIT_FOR_COMPLETION);
	with_frames = VmbPacketSendWithExternalPfns(pkt, "x", 1, &frame, 1, WAIT_FOR_COMPLETION);
	now = VmbChannelSendSynchronousRequest(v->ch, "x", 1, NULL, 0, NULL, NULL, &at_once);
	VmbPacketFree(pkt);
	VmbChannelPacketComplete(h->pkt[0], NULL, 0);
	VmbChannelPacketFail(h->pkt[0]);
	VmbChannelSetTransactionQuota(v->ch, 5);
	still_off = irqs_disabled();
	local_irq_restore(flags);
	IoFreeMdl(mdl);
	KUNIT_EXPECT_NULL(test, none);
	KUNIT_EXPECT_EQ(test, initialised, STATUS_INVALID_DEVICE_REQUEST);
	KUNIT_EXPECT_EQ(test, send, STATUS_INVALID_DEVICE_REQUEST);
	KUNIT_EXPECT_EQ(test, with_mdl, STATUS_INVALID_DEVICE_REQUEST);
	KUNIT_EXPECT_EQ(test, with_frames, STATUS_INVALID_DEVICE_REQUEST);
	KUNIT_EXPECT_EQ(test, now, STATUS_INVALID_DEVICE_REQUEST);
	KUNIT_EXPECT_TRUE(test, still_off);
	KUNIT_EXPECT_EQ(test, v->kch->config.quota, 1u);
	kmsg_expect(test, &k, 10, "above DISPATCH_LEVEL");
	kmsg_expect(test, &k, 10, "kmcl: handles (");
	KUNIT_EXPECT_EQ(test, atomic_read(&v->completions), 0);
	KUNIT_EXPECT_EQ(test, replies(v), 0ul);
	/* nothing is lost by it */
	KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, "x", 1, NULL, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->ok), 1);
	VmbChannelPacketComplete(h->pkt[0], NULL, 0);
	KUNIT_EXPECT_EQ(test, replies(v), 1ul);
}

static void lines_about_handles_are_rate_limited(struct kunit *test)
{
	struct held *h;
	struct vsc *v = named_vsc(test, &h);
	VMBPACKET pkt = VmbPacketAllocate(v->ch);
	struct kmsg k;
	int i;

	VmbPacketFree(pkt);
	kmsg_mark(&k);
	for (i = 0; i < 1000; i++)
		VmbPacketFree(pkt);
	KUNIT_EXPECT_GE(test, kmsg_count(&k, "the VMBPACKET is over"), 1u);
	KUNIT_EXPECT_LE(test, kmsg_count(&k, "the VMBPACKET is over"), 10u);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_handle_is_no_address_and_looks_aligned),
	KUNIT_CASE(no_channel_function_takes_a_packet),
	KUNIT_CASE(no_packet_function_takes_a_channel),
	KUNIT_CASE(packets_of_one_direction_are_not_those_of_the_other),
	KUNIT_CASE(a_number_that_nobody_gave_out_is_no_handle),
	KUNIT_CASE(a_channel_is_refused_after_cleanup),
	KUNIT_CASE(memory_of_a_channel_is_one_channel_at_a_time),
	KUNIT_CASE(a_freed_packet_is_refused),
	KUNIT_CASE(a_packet_of_a_channel_that_is_gone_is_nobody_elses),
	KUNIT_CASE(a_packet_is_completed_once),
	KUNIT_CASE(a_late_completion_is_not_the_next_packets),
	KUNIT_CASE(a_completion_after_disable_finds_nothing),
	KUNIT_CASE(a_packet_belongs_to_its_channel),
	KUNIT_CASE(memory_of_a_packet_moves_to_another_channel_when_it_is_idle),
	KUNIT_CASE(a_packet_in_memory_does_not_outlive_its_channel),
	KUNIT_CASE(what_sleeps_is_refused_at_dispatch_level),
	KUNIT_CASE(nothing_is_done_with_interrupts_off),
	KUNIT_CASE(lines_about_handles_are_rate_limited),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_handle",
	.init = handle_init,
	.exit = vsc_suite_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
