// SPDX-License-Identifier: GPL-2.0
/*
 * The shutdown service. What it would do to the machine is written down.
 */
#include "port.h"
#include "ic_host.h"
#include "../../samples/shutdown/protocol.h"

/* The system under the protocol. */
static struct port *machine;
static bool can_hibernate;
static unsigned int acts;
static SD_ACTION action;
static unsigned int answers_before;

BOOLEAN SdCanHibernate(PVOID System)
{
	return can_hibernate;
}

VOID SdAct(PVOID System, SD_ACTION Action)
{
	acts++;
	action = Action;
	answers_before = port_answers(machine);
}

static int create(struct port *port, PDEVICE_OBJECT parent)
{
	PSD_DEVICE device;
	NTSTATUS status = SdCreate(parent, NULL, &device);

	if (!NT_SUCCESS(status))
		return -EIO;
	port->priv = device;
	return 0;
}

static void destroy(struct port *port)
{
	SdDestroy(port->priv);
	port->priv = NULL;
}

static const struct port shutdown = {
	.type = GUID_INIT(0x0e0b6031, 0x5213, 0x4934,
			  0x81, 0x8b, 0x38, 0xd9, 0x0c, 0xed, 0x39, 0xdb),
	.pipe = true,
	.create = create,
	.destroy = destroy,
};

static int init(struct kunit *test)
{
	can_hibernate = false;
	acts = 0;
	machine = port_begin(test, &shutdown);
	return 0;
}

static void exit(struct kunit *test)
{
	port_end(test->priv);
}

static SD_COUNTERS counters(struct port *port)
{
	SD_COUNTERS c;

	SdQueryCounters(port->priv, &c);
	return c;
}

/* As hosts send it: 2060 bytes. */
static u32 request(struct port *port, u32 flags)
{
	static const struct shutdown_msg_data blank;
	static struct shutdown_msg_data data;

	data = blank;
	data.reason_code = 0x80000004;
	data.timeout_seconds = 100;
	data.flags = flags;
	return ic_exchange(port, IC_TYPE_SHUTDOWN, &data, sizeof(data));
}

static void versions_are_those_of_the_kernels_own_driver(struct kunit *test)
{
	const struct ic_versions newest = {
		{ { 1, 0 }, { 3, 0 } }, { { 1, 0 }, { 3, 0 }, { 3, 1 }, { 3, 2 }, { 3, 3 } }, 2, 5
	};
	const IC_VERSION framework = { 3, 0 }, message = { 3, 2 };
	struct port *port = test->priv;

	ic_negotiate(port, &newest);
	ic_expect_agreed(port, framework, message);
	ic_agree(port, 3, 1);
	ic_agree(port, 3, 0);
	ic_agree(port, 1, 0);
}

struct request_case {
	const char *name;
	u32 flags;
	bool can_hibernate;
	SD_ACTION action;		/* 0: declined */
};

static const struct request_case request_cases[] = {
	{ "power off", 0, false, SdPowerOff },
	{ "power off by force", 1, false, SdPowerOff },
	{ "restart", 2, false, SdRestart },
	{ "restart by force", 3, true, SdRestart },
	{ "hibernate", 4, true, SdHibernate },
	{ "hibernate by force", 5, true, SdHibernate },
	{ "hibernate a guest that cannot", 4, false, 0 },
	{ "restart and hibernate", 6, true, 0 },
	{ "a bit that nobody knows", 8, true, 0 },
	{ "all bits", 0xffffffff, true, 0 },
};

static void describe_request(const struct request_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(requests, request_cases, describe_request);

static void a_request_is_answered_and_then_done(struct kunit *test)
{
	const struct request_case *c = test->param_value;
	struct port *port = test->priv;

	can_hibernate = c->can_hibernate;
	ic_agree(port, 3, 2);
	KUNIT_EXPECT_EQ(test, request(port, c->flags), c->action ? IC_OK : IC_FAIL);
	KUNIT_EXPECT_EQ(test, acts, c->action ? 1u : 0u);
	if (c->action) {
		KUNIT_EXPECT_EQ(test, action, c->action);
		KUNIT_EXPECT_EQ_MSG(test, answers_before, 1u,
				    "acted before the host had its answer");
		KUNIT_EXPECT_EQ(test, counters(port).Reason, 0x80000004);
		KUNIT_EXPECT_EQ(test, counters(port).Seconds, 100);
	}
	KUNIT_EXPECT_EQ(test, counters(port).Agreed, c->action ? 1 : 0);
	KUNIT_EXPECT_EQ(test, counters(port).Declined, c->action ? 0 : 1);
}

static void a_request_before_versions_does_nothing(struct kunit *test)
{
	struct port *port = test->priv;

	KUNIT_EXPECT_EQ(test, request(port, 0), IC_FAIL);
	KUNIT_EXPECT_EQ(test, acts, 0u);
}

static void half_a_request_does_nothing(struct kunit *test)
{
	struct port *port = test->priv;
	u32 body[3] = { };
	u32 len;

	ic_agree(port, 3, 2);
	for (len = 0; len < 12; len++)
		KUNIT_EXPECT_EQ(test, ic_exchange(port, IC_TYPE_SHUTDOWN, body, len), IC_FAIL);
	KUNIT_EXPECT_EQ(test, acts, 0u);
	KUNIT_EXPECT_EQ(test, counters(port).Ic.BadMessages, 12);
	/* the text is not needed */
	KUNIT_EXPECT_EQ(test, ic_exchange(port, IC_TYPE_SHUTDOWN, body, 12), IC_OK);
	KUNIT_EXPECT_EQ(test, acts, 1u);
}

/* Fill the ring to the host, so that the answer has to wait. */
static void fill(struct port *port)
{
	u8 body[1000] = { };
	unsigned int i;

	hvsim_stall(port->host);
	for (i = 0; i < 20; i++)
		ic_send(port, IC_TYPE_TIMESYNC, body, sizeof(body));
}

static void nothing_is_done_while_the_answer_waits(struct kunit *test)
{
	struct port *port = test->priv;
	u32 body[3] = { };

	ic_agree(port, 3, 2);
	fill(port);
	ic_send(port, IC_TYPE_SHUTDOWN, body, sizeof(body));
	KUNIT_EXPECT_EQ(test, counters(port).Agreed, 1);
	KUNIT_EXPECT_EQ(test, acts, 0u);
	hvsim_resume(port->host);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, acts, 1u);
}

static void a_host_that_goes_before_the_answer_gets_what_it_wanted(struct kunit *test)
{
	struct port *port = test->priv;
	u32 body[3] = { };

	ic_agree(port, 3, 2);
	fill(port);
	body[2] = 2;
	ic_send(port, IC_TYPE_SHUTDOWN, body, sizeof(body));
	KUNIT_EXPECT_EQ(test, acts, 0u);
	port_rescind(port);
	KUNIT_EXPECT_EQ(test, acts, 1u);
	KUNIT_EXPECT_EQ(test, action, SdRestart);
}

/*
 * Wherever in the row of waiting answers it stands: also in the packet that is kept
 * for want of another, which the answers behind it must not touch.
 */
static void a_request_among_many_waiting_answers_is_done_once(struct kunit *test)
{
	struct port *port = test->priv;
	u32 body[3] = { };
	unsigned int before, i, n = 0;

	ic_agree(port, 3, 2);
	for (before = 40; before < 80; before++) {
		fill(port);
		for (i = 0; i < before; i++)
			ic_send(port, IC_TYPE_TIMESYNC, body, sizeof(body));
		ic_send(port, IC_TYPE_SHUTDOWN, body, sizeof(body));
		for (i = 0; i < 3; i++)
			ic_send(port, IC_TYPE_TIMESYNC, body, sizeof(body));
		hvsim_resume(port->host);
		KUNIT_EXPECT_TRUE(test, becomes(!hvsim_ring_used(port->host, HVSIM_G2H)));
		hvsim_settle();
		KUNIT_EXPECT_EQ_MSG(test, acts, ++n, "behind %u", before);
		hvsim_clear_record(port->host);
	}
}

static void an_answer_that_cannot_be_sent_stops_nothing(struct kunit *test)
{
	struct port *port = test->priv;
	u32 body[3] = { };
	unsigned int i;

	ic_agree(port, 3, 2);
	fill(port);
	/* as many as may wait, and then some */
	for (i = 0; i < 100; i++)
		ic_send(port, IC_TYPE_TIMESYNC, body, sizeof(body));
	KUNIT_EXPECT_GT(test, counters(port).Ic.Unanswered, 0);
	ic_send(port, IC_TYPE_SHUTDOWN, body, sizeof(body));
	KUNIT_EXPECT_EQ(test, acts, 1u);
	KUNIT_EXPECT_EQ(test, action, SdPowerOff);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(versions_are_those_of_the_kernels_own_driver),
	KUNIT_CASE_PARAM(a_request_is_answered_and_then_done, requests_gen_params),
	KUNIT_CASE(a_request_before_versions_does_nothing),
	KUNIT_CASE(half_a_request_does_nothing),
	KUNIT_CASE(nothing_is_done_while_the_answer_waits),
	KUNIT_CASE(a_host_that_goes_before_the_answer_gets_what_it_wanted),
	KUNIT_CASE(a_request_among_many_waiting_answers_is_done_once),
	KUNIT_CASE(an_answer_that_cannot_be_sent_stops_nothing),
	{}
};

static struct kunit_suite suite = {
	.name = "sample_shutdown",
	.init = init,
	.exit = exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
