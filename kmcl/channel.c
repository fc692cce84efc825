// SPDX-License-Identifier: GPL-2.0
/*
 * Channel objects: allocation, configuration while disabled, and the getters.
 */
#include <linux/cpumask.h>
#include <linux/export.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <kmcl/device.h>
#include "kmcl.h"
#include "server.h"

static void channel_free(struct kmcl_channel *ch)
{
	free_percpu(ch->tx.counters);
	kfree(ch->server);
	kfree(ch);
}

static void channel_free_late(struct rcu_head *rcu)
{
	channel_free(container_of(rcu, struct kmcl_channel, rcu));
}

static void channel_release(struct kref *ref)
{
	struct kmcl_channel *ch = container_of(ref, struct kmcl_channel, ref);

	kmcl_packets_exit(ch);
	call_rcu(&ch->rcu, channel_free_late);
}

/* Packets that outlive Cleanup keep the memory, so freeing them stays safe. */
void kmcl_channel_put(struct kmcl_channel *ch)
{
	kref_put(&ch->ref, channel_release);
}

/* For log lines: the friendly name, and the device or the one that is wanted. */
void kmcl_channel_name(struct kmcl_channel *ch)
{
	const struct kmcl_target *t = &ch->target;
	char device[sizeof("server ") + UUID_STRING_LEN] = "no device";
	int n;

	if (ch->server && ch->server->identified)
		scnprintf(device, sizeof(device), "server %pUl", &ch->server->instance);
	else if (ch->parent)
		scnprintf(device, sizeof(device), "%s", dev_name(ch->parent));
	else if (t->has_type)
		scnprintf(device, sizeof(device), "%pUl",
			  t->any_instance ? &t->type : &t->instance);

	if (ch->config.friendly[0])
		n = scnprintf(ch->name, sizeof(ch->name), "%s (%s)", ch->config.friendly, device);
	else
		n = scnprintf(ch->name, sizeof(ch->name), "%s", device);
	if (ch->sub_index)
		scnprintf(ch->name + n, sizeof(ch->name) - n, " sub-channel %u", ch->sub_index);
}

/**
 * kmcl_channel_guids() - what a channel is connected to, or wants to be
 * @ch: channel
 * @type: class GUID, null when nobody has said
 * @instance: the same for the instance
 *
 * For people: a channel that is being configured meanwhile may give half of each.
 *
 * Context: any.
 */
void kmcl_channel_guids(const struct kmcl_channel *ch, guid_t *type, guid_t *instance)
{
	const struct kmcl_target *t = &ch->target;

	*type = t->active_type;
	*instance = t->active;
	if (!guid_is_null(instance))
		return;
	if (ch->server && ch->server->identified) {
		*type = ch->server->type;
		*instance = ch->server->instance;
	} else if (t->has_type) {
		*type = t->type;
		if (!t->any_instance)
			*instance = t->instance;
	}
}

/* For what has no channel yet that could say it. */
static bool at_passive(const char *who, unsigned long caller)
{
	if (!in_interrupt() && !irqs_disabled())
		return true;
	pr_err_ratelimited("kmcl: %s above PASSIVE_LEVEL, refused; called from %pS\n", who,
			   (void *)caller);
	return false;
}

/* A client's is held while the server in the same kernel, if it is, lets go. */
static struct lock_class_key server_control_class;

/* @head: in the driver's memory, or NULL. */
static NTSTATUS channel_new(PDEVICE_OBJECT ParentDeviceObject, bool is_server,
			    struct kmcl_channel_head *head, VMBCHANNEL *handle)
{
	struct kmcl_channel *ch;

	ch = kzalloc(sizeof(*ch), GFP_KERNEL);
	if (!ch)
		return STATUS_INSUFFICIENT_RESOURCES;
	ch->tx.counters = alloc_percpu(struct kmcl_counters);
	if (!ch->tx.counters)
		goto no_packets;
	if (is_server) {
		ch->server = kzalloc(sizeof(*ch->server), GFP_KERNEL);
		if (!ch->server)
			goto no_packets;
		ch->target.server = ch->server;
		ch->pause_wanted = true;
	}
	kref_init(&ch->ref);
	ch->wq = is_server ? kmcl_server_wq : kmcl_wq;
	ch->parent = ParentDeviceObject ? kmcl_device(ParentDeviceObject) : NULL;
	ch->target.parent = ch->parent;
	ch->config.max_packet = KMCL_DEFAULT_PACKET;
	ch->config.max_external = KMCL_DEFAULT_EXTERNAL;
	ch->config.max_chain = KMCL_DEFAULT_CHAIN;
	ch->config.max_count = KMCL_DEFAULT_COUNT;
	ch->config.in_pages = KMCL_DEFAULT_PAGES;
	ch->config.out_pages = KMCL_DEFAULT_PAGES;
	ch->config.quota = KMCL_DEFAULT_QUOTA;
	ch->config.processor = KMCL_ANY_PROCESSOR;
	kmcl_channel_name(ch);
	ratelimit_default_init(&ch->errors);
	ratelimit_default_init(&ch->warnings);
	kmcl_life_init(ch);
	kmcl_sub_init(ch);
	kmcl_gpadls_init(ch);
	if (is_server)
		lockdep_set_class(&ch->control, &server_control_class);
	kmcl_device_init(ch);
	kmcl_bounce_init(ch);
	kmcl_tx_init(ch);
	kmcl_rx_init(ch);
	ch->magic = KMCL_MAGIC_CHANNEL;
	if (kmcl_packets_init(ch))
		goto no_packets;
	if (kmcl_handle_new(ch, &ch->place, &ch->generation))
		goto no_handle;
	if (ch->parent)
		get_device(ch->parent);
	ch->key = kmcl_handle_make(KMCL_KIND_CHANNEL, ch->place, ch->generation);
	ch->handle = ch->key;
	if (head) {
		head->key = ch->key;
		head->magic = KMCL_MAGIC_CHANNEL;
		ch->handle = (VMBCHANNEL)head;
	}
	kmcl_debugfs_add(ch);
	*handle = ch->handle;
	return STATUS_SUCCESS;

no_handle:
	kmcl_packets_exit(ch);
no_packets:
	channel_free(ch);
	return STATUS_INSUFFICIENT_RESOURCES;
}

NTSTATUS VmbChannelAllocate(PDEVICE_OBJECT ParentDeviceObject, BOOLEAN IsServer,
			    VMBCHANNEL *Channel)
{
	if (!Channel)
		return STATUS_INVALID_PARAMETER_3;
	*Channel = NULL;
	if (!at_passive(__func__, _RET_IP_))
		return STATUS_INVALID_DEVICE_REQUEST;
	return channel_new(ParentDeviceObject, IsServer, NULL, Channel);
}
EXPORT_SYMBOL_GPL(VmbChannelAllocate);

ULONG VmbSizeofChannel(VOID)
{
	return sizeof(struct kmcl_channel_head);
}
EXPORT_SYMBOL_GPL(VmbSizeofChannel);

/* What the memory says of itself proves nothing; what the table says does. */
static bool in_use(const struct kmcl_channel_head *head)
{
	struct kmcl_channel *ch = NULL;
	bool used;

	rcu_read_lock();
	if (head->magic == KMCL_MAGIC_CHANNEL && kmcl_handle_is(head->key, KMCL_KIND_CHANNEL))
		ch = kmcl_handle_object(head->key);
	used = ch && ch->handle == (VMBCHANNEL)head;
	rcu_read_unlock();
	return used;
}

NTSTATUS VmbChannelInitialize(PDEVICE_OBJECT ParentDeviceObject, BOOLEAN IsServer,
			      VMBCHANNEL Channel, ULONG ChannelSize)
{
	struct kmcl_channel_head *head = (struct kmcl_channel_head *)Channel;

	if (!head || !IS_ALIGNED((unsigned long)head, __alignof__(*head)) ||
	    !kmcl_handle_is_address(head))
		return STATUS_INVALID_PARAMETER_3;
	if (ChannelSize < sizeof(*head))
		return STATUS_INVALID_PARAMETER_4;
	if (!at_passive(__func__, _RET_IP_))
		return STATUS_INVALID_DEVICE_REQUEST;
	if (in_use(head)) {
		pr_err_ratelimited("kmcl: %s: the memory is a channel that was not cleaned up; called from %pS\n",
				   __func__, (void *)_RET_IP_);
		return STATUS_INVALID_PARAMETER_3;
	}
	return channel_new(ParentDeviceObject, IsServer, head, &Channel);
}
EXPORT_SYMBOL_GPL(VmbChannelInitialize);

VOID VmbChannelCleanup(VMBCHANNEL Channel)
{
	struct kmcl_channel *ch = kmcl_channel(Channel);
	struct kmcl_leaks leaks = {};

	if (!ch)
		return;
	if (!kmcl_passive(ch, __func__))
		return;
	if (READ_ONCE(ch->state) != KMCL_DISABLED)
		kmcl_err(ch, "%s of an enabled channel: disabling it first\n", __func__);
	mutex_lock(&ch->control);
	ch->leaks = &leaks;
	mutex_unlock(&ch->control);
	/* in any case: an Enable from inside Closed may be about to take effect */
	kmcl_disable(ch, __func__);
	kmcl_life_exit(ch);
	kmcl_sub_exit(ch);
	mutex_lock(&ch->control);
	ch->leaks = NULL;
	mutex_unlock(&ch->control);
	kmcl_leaks_say(ch, &leaks, _RET_IP_);
	if (ch->stats.lost_bytes)
		kmcl_warn(ch, "%s: %llu bytes of GPADLs stay with the host\n", __func__,
			  ch->stats.lost_bytes);
	kmcl_debugfs_remove(ch);
	kmcl_handle_forget(ch->name, Channel);
	kmcl_handle_end(ch->place, ch->generation);
	/* the last touch of memory that is the driver's */
	if (Channel != ch->key)
		((struct kmcl_channel_head *)Channel)->magic = 0;
	if (ch->parent)
		put_device(ch->parent);
	ch->parent = NULL;
	if (ch->server)
		kmcl_host_put(ch->server->host);
	kmcl_channel_put(ch);
}
EXPORT_SYMBOL_GPL(VmbChannelCleanup);

/* ---- configuration; a disabled channel only ---- */

struct kmcl_channel *kmcl_channel_disabled_find(VMBCHANNEL handle, const char *who,
						unsigned long caller)
{
	struct kmcl_channel *ch = kmcl_channel_find(handle, who, caller);

	/* what is restored depends on it */
	if (!ch || !kmcl_may_sleep(ch, who) || READ_ONCE(ch->state) != KMCL_DISABLED ||
	    READ_ONCE(ch->restore))
		return NULL;
	return ch;
}

NTSTATUS VmbChannelInitSetFlags(VMBCHANNEL Channel, UINT32 Flags)
{
	struct kmcl_channel *ch = kmcl_channel_disabled(Channel);

	if (!ch)
		return STATUS_INVALID_PARAMETER_1;
	if (Flags & ~VMBUS_CHANNEL_INIT_FLAGS)
		return STATUS_INVALID_PARAMETER_2;
	ch->config.flags = Flags;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetFlags);

NTSTATUS VmbChannelInitSetFriendlyName(VMBCHANNEL Channel, PCUNICODE_STRING FriendlyName)
{
	struct kmcl_channel *ch = kmcl_channel_disabled(Channel);
	char *friendly;
	u32 i, n;

	if (!ch)
		return STATUS_INVALID_PARAMETER_1;
	if (!FriendlyName || ch->config.named ||
	    (FriendlyName->Length && !FriendlyName->Buffer))
		return STATUS_INVALID_PARAMETER_2;
	friendly = ch->config.friendly;
	n = min_t(u32, FriendlyName->Length / sizeof(WCHAR), sizeof(ch->config.friendly) - 1);
	for (i = 0; i < n; i++) {
		u16 c = FriendlyName->Buffer[i];

		friendly[i] = c >= ' ' && c < 0x7f ? c : '?';
	}
	friendly[n] = 0;
	ch->config.named = true;
	kmcl_channel_name(ch);
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetFriendlyName);

NTSTATUS VmbChannelInitSetMaximumPacketSize(VMBCHANNEL Channel, UINT32 MaximumPacketSize)
{
	struct kmcl_channel *ch = kmcl_channel_disabled(Channel);

	if (!ch)
		return STATUS_INVALID_PARAMETER_1;
	if (!MaximumPacketSize)
		return STATUS_INVALID_PARAMETER_2;
	ch->config.max_packet = MaximumPacketSize;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetMaximumPacketSize);

NTSTATUS VmbChannelInitSetMaximumExternalData(VMBCHANNEL Channel,
					      UINT32 MaximumExternalDataSize,
					      UINT32 MaximumChainLength)
{
	struct kmcl_channel *ch = kmcl_channel_disabled(Channel);

	if (!ch)
		return STATUS_INVALID_PARAMETER_1;
	if (!MaximumExternalDataSize)
		return STATUS_INVALID_PARAMETER_2;
	if (!MaximumChainLength)
		return STATUS_INVALID_PARAMETER_3;
	ch->config.max_external = MaximumExternalDataSize;
	ch->config.max_chain = MaximumChainLength;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetMaximumExternalData);

NTSTATUS VmbChannelInitSetMaximumPacketCount(VMBCHANNEL Channel, UINT32 MaximumPacketCount)
{
	struct kmcl_channel *ch = kmcl_channel_disabled(Channel);

	if (!ch)
		return STATUS_INVALID_PARAMETER_1;
	if (!MaximumPacketCount)
		return STATUS_INVALID_PARAMETER_2;
	switch (kmcl_packets_limit(ch, MaximumPacketCount)) {
	case 0:
		return STATUS_SUCCESS;
	case -EINVAL:
		return STATUS_INVALID_PARAMETER_2;
	default:
		return STATUS_INSUFFICIENT_RESOURCES;
	}
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetMaximumPacketCount);

NTSTATUS VmbChannelInitSetClientContextSize(VMBCHANNEL Channel, UINT32 ContextSize)
{
	struct kmcl_channel *ch = kmcl_channel_disabled(Channel);

	if (!ch)
		return STATUS_INVALID_PARAMETER_1;
	if (ContextSize > KMCL_POOL_MAX)
		return STATUS_INVALID_PARAMETER_2;
	ch->config.client_context = ContextSize;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetClientContextSize);

NTSTATUS VmbChannelInitSetInlinePacketContextSize(VMBCHANNEL Channel, UINT32 ContextSize)
{
	struct kmcl_channel *ch = kmcl_channel_disabled(Channel);

	if (!ch)
		return STATUS_INVALID_PARAMETER_1;
	if (ContextSize > KMCL_POOL_MAX)
		return STATUS_INVALID_PARAMETER_2;
	ch->config.inline_context = ContextSize;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetInlinePacketContextSize);

NTSTATUS VmbChannelInitSetProcessPacketCallbacks(VMBCHANNEL Channel,
						 PFN_VMB_CHANNEL_PROCESS_PACKET Process,
						 PFN_VMB_CHANNEL_PROCESSING_COMPLETE Complete)
{
	struct kmcl_channel *ch = kmcl_channel_disabled(Channel);

	if (!ch)
		return STATUS_INVALID_PARAMETER_1;
	ch->config.packet = (struct kmcl_packet_callbacks) {
		.process = Process,
		.complete = Complete,
	};
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetProcessPacketCallbacks);

NTSTATUS VmbChannelInitSetProcessPacketCallbacksEx(VMBCHANNEL Channel, PVOID Context,
						   PFN_VMB_CHANNEL_PROCESS_PACKET_EX Process,
						   PFN_VMB_CHANNEL_PROCESSING_COMPLETE_EX Complete)
{
	struct kmcl_channel *ch = kmcl_channel_disabled(Channel);

	if (!ch)
		return STATUS_INVALID_PARAMETER_1;
	ch->config.packet = (struct kmcl_packet_callbacks) {
		.ex = true,
		.context = Context,
		.process_ex = Process,
		.complete_ex = Complete,
	};
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetProcessPacketCallbacksEx);

NTSTATUS VmbChannelInitSetStateChangeCallbacks(VMBCHANNEL Channel,
					       PVMB_CHANNEL_STATE_CHANGE_CALLBACKS Callbacks)
{
	struct kmcl_channel *ch = kmcl_channel_disabled(Channel);
	struct kmcl_state_callbacks *state;

	if (!ch)
		return STATUS_INVALID_PARAMETER_1;
	if (!Callbacks)
		return STATUS_INVALID_PARAMETER_2;
	state = &ch->config.state;
	if (Callbacks->Version == 1 && Callbacks->Size == sizeof(state->legacy)) {
		memset(state, 0, sizeof(*state));
		state->legacy = *Callbacks;
		return STATUS_SUCCESS;
	}
	if (Callbacks->Version == 5 && Callbacks->Size == sizeof(state->v5)) {
		memset(state, 0, sizeof(*state));
		state->ex = true;
		state->v5 = *(PVMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5)Callbacks;
		state->context = state->v5.CallbackContext;
		return STATUS_SUCCESS;
	}
	return STATUS_INVALID_PARAMETER_2;
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetStateChangeCallbacks);

NTSTATUS VmbClientChannelInitSetRingBufferPageCount(VMBCHANNEL Channel,
						    UINT32 IncomingPageCount,
						    UINT32 OutgoingPageCount)
{
	struct kmcl_channel *ch = kmcl_channel_disabled(Channel);
	u32 limit = INT_MAX / KMCL_PAGE_SIZE;

	if (!ch || ch->server)
		return STATUS_INVALID_PARAMETER_1;
	if (!IncomingPageCount || IncomingPageCount > limit)
		return STATUS_INVALID_PARAMETER_2;
	if (!OutgoingPageCount || OutgoingPageCount > limit)
		return STATUS_INVALID_PARAMETER_3;
	ch->config.in_pages = IncomingPageCount;
	ch->config.out_pages = OutgoingPageCount;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbClientChannelInitSetRingBufferPageCount);

NTSTATUS VmbClientChannelInitSetTargetProcessorIndex(VMBCHANNEL Channel, ULONG ProcessorIndex)
{
	struct kmcl_channel *ch = kmcl_channel_disabled(Channel);

	if (!ch || ch->server)
		return STATUS_INVALID_PARAMETER_1;
	if (ProcessorIndex >= nr_cpu_ids || !cpu_online(ProcessorIndex))
		return STATUS_INVALID_PARAMETER_2;
	ch->config.processor = ProcessorIndex;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbClientChannelInitSetTargetProcessorIndex);

NTSTATUS VmbClientChannelInitSetTargetPnp(VMBCHANNEL Channel, LPCGUID InterfaceType,
					  LPCGUID InterfaceInstance,
					  PFN_VMB_CHANNEL_PNP_FAILURE PnpFailureCallback)
{
	struct kmcl_channel *ch = kmcl_channel_disabled(Channel);

	if (!ch || ch->server)
		return STATUS_INVALID_PARAMETER_1;
	if (!InterfaceType)
		return STATUS_INVALID_PARAMETER_2;
	ch->target.has_type = true;
	import_guid(&ch->target.type, (const u8 *)InterfaceType);
	ch->target.any_instance = !InterfaceInstance;
	if (InterfaceInstance)
		import_guid(&ch->target.instance, (const u8 *)InterfaceInstance);
	ch->config.pnp_failure = PnpFailureCallback;
	kmcl_channel_name(ch);
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbClientChannelInitSetTargetPnp);

/* ---- at any time ---- */

VOID VmbChannelSetPointer(VMBCHANNEL Channel, PVOID Pointer)
{
	struct kmcl_channel *ch = kmcl_channel(Channel);

	if (ch)
		WRITE_ONCE(ch->pointer, Pointer);
}
EXPORT_SYMBOL_GPL(VmbChannelSetPointer);

PVOID VmbChannelGetPointer(VMBCHANNEL Channel)
{
	struct kmcl_channel *ch = kmcl_channel(Channel);

	return ch ? READ_ONCE(ch->pointer) : NULL;
}
EXPORT_SYMBOL_GPL(VmbChannelGetPointer);

VOID VmbChannelGetInterfaceInstance(VMBCHANNEL Channel, LPGUID InterfaceInstance)
{
	struct kmcl_channel *ch = kmcl_channel(Channel);

	if (ch && InterfaceInstance)
		export_guid((u8 *)InterfaceInstance, &ch->target.active);
}
EXPORT_SYMBOL_GPL(VmbChannelGetInterfaceInstance);

VOID VmbChannelSetTransactionQuota(VMBCHANNEL Channel, UINT32 Quota)
{
	struct kmcl_channel *ch = kmcl_channel(Channel);

	if (!ch || !kmcl_dispatch(ch, __func__))
		return;
	if (!Quota) {
		kmcl_err(ch, "%s to 0, ignored\n", __func__);
		return;
	}
	kmcl_rx_set_quota(ch, Quota);
}
EXPORT_SYMBOL_GPL(VmbChannelSetTransactionQuota);
