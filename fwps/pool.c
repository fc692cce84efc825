// SPDX-License-Identifier: GPL-2.0
/*
 * Pools of network buffers.
 *
 * Objects lie in chunks of whole pages, and a table knows the chunk of each page: an
 * address that a driver hands in is looked up, not followed, until it is known to
 * be an object.  Chunks stay until their pool goes; so does what stands in a freed
 * object, that it is free.
 */
#define pr_fmt(fmt) "fwps: " fmt

#include <linux/bitops.h>
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/reciprocal_div.h>
#include <linux/slab.h>
#include <linux/xarray.h>
#include "fwps.h"

#define GFP	(GFP_ATOMIC | __GFP_NOWARN)

/* Whole objects behind it, in memory that is aligned to a page. */
struct fwps_chunk {
	struct rcu_head rcu;
	struct list_head node;		/* in pool->chunks */
	enum fwps_kind kind;
	u32 size;			/* of an object */
	struct reciprocal_value by_size;
	u32 end;			/* of the last one */
	u8 objects[] __aligned(MEMORY_ALLOCATION_ALIGNMENT);
};

/**
 * struct fwps_pool - a pool
 * @kind: of lists or of packets
 * @id: in pools
 * @has_nb: lists come with a packet
 * @room: bytes of context in each list
 * @size: of an object
 * @chunk: bytes of a chunk
 * @lock: of what follows
 * @free: objects that are
 * @chunks: all memory
 * @live: objects that are not free
 * @dying: the pool goes with the last of them
 */
struct fwps_pool {
	enum fwps_kind kind;
	u32 id;
	bool has_nb;
	u16 room;
	u32 size;
	u32 chunk;
	spinlock_t lock;	/* what follows */
	struct fwps_obj *free;
	struct list_head chunks;
	unsigned int live;
	bool dying;
};

static DEFINE_XARRAY_FLAGS(pools, XA_FLAGS_ALLOC1 | XA_FLAGS_LOCK_BH);
static DEFINE_XARRAY_FLAGS(chunks, XA_FLAGS_LOCK_BH);	/* by page */
static u32 next_pool;

/* Those of clones for which the driver names none. */
static struct fwps_pool *default_nbl_pool, *default_nb_pool;

/* Small numbers for memory as the kernel maps it; what is elsewhere is in no chunk. */
static unsigned long page_number(const void *p)
{
	return ((unsigned long)p - PAGE_OFFSET) >> PAGE_SHIFT;
}

static void chunk_forget(struct fwps_chunk *c, unsigned int pages)
{
	while (pages--)
		xa_erase_bh(&chunks, page_number(c) + pages);
}

/* Under no lock; the objects go to the free list of whoever was first. */
static bool pool_grow(struct fwps_pool *pool)
{
	struct fwps_chunk *c = kmalloc(pool->chunk, GFP | __GFP_ZERO);
	struct fwps_obj *obj;
	unsigned int i;
	u32 at;

	if (!c)
		return false;
	c->kind = pool->kind;
	c->size = pool->size;
	c->by_size = reciprocal_value(pool->size);
	c->end = rounddown(pool->chunk - sizeof(*c), pool->size);
	for (i = 0; i < pool->chunk / PAGE_SIZE; i++) {
		if (xa_is_err(xa_store_bh(&chunks, page_number(c) + i, c, GFP))) {
			chunk_forget(c, i);
			kfree_rcu(c, rcu);
			return false;
		}
	}
	spin_lock_bh(&pool->lock);
	list_add(&c->node, &pool->chunks);
	for (at = 0; at < c->end; at += c->size) {
		obj = (struct fwps_obj *)(c->objects + at);
		obj->pool = pool;
		obj->next = pool->free;
		pool->free = obj;
	}
	spin_unlock_bh(&pool->lock);
	return true;
}

/**
 * fwps_obj_alloc() - take an object from a pool
 * @pool: the pool
 *
 * Context: any but hard interrupt.
 * Return: the object, FREE and with what was in it before; NULL without memory.
 */
void *fwps_obj_alloc(struct fwps_pool *pool)
{
	struct fwps_obj *obj;

	do {
		spin_lock_bh(&pool->lock);
		obj = pool->free;
		if (obj) {
			pool->free = obj->next;
			pool->live++;
		}
		spin_unlock_bh(&pool->lock);
	} while (!obj && pool_grow(pool));
	return obj;
}

static void pool_destroy(struct fwps_pool *pool)
{
	struct fwps_chunk *c, *next;

	list_for_each_entry_safe(c, next, &pool->chunks, node) {
		chunk_forget(c, pool->chunk / PAGE_SIZE);
		kfree_rcu(c, rcu);
	}
	kfree(pool);
}

/**
 * fwps_obj_free() - give an object back
 * @obj: the object; its last owner has made it FREE
 *
 * Context: any but hard interrupt.
 */
void fwps_obj_free(struct fwps_obj *obj)
{
	struct fwps_pool *pool = obj->pool;
	bool last;

	spin_lock_bh(&pool->lock);
	obj->next = pool->free;
	pool->free = obj;
	last = !--pool->live && pool->dying;
	spin_unlock_bh(&pool->lock);
	if (last)
		pool_destroy(pool);
}

/* The object in which @p lies, at whatever place. */
static struct fwps_obj *find(const void *p, enum fwps_kind *kind)
{
	struct fwps_obj *obj = NULL;
	struct fwps_chunk *c;
	size_t at;

	rcu_read_lock();
	c = xa_load(&chunks, page_number(p));
	if (c) {
		at = (u8 *)p - c->objects;
		/* in front of the first object that is a large number */
		if (at < c->end) {
			at = reciprocal_divide(at, c->by_size) * c->size;
			obj = (struct fwps_obj *)(c->objects + at);
			*kind = c->kind;
		}
	}
	rcu_read_unlock();
	return obj;
}

/**
 * fwps_nbl_find() - is this a list?
 * @nbl: any address
 *
 * Context: any.
 * Return: what is behind it, or NULL when no pool has a list there that is allocated.
 */
struct fwps_nbl *fwps_nbl_find(const NET_BUFFER_LIST *nbl)
{
	enum fwps_kind kind;
	struct fwps_obj *obj = find(nbl, &kind);
	struct fwps_nbl *n = container_of(obj, struct fwps_nbl, obj);

	if (!obj || kind != FWPS_KIND_NBL_POOL || &n->nbl != nbl ||
	    fwps_nbl_state(n) == FWPS_FREE)
		return NULL;
	return n;
}

/**
 * fwps_nb_find() - is this a packet?
 * @nb: any address
 *
 * Context: any.
 * Return: what is behind it, or NULL when no pool has a packet there that is allocated.
 */
struct fwps_nb *fwps_nb_find(const NET_BUFFER *nb)
{
	enum fwps_kind kind;
	struct fwps_obj *obj = find(nb, &kind);
	struct fwps_nb *n;

	if (!obj || atomic_read(&obj->state) == FWPS_FREE)
		return NULL;
	if (kind == FWPS_KIND_NBL_POOL)
		n = &container_of(obj, struct fwps_nbl, obj)->nb;
	else
		n = container_of(obj, struct fwps_nb, obj);
	return &n->nb == nb ? n : NULL;
}

static struct fwps_pool *pool_new(enum fwps_kind kind, bool has_nb, u16 room)
{
	struct fwps_pool *pool = kzalloc(sizeof(*pool), GFP);

	if (!pool)
		return NULL;
	pool->kind = kind;
	pool->has_nb = has_nb;
	pool->room = room;
	pool->size = kind == FWPS_KIND_NB_POOL ? sizeof(struct fwps_nb) :
		     sizeof(struct fwps_nbl) + (room ? sizeof(NET_BUFFER_LIST_CONTEXT) + room : 0);
	pool->size = ALIGN(pool->size, MEMORY_ALLOCATION_ALIGNMENT);
	/* a power of 2: that is how kmalloc() aligns it */
	pool->chunk = PAGE_SIZE << get_order(sizeof(struct fwps_chunk) + pool->size);
	spin_lock_init(&pool->lock);
	INIT_LIST_HEAD(&pool->chunks);
	if (xa_alloc_cyclic_bh(&pools, &pool->id, pool, xa_limit_31b, &next_pool, GFP) < 0) {
		kfree(pool);
		return NULL;
	}
	return pool;
}

static void pool_end(struct fwps_pool *pool, void *who)
{
	unsigned int live;

	if (xa_cmpxchg_bh(&pools, pool->id, pool, NULL, GFP) != pool)
		return;
	spin_lock_bh(&pool->lock);
	live = pool->live;
	pool->dying = true;
	spin_unlock_bh(&pool->lock);
	if (!live)
		pool_destroy(pool);
	else
		pr_err_ratelimited("%pS: a pool is freed with %u %s still allocated\n", who, live,
				   pool->kind == FWPS_KIND_NB_POOL ? "NET_BUFFERs" :
				   "NET_BUFFER_LISTs");
}

/**
 * fwps_pool_find() - the pool of a handle
 * @handle: any
 * @kind: which kind it must be
 *
 * Context: any; the pool stays until the driver frees it.
 * Return: the pool or NULL.
 */
struct fwps_pool *fwps_pool_find(NDIS_HANDLE handle, enum fwps_kind kind)
{
	u32 id = fwps_handle_id(handle, kind);
	struct fwps_pool *pool = id ? xa_load(&pools, id) : NULL;

	return pool && pool->kind == kind ? pool : NULL;
}

/* That of clones for which the driver names none. */
struct fwps_pool *fwps_pool_default(enum fwps_kind kind)
{
	return kind == FWPS_KIND_NB_POOL ? default_nb_pool : default_nbl_pool;
}

bool fwps_pool_has_nb(const struct fwps_pool *pool)
{
	return pool->has_nb;
}

unsigned int fwps_pool_room(const struct fwps_pool *pool)
{
	return pool->room;
}

NDIS_HANDLE fwps_pool_handle(const struct fwps_pool *pool)
{
	return fwps_handle_make(pool->kind, pool->id);
}

static bool header_is(const NDIS_OBJECT_HEADER *header, u16 size)
{
	return header->Type == NDIS_OBJECT_TYPE_DEFAULT && header->Revision >= 1 &&
	       header->Size >= size;
}

NDIS_HANDLE NdisAllocateNetBufferListPool(NDIS_HANDLE NdisHandle,
					  const NET_BUFFER_LIST_POOL_PARAMETERS *Parameters)
{
	const NET_BUFFER_LIST_POOL_PARAMETERS *p = Parameters;
	struct fwps_pool *pool;

	if (!p || !header_is(&p->Header, NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1) ||
	    p->DataSize || p->ContextSize % MEMORY_ALLOCATION_ALIGNMENT) {
		fwps_mistake("no such parameters\n");
		return NULL;
	}
	pool = pool_new(FWPS_KIND_NBL_POOL, p->fAllocateNetBuffer, p->ContextSize);
	return pool ? fwps_pool_handle(pool) : NULL;
}
EXPORT_SYMBOL_GPL(NdisAllocateNetBufferListPool);

VOID NdisFreeNetBufferListPool(NDIS_HANDLE PoolHandle)
{
	struct fwps_pool *pool = fwps_pool_find(PoolHandle, FWPS_KIND_NBL_POOL);

	if (pool)
		pool_end(pool, (void *)_RET_IP_);
	else
		fwps_mistake("%p is no pool\n", PoolHandle);
}
EXPORT_SYMBOL_GPL(NdisFreeNetBufferListPool);

NDIS_HANDLE NdisAllocateNetBufferPool(NDIS_HANDLE NdisHandle,
				      const NET_BUFFER_POOL_PARAMETERS *Parameters)
{
	const NET_BUFFER_POOL_PARAMETERS *p = Parameters;
	struct fwps_pool *pool;

	if (!p || !header_is(&p->Header, NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1) ||
	    p->DataSize) {
		fwps_mistake("no such parameters\n");
		return NULL;
	}
	pool = pool_new(FWPS_KIND_NB_POOL, true, 0);
	return pool ? fwps_pool_handle(pool) : NULL;
}
EXPORT_SYMBOL_GPL(NdisAllocateNetBufferPool);

VOID NdisFreeNetBufferPool(NDIS_HANDLE PoolHandle)
{
	struct fwps_pool *pool = fwps_pool_find(PoolHandle, FWPS_KIND_NB_POOL);

	if (pool)
		pool_end(pool, (void *)_RET_IP_);
	else
		fwps_mistake("%p is no pool\n", PoolHandle);
}
EXPORT_SYMBOL_GPL(NdisFreeNetBufferPool);

int fwps_pools_init(void)
{
	default_nbl_pool = pool_new(FWPS_KIND_NBL_POOL, true, 0);
	default_nb_pool = pool_new(FWPS_KIND_NB_POOL, true, 0);
	if (default_nbl_pool && default_nb_pool)
		return 0;
	fwps_pools_exit();
	return -ENOMEM;
}

void fwps_pools_exit(void)
{
	struct fwps_pool *pool;
	unsigned long id;

	/* no driver is left: these are the library's, and those that nobody freed */
	xa_for_each(&pools, id, pool)
		pool_end(pool, (void *)_THIS_IP_);
	xa_destroy(&pools);
	xa_destroy(&chunks);
}
