/* SPDX-License-Identifier: GPL-2.0 */
/*
 * System threads.  A thread object is waitable; it is signalled when no code of
 * the driver runs in the thread any more, so a driver that has waited may be
 * unloaded.
 *
 * A thread holds its own object while it lives: the handle may be closed at
 * once.
 */
#ifndef _KMCL_NT_PS_THREAD_H
#define _KMCL_NT_PS_THREAD_H

#include <linux/sched.h>

#include <ke-wait.h>
#include <ob-object.h>

typedef VOID KSTART_ROUTINE(PVOID StartContext);
typedef KSTART_ROUTINE *PKSTART_ROUTINE;
typedef struct _CLIENT_ID *PCLIENT_ID;

typedef struct _KTHREAD {
	DISPATCHER_HEADER Header;
	PKSTART_ROUTINE StartRoutine;
	PVOID StartContext;
} KTHREAD, *PKTHREAD, *PRKTHREAD, *PETHREAD;

#define THREAD_ALL_ACCESS 0x001FFFFF

NTSTATUS kmcl_nt_create_thread(const char *name, PHANDLE handle, PKSTART_ROUTINE routine,
			       PVOID context);

/**
 * PsCreateSystemThread() - start a kernel thread
 * @ThreadHandle: the thread, see <ob-object.h>
 * @DesiredAccess: ignored
 * @ObjectAttributes: ignored
 * @ProcessHandle: NULL, the thread is the kernel's
 * @ClientId: NULL
 * @StartRoutine: what it runs; may return instead of calling
 *                PsTerminateSystemThread()
 * @StartContext: its parameter
 *
 * Context: process, may sleep.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER when a process or a client
 * identifier is asked for; STATUS_INSUFFICIENT_RESOURCES.
 */
static inline NTSTATUS PsCreateSystemThread(PHANDLE ThreadHandle, ULONG DesiredAccess,
					    POBJECT_ATTRIBUTES ObjectAttributes,
					    HANDLE ProcessHandle, PCLIENT_ID ClientId,
					    PKSTART_ROUTINE StartRoutine, PVOID StartContext)
{
	if (ProcessHandle || ClientId)
		return STATUS_INVALID_PARAMETER;
	return kmcl_nt_create_thread(KBUILD_MODNAME, ThreadHandle, StartRoutine, StartContext);
}

/**
 * PsTerminateSystemThread() - end the calling thread
 * @ExitStatus: ignored
 *
 * Context: a thread of PsCreateSystemThread().
 * Return: STATUS_INVALID_PARAMETER in any other thread; else not at all.
 */
NTSTATUS PsTerminateSystemThread(NTSTATUS ExitStatus);

static inline HANDLE PsGetCurrentThreadId(VOID)
{
	return (HANDLE)(ULONG_PTR)current->pid;
}

#endif /* _KMCL_NT_PS_THREAD_H */
