// SPDX-License-Identifier: GPL-2.0
/*
 * Making and configuring a channel: every parameter, every status, every limit.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include "fixture.h"
#include "kmsg.h"

#define NO_CHANNEL	((VMBCHANNEL)NULL)
#define LARGEST		524280u			/* bytes, descriptor included */
#define HEAD		40u			/* descriptor and one range of one frame */

/* A channel with nothing set, dropped at the end of the case. */
static VMBCHANNEL bare;

static int config_init(struct kunit *test)
{
	int ret = vsc_suite_init(test);

	if (ret)
		return ret;
	bare = NULL;
	KUNIT_ASSERT_EQ(test, VmbChannelAllocate(NULL, FALSE, &bare), STATUS_SUCCESS);
	return 0;
}

static void config_exit(struct kunit *test)
{
	VmbChannelCleanup(bare);
	vsc_suite_exit(test);
}

/* ---- making one ---- */

static void allocate_wants_a_place_for_the_handle(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, VmbChannelAllocate(NULL, FALSE, NULL), STATUS_INVALID_PARAMETER_3);
}

static void whatever_is_not_0_asks_for_a_server(struct kunit *test)
{
	const BOOLEAN values[] = { TRUE, 0x80, FALSE };
	VMBCHANNEL ch;
	int i;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		KUNIT_ASSERT_EQ(test, VmbChannelAllocate(NULL, values[i], &ch), STATUS_SUCCESS);
		KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetFlags(ch, 0),
				values[i] ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER_1);
		KUNIT_EXPECT_EQ(test, VmbClientChannelInitSetRingBufferPageCount(ch, 4, 4),
				values[i] ? STATUS_INVALID_PARAMETER_1 : STATUS_SUCCESS);
		VmbChannelCleanup(ch);
	}
}

static void cleanup_of_no_channel_is_harmless(struct kunit *test)
{
	VmbChannelCleanup(NO_CHANNEL);
}

static void a_handle_of_another_kind_is_no_channel(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	VMBPACKET pkt = VmbPacketAllocate(v->ch);
	VMBCHANNEL wrong = (VMBCHANNEL)pkt;

	KUNIT_ASSERT_NOT_NULL(test, pkt);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetFlags(wrong, 0), STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(wrong), STATUS_INVALID_PARAMETER_1);
	VmbChannelDisable(wrong);
	VmbChannelStart(wrong);
	VmbChannelPause(wrong);
	VmbChannelCleanup(wrong);
	KUNIT_EXPECT_EQ(test, VmbChannelSizeofPacket(wrong), 0u);
	KUNIT_EXPECT_NULL(test, VmbPacketAllocate(wrong));
	VmbPacketFree(pkt);
}

static void a_parent_device_is_held_until_cleanup(struct kunit *test)
{
	struct device *dev = root_device_register("kmcl_parent");
	unsigned int refs;
	VMBCHANNEL ch;

	KUNIT_ASSERT_FALSE(test, IS_ERR(dev));
	refs = kref_read(&dev->kobj.kref);
	KUNIT_EXPECT_EQ(test, VmbChannelAllocate((PDEVICE_OBJECT)dev, FALSE, &ch),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, kref_read(&dev->kobj.kref), refs + 1);
	VmbChannelCleanup(ch);
	KUNIT_EXPECT_EQ(test, kref_read(&dev->kobj.kref), refs);
	root_device_unregister(dev);
}

/* ---- InitSet*: what each accepts ---- */

static void flags_accept_is_pipe_and_nothing_else(struct kunit *test)
{
	unsigned int bit;

	KUNIT_EXPECT_EQ(test, VmbChannelInitSetFlags(NO_CHANNEL, 0), STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetFlags(bare, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetFlags(bare, VMBUS_CHANNEL_INIT_FLAG_IS_PIPE),
			STATUS_SUCCESS);
	for (bit = 1; bit < 32; bit++)
		KUNIT_EXPECT_EQ(test, VmbChannelInitSetFlags(bare, 1u << bit),
				STATUS_INVALID_PARAMETER_2);
}

static void a_friendly_name_is_set_once(struct kunit *test)
{
	static WCHAR text[] = L"First \x20ac";
	UNICODE_STRING name = { .Buffer = text, .Length = sizeof(text) - 2,
				.MaximumLength = sizeof(text) };

	KUNIT_EXPECT_EQ(test, VmbChannelInitSetFriendlyName(NO_CHANNEL, &name),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetFriendlyName(bare, NULL),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetFriendlyName(bare, &name), STATUS_SUCCESS);
	KUNIT_EXPECT_NOT_NULL(test, strstr(kmcl_channel(bare)->name, "First ?"));
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetFriendlyName(bare, &name),
			STATUS_INVALID_PARAMETER_2);
}

static void a_friendly_name_needs_no_terminator_and_may_be_long(struct kunit *test)
{
	const u16 length = 2 * 1000;
	UNICODE_STRING name = { .Length = length, .MaximumLength = length };
	unsigned int i;

	name.Buffer = kunit_kmalloc(test, length, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, name.Buffer);
	for (i = 0; i < length / 2; i++)
		name.Buffer[i] = 'x';
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetFriendlyName(bare, &name), STATUS_SUCCESS);
	KUNIT_EXPECT_LT(test, strlen(kmcl_channel(bare)->name), sizeof(kmcl_channel(bare)->name));
}

static void packet_sizes_and_counts_of_zero_are_refused(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetMaximumPacketSize(NO_CHANNEL, 1),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetMaximumPacketSize(bare, 0),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetMaximumPacketSize(bare, 1), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetMaximumPacketCount(NO_CHANNEL, 1),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetMaximumPacketCount(bare, 0),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetMaximumPacketCount(bare, 1), STATUS_SUCCESS);
}

static void the_packet_count_bounds_allocation(struct kunit *test)
{
	VMBPACKET one, two;

	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketCount(bare, 1), STATUS_SUCCESS);
	one = VmbPacketAllocate(bare);
	KUNIT_EXPECT_NOT_NULL(test, one);
	KUNIT_EXPECT_NULL(test, VmbPacketAllocate(bare));
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketCount(bare, 2), STATUS_SUCCESS);
	two = VmbPacketAllocate(bare);
	KUNIT_EXPECT_NOT_NULL(test, two);
	VmbPacketFree(one);
	VmbPacketFree(two);
}

static void the_size_of_a_packet_includes_the_largest_payload(struct kunit *test)
{
	UINT32 small, large;

	KUNIT_EXPECT_EQ(test, VmbChannelSizeofPacket(NO_CHANNEL), 0u);
	VmbChannelInitSetMaximumPacketSize(bare, 64);
	small = VmbChannelSizeofPacket(bare);
	VmbChannelInitSetMaximumPacketSize(bare, 64 + 8192);
	large = VmbChannelSizeofPacket(bare);
	KUNIT_EXPECT_GT(test, small, 64u);
	KUNIT_EXPECT_EQ(test, large, small + 8192);
}

static void ring_page_counts_are_refused_by_position(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, VmbClientChannelInitSetRingBufferPageCount(NO_CHANNEL, 1, 1),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbClientChannelInitSetRingBufferPageCount(bare, 0, 1),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbClientChannelInitSetRingBufferPageCount(bare, 1, 0),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, VmbClientChannelInitSetRingBufferPageCount(bare, ~0u, 1),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbClientChannelInitSetRingBufferPageCount(bare, 1, ~0u),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, VmbClientChannelInitSetRingBufferPageCount(bare, 1, 1),
			STATUS_SUCCESS);
}

static void a_target_needs_a_type_and_no_instance(struct kunit *test)
{
	LPCGUID guid = (LPCGUID)&vsc_type;

	KUNIT_EXPECT_EQ(test, VmbClientChannelInitSetTargetPnp(NO_CHANNEL, guid, guid, NULL),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbClientChannelInitSetTargetPnp(bare, NULL, guid, NULL),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbClientChannelInitSetTargetPnp(bare, guid, NULL, NULL),
			STATUS_SUCCESS);
}

static void state_callbacks_need_a_version_with_its_size(struct kunit *test)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5 v5;
	PVMB_CHANNEL_STATE_CHANGE_CALLBACKS any = (PVMB_CHANNEL_STATE_CHANGE_CALLBACKS)&v5;
	static const struct {
		ULONG version, size;
		NTSTATUS status;
	} pairs[] = {
		{ 1, 48, STATUS_SUCCESS },
		{ 5, 56, STATUS_SUCCESS },
		{ 1, 56, STATUS_INVALID_PARAMETER_2 },
		{ 5, 48, STATUS_INVALID_PARAMETER_2 },
		{ 1, 0, STATUS_INVALID_PARAMETER_2 },
		{ 0, 48, STATUS_INVALID_PARAMETER_2 },
		{ 2, 48, STATUS_INVALID_PARAMETER_2 },
		{ 4, 56, STATUS_INVALID_PARAMETER_2 },
		{ 6, 56, STATUS_INVALID_PARAMETER_2 },
		{ 5, 64, STATUS_INVALID_PARAMETER_2 },
		{ 0xffffffff, 0xffffffff, STATUS_INVALID_PARAMETER_2 },
	};
	unsigned int i;

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT_V5(&v5);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetStateChangeCallbacks(NO_CHANNEL, any),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetStateChangeCallbacks(bare, NULL),
			STATUS_INVALID_PARAMETER_2);
	for (i = 0; i < ARRAY_SIZE(pairs); i++) {
		v5.Version = pairs[i].version;
		v5.Size = pairs[i].size;
		KUNIT_EXPECT_EQ_MSG(test, VmbChannelInitSetStateChangeCallbacks(bare, any),
				    pairs[i].status, "version %u, size %u",
				    pairs[i].version, pairs[i].size);
	}
}

static void the_init_macros_zero_and_set_version_and_size(struct kunit *test)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS v1;
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5 v5;

	memset(&v1, 0xff, sizeof(v1));
	memset(&v5, 0xff, sizeof(v5));
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&v1);
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT_V5(&v5);
	KUNIT_EXPECT_EQ(test, v1.Version, 1u);
	KUNIT_EXPECT_EQ(test, v1.Size, 48u);
	KUNIT_EXPECT_NULL(test, memchr_inv(&v1.EvtChannelOpened, 0, 40));
	KUNIT_EXPECT_EQ(test, v5.Version, 5u);
	KUNIT_EXPECT_EQ(test, v5.Size, 56u);
	KUNIT_EXPECT_NULL(test, memchr_inv(&v5.CallbackContext, 0, 48));
}

static void the_pointer_is_kept_in_any_state(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	int here;

	KUNIT_EXPECT_NULL(test, VmbChannelGetPointer(bare));
	KUNIT_EXPECT_NULL(test, VmbChannelGetPointer(NO_CHANNEL));
	VmbChannelSetPointer(NO_CHANNEL, &here);
	vsc_bring_up(v);
	KUNIT_EXPECT_PTR_EQ(test, VmbChannelGetPointer(v->ch), (void *)v);
	VmbChannelSetPointer(v->ch, &here);
	KUNIT_EXPECT_PTR_EQ(test, VmbChannelGetPointer(v->ch), (void *)&here);
	VmbChannelDisable(v->ch);
	KUNIT_EXPECT_PTR_EQ(test, VmbChannelGetPointer(v->ch), (void *)&here);
}

/* ---- only while disabled ---- */

static void expect_configuration(struct kunit *test, VMBCHANNEL ch, NTSTATUS status)
{
	static WCHAR text[] = L"late";
	UNICODE_STRING name = { .Buffer = text, .Length = 8, .MaximumLength = 8 };
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS v1;

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&v1);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetFlags(ch, 0), status);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetFriendlyName(ch, &name), status);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetMaximumPacketSize(ch, 100), status);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetMaximumPacketCount(ch, 100), status);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetProcessPacketCallbacks(ch, NULL, NULL), status);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetProcessPacketCallbacksEx(ch, NULL, NULL, NULL),
			status);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetStateChangeCallbacks(ch, &v1), status);
	KUNIT_EXPECT_EQ(test, VmbClientChannelInitSetRingBufferPageCount(ch, 1, 1), status);
	KUNIT_EXPECT_EQ(test, VmbClientChannelInitSetTargetPnp(ch, (LPCGUID)&vsc_type,
							       NULL, NULL), status);
}

static void nothing_is_configurable_while_waiting(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	KUNIT_ASSERT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	expect_configuration(test, v->ch, STATUS_INVALID_PARAMETER_1);
	VmbChannelDisable(v->ch);
	expect_configuration(test, v->ch, STATUS_SUCCESS);
}

static void configure_in_callback(struct vsc *v, enum vsc_event event)
{
	expect_configuration(v->test, v->ch, STATUS_INVALID_PARAMETER_1);
}

static void nothing_is_configurable_while_open_or_in_a_callback(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	v->on_state = configure_in_callback;
	vsc_bring_up(v);
	expect_configuration(test, v->ch, STATUS_INVALID_PARAMETER_1);
	VmbChannelPause(v->ch);
	expect_configuration(test, v->ch, STATUS_INVALID_PARAMETER_1);
	VmbChannelDisable(v->ch);
	vsc_expect_log(v, "UC");
	expect_configuration(test, v->ch, STATUS_SUCCESS);
}

/* ---- limits ---- */

static void a_packet_beyond_the_largest_is_refused_at_enable(struct kunit *test)
{
	static const u32 sizes[] = { LARGEST - HEAD + 1, LARGEST, LARGEST + 1, 0x7fffffff,
				     0xfffffff0, 0xffffffff };
	struct vsc *v = vsc_new(test);
	unsigned int i;
	struct kmsg k;

	vsc_offer(v);
	VmbChannelInitSetMaximumExternalData(v->ch, 1, 1);
	kmsg_mark(&k);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketSize(v->ch, sizes[i]),
				STATUS_SUCCESS);
		KUNIT_EXPECT_EQ_MSG(test, VmbChannelEnable(v->ch), STATUS_INVALID_PARAMETER,
				    "size %u", sizes[i]);
	}
	kmsg_expect(test, &k, 1, "MaximumPacketSize 4294967295");
	vsc_expect_log(v, "");
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetMaximumPacketSize(v->ch, 100), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
}

static void the_pipe_header_counts_in_the_largest_packet(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	VmbChannelSetTransactionQuota(v->ch, 4);
	v->offer.flags = VMBUS_CHANNEL_NAMED_PIPE_MODE;
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetFlags(v->ch, VMBUS_CHANNEL_INIT_FLAG_IS_PIPE),
			STATUS_SUCCESS);
	VmbChannelInitSetMaximumExternalData(v->ch, 1, 1);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketSize(v->ch, LARGEST - HEAD - 8 + 1),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, vsc_up(v), STATUS_INVALID_PARAMETER);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketSize(v->ch, LARGEST - HEAD - 8),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
}

static void the_largest_packet_goes_to_the_host_and_back(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	const u32 size = LARGEST - HEAD;
	u8 *buf = kvmalloc(size, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, buf);
	memset(buf, 0x5a, size);
	VmbChannelSetTransactionQuota(v->ch, 4);
	VmbChannelInitSetMaximumExternalData(v->ch, 1, 1);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetMaximumPacketSize(v->ch, size), STATUS_SUCCESS);
	vsc_offer(v);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	if (v->host->open) {
		KUNIT_EXPECT_EQ(test, vsc_send(v, buf, size, WAIT_FOR_COMPLETION),
				STATUS_SUCCESS);
		vsc_expect_soon(v, atomic_read(&v->ok) == 1);
		KUNIT_EXPECT_EQ(test, hvsim_send(v->host, VM_PKT_DATA_INBAND, 0, 0, buf, size), 0);
		vsc_expect_soon(v, atomic_read(&v->received) == 1);
	}
	kvfree(buf);
}

static void a_pool_above_64_mib_is_refused_with_its_numbers(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct kmsg k;

	vsc_offer(v);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketSize(v->ch, 0x10000), STATUS_SUCCESS);
	kmsg_mark(&k);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_INSUFFICIENT_RESOURCES);
	kmsg_expect(test, &k, 1, "1024 incoming packets of up to 65536 bytes");
	vsc_expect_log(v, "");
	KUNIT_EXPECT_EQ(test, v->host->stats.control[CHANNELMSG_OPENCHANNEL], 0ul);
	VmbChannelSetTransactionQuota(v->ch, 512);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, v->host->open);
}

static void ring_counts_are_data_pages_of_each_direction(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	KUNIT_ASSERT_EQ(test, VmbClientChannelInitSetRingBufferPageCount(v->ch, 5, 9),
			STATUS_SUCCESS);
	vsc_bring_up(v);
	KUNIT_EXPECT_EQ(test, hvsim_ring_bytes(v->host, HVSIM_H2G), 5u * 4096);
	KUNIT_EXPECT_EQ(test, hvsim_ring_bytes(v->host, HVSIM_G2H), 9u * 4096);
}

static void rings_are_16_pages_each_by_default(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	vsc_bring_up(v);
	KUNIT_EXPECT_EQ(test, hvsim_ring_bytes(v->host, HVSIM_H2G), 16u * 4096);
	KUNIT_EXPECT_EQ(test, hvsim_ring_bytes(v->host, HVSIM_G2H), 16u * 4096);
}

static void rings_grow_until_two_largest_packets_fit(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	const u32 size = 10000, wire = 16 + 10000 + 8;
	u8 *buf = kunit_kzalloc(test, size, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_ASSERT_EQ(test, VmbClientChannelInitSetRingBufferPageCount(v->ch, 1, 1),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketSize(v->ch, size), STATUS_SUCCESS);
	vsc_bring_up(v);
	KUNIT_EXPECT_GT(test, hvsim_ring_bytes(v->host, HVSIM_H2G), 2 * wire);
	KUNIT_EXPECT_GT(test, hvsim_ring_bytes(v->host, HVSIM_G2H), 2 * wire);
	hvsim_stall(v->host);
	KUNIT_EXPECT_EQ(test, vsc_send(v, buf, size, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, vsc_send(v, buf, size, 0), STATUS_SUCCESS);
	/* both are in the ring, which is when a packet without answer completes */
	KUNIT_EXPECT_EQ(test, atomic_read(&v->ok), 2);
	hvsim_resume(v->host);
}

static void rings_that_cannot_be_had_fail_enable_with_their_numbers(struct kunit *test)
{
	static const u32 pages[] = { 2000, 60000, INT_MAX / 4096 };
	struct vsc *v = vsc_new(test);
	unsigned int i;
	struct kmsg k;

	vsc_offer(v);
	kmsg_mark(&k);
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		KUNIT_ASSERT_EQ(test, VmbClientChannelInitSetRingBufferPageCount(v->ch, pages[i],
										 pages[i]),
				STATUS_SUCCESS);
		KUNIT_EXPECT_EQ_MSG(test, VmbChannelEnable(v->ch), STATUS_INSUFFICIENT_RESOURCES,
				    "%u pages", pages[i]);
	}
	kmsg_expect(test, &k, 1, "rings of 60000 and 60000 pages");
	vsc_expect_log(v, "");
	KUNIT_ASSERT_EQ(test, VmbClientChannelInitSetRingBufferPageCount(v->ch, 1, 1),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
}

static void a_pipe_opened_as_a_channel_is_said_and_the_reverse(struct kunit *test)
{
	struct vsc *v = vsc_new(test);
	struct kmsg k;

	v->offer.flags = VMBUS_CHANNEL_NAMED_PIPE_MODE;
	vsc_offer(v);
	kmsg_mark(&k);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	kmsg_expect(test, &k, 1, "the host offers a pipe and the driver expects a plain channel");
	VmbChannelDisable(v->ch);
	vsc_rescind(v);
	hvsim_forget(v->host);

	v->offer.flags = 0;
	VmbChannelInitSetFlags(v->ch, VMBUS_CHANNEL_INIT_FLAG_IS_PIPE);
	vsc_offer(v);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(v->ch), STATUS_SUCCESS);
	kmsg_expect(test, &k, 1, "the host offers a plain channel and the driver expects a pipe");
}

static struct kunit_case cases[] = {
	KUNIT_CASE(allocate_wants_a_place_for_the_handle),
	KUNIT_CASE(whatever_is_not_0_asks_for_a_server),
	KUNIT_CASE(cleanup_of_no_channel_is_harmless),
	KUNIT_CASE(a_handle_of_another_kind_is_no_channel),
	KUNIT_CASE(a_parent_device_is_held_until_cleanup),
	KUNIT_CASE(flags_accept_is_pipe_and_nothing_else),
	KUNIT_CASE(a_friendly_name_is_set_once),
	KUNIT_CASE(a_friendly_name_needs_no_terminator_and_may_be_long),
	KUNIT_CASE(packet_sizes_and_counts_of_zero_are_refused),
	KUNIT_CASE(the_packet_count_bounds_allocation),
	KUNIT_CASE(the_size_of_a_packet_includes_the_largest_payload),
	KUNIT_CASE(ring_page_counts_are_refused_by_position),
	KUNIT_CASE(a_target_needs_a_type_and_no_instance),
	KUNIT_CASE(state_callbacks_need_a_version_with_its_size),
	KUNIT_CASE(the_init_macros_zero_and_set_version_and_size),
	KUNIT_CASE(the_pointer_is_kept_in_any_state),
	KUNIT_CASE(nothing_is_configurable_while_waiting),
	KUNIT_CASE(nothing_is_configurable_while_open_or_in_a_callback),
	KUNIT_CASE(a_packet_beyond_the_largest_is_refused_at_enable),
	KUNIT_CASE(the_pipe_header_counts_in_the_largest_packet),
	KUNIT_CASE(the_largest_packet_goes_to_the_host_and_back),
	KUNIT_CASE(a_pool_above_64_mib_is_refused_with_its_numbers),
	KUNIT_CASE(ring_counts_are_data_pages_of_each_direction),
	KUNIT_CASE(rings_are_16_pages_each_by_default),
	KUNIT_CASE(rings_grow_until_two_largest_packets_fit),
	KUNIT_CASE(rings_that_cannot_be_had_fail_enable_with_their_numbers),
	KUNIT_CASE(a_pipe_opened_as_a_channel_is_said_and_the_reverse),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_config",
	.init = config_init,
	.exit = config_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
