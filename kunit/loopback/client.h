/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A client that is no channel of this library, for what was saved: its pages have numbers of
 * its own, so a server can be saved with it, and restored again and again.
 */
#ifndef _KUNIT_LOOPBACK_CLIENT_H
#define _KUNIT_LOOPBACK_CLIENT_H

#include <kmcl/host.h>
#include "servicing.h"

#define CLIENT_PAGES		12u
#define CLIENT_RING_PAGES	4u		/* of each of the two, control page included */
#define CLIENT_FRAME		0x7000000u	/* what the client calls its first page */
#define CLIENT_RINGS		1u		/* number of the GPADL with the rings */
#define CLIENT_OTHER		2u		/* of another one */

struct client {
	struct kunit *test;
	struct kmcl_host host;
	HANDLE handle;
	struct page *pages[CLIENT_PAGES];
	void *memory;
	struct kmcl_ring_out out;
	struct kmcl_ring in;
	struct mutex calls;		/* of the client's */
	struct kmcl_offer *offer;
	u32 offers;
	u32 restored;
	u32 opened;
	bool gone;			/* it knows nothing of an offer that is restored */
};

/* One at a time; gone with the case. */
struct client *client_new(struct kunit *test);
void client_exit(struct kunit *test);
/* A server of that client's, with @v's callbacks. */
struct vsp *client_server(struct client *c, struct vsp *v);
/* Lend it both GPADLs, and open. */
void client_open(struct client *c);
/* A packet: @head_bytes of description, then a message. */
void client_write(struct client *c, u16 type, u64 id, bool wants_reply, const void *head,
		  u32 head_bytes, u32 number);
void client_send(struct client *c, u64 id, bool wants_reply, u32 number);
/* 4,200 bytes in the two pages behind the GPADLs. */
void client_send_external(struct client *c, u64 id, u32 number);
/* The next packet in the client's ring; false: there is none. */
bool client_read(struct client *c, struct kmcl_ring_packet *pkt, struct message *m);

#endif
