// SPDX-License-Identifier: GPL-2.0
/*
 * SCSI disks: as many commands as a disk needs.
 *
 * Written as a Windows driver writes it.  The caller has made sure that the command
 * has at most 16 bytes and that the client's memory holds DataTransferLength bytes.
 * All numbers in a command are big-endian.
 *
 * A target that is there answers INQUIRY for each of its LUNs, with 0x7f in the first
 * byte where there is none: clients look through them that way.
 */
#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "../storvsc/srb.h"
#include "device.h"

/* The longest answer that is made here, and the longest list that UNMAP may bring. */
#define VSP_ANSWER		256
#define VSP_UNMAP_PARTS		64
#define VSP_UNMAP_HEAD		8
#define VSP_UNMAP_PART		16
#define VSP_UNMAP_LIST		(VSP_UNMAP_HEAD + VSP_UNMAP_PARTS * VSP_UNMAP_PART)

enum {
	ScsiTestUnitReady = 0x00,
	ScsiRequestSense = 0x03,
	ScsiRead6 = 0x08,
	ScsiWrite6 = 0x0a,
	ScsiInquiry = 0x12,
	ScsiModeSense6 = 0x1a,
	ScsiStartStopUnit = 0x1b,
	ScsiReadCapacity10 = 0x25,
	ScsiRead10 = 0x28,
	ScsiWrite10 = 0x2a,
	ScsiSynchronizeCache10 = 0x35,
	ScsiUnmap = 0x42,
	ScsiModeSense10 = 0x5a,
	ScsiRead16 = 0x88,
	ScsiWrite16 = 0x8a,
	ScsiSynchronizeCache16 = 0x91,
	ScsiServiceActionIn16 = 0x9e,
	ScsiReportLuns = 0xa0,
	ScsiRead12 = 0xa8,
	ScsiWrite12 = 0xaa,
};

#define SCSI_READ_CAPACITY_16	0x10

/* Sense key, and additional sense code with its qualifier. */
#define SENSE_NONE		0x0, 0x00, 0x00
#define SENSE_WRITE_FAILED	0x3, 0x0c, 0x00
#define SENSE_READ_FAILED	0x3, 0x11, 0x00
#define SENSE_LIST_LENGTH	0x5, 0x1a, 0x00
#define SENSE_UNKNOWN_COMMAND	0x5, 0x20, 0x00
#define SENSE_OUT_OF_RANGE	0x5, 0x21, 0x00
#define SENSE_BAD_COMMAND	0x5, 0x24, 0x00
#define SENSE_NO_SUCH_LUN	0x5, 0x25, 0x00
#define SENSE_BAD_LIST		0x5, 0x26, 0x00
#define SENSE_WRITE_PROTECTED	0x7, 0x27, 0x00

#define SENSE_LENGTH		18

typedef struct _VSP_COMMAND {
	PVSP_DEVICE Device;
	/* Becomes the result; its Cdb and its sense data share their place. */
	PSTOR_SRB Srb;
	UCHAR Cdb[STOR_MAXIMUM_CDB];
	ULONG Lun;
	BOOLEAN Present;
	VSP_DISK Disk;
	/* The client's memory, and how much of it the command may use. */
	PMDL External;
	ULONG Length;
} VSP_COMMAND, *PVSP_COMMAND;

typedef enum _VSP_WAY {
	VspToDisk,
	VspFromDisk,
	VspToMemory,
	VspFromMemory,
} VSP_WAY;

static ULONG VspGet16(const UCHAR *At)
{
	return (ULONG)At[0] << 8 | At[1];
}

static ULONG VspGet32(const UCHAR *At)
{
	return VspGet16(At) << 16 | VspGet16(At + 2);
}

static ULONG64 VspGet64(const UCHAR *At)
{
	return (ULONG64)VspGet32(At) << 32 | VspGet32(At + 4);
}

static VOID VspPut16(PUCHAR At, ULONG Value)
{
	At[0] = (UCHAR)(Value >> 8);
	At[1] = (UCHAR)Value;
}

static VOID VspPut32(PUCHAR At, ULONG Value)
{
	VspPut16(At, Value >> 16);
	VspPut16(At + 2, Value & 0xffff);
}

static VOID VspPut64(PUCHAR At, ULONG64 Value)
{
	VspPut32(At, (ULONG)(Value >> 32));
	VspPut32(At + 4, (ULONG)Value);
}

/* ---- results ---- */

static VOID VspGood(PVSP_COMMAND Command, ULONG Transferred)
{
	PSTOR_SRB srb = Command->Srb;

	srb->ScsiStatus = STOR_SCSI_GOOD;
	srb->SrbStatus = srb->DataTransferLength == Transferred ? STOR_SRB_CODE_SUCCESS :
								  STOR_SRB_CODE_DATA_OVERRUN;
	srb->DataTransferLength = Transferred;
}

static VOID VspFillSense(PUCHAR Sense, UCHAR Key, UCHAR Code, UCHAR Qualifier)
{
	RtlZeroMemory(Sense, SENSE_LENGTH);
	Sense[0] = 0x70;
	Sense[2] = Key;
	Sense[7] = SENSE_LENGTH - 8;
	Sense[12] = Code;
	Sense[13] = Qualifier;
}

static VOID VspCheck(PVSP_COMMAND Command, UCHAR Key, UCHAR Code, UCHAR Qualifier)
{
	PSTOR_SRB srb = Command->Srb;

	srb->ScsiStatus = STOR_SCSI_CHECK_CONDITION;
	srb->SrbStatus = STOR_SRB_CODE_ERROR | STOR_SRB_SENSE_VALID;
	srb->DataTransferLength = 0;
	srb->SenseInfoLength = SENSE_LENGTH;
	VspFillSense(srb->u.Sense, Key, Code, Qualifier);
}

/* The client tries again later. */
static VOID VspBusy(PVSP_COMMAND Command)
{
	PSTOR_SRB srb = Command->Srb;

	srb->ScsiStatus = STOR_SCSI_BUSY;
	srb->SrbStatus = STOR_SRB_CODE_BUSY;
	srb->DataTransferLength = 0;
}

/* ---- data ---- */

static NTSTATUS VspMovePiece(PVSP_COMMAND Command, VSP_WAY Way, ULONG64 Offset, PUCHAR Buffer,
			     PVOID Client, ULONG Length)
{
	PVOID system = Command->Device->System;

	switch (Way) {
	case VspToDisk:
		return VspWrite(system, Command->Lun, Offset, Client, Length);
	case VspFromDisk:
		return VspRead(system, Command->Lun, Offset, Client, Length);
	case VspToMemory:
		RtlCopyMemory(Buffer + Offset, Client, Length);
		return STATUS_SUCCESS;
	default:
		RtlCopyMemory(Client, Buffer + Offset, Length);
		return STATUS_SUCCESS;
	}
}

/*
 * Between the client's memory and the disk from Offset on, or Buffer.  Length is at
 * most Command->Length.  STATUS_INSUFFICIENT_RESOURCES: the memory cannot be mapped
 * now, and the command may have been carried out in part.
 */
static NTSTATUS VspMove(PVSP_COMMAND Command, VSP_WAY Way, ULONG64 Offset, PUCHAR Buffer,
			ULONG Length)
{
	PMDL mdl = Command->External;
	NTSTATUS status;
	PVOID client;
	ULONG piece;

	for (; Length && mdl; mdl = mdl->Next) {
		piece = MmGetMdlByteCount(mdl);
		if (piece > Length)
			piece = Length;
		if (!piece)
			continue;
		client = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority |
						      MdlMappingNoExecute);
		if (!client)
			return STATUS_INSUFFICIENT_RESOURCES;
		status = VspMovePiece(Command, Way, Offset, Buffer, client, piece);
		if (!NT_SUCCESS(status))
			return status;
		Offset += piece;
		Length -= piece;
	}
	return STATUS_SUCCESS;
}

/* Length bytes, of which the client has asked for so many and lent memory for some. */
static VOID VspAnswer(PVSP_COMMAND Command, PUCHAR Answer, ULONG Length, ULONG Asked)
{
	if (Length > Asked)
		Length = Asked;
	if (Length > Command->Length)
		Length = Command->Length;
	if (Length && Command->Srb->DataIn != STOR_DATA_IN)
		VspCheck(Command, SENSE_BAD_COMMAND);
	else if (!NT_SUCCESS(VspMove(Command, VspFromMemory, 0, Answer, Length)))
		VspBusy(Command);
	else
		VspGood(Command, Length);
}

/* ---- what is asked about a disk ---- */

static VOID VspInquiryPage(PVSP_COMMAND Command)
{
	PVSP_DISK disk = &Command->Disk;
	UCHAR page[VSP_ANSWER];
	ULONG length;

	RtlZeroMemory(page, sizeof(page));
	page[1] = Command->Cdb[2];
	switch (Command->Cdb[2]) {
	case 0x00:
		RtlCopyMemory(&page[4], "\x00\x80\x83\xb0\xb1\xb2", 6);
		length = 6;
		break;
	case 0x80:
		RtlCopyMemory(&page[4], disk->Serial, sizeof(disk->Serial));
		length = sizeof(disk->Serial);
		break;
	case 0x83:
		/* One name of the logical unit: ASCII, of the vendor's. */
		page[4] = 0x02;
		page[5] = 0x01;
		page[7] = 8 + sizeof(disk->Serial);
		RtlCopyMemory(&page[8], "KMCL    ", 8);
		RtlCopyMemory(&page[16], disk->Serial, sizeof(disk->Serial));
		length = 12 + sizeof(disk->Serial);
		break;
	case 0xb0:
		/* Limits: of a transfer, then of UNMAP, and its granularity. */
		VspPut32(&page[8], Command->Device->Config.MaximumTransfer / disk->BlockSize);
		if (!disk->ReadOnly) {
			VspPut32(&page[20], MAXULONG);
			VspPut32(&page[24], VSP_UNMAP_PARTS);
			VspPut32(&page[28], 4096 / disk->BlockSize);
		}
		length = 60;
		break;
	case 0xb1:
		/* Does not rotate. */
		VspPut16(&page[4], 1);
		length = 60;
		break;
	case 0xb2:
		/* UNMAP, unmapped blocks read 0, thin. */
		if (!disk->ReadOnly) {
			page[5] = 0x84;
			page[6] = 0x02;
		}
		length = 4;
		break;
	default:
		VspCheck(Command, SENSE_BAD_COMMAND);
		return;
	}
	VspPut16(&page[2], length);
	VspAnswer(Command, page, 4 + length, VspGet16(&Command->Cdb[3]));
}

static VOID VspInquiry(PVSP_COMMAND Command)
{
	UCHAR answer[36];

	if ((Command->Cdb[1] & 1) && Command->Present) {
		VspInquiryPage(Command);
		return;
	}
	if (Command->Cdb[1] || Command->Cdb[2]) {
		VspCheck(Command, SENSE_BAD_COMMAND);
		return;
	}
	RtlZeroMemory(answer, sizeof(answer));
	/* A disk, or no device here and none possible. */
	answer[0] = Command->Present ? 0x00 : 0x7f;
	answer[2] = 6;
	answer[3] = 2;
	answer[4] = sizeof(answer) - 5;
	answer[7] = 0x02;
	RtlCopyMemory(&answer[8], "KMCL    Virtual disk    1   ", 28);
	VspAnswer(Command, answer, sizeof(answer), VspGet16(&Command->Cdb[3]));
}

static VOID VspReportLuns(PVSP_COMMAND Command)
{
	UCHAR list[8 + 8 * VSP_LUNS];
	ULONG length = 8;
	VSP_DISK disk;
	ULONG lun;

	RtlZeroMemory(list, sizeof(list));
	switch (Command->Cdb[2]) {
	case 0x00:
	case 0x02:
		for (lun = 0; lun < VSP_LUNS; lun++) {
			if (!VspQueryDisk(Command->Device->System, lun, &disk))
				continue;
			list[length + 1] = (UCHAR)lun;
			length += 8;
		}
		break;
	case 0x01:
		/* Well-known ones: none. */
		break;
	default:
		VspCheck(Command, SENSE_BAD_COMMAND);
		return;
	}
	VspPut32(list, length - 8);
	VspAnswer(Command, list, length, VspGet32(&Command->Cdb[6]));
	/* A list is as long as it is: Linux' own client takes anything else for an error. */
	if (Command->Srb->SrbStatus == STOR_SRB_CODE_DATA_OVERRUN)
		Command->Srb->SrbStatus = STOR_SRB_CODE_SUCCESS;
}

static VOID VspReadCapacity10(PVSP_COMMAND Command)
{
	ULONG64 last = Command->Disk.Blocks - 1;
	UCHAR answer[8];

	VspPut32(answer, last > MAXULONG ? MAXULONG : (ULONG)last);
	VspPut32(&answer[4], Command->Disk.BlockSize);
	VspAnswer(Command, answer, sizeof(answer), sizeof(answer));
}

static VOID VspReadCapacity16(PVSP_COMMAND Command)
{
	ULONG size = Command->Disk.BlockSize;
	UCHAR answer[32];

	if ((Command->Cdb[1] & 0x1f) != SCSI_READ_CAPACITY_16) {
		VspCheck(Command, SENSE_BAD_COMMAND);
		return;
	}
	RtlZeroMemory(answer, sizeof(answer));
	VspPut64(answer, Command->Disk.Blocks - 1);
	VspPut32(&answer[8], size);
	/* Blocks to a physical block of 4096 bytes, as a power of two. */
	for (; size < 4096; size *= 2)
		answer[13]++;
	/* UNMAP, and unmapped blocks read 0. */
	if (!Command->Disk.ReadOnly)
		answer[14] = 0xc0;
	VspAnswer(Command, answer, sizeof(answer), VspGet32(&Command->Cdb[10]));
}

/* The one page there is says that there is no cache that could be lost. */
static VOID VspModeSense(PVSP_COMMAND Command)
{
	BOOLEAN six = Command->Cdb[0] == ScsiModeSense6;
	UCHAR page = Command->Cdb[2] & 0x3f;
	UCHAR answer[VSP_ANSWER];
	ULONG length = six ? 4 : 8;

	if ((page != 0x08 && page != 0x3f) || (Command->Cdb[3] && Command->Cdb[3] != 0xff)) {
		VspCheck(Command, SENSE_BAD_COMMAND);
		return;
	}
	RtlZeroMemory(answer, sizeof(answer));
	answer[length] = 0x08;
	answer[length + 1] = 0x12;
	length += 20;
	/* Write-protected; FUA makes no difference, so it is there. */
	if (six) {
		answer[0] = (UCHAR)(length - 1);
		answer[2] = Command->Disk.ReadOnly ? 0x90 : 0x10;
		VspAnswer(Command, answer, length, Command->Cdb[4]);
	} else {
		VspPut16(answer, length - 2);
		answer[3] = Command->Disk.ReadOnly ? 0x90 : 0x10;
		VspAnswer(Command, answer, length, VspGet16(&Command->Cdb[7]));
	}
}

static VOID VspRequestSense(PVSP_COMMAND Command)
{
	UCHAR sense[SENSE_LENGTH];

	if (Command->Present)
		VspFillSense(sense, SENSE_NONE);
	else
		VspFillSense(sense, SENSE_NO_SUCH_LUN);
	VspAnswer(Command, sense, sizeof(sense), Command->Cdb[4]);
}

/* ---- blocks ---- */

static BOOLEAN VspBlocksExist(PVSP_COMMAND Command, ULONG64 First, ULONG64 Count)
{
	if (First <= Command->Disk.Blocks && Count <= Command->Disk.Blocks - First)
		return TRUE;
	VspCheck(Command, SENSE_OUT_OF_RANGE);
	return FALSE;
}

static VOID VspReadWrite(PVSP_COMMAND Command, BOOLEAN Write, ULONG64 First, ULONG Count)
{
	ULONG size = Command->Disk.BlockSize;
	NTSTATUS status;

	if (!VspBlocksExist(Command, First, Count))
		return;
	/* Protection information does not exist here. */
	if (Command->Cdb[0] >= ScsiRead10 && Command->Cdb[1] >> 5) {
		VspCheck(Command, SENSE_BAD_COMMAND);
		return;
	}
	if (Count > Command->Length / size ||
	    (Count && Command->Srb->DataIn != (Write ? STOR_DATA_OUT : STOR_DATA_IN))) {
		VspBadMessage(Command->Device, StorOperationExecuteSrb, Count,
			      "too little data for so many blocks");
		VspCheck(Command, SENSE_BAD_COMMAND);
		return;
	}
	if (Write && Command->Disk.ReadOnly) {
		VspCheck(Command, SENSE_WRITE_PROTECTED);
		return;
	}
	status = VspMove(Command, Write ? VspToDisk : VspFromDisk, First * size, NULL,
			 Count * size);
	if (NT_SUCCESS(status))
		VspGood(Command, Count * size);
	else if (status == STATUS_INSUFFICIENT_RESOURCES)
		VspBusy(Command);
	else if (Write)
		VspCheck(Command, SENSE_WRITE_FAILED);
	else
		VspCheck(Command, SENSE_READ_FAILED);
}

static VOID VspUnmapParts(PVSP_COMMAND Command, PUCHAR List, ULONG Length)
{
	ULONG size = Command->Disk.BlockSize;
	ULONG64 first;
	ULONG parts;
	ULONG count;
	PUCHAR part;
	ULONG i;

	if (Length < VSP_UNMAP_HEAD) {
		VspCheck(Command, SENSE_LIST_LENGTH);
		return;
	}
	parts = VspGet16(&List[2]) / VSP_UNMAP_PART;
	if (parts > (Length - VSP_UNMAP_HEAD) / VSP_UNMAP_PART) {
		VspCheck(Command, SENSE_BAD_LIST);
		return;
	}
	/* All of them, or none. */
	for (i = 0; i < parts; i++) {
		part = &List[VSP_UNMAP_HEAD + i * VSP_UNMAP_PART];
		if (!VspBlocksExist(Command, VspGet64(part), VspGet32(&part[8])))
			return;
	}
	for (i = 0; i < parts; i++) {
		part = &List[VSP_UNMAP_HEAD + i * VSP_UNMAP_PART];
		first = VspGet64(part);
		count = VspGet32(&part[8]);
		if (count && !NT_SUCCESS(VspUnmap(Command->Device->System, Command->Lun,
						  first * size, (ULONG64)count * size))) {
			VspCheck(Command, SENSE_WRITE_FAILED);
			return;
		}
	}
	VspGood(Command, Length);
}

static VOID VspUnmapCommand(PVSP_COMMAND Command)
{
	ULONG length = VspGet16(&Command->Cdb[7]);
	PUCHAR list;

	if (Command->Disk.ReadOnly) {
		VspCheck(Command, SENSE_WRITE_PROTECTED);
		return;
	}
	if (!length) {
		VspGood(Command, 0);
		return;
	}
	if (length > Command->Length || length > VSP_UNMAP_LIST ||
	    Command->Srb->DataIn != STOR_DATA_OUT) {
		VspCheck(Command, SENSE_LIST_LENGTH);
		return;
	}
	/* What is checked must be what is used: out of the client's reach. */
	list = ExAllocatePool2(POOL_FLAG_NON_PAGED, length, VSP_POOL_TAG);
	if (!list || !NT_SUCCESS(VspMove(Command, VspToMemory, 0, list, length)))
		VspBusy(Command);
	else
		VspUnmapParts(Command, list, length);
	if (list)
		ExFreePoolWithTag(list, VSP_POOL_TAG);
}

/* ---- commands ---- */

/* Bytes of a command are told by its group; of the last ones nothing is known. */
static BOOLEAN VspWholeCommand(const STOR_SRB *Srb)
{
	static const UCHAR lengths[8] = { 6, 10, 10, 16, 16, 12, 16, 16 };

	return Srb->CdbLength >= lengths[Srb->u.Cdb[0] >> 5];
}

/* Those of a disk that is there. */
static VOID VspDiskCommand(PVSP_COMMAND Command)
{
	const UCHAR *cdb = Command->Cdb;

	switch (cdb[0]) {
	case ScsiTestUnitReady:
	case ScsiStartStopUnit:
	case ScsiSynchronizeCache10:
	case ScsiSynchronizeCache16:
		VspGood(Command, 0);
		break;
	case ScsiReadCapacity10:
		VspReadCapacity10(Command);
		break;
	case ScsiServiceActionIn16:
		VspReadCapacity16(Command);
		break;
	case ScsiModeSense6:
	case ScsiModeSense10:
		VspModeSense(Command);
		break;
	case ScsiRead6:
	case ScsiWrite6:
		/* No blocks mean 256 here. */
		VspReadWrite(Command, cdb[0] == ScsiWrite6, VspGet32(cdb) & 0x1fffff,
			     cdb[4] ? cdb[4] : 256);
		break;
	case ScsiRead10:
	case ScsiWrite10:
		VspReadWrite(Command, cdb[0] == ScsiWrite10, VspGet32(&cdb[2]),
			     VspGet16(&cdb[7]));
		break;
	case ScsiRead12:
	case ScsiWrite12:
		VspReadWrite(Command, cdb[0] == ScsiWrite12, VspGet32(&cdb[2]),
			     VspGet32(&cdb[6]));
		break;
	case ScsiRead16:
	case ScsiWrite16:
		VspReadWrite(Command, cdb[0] == ScsiWrite16, VspGet64(&cdb[2]),
			     VspGet32(&cdb[10]));
		break;
	case ScsiUnmap:
		VspUnmapCommand(Command);
		break;
	default:
		VspCheck(Command, SENSE_UNKNOWN_COMMAND);
		break;
	}
}

VOID VspExecute(PVSP_DEVICE Device, PSTOR_SRB Srb, PMDL External)
{
	VSP_COMMAND command;

	PAGED_CODE();

	RtlZeroMemory(&command, sizeof(command));
	command.Device = Device;
	command.Srb = Srb;
	command.Lun = Srb->Lun;
	command.External = External;
	command.Length = Srb->DataTransferLength;
	RtlCopyMemory(command.Cdb, Srb->u.Cdb, sizeof(command.Cdb));
	command.Present = !Srb->PathId && !Srb->TargetId && Srb->Lun < VSP_LUNS &&
			  VspQueryDisk(Device->System, Srb->Lun, &command.Disk);

	if (!VspWholeCommand(Srb)) {
		VspBadMessage(Device, StorOperationExecuteSrb, Srb->CdbLength,
			      "half a command");
		VspCheck(&command, SENSE_BAD_COMMAND);
		return;
	}
	switch (command.Cdb[0]) {
	case ScsiInquiry:
		VspInquiry(&command);
		break;
	case ScsiReportLuns:
		VspReportLuns(&command);
		break;
	case ScsiRequestSense:
		VspRequestSense(&command);
		break;
	default:
		if (command.Present)
			VspDiskCommand(&command);
		else
			VspCheck(&command, SENSE_NO_SUCH_LUN);
		break;
	}
}
