// SPDX-License-Identifier: GPL-2.0
/*
 * Providers, and what a client that lies can do to a server: nothing.
 */
#include <linux/module.h>
#include "../helper.h"
#include "../kmsg.h"
#include "bus.h"

static void a_provider_that_cannot_provide_is_refused(struct kunit *test)
{
	struct bus *b = bus_new(test, false);
	struct kmcl_host_ops ops = *b->host.ops;
	struct kmcl_host other = { .name = "another", .ops = &ops };

	KUNIT_EXPECT_EQ(test, kmcl_host_register(&b->host), -EEXIST);
	ops.rescind = NULL;
	KUNIT_EXPECT_EQ(test, kmcl_host_register(&other), -EINVAL);
	other.name = NULL;
	KUNIT_EXPECT_EQ(test, kmcl_host_register(&other), -EINVAL);
	KUNIT_EXPECT_NULL(test, kmcl_host_handle("another"));
}

static void an_offer_says_what_the_driver_has_set(struct kunit *test)
{
	const UINT32 flags = VMBUS_SERVER_CHANNEL_INIT_FLAG_OFFER_AS_PIPE |
			     VMBUS_SERVER_CHANNEL_INIT_FLAG_FORCE_NEW_CHANNEL;
	struct bus *b = bus_new(test, false);
	struct end *s = bus_server(b);

	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetFlags(s->ch, flags), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetFlags(s->ch, VMBUS_CHANNEL_INIT_FLAG_IS_PIPE),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetMmioMegabytes(s->ch, 8, 64), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(s->ch), STATUS_SUCCESS);
	KUNIT_ASSERT_NOT_NULL(test, b->offer);
	KUNIT_EXPECT_MEMEQ(test, &b->offer->type, &end_type, sizeof(GUID));
	KUNIT_EXPECT_MEMEQ(test, &b->offer->instance, &end_instance, sizeof(GUID));
	KUNIT_EXPECT_EQ(test, b->offer->flags, flags);
	KUNIT_EXPECT_TRUE(test, b->offer->pipe);
	KUNIT_EXPECT_EQ(test, b->offer->mmio_megabytes, 8);
	KUNIT_EXPECT_EQ(test, b->offer->mmio_megabytes_optional, 64);
	KUNIT_EXPECT_EQ(test, b->offer->sub_index, 0);
	VmbChannelDisable(s->ch);
	KUNIT_EXPECT_NULL(test, b->offer);
}

static void an_offer_that_the_provider_refuses_fails_enable(struct kunit *test)
{
	struct bus *b = bus_new(test, false);
	struct end *s = bus_server(b);

	b->offer_error = -EEXIST;
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(s->ch), STATUS_UNSUCCESSFUL);
	b->offer_error = -ENOMEM;
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(s->ch), STATUS_INSUFFICIENT_RESOURCES);
	KUNIT_EXPECT_EQ(test, end_send(s, "early", 6, 0), STATUS_INVALID_DEVICE_STATE);
	b->offer_error = 0;
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(s->ch), STATUS_SUCCESS);
}

static void the_module_of_a_provider_stays_while_it_is_used(struct kunit *test)
{
	struct bus *b = bus_new(test, false);
	int before = module_refcount(THIS_MODULE);
	struct end *s = bus_server(b);

	/* by the channel that knows it */
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), before + 1);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(s->ch), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), before + 2);
	VmbChannelDisable(s->ch);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), before + 1);
	end_drop(s);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), before);
}

/* ---- memory ---- */

static void memory_that_is_described_wrongly_is_refused(struct kunit *test)
{
	struct bus *b = bus_new(test, false);
	struct end *s = bus_server(b);
	u64 frames[3] = { bus_frame(b, 0), bus_frame(b, 1), bus_frame(b, 2) };
	struct kmcl_offer *o;

	KUNIT_ASSERT_EQ(test, VmbChannelEnable(s->ch), STATUS_SUCCESS);
	o = b->offer;
	KUNIT_EXPECT_EQ(test, kmcl_offer_gpadl(o, 0, 0, 4096, frames, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, kmcl_offer_gpadl(o, 5, 0, 0, frames, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, kmcl_offer_gpadl(o, 5, 0, 0, frames, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, kmcl_offer_gpadl(o, 5, 4096, 4096, frames, 2), -EINVAL);
	KUNIT_EXPECT_EQ(test, kmcl_offer_gpadl(o, 5, 0xffffffff, 2, frames, 1), -EINVAL);
	/* more and fewer frames than the bytes touch */
	KUNIT_EXPECT_EQ(test, kmcl_offer_gpadl(o, 5, 0, 4096, frames, 2), -EINVAL);
	KUNIT_EXPECT_EQ(test, kmcl_offer_gpadl(o, 5, 1, 4096, frames, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, kmcl_offer_gpadl(o, 5, 4095, 0xffffffff, frames, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, kmcl_offer_gpadl(o, 5, 4095, 4098, frames, 3), 0);
	KUNIT_EXPECT_EQ(test, kmcl_offer_gpadl(o, 5, 0, 4096, frames, 1), -EEXIST);
	frames[1] = ~0ULL;
	KUNIT_EXPECT_EQ(test, kmcl_offer_gpadl(o, 6, 0, 8192, frames, 2), -EFAULT);
	frames[1] = 1ULL << 52;
	KUNIT_EXPECT_EQ(test, kmcl_offer_gpadl(o, 6, 0, 8192, frames, 2), -EFAULT);
	frames[1] = 1ULL << 35;
	KUNIT_EXPECT_EQ(test, kmcl_offer_gpadl(o, 6, 0, 8192, frames, 2), -EFAULT);
	KUNIT_EXPECT_EQ(test, kmcl_offer_gpadl_teardown(o, 6), -ENOENT);
	KUNIT_EXPECT_EQ(test, kmcl_offer_gpadl_teardown(o, 5), 0);
	KUNIT_EXPECT_EQ(test, kmcl_offer_gpadl_teardown(o, 5), -ENOENT);
	KUNIT_EXPECT_EQ(test, b->torn, 0);
}

static void frames_are_what_the_provider_says_they_are(struct kunit *test)
{
	struct bus *b = bus_new(test, true);
	struct end *s = bus_server(b);
	u64 real = page_to_pfn(virt_to_page(b->memory));

	KUNIT_ASSERT_EQ(test, VmbChannelEnable(s->ch), STATUS_SUCCESS);
	/* memory of this kernel is none of this client's */
	KUNIT_EXPECT_EQ(test, kmcl_offer_gpadl(b->offer, 5, 0, 4096, &real, 1), -EFAULT);
	KUNIT_EXPECT_EQ(test, bus_lend(b, 5, 0, 4), 0);
}

static void a_client_cannot_describe_without_end(struct kunit *test)
{
	struct bus *b = bus_new(test, false);
	struct end *s = bus_server(b);
	const u32 many = 1 << 17;
	u64 *frames = kvmalloc_array(many, sizeof(*frames), GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, frames);
	for (i = 0; i < many; i++)
		frames[i] = bus_frame(b, 0);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(s->ch), STATUS_SUCCESS);
	/* the same page again and again */
	for (i = 1; i <= 8; i++)
		KUNIT_EXPECT_EQ(test, kmcl_offer_gpadl(b->offer, i, 0, many * 4096u, frames, many),
				0);
	KUNIT_EXPECT_EQ(test, bus_lend(b, 9, 0, 1), -ENOMEM);
	KUNIT_EXPECT_EQ(test, kmcl_offer_gpadl_teardown(b->offer, 8), 0);
	KUNIT_EXPECT_EQ(test, bus_lend(b, 9, 0, 1), 0);
	kvfree(frames);
}

/* ---- opens and closes ---- */

static void rings_that_cannot_be_are_refused(struct kunit *test)
{
	struct bus *b = bus_new(test, false);
	struct end *s = bus_server(b);
	u64 frames[BUS_PAGES];
	u32 i;

	for (i = 0; i < BUS_PAGES; i++)
		frames[i] = bus_frame(b, i);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(s->ch), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, bus_ask(b, 1, 2), -EINVAL);
	KUNIT_EXPECT_EQ(test, bus_lend(b, 1, 0, 8), 0);
	/* no control page and data, for one or for the other */
	KUNIT_EXPECT_EQ(test, bus_ask(b, 1, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, bus_ask(b, 1, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, bus_ask(b, 1, 7), -EINVAL);
	KUNIT_EXPECT_EQ(test, bus_ask(b, 1, 8), -EINVAL);
	KUNIT_EXPECT_EQ(test, bus_ask(b, 1, 0xffffffff), -EINVAL);
	KUNIT_EXPECT_EQ(test, bus_lend(b, 2, 0, 3), 0);
	KUNIT_EXPECT_EQ(test, bus_ask(b, 2, 2), -EINVAL);
	/* not whole pages */
	KUNIT_EXPECT_EQ(test, kmcl_offer_gpadl(b->offer, 3, 8, 7 * 4096, frames, 8), 0);
	KUNIT_EXPECT_EQ(test, bus_ask(b, 3, 4), -EINVAL);
	KUNIT_EXPECT_EQ(test, kmcl_offer_gpadl(b->offer, 4, 0, 8 * 4096 - 8, frames, 8), 0);
	KUNIT_EXPECT_EQ(test, bus_ask(b, 4, 4), -EINVAL);
	KUNIT_EXPECT_EQ(test, b->answers, 0);
	end_expect_log(s, "");
}

static void a_client_opens_once(struct kunit *test)
{
	struct bus *b = bus_new(test, false);
	struct end *s = bus_open_server(b);

	KUNIT_EXPECT_EQ(test, bus_ask(b, BUS_RINGS, 4), -EBUSY);
	KUNIT_EXPECT_EQ(test, b->answers, 1);
	bus_close(b);
	end_expect_soon(s, s->logged == 2);
	end_expect_log(s, "UC");
	bus_close(b);
	end_clear_log(s);
	/* the GPADL is the client's still, and good for another time */
	KUNIT_EXPECT_EQ(test, bus_ask(b, BUS_RINGS, 4), 0);
	bus_expect_soon(b, b->answers == 2);
	KUNIT_EXPECT_EQ(test, b->opened, 0);
	end_expect_soon(s, s->logged == 3);
	end_expect_log(s, "OSP");
}

static void what_a_client_does_after_it_closed_means_nothing(struct kunit *test)
{
	struct bus *b = bus_new(test, false);
	struct end *s = bus_open_server(b);

	bus_close(b);
	kmcl_offer_signal(b->offer);
	memset(b->memory, 0xff, BUS_PAGES * KMCL_PAGE_SIZE);
	kmcl_offer_signal(b->offer);
	end_expect_soon(s, s->logged == 2);
	end_expect_log(s, "UC");
	KUNIT_EXPECT_EQ(test, atomic_read(&s->received), 0);
	KUNIT_EXPECT_EQ(test, s->kch->stats.faults, 0);
}

/* The rings' memory is the client's when the server has let go, not before. */
static void rings_are_given_back_after_closed(struct kunit *test)
{
	struct bus *b = bus_new(test, false);
	struct end *s = bus_open_server(b);

	KUNIT_EXPECT_EQ(test, kmcl_offer_gpadl_teardown(b->offer, BUS_RINGS), -EINPROGRESS);
	KUNIT_EXPECT_EQ(test, kmcl_offer_gpadl_teardown(b->offer, BUS_RINGS), -ENOENT);
	KUNIT_EXPECT_EQ(test, b->torn, 0);
	/* and not for a second open */
	bus_close(b);
	bus_expect_soon(b, b->torn == 1);
	KUNIT_EXPECT_EQ(test, b->last_torn, BUS_RINGS);
	end_expect_log(s, "UC");
	KUNIT_EXPECT_EQ(test, bus_ask(b, BUS_RINGS, 4), -EINVAL);
}

static VMBPACKETCOMPLETION kept;

static void keep(struct end *e, VMBPACKETCOMPLETION pkt, void *buf, u32 len, u32 flags)
{
	kept = pkt;
}

static void rings_stay_while_the_driver_has_packets(struct kunit *test)
{
	struct kmcl_desc desc = {
		.type = cpu_to_le16(KMCL_TYPE_INBAND),
		.flags = cpu_to_le16(KMCL_DESC_WANTS_REPLY),
	};
	struct bus *b = bus_new(test, false);
	struct end *s = bus_open_server(b);

	s->on_packet = keep;
	bus_packet(b, &desc, sizeof(desc), "packets", 8);
	end_expect_soon(s, atomic_read(&s->received) == 1);
	bus_close(b);
	KUNIT_EXPECT_EQ(test, kmcl_offer_gpadl_teardown(b->offer, BUS_RINGS), -EINPROGRESS);
	end_expect_soon(s, s->logged == 1);
	schedule_timeout_uninterruptible(HZ / 10);
	end_expect_log(s, "U");
	KUNIT_EXPECT_EQ(test, b->torn, 0);
	VmbChannelPacketComplete(kept, NULL, 0);
	bus_expect_soon(b, b->torn == 1);
	end_expect_log(s, "UC");
}

/* Opened waits here. */
static struct {
	struct bus *bus;
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

static struct end *server_in_opened(struct bus *b)
{
	struct end *s = bus_server(b);

	init_completion(&held.in);
	init_completion(&held.go);
	held.bus = b;
	s->on_state = wait_in_opened;
	KUNIT_ASSERT_EQ(b->test, VmbChannelEnable(s->ch), STATUS_SUCCESS);
	VmbChannelStart(s->ch);
	KUNIT_ASSERT_EQ(b->test, bus_lend(b, 1, 0, 8), 0);
	KUNIT_ASSERT_EQ(b->test, bus_ask(b, 1, 4), 0);
	wait_for_completion(&held.in);
	return s;
}

static void a_client_that_closes_before_it_is_answered_is_not_answered(struct kunit *test)
{
	struct bus *b = bus_new(test, false);
	struct end *s = server_in_opened(b);

	bus_close(b);
	KUNIT_EXPECT_EQ(test, kmcl_offer_gpadl_teardown(b->offer, 1), -EINPROGRESS);
	complete_all(&held.go);
	bus_expect_soon(b, b->torn == 1);
	end_expect_log(s, "OC");
	KUNIT_EXPECT_EQ(test, b->answers, 0);
	KUNIT_EXPECT_EQ(test, b->rescinds, 0);
}

/* The answer to the first is not taken for one to the second. */
static void a_client_that_opens_anew_meanwhile_is_opened_anew(struct kunit *test)
{
	struct bus *b = bus_new(test, false);
	struct end *s = server_in_opened(b);

	bus_close(b);
	KUNIT_EXPECT_EQ(test, bus_ask(b, 1, 4), 0);
	KUNIT_EXPECT_EQ(test, b->answers, 0);
	complete_all(&held.go);
	bus_expect_soon(b, b->answers == 1);
	KUNIT_EXPECT_EQ(test, b->opened, 0);
	end_expect_soon(s, s->logged == 5);
	end_expect_log(s, "OCOSP");
	KUNIT_EXPECT_EQ(test, b->answers, 1);
	KUNIT_EXPECT_EQ(test, b->rescinds, 0);
}

/* What was checked when it asked is what is mapped when its turn comes. */
static void rings_cannot_be_exchanged_before_they_are_opened(struct kunit *test)
{
	struct bus *b = bus_new(test, false);
	struct end *s = server_in_opened(b);

	bus_close(b);
	KUNIT_EXPECT_EQ(test, bus_lend(b, 2, 0, 8), 0);
	KUNIT_EXPECT_EQ(test, bus_ask(b, 2, 2), 0);
	KUNIT_EXPECT_EQ(test, kmcl_offer_gpadl_teardown(b->offer, 2), -EINPROGRESS);
	/* the number is not free */
	KUNIT_EXPECT_EQ(test, bus_lend(b, 2, 0, 4), -EEXIST);
	complete_all(&held.go);
	bus_expect_soon(b, b->answers == 1);
	end_expect_soon(s, s->logged == 5);
	bus_close(b);
	bus_expect_soon(b, b->torn == 1);
	KUNIT_EXPECT_EQ(test, b->last_torn, 2);
}

static void disable(void *arg)
{
	struct end *e = arg;

	VmbChannelDisable(e->ch);
}

static void a_server_disabled_inside_opened_is_rescinded(struct kunit *test)
{
	struct bus *b = bus_new(test, false);
	struct end *s = server_in_opened(b);
	struct helper h;

	KUNIT_ASSERT_TRUE(test, helper_start(&h, disable, s));
	KUNIT_EXPECT_TRUE(test, becomes(READ_ONCE(s->kch->link_state) == KMCL_LINK_NONE));
	KUNIT_EXPECT_EQ(test, b->rescinds, 0);
	complete_all(&held.go);
	KUNIT_EXPECT_TRUE(test, helper_join(&h));
	KUNIT_EXPECT_EQ(test, b->rescinds, 1);
	end_expect_log(s, "OC");
}

/* ---- what comes through the ring ---- */

static void a_server_whose_client_writes_rubbish_offers_anew(struct kunit *test)
{
	static const struct kmcl_desc rubbish[] = {
		/* no type, shorter than itself, longer than what is there, payload outside */
		{ .type = cpu_to_le16(0x77), .offset8 = cpu_to_le16(2), .len8 = cpu_to_le16(2) },
		{ .type = cpu_to_le16(6), .offset8 = cpu_to_le16(2), .len8 = cpu_to_le16(1) },
		{ .type = cpu_to_le16(6), .offset8 = cpu_to_le16(2), .len8 = cpu_to_le16(99) },
		{ .type = cpu_to_le16(6), .offset8 = cpu_to_le16(3), .len8 = cpu_to_le16(2) },
	};
	struct bus *b = bus_new(test, false);
	struct end *s = bus_open_server(b);
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rubbish); i++) {
		u8 bytes[24] = {};

		memcpy(bytes, &rubbish[i], sizeof(rubbish[i]));
		KUNIT_EXPECT_EQ(test, end_send(s, "never", 6, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
		bus_write(b, bytes, sizeof(bytes));
		bus_expect_soon(b, b->offers == 2 + i);
		KUNIT_EXPECT_EQ(test, b->rescinds, 1 + i);
		end_expect_log(s, "UC");
		KUNIT_EXPECT_EQ(test, atomic_read(&s->removed), 1 + i);
		end_clear_log(s);
		KUNIT_ASSERT_EQ(test, bus_open(b), 0);
		end_expect_soon(s, s->logged == 3);
		end_clear_log(s);
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&s->received), 0);
}

/* A driver has no callback for that. */
static void a_server_that_cannot_be_offered_anew_is_disabled(struct kunit *test)
{
	struct bus *b = bus_new(test, false);
	struct end *s = bus_open_server(b);
	struct kmsg k;

	kmsg_mark(&k);
	b->offer_error = -ENOMEM;
	b->out.ctl->in = cpu_to_le32(7);
	kmcl_offer_signal(b->offer);
	bus_expect_soon(b, b->rescinds == 1);
	KUNIT_EXPECT_TRUE(test, becomes(READ_ONCE(s->kch->state) == KMCL_DISABLED));
	kmsg_expect(test, &k, 1, "cannot be offered again");
	end_expect_log(s, "UC");
	KUNIT_EXPECT_EQ(test, end_send(s, "no", 3, 0), STATUS_INVALID_DEVICE_STATE);
	b->offer_error = 0;
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(s->ch), STATUS_SUCCESS);
	VmbChannelStart(s->ch);
	KUNIT_EXPECT_EQ(test, bus_open(b), 0);
}

/* Only the rescind tells it, and until then it may do as if nothing had happened. */
static void a_client_that_does_not_know_yet_can_do_nothing(struct kunit *test)
{
	struct bus *b = bus_new(test, false);
	struct end *s = bus_open_server(b);

	s->on_packet = keep;
	bus_packet(b, &(struct kmcl_desc) { .type = cpu_to_le16(KMCL_TYPE_INBAND) },
		   sizeof(struct kmcl_desc), "packets", 8);
	end_expect_soon(s, atomic_read(&s->received) == 1);
	b->out.ctl->in = cpu_to_le32(7);
	kmcl_offer_signal(b->offer);
	end_expect_soon(s, s->logged == 1);
	/* the driver has a packet: the offer stays so long */
	KUNIT_EXPECT_EQ(test, b->rescinds, 0);
	KUNIT_EXPECT_EQ(test, bus_ask(b, BUS_RINGS, 4), -EBUSY);
	KUNIT_EXPECT_EQ(test, bus_lend(b, 9, 0, 2), 0);
	KUNIT_EXPECT_EQ(test, kmcl_offer_gpadl_teardown(b->offer, 9), 0);
	kmcl_offer_signal(b->offer);
	bus_close(b);
	VmbChannelPacketComplete(kept, NULL, 0);
	/* it has closed: so it is a close like any other */
	end_expect_soon(s, s->logged == 2);
	KUNIT_EXPECT_TRUE(test, becomes(READ_ONCE(s->kch->state) == KMCL_WAITING));
	KUNIT_EXPECT_EQ(test, b->rescinds, 0);
	KUNIT_EXPECT_EQ(test, kmcl_offer_gpadl_teardown(b->offer, BUS_RINGS), 0);
	KUNIT_EXPECT_EQ(test, bus_open(b), 0);
}

static void indices_that_cannot_be_are_found_out(struct kunit *test)
{
	static const u32 bad[] = { 7, 4096 * 3, 0xfffffff8, 0x80000000 };
	struct bus *b = bus_new(test, false);
	struct end *s = bus_open_server(b);
	u32 i;

	for (i = 0; i < 2 * ARRAY_SIZE(bad); i++) {
		__le32 index = cpu_to_le32(bad[i / 2]);

		if (i % 2) {
			b->out.ctl->in = index;
			kmcl_offer_signal(b->offer);
		} else {
			b->in.ctl->out = index;
			end_send(s, "to it", 6, 0);
		}
		bus_expect_soon(b, b->offers == 2 + i);
		end_clear_log(s);
		KUNIT_ASSERT_EQ(test, bus_open(b), 0);
		end_expect_soon(s, s->logged == 3);
		end_clear_log(s);
	}
	KUNIT_EXPECT_EQ(test, s->kch->stats.faults, 8);
}

struct gpa {
	struct kmcl_desc desc;
	__le32 reserved;
	__le32 count;
	__le32 bytes;
	__le32 offset;
	__le64 frames[2];
};

/* A packet with external data, of one range. */
static void send_gpa(struct bus *b, u32 count, u32 bytes, u32 offset, u64 first, u64 second)
{
	struct gpa gpa = {
		.desc.type = cpu_to_le16(KMCL_TYPE_GPA_DIRECT),
		.desc.flags = cpu_to_le16(KMCL_DESC_WANTS_REPLY),
		.desc.id = cpu_to_le64(77),
		.count = cpu_to_le32(count),
		.bytes = cpu_to_le32(bytes),
		.offset = cpu_to_le32(offset),
		.frames = { cpu_to_le64(first), cpu_to_le64(second) },
	};

	bus_packet(b, &gpa.desc, sizeof(gpa), "payload", 8);
}

static void external_data_of_frames_that_are_not_there_is_answered_unread(struct kunit *test)
{
	struct bus *b = bus_new(test, true);
	struct end *s = bus_open_server(b);
	struct kmcl_ring_packet pkt;
	u8 body[8];

	send_gpa(b, 1, 8192, 0, BUS_FRAME, BUS_FRAME + BUS_PAGES);
	bus_expect_soon(b, bus_read(b, &pkt, body, sizeof(body)));
	KUNIT_EXPECT_EQ(test, pkt.type, KMCL_TYPE_COMPLETION);
	KUNIT_EXPECT_EQ(test, pkt.id, 77);
	KUNIT_EXPECT_EQ(test, pkt.len, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&s->received), 0);
	KUNIT_EXPECT_EQ(test, s->kch->stats.unsupported, 1);
	/* and a good one all the same */
	send_gpa(b, 1, 4097, 4095, BUS_FRAME + 1, BUS_FRAME + 2);
	bus_expect_soon(b, bus_read(b, &pkt, body, sizeof(body)));
	KUNIT_EXPECT_EQ(test, atomic_read(&s->received), 1);
}

static void external_data_that_is_described_wrongly_poisons(struct kunit *test)
{
	static const struct {
		u32 count, bytes, offset;
	} bad[] = {
		{ 2, 8192, 0 }, { 1, 8193, 0 }, { 1, 0, 0 }, { 1, 4096, 4096 },
		{ 1, 0xffffffff, 1 }, { 0xffffffff, 8192, 0 }, { 1, 1, 0xffffffff },
	};
	struct bus *b = bus_new(test, true);
	struct end *s = bus_open_server(b);
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		send_gpa(b, bad[i].count, bad[i].bytes, bad[i].offset, BUS_FRAME, BUS_FRAME + 1);
		bus_expect_soon(b, b->offers == 2 + i);
		end_clear_log(s);
		KUNIT_ASSERT_EQ(test, bus_open(b), 0);
		end_expect_soon(s, s->logged == 3);
		end_clear_log(s);
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&s->received), 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_provider_that_cannot_provide_is_refused),
	KUNIT_CASE(an_offer_says_what_the_driver_has_set),
	KUNIT_CASE(an_offer_that_the_provider_refuses_fails_enable),
	KUNIT_CASE(the_module_of_a_provider_stays_while_it_is_used),
	KUNIT_CASE(memory_that_is_described_wrongly_is_refused),
	KUNIT_CASE(frames_are_what_the_provider_says_they_are),
	KUNIT_CASE(a_client_cannot_describe_without_end),
	KUNIT_CASE(rings_that_cannot_be_are_refused),
	KUNIT_CASE(a_client_opens_once),
	KUNIT_CASE(what_a_client_does_after_it_closed_means_nothing),
	KUNIT_CASE(rings_are_given_back_after_closed),
	KUNIT_CASE(rings_stay_while_the_driver_has_packets),
	KUNIT_CASE(a_client_that_closes_before_it_is_answered_is_not_answered),
	KUNIT_CASE(a_client_that_opens_anew_meanwhile_is_opened_anew),
	KUNIT_CASE(rings_cannot_be_exchanged_before_they_are_opened),
	KUNIT_CASE(a_server_disabled_inside_opened_is_rescinded),
	KUNIT_CASE(a_server_whose_client_writes_rubbish_offers_anew),
	KUNIT_CASE(a_server_that_cannot_be_offered_anew_is_disabled),
	KUNIT_CASE(a_client_that_does_not_know_yet_can_do_nothing),
	KUNIT_CASE(indices_that_cannot_be_are_found_out),
	KUNIT_CASE(external_data_of_frames_that_are_not_there_is_answered_unread),
	KUNIT_CASE(external_data_that_is_described_wrongly_poisons),
	{}
};

static struct kunit_suite suite = {
	.name = "loopback_provider",
	.init = end_init,
	.exit = bus_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
