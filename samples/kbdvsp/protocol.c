// SPDX-License-Identifier: GPL-2.0
/*
 * The server of the synthetic keyboard: it answers the question about the version,
 * then it sends keystrokes.
 *
 * Written as a Windows driver writes it.
 *
 *	         Opened            a version that is known
 *	Closed ----------> Opened -------------------------> Accepted
 *	  ^                   ^  <-------------------------     |
 *	  |                   |     a version that is not       |
 *	  +---- Closed -------+---------------------------------+
 *
 * A client may ask again at any time; nothing is sent before it has agreed.  Every
 * message is completed, with nothing in it: the response is a message of its own.
 */
#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "../keyboard/wire.h"
#include "protocol.h"

/* "Kbvs" in a memory dump. */
#define KBV_POOL_TAG		0x7376624b

/* Keystrokes that wait for a client to read. */
#define KBV_MAXIMUM_QUEUE	256

#define KbvPrint(Level, Format, ...)						\
	DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_ ## Level ## _LEVEL, Format, ##__VA_ARGS__)

/* f912ad6d-2b17-48ea-bd65-f927a61c7684 */
static const GUID KbvType = {
	0xf912ad6d, 0x2b17, 0x48ea, { 0xbd, 0x65, 0xf9, 0x27, 0xa6, 0x1c, 0x76, 0x84 }
};

static const GUID KbvInstance = {
	0x6b6d636c, 0x6b62, 0x4000, { 0x80, 0, 0, 0, 0, 0, 0, 1 }
};

typedef enum _KBV_STATE {
	KbvClosed,
	KbvOpened,
	KbvAccepted,
} KBV_STATE;

struct _KBV_DEVICE {
	VMBCHANNEL Channel;
	/* KBV_STATE */
	LONG State;
	LONG Leds;
	LONG64 Keystrokes;
	LONG64 BadMessages;
};

/*
 * The client decides how many of these there are, so only the first, the second, the
 * fourth and so on are worth a line.
 */
static VOID KbvBadMessage(PKBV_DEVICE Device, const char *Why, ULONG Value)
{
	LONG64 n = InterlockedIncrement64(&Device->BadMessages);

	if ((n & (n - 1)) == 0)
		KbvPrint(WARNING, "bad message: %s (%u); %lld so far\n", Why, Value, n);
}

static NTSTATUS KbvSend(PKBV_DEVICE Device, PVOID Message, UINT32 Length)
{
	VMBPACKET packet = VmbPacketAllocate(Device->Channel);
	NTSTATUS status;

	if (!packet)
		return STATUS_INSUFFICIENT_RESOURCES;
	/* The packet's default completion routine frees it. */
	status = VmbPacketSend(packet, Message, Length, NULL, 0);
	if (!NT_SUCCESS(status))
		VmbPacketFree(packet);
	return status;
}

/* ---- from the client ---- */

static VOID KbvOnRequest(PKBV_DEVICE Device, PKB_REQUEST Request)
{
	BOOLEAN known = Request->Version == KB_VERSION_1_0;
	KB_RESPONSE response;
	NTSTATUS status;

	if (!known)
		KbvBadMessage(Device, "a client of unknown version", Request->Version);
	response.Type = KB_TYPE_RESPONSE;
	response.Status = known ? KB_ACCEPTED : 0;
	status = KbvSend(Device, &response, sizeof(response));
	if (!NT_SUCCESS(status)) {
		KbvPrint(ERROR, "a client gets no response, status 0x%08x\n", (ULONG)status);
		known = FALSE;
	}
	/* The response is in the ring, or queued for it, before any keystroke is. */
	InterlockedExchange(&Device->State, known ? KbvAccepted : KbvOpened);
}

static VOID KbvProcessPacket(VMBCHANNEL Channel, PVOID CallbackContext,
			     VMBPACKETCOMPLETION Packet, PVOID Buffer, UINT32 BufferLength,
			     UINT32 Flags)
{
	PKBV_DEVICE device = CallbackContext;
	PUINT32 type = Buffer;

	UNREFERENCED_PARAMETER(Channel);
	UNREFERENCED_PARAMETER(Flags);

	if (BufferLength < sizeof(*type))
		KbvBadMessage(device, "no type, length", BufferLength);
	else if (*type == KB_TYPE_REQUEST && BufferLength >= sizeof(KB_REQUEST))
		KbvOnRequest(device, Buffer);
	else if (*type == KB_TYPE_LEDS && BufferLength >= sizeof(KB_LEDS))
		InterlockedExchange(&device->Leds, ((PKB_LEDS)Buffer)->Flags);
	else if (*type == KB_TYPE_REQUEST || *type == KB_TYPE_LEDS)
		KbvBadMessage(device, "too short for its type", *type);
	else
		KbvBadMessage(device, "unknown type", *type);
	VmbChannelPacketComplete(Packet, NULL, 0);
}

/* ---- channel ---- */

static NTSTATUS KbvOnOpened(VMBCHANNEL Channel, PVOID CallbackContext)
{
	PKBV_DEVICE device = CallbackContext;

	PAGED_CODE();
	UNREFERENCED_PARAMETER(Channel);

	InterlockedExchange(&device->Leds, 0);
	InterlockedExchange(&device->State, KbvOpened);
	return STATUS_SUCCESS;
}

static VOID KbvOnSuspend(VMBCHANNEL Channel, PVOID CallbackContext)
{
	PKBV_DEVICE device = CallbackContext;

	PAGED_CODE();
	UNREFERENCED_PARAMETER(Channel);

	InterlockedExchange(&device->State, KbvClosed);
}

static NTSTATUS KbvConfigureServer(VMBCHANNEL Channel, HANDLE Bus)
{
	NTSTATUS status;

	status = VmbServerChannelInitSetTargetInterfaceId(Channel, KbvType, KbvInstance);
	if (!NT_SUCCESS(status))
		return status;
	if (Bus)
		return VmbServerChannelInitSetVmbusHandle(Channel, Bus);
	return VmbServerChannelInitSetFlags(Channel,
					    VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER);
}

static NTSTATUS KbvConfigure(PKBV_DEVICE Device, HANDLE Bus)
{
	DECLARE_CONST_UNICODE_STRING(name, L"Keyboard Server");
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5 callbacks;
	PVMB_CHANNEL_STATE_CHANGE_CALLBACKS legacy;
	NTSTATUS status;

	status = KbvConfigureServer(Device->Channel, Bus);
	if (!NT_SUCCESS(status))
		return status;
	status = VmbChannelInitSetFriendlyName(Device->Channel, &name);
	if (!NT_SUCCESS(status))
		return status;
	status = VmbChannelInitSetMaximumPacketSize(Device->Channel, KB_MAXIMUM_MESSAGE);
	if (!NT_SUCCESS(status))
		return status;
	status = VmbChannelInitSetMaximumPacketCount(Device->Channel, KBV_MAXIMUM_QUEUE);
	if (!NT_SUCCESS(status))
		return status;

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT_V5(&callbacks);
	callbacks.CallbackContext = Device;
	callbacks.EvtChannelOpenedEx = KbvOnOpened;
	callbacks.EvtChannelSuspendEx = KbvOnSuspend;
	/* Both forms go through one function, which looks at the version. */
	legacy = (PVMB_CHANNEL_STATE_CHANGE_CALLBACKS)&callbacks;
	status = VmbChannelInitSetStateChangeCallbacks(Device->Channel, legacy);
	if (!NT_SUCCESS(status))
		return status;

	return VmbChannelInitSetProcessPacketCallbacksEx(Device->Channel, Device,
							 KbvProcessPacket, NULL);
}

NTSTATUS KbvCreate(PDEVICE_OBJECT Parent, HANDLE Bus, PKBV_DEVICE *Device)
{
	PKBV_DEVICE device;
	NTSTATUS status;

	PAGED_CODE();

	device = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*device), KBV_POOL_TAG);
	if (!device)
		return STATUS_INSUFFICIENT_RESOURCES;
	status = VmbChannelAllocate(Parent, TRUE, &device->Channel);
	if (!NT_SUCCESS(status))
		goto FreeDevice;
	status = KbvConfigure(device, Bus);
	if (!NT_SUCCESS(status))
		goto CleanupChannel;
	status = VmbChannelEnable(device->Channel);
	if (!NT_SUCCESS(status))
		goto CleanupChannel;
	VmbChannelStart(device->Channel);

	*Device = device;
	return STATUS_SUCCESS;

CleanupChannel:
	VmbChannelCleanup(device->Channel);
FreeDevice:
	ExFreePoolWithTag(device, KBV_POOL_TAG);
	return status;
}

VOID KbvDestroy(PKBV_DEVICE Device)
{
	PAGED_CODE();

	VmbChannelDisable(Device->Channel);
	VmbChannelCleanup(Device->Channel);
	ExFreePoolWithTag(Device, KBV_POOL_TAG);
}

/* ---- keys ---- */

NTSTATUS KbvKeystroke(PKBV_DEVICE Device, UINT8 ScanCode, ULONG Prefix, BOOLEAN Down)
{
	KB_KEYSTROKE keystroke;
	NTSTATUS status;

	if (ScanCode < 1 || ScanCode > 0x7f || Prefix > KBV_PREFIX_E1)
		return STATUS_INVALID_PARAMETER;
	if (ReadAcquire(&Device->State) != KbvAccepted)
		return STATUS_INVALID_DEVICE_STATE;

	RtlZeroMemory(&keystroke, sizeof(keystroke));
	keystroke.Type = KB_TYPE_KEYSTROKE;
	keystroke.MakeCode = ScanCode;
	if (Prefix & KBV_PREFIX_E0)
		keystroke.Flags |= KB_FLAG_E0;
	if (Prefix & KBV_PREFIX_E1)
		keystroke.Flags |= KB_FLAG_E1;
	if (!Down)
		keystroke.Flags |= KB_FLAG_BREAK;
	status = KbvSend(Device, &keystroke, sizeof(keystroke));
	if (NT_SUCCESS(status))
		InterlockedIncrement64(&Device->Keystrokes);
	return status;
}

VOID KbvQueryCounters(PKBV_DEVICE Device, PKBV_COUNTERS Counters)
{
	Counters->Connected = ReadAcquire(&Device->State) == KbvAccepted;
	Counters->Leds = (ULONG)ReadAcquire(&Device->Leds);
	Counters->Keystrokes = ReadNoFence64(&Device->Keystrokes);
	Counters->BadMessages = ReadNoFence64(&Device->BadMessages);
}
