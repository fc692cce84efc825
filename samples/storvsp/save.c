// SPDX-License-Identifier: GPL-2.0
/*
 * A controller that is serviced: its state goes out, and another instance of the
 * driver takes it over under the clients.
 *
 * Written as a Windows driver writes it.  A saved state is, little-endian,
 *
 *	VSP_STATE
 *	VSP_PIECE, and so many bytes	for each piece that the library gives
 *	...
 *	VSP_PIECE with VSP_LAST
 *
 * The pieces are the library's: a channel's configuration, its rings, and each packet
 * that was not answered, with what this driver adds, VSP_SAVED_PACKET.  Commands are
 * saved before they are begun and begun again after the restore: none is carried out
 * in part, so nothing but the message itself is needed.  What the data lie in is the
 * library's to remember.
 *
 * Nothing is served between VspSave and VspDestroy: all that waits is in the state.
 * What is in the pieces is checked by the library, the rest here, and all of it before
 * the first piece is handed on: a state that is cut or mixed up changes nothing.
 */
#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "device.h"

/* "VSPS" and "VSPP" in a dump. */
#define VSP_STATE_MAGIC		0x53505356
#define VSP_PACKET_MAGIC	0x50505356
#define VSP_STATE_VERSION	1

#define VSP_LAST		0xffffffffU
/* Pieces of a channel are asked for in a buffer of so much, or what they need. */
#define VSP_BUFFER		(64 * 1024)
#define VSP_BUFFER_LIMIT	(16 * 1024 * 1024)

typedef struct _VSP_STATE {
	UINT32 Magic;
	UINT16 Version;
	/* Sub-channels that are offered. */
	UINT16 Offered;
	/* Of the storage protocol, as agreed. */
	UINT16 Protocol;
	/* What the client may ask next. */
	UINT16 Step;
	UINT32 MaximumTransfer;
	GUID Instance;
	/* Over what is above. */
	UINT32 Sum;
} VSP_STATE, *PVSP_STATE;

typedef struct _VSP_PIECE {
	/* Whose, or VSP_LAST. */
	UINT32 Channel;
	UINT32 Length;
} VSP_PIECE, *PVSP_PIECE;

typedef struct _VSP_SAVED_PACKET {
	UINT32 Magic;
	UINT16 Version;
	UINT16 Length;
	UINT32 External;
	STOR_PACKET Message;
} VSP_SAVED_PACKET, *PVSP_SAVED_PACKET;

C_ASSERT(sizeof(VSP_STATE) == 36);
C_ASSERT(sizeof(VSP_PIECE) == 8);
C_ASSERT(sizeof(VSP_SAVED_PACKET) == 76);

/* ---- packets ---- */

NTSTATUS VspSavePacket(VMBCHANNEL Channel, PVOID CallbackContext, VMBPACKET Packet,
		       PVOID SaveBuffer, UINT32 SaveBufferSize, PUINT32 BytesNeeded)
{
	PVSP_REQUEST request = VmbPacketGetPointer(Packet);
	VSP_SAVED_PACKET saved;

	PAGED_CODE();
	UNREFERENCED_PARAMETER(Channel);
	UNREFERENCED_PARAMETER(CallbackContext);

	/* This driver has packets of the client's alone. */
	NT_ASSERT(request);
	*BytesNeeded = sizeof(saved);
	if (SaveBufferSize < sizeof(saved))
		return STATUS_BUFFER_TOO_SMALL;
	RtlZeroMemory(&saved, sizeof(saved));
	saved.Magic = VSP_PACKET_MAGIC;
	saved.Version = VSP_STATE_VERSION;
	saved.Length = request->Length;
	saved.External = request->External;
	saved.Message = request->Message;
	RtlCopyMemory(SaveBuffer, &saved, sizeof(saved));
	return STATUS_SUCCESS;
}

static BOOLEAN VspPacketIsValid(const VSP_SAVED_PACKET *Saved)
{
	return Saved->Magic == VSP_PACKET_MAGIC && Saved->Version == VSP_STATE_VERSION &&
	       Saved->Length <= sizeof(Saved->Message) && Saved->External <= TRUE;
}

/* The queue is held until all channels are there. */
NTSTATUS VspRestorePacket(VMBCHANNEL Channel, PVOID CallbackContext, PVOID LibraryBuffer,
			  UINT32 LibraryBufferSize, PVOID SaveBuffer, UINT32 SaveBufferSize)
{
	PVSP_CHANNEL channel = CallbackContext;
	VSP_SAVED_PACKET saved;
	PVSP_REQUEST request;
	VMBPACKET packet;
	NTSTATUS status;

	PAGED_CODE();

	if (!SaveBuffer || SaveBufferSize != sizeof(saved))
		return STATUS_INVALID_PARAMETER;
	RtlCopyMemory(&saved, SaveBuffer, sizeof(saved));
	if (!VspPacketIsValid(&saved))
		return STATUS_INVALID_PARAMETER;

	packet = VmbPacketAllocate(Channel);
	if (!packet)
		return STATUS_INSUFFICIENT_RESOURCES;
	status = VmbPacketRestore(packet, LibraryBuffer, LibraryBufferSize);
	if (!NT_SUCCESS(status)) {
		VmbPacketFree(packet);
		return status;
	}
	/* From here on it is a packet that came in. */
	request = VmbChannelPacketGetClientContext((VMBPACKETCOMPLETION)packet);
	request->Packet = (VMBPACKETCOMPLETION)packet;
	request->Length = saved.Length;
	request->External = (BOOLEAN)saved.External;
	request->Message = saved.Message;
	VmbPacketSetPointer(packet, request);
	VspEnqueue(channel, request);
	return STATUS_SUCCESS;
}

/* ---- save ---- */

/* FNV-1a: against accidents, not against whoever can write a state. */
static UINT32 VspSum(const VSP_STATE *State)
{
	const UCHAR *byte = (const UCHAR *)State;
	UINT32 sum = 0x811c9dc5;
	ULONG i;

	for (i = 0; i < FIELD_OFFSET(VSP_STATE, Sum); i++)
		sum = (sum ^ byte[i]) * 0x01000193;
	return sum;
}

typedef struct _VSP_SAVER {
	VSP_WRITE *Write;
	PVOID Context;
	PVOID Buffer;
	ULONG Size;
} VSP_SAVER, *PVSP_SAVER;

static NTSTATUS VspWritePiece(PVSP_SAVER Saver, ULONG Channel, ULONG Length)
{
	VSP_PIECE piece = { Channel, Length };
	NTSTATUS status;

	status = Saver->Write(Saver->Context, &piece, sizeof(piece));
	if (NT_SUCCESS(status) && Length)
		status = Saver->Write(Saver->Context, Saver->Buffer, Length);
	return status;
}

static NTSTATUS VspGrowBuffer(PVSP_SAVER Saver, ULONG Size)
{
	PVOID buffer;

	if (Size <= Saver->Size || Size > VSP_BUFFER_LIMIT)
		return STATUS_INSUFFICIENT_RESOURCES;
	buffer = ExAllocatePool2(POOL_FLAG_PAGED, Size, VSP_POOL_TAG);
	if (!buffer)
		return STATUS_INSUFFICIENT_RESOURCES;
	if (Saver->Buffer)
		ExFreePoolWithTag(Saver->Buffer, VSP_POOL_TAG);
	Saver->Buffer = buffer;
	Saver->Size = Size;
	return STATUS_SUCCESS;
}

static NTSTATUS VspSaveChannel(PVSP_CHANNEL Channel, PVSP_SAVER Saver)
{
	ULONG required;
	NTSTATUS status;
	NTSTATUS more;
	ULONG filled;

	for (;;) {
		filled = 0;
		required = 0;
		more = VmbChannelSaveContinue(Channel->Channel, Saver->Buffer, Saver->Size,
					      &filled, &required);
		if (more == STATUS_BUFFER_TOO_SMALL) {
			status = VspGrowBuffer(Saver, required);
			if (!NT_SUCCESS(status))
				return status;
			continue;
		}
		if (!NT_SUCCESS(more) && more != STATUS_BUFFER_OVERFLOW)
			return more;
		if (filled) {
			status = VspWritePiece(Saver, Channel->Index, filled);
			if (!NT_SUCCESS(status))
				return status;
		}
		if (NT_SUCCESS(more))
			return STATUS_SUCCESS;
	}
}

static NTSTATUS VspSaveAll(PVSP_DEVICE Device, PVSP_SAVER Saver)
{
	VSP_STATE state;
	NTSTATUS status;
	ULONG i;

	RtlZeroMemory(&state, sizeof(state));
	state.Magic = VSP_STATE_MAGIC;
	state.Version = VSP_STATE_VERSION;
	state.Offered = (UINT16)Device->Offered;
	state.Protocol = (UINT16)ReadAcquire(&Device->Version);
	state.Step = (UINT16)ReadAcquire(&Device->Step);
	state.MaximumTransfer = Device->Config.MaximumTransfer;
	state.Instance = Device->Config.Instance;
	state.Sum = VspSum(&state);
	status = Saver->Write(Saver->Context, &state, sizeof(state));

	for (i = 0; NT_SUCCESS(status) && i < Device->ChannelCount; i++)
		if (Device->Channels[i].Saving)
			status = VspSaveChannel(&Device->Channels[i], Saver);
	if (NT_SUCCESS(status))
		status = VspWritePiece(Saver, VSP_LAST, 0);
	return status;
}

/* All channels stop before the first is saved: they have a device in common. */
static NTSTATUS VspSaveBegin(PVSP_DEVICE Device)
{
	NTSTATUS status = STATUS_SUCCESS;
	PVSP_CHANNEL channel;
	ULONG i;

	for (i = 0; NT_SUCCESS(status) && i < Device->ChannelCount; i++) {
		channel = &Device->Channels[i];
		VspHold(channel);
		if (!ReadAcquire(&channel->Open))
			continue;
		status = VmbChannelSaveBegin(channel->Channel);
		channel->Saving = NT_SUCCESS(status);
	}
	return status;
}

static VOID VspSaveEnd(PVSP_DEVICE Device)
{
	ULONG i;

	for (i = 0; i < Device->ChannelCount; i++) {
		if (Device->Channels[i].Saving)
			VmbChannelSaveEnd(Device->Channels[i].Channel);
		Device->Channels[i].Saving = FALSE;
	}
}

NTSTATUS VspSave(PVSP_DEVICE Device, VSP_WRITE *Write, PVOID Context)
{
	VSP_SAVER saver = { Write, Context, NULL, 0 };
	NTSTATUS status;

	PAGED_CODE();

	if (Device->Saved)
		return STATUS_INVALID_DEVICE_STATE;
	status = VspGrowBuffer(&saver, VSP_BUFFER);
	if (!NT_SUCCESS(status))
		return status;

	status = VspSaveBegin(Device);
	if (NT_SUCCESS(status))
		status = VspSaveAll(Device, &saver);
	VspSaveEnd(Device);
	ExFreePoolWithTag(saver.Buffer, VSP_POOL_TAG);

	Device->Saved = TRUE;
	if (!NT_SUCCESS(status)) {
		VspPrint(Device, ERROR, "cannot be saved, status 0x%08x\n", (ULONG)status);
		VspResume(Device);
	}
	return status;
}

static VOID VspGo(PVSP_DEVICE Device)
{
	ULONG i;

	for (i = 0; i < Device->ChannelCount; i++) {
		/* One that is not enabled now is started when it is. */
		if (!i || i <= Device->Offered)
			VmbChannelStart(Device->Channels[i].Channel);
		VspRelease(&Device->Channels[i]);
	}
}

VOID VspResume(PVSP_DEVICE Device)
{
	PAGED_CODE();

	if (!Device->Saved)
		return;
	Device->Saved = FALSE;
	VspGo(Device);
}

/* ---- restore ---- */

/* What is left of a state. */
typedef struct _VSP_READER {
	PUCHAR At;
	ULONG Left;
} VSP_READER, *PVSP_READER;

static PVOID VspTake(PVSP_READER Reader, ULONG Length)
{
	PVOID at = Reader->At;

	if (Length > Reader->Left)
		return NULL;
	Reader->At += Length;
	Reader->Left -= Length;
	return at;
}

static BOOLEAN VspStateIsValid(PVSP_DEVICE Device, const VSP_STATE *State)
{
	return State->Magic == VSP_STATE_MAGIC && State->Version == VSP_STATE_VERSION &&
	       State->Sum == VspSum(State) && State->Offered < Device->ChannelCount &&
	       State->MaximumTransfer <= Device->Config.MaximumTransfer &&
	       RtlEqualMemory(&State->Instance, &Device->Config.Instance, sizeof(GUID));
}

/* The next piece, of a channel that there is; FALSE: there is none. */
static BOOLEAN VspTakePiece(PVSP_DEVICE Device, PVSP_READER Reader, PVSP_PIECE Piece,
			    PVOID *Bytes)
{
	PVOID at = VspTake(Reader, sizeof(*Piece));

	if (!at)
		return FALSE;
	RtlCopyMemory(Piece, at, sizeof(*Piece));
	*Bytes = VspTake(Reader, Piece->Length);
	return *Bytes && (Piece->Channel == VSP_LAST || Piece->Channel <= Device->Offered);
}

static BOOLEAN VspPiecesAreValid(PVSP_DEVICE Device, VSP_READER Reader)
{
	VSP_PIECE piece;
	PVOID bytes;

	while (VspTakePiece(Device, &Reader, &piece, &bytes))
		if (piece.Channel == VSP_LAST)
			return !piece.Length && !Reader.Left;
	return FALSE;
}

/* All pieces of a channel come before those of the next. */
static NTSTATUS VspRestoreChannels(PVSP_DEVICE Device, PVSP_READER Reader)
{
	NTSTATUS status = STATUS_SUCCESS;
	PVSP_CHANNEL channel;
	ULONG last = 0;
	VSP_PIECE piece;
	PVOID bytes;

	while (VspTakePiece(Device, Reader, &piece, &bytes) && piece.Channel != VSP_LAST) {
		if (status == STATUS_MORE_PROCESSING_REQUIRED && piece.Channel != last)
			return STATUS_INVALID_PARAMETER;
		last = piece.Channel;
		channel = &Device->Channels[last];
		status = VmbChannelRestoreFromBuffer(channel->Channel, bytes, piece.Length);
		if (NT_SUCCESS(status))
			InterlockedExchange(&channel->Open, 1);
		else if (status != STATUS_MORE_PROCESSING_REQUIRED)
			return status;
	}
	return status == STATUS_MORE_PROCESSING_REQUIRED ? STATUS_INVALID_PARAMETER : status;
}

NTSTATUS VspRestore(PVSP_DEVICE Device, PVOID State, ULONG Length)
{
	VSP_READER reader = { State, Length };
	VSP_STATE state;
	NTSTATUS status;
	PVOID at;
	ULONG i;

	PAGED_CODE();

	at = VspTake(&reader, sizeof(state));
	if (!at)
		return STATUS_INVALID_PARAMETER;
	RtlCopyMemory(&state, at, sizeof(state));
	if (!VspStateIsValid(Device, &state)) {
		VspPrint(Device, ERROR, "this is not a state of this controller\n");
		return STATUS_INVALID_PARAMETER;
	}
	Device->Offered = state.Offered;
	if (!VspPiecesAreValid(Device, reader)) {
		VspPrint(Device, ERROR, "this state is not whole\n");
		Device->Offered = 0;
		return STATUS_INVALID_PARAMETER;
	}
	InterlockedExchange(&Device->Version, state.Protocol);
	InterlockedExchange(&Device->Step, state.Step);
	Device->Config.MaximumTransfer = state.MaximumTransfer;
	for (i = 0; i < Device->ChannelCount; i++)
		VspHold(&Device->Channels[i]);

	status = VspRestoreChannels(Device, &reader);
	for (i = 0; NT_SUCCESS(status) && i <= Device->Offered; i++)
		status = VmbChannelEnable(Device->Channels[i].Channel);
	if (!NT_SUCCESS(status)) {
		VspPrint(Device, ERROR, "cannot be restored, status 0x%08x\n", (ULONG)status);
		return status;
	}
	VspGo(Device);
	return STATUS_SUCCESS;
}
