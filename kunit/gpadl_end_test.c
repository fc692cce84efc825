// SPDX-License-Identifier: GPL-2.0
/*
 * How GPADLs end: by the driver, with the channel, with the offer, and with a
 * host that is late, refuses or does not hear. The host never has memory that
 * somebody else uses, and the driver never waits for a host that is gone.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <timetravel.h>
#include "fixture.h"
#include "helper.h"
#include "kmsg.h"

#define PAGE		4096u
#define LOST_POST	5	/* HV_STATUS_INVALID_PARAMETER: not tried again */

static bool is_disabled(struct vsc *v)
{
	return READ_ONCE(v->kch->state) == KMCL_DISABLED && !READ_ONCE(v->kch->life_owner);
}

static unsigned int at_host(struct vsc *v)
{
	return hvsim_gpadl_count(v->host);
}

static u32 create(struct vsc *v, u32 pages)
{
	u32 handle = 0;

	KUNIT_EXPECT_EQ(v->test, VmbChannelCreateGpadl(v->ch, 0, pages, &handle), STATUS_SUCCESS);
	return handle;
}

static u8 *address_of(struct vsc *v, u32 handle)
{
	PVOID address = NULL;

	KUNIT_EXPECT_EQ(v->test, VmbChannelGetSystemAddressForGpadl(v->ch, 0, handle, &address),
			STATUS_SUCCESS);
	return address;
}

static void disable(void *arg)
{
	struct vsc *v = arg;

	VmbChannelDisable(v->ch);
}

/* A thread that creates or deletes one GPADL. */
struct worker {
	struct helper h;
	struct vsc *v;
	NTSTATUS status;
	u32 handle;
};

static void create_one(void *arg)
{
	struct worker *w = arg;

	w->status = VmbChannelCreateGpadl(w->v->ch, 0, 2, &w->handle);
}

static void delete_one(void *arg)
{
	struct worker *w = arg;

	VmbChannelDeleteGpadl(w->v->ch, w->handle);
}

static void start(struct worker *w, struct vsc *v, void (*fn)(void *arg))
{
	w->v = v;
	KUNIT_ASSERT_TRUE(v->test, helper_start(&w->h, fn, w));
}

/* ---- in state callbacks ---- */

static u32 opened_handle;
static u8 *opened_memory;
static NTSTATUS in_closed;

static void create_in_opened(struct vsc *v, enum vsc_event event)
{
	u32 handle = 1;

	if (event == VSC_OPENED) {
		opened_handle = create(v, 2);
		opened_memory = address_of(v, opened_handle);
	}
	if (event == VSC_CLOSED) {
		/* the host has nothing any more, the driver still has its memory */
		if (v->host->offered)
			KUNIT_EXPECT_NULL(v->test, hvsim_find_gpadl(opened_handle));
		memset(opened_memory, 0x55, 2 * PAGE);
		KUNIT_EXPECT_PTR_EQ(v->test, address_of(v, opened_handle), opened_memory);
		in_closed = VmbChannelCreateGpadl(v->ch, 0, 1, &handle);
		KUNIT_EXPECT_EQ(v->test, handle, 1u);
	}
}

static void delete_in_closed(struct vsc *v, enum vsc_event event)
{
	create_in_opened(v, event);
	if (event == VSC_CLOSED)
		VmbChannelDeleteGpadl(v->ch, opened_handle);
}

static void a_GPADL_lives_from_Opened_to_Closed(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct kmsg k;

	v->on_state = delete_in_closed;
	vsc_bring_up(v);
	KUNIT_EXPECT_EQ(test, at_host(v), 2u);
	kmsg_mark(&k);
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_EQ(test, in_closed, STATUS_DEVICE_REMOVED);
	kmsg_expect(test, &k, 0, "GPADL");
	KUNIT_EXPECT_TRUE(test, xa_empty(&v->kch->gpadls));
	KUNIT_EXPECT_EQ(test, at_host(v), 0u);
	vsc_expect_log(v, "UC");
}

static void what_the_driver_leaves_is_deleted_when_Closed_returns(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct kmsg k;

	v->on_state = create_in_opened;
	vsc_bring_up(v);
	create(v, 1);
	create(v, 3);
	KUNIT_EXPECT_EQ(test, at_host(v), 4u);
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_TRUE(test, xa_empty(&v->kch->gpadls));
	KUNIT_EXPECT_EQ(test, at_host(v), 0u);
	/* and the handle with it */
	kmsg_mark(&k);
	VmbChannelDeleteGpadl(v->ch, opened_handle);
	kmsg_expect(test, &k, 1, "there is no GPADL");
}

static void a_GPADL_of_an_Opened_that_fails_is_deleted(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	v->on_state = create_in_opened;
	v->opened_status = STATUS_UNSUCCESSFUL;
	KUNIT_EXPECT_EQ(test, vsc_up(v), STATUS_UNSUCCESSFUL);
	KUNIT_EXPECT_NE(test, opened_handle, 0u);
	KUNIT_EXPECT_TRUE(test, xa_empty(&v->kch->gpadls));
	KUNIT_EXPECT_EQ(test, at_host(v), 0u);
	vsc_expect_log(v, "O");
}

static void a_channel_that_is_not_open_creates_none(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	u32 handle = 0;

	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadl(v->ch, 0, 1, &handle),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadl(v->ch, 0, 1, &handle),
			STATUS_INVALID_PARAMETER_1);
	VmbChannelDisable(v->ch);
	vsc_bring_up(v);
	VmbChannelPause(v->ch);
	handle = create(v, 1);
	VmbChannelDeleteGpadl(v->ch, handle);
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadl(v->ch, 0, 1, &handle),
			STATUS_INVALID_PARAMETER_1);
}

/* ---- the order of messages ---- */

static unsigned int at_close;
static unsigned long torn_down_at_close;

static void look_at_close(struct hvsim_chan *chan)
{
	at_close = hvsim_gpadl_count(chan);
	torn_down_at_close = chan->stats.control[CHANNELMSG_GPADL_TEARDOWN];
}

static void the_host_gives_GPADLs_back_after_the_close(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	v->offer.script.on_close = look_at_close;
	vsc_bring_up(v);
	create(v, 1);
	create(v, 1);
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_EQ(test, at_close, 3u);
	KUNIT_EXPECT_EQ(test, torn_down_at_close, 0ul);
	hvsim_flush();
	KUNIT_EXPECT_EQ(test, v->host->stats.control[CHANNELMSG_GPADL_TEARDOWN], 3ul);
	KUNIT_EXPECT_EQ(test, at_host(v), 0u);
}

/* Hosts before Windows Server 2016 do not listen after the close. */
static void an_old_host_gives_GPADLs_back_before_the_close(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	v->offer.script.on_close = look_at_close;
	vsc_bring_up(v);
	KUNIT_EXPECT_FALSE(test, v->kch->target.link->unshare_first);
	v->kch->target.link->unshare_first = true;
	create(v, 1);
	create(v, 1);
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_EQ(test, at_close, 1u);
	KUNIT_EXPECT_EQ(test, torn_down_at_close, 2ul);
	KUNIT_EXPECT_EQ(test, at_host(v), 0u);
}

static void a_poisoned_channel_takes_its_GPADLs_back(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	v->on_state = create_in_opened;
	vsc_bring_up(v);
	create(v, 4);
	hvsim_poke(v->host, HVSIM_H2G, HVSIM_WRITE_INDEX, 0x1234567);
	hvsim_interrupt(v->host);
	KUNIT_EXPECT_TRUE(test, becomes(is_disabled(v)));
	vsc_expect_log(v, "UC");
	KUNIT_EXPECT_EQ(test, at_host(v), 0u);
	KUNIT_EXPECT_TRUE(test, xa_empty(&v->kch->gpadls));
}

static void an_unbound_device_takes_its_GPADLs_back_at_once(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct device *dev;

	vsc_bring_up(v);
	create(v, 4);
	dev = get_device(v->kch->target.device);
	device_release_driver(dev);
	put_device(dev);
	/* the next driver finds nothing of ours */
	KUNIT_EXPECT_EQ(test, at_host(v), 0u);
	KUNIT_EXPECT_TRUE(test, becomes(is_disabled(v)));
	KUNIT_EXPECT_TRUE(test, xa_empty(&v->kch->gpadls));
}

/* ---- the offer goes ---- */

static void a_rescind_ends_GPADLs_without_the_host(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	v->on_state = delete_in_closed;
	vsc_bring_up(v);
	create(v, 2);
	vsc_rescind(v);
	KUNIT_EXPECT_TRUE(test, becomes(is_disabled(v)));
	vsc_expect_log(v, "UC");
	KUNIT_EXPECT_TRUE(test, xa_empty(&v->kch->gpadls));
	KUNIT_EXPECT_EQ(test, v->host->stats.control[CHANNELMSG_GPADL_TEARDOWN], 0ul);
	KUNIT_EXPECT_EQ(test, v->kch->stats.lost_bytes, 0ull);
}

static void a_rescind_ends_every_create_that_waits(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct worker a, b;

	vsc_bring_up(v);
	hvsim_hold(v->host, CHANNELMSG_GPADL_HEADER);
	start(&a, v, create_one);
	start(&b, v, create_one);
	KUNIT_EXPECT_TRUE(test, becomes(hvsim_held(v->host, CHANNELMSG_GPADL_HEADER)));
	schedule_timeout_uninterruptible(2);
	/* one at a time: a rescind wakes only the first */
	KUNIT_EXPECT_EQ(test, hvsim_held(v->host, CHANNELMSG_GPADL_HEADER), 1u);
	vsc_rescind(v);
	KUNIT_EXPECT_TRUE(test, helper_join(&a.h));
	KUNIT_EXPECT_TRUE(test, helper_join(&b.h));
	KUNIT_EXPECT_EQ(test, a.status, STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_EQ(test, b.status, STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_TRUE(test, becomes(is_disabled(v)));
	KUNIT_EXPECT_TRUE(test, xa_empty(&v->kch->gpadls));
	vsc_expect_log(v, "UC");
}

static void a_rescind_ends_a_delete_that_waits(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct worker w;

	vsc_bring_up(v);
	w.handle = create(v, 2);
	create(v, 1);
	hvsim_hold(v->host, CHANNELMSG_GPADL_TEARDOWN);
	start(&w, v, delete_one);
	KUNIT_EXPECT_TRUE(test, becomes(hvsim_held(v->host, CHANNELMSG_GPADL_TEARDOWN)));
	vsc_rescind(v);
	KUNIT_EXPECT_TRUE(test, helper_join(&w.h));
	KUNIT_EXPECT_TRUE(test, becomes(is_disabled(v)));
	KUNIT_EXPECT_EQ(test, v->kch->stats.lost_bytes, 0ull);
	vsc_expect_log(v, "UC");
}

/* ---- a host that is late ---- */

static void a_create_returns_when_the_host_has_confirmed(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct worker w;

	vsc_bring_up(v);
	hvsim_hold(v->host, CHANNELMSG_GPADL_HEADER);
	start(&w, v, create_one);
	KUNIT_EXPECT_TRUE(test, becomes(hvsim_held(v->host, CHANNELMSG_GPADL_HEADER)));
	KUNIT_EXPECT_FALSE(test, completion_done(&w.h.done));
	KUNIT_EXPECT_EQ(test, at_host(v), 1u);
	hvsim_unhold(v->host, CHANNELMSG_GPADL_HEADER);
	KUNIT_EXPECT_TRUE(test, helper_join(&w.h));
	KUNIT_EXPECT_EQ(test, w.status, STATUS_SUCCESS);
	KUNIT_EXPECT_NOT_NULL(test, hvsim_find_gpadl(w.handle));
}

static void a_delete_returns_when_the_host_has_let_go(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct worker w;
	struct kmsg k;

	vsc_bring_up(v);
	w.handle = create(v, 2);
	hvsim_hold(v->host, CHANNELMSG_GPADL_TEARDOWN);
	start(&w, v, delete_one);
	KUNIT_EXPECT_TRUE(test, becomes(hvsim_held(v->host, CHANNELMSG_GPADL_TEARDOWN)));
	KUNIT_EXPECT_FALSE(test, completion_done(&w.h.done));
	/* not twice, and not while it is on its way */
	kmsg_mark(&k);
	hvsim_unhold(v->host, CHANNELMSG_GPADL_TEARDOWN);
	VmbChannelDeleteGpadl(v->ch, w.handle);
	kmsg_expect(test, &k, 1, "there is no GPADL");
	KUNIT_EXPECT_TRUE(test, helper_join(&w.h));
	KUNIT_EXPECT_EQ(test, at_host(v), 1u);
}

static void a_Disable_follows_a_create_that_waits(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct worker w;
	struct helper h;

	vsc_bring_up(v);
	hvsim_hold(v->host, CHANNELMSG_GPADL_HEADER);
	start(&w, v, create_one);
	KUNIT_EXPECT_TRUE(test, becomes(hvsim_held(v->host, CHANNELMSG_GPADL_HEADER)));
	KUNIT_ASSERT_TRUE(test, helper_start(&h, disable, v));
	schedule_timeout_uninterruptible(2);
	KUNIT_EXPECT_FALSE(test, completion_done(&h.done));
	KUNIT_EXPECT_EQ(test, v->host->stats.control[CHANNELMSG_CLOSECHANNEL], 0ul);
	hvsim_unhold(v->host, CHANNELMSG_GPADL_HEADER);
	KUNIT_EXPECT_TRUE(test, helper_join(&w.h));
	KUNIT_EXPECT_TRUE(test, helper_join(&h));
	/* it came to be, and went with the channel */
	KUNIT_EXPECT_EQ(test, w.status, STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, xa_empty(&v->kch->gpadls));
	KUNIT_EXPECT_EQ(test, at_host(v), 0u);
	vsc_expect_log(v, "UC");
}

static void need_time_travel(struct kunit *test)
{
	if (time_travel_mode == TT_MODE_OFF)
		kunit_skip(test, "takes longer than 10 s: run with --time-travel");
}

static void a_silent_host_is_named_after_10_s_and_ends_with_the_answer(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct worker w;
	struct kmsg k;

	need_time_travel(test);
	vsc_bring_up(v);
	hvsim_hold(v->host, CHANNELMSG_GPADL_HEADER);
	kmsg_mark(&k);
	start(&w, v, create_one);
	schedule_timeout_uninterruptible(15 * HZ);
	kmsg_expect(test, &k, 1, "still waiting for the host to take a GPADL");
	KUNIT_EXPECT_FALSE(test, completion_done(&w.h.done));
	hvsim_unhold(v->host, CHANNELMSG_GPADL_HEADER);
	KUNIT_EXPECT_TRUE(test, helper_join(&w.h));
	KUNIT_EXPECT_EQ(test, w.status, STATUS_SUCCESS);

	hvsim_hold(v->host, CHANNELMSG_GPADL_TEARDOWN);
	start(&w, v, delete_one);
	schedule_timeout_uninterruptible(15 * HZ);
	kmsg_expect(test, &k, 1, "still waiting for the host to give a GPADL back");
	KUNIT_EXPECT_FALSE(test, completion_done(&w.h.done));
	hvsim_unhold(v->host, CHANNELMSG_GPADL_TEARDOWN);
	KUNIT_EXPECT_TRUE(test, helper_join(&w.h));
	KUNIT_EXPECT_EQ(test, at_host(v), 1u);
}

/* ---- a host that refuses, or does not hear ---- */

static void a_refused_GPADL_leaves_the_memory_with_the_driver(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	u8 *a = vzalloc(2 * PAGE);
	u32 handle = 0;

	KUNIT_ASSERT_NOT_NULL(test, a);
	vsc_bring_up(v);
	v->host->script.gpadl_status = 0xc0000001;
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromBuffer(v->ch, 0, a, 2 * PAGE, &handle),
			STATUS_UNSUCCESSFUL);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadl(v->ch, 0, 2, &handle), STATUS_UNSUCCESSFUL);
	KUNIT_EXPECT_EQ(test, page_count(vmalloc_to_page(a)), 1);
	KUNIT_EXPECT_EQ(test, handle, 0u);
	KUNIT_EXPECT_EQ(test, at_host(v), 1u);
	KUNIT_EXPECT_TRUE(test, xa_empty(&v->kch->gpadls));
	/* traffic goes on */
	v->host->script.gpadl_status = 0;
	VmbChannelDeleteGpadl(v->ch, create(v, 1));
	vfree(a);
}

static void a_GPADL_that_the_host_does_not_hear_of_is_refused(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	u32 handle = 0;

	vsc_bring_up(v);
	hvsim_fail_posts(1, LOST_POST);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadl(v->ch, 0, 2, &handle), STATUS_UNSUCCESSFUL);
	KUNIT_EXPECT_EQ(test, hvsim_failing_posts(), 0u);
	KUNIT_EXPECT_EQ(test, at_host(v), 1u);
	VmbChannelDeleteGpadl(v->ch, create(v, 1));
}

/* Whether contents are gone and who sees the pages, nobody can tell. */
static void memory_of_a_failed_confidential_GPADL_is_never_used_again(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct kmsg k;
	u32 handle = 0;

	vsc_bring_up(v);
	v->kch->target.link->share_wipes = true;
	v->host->script.gpadl_status = 0xc0000001;
	kmsg_mark(&k);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadl(v->ch, 0, 2, &handle), STATUS_UNSUCCESSFUL);
	kmsg_expect(test, &k, 1, "its 8192 bytes stay with the host");
	KUNIT_EXPECT_EQ(test, v->kch->stats.lost_bytes, 8192ull);
	v->host->script.gpadl_status = 0;
}

static void memory_that_the_host_does_not_give_back_stays_with_it(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	u8 *a = vzalloc(2 * PAGE);
	struct page *page;
	struct hvsim_gpadl *g;
	u32 mine = 0, theirs;
	struct kmsg k;

	KUNIT_ASSERT_NOT_NULL(test, a);
	vsc_bring_up(v);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromBuffer(v->ch, 0, a, 2 * PAGE, &mine),
			STATUS_SUCCESS);
	theirs = create(v, 1);
	kmsg_mark(&k);
	hvsim_fail_posts(1, LOST_POST);
	VmbChannelDeleteGpadl(v->ch, mine);
	kmsg_expect(test, &k, 1, "its 8192 bytes stay with the host");
	hvsim_fail_posts(1, LOST_POST);
	VmbChannelDeleteGpadl(v->ch, theirs);
	kmsg_expect(test, &k, 1, "its 4096 bytes stay with the host");
	KUNIT_EXPECT_EQ(test, hvsim_failing_posts(), 0u);
	KUNIT_EXPECT_EQ(test, at_host(v), 3u);

	/* the driver believes that it is over; the host writes all the same */
	page = vmalloc_to_page(a);
	vfree(a);
	KUNIT_EXPECT_EQ(test, page_count(page), 1);
	g = hvsim_find_gpadl(mine);
	KUNIT_ASSERT_NOT_NULL(test, g);
	memset(hvsim_gpa(page_to_pfn(g->pages[1]), 0), 0xee, PAGE);
	g = hvsim_find_gpadl(theirs);
	KUNIT_ASSERT_NOT_NULL(test, g);
	memset(hvsim_gpa(page_to_pfn(g->pages[0]), 0), 0xee, PAGE);

	kmsg_mark(&k);
	vsc_drop(v);
	kmsg_expect(test, &k, 1, "VmbChannelCleanup: 12288 bytes of GPADLs stay with the host");
}

static void what_a_close_does_not_get_back_stays_with_the_host(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	u8 *memory;
	struct kmsg k;

	v->on_state = create_in_opened;
	vsc_bring_up(v);
	create(v, 3);
	memory = opened_memory;
	v->on_state = NULL;
	kmsg_mark(&k);
	/* before the rings', which are heard of */
	v->kch->target.link->unshare_first = true;
	hvsim_fail_posts_of(CHANNELMSG_GPADL_TEARDOWN, 1, LOST_POST);
	VmbChannelDisable(v->ch);
	kmsg_expect(test, &k, 1, "bytes stay with the host");
	KUNIT_EXPECT_EQ(test, v->kch->stats.lost_bytes, 2ull * PAGE);
	KUNIT_EXPECT_TRUE(test, xa_empty(&v->kch->gpadls));
	KUNIT_EXPECT_EQ(test, at_host(v), 1u);
	/* still there */
	memset(memory, 0xee, 2 * PAGE);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_GPADL_lives_from_Opened_to_Closed),
	KUNIT_CASE(what_the_driver_leaves_is_deleted_when_Closed_returns),
	KUNIT_CASE(a_GPADL_of_an_Opened_that_fails_is_deleted),
	KUNIT_CASE(a_channel_that_is_not_open_creates_none),
	KUNIT_CASE(the_host_gives_GPADLs_back_after_the_close),
	KUNIT_CASE(an_old_host_gives_GPADLs_back_before_the_close),
	KUNIT_CASE(a_poisoned_channel_takes_its_GPADLs_back),
	KUNIT_CASE(an_unbound_device_takes_its_GPADLs_back_at_once),
	KUNIT_CASE(a_rescind_ends_GPADLs_without_the_host),
	KUNIT_CASE(a_rescind_ends_every_create_that_waits),
	KUNIT_CASE(a_rescind_ends_a_delete_that_waits),
	KUNIT_CASE(a_create_returns_when_the_host_has_confirmed),
	KUNIT_CASE(a_delete_returns_when_the_host_has_let_go),
	KUNIT_CASE(a_Disable_follows_a_create_that_waits),
	KUNIT_CASE(a_silent_host_is_named_after_10_s_and_ends_with_the_answer),
	KUNIT_CASE(a_refused_GPADL_leaves_the_memory_with_the_driver),
	KUNIT_CASE(a_GPADL_that_the_host_does_not_hear_of_is_refused),
	KUNIT_CASE(memory_of_a_failed_confidential_GPADL_is_never_used_again),
	KUNIT_CASE(memory_that_the_host_does_not_give_back_stays_with_it),
	KUNIT_CASE(what_a_close_does_not_get_back_stays_with_the_host),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_gpadl_end",
	.init = vsc_suite_init,
	.exit = vsc_suite_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
