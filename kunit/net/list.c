// SPDX-License-Identifier: GPL-2.0
/*
 * Lists that are injected for a program.  Each packet lies in two MDLs; when a list comes
 * back its bytes are overwritten, so that who gets them later gets others.
 */
#include <linux/bottom_half.h>
#include <linux/hardirq.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include "net.h"

/* What NET_NETWORK_* name: none of the others exist. */
#define COMPARTMENT	UNSPECIFIED_COMPARTMENT_ID

/**
 * struct net_item - a list
 * @node: in the port's
 * @port: whose
 * @nbl: the list
 * @back: so often has it come back
 * @len: bytes of all its packets
 * @bytes: they
 */
struct net_item {
	struct list_head node;
	struct net_port *port;
	NET_BUFFER_LIST *nbl;
	atomic_t back;
	size_t len;
	u8 bytes[];
};

static struct net_item **item_of(NET_BUFFER_LIST *nbl)
{
	return (struct net_item **)NET_BUFFER_LIST_CONTEXT_DATA_START(nbl);
}

static MDL *mdl_over(void *bytes, size_t len)
{
	MDL *mdl = IoAllocateMdl(bytes, len, FALSE, FALSE, NULL);

	if (mdl)
		MmBuildMdlForNonPagedPool(mdl);
	return mdl;
}

static MDL *two_mdls(u8 *bytes, size_t len)
{
	size_t half = len / 2;
	MDL *first = mdl_over(bytes, half ?: 1);

	if (first && half) {
		first->Next = mdl_over(bytes + half, len - half);
		if (!first->Next) {
			IoFreeMdl(first);
			return NULL;
		}
	}
	return first;
}

static void free_mdls(MDL *mdl)
{
	MDL *next;

	for (; mdl; mdl = next) {
		next = mdl->Next;
		IoFreeMdl(mdl);
	}
}

static void item_free(struct net_item *item)
{
	NET_BUFFER *nb, *next;

	if (item->nbl) {
		nb = NET_BUFFER_LIST_FIRST_NB(item->nbl);
		free_mdls(NET_BUFFER_FIRST_MDL(nb));
		for (nb = NET_BUFFER_NEXT_NB(nb); nb; nb = next) {
			next = NET_BUFFER_NEXT_NB(nb);
			free_mdls(NET_BUFFER_FIRST_MDL(nb));
			NdisFreeNetBuffer(nb);
		}
		NET_BUFFER_NEXT_NB(NET_BUFFER_LIST_FIRST_NB(item->nbl)) = NULL;
		NET_BUFFER_LIST_NEXT_NBL(item->nbl) = NULL;
		FwpsFreeNetBufferList(item->nbl);
	}
	kvfree(item);
}

/* The bytes of the next packet, in *@len; NULL: there is none. */
static const u8 *next_packet(const u8 **bytes, size_t *left, u32 *len)
{
	const struct net_packet *packet = (const struct net_packet *)*bytes;

	if (*left < sizeof(*packet))
		return NULL;
	/* they lie where the one before ended */
	memcpy(len, &packet->len, sizeof(*len));
	if (*len > *left - sizeof(*packet))
		return NULL;
	*bytes += sizeof(*packet) + *len;
	*left -= sizeof(*packet) + *len;
	return packet->bytes;
}

/* A list of the next packets; NULL: there are none, or no memory. */
static struct net_item *item_new(struct net_port *p, u32 packets, const u8 **bytes, size_t *left)
{
	struct net_item *item;
	NET_BUFFER **link = NULL;
	const u8 *packet;
	size_t at = 0;
	MDL *mdl;
	u32 len;

	if (!*left)
		return NULL;
	item = kvzalloc(struct_size(item, bytes, *left), GFP_KERNEL);
	if (!item)
		return NULL;
	item->port = p;
	for (; packets && (packet = next_packet(bytes, left, &len)); packets--, at += len) {
		memcpy(item->bytes + at, packet, len);
		mdl = two_mdls(item->bytes + at, len);
		if (!mdl)
			break;
		if (!item->nbl) {
			if (FwpsAllocateNetBufferAndNetBufferList(p->pool, 0, 0, mdl, 0, len,
								  &item->nbl)) {
				free_mdls(mdl);
				break;
			}
			*item_of(item->nbl) = item;
			NET_BUFFER_LIST_STATUS(item->nbl) = NDIS_STATUS_PENDING;
			link = &NET_BUFFER_NEXT_NB(NET_BUFFER_LIST_FIRST_NB(item->nbl));
			continue;
		}
		*link = NdisAllocateNetBuffer(p->nb_pool, mdl, 0, len);
		if (!*link) {
			free_mdls(mdl);
			break;
		}
		link = &NET_BUFFER_NEXT_NB(*link);
	}
	item->len = at;
	if (!item->nbl) {
		item_free(item);
		return NULL;
	}
	return item;
}

static void NTAPI back(void *context, NET_BUFFER_LIST *nbl, BOOLEAN dispatch_level)
{
	struct net_item *item = *item_of(nbl);
	struct net_port *p = context;
	struct net_books *b = &p->books;
	u32 status = NET_BUFFER_LIST_STATUS(nbl);
	unsigned int i;
	bool right;

	right = dispatch_level && in_serving_softirq() && !in_hardirq() && !irqs_disabled() &&
		!NET_BUFFER_LIST_NEXT_NBL(nbl) && status != NDIS_STATUS_PENDING &&
		item->port == p && item->nbl == nbl;
	memset(item->bytes, 0xee, item->len);
	spin_lock(&p->lock);
	if (!right || !b->inflight)
		b->wrong++;
	b->inflight--;
	b->completed++;
	for (i = 0; i < NET_STATUSES - 1; i++)
		if (!b->by_status[i].lists || b->by_status[i].status == status)
			break;
	b->by_status[i].status = status;
	b->by_status[i].lists++;
	/* last: then it may go, at any time */
	if (atomic_inc_return(&item->back) != 1)
		b->wrong++;
	spin_unlock(&p->lock);
	wake_up_all(&p->wait);
}

static NTSTATUS inject(struct net_port *p, const struct net_order *o, NET_BUFFER_LIST *nbl,
		       size_t len)
{
	switch (o->what) {
	case NET_MAC_RECEIVE:
		return FwpsInjectMacReceiveAsync(p->handle, NULL, 0,
						 FWPS_LAYER_INBOUND_MAC_FRAME_ETHERNET, o->index,
						 NDIS_DEFAULT_PORT_NUMBER, nbl, back, p);
	case NET_MAC_SEND:
		return FwpsInjectMacSendAsync(p->handle, NULL, 0,
					      FWPS_LAYER_OUTBOUND_MAC_FRAME_ETHERNET, o->index,
					      NDIS_DEFAULT_PORT_NUMBER, nbl, back, p);
	case NET_NETWORK_RECEIVE:
		return FwpsInjectNetworkReceiveAsync(p->handle, NULL, 0, COMPARTMENT, o->index, 0,
						     nbl, back, p);
	case NET_NETWORK_SEND:
		return FwpsInjectNetworkSendAsync(p->handle, NULL, 0, COMPARTMENT, nbl, back, p);
	default:
		return FwpsStreamInjectAsync(p->handle, NULL, 0, p->flow, 0, o->index, o->arg, nbl,
					     len, back, p);
	}
}

/**
 * struct chain - what one call injects
 * @items: its lists
 * @n: so many
 * @len: bytes of them
 */
struct chain {
	struct list_head items;
	u32 n;
	size_t len;
};

static void chain_free(struct chain *c)
{
	struct net_item *item, *next;

	list_for_each_entry_safe(item, next, &c->items, node)
		item_free(item);
}

/* A chain of lists of these packets; false: that is not what they are, or no memory. */
static bool chain_new(struct net_port *p, struct chain *c, u32 packets, const u8 *bytes,
		      size_t left)
{
	NET_BUFFER_LIST *none, **link = &none;
	struct net_item *item;

	INIT_LIST_HEAD(&c->items);
	while ((item = item_new(p, packets, &bytes, &left))) {
		list_add_tail(&item->node, &c->items);
		*link = item->nbl;
		link = &NET_BUFFER_LIST_NEXT_NBL(item->nbl);
		c->len += item->len;
		c->n++;
	}
	return c->n && !left;
}

/* What was refused: nothing has happened to it, and the port does not have it. */
static void chain_refused(struct net_port *p, struct chain *c)
{
	NET_BUFFER_LIST *next = NULL;
	struct net_books *b = &p->books;
	struct net_item *item;
	u32 i;

	b->accepted -= c->n;
	b->inflight -= c->n;
	for (i = 0; i < c->n; i++) {
		item = list_last_entry(&p->items, struct net_item, node);
		if (atomic_read(&item->back) || NET_BUFFER_LIST_NEXT_NBL(item->nbl) != next ||
		    NET_BUFFER_LIST_STATUS(item->nbl) != NDIS_STATUS_PENDING)
			b->wrong++;
		next = item->nbl;
		list_move(&item->node, &c->items);
	}
}

/* Softirqs are off. */
static NTSTATUS chain_inject(struct net_port *p, const struct net_order *o, struct chain *c)
{
	NET_BUFFER_LIST *first = list_first_entry(&c->items, struct net_item, node)->nbl;
	struct net_books *b = &p->books;
	NTSTATUS status;

	/* before the call: another processor may have some back before it returns */
	spin_lock(&p->lock);
	b->accepted += c->n;
	b->inflight += c->n;
	b->most = max(b->most, b->inflight);
	list_splice_tail_init(&c->items, &p->items);
	spin_unlock(&p->lock);
	status = inject(p, o, first, c->len);
	if (!NT_SUCCESS(status)) {
		spin_lock(&p->lock);
		chain_refused(p, c);
		spin_unlock(&p->lock);
	}
	return status;
}

NTSTATUS net_inject(struct net_port *p, const struct net_order *o, const u8 *bytes, size_t len)
{
	u32 i, n = max(o->repeat, 1u);
	struct chain *chains = kvcalloc(n, sizeof(*chains), GFP_KERNEL);
	NTSTATUS status = STATUS_SUCCESS;

	if (!chains)
		return STATUS_INSUFFICIENT_RESOURCES;
	for (i = 0; i < n; i++)
		if (!chain_new(p, &chains[i], o->packets, bytes, len))
			status = STATUS_INVALID_PARAMETER;
	local_bh_disable();
	for (i = 0; i < n && NT_SUCCESS(status); i++)
		status = chain_inject(p, o, &chains[i]);
	local_bh_enable();
	for (i = 0; i < n; i++)
		chain_free(&chains[i]);
	kvfree(chains);
	return status;
}

/* What came back is freed. */
void net_reap(struct net_port *p)
{
	struct net_item *item, *next;
	LIST_HEAD(done);

	spin_lock_bh(&p->lock);
	list_for_each_entry_safe(item, next, &p->items, node)
		if (atomic_read(&item->back))
			list_move(&item->node, &done);
	spin_unlock_bh(&p->lock);
	list_for_each_entry_safe(item, next, &done, node)
		item_free(item);
}
