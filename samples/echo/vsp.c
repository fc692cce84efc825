// SPDX-License-Identifier: GPL-2.0
/* The VSP: every packet is answered with its own contents. */
#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "echo.h"

const GUID EchoType = { 0x6563686f, 0x6b6d, 0x636c, { 0x80, 0, 0, 0, 0, 0, 0, 1 } };
const GUID EchoInstance = { 0x6563686f, 0x6b6d, 0x636c, { 0x80, 0, 0, 0, 0, 0, 0, 2 } };

static VMBCHANNEL EchoServer;

static VOID EchoProcessPacket(VMBCHANNEL Channel, VMBPACKETCOMPLETION Packet, PVOID Buffer,
			      UINT32 BufferLength, UINT32 Flags)
{
	UNREFERENCED_PARAMETER(Channel);
	UNREFERENCED_PARAMETER(Flags);

	VmbChannelPacketComplete(Packet, Buffer, BufferLength);
}

static NTSTATUS EchoOffer(VOID)
{
	NTSTATUS status;

	status = VmbServerChannelInitSetFlags(EchoServer,
					      VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER);
	if (!NT_SUCCESS(status))
		return status;
	status = VmbServerChannelInitSetTargetInterfaceId(EchoServer, EchoType, EchoInstance);
	if (!NT_SUCCESS(status))
		return status;
	status = VmbChannelInitSetProcessPacketCallbacks(EchoServer, EchoProcessPacket, NULL);
	if (!NT_SUCCESS(status))
		return status;
	return VmbChannelEnable(EchoServer);
}

NTSTATUS EchoVspCreate(VOID)
{
	NTSTATUS status = VmbChannelAllocate(NULL, TRUE, &EchoServer);

	if (!NT_SUCCESS(status))
		return status;
	status = EchoOffer();
	if (!NT_SUCCESS(status)) {
		VmbChannelCleanup(EchoServer);
		return status;
	}
	/* Until then clients can open, and nothing flows. */
	VmbChannelStart(EchoServer);
	return STATUS_SUCCESS;
}

VOID EchoVspDestroy(VOID)
{
	VmbChannelDisable(EchoServer);
	VmbChannelCleanup(EchoServer);
}
