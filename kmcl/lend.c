// SPDX-License-Identifier: GPL-2.0
/*
 * How memory becomes a GPADL: a buffer, an MDL chain, frames, or memory of the library's own.
 *
 * The bus takes whole pages at one kernel address, and nothing else can be had: memory that is
 * not whole pages is refused, and what lies at no such address gets one from vmap().  What a
 * GPADL is from then on, and how it ends: gpadl.c.
 */
#include <linux/export.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>
#include "compat.h"
#include "gpadl.h"

/* vmap() counts in the kernel's pages, PFN lists in the hypervisor's. */
static_assert(PAGE_SIZE == KMCL_PAGE_SIZE);

/*
 * What every create checks, and the link's limits, which hold while it is up:
 * kmcl_gpadl_share() asks the transport again.  @caller_memory: of the driver's.
 */
static NTSTATUS may_create(struct kmcl_channel *ch, u32 flags, const char *who,
			   bool caller_memory, u32 *limit)
{
	NTSTATUS status = STATUS_SUCCESS;
	struct kmcl_link *link;

	if (!ch || ch->server)
		return STATUS_INVALID_PARAMETER_1;
	if (!kmcl_may_sleep(ch, who))
		return STATUS_INVALID_DEVICE_STATE;
	if (READ_ONCE(ch->state) != KMCL_OPEN)
		return STATUS_INVALID_PARAMETER_1;
	if (flags & ~VMBUS_CHANNEL_GPADL_FLAGS)
		return STATUS_INVALID_PARAMETER_2;

	rcu_read_lock();
	link = rcu_dereference(ch->link);
	if (!link)
		status = STATUS_DEVICE_REMOVED;
	else if (caller_memory && link->share_wipes)
		status = STATUS_NOT_SUPPORTED;
	else
		*limit = link->share_max;
	rcu_read_unlock();
	if (status == STATUS_NOT_SUPPORTED)
		kmcl_err(ch, "%s: sharing would destroy what is in the memory; use VmbChannelCreateGpadl()\n",
			 who);
	return status;
}

/* @offset and @bytes: of one piece of the memory. */
static NTSTATUS check_piece(struct kmcl_channel *ch, const char *who, u64 offset, u64 bytes)
{
	if (!((offset | bytes) & (KMCL_PAGE_SIZE - 1)))
		return STATUS_SUCCESS;
	kmcl_err(ch, "%s: the bus takes whole pages, not %llu bytes at offset %llu of a page\n",
		 who, bytes, offset & (KMCL_PAGE_SIZE - 1));
	return STATUS_NOT_SUPPORTED;
}

static NTSTATUS check_size(struct kmcl_channel *ch, const char *who, u64 bytes, u32 limit)
{
	if (bytes <= limit)
		return STATUS_SUCCESS;
	kmcl_err(ch, "%s: the bus takes up to %u bytes, not %llu\n", who, limit, bytes);
	return STATUS_NOT_SUPPORTED;
}

NTSTATUS VmbChannelCreateGpadlFromBuffer(VMBCHANNEL Channel, UINT32 Flags, PVOID Buffer,
					 UINT32 BufferSize, PUINT32 GpadlHandle)
{
	struct kmcl_channel *ch = kmcl_channel(Channel);
	struct kmcl_gpadl *g;
	NTSTATUS status;
	u32 i, limit;

	status = may_create(ch, Flags, __func__, true, &limit);
	if (status)
		return status;
	if (!Buffer)
		return STATUS_INVALID_PARAMETER_3;
	if (!BufferSize)
		return STATUS_INVALID_PARAMETER_4;
	if (!GpadlHandle)
		return STATUS_INVALID_PARAMETER_5;
	status = check_piece(ch, __func__, (uintptr_t)Buffer, BufferSize);
	if (!status)
		status = check_size(ch, __func__, BufferSize, limit);
	if (status)
		return status;

	g = kmcl_gpadl_alloc(BufferSize / KMCL_PAGE_SIZE);
	if (!g)
		return STATUS_INSUFFICIENT_RESOURCES;
	for (i = 0; i < g->page_count; i++) {
		g->pages[i] = kmcl_address_page(Buffer + i * KMCL_PAGE_SIZE);
		if (!g->pages[i]) {
			/* not the kernel's, or not so much of it */
			kmcl_gpadl_free(g);
			return STATUS_INVALID_PARAMETER_3;
		}
	}
	g->bytes = BufferSize;
	g->address = Buffer;
	/* a module's own data is in neither range that the bus knows */
	if (!is_vmalloc_addr(Buffer) && kmcl_is_mapped_by_page(Buffer))
		status = kmcl_gpadl_map(g);
	if (status) {
		kmcl_gpadl_free(g);
		return status;
	}
	return kmcl_gpadl_share(ch, g, GpadlHandle);
}
EXPORT_SYMBOL_GPL(VmbChannelCreateGpadlFromBuffer);

/* Share @g's pages through a mapping of the library's. */
static NTSTATUS share_pages(struct kmcl_channel *ch, struct kmcl_gpadl *g, u32 *handle)
{
	NTSTATUS status;

	g->bytes = g->page_count * KMCL_PAGE_SIZE;
	status = kmcl_gpadl_map(g);
	if (status) {
		kmcl_gpadl_free(g);
		return status;
	}
	return kmcl_gpadl_share(ch, g, handle);
}

/* Find pages by number. */
static NTSTATUS pages_from_pfns(struct kmcl_channel *ch, const char *who, struct page **pages,
				const PFN_NUMBER *pfns, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++) {
		pages[i] = pfn_to_online_page(pfns[i]);
		if (pages[i])
			continue;
		kmcl_err(ch, "%s: frame %#llx is no memory of this kernel\n", who, pfns[i]);
		return STATUS_NOT_SUPPORTED;
	}
	return STATUS_SUCCESS;
}

/**
 * struct mdl_piece - the part of one MDL that belongs to a range of a chain
 * @offset: where it starts, from the start of the MDL's first page
 * @bytes: its length
 */
struct mdl_piece {
	u32 offset;
	u32 bytes;
};

/* Take the next piece of [*offset, *offset + *length) from @mdl; may be empty. */
static struct mdl_piece mdl_piece(PMDL mdl, u32 *offset, u64 *length)
{
	u32 skip = min(*offset, mdl->ByteCount);
	struct mdl_piece piece = {
		.offset = mdl->ByteOffset + skip,
		.bytes = min_t(u64, mdl->ByteCount - skip, *length),
	};

	*offset -= skip;
	*length -= piece.bytes;
	return piece;
}

/* MDLs of a chain that describe nothing, or lie before the offset: more than anybody has. */
#define MAX_EMPTY_MDLS	65536

NTSTATUS VmbChannelCreateGpadlFromMdl(VMBCHANNEL Channel, UINT32 Flags, PMDL Mdl,
				      UINT32 MdlOffset, UINT32 MdlLength, PUINT32 GpadlHandle)
{
	struct kmcl_channel *ch = kmcl_channel(Channel);
	u64 left = MdlLength ?: U64_MAX, bytes;
	u32 limit, skip = MdlOffset, done = 0, empty = 0;
	struct kmcl_gpadl *g;
	NTSTATUS status;
	PMDL mdl;

	status = may_create(ch, Flags, __func__, true, &limit);
	if (status)
		return status;
	if (!Mdl)
		return STATUS_INVALID_PARAMETER_3;
	if (!GpadlHandle)
		return STATUS_INVALID_PARAMETER_6;

	for (mdl = Mdl, bytes = 0; mdl && left && bytes <= limit; mdl = mdl->Next) {
		struct mdl_piece piece = mdl_piece(mdl, &skip, &left);

		if (!kmcl_nt_mdl_has_pages(mdl))
			return STATUS_INVALID_PARAMETER_3;
		if (!piece.bytes) {
			/* they may be a ring */
			if (++empty > MAX_EMPTY_MDLS)
				return STATUS_INVALID_PARAMETER_3;
			continue;
		}
		status = check_piece(ch, __func__, piece.offset, piece.bytes);
		if (status)
			return status;
		bytes += piece.bytes;
	}
	if (!bytes)
		return STATUS_INVALID_PARAMETER_4;
	status = check_size(ch, __func__, bytes, limit);
	if (status)
		return status;
	if (MdlLength && left)
		return STATUS_INVALID_PARAMETER_5;

	g = kmcl_gpadl_alloc(bytes / KMCL_PAGE_SIZE);
	if (!g)
		return STATUS_INSUFFICIENT_RESOURCES;
	skip = MdlOffset;
	left = bytes;
	for (mdl = Mdl; left; mdl = mdl->Next) {
		struct mdl_piece piece = mdl_piece(mdl, &skip, &left);
		u32 first = piece.offset / KMCL_PAGE_SIZE;
		u32 count = piece.bytes / KMCL_PAGE_SIZE;

		status = pages_from_pfns(ch, __func__, g->pages + done,
					 MmGetMdlPfnArray(mdl) + first, count);
		if (status) {
			kmcl_gpadl_free(g);
			return status;
		}
		done += count;
	}
	return share_pages(ch, g, GpadlHandle);
}
EXPORT_SYMBOL_GPL(VmbChannelCreateGpadlFromMdl);

NTSTATUS VmbChannelCreateGpadlFromPfnList(VMBCHANNEL Channel, UINT32 Flags, PPFN_NUMBER PfnList,
					  UINT32 PfnCount, PUINT32 GpadlHandle)
{
	struct kmcl_channel *ch = kmcl_channel(Channel);
	struct kmcl_gpadl *g;
	NTSTATUS status;
	u32 limit;

	status = may_create(ch, Flags, __func__, true, &limit);
	if (status)
		return status;
	if (!PfnList)
		return STATUS_INVALID_PARAMETER_3;
	if (!PfnCount)
		return STATUS_INVALID_PARAMETER_4;
	if (!GpadlHandle)
		return STATUS_INVALID_PARAMETER_5;
	status = check_size(ch, __func__, (u64)PfnCount * KMCL_PAGE_SIZE, limit);
	if (status)
		return status;

	g = kmcl_gpadl_alloc(PfnCount);
	if (!g)
		return STATUS_INSUFFICIENT_RESOURCES;
	status = pages_from_pfns(ch, __func__, g->pages, PfnList, PfnCount);
	if (status) {
		kmcl_gpadl_free(g);
		return status;
	}
	return share_pages(ch, g, GpadlHandle);
}
EXPORT_SYMBOL_GPL(VmbChannelCreateGpadlFromPfnList);

NTSTATUS VmbChannelCreateGpadl(VMBCHANNEL Channel, UINT32 Flags, UINT32 PageCount,
			       PUINT32 GpadlHandle)
{
	struct kmcl_channel *ch = kmcl_channel(Channel);
	struct kmcl_gpadl *g;
	NTSTATUS status;
	u32 limit;

	status = may_create(ch, Flags, __func__, false, &limit);
	if (status)
		return status;
	if (!PageCount)
		return STATUS_INVALID_PARAMETER_3;
	if (!GpadlHandle)
		return STATUS_INVALID_PARAMETER_4;
	status = check_size(ch, __func__, (u64)PageCount * KMCL_PAGE_SIZE, limit);
	if (status)
		return status;

	g = kmcl_gpadl_alloc(0);
	if (!g)
		return STATUS_INSUFFICIENT_RESOURCES;
	g->bytes = PageCount * KMCL_PAGE_SIZE;
	/* zeroed: the peer sees all of it */
	g->address = __vmalloc(g->bytes, GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN);
	g->memory = g->address;
	if (!g->address) {
		kmcl_gpadl_free(g);
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	return kmcl_gpadl_share(ch, g, GpadlHandle);
}
EXPORT_SYMBOL_GPL(VmbChannelCreateGpadl);
