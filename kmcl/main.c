// SPDX-License-Identifier: GPL-2.0
/*
 * The module: transports that register, VSCs that look for one.
 *
 * kmcl.ko uses no symbol of a bus.  A transport is loaded on demand and pinned
 * while a channel is enabled over it.
 */
#include <linux/export.h>
#include <linux/kmod.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <kmcl/vsc.h>
#include "kmcl.h"
#include "nt.h"
#include "server.h"

struct workqueue_struct *kmcl_wq, *kmcl_server_wq;

static DEFINE_MUTEX(transport_lock);
static struct kmcl_transport *the_transport;

/**
 * kmcl_transport_register() - offer to carry client channels
 * @transport: the transport
 *
 * Context: process.
 * Return: 0, or -EBUSY when there is one already.
 */
int kmcl_transport_register(struct kmcl_transport *transport)
{
	int ret = 0;

	mutex_lock(&transport_lock);
	if (the_transport)
		ret = -EBUSY;
	else
		the_transport = transport;
	mutex_unlock(&transport_lock);
	/* channels that have found no transport wait in the loopback */
	if (!ret)
		kmcl_loopback_retry();
	return ret;
}
EXPORT_SYMBOL_GPL(kmcl_transport_register);

/**
 * kmcl_transport_unregister() - withdraw a transport
 * @transport: the transport; its module's reference count says that nobody
 *	uses it
 */
void kmcl_transport_unregister(struct kmcl_transport *transport)
{
	mutex_lock(&transport_lock);
	if (the_transport == transport)
		the_transport = NULL;
	mutex_unlock(&transport_lock);
}
EXPORT_SYMBOL_GPL(kmcl_transport_unregister);

static struct kmcl_transport *transport_try_get(void)
{
	struct kmcl_transport *t;

	mutex_lock(&transport_lock);
	t = the_transport;
	if (t && !try_module_get(t->owner))
		t = NULL;
	mutex_unlock(&transport_lock);
	return t;
}

/**
 * kmcl_transport_get() - find the transport, load it if need be, and pin it
 *
 * Context: process.
 * Return: the transport, or NULL.
 */
struct kmcl_transport *kmcl_transport_get(void)
{
	struct kmcl_transport *t = transport_try_get();

	if (!t && !request_module("kmcl_vmbus"))
		t = transport_try_get();
	return t;
}

void kmcl_transport_put(struct kmcl_transport *transport)
{
	module_put(transport->owner);
}

/**
 * kmcl_vsc_register() - start calling a VSC for its devices
 * @vsc: the driver; stays valid until kmcl_vsc_unregister()
 *
 * @vsc->add may run before this returns. A device that another driver owns is
 * named in one log line, with the command that frees it.
 *
 * Context: process.
 * Return: 0; -ENODEV no transport for VMBus devices is (or can be) loaded;
 * -EINVAL, -ENOMEM; or what the bus says.
 */
int kmcl_vsc_register(struct kmcl_vsc *vsc)
{
	int ret;

	if (!vsc->name || !vsc->id_table || !vsc->add || !vsc->remove)
		return -EINVAL;
	vsc->transport = kmcl_transport_get();
	if (!vsc->transport) {
		pr_err("kmcl: %s: no transport for VMBus devices: modprobe kmcl_vmbus\n",
		       vsc->name);
		return -ENODEV;
	}
	ret = vsc->transport->vsc_register(vsc);
	if (ret)
		kmcl_transport_put(vsc->transport);
	return ret;
}
EXPORT_SYMBOL_GPL(kmcl_vsc_register);

/**
 * kmcl_vsc_unregister() - take a VSC from its devices
 * @vsc: the driver; @vsc->remove has run for every device when this returns
 *
 * Context: process, not from @vsc->add or @vsc->remove.
 */
void kmcl_vsc_unregister(struct kmcl_vsc *vsc)
{
	vsc->transport->vsc_unregister(vsc);
	kmcl_transport_put(vsc->transport);
}
EXPORT_SYMBOL_GPL(kmcl_vsc_unregister);

static int __init kmcl_init(void)
{
	int ret;

	kmcl_packets_setup();
	/* unbound: work items wait for the peer or the driver, some for long */
	kmcl_wq = alloc_workqueue("kmcl", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!kmcl_wq)
		return -ENOMEM;
	/* a client's work may wait for that of a server in the same kernel */
	ret = -ENOMEM;
	kmcl_server_wq = alloc_workqueue("kmcl_server", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!kmcl_server_wq)
		goto workqueue;
	ret = kmcl_nt_init();
	if (ret)
		goto server_workqueue;
	ret = kmcl_providers_init();
	if (!ret) {
		kmcl_debugfs_init();
		return 0;
	}
	kmcl_nt_exit();
server_workqueue:
	destroy_workqueue(kmcl_server_wq);
workqueue:
	destroy_workqueue(kmcl_wq);
	return ret;
}

static void __exit kmcl_exit(void)
{
	kmcl_debugfs_exit();
	kmcl_park_exit();
	kmcl_providers_exit();
	kmcl_nt_exit();
	destroy_workqueue(kmcl_server_wq);
	destroy_workqueue(kmcl_wq);
	/* completers that were in an RCU read side section of ours */
	rcu_barrier();
	kmcl_handles_exit();
}

module_init(kmcl_init);
module_exit(kmcl_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("VMBus Kernel Mode Client Library");
