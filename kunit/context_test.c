// SPDX-License-Identifier: GPL-2.0
/*
 * The driver's own memory: context areas with packets of both directions, and
 * channels in memory that the driver brings.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include "fixture.h"
#include "kmsg.h"

#define ASK	VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED

/* ---- with incoming packets ---- */

struct held {
	u32 size;
	bool defer;
	int n;
	int dirty;
	int lost;
	VMBPACKETCOMPLETION pkt[8];
};

/* The area is zero at the first delivery; leave a mark that survives a second one. */
static void mark_and_hold(struct vsc *v, VMBPACKETCOMPLETION pkt, void *buf, u32 len)
{
	struct held *h = v->priv;
	u8 *area = VmbChannelPacketGetClientContext(pkt);

	if (h->n && h->pkt[h->n - 1] == pkt && h->defer) {
		h->defer = false;
		h->lost += !area || !!memchr_inv(area, 0x5c, h->size);
		return;
	}
	h->dirty += !area || !!memchr_inv(area, 0, h->size);
	if (area)
		memset(area, 0x5c, h->size);
	h->pkt[h->n++] = pkt;
	if (h->defer)
		VmbChannelPacketDeferToPassive(pkt);
}

static struct vsc *marking_vsc(struct kunit *test, u32 size, struct held **held)
{
	struct vsc *v = vsc_new(test);
	struct held *h = kunit_kzalloc(test, sizeof(*h), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, h);
	h->size = size;
	v->priv = h;
	v->on_packet = mark_and_hold;
	*held = h;
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetClientContextSize(v->ch, size), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketSize(v->ch, 60), STATUS_SUCCESS);
	return v;
}

static void host_sends(struct vsc *v, u32 len)
{
	static u8 payload[8192];

	memset(payload, 0xee, sizeof(payload));
	KUNIT_ASSERT_EQ(v->test, hvsim_send(v->host, VM_PKT_DATA_INBAND, ASK, 1, payload, len), 0);
}

static void complete_held(struct held *h)
{
	while (h->n)
		VmbChannelPacketComplete(h->pkt[--h->n], "reply", 6);
}

static void a_client_context_is_zero_for_each_new_packet(struct kunit *test)
{
	static const u32 sizes[] = { 1, 16, 100, 5000 };
	int i, round;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct held *h;
		struct vsc *v = marking_vsc(test, sizes[i], &h);

		VmbChannelSetTransactionQuota(v->ch, 4);
		vsc_bring_up(v);
		/* the same objects again and again */
		for (round = 1; round <= 3; round++) {
			int n;

			for (n = 0; n < 4; n++)
				host_sends(v, 60);
			vsc_expect_soon(v, h->n == 4);
			for (n = 0; n < h->n; n++) {
				u8 *area = VmbChannelPacketGetClientContext(h->pkt[n]);

				KUNIT_ASSERT_NOT_NULL(test, area);
				KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)area, 16));
				/* neither payload nor a neighbour's */
				KUNIT_EXPECT_NULL(test, memchr_inv(area, 0x5c, sizes[i]));
			}
			complete_held(h);
		}
		KUNIT_EXPECT_EQ(test, h->dirty, 0);
		vsc_drop(v);
		hvsim_reset();
	}
}

static void a_client_context_survives_a_second_delivery(struct kunit *test)
{
	struct held *h;
	struct vsc *v = marking_vsc(test, 48, &h);

	h->defer = true;
	vsc_bring_up(v);
	host_sends(v, 8);
	vsc_expect_soon(v, atomic_read(&v->received) == 2);
	KUNIT_EXPECT_EQ(test, h->lost, 0);
	KUNIT_EXPECT_EQ(test, h->n, 1);
	complete_held(h);
}

static void a_packet_beyond_the_pool_has_its_client_context_too(struct kunit *test)
{
	struct held *h;
	struct vsc *v = marking_vsc(test, 40, &h);

	vsc_bring_up(v);
	host_sends(v, 4000);
	vsc_expect_soon(v, h->n == 1);
	KUNIT_EXPECT_EQ(test, h->dirty, 0);
	KUNIT_EXPECT_NULL(test, memchr_inv(VmbChannelPacketGetClientContext(h->pkt[0]), 0x5c, 40));
	complete_held(h);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->kch->rx.extra_bytes), 0);
}

static void without_a_size_there_is_no_client_context(struct kunit *test)
{
	struct held *h;
	struct vsc *v = marking_vsc(test, 0, &h);

	vsc_bring_up(v);
	host_sends(v, 8);
	vsc_expect_soon(v, h->n == 1);
	KUNIT_EXPECT_NULL(test, VmbChannelPacketGetClientContext(h->pkt[0]));
	KUNIT_EXPECT_NULL(test, VmbChannelPacketGetClientContext(NULL));
	complete_held(h);
}

static void a_client_context_counts_in_the_pool(struct kunit *test)
{
	struct held *h;
	struct vsc *v = marking_vsc(test, 64 << 10, &h);
	struct kmsg k;

	vsc_offer(v);
	kmsg_mark(&k);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_INSUFFICIENT_RESOURCES);
	kmsg_expect(test, &k, 1, "client context of 65536");
	VmbChannelSetTransactionQuota(v->ch, 64);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
}

static void context_sizes_are_refused_by_position(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	const u32 most = 64 << 20;

	KUNIT_EXPECT_EQ(test, VmbChannelInitSetClientContextSize(NULL, 8),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetInlinePacketContextSize(NULL, 8),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetClientContextSize(v->ch, most + 1),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetInlinePacketContextSize(v->ch, ~0u),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetClientContextSize(v->ch, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetInlinePacketContextSize(v->ch, 0), STATUS_SUCCESS);
	vsc_bring_up(v);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetClientContextSize(v->ch, 8),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetInlinePacketContextSize(v->ch, 8),
			STATUS_INVALID_PARAMETER_1);
}

/* ---- in outgoing packets ---- */

static void an_inline_context_is_zero_and_the_drivers_until_free(struct kunit *test)
{
	static const u32 sizes[] = { 1, 24, 4096 };
	int i, n;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct vsc *v = vsc_new(test);
		VMBPACKET pkt;
		u8 *area;

		KUNIT_ASSERT_EQ(test, VmbChannelInitSetInlinePacketContextSize(v->ch, sizes[i]),
				STATUS_SUCCESS);
		KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketSize(v->ch, 100),
				STATUS_SUCCESS);
		v->offer.exec = HVSIM_EXEC_INLINE;
		vsc_bring_up(v);
		for (n = 0; n < 3; n++) {
			u8 payload[100];

			memset(payload, 0x11, sizeof(payload));
			pkt = VmbPacketAllocate(v->ch);
			KUNIT_ASSERT_NOT_NULL(test, pkt);
			VmbPacketSetCompletionRoutineEx(pkt, v, vsc_completed);
			area = VmbPacketGetInlinePacketContextPointer(pkt);
			KUNIT_ASSERT_NOT_NULL(test, area);
			KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)area, 16));
			KUNIT_EXPECT_NULL(test, memchr_inv(area, 0, sizes[i]));
			memset(area, 0x77, sizes[i]);
			/* queued: the packet keeps all of its payload beside the area */
			VmbChannelPause(v->ch);
			KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, payload, sizeof(payload), NULL,
							    WAIT_FOR_COMPLETION), STATUS_SUCCESS);
			KUNIT_EXPECT_PTR_EQ(test, VmbPacketGetInlinePacketContextPointer(pkt),
					    (void *)area);
			KUNIT_EXPECT_NULL(test, memchr_inv(area, 0x77, sizes[i]));
			VmbChannelStart(v->ch);
			vsc_expect_soon(v, atomic_read(&v->ok) == n + 1);
		}
		vsc_drop(v);
		hvsim_reset();
	}
}

static void a_packet_in_the_drivers_memory_has_no_inline_context(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	u32 size = VmbChannelSizeofPacket(v->ch);
	VMBPACKET pkt = kunit_kzalloc(test, size, GFP_KERNEL), plain;

	plain = VmbPacketAllocate(v->ch);
	KUNIT_EXPECT_NULL(test, VmbPacketGetInlinePacketContextPointer(plain));
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetInlinePacketContextSize(v->ch, 64), STATUS_SUCCESS);
	/* its memory is the driver's anyway, and no larger for it */
	KUNIT_EXPECT_EQ(test, VmbChannelSizeofPacket(v->ch), size);
	KUNIT_ASSERT_EQ(test, VmbPacketInitialize(v->ch, pkt, size), STATUS_SUCCESS);
	KUNIT_EXPECT_NULL(test, VmbPacketGetInlinePacketContextPointer(pkt));
	KUNIT_EXPECT_NULL(test, VmbPacketGetInlinePacketContextPointer(NULL));
	/* made before there was a size */
	KUNIT_EXPECT_NULL(test, VmbPacketGetInlinePacketContextPointer(plain));
	VmbPacketFree(pkt);
	VmbPacketFree(plain);
}

/* ---- channels in the driver's memory ---- */

static void initialize_names_the_parameter_that_is_wrong(struct kunit *test)
{
	ULONG size = VmbSizeofChannel();
	u8 *memory = kunit_kzalloc(test, size + 8, GFP_KERNEL);
	VMBCHANNEL ch = (VMBCHANNEL)memory;

	KUNIT_ASSERT_NOT_NULL(test, memory);
	KUNIT_EXPECT_EQ(test, VmbChannelInitialize(NULL, FALSE, NULL, size),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, VmbChannelInitialize(NULL, FALSE, (VMBCHANNEL)(memory + 1), size),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, VmbChannelInitialize(NULL, FALSE, ch, size - 1),
			STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_EQ(test, VmbChannelInitialize(NULL, FALSE, ch, 0),
			STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_NULL(test, memchr_inv(memory, 0, size));
	KUNIT_EXPECT_EQ(test, VmbChannelInitialize(NULL, TRUE, ch, size), STATUS_SUCCESS);
	VmbChannelCleanup(ch);
	KUNIT_EXPECT_EQ(test, VmbChannelInitialize(NULL, FALSE, ch, size), STATUS_SUCCESS);
	VmbChannelCleanup(ch);
}

/* What the callbacks of a channel in the driver's memory are called with. */
struct mine {
	struct vsc *v;
	VMBCHANNEL ch;
	int opened;
	int closed;
	int processed;
	int foreign;
};

static NTSTATUS mine_opened(VMBCHANNEL ch, PVOID context)
{
	struct mine *m = context;

	m->opened++;
	m->foreign += ch != m->ch;
	return STATUS_SUCCESS;
}

static VOID mine_closed(VMBCHANNEL ch, PVOID context)
{
	struct mine *m = context;

	m->closed++;
	m->foreign += ch != m->ch;
}

static VOID mine_process(VMBCHANNEL ch, PVOID context, VMBPACKETCOMPLETION pkt, PVOID buf,
			 UINT32 len, UINT32 flags)
{
	struct mine *m = context;

	m->processed++;
	m->foreign += ch != m->ch || VmbPacketGetChannel((VMBPACKET)pkt) != m->ch;
	VmbChannelPacketComplete(pkt, NULL, 0);
	wake_up_all(&m->v->wait);
}

static void mine_initialize(struct kunit *test, struct mine *m, void *memory)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5 state;

	m->ch = memory;
	KUNIT_ASSERT_EQ(test, VmbChannelInitialize(NULL, FALSE, m->ch, VmbSizeofChannel()),
			STATUS_SUCCESS);
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT_V5(&state);
	state.CallbackContext = m;
	state.EvtChannelOpenedEx = mine_opened;
	state.EvtChannelClosedEx = mine_closed;
	KUNIT_ASSERT_EQ(test, vsc_set_state(m->ch, &state), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetProcessPacketCallbacksEx(m->ch, m, mine_process,
									NULL), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, vsc_set_target(m->ch, &vsc_instance), STATUS_SUCCESS);
}

static void a_channel_in_the_drivers_memory_is_named_by_its_address(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct mine m = { .v = v };
	VMBPACKET pkt;

	mine_initialize(test, &m, kunit_kzalloc(test, VmbSizeofChannel(), GFP_KERNEL));
	VmbChannelSetPointer(m.ch, &m);
	KUNIT_EXPECT_PTR_EQ(test, VmbChannelGetPointer(m.ch), (void *)&m);
	vsc_offer(v);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(m.ch), STATUS_SUCCESS);
	pkt = VmbPacketAllocate(m.ch);
	KUNIT_ASSERT_NOT_NULL(test, pkt);
	KUNIT_EXPECT_PTR_EQ(test, VmbPacketGetChannel(pkt), m.ch);
	VmbPacketSetCompletionRoutineEx(pkt, v, vsc_completed);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, "x", 1, NULL, WAIT_FOR_COMPLETION),
			STATUS_SUCCESS);
	vsc_expect_soon(v, atomic_read(&v->ok) == 1);
	host_sends(v, 8);
	vsc_expect_soon(v, m.processed == 1);
	VmbChannelDisable(m.ch);
	VmbChannelCleanup(m.ch);
	KUNIT_EXPECT_EQ(test, m.opened, 1);
	KUNIT_EXPECT_EQ(test, m.closed, 1);
	KUNIT_EXPECT_EQ(test, m.foreign, 0);
}

/* Packets, timers, work and readers of the channel: none of them is in that memory. */
static void the_drivers_memory_is_not_touched_after_cleanup(struct kunit *test)
{
	ULONG size = VmbSizeofChannel();
	struct vsc *v = vsc_new(test);
	struct mine m = { .v = v };
	u8 *memory = kunit_kzalloc(test, size, GFP_KERNEL);
	VMBPACKET late, initialised;

	KUNIT_ASSERT_NOT_NULL(test, memory);
	mine_initialize(test, &m, memory);
	vsc_offer(v);
	v->host->script.answer = HVSIM_ANSWER_NONE;
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(m.ch), STATUS_SUCCESS);
	late = VmbPacketAllocate(m.ch);
	initialised = kunit_kzalloc(test, VmbChannelSizeofPacket(m.ch), GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, late && initialised);
	KUNIT_ASSERT_EQ(test, VmbPacketInitialize(m.ch, initialised,
						  VmbChannelSizeofPacket(m.ch)), STATUS_SUCCESS);
	host_sends(v, 8);
	hvsim_settle();
	/* enabled, as a driver does that is in a hurry */
	VmbChannelCleanup(m.ch);
	memset(memory, 0xa5, size);

	KUNIT_EXPECT_EQ(test, VmbPacketSend(late, "x", 1, NULL, WAIT_FOR_COMPLETION),
			STATUS_INVALID_DEVICE_STATE);
	VmbPacketFree(initialised);
	VmbPacketFree(late);
	hvsim_rescind(v->host);
	hvsim_wait_released(v->host);
	rcu_barrier();
	KUNIT_EXPECT_NULL(test, memchr_inv(memory, 0xa5, size));
	KUNIT_EXPECT_EQ(test, m.closed, 1);
}

static void the_same_memory_holds_one_channel_after_another(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct mine m = { .v = v };
	void *memory = kunit_kzalloc(test, VmbSizeofChannel(), GFP_KERNEL);
	VMBPACKET pkt[3];
	int i;

	KUNIT_ASSERT_NOT_NULL(test, memory);
	for (i = 0; i < 3; i++) {
		mine_initialize(test, &m, memory);
		KUNIT_EXPECT_NULL(test, VmbChannelGetPointer(m.ch));
		VmbChannelSetPointer(m.ch, v);
		/* outlives its channel, and is not the next one's */
		pkt[i] = VmbPacketAllocate(m.ch);
		VmbChannelCleanup(m.ch);
		KUNIT_EXPECT_EQ(test, VmbChannelEnable(m.ch), STATUS_INVALID_PARAMETER_1);
	}
	for (i = 0; i < 3; i++)
		VmbPacketFree(pkt[i]);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_client_context_is_zero_for_each_new_packet),
	KUNIT_CASE(a_client_context_survives_a_second_delivery),
	KUNIT_CASE(a_packet_beyond_the_pool_has_its_client_context_too),
	KUNIT_CASE(without_a_size_there_is_no_client_context),
	KUNIT_CASE(a_client_context_counts_in_the_pool),
	KUNIT_CASE(context_sizes_are_refused_by_position),
	KUNIT_CASE(an_inline_context_is_zero_and_the_drivers_until_free),
	KUNIT_CASE(a_packet_in_the_drivers_memory_has_no_inline_context),
	KUNIT_CASE(initialize_names_the_parameter_that_is_wrong),
	KUNIT_CASE(a_channel_in_the_drivers_memory_is_named_by_its_address),
	KUNIT_CASE(the_drivers_memory_is_not_touched_after_cleanup),
	KUNIT_CASE(the_same_memory_holds_one_channel_after_another),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_context",
	.init = vsc_suite_init,
	.exit = vsc_suite_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
