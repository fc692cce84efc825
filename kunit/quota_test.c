// SPDX-License-Identifier: GPL-2.0
/*
 * VmbChannelSetTransactionQuota(): how many packets a driver holds, and when
 * the queue goes on.
 */
#include <linux/bottom_half.h>
#include "fixture.h"
#include "kmsg.h"

#define MOST	64

struct held {
	int n;
	VMBPACKETCOMPLETION pkt[MOST];
};

static void hold(struct vsc *v, VMBPACKETCOMPLETION pkt, void *buf, u32 len)
{
	struct held *h = v->priv;

	h->pkt[h->n++] = pkt;
}

/* A driver that holds everything, with a quota, and @n packets from the host. */
static struct vsc *blocked_vsc(struct kunit *test, u32 quota, int n, struct held **held)
{
	struct vsc *v = vsc_new(test);

	*held = kunit_kzalloc(test, sizeof(**held), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, *held);
	v->priv = *held;
	v->on_packet = hold;
	VmbChannelSetTransactionQuota(v->ch, quota);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketSize(v->ch, 64), STATUS_SUCCESS);
	vsc_bring_up(v);
	while (n--)
		KUNIT_ASSERT_EQ(test, hvsim_send(v->host, VM_PKT_DATA_INBAND, 0, n, "12345678", 8),
				0);
	hvsim_settle();
	return v;
}

static void complete_one(struct held *h)
{
	VmbChannelPacketComplete(h->pkt[--h->n], NULL, 0);
}

static void complete_rest(struct vsc *v, struct held *h)
{
	v->on_packet = NULL;
	while (h->n)
		complete_one(h);
}

static void no_more_packets_are_held_than_the_quota(struct kunit *test)
{
	struct held *h;
	struct vsc *v = blocked_vsc(test, 3, 10, &h);
	int i;

	KUNIT_EXPECT_EQ(test, h->n, 3);
	for (i = 1; i <= 4; i++) {
		complete_one(h);
		hvsim_settle();
		KUNIT_EXPECT_EQ(test, h->n, 3);
		KUNIT_EXPECT_EQ(test, atomic_read(&v->received), 3 + i);
	}
	complete_rest(v, h);
	vsc_expect_soon(v, atomic_read(&v->received) == 10);
}

static void a_raised_quota_takes_effect_with_the_next_completion(struct kunit *test)
{
	struct held *h;
	struct vsc *v = blocked_vsc(test, 2, 10, &h);

	KUNIT_ASSERT_EQ(test, h->n, 2);
	VmbChannelSetTransactionQuota(v->ch, 5);
	hvsim_settle();
	/* not for a signal of the host either */
	hvsim_interrupt(v->host);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, h->n, 2);
	complete_one(h);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, h->n, 5);
	complete_rest(v, h);
	vsc_expect_soon(v, atomic_read(&v->received) == 10);
}

static void a_lowered_quota_drops_nothing_and_stops_the_queue(struct kunit *test)
{
	struct held *h;
	struct vsc *v = blocked_vsc(test, 6, 20, &h);

	KUNIT_ASSERT_EQ(test, h->n, 6);
	VmbChannelSetTransactionQuota(v->ch, 2);
	while (h->n > 2) {
		complete_one(h);
		hvsim_settle();
		KUNIT_EXPECT_EQ(test, atomic_read(&v->received), 6);
	}
	complete_one(h);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, h->n, 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->received), 7);
	complete_rest(v, h);
	vsc_expect_soon(v, atomic_read(&v->received) == 20);
}

static void the_quota_may_be_set_at_dispatch_level(struct kunit *test)
{
	struct held *h;
	struct vsc *v = blocked_vsc(test, 1, 2, &h);

	local_bh_disable();
	VmbChannelSetTransactionQuota(v->ch, 2);
	local_bh_enable();
	KUNIT_EXPECT_EQ(test, v->kch->rx.quota, 2u);
	complete_rest(v, h);
	vsc_expect_soon(v, atomic_read(&v->received) == 2);
}

static void a_quota_of_zero_is_ignored_with_a_line(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct kmsg k;

	kmsg_mark(&k);
	VmbChannelSetTransactionQuota(v->ch, 0);
	VmbChannelSetTransactionQuota(NULL, 1);
	kmsg_expect(test, &k, 1, "VmbChannelSetTransactionQuota to 0");
	KUNIT_EXPECT_EQ(test, v->kch->rx.quota, KMCL_DEFAULT_QUOTA);
}

static void a_quota_never_takes_more_than_64_mib(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct kmsg k;
	u32 most;

	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketSize(v->ch, 256 << 10), STATUS_SUCCESS);
	VmbChannelSetTransactionQuota(v->ch, 100);
	vsc_bring_up(v);
	kmsg_mark(&k);
	VmbChannelSetTransactionQuota(v->ch, 100000);
	kmsg_expect(test, &k, 1, "a quota of 100000 packets exceeds 67108864 bytes");
	most = v->kch->rx.quota;
	KUNIT_EXPECT_LT(test, most, 256u);
	KUNIT_EXPECT_GT(test, most, 250u);
	/* what was asked for stays asked for: Enable can say no */
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_INSUFFICIENT_RESOURCES);
	VmbChannelSetTransactionQuota(v->ch, most);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(no_more_packets_are_held_than_the_quota),
	KUNIT_CASE(a_raised_quota_takes_effect_with_the_next_completion),
	KUNIT_CASE(a_lowered_quota_drops_nothing_and_stops_the_queue),
	KUNIT_CASE(the_quota_may_be_set_at_dispatch_level),
	KUNIT_CASE(a_quota_of_zero_is_ignored_with_a_line),
	KUNIT_CASE(a_quota_never_takes_more_than_64_mib),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_quota",
	.init = vsc_suite_init,
	.exit = vsc_suite_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
