// SPDX-License-Identifier: GPL-2.0
/* The simulated host and the in-tree bus alone: what every other suite stands on. */
#include <linux/completion.h>
#include <linux/hyperv.h>
#include <linux/module.h>
#include <kunit/test.h>
#include "sim/sim.h"

#define TEST_TYPE	GUID_INIT(0x11223344, 0x5566, 0x7788, 0x99, 0xaa, 0xbb, 0xcc, \
				  0xdd, 0xee, 0xff, 0x01)
#define TEST_INSTANCE	GUID_INIT(0xdeadbeef, 0x0001, 0x0002, 0x03, 0x04, 0x05, 0x06, \
				  0x07, 0x08, 0x09, 0x0a)
#define RING_SIZE	(16 * PAGE_SIZE)

/* The guest: a driver as small as they get. */
static struct hv_device *guest_dev;
static int guest_open_error;
static DECLARE_COMPLETION(guest_probed);
static DECLARE_COMPLETION(guest_completed);
static u64 guest_last_id;
static unsigned long guest_completions;

static void guest_callback(void *context)
{
	struct vmbus_channel *channel = context;
	struct vmpacket_descriptor *desc;

	foreach_vmbus_pkt(desc, channel) {
		if (desc->type != VM_PKT_COMP)
			continue;
		guest_last_id = desc->trans_id;
		guest_completions++;
		complete(&guest_completed);
	}
}

static int guest_probe(struct hv_device *dev, const struct hv_vmbus_device_id *id)
{
	guest_open_error = vmbus_open(dev->channel, RING_SIZE, RING_SIZE, NULL, 0,
				      guest_callback, dev->channel);
	if (!guest_open_error)
		guest_dev = dev;
	complete(&guest_probed);
	return guest_open_error;
}

static void guest_remove(struct hv_device *dev)
{
	vmbus_close(dev->channel);
	guest_dev = NULL;
}

static const struct hv_vmbus_device_id guest_ids[] = {
	{ .guid = TEST_TYPE },
	{ }
};

static struct hv_driver guest_driver = {
	.name = "kmcl_sim_guest",
	.id_table = guest_ids,
	.probe = guest_probe,
	.remove = guest_remove,
};

static struct hvsim_chan *host;

static int sim_init(struct kunit *test)
{
	const struct hvsim_offer offer = {
		.type = TEST_TYPE,
		.instance = TEST_INSTANCE,
	};

	reinit_completion(&guest_probed);
	reinit_completion(&guest_completed);
	guest_completions = 0;
	KUNIT_ASSERT_EQ(test, hvsim_begin(test), 0);
	host = hvsim_offer(&offer);
	KUNIT_ASSERT_FALSE(test, IS_ERR(host));
	KUNIT_ASSERT_TRUE(test, wait_for_completion_timeout(&guest_probed, 5 * HZ));
	KUNIT_ASSERT_EQ(test, guest_open_error, 0);
	return 0;
}

static void sim_exit(struct kunit *test)
{
	hvsim_end(test);
	KUNIT_EXPECT_NULL(test, guest_dev);
}

static int guest_send(u64 id, const void *data, u32 len)
{
	return vmbus_sendpacket(guest_dev->channel, (void *)data, len, id, VM_PKT_DATA_INBAND,
				VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED);
}

static void echo_round_trips(struct kunit *test)
{
	static const char text[] = "hello, host";
	u64 id;

	for (id = 1; id <= 1000; id++) {
		KUNIT_ASSERT_EQ(test, guest_send(id, text, sizeof(text)), 0);
		KUNIT_ASSERT_TRUE(test, wait_for_completion_timeout(&guest_completed, HZ));
		KUNIT_ASSERT_EQ(test, guest_last_id, id);
	}
	KUNIT_EXPECT_EQ(test, host->stats.packets[VM_PKT_DATA_INBAND], 1000);
	KUNIT_EXPECT_EQ(test, host->stats.answers, 1000);
}

static int sim_suite_init(struct kunit_suite *suite)
{
	return vmbus_driver_register(&guest_driver);
}

static void sim_suite_exit(struct kunit_suite *suite)
{
	vmbus_driver_unregister(&guest_driver);
}

static struct kunit_case sim_cases[] = {
	KUNIT_CASE(echo_round_trips),
	{}
};

static struct kunit_suite sim_suite = {
	.name = "sim",
	.suite_init = sim_suite_init,
	.suite_exit = sim_suite_exit,
	.init = sim_init,
	.exit = sim_exit,
	.test_cases = sim_cases,
};
kunit_test_suite(sim_suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KUnit suite of the simulated VMBus host");
