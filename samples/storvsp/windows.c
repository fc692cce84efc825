// SPDX-License-Identifier: GPL-2.0
/* Windows around the storage server: a disk in memory, offered in the loopback. */
#include "../windows/driver.h"
#include "protocol.h"

/* "Vswn" in a memory dump. */
#define VSW_POOL_TAG		0x6e777356

#define VSW_DISK_BYTES		(64 * 1024 * 1024)
#define VSW_BLOCK_BYTES		512
#define VSW_SUB_CHANNELS	4
#define VSW_MAXIMUM_TRANSFER	(512 * 1024)

typedef struct _VSW {
	PVSP_DEVICE Device;
	PUCHAR Memory;
} VSW, *PVSW;

BOOLEAN VspQueryDisk(PVOID System, ULONG Lun, PVSP_DISK Disk)
{
	UNREFERENCED_PARAMETER(System);

	if (Lun)
		return FALSE;
	Disk->Blocks = VSW_DISK_BYTES / VSW_BLOCK_BYTES;
	Disk->BlockSize = VSW_BLOCK_BYTES;
	Disk->ReadOnly = FALSE;
	RtlCopyMemory(Disk->Serial, "memory0000000000", sizeof(Disk->Serial));
	return TRUE;
}

NTSTATUS VspRead(PVOID System, ULONG Lun, ULONG64 Offset, PVOID Buffer, ULONG Length)
{
	PVSW vsw = System;

	UNREFERENCED_PARAMETER(Lun);

	RtlCopyMemory(Buffer, vsw->Memory + Offset, Length);
	return STATUS_SUCCESS;
}

NTSTATUS VspWrite(PVOID System, ULONG Lun, ULONG64 Offset, const VOID *Buffer, ULONG Length)
{
	PVSW vsw = System;

	UNREFERENCED_PARAMETER(Lun);

	RtlCopyMemory(vsw->Memory + Offset, Buffer, Length);
	return STATUS_SUCCESS;
}

NTSTATUS VspUnmap(PVOID System, ULONG Lun, ULONG64 Offset, ULONG64 Length)
{
	PVSW vsw = System;

	UNREFERENCED_PARAMETER(Lun);

	RtlZeroMemory(vsw->Memory + Offset, Length);
	return STATUS_SUCCESS;
}

static NTSTATUS VswCreate(PDEVICE_OBJECT Parent, PVOID Extra, PVOID *Sample)
{
	static const VSP_CONFIG config = {
		.Name = "kmcl_storvsp",
		.Instance = { 0x6b6d636c, 0x7370, 0x4000, { 0x80, 0, 0, 0, 0, 0, 0, 1 } },
		.SubChannels = VSW_SUB_CHANNELS,
		.MaximumTransfer = VSW_MAXIMUM_TRANSFER,
	};
	PVSW vsw = Extra;
	NTSTATUS status;

	vsw->Memory = ExAllocatePool2(POOL_FLAG_PAGED, VSW_DISK_BYTES, VSW_POOL_TAG);
	if (!vsw->Memory)
		return STATUS_INSUFFICIENT_RESOURCES;
	status = VspCreate(Parent, vsw, &config, &vsw->Device);
	if (!NT_SUCCESS(status))
		goto FreeMemory;
	status = VspOffer(vsw->Device);
	if (!NT_SUCCESS(status))
		goto DestroyDevice;
	*Sample = vsw;
	return STATUS_SUCCESS;

DestroyDevice:
	VspDestroy(vsw->Device);
FreeMemory:
	ExFreePoolWithTag(vsw->Memory, VSW_POOL_TAG);
	return status;
}

static VOID VswDestroy(PVOID Sample)
{
	PVSW vsw = Sample;

	VspDestroy(vsw->Device);
	ExFreePoolWithTag(vsw->Memory, VSW_POOL_TAG);
}

const SAMPLE_DRIVER SampleDriver = {
	.ExtraSize = sizeof(VSW),
	.Create = VswCreate,
	.Destroy = VswDestroy,
};
