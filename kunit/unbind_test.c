// SPDX-License-Identifier: GPL-2.0
/*
 * An administrator takes a device from its driver and gives it back, through
 * sysfs, and what a later Enable makes of that.
 */
#include <linux/fs.h>
#include <linux/module.h>
#include <kmcl/device.h>
#include <kmcl/vsc.h>
#include "compat.h"
#include "fixture.h"
#include "helper.h"
#include "kmsg.h"

#define CLASS_DRIVER	"kmcl:6b6d636c-0001-4000-8000-000000000001"

static const guid_t other_instance =
	GUID_INIT(0x6b6d636c, 0x0002, 0x4000, 0x80, 0, 0, 0, 0, 0, 0, 3);

static bool is_disabled(struct vsc *v)
{
	return READ_ONCE(v->kch->state) == KMCL_DISABLED && !READ_ONCE(v->kch->life_owner);
}

static int write_file(const char *path, const char *text)
{
	struct file *file = open_path(path, O_WRONLY);
	loff_t pos = 0;
	ssize_t ret;

	if (IS_ERR(file))
		return PTR_ERR(file);
	ret = kernel_write(file, text, strlen(text), &pos);
	filp_close(file, NULL);
	return ret < 0 ? ret : 0;
}

/* echo DEVICE > /sys/bus/vmbus/drivers/DRIVER/{unbind,bind} */
static int driver_file(const char *driver, const char *file, const guid_t *device)
{
	char path[128], name[UUID_STRING_LEN + 1];

	snprintf(path, sizeof(path), "/sys/bus/vmbus/drivers/%s/%s", driver, file);
	snprintf(name, sizeof(name), "%pUl", device);
	return write_file(path, name);
}

static int override(const guid_t *device, const char *driver)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/vmbus/devices/%pUl/driver_override", device);
	return write_file(path, driver);
}

static int foreign_probe(struct hv_device *dev, const struct hv_vmbus_device_id *id)
{
	return 0;
}

static KMCL_REMOVE_RET foreign_remove(struct hv_device *dev)
{
	KMCL_REMOVE_DONE;
}

static const struct hv_vmbus_device_id ids[] = {
	{ .guid = GUID_INIT(0x6b6d636c, 0x0001, 0x4000, 0x80, 0, 0, 0, 0, 0, 0, 1) },
	{ }
};

static struct hv_driver foreign = {
	.name = "kmcl_foreign",
	.id_table = ids,
	.probe = foreign_probe,
	.remove = foreign_remove,
};

/* ---- a channel with TargetPnp ---- */

static void an_unbound_device_is_taken_again_by_Enable(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	int i;

	v->offer.script.answer = HVSIM_ANSWER_NONE;
	for (i = 1; i <= 3; i++) {
		if (i == 1)
			vsc_bring_up(v);
		else
			KUNIT_ASSERT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
		KUNIT_EXPECT_EQ(test, vsc_send(v, "x", 1, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
		KUNIT_EXPECT_EQ(test, driver_file(CLASS_DRIVER, "unbind", &vsc_instance), 0);
		KUNIT_EXPECT_EQ(test, atomic_read(&v->removed), i);
		KUNIT_EXPECT_FALSE(test, v->host->open);
		KUNIT_EXPECT_TRUE(test, becomes(is_disabled(v)));
	}
	vsc_expect_log(v, "UCOSPUCOSPUC");
}

static void enable_in_closed(struct vsc *v, enum vsc_event event)
{
	if (event == VSC_CLOSED)
		VmbChannelEnable(v->ch);
}

static void an_Enable_inside_Closed_has_the_device_back_at_once(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	v->on_state = enable_in_closed;
	vsc_bring_up(v);
	KUNIT_EXPECT_EQ(test, driver_file(CLASS_DRIVER, "unbind", &vsc_instance), 0);
	vsc_expect_soon(v, v->logged == 5);
	vsc_expect_log(v, "UCOSP");
	KUNIT_EXPECT_TRUE(test, v->host->open);
	v->on_state = NULL;
}

static void a_device_that_another_driver_has_got_is_refused_until_it_is_freed(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct kmsg k;

	vsc_bring_up(v);
	KUNIT_ASSERT_EQ(test, vmbus_driver_register(&foreign), 0);
	KUNIT_EXPECT_EQ(test, driver_file(CLASS_DRIVER, "unbind", &vsc_instance), 0);
	KUNIT_EXPECT_TRUE(test, becomes(is_disabled(v)));
	KUNIT_EXPECT_EQ(test, driver_file("kmcl_foreign", "bind", &vsc_instance), 0);
	kmsg_mark(&k);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_UNSUCCESSFUL);
	kmsg_expect(test, &k, 1, "belongs to driver kmcl_foreign; to free it: echo");
	/* as the line says */
	KUNIT_EXPECT_EQ(test, driver_file("kmcl_foreign", "unbind", &vsc_instance), 0);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	vsc_expect_log(v, "UCOSP");
	vmbus_driver_unregister(&foreign);
	KUNIT_EXPECT_TRUE(test, v->host->open);
}

static void a_device_meant_for_another_driver_is_waited_for_and_comes_with_bind(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	vsc_bring_up(v);
	KUNIT_ASSERT_EQ(test, override(&vsc_instance, "kmcl_foreign"), 0);
	KUNIT_EXPECT_EQ(test, driver_file(CLASS_DRIVER, "unbind", &vsc_instance), 0);
	KUNIT_EXPECT_TRUE(test, becomes(is_disabled(v)));
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, driver_file(CLASS_DRIVER, "bind", &vsc_instance), -ENODEV);
	KUNIT_EXPECT_FALSE(test, v->host->open);
	vsc_expect_log(v, "UC");

	KUNIT_ASSERT_EQ(test, override(&vsc_instance, "\n"), 0);
	KUNIT_EXPECT_EQ(test, driver_file(CLASS_DRIVER, "bind", &vsc_instance), 0);
	vsc_expect_soon(v, v->logged == 5);
	vsc_expect_log(v, "UCOSP");
}

static void a_device_that_no_channel_waits_for_cannot_be_bound(struct kunit *test)
{
	struct vsc *v = vsc_new(test), *w = vsc_new(test);

	KUNIT_ASSERT_EQ(test, vsc_set_target(w->ch, &other_instance), STATUS_SUCCESS);
	w->offer.instance = other_instance;
	vsc_bring_up(v);
	vsc_offer(w);
	KUNIT_EXPECT_EQ(test, driver_file(CLASS_DRIVER, "bind", &other_instance), -ENODEV);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(w->ch), STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, w->host->open);
	/* and one that is bound stays */
	KUNIT_EXPECT_LT(test, driver_file(CLASS_DRIVER, "bind", &other_instance), 0);
	KUNIT_EXPECT_TRUE(test, w->host->open);
}

/* ---- a VSC that gets its device from the library ---- */

static struct device *port_device;
static unsigned int port_adds;
static unsigned int port_removes;

static int port_add(struct device *dev)
{
	port_adds++;
	WRITE_ONCE(port_device, dev);
	return 0;
}

static void port_remove(struct device *dev)
{
	WRITE_ONCE(port_device, NULL);
	port_removes++;
}

static void a_vsc_loses_an_unbound_device_and_gets_it_with_bind(struct kunit *test)
{
	struct kmcl_vsc port = {
		.name = "kmcl_port",
		.owner = THIS_MODULE,
		.id_table = ids,
		.add = port_add,
		.remove = port_remove,
	};
	struct vsc *v = vsc_new(test);
	VMBCHANNEL ch;

	port_adds = 0;
	port_removes = 0;
	KUNIT_ASSERT_EQ(test, kmcl_vsc_register(&port), 0);
	vsc_offer(v);
	KUNIT_EXPECT_TRUE(test, becomes(READ_ONCE(port_device)));
	KUNIT_EXPECT_EQ(test, VmbChannelAllocate(kmcl_device_object(port_device), FALSE, &ch),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(ch), STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, v->host->open);

	KUNIT_EXPECT_EQ(test, driver_file("kmcl_port", "unbind", &vsc_instance), 0);
	KUNIT_EXPECT_FALSE(test, v->host->open);
	KUNIT_EXPECT_TRUE(test, becomes(!READ_ONCE(port_device)));
	VmbChannelDisable(ch);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(ch), STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_FALSE(test, v->host->open);

	KUNIT_EXPECT_EQ(test, driver_file("kmcl_port", "bind", &vsc_instance), 0);
	KUNIT_EXPECT_TRUE(test, becomes(READ_ONCE(port_device)));
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(ch), STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, v->host->open);
	VmbChannelCleanup(ch);
	kmcl_vsc_unregister(&port);
	KUNIT_EXPECT_EQ(test, port_adds, 2u);
	KUNIT_EXPECT_EQ(test, port_removes, 2u);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(an_unbound_device_is_taken_again_by_Enable),
	KUNIT_CASE(an_Enable_inside_Closed_has_the_device_back_at_once),
	KUNIT_CASE(a_device_that_another_driver_has_got_is_refused_until_it_is_freed),
	KUNIT_CASE(a_device_meant_for_another_driver_is_waited_for_and_comes_with_bind),
	KUNIT_CASE(a_device_that_no_channel_waits_for_cannot_be_bound),
	KUNIT_CASE(a_vsc_loses_an_unbound_device_and_gets_it_with_bind),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_unbind",
	.init = vsc_suite_init,
	.exit = vsc_suite_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
