// SPDX-License-Identifier: GPL-2.0
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <kmcl/restored.h>
#include "blob.h"
#include "servicing.h"

#define set_callbacks_ex	VmbServerChannelInitSetSaveRestorePacketCallbacksEx

/* ---- what is sent ---- */

static struct call *tables[8];		/* of the running case */

struct call *calls_new(struct kunit *test)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(tables) && tables[i];)
		i++;
	KUNIT_ASSERT_LT(test, i, ARRAY_SIZE(tables));
	tables[i] = kvcalloc(CALLS, sizeof(*tables[i]), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, tables[i]);
	return tables[i];
}

VOID call_done(VMBPACKET packet, PVOID context, NTSTATUS status, PVOID buf, UINT32 len)
{
	struct call *c = context;
	struct message *m = buf;

	if (status == STATUS_CANCELLED)
		c->cancelled++;
	else if (status == STATUS_DEVICE_REMOVED)
		c->removed++;
	else if (len < sizeof(*m) || m->number != c->number)
		c->wrong++;
	else
		c->answers++;
	VmbPacketFree(packet);
	atomic_inc(&c->end->completions);
	wake_up_all(&c->end->wait);
}

NTSTATUS call_send_mdl(struct end *e, struct call *calls, u32 number, u32 size, PMDL mdl)
{
	struct message m = { .number = number, .size = size };
	VMBPACKET pkt = VmbPacketAllocate(e->ch);
	struct call *c = &calls[number];
	NTSTATUS status;

	if (!pkt)
		return STATUS_INSUFFICIENT_RESOURCES;
	c->end = e;
	c->number = number;
	c->index = number;
	VmbPacketSetPointer(pkt, c);
	VmbPacketSetCompletionRoutineEx(pkt, c, call_done);
	status = VmbPacketSend(pkt, &m, sizeof(m), mdl, WAIT_FOR_COMPLETION);
	if (!NT_SUCCESS(status))
		VmbPacketFree(pkt);
	return status;
}

NTSTATUS call_send(struct end *e, struct call *calls, u32 number, u32 size)
{
	return call_send_mdl(e, calls, number, size, NULL);
}

bool calls_are_answered(struct call *calls, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		if (READ_ONCE(calls[i].answers) + READ_ONCE(calls[i].wrong) == 0)
			return false;
	return true;
}

void calls_expect(struct kunit *test, struct call *calls, u32 count)
{
	u32 i, once = 0, other = 0;

	for (i = 0; i < count; i++) {
		once += calls[i].answers == 1;
		other += calls[i].wrong + calls[i].cancelled + calls[i].removed +
			 (calls[i].answers > 1);
	}
	KUNIT_EXPECT_EQ(test, once, count);
	KUNIT_EXPECT_EQ(test, other, 0);
}

/* ---- the VSP ---- */

static struct ask *vsp_ask(struct vsp *v, VMBPACKETCOMPLETION packet, const struct message *m)
{
	struct ask *ask;
	u32 n = atomic_read(&v->asked);

	if (n >= v->room)
		return NULL;
	ask = &v->asks[n];
	ask->packet = packet;
	ask->message = *m;
	VmbPacketSetPointer((VMBPACKET)packet, ask);
	atomic_inc(&v->asked);
	return ask;
}

static void keep(struct end *e, VMBPACKETCOMPLETION pkt, void *buf, u32 len, u32 flags)
{
	if (len < sizeof(struct message) || !vsp_ask(e->priv, pkt, buf))
		VmbChannelPacketComplete(pkt, NULL, 0);
}

void vsp_answer(struct vsp *v, u32 index)
{
	struct ask *ask = &v->asks[index];
	VMBPACKETCOMPLETION packet = ask->packet;

	if (!packet)
		return;
	ask->packet = NULL;
	VmbChannelPacketComplete(packet, &ask->message, sizeof(ask->message));
}

void vsp_answer_all(struct vsp *v)
{
	u32 i, n = atomic_read(&v->asked);

	for (i = 0; i < n; i++)
		vsp_answer(v, i);
}

static void fill(u8 *state, u32 size, u32 number)
{
	u32 i;

	for (i = 0; i < size; i++)
		state[i] = number + i;
}

/* The state of a packet: 'I' or 'O', its message, and as many bytes as that says. */
static NTSTATUS save_packet(VMBCHANNEL ch, PVOID context, VMBPACKET packet, PVOID buf,
			    UINT32 size, PUINT32 needed)
{
	struct vsp *v = context;
	void *pointer = VmbPacketGetPointer(packet);
	struct ask *ask = pointer;
	struct message m;
	bool incoming;
	u32 want;

	v->saves++;
	if (v->on_save)
		v->on_save(v, packet);
	incoming = ask >= v->asks && ask < v->asks + v->room;
	if (incoming)
		m = ask->message;
	else
		m = (struct message) { .number = ((struct call *)pointer)->number };
	want = sizeof(u32) + sizeof(m) + m.size;
	if (size < want) {
		*needed = want;
		return STATUS_BUFFER_TOO_SMALL;
	}
	*(u32 *)buf = incoming ? 'I' : 'O';
	memcpy(buf + sizeof(u32), &m, sizeof(m));
	fill(buf + sizeof(u32) + sizeof(m), m.size, m.number);
	return STATUS_SUCCESS;
}

static NTSTATUS restore_packet(VMBCHANNEL ch, PVOID context, PVOID lib, UINT32 lib_size,
			       PVOID buf, UINT32 size)
{
	VMBPACKET pkt = VmbPacketAllocate(ch);
	struct vsp *v = context;
	struct message m;
	bool incoming;
	u8 *expected;
	NTSTATUS status;

	v->restores++;
	if (!pkt)
		return STATUS_INSUFFICIENT_RESOURCES;
	if (v->restores == v->fail_restore && !v->fail_after) {
		VmbPacketFree(pkt);
		return STATUS_UNSUCCESSFUL;
	}
	memcpy(&m, buf + sizeof(u32), sizeof(m));
	incoming = *(u32 *)buf == 'I';
	KUNIT_EXPECT_EQ(v->e->test, size, sizeof(u32) + sizeof(m) + m.size);
	if (m.size) {
		expected = kmalloc(m.size, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(v->e->test, expected);
		fill(expected, m.size, m.number);
		KUNIT_EXPECT_MEMEQ(v->e->test, buf + sizeof(u32) + sizeof(m), expected, m.size);
		kfree(expected);
	}
	if (!incoming) {
		struct call *c = &v->calls[m.number];

		c->end = v->e;
		c->number = m.number;
		VmbPacketSetPointer(pkt, c);
		VmbPacketSetCompletionRoutineEx(pkt, c, call_done);
	}
	status = VmbPacketRestore(pkt, lib, lib_size);
	KUNIT_EXPECT_EQ(v->e->test, status, STATUS_SUCCESS);
	if (v->restores == v->fail_restore) {
		/* it is idle again, and the driver's to free */
		v->failed = pkt;
		return STATUS_UNSUCCESSFUL;
	}
	if (!NT_SUCCESS(status))
		return status;
	if (incoming) {
		struct ask *ask = vsp_ask(v, (VMBPACKETCOMPLETION)pkt, &m);

		KUNIT_ASSERT_NOT_NULL(v->e->test, ask);
		ask->restored = true;
	}
	return STATUS_SUCCESS;
}

static LIST_HEAD(vsps);			/* of the running case */

void vsp_exit(struct kunit *test)
{
	struct vsp *v, *next;
	u32 i;

	list_for_each_entry(v, &vsps, node)
		if (v->e && !list_empty(&v->e->node))
			vsp_answer_all(v);
	end_exit(test);
	list_for_each_entry_safe(v, next, &vsps, node) {
		list_del(&v->node);
		kvfree(v->asks);
		kfree(v);
	}
	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		kvfree(tables[i]);
		tables[i] = NULL;
	}
}

struct vsp *vsp_new(struct kunit *test, u32 room)
{
	struct vsp *v = kzalloc(sizeof(*v), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, v);
	list_add(&v->node, &vsps);
	v->room = room;
	v->asks = kvcalloc(max(room, 1u), sizeof(*v->asks), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, v->asks);
	v->e = end_new(test, true);
	v->e->priv = v;
	v->e->on_packet = keep;
	KUNIT_ASSERT_EQ(test, set_callbacks_ex(v->e->ch, v, save_packet, restore_packet),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketSize(v->e->ch, 256), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketCount(v->e->ch, max(room, 128u)),
			STATUS_SUCCESS);
	VmbChannelSetTransactionQuota(v->e->ch, max(room, 128u));
	return v;
}

struct vsp *vsp_pair(struct kunit *test, u32 room, struct end **client)
{
	struct vsp *v = vsp_new(test, room);

	*client = end_new(test, false);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketSize((*client)->ch, 256),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketCount((*client)->ch, max(room, 128u)),
			STATUS_SUCCESS);
	end_bring_up(v->e, *client);
	end_clear_log(v->e);
	end_clear_log(*client);
	return v;
}

/* ---- what is saved ---- */

u32 blob_chunk_at(const struct blob *b, u32 n)
{
	struct kmcl_blob_wire wire;
	u32 at = 0;

	while (n-- && at < b->size) {
		memcpy(&wire, b->bytes + at, sizeof(wire));
		at += sizeof(wire) + le32_to_cpu(wire.len);
	}
	return at;
}

void blob_free(struct blob *b)
{
	kvfree(b->bytes);
	memset(b, 0, sizeof(*b));
}

NTSTATUS blob_write(struct kunit *test, struct end *e, struct blob *b, u32 size)
{
	ULONG filled, required;
	NTSTATUS status;
	u32 room = 0;
	u8 *buf;

	buf = kvmalloc(size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	do {
		filled = U32_MAX;
		status = VmbChannelSaveContinue(e->ch, buf, size, &filled, &required);
		b->calls++;
		if (!NT_SUCCESS(status) && status != STATUS_BUFFER_OVERFLOW)
			break;
		KUNIT_ASSERT_LE(test, filled, size);
		if (status == STATUS_BUFFER_OVERFLOW)
			KUNIT_EXPECT_GT(test, required, size - filled);
		if (b->size + filled > room) {
			u8 *more;

			room = max(2 * room, b->size + filled);
			more = kvmalloc(room, GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, more);
			if (b->size)
				memcpy(more, b->bytes, b->size);
			kvfree(b->bytes);
			b->bytes = more;
		}
		memcpy(b->bytes + b->size, buf, filled);
		b->size += filled;
	} while (status == STATUS_BUFFER_OVERFLOW);
	kvfree(buf);
	if (NT_SUCCESS(status)) {
		u32 at;

		for (at = 0; at < b->size; b->chunks++) {
			struct kmcl_blob_wire wire;

			memcpy(&wire, b->bytes + at, sizeof(wire));
			at += sizeof(wire) + le32_to_cpu(wire.len);
		}
	}
	return status;
}

void blob_save(struct kunit *test, struct vsp *v, struct blob *b, u32 size)
{
	KUNIT_ASSERT_EQ(test, VmbChannelSaveBegin(v->e->ch), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, blob_write(test, v->e, b, size), STATUS_SUCCESS);
	VmbChannelSaveEnd(v->e->ch);
}

/* From memory of exactly that size, so that KASAN sees one byte too many. */
NTSTATUS blob_read(struct kunit *test, struct end *e, const u8 *bytes, u32 size)
{
	NTSTATUS status;
	u8 *copy;

	copy = size > PAGE_SIZE ? vmalloc(size) : kmalloc(size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, copy);
	memcpy(copy, bytes, size);
	status = VmbChannelRestoreFromBuffer(e->ch, copy, size);
	kvfree(copy);
	return status;
}

NTSTATUS blob_read_chunks(struct kunit *test, struct end *e, const struct blob *b)
{
	NTSTATUS status = STATUS_SUCCESS;
	u32 at, next, n = 0;

	for (at = 0; at < b->size; at = next, n++) {
		struct kmcl_blob_wire wire;

		memcpy(&wire, b->bytes + at, sizeof(wire));
		next = at + sizeof(wire) + le32_to_cpu(wire.len);
		status = blob_read(test, e, b->bytes + at, next - at);
		if (status != (next < b->size ? STATUS_MORE_PROCESSING_REQUIRED : STATUS_SUCCESS))
			break;
	}
	return status;
}

struct vsp *vsp_follow(struct kunit *test, const struct blob *b, u32 room, struct call *calls)
{
	struct vsp *v = vsp_new(test, room);

	v->calls = calls;
	KUNIT_ASSERT_EQ(test, blob_read(test, v->e, b->bytes, b->size), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(v->e->ch), STATUS_SUCCESS);
	end_expect_log(v->e, "");
	VmbChannelStart(v->e->ch);
	end_expect_log(v->e, "SP");
	end_clear_log(v->e);
	return v;
}
