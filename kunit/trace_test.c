// SPDX-License-Identifier: GPL-2.0
/*
 * The tracepoints, as a reader of the trace sees them: each fires where it should, with the
 * fields of what happened. Those of servers are in loopback/observe_test.c.
 */
#include <linux/module.h>
#include "fixture.h"
#include "look.h"
#include "trace.h"

#define ASK	VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED

static struct vsc *new_vsc(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	v->offer.exec = HVSIM_EXEC_INLINE;
	v->offer.script.answer = HVSIM_ANSWER_ECHO;
	return v;
}

/* ---- the channel ---- */

static void a_channel_is_traced_from_Enable_to_Disable(struct kunit *test)
{
	struct vsc *v = new_vsc(test);
	char guids[128], *text;

	look_trace_begin(test);
	vsc_bring_up(v);
	VmbChannelPause(v->ch);
	VmbChannelDisable(v->ch);
	text = look_trace_end(test);

	look_expect_record(test, text, v->kch, "kmcl_channel_state", "from=disabled to=waiting");
	scnprintf(guids, sizeof(guids), "from=waiting to=open type=%pUl instance=%pUl",
		  &vsc_type, &vsc_instance);
	text = look_expect_record(test, text, v->kch, "kmcl_channel_link", "from=none to=opening");
	KUNIT_ASSERT_NOT_NULL(test, text);
	look_expect_record(test, text, v->kch, "kmcl_channel_link", "from=opening to=up");
	text = look_expect_record(test, text, v->kch, "kmcl_channel_state", guids);
	KUNIT_ASSERT_NOT_NULL(test, text);
	text = look_expect_record(test, text, v->kch, "kmcl_channel_run", "running=1");
	KUNIT_ASSERT_NOT_NULL(test, text);
	text = look_expect_record(test, text, v->kch, "kmcl_channel_run", "running=0");
	KUNIT_ASSERT_NOT_NULL(test, text);
	look_expect_record(test, text, v->kch, "kmcl_channel_link", "from=up to=closing");
	look_expect_record(test, text, v->kch, "kmcl_channel_link", "from=closing to=none");
	look_expect_record(test, text, v->kch, "kmcl_channel_state", "from=open to=disabled");
}

static void poison_is_traced_with_its_cause(struct kunit *test)
{
	struct vsc *v = new_vsc(test);
	char *text;

	vsc_bring_up(v);
	look_trace_begin(test);
	hvsim_poke(v->host, HVSIM_H2G, HVSIM_WRITE_INDEX, 0xffffffff);
	hvsim_interrupt(v->host);
	vsc_expect_soon(v, READ_ONCE(v->kch->state) == KMCL_DISABLED);
	text = look_trace_end(test);
	look_expect_record(test, text, v->kch, "kmcl_channel_poison",
			   "why='write index outside the ring'");
}

/* ---- outgoing packets ---- */

static void a_send_is_traced_from_submit_to_completion_under_one_id(struct kunit *test)
{
	struct vsc *v = new_vsc(test);
	char *text, *submit, *write, *complete;

	vsc_bring_up(v);
	look_trace_begin(test);
	KUNIT_EXPECT_EQ(test, vsc_send(v, "hello", 5, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	vsc_expect_soon(v, atomic_read(&v->ok) == 1);
	text = look_trace_end(test);
	submit = look_expect_record(test, text, v->kch, "kmcl_packet_submit",
				    "type=inband len=5 flags=0x1");
	write = look_expect_record(test, text, v->kch, "kmcl_ring_write",
				   "type=inband len=5 result=0");
	complete = look_expect_record(test, text, v->kch, "kmcl_packet_complete",
				      "status=0x00000000 len=8");
	KUNIT_EXPECT_NE(test, look_id(submit), 0ull);
	KUNIT_EXPECT_EQ(test, look_id(submit), look_id(write));
	KUNIT_EXPECT_EQ(test, look_id(submit), look_id(complete));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, v->kch->name));
}

static void a_packet_that_waits_is_traced_with_the_reason(struct kunit *test)
{
	struct vsc *v = new_vsc(test);
	static u8 large[4096];
	unsigned int sent = 0;
	char *text, *queue;

	v->offer.exec = HVSIM_EXEC_MANUAL;
	vsc_bring_up(v);
	look_trace_begin(test);
	while (!v->kch->stats.queued && sent++ < 100)
		KUNIT_ASSERT_EQ(test, vsc_send(v, large, sizeof(large), WAIT_FOR_COMPLETION),
				STATUS_SUCCESS);
	/* the last one is there when it has been told of the room */
	KUNIT_EXPECT_TRUE(test, becomes(({ hvsim_run(v->host);
					   atomic_read(&v->completions) == sent; })));
	VmbChannelPause(v->ch);
	KUNIT_EXPECT_EQ(test, vsc_send(v, "later", 5, 0), STATUS_SUCCESS);
	VmbChannelStart(v->ch);
	text = look_trace_end(test);

	look_expect_record(test, text, v->kch, "kmcl_ring_write", "len=4096 result=-11");
	queue = look_expect_record(test, text, v->kch, "kmcl_packet_queue",
				   "type=inband len=4096 held=0");
	KUNIT_ASSERT_NOT_NULL(test, queue);
	/* what another processor has written need not be in order with it */
	look_expect_record(test, num_online_cpus() > 1 ? text : queue, v->kch, "kmcl_ring_write",
			   "len=4096 result=0");
	look_expect_record(test, queue, v->kch, "kmcl_packet_queue", "type=inband len=5 held=1");
}

static void an_answer_to_nothing_is_traced_as_stale(struct kunit *test)
{
	struct vsc *v = new_vsc(test);
	char *text;

	vsc_bring_up(v);
	look_trace_begin(test);
	hvsim_complete(v->host, 0x1234567800000001ULL, "lie", 4);
	hvsim_interrupt(v->host);
	KUNIT_EXPECT_TRUE(test, becomes(v->kch->stats.stale_ids == 1));
	text = look_trace_end(test);
	look_expect_record(test, text, v->kch, "kmcl_packet_stale",
			   "id=0x1234567800000001 len=8");
}

/* ---- incoming packets ---- */

static void defer_once(struct vsc *v, VMBPACKETCOMPLETION pkt, void *buf, u32 len)
{
	if (in_interrupt())
		VmbChannelPacketDeferToPassive(pkt);
	else
		VmbChannelPacketComplete(pkt, "okay", 5);
}

static void an_incoming_packet_is_traced_from_the_ring_to_its_reply(struct kunit *test)
{
	struct vsc *v = new_vsc(test);
	char *text;

	v->on_packet = defer_once;
	vsc_bring_up(v);
	look_trace_begin(test);
	KUNIT_ASSERT_EQ(test, hvsim_send(v->host, VM_PKT_DATA_INBAND, ASK, 0x77, "12345678", 8), 0);
	KUNIT_EXPECT_TRUE(test, becomes(v->host->stats.packets[VM_PKT_COMP] == 1));
	text = look_trace_end(test);
	text = look_expect_record(test, text, v->kch, "kmcl_packet_receive",
				  "id=0x77 type=inband len=8 external=0 wants_reply=1");
	KUNIT_ASSERT_NOT_NULL(test, text);
	text = look_expect_record(test, text, v->kch, "kmcl_packet_defer",
				  "id=0x77 len=8 wants_reply=1");
	KUNIT_ASSERT_NOT_NULL(test, text);
	text = look_expect_record(test, text, v->kch, "kmcl_packet_reply",
				  "id=0x77 len=5 wants_reply=1");
	KUNIT_ASSERT_NOT_NULL(test, text);
	look_expect_record(test, text, v->kch, "kmcl_ring_write",
			   "id=0x77 type=completion len=5 result=0");
}

/* ---- GPADLs ---- */

static void a_GPADL_is_traced_when_it_is_lent_and_when_it_is_back(struct kunit *test)
{
	struct vsc *v = new_vsc(test);
	char *text, fields[64];
	UINT32 gpadl;

	vsc_bring_up(v);
	look_trace_begin(test);
	KUNIT_ASSERT_EQ(test, VmbChannelCreateGpadl(v->ch, 0, 2, &gpadl), STATUS_SUCCESS);
	VmbChannelDeleteGpadl(v->ch, gpadl);
	text = look_trace_end(test);
	scnprintf(fields, sizeof(fields), "gpadl=0x%x bytes=8192 result=0", gpadl);
	text = look_expect_record(test, text, v->kch, "kmcl_gpadl_share", fields);
	KUNIT_ASSERT_NOT_NULL(test, text);
	look_expect_record(test, text, v->kch, "kmcl_gpadl_unshare", fields);
}

/* ---- all of them ---- */

static void no_record_says_where_anything_is_in_memory(struct kunit *test)
{
	struct vsc *v = new_vsc(test);
	char *text, address[20];

	look_trace_begin(test);
	vsc_bring_up(v);
	KUNIT_EXPECT_EQ(test, vsc_send(v, "hello", 5, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, hvsim_send(v->host, VM_PKT_DATA_INBAND, ASK, 1, "12345678", 8), 0);
	KUNIT_EXPECT_TRUE(test, becomes(v->host->stats.packets[VM_PKT_COMP] == 1));
	VmbChannelDisable(v->ch);
	text = look_trace_end(test);
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, ": kmcl_packet_submit: "));
	/* the upper digits: of the channel, and of whatever is allocated near it */
	scnprintf(address, sizeof(address), "0x%lx", (unsigned long)v->kch >> 16);
	KUNIT_EXPECT_NULL(test, strstr(text, address));
}

/* What perf and trace-cmd read, whose parsers end a string at the first quote. */
static void the_format_of_every_record_is_one_string_and_its_arguments(struct kunit *test)
{
	static const char * const events[] = {
		"kmcl_channel_state", "kmcl_channel_link", "kmcl_channel_run",
		"kmcl_channel_poison", "kmcl_packet_submit", "kmcl_packet_queue",
		"kmcl_ring_write", "kmcl_packet_complete", "kmcl_packet_stale",
		"kmcl_packet_receive", "kmcl_packet_defer", "kmcl_packet_reply",
		"kmcl_gpadl_share", "kmcl_gpadl_unshare", "kmcl_gpadl_map", "kmcl_gpadl_unmap",
		"kmcl_save", "kmcl_restore", "kmcl_packet_restore",
	};
	char path[96], *text, *at;
	int i;

	if (!IS_ENABLED(CONFIG_EVENT_TRACING))
		kunit_skip(test, "no tracing in this kernel");
	for (i = 0; i < ARRAY_SIZE(events); i++) {
		scnprintf(path, sizeof(path), LOOK_EVENTS "%s/format", events[i]);
		text = look(test, path);
		KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(text, "field:u32 channel;"), "%s", path);
		KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(text, "field:char name["), "%s", path);
		at = strstr(text, "print fmt: \"channel=%u name='%s' ");
		KUNIT_EXPECT_NOT_NULL_MSG(test, at, "%s", path);
		if (!at)
			continue;
		at = strchrnul(at + strlen("print fmt: \""), '"');
		KUNIT_EXPECT_TRUE_MSG(test, strstarts(at, "\", REC->channel, REC->name, "), "%s",
				      path);
		/* values, and not names of the kernel's source */
		KUNIT_EXPECT_NULL_MSG(test, strstr(at, "KMCL_"), "%s", path);
	}
}

static void nothing_is_recorded_while_nobody_traces(struct kunit *test)
{
	struct vsc *v = new_vsc(test);

	look_trace_begin(test);
	look_trace_end(test);
	vsc_bring_up(v);
	KUNIT_EXPECT_EQ(test, vsc_send(v, "hello", 5, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	KUNIT_EXPECT_NULL(test, strstr(look(test, LOOK_TRACE), ": kmcl_"));
}

/* ---- probes ---- */

static void count_completion(void *data, const struct kmcl_packet *pkt, NTSTATUS status, u32 len)
{
	struct vsc *v = data;

	if (pkt->object.channel == v->kch && !status && len == 8)
		v->priv = (void *)((unsigned long)v->priv + 1);
}

static void a_probe_of_another_module_is_called_until_it_is_withdrawn(struct kunit *test)
{
	struct vsc *v = new_vsc(test);

	if (!IS_ENABLED(CONFIG_TRACEPOINTS))
		kunit_skip(test, "no tracepoints in this kernel");
	vsc_bring_up(v);
	KUNIT_ASSERT_EQ(test, register_trace_kmcl_packet_complete(count_completion, v), 0);
	KUNIT_EXPECT_EQ(test, vsc_send(v, "hello", 5, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	vsc_expect_soon(v, atomic_read(&v->ok) == 1);
	unregister_trace_kmcl_packet_complete(count_completion, v);
	synchronize_rcu();
	KUNIT_EXPECT_EQ(test, vsc_send(v, "hello", 5, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	vsc_expect_soon(v, atomic_read(&v->ok) == 2);
	KUNIT_EXPECT_EQ(test, (unsigned long)v->priv, 1ul);
}

static struct kunit_case trace_cases[] = {
	KUNIT_CASE(a_channel_is_traced_from_Enable_to_Disable),
	KUNIT_CASE(poison_is_traced_with_its_cause),
	KUNIT_CASE(a_send_is_traced_from_submit_to_completion_under_one_id),
	KUNIT_CASE(a_packet_that_waits_is_traced_with_the_reason),
	KUNIT_CASE(an_answer_to_nothing_is_traced_as_stale),
	KUNIT_CASE(an_incoming_packet_is_traced_from_the_ring_to_its_reply),
	KUNIT_CASE(a_GPADL_is_traced_when_it_is_lent_and_when_it_is_back),
	KUNIT_CASE(no_record_says_where_anything_is_in_memory),
	KUNIT_CASE(the_format_of_every_record_is_one_string_and_its_arguments),
	KUNIT_CASE(nothing_is_recorded_while_nobody_traces),
	KUNIT_CASE(a_probe_of_another_module_is_called_until_it_is_withdrawn),
	{}
};

static struct kunit_suite trace_suite = {
	.name = "kmcl_trace",
	.init = vsc_suite_init,
	.exit = vsc_suite_exit,
	.test_cases = trace_cases,
};

kunit_test_suite(trace_suite);
