// SPDX-License-Identifier: GPL-2.0
/*
 * The time service. The reference time is the case's, and nobody sets a clock.
 */
#include "port.h"
#include "ic_host.h"
#include "../../samples/timesync/protocol.h"

PIC_DEVICE ts_ic(PTS_DEVICE device);

/* The system under the protocol. */
static u64 reference;
static bool implicit;
static unsigned int sets;
static unsigned int cancels;

ULONG64 TsReferenceTime(PVOID System)
{
	return reference;
}

BOOLEAN TsImplicit(PVOID System)
{
	return implicit;
}

VOID TsSetTime(PVOID System)
{
	sets++;
}

VOID TsCancelSetTime(PVOID System)
{
	cancels++;
}

static int create(struct port *port, PDEVICE_OBJECT parent)
{
	PTS_DEVICE device;
	NTSTATUS status = TsCreate(parent, NULL, &device);

	if (!NT_SUCCESS(status))
		return -EIO;
	port->priv = device;
	return 0;
}

static void destroy(struct port *port)
{
	TsDestroy(port->priv);
	port->priv = NULL;
}

static const struct port timesync = {
	.type = GUID_INIT(0x9527e630, 0xd0ae, 0x497b,
			  0xad, 0xce, 0xe8, 0x0a, 0xb0, 0x17, 0x5c, 0xaf),
	.pipe = true,
	.create = create,
	.destroy = destroy,
};

static int init(struct kunit *test)
{
	reference = 1000 * TS_SECOND;
	implicit = false;
	sets = 0;
	cancels = 0;
	port_begin(test, &timesync);
	return 0;
}

static void exit(struct kunit *test)
{
	port_end(test->priv);
	KUNIT_EXPECT_EQ(test, cancels, 1u);
}

static TS_COUNTERS counters(struct port *port)
{
	TS_COUNTERS c;

	TsQueryCounters(port->priv, &c);
	return c;
}

/* The system's clock, as the host counts. */
static u64 system_time(void)
{
	LARGE_INTEGER now;

	KeQuerySystemTime(&now);
	return now.QuadPart;
}

#define SYNC	1
#define SAMPLE	2
#define PROBE	0

/* Version 4, as in hyperv.h. */
static u32 sample4(struct port *port, u64 host, u64 ref, u8 flags)
{
	const struct ictimesync_ref_data data = {
		.parenttime = host,
		.vmreferencetime = ref,
		.flags = flags,
	};

	return ic_exchange(port, IC_TYPE_TIMESYNC, &data, sizeof(data));
}

/* Versions 1 and 3. */
static u32 sample3(struct port *port, u64 host, u8 flags)
{
	const struct ictimesync_data data = {
		.parenttime = host,
		.flags = flags,
	};

	return ic_exchange(port, IC_TYPE_TIMESYNC, &data, sizeof(data));
}

static void expect_host_time(struct port *port, u64 expected)
{
	ULONG64 time;

	KUNIT_EXPECT_TRUE(port->test, TsQueryHostTime(port->priv, &time));
	KUNIT_EXPECT_EQ(port->test, time, expected);
}

static void expect_no_host_time(struct port *port)
{
	ULONG64 time;

	KUNIT_EXPECT_FALSE(port->test, TsQueryHostTime(port->priv, &time));
}

static void versions_are_those_of_the_kernels_own_driver(struct kunit *test)
{
	const struct ic_versions newest = {
		{ { 1, 0 }, { 3, 0 } }, { { 1, 0 }, { 3, 0 }, { 4, 0 }, { 5, 0 } }, 2, 4
	};
	const IC_VERSION framework = { 3, 0 }, message = { 4, 0 };
	struct port *port = test->priv;

	ic_negotiate(port, &newest);
	ic_expect_agreed(port, framework, message);
	ic_agree(port, 3, 0);
	ic_agree(port, 1, 0);
}

static void the_host_time_goes_on_with_the_reference_time(struct kunit *test)
{
	struct port *port = test->priv;
	u64 host = system_time();

	ic_agree(port, 4, 0);
	expect_no_host_time(port);
	/* the message took three seconds */
	KUNIT_EXPECT_EQ(test, sample4(port, host, reference - 3 * TS_SECOND, SAMPLE), IC_OK);
	expect_host_time(port, host + 3 * TS_SECOND);
	reference += 60 * TS_SECOND + 7;
	expect_host_time(port, host + 63 * TS_SECOND + 7);
	KUNIT_EXPECT_EQ(test, sets, 0u);
	KUNIT_EXPECT_EQ(test, counters(port).Samples, 1);
	KUNIT_EXPECT_NE(test, counters(port).LastSample, 0);
	KUNIT_EXPECT_EQ(test, counters(port).Ic.BadMessages, 0);
}

static void before_version_4_the_arrival_counts(struct kunit *test)
{
	struct port *port = test->priv;
	u64 host = system_time();

	ic_agree(port, 3, 0);
	KUNIT_EXPECT_EQ(test, sample3(port, host, SAMPLE), IC_OK);
	expect_host_time(port, host);
	reference += 5;
	expect_host_time(port, host + 5);
	ic_agree(port, 1, 0);
	KUNIT_EXPECT_EQ(test, sample3(port, host + 100, SYNC), IC_OK);
	expect_host_time(port, host + 100);
	KUNIT_EXPECT_EQ(test, sets, 1u);
}

static void a_sync_sets_the_clock_and_a_sample_does_not(struct kunit *test)
{
	struct port *port = test->priv;
	u64 host = system_time() + 3600 * TS_SECOND;

	ic_agree(port, 4, 0);
	sample4(port, host, reference, SAMPLE);
	sample4(port, host, reference, PROBE);
	KUNIT_EXPECT_EQ(test, sets, 0u);
	sample4(port, host, reference, SYNC);
	KUNIT_EXPECT_EQ(test, sets, 1u);
	sample4(port, host, reference, SYNC | SAMPLE);
	KUNIT_EXPECT_EQ(test, sets, 2u);
	KUNIT_EXPECT_EQ(test, counters(port).Syncs, 2);
	KUNIT_EXPECT_EQ(test, counters(port).Samples, 4);
}

static void the_offset_is_the_host_time_less_ours(struct kunit *test)
{
	struct port *port = test->priv;

	ic_agree(port, 4, 0);
	sample4(port, system_time() + 3600 * TS_SECOND, reference, SAMPLE);
	KUNIT_EXPECT_LE(test, counters(port).LastOffset, 3600 * TS_SECOND);
	KUNIT_EXPECT_GT(test, counters(port).LastOffset, 3595 * TS_SECOND);
	/* the age of a sample is taken off */
	sample4(port, system_time() - 50 * TS_SECOND, reference - 40 * TS_SECOND, SAMPLE);
	KUNIT_EXPECT_LE(test, counters(port).LastOffset, -10 * TS_SECOND);
	KUNIT_EXPECT_GT(test, counters(port).LastOffset, -15 * TS_SECOND);
}

static void an_implicit_sync_is_for_those_five_seconds_behind(struct kunit *test)
{
	struct port *port = test->priv;

	ic_agree(port, 4, 0);
	sample4(port, system_time() + 100 * TS_SECOND, reference, SAMPLE);
	KUNIT_EXPECT_EQ(test, sets, 0u);
	implicit = true;
	sample4(port, system_time() - 100 * TS_SECOND, reference, SAMPLE);
	sample4(port, system_time() + 4 * TS_SECOND, reference, SAMPLE);
	KUNIT_EXPECT_EQ(test, sets, 0u);
	sample4(port, system_time() + 100 * TS_SECOND, reference, SAMPLE);
	KUNIT_EXPECT_EQ(test, sets, 1u);
}

static void a_stale_sample_is_dropped(struct kunit *test)
{
	struct port *port = test->priv;
	u64 host = system_time();
	struct kmsg k;

	ic_agree(port, 4, 0);
	kmsg_mark(&k);
	KUNIT_EXPECT_EQ(test, sample4(port, host, reference - TS_MAXIMUM_AGE - 1, SYNC), IC_OK);
	KUNIT_EXPECT_EQ(test, sample4(port, host, reference - TS_MAXIMUM_AGE - 1, SYNC), IC_OK);
	kmsg_expect(test, &k, 1, "a sample is 600 seconds old and not used");
	expect_no_host_time(port);
	KUNIT_EXPECT_EQ(test, sets, 0u);
	KUNIT_EXPECT_EQ(test, counters(port).Stale, 2);
	KUNIT_EXPECT_EQ(test, counters(port).Samples, 0);
	sample4(port, host, reference - TS_MAXIMUM_AGE, SYNC);
	KUNIT_EXPECT_EQ(test, sets, 1u);
	expect_host_time(port, host + TS_MAXIMUM_AGE);
}

static void a_sample_that_has_become_stale_says_nothing(struct kunit *test)
{
	struct port *port = test->priv;
	u64 host = system_time();

	ic_agree(port, 4, 0);
	sample4(port, host, reference, SAMPLE);
	reference += TS_MAXIMUM_AGE;
	expect_host_time(port, host + TS_MAXIMUM_AGE);
	reference++;
	expect_no_host_time(port);
}

static void a_sample_of_the_future_is_refused(struct kunit *test)
{
	static const u64 ahead[] = {
		TS_SECOND + 1, 3600 * TS_SECOND, S64_MAX, 1ULL << 63,
	};
	struct port *port = test->priv;
	u64 host = system_time();
	unsigned int i;

	ic_agree(port, 4, 0);
	for (i = 0; i < ARRAY_SIZE(ahead); i++)
		KUNIT_EXPECT_EQ(test, sample4(port, host, reference + ahead[i], SYNC), IC_FAIL);
	KUNIT_EXPECT_EQ(test, sets, 0u);
	KUNIT_EXPECT_EQ(test, counters(port).Ic.BadMessages, ARRAY_SIZE(ahead));
	expect_no_host_time(port);
	/* two readers of one counter */
	KUNIT_EXPECT_EQ(test, sample4(port, host, reference + TS_SECOND, SAMPLE), IC_OK);
	expect_host_time(port, host - TS_SECOND);
}

static void an_absurd_host_time_harms_nobody(struct kunit *test)
{
	static const u64 times[] = { 0, 1, S64_MAX, 1ULL << 63, U64_MAX };
	struct port *port = test->priv;
	unsigned int i;

	ic_agree(port, 4, 0);
	for (i = 0; i < ARRAY_SIZE(times); i++) {
		KUNIT_EXPECT_EQ(test, sample4(port, times[i], reference, SYNC), IC_OK);
		expect_host_time(port, times[i]);
	}
	/* whether such a time can be set is the system's decision */
	KUNIT_EXPECT_EQ(test, sets, ARRAY_SIZE(times));
}

static void half_a_sample_is_refused(struct kunit *test)
{
	struct port *port = test->priv;
	u8 body[32] = { };
	u32 len;

	ic_agree(port, 4, 0);
	for (len = 0; len < 17; len++)
		KUNIT_EXPECT_EQ(test, ic_exchange(port, IC_TYPE_TIMESYNC, body, len), IC_FAIL);
	KUNIT_EXPECT_EQ(test, counters(port).Samples, 0);
	ic_agree(port, 3, 0);
	for (len = 0; len < 25; len++)
		KUNIT_EXPECT_EQ(test, ic_exchange(port, IC_TYPE_TIMESYNC, body, len), IC_FAIL);
	KUNIT_EXPECT_EQ(test, counters(port).Samples, 0);
	KUNIT_EXPECT_EQ(test, ic_exchange(port, IC_TYPE_TIMESYNC, body, 25), IC_OK);
	KUNIT_EXPECT_EQ(test, ic_exchange(port, IC_TYPE_HEARTBEAT, body, 32), IC_FAIL);
}

static void a_message_that_wants_no_answer_gets_one_that_may_be_lost(struct kunit *test)
{
	struct {
		IC_HEADER header;
		struct ictimesync_ref_data data;
	} __packed message = {
		.header.Type = IC_TYPE_TIMESYNC,
		.data.flags = SAMPLE,
	};
	struct port *port = test->priv;
	unsigned int i;

	ic_agree(port, 4, 0);
	message.data.vmreferencetime = reference;
	/* a host that never reads them, for an hour of samples */
	hvsim_stall(port->host);
	for (i = 0; i < 720; i++)
		port_send(port, &message, sizeof(message));
	KUNIT_EXPECT_EQ(test, counters(port).Samples, 720);
	hvsim_resume(port->host);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, counters(port).Ic.Unanswered + port_answers(port), 720);
}

static void a_device_that_comes_back_has_no_sample(struct kunit *test)
{
	struct port *port = test->priv;

	ic_agree(port, 4, 0);
	sample4(port, system_time(), reference, SAMPLE);
	port_rescind(port);
	KUNIT_EXPECT_EQ(test, cancels, 1u);
	cancels = 0;
	port_offer(port);
	port_up(port);
	expect_no_host_time(port);
}

static void a_channel_that_is_opened_again_has_no_sample(struct kunit *test)
{
	struct port *port = test->priv;
	VMBCHANNEL ch = ic_channel(ts_ic(port->priv));

	ic_agree(port, 4, 0);
	sample4(port, system_time(), reference, SAMPLE);
	VmbChannelDisable(ch);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(ch), STATUS_SUCCESS);
	expect_no_host_time(port);
	ic_agree(port, 4, 0);
	sample4(port, 1234, reference, SAMPLE);
	expect_host_time(port, 1234);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(versions_are_those_of_the_kernels_own_driver),
	KUNIT_CASE(the_host_time_goes_on_with_the_reference_time),
	KUNIT_CASE(before_version_4_the_arrival_counts),
	KUNIT_CASE(a_sync_sets_the_clock_and_a_sample_does_not),
	KUNIT_CASE(the_offset_is_the_host_time_less_ours),
	KUNIT_CASE(an_implicit_sync_is_for_those_five_seconds_behind),
	KUNIT_CASE(a_stale_sample_is_dropped),
	KUNIT_CASE(a_sample_that_has_become_stale_says_nothing),
	KUNIT_CASE(a_sample_of_the_future_is_refused),
	KUNIT_CASE(an_absurd_host_time_harms_nobody),
	KUNIT_CASE(half_a_sample_is_refused),
	KUNIT_CASE(a_message_that_wants_no_answer_gets_one_that_may_be_lost),
	KUNIT_CASE(a_device_that_comes_back_has_no_sample),
	KUNIT_CASE(a_channel_that_is_opened_again_has_no_sample),
	{}
};

static struct kunit_suite suite = {
	.name = "sample_timesync",
	.init = init,
	.exit = exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
