// SPDX-License-Identifier: GPL-2.0
/*
 * What the functions that save and restore return, and what they leave behind.
 */
#include <linux/slab.h>
#include "../helper.h"
#include "servicing.h"
#include "save.h"
#include "server.h"

#define LARGE	65536u

#define set_callbacks		VmbServerChannelInitSetSaveRestorePacketCallbacks
#define set_callbacks_ex	VmbServerChannelInitSetSaveRestorePacketCallbacksEx
#define restore			VmbChannelRestoreFromBuffer

static NTSTATUS save_to(struct vsp *v, struct blob *b)
{
	NTSTATUS status = VmbChannelSaveBegin(v->e->ch);

	if (!NT_SUCCESS(status))
		return status;
	status = blob_write(v->e->test, v->e, b, LARGE);
	VmbChannelSaveEnd(v->e->ch);
	return status;
}

static void only_an_enabled_server_is_saved(struct kunit *test)
{
	struct blob b = {};
	struct vsp *v;
	struct end *c;
	ULONG n, m;
	u8 buf[8];

	KUNIT_EXPECT_EQ(test, VmbChannelSaveBegin(NULL), STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelSaveContinue(NULL, buf, 8, &n, &m),
			STATUS_INVALID_PARAMETER_1);
	v = vsp_new(test, 8);
	KUNIT_EXPECT_EQ(test, VmbChannelSaveBegin(v->e->ch), STATUS_INVALID_PARAMETER_1);
	c = end_new(test, false);
	end_bring_up(v->e, c);
	KUNIT_EXPECT_EQ(test, VmbChannelSaveBegin(c->ch), STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelSaveContinue(c->ch, buf, 8, &n, &m),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelSaveContinue(v->e->ch, buf, 8, &n, &m),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelSaveBegin(v->e->ch), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelSaveBegin(v->e->ch), STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelSaveContinue(v->e->ch, NULL, 8, &n, &m),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbChannelSaveContinue(v->e->ch, buf, 8, NULL, &m),
			STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_EQ(test, VmbChannelSaveContinue(v->e->ch, buf, 8, &n, NULL),
			STATUS_INVALID_PARAMETER_5);
	KUNIT_EXPECT_EQ(test, blob_write(test, v->e, &b, LARGE), STATUS_SUCCESS);
	/* all of it is written already */
	KUNIT_EXPECT_EQ(test, VmbChannelSaveContinue(v->e->ch, buf, 8, &n, &m), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, n, 0);
	VmbChannelSaveEnd(v->e->ch);
	KUNIT_EXPECT_EQ(test, VmbChannelSaveContinue(v->e->ch, buf, 8, &n, &m),
			STATUS_INVALID_PARAMETER_1);
	/* once more: it has to run first */
	KUNIT_EXPECT_EQ(test, VmbChannelSaveBegin(v->e->ch), STATUS_INVALID_PARAMETER_1);
	VmbChannelStart(v->e->ch);
	KUNIT_EXPECT_EQ(test, VmbChannelSaveBegin(v->e->ch), STATUS_SUCCESS);
	/* in the middle of it, too */
	VmbChannelStart(v->e->ch);
	KUNIT_EXPECT_EQ(test, VmbChannelSaveContinue(v->e->ch, buf, 8, &n, &m),
			STATUS_INVALID_PARAMETER_1);
	blob_free(&b);
}

static NTSTATUS in_callback[4];

static void save_inside(struct end *e, enum end_event event)
{
	ULONG n, m;
	u8 buf[8];

	if (event != END_STARTED)
		return;
	in_callback[0] = VmbChannelSaveBegin(e->ch);
	in_callback[1] = VmbChannelSaveContinue(e->ch, buf, sizeof(buf), &n, &m);
	in_callback[2] = restore(e->ch, buf, sizeof(buf));
	VmbChannelSaveEnd(e->ch);
}

static void inside_a_callback_nothing_is_saved(struct kunit *test)
{
	struct vsp *v = vsp_new(test, 8);
	struct end *c = end_new(test, false);
	u32 i;

	v->e->on_state = save_inside;
	end_bring_up(v->e, c);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, in_callback[i], STATUS_INVALID_DEVICE_REQUEST);
}

#ifdef CONFIG_FAILSLAB
static void without_memory_nothing_is_saved(struct kunit *test)
{
	struct vsp *v = vsp_new(test, 8);
	struct end *c = end_new(test, false);
	NTSTATUS status;

	end_bring_up(v->e, c);
	current->fail_nth = 1;
	status = VmbChannelSaveBegin(v->e->ch);
	current->fail_nth = 0;
	KUNIT_EXPECT_EQ(test, status, STATUS_INSUFFICIENT_RESOURCES);
	/* and it runs */
	KUNIT_EXPECT_EQ(test, VmbChannelSaveBegin(v->e->ch), STATUS_SUCCESS);
	VmbChannelStart(v->e->ch);
}
#endif

/* The client closes while SavePacket runs. */
static struct helper closer;
static struct end *closes;

static void close_it(void *arg)
{
	VmbChannelDisable(closes->ch);
}

static void close_meanwhile(struct vsp *v, VMBPACKET packet)
{
	v->on_save = NULL;
	KUNIT_ASSERT_TRUE(v->e->test, helper_start(&closer, close_it, NULL));
	KUNIT_EXPECT_TRUE(v->e->test,
			  becomes(READ_ONCE(v->e->kch->link_state) == KMCL_LINK_NONE));
}

static void a_client_that_closes_within_a_save_fails_it(struct kunit *test)
{
	struct call *calls = calls_new(test), *mine = calls_new(test);
	struct blob b = {};
	struct vsp *v;
	struct end *c;
	u32 i;

	v = vsp_pair(test, 8, &c);
	for (i = 0; i < 4; i++)
		KUNIT_ASSERT_EQ(test, call_send(c, calls, i, 0), STATUS_SUCCESS);
	end_expect_soon(v->e, atomic_read(&v->asked) == 4);
	closes = c;
	v->on_save = close_meanwhile;
	KUNIT_ASSERT_EQ(test, VmbChannelSaveBegin(v->e->ch), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, call_send(v->e, mine, 0, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, blob_write(test, v->e, &b, LARGE), STATUS_DEVICE_REMOVED);
	/* what the driver has it completes, and then the client is let go */
	vsp_answer_all(v);
	KUNIT_EXPECT_TRUE(test, helper_join(&closer));
	end_expect_log(c, "UC");
	end_expect_soon(v->e, v->e->logged == 2);
	end_expect_log(v->e, "UC");
	KUNIT_EXPECT_EQ(test, mine[0].removed, 1);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, calls[i].cancelled, 1);
	blob_free(&b);
}

/* A client opens between two calls of SaveContinue. */
static void open_it(void *arg)
{
	struct end *c = arg;

	c->enabled = VmbChannelEnable(c->ch);
}

static NTSTATUS next_chunk(struct vsp *v, u8 *buf, u32 size)
{
	ULONG filled, required;
	NTSTATUS status;

	status = VmbChannelSaveContinue(v->e->ch, NULL, 0, &filled, &required);
	if (status != STATUS_BUFFER_TOO_SMALL)
		return status;
	KUNIT_ASSERT_LE(v->e->test, required, size);
	return VmbChannelSaveContinue(v->e->ch, buf, required, &filled, &required);
}

static void a_client_that_opens_within_a_save_waits_until_it_is_over(struct kunit *test)
{
	struct call *mine = calls_new(test);
	struct vsp *v = vsp_new(test, 8);
	struct end *c = end_new(test, false);
	u8 *buf = kunit_kzalloc(test, 4096, GFP_KERNEL);
	struct helper opener;
	NTSTATUS status;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	/* which takes with it what is queued */
	v->e->opened_status = STATUS_UNSUCCESSFUL;
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(v->e->ch), STATUS_SUCCESS);
	for (i = 0; i < 4; i++)
		KUNIT_ASSERT_EQ(test, call_send(v->e, mine, i, 0), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelSaveBegin(v->e->ch), STATUS_SUCCESS);
	/* a chunk at a time, as far as the first of them */
	do {
		KUNIT_ASSERT_EQ(test, next_chunk(v, buf, 4096), STATUS_BUFFER_OVERFLOW);
	} while (!v->saves);
	KUNIT_ASSERT_TRUE(test, helper_start(&opener, open_it, c));
	/* nothing that could be waited for happens */
	schedule_timeout_uninterruptible(HZ / 10);
	end_expect_log(v->e, "");
	KUNIT_EXPECT_EQ(test, atomic_read(&v->e->completions), 0);
	do {
		status = next_chunk(v, buf, 4096);
	} while (status == STATUS_BUFFER_OVERFLOW);
	KUNIT_EXPECT_EQ(test, status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, v->saves, 8);
	VmbChannelSaveEnd(v->e->ch);
	end_expect_log(v->e, "");
	/* the driver goes on: now it is asked */
	VmbChannelStart(v->e->ch);
	KUNIT_EXPECT_TRUE(test, helper_join(&opener));
	end_expect_log(v->e, "O");
	KUNIT_EXPECT_EQ(test, c->enabled, STATUS_UNSUCCESSFUL);
	end_expect_soon(v->e, atomic_read(&v->e->completions) == 4);
}

/* ---- SavePacket ---- */

static NTSTATUS says;			/* what SavePacket says */
static u32 wants;

static NTSTATUS save_fails(VMBCHANNEL ch, VMBPACKET packet, PVOID buf, UINT32 size,
			   PUINT32 needed)
{
	*needed = wants ?: size + 8;
	return says;
}

static void a_driver_that_cannot_save_fails_the_save(struct kunit *test)
{
	static const struct {
		NTSTATUS says;
		u32 wants;
		NTSTATUS status;
	} drivers[] = {
		{ STATUS_UNSUCCESSFUL, 8, STATUS_UNSUCCESSFUL },
		{ STATUS_NOT_SUPPORTED, 8, STATUS_NOT_SUPPORTED },
		{ STATUS_BUFFER_TOO_SMALL, 8, STATUS_UNSUCCESSFUL },
		{ STATUS_BUFFER_OVERFLOW, 8, STATUS_UNSUCCESSFUL },
		/* for ever some more */
		{ STATUS_BUFFER_TOO_SMALL, 0, STATUS_UNSUCCESSFUL },
		{ STATUS_BUFFER_TOO_SMALL, KMCL_STATE_MAX + 1, STATUS_INSUFFICIENT_RESOURCES },
		{ STATUS_BUFFER_TOO_SMALL, U32_MAX, STATUS_INSUFFICIENT_RESOURCES },
	};
	struct call *calls = calls_new(test);
	struct blob b = {};
	ULONG n, m;
	struct vsp *v = vsp_new(test, 64);
	struct end *c = end_new(test, false);
	u8 buf[8];
	u32 i;

	KUNIT_ASSERT_EQ(test, set_callbacks(v->e->ch, save_fails, NULL), STATUS_SUCCESS);
	end_bring_up(v->e, c);
	KUNIT_ASSERT_EQ(test, call_send(c, calls, 0, 0), STATUS_SUCCESS);
	end_expect_soon(v->e, atomic_read(&v->asked) == 1);
	for (i = 0; i < ARRAY_SIZE(drivers); i++) {
		says = drivers[i].says;
		wants = drivers[i].wants;
		KUNIT_EXPECT_EQ(test, save_to(v, &b), drivers[i].status);
		blob_free(&b);
		VmbChannelStart(v->e->ch);
	}
	says = STATUS_UNSUCCESSFUL;
	wants = 8;
	KUNIT_EXPECT_EQ(test, VmbChannelSaveBegin(v->e->ch), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, blob_write(test, v->e, &b, LARGE), STATUS_UNSUCCESSFUL);
	/* it stays so */
	says = STATUS_SUCCESS;
	KUNIT_EXPECT_EQ(test, VmbChannelSaveContinue(v->e->ch, buf, 8, &n, &m),
			STATUS_UNSUCCESSFUL);
	VmbChannelSaveEnd(v->e->ch);
	VmbChannelStart(v->e->ch);
	/* and the channel is as it was; one that has no state for it is content */
	blob_free(&b);
	KUNIT_EXPECT_EQ(test, save_to(v, &b), STATUS_SUCCESS);
	VmbChannelStart(v->e->ch);
	vsp_answer_all(v);
	end_expect_soon(c, calls_are_answered(calls, 1));
	calls_expect(test, calls, 1);
	end_drop(v->e);
	end_expect_soon(c, c->logged == 5);
	end_expect_log(c, "OSPUC");
	blob_free(&b);
}

/* ---- RestoreFromBuffer and VmbPacketRestore ---- */

static void only_a_disabled_server_is_restored(struct kunit *test)
{
	struct vsp *v = vsp_new(test, 8);
	struct end *c = end_new(test, false);
	VMBCHANNEL bare;
	u8 buf[64] = {};

	KUNIT_EXPECT_EQ(test, restore(NULL, buf, 8), STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, restore(c->ch, buf, 8),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, restore(v->e->ch, NULL, 8),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, restore(v->e->ch, buf, 0),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, restore(v->e->ch, buf, 31),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, restore(v->e->ch, buf, sizeof(buf)),
			STATUS_INVALID_PARAMETER_2);
	/* one that could not be offered */
	KUNIT_ASSERT_EQ(test, VmbChannelAllocate(NULL, TRUE, &bare), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, restore(bare, buf, 8), STATUS_INVALID_PARAMETER_1);
	VmbChannelCleanup(bare);
	end_bring_up(v->e, c);
	KUNIT_EXPECT_EQ(test, restore(v->e->ch, buf, 8),
			STATUS_INVALID_PARAMETER_1);
}

static void callbacks_are_set_on_a_disabled_server(struct kunit *test)
{
	struct vsp *v = vsp_new(test, 8);
	struct end *c = end_new(test, false);

	KUNIT_EXPECT_EQ(test, set_callbacks(NULL, NULL, NULL), STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, set_callbacks(c->ch, NULL, NULL), STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, set_callbacks_ex(c->ch, NULL, NULL, NULL),
			STATUS_INVALID_PARAMETER_1);
	end_bring_up(v->e, c);
	KUNIT_EXPECT_EQ(test, set_callbacks(v->e->ch, NULL, NULL), STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, set_callbacks_ex(v->e->ch, NULL, NULL, NULL),
			STATUS_INVALID_PARAMETER_1);
}

/* A driver that tries what it must not, and then does as it should, or does nothing. */
static struct {
	u32 calls;
	bool lazy;
	NTSTATUS other_size;
	NTSTATUS other_bytes;
	NTSTATUS null;
	NTSTATUS twice;
	NTSTATUS status;
	VMBPACKET packet;
} tries;

static NTSTATUS restore_tries(VMBCHANNEL ch, PVOID lib, UINT32 lib_size, PVOID buf, UINT32 size)
{
	VMBPACKET pkt = VmbPacketAllocate(ch), second = VmbPacketAllocate(ch);
	u8 copy[64];

	tries.calls++;
	if (tries.lazy) {
		VmbPacketFree(pkt);
		VmbPacketFree(second);
		return STATUS_SUCCESS;
	}
	memcpy(copy, lib, min_t(u32, lib_size, sizeof(copy)));
	copy[lib_size - 1] ^= 1;
	tries.other_size = VmbPacketRestore(pkt, lib, lib_size - 1);
	tries.other_bytes = VmbPacketRestore(pkt, copy, lib_size);
	tries.null = VmbPacketRestore(pkt, NULL, lib_size);
	tries.status = VmbPacketRestore(pkt, lib, lib_size);
	tries.twice = VmbPacketRestore(second, lib, lib_size);
	VmbPacketFree(second);
	tries.packet = pkt;
	return tries.status;
}

static void a_packet_is_restored_with_what_the_library_gave_for_it(struct kunit *test)
{
	struct call *calls = calls_new(test);
	struct message m = {};
	struct blob b = {};
	struct vsp *v, *w;
	struct end *c;
	VMBPACKET pkt;

	v = vsp_pair(test, 64, &c);
	KUNIT_ASSERT_EQ(test, call_send(c, calls, 0, 0), STATUS_SUCCESS);
	end_expect_soon(v->e, atomic_read(&v->asked) == 1);
	blob_save(test, v, &b, LARGE);
	vsp_answer_all(v);
	end_drop(v->e);

	w = vsp_new(test, 64);
	KUNIT_ASSERT_EQ(test, set_callbacks(w->e->ch, NULL, restore_tries), STATUS_SUCCESS);
	memset(&tries, 0, sizeof(tries));
	KUNIT_EXPECT_EQ(test, blob_read(test, w->e, b.bytes, b.size), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, tries.calls, 1);
	KUNIT_EXPECT_EQ(test, tries.other_size, STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, tries.other_bytes, STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, tries.null, STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, tries.twice, STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, tries.status, STATUS_SUCCESS);
	pkt = VmbPacketAllocate(w->e->ch);
	KUNIT_ASSERT_NOT_NULL(test, pkt);
	KUNIT_EXPECT_EQ(test, VmbPacketRestore(pkt, &m, sizeof(m)), STATUS_INVALID_PARAMETER_1);
	VmbPacketFree(pkt);
	KUNIT_EXPECT_EQ(test, VmbPacketRestore(NULL, &m, sizeof(m)), STATUS_INVALID_PARAMETER_1);

	/* it is a packet that may be completed, and nothing else */
	KUNIT_EXPECT_EQ(test, VmbPacketSend(tries.packet, &m, sizeof(m), NULL, 0),
			STATUS_INVALID_PARAMETER_1);
	VmbPacketFree(tries.packet);
	KUNIT_EXPECT_PTR_EQ(test, VmbPacketGetChannel(tries.packet), w->e->ch);
	VmbPacketSetPointer(tries.packet, &m);
	KUNIT_EXPECT_PTR_EQ(test, VmbPacketGetPointer(tries.packet), &m);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(w->e->ch), STATUS_SUCCESS);
	VmbChannelStart(w->e->ch);
	VmbChannelPacketComplete((VMBPACKETCOMPLETION)tries.packet, &m, sizeof(m));
	end_expect_soon(c, calls_are_answered(calls, 1));
	/* once: then its handle names nothing */
	KUNIT_EXPECT_NULL(test, VmbPacketGetChannel(tries.packet));
	VmbChannelPacketComplete((VMBPACKETCOMPLETION)tries.packet, &m, sizeof(m));
	calls_expect(test, calls, 1);
	blob_free(&b);
}

static void a_packet_that_is_not_restored_fails_the_restore(struct kunit *test)
{
	struct call *calls = calls_new(test);
	struct blob b = {};
	struct vsp *v, *w;
	struct end *c;

	v = vsp_pair(test, 64, &c);
	KUNIT_ASSERT_EQ(test, call_send(c, calls, 0, 0), STATUS_SUCCESS);
	end_expect_soon(v->e, atomic_read(&v->asked) == 1);
	blob_save(test, v, &b, LARGE);
	vsp_answer_all(v);
	end_drop(v->e);
	w = vsp_new(test, 64);
	KUNIT_ASSERT_EQ(test, set_callbacks(w->e->ch, NULL, restore_tries), STATUS_SUCCESS);
	memset(&tries, 0, sizeof(tries));
	tries.lazy = true;
	KUNIT_EXPECT_EQ(test, blob_read(test, w->e, b.bytes, b.size), STATUS_UNSUCCESSFUL);
	end_expect_soon(c, c->logged == 2);
	end_expect_log(c, "UC");
	KUNIT_EXPECT_EQ(test, calls[0].removed, 1);
	blob_free(&b);
}

/* A save of this server, but not the one with which its predecessor went. */
static void an_old_save_is_refused(struct kunit *test)
{
	struct call *calls = calls_new(test);
	struct blob old = {}, b = {};
	struct vsp *v, *w;
	struct end *c;

	v = vsp_pair(test, 64, &c);
	KUNIT_ASSERT_EQ(test, call_send(c, calls, 0, 0), STATUS_SUCCESS);
	end_expect_soon(v->e, atomic_read(&v->asked) == 1);
	blob_save(test, v, &old, LARGE);
	VmbChannelStart(v->e->ch);
	vsp_answer_all(v);
	end_expect_soon(c, calls_are_answered(calls, 1));
	blob_save(test, v, &b, LARGE);
	end_drop(v->e);
	w = vsp_new(test, 64);
	KUNIT_EXPECT_EQ(test, blob_read(test, w->e, old.bytes, old.size),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, w->restores, 0);
	/* a refused restore ends the wait, for a client does not wait for a third try */
	end_expect_soon(c, c->logged == 2);
	KUNIT_EXPECT_EQ(test, blob_read(test, w->e, b.bytes, b.size), STATUS_DEVICE_REMOVED);
	calls_expect(test, calls, 1);
	blob_free(&old);
	blob_free(&b);
}

/* Nothing in the rings tells the one from the other: there are none. */
static void an_old_save_of_a_server_without_a_client_is_refused(struct kunit *test)
{
	struct call *mine = calls_new(test);
	struct blob old = {}, b = {};
	struct vsp *v = vsp_new(test, 64), *w;

	KUNIT_ASSERT_EQ(test, VmbChannelEnable(v->e->ch), STATUS_SUCCESS);
	VmbChannelStart(v->e->ch);
	KUNIT_ASSERT_EQ(test, call_send(v->e, mine, 0, 0), STATUS_SUCCESS);
	blob_save(test, v, &old, LARGE);
	VmbChannelStart(v->e->ch);
	blob_save(test, v, &b, LARGE);
	end_drop(v->e);
	KUNIT_EXPECT_EQ(test, mine[0].cancelled, 1);
	w = vsp_new(test, 64);
	w->calls = mine;
	KUNIT_EXPECT_EQ(test, blob_read(test, w->e, old.bytes, old.size),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, w->restores, 0);
	blob_free(&old);
	blob_free(&b);
}

static void a_restored_server_that_is_not_enabled_lets_its_client_go(struct kunit *test)
{
	struct call *calls = calls_new(test), *mine = calls_new(test);
	struct blob b = {};
	struct vsp *v, *w;
	struct end *c;

	v = vsp_pair(test, 64, &c);
	KUNIT_ASSERT_EQ(test, call_send(c, calls, 0, 0), STATUS_SUCCESS);
	end_expect_soon(v->e, atomic_read(&v->asked) == 1);
	KUNIT_ASSERT_EQ(test, VmbChannelSaveBegin(v->e->ch), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, call_send(v->e, mine, 0, 0), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, blob_write(test, v->e, &b, LARGE), STATUS_SUCCESS);
	VmbChannelSaveEnd(v->e->ch);
	vsp_answer_all(v);
	end_drop(v->e);
	KUNIT_EXPECT_EQ(test, mine[0].cancelled, 1);
	memset(mine, 0, sizeof(*mine));
	w = vsp_new(test, 64);
	w->calls = mine;
	/* half of it, and it is forgotten */
	KUNIT_EXPECT_EQ(test, blob_read(test, w->e, b.bytes, blob_chunk_at(&b, 3)),
			STATUS_MORE_PROCESSING_REQUIRED);
	VmbChannelDisable(w->e->ch);
	end_expect_log(c, "");
	KUNIT_EXPECT_EQ(test, blob_read(test, w->e, b.bytes, b.size), STATUS_SUCCESS);
	vsp_answer_all(w);
	VmbChannelDisable(w->e->ch);
	KUNIT_EXPECT_EQ(test, mine[0].cancelled, 1);
	end_expect_soon(c, c->logged == 2);
	end_expect_log(c, "UC");
	KUNIT_EXPECT_EQ(test, calls[0].removed, 1);
	blob_free(&b);
}

/* What two threads do while the case holds the offer's event. */
struct meanwhile {
	struct helper helper;
	struct end *e;
	struct blob *b;
	NTSTATUS status;
};

static void disable_meanwhile(void *arg)
{
	struct meanwhile *m = arg;

	VmbChannelDisable(m->e->ch);
}

static void restore_meanwhile(void *arg)
{
	struct meanwhile *m = arg;

	m->status = blob_read(m->e->test, m->e, m->b->bytes, m->b->size);
}

/* It is found to be there, and gone when its offer is the restored server's. */
static void a_client_that_closes_while_it_is_adopted_leaves_nothing(struct kunit *test)
{
	struct meanwhile closes = {}, restores = {};
	struct kmcl_endpoint *ep;
	struct blob b = {};
	struct vsp *v, *w;
	struct end *c;

	v = vsp_pair(test, 64, &c);
	ep = kmcl_endpoint(v->e->kch->target.link);
	blob_save(test, v, &b, LARGE);
	end_drop(v->e);
	w = vsp_new(test, 64);
	closes.e = c;
	restores.e = w->e;
	restores.b = &b;
	mutex_lock(&ep->event);
	KUNIT_EXPECT_TRUE(test, helper_start(&closes.helper, disable_meanwhile, &closes));
	/* who waits first has it first */
	msleep(200);
	KUNIT_EXPECT_TRUE(test, helper_start(&restores.helper, restore_meanwhile, &restores));
	msleep(200);
	mutex_unlock(&ep->event);
	KUNIT_ASSERT_TRUE(test, helper_join(&closes.helper));
	KUNIT_ASSERT_TRUE(test, helper_join(&restores.helper));
	/* with several processors the order may be another: then it hears of it afterwards */
	KUNIT_EXPECT_TRUE(test, restores.status == STATUS_DEVICE_REMOVED ||
			  (num_online_cpus() > 1 && restores.status == STATUS_SUCCESS));
	KUNIT_EXPECT_TRUE(test, becomes(!READ_ONCE(w->e->kch->target.link)));
	blob_free(&b);
	/* the offer has gone with it */
	end_bring_up(w->e, c);
}

#ifdef CONFIG_FAILSLAB
/* The n-th allocation of a save fails, for each n: it says so, and the server goes on. */
static void without_memory_nothing_is_saved_and_the_server_goes_on(struct kunit *test)
{
	u8 *buf = kunit_kzalloc(test, LARGE, GFP_KERNEL);
	struct call *calls = calls_new(test);
	u32 i, nth, failed = 0;
	ULONG filled, required;
	struct vsp *v;
	struct end *c;
	NTSTATUS status;
	bool met;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	v = vsp_pair(test, 8, &c);
	for (i = 0; i < 4; i++)
		KUNIT_ASSERT_EQ(test, call_send(c, calls, i, 16), STATUS_SUCCESS);
	KUNIT_ASSERT_TRUE(test, end_wait(v->e, atomic_read(&v->asked) == 4));
	for (nth = 1; ; nth++) {
		KUNIT_ASSERT_EQ(test, VmbChannelSaveBegin(v->e->ch), STATUS_SUCCESS);
		current->fail_nth = nth;
		status = VmbChannelSaveContinue(v->e->ch, buf, LARGE, &filled, &required);
		met = !current->fail_nth;
		current->fail_nth = 0;
		VmbChannelSaveEnd(v->e->ch);
		VmbChannelStart(v->e->ch);
		if (!NT_SUCCESS(status)) {
			failed++;
			KUNIT_EXPECT_EQ(test, status, STATUS_INSUFFICIENT_RESOURCES);
		}
		if (!met)
			break;
	}
	KUNIT_EXPECT_EQ(test, status, STATUS_SUCCESS);
	/* a record at least, and the list of what there is, twice */
	KUNIT_EXPECT_GE(test, failed, 3);
	vsp_answer_all(v);
	end_expect_soon(c, calls_are_answered(calls, 4));
	calls_expect(test, calls, 4);
}
#endif

static struct kunit_case cases[] = {
	KUNIT_CASE(only_an_enabled_server_is_saved),
	KUNIT_CASE(inside_a_callback_nothing_is_saved),
#ifdef CONFIG_FAILSLAB
	KUNIT_CASE(without_memory_nothing_is_saved),
#endif
	KUNIT_CASE(a_client_that_closes_within_a_save_fails_it),
	KUNIT_CASE(a_client_that_opens_within_a_save_waits_until_it_is_over),
	KUNIT_CASE(a_driver_that_cannot_save_fails_the_save),
	KUNIT_CASE(only_a_disabled_server_is_restored),
	KUNIT_CASE(callbacks_are_set_on_a_disabled_server),
	KUNIT_CASE(a_packet_is_restored_with_what_the_library_gave_for_it),
	KUNIT_CASE(a_packet_that_is_not_restored_fails_the_restore),
	KUNIT_CASE(an_old_save_is_refused),
	KUNIT_CASE(an_old_save_of_a_server_without_a_client_is_refused),
	KUNIT_CASE(a_restored_server_that_is_not_enabled_lets_its_client_go),
	KUNIT_CASE(a_client_that_closes_while_it_is_adopted_leaves_nothing),
#ifdef CONFIG_FAILSLAB
	KUNIT_CASE(without_memory_nothing_is_saved_and_the_server_goes_on),
#endif
	{}
};

static struct kunit_suite suite = {
	.name = "loopback_save_status",
	.init = end_init,
	.exit = vsp_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
