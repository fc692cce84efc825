// SPDX-License-Identifier: GPL-2.0
/*
 * Counts the instructions that a user mode kernel executes between two traps, where the
 * processor's counters cannot be had: a program of the host, which runs the kernel under ptrace.
 *
 * The kernel says what it wants by an int3 with one of two values in rax (kunit/bench/meter.c):
 * BEGIN, and from there on it goes one instruction at a time; END, and their number is in rax.
 * A string instruction is one, however often it repeats. Signals, timers above all, wait for END.
 *
 * With a file's name in STEPS_PROFILE every address is written there, with how often it was seen.
 *
 * usage: steps PROGRAM [argument]...
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define BEGIN	0x6b6d636c62656769ULL
#define END	0x6b6d636c656e6421ULL
#define SIGNALS	64
#define PLACES	(1u << 16)

static int held[SIGNALS];
static int holds;
static struct {
	uint64_t ip;
	uint64_t seen;
} places[PLACES];

static void die(const char *what)
{
	fprintf(stderr, "steps: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void saw(uint64_t ip)
{
	unsigned int i = (ip * 0x9e3779b97f4a7c15ULL) >> 48;

	while (places[i].seen && places[i].ip != ip)
		i = (i + 1) % PLACES;
	places[i].ip = ip;
	places[i].seen++;
}

static void write_profile(const char *file)
{
	FILE *f = fopen(file, "w");
	unsigned int i;

	if (!f)
		die(file);
	for (i = 0; i < PLACES; i++)
		if (places[i].seen)
			fprintf(f, "%llx %llu\n", (unsigned long long)places[i].ip,
				(unsigned long long)places[i].seen);
	fclose(f);
}

/* Waits until it stops; ends when it has ended. */
static int stopped(pid_t pid, const char *profile)
{
	int status;

	if (waitpid(pid, &status, __WALL) != pid)
		die("waitpid");
	if (WIFSTOPPED(status))
		return status;
	if (profile)
		write_profile(profile);
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* From behind BEGIN to behind END. */
static void count(pid_t pid, const char *profile)
{
	struct user_regs_struct regs;
	uint64_t steps = 0, last = 0;
	int sig;

	for (;;) {
		if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL))
			die("PTRACE_SINGLESTEP");
		sig = WSTOPSIG(stopped(pid, profile));
		if (sig == SIGSEGV) {
			/* the kernel's own way to a page; its handler counts */
			if (ptrace(PTRACE_SINGLESTEP, pid, NULL, SIGSEGV))
				die("PTRACE_SINGLESTEP");
			stopped(pid, profile);
			continue;
		}
		if (sig != SIGTRAP) {
			if (holds < SIGNALS)
				held[holds++] = sig;
			continue;
		}
		if (ptrace(PTRACE_GETREGS, pid, NULL, &regs))
			die("PTRACE_GETREGS");
		if (regs.rax == END &&
		    (ptrace(PTRACE_PEEKTEXT, pid, regs.rip - 1, NULL) & 0xff) == 0xcc)
			break;
		if (regs.rip == last)
			continue;
		last = regs.rip;
		steps++;
		if (profile)
			saw(last);
	}
	regs.rax = steps;
	if (ptrace(PTRACE_SETREGS, pid, NULL, &regs))
		die("PTRACE_SETREGS");
	while (holds)
		kill(pid, held[--holds]);
}

int main(int argc, char **argv)
{
	const char *profile = getenv("STEPS_PROFILE");
	struct user_regs_struct regs;
	int sig, status;
	cpu_set_t one;
	pid_t pid;

	if (argc < 2) {
		fprintf(stderr, "usage: steps PROGRAM [argument]...\n");
		return 2;
	}
	/* both on one processor: they are never to run at a time */
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
			die("PTRACE_TRACEME");
		execv(argv[1], argv + 1);
		die(argv[1]);
	}
	stopped(pid, NULL);
	if (ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC))
		die("PTRACE_SETOPTIONS");
	for (sig = 0;;) {
		if (ptrace(PTRACE_CONT, pid, NULL, sig))
			die("PTRACE_CONT");
		status = stopped(pid, profile);
		sig = WSTOPSIG(status);
		if (sig != SIGTRAP)
			continue;
		if (status >> 16) {	/* it has executed itself */
			sig = 0;
			continue;
		}
		if (ptrace(PTRACE_GETREGS, pid, NULL, &regs))
			die("PTRACE_GETREGS");
		if (regs.rax != BEGIN)
			continue;
		sig = 0;
		count(pid, profile);
	}
}
