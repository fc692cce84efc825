// SPDX-License-Identifier: GPL-2.0
/*
 * Which device a channel gets, what becomes of it when the device goes, and
 * who else may have it.
 */
#include <linux/module.h>
#include "compat.h"
#include "fixture.h"
#include "kmsg.h"

static const guid_t other_instance =
	GUID_INIT(0x6b6d636c, 0x0002, 0x4000, 0x80, 0, 0, 0, 0, 0, 0, 3);

static void clear_log(struct vsc *v)
{
	memset(v->log, 0, sizeof(v->log));
	v->logged = 0;
}

static void expect_instance(struct vsc *v, const guid_t *instance)
{
	guid_t active = vsc_type;
	LPGUID out = (LPGUID)&active;

	VmbChannelGetInterfaceInstance(v->ch, out);
	KUNIT_EXPECT_TRUE_MSG(v->test, guid_equal(&active, instance), "instance is %pUl", &active);
}

static void want_any_instance(struct vsc *v)
{
	KUNIT_ASSERT_EQ(v->test, vsc_set_target(v->ch, NULL), STATUS_SUCCESS);
}

/* ---- which device ---- */

static void the_instance_is_zero_until_there_is_one(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	expect_instance(v, &guid_null);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	expect_instance(v, &guid_null);
	vsc_offer(v);
	vsc_expect_soon(v, v->logged == 3);
	expect_instance(v, &vsc_instance);
	VmbChannelDisable(v->ch);
	vsc_rescind(v);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	expect_instance(v, &guid_null);
	VmbChannelGetInterfaceInstance(v->ch, NULL);
	VmbChannelGetInterfaceInstance(NULL, NULL);
}

static void another_instance_is_left_alone(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	v->offer.instance = other_instance;
	KUNIT_EXPECT_EQ(test, vsc_up(v), STATUS_SUCCESS);
	hvsim_settle();
	vsc_expect_log(v, "");
	KUNIT_EXPECT_FALSE(test, v->host->open);
	v->offer.instance = vsc_instance;
	vsc_offer(v);
	vsc_expect_soon(v, v->logged == 3);
	KUNIT_EXPECT_TRUE(test, v->host->open);
}

static void channels_of_any_instance_share_out_the_devices(struct kunit *test)
{
	struct vsc *a = vsc_new(test), *b = vsc_new(test);

	want_any_instance(a);
	want_any_instance(b);
	KUNIT_EXPECT_EQ(test, vsc_up(a), STATUS_SUCCESS);
	expect_instance(a, &vsc_instance);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(b->ch), STATUS_SUCCESS);
	vsc_expect_log(b, "");
	b->offer.instance = other_instance;
	vsc_offer(b);
	vsc_expect_soon(b, b->logged == 3);
	expect_instance(b, &other_instance);
	expect_instance(a, &vsc_instance);
	/* what one gives back the other may have */
	VmbChannelDisable(a->ch);
	VmbChannelDisable(b->ch);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(b->ch), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(a->ch), STATUS_SUCCESS);
	vsc_expect_log(a, "OSPUCOSP");
	vsc_expect_log(b, "OSPUCOSP");
}

static void the_device_of_another_channel_is_refused(struct kunit *test)
{
	struct vsc *a = vsc_new(test), *b = vsc_new(test);
	struct kmsg k;

	vsc_bring_up(a);
	kmsg_mark(&k);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(b->ch), STATUS_UNSUCCESSFUL);
	kmsg_expect(test, &k, 1, "belongs to another channel");
	vsc_expect_log(b, "");
	VmbChannelDisable(a->ch);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(b->ch), STATUS_SUCCESS);
	vsc_expect_log(b, "OSP");
}

/* ---- another driver ---- */

static int foreign_probe(struct hv_device *dev, const struct hv_vmbus_device_id *id)
{
	return 0;
}

static KMCL_REMOVE_RET foreign_remove(struct hv_device *dev)
{
	KMCL_REMOVE_DONE;
}

static const struct hv_vmbus_device_id foreign_ids[] = {
	{ .guid = GUID_INIT(0x6b6d636c, 0x0001, 0x4000, 0x80, 0, 0, 0, 0, 0, 0, 1) },
	{ }
};

static struct hv_driver foreign = {
	.name = "kmcl_foreign",
	.id_table = foreign_ids,
	.probe = foreign_probe,
	.remove = foreign_remove,
};

static void an_offer_of_another_driver_is_refused_until_it_is_freed(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct kmsg k;

	KUNIT_ASSERT_EQ(test, vmbus_driver_register(&foreign), 0);
	vsc_offer(v);
	kmsg_mark(&k);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_UNSUCCESSFUL);
	kmsg_expect(test, &k, 1, "belongs to driver kmcl_foreign");
	kmsg_expect(test, &k, 1, "/sys/bus/vmbus/drivers/kmcl_foreign/unbind");
	want_any_instance(v);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_UNSUCCESSFUL);
	vsc_expect_log(v, "");
	KUNIT_EXPECT_EQ(test, vsc_send(v, "x", 1, 0), STATUS_INVALID_DEVICE_STATE);

	vmbus_driver_unregister(&foreign);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	vsc_expect_log(v, "OSP");
}

static void a_device_that_nobody_wants_is_left_to_another_driver(struct kunit *test)
{
	struct vsc *a = vsc_new(test), *b = vsc_new(test);

	vsc_bring_up(a);
	b->offer.instance = other_instance;
	vsc_offer(b);
	/* of our class, but no channel's: free to be bound by anybody */
	KUNIT_ASSERT_EQ(test, vmbus_driver_register(&foreign), 0);
	KUNIT_ASSERT_EQ(test, vsc_set_target(b->ch, &other_instance), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(b->ch), STATUS_UNSUCCESSFUL);
	vmbus_driver_unregister(&foreign);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(b->ch), STATUS_SUCCESS);
	vsc_expect_log(b, "OSP");
	vsc_expect_log(a, "");
	KUNIT_EXPECT_TRUE(test, a->host->open);
}

/* ---- the offer goes ---- */

static void a_rescind_suspends_closes_and_leaves_the_channel_disabled(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	vsc_bring_up(v);
	vsc_rescind(v);
	vsc_expect_soon(v, v->logged == 2);
	vsc_expect_log(v, "UC");
	/* Closed has been called; the work behind it may still run */
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_EQ(test, vsc_send(v, "x", 1, 0), STATUS_INVALID_DEVICE_STATE);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetFlags(v->ch, 0), STATUS_SUCCESS);
	vsc_expect_log(v, "UC");
}

static void packets_end_as_removed_at_a_rescind(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	unsigned int i;

	v->offer.script.answer = HVSIM_ANSWER_LATER;
	vsc_bring_up(v);
	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_EQ(test, vsc_send(v, "x", 1, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	VmbChannelPause(v->ch);
	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_EQ(test, vsc_send(v, "x", 1, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	vsc_rescind(v);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->completions), 20);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->removed), 20);
	vsc_expect_soon(v, v->logged == 2);
	vsc_expect_log(v, "UC");
}

static void enable_after_a_rescind_takes_the_offer_when_it_returns(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	unsigned int i;

	vsc_bring_up(v);
	for (i = 0; i < 5; i++) {
		vsc_rescind(v);
		vsc_expect_soon(v, v->logged == 2);
		KUNIT_ASSERT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
		vsc_expect_log(v, "UC");
		vsc_offer(v);
		vsc_expect_soon(v, v->logged == 5);
		vsc_expect_log(v, "UCOSP");
		clear_log(v);
	}
	KUNIT_EXPECT_EQ(test, vsc_send(v, "x", 1, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	vsc_expect_soon(v, atomic_read(&v->ok) == 1);
}

static void enable_in_closed(struct vsc *v, enum vsc_event event)
{
	if (event != VSC_CLOSED)
		return;
	v->priv = (void *)(long)VmbChannelEnable(v->ch);
	KUNIT_EXPECT_EQ(v->test, vsc_send(v, "x", 1, 0), STATUS_INVALID_DEVICE_STATE);
}

static void enable_inside_closed_takes_effect_afterwards(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	v->on_state = enable_in_closed;
	vsc_bring_up(v);
	vsc_rescind(v);
	vsc_expect_soon(v, v->logged == 2);
	vsc_offer(v);
	vsc_expect_soon(v, v->logged == 5);
	vsc_expect_log(v, "UCOSP");
	KUNIT_EXPECT_EQ(test, (NTSTATUS)(long)v->priv, STATUS_SUCCESS);
	v->on_state = NULL;
}

static void disable_ends_in_disabled_whatever_closed_asks_for(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	v->on_state = enable_in_closed;
	vsc_bring_up(v);
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_EQ(test, (NTSTATUS)(long)v->priv, STATUS_INVALID_DEVICE_STATE);
	hvsim_settle();
	vsc_expect_log(v, "UC");
	KUNIT_EXPECT_FALSE(test, v->host->open);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetFlags(v->ch, 0), STATUS_SUCCESS);
}

static void cleanup_right_after_an_enable_inside_closed_is_safe(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < 3; i++) {
		struct vsc *v = vsc_new(test);

		v->on_state = enable_in_closed;
		vsc_bring_up(v);
		vsc_rescind(v);
		vsc_expect_soon(v, v->logged == 2);
		list_del_init(&v->node);
		VmbChannelCleanup(v->ch);
		vsc_expect_log(v, "UC");
		hvsim_forget(v->host);
	}
}

static void a_rescind_of_a_paused_channel_calls_closed_alone(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	vsc_bring_up(v);
	VmbChannelPause(v->ch);
	vsc_rescind(v);
	vsc_expect_soon(v, v->logged == 2);
	vsc_expect_log(v, "UC");
}

/* The rings are gone when this returns; the device waits for the driver. */
static void rescind_here(struct vsc *v, enum vsc_event event)
{
	if (event != *(enum vsc_event *)v->priv)
		return;
	hvsim_rescind(v->host);
	while (READ_ONCE(v->kch->link_state) != KMCL_LINK_NONE)
		schedule_timeout_uninterruptible(1);
}

static void expect_rescind_inside(struct kunit *test, enum vsc_event event, const char *log)
{
	struct vsc *v = vsc_new(test);

	v->on_state = rescind_here;
	v->priv = &event;
	vsc_up(v);
	vsc_expect_soon(v, v->logged == strlen(log));
	vsc_expect_log(v, log);
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_TRUE(test, hvsim_wait_released(v->host));
	v->on_state = NULL;
	clear_log(v);
	vsc_bring_up(v);
}

static void a_rescind_inside_opened_closes_without_start(struct kunit *test)
{
	expect_rescind_inside(test, VSC_OPENED, "OC");
}

static void a_rescind_inside_started_skips_post_started(struct kunit *test)
{
	expect_rescind_inside(test, VSC_STARTED, "OSUC");
}

static void a_rescind_inside_post_started_suspends_and_closes(struct kunit *test)
{
	expect_rescind_inside(test, VSC_POST_STARTED, "OSPUC");
}

static void a_rescind_inside_suspend_is_overtaken_by_disable(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	enum vsc_event event = VSC_SUSPEND;

	vsc_bring_up(v);
	v->on_state = rescind_here;
	v->priv = &event;
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_TRUE(test, hvsim_wait_released(v->host));
	vsc_expect_log(v, "UC");
}

static void a_rescind_inside_a_failing_opened_rolls_back(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	enum vsc_event event = VSC_OPENED;

	v->on_state = rescind_here;
	v->priv = &event;
	v->opened_status = STATUS_UNSUCCESSFUL;
	KUNIT_EXPECT_EQ(test, vsc_up(v), STATUS_UNSUCCESSFUL);
	vsc_expect_log(v, "O");
	KUNIT_EXPECT_TRUE(test, hvsim_wait_released(v->host));
	v->on_state = NULL;
	v->opened_status = STATUS_SUCCESS;
	clear_log(v);
	vsc_bring_up(v);
}

struct opener {
	struct work_struct work;
	struct vsc *v;
	NTSTATUS status;
};

static void open_elsewhere(struct work_struct *work)
{
	struct opener *o = container_of(work, struct opener, work);

	o->status = VmbChannelEnable(o->v->ch);
}

static void a_rescind_ends_an_enable_that_waits_for_the_host(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct opener o = { .v = v, .status = STATUS_PENDING };

	vsc_offer(v);
	hvsim_hold(v->host, CHANNELMSG_OPENCHANNEL);
	INIT_WORK_ONSTACK(&o.work, open_elsewhere);
	schedule_work(&o.work);
	while (!hvsim_held(v->host, CHANNELMSG_OPENCHANNEL))
		schedule_timeout_uninterruptible(1);
	vsc_rescind(v);
	flush_work(&o.work);
	destroy_work_on_stack(&o.work);
	KUNIT_EXPECT_EQ(test, o.status, STATUS_DEVICE_REMOVED);
	vsc_expect_log(v, "");
	vsc_bring_up(v);
}

static void unbinding_the_device_is_like_a_rescind(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct device *dev;

	v->offer.script.answer = HVSIM_ANSWER_LATER;
	vsc_bring_up(v);
	KUNIT_EXPECT_EQ(test, vsc_send(v, "x", 1, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	dev = get_device(v->kch->target.device);
	device_release_driver(dev);
	put_device(dev);
	KUNIT_EXPECT_EQ(test, atomic_read(&v->removed), 1);
	vsc_expect_soon(v, v->logged == 2);
	vsc_expect_log(v, "UC");
	KUNIT_EXPECT_FALSE(test, v->host->open);
	/* the offer is still there */
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	vsc_expect_log(v, "UCOSP");
}

/* ---- what is held meanwhile ---- */

static void the_transport_is_pinned_while_a_channel_is_enabled(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct module *owner;
	int before;

	KUNIT_ASSERT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	KUNIT_ASSERT_NOT_NULL(test, v->kch->transport);
	owner = v->kch->transport->owner;
	before = module_refcount(owner);
	KUNIT_EXPECT_GT(test, before, 0);
	vsc_offer(v);
	vsc_expect_soon(v, v->logged == 3);
	KUNIT_EXPECT_EQ(test, module_refcount(owner), before);
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_EQ(test, module_refcount(owner), before - 1);
	v->opened_status = STATUS_UNSUCCESSFUL;
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_UNSUCCESSFUL);
	KUNIT_EXPECT_EQ(test, module_refcount(owner), before - 1);
	VmbChannelInitSetMaximumPacketSize(v->ch, ~0u);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, module_refcount(owner), before - 1);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(the_instance_is_zero_until_there_is_one),
	KUNIT_CASE(another_instance_is_left_alone),
	KUNIT_CASE(channels_of_any_instance_share_out_the_devices),
	KUNIT_CASE(the_device_of_another_channel_is_refused),
	KUNIT_CASE(an_offer_of_another_driver_is_refused_until_it_is_freed),
	KUNIT_CASE(a_device_that_nobody_wants_is_left_to_another_driver),
	KUNIT_CASE(a_rescind_suspends_closes_and_leaves_the_channel_disabled),
	KUNIT_CASE(packets_end_as_removed_at_a_rescind),
	KUNIT_CASE(enable_after_a_rescind_takes_the_offer_when_it_returns),
	KUNIT_CASE(enable_inside_closed_takes_effect_afterwards),
	KUNIT_CASE(disable_ends_in_disabled_whatever_closed_asks_for),
	KUNIT_CASE(cleanup_right_after_an_enable_inside_closed_is_safe),
	KUNIT_CASE(a_rescind_of_a_paused_channel_calls_closed_alone),
	KUNIT_CASE(a_rescind_inside_opened_closes_without_start),
	KUNIT_CASE(a_rescind_inside_started_skips_post_started),
	KUNIT_CASE(a_rescind_inside_post_started_suspends_and_closes),
	KUNIT_CASE(a_rescind_inside_suspend_is_overtaken_by_disable),
	KUNIT_CASE(a_rescind_inside_a_failing_opened_rolls_back),
	KUNIT_CASE(a_rescind_ends_an_enable_that_waits_for_the_host),
	KUNIT_CASE(unbinding_the_device_is_like_a_rescind),
	KUNIT_CASE(the_transport_is_pinned_while_a_channel_is_enabled),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_bind",
	.init = vsc_suite_init,
	.exit = vsc_suite_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
