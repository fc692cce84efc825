// SPDX-License-Identifier: GPL-2.0
/*
 * The keyboard VSP.
 */
#include "../helper.h"
#include "../../samples/kbdvsp/protocol.h"
#include "client.h"

static const GUID type = {
	0xf912ad6d, 0x2b17, 0x48ea, { 0xbd, 0x65, 0xf9, 0x27, 0xa6, 0x1c, 0x76, 0x84 }
};

/* As in hyperv-keyboard.c. */
#define REQUEST		1
#define RESPONSE	2
#define EVENT		3
#define LED_INDICATORS	4
#define VERSION		0x00010000
#define ACCEPTED	1

#define BREAK		2
#define E0		4
#define E1		8

struct kv {
	PKBV_DEVICE server;
	struct client *c;
};

static int init(struct kunit *test)
{
	struct kv *kv = kunit_kzalloc(test, sizeof(*kv), GFP_KERNEL);

	if (!kv)
		return -ENOMEM;
	KUNIT_ASSERT_EQ(test, KbvCreate(NULL, NULL, &kv->server), STATUS_SUCCESS);
	test->priv = kv;
	/* whichever keyboard there is */
	kv->c = client_new(test, &type, NULL, 0);
	return 0;
}

static void exit(struct kunit *test)
{
	struct kv *kv = test->priv;

	clients_drop();
	if (kv)
		KbvDestroy(kv->server);
}

static KBV_COUNTERS counters(struct kv *kv)
{
	KBV_COUNTERS c;

	KbvQueryCounters(kv->server, &c);
	return c;
}

/* Return: the status in the response. */
static u32 request(struct kv *kv, u32 version)
{
	const u32 message[] = { REQUEST, version };
	u32 response[2] = { };
	u64 answer;

	/* the completion says nothing */
	KUNIT_EXPECT_EQ(kv->c->test, client_ask(kv->c, message, 8, NULL, &answer, 8), 0);
	KUNIT_EXPECT_EQ(kv->c->test, client_await(kv->c, response, 8), 8);
	KUNIT_EXPECT_EQ(kv->c->test, response[0], RESPONSE);
	return response[1];
}

static void connect(struct kv *kv)
{
	client_open(kv->c);
	KUNIT_ASSERT_EQ(kv->c->test, request(kv, VERSION), ACCEPTED);
	KUNIT_ASSERT_TRUE(kv->c->test, counters(kv).Connected);
}

static void expect_event(struct kv *kv, u16 code, u32 flags)
{
	struct {
		u32 type;
		u16 code;
		u16 reserved;
		u32 flags;
		u32 padding;
	} event = { };

	KUNIT_EXPECT_EQ(kv->c->test, client_await(kv->c, &event, sizeof(event)), 16);
	KUNIT_EXPECT_EQ(kv->c->test, event.type, EVENT);
	KUNIT_EXPECT_EQ(kv->c->test, event.code, code);
	KUNIT_EXPECT_EQ(kv->c->test, event.flags, flags);
}

static void keystrokes_come_in_order_with_prefix_and_direction(struct kunit *test)
{
	struct kv *kv = test->priv;
	int i;

	connect(kv);
	KUNIT_EXPECT_EQ(test, KbvKeystroke(kv->server, 0x1e, 0, TRUE), STATUS_SUCCESS);
	expect_event(kv, 0x1e, 0);
	KUNIT_EXPECT_EQ(test, KbvKeystroke(kv->server, 0x48, KBV_PREFIX_E0, FALSE),
			STATUS_SUCCESS);
	expect_event(kv, 0x48, E0 | BREAK);
	KUNIT_EXPECT_EQ(test, KbvKeystroke(kv->server, 0x1d, KBV_PREFIX_E1, TRUE),
			STATUS_SUCCESS);
	expect_event(kv, 0x1d, E1);
	for (i = 1; i < 0x80; i++)
		KUNIT_EXPECT_EQ(test, KbvKeystroke(kv->server, i, 0, i & 1), STATUS_SUCCESS);
	for (i = 1; i < 0x80; i++)
		expect_event(kv, i, i & 1 ? 0 : BREAK);
	KUNIT_EXPECT_EQ(test, counters(kv).Keystrokes, 3 + 0x7f);
	KUNIT_EXPECT_EQ(test, counters(kv).BadMessages, 0);
}

static void what_is_no_scan_code_is_not_sent(struct kunit *test)
{
	struct kv *kv = test->priv;

	connect(kv);
	KUNIT_EXPECT_EQ(test, KbvKeystroke(kv->server, 0, 0, TRUE), STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, KbvKeystroke(kv->server, 0x80, 0, TRUE), STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, KbvKeystroke(kv->server, 0x1e, 3, TRUE), STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, KbvKeystroke(kv->server, 0x1e, 0, TRUE), STATUS_SUCCESS);
	expect_event(kv, 0x1e, 0);
	KUNIT_EXPECT_EQ(test, counters(kv).Keystrokes, 1);
}

static void nothing_is_sent_to_who_has_not_agreed(struct kunit *test)
{
	struct kv *kv = test->priv;
	u32 message[4];

	KUNIT_EXPECT_EQ(test, KbvKeystroke(kv->server, 0x1e, 0, TRUE),
			STATUS_INVALID_DEVICE_STATE);
	client_open(kv->c);
	KUNIT_EXPECT_EQ(test, KbvKeystroke(kv->server, 0x1e, 0, TRUE),
			STATUS_INVALID_DEVICE_STATE);
	KUNIT_EXPECT_EQ(test, request(kv, 0x00020000), 0u);
	KUNIT_EXPECT_EQ(test, KbvKeystroke(kv->server, 0x1e, 0, TRUE),
			STATUS_INVALID_DEVICE_STATE);
	KUNIT_EXPECT_EQ(test, counters(kv).BadMessages, 1);
	/* another version will do, and a change of mind */
	KUNIT_EXPECT_EQ(test, request(kv, VERSION), ACCEPTED);
	KUNIT_EXPECT_EQ(test, KbvKeystroke(kv->server, 0x1e, 0, TRUE), STATUS_SUCCESS);
	expect_event(kv, 0x1e, 0);
	KUNIT_EXPECT_EQ(test, request(kv, 0), 0u);
	KUNIT_EXPECT_EQ(test, KbvKeystroke(kv->server, 0x1e, 0, TRUE),
			STATUS_INVALID_DEVICE_STATE);
	KUNIT_EXPECT_EQ(test, client_take(kv->c, message, sizeof(message)), -1);
}

static void a_client_that_goes_takes_its_agreement_along(struct kunit *test)
{
	struct kv *kv = test->priv;
	int i;

	for (i = 0; i < 3; i++) {
		connect(kv);
		client_close(kv->c);
		KUNIT_EXPECT_TRUE(test, becomes(!counters(kv).Connected));
		KUNIT_EXPECT_EQ(test, KbvKeystroke(kv->server, 0x1e, 0, TRUE),
				STATUS_INVALID_DEVICE_STATE);
	}
}

static void lights_are_noted(struct kunit *test)
{
	const u32 leds[] = { LED_INDICATORS, 0x0005 };
	struct kv *kv = test->priv;

	connect(kv);
	KUNIT_EXPECT_EQ(test, counters(kv).Leds, 0u);
	client_tell(kv->c, leds, 8);
	KUNIT_EXPECT_TRUE(test, becomes(counters(kv).Leds == 5));
	client_close(kv->c);
	connect(kv);
	KUNIT_EXPECT_EQ(test, counters(kv).Leds, 0u);
}

/* Each is answered by a completion, and changes nothing. */
static void what_a_client_must_not_send_is_ignored(struct kunit *test)
{
	u8 *junk = kunit_kzalloc(test, 4096, GFP_KERNEL);
	struct kv *kv = test->priv;
	u32 *word = (u32 *)junk;
	u64 answer, bad = 0;

	KUNIT_ASSERT_NOT_NULL(test, junk);
	connect(kv);
	KUNIT_EXPECT_EQ(test, client_ask(kv->c, junk, 0, NULL, &answer, 8), 0);
	bad++;
	for (*word = 0; *word < 20; ++*word) {
		if (*word == REQUEST || *word == LED_INDICATORS)
			continue;
		KUNIT_EXPECT_EQ(test, client_ask(kv->c, junk, 8, NULL, &answer, 8), 0);
		KUNIT_EXPECT_EQ(test, client_ask(kv->c, junk, 256, NULL, &answer, 8), 0);
		KUNIT_EXPECT_EQ(test, client_ask(kv->c, junk, 4096, NULL, &answer, 8), 0);
		bad += 3;
	}
	KUNIT_EXPECT_EQ(test, counters(kv).BadMessages, bad);
	KUNIT_EXPECT_EQ(test, KbvKeystroke(kv->server, 0x1e, 0, TRUE), STATUS_SUCCESS);
	expect_event(kv, 0x1e, 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(keystrokes_come_in_order_with_prefix_and_direction),
	KUNIT_CASE(what_is_no_scan_code_is_not_sent),
	KUNIT_CASE(nothing_is_sent_to_who_has_not_agreed),
	KUNIT_CASE(a_client_that_goes_takes_its_agreement_along),
	KUNIT_CASE(lights_are_noted),
	KUNIT_CASE(what_a_client_must_not_send_is_ignored),
	{}
};

static struct kunit_suite suite = {
	.name = "vsp_kbdvsp",
	.init = init,
	.exit = exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
