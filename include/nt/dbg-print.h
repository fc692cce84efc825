/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages and assertions.  Messages go to the kernel log under the module's
 * name; the component is ignored.  The formats are printk's: no %wZ, and %llu
 * instead of %I64u.
 */
#ifndef _KMCL_NT_DBG_PRINT_H
#define _KMCL_NT_DBG_PRINT_H

#include <linux/bug.h>
#include <linux/printk.h>

#include <ntdef.h>

#define DPFLTR_DEFAULT_ID	101
#define DPFLTR_IHVDRIVER_ID	77
#define DPFLTR_IHVBUS_ID	78

#define DPFLTR_ERROR_LEVEL	0
#define DPFLTR_WARNING_LEVEL	1
#define DPFLTR_TRACE_LEVEL	2
#define DPFLTR_INFO_LEVEL	3

/*
 * Windows shows INFO and TRACE only when asked to; here TRACE alone stays out of
 * the console.
 */
static inline const char *kmcl_nt_kern_level(ULONG level)
{
	switch (level) {
	case DPFLTR_ERROR_LEVEL:
		return KERN_ERR;
	case DPFLTR_WARNING_LEVEL:
		return KERN_WARNING;
	case DPFLTR_TRACE_LEVEL:
		return KERN_DEBUG;
	default:
		return KERN_INFO;
	}
}

#define DbgPrintEx(ComponentId, Level, Format, ...)				\
	((void)(ComponentId), (void)_printk("%s" KBUILD_MODNAME ": " Format,	\
					    kmcl_nt_kern_level(Level), ##__VA_ARGS__))

#define DbgPrint(Format, ...)							\
	DbgPrintEx(DPFLTR_DEFAULT_ID, DPFLTR_INFO_LEVEL, Format, ##__VA_ARGS__)

/*
 * As on Windows, only a build with DBG set prints these and looks at the
 * expressions.  KdPrint and KdPrintEx take a second pair of parentheses.
 */
#if defined(DBG) && DBG
#define KdPrint(args)		DbgPrint args
#define KdPrintEx(args)		DbgPrintEx args
#define NT_ASSERT(e)		WARN_ON_ONCE(!(e))
#define NT_VERIFY(e)		WARN_ON_ONCE(!(e))
#else
#define KdPrint(args)		((void)0)
#define KdPrintEx(args)		((void)0)
#define NT_ASSERT(e)		((void)sizeof(!(e)))
#define NT_VERIFY(e)		((void)(e))
#endif
#define NT_ASSERTMSG(msg, e)	NT_ASSERT(e)
/* Some Linux headers have one of their own, and then it is theirs. */
#ifndef ASSERT
#define ASSERT(e)		NT_ASSERT(e)
#endif

#endif /* _KMCL_NT_DBG_PRINT_H */
