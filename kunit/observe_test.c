// SPDX-License-Identifier: GPL-2.0
/*
 * What people see of a channel in debugfs: its state, how full it is, what has happened;
 * and what is said of a driver that cleans up too early. Servers are in loopback/observe_test.c.
 */
#include <linux/module.h>
#include <linux/vmalloc.h>
#include "fixture.h"
#include "kmsg.h"
#include "look.h"
#include "subs.h"

#define ASK	VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED

static struct vsc *new_vsc(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	if (!IS_ENABLED(CONFIG_DEBUG_FS))
		kunit_skip(test, "no debugfs in this kernel");
	v->offer.exec = HVSIM_EXEC_INLINE;
	return v;
}

/* ---- states ---- */

static struct kunit *seen_by;
static char seen[64];

/* What is shown while a state callback runs. */
static void look_at_state(struct vsc *v, enum vsc_event event)
{
	size_t at = strlen(seen);

	scnprintf(seen + at, sizeof(seen) - at, "%c=%s ", event,
		  look_field(seen_by, v->kch->number, "state") ?: "?");
}

static void every_state_of_a_client_is_shown(struct kunit *test)
{
	struct vsc *v = new_vsc(test);

	look_expect(test, v->kch, "state", "disabled");
	look_expect(test, v->kch, "transport", "-");
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	look_expect(test, v->kch, "state", "waiting");
	look_expect(test, v->kch, "transport", "vmbus");
	v->offer.hold = BIT(CHANNELMSG_OPENCHANNEL);
	vsc_offer(v);
	KUNIT_EXPECT_TRUE(test, becomes(hvsim_held(v->host, CHANNELMSG_OPENCHANNEL)));
	look_expect(test, v->kch, "state", "opening");
	look_expect(test, v->kch, "link", "opening");
	hvsim_unhold(v->host, CHANNELMSG_OPENCHANNEL);
	vsc_expect_soon(v, v->logged == 3);
	look_expect(test, v->kch, "state", "running");
	look_expect(test, v->kch, "link", "up");
	VmbChannelPause(v->ch);
	look_expect(test, v->kch, "state", "paused");
	VmbChannelStart(v->ch);
	look_expect(test, v->kch, "state", "running");

	seen_by = test;
	seen[0] = 0;
	v->on_state = look_at_state;
	vsc_rescind(v);
	vsc_expect_soon(v, READ_ONCE(v->kch->state) == KMCL_DISABLED);
	KUNIT_EXPECT_STREQ(test, seen, "U=closing C=closing ");
	look_expect(test, v->kch, "state", "disabled");
	look_expect(test, v->kch, "link", "none");
}

static void a_poisoned_channel_is_shown_with_the_cause(struct kunit *test)
{
	struct vsc *v = new_vsc(test);

	vsc_bring_up(v);
	look_expect_number(test, v->kch, "poisoned", 0);
	look_expect(test, v->kch, "poisoned_because", "-");
	seen_by = test;
	seen[0] = 0;
	v->on_state = look_at_state;
	hvsim_poke(v->host, HVSIM_H2G, HVSIM_WRITE_INDEX, 0xffffffff);
	hvsim_interrupt(v->host);
	vsc_expect_soon(v, READ_ONCE(v->kch->state) == KMCL_DISABLED);
	KUNIT_EXPECT_STREQ(test, seen, "U=poisoned C=poisoned ");
	look_expect_number(test, v->kch, "poisoned", 1);
	look_expect(test, v->kch, "poisoned_because", "write index outside the ring");
	KUNIT_EXPECT_NOT_NULL(test, strstr(look(test, LOOK_DIR "counters"),
					   " (poisoned: write index outside the ring)\n"));
	/* the next life begins healthy, and the past is not forgotten */
	hvsim_resume(v->host);
	v->on_state = NULL;
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	look_expect(test, v->kch, "state", "running");
	look_expect(test, v->kch, "poisoned_because", "write index outside the ring");
}

/* ---- who and how full ---- */

static void the_table_names_the_channel_and_what_it_is_connected_to(struct kunit *test)
{
	UNICODE_STRING name = RTL_CONSTANT_STRING(L"a friendly name");
	struct vsc *v = new_vsc(test);
	char type[40], instance[40], *table, *line;

	VmbChannelInitSetFriendlyName(v->ch, &name);
	vsc_bring_up(v);
	scnprintf(type, sizeof(type), "%pUl", &vsc_type);
	scnprintf(instance, sizeof(instance), "%pUl", &vsc_instance);
	look_expect(test, v->kch, "friendly_name", "a friendly name");
	look_expect(test, v->kch, "name", v->kch->name);
	look_expect(test, v->kch, "role", "client");
	look_expect(test, v->kch, "type", type);
	look_expect(test, v->kch, "instance", instance);
	look_expect_number(test, v->kch, "primary", 0);

	table = look(test, LOOK_DIR "channels");
	line = strstr(table, "a friendly name");
	KUNIT_ASSERT_NOT_NULL(test, line);
	while (line > table && line[-1] != '\n')
		line--;
	*strchrnul(line, '\n') = 0;
	KUNIT_EXPECT_NOT_NULL(test, strstr(line, type));
	KUNIT_EXPECT_NOT_NULL(test, strstr(line, instance));
	KUNIT_EXPECT_NOT_NULL(test, strstr(line, " running "));
	KUNIT_EXPECT_NOT_NULL(test, strstr(line, " vmbus "));
}

static void one_that_takes_any_instance_shows_the_one_it_got(struct kunit *test)
{
	struct vsc *v = new_vsc(test);
	char instance[40];

	KUNIT_ASSERT_EQ(test, vsc_set_target(v->ch, NULL), STATUS_SUCCESS);
	look_expect(test, v->kch, "instance", "00000000-0000-0000-0000-000000000000");
	vsc_bring_up(v);
	scnprintf(instance, sizeof(instance), "%pUl", &vsc_instance);
	look_expect(test, v->kch, "instance", instance);
}

static void rings_and_packets_are_shown_as_full_as_they_are(struct kunit *test)
{
	struct vsc *v = new_vsc(test);
	unsigned int i;

	v->offer.exec = HVSIM_EXEC_MANUAL;
	VmbClientChannelInitSetRingBufferPageCount(v->ch, 70, 80);
	vsc_bring_up(v);
	look_expect_number(test, v->kch, "in_bytes", 70 * 4096);
	look_expect_number(test, v->kch, "out_bytes", 80 * 4096);
	look_expect_number(test, v->kch, "out_used", 0);
	look_expect_number(test, v->kch, "max_packets", 1024);
	look_expect_number(test, v->kch, "quota", 1024);
	for (i = 0; i < SOME; i++)
		KUNIT_ASSERT_EQ(test, vsc_send(v, "12345678", 8, WAIT_FOR_COMPLETION),
				STATUS_SUCCESS);
	/* each with its descriptor and its footer */
	look_expect_number(test, v->kch, "out_used", SOME * (16 + 8 + 8));
	look_expect_number(test, v->kch, "in_flight", SOME);
	look_expect_number(test, v->kch, "packets", SOME);

	VmbChannelPause(v->ch);
	KUNIT_ASSERT_EQ(test, vsc_send(v, "12345678", 8, 0), STATUS_SUCCESS);
	look_expect_number(test, v->kch, "queued_now", 1);
	for (i = 0; i < 3; i++)
		KUNIT_ASSERT_EQ(test, hvsim_send(v->host, VM_PKT_DATA_INBAND, 0, i, "12345678", 8),
				0);
	look_expect_number(test, v->kch, "in_used", 3 * (16 + 8 + 8));
	VmbChannelStart(v->ch);
	vsc_expect_soon(v, atomic_read(&v->received) == 3);
	KUNIT_EXPECT_TRUE(test, becomes(!look_number(test, v->kch->number, "in_used")));
	look_expect_number(test, v->kch, "queued_now", 0);
	hvsim_run(v->host);
	vsc_expect_soon(v, atomic_read(&v->completions) == SOME + 1);
	look_expect_number(test, v->kch, "in_flight", 0);
	look_expect_number(test, v->kch, "out_used", 0);
	VmbChannelDisable(v->ch);
	look_expect_number(test, v->kch, "out_bytes", 0);
}

static void a_host_that_lies_about_a_ring_is_not_believed(struct kunit *test)
{
	struct vsc *v = new_vsc(test);

	v->offer.exec = HVSIM_EXEC_MANUAL;
	vsc_bring_up(v);
	/* nobody but us looks at it */
	hvsim_settle();
	hvsim_poke(v->host, HVSIM_H2G, HVSIM_WRITE_INDEX, 0xfffffff8);
	look_expect_number(test, v->kch, "in_used", 0);
	hvsim_poke(v->host, HVSIM_H2G, HVSIM_WRITE_INDEX, 0);
	hvsim_poke(v->host, HVSIM_G2H, HVSIM_READ_INDEX, 0xfffffff8);
	KUNIT_EXPECT_LE(test, look_number(test, v->kch->number, "out_used"),
			look_number(test, v->kch->number, "out_bytes"));
	hvsim_poke(v->host, HVSIM_G2H, HVSIM_READ_INDEX, 0);
	KUNIT_EXPECT_NULL(test, v->kch->poison);
}

static void a_sub_channel_is_shown_with_its_primary(struct kunit *test)
{
	struct vsc *p, *v;

	if (!IS_ENABLED(CONFIG_DEBUG_FS))
		kunit_skip(test, "no debugfs in this kernel");
	p = subs_primary(test);
	look_expect_number(test, p->kch, "sub_channels", 0);
	v = subs_bring_up(p, 3);
	look_expect_number(test, p->kch, "sub_channels", 1);
	look_expect_number(test, p->kch, "primary", 0);
	look_expect_number(test, v->kch, "primary", p->kch->number);
	look_expect_number(test, v->kch, "sub_index", 3);
	look_expect(test, v->kch, "state", "running");
	VmbChannelPause(p->ch);
	look_expect(test, v->kch, "state", "paused");
	/* a primary that is gone is not looked at */
	vsc_drop(p);
	look_expect(test, v->kch, "state", "disabled");
	look_expect_number(test, v->kch, "sub_index", 3);
}

static VMBPACKETCOMPLETION kept[SOME];

static void keep(struct vsc *v, VMBPACKETCOMPLETION pkt, void *buf, u32 len)
{
	kept[atomic_read(&v->received) % SOME] = pkt;
}

static void what_the_driver_has_not_completed_is_held(struct kunit *test)
{
	struct vsc *v = new_vsc(test);
	unsigned int i;

	v->on_packet = keep;
	vsc_bring_up(v);
	for (i = 0; i < SOME; i++)
		KUNIT_ASSERT_EQ(test, hvsim_send(v->host, VM_PKT_DATA_INBAND, ASK, i, "ask", 4), 0);
	vsc_expect_soon(v, atomic_read(&v->received) == SOME);
	look_expect_number(test, v->kch, "held", SOME);
	look_expect_number(test, v->kch, "at_driver", SOME);
	for (i = 0; i < SOME; i++)
		VmbChannelPacketComplete(kept[i], "yes", 4);
	look_expect_number(test, v->kch, "held", 0);
	look_expect_number(test, v->kch, "at_driver", 0);
	look_expect_number(test, v->kch, "received", SOME);
	look_expect_number(test, v->kch, "replies", SOME);
	look_expect_number(test, v->kch, "reply_payload_bytes", SOME * 4);
}

static void gpadls_are_shown_while_they_are_lent(struct kunit *test)
{
	struct vsc *v = new_vsc(test);
	UINT32 one, two;

	vsc_bring_up(v);
	KUNIT_ASSERT_EQ(test, VmbChannelCreateGpadl(v->ch, 0, 1, &one), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelCreateGpadl(v->ch, 0, 2, &two), STATUS_SUCCESS);
	look_expect_number(test, v->kch, "gpadls", 2);
	look_expect_number(test, v->kch, "gpadl_bytes", 3 * 4096);
	VmbChannelDeleteGpadl(v->ch, one);
	look_expect_number(test, v->kch, "gpadls", 1);
	VmbChannelDeleteGpadl(v->ch, two);
	look_expect_number(test, v->kch, "gpadl_bytes", 0);
}

/* ---- counters ---- */

static void sends_and_answers_are_counted_with_their_bytes(struct kunit *test)
{
	struct vsc *v = new_vsc(test);
	unsigned int i;

	v->offer.script.answer = HVSIM_ANSWER_ECHO;
	vsc_bring_up(v);
	for (i = 0; i < SOME; i++)
		KUNIT_ASSERT_EQ(test, vsc_send(v, "ask", 3, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	for (i = 0; i < 3; i++)
		KUNIT_ASSERT_EQ(test, vsc_send(v, "tell you", 8, 0), STATUS_SUCCESS);
	vsc_expect_soon(v, atomic_read(&v->ok) == SOME + 3);
	look_expect_number(test, v->kch, "sent", SOME + 3);
	look_expect_number(test, v->kch, "sent_payload_bytes", SOME * 3 + 3 * 8);
	look_expect_number(test, v->kch, "answers", SOME);
	/* as they stand in the ring: in words of 8 bytes */
	look_expect_number(test, v->kch, "answer_payload_bytes", SOME * 8);
	look_expect_number(test, v->kch, "queued", 0);
	look_expect_number(test, v->kch, "ring_full", 0);
	look_expect_number(test, v->kch, "aborted", 0);
}

static void a_full_ring_is_counted_and_what_waits_for_it(struct kunit *test)
{
	struct vsc *v = new_vsc(test);
	static u8 large[4096];
	unsigned int sent = 0;

	v->offer.exec = HVSIM_EXEC_MANUAL;
	vsc_bring_up(v);
	while (!v->kch->stats.queued && sent++ < 100)
		KUNIT_ASSERT_EQ(test, vsc_send(v, large, sizeof(large), WAIT_FOR_COMPLETION),
				STATUS_SUCCESS);
	look_expect_number(test, v->kch, "queued", 1);
	look_expect_number(test, v->kch, "queued_now", 1);
	look_expect_number(test, v->kch, "sent", sent);
	KUNIT_EXPECT_GE(test, look_number(test, v->kch->number, "ring_full"), 1ull);
	/* the last one is there when it has been told of the room */
	KUNIT_EXPECT_TRUE(test, becomes(({ hvsim_run(v->host);
					   atomic_read(&v->completions) == sent; })));
	look_expect_number(test, v->kch, "sent", sent);
	look_expect_number(test, v->kch, "queued_now", 0);
}

static void what_is_refused_is_not_counted_as_sent(struct kunit *test)
{
	struct vsc *v = new_vsc(test);
	VMBPACKET packet;

	vsc_bring_up(v);
	packet = vsc_packet(v);
	KUNIT_ASSERT_NOT_NULL(test, packet);
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(packet, "late", 5, NULL, 0),
			STATUS_INVALID_DEVICE_STATE);
	look_expect_number(test, v->kch, "sent", 0);
	look_expect_number(test, v->kch, "sent_payload_bytes", 0);
	VmbPacketFree(packet);
}

static void a_request_that_is_sent_at_once_is_counted(struct kunit *test)
{
	struct vsc *v = new_vsc(test);
	LARGE_INTEGER now = {};

	vsc_bring_up(v);
	KUNIT_EXPECT_EQ(test, VmbChannelSendSynchronousRequest(v->ch, "fire", 5, NULL, 0, NULL,
							       NULL, &now), STATUS_SUCCESS);
	look_expect_number(test, v->kch, "sent", 1);
	look_expect_number(test, v->kch, "sent_payload_bytes", 5);
}

static void a_forged_answer_is_counted_as_stale(struct kunit *test)
{
	struct vsc *v = new_vsc(test);

	vsc_bring_up(v);
	hvsim_complete(v->host, 0x1234567800000001ULL, "lie", 4);
	hvsim_interrupt(v->host);
	KUNIT_EXPECT_TRUE(test, becomes(v->kch->stats.stale_ids == 1));
	look_expect_number(test, v->kch, "stale_ids", 1);
	look_expect_number(test, v->kch, "answers", 0);
}

static void defer_once(struct vsc *v, VMBPACKETCOMPLETION pkt, void *buf, u32 len)
{
	if (in_interrupt())
		VmbChannelPacketDeferToPassive(pkt);
	else
		VmbChannelPacketComplete(pkt, NULL, 0);
}

static void a_packet_that_is_deferred_is_counted(struct kunit *test)
{
	struct vsc *v = new_vsc(test);

	v->on_packet = defer_once;
	vsc_bring_up(v);
	KUNIT_ASSERT_EQ(test, hvsim_send(v->host, VM_PKT_DATA_INBAND, ASK, 1, "ask", 4), 0);
	KUNIT_EXPECT_TRUE(test, becomes(v->host->stats.packets[VM_PKT_COMP] == 1));
	look_expect_number(test, v->kch, "deferred", 1);
	look_expect_number(test, v->kch, "received", 1);
	look_expect_number(test, v->kch, "received_payload_bytes", 8);
	look_expect_number(test, v->kch, "replies", 1);
}

static void what_ends_without_an_answer_is_counted_as_aborted(struct kunit *test)
{
	struct vsc *v = new_vsc(test);
	unsigned int i;

	v->offer.exec = HVSIM_EXEC_MANUAL;
	v->offer.script.lenient = true;
	vsc_bring_up(v);
	for (i = 0; i < SOME; i++)
		KUNIT_ASSERT_EQ(test, vsc_send(v, "ask", 3, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	vsc_rescind(v);
	vsc_expect_soon(v, atomic_read(&v->removed) == SOME);
	look_expect_number(test, v->kch, "aborted", SOME);
	look_expect_number(test, v->kch, "sent", SOME);
	look_expect_number(test, v->kch, "answers", 0);
	look_expect_number(test, v->kch, "in_flight", 0);
}

/* ---- the files ---- */

static void an_open_file_outlives_the_channels_that_it_shows(struct kunit *test)
{
	static const char * const files[] = { "channels", "counters", "status" };
	struct vsc *v[3];
	struct file *file;
	char buf[16], path[64];
	loff_t pos;
	int i, f;

	for (f = 0; f < ARRAY_SIZE(files); f++) {
		for (i = 0; i < ARRAY_SIZE(v); i++)
			v[i] = new_vsc(test);
		scnprintf(path, sizeof(path), LOOK_DIR "%s", files[f]);
		file = open_path(path, O_RDONLY);
		KUNIT_ASSERT_FALSE(test, IS_ERR(file));
		pos = 0;
		/* in the middle of the first line, then of some other */
		KUNIT_EXPECT_GT(test, look_read(file, buf, sizeof(buf), &pos), 0);
		vsc_drop(v[0]);
		KUNIT_EXPECT_GT(test, look_read(file, buf, sizeof(buf), &pos), 0);
		vsc_drop(v[1]);
		vsc_drop(v[2]);
		while (look_read(file, buf, sizeof(buf), &pos) > 0)
			;
		/* and from the beginning */
		pos = 0;
		KUNIT_EXPECT_GT(test, look_read(file, buf, sizeof(buf), &pos), 0);
		fput(file);
	}
}

struct reader {
	struct helper helper;
	bool stop;
	unsigned int reads;
	char buf[200];
};

static void read_on(void *arg)
{
	static const char * const paths[] = {
		LOOK_DIR "channels", LOOK_DIR "counters", LOOK_DIR "status"
	};
	struct reader *r = arg;

	while (!READ_ONCE(r->stop)) {
		struct file *file = open_path(paths[r->reads++ % ARRAY_SIZE(paths)], O_RDONLY);
		loff_t pos = 0;

		if (IS_ERR(file))
			return;
		/* time for the other in the middle of a file, and none but then passes here */
		while (look_read(file, r->buf, sizeof(r->buf), &pos) > 0)
			schedule_timeout_uninterruptible(1);
		fput(file);
		schedule_timeout_uninterruptible(1);
	}
}

static void reading_goes_on_while_channels_come_and_go(struct kunit *test)
{
	struct reader *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
	struct vsc *v = new_vsc(test), *w;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, r);
	v->offer.script.answer = HVSIM_ANSWER_ECHO;
	vsc_offer(v);
	KUNIT_ASSERT_TRUE(test, helper_start(&r->helper, read_on, r));
	for (i = 0; i < 40 || (READ_ONCE(r->reads) < 4 && i < 1000); i++) {
		KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
		KUNIT_EXPECT_EQ(test, vsc_send(v, "ping", 5, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
		w = vsc_new(test);
		VmbChannelInitSetMaximumPacketCount(w->ch, 2000 + i);
		schedule_timeout_uninterruptible(1);
		VmbChannelDisable(v->ch);
		vsc_drop(w);
	}
	WRITE_ONCE(r->stop, true);
	KUNIT_EXPECT_TRUE(test, helper_join(&r->helper));
	/* each file was read to its end, although it grew */
	KUNIT_EXPECT_GE(test, r->reads, 4u);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->completions), i);
	look_expect_number(test, v->kch, "sent", i);
}

/* ---- leaks ---- */

static void Cleanup_names_packets_and_GPADLs_that_are_still_owned(struct kunit *test)
{
	struct vsc *v = new_vsc(test);
	VMBPACKET one, two;
	UINT32 gpadl;
	struct kmsg k;

	v->offer.script.answer = HVSIM_ANSWER_ECHO;
	vsc_bring_up(v);
	one = vsc_packet(v);
	two = vsc_packet(v);
	KUNIT_ASSERT_EQ(test, VmbChannelCreateGpadl(v->ch, 0, 3, &gpadl), STATUS_SUCCESS);
	kmsg_mark(&k);
	list_del_init(&v->node);
	VmbChannelCleanup(v->ch);
	kmsg_expect(test, &k, 1, "still owned: 2 packets (transactions 0x");
	kmsg_expect(test, &k, 1, " and 1 GPADLs (0x");
	kmsg_expect(test, &k, 1, "; 12288 bytes); called from ");
	kmsg_expect(test, &k, 1, "still owned");
	/* and nothing of it is lost */
	VmbPacketFree(one);
	VmbPacketFree(two);
	kmsg_expect(test, &k, 0, "VmbPacketFree");
}

/* Of many, as many as a line has room for. */
static void Cleanup_names_the_first_of_many_GPADLs(struct kunit *test)
{
	struct vsc *v = new_vsc(test);
	struct kmsg k;
	UINT32 gpadl;
	int i;

	vsc_bring_up(v);
	for (i = 0; i < 20; i++)
		KUNIT_ASSERT_EQ(test, VmbChannelCreateGpadl(v->ch, 0, 1, &gpadl), STATUS_SUCCESS);
	kmsg_mark(&k);
	list_del_init(&v->node);
	VmbChannelCleanup(v->ch);
	kmsg_expect(test, &k, 1, "still owned: 20 GPADLs (0x");
	kmsg_expect(test, &k, 1, ", ...; 81920 bytes); called from ");
}

static UINT32 to_delete;

static void delete_in_Closed(struct vsc *v, enum vsc_event event)
{
	if (event == VSC_CLOSED)
		VmbChannelDeleteGpadl(v->ch, to_delete);
}

static void Cleanup_says_nothing_of_a_driver_that_has_let_go_of_everything(struct kunit *test)
{
	struct vsc *v = new_vsc(test);
	VMBPACKET packet;
	struct kmsg k;

	vsc_bring_up(v);
	packet = vsc_packet(v);
	KUNIT_ASSERT_EQ(test, VmbChannelCreateGpadl(v->ch, 0, 1, &to_delete), STATUS_SUCCESS);
	v->on_state = delete_in_Closed;
	kmsg_mark(&k);
	VmbPacketFree(packet);
	list_del_init(&v->node);
	VmbChannelCleanup(v->ch);
	kmsg_expect(test, &k, 0, "still owned");
}

static void GPADLs_that_Disable_has_deleted_are_no_leak(struct kunit *test)
{
	struct vsc *v = new_vsc(test);
	struct kmsg k;
	UINT32 gpadl;

	vsc_bring_up(v);
	KUNIT_ASSERT_EQ(test, VmbChannelCreateGpadl(v->ch, 0, 1, &gpadl), STATUS_SUCCESS);
	kmsg_mark(&k);
	/* Disable, then Cleanup */
	vsc_drop(v);
	kmsg_expect(test, &k, 0, "still owned");
}

static struct kunit_case observe_cases[] = {
	KUNIT_CASE(every_state_of_a_client_is_shown),
	KUNIT_CASE(a_poisoned_channel_is_shown_with_the_cause),
	KUNIT_CASE(the_table_names_the_channel_and_what_it_is_connected_to),
	KUNIT_CASE(one_that_takes_any_instance_shows_the_one_it_got),
	KUNIT_CASE(rings_and_packets_are_shown_as_full_as_they_are),
	KUNIT_CASE(a_host_that_lies_about_a_ring_is_not_believed),
	KUNIT_CASE(a_sub_channel_is_shown_with_its_primary),
	KUNIT_CASE(what_the_driver_has_not_completed_is_held),
	KUNIT_CASE(gpadls_are_shown_while_they_are_lent),
	KUNIT_CASE(sends_and_answers_are_counted_with_their_bytes),
	KUNIT_CASE(a_full_ring_is_counted_and_what_waits_for_it),
	KUNIT_CASE(what_is_refused_is_not_counted_as_sent),
	KUNIT_CASE(a_request_that_is_sent_at_once_is_counted),
	KUNIT_CASE(a_forged_answer_is_counted_as_stale),
	KUNIT_CASE(a_packet_that_is_deferred_is_counted),
	KUNIT_CASE(what_ends_without_an_answer_is_counted_as_aborted),
	KUNIT_CASE(an_open_file_outlives_the_channels_that_it_shows),
	KUNIT_CASE(reading_goes_on_while_channels_come_and_go),
	KUNIT_CASE(Cleanup_names_packets_and_GPADLs_that_are_still_owned),
	KUNIT_CASE(Cleanup_names_the_first_of_many_GPADLs),
	KUNIT_CASE(Cleanup_says_nothing_of_a_driver_that_has_let_go_of_everything),
	KUNIT_CASE(GPADLs_that_Disable_has_deleted_are_no_leak),
	{}
};

static struct kunit_suite observe_suite = {
	.name = "kmcl_observe",
	.init = vsc_suite_init,
	.exit = vsc_suite_exit,
	.test_cases = observe_cases,
};

kunit_test_suite(observe_suite);
