// SPDX-License-Identifier: GPL-2.0
/*
 * What all injections have in common.
 *
 * First everything that can fail: each list is taken (IDLE to INFLIGHT), each packet
 * copied into an sk_buff and prepared.  A failure undoes that, and the caller has
 * what it had.  Then list by list is handed over, and what goes wrong from here on
 * is in Status.
 *
 * The injection keeps a reference to a list until it has handed over the list's last
 * sk_buff and written Status: sk_buffs may be freed, and are in the simplest cases,
 * before that.
 */
#define pr_fmt(fmt) "fwps: " fmt

#include <linux/moduleparam.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include "fwps.h"

#define GFP	(GFP_ATOMIC | __GFP_NOWARN)

/* What lies in one piece; above that pages are easier to get. */
#define LINEAR	SKB_WITH_OVERHEAD(2 * PAGE_SIZE - NET_SKB_PAD)
/* Of a packet in pages: more than any headers. */
#define HEAD	512u

static unsigned int max_inflight = 16384;
module_param(max_inflight, uint, 0644);
MODULE_PARM_DESC(max_inflight, "Lists that each handle may have in flight");

/* What became of an sk_buff that was handed over. */
static NDIS_STATUS status_of(int rc)
{
	switch (rc) {
	case 0:
	case NET_XMIT_CN:
		return NDIS_STATUS_SUCCESS;
	case NET_XMIT_DROP:		/* and NET_RX_DROP */
	case -ENOMEM:
	case -ENOBUFS:
		return NDIS_STATUS_RESOURCES;
	case -EPERM:
		return STATUS_DATA_NOT_ACCEPTED;
	case -EMSGSIZE:
		return NDIS_STATUS_INVALID_LENGTH;
	default:
		return NDIS_STATUS_FAILURE;
	}
}

static struct sk_buff *skb_alloc(const struct fwps_request *r, u32 len)
{
	u32 head = r->paged ? 0 : min(len, HEAD);
	struct sk_buff *skb;
	int err;

	if (!r->paged && r->headroom + len <= LINEAR) {
		skb = __netdev_alloc_skb(r->dev, r->headroom + len, GFP);
		if (!skb)
			return NULL;
		skb_reserve(skb, r->headroom);
		skb_put(skb, len);
		return skb;
	}
	skb = alloc_skb_with_frags(r->headroom + head, len - head, PAGE_ALLOC_COSTLY_ORDER, &err,
				   GFP);
	if (!skb)
		return NULL;
	skb_reserve(skb, r->headroom);
	skb_put(skb, head);
	skb->data_len = len - head;
	skb->len += skb->data_len;
	skb->dev = r->dev;
	return skb;
}

/* The bytes are read once: whoever shares them may change them. */
static bool skb_fill(struct sk_buff *skb, struct fwps_cursor *c, u32 len)
{
	const u8 *bytes;
	u32 n, at = 0;

	c->left = len;
	while (c->left && (n = fwps_cursor_next(c, &bytes))) {
		if (at + n <= skb_headlen(skb))
			memcpy(skb->data + at, bytes, n);
		else if (skb_store_bits(skb, at, bytes, n))
			return false;
		at += n;
	}
	return !c->left;
}

static NTSTATUS piece_prepare(const struct fwps_request *r, struct fwps_nbl *n,
			      struct fwps_cursor *c, u32 len)
{
	struct sk_buff *skb;
	NTSTATUS status;

	skb = skb_alloc(r, len);
	if (!skb)
		return STATUS_INSUFFICIENT_RESOURCES;
	if (!skb_fill(skb, c, len)) {
		kfree_skb(skb);
		return STATUS_FWP_INVALID_PARAMETER;
	}
	status = r->way->prepare(r, n, skb);
	if (NT_SUCCESS(status))
		__skb_queue_tail(&n->skbs, skb);
	else
		kfree_skb(skb);
	return status;
}

static NTSTATUS packet_prepare(struct fwps_request *r, struct fwps_nbl *n, const NET_BUFFER *nb)
{
	u32 len = READ_ONCE(nb->DataLength), piece;
	NTSTATUS status = STATUS_SUCCESS;
	struct fwps_cursor c;

	if (len < r->min || len > r->max)
		return NDIS_STATUS_INVALID_LENGTH;
	r->bytes += len;
	n->bytes += len;
	fwps_cursor_start(&c, nb);
	for (; len && NT_SUCCESS(status); len -= piece) {
		piece = r->piece ? min(len, r->piece) : len;
		status = piece_prepare(r, n, &c, piece);
	}
	return status;
}

static NTSTATUS list_prepare(struct fwps_request *r, struct fwps_nbl *n)
{
	const NET_BUFFER *nb = n->nbl.FirstNetBuffer;
	unsigned int packets = 0;
	NTSTATUS status;

	if (!nb)
		return STATUS_FWP_INVALID_PARAMETER;
	for (; nb; nb = nb->Next) {
		if (nb != &n->nb.nb && !fwps_nb_find(nb))
			return STATUS_FWP_INVALID_PARAMETER;
		if (++packets > FWPS_MAX_PACKETS)
			return STATUS_FWP_INVALID_PARAMETER;
		status = packet_prepare(r, n, nb);
		if (!NT_SUCCESS(status))
			return status;
	}
	return STATUS_SUCCESS;
}

/* The first @count lists are the driver's again. */
static void undo(const struct fwps_request *r, unsigned int count)
{
	NET_BUFFER_LIST *nbl = r->nbls;
	struct fwps_nbl *n;

	for (; count; count--) {
		n = to_fwps_nbl(nbl);
		nbl = nbl->Next;
		__skb_queue_purge(&n->skbs);
		n->handle = NULL;
		atomic_set_release(&n->obj.state, FWPS_IDLE);
	}
}

static NTSTATUS prepare(struct fwps_request *r, unsigned int *count)
{
	NET_BUFFER_LIST *nbl;
	struct fwps_nbl *n;
	NTSTATUS status;

	for (nbl = r->nbls; nbl; nbl = nbl->Next) {
		n = fwps_nbl_find(nbl);
		if (!n || !fwps_nbl_move(n, FWPS_IDLE, FWPS_INFLIGHT)) {
			pr_err_ratelimited("%pS: %p is no list that can be injected: %s\n",
					   r->fn, nbl, n ? "in flight" : "not allocated");
			return STATUS_FWP_INVALID_PARAMETER;
		}
		n->handle = r->h;
		n->fn = r->fn;
		n->fn_context = r->fn_context;
		n->bytes = 0;
		if (++*count > READ_ONCE(max_inflight))
			return STATUS_INSUFFICIENT_RESOURCES;
		status = list_prepare(r, n);
		if (!NT_SUCCESS(status))
			return status;
	}
	return STATUS_SUCCESS;
}

static void hand_over(const struct fwps_request *r, struct fwps_nbl *n)
{
	NDIS_STATUS status = NDIS_STATUS_SUCCESS, one;
	struct sk_buff *skb;

	/* a stream's are others */
	n->uarg.flags = SKBFL_ZEROCOPY_ENABLE;
	while ((skb = __skb_dequeue(&n->skbs))) {
		skb_zcopy_set(skb, &n->uarg, NULL);
		one = status_of(r->way->hand_over(r, skb));
		if (status == NDIS_STATUS_SUCCESS)
			status = one;
	}
	n->nbl.Status = status;
	fwps_nbl_put(n);
}

/**
 * fwps_inject() - inject what a request says
 * @r: the request; everything but the lists has been checked
 *
 * Context: process or softirq, interrupts on.
 * Return: as the injections.
 */
NTSTATUS fwps_inject(struct fwps_request *r)
{
	NET_BUFFER_LIST *nbl, *next;
	unsigned int count = 0;
	LIST_HEAD(queued);
	struct fwps_nbl *n;
	NTSTATUS status;

	status = prepare(r, &count);
	if (NT_SUCCESS(status) &&
	    atomic_add_return(count, &r->h->inflight) > READ_ONCE(max_inflight)) {
		atomic_sub(count, &r->h->inflight);
		status = STATUS_INSUFFICIENT_RESOURCES;
	} else if (NT_SUCCESS(status) && r->way->admit) {
		status = r->way->admit(r);
		if (!NT_SUCCESS(status))
			atomic_sub(count, &r->h->inflight);
	}
	if (!NT_SUCCESS(status)) {
		undo(r, count);
		return status;
	}
	percpu_ref_get_many(&r->h->refs, count);
	for (nbl = r->nbls; nbl; nbl = next) {
		next = nbl->Next;
		nbl->Next = NULL;
		n = to_fwps_nbl(nbl);
		n->by = r->h->id;
		n->by_context = r->context;
		if (r->way->queue)
			list_add_tail(&n->queued, &queued);
		else
			hand_over(r, n);
	}
	if (r->way->queue)
		r->way->queue(r, &queued);
	return STATUS_SUCCESS;
}

/**
 * fwps_begin() - check what all injections check
 * @r: the request, with its lists and completion function
 * @handle: what the driver says
 * @type: the FWPS_INJECTION_TYPE_* that is needed
 * @flags: reserved
 *
 * Return: STATUS_SUCCESS, and fwps_end() ends it; or what the injection returns.
 */
NTSTATUS fwps_begin(struct fwps_request *r, HANDLE handle, u32 type, u32 flags)
{
	if (in_hardirq() || irqs_disabled()) {
		pr_err_ratelimited("%pS: an injection with interrupts off\n", r->fn);
		return STATUS_INVALID_DEVICE_REQUEST;
	}
	if ((!r->nbls && !r->disconnect) || !r->fn)
		return STATUS_FWP_NULL_POINTER;
	if (flags)
		return STATUS_FWP_INVALID_PARAMETER;
	return fwps_handle_get(handle, type, &r->h);
}

/**
 * fwps_use_device() - find the device of a request
 * @r: the request
 * @index: the device's
 *
 * Return: STATUS_SUCCESS, or what the injection returns.
 */
NTSTATUS fwps_use_device(struct fwps_request *r, IF_INDEX index)
{
	/* interface indices are positive ints */
	r->dev = index <= INT_MAX ? dev_get_by_index(r->h->net, index) : NULL;
	if (!r->dev)
		return NDIS_STATUS_INTERFACE_NOT_FOUND;
	if (!(r->dev->flags & IFF_UP))
		return STATUS_FWP_TCPIP_NOT_READY;
	return STATUS_SUCCESS;
}

void fwps_end(struct fwps_request *r)
{
	dev_put(r->dev);
	fwps_handle_put(r->h);
}
