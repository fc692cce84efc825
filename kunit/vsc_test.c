// SPDX-License-Identifier: GPL-2.0
/*
 * The helper that gives a VSC its parent device, instead of a TargetPnp.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <kmcl/device.h>
#include <kmcl/vsc.h>
#include "compat.h"
#include "fixture.h"
#include "kmsg.h"

/*
 * The port: one channel per device, and a log of what happened to it. 'A' add
 * begins, 'R' remove has ended, in between the letters of enum vsc_event.
 */
static struct kunit *current_test;
static char port_log[32];
static unsigned int port_logged;
static DECLARE_WAIT_QUEUE_HEAD(port_wait);
static VMBCHANNEL port_channel;
static struct device *port_device;
static NTSTATUS port_enabled;
static int port_add_error;
static bool port_silent;		/* add makes no channel */
static bool port_hold;			/* add waits */
static unsigned int port_cancelled;

static void port_event(char letter)
{
	if (port_logged < sizeof(port_log) - 1)
		port_log[port_logged++] = letter;
	wake_up_all(&port_wait);
}

static NTSTATUS port_opened(VMBCHANNEL ch)
{
	port_event('O');
	return STATUS_SUCCESS;
}

static VOID port_closed(VMBCHANNEL ch)
{
	port_event('C');
}

static VOID port_suspend(VMBCHANNEL ch)
{
	port_event('U');
}

static VOID port_started(VMBCHANNEL ch)
{
	port_event('S');
}

static VOID port_post_started(VMBCHANNEL ch)
{
	port_event('P');
}

static VMBCHANNEL new_channel(struct device *parent)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS state;
	VMBCHANNEL ch;

	if (VmbChannelAllocate(kmcl_device_object(parent), FALSE, &ch))
		return NULL;
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&state);
	state.EvtChannelOpened = port_opened;
	state.EvtChannelClosed = port_closed;
	state.EvtChannelSuspend = port_suspend;
	state.EvtChannelStarted = port_started;
	state.EvtChannelPostStarted = port_post_started;
	VmbChannelInitSetStateChangeCallbacks(ch, &state);
	return ch;
}

static int port_add(struct device *dev)
{
	port_event('A');
	wait_event(port_wait, !READ_ONCE(port_hold));
	if (port_add_error)
		return port_add_error;
	port_device = dev;
	if (port_silent)
		return 0;
	port_channel = new_channel(dev);
	if (!port_channel)
		return -ENOMEM;
	port_enabled = VmbChannelEnable(port_channel);
	return 0;
}

static void port_remove(struct device *dev)
{
	KUNIT_EXPECT_PTR_EQ(current_test, dev, port_device);
	if (port_channel) {
		VmbChannelDisable(port_channel);
		VmbChannelCleanup(port_channel);
	}
	port_channel = NULL;
	port_device = NULL;
	port_event('R');
}

static const struct hv_vmbus_device_id port_ids[] = {
	{ .guid = GUID_INIT(0x6b6d636c, 0x0001, 0x4000, 0x80, 0, 0, 0, 0, 0, 0, 1) },
	{ }
};

static struct kmcl_vsc port;
static bool registered;
static struct hvsim_chan *host;

static int port_register(void)
{
	int ret = kmcl_vsc_register(&port);

	registered = !ret;
	return ret;
}

static void port_unregister(void)
{
	if (registered)
		kmcl_vsc_unregister(&port);
	registered = false;
}

static void offer(struct kunit *test)
{
	const struct hvsim_offer o = { .type = vsc_type, .instance = vsc_instance };

	host = hvsim_offer(&o);
	KUNIT_ASSERT_FALSE(test, IS_ERR(host));
	hvsim_settle();
}

static void rescind(struct kunit *test)
{
	hvsim_rescind(host);
	KUNIT_EXPECT_TRUE(test, hvsim_wait_released(host));
}

/* The log becomes @letters, and stays so. */
static void expect_log(struct kunit *test, const char *letters)
{
	wait_event_timeout(port_wait, READ_ONCE(port_logged) >= strlen(letters), 20 * HZ);
	hvsim_settle();
	KUNIT_EXPECT_STREQ(test, port_log, letters);
}

static int port_init(struct kunit *test)
{
	int ret = vsc_suite_init(test);

	if (ret)
		return ret;
	current_test = test;
	memset(port_log, 0, sizeof(port_log));
	port_logged = 0;
	port_channel = NULL;
	port_device = NULL;
	port_enabled = STATUS_PENDING;
	port_add_error = 0;
	port_silent = false;
	port_hold = false;
	port_cancelled = 0;
	port = (struct kmcl_vsc) {
		.name = "kmcl_port",
		.owner = THIS_MODULE,
		.id_table = port_ids,
		.add = port_add,
		.remove = port_remove,
	};
	return 0;
}

static void port_exit(struct kunit *test)
{
	port_unregister();
	vsc_suite_exit(test);
}

/* ---- add and remove ---- */

static void a_device_that_is_there_is_added(struct kunit *test)
{
	offer(test);
	KUNIT_ASSERT_EQ(test, port_register(), 0);
	expect_log(test, "AOSP");
	KUNIT_EXPECT_EQ(test, port_enabled, STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, host->open);
}

static void a_device_that_comes_later_is_added(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, port_register(), 0);
	expect_log(test, "");
	offer(test);
	expect_log(test, "AOSP");
}

static void the_parent_device_is_the_target(struct kunit *test)
{
	guid_t active = { };
	LPGUID out = (LPGUID)&active;

	KUNIT_ASSERT_EQ(test, port_register(), 0);
	offer(test);
	expect_log(test, "AOSP");
	VmbChannelGetInterfaceInstance(port_channel, out);
	KUNIT_EXPECT_TRUE(test, guid_equal(&active, &vsc_instance));
	KUNIT_EXPECT_PTR_EQ(test, kmcl_channel(port_channel)->target.device, port_device);
	KUNIT_EXPECT_STREQ(test, port_device->driver->name, "kmcl_port");
	KUNIT_EXPECT_NOT_NULL(test, strstr(kmcl_channel(port_channel)->name,
					   dev_name(port_device)));
}

static void a_device_that_goes_is_removed(struct kunit *test)
{
	offer(test);
	KUNIT_ASSERT_EQ(test, port_register(), 0);
	expect_log(test, "AOSP");
	rescind(test);
	expect_log(test, "AOSPUCR");
	offer(test);
	expect_log(test, "AOSPUCRAOSP");
	port_unregister();
	expect_log(test, "AOSPUCRAOSPUCR");
}

static VOID count_cancelled(VMBPACKET pkt, NTSTATUS status, PVOID buf, UINT32 len)
{
	if (status == STATUS_CANCELLED)
		port_cancelled++;
	VmbPacketFree(pkt);
}

static void unregister_disables_while_the_device_is_still_there(struct kunit *test)
{
	VMBPACKET pkt;

	offer(test);
	host->script.answer = HVSIM_ANSWER_NONE;
	KUNIT_ASSERT_EQ(test, port_register(), 0);
	expect_log(test, "AOSP");
	pkt = VmbPacketAllocate(port_channel);
	KUNIT_ASSERT_NOT_NULL(test, pkt);
	VmbPacketSetCompletionRoutine(pkt, count_cancelled);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(pkt, "x", 1, NULL, WAIT_FOR_COMPLETION),
			STATUS_SUCCESS);
	port_unregister();
	KUNIT_EXPECT_STREQ(test, port_log, "AOSPUCR");
	/* this side closed it: not STATUS_DEVICE_REMOVED */
	KUNIT_EXPECT_EQ(test, port_cancelled, 1u);
	KUNIT_EXPECT_FALSE(test, host->open);
	KUNIT_EXPECT_TRUE(test, host->offered);
}

static void a_vsc_can_come_and_go(struct kunit *test)
{
	unsigned int i;

	offer(test);
	for (i = 0; i < 10; i++) {
		memset(port_log, 0, sizeof(port_log));
		port_logged = 0;
		KUNIT_ASSERT_EQ(test, port_register(), 0);
		if (i % 2)
			expect_log(test, "AOSP");
		port_unregister();
		/* add has run before remove, however quick it was */
		KUNIT_EXPECT_STREQ(test, port_log, "AOSPUCR");
	}
}

static void a_vsc_that_makes_no_channel_is_removed_all_the_same(struct kunit *test)
{
	port_silent = true;
	KUNIT_ASSERT_EQ(test, port_register(), 0);
	offer(test);
	expect_log(test, "A");
	rescind(test);
	expect_log(test, "AR");
}

static void a_device_that_goes_before_its_add_is_neither_added_nor_removed(struct kunit *test)
{
	const struct hvsim_offer o = { .type = vsc_type, .instance = vsc_type };
	struct hvsim_chan *second;

	port_silent = true;
	port_hold = true;
	KUNIT_ASSERT_EQ(test, port_register(), 0);
	offer(test);
	expect_log(test, "A");
	second = hvsim_offer(&o);
	KUNIT_ASSERT_FALSE(test, IS_ERR(second));
	hvsim_settle();
	hvsim_rescind(second);
	hvsim_settle();
	/* one at a time: the second add waits for the first */
	expect_log(test, "A");
	WRITE_ONCE(port_hold, false);
	wake_up_all(&port_wait);
	KUNIT_EXPECT_TRUE(test, hvsim_wait_released(second));
	expect_log(test, "A");
}

static void an_add_that_fails_is_said_and_never_removed(struct kunit *test)
{
	struct kmsg k;

	port_add_error = -ENXIO;
	kmsg_mark(&k);
	offer(test);
	KUNIT_ASSERT_EQ(test, port_register(), 0);
	expect_log(test, "A");
	kmsg_expect(test, &k, 1, "kmcl: kmcl_port: device ");
	kmsg_expect(test, &k, 1, "not taken (-6)");
	rescind(test);
	port_unregister();
	expect_log(test, "A");
}

/* ---- registration ---- */

static void an_incomplete_vsc_is_refused(struct kunit *test)
{
	struct kmcl_vsc whole = port;

	port.name = NULL;
	KUNIT_EXPECT_EQ(test, port_register(), -EINVAL);
	port = whole;
	port.id_table = NULL;
	KUNIT_EXPECT_EQ(test, port_register(), -EINVAL);
	port = whole;
	port.add = NULL;
	KUNIT_EXPECT_EQ(test, port_register(), -EINVAL);
	port = whole;
	port.remove = NULL;
	KUNIT_EXPECT_EQ(test, port_register(), -EINVAL);
	port = whole;
	KUNIT_EXPECT_EQ(test, port_register(), 0);
}

static void a_name_that_is_taken_is_refused(struct kunit *test)
{
	struct kmcl_vsc second = port;

	KUNIT_ASSERT_EQ(test, port_register(), 0);
	KUNIT_EXPECT_LT(test, kmcl_vsc_register(&second), 0);
	offer(test);
	expect_log(test, "AOSP");
}

static int foreign_probe(struct hv_device *dev, const struct hv_vmbus_device_id *id)
{
	return 0;
}

static KMCL_REMOVE_RET foreign_remove(struct hv_device *dev)
{
	KMCL_REMOVE_DONE;
}

static struct hv_driver foreign = {
	.name = "kmcl_foreign",
	.id_table = port_ids,
	.probe = foreign_probe,
	.remove = foreign_remove,
};

static void a_device_of_another_driver_is_named_and_left_alone(struct kunit *test)
{
	struct kmsg k;

	KUNIT_ASSERT_EQ(test, vmbus_driver_register(&foreign), 0);
	offer(test);
	kmsg_mark(&k);
	KUNIT_EXPECT_EQ(test, port_register(), 0);
	kmsg_expect(test, &k, 1, "belongs to driver kmcl_foreign");
	vmbus_driver_unregister(&foreign);
	expect_log(test, "");
}

/* ---- parents ---- */

static void expect_no_target(struct kunit *test, struct device *parent)
{
	VMBCHANNEL ch = new_channel(parent);
	struct kmsg k;

	KUNIT_ASSERT_NOT_NULL(test, ch);
	kmsg_mark(&k);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(ch), STATUS_INVALID_PARAMETER);
	kmsg_expect(test, &k, 1, "the parent is no VMBus device of a registered VSC");
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetFlags(ch, 0), STATUS_SUCCESS);
	VmbChannelCleanup(ch);
	KUNIT_EXPECT_STREQ(test, port_log, "");
}

static void a_parent_that_is_no_vmbus_device_is_refused(struct kunit *test)
{
	struct device *dev = root_device_register("kmcl_parent");

	KUNIT_ASSERT_FALSE(test, IS_ERR(dev));
	expect_no_target(test, dev);
	root_device_unregister(dev);
}

static void no_parent_and_no_target_is_refused(struct kunit *test)
{
	expect_no_target(test, NULL);
}

static void a_parent_of_another_kind_serves_with_a_target(struct kunit *test)
{
	struct device *dev = root_device_register("kmcl_parent");
	VMBCHANNEL ch;

	KUNIT_ASSERT_FALSE(test, IS_ERR(dev));
	ch = new_channel(dev);
	KUNIT_ASSERT_NOT_NULL(test, ch);
	KUNIT_EXPECT_EQ(test, vsc_set_target(ch, &vsc_instance), STATUS_SUCCESS);
	offer(test);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(ch), STATUS_SUCCESS);
	VmbChannelCleanup(ch);
	root_device_unregister(dev);
	KUNIT_EXPECT_STREQ(test, port_log, "OSPUC");
}

static void a_parent_serves_one_channel_at_a_time(struct kunit *test)
{
	VMBCHANNEL ch;
	struct kmsg k;

	offer(test);
	KUNIT_ASSERT_EQ(test, port_register(), 0);
	expect_log(test, "AOSP");
	ch = new_channel(port_device);
	KUNIT_ASSERT_NOT_NULL(test, ch);
	kmsg_mark(&k);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(ch), STATUS_UNSUCCESSFUL);
	kmsg_expect(test, &k, 1, "the device belongs to another channel");
	VmbChannelDisable(port_channel);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(ch), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(port_channel), STATUS_UNSUCCESSFUL);
	VmbChannelDisable(ch);
	VmbChannelCleanup(ch);
	KUNIT_EXPECT_STREQ(test, port_log, "AOSPUCOSPUC");
}

static void a_parent_that_has_gone_is_refused(struct kunit *test)
{
	VMBCHANNEL ch;

	port_silent = true;
	offer(test);
	KUNIT_ASSERT_EQ(test, port_register(), 0);
	expect_log(test, "A");
	ch = new_channel(port_device);
	KUNIT_ASSERT_NOT_NULL(test, ch);
	hvsim_rescind(host);
	expect_log(test, "AR");
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(ch), STATUS_INVALID_PARAMETER);
	/* the channel holds the device up to here */
	KUNIT_EXPECT_FALSE(test, host->released);
	VmbChannelCleanup(ch);
	KUNIT_EXPECT_TRUE(test, hvsim_wait_released(host));
	expect_log(test, "AR");
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_device_that_is_there_is_added),
	KUNIT_CASE(a_device_that_comes_later_is_added),
	KUNIT_CASE(the_parent_device_is_the_target),
	KUNIT_CASE(a_device_that_goes_is_removed),
	KUNIT_CASE(unregister_disables_while_the_device_is_still_there),
	KUNIT_CASE(a_vsc_can_come_and_go),
	KUNIT_CASE(a_vsc_that_makes_no_channel_is_removed_all_the_same),
	KUNIT_CASE(a_device_that_goes_before_its_add_is_neither_added_nor_removed),
	KUNIT_CASE(an_add_that_fails_is_said_and_never_removed),
	KUNIT_CASE(an_incomplete_vsc_is_refused),
	KUNIT_CASE(a_name_that_is_taken_is_refused),
	KUNIT_CASE(a_device_of_another_driver_is_named_and_left_alone),
	KUNIT_CASE(a_parent_that_is_no_vmbus_device_is_refused),
	KUNIT_CASE(no_parent_and_no_target_is_refused),
	KUNIT_CASE(a_parent_of_another_kind_serves_with_a_target),
	KUNIT_CASE(a_parent_serves_one_channel_at_a_time),
	KUNIT_CASE(a_parent_that_has_gone_is_refused),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_vsc",
	.init = port_init,
	.exit = port_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
