// SPDX-License-Identifier: GPL-2.0
/*
 * External data in flight belong to the host: nothing but its answer or the real
 * end of the channel completes the packet, and until then the host writes into
 * memory that is there.
 */
#include <linux/device.h>
#include <linux/kmemleak.h>
#include <linux/slab.h>
#include "external.h"
#include "helper.h"
#include "kmsg.h"

#define PAGE		4096u
#define LOST_POST	5	/* HV_STATUS_INVALID_PARAMETER: not tried again */

static bool is_disabled(struct vsc *v)
{
	return READ_ONCE(v->kch->state) == KMCL_DISABLED && !READ_ONCE(v->kch->life_owner);
}

/* A host that never answers and keeps what it got. */
static struct vsc *silent_host(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	v->offer.exec = HVSIM_EXEC_INLINE;
	v->offer.script.record = true;
	v->offer.script.answer = HVSIM_ANSWER_LATER;
	vsc_bring_up(v);
	return v;
}

/* The host writes into everything that it was ever given and is not told back. */
static void host_writes(struct vsc *v)
{
	struct hvsim_packet *pkt;

	list_for_each_entry(pkt, &v->host->record, node)
		host_fill(&pkt->desc, 0xee);
}

/* A packet in flight whose memory goes as soon as its routine is called. */
static struct lot *lend(struct vsc *v, u32 bytes)
{
	struct lot *lot = lot_new(v);
	PMDL mdl;

	lot->memory = kmalloc(bytes, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(v->test, lot->memory);
	mdl = IoAllocateMdl(lot->memory, bytes, FALSE, FALSE, NULL);
	KUNIT_ASSERT_NOT_NULL(v->test, mdl);
	MmBuildMdlForNonPagedPool(mdl);
	KUNIT_EXPECT_EQ(v->test, VmbPacketSend(lot->pkt, "x", 1, mdl, WAIT_FOR_COMPLETION),
			STATUS_SUCCESS);
	/* the frames are what counts from here on */
	IoFreeMdl(mdl);
	return lot;
}

static enum kmcl_slot_state state_of(const struct lot *lot)
{
	return kmcl_word_state(atomic64_read(&kmcl_packet(lot->pkt)->slot->word));
}

static void an_answer_gives_the_memory_back(struct kunit *test)
{
	struct vsc *v = silent_host(test);
	struct lot *lot = lend(v, 100);

	host_writes(v);
	KUNIT_EXPECT_EQ(test, lot->calls, 0);
	KUNIT_EXPECT_EQ(test, state_of(lot), KMCL_SLOT_LENT);
	KUNIT_EXPECT_EQ(test, hvsim_answer(v->host, 1), 1);
	vsc_expect_soon(v, lot->calls == 1);
	KUNIT_EXPECT_EQ(test, lot->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, state_of(lot), KMCL_SLOT_IDLE);
	lot_free(lot);
}

/* ---- requests that expire ---- */

struct waiter {
	struct helper helper;
	struct vsc *v;
	u8 *memory;
	u32 size;
	u64 answer;
	s64 timeout;
	NTSTATUS status;
};

static void wait_for_answer(void *arg)
{
	struct waiter *w = arg;
	LARGE_INTEGER timeout = { .QuadPart = w->timeout };
	PMDL mdl = IoAllocateMdl(w->memory, PAGE, FALSE, FALSE, NULL);

	MmBuildMdlForNonPagedPool(mdl);
	w->size = sizeof(w->answer);
	w->status = VmbChannelSendSynchronousRequest(w->v->ch, "request", 8, mdl,
						     WAIT_FOR_COMPLETION, &w->answer, &w->size,
						     w->timeout ? &timeout : NULL);
	IoFreeMdl(mdl);
	/* the caller's again, in any case */
	kfree(w->memory);
}

static struct waiter *start_waiter(struct vsc *v, s64 timeout)
{
	struct waiter *w = kunit_kzalloc(v->test, sizeof(*w), GFP_KERNEL);
	const unsigned long *seen = &v->host->stats.packets[VM_PKT_DATA_USING_GPA_DIRECT];
	unsigned long before = *seen;

	KUNIT_ASSERT_NOT_NULL(v->test, w);
	w->v = v;
	w->timeout = timeout;
	w->memory = kmalloc(PAGE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(v->test, w->memory);
	KUNIT_ASSERT_TRUE(v->test, helper_start(&w->helper, wait_for_answer, w));
	KUNIT_ASSERT_TRUE(v->test, becomes(READ_ONCE(*seen) > before));
	return w;
}

static void a_request_that_expires_waits_for_the_answer_and_is_cancelled(struct kunit *test)
{
	struct vsc *v = silent_host(test);
	struct waiter *w;
	struct kmsg k;

	kmsg_mark(&k);
	w = start_waiter(v, -10000000);		/* a second */
	schedule_timeout_uninterruptible(12 * HZ);
	KUNIT_EXPECT_FALSE(test, completion_done(&w->helper.done));
	kmsg_expect(test, &k, 1, "still waiting for the host to be done with the external data");
	host_writes(v);
	KUNIT_EXPECT_EQ(test, hvsim_answer(v->host, 1), 1);
	KUNIT_EXPECT_TRUE(test, helper_join(&w->helper));
	KUNIT_EXPECT_EQ(test, w->status, STATUS_CANCELLED);
	KUNIT_EXPECT_EQ(test, w->size, 0u);
	KUNIT_EXPECT_EQ(test, v->kch->stats.stale_ids, 0ull);
}

static void a_request_that_is_answered_in_time_succeeds(struct kunit *test)
{
	struct vsc *v = silent_host(test);
	struct waiter *w = start_waiter(v, -10000000);

	host_writes(v);
	KUNIT_EXPECT_EQ(test, hvsim_answer(v->host, 1), 1);
	KUNIT_EXPECT_TRUE(test, helper_join(&w->helper));
	KUNIT_EXPECT_EQ(test, w->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, w->size, 8u);
}

/* ---- the end of the channel ---- */

enum ending {
	END_DISABLE,
	END_POISON,
	END_UNBIND,
	ENDINGS,
};

static void end_now(void *arg)
{
	struct vsc *v = arg;
	struct device *dev;

	switch ((long)v->priv) {
	case END_DISABLE:
		VmbChannelDisable(v->ch);
		break;
	case END_POISON:
		hvsim_send(v->host, 0x4444, 0, 0, NULL, 0);
		break;
	case END_UNBIND:
		dev = get_device(v->kch->target.device);
		device_release_driver(dev);
		put_device(dev);
		break;
	}
}

/* The host takes its time to close; what it may write to stays until it has. */
static void it_ends_when_the_channel_is_closed(struct kunit *test, enum ending ending)
{
	struct vsc *v = silent_host(test);
	NTSTATUS status = ending == END_DISABLE ? STATUS_CANCELLED : STATUS_DEVICE_REMOVED;
	struct lot *lent[3], *plain = lot_new(v);
	struct waiter *w;
	struct helper h;
	int i;

	for (i = 0; i < 3; i++)
		lent[i] = lend(v, 100 + i * PAGE);
	w = start_waiter(v, 0);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(plain->pkt, "x", 1, NULL, WAIT_FOR_COMPLETION),
			STATUS_SUCCESS);
	/* the bus waits for this answer before it closes anything for good */
	hvsim_hold(v->host, CHANNELMSG_GPADL_TEARDOWN);
	v->priv = (void *)ending;
	KUNIT_ASSERT_TRUE(test, helper_start(&h, end_now, v));
	KUNIT_EXPECT_TRUE(test, becomes(hvsim_held(v->host, CHANNELMSG_GPADL_TEARDOWN)));

	KUNIT_EXPECT_EQ(test, plain->calls, 1);
	KUNIT_EXPECT_EQ(test, plain->status, status);
	schedule_timeout_uninterruptible(2 * KMCL_PATIENCE);
	host_writes(v);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, lent[i]->calls, 0);
	KUNIT_EXPECT_FALSE(test, completion_done(&w->helper.done));

	hvsim_unhold(v->host, CHANNELMSG_GPADL_TEARDOWN);
	KUNIT_EXPECT_TRUE(test, helper_join(&h));
	KUNIT_EXPECT_TRUE(test, helper_join(&w->helper));
	KUNIT_EXPECT_EQ(test, w->status, STATUS_DEVICE_REMOVED);
	vsc_expect_soon(v, atomic_read(&v->completions) == 4);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, lent[i]->calls, 1);
		KUNIT_EXPECT_EQ(test, lent[i]->status, status);
		lot_free(lent[i]);
	}
	lot_free(plain);
	KUNIT_EXPECT_TRUE(test, becomes(is_disabled(v)));
	vsc_drop(v);
	hvsim_reset();
}

static void disable_completes_it_after_the_close(struct kunit *test)
{
	it_ends_when_the_channel_is_closed(test, END_DISABLE);
}

static void poison_completes_it_after_the_close(struct kunit *test)
{
	it_ends_when_the_channel_is_closed(test, END_POISON);
}

static void an_unbound_device_completes_it_after_the_close(struct kunit *test)
{
	it_ends_when_the_channel_is_closed(test, END_UNBIND);
}

static void a_rescind_completes_it_once(struct kunit *test)
{
	struct vsc *v = silent_host(test);
	struct lot *lot = lend(v, 3 * PAGE);
	struct waiter *w = start_waiter(v, 0);

	host_writes(v);
	vsc_rescind(v);
	KUNIT_EXPECT_TRUE(test, helper_join(&w->helper));
	KUNIT_EXPECT_EQ(test, w->status, STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_EQ(test, lot->calls, 1);
	KUNIT_EXPECT_EQ(test, lot->status, STATUS_DEVICE_REMOVED);
	lot_free(lot);
}

static enum hvsim_answer write_and_keep(struct hvsim_chan *chan,
					const struct vmpacket_descriptor *desc,
					const void *payload, u32 len)
{
	host_fill(desc, 0x77);
	return HVSIM_ANSWER_SCRIPTED;
}

static void rescind_at_signal(struct hvsim_chan *chan)
{
	chan->script.on_signal = NULL;
	hvsim_rescind(chan);
}

static void if_the_offer_goes_during_the_signal_it_completes_once(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct lot *lot;

	v->offer.exec = HVSIM_EXEC_INLINE;
	v->offer.script.answer = HVSIM_ANSWER_NONE;
	v->offer.script.on_packet = write_and_keep;
	v->offer.script.on_signal = rescind_at_signal;
	vsc_bring_up(v);
	lot = lend(v, 100);
	vsc_expect_soon(v, lot->calls == 1);
	KUNIT_EXPECT_EQ(test, lot->status, STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_TRUE(test, hvsim_wait_released(v->host));
	KUNIT_EXPECT_EQ(test, lot->calls, 1);
	lot_free(lot);
}

/* ---- Disable does not wait for it, and does not give it up either ---- */

static void hold_on(struct vsc *v, VMBPACKETCOMPLETION pkt, void *buf, u32 len)
{
	struct waiter *w = v->priv;

	w->v = v;
	w->memory = kmalloc(PAGE, GFP_KERNEL);
	wait_for_answer(w);
	VmbChannelPacketComplete(pkt, NULL, 0);
}

static void a_disable_closes_under_a_driver_that_waits_for_it(struct kunit *test)
{
	struct vsc *v = silent_host(test);
	struct waiter w = {};
	struct helper h;

	v->priv = &w;
	v->on_packet = hold_on;
	VmbChannelSetIncomingProcessingAtPassive(v->ch, TRUE);
	KUNIT_ASSERT_EQ(test, 0, hvsim_send(v->host, VM_PKT_DATA_INBAND, 0, 1, "payload", 8));
	KUNIT_ASSERT_TRUE(test, becomes(!list_empty(&v->host->record)));
	hvsim_hold(v->host, CHANNELMSG_GPADL_TEARDOWN);
	v->priv = &w;
	KUNIT_ASSERT_TRUE(test, helper_start(&h, (void (*)(void *))VmbChannelDisable, v->ch));
	KUNIT_EXPECT_TRUE(test, becomes(hvsim_held(v->host, CHANNELMSG_GPADL_TEARDOWN)));
	/* patience is over twice, and the pages are still the host's */
	schedule_timeout_uninterruptible(2 * KMCL_PATIENCE);
	host_writes(v);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->in_packet), 1);
	hvsim_unhold(v->host, CHANNELMSG_GPADL_TEARDOWN);
	KUNIT_EXPECT_TRUE(test, helper_join(&h));
	KUNIT_EXPECT_EQ(test, w.status, STATUS_DEVICE_REMOVED);
	vsc_expect_log(v, "UC");
}

/* ---- a close that fails ---- */

static void pages_of_a_close_that_fails_are_never_used_again(struct kunit *test)
{
	struct vsc *v = silent_host(test);
	struct page *page = alloc_pages(GFP_KERNEL, 1);
	PFN_NUMBER frames[2];
	struct lot *slab, *lot;
	struct kmsg k;

	KUNIT_ASSERT_NOT_NULL(test, page);
	split_page(page, 1);
	frames[0] = page_to_pfn(page);
	frames[1] = frames[0] + 1;
	slab = lend(v, 100);
	/* it stays mapped, and what is mapped twice is an error of DMA debugging: never free it */
	kmemleak_ignore(slab->memory);
	slab->memory = NULL;
	lot = lot_new(v);
	KUNIT_EXPECT_EQ(test, VmbPacketSendWithExternalPfns(lot->pkt, "x", 1, frames, 2,
							    WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	hvsim_settle();
	kmsg_mark(&k);
	hvsim_fail_posts(1, LOST_POST);
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_EQ(test, hvsim_failing_posts(), 0u);
	kmsg_expect(test, &k, 1, "3 pages of external data stay with the host; 1 of them");
	KUNIT_EXPECT_EQ(test, lot->calls, 1);
	KUNIT_EXPECT_EQ(test, lot->status, STATUS_CANCELLED);
	KUNIT_EXPECT_EQ(test, slab->calls, 1);
	/* ours and the library's, which nobody puts */
	KUNIT_EXPECT_EQ(test, page_count(page), 2);
	KUNIT_EXPECT_EQ(test, page_count(page + 1), 2);
	put_page(page);
	put_page(page + 1);
	lot_free(slab);
	lot_free(lot);
}

/* ---- sub-channels, which close with their primary only ---- */

static struct vsc *silent_sub(struct vsc *primary)
{
	struct vsc *v = vsc_new(primary->test);

	v->offer.sub_index = 1;
	v->offer.exec = HVSIM_EXEC_INLINE;
	v->offer.script.record = true;
	v->offer.script.answer = HVSIM_ANSWER_LATER;
	KUNIT_ASSERT_EQ(v->test, VmbChannelInitSetPrimaryChannel(v->ch, primary->ch, 1),
			STATUS_SUCCESS);
	vsc_bring_up(v);
	return v;
}

static void a_sub_channel_disabled_alone_gives_the_host_time_to_answer(struct kunit *test)
{
	struct vsc *p = silent_host(test), *v = silent_sub(p);
	struct lot *lot = lend(v, 100);
	struct helper h;
	struct kmsg k;

	kmsg_mark(&k);
	KUNIT_ASSERT_TRUE(test, helper_start(&h, (void (*)(void *))VmbChannelDisable, v->ch));
	schedule_timeout_uninterruptible(5 * HZ);
	host_writes(v);
	KUNIT_EXPECT_EQ(test, lot->calls, 0);
	KUNIT_EXPECT_FALSE(test, completion_done(&h.done));
	KUNIT_EXPECT_EQ(test, hvsim_answer(v->host, 1), 1);
	KUNIT_EXPECT_TRUE(test, helper_join(&h));
	KUNIT_EXPECT_EQ(test, lot->calls, 1);
	KUNIT_EXPECT_EQ(test, lot->status, STATUS_SUCCESS);
	kmsg_expect(test, &k, 0, "stay with the host");
	vsc_expect_log(v, "UC");
	vsc_expect_log(p, "");
	lot_free(lot);
}

static void and_gives_the_pages_up_when_it_does_not(struct kunit *test)
{
	struct vsc *p = silent_host(test), *v = silent_sub(p);
	struct page *page = alloc_page(GFP_KERNEL);
	PFN_NUMBER frame;
	struct lot *lot;
	struct kmsg k;

	KUNIT_ASSERT_NOT_NULL(test, page);
	frame = page_to_pfn(page);
	lot = lot_new(v);
	KUNIT_EXPECT_EQ(test, VmbPacketSendWithExternalPfns(lot->pkt, "x", 1, &frame, 1,
							    WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	kmsg_mark(&k);
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_EQ(test, lot->calls, 1);
	KUNIT_EXPECT_EQ(test, lot->status, STATUS_CANCELLED);
	kmsg_expect(test, &k, 1, "1 pages of external data stay with the host; 0 of them");
	KUNIT_EXPECT_EQ(test, page_count(page), 2);
	host_writes(v);
	put_page(page);
	vsc_expect_log(p, "");
	lot_free(lot);
}

static void the_end_of_a_primary(struct kunit *test, enum ending ending)
{
	struct vsc *p = silent_host(test), *v = silent_sub(p);
	struct lot *lot = lend(v, PAGE), *own = lend(p, PAGE);
	struct helper h;
	struct kmsg k;

	kmsg_mark(&k);
	hvsim_hold(p->host, CHANNELMSG_GPADL_TEARDOWN);
	p->priv = (void *)ending;
	KUNIT_ASSERT_TRUE(test, helper_start(&h, end_now, p));
	KUNIT_EXPECT_TRUE(test, becomes(hvsim_held(p->host, CHANNELMSG_GPADL_TEARDOWN)));
	schedule_timeout_uninterruptible(2 * KMCL_PATIENCE);
	host_writes(v);
	host_writes(p);
	KUNIT_EXPECT_EQ(test, lot->calls, 0);
	KUNIT_EXPECT_EQ(test, own->calls, 0);
	hvsim_unhold(p->host, CHANNELMSG_GPADL_TEARDOWN);
	KUNIT_EXPECT_TRUE(test, helper_join(&h));
	vsc_expect_soon(v, lot->calls == 1 && own->calls == 1);
	KUNIT_EXPECT_TRUE(test, becomes(is_disabled(v) && is_disabled(p)));
	vsc_expect_log(v, "UC");
	vsc_expect_log(p, "UC");
	KUNIT_EXPECT_EQ(test, lot->calls, 1);
	KUNIT_EXPECT_EQ(test, own->calls, 1);
	kmsg_expect(test, &k, 0, "stay with the host");
	lot_free(lot);
	lot_free(own);
	vsc_drop(v);
	vsc_drop(p);
	hvsim_reset();
}

static void a_sub_channel_s_memory_is_the_host_s_until_the_primary_has_closed(struct kunit *test)
{
	enum ending ending;

	for (ending = 0; ending < ENDINGS; ending++)
		the_end_of_a_primary(test, ending);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(an_answer_gives_the_memory_back),
	KUNIT_CASE(a_request_that_is_answered_in_time_succeeds),
	KUNIT_CASE(a_request_that_expires_waits_for_the_answer_and_is_cancelled),
	KUNIT_CASE(disable_completes_it_after_the_close),
	KUNIT_CASE(poison_completes_it_after_the_close),
	KUNIT_CASE(an_unbound_device_completes_it_after_the_close),
	KUNIT_CASE(a_rescind_completes_it_once),
	KUNIT_CASE(if_the_offer_goes_during_the_signal_it_completes_once),
	KUNIT_CASE(a_disable_closes_under_a_driver_that_waits_for_it),
	KUNIT_CASE(pages_of_a_close_that_fails_are_never_used_again),
	KUNIT_CASE(a_sub_channel_disabled_alone_gives_the_host_time_to_answer),
	KUNIT_CASE(and_gives_the_pages_up_when_it_does_not),
	KUNIT_CASE(a_sub_channel_s_memory_is_the_host_s_until_the_primary_has_closed),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_external_life",
	.init = external_suite_init,
	.exit = external_suite_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
