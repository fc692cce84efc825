/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Providers: where the clients of server channels come from.
 *
 * A server channel is offered on a bus.  The library has one bus of its own, the
 * loopback, whose clients are client channels of the same kernel.  Others register
 * here; a "VMBus handle" of VmbServerChannelInitSetVmbusHandle() names one.
 *
 * The library keeps an offer (struct kmcl_offer) for each server channel that is
 * enabled, with what the client has told about it: the memory that it describes
 * (GPADLs), and in which of it the rings are.  The provider carries the messages
 * between the two: it calls kmcl_offer_*() for what a client does, and the library
 * calls struct kmcl_host_ops for what a server does.
 *
 *   provider calls                        library calls
 *                                         ->offer       the server channel is enabled
 *   kmcl_offer_gpadl()                                  memory, frame by frame
 *   kmcl_offer_open()                     ->opened      accepted, or refused
 *   kmcl_offer_signal()   <- traffic ->   ->signal
 *   kmcl_offer_close()
 *   kmcl_offer_gpadl_teardown()           ->torn_down   the server has let go
 *                                         ->rescind     disabled, or lost
 *
 * The client is not trusted: every number that comes with a call is checked by the
 * library.
 */
#ifndef _KMCL_HOST_H
#define _KMCL_HOST_H

#include <linux/list.h>
#include <linux/types.h>
#include <linux/uuid.h>
#include <ntdef.h>

struct kmcl_host;
struct module;
struct page;

#define KMCL_OFFER_USER_BYTES	120	/* as in the message of the wire */

/**
 * struct kmcl_offer - a server channel, as a provider sees it
 * @host: whose it is
 * @type: class GUID
 * @instance: instance GUID
 * @name: for log lines
 * @sub_index: 0: a primary; else the sub-channel of the primary with the same GUIDs
 * @flags: VMBUS_SERVER_CHANNEL_INIT_FLAG_* bits
 * @pipe: of pipe mode
 * @mmio_megabytes: window that the client must have
 * @mmio_megabytes_optional: window that it may have besides
 * @private: the provider's, from ->offer to ->rescind
 *
 * All but @private is constant.  The object is there from ->offer until ->rescind
 * has returned.
 */
struct kmcl_offer {
	struct kmcl_host *host;
	guid_t type;
	guid_t instance;
	const char *name;
	u16 sub_index;
	u32 flags;
	bool pipe;
	u16 mmio_megabytes;
	u16 mmio_megabytes_optional;
	void *private;
};

/**
 * struct kmcl_host_ops - what a provider does for servers
 * @offer: make it known to clients. Calls for @offer may come before this
 *	returns. 0 or an errno; -EEXIST when there is one with these GUIDs already.
 * @rescind: take it back: the client has to close, and to forget it. When this
 *	returns, no kmcl_offer_*() call for @offer runs and none will come. May wait
 *	for the provider, not for the client.
 * @opened: the answer to kmcl_offer_open(); 0: accepted.
 * @torn_down: the answer to kmcl_offer_gpadl_teardown(), when that was -EINPROGRESS;
 *	comes also from inside other calls of the provider, as kmcl_offer_close().
 * @signal: interrupt the client; in softirq, or with BH off.
 * @page: the page behind a frame number of the client's, or NULL when there is
 *	no such memory. The page stays while the client has promised it. Any
 *	context up to softirq. Optional: without it client and server share the kernel,
 *	and frame numbers are this kernel's.
 * @restore: take up an offer that a client has open already: its server was saved
 *	somewhere else, and is restored here. As @offer; -ENODEV when there is no such
 *	client. Needs @page. Optional: without it, what is saved here
 *	is restored here, while the library keeps the offer.
 *
 * All but @signal and @page run in process context.
 */
struct kmcl_host_ops {
	int (*offer)(struct kmcl_host *host, struct kmcl_offer *offer);
	void (*rescind)(struct kmcl_host *host, struct kmcl_offer *offer);
	void (*opened)(struct kmcl_host *host, struct kmcl_offer *offer, int err);
	void (*torn_down)(struct kmcl_host *host, struct kmcl_offer *offer, u32 handle);
	void (*signal)(struct kmcl_host *host, struct kmcl_offer *offer);
	struct page *(*page)(struct kmcl_host *host, u64 frame);
	int (*restore)(struct kmcl_host *host, struct kmcl_offer *offer);
};

/**
 * struct kmcl_host - a provider of clients
 * @name: for log lines
 * @owner: module, pinned while a channel is offered
 * @ops: what it does
 * @private: the provider's
 * @node: the library's
 */
struct kmcl_host {
	const char *name;
	struct module *owner;
	const struct kmcl_host_ops *ops;
	void *private;

	struct list_head node;
};

int kmcl_host_register(struct kmcl_host *host);
void kmcl_host_unregister(struct kmcl_host *host);
HANDLE kmcl_host_handle(const char *name);
int kmcl_host_fd(struct kmcl_host *host);

/**
 * struct kmcl_offer_open - how a client opens
 * @gpadl: the GPADL in which both rings are, control pages included
 * @downstream_page: its page with which the ring to the client begins
 * @target_vp: processor that the client wants to be interrupted
 * @user: what the client says besides
 */
struct kmcl_offer_open {
	u32 gpadl;
	u32 downstream_page;
	u32 target_vp;
	u8 user[KMCL_OFFER_USER_BYTES];
};

int kmcl_offer_gpadl(struct kmcl_offer *offer, u32 handle, u32 byte_offset, u32 byte_count,
		     const u64 *frames, u32 nr_frames);
int kmcl_offer_gpadl_teardown(struct kmcl_offer *offer, u32 handle);
int kmcl_offer_open(struct kmcl_offer *offer, const struct kmcl_offer_open *open);
void kmcl_offer_close(struct kmcl_offer *offer);
void kmcl_offer_signal(struct kmcl_offer *offer);

#endif
