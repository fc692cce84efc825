/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A host that lies: kunit/sim's, which also says what no host would say.
 */
#ifndef _KUNIT_FUZZ_HOST_H
#define _KUNIT_FUZZ_HOST_H

#include "books.h"
#include "fixture.h"

#define IDS	16u

/**
 * struct host - the host of a round
 * @round: the driver's side
 * @v: the same, for fixture.c
 * @rnd: of the thread that lies
 * @chan: the offer, of the last turn
 * @holds: BIT(type) of the messages that it is silent on
 * @rescinds: so far
 * @ids: transaction ids that it was asked for an answer to, the last ones
 * @asked: how many there were
 */
struct host {
	struct round round;
	struct vsc *v;
	struct rnd_state rnd;
	struct hvsim_chan *chan;
	unsigned long holds;
	u32 rescinds;
	u64 ids[IDS];
	u32 asked;
};

/* One lie. */
void host_lies(struct host *h);
/* It answers everything that it has been silent on. */
void host_relents(struct host *h);

#endif
