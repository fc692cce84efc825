// SPDX-License-Identifier: GPL-2.0
/*
 * External data of outgoing packets: memory of the driver's that the peer reads
 * and writes by itself.
 *
 * A packet object has room for the largest description that the channel's
 * limits permit, so sending allocates nothing.  The description is there twice:
 * as the frames that the driver named, and as the peer will see it, which a
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
	       max_frames(limits->external, max_ranges(limits)) * sizeof(PFN_NUMBER);
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
	ext->wire = (struct kmcl_gpa_direct *)(ext->frames + ext->max_frames);
}

/* A piece of contiguous memory, within one range. */
struct run {
	struct kmcl_gpa_range *range;
	u32 index;			/* of its first frame, among all frames */
	u32 first;			/* the same, among the range's */
	u32 frames;
	u32 offset;			/* in its first frame */
	u32 bytes;
	u32 left;			/* of the range, behind it */
};

static struct run first_run(const struct kmcl_external *ext)
{
	return (struct run) { .range = (void *)ext->wire->ranges };
}

/* Go on to the next run; false: there is none. */
static bool next_run(const struct kmcl_external *ext, struct run *run)
{
	const PFN_NUMBER *frame;
	u32 room;

	run->index += run->frames;
	run->first += run->frames;
	if (run->index == ext->count)
		return false;
	if (run->left) {
		run->offset = 0;
	} else {
		if (run->first) {
			run->range = (void *)&run->range->frames[run->first];
			run->first = 0;
		}
		run->offset = le32_to_cpu(run->range->offset);
		run->left = le32_to_cpu(run->range->bytes);
	}
	frame = &ext->frames[run->index];
	run->frames = 1;
	room = KMCL_PAGE_SIZE - run->offset;
	while (room < run->left && room + KMCL_PAGE_SIZE <= KMCL_MAP_MAX &&
	       frame[run->frames] == frame[0] + run->frames) {
		room += KMCL_PAGE_SIZE;
		run->frames++;
	}
	run->bytes = min(room, run->left);
	run->left -= run->bytes;
	return true;
}

/* Unmap the first @count frames, which end with a run. */
static void unmap_frames(const struct kmcl_external *ext, u32 count)
{
	struct run run = first_run(ext);

	while (run.index + run.frames < count && next_run(ext, &run)) {
		dma_addr_t addr = le64_to_cpu(run.range->frames[run.first]) * KMCL_PAGE_SIZE;

		kmcl_unmap(ext->link, addr + run.offset, run.bytes, ext->dir);
	}
}

/**
 * kmcl_external_map() - let the peer reach the memory
 * @ext: encoded, not mapped
 * @link: through which
 *
 * Context: any up to softirq; @link stays, by RCU or by tx.lock.
 * Return: 0 or -ENOMEM.
 */
int kmcl_external_map(struct kmcl_external *ext, struct kmcl_link *link)
{
	struct run run = first_run(ext);
	dma_addr_t addr;
	u32 i;

	ext->link = link;
	while (next_run(ext, &run)) {
		phys_addr_t phys = (phys_addr_t)ext->frames[run.index] * KMCL_PAGE_SIZE;

		if (kmcl_map(link, phys + run.offset, run.bytes, ext->dir, &addr)) {
			unmap_frames(ext, run.index);
			ext->link = NULL;
			return -ENOMEM;
		}
		addr /= KMCL_PAGE_SIZE;
		for (i = 0; i < run.frames; i++)
			run.range->frames[run.first + i] = cpu_to_le64(addr + i);
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
	unmap_frames(ext, ext->count);
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
	u32 i, exposed = 0;

	for (i = 0; i < ext->count; i++) {
		phys_addr_t phys = (phys_addr_t)ext->frames[i] * KMCL_PAGE_SIZE;
		struct page *page = pfn_to_page(PHYS_PFN(phys));

		if (PageSlab(page) || !get_page_unless_zero(page))
			exposed++;
	}
	ext->link = NULL;
	return exposed;
}
