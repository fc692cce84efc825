// SPDX-License-Identifier: GPL-2.0
/*
 * A host that lies: broken rings, descriptors that contradict themselves, and
 * words in shared memory that mean nothing.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include "fixture.h"
#include "helper.h"
#include "kmsg.h"

#define SOME		8	/* packets outstanding when something happens */

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

static int done(struct vsc *v)
{
	return atomic_read(&v->completions);
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
	/* whatever the words of the rings say about signals */
	hvsim_run(v->host);
	hvsim_interrupt(v->host);
	vsc_expect_soon(v, atomic_read(&v->ok) == ok + 1);
	KUNIT_EXPECT_EQ(v->test, done(v), all + 1);
}

/* ---- what poisons ---- */

/* SOME packets that the host never answers. */
static void outstanding(struct vsc *v)
{
	int i;

	v->host->script.answer = HVSIM_ANSWER_NONE;
	v->host->script.lenient = true;
	for (i = 0; i < SOME; i++)
		KUNIT_ASSERT_EQ(v->test, vsc_send(v, "wait", 5, WAIT_FOR_COMPLETION),
				STATUS_SUCCESS);
}

/* Soon, and nobody is at work on it any more. */
static void expect_disabled(struct vsc *v)
{
	struct kmcl_channel *kch = v->kch;
	long left = wait_event_timeout(kch->life_wait,
				       READ_ONCE(kch->state) == KMCL_DISABLED &&
				       !READ_ONCE(kch->life_owner), 20 * HZ);

	KUNIT_EXPECT_GT_MSG(v->test, left, 0, "never disabled");
}

/* The lie has been told: everything a poisoned channel owes its driver. */
static void expect_poisoned(struct vsc *v, const char *what)
{
	struct kunit *test = v->test;
	unsigned long seen;

	hvsim_interrupt(v->host);
	/* at once: not when the work item has come round */
	KUNIT_EXPECT_NOT_NULL_MSG(test, v->kch->poison, "%s: not noticed", what);
	seen = v->host->stats.packets[VM_PKT_DATA_INBAND];
	KUNIT_EXPECT_EQ_MSG(test, vsc_send(v, "late", 5, WAIT_FOR_COMPLETION),
			    STATUS_INVALID_DEVICE_STATE, "%s", what);
	KUNIT_EXPECT_EQ(test, vsc_send(v, "late", 5, 0), STATUS_INVALID_DEVICE_STATE);

	expect_disabled(v);
	KUNIT_EXPECT_EQ_MSG(test, atomic_read(&v->removed), SOME, "%s", what);
	KUNIT_EXPECT_EQ_MSG(test, done(v), SOME, "%s", what);
	KUNIT_EXPECT_EQ(test, v->host->stats.packets[VM_PKT_DATA_INBAND], seen);
	KUNIT_EXPECT_EQ(test, v->kch->stats.faults, 1);
	KUNIT_EXPECT_FALSE(test, v->host->open);
	vsc_expect_log(v, "UC");
	KUNIT_EXPECT_EQ(test, vsc_send(v, "late", 5, 0), STATUS_INVALID_DEVICE_STATE);
}

/* The same offer serves again, from clean rings and books. */
static void expect_usable_again(struct vsc *v)
{
	hvsim_resume(v->host);
	KUNIT_ASSERT_EQ(v->test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	expect_traffic(v);
	atomic_set(&v->completions, 0);
	atomic_set(&v->removed, 0);
	v->kch->stats.faults = 0;
	memset(v->log, 0, sizeof(v->log));
	v->logged = 0;
}

static void a_poisoned_channel_says_why_in_one_line(struct kunit *test)
{
	struct vsc *v = new_vsc(test);
	struct kmsg k;

	vsc_bring_up(v);
	outstanding(v);
	kmsg_mark(&k);
	hvsim_poke(v->host, HVSIM_H2G, HVSIM_WRITE_INDEX, 0xffffffff);
	expect_poisoned(v, "write index");
	hvsim_settle();
	kmsg_expect(test, &k, 1, "closing the channel: write index outside the ring");
}

static void a_write_index_that_is_no_place_in_the_ring_poisons(struct kunit *test)
{
	static const u32 beyond[] = { 0, 8, 0x7fffffff, 0xfffffff8 - 16 * PAGE_SIZE };
	static const u32 unaligned[] = { 1, 4, 20 };
	struct vsc *v = new_vsc(test);
	u32 i, size;

	vsc_bring_up(v);
	for (i = 0; i < ARRAY_SIZE(beyond) + ARRAY_SIZE(unaligned); i++) {
		outstanding(v);
		size = hvsim_ring_bytes(v->host, HVSIM_H2G);
		hvsim_poke(v->host, HVSIM_H2G, HVSIM_WRITE_INDEX, i < ARRAY_SIZE(beyond) ?
			   size + beyond[i] : unaligned[i - ARRAY_SIZE(beyond)]);
		expect_poisoned(v, "write index");
		expect_usable_again(v);
	}
}

static const struct {
	const char *what;
	struct vmpacket_descriptor desc;
	u32 size;
} lies[] = {
	{ "length 0", { VM_PKT_DATA_INBAND, 2, 0, 0, 1 }, 64 },
	{ "length 1", { VM_PKT_DATA_INBAND, 2, 1, 0, 1 }, 64 },
	{ "all zero", { 0, 0, 0, 0, 0 }, 64 },
	{ "longest length", { VM_PKT_DATA_INBAND, 2, 0xffff, 0, 1 }, 64 },
	{ "longer than written", { VM_PKT_DATA_INBAND, 2, 10, 0, 1 }, 64 },
	{ "footer not written", { VM_PKT_DATA_INBAND, 2, 9, 0, 1 }, 64 },
	{ "half a descriptor", { VM_PKT_DATA_INBAND, 2, 2, 0, 1 }, 8 },
	{ "offset 0", { VM_PKT_DATA_INBAND, 0, 8, 0, 1 }, 64 },
	{ "offset inside the descriptor", { VM_PKT_DATA_INBAND, 1, 8, 0, 1 }, 64 },
	{ "offset behind the packet", { VM_PKT_DATA_INBAND, 9, 8, 0, 1 }, 64 },
	{ "longest offset", { VM_PKT_DATA_INBAND, 0xffff, 8, 0, 1 }, 64 },
	{ "an answer of length 0", { VM_PKT_COMP, 2, 0, 0, 1 }, 64 },
	{ "an answer with an offset behind it", { VM_PKT_COMP, 9, 8, 0, 1 }, 64 },
	{ "type 0", { 0, 2, 8, 0, 1 }, 64 },
	{ "type 1", { 1, 2, 8, 0, 1 }, 64 },
	{ "type 8", { 8, 2, 8, 0, 1 }, 64 },
	{ "type 10", { 10, 2, 8, 0, 1 }, 64 },
	{ "type 0xffff", { 0xffff, 2, 8, 0, 1 }, 64 },
};

static void a_descriptor_that_lies_poisons(struct kunit *test)
{
	struct hvsim_raw raw = {};
	struct vsc *v = new_vsc(test);
	u32 i;

	vsc_bring_up(v);
	for (i = 0; i < ARRAY_SIZE(lies); i++) {
		outstanding(v);
		raw.desc = lies[i].desc;
		raw.size = lies[i].size;
		KUNIT_ASSERT_EQ(test, hvsim_send_raw(v->host, &raw), 0);
		expect_poisoned(v, lies[i].what);
		KUNIT_EXPECT_EQ_MSG(test, atomic_read(&v->received), 0, "%s", lies[i].what);
		expect_usable_again(v);
	}
}

static void an_outgoing_index_outside_the_ring_poisons(struct kunit *test)
{
	static const enum hvsim_field fields[] = { HVSIM_READ_INDEX, HVSIM_WRITE_INDEX };
	static const u32 beyond[] = { 0, 8, 0x7fffffff };
	struct vsc *v = new_vsc(test);
	u32 i, j;

	vsc_bring_up(v);
	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		for (j = 0; j < ARRAY_SIZE(beyond); j++) {
			outstanding(v);
			hvsim_stall(v->host);
			hvsim_poke(v->host, HVSIM_G2H, fields[i],
				   hvsim_ring_bytes(v->host, HVSIM_G2H) + beyond[j]);
			/* the guest notices when it writes */
			KUNIT_EXPECT_EQ(test, vsc_send(v, "x", 1, WAIT_FOR_COMPLETION),
					STATUS_INVALID_DEVICE_STATE);
			expect_poisoned(v, "outgoing index");
			expect_usable_again(v);
		}
	}
}

/* Whoever writes next: a sender that will not wait, a reply, or the pump behind a full ring. */
static void an_outgoing_index_outside_the_ring_is_found_by_any_writer(struct kunit *test)
{
	LARGE_INTEGER at_once = { .QuadPart = 0 };
	struct vsc *v = new_vsc(test);
	int i, writer, more;
	NTSTATUS status;

	vsc_bring_up(v);
	for (writer = 0; writer < 3; writer++) {
		outstanding(v);
		hvsim_stall(v->host);
		more = 0;
		while (writer == 2 && !v->kch->tx.busy) {
			static u8 large[4000];

			KUNIT_ASSERT_EQ(test, vsc_send(v, large, 4000, WAIT_FOR_COMPLETION),
					STATUS_SUCCESS);
			more++;
		}
		hvsim_poke(v->host, HVSIM_G2H, HVSIM_READ_INDEX,
			   hvsim_ring_bytes(v->host, HVSIM_G2H) + 8);
		if (writer == 0) {
			status = VmbChannelSendSynchronousRequest(v->ch, "now", 4, NULL, 0, NULL,
								  NULL, &at_once);
			/* not BUFFER_OVERFLOW, after which a driver tries again */
			KUNIT_EXPECT_EQ(test, status, STATUS_INVALID_DEVICE_STATE);
		}
		if (writer == 1)
			hvsim_send(v->host, VM_PKT_DATA_INBAND, 1, 1, "ask", 4);
		if (writer == 2)
			hvsim_interrupt(v->host);
		expect_disabled(v);
		KUNIT_EXPECT_EQ(test, v->kch->stats.faults, 1);
		KUNIT_EXPECT_STREQ(test, v->kch->last_poison,
				   "indices of the outgoing ring out of range");
		KUNIT_EXPECT_EQ(test, atomic_read(&v->removed), SOME + more);
		KUNIT_EXPECT_EQ(test, done(v), SOME + more);
		vsc_expect_log(v, "UC");
		expect_usable_again(v);
	}
	for (i = 0; i < 3; i++)
		expect_traffic(v);
}

static void what_was_read_before_the_fault_is_still_the_drivers(struct kunit *test)
{
	struct hvsim_raw good = { .desc = { VM_PKT_DATA_INBAND, 2, 3, 1, 77 }, .quiet = true };
	struct hvsim_raw bad = { .desc = { VM_PKT_DATA_INBAND, 2, 0, 0, 1 }, .size = 64 };
	struct vsc *v = new_vsc(test);

	vsc_bring_up(v);
	outstanding(v);
	good.size = 24;
	KUNIT_ASSERT_EQ(test, hvsim_send_raw(v->host, &good), 0);
	KUNIT_ASSERT_EQ(test, hvsim_send_raw(v->host, &bad), 0);
	expect_poisoned(v, "second packet");
	KUNIT_EXPECT_EQ(test, atomic_read(&v->received), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->batches), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->batch_packets), 1);
}

static void a_poisoned_channel_opens_again_on_a_new_offer(struct kunit *test)
{
	struct vsc *v = new_vsc(test);

	vsc_bring_up(v);
	outstanding(v);
	hvsim_poke(v->host, HVSIM_H2G, HVSIM_WRITE_INDEX, 4);
	expect_poisoned(v, "write index");
	vsc_rescind(v);
	vsc_offer(v);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	vsc_expect_log(v, "UCOSP");
	expect_traffic(v);
}

/* ---- what looks odd and is legal, or hurts nobody ---- */

static void keep_bytes(struct vsc *v, VMBPACKETCOMPLETION pkt, void *buf, u32 len)
{
	KUNIT_EXPECT_EQ(v->test, len, 8000);
	if (len == 8000)
		memcpy(v->priv, buf, len);
	VmbChannelPacketComplete(pkt, NULL, 0);
}

static void a_packet_larger_than_MaximumPacketSize_is_delivered(struct kunit *test)
{
	u8 *sent = kunit_kmalloc(test, 8000, GFP_KERNEL);
	u8 *got = kunit_kzalloc(test, 8000, GFP_KERNEL);
	struct vsc *v = new_vsc(test);
	int i;

	KUNIT_ASSERT_TRUE(test, sent && got);
	for (i = 0; i < 8000; i++)
		sent[i] = i * 7;
	v->priv = got;
	v->on_packet = keep_bytes;
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketSize(v->ch, 64), STATUS_SUCCESS);
	vsc_bring_up(v);
	for (i = 1; i <= 3; i++) {
		KUNIT_ASSERT_EQ(test, hvsim_send(v->host, VM_PKT_DATA_INBAND, 0, 0, sent, 8000), 0);
		vsc_expect_soon(v, atomic_read(&v->received) == i);
		hvsim_settle();
		KUNIT_EXPECT_MEMEQ(test, got, sent, 8000);
		memset(got, 0, 8000);
	}
	expect_traffic(v);
}

static void garbage_in_the_words_of_a_ring_hurts_nobody(struct kunit *test)
{
	static const enum hvsim_field fields[] = {
		HVSIM_INTERRUPT_MASK, HVSIM_PENDING_SIZE, HVSIM_FEATURES,
	};
	static const u32 garbage[] = { 0xffffffff, 0, 1, 3, 0x7fffffff, 0x80000001 };
	struct vsc *v = new_vsc(test);
	u32 f, g, dir;

	vsc_bring_up(v);
	for (dir = HVSIM_G2H; dir <= HVSIM_H2G; dir++) {
		for (f = 0; f < ARRAY_SIZE(fields); f++) {
			for (g = 0; g < ARRAY_SIZE(garbage); g++) {
				hvsim_poke(v->host, dir, fields[f], garbage[g]);
				expect_traffic(v);
			}
			hvsim_poke(v->host, dir, fields[f], 0);
		}
	}
	KUNIT_EXPECT_EQ(test, v->kch->stats.faults, 0);
	KUNIT_EXPECT_EQ(test, stale(v), 0);
}

static void an_unaligned_outgoing_read_index_hurts_nobody(struct kunit *test)
{
	struct vsc *v = new_vsc(test);
	u32 i, read, sent = 0;

	vsc_bring_up(v);
	/* behind the write index: a ring with hardly any room, for a while */
	for (i = 1; i < 64; i += 3) {
		read = hvsim_peek(v->host, HVSIM_G2H, HVSIM_READ_INDEX);
		hvsim_poke(v->host, HVSIM_G2H, HVSIM_READ_INDEX, read + i);
		KUNIT_EXPECT_EQ(test, vsc_send(v, "ping", 5, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
		sent++;
		if (v->kch->tx.busy)
			hvsim_poke(v->host, HVSIM_G2H, HVSIM_READ_INDEX, read);
		hvsim_interrupt(v->host);
		hvsim_run(v->host);
		vsc_expect_soon(v, atomic_read(&v->ok) == sent);
	}
	KUNIT_EXPECT_EQ(test, v->kch->stats.faults, 0);
}

static void unknown_flag_bits_of_a_packet_are_ignored(struct kunit *test)
{
	struct vsc *v = new_vsc(test);

	vsc_bring_up(v);
	KUNIT_ASSERT_EQ(test, hvsim_send(v->host, VM_PKT_DATA_INBAND, 0xfffe, 5, "payload", 8), 0);
	vsc_expect_soon(v, atomic_read(&v->received) == 1);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, v->host->stats.packets[VM_PKT_COMP], 0);
	KUNIT_ASSERT_EQ(test, hvsim_send(v->host, VM_PKT_DATA_INBAND, 0xffff, 6, "payload", 8), 0);
	vsc_expect_soon(v, atomic_read(&v->received) == 2);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, v->host->stats.packets[VM_PKT_COMP], 1);
	KUNIT_EXPECT_EQ(test, v->kch->stats.faults, 0);
}

/* ---- between two looks ---- */

/* A link whose host does something just when the reader has found the ring empty. */
static struct {
	struct kmcl_link_ops ops;
	const struct kmcl_link_ops *real;
	struct vsc *v;
	void (*then)(struct vsc *v);
	unsigned int times;
} between;

static void unmask_and_then(struct kmcl_link *link)
{
	between.real->unmask(link);
	if (!between.times)
		return;
	between.times--;
	between.then(between.v);
}

static void watch_unmask(struct vsc *v, void (*then)(struct vsc *v), unsigned int times)
{
	struct kmcl_link *link = v->kch->target.link;

	between.v = v;
	between.then = then;
	between.times = times;
	between.real = link->ops;
	between.ops = *link->ops;
	between.ops.unmask = unmask_and_then;
	link->ops = &between.ops;
}

/* Nobody is told. */
static void write_one(struct vsc *v)
{
	struct hvsim_raw raw = {
		.desc = { VM_PKT_DATA_INBAND, 2, 3, 0, 7 },
		.size = 24,
		.quiet = true,
	};

	KUNIT_EXPECT_EQ(v->test, hvsim_send_raw(v->host, &raw), 0);
}

static void write_nonsense(struct vsc *v)
{
	hvsim_poke(v->host, HVSIM_H2G, HVSIM_WRITE_INDEX, 0xffffffff);
}

static void what_is_written_between_two_looks_is_read(struct kunit *test)
{
	struct vsc *v = new_vsc(test);

	vsc_bring_up(v);
	watch_unmask(v, write_one, 5);
	write_one(v);
	hvsim_interrupt(v->host);
	vsc_expect_soon(v, atomic_read(&v->received) == 6);
	KUNIT_EXPECT_EQ(test, between.times, 0u);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->batch_packets), 6);
	v->kch->target.link->ops = between.real;
	expect_traffic(v);
}

static void nonsense_between_two_looks_poisons(struct kunit *test)
{
	struct vsc *v = new_vsc(test);

	vsc_bring_up(v);
	outstanding(v);
	watch_unmask(v, write_nonsense, 1);
	write_one(v);
	hvsim_interrupt(v->host);
	expect_poisoned(v, "between two looks");
	KUNIT_EXPECT_EQ(test, atomic_read(&v->received), 1);
}

static VOID process(VMBCHANNEL ch, PVOID context, VMBPACKETCOMPLETION pkt, PVOID buf, UINT32 len,
		    UINT32 flags)
{
	struct vsc *v = context;

	VmbChannelPacketComplete(pkt, NULL, 0);
	atomic_inc(&v->received);
	wake_up_all(&v->wait);
}

/* At the end of each batch there is another packet, and a signal. */
static VOID signal_again(VMBCHANNEL ch, PVOID context, UINT32 count)
{
	struct vsc *v = context;

	atomic_inc(&v->batches);
	if (atomic_read(&v->received) < 100)
		hvsim_send(v->host, VM_PKT_DATA_INBAND, 0, 0, "more", 5);
	hvsim_interrupt(v->host);
}

static void a_host_that_signals_all_the_time_does_not_keep_the_reader(struct kunit *test)
{
	struct vsc *v = new_vsc(test);

	KUNIT_EXPECT_EQ(test, STATUS_SUCCESS,
			VmbChannelInitSetProcessPacketCallbacksEx(v->ch, v, process, signal_again));
	vsc_bring_up(v);
	KUNIT_EXPECT_EQ(test, hvsim_send(v->host, VM_PKT_DATA_INBAND, 0, 0, "one", 4), 0);
	vsc_expect_soon(v, atomic_read(&v->received) == 100);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, atomic_read(&v->received), 100);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->batches), 100);
}

static void a_flood_of_stale_answers_does_not_stop_traffic(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	int i, j;

	vsc_bring_up(v);
	for (i = 1; i <= 500; i++) {
		for (j = 0; j < 20; j++)
			if (!hvsim_send(v->host, VM_PKT_COMP, 0, 0x500000000 + j, "a flood", 8))
				continue;
		KUNIT_ASSERT_EQ(test, vsc_send(v, "ping", 5, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
		if (i % 100 == 0)
			vsc_expect_soon(v, atomic_read(&v->ok) == i);
	}
	vsc_expect_soon(v, atomic_read(&v->ok) == 500);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, done(v), 500);
	KUNIT_EXPECT_GT(test, stale(v), 500);
	KUNIT_EXPECT_EQ(test, v->kch->stats.faults, 0);
}

static NTSTATUS request(struct vsc *v, void *buf, u32 *size)
{
	LARGE_INTEGER timeout = { .QuadPart = -50000000 };

	return VmbChannelSendSynchronousRequest(v->ch, "all", 4, NULL, WAIT_FOR_COMPLETION,
						buf, size, &timeout);
}

static void an_answer_as_large_as_the_ring_is_delivered_whole(struct kunit *test)
{
	struct vsc *v = new_vsc(test);
	u32 size, got, i;
	u8 *fixed, *buf;

	vsc_bring_up(v);
	/* descriptor, footer, and the unit that stays free */
	size = hvsim_ring_bytes(v->host, HVSIM_H2G) - 16 - 8 - 8;
	fixed = kvmalloc(size, GFP_KERNEL);
	buf = kvzalloc(size, GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, fixed && buf);
	for (i = 0; i < size; i++)
		fixed[i] = i * 13;
	v->host->script.answer = HVSIM_ANSWER_FIXED;
	v->host->script.fixed = fixed;
	v->host->script.fixed_len = size;
	got = size;
	KUNIT_EXPECT_EQ(test, request(v, buf, &got), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, got, size);
	KUNIT_EXPECT_EQ(test, memcmp(fixed, buf, size), 0);

	/* and into a smaller buffer: not one byte more */
	memset(buf, 0, size);
	got = 64;
	KUNIT_EXPECT_EQ(test, request(v, buf, &got), STATUS_BUFFER_OVERFLOW);
	KUNIT_EXPECT_EQ(test, got, 64);
	KUNIT_EXPECT_EQ(test, memcmp(fixed, buf, 64), 0);
	KUNIT_EXPECT_EQ(test, buf[64], 0);
	v->host->script.answer = HVSIM_ANSWER_NONE;
	kvfree(fixed);
	kvfree(buf);
}

/* The bus keeps a callback whose open was refused, and has no rings for it. */
static void an_interrupt_after_a_refused_open_hurts_nobody(struct kunit *test)
{
	struct vsc *v = new_vsc(test);
	int i;

	v->offer.script.open_status = 1;
	KUNIT_EXPECT_EQ(test, vsc_up(v), STATUS_UNSUCCESSFUL);
	for (i = 0; i < 3; i++) {
		hvsim_interrupt(v->host);
		hvsim_settle();
	}
	KUNIT_EXPECT_NULL(test, v->kch->target.link);
	v->host->script.open_status = 0;
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	expect_traffic(v);
}

static void disable(void *arg)
{
	struct vsc *v = arg;

	VmbChannelDisable(v->ch);
}

static void a_device_that_comes_back_while_it_closes_is_taken_when_it_has(struct kunit *test)
{
	struct vsc *v = new_vsc(test);
	struct hvsim_chan *old, *new;
	struct helper h;

	vsc_bring_up(v);
	old = v->host;
	hvsim_hold(old, CHANNELMSG_GPADL_TEARDOWN);
	KUNIT_ASSERT_TRUE(test, helper_start(&h, disable, v));
	KUNIT_ASSERT_TRUE(test, becomes(hvsim_held(old, CHANNELMSG_GPADL_TEARDOWN)));
	hvsim_rescind(old);
	new = hvsim_offer(&v->offer);
	KUNIT_ASSERT_NOT_NULL(test, new);
	KUNIT_EXPECT_FALSE(test, old->released);
	KUNIT_EXPECT_FALSE(test, new->offered);
	hvsim_unhold(old, CHANNELMSG_GPADL_TEARDOWN);
	KUNIT_ASSERT_TRUE(test, helper_join(&h));
	vsc_expect_log(v, "UC");

	/* this one, or, if it is not there yet, as soon as it comes */
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	KUNIT_ASSERT_TRUE(test, becomes(READ_ONCE(new->open) && READ_ONCE(v->kch->running)));
	KUNIT_EXPECT_TRUE(test, old->released);
	v->host = new;
	expect_traffic(v);
	KUNIT_EXPECT_EQ(test, v->kch->stats.faults, 0);
}

static struct kunit_case cases[] = {
	/* first: its line is rate-limited */
	KUNIT_CASE(a_poisoned_channel_says_why_in_one_line),
	KUNIT_CASE(a_write_index_that_is_no_place_in_the_ring_poisons),
	KUNIT_CASE(a_descriptor_that_lies_poisons),
	KUNIT_CASE(an_outgoing_index_outside_the_ring_poisons),
	KUNIT_CASE(an_outgoing_index_outside_the_ring_is_found_by_any_writer),
	KUNIT_CASE(what_was_read_before_the_fault_is_still_the_drivers),
	KUNIT_CASE(a_poisoned_channel_opens_again_on_a_new_offer),
	KUNIT_CASE(a_packet_larger_than_MaximumPacketSize_is_delivered),
	KUNIT_CASE(garbage_in_the_words_of_a_ring_hurts_nobody),
	KUNIT_CASE(an_unaligned_outgoing_read_index_hurts_nobody),
	KUNIT_CASE(unknown_flag_bits_of_a_packet_are_ignored),
	KUNIT_CASE(what_is_written_between_two_looks_is_read),
	KUNIT_CASE(nonsense_between_two_looks_poisons),
	KUNIT_CASE(a_host_that_signals_all_the_time_does_not_keep_the_reader),
	KUNIT_CASE(a_flood_of_stale_answers_does_not_stop_traffic),
	KUNIT_CASE(an_answer_as_large_as_the_ring_is_delivered_whole),
	KUNIT_CASE(an_interrupt_after_a_refused_open_hurts_nobody),
	KUNIT_CASE(a_device_that_comes_back_while_it_closes_is_taken_when_it_has),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_hostile",
	.init = vsc_suite_init,
	.exit = vsc_suite_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
