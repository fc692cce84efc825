// SPDX-License-Identifier: GPL-2.0
/* No memory: objects, settings, sends, life, GPADLs. See alloc.h. */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/vmalloc.h>
#include <kmcl/vsc.h>
#include "alloc.h"

static void clear_log(struct vsc *v)
{
	memset(v->log, 0, sizeof(v->log));
	v->logged = 0;
}

/* ---- objects ---- */

static void do_allocate(struct vsc *v, unsigned int nth)
{
	VMBCHANNEL ch = v->ch;
	NTSTATUS status;
	bool met;

	fail_allocation(nth);
	status = VmbChannelAllocate(NULL, FALSE, &ch);
	met = allocation_failed();
	expect_status(v, status, met);
	KUNIT_EXPECT_EQ(v->test, !!ch, NT_SUCCESS(status));
	if (ch)
		VmbChannelCleanup(ch);
	swept(v, met);
}

static void allocate_fails_cleanly(struct kunit *test)
{
	sweep(test, do_allocate, vsc_new(test), 2);
	/* the rest is had from vmalloc */
	KUNIT_EXPECT_GE(test, alloc_failures, 1u);
}

static void do_initialize(struct vsc *v, unsigned int nth)
{
	VMBCHANNEL ch = kunit_kzalloc(v->test, VmbSizeofChannel(), GFP_KERNEL);
	NTSTATUS status;
	bool met;

	KUNIT_ASSERT_NOT_NULL(v->test, ch);
	fail_allocation(nth);
	status = VmbChannelInitialize(NULL, FALSE, ch, VmbSizeofChannel());
	met = allocation_failed();
	expect_status(v, status, met);
	if (NT_SUCCESS(status))
		VmbChannelCleanup(ch);
	else
		KUNIT_EXPECT_NULL(v->test, memchr_inv(ch, 0, VmbSizeofChannel()));
	swept(v, met);
}

static void initialize_fails_cleanly(struct kunit *test)
{
	sweep(test, do_initialize, vsc_new(test), 2);
	KUNIT_EXPECT_GE(test, alloc_failures, 1u);
}

static void do_packet_count(struct vsc *v, unsigned int nth)
{
	NTSTATUS status;
	bool met;

	fail_allocation(nth);
	status = VmbChannelInitSetMaximumPacketCount(v->ch, 4096);
	met = allocation_failed();
	expect_status(v, status, met);
	KUNIT_EXPECT_EQ(v->test, v->kch->config.max_count,
			NT_SUCCESS(status) ? 4096 : KMCL_DEFAULT_COUNT);
	v->kch->config.max_count = KMCL_DEFAULT_COUNT;
	swept(v, met);
}

static void the_packet_count_fails_cleanly(struct kunit *test)
{
	sweep(test, do_packet_count, vsc_new(test), 1);
	KUNIT_EXPECT_GE(test, alloc_failures, 1u);
}

static void the_other_settings_allocate_nothing(struct kunit *test)
{
	static WCHAR text[] = L"name";
	UNICODE_STRING name = { .Buffer = text, .Length = 8, .MaximumLength = 8 };
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS state;
	struct vsc *v = vsc_new(test);
	NTSTATUS status = STATUS_SUCCESS;

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&state);
	fail_allocation(1);
	status |= VmbChannelInitSetFlags(v->ch, VMBUS_CHANNEL_INIT_FLAG_IS_PIPE);
	status |= VmbChannelInitSetFriendlyName(v->ch, &name);
	status |= VmbChannelInitSetMaximumPacketSize(v->ch, 100000);
	status |= VmbChannelInitSetProcessPacketCallbacks(v->ch, NULL, NULL);
	status |= VmbChannelInitSetProcessPacketCallbacksEx(v->ch, NULL, NULL, NULL);
	status |= VmbChannelInitSetStateChangeCallbacks(v->ch, &state);
	status |= VmbClientChannelInitSetRingBufferPageCount(v->ch, 100, 100);
	status |= vsc_set_target(v->ch, NULL);
	KUNIT_EXPECT_FALSE(test, allocation_failed());
	KUNIT_EXPECT_EQ(test, status, STATUS_SUCCESS);
}

static void do_packet_allocate(struct vsc *v, unsigned int nth)
{
	VMBPACKET pkt;
	bool met;

	fail_allocation(nth);
	pkt = VmbPacketAllocate(v->ch);
	met = allocation_failed();
	expect_status(v, pkt ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES, met);
	KUNIT_EXPECT_EQ(v->test, v->kch->packets, pkt ? 1u : 0u);
	VmbPacketFree(pkt);
	swept(v, met);
}

static void packet_allocate_returns_null(struct kunit *test)
{
	/* the packet, and the first chunk of slots */
	sweep(test, do_packet_allocate, small_vsc(test), 2);
	/* the rest is had from vmalloc */
	KUNIT_EXPECT_GE(test, alloc_failures, 1u);
}

static void do_packet_initialize(struct vsc *v, unsigned int nth)
{
	u32 size = VmbChannelSizeofPacket(v->ch);
	void *buf = kunit_kzalloc(v->test, size, GFP_KERNEL);
	NTSTATUS status;
	bool met;

	KUNIT_ASSERT_NOT_NULL(v->test, buf);
	fail_allocation(nth);
	status = VmbPacketInitialize(v->ch, buf, size);
	met = allocation_failed();
	expect_status(v, status, met);
	KUNIT_EXPECT_EQ(v->test, v->kch->packets, NT_SUCCESS(status) ? 1u : 0u);
	if (NT_SUCCESS(status))
		VmbPacketFree(buf);
	swept(v, met);
}

static void packet_initialize_fails_cleanly(struct kunit *test)
{
	sweep(test, do_packet_initialize, small_vsc(test), 1);
	KUNIT_EXPECT_GE(test, alloc_failures, 1u);
}

static void do_send(struct vsc *v, unsigned int nth)
{
	NTSTATUS status;
	VMBPACKET pkt = vsc_packet(v);
	bool met;

	KUNIT_ASSERT_NOT_NULL(v->test, pkt);
	fail_allocation(nth);
	status = VmbPacketSend(pkt, "hello", 6, NULL, WAIT_FOR_COMPLETION);
	met = allocation_failed();
	KUNIT_EXPECT_EQ(v->test, status, STATUS_SUCCESS);
	swept(v, met);
}

static void do_request(struct vsc *v, unsigned int nth)
{
	NTSTATUS status;
	bool met;

	fail_allocation(nth);
	status = VmbChannelSendSynchronousRequest(v->ch, "hello", 6, NULL, WAIT_FOR_COMPLETION,
						  NULL, NULL, NULL);
	met = allocation_failed();
	expect_status(v, status, met);
	swept(v, met);
}

static void a_synchronous_request_fails_cleanly(struct kunit *test)
{
	struct vsc *v = small_vsc(test);

	v->offer.exec = HVSIM_EXEC_INLINE;
	vsc_bring_up(v);
	sweep(test, do_request, v, 1);
	KUNIT_EXPECT_GE(test, alloc_failures, 1u);
}

static void a_send_allocates_nothing(struct kunit *test)
{
	struct vsc *v = small_vsc(test);
	unsigned int i;

	vsc_bring_up(v);
	do_send(v, 1);
	KUNIT_EXPECT_NOT_NULL(test, v->priv);
	/* queued behind a full ring, too */
	hvsim_stall(v->host);
	for (i = 0; i < 200; i++) {
		do_send(v, 1);
		KUNIT_ASSERT_NOT_NULL(test, v->priv);
	}
	KUNIT_EXPECT_GT(test, v->kch->stats.queued, 0ull);
	hvsim_resume(v->host);
	vsc_expect_soon(v, atomic_read(&v->ok) == 201);
}

/* ---- life ---- */

/* A packet there and its answer back. */
static void expect_traffic(struct vsc *v)
{
	int ok = atomic_read(&v->ok);

	KUNIT_EXPECT_EQ(v->test, vsc_send(v, "hello", 6, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	vsc_expect_soon(v, atomic_read(&v->ok) == ok + 1);
}

static void do_enable(struct vsc *v, unsigned int nth)
{
	NTSTATUS status;
	bool met;

	clear_log(v);
	fail_allocation(nth);
	status = VmbChannelEnable(v->ch);
	met = allocation_failed();
	if (!met)
		KUNIT_EXPECT_EQ(v->test, status, STATUS_SUCCESS);
	if (status == STATUS_SUCCESS) {
		/* some alloc_failures can be helped; then nothing is missing */
		vsc_expect_log(v, "OSP");
		KUNIT_EXPECT_TRUE_MSG(v->test, v->host->open, "allocation %u", nth);
		if (v->host->open)
			expect_traffic(v);
		VmbChannelDisable(v->ch);
	} else {
		KUNIT_EXPECT_EQ_MSG(v->test, status, STATUS_INSUFFICIENT_RESOURCES,
				    "allocation %u", nth);
		vsc_expect_log(v, "");
		KUNIT_EXPECT_EQ(v->test, vsc_send(v, "x", 1, 0), STATUS_INVALID_DEVICE_STATE);
		KUNIT_EXPECT_EQ(v->test, VmbClientChannelInitSetRingBufferPageCount(v->ch, 1, 1),
				STATUS_SUCCESS);
	}
	KUNIT_EXPECT_FALSE(v->test, v->host->open);
	KUNIT_EXPECT_NULL(v->test, v->kch->transport);
	KUNIT_EXPECT_EQ(v->test, v->kch->rx.objects, 0u);
	swept(v, met);
}

static void enable_rolls_back_or_opens(struct kunit *test)
{
	struct vsc *v = small_vsc(test);

	vsc_offer(v);
	/* the pool alone is more */
	sweep(test, do_enable, v, 15);
}

static void enable_beside_another_channel_rolls_back_or_opens(struct kunit *test)
{
	const guid_t other = GUID_INIT(0x6b6d636c, 0x0002, 0x4000, 0x80, 0, 0, 0, 0, 0, 0, 3);
	struct vsc *a = small_vsc(test), *v = small_vsc(test);

	/* the driver of the class is there already */
	vsc_bring_up(a);
	v->offer.instance = other;
	KUNIT_ASSERT_EQ(test, vsc_set_target(v->ch, &other), STATUS_SUCCESS);
	vsc_offer(v);
	sweep(test, do_enable, v, 15);
	expect_traffic(a);
}

static void do_enable_waiting(struct vsc *v, unsigned int nth)
{
	NTSTATUS status;
	bool met;

	clear_log(v);
	fail_allocation(nth);
	status = VmbChannelEnable(v->ch);
	met = allocation_failed();
	if (!met)
		KUNIT_EXPECT_EQ(v->test, status, STATUS_SUCCESS);
	if (status == STATUS_SUCCESS) {
		vsc_offer(v);
		vsc_expect_soon(v, v->logged == 3);
		VmbChannelDisable(v->ch);
		vsc_rescind(v);
		hvsim_forget(v->host);
		vsc_expect_log(v, "OSPUC");
	} else {
		KUNIT_EXPECT_EQ(v->test, status, STATUS_INSUFFICIENT_RESOURCES);
		KUNIT_EXPECT_NULL(v->test, v->kch->transport);
	}
	swept(v, met);
}

static void enable_before_the_offer_rolls_back_or_waits(struct kunit *test)
{
	sweep(test, do_enable_waiting, small_vsc(test), 1);
}

static void do_disable(struct vsc *v, unsigned int nth)
{
	int completions = atomic_read(&v->completions);
	bool met;

	clear_log(v);
	KUNIT_ASSERT_EQ(v->test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	v->host->script.answer = HVSIM_ANSWER_NONE;
	KUNIT_EXPECT_EQ(v->test, vsc_send(v, "x", 1, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	fail_allocation(nth);
	VmbChannelDisable(v->ch);
	met = allocation_failed();
	vsc_expect_log(v, "OSPUC");
	KUNIT_EXPECT_EQ(v->test, atomic_read(&v->completions), completions + 1);
	KUNIT_EXPECT_EQ(v->test, vsc_send(v, "x", 1, 0), STATUS_INVALID_DEVICE_STATE);
	hvsim_flush();
	KUNIT_EXPECT_FALSE(v->test, v->host->open);
	v->host->script.answer = HVSIM_ANSWER_ECHO;
	swept(v, met);
}

static void disable_ends_in_disabled(struct kunit *test)
{
	struct vsc *v = small_vsc(test);

	vsc_offer(v);
	sweep(test, do_disable, v, 1);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	expect_traffic(v);
}

static void do_remove(struct vsc *v, unsigned int nth)
{
	int removed = atomic_read(&v->removed);
	struct device *dev;
	bool met;

	clear_log(v);
	KUNIT_ASSERT_EQ(v->test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	v->host->script.answer = HVSIM_ANSWER_NONE;
	KUNIT_EXPECT_EQ(v->test, vsc_send(v, "x", 1, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	dev = get_device(v->kch->target.device);
	fail_allocation(nth);
	device_release_driver(dev);
	met = allocation_failed();
	put_device(dev);
	KUNIT_EXPECT_EQ(v->test, atomic_read(&v->removed), removed + 1);
	vsc_expect_soon(v, v->logged == 5);
	vsc_expect_log(v, "OSPUC");
	/* Closed has been called; wait for what is behind it */
	VmbChannelDisable(v->ch);
	v->host->script.answer = HVSIM_ANSWER_ECHO;
	swept(v, met);
}

static void remove_completes_and_closes_everything(struct kunit *test)
{
	struct vsc *v = small_vsc(test);

	vsc_offer(v);
	sweep(test, do_remove, v, 1);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	expect_traffic(v);
}

/* ---- GPADLs ---- */

static void *shared_memory;

static NTSTATUS share_buffer(VMBCHANNEL ch, UINT32 *handle)
{
	return VmbChannelCreateGpadlFromBuffer(ch, 0, shared_memory, 2 * PAGE_SIZE, handle);
}

static NTSTATUS share_pages(VMBCHANNEL ch, UINT32 *handle)
{
	PFN_NUMBER pfns[2] = {
		vmalloc_to_pfn(shared_memory), vmalloc_to_pfn(shared_memory + PAGE_SIZE),
	};

	return VmbChannelCreateGpadlFromPfnList(ch, 0, pfns, ARRAY_SIZE(pfns), handle);
}

static NTSTATUS share_mdl(VMBCHANNEL ch, UINT32 *handle)
{
	struct {
		MDL mdl;
		PFN_NUMBER frames[2];
	} m;

	MmInitializeMdl(&m.mdl, shared_memory, 2 * PAGE_SIZE);
	m.mdl.MdlFlags |= MDL_PAGES_LOCKED;
	MmGetMdlPfnArray(&m.mdl)[0] = vmalloc_to_pfn(shared_memory);
	MmGetMdlPfnArray(&m.mdl)[1] = vmalloc_to_pfn(shared_memory + PAGE_SIZE);
	return VmbChannelCreateGpadlFromMdl(ch, 0, &m.mdl, 0, 0, handle);
}

static NTSTATUS share_own(VMBCHANNEL ch, UINT32 *handle)
{
	return VmbChannelCreateGpadl(ch, 0, 2, handle);
}

static NTSTATUS (*share)(VMBCHANNEL ch, UINT32 *handle);

static void do_share(struct vsc *v, unsigned int nth)
{
	u32 handle = 0;
	NTSTATUS status;
	bool met;

	fail_allocation(nth);
	status = share(v->ch, &handle);
	met = allocation_failed();
	expect_status(v, status, met);
	KUNIT_EXPECT_EQ(v->test, hvsim_gpadl_count(v->host), NT_SUCCESS(status) ? 2u : 1u);
	KUNIT_EXPECT_EQ(v->test, !!handle, NT_SUCCESS(status));
	if (NT_SUCCESS(status))
		VmbChannelDeleteGpadl(v->ch, handle);
	KUNIT_EXPECT_TRUE(v->test, xa_empty(&v->kch->gpadls));
	KUNIT_EXPECT_EQ(v->test, page_count(vmalloc_to_page(shared_memory)), 1);
	swept(v, met);
}

static void a_GPADL_is_created_or_leaves_nothing(struct kunit *test)
{
	NTSTATUS (* const ways[])(VMBCHANNEL ch, UINT32 *handle) = {
		share_buffer, share_pages, share_mdl, share_own,
	};
	struct vsc *v = small_vsc(test);
	unsigned int i;

	shared_memory = vzalloc(2 * PAGE_SIZE);
	KUNIT_ASSERT_NOT_NULL(test, shared_memory);
	vsc_bring_up(v);
	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		share = ways[i];
		/* ours and the bus's message; the table has room or grows */
		sweep(test, do_share, v, 2);
		KUNIT_EXPECT_GE(test, alloc_failures, 2u);
	}
	vfree(shared_memory);
}

static void do_unshare(struct vsc *v, unsigned int nth)
{
	u32 handle = 0;
	bool met;

	KUNIT_ASSERT_EQ(v->test, share_own(v->ch, &handle), STATUS_SUCCESS);
	fail_allocation(nth);
	VmbChannelDeleteGpadl(v->ch, handle);
	met = allocation_failed();
	KUNIT_EXPECT_EQ(v->test, hvsim_gpadl_count(v->host), 1u);
	KUNIT_EXPECT_EQ(v->test, v->kch->stats.lost_bytes, 0ull);
	swept(v, met);
}

static void a_delete_waits_for_memory(struct kunit *test)
{
	struct vsc *v = small_vsc(test);

	vsc_bring_up(v);
	sweep(test, do_unshare, v, 1);
}

/* ---- the helper ---- */

static atomic_t port_devices;

static int port_add(struct device *dev)
{
	atomic_inc(&port_devices);
	return 0;
}

static void port_remove(struct device *dev)
{
	atomic_dec(&port_devices);
}

static void do_vsc(struct vsc *v, unsigned int nth)
{
	static const struct hv_vmbus_device_id ids[] = {
		{ .guid = GUID_INIT(0x6b6d636c, 0x0001, 0x4000, 0x80, 0, 0, 0, 0, 0, 0, 1) },
		{ }
	};
	struct kmcl_vsc port = {
		.name = "kmcl_port",
		.owner = THIS_MODULE,
		.id_table = ids,
		.add = port_add,
		.remove = port_remove,
	};
	bool met;
	int ret;

	fail_allocation(nth);
	ret = kmcl_vsc_register(&port);
	met = allocation_failed();
	if (!met)
		KUNIT_EXPECT_EQ(v->test, ret, 0);
	if (!ret)
		kmcl_vsc_unregister(&port);
	else
		KUNIT_EXPECT_EQ(v->test, ret, -ENOMEM);
	KUNIT_EXPECT_EQ(v->test, atomic_read(&port_devices), 0);
	swept(v, met);
}

static void vsc_register_fails_cleanly(struct kunit *test)
{
	struct vsc *v = small_vsc(test);

	vsc_offer(v);
	sweep(test, do_vsc, v, 3);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	expect_traffic(v);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(allocate_fails_cleanly),
	KUNIT_CASE(initialize_fails_cleanly),
	KUNIT_CASE(the_packet_count_fails_cleanly),
	KUNIT_CASE(the_other_settings_allocate_nothing),
	KUNIT_CASE(packet_allocate_returns_null),
	KUNIT_CASE(packet_initialize_fails_cleanly),
	KUNIT_CASE(a_synchronous_request_fails_cleanly),
	KUNIT_CASE(a_send_allocates_nothing),
	KUNIT_CASE(enable_rolls_back_or_opens),
	KUNIT_CASE(enable_beside_another_channel_rolls_back_or_opens),
	KUNIT_CASE(enable_before_the_offer_rolls_back_or_waits),
	KUNIT_CASE(disable_ends_in_disabled),
	KUNIT_CASE(remove_completes_and_closes_everything),
	KUNIT_CASE(a_GPADL_is_created_or_leaves_nothing),
	KUNIT_CASE(a_delete_waits_for_memory),
	KUNIT_CASE(vsc_register_fails_cleanly),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_alloc",
	.init = alloc_init,
	.exit = alloc_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
