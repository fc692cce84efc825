// SPDX-License-Identifier: GPL-2.0
/*
 * LD_PRELOAD for UML kernels up to 6.12 on processors with a large XSAVE area
 * (AVX-512, AMX): such a UML panics at its first user process ("ptrace set fp
 * regs failed"). Told that the host has no NT_X86_XSTATE, it uses FXSAVE, which
 * is enough for an init program that touches no vector register.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

long ptrace(enum __ptrace_request request, ...)
{
	void *addr, *data;
	va_list args;
	long pid, ret, word;

	va_start(args, request);
	pid = va_arg(args, long);
	addr = va_arg(args, void *);
	data = va_arg(args, void *);
	va_end(args);

	if ((request == PTRACE_GETREGSET || request == PTRACE_SETREGSET) &&
	    (long)addr == NT_X86_XSTATE) {
		errno = EIO;
		return -1;
	}
	/* The PEEK requests return the word; the system call stores it. */
	if (request == PTRACE_PEEKTEXT || request == PTRACE_PEEKDATA ||
	    request == PTRACE_PEEKUSER) {
		ret = syscall(SYS_ptrace, request, pid, addr, &word);
		if (ret < 0)
			return ret;
		errno = 0;
		return word;
	}
	return syscall(SYS_ptrace, request, pid, addr, data);
}
