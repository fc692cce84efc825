// SPDX-License-Identifier: GPL-2.0
/*
 * kmcl/blob.c and kmcl/records.c: saved state that may be anything.
 *
 * The input is a few decisions and a save. The mutator knows chunks: it changes, moves, repeats
 * and leaves out whole ones, and repairs what the sums, numbers and counts say, or leaves it as
 * it is. The target reads the save, in pieces or at once, while the memory that it comes from
 * changes, and an allocation fails. What was accepted is looked at as adopt.c and park.c do,
 * written again, and read again: it must be the same.
 */
#include "fuzz.h"
#include "ranges.h"
#include "records.h"
#include "../../golden/save-v1.h"

#define HEAD		16u		/* decisions in front of the save */
#define ROOM		(1u << 18)	/* of a save that is written again */

static struct {
	u8 *save;			/* what is being read */
	u32 size;
	u32 at;				/* what changes there, and when */
	u32 looks;
	u8 value;
} peer;

void fuzz_peer(void)
{
	if (peer.size && peer.looks && !--peer.looks)
		peer.save[peer.at % peer.size] ^= peer.value;
}

/* The channel that the golden save is of. */
static void describe(struct kmcl_restore *r)
{
	struct kmcl_blob_wire wire;
	u32 at;

	for (at = 0; at < sizeof(golden); at += sizeof(wire) + le32_to_cpu(wire.len)) {
		memcpy(&wire, golden + at, sizeof(wire));
		if (le16_to_cpu(wire.tag) == KMCL_SAVE_BEGIN)
			memcpy(&r->self, golden + at + sizeof(wire), sizeof(r->self));
		if (le16_to_cpu(wire.tag) == KMCL_SAVE_CONFIG)
			memcpy(&r->limits, golden + at + sizeof(wire), sizeof(r->limits));
	}
}

/* ---- what becomes of it ---- */

static u32 sum_of(const u8 *from, u32 len)
{
	u8 *copy = exactly(len);
	u32 i, sum = 0;

	memcpy(copy, from, len);
	for (i = 0; i < len; i++)
		sum += copy[i];
	free(copy);
	return sum;
}

static u32 use_incoming(const struct kmcl_saved *saved)
{
	const struct kmcl_save_incoming *in = (const void *)saved->bytes;
	struct kmcl_described d = { .most_ranges = 32, .most_bytes = 128 << 10 };
	u32 len = le32_to_cpu(in->len), external = le32_to_cpu(in->external), sum;
	struct kmcl_gpa_range *range;
	u8 *head;
	u32 i;

	sum = sum_of(in->data, len) + sum_of(in->data + len + external, le32_to_cpu(in->state));
	if (!external)
		return sum;
	head = exactly(external);
	memcpy(head, in->data + len, external);
	range = (void *)(head + KMCL_RANGES_AT);
	if (!kmcl_frames_check(head, external, &d))
		for (i = 0; i < d.count; i++, range = kmcl_range_next(range))
			sum += le64_to_cpu(range->frames[kmcl_range_frames(range) - 1]);
	free(head);
	return sum;
}

static u32 use_gpadl(const struct kmcl_saved *saved)
{
	const struct kmcl_save_gpadl *gpadl = (const void *)saved->bytes;
	u32 i, sum = 0, count;

	count = kmcl_gpadl_frames(le32_to_cpu(gpadl->offset), le32_to_cpu(gpadl->bytes));
	must(count && gpadl->handle);
	for (i = 0; i < count; i++)
		sum += le64_to_cpu(gpadl->frames[i]);
	return sum;
}

static u32 use_queued(const struct kmcl_saved *saved)
{
	const struct kmcl_save_outgoing *out = (const void *)saved->bytes;
	const struct kmcl_save_reply *reply = (const void *)saved->bytes;

	if (saved->tag == KMCL_SAVE_REPLY)
		return sum_of(reply->data, le32_to_cpu(reply->len));
	must(saved->tag == KMCL_SAVE_OUTGOING);
	return sum_of(out->data, le32_to_cpu(out->len)) +
	       sum_of(out->data + le32_to_cpu(out->len), le32_to_cpu(out->state));
}

static u32 use_all(const struct kmcl_restore *r)
{
	const struct kmcl_saved *saved;
	u32 sum = 0, gpadls = 0, incoming = 0, queued = 0;

	list_for_each_entry(saved, &r->gpadls, node) {
		sum += use_gpadl(saved);
		gpadls++;
	}
	list_for_each_entry(saved, &r->incoming, node) {
		sum += use_incoming(saved);
		incoming++;
	}
	list_for_each_entry(saved, &r->queue, node) {
		sum += use_queued(saved);
		queued++;
	}
	must(gpadls == r->counts.gpadls && incoming == r->counts.incoming);
	must(queued == r->counts.replies + r->counts.outgoing);
	if (r->is_open) {
		must(le32_to_cpu(r->open.read) < le32_to_cpu(r->open.in_bytes));
		must(le32_to_cpu(r->open.write) < le32_to_cpu(r->open.out_bytes));
	}
	must(!incoming || r->is_open);
	return sum;
}

/* ---- written again ---- */

struct again {
	struct kmcl_blob_writer writer;
	u8 *bytes;
	u32 at;
};

static bool write_again(struct again *a, u16 tag, u16 flags, const void *body, u32 left)
{
	u32 n;

	do {
		if (a->at + kmcl_blob_chunk_bytes(left) > ROOM)
			return false;
		n = kmcl_blob_put(&a->writer, a->bytes + a->at, tag, flags, body, left);
		a->at += KMCL_BLOB_HEADER + n;
		body = (const u8 *)body + n;
		left -= n;
	} while (left);
	return true;
}

static bool write_list(struct again *a, const struct list_head *list)
{
	const struct kmcl_saved *saved;

	list_for_each_entry(saved, list, node)
		if (!write_again(a, saved->tag, KMCL_BLOB_CRITICAL, saved->bytes, saved->len))
			return false;
	return true;
}

static void same_lists(const struct list_head *a, const struct list_head *b)
{
	const struct list_head *at;
	const struct kmcl_saved *saved, *other;

	at = b->next;
	list_for_each_entry(saved, a, node) {
		must(at != b);
		other = list_entry(at, const struct kmcl_saved, node);
		must(other->tag == saved->tag && other->len == saved->len);
		must(!saved->len || !memcmp(other->bytes, saved->bytes, saved->len));
		at = at->next;
	}
	must(at == b);
}

static void reads_the_same_again(const struct kmcl_restore *r)
{
	struct again a = { .writer.save = r->reader.save, .bytes = exactly(ROOM) };
	struct kmcl_restore other = {};
	struct kmcl_save_end end = r->end;

	if (!write_again(&a, KMCL_SAVE_BEGIN, KMCL_BLOB_CRITICAL, &r->begin, sizeof(r->begin)) ||
	    !write_again(&a, KMCL_SAVE_CONFIG, KMCL_BLOB_CRITICAL, &r->config, sizeof(r->config)) ||
	    (r->is_open && !write_again(&a, KMCL_SAVE_OPEN, KMCL_BLOB_CRITICAL, &r->open,
					sizeof(r->open))) ||
	    !write_list(&a, &r->gpadls) || !write_list(&a, &r->incoming) ||
	    !write_list(&a, &r->queue))
		goto out;
	/* without what was left out */
	end.chunks = cpu_to_le32(a.writer.chunks + 1);
	end.bytes = cpu_to_le64(a.writer.bytes);
	if (!write_again(&a, KMCL_SAVE_END, KMCL_BLOB_CRITICAL | KMCL_BLOB_LAST, &end, sizeof(end)))
		goto out;
	kmcl_records_init(&other);
	describe(&other);
	must(!kmcl_records_read(&other, a.bytes, a.at) && other.over);
	same_lists(&r->gpadls, &other.gpadls);
	same_lists(&r->incoming, &other.incoming);
	same_lists(&r->queue, &other.queue);
	must(other.is_open == r->is_open && !memcmp(&other.open, &r->open, sizeof(r->open)));
	kmcl_records_free(&other);
out:
	free(a.bytes);
}

/* ---- one input ---- */

/* How far the next piece goes: whole chunks, if what is there says so. */
static u32 next_piece(const u8 *from, u32 left, u32 chunks)
{
	struct kmcl_blob_wire wire;
	u32 at = 0;

	while (chunks-- && left - at >= sizeof(wire)) {
		memcpy(&wire, from + at, sizeof(wire));
		if (le32_to_cpu(wire.len) > left - at - sizeof(wire))
			return left;
		at += sizeof(wire) + le32_to_cpu(wire.len);
	}
	return at ?: left;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct stream s = { data, size };
	u8 how = take_u8(&s), fail = take_u8(&s), looks = take_u8(&s), value = take_u8(&s);
	u32 where = take_u32(&s), at, n, spare[2];
	NTSTATUS status = STATUS_SUCCESS;
	struct kmcl_restore r = {};
	u8 *save;

	take(&s, spare, sizeof(spare));
	peer.size = 0;
	fuzz_fail_nth = 0;
	size = s.left;
	if (!size)
		return 0;
	save = exactly(size);
	take(&s, save, size);

	kmcl_records_init(&r);
	describe(&r);
	if (how & 1) {
		peer.save = save;
		peer.size = size;
		peer.at = where;
		peer.looks = looks;
		peer.value = value;
	}
	if (how & 2)
		fuzz_fail_nth = fail;
	for (at = 0; !status && at < size && !r.over; at += n) {
		n = how & 4 ? next_piece(save + at, size - at, 1 + (how >> 4)) : size - at;
		status = kmcl_records_read(&r, save + at, n);
	}
	fuzz_fail_nth = 0;
	peer.size = 0;
	must(NT_SUCCESS(status) || r.why || status == STATUS_INSUFFICIENT_RESOURCES);
	must(status == STATUS_SUCCESS || status == STATUS_INVALID_PARAMETER_2 ||
	     status == STATUS_REVISION_MISMATCH || status == STATUS_INSUFFICIENT_RESOURCES);
	if (!status) {
		use_all(&r);
		if (r.over)
			reads_the_same_again(&r);
	}
	kmcl_records_free(&r);
	free(save);
	return 0;
}

/* ---- the mutator ---- */

#define CHUNKS		64u

struct shape {
	u32 at[CHUNKS];
	u32 len[CHUNKS];		/* with its header */
	u32 count;
};

/* Where chunks seem to be. */
static void find(const u8 *save, u32 size, struct shape *shape)
{
	struct kmcl_blob_wire wire;
	u32 at = 0, len;

	shape->count = 0;
	while (shape->count < CHUNKS && size - at >= sizeof(wire)) {
		memcpy(&wire, save + at, sizeof(wire));
		len = le32_to_cpu(wire.len);
		if (len > size - at - sizeof(wire))
			len = size - at - sizeof(wire);
		shape->at[shape->count] = at;
		shape->len[shape->count++] = sizeof(wire) + len;
		at += sizeof(wire) + len;
	}
}

/* What END counts. */
static void repair_end(u8 *body, u32 len, const struct kmcl_save_end *is)
{
	if (len == sizeof(*is))
		memcpy(body, is, sizeof(*is));
}

/* Have everything that is redundant say what is there; @leave: one kind of it as it is. */
static void repair(u8 *save, u32 size, u32 leave)
{
	struct kmcl_save_end end = {};
	struct kmcl_blob_wire wire, first;
	struct shape shape;
	u32 i, crc, bytes = 0, counts[16] = {};

	find(save, size, &shape);
	for (i = 0; i < shape.count; i++) {
		u8 *chunk = save + shape.at[i];
		u16 tag;

		memcpy(&wire, chunk, sizeof(wire));
		if (!i)
			first = wire;
		tag = le16_to_cpu(wire.tag);
		if (!(le16_to_cpu(wire.flags) & KMCL_BLOB_CONTINUES))
			counts[tag & 15]++;
		if (leave != 1)
			wire.sequence = cpu_to_le32(i);
		if (leave != 2)
			wire.save = first.save;
		if (leave != 3)
			wire.len = cpu_to_le32(shape.len[i] - sizeof(wire));
		if (leave != 4 && tag == KMCL_SAVE_END) {
			end.chunks = cpu_to_le32(i + 1);
			end.bytes = cpu_to_le64(bytes);
			end.gpadls = cpu_to_le32(counts[KMCL_SAVE_GPADL]);
			end.incoming = cpu_to_le32(counts[KMCL_SAVE_INCOMING]);
			end.replies = cpu_to_le32(counts[KMCL_SAVE_REPLY]);
			end.outgoing = cpu_to_le32(counts[KMCL_SAVE_OUTGOING]);
			repair_end(chunk + sizeof(wire), shape.len[i] - sizeof(wire), &end);
		}
		if (leave != 5) {
			wire.magic = cpu_to_le32(KMCL_BLOB_MAGIC);
			wire.version = cpu_to_le16(KMCL_BLOB_VERSION);
			wire.reserved = 0;
		}
		memcpy(chunk, &wire, sizeof(wire));
		if (leave != 6) {
			crc = crc32_le(~0u, chunk, sizeof(wire) - sizeof(wire.crc));
			wire.crc = cpu_to_le32(~crc32_le(crc, chunk + sizeof(wire),
							 shape.len[i] - sizeof(wire)));
			memcpy(chunk, &wire, sizeof(wire));
		}
		bytes += shape.len[i];
	}
}

/* The body, or all, of a chunk becomes longer or shorter; the header says so. */
static u32 change_chunk(u8 *save, u32 size, u32 most, u32 at, u32 len, u32 *random)
{
	u32 head = next_random(random) % 4 ? sizeof(struct kmcl_blob_wire) : 0;
	u32 room = most - size, body = len - head, behind = size - at - len, now;
	__le32 wire_len;
	u8 *copy;

	room = body + (room < 4096 ? room : 4096);
	copy = malloc(room + 1);
	memcpy(copy, save + at + head, body);
	now = LLVMFuzzerMutate(copy, body, room);
	memmove(save + at + head + now, save + at + len, behind);
	memcpy(save + at + head, copy, now);
	free(copy);
	if (head) {
		wire_len = cpu_to_le32(now);
		memcpy(save + at + offsetof(struct kmcl_blob_wire, len), &wire_len,
		       sizeof(wire_len));
	}
	return size - len + head + now;
}

/* Numbers in a record that say how long parts of it are; the rest follows them. */
static u32 change_word(u8 *save, u32 size, u32 at, u32 len, u32 *random)
{
	u32 where, value;

	if (len < sizeof(struct kmcl_blob_wire) + 4)
		return size;
	where = at + next_random(random) % (len / 4) * 4;
	memcpy(&value, save + where, sizeof(value));
	switch (next_random(random) % 4) {
	case 0:
		value += next_random(random) % 17 - 8;
		break;
	case 1:
		value ^= 1u << next_random(random) % 32;
		break;
	case 2:
		value = 0xffffffff >> next_random(random) % 32;
		break;
	default:
		value = next_random(random) % 64;
		break;
	}
	memcpy(save + where, &value, sizeof(value));
	return size;
}

static u32 swap_chunks(u8 *save, u32 size, const struct shape *s, u32 a, u32 b)
{
	u8 *copy = malloc(size);
	u32 at = 0, i;

	for (i = 0; i < s->count; i++) {
		u32 from = i == a ? b : i == b ? a : i;

		memcpy(copy + at, save + s->at[from], s->len[from]);
		at += s->len[from];
	}
	memcpy(save, copy, at);
	free(copy);
	return size;
}

static u32 repeat_chunk(u8 *save, u32 size, u32 most, u32 at, u32 len)
{
	if (size + len > most)
		return size;
	memmove(save + at + len, save + at, size - at);
	return size + len;
}

static u32 drop_chunk(u8 *save, u32 size, u32 at, u32 len)
{
	memmove(save + at, save + at + len, size - at - len);
	return size - len;
}

/* Where a record says how long its payload is, and where that begins; 0: it has none. */
static u32 payload_of(u16 tag, u32 *counted_at)
{
	switch (tag) {
	case KMCL_SAVE_GPADL:
		*counted_at = offsetof(struct kmcl_save_gpadl, bytes);
		return sizeof(struct kmcl_save_gpadl);
	case KMCL_SAVE_INCOMING:
		*counted_at = offsetof(struct kmcl_save_incoming, len);
		return sizeof(struct kmcl_save_incoming);
	case KMCL_SAVE_REPLY:
		*counted_at = offsetof(struct kmcl_save_reply, len);
		return sizeof(struct kmcl_save_reply);
	case KMCL_SAVE_OUTGOING:
		*counted_at = offsetof(struct kmcl_save_outgoing, len);
		return sizeof(struct kmcl_save_outgoing);
	default:
		return 0;
	}
}

/* A packet or GPADL becomes larger, and says so; what is more than a chunk goes on in the next. */
static u32 grow_record(u8 *save, u32 size, u32 most, u32 at, u32 len, u32 *random)
{
	const u32 header = sizeof(struct kmcl_blob_wire);
	u32 by = (next_random(random) % 32 ? next_random(random) % 64 : KMCL_BLOB_BODY_MAX) & ~7u;
	u32 counted_at, payload, behind = size - at - len, body = len - header + by, value;
	struct kmcl_blob_wire wire, next;
	bool two = body > KMCL_BLOB_BODY_MAX;
	u8 *from = save + at + header;

	memcpy(&wire, save + at, header);
	payload = payload_of(le16_to_cpu(wire.tag), &counted_at);
	if (!payload || len < header + payload || size + by + header > most ||
	    le16_to_cpu(wire.flags) & KMCL_BLOB_CONTINUES || body > 2 * KMCL_BLOB_BODY_MAX)
		return size;
	memmove(save + at + len + by + (two ? header : 0), save + at + len, behind);
	memmove(from + payload + by, from + payload, len - header - payload);
	memset(from + payload, next_random(random), by);
	memcpy(&value, from + counted_at, sizeof(value));
	value += le16_to_cpu(wire.tag) == KMCL_SAVE_GPADL ? by / 8 * KMCL_PAGE_SIZE : by;
	memcpy(from + counted_at, &value, sizeof(value));
	if (two) {
		next = wire;
		next.len = cpu_to_le32(body - KMCL_BLOB_BODY_MAX);
		memmove(from + KMCL_BLOB_BODY_MAX + header, from + KMCL_BLOB_BODY_MAX,
			body - KMCL_BLOB_BODY_MAX);
		memcpy(from + KMCL_BLOB_BODY_MAX, &next, header);
		wire.flags |= cpu_to_le16(KMCL_BLOB_CONTINUES);
		body = KMCL_BLOB_BODY_MAX;
	}
	wire.len = cpu_to_le32(body);
	memcpy(save + at, &wire, header);
	return size + by + (two ? header : 0);
}

static u32 mutate_save(u8 *save, u32 size, u32 most, u32 *random)
{
	struct shape shape;
	u32 n, at, len;

	find(save, size, &shape);
	if (!shape.count)
		return LLVMFuzzerMutate(save, size, most);
	n = next_random(random) % shape.count;
	at = shape.at[n];
	len = shape.len[n];
	switch (next_random(random) % 9) {
	case 0:
		return LLVMFuzzerMutate(save, size, most);
	case 8:
		return grow_record(save, size, most, at, len, random);
	case 1:
	case 2:
		return change_chunk(save, size, most, at, len, random);
	case 3:
		return repeat_chunk(save, size, most, at, len);
	case 4:
		return drop_chunk(save, size, at, len);
	case 5:
		return swap_chunks(save, size, &shape, n, next_random(random) % shape.count);
	default:
		return change_word(save, size, at, len, random);
	}
}

size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t most, unsigned int seed)
{
	u32 random = seed, n;

	if (most < HEAD + sizeof(golden))
		return LLVMFuzzerMutate(data, size, most);
	if (size < HEAD + KMCL_BLOB_HEADER || next_random(&random) % 256 == 0) {
		memset(data, 0, HEAD);
		memcpy(data + HEAD, golden, sizeof(golden));
		size = HEAD + sizeof(golden);
	}
	/* the decisions in front stay undecided for most of them, so that saves are read whole */
	if (next_random(&random) % 16 == 0) {
		n = LLVMFuzzerMutate(data, HEAD, HEAD);
		if (n < HEAD)
			memset(data + n, 0, HEAD - n);
	}
	for (n = 1 + next_random(&random) % 3; n; n--)
		size = HEAD + mutate_save(data + HEAD, size - HEAD, most - HEAD, &random);
	/* one in eight with a sum, a number or a count that is wrong */
	n = next_random(&random) % 64;
	repair(data + HEAD, size - HEAD, n < 8 ? n : 0);
	return size;
}
