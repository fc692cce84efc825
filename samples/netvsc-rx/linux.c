// SPDX-License-Identifier: GPL-2.0
/*
 * Linux around both ends: a module that sends frames to an interface of this machine, on
 * any machine.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/etherdevice.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/slab.h>
#include <net/net_namespace.h>

#include <kmcl/status.h>

#include "../../kmcl/compat.h"
#include "rx.h"

static char *ifname = "lo";
module_param(ifname, charp, 0444);
MODULE_PARM_DESC(ifname, "Interface where the frames arrive; it must be up (default lo)");

static char *address;
module_param(address, charp, 0444);
MODULE_PARM_DESC(address, "MAC address that the frames are for (default: the interface's)");

static unsigned int frames = 100000;
module_param(frames, uint, 0444);
MODULE_PARM_DESC(frames, "How many (default 100000)");

static unsigned int length = 128;
module_param(length, uint, 0444);
MODULE_PARM_DESC(length, "Bytes of each, 64 to 1514 (default 128)");

static unsigned int per_message = 16;
module_param(per_message, uint, 0444);
MODULE_PARM_DESC(per_message, "Frames in a VMBus packet, up to 64 (default 16)");

static RX_PORT port;
static RX_VSP *vsp;
static VMBCHANNEL channel;

static int __init rx_init(void)
{
	struct net_device *dev;
	NTSTATUS status;
	int index;

	if (length < 64 || length > 1514 || !per_message || per_message > RX_MAX_FRAMES ||
	    length * per_message > RX_MAX_BYTES)
		return -EINVAL;
	vsp = kzalloc(sizeof(*vsp), GFP_KERNEL);
	if (!vsp)
		return -ENOMEM;
	if (address && !mac_pton(address, vsp->Address)) {
		kfree(vsp);
		return -EINVAL;
	}
	dev = dev_get_by_name(&init_net, ifname);
	if (!dev) {
		pr_err("there is no interface %s\n", ifname);
		kfree(vsp);
		return -ENODEV;
	}
	index = dev->ifindex;
	if (!address)
		ether_addr_copy(vsp->Address, dev->dev_addr);
	dev_put(dev);
	vsp->Length = length;
	vsp->PerMessage = per_message;
	status = RxVspCreate(vsp);
	if (!NT_SUCCESS(status))
		goto memory;
	status = RxVscCreate(&port, index, &channel);
	if (!NT_SUCCESS(status))
		goto server;
	RxVspSend(vsp, frames);
	return 0;
server:
	RxVspDestroy(vsp);
memory:
	kfree(vsp);
	return kmcl_status_to_errno(status);
}
module_init(rx_init);

static void __exit rx_exit(void)
{
	RxVscDestroy(&port, channel);
	RxVspDestroy(vsp);
	pr_info("%llu messages of frames, %llu answered, %llu frames taken, %llu dropped, at most %u unanswered\n",
		vsp->Messages, vsp->Answers, vsp->Frames, vsp->Dropped, vsp->MaxOutstanding);
	kfree(vsp);
}
module_exit(rx_exit);

MODULE_DESCRIPTION("A network VSC's receive path on packet injection");
MODULE_LICENSE("GPL");
