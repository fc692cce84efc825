// SPDX-License-Identifier: GPL-2.0
/*
 * Channels that somebody else serves than the script: what he is told, and that the
 * guest waits for his answers.
 */
#include <linux/module.h>
#include "helper.h"
#include "sim_guest.h"

static struct guest *const guest = &guests[0];

/* A server that writes down what he is told, and answers what he is told to. */
static struct {
	unsigned int gpadls, teardowns, opens, closes, signals, packets;
	struct hvsim_open open;
	u32 pages;
	u32 last;		/* GPADL */
	bool answers_open, lets_go;
	u32 open_status, gpadl_status;
	u8 packet[256];
} seen;

static u32 on_gpadl(struct hvsim_chan *chan, const struct hvsim_gpadl *gpadl)
{
	seen.gpadls++;
	seen.last = gpadl->handle;
	seen.pages = gpadl->nr;
	return seen.gpadl_status;
}

static bool on_teardown(struct hvsim_chan *chan, u32 handle)
{
	seen.last = handle;
	WRITE_ONCE(seen.teardowns, seen.teardowns + 1);
	return seen.lets_go;
}

static void on_open(struct hvsim_chan *chan, const struct hvsim_open *open)
{
	seen.open = *open;
	WRITE_ONCE(seen.opens, seen.opens + 1);
	if (seen.answers_open)
		hvsim_opened(chan, seen.open_status);
}

static void on_close(struct hvsim_chan *chan)
{
	WRITE_ONCE(seen.closes, seen.closes + 1);
}

/* Takes what there is out of the ring, and echoes it. */
static void on_signal(struct hvsim_chan *chan)
{
	const struct vmpacket_descriptor *desc = (const void *)seen.packet;
	int len;

	seen.signals++;
	while ((len = hvsim_recv(chan, seen.packet, sizeof(seen.packet))) > 0) {
		seen.packets++;
		hvsim_send(chan, VM_PKT_COMP, 0, desc->trans_id, desc + 1, len - sizeof(*desc));
	}
}

static const struct hvsim_server server = {
	.gpadl = on_gpadl,
	.teardown = on_teardown,
	.open = on_open,
	.close = on_close,
	.signal = on_signal,
};

static int init(struct kunit *test)
{
	memset(&seen, 0, sizeof(seen));
	seen.answers_open = true;
	seen.lets_go = true;
	return guest_init(test);
}

static struct hvsim_chan *offer(struct kunit *test)
{
	struct hvsim_offer offer = guest_offer(0);
	struct hvsim_chan *chan;

	offer.server = &server;
	chan = hvsim_offer(&offer);
	KUNIT_ASSERT_FALSE(test, IS_ERR(chan));
	return chan;
}

static struct hvsim_chan *bring_up(struct kunit *test)
{
	struct hvsim_chan *chan = offer(test);

	KUNIT_ASSERT_TRUE(test, wait_for_completion_timeout(&guest->probed, 5 * HZ));
	KUNIT_ASSERT_EQ(test, guest->open_error, 0);
	return chan;
}

static void a_server_is_told_of_the_rings_and_opens(struct kunit *test)
{
	struct hvsim_chan *chan = bring_up(test);

	KUNIT_EXPECT_TRUE(test, chan->open);
	KUNIT_EXPECT_EQ(test, seen.gpadls, 1u);
	KUNIT_EXPECT_EQ(test, seen.pages, 2 * GUEST_RING / HV_HYP_PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, seen.opens, 1u);
	KUNIT_EXPECT_EQ(test, seen.open.gpadl, seen.last);
	KUNIT_EXPECT_EQ(test, seen.open.split, GUEST_RING / HV_HYP_PAGE_SIZE);
}

static void an_open_waits_for_the_server(struct kunit *test)
{
	struct hvsim_chan *chan;

	seen.answers_open = false;
	chan = offer(test);
	KUNIT_EXPECT_TRUE(test, becomes(READ_ONCE(seen.opens) == 1));
	schedule_timeout_uninterruptible(2);
	KUNIT_EXPECT_FALSE(test, completion_done(&guest->probed));
	KUNIT_EXPECT_FALSE(test, chan->open);
	hvsim_opened(chan, 0);
	KUNIT_EXPECT_TRUE(test, wait_for_completion_timeout(&guest->probed, 5 * HZ));
	KUNIT_EXPECT_EQ(test, guest->open_error, 0);
	/* and is answered once */
	hvsim_opened(chan, 1);
	KUNIT_EXPECT_TRUE(test, chan->open);
}

static void a_server_refuses_an_open(struct kunit *test)
{
	struct hvsim_chan *chan;

	seen.open_status = 0xc0000001;
	chan = offer(test);
	KUNIT_EXPECT_TRUE(test, wait_for_completion_timeout(&guest->probed, 5 * HZ));
	KUNIT_EXPECT_NE(test, guest->open_error, 0);
	KUNIT_EXPECT_FALSE(test, chan->open);
	KUNIT_EXPECT_TRUE(test, hvsim_settle());
	KUNIT_EXPECT_EQ(test, seen.closes, 0u);
	KUNIT_EXPECT_EQ(test, seen.teardowns, 1u);
	KUNIT_EXPECT_EQ(test, hvsim_gpadl_count(chan), 0u);
}

static void a_server_refuses_memory(struct kunit *test)
{
	struct hvsim_chan *chan;

	seen.gpadl_status = 0xc0000001;
	chan = offer(test);
	KUNIT_EXPECT_TRUE(test, wait_for_completion_timeout(&guest->probed, 5 * HZ));
	KUNIT_EXPECT_NE(test, guest->open_error, 0);
	KUNIT_EXPECT_TRUE(test, hvsim_settle());
	KUNIT_EXPECT_EQ(test, seen.opens, 0u);
	KUNIT_EXPECT_EQ(test, hvsim_gpadl_count(chan), 0u);
}

static void a_server_is_signalled_and_signals(struct kunit *test)
{
	unsigned int i;

	bring_up(test);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, guest_send(guest, 7 + i, "ping", 4), 0);
	KUNIT_EXPECT_TRUE(test, guest_wait(guest, 3));
	KUNIT_EXPECT_EQ(test, guest->ids[2], 9u);
	KUNIT_EXPECT_EQ(test, seen.packets, 3u);
	KUNIT_EXPECT_GE(test, seen.signals, 1u);
}

static void close_it(void *channel)
{
	vmbus_close(channel);
}

static void memory_comes_back_when_the_server_lets_go(struct kunit *test)
{
	struct hvsim_chan *chan = bring_up(test);
	struct helper closer;

	seen.lets_go = false;
	KUNIT_ASSERT_TRUE(test, helper_start(&closer, close_it, guest->channel));
	KUNIT_EXPECT_TRUE(test, becomes(READ_ONCE(seen.teardowns) == 1));
	KUNIT_EXPECT_EQ(test, seen.closes, 1u);
	schedule_timeout_uninterruptible(2);
	KUNIT_EXPECT_FALSE(test, completion_done(&closer.done));
	KUNIT_EXPECT_EQ(test, hvsim_gpadl_count(chan), 1u);
	hvsim_torn_down(chan, seen.last);
	KUNIT_EXPECT_TRUE(test, helper_join(&closer));
	KUNIT_EXPECT_EQ(test, hvsim_gpadl_count(chan), 0u);
	/* nobody has it any more */
	hvsim_torn_down(chan, seen.last);
	seen.lets_go = true;
}

static void a_channel_that_is_withdrawn_tells_nothing(struct kunit *test)
{
	struct hvsim_chan *chan = bring_up(test);

	hvsim_withdraw(chan);
	KUNIT_EXPECT_TRUE(test, hvsim_wait_released(chan));
	KUNIT_EXPECT_NULL(test, guest->dev);
	KUNIT_EXPECT_EQ(test, seen.closes, 0u);
	KUNIT_EXPECT_EQ(test, seen.teardowns, 0u);
	hvsim_opened(chan, 0);
	KUNIT_EXPECT_FALSE(test, chan->open);
}

static void a_channel_can_be_withdrawn_while_it_opens(struct kunit *test)
{
	struct hvsim_chan *chan;

	seen.answers_open = false;
	chan = offer(test);
	KUNIT_EXPECT_TRUE(test, becomes(READ_ONCE(seen.opens) == 1));
	hvsim_withdraw(chan);
	KUNIT_EXPECT_TRUE(test, wait_for_completion_timeout(&guest->probed, 5 * HZ));
	KUNIT_EXPECT_NE(test, guest->open_error, 0);
	KUNIT_EXPECT_TRUE(test, hvsim_wait_released(chan));
}

static void a_device_is_offered_again_when_the_old_one_is_released(struct kunit *test)
{
	struct hvsim_chan *old = bring_up(test), *chan;

	/* the guest cannot go on: its driver waits in remove */
	atomic_inc(&guest->sending);
	hvsim_withdraw(old);
	reinit_completion(&guest->probed);
	chan = offer(test);
	schedule_timeout_uninterruptible(2);
	KUNIT_EXPECT_FALSE(test, chan->offered);
	KUNIT_EXPECT_FALSE(test, old->released);
	atomic_dec(&guest->sending);
	KUNIT_EXPECT_TRUE(test, wait_for_completion_timeout(&guest->probed, 5 * HZ));
	KUNIT_EXPECT_EQ(test, guest->open_error, 0);
	KUNIT_EXPECT_TRUE(test, old->released);
	KUNIT_EXPECT_TRUE(test, chan->open);
}

static void what_is_offered_can_be_found(struct kunit *test)
{
	const struct hvsim_offer what = guest_offer(0);
	struct hvsim_chan *chan = bring_up(test), *found;

	found = hvsim_find(&what.type, &what.instance, 0);
	KUNIT_EXPECT_PTR_EQ(test, found, chan);
	hvsim_put(found);
	KUNIT_EXPECT_NULL(test, hvsim_find(&what.type, &what.instance, 1));
	hvsim_withdraw(chan);
	KUNIT_EXPECT_NULL(test, hvsim_find(&what.type, &what.instance, 0));
}

static struct kunit_case server_cases[] = {
	KUNIT_CASE(a_server_is_told_of_the_rings_and_opens),
	KUNIT_CASE(an_open_waits_for_the_server),
	KUNIT_CASE(a_server_refuses_an_open),
	KUNIT_CASE(a_server_refuses_memory),
	KUNIT_CASE(a_server_is_signalled_and_signals),
	KUNIT_CASE(memory_comes_back_when_the_server_lets_go),
	KUNIT_CASE(a_channel_that_is_withdrawn_tells_nothing),
	KUNIT_CASE(a_channel_can_be_withdrawn_while_it_opens),
	KUNIT_CASE(a_device_is_offered_again_when_the_old_one_is_released),
	KUNIT_CASE(what_is_offered_can_be_found),
	{}
};

static struct kunit_suite server_suite = {
	.name = "sim_server",
	.suite_init = guest_register,
	.suite_exit = guest_unregister,
	.init = init,
	.exit = guest_exit,
	.test_cases = server_cases,
};

kunit_test_suite(server_suite);
