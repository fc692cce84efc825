// SPDX-License-Identifier: GPL-2.0
/*
 * The data of a packet: reading them, and moving their start.
 *
 * What a retreat puts in front of an MDL chain is noted behind the NET_BUFFER, last
 * one first: an advance that passes it, or the end of the packet, frees it, and
 * nothing that the driver has linked there itself.
 */
#define pr_fmt(fmt) "fwps: " fmt

#include <linux/export.h>
#include <linux/highmem.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "fwps.h"

/* ---- reading ---- */

void fwps_cursor_start(struct fwps_cursor *c, const NET_BUFFER *nb)
{
	c->mdl = nb->CurrentMdl;
	c->offset = nb->CurrentMdlOffset;
	c->left = nb->DataLength;
	c->budget = FWPS_MAX_MDLS;
}

/*
 * Where a byte of an MDL is, and how many follow it there. An MDL need not be mapped:
 * the kernel's own mapping of the page does.
 */
static const u8 *mdl_bytes(PMDL mdl, u32 offset, u32 *len)
{
	PFN_NUMBER pfn;
	phys_addr_t at;

	if (mdl->MdlFlags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL))
		return (u8 *)mdl->MappedSystemVa + offset;
	if (!kmcl_nt_mdl_has_pages(mdl))
		return NULL;
	at = (phys_addr_t)mdl->ByteOffset + offset;
	pfn = MmGetMdlPfnArray(mdl)[at >> KMCL_NT_PAGE_SHIFT];
	at = ((phys_addr_t)pfn << KMCL_NT_PAGE_SHIFT) + (at & (KMCL_NT_PAGE_SIZE - 1));
	if (!pfn_valid(PHYS_PFN(at)))
		return NULL;
	*len = min_t(u32, *len, KMCL_NT_PAGE_SIZE - (at & (KMCL_NT_PAGE_SIZE - 1)));
	/* of 64 bit kernels all memory is mapped */
	return (u8 *)page_address(pfn_to_page(PHYS_PFN(at))) + offset_in_page(at);
}

/**
 * fwps_cursor_next() - the next bytes of a packet that lie side by side
 * @c: where it stands; moves behind them
 * @bytes: where they are
 *
 * Context: any.
 * Return: how many; 0 at the end, or when @c->left is not 0: where the chain ends too
 * early, or an MDL has no pages.
 */
u32 fwps_cursor_next(struct fwps_cursor *c, const u8 **bytes)
{
	u32 len;

	while (c->left && c->mdl && c->offset <= c->mdl->ByteCount && --c->budget) {
		len = min(c->left, c->mdl->ByteCount - c->offset);
		if (!len) {
			c->mdl = c->mdl->Next;
			c->offset = 0;
			continue;
		}
		*bytes = mdl_bytes(c->mdl, c->offset, &len);
		if (!*bytes)
			return 0;
		c->offset += len;
		c->left -= len;
		return len;
	}
	return 0;
}

PVOID NdisGetDataBuffer(PNET_BUFFER NetBuffer, ULONG BytesNeeded, PVOID Storage,
			UINT AlignMultiple, UINT AlignOffset)
{
	struct fwps_cursor c;
	const u8 *bytes;
	u32 len, at;
	void *va;

	if (!BytesNeeded || NetBuffer->DataLength < BytesNeeded ||
	    (AlignMultiple && !is_power_of_2(AlignMultiple)))
		return NULL;
	fwps_cursor_start(&c, NetBuffer);
	/* where the first byte is: empty MDLs are passed */
	while (c.mdl && c.offset >= c.mdl->ByteCount && --c.budget) {
		c.offset -= c.mdl->ByteCount;
		c.mdl = c.mdl->Next;
	}
	if (c.mdl && BytesNeeded <= c.mdl->ByteCount - c.offset) {
		va = MmGetSystemAddressForMdlSafe(c.mdl, LowPagePriority | MdlMappingNoExecute);
		if (va && (!AlignMultiple ||
			   !(((uintptr_t)va + c.offset - AlignOffset) & (AlignMultiple - 1))))
			return (u8 *)va + c.offset;
	}
	if (!Storage)
		return NULL;
	c.left = BytesNeeded;
	for (at = 0; (len = fwps_cursor_next(&c, &bytes)); at += len)
		memcpy((u8 *)Storage + at, bytes, len);
	return c.left ? NULL : Storage;
}
EXPORT_SYMBOL_GPL(NdisGetDataBuffer);

/* ---- moving ---- */

/* CurrentMdl of a packet whose DataOffset has changed. */
static void find_current(NET_BUFFER *nb)
{
	u32 skip = nb->DataOffset;
	PMDL mdl = nb->MdlChain;

	while (mdl && skip >= mdl->ByteCount && mdl->Next) {
		skip -= mdl->ByteCount;
		mdl = mdl->Next;
	}
	nb->CurrentMdl = mdl;
	nb->CurrentMdlOffset = skip;
}

/* An MDL and memory of that size, or the driver's handler's. */
static struct fwps_front *front_new(u32 size, NET_BUFFER_ALLOCATE_MDL_HANDLER handler)
{
	struct fwps_front *front;
	ULONG got = size;

	front = kmalloc(struct_size(front, buf, handler ? 0 : size), GFP_ATOMIC | __GFP_NOWARN);
	if (!front)
		return NULL;
	front->own = !handler;
	if (handler) {
		front->mdl = handler(&got);
	} else {
		front->mdl = IoAllocateMdl(front->buf, size, FALSE, FALSE, NULL);
		if (front->mdl)
			MmBuildMdlForNonPagedPool(front->mdl);
	}
	if (!front->mdl || front->mdl->ByteCount < size) {
		kfree(front);
		return NULL;
	}
	return front;
}

static void front_free(struct fwps_front *front, NET_BUFFER_FREE_MDL_HANDLER handler)
{
	if (front->own)
		IoFreeMdl(front->mdl);
	else
		handler(front->mdl);
	kfree(front);
}

/* The end of a packet whose driver has not advanced over what it had retreated. */
void fwps_nb_drop_fronts(struct fwps_nb *n)
{
	struct fwps_front *front;

	while ((front = n->fronts)) {
		n->fronts = front->below;
		/* a handler's memory is the driver's to find */
		if (front->own)
			IoFreeMdl(front->mdl);
		kfree(front);
	}
}

NDIS_STATUS NdisRetreatNetBufferDataStart(PNET_BUFFER NetBuffer, ULONG DataOffsetDelta,
					  ULONG DataBackFill,
					  NET_BUFFER_ALLOCATE_MDL_HANDLER AllocateMdlHandler)
{
	PNET_BUFFER nb = NetBuffer;
	u32 delta = DataOffsetDelta;
	struct fwps_front *front;
	struct fwps_nb *n;
	u64 size;

	if ((u64)nb->DataLength + delta > U32_MAX)
		return NDIS_STATUS_FAILURE;
	if (delta <= nb->DataOffset) {
		nb->DataOffset -= delta;
		nb->stDataLength += delta;
		find_current(nb);
		return NDIS_STATUS_SUCCESS;
	}

	size = (u64)delta - nb->DataOffset + DataBackFill;
	n = fwps_nb_find(nb);
	if (!n || size > U32_MAX - KMCL_NT_PAGE_SIZE)
		return NDIS_STATUS_FAILURE;
	front = front_new(size, AllocateMdlHandler);
	if (!front)
		return NDIS_STATUS_RESOURCES;
	front->below = n->fronts;
	n->fronts = front;
	front->mdl->Next = nb->MdlChain;
	nb->MdlChain = front->mdl;
	/* the whole of the old backfill is data now; a handler may have given more */
	nb->DataOffset = front->mdl->ByteCount - (delta - nb->DataOffset);
	nb->stDataLength += delta;
	find_current(nb);
	return NDIS_STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(NdisRetreatNetBufferDataStart);

VOID NdisAdvanceNetBufferDataStart(PNET_BUFFER NetBuffer, ULONG DataOffsetDelta, BOOLEAN FreeMdl,
				   NET_BUFFER_FREE_MDL_HANDLER FreeMdlHandler)
{
	PNET_BUFFER nb = NetBuffer;
	struct fwps_front *front;
	struct fwps_nb *n;

	if (DataOffsetDelta > nb->DataLength) {
		fwps_mistake("%u of %u bytes\n", DataOffsetDelta, nb->DataLength);
		return;
	}
	nb->DataOffset += DataOffsetDelta;
	nb->stDataLength -= DataOffsetDelta;
	find_current(nb);
	if (!FreeMdl)
		return;
	n = fwps_nb_find(nb);
	if (!n)
		return;
	while ((front = n->fronts) && front->mdl == nb->MdlChain &&
	       nb->DataOffset >= front->mdl->ByteCount && (front->own || FreeMdlHandler)) {
		nb->DataOffset -= front->mdl->ByteCount;
		nb->MdlChain = front->mdl->Next;
		n->fronts = front->below;
		front_free(front, FreeMdlHandler);
		find_current(nb);
	}
}
EXPORT_SYMBOL_GPL(NdisAdvanceNetBufferDataStart);

NDIS_STATUS NdisRetreatNetBufferListDataStart(PNET_BUFFER_LIST NetBufferList,
					      ULONG DataOffsetDelta, ULONG DataBackFill,
					      NET_BUFFER_ALLOCATE_MDL_HANDLER AllocateMdlHandler,
					      NET_BUFFER_FREE_MDL_HANDLER FreeMdlHandler)
{
	PNET_BUFFER nb, undo;
	NDIS_STATUS status;

	for (nb = NetBufferList->FirstNetBuffer; nb; nb = nb->Next) {
		status = NdisRetreatNetBufferDataStart(nb, DataOffsetDelta, DataBackFill,
						       AllocateMdlHandler);
		if (status == NDIS_STATUS_SUCCESS)
			continue;
		for (undo = NetBufferList->FirstNetBuffer; undo != nb; undo = undo->Next)
			NdisAdvanceNetBufferDataStart(undo, DataOffsetDelta, TRUE, FreeMdlHandler);
		return status;
	}
	return NDIS_STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(NdisRetreatNetBufferListDataStart);

VOID NdisAdvanceNetBufferListDataStart(PNET_BUFFER_LIST NetBufferList, ULONG DataOffsetDelta,
				       BOOLEAN FreeMdl,
				       NET_BUFFER_FREE_MDL_HANDLER FreeMdlHandler)
{
	PNET_BUFFER nb;

	for (nb = NetBufferList->FirstNetBuffer; nb; nb = nb->Next)
		NdisAdvanceNetBufferDataStart(nb, DataOffsetDelta, FreeMdl, FreeMdlHandler);
}
EXPORT_SYMBOL_GPL(NdisAdvanceNetBufferListDataStart);
