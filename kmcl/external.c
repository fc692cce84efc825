// SPDX-License-Identifier: GPL-2.0
/*
 * External data of outgoing packets: memory of the driver's that the peer reads
 * and writes by itself.
 *
 * A packet object has room for the largest description that the channel's
 * limits permit, so sending allocates nothing.  The description is there twice:
 * as the memory that the driver named, and as the peer will see it, which a
 * transport that bounces makes different.
 *
 * Memory is mapped through the transport in runs of contiguous frames, and each
 * run is unmapped once.  Who maps, and who unmaps:
 *
 *   sent while there is a link     the sender, before it returns; a failure is its
 *                                  status
 *   sent before there is one       the pump, when the packet is the head of the
 *                                  queue; a failure means: again later
 *   answered                       the reader
 *   taken from the queue           who takes it, under tx.lock
 *   link really closed             kmcl_link_down()
 *   link cannot be closed          nobody: the peer may go on writing
 *
 * So nothing is mapped any more when kmcl_link_down() returns, and the device
 * behind the link may go.
 */
#include <linux/mm.h>
#include "kmcl.h"

/* Every range of at least two bytes may touch a frame more than its length needs. */
static u64 max_frames(u64 bytes, u64 ranges)
{
	if (bytes < 2 * ranges)
		return bytes;
	return 2 * ranges + (bytes - 2 * ranges) / KMCL_PAGE_SIZE;
}

static u32 max_ranges(const struct kmcl_limits *limits)
{
	return min(limits->chain, limits->external);
}

/**
 * kmcl_external_head() - the largest head of a packet with external data
 * @limits: of the channel
 *
 * Return: bytes, descriptor included.
 */
u64 kmcl_external_head(const struct kmcl_limits *limits)
{
	u64 ranges = max_ranges(limits);

	return sizeof(struct kmcl_gpa_direct) + ranges * sizeof(struct kmcl_gpa_range) +
	       max_frames(limits->external, ranges) * sizeof(__le64);
}

/**
 * kmcl_external_bytes() - what a packet object needs for external data
 * @limits: of the channel
 *
 * Return: bytes.
 */
u64 kmcl_external_bytes(const struct kmcl_limits *limits)
{
	return sizeof(struct kmcl_external) + kmcl_external_head(limits) +
	       max_frames(limits->external, max_ranges(limits)) * sizeof(struct kmcl_run);
}

/**
 * kmcl_external_setup() - prepare the room in a packet object
 * @ext: the room, kmcl_external_bytes() long
 * @limits: the same as for the length
 */
void kmcl_external_setup(struct kmcl_external *ext, const struct kmcl_limits *limits)
{
	memset(ext, 0, sizeof(*ext));
	ext->max_ranges = max_ranges(limits);
	ext->max_frames = max_frames(limits->external, ext->max_ranges);
	ext->max_run = min(ext->max_frames, KMCL_RUN_FRAMES);
	ext->wire = (struct kmcl_gpa_direct *)(ext->runs + ext->max_frames);
	ext->wire->reserved = 0;
}

static void unmap_runs(struct kmcl_external *ext, u32 count)
{
	struct kmcl_link *link = ext->link;
	u32 i;

	for (i = 0; i < count; i++)
		kmcl_unmap(link, ext->runs[i].addr, ext->runs[i].bytes, ext->dir);
}

/* A run is at @addr, or cannot be mapped as it is: say so in the packet. */
static int place(struct kmcl_external *ext, struct kmcl_run *run, dma_addr_t addr)
{
	u32 i;

	if (addr == KMCL_NOT_MAPPED &&
	    kmcl_bounce_map(ext->link, run->phys, run->bytes, &addr))
		return -ENOMEM;
	run->addr = addr;
	for (i = 0; i < run->frames; i++)
		run->wire[i] = cpu_to_le64(addr / KMCL_PAGE_SIZE + i);
	return 0;
}

/**
 * kmcl_external_map_on() - go on with a mapping that is more than one run in its place
 * @ext: as for kmcl_external_map(); its first run has been given to the link
 * @addr: what that said
 *
 * Context: as kmcl_external_map().
 * Return: 0, or -ENOMEM: nothing is mapped.
 */
int kmcl_external_map_on(struct kmcl_external *ext, dma_addr_t addr)
{
	struct kmcl_link *link = ext->link;
	u32 i;

	for (i = 0; i < ext->count; i++) {
		struct kmcl_run *run = &ext->runs[i];

		if (i)
			addr = link->ops->map(link, run->phys, run->bytes, ext->dir);
		/* the packet may still say what an attempt before this one has found */
		if (addr != run->addr && place(ext, run, addr)) {
			unmap_runs(ext, i);
			ext->link = NULL;
			return -ENOMEM;
		}
	}
	return 0;
}

/**
 * kmcl_external_unmap() - take the memory back from the peer
 * @ext: encoded; the peer has no right to the memory any more
 *
 * Context: any up to softirq; the link stays, by RCU or by tx.lock.
 */
void kmcl_external_unmap(struct kmcl_external *ext)
{
	if (!ext->link)
		return;
	unmap_runs(ext, ext->count);
	ext->link = NULL;
}

/**
 * kmcl_external_abandon() - the peer keeps its right to the memory, for ever
 * @ext: mapped
 *
 * A mapping that bounces stays, and keeps the peer away from the driver's
 * memory. Where there is none, pages that have a reference count are kept from
 * ever being used again; memory of a slab cannot be.
 *
 * Context: any.
 * Return: pages that the driver may free and somebody else may get.
 */
u32 kmcl_external_abandon(struct kmcl_external *ext)
{
	u32 i, j, exposed = 0;

	for (i = 0; i < ext->count; i++) {
		for (j = 0; j < ext->runs[i].frames; j++) {
			phys_addr_t phys = ext->runs[i].phys + j * KMCL_PAGE_SIZE;
			struct page *page = pfn_to_page(PHYS_PFN(phys));

			if (PageSlab(page) || !get_page_unless_zero(page))
				exposed++;
		}
	}
	ext->link = NULL;
	return exposed;
}
