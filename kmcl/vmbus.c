// SPDX-License-Identifier: GPL-2.0
/*
 * Packets over the in-tree bus: a link is a struct vmbus_channel.
 *
 * Sending is vmbus_sendpacket().  Reading is ours (ring.c): hv_pkt_iter_*()
 * accepts any write index, repairs bad lengths in silence and copies a second
 * time.  Only the end of a read, which publishes the read index and signals a
 * host that waits for room, goes through hv_pkt_iter_close().
 *
 * The channel is in direct mode and we own the interrupt mask.  In batched mode
 * the bus calls back for ever while a callback leaves packets in the ring, as a
 * paused channel does.
 */
#include <linux/cc_platform.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "compat.h"
#include "vmbus.h"

/*
 * The bus states the size of a GPADL's list of pages in 16 bits, and checks
 * nothing.
 */
#define GPADL_PAGES_MAX	((U16_MAX - sizeof(struct gpa_range)) / sizeof(u64))

#define UNSHARE_TRIES	20	/* in two seconds */
#define MMIO_ALIGN	0x100000	/* offers count in megabytes */
#define MONITOR_LATENCY	1000	/* 100 us, as the bus's own comments have it */

static struct vmbus_channel *channel_of(struct kmcl_link *link)
{
	return kmcl_vdev(link)->chan;
}

static void vmbus_event(void *context)
{
	struct kmcl_vdev *v = context;

	kmcl_link_event(&v->link);
}

/*
 * The bus asks for a request id under its ring lock, after the packet has been
 * copied and before the host can see it.  The id is known already; the moment
 * is what matters: up to here an answer to this packet is a forgery, and the
 * sender's memory is still needed.
 */
static u64 vmbus_published(struct vmbus_channel *chan, u64 id)
{
	struct kmcl_vdev *v = chan->channel_callback_context;

	return kmcl_packet_published(&v->link, id);
}

/*
 * No interrupt reaches us, nor the rings, from here on.  A close does that too, but the bus
 * keeps the callback of an open that has failed, and looks into a ring that is not there
 * when the host interrupts.
 */
static void vmbus_deaf(struct vmbus_channel *chan)
{
	unsigned long flags;

	tasklet_disable(&chan->callback_event);
	spin_lock_irqsave(&chan->sched_lock, flags);
	chan->onchannel_callback = NULL;
	spin_unlock_irqrestore(&chan->sched_lock, flags);
	tasklet_enable(&chan->callback_event);
}

static void vmbus_forget(struct vmbus_channel *chan)
{
	vmbus_deaf(chan);
	chan->next_request_id_callback = NULL;
	set_channel_read_mode(chan, HV_CALL_BATCHED);
}

static int vmbus_link_open(struct kmcl_link *link, u32 out_bytes, u32 in_bytes)
{
	struct kmcl_vdev *v = kmcl_vdev(link);
	struct vmbus_channel *chan = v->chan;
	int ret;

	if (READ_ONCE(v->gone))
		return -ENODEV;
	/* not offered again after hibernation: the bus would wait for ever */
	if (chan->offermsg.child_relid == INVALID_RELID)
		return -ENODEV;
	if (v->connected)
		return kmcl_sub_reattach(v, out_bytes, in_bytes);
	/* the bus adds them in 32 bits, and warns about what no page order holds */
	if ((u64)out_bytes + in_bytes + 2 * PAGE_SIZE > PAGE_SIZE << MAX_PAGE_ORDER)
		return -ENOMEM;
	chan->rqstor_size = 0;
	chan->request_addr_callback = NULL;
	chan->next_request_id_callback = vmbus_published;
	set_channel_read_mode(chan, HV_CALL_DIRECT);
	v->tried = true;
	if (!v->primary)
		kmcl_subs_collect(v);
	if (link->processor != KMCL_ANY_PROCESSOR)
		chan->target_cpu = link->processor;

	/* each ring has one control page in front of its data */
	ret = vmbus_open(chan, out_bytes + PAGE_SIZE, in_bytes + PAGE_SIZE,
			 NULL, 0, vmbus_event, v);
	if (ret) {
		if (!v->primary)
			kmcl_subs_forget(v);
		vmbus_forget(chan);
		return ret;
	}
	v->connected = v->primary;
	BUILD_BUG_ON(offsetof(struct kmcl_ring_ctl, feature_bits) !=
		     offsetof(struct hv_ring_buffer, feature_bits));
	link->in = (struct kmcl_ring) {
		.ctl = (struct kmcl_ring_ctl *)chan->inbound.ring_buffer,
		.data = chan->inbound.ring_buffer->buffer,
		.size = chan->inbound.ring_datasize,
	};
	link->share_max = GPADL_PAGES_MAX * HV_HYP_PAGE_SIZE;
	link->share_wipes = cc_platform_has(CC_ATTR_GUEST_MEM_ENCRYPT);
	link->unshare_first = vmbus_proto_version < VERSION_WIN10;
	return 0;
}

/* To the bus a message that could not be posted is a success; the handle tells. */
static bool given_back(const struct vmbus_channel *chan, const struct vmbus_gpadl *gpadl)
{
	return !gpadl->gpadl_handle || chan->rescind;
}

static int vmbus_link_close(struct kmcl_link *link)
{
	struct vmbus_channel *chan = channel_of(link);
	struct kmcl_vdev *v = kmcl_vdev(link);
	int ret;

	if (v->primary)
		return kmcl_sub_detach(v);
	kmcl_subs_stop(v);
	/* the rings of its sub-channels with it */
	ret = vmbus_disconnect_ring(chan);
	kmcl_subs_forget(v);
	if (!ret && !given_back(chan, &chan->ringbuffer_gpadlhandle))
		ret = -EIO;
	if (!ret) {
		vmbus_free_ring(chan);
	} else {
		/* the host may still have it open: no other open until it is rebound */
		WRITE_ONCE(v->gone, true);
		/* never the host's, and the next open would forget it */
		kfree(chan->inbound.pkt_buffer);
		chan->inbound.pkt_buffer = NULL;
	}
	vmbus_forget(chan);
	return ret;
}

/* See KMCL_BUS_TRUSTS_INDICES. */
static bool indices_bad(const struct vmbus_channel *chan)
{
	const struct hv_ring_buffer_info *out = &chan->outbound;

	return KMCL_BUS_TRUSTS_INDICES &&
	       (READ_ONCE(out->ring_buffer->write_index) >= out->ring_datasize ||
		READ_ONCE(out->ring_buffer->read_index) >= out->ring_datasize);
}

static int vmbus_link_send(struct kmcl_link *link, const void *data, u32 len, u64 id,
			   enum kmcl_packet_type type, bool wants_reply)
{
	struct vmbus_channel *chan = channel_of(link);

	if (indices_bad(chan))
		return -EIO;
	BUILD_BUG_ON((int)KMCL_TYPE_INBAND != (int)VM_PKT_DATA_INBAND ||
		     (int)KMCL_TYPE_COMPLETION != (int)VM_PKT_COMP);
	return vmbus_sendpacket(chan, (void *)data, len, id, (enum vmbus_packet_type)type,
				wants_reply ? VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED : 0);
}

static int vmbus_link_send_external(struct kmcl_link *link, struct kmcl_gpa_direct *head,
				    u32 head_bytes, const void *data, u32 len, u64 id)
{
	struct vmbus_channel *chan = channel_of(link);

	if (indices_bad(chan))
		return -EIO;
	BUILD_BUG_ON(sizeof(*head) != offsetof(struct vmbus_packet_mpb_array, range) ||
		     offsetof(struct kmcl_gpa_direct, range_count) !=
		     offsetof(struct vmbus_packet_mpb_array, rangecount) ||
		     sizeof(struct kmcl_gpa_range) != offsetof(struct hv_mpb_array, pfn_array));
	return vmbus_sendpacket_mpb_desc(chan, (struct vmbus_packet_mpb_array *)head, head_bytes,
					 (void *)data, len, id);
}

static void vmbus_link_refused(struct kmcl_link *link)
{
	kmcl_sub_rescinded(kmcl_vdev(link));
}

static dma_addr_t vmbus_link_map(struct kmcl_link *link, phys_addr_t phys, u32 bytes,
				 enum dma_data_direction dir)
{
	struct device *dev = &kmcl_vdev(link)->hv->device;
	dma_addr_t addr;

	addr = dma_map_page(dev, pfn_to_page(PHYS_PFN(phys)), offset_in_page(phys), bytes, dir);
	/* no more than DMA debugging wants to be asked */
	return dma_mapping_error(dev, addr) ? KMCL_NOT_MAPPED : addr;
}

static void vmbus_link_unmap(struct kmcl_link *link, dma_addr_t addr, u32 bytes,
			     enum dma_data_direction dir)
{
	dma_unmap_page(&kmcl_vdev(link)->hv->device, addr, bytes, dir);
}

static void vmbus_link_want_room(struct kmcl_link *link, u32 bytes)
{
	set_channel_pending_send_size(channel_of(link), bytes);
}

static u32 vmbus_link_out_used(struct kmcl_link *link)
{
	return hv_get_bytes_to_read(&channel_of(link)->outbound);
}

static void vmbus_link_consumed(struct kmcl_link *link)
{
	struct vmbus_channel *chan = channel_of(link);

	chan->inbound.priv_read_index = link->in.read;
	hv_pkt_iter_close(chan);
}

/* No barrier: a signal that slips through finds the reader at work. */
static void vmbus_link_mask(struct kmcl_link *link)
{
	WRITE_ONCE(channel_of(link)->inbound.ring_buffer->interrupt_mask, 1);
}

static void vmbus_link_unmask(struct kmcl_link *link)
{
	WRITE_ONCE(channel_of(link)->inbound.ring_buffer->interrupt_mask, 0);
	/*
	 * The mask, then the reader's second look.  Pairs with the host's barrier
	 * between its write index and its look at the mask.
	 */
	virt_mb();
}

static void vmbus_link_kick(struct kmcl_link *link)
{
	tasklet_schedule(&channel_of(link)->callback_event);
}

static int vmbus_link_share(struct kmcl_link *link, void *memory, u32 bytes, u32 *handle,
			    bool *shown)
{
	struct vmbus_gpadl gpadl = {};
	int ret = vmbus_establish_gpadl(channel_of(link), memory, bytes, &gpadl);

	*handle = gpadl.gpadl_handle;
	*shown = gpadl.decrypted;
	/* a failure does not tell whether the memory is private again */
	return ret && link->share_wipes ? -EIO : ret;
}

static int vmbus_link_unshare(struct kmcl_link *link, u32 handle, void *memory, u32 bytes,
			      bool shown)
{
	struct vmbus_channel *chan = channel_of(link);
	struct vmbus_gpadl gpadl = {
		.gpadl_handle = handle,
		.buffer = memory,
		.size = bytes,
		/* not asked by earlier kernels; else the memory stays visible */
		.decrypted = shown,
	};
	unsigned int tries = UNSHARE_TRIES;
	int ret;

	/* want of memory passes; what the host keeps is gone for good */
	while ((ret = vmbus_teardown_gpadl(chan, &gpadl)) == -ENOMEM && --tries)
		schedule_timeout_uninterruptible(HZ / 10);
	if (!ret && !given_back(chan, &gpadl))
		ret = -EIO;
	return ret;
}

static void *vmbus_link_bounce_alloc(struct kmcl_link *link, u32 bytes, dma_addr_t *addr)
{
	struct device *dev = &kmcl_vdev(link)->hv->device;

	/* the bus sets the other mask alone */
	if (dma_set_coherent_mask(dev, DMA_BIT_MASK(64)))
		return NULL;
	return dma_alloc_coherent(dev, bytes, addr, GFP_KERNEL | __GFP_NOWARN);
}

static void vmbus_link_bounce_free(struct kmcl_link *link, void *memory, u32 bytes,
				   dma_addr_t addr)
{
	dma_free_coherent(&kmcl_vdev(link)->hv->device, bytes, memory, addr);
}

static int vmbus_link_reserve_mmio(struct kmcl_link *link, u64 *start, u64 *size)
{
	static const struct hv_vmbus_device_id video = { HV_SYNTHVID_GUID };
	struct hv_device *hv = kmcl_vdev(link)->hv;
	u64 bytes = (u64)channel_of(link)->offermsg.offer.mmio_megabytes << 20;
	struct resource *res;
	int ret;

	*start = 0;
	*size = 0;
	if (!bytes)
		return 0;
	/* the firmware's frame buffer is the video device's alone */
	ret = vmbus_allocate_mmio(&res, hv, 0, -1, bytes, MMIO_ALIGN,
				  guid_equal(&hv->dev_type, &video.guid));
	if (ret)
		return ret;
	*start = res->start;
	*size = bytes;
	return 0;
}

static void vmbus_link_release_mmio(struct kmcl_link *link, u64 start, u64 size)
{
	vmbus_free_mmio(start, size);
}

/*
 * The bus keeps the monitor page to itself and writes no latency into it.  What
 * it has is a switch: signal at once, or let the host look as often as it likes.
 */
static int vmbus_link_set_latency(struct kmcl_link *link, u16 latency, u16 *old)
{
	struct vmbus_channel *chan = channel_of(link);

	if (!chan->offermsg.monitor_allocated) {
		/* signals are at once and cannot be anything else */
		*old = 0;
		return latency ? -EOPNOTSUPP : 0;
	}
	if (latency && latency != MONITOR_LATENCY)
		return -EOPNOTSUPP;
	*old = chan->low_latency ? 0 : MONITOR_LATENCY;
	WRITE_ONCE(chan->low_latency, !latency);
	return 0;
}

const struct kmcl_link_ops kmcl_vmbus_link_ops = {
	.open		= vmbus_link_open,
	.close		= vmbus_link_close,
	.send		= vmbus_link_send,
	.send_external	= vmbus_link_send_external,
	.refused	= vmbus_link_refused,
	.map		= vmbus_link_map,
	.unmap		= vmbus_link_unmap,
	.want_room	= vmbus_link_want_room,
	.out_used	= vmbus_link_out_used,
	.consumed	= vmbus_link_consumed,
	.mask		= vmbus_link_mask,
	.unmask		= vmbus_link_unmask,
	.kick		= vmbus_link_kick,
	.share		= vmbus_link_share,
	.unshare	= vmbus_link_unshare,
	.bounce_alloc	= vmbus_link_bounce_alloc,
	.bounce_free	= vmbus_link_bounce_free,
	.reserve_mmio	= vmbus_link_reserve_mmio,
	.release_mmio	= vmbus_link_release_mmio,
	.set_latency	= vmbus_link_set_latency,
};

static int __init kmcl_vmbus_init(void)
{
	return kmcl_transport_register(&kmcl_vmbus_transport);
}

static void __exit kmcl_vmbus_exit(void)
{
	kmcl_transport_unregister(&kmcl_vmbus_transport);
}

module_init(kmcl_vmbus_init);
module_exit(kmcl_vmbus_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("VMBus Kernel Mode Client Library: client channels over hv_vmbus");
