// SPDX-License-Identifier: GPL-2.0
/*
 * VmbChannelSendSynchronousRequest(): every form of its timeout.
 */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/slab.h>
#include "fixture.h"

#define NT_EPOCH	116444736000000000LL
#define MS		10000LL		/* in 100 ns */

static FN_VMB_CHANNEL_SEND_SYNCHRONOUS_REQUEST *const sync = VmbChannelSendSynchronousRequest;

static LARGE_INTEGER nt_time(s64 value)
{
	return (LARGE_INTEGER) { .QuadPart = value };
}

/* Now and @ms milliseconds, as Windows counts from 1601. */
static LARGE_INTEGER absolute(s64 ms)
{
	return nt_time(ktime_get_real_ns() / 100 + NT_EPOCH + ms * MS);
}

struct req {
	u8 answer[64];
	UINT32 size;
	NTSTATUS status;
	s64 took;			/* in 100 ns */
};

/* One request of 8 bytes with room for an answer of 32. */
static NTSTATUS request(struct vsc *v, struct req *r, u64 value, u32 flags,
			LARGE_INTEGER *timeout)
{
	ktime_t start = ktime_get();

	memset(r->answer, 0xcc, sizeof(r->answer));
	r->size = 32;
	r->status = sync(v->ch, &value, sizeof(value), NULL, flags, r->answer, &r->size, timeout);
	r->took = ktime_to_ns(ktime_sub(ktime_get(), start)) / 100;
	return r->status;
}

static NTSTATUS request_for(struct vsc *v, struct req *r, u32 flags, s64 timeout)
{
	LARGE_INTEGER t = nt_time(timeout);

	return request(v, r, 1, flags, &t);
}

static unsigned long arrived(struct vsc *v)
{
	hvsim_settle();
	return v->host->stats.packets[VM_PKT_DATA_INBAND];
}

static struct vsc *request_vsc(struct kunit *test, enum hvsim_exec exec,
			       enum hvsim_answer answer)
{
	struct vsc *v = vsc_new(test);

	v->offer.exec = exec;
	v->offer.script.answer = answer;
	vsc_bring_up(v);
	return v;
}

static void a_refused_request_names_its_parameter(struct kunit *test)
{
	struct vsc *v = request_vsc(test, HVSIM_EXEC_INLINE, HVSIM_ANSWER_ECHO);
	u8 *buf = kunit_kzalloc(test, 8192, GFP_KERNEL);
	const u32 wait = WAIT_FOR_COMPLETION;
	MDL mdl = { .Size = sizeof(mdl) };
	UINT32 size;

	KUNIT_EXPECT_EQ(test, sync(NULL, buf, 8, NULL, wait, NULL, NULL, NULL),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, sync(v->ch, NULL, 8, NULL, wait, NULL, NULL, NULL),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, sync(v->ch, buf, 4097, NULL, wait, NULL, NULL, NULL),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, sync(v->ch, buf, 8, NULL, 0x20, NULL, NULL, NULL),
			STATUS_INVALID_PARAMETER_5);
	KUNIT_EXPECT_EQ(test, sync(v->ch, buf, 8, &mdl, 0, NULL, NULL, NULL),
			STATUS_INVALID_PARAMETER_5);
	size = 8;
	KUNIT_EXPECT_EQ(test, sync(v->ch, buf, 8, NULL, wait, NULL, &size, NULL),
			STATUS_INVALID_PARAMETER_6);
	for (size = 1; size < 32; size++)
		if (size % 8)
			KUNIT_EXPECT_EQ(test, sync(v->ch, buf, 8, NULL, wait, buf, &size, NULL),
					STATUS_INVALID_PARAMETER_7);
	KUNIT_EXPECT_EQ(test, arrived(v), 0ul);
}

static void without_a_timeout_it_waits_for_the_answer(struct kunit *test)
{
	struct vsc *v = request_vsc(test, HVSIM_EXEC_ASYNC, HVSIM_ANSWER_ECHO);
	struct req r;
	u64 i;

	for (i = 1; i <= 100; i++) {
		KUNIT_ASSERT_EQ(test, request(v, &r, i, WAIT_FOR_COMPLETION, NULL),
				STATUS_SUCCESS);
		KUNIT_EXPECT_EQ(test, r.size, 8u);
		KUNIT_EXPECT_EQ(test, *(u64 *)r.answer, i);
		KUNIT_EXPECT_NULL(test, memchr_inv(r.answer + 8, 0xcc, sizeof(r.answer) - 8));
	}
}

static void an_empty_answer_needs_no_buffer(struct kunit *test)
{
	struct vsc *v = request_vsc(test, HVSIM_EXEC_ASYNC, HVSIM_ANSWER_FIXED);
	UINT32 size = 0;

	KUNIT_EXPECT_EQ(test, sync(v->ch, NULL, 0, NULL, WAIT_FOR_COMPLETION, NULL, NULL, NULL),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, sync(v->ch, NULL, 0, NULL, WAIT_FOR_COMPLETION, NULL, &size, NULL),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, size, 0u);
}

static void a_longer_answer_fills_the_buffer_and_overflows(struct kunit *test)
{
	static const char fixed[48] = "0123456789abcdef0123456789abcdefXXXXXXXXXXXXXXX";
	struct vsc *v = vsc_new(test);
	struct req r;

	v->offer.script.answer = HVSIM_ANSWER_FIXED;
	v->offer.script.fixed = fixed;
	v->offer.script.fixed_len = sizeof(fixed);
	vsc_bring_up(v);
	KUNIT_EXPECT_EQ(test, request(v, &r, 1, WAIT_FOR_COMPLETION, NULL),
			STATUS_BUFFER_OVERFLOW);
	KUNIT_EXPECT_EQ(test, r.size, 32u);
	KUNIT_EXPECT_MEMEQ(test, r.answer, fixed, 32);
	KUNIT_EXPECT_NULL(test, memchr_inv(r.answer + 32, 0xcc, sizeof(r.answer) - 32));
	v->host->script.fixed_len = 32;
	KUNIT_EXPECT_EQ(test, request(v, &r, 1, WAIT_FOR_COMPLETION, NULL), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, r.size, 32u);
}

static void without_wait_and_with_no_time_it_is_sent_and_forgotten(struct kunit *test)
{
	struct vsc *v = request_vsc(test, HVSIM_EXEC_MANUAL, HVSIM_ANSWER_ECHO);
	struct req r;

	KUNIT_EXPECT_EQ(test, request_for(v, &r, 0, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, r.size, 0u);
	KUNIT_EXPECT_NULL(test, memchr_inv(r.answer, 0xcc, sizeof(r.answer)));
	hvsim_run(v->host);
	KUNIT_EXPECT_EQ(test, arrived(v), 1ul);
	KUNIT_EXPECT_EQ(test, v->host->stats.answers, 0ul);
}

static void with_no_time_it_never_queues(struct kunit *test, bool pipe)
{
	struct vsc *v = vsc_new(test);
	unsigned long n = 0;
	struct req r;

	if (pipe)
		KUNIT_ASSERT_EQ(test, VmbChannelInitSetFlags(v->ch,
							     VMBUS_CHANNEL_INIT_FLAG_IS_PIPE),
				STATUS_SUCCESS);
	vsc_bring_up(v);
	hvsim_stall(v->host);
	while (request_for(v, &r, 0, 0) == STATUS_SUCCESS && n < 10000)
		n++;
	KUNIT_EXPECT_EQ(test, r.status, STATUS_BUFFER_OVERFLOW);
	KUNIT_EXPECT_EQ(test, v->kch->stats.queued, 0ull);
	KUNIT_EXPECT_GT(test, n, 1000ul);
	hvsim_resume(v->host);
	KUNIT_EXPECT_EQ(test, arrived(v), n);
	KUNIT_EXPECT_EQ(test, request_for(v, &r, 0, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, arrived(v), n + 1);

	VmbChannelPause(v->ch);
	KUNIT_EXPECT_EQ(test, request_for(v, &r, 0, 0), STATUS_BUFFER_OVERFLOW);
	VmbChannelStart(v->ch);
	KUNIT_EXPECT_EQ(test, arrived(v), n + 1);
}

static void with_no_time_and_a_full_ring_it_overflows_and_never_queues(struct kunit *test)
{
	with_no_time_it_never_queues(test, false);
	hvsim_reset();
	with_no_time_it_never_queues(test, true);
}

/* Sends of 4,096 bytes until one queues. */
static unsigned long fill_the_ring(struct vsc *v)
{
	u8 *big = kunit_kzalloc(v->test, 4096, GFP_KERNEL);
	unsigned long n = 0;

	hvsim_stall(v->host);
	while (!v->kch->stats.queued && n++ < 100)
		KUNIT_ASSERT_EQ(v->test, vsc_send(v, big, 4096, 0), STATUS_SUCCESS);
	return n;
}

static void with_no_time_it_overtakes_nothing(struct kunit *test)
{
	struct vsc *v = request_vsc(test, HVSIM_EXEC_ASYNC, HVSIM_ANSWER_ECHO);
	unsigned long n = fill_the_ring(v);
	struct req r;

	/* 8 bytes would fit where 4,096 did not */
	KUNIT_EXPECT_EQ(test, request_for(v, &r, 0, 0), STATUS_BUFFER_OVERFLOW);
	hvsim_resume(v->host);
	vsc_expect_soon(v, atomic_read(&v->ok) == n);
	KUNIT_EXPECT_EQ(test, arrived(v), n);
}

static void without_wait_it_queues_and_returns(struct kunit *test)
{
	struct vsc *v = request_vsc(test, HVSIM_EXEC_ASYNC, HVSIM_ANSWER_ECHO);
	unsigned long n = fill_the_ring(v);
	struct req r;

	KUNIT_EXPECT_EQ(test, request(v, &r, 1, 0, NULL), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, request_for(v, &r, 0, -1000 * MS), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, r.size, 0u);
	VmbChannelPause(v->ch);
	KUNIT_EXPECT_EQ(test, request(v, &r, 1, 0, NULL), STATUS_SUCCESS);
	hvsim_resume(v->host);
	KUNIT_EXPECT_EQ(test, arrived(v), n + 2);
	VmbChannelStart(v->ch);
	KUNIT_EXPECT_EQ(test, arrived(v), n + 3);
	KUNIT_EXPECT_EQ(test, v->host->stats.answers, 0ul);
}

static void above_passive_level_only_the_form_that_never_waits_is_allowed(struct kunit *test)
{
	struct vsc *v = request_vsc(test, HVSIM_EXEC_ASYNC, HVSIM_ANSWER_ECHO);
	NTSTATUS status[5];
	struct req r;
	int i;

	local_bh_disable();
	status[0] = request_for(v, &r, 0, 0);
	status[1] = request(v, &r, 1, 0, NULL);
	status[2] = request(v, &r, 1, WAIT_FOR_COMPLETION, NULL);
	status[3] = request_for(v, &r, WAIT_FOR_COMPLETION, -10 * MS);
	status[4] = request_for(v, &r, WAIT_FOR_COMPLETION, 0);
	local_bh_enable();
	KUNIT_EXPECT_EQ(test, status[0], STATUS_SUCCESS);
	for (i = 1; i < ARRAY_SIZE(status); i++)
		KUNIT_EXPECT_EQ(test, status[i], STATUS_INVALID_DEVICE_REQUEST);
	KUNIT_EXPECT_EQ(test, arrived(v), 1ul);
}

static void a_request_expires_after_its_time_and_not_before(struct kunit *test)
{
	struct vsc *v = request_vsc(test, HVSIM_EXEC_ASYNC, HVSIM_ANSWER_LATER);
	static const s64 ms[] = { 1, 10, 15, 20, 50 };
	LARGE_INTEGER t;
	struct req r;
	int i;

	for (i = 0; i < ARRAY_SIZE(ms); i++) {
		/* towards the end of a tick, where it is shortest */
		schedule_timeout_uninterruptible(1);
		usleep_range(8000, 8100);
		KUNIT_EXPECT_EQ(test, request_for(v, &r, WAIT_FOR_COMPLETION, -ms[i] * MS),
				STATUS_CANCELLED);
		KUNIT_EXPECT_GE(test, r.took, ms[i] * MS);
		KUNIT_EXPECT_LT(test, r.took, ms[i] * MS + 1000 * MS);
		KUNIT_EXPECT_EQ(test, r.size, 0u);

		t = absolute(ms[i]);
		KUNIT_EXPECT_EQ(test, request(v, &r, 1, WAIT_FOR_COMPLETION, &t),
				STATUS_CANCELLED);
		KUNIT_EXPECT_GE(test, ktime_get_real_ns() / 100 + NT_EPOCH, t.QuadPart);
		KUNIT_EXPECT_LT(test, r.took, ms[i] * MS + 1000 * MS);
	}
}

static void a_request_whose_time_is_over_expires_at_once(struct kunit *test)
{
	struct vsc *v = request_vsc(test, HVSIM_EXEC_ASYNC, HVSIM_ANSWER_LATER);
	LARGE_INTEGER t = absolute(-60000);
	struct req r;

	KUNIT_EXPECT_EQ(test, request(v, &r, 1, WAIT_FOR_COMPLETION, &t), STATUS_CANCELLED);
	KUNIT_EXPECT_LT(test, r.took, 500 * MS);
	t = nt_time(1);
	KUNIT_EXPECT_EQ(test, request(v, &r, 1, WAIT_FOR_COMPLETION, &t), STATUS_CANCELLED);
	KUNIT_EXPECT_LT(test, r.took, 500 * MS);
	KUNIT_EXPECT_EQ(test, request_for(v, &r, WAIT_FOR_COMPLETION, 0), STATUS_CANCELLED);
	KUNIT_EXPECT_LT(test, r.took, 500 * MS);
	/* sent they were all the same */
	KUNIT_EXPECT_EQ(test, arrived(v), 3ul);
}

static void an_answer_in_time_is_a_success(struct kunit *test)
{
	static const s64 times[] = { -5000 * MS, -3650LL * 86400000 * MS, S64_MIN, S64_MAX };
	struct vsc *v = request_vsc(test, HVSIM_EXEC_ASYNC, HVSIM_ANSWER_ECHO);
	LARGE_INTEGER t = absolute(5000);
	struct req r;
	int i;

	KUNIT_EXPECT_EQ(test, request(v, &r, 7, WAIT_FOR_COMPLETION, &t), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, *(u64 *)r.answer, 7ull);
	for (i = 0; i < ARRAY_SIZE(times); i++) {
		KUNIT_EXPECT_EQ(test, request_for(v, &r, WAIT_FOR_COMPLETION, times[i]),
				STATUS_SUCCESS);
		KUNIT_EXPECT_EQ(test, r.size, 8u);
		KUNIT_EXPECT_LT(test, r.took, 1000 * MS);
	}
}

static void an_answer_after_the_time_is_counted_and_ignored(struct kunit *test)
{
	struct vsc *v = request_vsc(test, HVSIM_EXEC_ASYNC, HVSIM_ANSWER_LATER);
	struct req r;
	u64 i;

	for (i = 1; i <= 5; i++) {
		KUNIT_EXPECT_EQ(test, request_for(v, &r, WAIT_FOR_COMPLETION, 0),
				STATUS_CANCELLED);
		hvsim_settle();
		KUNIT_EXPECT_EQ(test, hvsim_answer(v->host, 1), 1);
		hvsim_settle();
		KUNIT_EXPECT_EQ(test, v->kch->stats.stale_ids, i);
	}
	/* the late ones do not answer those that came after them */
	KUNIT_EXPECT_EQ(test, request_for(v, &r, WAIT_FOR_COMPLETION, 0), STATUS_CANCELLED);
	hvsim_settle();
	v->host->script.answer = HVSIM_ANSWER_ECHO;
	KUNIT_EXPECT_EQ(test, request(v, &r, 77, WAIT_FOR_COMPLETION, NULL), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, *(u64 *)r.answer, 77ull);
	vsc_expect_log(v, "");
}

static void expired_requests_leave_nothing_behind(struct kunit *test)
{
	struct vsc *v = request_vsc(test, HVSIM_EXEC_INLINE, HVSIM_ANSWER_NONE);
	struct req r;
	int i;

	for (i = 0; i < 1000; i++)
		KUNIT_ASSERT_EQ(test, request_for(v, &r, WAIT_FOR_COMPLETION, 0),
				STATUS_CANCELLED);
	KUNIT_EXPECT_EQ(test, v->kch->slots, KMCL_SLOT_CHUNK);
}

static void an_expired_request_leaves_the_queue(struct kunit *test)
{
	struct vsc *v = request_vsc(test, HVSIM_EXEC_ASYNC, HVSIM_ANSWER_ECHO);
	unsigned long n = fill_the_ring(v);
	struct req r;

	KUNIT_EXPECT_EQ(test, request_for(v, &r, WAIT_FOR_COMPLETION, -20 * MS),
			STATUS_CANCELLED);
	VmbChannelPause(v->ch);
	KUNIT_EXPECT_EQ(test, request_for(v, &r, WAIT_FOR_COMPLETION, -20 * MS),
			STATUS_CANCELLED);
	VmbChannelStart(v->ch);
	hvsim_resume(v->host);
	vsc_expect_soon(v, atomic_read(&v->ok) == n);
	KUNIT_EXPECT_EQ(test, arrived(v), n);
	KUNIT_EXPECT_EQ(test, v->host->stats.answers, 0ul);
}

/* ---- requests of other threads ---- */

struct waiter {
	struct vsc *v;
	struct req r;
	u64 value;
	int wrong;
	bool done;
};

static int one_request(void *data)
{
	struct waiter *w = data;

	request(w->v, &w->r, w->value, WAIT_FOR_COMPLETION, NULL);
	WRITE_ONCE(w->done, true);
	wake_up_all(&w->v->wait);
	return 0;
}

static struct waiter *start_waiter(struct vsc *v, int (*fn)(void *), u64 value)
{
	struct waiter *w = kunit_kzalloc(v->test, sizeof(*w), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(v->test, w);
	w->v = v;
	w->value = value;
	KUNIT_ASSERT_FALSE(v->test, IS_ERR(kthread_run(fn, w, "kmcl-request")));
	return w;
}

static int big_request(void *data)
{
	struct waiter *w = data;
	LARGE_INTEGER t = nt_time(-50 * MS);

	w->r.status = sync(w->v->ch, w->v->priv, 4096, NULL, WAIT_FOR_COMPLETION, NULL, NULL, &t);
	WRITE_ONCE(w->done, true);
	wake_up_all(&w->v->wait);
	return 0;
}

static void what_waits_behind_an_expired_request_moves_up(struct kunit *test)
{
	struct vsc *v = request_vsc(test, HVSIM_EXEC_ASYNC, HVSIM_ANSWER_ECHO);
	LARGE_INTEGER now = nt_time(0);
	struct waiter *w;

	v->priv = kunit_kzalloc(test, 4096, GFP_KERNEL);
	hvsim_stall(v->host);
	while (!sync(v->ch, v->priv, 4096, NULL, 0, NULL, NULL, &now))
		;
	w = start_waiter(v, big_request, 0);
	schedule_timeout_uninterruptible(2);
	KUNIT_EXPECT_EQ(test, v->kch->stats.queued, 1ull);
	KUNIT_EXPECT_EQ(test, vsc_send(v, "small", 6, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->completions), 0);
	/* it fits, and needs neither the host nor the timer */
	mod_timer(&v->kch->tx.timer, jiffies + 60 * HZ);
	vsc_expect_soon(v, READ_ONCE(w->done));
	KUNIT_EXPECT_EQ(test, w->r.status, STATUS_CANCELLED);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->ok), 1);
}

enum end {
	END_DISABLE,
	END_RESCIND,
	END_POISON,
};

static void a_request_is_told_that_the_channel_goes_down(struct kunit *test, enum end end,
							 bool paused)
{
	struct vsc *v = request_vsc(test, HVSIM_EXEC_ASYNC, HVSIM_ANSWER_NONE);
	struct waiter *w;

	if (paused)
		VmbChannelPause(v->ch);
	w = start_waiter(v, one_request, 1);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, arrived(v), paused ? 0ul : 1ul);
	KUNIT_EXPECT_FALSE(test, w->done);
	switch (end) {
	case END_DISABLE:
		VmbChannelDisable(v->ch);
		break;
	case END_RESCIND:
		vsc_rescind(v);
		break;
	case END_POISON:
		hvsim_send(v->host, 0x4444, 0, 0, NULL, 0);
		break;
	}
	vsc_expect_soon(v, READ_ONCE(w->done));
	KUNIT_EXPECT_EQ(test, w->r.status, STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_EQ(test, w->r.size, 0u);
	vsc_drop(v);
	hvsim_reset();
}

static void a_channel_going_down_ends_a_request_with_device_removed(struct kunit *test)
{
	enum end end;

	for (end = END_DISABLE; end <= END_POISON; end++) {
		a_request_is_told_that_the_channel_goes_down(test, end, false);
		/* nothing to read while paused: the reader finds the bad packet all the same */
		a_request_is_told_that_the_channel_goes_down(test, end, true);
	}
}

static void a_disabled_channel_refuses_every_form(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct req r;
	int i;

	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, request(v, &r, 1, WAIT_FOR_COMPLETION, NULL),
				STATUS_INVALID_DEVICE_STATE);
		KUNIT_EXPECT_EQ(test, request_for(v, &r, WAIT_FOR_COMPLETION, -MS),
				STATUS_INVALID_DEVICE_STATE);
		KUNIT_EXPECT_EQ(test, request(v, &r, 1, 0, NULL), STATUS_INVALID_DEVICE_STATE);
		KUNIT_EXPECT_EQ(test, request_for(v, &r, 0, 0), STATUS_INVALID_DEVICE_STATE);
		KUNIT_EXPECT_EQ(test, r.size, 0u);
		if (!i)
			vsc_bring_up(v);
		VmbChannelDisable(v->ch);
	}
}

/* ---- many ---- */

static int many_requests(void *data)
{
	struct waiter *w = data;
	u64 i;

	for (i = 0; i < 500; i++) {
		if (request(w->v, &w->r, w->value + i, WAIT_FOR_COMPLETION, NULL) ||
		    w->r.size != 8 || *(u64 *)w->r.answer != w->value + i)
			w->wrong++;
	}
	WRITE_ONCE(w->done, true);
	wake_up_all(&w->v->wait);
	return 0;
}

static void requests_of_several_threads_get_their_own_answers(struct kunit *test)
{
	struct vsc *v = request_vsc(test, HVSIM_EXEC_ASYNC, HVSIM_ANSWER_ECHO);
	struct waiter *w[4];
	int i;

	for (i = 0; i < ARRAY_SIZE(w); i++)
		w[i] = start_waiter(v, many_requests, (u64)i << 32);
	for (i = 0; i < ARRAY_SIZE(w); i++) {
		vsc_expect_soon(v, READ_ONCE(w[i]->done));
		KUNIT_EXPECT_EQ(test, w[i]->wrong, 0);
	}
}

static void a_driver_out_of_packets_can_still_send_requests(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	VMBPACKET pkt;
	struct req r;

	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketCount(v->ch, 1), STATUS_SUCCESS);
	vsc_bring_up(v);
	pkt = VmbPacketAllocate(v->ch);
	KUNIT_EXPECT_NULL(test, VmbPacketAllocate(v->ch));
	KUNIT_EXPECT_EQ(test, request(v, &r, 1, WAIT_FOR_COMPLETION, NULL), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, request(v, &r, 1, 0, NULL), STATUS_SUCCESS);
	VmbPacketFree(pkt);
}

static void handshake(struct vsc *v, enum vsc_event event)
{
	if (event == VSC_POST_STARTED)
		request(v, v->priv, 0x30000, WAIT_FOR_COMPLETION, NULL);
}

static void post_started_may_send_a_request(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct req *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);

	v->priv = r;
	v->on_state = handshake;
	vsc_bring_up(v);
	KUNIT_EXPECT_EQ(test, r->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, r->size, 8u);
	KUNIT_EXPECT_EQ(test, *(u64 *)r->answer, 0x30000ull);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_refused_request_names_its_parameter),
	KUNIT_CASE(without_a_timeout_it_waits_for_the_answer),
	KUNIT_CASE(an_empty_answer_needs_no_buffer),
	KUNIT_CASE(a_longer_answer_fills_the_buffer_and_overflows),
	KUNIT_CASE(without_wait_and_with_no_time_it_is_sent_and_forgotten),
	KUNIT_CASE(with_no_time_and_a_full_ring_it_overflows_and_never_queues),
	KUNIT_CASE(with_no_time_it_overtakes_nothing),
	KUNIT_CASE(without_wait_it_queues_and_returns),
	KUNIT_CASE(above_passive_level_only_the_form_that_never_waits_is_allowed),
	KUNIT_CASE(a_request_expires_after_its_time_and_not_before),
	KUNIT_CASE(a_request_whose_time_is_over_expires_at_once),
	KUNIT_CASE(an_answer_in_time_is_a_success),
	KUNIT_CASE(an_answer_after_the_time_is_counted_and_ignored),
	KUNIT_CASE(expired_requests_leave_nothing_behind),
	KUNIT_CASE(an_expired_request_leaves_the_queue),
	KUNIT_CASE(what_waits_behind_an_expired_request_moves_up),
	KUNIT_CASE(a_channel_going_down_ends_a_request_with_device_removed),
	KUNIT_CASE(a_disabled_channel_refuses_every_form),
	KUNIT_CASE(requests_of_several_threads_get_their_own_answers),
	KUNIT_CASE(a_driver_out_of_packets_can_still_send_requests),
	KUNIT_CASE(post_started_may_send_a_request),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_request",
	.init = vsc_suite_init,
	.exit = vsc_suite_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
