// SPDX-License-Identifier: GPL-2.0
/*
 * Server channels: what they offer, and how their life differs from a client's.
 *
 *   DISABLED --Enable: offered--> WAITING --a client opens: Opened--> OPEN
 *      ^                           |   ^                                |
 *      +----Disable: rescinded-----+   +--it closes: Suspend, Closed----+
 *      ^                                                                |
 *      +----Disable: Suspend, Closed, rescinded-------------------------+
 *
 * The answer to the client's open is what Opened returns.  A server is paused until
 * its driver calls Start, once for all clients that come; sends before a client
 * opens wait for it.  A channel that was poisoned while its client has it open
 * takes the offer back and offers anew.
 */
#include <linux/export.h>
#include <kmcl/status.h>
#include "kmcl.h"
#include "observe.h"
#include "server.h"

/**
 * kmcl_server_enable() - may this channel be offered?
 * @ch: server channel whose life the caller owns
 *
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER without GUIDs;
 * STATUS_NOT_SUPPORTED when there is no bus to offer it on.
 */
NTSTATUS kmcl_server_enable(struct kmcl_channel *ch)
{
	const struct kmcl_server *server = ch->primary ? ch->primary->server : ch->server;
	bool pipe;

	if (!server->identified) {
		kmcl_err(ch, "VmbChannelEnable of a server without VmbServerChannelInitSetTargetInterfaceId\n");
		return STATUS_INVALID_PARAMETER;
	}
	if (!(server->flags & VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER) && !server->host) {
		kmcl_err(ch, "a guest cannot offer to its host: VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER or a VMBus handle is missing\n");
		return STATUS_NOT_SUPPORTED;
	}
	pipe = ch->server->flags & VMBUS_SERVER_CHANNEL_INIT_FLAG_OFFER_AS_PIPE;
	if (pipe != !!(ch->config.flags & VMBUS_CHANNEL_INIT_FLAG_IS_PIPE))
		kmcl_warn(ch, "the channel offers a %s, and its driver expects a %s\n",
			  pipe ? "pipe" : "plain channel", pipe ? "plain channel" : "pipe");
	return STATUS_SUCCESS;
}

/**
 * kmcl_server_rest() - a client has gone, and the driver's Closed has returned
 * @ch: server channel whose life the caller owns
 *
 * Context: process.
 * Return: true when the offer has to be taken back and made anew.
 */
bool kmcl_server_rest(struct kmcl_channel *ch)
{
	bool broken;

	kmcl_rest(ch);
	broken = kmcl_endpoint_rest(ch->target.link);
	kmcl_set_state(ch, KMCL_WAITING);
	kmcl_tx_set(ch, KMCL_TX_OFF, KMCL_TX_HOLD);
	return broken;
}

/* What stands between a client that wants to open and Opened: 0 when nothing does. */
static int let_in(struct kmcl_channel *ch, u32 out_bytes, u32 in_bytes)
{
	int ret;

	/* a packet that never fits would hold up all behind it */
	if (kmcl_largest_packet(ch) + KMCL_FOOTER_SIZE + 8 > out_bytes) {
		kmcl_err(ch, "a client's ring of %u bytes is too small for packets of %u, refused\n",
			 out_bytes, ch->config.max_packet);
		return -EINVAL;
	}
	ret = kmcl_rx_start(ch, in_bytes);
	if (!ret)
		ret = kmcl_link_up(ch, out_bytes, in_bytes);
	if (ret == -ENOMEM)
		kmcl_err(ch, "no memory for the packets of a client, refused\n");
	return ret;
}

/**
 * kmcl_server_accept() - a client wants to open
 * @ch: server channel that is offered, whose life the caller owns
 *
 * One that is refused before Opened leaves what the driver has queued for the next.
 *
 * Context: process.
 * Return: true when the offer has to be taken back and made anew.
 */
bool kmcl_server_accept(struct kmcl_channel *ch)
{
	struct kmcl_link *link = ch->target.link;
	u32 out_bytes, in_bytes;
	NTSTATUS status;
	int ret;

	if (!kmcl_endpoint_serve(link, &out_bytes, &in_bytes))
		return false;
	ret = let_in(ch, out_bytes, in_bytes);
	if (ret) {
		link->ops->opened(link, ret);
		kmcl_rx_finish(ch);
		return false;
	}
	kmcl_device_bind(ch);
	kmcl_set_state(ch, KMCL_OPEN);
	WRITE_ONCE(ch->subs_open, true);
	status = kmcl_call_opened(ch);
	link->ops->opened(link, NT_SUCCESS(status) ? 0 : kmcl_status_to_errno(status));
	if (!NT_SUCCESS(status)) {
		kmcl_subs_disable(ch);
		kmcl_link_down(ch, STATUS_CANCELLED);
		return kmcl_server_rest(ch);
	}
	if (kmcl_may_run(ch))
		kmcl_start(ch);
	return false;
}

/* ---- configuration; a disabled server channel only ---- */

#define server_disabled(handle)	server_disabled_find(handle, __func__, _RET_IP_)

static struct kmcl_channel *server_disabled_find(VMBCHANNEL handle, const char *who,
						 unsigned long caller)
{
	struct kmcl_channel *ch = kmcl_channel_disabled_find(handle, who, caller);

	return ch && ch->server ? ch : NULL;
}

NTSTATUS VmbServerChannelInitSetFlags(VMBCHANNEL Channel, UINT32 Flags)
{
	struct kmcl_channel *ch = server_disabled(Channel);

	if (!ch)
		return STATUS_INVALID_PARAMETER_1;
	if (Flags & ~VMBUS_SERVER_CHANNEL_INIT_FLAGS)
		return STATUS_INVALID_PARAMETER_2;
	ch->server->flags = Flags;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbServerChannelInitSetFlags);

NTSTATUS VmbServerChannelInitSetTargetInterfaceId(VMBCHANNEL Channel, GUID InterfaceType,
						  GUID InterfaceInstance)
{
	struct kmcl_channel *ch = server_disabled(Channel);

	if (!ch)
		return STATUS_INVALID_PARAMETER_1;
	import_guid(&ch->server->type, (const u8 *)&InterfaceType);
	import_guid(&ch->server->instance, (const u8 *)&InterfaceInstance);
	ch->server->identified = true;
	kmcl_channel_name(ch);
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbServerChannelInitSetTargetInterfaceId);

NTSTATUS VmbServerChannelInitSetVmbusHandle(VMBCHANNEL Channel, HANDLE VmbusHandle)
{
	struct kmcl_channel *ch = server_disabled(Channel);
	struct kmcl_host *host;

	if (!ch)
		return STATUS_INVALID_PARAMETER_1;
	host = kmcl_host_by_handle(VmbusHandle);
	if (!host)
		return STATUS_INVALID_PARAMETER_2;
	kmcl_host_put(ch->server->host);
	ch->server->host = host;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbServerChannelInitSetVmbusHandle);

NTSTATUS VmbServerChannelInitSetMmioMegabytes(VMBCHANNEL Channel, UINT16 MmioMegabytes,
					      UINT16 MmioMegabytesOptional)
{
	struct kmcl_channel *ch = server_disabled(Channel);

	if (!ch)
		return STATUS_INVALID_PARAMETER_1;
	if (!MmioMegabytes && !MmioMegabytesOptional)
		return STATUS_INVALID_PARAMETER;
	ch->server->mmio = MmioMegabytes;
	ch->server->mmio_optional = MmioMegabytesOptional;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbServerChannelInitSetMmioMegabytes);

NTSTATUS VmbServerChannelInitSetTargetVtl(VMBCHANNEL Channel, UINT8 TargetVtl)
{
	if (!server_disabled(Channel))
		return STATUS_INVALID_PARAMETER_1;
	/* no client that we can have runs at another */
	return TargetVtl ? STATUS_INVALID_PARAMETER_2 : STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbServerChannelInitSetTargetVtl);

NTSTATUS
VmbServerChannelInitSetSaveRestorePacketCallbacks(VMBCHANNEL Channel,
						  PFN_VMB_CHANNEL_SAVE_PACKET Save,
						  PFN_VMB_CHANNEL_RESTORE_PACKET Restore)
{
	struct kmcl_channel *ch = server_disabled(Channel);

	if (!ch)
		return STATUS_INVALID_PARAMETER_1;
	ch->server->save = (struct kmcl_save_callbacks) {
		.save = Save,
		.restore = Restore,
	};
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbServerChannelInitSetSaveRestorePacketCallbacks);

NTSTATUS
VmbServerChannelInitSetSaveRestorePacketCallbacksEx(VMBCHANNEL Channel, PVOID Context,
						    PFN_VMB_CHANNEL_SAVE_PACKET_EX Save,
						    PFN_VMB_CHANNEL_RESTORE_PACKET_EX Restore)
{
	struct kmcl_channel *ch = server_disabled(Channel);

	if (!ch)
		return STATUS_INVALID_PARAMETER_1;
	ch->server->save = (struct kmcl_save_callbacks) {
		.ex = true,
		.context = Context,
		.save_ex = Save,
		.restore_ex = Restore,
	};
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbServerChannelInitSetSaveRestorePacketCallbacksEx);

/* ---- the client's memory ---- */

NTSTATUS VmbChannelMapGpadl(VMBCHANNEL Channel, UINT32 Flags, UINT32 GpadlHandle, PMDL *Mdl)
{
	struct kmcl_channel *ch = kmcl_channel(Channel);
	NTSTATUS status = STATUS_INVALID_PARAMETER_1;

	if (!ch || !ch->server || !kmcl_may_sleep(ch, __func__))
		return STATUS_INVALID_PARAMETER_1;
	if (Flags & ~VMBUS_CHANNEL_GPADL_FLAGS)
		return STATUS_INVALID_PARAMETER_2;
	if (!Mdl)
		return STATUS_INVALID_PARAMETER_4;
	*Mdl = NULL;
	mutex_lock(&ch->device_lock);
	if (ch->bound)
		status = kmcl_endpoint_map(ch->bound, GpadlHandle, Mdl);
	trace_kmcl_gpadl_map(ch, GpadlHandle, status, *Mdl);
	mutex_unlock(&ch->device_lock);
	return status;
}
EXPORT_SYMBOL_GPL(VmbChannelMapGpadl);

VOID VmbChannelUnmapGpadl(VMBCHANNEL Channel, UINT32 GpadlHandle)
{
	struct kmcl_channel *ch = kmcl_channel(Channel);

	if (!ch || !ch->server || !kmcl_may_sleep(ch, __func__))
		return;
	mutex_lock(&ch->device_lock);
	if (ch->bound) {
		bool mapped = kmcl_endpoint_unmap(ch->bound, GpadlHandle);

		trace_kmcl_gpadl_unmap(ch, GpadlHandle, mapped);
		if (!mapped)
			kmcl_err(ch, "%s: GPADL %#x is not mapped, ignored\n", __func__,
				 GpadlHandle);
	}
	mutex_unlock(&ch->device_lock);
}
EXPORT_SYMBOL_GPL(VmbChannelUnmapGpadl);
