// SPDX-License-Identifier: GPL-2.0
/*
 * A channel's own bounce memory: external data pass through it when the
 * transport cannot map them, and nothing of anybody else's shows.
 */
#include <linux/slab.h>
#include "external.h"
#include "helper.h"
#include "kmsg.h"

#define PAGE		4096u
#define IN		VMBUS_CHANNEL_FORMAT_FLAG_DATA_IN_ONLY
#define OUT		VMBUS_CHANNEL_FORMAT_FLAG_DATA_OUT_ONLY
#define LOST_POST	5	/* HV_STATUS_INVALID_PARAMETER: not tried again */

static struct bounce *transport;
static u8 seen[4 * 4096];
static bool around_not_zero;

/* Looks at everything, then writes all but the first byte. */
static enum hvsim_answer host_looks_and_writes(struct hvsim_chan *chan,
					       const struct vmpacket_descriptor *desc,
					       const void *payload, u32 len)
{
	const struct gpa_range *r;
	u8 first;
	u32 end;

	if (hvsim_gpa_ranges(desc, 0, &r) < 1)
		return HVSIM_ANSWER_SCRIPTED;
	end = r->byte_offset + r->byte_count;
	if (memchr_inv(hvsim_gpa(r->pfn_array[0], 0), 0, r->byte_offset))
		around_not_zero = true;
	if (end % PAGE && memchr_inv(hvsim_gpa(r->pfn_array[end / PAGE], end % PAGE), 0,
				     PAGE - end % PAGE))
		around_not_zero = true;
	if (host_bytes(desc) <= sizeof(seen))
		host_read(desc, seen);
	first = *(u8 *)hvsim_gpa(r->pfn_array[0], r->byte_offset);
	host_fill(desc, 0x5a);
	*(u8 *)hvsim_gpa(r->pfn_array[0], r->byte_offset) = first;
	return HVSIM_ANSWER_SCRIPTED;
}

/* A driver whose transport maps nothing from here on. */
static struct vsc *narrow_vsc(struct kunit *test, u32 initial, u32 increment, u32 maximum)
{
	struct vsc *v = vsc_new(test);

	around_not_zero = false;
	v->offer.exec = HVSIM_EXEC_INLINE;
	v->offer.script.record = true;
	v->offer.script.on_packet = host_looks_and_writes;
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetBounceBufferSizes(v->ch, initial, increment,
								 maximum), STATUS_SUCCESS);
	vsc_bring_up(v);
	transport = bounce_new(test);
	transport->fail = -1;
	bounce_set(transport, v->kch->target.link);
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

static NTSTATUS send_mdl(struct lot *lot, PMDL mdl, u32 flags)
{
	return VmbPacketSend(lot->pkt, "x", 1, mdl, WAIT_FOR_COMPLETION | flags);
}

/* ---- what passes through it ---- */

static void data_that_cannot_be_mapped_pass_through_the_channels_memory(struct kunit *test)
{
	/* each leaves less, so that what was there before would show */
	static const struct { u32 flags, offset, len; } rows[] = {
		{ 0, 100, 2 * PAGE }, { IN, 200, 2 * PAGE - 200 }, { OUT, 300, PAGE },
		{ IN, 4000, 7 },
	};
	struct vsc *v = narrow_vsc(test, 8 * PAGE, 0, 0);
	u8 *p = pattern(test, 6 * PAGE), *before = kunit_kmalloc(test, 6 * PAGE, GFP_KERNEL);
	struct lot *lot = lot_new(v);
	const struct gpa_range *r;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, before);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		u32 offset = rows[i].offset, len = rows[i].len;

		memcpy(before, p, 6 * PAGE);
		hvsim_clear_record(v->host);
		KUNIT_EXPECT_EQ(test, send_mdl(lot, mdl_for(p + offset, len), rows[i].flags),
				STATUS_SUCCESS);
		KUNIT_EXPECT_EQ(test, lot->calls, (int)i + 1);
		KUNIT_EXPECT_EQ(test, lot->status, STATUS_SUCCESS);
		/* what the host saw, where, and nothing around it */
		KUNIT_EXPECT_EQ(test, memcmp(seen, before + offset, len), 0);
		KUNIT_EXPECT_FALSE(test, around_not_zero);
		KUNIT_EXPECT_EQ(test, hvsim_gpa_ranges(recorded(v), 0, &r), 1);
		KUNIT_EXPECT_EQ(test, r->byte_offset, offset);
		KUNIT_EXPECT_NE(test, r->pfn_array[0], frame_of(p));
		/* what it wrote, and what it left alone */
		if (rows[i].flags != OUT)
			memset(before + offset + 1, 0x5a, len - 1);
		KUNIT_EXPECT_EQ(test, memcmp(p, before, 6 * PAGE), 0);
	}
	KUNIT_EXPECT_EQ(test, transport->unmaps, 0u);
	lot_free(lot);
}

static void bounce_memory_is_used_again(struct kunit *test)
{
	struct vsc *v = narrow_vsc(test, 3 * PAGE, 0, 3 * PAGE);
	u8 *p = pattern(test, 3 * PAGE);
	struct lot *lot = lot_new(v);
	PMDL mdl = mdl_for(p + 8, 2 * PAGE);
	int i;

	for (i = 1; i <= 20; i++) {
		KUNIT_EXPECT_EQ(test, send_mdl(lot, mdl, 0), STATUS_SUCCESS);
		KUNIT_EXPECT_EQ(test, lot->calls, i);
	}
	KUNIT_EXPECT_EQ(test, v->kch->bounce.bytes, 3 * PAGE);
	lot_free(lot);
}

static void what_can_be_mapped_does_not_touch_it(struct kunit *test)
{
	struct vsc *v = narrow_vsc(test, 4 * PAGE, 0, 0);
	u8 *p = pattern(test, 3 * PAGE);
	struct lot *lot = lot_new(v);

	/* one that is mapped, one that is not, in one packet */
	transport->fail = 0;
	transport->fail_after = 0;
	KUNIT_EXPECT_EQ(test, send_mdl(lot, mdl_for(p, PAGE), 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, transport->maps, 1u);
	transport->fail = -1;
	transport->fail_after = 1;
	KUNIT_EXPECT_EQ(test, send_mdl(lot, mdl_before(p, PAGE, mdl_for(p + 2 * PAGE, PAGE)), 0),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, transport->maps, 2u);
	KUNIT_EXPECT_EQ(test, lot->calls, 2);
	bounce_expect_even(test, transport);
	KUNIT_EXPECT_EQ(test, p[PAGE - 1], 0x5a);
	KUNIT_EXPECT_EQ(test, p[3 * PAGE - 1], 0x5a);
	lot_free(lot);
}

/* ---- how much there is ---- */

static void bounce_memory_grows_up_to_its_maximum(struct kunit *test)
{
	struct vsc *v = narrow_vsc(test, 0, 2 * PAGE, 3 * PAGE);
	u8 *p = pattern(test, 2 * PAGE);
	struct lot *a = lot_new(v), *b = lot_new(v), *c = lot_new(v);
	PMDL mdl = mdl_for(p, 2 * PAGE), page = mdl_for(p, PAGE);

	v->host->script.answer = HVSIM_ANSWER_LATER;
	KUNIT_EXPECT_EQ(test, send_mdl(a, mdl, 0), STATUS_INSUFFICIENT_RESOURCES);
	/* the next one finds what this one asked for */
	flush_work(&v->kch->bounce.grow);
	KUNIT_EXPECT_EQ(test, v->kch->bounce.bytes, 2 * PAGE);
	KUNIT_EXPECT_EQ(test, send_mdl(a, mdl, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, send_mdl(b, page, 0), STATUS_INSUFFICIENT_RESOURCES);
	flush_work(&v->kch->bounce.grow);
	KUNIT_EXPECT_EQ(test, v->kch->bounce.bytes, 3 * PAGE);
	KUNIT_EXPECT_EQ(test, send_mdl(b, page, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, send_mdl(c, page, 0), STATUS_INSUFFICIENT_RESOURCES);
	flush_work(&v->kch->bounce.grow);
	KUNIT_EXPECT_EQ(test, v->kch->bounce.bytes, 3 * PAGE);
	hvsim_answer(v->host, 2);
	KUNIT_EXPECT_EQ(test, a->calls, 1);
	KUNIT_EXPECT_EQ(test, b->calls, 1);
	KUNIT_EXPECT_EQ(test, send_mdl(c, page, 0), STATUS_SUCCESS);
	hvsim_answer(v->host, 1);
	lot_free(a);
	lot_free(b);
	lot_free(c);
}

static void allocated_memory_is_there_at_once_and_after_each_open(struct kunit *test)
{
	struct vsc *v = narrow_vsc(test, PAGE, PAGE, PAGE);

	KUNIT_EXPECT_EQ(test, v->kch->bounce.bytes, PAGE);
	/* the maximum is for what the library does by itself */
	KUNIT_EXPECT_EQ(test, VmbChannelAllocateBounceBuffer(v->ch, 4 * PAGE), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, v->kch->bounce.bytes, 5 * PAGE);
	KUNIT_EXPECT_EQ(test, VmbChannelAllocateBounceBuffer(v->ch, 0), STATUS_SUCCESS);
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_EQ(test, v->kch->bounce.bytes, 0u);
	KUNIT_EXPECT_EQ(test, VmbChannelAllocateBounceBuffer(v->ch, PAGE), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, v->kch->bounce.bytes, 0u);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, v->kch->bounce.bytes, 6 * PAGE);
	vsc_rescind(v);
	KUNIT_EXPECT_EQ(test, v->kch->bounce.bytes, 0u);
}

static void *no_memory(struct kmcl_link *link, u32 bytes, dma_addr_t *addr)
{
	return NULL;
}

static void an_allocation_that_fails_leaves_things_as_they_were(struct kunit *test)
{
	struct vsc *v = narrow_vsc(test, PAGE, 0, 0);

	transport->ops.bounce_alloc = no_memory;
	KUNIT_EXPECT_EQ(test, VmbChannelAllocateBounceBuffer(v->ch, 4 * PAGE),
			STATUS_INSUFFICIENT_RESOURCES);
	KUNIT_EXPECT_EQ(test, v->kch->bounce.bytes, PAGE);
	KUNIT_EXPECT_EQ(test, v->kch->bounce.extra, 0u);
	transport->ops.bounce_alloc = transport->real->bounce_alloc;
	KUNIT_EXPECT_EQ(test, VmbChannelAllocateBounceBuffer(v->ch, 0xfffff000u),
			STATUS_INSUFFICIENT_RESOURCES);
	KUNIT_EXPECT_EQ(test, v->kch->bounce.extra, 0u);
}

static void a_channel_that_never_asked_has_none(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct lot *lot;

	vsc_bring_up(v);
	transport = bounce_new(test);
	transport->fail = -1;
	bounce_set(transport, v->kch->target.link);
	lot = lot_new(v);
	KUNIT_EXPECT_EQ(test, send_mdl(lot, mdl_for(pattern(test, PAGE), PAGE), 0),
			STATUS_INSUFFICIENT_RESOURCES);
	flush_work(&v->kch->bounce.grow);
	KUNIT_EXPECT_EQ(test, v->kch->bounce.bytes, 0u);
	lot_free(lot);
}

/* ---- how it ends ---- */

static void bounce_memory_that_the_host_keeps_is_never_used_again(struct kunit *test)
{
	struct vsc *v = narrow_vsc(test, 2 * PAGE, 0, 0);
	u8 *p = pattern(test, PAGE), *host;
	struct lot *lot = lot_new(v);
	const struct gpa_range *r;
	struct kmsg k;

	v->host->script.answer = HVSIM_ANSWER_NONE;
	KUNIT_EXPECT_EQ(test, send_mdl(lot, mdl_for(p, PAGE), 0), STATUS_SUCCESS);
	hvsim_gpa_ranges(recorded(v), 0, &r);
	host = hvsim_gpa(r->pfn_array[0], 0);
	hvsim_settle();
	kmsg_mark(&k);
	hvsim_fail_posts(1, LOST_POST);
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_EQ(test, lot->calls, 1);
	KUNIT_EXPECT_EQ(test, lot->status, STATUS_CANCELLED);
	kmsg_expect(test, &k, 1, "bounce memory of 8192 bytes stays with the host");
	/* late, into memory that is nobody's, and not the driver's */
	memset(host, 0xee, PAGE);
	KUNIT_EXPECT_NE(test, p[0], 0xee);
	lot_free(lot);
}

static void a_request_that_is_cut_short_gives_its_bounce_memory_back(struct kunit *test)
{
	struct vsc *v = narrow_vsc(test, 2 * PAGE, 0, 0);
	u8 *p = pattern(test, PAGE);
	struct lot *lot = lot_new(v);
	struct kmsg k;

	v->host->script.answer = HVSIM_ANSWER_NONE;
	KUNIT_EXPECT_EQ(test, send_mdl(lot, mdl_for(p, PAGE), 0), STATUS_SUCCESS);
	kmsg_mark(&k);
	vsc_rescind(v);
	KUNIT_EXPECT_EQ(test, lot->calls, 1);
	KUNIT_EXPECT_EQ(test, lot->status, STATUS_DEVICE_REMOVED);
	kmsg_expect(test, &k, 0, "stays with the host");
	KUNIT_EXPECT_EQ(test, v->kch->bounce.bytes, 0u);
	lot_free(lot);
}

/* ---- statuses ---- */

static void SetBounceBufferSizes_names_the_wrong_parameter(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	KUNIT_EXPECT_EQ(test, VmbChannelInitSetBounceBufferSizes(NULL, 0, 0, 0),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetBounceBufferSizes(v->ch, 1, 0, 0),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetBounceBufferSizes(v->ch, 0, PAGE - 1, 0),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetBounceBufferSizes(v->ch, 0, 0, PAGE + 1),
			STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetBounceBufferSizes(v->ch, 2 * PAGE, 0, PAGE),
			STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_EQ(test, v->kch->config.bounce_initial, 0u);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetBounceBufferSizes(v->ch, PAGE, PAGE, 2 * PAGE),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetBounceBufferSizes(v->ch, 0, 0, 0), STATUS_SUCCESS);
	vsc_bring_up(v);
	KUNIT_EXPECT_EQ(test, v->kch->bounce.bytes, 0u);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetBounceBufferSizes(v->ch, 0, 0, 0),
			STATUS_INVALID_PARAMETER_1);
}

static void AllocateBounceBuffer_wants_whole_pages(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	KUNIT_EXPECT_EQ(test, VmbChannelAllocateBounceBuffer(NULL, PAGE),
			STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, VmbChannelAllocateBounceBuffer(v->ch, 1), STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, VmbChannelAllocateBounceBuffer(v->ch, PAGE + 8),
			STATUS_INVALID_PARAMETER);
	local_bh_disable();
	KUNIT_EXPECT_EQ(test, VmbChannelAllocateBounceBuffer(v->ch, PAGE),
			STATUS_INVALID_DEVICE_STATE);
	local_bh_enable();
	KUNIT_EXPECT_EQ(test, v->kch->bounce.extra, 0u);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(data_that_cannot_be_mapped_pass_through_the_channels_memory),
	KUNIT_CASE(bounce_memory_is_used_again),
	KUNIT_CASE(what_can_be_mapped_does_not_touch_it),
	KUNIT_CASE(bounce_memory_grows_up_to_its_maximum),
	KUNIT_CASE(allocated_memory_is_there_at_once_and_after_each_open),
	KUNIT_CASE(an_allocation_that_fails_leaves_things_as_they_were),
	KUNIT_CASE(a_channel_that_never_asked_has_none),
	KUNIT_CASE(bounce_memory_that_the_host_keeps_is_never_used_again),
	KUNIT_CASE(a_request_that_is_cut_short_gives_its_bounce_memory_back),
	KUNIT_CASE(SetBounceBufferSizes_names_the_wrong_parameter),
	KUNIT_CASE(AllocateBounceBuffer_wants_whole_pages),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_bounce",
	.init = external_suite_init,
	.exit = external_suite_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
