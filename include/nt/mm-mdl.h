/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory descriptor lists: the x64 layout, which drivers read directly.
 *
 * An MDL names the pages behind a buffer.  The page frame numbers follow the
 * struct, in units of 4 KiB whatever PAGE_SIZE is, because that is what the
 * hypervisor counts in.
 */
#ifndef _KMCL_NT_MM_MDL_H
#define _KMCL_NT_MM_MDL_H

#include <ntdef.h>

typedef struct _MDL {
	struct _MDL *Next;
	CSHORT Size;
	CSHORT MdlFlags;
	struct _EPROCESS *Process;
	PVOID MappedSystemVa;
	PVOID StartVa;
	ULONG ByteCount;
	ULONG ByteOffset;
} MDL, *PMDL;
typedef const MDL *PCMDL;

#define MDL_MAPPED_TO_SYSTEM_VA		0x0001
#define MDL_PAGES_LOCKED		0x0002
#define MDL_SOURCE_IS_NONPAGED_POOL	0x0004
#define MDL_ALLOCATED_FIXED_SIZE	0x0008
#define MDL_PARTIAL			0x0010
#define MDL_PARTIAL_HAS_BEEN_MAPPED	0x0020
#define MDL_WRITE_OPERATION		0x0080

#define MmGetMdlPfnArray(mdl)		((PPFN_NUMBER)((PMDL)(mdl) + 1))
#define MmGetMdlByteCount(mdl)		((mdl)->ByteCount)
#define MmGetMdlByteOffset(mdl)		((mdl)->ByteOffset)

static inline PVOID MmGetMdlVirtualAddress(PMDL Mdl)
{
	return (PUCHAR)Mdl->StartVa + Mdl->ByteOffset;
}

C_ASSERT(FIELD_OFFSET(MDL, Next) == 0x00);
C_ASSERT(FIELD_OFFSET(MDL, Size) == 0x08);
C_ASSERT(FIELD_OFFSET(MDL, MdlFlags) == 0x0A);
C_ASSERT(FIELD_OFFSET(MDL, Process) == 0x10);
C_ASSERT(FIELD_OFFSET(MDL, MappedSystemVa) == 0x18);
C_ASSERT(FIELD_OFFSET(MDL, StartVa) == 0x20);
C_ASSERT(FIELD_OFFSET(MDL, ByteCount) == 0x28);
C_ASSERT(FIELD_OFFSET(MDL, ByteOffset) == 0x2C);
C_ASSERT(sizeof(MDL) == 0x30);

#endif /* _KMCL_NT_MM_MDL_H */
