// SPDX-License-Identifier: GPL-2.0
/*
 * GPADLs: lists of guest pages that the guest has lent the host, and the
 * host's way to the guest's memory.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "internal.h"

static LIST_HEAD(gpadls);

static struct hvsim_gpadl *lookup(u32 handle)
{
	struct hvsim_gpadl *gpadl;

	list_for_each_entry(gpadl, &gpadls, node)
		if (gpadl->handle == handle)
			return gpadl;
	return NULL;
}

/**
 * hvsim_find_gpadl - a GPADL of the guest's by its number
 * @handle: the number
 *
 * Return: the GPADL, which stays until the guest tears it down, or NULL.
 */
struct hvsim_gpadl *hvsim_find_gpadl(u32 handle)
{
	struct hvsim_gpadl *gpadl;
	unsigned long flags;

	spin_lock_irqsave(&hvsim_lock, flags);
	gpadl = lookup(handle);
	spin_unlock_irqrestore(&hvsim_lock, flags);
	return gpadl;
}
EXPORT_SYMBOL_GPL(hvsim_find_gpadl);

/**
 * hvsim_gpadl_count - how many GPADLs a channel has now
 * @chan: the channel
 *
 * Return: their number, the ring's included.
 */
unsigned int hvsim_gpadl_count(struct hvsim_chan *chan)
{
	struct hvsim_gpadl *gpadl;
	unsigned int nr = 0;
	unsigned long flags;

	spin_lock_irqsave(&hvsim_lock, flags);
	list_for_each_entry(gpadl, &gpadls, node)
		nr += gpadl->relid == chan->relid;
	spin_unlock_irqrestore(&hvsim_lock, flags);
	return nr;
}
EXPORT_SYMBOL_GPL(hvsim_gpadl_count);

/**
 * hvsim_gpa - guest memory by page number, as external data names it
 * @pfn: page number
 * @offset: byte in the page
 *
 * The address is the kernel's own, so that KASAN sees the host touch what the
 * guest has freed.
 *
 * Return: where the host reads or writes it.
 */
void *hvsim_gpa(u64 pfn, u32 offset)
{
	return phys_to_virt((pfn << HV_HYP_PAGE_SHIFT) + offset);
}
EXPORT_SYMBOL_GPL(hvsim_gpa);

/**
 * hvsim_gpa_ranges - the external data of a GPA-direct packet
 * @desc: the packet, already checked by the host's reader
 * @index: which range, from 0
 * @range: where to say where that range is
 *
 * Return: the number of ranges in the packet, 0 for a packet of another type,
 * -EINVAL if they do not fit into it.
 */
int hvsim_gpa_ranges(const struct vmpacket_descriptor *desc, u32 index,
		     const struct gpa_range **range)
{
	const u8 *end = (const u8 *)desc + (desc->offset8 << 3);
	const struct gpa_range *r;
	u32 nr, pages;

	*range = NULL;
	if (desc->type != VM_PKT_DATA_USING_GPA_DIRECT)
		return 0;
	/* a reserved word, then the count */
	r = (const void *)((const u32 *)(desc + 1) + 2);
	if ((const u8 *)r > end)
		return -EINVAL;
	nr = ((const u32 *)(desc + 1))[1];
	while (index < nr) {
		if ((const u8 *)(r + 1) > end)
			return -EINVAL;
		pages = DIV_ROUND_UP(r->byte_offset + r->byte_count, HV_HYP_PAGE_SIZE);
		if ((const u8 *)&r->pfn_array[pages] > end)
			return -EINVAL;
		if (!index--) {
			*range = r;
			break;
		}
		r = (const void *)&r->pfn_array[pages];
	}
	return nr;
}
EXPORT_SYMBOL_GPL(hvsim_gpa_ranges);

/* Does every range of a packet lie within it, and name at least one page? */
bool hvsim_gpa_valid(const struct vmpacket_descriptor *desc)
{
	const struct gpa_range *range;
	int nr = hvsim_gpa_ranges(desc, 0, &range), i;

	if (desc->type != VM_PKT_DATA_USING_GPA_DIRECT)
		return true;
	for (i = 0; i < nr; i++)
		if (hvsim_gpa_ranges(desc, i, &range) < 0 || !range->byte_count)
			return false;
	return nr > 0;
}

static void answer(struct hvsim_gpadl *gpadl, u32 status)
{
	struct vmbus_channel_gpadl_created msg = {
		.header.msgtype = CHANNELMSG_GPADL_CREATED,
		.child_relid = gpadl->relid,
		.gpadl = gpadl->handle,
		.creation_status = status,
	};

	hvsim_post(&msg, sizeof(msg));
}

static void release(struct hvsim_gpadl *gpadl)
{
	kvfree(gpadl->pages);
	kfree(gpadl);
}

static bool add_pages(struct hvsim_gpadl *gpadl, const u64 *pfn, u32 bytes)
{
	for (; bytes >= sizeof(*pfn) && gpadl->filled < gpadl->nr; bytes -= sizeof(*pfn))
		gpadl->pages[gpadl->filled++] = pfn_to_page(*pfn++);
	return gpadl->filled == gpadl->nr;
}

static void finish(struct hvsim_gpadl *gpadl)
{
	struct hvsim_chan *chan = hvsim_chan_get(gpadl->relid);
	u32 status = chan ? READ_ONCE(chan->script.gpadl_status) : 0;

	if (!status && chan && hvsim_has_server(chan))
		status = hvsim_server_gpadl(chan, gpadl);
	answer(gpadl, status);
	if (status)
		hvsim_gpadl_teardown(gpadl->handle, gpadl->relid);
	if (chan)
		hvsim_chan_put(chan);
}

void hvsim_gpadl_header(const struct vmbus_channel_gpadl_header *msg, u32 size)
{
	const struct gpa_range *range = msg->range;
	struct hvsim_gpadl *gpadl;
	unsigned long flags;
	bool dup;

	if (size < struct_size(msg, range, 1) || msg->rangecount != 1) {
		hvsim_fault(NULL, "GPADL header of %u bytes with %u ranges", size, msg->rangecount);
		return;
	}
	gpadl = kzalloc(sizeof(*gpadl), GFP_KERNEL);
	if (!gpadl)
		return;
	gpadl->handle = msg->gpadl;
	gpadl->relid = msg->child_relid;
	gpadl->byte_count = range->byte_count;
	gpadl->byte_offset = range->byte_offset;
	gpadl->nr = DIV_ROUND_UP(gpadl->byte_offset + gpadl->byte_count, HV_HYP_PAGE_SIZE);
	gpadl->pages = kvcalloc(gpadl->nr, sizeof(*gpadl->pages), GFP_KERNEL);
	if (!gpadl->pages) {
		answer(gpadl, HVSIM_REFUSED);
		kfree(gpadl);
		return;
	}
	spin_lock_irqsave(&hvsim_lock, flags);
	dup = lookup(gpadl->handle);
	if (!dup)
		list_add_tail(&gpadl->node, &gpadls);
	spin_unlock_irqrestore(&hvsim_lock, flags);
	if (dup) {
		hvsim_fault(NULL, "GPADL %#x exists already", gpadl->handle);
		release(gpadl);
		return;
	}
	if (add_pages(gpadl, range->pfn_array, size - struct_size(msg, range, 1)))
		finish(gpadl);
}

void hvsim_gpadl_body(const struct vmbus_channel_gpadl_body *msg, u32 size)
{
	struct hvsim_gpadl *gpadl = hvsim_find_gpadl(msg->gpadl);

	if (!gpadl || gpadl->filled == gpadl->nr) {
		hvsim_fault(NULL, "unexpected body for GPADL %#x", msg->gpadl);
		return;
	}
	if (add_pages(gpadl, msg->pfn, size - sizeof(*msg)))
		finish(gpadl);
}

bool hvsim_gpadl_teardown(u32 handle, u32 relid)
{
	struct hvsim_gpadl *gpadl;
	unsigned long flags;

	spin_lock_irqsave(&hvsim_lock, flags);
	gpadl = lookup(handle);
	if (gpadl && gpadl->relid != relid)
		gpadl = NULL;
	if (gpadl)
		list_del(&gpadl->node);
	spin_unlock_irqrestore(&hvsim_lock, flags);
	if (gpadl)
		release(gpadl);
	return gpadl;
}

/* Any GPADL of a channel's, 0 if there is none. */
u32 hvsim_gpadl_first(u32 relid)
{
	struct hvsim_gpadl *gpadl;
	unsigned long flags;
	u32 handle = 0;

	spin_lock_irqsave(&hvsim_lock, flags);
	list_for_each_entry(gpadl, &gpadls, node) {
		if (gpadl->relid == relid) {
			handle = gpadl->handle;
			break;
		}
	}
	spin_unlock_irqrestore(&hvsim_lock, flags);
	return handle;
}

/* A rescinded channel takes its GPADLs with it: the guest tears none down. */
void hvsim_gpadl_drop(u32 relid)
{
	struct hvsim_gpadl *gpadl, *next;
	unsigned long flags;
	LIST_HEAD(gone);

	spin_lock_irqsave(&hvsim_lock, flags);
	list_for_each_entry_safe(gpadl, next, &gpadls, node)
		if (gpadl->relid == relid)
			list_move(&gpadl->node, &gone);
	spin_unlock_irqrestore(&hvsim_lock, flags);
	list_for_each_entry_safe(gpadl, next, &gone, node)
		release(gpadl);
}

/* ---- what the guest shows its host, and hides again ---- */

static atomic_long_t shown;

int hvsim_set_memory_decrypted(unsigned long addr, int pages)
{
	atomic_long_add(pages, &shown);
	return 0;
}
EXPORT_SYMBOL_GPL(hvsim_set_memory_decrypted);

int hvsim_set_memory_encrypted(unsigned long addr, int pages)
{
	atomic_long_sub(pages, &shown);
	return 0;
}
EXPORT_SYMBOL_GPL(hvsim_set_memory_encrypted);

/**
 * hvsim_shown_pages - memory that a host could see of a guest that is isolated
 *
 * Return: pages that the bus has made visible for GPADLs, less those that it has
 * made the guest's own again.
 */
long hvsim_shown_pages(void)
{
	return atomic_long_read(&shown);
}
EXPORT_SYMBOL_GPL(hvsim_shown_pages);
