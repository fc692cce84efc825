// SPDX-License-Identifier: GPL-2.0
/*
 * The keyboard's protocol. Which key codes come of it: modules_test.c.
 */
#include <kmcl/status.h>
#include "port.h"
#include "../../samples/keyboard/protocol.h"

/* As in hyperv-keyboard.c. */
#define REQUEST		1
#define RESPONSE	2
#define EVENT		3
#define LED_INDICATORS	4
#define ACCEPTED	1

#define UNICODE		1
#define BREAK		2
#define E0		4
#define E1		8

/* The system under the protocol. */
static struct {
	u8 scan;
	u8 prefix;
	bool down;
} keys[16];
static unsigned int nr_keys;
static unsigned int releases;

VOID KbKeystroke(PVOID System, UINT8 ScanCode, ULONG Prefix, BOOLEAN Down)
{
	if (nr_keys < ARRAY_SIZE(keys)) {
		keys[nr_keys].scan = ScanCode;
		keys[nr_keys].prefix = Prefix;
		keys[nr_keys].down = Down;
	}
	nr_keys++;
}

VOID KbReleaseAll(PVOID System)
{
	releases++;
}

static int create(struct port *port, PDEVICE_OBJECT parent)
{
	PKB_DEVICE device;
	NTSTATUS status = KbCreate(parent, NULL, &device);

	if (NT_SUCCESS(status)) {
		port->priv = device;
		return 0;
	}
	return kmcl_status_to_errno(status);
}

static void destroy(struct port *port)
{
	KbDestroy(port->priv);
	port->priv = NULL;
}

static const struct port keyboard = {
	.type = GUID_INIT(0xf912ad6d, 0x2b17, 0x48ea,
			  0xbd, 0x65, 0xf9, 0x27, 0xa6, 0x1c, 0x76, 0x84),
	.create = create,
	.destroy = destroy,
};

static unsigned int questions;
static u32 verdict;

/* A host that sends the response and then completes the question. */
static enum hvsim_answer respond(struct hvsim_chan *chan, const struct vmpacket_descriptor *desc,
				 const void *payload, u32 len)
{
	const u32 *words = payload;
	const u32 response[] = { RESPONSE, verdict };

	if (len != 8 || words[0] != REQUEST || words[1] != 0x00010000 ||
	    !(desc->flags & VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED))
		return HVSIM_ANSWER_ECHO;
	questions++;
	hvsim_send(chan, VM_PKT_DATA_INBAND, 0, 0, response, sizeof(response));
	return HVSIM_ANSWER_ECHO;
}

/* One that completes it and sends nothing. */
static enum hvsim_answer complete_only(struct hvsim_chan *chan,
				       const struct vmpacket_descriptor *desc,
				       const void *payload, u32 len)
{
	questions++;
	return HVSIM_ANSWER_ECHO;
}

/* One that does nothing. */
static enum hvsim_answer ignore(struct hvsim_chan *chan, const struct vmpacket_descriptor *desc,
				const void *payload, u32 len)
{
	questions++;
	return HVSIM_ANSWER_NONE;
}

static int init(struct kunit *test)
{
	struct port *port = port_offer_only(test, &keyboard);

	port->host->script.on_packet = respond;
	port->host->script.record = false;
	nr_keys = 0;
	releases = 0;
	questions = 0;
	verdict = ACCEPTED;
	return 0;
}

static void exit(struct kunit *test)
{
	port_end(test->priv);
}

static void bring_up(struct port *port)
{
	port_register(port);
	port_up(port);
	KUNIT_EXPECT_EQ(port->test, questions, 1u);
}

static void respond_late(struct port *port, u32 status)
{
	const u32 response[] = { RESPONSE, status };

	port_send(port, response, sizeof(response));
}

static void key(struct port *port, u16 code, u32 flags)
{
	const struct {
		u32 type;
		u16 code;
		u16 reserved;
		u32 flags;
	} event = { EVENT, code, 0, flags };

	port_send(port, &event, sizeof(event));
}

static KB_COUNTERS counters(struct port *port)
{
	KB_COUNTERS c;

	KbQueryCounters(port->priv, &c);
	return c;
}

static void expect_key(struct kunit *test, u8 scan, u8 prefix, bool down)
{
	KUNIT_ASSERT_GT(test, nr_keys, 0u);
	KUNIT_EXPECT_EQ(test, keys[nr_keys - 1].scan, scan);
	KUNIT_EXPECT_EQ(test, keys[nr_keys - 1].prefix, prefix);
	KUNIT_EXPECT_EQ(test, keys[nr_keys - 1].down, down);
}

/* ---- handshake ---- */

static void a_response_before_the_completion_is_enough(struct kunit *test)
{
	struct port *port = test->priv;

	bring_up(port);
	KUNIT_EXPECT_EQ(test, counters(port).BadMessages, 0);
}

static void a_response_after_the_completion_is_enough(struct kunit *test)
{
	struct port *port = test->priv;

	port->host->script.on_packet = complete_only;
	port_register(port);
	KUNIT_EXPECT_TRUE(test, becomes(READ_ONCE(questions)));
	hvsim_settle();
	KUNIT_EXPECT_EQ_MSG(test, port->created, 1, "a completion is no response");
	respond_late(port, ACCEPTED);
	port_up(port);
	key(port, 0x1e, 0);
	KUNIT_EXPECT_EQ(test, nr_keys, 1u);
}

static void a_refused_version_is_no_keyboard(struct kunit *test)
{
	struct port *port = test->priv;
	struct kmsg k;

	verdict = 0xfffffffe;
	kmsg_mark(&k);
	port_register(port);
	KUNIT_EXPECT_TRUE(test, becomes(READ_ONCE(port->created) < 0));
	KUNIT_EXPECT_EQ(test, port->created, -EPROTO);
	KUNIT_EXPECT_TRUE(test, hvsim_wait_open(port->host, false));
	kmsg_expect(test, &k, 1, "the host refuses version 1.0 of the protocol");
}

static void a_silent_host_is_no_keyboard_after_ten_seconds(struct kunit *test)
{
	struct port *port = test->priv;
	unsigned long start = jiffies;
	struct kmsg k;

	port->host->script.on_packet = ignore;
	kmsg_mark(&k);
	port_register(port);
	KUNIT_EXPECT_TRUE(test, becomes(READ_ONCE(questions)));
	KUNIT_EXPECT_TRUE(test, becomes(READ_ONCE(port->created) < 0));
	KUNIT_EXPECT_EQ(test, port->created, -ECANCELED);
	KUNIT_EXPECT_GE(test, jiffies - start, 10UL * HZ);
	KUNIT_EXPECT_LT(test, jiffies - start, 15UL * HZ);
	kmsg_expect(test, &k, 1, "the host has not answered for 10 seconds");
	KUNIT_EXPECT_TRUE(test, hvsim_wait_open(port->host, false));
}

static void a_device_that_goes_ends_the_wait(struct kunit *test)
{
	struct port *port = test->priv;
	unsigned long start = jiffies;

	port->host->script.on_packet = complete_only;
	port_register(port);
	KUNIT_EXPECT_TRUE(test, becomes(READ_ONCE(questions)));
	hvsim_rescind(port->host);
	KUNIT_EXPECT_TRUE(test, becomes(READ_ONCE(port->created) < 0));
	KUNIT_EXPECT_LT(test, jiffies - start, 10UL * HZ);
	KUNIT_EXPECT_TRUE(test, hvsim_wait_released(port->host));
}

static void a_second_response_changes_nothing(struct kunit *test)
{
	struct port *port = test->priv;

	bring_up(port);
	respond_late(port, 0);
	KUNIT_EXPECT_EQ(test, counters(port).BadMessages, 1);
	key(port, 0x1e, 0);
	KUNIT_EXPECT_EQ(test, nr_keys, 1u);
}

/* ---- keys ---- */

static void keystrokes_come_with_code_prefix_and_direction(struct kunit *test)
{
	struct port *port = test->priv;

	bring_up(port);
	key(port, 0x1e, 0);
	expect_key(test, 0x1e, 0, true);
	key(port, 0x1e, BREAK);
	expect_key(test, 0x1e, 0, false);
	key(port, 0x48, E0);
	expect_key(test, 0x48, KB_PREFIX_E0, true);
	key(port, 0x48, E0 | BREAK);
	expect_key(test, 0x48, KB_PREFIX_E0, false);
	key(port, 0x1d, E1);
	expect_key(test, 0x1d, KB_PREFIX_E1, true);
	/* bits that nobody knows are left alone */
	key(port, 0x7f, 0xfffffff0);
	expect_key(test, 0x7f, 0, true);
	KUNIT_EXPECT_EQ(test, counters(port).Keystrokes, 6);
	KUNIT_EXPECT_EQ(test, counters(port).BadMessages, 0);
}

static void typed_text_is_no_keystroke(struct kunit *test)
{
	struct port *port = test->priv;
	struct kmsg k;

	bring_up(port);
	kmsg_mark(&k);
	key(port, 0x1e, UNICODE);
	key(port, 0x20ac, UNICODE);
	key(port, 0x20ac, UNICODE | BREAK);
	KUNIT_EXPECT_EQ(test, nr_keys, 0u);
	KUNIT_EXPECT_EQ(test, counters(port).Characters, 3);
	kmsg_expect(test, &k, 1, "the host types text, not keys");
}

static void a_keystroke_before_the_handshake_is_ignored(struct kunit *test)
{
	struct port *port = test->priv;

	port->host->script.on_packet = complete_only;
	port_register(port);
	KUNIT_EXPECT_TRUE(test, becomes(READ_ONCE(questions)));
	hvsim_settle();
	key(port, 0x1e, 0);
	KUNIT_EXPECT_EQ(test, nr_keys, 0u);
	respond_late(port, ACCEPTED);
	port_up(port);
	key(port, 0x1e, 0);
	KUNIT_EXPECT_EQ(test, nr_keys, 1u);
	KUNIT_EXPECT_EQ(test, counters(port).BadMessages, 1);
}

static void what_a_host_must_not_send_is_ignored(struct kunit *test)
{
	struct port *port = test->priv;
	u8 *junk = kunit_kzalloc(test, 4096, GFP_KERNEL);
	u32 *type = (u32 *)junk;
	u64 bad = 0;

	KUNIT_ASSERT_NOT_NULL(test, junk);
	bring_up(port);
	key(port, 0, 0);
	key(port, 0x80, 0);
	key(port, 0xffff, E0);
	bad += 3;
	port_send(port, junk, 0);
	bad++;
	/* 0, our own, and unknown ones; the ring rounds lengths up to 8 */
	for (*type = 0; *type < 20; ++*type) {
		if (*type == RESPONSE || *type == EVENT)
			continue;
		port_send(port, junk, 16);
		port_send(port, junk, 256);
		bad += 2;
	}
	*type = U32_MAX;
	port_send(port, junk, 4);
	*type = EVENT;
	port_send(port, junk, 4);
	port_send(port, junk, 8);
	bad += 3;
	KUNIT_EXPECT_EQ(test, nr_keys, 0u);
	KUNIT_EXPECT_EQ(test, counters(port).BadMessages, bad);
	/* longer than any message is */
	port_send(port, junk, 4096);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, counters(port).BadMessages, bad + 1);
	key(port, 0x1e, 0);
	KUNIT_EXPECT_EQ(test, nr_keys, 1u);
}

/* ---- life ---- */

static void a_closed_channel_holds_no_key(struct kunit *test)
{
	struct port *port = test->priv;

	bring_up(port);
	key(port, 0x1e, 0);
	KUNIT_EXPECT_EQ(test, releases, 0u);
	port_rescind(port);
	KUNIT_EXPECT_EQ(test, releases, 1u);
	port_offer(port);
	port->host->script.on_packet = respond;
	port_up(port);
	KUNIT_EXPECT_EQ(test, questions, 2u);
	key(port, 0x1f, 0);
	expect_key(test, 0x1f, 0, true);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_response_before_the_completion_is_enough),
	KUNIT_CASE(a_response_after_the_completion_is_enough),
	KUNIT_CASE(a_refused_version_is_no_keyboard),
	KUNIT_CASE(a_silent_host_is_no_keyboard_after_ten_seconds),
	KUNIT_CASE(a_device_that_goes_ends_the_wait),
	KUNIT_CASE(a_second_response_changes_nothing),
	KUNIT_CASE(keystrokes_come_with_code_prefix_and_direction),
	KUNIT_CASE(typed_text_is_no_keystroke),
	KUNIT_CASE(a_keystroke_before_the_handshake_is_ignored),
	KUNIT_CASE(what_a_host_must_not_send_is_ignored),
	KUNIT_CASE(a_closed_channel_holds_no_key),
	{}
};

static struct kunit_suite suite = {
	.name = "sample_keyboard",
	.init = init,
	.exit = exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
