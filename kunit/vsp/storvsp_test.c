// SPDX-License-Identifier: GPL-2.0
/*
 * The storage VSP: its handshake and its channels.
 */
#include <linux/module.h>
#include "../helper.h"
#include "storvsp.h"

static const u8 test_unit_ready[6];

static void the_handshake_leads_to_commands(struct kunit *test)
{
	struct sv *sv = test->priv;
	struct sv_msg msg = { };
	VSP_INFORMATION info;

	client_open(sv->c);
	KUNIT_EXPECT_EQ(test, sv_ask(sv->c, SV_BEGIN, &msg), 0u);
	msg.words[0] = cpu_to_le16(0x0602);
	KUNIT_EXPECT_EQ(test, sv_ask(sv->c, SV_VERSION, &msg), 0u);
	memset(&msg, 0xff, sizeof(msg));
	KUNIT_EXPECT_EQ(test, sv_ask(sv->c, SV_PROPERTIES, &msg), 0u);
	KUNIT_EXPECT_EQ(test, le16_to_cpu(msg.words[2]), SV_SUBS);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(msg.longs[2]), 1u);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(msg.longs[3]), (u32)SV_TRANSFER);
	KUNIT_EXPECT_EQ(test, sv_ask(sv->c, SV_END, &msg), 0u);
	KUNIT_EXPECT_EQ(test, sv_do(sv, &msg, test_unit_ready, 6, SV_NONE, NULL, 0), SV_GOOD);
	VspQueryInformation(sv->server, &info);
	KUNIT_EXPECT_EQ(test, info.Version, 0x0602u);
	KUNIT_EXPECT_EQ(test, info.Channels, 1u);
	KUNIT_EXPECT_EQ(test, VspQueryRequests(sv->server, 0), 5);
	sv_expect_bad(sv, 0);
}

static void a_client_may_ask_for_another_version(struct kunit *test)
{
	static const u16 unknown[] = { 0, 0x0200, 0x0603, 0x0700, 0xffff };
	struct sv *sv = test->priv;
	struct sv_msg msg = { };
	unsigned int i;

	client_open(sv->c);
	KUNIT_EXPECT_EQ(test, sv_ask(sv->c, SV_BEGIN, &msg), 0u);
	for (i = 0; i < ARRAY_SIZE(unknown); i++) {
		msg.words[0] = cpu_to_le16(unknown[i]);
		KUNIT_EXPECT_NE(test, sv_ask(sv->c, SV_VERSION, &msg), 0u);
	}
	msg.words[0] = cpu_to_le16(0x0501);
	KUNIT_EXPECT_EQ(test, sv_ask(sv->c, SV_VERSION, &msg), 0u);
	KUNIT_EXPECT_NE(test, sv_ask(sv->c, SV_VERSION, &msg), 0u);
}

static void a_client_of_version_4_2_has_short_messages_and_one_channel(struct kunit *test)
{
	struct sv *sv = test->priv;
	struct sv_msg msg = { }, answer = { };

	client_open(sv->c);
	KUNIT_EXPECT_EQ(test, sv_ask(sv->c, SV_BEGIN, &msg), 0u);
	msg.words[0] = cpu_to_le16(0x0402);
	KUNIT_EXPECT_EQ(test, sv_ask(sv->c, SV_VERSION, &msg), 0u);
	memset(msg.bytes, 0xff, sizeof(msg.bytes));
	KUNIT_EXPECT_EQ(test, sv_ask(sv->c, SV_PROPERTIES, &msg), 0u);
	KUNIT_EXPECT_EQ(test, le16_to_cpu(msg.words[2]), 0);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(msg.longs[2]), 0u);
	KUNIT_EXPECT_EQ(test, sv_ask(sv->c, SV_END, &msg), 0u);
	sv_command(&msg, test_unit_ready, 6, SV_NONE, 0);
	KUNIT_EXPECT_EQ(test, client_ask(sv->c, &msg, 48, NULL, &answer, sizeof(answer)), 48);
	KUNIT_EXPECT_EQ(test, answer.srb_status, SV_GOOD);
	msg.words[0] = cpu_to_le16(1);
	KUNIT_EXPECT_NE(test, sv_ask(sv->c, SV_SUB_CHANNELS, &msg), 0u);
}

/* Which step may be asked in which order: each out of turn changes nothing. */
static void a_step_out_of_turn_is_refused(struct kunit *test)
{
	static const enum sv_op order[] = { SV_BEGIN, SV_VERSION, SV_PROPERTIES, SV_END };
	struct sv *sv = test->priv;
	struct sv_msg msg = { };
	unsigned int step, op;
	s64 refused = 0;

	client_open(sv->c);
	for (step = 0; step <= ARRAY_SIZE(order); step++) {
		for (op = 0; op < 16; op++) {
			/* commands and resets are no steps; sub-channels come last */
			if (op == SV_SRB || (op >= 4 && op <= SV_RESET) ||
			    (step < ARRAY_SIZE(order) && op == order[step]) ||
			    (step == ARRAY_SIZE(order) && op == SV_SUB_CHANNELS))
				continue;
			memset(&msg, 0, sizeof(msg));
			KUNIT_EXPECT_NE_MSG(test, sv_ask(sv->c, op, &msg), 0u,
					    "operation %u in step %u", op, step);
			refused++;
		}
		if (step == ARRAY_SIZE(order))
			break;
		msg.words[0] = cpu_to_le16(0x0602);
		KUNIT_EXPECT_EQ(test, sv_ask(sv->c, order[step], &msg), 0u);
	}
	sv_expect_bad(sv, refused);
	KUNIT_EXPECT_EQ(test, sv_do(sv, &msg, test_unit_ready, 6, SV_NONE, NULL, 0), SV_GOOD);
}

static void a_command_before_the_end_of_the_handshake_is_refused(struct kunit *test)
{
	struct sv *sv = test->priv;
	struct sv_msg msg = { };

	client_open(sv->c);
	sv_command(&msg, test_unit_ready, 6, SV_NONE, 0);
	sv_run(sv->c, &msg, NULL, 0);
	KUNIT_EXPECT_NE(test, le32_to_cpu(msg.status), 0u);
	sv_expect_bad(sv, 1);
}

static void a_reset_is_answered(struct kunit *test)
{
	struct sv *sv = test->priv;
	struct sv_msg msg = { };

	sv_connect(sv, 0x0602);
	KUNIT_EXPECT_EQ(test, sv_ask(sv->c, SV_RESET, &msg), 0u);
	KUNIT_EXPECT_EQ(test, sv_do(sv, &msg, test_unit_ready, 6, SV_NONE, NULL, 0), SV_GOOD);
	sv_expect_bad(sv, 0);
}

static void a_client_that_comes_back_shakes_hands_anew(struct kunit *test)
{
	struct sv *sv = test->priv;
	struct sv_msg msg = { };
	VSP_INFORMATION info;

	sv_connect(sv, 0x0602);
	client_close(sv->c);
	KUNIT_EXPECT_TRUE(test, becomes((VspQueryInformation(sv->server, &info), !info.Channels)));
	KUNIT_EXPECT_EQ(test, info.Version, 0u);
	client_open(sv->c);
	sv_command(&msg, test_unit_ready, 6, SV_NONE, 0);
	sv_run(sv->c, &msg, NULL, 0);
	KUNIT_EXPECT_NE(test, le32_to_cpu(msg.status), 0u);
	client_close(sv->c);
	sv_connect(sv, 0x0600);
	KUNIT_EXPECT_EQ(test, sv_do(sv, &msg, test_unit_ready, 6, SV_NONE, NULL, 0), SV_GOOD);
}

/* Whatever comes, there is one answer, and no longer than the question. */
static void a_message_of_any_length_is_answered(struct kunit *test)
{
	u8 *junk = kunit_kzalloc(test, 512, GFP_KERNEL), answer[64];
	struct sv *sv = test->priv;
	struct sv_msg msg;
	int byte, len;

	KUNIT_ASSERT_NOT_NULL(test, junk);
	sv_connect(sv, 0x0602);
	for (byte = 0; byte < 16; byte++) {
		/* a reset would be served */
		if (byte >= 4 && byte <= SV_RESET)
			continue;
		for (len = 0; len < 64; len += 8) {
			memset(junk, 0, len);
			if (len)
				junk[0] = byte;
			KUNIT_EXPECT_EQ(test, client_ask(sv->c, junk, len, NULL, answer, 64),
					len < 12 ? 0 : len);
			if (len >= 12)
				KUNIT_EXPECT_NE(test, *(u32 *)(answer + 8), 0u);
		}
	}
	sv_expect_bad(sv, 13 * 8);
	/* longer than any: the beginning counts */
	sv_command(&msg, test_unit_ready, 6, SV_NONE, 0);
	memcpy(junk, &msg, sizeof(msg));
	KUNIT_EXPECT_EQ(test, client_ask(sv->c, junk, 512, NULL, answer, 64), 64);
	KUNIT_EXPECT_EQ(test, ((struct sv_msg *)answer)->srb_status, SV_GOOD);
	/* nobody answers what wants no answer */
	client_tell(sv->c, junk, 8);
	client_tell(sv->c, &msg, sizeof(msg));
	KUNIT_EXPECT_EQ(test, sv_do(sv, &msg, test_unit_ready, 6, SV_NONE, NULL, 0), SV_GOOD);
}

static void sub_channels_are_offered_when_they_are_asked_for(struct kunit *test)
{
	struct sv *sv = test->priv;
	struct client *sub[SV_SUBS];
	struct sv_msg msg = { };
	VSP_INFORMATION info;
	unsigned int i;

	sv_connect(sv, 0x0602);
	for (i = 0; i < SV_SUBS; i++) {
		sub[i] = client_new_sub(sv->c, i + 1);
		KUNIT_ASSERT_EQ(test, VmbChannelEnable(sub[i]->ch), STATUS_SUCCESS);
		KUNIT_EXPECT_FALSE(test, client_is_open(sub[i]));
	}
	msg.words[0] = cpu_to_le16(SV_SUBS + 1);
	KUNIT_EXPECT_NE(test, sv_ask(sv->c, SV_SUB_CHANNELS, &msg), 0u);
	msg.words[0] = cpu_to_le16(SV_SUBS - 1);
	KUNIT_EXPECT_EQ(test, sv_ask(sv->c, SV_SUB_CHANNELS, &msg), 0u);
	for (i = 0; i < SV_SUBS - 1; i++) {
		KUNIT_ASSERT_TRUE(test, becomes(client_is_open(sub[i])));
		sv_command(&msg, test_unit_ready, 6, SV_NONE, 0);
		sv_run(sub[i], &msg, NULL, 0);
		KUNIT_EXPECT_EQ(test, msg.srb_status, SV_GOOD);
		KUNIT_EXPECT_EQ(test, VspQueryRequests(sv->server, i + 1), 1);
	}
	KUNIT_EXPECT_FALSE(test, client_is_open(sub[i]));
	VspQueryInformation(sv->server, &info);
	KUNIT_EXPECT_EQ(test, info.Channels, (ULONG)SV_SUBS);
	/* no more, and no handshake there */
	msg.words[0] = cpu_to_le16(1);
	KUNIT_EXPECT_NE(test, sv_ask(sv->c, SV_SUB_CHANNELS, &msg), 0u);
	KUNIT_EXPECT_NE(test, sv_ask(sub[0], SV_BEGIN, &msg), 0u);
	sv_expect_bad(sv, 3);
}

static void sub_channels_go_with_their_primary_and_come_back(struct kunit *test)
{
	struct sv *sv = test->priv;
	struct client *sub;
	struct sv_msg msg = { };
	VSP_INFORMATION info;
	int i;

	sub = client_new_sub(sv->c, 1);
	for (i = 0; i < 3; i++) {
		sv_connect(sv, 0x0602);
		msg.words[0] = cpu_to_le16(1);
		KUNIT_EXPECT_EQ(test, sv_ask(sv->c, SV_SUB_CHANNELS, &msg), 0u);
		client_open(sub);
		client_close(sv->c);
		KUNIT_EXPECT_FALSE(test, client_is_open(sub));
		KUNIT_EXPECT_TRUE(test, becomes((VspQueryInformation(sv->server, &info),
						 !info.Channels)));
	}
}

static struct kunit_case cases[] = {
	KUNIT_CASE(the_handshake_leads_to_commands),
	KUNIT_CASE(a_client_may_ask_for_another_version),
	KUNIT_CASE(a_client_of_version_4_2_has_short_messages_and_one_channel),
	KUNIT_CASE(a_step_out_of_turn_is_refused),
	KUNIT_CASE(a_command_before_the_end_of_the_handshake_is_refused),
	KUNIT_CASE(a_reset_is_answered),
	KUNIT_CASE(a_client_that_comes_back_shakes_hands_anew),
	KUNIT_CASE(a_message_of_any_length_is_answered),
	KUNIT_CASE(sub_channels_are_offered_when_they_are_asked_for),
	KUNIT_CASE(sub_channels_go_with_their_primary_and_come_back),
	{}
};

static struct kunit_suite suite = {
	.name = "vsp_storvsp",
	.init = sv_init,
	.exit = sv_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
