/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Work items: a routine that is called in process context, soon.
 *
 * All queues are one here, unbound and without order; an item may wait for
 * another.  An item may be freed or queued again by its own routine.  On Windows
 * the I/O manager holds the device object, and so the driver, while a work item
 * of it is queued; here the Linux file of a port calls kmcl_nt_flush() last
 * before its module goes.
 */
#ifndef _KMCL_NT_EX_WORK_H
#define _KMCL_NT_EX_WORK_H

#include <linux/workqueue.h>

#include <ntdef.h>

typedef enum _WORK_QUEUE_TYPE {
	CriticalWorkQueue,
	DelayedWorkQueue,
	HyperCriticalWorkQueue,
	NormalWorkQueue,
} WORK_QUEUE_TYPE;

typedef VOID WORKER_THREAD_ROUTINE(PVOID Parameter);
typedef WORKER_THREAD_ROUTINE *PWORKER_THREAD_ROUTINE;

typedef struct _WORK_QUEUE_ITEM {
	PWORKER_THREAD_ROUTINE WorkerRoutine;
	PVOID Parameter;
	struct work_struct Work;
} WORK_QUEUE_ITEM, *PWORK_QUEUE_ITEM;

typedef struct _IO_WORKITEM *PIO_WORKITEM;

typedef VOID IO_WORKITEM_ROUTINE(PDEVICE_OBJECT DeviceObject, PVOID Context);
typedef IO_WORKITEM_ROUTINE *PIO_WORKITEM_ROUTINE;
typedef VOID IO_WORKITEM_ROUTINE_EX(PVOID IoObject, PVOID Context, PIO_WORKITEM IoWorkItem);
typedef IO_WORKITEM_ROUTINE_EX *PIO_WORKITEM_ROUTINE_EX;

void kmcl_nt_work(struct work_struct *work);

/* A macro, for the lockdep class. */
#define ExInitializeWorkItem(Item, Routine, Context)				\
do {										\
	PWORK_QUEUE_ITEM __i = (Item);						\
										\
	__i->WorkerRoutine = (Routine);						\
	__i->Parameter = (Context);						\
	INIT_WORK(&__i->Work, kmcl_nt_work);					\
} while (0)

/* An item that is queued already stays where it is.  Context: any. */
VOID ExQueueWorkItem(PWORK_QUEUE_ITEM WorkItem, WORK_QUEUE_TYPE QueueType);

/**
 * IoAllocateWorkItem() - make a work item
 * @DeviceObject: what its routine is given
 *
 * Context: process or softirq.
 * Return: the item; NULL without memory.
 */
PIO_WORKITEM IoAllocateWorkItem(PDEVICE_OBJECT DeviceObject);

/* Not while it is queued; its own routine may.  Context: process or softirq. */
VOID IoFreeWorkItem(PIO_WORKITEM IoWorkItem);

/**
 * IoQueueWorkItem() - have a routine called
 * @IoWorkItem: an item that is not queued; one that is (on Windows a bugcheck)
 *              stays as it is
 * @WorkerRoutine: called with the device object and @Context
 * @QueueType: ignored
 * @Context: whatever the driver likes
 *
 * Context: any.
 */
VOID IoQueueWorkItem(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE WorkerRoutine,
		     WORK_QUEUE_TYPE QueueType, PVOID Context);

/* The same; the routine is given the item too. */
VOID IoQueueWorkItemEx(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE_EX WorkerRoutine,
		       WORK_QUEUE_TYPE QueueType, PVOID Context);

/**
 * kmcl_nt_flush() - wait until nothing that was queued runs any more
 *
 * Every work item and DPC that is queued when this is called, of every driver.
 * For the end of a module's exit function, when nothing is queued any more.
 *
 * Context: process, may sleep; not from a work item.
 */
void kmcl_nt_flush(void);

#endif /* _KMCL_NT_EX_WORK_H */
