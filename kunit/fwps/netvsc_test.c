// SPDX-License-Identifier: GPL-2.0
/*
 * samples/netvsc-rx from end to end: a VSP with four credits, a VSC that injects what it
 * gets, a device, and whoever listens there; while frames are dropped, the link goes down,
 * the channel is paused, and the VSP goes away and comes back.
 *
 * The books: each message is answered once or its channel went away; each list that was
 * injected came back once; each frame was taken or dropped, as its answer says; and
 * what was taken arrived, but for what a link that went down has swallowed.
 */
#include <linux/etherdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "../../samples/netvsc-rx/rx.h"
#include "../helper.h"
#include "fixture.h"

static unsigned int frames = 20000;
module_param(frames, uint, 0444);
MODULE_PARM_DESC(frames, "Frames of the end to end cases (default 20000)");

#define LEN		128
#define PER_MESSAGE	16
#define BACKLOG		"/proc/sys/net/core/netdev_max_backlog"

struct pair {
	struct fx *fx;
	RX_PORT port;
	VMBCHANNEL client;
	RX_VSP vsp;
};

static struct pair *pair_new(struct kunit *test)
{
	struct fx *fx = test->priv;
	struct pair *p = kunit_kzalloc(test, sizeof(*p), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	p->fx = fx;
	p->vsp.Length = LEN;
	p->vsp.PerMessage = PER_MESSAGE;
	ether_addr_copy(p->vsp.Address, fx->dev->dev_addr);
	KUNIT_ASSERT_EQ(test, RxVspCreate(&p->vsp), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, RxVscCreate(&p->port, fx->dev->ifindex, &p->client), STATUS_SUCCESS);
	return p;
}

static bool is_over(struct pair *p)
{
	return !READ_ONCE(p->vsp.Left) && !READ_ONCE(p->vsp.Outstanding);
}

/* Until all is sent and answered: longer than anything takes that is not stuck. */
static bool run_out(struct pair *p)
{
	unsigned long end = jiffies + 300 * HZ;

	while (!is_over(p) && time_before(jiffies, end))
		schedule_timeout_uninterruptible(1);
	return is_over(p);
}

static void expect_balance(struct pair *p, u64 sent)
{
	struct kunit *test = p->fx->test;
	RX_VSP *v = &p->vsp;
	RX_PORT *r = &p->port;

	KUNIT_EXPECT_LE(test, v->MaxOutstanding, (ULONG)RX_WINDOW);
	KUNIT_EXPECT_EQ(test, v->Messages, v->Answers + v->Lost);
	KUNIT_EXPECT_EQ(test, sent, v->Frames + v->Dropped + v->LostFrames);
	KUNIT_EXPECT_EQ(test, r->Messages, r->Answered);
	KUNIT_EXPECT_EQ(test, r->Injected, r->Completed);
	KUNIT_EXPECT_EQ(test, r->Bad, 0ll);
	KUNIT_EXPECT_EQ(test, atomic_read(&p->fx->wrong), 0);
	/* taken, but perhaps by a channel that went before it could say so */
	KUNIT_EXPECT_LE(test, (u64)atomic_read(&p->fx->received), v->Frames + v->LostFrames);
}

static void pair_end(struct pair *p)
{
	RxVscDestroy(&p->port, p->client);
	RxVspDestroy(&p->vsp);
}

static void every_frame_of_every_message_arrives(struct kunit *test)
{
	struct pair *p = pair_new(test);

	/* nothing comes back yet: as many messages as there are credits, and no more */
	local_bh_disable();
	RxVspSend(&p->vsp, frames);
	KUNIT_EXPECT_EQ(test, p->vsp.Outstanding, (ULONG)RX_WINDOW);
	local_bh_enable();
	KUNIT_EXPECT_TRUE(test, run_out(p));
	pair_end(p);
	expect_balance(p, frames);
	KUNIT_EXPECT_EQ(test, p->vsp.Frames, (u64)frames);
	KUNIT_EXPECT_EQ(test, p->vsp.Lost, 0ull);
	KUNIT_EXPECT_EQ(test, atomic_read(&p->fx->received), (int)frames);
	KUNIT_EXPECT_EQ(test, p->vsp.MaxOutstanding, (ULONG)RX_WINDOW);
}

static void set_backlog(struct kunit *test, const char *text)
{
	struct file *f = open_path(BACKLOG, O_WRONLY);
	loff_t pos = 0;

	KUNIT_ASSERT_FALSE(test, IS_ERR(f));
	KUNIT_EXPECT_GT(test, kernel_write(f, text, strlen(text), &pos), (ssize_t)0);
	filp_close(f, NULL);
}

/* One after the other; each lasts a tick, and frames are sent in it. */
static void trouble(struct kunit *test, struct pair *p, unsigned int i, u64 n)
{
	switch (i % 6) {
	case 0:
		fx_up(p->fx->dev, false);
		RxVspSend(&p->vsp, n);
		schedule_timeout_uninterruptible(1);
		fx_up(p->fx->dev, true);
		break;
	case 1:
		VmbChannelPause(p->client);
		RxVspSend(&p->vsp, n);
		schedule_timeout_uninterruptible(1);
		VmbChannelStart(p->client);
		break;
	case 2:
		set_backlog(test, "40");
		RxVspSend(&p->vsp, n);
		schedule_timeout_uninterruptible(1);
		set_backlog(test, "1000");
		break;
	case 3:
		/* the offer is taken back with messages under way, and made again */
		VmbChannelPause(p->client);
		RxVspSend(&p->vsp, n);
		VmbChannelDisable(p->vsp.Channel);
		schedule_timeout_uninterruptible(1);
		KUNIT_EXPECT_EQ(test, VmbChannelEnable(p->vsp.Channel), STATUS_SUCCESS);
		VmbChannelStart(p->vsp.Channel);
		VmbChannelStart(p->client);
		break;
	case 4:
		RxVspSend(&p->vsp, n);
		fx_up(p->fx->dev, false);
		fx_up(p->fx->dev, true);
		break;
	default:
		RxVspSend(&p->vsp, n);
		schedule_timeout_uninterruptible(1);
	}
}

static void books_balance_whatever_happens_to_link_channel_and_backlog(struct kunit *test)
{
	struct pair *p = pair_new(test);
	unsigned int i = 0;
	u64 sent = 0;

	for (; sent < frames; sent += frames / 40)
		trouble(test, p, i++, frames / 40);
	/* a server that was disabled has cancelled what was not sent yet, and told */
	KUNIT_EXPECT_TRUE(test, run_out(p));
	KUNIT_EXPECT_GE(test, i, 40u);
	pair_end(p);
	expect_balance(p, sent);
	/* all of it did happen */
	KUNIT_EXPECT_GT(test, p->vsp.Frames, 0ull);
	KUNIT_EXPECT_GT(test, p->vsp.Dropped, 0ull);
	KUNIT_EXPECT_GT(test, p->vsp.Lost, 0ull);
	KUNIT_EXPECT_EQ(test, p->vsp.MaxOutstanding, (ULONG)RX_WINDOW);
	kunit_info(test, "%llu messages, %llu lost; %llu frames taken, %llu dropped, %llu lost, %d arrived\n",
		   p->vsp.Messages, p->vsp.Lost, p->vsp.Frames, p->vsp.Dropped, p->vsp.LostFrames,
		   atomic_read(&p->fx->received));
}

/* ---- external data ---- */

static VOID bring_up(VMBCHANNEL ch)
{
}

struct answer {
	atomic_t n;
	NTSTATUS status;
	RX_ANSWER answer;
};

static VOID answered(VMBPACKET packet, PVOID context, NTSTATUS status, PVOID buf, UINT32 len)
{
	struct answer *a = context;

	a->status = status;
	if (len >= sizeof(a->answer))
		a->answer = *(RX_ANSWER *)buf;
	VmbPacketFree(packet);
	atomic_inc(&a->n);
}

/*
 * A server sends no external data, so this goes the other way: a client that lends its
 * frames, and a server that injects them.
 */
static void frames_in_external_data_arrive_and_are_lent_until_then(struct kunit *test)
{
	static const GUID instance = { 0x6e657472, 0x7876, 0x7363, { 0x80, [7] = 9 } };
	struct fx *fx = test->priv;
	RX_PORT *port = kunit_kzalloc(test, sizeof(*port), GFP_KERNEL);
	RX_VSP *vsp = kunit_kzalloc(test, sizeof(*vsp), GFP_KERNEL);
	u32 table = sizeof(RX_MESSAGE) + PER_MESSAGE * sizeof(RX_FRAME);
	u8 *bytes = kunit_kmalloc(test, 8192, GFP_KERNEL);
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS callbacks;
	struct answer a = { };
	VMBCHANNEL server, client;
	VMBPACKET packet;
	MDL *first, *second;
	u32 len, half;
	int i;

	vsp->Length = 300;
	ether_addr_copy(vsp->Address, fx->dev->dev_addr);
	KUNIT_ASSERT_EQ(test, RxPortOpen(port, fx->dev->ifindex), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelAllocate(NULL, TRUE, &server), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelAllocate(NULL, FALSE, &client), STATUS_SUCCESS);
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&callbacks);
	callbacks.EvtChannelStarted = bring_up;
	VmbChannelInitSetStateChangeCallbacks(client, &callbacks);
	VmbChannelInitSetProcessPacketCallbacksEx(server, port, RxProcessPacket, NULL);
	VmbServerChannelInitSetFlags(server, VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER);
	VmbServerChannelInitSetTargetInterfaceId(server, RxType, instance);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(server), STATUS_SUCCESS);
	VmbChannelStart(server);
	VmbClientChannelInitSetTargetPnp(client, &RxType, &instance, NULL);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(client), STATUS_SUCCESS);

	len = RxBuild(vsp, bytes, PER_MESSAGE);
	/* in two MDLs, with a frame in both of them */
	half = (len - table) / 2 + 50;
	first = fx_mdl(test, bytes + table, half);
	second = fx_mdl(test, bytes + table + half, len - table - half);
	first->Next = second;
	for (i = 1; i <= 3; i++) {
		packet = VmbPacketAllocate(client);
		KUNIT_ASSERT_NOT_NULL(test, packet);
		VmbPacketSetCompletionRoutineEx(packet, &a, answered);
		KUNIT_ASSERT_EQ(test, STATUS_SUCCESS,
				VmbPacketSend(packet, bytes, table, first,
					      VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION));
		KUNIT_EXPECT_TRUE(test, becomes(atomic_read(&a.n) == i));
		KUNIT_EXPECT_EQ(test, a.status, STATUS_SUCCESS);
		KUNIT_EXPECT_EQ(test, a.answer.Frames, (u32)PER_MESSAGE);
		/* the tap compares */
		KUNIT_EXPECT_EQ(test, atomic_read(&fx->received), i * PER_MESSAGE);
	}
	/* a frame that is not within the data: the whole message is dropped, and answered */
	((RX_MESSAGE *)bytes)->Frame[3].Length = len;
	packet = VmbPacketAllocate(client);
	VmbPacketSetCompletionRoutineEx(packet, &a, answered);
	KUNIT_ASSERT_EQ(test, STATUS_SUCCESS,
			VmbPacketSend(packet, bytes, table, first,
				      VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION));
	KUNIT_EXPECT_TRUE(test, becomes(atomic_read(&a.n) == 4));
	KUNIT_EXPECT_EQ(test, a.answer.Frames, 0u);
	KUNIT_EXPECT_EQ(test, a.answer.Dropped, (u32)PER_MESSAGE);
	VmbChannelDisable(client);
	VmbChannelCleanup(client);
	VmbChannelDisable(server);
	RxPortClose(port);
	VmbChannelCleanup(server);
	KUNIT_EXPECT_EQ(test, port->Injected, port->Completed);
	KUNIT_EXPECT_EQ(test, port->Messages, 4ll);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(every_frame_of_every_message_arrives),
	KUNIT_CASE(books_balance_whatever_happens_to_link_channel_and_backlog),
	KUNIT_CASE(frames_in_external_data_arrive_and_are_lent_until_then),
	{}
};

static struct kunit_suite suite = {
	.name = "fwps_netvsc",
	.init = fx_init,
	.exit = fx_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
