/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hyper-V's interfaces in kernels from 6.14 on: what is x86's stands behind
 * CONFIG_X86, which UML does not set though it is x86-64 all the same.
 */
#ifdef CONFIG_X86
#include_next <hyperv/hvhdk.h>
#else
#define CONFIG_X86 1
#include_next <hyperv/hvhdk.h>
#undef CONFIG_X86
#endif
