// SPDX-License-Identifier: GPL-2.0
/*
 * Dynamic Memory's protocol. The pages are numbers; none is taken from anybody.
 */
#include <linux/bitmap.h>
#include "port.h"
#include "../../samples/dynmem/protocol.h"
#include "../../samples/dynmem/wire.h"

/* The system under the protocol: memory with these page numbers. */
#define FIRST_PAGE	0x1000
#define NR_PAGES	65536

static DECLARE_BITMAP(taken, NR_PAGES);
static unsigned long next_page;

BOOLEAN DmAllocatePages(PVOID Pages, ULONG Order, PPFN_NUMBER First)
{
	if (next_page + (1UL << Order) > NR_PAGES)
		return FALSE;
	bitmap_set(taken, next_page, 1U << Order);
	*First = FIRST_PAGE + next_page;
	/* every other block has no neighbour */
	next_page += (1UL << Order) + (Order ? 512 : 0);
	return TRUE;
}

ULONG DmFreePages(PVOID Pages, PFN_NUMBER First, ULONG Count)
{
	ULONG freed = 0;

	for (; Count; First++, Count--)
		freed += First >= FIRST_PAGE && First < FIRST_PAGE + NR_PAGES &&
			 test_and_clear_bit(First - FIRST_PAGE, taken);
	return freed;
}

ULONG64 DmFreeAllPages(PVOID Pages)
{
	ULONG64 freed = bitmap_weight(taken, NR_PAGES);

	bitmap_zero(taken, NR_PAGES);
	return freed;
}

VOID DmQueryMemory(PVOID Pages, PDM_MEMORY Memory)
{
	Memory->Total = 1 << 20;
	Memory->Available = 1 << 20;
	Memory->Committed = 1000;
}

static int create(struct port *port, PDEVICE_OBJECT parent)
{
	PDM_DEVICE device;
	NTSTATUS status = DmCreate(parent, NULL, &device);

	if (!NT_SUCCESS(status))
		return -EIO;
	port->priv = device;
	return 0;
}

static void destroy(struct port *port)
{
	DmDestroy(port->priv);
	port->priv = NULL;
}

static const struct port dynmem = {
	.type = GUID_INIT(0x525074dc, 0x8985, 0x46e2,
			  0x80, 0x57, 0xa3, 0x07, 0xdc, 0x18, 0xa5, 0x02),
	.create = create,
	.destroy = destroy,
};

static int init(struct kunit *test)
{
	bitmap_zero(taken, NR_PAGES);
	next_page = 0;
	port_begin(test, &dynmem);
	return 0;
}

static void exit(struct kunit *test)
{
	port_end(test->priv);
	KUNIT_EXPECT_EQ(test, bitmap_weight(taken, NR_PAGES), 0);
}

static DM_COUNTERS counters(struct port *port)
{
	DM_COUNTERS c;

	DmQueryCounters(port->priv, &c);
	return c;
}

/* The guest's thread answers in its own time. */
static union {
	DM_HEADER header;
	DM_VERSION_REQUEST version;
	DM_STATUS_REPORT status;
	DM_BALLOON_RESPONSE balloon;
	DM_HOT_ADD_RESPONSE hot_add;
	u8 bytes[DM_MAXIMUM_MESSAGE];
} answer;

static void expect_answer(struct port *port, u16 type)
{
	KUNIT_ASSERT_TRUE(port->test, becomes(!list_empty(&port->host->record)));
	hvsim_settle();
	KUNIT_ASSERT_GT(port->test, port_answer(port, &answer, sizeof(answer)), 0u);
	KUNIT_EXPECT_EQ(port->test, answer.header.Type, type);
}

static void respond(struct port *port, u16 type, u64 flags)
{
	const DM_RESPONSE response = {
		.Header = { .Type = type, .Size = sizeof(response) },
		.Flags = flags,
	};

	port_send(port, &response, sizeof(response));
}

/* A host that wants no reports. */
static void shake_hands(struct port *port)
{
	expect_answer(port, DmVersionRequest);
	respond(port, DmVersionResponse, DM_ACCEPTED);
	expect_answer(port, DmCapabilitiesReport);
	respond(port, DmCapabilitiesResponse, DM_ACCEPTED | DM_NO_REPORTS);
}

static void inflate(struct port *port, u32 pages)
{
	const DM_BALLOON_REQUEST request = {
		.Header = { .Type = DmBalloonRequest, .Size = sizeof(request) },
		.Pages = pages,
	};

	port_send(port, &request, sizeof(request));
}

/* Ranges that the host returns; @said: how many it says there are. */
static void deflate(struct port *port, const u64 *ranges, u32 nr, u32 said)
{
	struct {
		DM_UNBALLOON_REQUEST request;
		u64 ranges[8];
	} message = {
		.request.Header.Type = DmUnballoonRequest,
		.request.RangeCount = said,
	};

	message.request.Header.Size = sizeof(message.request) + nr * sizeof(u64);
	memcpy(message.ranges, ranges, nr * sizeof(u64));
	port_send(port, &message, message.request.Header.Size);
}

static void versions_are_tried_from_the_newest(struct kunit *test)
{
	static const u32 wire[] = { DM_VERSION_3, DM_VERSION_2, DM_VERSION_1 };
	struct port *port = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wire); i++) {
		expect_answer(port, DmVersionRequest);
		KUNIT_EXPECT_EQ(test, answer.version.Version, wire[i]);
		KUNIT_EXPECT_EQ(test, answer.version.Flags, i == 2 ? DM_LAST_ATTEMPT : 0);
		KUNIT_EXPECT_EQ(test, answer.header.TransactionId, i + 1);
		respond(port, DmVersionResponse, i == 2 ? DM_ACCEPTED : 0);
	}
	expect_answer(port, DmCapabilitiesReport);
	KUNIT_EXPECT_EQ(test, counters(port).Version, 1);
}

static void a_host_gets_the_pages_that_it_asks_for(struct kunit *test)
{
	struct port *port = test->priv;
	u64 total = 0;
	u32 i;

	shake_hands(port);
	inflate(port, 1000);
	expect_answer(port, DmBalloonResponse);
	KUNIT_EXPECT_EQ(test, answer.balloon.MoreAndCount & DM_MORE, 0);
	for (i = 0; i < answer.balloon.MoreAndCount >> 1; i++) {
		u64 range = answer.balloon.Ranges[i];
		u64 first = DM_RANGE_FIRST(range) - FIRST_PAGE;

		total += DM_RANGE_COUNT(range);
		KUNIT_EXPECT_GE(test, find_next_zero_bit(taken, NR_PAGES, first),
				first + DM_RANGE_COUNT(range));
	}
	KUNIT_EXPECT_EQ(test, total, 1000);
	KUNIT_EXPECT_EQ(test, bitmap_weight(taken, NR_PAGES), 1000);
	KUNIT_EXPECT_EQ(test, counters(port).PagesBallooned, 1000);
	KUNIT_EXPECT_EQ(test, counters(port).BalloonRequests, 1);
}

static void pages_that_come_back_are_the_guests(struct kunit *test)
{
	struct port *port = test->priv;
	u64 range[1];

	shake_hands(port);
	inflate(port, 100);
	expect_answer(port, DmBalloonResponse);
	KUNIT_EXPECT_EQ(test, answer.balloon.MoreAndCount, 1u << 1);
	range[0] = DM_RANGE(DM_RANGE_FIRST(answer.balloon.Ranges[0]), 60);
	deflate(port, range, 1, 1);
	expect_answer(port, DmUnballoonResponse);
	KUNIT_EXPECT_EQ(test, counters(port).PagesBallooned, 40);
	KUNIT_EXPECT_EQ(test, bitmap_weight(taken, NR_PAGES), 40);
	KUNIT_EXPECT_EQ(test, counters(port).BadMessages, 0);
	/* the same again: answered, but no page is freed twice */
	deflate(port, range, 1, 1);
	expect_answer(port, DmUnballoonResponse);
	KUNIT_EXPECT_EQ(test, counters(port).PagesBallooned, 40);
	KUNIT_EXPECT_EQ(test, counters(port).BadMessages, 1);
}

static void pages_are_the_guests_when_the_device_goes(struct kunit *test)
{
	struct port *port = test->priv;

	shake_hands(port);
	inflate(port, 5000);
	expect_answer(port, DmBalloonResponse);
	KUNIT_EXPECT_EQ(test, bitmap_weight(taken, NR_PAGES), 5000);
	port_rescind(port);
	KUNIT_EXPECT_EQ(test, bitmap_weight(taken, NR_PAGES), 0);
	port_offer(port);
	port_up(port);
	shake_hands(port);
	KUNIT_EXPECT_EQ(test, counters(port).PagesBallooned, 0);
}

static void memory_that_is_offered_is_declined(struct kunit *test)
{
	const DM_HEADER request = { .Type = DmHotAddRequest, .Size = 24 };
	struct port *port = test->priv;
	u8 message[24] = { };

	memcpy(message, &request, sizeof(request));
	shake_hands(port);
	port_send(port, message, sizeof(message));
	expect_answer(port, DmHotAddResponse);
	KUNIT_EXPECT_EQ(test, answer.hot_add.Pages, 0);
	KUNIT_EXPECT_EQ(test, answer.hot_add.Result, 0);
	KUNIT_EXPECT_EQ(test, counters(port).HotAddRequests, 1);
}

static void a_host_that_wants_reports_gets_one_a_second(struct kunit *test)
{
	struct port *port = test->priv;
	unsigned int i;

	expect_answer(port, DmVersionRequest);
	respond(port, DmVersionResponse, DM_ACCEPTED);
	expect_answer(port, DmCapabilitiesReport);
	respond(port, DmCapabilitiesResponse, DM_ACCEPTED);
	for (i = 0; i < 3; i++) {
		unsigned long start = jiffies;

		expect_answer(port, DmStatusReport);
		KUNIT_EXPECT_EQ(test, answer.status.Available, 1 << 20);
		KUNIT_EXPECT_GT(test, answer.status.Committed, 1000);
		if (i) {
			KUNIT_EXPECT_GE(test, jiffies - start, HZ / 2);
			KUNIT_EXPECT_LE(test, jiffies - start, 2UL * HZ);
		}
	}
}

static void requests_before_the_handshake_are_ignored(struct kunit *test)
{
	const u64 range = DM_RANGE(FIRST_PAGE, 1);
	struct port *port = test->priv;

	expect_answer(port, DmVersionRequest);
	inflate(port, 10);
	deflate(port, &range, 1, 1);
	respond(port, DmCapabilitiesResponse, DM_ACCEPTED);
	KUNIT_EXPECT_TRUE(test, becomes(counters(port).BadMessages == 3));
	KUNIT_EXPECT_EQ(test, port_answers(port), 0u);
	KUNIT_EXPECT_EQ(test, bitmap_weight(taken, NR_PAGES), 0);
}

struct broken_case {
	const char *name;
	u16 type;
	u16 size;
	u32 len;
};

static const struct broken_case broken_cases[] = {
	{ "no header", 0, 0, 4 },
	{ "smaller than its header", DmInfo, 7, 16 },
	{ "longer than it is", DmInfo, 25, 24 },
	{ "half a response", DmVersionResponse, 8, 8 },
	{ "half a balloon request", DmBalloonRequest, 12, 16 },
	{ "half an unballoon request", DmUnballoonRequest, 12, 16 },
	/* its body says a thousand ranges */
	{ "more ranges than there are", DmUnballoonRequest, 24, 24 },
};

static void describe_broken(const struct broken_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(broken, broken_cases, describe_broken);

/* Such a host cannot be talked to; what it has taken is the guest's again. */
static void a_broken_message_closes_the_channel(struct kunit *test)
{
	const struct broken_case *c = test->param_value;
	struct port *port = test->priv;
	u32 message[6] = { c->size << 16 | c->type, 0, 0, 1000 };

	shake_hands(port);
	inflate(port, 100);
	expect_answer(port, DmBalloonResponse);
	port_send(port, message, c->len);
	KUNIT_EXPECT_TRUE(test, hvsim_wait_open(port->host, false));
	KUNIT_EXPECT_TRUE(test, becomes(!bitmap_weight(taken, NR_PAGES)));
	KUNIT_EXPECT_EQ(test, counters(port).BadMessages, 1);
	/* and can be tried again */
	hvsim_clear_record(port->host);
	KUNIT_EXPECT_EQ(test, DmReconnect(port->priv), STATUS_SUCCESS);
	shake_hands(port);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(versions_are_tried_from_the_newest),
	KUNIT_CASE(a_host_gets_the_pages_that_it_asks_for),
	KUNIT_CASE(pages_that_come_back_are_the_guests),
	KUNIT_CASE(pages_are_the_guests_when_the_device_goes),
	KUNIT_CASE(memory_that_is_offered_is_declined),
	KUNIT_CASE(a_host_that_wants_reports_gets_one_a_second),
	KUNIT_CASE(requests_before_the_handshake_are_ignored),
	KUNIT_CASE_PARAM(a_broken_message_closes_the_channel, broken_gen_params),
	{}
};

static struct kunit_suite suite = {
	.name = "sample_dynmem",
	.init = init,
	.exit = exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
