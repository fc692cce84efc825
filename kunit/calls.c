// SPDX-License-Identifier: GPL-2.0
/*
 * What the suites call, and what comes back: written to the log when the suites are
 * unloaded, a line for each function and status, for scripts/functions.py.
 *
 * Linked with --wrap: a suite that calls a function of the API calls what stands
 * here, which calls the function. So a status counts as provoked only when a case
 * has really seen it. The library's calls of itself are not counted, nor are those
 * through a table.
 *
 * On a kernel that can let allocations fail each call is also asked how many it makes
 * on the caller's thread: a case that lets the n-th fail has tried that site of the
 * function; in all other calls one that is too far off to be met counts them. What
 * callbacks of the suites allocate is among them.
 */
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include "calls.h"

#define STATUSES	24		/* that one function returns, at most */

struct calls {
	const char *name;
	unsigned int seen;
	bool nothing;			/* returns none */
	NTSTATUS status[STATUSES];
	unsigned int sites;		/* allocations within a call, at most */
	unsigned int failed;		/* the last of them that has failed */
	unsigned int tried;		/* calls in which one was to fail */
	struct calls *next;
};

/* The failure that is still to come on this thread, and whose idea it is. */
struct watch {
	unsigned int nth;
	bool mine;
};

#ifdef CONFIG_FAULT_INJECTION
#define FAR	(1u << 20)

static struct watch watch_begin(void)
{
	struct watch w = {};

	if (!in_task())
		return w;
	w.mine = !current->fail_nth;
	if (w.mine)
		current->fail_nth = FAR;
	w.nth = current->fail_nth;
	return w;
}

static void watch_end(struct calls *c, struct watch w)
{
	unsigned int now = current->fail_nth;

	if (!w.nth)
		return;
	if (w.mine)
		current->fail_nth = 0;
	else if (w.nth <= FAR / 2)
		c->tried++;
	/* a callback may have begun or ended a sweep */
	if (now > w.nth || (!now && w.nth > FAR / 2))
		return;
	if (now)
		c->sites = max(c->sites, w.nth - now);
	else
		c->failed = max(c->failed, w.nth);
}
#else
static struct watch watch_begin(void)
{
	return (struct watch) {};
}

static void watch_end(struct calls *c, struct watch w)
{
}
#endif

static DEFINE_SPINLOCK(lock);
static struct calls *all;

static void note(struct calls *c, NTSTATUS status)
{
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&lock, flags);
	for (i = 0; i < c->seen; i++)
		if (c->status[i] == status)
			break;
	if (i == c->seen && i < STATUSES) {
		c->status[c->seen++] = status;
		if (!i) {
			c->next = all;
			all = c;
		}
	}
	spin_unlock_irqrestore(&lock, flags);
}

/* A function that is not built is a weak symbol: no case calls it. */
#define WRAP(name) extern typeof(name) __wrap_##name;

#define STATUS(what, params, args)						\
	WRAP(what)								\
	NTSTATUS __wrap_##what params						\
	{									\
		static struct calls calls = { .name = #what };			\
		struct watch watch = watch_begin();				\
		NTSTATUS status = __real_##what args;				\
										\
		watch_end(&calls, watch);					\
		note(&calls, status);						\
		return status;							\
	}

/* Returns something else: whether it is 0 is noted. */
#define VALUE(type, what, params, args)						\
	WRAP(what)								\
	type __wrap_##what params						\
	{									\
		static struct calls calls = { .name = #what, .nothing = true };	\
		struct watch watch = watch_begin();				\
		type value = __real_##what args;				\
										\
		watch_end(&calls, watch);					\
		note(&calls, !value);						\
		return value;							\
	}

#define NOTHING(what, params, args)						\
	WRAP(what)								\
	void __wrap_##what params						\
	{									\
		static struct calls calls = { .name = #what, .nothing = true };	\
		struct watch watch = watch_begin();				\
										\
		__real_##what args;						\
		watch_end(&calls, watch);					\
		note(&calls, 0);							\
	}

STATUS(VmbChannelAllocate, (PDEVICE_OBJECT a, BOOLEAN b, VMBCHANNEL *c), (a, b, c))
NOTHING(VmbChannelCleanup, (VMBCHANNEL a), (a))
STATUS(VmbChannelCreateGpadlFromBuffer,
	(VMBCHANNEL a, UINT32 b, PVOID c, UINT32 d, PUINT32 e), (a, b, c, d, e))
STATUS(VmbChannelCreateGpadlFromMdl,
	(VMBCHANNEL a, UINT32 b, PMDL c, UINT32 d, UINT32 e, PUINT32 f), (a, b, c, d, e, f))
NOTHING(VmbChannelDeleteGpadl, (VMBCHANNEL a, UINT32 b), (a, b))
NOTHING(VmbChannelDisable, (VMBCHANNEL a), (a))
STATUS(VmbChannelEnable, (VMBCHANNEL a), (a))
NOTHING(VmbChannelGetInterfaceInstance, (VMBCHANNEL a, LPGUID b), (a, b))
NOTHING(VmbChannelGetMmioSpace, (VMBCHANNEL a, UINT64 *b, UINT64 *c), (a, b, c))
VALUE(PVOID, VmbChannelGetPointer, (VMBCHANNEL a), (a))
STATUS(VmbChannelInitSetClientContextSize, (VMBCHANNEL a, UINT32 b), (a, b))
STATUS(VmbChannelInitSetFlags, (VMBCHANNEL a, UINT32 b), (a, b))
STATUS(VmbChannelInitSetFriendlyName, (VMBCHANNEL a, PCUNICODE_STRING b), (a, b))
STATUS(VmbChannelInitSetMaximumExternalData, (VMBCHANNEL a, UINT32 b, UINT32 c), (a, b, c))
STATUS(VmbChannelInitSetMaximumPacketSize, (VMBCHANNEL a, UINT32 b), (a, b))
STATUS(VmbChannelInitSetProcessPacketCallbacks,
	(VMBCHANNEL a, PFN_VMB_CHANNEL_PROCESS_PACKET b, PFN_VMB_CHANNEL_PROCESSING_COMPLETE c),
	(a, b, c))
STATUS(VmbChannelInitSetStateChangeCallbacks,
	(VMBCHANNEL a, PVMB_CHANNEL_STATE_CHANGE_CALLBACKS b), (a, b))
NOTHING(VmbChannelPacketComplete, (VMBPACKETCOMPLETION a, PVOID b, UINT32 c), (a, b, c))
NOTHING(VmbChannelPacketDeferToPassive, (VMBPACKETCOMPLETION a), (a))
NOTHING(VmbChannelPacketFail, (VMBPACKETCOMPLETION a), (a))
STATUS(VmbChannelPacketGetExternalData, (VMBPACKETCOMPLETION a, UINT32 b, PMDL *c), (a, b, c))
NOTHING(VmbChannelPause, (VMBCHANNEL a), (a))
STATUS(VmbChannelSendSynchronousRequest,
	(VMBCHANNEL a, PVOID b, UINT32 c, PMDL d, UINT32 e, PVOID f, PUINT32 g, PLARGE_INTEGER h),
	(a, b, c, d, e, f, g, h))
NOTHING(VmbChannelSetIncomingProcessingAtPassive, (VMBCHANNEL a, BOOLEAN b), (a, b))
STATUS(VmbChannelSetInterruptLatency, (VMBCHANNEL a, UINT16 b, PUINT16 c), (a, b, c))
NOTHING(VmbChannelSetPointer, (VMBCHANNEL a, PVOID b), (a, b))
NOTHING(VmbChannelSetTransactionQuota, (VMBCHANNEL a, UINT32 b), (a, b))
VALUE(UINT32, VmbChannelSizeofPacket, (VMBCHANNEL a), (a))
NOTHING(VmbChannelStart, (VMBCHANNEL a), (a))
STATUS(VmbClientChannelInitSetRingBufferPageCount, (VMBCHANNEL a, UINT32 b, UINT32 c), (a, b, c))
STATUS(VmbClientChannelInitSetTargetPnp,
	(VMBCHANNEL a, LPCGUID b, LPCGUID c, PFN_VMB_CHANNEL_PNP_FAILURE d), (a, b, c, d))
VALUE(VMBPACKET, VmbPacketAllocate, (VMBCHANNEL a), (a))
NOTHING(VmbPacketFree, (VMBPACKET a), (a))
VALUE(VMBCHANNEL, VmbPacketGetChannel, (VMBPACKET a), (a))
VALUE(PVOID, VmbPacketGetPointer, (VMBPACKET a), (a))
STATUS(VmbPacketInitialize, (VMBCHANNEL a, VMBPACKET b, UINT32 c), (a, b, c))
STATUS(VmbPacketSend, (VMBPACKET a, PVOID b, UINT32 c, PMDL d, UINT32 e), (a, b, c, d, e))
STATUS(VmbPacketSendWithExternalMdl,
	(VMBPACKET a, PVOID b, UINT32 c, PMDL d, UINT32 e, UINT32 f, UINT32 g),
	(a, b, c, d, e, f, g))
STATUS(VmbPacketSendWithExternalPfns,
	(VMBPACKET a, PVOID b, UINT32 c, PPFN_NUMBER d, UINT32 e, UINT32 f), (a, b, c, d, e, f))
NOTHING(VmbPacketSetCompletionRoutine, (VMBPACKET a, PFN_VMB_PACKET_COMPLETION_ROUTINE b), (a, b))
NOTHING(VmbPacketSetPointer, (VMBPACKET a, PVOID b), (a, b))
VALUE(PVOID, VmbChannelPacketGetClientContext, (VMBPACKETCOMPLETION a), (a))
NOTHING(VmbChannelGetTargetDeviceObject, (VMBCHANNEL a, PDEVICE_OBJECT *b), (a, b))
NOTHING(VmbChannelGetParentDeviceObject, (VMBCHANNEL a, PDEVICE_OBJECT *b), (a, b))
STATUS(VmbChannelInitSetBounceBufferSizes,
	(VMBCHANNEL a, UINT32 b, UINT32 c, UINT32 d), (a, b, c, d))
STATUS(VmbChannelAllocateBounceBuffer, (VMBCHANNEL a, UINT32 b), (a, b))
STATUS(VmbChannelInitSetMaximumPacketCount, (VMBCHANNEL a, UINT32 b), (a, b))
STATUS(VmbChannelCreateGpadlFromPfnList,
	(VMBCHANNEL a, UINT32 b, PPFN_NUMBER c, UINT32 d, PUINT32 e), (a, b, c, d, e))
STATUS(VmbChannelInitSetPrimaryChannel, (VMBCHANNEL a, VMBCHANNEL b, UINT16 c), (a, b, c))
STATUS(VmbChannelInitialize, (PDEVICE_OBJECT a, BOOLEAN b, VMBCHANNEL c, ULONG d), (a, b, c, d))
NOTHING(VmbChannelSetAllowableDpcCpuUsage, (VMBCHANNEL a, UINT8 b), (a, b))
STATUS(VmbClientChannelInitSetTargetProcessorIndex, (VMBCHANNEL a, ULONG b), (a, b))
VALUE(ULONG, VmbSizeofChannel, (void), ())
STATUS(VmbChannelInitSetInlinePacketContextSize, (VMBCHANNEL a, UINT32 b), (a, b))
VALUE(PVOID, VmbPacketGetInlinePacketContextPointer, (VMBPACKET a), (a))
STATUS(VmbChannelInitSetProcessPacketCallbacksEx,
	(VMBCHANNEL a, PVOID b, PFN_VMB_CHANNEL_PROCESS_PACKET_EX c, PFN_VMB_CHANNEL_PROCESSING_COMPLETE_EX d),
	(a, b, c, d))
NOTHING(VmbPacketSetCompletionRoutineEx,
	(VMBPACKET a, PVOID b, PFN_VMB_PACKET_COMPLETION_ROUTINE_EX c), (a, b, c))
STATUS(VmbChannelCreateGpadl, (VMBCHANNEL a, UINT32 b, UINT32 c, PUINT32 d), (a, b, c, d))
STATUS(VmbChannelGetSystemAddressForGpadl,
	(VMBCHANNEL a, UINT32 b, UINT32 c, PVOID *d), (a, b, c, d))

STATUS(VmbChannelMapGpadl, (VMBCHANNEL a, UINT32 b, UINT32 c, PMDL *d), (a, b, c, d))
NOTHING(VmbChannelUnmapGpadl, (VMBCHANNEL a, UINT32 b), (a, b))
STATUS(VmbChannelSaveBegin, (VMBCHANNEL a), (a))
STATUS(VmbChannelSaveContinue,
	(VMBCHANNEL a, PVOID b, ULONG c, PULONG d, PULONG e), (a, b, c, d, e))
NOTHING(VmbChannelSaveEnd, (VMBCHANNEL a), (a))
STATUS(VmbChannelRestoreFromBuffer, (VMBCHANNEL a, PVOID b, ULONG c), (a, b, c))
STATUS(VmbPacketRestore, (VMBPACKET a, PVOID b, ULONG c), (a, b, c))
STATUS(VmbConvertVmbusHandleToKernelHandle, (HANDLE a, PHANDLE b), (a, b))
STATUS(VmbServerChannelInitSetFlags, (VMBCHANNEL a, UINT32 b), (a, b))
STATUS(VmbServerChannelInitSetMmioMegabytes, (VMBCHANNEL a, UINT16 b, UINT16 c), (a, b, c))
STATUS(VmbServerChannelInitSetSaveRestorePacketCallbacks,
	(VMBCHANNEL a, PFN_VMB_CHANNEL_SAVE_PACKET b, PFN_VMB_CHANNEL_RESTORE_PACKET c),
	(a, b, c))
STATUS(VmbServerChannelInitSetSaveRestorePacketCallbacksEx,
	(VMBCHANNEL a, PVOID b, PFN_VMB_CHANNEL_SAVE_PACKET_EX c, PFN_VMB_CHANNEL_RESTORE_PACKET_EX d),
	(a, b, c, d))
STATUS(VmbServerChannelInitSetTargetInterfaceId, (VMBCHANNEL a, GUID b, GUID c), (a, b, c))
STATUS(VmbServerChannelInitSetTargetVtl, (VMBCHANNEL a, UINT8 b), (a, b))
STATUS(VmbServerChannelInitSetVmbusHandle, (VMBCHANNEL a, HANDLE b), (a, b))

static int __init calls_init(void)
{
	return 0;
}

static void __exit calls_exit(void)
{
	struct calls *c;
	unsigned int i;

	for (c = all; c; c = c->next) {
		if (IS_ENABLED(CONFIG_FAULT_INJECTION))
			pr_info("kmcl_allocations: %s %u %u %u\n", c->name, c->sites,
				c->failed, c->tried);
		for (i = 0; i < c->seen; i++)
			if (c->nothing)
				pr_info("kmcl_calls: %s %s\n", c->name,
					c->status[i] ? "zero" : "called");
			else
				pr_info("kmcl_calls: %s %#010x\n", c->name, c->status[i]);
	}
}

module_init(calls_init);
module_exit(calls_exit);
