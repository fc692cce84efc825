// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a channel: enable, start, pause, disable, and what happens when
 * the peer or the device goes away.
 *
 * Two machines, one above the other.
 *
 * Life (enum kmcl_state) is what the driver sees.  One task at a time owns it
 * (owner.c), and keeps it while it calls the driver's state callbacks: the
 * caller of Enable, Disable, Start or Pause, or life_work.
 *
 * The link is the open pair of rings, and goes down under whatever life is doing:
 * see link.c.
 */
#include <linux/export.h>
#include <linux/module.h>
#include "kmcl.h"
#include "observe.h"
#include "save.h"
#include "server.h"

/* ---- the driver's state callbacks ---- */

NTSTATUS kmcl_call_opened(struct kmcl_channel *ch)
{
	const struct kmcl_state_callbacks *cb = &ch->config.state;
	VMBCHANNEL handle = kmcl_channel_handle(ch);

	if (cb->ex && cb->v5.EvtChannelOpenedEx)
		return cb->v5.EvtChannelOpenedEx(handle, cb->context);
	if (!cb->ex && cb->legacy.EvtChannelOpened)
		return cb->legacy.EvtChannelOpened(handle);
	return STATUS_SUCCESS;
}

/* Closed, Suspend, Started, PostStarted: one shape, two calling styles. */
#define state_callback(ch, which)						\
	call_state(ch, (ch)->config.state.legacy.EvtChannel##which,		\
		   (ch)->config.state.v5.EvtChannel##which##Ex)

static void call_state(struct kmcl_channel *ch, PFN_VMB_CHANNEL_STARTED legacy,
		       PFN_VMB_CHANNEL_STARTED_EX ex)
{
	const struct kmcl_state_callbacks *cb = &ch->config.state;
	VMBCHANNEL handle = kmcl_channel_handle(ch);

	if (cb->ex && ex)
		ex(handle, cb->context);
	else if (!cb->ex && legacy)
		legacy(handle);
}

/* ---- steps of life; the caller owns it ---- */

void kmcl_start(struct kmcl_channel *ch)
{
	if (!kmcl_link_is_up(ch))
		return;
	kmcl_set_running(ch, true);
	WRITE_ONCE(ch->subs_run, true);
	state_callback(ch, Started);
	kmcl_tx_set(ch, KMCL_TX_HOLD, KMCL_TX_RUN);
	if (!kmcl_link_is_up(ch))
		return;
	kmcl_rx_open_gate(ch);
	state_callback(ch, PostStarted);
	kmcl_subs_start(ch);
}

/* Stop the queue, tell the driver, wait until it has completed everything. */
void kmcl_suspend(struct kmcl_channel *ch)
{
	kmcl_subs_pause(ch);
	kmcl_rx_shut_gate(ch);
	kmcl_rx_wait_idle(ch);
	kmcl_tx_set(ch, KMCL_TX_RUN, KMCL_TX_HOLD);
	if (ch->running)
		state_callback(ch, Suspend);
	kmcl_set_running(ch, false);
	kmcl_rx_wait_driver(ch);
}

/* The driver's Suspend and Closed, for hibernate.c. */
void kmcl_call_suspend(struct kmcl_channel *ch)
{
	state_callback(ch, Suspend);
}

void kmcl_call_closed(struct kmcl_channel *ch)
{
	/* a server is offered again anyway */
	ch->may_reenable = !ch->server;
	state_callback(ch, Closed);
	ch->may_reenable = false;
}

/* Nothing is left of the time that the channel was open. */
void kmcl_rest(struct kmcl_channel *ch)
{
	kmcl_tx_off(ch);
	/* senders and completers that had entered before */
	synchronize_rcu();
	kmcl_tx_abort(ch, STATUS_CANCELLED);
	xa_destroy(&ch->restored);
	kmcl_gpadls_finish(ch);
	kmcl_device_unbind(ch);
	cancel_work_sync(&ch->poison_work);
	kmcl_rx_finish(ch);
}

/* Give the device back, or stop waiting for it. */
void kmcl_unclaim(struct kmcl_channel *ch)
{
	kmcl_loopback_unwatch(&ch->target);
	if (ch->claimed)
		ch->transport->release(&ch->target);
	ch->claimed = false;
	if (ch->transport)
		kmcl_transport_put(ch->transport);
	ch->transport = NULL;
	/* what the transport has queued before: it is not meant for the next one */
	cancel_work_sync(&ch->poison_work);
	WRITE_ONCE(ch->sleep_wanted, false);
	WRITE_ONCE(ch->asleep, false);
}

/*
 * The loopback first, which costs nothing; a client that finds nothing there goes
 * on looking while it waits for the bus.  A sub-channel is where its primary is.
 */
static int claim(struct kmcl_channel *ch)
{
	struct kmcl_transport *t = &kmcl_loopback_transport;
	int ret;

	if (ch->server)
		t = &kmcl_server_transport;
	else if (ch->primary)
		t = ch->primary->transport;
	if (!t || !try_module_get(t->owner))
		return -ENODEV;
	ch->transport = t;
	if (t == &kmcl_loopback_transport)
		kmcl_loopback_watch(&ch->target);
	ret = t->claim(&ch->target);
	if (ret != -EINPROGRESS || t != &kmcl_loopback_transport || ch->primary)
		return ret;

	t = kmcl_transport_get();
	if (!t && ch->target.has_type) {
		pr_info("kmcl: %s: there is no VMBus here: waiting for an offer of the loopback\n",
			ch->name);
		return -EINPROGRESS;
	}
	kmcl_transport_put(ch->transport);
	ch->transport = t;
	if (t)
		return t->claim(&ch->target);
	kmcl_err(ch, "no transport: modprobe kmcl_vmbus\n");
	return -EOPNOTSUPP;
}

/* Back to where Enable began. */
static void finish(struct kmcl_channel *ch)
{
	kmcl_rest(ch);
	if (ch->server && ch->claimed && !(ch->park_as && kmcl_endpoint_park(ch)))
		kmcl_endpoint_rest(ch->target.link);
	ch->park_as = 0;
	kmcl_unclaim(ch);
	/* a server needs a Start */
	ch->pause_wanted = ch->server;
	ch->returning = false;
	kmcl_set_state(ch, KMCL_DISABLED);
}

/* The client believes that it has us open: it shall close, and may come again. */
static void offer_anew(struct kmcl_channel *ch)
{
	int ret;

	kmcl_unclaim(ch);
	ret = claim(ch);
	ch->claimed = ret == -EINPROGRESS;
	if (ch->claimed)
		return;
	kmcl_err(ch, "cannot be offered again (%d), disabled\n", ret);
	finish(ch);
}

/* An opened channel whose link is down: the rest of the way to disabled, or offered. */
static void close_down(struct kmcl_channel *ch)
{
	kmcl_subs_disable(ch);
	kmcl_save_drop(ch);
	kmcl_suspend(ch);
	kmcl_call_closed(ch);
	if (!ch->server || ch->disabling)
		finish(ch);
	else if (kmcl_server_rest(ch))
		offer_anew(ch);
}

static u32 ring_pages(u32 wanted, u64 packet)
{
	/* two packets of the largest encoding, and the slot that stays free */
	return max_t(u64, wanted, DIV_ROUND_UP(2 * packet + 8, KMCL_PAGE_SIZE));
}

/* Bytes of the largest packet that the configuration permits, headers included. */
u64 kmcl_largest_packet(const struct kmcl_channel *ch)
{
	const struct kmcl_config *cfg = &ch->config;
	bool pipe = cfg->flags & VMBUS_CHANNEL_INIT_FLAG_IS_PIPE;
	struct kmcl_limits limits = kmcl_limits(cfg);

	return (ch->server ? KMCL_DESC_SIZE : kmcl_external_head(&limits)) +
	       (pipe ? KMCL_PIPE_HEADER : 0) + ALIGN((u64)limits.packet, 8);
}

static NTSTATUS bring_up(struct kmcl_channel *ch)
{
	const struct kmcl_config *cfg = &ch->config;
	u64 packet = kmcl_largest_packet(ch) + KMCL_FOOTER_SIZE;
	u32 out = ring_pages(cfg->out_pages, packet);
	u32 in = ring_pages(cfg->in_pages, packet);
	bool pipe = cfg->flags & VMBUS_CHANNEL_INIT_FLAG_IS_PIPE;
	NTSTATUS status;
	int ret;

	if (ch->target.pipe != pipe)
		kmcl_warn(ch, "the host offers a %s and the driver expects a %s\n",
			  ch->target.pipe ? "pipe" : "plain channel",
			  pipe ? "pipe" : "plain channel");

	ret = kmcl_rx_start(ch, in * KMCL_PAGE_SIZE);
	if (!ret)
		ret = kmcl_link_up(ch, out * KMCL_PAGE_SIZE, in * KMCL_PAGE_SIZE);
	if (ret) {
		if (ret == -ENOMEM)
			kmcl_err(ch, "no memory for rings of %u and %u pages and packets of %u bytes\n",
				 out, in, cfg->max_packet);
		else
			kmcl_err(ch, "the host did not open the channel (%d)\n", ret);
		finish(ch);
		return kmcl_status_from_errno(ret);
	}

	kmcl_device_bind(ch);
	kmcl_set_state(ch, KMCL_OPEN);
	ch->returning = false;
	WRITE_ONCE(ch->subs_open, true);
	status = kmcl_call_opened(ch);
	if (!NT_SUCCESS(status)) {
		kmcl_subs_disable(ch);
		kmcl_link_down(ch, STATUS_CANCELLED);
		finish(ch);
		return status;
	}
	if (kmcl_may_run(ch))
		kmcl_start(ch);
	kmcl_subs_wake(ch);
	return STATUS_SUCCESS;
}

/* Limits that no ring can satisfy, before anything is allocated. */
static NTSTATUS check_limits(struct kmcl_channel *ch)
{
	const struct kmcl_config *cfg = &ch->config;
	u64 pool;

	if (kmcl_largest_packet(ch) > KMCL_PACKET_MAX) {
		kmcl_err(ch, "MaximumPacketSize %u and external data of %u bytes in up to %u MDLs: no packet may exceed %u bytes with its headers\n",
			 cfg->max_packet, cfg->max_external, cfg->max_chain, KMCL_PACKET_MAX);
		return STATUS_INVALID_PARAMETER;
	}
	pool = kmcl_rx_pool_bytes(ch);
	if (pool > KMCL_POOL_MAX) {
		kmcl_err(ch, "%u incoming packets of up to %u bytes (client context of %u more) need %llu bytes, more than %u\n",
			 cfg->quota, cfg->max_packet, cfg->client_context, pool, KMCL_POOL_MAX);
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	return STATUS_SUCCESS;
}

/* Take the device, or wait for it. */
static NTSTATUS look(struct kmcl_channel *ch)
{
	int ret;

	guid_copy(&ch->target.active, &guid_null);
	guid_copy(&ch->target.active_type, &guid_null);
	kmcl_set_state(ch, KMCL_WAITING);
	WRITE_ONCE(ch->retry, false);
	ret = claim(ch);
	ch->claimed = !ret || ret == -EINPROGRESS;
	if (ret == -EINPROGRESS)
		return STATUS_SUCCESS;
	if (ret) {
		finish(ch);
		return ret == -EBUSY ? STATUS_UNSUCCESSFUL : kmcl_status_from_errno(ret);
	}
	return bring_up(ch);
}

static NTSTATUS enable(struct kmcl_channel *ch)
{
	bool asleep = ch->primary && READ_ONCE(ch->primary->subs_asleep);
	NTSTATUS status;

	if (ch->state == KMCL_ASLEEP || ch->returning)
		return STATUS_SUCCESS;
	if (ch->state != KMCL_DISABLED)
		return STATUS_INVALID_DEVICE_STATE;
	if (!asleep && kmcl_sub_orphaned(ch))
		return STATUS_INVALID_DEVICE_STATE;
	status = check_limits(ch);
	if (!status && ch->server)
		status = kmcl_server_enable(ch);
	if (status)
		return status;
	if (ch->server && kmcl_restore_is_complete(ch))
		return kmcl_restore_resume(ch);
	if (ch->server) {
		if (!kmcl_restore_is_over(ch))
			return STATUS_INVALID_DEVICE_STATE;
		kmcl_endpoint_refuse(ch);
	}

	kmcl_tx_set(ch, KMCL_TX_OFF, KMCL_TX_HOLD);
	if (!asleep)
		return look(ch);
	/* with the others, see kmcl_subs_wake() */
	kmcl_set_state(ch, KMCL_ASLEEP);
	return STATUS_SUCCESS;
}

static void pnp_failure(struct kmcl_channel *ch, NTSTATUS status)
{
	if (!ch->config.pnp_failure)
		return;
	ch->may_reenable = true;
	ch->config.pnp_failure(kmcl_channel_handle(ch), status);
	ch->may_reenable = false;
}

/**
 * kmcl_wake_sub() - bring a sub-channel back that has slept
 * @ch: sub-channel whose life the caller owns; its primary is open
 *
 * Until it is open its driver may enable it: it is enabled.
 */
void kmcl_wake_sub(struct kmcl_channel *ch)
{
	NTSTATUS status;

	ch->returning = true;
	status = look(ch);
	if (!NT_SUCCESS(status))
		pnp_failure(ch, status);
}

/*
 * What nobody waits for: an offer that came later, a link that went down, an
 * Enable from inside Closed, hibernation.
 */
static void life_work(struct work_struct *work)
{
	struct kmcl_channel *ch = container_of(to_delayed_work(work),
					       struct kmcl_channel, life_work);
	NTSTATUS status = STATUS_SUCCESS;
	bool failed = false;

	kmcl_life_enter(ch);
	if (ch->state == KMCL_OPEN && READ_ONCE(ch->link_state) == KMCL_LINK_NONE)
		close_down(ch);

	if (READ_ONCE(ch->sleep_wanted)) {
		kmcl_fall_asleep(ch);
	} else if (ch->reenable && ch->state == KMCL_DISABLED) {
		ch->reenable = false;
		status = enable(ch);
		failed = !NT_SUCCESS(status);
	} else if (ch->server) {
		if (ch->state == KMCL_DISABLED)
			kmcl_restore_check(ch);
		/* a save walks over what is queued: who opens meanwhile waits for its end */
		if (ch->state == KMCL_WAITING && !ch->save &&
		    kmcl_endpoint_wanted(ch->target.link) && kmcl_server_accept(ch))
			offer_anew(ch);
	} else if (ch->state == KMCL_WAITING && READ_ONCE(ch->retry) &&
		   !READ_ONCE(ch->target.link)) {
		/* @retry is cleared before the look */
		kmcl_unclaim(ch);
		status = look(ch);
		failed = !NT_SUCCESS(status);
	} else if ((ch->state == KMCL_WAITING && READ_ONCE(ch->target.link)) ||
		   (ch->state == KMCL_ASLEEP && !ch->sub_index)) {
		status = bring_up(ch);
		/* an offer that came and went: wait for the next one */
		if (status == STATUS_DEVICE_REMOVED && !kmcl_sub_orphaned(ch))
			status = enable(ch);
		failed = !NT_SUCCESS(status);
	}
	if (failed) {
		kmcl_subs_disable(ch);
		pnp_failure(ch, status);
	}
	kmcl_settle(ch);

	/* from Closed at once, from PnpFailure not in a tight loop */
	if (ch->reenable)
		mod_delayed_work(ch->wq, &ch->life_work, failed ? HZ : 0);
	kmcl_life_leave(ch);
}

/*
 * Disable waits for the driver: in ProcessPacket, in Suspend, or for received
 * packets. The driver may wait in its turn for answers, and those may never come.
 * What was sent with external data can be completed only without rings; that comes
 * second, since the driver's own answers are lost with them.
 */
static void impatient_work(struct work_struct *work)
{
	struct kmcl_channel *ch = container_of(to_delayed_work(work),
					       struct kmcl_channel, impatient_work);

	if (ch->cancelled) {
		kmcl_link_down(ch, STATUS_CANCELLED);
		return;
	}
	ch->cancelled = true;
	kmcl_tx_cancel(ch, STATUS_CANCELLED);
	/* a sub-channel's would be given up: see sub_wait_lent() */
	if (kmcl_packets_lent(ch))
		queue_delayed_work(ch->wq, &ch->impatient_work,
				   ch->sub_index ? KMCL_STEP_WARN : KMCL_PATIENCE);
}

/* Take life even from an owner who waits for the peer: cut the link first. */
static void life_enter_stopping(struct kmcl_channel *ch)
{
	if (kmcl_life_try(ch))
		return;
	WRITE_ONCE(ch->stopping, true);
	do {
		kmcl_link_down(ch, STATUS_CANCELLED);
	} while (!wait_event_timeout(ch->life_wait, kmcl_life_try(ch), HZ / 10));
	WRITE_ONCE(ch->stopping, false);
}

/*
 * A sub-channel's rings stay open when it is disabled alone, so external data in
 * flight would have to be given up.  Give the host time to answer; nobody tells
 * us when it does.  When the primary closes too, it closes first.
 */
static void sub_wait_lent(struct kmcl_channel *ch)
{
	unsigned long start = jiffies;

	if (!ch->primary)
		return;
	while (kmcl_packets_lent(ch) && READ_ONCE(ch->link_state) == KMCL_LINK_UP &&
	       time_before(jiffies, start + KMCL_STEP_WARN)) {
		if (time_after(jiffies, start + KMCL_PATIENCE) &&
		    !READ_ONCE(ch->primary->subs_open)) {
			kmcl_link_down(ch->primary, STATUS_CANCELLED);
			return;
		}
		schedule_timeout_uninterruptible(HZ / 50);
	}
}

/*
 * A saved channel: its driver goes, and its client shall not see it.  What is in flight
 * is its successor's.
 */
static void leave(struct kmcl_channel *ch)
{
	u64 name = kmcl_save_name(ch);

	kmcl_tx_off(ch);
	synchronize_rcu();
	kmcl_tx_abort(ch, STATUS_CANCELLED);
	kmcl_suspend(ch);
	if (kmcl_link_part(ch, STATUS_CANCELLED))
		ch->park_as = name;
	kmcl_save_drop(ch);
}

/**
 * kmcl_take_down() - take a channel down from wherever it is
 * @ch: channel
 *
 * Context: process, outside the channel's callbacks.
 */
void kmcl_take_down(struct kmcl_channel *ch)
{
	life_enter_stopping(ch);
	ch->reenable = false;
	switch (ch->state) {
	case KMCL_DISABLED:
		ch->pause_wanted = ch->server;
		kmcl_restore_drop(ch, STATUS_CANCELLED);
		kmcl_restore_settle(ch);
		break;
	case KMCL_WAITING:
	case KMCL_ASLEEP:
		kmcl_subs_disable(ch);
		if (kmcl_save_is_complete(ch))
			ch->park_as = kmcl_save_name(ch);
		kmcl_save_drop(ch);
		finish(ch);
		break;
	case KMCL_OPEN:
		kmcl_subs_disable(ch);
		if (kmcl_save_is_complete(ch)) {
			leave(ch);
			ch->disabling = true;
			close_down(ch);
			ch->disabling = false;
			break;
		}
		kmcl_save_drop(ch);
		/* what is in flight may still be answered, for a while */
		kmcl_tx_drain(ch);
		ch->cancelled = false;
		queue_delayed_work(ch->wq, &ch->impatient_work, KMCL_PATIENCE);
		kmcl_suspend(ch);
		cancel_delayed_work_sync(&ch->impatient_work);
		sub_wait_lent(ch);
		kmcl_link_down(ch, STATUS_CANCELLED);
		ch->disabling = true;
		close_down(ch);
		ch->disabling = false;
		break;
	}
	ch->reenable = false;
	kmcl_life_leave(ch);
}

/**
 * kmcl_disable() - kmcl_take_down() for a driver
 * @ch: channel
 * @who: function name for the log line about misuse
 *
 * Context: process, outside the channel's callbacks.
 */
void kmcl_disable(struct kmcl_channel *ch, const char *who)
{
	if (kmcl_passive(ch, who))
		kmcl_take_down(ch);
}

/* ---- events from the transport ---- */

/**
 * kmcl_target_arrived() - a device that a channel waits for is there
 * @target: with @target->link set
 *
 * Context: process; returns without waiting for the driver.
 */
void kmcl_target_arrived(struct kmcl_target *target)
{
	struct kmcl_channel *ch = container_of(target, struct kmcl_channel, target);

	mod_delayed_work(ch->wq, &ch->life_work, 0);
}
EXPORT_SYMBOL_GPL(kmcl_target_arrived);

/**
 * kmcl_target_gone() - the device behind a channel is being removed
 * @target: with @target->link still set
 *
 * Returns with the rings closed and every outgoing packet completed; the
 * driver's Suspend and Closed follow from the channel's own work.
 *
 * Context: process.
 */
void kmcl_target_gone(struct kmcl_target *target)
{
	struct kmcl_channel *ch = container_of(target, struct kmcl_channel, target);

	kmcl_link_down(ch, STATUS_DEVICE_REMOVED);
	WRITE_ONCE(ch->sleep_wanted, false);
	mod_delayed_work(ch->wq, &ch->life_work, 0);
}
EXPORT_SYMBOL_GPL(kmcl_target_gone);

/**
 * kmcl_target_retry() - there is something new to look for
 * @target: that waits, watched for by the loopback
 *
 * Context: any up to softirq; waits for nothing.
 */
void kmcl_target_retry(struct kmcl_target *target)
{
	struct kmcl_channel *ch = container_of(target, struct kmcl_channel, target);

	WRITE_ONCE(ch->retry, true);
	mod_delayed_work(ch->wq, &ch->life_work, 0);
}

/**
 * kmcl_target_lost() - the sub-channel behind a channel has been rescinded
 * @target: with @target->link set
 *
 * The channel's own work takes it from here.
 *
 * Context: process; waits for nothing.
 */
void kmcl_target_lost(struct kmcl_target *target)
{
	struct kmcl_channel *ch = container_of(target, struct kmcl_channel, target);

	kmcl_tx_off(ch);
	queue_work(ch->wq, &ch->poison_work);
}
EXPORT_SYMBOL_GPL(kmcl_target_lost);

/* ---- the API ---- */

NTSTATUS VmbChannelEnable(VMBCHANNEL Channel)
{
	struct kmcl_channel *ch = kmcl_channel(Channel);
	NTSTATUS status;

	if (!ch)
		return STATUS_INVALID_PARAMETER_1;
	if (kmcl_life_is_mine(ch) && ch->disabling)
		return STATUS_INVALID_DEVICE_STATE;
	if (kmcl_life_is_mine(ch) && ch->may_reenable) {
		/* takes effect when Closed has returned; then see life_work() */
		ch->reenable = true;
		mod_delayed_work(ch->wq, &ch->life_work, 0);
		return STATUS_SUCCESS;
	}
	if (!kmcl_passive(ch, __func__))
		return STATUS_INVALID_DEVICE_STATE;
	kmcl_life_enter(ch);
	status = enable(ch);
	kmcl_life_leave(ch);
	return status;
}
EXPORT_SYMBOL_GPL(VmbChannelEnable);

VOID VmbChannelDisable(VMBCHANNEL Channel)
{
	struct kmcl_channel *ch = kmcl_channel(Channel);

	if (ch)
		kmcl_disable(ch, __func__);
}
EXPORT_SYMBOL_GPL(VmbChannelDisable);

/* After a save, as if there had been none. */
static void go_on(struct kmcl_channel *ch)
{
	kmcl_save_drop(ch);
	/* a client may have come */
	if (ch->state == KMCL_WAITING)
		kmcl_target_arrived(&ch->target);
	if (!ch->running || !kmcl_link_is_up(ch))
		return;
	kmcl_tx_set(ch, KMCL_TX_HOLD, KMCL_TX_RUN);
	kmcl_rx_open_gate(ch);
}

VOID VmbChannelStart(VMBCHANNEL Channel)
{
	struct kmcl_channel *ch = kmcl_channel(Channel);

	if (!ch || !kmcl_passive(ch, __func__))
		return;
	kmcl_life_enter(ch);
	WRITE_ONCE(ch->pause_wanted, false);
	if (ch->save)
		go_on(ch);
	if (ch->state == KMCL_OPEN && !ch->running && kmcl_may_run(ch))
		kmcl_start(ch);
	kmcl_life_leave(ch);
}
EXPORT_SYMBOL_GPL(VmbChannelStart);

VOID VmbChannelPause(VMBCHANNEL Channel)
{
	struct kmcl_channel *ch = kmcl_channel(Channel);

	if (!ch || !kmcl_passive(ch, __func__))
		return;
	kmcl_life_enter(ch);
	ch->pause_wanted = true;
	if (ch->state == KMCL_OPEN && ch->running)
		kmcl_suspend(ch);
	kmcl_life_leave(ch);
}
EXPORT_SYMBOL_GPL(VmbChannelPause);

void kmcl_life_init(struct kmcl_channel *ch)
{
	spin_lock_init(&ch->life_lock);
	init_waitqueue_head(&ch->life_wait);
	INIT_DELAYED_WORK(&ch->life_work, life_work);
	INIT_DELAYED_WORK(&ch->impatient_work, impatient_work);
	kmcl_link_init(ch);
	INIT_LIST_HEAD(&ch->target.node);
	INIT_LIST_HEAD(&ch->target.watch);
	ch->target.name = ch->name;
}

/* The channel is disabled and nobody may use it any more. */
void kmcl_life_exit(struct kmcl_channel *ch)
{
	/* in this order: poison_work queues the other */
	cancel_work_sync(&ch->poison_work);
	cancel_delayed_work_sync(&ch->life_work);
}
