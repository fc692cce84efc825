// SPDX-License-Identifier: GPL-2.0
/*
 * For hvsim_settle(): has the bus anything left to do? Not part of the kernel's
 * hv_vmbus, but linked with it, for its workqueues and tasklets have no other
 * door.
 */
#include <linux/completion.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include "hyperv_vmbus.h"

bool hvsim_guest_idle(void);

/* Longer than a healthy bus works on one message. */
#define MARKER_WAIT	(HZ / 20)

/* A work item at the end of a queue; outlives a wait that was given up. */
struct marker {
	struct work_struct work;
	struct completion done;
	refcount_t refs;
};

static void marker_put(struct marker *marker)
{
	if (refcount_dec_and_test(&marker->refs))
		kfree(marker);
}

static void marker_fn(struct work_struct *work)
{
	struct marker *marker = container_of(work, struct marker, work);

	complete(&marker->done);
	marker_put(marker);
}

static bool queue_idle_on(struct workqueue_struct *wq, int cpu)
{
	struct marker *marker;
	bool idle;

	marker = kzalloc(sizeof(*marker), GFP_KERNEL);
	if (!marker)
		return false;
	INIT_WORK(&marker->work, marker_fn);
	init_completion(&marker->done);
	refcount_set(&marker->refs, 2);
	queue_work_on(cpu, wq, &marker->work);
	idle = wait_for_completion_timeout(&marker->done, MARKER_WAIT);
	marker_put(marker);
	return idle;
}

/*
 * flush_workqueue() for queues whose work may wait for a silent host. Theirs is
 * a queue for each processor, and the processor's order is all the order there is.
 */
static bool queue_idle(struct workqueue_struct *wq)
{
	int cpu;

	if (!wq)
		return true;
	for_each_online_cpu(cpu)
		if (!queue_idle_on(wq, cpu))
			return false;
	return true;
}

static bool tasklet_idle(const struct tasklet_struct *tasklet)
{
	return !READ_ONCE(tasklet->state);
}

static bool tasklets_idle(void)
{
	struct vmbus_channel *channel, *sub;
	bool idle = true;
	int cpu;

	for_each_online_cpu(cpu)
		if (!tasklet_idle(&per_cpu_ptr(hv_context.cpu_context, cpu)->msg_dpc))
			idle = false;
	/* Who opens or closes a channel, or waits in it, holds this. */
	if (!mutex_trylock(&vmbus_connection.channel_mutex))
		return false;
	list_for_each_entry(channel, &vmbus_connection.chn_list, listentry) {
		if (!tasklet_idle(&channel->callback_event))
			idle = false;
		list_for_each_entry(sub, &channel->sc_list, sc_list)
			if (!tasklet_idle(&sub->callback_event))
				idle = false;
	}
	mutex_unlock(&vmbus_connection.channel_mutex);
	return idle;
}

bool hvsim_guest_idle(void)
{
	return queue_idle(vmbus_connection.work_queue) &&
	       queue_idle(vmbus_connection.rescind_work_queue) &&
	       queue_idle(vmbus_connection.handle_primary_chan_wq) &&
	       queue_idle(vmbus_connection.handle_sub_chan_wq) &&
	       tasklets_idle();
}
EXPORT_SYMBOL_GPL(hvsim_guest_idle);
