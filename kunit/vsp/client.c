// SPDX-License-Identifier: GPL-2.0
#include <linux/slab.h>
#include "../helper.h"
#include "client.h"

struct message {
	struct list_head node;
	u32 len;
	u8 data[];
};

static LIST_HEAD(clients);		/* of the running case */

static NTSTATUS opened(VMBCHANNEL ch, PVOID context)
{
	struct client *c = context;

	WRITE_ONCE(c->open, true);
	return STATUS_SUCCESS;
}

static VOID closed(VMBCHANNEL ch, PVOID context)
{
	struct client *c = context;

	WRITE_ONCE(c->open, false);
}

static VOID process(VMBCHANNEL ch, PVOID context, VMBPACKETCOMPLETION pkt, PVOID buf,
		    UINT32 len, UINT32 flags)
{
	struct client *c = context;
	struct message *m;

	if (c->on_message) {
		c->on_message(c, buf, len);
	} else {
		m = kmalloc(sizeof(*m) + len, GFP_ATOMIC);
		KUNIT_EXPECT_NOT_NULL(c->test, m);
		if (m) {
			m->len = len;
			memcpy(m->data, buf, len);
			spin_lock_bh(&c->lock);
			list_add_tail(&m->node, &c->messages);
			spin_unlock_bh(&c->lock);
		}
	}
	VmbChannelPacketComplete(pkt, NULL, 0);
}

static struct client *new(struct kunit *test)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5 state;
	PVMB_CHANNEL_STATE_CHANGE_CALLBACKS any;
	struct client *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, c);
	c->test = test;
	spin_lock_init(&c->lock);
	INIT_LIST_HEAD(&c->messages);
	KUNIT_ASSERT_EQ(test, VmbChannelAllocate(NULL, FALSE, &c->ch), STATUS_SUCCESS);
	/* sub-channels come behind their primaries and go before them */
	list_add(&c->node, &clients);
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT_V5(&state);
	state.CallbackContext = c;
	state.EvtChannelOpenedEx = opened;
	state.EvtChannelClosedEx = closed;
	any = (PVMB_CHANNEL_STATE_CHANGE_CALLBACKS)&state;
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetStateChangeCallbacks(c->ch, any), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetProcessPacketCallbacksEx(c->ch, c, process, NULL),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumExternalData(c->ch, SZ_4M, 64),
			STATUS_SUCCESS);
	return c;
}

struct client *client_new(struct kunit *test, const GUID *type, const GUID *instance, u32 flags)
{
	struct client *c = new(test);

	KUNIT_ASSERT_EQ(test, VmbClientChannelInitSetTargetPnp(c->ch, type, instance, NULL),
			STATUS_SUCCESS);
	if (flags)
		KUNIT_ASSERT_EQ(test, VmbChannelInitSetFlags(c->ch, flags), STATUS_SUCCESS);
	return c;
}

struct client *client_new_sub(struct client *primary, u16 index)
{
	struct client *c = new(primary->test);

	KUNIT_ASSERT_EQ(c->test, VmbChannelInitSetPrimaryChannel(c->ch, primary->ch, index),
			STATUS_SUCCESS);
	return c;
}

bool client_is_open(struct client *c)
{
	return READ_ONCE(c->open);
}

void client_open(struct client *c)
{
	KUNIT_ASSERT_EQ(c->test, VmbChannelEnable(c->ch), STATUS_SUCCESS);
	KUNIT_ASSERT_TRUE_MSG(c->test, becomes(client_is_open(c)), "the server does not accept");
}

void client_close(struct client *c)
{
	VmbChannelDisable(c->ch);
}

void clients_drop(void)
{
	struct client *c, *next;
	struct message *m, *after;

	list_for_each_entry_safe(c, next, &clients, node) {
		list_del(&c->node);
		VmbChannelDisable(c->ch);
		VmbChannelCleanup(c->ch);
		list_for_each_entry_safe(m, after, &c->messages, node)
			kfree(m);
	}
}

int client_ask(struct client *c, const void *message, u32 len, PMDL mdl, void *answer, u32 size)
{
	LARGE_INTEGER patience = { .QuadPart = -5 * 10000000LL };
	NTSTATUS status;

	status = VmbChannelSendSynchronousRequest(c->ch, (void *)message, len, mdl,
						  VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION,
						  answer, &size, &patience);
	KUNIT_EXPECT_EQ(c->test, status, STATUS_SUCCESS);
	return NT_SUCCESS(status) ? size : -1;
}

void client_tell(struct client *c, const void *message, u32 len)
{
	VMBPACKET packet = VmbPacketAllocate(c->ch);

	KUNIT_ASSERT_NOT_NULL(c->test, packet);
	KUNIT_EXPECT_EQ(c->test, VmbPacketSend(packet, (void *)message, len, NULL, 0),
			STATUS_SUCCESS);
}

int client_take(struct client *c, void *buf, u32 size)
{
	struct message *m;
	int len;

	spin_lock_bh(&c->lock);
	m = list_first_entry_or_null(&c->messages, struct message, node);
	if (m)
		list_del(&m->node);
	spin_unlock_bh(&c->lock);
	if (!m)
		return -1;
	len = m->len;
	memcpy(buf, m->data, min_t(u32, len, size));
	kfree(m);
	return len;
}

int client_await(struct client *c, void *buf, u32 size)
{
	int len;

	becomes((len = client_take(c, buf, size)) >= 0);
	KUNIT_EXPECT_GE_MSG(c->test, len, 0, "the server sends nothing");
	return len;
}
