/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packet injection: what its parts share.
 *
 * Life of a NET_BUFFER_LIST:
 *
 *	FREE -> IDLE		allocated; the driver's
 *	IDLE -> INFLIGHT	an injection has it
 *	INFLIGHT -> IDLE	the injection failed, or just before the completion
 *				function
 *	IDLE -> ENDING -> FREE	the driver frees it; the second step is the last
 *				reference's
 *
 * Every arrow is a compare-and-swap, so that of two who want the same list one gets
 * a status.  References are counted in uarg.refcnt: 1 is the owner's (in flight: the
 * injection's, until everything is handed over), the others are of sk_buffs, of clones,
 * and of FwpsReferenceNetBufferList0().  Who drops the last one completes what is
 * INFLIGHT and frees what is ENDING.
 */
#ifndef _FWPS_H
#define _FWPS_H

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/instruction_pointer.h>
#include <linux/interrupt.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/percpu-refcount.h>
#include <linux/ratelimit.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <fwpsk.h>

/* One line about a driver's mistake, with the name of who made it. */
#define fwps_mistake(fmt, ...)							\
	pr_err_ratelimited("%pS: %s: " fmt, (void *)_RET_IP_, __func__, ##__VA_ARGS__)

/*
 * A handle that the driver gets for something is a number with a letter in its upper
 * byte, which no address has there: looked up, never followed.
 */
#define FWPS_NUMBER_SHIFT	4
#define FWPS_KIND_SHIFT		56

enum fwps_kind {
	FWPS_KIND_INJECTION = 0x46,
	FWPS_KIND_FLOW = 0x53,
	FWPS_KIND_NB_POOL = 0x4e,
	FWPS_KIND_NBL_POOL = 0x4c,
};

static inline HANDLE fwps_handle_make(enum fwps_kind kind, u32 id)
{
	return (HANDLE)((u64)kind << FWPS_KIND_SHIFT | (u64)id << FWPS_NUMBER_SHIFT);
}

/* The number, 0 for a handle of another kind. */
static inline u32 fwps_handle_id(HANDLE handle, enum fwps_kind kind)
{
	u64 id = ((u64)handle ^ (u64)kind << FWPS_KIND_SHIFT) >> FWPS_NUMBER_SHIFT;

	return id <= U32_MAX ? id : 0;
}

/* ---- pools: pool.c ---- */

struct fwps_pool;

enum fwps_state {
	FWPS_FREE,
	FWPS_IDLE,
	FWPS_INFLIGHT,
	FWPS_ENDING,
};

/**
 * struct fwps_obj - what a pool knows about each of its objects
 * @pool: whose it is
 * @next: free ones: the next
 * @state: enum fwps_state
 */
struct fwps_obj {
	struct fwps_pool *pool;
	struct fwps_obj *next;
	atomic_t state;
};

/* An MDL that a retreat has put in front. */
struct fwps_front {
	struct fwps_front *below;
	PMDL mdl;
	bool own;			/* buf is its memory; else a handler's */
	u8 buf[] __aligned(MEMORY_ALLOCATION_ALIGNMENT);
};

/**
 * struct fwps_nb - what is behind a NET_BUFFER
 * @obj: for the pool; unused in one that is part of a list's object
 * @nb: what the driver sees
 * @fronts: MDLs in front that are the library's to free, last one first
 * @mdls: a clone's own MDLs
 * @nmdls: so many
 */
struct fwps_nb {
	struct fwps_obj obj;
	NET_BUFFER nb;
	struct fwps_front *fronts;
	PMDL mdls;
	unsigned int nmdls;
};

struct fwps_flow;
struct fwps_handle;

/**
 * struct fwps_nbl - what is behind a NET_BUFFER_LIST
 * @obj: for the pool, and the state
 * @nbl: what the driver sees
 * @nb: its first packet
 * @uarg: what each sk_buff refers to; its counter is that of all references
 * @referenced: references of FwpsReferenceNetBufferList0()
 * @parent: what it is a clone of
 * @context: memory of a context that does not fit into @room
 * @handle: in flight: whose
 * @fn: in flight: whom to tell
 * @fn_context: for @fn
 * @skbs: being injected: prepared, not handed over
 * @done: in @handle's list
 * @flow: in flight into a TCP connection: which
 * @queued: waits in @flow
 * @bytes: of all its packets
 * @end: where in @flow's connection what TCP has of them ends
 * @lost: @flow's connection ended with data of this list unacknowledged
 * @by: number of the handle that injected it last, 0 for none
 * @by_context: injectionContext then
 * @room: the pool's ContextSize
 */
struct fwps_nbl {
	struct fwps_obj obj;
	NET_BUFFER_LIST nbl;
	struct fwps_nb nb;
	struct ubuf_info uarg;
	atomic_t referenced;
	struct fwps_nbl *parent;
	NET_BUFFER_LIST_CONTEXT *context;
	struct fwps_handle *handle;
	FWPS_INJECT_COMPLETE fn;
	void *fn_context;
	struct sk_buff_head skbs;
	struct llist_node done;
	struct fwps_flow *flow;
	struct list_head queued;
	u64 bytes;
	u32 end;
	bool lost;
	u32 by;
	HANDLE by_context;
	u8 room[] __aligned(MEMORY_ALLOCATION_ALIGNMENT);
};

#define to_fwps_nbl(p)	container_of(p, struct fwps_nbl, nbl)
#define to_fwps_nb(p)	container_of(p, struct fwps_nb, nb)

/* MDLs of a packet: more than there can be of those that describe something, in 4 GiB of pages */
#define FWPS_MAX_MDLS		(1u << 20)
/* Packets of a list: it may be a ring. */
#define FWPS_MAX_PACKETS	65536u

/* A cursor through the data of a packet. */
struct fwps_cursor {
	PMDL mdl;
	u32 offset;
	u32 left;
	unsigned int budget;		/* MDLs: a chain may be a ring */
};

int fwps_pools_init(void);
void fwps_pools_exit(void);
struct fwps_pool *fwps_pool_find(NDIS_HANDLE handle, enum fwps_kind kind);
struct fwps_pool *fwps_pool_default(enum fwps_kind kind);
bool fwps_pool_has_nb(const struct fwps_pool *pool);
unsigned int fwps_pool_room(const struct fwps_pool *pool);
NDIS_HANDLE fwps_pool_handle(const struct fwps_pool *pool);
void *fwps_obj_alloc(struct fwps_pool *pool);
void fwps_obj_free(struct fwps_obj *obj);

struct fwps_nbl *fwps_nbl_find(const NET_BUFFER_LIST *nbl);
struct fwps_nb *fwps_nb_find(const NET_BUFFER *nb);

static inline enum fwps_state fwps_nbl_state(const struct fwps_nbl *n)
{
	return atomic_read(&n->obj.state);
}

static inline bool fwps_nbl_move(struct fwps_nbl *n, enum fwps_state from, enum fwps_state to)
{
	int old = from;

	return atomic_try_cmpxchg(&n->obj.state, &old, to);
}

/* ---- lists: nbl.c, clone.c ---- */

struct fwps_nbl *fwps_nbl_alloc(struct fwps_pool *pool);
void fwps_nbl_put(struct fwps_nbl *n);
void fwps_nb_init(struct fwps_nb *n, NDIS_HANDLE pool);
bool fwps_nb_set(NET_BUFFER *nb, PMDL chain, ULONG offset, SIZE_T length);
void fwps_nb_drop_fronts(struct fwps_nb *n);
void fwps_clone_drop(struct fwps_nbl *n);

/* ---- data: data.c ---- */

void fwps_cursor_start(struct fwps_cursor *c, const NET_BUFFER *nb);
u32 fwps_cursor_next(struct fwps_cursor *c, const u8 **bytes);

/* ---- handles and completion: handle.c ---- */

/**
 * struct fwps_handle - an injection handle
 * @id: its number
 * @types: FWPS_INJECTION_TYPE_* bits
 * @family: of the network layer
 * @net: where its packets live
 * @refs: one for each list in flight and each call; dead when it is being destroyed
 * @gone: when @refs are
 * @inflight: lists
 * @orphan: its driver is gone, and with it whoever was to be told
 * @done: lists whose last reference is gone
 * @tasklet: tells their driver
 * @rcu: lookups
 */
struct fwps_handle {
	u32 id;
	u32 types;
	ADDRESS_FAMILY family;
	struct net *net;
	struct percpu_ref refs;
	struct completion gone;
	atomic_t inflight;
	bool orphan;
	struct llist_head done;
	struct tasklet_struct tasklet;
	struct rcu_head rcu;
};

void fwps_handles_exit(void);
NTSTATUS fwps_handle_get(HANDLE handle, u32 type, struct fwps_handle **h);
void fwps_handle_put(struct fwps_handle *h);
void fwps_complete(struct fwps_nbl *n);
void fwps_uarg_init(struct fwps_nbl *n);

/* ---- injection: inject.c ---- */

struct fwps_request;

/**
 * struct fwps_way - one way into the stack
 * @prepare: before anything is handed over: the sk_buff is made ready for @hand_over,
 *	or refused
 * @hand_over: gives it to the stack, which owns it then; a NET_RX_*, NET_XMIT_* or
 *	error number
 * @admit: NULL, or the last that can refuse a request, all of it prepared
 * @queue: instead of @hand_over: takes the lists, which have each the injection's
 *	reference and no Status yet
 */
struct fwps_way {
	NTSTATUS (*prepare)(const struct fwps_request *r, struct fwps_nbl *n, struct sk_buff *skb);
	int (*hand_over)(const struct fwps_request *r, struct sk_buff *skb);
	NTSTATUS (*admit)(const struct fwps_request *r);
	void (*queue)(const struct fwps_request *r, struct list_head *lists);
};

/**
 * struct fwps_request - one call
 * @way: which
 * @h: with which handle
 * @dev: through which device, or NULL
 * @min: bytes that each packet has at least
 * @max: and at most
 * @headroom: bytes in front of each packet
 * @piece: 0, or bytes that each sk_buff has at most: packets are cut
 * @paged: no byte is outside of pages
 * @flow: into which connection, or NULL
 * @disconnect: @flow: and then send no more; then there need not be lists
 * @expected: @flow: bytes that the lists have together
 * @bytes: that they have
 * @nbls: what
 * @fn: whom to tell
 * @fn_context: for @fn
 * @context: injectionContext
 */
struct fwps_request {
	const struct fwps_way *way;
	struct fwps_handle *h;
	struct net_device *dev;
	u32 min;
	u32 max;
	u32 headroom;
	u32 piece;
	bool paged;
	bool disconnect;
	struct fwps_flow *flow;
	u64 expected;
	u64 bytes;
	NET_BUFFER_LIST *nbls;
	FWPS_INJECT_COMPLETE fn;
	void *fn_context;
	HANDLE context;
};

NTSTATUS fwps_begin(struct fwps_request *r, HANDLE handle, u32 type, u32 flags);
NTSTATUS fwps_use_device(struct fwps_request *r, IF_INDEX index);
NTSTATUS fwps_inject(struct fwps_request *r);
void fwps_end(struct fwps_request *r);

/* ---- TCP connections: stream.c ---- */

/* What an sk_buff of pages alone has room for, on any kernel, and no order is asked of it. */
#define FWPS_PIECE	((u32)(16 * PAGE_SIZE))

int fwps_flows_init(void);
void fwps_flows_close(void);
void fwps_flows_exit(void);
void fwps_flow_released(struct fwps_nbl *n, const struct sk_buff *skb);
void fwps_flow_done(struct fwps_nbl *n);

#endif
