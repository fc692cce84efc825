// SPDX-License-Identifier: GPL-2.0
/*
 * The host's part of the benchmark: it reads and writes rings, and nothing else, so
 * that the guest's is as large a part of what is measured as it can be.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include "../sim/sim.h"
#include "bench.h"

static u8 packet[PAYLOAD_MOST + EXTERNAL_MOST / 128 + 256] __aligned(8);

/**
 * host_read() - read packets, and remember what is to be answered
 * @s: whose
 * @n: at most so many
 *
 * Return: how many there were.
 */
unsigned int host_read(struct side *s, unsigned int n)
{
	const struct vmpacket_descriptor *desc = (void *)packet;
	struct ids *ids = s->unanswered;
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (hvsim_recv(s->host, packet, sizeof(packet)) <= 0)
			break;
		if (!(desc->flags & VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED))
			continue;
		ids->id[(ids->head + ids->count++) % MOST] = desc->trans_id;
	}
	return i;
}

static int write_quietly(struct side *s, u16 type, u16 flags, u64 id, u32 len)
{
	const struct hvsim_raw raw = {
		.desc.type = type,
		.desc.offset8 = sizeof(raw.desc) / 8,
		.desc.len8 = ALIGN(sizeof(raw.desc) + len, 8) / 8,
		.desc.flags = flags,
		.desc.trans_id = id,
		.payload = payload,
		.len = len,
		.quiet = true,
	};

	return hvsim_send_raw(s->host, &raw);
}

/**
 * host_answer() - answer the oldest packets, and interrupt nobody
 * @s: whose
 * @n: how many
 * @len: bytes of each answer
 */
void host_answer(struct side *s, unsigned int n, u32 len)
{
	struct ids *ids = s->unanswered;

	while (n-- && ids->count) {
		write_quietly(s, VM_PKT_COMP, 0, ids->id[ids->head], len);
		ids->head = (ids->head + 1) % MOST;
		ids->count--;
	}
}

/**
 * host_send() - send packets that ask for a completion, and interrupt nobody
 * @test: the case
 * @s: to whom
 * @n: how many, which fit into its ring
 * @len: bytes of each
 */
void host_send(struct kunit *test, struct side *s, unsigned int n, u32 len)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < n; i++)
		ret |= write_quietly(s, VM_PKT_DATA_INBAND,
				     VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED, i, len);
	KUNIT_ASSERT_EQ(test, ret, 0);
}

/* Have the processor fetch it from memory the next time. */
void forget_cache(const void *at, size_t bytes)
{
#ifdef CONFIG_X86_64
	const u8 *p = at, *end = p + bytes;

	for (; p < end; p += 64)
		asm volatile("clflush %0" : : "m"(*p));
	/* before what is measured */
	mb();
#endif
}

/* What the host has written is in its processor's cache, and not in ours. */
void host_forget_cache(struct side *s)
{
	forget_cache(s->host->h2g.rb, PAGE_SIZE + s->host->h2g.size);
}
