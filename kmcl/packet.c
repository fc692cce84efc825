// SPDX-License-Identifier: GPL-2.0
/*
 * Outgoing packet objects, their transaction slots, and the call of completion
 * routines.
 *
 * A packet owns its slot from VmbPacketAllocate() on, so sending never has to
 * find one.  A packet in the driver's own memory owns one from
 * VmbPacketInitialize() until its completion routine is called: as on Windows,
 * that memory is then simply dropped or initialised again, and nothing may
 * stay behind.
 */
#include <linux/export.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include "kmcl.h"
#include "observe.h"

/* Completions waiting for the outer loop of this CPU; touched with BH off. */
struct kmcl_done {
	bool running;
	struct list_head list;
};

static DEFINE_PER_CPU(struct kmcl_done, kmcl_done);

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
 */
void kmcl_packet_published(struct kmcl_link *link, u64 id)
{
	struct kmcl_slot *slot = kmcl_slot_by_id(link->channel, id);

	/* the sender owns a packet in WRITING: nobody else moves this word */
	atomic64_set(&slot->word, (id & ~0xffffffffULL) |
				  (slot->lends ? KMCL_SLOT_LENT : KMCL_SLOT_SENT));
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

static void call_routine(struct kmcl_packet *pkt, NTSTATUS status, void *buf, u32 len)
{
	VMBPACKET handle = kmcl_packet_handle(pkt);

	trace_kmcl_packet_complete(pkt, status, len);
	if (unlikely(status))
		this_cpu_inc(pkt->object.channel->tx.counters->aborted);
	/* the routine may drop the memory of a packet that is not ours */
	if (!pkt->library && pkt->slot)
		kmcl_packet_give_slot(pkt);

	if (pkt->ex)
		pkt->routine_ex(handle, pkt->context, status, buf, len);
	else
		pkt->routine(handle, status, buf, len);
}

/**
 * kmcl_packet_done() - call a packet's completion routine, once
 * @pkt: packet; the caller has moved its slot to IDLE
 * @status: how it ended
 * @buf: the answer's payload, or NULL
 * @len: its bytes
 *
 * The routine runs with BH off (DISPATCH_LEVEL) inside an RCU read side
 * section, which is what teardown waits for.  A routine that makes another
 * packet complete on the same stack does not nest: that one waits here for the
 * outer call to return, so a chain of sends needs no stack.  Only completions
 * without payload can nest, since answers are delivered by the reader.
 *
 * External data are the driver's again before its routine runs.
 *
 * Context: process or softirq, interrupts on, no lock held.
 */
void kmcl_packet_done(struct kmcl_packet *pkt, NTSTATUS status, void *buf, u32 len)
{
	struct kmcl_done *done;

	if (unlikely(pkt->tx.type == KMCL_TYPE_GPA_DIRECT))
		kmcl_external_unmap(pkt->external);
	local_bh_disable();
	rcu_read_lock();
	done = this_cpu_ptr(&kmcl_done);
	if (done->running) {
		/* not the driver's yet: a send or a free now is refused */
		kmcl_packet_move(pkt, KMCL_SLOT_IDLE, KMCL_SLOT_ENDING);
		pkt->status = status;
		list_add_tail(&pkt->tx.node, &done->list);
		goto out;
	}
	done->running = true;
	call_routine(pkt, status, buf, len);
	while (!list_empty(&done->list)) {
		pkt = list_first_entry(&done->list, struct kmcl_packet, tx.node);
		list_del(&pkt->tx.node);
		kmcl_packet_move(pkt, KMCL_SLOT_ENDING, KMCL_SLOT_IDLE);
		call_routine(pkt, pkt->status, NULL, 0);
	}
	done->running = false;
out:
	rcu_read_unlock();
	local_bh_enable();
}

/* An allocated packet's routine until the driver sets another: it frees. */
static VOID free_on_completion(VMBPACKET handle, NTSTATUS status, PVOID buf, UINT32 len)
{
	VmbPacketFree(handle);
}

static void packet_setup(struct kmcl_packet *pkt, struct kmcl_channel *ch, u32 capacity,
			 const struct kmcl_limits *limits)
{
	memset(pkt, 0, sizeof(*pkt));
	pkt->object.magic = KMCL_MAGIC_PACKET;
	pkt->object.channel = ch;
	pkt->channel_key = ch->key;
	pkt->handle = (VMBPACKET)pkt;
	pkt->capacity = capacity;
	INIT_LIST_HEAD(&pkt->tx.node);
	pkt->external = (void *)pkt->data + KMCL_PIPE_HEADER + ALIGN(capacity, 8);
	kmcl_external_setup(pkt->external, limits);
}

/* A server cannot lend its client memory: see kmcl_check_flags(). */
static struct kmcl_limits packet_limits(const struct kmcl_channel *ch)
{
	struct kmcl_limits limits = kmcl_limits(&ch->config);

	if (ch->server)
		limits = (struct kmcl_limits) { .packet = limits.packet };
	return limits;
}

/* U32_MAX, which nobody has, for what no ring takes: Enable refuses that too. */
static u32 packet_bytes(const struct kmcl_limits *limits)
{
	if (unlikely(limits->packet > KMCL_PACKET_MAX ||
		     kmcl_external_head(limits) > KMCL_PACKET_MAX))
		return U32_MAX;
	return sizeof(struct kmcl_packet) + KMCL_PIPE_HEADER + ALIGN(limits->packet, 8) +
	       kmcl_external_bytes(limits);
}

/**
 * kmcl_packet_alloc() - allocate a packet object and its slot
 * @ch: channel
 * @internal: not counted against the driver's MaximumPacketCount
 * @gfp: how to allocate
 *
 * Return: the packet, or NULL.
 */
struct kmcl_packet *kmcl_packet_alloc(struct kmcl_channel *ch, bool internal, gfp_t gfp)
{
	u32 context = internal ? 0 : READ_ONCE(ch->config.inline_context);
	struct kmcl_limits limits = packet_limits(ch);
	u32 bytes = packet_bytes(&limits), behind;
	struct kmcl_packet *pkt;

	if (unlikely(bytes == U32_MAX))
		return NULL;
	behind = ALIGN(bytes, KMCL_CONTEXT_ALIGN);
	pkt = kvmalloc(context ? behind + context : bytes, gfp);
	if (!pkt)
		return NULL;
	packet_setup(pkt, ch, limits.packet, &limits);
	pkt->library = true;
	if (context)
		pkt->inline_context = memset((u8 *)pkt + behind, 0, context);
	pkt->internal = internal;
	pkt->routine = free_on_completion;
	if (!kmcl_packet_take_slot(pkt)) {
		kvfree(pkt);
		return NULL;
	}
	pkt->handle = kmcl_handle_make(KMCL_KIND_PACKET, pkt->place, pkt->slot->generation);
	kref_get(&ch->ref);
	return pkt;
}

/**
 * kmcl_packet_free() - give back a packet that is not in flight
 * @pkt: the packet; a driver's own memory stays with the driver
 */
void kmcl_packet_free(struct kmcl_packet *pkt)
{
	struct kmcl_channel *ch = pkt->object.channel;

	if (pkt->slot)
		kmcl_packet_give_slot(pkt);
	pkt->object.magic = 0;
	if (!pkt->library)
		return;
	kvfree(pkt);
	kmcl_channel_put(ch);
}

void __init kmcl_packets_setup(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		INIT_LIST_HEAD(&per_cpu_ptr(&kmcl_done, cpu)->list);
}

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

/* ---- the API ---- */

VMBPACKET VmbPacketAllocate(VMBCHANNEL Channel)
{
	struct kmcl_channel *ch = kmcl_channel(Channel);
	struct kmcl_packet *pkt;

	if (!ch || !kmcl_dispatch(ch, __func__))
		return NULL;
	pkt = kmcl_packet_alloc(ch, false, GFP_ATOMIC);
	return pkt ? kmcl_packet_handle(pkt) : NULL;
}
EXPORT_SYMBOL_GPL(VmbPacketAllocate);

/*
 * Memory that was initialised and never sent still owns a slot, of this channel or
 * another. What the memory says of itself proves nothing; what the table says
 * does. False: it is in flight.
 */
static bool recover_slot(struct kmcl_packet *pkt)
{
	struct kmcl_channel *ch = NULL;
	struct kmcl_chunk *chunk;
	struct kmcl_slot *slot;
	bool mine = false, idle = true;

	rcu_read_lock();
	chunk = kmcl_chunk_at(pkt->place);
	if (chunk) {
		slot = &chunk->slots[pkt->place % KMCL_SLOT_CHUNK];
		if (READ_ONCE(slot->object) == pkt)
			ch = chunk->channel;
	}
	if (ch) {
		/* against kmcl_packets_limit(), which may run on a disabled channel */
		spin_lock_bh(&ch->slot_lock);
		mine = kmcl_slot_by_id(ch, (u64)ch->id_base + pkt->index + 1) == slot &&
		       slot->object == pkt;
		spin_unlock_bh(&ch->slot_lock);
	}
	if (mine) {
		idle = kmcl_word_state(atomic64_read(&slot->word)) == KMCL_SLOT_IDLE;
		if (idle) {
			pkt->object.channel = ch;
			pkt->slot = slot;
			kmcl_packet_give_slot(pkt);
		}
	}
	rcu_read_unlock();
	return idle;
}

NTSTATUS VmbPacketInitialize(VMBCHANNEL Channel, VMBPACKET Buffer, UINT32 Size)
{
	struct kmcl_channel *ch = kmcl_channel(Channel);
	struct kmcl_packet *pkt = (struct kmcl_packet *)Buffer;
	struct kmcl_limits limits;
	u32 bytes;

	if (!ch)
		return STATUS_INVALID_PARAMETER_1;
	if (!pkt || !IS_ALIGNED((unsigned long)pkt, 8) || !kmcl_handle_is_address(pkt))
		return STATUS_INVALID_PARAMETER_2;
	limits = packet_limits(ch);
	bytes = packet_bytes(&limits);
	if (Size < bytes || bytes == U32_MAX)
		return STATUS_INVALID_PARAMETER_3;

	if (!kmcl_dispatch(ch, __func__))
		return STATUS_INVALID_DEVICE_REQUEST;
	if (pkt->object.magic == KMCL_MAGIC_PACKET && !recover_slot(pkt)) {
		kmcl_warn(ch, "%s: the packet is in flight\n", __func__);
		return STATUS_INVALID_PARAMETER_2;
	}
	/* what there is more goes to the payload */
	packet_setup(pkt, ch, ALIGN(limits.packet, 8) + ALIGN_DOWN(Size - bytes, 8), &limits);
	if (!kmcl_packet_take_slot(pkt)) {
		pkt->object.magic = 0;
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbPacketInitialize);

/*
 * The word of an idle packet, before and after a look at who it is: two calls
 * that free the same packet do not both get it, not even in this order of things.
 */
static bool claim_for_free(struct kmcl_packet *pkt, VMBPACKET handle)
{
	struct kmcl_slot *slot;
	bool mine = false;
	s64 word;

	rcu_read_lock();
	slot = kmcl_handle_slot(handle);
	if (slot) {
		/* pairs with kmcl_packet_give_slot() */
		word = atomic64_read_acquire(&slot->word);
		mine = kmcl_handle_object(handle) == pkt &&
		       kmcl_word_state(word) == KMCL_SLOT_IDLE &&
		       atomic64_try_cmpxchg(&slot->word, &word,
					    word - KMCL_SLOT_IDLE + KMCL_SLOT_ENDING);
	}
	rcu_read_unlock();
	return mine;
}

VOID VmbPacketFree(VMBPACKET Packet)
{
	struct kmcl_packet *pkt = kmcl_packet(Packet);
	bool idle;

	if (!pkt || !kmcl_dispatch(pkt->object.channel, __func__))
		return;
	if (kmcl_handle_is(Packet, KMCL_KIND_PACKET))
		idle = claim_for_free(pkt, Packet);
	else
		idle = !pkt->slot ||
		       kmcl_word_state(atomic64_read(&pkt->slot->word)) == KMCL_SLOT_IDLE;
	if (!idle) {
		kmcl_err(pkt->object.channel,
			 "%s: the packet is in flight, not freed\n", __func__);
		return;
	}
	kmcl_packet_free(pkt);
}
EXPORT_SYMBOL_GPL(VmbPacketFree);

/*
 * What a VMBPACKET names: an outgoing packet, or an incoming one whose handle was
 * cast. Inside an RCU read side section.
 */
#define packet_object(handle)	packet_object_find(handle, __func__, _RET_IP_)

static struct kmcl_object *packet_object_find(VMBPACKET handle, const char *who,
					      unsigned long caller)
{
	struct kmcl_incoming *in;
	struct kmcl_packet *pkt;

	if (kmcl_handle_is(handle, KMCL_KIND_INCOMING)) {
		in = kmcl_incoming_find((VMBPACKETCOMPLETION)handle, who, caller);
		return in ? &in->object : NULL;
	}
	pkt = kmcl_packet_find(handle, who, caller);
	return pkt ? &pkt->object : NULL;
}

VMBCHANNEL VmbPacketGetChannel(VMBPACKET Packet)
{
	struct kmcl_object *obj;
	VMBCHANNEL channel;

	rcu_read_lock();
	obj = packet_object(Packet);
	channel = obj ? kmcl_channel_handle(obj->channel) : NULL;
	rcu_read_unlock();
	return channel;
}
EXPORT_SYMBOL_GPL(VmbPacketGetChannel);

VOID VmbPacketSetPointer(VMBPACKET Packet, PVOID Pointer)
{
	struct kmcl_object *obj;

	rcu_read_lock();
	obj = packet_object(Packet);
	if (obj)
		obj->pointer = Pointer;
	rcu_read_unlock();
}
EXPORT_SYMBOL_GPL(VmbPacketSetPointer);

PVOID VmbPacketGetPointer(VMBPACKET Packet)
{
	struct kmcl_object *obj;
	void *pointer;

	rcu_read_lock();
	obj = packet_object(Packet);
	pointer = obj ? obj->pointer : NULL;
	rcu_read_unlock();
	return pointer;
}
EXPORT_SYMBOL_GPL(VmbPacketGetPointer);

PVOID VmbPacketGetInlinePacketContextPointer(VMBPACKET Packet)
{
	struct kmcl_packet *pkt = kmcl_packet(Packet);

	return pkt ? pkt->inline_context : NULL;
}
EXPORT_SYMBOL_GPL(VmbPacketGetInlinePacketContextPointer);

VOID VmbPacketSetCompletionRoutine(VMBPACKET Packet,
				   PFN_VMB_PACKET_COMPLETION_ROUTINE CompletionRoutine)
{
	struct kmcl_packet *pkt = kmcl_packet(Packet);

	if (!pkt)
		return;
	pkt->ex = false;
	pkt->routine = CompletionRoutine ?:
		       pkt->library ? free_on_completion : NULL;
}
EXPORT_SYMBOL_GPL(VmbPacketSetCompletionRoutine);

VOID VmbPacketSetCompletionRoutineEx(VMBPACKET Packet, PVOID CallbackContext,
				     PFN_VMB_PACKET_COMPLETION_ROUTINE_EX CompletionRoutine)
{
	struct kmcl_packet *pkt = kmcl_packet(Packet);

	if (!pkt)
		return;
	if (!CompletionRoutine) {
		VmbPacketSetCompletionRoutine(Packet, NULL);
		return;
	}
	pkt->ex = true;
	pkt->context = CallbackContext;
	pkt->routine_ex = CompletionRoutine;
}
EXPORT_SYMBOL_GPL(VmbPacketSetCompletionRoutineEx);

UINT32 VmbChannelSizeofPacket(VMBCHANNEL Channel)
{
	struct kmcl_channel *ch = kmcl_channel(Channel);
	struct kmcl_limits limits;

	if (!ch)
		return 0;
	limits = packet_limits(ch);
	return packet_bytes(&limits);
}
EXPORT_SYMBOL_GPL(VmbChannelSizeofPacket);
