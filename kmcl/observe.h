/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the library does for those who watch it, in the shape in which the code that is
 * watched calls it: a tracepoint and a counter together.
 *
 * A tracepoint that is off is a jump that is not taken. Counters are the processor's own,
 * or are written by the one reader, by who owns the slot of a packet, or under a lock that is
 * held anyway: counting takes neither an atomic operation nor a cache line of somebody else's.
 */
#ifndef _KMCL_OBSERVE_H
#define _KMCL_OBSERVE_H

#include <linux/percpu.h>
#include "kmcl.h"
#include "trace.h"

/* A send has begun: by who has moved the slot to WRITING; @len as of kmcl_wrote(). */
static __always_inline void kmcl_count_send(struct kmcl_slot *slot, u32 len)
{
	WRITE_ONCE(slot->sent, slot->sent + 1);
	WRITE_ONCE(slot->sent_bytes, slot->sent_bytes + len);
}

/* It was refused: by the same, who still has it. */
static inline void kmcl_uncount_send(struct kmcl_slot *slot, u32 len)
{
	WRITE_ONCE(slot->sent, slot->sent - 1);
	WRITE_ONCE(slot->sent_bytes, slot->sent_bytes - len);
}

/*
 * The transport has been asked to write a packet. @len of payload, a pipe's header included; the
 * packet itself may be gone. Inside an RCU read side section.
 */
static __always_inline void kmcl_wrote(struct kmcl_channel *ch, u64 id,
				       enum kmcl_packet_type type, u32 len, int result)
{
	trace_kmcl_ring_write(ch, id, type, len, result);
	if (unlikely(result)) {
		if (result == -ENODEV)
			kmcl_link_refused(ch);
		return;
	}
	if (type == KMCL_TYPE_COMPLETION) {
		this_cpu_inc(ch->tx.counters->replies);
		this_cpu_add(ch->tx.counters->reply_bytes, len);
	}
}

/* By who owns the channel's life. */
static inline void kmcl_set_state(struct kmcl_channel *ch, enum kmcl_state to)
{
	enum kmcl_state from = ch->state;

	WRITE_ONCE(ch->state, to);
	trace_kmcl_channel_state(ch, from, to);
}

static inline void kmcl_set_running(struct kmcl_channel *ch, bool running)
{
	if (ch->running == running)
		return;
	WRITE_ONCE(ch->running, running);
	trace_kmcl_channel_run(ch, running);
}

#endif
