/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The simulated Hyper-V host, as a test sees it.
 *
 * hv_sim.ko is the hypervisor and the host of a UML kernel; hv_vmbus.ko beside
 * it is the real in-tree drivers/hv. A test offers channels, says how the host
 * behaves on each of them, looks at what the guest did, and takes the channels
 * away again. Between hvsim_begin() and hvsim_end() every rule of the protocol
 * that the guest breaks fails the running test.
 *
 * Where nothing else is said, a function may be called from any context that
 * does not hold a lock of the guest's.
 */
#ifndef _KMCL_HVSIM_H
#define _KMCL_HVSIM_H

#include <linux/atomic.h>
#include <linux/hyperv.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

struct kunit;
struct hvsim_chan;
struct hvsim_gpadl;

/**
 * enum hvsim_exec - when the host looks at a channel that the guest signalled
 * @HVSIM_EXEC_ASYNC: soon, from a work item of the host's
 * @HVSIM_EXEC_INLINE: at once, inside the guest's hypercall
 * @HVSIM_EXEC_MANUAL: when the test calls hvsim_run()
 */
enum hvsim_exec {
	HVSIM_EXEC_ASYNC,
	HVSIM_EXEC_INLINE,
	HVSIM_EXEC_MANUAL,
};

/**
 * enum hvsim_irq - how an interrupt reaches the guest
 * @HVSIM_IRQ_DIRECT: called from where the host runs, as a hard interrupt, its
 *	tasklets right behind it (with interrupts off: as @HVSIM_IRQ_TIMER)
 * @HVSIM_IRQ_TIMER: a timer's real hard interrupt, between any two instructions
 */
enum hvsim_irq {
	HVSIM_IRQ_DIRECT,
	HVSIM_IRQ_TIMER,
};

/**
 * enum hvsim_answer - what becomes of a packet that asks for a completion
 * @HVSIM_ANSWER_ECHO: completed with its own payload
 * @HVSIM_ANSWER_FIXED: completed with &hvsim_script.fixed
 * @HVSIM_ANSWER_LATER: kept, and echoed when &hvsim_script.lag newer ones are
 *	kept behind it, or when the test calls hvsim_answer()
 * @HVSIM_ANSWER_NONE: never
 * @HVSIM_ANSWER_SCRIPTED: a hook's way to say: as &hvsim_script.answer has it
 */
enum hvsim_answer {
	HVSIM_ANSWER_ECHO,
	HVSIM_ANSWER_FIXED,
	HVSIM_ANSWER_LATER,
	HVSIM_ANSWER_NONE,
	HVSIM_ANSWER_SCRIPTED,
};

/**
 * struct hvsim_script - how the host behaves on a channel
 * @answer: what packets that ask for a completion get
 * @lag: for HVSIM_ANSWER_LATER, how many packets stay unanswered; 0: all of
 *	them, until hvsim_answer()
 * @fixed: payload of HVSIM_ANSWER_FIXED
 * @fixed_len: its length in bytes
 * @record: keep a copy of every packet, in order, in &hvsim_chan.record
 * @mask: set the ring's interrupt mask while the host reads, as Hyper-V does
 * @lenient: count the guest's faults on this channel, but fail no test
 * @open_status: not 0: refuse the open with this status
 * @gpadl_status: not 0: refuse GPADLs with this status
 * @on_packet: called for every packet, where the host runs, before it is
 *	answered; payload and descriptor are the host's own copy. Returns what
 *	becomes of it (HVSIM_ANSWER_SCRIPTED: nothing special)
 * @on_signal: called inside the guest's hypercall, before the host looks: the
 *	guest has published and not yet returned from its signal
 * @on_open: called before the open is answered; not 0 refuses it
 * @on_close: called when the channel closes, for whatever reason, in any context
 * @priv: the hooks' own
 *
 * Everything may be changed at any time; the host reads it anew for each packet.
 */
struct hvsim_script {
	enum hvsim_answer answer;
	unsigned int lag;
	const void *fixed;
	u32 fixed_len;
	bool record;
	bool mask;
	bool lenient;
	u32 open_status;
	u32 gpadl_status;
	enum hvsim_answer (*on_packet)(struct hvsim_chan *chan,
				       const struct vmpacket_descriptor *desc,
				       const void *payload, u32 len);
	void (*on_signal)(struct hvsim_chan *chan);
	u32 (*on_open)(struct hvsim_chan *chan, const u8 *userdata);
	void (*on_close)(struct hvsim_chan *chan);
	void *priv;
};

/**
 * struct hvsim_open - how the guest opens a channel
 * @gpadl: the GPADL in which both rings are, control pages included
 * @split: its page with which the ring to the guest begins
 * @target_vp: processor that the guest wants to be interrupted
 * @user: what it says besides
 */
struct hvsim_open {
	u32 gpadl;
	u32 split;
	u32 target_vp;
	u8 user[MAX_USER_DEFINED_BYTES];
};

/**
 * struct hvsim_server - somebody else than the script, who serves a channel
 * @gpadl: the guest has lent memory; returns 0, or the status that refuses it
 * @teardown: the guest wants memory back; returns whether it may have it at once,
 *	otherwise hvsim_torn_down() says when
 * @open: the guest opens; hvsim_opened() is the answer
 * @close: the guest has closed, or is gone
 * @signal: the guest has written to an empty ring, or made room
 *
 * The host carries messages and signals, checks that the guest keeps to their
 * order, and stays out of the rings; nothing of a script but its two refusals and
 * hvsim_hold() applies.
 *
 * Context: process, may sleep, one at a time for a channel; but @signal: any, with
 * locks of the guest's held.
 */
struct hvsim_server {
	u32 (*gpadl)(struct hvsim_chan *chan, const struct hvsim_gpadl *gpadl);
	bool (*teardown)(struct hvsim_chan *chan, u32 handle);
	void (*open)(struct hvsim_chan *chan, const struct hvsim_open *open);
	void (*close)(struct hvsim_chan *chan);
	void (*signal)(struct hvsim_chan *chan);
};

/**
 * struct hvsim_offer - a channel to be offered
 * @type: class GUID
 * @instance: instance GUID; the same pair may be offered again after a rescind
 * @sub_index: 0: a primary channel; otherwise a sub-channel of the primary with
 *	the same GUIDs, which is rescinded when the guest closes the primary
 * @flags: chn_flags of the offer
 * @mmio_megabytes: the size of the window that it asks for
 * @user_def: the offer's user defined bytes
 * @hold: BIT(type) for messages to put aside from the start, see hvsim_hold()
 * @exec: how the host runs on this channel
 * @script: how it behaves
 * @server: who serves it in the script's place, or NULL
 * @server_data: the server's own
 */
struct hvsim_offer {
	guid_t type;
	guid_t instance;
	u16 sub_index;
	u16 flags;
	u16 mmio_megabytes;
	u8 user_def[MAX_USER_DEFINED_BYTES];
	unsigned long hold;
	enum hvsim_exec exec;
	struct hvsim_script script;
	const struct hvsim_server *server;
	void *server_data;
};

/**
 * struct hvsim_packet - one packet as the host received it
 * @node: in &hvsim_chan.record or another list of its owner
 * @size: bytes in @desc and what follows, without the ring's trailer
 * @room: bytes there are for them
 * @desc: the packet, descriptor first
 */
struct hvsim_packet {
	struct list_head node;
	u32 size;
	u32 room;
	struct vmpacket_descriptor desc;
};

static inline const void *hvsim_payload(const struct hvsim_packet *pkt)
{
	return (const u8 *)&pkt->desc + (pkt->desc.offset8 << 3);
}

static inline u32 hvsim_payload_len(const struct hvsim_packet *pkt)
{
	return pkt->size - (pkt->desc.offset8 << 3);
}

#define HVSIM_PKT_TYPES		16

/**
 * struct hvsim_stats - what passed on a channel
 * @packets: packets from the guest by type; types above the last count as 0
 * @answers: completions put into the ring by the script
 * @signals: hypercalls by which the guest signalled the channel
 * @closed_signals: those of them that came while it was not open
 * @irqs: interrupts raised to the guest for the channel
 * @control: control messages from the guest by type
 * @faults: rules the guest broke
 */
struct hvsim_stats {
	unsigned long packets[HVSIM_PKT_TYPES];
	unsigned long answers;
	unsigned long signals;
	unsigned long closed_signals;
	unsigned long irqs;
	unsigned long control[CHANNELMSG_COUNT];
	unsigned long faults;
};

/* One direction of a channel's rings; @pos is the host's own index in it. */
struct hvsim_ring {
	struct hv_ring_buffer *rb;
	struct page **pages;
	u32 size;
	u32 pos;
};

/**
 * struct hvsim_chan - a channel of the host's
 * @script: how the host behaves, for the test to change
 * @exec: how the host runs, for the test to change with hvsim_set_exec()
 * @stats: what passed
 * @record: &struct hvsim_packet, oldest first, while @script.record is set
 * @relid: the channel's number on the bus
 * @offered: from hvsim_offer() to hvsim_rescind()
 * @open: from the guest's open to its close
 * @released: the guest has given the number back after a rescind
 * @userdata: what the guest's open carried
 * @target_vp: the processor that the guest asked interrupts for
 *
 * The rest is the simulator's own.
 */
struct hvsim_chan {
	struct hvsim_script script;
	enum hvsim_exec exec;
	struct hvsim_stats stats;
	struct list_head record;
	u32 relid;
	bool offered;
	bool open;
	bool released;
	u8 userdata[MAX_USER_DEFINED_BYTES];
	u32 target_vp;

	/* private: */
	struct hvsim_offer offer;
	struct kref ref;
	spinlock_t lock;		/* rings and packet lists */
	struct hvsim_ring g2h;
	struct hvsim_ring h2g;
	u8 *rx;
	u32 ring_gpadl;
	bool sent;			/* the guest has seen the offer */
	bool lost;			/* and never gave it back: left alone */
	bool unseen;			/* signalled, and not looked at since */
	bool forged;			/* the test wrote the guest's own index */
	bool stalled;
	atomic_t kicks;
	atomic_t users;
	struct work_struct work;
	struct work_struct unmap_work;
	struct list_head kept;		/* HVSIM_ANSWER_LATER */
	unsigned int nr_kept;
	struct list_head out;		/* answers that found the ring full */
	struct list_head spare;		/* packets to be used again */
	unsigned long holds;
	struct mutex server_lock;	/* around what it is told, but for signals */
	const struct hvsim_server *server;
	bool opening;			/* it has not answered yet */
	u32 open_id;
};

/**
 * struct hvsim_gpadl - guest memory that the guest described to the host
 * @handle: its number
 * @relid: the channel it belongs to
 * @byte_count: its length
 * @byte_offset: where it starts in its first page
 * @nr: number of pages
 * @pages: the pages
 *
 * The rest is the simulator's own.
 */
struct hvsim_gpadl {
	u32 handle;
	u32 relid;
	u32 byte_count;
	u32 byte_offset;
	u32 nr;
	struct page **pages;

	/* private: */
	struct list_head node;
	u32 filled;
};

/* ---- a test's frame (session.c) ---- */
int hvsim_begin(struct kunit *test);
void hvsim_end(struct kunit *test);
int hvsim_reset(void);
void hvsim_flush(void);
bool hvsim_settle(void);
unsigned long hvsim_faults(void);

/* ---- channels (channel.c) ---- */
struct hvsim_chan *hvsim_offer(const struct hvsim_offer *offer);
void hvsim_rescind(struct hvsim_chan *chan);
bool hvsim_wait_open(struct hvsim_chan *chan, bool open);
bool hvsim_wait_released(struct hvsim_chan *chan);
void hvsim_forget(struct hvsim_chan *chan);
void hvsim_set_exec(struct hvsim_chan *chan, enum hvsim_exec exec);
void hvsim_run(struct hvsim_chan *chan);
void hvsim_stall(struct hvsim_chan *chan);
void hvsim_resume(struct hvsim_chan *chan);

/* ---- channels that somebody else serves (server.c) ---- */
struct hvsim_chan *hvsim_add(const struct hvsim_offer *offer);
void hvsim_announce(struct hvsim_chan *chan);
void hvsim_opened(struct hvsim_chan *chan, u32 status);
void hvsim_torn_down(struct hvsim_chan *chan, u32 handle);
void hvsim_withdraw(struct hvsim_chan *chan);
struct hvsim_chan *hvsim_find(const guid_t *type, const guid_t *instance, u16 sub_index);
void hvsim_put(struct hvsim_chan *chan);

/* ---- the control protocol (host.c) ---- */
void hvsim_hold(struct hvsim_chan *chan, enum vmbus_channel_message_type type);
void hvsim_unhold(struct hvsim_chan *chan, enum vmbus_channel_message_type type);
unsigned int hvsim_held(struct hvsim_chan *chan,
			enum vmbus_channel_message_type type);
unsigned long hvsim_control_count(enum vmbus_channel_message_type type);
void hvsim_set_max_version(u32 version);

/* ---- the hypervisor (hypervisor.c) ---- */
void hvsim_set_irq(enum hvsim_irq irq);
void hvsim_stay_on_bus_cpu(void);
void hvsim_fail_posts(unsigned int nr, u64 status);
void hvsim_fail_posts_of(u32 type, unsigned int nr, u64 status);
unsigned int hvsim_failing_posts(void);
void hvsim_post(const void *message, u32 size);

/* ---- GPADLs and guest memory (gpadl.c) ---- */
struct hvsim_gpadl *hvsim_find_gpadl(u32 handle);
unsigned int hvsim_gpadl_count(struct hvsim_chan *chan);
long hvsim_shown_pages(void);
void *hvsim_gpa(u64 pfn, u32 offset);
int hvsim_gpa_ranges(const struct vmpacket_descriptor *desc, u32 index,
		     const struct gpa_range **range);

/* ---- the rings (ring.c) ---- */
/**
 * enum hvsim_dir - one of a channel's two rings
 * @HVSIM_G2H: guest to host, which the guest calls outbound
 * @HVSIM_H2G: host to guest, which the guest calls inbound
 */
enum hvsim_dir {
	HVSIM_G2H,
	HVSIM_H2G,
};

/**
 * struct hvsim_raw - a packet exactly as it shall land in the ring
 * @desc: the descriptor, every field as the guest shall read it
 * @payload: what follows it; NULL: zeros
 * @len: bytes of @payload
 * @size: bytes to occupy, descriptor included, trailer not; a multiple of 8.
 *	0: as much as descriptor and payload need
 * @quiet: raise no interrupt
 */
struct hvsim_raw {
	struct vmpacket_descriptor desc;
	const void *payload;
	u32 len;
	u32 size;
	bool quiet;
};

int hvsim_recv(struct hvsim_chan *chan, void *buf, u32 size);
int hvsim_send(struct hvsim_chan *chan, u16 type, u16 flags, u64 trans_id,
	       const void *payload, u32 len);
int hvsim_send_raw(struct hvsim_chan *chan, const struct hvsim_raw *raw);
int hvsim_fill(struct hvsim_chan *chan, u32 len);
u32 hvsim_ring_bytes(struct hvsim_chan *chan, enum hvsim_dir dir);
u32 hvsim_ring_used(struct hvsim_chan *chan, enum hvsim_dir dir);

/**
 * enum hvsim_field - a word of a ring's control page
 * @HVSIM_WRITE_INDEX: where the writer will write next
 * @HVSIM_READ_INDEX: where the reader will read next
 * @HVSIM_INTERRUPT_MASK: the reader wants no signal
 * @HVSIM_PENDING_SIZE: the writer waits for more room than this
 * @HVSIM_FEATURES: feature bits
 */
enum hvsim_field {
	HVSIM_WRITE_INDEX,
	HVSIM_READ_INDEX,
	HVSIM_INTERRUPT_MASK,
	HVSIM_PENDING_SIZE,
	HVSIM_FEATURES,
};

u32 hvsim_peek(struct hvsim_chan *chan, enum hvsim_dir dir, enum hvsim_field field);
void hvsim_poke(struct hvsim_chan *chan, enum hvsim_dir dir, enum hvsim_field field,
		u32 value);
void hvsim_interrupt(struct hvsim_chan *chan);

/* ---- answers (script.c) ---- */
int hvsim_answer(struct hvsim_chan *chan, unsigned int nr);
bool hvsim_answer_id(struct hvsim_chan *chan, u64 trans_id);
void hvsim_complete(struct hvsim_chan *chan, u64 trans_id, const void *payload, u32 len);
unsigned int hvsim_kept(struct hvsim_chan *chan);
void hvsim_clear_record(struct hvsim_chan *chan);

#endif
