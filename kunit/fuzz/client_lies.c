// SPDX-License-Identifier: GPL-2.0
/*
 * What a lying client may say to a server: each function one kind of lie. Called with the lock
 * of the offer, which is there.
 */
#include <linux/slab.h>
#include "client.h"
/* pure code, not exported by the library: the suites have their own copy */
#include "ring.c"

#define BODY		512u
#define FRAMES		64u

/* ---- control ---- */

void client_opens(struct client *c)
{
	const u32 half = RING_PAGES / 2 * KMCL_PAGE_SIZE;
	struct kmcl_offer_open open = {
		.gpadl = RINGS, .downstream_page = RING_PAGES / 2,
	};
	u64 frames[RING_PAGES];
	u32 i;

	memset(c->memory, 0, KMCL_PAGE_SIZE);
	memset(c->memory + half, 0, KMCL_PAGE_SIZE);
	c->out = (struct kmcl_ring_out) {
		.ctl = (void *)c->memory,
		.data = c->memory + KMCL_PAGE_SIZE,
		.size = half - KMCL_PAGE_SIZE,
	};
	c->in = (struct kmcl_ring) {
		.ctl = (void *)(c->memory + half),
		.data = c->memory + half + KMCL_PAGE_SIZE,
		.size = half - KMCL_PAGE_SIZE,
	};
	for (i = 0; i < RING_PAGES; i++)
		frames[i] = FRAME + i;
	/* it may be there from before */
	kmcl_offer_gpadl(c->offer, RINGS, 0, 2 * half, frames, RING_PAGES);
	c->open = false;
	c->asked = !kmcl_offer_open(c->offer, &open);
}

static u64 any_frame(struct client *c)
{
	return any(&c->rnd, 64) ? FRAME + any(&c->rnd, PAGES) : odd_number(&c->rnd);
}

static void lend(struct client *c)
{
	u32 pages = 1 + any(&c->rnd, 6), offset = any(&c->rnd, 4) ? 0 : any(&c->rnd, 4096);
	u32 bytes = pages * 4096 - offset - any(&c->rnd, 2) * any(&c->rnd, 2048);
	u32 handle = any(&c->rnd, 6), i;
	u64 frames[FRAMES];

	for (i = 0; i < FRAMES; i++)
		frames[i] = any_frame(c);
	switch (any(&c->rnd, 16)) {
	case 0:
		handle = odd_number(&c->rnd);
		break;
	case 1:
		offset = odd_number(&c->rnd);
		break;
	case 2:
		bytes = odd_number(&c->rnd);
		break;
	case 3:
		pages = any(&c->rnd, FRAMES);
		break;
	}
	kmcl_offer_gpadl(c->offer, handle, offset, bytes, frames, pages);
}

static void open_oddly(struct client *c)
{
	struct kmcl_offer_open open = {
		.gpadl = any(&c->rnd, 8) ? any(&c->rnd, 6) : odd_number(&c->rnd),
		.downstream_page = any(&c->rnd, 2) ? any(&c->rnd, 8) : odd_number(&c->rnd),
		.target_vp = odd_number(&c->rnd),
	};

	if (!kmcl_offer_open(c->offer, &open)) {
		/* in memory of which we do not know how it is a ring */
		c->asked = true;
		c->open = false;
	}
}

static void close_it(struct client *c)
{
	kmcl_offer_close(c->offer);
	c->asked = false;
	c->open = false;
}

/* ---- rings ---- */

static void publish(struct client *c, u32 at)
{
	kmcl_ring_publish(&c->out, at);
	kmcl_offer_signal(c->offer);
}

/* Whole, if there is room for it. */
static void write(struct client *c, const void *packet, u32 len)
{
	__le64 footer = cpu_to_le64((u64)c->out.write << 32);
	u32 room, at;

	if (!c->out.size)
		return;
	if (kmcl_ring_room(&c->out, &room)) {
		/* our own lie, or the server's: begin again */
		c->out.ctl->out = cpu_to_le32(c->out.write);
		return;
	}
	if (len + sizeof(footer) > room)
		return;
	at = kmcl_ring_put(&c->out, c->out.write, packet, len);
	at = kmcl_ring_put(&c->out, at, &footer, sizeof(footer));
	publish(c, at);
}

static void poke_a_word(struct client *c)
{
	struct kmcl_ring_ctl *ctl = any(&c->rnd, 2) ? c->out.ctl : c->in.ctl;
	u32 value = odd_number(&c->rnd);

	if (!ctl)
		return;
	if (any(&c->rnd, 8))
		value = any(&c->rnd, c->out.size) & ~7u;
	((u32 *)ctl)[any(&c->rnd, 4)] = value;
	kmcl_offer_signal(c->offer);
}

static void scribble(struct client *c)
{
	u32 n, at;

	for (n = 1 + any(&c->rnd, 4); n; n--) {
		at = any(&c->rnd, PAGES * 1024);
		if (c->out.size && any(&c->rnd, 2))
			at = 1024 + (c->out.write / 4 + any(&c->rnd, 64)) % (c->out.size / 4);
		/* control pages are for the other lie */
		if (at >= 1024 && (at < RING_PAGES / 2 * 1024 || at >= (RING_PAGES / 2 + 1) * 1024))
			((u32 *)c->memory)[at] = odd_number(&c->rnd);
	}
	kmcl_offer_signal(c->offer);
}

static void any_packet(struct client *c)
{
	struct {
		struct kmcl_desc desc;
		u8 body[BODY];
	} p = {};
	u32 len = ALIGN(sizeof(p.desc) + any(&c->rnd, BODY), 8);

	p.desc.type = cpu_to_le16(any(&c->rnd, 16) ? KMCL_TYPE_INBAND : any(&c->rnd, 16));
	p.desc.flags = cpu_to_le16(any(&c->rnd, 4) ? 1 : odd_number(&c->rnd));
	p.desc.id = cpu_to_le64(odd_number(&c->rnd));
	p.desc.len8 = cpu_to_le16(len / 8);
	p.desc.offset8 = cpu_to_le16(2);
	/* of a pipe, if it is one */
	p.body[0] = 1;
	p.body[4] = any(&c->rnd, 2) ? 8 : any(&c->rnd, 255);
	switch (any(&c->rnd, 64)) {
	case 0:
		p.desc.len8 = cpu_to_le16(any(&c->rnd, 2) ? 0 : 0xffff);
		break;
	case 1:
		p.desc.len8 = cpu_to_le16(odd_number(&c->rnd));
		break;
	case 2:
		p.desc.offset8 = cpu_to_le16(odd_number(&c->rnd));
		break;
	case 3 ... 5:
		p.desc.offset8 = cpu_to_le16(2 + any(&c->rnd, len / 8 - 1));
		break;
	}
	write(c, &p, len);
}

static void flood(struct client *c)
{
	struct {
		struct kmcl_desc desc;
		u32 body[4];
	} p = {
		.desc = {
			.type = cpu_to_le16(KMCL_TYPE_INBAND),
			.flags = cpu_to_le16(1),
			.offset8 = cpu_to_le16(2),
			.len8 = cpu_to_le16(4),
		},
		.body = { 1, 8 },
	};
	u32 n;

	for (n = any(&c->rnd, 100); n; n--)
		write(c, &p, sizeof(p));
}

static void external_data(struct client *c)
{
	struct {
		struct kmcl_desc desc;
		u32 words[96];
	} p = {};
	u32 ranges = any(&c->rnd, 5), n = 2, i, k;

	p.words[1] = ranges;
	for (i = 0; i < ranges; i++) {
		u32 offset = any(&c->rnd, 4096), bytes = 1 + any(&c->rnd, 8000);

		p.words[n++] = bytes;
		p.words[n++] = offset;
		for (k = DIV_ROUND_UP(offset + bytes, 4096); k; k--, n += 2)
			p.words[n] = FRAME + any(&c->rnd, PAGES);
	}
	for (i = max(any(&c->rnd, 8), 5u) - 5; i; i--)
		p.words[any(&c->rnd, n)] = odd_number(&c->rnd);
	n = ALIGN(n, 2);
	p.desc.type = cpu_to_le16(any(&c->rnd, 16) ? KMCL_TYPE_GPA_DIRECT : KMCL_TYPE_TRANSFER);
	p.desc.flags = cpu_to_le16(1);
	p.desc.offset8 = cpu_to_le16(2 + (any(&c->rnd, 16) ? n / 2 : any(&c->rnd, n / 2 + 1)));
	/* and a pipe header behind it */
	p.words[n] = 1;
	p.words[n + 1] = 8;
	p.desc.len8 = cpu_to_le16(2 + n / 2 + 2);
	write(c, &p, sizeof(p.desc) + n * 4 + 16);
}

/* What the server has sent: so that there is room again, and ids to lie about. */
static void listen(struct client *c)
{
	struct kmcl_ring_packet pkt;
	u32 avail, published = c->in.read;

	if (!c->in.size || kmcl_ring_avail(&c->in, &avail))
		return;
	while (avail && !kmcl_ring_head(&c->in, avail, &pkt)) {
		if (pkt.type != KMCL_TYPE_COMPLETION && pkt.flags)
			c->ids[c->seen++ % IDS] = pkt.id;
		kmcl_ring_skip(&c->in, &pkt);
		avail -= pkt.total;
	}
	if (kmcl_ring_consumed(&c->in, &published))
		kmcl_offer_signal(c->offer);
}

static void answer(struct client *c)
{
	struct {
		struct kmcl_desc desc;
		u8 body[64];
	} p = {};
	u64 id = c->ids[any(&c->rnd, IDS)];

	switch (any(&c->rnd, 16)) {
	case 0:
		id += 1ull << 32;
		break;
	case 1:
		id += any(&c->rnd, 64) - 32;
		break;
	case 2:
		id ^= 1ull << any(&c->rnd, 64);
		break;
	case 3:
		id = (u64)odd_number(&c->rnd) << 32 | odd_number(&c->rnd);
		break;
	}
	p.desc.type = cpu_to_le16(KMCL_TYPE_COMPLETION);
	p.desc.id = cpu_to_le64(id);
	p.desc.offset8 = cpu_to_le16(2);
	p.desc.len8 = cpu_to_le16(2 + any(&c->rnd, 9));
	write(c, &p, le16_to_cpu(p.desc.len8) * 8);
}

void client_lies(struct client *c)
{
	switch (any(&c->rnd, 32)) {
	case 0:
		if (any(&c->rnd, 2))
			poke_a_word(c);
		else
			scribble(c);
		break;
	case 1 ... 6:
		any_packet(c);
		break;
	case 7:
		flood(c);
		break;
	case 8 ... 13:
		external_data(c);
		break;
	case 14 ... 18:
		listen(c);
		break;
	case 19 ... 23:
		answer(c);
		break;
	case 24 ... 26:
		lend(c);
		break;
	case 27:
		kmcl_offer_gpadl_teardown(c->offer, any(&c->rnd, 8) ? any(&c->rnd, 6) :
					  odd_number(&c->rnd));
		break;
	case 28:
		if (!any(&c->rnd, 4))
			open_oddly(c);
		break;
	case 29:
		if (!any(&c->rnd, 2))
			close_it(c);
		break;
	default:
		kmcl_offer_signal(c->offer);
		break;
	}
}
