// SPDX-License-Identifier: GPL-2.0
/*
 * An incoming packet in the driver's hands: completed, failed, or wanted again at
 * PASSIVE_LEVEL.  How it got there: receive.c.
 */
#include <linux/export.h>
#include "kmcl.h"
#include "observe.h"

/**
 * kmcl_driver_done() - the driver has nothing more to do with one packet
 * @ch: channel
 *
 * Context: any up to softirq; the channel stays.
 */
void kmcl_driver_done(struct kmcl_channel *ch)
{
	if (!atomic_dec_and_test(&ch->rx.delivered))
		return;
	/* that was a full barrier: the count, then who waits; pairs with prepare_to_wait() */
	if (waitqueue_active(&ch->life_wait))
		wake_up_all(&ch->life_wait);
	/* a restore of which nothing came, see kmcl_restore_check() */
	if (unlikely(READ_ONCE(ch->unsettled)))
		mod_delayed_work(ch->wq, &ch->life_work, 0);
}

VOID VmbChannelPacketComplete(VMBPACKETCOMPLETION PacketCompletionContext,
			      PVOID Buffer, UINT32 BufferLength)
{
	struct kmcl_incoming *in;
	struct kmcl_channel *ch;

	/* until the end: rx_wait_driver() returns, the channel stays until we leave */
	rcu_read_lock();
	PacketCompletionContext = kmcl_stands_for(PacketCompletionContext);
	in = kmcl_incoming(PacketCompletionContext);
	if (unlikely(!in))
		goto out;
	ch = in->object.channel;
	if (unlikely(!kmcl_dispatch(ch, __func__)))
		goto out;
	if (unlikely(!kmcl_incoming_move(in, PacketCompletionContext, KMCL_IN_DRIVER,
					 KMCL_IN_REPLYING))) {
		kmcl_err(ch, "%s: the packet is not the driver's, ignored\n", __func__);
		goto out;
	}
	trace_kmcl_packet_reply(in, BufferLength);
	if (unlikely(in->carrier))
		kmcl_carrier_end(in);
	if (unlikely(READ_ONCE(ch->rx.keep)) && kmcl_keep_reply(in, Buffer, BufferLength))
		;
	else if (in->wants_reply)
		kmcl_reply(in, Buffer, BufferLength);
	else
		kmcl_rx_retire(in);
	kmcl_driver_done(ch);
out:
	rcu_read_unlock();
}
EXPORT_SYMBOL_GPL(VmbChannelPacketComplete);

/**
 * kmcl_incoming_defer() - have a packet delivered again at PASSIVE_LEVEL
 * @in: packet
 * @handle: its handle
 *
 * Context: inside its ProcessPacket.
 * Return: false outside of that, or when the packet has been completed.
 */
bool kmcl_incoming_defer(struct kmcl_incoming *in, VMBPACKETCOMPLETION handle)
{
	struct kmcl_rx *rx = &in->object.channel->rx;
	bool *defer;

	if (READ_ONCE(rx->worker_packet) == in)
		defer = &rx->worker_defer;
	else if (READ_ONCE(rx->current_packet) == in)
		defer = &rx->defer;
	else
		return false;
	if (!kmcl_incoming_move(in, handle, KMCL_IN_DRIVER, KMCL_IN_READY))
		return false;
	*defer = true;
	return true;
}

VOID VmbChannelPacketDeferToPassive(VMBPACKETCOMPLETION PacketCompletionContext)
{
	struct kmcl_incoming *in;

	rcu_read_lock();
	PacketCompletionContext = kmcl_stands_for(PacketCompletionContext);
	in = kmcl_incoming(PacketCompletionContext);
	if (in && !kmcl_incoming_defer(in, PacketCompletionContext))
		kmcl_err(in->object.channel,
			 "%s: outside ProcessPacket or after PacketComplete, ignored\n", __func__);
	rcu_read_unlock();
}
EXPORT_SYMBOL_GPL(VmbChannelPacketDeferToPassive);

PVOID VmbChannelPacketGetClientContext(VMBPACKETCOMPLETION PacketCompletionContext)
{
	struct kmcl_incoming *in;
	void *context;

	rcu_read_lock();
	in = kmcl_incoming(kmcl_stands_for(PacketCompletionContext));
	context = in ? in->client_context : NULL;
	rcu_read_unlock();
	return context;
}
EXPORT_SYMBOL_GPL(VmbChannelPacketGetClientContext);

VOID VmbChannelPacketFail(VMBPACKETCOMPLETION PacketCompletionContext)
{
	struct kmcl_incoming *in;
	struct kmcl_channel *ch;

	rcu_read_lock();
	PacketCompletionContext = kmcl_stands_for(PacketCompletionContext);
	in = kmcl_incoming(PacketCompletionContext);
	if (!in)
		goto out;
	ch = in->object.channel;
	if (!kmcl_dispatch(ch, __func__))
		goto out;
	if (!kmcl_incoming_move(in, PacketCompletionContext, KMCL_IN_DRIVER, KMCL_IN_REPLYING)) {
		kmcl_err(ch, "%s: the packet is not the driver's, ignored\n", __func__);
		goto out;
	}
	kmcl_poison(ch, "the driver failed an incoming packet");
	in->wants_reply = false;
	if (unlikely(in->carrier))
		kmcl_carrier_end(in);
	if (likely(!READ_ONCE(ch->rx.keep)) || !kmcl_keep_reply(in, NULL, 0))
		kmcl_rx_retire(in);
	kmcl_driver_done(ch);
out:
	rcu_read_unlock();
}
EXPORT_SYMBOL_GPL(VmbChannelPacketFail);
