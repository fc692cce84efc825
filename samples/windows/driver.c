// SPDX-License-Identifier: GPL-2.0
/*
 * The Windows driver around a sample's protocol: a function driver for a VMBus
 * device, which the bus gives no other work than to start, stop and go.
 *
 * It is compiled and linked ("make windows"), and has not been run.
 */
#include <ntddk.h>

#include "driver.h"

/* "Lcmk" in a memory dump. */
#define SAMPLE_TAG	0x4c636d6b

typedef struct _SAMPLE_EXTENSION {
	PDEVICE_OBJECT Lower;
	/* NULL while the device is not started. */
	PVOID Sample;
	/* Who uses Sample. */
	EX_RUNDOWN_REF Users;
	/* Held by every request, so that the device outlives them. */
	IO_REMOVE_LOCK Lock;
	ULONG64 Extra[ANYSIZE_ARRAY];
} SAMPLE_EXTENSION, *PSAMPLE_EXTENSION;

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD SampleUnload;
static DRIVER_ADD_DEVICE SampleAddDevice;
static DRIVER_DISPATCH SampleForward;
static DRIVER_DISPATCH SamplePower;
static DRIVER_DISPATCH SampleInternalControl;
static DRIVER_DISPATCH SamplePnp;

static NTSTATUS SampleRefuse(PIRP Irp, NTSTATUS Status)
{
	Irp->IoStatus.Status = Status;
	IoCompleteRequest(Irp, IO_NO_INCREMENT);
	return Status;
}

/* Whatever is not for this driver is for the bus below. */
static NTSTATUS NTAPI SampleForward(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
	PSAMPLE_EXTENSION extension = DeviceObject->DeviceExtension;
	NTSTATUS status;

	status = IoAcquireRemoveLock(&extension->Lock, Irp);
	if (!NT_SUCCESS(status))
		return SampleRefuse(Irp, status);
	IoSkipCurrentIrpStackLocation(Irp);
	status = IoCallDriver(extension->Lower, Irp);
	IoReleaseRemoveLock(&extension->Lock, Irp);
	return status;
}

static NTSTATUS NTAPI SamplePower(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
	PSAMPLE_EXTENSION extension = DeviceObject->DeviceExtension;
	NTSTATUS status;

	PoStartNextPowerIrp(Irp);
	status = IoAcquireRemoveLock(&extension->Lock, Irp);
	if (!NT_SUCCESS(status))
		return SampleRefuse(Irp, status);
	IoSkipCurrentIrpStackLocation(Irp);
	status = PoCallDriver(extension->Lower, Irp);
	IoReleaseRemoveLock(&extension->Lock, Irp);
	return status;
}

static NTSTATUS NTAPI SampleInternalControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
	PSAMPLE_EXTENSION extension = DeviceObject->DeviceExtension;
	NTSTATUS status;
	BOOLEAN started;
	BOOLEAN taken;

	if (!SampleDriver.InternalControl)
		return SampleForward(DeviceObject, Irp);

	status = IoAcquireRemoveLock(&extension->Lock, Irp);
	if (!NT_SUCCESS(status))
		return SampleRefuse(Irp, status);
	started = ExAcquireRundownProtection(&extension->Users);
	taken = SampleDriver.InternalControl(extension->Extra, started ? extension->Sample : NULL,
					     Irp, &status);
	if (started)
		ExReleaseRundownProtection(&extension->Users);
	/* The tag is a number here: the request itself may be gone. */
	IoReleaseRemoveLock(&extension->Lock, Irp);
	return taken ? status : SampleForward(DeviceObject, Irp);
}

static NTSTATUS NTAPI SampleLowerDone(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
	UNREFERENCED_PARAMETER(DeviceObject);
	UNREFERENCED_PARAMETER(Irp);

	KeSetEvent(Context, IO_NO_INCREMENT, FALSE);
	return STATUS_MORE_PROCESSING_REQUIRED;
}

/* The bus starts the device first. */
static NTSTATUS SampleStart(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
	PSAMPLE_EXTENSION extension = DeviceObject->DeviceExtension;
	NTSTATUS status;
	KEVENT event;

	KeInitializeEvent(&event, NotificationEvent, FALSE);
	IoCopyCurrentIrpStackLocationToNext(Irp);
	IoSetCompletionRoutine(Irp, SampleLowerDone, &event, TRUE, TRUE, TRUE);
	status = IoCallDriver(extension->Lower, Irp);
	if (status == STATUS_PENDING) {
		KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL);
		status = Irp->IoStatus.Status;
	}
	if (NT_SUCCESS(status) && !extension->Sample) {
		status = SampleDriver.Create(DeviceObject, extension->Extra,
					     &extension->Sample);
		if (NT_SUCCESS(status))
			ExReInitializeRundownProtection(&extension->Users);
	}
	return SampleRefuse(Irp, status);
}

static VOID SampleStop(PSAMPLE_EXTENSION Extension)
{
	if (!Extension->Sample)
		return;
	ExWaitForRundownProtectionRelease(&Extension->Users);
	SampleDriver.Destroy(Extension->Sample);
	Extension->Sample = NULL;
}

static NTSTATUS NTAPI SamplePnp(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
	PSAMPLE_EXTENSION extension = DeviceObject->DeviceExtension;
	PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
	NTSTATUS status;

	PAGED_CODE();

	status = IoAcquireRemoveLock(&extension->Lock, Irp);
	if (!NT_SUCCESS(status))
		return SampleRefuse(Irp, status);

	switch (stack->MinorFunction) {
	case IRP_MN_START_DEVICE:
		status = SampleStart(DeviceObject, Irp);
		IoReleaseRemoveLock(&extension->Lock, Irp);
		return status;

	case IRP_MN_STOP_DEVICE:
	case IRP_MN_SURPRISE_REMOVAL:
		SampleStop(extension);
		Irp->IoStatus.Status = STATUS_SUCCESS;
		break;

	case IRP_MN_QUERY_STOP_DEVICE:
	case IRP_MN_CANCEL_STOP_DEVICE:
	case IRP_MN_QUERY_REMOVE_DEVICE:
	case IRP_MN_CANCEL_REMOVE_DEVICE:
		Irp->IoStatus.Status = STATUS_SUCCESS;
		break;

	case IRP_MN_REMOVE_DEVICE:
		SampleStop(extension);
		IoReleaseRemoveLockAndWait(&extension->Lock, Irp);
		Irp->IoStatus.Status = STATUS_SUCCESS;
		IoSkipCurrentIrpStackLocation(Irp);
		status = IoCallDriver(extension->Lower, Irp);
		IoDetachDevice(extension->Lower);
		IoDeleteDevice(DeviceObject);
		return status;
	}

	IoSkipCurrentIrpStackLocation(Irp);
	status = IoCallDriver(extension->Lower, Irp);
	IoReleaseRemoveLock(&extension->Lock, Irp);
	return status;
}

static NTSTATUS NTAPI SampleAddDevice(PDRIVER_OBJECT DriverObject,
				      PDEVICE_OBJECT PhysicalDeviceObject)
{
	PSAMPLE_EXTENSION extension;
	PDEVICE_OBJECT device;
	NTSTATUS status;

	PAGED_CODE();

	status = IoCreateDevice(DriverObject, sizeof(*extension) + SampleDriver.ExtraSize, NULL,
				FILE_DEVICE_UNKNOWN, FILE_DEVICE_SECURE_OPEN, FALSE, &device);
	if (!NT_SUCCESS(status))
		return status;
	extension = device->DeviceExtension;
	RtlZeroMemory(extension, sizeof(*extension) + SampleDriver.ExtraSize);
	/* Nobody may use it before it is there. */
	ExInitializeRundownProtection(&extension->Users);
	ExWaitForRundownProtectionRelease(&extension->Users);
	IoInitializeRemoveLock(&extension->Lock, SAMPLE_TAG, 0, 0);
	extension->Lower = IoAttachDeviceToDeviceStack(device, PhysicalDeviceObject);
	if (!extension->Lower) {
		IoDeleteDevice(device);
		return STATUS_NO_SUCH_DEVICE;
	}
	device->Flags |= extension->Lower->Flags & (DO_BUFFERED_IO | DO_DIRECT_IO |
						    DO_POWER_PAGABLE);
	device->Flags &= ~DO_DEVICE_INITIALIZING;
	return STATUS_SUCCESS;
}

static VOID NTAPI SampleUnload(PDRIVER_OBJECT DriverObject)
{
	UNREFERENCED_PARAMETER(DriverObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
	ULONG i;

	UNREFERENCED_PARAMETER(RegistryPath);

	for (i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++)
		DriverObject->MajorFunction[i] = SampleForward;
	DriverObject->MajorFunction[IRP_MJ_PNP] = SamplePnp;
	DriverObject->MajorFunction[IRP_MJ_POWER] = SamplePower;
	DriverObject->MajorFunction[IRP_MJ_INTERNAL_DEVICE_CONTROL] = SampleInternalControl;
	DriverObject->DriverExtension->AddDevice = SampleAddDevice;
	DriverObject->DriverUnload = SampleUnload;
	return STATUS_SUCCESS;
}
