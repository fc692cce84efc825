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

#define RUN_FRAMES	(KMCL_MAP_MAX / KMCL_PAGE_SIZE)

static bool frame_exists(PFN_NUMBER frame)
{
	/* the highest bits would be lost in an address */
	return frame < 1ULL << 52 && pfn_valid(PHYS_PFN(frame * KMCL_PAGE_SIZE));
}

/*
 * Divide a range into runs.  A run has its first and its last frame looked up:
 * the kernel knows memory in larger units.
 */
static __always_inline bool add_runs(struct kmcl_external *ext, const PFN_NUMBER *frames,
				     u32 offset, u32 bytes, __le64 *wire)
{
	while (bytes) {
		struct kmcl_run *run = &ext->runs[ext->count++];
		PFN_NUMBER first = frames[0];
		u32 n = 1, room = KMCL_PAGE_SIZE - offset;

		while (room < bytes && n < RUN_FRAMES && frames[n] == first + n) {
			room += KMCL_PAGE_SIZE;
			n++;
		}
		if (unlikely(!frame_exists(first) || !frame_exists(first + n - 1)))
			return false;
		run->phys = (phys_addr_t)first * KMCL_PAGE_SIZE + offset;
		run->bytes = min(room, bytes);
		run->frames = n;
		run->wire = wire;
		bytes -= run->bytes;
		offset = 0;
		frames += n;
		wire += n;
	}
	return true;
}

/* Where the next range goes. */
static struct kmcl_gpa_range *next_range(const struct kmcl_external *ext)
{
	return (void *)ext->wire + ext->size;
}

/* @skip: bytes from the start of the first frame. */
static __always_inline bool append_range(struct kmcl_external *ext, const PFN_NUMBER *frames,
					 u64 skip, u32 bytes)
{
	struct kmcl_gpa_range *range = next_range(ext);
	u32 offset = skip % KMCL_PAGE_SIZE;
	u32 count = DIV_ROUND_UP((u64)offset + bytes, KMCL_PAGE_SIZE);

	if (ext->ranges == ext->max_ranges || count > ext->max_frames - ext->frames)
		return false;
	if (!add_runs(ext, frames + skip / KMCL_PAGE_SIZE, offset, bytes, range->frames))
		return false;
	range->bytes = cpu_to_le32(bytes);
	range->offset = cpu_to_le32(offset);
	ext->ranges++;
	ext->frames += count;
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

static noinline NTSTATUS encode_chain(struct kmcl_packet *pkt, const struct kmcl_source *source,
				      bool force)
{
	const struct kmcl_config *cfg = &pkt->object.channel->config;
	u64 skip = source->offset, room = cfg->max_external;
	u32 left = source->length, chain = cfg->max_chain;
	PMDL mdl;

	for (mdl = source->mdl; mdl; mdl = mdl->Next) {
		u64 bytes = mdl_bytes(mdl, force);

		/* also what ends a chain that is a ring */
		if (!chain--)
			return STATUS_INVALID_PARAMETER_4;
		if (skip >= mdl->ByteCount) {
			skip -= mdl->ByteCount;
		} else {
			bytes -= skip;
			if (!source->length && force)
				bytes = mdl->ByteCount - skip;
			else if (source->length)
				bytes = min_t(u64, bytes, left);
			if (bytes > room || !kmcl_nt_mdl_has_pages(mdl) ||
			    !append_range(pkt->external, MmGetMdlPfnArray(mdl),
				       mdl->ByteOffset + skip, bytes))
				return STATUS_INVALID_PARAMETER_4;
			room -= bytes;
			left -= bytes;
			skip = 0;
			if (source->length && !left)
				break;
		}
		if (force)
			break;
	}
	if (!pkt->external->ranges)
		return source->offset ? STATUS_INVALID_PARAMETER_5 : STATUS_INVALID_PARAMETER_4;
	return source->length && left ? STATUS_INVALID_PARAMETER_6 : STATUS_SUCCESS;
}

/* As encode_chain(), for what nearly all of them are: one MDL, or part of it. */
static __always_inline NTSTATUS encode_mdl(struct kmcl_packet *pkt,
					   const struct kmcl_source *source, bool force)
{
	const struct kmcl_config *cfg = &pkt->object.channel->config;
	PMDL mdl = source->mdl;
	u32 bytes;

	if (unlikely(mdl->Next || force || source->offset >= mdl->ByteCount))
		return encode_chain(pkt, source, force);
	bytes = mdl->ByteCount - source->offset;
	if (source->length) {
		if (unlikely(source->length > bytes))
			return encode_chain(pkt, source, force);
		bytes = source->length;
	}
	if (unlikely(!cfg->max_chain || bytes > cfg->max_external || !kmcl_nt_mdl_has_pages(mdl) ||
		     !append_range(pkt->external, MmGetMdlPfnArray(mdl),
				   (u64)mdl->ByteOffset + source->offset, bytes)))
		return STATUS_INVALID_PARAMETER_4;
	return STATUS_SUCCESS;
}

static noinline NTSTATUS encode_frames(struct kmcl_packet *pkt, const struct kmcl_source *source)
{
	u64 bytes = (u64)source->count * KMCL_PAGE_SIZE;

	if (!source->count)
		return STATUS_INVALID_PARAMETER_5;
	if (bytes > pkt->object.channel->config.max_external ||
	    !append_range(pkt->external, source->frames, 0, bytes))
		return STATUS_INVALID_PARAMETER_4;
	return STATUS_SUCCESS;
}

/**
 * kmcl_external_encode() - describe external data in a packet's own room
 * @pkt: packet that the caller owns
 * @source: the data
 * @flags: VMBUS_CHANNEL_FORMAT_FLAG_*
 *
 * Context: any.
 * Return: STATUS_SUCCESS, or the position of what is wrong in the parameters of
 * VmbPacketSendWithExternalMdl() or VmbPacketSendWithExternalPfns().
 */
NTSTATUS kmcl_external_encode(struct kmcl_packet *pkt, const struct kmcl_source *source,
			      u32 flags)
{
	bool in = flags & VMBUS_CHANNEL_FORMAT_FLAG_DATA_IN_ONLY;
	bool out = flags & VMBUS_CHANNEL_FORMAT_FLAG_DATA_OUT_ONLY;
	bool force = flags & VMBUS_CHANNEL_FORMAT_FLAG_FORCE_MDL_LENGTH;
	struct kmcl_external *ext = pkt->external;
	NTSTATUS status;

	ext->dir = in == out ? DMA_BIDIRECTIONAL : in ? DMA_FROM_DEVICE : DMA_TO_DEVICE;
	ext->ranges = 0;
	ext->frames = 0;
	ext->count = 0;
	ext->size = sizeof(*ext->wire);
	if (likely(source->mdl))
		status = encode_mdl(pkt, source, force);
	else
		status = encode_frames(pkt, source);
	ext->wire->reserved = 0;
	ext->wire->range_count = cpu_to_le32(ext->ranges);
	return status;
}
