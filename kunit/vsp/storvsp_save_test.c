// SPDX-License-Identifier: GPL-2.0
/*
 * The storage VSP is serviced: saved, taken down, made anew and restored, while its
 * client waits for answers and sees nothing but a pause.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "../helper.h"
#include "storvsp.h"

#define STATE_MAX	SZ_1M
/* Requests under way, on each channel. */
#define UNDER_WAY	10

static struct completion gate;

/* A state, and how many more pieces of it can be written. */
struct state {
	u8 *bytes;
	u32 len;
	int left;
};

static NTSTATUS write_state(PVOID context, const VOID *buffer, ULONG len)
{
	struct state *st = context;

	if (!st->left || len > STATE_MAX - st->len)
		return STATUS_UNSUCCESSFUL;
	st->left--;
	memcpy(st->bytes + st->len, buffer, len);
	st->len += len;
	return STATUS_SUCCESS;
}

/* One read of one block: it must end once, and bring the block. */
struct request {
	struct sv *sv;
	u8 *buf;
	PMDL mdl;
	u64 lba;
	atomic_t ends;
	bool good;
};

static struct request requests[3 * UNDER_WAY];
static unsigned int nr_requests;

static VOID request_done(VMBPACKET packet, PVOID context, NTSTATUS status, PVOID buf, UINT32 len)
{
	struct sv_msg *answer = buf;
	struct request *r = context;

	r->good = NT_SUCCESS(status) && len == sizeof(*answer) && answer->srb_status == SV_GOOD &&
		  !memcmp(r->buf, r->sv->memory + r->lba * SV_BLOCK, SV_BLOCK);
	VmbPacketFree(packet);
	atomic_inc(&r->ends);
}

static void request_start(struct sv *sv, struct client *c)
{
	struct request *r = &requests[nr_requests];
	VMBPACKET packet = VmbPacketAllocate(c->ch);
	u8 cdb[10] = { 0x28, [8] = 1 };
	struct sv_msg msg;

	KUNIT_ASSERT_NOT_NULL(sv->test, packet);
	memset(r, 0, sizeof(*r));
	r->sv = sv;
	r->lba = 3 * nr_requests++;
	cdb[5] = r->lba;
	memset(sv->memory + r->lba * SV_BLOCK, r->lba + 1, SV_BLOCK);
	r->buf = kmalloc(SV_BLOCK, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(sv->test, r->buf);
	r->mdl = sv_mdl(sv->test, r->buf, SV_BLOCK);
	VmbPacketSetCompletionRoutineEx(packet, r, request_done);
	sv_command(&msg, cdb, 10, SV_IN, SV_BLOCK);
	KUNIT_EXPECT_EQ(sv->test, VmbPacketSend(packet, &msg, sizeof(msg), r->mdl,
						VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION),
			STATUS_SUCCESS);
}

static void requests_end(struct sv *sv, bool good)
{
	unsigned int i;

	for (i = 0; i < nr_requests; i++) {
		KUNIT_EXPECT_TRUE_MSG(sv->test, becomes(atomic_read(&requests[i].ends)),
				      "request %u never ends", i);
		KUNIT_EXPECT_EQ(sv->test, atomic_read(&requests[i].ends), 1);
		if (good)
			KUNIT_EXPECT_TRUE_MSG(sv->test, requests[i].good, "request %u", i);
	}
}

static int init(struct kunit *test)
{
	struct state *st = kunit_kzalloc(test, sizeof(*st), GFP_KERNEL);
	int ret = sv_init(test);

	if (ret || !st)
		return ret ?: -ENOMEM;
	st->bytes = vmalloc(STATE_MAX);
	if (!st->bytes)
		return -ENOMEM;
	((struct sv *)test->priv)->c->priv = st;
	nr_requests = 0;
	init_completion(&gate);
	return 0;
}

static struct state *state_of(struct sv *sv)
{
	return sv->c->priv;
}

static void exit(struct kunit *test)
{
	struct sv *sv = test->priv;
	u8 *bytes = sv && sv->c && sv->c->priv ? state_of(sv)->bytes : NULL;

	sv_exit(test);
	vfree(bytes);
	while (nr_requests--) {
		IoFreeMdl(requests[nr_requests].mdl);
		kfree(requests[nr_requests].buf);
	}
}

/* ---- steps ---- */

static unsigned int waiting(struct sv *sv)
{
	VSP_INFORMATION info;

	VspQueryInformation(sv->server, &info);
	return info.Waiting;
}

/* With requests that wait behind the one that is being served, on each channel. */
static void fill(struct sv *sv, struct client **c, int channels)
{
	int i, j;

	sv->gate = &gate;
	for (i = 0; i < channels; i++)
		for (j = 0; j < UNDER_WAY; j++)
			request_start(sv, c[i]);
	KUNIT_ASSERT_TRUE(sv->test, becomes(waiting(sv) == channels * (UNDER_WAY - 1)));
}

struct saving {
	struct sv *sv;
	NTSTATUS status;
};

static void save_thread(void *arg)
{
	struct saving *s = arg;

	s->status = VspSave(s->sv->server, write_state, state_of(s->sv));
}

/*
 * @writes of the state succeed. What is being served is let through; with several
 * channels that may be more than one request of those that are held last.
 */
static NTSTATUS save(struct sv *sv, int writes)
{
	/* a thread that never ends may still look at them */
	static struct saving s;
	static struct helper h;
	struct state *st = state_of(sv);
	int i;

	s.sv = sv;
	st->len = 0;
	st->left = writes;
	KUNIT_ASSERT_TRUE(sv->test, helper_start(&h, save_thread, &s));
	for (i = 0; i < 100 && !try_wait_for_completion(&h.done); i++) {
		/* held before it is let go */
		schedule_timeout_uninterruptible(2);
		if (sv->gate)
			complete(sv->gate);
	}
	KUNIT_ASSERT_LT_MSG(sv->test, i, 100, "nothing comes of it");
	return s.status;
}

static void open_gate(struct sv *sv)
{
	complete_all(&gate);
}

/* The old one goes, a new one takes over. */
static NTSTATUS restore(struct sv *sv, u32 len)
{
	VspDestroy(sv->server);
	sv->server = NULL;
	sv_create(sv);
	return VspRestore(sv->server, state_of(sv)->bytes, len);
}

/* ---- cases ---- */

static const u8 test_unit_ready[6];

static void a_client_without_requests_sees_nothing(struct kunit *test)
{
	struct sv *sv = test->priv;
	struct sv_msg msg;
	VSP_INFORMATION info;
	int i;

	sv_connect(sv, 0x0602);
	for (i = 0; i < 3; i++) {
		KUNIT_ASSERT_EQ(test, save(sv, -1), STATUS_SUCCESS);
		VspQueryInformation(sv->server, &info);
		KUNIT_EXPECT_TRUE(test, info.Saved);
		KUNIT_ASSERT_EQ(test, restore(sv, state_of(sv)->len), STATUS_SUCCESS);
		KUNIT_EXPECT_TRUE(test, client_is_open(sv->c));
		KUNIT_EXPECT_EQ(test, sv_do(sv, &msg, test_unit_ready, 6, SV_NONE, NULL, 0),
				SV_GOOD);
	}
	/* and can go and come back */
	client_close(sv->c);
	sv_connect(sv, 0x0602);
	KUNIT_EXPECT_EQ(test, sv_do(sv, &msg, test_unit_ready, 6, SV_NONE, NULL, 0), SV_GOOD);
}

static void requests_on_every_channel_are_answered_once(struct kunit *test)
{
	struct sv *sv = test->priv;
	struct client *c[3];
	struct sv_msg msg = { };
	VSP_INFORMATION info;

	sv_connect(sv, 0x0602);
	c[0] = sv->c;
	c[1] = client_new_sub(sv->c, 1);
	c[2] = client_new_sub(sv->c, 2);
	msg.words[0] = cpu_to_le16(2);
	KUNIT_ASSERT_EQ(test, sv_ask(sv->c, SV_SUB_CHANNELS, &msg), 0u);
	client_open(c[1]);
	client_open(c[2]);
	fill(sv, c, 3);
	KUNIT_ASSERT_EQ(test, save(sv, -1), STATUS_SUCCESS);
	KUNIT_EXPECT_GT(test, waiting(sv), 0u);
	KUNIT_ASSERT_EQ(test, restore(sv, state_of(sv)->len), STATUS_SUCCESS);
	open_gate(sv);
	requests_end(sv, true);
	VspQueryInformation(sv->server, &info);
	KUNIT_EXPECT_EQ(test, info.Channels, 3u);
	KUNIT_EXPECT_EQ(test, info.Version, 0x0602u);
	KUNIT_EXPECT_TRUE(test, client_is_open(c[0]));
	KUNIT_EXPECT_TRUE(test, client_is_open(c[1]));
	KUNIT_EXPECT_TRUE(test, client_is_open(c[2]));
}

static void a_saved_controller_can_go_on(struct kunit *test)
{
	struct sv *sv = test->priv;

	sv_connect(sv, 0x0602);
	fill(sv, &sv->c, 1);
	KUNIT_ASSERT_EQ(test, save(sv, -1), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VspSave(sv->server, write_state, state_of(sv)),
			STATUS_INVALID_DEVICE_STATE);
	open_gate(sv);
	schedule_timeout_uninterruptible(HZ);
	KUNIT_EXPECT_EQ(test, waiting(sv), UNDER_WAY - 1u);
	VspResume(sv->server);
	requests_end(sv, true);
}

static void a_save_that_cannot_be_written_changes_nothing(struct kunit *test)
{
	struct sv *sv = test->priv;
	int writes;

	sv_connect(sv, 0x0602);
	/* the head, a piece's head, a piece, and the last one's */
	for (writes = 0; writes < 4; writes++)
		KUNIT_EXPECT_EQ(test, save(sv, writes), STATUS_UNSUCCESSFUL);
	fill(sv, &sv->c, 1);
	KUNIT_EXPECT_EQ(test, save(sv, 1), STATUS_UNSUCCESSFUL);
	open_gate(sv);
	requests_end(sv, true);
}

/* Between two steps, too: the next one is the one that is expected. */
static void the_handshake_goes_on_where_it_was(struct kunit *test)
{
	struct sv *sv = test->priv;
	struct sv_msg msg = { };

	client_open(sv->c);
	KUNIT_ASSERT_EQ(test, sv_ask(sv->c, SV_BEGIN, &msg), 0u);
	msg.words[0] = cpu_to_le16(0x0600);
	KUNIT_ASSERT_EQ(test, sv_ask(sv->c, SV_VERSION, &msg), 0u);
	KUNIT_ASSERT_EQ(test, save(sv, -1), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, restore(sv, state_of(sv)->len), STATUS_SUCCESS);
	KUNIT_EXPECT_NE(test, sv_ask(sv->c, SV_VERSION, &msg), 0u);
	KUNIT_EXPECT_EQ(test, sv_ask(sv->c, SV_PROPERTIES, &msg), 0u);
	KUNIT_EXPECT_EQ(test, sv_ask(sv->c, SV_END, &msg), 0u);
	KUNIT_EXPECT_EQ(test, sv_do(sv, &msg, test_unit_ready, 6, SV_NONE, NULL, 0), SV_GOOD);
}

static void a_controller_without_a_client_is_just_offered_again(struct kunit *test)
{
	struct sv *sv = test->priv;
	struct sv_msg msg;

	KUNIT_ASSERT_EQ(test, save(sv, -1), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, restore(sv, state_of(sv)->len), STATUS_SUCCESS);
	sv_connect(sv, 0x0602);
	KUNIT_EXPECT_EQ(test, sv_do(sv, &msg, test_unit_ready, 6, SV_NONE, NULL, 0), SV_GOOD);
}

/* Refused before anything is touched: the whole state is good afterwards. */
static void a_state_that_is_cut_or_changed_is_refused(struct kunit *test)
{
	struct sv *sv = test->priv;
	struct state *st = state_of(sv);
	u32 len, i;

	sv_connect(sv, 0x0602);
	fill(sv, &sv->c, 1);
	KUNIT_ASSERT_EQ(test, save(sv, -1), STATUS_SUCCESS);
	len = st->len;
	VspDestroy(sv->server);
	sv_create(sv);
	for (i = 0; i < len; i += i < 128 ? 1 : 61) {
		KUNIT_EXPECT_FALSE(test, NT_SUCCESS(VspRestore(sv->server, st->bytes, i)));
		/* the heads: of the state, and of the first piece */
		if (i < 44) {
			st->bytes[i] ^= 0x10;
			KUNIT_EXPECT_FALSE_MSG(test, NT_SUCCESS(VspRestore(sv->server, st->bytes,
									   len)),
					       "byte %u", i);
			st->bytes[i] ^= 0x10;
		}
	}
	/* more than there was */
	KUNIT_EXPECT_FALSE(test, NT_SUCCESS(VspRestore(sv->server, st->bytes, len + 1)));
	KUNIT_EXPECT_TRUE(test, client_is_open(sv->c));
	KUNIT_EXPECT_EQ(test, VspRestore(sv->server, st->bytes, len), STATUS_SUCCESS);
	open_gate(sv);
	requests_end(sv, true);
}

/* The library's own part: its client is let go, and everything ends once. */
static void a_damaged_piece_restores_nothing(struct kunit *test)
{
	struct sv *sv = test->priv;
	struct state *st = state_of(sv);

	sv_connect(sv, 0x0602);
	fill(sv, &sv->c, 1);
	KUNIT_ASSERT_EQ(test, save(sv, -1), STATUS_SUCCESS);
	st->bytes[st->len / 2] ^= 1;
	KUNIT_EXPECT_FALSE(test, NT_SUCCESS(restore(sv, st->len)));
	VspDestroy(sv->server);
	sv->server = NULL;
	client_close(sv->c);
	requests_end(sv, false);
	/* who comes now is offered something new */
	sv_create(sv);
	open_gate(sv);
	KUNIT_EXPECT_EQ(test, VspOffer(sv->server), STATUS_SUCCESS);
	sv_connect(sv, 0x0602);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_client_without_requests_sees_nothing),
	KUNIT_CASE(requests_on_every_channel_are_answered_once),
	KUNIT_CASE(a_saved_controller_can_go_on),
	KUNIT_CASE(a_save_that_cannot_be_written_changes_nothing),
	KUNIT_CASE(the_handshake_goes_on_where_it_was),
	KUNIT_CASE(a_controller_without_a_client_is_just_offered_again),
	KUNIT_CASE(a_state_that_is_cut_or_changed_is_refused),
	KUNIT_CASE(a_damaged_piece_restores_nothing),
	{}
};

static struct kunit_suite suite = {
	.name = "vsp_storvsp_save",
	.init = init,
	.exit = exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
