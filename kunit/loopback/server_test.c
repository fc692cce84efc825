// SPDX-License-Identifier: GPL-2.0
/*
 * What a server is told before it is enabled, and its life.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include "../helper.h"
#include "../kmsg.h"
#include "bus.h"

#define LOOPBACK	VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER
#define AS_PIPE		VMBUS_SERVER_CHANNEL_INIT_FLAG_OFFER_AS_PIPE

/* ---- configuration ---- */

static void expect_refused(struct kunit *test, VMBCHANNEL ch, HANDLE handle)
{
	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetFlags(ch, LOOPBACK),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetTargetInterfaceId(ch, end_type, end_instance),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetVmbusHandle(ch, handle),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetMmioMegabytes(ch, 1, 1),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetTargetVtl(ch, 0),
			STATUS_INVALID_PARAMETER_1);
}

static void only_a_disabled_server_is_told_what_to_offer(struct kunit *test)
{
	struct end *s = end_new(test, true), *c = end_new(test, false);
	HANDLE handle = kmcl_host_handle("loopback");

	KUNIT_ASSERT_NOT_NULL(test, handle);
	expect_refused(test, c->ch, handle);
	expect_refused(test, NULL, handle);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(s->ch), STATUS_SUCCESS);
	expect_refused(test, s->ch, handle);
	VmbChannelDisable(s->ch);
	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetFlags(s->ch, LOOPBACK), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetVmbusHandle(s->ch, handle), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetMmioMegabytes(s->ch, 0, 1), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetMmioMegabytes(s->ch, 1, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetTargetVtl(s->ch, 0), STATUS_SUCCESS);
	ZwClose(handle);
}

static void what_cannot_be_offered_is_refused(struct kunit *test)
{
	struct end *s = end_new(test, true);

	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetFlags(s->ch, VMBUS_SERVER_CHANNEL_INIT_FLAGS),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetFlags(s->ch, 0x20),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetMmioMegabytes(s->ch, 0, 0),
			STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetTargetVtl(s->ch, 1),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetTargetVtl(s->ch, 2),
			STATUS_INVALID_PARAMETER_2);
}

static void a_handle_that_is_none_is_refused(struct kunit *test)
{
	struct end *s = end_new(test, true);
	HANDLE handle = kmcl_host_handle("loopback");
	u64 something = 0;

	KUNIT_ASSERT_NOT_NULL(test, handle);
	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetVmbusHandle(s->ch, NULL),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetVmbusHandle(s->ch, (HANDLE)5),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetVmbusHandle(s->ch, &something),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetVmbusHandle(s->ch, (HANDLE)s->ch),
			STATUS_INVALID_PARAMETER_2);
	ZwClose(handle);
	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetVmbusHandle(s->ch, handle),
			STATUS_INVALID_PARAMETER_2);
}

static void what_only_clients_do_is_refused_on_a_server(struct kunit *test)
{
	struct end *s, *c;
	PFN_NUMBER frame = 0;
	UINT32 handle;
	PVOID address;
	PMDL mdl;

	end_pair(test, &s, &c);
	address = (PVOID)get_zeroed_page(GFP_KERNEL);
	mdl = IoAllocateMdl(address, PAGE_SIZE, FALSE, FALSE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, mdl);
	MmBuildMdlForNonPagedPool(mdl);
	frame = MmGetMdlPfnArray(mdl)[0];
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromBuffer(s->ch, 0, address, 4096, &handle),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromMdl(s->ch, 0, mdl, 0, 0, &handle),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromPfnList(s->ch, 0, &frame, 1, &handle),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadl(s->ch, 0, 1, &handle),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelGetSystemAddressForGpadl(s->ch, 0, 1, &address),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelAllocateBounceBuffer(s->ch, 4096), STATUS_NOT_SUPPORTED);
	VmbChannelDisable(c->ch);
	VmbChannelDisable(s->ch);
	KUNIT_EXPECT_EQ(test, VmbClientChannelInitSetRingBufferPageCount(s->ch, 1, 1),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbClientChannelInitSetTargetPnp(s->ch, &end_type, NULL, NULL),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbClientChannelInitSetTargetProcessorIndex(s->ch, 0),
			STATUS_INVALID_PARAMETER_1);
	free_page((unsigned long)MmGetMdlVirtualAddress(mdl));
	IoFreeMdl(mdl);
}

static void a_server_without_guids_is_not_offered(struct kunit *test)
{
	VMBCHANNEL ch;

	KUNIT_ASSERT_EQ(test, VmbChannelAllocate(NULL, TRUE, &ch), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetFlags(ch, LOOPBACK), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(ch), STATUS_INVALID_PARAMETER);
	VmbChannelCleanup(ch);
}

static void a_guest_cannot_offer_to_its_host(struct kunit *test)
{
	struct end *s = end_new(test, true);
	struct kmsg k;

	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetFlags(s->ch, 0), STATUS_SUCCESS);
	kmsg_mark(&k);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(s->ch), STATUS_NOT_SUPPORTED);
	kmsg_expect(test, &k, 1, "a guest cannot offer to its host");
	KUNIT_EXPECT_EQ(test, end_send(s, "no", 3, 0), STATUS_INVALID_DEVICE_STATE);
}

static void two_servers_do_not_offer_the_same(struct kunit *test)
{
	struct end *s = end_new(test, true), *other = end_new(test, true);
	struct kmsg k;

	KUNIT_ASSERT_EQ(test, VmbChannelEnable(s->ch), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(s->ch), STATUS_INVALID_DEVICE_STATE);
	kmsg_mark(&k);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(other->ch), STATUS_UNSUCCESSFUL);
	kmsg_expect(test, &k, 1, "loopback has an offer with these GUIDs already");
	VmbChannelDisable(s->ch);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(other->ch), STATUS_SUCCESS);
}

static void an_offer_has_one_client(struct kunit *test)
{
	struct end *s, *c, *other = end_new(test, false);
	struct kmsg k;

	end_pair(test, &s, &c);
	kmsg_mark(&k);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(other->ch), STATUS_UNSUCCESSFUL);
	kmsg_expect(test, &k, 1, "the loopback's offer belongs to");
	VmbChannelDisable(c->ch);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(other->ch), STATUS_SUCCESS);
	end_expect_soon(other, other->logged == 3);
}

static void a_client_of_any_instance_waits_for_one_that_is_free(struct kunit *test)
{
	struct end *s, *c, *other = end_new(test, false);
	GUID instance = {};

	KUNIT_ASSERT_EQ(test, VmbClientChannelInitSetTargetPnp(other->ch, &end_type, NULL, NULL),
			STATUS_SUCCESS);
	end_pair(test, &s, &c);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(other->ch), STATUS_SUCCESS);
	end_expect_log(other, "");
	VmbChannelDisable(c->ch);
	end_expect_soon(other, other->logged == 3);
	end_expect_log(other, "OSP");
	VmbChannelGetInterfaceInstance(other->ch, &instance);
	KUNIT_EXPECT_MEMEQ(test, &instance, &end_instance, sizeof(GUID));
}

static void a_server_has_a_name_and_an_instance_but_no_window(struct kunit *test)
{
	struct end *s, *c;
	UINT64 at = 1, size = 1;
	PDEVICE_OBJECT device = (PDEVICE_OBJECT)test;
	GUID instance = {};
	UINT16 old = 7;

	end_pair(test, &s, &c);
	VmbChannelGetInterfaceInstance(s->ch, &instance);
	KUNIT_EXPECT_MEMEQ(test, &instance, &end_instance, sizeof(GUID));
	VmbChannelGetMmioSpace(s->ch, &at, &size);
	KUNIT_EXPECT_EQ(test, at, 0ULL);
	KUNIT_EXPECT_EQ(test, size, 0ULL);
	VmbChannelGetTargetDeviceObject(s->ch, &device);
	KUNIT_EXPECT_NULL(test, device);
	VmbChannelGetTargetDeviceObject(c->ch, &device);
	KUNIT_EXPECT_NULL(test, device);
	/* signals are at once */
	KUNIT_EXPECT_EQ(test, VmbChannelSetInterruptLatency(s->ch, 0, &old), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, old, 0);
	KUNIT_EXPECT_EQ(test, VmbChannelSetInterruptLatency(s->ch, 10, &old),
			STATUS_NOT_SUPPORTED);
}

static void pipe_and_no_pipe_is_said_in_one_line(struct kunit *test)
{
	struct end *s = end_new(test, true), *c = end_new(test, false);
	struct kmsg k;

	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetFlags(s->ch, LOOPBACK | AS_PIPE),
			STATUS_SUCCESS);
	kmsg_mark(&k);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(s->ch), STATUS_SUCCESS);
	kmsg_expect(test, &k, 1, "offers a pipe, and its driver expects a plain channel");
	VmbChannelDisable(s->ch);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetFlags(s->ch, VMBUS_CHANNEL_INIT_FLAG_IS_PIPE),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(s->ch), STATUS_SUCCESS);
	kmsg_expect(test, &k, 1, "its driver expects a");
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(c->ch), STATUS_SUCCESS);
	kmsg_expect(test, &k, 1, "the host offers a pipe and the driver expects a plain channel");
	VmbChannelDisable(c->ch);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetFlags(c->ch, VMBUS_CHANNEL_INIT_FLAG_IS_PIPE),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(c->ch), STATUS_SUCCESS);
	kmsg_expect(test, &k, 2, "expects a plain channel");
	/* the header is hidden, both ways */
	VmbChannelStart(s->ch);
	KUNIT_EXPECT_EQ(test, end_send(c, "seven b", 7, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, end_send(s, "seven b", 7, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	end_expect_soon(c, atomic_read(&c->ok) == 1 && atomic_read(&c->received) == 1);
	end_expect_soon(s, atomic_read(&s->ok) == 1 && atomic_read(&s->received) == 1);
}

/* ---- life ---- */

/* Numbers as they come. */
static void check_order(struct end *e, VMBPACKETCOMPLETION pkt, void *buf, u32 len, u32 flags)
{
	unsigned long next = (unsigned long)e->priv;

	KUNIT_EXPECT_EQ(e->test, *(u32 *)buf, (u32)next);
	e->priv = (void *)(next + 1);
	VmbChannelPacketComplete(pkt, NULL, 0);
}

static void send_numbers(struct end *e, u32 from, u32 to)
{
	for (; from < to; from++)
		KUNIT_EXPECT_EQ(e->test, end_send(e, &from, sizeof(from), WAIT_FOR_COMPLETION),
				STATUS_SUCCESS);
}

static void a_server_is_paused_until_its_driver_starts_it(struct kunit *test)
{
	struct end *s = end_new(test, true), *c = end_new(test, false);

	KUNIT_ASSERT_EQ(test, VmbChannelEnable(s->ch), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(c->ch), STATUS_SUCCESS);
	end_expect_log(s, "O");
	end_expect_log(c, "OSP");
	c->on_packet = check_order;
	s->on_packet = check_order;
	send_numbers(c, 0, 3);
	send_numbers(s, 0, 3);
	schedule_timeout_uninterruptible(HZ / 10);
	KUNIT_EXPECT_EQ(test, atomic_read(&s->received), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&c->received), 0);
	VmbChannelStart(s->ch);
	end_expect_log(s, "OSP");
	end_expect_soon(c, atomic_read(&c->ok) == 3);
	end_expect_soon(s, atomic_read(&s->ok) == 3);
	/* Disable and Enable: it needs another */
	VmbChannelDisable(s->ch);
	end_expect_soon(c, c->logged == 5);
	end_clear_log(s);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(s->ch), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(c->ch), STATUS_SUCCESS);
	end_expect_log(s, "O");
}

static void what_is_sent_between_clients_waits_for_the_next(struct kunit *test)
{
	struct end *s = end_new(test, true), *c = end_new(test, false);
	u32 i;

	c->on_packet = check_order;
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(s->ch), STATUS_SUCCESS);
	send_numbers(s, 0, 3);
	VmbChannelStart(s->ch);
	send_numbers(s, 3, 6);
	for (i = 1; i <= 3; i++) {
		KUNIT_ASSERT_EQ(test, VmbChannelEnable(c->ch), STATUS_SUCCESS);
		end_expect_soon(s, atomic_read(&s->ok) == 6 * i);
		VmbChannelDisable(c->ch);
		KUNIT_EXPECT_TRUE(test, becomes(READ_ONCE(s->kch->state) == KMCL_WAITING));
		send_numbers(s, 6 * i, 6 * i + 6);
	}
	VmbChannelDisable(s->ch);
	KUNIT_EXPECT_EQ(test, atomic_read(&s->cancelled), 6);
	KUNIT_EXPECT_EQ(test, atomic_read(&s->completions), 24);
}

static void a_paused_server_keeps_its_client_waiting(struct kunit *test)
{
	struct end *s, *c;

	end_pair(test, &s, &c);
	s->on_packet = check_order;
	c->on_packet = check_order;
	send_numbers(c, 0, 10);
	end_expect_soon(c, atomic_read(&c->ok) == 10);
	VmbChannelPause(s->ch);
	end_expect_log(s, "U");
	end_expect_log(c, "");
	send_numbers(c, 10, 200);
	send_numbers(s, 0, 100);
	schedule_timeout_uninterruptible(HZ / 10);
	KUNIT_EXPECT_EQ(test, atomic_read(&s->received), 10);
	KUNIT_EXPECT_EQ(test, atomic_read(&c->received), 0);
	VmbChannelStart(s->ch);
	end_expect_soon(c, atomic_read(&c->ok) == 200);
	end_expect_soon(s, atomic_read(&s->ok) == 100);
	end_expect_log(s, "USP");
}

static void opened_that_fails_refuses_the_client_and_not_the_next(struct kunit *test)
{
	static const struct {
		NTSTATUS opened, enable;
	} cases[] = {
		{ STATUS_UNSUCCESSFUL, STATUS_UNSUCCESSFUL },
		{ STATUS_INSUFFICIENT_RESOURCES, STATUS_INSUFFICIENT_RESOURCES },
		{ STATUS_BUFFER_OVERFLOW, STATUS_BUFFER_OVERFLOW },
	};
	struct end *s = end_new(test, true), *c = end_new(test, false);
	u32 i;

	KUNIT_ASSERT_EQ(test, VmbChannelEnable(s->ch), STATUS_SUCCESS);
	VmbChannelStart(s->ch);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		s->opened_status = cases[i].opened;
		KUNIT_EXPECT_EQ(test, VmbChannelEnable(c->ch), cases[i].enable);
		end_expect_log(s, "O");
		end_clear_log(s);
	}
	end_expect_log(c, "");
	s->opened_status = STATUS_SUCCESS;
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(c->ch), STATUS_SUCCESS);
	end_expect_soon(s, s->logged == 3);
	end_expect_log(s, "OSP");
	end_expect_log(c, "OSP");
}

/* Nothing that the driver knows of has happened. */
static void a_client_refused_before_opened_takes_nothing_with_it(struct kunit *test)
{
	struct bus *b = bus_new(test, false);
	struct end *s = bus_server(b);
	struct kmcl_ring_packet pkt;
	u8 body[8] = {};

	KUNIT_ASSERT_EQ(test, VmbChannelEnable(s->ch), STATUS_SUCCESS);
	VmbChannelStart(s->ch);
	KUNIT_EXPECT_EQ(test, end_send(s, "it stay", 8, 0), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, bus_lend(b, 5, 0, 8), 0);
	/* a page of data to the client */
	KUNIT_EXPECT_EQ(test, bus_ask(b, 5, 6), 0);
	bus_expect_soon(b, b->answers == 1);
	KUNIT_EXPECT_EQ(test, b->opened, -EINVAL);
	KUNIT_EXPECT_EQ(test, kmcl_offer_gpadl_teardown(b->offer, 5), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&s->completions), 0);
	KUNIT_EXPECT_EQ(test, bus_open(b), 0);
	end_expect_soon(s, atomic_read(&s->ok) == 1);
	bus_expect_soon(b, bus_read(b, &pkt, body, sizeof(body)));
	KUNIT_EXPECT_STREQ(test, (char *)body, "it stay");
}

static struct {
	struct completion in;
	struct completion go;
} held;

static void wait_in_opened(struct end *e, enum end_event event)
{
	if (event != END_OPENED)
		return;
	complete(&held.in);
	wait_for_completion(&held.go);
}

static void enable(void *arg)
{
	struct end *e = arg;

	e->enabled = VmbChannelEnable(e->ch);
}

static void disable(void *arg)
{
	struct end *e = arg;

	VmbChannelDisable(e->ch);
}

static void hold_opened(struct kunit *test, struct end *s, struct end *c, struct helper *h)
{
	init_completion(&held.in);
	init_completion(&held.go);
	s->on_state = wait_in_opened;
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(s->ch), STATUS_SUCCESS);
	VmbChannelStart(s->ch);
	KUNIT_ASSERT_TRUE(test, helper_start(h, enable, c));
	wait_for_completion(&held.in);
}

static void a_server_disabled_while_its_client_opens(struct kunit *test)
{
	struct end *s = end_new(test, true), *c = end_new(test, false);
	struct helper opens, closes;

	hold_opened(test, s, c, &opens);
	KUNIT_ASSERT_TRUE(test, helper_start(&closes, disable, s));
	KUNIT_EXPECT_TRUE(test, becomes(READ_ONCE(s->kch->link_state) == KMCL_LINK_NONE));
	complete_all(&held.go);
	KUNIT_EXPECT_TRUE(test, helper_join(&closes));
	KUNIT_EXPECT_TRUE(test, helper_join(&opens));
	end_expect_log(s, "OC");
	/* the client was let in and thrown out, or never let in */
	KUNIT_EXPECT_TRUE(test, becomes(READ_ONCE(c->kch->state) == KMCL_DISABLED));
	if (NT_SUCCESS(c->enabled))
		KUNIT_EXPECT_TRUE(test, strchr(c->log, 'C'));
	else
		end_expect_log(c, "");
}

static void a_client_disabled_while_its_server_opens(struct kunit *test)
{
	struct end *s = end_new(test, true), *c = end_new(test, false);
	struct helper opens, closes;

	hold_opened(test, s, c, &opens);
	KUNIT_ASSERT_TRUE(test, helper_start(&closes, disable, c));
	KUNIT_EXPECT_TRUE(test, becomes(READ_ONCE(c->kch->stopping)));
	complete_all(&held.go);
	KUNIT_EXPECT_TRUE(test, helper_join(&opens));
	KUNIT_EXPECT_TRUE(test, helper_join(&closes));
	KUNIT_EXPECT_EQ(test, c->kch->state, KMCL_DISABLED);
	KUNIT_EXPECT_TRUE(test, becomes(READ_ONCE(s->kch->state) == KMCL_WAITING));
	s->on_state = NULL;
	end_clear_log(s);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(c->ch), STATUS_SUCCESS);
	end_expect_soon(s, s->logged == 3);
	end_expect_log(s, "OSP");
}

static void enable_again(struct end *e, enum end_event event)
{
	if (event == END_CLOSED)
		KUNIT_EXPECT_EQ(e->test, VmbChannelEnable(e->ch), STATUS_INVALID_DEVICE_STATE);
}

/* It is offered anyway. */
static void a_server_cannot_be_enabled_inside_closed(struct kunit *test)
{
	struct end *s, *c;

	end_pair(test, &s, &c);
	s->on_state = enable_again;
	VmbChannelDisable(c->ch);
	end_expect_soon(s, s->logged == 2);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(c->ch), STATUS_SUCCESS);
	end_expect_soon(s, s->logged == 5);
	VmbChannelDisable(s->ch);
	end_expect_log(s, "UCOSPUC");
}

/* A VSP whose module goes: clients see a rescind, and everything completes once. */
static void a_server_that_goes_under_traffic_completes_everything_once(struct kunit *test)
{
	struct end *s, *c;
	int i, round, sent = 0, served = 0;

	end_pair(test, &s, &c);
	for (round = 0; round < 10; round++) {
		for (i = 0; i < 50; i++) {
			sent += NT_SUCCESS(end_send(c, "to the server", 14, WAIT_FOR_COMPLETION));
			served += NT_SUCCESS(end_send(s, "to the client", 14,
						      WAIT_FOR_COMPLETION));
			if (i == 5 * round)
				VmbChannelDisable(round % 2 ? s->ch : c->ch);
		}
		VmbChannelDisable(c->ch);
		VmbChannelDisable(s->ch);
		KUNIT_EXPECT_EQ(test, atomic_read(&c->completions), sent);
		KUNIT_EXPECT_EQ(test, atomic_read(&s->completions), served);
		KUNIT_EXPECT_EQ(test, VmbChannelEnable(s->ch), STATUS_SUCCESS);
		VmbChannelStart(s->ch);
		KUNIT_EXPECT_EQ(test, VmbChannelEnable(c->ch), STATUS_SUCCESS);
	}
	KUNIT_EXPECT_EQ(test, s->kch->stats.faults + c->kch->stats.faults, 0);
}

static void corrupt(struct end *e)
{
	struct kmcl_link *link = e->kch->target.link;

	/* the other end could have written that */
	link->in.ctl->in = cpu_to_le32(0xffffffff);
	link->ops->kick(link);
}

static void a_poisoned_server_offers_anew_and_its_client_comes_back(struct kunit *test)
{
	struct end *s, *c;

	end_pair(test, &s, &c);
	VmbChannelPause(c->ch);
	KUNIT_EXPECT_EQ(test, end_send(s, "lost", 5, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	corrupt(s);
	end_expect_soon(s, s->logged == 2);
	end_expect_log(s, "UC");
	end_expect_soon(c, c->logged == 2);
	end_expect_log(c, "UC");
	KUNIT_EXPECT_EQ(test, atomic_read(&s->removed), 1);
	KUNIT_EXPECT_TRUE(test, becomes(READ_ONCE(s->kch->state) == KMCL_WAITING));
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(c->ch), STATUS_SUCCESS);
	VmbChannelStart(c->ch);
	end_expect_soon(s, s->logged == 5);
	KUNIT_EXPECT_EQ(test, end_send(c, "again", 6, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	end_expect_soon(c, atomic_read(&c->ok) == 1);
}

static void a_poisoned_client_closes_and_its_server_stays(struct kunit *test)
{
	struct end *s, *c;

	end_pair(test, &s, &c);
	corrupt(c);
	end_expect_soon(c, c->logged == 2);
	end_expect_log(c, "UC");
	end_expect_soon(s, s->logged == 2);
	end_expect_log(s, "UC");
	KUNIT_EXPECT_EQ(test, s->kch->stats.faults, 0);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(c->ch), STATUS_SUCCESS);
	end_expect_soon(s, s->logged == 5);
}

static void fail_it(struct end *e, VMBPACKETCOMPLETION pkt, void *buf, u32 len, u32 flags)
{
	VmbChannelPacketFail(pkt);
}

static void a_server_that_fails_a_packet_offers_anew(struct kunit *test)
{
	struct end *s, *c;

	end_pair(test, &s, &c);
	s->on_packet = fail_it;
	KUNIT_EXPECT_EQ(test, end_send(c, "malformed", 10, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	end_expect_soon(c, atomic_read(&c->removed) == 1);
	end_expect_soon(c, c->logged == 2);
	end_expect_log(c, "UC");
	end_expect_soon(s, s->logged == 2);
	KUNIT_EXPECT_EQ(test, s->kch->stats.faults, 1);
	s->on_packet = NULL;
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(c->ch), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, end_send(c, "well formed", 12, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	end_expect_soon(c, atomic_read(&c->ok) == 1);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(only_a_disabled_server_is_told_what_to_offer),
	KUNIT_CASE(what_cannot_be_offered_is_refused),
	KUNIT_CASE(a_handle_that_is_none_is_refused),
	KUNIT_CASE(what_only_clients_do_is_refused_on_a_server),
	KUNIT_CASE(a_server_without_guids_is_not_offered),
	KUNIT_CASE(a_guest_cannot_offer_to_its_host),
	KUNIT_CASE(two_servers_do_not_offer_the_same),
	KUNIT_CASE(an_offer_has_one_client),
	KUNIT_CASE(a_client_of_any_instance_waits_for_one_that_is_free),
	KUNIT_CASE(a_server_has_a_name_and_an_instance_but_no_window),
	KUNIT_CASE(pipe_and_no_pipe_is_said_in_one_line),
	KUNIT_CASE(a_server_is_paused_until_its_driver_starts_it),
	KUNIT_CASE(what_is_sent_between_clients_waits_for_the_next),
	KUNIT_CASE(a_paused_server_keeps_its_client_waiting),
	KUNIT_CASE(opened_that_fails_refuses_the_client_and_not_the_next),
	KUNIT_CASE(a_client_refused_before_opened_takes_nothing_with_it),
	KUNIT_CASE(a_server_disabled_while_its_client_opens),
	KUNIT_CASE(a_client_disabled_while_its_server_opens),
	KUNIT_CASE(a_server_cannot_be_enabled_inside_closed),
	KUNIT_CASE(a_server_that_goes_under_traffic_completes_everything_once),
	KUNIT_CASE(a_poisoned_server_offers_anew_and_its_client_comes_back),
	KUNIT_CASE(a_poisoned_client_closes_and_its_server_stays),
	KUNIT_CASE(a_server_that_fails_a_packet_offers_anew),
	{}
};

static struct kunit_suite suite = {
	.name = "loopback_server",
	.init = end_init,
	.exit = bus_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
