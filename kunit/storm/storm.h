/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A storm: threads that send, answer, enable, disable, pause, start, save, restore
 * and unload, all at random, and books that have to balance afterwards.
 *
 * struct storm_end is a driver at one end of a channel. Its channel is replaced when
 * it is saved and restored, so everybody who calls something with it holds its lock,
 * except callbacks: those are over when the channel goes.
 */
#ifndef _KUNIT_STORM_H
#define _KUNIT_STORM_H

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/prandom.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include "kmcl.h"

#define STORM_PENDING	64u		/* packets that a driver keeps for later */
#define STORM_PACKET	600u		/* MaximumPacketSize */
#define STORM_FLIGHT	100u		/* MaximumPacketCount */
#define STORM_THREADS	16u

/* Instances of the storm's class, one channel each. */
enum storm_instance {
	STORM_FIRST = 1,		/* a client of the storm's own */
	STORM_MODULE,			/* of kmcl_storm_client.ko */
};

static const GUID storm_type = { 0x6b6d636c, 0, 0x4000, { 0x80, 0, 0, 0, 0, 0, 0x57, 0 } };

static inline GUID storm_instance(enum storm_instance which)
{
	GUID guid = storm_type;

	guid.Data2 = which;
	return guid;
}

/**
 * struct storm_end - a driver at one end of a channel
 * @lock: of @ch: who replaces it is alone
 * @ch: the channel
 * @kch: the same, the library's view
 * @server: it is a VSP
 * @type: the class that it offers or looks for
 * @instance: the instance
 * @bus: of the provider of a server's clients; NULL: the loopback's
 * @accepted: sends that succeeded, and packets that were restored
 * @refused: sends that failed
 * @ended: completion routines called
 * @answered: with STATUS_SUCCESS
 * @received: packets that the driver was given, once each, restored ones too
 * @completed: packets that it has completed
 * @restored: packets among both that RestorePacket brought
 * @odd: what nobody promised: a status, a second completion
 * @given_up: synchronous requests that have timed out
 * @liars: its peer answers what was not asked
 * @lazy_until: what is kept is not completed before, in jiffies
 * @storm: what it is part of
 * @pending_lock: of @pending
 * @pending: packets to complete later
 * @nr_pending: how many
 */
struct storm_end {
	struct rw_semaphore lock;
	VMBCHANNEL ch;
	struct kmcl_channel *kch;
	bool server;
	GUID type;
	GUID instance;
	const char *bus;
	atomic_t accepted;
	atomic_t refused;
	atomic_t ended;
	atomic_t answered;
	atomic_t received;
	atomic_t completed;
	atomic_t restored;
	atomic_t odd;
	atomic_t given_up;
	bool liars;
	unsigned long lazy_until;
	struct storm *storm;
	spinlock_t pending_lock;	/* of what follows */
	VMBPACKETCOMPLETION pending[STORM_PENDING];
	u32 nr_pending;
};

struct storm_thread {
	struct storm *storm;
	struct storm_end *end;
	void (*once)(struct storm_end *e, struct rnd_state *rnd);
	u32 pause_ms;
	u32 seed;
	const char *name;
	struct task_struct *task;
	struct completion done;
};

/**
 * struct storm - all of it
 * @stop: its threads shall return
 * @threads: who does what
 * @nr_threads: how many
 * @saves: servers that were saved and parked
 * @adopted: of those, restored
 * @unloads: of kmcl_storm_client.ko
 * @seed: the first thread's
 */
struct storm {
	bool stop;
	struct storm_thread threads[STORM_THREADS];
	u32 nr_threads;
	atomic_t saves;
	atomic_t adopted;
	atomic_t unloads;
	u32 seed;
};

/* end.c: a driver */
int storm_end_init(struct storm_end *e, struct storm *storm, bool server);
int storm_end_new_channel(struct storm_end *e);
void storm_end_drop(struct storm_end *e);
void storm_send(struct storm_end *e, struct rnd_state *rnd);
void storm_live(struct storm_end *e, struct rnd_state *rnd);
void storm_complete(struct storm_end *e, struct rnd_state *rnd);
bool storm_answers(struct storm_end *e);
bool storm_balanced(struct storm_end *e, const char *name);
void storm_restored(struct storm_end *e, VMBPACKETCOMPLETION pkt);
VOID storm_done(VMBPACKET packet, PVOID context, NTSTATUS status, PVOID buf, UINT32 len);

/* What a packet's pointer says of it. */
#define STORM_SENDING	((void *)8)
#define STORM_ENDED	((void *)16)

/* service.c: servers that are saved and restored */
NTSTATUS storm_set_service(struct storm_end *e);
void storm_service(struct storm_end *e, struct rnd_state *rnd);

/* storm.c: threads */
bool storm_thread(struct storm *s, struct storm_end *e, const char *name,
		  void (*once)(struct storm_end *e, struct rnd_state *rnd), u32 pause_ms);
bool storm_stop(struct storm *s);
bool storm_blow(const char *bus, u32 seconds, bool modules);

#endif
