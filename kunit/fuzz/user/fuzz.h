/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the targets share: the input as a stream of decisions, and what must hold.
 */
#ifndef _KMCL_FUZZ_H
#define _KMCL_FUZZ_H

#include "kernel.h"

/* What is left of an input; zeros behind its end. */
struct stream {
	const u8 *at;
	size_t left;
};

static inline void take(struct stream *s, void *to, size_t bytes)
{
	size_t n = bytes < s->left ? bytes : s->left;

	memset(to, 0, bytes);
	memcpy(to, s->at, n);
	s->at += n;
	s->left -= n;
}

static inline u8 take_u8(struct stream *s)
{
	u8 v;

	take(s, &v, sizeof(v));
	return v;
}

static inline u16 take_u16(struct stream *s)
{
	u16 v;

	take(s, &v, sizeof(v));
	return v;
}

static inline u32 take_u32(struct stream *s)
{
	u32 v;

	take(s, &v, sizeof(v));
	return v;
}

/* Says what does not hold, and ends the program, which libFuzzer takes for a crash. */
void broken(const char *what, const char *file, int line);

#define must(condition)							\
	do {								\
		if (!(condition))					\
			broken(#condition, __FILE__, __LINE__);		\
	} while (0)

/* Memory of exactly this size, so that ASan sees one byte too many. */
void *exactly(size_t bytes);

/* A linear congruential one: mutators get a seed for each call. */
static inline u32 next_random(u32 *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/* libFuzzer's interface */
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t most, unsigned int seed);
size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t most);

#endif
