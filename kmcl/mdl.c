// SPDX-License-Identifier: GPL-2.0
/*
 * From what a driver hands over, an MDL chain or a list of frames, to ranges:
 * one for each MDL.
 *
 * Statuses name parameters by position.  External data are parameter 4 of every
 * function that takes them, also when there are too many of them; an offset or a
 * count of frames is parameter 5, a length parameter 6.
 */
#include <linux/mm.h>
#include "kmcl.h"

/*
 * Divide a range into runs, and write its frames' numbers, with one look at each of them.
 * @offset is that of the first byte, in the first of @count frames. Return: behind the last
 * run, or NULL when something is no memory.
 */
static struct kmcl_run *cut(struct kmcl_run *run, const PFN_NUMBER *frames, u32 count,
			    u32 offset, u32 bytes, __le64 *wire)
{
	const PFN_NUMBER *end = frames + count;

	do {
		const PFN_NUMBER *most = min(end, frames + KMCL_RUN_FRAMES);
		PFN_NUMBER first = *frames, next = first;
		u32 room;

		run->wire = wire;
		do {
			*wire++ = cpu_to_le64(next++);
		} while (++frames < most && *frames == next);
		if (!kmcl_is_memory(first, next - 1))
			return NULL;
		run->frames = next - first;
		room = min(run->frames * KMCL_PAGE_SIZE - offset, bytes);
		run->bytes = room;
		run->phys = (phys_addr_t)first * KMCL_PAGE_SIZE + offset;
		run->addr = run->phys;
		bytes -= room;
		offset = 0;
		run++;
	} while (frames < end);
	return run;
}

/* Where the next range goes. */
static struct kmcl_gpa_range *next_range(const struct kmcl_external *ext)
{
	return (void *)ext->wire + ext->size;
}

static void begin(struct kmcl_external *ext)
{
	ext->ranges = 0;
	ext->frames = 0;
	ext->count = 0;
	ext->size = sizeof(*ext->wire);
}

/* @skip: bytes from the start of the first frame. */
static bool append_range(struct kmcl_external *ext, const PFN_NUMBER *frames, u64 skip, u32 bytes)
{
	struct kmcl_gpa_range *range = next_range(ext);
	u32 offset = skip % KMCL_PAGE_SIZE;
	u32 count = DIV_ROUND_UP_ULL((u64)offset + bytes, KMCL_PAGE_SIZE);
	struct kmcl_run *end;

	if (ext->ranges == ext->max_ranges || count > ext->max_frames - ext->frames)
		return false;
	end = cut(&ext->runs[ext->count], frames + skip / KMCL_PAGE_SIZE, count, offset, bytes,
		  range->frames);
	if (!end)
		return false;
	range->bytes = cpu_to_le32(bytes);
	range->offset = cpu_to_le32(offset);
	ext->wire->range_count = cpu_to_le32(++ext->ranges);
	ext->frames += count;
	ext->count = end - ext->runs;
	ext->size += struct_size(range, frames, count);
	return true;
}

/* Bytes that an MDL is good for. */
static u64 mdl_bytes(const MDL *mdl, bool whole_pages)
{
	u64 end = (u64)mdl->ByteOffset + mdl->ByteCount;

	if (whole_pages && mdl->ByteCount)
		end = ALIGN(end, KMCL_PAGE_SIZE);
	return end - mdl->ByteOffset;
}

/**
 * kmcl_external_encode_chain() - describe a chain of MDLs
 * @pkt: packet that the caller owns
 * @mdl: the first of them
 * @offset: bytes to skip from the beginning of what they describe
 * @length: bytes behind those, 0: the rest
 * @force: it is the first alone, and @length may fill its last page
 *
 * Context: any.
 * Return: as kmcl_external_encode().
 */
NTSTATUS kmcl_external_encode_chain(struct kmcl_packet *pkt, PMDL mdl, u32 offset, u32 length,
				    bool force)
{
	const struct kmcl_config *cfg = &pkt->object.channel->config;
	u64 skip = offset, room = cfg->max_external;
	u32 left = length, chain = cfg->max_chain;

	begin(pkt->external);
	for (; mdl; mdl = mdl->Next) {
		u64 bytes = mdl_bytes(mdl, force);

		/* also what ends a chain that is a ring */
		if (!chain--)
			return STATUS_INVALID_PARAMETER_4;
		if (skip >= mdl->ByteCount) {
			skip -= mdl->ByteCount;
		} else {
			bytes -= skip;
			if (!length && force)
				bytes = mdl->ByteCount - skip;
			else if (length)
				bytes = min_t(u64, bytes, left);
			if (bytes > room || !kmcl_nt_mdl_has_pages(mdl) ||
			    !append_range(pkt->external, MmGetMdlPfnArray(mdl),
					  mdl->ByteOffset + skip, bytes))
				return STATUS_INVALID_PARAMETER_4;
			room -= bytes;
			left -= bytes;
			skip = 0;
			if (length && !left)
				break;
		}
		if (force)
			break;
	}
	if (!pkt->external->ranges)
		return offset ? STATUS_INVALID_PARAMETER_5 : STATUS_INVALID_PARAMETER_4;
	return length && left ? STATUS_INVALID_PARAMETER_6 : STATUS_SUCCESS;
}

/**
 * kmcl_external_encode_frames() - describe whole frames
 * @pkt: packet that the caller owns
 * @frames: their numbers
 * @count: how many
 *
 * Context: any.
 * Return: as kmcl_external_encode().
 */
NTSTATUS kmcl_external_encode_frames(struct kmcl_packet *pkt, const PFN_NUMBER *frames, u32 count)
{
	u64 bytes = (u64)count * KMCL_PAGE_SIZE;

	begin(pkt->external);
	if (!count)
		return STATUS_INVALID_PARAMETER_5;
	if (bytes > pkt->object.channel->config.max_external ||
	    !append_range(pkt->external, frames, 0, bytes))
		return STATUS_INVALID_PARAMETER_4;
	return STATUS_SUCCESS;
}
