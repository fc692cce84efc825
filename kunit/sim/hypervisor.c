// SPDX-License-Identifier: GPL-2.0
/*
 * The hypervisor: hypercalls, synthetic MSRs, and the SynIC, which hands
 * messages and event flags to the guest and interrupts it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <asm/sync_bitops.h>
#include "hv/hyperv_vmbus.h"
#include "compat.h"
#include "internal.h"

#define NR_SINTS		16
#define NR_CRASH_REGS		6
/* Messages go to the processor that the guest names when it connects: 0. */
#define MESSAGE_CPU		0
/* The only type of message a VMBus host sends. */
#define CHANNEL_MESSAGE		1

/* A virtual processor. */
struct vp {
	u64 simp;
	u64 siefp;
	u64 scontrol;
	u64 sint[NR_SINTS];
	u64 crash[NR_CRASH_REGS];
	struct hrtimer irq_timer;
	call_single_data_t ipi;
	/* interrupts sent to it by others and not handled to the end */
	atomic_t ipis;
};

static DEFINE_PER_CPU(struct vp, vps);
static void (*vmbus_handler)(void);
static enum hvsim_irq irq_mode;

/* Messages that wait for the guest to empty the slot in its message page. */
static LIST_HEAD(to_guest);
static unsigned int failing_posts;
static u64 failing_status;
static u32 failing_type;

void hvsim_set_handler(void (*handler)(void))
{
	WRITE_ONCE(vmbus_handler, handler);
}

/**
 * hvsim_set_irq - say how interrupts reach the guest from now on
 * @irq: how
 */
void hvsim_set_irq(enum hvsim_irq irq)
{
	WRITE_ONCE(irq_mode, irq);
}
EXPORT_SYMBOL_GPL(hvsim_set_irq);

/**
 * hvsim_stay_on_bus_cpu - run where the bus takes its interrupts
 *
 * For the rest of the calling thread's life, a case's say. Only there does an
 * interrupt come, and its tasklets run, before the call that raised it returns.
 *
 * Context: may sleep.
 */
void hvsim_stay_on_bus_cpu(void)
{
	set_cpus_allowed_ptr(current, cpumask_of(MESSAGE_CPU));
}
EXPORT_SYMBOL_GPL(hvsim_stay_on_bus_cpu);

/**
 * hvsim_fail_posts - let the guest's next posts of control messages fail
 * @nr: how many
 * @status: with which hypercall status, HV_STATUS_INSUFFICIENT_BUFFERS say
 */
void hvsim_fail_posts(unsigned int nr, u64 status)
{
	hvsim_fail_posts_of(0, nr, status);
}
EXPORT_SYMBOL_GPL(hvsim_fail_posts);

/**
 * hvsim_fail_posts_of - let the next posts of one type of message fail
 * @type: the type, CHANNELMSG_GPADL_TEARDOWN say; 0: any
 * @nr: as for hvsim_fail_posts()
 * @status: as for hvsim_fail_posts()
 */
void hvsim_fail_posts_of(u32 type, unsigned int nr, u64 status)
{
	WRITE_ONCE(failing_type, type);
	WRITE_ONCE(failing_status, status);
	WRITE_ONCE(failing_posts, nr);
}
EXPORT_SYMBOL_GPL(hvsim_fail_posts_of);

/**
 * hvsim_failing_posts - how many posts will still fail
 *
 * Return: what is left of hvsim_fail_posts().
 */
unsigned int hvsim_failing_posts(void)
{
	return READ_ONCE(failing_posts);
}
EXPORT_SYMBOL_GPL(hvsim_failing_posts);

/* ---- interrupts ---- */

static bool synic_enabled(const struct vp *vp)
{
	union hv_synic_sint sint = { .as_uint64 = vp->sint[VMBUS_MESSAGE_SINT] };

	return (vp->scontrol & 1) && !sint.masked && READ_ONCE(vmbus_handler);
}

static void run_handler(void)
{
	if (synic_enabled(this_cpu_ptr(&vps)))
		vmbus_handler();
}

static enum hrtimer_restart irq_timer_fn(struct hrtimer *timer)
{
	run_handler();
	return HRTIMER_NORESTART;
}

static void ipi_fn(void *unused)
{
	/*
	 * From here on another one can be sent. Pairs with interrupt_there(): what
	 * was there before one was not sent is seen here.
	 */
	smp_mb();
	run_handler();
	atomic_dec(&this_cpu_ptr(&vps)->ipis);
}

static void interrupt_there(unsigned int cpu, struct vp *vp)
{
	atomic_inc(&vp->ipis);
	/* the event, then the question whether an interrupt is on its way */
	smp_mb__after_atomic();
	/* -EBUSY: one is on its way, and will find this event too */
	if (smp_call_function_single_async(cpu, &vp->ipi))
		atomic_dec(&vp->ipis);
}

static void interrupt_here(struct vp *vp)
{
	unsigned long flags;

	if (irq_mode == HVSIM_IRQ_TIMER || irqs_disabled() || in_hardirq()) {
		hrtimer_start(&vp->irq_timer, 0, HRTIMER_MODE_REL_PINNED_HARD);
		return;
	}
	local_irq_save(flags);
	__irq_enter();
	run_handler();
	__irq_exit();
	local_irq_restore(flags);
	if (!in_interrupt()) {
		/* What irq_exit() would do: run the tasklets. */
		local_bh_disable();
		local_bh_enable();
	}
}

static void interrupt(unsigned int cpu)
{
	struct vp *vp = per_cpu_ptr(&vps, cpu);

	atomic_inc(&hvsim_activity);
	if (!synic_enabled(vp))
		return;
	if (cpu != get_cpu())
		interrupt_there(cpu, vp);
	else
		interrupt_here(vp);
	put_cpu();
}

/* ---- SynIC: messages and events ---- */

static struct hv_message *message_slot(void)
{
	union hv_synic_simp simp = { .as_uint64 = per_cpu(vps, MESSAGE_CPU).simp };

	if (!simp.simp_enabled)
		return NULL;
	return (struct hv_message *)phys_to_virt(simp.base_simp_gpa << HV_HYP_PAGE_SHIFT) +
	       VMBUS_MESSAGE_SINT;
}

/* Put the next message into the guest's slot, if that is free. */
static bool deliver_next(void)
{
	struct hv_message *slot = message_slot();
	struct hvsim_message *msg;

	lockdep_assert_held(&hvsim_lock);
	msg = list_first_entry_or_null(&to_guest, struct hvsim_message, node);
	if (!slot || !msg)
		return false;
	if (READ_ONCE(slot->header.message_type) != HVMSG_NONE) {
		slot->header.message_flags.msg_pending = 1;
		/*
		 * Pairs with the barrier in vmbus_signal_eom(): either the guest
		 * sees msg_pending, or the slot is seen free here.
		 */
		smp_mb();
		if (READ_ONCE(slot->header.message_type) != HVMSG_NONE)
			return false;
	}
	list_del(&msg->node);
	memcpy(slot->u.payload, msg->payload, msg->size);
	slot->header.payload_size = msg->size;
	slot->header.message_flags.asu8 = 0;
	slot->header.message_flags.msg_pending = !list_empty(&to_guest);
	/* The guest reads the type first. */
	smp_store_release(&slot->header.message_type, CHANNEL_MESSAGE);
	kfree(msg);
	return true;
}

static void deliver(void)
{
	unsigned long flags;
	bool delivered;

	spin_lock_irqsave(&hvsim_lock, flags);
	delivered = deliver_next();
	spin_unlock_irqrestore(&hvsim_lock, flags);
	if (delivered)
		interrupt(MESSAGE_CPU);
}

/**
 * hvsim_post - send the guest a control message
 * @message: any bytes, true or not; a struct vmbus_channel_message_header first
 * @size: up to HV_MESSAGE_PAYLOAD_BYTE_COUNT
 */
void hvsim_post(const void *message, u32 size)
{
	struct hvsim_message *msg;
	unsigned long flags;

	if (WARN_ON_ONCE(size > HV_MESSAGE_PAYLOAD_BYTE_COUNT))
		return;
	msg = hvsim_alloc(sizeof(*msg));
	if (!msg)
		return;
	msg->size = size;
	memcpy(msg->payload, message, size);
	atomic_inc(&hvsim_activity);
	spin_lock_irqsave(&hvsim_lock, flags);
	list_add_tail(&msg->node, &to_guest);
	spin_unlock_irqrestore(&hvsim_lock, flags);
	deliver();
}
EXPORT_SYMBOL_GPL(hvsim_post);

/* Set the channel's event flag; interrupt the guest unless it was set before. */
void hvsim_set_event(struct hvsim_chan *chan)
{
	unsigned int cpu = READ_ONCE(chan->target_vp);
	union hv_synic_event_flags *flags;
	union hv_synic_siefp siefp;

	if (WARN_ON_ONCE(cpu >= nr_cpu_ids))
		return;
	siefp.as_uint64 = per_cpu(vps, cpu).siefp;
	if (!siefp.siefp_enabled)
		return;
	hvsim_count(chan, &chan->stats.irqs);
	flags = (union hv_synic_event_flags *)phys_to_virt(siefp.base_siefp_gpa <<
							   HV_HYP_PAGE_SHIFT) + VMBUS_MESSAGE_SINT;
	if (!sync_test_and_set_bit(chan->relid, flags->flags))
		interrupt(cpu);
}

/* Nothing is on its way to the guest. */
bool hvsim_hypervisor_idle(void)
{
	struct hv_message *slot = message_slot();
	unsigned long flags;
	bool idle;
	int cpu;

	spin_lock_irqsave(&hvsim_lock, flags);
	idle = list_empty(&to_guest);
	spin_unlock_irqrestore(&hvsim_lock, flags);
	if (slot && READ_ONCE(slot->header.message_type) != HVMSG_NONE)
		idle = false;
	for_each_online_cpu(cpu)
		if (hrtimer_active(&per_cpu(vps, cpu).irq_timer) ||
		    atomic_read(&per_cpu(vps, cpu).ipis))
			idle = false;
	return idle;
}

/* ---- registers ---- */

u64 hv_get_msr(unsigned int reg)
{
	struct vp *vp = raw_cpu_ptr(&vps);

	switch (reg) {
	case HV_X64_MSR_SIMP:
		return vp->simp;
	case HV_X64_MSR_SIEFP:
		return vp->siefp;
	case HV_X64_MSR_SCONTROL:
		return vp->scontrol;
	case HV_X64_MSR_SINT0 ... HV_X64_MSR_SINT15:
		return vp->sint[reg - HV_X64_MSR_SINT0];
	case HV_X64_MSR_CRASH_P0 ... HV_X64_MSR_CRASH_CTL:
		return vp->crash[reg - HV_X64_MSR_CRASH_P0];
	case HV_X64_MSR_VP_INDEX:
		return raw_smp_processor_id();
	case HV_X64_MSR_TIME_REF_COUNT:
		return ktime_get_ns() / 100;
	}
	WARN_ONCE(1, "read of unknown MSR %#x\n", reg);
	return 0;
}
EXPORT_SYMBOL_GPL(hv_get_msr);

void hv_set_msr(unsigned int reg, u64 value)
{
	struct vp *vp = raw_cpu_ptr(&vps);

	switch (reg) {
	case HV_X64_MSR_SIMP:
		vp->simp = value;
		break;
	case HV_X64_MSR_SIEFP:
		vp->siefp = value;
		break;
	case HV_X64_MSR_SCONTROL:
		vp->scontrol = value;
		break;
	case HV_X64_MSR_SINT0 ... HV_X64_MSR_SINT15:
		vp->sint[reg - HV_X64_MSR_SINT0] = value;
		break;
	case HV_X64_MSR_CRASH_P0 ... HV_X64_MSR_CRASH_CTL:
		vp->crash[reg - HV_X64_MSR_CRASH_P0] = value;
		break;
	case HV_X64_MSR_EOM:
		deliver();
		break;
	default:
		WARN_ONCE(1, "write of unknown MSR %#x\n", reg);
	}
}
EXPORT_SYMBOL_GPL(hv_set_msr);

/* ---- hypercalls ---- */

static u64 post_message(const struct hv_input_post_message *in)
{
	const struct vmbus_channel_message_header *hdr = (const void *)in->payload;

	if (READ_ONCE(failing_posts) && (!failing_type || hdr->msgtype == failing_type)) {
		WRITE_ONCE(failing_posts, failing_posts - 1);
		return READ_ONCE(failing_status);
	}
	return hvsim_receive_message(in->payload, in->payload_size,
				     in->connectionid.u.id);
}

u64 hv_do_hypercall(u64 control, void *in, void *out)
{
	atomic_inc(&hvsim_activity);
	switch (control & HV_HYPERCALL_RESULT_MASK) {
	case HVCALL_POST_MESSAGE:
		return post_message(in);
	case HVCALL_SIGNAL_EVENT:
		return hvsim_signal_event(*(u64 *)in);
	}
	return HV_STATUS_INVALID_HYPERCALL_CODE;
}
EXPORT_SYMBOL_GPL(hv_do_hypercall);

u64 hv_do_fast_hypercall8(u16 code, u64 input)
{
	atomic_inc(&hvsim_activity);
	if (code == HVCALL_SIGNAL_EVENT)
		return hvsim_signal_event(input);
	return HV_STATUS_INVALID_HYPERCALL_CODE;
}
EXPORT_SYMBOL_GPL(hv_do_fast_hypercall8);

int hvsim_hypervisor_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct vp *vp = per_cpu_ptr(&vps, cpu);

		hrtimer_setup(&vp->irq_timer, irq_timer_fn, CLOCK_MONOTONIC,
			      HRTIMER_MODE_REL_PINNED_HARD);
		INIT_CSD(&vp->ipi, ipi_fn, NULL);
	}
	return 0;
}

void hvsim_hypervisor_exit(void)
{
	struct hvsim_message *msg, *next;
	int cpu;

	for_each_possible_cpu(cpu)
		hrtimer_cancel(&per_cpu(vps, cpu).irq_timer);
	list_for_each_entry_safe(msg, next, &to_guest, node)
		kfree(msg);
	INIT_LIST_HEAD(&to_guest);
}
