// SPDX-License-Identifier: GPL-2.0
/*
 * Servicing with many packets: what it costs grows as they do, and buffers of any size do.
 * The times that are printed mean something where time does not travel.
 */
#include <linux/ktime.h>
#include "servicing.h"

#define LARGE	65536u
#define MOST	16384u

struct cost {
	u32 size;
	u32 chunks;
	u32 saves;
	u32 restores;
	s64 save_ns;
	s64 restore_ns;
};

static PMDL mdl_of(struct kunit *test, u8 *memory, u32 bytes)
{
	PMDL mdl = IoAllocateMdl(memory, bytes, FALSE, FALSE, NULL);

	KUNIT_ASSERT_NOT_NULL(test, mdl);
	MmBuildMdlForNonPagedPool(mdl);
	return mdl;
}

/* @count packets with external data and @state bytes of the VSP's, saved and restored. */
static struct cost service(struct kunit *test, struct call *calls, u32 count, u32 state,
			   u32 buffer)
{
	struct cost cost = {};
	struct blob b = {};
	struct vsp *v, *w;
	struct end *c;
	u8 *memory = kunit_kzalloc(test, 2 * PAGE_SIZE, GFP_KERNEL);
	PMDL mdl;
	s64 t;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, memory);
	memset(calls, 0, CALLS * sizeof(*calls));
	mdl = mdl_of(test, memory + 512, PAGE_SIZE);
	v = vsp_pair(test, count, &c);
	for (i = 0; i < count; i++) {
		KUNIT_ASSERT_EQ(test, call_send_mdl(c, calls, i, state, mdl), STATUS_SUCCESS);
		if (i % 64 == 63)
			cond_resched();
	}
	KUNIT_ASSERT_TRUE(test, end_wait(v->e, atomic_read(&v->asked) == count));

	t = ktime_get_raw_ns();
	KUNIT_ASSERT_EQ(test, VmbChannelSaveBegin(v->e->ch), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, blob_write(test, v->e, &b, buffer), STATUS_SUCCESS);
	VmbChannelSaveEnd(v->e->ch);
	cost.save_ns = ktime_get_raw_ns() - t;
	cost.size = b.size;
	cost.chunks = b.chunks;
	cost.saves = v->saves;
	vsp_answer_all(v);
	end_drop(v->e);
	KUNIT_EXPECT_EQ(test, atomic_read(&c->completions), 0);

	t = ktime_get_raw_ns();
	w = vsp_follow(test, &b, count, calls);
	cost.restore_ns = ktime_get_raw_ns() - t;
	cost.restores = w->restores;
	KUNIT_ASSERT_EQ(test, atomic_read(&w->asked), count);
	vsp_answer_all(w);
	end_expect_soon(c, calls_are_answered(calls, count));
	calls_expect(test, calls, count);
	end_expect_log(c, "");
	end_drop(c);
	end_drop(w->e);
	IoFreeMdl(mdl);
	blob_free(&b);
	return cost;
}

/* The largest chunk there is: a GPADL's of two rings of 17 pages. */
#define LARGEST	320u

static void what_is_saved_grows_with_the_packets_alone(struct kunit *test)
{
	static const u32 counts[] = { 0, 1, 1000, MOST };
	static const u32 buffers[] = { LARGE, LARGEST, 4096 };
	struct call *calls = calls_new(test);
	struct cost none = {}, cost;
	u32 i, j, each = 0;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		for (j = 0; j < ARRAY_SIZE(buffers); j++) {
			cost = service(test, calls, counts[i], 24, buffers[j]);
			kunit_info(test, "%5u packets: %8u bytes, %5u chunks, saved by %6u bytes in %6lld us, restored in %6lld us",
				   counts[i], cost.size, cost.chunks, buffers[j],
				   cost.save_ns / 1000, cost.restore_ns / 1000);
			if (!i && !j)
				none = cost;
			if (i == 1 && !j) {
				each = cost.size - none.size;
				KUNIT_EXPECT_GT(test, each, 24);
			}
			KUNIT_EXPECT_EQ(test, cost.size, none.size + counts[i] * each);
			KUNIT_EXPECT_EQ(test, cost.chunks, none.chunks + counts[i]);
			KUNIT_EXPECT_EQ(test, cost.saves, 2 * counts[i]);
			KUNIT_EXPECT_EQ(test, cost.restores, counts[i]);
		}
	}
}

static void a_buffer_of_any_size_does_that_holds_the_next_chunk(struct kunit *test)
{
	static const u32 sizes[] = {
		LARGEST, 321, 327, 333, 1024, 4095, 4096, 10000, LARGE, 4 * LARGE,
	};
	struct call *calls = calls_new(test);
	struct blob first = {}, b = {};
	ULONG filled, required;
	NTSTATUS status;
	struct vsp *v, *w;
	u8 small[71];
	struct end *c;
	u32 i;

	v = vsp_pair(test, 128, &c);
	for (i = 0; i < 100; i++)
		KUNIT_ASSERT_EQ(test, call_send(c, calls, i, i), STATUS_SUCCESS);
	end_expect_soon(v->e, atomic_read(&v->asked) == 100);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		KUNIT_ASSERT_EQ(test, VmbChannelSaveBegin(v->e->ch), STATUS_SUCCESS);
		/* nothing fits: it says what would, and loses nothing */
		status = VmbChannelSaveContinue(v->e->ch, small, sizeof(small), &filled, &required);
		KUNIT_EXPECT_EQ(test, status, STATUS_BUFFER_TOO_SMALL);
		KUNIT_EXPECT_EQ(test, filled, 0);
		KUNIT_EXPECT_EQ(test, required, 72);
		status = VmbChannelSaveContinue(v->e->ch, NULL, 0, &filled, &required);
		KUNIT_EXPECT_EQ(test, status, STATUS_BUFFER_TOO_SMALL);
		blob_free(&b);
		KUNIT_ASSERT_EQ(test, blob_write(test, v->e, &b, sizes[i]), STATUS_SUCCESS);
		VmbChannelSaveEnd(v->e->ch);
		if (!i)
			swap(first, b);
		else
			KUNIT_EXPECT_EQ(test, b.size, first.size);
		if (!i) {
			VmbChannelStart(v->e->ch);
			continue;
		}
		KUNIT_EXPECT_EQ(test, b.chunks, first.chunks);
		if (i + 1 < ARRAY_SIZE(sizes))
			VmbChannelStart(v->e->ch);
	}
	vsp_answer_all(v);
	end_drop(v->e);
	/* and it is restored a chunk at a time */
	w = vsp_new(test, 128);
	KUNIT_EXPECT_EQ(test, blob_read_chunks(test, w->e, &b), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(w->e->ch), STATUS_SUCCESS);
	VmbChannelStart(w->e->ch);
	vsp_answer_all(w);
	end_expect_soon(c, calls_are_answered(calls, 100));
	calls_expect(test, calls, 100);
	blob_free(&first);
	blob_free(&b);
}

/* A packet of many chunks: 200 KiB of the driver's own. */
static void a_packet_may_be_larger_than_a_chunk(struct kunit *test)
{
	struct cost cost = service(test, calls_new(test), 1, 200 << 10, LARGE);

	KUNIT_EXPECT_GT(test, cost.size, 200 << 10);
	KUNIT_EXPECT_EQ(test, cost.chunks, 6 + 4);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(what_is_saved_grows_with_the_packets_alone),
	KUNIT_CASE(a_buffer_of_any_size_does_that_holds_the_next_chunk),
	KUNIT_CASE(a_packet_may_be_larger_than_a_chunk),
	{}
};

static struct kunit_suite suite = {
	.name = "loopback_save_load",
	.init = end_init,
	.exit = vsp_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
