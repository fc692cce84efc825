// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>
#include <linux/vmalloc.h>
#include "../helper.h"
#include "client.h"

static struct client *client_of(struct kmcl_host *host)
{
	return container_of(host, struct client, host);
}

static int host_offer(struct kmcl_host *host, struct kmcl_offer *offer)
{
	client_of(host)->offer = offer;
	client_of(host)->offers++;
	return 0;
}

static int host_restore(struct kmcl_host *host, struct kmcl_offer *offer)
{
	if (client_of(host)->gone)
		return -ENODEV;
	client_of(host)->restored++;
	return host_offer(host, offer);
}

/* Waits for a call of the client's, as a provider has to. */
static void host_rescind(struct kmcl_host *host, struct kmcl_offer *offer)
{
	mutex_lock(&client_of(host)->calls);
	client_of(host)->offer = NULL;
	mutex_unlock(&client_of(host)->calls);
	client_of(host)->offers--;
}

static void host_opened(struct kmcl_host *host, struct kmcl_offer *offer, int err)
{
	if (!err)
		client_of(host)->opened++;
}

static void host_torn_down(struct kmcl_host *host, struct kmcl_offer *offer, u32 handle)
{
}

static void host_signal(struct kmcl_host *host, struct kmcl_offer *offer)
{
}

static struct page *host_page(struct kmcl_host *host, u64 frame)
{
	u64 page = frame - CLIENT_FRAME;

	return page < CLIENT_PAGES ? client_of(host)->pages[page] : NULL;
}

static const struct kmcl_host_ops host_ops = {
	.offer = host_offer,
	.rescind = host_rescind,
	.opened = host_opened,
	.torn_down = host_torn_down,
	.signal = host_signal,
	.page = host_page,
	.restore = host_restore,
};

static struct client *the_client;	/* of the running case */

void client_exit(struct kunit *test)
{
	struct client *c = the_client;
	u32 i;

	vsp_exit(test);
	the_client = NULL;
	if (!c)
		return;
	ZwClose(c->handle);
	kmcl_host_unregister(&c->host);
	vunmap(c->memory);
	for (i = 0; i < CLIENT_PAGES; i++)
		__free_page(c->pages[i]);
}

struct client *client_new(struct kunit *test)
{
	struct client *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);
	u32 i, bytes = CLIENT_RING_PAGES * 4096;

	KUNIT_ASSERT_NOT_NULL(test, c);
	c->test = test;
	mutex_init(&c->calls);
	for (i = 0; i < CLIENT_PAGES; i++) {
		c->pages[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		KUNIT_ASSERT_NOT_NULL(test, c->pages[i]);
	}
	c->memory = vmap(c->pages, 2 * CLIENT_RING_PAGES, VM_MAP, PAGE_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, c->memory);
	c->out = (struct kmcl_ring_out) {
		.ctl = c->memory, .data = c->memory + 4096, .size = bytes - 4096,
	};
	c->in = (struct kmcl_ring) {
		.ctl = c->memory + bytes, .data = c->memory + bytes + 4096, .size = bytes - 4096,
	};
	c->host = (struct kmcl_host) {
		.name = "the suite's client", .owner = THIS_MODULE, .ops = &host_ops,
	};
	KUNIT_ASSERT_EQ(test, kmcl_host_register(&c->host), 0);
	c->handle = kmcl_host_handle(c->host.name);
	KUNIT_ASSERT_NOT_NULL(test, c->handle);
	the_client = c;
	return c;
}

struct vsp *client_server(struct client *c, struct vsp *v)
{
	struct kunit *test = c->test;

	KUNIT_ASSERT_EQ(test, VmbServerChannelInitSetFlags(v->e->ch, 0), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbServerChannelInitSetVmbusHandle(v->e->ch, c->handle),
			STATUS_SUCCESS);
	return v;
}

void client_open(struct client *c)
{
	struct kmcl_offer_open open = {
		.gpadl = CLIENT_RINGS,
		.downstream_page = CLIENT_RING_PAGES,
		.target_vp = 1,
		.user = "golden",
	};
	u64 frames[2 * CLIENT_RING_PAGES];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(frames); i++)
		frames[i] = CLIENT_FRAME + i;
	KUNIT_ASSERT_EQ(c->test, 0, kmcl_offer_gpadl(c->offer, CLIENT_RINGS, 0,
						     ARRAY_SIZE(frames) * 4096, frames,
						     ARRAY_SIZE(frames)));
	frames[0] = CLIENT_FRAME + 9;
	frames[1] = CLIENT_FRAME + 8;
	KUNIT_ASSERT_EQ(c->test, kmcl_offer_gpadl(c->offer, CLIENT_OTHER, 512, 5000, frames, 2), 0);
	KUNIT_ASSERT_EQ(c->test, kmcl_offer_open(c->offer, &open), 0);
	KUNIT_ASSERT_TRUE(c->test, becomes(c->opened == 1));
}

void client_write(struct client *c, u16 type, u64 id, bool wants_reply, const void *head,
		  u32 head_bytes, u32 number)
{
	struct message m = { .number = number, .size = 5 };
	u32 total = KMCL_DESC_SIZE + head_bytes + sizeof(m), at = c->out.write;
	struct kmcl_desc desc = {
		.type = cpu_to_le16(type),
		.offset8 = cpu_to_le16((KMCL_DESC_SIZE + head_bytes) / 8),
		.len8 = cpu_to_le16(total / 8),
		.flags = cpu_to_le16(wants_reply ? KMCL_DESC_WANTS_REPLY : 0),
		.id = cpu_to_le64(id),
	};
	__le64 footer = cpu_to_le64((u64)c->out.write << 32);

	at = kmcl_ring_put(&c->out, at, &desc, sizeof(desc));
	at = kmcl_ring_put(&c->out, at, head, head_bytes);
	at = kmcl_ring_put(&c->out, at, &m, sizeof(m));
	at = kmcl_ring_put(&c->out, at, &footer, sizeof(footer));
	kmcl_ring_publish(&c->out, at);
	kmcl_offer_signal(c->offer);
}

void client_send(struct client *c, u64 id, bool wants_reply, u32 number)
{
	client_write(c, KMCL_TYPE_INBAND, id, wants_reply, NULL, 0, number);
}

void client_send_external(struct client *c, u64 id, u32 number)
{
	struct {
		__le32 reserved;
		__le32 count;
		__le32 bytes;
		__le32 offset;
		__le64 frames[2];
	} head = {
		.count = cpu_to_le32(1),
		.bytes = cpu_to_le32(4200),
		.offset = cpu_to_le32(100),
		.frames = { cpu_to_le64(CLIENT_FRAME + 11), cpu_to_le64(CLIENT_FRAME + 10) },
	};

	client_write(c, KMCL_TYPE_GPA_DIRECT, id, true, &head, sizeof(head), number);
}

bool client_read(struct client *c, struct kmcl_ring_packet *pkt, struct message *m)
{
	u32 avail;

	KUNIT_ASSERT_EQ(c->test, kmcl_ring_avail(&c->in, &avail), KMCL_RING_OK);
	if (!avail)
		return false;
	KUNIT_ASSERT_EQ(c->test, kmcl_ring_head(&c->in, avail, pkt), KMCL_RING_OK);
	memset(m, 0, sizeof(*m));
	kmcl_ring_copy(&c->in, pkt->payload, m, min_t(u32, sizeof(*m), pkt->len));
	kmcl_ring_skip(&c->in, pkt);
	return true;
}
