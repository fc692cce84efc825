// SPDX-License-Identifier: GPL-2.0
/*
 * The host's half of the control protocol: version, offers, opens, GPADLs.
 *
 * Messages are handled in the order of their arrival by one work item. A test
 * may put messages of a type aside (hvsim_hold()): to the guest the host is
 * silent, until hvsim_unhold() lets it get round to them.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/module.h>
#include <linux/slab.h>
#include "internal.h"

static LIST_HEAD(inbox);
static LIST_HEAD(aside);
static bool offers_wanted;
static u32 version;
static u32 max_version = VERSION_WIN10_V5_3;
static unsigned long bus_holds;
static unsigned long control[CHANNELMSG_COUNT];

static_assert(CHANNELMSG_COUNT <= BITS_PER_LONG);

static void inbox_fn(struct work_struct *work);
static DECLARE_WORK(inbox_work, inbox_fn);

/**
 * hvsim_set_max_version - say which protocol versions the host accepts
 * @version: the highest; for the next time hv_vmbus connects
 */
void hvsim_set_max_version(u32 version)
{
	WRITE_ONCE(max_version, version);
}
EXPORT_SYMBOL_GPL(hvsim_set_max_version);

/**
 * hvsim_control_count - control messages that the guest has sent
 * @type: of which type
 *
 * Return: their number since the module was loaded, those put aside included.
 */
unsigned long hvsim_control_count(enum vmbus_channel_message_type type)
{
	return READ_ONCE(control[type]);
}
EXPORT_SYMBOL_GPL(hvsim_control_count);

/* In a hypercall: any context. */
u64 hvsim_receive_message(const void *payload, u32 size, u32 connection)
{
	struct hvsim_message *msg;
	unsigned long flags;

	if (connection != HVSIM_MSG_CONNECTION)
		return HV_STATUS_INVALID_CONNECTION_ID;
	if (size > HV_MESSAGE_PAYLOAD_BYTE_COUNT || size < sizeof(msg->header))
		return HV_STATUS_INVALID_PARAMETER;
	msg = hvsim_alloc(sizeof(*msg));
	if (!msg)
		return HV_STATUS_INSUFFICIENT_MEMORY;
	msg->size = size;
	memcpy(msg->payload, payload, size);
	spin_lock_irqsave(&hvsim_lock, flags);
	list_add_tail(&msg->node, &inbox);
	spin_unlock_irqrestore(&hvsim_lock, flags);
	queue_work(hvsim_wq, &inbox_work);
	return HV_STATUS_SUCCESS;
}

/* ---- putting messages aside ---- */

/* The GPADL a message belongs to, in parts or as a whole; 0 if to none. */
static u32 message_gpadl(const struct hvsim_message *msg)
{
	const void *p = msg->payload;

	switch (msg->header.msgtype) {
	case CHANNELMSG_GPADL_HEADER:
		return ((const struct vmbus_channel_gpadl_header *)p)->gpadl;
	case CHANNELMSG_GPADL_BODY:
		return ((const struct vmbus_channel_gpadl_body *)p)->gpadl;
	default:
		return 0;
	}
}

/* The channel a message names; 0 if none. */
static u32 message_relid(const struct hvsim_message *msg)
{
	const struct vmbus_channel_relid_released *p = (const void *)msg->payload;

	switch (msg->header.msgtype) {
	case CHANNELMSG_OPENCHANNEL:
	case CHANNELMSG_CLOSECHANNEL:
	case CHANNELMSG_GPADL_HEADER:
	case CHANNELMSG_GPADL_TEARDOWN:
	case CHANNELMSG_RELID_RELEASED:
	case CHANNELMSG_MODIFYCHANNEL:
		return p->child_relid;
	default:
		return 0;
	}
}

/* Its channel's holds, or the bus's for a message without a channel. */
static bool put_aside(struct hvsim_message *msg, struct hvsim_chan *chan)
{
	struct hvsim_message *other;
	unsigned long flags;
	bool hold = false;

	spin_lock_irqsave(&hvsim_lock, flags);
	if (msg->header.msgtype < CHANNELMSG_COUNT)
		hold = test_bit(msg->header.msgtype, chan ? &chan->holds : &bus_holds);
	/* The rest of a GPADL that begins among those put aside. */
	if (msg->header.msgtype == CHANNELMSG_GPADL_BODY)
		list_for_each_entry(other, &aside, node)
			hold |= message_gpadl(other) == message_gpadl(msg);
	if (hold)
		list_add_tail(&msg->node, &aside);
	spin_unlock_irqrestore(&hvsim_lock, flags);
	return hold;
}

static bool belongs(const struct hvsim_message *msg, struct hvsim_chan *chan,
		    enum vmbus_channel_message_type type)
{
	struct hvsim_message *other;

	if (msg->header.msgtype == type)
		return message_relid(msg) == (chan ? chan->relid : 0);
	if (type != CHANNELMSG_GPADL_HEADER || msg->header.msgtype != CHANNELMSG_GPADL_BODY)
		return false;
	list_for_each_entry(other, &aside, node)
		if (other->header.msgtype == CHANNELMSG_GPADL_HEADER &&
		    message_gpadl(other) == message_gpadl(msg))
			return false;
	return true;
}

/**
 * hvsim_hold - be silent on a type of control message
 * @chan: on which channel; NULL: for messages that name no channel
 * @type: the guest's message: CHANNELMSG_OPENCHANNEL, CHANNELMSG_CLOSECHANNEL,
 *	CHANNELMSG_GPADL_HEADER (its bodies wait with it),
 *	CHANNELMSG_GPADL_TEARDOWN ...
 *
 * Neither done nor answered until hvsim_unhold().
 */
void hvsim_hold(struct hvsim_chan *chan, enum vmbus_channel_message_type type)
{
	set_bit(type, chan ? &chan->holds : &bus_holds);
}
EXPORT_SYMBOL_GPL(hvsim_hold);

/**
 * hvsim_unhold - do and answer what hvsim_hold() has put aside, late
 * @chan: as for hvsim_hold()
 * @type: as for hvsim_hold()
 */
void hvsim_unhold(struct hvsim_chan *chan, enum vmbus_channel_message_type type)
{
	struct hvsim_message *msg, *next;
	unsigned long flags;

	spin_lock_irqsave(&hvsim_lock, flags);
	clear_bit(type, chan ? &chan->holds : &bus_holds);
	list_for_each_entry_safe(msg, next, &aside, node)
		if (belongs(msg, chan, type))
			list_move_tail(&msg->node, &inbox);
	spin_unlock_irqrestore(&hvsim_lock, flags);
	queue_work(hvsim_wq, &inbox_work);
}
EXPORT_SYMBOL_GPL(hvsim_unhold);

/**
 * hvsim_held - how many messages are put aside
 * @chan: as for hvsim_hold()
 * @type: as for hvsim_hold()
 *
 * Return: their number.
 */
unsigned int hvsim_held(struct hvsim_chan *chan, enum vmbus_channel_message_type type)
{
	struct hvsim_message *msg;
	unsigned long flags;
	unsigned int nr = 0;

	spin_lock_irqsave(&hvsim_lock, flags);
	list_for_each_entry(msg, &aside, node)
		nr += msg->header.msgtype == type &&
		      message_relid(msg) == (chan ? chan->relid : 0);
	spin_unlock_irqrestore(&hvsim_lock, flags);
	return nr;
}
EXPORT_SYMBOL_GPL(hvsim_held);

bool hvsim_any_held(void)
{
	return !list_empty(&aside);
}

/* Be silent on nothing any more. */
void hvsim_unhold_all(void)
{
	struct hvsim_chan *chan;
	unsigned long flags;
	u32 relid;

	for (relid = 1; relid < HVSIM_MAX_RELID; relid++) {
		chan = hvsim_chan_get(relid);
		if (!chan)
			continue;
		WRITE_ONCE(chan->holds, 0);
		hvsim_chan_put(chan);
	}
	spin_lock_irqsave(&hvsim_lock, flags);
	WRITE_ONCE(bus_holds, 0);
	list_splice_tail_init(&aside, &inbox);
	spin_unlock_irqrestore(&hvsim_lock, flags);
	queue_work(hvsim_wq, &inbox_work);
}

void hvsim_drop_messages(struct hvsim_chan *chan)
{
	struct hvsim_message *msg, *next;
	unsigned long flags;

	spin_lock_irqsave(&hvsim_lock, flags);
	list_for_each_entry_safe(msg, next, &aside, node) {
		if (message_relid(msg) == chan->relid) {
			list_del(&msg->node);
			kfree(msg);
		}
	}
	spin_unlock_irqrestore(&hvsim_lock, flags);
}

/* ---- the messages ---- */

static void initiate_contact(struct hvsim_chan *chan, const void *payload, u32 size)
{
	const struct vmbus_channel_initiate_contact *msg = payload;
	struct vmbus_channel_version_response reply = {
		.header.msgtype = CHANNELMSG_VERSION_RESPONSE,
		.version_supported = msg->vmbus_version_requested <= READ_ONCE(max_version),
		.msg_conn_id = HVSIM_MSG_CONNECTION,
	};

	if (reply.version_supported)
		version = msg->vmbus_version_requested;
	hvsim_post(&reply, sizeof(reply));
}

bool hvsim_send_offer(struct hvsim_chan *chan)
{
	const struct hvsim_offer *offer = &chan->offer;
	struct vmbus_channel_offer_channel msg = {
		.header.msgtype = CHANNELMSG_OFFERCHANNEL,
		.child_relid = chan->relid,
		.is_dedicated_interrupt = 1,
		.connection_id = HVSIM_EVENT_CONNECTION + chan->relid,
	};
	unsigned long flags;
	bool send;

	msg.offer.if_type = offer->type;
	msg.offer.if_instance = offer->instance;
	msg.offer.chn_flags = offer->flags;
	msg.offer.mmio_megabytes = offer->mmio_megabytes;
	msg.offer.sub_channel_index = offer->sub_index;
	memcpy(msg.offer.u.std.user_def, offer->user_def, sizeof(offer->user_def));

	spin_lock_irqsave(&hvsim_lock, flags);
	send = offers_wanted && !chan->sent && !hvsim_predecessor(chan);
	if (send) {
		chan->sent = true;
		WRITE_ONCE(chan->released, false);
		WRITE_ONCE(chan->offered, true);
	}
	spin_unlock_irqrestore(&hvsim_lock, flags);
	if (send)
		hvsim_post(&msg, sizeof(msg));
	return send;
}

static void request_offers(struct hvsim_chan *chan, const void *payload, u32 size)
{
	struct vmbus_channel_message_header end = {
		.msgtype = CHANNELMSG_ALLOFFERS_DELIVERED,
	};

	WRITE_ONCE(offers_wanted, true);
	hvsim_offer_all();
	hvsim_post(&end, sizeof(end));
}

static void open_channel(struct hvsim_chan *chan, const void *payload, u32 size)
{
	const struct vmbus_channel_open_channel *msg = payload;
	struct vmbus_channel_open_result reply = {
		.header.msgtype = CHANNELMSG_OPENCHANNEL_RESULT,
		.child_relid = msg->child_relid,
		.openid = msg->openid,
	};

	/* Hyper-V does not answer for a channel that it has rescinded. */
	if (!chan || !chan->offered)
		return;
	reply.status = hvsim_open(chan, msg);
	if (!reply.status && hvsim_has_server(chan))
		hvsim_server_open(chan, msg);
	else
		hvsim_post(&reply, sizeof(reply));
}

static void close_channel(struct hvsim_chan *chan, const void *payload, u32 size)
{
	if (!chan)
		return;
	if (chan->offered && !chan->open)
		hvsim_fault(chan, "close of a channel that is not open");
	hvsim_close(chan);
	/*
	 * as Hyper-V does; the guest asks for new ones when it has opened again. A
	 * server does it himself
	 */
	if (!chan->offer.sub_index && !hvsim_has_server(chan))
		hvsim_rescind_subs(chan);
}

static void gpadl_header(struct hvsim_chan *chan, const void *payload, u32 size)
{
	if (chan && chan->offered)
		hvsim_gpadl_header(payload, size);
}

static void gpadl_body(struct hvsim_chan *chan, const void *payload, u32 size)
{
	const struct vmbus_channel_gpadl_body *msg = payload;

	/* A rescinded channel's header was not taken either. */
	if (hvsim_find_gpadl(msg->gpadl))
		hvsim_gpadl_body(payload, size);
}

static void gpadl_teardown(struct hvsim_chan *chan, const void *payload, u32 size)
{
	const struct vmbus_channel_gpadl_teardown *msg = payload;
	const struct hvsim_gpadl *gpadl = hvsim_find_gpadl(msg->gpadl);
	struct vmbus_channel_gpadl_torndown reply = {
		.header.msgtype = CHANNELMSG_GPADL_TORNDOWN,
		.gpadl = msg->gpadl,
	};

	if (chan && chan->open && chan->ring_gpadl == msg->gpadl) {
		hvsim_fault(chan, "GPADL %#x torn down while it holds the open rings", msg->gpadl);
		hvsim_close(chan);
	}
	/* a server may have to answer later */
	if (chan && chan->offered && hvsim_has_server(chan) && gpadl &&
	    gpadl->relid == chan->relid && !hvsim_server_teardown(chan, msg->gpadl))
		return;
	if (hvsim_gpadl_teardown(msg->gpadl, msg->child_relid)) {
		hvsim_post(&reply, sizeof(reply));
	} else if (chan && chan->offered) {
		hvsim_fault(chan, "teardown of unknown GPADL %#x", msg->gpadl);
		/* a case that forges answers may have told the guest that it was created */
		if (chan->script.lenient)
			hvsim_post(&reply, sizeof(reply));
	}
}

static void relid_released(struct hvsim_chan *chan, const void *payload, u32 size)
{
	if (!chan)
		return;
	if (chan->offered)
		hvsim_fault(chan, "released before it was rescinded");
	hvsim_close(chan);
	if (hvsim_has_server(chan))
		hvsim_server_drop(chan);
	hvsim_gpadl_drop(chan->relid);
	WRITE_ONCE(chan->released, true);
	wake_up_all(&hvsim_changed);
	/* there may be one that has waited for this */
	hvsim_offer_all();
}

static void modify_channel(struct hvsim_chan *chan, const void *payload, u32 size)
{
	const struct vmbus_channel_modifychannel *msg = payload;
	struct vmbus_channel_modifychannel_response reply = {
		.header.msgtype = CHANNELMSG_MODIFYCHANNEL_RESPONSE,
		.child_relid = msg->child_relid,
	};

	if (chan)
		WRITE_ONCE(chan->target_vp, msg->target_vp);
	if (version >= VERSION_WIN10_V5_3)
		hvsim_post(&reply, sizeof(reply));
}

static void unload(struct hvsim_chan *chan, const void *payload, u32 size)
{
	struct vmbus_channel_message_header reply = {
		.msgtype = CHANNELMSG_UNLOAD_RESPONSE,
	};

	WRITE_ONCE(offers_wanted, false);
	hvsim_forget_offers();
	hvsim_post(&reply, sizeof(reply));
}

static const struct {
	void (*handle)(struct hvsim_chan *chan, const void *payload, u32 size);
	u32 min_size;
} handlers[CHANNELMSG_COUNT] = {
	[CHANNELMSG_INITIATE_CONTACT] = {
		initiate_contact, sizeof(struct vmbus_channel_initiate_contact) },
	[CHANNELMSG_REQUESTOFFERS] = {
		request_offers, sizeof(struct vmbus_channel_message_header) },
	[CHANNELMSG_OPENCHANNEL] = {
		open_channel, sizeof(struct vmbus_channel_open_channel) },
	[CHANNELMSG_CLOSECHANNEL] = {
		close_channel, sizeof(struct vmbus_channel_close_channel) },
	[CHANNELMSG_GPADL_HEADER] = {
		gpadl_header, sizeof(struct vmbus_channel_gpadl_header) },
	[CHANNELMSG_GPADL_BODY] = {
		gpadl_body, sizeof(struct vmbus_channel_gpadl_body) },
	[CHANNELMSG_GPADL_TEARDOWN] = {
		gpadl_teardown, sizeof(struct vmbus_channel_gpadl_teardown) },
	[CHANNELMSG_RELID_RELEASED] = {
		relid_released, sizeof(struct vmbus_channel_relid_released) },
	[CHANNELMSG_MODIFYCHANNEL] = {
		modify_channel, sizeof(struct vmbus_channel_modifychannel) },
	[CHANNELMSG_UNLOAD] = {
		unload, sizeof(struct vmbus_channel_message_header) },
};

static void handle(struct hvsim_message *msg, struct hvsim_chan *chan)
{
	u32 type = msg->header.msgtype;

	if (type >= CHANNELMSG_COUNT || !handlers[type].handle) {
		hvsim_fault(chan, "control message of type %u", type);
		return;
	}
	if (msg->size < handlers[type].min_size) {
		hvsim_fault(chan, "control message of type %u with %u bytes", type, msg->size);
		return;
	}
	handlers[type].handle(chan, msg->payload, msg->size);
}

static struct hvsim_message *next_message(void)
{
	struct hvsim_message *msg;

	spin_lock_irq(&hvsim_lock);
	msg = list_first_entry_or_null(&inbox, struct hvsim_message, node);
	if (msg)
		list_del(&msg->node);
	spin_unlock_irq(&hvsim_lock);
	return msg;
}

static_assert(CHANNELMSG_COUNT <= BITS_PER_LONG);

static void inbox_fn(struct work_struct *work)
{
	struct hvsim_message *msg;
	struct hvsim_chan *chan;
	bool held;
	u32 type;

	while ((msg = next_message())) {
		atomic_inc(&hvsim_activity);
		chan = hvsim_chan_get(message_relid(msg));
		type = msg->header.msgtype;
		held = put_aside(msg, chan);
		/* Before the answer, with which the guest may go on at once. */
		if (type < CHANNELMSG_COUNT) {
			control[type]++;
			if (chan)
				chan->stats.control[type]++;
		}
		if (!held) {
			handle(msg, chan);
			kfree(msg);
		}
		if (chan)
			hvsim_chan_put(chan);
	}
}

void hvsim_host_exit(void)
{
	struct hvsim_message *msg, *next;

	list_splice_init(&aside, &inbox);
	list_for_each_entry_safe(msg, next, &inbox, node)
		kfree(msg);
	INIT_LIST_HEAD(&inbox);
}
