// SPDX-License-Identifier: GPL-2.0
/*
 * The data of packets against a flat model: whatever the MDLs, the bytes are those,
 * CurrentMdl says where they begin, and nothing leaks.
 */
#include <linux/prandom.h>
#include <linux/slab.h>
#include "fixture.h"

#define BYTES	4096

static struct rnd_state rnd;

static u32 below(u32 n)
{
	return prandom_u32_state(&rnd) % n;
}

/* Where the data of a packet are, written down flat. */
struct model {
	u8 bytes[2 * BYTES];
	u32 start;
	u32 len;
};

/* CurrentMdl and CurrentMdlOffset say what DataOffset says. */
static bool current_is_right(const NET_BUFFER *nb)
{
	u64 before = 0;
	const MDL *mdl;

	for (mdl = nb->MdlChain; mdl && mdl != nb->CurrentMdl; mdl = mdl->Next)
		before += mdl->ByteCount;
	return mdl == nb->CurrentMdl && before + nb->CurrentMdlOffset == nb->DataOffset;
}

static void expect_model(struct kunit *test, NET_BUFFER *nb, const struct model *m, u8 *storage)
{
	u8 *bytes;

	KUNIT_ASSERT_EQ(test, nb->DataLength, m->len);
	KUNIT_ASSERT_TRUE(test, current_is_right(nb));
	if (!m->len)
		return;
	bytes = NdisGetDataBuffer(nb, m->len, storage, 1, 0);
	KUNIT_ASSERT_NOT_NULL(test, bytes);
	KUNIT_ASSERT_EQ(test, memcmp(bytes, m->bytes + m->start, m->len), 0);
}

/* Writes the first @n bytes of a packet, as who retreats does. */
static void write_front(NET_BUFFER *nb, struct model *m, u32 n)
{
	u32 skip = nb->CurrentMdlOffset, done = 0, len;
	MDL *mdl;

	for (mdl = nb->CurrentMdl; mdl && done < n; mdl = mdl->Next, skip = 0) {
		len = min(n - done, mdl->ByteCount - skip);
		prandom_bytes_state(&rnd, m->bytes + m->start + done, len);
		memcpy((u8 *)MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority) + skip,
		       m->bytes + m->start + done, len);
		done += len;
	}
}

/* MDLs of random sizes, empty ones too, over @buf. */
static MDL *random_chain(struct kunit *test, u8 *buf, u32 *total)
{
	unsigned int n = 1 + below(6);
	MDL *first = NULL, **link = &first;
	u32 len;

	for (*total = 0; n--; *total += len) {
		len = below(4) ? below(60) : 0;
		*link = IoAllocateMdl(buf + *total, len, FALSE, FALSE, NULL);
		KUNIT_ASSERT_NOT_NULL(test, *link);
		MmBuildMdlForNonPagedPool(*link);
		link = &(*link)->Next;
	}
	return first;
}

static void free_chain(MDL *mdl)
{
	MDL *next;

	for (; mdl; mdl = next) {
		next = mdl->Next;
		IoFreeMdl(mdl);
	}
}

static void random_step(struct kunit *test, NET_BUFFER *nb, struct model *m)
{
	u32 delta;

	if (below(2)) {
		delta = below(m->len + 1);
		NdisAdvanceNetBufferDataStart(nb, delta, below(2), NULL);
		m->start += delta;
		m->len -= delta;
	} else {
		delta = below(80);
		KUNIT_ASSERT_EQ(test, NDIS_STATUS_SUCCESS,
				NdisRetreatNetBufferDataStart(nb, delta, below(40), NULL));
		m->start -= delta;
		m->len += delta;
		write_front(nb, m, delta);
	}
}

static void data_are_those_of_a_flat_model_after_any_moves(struct kunit *test)
{
	struct fx *fx = test->priv;
	u8 *buf = kunit_kmalloc(test, BYTES, GFP_KERNEL);
	u8 *storage = kunit_kmalloc(test, 2 * BYTES, GFP_KERNEL);
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	unsigned int seed, i;
	NET_BUFFER *nb;
	u32 total, off;
	MDL *chain;

	for (seed = 0; seed < 3000; seed++) {
		prandom_seed_state(&rnd, seed + 1);
		chain = random_chain(test, buf, &total);
		off = below(total + 1);
		m->start = BYTES;
		m->len = below(total - off + 1);
		prandom_bytes_state(&rnd, buf, total);
		memcpy(m->bytes + m->start, buf + off, m->len);
		nb = NdisAllocateNetBuffer(fx->nb_pool, chain, off, m->len);
		KUNIT_ASSERT_NOT_NULL_MSG(test, nb, "seed %u", seed);
		expect_model(test, nb, m, storage);
		for (i = 0; i < 20; i++) {
			random_step(test, nb, m);
			expect_model(test, nb, m, storage);
		}
		NdisFreeNetBuffer(nb);
		free_chain(chain);
	}
}

static NET_BUFFER *two_pieces(struct kunit *test, u8 *buf, u32 first, u32 second)
{
	struct fx *fx = test->priv;
	MDL *mdl = fx_mdl(test, buf, first);

	mdl->Next = fx_mdl(test, buf + first, second);
	return NdisAllocateNetBuffer(fx->nb_pool, mdl, 0, first + second);
}

static void a_data_buffer_is_the_packets_own_where_it_can_be(struct kunit *test)
{
	u8 *buf = kunit_kmalloc(test, 256, GFP_KERNEL), storage[64];
	NET_BUFFER *nb = two_pieces(test, buf, 32, 96);
	unsigned int i;

	for (i = 0; i < 256; i++)
		buf[i] = i;
	KUNIT_ASSERT_NOT_NULL(test, nb);
	KUNIT_EXPECT_PTR_EQ(test, NdisGetDataBuffer(nb, 32, NULL, 1, 0), (void *)buf);
	KUNIT_EXPECT_PTR_EQ(test, NdisGetDataBuffer(nb, 32, storage, 0, 0), (void *)buf);
	NdisAdvanceNetBufferDataStart(nb, 32, FALSE, NULL);
	KUNIT_EXPECT_PTR_EQ(test, NdisGetDataBuffer(nb, 96, NULL, 1, 0), (void *)(buf + 32));
	KUNIT_EXPECT_EQ(test, NdisRetreatNetBufferDataStart(nb, 2, 0, NULL), NDIS_STATUS_SUCCESS);
	/* over the edge: copied, or not at all */
	KUNIT_EXPECT_NULL(test, NdisGetDataBuffer(nb, 3, NULL, 1, 0));
	KUNIT_EXPECT_PTR_EQ(test, NdisGetDataBuffer(nb, 3, storage, 1, 0), (void *)storage);
	KUNIT_EXPECT_EQ(test, memcmp(storage, buf + 30, 3), 0);
	/* more than there is, and nothing */
	KUNIT_EXPECT_NULL(test, NdisGetDataBuffer(nb, 99, storage, 1, 0));
	KUNIT_EXPECT_NULL(test, NdisGetDataBuffer(nb, 0, storage, 1, 0));
	NdisFreeNetBuffer(nb);
}

static void a_data_buffer_is_aligned_as_asked_for(struct kunit *test)
{
	/* kmalloc() aligns it to its size */
	u8 *buf = kunit_kmalloc(test, 256, GFP_KERNEL), storage[64];
	NET_BUFFER *nb = two_pieces(test, buf, 128, 128);

	KUNIT_ASSERT_NOT_NULL(test, nb);
	KUNIT_EXPECT_PTR_EQ(test, NdisGetDataBuffer(nb, 20, storage, 16, 0), (void *)buf);
	NdisAdvanceNetBufferDataStart(nb, 14, FALSE, NULL);
	KUNIT_EXPECT_PTR_EQ(test, NdisGetDataBuffer(nb, 20, storage, 4, 0), (void *)storage);
	KUNIT_EXPECT_NULL(test, NdisGetDataBuffer(nb, 20, NULL, 4, 0));
	KUNIT_EXPECT_PTR_EQ(test, NdisGetDataBuffer(nb, 20, storage, 4, 2), (void *)(buf + 14));
	/* no alignment at all */
	KUNIT_EXPECT_NULL(test, NdisGetDataBuffer(nb, 20, storage, 3, 0));
	NdisFreeNetBuffer(nb);
}

static void room_beyond_the_backfill_is_allocated_and_an_advance_frees_it(struct kunit *test)
{
	u8 *buf = kunit_kmalloc(test, 64, GFP_KERNEL);
	NET_BUFFER *nb = two_pieces(test, buf, 32, 32);
	MDL *chain;

	KUNIT_ASSERT_NOT_NULL(test, nb);
	chain = nb->MdlChain;
	NdisAdvanceNetBufferDataStart(nb, 10, FALSE, NULL);
	KUNIT_ASSERT_EQ(test, NdisRetreatNetBufferDataStart(nb, 30, 7, NULL), NDIS_STATUS_SUCCESS);
	/* ten bytes were there, twenty are new, and seven in front of them */
	KUNIT_EXPECT_PTR_NE(test, nb->MdlChain, chain);
	KUNIT_EXPECT_PTR_EQ(test, nb->MdlChain->Next, chain);
	KUNIT_EXPECT_EQ(test, nb->MdlChain->ByteCount, 27u);
	KUNIT_EXPECT_EQ(test, nb->DataOffset, 7u);
	KUNIT_EXPECT_EQ(test, nb->DataLength, 84u);
	/* not while a byte of it is data */
	NdisAdvanceNetBufferDataStart(nb, 19, TRUE, NULL);
	KUNIT_EXPECT_PTR_NE(test, nb->MdlChain, chain);
	NdisAdvanceNetBufferDataStart(nb, 11, TRUE, NULL);
	KUNIT_EXPECT_PTR_EQ(test, nb->MdlChain, chain);
	KUNIT_EXPECT_EQ(test, nb->DataOffset, 10u);
	KUNIT_EXPECT_PTR_EQ(test, nb->CurrentMdl, chain);
	NdisFreeNetBuffer(nb);
}

static void a_packet_without_memory_can_be_given_some(struct kunit *test)
{
	struct fx *fx = test->priv;
	NET_BUFFER *nb = NdisAllocateNetBuffer(fx->nb_pool, NULL, 0, 0);

	KUNIT_ASSERT_NOT_NULL(test, nb);
	KUNIT_ASSERT_EQ(test, NdisRetreatNetBufferDataStart(nb, 14, 0, NULL), NDIS_STATUS_SUCCESS);
	KUNIT_ASSERT_NOT_NULL(test, NdisGetDataBuffer(nb, 14, NULL, 1, 0));
	NdisAdvanceNetBufferDataStart(nb, 14, TRUE, NULL);
	KUNIT_EXPECT_NULL(test, nb->MdlChain);
	KUNIT_EXPECT_NULL(test, nb->CurrentMdl);
	KUNIT_EXPECT_EQ(test, nb->DataOffset, 0u);
	NdisFreeNetBuffer(nb);
}

static unsigned int handed_out;

static PMDL hand_out(PULONG size)
{
	/* more than asked for, as a handler may */
	u8 *buf = kmalloc(*size + 8, GFP_KERNEL);
	MDL *mdl = IoAllocateMdl(buf, *size + 8, FALSE, FALSE, NULL);

	MmBuildMdlForNonPagedPool(mdl);
	*size += 8;
	handed_out++;
	return mdl;
}

static VOID take_back(PMDL mdl)
{
	kfree(MmGetMdlVirtualAddress(mdl));
	IoFreeMdl(mdl);
	handed_out--;
}

static void a_drivers_own_memory_goes_back_to_it(struct kunit *test)
{
	u8 *buf = kunit_kmalloc(test, 64, GFP_KERNEL);
	NET_BUFFER *nb = two_pieces(test, buf, 32, 32);

	KUNIT_ASSERT_NOT_NULL(test, nb);
	KUNIT_ASSERT_EQ(test, NdisRetreatNetBufferDataStart(nb, 20, 4, hand_out),
			NDIS_STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, nb->DataOffset, 12u);
	KUNIT_EXPECT_EQ(test, handed_out, 1u);
	NdisAdvanceNetBufferDataStart(nb, 20, TRUE, take_back);
	KUNIT_EXPECT_EQ(test, handed_out, 0u);
	KUNIT_EXPECT_EQ(test, nb->DataOffset, 0u);
	NdisFreeNetBuffer(nb);
}

static void more_than_the_data_is_not_taken(struct kunit *test)
{
	u8 *buf = kunit_kmalloc(test, 64, GFP_KERNEL);
	NET_BUFFER *nb = two_pieces(test, buf, 32, 32);

	KUNIT_ASSERT_NOT_NULL(test, nb);
	NdisAdvanceNetBufferDataStart(nb, 65, FALSE, NULL);
	KUNIT_EXPECT_EQ(test, nb->DataLength, 64u);
	KUNIT_EXPECT_EQ(test, nb->DataOffset, 0u);
	KUNIT_EXPECT_EQ(test, NdisRetreatNetBufferDataStart(nb, U32_MAX, 0, NULL),
			NDIS_STATUS_FAILURE);
	KUNIT_EXPECT_EQ(test, nb->DataLength, 64u);
	NdisFreeNetBuffer(nb);
}

static void what_a_list_moves_all_its_packets_move_or_none(struct kunit *test)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl = fx_list(fx, "0123456789", 10);
	u8 *buf = kunit_kmalloc(test, 64, GFP_KERNEL);
	NET_BUFFER *nb = two_pieces(test, buf, 32, 32);

	NET_BUFFER_NEXT_NB(NET_BUFFER_LIST_FIRST_NB(nbl)) = nb;
	KUNIT_EXPECT_EQ(test, NdisRetreatNetBufferListDataStart(nbl, 4, 0, NULL, NULL),
			NDIS_STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, nb->DataLength, 68u);
	KUNIT_EXPECT_EQ(test, nbl->FirstNetBuffer->DataLength, 14u);
	NdisAdvanceNetBufferListDataStart(nbl, 4, TRUE, NULL);
	KUNIT_EXPECT_EQ(test, nb->DataLength, 64u);
	/* lengths beyond 4 GiB */
	KUNIT_EXPECT_EQ(test, NdisRetreatNetBufferListDataStart(nbl, ~0u - 40, 0, NULL, NULL),
			NDIS_STATUS_FAILURE);
	KUNIT_EXPECT_EQ(test, nb->DataLength, 64u);
	KUNIT_EXPECT_EQ(test, nbl->FirstNetBuffer->DataLength, 10u);
	KUNIT_EXPECT_NULL(test, nbl->FirstNetBuffer->MdlChain->Next);
	NET_BUFFER_NEXT_NB(NET_BUFFER_LIST_FIRST_NB(nbl)) = NULL;
	NdisFreeNetBuffer(nb);
	fx_free(nbl);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(data_are_those_of_a_flat_model_after_any_moves),
	KUNIT_CASE(a_data_buffer_is_the_packets_own_where_it_can_be),
	KUNIT_CASE(a_data_buffer_is_aligned_as_asked_for),
	KUNIT_CASE(room_beyond_the_backfill_is_allocated_and_an_advance_frees_it),
	KUNIT_CASE(a_packet_without_memory_can_be_given_some),
	KUNIT_CASE(a_drivers_own_memory_goes_back_to_it),
	KUNIT_CASE(more_than_the_data_is_not_taken),
	KUNIT_CASE(what_a_list_moves_all_its_packets_move_or_none),
	{}
};

static struct kunit_suite suite = {
	.name = "fwps_data",
	.init = fx_init_memory,
	.exit = fx_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
