/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What Windows' <wdm.h> offers a driver, as far as KMCL drivers use it: the
 * types, and one header for each group of kernel services.
 * Documentation/nt.md has the table of them.
 */
#ifndef _KMCL_NT_WDM_H
#define _KMCL_NT_WDM_H

#include <ntdef.h>
#include <mm-mdl.h>
#include <mm-io.h>
#include <io-interface.h>
#include <ke-irql.h>
#include <ke-processor.h>
#include <ke-spinlock.h>
#include <ke-time.h>
#include <ke-wait.h>
#include <ke-event.h>
#include <ke-mutex.h>
#include <ke-dpc.h>
#include <ob-object.h>
#include <ps-thread.h>
#include <ex-pool.h>
#include <ex-interlocked.h>
#include <ex-mutex.h>
#include <ex-rundown.h>
#include <ex-work.h>
#include <rtl-list.h>
#include <rtl-memory.h>
#include <rtl-string.h>
#include <dbg-print.h>

#endif /* _KMCL_NT_WDM_H */
