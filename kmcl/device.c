// SPDX-License-Identifier: GPL-2.0
/*
 * The device behind a channel: what a driver may ask of it between Opened and
 * Closed.
 *
 * ch->bound is the device's link in that time, both callbacks included, whatever
 * becomes of the rings meanwhile: the target stays claimed until the return of
 * Closed.  device_lock keeps it there while somebody is using it.
 */
#include <linux/cpumask.h>
#include <linux/export.h>
#include <kmcl/device.h>
#include "kmcl.h"

/**
 * kmcl_device_bind() - the channel has been opened
 * @ch: channel, with its target claimed
 */
void kmcl_device_bind(struct kmcl_channel *ch)
{
	mutex_lock(&ch->device_lock);
	ch->bound = ch->target.link;
	mutex_unlock(&ch->device_lock);
}

/**
 * kmcl_device_unbind() - the device is about to be released
 * @ch: channel in any state
 */
void kmcl_device_unbind(struct kmcl_channel *ch)
{
	u16 latency;

	mutex_lock(&ch->device_lock);
	if (ch->latency_set)
		ch->bound->ops->set_latency(ch->bound, ch->latency_before, &latency);
	ch->latency_set = false;
	if (ch->mmio_size)
		ch->bound->ops->release_mmio(ch->bound, ch->mmio_start, ch->mmio_size);
	ch->mmio_start = 0;
	ch->mmio_size = 0;
	ch->bound = NULL;
	mutex_unlock(&ch->device_lock);
}

void kmcl_device_init(struct kmcl_channel *ch)
{
	mutex_init(&ch->device_lock);
}

/**
 * kmcl_device_processor() - which processor the peer shall interrupt
 * @ch: channel that is being opened
 *
 * Return: its number, or KMCL_ANY_PROCESSOR.
 */
int kmcl_device_processor(struct kmcl_channel *ch)
{
	int cpu = ch->config.processor;

	if (cpu == KMCL_ANY_PROCESSOR || cpu_online(cpu))
		return cpu;
	kmcl_warn(ch, "processor %d went offline: the host interrupts another\n", cpu);
	return KMCL_ANY_PROCESSOR;
}

/* ---- the API ---- */

VOID VmbChannelGetTargetDeviceObject(VMBCHANNEL Channel, PDEVICE_OBJECT *TargetDeviceObject)
{
	struct kmcl_channel *ch = kmcl_channel(Channel);

	if (!TargetDeviceObject)
		return;
	*TargetDeviceObject = NULL;
	if (!ch || !kmcl_may_sleep(ch, __func__))
		return;
	mutex_lock(&ch->device_lock);
	if (ch->bound)
		*TargetDeviceObject = kmcl_device_object(ch->target.device);
	mutex_unlock(&ch->device_lock);
}
EXPORT_SYMBOL_GPL(VmbChannelGetTargetDeviceObject);

VOID VmbChannelGetParentDeviceObject(VMBCHANNEL Channel, PDEVICE_OBJECT *ParentDeviceObject)
{
	struct kmcl_channel *ch = kmcl_channel(Channel);

	if (ParentDeviceObject)
		*ParentDeviceObject = ch ? kmcl_device_object(ch->parent) : NULL;
}
EXPORT_SYMBOL_GPL(VmbChannelGetParentDeviceObject);

/* The window is reserved when somebody asks: few drivers do, and memory addresses are scarce. */
VOID VmbChannelGetMmioSpace(VMBCHANNEL Channel, UINT64 *PhysicalAddress, UINT64 *Size)
{
	struct kmcl_channel *ch = kmcl_channel(Channel);
	u64 start = 0, size = 0;

	if (ch && kmcl_may_sleep(ch, __func__)) {
		mutex_lock(&ch->device_lock);
		if (ch->bound && !ch->mmio_size && ch->bound->ops->reserve_mmio &&
		    ch->bound->ops->reserve_mmio(ch->bound, &ch->mmio_start, &ch->mmio_size))
			kmcl_err(ch, "%s: no room for the window that the host offers\n", __func__);
		start = ch->mmio_start;
		size = ch->mmio_size;
		mutex_unlock(&ch->device_lock);
	}
	if (PhysicalAddress)
		*PhysicalAddress = start;
	if (Size)
		*Size = size;
}
EXPORT_SYMBOL_GPL(VmbChannelGetMmioSpace);

NTSTATUS VmbChannelSetInterruptLatency(VMBCHANNEL Channel, UINT16 InterruptLatency,
				       PUINT16 OldInterruptLatency)
{
	struct kmcl_channel *ch = kmcl_channel(Channel);
	int ret = -EINVAL;
	u16 old = 0;

	if (!ch)
		return STATUS_INVALID_PARAMETER_1;
	if (!kmcl_may_sleep(ch, __func__))
		return STATUS_INVALID_DEVICE_STATE;
	mutex_lock(&ch->device_lock);
	if (ch->bound && !ch->bound->ops->set_latency)
		ret = InterruptLatency ? -EOPNOTSUPP : 0;
	else if (ch->bound)
		ret = ch->bound->ops->set_latency(ch->bound, InterruptLatency, &old);
	if (!ret && ch->bound->ops->set_latency && !ch->latency_set) {
		/* the device's next driver shall find it as it was */
		ch->latency_set = true;
		ch->latency_before = old;
	}
	mutex_unlock(&ch->device_lock);

	if (ret == -EINVAL)
		return STATUS_INVALID_PARAMETER_1;
	if (!ret && OldInterruptLatency)
		*OldInterruptLatency = old;
	return kmcl_status_from_errno(ret);
}
EXPORT_SYMBOL_GPL(VmbChannelSetInterruptLatency);
