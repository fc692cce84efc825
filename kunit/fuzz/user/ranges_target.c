// SPDX-License-Identifier: GPL-2.0
/*
 * kmcl/ranges.c: descriptions of external data, beside a model that knows no shortcut.
 *
 * The input is what the driver takes, the size of the set of pages, and the description. What
 * is accepted is walked and made pieces of, in place, as incoming.c does.
 */
#include "fuzz.h"
#include "ranges.h"

#define HEAD		16u		/* of an input */

void fuzz_peer(void)
{
}

/* The same by the words of the protocol; wider numbers, and nothing in place. */
struct model {
	bool well_formed;
	bool refused;			/* well-formed, and not what the driver takes */
	u64 ranges;
	u64 bytes;
};

static u32 word(const u8 *from)
{
	__le32 v;

	memcpy(&v, from, sizeof(v));
	return le32_to_cpu(v);
}

static struct model model_frames(const u8 *head, u64 len, const struct kmcl_described *d)
{
	struct model m = {};
	u64 i, at = 8, frames, offset, bytes;

	if (len < 8)
		return m;
	m.ranges = word(head + 4);
	for (i = 0; i < m.ranges; i++) {
		if (at + 8 > len)
			return m;
		bytes = word(head + at);
		offset = word(head + at + 4);
		if (!bytes || offset > 4095)
			return m;
		for (frames = 0; frames * 4096 < offset + bytes; frames++)
			;
		at += 8 + 8 * frames;
		if (at > len)
			return m;
		m.bytes += bytes;
	}
	m.well_formed = true;
	m.refused = !m.ranges || m.ranges > d->most_ranges || m.bytes > d->most_bytes;
	return m;
}

static struct model model_transfer(const u8 *head, u64 len, u64 set, const struct kmcl_described *d)
{
	struct model m = {};
	u64 i, bytes, offset;

	if (len < 8)
		return m;
	m.ranges = word(head + 4);
	if (8 + 8 * m.ranges > len)
		return m;
	m.well_formed = true;
	m.refused = !m.ranges || m.ranges > d->most_ranges;
	for (i = 0; i < m.ranges && !m.refused; i++) {
		bytes = word(head + 8 + 8 * i);
		offset = word(head + 12 + 8 * i);
		if (!bytes || offset + bytes > set) {
			m.well_formed = false;
			return m;
		}
		m.bytes += bytes;
		m.refused = m.bytes > d->most_bytes;
	}
	return m;
}

static void check_frames(u8 *head, u32 len, const u8 *copy, struct kmcl_described *d)
{
	struct model m = model_frames(copy, len, d);
	const char *why = kmcl_frames_check(head, len, d);
	struct kmcl_piece *pieces = (void *)head;
	struct kmcl_gpa_range *range, *next;
	u32 i, k, frames, offset, bytes;
	u64 sum = 0;

	must(!memcmp(head, copy, len));
	must(m.well_formed == !d->damaged);
	must(!why == (m.well_formed && !m.refused));
	if (why)
		return;
	must(d->count == m.ranges);
	for (i = 0, range = (void *)(head + KMCL_RANGES_AT); i < d->count; i++, range = next) {
		u64 last = 0;

		offset = le32_to_cpu(range->offset);
		bytes = le32_to_cpu(range->bytes);
		frames = kmcl_range_frames(range);
		next = kmcl_range_next(range);
		must((u8 *)next <= head + len);
		for (k = 0; k < frames; k++)
			last += le64_to_cpu(range->frames[k]);
		pieces[i] = (struct kmcl_piece) { .offset = offset + (last & 0), .bytes = bytes };
		/* what comes next is as it was */
		must(!memcmp(next, copy + ((u8 *)next - head), head + len - (u8 *)next));
	}
	for (i = 0; i < d->count; i++)
		sum += pieces[i].bytes;
	must(sum == m.bytes && sum <= d->most_bytes);
}

static void check_transfer(u8 *head, u32 len, const u8 *copy, u32 set, struct kmcl_described *d)
{
	struct model m = model_transfer(copy, len, set, d);
	const char *why = kmcl_transfer_check(head, len, d);
	struct kmcl_piece *pieces = (void *)head;
	u64 sum = 0;
	u32 i;

	must(!memcmp(head, copy, len));
	if (!why)
		why = kmcl_transfer_pieces(head, set, d);
	must(m.well_formed == !d->damaged);
	must(!why == (m.well_formed && !m.refused));
	if (why)
		return;
	must(d->count == m.ranges && d->set == (u16)word(copy));
	for (i = 0; i < d->count; i++) {
		must((u64)pieces[i].offset + pieces[i].bytes <= set && pieces[i].bytes);
		must(pieces[i].bytes == word(copy + 8 + 8 * i));
		must(pieces[i].offset == word(copy + 12 + 8 * i));
		sum += pieces[i].bytes;
	}
	must(sum == m.bytes && sum <= d->most_bytes);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct stream s = { data, size };
	u8 kind = take_u8(&s), shift = take_u8(&s);
	struct kmcl_described d = {
		.most_ranges = take_u16(&s),
	};
	u32 set, len;
	u8 *head;

	d.most_bytes = take_u32(&s) >> shift % 32;
	set = take_u32(&s) >> (shift / 32 * 4) & ~4095u;
	take_u32(&s);
	len = s.left;
	/* as it lies in a packet's object; a save's need not be a multiple of 8 */
	head = exactly(len);
	take(&s, head, len);
	if (kind & 1)
		check_frames(head, len, data + (size - len), &d);
	else
		check_transfer(head, len, data + (size - len), set, &d);
	free(head);
	return 0;
}

/* A description that is in order, from a few random numbers. */
static size_t compose(u8 *data, size_t most, u32 *random)
{
	u32 i, ranges = next_random(random) % 6, frames, k;
	bool direct = data[0] & 1;
	size_t at = HEAD + 8;
	__le32 words[2];

	if (most < 512)
		return 0;
	words[0] = cpu_to_le32(next_random(random) % 4);
	words[1] = cpu_to_le32(ranges);
	memcpy(data + HEAD, words, sizeof(words));
	for (i = 0; i < ranges; i++) {
		words[0] = cpu_to_le32(1 + next_random(random) % 12000);
		words[1] = cpu_to_le32(next_random(random) % 4096);
		memcpy(data + at, words, sizeof(words));
		at += sizeof(words);
		frames = direct ? (le32_to_cpu(words[0]) + le32_to_cpu(words[1]) + 4095) / 4096 : 0;
		for (k = 0; k < frames; k++, at += 8)
			memset(data + at, next_random(random), 8);
	}
	return at;
}

size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t most, unsigned int seed)
{
	u32 random = seed, at, value, n;

	if (size >= HEAD && next_random(&random) % 8 == 0) {
		n = compose(data, most, &random);
		size = n ?: size;
		if (next_random(&random) % 4 == 0)
			return size;
	}
	if (size >= HEAD + 8 && next_random(&random) % 2) {
		/* one word, near to what it was, or far from it */
		at = next_random(&random) % ((size - 4) / 4 + 1) * 4;
		memcpy(&value, data + at, sizeof(value));
		switch (next_random(&random) % 4) {
		case 0:
			value += next_random(&random) % 33 - 16;
			break;
		case 1:
			value = 0xffffffff << next_random(&random) % 32;
			break;
		case 2:
			value = ~(0xffffffff << next_random(&random) % 32);
			break;
		default:
			value = 4096 * (next_random(&random) % 4) + next_random(&random) % 3 - 1;
			break;
		}
		memcpy(data + at, &value, sizeof(value));
		return size;
	}
	return LLVMFuzzerMutate(data, size, most);
}
