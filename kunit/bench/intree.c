// SPDX-License-Identifier: GPL-2.0
/*
 * The work of the benchmark done as the in-tree drivers do it: the bus's request
 * ids, vmbus_sendpacket(), and foreach_vmbus_pkt(), as in hv_storvsc, which also
 * gives the way of external data; and hv_netvsc's completions.
 */
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/hyperv.h>
#include <linux/scatterlist.h>
#include "../sim/sim.h"
#include "compat.h"
#include "bench.h"

#define FRAMES_MOST	(EXTERNAL_MOST / HV_HYP_PAGE_SIZE)

static const guid_t type =
	GUID_INIT(0x6b6d636c, 0x0003, 0x4000, 0x80, 0, 0, 0, 0, 0, 0, 3);

static struct {
	struct side side;
	struct hv_device *dev;
	struct completion probed;
	struct request {
		struct scatterlist sg;
		bool mapped;
		/* struct vmbus_packet_mpb_array, as in struct storvsc_cmd_request */
		u64 mpb[4 + FRAMES_MOST];
	} *requests;
} intree;

static void answered(struct vmbus_channel *chan, const struct vmpacket_descriptor *desc)
{
	u64 addr = vmbus_request_addr(chan, desc->trans_id);
	struct request *r;

	if (addr == VMBUS_RQST_ERROR)
		return;
	r = (struct request *)(unsigned long)addr;
	if (r->mapped)
		dma_unmap_sg(&intree.dev->device, &r->sg, 1, DMA_FROM_DEVICE);
	r->mapped = false;
	intree.side.answered++;
}

static void callback(void *context)
{
	struct vmbus_channel *chan = context;
	struct vmpacket_descriptor *desc;

	foreach_vmbus_pkt(desc, chan) {
		if (desc->type == VM_PKT_COMP) {
			answered(chan, desc);
			continue;
		}
		vmbus_sendpacket(chan, payload, REPLY_BYTES, desc->trans_id, VM_PKT_COMP, 0);
		intree.side.received++;
	}
}

static int probe(struct hv_device *dev, const struct hv_vmbus_device_id *id)
{
	int ret;

	dev->channel->rqstor_size = intree.side.packets;
	/* the bus clamps longer packets to this and loses its place */
	dev->channel->max_pkt_size = 2 * PAYLOAD_MOST;
	dev->channel->next_request_id_callback = vmbus_next_request_id;
	dev->channel->request_addr_callback = vmbus_request_addr;
	ret = vmbus_open(dev->channel, RING_BYTES + PAGE_SIZE, RING_BYTES + PAGE_SIZE,
			 NULL, 0, callback, dev->channel);
	if (!ret)
		intree.dev = dev;
	complete(&intree.probed);
	return ret;
}

static KMCL_REMOVE_RET remove(struct hv_device *dev)
{
	vmbus_close(dev->channel);
	intree.dev = NULL;
	KMCL_REMOVE_DONE;
}

static const struct hv_vmbus_device_id ids[] = {
	{ .guid = GUID_INIT(0x6b6d636c, 0x0003, 0x4000, 0x80, 0, 0, 0, 0, 0, 0, 3) },
	{}
};

static struct hv_driver driver = {
	.name = "kmcl_bench_intree",
	.id_table = ids,
	.probe = probe,
	.remove = remove,
};

static int send(struct side *s, unsigned int i, u32 len)
{
	return vmbus_sendpacket(intree.dev->channel, payload, len,
				(unsigned long)&intree.requests[i], VM_PKT_DATA_INBAND,
				VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED);
}

/* As storvsc_queuecommand() and storvsc_do_io(), once there is a scatterlist. */
static int send_external(struct side *s, unsigned int i, u32 len)
{
	struct request *r = &intree.requests[i];
	struct vmbus_packet_mpb_array *mpb = (void *)r->mpb;
	u32 pages = HVPFN_UP(len), j, n = 0;
	struct scatterlist *sg;
	int count;

	mpb->rangecount = 1;
	mpb->range.len = len;
	mpb->range.offset = 0;
	/* what the block layer does for a driver */
	sg_set_buf(&r->sg, external, len);
	count = dma_map_sg(&intree.dev->device, &r->sg, 1, DMA_FROM_DEVICE);
	if (count <= 0)
		return -ENOMEM;
	r->mapped = true;
	for_each_sg(&r->sg, sg, count, j) {
		u64 frame = HVPFN_DOWN(sg_dma_address(sg));
		u32 frames = HVPFN_UP(sg_dma_address(sg) + sg_dma_len(sg)) - frame;

		while (frames--)
			mpb->range.pfn_array[n++] = frame++;
	}
	return vmbus_sendpacket_mpb_desc(intree.dev->channel, mpb,
					 sizeof(*mpb) + pages * sizeof(u64), payload, INLINE_BYTES,
					 (unsigned long)r);
}

struct side *intree_new(struct kunit *test, unsigned int packets)
{
	struct hvsim_offer offer = { .type = type, .instance = type };

	unsigned int i;

	memset(&intree, 0, sizeof(intree));
	intree.requests = kunit_kzalloc(test, packets * sizeof(*intree.requests), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, intree.requests);
	for (i = 0; i < packets; i++)
		sg_init_table(&intree.requests[i].sg, 1);
	init_completion(&intree.probed);
	intree.side.unanswered = &intree.side.ids[0];
	intree.side.parked = &intree.side.ids[1];
	intree.side.send = send;
	intree.side.send_external = send_external;
	intree.side.packets = packets;
	KUNIT_ASSERT_EQ(test, __vmbus_driver_register(&driver, NULL, NULL), 0);
	intree.side.host = hvsim_offer(&offer);
	KUNIT_ASSERT_NOT_NULL(test, intree.side.host);
	wait_for_completion(&intree.probed);
	KUNIT_ASSERT_NOT_NULL(test, intree.dev);
	hvsim_settle();
	return &intree.side;
}

/* Where the bus puts packets. */
void intree_forget_cache(void)
{
	struct vmbus_channel *chan = intree.dev->channel;

	forget_cache(chan->inbound.pkt_buffer, chan->inbound.pkt_buffer_size);
}

void intree_free(void)
{
	struct hvsim_chan *host = intree.side.host;

	vmbus_driver_unregister(&driver);
	hvsim_rescind(host);
	hvsim_settle();
}
