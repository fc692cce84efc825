// SPDX-License-Identifier: GPL-2.0
/*
 * What gcov has counted, out of the guest, freestanding (nolibc of the kernel source).
 *
 * counters FROM TO: copies the .gcda files of the build directory FROM, which the
 * kernel keeps in debugfs under their full names and beyond the module's life, to
 * the directory TO of the machine. scripts/coverage.sh makes a table of them.
 */
#include <nolibc.h>

#define GCOV	"/sys/kernel/debug/gcov"
#define HOST	"/host"

static int copy(const char *from, const char *to)
{
	static char text[65536];
	int in, out, len;

	in = open(from, O_RDONLY, 0);
	if (in < 0)
		return -1;
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (out < 0)
		return -1;
	while ((len = read(in, text, sizeof(text))) > 0)
		if (write(out, text, len) != len)
			return -1;
	close(in);
	close(out);
	return len;
}

static int wanted(const char *name)
{
	int len = strlen(name);

	return len > 5 && !strcmp(name + len - 5, ".gcda");
}

/* The end of @path becomes @text. */
static char *append(char *path, const char *text)
{
	while (*text)
		*path++ = *text++;
	*path = 0;
	return path;
}

int main(int argc, char **argv)
{
	static char from[512], to[512];
	char *from_name, *to_name;
	struct linux_dirent64 *entry;
	char list[4096];
	int fd, len, at, files = 0;

	if (argc != 3 || strlen(argv[1]) > 128 || mount("none", HOST, "hostfs", 0, argv[2]))
		return 1;
	from_name = append(append(append(from, GCOV), argv[1]), "/");
	to_name = append(to, HOST "/");
	fd = open(from, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return 2;
	while ((len = getdents64(fd, (void *)list, sizeof(list))) > 0) {
		for (at = 0; at < len; at += entry->d_reclen) {
			entry = (void *)(list + at);
			if (!wanted(entry->d_name))
				continue;
			append(from_name, entry->d_name);
			append(to_name, entry->d_name);
			if (copy(from, to))
				return 3;
			files++;
		}
	}
	return files ? 0 : 4;
}
