// SPDX-License-Identifier: GPL-2.0
/*
 * samples/storvsc when the controller is late or goes, with everything under way; and
 * with several channels.
 */
#include <linux/delay.h>
#include <linux/kmod.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <scsi/scsi_proto.h>
#include "../helper.h"
#include "../kmsg.h"
#include "frame.h"

/* ---- time ---- */

static void a_request_without_an_answer_waits_and_is_told_of(struct kunit *test)
{
	void *buf = stor_buffer(test, 4096);
	struct kmsg k;
	struct io io;

	memset(host.disk[0].data, 0x5a, 4096);
	stor_bring_up(test);
	WRITE_ONCE(host.hold, true);
	kmsg_mark(&k);
	stor_io_start(test, &io, REQ_OP_READ, 0, buf, 4096);
	ssleep(5);
	KUNIT_EXPECT_EQ(test, atomic_read(&io.ends), 0);
	KUNIT_EXPECT_GE(test, kmsg_count(&k, "not answered for"), 1u);
	/* late is as good; a command of the scan may be held, too */
	KUNIT_EXPECT_GE(test, storhost_release(&host, UINT_MAX), 1u);
	KUNIT_EXPECT_EQ(test, stor_io_finish(test, &io), 0);
	KUNIT_EXPECT_TRUE(test, !memchr_inv(buf, 0x5a, 4096));
}

/* ---- going ---- */

#define MANY	40

static void start_many(struct kunit *test, struct io *io, u8 *buf)
{
	unsigned int i;

	for (i = 0; i < MANY; i++)
		stor_io_start(test, &io[i], i % 2 ? REQ_OP_WRITE : REQ_OP_READ, 8 * i,
			      buf + 4096 * i, 4096);
}

static void a_rescinded_controller_fails_every_request_once(struct kunit *test)
{
	struct io *io = kunit_kcalloc(test, MANY, sizeof(*io), GFP_KERNEL);
	u8 *buf = stor_buffer(test, MANY * 4096);
	unsigned int i;

	stor_bring_up(test);
	WRITE_ONCE(host.hold, true);
	start_many(test, io, buf);
	KUNIT_ASSERT_TRUE(test, becomes(READ_ONCE(host.held) > 0));
	hvsim_rescind(host.chan[0]);
	for (i = 0; i < MANY; i++)
		KUNIT_EXPECT_LT(test, stor_io_finish(test, &io[i]), 0);
	KUNIT_EXPECT_LT(test, stor_read_one(test), 0);
	stor_close();
	KUNIT_EXPECT_TRUE(test, hvsim_wait_released(host.chan[0]));
	storhost_forget_held(&host);
}

static int unload(void)
{
	char *argv[4], *envp[1] = { };

	argv[0] = "/sbin/modprobe";
	argv[1] = "-r";
	argv[2] = "kmcl_storvsc";
	argv[3] = NULL;
	return call_usermodehelper(argv[0], argv, envp, UMH_WAIT_PROC);
}

static void unloading_does_not_wait_for_a_silent_host(struct kunit *test)
{
	struct kmsg k;

	stor_bring_up(test);
	stor_close();
	/* a scan, whose first command the host keeps */
	WRITE_ONCE(host.hold, true);
	KUNIT_ASSERT_EQ(test, storhost_tell(&host, STORHOST_ENUMERATE), 0);
	KUNIT_ASSERT_TRUE(test, becomes(READ_ONCE(host.held) > 0));
	kmsg_mark(&k);
	KUNIT_EXPECT_EQ(test, unload(), 0);
	kmsg_expect(test, &k, 1, "closing the channel");
	KUNIT_EXPECT_FALSE(test, stor_there_is(DISK));
	KUNIT_EXPECT_FALSE(test, host.chan[0]->open);
	storhost_forget_held(&host);
	KUNIT_EXPECT_EQ(test, stor_load(), 0);
}

static void a_reconnect_loses_no_request(struct kunit *test)
{
	struct io *io = kunit_kcalloc(test, MANY, sizeof(*io), GFP_KERNEL);
	u8 *buf = stor_buffer(test, MANY * 4096);
	unsigned int i;

	stor_bring_up(test);
	WRITE_ONCE(host.hold, true);
	start_many(test, io, buf);
	KUNIT_ASSERT_TRUE(test, becomes(READ_ONCE(host.held) > 0));
	/* from here on the host answers, but not what came before the close */
	WRITE_ONCE(host.hold, false);
	KUNIT_EXPECT_EQ(test, stor_set("reconnect"), 1L);
	storhost_forget_held(&host);
	for (i = 0; i < MANY; i++)
		KUNIT_EXPECT_EQ(test, stor_io_finish(test, &io[i]), 0);
	for (i = 1; i < MANY; i += 2)
		KUNIT_EXPECT_EQ(test, memcmp(host.disk[0].data + 4096 * i, buf + 4096 * i, 4096),
				0);
	KUNIT_EXPECT_STREQ(test, stor_attr(test, "protocol_version"), "6.2");
}

static void io_does_not_wait_for_ever_for_a_channel(struct kunit *test)
{
	stor_bring_up(test);
	host.refuse = STORHOST_BEGIN;
	KUNIT_EXPECT_EQ(test, stor_set("reconnect"), 1L);
	KUNIT_EXPECT_LT(test, stor_read_one(test), 0);
	host.refuse = 0;
	KUNIT_EXPECT_EQ(test, stor_set("reconnect"), 1L);
	KUNIT_EXPECT_EQ(test, stor_read_one(test), 0);
}

/* ---- sub-channels ---- */

static void bring_up_with_subs(struct kunit *test, unsigned int subs)
{
	host.sub_channels = subs;
	stor_bring_up(test);
	KUNIT_ASSERT_TRUE(test, becomes(stor_number(test, "channels") == 1 + subs));
}

static void requests_use_every_channel(struct kunit *test)
{
	struct io *io = kunit_kcalloc(test, MANY, sizeof(*io), GFP_KERNEL);
	u8 *buf = stor_buffer(test, MANY * 4096);
	unsigned int i;

	bring_up_with_subs(test, 4);
	start_many(test, io, buf);
	for (i = 0; i < MANY; i++)
		KUNIT_EXPECT_EQ(test, stor_io_finish(test, &io[i]), 0);
	for (i = 0; i <= 4; i++)
		KUNIT_EXPECT_GT(test, host.requests[i], 0ul);
}

static void a_sub_channel_that_goes_alone_loses_no_request(struct kunit *test)
{
	struct io *io = kunit_kcalloc(test, MANY, sizeof(*io), GFP_KERNEL);
	u8 *buf = stor_buffer(test, MANY * 4096);
	struct hvsim_chan *gone;
	unsigned int i;

	bring_up_with_subs(test, 4);
	WRITE_ONCE(host.hold, true);
	start_many(test, io, buf);
	/* and perhaps one of the scan */
	KUNIT_ASSERT_TRUE(test, becomes(READ_ONCE(host.held) >= MANY));
	gone = host.chan[2];
	host.chan[2] = NULL;
	hvsim_rescind(gone);
	WRITE_ONCE(host.hold, false);
	storhost_release(&host, UINT_MAX);
	for (i = 0; i < MANY; i++)
		KUNIT_EXPECT_EQ(test, stor_io_finish(test, &io[i]), 0);
	KUNIT_EXPECT_TRUE(test, becomes(stor_number(test, "channels") == 4));
}

static void sub_channels_come_back_after_a_reconnect(struct kunit *test)
{
	bring_up_with_subs(test, 2);
	KUNIT_EXPECT_EQ(test, stor_set("reconnect"), 1L);
	KUNIT_EXPECT_TRUE(test, becomes(stor_number(test, "channels") == 3));
	KUNIT_EXPECT_EQ(test, stor_read_one(test), 0);
}

static void a_host_that_creates_no_sub_channels_does_no_harm(struct kunit *test)
{
	host.sub_channels = 4;
	host.refuse = STORHOST_SUB_CHANNELS;
	stor_bring_up(test);
	KUNIT_EXPECT_EQ(test, stor_number(test, "channels"), 1L);
	KUNIT_EXPECT_EQ(test, stor_read_one(test), 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE_SLOW(a_request_without_an_answer_waits_and_is_told_of),
	KUNIT_CASE(a_rescinded_controller_fails_every_request_once),
	KUNIT_CASE_SLOW(unloading_does_not_wait_for_a_silent_host),
	KUNIT_CASE(a_reconnect_loses_no_request),
	KUNIT_CASE_SLOW(io_does_not_wait_for_ever_for_a_channel),
	KUNIT_CASE(requests_use_every_channel),
	KUNIT_CASE(a_sub_channel_that_goes_alone_loses_no_request),
	KUNIT_CASE(sub_channels_come_back_after_a_reconnect),
	KUNIT_CASE(a_host_that_creates_no_sub_channels_does_no_harm),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_storvsc_end",
	.suite_init = stor_suite_init,
	.init = stor_init,
	.exit = stor_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
