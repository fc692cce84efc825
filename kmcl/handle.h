/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Handles that can be checked.
 *
 * The handle of an object that the library allocated is a number, not an
 * address:
 *
 *    63     56 55                  26 25        4 3    0
 *   |  kind   |      generation      |   index   |  0  |
 *
 * The index leads to a slot in a table that is ours whatever becomes of the
 * object, and the slot knows which generation lives there now. So a handle that
 * was freed, completed or cleaned up, or is of another kind, is found out without
 * a look at memory that may be gone, for 2^30 uses of the same slot. The kinds are
 * values that no address has in its upper byte: code that takes a handle for a
 * pointer faults at once. The lower bits are 0 as those of an allocation.
 *
 * The handle of an object in the driver's memory is its address. What can be
 * checked there is what stands in that memory.
 *
 *   channel   slot.object is the channel until Cleanup
 *   packet    its transaction slot (slot.c); slot.object is the packet until
 *             it is freed, slot.generation changes then
 *   incoming  slot.object is the pool's object until that is freed; the
 *             generation is in the object's own word and changes with each
 *             packet that it holds
 *
 * Lookups run inside an RCU read side section. Slots of packets come in chunks
 * that belong to a channel and are freed, after a grace period, with it. The
 * others share chunks that stay.
 */
#ifndef _KMCL_HANDLE_H
#define _KMCL_HANDLE_H

#include <linux/atomic.h>
#include <linux/build_bug.h>
#include <linux/instruction_pointer.h>
#include <linux/ratelimit_types.h>
#include <linux/rcupdate.h>
#include <linux/types.h>

struct kmcl_channel;

enum kmcl_kind {
	KMCL_KIND_CHANNEL = 0x43,
	KMCL_KIND_INCOMING = 0x49,
	KMCL_KIND_PACKET = 0x50,
};

#define KMCL_HANDLE_KIND	56
#define KMCL_HANDLE_GENERATION	26
#define KMCL_HANDLE_INDEX	4
#define KMCL_GENERATIONS	((1u << 30) - 1)

#define KMCL_SLOT_CHUNK		256u	/* slots in a chunk */
#define KMCL_CHUNKS		8192u	/* 64 KiB of table, two million objects */
#define KMCL_SLOTS		(KMCL_CHUNKS * KMCL_SLOT_CHUNK)

/*
 * A slot of the table, and for an outgoing packet its transaction slot. The word
 * is generation << 32 | state, moved by compare-and-swap; who moves it to IDLE
 * completes the packet. The slot outlives the packet, so a late or forged answer
 * finds memory that is ours.
 *
 *   IDLE -> WRITING            PacketSend, or the pump for a QUEUED packet
 *   WRITING -> SENT            data copied, about to become visible (wants reply)
 *   WRITING -> LENT            the same, and the peer may use pages of the driver's
 *   WRITING -> QUEUED          no room
 *   WRITING -> IDLE            in the ring and no reply wanted, or refused
 *   SENT -> IDLE               answered, cancelled, or the link is gone
 *   LENT -> IDLE               answered, or the link is really closed: nothing else
 *                              ends the peer's right to the pages
 *   QUEUED -> IDLE             cancelled, or the link is gone
 *   IDLE -> ENDING -> IDLE     its routine waits for another one to return, or
 *                              PacketFree has it
 *
 * WRITING belongs to one task alone, which is why an answer that arrives then
 * is a forgery: nothing was visible yet.
 */
enum kmcl_slot_state {
	KMCL_SLOT_IDLE,
	KMCL_SLOT_WRITING,
	KMCL_SLOT_QUEUED,
	KMCL_SLOT_SENT,
	KMCL_SLOT_LENT,
	KMCL_SLOT_ENDING,
};

/**
 * struct kmcl_slot - where a handle leads
 * @word: of a packet: generation of its current send, and state
 * @object: who lives here; NULL: free
 * @next: free: index + 1 of the next free one
 * @lends: of a packet, from WRITING on: LENT follows, and not SENT
 * @generation: of the handle, which changes when the object goes
 * @sent: of a packet: sends, of all packets that had the slot; by who has it in WRITING
 * @sent_bytes: their payload
 */
struct kmcl_slot {
	atomic64_t word;
	void *object;
	union {
		u32 next;
		bool lends;
	};
	u32 generation;
	u64 sent;
	u64 sent_bytes;
};

/**
 * struct kmcl_chunk - slots that come and go together
 * @rcu: for its end
 * @channel: whose packets they are for; NULL: anybody's
 * @number: index of the first / KMCL_SLOT_CHUNK
 * @slots: the slots
 */
struct kmcl_chunk {
	struct rcu_head rcu;
	struct kmcl_channel *channel;
	u32 number;
	struct kmcl_slot slots[KMCL_SLOT_CHUNK];
};

extern struct kmcl_chunk __rcu *kmcl_table[KMCL_CHUNKS];
extern struct ratelimit_state kmcl_bad_handles;

struct kmcl_chunk *kmcl_chunk_new(struct kmcl_channel *ch, gfp_t gfp);
void kmcl_chunk_free(struct kmcl_chunk *chunk);
int kmcl_handle_new(void *object, u32 *index, u32 *generation);
void kmcl_handle_end(u32 index, u32 generation);
void kmcl_handle_forget(const char *name, const void *handle);
void kmcl_handle_bad(const void *handle, enum kmcl_kind wanted, const char *who,
		     unsigned long caller);
void kmcl_handles_exit(void);

static_assert(sizeof(void *) == sizeof(u64), "a handle has 64 bits");

static inline void *kmcl_handle_make(enum kmcl_kind kind, u32 index, u32 generation)
{
	return (void *)((unsigned long)kind << KMCL_HANDLE_KIND |
			(unsigned long)(generation & KMCL_GENERATIONS) << KMCL_HANDLE_GENERATION |
			(unsigned long)index << KMCL_HANDLE_INDEX);
}

static inline bool kmcl_handle_is(const void *handle, enum kmcl_kind kind)
{
	return (unsigned long)handle >> KMCL_HANDLE_KIND == kind;
}

static inline u32 kmcl_handle_generation(const void *handle)
{
	return ((unsigned long)handle >> KMCL_HANDLE_GENERATION) & KMCL_GENERATIONS;
}

static inline bool kmcl_handle_fits(const void *handle, u32 generation)
{
	return !((kmcl_handle_generation(handle) ^ generation) & KMCL_GENERATIONS);
}

/* An address of either half: nothing that must fault. */
static inline bool kmcl_handle_is_address(const void *handle)
{
	return (unsigned long)((long)handle >> KMCL_HANDLE_KIND) + 1 <= 1;
}

/* The chunk with slot @index, or NULL. Inside an RCU read side section. */
static inline struct kmcl_chunk *kmcl_chunk_at(u32 index)
{
	return rcu_dereference(kmcl_table[index / KMCL_SLOT_CHUNK % KMCL_CHUNKS]);
}

/* The slot that a handle leads to, whoever lives there now, or NULL. */
static inline struct kmcl_slot *kmcl_handle_slot(const void *handle)
{
	u32 index = (unsigned long)handle >> KMCL_HANDLE_INDEX;
	struct kmcl_chunk *chunk = kmcl_chunk_at(index);

	return likely(chunk) ? &chunk->slots[index % KMCL_SLOT_CHUNK] : NULL;
}

/*
 * The channel or outgoing packet that a handle names, or NULL. Inside an RCU
 * read side section; the kind has been looked at.
 */
static inline void *kmcl_handle_object(const void *handle)
{
	u32 index = (unsigned long)handle >> KMCL_HANDLE_INDEX;
	struct kmcl_chunk *chunk = kmcl_chunk_at(index);
	struct kmcl_slot *slot;

	if (unlikely(!chunk))
		return NULL;
	slot = &chunk->slots[index % KMCL_SLOT_CHUNK];
	if (unlikely(!kmcl_handle_fits(handle, READ_ONCE(slot->generation))))
		return NULL;
	return READ_ONCE(slot->object);
}

#endif
