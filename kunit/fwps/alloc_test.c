// SPDX-License-Identifier: GPL-2.0
/*
 * No memory: each function is repeated with every one of its allocations failing in turn.
 * It says so, and nothing has happened. (Packets of the network layer and streams:
 * in their own suites.)
 */
#include "../fail.h"
#include "fixture.h"
#include "kmsg.h"

#define LEN	100

/* What a call makes, for its undo. */
static struct {
	NDIS_HANDLE pool;
	NDIS_HANDLE packets;
	HANDLE handle;
	NET_BUFFER_LIST *nbl;
	NET_BUFFER_LIST *made;
	NET_BUFFER *nb;
	MDL *mdl;
} a;

static int alloc_init(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_FAILSLAB))
		kunit_skip(test, "needs CONFIG_FAILSLAB");
	memset(&a, 0, sizeof(a));
	return fx_init(test);
}

static const NET_BUFFER_LIST_POOL_PARAMETERS lists = {
	.Header = {
		NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
		NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
	},
	.fAllocateNetBuffer = TRUE,
};

static const NET_BUFFER_POOL_PARAMETERS packets = {
	.Header = {
		NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_POOL_PARAMETERS_REVISION_1,
		NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1,
	},
};

static NTSTATUS or_no_memory(const void *made)
{
	return made ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

/* ---- pools, and what is in them: from an empty pool, which has to grow ---- */

static NTSTATUS list_pool(struct fx *fx)
{
	a.pool = NdisAllocateNetBufferListPool(NULL, &lists);
	return or_no_memory(a.pool);
}

static void list_pool_undo(struct fx *fx)
{
	NdisFreeNetBufferListPool(a.pool);
}

static NTSTATUS packet_pool(struct fx *fx)
{
	a.pool = NdisAllocateNetBufferPool(NULL, &packets);
	return or_no_memory(a.pool);
}

static void packet_pool_undo(struct fx *fx)
{
	NdisFreeNetBufferPool(a.pool);
}

static void a_pool_may_not_be_had(struct kunit *test)
{
	fx_sweep(test->priv, list_pool, list_pool_undo, 1);
	fx_sweep(test->priv, packet_pool, packet_pool_undo, 1);
}

static NTSTATUS list(struct fx *fx)
{
	return FwpsAllocateNetBufferAndNetBufferList(a.pool, 16, 0, a.mdl, 0, LEN, &a.made);
}

/* a pool that has had to grow goes, so that the next one has to */
static void list_undo(struct fx *fx)
{
	KUNIT_EXPECT_EQ(fx->test, a.made->FirstNetBuffer->DataLength, (ULONG)LEN);
	FwpsFreeNetBufferList(a.made);
	NdisFreeNetBufferListPool(a.pool);
	list_pool(fx);
}

static void a_list_may_not_be_had(struct kunit *test)
{
	a.mdl = fx_mdl(test, kunit_kzalloc(test, LEN, GFP_KERNEL), LEN);
	KUNIT_ASSERT_EQ(test, list_pool(test->priv), STATUS_SUCCESS);
	fx_sweep(test->priv, list, list_undo, 1);
	NdisFreeNetBufferListPool(a.pool);
}

static NTSTATUS packet(struct fx *fx)
{
	a.nb = NdisAllocateNetBuffer(a.pool, a.mdl, 0, LEN);
	return or_no_memory(a.nb);
}

static void packet_undo(struct fx *fx)
{
	NdisFreeNetBuffer(a.nb);
	NdisFreeNetBufferPool(a.pool);
	packet_pool(fx);
}

static void a_packet_may_not_be_had(struct kunit *test)
{
	a.mdl = fx_mdl(test, kunit_kzalloc(test, LEN, GFP_KERNEL), LEN);
	KUNIT_ASSERT_EQ(test, packet_pool(test->priv), STATUS_SUCCESS);
	fx_sweep(test->priv, packet, packet_undo, 1);
	NdisFreeNetBufferPool(a.pool);
}

/* ---- of a list of two packets ---- */

static void two_packets(struct fx *fx)
{
	a.nbl = fx_frame(fx, LEN, 1);
	a.nb = NdisAllocateNetBuffer(fx->nb_pool, a.nbl->FirstNetBuffer->MdlChain, 2, 3);
	KUNIT_ASSERT_NOT_NULL(fx->test, a.nb);
	a.nbl->FirstNetBuffer->Next = a.nb;
}

static void two_packets_gone(void)
{
	a.nbl->FirstNetBuffer->Next = NULL;
	NdisFreeNetBuffer(a.nb);
	fx_free(a.nbl);
}

static NTSTATUS clone(struct fx *fx)
{
	NTSTATUS status = FwpsAllocateCloneNetBufferList(a.nbl, a.pool, NULL, 0, &a.made);

	KUNIT_EXPECT_EQ(fx->test, a.nbl->ChildRefCount, NT_SUCCESS(status));
	return status;
}

static void clone_undo(struct fx *fx)
{
	FwpsFreeCloneNetBufferList(a.made, 0);
	KUNIT_EXPECT_EQ(fx->test, a.nbl->ChildRefCount, 0);
	NdisFreeNetBufferListPool(a.pool);
	list_pool(fx);
}

static void a_clone_may_not_be_had(struct kunit *test)
{
	two_packets(test->priv);
	KUNIT_ASSERT_EQ(test, list_pool(test->priv), STATUS_SUCCESS);
	/* an MDL for each packet, and the clone */
	fx_sweep(test->priv, clone, clone_undo, 3);
	NdisFreeNetBufferListPool(a.pool);
	two_packets_gone();
}

/* Beyond the backfill of both packets. */
static NTSTATUS retreat(struct fx *fx)
{
	NTSTATUS status = NdisRetreatNetBufferListDataStart(a.nbl, 64, 0, NULL, NULL);
	u32 more = NT_SUCCESS(status) ? 64 : 0;

	KUNIT_EXPECT_EQ(fx->test, a.nbl->FirstNetBuffer->DataLength, LEN + more);
	KUNIT_EXPECT_EQ(fx->test, a.nb->DataLength, 3 + more);
	return status;
}

static void retreat_undo(struct fx *fx)
{
	NdisAdvanceNetBufferListDataStart(a.nbl, 64, TRUE, NULL);
}

static NTSTATUS retreat_one(struct fx *fx)
{
	NTSTATUS status = NdisRetreatNetBufferDataStart(a.nbl->FirstNetBuffer, 64, 16, NULL);

	KUNIT_EXPECT_EQ(fx->test, a.nbl->FirstNetBuffer->DataLength,
			LEN + (NT_SUCCESS(status) ? 64 : 0));
	return status;
}

static void retreat_one_undo(struct fx *fx)
{
	NdisAdvanceNetBufferDataStart(a.nbl->FirstNetBuffer, 64, TRUE, NULL);
}

static void room_in_front_may_not_be_had(struct kunit *test)
{
	two_packets(test->priv);
	fx_sweep(test->priv, retreat, retreat_undo, 4);
	fx_sweep(test->priv, retreat_one, retreat_one_undo, 1);
	two_packets_gone();
}

/* ---- handles and frames ---- */

static NTSTATUS handle(struct fx *fx)
{
	return FwpsInjectionHandleCreate(AF_UNSPEC, FWPS_INJECTION_TYPE_L2, &a.handle);
}

static void handle_undo(struct fx *fx)
{
	KUNIT_EXPECT_EQ(fx->test, FwpsInjectionHandleDestroy(a.handle), STATUS_SUCCESS);
}

static void a_handle_may_not_be_had(struct kunit *test)
{
	fx_sweep(test->priv, handle, handle_undo, 2);
}

#define CHAIN	5

static unsigned int chain_length(const NET_BUFFER_LIST *nbl)
{
	unsigned int n;

	for (n = 0; nbl; nbl = nbl->Next)
		n++;
	return n;
}

/* None of a chain is injected, and it is a chain as before. */
static NTSTATUS inject_chain(struct fx *fx, NTSTATUS (*inject)(struct fx *, NET_BUFFER_LIST *))
{
	NTSTATUS status;

	status = inject(fx, a.nbl);
	if (NT_SUCCESS(status))
		return status;
	KUNIT_EXPECT_EQ(fx->test, atomic_read(&fx->sent), 0);
	KUNIT_EXPECT_EQ(fx->test, atomic_read(&fx->received), 0);
	KUNIT_EXPECT_EQ(fx->test, atomic_read(&fx->completions), 0);
	KUNIT_EXPECT_EQ(fx->test, chain_length(a.nbl), CHAIN);
	return status;
}

static NTSTATUS send(struct fx *fx)
{
	return inject_chain(fx, fx_send);
}

static NTSTATUS receive(struct fx *fx)
{
	return inject_chain(fx, fx_receive);
}

static void injected_undo(struct fx *fx)
{
	fx_expect_completions(fx, CHAIN);
	KUNIT_EXPECT_EQ(fx->test, atomic_read(&fx->sent) + atomic_read(&fx->received), CHAIN);
	atomic_set(&fx->completions, 0);
	atomic_set(&fx->sent, 0);
	atomic_set(&fx->received, 0);
	a.nbl = fx_chain(fx, CHAIN, LEN, 0);
}

static void without_memory_for_one_frame_none_is_injected(struct kunit *test)
{
	struct fx *fx = test->priv;

	fx->freed = true;
	a.nbl = fx_chain(fx, CHAIN, LEN, 0);
	/* one for each frame, at least */
	fx_sweep(fx, send, injected_undo, CHAIN);
	fx_sweep(fx, receive, injected_undo, CHAIN);
	fx_free(a.nbl);
	/* in pages */
	a.nbl = fx_frame(fx, 20000, 0);
	a.nbl->Next = fx_chain(fx, CHAIN - 1, LEN, 1);
	fx_sweep(fx, receive, injected_undo, CHAIN + 1);
	fx_free(a.nbl);
}

/* ---- what says something needs no memory to do no harm ---- */

static NTSTATUS free_what_is_none(struct fx *fx)
{
	NdisFreeNetBuffer(a.nbl->FirstNetBuffer);
	return STATUS_SUCCESS;
}

static NTSTATUS free_no_clone(struct fx *fx)
{
	FwpsFreeCloneNetBufferList(a.nbl, 0);
	return STATUS_SUCCESS;
}

static NTSTATUS free_no_pool(struct fx *fx)
{
	NdisFreeNetBufferPool(a.nbl);
	NdisFreeNetBufferListPool(a.nbl);
	return STATUS_SUCCESS;
}

static NTSTATUS advance_too_far(struct fx *fx)
{
	NdisAdvanceNetBufferDataStart(a.nbl->FirstNetBuffer, LEN + 1, FALSE, NULL);
	return STATUS_SUCCESS;
}

static void still_there(struct fx *fx)
{
	KUNIT_EXPECT_EQ(fx->test, a.nbl->FirstNetBuffer->DataLength, (ULONG)LEN);
}

static void a_mistake_stays_one_without_memory(struct kunit *test)
{
	a.nbl = fx_frame(test->priv, LEN, 1);
	fx_sweep(test->priv, free_what_is_none, still_there, 0);
	fx_sweep(test->priv, free_no_clone, still_there, 0);
	fx_sweep(test->priv, free_no_pool, still_there, 0);
	fx_sweep(test->priv, advance_too_far, still_there, 0);
	fx_free(a.nbl);
}

/* ---- what gives back needs no memory; a debug kernel takes some to remember who did ---- */

static NTSTATUS give_back(struct fx *fx)
{
	NdisAdvanceNetBufferListDataStart(a.made, 64, TRUE, NULL);
	FwpsReferenceNetBufferList(a.made, FALSE);
	FwpsFreeCloneNetBufferList(a.made, 0);
	FwpsDereferenceNetBufferList(a.made, FALSE);
	FwpsFreeNetBufferList(a.nbl);
	NdisFreeNetBuffer(a.nb);
	NdisFreeNetBufferPool(a.packets);
	NdisFreeNetBufferListPool(a.pool);
	return STATUS_SUCCESS;
}

static void take_all(struct fx *fx)
{
	struct kunit *test = fx->test;

	a.packets = NdisAllocateNetBufferPool(NULL, &packets);
	a.nb = NdisAllocateNetBuffer(a.packets, NULL, 0, 0);
	KUNIT_ASSERT_NOT_NULL(test, a.nb);
	KUNIT_ASSERT_EQ(test, list_pool(fx), STATUS_SUCCESS);
	a.nbl = fx_frame(fx, LEN, 1);
	KUNIT_ASSERT_EQ(test, clone(fx), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, STATUS_SUCCESS,
			NdisRetreatNetBufferListDataStart(a.made, 64, 0, NULL, NULL));
}

static void giving_back_needs_none(struct kunit *test)
{
	struct kmsg k;

	kmsg_mark(&k);
	take_all(test->priv);
	fx_sweep(test->priv, give_back, take_all, 0);
	give_back(test->priv);
	/* all of it, and in an order that nobody minds */
	kmsg_expect(test, &k, 0, "fwps: ");
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_pool_may_not_be_had),
	KUNIT_CASE(a_list_may_not_be_had),
	KUNIT_CASE(a_packet_may_not_be_had),
	KUNIT_CASE(a_clone_may_not_be_had),
	KUNIT_CASE(room_in_front_may_not_be_had),
	KUNIT_CASE(a_handle_may_not_be_had),
	KUNIT_CASE(without_memory_for_one_frame_none_is_injected),
	KUNIT_CASE(a_mistake_stays_one_without_memory),
	KUNIT_CASE(giving_back_needs_none),
	{}
};

static struct kunit_suite suite = {
	.name = "fwps_alloc",
	.init = alloc_init,
	.exit = fx_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
