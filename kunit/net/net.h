/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /dev/fwps_net: what a program asks of packet injection.
 *
 * An open file is a port: a handle, a pool, and the books of what was injected with them.
 * A write is one order, struct net_order and what belongs to it; a read gives the books,
 * struct net_books; the file polls as readable while nothing is in flight.  The end of
 * the file is the end of the handle, and waits like that.
 *
 * kunit/net/guest.py has both structures too.
 */
#ifndef _KUNIT_NET_H
#define _KUNIT_NET_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <fwpsk.h>

enum net_what {
	NET_HANDLE,		/* arg: FWPS_INJECTION_TYPE_*, index: address family */
	NET_MAC_RECEIVE,	/* index: the interface's; packets follow */
	NET_MAC_SEND,
	NET_NETWORK_RECEIVE,
	NET_NETWORK_SEND,
	NET_STREAM,		/* arg: FWPS_STREAM_FLAG_*, index: FWPS_LAYER_STREAM_* */
	NET_FLOW_OPEN,		/* index: a file descriptor */
	NET_FLOW_CLOSE,
	NET_DESTROY,		/* the handle, though the file stays */
	NET_VSC_OPEN,		/* a netvsc-rx pair: index: the interface's; net_vsc follows */
	NET_VSC_SEND,		/* arg: so many frames more */
	NET_VSC_PAUSE,
	NET_VSC_START,
	NET_VSC_RESCIND,	/* the VSP takes its offer back */
	NET_VSC_OFFER,		/* and makes it again */
	NET_VSC_CLOSE,
	NET_VSC_WAIT,		/* until all is sent and answered, and that is seen at once */
	NET_VSC_PLAIN,		/* arg: so many of the same frames without it, by netif_rx() */
};

/**
 * struct net_order - what to do
 * @what: enum net_what
 * @arg: see there
 * @index: see there
 * @packets: NET_BUFFERs of a list
 * @repeat: the whole chain, made so many times, in one go: no softirq runs meanwhile
 */
struct net_order {
	u32 what;
	u32 arg;
	u32 index;
	u32 packets;
	u32 repeat;
};

/* A packet that follows: this, and its bytes. */
struct net_packet {
	u32 len;
	u8 bytes[];
};

struct net_vsc {
	u32 length;
	u32 per_message;
	u8 address[6];
	u8 reserved[2];
};

/* Status values that lists come back with, and how often. */
#define NET_STATUSES	8

/**
 * struct net_books - of a port
 * @status: what the last order returned
 * @wrong: completions that are not as they must be
 * @accepted: lists
 * @completed: of them
 * @inflight: the rest
 * @most: of @inflight
 * @by_status: completions by their Status, in the order of their appearance
 * @vsc: of the netvsc-rx pair, as RX_VSP and RX_PORT have them
 */
struct net_books {
	u32 status;
	u32 wrong;
	u64 accepted;
	u64 completed;
	u64 inflight;
	u64 most;
	struct {
		u32 status;
		u32 lists;
	} by_status[NET_STATUSES];
	struct {
		u64 left;
		u64 outstanding;
		u64 most;
		u64 messages;
		u64 answers;
		u64 lost;
		u64 frames;
		u64 dropped;
		u64 lost_frames;
		u64 received;
		u64 answered;
		u64 injected;
		u64 completed;
		u64 bad;
	} vsc;
};

struct net_vsc_pair;

/**
 * struct net_port - an open file
 * @pool: of lists
 * @nb_pool: of packets
 * @handle: what NET_HANDLE made
 * @flow: what NET_FLOW_OPEN did
 * @lock: of @books and @items
 * @books: those of the lists
 * @items: lists that were injected; those that came back go with the next order
 * @wait: woken by completions
 * @pair: what NET_VSC_OPEN made
 */
struct net_port {
	NDIS_HANDLE pool;
	NDIS_HANDLE nb_pool;
	HANDLE handle;
	UINT64 flow;
	spinlock_t lock;	/* of books and items */
	struct net_books books;
	struct list_head items;
	wait_queue_head_t wait;
	struct net_vsc_pair *pair;
};

NTSTATUS net_inject(struct net_port *p, const struct net_order *o, const u8 *bytes, size_t len);
void net_reap(struct net_port *p);

NTSTATUS net_vsc(struct net_port *p, const struct net_order *o, const u8 *bytes, size_t len);
void net_vsc_books(struct net_port *p, struct net_books *books);
bool net_vsc_idle(struct net_port *p);
void net_vsc_close(struct net_port *p);

#endif
