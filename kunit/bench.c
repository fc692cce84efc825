// SPDX-License-Identifier: GPL-2.0
/*
 * Nanoseconds per packet, beside the in-tree pattern in the same run.
 *
 * Two devices of the same host: one is driven through KMCL, the other by an
 * hv_driver as hv_storvsc does it, with the bus's request ids, vmbus_sendpacket()
 * and foreach_vmbus_pkt(). Short batches of both alternate, and the minimum of
 * many is what is reported: on a user mode kernel that repeats to about 1 ns.
 *
 * For the plain uniprocessor UML kernel; scripts/bench.sh makes the table.
 */
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/hyperv.h>
#include <linux/ktime.h>
#include "compat.h"
#include "fixture.h"

#define ROUNDS		1500
#define WINDOW		1024
#define RING_PAGES	16
#define RING_BYTES	(RING_PAGES * PAGE_SIZE)
#define INLINE_BYTES	64		/* beside external data */
#define EXTERNAL_MOST	65536

static const guid_t intree_type =
	GUID_INIT(0x6b6d636c, 0x0003, 0x4000, 0x80, 0, 0, 0, 0, 0, 0, 3);

/**
 * struct side - one way of doing it
 * @host: the host's channel
 * @send: send packet @i of the window, @len bytes of @payload
 * @send_external: the same, a short payload and @len bytes of external data
 * @answered: completions so far
 */
struct side {
	struct hvsim_chan *host;
	int (*send)(struct side *s, unsigned int i, u32 len);
	int (*send_external)(struct side *s, unsigned int i, u32 len);
	unsigned long answered;
};

static u8 payload[4096];
/* External data, side by side in memory, as a disk's often are. */
static u8 *external;

/* ---- through KMCL ---- */

struct ours {
	struct side side;
	struct vsc *v;
	VMBPACKET packets[WINDOW];
	PMDL mdl;
};

static VOID ours_done(VMBPACKET packet, PVOID context, NTSTATUS status, PVOID buf, UINT32 len)
{
	struct ours *o = context;

	o->side.answered++;
}

static int ours_send(struct side *s, unsigned int i, u32 len)
{
	struct ours *o = container_of(s, struct ours, side);

	return VmbPacketSend(o->packets[i], payload, len, NULL, WAIT_FOR_COMPLETION);
}

static int ours_send_external(struct side *s, unsigned int i, u32 len)
{
	struct ours *o = container_of(s, struct ours, side);

	return VmbPacketSendWithExternalMdl(o->packets[i], payload, INLINE_BYTES, o->mdl, 0, len,
					    WAIT_FOR_COMPLETION |
					    VMBUS_CHANNEL_FORMAT_FLAG_DATA_IN_ONLY);
}

static struct ours *ours_new(struct kunit *test)
{
	struct ours *o = kunit_kzalloc(test, sizeof(*o), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, o);
	o->v = vsc_new(test);
	VmbClientChannelInitSetRingBufferPageCount(o->v->ch, RING_PAGES, RING_PAGES);
	vsc_bring_up(o->v);
	o->side.host = o->v->host;
	o->side.send = ours_send;
	o->side.send_external = ours_send_external;
	o->mdl = IoAllocateMdl(external, EXTERNAL_MOST, FALSE, FALSE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, o->mdl);
	MmBuildMdlForNonPagedPool(o->mdl);
	for (i = 0; i < WINDOW; i++) {
		o->packets[i] = VmbPacketAllocate(o->v->ch);
		KUNIT_ASSERT_NOT_NULL(test, o->packets[i]);
		VmbPacketSetCompletionRoutineEx(o->packets[i], o, ours_done);
	}
	return o;
}

static void ours_free(struct ours *o)
{
	unsigned int i;

	VmbChannelDisable(o->v->ch);
	for (i = 0; i < WINDOW; i++)
		VmbPacketFree(o->packets[i]);
	IoFreeMdl(o->mdl);
}

/* ---- as the in-tree drivers do ---- */

static struct intree {
	struct side side;
	struct hv_device *dev;
	struct request {
		unsigned long *answered;
		dma_addr_t addr;
		u32 mapped;
	} requests[WINDOW];
} intree;

static void intree_callback(void *context)
{
	struct vmbus_channel *chan = context;
	struct vmpacket_descriptor *desc;

	foreach_vmbus_pkt(desc, chan) {
		struct request *r;
		u64 addr = vmbus_request_addr(chan, desc->trans_id);

		if (addr == VMBUS_RQST_ERROR)
			continue;
		r = (struct request *)(unsigned long)addr;
		if (r->mapped)
			dma_unmap_page(&intree.dev->device, r->addr, r->mapped, DMA_FROM_DEVICE);
		r->mapped = 0;
		++*r->answered;
	}
}

static int intree_probe(struct hv_device *dev, const struct hv_vmbus_device_id *id)
{
	int ret;

	dev->channel->rqstor_size = WINDOW;
	/* the bus clamps longer packets to this and loses its place */
	dev->channel->max_pkt_size = 2 * sizeof(payload);
	dev->channel->next_request_id_callback = vmbus_next_request_id;
	dev->channel->request_addr_callback = vmbus_request_addr;
	ret = vmbus_open(dev->channel, RING_BYTES + PAGE_SIZE, RING_BYTES + PAGE_SIZE,
			 NULL, 0, intree_callback, dev->channel);
	if (!ret)
		intree.dev = dev;
	return ret;
}

static KMCL_REMOVE_RET intree_remove(struct hv_device *dev)
{
	vmbus_close(dev->channel);
	intree.dev = NULL;
	KMCL_REMOVE_DONE;
}

static const struct hv_vmbus_device_id intree_ids[] = {
	{ .guid = GUID_INIT(0x6b6d636c, 0x0003, 0x4000, 0x80, 0, 0, 0, 0, 0, 0, 3) },
	{}
};

static struct hv_driver intree_driver = {
	.name = "kmcl_bench_intree",
	.id_table = intree_ids,
	.probe = intree_probe,
	.remove = intree_remove,
};

static int intree_send(struct side *s, unsigned int i, u32 len)
{
	return vmbus_sendpacket(intree.dev->channel, payload, len,
				(unsigned long)&intree.requests[i], VM_PKT_DATA_INBAND,
				VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED);
}

/* As hv_storvsc: one segment of a scatterlist, then a frame for each page. */
static int intree_send_external(struct side *s, unsigned int i, u32 len)
{
	static struct vmbus_packet_mpb_array *mpb;
	static u64 room[8 + EXTERNAL_MOST / HV_HYP_PAGE_SIZE];
	struct request *r = &intree.requests[i];
	u32 pages = DIV_ROUND_UP(len, HV_HYP_PAGE_SIZE), j;

	mpb = (void *)room;
	r->addr = dma_map_page(&intree.dev->device, virt_to_page(external), 0, len,
			       DMA_FROM_DEVICE);
	if (dma_mapping_error(&intree.dev->device, r->addr))
		return -ENOMEM;
	r->mapped = len;
	mpb->rangecount = 1;
	mpb->range.len = len;
	mpb->range.offset = 0;
	for (j = 0; j < pages; j++)
		mpb->range.pfn_array[j] = (r->addr >> HV_HYP_PAGE_SHIFT) + j;
	return vmbus_sendpacket_mpb_desc(intree.dev->channel, mpb,
					 sizeof(*mpb) + pages * sizeof(u64), payload, INLINE_BYTES,
					 (unsigned long)r);
}

static void intree_new(struct kunit *test)
{
	struct hvsim_offer offer = { .type = intree_type, .instance = intree_type };
	unsigned int i;

	memset(&intree, 0, sizeof(intree));
	for (i = 0; i < WINDOW; i++)
		intree.requests[i].answered = &intree.side.answered;
	intree.side.send = intree_send;
	intree.side.send_external = intree_send_external;
	KUNIT_ASSERT_EQ(test, __vmbus_driver_register(&intree_driver, NULL, NULL), 0);
	intree.side.host = hvsim_offer(&offer);
	KUNIT_ASSERT_NOT_NULL(test, intree.side.host);
	KUNIT_ASSERT_TRUE(test, hvsim_wait_open(intree.side.host, true));
}

/* ---- measuring ---- */

/* One batch of @n packets; the host answers when @inline_host, else afterwards. */
static u64 batch(struct kunit *test, struct side *s, unsigned int n, u32 len,
		 bool inline_host, bool ext)
{
	int (*send)(struct side *s, unsigned int i, u32 len) = ext ? s->send_external : s->send;
	unsigned long before = s->answered;
	unsigned int i, failed = 0;
	u64 t;

	s->host->exec = inline_host ? HVSIM_EXEC_INLINE : HVSIM_EXEC_MANUAL;
	t = ktime_get_ns();
	for (i = 0; i < n; i++)
		failed |= send(s, i, len);
	t = ktime_get_ns() - t;
	while (!inline_host && s->answered != before + n) {
		unsigned long seen = s->answered;

		hvsim_run(s->host);
		if (s->answered == seen)
			break;
	}
	KUNIT_ASSERT_EQ(test, failed, 0u);
	KUNIT_ASSERT_EQ(test, s->answered, before + n);
	return t;
}

static void compare(struct kunit *test, struct ours *o, const char *what, u32 len,
		    unsigned int n, bool inline_host, bool ext)
{
	u64 best_ours = U64_MAX, best_intree = U64_MAX;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		best_ours = min(best_ours, batch(test, &o->side, n, len, inline_host, ext));
		best_intree = min(best_intree,
				  batch(test, &intree.side, n, len, inline_host, ext));
	}
	/* tenths of a nanosecond; the script divides */
	pr_info("kmcl_bench: %s_%u %llu %llu\n", what, len,
		div_u64(best_ours * 10, n), div_u64(best_intree * 10, n));
}

static void a_packet_costs_about_what_it_costs_in_tree(struct kunit *test)
{
	static const u32 sizes[] = { 16, 64, 512, 4096 };
	static const u32 external_sizes[] = { 4096, EXTERNAL_MOST };
	struct ours *o;
	unsigned int i;

	external = kunit_kzalloc(test, EXTERNAL_MOST, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, external);
	o = ours_new(test);
	intree_new(test);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		u32 len = sizes[i];
		/* what certainly fits into both rings */
		unsigned int n = min_t(unsigned int, 400, RING_BYTES / (len + 64) - 1);

		compare(test, o, "send", len, n, false, false);
		compare(test, o, "roundtrip", len, n, true, false);
	}
	for (i = 0; i < ARRAY_SIZE(external_sizes); i++) {
		u32 len = external_sizes[i];
		unsigned int n = RING_BYTES / (128 + INLINE_BYTES + len / 512) - 1;

		compare(test, o, "external_send", len, n, false, true);
		compare(test, o, "external_roundtrip", len, n, true, true);
	}
	ours_free(o);
	vmbus_driver_unregister(&intree_driver);
}

static struct kunit_case cases[] = {
	KUNIT_CASE_SLOW(a_packet_costs_about_what_it_costs_in_tree),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_bench",
	.init = vsc_suite_init,
	.exit = vsc_suite_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KMCL beside the in-tree pattern: ns per packet");
