// SPDX-License-Identifier: GPL-2.0
/*
 * What a lying host may say: each function one kind of lie, drawn by host_lies().
 *
 * Two things it does not do, since they would only show that the bus trusts its host: messages
 * of impossible type or size, and a second offer of a device that is still there (the bus
 * WARNs at both); and it does not say that it has given memory back that it still has mapped.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include "host.h"

#define RESCINDS	3u		/* in a round */
#define BODY		512u

static enum hvsim_dir any_ring(struct rnd_state *rnd)
{
	return any(rnd, 2) ? HVSIM_G2H : HVSIM_H2G;
}

/* ---- rings ---- */

static void poke_a_word(struct host *h)
{
	enum hvsim_dir dir = any_ring(&h->rnd);
	enum hvsim_field field = any(&h->rnd, HVSIM_FEATURES + 1);
	u32 value = odd_number(&h->rnd);

	/* indices that cannot be poison at once: most are somewhere in the ring */
	if (field <= HVSIM_READ_INDEX && any(&h->rnd, 8))
		value = any(&h->rnd, 16 * 4096) & ~7u;
	hvsim_poke(h->chan, dir, field, value);
	hvsim_interrupt(h->chan);
}

/* In the middle of whatever is there, the ring of the guest's own included. */
static void scribble(struct host *h)
{
	struct hvsim_chan *c = h->chan;
	unsigned long flags;
	u32 n;

	spin_lock_irqsave(&c->lock, flags);
	if (c->open) {
		struct hvsim_ring *ring = any(&h->rnd, 4) ? &c->h2g : &c->g2h;

		for (n = 1 + any(&h->rnd, 4); n; n--) {
			u32 at = any(&h->rnd, ring->size / 4) * 4;

			/* behind what was written last, where it will matter */
			if (any(&h->rnd, 2))
				at = (ring->pos + any(&h->rnd, 64) * 4) % ring->size;
			*(u32 *)(ring->rb->buffer + at) = odd_number(&h->rnd);
		}
	}
	spin_unlock_irqrestore(&c->lock, flags);
	hvsim_interrupt(c);
}

/* Of a pipe, and as it should be as a rule. */
static void pipe_header(struct host *h, void *body, u32 len)
{
	u32 *words = body;

	words[0] = any(&h->rnd, 64) ? 1 : odd_number(&h->rnd);
	words[1] = len < 8 ? 0 : any(&h->rnd, 64) ? any(&h->rnd, len - 7) : odd_number(&h->rnd);
}

static void any_packet(struct host *h)
{
	struct hvsim_raw raw = {
		.desc.type = any(&h->rnd, 8) ? VM_PKT_DATA_INBAND : any(&h->rnd, 16),
		.desc.flags = any(&h->rnd, 4) ? 1 : odd_number(&h->rnd),
		.desc.trans_id = odd_number(&h->rnd),
		.len = any(&h->rnd, BODY),
		.quiet = !any(&h->rnd, 8),
	};
	u8 *body = kmalloc(BODY, GFP_KERNEL);

	if (!body)
		return;
	memset(body, any(&h->rnd, 256), BODY);
	pipe_header(h, body, raw.len);
	raw.payload = body;
	raw.size = ALIGN(sizeof(raw.desc) + raw.len, 8);
	raw.desc.len8 = raw.size / 8;
	raw.desc.offset8 = 2;
	switch (any(&h->rnd, 64)) {
	case 0:
		raw.desc.len8 = any(&h->rnd, 2) ? 0 : 0xffff;
		break;
	case 1:
		raw.desc.len8 = odd_number(&h->rnd);
		break;
	case 2:
		raw.desc.offset8 = odd_number(&h->rnd);
		break;
	case 3:
		raw.desc.type = odd_number(&h->rnd);
		break;
	case 4 ... 6:
		raw.desc.offset8 = 2 + any(&h->rnd, raw.size / 8 - 1);
		break;
	}
	hvsim_send_raw(h->chan, &raw);
	kfree(body);
}

/* Sizes up to what the ring holds. */
static void large_packet(struct host *h)
{
	u32 bytes, len = 4096 * (1 + any(&h->rnd, 16)) - any(&h->rnd, 128);
	u8 *body;

	if (!h->chan->open)
		return;
	bytes = hvsim_ring_bytes(h->chan, HVSIM_H2G);
	if (len > bytes - 32)
		len = bytes - 32;
	body = kvzalloc(len, GFP_KERNEL);
	if (body) {
		pipe_header(h, body, len);
		hvsim_send(h->chan, VM_PKT_DATA_INBAND, 1, 7, body, len);
	}
	kvfree(body);
}

static void flood(struct host *h)
{
	u32 n, len = any(&h->rnd, 64), body[16] = {};

	pipe_header(h, body, len);
	for (n = any(&h->rnd, 200); n; n--)
		if (hvsim_send(h->chan, VM_PKT_DATA_INBAND, n & 1, n, body, len))
			break;
}

/* ---- answers ---- */

static u64 near_the_truth(struct host *h)
{
	u64 id = h->ids[any(&h->rnd, IDS)];

	switch (any(&h->rnd, 8)) {
	case 0:
		return id + (1ull << 32);
	case 1:
		return id - (1ull << 32);
	case 2:
		return id + any(&h->rnd, 64) - 32;
	case 3:
		return (u64)odd_number(&h->rnd) << 32 | odd_number(&h->rnd);
	case 4:
		return id ^ 1ull << any(&h->rnd, 64);
	default:
		/* right, or late, or for the second time */
		return id;
	}
}

static void forge_an_answer(struct host *h)
{
	u32 flags = any(&h->rnd, 8) ? 0 : odd_number(&h->rnd);
	u8 body[BODY] = {};

	hvsim_send(h->chan, VM_PKT_COMP, flags, near_the_truth(h), body,
		   any(&h->rnd, any(&h->rnd, 4) ? 64 : BODY));
}

/* ---- external data ---- */

static u32 frame_of_what_is_lent(struct host *h, u32 page)
{
	return page_to_pfn(virt_to_page(h->round.lent)) + page;
}

static void external_data(struct host *h)
{
	bool direct = any(&h->rnd, 2);
	struct hvsim_raw raw = {
		.desc.type = direct ? VM_PKT_DATA_USING_GPA_DIRECT : VM_PKT_DATA_USING_XFER_PAGES,
		.desc.flags = 1,
	};
	u32 words[64] = {}, n = 2, i, k, ranges = any(&h->rnd, 5), frames;

	words[0] = direct ? 0 : SET;
	words[1] = ranges;
	for (i = 0; i < ranges; i++) {
		u32 offset = any(&h->rnd, 4096), bytes = 1 + any(&h->rnd, 6000);
		u32 first = any(&h->rnd, LENT_PAGES);

		words[n++] = bytes;
		words[n++] = direct ? offset : offset + 4096 * first;
		frames = direct ? DIV_ROUND_UP(offset + bytes, 4096) : 0;
		for (k = 0; k < frames; k++, n += 2)
			words[n] = frame_of_what_is_lent(h, first + k);
	}
	/* and one that is not as it should be, or two */
	for (i = max(any(&h->rnd, 8), 5u) - 5; i; i--)
		words[any(&h->rnd, n)] = odd_number(&h->rnd);
	n = ALIGN(n + any(&h->rnd, 4), 2);
	raw.payload = words;
	raw.len = n * sizeof(u32);
	raw.desc.offset8 = 2 + n / 2;
	if (!any(&h->rnd, 8))
		raw.desc.offset8 = 2 + any(&h->rnd, n / 2 + 1);
	raw.desc.len8 = 2 + n / 2;
	hvsim_send_raw(h->chan, &raw);
}

/* ---- control messages ---- */

static void forge_gpadl_created(struct host *h)
{
	struct vmbus_channel_gpadl_created msg = {
		.header.msgtype = CHANNELMSG_GPADL_CREATED,
		.child_relid = h->chan->relid,
		.gpadl = READ_ONCE(h->round.handle) + any(&h->rnd, 8),
		.creation_status = any(&h->rnd, 2) ? 0 : odd_number(&h->rnd),
	};

	hvsim_post(&msg, sizeof(msg));
}

static void forge_torndown(struct host *h)
{
	struct vmbus_channel_gpadl_torndown msg = {
		.header.msgtype = CHANNELMSG_GPADL_TORNDOWN,
		.gpadl = odd_number(&h->rnd),
	};

	if (!hvsim_find_gpadl(msg.gpadl))
		hvsim_post(&msg, sizeof(msg));
}

static void forge_open_result(struct host *h)
{
	struct vmbus_channel_open_result msg = {
		.header.msgtype = CHANNELMSG_OPENCHANNEL_RESULT,
		.child_relid = any(&h->rnd, 4) ? h->chan->relid : any(&h->rnd, 256),
		.openid = any(&h->rnd, 4) ? h->chan->relid : odd_number(&h->rnd),
		.status = odd_number(&h->rnd),
	};

	/* that it is open while the host has it closed is told by nothing but a late answer */
	if (!msg.status)
		msg.status = 1;
	hvsim_post(&msg, sizeof(msg));
}

static void forge_others(struct host *h)
{
	struct vmbus_channel_modifychannel_response modified = {
		.header.msgtype = CHANNELMSG_MODIFYCHANNEL_RESPONSE,
		.child_relid = odd_number(&h->rnd),
		.status = odd_number(&h->rnd),
	};
	struct vmbus_channel_version_response version = {
		.header.msgtype = CHANNELMSG_VERSION_RESPONSE,
		.version_supported = any(&h->rnd, 2),
	};

	if (any(&h->rnd, 2))
		hvsim_post(&modified, sizeof(modified));
	else
		hvsim_post(&version, sizeof(version));
}

static void forge_control(struct host *h)
{
	switch (any(&h->rnd, 4)) {
	case 0:
		forge_gpadl_created(h);
		break;
	case 1:
		forge_torndown(h);
		break;
	case 2:
		forge_open_result(h);
		break;
	default:
		forge_others(h);
		break;
	}
}

static const enum vmbus_channel_message_type silences[] = {
	CHANNELMSG_OPENCHANNEL, CHANNELMSG_CLOSECHANNEL, CHANNELMSG_GPADL_HEADER,
	CHANNELMSG_GPADL_TEARDOWN,
};

static void be_silent(struct host *h)
{
	u32 i = any(&h->rnd, ARRAY_SIZE(silences));

	hvsim_hold(h->chan, silences[i]);
}

void host_relents(struct host *h)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(silences); i++)
		hvsim_unhold(h->chan, silences[i]);
	h->chan->script.open_status = 0;
	h->chan->script.gpadl_status = 0;
	hvsim_resume(h->chan);
	hvsim_answer(h->chan, ~0u);
}

static void be_moody(struct host *h)
{
	struct hvsim_script *script = &h->chan->script;

	switch (any(&h->rnd, 6)) {
	case 0:
		script->answer = any(&h->rnd, HVSIM_ANSWER_NONE + 1);
		if (script->answer == HVSIM_ANSWER_FIXED)
			script->answer = HVSIM_ANSWER_ECHO;
		script->lag = any(&h->rnd, 20);
		break;
	case 1:
		script->open_status = any(&h->rnd, 2) ? odd_number(&h->rnd) : 0;
		break;
	case 2:
		script->gpadl_status = any(&h->rnd, 2) ? odd_number(&h->rnd) : 0;
		break;
	case 3:
		hvsim_stall(h->chan);
		break;
	case 4:
		hvsim_fail_posts(any(&h->rnd, 3), HV_STATUS_INSUFFICIENT_BUFFERS);
		break;
	default:
		script->mask = any(&h->rnd, 2);
		break;
	}
}

/* At any moment: while it opens, closes, lends. The same device comes back at once. */
static void rescind(struct host *h)
{
	struct hvsim_offer *offer = &h->v->offer;

	if (h->rescinds++ >= RESCINDS)
		return;
	host_relents(h);
	hvsim_rescind(h->chan);
	offer->hold = any(&h->rnd, 2) ? BIT(silences[any(&h->rnd, ARRAY_SIZE(silences))]) : 0;
	h->chan = hvsim_offer(offer) ?: h->chan;
}

void host_lies(struct host *h)
{
	switch (any(&h->rnd, 32)) {
	case 0:
		if (any(&h->rnd, 2))
			poke_a_word(h);
		else
			scribble(h);
		break;
	case 1:
	case 2 ... 6:
		any_packet(h);
		break;
	case 7:
		large_packet(h);
		break;
	case 8:
		flood(h);
		break;
	case 9 ... 15:
		forge_an_answer(h);
		break;
	case 16 ... 21:
		external_data(h);
		break;
	case 22 ... 23:
		forge_control(h);
		break;
	case 24:
		be_silent(h);
		break;
	case 25 ... 26:
		be_moody(h);
		break;
	case 27 ... 29:
		host_relents(h);
		break;
	case 30:
		hvsim_interrupt(h->chan);
		break;
	default:
		if (!any(&h->rnd, 4))
			rescind(h);
		break;
	}
}
