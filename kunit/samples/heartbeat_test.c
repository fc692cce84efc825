// SPDX-License-Identifier: GPL-2.0
/*
 * The heartbeat, and with it everything that integration services have in common.
 */
#include <linux/module.h>
#include "port.h"
#include "ic_host.h"
#include "../../samples/heartbeat/protocol.h"

PIC_DEVICE hb_ic(PHB_DEVICE device);

/* As hosts send it: 40 bytes. */
struct beat {
	u64 sequence;
	u32 state;
	u32 reserved[7];
} __packed;

#define SHORT_BEAT	sizeof(u64)

static int create(struct port *port, PDEVICE_OBJECT parent)
{
	PHB_DEVICE device;
	NTSTATUS status = HbCreate(parent, &device);

	if (!NT_SUCCESS(status))
		return -EIO;
	port->priv = device;
	return 0;
}

static void destroy(struct port *port)
{
	HbDestroy(port->priv);
	port->priv = NULL;
}

static const struct port heartbeat = {
	.type = GUID_INIT(0x57164f39, 0x9115, 0x4e78,
			  0xab, 0x55, 0x38, 0x2f, 0x3b, 0xd5, 0x42, 0x2d),
	.pipe = true,
	.create = create,
	.destroy = destroy,
};

static int init(struct kunit *test)
{
	port_begin(test, &heartbeat);
	return 0;
}

static void exit(struct kunit *test)
{
	port_end(test->priv);
}

static HB_COUNTERS counters(struct port *port)
{
	HB_COUNTERS c;

	HbQueryCounters(port->priv, &c);
	return c;
}

/* One heartbeat that must come back with the next number. */
static void expect_beat(struct port *port, u64 sequence)
{
	struct beat beat = { .sequence = sequence };
	struct beat *answer = (struct beat *)ic_answer.body;

	KUNIT_EXPECT_EQ(port->test, ic_exchange(port, IC_TYPE_HEARTBEAT, &beat, sizeof(beat)),
			IC_OK);
	KUNIT_EXPECT_EQ(port->test, answer->sequence, sequence + 1);
}

/* ---- versions ---- */

struct version_case {
	const char *name;
	struct ic_versions offer;
	IC_VERSION framework;		/* agreed; 0.0: none */
	IC_VERSION message;
};

static const struct version_case version_cases[] = {
	{
		.name = "a 2008 host",
		.offer = { { { 1, 0 } }, { { 1, 0 } }, 1, 1 },
		.framework = { 1, 0 }, .message = { 1, 0 },
	}, {
		.name = "a host of today, oldest first",
		.offer = { { { 1, 0 }, { 3, 0 } }, { { 1, 0 }, { 3, 0 } }, 2, 2 },
		.framework = { 3, 0 }, .message = { 3, 0 },
	}, {
		.name = "newest first",
		.offer = { { { 3, 0 }, { 1, 0 } }, { { 3, 0 }, { 1, 0 } }, 2, 2 },
		.framework = { 3, 0 }, .message = { 3, 0 },
	}, {
		.name = "newer than ours beside ours",
		.offer = { { { 9, 9 }, { 3, 0 } }, { { 4, 1 }, { 3, 1 }, { 1, 0 } }, 2, 3 },
		.framework = { 3, 0 }, .message = { 1, 0 },
	}, {
		.name = "eight of each",
		.offer = {
			{ { 5, 0 }, { 5, 1 }, { 5, 2 }, { 5, 3 }, { 5, 4 }, { 5, 5 }, { 5, 6 },
			  { 1, 0 } },
			{ { 6, 0 }, { 6, 1 }, { 6, 2 }, { 6, 3 }, { 6, 4 }, { 6, 5 }, { 6, 6 },
			  { 3, 0 } }, 8, 8
		},
		.framework = { 1, 0 }, .message = { 3, 0 },
	}, {
		.name = "a framework that nobody knows",
		.offer = { { { 2, 0 } }, { { 3, 0 } }, 1, 1 },
	}, {
		.name = "messages that nobody knows",
		.offer = { { { 3, 0 } }, { { 2, 0 }, { 3, 7 } }, 1, 2 },
	}, {
		.name = "no framework",
		.offer = { { }, { { 3, 0 } }, 0, 1 },
	}, {
		.name = "no messages",
		.offer = { { { 3, 0 } }, { }, 1, 0 },
	}, {
		.name = "nothing at all",
	}, {
		.name = "a framework's version in the wrong list",
		.offer = { { { 4, 0 } }, { { 3, 0 }, { 3, 0 } }, 1, 2 },
	},
};

static void describe_versions(const struct version_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(versions, version_cases, describe_versions);

static void versions_are_the_newest_in_common(struct kunit *test)
{
	const struct version_case *c = test->param_value;
	struct port *port = test->priv;
	HB_COUNTERS now;

	ic_negotiate(port, &c->offer);
	if (c->framework.Major)
		ic_expect_agreed(port, c->framework, c->message);
	else
		ic_expect_refused(port);
	now = counters(port);
	KUNIT_EXPECT_MEMEQ(test, &now.Ic.Framework, &c->framework, sizeof(c->framework));
	KUNIT_EXPECT_MEMEQ(test, &now.Ic.Message, &c->message, sizeof(c->message));
	KUNIT_EXPECT_EQ(test, now.Ic.BadMessages, c->framework.Major ? 0 : 1);
}

static void a_second_negotiation_replaces_the_first(struct kunit *test)
{
	const struct ic_versions none = { { { 2, 0 } }, { { 2, 0 } }, 1, 1 };
	struct port *port = test->priv;
	struct beat beat = { };

	ic_agree(port, 3, 0);
	ic_agree(port, 1, 0);
	KUNIT_EXPECT_EQ(test, counters(port).Ic.Message.Major, 1);
	expect_beat(port, 7);
	ic_negotiate(port, &none);
	ic_expect_refused(port);
	KUNIT_EXPECT_EQ(test, ic_exchange(port, IC_TYPE_HEARTBEAT, &beat, sizeof(beat)), IC_FAIL);
	ic_agree(port, 3, 0);
	expect_beat(port, 8);
}

static void a_beat_before_versions_is_refused(struct kunit *test)
{
	struct port *port = test->priv;
	struct beat beat = { .sequence = 5 };

	KUNIT_EXPECT_EQ(test, ic_exchange(port, IC_TYPE_HEARTBEAT, &beat, sizeof(beat)), IC_FAIL);
	KUNIT_EXPECT_MEMEQ(test, ic_answer.body, &beat, sizeof(beat));
	KUNIT_EXPECT_EQ(test, counters(port).Beats, 0);
	KUNIT_EXPECT_EQ(test, counters(port).Ic.BadMessages, 1);
}

/* ---- beats ---- */

static void a_beat_is_answered_with_the_next_number(struct kunit *test)
{
	struct port *port = test->priv;

	ic_agree(port, 3, 0);
	expect_beat(port, 1);
	expect_beat(port, 2);
	/* the host's number is the host's business */
	expect_beat(port, 0x123456789abcdef0);
	KUNIT_EXPECT_EQ(test, counters(port).Sequence, 0x123456789abcdef0);
	expect_beat(port, U64_MAX);
	KUNIT_EXPECT_EQ(test, counters(port).Beats, 4);
	KUNIT_EXPECT_NE(test, counters(port).LastBeat, 0);
	KUNIT_EXPECT_EQ(test, counters(port).Ic.BadMessages, 0);
}

static void a_beat_brings_the_state_of_applications(struct kunit *test)
{
	struct beat beat = { .state = 77, .reserved = { 1, 2, 3 } };
	struct beat *answer = (struct beat *)ic_answer.body;
	struct port *port = test->priv;
	HB_STATE state;

	ic_agree(port, 3, 0);
	for (state = HbUnknown; state <= HbStopped; state++) {
		HbSetState(port->priv, state);
		ic_exchange(port, IC_TYPE_HEARTBEAT, &beat, sizeof(beat));
		KUNIT_EXPECT_EQ(test, answer->state, state);
		KUNIT_EXPECT_EQ(test, answer->sequence, 1);
		/* what we do not know goes back as it came */
		KUNIT_EXPECT_MEMEQ(test, answer->reserved, beat.reserved, sizeof(beat.reserved));
	}
	/* version 1 does not have it */
	ic_agree(port, 1, 0);
	ic_exchange(port, IC_TYPE_HEARTBEAT, &beat, sizeof(beat));
	KUNIT_EXPECT_EQ(test, answer->state, 77);
}

static void a_beat_without_room_for_the_state_is_served(struct kunit *test)
{
	struct port *port = test->priv;
	u64 sequence = 41;

	ic_agree(port, 3, 0);
	HbSetState(port->priv, HbCritical);
	KUNIT_EXPECT_EQ(test, ic_exchange(port, IC_TYPE_HEARTBEAT, &sequence, SHORT_BEAT), IC_OK);
	KUNIT_EXPECT_EQ(test, *(u64 *)ic_answer.body, 42);
}

static void many_beats_are_answered_in_order(struct kunit *test)
{
	struct beat *answer = (struct beat *)ic_answer.body;
	struct port *port = test->priv;
	struct beat beat = { };
	unsigned int i, wrong = 0;

	ic_agree(port, 3, 0);
	for (i = 0; i < 500; i++) {
		beat.sequence = i;
		ic_send(port, IC_TYPE_HEARTBEAT, &beat, sizeof(beat));
	}
	KUNIT_EXPECT_EQ(test, port_answers(port), 500u);
	for (i = 0; port_answer(port, &ic_answer, sizeof(ic_answer)); i++)
		wrong += answer->sequence != i + 1;
	KUNIT_EXPECT_EQ(test, wrong, 0u);
	KUNIT_EXPECT_EQ(test, counters(port).Beats, 500);
}

/* ---- a host that does not behave ---- */

static void a_host_that_reads_no_answers_costs_a_bounded_number(struct kunit *test)
{
	struct port *port = test->priv;
	struct beat beat = { };
	unsigned int i, fit;
	struct kmsg k;

	ic_agree(port, 3, 0);
	hvsim_stall(port->host);
	kmsg_mark(&k);
	/* 16 KiB of ring hold some 150 answers, 64 more wait */
	for (i = 0; i < 300; i++)
		ic_send(port, IC_TYPE_HEARTBEAT, &beat, sizeof(beat));
	KUNIT_EXPECT_EQ(test, counters(port).Beats, 300);
	KUNIT_EXPECT_GT(test, counters(port).Ic.Unanswered, 20);
	kmsg_expect(test, &k, 1, "a message stays unanswered; 1 so far");
	kmsg_expect(test, &k, 1, "a message stays unanswered; 16 so far");
	kmsg_expect(test, &k, 0, "a message stays unanswered; 15 so far");
	fit = 300 - counters(port).Ic.Unanswered;
	hvsim_resume(port->host);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, port_answers(port), fit);
	/* and then it goes on as before */
	hvsim_clear_record(port->host);
	expect_beat(port, 9);
}

/* Sends these bytes and expects no answer, and that they were counted. */
static void expect_ignored(struct port *port, const void *message, u32 len)
{
	u64 before = counters(port).Ic.BadMessages;

	port_send(port, message, len);
	/* for one that is too long the guest makes room first */
	if (len > IC_MAXIMUM_MESSAGE)
		hvsim_settle();
	KUNIT_EXPECT_EQ_MSG(port->test, port_answers(port), 0u, "length %u", len);
	KUNIT_EXPECT_EQ_MSG(port->test, counters(port).Ic.BadMessages, before + 1,
			    "length %u", len);
}

static void what_is_no_message_is_ignored(struct kunit *test)
{
	struct port *port = test->priv;
	u8 *junk = kunit_kzalloc(test, 8192, GFP_KERNEL);
	IC_HEADER *header = (IC_HEADER *)junk;
	u32 len;

	KUNIT_ASSERT_NOT_NULL(test, junk);
	ic_agree(port, 3, 0);
	for (len = 0; len < sizeof(IC_HEADER); len++)
		expect_ignored(port, junk, len);
	expect_ignored(port, junk, IC_MAXIMUM_MESSAGE + 1);
	expect_ignored(port, junk, 8192);
	header->Type = IC_TYPE_HEARTBEAT;
	header->Flags = IC_TRANSACTION | IC_RESPONSE;
	expect_ignored(port, junk, sizeof(IC_HEADER) + SHORT_BEAT);
	expect_beat(port, 1);
}

static void what_is_half_a_message_is_refused(struct kunit *test)
{
	struct port *port = test->priv;
	u32 len;

	ic_agree(port, 3, 0);
	for (len = 0; len < SHORT_BEAT; len++)
		KUNIT_EXPECT_EQ(test, ic_exchange(port, IC_TYPE_HEARTBEAT, "1234567", len),
				IC_FAIL);
	KUNIT_EXPECT_EQ(test, counters(port).Ic.BadMessages, SHORT_BEAT);
	KUNIT_EXPECT_EQ(test, counters(port).Beats, 0);
	for (len = 0; len < sizeof(IC_NEGOTIATE); len++)
		KUNIT_EXPECT_EQ(test, ic_exchange(port, IC_TYPE_NEGOTIATE, "1234567", len),
				IC_FAIL);
	expect_beat(port, 1);
}

static void what_is_of_another_type_is_refused(struct kunit *test)
{
	struct port *port = test->priv;
	u8 body[64] = { };
	u16 type;
	struct kmsg k;

	ic_agree(port, 3, 0);
	kmsg_mark(&k);
	for (type = 2; type < 10; type++)
		KUNIT_EXPECT_EQ(test, ic_exchange(port, type, body, sizeof(body)), IC_FAIL);
	KUNIT_EXPECT_EQ(test, ic_exchange(port, 0xffff, body, sizeof(body)), IC_FAIL);
	KUNIT_EXPECT_EQ(test, counters(port).Ic.BadMessages, 9);
	/* the first, second, fourth and eighth */
	kmsg_expect(test, &k, 4, "bad message: unknown type");
	expect_beat(port, 1);
}

static void counts_beyond_the_message_are_refused(struct kunit *test)
{
	static const u16 counts[][2] = {
		{ 2, 1 }, { 1, 2 }, { 0, 3 }, { 3, 0 }, { 0xffff, 1 }, { 1, 0xffff },
		{ 0xffff, 0xffff },
	};
	struct {
		IC_NEGOTIATE negotiate;
		IC_VERSION versions[2];
	} body = { .versions = { { 3, 0 }, { 3, 0 } } };
	struct port *port = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		body.negotiate.FrameworkCount = counts[i][0];
		body.negotiate.MessageCount = counts[i][1];
		KUNIT_EXPECT_EQ(test, ic_exchange(port, IC_TYPE_NEGOTIATE, &body, sizeof(body)),
				IC_FAIL);
		ic_expect_refused(port);
		KUNIT_EXPECT_EQ(test, counters(port).Ic.Message.Major, 0);
	}
}

/* ---- life ---- */

static void a_pause_keeps_the_versions_and_beats_wait_for_its_end(struct kunit *test)
{
	struct beat *answer = (struct beat *)ic_answer.body;
	struct port *port = test->priv;
	struct beat beat = { .sequence = 70 };
	VMBCHANNEL ch = ic_channel(hb_ic(port->priv));

	ic_agree(port, 3, 0);
	VmbChannelPause(ch);
	ic_send(port, IC_TYPE_HEARTBEAT, &beat, sizeof(beat));
	KUNIT_EXPECT_EQ(test, port_answers(port), 0u);
	VmbChannelStart(ch);
	hvsim_settle();
	KUNIT_EXPECT_GT(test, port_answer(port, &ic_answer, sizeof(ic_answer)), 0u);
	KUNIT_EXPECT_EQ(test, answer->sequence, 71);
	expect_beat(port, 2);
}

static void a_device_that_comes_back_negotiates_anew(struct kunit *test)
{
	struct port *port = test->priv;
	struct beat beat = { };

	ic_agree(port, 3, 0);
	expect_beat(port, 1);
	port_rescind(port);
	port_offer(port);
	port_up(port);
	KUNIT_EXPECT_EQ(test, ic_exchange(port, IC_TYPE_HEARTBEAT, &beat, sizeof(beat)), IC_FAIL);
	ic_agree(port, 3, 0);
	expect_beat(port, 2);
}

static void a_channel_that_is_opened_again_negotiates_anew(struct kunit *test)
{
	struct port *port = test->priv;
	VMBCHANNEL ch = ic_channel(hb_ic(port->priv));
	struct beat beat = { };

	ic_agree(port, 3, 0);
	VmbChannelDisable(ch);
	KUNIT_EXPECT_EQ(test, counters(port).Ic.Message.Major, 0);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(ch), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, ic_exchange(port, IC_TYPE_HEARTBEAT, &beat, sizeof(beat)), IC_FAIL);
	ic_agree(port, 3, 0);
	expect_beat(port, 2);
}

static void answers_that_wait_do_not_outlive_the_channel(struct kunit *test)
{
	struct port *port = test->priv;
	struct beat beat = { };
	unsigned int i;

	ic_agree(port, 3, 0);
	hvsim_stall(port->host);
	for (i = 0; i < 300; i++)
		ic_send(port, IC_TYPE_HEARTBEAT, &beat, sizeof(beat));
	port_rescind(port);
	port_offer(port);
	port_up(port);
	ic_agree(port, 3, 0);
	expect_beat(port, 2);
}

#ifdef CONFIG_FAULT_INJECTION
static void without_memory_there_is_no_device(struct kunit *test)
{
	struct port *port = test->priv;
	unsigned int n = 0, failures = 0;
	PHB_DEVICE device;
	NTSTATUS status;
	bool met;

	/* the first, second, third ... allocation, as long as there is one */
	do {
		HbDestroy(port->priv);
		current->fail_nth = ++n;
		status = HbCreate(kmcl_device_object(port->dev), &device);
		met = !current->fail_nth;
		current->fail_nth = 0;
		if (!NT_SUCCESS(status)) {
			failures++;
			status = HbCreate(kmcl_device_object(port->dev), &device);
			KUNIT_ASSERT_EQ(test, status, STATUS_SUCCESS);
		}
		port->priv = device;
	} while (met && n < 200);
	KUNIT_EXPECT_GT(test, failures, 3u);
	ic_agree(port, 3, 0);
	expect_beat(port, 1);
}
#else
static void without_memory_there_is_no_device(struct kunit *test)
{
	kunit_skip(test, "this kernel cannot let allocations fail");
}
#endif

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(versions_are_the_newest_in_common, versions_gen_params),
	KUNIT_CASE(a_second_negotiation_replaces_the_first),
	KUNIT_CASE(a_beat_before_versions_is_refused),
	KUNIT_CASE(a_beat_is_answered_with_the_next_number),
	KUNIT_CASE(a_beat_brings_the_state_of_applications),
	KUNIT_CASE(a_beat_without_room_for_the_state_is_served),
	KUNIT_CASE(many_beats_are_answered_in_order),
	KUNIT_CASE(a_host_that_reads_no_answers_costs_a_bounded_number),
	KUNIT_CASE(what_is_no_message_is_ignored),
	KUNIT_CASE(what_is_half_a_message_is_refused),
	KUNIT_CASE(what_is_of_another_type_is_refused),
	KUNIT_CASE(counts_beyond_the_message_are_refused),
	KUNIT_CASE(a_pause_keeps_the_versions_and_beats_wait_for_its_end),
	KUNIT_CASE(a_device_that_comes_back_negotiates_anew),
	KUNIT_CASE(a_channel_that_is_opened_again_negotiates_anew),
	KUNIT_CASE(answers_that_wait_do_not_outlive_the_channel),
	KUNIT_CASE(without_memory_there_is_no_device),
	{}
};

static struct kunit_suite suite = {
	.name = "sample_heartbeat",
	.init = init,
	.exit = exit,
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_DESCRIPTION("KUnit suites for the samples");
MODULE_LICENSE("GPL");
