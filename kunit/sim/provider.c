// SPDX-License-Identifier: GPL-2.0
/*
 * The simulated host as a provider of clients: what a server channel offers through
 * it, the in-tree hv_vmbus of this kernel gets as an offer of its host's, and any
 * driver on that bus is its client. A module of its own, for it alone needs both the
 * simulator and the library.
 *
 * Frames of the guest are frames of this kernel.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/err.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <kmcl/host.h>
#include <vmbuskernelmodeclientlibapi.h>
#include "sim.h"

/* What a host says when it refuses. */
#define REFUSED		((u32)STATUS_UNSUCCESSFUL)

/*
 * A channel of the simulated host's, for one offer. It stays behind when the offer is
 * taken back, until the guest has released it.
 */
struct simulated {
	struct list_head node;
	struct hvsim_chan *chan;
	struct kmcl_offer *offer;
};

static DEFINE_MUTEX(lock);		/* offers and rescinds */
static LIST_HEAD(channels);		/* struct simulated */

static struct simulated *simulated(struct hvsim_chan *chan)
{
	return chan->offer.server_data;
}

/* ---- from the guest ---- */

static u32 on_gpadl(struct hvsim_chan *chan, const struct hvsim_gpadl *gpadl)
{
	u64 *frames = kvmalloc_array(gpadl->nr, sizeof(*frames), GFP_KERNEL);
	u32 i;
	int ret;

	if (!frames)
		return REFUSED;
	for (i = 0; i < gpadl->nr; i++)
		frames[i] = page_to_pfn(gpadl->pages[i]);
	ret = kmcl_offer_gpadl(simulated(chan)->offer, gpadl->handle, gpadl->byte_offset,
			       gpadl->byte_count, frames, gpadl->nr);
	kvfree(frames);
	return ret ? REFUSED : 0;
}

static bool on_teardown(struct hvsim_chan *chan, u32 handle)
{
	return kmcl_offer_gpadl_teardown(simulated(chan)->offer, handle) != -EINPROGRESS;
}

static void on_open(struct hvsim_chan *chan, const struct hvsim_open *how)
{
	struct kmcl_offer_open open = {
		.gpadl = how->gpadl,
		.downstream_page = how->split,
		.target_vp = how->target_vp,
	};

	static_assert(sizeof(open.user) == sizeof(how->user));
	memcpy(open.user, how->user, sizeof(open.user));
	/* the answer to one that is accepted so far comes later */
	if (kmcl_offer_open(simulated(chan)->offer, &open))
		hvsim_opened(chan, REFUSED);
}

static void on_close(struct hvsim_chan *chan)
{
	kmcl_offer_close(simulated(chan)->offer);
}

static void on_signal(struct hvsim_chan *chan)
{
	kmcl_offer_signal(simulated(chan)->offer);
}

static const struct hvsim_server server = {
	.gpadl = on_gpadl,
	.teardown = on_teardown,
	.open = on_open,
	.close = on_close,
	.signal = on_signal,
};

/* ---- from the library ---- */

/* With the lock. */
static void forget(struct simulated *sim)
{
	list_del(&sim->node);
	hvsim_forget(sim->chan);
	hvsim_put(sim->chan);
	kfree(sim);
}

static void forget_released(void)
{
	struct simulated *sim, *next;

	list_for_each_entry_safe(sim, next, &channels, node)
		if (!sim->offer && READ_ONCE(sim->chan->released))
			forget(sim);
}

/* To hv_vmbus an instance is one device, whatever its class. */
static bool is_offered(const struct kmcl_offer *offer)
{
	struct simulated *sim;

	list_for_each_entry(sim, &channels, node)
		if (sim->offer && sim->offer->sub_index == offer->sub_index &&
		    guid_equal(&sim->offer->instance, &offer->instance))
			return true;
	return false;
}

static u16 channel_flags(const struct kmcl_offer *offer)
{
	u16 flags = 0;

	if (offer->flags & VMBUS_SERVER_CHANNEL_INIT_FLAG_ENUMERATE_DEVICE_INTERFACE)
		flags |= VMBUS_CHANNEL_ENUMERATE_DEVICE_INTERFACE;
	if (offer->pipe)
		flags |= VMBUS_CHANNEL_NAMED_PIPE_MODE;
	return flags;
}

static int sim_offer(struct kmcl_host *host, struct kmcl_offer *offer)
{
	struct hvsim_offer what = {
		.type = offer->type,
		.instance = offer->instance,
		.sub_index = offer->sub_index,
		.flags = channel_flags(offer),
		.mmio_megabytes = offer->mmio_megabytes,
		.server = &server,
	};
	struct simulated *sim;
	int ret = -EEXIST;

	/* a pipe says which kind it is */
	if (offer->pipe)
		*(u32 *)what.user_def = VMBUS_PIPE_TYPE_MESSAGE;
	mutex_lock(&lock);
	forget_released();
	if (is_offered(offer))
		goto unlock;
	ret = -ENOMEM;
	sim = kzalloc(sizeof(*sim), GFP_KERNEL);
	if (!sim)
		goto unlock;
	sim->offer = offer;
	what.server_data = sim;
	sim->chan = hvsim_add(&what);
	ret = PTR_ERR_OR_ZERO(sim->chan);
	if (ret) {
		kfree(sim);
		goto unlock;
	}
	list_add_tail(&sim->node, &channels);
	offer->private = sim;
	/* The guest may be here before this returns. */
	hvsim_announce(sim->chan);
unlock:
	mutex_unlock(&lock);
	return ret;
}

static void sim_rescind(struct kmcl_host *host, struct kmcl_offer *offer)
{
	struct simulated *sim = offer->private;

	hvsim_withdraw(sim->chan);
	mutex_lock(&lock);
	sim->offer = NULL;
	mutex_unlock(&lock);
}

static void sim_opened(struct kmcl_host *host, struct kmcl_offer *offer, int err)
{
	struct simulated *sim = offer->private;

	hvsim_opened(sim->chan, err ? REFUSED : 0);
}

static void sim_torn_down(struct kmcl_host *host, struct kmcl_offer *offer, u32 handle)
{
	struct simulated *sim = offer->private;

	hvsim_torn_down(sim->chan, handle);
}

static void sim_signal(struct kmcl_host *host, struct kmcl_offer *offer)
{
	struct simulated *sim = offer->private;

	hvsim_interrupt(sim->chan);
}

static const struct kmcl_host_ops ops = {
	.offer = sim_offer,
	.rescind = sim_rescind,
	.opened = sim_opened,
	.torn_down = sim_torn_down,
	.signal = sim_signal,
};

static struct kmcl_host simulator = {
	.name = "simulator",
	.owner = THIS_MODULE,
	.ops = &ops,
};

static int __init sim_host_init(void)
{
	return kmcl_host_register(&simulator);
}
module_init(sim_host_init);

static void __exit sim_host_exit(void)
{
	struct simulated *sim, *next;

	kmcl_host_unregister(&simulator);
	/* Nothing is offered any more; the guest may still be at its last words. */
	list_for_each_entry_safe(sim, next, &channels, node) {
		if (!hvsim_wait_released(sim->chan))
			pr_err("the guest holds on to channel %u\n", sim->chan->relid);
		forget(sim);
	}
}
module_exit(sim_host_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Server channels offered by the simulated VMBus host");
