// SPDX-License-Identifier: GPL-2.0
/*
 * The time service: the host sends its time, as a sample every few seconds, and
 * with the demand to set the clock when the machine was started, restored or
 * resumed.
 *
 * Written as a Windows driver writes it.  A sample is a pair: the host's time, and
 * the reference time at which that was true.  Since version 4 the host sends both,
 * so it does not matter how long the message took; before, the arrival has to do
 * for the second.  The host's time now is the sample's and what the reference time
 * has advanced since.
 */
#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "protocol.h"
#include "wire.h"

/* "Time" in a memory dump. */
#define TS_POOL_TAG		0x656d6954

/* How far behind TsImplicit is about. */
#define TS_IMPLICIT_LAG		(5 * TS_SECOND)

/* A host's reading of the reference time can be this far ahead of the guest's. */
#define TS_TOLERANCE		TS_SECOND

struct _TS_DEVICE {
	PIC_DEVICE Ic;
	PVOID System;

	/* The last sample. */
	KSPIN_LOCK Lock;
	BOOLEAN Valid;
	ULONG64 HostTime;
	ULONG64 ReferenceTime;

	/* Read by anyone. */
	LONG64 Samples;
	LONG64 Syncs;
	LONG64 Stale;
	LONG64 LastSample;
	LONG64 LastOffset;
};

BOOLEAN TsQueryHostTime(PTS_DEVICE Device, PULONG64 Time)
{
	ULONG64 now = TsReferenceTime(Device->System);
	BOOLEAN valid;
	LONG64 age;
	KIRQL irql;

	KeAcquireSpinLock(&Device->Lock, &irql);
	/* A sample that has come since is younger than now. */
	age = (LONG64)(now - Device->ReferenceTime);
	valid = Device->Valid && age <= TS_MAXIMUM_AGE;
	*Time = Device->HostTime + (ULONG64)age;
	KeReleaseSpinLock(&Device->Lock, irql);

	return valid;
}

static VOID TsTakeSample(PTS_DEVICE Device, ULONG64 HostTime, ULONG64 ReferenceTime,
			 ULONG64 Now, UINT8 Flags)
{
	LONG64 age = (LONG64)(Now - ReferenceTime);
	LARGE_INTEGER system;
	LONG64 offset;
	KIRQL irql;

	KeQuerySystemTime(&system);
	offset = (LONG64)(HostTime + (ULONG64)age - (ULONG64)system.QuadPart);

	KeAcquireSpinLock(&Device->Lock, &irql);
	Device->HostTime = HostTime;
	Device->ReferenceTime = ReferenceTime;
	Device->Valid = TRUE;
	KeReleaseSpinLock(&Device->Lock, irql);

	InterlockedExchange64(&Device->LastOffset, offset);
	InterlockedExchange64(&Device->LastSample, (LONG64)KeQueryInterruptTime());
	InterlockedIncrement64(&Device->Samples);

	if ((Flags & TS_FLAG_SYNC) ||
	    (offset >= TS_IMPLICIT_LAG && TsImplicit(Device->System))) {
		InterlockedIncrement64(&Device->Syncs);
		TsSetTime(Device->System);
	}
}

static UINT32 TsOnMessage(PTS_DEVICE Device, PTS_MESSAGE Message, ULONG64 Now)
{
	ULONG64 reference = IcGet64(&Message->ReferenceTime);
	LONG64 age = (LONG64)(Now - reference);

	if (age < -TS_TOLERANCE) {
		IcBadMessage(Device->Ic, "a sample of the future, seconds ahead",
			     (ULONG)(-(age / TS_SECOND)));
		return IC_FAIL;
	}
	if (age > TS_MAXIMUM_AGE) {
		if (InterlockedIncrement64(&Device->Stale) == 1)
			IcPrint(WARNING, "a sample is %lld seconds old and not used\n",
				age / TS_SECOND);
		return IC_OK;
	}
	TsTakeSample(Device, IcGet64(&Message->HostTime), reference, Now, Message->Flags);
	return IC_OK;
}

static UINT32 TsMessage(PVOID Context, IC_VERSION Version, PVOID Body, UINT32 Length,
			PULONG Action)
{
	PTS_DEVICE device = Context;
	ULONG64 now = TsReferenceTime(device->System);
	PTS_MESSAGE_V3 old = Body;

	UNREFERENCED_PARAMETER(Action);

	if (Version.Major >= 4) {
		/* What follows the flags is not needed, and of different length. */
		if (Length >= FIELD_OFFSET(TS_MESSAGE, LeapIndicator))
			return TsOnMessage(device, Body, now);
	} else if (Length >= FIELD_OFFSET(TS_MESSAGE_V3, Reserved)) {
		TsTakeSample(device, IcGet64(&old->HostTime), now, now, old->Flags);
		return IC_OK;
	}
	IcBadMessage(device->Ic, "half a sample, length", Length);
	return IC_FAIL;
}

/* A machine that was saved meanwhile has nothing left of the old samples. */
static VOID TsOpened(PVOID Context)
{
	PTS_DEVICE device = Context;
	KIRQL irql;

	KeAcquireSpinLock(&device->Lock, &irql);
	device->Valid = FALSE;
	KeReleaseSpinLock(&device->Lock, irql);
}

static const IC_VERSION TsVersions[] = {
	{ 4, 0 },
	{ 3, 0 },
	{ 1, 0 },
};

static DECLARE_CONST_UNICODE_STRING(TsName, L"Time Synchronization");

static const IC_SERVICE TsService = {
	.Name = &TsName,
	.Type = IC_TYPE_TIMESYNC,
	.Versions = TsVersions,
	.VersionCount = ARRAYSIZE(TsVersions),
	.Message = TsMessage,
	.Opened = TsOpened,
};

NTSTATUS TsCreate(PDEVICE_OBJECT Parent, PVOID System, PTS_DEVICE *Device)
{
	PTS_DEVICE device;
	NTSTATUS status;

	PAGED_CODE();

	device = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*device), TS_POOL_TAG);
	if (!device)
		return STATUS_INSUFFICIENT_RESOURCES;
	device->System = System;
	KeInitializeSpinLock(&device->Lock);
	*Device = device;
	status = IcCreate(Parent, &TsService, device, &device->Ic);
	if (!NT_SUCCESS(status)) {
		/* The channel may have been open for a moment. */
		TsCancelSetTime(System);
		ExFreePoolWithTag(device, TS_POOL_TAG);
	}
	return status;
}

VOID TsDestroy(PTS_DEVICE Device)
{
	PAGED_CODE();

	IcDestroy(Device->Ic);
	TsCancelSetTime(Device->System);
	ExFreePoolWithTag(Device, TS_POOL_TAG);
}

VOID TsQueryCounters(PTS_DEVICE Device, PTS_COUNTERS Counters)
{
	IcQueryCounters(Device->Ic, &Counters->Ic);
	Counters->Samples = ReadNoFence64(&Device->Samples);
	Counters->Syncs = ReadNoFence64(&Device->Syncs);
	Counters->Stale = ReadNoFence64(&Device->Stale);
	Counters->LastSample = ReadNoFence64(&Device->LastSample);
	Counters->LastOffset = ReadNoFence64(&Device->LastOffset);
}
