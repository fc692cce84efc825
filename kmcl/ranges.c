// SPDX-License-Identifier: GPL-2.0
/*
 * The form of external data in incoming packets; see ranges.h.
 */
#include <linux/build_bug.h>
#include <linux/math.h>
#include <linux/overflow.h>
#include <linux/types.h>
#include <asm/byteorder.h>
#include "ranges.h"

/* May so many be, as far as the driver is concerned? */
static const char *check_count(const struct kmcl_described *d)
{
	if (!d->count)
		return "no ranges";
	if (d->count > d->most_ranges)
		return "a longer chain than the driver allows";
	return NULL;
}

/**
 * kmcl_transfer_check() - look at a description that names a set of pages
 * @head: the packet between descriptor and payload
 * @len: its bytes
 * @d: @d->most_ranges is set; @d->set and @d->count are, on success
 *
 * Return: NULL, or what is wrong with it.
 */
const char *kmcl_transfer_check(const void *head, u32 len, struct kmcl_described *d)
{
	const struct kmcl_transfer *t = head;

	d->damaged = true;
	if (len < sizeof(*t))
		return "transfer pages without a header";
	d->set = le16_to_cpu(t->set);
	d->count = le32_to_cpu(t->count);
	if (d->count > (len - sizeof(*t)) / sizeof(t->ranges[0]))
		return "transfer page ranges beyond the packet";
	d->damaged = false;
	return check_count(d);
}

/**
 * kmcl_transfer_pieces() - make pieces of its ranges, where they are
 * @head: after kmcl_transfer_check(); an array of @d->count pieces on success
 * @set_bytes: size of the set that it names
 * @d: @d->most_bytes is set
 *
 * Return: NULL, or what is wrong with it.
 */
const char *kmcl_transfer_pieces(void *head, u32 set_bytes, struct kmcl_described *d)
{
	struct kmcl_piece *pieces = head;
	struct kmcl_transfer *t = head;
	u32 i, left = d->most_bytes;

	for (i = 0; i < d->count; i++) {
		u32 bytes = le32_to_cpu(t->ranges[i].bytes);
		u32 offset = le32_to_cpu(t->ranges[i].offset);

		if (!bytes || offset > set_bytes || bytes > set_bytes - offset) {
			d->damaged = true;
			return "transfer page range outside its set";
		}
		if (bytes > left)
			return "more external data than the driver allows";
		left -= bytes;
		/* never ahead of what is read */
		pieces[i] = (struct kmcl_piece) { .offset = offset, .bytes = bytes };
	}
	return NULL;
}

/**
 * kmcl_range_frames() - frames that a range touches
 * @range: range with an offset within a page
 *
 * Return: how many.
 */
u32 kmcl_range_frames(const struct kmcl_gpa_range *range)
{
	return DIV_ROUND_UP_ULL((u64)le32_to_cpu(range->offset) + le32_to_cpu(range->bytes),
				KMCL_PAGE_SIZE);
}

/**
 * kmcl_range_next() - the range behind another one
 * @range: range of a description that kmcl_frames_check() accepted
 *
 * Return: where the next one begins.
 */
struct kmcl_gpa_range *kmcl_range_next(struct kmcl_gpa_range *range)
{
	return (void *)range + struct_size(range, frames, kmcl_range_frames(range));
}

/* Bytes of a range, 0 when it does not fit into @len of them. */
static u32 range_size(const struct kmcl_gpa_range *range, u32 len)
{
	u32 frames;

	if (len < sizeof(*range) || le32_to_cpu(range->offset) >= KMCL_PAGE_SIZE ||
	    !range->bytes)
		return 0;
	frames = kmcl_range_frames(range);
	if (frames > (len - sizeof(*range)) / sizeof(range->frames[0]))
		return 0;
	return struct_size(range, frames, frames);
}

/**
 * kmcl_frames_check() - look at a description that names frames
 * @head: the packet between descriptor and payload
 * @len: its bytes
 * @d: @d->most_ranges and @d->most_bytes are set; @d->count is, on success
 *
 * The ranges begin at @head + KMCL_RANGES_AT.
 *
 * Return: NULL, or what is wrong with it.
 */
const char *kmcl_frames_check(const void *head, u32 len, struct kmcl_described *d)
{
	const struct kmcl_gpa_range *range;
	const char *why;
	u64 bytes = 0;
	u32 i, at, size;

	d->damaged = true;
	if (len < KMCL_RANGES_AT)
		return "GPA direct without a header";
	/* behind a reserved word */
	d->count = le32_to_cpu(((const __le32 *)head)[1]);
	for (i = 0, at = KMCL_RANGES_AT; i < d->count; i++, at += size) {
		range = head + at;
		size = range_size(range, len - at);
		if (!size)
			return "GPA direct ranges beyond the packet";
		bytes += le32_to_cpu(range->bytes);
	}
	d->damaged = false;
	why = check_count(d);
	if (!why && bytes > d->most_bytes)
		why = "more external data than the driver allows";
	return why;
}
