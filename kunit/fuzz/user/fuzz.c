// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include "fuzz.h"

u32 fuzz_fail_nth;

void broken(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

void *exactly(size_t bytes)
{
	void *p = malloc(bytes);

	must(p || !bytes);
	return p;
}

void *kvmalloc(size_t bytes, int gfp)
{
	if (fuzz_fail_nth && !--fuzz_fail_nth)
		return NULL;
	/* the kernel's says so with a warning */
	must(bytes <= INT_MAX);
	return malloc(bytes);
}

/* Bit by bit is too slow: a table, of the reflected polynomial of IEEE 802.3. */
u32 crc32_le(u32 crc, const u8 *bytes, size_t len)
{
	static u32 table[256];
	size_t i, bit;

	if (!table[1]) {
		for (i = 0; i < 256; i++) {
			table[i] = i;
			for (bit = 0; bit < 8; bit++)
				table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320 : 0);
		}
	}
	fuzz_peer();
	for (i = 0; i < len; i++)
		crc = crc >> 8 ^ table[(crc ^ bytes[i]) & 0xff];
	return crc;
}
