/* SPDX-License-Identifier: GPL-2.0 */
/* Device memory, such as VmbChannelGetMmioSpace() names. */
#ifndef _KMCL_NT_MM_IO_H
#define _KMCL_NT_MM_IO_H

#include <linux/io.h>

#include <mm-mdl.h>

/**
 * MmMapIoSpace() - map device memory
 * @PhysicalAddress: where it is
 * @NumberOfBytes: how much
 * @CacheType: MmCached is for memory that behaves like RAM
 *
 * Linux marks such addresses __iomem and reads them with readl() and memcpy_fromio();
 * Windows code reads them as they are, which on x86-64 is the same.
 *
 * Context: process, may sleep.
 * Return: the address, NULL on failure.
 */
static inline PVOID MmMapIoSpace(PHYSICAL_ADDRESS PhysicalAddress, SIZE_T NumberOfBytes,
				 MEMORY_CACHING_TYPE CacheType)
{
	switch (CacheType) {
	case MmCached:
		return memremap(PhysicalAddress.QuadPart, NumberOfBytes, MEMREMAP_WB);
	case MmWriteCombined:
		return memremap(PhysicalAddress.QuadPart, NumberOfBytes, MEMREMAP_WC);
	default:
		return (__force PVOID)ioremap(PhysicalAddress.QuadPart, NumberOfBytes);
	}
}

static inline VOID MmUnmapIoSpace(PVOID BaseAddress, SIZE_T NumberOfBytes)
{
	/* undoes ioremap() as well */
	memunmap(BaseAddress);
}

#endif /* _KMCL_NT_MM_IO_H */
