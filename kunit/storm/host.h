/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KUNIT_STORM_HOST_H
#define _KUNIT_STORM_HOST_H

#include "sim/sim.h"
#include "storm.h"

/**
 * struct storm_host - a client, and the simulated host opposite it
 * @client: the client
 * @chan: the host's channel, which only the host's thread replaces
 * @rescinds: how often it was taken away
 * @unbinds: how often from its driver
 */
struct storm_host {
	struct storm_end client;
	struct hvsim_chan *chan;
	u32 rescinds;
	u32 unbinds;
};

void storm_host_offer(struct storm_host *h);
void storm_host_ids(GUID *type, GUID *instance);
void storm_host_act(struct storm_end *e, struct rnd_state *rnd);

#endif
