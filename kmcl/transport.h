/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The seam between the library and what carries its packets.
 *
 * A transport finds the device that a channel wants (a target) and gives it a
 * link: one open pair of rings.  The library owns order, queueing, completion
 * and life; a transport moves bytes and wakes.
 *
 * Two rules keep both sides simple.  Control operations (claim, release, open,
 * close, share, unshare) run in process context, one at a time per channel.  Data operations
 * run inside an RCU read side section, and none runs after the library has
 * taken the link away and waited for readers, which it does before close.
 */
#ifndef _KMCL_TRANSPORT_H
#define _KMCL_TRANSPORT_H

#include <linux/dma-direction.h>
#include <linux/list.h>
#include <linux/types.h>
#include <linux/uuid.h>
#include "ring.h"

/* What a transport that bounces can be expected to find room for in one piece. */
#define KMCL_MAP_MAX	(64u << 10)
/* No address of memory: what the DMA API says too. */
#define KMCL_NOT_MAPPED	(~(dma_addr_t)0)

struct device;
struct kmcl_bounce;
struct hv_vmbus_device_id;
struct kmcl_channel;
struct kmcl_link;
struct kmcl_server;
struct kmcl_target;
struct kmcl_vsc;
struct module;

/**
 * struct kmcl_link_ops - what a link can do
 *
 * @open: open both rings; data bytes each, without their control pages; of a
 *	server's link, the most that the client may have for the incoming one. May
 *	sleep, waits for the peer without limit. Errno: -ENODEV the offer is gone,
 *	-ENOMEM, -EAGAIN refused by the peer.
 * @leave: say to the peer that @close comes, for it may end what @unshare waits for.
 *	May sleep; not one at a time with the others. NULL: it does not.
 * @close: close them. May sleep, waits for the peer without limit. A failure
 *	means that the peer may still write to the rings: the transport leaves
 *	them allocated for ever. -EINPROGRESS: a sub-channel's, which stay open
 *	until the primary's close; @open finds them again, and what the peer has
 *	written meanwhile.
 * @send: write one packet whole or not at all. -EAGAIN: no room. -ENODEV: the
 *	offer is gone; whether the peer has seen the packet is not known.
 *	Anything else: the ring is corrupt. When @wants_reply is set the
 *	transport calls kmcl_packet_published() after it has copied @data and
 *	before the peer can see the packet.
 * @send_external: as @send, for a packet with external data, which always wants
 *	a reply. @head is the packet up to its payload, @head_bytes long, a
 *	multiple of 8: the ranges are filled in, the descriptor is the transport's
 *	to fill in.
 * @refused: a packet was not written, with -ENODEV; as @send. NULL: of no interest.
 * @map: make memory reachable for the peer. @bytes from @phys on, at most
 *	KMCL_MAP_MAX, contiguous. Returns where the peer finds them, at the same
 *	offset in a frame of 4 KiB. KMCL_NOT_MAPPED: not now.
 * @unmap: end that; what the peer wrote is in the memory afterwards.
 * @want_room: ask for kmcl_link_event() once @bytes (packet and footer) fit; 0
 *	takes the wish back.
 * @out_used: bytes of the outgoing ring that the peer has not read, for people: what the
 *	peer claims is not checked. NULL: not known.
 * @consumed: publish @link->in.read and signal a peer that waits for room.
 * @mask: keep the peer from signalling new packets.
 * @unmask: allow it again.
 * @kick: have kmcl_link_event() called soon, in softirq.
 * @share: lend the peer whole pages of 4 KiB at a page's kernel address, at most
 *	@share_max bytes, while the link is open. May sleep, waits for the peer's
 *	confirmation without limit. *@handle is then the number of the GPADL, and
 *	*@shown is set when the memory had to be made visible for it.
 *	-ENODEV the offer is gone, -ENOMEM; -EIO: failed, and the memory must
 *	never be used again; anything else: refused.
 * @unshare: take it back, with the values of @share; also after the close, while
 *	the target is claimed. May sleep, waits for the peer without limit. A
 *	failure means that the peer may still use the memory.
 * @bounce_alloc: allocate memory that the peer can see, zeroed, contiguous, for the
 *	library to bounce through; @addr is where the peer finds it. NULL: not to be
 *	had. May sleep; while the target is claimed.
 * @bounce_free: give it back
 * @reserve_mmio: reserve the window of addresses that the offer asks for; a
 *	size of 0 when it asks for none. May sleep; while the target is claimed.
 *	NULL: none ever does.
 * @release_mmio: give it back
 * @opened: of a server's link: what the driver's Opened said to the client that
 *	opens; an error refuses it. May sleep. NULL: nobody asks.
 * @set_latency: say how late, in 100 ns, a signal to the peer may be; *@old is
 *	how late it could be before. -EOPNOTSUPP: the transport cannot. May sleep;
 *	while the target is claimed. NULL: signals are at once, and cannot be anything
 *	else.
 */
struct kmcl_link_ops {
	int (*open)(struct kmcl_link *link, u32 out_bytes, u32 in_bytes);
	void (*leave)(struct kmcl_link *link);
	int (*close)(struct kmcl_link *link);
	int (*send)(struct kmcl_link *link, const void *data, u32 len, u64 id,
		    enum kmcl_packet_type type, bool wants_reply);
	int (*send_external)(struct kmcl_link *link, struct kmcl_gpa_direct *head,
			     u32 head_bytes, const void *data, u32 len, u64 id);
	void (*refused)(struct kmcl_link *link);
	dma_addr_t (*map)(struct kmcl_link *link, phys_addr_t phys, u32 bytes,
			  enum dma_data_direction dir);
	void (*unmap)(struct kmcl_link *link, dma_addr_t addr, u32 bytes,
		      enum dma_data_direction dir);
	void (*want_room)(struct kmcl_link *link, u32 bytes);
	u32 (*out_used)(struct kmcl_link *link);
	void (*consumed)(struct kmcl_link *link);
	void (*mask)(struct kmcl_link *link);
	void (*unmask)(struct kmcl_link *link);
	void (*kick)(struct kmcl_link *link);
	int (*share)(struct kmcl_link *link, void *memory, u32 bytes, u32 *handle, bool *shown);
	int (*unshare)(struct kmcl_link *link, u32 handle, void *memory, u32 bytes, bool shown);
	void *(*bounce_alloc)(struct kmcl_link *link, u32 bytes, dma_addr_t *addr);
	void (*bounce_free)(struct kmcl_link *link, void *memory, u32 bytes, dma_addr_t addr);
	int (*reserve_mmio)(struct kmcl_link *link, u64 *start, u64 *size);
	void (*release_mmio)(struct kmcl_link *link, u64 start, u64 size);
	int (*set_latency)(struct kmcl_link *link, u16 latency, u16 *old);
	void (*opened)(struct kmcl_link *link, int err);
};

#define KMCL_ANY_PROCESSOR	(-1)

/**
 * struct kmcl_link - one open pair of rings
 * @ops: the transport's functions
 * @channel: whose packets these are; set by the library before @ops->open,
 *	taken back by a transport whose rings stay open without it
 * @processor: that the peer shall interrupt, or KMCL_ANY_PROCESSOR; set by the
 *	library before @ops->open
 * @bounce: the library's
 * @in: the incoming ring; filled in by @ops->open
 * @out_bytes: data bytes of the outgoing one, when they are not what @ops->open was
 *	asked for; filled in by @ops->open
 * @share_max: bytes of the largest GPADL; filled in by @ops->open
 * @share_wipes: lending memory destroys what is in it; filled in by @ops->open
 * @unshare_first: the peer takes no @ops->unshare after the close; filled in by
 *	@ops->open
 */
struct kmcl_link {
	const struct kmcl_link_ops *ops;
	struct kmcl_channel *channel;
	int processor;
	struct kmcl_bounce *bounce;
	struct kmcl_ring in;
	u32 out_bytes;
	u32 share_max;
	bool share_wipes;
	bool unshare_first;
};

/**
 * struct kmcl_target - what a channel wants to be connected to
 * @node: the transport's, from claim to release
 * @private: the transport's, from claim to release
 * @name: the channel, for log lines
 * @parent: the VMBus device itself, when the channel names no GUIDs
 * @has_type: @type is set; otherwise @parent is wanted
 * @any_instance: take the first free device of @type
 * @type: class GUID
 * @instance: instance GUID
 * @primary: for a sub-channel, its primary's target, whose link is up
 * @sub_index: which of the primary's sub-channels
 * @server: what a server channel offers; NULL: a client's
 * @watch: the loopback's, see kmcl_loopback_watch()
 * @link: set by the transport when the device is there, until release
 * @device: the VMBus device behind @link, until release
 * @active: its instance GUID, until the next claim
 * @active_type: its class GUID, as long
 * @pipe: the offer is of pipe mode
 */
struct kmcl_target {
	struct list_head node;
	void *private;
	const char *name;
	struct device *parent;
	bool has_type;
	bool any_instance;
	guid_t type;
	guid_t instance;
	struct kmcl_target *primary;
	u16 sub_index;
	const struct kmcl_server *server;
	struct list_head watch;

	struct kmcl_link *link;
	struct device *device;
	guid_t active;
	guid_t active_type;
	bool pipe;
};

/**
 * struct kmcl_transport - a way to find peers
 * @name: for log lines
 * @owner: module, pinned while a channel is enabled
 * @claim: look for the target and keep looking. 0: @target->link is set.
 *	-EINPROGRESS: not there yet, kmcl_target_arrived() will be called.
 *	-EBUSY: it is there and another driver has it (one line has said so).
 *	-EINVAL: @target->parent is no device of this transport.
 * @release: stop looking, or give the device back; no kmcl_target_*() call for
 *	@target runs once it has returned.
 * @settled: kmcl_target_settled() may have changed; called with @target claimed
 *	and its link set
 * @vsc_register: find devices for a VSC
 * @vsc_unregister: remove them and stop
 */
struct kmcl_transport {
	const char *name;
	struct module *owner;
	int (*claim)(struct kmcl_target *target);
	void (*release)(struct kmcl_target *target);
	void (*settled)(struct kmcl_target *target);
	int (*vsc_register)(struct kmcl_vsc *vsc);
	void (*vsc_unregister)(struct kmcl_vsc *vsc);
};

int kmcl_transport_register(struct kmcl_transport *transport);
void kmcl_transport_unregister(struct kmcl_transport *transport);

/* Called by the transport. */
void kmcl_target_arrived(struct kmcl_target *target);
void kmcl_target_gone(struct kmcl_target *target);
void kmcl_target_lost(struct kmcl_target *target);
void kmcl_target_retry(struct kmcl_target *target);
void kmcl_target_sleep(struct kmcl_target *target);
void kmcl_target_wake(struct kmcl_target *target);
bool kmcl_target_settled(const struct kmcl_target *target);
void kmcl_link_event(struct kmcl_link *link);
u64 kmcl_packet_published(struct kmcl_link *link, u64 id);

#endif
