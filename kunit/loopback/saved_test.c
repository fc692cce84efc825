// SPDX-License-Identifier: GPL-2.0
/*
 * What was saved, and anything else that may be given to a server to be restored.
 *
 * The client is none of this library (client.h), so the same save is restored again and again,
 * and one that was made by the first version of the format, which is kept in kunit/golden/.
 */
#include <linux/crc32.h>
#include <linux/module.h>
#include "../helper.h"
#include "../kmsg.h"
#include "blob.h"
#include "client.h"
#include "save.h"
#include "server.h"
/* pure code, not exported by the library: the suite has its own copy; ring.c is in bus.c */
#include "blob.c"
#include "../golden/save-v1.h"

#define set_callbacks_ex	VmbServerChannelInitSetSaveRestorePacketCallbacksEx

/* ---- a save with everything in it ---- */

static struct completion hold, held;

/* The first one at PASSIVE_LEVEL waits, so that what comes behind is not delivered. */
static void hold_first(struct end *e, VMBPACKETCOMPLETION pkt, void *buf, u32 len, u32 flags)
{
	struct vsp *v = e->priv;
	struct ask *ask = &v->asks[atomic_read(&v->asked)];

	ask->packet = pkt;
	memcpy(&ask->message, buf, sizeof(ask->message));
	VmbPacketSetPointer((VMBPACKET)pkt, ask);
	atomic_inc(&v->asked);
	if (ask->message.number == 3) {
		complete(&held);
		wait_for_completion(&hold);
	}
}

static void save_begin(void *arg)
{
	struct vsp *v = arg;

	KUNIT_EXPECT_EQ(v->e->test, VmbChannelSaveBegin(v->e->ch), STATUS_SUCCESS);
}

/*
 * Packets 0 to 3 are the driver's, 0 with external data, 2 without a wish for an answer;
 * 4 and 5 were read and not delivered; 1 was answered, and the answer waits. The driver has
 * asked the client 0 and 1, and 2 and 3 wait, 3 without a wish for an answer.
 */
static void save_everything(struct client *c, struct blob *b)
{
	struct kunit *test = c->test;
	struct vsp *v = client_server(c, vsp_new(test, 16));
	struct call *calls = calls_new(test);
	struct message m = { .number = 3 };
	struct helper h;
	VMBPACKET pkt;
	u32 i;

	init_completion(&hold);
	init_completion(&held);
	v->e->on_packet = hold_first;
	VmbChannelSetIncomingProcessingAtPassive(v->e->ch, TRUE);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(v->e->ch), STATUS_SUCCESS);
	VmbChannelStart(v->e->ch);
	client_open(c);
	KUNIT_ASSERT_TRUE(test, becomes(v->e->kch->running));
	client_send_external(c, 0x1000, 0);
	for (i = 1; i < 6; i++)
		client_send(c, 0x1000 + i, i != 2, i);
	wait_for_completion(&held);
	for (i = 0; i < 2; i++)
		KUNIT_ASSERT_EQ(test, call_send(v->e, calls, i, 0), STATUS_SUCCESS);
	KUNIT_ASSERT_TRUE(test, becomes(atomic_read(&v->e->kch->rx.busy) == 6));
	KUNIT_ASSERT_TRUE(test, helper_start(&h, save_begin, v));
	KUNIT_ASSERT_TRUE(test, becomes(!READ_ONCE(v->e->kch->rx.gate)));
	complete(&hold);
	KUNIT_ASSERT_TRUE(test, helper_join(&h));

	vsp_answer(v, 1);
	KUNIT_ASSERT_EQ(test, call_send(v->e, calls, 2, 0), STATUS_SUCCESS);
	pkt = VmbPacketAllocate(v->e->ch);
	KUNIT_ASSERT_NOT_NULL(test, pkt);
	calls[3].end = v->e;
	calls[3].number = 3;
	VmbPacketSetPointer(pkt, &calls[3]);
	VmbPacketSetCompletionRoutineEx(pkt, &calls[3], call_done);
	KUNIT_ASSERT_EQ(test, VmbPacketSend(pkt, &m, sizeof(m), NULL, 0), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, blob_write(test, v->e, b, 65536), STATUS_SUCCESS);
	VmbChannelSaveEnd(v->e->ch);
	vsp_answer_all(v);
	end_drop(v->e);
	/* here the provider's client goes on without the library: nobody adopts */
	mutex_lock(&c->calls);
	kmcl_offer_close(c->offer);
	mutex_unlock(&c->calls);
	KUNIT_ASSERT_TRUE(test, becomes(!c->offers));
}

static bool same_but_for_the_name(const u8 *a, const u8 *b, u32 size)
{
	struct kmcl_blob_wire wa, wb;
	u32 at = 0;

	while (at + sizeof(wa) <= size) {
		memcpy(&wa, a + at, sizeof(wa));
		memcpy(&wb, b + at, sizeof(wb));
		wa.save = wb.save;
		wa.crc = wb.crc;
		if (memcmp(&wa, &wb, sizeof(wa)))
			return false;
		at += sizeof(wa);
		if (le32_to_cpu(wa.len) > size - at ||
		    memcmp(a + at, b + at, le32_to_cpu(wa.len)))
			return false;
		at += le32_to_cpu(wa.len);
	}
	return at == size;
}

static void what_is_saved_today_is_what_version_1_was(struct kunit *test)
{
	struct client *c = client_new(test);
	struct blob b = {};
	u32 seen = 0, at;

	save_everything(c, &b);
	KUNIT_EXPECT_EQ(test, b.size, sizeof(golden));
	if (b.size != sizeof(golden) || !same_but_for_the_name(b.bytes, golden, b.size)) {
		KUNIT_FAIL(test, "another save than the golden one; this one is:");
		for (at = 0; at < b.size; at += 16)
			pr_info("golden: %*ph\n", min_t(int, 16, b.size - at), b.bytes + at);
	}
	for (at = 0; at < b.chunks; at++)
		seen |= 1 << b.bytes[blob_chunk_at(&b, at) + 6];
	/* every tag is in it */
	KUNIT_EXPECT_EQ(test, seen, 0x3fe);
	blob_free(&b);
}

/* ---- the golden one, restored ---- */

/* Where the client was when it was made. */
static void client_as_then(struct client *c)
{
	const struct kmcl_save_open *open = NULL;
	struct kmcl_save_open copy;
	struct kmcl_blob_wire wire;
	u32 at;

	for (at = 0; at < sizeof(golden); at += sizeof(wire) + le32_to_cpu(wire.len)) {
		memcpy(&wire, golden + at, sizeof(wire));
		if (le16_to_cpu(wire.tag) != KMCL_SAVE_OPEN)
			continue;
		memcpy(&copy, golden + at + sizeof(wire), sizeof(copy));
		open = &copy;
	}
	KUNIT_ASSERT_NOT_NULL(c->test, open);
	memset(c->memory, 0, 2 * CLIENT_RING_PAGES * 4096);
	c->out.write = le32_to_cpu(open->read);
	c->out.ctl->in = open->read;
	c->out.ctl->out = open->read;
	c->in.read = le32_to_cpu(open->write);
	c->in.ctl->in = open->write;
	c->in.ctl->out = open->write;
}

static void a_save_of_version_1_is_restored(struct kunit *test)
{
	/* answers, by id, and how often */
	u32 answers[6] = {}, requests[4] = {}, wrong = 0, i, n;
	struct call *calls = calls_new(test);
	struct client *c = client_new(test);
	struct kmcl_ring_packet pkt;
	struct message m;
	struct vsp *w;
	PMDL mdl;

	client_as_then(c);
	w = client_server(c, vsp_new(test, 16));
	w->calls = calls;
	KUNIT_ASSERT_EQ(test, blob_read(test, w->e, golden, sizeof(golden)), STATUS_SUCCESS);
	/* 0, 2 and 3; 1 is answered, 4 and 5 come as new ones; 0 to 3 of its own */
	KUNIT_EXPECT_EQ(test, w->restores, 3 + 4);
	KUNIT_EXPECT_EQ(test, atomic_read(&w->asked), 3);
	KUNIT_EXPECT_EQ(test, c->offers, 0);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(w->e->ch), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, c->restored, 1);
	KUNIT_EXPECT_EQ(test, c->opened, 0);
	VmbChannelStart(w->e->ch);
	end_expect_log(w->e, "SP");
	KUNIT_ASSERT_TRUE(test, becomes(atomic_read(&w->asked) == 5));
	for (i = 0, n = 0; i < 5; i++)
		n |= 1 << w->asks[i].message.number;
	KUNIT_EXPECT_EQ(test, n, 0x3d);

	/* the pages that packet 0 named */
	KUNIT_ASSERT_EQ(test, w->asks[0].message.number, 0);
	KUNIT_ASSERT_EQ(test, VmbChannelPacketGetExternalData(w->asks[0].packet, 0, &mdl),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, MmGetMdlByteCount(mdl), 4200);
	KUNIT_EXPECT_EQ(test, MmGetMdlByteOffset(mdl), 100);
	KUNIT_EXPECT_EQ(test, MmGetMdlPfnArray(mdl)[0], page_to_pfn(c->pages[11]));
	KUNIT_EXPECT_EQ(test, MmGetMdlPfnArray(mdl)[1], page_to_pfn(c->pages[10]));
	/* and those of the GPADL */
	KUNIT_ASSERT_EQ(test, VmbChannelMapGpadl(w->e->ch, 0, CLIENT_OTHER, &mdl), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, MmGetMdlByteCount(mdl), 5000);
	KUNIT_EXPECT_EQ(test, MmGetMdlPfnArray(mdl)[0], page_to_pfn(c->pages[9]));
	VmbChannelUnmapGpadl(w->e->ch, CLIENT_OTHER);

	vsp_answer_all(w);
	/* what has come to the client: answers, and the requests that had waited */
	while (client_read(c, &pkt, &m)) {
		if (pkt.type == KMCL_TYPE_COMPLETION && pkt.id - 0x1000 < 6 &&
		    m.number == pkt.id - 0x1000)
			answers[m.number]++;
		else if (pkt.type == KMCL_TYPE_INBAND && m.number < 4)
			requests[m.number]++;
		else
			wrong++;
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	for (i = 0; i < 6; i++)
		KUNIT_EXPECT_EQ(test, answers[i], i != 2);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, requests[i], i >= 2);
	/* the old ids: slots 1 and 2, their first sends, the first epoch */
	for (i = 0; i < 2; i++)
		client_write(c, KMCL_TYPE_COMPLETION, 0x100000000ull + i + 1, false, NULL, 0, i);
	KUNIT_EXPECT_TRUE(test, becomes(calls[0].answers == 1 && calls[1].answers == 1));
	KUNIT_EXPECT_EQ(test, w->e->kch->stats.stale_ids, 0);
	/* a second time they are no ids of anything */
	client_write(c, KMCL_TYPE_COMPLETION, 0x100000001ull, false, NULL, 0, 0);
	KUNIT_EXPECT_TRUE(test, becomes(w->e->kch->stats.stale_ids == 1));
	KUNIT_EXPECT_EQ(test, calls[0].answers, 1);
	end_drop(w->e);
	KUNIT_EXPECT_EQ(test, c->offers, 0);
	KUNIT_EXPECT_EQ(test, calls[3].wrong, 1);	/* it asked for no answer */
}

/* ---- damage ---- */

static NTSTATUS take_anything(VMBCHANNEL ch, PVOID context, PVOID lib, UINT32 lib_size, PVOID buf,
			      UINT32 size)
{
	VMBPACKET pkt = VmbPacketAllocate(ch);
	struct vsp *v = context;
	NTSTATUS status;

	v->restores++;
	if (!pkt)
		return STATUS_INSUFFICIENT_RESOURCES;
	VmbPacketSetCompletionRoutineEx(pkt, v->e, end_completed);
	status = VmbPacketRestore(pkt, lib, lib_size);
	if (!NT_SUCCESS(status)) {
		VmbPacketFree(pkt);
		return status;
	}
	if (READ_ONCE(((struct kmcl_token *)lib)->tag) == KMCL_SAVE_INCOMING)
		v->asks[atomic_fetch_inc(&v->asked)].packet = (VMBPACKETCOMPLETION)pkt;
	return STATUS_SUCCESS;
}

static struct vsp *victim_new(struct client *c)
{
	struct vsp *v = client_server(c, vsp_new(c->test, 16));

	KUNIT_ASSERT_EQ(c->test, set_callbacks_ex(v->e->ch, v, NULL, take_anything),
			STATUS_SUCCESS);
	return v;
}

/* Restore @size bytes; whatever comes of it, nothing is left afterwards. */
static NTSTATUS attempt(struct client *c, struct vsp *v, const u8 *bytes, u32 size)
{
	struct kmcl_channel *ch = v->e->kch;
	struct kunit *test = c->test;
	NTSTATUS status;

	status = blob_read(test, v->e, bytes, size);
	if (NT_SUCCESS(status))
		KUNIT_EXPECT_EQ(test, atomic_read(&ch->rx.delivered), 3);
	vsp_answer_all(v);
	atomic_set(&v->asked, 0);
	VmbChannelDisable(v->e->ch);
	KUNIT_EXPECT_NULL(test, ch->restore);
	KUNIT_EXPECT_NULL(test, ch->target.link);
	KUNIT_EXPECT_FALSE(test, ch->unsettled);
	KUNIT_EXPECT_EQ(test, atomic_read(&ch->rx.busy), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&ch->rx.delivered), 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&ch->rx.all));
	KUNIT_EXPECT_TRUE(test, list_empty(&ch->tx.queue));
	KUNIT_EXPECT_TRUE(test, list_empty(&ch->tx.held));
	KUNIT_EXPECT_TRUE(test, xa_empty(&ch->restored));
	KUNIT_EXPECT_EQ(test, ch->packets, 0);
	KUNIT_EXPECT_EQ(test, ch->tx.mode, KMCL_TX_OFF);
	KUNIT_EXPECT_EQ(test, c->offers, 0);
	return status;
}

static u8 *golden_copy(struct kunit *test)
{
	u8 *bytes = kunit_kmalloc(test, sizeof(golden), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, bytes);
	memcpy(bytes, golden, sizeof(golden));
	return bytes;
}

static void a_flipped_byte_anywhere_is_refused(struct kunit *test)
{
	struct client *c = client_new(test);
	struct vsp *v = victim_new(c);
	u8 *bytes = golden_copy(test);
	u32 i;

	for (i = 0; i < sizeof(golden); i++) {
		bytes[i] ^= 1 << i % 8;
		KUNIT_EXPECT_FALSE_MSG(test, NT_SUCCESS(attempt(c, v, bytes, sizeof(golden))),
				       "byte %u", i);
		bytes[i] ^= 1 << i % 8;
		cond_resched();
	}
	KUNIT_EXPECT_EQ(test, v->restores, 0);
	KUNIT_EXPECT_EQ(test, attempt(c, v, bytes, sizeof(golden)), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, v->restores, 7);
}

/* The sum of the chunk at @at is made right again: this is what somebody would do who means it. */
static void sum_up(u8 *bytes, u32 at, u32 next)
{
	struct kmcl_blob_wire wire;
	u32 sum;

	memcpy(&wire, bytes + at, sizeof(wire));
	sum = crc32_le(~0u, (u8 *)&wire, offsetof(struct kmcl_blob_wire, crc));
	sum = ~crc32_le(sum, bytes + at + sizeof(wire), next - at - sizeof(wire));
	wire.crc = cpu_to_le32(sum);
	memcpy(bytes + at, &wire, sizeof(wire));
}

static void a_flipped_byte_with_a_right_sum_leaves_nothing_behind(struct kunit *test)
{
	struct blob b = { .bytes = (u8 *)golden, .size = sizeof(golden) };
	struct client *c = client_new(test);
	struct vsp *v = victim_new(c);
	u8 *bytes = golden_copy(test);
	const u32 head = sizeof(struct kmcl_blob_wire);
	u32 i, n, at, next, accepted = 0;

	for (n = 0; (at = blob_chunk_at(&b, n)) < sizeof(golden); n++) {
		next = blob_chunk_at(&b, n + 1);
		for (i = at; i < next; i++) {
			if (i - at >= offsetof(struct kmcl_blob_wire, crc) && i - at < head)
				continue;
			bytes[i] ^= 1 << i % 8;
			sum_up(bytes, at, next);
			accepted += NT_SUCCESS(attempt(c, v, bytes, sizeof(golden)));
			memcpy(bytes + at, golden + at, next - at);
			cond_resched();
		}
	}
	/* payload, the driver's own, ids: the library cannot know what they were */
	KUNIT_EXPECT_GT(test, accepted, 0);
	KUNIT_EXPECT_LT(test, accepted, sizeof(golden) / 2);
	kunit_info(test, "%u of %zu bytes may be others\n", accepted, sizeof(golden));
}

/* An answer to it could not be told from one to the other. */
static void a_transaction_id_that_is_there_twice_is_refused(struct kunit *test)
{
	struct blob b = { .bytes = (u8 *)golden, .size = sizeof(golden) };
	struct client *c = client_new(test);
	struct vsp *v = victim_new(c);
	u8 *bytes = golden_copy(test);
	struct kmcl_blob_wire wire;
	u32 n, at, first = 0, packets = 0;
	struct kmsg k;

	kmsg_mark(&k);
	for (n = 0; (at = blob_chunk_at(&b, n)) < sizeof(golden); n++) {
		memcpy(&wire, bytes + at, sizeof(wire));
		if (le16_to_cpu(wire.tag) != KMCL_SAVE_OUTGOING)
			continue;
		at += sizeof(wire) + offsetof(struct kmcl_save_outgoing, id);
		if (packets++ == 1) {
			memcpy(bytes + at, bytes + first, sizeof(__le64));
			sum_up(bytes, blob_chunk_at(&b, n), blob_chunk_at(&b, n + 1));
		}
		first = first ?: at;
	}
	KUNIT_ASSERT_EQ(test, packets, 4);
	KUNIT_EXPECT_EQ(test, attempt(c, v, bytes, sizeof(golden)), STATUS_INVALID_PARAMETER_2);
	kmsg_expect(test, &k, 1, "two packets of the same transaction id");
}

static void a_truncated_save_is_refused_or_goes_on(struct kunit *test)
{
	struct blob b = { .bytes = (u8 *)golden, .size = sizeof(golden) };
	struct client *c = client_new(test);
	struct vsp *v = victim_new(c);
	u32 size, chunk = 0;
	NTSTATUS status;

	for (size = 1; size < sizeof(golden); size++) {
		status = attempt(c, v, golden, size);
		if (size == blob_chunk_at(&b, chunk + 1))
			chunk++;
		KUNIT_EXPECT_EQ_MSG(test, status, size == blob_chunk_at(&b, chunk) ?
				    STATUS_MORE_PROCESSING_REQUIRED : STATUS_INVALID_PARAMETER_2,
				    "%u bytes", size);
		cond_resched();
	}
	KUNIT_EXPECT_EQ(test, v->restores, 0);
}

static void two_exchanged_chunks_are_refused(struct kunit *test)
{
	struct blob b = { .bytes = (u8 *)golden, .size = sizeof(golden) };
	u8 *bytes = kunit_kmalloc(test, sizeof(golden), GFP_KERNEL);
	struct client *c = client_new(test);
	struct vsp *v = victim_new(c);
	u32 i, j, k, n, from, to, at;

	KUNIT_ASSERT_NOT_NULL(test, bytes);
	for (n = 0; blob_chunk_at(&b, n) < sizeof(golden);)
		n++;
	for (i = 0; i < n; i++) {
		for (j = i + 1; j < n; j++) {
			for (k = 0, at = 0; k < n; k++) {
				from = blob_chunk_at(&b, k == i ? j : k == j ? i : k);
				to = blob_chunk_at(&b, (k == i ? j : k == j ? i : k) + 1);
				memcpy(bytes + at, golden + from, to - from);
				at += to - from;
			}
			KUNIT_EXPECT_EQ(test, attempt(c, v, bytes, sizeof(golden)),
					STATUS_INVALID_PARAMETER_2);
		}
	}
	KUNIT_EXPECT_EQ(test, v->restores, 0);
}

/* The golden save with a record put in behind NAME, and END as it has to be then. */
static NTSTATUS with_record(struct client *c, struct vsp *v, u16 tag, u16 flags)
{
	struct kmcl_blob_writer w = { .save = 77 };
	struct kunit *test = c->test;
	struct kmcl_save_end end;
	struct kmcl_blob_wire wire;
	u8 *bytes = kunit_kmalloc(test, sizeof(golden) + 64, GFP_KERNEL);
	u32 at, to = 0, len;

	KUNIT_ASSERT_NOT_NULL(test, bytes);
	for (at = 0; at < sizeof(golden); at += sizeof(wire) + len) {
		const u8 *body = golden + at + sizeof(wire);

		memcpy(&wire, golden + at, sizeof(wire));
		len = le32_to_cpu(wire.len);
		if (le16_to_cpu(wire.tag) == KMCL_SAVE_END) {
			memcpy(&end, body, sizeof(end));
			end.chunks = cpu_to_le32(w.chunks + 1);
			end.bytes = cpu_to_le64(w.bytes);
			body = (u8 *)&end;
		}
		kmcl_blob_put(&w, bytes + to, le16_to_cpu(wire.tag), le16_to_cpu(wire.flags), body,
			      len);
		to += sizeof(wire) + len;
		if (le16_to_cpu(wire.tag) != KMCL_SAVE_NAME)
			continue;
		kmcl_blob_put(&w, bytes + to, tag, flags, "something new", 13);
		to += sizeof(wire) + 13;
	}
	return attempt(c, v, bytes, to);
}

static void what_is_unknown_is_left_out_or_refused_as_it_says(struct kunit *test)
{
	struct client *c = client_new(test);
	struct vsp *v = victim_new(c);

	KUNIT_EXPECT_EQ(test, with_record(c, v, 1000, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, with_record(c, v, 1000, KMCL_BLOB_CRITICAL),
			STATUS_REVISION_MISMATCH);
	/* a known one where it does not belong, or with other flags */
	KUNIT_EXPECT_EQ(test, with_record(c, v, KMCL_SAVE_BEGIN, KMCL_BLOB_CRITICAL),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, with_record(c, v, KMCL_SAVE_REPLY, 0), STATUS_INVALID_PARAMETER_2);
}

/* The golden save without OPEN and, of the packets, with those of @tag alone, and @where. */
static NTSTATUS without_client(struct client *c, struct vsp *v, u16 tag, u32 where)
{
	struct kmcl_save_outgoing out = {};
	struct kmcl_blob_writer w = { .save = 78 };
	struct kunit *test = c->test;
	u8 *bytes = kunit_kmalloc(test, sizeof(golden), GFP_KERNEL);
	struct kmcl_save_end end = {};
	struct kmcl_blob_wire wire;
	u32 at, to = 0, len, packets = 0;

	KUNIT_ASSERT_NOT_NULL(test, bytes);
	for (at = 0; at < sizeof(golden); at += sizeof(wire) + len) {
		const u8 *body = golden + at + sizeof(wire);
		u16 is;

		memcpy(&wire, golden + at, sizeof(wire));
		is = le16_to_cpu(wire.tag);
		len = le32_to_cpu(wire.len);
		if (is == KMCL_SAVE_OUTGOING)
			memcpy(&out, body, sizeof(out));
		if (is == KMCL_SAVE_OPEN || is == KMCL_SAVE_GPADL ||
		    ((is == KMCL_SAVE_INCOMING || is == KMCL_SAVE_REPLY ||
		      is == KMCL_SAVE_OUTGOING) &&
		     (is != tag || (where && le32_to_cpu(out.where) != where))))
			continue;
		packets += is == tag;
		if (is == KMCL_SAVE_END) {
			end.chunks = cpu_to_le32(w.chunks + 1);
			end.bytes = cpu_to_le64(w.bytes);
			end.incoming = cpu_to_le32(tag == KMCL_SAVE_INCOMING ? packets : 0);
			end.replies = cpu_to_le32(tag == KMCL_SAVE_REPLY ? packets : 0);
			end.outgoing = cpu_to_le32(tag == KMCL_SAVE_OUTGOING ? packets : 0);
			body = (u8 *)&end;
		}
		kmcl_blob_put(&w, bytes + to, is, le16_to_cpu(wire.flags), body, len);
		to += sizeof(wire) + len;
	}
	KUNIT_EXPECT_GT(test, packets, 0);
	return blob_read(test, v->e, bytes, to);
}

static void a_server_without_a_client_has_packets_that_wait_alone(struct kunit *test)
{
	struct client *c = client_new(test);
	struct vsp *v = victim_new(c);

	KUNIT_EXPECT_EQ(test, without_client(c, v, KMCL_SAVE_INCOMING, 0),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, without_client(c, v, KMCL_SAVE_REPLY, 0),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, without_client(c, v, KMCL_SAVE_OUTGOING, KMCL_SAVED_SENT),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, v->restores, 0);
	KUNIT_EXPECT_EQ(test, without_client(c, v, KMCL_SAVE_OUTGOING, KMCL_SAVED_QUEUED),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, v->restores, 2);
	VmbChannelDisable(v->e->ch);
	KUNIT_EXPECT_EQ(test, v->e->kch->packets, 0);
}

/* Each field of the channel that its client depends on, set otherwise. */
static void a_save_of_another_channel_is_refused(struct kunit *test)
{
	struct client *c = client_new(test);
	struct vsp *v = victim_new(c);
	GUID other = end_instance;

	other.Data1++;
	KUNIT_ASSERT_EQ(test, VmbServerChannelInitSetTargetInterfaceId(v->e->ch, end_type, other),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, attempt(c, v, golden, sizeof(golden)), STATUS_INVALID_PARAMETER_2);
	KUNIT_ASSERT_EQ(test, VmbServerChannelInitSetTargetInterfaceId(v->e->ch, end_type,
								       end_instance),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetFlags(v->e->ch, VMBUS_CHANNEL_INIT_FLAG_IS_PIPE),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, attempt(c, v, golden, sizeof(golden)), STATUS_INVALID_PARAMETER_2);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetFlags(v->e->ch, 0), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketSize(v->e->ch, 255), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, attempt(c, v, golden, sizeof(golden)), STATUS_INVALID_PARAMETER_2);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketSize(v->e->ch, 256), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbServerChannelInitSetMmioMegabytes(v->e->ch, 8, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, attempt(c, v, golden, sizeof(golden)), STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, v->restores, 0);
}

static void a_client_that_is_not_there_is_found_out_at_enable(struct kunit *test)
{
	struct client *c = client_new(test);
	struct vsp *v = victim_new(c);

	client_as_then(c);
	c->gone = true;
	KUNIT_ASSERT_EQ(test, blob_read(test, v->e, golden, sizeof(golden)), STATUS_SUCCESS);
	/* what it is told about is not configured any more */
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetMaximumPacketSize(v->e->ch, 512),
			STATUS_INVALID_PARAMETER_1);
	/* and not restored a second time */
	KUNIT_EXPECT_EQ(test, blob_read(test, v->e, golden, sizeof(golden)),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->e->ch), STATUS_DEVICE_REMOVED);
	/* its own requests are over; what it has been asked it completes */
	KUNIT_EXPECT_EQ(test, atomic_read(&v->e->removed), 4);
	vsp_answer_all(v);
	atomic_set(&v->asked, 0);
	/* and then it may be offered anew */
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->e->ch), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, c->offers, 1);
	KUNIT_EXPECT_EQ(test, c->restored, 0);
}

#ifdef CONFIG_FAILSLAB
/* The n-th allocation fails, for each n: refused, and nothing is left. */
static void without_memory_nothing_is_restored(struct kunit *test)
{
	struct client *c = client_new(test);
	struct vsp *v = victim_new(c);
	u32 nth, failed = 0;
	NTSTATUS status;
	u8 *bytes;
	bool met;

	bytes = golden_copy(test);
	for (nth = 1; ; nth++) {
		current->fail_nth = nth;
		status = VmbChannelRestoreFromBuffer(v->e->ch, bytes, sizeof(golden));
		met = !current->fail_nth;
		current->fail_nth = 0;
		if (!NT_SUCCESS(status)) {
			failed++;
			KUNIT_EXPECT_EQ(test, status, STATUS_INSUFFICIENT_RESOURCES);
		}
		vsp_answer_all(v);
		atomic_set(&v->asked, 0);
		VmbChannelDisable(v->e->ch);
		KUNIT_EXPECT_NULL(test, v->e->kch->target.link);
		KUNIT_EXPECT_TRUE(test, list_empty(&v->e->kch->rx.all));
		KUNIT_EXPECT_EQ(test, v->e->kch->packets, 0);
		if (!met)
			break;
	}
	KUNIT_EXPECT_EQ(test, status, STATUS_SUCCESS);
	KUNIT_EXPECT_GT(test, failed, 20);
}
#endif

static struct kunit_case cases[] = {
	KUNIT_CASE(what_is_saved_today_is_what_version_1_was),
	KUNIT_CASE(a_save_of_version_1_is_restored),
	KUNIT_CASE(a_flipped_byte_anywhere_is_refused),
	KUNIT_CASE(a_flipped_byte_with_a_right_sum_leaves_nothing_behind),
	KUNIT_CASE(a_transaction_id_that_is_there_twice_is_refused),
	KUNIT_CASE(a_truncated_save_is_refused_or_goes_on),
	KUNIT_CASE(two_exchanged_chunks_are_refused),
	KUNIT_CASE(what_is_unknown_is_left_out_or_refused_as_it_says),
	KUNIT_CASE(a_server_without_a_client_has_packets_that_wait_alone),
	KUNIT_CASE(a_save_of_another_channel_is_refused),
	KUNIT_CASE(a_client_that_is_not_there_is_found_out_at_enable),
#ifdef CONFIG_FAILSLAB
	KUNIT_CASE(without_memory_nothing_is_restored),
#endif
	{}
};

static struct kunit_suite suite = {
	.name = "loopback_saved",
	.init = end_init,
	.exit = client_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
