// SPDX-License-Identifier: GPL-2.0
/* A server that is saved under traffic, goes, and is followed by another one. */
#include <linux/delay.h>
#include <linux/slab.h>
#include "storm.h"

#define STATE_MAX	(512u << 10)
#define PIECE		1000u		/* of the state, at a time */

/* Its state of a packet: is it one that it has sent? */
static NTSTATUS save_packet(VMBCHANNEL ch, PVOID context, VMBPACKET packet, PVOID buf,
			    UINT32 size, PUINT32 needed)
{
	if (size < 1) {
		*needed = 1;
		return STATUS_BUFFER_TOO_SMALL;
	}
	*(u8 *)buf = VmbPacketGetPointer(packet) == STORM_SENDING;
	return STATUS_SUCCESS;
}

static NTSTATUS restore_packet(VMBCHANNEL ch, PVOID context, PVOID lib, UINT32 lib_size,
			       PVOID buf, UINT32 size)
{
	VMBPACKET pkt = VmbPacketAllocate(ch);
	struct storm_end *e = context;
	bool sent = size && *(u8 *)buf;
	NTSTATUS status;

	if (!pkt)
		return STATUS_INSUFFICIENT_RESOURCES;
	if (sent) {
		VmbPacketSetCompletionRoutineEx(pkt, e, storm_done);
		VmbPacketSetPointer(pkt, STORM_SENDING);
		/* before it is: its end may be counted first */
		atomic_inc(&e->accepted);
	}
	status = VmbPacketRestore(pkt, lib, lib_size);
	if (NT_SUCCESS(status)) {
		if (!sent)
			storm_restored(e, (VMBPACKETCOMPLETION)pkt);
		return status;
	}
	if (sent)
		atomic_dec(&e->accepted);
	VmbPacketFree(pkt);
	return status;
}

NTSTATUS storm_set_service(struct storm_end *e)
{
	return VmbServerChannelInitSetSaveRestorePacketCallbacksEx(e->ch, e, save_packet,
								   restore_packet);
}

/* Bytes of the whole state, 0: it cannot be saved, as when the client has just left. */
static u32 save(struct storm_end *e, u8 *state)
{
	ULONG filled, required;
	NTSTATUS status;
	u32 size = 0, room = PIECE;

	if (!NT_SUCCESS(VmbChannelSaveBegin(e->ch)))
		return 0;
	do {
		room = min(room, STATE_MAX - size);
		status = VmbChannelSaveContinue(e->ch, state + size, room, &filled, &required);
		size += filled;
		room = status == STATUS_BUFFER_TOO_SMALL ? required : PIECE;
	} while ((status == STATUS_BUFFER_OVERFLOW || status == STATUS_BUFFER_TOO_SMALL) &&
		 size + room <= STATE_MAX);
	VmbChannelSaveEnd(e->ch);
	return status == STATUS_SUCCESS ? size : 0;
}

/* The server goes, and comes back with what it has saved; or without. */
void storm_service(struct storm_end *e, struct rnd_state *rnd)
{
	u8 *state = kvmalloc(STATE_MAX, GFP_KERNEL);
	u32 size = 0;

	down_write(&e->lock);
	/*
	 * There shall be something to save: for a while nobody completes. Not for long: a
	 * close that is under way waits for that, and the save for the close.
	 */
	WRITE_ONCE(e->lazy_until, jiffies + HZ / 10);
	usleep_range(1000, 10000);
	if (state)
		size = save(e, state);
	if (prandom_u32_state(rnd) % 4 == 0) {
		/* it stays, and goes on as if nothing had been */
		VmbChannelStart(e->ch);
		goto out;
	}
	storm_end_drop(e);
	if (storm_end_new_channel(e)) {
		atomic_inc(&e->odd);
		goto out;
	}
	if (size) {
		atomic_inc(&e->storm->saves);
		if (NT_SUCCESS(VmbChannelRestoreFromBuffer(e->ch, state, size)))
			atomic_inc(&e->storm->adopted);
	}
	VmbChannelEnable(e->ch);
	VmbChannelStart(e->ch);
out:
	up_write(&e->lock);
	kvfree(state);
}
