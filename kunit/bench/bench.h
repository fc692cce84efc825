/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the benchmark share.
 *
 * Two ways of doing the same work, struct side, are driven through the same
 * batches: KMCL (ours.c), and an hv_driver that does as hv_storvsc does
 * (intree.c). What a batch measures is decided by meter.c: nanoseconds, calls of
 * the kernel's allocators, or instructions.
 */
#ifndef _KUNIT_BENCH_H
#define _KUNIT_BENCH_H

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/types.h>
#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

struct hvsim_chan;
struct vsc;

#define PARKED		16384		/* packets in flight, when there are many */
#define MOST		(PARKED + 128)	/* packets of a side, when it must have many */
#define WINDOW		1024		/* packets of a side, otherwise */
#define RING_PAGES	64
#define RING_BYTES	(RING_PAGES * PAGE_SIZE)
#define INLINE_BYTES	64		/* beside external data */
#define PAYLOAD_MOST	4096
#define EXTERNAL_MOST	65536
#define REPLY_BYTES	16		/* of the guest's to a packet of the host's */

/* What a packet takes in a ring besides its payload: descriptor and footer. */
#define OVERHEAD	24

/* A queue of transaction ids: of the @count oldest, from @head on. */
struct ids {
	u64 id[MOST];
	unsigned int head;
	unsigned int count;
};

/**
 * struct side - one way of doing it
 * @host: the host's channel
 * @packets: how many it may have in flight
 * @send: send packet @i, @len bytes of the payload, and ask for an answer
 * @send_external: the same, INLINE_BYTES and @len bytes of external data
 * @answered: answers so far
 * @received: packets of the host's so far, each of them completed
 * @unanswered: what the host has read and not answered
 * @parked: what it has read and does not answer for now
 * @ids: room for both
 * @next: the next packet to be sent
 */
struct side {
	struct hvsim_chan *host;
	unsigned int packets;
	int (*send)(struct side *s, unsigned int i, u32 len);
	int (*send_external)(struct side *s, unsigned int i, u32 len);
	unsigned long answered;
	unsigned long received;
	struct ids *unanswered;
	struct ids *parked;
	struct ids ids[2];
	unsigned int next;
};

/**
 * struct bench - what is done in one batch
 * @name: of the case
 * @len: bytes of payload, or of external data
 * @external: with external data
 * @n: operations in a batch
 * @first: the packets begin with this one
 * @window: packets that are in flight together
 * @burst: of those, how many are sent, and answered, at a time
 * @batch: do it, and call meter_begin() and meter_end() around what counts
 * @test: the running case
 */
struct bench {
	const char *name;
	u32 len;
	bool external;
	unsigned int n;
	unsigned int first;
	unsigned int window;
	unsigned int burst;
	void (*batch)(struct bench *b, struct side *s);
	struct kunit *test;
};

extern u8 payload[PAYLOAD_MOST];
extern u8 *external;			/* EXTERNAL_MOST bytes, side by side in memory */

/* meter.c */
enum meter {
	METER_TIME,
	METER_ALLOCATIONS,
	METER_LOCKS,
	METER_INSTRUCTIONS,
};

bool meter_has(enum meter what);
void meter_use(enum meter what);
void meter_begin(void);
void meter_end(void);
/* Within the two: the host's part, which only time cannot be measured without. */
void meter_host_begin(void);
void meter_host_end(void);
u64 meter_read(void);
u64 meter_locks(struct module *by);	/* that its code has taken, on all processors, so far */
u64 meter_allocations(void);
int meter_init(struct kunit_suite *suite);
void meter_exit(struct kunit_suite *suite);
void meter_function(const char *name, const void *at);
void meter_row(const char *name, const char *unit, s64 ours, s64 intree);
void meter_ratio(const char *name, u64 a, u64 b);

/* ours.c */
struct ours;
struct ours *ours_new(struct kunit *test, unsigned int packets);
struct side *ours_side(struct ours *o);
struct vsc *ours_vsc(struct ours *o);
void ours_forget_cache(struct ours *o);
void ours_free(struct ours *o);
int ours_send_away(struct side *s, unsigned int i, u32 len);

/* intree.c */
struct side *intree_new(struct kunit *test, unsigned int packets);
void intree_forget_cache(void);
void intree_free(void);

/* host.c */
void forget_cache(const void *at, size_t bytes);
void host_forget_cache(struct side *s);
unsigned int host_read(struct side *s, unsigned int n);
void host_answer(struct side *s, unsigned int n, u32 len);
void host_send(struct kunit *test, struct side *s, unsigned int n, u32 len);

/* queued.c */
void run_queued(struct kunit *test, struct ours *o);

/* loopback.c */
#define BURST		32

/**
 * struct sender - packets that go round together
 * @packets: the packets
 * @answered: how many have been
 * @all: that is all of them
 */
struct sender {
	VMBPACKET packets[BURST];
	atomic_t answered;
	struct completion all;
};

void lo_up(struct kunit *test);
void lo_down(void);
struct module *lo_library(void);
struct sender *sender_new(struct kunit *test);
void sender_free(struct sender *s);
int sender_burst(struct sender *s, u32 len);
void run_loopback(struct kunit *test);

#endif
