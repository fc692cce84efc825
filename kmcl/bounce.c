// SPDX-License-Identifier: GPL-2.0
/*
 * Bounce memory: pages of a channel's own through which external data pass when
 * the DMA API has no room for them.
 *
 * A guest whose memory the host cannot see, or may not, maps external data
 * through the system's bounce pool (swiotlb=), which all devices share and which
 * can be full.  A channel with memory of its own goes on then.  It belongs to the
 * channel from open to close and cannot be taken by anybody else:
 *
 *   InitialSize                  allocated with each open, which fails without it
 *   VmbChannelAllocateBounceBuffer()    at once, and with each open after it
 *   IncrementSize                when it is used up, from a work item, until all
 *                                of it is MaximumSize
 *
 * Memory comes in chunks, a chunk in pages, and a mapping is a run of pages of
 * one chunk, at the same offset in its first page as the driver's memory.  What
 * is in the run and outside the mapping is zero.
 */
#include <linux/bitmap.h>
#include <linux/export.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "kmcl.h"

/* Decided: Windows does not publish its defaults. */
#define BOUNCE_INCREMENT	(128u << 10)	/* two mappings of the largest size */
#define BOUNCE_MAXIMUM		(1u << 20)
#define BOUNCE_CHUNK		(1u << 20)	/* of more there may be no piece */

/**
 * struct kmcl_bounce_chunk - memory that the peer can see
 * @node: in the channel's list
 * @memory: where the kernel sees it
 * @addr: where the peer does
 * @pages: its length
 * @busy: one bit for each page; pool lock
 * @origin: what the run that begins with a page stands for; pool lock
 */
struct kmcl_bounce_chunk {
	struct list_head node;
	void *memory;
	dma_addr_t addr;
	u32 pages;
	unsigned long *busy;
	phys_addr_t origin[];
};

static_assert(!IS_ENABLED(CONFIG_HIGHMEM));

/* @keep: the peer goes on using the memory. */
static void chunk_free(struct kmcl_link *link, struct kmcl_bounce_chunk *c, bool keep)
{
	if (c->memory && !keep)
		link->ops->bounce_free(link, c->memory, c->pages * KMCL_PAGE_SIZE, c->addr);
	bitmap_free(c->busy);
	kvfree(c);
}

static struct kmcl_bounce_chunk *chunk_new(struct kmcl_link *link, u32 bytes)
{
	u32 pages = bytes / KMCL_PAGE_SIZE;
	struct kmcl_bounce_chunk *c = kvzalloc(struct_size(c, origin, pages), GFP_KERNEL);

	if (!c)
		return NULL;
	c->pages = pages;
	c->busy = bitmap_zalloc(pages, GFP_KERNEL);
	if (c->busy)
		c->memory = link->ops->bounce_alloc(link, bytes, &c->addr);
	if (!c->memory) {
		chunk_free(link, c, false);
		return NULL;
	}
	return c;
}

/* Called with grow_lock; adds all of it or nothing. */
static int bounce_add(struct kmcl_bounce *b, u32 bytes)
{
	struct kmcl_bounce_chunk *c, *next;
	u32 left = bytes, chunk;
	LIST_HEAD(chunks);

	for (; left; left -= chunk) {
		chunk = min(left, BOUNCE_CHUNK);
		c = chunk_new(b->link, chunk);
		if (!c)
			goto free;
		list_add_tail(&c->node, &chunks);
	}
	spin_lock_bh(&b->lock);
	list_splice_tail(&chunks, &b->chunks);
	WRITE_ONCE(b->bytes, b->bytes + bytes);
	spin_unlock_bh(&b->lock);
	return 0;
free:
	list_for_each_entry_safe(c, next, &chunks, node)
		chunk_free(b->link, c, false);
	return -ENOMEM;
}

static void bounce_grow(struct work_struct *work)
{
	struct kmcl_bounce *b = container_of(work, struct kmcl_bounce, grow);

	mutex_lock(&b->grow_lock);
	if (b->link && b->bytes < b->maximum)
		bounce_add(b, min(b->increment, b->maximum - b->bytes));
	mutex_unlock(&b->grow_lock);
}

/**
 * kmcl_bounce_start() - allocate what the channel shall begin with
 * @ch: channel that is being opened
 * @link: the link that it will have
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int kmcl_bounce_start(struct kmcl_channel *ch, struct kmcl_link *link)
{
	struct kmcl_bounce *b = &ch->bounce;
	int ret;

	mutex_lock(&b->grow_lock);
	b->link = link;
	b->increment = ch->config.bounce_increment ?: BOUNCE_INCREMENT;
	/* nobody asked, or it is a server that lends nothing: none, and no growth */
	b->maximum = ch->config.bounce_sized && !ch->server ?
		     ch->config.bounce_maximum ?: BOUNCE_MAXIMUM : 0;
	ret = bounce_add(b, ch->server ? 0 : ch->config.bounce_initial);
	if (!ret)
		ret = bounce_add(b, b->extra);
	mutex_unlock(&b->grow_lock);
	WRITE_ONCE(link->bounce, b);
	return ret;
}

/**
 * kmcl_bounce_finish() - free all of it
 * @ch: channel whose rings are closed, nothing mapped but what the peer keeps
 *
 * Context: process.
 */
void kmcl_bounce_finish(struct kmcl_channel *ch)
{
	struct kmcl_bounce *b = &ch->bounce;
	struct kmcl_bounce_chunk *c, *next;

	mutex_lock(&b->grow_lock);
	if (b->link) {
		WRITE_ONCE(b->link->bounce, NULL);
		list_for_each_entry_safe(c, next, &b->chunks, node) {
			/* of a packet that was abandoned */
			bool keep = !bitmap_empty(c->busy, c->pages);

			if (keep)
				kmcl_err(ch, "bounce memory of %u bytes stays with the host\n",
					 c->pages * KMCL_PAGE_SIZE);
			list_del(&c->node);
			chunk_free(b->link, c, keep);
		}
		b->link = NULL;
		b->bytes = 0;
	}
	mutex_unlock(&b->grow_lock);
	cancel_work_sync(&b->grow);
}

/**
 * kmcl_bounce_map() - have the peer reach memory of ours in place of memory
 * @link: through which; it could not be mapped
 * @phys: the memory
 * @bytes: its length, at most KMCL_MAP_MAX
 * @addr: where the peer finds what is in it
 *
 * Context: any up to softirq; @link stays, by RCU or by tx.lock.
 * Return: 0, or -ENOMEM: not now.
 */
int kmcl_bounce_map(struct kmcl_link *link, phys_addr_t phys, u32 bytes, dma_addr_t *addr)
{
	u32 offset = phys % KMCL_PAGE_SIZE;
	u32 pages = DIV_ROUND_UP(offset + bytes, KMCL_PAGE_SIZE);
	struct kmcl_bounce *b = READ_ONCE(link->bounce);
	struct kmcl_bounce_chunk *c;
	unsigned long first = 0;
	void *run;

	if (!b)
		return -ENOMEM;
	spin_lock_bh(&b->lock);
	list_for_each_entry(c, &b->chunks, node) {
		first = bitmap_find_next_zero_area(c->busy, c->pages, 0, pages, 0);
		if (first < c->pages)
			break;
	}
	if (list_entry_is_head(c, &b->chunks, node)) {
		spin_unlock_bh(&b->lock);
		if (READ_ONCE(b->bytes) < READ_ONCE(b->maximum))
			queue_work(kmcl_wq, &b->grow);
		return -ENOMEM;
	}
	bitmap_set(c->busy, first, pages);
	c->origin[first] = phys;
	spin_unlock_bh(&b->lock);

	/* in any direction: what the peer leaves alone comes back as it was */
	run = c->memory + first * KMCL_PAGE_SIZE;
	memset(run, 0, offset);
	memcpy(run + offset, phys_to_virt(phys), bytes);
	memset(run + offset + bytes, 0, pages * KMCL_PAGE_SIZE - offset - bytes);
	*addr = c->addr + first * KMCL_PAGE_SIZE + offset;
	return 0;
}

/**
 * kmcl_unmap() - the peer is done
 * @link: as for kmcl_bounce_map()
 * @addr: what kmcl_bounce_map() or the link's map gave
 * @bytes: as for that
 * @dir: who wrote
 *
 * Context: as kmcl_bounce_map().
 */
void kmcl_unmap(struct kmcl_link *link, dma_addr_t addr, u32 bytes, enum dma_data_direction dir)
{
	struct kmcl_bounce *b = READ_ONCE(link->bounce);
	struct kmcl_bounce_chunk *c = NULL, *each;
	u32 offset, pages, first;

	if (likely(!b || !READ_ONCE(b->bytes)))
		goto direct;
	spin_lock_bh(&b->lock);
	list_for_each_entry(each, &b->chunks, node) {
		if (addr - each->addr < each->pages * KMCL_PAGE_SIZE) {
			c = each;
			break;
		}
	}
	spin_unlock_bh(&b->lock);
	if (!c)
		goto direct;

	/* chunks stay while anything in them is mapped */
	offset = addr % KMCL_PAGE_SIZE;
	pages = DIV_ROUND_UP(offset + bytes, KMCL_PAGE_SIZE);
	first = (addr - c->addr) / KMCL_PAGE_SIZE;
	if (dir != DMA_TO_DEVICE)
		memcpy(phys_to_virt(c->origin[first]), c->memory + (addr - c->addr), bytes);
	spin_lock_bh(&b->lock);
	bitmap_clear(c->busy, first, pages);
	spin_unlock_bh(&b->lock);
	return;
direct:
	link->ops->unmap(link, addr, bytes, dir);
}

void kmcl_bounce_init(struct kmcl_channel *ch)
{
	struct kmcl_bounce *b = &ch->bounce;

	spin_lock_init(&b->lock);
	mutex_init(&b->grow_lock);
	INIT_LIST_HEAD(&b->chunks);
	INIT_WORK(&b->grow, bounce_grow);
}

/* ---- the API ---- */

NTSTATUS VmbChannelInitSetBounceBufferSizes(VMBCHANNEL Channel, UINT32 InitialSize,
					    UINT32 IncrementSize, UINT32 MaximumSize)
{
	struct kmcl_channel *ch = kmcl_channel_disabled(Channel);
	u32 page = KMCL_PAGE_SIZE;

	if (!ch)
		return STATUS_INVALID_PARAMETER_1;
	if (InitialSize % page)
		return STATUS_INVALID_PARAMETER_2;
	if (IncrementSize % page)
		return STATUS_INVALID_PARAMETER_3;
	if (MaximumSize % page || (MaximumSize && MaximumSize < InitialSize))
		return STATUS_INVALID_PARAMETER_4;
	ch->config.bounce_sized = true;
	ch->config.bounce_initial = InitialSize;
	ch->config.bounce_increment = IncrementSize;
	ch->config.bounce_maximum = MaximumSize;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetBounceBufferSizes);

NTSTATUS VmbChannelAllocateBounceBuffer(VMBCHANNEL Channel, UINT32 Size)
{
	struct kmcl_channel *ch = kmcl_channel(Channel);
	struct kmcl_bounce *b;
	int ret = 0;

	if (!ch)
		return STATUS_INVALID_PARAMETER;
	if (ch->server)
		return STATUS_NOT_SUPPORTED;
	if (!kmcl_may_sleep(ch, __func__))
		return STATUS_INVALID_DEVICE_STATE;
	if (Size % KMCL_PAGE_SIZE)
		return STATUS_INVALID_PARAMETER;
	b = &ch->bounce;
	mutex_lock(&b->grow_lock);
	if (Size > S32_MAX - b->extra)
		ret = -ENOMEM;
	else if (b->link)
		ret = bounce_add(b, Size);
	if (!ret)
		b->extra += Size;
	mutex_unlock(&b->grow_lock);
	return kmcl_status_from_errno(ret);
}
EXPORT_SYMBOL_GPL(VmbChannelAllocateBounceBuffer);
