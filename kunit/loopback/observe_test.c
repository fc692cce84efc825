// SPDX-License-Identifier: GPL-2.0
/* What people see of servers, and of both ends of the loopback: debugfs and the trace. */
#include <linux/slab.h>
#include "../look.h"
#include "../secret.h"
#include "servicing.h"

#define LARGE	65536u		/* a buffer that any chunk fits into */

static int init(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_DEBUG_FS))
		kunit_skip(test, "no debugfs in this kernel");
	return end_init(test);
}

static void every_state_of_a_server_is_shown(struct kunit *test)
{
	struct end *s = end_new(test, true), *c = end_new(test, false);

	look_expect(test, s->kch, "state", "disabled");
	look_expect(test, s->kch, "role", "server");
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(s->ch), STATUS_SUCCESS);
	look_expect(test, s->kch, "state", "offered");
	look_expect(test, s->kch, "transport", "loopback");
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(c->ch), STATUS_SUCCESS);
	end_expect_soon(s, s->logged == 1);
	KUNIT_EXPECT_TRUE(test, becomes(!READ_ONCE(s->kch->life_owner)));
	look_expect(test, s->kch, "state", "paused");
	look_expect(test, c->kch, "state", "running");
	look_expect(test, c->kch, "transport", "loopback");
	VmbChannelStart(s->ch);
	look_expect(test, s->kch, "state", "running");
	KUNIT_ASSERT_EQ(test, VmbChannelSaveBegin(s->ch), STATUS_SUCCESS);
	look_expect(test, s->kch, "state", "saving");
	VmbChannelStart(s->ch);
	look_expect(test, s->kch, "state", "running");
	VmbChannelDisable(c->ch);
	KUNIT_EXPECT_TRUE(test, becomes(READ_ONCE(s->kch->state) == KMCL_WAITING));
	look_expect(test, s->kch, "state", "offered");
}

static void a_server_that_is_being_restored_is_shown_so(struct kunit *test)
{
	struct call *calls = calls_new(test);
	struct blob b = {};
	struct vsp *v, *w;
	struct end *c;

	v = vsp_pair(test, 4, &c);
	KUNIT_ASSERT_EQ(test, call_send(c, calls, 0, 0), STATUS_SUCCESS);
	end_expect_soon(v->e, atomic_read(&v->asked) == 1);
	look_expect_number(test, v->e->kch, "at_driver", 1);
	look_expect_number(test, c->kch, "in_flight", 1);
	blob_save(test, v, &b, LARGE);
	vsp_answer_all(v);
	end_drop(v->e);
	w = vsp_new(test, 4);
	w->calls = calls;
	KUNIT_ASSERT_EQ(test, blob_read(test, w->e, b.bytes, b.size), STATUS_SUCCESS);
	look_expect(test, w->e->kch, "state", "restoring");
	look_expect_number(test, w->e->kch, "held", 1);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(w->e->ch), STATUS_SUCCESS);
	look_expect(test, w->e->kch, "state", "paused");
	VmbChannelStart(w->e->ch);
	look_expect(test, w->e->kch, "state", "running");
	vsp_answer_all(w);
	end_expect_soon(c, calls_are_answered(calls, 1));
	look_expect_number(test, w->e->kch, "held", 0);
	look_expect_number(test, w->e->kch, "replies", 1);
	blob_free(&b);
}

static void what_one_end_has_sent_the_other_has_received(struct kunit *test)
{
	struct end *s, *c;
	int i;

	end_pair(test, &s, &c);
	for (i = 0; i < 5; i++)
		KUNIT_ASSERT_EQ(test, end_send(c, "12345678", 8, WAIT_FOR_COMPLETION),
				STATUS_SUCCESS);
	for (i = 0; i < 3; i++)
		KUNIT_ASSERT_EQ(test, end_send(s, "1234567812345678", 16, 0), STATUS_SUCCESS);
	end_expect_soon(c, atomic_read(&c->ok) == 5);
	end_expect_soon(c, atomic_read(&c->received) == 3);
	look_expect_number(test, c->kch, "sent", 5);
	look_expect_number(test, s->kch, "received", 5);
	look_expect_number(test, s->kch, "received_payload_bytes", 5 * 8);
	look_expect_number(test, s->kch, "replies", 5);
	look_expect_number(test, c->kch, "answers", 5);
	look_expect_number(test, s->kch, "sent", 3);
	look_expect_number(test, c->kch, "received_payload_bytes", 3 * 16);
}

static void a_client_that_lies_is_shown_with_the_cause(struct kunit *test)
{
	struct end *s, *c;

	end_pair(test, &s, &c);
	/* the server reads what the client writes, and the client has lost its mind */
	WRITE_ONCE(s->kch->link->in.ctl->in, cpu_to_le32(0xffffffff));
	rcu_read_lock();
	kmcl_link_event(rcu_dereference(s->kch->link));
	rcu_read_unlock();
	end_expect_soon(s, s->logged == 2);
	look_expect_number(test, s->kch, "poisoned", 1);
	look_expect(test, s->kch, "poisoned_because", "write index outside the ring");
	look_expect_number(test, c->kch, "poisoned", 0);
}

/* ---- what is shown to nobody: see secret_test.c ---- */

static void look_for_secrets(struct secrets *s, struct kmcl_channel *one, struct kmcl_channel *two)
{
	secret_add_channel(s, one);
	if (two)
		secret_add_channel(s, two);
	secret_expect_none(s, look(s->test, LOOK_DIR "channels"), "channels");
	secret_expect_none(s, look(s->test, LOOK_DIR "counters"), "counters");
	secret_expect_none(s, look(s->test, LOOK_DIR "status"), "status");
}

static void no_file_says_where_a_server_is_in_memory(struct kunit *test)
{
	struct secrets *secrets = secrets_new(test);
	struct call *calls = calls_new(test);
	struct blob b = {};
	struct vsp *v, *w;
	struct end *c;
	u32 i;

	secret_know_guid(secrets, &end_type);
	secret_know_guid(secrets, &end_instance);
	v = vsp_pair(test, 4, &c);
	for (i = 0; i < 3; i++)
		KUNIT_ASSERT_EQ(test, call_send(c, calls, i, 0), STATUS_SUCCESS);
	end_expect_soon(v->e, atomic_read(&v->asked) == 3);
	look_for_secrets(secrets, v->e->kch, c->kch);
	KUNIT_ASSERT_EQ(test, VmbChannelSaveBegin(v->e->ch), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, blob_write(test, v->e, &b, LARGE), STATUS_SUCCESS);
	look_for_secrets(secrets, v->e->kch, c->kch);
	VmbChannelSaveEnd(v->e->ch);
	vsp_answer_all(v);
	end_drop(v->e);
	w = vsp_new(test, 4);
	w->calls = calls;
	KUNIT_ASSERT_EQ(test, blob_read(test, w->e, b.bytes, b.size), STATUS_SUCCESS);
	look_for_secrets(secrets, w->e->kch, c->kch);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(w->e->ch), STATUS_SUCCESS);
	VmbChannelStart(w->e->ch);
	vsp_answer_all(w);
	end_expect_soon(c, calls_are_answered(calls, 3));
	look_for_secrets(secrets, w->e->kch, c->kch);
	KUNIT_EXPECT_GT(test, secrets->count, 40u);
	blob_free(&b);
}

/* ---- the trace ---- */

static void save_and_restore_are_traced_step_by_step(struct kunit *test)
{
	struct call *calls = calls_new(test);
	char *text, fields[64];
	struct blob b = {};
	struct vsp *v, *w;
	struct end *c;

	v = vsp_pair(test, 4, &c);
	KUNIT_ASSERT_EQ(test, call_send(c, calls, 0, 0), STATUS_SUCCESS);
	end_expect_soon(v->e, atomic_read(&v->asked) == 1);
	look_trace_begin(test);
	blob_save(test, v, &b, LARGE);
	vsp_answer_all(v);
	end_drop(v->e);
	w = vsp_follow(test, &b, 4, calls);
	text = look_trace_end(test);
	look_expect_record(test, text, v->e->kch, "kmcl_save",
			   "step=begin status=0x00000000 filled=0 required=0");
	scnprintf(fields, sizeof(fields), "step=continue status=0x00000000 filled=%u required=0",
		  b.size);
	look_expect_record(test, text, v->e->kch, "kmcl_save", fields);
	look_expect_record(test, text, v->e->kch, "kmcl_save", "step=end status=0x00000000");
	scnprintf(fields, sizeof(fields), "status=0x00000000 bytes=%u", b.size);
	look_expect_record(test, text, w->e->kch, "kmcl_restore", fields);
	look_expect_record(test, text, w->e->kch, "kmcl_packet_restore",
			   "incoming=1 status=0x00000000");
	vsp_answer_all(w);
	end_expect_soon(c, calls_are_answered(calls, 1));
	blob_free(&b);
}

static void a_GPADL_that_a_server_maps_is_traced(struct kunit *test)
{
	struct end *s, *c;
	char *text, fields[64];
	UINT32 gpadl;
	PMDL mdl;

	end_pair(test, &s, &c);
	KUNIT_ASSERT_EQ(test, VmbChannelCreateGpadl(c->ch, 0, 2, &gpadl), STATUS_SUCCESS);
	look_trace_begin(test);
	KUNIT_EXPECT_EQ(test, VmbChannelMapGpadl(s->ch, 0, gpadl, &mdl), STATUS_SUCCESS);
	VmbChannelUnmapGpadl(s->ch, gpadl);
	text = look_trace_end(test);
	scnprintf(fields, sizeof(fields), "gpadl=0x%x bytes=8192 status=0x00000000", gpadl);
	text = look_expect_record(test, text, s->kch, "kmcl_gpadl_map", fields);
	KUNIT_ASSERT_NOT_NULL(test, text);
	scnprintf(fields, sizeof(fields), "gpadl=0x%x mapped=1", gpadl);
	look_expect_record(test, text, s->kch, "kmcl_gpadl_unmap", fields);
	VmbChannelDeleteGpadl(c->ch, gpadl);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(every_state_of_a_server_is_shown),
	KUNIT_CASE(a_server_that_is_being_restored_is_shown_so),
	KUNIT_CASE(what_one_end_has_sent_the_other_has_received),
	KUNIT_CASE(a_client_that_lies_is_shown_with_the_cause),
	KUNIT_CASE(no_file_says_where_a_server_is_in_memory),
	KUNIT_CASE(save_and_restore_are_traced_step_by_step),
	KUNIT_CASE(a_GPADL_that_a_server_maps_is_traced),
	{}
};

static struct kunit_suite suite = {
	.name = "loopback_observe",
	.init = init,
	.exit = vsp_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
