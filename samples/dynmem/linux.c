// SPDX-License-Identifier: GPL-2.0
/*
 * Linux around the Dynamic Memory protocol: pages, the module, and files for the
 * administrator in /sys/module/kmcl_dynmem/dynmem/.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/err.h>
#include <linux/hyperv.h>
#include <linux/kobject.h>
#include <linux/list.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/page-flags.h>
#include <linux/sched.h>
#include <linux/sysfs.h>

#include <kmcl/device.h>
#include <kmcl/status.h>
#include <kmcl/vsc.h>

#include "protocol.h"

/*
 * A virtual machine has one memory and gets one offer for it.  The mutex keeps
 * add, remove and the files of the administrator apart.
 */
static DEFINE_MUTEX(dynmem_lock);
static PDM_DEVICE dynmem;

/*
 * The pages that the host has, linked through their lru, private pointing here:
 * so a page that the host returns is known to be one of them.  Only the
 * protocol's thread, and Closed after it, touch this.
 */
struct dynmem_pages {
	struct list_head list;
	unsigned long count;
};

static struct dynmem_pages dynmem_pages = {
	.list = LIST_HEAD_INIT(dynmem_pages.list),
};

/* ---- pages ---- */

static void dynmem_take(struct dynmem_pages *pages, struct page *page)
{
	/* Dumps and /proc/kcore leave offline pages alone; the host unmaps them. */
	__SetPageOffline(page);
	set_page_private(page, (unsigned long)pages);
	list_add(&page->lru, &pages->list);
	pages->count++;
	adjust_managed_page_count(page, -1);
}

static void dynmem_give_back(struct dynmem_pages *pages, struct page *page)
{
	list_del(&page->lru);
	pages->count--;
	set_page_private(page, 0);
	__ClearPageOffline(page);
	adjust_managed_page_count(page, 1);
	__free_page(page);
}

BOOLEAN DmAllocatePages(PVOID Pages, ULONG Order, PPFN_NUMBER First)
{
	struct dynmem_pages *pages = Pages;
	struct page *page;
	unsigned int i;

	/* The guest's own work comes first: no reserves, no swapping for the host. */
	page = alloc_pages(GFP_HIGHUSER | __GFP_NORETRY | __GFP_NOMEMALLOC | __GFP_NOWARN, Order);
	if (!page)
		return FALSE;

	/* The host returns what it likes, so no page may need its neighbours. */
	if (Order)
		split_page(page, Order);
	for (i = 0; i < 1U << Order; i++)
		dynmem_take(pages, page + i);
	*First = page_to_pfn(page);
	cond_resched();
	return TRUE;
}

ULONG DmFreePages(PVOID Pages, PFN_NUMBER First, ULONG Count)
{
	struct dynmem_pages *pages = Pages;
	struct page *page;
	ULONG freed = 0;
	ULONG i;

	for (i = 0; i < Count; i++) {
		page = pfn_to_online_page(First + i);
		if (!page || !PageOffline(page) || page_private(page) != (unsigned long)pages)
			continue;
		dynmem_give_back(pages, page);
		freed++;
	}
	cond_resched();
	return freed;
}

ULONG64 DmFreeAllPages(PVOID Pages)
{
	struct dynmem_pages *pages = Pages;
	ULONG64 freed = pages->count;

	while (!list_empty(&pages->list)) {
		dynmem_give_back(pages, list_first_entry(&pages->list, struct page, lru));
		cond_resched();
	}
	return freed;
}

VOID DmQueryMemory(PVOID Pages, PDM_MEMORY Memory)
{
	struct dynmem_pages *pages = Pages;

	Memory->Total = totalram_pages() + pages->count;
	Memory->Available = max(si_mem_available(), 0L);
	Memory->Committed = vm_memory_committed();
}

/* ---- files ---- */

static ssize_t reconnect_store(struct kobject *kobj, struct kobj_attribute *attr,
			       const char *buf, size_t count)
{
	NTSTATUS status;
	bool go;
	int ret;

	ret = kstrtobool(buf, &go);
	if (ret)
		return ret;
	if (!go)
		return -EINVAL;

	ret = mutex_lock_interruptible(&dynmem_lock);
	if (ret)
		return ret;
	if (dynmem) {
		status = DmReconnect(dynmem);
		ret = kmcl_status_to_errno(status);
		if (ret)
			pr_warn("reconnect failed, status 0x%08x; write again to try again\n",
				status);
	} else {
		ret = -ENODEV;
	}
	mutex_unlock(&dynmem_lock);

	return ret ?: count;
}

static struct kobj_attribute reconnect_attr = __ATTR_WO(reconnect);

static int dynmem_counters(DM_COUNTERS *c)
{
	int ret;

	ret = mutex_lock_interruptible(&dynmem_lock);
	if (ret)
		return ret;
	if (dynmem)
		DmQueryCounters(dynmem, c);
	else
		ret = -ENODEV;
	mutex_unlock(&dynmem_lock);

	return ret;
}

#define DYNMEM_COUNTER(name, member)						\
static ssize_t name##_show(struct kobject *kobj, struct kobj_attribute *attr,	\
			   char *buf)						\
{										\
	DM_COUNTERS c;								\
	int ret = dynmem_counters(&c);						\
										\
	return ret ?: sysfs_emit(buf, "%llu\n", (u64)c.member);			\
}										\
static struct kobj_attribute name##_attr = __ATTR_RO(name)

DYNMEM_COUNTER(protocol_version, Version);
DYNMEM_COUNTER(reports_sent, ReportsSent);
DYNMEM_COUNTER(pages_ballooned, PagesBallooned);
DYNMEM_COUNTER(balloon_requests, BalloonRequests);
DYNMEM_COUNTER(unballoon_requests, UnballoonRequests);
DYNMEM_COUNTER(hot_add_requests, HotAddRequests);
DYNMEM_COUNTER(maximum_pages, MaximumPages);
DYNMEM_COUNTER(bad_messages, BadMessages);

static struct attribute *dynmem_attrs[] = {
	&reconnect_attr.attr,
	&protocol_version_attr.attr,
	&reports_sent_attr.attr,
	&pages_ballooned_attr.attr,
	&balloon_requests_attr.attr,
	&unballoon_requests_attr.attr,
	&hot_add_requests_attr.attr,
	&maximum_pages_attr.attr,
	&bad_messages_attr.attr,
	NULL
};

static const struct attribute_group dynmem_group = {
	.attrs = dynmem_attrs,
};

/* ---- module ---- */

static int dynmem_add(struct device *dev)
{
	NTSTATUS status;
	int ret = 0;

	mutex_lock(&dynmem_lock);
	if (dynmem) {
		ret = -EBUSY;
	} else {
		dev_info(dev, "Dynamic Memory offer found\n");
		status = DmCreate(kmcl_device_object(dev), &dynmem_pages, &dynmem);
		ret = kmcl_status_to_errno(status);
	}
	mutex_unlock(&dynmem_lock);

	return ret;
}

/* Called for the device whose add succeeded, and there is only one such. */
static void dynmem_remove(struct device *dev)
{
	mutex_lock(&dynmem_lock);
	DmDestroy(dynmem);
	dynmem = NULL;
	mutex_unlock(&dynmem_lock);
}

static const struct hv_vmbus_device_id dynmem_ids[] = {
	/* 525074dc-8985-46e2-8057-a307dc18a502 */
	{ HV_DM_GUID, },
	{ },
};

MODULE_DEVICE_TABLE(vmbus, dynmem_ids);

static struct kmcl_vsc dynmem_vsc = {
	.name = KBUILD_MODNAME,
	.owner = THIS_MODULE,
	.id_table = dynmem_ids,
	.add = dynmem_add,
	.remove = dynmem_remove,
};

static struct kobject *dynmem_kobj;

static int __init dynmem_init(void)
{
	int ret;

	/* The protocol counts pages of 4 KiB, and so does this file. */
	if (PAGE_SIZE != HV_HYP_PAGE_SIZE) {
		pr_warn("this kernel has pages of %lu bytes, 4096 are needed\n", PAGE_SIZE);
		return -EOPNOTSUPP;
	}

	dynmem_kobj = kobject_create_and_add("dynmem", &THIS_MODULE->mkobj.kobj);
	if (!dynmem_kobj)
		return -ENOMEM;
	ret = sysfs_create_group(dynmem_kobj, &dynmem_group);
	if (ret)
		goto put_kobj;
	ret = kmcl_vsc_register(&dynmem_vsc);
	if (ret)
		goto put_kobj;
	return 0;

put_kobj:
	kobject_put(dynmem_kobj);
	return ret;
}
module_init(dynmem_init);

static void __exit dynmem_exit(void)
{
	/* Files first: a reconnect that runs is waited for. */
	kobject_put(dynmem_kobj);
	kmcl_vsc_unregister(&dynmem_vsc);
}
module_exit(dynmem_exit);

MODULE_DESCRIPTION("Dynamic Memory for Hyper-V guests, ported with KMCL");
MODULE_LICENSE("GPL");
