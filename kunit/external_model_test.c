// SPDX-License-Identifier: GPL-2.0
/*
 * Random MDL chains against a flat model: the host reads the bytes that the
 * chain describes, in order, and what it writes lands on them and on no others.
 */
#include <linux/prandom.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "external.h"

#define MAX_MDLS	64
#define POOL_BYTES	(96u << 10)	/* of each kind of memory */
#define MOST		(64u << 10)	/* bytes of one packet */
#define LINE		64u		/* no two pieces begin in one: see below */

/* A debug kernel takes its time for each byte. */
#define SEEDS		(IS_ENABLED(CONFIG_KASAN) ? 400 : 10000)

/* The model: what the host is to read, and what it found instead. */
static u8 *flat, *seen, *shadow;
static u32 flat_bytes, seen_bytes;
/* MDLs of the longest chain so far. */
static u32 longest;
static struct {
	u8 *kmalloc;
	u8 *vmalloc;
} pool;

/* A piece of the pool that an MDL describes. */
struct piece {
	u8 *at;
	u32 len;
};

static enum hvsim_answer read_and_invert(struct hvsim_chan *chan,
					 const struct vmpacket_descriptor *desc,
					 const void *payload, u32 len)
{
	u32 i;

	seen_bytes = host_bytes(desc);
	if (seen_bytes > MOST)
		return HVSIM_ANSWER_SCRIPTED;
	host_read(desc, seen);
	/* nothing is inverted then, and that shows */
	if (memcmp(seen, flat, min(seen_bytes, flat_bytes)))
		return HVSIM_ANSWER_SCRIPTED;
	for (i = 0; i < seen_bytes / 8; i++)
		((u64 *)flat)[i] = ~((u64 *)flat)[i];
	for (i = seen_bytes & ~7u; i < seen_bytes; i++)
		flat[i] = ~flat[i];
	host_write(desc, flat);
	return HVSIM_ANSWER_SCRIPTED;
}

static int model_init(struct kunit *test)
{
	flat = vmalloc(MOST);
	seen = vmalloc(MOST);
	shadow = vmalloc(2 * POOL_BYTES);
	pool.kmalloc = kmalloc(POOL_BYTES, GFP_KERNEL);
	pool.vmalloc = vmalloc(POOL_BYTES);
	if (!flat || !seen || !shadow || !pool.kmalloc || !pool.vmalloc)
		return -ENOMEM;
	return external_suite_init(test);
}

static void model_exit(struct kunit *test)
{
	external_suite_exit(test);
	vfree(flat);
	vfree(seen);
	vfree(shadow);
	kfree(pool.kmalloc);
	vfree(pool.vmalloc);
}

/* From 1 to @max, small ones more often. */
static u32 draw(struct rnd_state *rnd, u32 max)
{
	u32 bits = prandom_u32_state(rnd) % 17;

	return 1 + prandom_u32_state(rnd) % min(max, 1u << bits);
}

/*
 * Pieces one behind the other in a random kind of memory, in random order. Each
 * begins in a cache line of its own, which is what the DMA API asks of drivers
 * and a debug kernel checks.
 *
 * Every other time they share what there is, so that all of them fit: the first of
 * those that do not leaves little to the others, and long chains would not be seen.
 */
static unsigned int cut(struct rnd_state *rnd, struct piece *pieces, u32 max, u32 left)
{
	unsigned int n = 1 + prandom_u32_state(rnd) % max, i, j, made = 0;
	bool share = prandom_u32_state(rnd) % 2;
	u32 gap = share ? POOL_BYTES / 8 / n : 5000;
	u32 part = left / n, used[2] = {};

	for (i = 0; i < n && left; i++) {
		unsigned int kind = prandom_u32_state(rnd) % 2;
		u32 start = ALIGN(used[kind], LINE) + prandom_u32_state(rnd) % LINE;
		u32 len = draw(rnd, share ? part : left);

		if (start + len > POOL_BYTES)
			continue;
		pieces[made].at = (kind ? pool.vmalloc : pool.kmalloc) + start;
		pieces[made++].len = len;
		used[kind] = start + len + prandom_u32_state(rnd) % gap;
		left -= len;
	}
	for (i = 0; i < made; i++) {
		j = prandom_u32_state(rnd) % made;
		swap(pieces[i], pieces[j]);
	}
	return made;
}

static PMDL chain_of(const struct piece *pieces, unsigned int n)
{
	PMDL first = NULL, *link = &first;
	unsigned int i;

	for (i = 0; i < n; i++) {
		*link = IoAllocateMdl(pieces[i].at, pieces[i].len, FALSE, FALSE, NULL);
		if (!*link)
			break;
		MmBuildMdlForNonPagedPool(*link);
		link = &(*link)->Next;
	}
	return first;
}

static void free_chain(PMDL mdl)
{
	PMDL next;

	for (; mdl; mdl = next) {
		next = mdl->Next;
		IoFreeMdl(mdl);
	}
}

/* Where byte @at of a piece is in the copy of the pool. */
static u8 *in_shadow(const u8 *at)
{
	if (at >= pool.kmalloc && at < pool.kmalloc + POOL_BYTES)
		return shadow + (at - pool.kmalloc);
	return shadow + POOL_BYTES + (at - pool.vmalloc);
}

/* Walk @bytes from @skip on, over the pieces: into @flat, or inverted into the shadow. */
static void model(const struct piece *pieces, unsigned int n, u32 skip, u32 bytes, bool gather)
{
	u32 i, done = 0, len, j;

	for (i = 0; i < n && done < bytes; i++) {
		u8 *s;

		if (skip >= pieces[i].len) {
			skip -= pieces[i].len;
			continue;
		}
		len = min(pieces[i].len - skip, bytes - done);
		if (gather) {
			memcpy(flat + done, pieces[i].at + skip, len);
		} else {
			s = in_shadow(pieces[i].at + skip);
			for (j = 0; j < len; j++)
				s[j] = ~s[j];
		}
		done += len;
		skip = 0;
	}
}

static bool untouched_elsewhere(void)
{
	return !memcmp(shadow, pool.kmalloc, POOL_BYTES) &&
	       !memcmp(shadow + POOL_BYTES, pool.vmalloc, POOL_BYTES);
}

/* One packet; NULL, or what went wrong. */
static const char *one(struct lot *lot, struct rnd_state *rnd, u32 max, u32 most)
{
	struct piece pieces[MAX_MDLS];
	unsigned int n = cut(rnd, pieces, max, most), i;
	u32 total = 0, skip = 0, length = 0, bytes;
	int calls = lot->calls;
	PMDL chain;
	NTSTATUS status;

	for (i = 0; i < n; i++)
		total += pieces[i].len;
	if (!n)
		return NULL;
	if (prandom_u32_state(rnd) % 2)
		skip = prandom_u32_state(rnd) % total;
	if (prandom_u32_state(rnd) % 2)
		length = 1 + prandom_u32_state(rnd) % (total - skip);
	bytes = length ?: total - skip;
	flat_bytes = bytes;
	model(pieces, n, skip, bytes, true);

	longest = max(longest, n);
	chain = chain_of(pieces, n);
	status = VmbPacketSendWithExternalMdl(lot->pkt, "x", 1, chain, skip, length,
					      WAIT_FOR_COMPLETION);
	free_chain(chain);
	if (status != STATUS_SUCCESS)
		return "refused";
	if (lot->calls != calls + 1 || lot->status != STATUS_SUCCESS)
		return "not completed";
	if (seen_bytes != bytes)
		return "another number of bytes";
	/* what was described is inverted, in the memory as in the model */
	model(pieces, n, skip, bytes, false);
	if (!untouched_elsewhere())
		return "other bytes";
	return NULL;
}

static void random_chains(struct kunit *test, bool bounced)
{
	struct vsc *v = vsc_new(test);
	struct rnd_state rnd;
	/* what fits into the slots of a bounce */
	u32 mdls = bounced ? BOUNCE_SLOTS / 4 : MAX_MDLS;
	u32 most = bounced ? BOUNCE_SLOTS / 4 * PAGE_SIZE : MOST;
	const char *wrong;
	struct lot *lot;
	u32 seed;

	v->offer.exec = HVSIM_EXEC_INLINE;
	v->offer.script.on_packet = read_and_invert;
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumExternalData(v->ch, MOST, MAX_MDLS),
			STATUS_SUCCESS);
	vsc_bring_up(v);
	if (bounced)
		bounce_set(bounce_new(test), v->kch->target.link);
	lot = lot_new(v);
	get_random_bytes(pool.kmalloc, POOL_BYTES);
	get_random_bytes(pool.vmalloc, POOL_BYTES);
	memcpy(shadow, pool.kmalloc, POOL_BYTES);
	memcpy(shadow + POOL_BYTES, pool.vmalloc, POOL_BYTES);
	longest = 0;
	for (seed = 1; seed <= (bounced ? SEEDS / 5 : SEEDS); seed++) {
		prandom_seed_state(&rnd, seed);
		wrong = one(lot, &rnd, mdls, most);
		KUNIT_ASSERT_NULL_MSG(test, wrong, "seed %u: %s", seed, wrong);
		if (!(seed % 64))
			cond_resched();
	}
	KUNIT_EXPECT_EQ(test, longest, mdls);
	lot_free(lot);
}

static void the_host_reads_and_writes_exactly_the_described_bytes(struct kunit *test)
{
	random_chains(test, false);
}

static void and_so_it_does_where_memory_is_bounced(struct kunit *test)
{
	random_chains(test, true);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(the_host_reads_and_writes_exactly_the_described_bytes),
	KUNIT_CASE(and_so_it_does_where_memory_is_bounced),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_external_model",
	.init = model_init,
	.exit = model_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
