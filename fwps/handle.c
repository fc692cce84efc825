// SPDX-License-Identifier: GPL-2.0
/*
 * Injection handles, and telling drivers that the stack has let go.
 *
 * A reference to a list may be dropped anywhere: in softirq, in the task that sends, under
 * a queueing discipline's lock, in hard interrupt (netpoll). So the last one only
 * puts the list on its handle's lock-free list, and a tasklet of the handle calls the
 * completion functions: in softirq, under no lock, one at a time, oldest first.
 *
 * Destroy: the handle's references die, new injections are refused; the last list in
 * flight wakes the caller; a grace period ends who is between adding to the list
 * and scheduling the tasklet; then the tasklet is over for good.
 */
#define pr_fmt(fmt) "fwps: " fmt

#include <linux/export.h>
#include <linux/llist.h>
#include <linux/netdevice.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/xarray.h>
#include <net/net_namespace.h>
#include "compat.h"
#include "fwps.h"

/* What exists on Linux. */
#define TYPES	(FWPS_INJECTION_TYPE_STREAM | FWPS_INJECTION_TYPE_NETWORK | FWPS_INJECTION_TYPE_L2)
/* What 0 means. */
#define DEFAULT	(FWPS_INJECTION_TYPE_STREAM | FWPS_INJECTION_TYPE_TRANSPORT |		\
		 FWPS_INJECTION_TYPE_FORWARD)
#define ALL	(FWPS_INJECTION_TYPE_STREAM | FWPS_INJECTION_TYPE_TRANSPORT |		\
		 FWPS_INJECTION_TYPE_NETWORK | FWPS_INJECTION_TYPE_FORWARD |		\
		 FWPS_INJECTION_TYPE_L2 | FWPS_INJECTION_TYPE_VSWITCH_TRANSPORT)

static DEFINE_XARRAY_ALLOC1(handles);
static u32 next_handle;

/* ---- completion ---- */

static void uarg_complete(struct sk_buff *skb, struct ubuf_info *uarg, bool success)
{
	struct fwps_nbl *n = container_of(uarg, struct fwps_nbl, uarg);

	if (n->flow)
		fwps_flow_released(n, skb);
	fwps_nbl_put(n);
}

static const struct fwps_ubuf_ops uarg_ops = {
	.complete = uarg_complete,
};

/* What sk_buffs of a list refer to: their data are copies, their release is wanted. */
void fwps_uarg_init(struct fwps_nbl *n)
{
	fwps_ubuf_init(&n->uarg, &uarg_ops);
	n->uarg.flags = SKBFL_ZEROCOPY_ENABLE;
}

/**
 * fwps_complete() - the last reference to a list in flight is gone
 * @n: the list
 *
 * Context: any, with any locks.
 */
void fwps_complete(struct fwps_nbl *n)
{
	struct fwps_handle *h = n->handle;

	/* the handle stays while this runs, though its last list may be told of meanwhile */
	rcu_read_lock();
	if (llist_add(&n->done, &h->done))
		tasklet_schedule(&h->tasklet);
	rcu_read_unlock();
}

static void tell(struct tasklet_struct *tasklet)
{
	struct fwps_handle *h = container_of(tasklet, struct fwps_handle, tasklet);
	struct llist_node *list = llist_reverse_order(llist_del_all(&h->done));
	struct fwps_nbl *n, *next;
	unsigned long told = 0;
	FWPS_INJECT_COMPLETE fn;
	void *context;

	llist_for_each_entry_safe(n, next, list, done) {
		fn = n->fn;
		context = n->fn_context;
		if (n->flow)
			fwps_flow_done(n);
		n->handle = NULL;
		n->nbl.Next = NULL;
		refcount_set(&n->uarg.refcnt, 1);
		atomic_dec(&h->inflight);
		told++;
		/* now it is the driver's, who may have freed it when this returns */
		atomic_set_release(&n->obj.state, FWPS_IDLE);
		if (likely(!READ_ONCE(h->orphan)))
			fn(context, &n->nbl, TRUE);
	}
	if (told)
		percpu_ref_put_many(&h->refs, told);
}

/* ---- handles ---- */

static void refs_gone(struct percpu_ref *refs)
{
	complete(&container_of(refs, struct fwps_handle, refs)->gone);
}

/**
 * fwps_handle_get() - the handle for an injection
 * @handle: what the driver says
 * @type: the FWPS_INJECTION_TYPE_* it must be for
 * @h: it goes here, with a reference
 *
 * Context: any.
 * Return: STATUS_SUCCESS, or what the injection returns.
 */
NTSTATUS fwps_handle_get(HANDLE handle, u32 type, struct fwps_handle **h)
{
	u32 id = fwps_handle_id(handle, FWPS_KIND_INJECTION);
	NTSTATUS status = STATUS_SUCCESS;

	rcu_read_lock();
	*h = id ? xa_load(&handles, id) : NULL;
	if (!*h)
		status = STATUS_INVALID_HANDLE;
	else if (!percpu_ref_tryget_live(&(*h)->refs))
		status = STATUS_FWP_INJECT_HANDLE_CLOSING;
	rcu_read_unlock();
	if (NT_SUCCESS(status) && !((*h)->types & type)) {
		percpu_ref_put(&(*h)->refs);
		status = STATUS_FWP_INJECT_HANDLE_STALE;
	}
	return status;
}

void fwps_handle_put(struct fwps_handle *h)
{
	percpu_ref_put(&h->refs);
}

static NTSTATUS check_create(ADDRESS_FAMILY family, u32 flags)
{
	if (flags & ~ALL)
		return STATUS_FWP_INVALID_PARAMETER;
	if (!(flags & TYPES))
		return STATUS_NOT_SUPPORTED;
	if (!(flags & FWPS_INJECTION_TYPE_NETWORK) || family == AF_INET)
		return STATUS_SUCCESS;
	if (family != AF_INET6)
		return STATUS_FWP_INVALID_PARAMETER;
	return IS_REACHABLE(CONFIG_IPV6) ? STATUS_SUCCESS : STATUS_NOT_SUPPORTED;
}

NTSTATUS FwpsInjectionHandleCreate0(ADDRESS_FAMILY addressFamily, UINT32 flags,
				    HANDLE *injectionHandle)
{
	struct fwps_handle *h;
	NTSTATUS status;

	if (KeGetCurrentIrql() != PASSIVE_LEVEL)
		return STATUS_INVALID_DEVICE_REQUEST;
	if (!injectionHandle)
		return STATUS_FWP_NULL_POINTER;
	if (!flags)
		flags = DEFAULT;
	status = check_create(addressFamily, flags);
	if (!NT_SUCCESS(status))
		return status;
	h = kzalloc(sizeof(*h), GFP_KERNEL);
	if (!h)
		return STATUS_INSUFFICIENT_RESOURCES;
	if (percpu_ref_init(&h->refs, refs_gone, 0, GFP_KERNEL))
		goto memory;
	h->types = flags;
	h->family = addressFamily;
	h->net = &init_net;
	init_completion(&h->gone);
	init_llist_head(&h->done);
	tasklet_setup(&h->tasklet, tell);
	if (xa_alloc_cyclic(&handles, &h->id, h, xa_limit_31b, &next_handle, GFP_KERNEL) < 0)
		goto refs;
	*injectionHandle = fwps_handle_make(FWPS_KIND_INJECTION, h->id);
	return STATUS_SUCCESS;
refs:
	percpu_ref_exit(&h->refs);
memory:
	kfree(h);
	return STATUS_INSUFFICIENT_RESOURCES;
}
EXPORT_SYMBOL_GPL(FwpsInjectionHandleCreate0);

static void handle_destroy(struct fwps_handle *h)
{
	wait_for_completion(&h->gone);
	xa_erase(&handles, h->id);
	synchronize_net();
	tasklet_kill(&h->tasklet);
	percpu_ref_exit(&h->refs);
	kfree_rcu(h, rcu);
}

NTSTATUS FwpsInjectionHandleDestroy0(HANDLE injectionHandle)
{
	struct fwps_handle *h;
	NTSTATUS status;

	if (KeGetCurrentIrql() != PASSIVE_LEVEL) {
		fwps_mistake("it waits, and is called where that cannot be\n");
		return STATUS_INVALID_DEVICE_REQUEST;
	}
	status = fwps_handle_get(injectionHandle, ALL, &h);
	if (!NT_SUCCESS(status))
		return status;
	/* of two, one kills: under the table's lock */
	xa_lock(&handles);
	if (percpu_ref_is_dying(&h->refs))
		status = STATUS_FWP_INJECT_HANDLE_CLOSING;
	else
		percpu_ref_kill(&h->refs);
	xa_unlock(&handles);
	fwps_handle_put(h);
	if (NT_SUCCESS(status))
		handle_destroy(h);
	return status;
}
EXPORT_SYMBOL_GPL(FwpsInjectionHandleDestroy0);

void fwps_handles_exit(void)
{
	struct fwps_handle *h;
	unsigned long id;

	/* no driver is left, none of its functions may be called: what is in flight ends unseen */
	xa_for_each(&handles, id, h) {
		if (atomic_read(&h->inflight))
			pr_err("handle %u was not destroyed, with %d lists in flight\n", h->id,
			       atomic_read(&h->inflight));
		WRITE_ONCE(h->orphan, true);
		percpu_ref_kill(&h->refs);
		handle_destroy(h);
	}
	xa_destroy(&handles);
}

FWPS_PACKET_INJECTION_STATE FwpsQueryPacketInjectionState0(HANDLE injectionHandle,
							   const NET_BUFFER_LIST *netBufferList,
							   HANDLE *injectionContext)
{
	u32 id = fwps_handle_id(injectionHandle, FWPS_KIND_INJECTION);
	FWPS_PACKET_INJECTION_STATE state = FWPS_PACKET_NOT_INJECTED;
	struct fwps_nbl *n = fwps_nbl_find(netBufferList);

	if (injectionContext)
		*injectionContext = NULL;
	/* parents stay while there are clones of them */
	for (; id && n; n = n->parent) {
		if (n->by == id) {
			if (injectionContext)
				*injectionContext = n->by_context;
			return state == FWPS_PACKET_NOT_INJECTED ?
			       FWPS_PACKET_INJECTED_BY_SELF :
			       FWPS_PACKET_PREVIOUSLY_INJECTED_BY_SELF;
		}
		if (n->by)
			state = FWPS_PACKET_INJECTED_BY_OTHER;
	}
	return state;
}
EXPORT_SYMBOL_GPL(FwpsQueryPacketInjectionState0);
