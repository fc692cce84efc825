/* SPDX-License-Identifier: GPL-2.0 */
/* Between the parts of the simulator. */
#ifndef _KMCL_HVSIM_INTERNAL_H
#define _KMCL_HVSIM_INTERNAL_H

#include <linux/wait.h>
#include <asm/mshyperv.h>
#include "sim.h"

#define HVSIM_MSG_CONNECTION	4
#define HVSIM_EVENT_CONNECTION	0x10000
#define HVSIM_MAX_RELID		256

/* A control message, from or to the guest. */
struct hvsim_message {
	struct list_head node;
	u32 size;
	union {
		struct vmbus_channel_message_header header;
		u64 payload[HV_MESSAGE_PAYLOAD_QWORD_COUNT];
	};
};

/*
 * Protects the tables of channels and GPADLs and the queues of messages. Taken
 * inside hypercalls, so it comes after every lock of the guest's.
 */
extern spinlock_t hvsim_lock;
/* In order: control messages and, in HVSIM_EXEC_ASYNC, the rings. */
extern struct workqueue_struct *hvsim_wq;
/* Woken when a channel opens, closes, is released, or loses its last user. */
extern wait_queue_head_t hvsim_changed;

/* What a host answers when it refuses: any value but 0 says so. */
#define HVSIM_REFUSED		0xc0000001

/* session.c */
void hvsim_pause(void);
void *hvsim_alloc(size_t size);
__printf(2, 3) void hvsim_fault(struct hvsim_chan *chan, const char *fmt, ...);
/* vmbus/settle.c, in hv_vmbus.ko: by symbol_get() only */
bool hvsim_guest_idle(void);
/* Grows whenever anything passes between guest and host. */
extern atomic_t hvsim_activity;

/* suites.c */
int hvsim_suites_init(void);
void hvsim_suites_exit(void);

/* hypervisor.c */
int hvsim_hypervisor_init(void);
void hvsim_hypervisor_exit(void);
void hvsim_set_handler(void (*handler)(void));
void hvsim_set_event(struct hvsim_chan *chan);
bool hvsim_hypervisor_idle(void);

/* host.c */
u64 hvsim_receive_message(const void *payload, u32 size, u32 connection);
bool hvsim_send_offer(struct hvsim_chan *chan);
void hvsim_drop_messages(struct hvsim_chan *chan);
void hvsim_unhold_all(void);
bool hvsim_any_held(void);
void hvsim_host_exit(void);

/* channel.c */
struct hvsim_chan *hvsim_chan_get(u32 relid);
void hvsim_chan_put(struct hvsim_chan *chan);
void hvsim_offer_all(void);
void hvsim_reset_scripts(void);
int hvsim_forget_all(bool guest_gone);
void hvsim_count(struct hvsim_chan *chan, unsigned long *counter);
u64 hvsim_signal_event(u64 connection);
u32 hvsim_open(struct hvsim_chan *chan, const struct vmbus_channel_open_channel *msg);
bool hvsim_finish_open(struct hvsim_chan *chan, bool accepted, u32 *open_id);
void hvsim_close(struct hvsim_chan *chan);
void hvsim_rescind_subs(struct hvsim_chan *primary);
void hvsim_forget_offers(void);
bool hvsim_predecessor(const struct hvsim_chan *chan);
bool hvsim_enter(struct hvsim_chan *chan);
void hvsim_leave(struct hvsim_chan *chan);
bool hvsim_lost_signals(void);

/* gpadl.c */
void hvsim_gpadl_header(const struct vmbus_channel_gpadl_header *msg, u32 size);
void hvsim_gpadl_body(const struct vmbus_channel_gpadl_body *msg, u32 size);
bool hvsim_gpadl_teardown(u32 handle, u32 relid);
void hvsim_gpadl_drop(u32 relid);
u32 hvsim_gpadl_first(u32 relid);
bool hvsim_gpa_valid(const struct vmpacket_descriptor *desc);
int hvsim_set_memory_decrypted(unsigned long addr, int pages);
int hvsim_set_memory_encrypted(unsigned long addr, int pages);

/* ring.c */
int hvsim_ring_map(struct hvsim_ring *ring, struct page **pages, u32 nr);
void hvsim_ring_unmap(struct hvsim_ring *ring);
int hvsim_ring_write(struct hvsim_chan *chan, const struct hvsim_raw *raw, bool *event);
void hvsim_await_room(struct hvsim_chan *chan, u32 size);

/* server.c */
bool hvsim_has_server(struct hvsim_chan *chan);
u32 hvsim_server_gpadl(struct hvsim_chan *chan, const struct hvsim_gpadl *gpadl);
bool hvsim_server_teardown(struct hvsim_chan *chan, u32 handle);
void hvsim_server_open(struct hvsim_chan *chan, const struct vmbus_channel_open_channel *msg);
void hvsim_server_close(struct hvsim_chan *chan);
void hvsim_server_signal(struct hvsim_chan *chan);
void hvsim_server_drop(struct hvsim_chan *chan);

/* script.c */
void hvsim_script_packet(struct hvsim_chan *chan, const struct vmpacket_descriptor *desc,
			 u32 size);
bool hvsim_script_flush(struct hvsim_chan *chan);
void hvsim_script_drop(struct hvsim_chan *chan);
void hvsim_script_forget(struct hvsim_chan *chan);

#endif
