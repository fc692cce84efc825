/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The descriptions of external data in incoming packets, as a peer writes them: their form.
 *
 * What is looked at is a copy of ours, so it may be looked at as often as need be.  What
 * sets and frame numbers mean, and whether the peer may name them, is incoming.c's.  The
 * file pair ranges.[ch] knows no object of the library: the same source serves the fuzzers.
 */
#ifndef _KMCL_RANGES_H
#define _KMCL_RANGES_H

#include <linux/types.h>
#include "ring.h"

#define KMCL_RANGES_AT	8u		/* in a description by frames: behind its head */

/* Wire format: a transfer page packet, behind the descriptor. */
struct kmcl_transfer {
	__le16 set;
	u8 sender_owns;
	u8 reserved;
	__le32 count;
	struct {
		__le32 bytes;
		__le32 offset;
	} ranges[];
};

/* Part of a GPADL. */
struct kmcl_piece {
	u32 offset;
	u32 bytes;
};

/**
 * struct kmcl_described - what a description says, and what it may say
 * @most_ranges: that the driver takes
 * @most_bytes: that it takes
 * @count: of ranges; filled in
 * @set: of pages, if it names one; filled in
 * @damaged: the peer broke the rules, rather than meaning something we refuse; filled in
 */
struct kmcl_described {
	u32 most_ranges;
	u32 most_bytes;
	u32 count;
	u16 set;
	bool damaged;
};

const char *kmcl_transfer_check(const void *head, u32 len, struct kmcl_described *d);
const char *kmcl_transfer_pieces(void *head, u32 set_bytes, struct kmcl_described *d);
const char *kmcl_frames_check(const void *head, u32 len, struct kmcl_described *d);
u32 kmcl_range_frames(const struct kmcl_gpa_range *range);
struct kmcl_gpa_range *kmcl_range_next(struct kmcl_gpa_range *range);

#endif
