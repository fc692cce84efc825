// SPDX-License-Identifier: GPL-2.0
/*
 * Clones: lists of their own that describe another one's bytes.
 *
 * A clone refers to its parent, so that a parent is neither completed nor freed
 * while there is one.
 */
#define pr_fmt(fmt) "fwps: " fmt

#include <linux/export.h>
#include "fwps.h"

static void drop_mdls(struct fwps_nb *n)
{
	PMDL mdl = n->mdls, next;

	for (; n->nmdls; n->nmdls--, mdl = next) {
		next = mdl->Next;
		IoFreeMdl(mdl);
	}
	n->mdls = NULL;
}

/* The packets behind the first one, and all MDLs: what fwps_nbl_alloc() has not made. */
void fwps_clone_drop(struct fwps_nbl *n)
{
	NET_BUFFER *nb = n->nb.nb.Next;
	struct fwps_nb *m;

	drop_mdls(&n->nb);
	while ((m = fwps_nb_find(nb))) {
		nb = nb->Next;
		drop_mdls(m);
		NdisFreeNetBuffer(&m->nb);
	}
	n->nb.nb.Next = NULL;
}

/* One MDL for each of the original's that has data. */
static NTSTATUS clone_data(struct fwps_nb *to, const NET_BUFFER *from)
{
	PMDL source = from->CurrentMdl, mdl, *link = &to->mdls;
	unsigned int budget = FWPS_MAX_MDLS;
	u32 skip = from->CurrentMdlOffset;
	u32 left = from->DataLength;
	u32 bytes;

	for (; left; source = source->Next, skip = 0) {
		if (!source || skip > source->ByteCount || !--budget)
			return STATUS_FWP_INVALID_PARAMETER;
		bytes = min(left, source->ByteCount - skip);
		if (!bytes)
			continue;
		if (!kmcl_nt_mdl_has_pages(source))
			return STATUS_FWP_INVALID_PARAMETER;
		mdl = IoAllocateMdl((u8 *)MmGetMdlVirtualAddress(source) + skip, bytes, FALSE,
				    FALSE, NULL);
		if (!mdl)
			return STATUS_INSUFFICIENT_RESOURCES;
		IoBuildPartialMdl(source, mdl, (u8 *)MmGetMdlVirtualAddress(source) + skip, bytes);
		*link = mdl;
		link = &mdl->Next;
		to->nmdls++;
		left -= bytes;
	}
	fwps_nb_set(&to->nb, to->mdls, 0, from->DataLength);
	to->nb.ChecksumBias = from->ChecksumBias;
	return STATUS_SUCCESS;
}

static NTSTATUS clone_packets(struct fwps_nbl *to, const NET_BUFFER_LIST *from,
			      NDIS_HANDLE nb_pool)
{
	const NET_BUFFER *nb = from->FirstNetBuffer;
	unsigned int packets = 0;
	struct fwps_nb *n = &to->nb;
	NTSTATUS status;
	NET_BUFFER *new;

	if (!nb) {
		to->nbl.FirstNetBuffer = NULL;
		return STATUS_SUCCESS;
	}
	for (;;) {
		status = clone_data(n, nb);
		nb = nb->Next;
		if (!NT_SUCCESS(status) || !nb)
			return status;
		if (++packets == FWPS_MAX_PACKETS)
			return STATUS_FWP_INVALID_PARAMETER;
		new = NdisAllocateNetBuffer(nb_pool, NULL, 0, 0);
		if (!new)
			return STATUS_INSUFFICIENT_RESOURCES;
		n->nb.Next = new;
		n = to_fwps_nb(new);
	}
}

NTSTATUS FwpsAllocateCloneNetBufferList0(NET_BUFFER_LIST *originalNetBufferList,
					 NDIS_HANDLE netBufferListPoolHandle,
					 NDIS_HANDLE netBufferPoolHandle, ULONG allocateCloneFlags,
					 NET_BUFFER_LIST **netBufferList)
{
	struct fwps_pool *pool = fwps_pool_default(FWPS_KIND_NBL_POOL);
	struct fwps_pool *nb_pool = fwps_pool_default(FWPS_KIND_NB_POOL);
	struct fwps_nbl *from, *n;
	NTSTATUS status;

	if (!originalNetBufferList || !netBufferList)
		return STATUS_FWP_NULL_POINTER;
	from = fwps_nbl_find(originalNetBufferList);
	if (netBufferListPoolHandle)
		pool = fwps_pool_find(netBufferListPoolHandle, FWPS_KIND_NBL_POOL);
	if (netBufferPoolHandle)
		nb_pool = fwps_pool_find(netBufferPoolHandle, FWPS_KIND_NB_POOL);
	if (!from || !pool || !nb_pool || allocateCloneFlags ||
	    fwps_nbl_state(from) == FWPS_ENDING || !refcount_inc_not_zero(&from->uarg.refcnt))
		return STATUS_FWP_INVALID_PARAMETER;

	n = fwps_nbl_alloc(pool);
	if (!n) {
		fwps_nbl_put(from);
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	n->parent = from;
	n->nbl.ParentNetBufferList = originalNetBufferList;
	atomic_inc((atomic_t *)&originalNetBufferList->ChildRefCount);
	n->nbl.NblFlags = originalNetBufferList->NblFlags;
	n->nbl.Flags = originalNetBufferList->Flags;
	n->nbl.Status = originalNetBufferList->Status;
	n->nbl.SourceHandle = originalNetBufferList->SourceHandle;
	memcpy(n->nbl.NetBufferListInfo, originalNetBufferList->NetBufferListInfo,
	       sizeof(n->nbl.NetBufferListInfo));
	status = clone_packets(n, originalNetBufferList, fwps_pool_handle(nb_pool));
	if (!NT_SUCCESS(status)) {
		atomic_set(&n->obj.state, FWPS_ENDING);
		fwps_nbl_put(n);
		return status;
	}
	*netBufferList = &n->nbl;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(FwpsAllocateCloneNetBufferList0);
