/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Both ends of a channel in the loopback, for the suites.
 *
 * struct end is a driver that writes down what KMCL does to it: a VSP when it is a
 * server, else a VSC. A case makes a pair, changes what it wants to be different,
 * and brings it up; what is still enabled at its end is disabled, the clients first.
 */
#ifndef _KUNIT_LOOPBACK_END_H
#define _KUNIT_LOOPBACK_END_H

#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/wait.h>
#include "kmcl.h"

#define END_LOG		32

/* What a suite is called where its servers have clients on another bus. */
#ifndef END_SUITE
#define END_SUITE(name)	name
#endif

enum end_event {
	END_OPENED = 'O',
	END_STARTED = 'S',
	END_POST_STARTED = 'P',
	END_SUSPEND = 'U',
	END_CLOSED = 'C',
	END_PNP_FAILURE = 'F',
};

/**
 * struct end - one driver
 * @test: the case
 * @ch: the channel
 * @kch: the same, the library's view
 * @server: it is a VSP
 * @log: state callbacks so far, a string of letters (enum end_event)
 * @logged: letters in @log
 * @opened_status: what Opened returns
 * @on_state: called in every state callback, after it was logged
 * @on_packet: ProcessPacket; NULL: complete it with its own payload
 * @received: packets that ProcessPacket was called for
 * @completions: of end_send()'s packets
 * @ok: those with STATUS_SUCCESS
 * @cancelled: with STATUS_CANCELLED
 * @removed: with STATUS_DEVICE_REMOVED
 * @enabled: what a helper's Enable returned, of the case's
 * @pnp_status: last status given to PnpFailure
 * @wait: woken by every callback
 * @priv: the case's own
 * @node: in the fixture's list
 */
struct end {
	struct kunit *test;
	VMBCHANNEL ch;
	struct kmcl_channel *kch;
	bool server;
	char log[END_LOG];
	unsigned int logged;
	NTSTATUS opened_status;
	void (*on_state)(struct end *e, enum end_event event);
	void (*on_packet)(struct end *e, VMBPACKETCOMPLETION pkt, void *buf, u32 len, u32 flags);
	atomic_t received;
	atomic_t completions;
	atomic_t ok;
	atomic_t cancelled;
	atomic_t removed;
	NTSTATUS enabled;
	NTSTATUS pnp_status;
	wait_queue_head_t wait;
	void *priv;
	struct list_head node;
};

/* Of the provider whose clients the servers have; NULL: the loopback's. */
extern const char *end_bus;
/* Wait until clients can see what has been offered: at once in the loopback. */
extern void (*end_settle)(void);

extern const GUID end_type;
extern const GUID end_instance;

int end_init(struct kunit *test);
void end_exit(struct kunit *test);

/* Not enabled yet; a server in the loopback, or a client that looks for it. */
struct end *end_new(struct kunit *test, bool server);
void end_drop(struct end *e);

/* A server that runs and a client that is open, their logs empty. */
void end_pair(struct kunit *test, struct end **server, struct end **client);
/* Enable both, and wait until they run; logs "OSP". */
void end_bring_up(struct end *server, struct end *client);
void end_clear_log(struct end *e);

VMBPACKET end_packet(struct end *e);
NTSTATUS end_send(struct end *e, const void *buf, u32 len, u32 flags);
VOID end_completed(VMBPACKET packet, PVOID context, NTSTATUS status, PVOID buf, UINT32 len);

#define end_wait(e, condition)	(wait_event_timeout((e)->wait, condition, 5 * HZ) > 0)
#define end_expect_soon(e, condition)						\
	KUNIT_EXPECT_TRUE_MSG((e)->test, end_wait(e, condition), "never: " #condition)
#define end_expect_log(e, letters)	KUNIT_EXPECT_STREQ((e)->test, (e)->log, letters)
#define WAIT_FOR_COMPLETION		VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION

#endif
