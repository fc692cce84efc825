// SPDX-License-Identifier: GPL-2.0
/*
 * External data of incoming packets: transfer pages and GPA direct, what they
 * may name, and what becomes of those that lie.
 */
#include <linux/prandom.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <kmcl/page-set.h>
#include "fixture.h"
#include "helper.h"
#include "kmsg.h"

#define PAGE		4096u
#define SET		0xcafe
#define PAGES		8u
#define EXTERNAL	VMBUS_CHANNEL_PROCESS_PACKET_FLAG_EXTERNAL_DATA
#define get_data	VmbChannelPacketGetExternalData

/* The last packet, as ProcessPacket saw it. */
static struct {
	VMBPACKETCOMPLETION pkt;
	u8 payload[16];
	u32 len;
	u32 flags;
	NTSTATUS status;
	PMDL mdl;
	bool at_dispatch;
	int calls;
	bool complete;
	unsigned int fail_nth;
	unsigned int refused;
	bool quiet;
} got;

static u8 *shared;
static u32 gpadl;

static VOID process(VMBCHANNEL ch, PVOID context, VMBPACKETCOMPLETION pkt, PVOID buf, UINT32 len,
		    UINT32 flags)
{
	struct vsc *v = context;

	got.pkt = pkt;
	memcpy(got.payload, buf, min_t(u32, len, sizeof(got.payload)));
	got.len = len;
	got.flags = flags;
	got.at_dispatch = in_interrupt();
#ifdef CONFIG_FAILSLAB
	if (!got.calls)
		current->fail_nth = got.fail_nth;
#endif
	got.status = get_data(pkt, 0, &got.mdl);
#ifdef CONFIG_FAILSLAB
	current->fail_nth = 0;
#endif
	got.calls++;
	if (got.complete && got.status != STATUS_PENDING)
		VmbChannelPacketComplete(pkt, NULL, 0);
	atomic_inc(&v->received);
	wake_up_all(&v->wait);
}

static struct vsc *vsc_with_set(struct kunit *test, u32 most, u32 chain)
{
	struct vsc *v = vsc_new(test);
	void *address;

	memset(&got, 0, sizeof(got));
	v->offer.script.record = true;
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetProcessPacketCallbacksEx(v->ch, v, process, NULL),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumExternalData(v->ch, most, chain),
			STATUS_SUCCESS);
	vsc_bring_up(v);
	KUNIT_ASSERT_EQ(test, VmbChannelCreateGpadl(v->ch, 0, PAGES, &gpadl), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelGetSystemAddressForGpadl(v->ch, 0, gpadl, &address),
			STATUS_SUCCESS);
	shared = address;
	KUNIT_ASSERT_EQ(test, kmcl_page_set_register(v->ch, SET, gpadl), STATUS_SUCCESS);
	return v;
}

static u64 frame(u32 page)
{
	return vmalloc_to_pfn(shared + page * PAGE);
}

/* A packet of @type with a description of @n words and 8 bytes of payload. */
static int host_describes(struct vsc *v, u16 type, const void *words, u32 n, u16 flags)
{
	static u8 body[2048];
	struct hvsim_raw raw = {
		.desc = { .type = type, .flags = flags, .trans_id = 77,
			  .offset8 = 2 + DIV_ROUND_UP(n, 2), .len8 = 3 + DIV_ROUND_UP(n, 2) },
		.payload = body,
		.len = ALIGN(4 * n, 8) + 8,
		.quiet = got.quiet,
	};

	memset(body, 0, sizeof(body));
	memcpy(body, words, 4 * n);
	memcpy(body + ALIGN(4 * n, 8), "payload", 8);
	return hvsim_send_raw(v->host, &raw);
}

#define transfer(v, flags, ...)							\
({										\
	const u32 words_[] = { __VA_ARGS__ };					\
										\
	host_describes(v, VM_PKT_DATA_USING_XFER_PAGES, words_, ARRAY_SIZE(words_), flags);	\
})

#define gpa_direct(v, flags, ...)						\
({										\
	const u32 words_[] = { 0, __VA_ARGS__ };				\
										\
	host_describes(v, VM_PKT_DATA_USING_GPA_DIRECT, words_, ARRAY_SIZE(words_), flags);	\
})

/* A frame number, as two words on the wire. */
#define LOW(page)	((u32)frame(page))
#define HIGH(page)	((u32)(frame(page) >> 32))

static void expect_mdl(struct kunit *test, PMDL mdl, u32 offset, u32 bytes)
{
	u32 i, pages = DIV_ROUND_UP(offset % PAGE + bytes, PAGE);

	KUNIT_ASSERT_NOT_NULL(test, mdl);
	KUNIT_EXPECT_EQ(test, MmGetMdlByteCount(mdl), bytes);
	KUNIT_EXPECT_EQ(test, MmGetMdlByteOffset(mdl), offset % PAGE);
	for (i = 0; i < pages; i++)
		KUNIT_EXPECT_EQ(test, MmGetMdlPfnArray(mdl)[i], frame(offset / PAGE + i));
	KUNIT_EXPECT_PTR_EQ(test, (u8 *)MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority),
			    shared + offset);
}

/* ---- what can be had ---- */

static void transfer_pages_come_as_mdls_of_their_set(struct kunit *test)
{
	struct vsc *v = vsc_with_set(test, 128 << 10, 32);
	PMDL again;
	int i;

	for (i = 0; i < PAGES * PAGE; i++)
		shared[i] = i % 251;
	KUNIT_EXPECT_EQ(test, transfer(v, 1, SET, 3, 100, 0, 5000, 4000, 1, PAGES * PAGE - 1), 0);
	vsc_expect_soon(v, atomic_read(&v->received) == 1);
	KUNIT_EXPECT_EQ(test, got.flags, (u32)EXTERNAL);
	KUNIT_EXPECT_EQ(test, got.len, 8u);
	KUNIT_EXPECT_MEMEQ(test, got.payload, "payload", 8);
	KUNIT_ASSERT_EQ(test, got.status, STATUS_SUCCESS);
	expect_mdl(test, got.mdl, 0, 100);
	expect_mdl(test, got.mdl->Next, 4000, 5000);
	expect_mdl(test, got.mdl->Next->Next, PAGES * PAGE - 1, 1);
	KUNIT_EXPECT_NULL(test, got.mdl->Next->Next->Next);

	/* as often as the driver likes */
	KUNIT_EXPECT_EQ(test, STATUS_SUCCESS,
			get_data(got.pkt, VMBUS_CHANNEL_PACKET_EXTERNAL_DATA_FLAG_READ_ONLY,
				 &again));
	KUNIT_EXPECT_PTR_EQ(test, again, got.mdl);
	VmbChannelPacketComplete(got.pkt, "answer", 6);
	hvsim_settle();
	KUNIT_EXPECT_TRUE(test, list_is_singular(&v->host->record));
}

static void frames_that_were_lent_come_as_mdls_too(struct kunit *test)
{
	struct vsc *v = vsc_with_set(test, 128 << 10, 32);

	KUNIT_EXPECT_EQ(test, 0, gpa_direct(v, 0, 2, 200, 50, LOW(5), HIGH(5), PAGE + 2, PAGE - 1,
					    LOW(1), HIGH(1), LOW(2), HIGH(2), LOW(3), HIGH(3)));
	vsc_expect_soon(v, atomic_read(&v->received) == 1);
	KUNIT_EXPECT_EQ(test, got.flags, (u32)EXTERNAL);
	KUNIT_EXPECT_MEMEQ(test, got.payload, "payload", 8);
	KUNIT_ASSERT_EQ(test, got.status, STATUS_SUCCESS);
	expect_mdl(test, got.mdl, 5 * PAGE + 50, 200);
	expect_mdl(test, got.mdl->Next, 2 * PAGE - 1, PAGE + 2);
	KUNIT_EXPECT_NULL(test, got.mdl->Next->Next);
	VmbChannelPacketComplete(got.pkt, NULL, 0);
}

static void a_description_larger_than_the_pool_s_packets_is_taken(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	u32 words[2 + 2 * 200] = { SET, 200 };
	void *address;
	PMDL mdl;
	int i;

	memset(&got, 0, sizeof(got));
	VmbChannelInitSetProcessPacketCallbacksEx(v->ch, v, process, NULL);
	VmbChannelInitSetMaximumExternalData(v->ch, 1000, 200);
	VmbChannelInitSetMaximumPacketSize(v->ch, 64);
	vsc_bring_up(v);
	KUNIT_ASSERT_EQ(test, VmbChannelCreateGpadl(v->ch, 0, PAGES, &gpadl), STATUS_SUCCESS);
	VmbChannelGetSystemAddressForGpadl(v->ch, 0, gpadl, &address);
	shared = address;
	KUNIT_ASSERT_EQ(test, kmcl_page_set_register(v->ch, SET, gpadl), STATUS_SUCCESS);
	for (i = 0; i < 200; i++) {
		words[2 + 2 * i] = 5;
		words[3 + 2 * i] = 100 * i;
	}
	KUNIT_EXPECT_EQ(test, host_describes(v, VM_PKT_DATA_USING_XFER_PAGES, words, 402, 0), 0);
	vsc_expect_soon(v, atomic_read(&v->received) == 1);
	KUNIT_ASSERT_EQ(test, got.status, STATUS_SUCCESS);
	for (i = 0, mdl = got.mdl; mdl; mdl = mdl->Next, i++)
		if (i % 50 == 0)
			expect_mdl(test, mdl, 100 * i, 5);
	KUNIT_EXPECT_EQ(test, i, 200);
	VmbChannelPacketComplete(got.pkt, NULL, 0);
}

/* ---- statuses ---- */

static void get_external_data_names_what_is_wrong(struct kunit *test)
{
	struct vsc *v = vsc_with_set(test, 128 << 10, 32);
	PMDL mdl = NULL;
	u32 flag;

	KUNIT_EXPECT_EQ(test, get_data(NULL, 0, &mdl), STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, hvsim_send(v->host, VM_PKT_DATA_INBAND, 0, 1, "payload", 8), 0);
	vsc_expect_soon(v, atomic_read(&v->received) == 1);
	KUNIT_EXPECT_EQ(test, got.flags, 0u);
	KUNIT_EXPECT_EQ(test, got.status, STATUS_INVALID_PARAMETER_1);
	VmbChannelPacketComplete(got.pkt, NULL, 0);

	KUNIT_EXPECT_EQ(test, transfer(v, 0, SET, 1, 100, 0), 0);
	vsc_expect_soon(v, atomic_read(&v->received) == 2);
	for (flag = VMBUS_CHANNEL_PACKET_EXTERNAL_DATA_FLAGS + 1; flag; flag <<= 1)
		KUNIT_EXPECT_EQ(test, get_data(got.pkt, flag, &mdl), STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, get_data(got.pkt, 0, NULL), STATUS_INVALID_PARAMETER_3);
	VmbChannelPacketComplete(got.pkt, NULL, 0);
	KUNIT_EXPECT_EQ(test, get_data(got.pkt, 0, &mdl), STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_NULL(test, mdl);
}

static void a_set_of_pages_has_one_number_and_a_gpadl(struct kunit *test)
{
	struct vsc *v = vsc_with_set(test, 128 << 10, 32);

	KUNIT_EXPECT_EQ(test, kmcl_page_set_register(NULL, 1, gpadl), STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, kmcl_page_set_register(v->ch, SET, gpadl),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, kmcl_page_set_register(v->ch, 1, gpadl + 1000),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, kmcl_page_set_register(v->ch, 0, gpadl), STATUS_SUCCESS);
	kmcl_page_set_unregister(v->ch, 0);
	kmcl_page_set_unregister(v->ch, 0);
	kmcl_page_set_unregister(NULL, 0);
	/* numbers end with the channel */
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_TRUE(test, xa_empty(&v->kch->page_sets));
}

/* ---- what is refused ---- */

static void expect_refused(struct vsc *v, int sent, const struct kmsg *k, const char *why)
{
	const u64 refused = ++got.refused;

	KUNIT_EXPECT_EQ(v->test, sent, 0);
	KUNIT_EXPECT_TRUE_MSG(v->test, becomes(v->kch->stats.unsupported == refused), "%s", why);
	hvsim_settle();
	KUNIT_EXPECT_TRUE_MSG(v->test, list_is_singular(&v->host->record), "%s", why);
	hvsim_clear_record(v->host);
	KUNIT_EXPECT_EQ_MSG(v->test, atomic_read(&v->received), 0, "%s", why);
	KUNIT_EXPECT_EQ_MSG(v->test, kmsg_count(k, why), 1u, "%s", why);
}

static void what_was_not_lent_is_answered_unread_and_reported(struct kunit *test)
{
	struct vsc *v = vsc_with_set(test, 3 * PAGE, 2);
	struct kmsg k;
	u32 handle;
	u8 *mine = kunit_kzalloc(test, PAGE, GFP_KERNEL);
	u64 stolen = virt_to_phys(mine) >> PAGE_SHIFT;

	kmsg_mark(&k);
	expect_refused(v, transfer(v, 1, SET + 1, 1, 100, 0), &k, "unknown set of pages");
	kmsg_mark(&k);
	expect_refused(v, transfer(v, 1, SET, 3, 1, 0, 1, 0, 1, 0), &k, "a longer chain");
	kmsg_mark(&k);
	expect_refused(v, transfer(v, 1, SET, 2, PAGE, 0, 2 * PAGE + 1, 0), &k,
		       "more external data");
	kmsg_mark(&k);
	expect_refused(v, transfer(v, 1, SET, 0), &k, "no ranges");
	kmsg_mark(&k);
	expect_refused(v, gpa_direct(v, 1, 1, 100, 0, (u32)stolen, (u32)(stolen >> 32)), &k,
		       "frames that the driver has not lent");
	kmsg_mark(&k);
	/* lent, but not in this order; and one behind the last */
	expect_refused(v, gpa_direct(v, 1, 1, PAGE, 1, LOW(2), HIGH(2), LOW(1), HIGH(1)), &k,
		       "frames that the driver has not lent");
	kmsg_mark(&k);
	expect_refused(v, gpa_direct(v, 1, 1, PAGE, 1, LOW(7), HIGH(7), LOW(0), HIGH(0)), &k,
		       "frames that the driver has not lent");
	kmsg_mark(&k);
	expect_refused(v, gpa_direct(v, 1, 1, 4, 0, ~0u, ~0u), &k,
		       "frames that the driver has not lent");

	KUNIT_ASSERT_EQ(test, VmbChannelCreateGpadl(v->ch, 0, 1, &handle), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, kmcl_page_set_register(v->ch, 5, handle), STATUS_SUCCESS);
	VmbChannelDeleteGpadl(v->ch, handle);
	kmsg_mark(&k);
	expect_refused(v, transfer(v, 1, 5, 1, 100, 0), &k, "whose GPADL is gone");
	KUNIT_EXPECT_EQ(test, atomic_read(&v->kch->rx.busy), 0);
}

static void expect_poison(struct vsc *v, int sent, const char *why)
{
	struct kunit *test = v->test;

	KUNIT_EXPECT_EQ(test, sent, 0);
	KUNIT_EXPECT_TRUE_MSG(test, becomes(READ_ONCE(v->kch->state) == KMCL_DISABLED), "%s", why);
	KUNIT_EXPECT_NOT_NULL(test, v->kch->poison);
	if (v->kch->poison)
		KUNIT_EXPECT_STREQ(test, v->kch->poison, why);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->received), 0);
	vsc_drop(v);
	hvsim_reset();
}

static struct vsc *victim(struct kunit *test)
{
	return vsc_with_set(test, 128 << 10, 32);
}

static void a_description_that_cannot_be_true_closes_the_channel(struct kunit *test)
{
	const char *outside = "transfer page range outside its set";
	const char *beyond = "transfer page ranges beyond the packet";
	const char *frames = "GPA direct ranges beyond the packet";
	struct vsc *v;

	v = victim(test);
	expect_poison(v, transfer(v, 1, SET, 2, 100, 0), beyond);
	v = victim(test);
	expect_poison(v, transfer(v, 1, SET, ~0u, 100, 0), beyond);
	v = victim(test);
	expect_poison(v, transfer(v, 1, SET, 1, 0, 0), outside);
	v = victim(test);
	expect_poison(v, transfer(v, 1, SET, 1, PAGES * PAGE + 1, 0), outside);
	v = victim(test);
	expect_poison(v, transfer(v, 1, SET, 1, 1, PAGES * PAGE), outside);
	v = victim(test);
	expect_poison(v, transfer(v, 1, SET, 1, 2, ~0u), outside);
	v = victim(test);
	expect_poison(v, transfer(v, 1, SET, 2, 1, 0, ~0u, 1), outside);
	v = victim(test);
	expect_poison(v, host_describes(v, VM_PKT_DATA_USING_XFER_PAGES, NULL, 0, 1),
		      "transfer pages without a header");
	v = victim(test);
	expect_poison(v, host_describes(v, VM_PKT_DATA_USING_GPA_DIRECT, NULL, 0, 1),
		      "GPA direct without a header");
	v = victim(test);
	expect_poison(v, gpa_direct(v, 1, 2, 100, 0, LOW(0), HIGH(0)), frames);
	v = victim(test);
	expect_poison(v, gpa_direct(v, 1, ~0u, 100, 0, LOW(0), HIGH(0)), frames);
	v = victim(test);
	expect_poison(v, gpa_direct(v, 1, 1, PAGE + 1, 0, LOW(0), HIGH(0)), frames);
	v = victim(test);
	expect_poison(v, gpa_direct(v, 1, 1, ~0u, 4095, LOW(0), HIGH(0)), frames);
	v = victim(test);
	expect_poison(v, gpa_direct(v, 1, 1, 100, PAGE, LOW(0), HIGH(0), LOW(1), HIGH(1)), frames);
	v = victim(test);
	expect_poison(v, gpa_direct(v, 1, 1, 0, 0, LOW(0), HIGH(0)), frames);
}

/* ---- life ---- */

static void a_packet_keeps_the_memory_of_a_gpadl_that_is_deleted(struct kunit *test)
{
	struct vsc *v = vsc_with_set(test, 128 << 10, 32);

	KUNIT_EXPECT_EQ(test, transfer(v, 1, SET, 1, 100, PAGE), 0);
	vsc_expect_soon(v, atomic_read(&v->received) == 1);
	KUNIT_ASSERT_EQ(test, got.status, STATUS_SUCCESS);
	VmbChannelDeleteGpadl(v->ch, gpadl);
	kmcl_page_set_unregister(v->ch, SET);
	memset(MmGetSystemAddressForMdlSafe(got.mdl, NormalPagePriority), 0x33, 100);
	KUNIT_EXPECT_EQ(test, shared[PAGE + 99], 0x33);
	VmbChannelPacketComplete(got.pkt, NULL, 0);
}

static VOID hold(VMBCHANNEL ch, PVOID context, VMBPACKETCOMPLETION pkt, PVOID buf, UINT32 len,
		 UINT32 flags)
{
	struct vsc *v = context;

	atomic_inc(&v->received);
	wake_up_all(&v->wait);
	/* while the next ones pile up in the backlog */
	wait_event_timeout(v->wait, v->priv, 20 * HZ);
	VmbChannelPacketComplete(pkt, NULL, 0);
}

static void packets_never_delivered_let_go_of_it(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct helper h;
	int i;

	VmbChannelInitSetProcessPacketCallbacksEx(v->ch, v, hold, NULL);
	vsc_bring_up(v);
	KUNIT_ASSERT_EQ(test, VmbChannelCreateGpadl(v->ch, 0, 1, &gpadl), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, kmcl_page_set_register(v->ch, SET, gpadl), STATUS_SUCCESS);
	VmbChannelSetIncomingProcessingAtPassive(v->ch, TRUE);
	for (i = 0; i < 5; i++)
		KUNIT_EXPECT_EQ(test, transfer(v, 0, SET, 1, 100, 0), 0);
	vsc_expect_soon(v, atomic_read(&v->received) == 1);
	KUNIT_EXPECT_TRUE(test, becomes(atomic_read(&v->kch->rx.busy) == 5));
	KUNIT_ASSERT_TRUE(test, helper_start(&h, (void (*)(void *))VmbChannelDisable, v->ch));
	KUNIT_EXPECT_TRUE(test, becomes(!READ_ONCE(v->kch->rx.gate)));
	v->priv = v;
	wake_up_all(&v->wait);
	KUNIT_EXPECT_TRUE(test, helper_join(&h));
	KUNIT_EXPECT_EQ(test, atomic_read(&v->received), 1);
	vsc_expect_log(v, "UC");
}

static void without_memory_it_comes_again_at_passive_level(struct kunit *test)
{
#ifdef CONFIG_FAILSLAB
	struct vsc *v = vsc_with_set(test, 128 << 10, 32);

	got.fail_nth = 1;
	got.complete = true;
	got.quiet = true;
	KUNIT_EXPECT_EQ(test, transfer(v, 1, SET, 1, 100, 0), 0);
	/* read from here: failures are met in tasks only */
	local_bh_disable();
	kmcl_link_event(v->kch->target.link);
	KUNIT_EXPECT_EQ(test, got.calls, 1);
	KUNIT_EXPECT_TRUE(test, got.at_dispatch);
	KUNIT_EXPECT_EQ(test, got.status, STATUS_PENDING);
	local_bh_enable();
	vsc_expect_soon(v, got.calls == 2);
	KUNIT_EXPECT_EQ(test, got.status, STATUS_SUCCESS);
	KUNIT_EXPECT_FALSE(test, got.at_dispatch);
	hvsim_settle();
	KUNIT_EXPECT_TRUE(test, list_is_singular(&v->host->record));
#else
	kunit_skip(test, "needs CONFIG_FAILSLAB");
#endif
}

static void without_memory_at_passive_level_the_driver_hears_of_it(struct kunit *test)
{
#ifdef CONFIG_FAILSLAB
	struct vsc *v = vsc_with_set(test, 128 << 10, 32);

	VmbChannelSetIncomingProcessingAtPassive(v->ch, TRUE);
	got.fail_nth = 1;
	KUNIT_EXPECT_EQ(test, transfer(v, 1, SET, 1, 100, 0), 0);
	vsc_expect_soon(v, got.calls == 1);
	KUNIT_EXPECT_EQ(test, got.status, STATUS_INSUFFICIENT_RESOURCES);
	KUNIT_EXPECT_NULL(test, got.mdl);
	/* the packet is still the driver's, who may ask again */
	KUNIT_EXPECT_EQ(test, get_data(got.pkt, 0, &got.mdl), STATUS_SUCCESS);
	expect_mdl(test, got.mdl, 0, 100);
	VmbChannelPacketComplete(got.pkt, NULL, 0);
#else
	kunit_skip(test, "needs CONFIG_FAILSLAB");
#endif
}

/* Words near the truth; whatever comes of it, no piece is outside the set. */
static void random_descriptions_are_refused_or_true(struct kunit *test)
{
	const u32 seeds = IS_ENABLED(CONFIG_KASAN) ? 100 : 400;
	struct rnd_state rnd;
	struct vsc *v = victim(test);
	int taken = 0, refused = 0, closed = 0;
	u32 seed, i, words[16];

	for (seed = 1; seed <= seeds; seed++) {
		bool direct = seed % 2;
		int received = atomic_read(&v->received);
		u64 unsupported = v->kch->stats.unsupported;
		PMDL mdl;

		prandom_seed_state(&rnd, seed);
		words[0] = SET;
		words[1] = 1 + prandom_u32_state(&rnd) % 3;
		for (i = 2; i < 16; i++) {
			u32 r = prandom_u32_state(&rnd);

			words[i] = direct && i >= 4 ? (i % 2 ? 0 : frame(r % PAGES)) :
						      r % (r >> 28 ? 5000 : 40000);
		}
		if (!(seed % 7))
			words[prandom_u32_state(&rnd) % 16] = prandom_u32_state(&rnd);
		KUNIT_ASSERT_EQ(test, 0,
				host_describes(v, direct ? VM_PKT_DATA_USING_GPA_DIRECT :
					       VM_PKT_DATA_USING_XFER_PAGES, words, 16, 0));
		KUNIT_ASSERT_TRUE(test, becomes(atomic_read(&v->received) != received ||
						v->kch->stats.unsupported != unsupported ||
						READ_ONCE(v->kch->poison)));
		if (atomic_read(&v->received) != received) {
			taken++;
			for (mdl = got.mdl; mdl; mdl = mdl->Next) {
				u8 *at = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);

				KUNIT_ASSERT_TRUE(test, at >= shared && mdl->ByteCount &&
						  at + mdl->ByteCount <= shared + PAGES * PAGE);
			}
			VmbChannelPacketComplete(got.pkt, NULL, 0);
		} else if (READ_ONCE(v->kch->poison)) {
			closed++;
			KUNIT_ASSERT_TRUE(test, becomes(READ_ONCE(v->kch->state) == KMCL_DISABLED));
			vsc_drop(v);
			hvsim_reset();
			v = victim(test);
		} else {
			refused++;
		}
	}
	kunit_info(test, "%d taken, %d refused, %d closed\n", taken, refused, closed);
	KUNIT_EXPECT_GT(test, taken, 0);
	KUNIT_EXPECT_GT(test, refused, 0);
	KUNIT_EXPECT_GT(test, closed, 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(transfer_pages_come_as_mdls_of_their_set),
	KUNIT_CASE(frames_that_were_lent_come_as_mdls_too),
	KUNIT_CASE(a_description_larger_than_the_pool_s_packets_is_taken),
	KUNIT_CASE(get_external_data_names_what_is_wrong),
	KUNIT_CASE(a_set_of_pages_has_one_number_and_a_gpadl),
	KUNIT_CASE(what_was_not_lent_is_answered_unread_and_reported),
	KUNIT_CASE(a_description_that_cannot_be_true_closes_the_channel),
	KUNIT_CASE(a_packet_keeps_the_memory_of_a_gpadl_that_is_deleted),
	KUNIT_CASE(packets_never_delivered_let_go_of_it),
	KUNIT_CASE(without_memory_it_comes_again_at_passive_level),
	KUNIT_CASE(without_memory_at_passive_level_the_driver_hears_of_it),
	KUNIT_CASE(random_descriptions_are_refused_or_true),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_incoming",
	.init = vsc_suite_init,
	.exit = vsc_suite_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
