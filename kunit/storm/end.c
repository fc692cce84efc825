// SPDX-License-Identifier: GPL-2.0
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <kmcl/host.h>
#include "storm.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION

/* ---- what is sent ---- */

VOID storm_done(VMBPACKET packet, PVOID context, NTSTATUS status, PVOID buf, UINT32 len)
{
	struct storm_end *e = context;

	if (VmbPacketGetPointer(packet) != STORM_SENDING)
		atomic_inc(&e->odd);
	VmbPacketSetPointer(packet, STORM_ENDED);
	if (status == STATUS_SUCCESS)
		atomic_inc(&e->answered);
	else if (status != STATUS_CANCELLED && status != STATUS_DEVICE_REMOVED)
		atomic_inc(&e->odd);
	VmbPacketFree(packet);
	/* last: the books may be closed when it is counted */
	atomic_inc(&e->ended);
}

/* False: no more for now. */
static bool send_one(struct storm_end *e, const void *body, u32 len, u32 flags)
{
	VMBPACKET pkt = VmbPacketAllocate(e->ch);
	NTSTATUS status;

	if (!pkt)		/* as many in flight as there may be */
		return false;
	VmbPacketSetCompletionRoutineEx(pkt, e, storm_done);
	VmbPacketSetPointer(pkt, STORM_SENDING);
	/* before it is: its end may be counted first */
	atomic_inc(&e->accepted);
	status = VmbPacketSend(pkt, (void *)body, len, NULL, flags);
	if (NT_SUCCESS(status))
		return true;
	atomic_dec(&e->accepted);
	atomic_inc(&e->refused);
	if (status != STATUS_INVALID_DEVICE_STATE)
		atomic_inc(&e->odd);
	VmbPacketFree(pkt);
	return false;
}

static void ask(struct storm_end *e, const void *body, u32 len, u32 ms)
{
	LARGE_INTEGER timeout = { .QuadPart = -10000LL * ms };
	NTSTATUS status;

	status = VmbChannelSendSynchronousRequest(e->ch, (void *)body, len, NULL, WAIT, NULL,
						  NULL, &timeout);
	if (status == STATUS_CANCELLED)
		atomic_inc(&e->given_up);
	else if (status != STATUS_SUCCESS && status != STATUS_DEVICE_REMOVED &&
		 status != STATUS_INVALID_DEVICE_STATE)
		atomic_inc(&e->odd);
}

/* Some packets, large and small; a client asks for an answer and waits for it now and then. */
void storm_send(struct storm_end *e, struct rnd_state *rnd)
{
	static const u8 body[STORM_PACKET];
	u32 n = prandom_u32_state(rnd) % 16, random;

	down_read(&e->lock);
	while (n--) {
		random = prandom_u32_state(rnd);
		if (!send_one(e, body, random % STORM_PACKET, random & BIT(20) ? WAIT : 0))
			break;
	}
	random = prandom_u32_state(rnd);
	if (!e->server && random % 8 == 0)
		ask(e, body, random % STORM_PACKET, random % 5);
	up_read(&e->lock);
}

/* ---- what comes ---- */

/* True: somebody will complete it. */
static bool keep(struct storm_end *e, VMBPACKETCOMPLETION pkt)
{
	bool kept;

	spin_lock_bh(&e->pending_lock);
	kept = e->nr_pending < STORM_PENDING;
	if (kept)
		e->pending[e->nr_pending++] = pkt;
	spin_unlock_bh(&e->pending_lock);
	return kept;
}

static void complete_one(struct storm_end *e, VMBPACKETCOMPLETION pkt)
{
	static const u8 body[64];

	/* before it is: see send_one() */
	atomic_inc(&e->completed);
	VmbChannelPacketComplete(pkt, (void *)body, sizeof(body));
}

/* What RestorePacket has brought. */
void storm_restored(struct storm_end *e, VMBPACKETCOMPLETION pkt)
{
	atomic_inc(&e->received);
	atomic_inc(&e->restored);
	if (!keep(e, pkt))
		complete_one(e, pkt);
}

static VOID process(VMBCHANNEL ch, PVOID context, VMBPACKETCOMPLETION pkt, PVOID buf,
		    UINT32 len, UINT32 flags)
{
	struct storm_end *e = context;

	/* the same packet comes again, in process context */
	if (len % 7 == 3 && in_interrupt()) {
		VmbChannelPacketDeferToPassive(pkt);
		return;
	}
	atomic_inc(&e->received);
	if (len % 2 || !keep(e, pkt))
		complete_one(e, pkt);
}

/* Complete what was kept, in any order. */
void storm_complete(struct storm_end *e, struct rnd_state *rnd)
{
	VMBPACKETCOMPLETION pkt;
	u32 at, n = 1 + prandom_u32_state(rnd) % STORM_PENDING;

	while (n-- && !time_before(jiffies, READ_ONCE(e->lazy_until))) {
		pkt = NULL;
		spin_lock_bh(&e->pending_lock);
		if (e->nr_pending) {
			at = prandom_u32_state(rnd) % e->nr_pending;
			pkt = e->pending[at];
			e->pending[at] = e->pending[--e->nr_pending];
		}
		spin_unlock_bh(&e->pending_lock);
		if (!pkt)
			break;
		complete_one(e, pkt);
	}
}

/* ---- its life ---- */

/* Any status is right: another thread may have been faster. */
void storm_live(struct storm_end *e, struct rnd_state *rnd)
{
	down_read(&e->lock);
	switch (prandom_u32_state(rnd) % 8) {
	case 0:
		VmbChannelDisable(e->ch);
		break;
	case 1:
		VmbChannelPause(e->ch);
		break;
	case 2:
	case 3:
	case 4:
		VmbChannelEnable(e->ch);
		break;
	default:
		VmbChannelStart(e->ch);
		break;
	}
	up_read(&e->lock);
}

static NTSTATUS opened(VMBCHANNEL ch, PVOID context)
{
	return get_random_u8() % 16 ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

/* Some drivers come back from inside Closed. */
static VOID closed(VMBCHANNEL ch, PVOID context)
{
	struct storm_end *e = context;

	if (!e->server && !READ_ONCE(e->storm->stop) && get_random_u8() % 2)
		VmbChannelEnable(ch);
}

static NTSTATUS set_state(struct storm_end *e)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5 state;
	PVMB_CHANNEL_STATE_CHANGE_CALLBACKS any = (void *)&state;

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT_V5(&state);
	state.CallbackContext = e;
	state.EvtChannelOpenedEx = opened;
	state.EvtChannelClosedEx = closed;
	return VmbChannelInitSetStateChangeCallbacks(e->ch, any);
}

static NTSTATUS find_bus(struct storm_end *e)
{
	NTSTATUS status;
	HANDLE bus;

	if (!e->bus)
		return VmbServerChannelInitSetFlags(e->ch,
						    VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER);
	bus = kmcl_host_handle(e->bus);
	if (!bus)
		return STATUS_UNSUCCESSFUL;
	status = VmbServerChannelInitSetVmbusHandle(e->ch, bus);
	ZwClose(bus);
	return status;
}

static NTSTATUS set_up(struct storm_end *e)
{
	NTSTATUS status;

	status = VmbChannelInitSetProcessPacketCallbacksEx(e->ch, e, process, NULL);
	if (NT_SUCCESS(status))
		status = set_state(e);
	if (NT_SUCCESS(status))
		status = VmbChannelInitSetMaximumPacketSize(e->ch, STORM_PACKET);
	if (NT_SUCCESS(status))
		status = VmbChannelInitSetMaximumPacketCount(e->ch, STORM_FLIGHT);
	if (!NT_SUCCESS(status))
		return status;
	VmbChannelSetTransactionQuota(e->ch, 2 * STORM_PENDING);
	if (e->server) {
		status = VmbServerChannelInitSetTargetInterfaceId(e->ch, e->type, e->instance);
		if (NT_SUCCESS(status))
			status = find_bus(e);
		if (NT_SUCCESS(status))
			status = storm_set_service(e);
		return status;
	}
	/* small rings, which are full often */
	status = VmbChannelInitSetMaximumExternalData(e->ch, 4096, 1);
	if (NT_SUCCESS(status))
		status = VmbClientChannelInitSetRingBufferPageCount(e->ch, 1, 1);
	if (NT_SUCCESS(status))
		status = VmbClientChannelInitSetTargetPnp(e->ch, &e->type, &e->instance, NULL);
	return status;
}

/* A channel for @e, not enabled; the caller has it alone. */
int storm_end_new_channel(struct storm_end *e)
{
	NTSTATUS status = VmbChannelAllocate(NULL, e->server, &e->ch);

	if (!NT_SUCCESS(status))
		return -ENOMEM;
	e->kch = kmcl_channel_find(e->ch, __func__, _RET_IP_);
	status = set_up(e);
	if (NT_SUCCESS(status))
		return 0;
	VmbChannelCleanup(e->ch);
	e->ch = NULL;
	return -EINVAL;
}

/* @e is zero but for class, instance and bus. */
int storm_end_init(struct storm_end *e, struct storm *storm, bool server)
{
	init_rwsem(&e->lock);
	spin_lock_init(&e->pending_lock);
	e->storm = storm;
	e->server = server;
	return storm_end_new_channel(e);
}

void storm_end_drop(struct storm_end *e)
{
	if (e->ch) {
		VmbChannelDisable(e->ch);
		VmbChannelCleanup(e->ch);
	}
	e->ch = NULL;
}

/* ---- when it is over ---- */

/* A packet there and its answer back, with the ends as the storm has left them. */
bool storm_answers(struct storm_end *e)
{
	LARGE_INTEGER timeout = { .QuadPart = -10000LL * 100 };
	NTSTATUS status;
	int i;

	/* Opened may fail, and the peer may be on its way */
	for (i = 0; i < 300; i++) {
		VmbChannelEnable(e->ch);
		VmbChannelStart(e->ch);
		status = VmbChannelSendSynchronousRequest(e->ch, "calm", 4, NULL, WAIT, NULL, NULL,
							  &timeout);
		if (status == STATUS_SUCCESS)
			return true;
		schedule_timeout_uninterruptible(msecs_to_jiffies(20));
	}
	return false;
}

/* The books of a channel that is disabled. */
bool storm_balanced(struct storm_end *e, const char *name)
{
	int accepted = atomic_read(&e->accepted), ended = atomic_read(&e->ended);
	int received = atomic_read(&e->received), completed = atomic_read(&e->completed);
	int odd = atomic_read(&e->odd);
	bool ok = accepted == ended && received == completed && !odd && !e->nr_pending;
	u64 stale = e->ch ? e->kch->stats.stale_ids : 0;

	if (e->ch && (e->kch->packets || atomic_read(&e->kch->rx.delivered)))
		ok = false;
	/* what was sent is answered once: nothing else answers what was given up */
	if (!e->liars && stale > atomic_read(&e->given_up))
		ok = false;
	pr_info("kmcl_storm: %s: sent %d, completed %d (answered %d), refused %d; received %d, completed %d (restored %d); given up %d, answered late %llu; odd %d%s\n",
		name, accepted, ended, atomic_read(&e->answered), atomic_read(&e->refused),
		received, completed, atomic_read(&e->restored), atomic_read(&e->given_up), stale,
		odd, ok ? "" : ": NOT BALANCED");
	return ok;
}
