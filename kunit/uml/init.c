// SPDX-License-Identifier: GPL-2.0
/*
 * The whole user space of a UML run, freestanding (nolibc of the kernel source).
 *
 * As init: loads the modules named behind its argument "run", in order, whose
 * KUnit suites run meanwhile; unloads every module; lets kmemleak look; powers off.
 * An argument is NAME or NAME:PARAM=VALUE:... and stands for /NAME.ko;
 * "exec=NAME:ARG:..." runs the program /NAME and waits for it; "finally=NAME:ARG:..."
 * does when no module is left; "show=PATH" prints a file, 200 ms later; "keep" leaves
 * the modules loaded (their symbols stay readable in a leak's trace);
 * "watchdog=SECONDS" shows what every blocked task waits for when it takes
 * longer. As /sbin/modprobe: loads the one module the kernel asks for,
 * or unloads one for a suite. As /sbin/poweroff: says so.
 *
 * scripts/uml.sh reads the lines that begin with "init: ".
 */
#include <nolibc.h>

#define KMEMLEAK	"/sys/kernel/debug/kmemleak"
/* kmemleak reports nothing younger than five seconds. */
#define KMEMLEAK_AGE	6

static void put(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY, 0);

	if (fd < 0)
		return;
	write(fd, text, strlen(text));
	close(fd);
}

static int load(const char *arg)
{
	char path[128], *params;
	long ret;
	int fd, i;

	path[0] = '/';
	for (i = 1; *arg && *arg != ':' && i < (int)sizeof(path) - 4; i++)
		path[i] = *arg++;
	memcpy(path + i, ".ko", 4);
	params = *arg ? strdup(arg + 1) : strdup("");
	for (i = 0; params[i]; i++)
		if (params[i] == ':')
			params[i] = ' ';
	fd = open(path, O_RDONLY, 0);
	if (fd < 0)
		return -errno;
	ret = my_syscall3(__NR_finit_module, fd, params, 0);
	close(fd);
	return ret;
}

static void run(char *command)
{
	char *argv[8] = { command }, *env[] = { NULL };
	int n = 1, pid, status = -1;

	while (n < 7 && (command = strchr(command, ':'))) {
		*command++ = 0;
		argv[n++] = command;
	}
	argv[n] = NULL;
	pid = fork();
	if (!pid) {
		/* in the root directory */
		execve(argv[0], argv, env);
		exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		printf("init: failed: %s ended with status %#x\n", argv[0], status);
}

/* A file, between two lines, after there was time for something to be in it. */
static void show_file(const char *path)
{
	char text[4096];
	int fd, len;

	usleep(200000);
	fd = open(path, O_RDONLY, 0);
	if (fd < 0) {
		printf("init: failed: %s cannot be opened: %d\n", path, -errno);
		return;
	}
	printf("init: show %s\n", path);
	while ((len = read(fd, text, sizeof(text))) > 0)
		write(1, text, len);
	printf("init: shown\n");
	close(fd);
}

/* Unload the first module in /proc/modules that nobody uses; *left stay. */
static int unload_one(int *left)
{
	static char text[16384];
	char *line, *next, *name, *users;
	int fd, len, total = 0;
	long ret = -EBUSY;

	*left = 0;
	fd = open("/proc/modules", O_RDONLY, 0);
	if (fd < 0)
		return -errno;
	while ((len = read(fd, text + total, sizeof(text) - 1 - total)) > 0)
		total += len;
	close(fd);
	text[total] = 0;
	for (line = text; *line; line = next) {
		next = strchr(line, '\n');
		if (!next)
			break;
		*next++ = 0;
		(*left)++;
		name = line;
		users = strchr(strchr(name, ' ') + 1, ' ') + 1;
		*strchr(name, ' ') = 0;
		/* one at a time: it may have been the last user of another */
		if (!ret || users[0] != '0' || users[1] != ' ')
			continue;
		ret = my_syscall2(__NR_delete_module, name, O_NONBLOCK);
		if (!ret)
			(*left)--;
	}
	return ret;
}

static void unload_all(void)
{
	int left = 1, tries = 0, ret = 0;

	while (tries < 50) {
		ret = unload_one(&left);
		if (!left)
			break;
		if (!ret)
			continue;
		/* a work item may still have to drop its reference */
		usleep(20000);
		tries++;
	}
	if (left)
		printf("init: failed: %d modules cannot be unloaded: %d\n", left, ret);
}

static void leaks(void)
{
	char text[4096];
	int fd, len;

	fd = open(KMEMLEAK, O_RDONLY, 0);
	if (fd < 0)
		return;
	close(fd);
	sleep(KMEMLEAK_AGE);
	put(KMEMLEAK, "scan");
	put(KMEMLEAK, "scan");
	printf("init: kmemleak\n");
	fd = open(KMEMLEAK, O_RDONLY, 0);
	while ((len = read(fd, text, sizeof(text))) > 0)
		write(1, text, len);
	close(fd);
}

static int watchdog(int seconds)
{
	int pid = fork();

	if (pid)
		return pid;
	sleep(seconds);
	printf("init: still running after %d seconds; blocked tasks:\n", seconds);
	put("/proc/sysrq-trigger", "w");
	exit(0);
}

int main(int argc, char **argv)
{
	int i, ret, keep = 0, dog = 0;
	char *last = NULL;

	if (getpid() != 1 && !strcmp(argv[0], "/sbin/poweroff")) {
		put("/dev/kmsg", "init: asked to power off\n");
		return 0;
	}
	/* modprobe -q -- NAME, or modprobe -r NAME */
	if (argc > 2 && getpid() != 1 && !strcmp(argv[1], "-r"))
		return my_syscall2(__NR_delete_module, argv[2], 0) ? 1 : 0;
	if (argc > 1 && getpid() != 1)
		return load(argv[argc - 1]) ? 1 : 0;

	mount("proc", "/proc", "proc", 0, 0);
	mount("sys", "/sys", "sysfs", 0, 0);
	mount("dev", "/dev", "devtmpfs", 0, 0);
	mount("debug", "/sys/kernel/debug", "debugfs", 0, 0);
	mount("trace", "/sys/kernel/tracing", "tracefs", 0, 0);
	/*
	 * A thread that asks for failing allocations means GFP_KERNEL ones too, and
	 * knows about them: a stack for each would look like a report.
	 */
	put("/sys/kernel/debug/failslab/verbose", "0");
	put("/sys/kernel/debug/failslab/ignore-gfp-wait", "N");
	put("/sys/kernel/debug/fail_page_alloc/verbose", "0");
	put("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N");
	put("/sys/kernel/debug/fail_page_alloc/min-order", "0");

	printf("init: start\n");
	/* Before "run" come parameters that the kernel did not know. */
	for (i = 1; i < argc && strcmp(argv[i], "run"); i++)
		;
	for (i++; i < argc; i++) {
		if (!strcmp(argv[i], "keep")) {
			keep = 1;
		} else if (!strncmp(argv[i], "watchdog=", 9)) {
			dog = watchdog(atoi(argv[i] + 9));
		} else if (!strncmp(argv[i], "exec=", 5)) {
			run(argv[i] + 5);
		} else if (!strncmp(argv[i], "finally=", 8)) {
			last = argv[i] + 8;
		} else if (!strncmp(argv[i], "show=", 5)) {
			show_file(argv[i] + 5);
		} else if (!strncmp(argv[i], "console=", 8)) {
			/* UML's own, at the end of every command line */
		} else {
			ret = load(argv[i]);
			if (ret)
				printf("init: failed: module %s cannot be loaded: %d\n",
				       argv[i], ret);
		}
	}
	if (!keep)
		unload_all();
	leaks();
	if (last)
		run(last);
	if (dog > 0)
		kill(dog, SIGKILL);
	printf("init: end\n");
	reboot(LINUX_REBOOT_CMD_POWER_OFF);
	return 0;
}
