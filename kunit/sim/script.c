// SPDX-License-Identifier: GPL-2.0
/*
 * What the host does with the packets of a channel: the hooks, the record, and
 * the answers, at once, later or never.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/module.h>
#include <linux/slab.h>
#include "internal.h"

/* What a packet usually needs; such ones are used again: a debug kernel's allocator is slow. */
#define USUAL_ROOM	256

static struct hvsim_packet *new_packet(struct hvsim_chan *chan, u32 size)
{
	u32 room = max_t(u32, size, USUAL_ROOM);
	struct hvsim_packet *pkt = NULL;
	unsigned long flags;

	if (room == USUAL_ROOM) {
		spin_lock_irqsave(&chan->lock, flags);
		pkt = list_first_entry_or_null(&chan->spare, struct hvsim_packet, node);
		if (pkt)
			list_del(&pkt->node);
		spin_unlock_irqrestore(&chan->lock, flags);
	}
	if (!pkt)
		pkt = hvsim_alloc(offsetof(struct hvsim_packet, desc) + room);
	if (pkt) {
		pkt->size = size;
		pkt->room = room;
	}
	return pkt;
}

static void free_packet(struct hvsim_chan *chan, struct hvsim_packet *pkt)
{
	unsigned long flags;

	if (!pkt)
		return;
	if (pkt->room != USUAL_ROOM) {
		kfree(pkt);
		return;
	}
	spin_lock_irqsave(&chan->lock, flags);
	list_add(&pkt->node, &chan->spare);
	spin_unlock_irqrestore(&chan->lock, flags);
}

static struct hvsim_packet *copy_packet(struct hvsim_chan *chan,
					const struct vmpacket_descriptor *desc, u32 size)
{
	struct hvsim_packet *pkt = new_packet(chan, size);

	if (pkt)
		memcpy(&pkt->desc, desc, size);
	return pkt;
}

static void drop_list(struct hvsim_chan *chan, struct list_head *list)
{
	struct hvsim_packet *pkt, *next;
	unsigned long flags;
	LIST_HEAD(gone);

	spin_lock_irqsave(&chan->lock, flags);
	list_splice_init(list, &gone);
	spin_unlock_irqrestore(&chan->lock, flags);
	list_for_each_entry_safe(pkt, next, &gone, node)
		kfree(pkt);
}

/* A packet with the payload of @desc as completion of @desc. */
static struct hvsim_raw completion(const struct vmpacket_descriptor *desc,
				   const void *payload, u32 len)
{
	return (struct hvsim_raw) {
		.desc.type = VM_PKT_COMP,
		.desc.offset8 = sizeof(*desc) >> 3,
		.desc.len8 = ALIGN(sizeof(*desc) + len, sizeof(u64)) >> 3,
		.desc.trans_id = desc->trans_id,
		.payload = payload,
		.len = len,
	};
}

/*
 * Put an answer into the ring, or behind those that wait for room there. The
 * host reads no further packets while answers wait, so the guest's ring fills
 * in its turn.
 */
static void answer(struct hvsim_chan *chan, const struct vmpacket_descriptor *desc,
		   const void *payload, u32 len)
{
	struct hvsim_raw raw = completion(desc, payload, len);
	struct hvsim_packet *pkt;
	unsigned long flags;
	bool event = false;
	int ret = -EAGAIN;

	if (!hvsim_enter(chan))
		return;
	spin_lock_irqsave(&chan->lock, flags);
	if (list_empty(&chan->out))
		ret = hvsim_ring_write(chan, &raw, &event);
	if (!ret)
		chan->stats.answers++;
	spin_unlock_irqrestore(&chan->lock, flags);
	if (event)
		hvsim_set_event(chan);

	if (ret == -EAGAIN) {
		pkt = new_packet(chan, sizeof(raw.desc) + len);
		if (pkt) {
			pkt->desc = raw.desc;
			memcpy(&pkt->desc + 1, payload, len);
			spin_lock_irqsave(&chan->lock, flags);
			list_add_tail(&pkt->node, &chan->out);
			spin_unlock_irqrestore(&chan->lock, flags);
			hvsim_script_flush(chan);
		}
	}
	if (ret == -EMSGSIZE)
		hvsim_fault(chan, "asks for a completion of %u bytes, which its ring cannot hold",
			    len);
	hvsim_leave(chan);
}

/*
 * Move waiting answers into the ring. False: some still wait, and the guest
 * knows how much room the next one needs.
 */
bool hvsim_script_flush(struct hvsim_chan *chan)
{
	struct hvsim_packet *pkt;
	unsigned long flags;
	bool event, asked = false;
	int ret;

	for (;;) {
		struct hvsim_raw raw;

		event = false;
		spin_lock_irqsave(&chan->lock, flags);
		pkt = list_first_entry_or_null(&chan->out, struct hvsim_packet, node);
		if (!pkt) {
			spin_unlock_irqrestore(&chan->lock, flags);
			return true;
		}
		raw = completion(&pkt->desc, &pkt->desc + 1, pkt->size - sizeof(pkt->desc));
		ret = hvsim_ring_write(chan, &raw, &event);
		if (!ret) {
			list_del(&pkt->node);
			chan->stats.answers++;
			hvsim_await_room(chan, 0);
			asked = false;
		} else if (ret == -EAGAIN && !asked) {
			/* ask for room, then look once more */
			hvsim_await_room(chan, raw.desc.len8 << 3);
			asked = true;
			ret = 0;
			pkt = NULL;
		}
		spin_unlock_irqrestore(&chan->lock, flags);
		if (ret)
			return false;
		free_packet(chan, pkt);
		if (event)
			hvsim_set_event(chan);
	}
}

void hvsim_script_drop(struct hvsim_chan *chan)
{
	drop_list(chan, &chan->kept);
	drop_list(chan, &chan->out);
	chan->nr_kept = 0;
}

/* The channel itself goes. */
void hvsim_script_forget(struct hvsim_chan *chan)
{
	hvsim_script_drop(chan);
	drop_list(chan, &chan->record);
	drop_list(chan, &chan->spare);
}

/* ---- answers that were kept ---- */

static struct hvsim_packet *take_kept(struct hvsim_chan *chan, unsigned int leave,
				      const u64 *trans_id)
{
	struct hvsim_packet *pkt, *found = NULL;
	unsigned long flags;

	spin_lock_irqsave(&chan->lock, flags);
	if (chan->nr_kept > leave) {
		list_for_each_entry(pkt, &chan->kept, node) {
			if (!trans_id || pkt->desc.trans_id == *trans_id) {
				found = pkt;
				break;
			}
		}
	}
	if (found) {
		list_del(&found->node);
		chan->nr_kept--;
	}
	spin_unlock_irqrestore(&chan->lock, flags);
	return found;
}

static bool answer_kept(struct hvsim_chan *chan, unsigned int leave, const u64 *trans_id)
{
	struct hvsim_packet *pkt = take_kept(chan, leave, trans_id);

	if (!pkt)
		return false;
	answer(chan, &pkt->desc, hvsim_payload(pkt), hvsim_payload_len(pkt));
	free_packet(chan, pkt);
	return true;
}

static void keep(struct hvsim_chan *chan, const struct vmpacket_descriptor *desc, u32 size)
{
	struct hvsim_packet *pkt = copy_packet(chan, desc, size);
	unsigned int lag = READ_ONCE(chan->script.lag);
	unsigned long flags;

	if (!pkt)
		return;
	spin_lock_irqsave(&chan->lock, flags);
	list_add_tail(&pkt->node, &chan->kept);
	chan->nr_kept++;
	spin_unlock_irqrestore(&chan->lock, flags);
	while (lag && answer_kept(chan, lag, NULL))
		;
}

/**
 * hvsim_answer - answer packets that HVSIM_ANSWER_LATER has kept
 * @chan: the channel
 * @nr: how many, oldest first
 *
 * Return: how many there were to answer.
 */
int hvsim_answer(struct hvsim_chan *chan, unsigned int nr)
{
	unsigned int done = 0;

	while (done < nr && answer_kept(chan, 0, NULL))
		done++;
	return done;
}
EXPORT_SYMBOL_GPL(hvsim_answer);

/**
 * hvsim_answer_id - answer one packet that HVSIM_ANSWER_LATER has kept
 * @chan: the channel
 * @trans_id: its transaction id
 *
 * Return: false if none is kept under that id.
 */
bool hvsim_answer_id(struct hvsim_chan *chan, u64 trans_id)
{
	return answer_kept(chan, 0, &trans_id);
}
EXPORT_SYMBOL_GPL(hvsim_answer_id);

/**
 * hvsim_complete - complete a packet of the guest's, now or long after
 * @chan: the channel it came on
 * @trans_id: its transaction id
 * @payload: what to answer
 * @len: bytes there
 *
 * For a hook that returns HVSIM_ANSWER_NONE and says itself what the guest gets.
 * Waits its turn behind other answers when the ring is full; does nothing when
 * the channel is closed.
 */
void hvsim_complete(struct hvsim_chan *chan, u64 trans_id, const void *payload, u32 len)
{
	const struct vmpacket_descriptor desc = { .trans_id = trans_id };

	answer(chan, &desc, payload, len);
}
EXPORT_SYMBOL_GPL(hvsim_complete);

/**
 * hvsim_kept - how many packets wait for hvsim_answer()
 * @chan: the channel
 *
 * Return: their number.
 */
unsigned int hvsim_kept(struct hvsim_chan *chan)
{
	return READ_ONCE(chan->nr_kept);
}
EXPORT_SYMBOL_GPL(hvsim_kept);

/* ---- packets as they come ---- */

static void record(struct hvsim_chan *chan, const struct vmpacket_descriptor *desc, u32 size)
{
	struct hvsim_packet *pkt = copy_packet(chan, desc, size);
	unsigned long flags;

	if (!pkt)
		return;
	spin_lock_irqsave(&chan->lock, flags);
	list_add_tail(&pkt->node, &chan->record);
	spin_unlock_irqrestore(&chan->lock, flags);
}

/**
 * hvsim_clear_record - forget the packets recorded so far
 * @chan: the channel
 */
void hvsim_clear_record(struct hvsim_chan *chan)
{
	drop_list(chan, &chan->record);
}
EXPORT_SYMBOL_GPL(hvsim_clear_record);

void hvsim_script_packet(struct hvsim_chan *chan, const struct vmpacket_descriptor *desc,
			 u32 size)
{
	const struct hvsim_script *script = &chan->script;
	const void *payload = (const u8 *)desc + (desc->offset8 << 3);
	u32 len = size - (desc->offset8 << 3);
	enum hvsim_answer how = HVSIM_ANSWER_SCRIPTED;

	if (READ_ONCE(script->record))
		record(chan, desc, size);
	if (script->on_packet)
		how = script->on_packet(chan, desc, payload, len);
	if (!(desc->flags & VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED))
		return;
	if (how == HVSIM_ANSWER_SCRIPTED)
		how = READ_ONCE(script->answer);
	switch (how) {
	case HVSIM_ANSWER_ECHO:
		answer(chan, desc, payload, len);
		break;
	case HVSIM_ANSWER_FIXED:
		answer(chan, desc, script->fixed, script->fixed_len);
		break;
	case HVSIM_ANSWER_LATER:
		keep(chan, desc, size);
		break;
	case HVSIM_ANSWER_NONE:
	case HVSIM_ANSWER_SCRIPTED:
		break;
	}
}
