// SPDX-License-Identifier: GPL-2.0
/*
 * A storage server that is updated while its client works, freestanding (nolibc of the
 * kernel source).
 *
 * servicing DISK TIMES SEED [PARAM=VALUE]...: runs /files on DISK, and until that has
 * ended, TIMES times at moments of its own choice, has kmcl_storvsp save itself to a
 * file, unloads it, and loads it again with that file and the parameters. Tells the
 * story, and at the end how much was in the states and what came of it.
 */
#include <nolibc.h>

#define MODULE		"kmcl_storvsp"
#define FILES		"/sys/module/" MODULE "/storvsp/"
/* The root directory is read-only. */
#define STATE		"/dev/storvsp.state"
/* Between two updates, in ms. */
#define SHORTEST	20
#define LONGEST		250

static unsigned long long now(void)
{
	struct timespec ts;

	my_syscall2(__NR_clock_gettime, 1, &ts);
	return ts.tv_sec * 1000000ull + ts.tv_nsec / 1000;
}

static unsigned int seed;

static unsigned int any(unsigned int below)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % below;
}

static int put(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY, 0), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/* The first line of a file of the server's. */
static char *get(const char *file)
{
	static char text[256];
	int fd = open(file, O_RDONLY, 0), n;
	char *end;

	n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = 0;
	end = strchr(text, '\n');
	if (end)
		*end = 0;
	return text;
}

static long size_of(const char *file)
{
	int fd = open(file, O_RDONLY, 0);
	long size;

	if (fd < 0)
		return -1;
	size = lseek(fd, 0, SEEK_END);
	close(fd);
	return size;
}

static int load(const char *params)
{
	int fd = open("/" MODULE ".ko", O_RDONLY, 0), ret;

	if (fd < 0)
		return -errno;
	ret = my_syscall3(__NR_finit_module, fd, params, 0);
	close(fd);
	return ret;
}

static int unload(void)
{
	int tries, ret = 0;

	/* whoever reads one of its files holds it for a moment */
	for (tries = 0; tries < 50; tries++) {
		ret = my_syscall2(__NR_delete_module, MODULE, O_NONBLOCK);
		if (ret != -EAGAIN && ret != -EBUSY)
			break;
		usleep(10000);
	}
	return ret;
}

/* Requests that waited when the server was saved, all in all, and at how many moments. */
static unsigned int requests, moments;

/* One update; @params with state= in it. */
static int service(int nth, const char *params)
{
	unsigned long long begun = now(), saved, gone;
	char waiting[32] = "";
	int ret;

	ret = put(FILES "save", STATE);
	if (ret) {
		printf("servicing: %d: it cannot be saved: %d\n", nth, ret);
		return ret;
	}
	saved = now();
	memcpy(waiting, get(FILES "waiting"), sizeof(waiting) - 1);
	ret = unload();
	if (ret) {
		printf("servicing: %d: " MODULE " cannot be unloaded: %d\n", nth, ret);
		return ret;
	}
	requests += atoi(waiting);
	moments += atoi(waiting) > 0;
	gone = now();
	ret = load(params);
	if (ret) {
		printf("servicing: %d: the fresh " MODULE " cannot be loaded: %d\n", nth, ret);
		return ret;
	}
	printf("servicing: %d: %ld bytes with %s requests saved in %u us, ", nth, size_of(STATE),
	       waiting, (unsigned int)(saved - begun));
	printf("unloaded in %u us, loaded and restored in %u us\n", (unsigned int)(gone - saved),
	       (unsigned int)(now() - gone));
	return 0;
}

/*
 * Unloading a module waits for everything that is being probed asynchronously, and a
 * disk that its client is still finding out about needs the very server that is
 * unloaded: in one kernel they would wait for each other.
 */
static int wait_for_disk(const char *disk)
{
	int tries, fd = -1;

	for (tries = 0; fd < 0 && tries < 600; tries++) {
		usleep(100000);
		fd = open(disk, O_RDONLY, 0);
	}
	if (fd < 0)
		return -1;
	close(fd);
	/* its partitions, and whatever else is looked for */
	usleep(500000);
	return 0;
}

int main(int argc, char **argv)
{
	char *files[3] = { "/files" }, *env[1] = { NULL };
	static char params[512] = "state=" STATE;
	int times, pid, status = 0, done = 0, ended = 0, ret = 0, i;

	if (argc < 4)
		return 1;
	files[1] = argv[1];
	times = atoi(argv[2]);
	seed = atoi(argv[3]);
	for (i = 4; i < argc && strlen(params) + strlen(argv[i]) + 2 < sizeof(params); i++) {
		memcpy(params + strlen(params) + 1, argv[i], strlen(argv[i]) + 1);
		params[strlen(params)] = ' ';
	}
	if (wait_for_disk(argv[1])) {
		printf("servicing: %s does not come\n", argv[1]);
		return 1;
	}
	pid = fork();
	if (!pid) {
		execve(files[0], files, env);
		exit(127);
	}
	while (pid > 0 && !ret && done < times && !ended) {
		usleep(1000 * (SHORTEST + any(LONGEST - SHORTEST)));
		ended = waitpid(pid, &status, WNOHANG) == pid;
		if (ended)
			break;
		ret = service(done + 1, params);
		if (!ret)
			done++;
	}
	if (pid > 0 && !ended)
		waitpid(pid, &status, 0);
	unlink(STATE);
	printf("servicing: %u requests were in the states, at %u of the moments\n", requests,
	       moments);
	printf("servicing: serviced %d times while the client worked; its files: %s\n", done,
	       status ? "NOT as they were" : "all as they were");
	return ret || status || done < times;
}
