// SPDX-License-Identifier: GPL-2.0
/*
 * Windows around the Dynamic Memory protocol: the pages.
 *
 * An MDL is freed as a whole, and the host returns the pages one by one: each
 * page has its own, in a table by its number.  Blocks of several are not offered.
 */
#include "../windows/driver.h"
#include "protocol.h"

/* "Dmwn" in a memory dump. */
#define DMW_POOL_TAG	0x6e776d44

#define DMW_BUCKETS	4096

/* Exported by the kernel; the class and the beginning of its answer are public. */
NTSYSAPI NTSTATUS NTAPI ZwQuerySystemInformation(ULONG SystemInformationClass,
						 PVOID SystemInformation,
						 ULONG SystemInformationLength,
						 PULONG ReturnLength);

#define DMW_SYSTEM_PERFORMANCE_INFORMATION	2

typedef struct _DMW_PERFORMANCE {
	LARGE_INTEGER Times[4];
	ULONG Counts[3];
	ULONG AvailablePages;
	ULONG CommittedPages;
	/* Later versions have added to the rest. */
	UCHAR Rest[1024];
} DMW_PERFORMANCE;

typedef struct _DMW_PAGE {
	LIST_ENTRY Link;
	PMDL Mdl;
} DMW_PAGE, *PDMW_PAGE;

typedef struct _DMW {
	PDM_DEVICE Device;
	LIST_ENTRY Buckets[DMW_BUCKETS];
	ULONG64 Count;
} DMW, *PDMW;

static PLIST_ENTRY DmwBucket(PDMW Dmw, PFN_NUMBER Page)
{
	return &Dmw->Buckets[Page % DMW_BUCKETS];
}

BOOLEAN DmAllocatePages(PVOID Pages, ULONG Order, PPFN_NUMBER First)
{
	PHYSICAL_ADDRESS high = { .QuadPart = -1 };
	PHYSICAL_ADDRESS zero = { .QuadPart = 0 };
	PDMW dmw = Pages;
	PDMW_PAGE page;

	if (Order)
		return FALSE;
	page = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*page), DMW_POOL_TAG);
	if (!page)
		return FALSE;
	page->Mdl = MmAllocatePagesForMdl(zero, high, zero, PAGE_SIZE);
	if (!page->Mdl) {
		ExFreePoolWithTag(page, DMW_POOL_TAG);
		return FALSE;
	}
	*First = MmGetMdlPfnArray(page->Mdl)[0];
	InsertHeadList(DmwBucket(dmw, *First), &page->Link);
	dmw->Count++;
	return TRUE;
}

static VOID DmwFree(PDMW Dmw, PDMW_PAGE Page)
{
	RemoveEntryList(&Page->Link);
	Dmw->Count--;
	MmFreePagesFromMdl(Page->Mdl);
	ExFreePool(Page->Mdl);
	ExFreePoolWithTag(Page, DMW_POOL_TAG);
}

ULONG DmFreePages(PVOID Pages, PFN_NUMBER First, ULONG Count)
{
	PDMW dmw = Pages;
	PLIST_ENTRY bucket;
	PLIST_ENTRY entry;
	PDMW_PAGE page;
	ULONG freed = 0;
	ULONG i;

	for (i = 0; i < Count; i++) {
		bucket = DmwBucket(dmw, First + i);
		for (entry = bucket->Flink; entry != bucket; entry = entry->Flink) {
			page = CONTAINING_RECORD(entry, DMW_PAGE, Link);
			if (MmGetMdlPfnArray(page->Mdl)[0] != First + i)
				continue;
			DmwFree(dmw, page);
			freed++;
			break;
		}
	}
	return freed;
}

ULONG64 DmFreeAllPages(PVOID Pages)
{
	PDMW dmw = Pages;
	ULONG64 freed = dmw->Count;
	ULONG i;

	for (i = 0; i < DMW_BUCKETS; i++)
		while (!IsListEmpty(&dmw->Buckets[i]))
			DmwFree(dmw, CONTAINING_RECORD(dmw->Buckets[i].Flink, DMW_PAGE, Link));
	return freed;
}

VOID DmQueryMemory(PVOID Pages, PDM_MEMORY Memory)
{
	PPHYSICAL_MEMORY_RANGE ranges = MmGetPhysicalMemoryRanges();
	DMW_PERFORMANCE now;
	NTSTATUS status;
	ULONG i;

	UNREFERENCED_PARAMETER(Pages);

	RtlZeroMemory(Memory, sizeof(*Memory));
	if (ranges) {
		for (i = 0; ranges[i].NumberOfBytes.QuadPart; i++)
			Memory->Total += ranges[i].NumberOfBytes.QuadPart / PAGE_SIZE;
		ExFreePool(ranges);
	}
	status = ZwQuerySystemInformation(DMW_SYSTEM_PERFORMANCE_INFORMATION, &now, sizeof(now),
					  NULL);
	if (NT_SUCCESS(status)) {
		Memory->Available = now.AvailablePages;
		Memory->Committed = now.CommittedPages;
	}
}

static NTSTATUS DmwCreate(PDEVICE_OBJECT Parent, PVOID Extra, PVOID *Sample)
{
	PDMW dmw = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*dmw), DMW_POOL_TAG);
	NTSTATUS status;
	ULONG i;

	UNREFERENCED_PARAMETER(Extra);

	if (!dmw)
		return STATUS_INSUFFICIENT_RESOURCES;
	for (i = 0; i < DMW_BUCKETS; i++)
		InitializeListHead(&dmw->Buckets[i]);
	status = DmCreate(Parent, dmw, &dmw->Device);
	if (!NT_SUCCESS(status)) {
		ExFreePoolWithTag(dmw, DMW_POOL_TAG);
		return status;
	}
	*Sample = dmw;
	return STATUS_SUCCESS;
}

static VOID DmwDestroy(PVOID Sample)
{
	PDMW dmw = Sample;

	DmDestroy(dmw->Device);
	ExFreePoolWithTag(dmw, DMW_POOL_TAG);
}

const SAMPLE_DRIVER SampleDriver = {
	.Create = DmwCreate,
	.Destroy = DmwDestroy,
};
