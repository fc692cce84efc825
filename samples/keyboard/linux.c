// SPDX-License-Identifier: GPL-2.0
/*
 * Linux around the keyboard: an input device, and files for the administrator in
 * /sys/module/kmcl_keyboard/keyboard/.
 *
 * Scan codes become key codes here and not in a serio port, so the keyboard works
 * on a kernel without atkbd; the table can be changed as any keyboard's can.  Keys
 * repeat as the host has them repeat.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitops.h>
#include <linux/err.h>
#include <linux/hyperv.h>
#include <linux/input.h>
#include <linux/module.h>
#include <linux/slab.h>

#include <kmcl/device.h>
#include <kmcl/status.h>

#include "../sample.h"
#include "protocol.h"

/* A scan code of set 1, and this for the prefix E0: an index into the table. */
#define SCAN_E0			0x80
#define SCAN_CODES		0x100

/* Pause is E1 1D 45, the only key behind E1. */
#define SCAN_PAUSE_1		0x1d
#define SCAN_PAUSE_2		0x45

/**
 * struct keyboard - the device and its input device
 * @protocol: the device
 * @input: what the system sees
 * @keymap: key codes by scan code, for the administrator to change
 * @pausing: the first half of Pause has come
 */
struct keyboard {
	PKB_DEVICE protocol;
	struct input_dev *input;
	unsigned short keymap[SCAN_CODES];
	bool pausing;
};

/* Up to here, key codes are the scan codes of set 1. */
#define SAME_UP_TO		0x53

static const struct {
	u8 scan;
	u16 key;
} keyboard_keys[] = {
	{ 0x54, KEY_SYSRQ },
	{ 0x56, KEY_102ND },
	{ 0x57, KEY_F11 },
	{ 0x58, KEY_F12 },
	{ 0x59, KEY_KPEQUAL },
	{ 0x64, KEY_F13 },
	{ 0x65, KEY_F14 },
	{ 0x66, KEY_F15 },
	{ 0x67, KEY_F16 },
	{ 0x68, KEY_F17 },
	{ 0x69, KEY_F18 },
	{ 0x6a, KEY_F19 },
	{ 0x6b, KEY_F20 },
	{ 0x6c, KEY_F21 },
	{ 0x6d, KEY_F22 },
	{ 0x6e, KEY_F23 },
	{ 0x76, KEY_F24 },
	{ 0x70, KEY_KATAKANAHIRAGANA },
	{ 0x71, KEY_HANJA },
	{ 0x72, KEY_HANGEUL },
	{ 0x73, KEY_RO },
	{ 0x77, KEY_HIRAGANA },
	{ 0x78, KEY_KATAKANA },
	{ 0x79, KEY_HENKAN },
	{ 0x7b, KEY_MUHENKAN },
	{ 0x7d, KEY_YEN },
	{ 0x7e, KEY_KPCOMMA },

	{ SCAN_E0 | 0x10, KEY_PREVIOUSSONG },
	{ SCAN_E0 | 0x19, KEY_NEXTSONG },
	{ SCAN_E0 | 0x1c, KEY_KPENTER },
	{ SCAN_E0 | 0x1d, KEY_RIGHTCTRL },
	{ SCAN_E0 | 0x20, KEY_MUTE },
	{ SCAN_E0 | 0x21, KEY_CALC },
	{ SCAN_E0 | 0x22, KEY_PLAYPAUSE },
	{ SCAN_E0 | 0x24, KEY_STOPCD },
	{ SCAN_E0 | 0x2e, KEY_VOLUMEDOWN },
	{ SCAN_E0 | 0x30, KEY_VOLUMEUP },
	{ SCAN_E0 | 0x32, KEY_HOMEPAGE },
	{ SCAN_E0 | 0x35, KEY_KPSLASH },
	{ SCAN_E0 | 0x37, KEY_SYSRQ },
	{ SCAN_E0 | 0x38, KEY_RIGHTALT },
	{ SCAN_E0 | 0x46, KEY_PAUSE },
	{ SCAN_E0 | 0x47, KEY_HOME },
	{ SCAN_E0 | 0x48, KEY_UP },
	{ SCAN_E0 | 0x49, KEY_PAGEUP },
	{ SCAN_E0 | 0x4b, KEY_LEFT },
	{ SCAN_E0 | 0x4d, KEY_RIGHT },
	{ SCAN_E0 | 0x4f, KEY_END },
	{ SCAN_E0 | 0x50, KEY_DOWN },
	{ SCAN_E0 | 0x51, KEY_PAGEDOWN },
	{ SCAN_E0 | 0x52, KEY_INSERT },
	{ SCAN_E0 | 0x53, KEY_DELETE },
	{ SCAN_E0 | 0x5b, KEY_LEFTMETA },
	{ SCAN_E0 | 0x5c, KEY_RIGHTMETA },
	{ SCAN_E0 | 0x5d, KEY_COMPOSE },
	{ SCAN_E0 | 0x5e, KEY_POWER },
	{ SCAN_E0 | 0x5f, KEY_SLEEP },
	{ SCAN_E0 | 0x63, KEY_WAKEUP },
	{ SCAN_E0 | 0x65, KEY_SEARCH },
	{ SCAN_E0 | 0x66, KEY_BOOKMARKS },
	{ SCAN_E0 | 0x67, KEY_REFRESH },
	{ SCAN_E0 | 0x68, KEY_STOP },
	{ SCAN_E0 | 0x69, KEY_FORWARD },
	{ SCAN_E0 | 0x6a, KEY_BACK },
	{ SCAN_E0 | 0x6b, KEY_COMPUTER },
	{ SCAN_E0 | 0x6c, KEY_MAIL },
	{ SCAN_E0 | 0x6d, KEY_MEDIA },
};

static struct sample keyboard;

/* ---- what the protocol asks for ---- */

static void keyboard_report(struct keyboard *kb, unsigned int scan, unsigned int key, bool down)
{
	int value = down;

	if (down && test_bit(key, kb->input->key))
		value = 2;	/* again */
	input_event(kb->input, EV_MSC, MSC_SCAN, scan);
	/* The shifts that a keyboard invents around some keys have no code. */
	if (key != KEY_RESERVED)
		input_event(kb->input, EV_KEY, key, value);
	input_sync(kb->input);
}

VOID KbKeystroke(PVOID System, UINT8 ScanCode, ULONG Prefix, BOOLEAN Down)
{
	unsigned int scan = ScanCode | (Prefix & KB_PREFIX_E0 ? SCAN_E0 : 0);
	struct keyboard *kb = System;
	bool pausing = kb->pausing;

	kb->pausing = Prefix & KB_PREFIX_E1 && ScanCode == SCAN_PAUSE_1;
	if (Prefix & KB_PREFIX_E1)
		return;
	if (pausing && scan == SCAN_PAUSE_2)
		scan = SCAN_E0 | 0x46;
	keyboard_report(kb, scan, READ_ONCE(kb->keymap[scan]), Down);
}

VOID KbReleaseAll(PVOID System)
{
	struct keyboard *kb = System;

	kb->pausing = false;
	input_reset_device(kb->input);
}

/* ---- files ---- */

#define KEYBOARD_COUNTER(file, member)						\
static ssize_t file##_show(struct kobject *kobj, struct kobj_attribute *attr,	\
			   char *buf)						\
{										\
	struct keyboard *kb = sample_get(&keyboard);				\
	KB_COUNTERS c;								\
										\
	if (IS_ERR(kb))								\
		return PTR_ERR(kb);						\
	KbQueryCounters(kb->protocol, &c);					\
	sample_put(&keyboard);							\
	return sysfs_emit(buf, "%llu\n", c.member);				\
}										\
static struct kobj_attribute file##_attr = __ATTR_RO(file)

KEYBOARD_COUNTER(keystrokes, Keystrokes);
KEYBOARD_COUNTER(characters, Characters);
KEYBOARD_COUNTER(bad_messages, BadMessages);

static struct attribute *keyboard_attrs[] = {
	&keystrokes_attr.attr,
	&characters_attr.attr,
	&bad_messages_attr.attr,
	NULL
};

static const struct attribute_group keyboard_group = {
	.attrs = keyboard_attrs,
};

/* ---- module ---- */

static void keyboard_fill_keymap(struct keyboard *kb)
{
	unsigned int i;

	for (i = 1; i <= SAME_UP_TO; i++)
		kb->keymap[i] = i;
	for (i = 0; i < ARRAY_SIZE(keyboard_keys); i++)
		kb->keymap[keyboard_keys[i].scan] = keyboard_keys[i].key;
	for (i = 0; i < SCAN_CODES; i++)
		if (kb->keymap[i] != KEY_RESERVED)
			__set_bit(kb->keymap[i], kb->input->keybit);
}

/*
 * The input device has no parent: the VMBus device may be gone before its driver
 * hears of it.
 */
static struct input_dev *keyboard_input(struct keyboard *kb)
{
	struct input_dev *input = input_allocate_device();

	if (!input)
		return NULL;
	input->name = "Hyper-V keyboard";
	input->phys = "kmcl_keyboard/input0";
	input->id.bustype = BUS_VIRTUAL;
	kb->input = input;
	__set_bit(EV_KEY, input->evbit);
	__set_bit(EV_REP, input->evbit);
	input_set_capability(input, EV_MSC, MSC_SCAN);
	keyboard_fill_keymap(kb);
	input->keycode = kb->keymap;
	input->keycodesize = sizeof(kb->keymap[0]);
	input->keycodemax = SCAN_CODES;
	/* Set by the driver, they leave repeating to it. */
	input->rep[REP_DELAY] = 250;
	input->rep[REP_PERIOD] = 33;
	return input;
}

/* Keystrokes that come before the input device is registered reach nobody. */
static void *keyboard_create(struct device *dev)
{
	struct keyboard *kb = kzalloc(sizeof(*kb), GFP_KERNEL);
	int ret = -ENOMEM;

	if (!kb)
		return ERR_PTR(ret);
	if (!keyboard_input(kb))
		goto free_keyboard;
	ret = kmcl_status_to_errno(KbCreate(kmcl_device_object(dev), kb, &kb->protocol));
	if (ret)
		goto free_input;
	ret = input_register_device(kb->input);
	if (ret)
		goto destroy;
	return kb;

destroy:
	KbDestroy(kb->protocol);
free_input:
	input_free_device(kb->input);
free_keyboard:
	kfree(kb);
	return ERR_PTR(ret);
}

static void keyboard_destroy(void *device)
{
	struct keyboard *kb = device;

	KbDestroy(kb->protocol);
	input_unregister_device(kb->input);
	kfree(kb);
}

static int keyboard_add(struct device *dev)
{
	return sample_add(&keyboard, dev);
}

static void keyboard_remove(struct device *dev)
{
	sample_remove(&keyboard);
}

static const struct hv_vmbus_device_id keyboard_ids[] = {
	/* f912ad6d-2b17-48ea-bd65-f927a61c7684 */
	{ HV_KBD_GUID, },
	{ },
};

MODULE_DEVICE_TABLE(vmbus, keyboard_ids);

static struct sample keyboard = {
	.name = "keyboard",
	.files = &keyboard_group,
	.vsc = {
		.name = KBUILD_MODNAME,
		.owner = THIS_MODULE,
		.id_table = keyboard_ids,
		.add = keyboard_add,
		.remove = keyboard_remove,
	},
	.create = keyboard_create,
	.destroy = keyboard_destroy,
};

static int __init keyboard_init(void)
{
	return sample_register(&keyboard);
}
module_init(keyboard_init);

static void __exit keyboard_exit(void)
{
	sample_unregister(&keyboard);
}
module_exit(keyboard_exit);

MODULE_DESCRIPTION("Synthetic keyboard for Hyper-V guests, ported with KMCL");
MODULE_LICENSE("GPL");
