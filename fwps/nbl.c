// SPDX-License-Identifier: GPL-2.0
/*
 * NET_BUFFER_LISTs: allocating, freeing, referring to them.
 */
#define pr_fmt(fmt) "fwps: " fmt

#include <linux/export.h>
#include <linux/slab.h>
#include "fwps.h"

/* ---- packets ---- */

void fwps_nb_init(struct fwps_nb *n, NDIS_HANDLE pool)
{
	memset(&n->nb, 0, sizeof(n->nb));
	n->nb.NdisPoolHandle = pool;
	n->fronts = NULL;
	n->mdls = NULL;
	n->nmdls = 0;
}

/**
 * fwps_nb_set() - say where the data of a packet are
 * @nb: the packet
 * @chain: MDLs or NULL
 * @offset: bytes there before the data
 * @length: bytes of data
 *
 * Return: false when they are not within @chain; nothing has changed then.
 */
bool fwps_nb_set(NET_BUFFER *nb, PMDL chain, ULONG offset, SIZE_T length)
{
	unsigned int budget = FWPS_MAX_MDLS;
	u64 left = (u64)offset + length;
	PMDL mdl, at = chain;
	u32 skip = offset;

	if (!chain)
		return !offset && !length;
	if (length > U32_MAX || left > U32_MAX)
		return false;
	/* empty ones may be a ring */
	for (mdl = chain; mdl && left && budget; mdl = mdl->Next, budget--)
		left -= min_t(u64, left, mdl->ByteCount);
	if (left)
		return false;
	for (budget = FWPS_MAX_MDLS; skip >= at->ByteCount && at->Next && budget; budget--) {
		skip -= at->ByteCount;
		at = at->Next;
	}
	nb->MdlChain = chain;
	nb->DataOffset = offset;
	nb->stDataLength = length;
	nb->CurrentMdl = at;
	nb->CurrentMdlOffset = skip;
	return true;
}

PNET_BUFFER NdisAllocateNetBuffer(NDIS_HANDLE PoolHandle, PMDL MdlChain, ULONG DataOffset,
				  SIZE_T DataLength)
{
	struct fwps_pool *pool = fwps_pool_find(PoolHandle, FWPS_KIND_NB_POOL);
	struct fwps_nb *n;

	if (!pool) {
		fwps_mistake("%p is no pool of NET_BUFFERs\n", PoolHandle);
		return NULL;
	}
	n = fwps_obj_alloc(pool);
	if (!n)
		return NULL;
	fwps_nb_init(n, PoolHandle);
	if (!fwps_nb_set(&n->nb, MdlChain, DataOffset, DataLength)) {
		fwps_mistake("%u and %llu bytes are not in these MDLs\n", DataOffset, DataLength);
		fwps_obj_free(&n->obj);
		return NULL;
	}
	atomic_set(&n->obj.state, FWPS_IDLE);
	return &n->nb;
}
EXPORT_SYMBOL_GPL(NdisAllocateNetBuffer);

VOID NdisFreeNetBuffer(PNET_BUFFER NetBuffer)
{
	struct fwps_nb *n = fwps_nb_find(NetBuffer);

	/* the one that is part of a list goes with it */
	if (!n || !n->obj.pool ||
	    atomic_cmpxchg(&n->obj.state, FWPS_IDLE, FWPS_FREE) != FWPS_IDLE) {
		fwps_mistake("%p is not from NdisAllocateNetBuffer()\n", NetBuffer);
		return;
	}
	fwps_nb_drop_fronts(n);
	fwps_obj_free(&n->obj);
}
EXPORT_SYMBOL_GPL(NdisFreeNetBuffer);

/* ---- lists ---- */

/* One with its packet, IDLE, and one reference. */
struct fwps_nbl *fwps_nbl_alloc(struct fwps_pool *pool)
{
	struct fwps_nbl *n = fwps_obj_alloc(pool);

	if (!n)
		return NULL;
	memset(&n->nbl, 0, sizeof(n->nbl));
	n->nbl.NdisPoolHandle = fwps_pool_handle(pool);
	n->nbl.FirstNetBuffer = &n->nb.nb;
	fwps_nb_init(&n->nb, n->nbl.NdisPoolHandle);
	fwps_uarg_init(n);
	refcount_set(&n->uarg.refcnt, 1);
	atomic_set(&n->referenced, 0);
	n->parent = NULL;
	n->context = NULL;
	n->handle = NULL;
	n->flow = NULL;
	n->by = 0;
	n->by_context = NULL;
	__skb_queue_head_init(&n->skbs);
	atomic_set_release(&n->obj.state, FWPS_IDLE);
	return n;
}

static void nbl_release(struct fwps_nbl *n)
{
	struct fwps_nbl *parent = n->parent;

	if (parent)
		fwps_clone_drop(n);
	fwps_nb_drop_fronts(&n->nb);
	kfree(n->context);
	atomic_set_release(&n->obj.state, FWPS_FREE);
	fwps_obj_free(&n->obj);
	if (parent) {
		atomic_dec((atomic_t *)&parent->nbl.ChildRefCount);
		fwps_nbl_put(parent);
	}
}

/**
 * fwps_nbl_put() - drop a reference
 * @n: the list
 *
 * Context: any, with any locks; the last reference of a list that the driver has
 * freed is not dropped in hard interrupt, since no sk_buff has it.
 */
void fwps_nbl_put(struct fwps_nbl *n)
{
	if (!refcount_dec_and_test(&n->uarg.refcnt))
		return;
	if (fwps_nbl_state(n) == FWPS_INFLIGHT)
		fwps_complete(n);
	else
		nbl_release(n);
}

/* False: no memory. */
static bool nbl_set_context(struct fwps_nbl *n, unsigned int size, unsigned int back_fill)
{
	NET_BUFFER_LIST_CONTEXT *context = (NET_BUFFER_LIST_CONTEXT *)n->room;
	unsigned int room = fwps_pool_room(n->obj.pool);

	if (size + back_fill > room) {
		context = kmalloc(sizeof(*context) + size + back_fill, GFP_ATOMIC | __GFP_NOWARN);
		if (!context)
			return false;
		n->context = context;
		room = size + back_fill;
	} else if (!room) {
		return true;
	} else if (!size && !back_fill) {
		size = room;
	}
	context->Next = NULL;
	/* what is in front is backfill */
	context->Offset = room - size;
	context->Size = size;
	n->nbl.Context = context;
	return true;
}

NTSTATUS FwpsAllocateNetBufferAndNetBufferList0(NDIS_HANDLE poolHandle, USHORT contextSize,
						USHORT contextBackFill, MDL *mdlChain,
						ULONG dataOffset, SIZE_T dataLength,
						NET_BUFFER_LIST **netBufferList)
{
	struct fwps_pool *pool = fwps_pool_find(poolHandle, FWPS_KIND_NBL_POOL);
	struct fwps_nbl *n;

	if (!netBufferList)
		return STATUS_FWP_NULL_POINTER;
	if (!pool || !fwps_pool_has_nb(pool) || contextSize % MEMORY_ALLOCATION_ALIGNMENT ||
	    contextBackFill % MEMORY_ALLOCATION_ALIGNMENT ||
	    (u32)contextSize + contextBackFill > U16_MAX)
		return STATUS_FWP_INVALID_PARAMETER;
	n = fwps_nbl_alloc(pool);
	if (!n)
		return STATUS_INSUFFICIENT_RESOURCES;
	if (!fwps_nb_set(&n->nb.nb, mdlChain, dataOffset, dataLength)) {
		atomic_set(&n->obj.state, FWPS_ENDING);
		fwps_nbl_put(n);
		return STATUS_FWP_INVALID_PARAMETER;
	}
	if (!nbl_set_context(n, contextSize, contextBackFill)) {
		atomic_set(&n->obj.state, FWPS_ENDING);
		fwps_nbl_put(n);
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	*netBufferList = &n->nbl;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(FwpsAllocateNetBufferAndNetBufferList0);

/* What a driver that may not free a list as it does is told; NULL: it may. */
static const char *why_not_free(struct fwps_nbl *n, bool clone)
{
	if (!n)
		return "no list that is allocated";
	if (clone != !!n->parent)
		return clone ? "no clone" : "a clone";
	/* not before: who frees a list twice at the same time gets one answer */
	if (!fwps_nbl_move(n, FWPS_IDLE, FWPS_ENDING))
		return fwps_nbl_state(n) == FWPS_INFLIGHT ? "in flight" : "free already";
	return NULL;
}

void FwpsFreeNetBufferList0(NET_BUFFER_LIST *netBufferList)
{
	struct fwps_nbl *n = fwps_nbl_find(netBufferList);
	const char *why = why_not_free(n, false);

	if (why) {
		fwps_mistake("%p is %s\n", netBufferList, why);
		return;
	}
	if (n->nbl.ChildRefCount)
		fwps_mistake("%p has %d clones\n", netBufferList, n->nbl.ChildRefCount);
	fwps_nbl_put(n);
}
EXPORT_SYMBOL_GPL(FwpsFreeNetBufferList0);

void FwpsFreeCloneNetBufferList0(NET_BUFFER_LIST *netBufferList, ULONG freeCloneFlags)
{
	struct fwps_nbl *n = fwps_nbl_find(netBufferList);
	const char *why = why_not_free(n, true);

	if (why)
		fwps_mistake("%p is %s\n", netBufferList, why);
	else
		fwps_nbl_put(n);
}
EXPORT_SYMBOL_GPL(FwpsFreeCloneNetBufferList0);

void FwpsReferenceNetBufferList0(NET_BUFFER_LIST *netBufferList, BOOLEAN intendToModify)
{
	struct fwps_nbl *n = fwps_nbl_find(netBufferList);

	if (!n || !refcount_inc_not_zero(&n->uarg.refcnt)) {
		fwps_mistake("%p is no list that is allocated\n", netBufferList);
		return;
	}
	atomic_inc(&n->referenced);
}
EXPORT_SYMBOL_GPL(FwpsReferenceNetBufferList0);

void FwpsDereferenceNetBufferList0(NET_BUFFER_LIST *netBufferList, BOOLEAN dispatchLevel)
{
	struct fwps_nbl *n = fwps_nbl_find(netBufferList);

	if (!n || atomic_dec_if_positive(&n->referenced) < 0) {
		fwps_mistake("%p is not referenced\n", netBufferList);
		return;
	}
	fwps_nbl_put(n);
}
EXPORT_SYMBOL_GPL(FwpsDereferenceNetBufferList0);
