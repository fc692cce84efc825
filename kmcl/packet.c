// SPDX-License-Identifier: GPL-2.0
/*
 * Outgoing packet objects, and the call of completion routines.
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
