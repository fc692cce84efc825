// SPDX-License-Identifier: GPL-2.0
/*
 * What a driver still owns when it cleans a channel up, in one line.
 *
 * Nothing of it is in danger: packets keep the memory of their channel, and GPADLs are deleted
 * when the driver's Closed has returned.  But a driver that cleans up with either of them has
 * lost count, and whoever looks for the reason wants to know of what.
 */
#include "kmcl.h"

#define NAMED	4		/* of each kind, one by one */

/* The ids of their last sends, as in the tracepoints. */
static u32 packets(struct kmcl_channel *ch, char *text, size_t size)
{
	u32 i, n = smp_load_acquire(&ch->slots);	/* pairs with slots_grow() */
	u32 count = 0, at = 0;

	for (i = 0; i < n; i++) {
		u32 low = ch->id_base + i + 1;
		struct kmcl_slot *slot = kmcl_slot_by_id(ch, low);

		/* the object may be the driver's memory, and gone */
		if (!READ_ONCE(slot->object))
			continue;
		if (count++ < NAMED)
			at += scnprintf(text + at, size - at, "%s%#llx", at ? ", " : "",
					(atomic64_read(&slot->word) & ~0xffffffffULL) | low);
	}
	if (count > NAMED)
		scnprintf(text + at, size - at, ", ...");
	return count;
}

/**
 * kmcl_leaks_note() - a GPADL was still there
 * @leaks: of the Cleanup that is under way; NULL: there is none
 * @handle: its number
 * @bytes: its size
 *
 * Context: by who owns the channel's life.
 */
void kmcl_leaks_note(struct kmcl_leaks *leaks, u32 handle, u32 bytes)
{
	if (!leaks)
		return;
	leaks->bytes += bytes;
	if (leaks->gpadls++ < NAMED)
		leaks->at += scnprintf(leaks->text + leaks->at, sizeof(leaks->text) - leaks->at,
				       "%s%#x", leaks->at ? ", " : "", handle);
	else if (leaks->gpadls == NAMED + 1)
		scnprintf(leaks->text + leaks->at, sizeof(leaks->text) - leaks->at, ", ...");
}

/**
 * kmcl_leaks_say() - name what the driver of a channel still owns
 * @ch: channel that is being cleaned up, disabled
 * @leaks: GPADLs that were noted
 * @caller: of Cleanup, which names the driver
 *
 * Context: process.
 */
void kmcl_leaks_say(struct kmcl_channel *ch, const struct kmcl_leaks *leaks, unsigned long caller)
{
	char ids[96] = "";
	u32 count = packets(ch, ids, sizeof(ids));

	if (count && leaks->gpadls)
		kmcl_warn(ch, "VmbChannelCleanup: still owned: %u packets (transactions %s) and %u GPADLs (%s; %llu bytes); called from %pS\n",
			  count, ids, leaks->gpadls, leaks->text, leaks->bytes, (void *)caller);
	else if (count)
		kmcl_warn(ch, "VmbChannelCleanup: still owned: %u packets (transactions %s); called from %pS\n",
			  count, ids, (void *)caller);
	else if (leaks->gpadls)
		kmcl_warn(ch, "VmbChannelCleanup: still owned: %u GPADLs (%s; %llu bytes); called from %pS\n",
			  leaks->gpadls, leaks->text, leaks->bytes, (void *)caller);
}
