// SPDX-License-Identifier: GPL-2.0
/* The library's functions, as the suites call them (wrap.h). */
#include "calls.h"
#include "wrap.h"

WRAP_STATUS(VmbChannelAllocate, (PDEVICE_OBJECT a, BOOLEAN b, VMBCHANNEL *c), (a, b, c))
WRAP_NOTHING(VmbChannelCleanup, (VMBCHANNEL a), (a))
WRAP_STATUS(VmbChannelCreateGpadlFromBuffer,
	(VMBCHANNEL a, UINT32 b, PVOID c, UINT32 d, PUINT32 e), (a, b, c, d, e))
WRAP_STATUS(VmbChannelCreateGpadlFromMdl,
	(VMBCHANNEL a, UINT32 b, PMDL c, UINT32 d, UINT32 e, PUINT32 f), (a, b, c, d, e, f))
WRAP_NOTHING(VmbChannelDeleteGpadl, (VMBCHANNEL a, UINT32 b), (a, b))
WRAP_NOTHING(VmbChannelDisable, (VMBCHANNEL a), (a))
WRAP_STATUS(VmbChannelEnable, (VMBCHANNEL a), (a))
WRAP_NOTHING(VmbChannelGetInterfaceInstance, (VMBCHANNEL a, LPGUID b), (a, b))
WRAP_NOTHING(VmbChannelGetMmioSpace, (VMBCHANNEL a, UINT64 *b, UINT64 *c), (a, b, c))
WRAP_VALUE(PVOID, VmbChannelGetPointer, (VMBCHANNEL a), (a))
WRAP_STATUS(VmbChannelInitSetClientContextSize, (VMBCHANNEL a, UINT32 b), (a, b))
WRAP_STATUS(VmbChannelInitSetFlags, (VMBCHANNEL a, UINT32 b), (a, b))
WRAP_STATUS(VmbChannelInitSetFriendlyName, (VMBCHANNEL a, PCUNICODE_STRING b), (a, b))
WRAP_STATUS(VmbChannelInitSetMaximumExternalData, (VMBCHANNEL a, UINT32 b, UINT32 c), (a, b, c))
WRAP_STATUS(VmbChannelInitSetMaximumPacketSize, (VMBCHANNEL a, UINT32 b), (a, b))
WRAP_STATUS(VmbChannelInitSetProcessPacketCallbacks,
	(VMBCHANNEL a, PFN_VMB_CHANNEL_PROCESS_PACKET b, PFN_VMB_CHANNEL_PROCESSING_COMPLETE c),
	(a, b, c))
WRAP_STATUS(VmbChannelInitSetStateChangeCallbacks,
	(VMBCHANNEL a, PVMB_CHANNEL_STATE_CHANGE_CALLBACKS b), (a, b))
WRAP_NOTHING(VmbChannelPacketComplete, (VMBPACKETCOMPLETION a, PVOID b, UINT32 c), (a, b, c))
WRAP_NOTHING(VmbChannelPacketDeferToPassive, (VMBPACKETCOMPLETION a), (a))
WRAP_NOTHING(VmbChannelPacketFail, (VMBPACKETCOMPLETION a), (a))
WRAP_STATUS(VmbChannelPacketGetExternalData, (VMBPACKETCOMPLETION a, UINT32 b, PMDL *c), (a, b, c))
WRAP_NOTHING(VmbChannelPause, (VMBCHANNEL a), (a))
WRAP_STATUS(VmbChannelSendSynchronousRequest,
	(VMBCHANNEL a, PVOID b, UINT32 c, PMDL d, UINT32 e, PVOID f, PUINT32 g, PLARGE_INTEGER h),
	(a, b, c, d, e, f, g, h))
WRAP_NOTHING(VmbChannelSetIncomingProcessingAtPassive, (VMBCHANNEL a, BOOLEAN b), (a, b))
WRAP_STATUS(VmbChannelSetInterruptLatency, (VMBCHANNEL a, UINT16 b, PUINT16 c), (a, b, c))
WRAP_NOTHING(VmbChannelSetPointer, (VMBCHANNEL a, PVOID b), (a, b))
WRAP_NOTHING(VmbChannelSetTransactionQuota, (VMBCHANNEL a, UINT32 b), (a, b))
WRAP_VALUE(UINT32, VmbChannelSizeofPacket, (VMBCHANNEL a), (a))
WRAP_NOTHING(VmbChannelStart, (VMBCHANNEL a), (a))
WRAP_STATUS(VmbClientChannelInitSetRingBufferPageCount,
	(VMBCHANNEL a, UINT32 b, UINT32 c), (a, b, c))
WRAP_STATUS(VmbClientChannelInitSetTargetPnp,
	(VMBCHANNEL a, LPCGUID b, LPCGUID c, PFN_VMB_CHANNEL_PNP_FAILURE d), (a, b, c, d))
WRAP_VALUE(VMBPACKET, VmbPacketAllocate, (VMBCHANNEL a), (a))
WRAP_NOTHING(VmbPacketFree, (VMBPACKET a), (a))
WRAP_VALUE(VMBCHANNEL, VmbPacketGetChannel, (VMBPACKET a), (a))
WRAP_VALUE(PVOID, VmbPacketGetPointer, (VMBPACKET a), (a))
WRAP_STATUS(VmbPacketInitialize, (VMBCHANNEL a, VMBPACKET b, UINT32 c), (a, b, c))
WRAP_STATUS(VmbPacketSend, (VMBPACKET a, PVOID b, UINT32 c, PMDL d, UINT32 e), (a, b, c, d, e))
WRAP_STATUS(VmbPacketSendWithExternalMdl,
	(VMBPACKET a, PVOID b, UINT32 c, PMDL d, UINT32 e, UINT32 f, UINT32 g),
	(a, b, c, d, e, f, g))
WRAP_STATUS(VmbPacketSendWithExternalPfns,
	(VMBPACKET a, PVOID b, UINT32 c, PPFN_NUMBER d, UINT32 e, UINT32 f), (a, b, c, d, e, f))
WRAP_NOTHING(VmbPacketSetCompletionRoutine,
	(VMBPACKET a, PFN_VMB_PACKET_COMPLETION_ROUTINE b), (a, b))
WRAP_NOTHING(VmbPacketSetPointer, (VMBPACKET a, PVOID b), (a, b))
WRAP_VALUE(PVOID, VmbChannelPacketGetClientContext, (VMBPACKETCOMPLETION a), (a))
WRAP_NOTHING(VmbChannelGetTargetDeviceObject, (VMBCHANNEL a, PDEVICE_OBJECT *b), (a, b))
WRAP_NOTHING(VmbChannelGetParentDeviceObject, (VMBCHANNEL a, PDEVICE_OBJECT *b), (a, b))
WRAP_STATUS(VmbChannelInitSetBounceBufferSizes,
	(VMBCHANNEL a, UINT32 b, UINT32 c, UINT32 d), (a, b, c, d))
WRAP_STATUS(VmbChannelAllocateBounceBuffer, (VMBCHANNEL a, UINT32 b), (a, b))
WRAP_STATUS(VmbChannelInitSetMaximumPacketCount, (VMBCHANNEL a, UINT32 b), (a, b))
WRAP_STATUS(VmbChannelCreateGpadlFromPfnList,
	(VMBCHANNEL a, UINT32 b, PPFN_NUMBER c, UINT32 d, PUINT32 e), (a, b, c, d, e))
WRAP_STATUS(VmbChannelInitSetPrimaryChannel, (VMBCHANNEL a, VMBCHANNEL b, UINT16 c), (a, b, c))
WRAP_STATUS(VmbChannelInitialize,
	(PDEVICE_OBJECT a, BOOLEAN b, VMBCHANNEL c, ULONG d), (a, b, c, d))
WRAP_NOTHING(VmbChannelSetAllowableDpcCpuUsage, (VMBCHANNEL a, UINT8 b), (a, b))
WRAP_STATUS(VmbClientChannelInitSetTargetProcessorIndex, (VMBCHANNEL a, ULONG b), (a, b))
WRAP_VALUE(ULONG, VmbSizeofChannel, (void), ())
WRAP_STATUS(VmbChannelInitSetInlinePacketContextSize, (VMBCHANNEL a, UINT32 b), (a, b))
WRAP_VALUE(PVOID, VmbPacketGetInlinePacketContextPointer, (VMBPACKET a), (a))
WRAP_STATUS(VmbChannelInitSetProcessPacketCallbacksEx,
	(VMBCHANNEL a, PVOID b, PFN_VMB_CHANNEL_PROCESS_PACKET_EX c, PFN_VMB_CHANNEL_PROCESSING_COMPLETE_EX d),
	(a, b, c, d))
WRAP_NOTHING(VmbPacketSetCompletionRoutineEx,
	(VMBPACKET a, PVOID b, PFN_VMB_PACKET_COMPLETION_ROUTINE_EX c), (a, b, c))
WRAP_STATUS(VmbChannelCreateGpadl, (VMBCHANNEL a, UINT32 b, UINT32 c, PUINT32 d), (a, b, c, d))
WRAP_STATUS(VmbChannelGetSystemAddressForGpadl,
	(VMBCHANNEL a, UINT32 b, UINT32 c, PVOID *d), (a, b, c, d))

WRAP_STATUS(VmbChannelMapGpadl, (VMBCHANNEL a, UINT32 b, UINT32 c, PMDL *d), (a, b, c, d))
WRAP_NOTHING(VmbChannelUnmapGpadl, (VMBCHANNEL a, UINT32 b), (a, b))
WRAP_STATUS(VmbChannelSaveBegin, (VMBCHANNEL a), (a))
WRAP_STATUS(VmbChannelSaveContinue,
	(VMBCHANNEL a, PVOID b, ULONG c, PULONG d, PULONG e), (a, b, c, d, e))
WRAP_NOTHING(VmbChannelSaveEnd, (VMBCHANNEL a), (a))
WRAP_STATUS(VmbChannelRestoreFromBuffer, (VMBCHANNEL a, PVOID b, ULONG c), (a, b, c))
WRAP_STATUS(VmbPacketRestore, (VMBPACKET a, PVOID b, ULONG c), (a, b, c))
WRAP_STATUS(VmbConvertVmbusHandleToKernelHandle, (HANDLE a, PHANDLE b), (a, b))
WRAP_STATUS(VmbServerChannelInitSetFlags, (VMBCHANNEL a, UINT32 b), (a, b))
WRAP_STATUS(VmbServerChannelInitSetMmioMegabytes, (VMBCHANNEL a, UINT16 b, UINT16 c), (a, b, c))
WRAP_STATUS(VmbServerChannelInitSetSaveRestorePacketCallbacks,
	(VMBCHANNEL a, PFN_VMB_CHANNEL_SAVE_PACKET b, PFN_VMB_CHANNEL_RESTORE_PACKET c),
	(a, b, c))
WRAP_STATUS(VmbServerChannelInitSetSaveRestorePacketCallbacksEx,
	(VMBCHANNEL a, PVOID b, PFN_VMB_CHANNEL_SAVE_PACKET_EX c, PFN_VMB_CHANNEL_RESTORE_PACKET_EX d),
	(a, b, c, d))
WRAP_STATUS(VmbServerChannelInitSetTargetInterfaceId, (VMBCHANNEL a, GUID b, GUID c), (a, b, c))
WRAP_STATUS(VmbServerChannelInitSetTargetVtl, (VMBCHANNEL a, UINT8 b), (a, b))
WRAP_STATUS(VmbServerChannelInitSetVmbusHandle, (VMBCHANNEL a, HANDLE b), (a, b))
