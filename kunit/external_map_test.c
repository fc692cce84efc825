// SPDX-License-Identifier: GPL-2.0
/*
 * External data are reached through the transport's map and unmap, as on a guest
 * whose memory the host cannot see: proved with a transport that bounces.
 */
#include <linux/device.h>
#include <linux/slab.h>
#include "external.h"
#include "helper.h"

#define PAGE	4096u
#define IN	VMBUS_CHANNEL_FORMAT_FLAG_DATA_IN_ONLY
#define OUT	VMBUS_CHANNEL_FORMAT_FLAG_DATA_OUT_ONLY

static struct bounce *bounce;
/* What the host found, and where. */
static u8 host_saw[64 * 1024];
static u32 host_saw_bytes;
static bool tail_not_zero;

static int map_init(struct kunit *test)
{
	int ret = external_suite_init(test);

	bounce = NULL;
	host_saw_bytes = 0;
	tail_not_zero = false;
	return ret;
}

/* All that a page shows beside what the range describes. */
static void look_at_tails(const struct vmpacket_descriptor *desc)
{
	const struct gpa_range *r;
	int i, n = hvsim_gpa_ranges(desc, 0, &r);

	for (i = 0; i < n; i++) {
		u32 end, last;

		hvsim_gpa_ranges(desc, i, &r);
		end = r->byte_offset + r->byte_count;
		last = (end - 1) / PAGE;
		if (memchr_inv(hvsim_gpa(r->pfn_array[0], 0), 0, r->byte_offset) ||
		    memchr_inv(hvsim_gpa(r->pfn_array[last], 0) + end - last * PAGE, 0,
			       (last + 1) * PAGE - end))
			tail_not_zero = true;
	}
}

/* Looks at everything, then writes everywhere. */
static enum hvsim_answer host_uses_memory(struct hvsim_chan *chan,
					  const struct vmpacket_descriptor *desc,
					  const void *payload, u32 len)
{
	if (desc->type != VM_PKT_DATA_USING_GPA_DIRECT)
		return HVSIM_ANSWER_SCRIPTED;
	look_at_tails(desc);
	if (host_bytes(desc) <= sizeof(host_saw))
		host_saw_bytes = host_read(desc, host_saw);
	host_fill(desc, 0x5a);
	return HVSIM_ANSWER_SCRIPTED;
}

static struct vsc *bouncing_vsc(struct kunit *test, enum hvsim_answer answer)
{
	struct vsc *v = vsc_new(test);

	v->offer.exec = HVSIM_EXEC_INLINE;
	v->offer.script.record = true;
	v->offer.script.answer = answer;
	v->offer.script.on_packet = host_uses_memory;
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumExternalData(v->ch, 512 << 10, 64),
			STATUS_SUCCESS);
	vsc_bring_up(v);
	bounce = bounce_new(test);
	bounce_set(bounce, v->kch->target.link);
	return v;
}

static u8 *pattern(struct kunit *test, u32 bytes)
{
	u8 *p = kunit_kmalloc(test, bytes, GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, p);
	for (i = 0; i < bytes; i++)
		p[i] = 1 + i % 251;
	return p;
}

static void every_range_goes_through_map_and_no_frame_of_the_drivers_is_named(struct kunit *test)
{
	struct vsc *v = bouncing_vsc(test, HVSIM_ANSWER_ECHO);
	u8 *p = pattern(test, 40 * PAGE), *copy = kunit_kmalloc(test, 40 * PAGE, GFP_KERNEL);
	struct lot *lot = lot_new(v);
	const struct gpa_range *r;
	PMDL chain;
	int i, n;
	u32 j;

	memcpy(copy, p, 40 * PAGE);
	chain = mdl_for(p + 20 * PAGE + 1, 19 * PAGE);	/* more than one map takes */
	chain = mdl_before(p + 10 * PAGE + 100, 3 * PAGE, chain);
	chain = mdl_before(p + PAGE - 3, 7, chain);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(lot->pkt, "x", 1, chain, WAIT_FOR_COMPLETION),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, lot->calls, 1);
	KUNIT_EXPECT_EQ(test, bounce->maps, 4u);
	KUNIT_EXPECT_EQ(test, bounce->mapped, 7 + 3 * PAGE + 19 * PAGE);
	bounce_expect_even(test, bounce);

	n = hvsim_gpa_ranges(recorded(v), 0, &r);
	KUNIT_EXPECT_EQ(test, n, 3);
	for (i = 0; i < n; i++) {
		hvsim_gpa_ranges(recorded(v), i, &r);
		for (j = 0; j < DIV_ROUND_UP(r->byte_offset + r->byte_count, PAGE); j++)
			KUNIT_EXPECT_FALSE(test, r->pfn_array[j] - frame_of(p) < 40);
	}
	hvsim_gpa_ranges(recorded(v), 0, &r);
	KUNIT_EXPECT_EQ(test, r->byte_offset, PAGE - 3);
	hvsim_gpa_ranges(recorded(v), 1, &r);
	KUNIT_EXPECT_EQ(test, r->byte_offset, 100u);
	hvsim_gpa_ranges(recorded(v), 2, &r);
	KUNIT_EXPECT_EQ(test, r->byte_offset, 1u);

	/* the host wrote where it was told, and nowhere else */
	memset(copy + PAGE - 3, 0x5a, 7);
	memset(copy + 10 * PAGE + 100, 0x5a, 3 * PAGE);
	memset(copy + 20 * PAGE + 1, 0x5a, 19 * PAGE);
	KUNIT_EXPECT_EQ(test, memcmp(p, copy, 40 * PAGE), 0);
	lot_free(lot);
}

static void the_host_sees_zeros_around_what_a_range_describes(struct kunit *test)
{
	static const u32 rows[][2] = {
		{ 0, 1 }, { 4095, 1 }, { 4095, 2 }, { 1, 4095 }, { 100, 3 * PAGE }, { 17, 8000 },
	};
	struct vsc *v = bouncing_vsc(test, HVSIM_ANSWER_ECHO);
	u8 *p = pattern(test, 8 * PAGE);
	struct lot *lot = lot_new(v);
	u32 i, j;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		u32 offset = rows[i][0], len = rows[i][1];

		KUNIT_EXPECT_EQ(test, STATUS_SUCCESS,
				VmbPacketSend(lot->pkt, NULL, 0, mdl_for(p + offset, len),
					      WAIT_FOR_COMPLETION));
		KUNIT_EXPECT_EQ(test, host_saw_bytes, len);
		for (j = 0; j < len && host_saw[j] == 1 + (offset + j) % 251; j++)
			;
		KUNIT_EXPECT_EQ(test, j, len);
		for (j = 0; j < 8 * PAGE; j++)
			p[j] = 1 + j % 251;
	}
	KUNIT_EXPECT_FALSE(test, tail_not_zero);
	bounce_expect_even(test, bounce);
	lot_free(lot);
}

static void directions_steer_what_is_copied(struct kunit *test)
{
	static const struct {
		u32 flags;
		bool out, in;
	} rows[] = {
		{ 0, true, true }, { OUT, true, false }, { IN, false, true },
		{ IN | OUT, true, true },
	};
	struct vsc *v = bouncing_vsc(test, HVSIM_ANSWER_ECHO);
	struct lot *lot = lot_new(v);
	u8 *p = pattern(test, PAGE);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		memset(p, 0x11, PAGE);
		KUNIT_EXPECT_EQ(test, STATUS_SUCCESS,
				VmbPacketSend(lot->pkt, NULL, 0, mdl_for(p + 8, 100),
					      WAIT_FOR_COMPLETION | rows[i].flags));
		KUNIT_EXPECT_EQ(test, host_saw[0], rows[i].out ? 0x11 : 0);
		KUNIT_EXPECT_NULL(test, memchr_inv(p + 8, rows[i].in ? 0x5a : 0x11, 100));
		KUNIT_EXPECT_NULL(test, memchr_inv(p + 108, 0x11, PAGE - 108));
	}
	bounce_expect_even(test, bounce);
	lot_free(lot);
}

static void what_cannot_be_mapped_fails_the_send_and_leaves_nothing_mapped(struct kunit *test)
{
	struct vsc *v = bouncing_vsc(test, HVSIM_ANSWER_ECHO);
	u8 *p = pattern(test, 8 * PAGE);
	struct lot *lot = lot_new(v);
	PMDL chain = NULL;
	unsigned int i;

	for (i = 0; i < 4; i++)
		chain = mdl_before(p + 2 * i * PAGE + 5, 50, chain);
	for (i = 0; i < 4; i++) {
		bounce->fail_after = i;
		bounce->fail = 1;
		KUNIT_EXPECT_EQ(test, VmbPacketSend(lot->pkt, "x", 1, chain, WAIT_FOR_COMPLETION),
				STATUS_INSUFFICIENT_RESOURCES);
		bounce_expect_even(test, bounce);
		KUNIT_EXPECT_EQ(test, bounce->maps, i * (i + 1) / 2);
	}
	KUNIT_EXPECT_EQ(test, lot->calls, 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&v->host->record));
	/* nor behind a full ring, nor while paused: the sender is there to be told */
	VmbChannelPause(v->ch);
	bounce->fail = 1;
	KUNIT_EXPECT_EQ(test, VmbPacketSend(lot->pkt, "x", 1, chain, WAIT_FOR_COMPLETION),
			STATUS_INSUFFICIENT_RESOURCES);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(lot->pkt, "x", 1, chain, WAIT_FOR_COMPLETION),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, bounce->live, 4);
	VmbChannelStart(v->ch);
	vsc_expect_soon(v, lot->calls == 1);
	bounce_expect_even(test, bounce);
	lot_free(lot);
}

static void opened(struct vsc *v, enum vsc_event event)
{
	if (event != VSC_OPENED)
		return;
	bounce_set(bounce, v->kch->target.link);
	bounce->fail = 3;
	bounce->fail_after = 1;
}

static void what_was_sent_before_there_was_a_device_is_mapped_when_there_is_room(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	u8 *p = pattern(test, 4 * PAGE);
	PMDL chain = mdl_before(p, 10, mdl_for(p + 2 * PAGE, 10));
	struct lot *first, *second;

	v->offer.exec = HVSIM_EXEC_INLINE;
	v->offer.script.record = true;
	v->offer.script.on_packet = host_uses_memory;
	v->on_state = opened;
	bounce = bounce_new(test);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	first = lot_new(v);
	second = lot_new(v);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(first->pkt, "1", 1, chain, WAIT_FOR_COMPLETION),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(second->pkt, "2", 1, NULL, WAIT_FOR_COMPLETION),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, bounce->maps, 0u);
	vsc_offer(v);
	/* three failures later, and the second has not overtaken it */
	vsc_expect_soon(v, second->calls == 1);
	KUNIT_EXPECT_EQ(test, first->calls, 1);
	KUNIT_EXPECT_EQ(test, bounce->fail, 0);
	KUNIT_EXPECT_EQ(test, bounce->maps, 1u + 2);
	bounce_expect_even(test, bounce);
	KUNIT_EXPECT_EQ(test, *(u8 *)hvsim_payload(list_first_entry(&v->host->record,
								    struct hvsim_packet, node)),
			'1');
	lot_free(first);
	lot_free(second);
}

static void opened_then_direct(struct vsc *v, enum vsc_event event)
{
	opened(v, event);
	bounce->then_direct = true;
}

/* The packet says where memory is now, and not where an attempt that failed had it. */
static void what_failed_to_map_once_is_described_anew(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	u8 *p = pattern(test, 4 * PAGE);
	PMDL chain = mdl_before(p, 2 * PAGE, mdl_for(p + 3 * PAGE, 10));
	const struct gpa_range *r;
	struct lot *lot;

	v->offer.exec = HVSIM_EXEC_INLINE;
	v->offer.script.record = true;
	v->offer.script.on_packet = host_uses_memory;
	v->on_state = opened_then_direct;
	bounce = bounce_new(test);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	lot = lot_new(v);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(lot->pkt, "x", 1, chain, WAIT_FOR_COMPLETION),
			STATUS_SUCCESS);
	vsc_offer(v);
	vsc_expect_soon(v, lot->calls == 1);
	KUNIT_EXPECT_EQ(test, bounce->fail, 0);
	bounce_expect_even(test, bounce);
	hvsim_gpa_ranges(recorded(v), 0, &r);
	KUNIT_EXPECT_EQ(test, r->pfn_array[0], frame_of(p));
	KUNIT_EXPECT_EQ(test, r->pfn_array[1], frame_of(p) + 1);
	hvsim_gpa_ranges(recorded(v), 1, &r);
	KUNIT_EXPECT_EQ(test, r->pfn_array[0], frame_of(p) + 3);
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 0x5a, 2 * PAGE));
	lot_free(lot);
}

static void what_waits_for_a_device_goes_unmapped_with_the_channel(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	u8 *p = pattern(test, PAGE);
	struct lot *lot;

	KUNIT_ASSERT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	lot = lot_new(v);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(lot->pkt, "1", 1, mdl_for(p, 8), WAIT_FOR_COMPLETION),
			STATUS_SUCCESS);
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_EQ(test, lot->calls, 1);
	KUNIT_EXPECT_EQ(test, lot->status, STATUS_CANCELLED);
	lot_free(lot);
}

enum ending {
	END_DISABLE,
	END_RESCIND,
	END_POISON,
	END_UNBIND,
	ENDINGS,
};

static void end(struct vsc *v, enum ending ending)
{
	struct device *dev;

	switch (ending) {
	case END_DISABLE:
		VmbChannelDisable(v->ch);
		break;
	case END_RESCIND:
		vsc_rescind(v);
		break;
	case END_POISON:
		hvsim_send(v->host, 0x4444, 0, 0, NULL, 0);
		break;
	case END_UNBIND:
		dev = get_device(v->kch->target.device);
		device_release_driver(dev);
		put_device(dev);
		break;
	default:
		break;
	}
}

/* In flight, queued behind a full ring, and, when @paused, held. */
static void each_map_is_unmapped_once(struct kunit *test, enum ending ending, bool paused)
{
	enum { COUNT = 36 };
	struct vsc *v = bouncing_vsc(test, HVSIM_ANSWER_NONE);
	u8 *p = pattern(test, COUNT * PAGE);
	u8 *payload = kunit_kzalloc(test, 4096, GFP_KERNEL);
	struct lot *lots[COUNT];
	int i;

	for (i = 0; i < COUNT; i++) {
		if (i == COUNT / 4)
			hvsim_stall(v->host);
		if (i == 3 * COUNT / 4 && paused)
			VmbChannelPause(v->ch);
		lots[i] = lot_new(v);
		KUNIT_EXPECT_EQ(test, STATUS_SUCCESS,
				VmbPacketSend(lots[i]->pkt, payload, 4096,
					      mdl_for(p + i * PAGE, 100), WAIT_FOR_COMPLETION));
	}
	KUNIT_EXPECT_EQ(test, bounce->live, COUNT);
	KUNIT_EXPECT_GT(test, v->kch->stats.queued, 0ull);
	end(v, ending);
	vsc_expect_soon(v, atomic_read(&v->completions) == COUNT);
	for (i = 0; i < COUNT; i++) {
		KUNIT_EXPECT_EQ(test, lots[i]->calls, 1);
		KUNIT_EXPECT_EQ(test, lots[i]->status, ending == END_DISABLE ?
				STATUS_CANCELLED : STATUS_DEVICE_REMOVED);
		lot_free(lots[i]);
	}
	bounce_expect_even(test, bounce);
	KUNIT_EXPECT_EQ(test, bounce->maps, COUNT);
	vsc_drop(v);
	hvsim_reset();
}

static void each_map_is_unmapped_once_however_the_channel_ends(struct kunit *test)
{
	enum ending ending;

	for (ending = 0; ending < ENDINGS; ending++) {
		each_map_is_unmapped_once(test, ending, false);
		each_map_is_unmapped_once(test, ending, true);
	}
}

static void a_request_that_expires_in_the_queue_is_unmapped_at_once(struct kunit *test)
{
	struct vsc *v = bouncing_vsc(test, HVSIM_ANSWER_ECHO);
	LARGE_INTEGER soon = { .QuadPart = -100000 };
	u8 *p = pattern(test, PAGE);

	VmbChannelPause(v->ch);
	KUNIT_EXPECT_EQ(test, STATUS_CANCELLED,
			VmbChannelSendSynchronousRequest(v->ch, "x", 1, mdl_for(p, 8),
							 WAIT_FOR_COMPLETION, NULL, NULL, &soon));
	KUNIT_EXPECT_EQ(test, bounce->maps, 1u);
	bounce_expect_even(test, bounce);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(every_range_goes_through_map_and_no_frame_of_the_drivers_is_named),
	KUNIT_CASE(the_host_sees_zeros_around_what_a_range_describes),
	KUNIT_CASE(directions_steer_what_is_copied),
	KUNIT_CASE(what_cannot_be_mapped_fails_the_send_and_leaves_nothing_mapped),
	KUNIT_CASE(what_was_sent_before_there_was_a_device_is_mapped_when_there_is_room),
	KUNIT_CASE(what_failed_to_map_once_is_described_anew),
	KUNIT_CASE(what_waits_for_a_device_goes_unmapped_with_the_channel),
	KUNIT_CASE(each_map_is_unmapped_once_however_the_channel_ends),
	KUNIT_CASE(a_request_that_expires_in_the_queue_is_unmapped_at_once),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_external_map",
	.init = map_init,
	.exit = external_suite_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
