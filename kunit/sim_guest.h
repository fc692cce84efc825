/* SPDX-License-Identifier: GPL-2.0 */
/* A guest driver as small as they get, for the suites of the simulator itself. */
#ifndef _KMCL_SIM_GUEST_H
#define _KMCL_SIM_GUEST_H

#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/hyperv.h>
#include "sim/sim.h"

#define GUEST_RING	(16 * PAGE_SIZE)
#define GUESTS		3
#define GUEST_IDS	4096

/**
 * struct guest - a device of the driver's
 * @dev: the device, while it is bound
 * @channel: its channel
 * @open_error: what vmbus_open() returned
 * @probed: probe has returned
 * @answered: a completion has come
 * @completions: completions so far
 * @ids: their transaction ids, in order
 * @last_len: payload of the last one
 * @inband: in-band packets so far
 * @callbacks: calls of the channel callback
 * @sending: senders in guest_send()
 * @reads: false: the callback leaves packets in the ring
 * @slow: probe takes its time
 */
struct guest {
	struct hv_device *dev;
	struct vmbus_channel *channel;
	int open_error;
	struct completion probed;
	struct completion answered;
	unsigned int completions;
	u64 ids[GUEST_IDS];
	u32 last_len;
	unsigned int inband;
	unsigned int callbacks;
	atomic_t sending;
	bool reads;
	bool slow;
};

extern struct guest guests[GUESTS];
extern void (*guest_new_sub)(struct vmbus_channel *sub);

int guest_register(struct kunit_suite *suite);
void guest_unregister(struct kunit_suite *suite);

/* A channel for guests[index]. */
struct hvsim_offer guest_offer(unsigned int index);
struct hvsim_chan *guest_up(struct kunit *test, unsigned int index);
int guest_init(struct kunit *test);
void guest_exit(struct kunit *test);
int guest_send(struct guest *guest, u64 id, const void *data, u32 len);
bool guest_wait(struct guest *guest, unsigned int completions);
void guest_stop_reading(struct guest *guest);
void guest_read(struct guest *guest);
void guest_callback(void *context);

#endif
