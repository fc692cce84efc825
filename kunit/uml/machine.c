// SPDX-License-Identifier: GPL-2.0
/*
 * Runs a program of the machine's within a guest, freestanding (nolibc of the kernel
 * source).
 *
 * machine PROGRAM [argument]...: PROGRAM sees the machine's file systems, through hostfs
 * and read-only, with the guest's devices, processes and modules, and what it needs of the
 * guest's root directory at /run/guest.  Nothing else is hidden: PROGRAM and what it reads
 * may be anywhere, in /tmp and /mnt, too.
 */
#include <nolibc.h>

#define HOST	"/host"

/*
 * The registers of AVX are not kept where UML switches between processes: the C
 * library of the machine is told to leave them alone, memcpy() by a flag of its own.
 */
static char *const env[] = {
	"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
	"LC_ALL=C.UTF-8",
	"GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX,-AVX2,-AVX512F,-AVX512VL,-AVX512BW,-AVX_Fast_Unaligned_Load,-ERMS,-XSAVE,-XSAVEC",
	NULL
};

static int prepare(void)
{
	/* hostfs takes the path as its option */
	if (mount("none", HOST, "hostfs", MS_RDONLY, "/") ||
	    mount("dev", HOST "/dev", "devtmpfs", 0, 0) ||
	    mount("proc", HOST "/proc", "proc", 0, 0) ||
	    mount("sys", HOST "/sys", "sysfs", 0, 0) ||
	    mount("debug", HOST "/sys/kernel/debug", "debugfs", 0, 0) ||
	    mount("run", HOST "/run", "tmpfs", 0, 0) ||
	    mkdir(HOST "/run/guest", 0755) ||
	    mount("/", HOST "/run/guest", NULL, MS_BIND, NULL))
		return -errno;
	if (chroot(HOST) || chdir("/"))
		return -errno;
	return 0;
}

int main(int argc, char **argv)
{
	int ret;

	if (argc < 2)
		return 1;
	ret = prepare();
	if (ret) {
		printf("machine: the machine's files are out of reach: %d\n", ret);
		return 1;
	}
	execve(argv[1], argv + 1, env);
	printf("machine: %s cannot be run: %d\n", argv[1], -errno);
	return 1;
}
