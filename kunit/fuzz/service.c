// SPDX-License-Identifier: GPL-2.0
/*
 * A server is replaced by what it has saved, and by what somebody has made of that.
 */
#include <linux/crc32.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "client.h"
#include "save.h"

#define ROOM	(1u << 20)

/* Everything, as it comes; 0: not saved. */
static u32 save_all(VMBCHANNEL ch, u8 *to, struct rnd_state *rnd)
{
	ULONG filled, required, size, at = 0;
	NTSTATUS status;

	if (!NT_SUCCESS(VmbChannelSaveBegin(ch)))
		return 0;
	do {
		size = min_t(u32, ROOM - at, 1 + any(rnd, 70000));
		filled = 0;
		status = VmbChannelSaveContinue(ch, to + at, size, &filled, &required);
		if (status == STATUS_BUFFER_TOO_SMALL && required <= ROOM - at)
			status = VmbChannelSaveContinue(ch, to + at, ROOM - at, &filled, &required);
		if (NT_SUCCESS(status) || status == STATUS_BUFFER_OVERFLOW)
			at += filled;
	} while (status == STATUS_BUFFER_OVERFLOW);
	VmbChannelSaveEnd(ch);
	return NT_SUCCESS(status) ? at : 0;
}

/* Chunks begin at any address. */
static void put_word(u8 *at, u32 value)
{
	__le32 word = cpu_to_le32(value);

	memcpy(at, &word, sizeof(word));
}

/* Where the chunk behind one begins; what says how long it is may be damaged. */
static u32 next_chunk(const u8 *save, u32 size, u32 at, u32 *len)
{
	struct kmcl_blob_wire wire;

	memcpy(&wire, save + at, sizeof(wire));
	*len = min(le32_to_cpu(wire.len), size - at - (u32)sizeof(wire));
	return at + sizeof(wire) + *len;
}

/* A word or two in the body of a chunk, or its head, and a sum that is right as a rule. */
static void damage(u8 *save, u32 size, struct rnd_state *rnd)
{
	const u32 head = sizeof(struct kmcl_blob_wire);
	u32 at = 0, next, n, len, crc;

	for (n = any(rnd, 16); ; n--) {
		next = next_chunk(save, size, at, &len);
		if (!n || next + head > size)
			break;
		at = next;
	}
	if (!any(rnd, 8))
		save[at + any(rnd, head)] ^= 1 << any(rnd, 8);
	else if (len >= 4)
		for (n = 1 + any(rnd, 2); n; n--)
			put_word(save + at + head + any(rnd, len / 4) * 4, odd_number(rnd));
	crc = crc32_le(~0u, save + at, head - sizeof(__le32));
	crc = ~crc32_le(crc, save + at + head, len);
	if (any(rnd, 16))
		put_word(save + at + offsetof(struct kmcl_blob_wire, crc), crc);
}

void service(struct client *c, struct rnd_state *rnd)
{
	VMBCHANNEL ch = c->round.ch;
	u32 size, tries;
	u8 *save;

	save = vmalloc(ROOM);
	if (!save)
		return;
	size = save_all(ch, save, rnd);
	any_moment(rnd, 2000);
	if (!size || !any(rnd, 4)) {
		/* it stays after all */
		VmbChannelStart(ch);
		vfree(save);
		return;
	}
	VmbChannelDisable(ch);
	any_moment(rnd, 2000);
	for (tries = any(rnd, 4); tries; tries--)
		damage(save, size, rnd);
	if (NT_SUCCESS(VmbChannelRestoreFromBuffer(ch, save, size))) {
		/* Opened is not called for it */
		round_may_map(&c->round, true);
		c->serviced++;
	} else {
		c->refused++;
	}
	vfree(save);
	any_moment(rnd, 2000);
	if (VmbChannelEnable(ch) == STATUS_SUCCESS)
		VmbChannelStart(ch);
}
