/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The driver of a round: what it does to a channel, at random, and the books that it keeps.
 *
 * Whatever the peer does, in the end the books say: what a send accepted has completed once,
 * with a status that is promised; what ProcessPacket was given has been completed; and every
 * thread has come back.
 */
#ifndef _KUNIT_FUZZ_BOOKS_H
#define _KUNIT_FUZZ_BOOKS_H

#include <kunit/test.h>
#include <linux/mutex.h>
#include <linux/prandom.h>
#include "helper.h"
#include "kmcl.h"

#define KEPT		32u		/* packets that the driver completes later */
#define LENT_PAGES	4u		/* of the memory that it lends */
#define SET		0xcafeu		/* its number as a set of pages */

/* A thread of the driver's. */
struct actor {
	struct helper helper;
	struct round *round;
	struct rnd_state rnd;
	void (*act)(struct actor *a);
};

#define ACTORS		5u

struct client;

/**
 * struct round - a channel, a driver, and its books
 * @test: the case
 * @seed: of the round
 * @ch: the channel
 * @kch: the library's view of it
 * @max_packet: what its packets may have
 * @actors: its threads
 * @running: how many have been started
 * @stop: nothing new, please
 * @over: the channel is down for good
 * @accepted: sends that returned success
 * @ended: completion routines called
 * @odd: calls with a status that nobody promised
 * @twice: calls for a packet that was not on its way
 * @given: packets that ProcessPacket was called with
 * @done: of those, completed or failed
 * @requests: synchronous ones
 * @gpadls: that were created
 * @draws: random numbers drawn by callbacks
 * @lock: of what is kept
 * @kept: packets that the driver has
 * @service: replaces a server by what it has saved; NULL: nobody does
 * @mapping: held while the driver looks at memory of the peer's
 * @may_map: between Opened and Closed, where there is any
 * @lent: memory that it lends, LENT_PAGES of it
 * @handle: of the GPADL, 0: there is none; of the last one, while there is none
 */
struct round {
	struct kunit *test;
	u32 seed;
	VMBCHANNEL ch;
	struct kmcl_channel *kch;
	u32 max_packet;
	struct actor actors[ACTORS];
	u32 running;
	bool stop;
	bool over;
	atomic_t accepted;
	atomic_t ended;
	atomic_t odd;
	atomic_t twice;
	atomic_t given;
	atomic_t done;
	atomic_t requests;
	atomic_t gpadls;
	atomic_t draws;
	spinlock_t lock;		/* kept */
	VMBPACKETCOMPLETION kept[KEPT];
	void (*service)(struct client *c, struct rnd_state *rnd);
	struct mutex mapping;		/* may_map, and memory of the peer's */
	bool may_map;
	u8 *lent;
	u32 handle;
};

/* What has been added up over all rounds, for the last line. */
struct totals {
	u64 accepted;
	u64 given;
	u64 requests;
	u64 gpadls;
	u64 faults;
	u64 stale;
	u64 unread;
	u64 serviced;
	u64 refused;
};

static inline u32 any(struct rnd_state *rnd, u32 below)
{
	return prandom_u32_state(rnd) % below;
}

/* A number of the kind that breaks things. */
u32 odd_number(struct rnd_state *rnd);
/* For callbacks, which several threads run. */
u32 draw(struct round *r);
/* Some moment of the next @us microseconds. */
void any_moment(struct rnd_state *rnd, u32 us);

/* Books, and a driver on a channel that its caller has made; not enabled. */
void round_init(struct round *r, struct kunit *test, u32 seed, VMBCHANNEL ch);
/* ProcessPacket. */
void round_packet(struct round *r, VMBPACKETCOMPLETION pkt, void *buf, u32 len);
/* In Opened and Closed: may memory that the peer has lent be looked at from here on? */
void round_may_map(struct round *r, bool may);
/* Its threads begin; false: one did not, and those that did must be stopped. */
bool round_go(struct round *r);
/* Nothing new; afterwards the peer lets everything go on that waits for it. */
void round_stop(struct round *r);
/* The threads have come back, the channel is disabled, the books are balanced. False: stuck. */
bool round_end(struct round *r);
void round_add(struct round *r, struct totals *t);

#endif
