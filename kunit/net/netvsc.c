// SPDX-License-Identifier: GPL-2.0
/*
 * samples/netvsc-rx, both of its ends, at the hands of a program.
 */
#include <linux/etherdevice.h>
#include <linux/netdevice.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include "../../samples/netvsc-rx/rx.h"
#include "net.h"

struct net_vsc_pair {
	u32 index;		/* the interface's */
	RX_PORT port;
	VMBCHANNEL client;
	RX_VSP vsp;
};

static NTSTATUS pair_open(struct net_port *p, u32 index, const struct net_vsc *v)
{
	struct net_vsc_pair *pair = kzalloc(sizeof(*pair), GFP_KERNEL);
	NTSTATUS status;

	if (!pair)
		return STATUS_INSUFFICIENT_RESOURCES;
	pair->index = index;
	pair->vsp.Length = v->length;
	pair->vsp.PerMessage = v->per_message;
	memcpy(pair->vsp.Address, v->address, sizeof(pair->vsp.Address));
	status = RxVspCreate(&pair->vsp);
	if (NT_SUCCESS(status)) {
		status = RxVscCreate(&pair->port, index, &pair->client);
		if (!NT_SUCCESS(status))
			RxVspDestroy(&pair->vsp);
	}
	if (NT_SUCCESS(status))
		p->pair = pair;
	else
		kfree(pair);
	return status;
}

/* Nobody tells when it is over. A tick is long beside what is measured. */
static void wait_idle(struct net_port *p)
{
	unsigned int turns;

	for (turns = 0; !net_vsc_idle(p) && !signal_pending(current); turns++)
		if (turns < 100000)
			cond_resched();
		else
			schedule_timeout_interruptible(1);
}

/* The VSP's frames, as a driver of Linux' own gives them to the stack. */
static NTSTATUS plain(struct net_vsc_pair *pair, u32 n)
{
	struct net_device *dev = dev_get_by_index(&init_net, pair->index);
	RX_MESSAGE *m = (RX_MESSAGE *)pair->vsp.Bytes;
	struct sk_buff *skb;
	u32 i, count;
	u8 *bytes;

	if (!dev)
		return NDIS_STATUS_INTERFACE_NOT_FOUND;
	for (; n; n -= count) {
		count = min(n, pair->vsp.PerMessage);
		RxBuild(&pair->vsp, m, count);
		bytes = (u8 *)&m->Frame[count];
		local_bh_disable();
		for (i = 0; i < count; i++) {
			skb = netdev_alloc_skb_ip_align(dev, m->Frame[i].Length);
			if (!skb)
				break;
			skb_put_data(skb, bytes + m->Frame[i].Offset, m->Frame[i].Length);
			skb->protocol = eth_type_trans(skb, dev);
			netif_rx(skb);
		}
		local_bh_enable();
		cond_resched();
	}
	dev_put(dev);
	return STATUS_SUCCESS;
}

NTSTATUS net_vsc(struct net_port *p, const struct net_order *o, const u8 *bytes, size_t len)
{
	const struct net_vsc *v = (const struct net_vsc *)bytes;
	struct net_vsc_pair *pair = p->pair;
	NTSTATUS status = STATUS_SUCCESS;

	if (o->what == NET_VSC_OPEN) {
		if (pair || len != sizeof(*v) || v->length < 64 || !v->per_message ||
		    v->per_message > RX_MAX_FRAMES ||
		    (u64)v->per_message * v->length > RX_MAX_BYTES)
			return STATUS_INVALID_PARAMETER;
		return pair_open(p, o->index, v);
	}
	if (!pair)
		return STATUS_INVALID_DEVICE_STATE;
	switch (o->what) {
	case NET_VSC_SEND:
		RxVspSend(&pair->vsp, o->arg);
		break;
	case NET_VSC_PAUSE:
		VmbChannelPause(pair->client);
		break;
	case NET_VSC_START:
		VmbChannelStart(pair->client);
		break;
	case NET_VSC_RESCIND:
		VmbChannelDisable(pair->vsp.Channel);
		break;
	case NET_VSC_OFFER:
		status = VmbChannelEnable(pair->vsp.Channel);
		if (NT_SUCCESS(status))
			VmbChannelStart(pair->vsp.Channel);
		break;
	case NET_VSC_WAIT:
		wait_idle(p);
		break;
	case NET_VSC_PLAIN:
		/* nothing else builds in its buffer meanwhile */
		status = net_vsc_idle(p) ? plain(pair, o->arg) : STATUS_DEVICE_BUSY;
		break;
	case NET_VSC_CLOSE:
		/* the books stay: what comes back while it ends is in them */
		RxVscDestroy(&pair->port, pair->client);
		RxVspDestroy(&pair->vsp);
		pair->client = NULL;
		break;
	default:
		status = STATUS_INVALID_PARAMETER;
	}
	return status;
}

void net_vsc_books(struct net_port *p, struct net_books *books)
{
	struct net_vsc_pair *pair = p->pair;
	RX_VSP *v;

	if (!pair)
		return;
	v = &pair->vsp;
	books->vsc.left = v->Left;
	books->vsc.outstanding = v->Outstanding;
	books->vsc.most = v->MaxOutstanding;
	books->vsc.messages = v->Messages;
	books->vsc.answers = v->Answers;
	books->vsc.lost = v->Lost;
	books->vsc.frames = v->Frames;
	books->vsc.dropped = v->Dropped;
	books->vsc.lost_frames = v->LostFrames;
	books->vsc.received = pair->port.Messages;
	books->vsc.answered = pair->port.Answered;
	books->vsc.injected = pair->port.Injected;
	books->vsc.completed = pair->port.Completed;
	books->vsc.bad = pair->port.Bad;
}

bool net_vsc_idle(struct net_port *p)
{
	struct net_vsc_pair *pair = p->pair;

	return !pair || (!READ_ONCE(pair->vsp.Left) && !READ_ONCE(pair->vsp.Outstanding));
}

void net_vsc_close(struct net_port *p)
{
	struct net_order o = { .what = NET_VSC_CLOSE };

	if (p->pair && p->pair->client)
		net_vsc(p, &o, NULL, 0);
	kfree(p->pair);
}
