// SPDX-License-Identifier: GPL-2.0
/*
 * A driver that completes a packet while the same packet is being saved: whoever is
 * restored answers it, or its answer is restored, and what is saved of it is all one or
 * all the other.
 *
 * Wherever the save allocates memory it may sleep, and there another thread's
 * completion may come. The kernel's tracepoint of kmalloc() lets a case have it come at
 * each of these moments in turn.
 */
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/tracepoint.h>
#include <kmcl/restored.h>
#include "servicing.h"

#define PAYLOAD		4000u
#define REPLY		6000u		/* reaches what is said of external data, too */
#define MOMENTS		100u

static struct {
	struct tracepoint *tp;
	struct task_struct *task;	/* who saves */
	unsigned int left;		/* allocations until it comes; 0: it has */
	VMBPACKETCOMPLETION packet;
	u8 *reply;
} moment;

#ifdef CONFIG_TRACEPOINTS
static void find(struct tracepoint *tp, void *data)
{
	if (!strcmp(tp->name, "kmalloc"))
		moment.tp = tp;
}

/* Whatever else the tracepoint gives is not looked at. */
static void allocated(void *data)
{
	if (current != moment.task || !moment.left || --moment.left)
		return;
	VmbChannelPacketComplete(moment.packet, moment.reply, REPLY);
}
#endif

static int moment_init(struct kunit *test)
{
	memset(&moment, 0, sizeof(moment));
#ifdef CONFIG_TRACEPOINTS
	for_each_kernel_tracepoint(find, NULL);
	if (moment.tp && tracepoint_probe_register(moment.tp, allocated, NULL))
		moment.tp = NULL;
#endif
	return end_init(test);
}

static void moment_exit(struct kunit *test)
{
#ifdef CONFIG_TRACEPOINTS
	if (moment.tp) {
		tracepoint_probe_unregister(moment.tp, allocated, NULL);
		tracepoint_synchronize_unregister();
	}
#endif
	vsp_exit(test);
}

/* From what @body says on, a pattern that no reply has. */
static void fill(u8 *body, u32 number)
{
	struct message m = { .number = number };
	u32 i;

	memcpy(body, &m, sizeof(m));
	for (i = sizeof(m); i < PAYLOAD; i++)
		body[i] = i % 127;
}

static NTSTATUS ask(struct end *c, struct call *call, u8 *body, PMDL mdl)
{
	VMBPACKET pkt = VmbPacketAllocate(c->ch);

	if (!pkt)
		return STATUS_INSUFFICIENT_RESOURCES;
	memset(call, 0, sizeof(*call));
	call->end = c;
	VmbPacketSetCompletionRoutineEx(pkt, call, call_done);
	return VmbPacketSend(pkt, body, PAYLOAD, mdl, WAIT_FOR_COMPLETION);
}

static struct vsp *server(struct kunit *test)
{
	struct vsp *v = vsp_new(test, 8);

	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketSize(v->e->ch, 8192), STATUS_SUCCESS);
	return v;
}

/* Save @v with its packet completed at allocation number @nth; false: there are not so many. */
static bool save_at(struct kunit *test, struct vsp *v, struct blob *b, unsigned int nth)
{
	bool met;

	moment.packet = v->asks[0].packet;
	moment.left = nth;
	WRITE_ONCE(moment.task, current);
	blob_save(test, v, b, 65536);
	WRITE_ONCE(moment.task, NULL);
	met = !moment.left;
	if (met)
		v->asks[0].packet = NULL;
	vsp_answer_all(v);
	return met;
}

/* True: it was saved as the driver's. */
static bool expect_whole(struct kunit *test, struct vsp *w, const u8 *body)
{
	void *payload;
	PMDL mdl;
	u32 len;

	if (!atomic_read(&w->asked))
		return false;
	payload = kmcl_packet_payload(w->asks[0].packet, &len);
	KUNIT_ASSERT_NOT_NULL(test, payload);
	KUNIT_EXPECT_EQ(test, len, PAYLOAD);
	KUNIT_EXPECT_MEMEQ(test, payload, body, PAYLOAD);
	KUNIT_EXPECT_EQ(test, VmbChannelPacketGetExternalData(w->asks[0].packet, 0, &mdl),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, MmGetMdlByteCount(mdl), 3 * 4096);
	return true;
}

static void a_packet_completed_at_any_moment_of_a_save_is_answered_once(struct kunit *test)
{
	struct call *calls = calls_new(test);
	unsigned int nth, whole = 0, replies = 0;
	u8 *body, *memory;
	bool met = true;
	PMDL mdl;

	if (!moment.tp)
		kunit_skip(test, "no tracepoint of kmalloc() in this kernel");
	body = kunit_kmalloc(test, PAYLOAD, GFP_KERNEL);
	memory = kunit_kzalloc(test, 3 * 4096, GFP_KERNEL);
	moment.reply = kunit_kmalloc(test, REPLY, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, body);
	KUNIT_ASSERT_NOT_NULL(test, memory);
	KUNIT_ASSERT_NOT_NULL(test, moment.reply);
	fill(body, 0);
	memset(moment.reply, 0xff, REPLY);
	memset(moment.reply, 0, sizeof(struct message));
	mdl = IoAllocateMdl(memory, 3 * 4096, FALSE, FALSE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, mdl);
	MmBuildMdlForNonPagedPool(mdl);

	for (nth = 1; met && nth < MOMENTS; nth++) {
		struct vsp *v = server(test), *w;
		struct end *c = end_new(test, false);
		struct blob b = {};

		KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketSize(c->ch, 8192),
				STATUS_SUCCESS);
		end_bring_up(v->e, c);
		KUNIT_ASSERT_EQ(test, ask(c, calls, body, mdl), STATUS_SUCCESS);
		end_expect_soon(v->e, atomic_read(&v->asked) == 1);
		met = save_at(test, v, &b, nth);
		end_drop(v->e);

		w = server(test);
		KUNIT_ASSERT_EQ(test, blob_read(test, w->e, b.bytes, b.size), STATUS_SUCCESS);
		if (expect_whole(test, w, body))
			whole++;
		else
			replies++;
		KUNIT_ASSERT_EQ(test, VmbChannelEnable(w->e->ch), STATUS_SUCCESS);
		VmbChannelStart(w->e->ch);
		vsp_answer_all(w);
		end_expect_soon(c, calls_are_answered(calls, 1));
		calls_expect(test, calls, 1);
		end_drop(c);
		end_drop(w->e);
		blob_free(&b);
	}
	IoFreeMdl(mdl);
	kunit_info(test, "%u moments: %u times a packet, %u times its answer\n", nth - 1, whole,
		   replies);
	KUNIT_EXPECT_FALSE(test, met);
	KUNIT_EXPECT_GE(test, whole, 2u);
	KUNIT_EXPECT_GE(test, replies, 2u);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_packet_completed_at_any_moment_of_a_save_is_answered_once),
	{}
};

static struct kunit_suite suite = {
	.name = "loopback_save_moment",
	.init = moment_init,
	.exit = moment_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
