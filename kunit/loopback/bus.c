// SPDX-License-Identifier: GPL-2.0
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <ntddk.h>
#include "bus.h"
/* pure code, not exported by the library: the suites have their own copy */
#include "ring.c"

static LIST_HEAD(buses);		/* of the running case */

static struct bus *bus_of(struct kmcl_host *host)
{
	return container_of(host, struct bus, host);
}

static int offered(struct kmcl_host *host, struct kmcl_offer *offer)
{
	struct bus *b = bus_of(host);

	if (b->offer_error)
		return b->offer_error;
	b->offer = offer;
	b->offers++;
	wake_up_all(&b->wait);
	return 0;
}

static void rescinded(struct kmcl_host *host, struct kmcl_offer *offer)
{
	struct bus *b = bus_of(host);

	b->offer = NULL;
	b->rescinds++;
	wake_up_all(&b->wait);
}

static void answered(struct kmcl_host *host, struct kmcl_offer *offer, int err)
{
	struct bus *b = bus_of(host);

	b->opened = err;
	b->answers++;
	wake_up_all(&b->wait);
}

static void torn_down(struct kmcl_host *host, struct kmcl_offer *offer, u32 handle)
{
	struct bus *b = bus_of(host);

	b->last_torn = handle;
	b->torn++;
	wake_up_all(&b->wait);
}

static void signalled(struct kmcl_host *host, struct kmcl_offer *offer)
{
	struct bus *b = bus_of(host);

	atomic_inc(&b->signals);
	wake_up_all(&b->wait);
}

static struct page *page_of(struct kmcl_host *host, u64 frame)
{
	struct bus *b = bus_of(host);

	if (frame < BUS_FRAME || frame >= BUS_FRAME + BUS_PAGES)
		return NULL;
	return virt_to_page(b->memory + (frame - BUS_FRAME) * KMCL_PAGE_SIZE);
}

static const struct kmcl_host_ops shared_ops = {
	.offer		= offered,
	.rescind	= rescinded,
	.opened		= answered,
	.torn_down	= torn_down,
	.signal		= signalled,
};

static const struct kmcl_host_ops own_ops = {
	.offer		= offered,
	.rescind	= rescinded,
	.opened		= answered,
	.torn_down	= torn_down,
	.signal		= signalled,
	.page		= page_of,
};

struct bus *bus_new(struct kunit *test, bool own_frames)
{
	struct bus *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, b);
	b->test = test;
	b->memory = alloc_pages_exact(BUS_PAGES * KMCL_PAGE_SIZE, GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, b->memory);
	init_waitqueue_head(&b->wait);
	b->host.name = "the suite's bus";
	b->host.owner = THIS_MODULE;
	b->host.ops = own_frames ? &own_ops : &shared_ops;
	list_add(&b->node, &buses);
	KUNIT_ASSERT_EQ(test, kmcl_host_register(&b->host), 0);
	return b;
}

/* After its servers have gone. */
void bus_exit(struct kunit *test)
{
	struct bus *b, *next;

	end_exit(test);
	list_for_each_entry_safe(b, next, &buses, node) {
		list_del(&b->node);
		KUNIT_EXPECT_EQ(test, b->offers, b->rescinds);
		kmcl_host_unregister(&b->host);
		free_pages_exact(b->memory, BUS_PAGES * KMCL_PAGE_SIZE);
	}
}

struct end *bus_server(struct bus *b)
{
	HANDLE handle = kmcl_host_handle(b->host.name);
	struct end *e = end_new(b->test, true);

	KUNIT_ASSERT_NOT_NULL(b->test, handle);
	KUNIT_ASSERT_EQ(b->test, VmbServerChannelInitSetFlags(e->ch, 0), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(b->test, VmbServerChannelInitSetVmbusHandle(e->ch, handle), STATUS_SUCCESS);
	/* the channel keeps the provider, not the handle */
	ZwClose(handle);
	return e;
}

struct end *bus_open_server(struct bus *b)
{
	struct end *e = bus_server(b);

	KUNIT_ASSERT_EQ(b->test, VmbChannelEnable(e->ch), STATUS_SUCCESS);
	VmbChannelStart(e->ch);
	KUNIT_ASSERT_EQ(b->test, bus_open(b), 0);
	end_expect_soon(e, e->logged == 3);
	end_expect_log(e, "OSP");
	end_clear_log(e);
	return e;
}

u64 bus_frame(struct bus *b, u32 page)
{
	if (b->host.ops->page)
		return BUS_FRAME + page;
	return page_to_pfn(virt_to_page(b->memory + page * KMCL_PAGE_SIZE));
}

int bus_lend(struct bus *b, u32 handle, u32 first, u32 pages)
{
	u64 frames[BUS_PAGES];
	u32 i;

	for (i = 0; i < pages; i++)
		frames[i] = bus_frame(b, first + i);
	return kmcl_offer_gpadl(b->offer, handle, 0, pages * KMCL_PAGE_SIZE, frames, pages);
}

int bus_ask(struct bus *b, u32 gpadl, u32 downstream)
{
	struct kmcl_offer_open open = { .gpadl = gpadl, .downstream_page = downstream };

	return kmcl_offer_open(b->offer, &open);
}

int bus_open(struct bus *b)
{
	const u32 half = BUS_PAGES / 2 * KMCL_PAGE_SIZE;
	int ret, answers = b->answers;

	memset(b->memory, 0, 2 * half);
	b->out = (struct kmcl_ring_out) {
		.ctl = (void *)b->memory,
		.data = b->memory + KMCL_PAGE_SIZE,
		.size = half - KMCL_PAGE_SIZE,
	};
	b->in = (struct kmcl_ring) {
		.ctl = (void *)(b->memory + half),
		.data = b->memory + half + KMCL_PAGE_SIZE,
		.size = half - KMCL_PAGE_SIZE,
	};
	ret = bus_lend(b, BUS_RINGS, 0, BUS_PAGES);
	if (!ret)
		ret = bus_ask(b, BUS_RINGS, BUS_PAGES / 2);
	if (ret)
		return ret;
	if (!wait_event_timeout(b->wait, READ_ONCE(b->answers) != answers, 5 * HZ))
		return -ETIMEDOUT;
	return b->opened;
}

void bus_close(struct bus *b)
{
	kmcl_offer_close(b->offer);
}

void bus_write(struct bus *b, const void *bytes, u32 len)
{
	u32 at = kmcl_ring_put(&b->out, b->out.write, bytes, len);

	kmcl_ring_publish(&b->out, at);
	kmcl_offer_signal(b->offer);
}

void bus_packet(struct bus *b, struct kmcl_desc *head, u32 head_len, const void *body, u32 len)
{
	__le64 footer = cpu_to_le64((u64)b->out.write << 32);
	u32 at;

	head->offset8 = cpu_to_le16(head_len / 8);
	head->len8 = cpu_to_le16((head_len + len) / 8);
	at = kmcl_ring_put(&b->out, b->out.write, head, head_len);
	at = kmcl_ring_put(&b->out, at, body, len);
	at = kmcl_ring_put(&b->out, at, &footer, sizeof(footer));
	kmcl_ring_publish(&b->out, at);
	kmcl_offer_signal(b->offer);
}

bool bus_read(struct bus *b, struct kmcl_ring_packet *pkt, void *body, u32 size)
{
	u32 avail;

	if (kmcl_ring_avail(&b->in, &avail) || !avail ||
	    kmcl_ring_head(&b->in, avail, pkt))
		return false;
	kmcl_ring_copy(&b->in, pkt->payload, body, min(size, pkt->len));
	kmcl_ring_skip(&b->in, pkt);
	b->in.ctl->out = cpu_to_le32(b->in.read);
	return true;
}
