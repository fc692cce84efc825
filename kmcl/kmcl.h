/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of kmcl.ko share: the objects behind the handles, and who may
 * touch which part of them.
 *
 * Contexts.  State callbacks and control operations run in process context
 * with the channel's life owned by one task (owner.c).  Data runs in softirq or
 * with BH off, inside an RCU read side section.  No lock is held while code of
 * the driver runs.  The few that are held while another is taken are listed in
 * Documentation/architecture.md.
 */
#ifndef _KMCL_KMCL_H
#define _KMCL_KMCL_H

#include <linux/atomic.h>
#include <linux/device.h>
#include <linux/dma-direction.h>
#include <linux/klist.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "handle.h"
#include "ranges.h"
#include "transport.h"
#include "packet.h"

#define KMCL_PIPE_HEADER	8u

/* Decided: Windows does not publish its defaults. */
#define KMCL_DEFAULT_PACKET	4096u
#define KMCL_DEFAULT_COUNT	1024u
#define KMCL_DEFAULT_QUOTA	1024u
#define KMCL_DEFAULT_PAGES	16u
#define KMCL_DEFAULT_EXTERNAL	(128u << 10)
#define KMCL_DEFAULT_CHAIN	32u

#define KMCL_POOL_MAX		(64u << 20)	/* bytes of incoming packets */
#define KMCL_CONTEXT_ALIGN	16u		/* what Windows gives an allocation */
#define KMCL_SLOTS_MAX		(1u << 20)
#define KMCL_STEP_WARN		(10 * HZ)	/* a peer or driver that is late */
#define KMCL_PATIENCE		HZ		/* for answers, while Disable waits */

/*
 * The life of a channel.  Only the task that owns ch->life moves it:
 *
 *   DISABLED --Enable--> WAITING --offer, open, Opened--> OPEN
 *      ^                    |                              |
 *      +----Disable---------+------Suspend, drain, Closed--+
 *
 * and, while the system hibernates, from OPEN to ASLEEP and back (hibernate.c).
 */
enum kmcl_state {
	KMCL_DISABLED,
	KMCL_WAITING,
	KMCL_OPEN,
	KMCL_ASLEEP,
};

/* The rings below it; moves under link_lock, may go down under any state. */
enum kmcl_link_state {
	KMCL_LINK_NONE,
	KMCL_LINK_OPENING,
	KMCL_LINK_UP,
	KMCL_LINK_CLOSING,
};

enum kmcl_tx_mode {
	KMCL_TX_OFF,			/* refuse everything */
	KMCL_TX_DRAIN,			/* refuse sends, let queue and replies out */
	KMCL_TX_HOLD,			/* accept and keep: not open, or paused */
	KMCL_TX_RUN,
};

#define KMCL_MAGIC_CHANNEL	0x6b6d4348u

struct kmcl_state_callbacks {
	bool ex;
	void *context;
	union {
		VMB_CHANNEL_STATE_CHANGE_CALLBACKS legacy;
		VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5 v5;
	};
};

struct kmcl_packet_callbacks {
	bool ex;
	void *context;
	PFN_VMB_CHANNEL_PROCESS_PACKET process;
	PFN_VMB_CHANNEL_PROCESSING_COMPLETE complete;
	PFN_VMB_CHANNEL_PROCESS_PACKET_EX process_ex;
	PFN_VMB_CHANNEL_PROCESSING_COMPLETE_EX complete_ex;
};

/* InitSet*: written while disabled, constant while enabled. */
struct kmcl_config {
	u32 flags;
	u32 max_packet;
	u32 max_external;		/* bytes */
	u32 max_chain;			/* MDLs */
	u32 max_count;
	u32 in_pages;
	u32 out_pages;
	u32 quota;			/* rx.lock; any time, see kmcl_rx_set_quota() */
	u32 client_context;		/* bytes with each incoming packet */
	u32 inline_context;		/* bytes in each packet of VmbPacketAllocate() */
	int processor;			/* for interrupts, or KMCL_ANY_PROCESSOR */
	bool bounce_sized;		/* the driver has said something about it */
	u32 bounce_initial;
	u32 bounce_increment;		/* 0: the default */
	u32 bounce_maximum;		/* 0: the default */
	bool named;
	char friendly[40];
	struct kmcl_packet_callbacks packet;
	struct kmcl_state_callbacks state;
	PFN_VMB_CHANNEL_PNP_FAILURE pnp_failure;
};

/* What bounds a packet's size; read once, since InitSet* may be under way. */
struct kmcl_limits {
	u32 packet;
	u32 external;
	u32 chain;
};

static inline struct kmcl_limits kmcl_limits(const struct kmcl_config *cfg)
{
	return (struct kmcl_limits) {
		.packet = READ_ONCE(cfg->max_packet),
		.external = READ_ONCE(cfg->max_external),
		.chain = READ_ONCE(cfg->max_chain),
	};
}

/* Counters; written where the comment says, read by anyone, never set back. */
struct kmcl_stats {
	u64 received;			/* reader: packets, without answers */
	u64 received_bytes;		/* reader: their payload, as in the ring */
	u64 answers;			/* reader: answers to what we sent */
	u64 answer_bytes;		/* reader: their payload */
	u64 stale_ids;			/* reader: answers to nothing we sent */
	u64 unsupported;		/* reader: external data nobody can take yet */
	u64 queued;			/* tx.lock: packets that met a full ring */
	u64 full;			/* tx.lock: writes that found no room */
	u64 faults;			/* times the channel was poisoned */
	u64 lost_bytes;			/* control: in GPADLs that the peer kept */
};

/* Those that several may write at a time: a processor's share. */
struct kmcl_counters {
	u64 sent;			/* without a slot; see struct kmcl_slot */
	u64 sent_bytes;			/* their payload, a pipe's header included */
	u64 replies;			/* to incoming packets, in the ring */
	u64 reply_bytes;
	u64 deferred;			/* times a packet was to come again */
	u64 aborted;			/* packets that completed without success */
};

/* Memory for external data that the DMA API has no room for. */
struct kmcl_bounce {
	spinlock_t lock;		/* the chunks and what they hold; inside tx.lock */
	struct list_head chunks;	/* lock; changes under grow_lock too */
	u32 bytes;			/* lock; of all chunks */
	struct mutex grow_lock;
	struct kmcl_link *link;		/* grow_lock; NULL: no rings, no chunks */
	u32 increment;			/* grow_lock */
	u32 maximum;			/* grow_lock */
	u32 extra;			/* grow_lock; VmbChannelAllocateBounceBuffer() */
	struct work_struct grow;
};

struct kmcl_tx {
	spinlock_t lock;		/* mode, queue, held; around a ring write */
	enum kmcl_tx_mode mode;		/* lock */
	struct kmcl_link *link;		/* lock; NULL when there is no ring */
	u32 ring_bytes;			/* of that ring's data area */
	struct list_head queue;		/* lock; leaves in this order */
	struct list_head held;		/* lock; follows the queue at Start */
	bool frozen;			/* lock; all of it stays: see freeze.c */
	bool waits;			/* lock; restored: there will be a ring */
	bool waiting;			/* lock; for room, and a signal or the timer comes */
	bool replies;			/* lock; some are, or have been, in this queue */
	struct timer_list timer;	/* a room signal can be lost */
	unsigned long delay;		/* lock */
	bool busy;			/* lock; read without: something is queued */
	/* the link, while a packet may go straight into its ring */
	struct kmcl_link __rcu *send_link;
	struct kmcl_link __rcu *reply_link;
	struct kmcl_counters __percpu *counters;	/* constant: read with the links */
};

struct kmcl_rx {
	atomic_t claims;		/* 0: nobody reads; see kmcl_link_event() */
	bool gate;			/* data may be delivered */
	bool frozen;			/* nothing is read */
	bool keep;			/* lock; completions wait in kept */
	struct list_head kept;		/* lock */
	bool blocked;			/* reader stopped for want of quota or memory */
	bool over_quota;		/* for want of quota: until a packet is completed */
	int stop_busy;			/* reader: objects in use when it stopped for that */
	bool passive;
	u8 share;			/* of a processor, percent, for the reader */
	u64 window;			/* reader: when the current window began */
	u64 window_used;		/* reader: ns of it, without the current batch */
	u64 batch_began;		/* reader */
	bool backlogged;		/* lock; read without: order goes through the worker */
	u32 quota;			/* lock; config.quota, as far as the pool may grow */
	atomic_t delivered;		/* packets at the driver */
	atomic_t busy;			/* objects in use, in any hands */
	spinlock_t lock;		/* backlog and the list of objects */
	struct list_head backlog;	/* lock; read, to be delivered by the worker */
	struct work_struct worker;
	bool worker_on;			/* lock */
	struct task_struct *worker_task;
	struct kmcl_incoming *current_packet;	/* inside ProcessPacket, by the reader */
	struct kmcl_incoming *worker_packet;	/* the same, by the worker */
	bool defer;
	bool worker_defer;
	u8 *scratch;			/* reader: the answer being delivered */

	struct llist_head pool;		/* many put, the reader takes */
	struct list_head all;		/* lock */
	u32 objects;			/* lock */
	u32 object_bytes;		/* 0: disabled */
	u32 context_bytes;
	u32 want_bytes;			/* reader: a packet that no object can hold */
	u32 order;			/* reader: of the last packet */
	atomic_t extra_bytes;		/* held by such packets */
	struct kmcl_incoming *spare;	/* grower to reader: one that can */
	struct delayed_work grow;
};

/* GPADLs that a driver has left when it cleans up. */
struct kmcl_leaks {
	u32 gpadls;
	u64 bytes;
	u32 at;
	char text[64];			/* the numbers of the first */
};

/*
 * What VmbChannelInitialize() puts into the driver's memory. That is all there
 * is, so packets, work and readers that outlive VmbChannelCleanup() find nothing
 * of theirs in it.
 */
struct kmcl_channel_head {
	u32 magic;
	VMBCHANNEL key;			/* the handle that VmbChannelAllocate() would return */
};

struct kmcl_channel {
	u32 magic;			/* first: see owner_name() */
	u32 place;			/* in the table of handles */
	u32 generation;
	VMBCHANNEL key;			/* made of the two */
	VMBCHANNEL handle;		/* the driver's: the same, or the address of its memory */
	u32 number;			/* for people: from 1, never used again */
	struct list_head seen;		/* debugfs.c */
	struct kref ref;		/* the handle's, one per allocated packet */
	struct rcu_head rcu;		/* for its end: a late handle is looked at */
	struct device *parent;
	struct workqueue_struct *wq;	/* servers have one of their own */
	void *pointer;
	char name[100];
	struct ratelimit_state errors;
	struct ratelimit_state warnings;
	struct kmcl_config config;
	struct kmcl_stats stats;

	/* life.c */
	spinlock_t life_lock;		/* life_owner and link_state */
	wait_queue_head_t life_wait;
	struct task_struct *life_owner;	/* life_lock */
	enum kmcl_state state;		/* owner */
	bool running;			/* owner: Started was called, Suspend was not */
	bool pause_wanted;
	bool may_reenable;		/* owner: inside Closed or PnpFailure */
	bool reenable;
	bool disabling;			/* owner: inside Closed, of the driver's own Disable */
	bool stopping;			/* Disable waits for the owner */
	struct delayed_work impatient_work;	/* Disable waits for the driver */
	bool cancelled;			/* impatient_work has been here */
	struct delayed_work life_work;
	bool retry;			/* WAITING: look for the device again */

	/* sub.c */
	struct klist subs;		/* of a primary */
	bool has_subs;			/* ever had any */
	bool subs_open;			/* owner: they may be enabled */
	bool subs_run;			/* owner: they may run */
	bool subs_asleep;		/* owner: they wait for the primary to wake */
	struct klist_node sub_node;	/* of a sub-channel */
	struct kmcl_channel *primary;	/* owner; NULL once the primary was cleaned up */
	u32 primary_number;		/* and what it was; 0: no sub-channel */
	u16 sub_index;			/* 0: no sub-channel */

	/* server.c */
	struct kmcl_server *server;	/* what it offers; NULL: a client */

	/* save.c, restore.c, adopt.c */
	struct kmcl_save *save;		/* owner; frozen, while there is one */
	struct kmcl_restore *restore;	/* owner; until Enable */
	bool unsettled;			/* owner; restored, and not enabled */
	u64 park_as;			/* owner; going down, saved under this name */
	struct xarray restored;		/* by an old id, what kmcl_packet_restore_sent() says */

	/* hibernate.c */
	bool sleep_wanted;		/* by the transport */
	bool asleep;			/* owner: as far as the transport is told */
	bool falling;			/* owner: on its way from OPEN to ASLEEP */
	bool returning;			/* owner: a sub-channel that is not found again yet */

	/* the rings */
	enum kmcl_link_state link_state;	/* life_lock */
	struct kmcl_link __rcu *link;		/* non-NULL: up and not fenced */
	struct kmcl_link *closing;		/* who moved link_state to CLOSING */
	bool cut;				/* the primary's closer: it closes with that */
	struct kmcl_target target;
	bool claimed;			/* owner: target is the transport's */
	struct kmcl_transport *transport;
	const char *poison;		/* why; NULL: healthy */
	const char *last_poison;	/* why it was poisoned last */
	struct work_struct poison_work;

	/* device.c */
	struct mutex device_lock;
	struct kmcl_link *bound;	/* device_lock; from Opened to Closed */
	u64 mmio_start;			/* device_lock */
	u64 mmio_size;			/* device_lock */
	bool latency_set;		/* device_lock */
	u16 latency_before;		/* device_lock; to be restored */

	/* gpadl.c */
	struct mutex control;		/* around a wait for the peer's answer */
	struct kmcl_leaks *leaks;	/* control; a Cleanup is under way */
	struct xarray gpadls;		/* by handle; changes under control */
	struct xarray page_sets;	/* handles, by the peer's number for a set */

	/* slot.c */
	spinlock_t slot_lock;		/* the table of slots and its free list */
	struct kmcl_chunk **chunks;
	u32 chunk_max;			/* entries in chunks */
	u32 slots;			/* slots that exist; grows only */
	u32 free_slot;			/* index + 1 of the first free one */
	u32 packets;			/* slots held for the driver */
	u32 id_base;			/* what all ids carry besides; see kmcl_packet_id() */

	struct kmcl_bounce bounce;
	struct kmcl_tx tx;
	struct kmcl_rx rx;
};

/*
 * Rate limited for each channel, so that one noisy peer silences no other
 * channel; and errors apart from warnings, which a peer can provoke at will.
 */
#define kmcl_err(ch, fmt, ...)							\
do {										\
	if (__ratelimit(&(ch)->errors))						\
		pr_err("kmcl: %s: " fmt, (ch)->name, ##__VA_ARGS__);		\
} while (0)
#define kmcl_warn(ch, fmt, ...)							\
do {										\
	if (__ratelimit(&(ch)->warnings))					\
		pr_warn("kmcl: %s: " fmt, (ch)->name, ##__VA_ARGS__);		\
} while (0)

extern struct workqueue_struct *kmcl_wq, *kmcl_server_wq;

/* main.c */
struct kmcl_transport *kmcl_transport_get(void);
void kmcl_transport_put(struct kmcl_transport *transport);

/* channel.c */
static inline VMBCHANNEL kmcl_channel_handle(struct kmcl_channel *ch)
{
	return ch->handle;
}

void kmcl_channel_name(struct kmcl_channel *ch);
void kmcl_channel_guids(const struct kmcl_channel *ch, guid_t *type, guid_t *instance);
void kmcl_channel_put(struct kmcl_channel *ch);

/* owner.c */
bool kmcl_life_try(struct kmcl_channel *ch);
void kmcl_life_enter(struct kmcl_channel *ch);
bool kmcl_life_enter_unless(struct kmcl_channel *sub, struct kmcl_channel *ch);
void kmcl_life_leave(struct kmcl_channel *ch);
bool kmcl_may_sleep(struct kmcl_channel *ch, const char *who);
bool kmcl_passive(struct kmcl_channel *ch, const char *who);

/* link.c */
void kmcl_link_init(struct kmcl_channel *ch);
int kmcl_link_up(struct kmcl_channel *ch, u32 out_bytes, u32 in_bytes);
bool kmcl_link_is_up(struct kmcl_channel *ch);
void kmcl_link_down(struct kmcl_channel *ch, NTSTATUS status);
bool kmcl_link_part(struct kmcl_channel *ch, NTSTATUS status);
void kmcl_link_cut(struct kmcl_channel *ch, NTSTATUS status);
void kmcl_link_cut_end(struct kmcl_channel *ch, NTSTATUS status, bool closed);
void kmcl_link_refused(struct kmcl_channel *ch);
void kmcl_poison(struct kmcl_channel *ch, const char *why);

/* server.c */
NTSTATUS kmcl_server_enable(struct kmcl_channel *ch);
bool kmcl_server_rest(struct kmcl_channel *ch);
bool kmcl_server_accept(struct kmcl_channel *ch);

/* life.c */
NTSTATUS kmcl_call_opened(struct kmcl_channel *ch);
u64 kmcl_largest_packet(const struct kmcl_channel *ch);
void kmcl_call_suspend(struct kmcl_channel *ch);
void kmcl_call_closed(struct kmcl_channel *ch);
void kmcl_rest(struct kmcl_channel *ch);
void kmcl_unclaim(struct kmcl_channel *ch);
void kmcl_wake_sub(struct kmcl_channel *ch);
void kmcl_start(struct kmcl_channel *ch);
void kmcl_suspend(struct kmcl_channel *ch);
void kmcl_take_down(struct kmcl_channel *ch);
void kmcl_life_init(struct kmcl_channel *ch);
void kmcl_life_exit(struct kmcl_channel *ch);
void kmcl_disable(struct kmcl_channel *ch, const char *who);

/* A wait for somebody else; says so once if it takes long. */
struct kmcl_step {
	struct kmcl_channel *channel;
	const char *what;
	struct timer_list timer;
};

void kmcl_step_begin(struct kmcl_step *step, struct kmcl_channel *ch, const char *what);
void kmcl_step_end(struct kmcl_step *step);

static inline bool kmcl_life_is_mine(struct kmcl_channel *ch)
{
	return READ_ONCE(ch->life_owner) == current;
}

/* Neither paused nor below a primary that is: asked with its life owned. */
static inline bool kmcl_may_run(struct kmcl_channel *ch)
{
	return !READ_ONCE(ch->pause_wanted) &&
	       (!ch->primary || READ_ONCE(ch->primary->subs_run));
}

/* sub.c */
void kmcl_sub_init(struct kmcl_channel *ch);
void kmcl_sub_exit(struct kmcl_channel *ch);
struct kmcl_channel *kmcl_next_sub(struct klist_iter *iter);
void kmcl_each_sub(struct kmcl_channel *ch, void (*visit)(struct kmcl_channel *sub));
bool kmcl_sub_orphaned(struct kmcl_channel *ch);
bool kmcl_in_sub_callback(struct kmcl_channel *ch);
void kmcl_subs_cut(struct kmcl_channel *ch, NTSTATUS status);
void kmcl_subs_cut_end(struct kmcl_channel *ch, NTSTATUS status, bool closed);
void kmcl_subs_disable(struct kmcl_channel *ch);
void kmcl_subs_pause(struct kmcl_channel *ch);
void kmcl_subs_start(struct kmcl_channel *ch);

/* hibernate.c */
void kmcl_fall_asleep(struct kmcl_channel *ch);
void kmcl_settle(struct kmcl_channel *ch);
void kmcl_subs_wake(struct kmcl_channel *ch);
bool kmcl_roused(struct kmcl_channel *ch);

/* bounce.c */
void kmcl_bounce_init(struct kmcl_channel *ch);
int kmcl_bounce_start(struct kmcl_channel *ch, struct kmcl_link *link);
void kmcl_bounce_finish(struct kmcl_channel *ch);
int kmcl_bounce_map(struct kmcl_link *link, phys_addr_t phys, u32 bytes, dma_addr_t *addr);
void kmcl_unmap(struct kmcl_link *link, dma_addr_t addr, u32 bytes, enum dma_data_direction dir);

/* device.c */
void kmcl_device_init(struct kmcl_channel *ch);
void kmcl_device_bind(struct kmcl_channel *ch);
void kmcl_device_unbind(struct kmcl_channel *ch);
int kmcl_device_processor(struct kmcl_channel *ch);

/* gpadl.c; more in gpadl.h */
void kmcl_gpadls_init(struct kmcl_channel *ch);
void kmcl_gpadls_unshare(struct kmcl_channel *ch);
void kmcl_gpadls_finish(struct kmcl_channel *ch);
void kmcl_gpadls_sum(struct kmcl_channel *ch, u32 *count, u64 *bytes);
struct kmcl_gpadl *kmcl_gpadl_get(struct kmcl_channel *ch, u32 handle);
struct kmcl_gpadl *kmcl_gpadl_by_frame(struct kmcl_channel *ch, PFN_NUMBER frame);
void kmcl_gpadl_put(struct kmcl_gpadl *g);
u32 kmcl_gpadl_bytes(const struct kmcl_gpadl *g);
bool kmcl_gpadl_has(const struct kmcl_gpadl *g, u32 page, PFN_NUMBER frame);
bool kmcl_gpadl_find(const struct kmcl_gpadl *g, PFN_NUMBER frame, u32 *page);
void kmcl_gpadl_describe(const struct kmcl_gpadl *g, u32 offset, u32 bytes, PMDL mdl);

/* leak.c */
void kmcl_leaks_note(struct kmcl_leaks *leaks, u32 handle, u32 bytes);
void kmcl_leaks_say(struct kmcl_channel *ch, const struct kmcl_leaks *leaks,
		    unsigned long caller);

/* incoming.c */
const char *kmcl_incoming_resolve(struct kmcl_incoming *in, u16 type, void *head, u32 len,
				  bool *damaged);
void kmcl_incoming_release(struct kmcl_incoming *in);
u32 kmcl_incoming_described(const struct kmcl_incoming *in, const void **head);

/* packet.c */
void kmcl_packets_setup(void);
struct kmcl_packet *kmcl_packet_alloc(struct kmcl_channel *ch, bool internal, gfp_t gfp);
void kmcl_packet_free(struct kmcl_packet *pkt);
void kmcl_packet_done(struct kmcl_packet *pkt, NTSTATUS status,
		      void *buf, u32 len);

/* slot.c */
int kmcl_packets_init(struct kmcl_channel *ch);
void kmcl_packets_exit(struct kmcl_channel *ch);
int kmcl_packets_limit(struct kmcl_channel *ch, u32 count);
int kmcl_packets_reserve(struct kmcl_channel *ch, u32 count);
bool kmcl_packet_take_slot(struct kmcl_packet *pkt);
bool kmcl_packet_move(struct kmcl_packet *pkt, enum kmcl_slot_state from,
		      enum kmcl_slot_state to);
bool kmcl_packet_answered(struct kmcl_channel *ch, u64 id, void *buf, u32 len);
void kmcl_packets_abort(struct kmcl_channel *ch, enum kmcl_slot_state which,
			NTSTATUS status);
bool kmcl_packets_lent(struct kmcl_channel *ch);
struct kmcl_packet *kmcl_packet_sent_from(struct kmcl_channel *ch, u32 *index);
void kmcl_packets_abandon(struct kmcl_channel *ch);
void kmcl_packet_give_slot(struct kmcl_packet *pkt);
struct kmcl_slot *kmcl_slot_by_id(struct kmcl_channel *ch, u64 id);

/* restored.c */
u64 kmcl_packet_new_id(struct kmcl_channel *ch, u64 old);
int kmcl_packet_restore_prepare(struct kmcl_channel *ch, u64 id);
int kmcl_packet_restore_sent(struct kmcl_packet *pkt, u64 id);
int kmcl_packet_restore_queued(struct kmcl_packet *pkt, const void *data, u32 len,
			       bool wants_reply);
void kmcl_packet_unrestore(struct kmcl_packet *pkt);
int kmcl_carrier_attach(struct kmcl_packet *pkt, struct kmcl_incoming *in);
void kmcl_carrier_detach(struct kmcl_incoming *in);
void kmcl_carrier_end(struct kmcl_incoming *in);

static inline VMBPACKET kmcl_packet_handle(const struct kmcl_packet *pkt)
{
	return pkt->handle;
}

/*
 * An id: slot + 1, the channel's epoch above it, and the generation of the send. A
 * channel that is restored begins another epoch, so that none of its ids is one of those
 * that its predecessors have used, and that may still be answered.
 */
#define KMCL_ID_EPOCH	21
#define KMCL_ID_EPOCHS	(1u << (32 - KMCL_ID_EPOCH))

static_assert(KMCL_SLOTS <= 1u << KMCL_ID_EPOCH);

/* The lower half of all its ids. */
static inline u32 kmcl_packet_number(const struct kmcl_channel *ch, const struct kmcl_packet *pkt)
{
	return ch->id_base + pkt->index + 1;
}

/* The id under which the packet's current send travels. */
static inline u64 kmcl_packet_id(const struct kmcl_packet *pkt, u64 word)
{
	return (word & ~0xffffffffULL) | kmcl_packet_number(pkt->object.channel, pkt);
}

static inline enum kmcl_slot_state kmcl_word_state(u64 word)
{
	return (u32)word;
}

/* False, with a line, in hard interrupt or with interrupts off. */
static inline bool kmcl_dispatch(struct kmcl_channel *ch, const char *who)
{
	if (likely(!in_hardirq() && !irqs_disabled()))
		return true;
	kmcl_err(ch, "%s above DISPATCH_LEVEL, refused\n", who);
	return false;
}

/* send.c */
NTSTATUS kmcl_submit(struct kmcl_packet *pkt, const void *buf, u32 len, u32 flags,
		     const struct kmcl_source *source);
NTSTATUS kmcl_check_flags(struct kmcl_channel *ch, bool external, u32 flags,
			  unsigned int flags_at);
NTSTATUS kmcl_send_now(struct kmcl_channel *ch, const void *buf, u32 len);
void kmcl_reply(struct kmcl_incoming *in, const void *buf, u32 len);

/* queue.c */
void kmcl_tx_init(struct kmcl_channel *ch);
NTSTATUS kmcl_tx_enqueue(struct kmcl_packet *pkt, s64 gen, bool seen);
bool kmcl_tx_enqueue_reply(struct kmcl_incoming *in);
int kmcl_packet_cancel(struct kmcl_packet *pkt, u64 id);
void kmcl_tx_event(struct kmcl_channel *ch);
bool kmcl_tx_set(struct kmcl_channel *ch, enum kmcl_tx_mode from, enum kmcl_tx_mode to);
void kmcl_tx_off(struct kmcl_channel *ch);
void kmcl_tx_drain(struct kmcl_channel *ch);
void kmcl_tx_attach(struct kmcl_channel *ch, struct kmcl_link *link, u32 ring_bytes);
void kmcl_tx_abort(struct kmcl_channel *ch, NTSTATUS status);
void kmcl_tx_abort_lent(struct kmcl_channel *ch, NTSTATUS status, bool closed);
void kmcl_tx_cancel(struct kmcl_channel *ch, NTSTATUS status);
bool kmcl_tx_freeze(struct kmcl_channel *ch, bool open);
bool kmcl_tx_thaw(struct kmcl_channel *ch, bool open);
bool kmcl_tx_is_frozen(struct kmcl_channel *ch);
void kmcl_tx_wait(struct kmcl_channel *ch, u32 ring_bytes);
void kmcl_tx_put(struct kmcl_channel *ch, struct kmcl_tx_item *item);

/* Bytes that an item takes in the ring. */
static inline u32 kmcl_tx_room(const struct kmcl_tx_item *item)
{
	return item->head + ALIGN(item->len, 8) + KMCL_FOOTER_SIZE;
}

static inline void kmcl_tx_corrupt(struct kmcl_channel *ch)
{
	kmcl_poison(ch, "indices of the outgoing ring out of range");
}

/* receive.c */
void kmcl_rx_init(struct kmcl_channel *ch);
void kmcl_rx_open_gate(struct kmcl_channel *ch);
void kmcl_rx_shut_gate(struct kmcl_channel *ch);
void kmcl_rx_wait_idle(struct kmcl_channel *ch);
void kmcl_rx_wait_driver(struct kmcl_channel *ch);
void kmcl_rx_event(struct kmcl_channel *ch);

/* complete.c */
bool kmcl_incoming_defer(struct kmcl_incoming *in, VMBPACKETCOMPLETION handle);
void kmcl_driver_done(struct kmcl_channel *ch);

/* freeze.c */
bool kmcl_keep_reply(struct kmcl_incoming *in, const void *buf, u32 len);

/* pool.c */
void kmcl_pool_init(struct kmcl_channel *ch);
u64 kmcl_rx_pool_bytes(const struct kmcl_channel *ch);
void kmcl_rx_set_quota(struct kmcl_channel *ch, u32 quota);
int kmcl_rx_start(struct kmcl_channel *ch, u32 in_bytes);
void kmcl_rx_finish(struct kmcl_channel *ch);
bool kmcl_pool_has(const struct kmcl_channel *ch, u32 bytes);
struct kmcl_incoming *kmcl_pool_get(struct kmcl_channel *ch, u32 bytes);
struct kmcl_incoming *kmcl_pool_extra(struct kmcl_channel *ch, u32 bytes);
void kmcl_rx_retire(struct kmcl_incoming *in);
void kmcl_rx_kick(struct kmcl_channel *ch);

/* debugfs.c */
void kmcl_debugfs_add(struct kmcl_channel *ch);
void kmcl_debugfs_remove(struct kmcl_channel *ch);
void kmcl_debugfs_init(void);
void kmcl_debugfs_exit(void);

/* status.c */
NTSTATUS kmcl_status_from_errno(int err);

#include "external.h"
#include "find.h"

#endif
