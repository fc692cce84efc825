// SPDX-License-Identifier: GPL-2.0
/*
 * Windows around the storage protocol: SCSI request blocks of the driver above go
 * to the host.  Disks are not enumerated as devices of their own; that is a bus
 * driver's work, or StorPort's.
 */
#include "../windows/driver.h"
#include "protocol.h"

#include <scsi.h>

/* "Stwn" in a memory dump. */
#define STW_POOL_TAG		0x6e777453

#define STW_RING_PAGES		32
#define STW_QUEUE_DEPTH		256
#define STW_SUB_CHANNELS	4
#define STW_MAXIMUM_TRANSFER	(512 * 1024)

/* Exported by the kernel, and declared in the headers of file systems alone. */
NTSYSAPI PDEVICE_OBJECT NTAPI IoGetDeviceAttachmentBaseRef(PDEVICE_OBJECT DeviceObject);

typedef struct _STW {
	PSTOR_DEVICE Device;
	/* What the PnP manager knows; referenced. */
	PDEVICE_OBJECT Bus;
} STW, *PSTW;

typedef struct _STW_REQUEST {
	STOR_REQUEST Request;
	PIRP Irp;
	PSCSI_REQUEST_BLOCK Srb;
	/* Of our own, where the data does not begin where the Irp's MDL does. */
	PMDL Part;
} STW_REQUEST, *PSTW_REQUEST;

/* ---- what the protocol calls ---- */

VOID StorBusChanged(PVOID Adapter)
{
	PSTW stw = Adapter;

	IoInvalidateDeviceRelations(stw->Bus, BusRelations);
}

VOID StorAttached(PVOID Adapter)
{
	StorBusChanged(Adapter);
}

VOID StorDetached(PVOID Adapter)
{
	StorBusChanged(Adapter);
}

/* ---- requests ---- */

static NTSTATUS StwDone(PIRP Irp, PSCSI_REQUEST_BLOCK Srb, UCHAR SrbStatus, NTSTATUS Status)
{
	Srb->SrbStatus = SrbStatus;
	Irp->IoStatus.Status = Status;
	Irp->IoStatus.Information = NT_SUCCESS(Status) ? Srb->DataTransferLength : 0;
	IoCompleteRequest(Irp, IO_DISK_INCREMENT);
	return Status;
}

static VOID StwFree(PSTW_REQUEST Request)
{
	if (Request->Part)
		IoFreeMdl(Request->Part);
	ExFreePoolWithTag(Request, STW_POOL_TAG);
}

static VOID StwCompleted(PSTOR_REQUEST Request)
{
	PSTW_REQUEST request = CONTAINING_RECORD(Request, STW_REQUEST, Request);
	PSCSI_REQUEST_BLOCK srb = request->Srb;
	UCHAR status = Request->SrbStatus;
	PIRP irp = request->Irp;
	BOOLEAN good;

	if (!NT_SUCCESS(Request->Status)) {
		srb->DataTransferLength = 0;
		status = Request->Status == STATUS_UNSUCCESSFUL ? SRB_STATUS_ERROR :
								  SRB_STATUS_NO_DEVICE;
		StwDone(irp, srb, status, Request->Status);
		StwFree(request);
		return;
	}
	srb->DataTransferLength = Request->Transferred;
	srb->ScsiStatus = Request->ScsiStatus;
	if (!srb->SenseInfoBuffer || srb->SenseInfoBufferLength < Request->SenseLength)
		Request->SenseLength = 0;
	if (Request->SenseLength)
		RtlCopyMemory(srb->SenseInfoBuffer, Request->Sense, Request->SenseLength);
	else
		status &= (UCHAR)~STOR_SRB_SENSE_VALID;
	good = STOR_SRB_CODE(status) == STOR_SRB_CODE_SUCCESS;
	StwDone(irp, srb, status, good ? STATUS_SUCCESS : STATUS_IO_DEVICE_ERROR);
	StwFree(request);
}

/* The data may begin in the middle of the Irp's MDL. */
static BOOLEAN StwDescribe(PSTW_REQUEST Request)
{
	PSCSI_REQUEST_BLOCK srb = Request->Srb;
	PMDL mdl = Request->Irp->MdlAddress;

	Request->Request.Direction = StorDirectionNone;
	if (!(srb->SrbFlags & (SRB_FLAGS_DATA_IN | SRB_FLAGS_DATA_OUT)) || !srb->DataTransferLength)
		return TRUE;
	if (!mdl)
		return FALSE;
	if (srb->DataBuffer != MmGetMdlVirtualAddress(mdl)) {
		Request->Part = IoAllocateMdl(srb->DataBuffer, srb->DataTransferLength, FALSE, FALSE,
					      NULL);
		if (!Request->Part)
			return FALSE;
		IoBuildPartialMdl(mdl, Request->Part, srb->DataBuffer, srb->DataTransferLength);
		mdl = Request->Part;
	}
	Request->Request.Direction = srb->SrbFlags & SRB_FLAGS_DATA_IN ? StorDirectionIn :
									 StorDirectionOut;
	Request->Request.DataLength = srb->DataTransferLength;
	Request->Request.Mdl = mdl;
	return TRUE;
}

static NTSTATUS StwExecute(PSTW Stw, PIRP Irp, PSCSI_REQUEST_BLOCK Srb)
{
	PSTW_REQUEST request;
	NTSTATUS status;
	BOOLEAN busy;

	if (Srb->CdbLength > sizeof(request->Request.Cdb))
		return StwDone(Irp, Srb, SRB_STATUS_INVALID_REQUEST, STATUS_INVALID_PARAMETER);
	request = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*request), STW_POOL_TAG);
	if (!request)
		return StwDone(Irp, Srb, SRB_STATUS_BUSY, STATUS_INSUFFICIENT_RESOURCES);

	request->Irp = Irp;
	request->Srb = Srb;
	request->Request.Completion = StwCompleted;
	request->Request.Timeout = Srb->TimeOutValue;
	request->Request.Hint = KeGetCurrentProcessorNumber();
	request->Request.Path = Srb->PathId;
	request->Request.Target = Srb->TargetId;
	request->Request.Lun = Srb->Lun;
	request->Request.CdbLength = Srb->CdbLength;
	RtlCopyMemory(request->Request.Cdb, Srb->Cdb, Srb->CdbLength);
	if (!StwDescribe(request)) {
		StwFree(request);
		return StwDone(Irp, Srb, SRB_STATUS_BUSY, STATUS_INSUFFICIENT_RESOURCES);
	}

	/* From here on it may be completed at any time. */
	IoMarkIrpPending(Irp);
	status = StorSubmit(Stw->Device, &request->Request);
	if (!NT_SUCCESS(status)) {
		busy = status == STATUS_INSUFFICIENT_RESOURCES;
		StwFree(request);
		StwDone(Irp, Srb, busy ? SRB_STATUS_BUSY : SRB_STATUS_NO_DEVICE, status);
	}
	return STATUS_PENDING;
}

static BOOLEAN StwInternalControl(PVOID Extra, PVOID Sample, PIRP Irp, NTSTATUS *Status)
{
	PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
	PSCSI_REQUEST_BLOCK srb = stack->Parameters.Scsi.Srb;

	UNREFERENCED_PARAMETER(Extra);

	if (stack->MinorFunction != 0 && stack->MinorFunction != IRP_MN_SCSI_CLASS)
		return FALSE;
	if (!Sample)
		*Status = StwDone(Irp, srb, SRB_STATUS_NO_DEVICE, STATUS_DEVICE_NOT_READY);
	else if (srb->Function == SRB_FUNCTION_EXECUTE_SCSI)
		*Status = StwExecute(Sample, Irp, srb);
	else
		*Status = StwDone(Irp, srb, SRB_STATUS_INVALID_REQUEST,
				  STATUS_INVALID_DEVICE_REQUEST);
	return TRUE;
}

/* ---- device ---- */

static NTSTATUS StwCreate(PDEVICE_OBJECT Parent, PVOID Extra, PVOID *Sample)
{
	static const STOR_CONFIG config = {
		.Name = "kmcl_storvsc",
		.Kind = StorKindScsi,
		.SubChannels = STW_SUB_CHANNELS,
		.RingPages = STW_RING_PAGES,
		.QueueDepth = STW_QUEUE_DEPTH,
		.MaximumTransfer = STW_MAXIMUM_TRANSFER,
	};
	PSTW stw = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*stw), STW_POOL_TAG);
	NTSTATUS status;

	UNREFERENCED_PARAMETER(Extra);

	if (!stw)
		return STATUS_INSUFFICIENT_RESOURCES;
	stw->Bus = IoGetDeviceAttachmentBaseRef(Parent);
	status = StorCreate(Parent, stw, &config, &stw->Device);
	if (!NT_SUCCESS(status)) {
		ObDereferenceObject(stw->Bus);
		ExFreePoolWithTag(stw, STW_POOL_TAG);
		return status;
	}
	*Sample = stw;
	return STATUS_SUCCESS;
}

static VOID StwDestroy(PVOID Sample)
{
	PSTW stw = Sample;

	StorDestroy(stw->Device);
	ObDereferenceObject(stw->Bus);
	ExFreePoolWithTag(stw, STW_POOL_TAG);
}

const SAMPLE_DRIVER SampleDriver = {
	.Create = StwCreate,
	.Destroy = StwDestroy,
	.InternalControl = StwInternalControl,
};
