// SPDX-License-Identifier: GPL-2.0
/*
 * Rounds of a client channel whose host lies.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include "host.h"
#include "module.h"

static struct host *the_host;

static enum hvsim_answer host_is_asked(struct hvsim_chan *chan,
				       const struct vmpacket_descriptor *desc, const void *payload,
				       u32 len)
{
	struct host *h = READ_ONCE(the_host);

	if (h && desc->flags)
		h->ids[h->asked++ % IDS] = desc->trans_id;
	return HVSIM_ANSWER_SCRIPTED;
}

static void driver_is_asked(struct vsc *v, VMBPACKETCOMPLETION pkt, void *buf, u32 len)
{
	round_packet(v->priv, pkt, buf, len);
}

/* An Opened that fails, now and then, and a channel that comes back by itself. */
static void state_changes(struct vsc *v, enum vsc_event event)
{
	struct round *r = v->priv;

	v->logged = 0;
	v->opened_status = draw(r) % 8 ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
	if (event == VSC_CLOSED && draw(r) % 2 && !READ_ONCE(r->stop))
		VmbChannelEnable(v->ch);
}

static void configure(struct host *h)
{
	struct kunit *test = h->round.test;
	VMBCHANNEL ch = h->v->ch;
	u32 flags = any(&h->rnd, 4) ? 0 : VMBUS_CHANNEL_INIT_FLAG_IS_PIPE;
	u32 pages = 1 + any(&h->rnd, 4);

	if (flags)
		h->v->offer.flags = VMBUS_CHANNEL_NAMED_PIPE_MODE;
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetFlags(ch, flags), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketSize(ch, 64 + any(&h->rnd, 512)),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumExternalData(ch, 12288, 4), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketCount(ch, 1 + any(&h->rnd, 64)),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetClientContextSize(ch, any(&h->rnd, 3) * 40),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbClientChannelInitSetRingBufferPageCount(ch, pages, pages),
			STATUS_SUCCESS);
	VmbChannelSetTransactionQuota(ch, 1 + any(&h->rnd, 64));
	VmbChannelSetIncomingProcessingAtPassive(ch, any(&h->rnd, 2));
}

static struct host *begin(struct kunit *test, struct host *h, u32 seed)
{
	struct vsc *v = vsc_new(test);

	memset(h, 0, sizeof(*h));
	prandom_seed_state(&h->rnd, seed);
	round_init(&h->round, test, seed, v->ch);
	h->v = v;
	v->priv = &h->round;
	v->on_packet = driver_is_asked;
	v->on_state = state_changes;
	v->offer.exec = any(&h->rnd, 2) ? HVSIM_EXEC_INLINE : HVSIM_EXEC_ASYNC;
	v->offer.script.lenient = true;
	v->offer.script.on_packet = host_is_asked;
	configure(h);
	hvsim_set_irq(any(&h->rnd, 2) ? HVSIM_IRQ_TIMER : HVSIM_IRQ_DIRECT);
	WRITE_ONCE(the_host, h);
	h->chan = hvsim_offer(&v->offer);
	KUNIT_ASSERT_NOT_NULL(test, h->chan);
	return h;
}

/* Most lies need somebody who listens: wait until it is open and has something to lose. */
static void listen_first(struct host *h)
{
	u32 i;

	if (!any(&h->rnd, 16))
		return;
	for (i = 0; i < 20 && !READ_ONCE(h->chan->open); i++) {
		if (i == 10)
			host_relents(h);
		usleep_range(500, 1000);
	}
}

static bool one_round(struct kunit *test, struct host *h, u32 seed, struct totals *totals)
{
	bool fine;
	u32 lies;

	begin(test, h, seed);
	fine = round_go(&h->round);
	if (!fine)
		KUNIT_FAIL(test, "seed %u: no memory for the driver", seed);
	for (lies = fine ? 50 + any(&h->rnd, 200) : 0; lies; lies--) {
		listen_first(h);
		host_lies(h);
		any_moment(&h->rnd, 400);
	}
	round_stop(&h->round);
	host_relents(h);
	hvsim_fail_posts(0, 0);
	fine = round_end(&h->round) && fine;
	WRITE_ONCE(the_host, NULL);
	if (!fine)
		return false;
	round_add(&h->round, totals);
	vsc_drop(h->v);
	KUNIT_EXPECT_EQ_MSG(test, hvsim_reset(), 0, "seed %u: the guest keeps a channel", seed);
	return true;
}

void a_lying_host_hurts_nobody(struct kunit *test)
{
	struct totals totals = {};
	struct host *h;
	u32 i;

	fuzz_only(test, "host");
	/* stays when a thread of its own does */
	h = kzalloc(sizeof(*h), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, h);
	for (i = 0; fuzz_round(test, "host", i); i++)
		if (!one_round(test, h, fuzz_seed + i, &totals))
			return;
	fuzz_totals("host", i, &totals);
	kfree(h);
}
