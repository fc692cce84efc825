// SPDX-License-Identifier: GPL-2.0
/*
 * Transaction slots: the table of them, and what an id from the peer names.
 *
 * A slot's word has the state of the packet that owns it, and the generation of that
 * packet's send.  Whoever moves it from one state to another has the packet, so that of
 * an answer, an abort and a timeout one completes it.
 */
#include <linux/export.h>
#include <linux/slab.h>
#include "kmcl.h"

static struct kmcl_slot *slot_at(struct kmcl_channel *ch, u32 index)
{
	return &ch->chunks[index / KMCL_SLOT_CHUNK]->slots[index % KMCL_SLOT_CHUNK];
}

/* Called with slot_lock; leaves it for no one: GFP_ATOMIC inside. */
static bool slots_grow(struct kmcl_channel *ch)
{
	u32 nr = ch->slots / KMCL_SLOT_CHUNK, i;
	struct kmcl_chunk *chunk;

	if (nr == ch->chunk_max)
		return false;
	chunk = kmcl_chunk_new(ch, GFP_ATOMIC);
	if (!chunk)
		return false;
	for (i = 0; i < KMCL_SLOT_CHUNK; i++)
		chunk->slots[i].next = i + 1 < KMCL_SLOT_CHUNK ? ch->slots + i + 2 : 0;
	ch->chunks[nr] = chunk;
	ch->free_slot = ch->slots + 1;
	/* pairs with kmcl_slot_by_id(): the chunk before the count */
	smp_store_release(&ch->slots, ch->slots + KMCL_SLOT_CHUNK);
	return true;
}

/**
 * kmcl_packet_take_slot() - give a packet a transaction slot
 * @pkt: a packet without one
 *
 * Context: any up to softirq.
 * Return: false when the channel's limit is reached or memory is short.
 */
bool kmcl_packet_take_slot(struct kmcl_packet *pkt)
{
	struct kmcl_channel *ch = pkt->object.channel;
	bool ok = false;

	spin_lock_bh(&ch->slot_lock);
	if (!pkt->internal && ch->packets >= ch->config.max_count)
		goto out;
	if (!ch->free_slot && !slots_grow(ch))
		goto out;
	pkt->index = ch->free_slot - 1;
	pkt->slot = slot_at(ch, pkt->index);
	pkt->place = ch->chunks[pkt->index / KMCL_SLOT_CHUNK]->number * KMCL_SLOT_CHUNK +
		     pkt->index % KMCL_SLOT_CHUNK;
	ch->free_slot = pkt->slot->next;
	WRITE_ONCE(pkt->slot->object, pkt);
	if (!pkt->internal)
		ch->packets++;
	ok = true;
out:
	spin_unlock_bh(&ch->slot_lock);
	return ok;
}

/**
 * kmcl_packet_give_slot() - end a packet's hold on its transaction slot
 * @pkt: packet that has one, in nobody else's hands
 *
 * Its handle names nothing from here on.  Context: any up to softirq.
 */
void kmcl_packet_give_slot(struct kmcl_packet *pkt)
{
	struct kmcl_channel *ch = pkt->object.channel;
	struct kmcl_slot *slot = pkt->slot;
	s64 gen = atomic64_read(&slot->word) & ~0xffffffffLL;

	spin_lock_bh(&ch->slot_lock);
	WRITE_ONCE(slot->object, NULL);
	WRITE_ONCE(slot->generation, slot->generation + 1);
	/* pairs with VmbPacketFree(): who reads the next word reads the next generation */
	atomic64_set_release(&slot->word, gen + (1LL << 32));
	slot->next = ch->free_slot;
	ch->free_slot = pkt->index + 1;
	if (!pkt->internal)
		ch->packets--;
	spin_unlock_bh(&ch->slot_lock);
	pkt->slot = NULL;
}

/**
 * kmcl_slot_by_id() - find what an id names
 * @ch: channel
 * @id: from the peer, unchecked
 *
 * Return: the slot, or NULL.
 */
struct kmcl_slot *kmcl_slot_by_id(struct kmcl_channel *ch, u64 id)
{
	u32 index = (u32)id - 1 - ch->id_base;

	/* pairs with the release in slots_grow() */
	if (index >= smp_load_acquire(&ch->slots))
		return NULL;
	return slot_at(ch, index);
}

/**
 * kmcl_packet_move() - move a packet's state, keeping its generation
 * @pkt: the packet
 * @from: state it is expected in
 * @to: next state
 *
 * Return: true for the one caller that moved it.
 */
bool kmcl_packet_move(struct kmcl_packet *pkt, enum kmcl_slot_state from,
		      enum kmcl_slot_state to)
{
	s64 word = atomic64_read(&pkt->slot->word);

	if (kmcl_word_state(word) != from)
		return false;
	return atomic64_try_cmpxchg(&pkt->slot->word, &word, word - from + to);
}

/**
 * kmcl_packet_published() - a packet's data is copied; it is about to be visible
 * @link: the link it goes out on
 * @id: its transaction id
 *
 * Called by the transport between the copy into the ring and the store of the
 * write index, only for packets that want an answer.  From here on the answer,
 * and with it the end of the packet's memory, can come at any time.
 *
 * Context: any; may be called under the transport's ring lock.
 * Return: @id, for a transport that hands it on.
 */
u64 kmcl_packet_published(struct kmcl_link *link, u64 id)
{
	struct kmcl_channel *ch = link->channel;
	/* an id of ours, of a packet that is being sent */
	struct kmcl_slot *slot = slot_at(ch, (u32)id - 1 - ch->id_base);

	/* the sender owns a packet in WRITING: nobody else moves this word */
	atomic64_set(&slot->word, (id & ~0xffffffffULL) |
				  (slot->lends ? KMCL_SLOT_LENT : KMCL_SLOT_SENT));
	return id;
}
EXPORT_SYMBOL_GPL(kmcl_packet_published);

/**
 * kmcl_packet_answered() - the peer completed something
 * @ch: channel
 * @id: transaction id, unchecked
 * @buf: payload of the answer, valid during the call
 * @len: bytes
 *
 * Context: the reader.
 * Return: false when nothing that was sent is waiting under @id.
 */
bool kmcl_packet_answered(struct kmcl_channel *ch, u64 id, void *buf, u32 len)
{
	struct kmcl_slot *slot = kmcl_slot_by_id(ch, id);
	struct kmcl_packet *pkt;
	u64 old = 0, gen;
	s64 word;

	if (unlikely(!slot)) {
		old = id;
		id = kmcl_packet_new_id(ch, old);
		slot = id ? kmcl_slot_by_id(ch, id) : NULL;
		if (!slot)
			return false;
	}
	gen = id & ~0xffffffffULL;
	/*
	 * The word first: while it says SENT under this generation the slot is
	 * not given to another packet, so the exchange proves a @pkt read after
	 * it. Read before, it could be the packet that had the slot last, which a
	 * peer that guesses the next id would have us complete.
	 */
	word = atomic64_read_acquire(&slot->word);
	if (word != (gen | KMCL_SLOT_SENT) && word != (gen | KMCL_SLOT_LENT))
		return false;
	pkt = READ_ONCE(slot->object);
	if (!atomic64_try_cmpxchg(&slot->word, &word, gen | KMCL_SLOT_IDLE))
		return false;
	if (unlikely(old))
		xa_erase_bh(&ch->restored, old);
	kmcl_packet_done(pkt, STATUS_SUCCESS, buf, len);
	return true;
}

/**
 * kmcl_packets_abort() - complete everything that awaits an answer
 * @ch: channel that accepts no more sends; every sender has left
 * @which: KMCL_SLOT_SENT, or KMCL_SLOT_LENT once the link is closed
 * @status: for the completion routines
 *
 * Context: process.
 */
void kmcl_packets_abort(struct kmcl_channel *ch, enum kmcl_slot_state which,
			NTSTATUS status)
{
	u32 i, n;

	/* pairs with the release in slots_grow() */
	n = smp_load_acquire(&ch->slots);
	for (i = 0; i < n; i++) {
		struct kmcl_slot *slot = slot_at(ch, i);
		/* the word before the packet: see kmcl_packet_answered() */
		s64 word = atomic64_read_acquire(&slot->word);
		struct kmcl_packet *pkt = READ_ONCE(slot->object);

		if (kmcl_word_state(word) != which)
			continue;
		if (atomic64_try_cmpxchg(&slot->word, &word, word - which + KMCL_SLOT_IDLE))
			kmcl_packet_done(pkt, status, NULL, 0);
	}
}

/**
 * kmcl_packets_lent() - may the peer use pages of the driver's?
 * @ch: channel
 *
 * Context: any up to softirq.
 * Return: true while a packet with external data is in flight.
 */
bool kmcl_packets_lent(struct kmcl_channel *ch)
{
	u32 i, n = smp_load_acquire(&ch->slots);	/* pairs with slots_grow() */

	for (i = 0; i < n; i++)
		if (kmcl_word_state(atomic64_read(&slot_at(ch, i)->word)) == KMCL_SLOT_LENT)
			return true;
	return false;
}

/**
 * kmcl_packet_sent_from() - find the packets that await an answer
 * @ch: channel that is frozen
 * @index: where to begin; where to go on
 *
 * Context: process.
 * Return: the next one, or NULL.
 */
struct kmcl_packet *kmcl_packet_sent_from(struct kmcl_channel *ch, u32 *index)
{
	u32 n = smp_load_acquire(&ch->slots);	/* pairs with slots_grow() */
	struct kmcl_slot *slot;

	while (*index < n) {
		slot = slot_at(ch, (*index)++);
		if (kmcl_word_state(atomic64_read(&slot->word)) == KMCL_SLOT_SENT)
			return slot->object;
	}
	return NULL;
}

/**
 * kmcl_packets_abandon() - give up pages that the peer may write to for ever
 * @ch: channel whose link could not be closed; nobody but the caller ends its
 *	packets
 *
 * Context: process.
 */
void kmcl_packets_abandon(struct kmcl_channel *ch)
{
	u32 i, n = smp_load_acquire(&ch->slots);	/* pairs with slots_grow() */
	u32 pages = 0, exposed = 0;

	for (i = 0; i < n; i++) {
		struct kmcl_slot *slot = slot_at(ch, i);
		struct kmcl_packet *lender = slot->object;

		if (kmcl_word_state(atomic64_read(&slot->word)) != KMCL_SLOT_LENT)
			continue;
		pages += lender->external->frames;
		exposed += kmcl_external_abandon(lender->external);
	}
	if (pages)
		kmcl_err(ch, "%u pages of external data stay with the host; %u of them are in memory that can be used again\n",
			 pages, exposed);
}

/* ---- the table ---- */

int kmcl_packets_init(struct kmcl_channel *ch)
{
	spin_lock_init(&ch->slot_lock);
	xa_init_flags(&ch->restored, XA_FLAGS_LOCK_BH);
	return kmcl_packets_limit(ch, ch->config.max_count);
}

/**
 * kmcl_packets_limit() - make room for a number of packets
 * @ch: disabled channel
 * @count: MaximumPacketCount
 *
 * The table of chunks holds as many for the library's own packets again, so
 * that a driver which uses up its packets can still send a synchronous request.
 *
 * Return: 0, -EINVAL or -ENOMEM.
 */
int kmcl_packets_limit(struct kmcl_channel *ch, u32 count)
{
	u32 chunks = DIV_ROUND_UP(count, KMCL_SLOT_CHUNK) + 4;
	struct kmcl_chunk **new, **old = NULL;

	if (count > KMCL_SLOTS_MAX)
		return -EINVAL;
	new = kvcalloc(chunks, sizeof(*new), GFP_KERNEL);
	if (!new)
		return -ENOMEM;
	spin_lock_bh(&ch->slot_lock);
	if (chunks > ch->chunk_max) {
		if (ch->chunks)
			memcpy(new, ch->chunks, ch->chunk_max * sizeof(*new));
		old = ch->chunks;
		ch->chunks = new;
		ch->chunk_max = chunks;
		new = NULL;
	}
	ch->config.max_count = count;
	spin_unlock_bh(&ch->slot_lock);
	kvfree(new);
	kvfree(old);
	return 0;
}

/**
 * kmcl_packets_reserve() - make room for slots beside those of MaximumPacketCount
 * @ch: disabled channel
 * @count: how many
 *
 * Return: 0, -EINVAL or -ENOMEM.
 */
int kmcl_packets_reserve(struct kmcl_channel *ch, u32 count)
{
	u32 max = ch->config.max_count;
	int ret;

	if (count > KMCL_SLOTS_MAX - max)
		return -EINVAL;
	ret = kmcl_packets_limit(ch, max + count);
	ch->config.max_count = max;
	return ret;
}

void kmcl_packets_exit(struct kmcl_channel *ch)
{
	u32 i;

	for (i = 0; i < ch->slots / KMCL_SLOT_CHUNK; i++)
		kmcl_chunk_free(ch->chunks[i]);
	kvfree(ch->chunks);
	xa_destroy(&ch->restored);
}
