// SPDX-License-Identifier: GPL-2.0
/*
 * Things that run later: DPCs, timers, work items.
 *
 * DPCs stand in a queue for each processor, which one tasklet empties.  They are
 * not tasklets themselves, because a tasklet is touched after its function
 * returned, and a DPC may be gone then.
 */
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/export.h>
#include <linux/interrupt.h>
#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <ntddk.h>
#include "compat.h"
#include "nt.h"

/* ---- DPCs ---- */

/**
 * struct kmcl_nt_dpc_queue - the DPCs of a processor
 * @lock: protects @dpcs, and the DpcData of those that are or come in
 * @dpcs: in the order in which they are called
 * @tasklet: calls them
 */
struct kmcl_nt_dpc_queue {
	spinlock_t lock;	/* see above */
	struct list_head dpcs;
	struct tasklet_struct tasklet;
};

static DEFINE_PER_CPU(struct kmcl_nt_dpc_queue, dpc_queues);

static void call_dpcs(struct tasklet_struct *tasklet)
{
	struct kmcl_nt_dpc_queue *q = container_of(tasklet, struct kmcl_nt_dpc_queue, tasklet);
	LIST_HEAD(now);
	KDPC call;
	PKDPC dpc;

	spin_lock_irq(&q->lock);
	/* what comes meanwhile has its turn later, so that no DPC keeps the processor */
	list_splice_init(&q->dpcs, &now);
	while (!list_empty(&now)) {
		dpc = list_first_entry(&now, KDPC, DpcListEntry);
		list_del(&dpc->DpcListEntry);
		/* from here on it may be queued again, or be freed by its routine */
		call = *dpc;
		WRITE_ONCE(dpc->DpcData, NULL);
		spin_unlock_irq(&q->lock);
		call.DeferredRoutine(dpc, call.DeferredContext, call.SystemArgument1,
				     call.SystemArgument2);
		spin_lock_irq(&q->lock);
	}
	spin_unlock_irq(&q->lock);
}

BOOLEAN KeInsertQueueDpc(PRKDPC Dpc, PVOID SystemArgument1, PVOID SystemArgument2)
{
	struct kmcl_nt_dpc_queue *q;
	unsigned long flags;
	BOOLEAN inserted;

	local_irq_save(flags);
	q = this_cpu_ptr(&dpc_queues);
	spin_lock(&q->lock);
	inserted = !cmpxchg(&Dpc->DpcData, NULL, q);
	if (inserted) {
		Dpc->SystemArgument1 = SystemArgument1;
		Dpc->SystemArgument2 = SystemArgument2;
		list_add_tail(&Dpc->DpcListEntry, &q->dpcs);
		tasklet_schedule(&q->tasklet);
	}
	spin_unlock(&q->lock);
	local_irq_restore(flags);
	return inserted;
}
EXPORT_SYMBOL_GPL(KeInsertQueueDpc);

BOOLEAN KeRemoveQueueDpc(PRKDPC Dpc)
{
	struct kmcl_nt_dpc_queue *q = READ_ONCE(Dpc->DpcData);
	unsigned long flags;
	BOOLEAN removed;

	if (!q)
		return FALSE;
	spin_lock_irqsave(&q->lock, flags);
	/* called meanwhile, or called and queued somewhere else: too late for that call */
	removed = Dpc->DpcData == q;
	if (removed) {
		list_del(&Dpc->DpcListEntry);
		WRITE_ONCE(Dpc->DpcData, NULL);
	}
	spin_unlock_irqrestore(&q->lock, flags);
	return removed;
}
EXPORT_SYMBOL_GPL(KeRemoveQueueDpc);

static struct workqueue_struct *flush_wq;

struct flush {
	struct work_struct work;
	KDPC marker;
	struct completion called;
};

static VOID flush_called(PKDPC Dpc, PVOID DeferredContext, PVOID SystemArgument1,
			 PVOID SystemArgument2)
{
	complete(DeferredContext);
}

/*
 * On the processor in question: what was queued there stands before the marker,
 * and a timer that has expired there is not in the middle of its softirq.
 */
static void flush_here(struct work_struct *work)
{
	struct flush *f = container_of(work, struct flush, work);

	KeInsertQueueDpc(&f->marker, NULL, NULL);
	wait_for_completion(&f->called);
}

VOID KeFlushQueuedDpcs(VOID)
{
	struct flush f;
	unsigned int cpu;

	might_sleep();
	cpus_read_lock();
	for_each_online_cpu(cpu) {
		KeInitializeDpc(&f.marker, flush_called, &f.called);
		init_completion(&f.called);
		INIT_WORK_ONSTACK(&f.work, flush_here);
		queue_work_on(cpu, flush_wq, &f.work);
		flush_work(&f.work);
		destroy_work_on_stack(&f.work);
	}
	cpus_read_unlock();
}
EXPORT_SYMBOL_GPL(KeFlushQueuedDpcs);

/* ---- timers ---- */

/*
 * Inserted is the truth: the kernel's timer may be about to run when it is
 * cleared, and finds then that it has nothing to do.
 */
void kmcl_nt_timer_expired(struct timer_list *t)
{
	PKTIMER timer = container_of(t, KTIMER, Timer);
	PDISPATCHER_HEADER h = &timer->Header;
	unsigned long flags;

	spin_lock_irqsave(&h->Waiters.lock, flags);
	if (timer->Inserted) {
		if (timer->Period)
			mod_timer(t, jiffies + max(msecs_to_jiffies(timer->Period), 1UL));
		else
			timer->Inserted = FALSE;
		/* it runs on this processor, when this softirq is over */
		if (timer->Dpc)
			KeInsertQueueDpc(timer->Dpc, NULL, NULL);
		h->SignalState = 1;
		wake_up_all_locked(&h->Waiters);
	}
	/* from here on it may be gone */
	spin_unlock_irqrestore(&h->Waiters.lock, flags);
}
EXPORT_SYMBOL_GPL(kmcl_nt_timer_expired);

BOOLEAN KeSetTimerEx(PKTIMER Timer, LARGE_INTEGER DueTime, LONG Period, PKDPC Dpc)
{
	unsigned long delay = min(kmcl_nt_timeout_jiffies(&DueTime), MAX_JIFFY_OFFSET);
	BOOLEAN was = KeCancelTimer(Timer);
	unsigned long flags;

	spin_lock_irqsave(&Timer->Header.Waiters.lock, flags);
	Timer->Header.SignalState = 0;
	Timer->Period = Period;
	Timer->Dpc = Dpc;
	Timer->Inserted = TRUE;
	mod_timer(&Timer->Timer, jiffies + delay);
	spin_unlock_irqrestore(&Timer->Header.Waiters.lock, flags);
	return was;
}
EXPORT_SYMBOL_GPL(KeSetTimerEx);

BOOLEAN KeCancelTimer(PKTIMER Timer)
{
	unsigned long flags;
	BOOLEAN was;

	spin_lock_irqsave(&Timer->Header.Waiters.lock, flags);
	was = Timer->Inserted;
	Timer->Inserted = FALSE;
	spin_unlock_irqrestore(&Timer->Header.Waiters.lock, flags);
	/* what is cancelled may be freed: nothing may look at it any more */
	timer_delete_sync(&Timer->Timer);
	return was;
}
EXPORT_SYMBOL_GPL(KeCancelTimer);

/* ---- work items ---- */

static struct workqueue_struct *nt_wq;

struct _IO_WORKITEM {
	struct work_struct work;
	PDEVICE_OBJECT device;
	PIO_WORKITEM_ROUTINE routine;
	PIO_WORKITEM_ROUTINE_EX routine_ex;
	PVOID context;
};

void kmcl_nt_work(struct work_struct *work)
{
	PWORK_QUEUE_ITEM item = container_of(work, WORK_QUEUE_ITEM, Work);

	item->WorkerRoutine(item->Parameter);
}
EXPORT_SYMBOL_GPL(kmcl_nt_work);

VOID ExQueueWorkItem(PWORK_QUEUE_ITEM WorkItem, WORK_QUEUE_TYPE QueueType)
{
	queue_work(nt_wq, &WorkItem->Work);
}
EXPORT_SYMBOL_GPL(ExQueueWorkItem);

static void io_work(struct work_struct *work)
{
	PIO_WORKITEM item = container_of(work, struct _IO_WORKITEM, work);

	if (item->routine_ex)
		item->routine_ex(item->device, item->context, item);
	else
		item->routine(item->device, item->context);
}

PIO_WORKITEM IoAllocateWorkItem(PDEVICE_OBJECT DeviceObject)
{
	PIO_WORKITEM item;

	item = kzalloc(sizeof(*item),
		       KeGetCurrentIrql() < DISPATCH_LEVEL ? GFP_KERNEL : GFP_ATOMIC);
	if (!item)
		return NULL;
	INIT_WORK(&item->work, io_work);
	item->device = DeviceObject;
	return item;
}
EXPORT_SYMBOL_GPL(IoAllocateWorkItem);

VOID IoFreeWorkItem(PIO_WORKITEM IoWorkItem)
{
	kfree(IoWorkItem);
}
EXPORT_SYMBOL_GPL(IoFreeWorkItem);

static void io_queue(PIO_WORKITEM item, PIO_WORKITEM_ROUTINE routine,
		     PIO_WORKITEM_ROUTINE_EX routine_ex, PVOID context)
{
	if (work_pending(&item->work)) {
		pr_err_ratelimited("kmcl: %ps: a work item is queued that is queued already\n",
				   routine_ex ? (void *)routine_ex : (void *)routine);
		return;
	}
	item->routine = routine;
	item->routine_ex = routine_ex;
	item->context = context;
	queue_work(nt_wq, &item->work);
}

VOID IoQueueWorkItem(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE WorkerRoutine,
		     WORK_QUEUE_TYPE QueueType, PVOID Context)
{
	io_queue(IoWorkItem, WorkerRoutine, NULL, Context);
}
EXPORT_SYMBOL_GPL(IoQueueWorkItem);

VOID IoQueueWorkItemEx(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE_EX WorkerRoutine,
		       WORK_QUEUE_TYPE QueueType, PVOID Context)
{
	io_queue(IoWorkItem, NULL, WorkerRoutine, Context);
}
EXPORT_SYMBOL_GPL(IoQueueWorkItemEx);

void kmcl_nt_flush(void)
{
	/* a DPC may queue a work item, and the other way round */
	KeFlushQueuedDpcs();
	flush_workqueue(nt_wq);
	KeFlushQueuedDpcs();
}
EXPORT_SYMBOL_GPL(kmcl_nt_flush);

/* ---- the module ---- */

int kmcl_nt_init(void)
{
	struct kmcl_nt_dpc_queue *q;
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		q = per_cpu_ptr(&dpc_queues, cpu);
		spin_lock_init(&q->lock);
		INIT_LIST_HEAD(&q->dpcs);
		tasklet_setup(&q->tasklet, call_dpcs);
	}
	/* unbound: drivers' work waits for whatever it likes */
	nt_wq = alloc_workqueue("kmcl_nt", WQ_UNBOUND, 0);
	/* waited for by state callbacks, which memory that is written back may need */
	flush_wq = alloc_workqueue("kmcl_nt_flush", WQ_PERCPU | WQ_MEM_RECLAIM, 0);
	if (nt_wq && flush_wq)
		return 0;
	if (nt_wq)
		destroy_workqueue(nt_wq);
	if (flush_wq)
		destroy_workqueue(flush_wq);
	return -ENOMEM;
}

void kmcl_nt_exit(void)
{
	unsigned int cpu;

	destroy_workqueue(flush_wq);
	destroy_workqueue(nt_wq);
	for_each_possible_cpu(cpu)
		tasklet_kill(&per_cpu_ptr(&dpc_queues, cpu)->tasklet);
	kmcl_nt_mdl_exit();
}
