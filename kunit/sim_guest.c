// SPDX-License-Identifier: GPL-2.0
#include <linux/delay.h>
#include <linux/interrupt.h>
#include "compat.h"
#include "sim_guest.h"

#define GUEST_TYPE	GUID_INIT(0x9d1f6a52, 0x3c0b, 0x4b8e, 0x8f, 0x25, 0x60, 0x1e, \
				  0x5d, 0x44, 0x07, 0x11)
/* The last byte says which of guests[]. */
#define GUEST_INSTANCE	GUID_INIT(0x5a7c9e10, 0x77d4, 0x4f02, 0xb1, 0x6c, 0x2e, 0x93, \
				  0x08, 0xaf, 0x64, 0x00)

struct guest guests[GUESTS];
void (*guest_new_sub)(struct vmbus_channel *sub);

static struct guest *guest_of(const struct vmbus_channel *channel)
{
	return &guests[channel->offermsg.offer.if_instance.b[15] % GUESTS];
}

void guest_callback(void *context)
{
	struct vmbus_channel *channel = context;
	struct guest *guest = guest_of(channel);
	struct vmpacket_descriptor *desc;

	guest->callbacks++;
	if (!READ_ONCE(guest->reads))
		return;
	do {
		foreach_vmbus_pkt(desc, channel) {
			if (desc->type != VM_PKT_COMP) {
				guest->inband++;
				continue;
			}
			guest->ids[guest->completions % GUEST_IDS] = desc->trans_id;
			guest->last_len = hv_pkt_datalen(desc);
			WRITE_ONCE(guest->completions, guest->completions + 1);
			complete(&guest->answered);
		}
		/*
		 * The host sends no interrupt for what it writes before it sees the new
		 * read index: look again behind that.
		 */
		virt_mb();
	} while (hv_get_bytes_to_read(&channel->inbound));
}

static int guest_probe(struct hv_device *dev, const struct hv_vmbus_device_id *id)
{
	struct guest *guest = guest_of(dev->channel);

	if (guest->slow)
		msleep(20);
	guest->channel = dev->channel;
	guest->reads = true;
	if (guest_new_sub)
		vmbus_set_sc_create_callback(dev->channel, guest_new_sub);
	guest->open_error = vmbus_open(dev->channel, GUEST_RING, GUEST_RING, NULL, 0,
				       guest_callback, dev->channel);
	if (!guest->open_error)
		guest->dev = dev;
	complete(&guest->probed);
	return guest->open_error;
}

static KMCL_REMOVE_RET guest_remove(struct hv_device *dev)
{
	struct guest *guest = guest_of(dev->channel);

	/* The bus frees the channel behind this; it does not know about senders. */
	while (atomic_read(&guest->sending))
		usleep_range(50, 100);
	vmbus_close(dev->channel);
	guest->dev = NULL;
	guest->channel = NULL;
	KMCL_REMOVE_DONE;
}

static const struct hv_vmbus_device_id guest_ids[] = {
	{ .guid = GUEST_TYPE },
	{ }
};

static struct hv_driver guest_driver = {
	.name = "kmcl_sim_guest",
	.id_table = guest_ids,
	.probe = guest_probe,
	.remove = guest_remove,
};

/* A module's suites may run before the module is live: its own name is not there yet. */
int guest_register(struct kunit_suite *suite)
{
	return __vmbus_driver_register(&guest_driver, NULL, KBUILD_MODNAME);
}

void guest_unregister(struct kunit_suite *suite)
{
	vmbus_driver_unregister(&guest_driver);
}

struct hvsim_offer guest_offer(unsigned int index)
{
	struct hvsim_offer offer = {
		.type = GUEST_TYPE,
		.instance = GUEST_INSTANCE,
	};

	offer.instance.b[15] = index;
	return offer;
}

/* A channel, offered, probed and open. */
struct hvsim_chan *guest_up(struct kunit *test, unsigned int index)
{
	struct hvsim_offer offer = guest_offer(index);
	struct hvsim_chan *host = hvsim_offer(&offer);

	KUNIT_ASSERT_FALSE(test, IS_ERR(host));
	KUNIT_ASSERT_TRUE(test, wait_for_completion_timeout(&guests[index].probed, 20 * HZ));
	KUNIT_ASSERT_EQ(test, guests[index].open_error, 0);
	KUNIT_ASSERT_TRUE(test, host->open);
	return host;
}

int guest_init(struct kunit *test)
{
	unsigned int i;

	KUNIT_ASSERT_EQ(test, hvsim_begin(test), 0);
	guest_new_sub = NULL;
	memset(guests, 0, sizeof(guests));
	for (i = 0; i < GUESTS; i++) {
		init_completion(&guests[i].probed);
		init_completion(&guests[i].answered);
	}
	return 0;
}

void guest_exit(struct kunit *test)
{
	unsigned int i;

	hvsim_end(test);
	for (i = 0; i < GUESTS; i++)
		KUNIT_EXPECT_NULL(test, guests[i].dev);
}

int guest_send(struct guest *guest, u64 id, const void *data, u32 len)
{
	int ret;

	atomic_inc(&guest->sending);
	ret = vmbus_sendpacket(guest->channel, (void *)data, len, id, VM_PKT_DATA_INBAND,
			       VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED);
	atomic_dec(&guest->sending);
	return ret;
}

/* Until that many completions have come in all. */
bool guest_wait(struct guest *guest, unsigned int completions)
{
	while (READ_ONCE(guest->completions) < completions)
		if (!wait_for_completion_timeout(&guest->answered, 20 * HZ))
			return false;
	return true;
}

void guest_stop_reading(struct guest *guest)
{
	/* In HV_CALL_BATCHED the bus would call for the rest without end. */
	set_channel_read_mode(guest->channel, HV_CALL_DIRECT);
	WRITE_ONCE(guest->reads, false);
}

void guest_read(struct guest *guest)
{
	WRITE_ONCE(guest->reads, true);
	tasklet_disable(&guest->channel->callback_event);
	local_bh_disable();
	guest_callback(guest->channel);
	local_bh_enable();
	tasklet_enable(&guest->channel->callback_event);
}
