/* SPDX-License-Identifier: GPL-2.0 */
/*
 * External data of outgoing packets, as far as a send is concerned; see external.c for
 * whose they are when.
 *
 * What most sends do is inline, since the calls would be a good part of what it costs: one
 * MDL, or a part of it, whose frames follow each other. Everything else, and every mistake,
 * is mdl.c's.
 *
 * Included by kmcl.h only.
 */
#ifndef _KMCL_EXTERNAL_H
#define _KMCL_EXTERNAL_H

#include <linux/mm.h>
#include <linux/mmzone.h>

#define KMCL_RUN_FRAMES	(KMCL_MAP_MAX / KMCL_PAGE_SIZE)

/* The kernel knows memory in units of these frames; only its end may lie within one. */
#define KMCL_UNIT_FRAMES (pageblock_nr_pages * (PAGE_SIZE / KMCL_PAGE_SIZE))

/**
 * struct kmcl_run - contiguous memory, mapped in one piece
 * @phys: where it is
 * @addr: where the peer is told that it is; the same, unless a mapping says otherwise
 * @bytes: at most KMCL_MAP_MAX, within a range
 * @frames: that they touch
 * @wire: the numbers of the frames at @addr, in the packet
 */
struct kmcl_run {
	phys_addr_t phys;
	dma_addr_t addr;
	u32 bytes;
	u32 frames;
	__le64 *wire;
};

/*
 * Room for the external data of an outgoing packet, and, once encoded, their
 * description: the memory that the driver named, and the head of the packet as
 * it goes on the wire.
 */
struct kmcl_external {
	struct kmcl_link *link;		/* mapped through it; NULL: not mapped */
	enum dma_data_direction dir;
	u32 max_ranges;
	u32 max_frames;
	u32 max_run;			/* the same, in one run */
	u32 ranges;			/* so far, while a chain is encoded */
	u32 frames;
	u32 count;			/* of runs */
	u32 size;			/* of the wire format */
	struct kmcl_gpa_direct *wire;
	struct kmcl_run runs[];		/* each frame may be one */
};

/* External data as the driver describes them: an MDL chain, or frames. */
struct kmcl_source {
	PMDL mdl;
	u32 offset;
	u32 length;			/* 0: the rest */
	const PFN_NUMBER *frames;	/* when there is no MDL */
	u32 count;
};

/* external.c */
u64 kmcl_external_head(const struct kmcl_limits *limits);
u64 kmcl_external_bytes(const struct kmcl_limits *limits);
void kmcl_external_setup(struct kmcl_external *ext, const struct kmcl_limits *limits);
int kmcl_external_map_on(struct kmcl_external *ext, dma_addr_t addr);
void kmcl_external_unmap(struct kmcl_external *ext);
u32 kmcl_external_abandon(struct kmcl_external *ext);

/* mdl.c */
NTSTATUS kmcl_external_encode_chain(struct kmcl_packet *pkt, PMDL mdl, u32 offset, u32 length,
				    bool force);
NTSTATUS kmcl_external_encode_frames(struct kmcl_packet *pkt, const PFN_NUMBER *frames,
				     u32 count);

/* Is all of a run memory? */
static __always_inline bool kmcl_is_memory(PFN_NUMBER first, PFN_NUMBER last)
{
	/* the highest bits would be lost in an address */
	return !((first | last) >> 52) && pfn_valid(PHYS_PFN(last * KMCL_PAGE_SIZE)) &&
	       (likely((first ^ last) < KMCL_UNIT_FRAMES) ||
		pfn_valid(PHYS_PFN(first * KMCL_PAGE_SIZE)));
}

static __always_inline enum dma_data_direction kmcl_external_dir(u32 flags)
{
	switch (flags & (VMBUS_CHANNEL_FORMAT_FLAG_DATA_IN_ONLY |
			 VMBUS_CHANNEL_FORMAT_FLAG_DATA_OUT_ONLY)) {
	case VMBUS_CHANNEL_FORMAT_FLAG_DATA_IN_ONLY:
		return DMA_FROM_DEVICE;
	case VMBUS_CHANNEL_FORMAT_FLAG_DATA_OUT_ONLY:
		return DMA_TO_DEVICE;
	default:
		return DMA_BIDIRECTIONAL;
	}
}

/* Describe part of an MDL, if that is within the limits and one run; it alone is looked at. */
static __always_inline bool kmcl_external_encode_run(struct kmcl_external *ext, u32 limit,
						     const MDL *mdl, u32 skip, u32 length)
{
	struct kmcl_gpa_range *range = (struct kmcl_gpa_range *)ext->wire->ranges;
	u32 bytes = mdl->ByteCount - skip, offset, count;
	struct kmcl_run *run = ext->runs;
	const PFN_NUMBER *frames;
	PFN_NUMBER first, i;
	u64 at;

	if (unlikely(skip >= mdl->ByteCount || length > bytes))
		return false;
	if (length)
		bytes = length;
	at = (u64)mdl->ByteOffset + skip;
	offset = at % KMCL_PAGE_SIZE;
	count = DIV_ROUND_UP_ULL((u64)offset + bytes, KMCL_PAGE_SIZE);
	/* the packet's room is of when it was made; a server's has none */
	if (unlikely(bytes > limit || count > ext->max_run || !kmcl_nt_mdl_has_pages(mdl)))
		return false;
	frames = MmGetMdlPfnArray(mdl) + at / KMCL_PAGE_SIZE;
	first = frames[0];
	if (unlikely(!kmcl_is_memory(first, first + count - 1)))
		return false;
	range->frames[0] = cpu_to_le64(first);
	for (i = 1; i < count; i++) {
		if (unlikely(frames[i] != first + i))
			return false;
		range->frames[i] = cpu_to_le64(first + i);
	}
	range->bytes = cpu_to_le32(bytes);
	range->offset = cpu_to_le32(offset);
	ext->wire->range_count = cpu_to_le32(1);
	ext->size = sizeof(*ext->wire) + struct_size(range, frames, count);
	ext->frames = count;
	ext->count = 1;
	run->phys = (phys_addr_t)first * KMCL_PAGE_SIZE + offset;
	run->addr = run->phys;
	run->bytes = bytes;
	run->frames = count;
	run->wire = range->frames;
	return true;
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
static __always_inline NTSTATUS kmcl_external_encode(struct kmcl_packet *pkt,
						     const struct kmcl_source *source, u32 flags)
{
	bool force = flags & VMBUS_CHANNEL_FORMAT_FLAG_FORCE_MDL_LENGTH;
	u32 limit = pkt->object.channel->config.max_external;
	struct kmcl_external *ext = pkt->external;
	PMDL mdl = source->mdl;

	ext->dir = kmcl_external_dir(flags);
	if (unlikely(!mdl))
		return kmcl_external_encode_frames(pkt, source->frames, source->count);
	if (likely(!mdl->Next && !force &&
		   kmcl_external_encode_run(ext, limit, mdl, source->offset, source->length)))
		return STATUS_SUCCESS;
	return kmcl_external_encode_chain(pkt, mdl, source->offset, source->length, force);
}

/**
 * kmcl_external_map() - let the peer reach the memory
 * @ext: encoded, not mapped
 * @link: through which
 *
 * Context: any up to softirq; @link stays, by RCU or by tx.lock.
 * Return: 0 or -ENOMEM.
 */
static __always_inline int kmcl_external_map(struct kmcl_external *ext, struct kmcl_link *link)
{
	struct kmcl_run *run = ext->runs;
	dma_addr_t addr;

	ext->link = link;
	addr = link->ops->map(link, run->phys, run->bytes, ext->dir);
	if (likely(addr == run->addr && ext->count == 1))
		return 0;
	return kmcl_external_map_on(ext, addr);
}

#endif
