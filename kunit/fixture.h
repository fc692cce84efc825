/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A VSC for the suites, and the host opposite it.
 *
 * struct vsc is a driver that writes down what KMCL does to it. A case makes one
 * with vsc_new(), changes what it wants to be different, brings it up with
 * vsc_up(), and leaves the rest to the end of the case: whatever is still enabled
 * is disabled, and the simulator checks that nothing is left behind.
 */
#ifndef _KMCL_FIXTURE_H
#define _KMCL_FIXTURE_H

#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/wait.h>
#include "sim/sim.h"
#include "kmcl.h"

#define VSC_LOG		32

enum vsc_event {
	VSC_OPENED = 'O',
	VSC_STARTED = 'S',
	VSC_POST_STARTED = 'P',
	VSC_SUSPEND = 'U',
	VSC_CLOSED = 'C',
	VSC_PNP_FAILURE = 'F',
};

/**
 * struct vsc - a driver and its host
 * @test: the case
 * @ch: the channel, allocated
 * @kch: the same, the library's view; for counters
 * @host: the host's channel, once offered
 * @offer: what vsc_offer() offers; the script in it is the first behaviour
 * @log: state callbacks so far, one letter each (enum vsc_event), as a string
 * @logged: letters in @log
 * @opened_status: what Opened returns
 * @on_state: called in every state callback, after it was logged
 * @on_packet: ProcessPacket; NULL: complete it with its own payload
 * @in_packet: 1 while ProcessPacket runs
 * @received: packets that ProcessPacket was called for
 * @batches: calls of ProcessingComplete
 * @batch_packets: their counts, added up
 * @completions: completion routines called by vsc_send()'s packets
 * @ok: those of them with STATUS_SUCCESS
 * @cancelled: with STATUS_CANCELLED
 * @removed: with STATUS_DEVICE_REMOVED
 * @pnp_status: last status given to PnpFailure
 * @wait: woken by every callback
 * @priv: the case's own
 * @node: in the fixture's list
 */
struct vsc {
	struct kunit *test;
	VMBCHANNEL ch;
	struct kmcl_channel *kch;
	struct hvsim_chan *host;
	struct hvsim_offer offer;

	char log[VSC_LOG];
	unsigned int logged;
	NTSTATUS opened_status;
	void (*on_state)(struct vsc *v, enum vsc_event event);
	void (*on_packet)(struct vsc *v, VMBPACKETCOMPLETION pkt, void *buf, u32 len);
	atomic_t in_packet;
	atomic_t received;
	atomic_t batches;
	atomic_t batch_packets;
	atomic_t completions;
	atomic_t ok;
	atomic_t cancelled;
	atomic_t removed;
	NTSTATUS pnp_status;
	wait_queue_head_t wait;
	void *priv;
	struct list_head node;
};

extern const guid_t vsc_type;
extern const guid_t vsc_instance;

/* Suite init and exit: a clean host before and after each case. */
int vsc_suite_init(struct kunit *test);
void vsc_suite_exit(struct kunit *test);

struct vsc *vsc_new(struct kunit *test);
void vsc_drop(struct vsc *v);
void vsc_offer(struct vsc *v);
NTSTATUS vsc_up(struct vsc *v);
void vsc_bring_up(struct vsc *v);
void vsc_rescind(struct vsc *v);

VMBPACKET vsc_packet(struct vsc *v);
NTSTATUS vsc_send(struct vsc *v, const void *buf, u32 len, u32 flags);
void vsc_count(struct vsc *v, NTSTATUS status);
VOID vsc_completed(VMBPACKET packet, PVOID context, NTSTATUS status, PVOID buf, UINT32 len);

/* With the casts that the Windows names want; @instance NULL: any. */
static inline NTSTATUS vsc_set_target(VMBCHANNEL ch, const guid_t *instance)
{
	LPCGUID type = (LPCGUID)&vsc_type;

	return VmbClientChannelInitSetTargetPnp(ch, type, (LPCGUID)instance, NULL);
}

static inline NTSTATUS vsc_set_state(VMBCHANNEL ch, VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5 *state)
{
	PVMB_CHANNEL_STATE_CHANGE_CALLBACKS any = (PVMB_CHANNEL_STATE_CHANGE_CALLBACKS)state;

	return VmbChannelInitSetStateChangeCallbacks(ch, any);
}

/* Wait for something that callbacks bring about, as long as a busy machine may take. */
#define vsc_wait(v, condition)	(wait_event_timeout((v)->wait, condition, 20 * HZ) > 0)
#define vsc_expect_soon(v, condition)						\
	KUNIT_EXPECT_TRUE_MSG((v)->test, vsc_wait(v, condition), "never: " #condition)
#define vsc_expect_log(v, letters)						\
	KUNIT_EXPECT_STREQ((v)->test, (v)->log, letters)
/* Now, and not soon; its own work may still look whether there is anything to do. */
#define vsc_expect_disabled(v)							\
	KUNIT_EXPECT_EQ((v)->test, READ_ONCE((v)->kch->state), KMCL_DISABLED)
#define WAIT_FOR_COMPLETION VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION

#endif
