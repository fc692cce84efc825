// SPDX-License-Identifier: GPL-2.0
/*
 * Rounds of a server channel whose client lies, and of one that is saved and restored meanwhile,
 * from what was saved or from something near it.
 */
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "../loopback/end.h"
#include "client.h"
#include "module.h"

/* ---- the provider ---- */

static struct client *client_of(struct kmcl_host *host)
{
	return container_of(host, struct client, host);
}

static int offered(struct kmcl_host *host, struct kmcl_offer *offer)
{
	struct client *c = client_of(host);

	mutex_lock(&c->lock);
	c->offer = offer;
	c->asked = false;
	c->open = false;
	mutex_unlock(&c->lock);
	return 0;
}

/* As an offer, but that it has it open already. */
static int restored(struct kmcl_host *host, struct kmcl_offer *offer)
{
	struct client *c = client_of(host);

	mutex_lock(&c->lock);
	c->offer = offer;
	c->asked = true;
	c->open = true;
	mutex_unlock(&c->lock);
	return 0;
}

static void rescinded(struct kmcl_host *host, struct kmcl_offer *offer)
{
	struct client *c = client_of(host);

	mutex_lock(&c->lock);
	if (c->offer == offer) {
		c->offer = NULL;
		c->asked = false;
		c->open = false;
	}
	mutex_unlock(&c->lock);
}

static void opened(struct kmcl_host *host, struct kmcl_offer *offer, int err)
{
	struct client *c = client_of(host);

	WRITE_ONCE(c->open, !err);
	if (err)
		WRITE_ONCE(c->asked, false);
}

static void torn_down(struct kmcl_host *host, struct kmcl_offer *offer, u32 handle)
{
}

static void signalled(struct kmcl_host *host, struct kmcl_offer *offer)
{
}

static struct page *page_of(struct kmcl_host *host, u64 frame)
{
	if (frame - FRAME >= PAGES)
		return NULL;
	return virt_to_page(client_of(host)->memory + (frame - FRAME) * KMCL_PAGE_SIZE);
}

static const struct kmcl_host_ops ops = {
	.offer = offered,
	.rescind = rescinded,
	.opened = opened,
	.torn_down = torn_down,
	.signal = signalled,
	.page = page_of,
	.restore = restored,
};

/* ---- the driver's callbacks ---- */

static VOID process(VMBCHANNEL ch, PVOID context, VMBPACKETCOMPLETION pkt, PVOID buf, UINT32 len,
		    UINT32 flags)
{
	round_packet(context, pkt, buf, len);
}

static NTSTATUS opened_by_client(VMBCHANNEL ch, PVOID context)
{
	bool fine = draw(context) % 8;

	round_may_map(context, fine);
	return fine ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

static VOID closed(VMBCHANNEL ch, PVOID context)
{
	round_may_map(context, false);
}

static const GUID type = { 0x6b6d636c, 0x0005, 0x4000, { 0x80, 0, 0, 0, 0, 0, 0, 5 } };
static const GUID instance = { 0x6b6d636c, 0x0006, 0x4000, { 0x80, 0, 0, 0, 0, 0, 0, 6 } };

static VMBCHANNEL new_server(struct client *c)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5 state;
	struct kunit *test = c->round.test;
	VMBCHANNEL ch;

	KUNIT_ASSERT_EQ(test, VmbChannelAllocate(NULL, TRUE, &ch), STATUS_SUCCESS);
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT_V5(&state);
	state.CallbackContext = &c->round;
	state.EvtChannelOpenedEx = opened_by_client;
	state.EvtChannelClosedEx = closed;
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetStateChangeCallbacks(ch, (void *)&state),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetProcessPacketCallbacksEx(ch, &c->round, process,
									NULL),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbServerChannelInitSetTargetInterfaceId(ch, type, instance),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbServerChannelInitSetVmbusHandle(ch, c->handle), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketSize(ch, 64 + any(&c->rnd, 512)),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumExternalData(ch, 24000, 4), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketCount(ch, 1 + any(&c->rnd, 64)),
			STATUS_SUCCESS);
	if (!any(&c->rnd, 4))
		KUNIT_ASSERT_EQ(test, VmbChannelInitSetFlags(ch, VMBUS_CHANNEL_INIT_FLAG_IS_PIPE),
				STATUS_SUCCESS);
	VmbChannelSetTransactionQuota(ch, 1 + any(&c->rnd, 64));
	VmbChannelSetIncomingProcessingAtPassive(ch, any(&c->rnd, 2));
	return ch;
}

/* ---- rounds ---- */

static void begin(struct client *c, struct kunit *test, u32 seed)
{
	memset(c, 0, sizeof(*c));
	prandom_seed_state(&c->rnd, seed);
	mutex_init(&c->lock);
	c->round.test = test;
	c->memory = alloc_pages_exact(PAGES * KMCL_PAGE_SIZE, GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, c->memory);
	c->host = (struct kmcl_host) {
		.name = "the client that lies", .owner = THIS_MODULE, .ops = &ops,
	};
	KUNIT_ASSERT_EQ(test, kmcl_host_register(&c->host), 0);
	c->handle = kmcl_host_handle(c->host.name);
	KUNIT_ASSERT_NOT_NULL(test, c->handle);
	round_init(&c->round, test, seed, new_server(c));
}

/* Most lies need a server that listens. */
static void listen_first(struct client *c)
{
	u32 i;

	if (!any(&c->rnd, 16))
		return;
	for (i = 0; i < 20 && !READ_ONCE(c->open); i++) {
		mutex_lock(&c->lock);
		if (c->offer && !c->asked)
			client_opens(c);
		mutex_unlock(&c->lock);
		usleep_range(500, 1000);
	}
}

static bool one_round(struct kunit *test, struct client *c, u32 seed, bool serviced,
		      struct totals *totals)
{
	bool fine;
	u32 lies;

	begin(c, test, seed);
	if (serviced)
		c->round.service = service;
	fine = round_go(&c->round);
	if (!fine)
		KUNIT_FAIL(test, "seed %u: no memory for the driver", seed);
	for (lies = fine ? 50 + any(&c->rnd, 200) : 0; lies; lies--) {
		listen_first(c);
		mutex_lock(&c->lock);
		if (c->offer)
			client_lies(c);
		mutex_unlock(&c->lock);
		any_moment(&c->rnd, 400);
	}
	round_stop(&c->round);
	if (!round_end(&c->round) || !fine)
		return false;
	round_add(&c->round, totals);
	VmbChannelCleanup(c->round.ch);
	/* what was parked last is for nobody */
	KUNIT_EXPECT_TRUE_MSG(test, becomes(!READ_ONCE(c->offer)), "seed %u: an offer stays", seed);
	ZwClose(c->handle);
	kmcl_host_unregister(&c->host);
	free_pages_exact(c->memory, PAGES * KMCL_PAGE_SIZE);
	totals->serviced += c->serviced;
	totals->refused += c->refused;
	return true;
}

static void rounds(struct kunit *test, const char *what, bool serviced)
{
	struct totals totals = {};
	struct client *c;
	u32 i;

	fuzz_only(test, what);
	/* stays when a thread of its own does */
	c = kzalloc(sizeof(*c), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, c);
	for (i = 0; fuzz_round(test, what, i); i++)
		if (!one_round(test, c, fuzz_seed + i, serviced, &totals))
			return;
	fuzz_totals(what, i, &totals);
	kfree(c);
}

void a_lying_client_hurts_nobody(struct kunit *test)
{
	rounds(test, "client", false);
}

void a_damaged_save_hurts_nobody(struct kunit *test)
{
	rounds(test, "restore", true);
}
