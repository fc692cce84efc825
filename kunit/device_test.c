// SPDX-License-Identifier: GPL-2.0
/*
 * What a driver asks of the device behind its channel: its window of addresses,
 * its device object, the delay of signals, the processor it interrupts, and how
 * much of a processor delivery may take.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/ioport.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <kmcl/device.h>
#include <kmcl/vsc.h>
#include "fixture.h"
#include "helper.h"
#include "kmsg.h"
#include "vmbus.h"

static bool is_disabled(struct vsc *v)
{
	return READ_ONCE(v->kch->state) == KMCL_DISABLED && !READ_ONCE(v->kch->life_owner);
}

static struct vmbus_channel *bus_channel(struct vsc *v)
{
	return kmcl_vdev(v->kch->target.link)->hv->channel;
}

/* ---- the window ---- */

struct window {
	u64 start;
	u64 size;
};

static struct window window(struct vsc *v)
{
	struct window w = { .start = 1, .size = 1 };

	VmbChannelGetMmioSpace(v->ch, &w.start, &w.size);
	return w;
}

static bool reserved(struct window w)
{
	return region_intersects(w.start, w.size, 0, IORES_DESC_NONE) == REGION_INTERSECTS;
}

#define expect_no_window(v)							\
do {										\
	struct window w_ = window(v);						\
										\
	KUNIT_EXPECT_EQ((v)->test, w_.start, 0ull);				\
	KUNIT_EXPECT_EQ((v)->test, w_.size, 0ull);				\
} while (0)

static void an_offer_without_a_window_has_none(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	vsc_bring_up(v);
	expect_no_window(v);
}

static struct window in_closed;

static void ask_in_closed(struct vsc *v, enum vsc_event event)
{
	if (event == VSC_CLOSED)
		in_closed = window(v);
}

static void a_window_is_reserved_from_Opened_to_Closed(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct window w, again;

	v->offer.mmio_megabytes = 8;
	v->on_state = ask_in_closed;
	expect_no_window(v);
	vsc_bring_up(v);
	w = window(v);
	KUNIT_EXPECT_EQ(test, w.size, 8ull * SZ_1M);
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED(w.start, SZ_1M));
	KUNIT_EXPECT_NE(test, w.start, 0ull);
	KUNIT_EXPECT_TRUE(test, reserved(w));
	/* the same one each time */
	again = window(v);
	KUNIT_EXPECT_EQ(test, again.start, w.start);
	KUNIT_EXPECT_EQ(test, again.size, w.size);
	VmbChannelGetMmioSpace(v->ch, NULL, &again.size);
	VmbChannelGetMmioSpace(v->ch, &again.start, NULL);
	KUNIT_EXPECT_EQ(test, again.start, w.start);

	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_EQ(test, in_closed.start, w.start);
	KUNIT_EXPECT_EQ(test, in_closed.size, w.size);
	KUNIT_EXPECT_FALSE(test, reserved(w));
	expect_no_window(v);
	VmbChannelGetMmioSpace(NULL, &again.start, &again.size);
	KUNIT_EXPECT_EQ(test, again.size, 0ull);
}

static void a_rescind_gives_the_window_back_after_Closed(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct window w;

	v->offer.mmio_megabytes = 1;
	v->on_state = ask_in_closed;
	vsc_bring_up(v);
	w = window(v);
	vsc_rescind(v);
	KUNIT_EXPECT_TRUE(test, becomes(is_disabled(v)));
	KUNIT_EXPECT_EQ(test, in_closed.start, w.start);
	KUNIT_EXPECT_FALSE(test, reserved(w));
}

static void a_window_that_does_not_fit_is_one_line_and_no_window(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct kmsg k;

	v->offer.mmio_megabytes = 1000;
	vsc_bring_up(v);
	kmsg_mark(&k);
	expect_no_window(v);
	kmsg_expect(test, &k, 1, "no room for the window that the host offers");
}

static void two_channels_have_two_windows(struct kunit *test)
{
	const guid_t other = GUID_INIT(0x6b6d636c, 0x0002, 0x4000, 0x80, 0, 0, 0, 0, 0, 0, 3);
	struct vsc *a = vsc_new(test), *b = vsc_new(test);
	struct window wa, wb;

	a->offer.mmio_megabytes = 4;
	vsc_bring_up(a);
	b->offer.mmio_megabytes = 4;
	b->offer.instance = other;
	KUNIT_ASSERT_EQ(test, vsc_set_target(b->ch, &other), STATUS_SUCCESS);
	vsc_bring_up(b);
	wa = window(a);
	wb = window(b);
	KUNIT_EXPECT_NE(test, wa.size, 0ull);
	KUNIT_EXPECT_TRUE(test, wa.start + wa.size <= wb.start || wb.start + wb.size <= wa.start);
}

/* ---- device objects ---- */

static PDEVICE_OBJECT target(VMBCHANNEL ch)
{
	PDEVICE_OBJECT object = (PDEVICE_OBJECT)&object;

	VmbChannelGetTargetDeviceObject(ch, &object);
	return object;
}

static PDEVICE_OBJECT parent(VMBCHANNEL ch)
{
	PDEVICE_OBJECT object = (PDEVICE_OBJECT)&object;

	VmbChannelGetParentDeviceObject(ch, &object);
	return object;
}

static PDEVICE_OBJECT target_seen[2];

static void note_target(struct vsc *v, enum vsc_event event)
{
	if (event == VSC_OPENED)
		target_seen[0] = target(v->ch);
	if (event == VSC_CLOSED)
		target_seen[1] = target(v->ch);
}

static void the_target_is_the_VMBus_device_from_Opened_to_Closed(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct device *dev;
	PDEVICE_OBJECT t;

	v->on_state = note_target;
	KUNIT_EXPECT_NULL(test, target(v->ch));
	KUNIT_EXPECT_NULL(test, target(NULL));
	VmbChannelGetTargetDeviceObject(v->ch, NULL);
	vsc_bring_up(v);
	t = target(v->ch);
	dev = kmcl_device(t);
	KUNIT_ASSERT_NOT_NULL(test, dev);
	KUNIT_EXPECT_TRUE(test, guid_equal(&device_to_hv_device(dev)->dev_instance, &vsc_instance));
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_PTR_EQ(test, target_seen[0], t);
	KUNIT_EXPECT_PTR_EQ(test, target_seen[1], t);
	KUNIT_EXPECT_NULL(test, target(v->ch));
}

/* A reference of the driver's own keeps it for longer. */
static void a_target_that_the_driver_holds_outlives_the_channel(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct device *dev;

	vsc_bring_up(v);
	dev = get_device(kmcl_device(target(v->ch)));
	hvsim_rescind(v->host);
	KUNIT_EXPECT_TRUE(test, becomes(is_disabled(v)));
	vsc_drop(v);
	KUNIT_EXPECT_FALSE(test, device_is_registered(dev));
	put_device(dev);
	KUNIT_EXPECT_TRUE(test, hvsim_wait_released(v->host));
}

static struct device *port_device;

static int port_add(struct device *dev)
{
	port_device = dev;
	return 0;
}

static void port_remove(struct device *dev)
{
	port_device = NULL;
}

static void the_parent_is_what_the_channel_was_made_with(struct kunit *test)
{
	static const struct hv_vmbus_device_id ids[] = {
		{ .guid = GUID_INIT(0x6b6d636c, 0x0001, 0x4000, 0x80, 0, 0, 0, 0, 0, 0, 1) },
		{ }
	};
	static struct kmcl_vsc port = {
		.name = "kmcl_port",
		.owner = THIS_MODULE,
		.id_table = ids,
		.add = port_add,
		.remove = port_remove,
	};
	struct vsc *v = vsc_new(test);
	PDEVICE_OBJECT object;
	VMBCHANNEL ch;

	KUNIT_EXPECT_NULL(test, parent(v->ch));
	KUNIT_EXPECT_NULL(test, parent(NULL));
	VmbChannelGetParentDeviceObject(v->ch, NULL);

	vsc_offer(v);
	KUNIT_ASSERT_EQ(test, kmcl_vsc_register(&port), 0);
	KUNIT_ASSERT_TRUE(test, becomes(READ_ONCE(port_device)));
	object = kmcl_device_object(port_device);
	KUNIT_EXPECT_EQ(test, VmbChannelAllocate(object, FALSE, &ch), STATUS_SUCCESS);
	KUNIT_EXPECT_PTR_EQ(test, parent(ch), object);
	/* without TargetPnp it is the target, too */
	KUNIT_EXPECT_NULL(test, target(ch));
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(ch), STATUS_SUCCESS);
	KUNIT_EXPECT_PTR_EQ(test, target(ch), object);
	VmbChannelDisable(ch);
	KUNIT_EXPECT_PTR_EQ(test, parent(ch), object);
	VmbChannelCleanup(ch);
	kmcl_vsc_unregister(&port);
}

/* ---- the delay of signals ---- */

static void a_signal_that_is_never_late_stays_so(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	u16 old = 77;

	KUNIT_EXPECT_EQ(test, VmbChannelSetInterruptLatency(NULL, 0, &old),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelSetInterruptLatency(v->ch, 0, &old),
			STATUS_INVALID_PARAMETER_1);
	vsc_bring_up(v);
	KUNIT_EXPECT_EQ(test, VmbChannelSetInterruptLatency(v->ch, 1000, &old),
			STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test, old, 77);
	KUNIT_EXPECT_EQ(test, VmbChannelSetInterruptLatency(v->ch, 0, &old), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, old, 0);
	KUNIT_EXPECT_EQ(test, VmbChannelSetInterruptLatency(v->ch, 0, NULL), STATUS_SUCCESS);
	local_bh_disable();
	KUNIT_EXPECT_EQ(test, VmbChannelSetInterruptLatency(v->ch, 0, &old),
			STATUS_INVALID_DEVICE_STATE);
	local_bh_enable();
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_EQ(test, VmbChannelSetInterruptLatency(v->ch, 0, &old),
			STATUS_INVALID_PARAMETER_1);
}

static NTSTATUS latency_status;
static u16 latency_old;

static void latency_in_closed(struct vsc *v, enum vsc_event event)
{
	if (event == VSC_CLOSED)
		latency_status = VmbChannelSetInterruptLatency(v->ch, 0, &latency_old);
}

/* A channel with a place in the monitor page, where the host looks when it likes. */
static void a_monitored_channel_signals_at_once_or_as_the_host_likes(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct vmbus_channel *chan;
	u16 old = 77;

	v->on_state = latency_in_closed;
	vsc_bring_up(v);
	chan = bus_channel(v);
	chan->offermsg.monitor_allocated = 1;
	KUNIT_EXPECT_EQ(test, VmbChannelSetInterruptLatency(v->ch, 500, &old),
			STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test, old, 77);
	KUNIT_EXPECT_FALSE(test, chan->low_latency);
	KUNIT_EXPECT_EQ(test, VmbChannelSetInterruptLatency(v->ch, 0, &old), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, old, 1000);
	KUNIT_EXPECT_TRUE(test, chan->low_latency);
	/* it says so, and goes back to what it was */
	KUNIT_EXPECT_EQ(test, VmbChannelSetInterruptLatency(v->ch, old, &old), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, old, 0);
	KUNIT_EXPECT_FALSE(test, chan->low_latency);
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_EQ(test, latency_status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, latency_old, 1000);
	/* the next driver of the device finds it as it was */
	KUNIT_EXPECT_FALSE(test, chan->low_latency);
	chan->offermsg.monitor_allocated = 0;
}

/* ---- the processor ---- */

static void the_host_interrupts_the_processor_that_was_chosen(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	u32 cpu = cpumask_last(cpu_online_mask);

	KUNIT_EXPECT_EQ(test, VmbClientChannelInitSetTargetProcessorIndex(NULL, 0),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbClientChannelInitSetTargetProcessorIndex(v->ch, nr_cpu_ids),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbClientChannelInitSetTargetProcessorIndex(v->ch, U32_MAX),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, v->kch->config.processor, KMCL_ANY_PROCESSOR);
	KUNIT_EXPECT_EQ(test, VmbClientChannelInitSetTargetProcessorIndex(v->ch, cpu),
			STATUS_SUCCESS);
	vsc_bring_up(v);
	KUNIT_EXPECT_EQ(test, bus_channel(v)->target_cpu, cpu);
	KUNIT_EXPECT_EQ(test, v->host->target_vp, cpu);
	KUNIT_EXPECT_EQ(test, VmbClientChannelInitSetTargetProcessorIndex(v->ch, 0),
			STATUS_INVALID_PARAMETER_1);
}

/* ---- the share of a processor ---- */

static atomic_t in_softirq_nr, in_process_nr;

static void slow_packet(struct vsc *v, VMBPACKETCOMPLETION pkt, void *buf, u32 len)
{
	if (in_serving_softirq() || in_softirq())
		atomic_inc(&in_softirq_nr);
	else
		atomic_inc(&in_process_nr);
	mdelay(1);
	VmbChannelPacketComplete(pkt, NULL, 0);
}

static u32 order_next;
static bool out_of_order;

static void slow_and_in_order(struct vsc *v, VMBPACKETCOMPLETION pkt, void *buf, u32 len)
{
	out_of_order |= *(u32 *)buf != order_next++;
	slow_packet(v, pkt, buf, len);
}

#define SLOW	50	/* packets, of a millisecond each */

static void send_slow(struct vsc *v)
{
	u32 i;

	atomic_set(&in_softirq_nr, 0);
	atomic_set(&in_process_nr, 0);
	atomic_set(&v->received, 0);
	order_next = 0;
	out_of_order = false;
	/* all of them lie there when the reader comes */
	VmbChannelPause(v->ch);
	for (i = 0; i < SLOW; i++)
		KUNIT_EXPECT_EQ(v->test, 0,
				hvsim_send(v->host, VM_PKT_DATA_INBAND, 0, 1, &i, sizeof(i)));
	VmbChannelStart(v->ch);
	vsc_expect_soon(v, atomic_read(&v->received) == SLOW);
	KUNIT_EXPECT_FALSE(v->test, out_of_order);
}

static void delivery_beyond_its_share_leaves_the_softirq_in_order(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	v->on_packet = slow_and_in_order;
	vsc_bring_up(v);
	send_slow(v);
	KUNIT_EXPECT_EQ(test, atomic_read(&in_softirq_nr), SLOW);

	/* 2 of 10 ms: two packets, and what the clock's grain adds */
	VmbChannelSetAllowableDpcCpuUsage(v->ch, 20);
	send_slow(v);
	KUNIT_EXPECT_GE(test, atomic_read(&in_softirq_nr), 1);
	KUNIT_EXPECT_LE(test, atomic_read(&in_softirq_nr), SLOW / 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&in_softirq_nr) + atomic_read(&in_process_nr), SLOW);

	/* the next window is fresh, and nothing lasts */
	VmbChannelSetAllowableDpcCpuUsage(v->ch, 100);
	send_slow(v);
	KUNIT_EXPECT_EQ(test, atomic_read(&in_softirq_nr), SLOW);
}

static void a_share_below_1_or_above_100_is_one_line(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct kmsg k;

	kmsg_mark(&k);
	VmbChannelSetAllowableDpcCpuUsage(NULL, 50);
	VmbChannelSetAllowableDpcCpuUsage(v->ch, 1);
	KUNIT_EXPECT_EQ(test, v->kch->rx.share, 1);
	VmbChannelSetAllowableDpcCpuUsage(v->ch, 0);
	VmbChannelSetAllowableDpcCpuUsage(v->ch, 101);
	kmsg_expect(test, &k, 2, "percent is no share of a processor, ignored");
	KUNIT_EXPECT_EQ(test, v->kch->rx.share, 1);
	VmbChannelSetAllowableDpcCpuUsage(v->ch, 100);
	KUNIT_EXPECT_EQ(test, v->kch->rx.share, 100);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(an_offer_without_a_window_has_none),
	KUNIT_CASE(a_window_is_reserved_from_Opened_to_Closed),
	KUNIT_CASE(a_rescind_gives_the_window_back_after_Closed),
	KUNIT_CASE(a_window_that_does_not_fit_is_one_line_and_no_window),
	KUNIT_CASE(two_channels_have_two_windows),
	KUNIT_CASE(the_target_is_the_VMBus_device_from_Opened_to_Closed),
	KUNIT_CASE(a_target_that_the_driver_holds_outlives_the_channel),
	KUNIT_CASE(the_parent_is_what_the_channel_was_made_with),
	KUNIT_CASE(a_signal_that_is_never_late_stays_so),
	KUNIT_CASE(a_monitored_channel_signals_at_once_or_as_the_host_likes),
	KUNIT_CASE(the_host_interrupts_the_processor_that_was_chosen),
	KUNIT_CASE(delivery_beyond_its_share_leaves_the_softirq_in_order),
	KUNIT_CASE(a_share_below_1_or_above_100_is_one_line),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_device",
	.init = vsc_suite_init,
	.exit = vsc_suite_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
