/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The names of all 74 functions, by the table and version that has them first,
 * each list in the order of the table.
 *
 * What must be true of every function is said once and expanded from here: the
 * tables that interface.c hands out, and the suites' walk over them.
 */
#ifndef _KMCL_FUNCTIONS_H
#define _KMCL_FUNCTIONS_H

/* 41 */
#define KMCL_CLIENT_FUNCTIONS_V1(F)						\
	F(VmbChannelAllocate)							\
	F(VmbChannelCleanup)							\
	F(VmbChannelCreateGpadlFromBuffer)					\
	F(VmbChannelCreateGpadlFromMdl)						\
	F(VmbChannelDeleteGpadl)						\
	F(VmbChannelDisable)							\
	F(VmbChannelEnable)							\
	F(VmbChannelGetInterfaceInstance)					\
	F(VmbChannelGetMmioSpace)						\
	F(VmbChannelGetPointer)							\
	F(VmbChannelInitSetClientContextSize)					\
	F(VmbChannelInitSetFlags)						\
	F(VmbChannelInitSetFriendlyName)					\
	F(VmbChannelInitSetMaximumExternalData)					\
	F(VmbChannelInitSetMaximumPacketSize)					\
	F(VmbChannelInitSetProcessPacketCallbacks)				\
	F(VmbChannelInitSetStateChangeCallbacks)				\
	F(VmbChannelPacketComplete)						\
	F(VmbChannelPacketDeferToPassive)					\
	F(VmbChannelPacketFail)							\
	F(VmbChannelPacketGetExternalData)					\
	F(VmbChannelPause)							\
	F(VmbChannelSendSynchronousRequest)					\
	F(VmbChannelSetIncomingProcessingAtPassive)				\
	F(VmbChannelSetInterruptLatency)					\
	F(VmbChannelSetPointer)							\
	F(VmbChannelSetTransactionQuota)					\
	F(VmbChannelSizeofPacket)						\
	F(VmbChannelStart)							\
	F(VmbClientChannelInitSetRingBufferPageCount)				\
	F(VmbClientChannelInitSetTargetPnp)					\
	F(VmbPacketAllocate)							\
	F(VmbPacketFree)							\
	F(VmbPacketGetChannel)							\
	F(VmbPacketGetPointer)							\
	F(VmbPacketInitialize)							\
	F(VmbPacketSend)							\
	F(VmbPacketSendWithExternalMdl)						\
	F(VmbPacketSendWithExternalPfns)					\
	F(VmbPacketSetCompletionRoutine)					\
	F(VmbPacketSetPointer)

/* 3 */
#define KMCL_CLIENT_FUNCTIONS_V2(F)						\
	F(VmbChannelPacketGetClientContext)					\
	F(VmbChannelGetTargetDeviceObject)					\
	F(VmbChannelGetParentDeviceObject)

/* 2 */
#define KMCL_CLIENT_FUNCTIONS_V3(F)						\
	F(VmbChannelInitSetBounceBufferSizes)					\
	F(VmbChannelAllocateBounceBuffer)

/* 2 */
#define KMCL_CLIENT_FUNCTIONS_V4(F)						\
	F(VmbChannelInitSetMaximumPacketCount)					\
	F(VmbChannelCreateGpadlFromPfnList)

/* 9 */
#define KMCL_CLIENT_FUNCTIONS_V5(F)						\
	F(VmbChannelInitSetPrimaryChannel)					\
	F(VmbChannelInitialize)							\
	F(VmbChannelSetAllowableDpcCpuUsage)					\
	F(VmbClientChannelInitSetTargetProcessorIndex)				\
	F(VmbSizeofChannel)							\
	F(VmbChannelInitSetInlinePacketContextSize)				\
	F(VmbPacketGetInlinePacketContextPointer)				\
	F(VmbChannelInitSetProcessPacketCallbacksEx)				\
	F(VmbPacketSetCompletionRoutineEx)

/* 2 in no table */
#define KMCL_FLAT_FUNCTIONS(F)							\
	F(VmbChannelCreateGpadl)						\
	F(VmbChannelGetSystemAddressForGpadl)

/* 14 for servers only */
#define KMCL_SERVER_FUNCTIONS_V1(F)						\
	F(VmbChannelMapGpadl)							\
	F(VmbChannelRestoreFromBuffer)						\
	F(VmbChannelSaveBegin)							\
	F(VmbChannelSaveContinue)						\
	F(VmbChannelSaveEnd)							\
	F(VmbChannelUnmapGpadl)							\
	F(VmbConvertVmbusHandleToKernelHandle)					\
	F(VmbPacketRestore)							\
	F(VmbServerChannelInitSetFlags)						\
	F(VmbServerChannelInitSetMmioMegabytes)					\
	F(VmbServerChannelInitSetSaveRestorePacketCallbacks)			\
	F(VmbServerChannelInitSetTargetInterfaceId)				\
	F(VmbServerChannelInitSetTargetVtl)					\
	F(VmbServerChannelInitSetVmbusHandle)

/* 1 */
#define KMCL_SERVER_FUNCTIONS_V5(F)						\
	F(VmbServerChannelInitSetSaveRestorePacketCallbacksEx)

/* What a table of the newest version begins with: 57. */
#define KMCL_CLIENT_FUNCTIONS(F)						\
	KMCL_CLIENT_FUNCTIONS_V1(F)						\
	KMCL_CLIENT_FUNCTIONS_V2(F)						\
	KMCL_CLIENT_FUNCTIONS_V3(F)						\
	KMCL_CLIENT_FUNCTIONS_V4(F)						\
	KMCL_CLIENT_FUNCTIONS_V5(F)

#endif
