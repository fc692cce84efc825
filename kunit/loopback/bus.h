/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A provider of the suites' own (include/kmcl/host.h), with one client made by hand:
 * it says to a server whatever a case wants it to say.
 */
#ifndef _KUNIT_LOOPBACK_BUS_H
#define _KUNIT_LOOPBACK_BUS_H

#include <kmcl/host.h>
#include "end.h"

#define BUS_PAGES	8u		/* of memory: both rings take all of it */
#define BUS_RINGS	1u		/* their GPADL */

/**
 * struct bus - a provider, and a client of the only offer there
 * @host: the provider
 * @test: the case
 * @offer: made and not taken back; or NULL
 * @offers: made so far
 * @rescinds: taken back so far
 * @answers: to opens so far
 * @opened: the last of them
 * @torn: answers to teardowns
 * @last_torn: the last of them
 * @signals: to the client
 * @offer_error: what is said to an offer
 * @memory: of the client, BUS_PAGES of it
 * @out: the ring to the server, once open
 * @in: the ring from it
 * @wait: woken by each call
 * @node: in the list of those of the running case
 */
struct bus {
	struct kmcl_host host;
	struct kunit *test;
	struct kmcl_offer *offer;
	int offers;
	int rescinds;
	int answers;
	int opened;
	int torn;
	u32 last_torn;
	atomic_t signals;
	int offer_error;
	u8 *memory;
	struct kmcl_ring_out out;
	struct kmcl_ring in;
	wait_queue_head_t wait;
	struct list_head node;
};

/* Frames of the client's memory, from here on: nothing of the kernel's. */
#define BUS_FRAME	0x1000000000ULL

/* Registered; @own_frames: frame numbers mean something to the provider alone. */
struct bus *bus_new(struct kunit *test, bool own_frames);
void bus_exit(struct kunit *test);
/* A server channel for it, not enabled. */
struct end *bus_server(struct bus *b);
/* The same, enabled and started, and open. */
struct end *bus_open_server(struct bus *b);

/* The number of a page of @memory. */
u64 bus_frame(struct bus *b, u32 page);
/* Describe pages of @memory. */
int bus_lend(struct bus *b, u32 handle, u32 first, u32 pages);
/* Open with both rings in the GPADL, of which the second begins with @downstream. */
int bus_ask(struct bus *b, u32 gpadl, u32 downstream);
/* Describe all of the memory, open in it, and wait for the answer. */
int bus_open(struct bus *b);
void bus_close(struct bus *b);
/* Write bytes as they are, and signal. */
void bus_write(struct bus *b, const void *bytes, u32 len);
/* A whole packet: @head (descriptor included) and @body, its lengths filled in. */
void bus_packet(struct bus *b, struct kmcl_desc *head, u32 head_len, const void *body, u32 len);
/* The head of the ring from the server: false when there is none. */
bool bus_read(struct bus *b, struct kmcl_ring_packet *pkt, void *body, u32 size);

#define bus_expect_soon(b, condition)						\
	KUNIT_EXPECT_TRUE_MSG((b)->test,					\
			      wait_event_timeout((b)->wait, condition, 5 * HZ) > 0,	\
			      "never: " #condition)

#endif
