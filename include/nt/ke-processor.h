/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Processors.  Windows counts them in groups of 64; here all are in group 0 and
 * a number is the kernel's own, as VmbClientChannelInitSetTargetProcessorIndex()
 * takes it.
 */
#ifndef _KMCL_NT_KE_PROCESSOR_H
#define _KMCL_NT_KE_PROCESSOR_H

#include <linux/cpumask.h>
#include <linux/processor.h>
#include <linux/smp.h>

#include <ntdef.h>

#define ALL_PROCESSOR_GROUPS 0xffff

typedef struct _PROCESSOR_NUMBER {
	USHORT Group;
	UCHAR Number;
	UCHAR Reserved;
} PROCESSOR_NUMBER, *PPROCESSOR_NUMBER;

/* Below DISPATCH_LEVEL the answer may be over when it arrives, as on Windows. */
static inline ULONG KeGetCurrentProcessorNumberEx(PPROCESSOR_NUMBER ProcNumber)
{
	ULONG n = raw_smp_processor_id();

	if (ProcNumber) {
		ProcNumber->Group = 0;
		ProcNumber->Number = n;
		ProcNumber->Reserved = 0;
	}
	return n;
}

#define KeGetCurrentProcessorNumber()		KeGetCurrentProcessorNumberEx(NULL)
#define KeGetCurrentProcessorIndex()		KeGetCurrentProcessorNumberEx(NULL)
#define KeQueryActiveProcessorCountEx(Group)	((void)(Group), (ULONG)num_online_cpus())
#define KeQueryMaximumProcessorCountEx(Group)	((void)(Group), (ULONG)nr_cpu_ids)
#define YieldProcessor()			cpu_relax()

#endif /* _KMCL_NT_KE_PROCESSOR_H */
