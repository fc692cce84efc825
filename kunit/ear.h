/* SPDX-License-Identifier: GPL-2.0 */
/* Who listens to keyboards, for suites in which somebody types. One for a module. */
#ifndef _KMCL_EAR_H
#define _KMCL_EAR_H

#include <kunit/test.h>
#include <linux/input.h>
#include <linux/slab.h>
#include <linux/string.h>

/**
 * struct ear - what is heard
 * @name: of the device that is listened to; NULL: any with keys
 * @keyboards: that are there
 * @count: key events heard, as far as there is room
 * @heard: the events
 * @scan: the last scan code
 * @on: it listens
 */
static struct ear {
	const char *name;
	int keyboards;
	unsigned int count;
	struct {
		unsigned int code;
		int value;
	} heard[32];
	int scan;
	bool on;
} ear;

static void ear_event(struct input_handle *handle, unsigned int type, unsigned int code, int value)
{
	if (type == EV_MSC && code == MSC_SCAN)
		ear.scan = value;
	if (type != EV_KEY || ear.count == ARRAY_SIZE(ear.heard))
		return;
	ear.heard[ear.count].code = code;
	ear.heard[ear.count].value = value;
	WRITE_ONCE(ear.count, ear.count + 1);
}

static int ear_connect(struct input_handler *handler, struct input_dev *dev,
		       const struct input_device_id *id)
{
	struct input_handle *handle;
	int ret;

	if (ear.name && strcmp(dev->name, ear.name))
		return -ENODEV;
	handle = kzalloc(sizeof(*handle), GFP_KERNEL);
	if (!handle)
		return -ENOMEM;
	handle->dev = dev;
	handle->handler = handler;
	handle->name = "ear";
	ret = input_register_handle(handle);
	if (!ret) {
		ret = input_open_device(handle);
		if (ret)
			input_unregister_handle(handle);
	}
	if (ret) {
		kfree(handle);
		return ret;
	}
	WRITE_ONCE(ear.keyboards, ear.keyboards + 1);
	return 0;
}

static void ear_disconnect(struct input_handle *handle)
{
	WRITE_ONCE(ear.keyboards, ear.keyboards - 1);
	input_close_device(handle);
	input_unregister_handle(handle);
	kfree(handle);
}

static const struct input_device_id ear_ids[] = {
	{ .flags = INPUT_DEVICE_ID_MATCH_EVBIT, .evbit = { BIT_MASK(EV_KEY) } },
	{ },
};

static struct input_handler ear_handler = {
	.event = ear_event,
	.connect = ear_connect,
	.disconnect = ear_disconnect,
	.name = "kmcl_ear",
	.id_table = ear_ids,
};

static inline void ear_start(struct kunit *test, const char *name)
{
	ear.name = name;
	ear.keyboards = 0;
	ear.count = 0;
	KUNIT_ASSERT_EQ(test, input_register_handler(&ear_handler), 0);
	ear.on = true;
}

/* Also for a case that was broken off: a handler registered twice has no end. */
static inline void ear_stop(void)
{
	if (ear.on)
		input_unregister_handler(&ear_handler);
	ear.on = false;
}

static inline void ear_expect(struct kunit *test, unsigned int nr, unsigned int code, int value)
{
	KUNIT_EXPECT_GT(test, ear.count, nr);
	KUNIT_EXPECT_EQ_MSG(test, ear.heard[nr].code, code, "event %u", nr);
	KUNIT_EXPECT_EQ_MSG(test, ear.heard[nr].value, value, "event %u", nr);
}

#endif
