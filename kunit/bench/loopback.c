// SPDX-License-Identifier: GPL-2.0
/*
 * Round trips between a server and a client of the library's, in one kernel.
 */
#include <linux/module.h>
#include "../fixture.h"
#include "bench.h"

#define ROUNDS		400

static const GUID lo_type = { 0x6b6d636c, 0x0005, 0x4000, { 0x80, 0, 0, 0, 0, 0, 0, 5 } };
static const GUID lo_instance = { 0x6b6d636c, 0x0006, 0x4000, { 0x80, 0, 0, 0, 0, 0, 0, 6 } };

static struct {
	VMBCHANNEL server;
	VMBCHANNEL client;
	struct completion started;
} lo;

static VOID done(VMBPACKET packet, PVOID context, NTSTATUS status, PVOID buf, UINT32 len)
{
	struct sender *s = context;

	if (atomic_inc_return(&s->answered) == BURST)
		complete(&s->all);
}

static VOID process(VMBCHANNEL channel, PVOID context, VMBPACKETCOMPLETION packet, PVOID buf,
		    UINT32 len, UINT32 flags)
{
	VmbChannelPacketComplete(packet, buf, len);
}

static VOID started(VMBCHANNEL channel)
{
	complete(&lo.started);
}

void lo_up(struct kunit *test)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS state;

	memset(&lo, 0, sizeof(lo));
	init_completion(&lo.started);
	KUNIT_ASSERT_EQ(test, VmbChannelAllocate(NULL, TRUE, &lo.server), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelAllocate(NULL, FALSE, &lo.client), STATUS_SUCCESS);
	VmbServerChannelInitSetFlags(lo.server, VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER);
	VmbServerChannelInitSetTargetInterfaceId(lo.server, lo_type, lo_instance);
	VmbChannelInitSetProcessPacketCallbacksEx(lo.server, NULL, process, NULL);
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&state);
	state.EvtChannelPostStarted = started;
	VmbChannelInitSetStateChangeCallbacks(lo.client, &state);
	VmbClientChannelInitSetRingBufferPageCount(lo.client, RING_PAGES, RING_PAGES);
	VmbClientChannelInitSetTargetPnp(lo.client, &lo_type, &lo_instance, NULL);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(lo.server), STATUS_SUCCESS);
	VmbChannelStart(lo.server);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(lo.client), STATUS_SUCCESS);
	wait_for_completion(&lo.started);
}

void lo_down(void)
{
	VmbChannelDisable(lo.client);
	VmbChannelDisable(lo.server);
	VmbChannelCleanup(lo.client);
	VmbChannelCleanup(lo.server);
}

/* Whose code is the library's. */
struct module *lo_library(void)
{
	return kmcl_channel_find(lo.client, __func__, _RET_IP_)->transport->owner;
}

struct sender *sender_new(struct kunit *test)
{
	struct sender *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, s);
	init_completion(&s->all);
	for (i = 0; i < BURST; i++) {
		s->packets[i] = VmbPacketAllocate(lo.client);
		KUNIT_ASSERT_NOT_NULL(test, s->packets[i]);
		VmbPacketSetCompletionRoutineEx(s->packets[i], s, done);
	}
	return s;
}

void sender_free(struct sender *s)
{
	unsigned int i;

	for (i = 0; i < BURST; i++)
		VmbPacketFree(s->packets[i]);
}

/* All of them there and back. */
int sender_burst(struct sender *s, u32 len)
{
	int failed = 0;
	unsigned int i;

	atomic_set(&s->answered, 0);
	reinit_completion(&s->all);
	for (i = 0; i < BURST; i++)
		failed |= VmbPacketSend(s->packets[i], payload, len, NULL, WAIT_FOR_COMPLETION);
	wait_for_completion(&s->all);
	return failed;
}

/* One at a time. */
static int single(struct sender *s, u32 len)
{
	int failed = 0;
	unsigned int i;

	for (i = 0; i < BURST; i++) {
		atomic_set(&s->answered, BURST - 1);
		reinit_completion(&s->all);
		failed |= VmbPacketSend(s->packets[i], payload, len, NULL, WAIT_FOR_COMPLETION);
		wait_for_completion(&s->all);
	}
	return failed;
}

static void measure(struct kunit *test, struct sender *s, u32 len, unsigned int window,
		    int (*go)(struct sender *s, u32 len))
{
	u64 least = U64_MAX, t;
	unsigned int i;
	char name[40];

	snprintf(name, sizeof(name), "loopback_%u_w%u", len, window);
	if (meter_has(METER_TIME)) {
		for (i = 0; i < ROUNDS; i++) {
			t = ktime_get_ns();
			KUNIT_ASSERT_EQ(test, go(s, len), 0);
			least = min(least, ktime_get_ns() - t);
		}
		meter_row(name, "ns", div_u64(least * 100, BURST), -1);
	}
	if (meter_has(METER_ALLOCATIONS)) {
		meter_use(METER_ALLOCATIONS);
		for (i = 0, least = U64_MAX; i < 5; i++) {
			t = meter_allocations();
			KUNIT_ASSERT_EQ(test, go(s, len), 0);
			least = min(least, meter_allocations() - t);
		}
		meter_use(METER_TIME);
		meter_row(name, "allocations", div_u64(least * 100, BURST), -1);
	}
}

void run_loopback(struct kunit *test)
{
	static const u32 sizes[] = { 16, 64, 512, 4096 };
	struct sender *s;
	unsigned int i;

	lo_up(test);
	s = sender_new(test);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		measure(test, s, sizes[i], 1, single);
		measure(test, s, sizes[i], BURST, sender_burst);
	}
	sender_free(s);
	lo_down();
}
