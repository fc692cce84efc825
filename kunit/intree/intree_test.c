// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's own drivers, unmodified, as clients of the samples' VSPs: both are
 * modules, as they are used, and meet on the in-tree bus.
 */
#include <linux/fs.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include "../ear.h"
#include "../helper.h"
#include "../kmsg.h"
#include "../sim/sim.h"
#include "../vsp/module.h"

static int init(struct kunit *test)
{
	/* another suite may have left it, and it would take the disks */
	module_unload("kmcl_storvsc");
	return hvsim_begin(test);
}

static void exit(struct kunit *test)
{
	/* what a case that was broken off has left */
	ear_stop();
	module_unload("hyperv_keyboard");
	module_unload("hv_utils");
	module_unload("hv_storvsc");
	module_unload("kmcl_kbdvsp");
	module_unload("kmcl_icvsp");
	module_unload("kmcl_storvsp");
	module_unload("kmcl_ramdisk");
	hvsim_end(test);
}

#define expect_file(test, name, text)	KUNIT_EXPECT_STREQ(test, module_file(test, name), text)
#define file_becomes(test, name, text)							\
	KUNIT_EXPECT_TRUE_MSG(test, becomes(!strcmp(module_file(test, name), text)),	\
			      "%s is %s", name, module_file(test, name))

static long number(struct kunit *test, const char *name)
{
	long n = -1;

	KUNIT_EXPECT_EQ(test, kstrtol(module_file(test, name), 0, &n), 0);
	return n;
}

/* ---- hyperv_keyboard on kbdvsp ---- */

static void keys_typed_at_the_vsp_arrive(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, module_load("kmcl_kbdvsp:bus=simulator"), 0);
	ear_start(test, NULL);
	KUNIT_ASSERT_EQ(test, module_load("hyperv-keyboard"), 0);
	KUNIT_ASSERT_TRUE(test, becomes(READ_ONCE(ear.keyboards) == 1));
	file_becomes(test, "kmcl_kbdvsp/kbdvsp/connected", "1");
	/* A, and the right one of two control keys */
	KUNIT_EXPECT_EQ(test, module_write(test, "kmcl_kbdvsp/kbdvsp/keystroke",
					   "1e 9e e0 1d e0 9d"), 17);
	KUNIT_EXPECT_TRUE(test, becomes(READ_ONCE(ear.count) == 4));
	ear_expect(test, 0, KEY_A, 1);
	ear_expect(test, 1, KEY_A, 0);
	ear_expect(test, 2, KEY_RIGHTCTRL, 1);
	ear_expect(test, 3, KEY_RIGHTCTRL, 0);
	expect_file(test, "kmcl_kbdvsp/kbdvsp/keystrokes", "4");
	expect_file(test, "kmcl_kbdvsp/kbdvsp/bad_messages", "0");
	/* a keyboard that is pulled out */
	KUNIT_EXPECT_EQ(test, module_unload("kmcl_kbdvsp"), 0);
	KUNIT_EXPECT_TRUE(test, becomes(READ_ONCE(ear.keyboards) == 0));
	ear_stop();
	KUNIT_EXPECT_EQ(test, module_unload("hyperv_keyboard"), 0);
}

/* ---- hv_utils on icvsp ---- */

#define IC	"kmcl_icvsp/icvsp/"

static void start_services(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, module_load("kmcl_icvsp:bus=simulator"), 0);
	KUNIT_ASSERT_EQ(test, module_load("hv_utils"), 0);
}

static void stop_services(struct kunit *test)
{
	expect_file(test, IC "heartbeat/bad_messages", "0");
	expect_file(test, IC "timesync/bad_messages", "0");
	expect_file(test, IC "shutdown/bad_messages", "0");
	KUNIT_EXPECT_EQ(test, module_unload("hv_utils"), 0);
	KUNIT_EXPECT_EQ(test, module_unload("kmcl_icvsp"), 0);
}

static void the_heart_beats(struct kunit *test)
{
	start_services(test);
	KUNIT_EXPECT_TRUE(test, becomes(number(test, IC "heartbeat/beats") >= 2));
	expect_file(test, IC "heartbeat/version", "3.0");
	expect_file(test, IC "heartbeat/framework_version", "3.0");
	stop_services(test);
}

static void the_time_is_taken(struct kunit *test)
{
	time64_t before = ktime_get_real_seconds();
	long answered;

	start_services(test);
	KUNIT_EXPECT_TRUE(test, becomes(number(test, IC "timesync/answered") >= 1));
	answered = number(test, IC "timesync/answered");
	KUNIT_EXPECT_EQ(test, module_write(test, IC "timesync/sync", "1"), 1);
	KUNIT_EXPECT_TRUE(test, becomes(number(test, IC "timesync/answered") > answered));
	stop_services(test);
	/* Both have this clock: it stands where it would have. */
	KUNIT_EXPECT_GE(test, ktime_get_real_seconds(), before);
	KUNIT_EXPECT_LE(test, ktime_get_real_seconds(), before + 30);
}

static void a_shutdown_reaches_user_space(struct kunit *test)
{
	struct kmsg k;

	start_services(test);
	/* UML cannot */
	KUNIT_EXPECT_TRUE(test, becomes(module_write(test, IC "shutdown/request",
						     "hibernate") == 9));
	file_becomes(test, IC "shutdown/answer", "declined");
	kmsg_mark(&k);
	KUNIT_EXPECT_EQ(test, module_write(test, IC "shutdown/request", "poweroff"), 8);
	file_becomes(test, IC "shutdown/answer", "agreed");
	/* by the rig's init, as /sbin/poweroff */
	KUNIT_EXPECT_TRUE(test, becomes(kmsg_count(&k, "asked to power off")));
	stop_services(test);
}

/* ---- hv_storvsc on storvsp ---- */

#define DISK		"/dev/sda"
#define DISK_LEN	SZ_64K

static struct file *disk_open(struct kunit *test)
{
	struct file *f = ERR_PTR(-ENOENT);

	KUNIT_ASSERT_EQ(test, module_load("kmcl_ramdisk"), 0);
	KUNIT_ASSERT_EQ(test, module_load("kmcl_storvsp:bus=simulator:mib=8:sub_channels=2"), 0);
	KUNIT_ASSERT_EQ(test, module_load("hv_storvsc"), 0);
	KUNIT_ASSERT_TRUE(test, becomes(!IS_ERR(f = open_path(DISK, O_RDWR | O_DIRECT))));
	return f;
}

/* From one place to another on the disk, past the page cache. */
static void a_disk_is_written_and_read(struct kunit *test)
{
	u8 *out = kunit_kzalloc(test, DISK_LEN, GFP_KERNEL);
	u8 *in = kunit_kzalloc(test, DISK_LEN, GFP_KERNEL);
	struct file *f = disk_open(test);
	loff_t pos = SZ_1M;

	KUNIT_EXPECT_EQ(test, i_size_read(f->f_mapping->host), SZ_8M);
	get_random_bytes(out, DISK_LEN);
	KUNIT_EXPECT_EQ(test, kernel_write(f, out, DISK_LEN, &pos), DISK_LEN);
	pos = SZ_1M;
	KUNIT_EXPECT_EQ(test, kernel_read(f, in, DISK_LEN, &pos), DISK_LEN);
	KUNIT_EXPECT_MEMEQ(test, in, out, DISK_LEN);
	filp_close(f, NULL);
	flush_delayed_fput();
	expect_file(test, "kmcl_storvsp/storvsp/protocol_version", "6.2");
	expect_file(test, "kmcl_storvsp/storvsp/bad_messages", "0");
	KUNIT_EXPECT_EQ(test, module_unload("hv_storvsc"), 0);
	KUNIT_EXPECT_EQ(test, module_unload("kmcl_storvsp"), 0);
	KUNIT_EXPECT_EQ(test, module_unload("kmcl_ramdisk"), 0);
}

struct writer {
	struct file *file;
	struct completion some;		/* writes have succeeded */
	ssize_t last;
};

/* Write, past the page cache, for as long as there is a disk. */
static void write_on(void *arg)
{
	struct writer *w = arg;
	u8 *block = kzalloc(SZ_4K, GFP_KERNEL);
	unsigned int n = 0;
	loff_t pos;

	do {
		pos = SZ_1M + n % 256 * SZ_4K;
		w->last = kernel_write(w->file, block, SZ_4K, &pos);
		if (++n == 16)
			complete(&w->some);
	} while (w->last == SZ_4K);
	kfree(block);
	filp_close(w->file, NULL);
	flush_delayed_fput();
}

/* The driver waits for its commands when the device goes, and does not end them itself. */
static void a_disk_whose_server_is_killed_under_writes_is_gone(struct kunit *test)
{
	struct writer w = { .file = disk_open(test) };
	struct helper h;

	init_completion(&w.some);
	KUNIT_ASSERT_TRUE(test, helper_start(&h, write_on, &w));
	wait_for_completion(&w.some);
	KUNIT_EXPECT_EQ(test, module_unload("kmcl_storvsp"), 0);
	KUNIT_EXPECT_TRUE(test, helper_join(&h));
	KUNIT_EXPECT_LT(test, w.last, 0);
	KUNIT_EXPECT_TRUE(test, becomes(IS_ERR(open_path(DISK, O_RDONLY))));

	/* and is back with the next one */
	KUNIT_EXPECT_EQ(test, module_load("kmcl_storvsp:bus=simulator:mib=8:sub_channels=2"), 0);
	w.file = ERR_PTR(-ENOENT);
	KUNIT_ASSERT_TRUE(test, becomes(!IS_ERR(w.file = open_path(DISK, O_RDWR))));
	filp_close(w.file, NULL);
	flush_delayed_fput();
}

static struct kunit_case cases[] = {
	KUNIT_CASE(keys_typed_at_the_vsp_arrive),
	KUNIT_CASE(the_heart_beats),
	KUNIT_CASE(the_time_is_taken),
	KUNIT_CASE(a_shutdown_reaches_user_space),
	KUNIT_CASE(a_disk_is_written_and_read),
	KUNIT_CASE(a_disk_whose_server_is_killed_under_writes_is_gone),
	{}
};

static struct kunit_suite suite = {
	.name = "intree",
	.init = init,
	.exit = exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
