// SPDX-License-Identifier: GPL-2.0
/*
 * The device, its orders and its books.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "net.h"

/* More than any order is. */
#define LARGEST_ORDER	(8u << 20)

static NTSTATUS flow_open(struct net_port *p, int fd)
{
	struct socket *sock;
	NTSTATUS status;
	int err;

	sock = sockfd_lookup(fd, &err);
	if (!sock)
		return STATUS_INVALID_HANDLE;
	status = fwps_flow_open(sock, &p->flow);
	sockfd_put(sock);
	return status;
}

static NTSTATUS obey(struct net_port *p, const struct net_order *o, const u8 *bytes, size_t len)
{
	switch (o->what) {
	case NET_HANDLE:
		return FwpsInjectionHandleCreate(o->index, o->arg, &p->handle);
	case NET_DESTROY:
		return FwpsInjectionHandleDestroy(p->handle);
	case NET_FLOW_OPEN:
		return flow_open(p, o->index);
	case NET_FLOW_CLOSE:
		return fwps_flow_close(p->flow);
	case NET_MAC_RECEIVE:
	case NET_MAC_SEND:
	case NET_NETWORK_RECEIVE:
	case NET_NETWORK_SEND:
	case NET_STREAM:
		net_reap(p);
		return net_inject(p, o, bytes, len);
	default:
		return net_vsc(p, o, bytes, len);
	}
}

static ssize_t net_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	struct net_port *p = file->private_data;
	struct net_order *o;
	NTSTATUS status;

	if (count < sizeof(*o) || count > LARGEST_ORDER)
		return -EINVAL;
	o = kvmalloc(count, GFP_KERNEL);
	if (!o)
		return -ENOMEM;
	if (copy_from_user(o, buf, count)) {
		kvfree(o);
		return -EFAULT;
	}
	status = obey(p, o, (u8 *)(o + 1), count - sizeof(*o));
	kvfree(o);
	spin_lock_bh(&p->lock);
	p->books.status = status;
	spin_unlock_bh(&p->lock);
	return count;
}

static ssize_t net_read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
	struct net_port *p = file->private_data;
	struct net_books books;

	spin_lock_bh(&p->lock);
	books = p->books;
	spin_unlock_bh(&p->lock);
	net_vsc_books(p, &books);
	if (count < sizeof(books))
		return -EINVAL;
	return copy_to_user(buf, &books, sizeof(books)) ? -EFAULT : sizeof(books);
}

static __poll_t net_poll(struct file *file, struct poll_table_struct *table)
{
	struct net_port *p = file->private_data;

	poll_wait(file, &p->wait, table);
	return !READ_ONCE(p->books.inflight) && net_vsc_idle(p) ? EPOLLIN | EPOLLRDNORM : 0;
}

static int net_open(struct inode *inode, struct file *file)
{
	const NET_BUFFER_LIST_POOL_PARAMETERS lists = {
		.Header = {
			NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
			NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
		},
		.fAllocateNetBuffer = TRUE,
		.ContextSize = MEMORY_ALLOCATION_ALIGNMENT,
		.PoolTag = 0x74656e66,
	};
	const NET_BUFFER_POOL_PARAMETERS packets = {
		.Header = {
			NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_POOL_PARAMETERS_REVISION_1,
			NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1,
		},
		.PoolTag = 0x74656e66,
	};
	struct net_port *p = kzalloc(sizeof(*p), GFP_KERNEL);

	if (!p)
		return -ENOMEM;
	spin_lock_init(&p->lock);
	INIT_LIST_HEAD(&p->items);
	init_waitqueue_head(&p->wait);
	p->pool = NdisAllocateNetBufferListPool(NULL, &lists);
	p->nb_pool = NdisAllocateNetBufferPool(NULL, &packets);
	if (!p->pool || !p->nb_pool) {
		if (p->pool)
			NdisFreeNetBufferListPool(p->pool);
		kfree(p);
		return -ENOMEM;
	}
	file->private_data = p;
	return nonseekable_open(inode, file);
}

static int net_release(struct inode *inode, struct file *file)
{
	struct net_port *p = file->private_data;

	net_vsc_close(p);
	if (p->flow)
		fwps_flow_close(p->flow);
	/* after NET_DESTROY it is none */
	if (p->handle)
		FwpsInjectionHandleDestroy(p->handle);
	net_reap(p);
	if (!list_empty(&p->items))
		pr_err("lists are in flight without a handle\n");
	NdisFreeNetBufferListPool(p->pool);
	NdisFreeNetBufferPool(p->nb_pool);
	kfree(p);
	return 0;
}

static const struct file_operations net_fops = {
	.owner = THIS_MODULE,
	.open = net_open,
	.release = net_release,
	.read = net_read,
	.write = net_write,
	.poll = net_poll,
};

static struct miscdevice net_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "fwps_net",
	.fops = &net_fops,
	.mode = 0600,
};

module_misc_device(net_device);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KMCL: packet injection for programs");
