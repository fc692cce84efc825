// SPDX-License-Identifier: GPL-2.0
/*
 * Linux around the keyboard server: the module, and files for the administrator in
 * /sys/module/kmcl_kbdvsp/kbdvsp/.
 *
 * What is written to the file keystroke are the bytes that a keyboard sends, in
 * hexadecimal, scan codes of set 1 with prefixes and break bit: "1e 9e" is A going
 * down and up.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <kmcl/status.h>

#include "../vsp.h"
#include "protocol.h"

#define SCAN_E0		0xe0
#define SCAN_E1		0xe1
#define SCAN_BREAK	0x80

static PKBV_DEVICE kbdvsp;
/* one writer's keys after the other's */
static DEFINE_MUTEX(kbdvsp_lock);

/* ---- files ---- */

static int kbdvsp_byte(u8 byte, ULONG *prefix)
{
	NTSTATUS status;

	if (byte == SCAN_E0 || byte == SCAN_E1) {
		*prefix = byte == SCAN_E0 ? KBV_PREFIX_E0 : KBV_PREFIX_E1;
		return 0;
	}
	status = KbvKeystroke(kbdvsp, byte & ~SCAN_BREAK, *prefix, !(byte & SCAN_BREAK));
	*prefix = 0;
	if (status == STATUS_INVALID_DEVICE_STATE)
		return -ENOTCONN;
	return kmcl_status_to_errno(status);
}

static int kbdvsp_type(char *text)
{
	ULONG prefix = 0;
	char *word;
	int ret = 0;
	u8 byte;

	mutex_lock(&kbdvsp_lock);
	while (!ret && (word = strsep(&text, " \t\n"))) {
		if (!*word)
			continue;
		ret = kstrtou8(word, 16, &byte) ?: kbdvsp_byte(byte, &prefix);
	}
	mutex_unlock(&kbdvsp_lock);
	return ret ?: prefix ? -EINVAL : 0;
}

static ssize_t keystroke_store(struct kobject *kobj, struct kobj_attribute *attr,
			       const char *buf, size_t count)
{
	char *text = kstrndup(buf, count, GFP_KERNEL);
	int ret;

	if (!text)
		return -ENOMEM;
	ret = kbdvsp_type(text);
	kfree(text);
	return ret ?: count;
}

static struct kobj_attribute keystroke_attr = __ATTR_WO(keystroke);

#define KBDVSP_NUMBER(file, format, member)					\
static ssize_t file##_show(struct kobject *kobj, struct kobj_attribute *attr,	\
			   char *buf)						\
{										\
	KBV_COUNTERS c;								\
										\
	KbvQueryCounters(kbdvsp, &c);						\
	return sysfs_emit(buf, format "\n", c.member);				\
}										\
static struct kobj_attribute file##_attr = __ATTR_RO(file)

KBDVSP_NUMBER(connected, "%u", Connected);
KBDVSP_NUMBER(leds, "%#x", Leds);
KBDVSP_NUMBER(keystrokes, "%llu", Keystrokes);
KBDVSP_NUMBER(bad_messages, "%llu", BadMessages);

static struct attribute *kbdvsp_attrs[] = {
	&keystroke_attr.attr,
	&connected_attr.attr,
	&leds_attr.attr,
	&keystrokes_attr.attr,
	&bad_messages_attr.attr,
	NULL
};

static const struct attribute_group kbdvsp_group = {
	.attrs = kbdvsp_attrs,
};

static const struct attribute_group *kbdvsp_groups[] = {
	&kbdvsp_group,
	NULL
};

/* ---- module ---- */

static int __init kbdvsp_init(void)
{
	int ret = vsp_bus_get();

	if (ret)
		return ret;
	ret = kmcl_status_to_errno(KbvCreate(NULL, vsp_bus_handle, &kbdvsp));
	if (ret)
		goto put_bus;
	ret = vsp_files_add("kbdvsp", kbdvsp_groups);
	if (ret)
		goto destroy;
	return 0;

destroy:
	KbvDestroy(kbdvsp);
put_bus:
	vsp_bus_put();
	return ret;
}
module_init(kbdvsp_init);

static void __exit kbdvsp_exit(void)
{
	vsp_files_remove();
	KbvDestroy(kbdvsp);
	vsp_bus_put();
}
module_exit(kbdvsp_exit);

MODULE_DESCRIPTION("A keyboard for VMBus clients, served with KMCL");
MODULE_LICENSE("GPL");
