/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From a handle to the object that it names, and the word of an incoming packet,
 * which holds the generation of its handle.
 *
 * Included by kmcl.h only.
 */
#ifndef _KMCL_FIND_H
#define _KMCL_FIND_H

/*
 * handle.c: what a handle names, or NULL after a line that says what is wrong
 * with it and who called; NULL is none, without a line.
 */
struct kmcl_channel *kmcl_channel_find(VMBCHANNEL handle, const char *who, unsigned long caller);
struct kmcl_channel *kmcl_channel_disabled_find(VMBCHANNEL handle, const char *who,
						unsigned long caller);
struct kmcl_packet *kmcl_packet_in_memory(VMBPACKET handle);

#define kmcl_channel_disabled(handle) kmcl_channel_disabled_find(handle, __func__, _RET_IP_)
#define kmcl_channel(handle)	kmcl_channel_find(handle, __func__, _RET_IP_)
#define kmcl_packet(handle)	kmcl_packet_find(handle, __func__, _RET_IP_)
#define kmcl_incoming(handle)	kmcl_incoming_find(handle, __func__, _RET_IP_)

static inline struct kmcl_packet *kmcl_packet_find(VMBPACKET handle, const char *who,
						   unsigned long caller)
{
	struct kmcl_packet *pkt;

	if (likely(kmcl_handle_is(handle, KMCL_KIND_PACKET))) {
		rcu_read_lock();
		pkt = kmcl_handle_object(handle);
		rcu_read_unlock();
	} else {
		pkt = kmcl_packet_in_memory(handle);
	}
	if (unlikely(!pkt))
		kmcl_handle_bad(handle, KMCL_KIND_PACKET, who, caller);
	return pkt;
}

static inline VMBPACKETCOMPLETION kmcl_incoming_handle(const struct kmcl_incoming *in)
{
	return kmcl_handle_make(KMCL_KIND_INCOMING, in->place, atomic64_read(&in->word) >> 32);
}

/*
 * What an incoming packet's driver calls it: the handle itself or, if it was restored,
 * the VMBPACKET that stands for it, cast. Inside an RCU read side section.
 */
static inline VMBPACKETCOMPLETION kmcl_stands_for(VMBPACKETCOMPLETION handle)
{
	VMBPACKETCOMPLETION other = NULL;
	struct kmcl_packet *pkt;

	if (likely(!kmcl_handle_is(handle, KMCL_KIND_PACKET)))
		return handle;
	pkt = kmcl_handle_object(handle);
	if (pkt)
		other = READ_ONCE(pkt->stands_for);
	return other ?: handle;
}

/* Inside an RCU read side section, which keeps what a late handle leads to. */
static inline struct kmcl_incoming *kmcl_incoming_find(VMBPACKETCOMPLETION handle,
						       const char *who, unsigned long caller)
{
	struct kmcl_incoming *in = NULL;
	struct kmcl_slot *slot;

	if (likely(kmcl_handle_is(handle, KMCL_KIND_INCOMING))) {
		slot = kmcl_handle_slot(handle);
		in = slot ? READ_ONCE(slot->object) : NULL;
		/* the slot may be a channel's by now */
		if (unlikely(!in || in->object.magic != KMCL_MAGIC_INCOMING ||
			     !kmcl_handle_fits(handle, atomic64_read(&in->word) >> 32)))
			in = NULL;
	}
	if (unlikely(!in))
		kmcl_handle_bad(handle, KMCL_KIND_INCOMING, who, caller);
	return in;
}

static inline enum kmcl_incoming_state kmcl_incoming_state(const struct kmcl_incoming *in)
{
	return (u32)atomic64_read(&in->word);
}

/* Has the driver got the packet that @handle names? */
static inline bool kmcl_incoming_is_drivers(const struct kmcl_incoming *in,
					    VMBPACKETCOMPLETION handle)
{
	s64 word = atomic64_read(&in->word);

	return (u32)word == KMCL_IN_DRIVER && kmcl_handle_fits(handle, (u64)word >> 32);
}

/* By who owns it: a new state of the same packet. */
static inline void kmcl_incoming_set(struct kmcl_incoming *in, enum kmcl_incoming_state state)
{
	atomic64_set(&in->word, (atomic64_read(&in->word) & ~0xffffffffLL) | state);
}

/* True for the one caller that moves the packet that @handle named from @from to @to. */
static inline bool kmcl_incoming_move(struct kmcl_incoming *in, VMBPACKETCOMPLETION handle,
				      enum kmcl_incoming_state from,
				      enum kmcl_incoming_state to)
{
	s64 word = atomic64_read(&in->word);

	return (u32)word == from && kmcl_handle_fits(handle, (u64)word >> 32) &&
	       atomic64_try_cmpxchg(&in->word, &word, word - from + to);
}

#endif
