// SPDX-License-Identifier: GPL-2.0
/*
 * The samples as they are used: their own modules, loaded, shown to a host, looked
 * at through their files, and unloaded. No case has one do anything to the machine.
 */
#include <linux/fs.h>
#include <linux/kmod.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/umh.h>
#include <asm/mshyperv.h>
#include "../ear.h"
#include "port.h"
#include "ic_host.h"

/* ---- modules and their files ---- */

static const char *loaded;

static void load(struct kunit *test, const char *name)
{
	KUNIT_ASSERT_EQ(test, request_module("%s", name), 0);
	loaded = name;
}

static int unload_now(void)
{
	char *argv[4], *envp[1] = { };
	int ret;

	argv[0] = "/sbin/modprobe";
	argv[1] = "-r";
	argv[2] = (char *)loaded;
	argv[3] = NULL;
	ret = call_usermodehelper(argv[0], argv, envp, UMH_WAIT_PROC);
	if (!ret)
		loaded = NULL;
	return ret;
}

static void unload(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, unload_now(), 0);
}

static struct file *open_file(struct kunit *test, const char *name, int flags)
{
	char *path = kunit_kzalloc(test, PATH_MAX, GFP_KERNEL);
	struct file *file;

	KUNIT_ASSERT_NOT_NULL(test, path);
	snprintf(path, PATH_MAX, "/sys/module/%s/%s", loaded, name);
	file = open_path(path, flags);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(file), "%s: %ld", path, PTR_ERR(file));
	return file;
}

static char text[64];

static const char *file(struct kunit *test, const char *name)
{
	struct file *f = open_file(test, name, O_RDONLY);
	loff_t pos = 0;
	ssize_t n = kernel_read(f, text, sizeof(text) - 1, &pos);

	filp_close(f, NULL);
	text[max_t(ssize_t, n, 0)] = 0;
	strim(text);
	return text;
}

static ssize_t write_file(struct kunit *test, const char *name, const char *value)
{
	struct file *f = open_file(test, name, O_WRONLY);
	loff_t pos = 0;
	ssize_t n = kernel_write(f, value, strlen(value), &pos);

	filp_close(f, NULL);
	return n;
}

#define expect_file(test, name, value)	KUNIT_EXPECT_STREQ(test, file(test, name), value)

/* ---- hosts ---- */

static const struct port heartbeat = {
	.type = GUID_INIT(0x57164f39, 0x9115, 0x4e78,
			  0xab, 0x55, 0x38, 0x2f, 0x3b, 0xd5, 0x42, 0x2d),
	.pipe = true,
};

static const struct port timesync = {
	.type = GUID_INIT(0x9527e630, 0xd0ae, 0x497b,
			  0xad, 0xce, 0xe8, 0x0a, 0xb0, 0x17, 0x5c, 0xaf),
	.pipe = true,
};

static const struct port shutdown = {
	.type = GUID_INIT(0x0e0b6031, 0x5213, 0x4934,
			  0x81, 0x8b, 0x38, 0xd9, 0x0c, 0xed, 0x39, 0xdb),
	.pipe = true,
};

static const struct port keyboard = {
	.type = GUID_INIT(0xf912ad6d, 0x2b17, 0x48ea,
			  0xbd, 0x65, 0xf9, 0x27, 0xa6, 0x1c, 0x76, 0x84),
};

static enum hvsim_answer accept_keyboard(struct hvsim_chan *chan,
					 const struct vmpacket_descriptor *desc,
					 const void *payload, u32 len)
{
	static const u32 response[] = { 2, 1 };

	hvsim_send(chan, VM_PKT_DATA_INBAND, 0, 0, response, sizeof(response));
	return HVSIM_ANSWER_ECHO;
}

static struct port *offer(struct kunit *test, const struct port *what)
{
	struct port *port = port_offer_only(test, what);

	if (what == &keyboard)
		port->host->script.on_packet = accept_keyboard;
	return port;
}

static int init(struct kunit *test)
{
	loaded = NULL;
	return 0;
}

static void exit(struct kunit *test)
{
	if (loaded)
		unload_now();
	ear_stop();
	port_end(test->priv);
}

/* ---- all of them ---- */

struct module_case {
	const char *name;
	const struct port *host;
};

static const struct module_case module_cases[] = {
	{ "kmcl_heartbeat", &heartbeat },
	{ "kmcl_timesync", &timesync },
	{ "kmcl_shutdown", &shutdown },
	{ "kmcl_keyboard", &keyboard },
};

static void describe_module(const struct module_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(modules, module_cases, describe_module);

static void a_module_serves_its_device_until_it_is_unloaded(struct kunit *test)
{
	const struct module_case *c = test->param_value;
	struct port *port = offer(test, c->host);
	unsigned int i;

	for (i = 0; i < 3; i++) {
		load(test, c->name);
		KUNIT_EXPECT_TRUE(test, hvsim_wait_open(port->host, true));
		unload(test);
		KUNIT_EXPECT_FALSE(test, port->host->open);
		KUNIT_EXPECT_TRUE(test, port->host->offered);
	}
}

static void a_module_lives_through_the_end_of_its_device(struct kunit *test)
{
	const struct module_case *c = test->param_value;
	struct port *port = offer(test, c->host);

	load(test, c->name);
	KUNIT_EXPECT_TRUE(test, hvsim_wait_open(port->host, true));
	hvsim_rescind(port->host);
	KUNIT_EXPECT_TRUE(test, hvsim_wait_released(port->host));
	port_offer(port);
	if (c->host == &keyboard)
		port->host->script.on_packet = accept_keyboard;
	KUNIT_EXPECT_TRUE(test, hvsim_wait_open(port->host, true));
	unload(test);
}

static int foreign_probe(struct hv_device *dev, const struct hv_vmbus_device_id *id)
{
	return 0;
}

static struct hv_driver foreign = {
	.name = "kmcl_foreign",
	.probe = foreign_probe,
};

static void a_device_of_another_driver_is_left_to_it(struct kunit *test)
{
	const struct module_case *c = test->param_value;
	struct hv_vmbus_device_id ids[2] = { { .guid = c->host->type } };
	struct port *port = offer(test, c->host);
	struct kmsg k;

	foreign.id_table = ids;
	KUNIT_ASSERT_EQ(test, vmbus_driver_register(&foreign), 0);
	hvsim_settle();
	kmsg_mark(&k);
	load(test, c->name);
	hvsim_settle();
	kmsg_expect(test, &k, 1, "belongs to driver kmcl_foreign; to free it: echo ");
	KUNIT_EXPECT_FALSE(test, port->host->open);
	unload(test);
	vmbus_driver_unregister(&foreign);
}

/* ---- integration services ---- */

static struct port *service(struct kunit *test, const struct port *what, const char *name,
			    u16 major)
{
	struct port *port = offer(test, what);

	load(test, name);
	KUNIT_ASSERT_TRUE(test, hvsim_wait_open(port->host, true));
	hvsim_settle();
	ic_agree(port, major, 0);
	return port;
}

static void heartbeat_shows_what_came(struct kunit *test)
{
	struct port *port = service(test, &heartbeat, "kmcl_heartbeat", 3);
	u64 beat[5] = { 41 };

	expect_file(test, "heartbeat/version", "3.0");
	expect_file(test, "heartbeat/framework_version", "3.0");
	expect_file(test, "heartbeat/count", "0");
	expect_file(test, "heartbeat/last_ms_ago", "");
	KUNIT_EXPECT_EQ(test, ic_exchange(port, IC_TYPE_HEARTBEAT, beat, sizeof(beat)), IC_OK);
	expect_file(test, "heartbeat/count", "1");
	expect_file(test, "heartbeat/sequence", "41");
	KUNIT_EXPECT_STRNEQ(test, file(test, "heartbeat/last_ms_ago"), "");
	expect_file(test, "heartbeat/bad_messages", "0");
	expect_file(test, "heartbeat/unanswered", "0");
}

static void heartbeat_says_what_it_is_told_of_applications(struct kunit *test)
{
	struct port *port = service(test, &heartbeat, "kmcl_heartbeat", 3);
	u64 beat[5] = { };

	expect_file(test, "heartbeat/application_state", "unknown");
	KUNIT_EXPECT_EQ(test, write_file(test, "heartbeat/application_state", "critical\n"), 9);
	expect_file(test, "heartbeat/application_state", "critical");
	ic_exchange(port, IC_TYPE_HEARTBEAT, beat, sizeof(beat));
	KUNIT_EXPECT_EQ(test, *(u32 *)(ic_answer.body + 8), 2);
	KUNIT_EXPECT_EQ(test, write_file(test, "heartbeat/application_state", "splendid"),
			-EINVAL);
	expect_file(test, "heartbeat/application_state", "critical");
}

static void files_of_a_device_that_is_not_there_say_so(struct kunit *test)
{
	struct port *port = service(test, &heartbeat, "kmcl_heartbeat", 3);
	struct file *f;
	loff_t pos = 0;

	hvsim_rescind(port->host);
	KUNIT_EXPECT_TRUE(test, hvsim_wait_released(port->host));
	f = open_file(test, "heartbeat/count", O_RDONLY);
	KUNIT_EXPECT_EQ(test, kernel_read(f, text, sizeof(text), &pos), -ENODEV);
	filp_close(f, NULL);
	KUNIT_EXPECT_EQ(test, write_file(test, "heartbeat/application_state", "healthy"), -ENODEV);
}

static void timesync_reports_and_leaves_the_clock_when_told(struct kunit *test)
{
	struct port *port = service(test, &timesync, "kmcl_timesync", 4);
	struct ictimesync_ref_data data = { .flags = ICTIMESYNCFLAG_SYNC };
	time64_t before = ktime_get_real_seconds();
	LARGE_INTEGER now;
	long long offset;

	expect_file(test, "parameters/set_time", "Y");
	expect_file(test, "parameters/timesync_implicit", "N");
	expect_file(test, "timesync/offset_us", "");
	KUNIT_EXPECT_EQ(test, write_file(test, "parameters/set_time", "N"), 1);
	KeQuerySystemTime(&now);
	data.parenttime = now.QuadPart + 3600 * 10000000LL;
	data.vmreferencetime = hv_read_reference_counter();
	KUNIT_EXPECT_EQ(test, ic_exchange(port, IC_TYPE_TIMESYNC, &data, sizeof(data)), IC_OK);
	hvsim_settle();
	expect_file(test, "timesync/samples", "1");
	expect_file(test, "timesync/syncs", "1");
	expect_file(test, "timesync/clock_sets", "0");
	expect_file(test, "timesync/stale_samples", "0");
	KUNIT_EXPECT_EQ(test, kstrtoll(file(test, "timesync/offset_us"), 10, &offset), 0);
	KUNIT_EXPECT_LE(test, offset, 3601 * 1000000LL);
	KUNIT_EXPECT_GT(test, offset, 3590 * 1000000LL);
	KUNIT_EXPECT_LT(test, ktime_get_real_seconds() - before, 60);
}

static void timesync_sets_no_clock_to_what_is_no_time(struct kunit *test)
{
	struct port *port = service(test, &timesync, "kmcl_timesync", 4);
	struct ictimesync_ref_data data = { .flags = ICTIMESYNCFLAG_SYNC };
	static const u64 times[] = { 0, 116444735999999999ULL, S64_MAX, U64_MAX };
	time64_t before = ktime_get_real_seconds();
	unsigned int i;
	struct kmsg k;

	kmsg_mark(&k);
	for (i = 0; i < ARRAY_SIZE(times); i++) {
		data.parenttime = times[i];
		/* a reading that has not grown meanwhile */
		data.vmreferencetime = hv_read_reference_counter() + 5000000;
		ic_exchange(port, IC_TYPE_TIMESYNC, &data, sizeof(data));
		hvsim_settle();
	}
	expect_file(test, "timesync/syncs", "4");
	expect_file(test, "timesync/clock_sets", "0");
	kmsg_expect(test, &k, 4, "clock not set to the host's time (-34)");
	KUNIT_EXPECT_LT(test, ktime_get_real_seconds() - before, 60);
}

static void shutdown_that_only_logs_does_nothing_else(struct kunit *test)
{
	struct port *port = service(test, &shutdown, "kmcl_shutdown", 3);
	u32 body[3] = { 0x80000001, 60, 0 };
	struct kmsg k;

	KUNIT_ASSERT_EQ(test, write_file(test, "parameters/log_only", "Y"), 1);
	kmsg_mark(&k);
	KUNIT_EXPECT_EQ(test, ic_exchange(port, IC_TYPE_SHUTDOWN, body, sizeof(body)), IC_OK);
	hvsim_settle();
	kmsg_expect(test, &k, 1,
		    "power off: planned, reason 0x80000001, within 60 s");
	kmsg_expect(test, &k, 1, "log_only is set: nothing is done");
	body[2] = 3;
	KUNIT_EXPECT_EQ(test, ic_exchange(port, IC_TYPE_SHUTDOWN, body, sizeof(body)), IC_OK);
	hvsim_settle();
	kmsg_expect(test, &k, 1, "restart by force: planned");
	/* this guest cannot, whatever log_only says */
	body[2] = 4;
	KUNIT_EXPECT_EQ(test, ic_exchange(port, IC_TYPE_SHUTDOWN, body, sizeof(body)), IC_FAIL);
	expect_file(test, "shutdown/agreed", "2");
	expect_file(test, "shutdown/declined", "1");
	expect_file(test, "shutdown/last_reason", "0x80000001");
}

/* ---- the keyboard ---- */

static struct port *typing(struct kunit *test)
{
	struct port *port = offer(test, &keyboard);

	ear_start(test, "Hyper-V keyboard");
	load(test, "kmcl_keyboard");
	KUNIT_EXPECT_TRUE(test, becomes(READ_ONCE(ear.keyboards) == 1));
	return port;
}

static void done_typing(struct kunit *test)
{
	unload(test);
	KUNIT_EXPECT_EQ(test, ear.keyboards, 0);
	ear_stop();
}

#define BREAK	2
#define E0	4
#define E1	8

static void key(struct port *port, u16 code, u32 flags)
{
	const struct {
		u32 type;
		u16 code;
		u16 reserved;
		u32 flags;
	} event = { 3, code, 0, flags };

	port_send(port, &event, sizeof(event));
}

static void keys_go_down_repeat_and_up(struct kunit *test)
{
	struct port *port = typing(test);

	key(port, 0x1e, 0);
	key(port, 0x1e, 0);
	key(port, 0x2a, 0);
	key(port, 0x1e, BREAK);
	key(port, 0x2a, BREAK);
	ear_expect(test, 0, KEY_A, 1);
	ear_expect(test, 1, KEY_A, 2);
	ear_expect(test, 2, KEY_LEFTSHIFT, 1);
	ear_expect(test, 3, KEY_A, 0);
	ear_expect(test, 4, KEY_LEFTSHIFT, 0);
	KUNIT_EXPECT_EQ(test, ear.count, 5u);
	KUNIT_EXPECT_EQ(test, ear.scan, 0x2a);
	expect_file(test, "keyboard/keystrokes", "5");
	expect_file(test, "keyboard/bad_messages", "0");
	done_typing(test);
}

static void scan_codes_are_the_keys_of_set_1(struct kunit *test)
{
	static const struct {
		u8 code;
		u8 flags;
		u16 key;
	} set[] = {
		{ 0x01, 0, KEY_ESC }, { 0x02, 0, KEY_1 }, { 0x1c, 0, KEY_ENTER },
		{ 0x1c, E0, KEY_KPENTER }, { 0x1d, 0, KEY_LEFTCTRL }, { 0x1d, E0, KEY_RIGHTCTRL },
		{ 0x38, E0, KEY_RIGHTALT }, { 0x45, 0, KEY_NUMLOCK }, { 0x47, 0, KEY_KP7 },
		{ 0x47, E0, KEY_HOME }, { 0x53, 0, KEY_KPDOT }, { 0x53, E0, KEY_DELETE },
		{ 0x37, E0, KEY_SYSRQ }, { 0x56, 0, KEY_102ND }, { 0x57, 0, KEY_F11 },
		{ 0x58, 0, KEY_F12 }, { 0x5b, E0, KEY_LEFTMETA }, { 0x73, 0, KEY_RO },
		{ 0x72, 0, KEY_HANGEUL }, { 0x20, E0, KEY_MUTE },
	};
	struct port *port = typing(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(set); i++) {
		ear.count = 0;
		key(port, set[i].code, set[i].flags);
		ear_expect(test, 0, set[i].key, 1);
		key(port, set[i].code, set[i].flags | BREAK);
		ear_expect(test, 1, set[i].key, 0);
		KUNIT_EXPECT_EQ(test, ear.count, 2u);
	}
	done_typing(test);
}

static void pause_is_two_scan_codes_and_one_key(struct kunit *test)
{
	struct port *port = typing(test);

	key(port, 0x1d, E1);
	key(port, 0x45, 0);
	key(port, 0x1d, E1 | BREAK);
	key(port, 0x45, BREAK);
	/* one that is broken off is nothing, and the next key is itself */
	key(port, 0x1d, E1);
	key(port, 0x1e, 0);
	key(port, 0x45, 0);
	ear_expect(test, 0, KEY_PAUSE, 1);
	ear_expect(test, 1, KEY_PAUSE, 0);
	ear_expect(test, 2, KEY_A, 1);
	ear_expect(test, 3, KEY_NUMLOCK, 1);
	KUNIT_EXPECT_EQ(test, ear.count, 4u);
	done_typing(test);
}

static void invented_shifts_and_unknown_codes_are_no_keys(struct kunit *test)
{
	struct port *port = typing(test);

	key(port, 0x2a, E0);
	key(port, 0x36, E0 | BREAK);
	key(port, 0x7f, 0);
	key(port, 0x7f, E0);
	key(port, 0x1d, E0 | E1);
	KUNIT_EXPECT_EQ(test, ear.count, 0u);
	/* an administrator can see which it was, and give it a code */
	KUNIT_EXPECT_EQ(test, ear.scan, 0xff);
	done_typing(test);
}

static void keys_that_are_down_when_the_device_goes_come_up(struct kunit *test)
{
	struct port *port = typing(test);

	key(port, 0x1e, 0);
	key(port, 0x1d, 0);
	hvsim_rescind(port->host);
	KUNIT_EXPECT_TRUE(test, hvsim_wait_released(port->host));
	KUNIT_EXPECT_EQ(test, ear.keyboards, 0);
	KUNIT_EXPECT_EQ(test, ear.count, 4u);
	ear_expect(test, 2, KEY_LEFTCTRL, 0);
	ear_expect(test, 3, KEY_A, 0);
	done_typing(test);
}

static void keys_that_are_down_when_the_channel_breaks_come_up(struct kunit *test)
{
	struct port *port = typing(test);

	key(port, 0x1e, 0);
	key(port, 0x1d, E1);
	hvsim_poke(port->host, HVSIM_H2G, HVSIM_WRITE_INDEX, 3);
	hvsim_interrupt(port->host);
	KUNIT_EXPECT_TRUE(test, hvsim_wait_open(port->host, false));
	/* Closed comes after the close, from a work item */
	KUNIT_EXPECT_TRUE(test, becomes(READ_ONCE(ear.count) == 2));
	/* the device stays, and is bound anew by the administrator */
	KUNIT_EXPECT_EQ(test, ear.keyboards, 1);
	ear_expect(test, 1, KEY_A, 0);
	done_typing(test);
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(a_module_serves_its_device_until_it_is_unloaded, modules_gen_params),
	KUNIT_CASE_PARAM(a_module_lives_through_the_end_of_its_device, modules_gen_params),
	KUNIT_CASE_PARAM(a_device_of_another_driver_is_left_to_it, modules_gen_params),
	KUNIT_CASE(heartbeat_shows_what_came),
	KUNIT_CASE(heartbeat_says_what_it_is_told_of_applications),
	KUNIT_CASE(files_of_a_device_that_is_not_there_say_so),
	KUNIT_CASE(timesync_reports_and_leaves_the_clock_when_told),
	KUNIT_CASE(timesync_sets_no_clock_to_what_is_no_time),
	KUNIT_CASE(shutdown_that_only_logs_does_nothing_else),
	KUNIT_CASE(keys_go_down_repeat_and_up),
	KUNIT_CASE(scan_codes_are_the_keys_of_set_1),
	KUNIT_CASE(pause_is_two_scan_codes_and_one_key),
	KUNIT_CASE(invented_shifts_and_unknown_codes_are_no_keys),
	KUNIT_CASE(keys_that_are_down_when_the_device_goes_come_up),
	KUNIT_CASE(keys_that_are_down_when_the_channel_breaks_come_up),
	{}
};

static struct kunit_suite suite = {
	.name = "sample_modules",
	.init = init,
	.exit = exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
