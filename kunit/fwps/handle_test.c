// SPDX-License-Identifier: GPL-2.0
/*
 * Handles: what each is for, what injections say to a wrong one, and the end of one.
 */
#include <linux/slab.h>
#include "../helper.h"
#include "fixture.h"
#include "kmsg.h"

#define LEN	100
#define IN	FWPS_LAYER_INBOUND_MAC_FRAME_ETHERNET
#define OUT	FWPS_LAYER_OUTBOUND_MAC_FRAME_ETHERNET

static void a_handle_is_for_what_exists(struct kunit *test)
{
	static const struct { ADDRESS_FAMILY family; u32 flags; NTSTATUS status; } t[] = {
		{ AF_UNSPEC, FWPS_INJECTION_TYPE_L2, STATUS_SUCCESS },
		{ AF_INET, FWPS_INJECTION_TYPE_L2, STATUS_SUCCESS },
		{ AF_INET, FWPS_INJECTION_TYPE_NETWORK, STATUS_SUCCESS },
		{ AF_INET6, FWPS_INJECTION_TYPE_NETWORK, STATUS_SUCCESS },
		{ AF_INET, FWPS_INJECTION_TYPE_NETWORK | FWPS_INJECTION_TYPE_L2 |
			   FWPS_INJECTION_TYPE_FORWARD, STATUS_SUCCESS },
		{ AF_UNSPEC, FWPS_INJECTION_TYPE_STREAM, STATUS_SUCCESS },
		/* transport, stream and forward */
		{ AF_UNSPEC, 0, STATUS_SUCCESS },
		{ AF_UNSPEC, FWPS_INJECTION_TYPE_NETWORK, STATUS_FWP_INVALID_PARAMETER },
		/* Windows' AF_INET6 */
		{ 23, FWPS_INJECTION_TYPE_NETWORK, STATUS_FWP_INVALID_PARAMETER },
		{ AF_UNSPEC, 0x40, STATUS_FWP_INVALID_PARAMETER },
		{ AF_UNSPEC, FWPS_INJECTION_TYPE_L2 | 0x40, STATUS_FWP_INVALID_PARAMETER },
		{ AF_INET, FWPS_INJECTION_TYPE_TRANSPORT, STATUS_NOT_SUPPORTED },
		{ AF_INET, FWPS_INJECTION_TYPE_FORWARD, STATUS_NOT_SUPPORTED },
		{ AF_UNSPEC, FWPS_INJECTION_TYPE_VSWITCH_TRANSPORT, STATUS_NOT_SUPPORTED },
	};
	unsigned int i;
	HANDLE handle;
	NTSTATUS status;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		status = FwpsInjectionHandleCreate(t[i].family, t[i].flags, &handle);
		KUNIT_EXPECT_EQ_MSG(test, status, t[i].status, "%u, %#x", t[i].family, t[i].flags);
		if (t[i].status == STATUS_SUCCESS)
			KUNIT_EXPECT_EQ(test, FwpsInjectionHandleDestroy(handle), STATUS_SUCCESS);
	}
	KUNIT_EXPECT_EQ(test, FwpsInjectionHandleCreate(AF_UNSPEC, FWPS_INJECTION_TYPE_L2, NULL),
			STATUS_FWP_NULL_POINTER);
	local_bh_disable();
	KUNIT_EXPECT_EQ(test, FwpsInjectionHandleCreate(AF_UNSPEC, FWPS_INJECTION_TYPE_L2, &handle),
			STATUS_INVALID_DEVICE_REQUEST);
	local_bh_enable();
}

static NTSTATUS receive(struct fx *fx, HANDLE handle, u32 flags, u16 layer, IF_INDEX index,
			NET_BUFFER_LIST *nbl, FWPS_INJECT_COMPLETE fn)
{
	return FwpsInjectMacReceiveAsync(handle, NULL, flags, layer, index, 0, nbl, fn, fx);
}

static void what_is_refused_leaves_everything_as_it_was(struct kunit *test)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl = fx_chain(fx, 2, LEN, 1), *next = nbl->Next, copy = *nbl;
	u32 index = fx->dev->ifindex;

	KUNIT_EXPECT_EQ(test, receive(fx, fx->handle, 0, OUT, index, nbl, fx_done),
			STATUS_FWP_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, receive(fx, fx->handle, 0, IN, index, &copy, fx_done),
			STATUS_FWP_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, STATUS_FWP_INVALID_PARAMETER,
			FwpsInjectMacSendAsync(fx->handle, NULL, 0, IN, index, 0, nbl, fx_done,
					       fx));
	/* a foreign packet in a list that is none */
	next->FirstNetBuffer->Next = (NET_BUFFER *)&copy;
	KUNIT_EXPECT_EQ(test, receive(fx, fx->handle, 0, IN, index, nbl, fx_done),
			STATUS_FWP_INVALID_PARAMETER);
	next->FirstNetBuffer->Next = NULL;
	fx_settle();
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->completions), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->received), 0);
	KUNIT_EXPECT_PTR_EQ(test, nbl->Next, next);
	KUNIT_EXPECT_EQ(test, nbl->Status, NDIS_STATUS_PENDING);

	KUNIT_EXPECT_EQ(test, receive(fx, fx->handle, 0, IN, index, nbl, fx_done), STATUS_SUCCESS);
	fx_expect_completions(fx, 2);
	fx_free(nbl);
	fx_free(next);
}

struct destroy {
	struct fx *fx;
	HANDLE handle;
	NTSTATUS status;
	int completions;	/* when it returned */
};

static void destroy(void *arg)
{
	struct destroy *d = arg;

	d->status = FwpsInjectionHandleDestroy(d->handle);
	d->completions = atomic_read(&d->fx->completions);
}

static void a_handle_ends_after_its_last_completion(struct kunit *test)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl = fx_frame(fx, LEN, 1), *late = fx_frame(fx, LEN, 2);
	struct destroy d = { .fx = fx, .handle = fx->handle };
	struct helper h;

	fx->keep = true;
	KUNIT_ASSERT_EQ(test, fx_send(fx, nbl), STATUS_SUCCESS);
	KUNIT_ASSERT_TRUE(test, helper_start(&h, destroy, &d));
	/* the handle is looked at before the layer, which is none */
	KUNIT_EXPECT_TRUE(test, becomes(receive(fx, fx->handle, 0, 0, 0, late, fx_done) ==
					STATUS_FWP_INJECT_HANDLE_CLOSING));
	KUNIT_EXPECT_EQ(test, fx_send(fx, late), STATUS_FWP_INJECT_HANDLE_CLOSING);
	KUNIT_EXPECT_EQ(test, FwpsInjectionHandleDestroy(fx->handle),
			STATUS_FWP_INJECT_HANDLE_CLOSING);
	KUNIT_EXPECT_FALSE(test, completion_done(&h.done));
	fx_release(fx);
	KUNIT_ASSERT_TRUE(test, helper_join(&h));
	KUNIT_EXPECT_EQ(test, d.status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, d.completions, 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->completions), 1);
	KUNIT_EXPECT_EQ(test, fx_send(fx, late), STATUS_INVALID_HANDLE);
	KUNIT_EXPECT_EQ(test, FwpsInjectionHandleDestroy(fx->handle), STATUS_INVALID_HANDLE);
	fx->handle = NULL;
	fx_free(nbl);
	fx_free(late);
}

static NTSTATUS from_completion;

static void destroy_within(struct fx *fx, NET_BUFFER_LIST *nbl)
{
	from_completion = FwpsInjectionHandleDestroy(fx->handle);
}

static void a_completion_cannot_end_its_handle(struct kunit *test)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl = fx_frame(fx, LEN, 1);
	struct kmsg k;

	kmsg_mark(&k);
	fx->on_done = destroy_within;
	KUNIT_ASSERT_EQ(test, fx_receive(fx, nbl), STATUS_SUCCESS);
	fx_expect_completions(fx, 1);
	KUNIT_EXPECT_EQ(test, from_completion, STATUS_INVALID_DEVICE_REQUEST);
	kmsg_expect(test, &k, 1, "is called where that cannot be");
	fx->on_done = NULL;
	/* and has not */
	KUNIT_EXPECT_EQ(test, fx_receive(fx, nbl), STATUS_SUCCESS);
	fx_expect_completions(fx, 2);
	fx_free(nbl);
}

static void a_handle_ends_with_a_thousand_in_flight(struct kunit *test)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl = fx_share(fx, fx_frame(fx, LEN, 1), 1000);
	struct destroy d = { .fx = fx, .handle = fx->handle };
	struct helper h;

	fx->freed = true;
	fx->keep = true;
	KUNIT_EXPECT_EQ(test, fx_send(fx, nbl), STATUS_SUCCESS);
	KUNIT_ASSERT_TRUE(test, helper_start(&h, destroy, &d));
	fx_settle();
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->completions), 0);
	KUNIT_EXPECT_FALSE(test, completion_done(&h.done));
	KUNIT_EXPECT_EQ(test, fx_release(fx), 1000u);
	KUNIT_ASSERT_TRUE(test, helper_join(&h));
	KUNIT_EXPECT_EQ(test, d.status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, d.completions, 1000);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->completions), 1000);
	fx->handle = NULL;
}

#define INJECTORS	4
#define ROUNDS		60

/* One who injects until the handle goes. */
struct injector {
	struct helper h;
	struct fx *fx;
	HANDLE handle;
	NET_BUFFER_LIST *nbl;	/* its next chain */
	unsigned int each;
	unsigned int accepted;	/* lists */
	NTSTATUS last;
};

static void inject_until_the_end(void *arg)
{
	struct injector *i = arg;
	NET_BUFFER_LIST *rest, *at;
	bool out = false;
	unsigned int n;

	for (i->last = STATUS_SUCCESS; i->nbl; i->nbl = rest) {
		for (at = i->nbl, n = 1; n < i->each && at->Next; n++)
			at = at->Next;
		rest = at->Next;
		at->Next = NULL;
		i->last = (out = !out) ?
			FwpsInjectMacSendAsync(i->handle, NULL, 0, OUT, i->fx->dev->ifindex, 0,
					       i->nbl, fx_done, i->fx) :
			receive(i->fx, i->handle, 0, IN, i->fx->dev->ifindex, i->nbl, fx_done);
		if (!NT_SUCCESS(i->last)) {
			at->Next = rest;
			return;
		}
		i->accepted += n;
		cond_resched();
	}
}

static void many_inject_while_the_handle_ends(struct kunit *test)
{
	struct fx *fx = test->priv;
	struct injector *i = kunit_kcalloc(test, INJECTORS, sizeof(*i), GFP_KERNEL);
	NET_BUFFER_LIST *frame = fx_frame(fx, LEN, 1), *last;
	unsigned int round, k, accepted, refused = 0;
	HANDLE handle;

	KUNIT_ASSERT_NOT_NULL(test, i);
	fx->freed = true;
	for (round = 0; round < ROUNDS; round++) {
		KUNIT_ASSERT_EQ(test, STATUS_SUCCESS,
				FwpsInjectionHandleCreate(AF_UNSPEC, FWPS_INJECTION_TYPE_L2,
							  &handle));
		atomic_set(&fx->completions, 0);
		for (k = 0; k < INJECTORS; k++) {
			i[k] = (struct injector){ .fx = fx, .handle = handle, .each = 1 + k };
			/* all but the last, which is the one with the MDL, and stays */
			i[k].nbl = fx_share(fx, frame, 201);
			for (last = i[k].nbl; last->Next != frame; last = last->Next)
				;
			last->Next = NULL;
		}
		for (k = 0; k < INJECTORS; k++)
			KUNIT_ASSERT_TRUE(test, helper_start(&i[k].h, inject_until_the_end, &i[k]));
		/* as far as they are when it is this one's turn: now here, now there */
		for (k = 0; k < round % 8; k++)
			cond_resched();
		KUNIT_EXPECT_EQ(test, FwpsInjectionHandleDestroy(handle), STATUS_SUCCESS);
		/* what was accepted has come back by now, whoever is still at it */
		accepted = atomic_read(&fx->completions);
		for (k = 0; k < INJECTORS; k++) {
			KUNIT_ASSERT_TRUE(test, helper_join(&i[k].h));
			accepted -= i[k].accepted;
			if (!i[k].nbl)
				continue;
			refused++;
			if (i[k].last != STATUS_INVALID_HANDLE)
				KUNIT_EXPECT_EQ(test, i[k].last, STATUS_FWP_INJECT_HANDLE_CLOSING);
			fx_free(i[k].nbl);
		}
		KUNIT_EXPECT_EQ_MSG(test, accepted, 0u, "round %u", round);
	}
	/* it did end under them */
	KUNIT_EXPECT_GT(test, refused, 0u);
	fx_free(frame);
}

#define query	FwpsQueryPacketInjectionState

static void a_list_remembers_who_has_injected_it(struct kunit *test)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl = fx_frame(fx, LEN, 1), *clone;
	HANDLE other, first = fx->handle, context = fx;

	KUNIT_ASSERT_EQ(test, STATUS_SUCCESS,
			FwpsInjectionHandleCreate(AF_UNSPEC, FWPS_INJECTION_TYPE_L2, &other));
	KUNIT_EXPECT_EQ(test, query(first, nbl, &context), FWPS_PACKET_NOT_INJECTED);
	KUNIT_EXPECT_NULL(test, context);
	KUNIT_ASSERT_EQ(test, STATUS_SUCCESS,
			FwpsInjectMacReceiveAsync(first, test, 0, IN, fx->dev->ifindex, 0, nbl,
						  fx_done, fx));
	fx_expect_completions(fx, 1);
	KUNIT_EXPECT_EQ(test, query(first, nbl, &context), FWPS_PACKET_INJECTED_BY_SELF);
	KUNIT_EXPECT_PTR_EQ(test, context, (HANDLE)test);
	KUNIT_EXPECT_EQ(test, query(other, nbl, NULL), FWPS_PACKET_INJECTED_BY_OTHER);

	KUNIT_ASSERT_EQ(test, STATUS_SUCCESS,
			FwpsAllocateCloneNetBufferList(nbl, NULL, NULL, 0, &clone));
	KUNIT_EXPECT_EQ(test, query(first, clone, NULL), FWPS_PACKET_INJECTED_BY_SELF);
	fx->handle = other;
	KUNIT_ASSERT_EQ(test, fx_receive(fx, clone), STATUS_SUCCESS);
	fx_expect_completions(fx, 2);
	fx->handle = first;
	KUNIT_EXPECT_EQ(test, query(other, clone, &context), FWPS_PACKET_INJECTED_BY_SELF);
	KUNIT_EXPECT_NULL(test, context);
	KUNIT_EXPECT_EQ(test, query(first, clone, &context),
			FWPS_PACKET_PREVIOUSLY_INJECTED_BY_SELF);
	KUNIT_EXPECT_PTR_EQ(test, context, (HANDLE)test);
	/* what is none */
	KUNIT_EXPECT_EQ(test, query(NULL, clone, NULL), FWPS_PACKET_NOT_INJECTED);
	KUNIT_EXPECT_EQ(test, query(first, NULL, NULL), FWPS_PACKET_NOT_INJECTED);
	FwpsFreeCloneNetBufferList(clone, 0);
	fx_free(nbl);
	KUNIT_EXPECT_EQ(test, FwpsInjectionHandleDestroy(other), STATUS_SUCCESS);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_handle_is_for_what_exists),
	KUNIT_CASE(what_is_refused_leaves_everything_as_it_was),
	KUNIT_CASE(a_handle_ends_after_its_last_completion),
	KUNIT_CASE(a_completion_cannot_end_its_handle),
	KUNIT_CASE(a_handle_ends_with_a_thousand_in_flight),
	KUNIT_CASE(many_inject_while_the_handle_ends),
	KUNIT_CASE(a_list_remembers_who_has_injected_it),
	{}
};

static struct kunit_suite suite = {
	.name = "fwps_handle",
	.init = fx_init,
	.exit = fx_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
