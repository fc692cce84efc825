// SPDX-License-Identifier: GPL-2.0
/*
 * External data from a client to its server: the same memory, seen from both ends.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "../helper.h"
#include "end.h"

#define EXTERNAL	VMBUS_CHANNEL_PROCESS_PACKET_FLAG_EXTERNAL_DATA
#define IN_ONLY		VMBUS_CHANNEL_FORMAT_FLAG_DATA_IN_ONLY
#define OUT_ONLY	VMBUS_CHANNEL_FORMAT_FLAG_DATA_OUT_ONLY
#define get_data	VmbChannelPacketGetExternalData

/* The last packet at the server. */
static struct {
	VMBPACKETCOMPLETION pkt;
	u32 flags;
	NTSTATUS status;
	PMDL mdl;
	bool at_dispatch;
	bool keep;
	int calls;
	unsigned int fail_nth;
} got;

static void take(struct end *e, VMBPACKETCOMPLETION pkt, void *buf, u32 len, u32 flags)
{
	got.pkt = pkt;
	got.flags = flags;
	got.at_dispatch = in_interrupt();
	got.mdl = NULL;
#ifdef CONFIG_FAILSLAB
	if (!got.calls)
		current->fail_nth = got.fail_nth;
#endif
	got.status = get_data(pkt, 0, &got.mdl);
#ifdef CONFIG_FAILSLAB
	current->fail_nth = 0;
#endif
	got.calls++;
	if (!got.keep && got.status != STATUS_PENDING)
		VmbChannelPacketComplete(pkt, "taken", 6);
}

static void pair_that_keeps(struct kunit *test, struct end **s, struct end **c)
{
	memset(&got, 0, sizeof(got));
	got.keep = true;
	end_pair(test, s, c);
	(*s)->on_packet = take;
}

static PMDL mdl_of(struct kunit *test, void *memory, u32 len, PMDL next)
{
	PMDL mdl = IoAllocateMdl(memory, len, FALSE, FALSE, NULL);

	KUNIT_ASSERT_NOT_NULL(test, mdl);
	MmBuildMdlForNonPagedPool(mdl);
	mdl->Next = next;
	return mdl;
}

static NTSTATUS send_mdl(struct end *e, PMDL mdl, u32 flags)
{
	VMBPACKET pkt = end_packet(e);
	NTSTATUS status;

	if (!pkt)
		return STATUS_INSUFFICIENT_RESOURCES;
	status = VmbPacketSend(pkt, "inline", 7, mdl, flags | WAIT_FOR_COMPLETION);
	if (!NT_SUCCESS(status))
		VmbPacketFree(pkt);
	return status;
}

static u8 *mapped(PMDL mdl)
{
	return MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
}

/* ---- what the server sees ---- */

static void a_server_reads_and_writes_what_its_client_names(struct kunit *test)
{
	static const struct {
		u32 bytes, offset;
		bool vmalloc;
	} parts[] = {
		{ 4096, 0 }, { 1, 4095 }, { 2, 4095 }, { 3 * 4096, 0, true },
		{ 10000, 77, true }, { 100, 4000, true }, { 12345, 1 },
	};
	u8 *memory[ARRAY_SIZE(parts)];
	u8 *there[ARRAY_SIZE(parts)];
	struct end *s, *c;
	PMDL mdl = NULL, m;
	u32 i, j;

	pair_that_keeps(test, &s, &c);
	for (i = ARRAY_SIZE(parts); i--;) {
		u32 room = PAGE_ALIGN(parts[i].bytes + parts[i].offset);

		memory[i] = parts[i].vmalloc ? vmalloc(room) : kmalloc(room, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, memory[i]);
		memset(memory[i], 0x11, room);
		mdl = mdl_of(test, memory[i] + parts[i].offset, parts[i].bytes, mdl);
	}
	KUNIT_EXPECT_EQ(test, send_mdl(c, mdl, 0), STATUS_SUCCESS);
	end_expect_soon(s, atomic_read(&s->received) == 1);
	KUNIT_EXPECT_EQ(test, got.flags, EXTERNAL);
	KUNIT_ASSERT_EQ(test, got.status, STATUS_SUCCESS);
	for (i = 0, m = got.mdl; i < ARRAY_SIZE(parts); i++, m = m->Next) {
		u8 *mine = memory[i] + parts[i].offset, *theirs;

		KUNIT_ASSERT_NOT_NULL(test, m);
		KUNIT_EXPECT_EQ(test, MmGetMdlByteCount(m), parts[i].bytes);
		KUNIT_EXPECT_EQ(test, MmGetMdlByteOffset(m), (u32)offset_in_page(mine));
		KUNIT_EXPECT_TRUE(test, m->MdlFlags & MDL_PAGES_LOCKED);
		KUNIT_EXPECT_FALSE(test, m->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA);
		for (j = 0; j < parts[i].bytes; j++)
			mine[j] = i + j / 3;
		theirs = mapped(m);
		KUNIT_ASSERT_NOT_NULL(test, theirs);
		KUNIT_EXPECT_MEMEQ(test, theirs, mine, parts[i].bytes);
		memset(theirs, 0x80 + i, parts[i].bytes);
		there[i] = theirs;
	}
	KUNIT_EXPECT_NULL(test, m);
	VmbChannelPacketComplete(got.pkt, NULL, 0);
	end_expect_soon(c, atomic_read(&c->ok) == 1);
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		/* what had to be mapped is mapped no more */
		if (is_vmalloc_addr(there[i]))
			KUNIT_EXPECT_TRUE(test, becomes(!vmalloc_to_page(there[i])));
	}
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		u32 end = parts[i].offset + parts[i].bytes;

		for (j = 0; j < PAGE_ALIGN(end); j++)
			if (memory[i][j] != (j >= parts[i].offset && j < end ? 0x80 + i : 0x11))
				KUNIT_FAIL(test, "part %u byte %u is %#x", i, j, memory[i][j]);
		if (parts[i].vmalloc)
			vfree(memory[i]);
		else
			kfree(memory[i]);
	}
	while ((m = mdl)) {
		mdl = m->Next;
		IoFreeMdl(m);
	}
}

static void directions_are_a_hint(struct kunit *test)
{
	static const u32 flags[] = { IN_ONLY, OUT_ONLY, IN_ONLY | OUT_ONLY };
	u8 *memory = kunit_kzalloc(test, 4096, GFP_KERNEL);
	struct end *s, *c;
	PMDL mdl;
	u32 i;

	pair_that_keeps(test, &s, &c);
	mdl = mdl_of(test, memory, 4096, NULL);
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		KUNIT_EXPECT_EQ(test, send_mdl(c, mdl, flags[i]), STATUS_SUCCESS);
		end_expect_soon(s, atomic_read(&s->received) == 1 + i);
		mapped(got.mdl)[i] = 1 + i;
		VmbChannelPacketComplete(got.pkt, NULL, 0);
		end_expect_soon(c, atomic_read(&c->ok) == 1 + i);
		KUNIT_EXPECT_EQ(test, memory[i], 1 + i);
	}
	IoFreeMdl(mdl);
}

static void frames_and_parts_of_mdls_arrive_too(struct kunit *test)
{
	u8 *memory = (u8 *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, 1);
	PFN_NUMBER frames[2];
	VMBPACKET pkt;
	struct end *s, *c;
	PMDL mdl;

	pair_that_keeps(test, &s, &c);
	KUNIT_ASSERT_NOT_NULL(test, memory);
	strscpy(memory + 5000, "in the middle", 20);
	mdl = mdl_of(test, memory, 8192, NULL);
	pkt = end_packet(c);
	KUNIT_EXPECT_EQ(test, VmbPacketSendWithExternalMdl(pkt, NULL, 0, mdl, 5000, 14,
							   WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	end_expect_soon(s, atomic_read(&s->received) == 1);
	KUNIT_EXPECT_EQ(test, MmGetMdlByteCount(got.mdl), 14u);
	KUNIT_EXPECT_STREQ(test, (char *)mapped(got.mdl), "in the middle");
	VmbChannelPacketComplete(got.pkt, NULL, 0);
	frames[0] = page_to_pfn(virt_to_page(memory + 4096));
	frames[1] = page_to_pfn(virt_to_page(memory));
	pkt = end_packet(c);
	KUNIT_EXPECT_EQ(test, VmbPacketSendWithExternalPfns(pkt, NULL, 0, frames, 2,
							    WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	end_expect_soon(s, atomic_read(&s->received) == 2);
	KUNIT_EXPECT_STREQ(test, (char *)mapped(got.mdl) + 5000 - 4096, "in the middle");
	VmbChannelPacketComplete(got.pkt, NULL, 0);
	end_expect_soon(c, atomic_read(&c->ok) == 2);
	IoFreeMdl(mdl);
	free_pages((unsigned long)memory, 1);
}

static void the_same_mdl_is_had_until_the_packet_is_completed(struct kunit *test)
{
	u8 *memory = kunit_kzalloc(test, 4096, GFP_KERNEL);
	PMDL mdl, again = NULL;
	struct end *s, *c;

	pair_that_keeps(test, &s, &c);
	mdl = mdl_of(test, memory, 4096, NULL);
	KUNIT_EXPECT_EQ(test, send_mdl(c, mdl, 0), STATUS_SUCCESS);
	end_expect_soon(s, atomic_read(&s->received) == 1);
	KUNIT_EXPECT_EQ(test, get_data(got.pkt, VMBUS_CHANNEL_PACKET_EXTERNAL_DATA_FLAG_READ_ONLY,
				       &again), STATUS_SUCCESS);
	KUNIT_EXPECT_PTR_EQ(test, again, got.mdl);
	KUNIT_EXPECT_EQ(test, get_data(got.pkt, 2, &again), STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, get_data(got.pkt, 0, NULL), STATUS_INVALID_PARAMETER_3);
	VmbChannelPacketComplete(got.pkt, NULL, 0);
	KUNIT_EXPECT_EQ(test, get_data(got.pkt, 0, &again), STATUS_INVALID_PARAMETER_1);
	end_expect_soon(c, atomic_read(&c->ok) == 1);
	IoFreeMdl(mdl);
}

static void more_than_a_server_wants_is_answered_unread(struct kunit *test)
{
	struct end *s = end_new(test, true), *c = end_new(test, false);
	u8 *memory = vzalloc(3 * 4096);
	PMDL mdl;

	memset(&got, 0, sizeof(got));
	KUNIT_ASSERT_NOT_NULL(test, memory);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumExternalData(s->ch, 8192, 1),
			STATUS_SUCCESS);
	s->on_packet = take;
	end_bring_up(s, c);
	mdl = mdl_of(test, memory, 3 * 4096, NULL);
	KUNIT_EXPECT_EQ(test, send_mdl(c, mdl, 0), STATUS_SUCCESS);
	end_expect_soon(c, atomic_read(&c->ok) == 1);
	IoFreeMdl(mdl);
	mdl = mdl_of(test, memory, 100, mdl_of(test, memory + 4096, 100, NULL));
	KUNIT_EXPECT_EQ(test, send_mdl(c, mdl, 0), STATUS_SUCCESS);
	end_expect_soon(c, atomic_read(&c->ok) == 2);
	IoFreeMdl(mdl->Next);
	IoFreeMdl(mdl);
	KUNIT_EXPECT_EQ(test, s->kch->stats.unsupported, 2ull);
	KUNIT_EXPECT_EQ(test, atomic_read(&s->received), 0);
	mdl = mdl_of(test, memory, 8192, NULL);
	KUNIT_EXPECT_EQ(test, send_mdl(c, mdl, 0), STATUS_SUCCESS);
	end_expect_soon(c, atomic_read(&c->ok) == 3);
	KUNIT_EXPECT_EQ(test, atomic_read(&s->received), 1);
	IoFreeMdl(mdl);
	vfree(memory);
}

/* Its memory is not for clients to see. */
static void a_server_sends_no_external_data(struct kunit *test)
{
	u8 *memory = kunit_kzalloc(test, 4096, GFP_KERNEL);
	PFN_NUMBER frame = page_to_pfn(virt_to_page(memory));
	struct end *s, *c;
	VMBPACKET pkt;
	PMDL mdl;

	pair_that_keeps(test, &s, &c);
	mdl = mdl_of(test, memory, 4096, NULL);
	pkt = VmbPacketAllocate(s->ch);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, "no", 3, mdl, WAIT_FOR_COMPLETION),
			STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test, VmbPacketSendWithExternalMdl(pkt, "no", 3, mdl, 0, 0,
							   WAIT_FOR_COMPLETION),
			STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test, VmbPacketSendWithExternalPfns(pkt, "no", 3, &frame, 1,
							    WAIT_FOR_COMPLETION),
			STATUS_NOT_SUPPORTED);
	/* the packet is none the worse for it */
	KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, "yes", 4, NULL, 0), STATUS_SUCCESS);
	end_expect_soon(c, atomic_read(&c->received) == 1);
	IoFreeMdl(mdl);
}

/* ---- who waits for whom ---- */

static void disable(void *arg)
{
	struct end *e = arg;

	VmbChannelDisable(e->ch);
}

static void a_client_does_not_close_while_its_server_has_its_memory(struct kunit *test)
{
	u8 *memory = vzalloc(8192);
	struct end *s, *c;
	struct helper h;
	PMDL mdl;

	pair_that_keeps(test, &s, &c);
	KUNIT_ASSERT_NOT_NULL(test, memory);
	mdl = mdl_of(test, memory, 8192, NULL);
	KUNIT_EXPECT_EQ(test, send_mdl(c, mdl, 0), STATUS_SUCCESS);
	end_expect_soon(s, atomic_read(&s->received) == 1);
	KUNIT_ASSERT_NOT_NULL(test, mapped(got.mdl));
	KUNIT_ASSERT_TRUE(test, helper_start(&h, disable, c));
	end_expect_soon(s, s->logged == 1);
	schedule_timeout_uninterruptible(HZ / 10);
	KUNIT_EXPECT_EQ(test, atomic_read(&c->completions), 0);
	KUNIT_EXPECT_FALSE(test, completion_done(&h.done));
	/* for it is still written to */
	memset(mapped(got.mdl), 0x33, 8192);
	VmbChannelPacketComplete(got.pkt, NULL, 0);
	KUNIT_EXPECT_TRUE(test, helper_join(&h));
	KUNIT_EXPECT_EQ(test, atomic_read(&c->cancelled), 1);
	KUNIT_EXPECT_EQ(test, memory[8191], 0x33);
	end_expect_log(s, "UC");
	IoFreeMdl(mdl);
	vfree(memory);
}

static void a_server_that_is_disabled_gives_all_memory_back_first(struct kunit *test)
{
	u8 *memory = vzalloc(8192);
	struct end *s, *c;
	struct helper h;
	PMDL mdl;

	pair_that_keeps(test, &s, &c);
	KUNIT_ASSERT_NOT_NULL(test, memory);
	mdl = mdl_of(test, memory, 8192, NULL);
	KUNIT_EXPECT_EQ(test, send_mdl(c, mdl, 0), STATUS_SUCCESS);
	end_expect_soon(s, atomic_read(&s->received) == 1);
	KUNIT_ASSERT_TRUE(test, helper_start(&h, disable, s));
	end_expect_soon(s, s->logged == 1);
	schedule_timeout_uninterruptible(HZ / 10);
	KUNIT_EXPECT_EQ(test, atomic_read(&c->completions), 0);
	memset(mapped(got.mdl), 0x33, 8192);
	VmbChannelPacketComplete(got.pkt, NULL, 0);
	KUNIT_EXPECT_TRUE(test, helper_join(&h));
	/* the answer, or the rescind */
	end_expect_soon(c, atomic_read(&c->completions) == 1);
	end_expect_soon(c, c->logged == 2);
	IoFreeMdl(mdl);
	vfree(memory);
}

/* ---- without memory ---- */

static void without_memory_it_comes_again_at_passive_level(struct kunit *test)
{
#ifdef CONFIG_FAILSLAB
	u8 *memory = kunit_kzalloc(test, 4096, GFP_KERNEL);
	struct end *s, *c;
	PMDL mdl;

	pair_that_keeps(test, &s, &c);
	got.keep = false;
	got.fail_nth = 1;
	mdl = mdl_of(test, memory, 4096, NULL);
	local_bh_disable();
	KUNIT_EXPECT_EQ(test, send_mdl(c, mdl, 0), STATUS_SUCCESS);
	/* read from here: failures are met in tasks only */
	kmcl_link_event(s->kch->target.link);
	KUNIT_EXPECT_EQ(test, got.calls, 1);
	KUNIT_EXPECT_TRUE(test, got.at_dispatch);
	KUNIT_EXPECT_EQ(test, got.status, STATUS_PENDING);
	local_bh_enable();
	end_expect_soon(c, atomic_read(&c->ok) == 1);
	KUNIT_EXPECT_EQ(test, got.calls, 2);
	KUNIT_EXPECT_EQ(test, got.status, STATUS_SUCCESS);
	KUNIT_EXPECT_FALSE(test, got.at_dispatch);
	IoFreeMdl(mdl);
#else
	kunit_skip(test, "needs CONFIG_FAILSLAB");
#endif
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_server_reads_and_writes_what_its_client_names),
	KUNIT_CASE(directions_are_a_hint),
	KUNIT_CASE(frames_and_parts_of_mdls_arrive_too),
	KUNIT_CASE(the_same_mdl_is_had_until_the_packet_is_completed),
	KUNIT_CASE(more_than_a_server_wants_is_answered_unread),
	KUNIT_CASE(a_server_sends_no_external_data),
	KUNIT_CASE(a_client_does_not_close_while_its_server_has_its_memory),
	KUNIT_CASE(a_server_that_is_disabled_gives_all_memory_back_first),
	KUNIT_CASE(without_memory_it_comes_again_at_passive_level),
	{}
};

static struct kunit_suite suite = {
	.name = "loopback_external",
	.init = end_init,
	.exit = end_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
