// SPDX-License-Identifier: GPL-2.0
/*
 * The table behind the handles, and what is said about a handle that is wrong.
 * See handle.h.
 */
#include <linux/bitmap.h>
#include <linux/export.h>
#include <linux/slab.h>
#include "kmcl.h"

/* For the suites, which look behind handles as the library does. */
struct kmcl_chunk __rcu *kmcl_table[KMCL_CHUNKS];
EXPORT_SYMBOL_GPL(kmcl_table);

static DEFINE_SPINLOCK(table_lock);	/* the table, the shared free list, the names */
static DECLARE_BITMAP(numbers, KMCL_CHUNKS);
static u32 generations;			/* where the slots of the next chunk begin */
static u32 shared_free;			/* index + 1 of the first free shared slot */

/* Channels that were cleaned up last: a line about a handle of theirs names them. */
static struct {
	const void *handle;
	char name[sizeof_field(struct kmcl_channel, name)];
} gone[16];
static u32 gone_next;

/* Of all channels together. For the suites, which would wait for its interval. */
struct ratelimit_state kmcl_bad_handles =
	RATELIMIT_STATE_INIT(kmcl_bad_handles, DEFAULT_RATELIMIT_INTERVAL, DEFAULT_RATELIMIT_BURST);
EXPORT_SYMBOL_GPL(kmcl_bad_handles);

/**
 * kmcl_chunk_new() - make free slots and enter them into the table
 * @ch: whose packets they are for, or NULL
 * @gfp: how to allocate
 *
 * The caller links them into a free list.
 *
 * Context: any up to softirq.
 * Return: the chunk, or NULL.
 */
struct kmcl_chunk *kmcl_chunk_new(struct kmcl_channel *ch, gfp_t gfp)
{
	struct kmcl_chunk *chunk = kzalloc(sizeof(*chunk), gfp);
	u32 number, i;

	if (!chunk)
		return NULL;
	chunk->channel = ch;

	spin_lock_bh(&table_lock);
	number = find_first_zero_bit(numbers, KMCL_CHUNKS);
	if (likely(number < KMCL_CHUNKS)) {
		__set_bit(number, numbers);
		chunk->number = number;
		for (i = 0; i < KMCL_SLOT_CHUNK; i++)
			chunk->slots[i].generation = generations;
		rcu_assign_pointer(kmcl_table[number], chunk);
	}
	spin_unlock_bh(&table_lock);

	if (unlikely(number == KMCL_CHUNKS)) {
		kfree(chunk);
		return NULL;
	}
	return chunk;
}

/**
 * kmcl_chunk_free() - take slots out of the table
 * @chunk: the chunk; freed when nobody looks at it any more
 *
 * Handles that led there lead nowhere, also when the number is used again.
 *
 * Context: any up to softirq.
 */
void kmcl_chunk_free(struct kmcl_chunk *chunk)
{
	u32 i;

	spin_lock_bh(&table_lock);
	/* the number's next slots begin where no handle of these can be */
	for (i = 0; i < KMCL_SLOT_CHUNK; i++)
		if ((s32)(chunk->slots[i].generation - generations) > 0)
			generations = chunk->slots[i].generation;
	generations++;
	RCU_INIT_POINTER(kmcl_table[chunk->number], NULL);
	__clear_bit(chunk->number, numbers);
	spin_unlock_bh(&table_lock);
	kfree_rcu(chunk, rcu);
}

/* Called with table_lock: a slot of a shared chunk, which stays. */
static struct kmcl_slot *shared_slot(u32 index)
{
	struct kmcl_chunk *chunk;

	chunk = rcu_dereference_protected(kmcl_table[index / KMCL_SLOT_CHUNK],
					  lockdep_is_held(&table_lock));
	return &chunk->slots[index % KMCL_SLOT_CHUNK];
}

static bool shared_grow(void)
{
	struct kmcl_chunk *chunk = kmcl_chunk_new(NULL, GFP_KERNEL);
	u32 first, i;

	if (!chunk)
		return false;
	first = chunk->number * KMCL_SLOT_CHUNK;
	spin_lock_bh(&table_lock);
	for (i = 0; i < KMCL_SLOT_CHUNK - 1; i++)
		chunk->slots[i].next = first + i + 2;
	chunk->slots[i].next = shared_free;
	shared_free = first + 1;
	spin_unlock_bh(&table_lock);
	return true;
}

/**
 * kmcl_handle_new() - give an object a slot in the table
 * @object: a channel, or an object for incoming packets
 * @index: of the slot
 * @generation: of the first handle
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int kmcl_handle_new(void *object, u32 *index, u32 *generation)
{
	struct kmcl_slot *slot;

	spin_lock_bh(&table_lock);
	while (!shared_free) {
		spin_unlock_bh(&table_lock);
		if (!shared_grow())
			return -ENOMEM;
		spin_lock_bh(&table_lock);
	}
	*index = shared_free - 1;
	slot = shared_slot(*index);
	shared_free = slot->next;
	*generation = slot->generation;
	/* pairs with the reader's dependency: the object before its place */
	smp_store_release(&slot->object, object);
	spin_unlock_bh(&table_lock);
	return 0;
}

/**
 * kmcl_handle_end() - take an object out of the table
 * @index: of its slot
 * @generation: of its last handle
 *
 * Readers may look at the object until a grace period is over.
 *
 * Context: any up to softirq.
 */
void kmcl_handle_end(u32 index, u32 generation)
{
	struct kmcl_slot *slot;

	spin_lock_bh(&table_lock);
	slot = shared_slot(index);
	WRITE_ONCE(slot->generation, generation + 1);
	WRITE_ONCE(slot->object, NULL);
	slot->next = shared_free;
	shared_free = index + 1;
	spin_unlock_bh(&table_lock);
}

/**
 * kmcl_handle_forget() - remember the name of a channel that is going
 * @name: the name
 * @handle: its handle, which will be found out from now on
 */
void kmcl_handle_forget(const char *name, const void *handle)
{
	u32 i;

	spin_lock_bh(&table_lock);
	i = gone_next++ % ARRAY_SIZE(gone);
	gone[i].handle = handle;
	strscpy(gone[i].name, name, sizeof(gone[i].name));
	spin_unlock_bh(&table_lock);
}

/* ---- looking ---- */

/**
 * kmcl_packet_in_memory() - the packet at an address in the driver's memory
 * @handle: what a driver says is a packet and is no number of ours
 *
 * What stands there is believed as far as the channel that it names lives.
 *
 * Context: any up to softirq.
 * Return: the packet or NULL.
 */
struct kmcl_packet *kmcl_packet_in_memory(VMBPACKET handle)
{
	struct kmcl_packet *pkt = (struct kmcl_packet *)handle;
	bool alive;

	if (!pkt || !kmcl_handle_is_address(handle) || !IS_ALIGNED((unsigned long)pkt, 8) ||
	    pkt->object.magic != KMCL_MAGIC_PACKET || pkt->handle != handle)
		return NULL;
	rcu_read_lock();
	alive = kmcl_handle_object(pkt->channel_key) == pkt->object.channel;
	rcu_read_unlock();
	return alive ? pkt : NULL;
}
EXPORT_SYMBOL_GPL(kmcl_packet_in_memory);

/**
 * kmcl_channel_find() - the channel that a handle names
 * @handle: the driver's
 * @who: the function that was called
 * @caller: where from
 *
 * Context: any up to softirq.
 * Return: the channel or, after a line, NULL.
 */
struct kmcl_channel *kmcl_channel_find(VMBCHANNEL handle, const char *who, unsigned long caller)
{
	const struct kmcl_channel_head *head = (void *)handle;
	struct kmcl_channel *ch = NULL;
	VMBCHANNEL key = handle;

	if (head && kmcl_handle_is_address(handle))
		key = IS_ALIGNED((unsigned long)head, 8) && head->magic == KMCL_MAGIC_CHANNEL ?
		      head->key : NULL;
	if (likely(kmcl_handle_is(key, KMCL_KIND_CHANNEL))) {
		rcu_read_lock();
		ch = kmcl_handle_object(key);
		/* a copy of the memory is not the memory */
		if (ch && unlikely(ch->handle != handle))
			ch = NULL;
		rcu_read_unlock();
	}
	if (unlikely(!ch))
		kmcl_handle_bad(handle, KMCL_KIND_CHANNEL, who, caller);
	return ch;
}
EXPORT_SYMBOL_GPL(kmcl_channel_find);

/* ---- what is said ---- */

static const char *kind_name(const void *handle)
{
	switch ((unsigned long)handle >> KMCL_HANDLE_KIND) {
	case KMCL_KIND_CHANNEL:
		return "VMBCHANNEL";
	case KMCL_KIND_INCOMING:
		return "VMBPACKETCOMPLETION";
	case KMCL_KIND_PACKET:
		return "VMBPACKET";
	default:
		return NULL;
	}
}

/* Copy the name of the channel that a stale or misplaced handle belongs to. */
static void owner_name(const void *handle, char *name, size_t size)
{
	struct kmcl_channel *ch = NULL;
	struct kmcl_object *obj;
	struct kmcl_slot *slot;
	u32 i;

	strscpy(name, "a channel that is gone", size);
	rcu_read_lock();
	slot = kind_name(handle) ? kmcl_handle_slot(handle) : NULL;
	if (slot && kmcl_handle_is(handle, KMCL_KIND_PACKET)) {
		ch = container_of(slot - ((unsigned long)handle >> KMCL_HANDLE_INDEX) %
				  KMCL_SLOT_CHUNK, struct kmcl_chunk, slots[0])->channel;
	} else if (slot && kmcl_handle_is(handle, KMCL_KIND_INCOMING)) {
		obj = READ_ONCE(slot->object);
		/* the slot may be anybody's by now */
		ch = obj && obj->magic == KMCL_MAGIC_INCOMING ? obj->channel : NULL;
	} else if (slot && kmcl_handle_is(handle, KMCL_KIND_CHANNEL)) {
		ch = kmcl_handle_object(handle);
	}
	if (ch)
		strscpy(name, ch->name, size);
	rcu_read_unlock();
	if (ch)
		return;

	spin_lock_bh(&table_lock);
	for (i = 0; i < ARRAY_SIZE(gone); i++)
		if (gone[i].handle == handle)
			strscpy(name, gone[i].name, size);
	spin_unlock_bh(&table_lock);
}

/**
 * kmcl_handle_bad() - say that a call was given a handle that is none
 * @handle: the handle; NULL is not worth a line
 * @wanted: what it should be
 * @who: the function that was called
 * @caller: where from, which names the driver
 *
 * Context: any.
 */
void kmcl_handle_bad(const void *handle, enum kmcl_kind wanted, const char *who,
		     unsigned long caller)
{
	const char *is = kind_name(handle);
	char name[sizeof_field(struct kmcl_channel, name)];
	bool reachable = !in_hardirq() && !irqs_disabled();

	if (!handle || !__ratelimit(&kmcl_bad_handles))
		return;
	strscpy(name, "a channel that is gone", sizeof(name));
	if (reachable)
		owner_name(handle, name, sizeof(name));
	if (is && kmcl_handle_is(handle, wanted))
		pr_err("kmcl: %s: %s: the %s is over (freed, completed or cleaned up), ignored; called from %pS\n",
		       name, who, is, (void *)caller);
	else if (is)
		pr_err("kmcl: %s: %s: a %s where another kind of handle belongs, ignored; called from %pS\n",
		       name, who, is, (void *)caller);
	else
		pr_err("kmcl: %s: not a handle, or of memory that is no longer one, ignored; called from %pS\n",
		       who, (void *)caller);
}
EXPORT_SYMBOL_GPL(kmcl_handle_bad);

/* No handle is left: every channel was cleaned up, every packet freed. */
void kmcl_handles_exit(void)
{
	u32 i;

	for (i = 0; i < KMCL_CHUNKS; i++)
		kfree(rcu_dereference_protected(kmcl_table[i], true));
}
