// SPDX-License-Identifier: GPL-2.0
/*
 * Outgoing packet objects: where they come from, what they remember, and when
 * they may be used.
 */
#include <linux/slab.h>
#include "fixture.h"

#define AGAIN	10000
#define PIPE	VMBUS_CHANNEL_INIT_FLAG_IS_PIPE

/* What the completion routines of this file write down. */
struct seen {
	struct vsc *v;
	int legacy;
	int ex;
	int other;
	VMBPACKET packet;
	NTSTATUS status;
};

static struct seen *seen_new(struct vsc *v)
{
	struct seen *s = kunit_kzalloc(v->test, sizeof(*s), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(v->test, s);
	s->v = v;
	return s;
}

static VOID on_legacy(VMBPACKET packet, NTSTATUS status, PVOID buf, UINT32 len)
{
	struct seen *s = VmbPacketGetPointer(packet);

	s->legacy++;
	s->packet = packet;
	s->status = status;
	wake_up_all(&s->v->wait);
}

static VOID on_ex(VMBPACKET packet, PVOID context, NTSTATUS status, PVOID buf, UINT32 len)
{
	struct seen *s = context;

	s->ex++;
	s->packet = packet;
	s->status = status;
	wake_up_all(&s->v->wait);
}

static VOID on_other(VMBPACKET packet, PVOID context, NTSTATUS status, PVOID buf, UINT32 len)
{
	struct seen *s = context;

	s->other++;
	wake_up_all(&s->v->wait);
}

/* A driver whose host answers before VmbPacketSend() returns. */
static struct vsc *prompt_vsc(struct kunit *test, u32 max_count)
{
	struct vsc *v = vsc_new(test);

	if (max_count)
		KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketCount(v->ch, max_count),
				STATUS_SUCCESS);
	v->offer.exec = HVSIM_EXEC_INLINE;
	vsc_bring_up(v);
	return v;
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

static void no_packet_is_allocated_on_no_channel(struct kunit *test)
{
	KUNIT_EXPECT_NULL(test, VmbPacketAllocate(NULL));
	KUNIT_EXPECT_EQ(test, VmbChannelSizeofPacket(NULL), 0u);
}

static void no_more_packets_exist_than_the_maximum_count(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	VMBPACKET pkt[4], memory;
	int i;

	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketCount(v->ch, 4), STATUS_SUCCESS);
	memory = packet_memory(v);
	for (i = 0; i < 4; i++) {
		pkt[i] = VmbPacketAllocate(v->ch);
		KUNIT_ASSERT_NOT_NULL(test, pkt[i]);
	}
	KUNIT_EXPECT_NULL(test, VmbPacketAllocate(v->ch));
	KUNIT_EXPECT_EQ(test, initialize(v, memory), STATUS_INSUFFICIENT_RESOURCES);

	VmbPacketFree(pkt[2]);
	KUNIT_EXPECT_EQ(test, initialize(v, memory), STATUS_SUCCESS);
	KUNIT_EXPECT_NULL(test, VmbPacketAllocate(v->ch));
	VmbPacketFree(memory);
	pkt[2] = VmbPacketAllocate(v->ch);
	KUNIT_EXPECT_NOT_NULL(test, pkt[2]);
	for (i = 0; i < 4; i++)
		VmbPacketFree(pkt[i]);
	KUNIT_EXPECT_EQ(test, v->kch->packets, 0u);
}

static void the_maximum_count_may_be_larger_than_the_default(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	VMBPACKET *pkt;
	u32 i, n = 3000;

	pkt = kunit_kcalloc(test, n, sizeof(*pkt), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pkt);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketSize(v->ch, 8), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketCount(v->ch, n), STATUS_SUCCESS);
	for (i = 0; i < n; i++)
		pkt[i] = VmbPacketAllocate(v->ch);
	KUNIT_EXPECT_NOT_NULL(test, pkt[n - 1]);
	KUNIT_EXPECT_NULL(test, VmbPacketAllocate(v->ch));
	for (i = 0; i < n; i++)
		VmbPacketFree(pkt[i]);
	KUNIT_EXPECT_EQ(test, v->kch->packets, 0u);
}

static void a_packet_larger_than_any_ring_is_not_allocated(struct kunit *test)
{
	static const u32 sizes[] = { 524281, 0x7fffffff, 0xfffffff0, 0xffffffff };
	struct vsc *v = vsc_new(test);
	VMBPACKET memory = packet_memory(v);
	u32 size = VmbChannelSizeofPacket(v->ch);
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketSize(v->ch, sizes[i]),
				STATUS_SUCCESS);
		KUNIT_EXPECT_NULL(test, VmbPacketAllocate(v->ch));
		KUNIT_EXPECT_GT(test, VmbChannelSizeofPacket(v->ch), 524280u);
		KUNIT_EXPECT_EQ(test, VmbPacketInitialize(v->ch, memory, size),
				STATUS_INVALID_PARAMETER_3);
	}
	KUNIT_EXPECT_EQ(test, v->kch->packets, 0u);
}

static void initialize_names_the_parameter_that_is_wrong(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	VMBPACKET pkt = packet_memory(v);
	u32 size = VmbChannelSizeofPacket(v->ch);

	KUNIT_EXPECT_EQ(test, VmbPacketInitialize(NULL, pkt, size), STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbPacketInitialize(v->ch, NULL, size),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbPacketInitialize(v->ch, pkt, size - 1),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, VmbPacketInitialize(v->ch, pkt, 0), STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, v->kch->packets, 0u);
	KUNIT_EXPECT_EQ(test, VmbPacketInitialize(v->ch, pkt, size), STATUS_SUCCESS);
	KUNIT_EXPECT_PTR_EQ(test, VmbPacketGetChannel(pkt), v->ch);
	VmbPacketFree(pkt);
}

/* Queued, so that the packet has to keep the payload itself. */
static void sizeof_packet_is_enough_for_the_largest_packet(struct kunit *test)
{
	static const u32 sizes[] = { 1, 7, 8, 100, 4096, 5001 };
	const u32 guard = 64;
	struct seen *s;
	u8 *memory, *payload;
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct vsc *v = vsc_new(test);
		u32 size;

		s = seen_new(v);
		if (i % 2)
			KUNIT_ASSERT_EQ(test, VmbChannelInitSetFlags(v->ch, PIPE), STATUS_SUCCESS);
		KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketSize(v->ch, sizes[i]),
				STATUS_SUCCESS);
		vsc_bring_up(v);
		VmbChannelPause(v->ch);
		size = VmbChannelSizeofPacket(v->ch);
		memory = kunit_kzalloc(test, size + guard, GFP_KERNEL);
		payload = kunit_kzalloc(test, sizes[i], GFP_KERNEL);
		KUNIT_ASSERT_TRUE(test, memory && payload);
		memset(memory + size, 0xa5, guard);
		memset(payload, i + 1, sizes[i]);

		KUNIT_ASSERT_EQ(test, VmbPacketInitialize(v->ch, (VMBPACKET)memory, size),
				STATUS_SUCCESS);
		VmbPacketSetCompletionRoutineEx((VMBPACKET)memory, s, on_ex);
		KUNIT_EXPECT_EQ(test, VmbPacketSend((VMBPACKET)memory, payload, sizes[i], NULL,
						    WAIT_FOR_COMPLETION), STATUS_SUCCESS);
		VmbChannelStart(v->ch);
		vsc_expect_soon(v, s->ex == 1);
		KUNIT_EXPECT_EQ(test, s->status, STATUS_SUCCESS);
		KUNIT_EXPECT_NULL(test, memchr_inv(memory + size, 0xa5, guard));
		vsc_drop(v);
		hvsim_reset();
	}
}

static void a_packet_without_a_routine_is_not_sent(struct kunit *test)
{
	struct vsc *v = prompt_vsc(test, 0);
	VMBPACKET pkt = packet_memory(v);
	struct seen *s = seen_new(v);

	KUNIT_ASSERT_EQ(test, initialize(v, pkt), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, "x", 1, NULL, WAIT_FOR_COMPLETION),
			STATUS_INVALID_PARAMETER_1);
	VmbPacketSetCompletionRoutineEx(pkt, s, on_ex);
	VmbPacketSetCompletionRoutine(pkt, NULL);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, "x", 1, NULL, 0), STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, v->host->stats.packets[VM_PKT_DATA_INBAND], 0ul);

	VmbPacketSetCompletionRoutineEx(pkt, s, on_ex);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, "x", 1, NULL, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, s->ex, 1);
}

/* With a limit of one packet, whoever keeps the slot is caught at once. */
static void memory_of_a_completed_packet_is_simply_dropped(struct kunit *test)
{
	struct vsc *v = prompt_vsc(test, 1);
	u32 size = VmbChannelSizeofPacket(v->ch);
	struct seen *s = seen_new(v);
	int i;

	for (i = 0; i < 20; i++) {
		VMBPACKET pkt = kzalloc(size, GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, pkt);
		KUNIT_EXPECT_EQ(test, VmbPacketInitialize(v->ch, pkt, size), STATUS_SUCCESS);
		VmbPacketSetCompletionRoutineEx(pkt, s, on_ex);
		KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, &i, sizeof(i), NULL,
						    i % 2 ? WAIT_FOR_COMPLETION : 0),
				STATUS_SUCCESS);
		KUNIT_EXPECT_EQ(test, s->ex, i + 1);
		memset(pkt, 0xff, size);
		kfree(pkt);
		KUNIT_ASSERT_EQ(test, v->kch->packets, 0u);
	}
}

static void initialize_again(struct kunit *test, int buffers)
{
	struct vsc *v = prompt_vsc(test, 16);
	struct seen *s = seen_new(v);
	VMBPACKET pkt[16];
	int i;

	for (i = 0; i < buffers; i++)
		pkt[i] = packet_memory(v);
	for (i = 0; i < AGAIN; i++) {
		VMBPACKET p = pkt[i % buffers];

		KUNIT_ASSERT_EQ(test, initialize(v, p), STATUS_SUCCESS);
		VmbPacketSetCompletionRoutineEx(p, s, on_ex);
		KUNIT_ASSERT_EQ(test, VmbPacketSend(p, &i, sizeof(i), NULL,
						    WAIT_FOR_COMPLETION), STATUS_SUCCESS);
		KUNIT_ASSERT_EQ(test, s->ex, i + 1);
		KUNIT_ASSERT_PTR_EQ(test, s->packet, p);
	}
	KUNIT_EXPECT_EQ(test, v->kch->packets, 0u);
	KUNIT_EXPECT_LE(test, v->kch->slots, KMCL_SLOT_CHUNK);
}

static void the_same_memory_is_initialised_ten_thousand_times(struct kunit *test)
{
	initialize_again(test, 1);
}

static void changing_memory_is_initialised_ten_thousand_times(struct kunit *test)
{
	initialize_again(test, 13);
}

static void memory_never_sent_is_initialised_again_or_freed(struct kunit *test)
{
	struct vsc *v = prompt_vsc(test, 2);
	VMBPACKET pkt = packet_memory(v), other = packet_memory(v);
	int i;

	for (i = 0; i < 100; i++)
		KUNIT_ASSERT_EQ(test, initialize(v, pkt), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, v->kch->packets, 1u);
	for (i = 0; i < 100; i++) {
		KUNIT_ASSERT_EQ(test, initialize(v, other), STATUS_SUCCESS);
		KUNIT_EXPECT_EQ(test, v->kch->packets, 2u);
		VmbPacketFree(other);
		KUNIT_EXPECT_EQ(test, v->kch->packets, 1u);
	}
	VmbPacketFree(pkt);
	KUNIT_EXPECT_EQ(test, v->kch->packets, 0u);
	/* twice, and nothing: harmless */
	VmbPacketFree(pkt);
	VmbPacketFree(NULL);
	KUNIT_EXPECT_EQ(test, v->kch->packets, 0u);
}

/* A byte for byte copy of a live packet is not that packet. */
static void memory_that_looks_like_a_packet_takes_nobodys_slot(struct kunit *test)
{
	struct vsc *v = prompt_vsc(test, 2);
	VMBPACKET pkt = packet_memory(v), copy = packet_memory(v);
	struct seen *s = seen_new(v), *t = seen_new(v);

	KUNIT_ASSERT_EQ(test, initialize(v, pkt), STATUS_SUCCESS);
	memcpy(copy, pkt, VmbChannelSizeofPacket(v->ch));
	KUNIT_ASSERT_EQ(test, initialize(v, copy), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, v->kch->packets, 2u);
	VmbPacketSetCompletionRoutineEx(pkt, s, on_ex);
	VmbPacketSetCompletionRoutineEx(copy, t, on_ex);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, "1", 1, NULL, WAIT_FOR_COMPLETION),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(copy, "2", 1, NULL, WAIT_FOR_COMPLETION),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, s->ex, 1);
	KUNIT_EXPECT_EQ(test, t->ex, 1);
}

static void a_packet_in_flight_is_left_alone(struct kunit *test, bool allocated, bool queued)
{
	struct vsc *v = vsc_new(test);
	struct seen *s = seen_new(v);
	VMBPACKET pkt;

	v->offer.script.answer = HVSIM_ANSWER_LATER;
	vsc_bring_up(v);
	if (allocated) {
		pkt = VmbPacketAllocate(v->ch);
	} else {
		pkt = packet_memory(v);
		KUNIT_ASSERT_EQ(test, initialize(v, pkt), STATUS_SUCCESS);
	}
	VmbPacketSetCompletionRoutineEx(pkt, s, on_ex);
	if (queued)
		VmbChannelPause(v->ch);
	KUNIT_ASSERT_EQ(test, VmbPacketSend(pkt, "first", 6, NULL, WAIT_FOR_COMPLETION),
			STATUS_SUCCESS);
	if (!queued)
		hvsim_settle();

	KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, "again", 6, NULL, WAIT_FOR_COMPLETION),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, "again", 6, NULL, 0),
			STATUS_INVALID_PARAMETER_1);
	VmbPacketFree(pkt);
	if (!allocated)
		KUNIT_EXPECT_EQ(test, initialize(v, pkt), STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, v->kch->packets, 1u);
	KUNIT_EXPECT_EQ(test, s->ex, 0);

	VmbChannelStart(v->ch);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, hvsim_answer(v->host, 10), 1);
	vsc_expect_soon(v, s->ex == 1);
	KUNIT_EXPECT_EQ(test, s->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, v->host->stats.packets[VM_PKT_DATA_INBAND], 1ul);
	VmbPacketFree(pkt);
	KUNIT_EXPECT_EQ(test, v->kch->packets, 0u);
}

static void an_allocated_packet_in_flight_is_neither_sent_nor_freed(struct kunit *test)
{
	a_packet_in_flight_is_left_alone(test, true, false);
}

static void an_initialised_packet_in_flight_is_neither_sent_nor_freed(struct kunit *test)
{
	a_packet_in_flight_is_left_alone(test, false, false);
}

static void a_queued_packet_is_neither_sent_nor_freed(struct kunit *test)
{
	a_packet_in_flight_is_left_alone(test, true, true);
	hvsim_reset();
	a_packet_in_flight_is_left_alone(test, false, true);
}

static void a_completed_packet_is_sent_again(struct kunit *test)
{
	struct vsc *v = prompt_vsc(test, 2);
	VMBPACKET mine = packet_memory(v), theirs = VmbPacketAllocate(v->ch);
	struct seen *s = seen_new(v), *t = seen_new(v);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, theirs);
	KUNIT_ASSERT_EQ(test, initialize(v, mine), STATUS_SUCCESS);
	VmbPacketSetCompletionRoutineEx(mine, s, on_ex);
	VmbPacketSetCompletionRoutineEx(theirs, t, on_ex);
	for (i = 1; i <= 100; i++) {
		u32 flags = i % 3 ? WAIT_FOR_COMPLETION : 0;

		KUNIT_ASSERT_EQ(test, VmbPacketSend(mine, &i, 4, NULL, flags), STATUS_SUCCESS);
		KUNIT_ASSERT_EQ(test, VmbPacketSend(theirs, &i, 4, NULL, flags),
				STATUS_SUCCESS);
		KUNIT_ASSERT_EQ(test, s->ex, i);
		KUNIT_ASSERT_EQ(test, t->ex, i);
	}
	VmbPacketFree(theirs);
	VmbPacketFree(mine);
	KUNIT_EXPECT_EQ(test, v->kch->packets, 0u);
}

static void a_packet_knows_its_channel_and_its_pointer(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	VMBPACKET pkt = VmbPacketAllocate(v->ch), mine = packet_memory(v);

	KUNIT_ASSERT_NOT_NULL(test, pkt);
	KUNIT_ASSERT_EQ(test, initialize(v, mine), STATUS_SUCCESS);
	KUNIT_EXPECT_PTR_EQ(test, VmbPacketGetChannel(pkt), v->ch);
	KUNIT_EXPECT_PTR_EQ(test, VmbPacketGetChannel(mine), v->ch);
	KUNIT_EXPECT_NULL(test, VmbPacketGetPointer(pkt));
	KUNIT_EXPECT_NULL(test, VmbPacketGetPointer(mine));
	VmbPacketSetPointer(pkt, test);
	VmbPacketSetPointer(mine, v);
	KUNIT_EXPECT_PTR_EQ(test, VmbPacketGetPointer(pkt), (void *)test);
	KUNIT_EXPECT_PTR_EQ(test, VmbPacketGetPointer(mine), (void *)v);
	VmbPacketSetPointer(pkt, NULL);
	KUNIT_EXPECT_NULL(test, VmbPacketGetPointer(pkt));
	VmbPacketFree(pkt);
	VmbPacketFree(mine);

	KUNIT_EXPECT_NULL(test, VmbPacketGetChannel(NULL));
	KUNIT_EXPECT_NULL(test, VmbPacketGetPointer(NULL));
	VmbPacketSetPointer(NULL, test);
}

static void the_latest_completion_routine_wins(struct kunit *test)
{
	struct vsc *v = prompt_vsc(test, 0);
	VMBPACKET pkt = VmbPacketAllocate(v->ch);
	struct seen *s = seen_new(v), *t = seen_new(v);

	KUNIT_ASSERT_NOT_NULL(test, pkt);
	VmbPacketSetPointer(pkt, s);

	VmbPacketSetCompletionRoutineEx(pkt, t, on_other);
	VmbPacketSetCompletionRoutine(pkt, on_legacy);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, "a", 1, NULL, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, s->legacy, 1);
	KUNIT_EXPECT_PTR_EQ(test, s->packet, pkt);

	VmbPacketSetCompletionRoutineEx(pkt, t, on_other);
	VmbPacketSetCompletionRoutineEx(pkt, s, on_ex);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, "b", 1, NULL, WAIT_FOR_COMPLETION),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, s->ex, 1);
	KUNIT_EXPECT_EQ(test, s->legacy, 1);

	VmbPacketSetCompletionRoutineEx(pkt, t, on_ex);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, "c", 1, NULL, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, t->ex, 1);
	KUNIT_EXPECT_EQ(test, t->other, 0);
	KUNIT_EXPECT_EQ(test, s->ex, 1);
	VmbPacketFree(pkt);
}

static void an_allocated_packet_frees_itself_unless_told_otherwise(struct kunit *test)
{
	struct vsc *v = prompt_vsc(test, 1);
	struct seen *s = seen_new(v);
	VMBPACKET pkt;
	int i;

	for (i = 0; i < 10; i++) {
		pkt = VmbPacketAllocate(v->ch);
		KUNIT_ASSERT_NOT_NULL(test, pkt);
		if (i & 1) {
			/* back to the default */
			VmbPacketSetCompletionRoutineEx(pkt, s, on_ex);
			VmbPacketSetCompletionRoutine(pkt, NULL);
		}
		KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, "x", 1, NULL,
						    i & 2 ? WAIT_FOR_COMPLETION : 0),
				STATUS_SUCCESS);
		KUNIT_ASSERT_EQ(test, v->kch->packets, 0u);
	}
	KUNIT_EXPECT_EQ(test, s->ex, 0);
}

static void a_packet_may_be_freed_after_its_channel(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	VMBPACKET pkt = VmbPacketAllocate(v->ch);

	KUNIT_ASSERT_NOT_NULL(test, pkt);
	vsc_drop(v);
	VmbPacketFree(pkt);
}

static void packets_outlive_disable_and_enable(struct kunit *test)
{
	struct vsc *v = prompt_vsc(test, 1);
	struct seen *s = seen_new(v);
	VMBPACKET pkt = VmbPacketAllocate(v->ch);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, pkt);
	VmbPacketSetCompletionRoutineEx(pkt, s, on_ex);
	for (i = 1; i <= 5; i++) {
		KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, &i, 4, NULL, WAIT_FOR_COMPLETION),
				STATUS_SUCCESS);
		KUNIT_EXPECT_EQ(test, s->ex, i);
		VmbChannelDisable(v->ch);
		KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, &i, 4, NULL, WAIT_FOR_COMPLETION),
				STATUS_INVALID_DEVICE_STATE);
		KUNIT_EXPECT_EQ(test, s->ex, i);
		KUNIT_ASSERT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	}
	VmbPacketFree(pkt);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(no_packet_is_allocated_on_no_channel),
	KUNIT_CASE(no_more_packets_exist_than_the_maximum_count),
	KUNIT_CASE(the_maximum_count_may_be_larger_than_the_default),
	KUNIT_CASE(a_packet_larger_than_any_ring_is_not_allocated),
	KUNIT_CASE(initialize_names_the_parameter_that_is_wrong),
	KUNIT_CASE(sizeof_packet_is_enough_for_the_largest_packet),
	KUNIT_CASE(a_packet_without_a_routine_is_not_sent),
	KUNIT_CASE(memory_of_a_completed_packet_is_simply_dropped),
	KUNIT_CASE(the_same_memory_is_initialised_ten_thousand_times),
	KUNIT_CASE(changing_memory_is_initialised_ten_thousand_times),
	KUNIT_CASE(memory_never_sent_is_initialised_again_or_freed),
	KUNIT_CASE(memory_that_looks_like_a_packet_takes_nobodys_slot),
	KUNIT_CASE(an_allocated_packet_in_flight_is_neither_sent_nor_freed),
	KUNIT_CASE(an_initialised_packet_in_flight_is_neither_sent_nor_freed),
	KUNIT_CASE(a_queued_packet_is_neither_sent_nor_freed),
	KUNIT_CASE(a_completed_packet_is_sent_again),
	KUNIT_CASE(a_packet_knows_its_channel_and_its_pointer),
	KUNIT_CASE(the_latest_completion_routine_wins),
	KUNIT_CASE(an_allocated_packet_frees_itself_unless_told_otherwise),
	KUNIT_CASE(a_packet_may_be_freed_after_its_channel),
	KUNIT_CASE(packets_outlive_disable_and_enable),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_packet",
	.init = vsc_suite_init,
	.exit = vsc_suite_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
