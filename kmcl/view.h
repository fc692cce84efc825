/* SPDX-License-Identifier: GPL-2.0 */
/* A channel as it is shown: a copy, with nothing in it that could go away. */
#ifndef _KMCL_VIEW_H
#define _KMCL_VIEW_H

#include "kmcl.h"

/**
 * struct kmcl_view - what is shown of a channel
 * @number: its number
 * @name: as in log lines
 * @friendly: what the driver calls it, or empty
 * @type: class GUID of what it is connected to, or wants to be
 * @instance: the same for the instance
 * @server: it is a server's
 * @state: one of the states below
 * @link: state of its rings
 * @transport: what carries its packets, or "-"
 * @primary: number of its primary; 0: it is none's sub-channel
 * @sub_index: which of them it is
 * @subs: its own sub-channels
 * @out_bytes: data bytes of the outgoing ring; 0: there is none
 * @out_used: of them, not read by the peer yet
 * @in_bytes: the same for the incoming one
 * @in_used: of them, not read by us yet
 * @max_packets: MaximumPacketCount
 * @packets: packets that the driver has
 * @in_flight: of them, sent and not answered
 * @queued: of them, waiting for room, for the open, or for Start
 * @quota: incoming packets that may be held
 * @held: incoming packets that are
 * @at_driver: of them, delivered and not completed
 * @gpadls: GPADLs that the peer has
 * @gpadl_bytes: their size
 * @counters: sums over all processors, and slots
 * @stats: the others
 * @last_poison: why it was poisoned last, or NULL
 */
struct kmcl_view {
	u32 number;
	char name[sizeof_field(struct kmcl_channel, name)];
	char friendly[sizeof_field(struct kmcl_config, friendly)];
	guid_t type;
	guid_t instance;
	bool server;
	const char *state;
	const char *link;
	const char *transport;
	u32 primary;
	u32 sub_index;
	u32 subs;
	u32 out_bytes;
	u32 out_used;
	u32 in_bytes;
	u32 in_used;
	u32 max_packets;
	u32 packets;
	u32 in_flight;
	u32 queued;
	u32 quota;
	u32 held;
	u32 at_driver;
	u32 gpadls;
	u64 gpadl_bytes;
	struct kmcl_counters counters;
	struct kmcl_stats stats;
	const char *last_poison;
};

void kmcl_view(struct kmcl_channel *ch, struct kmcl_view *view);

#endif
