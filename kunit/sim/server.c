// SPDX-License-Identifier: GPL-2.0
/*
 * Channels that somebody else serves than the script: the host carries the
 * guest's messages to him and his answers to the guest.
 *
 *	hvsim_add() -> hvsim_announce()			guest opens: ->open()
 *			hvsim_opened()  <- traffic ->	guest closes: ->close()
 *	hvsim_withdraw()
 *
 * After hvsim_withdraw() nothing is told him any more. The channel stays in the
 * host's table until the guest has released it and hvsim_forget() is called.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/err.h>
#include <linux/module.h>
#include "internal.h"

/* Longer than a server may take to let go of the memory of a guest that has gone. */
#define PATIENCE	(10 * HZ)

bool hvsim_has_server(struct hvsim_chan *chan)
{
	return chan->offer.server;
}

u32 hvsim_server_gpadl(struct hvsim_chan *chan, const struct hvsim_gpadl *gpadl)
{
	u32 status = HVSIM_REFUSED;

	mutex_lock(&chan->server_lock);
	if (chan->server)
		status = chan->server->gpadl(chan, gpadl);
	mutex_unlock(&chan->server_lock);
	return status;
}

bool hvsim_server_teardown(struct hvsim_chan *chan, u32 handle)
{
	bool done = true;

	mutex_lock(&chan->server_lock);
	if (chan->server)
		done = chan->server->teardown(chan, handle);
	mutex_unlock(&chan->server_lock);
	return done;
}

/* The rings are mapped; the guest waits for hvsim_opened(). */
void hvsim_server_open(struct hvsim_chan *chan, const struct vmbus_channel_open_channel *msg)
{
	struct hvsim_open open = {
		.gpadl = msg->ringbuffer_gpadlhandle,
		.split = msg->downstream_ringbuffer_pageoffset,
		.target_vp = msg->target_vp,
	};

	memcpy(open.user, msg->userdata, sizeof(open.user));
	mutex_lock(&chan->server_lock);
	if (chan->server)
		chan->server->open(chan, &open);
	mutex_unlock(&chan->server_lock);
}

void hvsim_server_close(struct hvsim_chan *chan)
{
	mutex_lock(&chan->server_lock);
	if (chan->server)
		chan->server->close(chan);
	mutex_unlock(&chan->server_lock);
}

/* In the guest's hypercall. */
void hvsim_server_signal(struct hvsim_chan *chan)
{
	const struct hvsim_server *server;

	/* hvsim_withdraw() waits for who has entered */
	if (!hvsim_enter(chan))
		return;
	server = READ_ONCE(chan->server);
	if (server)
		server->signal(chan);
	hvsim_leave(chan);
}

/* The guest has gone without a word: its memory is its own again. */
void hvsim_server_drop(struct hvsim_chan *chan)
{
	u32 handle;

	while ((handle = hvsim_gpadl_first(chan->relid))) {
		if (hvsim_server_teardown(chan, handle)) {
			hvsim_gpadl_teardown(handle, chan->relid);
			continue;
		}
		if (!wait_event_timeout(hvsim_changed, !hvsim_find_gpadl(handle), PATIENCE)) {
			hvsim_fault(chan, "the server holds on to GPADL %#x", handle);
			break;
		}
	}
}

/**
 * hvsim_announce - offer the guest a channel that hvsim_add() has made
 * @chan: the channel
 *
 * If the guest has still to release one with the same GUIDs it is offered then,
 * as on Hyper-V.
 */
void hvsim_announce(struct hvsim_chan *chan)
{
	hvsim_send_offer(chan);
}
EXPORT_SYMBOL_GPL(hvsim_announce);

/**
 * hvsim_opened - a server's answer to an open
 * @chan: the channel
 * @status: 0, or with which status it is refused
 *
 * An answer that nobody waits for any more is ignored.
 *
 * Context: may sleep.
 */
void hvsim_opened(struct hvsim_chan *chan, u32 status)
{
	struct vmbus_channel_open_result reply = {
		.header.msgtype = CHANNELMSG_OPENCHANNEL_RESULT,
		.child_relid = chan->relid,
		.status = status,
	};

	if (hvsim_finish_open(chan, !status, &reply.openid))
		hvsim_post(&reply, sizeof(reply));
}
EXPORT_SYMBOL_GPL(hvsim_opened);

/**
 * hvsim_torn_down - a server has let go of memory that the guest wants back
 * @chan: the channel
 * @handle: the GPADL for which its teardown returned false
 */
void hvsim_torn_down(struct hvsim_chan *chan, u32 handle)
{
	struct vmbus_channel_gpadl_torndown reply = {
		.header.msgtype = CHANNELMSG_GPADL_TORNDOWN,
		.gpadl = handle,
	};

	if (!hvsim_gpadl_teardown(handle, chan->relid))
		return;
	if (READ_ONCE(chan->offered))
		hvsim_post(&reply, sizeof(reply));
	wake_up_all(&hvsim_changed);
}
EXPORT_SYMBOL_GPL(hvsim_torn_down);

/**
 * hvsim_withdraw - a server takes its channel away from the guest
 * @chan: the channel
 *
 * When this returns, none of its functions runs and none will be called.
 *
 * Context: may sleep; not inside one of its functions.
 */
void hvsim_withdraw(struct hvsim_chan *chan)
{
	unsigned long flags;

	mutex_lock(&chan->server_lock);
	WRITE_ONCE(chan->server, NULL);
	mutex_unlock(&chan->server_lock);
	/* one that the guest has not seen yet it never will, and need not release */
	spin_lock_irqsave(&hvsim_lock, flags);
	if (!chan->sent) {
		chan->sent = true;
		WRITE_ONCE(chan->released, true);
	}
	spin_unlock_irqrestore(&hvsim_lock, flags);
	hvsim_rescind(chan);
	/* who is inside a signal */
	wait_event(hvsim_changed, !atomic_read(&chan->users));
}
EXPORT_SYMBOL_GPL(hvsim_withdraw);

/**
 * hvsim_find - a channel that is offered now, by what it is
 * @type: class
 * @instance: instance
 * @sub_index: 0: the primary
 *
 * Return: the channel, for hvsim_put(), or NULL.
 */
struct hvsim_chan *hvsim_find(const guid_t *type, const guid_t *instance, u16 sub_index)
{
	struct hvsim_chan *chan;
	u32 relid;

	for (relid = 1; relid < HVSIM_MAX_RELID; relid++) {
		chan = hvsim_chan_get(relid);
		if (!chan)
			continue;
		if (READ_ONCE(chan->offered) && chan->offer.sub_index == sub_index &&
		    guid_equal(&chan->offer.type, type) &&
		    guid_equal(&chan->offer.instance, instance))
			return chan;
		hvsim_chan_put(chan);
	}
	return NULL;
}
EXPORT_SYMBOL_GPL(hvsim_find);

/**
 * hvsim_put - give back what hvsim_find() or hvsim_add() has returned
 * @chan: the channel
 */
void hvsim_put(struct hvsim_chan *chan)
{
	hvsim_chan_put(chan);
}
EXPORT_SYMBOL_GPL(hvsim_put);
