/* SPDX-License-Identifier: GPL-2.0 */
/* Between the files of the server's side: server.c, host.c, provider.c, loopback.c. */
#ifndef _KMCL_SERVER_H
#define _KMCL_SERVER_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/xarray.h>
#include <kmcl/host.h>
#include "rings.h"

struct kmcl_save_callbacks {
	bool ex;
	void *context;
	union {
		PFN_VMB_CHANNEL_SAVE_PACKET save;
		PFN_VMB_CHANNEL_SAVE_PACKET_EX save_ex;
	};
	union {
		PFN_VMB_CHANNEL_RESTORE_PACKET restore;
		PFN_VMB_CHANNEL_RESTORE_PACKET_EX restore_ex;
	};
};

/**
 * struct kmcl_server - what a server channel offers
 * @identified: @type and @instance are set
 * @type: class GUID
 * @instance: instance GUID
 * @flags: VMBUS_SERVER_CHANNEL_INIT_FLAG_* bits
 * @mmio: MiB of address space that the client must have
 * @mmio_optional: MiB that it may have besides
 * @host: of VmbServerChannelInitSetVmbusHandle(), its module pinned; or NULL
 * @save: SavePacket and RestorePacket
 *
 * Written while the channel is disabled, constant while it is enabled.
 */
struct kmcl_server {
	bool identified;
	guid_t type;
	guid_t instance;
	u32 flags;
	u16 mmio;
	u16 mmio_optional;
	struct kmcl_host *host;
	struct kmcl_save_callbacks save;
};

/**
 * struct kmcl_lent - memory that a client has described: a GPADL, seen from here
 * @handle: its number
 * @offset: of its first byte, in the first page
 * @bytes: its size
 * @users: reasons why it cannot be given back: the rings are in it, it is mapped
 * @dying: the client wants it back
 * @mdl: what VmbChannelMapGpadl() has returned; NULL: not mapped
 * @node: in a list of those that are about to be given back
 * @frames: the client's numbers for the pages
 * @count: number of pages
 * @pages: the pages
 */
struct kmcl_lent {
	u32 handle;
	u32 offset;
	u32 bytes;
	unsigned int users;
	bool dying;
	PMDL mdl;
	struct list_head node;
	u64 *frames;
	u32 count;
	struct page *pages[];
};

/*
 * What the client of an offer has done last.
 *
 *   NONE --kmcl_offer_open()--> OPENING --Opened--> OPEN
 *     ^-------------kmcl_offer_close(), refused-------+
 */
enum kmcl_client {
	KMCL_CLIENT_NONE,
	KMCL_CLIENT_OPENING,
	KMCL_CLIENT_OPEN,
};

/**
 * struct kmcl_endpoint - the library's side of an offer
 * @offer: what the provider sees
 * @rings: the server's end of the rings
 * @event: held while the server channel is told something; outside @lock
 * @lock: what follows
 * @target: the server channel's; NULL: it has none
 * @client: what the client has done last
 * @open: how it opened
 * @turn: number of its last open
 * @serving: the open that the channel prepares for, has answered, or has rings of
 * @asked: what the last open wants its rings in, until they are opened or refused
 * @memory: where the rings are mapped, while they are
 * @rings_in: what holds the rings, until the server has let go of everything
 * @broken: the server closed while the client has it open
 * @live: signals are for somebody
 * @lent: struct kmcl_lent by handle
 * @lent_pages: in all of them
 * @name: @offer.name; the channel may go before the offer
 * @node: among the parked ones; the list's lock
 * @parked: it is there; both locks to change, one of them to look
 * @revived: @offer is not known to its provider yet
 * @saved: which save it was parked with
 * @expire: when nobody adopts it
 */
struct kmcl_endpoint {
	struct kmcl_offer offer;
	struct kmcl_rings rings;
	struct mutex event;	/* calls of the channel */
	struct mutex lock;	/* the rest, but for data */
	struct kmcl_target *target;
	enum kmcl_client client;
	struct kmcl_offer_open open;
	u32 turn;
	u32 serving;
	struct kmcl_lent *asked;
	void *memory;
	struct kmcl_lent *rings_in;
	bool broken;
	bool live;
	struct xarray lent;
	u32 lent_pages;
	char name[100];

	/* park.c */
	struct list_head node;
	bool parked;
	bool revived;
	u64 saved;
	struct delayed_work expire;
};

static inline struct kmcl_endpoint *kmcl_endpoint(struct kmcl_link *link)
{
	return container_of(link, struct kmcl_endpoint, rings.link);
}

/* host.c */
extern struct kmcl_transport kmcl_server_transport;

bool kmcl_endpoint_wanted(struct kmcl_link *link);
bool kmcl_endpoint_serve(struct kmcl_link *link, u32 *out_bytes, u32 *in_bytes);
bool kmcl_endpoint_rest(struct kmcl_link *link);
struct page *kmcl_endpoint_page(struct kmcl_link *link, u64 frame);
struct kmcl_endpoint *kmcl_endpoint_new(struct kmcl_target *t);
int kmcl_endpoint_map_rings(struct kmcl_endpoint *ep);
void kmcl_endpoint_end(struct kmcl_endpoint *ep);
NTSTATUS kmcl_endpoint_map(struct kmcl_link *link, u32 handle, PMDL *mdl);
bool kmcl_endpoint_unmap(struct kmcl_link *link, u32 handle);
void kmcl_endpoint_unmap_all(struct kmcl_link *link);

/* park.c */
void kmcl_park_exit(void);

/* provider.c */
struct kmcl_host *kmcl_host_by_handle(HANDLE handle);
void kmcl_host_put(struct kmcl_host *host);
int kmcl_providers_init(void);
void kmcl_providers_exit(void);

/* loopback.c */
extern struct kmcl_host kmcl_loopback;
extern struct kmcl_transport kmcl_loopback_transport;

/* Where it is offered. */
static inline struct kmcl_host *kmcl_server_host(const struct kmcl_server *server)
{
	return server->flags & VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER ? &kmcl_loopback :
									       server->host;
}

void kmcl_loopback_watch(struct kmcl_target *target);
void kmcl_loopback_unwatch(struct kmcl_target *target);
void kmcl_loopback_retry(void);

#endif
