// SPDX-License-Identifier: GPL-2.0
/*
 * The simulated host's control protocol, against the in-tree bus alone: offers,
 * opens, closes, GPADLs and rescinds, in time, late, refused and out of turn.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/fault-inject.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "sim_guest.h"

static struct guest *const guest = &guests[0];

/* ---- open ---- */

static void an_offer_is_probed_and_opened(struct kunit *test)
{
	struct hvsim_offer offer = guest_offer(0);
	struct hvsim_chan *host = hvsim_offer(&offer);

	KUNIT_EXPECT_TRUE(test, hvsim_settle());
	KUNIT_EXPECT_TRUE(test, host->open);
	KUNIT_EXPECT_NOT_NULL(test, guest->dev);
	KUNIT_EXPECT_EQ(test, host->stats.control[CHANNELMSG_OPENCHANNEL], 1);
	KUNIT_EXPECT_EQ(test, hvsim_gpadl_count(host), 1);
	KUNIT_EXPECT_EQ(test, hvsim_ring_bytes(host, HVSIM_G2H), GUEST_RING - PAGE_SIZE);
}

static void an_open_can_be_refused(struct kunit *test)
{
	struct hvsim_offer offer = guest_offer(0);
	struct hvsim_chan *host;

	offer.script.open_status = 0xc0000001;
	host = hvsim_offer(&offer);
	KUNIT_EXPECT_TRUE(test, hvsim_settle());
	KUNIT_EXPECT_TRUE(test, completion_done(&guest->probed));
	KUNIT_EXPECT_NE(test, guest->open_error, 0);
	KUNIT_EXPECT_FALSE(test, host->open);
	KUNIT_EXPECT_EQ(test, hvsim_gpadl_count(host), 0);
}

static void a_gpadl_can_be_refused(struct kunit *test)
{
	struct hvsim_offer offer = guest_offer(0);
	struct hvsim_chan *host;

	offer.script.gpadl_status = 0xc0000001;
	host = hvsim_offer(&offer);
	KUNIT_EXPECT_TRUE(test, hvsim_settle());
	KUNIT_EXPECT_TRUE(test, completion_done(&guest->probed));
	KUNIT_EXPECT_NE(test, guest->open_error, 0);
	KUNIT_EXPECT_EQ(test, hvsim_gpadl_count(host), 0);
}

/* Offered, and the open put aside: the guest waits in vmbus_open(). */
static struct hvsim_chan *stuck_in_open(struct kunit *test)
{
	struct hvsim_offer offer = guest_offer(0);
	struct hvsim_chan *host;

	offer.hold = BIT(CHANNELMSG_OPENCHANNEL);
	host = hvsim_offer(&offer);
	KUNIT_ASSERT_FALSE(test, IS_ERR(host));
	KUNIT_EXPECT_TRUE(test, hvsim_settle());
	KUNIT_EXPECT_EQ(test, hvsim_held(host, CHANNELMSG_OPENCHANNEL), 1);
	KUNIT_EXPECT_FALSE(test, completion_done(&guest->probed));
	KUNIT_EXPECT_FALSE(test, host->open);
	return host;
}

static void a_late_open_result_still_opens(struct kunit *test)
{
	struct hvsim_chan *host = stuck_in_open(test);

	hvsim_unhold(host, CHANNELMSG_OPENCHANNEL);
	KUNIT_EXPECT_TRUE(test, wait_for_completion_timeout(&guest->probed, 20 * HZ));
	KUNIT_EXPECT_EQ(test, guest->open_error, 0);
	KUNIT_EXPECT_TRUE(test, host->open);
}

static void a_rescind_ends_a_wait_for_the_open_result(struct kunit *test)
{
	struct hvsim_chan *host = stuck_in_open(test);

	hvsim_rescind(host);
	KUNIT_EXPECT_TRUE(test, wait_for_completion_timeout(&guest->probed, 20 * HZ));
	KUNIT_EXPECT_NE(test, guest->open_error, 0);
	KUNIT_EXPECT_TRUE(test, hvsim_wait_released(host));
}

/* ---- close ---- */

struct closer {
	struct work_struct work;
	struct vmbus_channel *channel;
	struct completion done;
};

static void close_fn(struct work_struct *work)
{
	struct closer *closer = container_of(work, struct closer, work);

	vmbus_close(closer->channel);
	complete(&closer->done);
}

/* A channel whose close waits for the teardown of its ring. */
static struct hvsim_chan *stuck_in_close(struct kunit *test, struct closer *closer)
{
	struct hvsim_chan *host = guest_up(test, 0);

	hvsim_hold(host, CHANNELMSG_GPADL_TEARDOWN);
	INIT_WORK_ONSTACK(&closer->work, close_fn);
	init_completion(&closer->done);
	closer->channel = guest->channel;
	schedule_work(&closer->work);
	KUNIT_EXPECT_TRUE(test, hvsim_wait_open(host, false));
	KUNIT_EXPECT_TRUE(test, hvsim_settle());
	KUNIT_EXPECT_EQ(test, hvsim_held(host, CHANNELMSG_GPADL_TEARDOWN), 1);
	msleep(50);
	KUNIT_EXPECT_FALSE(test, completion_done(&closer->done));
	return host;
}

static void finish_close(struct kunit *test, struct closer *closer)
{
	KUNIT_EXPECT_TRUE(test, wait_for_completion_timeout(&closer->done, 20 * HZ));
	flush_work(&closer->work);
	destroy_work_on_stack(&closer->work);
}

static void a_silent_close_ends_with_a_late_answer(struct kunit *test)
{
	struct closer closer;
	struct hvsim_chan *host = stuck_in_close(test, &closer);

	hvsim_unhold(host, CHANNELMSG_GPADL_TEARDOWN);
	finish_close(test, &closer);
	KUNIT_EXPECT_EQ(test, hvsim_gpadl_count(host), 0);
}

/*
 * vmbus_close() waits with the mutex held that the bus needs to find the channel
 * of a rescind.
 */
static void a_rescind_does_not_end_a_silent_close(struct kunit *test)
{
	struct closer closer;
	struct hvsim_chan *host = stuck_in_close(test, &closer);

	hvsim_rescind(host);
	msleep(50);
	KUNIT_EXPECT_FALSE(test, completion_done(&closer.done));
	hvsim_unhold(host, CHANNELMSG_GPADL_TEARDOWN);
	finish_close(test, &closer);
	KUNIT_EXPECT_TRUE(test, hvsim_wait_released(host));
}

static void a_channel_opens_again_after_a_close(struct kunit *test)
{
	struct hvsim_chan *host = guest_up(test, 0);

	vmbus_close(guest->channel);
	KUNIT_EXPECT_FALSE(test, host->open);
	KUNIT_EXPECT_EQ(test, vmbus_open(guest->channel, GUEST_RING, GUEST_RING, NULL, 0,
					 guest_callback, guest->channel), 0);
	KUNIT_EXPECT_TRUE(test, host->open);
	KUNIT_EXPECT_EQ(test, guest_send(guest, 5, "x", 1), 0);
	KUNIT_EXPECT_TRUE(test, guest_wait(guest, 1));
}

/* ---- rescind ---- */

static void a_rescind_removes_the_device(struct kunit *test)
{
	struct hvsim_chan *host = guest_up(test, 0);

	hvsim_rescind(host);
	KUNIT_EXPECT_FALSE(test, host->open);
	KUNIT_EXPECT_TRUE(test, hvsim_wait_released(host));
	KUNIT_EXPECT_NULL(test, guest->dev);
}

static void rescind_and_wait(struct hvsim_chan *chan)
{
	unsigned int i;

	hvsim_rescind(chan);
	for (i = 0; i < 1000 && !READ_ONCE(guest->channel->rescind); i++)
		usleep_range(50, 100);
}

static void a_rescind_comes_between_publication_and_signal(struct kunit *test)
{
	struct hvsim_chan *host = guest_up(test, 0);

	host->script.on_signal = rescind_and_wait;
	KUNIT_EXPECT_EQ(test, guest_send(guest, 1, "x", 1), -ENODEV);
	KUNIT_EXPECT_EQ(test, host->stats.signals, 1);
	KUNIT_EXPECT_EQ(test, host->stats.packets[VM_PKT_DATA_INBAND], 0);
	KUNIT_EXPECT_TRUE(test, hvsim_wait_released(host));
}

static void the_same_device_comes_back_after_a_rescind(struct kunit *test)
{
	struct hvsim_chan *host = guest_up(test, 0);
	unsigned int i;

	for (i = 0; i < 5; i++) {
		KUNIT_EXPECT_EQ(test, guest_send(guest, i + 1, "x", 1), 0);
		KUNIT_EXPECT_TRUE(test, guest_wait(guest, i + 1));
		hvsim_rescind(host);
		KUNIT_ASSERT_TRUE(test, hvsim_wait_released(host));
		reinit_completion(&guest->probed);
		hvsim_forget(host);
		host = guest_up(test, 0);
	}
}

/* ---- several channels ---- */

static void several_devices_do_not_mix(struct kunit *test)
{
	struct hvsim_chan *host[GUESTS];
	unsigned int i, n;

	for (i = 0; i < GUESTS; i++)
		host[i] = guest_up(test, i);
	for (n = 0; n < 50; n++)
		for (i = 0; i < GUESTS; i++)
			KUNIT_ASSERT_EQ(test, guest_send(&guests[i], 100 * i + n, "x", 1), 0);
	for (i = 0; i < GUESTS; i++) {
		KUNIT_ASSERT_TRUE(test, guest_wait(&guests[i], 50));
		for (n = 0; n < 50; n++)
			KUNIT_EXPECT_EQ(test, guests[i].ids[n], 100 * i + n);
	}
	hvsim_rescind(host[1]);
	KUNIT_EXPECT_TRUE(test, hvsim_wait_released(host[1]));
	KUNIT_EXPECT_EQ(test, guest_send(&guests[2], 7, "x", 1), 0);
	KUNIT_EXPECT_TRUE(test, guest_wait(&guests[2], 51));
}

static struct vmbus_channel *new_sub;

static void open_sub(struct vmbus_channel *sub)
{
	if (!vmbus_open(sub, GUEST_RING, GUEST_RING, NULL, 0, guest_callback, sub))
		WRITE_ONCE(new_sub, sub);
}

static void a_sub_channel_belongs_to_its_primary(struct kunit *test)
{
	struct hvsim_offer offer = guest_offer(0);
	struct hvsim_chan *sub;

	guest_new_sub = open_sub;
	new_sub = NULL;
	guest_up(test, 0);
	offer.sub_index = 1;
	sub = hvsim_offer(&offer);
	KUNIT_EXPECT_TRUE(test, hvsim_wait_open(sub, true));
	KUNIT_EXPECT_TRUE(test, hvsim_settle());
	KUNIT_ASSERT_NOT_NULL(test, new_sub);
	KUNIT_EXPECT_PTR_EQ(test, new_sub->primary_channel, guest->channel);
	KUNIT_EXPECT_EQ(test, vmbus_sendpacket(new_sub, "x", 1, 5, VM_PKT_DATA_INBAND,
					       VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED), 0);
	KUNIT_EXPECT_TRUE(test, guest_wait(guest, 1));
	KUNIT_EXPECT_EQ(test, sub->stats.packets[VM_PKT_DATA_INBAND], 1);
}

/* ---- GPADLs ---- */

static void a_gpadl_names_the_guests_pages(struct kunit *test)
{
	struct hvsim_chan *host = guest_up(test, 0);
	struct vmbus_gpadl gpadl = { };
	u32 size = 1 << 20, i;
	struct hvsim_gpadl *seen;
	u8 *data = vzalloc(size);

	KUNIT_ASSERT_NOT_NULL(test, data);
	for (i = 0; i < size; i += PAGE_SIZE)
		data[i] = i >> PAGE_SHIFT;
	KUNIT_EXPECT_EQ(test, vmbus_establish_gpadl(guest->channel, data, size, &gpadl), 0);
	KUNIT_EXPECT_EQ(test, hvsim_gpadl_count(host), 2);
	seen = hvsim_find_gpadl(gpadl.gpadl_handle);
	KUNIT_ASSERT_NOT_NULL(test, seen);
	KUNIT_ASSERT_EQ(test, seen->nr, size >> PAGE_SHIFT);
	KUNIT_EXPECT_EQ(test, seen->byte_count, size);
	for (i = 0; i < seen->nr; i++)
		KUNIT_EXPECT_EQ(test, *(u8 *)page_address(seen->pages[i]), (u8)i);
	KUNIT_EXPECT_EQ(test, vmbus_teardown_gpadl(guest->channel, &gpadl), 0);
	KUNIT_EXPECT_EQ(test, hvsim_gpadl_count(host), 1);
	vfree(data);
}

static void a_post_that_fails_is_tried_again(struct kunit *test)
{
	struct hvsim_chan *host = guest_up(test, 0);
	struct vmbus_gpadl gpadl = { };
	void *data = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);

	hvsim_fail_posts(5, HV_STATUS_INSUFFICIENT_BUFFERS);
	KUNIT_EXPECT_EQ(test, vmbus_establish_gpadl(guest->channel, data, PAGE_SIZE, &gpadl), 0);
	KUNIT_EXPECT_EQ(test, hvsim_failing_posts(), 0);
	KUNIT_EXPECT_EQ(test, host->stats.control[CHANNELMSG_GPADL_HEADER], 2);
	KUNIT_EXPECT_EQ(test, vmbus_teardown_gpadl(guest->channel, &gpadl), 0);
}

/* A test's failing allocations are the guest's, never the host's. */
static void injected_faults_hit_the_guest_only(struct kunit *test)
{
#ifdef CONFIG_FAILSLAB
	u32 size = 256 << 10, nth, failed = 0;
	void *data = vzalloc(size);
	bool past = false;

	guest_up(test, 0);
	KUNIT_ASSERT_NOT_NULL(test, data);
	for (nth = 1; !past && nth < 1000; nth++) {
		struct vmbus_gpadl gpadl = { };
		int ret;

		current->fail_nth = nth;
		ret = vmbus_establish_gpadl(guest->channel, data, size, &gpadl);
		past = current->fail_nth;
		current->fail_nth = 0;
		if (ret)
			failed++;
		else
			KUNIT_EXPECT_EQ(test, vmbus_teardown_gpadl(guest->channel, &gpadl), 0);
		KUNIT_EXPECT_TRUE(test, !ret || ret == -ENOMEM);
	}
	/*
	 * Not how many: what the debug kernel itself allocates in between counts too,
	 * and differs from one round to the next.
	 */
	KUNIT_EXPECT_GT(test, failed, 0);
	KUNIT_EXPECT_EQ(test, hvsim_faults(), 0);
	vfree(data);
#else
	kunit_skip(test, "needs CONFIG_FAILSLAB");
#endif
}

/* ---- the frame ---- */

static void a_reset_leaves_nothing_behind(struct kunit *test)
{
	struct hvsim_chan *host = guest_up(test, 0);
	struct closer closer;

	host->script.answer = HVSIM_ANSWER_LATER;
	host->script.record = true;
	KUNIT_EXPECT_EQ(test, guest_send(guest, 1, "x", 1), 0);
	KUNIT_EXPECT_TRUE(test, hvsim_settle());
	hvsim_hold(host, CHANNELMSG_GPADL_TEARDOWN);
	INIT_WORK_ONSTACK(&closer.work, close_fn);
	init_completion(&closer.done);
	closer.channel = guest->channel;
	schedule_work(&closer.work);
	KUNIT_EXPECT_TRUE(test, hvsim_wait_open(host, false));

	KUNIT_EXPECT_EQ(test, hvsim_reset(), 0);
	finish_close(test, &closer);
	KUNIT_EXPECT_NULL(test, guest->dev);
	reinit_completion(&guest->probed);
	host = guest_up(test, 0);
	KUNIT_EXPECT_EQ(test, hvsim_gpadl_count(host), 1);
	KUNIT_EXPECT_EQ(test, host->script.answer, HVSIM_ANSWER_ECHO);
}

static void settling_waits_for_the_bus_on_every_processor(struct kunit *test)
{
	struct hvsim_offer offer = guest_offer(0);
	struct hvsim_chan *host;
	int cpu;

	guest->slow = true;
	for_each_online_cpu(cpu) {
		set_cpus_allowed_ptr(current, cpumask_of(cpu));
		host = hvsim_offer(&offer);
		KUNIT_ASSERT_NOT_NULL(test, host);
		KUNIT_EXPECT_TRUE(test, hvsim_settle());
		KUNIT_EXPECT_NOT_NULL(test, guest->dev);
		hvsim_rescind(host);
		KUNIT_EXPECT_TRUE(test, hvsim_settle());
		KUNIT_EXPECT_NULL(test, guest->dev);
		KUNIT_EXPECT_TRUE(test, hvsim_wait_released(host));
	}
}

static struct kunit_case control_cases[] = {
	KUNIT_CASE(an_offer_is_probed_and_opened),
	KUNIT_CASE(an_open_can_be_refused),
	KUNIT_CASE(a_gpadl_can_be_refused),
	KUNIT_CASE(a_late_open_result_still_opens),
	KUNIT_CASE(a_rescind_ends_a_wait_for_the_open_result),
	KUNIT_CASE(a_silent_close_ends_with_a_late_answer),
	KUNIT_CASE(a_rescind_does_not_end_a_silent_close),
	KUNIT_CASE(a_channel_opens_again_after_a_close),
	KUNIT_CASE(a_rescind_removes_the_device),
	KUNIT_CASE(a_rescind_comes_between_publication_and_signal),
	KUNIT_CASE(the_same_device_comes_back_after_a_rescind),
	KUNIT_CASE(several_devices_do_not_mix),
	KUNIT_CASE(a_sub_channel_belongs_to_its_primary),
	KUNIT_CASE(a_gpadl_names_the_guests_pages),
	KUNIT_CASE(a_post_that_fails_is_tried_again),
	KUNIT_CASE(injected_faults_hit_the_guest_only),
	KUNIT_CASE(a_reset_leaves_nothing_behind),
	KUNIT_CASE(settling_waits_for_the_bus_on_every_processor),
	{}
};

static struct kunit_suite control_suite = {
	.name = "sim_control",
	.suite_init = guest_register,
	.suite_exit = guest_unregister,
	.init = guest_init,
	.exit = guest_exit,
	.test_cases = control_cases,
};

kunit_test_suite(control_suite);
