// SPDX-License-Identifier: GPL-2.0
/*
 * Hibernation, by the bus's own callbacks in the order in which the system calls
 * them: every device freezes, then the bus, which leaves the host; the bus comes
 * back and is offered its channels again, then every device thaws.
 */
#include <linux/module.h>
#include <linux/pm.h>
#include <kmcl/device.h>
#include <kmcl/vsc.h>
#include <timetravel.h>
#include "fixture.h"
#include "look.h"
#include "helper.h"
#include "kmsg.h"
#include "vmbus.h"

#define SOME		8
/* that of bind.c, in seconds */
#define PATIENCE	20

static bool is_disabled(struct vsc *v)
{
	return READ_ONCE(v->kch->state) == KMCL_DISABLED && !READ_ONCE(v->kch->life_owner);
}

static void clear_log(struct vsc *v)
{
	memset(v->log, 0, sizeof(v->log));
	v->logged = 0;
}

/* The log is @letters, and begins anew. */
static void expect_then_clear(struct vsc *v, const char *letters)
{
	vsc_expect_soon(v, v->logged >= strlen(letters));
	vsc_expect_log(v, letters);
	clear_log(v);
}

static void send_some(struct vsc *v)
{
	int i;

	for (i = 0; i < SOME; i++)
		KUNIT_EXPECT_EQ(v->test, vsc_send(v, "request", 8, WAIT_FOR_COMPLETION),
				STATUS_SUCCESS);
}

static void expect_traffic(struct vsc *v)
{
	int ok = atomic_read(&v->ok), received = atomic_read(&v->received);

	send_some(v);
	vsc_expect_soon(v, atomic_read(&v->ok) == ok + SOME);
	KUNIT_EXPECT_EQ(v->test, 0, hvsim_send(v->host, VM_PKT_DATA_INBAND, 0, 1, "data", 4));
	vsc_expect_soon(v, atomic_read(&v->received) == received + 1);
}

/* ---- the system ---- */

static struct device *a_device;		/* of the bus's, to find the others by */
static struct device *the_bus;		/* what they hang below */

static void find_bus(struct kunit *test, struct device *dev)
{
	KUNIT_ASSERT_NOT_NULL(test, dev);
	a_device = dev;
	the_bus = dev->parent;
}

static int freeze_one(struct device *dev, void *data)
{
	return dev->bus->pm->freeze_noirq(dev);
}

static int thaw_one(struct device *dev, void *data)
{
	return dev->bus->pm->thaw_noirq(dev);
}

static void freeze(struct vsc *v)
{
	KUNIT_ASSERT_EQ(v->test, bus_for_each_dev(a_device->bus, NULL, NULL, freeze_one), 0);
	KUNIT_ASSERT_EQ(v->test, the_bus->driver->pm->freeze_noirq(the_bus), 0);
}

static void thaw(struct vsc *v)
{
	KUNIT_ASSERT_EQ(v->test, the_bus->driver->pm->thaw_noirq(the_bus), 0);
	KUNIT_ASSERT_EQ(v->test, bus_for_each_dev(a_device->bus, NULL, NULL, thaw_one), 0);
}

static struct vsc *new_sleeper(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	vsc_bring_up(v);
	find_bus(test, v->kch->target.device);
	return v;
}

/* ---- a channel that is open ---- */

static void an_open_channel_closes_and_comes_back(struct kunit *test)
{
	struct vsc *v = new_sleeper(test);
	int i;

	/* the image is written in between: two pairs for one hibernation */
	for (i = 0; i < 2; i++) {
		freeze(v);
		KUNIT_EXPECT_FALSE(test, v->host->open);
		expect_then_clear(v, "UC");
		thaw(v);
		KUNIT_EXPECT_TRUE(test, v->host->open);
		expect_then_clear(v, "OSP");
		expect_traffic(v);
	}
	KUNIT_EXPECT_EQ(test, v->kch->stats.stale_ids, 0);
	VmbChannelDisable(v->ch);
	expect_then_clear(v, "UC");
}

static void a_channel_that_sleeps_is_shown_asleep(struct kunit *test)
{
	struct vsc *v = new_sleeper(test);

	if (!IS_ENABLED(CONFIG_DEBUG_FS))
		kunit_skip(test, "no debugfs in this kernel");
	freeze(v);
	look_expect(test, v->kch, "state", "asleep");
	look_expect_number(test, v->kch, "out_bytes", 0);
	thaw(v);
	look_expect(test, v->kch, "state", "running");
}

static void what_is_in_flight_completes_once_before_the_sleep(struct kunit *test)
{
	struct vsc *v = new_sleeper(test);

	v->host->script.answer = HVSIM_ANSWER_NONE;
	send_some(v);
	freeze(v);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->completions), SOME);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->cancelled), SOME);
	v->host->script.answer = HVSIM_ANSWER_ECHO;
	thaw(v);
	expect_traffic(v);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->completions), 2 * SOME);
}

static void what_is_sent_while_asleep_waits(struct kunit *test)
{
	struct vsc *v = new_sleeper(test);

	freeze(v);
	send_some(v);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->completions), 0);
	thaw(v);
	vsc_expect_soon(v, atomic_read(&v->ok) == SOME);
	expect_traffic(v);
}

static void enable_inside(struct vsc *v, enum vsc_event event)
{
	if (event == VSC_CLOSED)
		v->priv = (void *)(long)VmbChannelEnable(v->ch);
}

static void an_Enable_while_asleep_succeeds_and_does_nothing(struct kunit *test)
{
	struct vsc *v = new_sleeper(test);

	v->priv = (void *)(long)STATUS_PENDING;
	v->on_state = enable_inside;
	freeze(v);
	KUNIT_EXPECT_EQ(test, (NTSTATUS)(long)v->priv, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetFlags(v->ch, 0), STATUS_INVALID_PARAMETER_1);
	expect_then_clear(v, "UC");
	thaw(v);
	expect_then_clear(v, "OSP");
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_INVALID_DEVICE_STATE);
	v->on_state = NULL;
}

static void a_channel_disabled_while_asleep_stays_disabled(struct kunit *test)
{
	struct vsc *v = new_sleeper(test);

	freeze(v);
	expect_then_clear(v, "UC");
	send_some(v);
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->cancelled), SOME);
	vsc_expect_disabled(v);
	thaw(v);
	hvsim_settle();
	KUNIT_EXPECT_FALSE(test, v->host->open);
	vsc_expect_log(v, "");
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	expect_traffic(v);
}

static void a_paused_channel_comes_back_paused(struct kunit *test)
{
	struct vsc *v = new_sleeper(test);

	VmbChannelPause(v->ch);
	freeze(v);
	expect_then_clear(v, "UC");
	thaw(v);
	expect_then_clear(v, "O");
	VmbChannelStart(v->ch);
	expect_then_clear(v, "SP");
	/* paused, and started, while it sleeps */
	freeze(v);
	VmbChannelPause(v->ch);
	VmbChannelStart(v->ch);
	thaw(v);
	expect_then_clear(v, "UCOSP");
	expect_traffic(v);
}

/* ---- and one that is not ---- */

static void a_channel_that_waits_for_its_offer_goes_on_waiting(struct kunit *test)
{
	static const guid_t other_instance =
		GUID_INIT(0x6b6d636c, 0x0002, 0x4000, 0x80, 0, 0, 0, 0, 0, 0, 9);
	struct vsc *v = new_sleeper(test), *w = vsc_new(test);

	KUNIT_ASSERT_EQ(test, vsc_set_target(w->ch, &other_instance), STATUS_SUCCESS);
	w->offer.instance = other_instance;
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(w->ch), STATUS_SUCCESS);
	freeze(v);
	thaw(v);
	vsc_expect_log(w, "");
	vsc_offer(w);
	vsc_expect_soon(w, w->logged == 3);
	expect_traffic(w);
}

static void a_disabled_channel_stays_disabled(struct kunit *test)
{
	struct vsc *v = new_sleeper(test);

	VmbChannelDisable(v->ch);
	clear_log(v);
	freeze(v);
	thaw(v);
	hvsim_settle();
	KUNIT_EXPECT_FALSE(test, v->host->open);
	vsc_expect_disabled(v);
	vsc_expect_log(v, "");
}

/* ---- a channel whose parent is the device ---- */

static struct device *port_device;
static struct vsc *port_vsc;

static int port_add(struct device *dev)
{
	port_device = dev;
	wake_up_all(&port_vsc->wait);
	return 0;
}

static void port_remove(struct device *dev)
{
	port_device = NULL;
}

static const struct hv_vmbus_device_id port_ids[] = {
	{ .guid = GUID_INIT(0x6b6d636c, 0x0001, 0x4000, 0x80, 0, 0, 0, 0, 0, 0, 1) },
	{ }
};

static NTSTATUS parent_opened(VMBCHANNEL ch)
{
	complete(VmbChannelGetPointer(ch));
	return STATUS_SUCCESS;
}

static void a_channel_enabled_while_its_device_sleeps_comes_up_afterwards(struct kunit *test)
{
	struct kmcl_vsc port = {
		.name = "kmcl_sleeper",
		.owner = THIS_MODULE,
		.id_table = port_ids,
		.add = port_add,
		.remove = port_remove,
	};
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS state;
	DECLARE_COMPLETION_ONSTACK(opened);
	struct vsc *v = vsc_new(test);
	VMBCHANNEL ch;

	port_vsc = v;
	port_device = NULL;
	KUNIT_ASSERT_EQ(test, kmcl_vsc_register(&port), 0);
	vsc_offer(v);
	vsc_expect_soon(v, port_device);
	find_bus(test, port_device);
	KUNIT_EXPECT_EQ(test, VmbChannelAllocate(kmcl_device_object(port_device), FALSE, &ch),
			STATUS_SUCCESS);
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&state);
	state.EvtChannelOpened = parent_opened;
	VmbChannelInitSetStateChangeCallbacks(ch, &state);
	VmbChannelSetPointer(ch, &opened);

	freeze(v);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(ch), STATUS_SUCCESS);
	KUNIT_EXPECT_FALSE(test, v->host->open);
	thaw(v);
	KUNIT_EXPECT_TRUE(test, wait_for_completion_timeout(&opened, 20 * HZ));
	KUNIT_EXPECT_TRUE(test, v->host->open);

	/* and one that gives up */
	VmbChannelDisable(ch);
	freeze(v);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(ch), STATUS_SUCCESS);
	VmbChannelDisable(ch);
	thaw(v);
	KUNIT_EXPECT_FALSE(test, v->host->open);
	VmbChannelCleanup(ch);
	kmcl_vsc_unregister(&port);
}

/* ---- sub-channels ---- */

static struct vsc *new_sub(struct vsc *primary, u16 index)
{
	struct vsc *v = vsc_new(primary->test);

	v->offer.sub_index = index;
	KUNIT_ASSERT_EQ(v->test, VmbChannelInitSetPrimaryChannel(v->ch, primary->ch, index),
			STATUS_SUCCESS);
	return v;
}

static void sub_channels_sleep_with_their_primary_and_come_back_when_offered(struct kunit *test)
{
	struct vsc *p = new_sleeper(test), *v = new_sub(p, 1), *w = new_sub(p, 2);
	int i;

	vsc_bring_up(v);
	/* not offered yet */
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(w->ch), STATUS_SUCCESS);
	for (i = 0; i < 2; i++) {
		freeze(p);
		expect_then_clear(v, "UC");
		expect_then_clear(p, "UC");
		KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
		KUNIT_EXPECT_TRUE(test, hvsim_wait_released(v->host));
		thaw(p);
		expect_then_clear(p, "OSP");
		/* the driver does not know whether it has to */
		KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
		KUNIT_EXPECT_EQ(test, vsc_send(v, "early", 6, 0), STATUS_SUCCESS);
		vsc_expect_log(v, "");
		vsc_offer(v);
		expect_then_clear(v, "OSP");
		vsc_expect_soon(v, atomic_read(&v->ok) > 0);
		expect_traffic(v);
		atomic_set(&v->ok, 0);
	}
	vsc_offer(w);
	expect_then_clear(w, "OSP");
	expect_traffic(w);
}

static void a_sub_channel_enabled_while_its_primary_sleeps_comes_up_afterwards(struct kunit *test)
{
	struct vsc *p = new_sleeper(test), *v = new_sub(p, 1), *w = new_sub(p, 2);

	freeze(p);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(w->ch), STATUS_SUCCESS);
	VmbChannelDisable(w->ch);
	thaw(p);
	vsc_offer(v);
	expect_then_clear(v, "OSP");
	expect_traffic(v);
	vsc_expect_disabled(w);
}

static void a_primary_disabled_while_asleep_disables_its_sub_channels(struct kunit *test)
{
	struct vsc *p = new_sleeper(test), *v = new_sub(p, 1);

	vsc_bring_up(v);
	freeze(p);
	VmbChannelDisable(p->ch);
	vsc_expect_disabled(p);
	vsc_expect_disabled(v);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_INVALID_DEVICE_STATE);
	thaw(p);
	expect_then_clear(v, "UC");
}

/* ---- what goes wrong ---- */

static void a_channel_that_does_not_open_again_is_a_PnpFailure(struct kunit *test)
{
	struct vsc *v = new_sleeper(test);
	struct kmsg k;

	freeze(v);
	v->host->script.open_status = 1;
	kmsg_mark(&k);
	thaw(v);
	expect_then_clear(v, "UCF");
	KUNIT_EXPECT_EQ(test, v->pnp_status, STATUS_UNSUCCESSFUL);
	kmsg_expect(test, &k, 1, "the host did not open the channel");
	KUNIT_EXPECT_TRUE(test, becomes(is_disabled(v)));
	v->host->script.open_status = 0;
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	expect_traffic(v);
}

static void a_device_that_is_not_offered_again_is_waited_for(struct kunit *test)
{
	struct vsc *v = new_sleeper(test);
	struct device *dev = v->kch->target.device;
	u32 relid = v->host->relid;

	/* the bus alone would ask a number that means nothing, and wait for ever */
	KUNIT_EXPECT_EQ(test, freeze_one(dev, NULL), 0);
	device_to_hv_device(dev)->channel->offermsg.child_relid = INVALID_RELID;
	KUNIT_EXPECT_EQ(test, thaw_one(dev, NULL), 0);
	KUNIT_EXPECT_TRUE(test, becomes(is_disabled(v)));
	expect_then_clear(v, "UCF");
	device_to_hv_device(dev)->channel->offermsg.child_relid = relid;
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	expect_traffic(v);
}

static void need_time_travel(struct kunit *test)
{
	if (time_travel_mode == TT_MODE_OFF)
		kunit_skip(test, "takes longer than 20 s: run with --time-travel");
}

static VMBPACKETCOMPLETION held;

static void hold(struct vsc *v, VMBPACKETCOMPLETION pkt, void *buf, u32 len)
{
	held = pkt;
}

static void a_driver_that_keeps_a_packet_keeps_the_system_awake(struct kunit *test)
{
	struct vsc *p = new_sleeper(test), *v = new_sub(p, 1);
	struct device *dev = p->kch->target.device;
	unsigned long start;
	struct kmsg k;

	need_time_travel(test);
	vsc_bring_up(v);
	p->on_packet = hold;
	KUNIT_EXPECT_EQ(test, 0, hvsim_send(p->host, VM_PKT_DATA_INBAND, 1, 1, "data", 4));
	vsc_expect_soon(p, atomic_read(&p->received) == 1);
	kmsg_mark(&k);
	start = jiffies;
	KUNIT_EXPECT_EQ(test, freeze_one(dev, NULL), -EBUSY);
	KUNIT_EXPECT_GE(test, jiffies - start, PATIENCE * HZ);
	KUNIT_EXPECT_LT(test, jiffies - start, (PATIENCE + 1) * HZ);
	kmsg_expect(test, &k, 1, "its driver is not quiet after 20 s: no hibernation");

	/* traffic goes on, on the rings that are still open */
	expect_then_clear(p, "USP");
	expect_then_clear(v, "USP");
	KUNIT_EXPECT_EQ(test, p->host->stats.control[CHANNELMSG_CLOSECHANNEL], 0);
	VmbChannelPacketComplete(held, "answer", 7);
	p->on_packet = NULL;
	expect_traffic(p);
	expect_traffic(v);

	/* and the next time it works */
	freeze(p);
	thaw(p);
	expect_then_clear(p, "UCOSP");
}

static struct completion go_on;

static void hang_in_suspend(struct vsc *v, enum vsc_event event)
{
	if (event == VSC_SUSPEND)
		wait_for_completion(&go_on);
}

static void a_driver_that_hangs_in_Suspend_keeps_the_system_awake(struct kunit *test)
{
	struct vsc *v = new_sleeper(test);
	struct device *dev = v->kch->target.device;

	need_time_travel(test);
	init_completion(&go_on);
	v->on_state = hang_in_suspend;
	KUNIT_EXPECT_EQ(test, freeze_one(dev, NULL), -EBUSY);
	vsc_expect_log(v, "U");
	v->on_state = NULL;
	complete(&go_on);
	expect_then_clear(v, "USP");
	expect_traffic(v);
}

static void wait_for_answers(struct vsc *v, enum vsc_event event)
{
	if (event == VSC_SUSPEND)
		wait_event(v->wait, atomic_read(&v->completions) == SOME);
}

static void a_driver_may_wait_in_Suspend_for_what_it_has_sent(struct kunit *test)
{
	struct vsc *v = new_sleeper(test);

	v->on_state = wait_for_answers;
	v->host->script.answer = HVSIM_ANSWER_NONE;
	send_some(v);
	freeze(v);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->cancelled), SOME);
	v->on_state = NULL;
	thaw(v);
}

static void a_rescind_after_the_sleep_closes_as_ever(struct kunit *test)
{
	struct vsc *v = new_sleeper(test);

	freeze(v);
	thaw(v);
	expect_then_clear(v, "UCOSP");
	vsc_rescind(v);
	expect_then_clear(v, "UC");
	KUNIT_EXPECT_TRUE(test, becomes(is_disabled(v)));
}

static void a_device_unbound_while_asleep_is_waited_for(struct kunit *test)
{
	struct vsc *v = new_sleeper(test);
	struct device *dev = get_device(v->kch->target.device);

	KUNIT_EXPECT_EQ(test, freeze_one(dev, NULL), 0);
	device_release_driver(dev);
	put_device(dev);
	/* it was enabled: it looks for the device, and nobody else has it */
	vsc_expect_soon(v, v->logged == 5);
	expect_then_clear(v, "UCOSP");
	expect_traffic(v);
}

static void disable(void *arg)
{
	struct vsc *v = arg;

	VmbChannelDisable(v->ch);
}

static void a_disable_that_meets_a_sleep_ends_disabled(struct kunit *test)
{
	struct vsc *v = new_sleeper(test);
	int round, rounds = IS_ENABLED(CONFIG_PREEMPTION) ? 4 : 12;
	struct helper h;

	for (round = 0; round < rounds; round++) {
		KUNIT_ASSERT_TRUE(test, helper_start(&h, disable, v));
		if (round % 3)
			schedule_timeout_uninterruptible(round % 3 - 1);
		freeze(v);
		KUNIT_EXPECT_TRUE(test, helper_join(&h));
		vsc_expect_disabled(v);
		expect_then_clear(v, "UC");
		thaw(v);
		KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
		expect_then_clear(v, "OSP");
	}
}

static struct kunit_case cases[] = {
	KUNIT_CASE(an_open_channel_closes_and_comes_back),
	KUNIT_CASE(a_channel_that_sleeps_is_shown_asleep),
	KUNIT_CASE(what_is_in_flight_completes_once_before_the_sleep),
	KUNIT_CASE(what_is_sent_while_asleep_waits),
	KUNIT_CASE(an_Enable_while_asleep_succeeds_and_does_nothing),
	KUNIT_CASE(a_channel_disabled_while_asleep_stays_disabled),
	KUNIT_CASE(a_paused_channel_comes_back_paused),
	KUNIT_CASE(a_channel_that_waits_for_its_offer_goes_on_waiting),
	KUNIT_CASE(a_disabled_channel_stays_disabled),
	KUNIT_CASE(a_channel_enabled_while_its_device_sleeps_comes_up_afterwards),
	KUNIT_CASE(sub_channels_sleep_with_their_primary_and_come_back_when_offered),
	KUNIT_CASE(a_sub_channel_enabled_while_its_primary_sleeps_comes_up_afterwards),
	KUNIT_CASE(a_primary_disabled_while_asleep_disables_its_sub_channels),
	KUNIT_CASE(a_channel_that_does_not_open_again_is_a_PnpFailure),
	KUNIT_CASE(a_device_that_is_not_offered_again_is_waited_for),
	KUNIT_CASE(a_driver_that_keeps_a_packet_keeps_the_system_awake),
	KUNIT_CASE(a_driver_that_hangs_in_Suspend_keeps_the_system_awake),
	KUNIT_CASE(a_driver_may_wait_in_Suspend_for_what_it_has_sent),
	KUNIT_CASE(a_rescind_after_the_sleep_closes_as_ever),
	KUNIT_CASE(a_device_unbound_while_asleep_is_waited_for),
	KUNIT_CASE(a_disable_that_meets_a_sleep_ends_disabled),
	{}
};

static int init(struct kunit *test)
{
	/* the bus has no callbacks then */
	if (!IS_ENABLED(CONFIG_PM_SLEEP))
		kunit_skip(test, "this kernel cannot sleep");
	return vsc_suite_init(test);
}

static struct kunit_suite suite = {
	.name = "kmcl_hibernate",
	.init = init,
	.exit = vsc_suite_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
