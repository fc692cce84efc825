/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One end of a pair of rings that no bus looks after: a server's (host.c), or that
 * of a client in the loopback (loopback.c).
 */
#ifndef _KMCL_RINGS_H
#define _KMCL_RINGS_H

#include <linux/interrupt.h>
#include <linux/spinlock.h>
#include "ring.h"
#include "transport.h"

/**
 * struct kmcl_rings - an end of two rings
 * @link: what the library sees; @link.in is the ring that this end reads
 * @published: read index that the peer has been told
 * @lock: @out
 * @out: the ring that this end writes
 * @tasklet: where kmcl_link_event() runs
 * @signal: tells the other end. Context: as the operations of a link
 */
struct kmcl_rings {
	struct kmcl_link link;
	u32 published;
	spinlock_t lock;	/* one writer at a time */
	struct kmcl_ring_out out;
	struct tasklet_struct tasklet;
	void (*signal)(struct kmcl_rings *rings);
};

/**
 * struct kmcl_rings_place - where both rings are
 * @memory: control page and data of the ring from client to server, then the same
 *	of the other
 * @first: bytes of the first, control page included; whole pages, at least two
 * @second: of the second
 */
struct kmcl_rings_place {
	void *memory;
	u32 first;
	u32 second;
};

static inline struct kmcl_rings *kmcl_rings(struct kmcl_link *link)
{
	return container_of(link, struct kmcl_rings, link);
}

void kmcl_rings_init(struct kmcl_rings *rings, const struct kmcl_link_ops *ops,
		     void (*signal)(struct kmcl_rings *rings));
void kmcl_rings_open(struct kmcl_rings *rings, const struct kmcl_rings_place *place, bool server);
void kmcl_rings_close(struct kmcl_rings *rings);
void kmcl_rings_event(struct kmcl_rings *rings);

int kmcl_rings_send(struct kmcl_link *link, const void *data, u32 len, u64 id,
		    enum kmcl_packet_type type, bool wants_reply);
int kmcl_rings_send_external(struct kmcl_link *link, struct kmcl_gpa_direct *head,
			     u32 head_bytes, const void *data, u32 len, u64 id);
void kmcl_rings_want_room(struct kmcl_link *link, u32 bytes);
u32 kmcl_rings_out_used(struct kmcl_link *link);
void kmcl_rings_consumed(struct kmcl_link *link);
void kmcl_rings_mask(struct kmcl_link *link);
void kmcl_rings_unmask(struct kmcl_link *link);
void kmcl_rings_kick(struct kmcl_link *link);

#endif
