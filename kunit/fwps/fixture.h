/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the suites about packet injection share: pools and a handle, a network device
 * of our own, lists to inject, and a completion function that looks closely.
 */
#ifndef _KUNIT_FWPS_FIXTURE_H
#define _KUNIT_FWPS_FIXTURE_H

#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/if_ether.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/wait.h>
#include <fwpsk.h>

/* Frames of ours have this type (for local experiments), and nobody else listens to it. */
#define FX_TYPE		0x88b5
/* Bytes of a frame that tell it from others: header and number. */
#define FX_MIN		(ETH_HLEN + 4u)

/**
 * struct fx - of one case
 * @test: the case
 * @pool: of lists
 * @nb_pool: of packets
 * @handle: for L2
 * @dev: a device that is up
 * @keep: what @dev is given to send stays in @parked
 * @parked: so
 * @sent: frames that @dev was given
 * @tap: listens for FX_TYPE
 * @received: frames that @tap got
 * @order: the numbers of the last of them, in order
 * @wrong: frames or completions that are not as they must be
 * @completions: of fx_done()
 * @success: with NDIS_STATUS_SUCCESS
 * @resources: with NDIS_STATUS_RESOURCES
 * @status: the last one's
 * @last: the last one
 * @freed: fx_done() frees what is completed
 * @on_done: called by fx_done(), last; the list is the case's
 * @wait: woken by everything
 * @netlink: what is being said
 * @priv: the case's own
 */
struct fx {
	struct kunit *test;
	NDIS_HANDLE pool;
	NDIS_HANDLE nb_pool;
	HANDLE handle;
	struct net_device *dev;
	bool keep;
	struct sk_buff_head parked;
	atomic_t sent;
	struct packet_type tap;
	atomic_t received;
	u32 order[64];
	atomic_t wrong;
	atomic_t completions;
	atomic_t success;
	atomic_t resources;
	NDIS_STATUS status;
	NET_BUFFER_LIST *last;
	bool freed;
	void (*on_done)(struct fx *fx, NET_BUFFER_LIST *nbl);
	wait_queue_head_t wait;
	struct sk_buff *netlink;
	void *priv;
};

/* Of suites: pools alone, and with a device and a handle. */
int fx_init_memory(struct kunit *test);
int fx_init(struct kunit *test);
void fx_exit(struct kunit *test);

/* Another device; the case does not have to take it down. */
struct net_device *fx_device(struct fx *fx);
void fx_up(struct net_device *dev, bool up);
/* An address of the device, by netlink as ip(8) does it; prefix bits. */
void fx_address(struct fx *fx, struct net_device *dev, int family, const void *address, int bits);
/* A host to which there is no way, until it is taken back. */
void fx_unreachable(struct fx *fx, int family, const void *address, bool add);

MDL *fx_mdl(struct kunit *test, void *buf, size_t len);
/* A list of one packet with these bytes, which the case's end frees. */
NET_BUFFER_LIST *fx_list(struct fx *fx, const void *bytes, size_t len);
/* A frame of FX_TYPE for the device: header, @number, and a pattern. */
NET_BUFFER_LIST *fx_frame(struct fx *fx, size_t len, u32 number);
/* A chain of @n frames, numbered from @number on. */
NET_BUFFER_LIST *fx_chain(struct fx *fx, unsigned int n, size_t len, u32 number);
/* @n lists that share the MDL of @nbl, which is one of them. */
NET_BUFFER_LIST *fx_share(struct fx *fx, NET_BUFFER_LIST *nbl, unsigned int n);
void fx_free(NET_BUFFER_LIST *nbl);
bool fx_frame_is(const struct sk_buff *skb, u32 *number);

void fx_done(void *context, NET_BUFFER_LIST *nbl, BOOLEAN dispatch_level);

NTSTATUS fx_receive(struct fx *fx, NET_BUFFER_LIST *nbl);
NTSTATUS fx_send(struct fx *fx, NET_BUFFER_LIST *nbl);
/* Lets go of what the device keeps. */
unsigned int fx_release(struct fx *fx);

/*
 * Repeats @call with its first, second, third ... allocation failing, until none is met. Where it
 * fails nothing has happened; where it does not, @undo ends what it did. @least: so many
 * allocations it is known to make.
 */
void fx_sweep(struct fx *fx, NTSTATUS (*call)(struct fx *fx), void (*undo)(struct fx *fx),
	      unsigned int least);

#define fx_wait(fx, condition)	wait_event_timeout((fx)->wait, condition, 20 * HZ)

/* So many completions come, and no more. */
#define fx_expect_completions(fx, n)						\
do {										\
	fx_wait(fx, atomic_read(&(fx)->completions) >= (n));			\
	fx_settle();								\
	KUNIT_EXPECT_EQ((fx)->test, atomic_read(&(fx)->completions), n);	\
} while (0)

/* Softirqs that are pending have run. */
void fx_settle(void);

#endif
