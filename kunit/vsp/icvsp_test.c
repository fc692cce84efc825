// SPDX-License-Identifier: GPL-2.0
/*
 * The VSPs of the integration services, against a client that a case plays: it
 * answers where the message lies, as hv_util.c does.
 */
#include <linux/slab.h>
#include "../helper.h"
#include "../../samples/icvsp/protocol.h"
#include "client.h"

static const GUID heartbeat = {
	0x57164f39, 0x9115, 0x4e78, { 0xab, 0x55, 0x38, 0x2f, 0x3b, 0xd5, 0x42, 0x2d }
};

static const GUID timesync = {
	0x9527e630, 0xd0ae, 0x497b, { 0xad, 0xce, 0xe8, 0x0a, 0xb0, 0x17, 0x5c, 0xaf }
};

static const GUID shutdown = {
	0x0e0b6031, 0x5213, 0x4934, { 0x81, 0x8b, 0x38, 0xd9, 0x0c, 0xed, 0x39, 0xdb }
};

#define NEGOTIATE	0
#define TRANSACTION	1
#define REQUEST		2
#define RESPONSE	4
#define FAIL		0x80004005

struct ic_msg {
	__le16 framework[2];
	__le16 type;
	__le16 message[2];
	__le16 size;
	__le32 status;
	u8 id;
	u8 flags;
	u8 reserved[2];
	union {
		struct {
			__le16 frameworks;
			__le16 messages;
			__le32 reserved1;
			__le16 version[16][2];
		};
		u8 body[2060];
		__le32 words[515];
	};
} __packed;

#define HEAD	offsetof(struct ic_msg, body)

/* One server at a time, and what its client has been sent last. */
struct iv {
	struct kunit *test;
	PHBS_DEVICE hb;
	PTSS_DEVICE ts;
	PSDS_DEVICE sd;
	struct client *c;
	struct ic_msg msg;
	int len;
};

static u64 reference_time;

BOOLEAN TssReferenceTime(PVOID System, PULONG64 Time)
{
	*Time = reference_time;
	return reference_time != 0;
}

static int init(struct kunit *test)
{
	struct iv *iv = kunit_kzalloc(test, sizeof(*iv), GFP_KERNEL);

	if (!iv)
		return -ENOMEM;
	test->priv = iv;
	iv->test = test;
	reference_time = 12345;
	return 0;
}

static void exit(struct kunit *test)
{
	struct iv *iv = test->priv;

	clients_drop();
	if (iv->hb)
		HbsDestroy(iv->hb);
	if (iv->ts)
		TssDestroy(iv->ts);
	if (iv->sd)
		SdsDestroy(iv->sd);
	kmcl_nt_flush();
}

/* The next message: a question, of this type. */
static void await(struct iv *iv, u16 type)
{
	iv->len = client_await(iv->c, &iv->msg, sizeof(iv->msg));
	KUNIT_ASSERT_GE(iv->test, iv->len, (int)HEAD);
	KUNIT_EXPECT_EQ(iv->test, le16_to_cpu(iv->msg.type), type);
	KUNIT_EXPECT_EQ(iv->test, iv->msg.flags, TRANSACTION | REQUEST);
	KUNIT_EXPECT_EQ(iv->test, (int)le16_to_cpu(iv->msg.size), iv->len - (int)HEAD);
}

static void respond(struct iv *iv, u32 status)
{
	iv->msg.status = cpu_to_le32(status);
	iv->msg.flags = TRANSACTION | RESPONSE;
	client_tell(iv->c, &iv->msg, iv->len);
}

static void offer_and_open(struct iv *iv, const GUID *type)
{
	struct kunit *test = iv->test;

	if (type == &heartbeat)
		KUNIT_ASSERT_EQ(test, HbsCreate(NULL, NULL, &iv->hb), STATUS_SUCCESS);
	else if (type == &timesync)
		KUNIT_ASSERT_EQ(test, TssCreate(NULL, NULL, NULL, &iv->ts), STATUS_SUCCESS);
	else
		KUNIT_ASSERT_EQ(test, SdsCreate(NULL, NULL, &iv->sd), STATUS_SUCCESS);
	iv->c = client_new(test, type, NULL, VMBUS_CHANNEL_INIT_FLAG_IS_PIPE);
	client_open(iv->c);
	await(iv, NEGOTIATE);
}

static void choose(struct iv *iv, u16 framework, u16 major, u16 minor)
{
	iv->msg.frameworks = cpu_to_le16(1);
	iv->msg.messages = cpu_to_le16(1);
	iv->msg.version[0][0] = cpu_to_le16(framework);
	iv->msg.version[0][1] = 0;
	iv->msg.version[1][0] = cpu_to_le16(major);
	iv->msg.version[1][1] = cpu_to_le16(minor);
	respond(iv, 0);
}

static HBS_COUNTERS beats(struct iv *iv)
{
	HBS_COUNTERS c;

	HbsQueryCounters(iv->hb, &c);
	return c;
}

/* ---- the framework ---- */

static void the_server_offers_its_versions_first(struct kunit *test)
{
	struct iv *iv = test->priv;
	int i;

	offer_and_open(iv, &shutdown);
	KUNIT_EXPECT_EQ(test, le16_to_cpu(iv->msg.frameworks), 2);
	KUNIT_EXPECT_EQ(test, le16_to_cpu(iv->msg.messages), 4);
	KUNIT_EXPECT_EQ(test, iv->len, (int)HEAD + 8 + 6 * 4);
	/* each list in ascending order: a client looks for the last that it knows */
	for (i = 1; i < 6; i++)
		if (i != 2)
			KUNIT_EXPECT_GT(test, le16_to_cpu(iv->msg.version[i][0]) << 16 |
					      le16_to_cpu(iv->msg.version[i][1]),
					le16_to_cpu(iv->msg.version[i - 1][0]) << 16 |
					le16_to_cpu(iv->msg.version[i - 1][1]));
	KUNIT_EXPECT_EQ(test, SdsRequest(iv->sd, SdsPowerOff, FALSE),
			STATUS_INVALID_DEVICE_STATE);
	choose(iv, 3, 3, 2);
	KUNIT_EXPECT_TRUE(test, becomes(NT_SUCCESS(SdsRequest(iv->sd, SdsPowerOff, FALSE))));
	await(iv, 3);
	KUNIT_EXPECT_EQ(test, le16_to_cpu(iv->msg.framework[0]), 3);
	KUNIT_EXPECT_EQ(test, le16_to_cpu(iv->msg.message[0]), 3);
	KUNIT_EXPECT_EQ(test, le16_to_cpu(iv->msg.message[1]), 2);
}

static void a_client_that_knows_no_version_is_left_alone(struct kunit *test)
{
	struct iv *iv = test->priv;

	offer_and_open(iv, &heartbeat);
	iv->msg.frameworks = 0;
	iv->msg.messages = 0;
	respond(iv, 0);
	KUNIT_EXPECT_TRUE(test, becomes(beats(iv).Ics.Answered == 1));
	schedule_timeout_uninterruptible(5 * HZ);
	KUNIT_EXPECT_EQ(test, client_take(iv->c, &iv->msg, sizeof(iv->msg)), -1);
	KUNIT_EXPECT_EQ(test, beats(iv).Ics.Message.Major, 0);
	KUNIT_EXPECT_EQ(test, beats(iv).Ics.BadMessages, 0);
}

static void versions_that_were_not_offered_are_not_agreed_on(struct kunit *test)
{
	static const u16 wrong[][3] = { { 3, 2, 0 }, { 3, 3, 1 }, { 2, 3, 0 }, { 0, 0, 0 } };
	struct iv *iv = test->priv;
	int i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		if (!iv->hb) {
			offer_and_open(iv, &heartbeat);
		} else {
			client_close(iv->c);
			client_open(iv->c);
			await(iv, NEGOTIATE);
		}
		choose(iv, wrong[i][0], wrong[i][1], wrong[i][2]);
		KUNIT_EXPECT_TRUE(test, becomes(beats(iv).Ics.BadMessages == i + 1));
		KUNIT_EXPECT_EQ(test, beats(iv).Ics.Message.Major, 0);
	}
}

static void an_answer_that_nobody_waits_for_is_dropped(struct kunit *test)
{
	struct iv *iv = test->priv;
	u8 id;

	offer_and_open(iv, &heartbeat);
	id = iv->msg.id;
	/* in another's name; of another type; a question; then the right one, twice */
	iv->msg.id = id + 1;
	respond(iv, 0);
	iv->msg.id = id;
	iv->msg.type = cpu_to_le16(1);
	respond(iv, 0);
	iv->msg.type = cpu_to_le16(NEGOTIATE);
	iv->msg.flags = TRANSACTION | REQUEST;
	client_tell(iv->c, &iv->msg, iv->len);
	KUNIT_EXPECT_TRUE(test, becomes(beats(iv).Ics.BadMessages == 3));
	KUNIT_EXPECT_EQ(test, beats(iv).Ics.Answered, 0);
	choose(iv, 3, 3, 0);
	choose(iv, 1, 1, 0);
	KUNIT_EXPECT_TRUE(test, becomes(beats(iv).Ics.BadMessages == 4));
	KUNIT_EXPECT_EQ(test, beats(iv).Ics.Message.Major, 3);
	KUNIT_EXPECT_EQ(test, beats(iv).Ics.Framework.Major, 3);
}

static void half_a_message_is_dropped(struct kunit *test)
{
	struct iv *iv = test->priv;
	u64 bad = 0;
	int len;

	offer_and_open(iv, &heartbeat);
	iv->msg.flags = TRANSACTION | RESPONSE;
	for (len = 0; len < (int)HEAD; len++, bad++)
		client_tell(iv->c, &iv->msg, len);
	KUNIT_EXPECT_TRUE(test, becomes(beats(iv).Ics.BadMessages == bad));
	/* that one was the answer, but says nothing */
	client_tell(iv->c, &iv->msg, HEAD + 4);
	KUNIT_EXPECT_TRUE(test, becomes(beats(iv).Ics.BadMessages == bad + 1));
	KUNIT_EXPECT_EQ(test, beats(iv).Ics.Message.Major, 0);
}

static void a_client_that_comes_back_is_asked_anew(struct kunit *test)
{
	struct iv *iv = test->priv;
	int i;

	offer_and_open(iv, &heartbeat);
	for (i = 0; i < 3; i++) {
		choose(iv, 3, 3, 0);
		await(iv, 1);
		client_close(iv->c);
		KUNIT_EXPECT_TRUE(test, becomes(!beats(iv).Ics.Message.Major));
		client_open(iv->c);
		/* what was sent before and not read has gone with the ring */
		await(iv, NEGOTIATE);
	}
}

/* ---- services ---- */

static u64 sequence(struct iv *iv)
{
	return (u64)le32_to_cpu(iv->msg.words[1]) << 32 | le32_to_cpu(iv->msg.words[0]);
}

static void set_sequence(struct iv *iv, u64 n)
{
	iv->msg.words[0] = cpu_to_le32(n);
	iv->msg.words[1] = cpu_to_le32(n >> 32);
}

static void the_heart_beats_every_two_seconds(struct kunit *test)
{
	struct iv *iv = test->priv;
	unsigned long start;
	u64 last = 0;
	int i;

	offer_and_open(iv, &heartbeat);
	choose(iv, 3, 3, 0);
	start = jiffies;
	for (i = 1; i <= 4; i++) {
		await(iv, 1);
		if (i > 1)
			KUNIT_EXPECT_EQ(test, sequence(iv), last + 1);
		last = sequence(iv);
		set_sequence(iv, last + 1);
		iv->msg.words[2] = cpu_to_le32(i & 3);
		respond(iv, 0);
		KUNIT_EXPECT_TRUE(test, becomes(beats(iv).Beats == i));
		KUNIT_EXPECT_EQ(test, beats(iv).State, i & 3u);
	}
	KUNIT_EXPECT_GE(test, jiffies - start, 6UL * HZ);
	KUNIT_EXPECT_LT(test, jiffies - start, 7UL * HZ);
	KUNIT_EXPECT_EQ(test, beats(iv).Ics.BadMessages, 0);
}

static void a_beat_that_is_answered_wrongly_does_not_count(struct kunit *test)
{
	struct iv *iv = test->priv;

	offer_and_open(iv, &heartbeat);
	choose(iv, 1, 1, 0);
	await(iv, 1);
	respond(iv, 0);
	await(iv, 1);
	set_sequence(iv, sequence(iv) + 1);
	respond(iv, FAIL);
	await(iv, 1);
	/* one that is not answered at all is missed; the next counts, without a state */
	await(iv, 1);
	set_sequence(iv, sequence(iv) + 1);
	iv->msg.words[2] = cpu_to_le32(2);
	respond(iv, 0);
	KUNIT_EXPECT_TRUE(test, becomes(beats(iv).Beats == 1));
	KUNIT_EXPECT_EQ(test, beats(iv).State, 0u);
	KUNIT_EXPECT_EQ(test, beats(iv).Ics.BadMessages, 2);
	KUNIT_EXPECT_EQ(test, beats(iv).Ics.Sent, 5);
	KUNIT_EXPECT_EQ(test, beats(iv).Ics.Answered, 4);
}

static s64 seconds_from_now(struct iv *iv)
{
	LARGE_INTEGER now;

	KeQuerySystemTime(&now);
	return div_s64((s64)sequence(iv) - now.QuadPart, 10000000);
}

static void time_is_set_once_and_then_told(struct kunit *test)
{
	struct iv *iv = test->priv;

	offer_and_open(iv, &timesync);
	KUNIT_EXPECT_EQ(test, le16_to_cpu(iv->msg.messages), 3);
	choose(iv, 3, 4, 0);
	await(iv, 4);
	/* as hv_util.c wants it */
	KUNIT_EXPECT_GE(test, iv->len, (int)HEAD + 24);
	KUNIT_EXPECT_EQ(test, seconds_from_now(iv), 0);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(iv->msg.words[2]), 12345u);
	KUNIT_EXPECT_EQ(test, iv->msg.body[16], 1);
	respond(iv, 0);
	/* client_await() would give up just then */
	schedule_timeout_uninterruptible(4 * HZ);
	await(iv, 4);
	KUNIT_EXPECT_EQ(test, iv->msg.body[16], 2);
	KUNIT_EXPECT_EQ(test, TssSync(iv->ts), STATUS_SUCCESS);
	await(iv, 4);
	KUNIT_EXPECT_EQ(test, iv->msg.body[16], 1);
}

static void without_a_common_reference_time_is_told_without(struct kunit *test)
{
	struct iv *iv = test->priv;
	ICS_COUNTERS c;

	reference_time = 0;
	offer_and_open(iv, &timesync);
	KUNIT_EXPECT_EQ(test, le16_to_cpu(iv->msg.messages), 2);
	choose(iv, 3, 3, 0);
	await(iv, 4);
	KUNIT_EXPECT_GE(test, iv->len, (int)HEAD + 25);
	KUNIT_EXPECT_EQ(test, seconds_from_now(iv), 0);
	KUNIT_EXPECT_EQ(test, iv->msg.body[24], 1);
	respond(iv, FAIL);
	KUNIT_EXPECT_TRUE(test, becomes((TssQueryCounters(iv->ts, &c), c.BadMessages == 1)));
}

static void what_a_client_says_to_a_shutdown_is_noted(struct kunit *test)
{
	struct iv *iv = test->priv;
	static const u32 flags[] = { 0, 2, 4 };
	int kind, force;
	u32 status;

	offer_and_open(iv, &shutdown);
	KUNIT_EXPECT_EQ(test, SdsQueryAnswer(iv->sd), SdsNone);
	choose(iv, 3, 3, 2);
	for (kind = SdsPowerOff; kind <= SdsHibernate; kind++) {
		for (force = 0; force < 2; force++) {
			KUNIT_EXPECT_TRUE(test, becomes(NT_SUCCESS(SdsRequest(iv->sd, kind,
									      force))));
			KUNIT_EXPECT_EQ(test, SdsQueryAnswer(iv->sd), SdsAsked);
			await(iv, 3);
			KUNIT_EXPECT_EQ(test, iv->len, (int)HEAD + 2060);
			KUNIT_EXPECT_EQ(test, le32_to_cpu(iv->msg.words[2]), flags[kind] | force);
			status = kind == SdsHibernate ? FAIL : 0;
			respond(iv, status);
			KUNIT_EXPECT_TRUE(test, becomes(SdsQueryAnswer(iv->sd) ==
							(status ? SdsDeclined : SdsAgreed)));
		}
	}
}

static void a_shutdown_that_is_not_answered_ends_with_the_client(struct kunit *test)
{
	struct iv *iv = test->priv;

	offer_and_open(iv, &shutdown);
	choose(iv, 3, 3, 0);
	KUNIT_EXPECT_TRUE(test, becomes(NT_SUCCESS(SdsRequest(iv->sd, SdsRestart, FALSE))));
	await(iv, 3);
	client_close(iv->c);
	KUNIT_EXPECT_TRUE(test, becomes(SdsQueryAnswer(iv->sd) == SdsNone));
	KUNIT_EXPECT_EQ(test, SdsRequest(iv->sd, SdsRestart, FALSE), STATUS_INVALID_DEVICE_STATE);
	KUNIT_EXPECT_EQ(test, SdsQueryAnswer(iv->sd), SdsNone);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(the_server_offers_its_versions_first),
	KUNIT_CASE(a_client_that_knows_no_version_is_left_alone),
	KUNIT_CASE(versions_that_were_not_offered_are_not_agreed_on),
	KUNIT_CASE(an_answer_that_nobody_waits_for_is_dropped),
	KUNIT_CASE(half_a_message_is_dropped),
	KUNIT_CASE(a_client_that_comes_back_is_asked_anew),
	KUNIT_CASE(the_heart_beats_every_two_seconds),
	KUNIT_CASE(a_beat_that_is_answered_wrongly_does_not_count),
	KUNIT_CASE(time_is_set_once_and_then_told),
	KUNIT_CASE(without_a_common_reference_time_is_told_without),
	KUNIT_CASE(what_a_client_says_to_a_shutdown_is_noted),
	KUNIT_CASE(a_shutdown_that_is_not_answered_ends_with_the_client),
	{}
};

static struct kunit_suite suite = {
	.name = "vsp_icvsp",
	.init = init,
	.exit = exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
