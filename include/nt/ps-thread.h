/* SPDX-License-Identifier: GPL-2.0 */
/*
 * System threads.  A thread object is waitable; it is signalled when no code of
 * the thread runs any more, so a driver that has waited may be unloaded.
 */
#ifndef _KMCL_NT_PS_THREAD_H
#define _KMCL_NT_PS_THREAD_H

#include <linux/err.h>
#include <linux/kthread.h>

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

/*
 * Ends the calling thread, which PsCreateSystemThread() made.  The completion
 * is signalled by the kernel's own code: from then on nothing of this module
 * runs in the thread.
 */
static inline NTSTATUS __noreturn PsTerminateSystemThread(NTSTATUS ExitStatus)
{
	PKTHREAD t = kthread_data(current);

	kthread_complete_and_exit(&t->Header.Exited, ExitStatus);
}

static inline int kmcl_nt_thread_main(void *arg)
{
	PKTHREAD t = arg;

	t->StartRoutine(t->StartContext);
	PsTerminateSystemThread(STATUS_SUCCESS);
}

static inline void kmcl_nt_thread_destroy(void *body)
{
	PKTHREAD t = body;

	wait_for_completion(&t->Header.Exited);
}

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
	struct task_struct *task;
	PKTHREAD t;

	if (ProcessHandle || ClientId)
		return STATUS_INVALID_PARAMETER;

	t = kmcl_nt_object_new(sizeof(*t), kmcl_nt_thread_destroy);
	if (!t)
		return STATUS_INSUFFICIENT_RESOURCES;
	kmcl_nt_header_init(&t->Header, KMCL_NT_THREAD, 0);
	t->StartRoutine = StartRoutine;
	t->StartContext = StartContext;

	task = kthread_run(kmcl_nt_thread_main, t, KBUILD_MODNAME);
	if (IS_ERR(task)) {
		kfree(kmcl_nt_object(t));
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	*ThreadHandle = t;
	return STATUS_SUCCESS;
}

#endif /* _KMCL_NT_PS_THREAD_H */
