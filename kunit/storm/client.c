// SPDX-License-Identifier: GPL-2.0
/*
 * A client that is loaded and unloaded in the middle of everything: its channel is
 * waiting, opening, closing or open when its module goes. No code of it may run
 * after that, and its own books balance.
 */
#include <linux/kthread.h>
#include <linux/module.h>
#include "storm.h"

static VMBCHANNEL channel;
static struct task_struct *sender;
static atomic_t accepted, ended, received, completed;

static VOID done(VMBPACKET packet, PVOID context, NTSTATUS status, PVOID buf, UINT32 len)
{
	VmbPacketFree(packet);
	atomic_inc(&ended);
}

static VOID process(VMBCHANNEL ch, PVOID context, VMBPACKETCOMPLETION pkt, PVOID buf,
		    UINT32 len, UINT32 flags)
{
	atomic_inc(&received);
	VmbChannelPacketComplete(pkt, buf, min(len, 16u));
	atomic_inc(&completed);
}

static int send(void *unused)
{
	const u32 flags = VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION;
	static const u8 body[100];
	VMBPACKET pkt;
	int n;

	while (!kthread_should_stop()) {
		for (n = 0; n < 10; n++) {
			pkt = VmbPacketAllocate(channel);
			if (!pkt)
				break;
			VmbPacketSetCompletionRoutineEx(pkt, NULL, done);
			/* before it is: its end may be counted first */
			atomic_inc(&accepted);
			if (NT_SUCCESS(VmbPacketSend(pkt, (void *)body, sizeof(body), NULL, flags)))
				continue;
			atomic_dec(&accepted);
			VmbPacketFree(pkt);
			break;
		}
		VmbChannelEnable(channel);
		schedule_timeout_interruptible(1);
	}
	return 0;
}

static int __init client_init(void)
{
	const GUID type = storm_type, instance = storm_instance(STORM_MODULE);
	NTSTATUS status = VmbChannelAllocate(NULL, FALSE, &channel);

	if (!NT_SUCCESS(status))
		return -ENOMEM;
	status = VmbChannelInitSetProcessPacketCallbacksEx(channel, NULL, process, NULL);
	if (NT_SUCCESS(status))
		status = VmbChannelInitSetMaximumPacketSize(channel, STORM_PACKET);
	if (NT_SUCCESS(status))
		status = VmbClientChannelInitSetTargetPnp(channel, &type, &instance, NULL);
	/* the server may be away, or refuse: the thread tries again */
	if (NT_SUCCESS(status)) {
		VmbChannelEnable(channel);
		sender = kthread_run(send, NULL, "storm_client");
		if (!IS_ERR(sender))
			return 0;
	}
	VmbChannelDisable(channel);
	VmbChannelCleanup(channel);
	return -EINVAL;
}

static void __exit client_exit(void)
{
	kthread_stop(sender);
	VmbChannelDisable(channel);
	VmbChannelCleanup(channel);
	WARN(atomic_read(&accepted) != atomic_read(&ended) ||
	     atomic_read(&received) != atomic_read(&completed),
	     "kmcl_storm_client: NOT BALANCED: sent %d, completed %d; received %d, completed %d\n",
	     atomic_read(&accepted), atomic_read(&ended), atomic_read(&received),
	     atomic_read(&completed));
}

module_init(client_init);
module_exit(client_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KMCL: a client that comes and goes in a storm");
