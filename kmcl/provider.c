// SPDX-License-Identifier: GPL-2.0
/*
 * Providers of clients, and the handles that name them.
 *
 * What a server's driver calls a VMBus handle is, in the kernel, a HANDLE as any
 * other (<ob-object.h>), closed with ZwClose().  To a process it is a file
 * descriptor, which a provider has given it; the number is the handle that
 * VmbConvertVmbusHandleToKernelHandle() takes.  Either keeps the provider's module.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "kmcl.h"
#include "server.h"

/* The body of the object behind a kernel handle. */
struct bus_handle {
	struct list_head node;
	struct kmcl_host *host;
};

static DEFINE_MUTEX(hosts_lock);
static LIST_HEAD(hosts);		/* struct kmcl_host; hosts_lock */
static LIST_HEAD(handles);		/* struct bus_handle; hosts_lock */

/**
 * kmcl_host_register() - provide clients for server channels
 * @host: the provider, filled in but for @host->node
 *
 * Context: process.
 * Return: 0; -EEXIST when there is one of that name; -EINVAL.
 */
int kmcl_host_register(struct kmcl_host *host)
{
	struct kmcl_host *other;
	int ret = 0;

	if (!host->name || !host->ops || !host->ops->offer || !host->ops->rescind ||
	    !host->ops->opened || !host->ops->torn_down || !host->ops->signal)
		return -EINVAL;
	mutex_lock(&hosts_lock);
	list_for_each_entry(other, &hosts, node)
		if (!strcmp(other->name, host->name))
			ret = -EEXIST;
	if (!ret)
		list_add_tail(&host->node, &hosts);
	mutex_unlock(&hosts_lock);
	return ret;
}
EXPORT_SYMBOL_GPL(kmcl_host_register);

/**
 * kmcl_host_unregister() - withdraw a provider
 * @host: the provider; its module's reference count says that nobody uses it
 *
 * Context: process.
 */
void kmcl_host_unregister(struct kmcl_host *host)
{
	mutex_lock(&hosts_lock);
	list_del(&host->node);
	mutex_unlock(&hosts_lock);
}
EXPORT_SYMBOL_GPL(kmcl_host_unregister);

void kmcl_host_put(struct kmcl_host *host)
{
	if (host)
		module_put(host->owner);
}

/* ---- handles ---- */

static void handle_release(void *body)
{
	struct bus_handle *h = body;

	mutex_lock(&hosts_lock);
	list_del(&h->node);
	mutex_unlock(&hosts_lock);
	module_put(h->host->owner);
}

/* Called with hosts_lock. */
static struct bus_handle *handle_new(struct kmcl_host *host)
{
	struct bus_handle *h;

	if (!try_module_get(host->owner))
		return NULL;
	h = kmcl_nt_object_new(sizeof(*h));
	if (!h) {
		module_put(host->owner);
		return NULL;
	}
	kmcl_nt_object(h)->release = handle_release;
	h->host = host;
	list_add_tail(&h->node, &handles);
	return h;
}

/**
 * kmcl_host_handle() - a VMBus handle for the kernel's own use
 * @name: of a provider; "loopback" is always there
 *
 * The Linux side of a VSP hands it to VmbServerChannelInitSetVmbusHandle() and ends
 * it with ZwClose().
 *
 * Context: process.
 * Return: the handle, or NULL when there is no such provider or no memory.
 */
HANDLE kmcl_host_handle(const char *name)
{
	struct bus_handle *h = NULL;
	struct kmcl_host *host;

	mutex_lock(&hosts_lock);
	list_for_each_entry(host, &hosts, node)
		if (!strcmp(host->name, name))
			h = handle_new(host);
	mutex_unlock(&hosts_lock);
	return h;
}
EXPORT_SYMBOL_GPL(kmcl_host_handle);

/**
 * kmcl_host_by_handle() - the provider that a kernel handle names
 * @handle: what a driver says is one
 *
 * Context: process.
 * Return: the provider with its module pinned, for kmcl_host_put(); or NULL.
 */
struct kmcl_host *kmcl_host_by_handle(HANDLE handle)
{
	struct kmcl_host *host = NULL;
	struct bus_handle *h;

	mutex_lock(&hosts_lock);
	list_for_each_entry(h, &handles, node)
		if (h == handle)
			host = h->host;
	/* the handle pins it already */
	if (host)
		__module_get(host->owner);
	mutex_unlock(&hosts_lock);
	return host;
}

static int bus_file_release(struct inode *inode, struct file *file)
{
	struct kmcl_host *host = file->private_data;

	module_put(host->owner);
	return 0;
}

static const struct file_operations bus_file = {
	.owner		= THIS_MODULE,
	.release	= bus_file_release,
};

/**
 * kmcl_host_fd() - a VMBus handle for the calling process
 * @host: a registered provider
 *
 * Context: process; in the process that shall have it.
 * Return: a file descriptor, or an errno.
 */
int kmcl_host_fd(struct kmcl_host *host)
{
	int fd;

	if (!try_module_get(host->owner))
		return -ENODEV;
	fd = anon_inode_getfd("[vmbus]", &bus_file, host, O_CLOEXEC);
	if (fd < 0)
		module_put(host->owner);
	return fd;
}
EXPORT_SYMBOL_GPL(kmcl_host_fd);

NTSTATUS VmbConvertVmbusHandleToKernelHandle(HANDLE VmbusHandle, PHANDLE KernelHandle)
{
	unsigned long fd = (unsigned long)VmbusHandle;
	NTSTATUS status = STATUS_INVALID_PARAMETER_1;
	struct file *file;

	if (!KernelHandle)
		return STATUS_INVALID_PARAMETER_2;
	*KernelHandle = NULL;
	if (in_interrupt() || irqs_disabled())
		return STATUS_INVALID_DEVICE_REQUEST;
	file = fd <= INT_MAX ? fget(fd) : NULL;
	if (!file)
		return status;
	if (file->f_op == &bus_file) {
		mutex_lock(&hosts_lock);
		*KernelHandle = handle_new(file->private_data);
		mutex_unlock(&hosts_lock);
		status = *KernelHandle ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
	}
	fput(file);
	return status;
}
EXPORT_SYMBOL_GPL(VmbConvertVmbusHandleToKernelHandle);

int kmcl_providers_init(void)
{
	return kmcl_host_register(&kmcl_loopback);
}

void kmcl_providers_exit(void)
{
	kmcl_host_unregister(&kmcl_loopback);
}
