/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A client that lies: a provider of its own, with one client made by hand.
 */
#ifndef _KUNIT_FUZZ_CLIENT_H
#define _KUNIT_FUZZ_CLIENT_H

#include <kmcl/host.h>
#include "books.h"

#define PAGES		24u		/* of the client's memory */
#define RING_PAGES	8u		/* of both rings: the first ones */
#define FRAME		0x7000000ULL	/* what the client calls its first page */
#define RINGS		1u		/* number of the GPADL with the rings */
#define IDS		16u

/**
 * struct client - the client of a round
 * @round: the server's driver
 * @rnd: of the thread that lies
 * @host: the provider
 * @handle: of the provider
 * @lock: of the offer, which is taken back under it
 * @offer: that the server makes, or NULL
 * @memory: of the client, PAGES of it
 * @out: ring to the server, as the client sees it
 * @in: ring from it
 * @asked: it has asked to open, and not closed
 * @open: and was answered
 * @ids: transaction ids of packets that the server sent, the last ones
 * @seen: how many there were
 * @serviced: times that the server was replaced by what it had saved
 * @refused: times that it did not want what it had saved, damaged on the way
 */
struct client {
	struct round round;
	struct rnd_state rnd;
	struct kmcl_host host;
	HANDLE handle;
	struct mutex lock;		/* offer */
	struct kmcl_offer *offer;
	u8 *memory;
	struct kmcl_ring_out out;
	struct kmcl_ring in;
	bool asked;
	bool open;
	u64 ids[IDS];
	u32 seen;
	u32 serviced;
	u32 refused;
};

/* It lends its rings and asks to open, as it should. */
void client_opens(struct client *c);
/* One lie. */
void client_lies(struct client *c);

/* Save, leave, and come back from what was saved, or from something like it. */
void service(struct client *c, struct rnd_state *rnd);

#endif
