// SPDX-License-Identifier: GPL-2.0
/*
 * What all injections refuse, each with the status that it has for it: then nothing has
 * happened, and the list can be injected by who does it right.
 */
#include <linux/if_arp.h>
#include <linux/ip.h>
#include "../helper.h"
#include "fixture.h"

/* One call of an injection, and what is usually right in it. */
struct call {
	struct fx *fx;
	HANDLE handle;
	u32 flags;
	COMPARTMENT_ID compartment;
	IF_INDEX index;
	NET_BUFFER_LIST *nbl;
	FWPS_INJECT_COMPLETE fn;
};

static NTSTATUS mac_receive(const struct call *c)
{
	return FwpsInjectMacReceiveAsync(c->handle, NULL, c->flags,
					 FWPS_LAYER_INBOUND_MAC_FRAME_ETHERNET, c->index, 0,
					 c->nbl, c->fn, c->fx);
}

static NTSTATUS mac_send(const struct call *c)
{
	return FwpsInjectMacSendAsync(c->handle, NULL, c->flags,
				      FWPS_LAYER_OUTBOUND_MAC_FRAME_ETHERNET, c->index, 0,
				      c->nbl, c->fn, c->fx);
}

static NTSTATUS network_receive(const struct call *c)
{
	return FwpsInjectNetworkReceiveAsync(c->handle, NULL, c->flags, c->compartment, c->index,
					     0, c->nbl, c->fn, c->fx);
}

static NTSTATUS network_send(const struct call *c)
{
	return FwpsInjectNetworkSendAsync(c->handle, NULL, c->flags, c->compartment, c->nbl, c->fn,
					  c->fx);
}

static NTSTATUS stream(const struct call *c)
{
	return FwpsStreamInjectAsync(c->handle, NULL, c->flags, 0, 0, FWPS_LAYER_STREAM_V4,
				     FWPS_STREAM_FLAG_SEND, c->nbl, 0, c->fn, c->fx);
}

static const struct injection {
	const char *name;
	NTSTATUS (*inject)(const struct call *c);
	u32 type;
	bool device;
	bool compartment;
} injections[] = {
	{ "MacReceive", mac_receive, FWPS_INJECTION_TYPE_L2, true },
	{ "MacSend", mac_send, FWPS_INJECTION_TYPE_L2, true },
	{ "NetworkReceive", network_receive, FWPS_INJECTION_TYPE_NETWORK, true, true },
	{ "NetworkSend", network_send, FWPS_INJECTION_TYPE_NETWORK, false, true },
	{ "Stream", stream, FWPS_INJECTION_TYPE_STREAM },
};

static void describe(const struct injection *i, char *text)
{
	strscpy(text, i->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(injection, injections, describe);

#define ALL	(FWPS_INJECTION_TYPE_L2 | FWPS_INJECTION_TYPE_NETWORK | FWPS_INJECTION_TYPE_STREAM)

static HANDLE handle_for(struct kunit *test, u32 types)
{
	HANDLE handle = NULL;

	KUNIT_EXPECT_EQ(test, FwpsInjectionHandleCreate(AF_INET, types, &handle), STATUS_SUCCESS);
	return handle;
}

/* @what, but for one thing. */
#define expect_refused(what, status, ...)						\
do {											\
	struct call one = right;							\
											\
	one.__VA_ARGS__;								\
	KUNIT_EXPECT_EQ(test, (what)->inject(&one), status);				\
} while (0)

static void what_is_wrong_has_its_status(struct kunit *test)
{
	const struct injection *i = test->param_value;
	struct fx *fx = test->priv;
	HANDLE gone = handle_for(test, ALL), stale = handle_for(test, ALL & ~i->type);
	struct call right = {
		.fx = fx,
		.handle = handle_for(test, i->type),
		.compartment = DEFAULT_COMPARTMENT_ID,
		.index = fx->dev->ifindex,
		.nbl = fx_frame(fx, 100, 1),
		.fn = fx_done,
	};
	NET_BUFFER_LIST copy = *right.nbl;

	KUNIT_EXPECT_EQ(test, FwpsInjectionHandleDestroy(gone), STATUS_SUCCESS);
	expect_refused(i, STATUS_INVALID_HANDLE, handle = NULL);
	expect_refused(i, STATUS_INVALID_HANDLE, handle = gone);
	expect_refused(i, STATUS_INVALID_HANDLE, handle = fx->pool);
	expect_refused(i, STATUS_INVALID_HANDLE, handle = fx);
	expect_refused(i, STATUS_FWP_INJECT_HANDLE_STALE, handle = stale);
	expect_refused(i, STATUS_FWP_NULL_POINTER, nbl = NULL);
	expect_refused(i, STATUS_FWP_NULL_POINTER, fn = NULL);
	expect_refused(i, STATUS_FWP_INVALID_PARAMETER, flags = 1);
	if (i->type != FWPS_INJECTION_TYPE_STREAM)
		expect_refused(i, STATUS_FWP_INVALID_PARAMETER, nbl = &copy);
	if (i->compartment)
		expect_refused(i, STATUS_INVALID_PARAMETER, compartment = 2);
	if (i->device) {
		expect_refused(i, NDIS_STATUS_INTERFACE_NOT_FOUND, index = 0);
		expect_refused(i, NDIS_STATUS_INTERFACE_NOT_FOUND, index = 123456);
		expect_refused(i, NDIS_STATUS_INTERFACE_NOT_FOUND, index = ~0u);
		fx_up(fx->dev, false);
		expect_refused(i, STATUS_FWP_TCPIP_NOT_READY, flags = 0);
		fx_up(fx->dev, true);
	}
	if (i->type == FWPS_INJECTION_TYPE_L2) {
		fx->dev->type = ARPHRD_NONE;
		expect_refused(i, STATUS_NOT_SUPPORTED, flags = 0);
		fx->dev->type = ARPHRD_ETHER;
	}
	local_irq_disable();
	expect_refused(i, STATUS_INVALID_DEVICE_REQUEST, flags = 0);
	local_irq_enable();

	fx_settle();
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->completions), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->received), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->sent), 0);
	KUNIT_EXPECT_EQ(test, right.nbl->Status, NDIS_STATUS_PENDING);
	KUNIT_EXPECT_EQ(test, fx_receive(fx, right.nbl), STATUS_SUCCESS);
	fx_expect_completions(fx, 1);
	fx_free(right.nbl);
	FwpsInjectionHandleDestroy(right.handle);
	FwpsInjectionHandleDestroy(stale);
}

static void destroy(void *handle)
{
	FwpsInjectionHandleDestroy(handle);
}

static void a_handle_that_ends_takes_nothing(struct kunit *test)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl = fx_frame(fx, 100, 1);
	struct call right = {
		.fx = fx,
		.handle = handle_for(test, ALL),
		.index = fx->dev->ifindex,
		.nbl = nbl,
		.fn = fx_done,
	};
	struct helper h;
	unsigned int i;

	fx->keep = true;
	KUNIT_ASSERT_EQ(test, mac_send(&right), STATUS_SUCCESS);
	right.nbl = fx_frame(fx, 100, 2);
	KUNIT_ASSERT_TRUE(test, helper_start(&h, destroy, right.handle));
	/* which takes nothing at any time, without a device */
	right.index = 0;
	KUNIT_EXPECT_TRUE(test, becomes(mac_send(&right) == STATUS_FWP_INJECT_HANDLE_CLOSING));
	right.index = fx->dev->ifindex;
	for (i = 0; i < ARRAY_SIZE(injections); i++)
		expect_refused(&injections[i], STATUS_FWP_INJECT_HANDLE_CLOSING, flags = 0);
	fx_release(fx);
	KUNIT_ASSERT_TRUE(test, helper_join(&h));
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->completions), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->sent), 1);
	fx_free(right.nbl);
	fx_free(nbl);
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(what_is_wrong_has_its_status, injection_gen_params),
	KUNIT_CASE(a_handle_that_ends_takes_nothing),
	{}
};

static struct kunit_suite suite = {
	.name = "fwps_refused",
	.init = fx_init,
	.exit = fx_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
