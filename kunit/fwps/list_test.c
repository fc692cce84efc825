// SPDX-License-Identifier: GPL-2.0
/*
 * Lists and pools: what is allocated, what is refused, and what a mistake does.
 */
#include <linux/random.h>
#include <linux/slab.h>
#include "fixture.h"
#include "kmsg.h"

static NET_BUFFER_LIST_POOL_PARAMETERS parameters(u16 context)
{
	NET_BUFFER_LIST_POOL_PARAMETERS p = {
		.Header = {
			NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
			NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
		},
		.fAllocateNetBuffer = TRUE,
		.ContextSize = context,
	};

	return p;
}

static NTSTATUS allocate(NDIS_HANDLE pool, u16 size, u16 back_fill, NET_BUFFER_LIST **nbl)
{
	return FwpsAllocateNetBufferAndNetBufferList(pool, size, back_fill, NULL, 0, 0, nbl);
}

static void accessors_can_be_assigned_to(struct kunit *test)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl = fx_list(fx, "abc", 3), *other = fx_list(fx, "d", 1);
	NET_BUFFER *nb = NET_BUFFER_LIST_FIRST_NB(nbl);

	KUNIT_EXPECT_EQ(test, NET_BUFFER_DATA_LENGTH(nb), 3u);
	KUNIT_EXPECT_EQ(test, NET_BUFFER_DATA_OFFSET(nb), 0u);
	KUNIT_EXPECT_PTR_EQ(test, NET_BUFFER_CURRENT_MDL(nb), NET_BUFFER_FIRST_MDL(nb));
	KUNIT_EXPECT_EQ(test, NET_BUFFER_CURRENT_MDL_OFFSET(nb), 0u);
	NET_BUFFER_LIST_NEXT_NBL(nbl) = other;
	NET_BUFFER_LIST_STATUS(nbl) = NDIS_STATUS_PAUSED;
	NET_BUFFER_LIST_FLAGS(nbl) = 1;
	NET_BUFFER_LIST_NBL_FLAGS(nbl) = 2;
	NET_BUFFER_LIST_INFO(nbl, NetBufferListHashValue) = nb;
	NET_BUFFER_LIST_PROTOCOL_RESERVED(nbl)[3] = fx;
	NET_BUFFER_LIST_MINIPORT_RESERVED(nbl)[1] = fx;
	NET_BUFFER_PROTOCOL_RESERVED(nb)[5] = fx;
	NET_BUFFER_MINIPORT_RESERVED(nb)[3] = fx;
	NET_BUFFER_CHECKSUM_BIAS(nb) = 7;
	KUNIT_EXPECT_PTR_EQ(test, nbl->Next, other);
	KUNIT_EXPECT_EQ(test, nbl->Status, NDIS_STATUS_PAUSED);
	KUNIT_EXPECT_EQ(test, nb->ChecksumBias, 7);
	/* it is a number of 32 bits in room for more */
	NET_BUFFER_DATA_LENGTH(nb) = 2;
	KUNIT_EXPECT_EQ(test, nb->stDataLength, 2ull);
	fx_free(nbl);
}

static void a_pool_that_brings_data_is_refused(struct kunit *test)
{
	NET_BUFFER_LIST_POOL_PARAMETERS p = parameters(0);

	p.DataSize = 1;
	KUNIT_EXPECT_NULL(test, NdisAllocateNetBufferListPool(NULL, &p));
	p = parameters(8);
	KUNIT_EXPECT_NULL(test, NdisAllocateNetBufferListPool(NULL, &p));
	p = parameters(0);
	p.Header.Type = 0;
	KUNIT_EXPECT_NULL(test, NdisAllocateNetBufferListPool(NULL, &p));
	p = parameters(0);
	p.Header.Size--;
	KUNIT_EXPECT_NULL(test, NdisAllocateNetBufferListPool(NULL, &p));
	KUNIT_EXPECT_NULL(test, NdisAllocateNetBufferListPool(NULL, NULL));
}

static NET_BUFFER_POOL_PARAMETERS packets(void)
{
	NET_BUFFER_POOL_PARAMETERS p = {
		.Header = {
			NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_POOL_PARAMETERS_REVISION_1,
			NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1,
		},
	};

	return p;
}

static void a_pool_of_packets_that_brings_data_is_refused(struct kunit *test)
{
	NET_BUFFER_POOL_PARAMETERS p = packets();

	p.DataSize = 1;
	KUNIT_EXPECT_NULL(test, NdisAllocateNetBufferPool(NULL, &p));
	p = packets();
	p.Header.Revision = 0;
	KUNIT_EXPECT_NULL(test, NdisAllocateNetBufferPool(NULL, &p));
	KUNIT_EXPECT_NULL(test, NdisAllocateNetBufferPool(NULL, NULL));
}

static void a_pool_of_packets_that_is_freed_before_them_goes_with_them(struct kunit *test)
{
	NET_BUFFER_POOL_PARAMETERS p = packets();
	NDIS_HANDLE pool = NdisAllocateNetBufferPool(NULL, &p);
	NET_BUFFER *nb = NdisAllocateNetBuffer(pool, NULL, 0, 0);
	struct kmsg k;

	KUNIT_ASSERT_NOT_NULL(test, nb);
	kmsg_mark(&k);
	NdisFreeNetBufferPool(pool);
	kmsg_expect(test, &k, 1, "freed with 1 NET_BUFFERs still allocated");
	NdisFreeNetBufferPool(pool);
	kmsg_expect(test, &k, 1, "is no pool");
	KUNIT_EXPECT_NULL(test, NdisAllocateNetBuffer(pool, NULL, 0, 0));
	NdisFreeNetBuffer(nb);
}

static void a_pool_without_packets_gives_no_lists_with_one(struct kunit *test)
{
	NET_BUFFER_LIST_POOL_PARAMETERS p = parameters(0);
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl = NULL;
	NDIS_HANDLE pool;

	p.fAllocateNetBuffer = FALSE;
	pool = NdisAllocateNetBufferListPool(NULL, &p);
	KUNIT_ASSERT_NOT_NULL(test, pool);
	KUNIT_EXPECT_EQ(test, allocate(pool, 0, 0, &nbl), STATUS_FWP_INVALID_PARAMETER);
	NdisFreeNetBufferListPool(pool);
	/* nor does one that is gone, of packets, or none */
	KUNIT_EXPECT_EQ(test, allocate(pool, 0, 0, &nbl), STATUS_FWP_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, allocate(fx->nb_pool, 0, 0, &nbl), STATUS_FWP_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, allocate(NULL, 0, 0, &nbl), STATUS_FWP_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, allocate(fx, 0, 0, &nbl), STATUS_FWP_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, allocate(fx->pool, 0, 0, NULL), STATUS_FWP_NULL_POINTER);
	KUNIT_EXPECT_NULL(test, nbl);
	KUNIT_EXPECT_NULL(test, NdisAllocateNetBuffer(fx->pool, NULL, 0, 0));
}

static void a_pool_that_is_freed_before_its_lists_goes_with_them(struct kunit *test)
{
	NET_BUFFER_LIST_POOL_PARAMETERS p = parameters(0);
	NDIS_HANDLE pool = NdisAllocateNetBufferListPool(NULL, &p);
	NET_BUFFER_LIST *nbl[2];
	struct kmsg k;

	KUNIT_ASSERT_EQ(test, allocate(pool, 0, 0, &nbl[0]), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, allocate(pool, 0, 0, &nbl[1]), STATUS_SUCCESS);
	kmsg_mark(&k);
	NdisFreeNetBufferListPool(pool);
	kmsg_expect(test, &k, 1, "freed with 2 NET_BUFFER_LISTs still allocated");
	/* twice is once */
	NdisFreeNetBufferListPool(pool);
	kmsg_expect(test, &k, 1, "is no pool");
	FwpsFreeNetBufferList(nbl[0]);
	NET_BUFFER_LIST_STATUS(nbl[1]) = NDIS_STATUS_PAUSED;
	FwpsFreeNetBufferList(nbl[1]);
	/* the memory is gone; the address is known to be nothing */
	FwpsFreeNetBufferList(nbl[1]);
	kmsg_expect(test, &k, 1, "is no list that is allocated");
}

static void without_mdls_there_are_no_data(struct kunit *test)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl;

	KUNIT_EXPECT_EQ(test, STATUS_FWP_INVALID_PARAMETER,
			FwpsAllocateNetBufferAndNetBufferList(fx->pool, 0, 0, NULL, 0, 1, &nbl));
	KUNIT_EXPECT_EQ(test, STATUS_FWP_INVALID_PARAMETER,
			FwpsAllocateNetBufferAndNetBufferList(fx->pool, 0, 0, NULL, 1, 0, &nbl));
	KUNIT_ASSERT_EQ(test, allocate(fx->pool, 0, 0, &nbl), STATUS_SUCCESS);
	KUNIT_EXPECT_NULL(test, nbl->FirstNetBuffer->MdlChain);
	KUNIT_EXPECT_EQ(test, nbl->FirstNetBuffer->DataLength, 0u);
	KUNIT_EXPECT_NULL(test, nbl->Next);
	KUNIT_EXPECT_NULL(test, nbl->Context);
	KUNIT_EXPECT_NULL(test, nbl->ParentNetBufferList);
	KUNIT_EXPECT_PTR_EQ(test, nbl->NdisPoolHandle, fx->pool);
	fx_free(nbl);
}

static void data_lie_within_their_mdls(struct kunit *test)
{
	struct fx *fx = test->priv;
	u8 *buf = kunit_kmalloc(test, 64, GFP_KERNEL);
	MDL *mdl = fx_mdl(test, buf, 10), *second = fx_mdl(test, buf + 32, 20);
	NET_BUFFER_LIST *nbl;

	mdl->Next = second;
	KUNIT_EXPECT_EQ(test, STATUS_FWP_INVALID_PARAMETER,
			FwpsAllocateNetBufferAndNetBufferList(fx->pool, 0, 0, mdl, 0, 31, &nbl));
	KUNIT_EXPECT_EQ(test, STATUS_FWP_INVALID_PARAMETER,
			FwpsAllocateNetBufferAndNetBufferList(fx->pool, 0, 0, mdl, 30, 1, &nbl));
	KUNIT_EXPECT_EQ(test, STATUS_FWP_INVALID_PARAMETER,
			FwpsAllocateNetBufferAndNetBufferList(fx->pool, 0, 0, mdl, 1, ~0ull, &nbl));
	KUNIT_ASSERT_EQ(test, STATUS_SUCCESS,
			FwpsAllocateNetBufferAndNetBufferList(fx->pool, 0, 0, mdl, 12, 18, &nbl));
	KUNIT_EXPECT_PTR_EQ(test, nbl->FirstNetBuffer->CurrentMdl, second);
	KUNIT_EXPECT_EQ(test, nbl->FirstNetBuffer->CurrentMdlOffset, 2u);
	KUNIT_EXPECT_PTR_EQ(test, NdisGetDataBuffer(nbl->FirstNetBuffer, 18, NULL, 1, 0),
			    (void *)(buf + 34));
	fx_free(nbl);
}

static void a_ring_has_an_end(struct kunit *test)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl = fx_list(fx, "0123456789", 10), *other;
	MDL *empty = fx_mdl(test, kunit_kmalloc(test, 8, GFP_KERNEL), 0);
	NET_BUFFER *nb = nbl->FirstNetBuffer;
	MDL *mdl = nb->MdlChain;

	/* of MDLs that describe nothing */
	empty->Next = empty;
	KUNIT_EXPECT_EQ(test, STATUS_FWP_INVALID_PARAMETER,
			FwpsAllocateNetBufferAndNetBufferList(fx->pool, 0, 0, empty, 0, 1, &other));
	NET_BUFFER_CURRENT_MDL(nb) = empty;
	KUNIT_EXPECT_EQ(test, STATUS_FWP_INVALID_PARAMETER,
			FwpsAllocateCloneNetBufferList(nbl, NULL, NULL, 0, &other));
	NET_BUFFER_CURRENT_MDL(nb) = mdl;
	/* and of packets */
	NET_BUFFER_NEXT_NB(nb) = nb;
	KUNIT_EXPECT_EQ(test, STATUS_FWP_INVALID_PARAMETER,
			FwpsAllocateCloneNetBufferList(nbl, NULL, NULL, 0, &other));
	NET_BUFFER_NEXT_NB(nb) = NULL;
	KUNIT_EXPECT_EQ(test, nbl->ChildRefCount, 0);
	fx_free(nbl);
}

static void a_context_has_the_size_asked_for_in_and_beyond_the_pools(struct kunit *test)
{
	NET_BUFFER_LIST_POOL_PARAMETERS p = parameters(64);
	NDIS_HANDLE pool = NdisAllocateNetBufferListPool(NULL, &p);
	static const struct { u16 size, back_fill, expect; } t[] = {
		{ 0, 0, 64 }, { 32, 0, 32 }, { 48, 16, 48 }, { 64, 0, 64 },
		{ 64, 16, 64 }, { 4096, 32, 4096 },
	};
	NET_BUFFER_LIST *nbl;
	unsigned int i;
	u8 *data;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		KUNIT_ASSERT_EQ(test, allocate(pool, t[i].size, t[i].back_fill, &nbl),
				STATUS_SUCCESS);
		KUNIT_ASSERT_NOT_NULL(test, nbl->Context);
		KUNIT_EXPECT_EQ(test, NET_BUFFER_LIST_CONTEXT_DATA_SIZE(nbl), t[i].expect);
		KUNIT_EXPECT_GE(test, nbl->Context->Offset, t[i].back_fill);
		data = NET_BUFFER_LIST_CONTEXT_DATA_START(nbl);
		KUNIT_EXPECT_TRUE(test, IS_ALIGNED((uintptr_t)data, MEMORY_ALLOCATION_ALIGNMENT));
		/* KASAN watches */
		memset(data - t[i].back_fill, 0xa5, t[i].expect + t[i].back_fill);
		fx_free(nbl);
	}
	KUNIT_EXPECT_EQ(test, allocate(pool, 8, 0, &nbl), STATUS_FWP_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, allocate(pool, 16, 1, &nbl), STATUS_FWP_INVALID_PARAMETER);
	NdisFreeNetBufferListPool(pool);
}

static void a_clone_describes_the_used_data(struct kunit *test)
{
	struct fx *fx = test->priv;
	u8 *buf = kunit_kmalloc(test, 3 * PAGE_SIZE, GFP_KERNEL), *storage;
	MDL *mdl = fx_mdl(test, buf, 100), *second = fx_mdl(test, buf + 200, 2 * PAGE_SIZE);
	u32 len = 50 + 2 * PAGE_SIZE - 8;
	NET_BUFFER_LIST *nbl, *clone;
	NET_BUFFER *nb, *more;

	storage = kunit_kmalloc(test, 3 * PAGE_SIZE, GFP_KERNEL);
	get_random_bytes(buf, 3 * PAGE_SIZE);
	mdl->Next = second;
	KUNIT_ASSERT_EQ(test, STATUS_SUCCESS,
			FwpsAllocateNetBufferAndNetBufferList(fx->pool, 0, 0, mdl, 50, len, &nbl));
	more = NdisAllocateNetBuffer(fx->nb_pool, second, 4, 16);
	NET_BUFFER_NEXT_NB(nbl->FirstNetBuffer) = more;
	NET_BUFFER_LIST_INFO(nbl, Ieee8021QNetBufferListInfo) = (void *)5;
	KUNIT_ASSERT_EQ(test, STATUS_SUCCESS,
			FwpsAllocateCloneNetBufferList(nbl, fx->pool, fx->nb_pool, 0, &clone));
	KUNIT_EXPECT_PTR_EQ(test, clone->ParentNetBufferList, nbl);
	KUNIT_EXPECT_EQ(test, nbl->ChildRefCount, 1);
	KUNIT_EXPECT_NULL(test, clone->Context);
	KUNIT_EXPECT_PTR_EQ(test, NET_BUFFER_LIST_INFO(clone, Ieee8021QNetBufferListInfo),
			    (void *)5);
	nb = clone->FirstNetBuffer;
	KUNIT_EXPECT_EQ(test, nb->DataOffset, 0u);
	KUNIT_EXPECT_EQ(test, nb->DataLength, len);
	/* the bytes themselves */
	KUNIT_EXPECT_PTR_EQ(test, NdisGetDataBuffer(nb, 50, NULL, 1, 0), (void *)(buf + 50));
	KUNIT_ASSERT_PTR_EQ(test, NdisGetDataBuffer(nb, len, storage, 1, 0), (void *)storage);
	KUNIT_EXPECT_EQ(test, memcmp(storage, buf + 50, 50), 0);
	KUNIT_EXPECT_EQ(test, memcmp(storage + 50, buf + 200, 2 * PAGE_SIZE - 8), 0);
	nb = nb->Next;
	KUNIT_ASSERT_NOT_NULL(test, nb);
	KUNIT_EXPECT_PTR_EQ(test, NdisGetDataBuffer(nb, 16, NULL, 1, 0), (void *)(buf + 204));
	KUNIT_EXPECT_NULL(test, nb->Next);

	FwpsFreeCloneNetBufferList(clone, 0);
	KUNIT_EXPECT_EQ(test, nbl->ChildRefCount, 0);
	NET_BUFFER_NEXT_NB(nbl->FirstNetBuffer) = NULL;
	NdisFreeNetBuffer(more);
	fx_free(nbl);
}

static void a_parent_goes_after_its_clone(struct kunit *test)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl = fx_list(fx, "parent", 6), *clone;
	struct kmsg k;

	/* from the library's own pools */
	KUNIT_ASSERT_EQ(test, STATUS_SUCCESS,
			FwpsAllocateCloneNetBufferList(nbl, NULL, NULL, 0, &clone));
	kmsg_mark(&k);
	FwpsFreeNetBufferList(clone);
	kmsg_expect(test, &k, 1, "is a clone");
	FwpsFreeCloneNetBufferList(nbl, 0);
	kmsg_expect(test, &k, 1, "is no clone");
	FwpsFreeNetBufferList(nbl);
	kmsg_expect(test, &k, 1, "has 1 clones");
	/* it is still there */
	KUNIT_EXPECT_EQ(test, clone->ParentNetBufferList->ChildRefCount, 1);
	FwpsFreeNetBufferList(nbl);
	kmsg_expect(test, &k, 1, "is free already");
	FwpsFreeCloneNetBufferList(clone, 0);
	FwpsFreeNetBufferList(nbl);
	kmsg_expect(test, &k, 1, "is no list that is allocated");
}

static void a_reference_keeps_a_list(struct kunit *test)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl = fx_list(fx, "kept", 4);
	struct kmsg k;

	FwpsReferenceNetBufferList(nbl, FALSE);
	FwpsFreeNetBufferList(nbl);
	NET_BUFFER_LIST_STATUS(nbl) = NDIS_STATUS_SUCCESS;
	KUNIT_EXPECT_EQ(test, nbl->FirstNetBuffer->DataLength, 4u);
	FwpsDereferenceNetBufferList(nbl, FALSE);
	kmsg_mark(&k);
	FwpsDereferenceNetBufferList(nbl, FALSE);
	kmsg_expect(test, &k, 1, "is not referenced");
	FwpsReferenceNetBufferList(nbl, FALSE);
	kmsg_expect(test, &k, 1, "is no list that is allocated");
}

static void what_is_no_list_is_left_alone(struct kunit *test)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl = fx_list(fx, "real", 4), *clone = NULL;
	NET_BUFFER_LIST *copy = kunit_kmalloc(test, sizeof(*copy), GFP_KERNEL);
	struct kmsg k;

	/* a copy, the middle of one, an address of nothing, and NULL */
	memcpy(copy, nbl, sizeof(*copy));
	kmsg_mark(&k);
	FwpsFreeNetBufferList(copy);
	FwpsFreeNetBufferList((void *)nbl + 16);
	FwpsFreeNetBufferList((void *)0x4242424242420000);
	FwpsFreeNetBufferList(NULL);
	kmsg_expect(test, &k, 4, "is no list that is allocated");
	KUNIT_EXPECT_EQ(test, FwpsAllocateCloneNetBufferList(copy, NULL, NULL, 0, &clone),
			STATUS_FWP_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, FwpsAllocateCloneNetBufferList(NULL, NULL, NULL, 0, &clone),
			STATUS_FWP_NULL_POINTER);
	KUNIT_EXPECT_EQ(test, FwpsAllocateCloneNetBufferList(nbl, NULL, NULL, 1, &clone),
			STATUS_FWP_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, FwpsAllocateCloneNetBufferList(nbl, fx->nb_pool, NULL, 0, &clone),
			STATUS_FWP_INVALID_PARAMETER);
	NdisFreeNetBuffer(nbl->FirstNetBuffer);
	kmsg_expect(test, &k, 1, "is not from NdisAllocateNetBuffer()");
	fx_free(nbl);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(accessors_can_be_assigned_to),
	KUNIT_CASE(a_pool_that_brings_data_is_refused),
	KUNIT_CASE(a_pool_of_packets_that_brings_data_is_refused),
	KUNIT_CASE(a_pool_of_packets_that_is_freed_before_them_goes_with_them),
	KUNIT_CASE(a_pool_without_packets_gives_no_lists_with_one),
	KUNIT_CASE(a_pool_that_is_freed_before_its_lists_goes_with_them),
	KUNIT_CASE(without_mdls_there_are_no_data),
	KUNIT_CASE(data_lie_within_their_mdls),
	KUNIT_CASE(a_ring_has_an_end),
	KUNIT_CASE(a_context_has_the_size_asked_for_in_and_beyond_the_pools),
	KUNIT_CASE(a_clone_describes_the_used_data),
	KUNIT_CASE(a_parent_goes_after_its_clone),
	KUNIT_CASE(a_reference_keeps_a_list),
	KUNIT_CASE(what_is_no_list_is_left_alone),
	{}
};

static struct kunit_suite suite = {
	.name = "fwps_list",
	.init = fx_init_memory,
	.exit = fx_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
