// SPDX-License-Identifier: GPL-2.0
/*
 * A file system on a disk under test, freestanding (nolibc of the kernel source).
 *
 * files DISK: makes an ext4 on DISK, mounts it, copies the files named in
 * /files.list, unmounts, mounts it again, compares every byte with the originals,
 * unmounts and lets fsck look. The tools and the originals are the machine's own,
 * through hostfs, read-only. Prints a suite of KTAP.
 */
#include <nolibc.h>

#define HOST		"/host"
#define MNT		"/mnt"
/* Files in a directory of the copy. */
#define PER_DIR		256
#define CHUNK		(256 * 1024)

static char list[8 << 20];
static char one[CHUNK], other[CHUNK];
static unsigned int nr_files;
static unsigned long bytes;
static const char *disk;

/* ---- the machine's tools ---- */

/*
 * The registers of AVX are not kept where UML switches between processes: the C
 * library of the machine is told to leave them alone, memcpy() by a flag of its own.
 */
static char *const env[] = {
	"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
	"GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX,-AVX2,-AVX512F,-AVX512VL,-AVX512BW,-AVX_Fast_Unaligned_Load,-ERMS,-XSAVE,-XSAVEC",
	NULL
};

/* A command of words between single spaces, and the disk behind them. */
static int tool(const char *command)
{
	static char words[256];
	char *argv[16], *word = words;
	int pid, status = -1, n = 0;

	memcpy(words, command, strlen(command) + 1);
	while (word && n < 14) {
		argv[n++] = word;
		word = strchr(word, ' ');
		if (word)
			*word++ = 0;
	}
	argv[n++] = (char *)disk;
	argv[n] = NULL;

	pid = fork();
	if (!pid) {
		if (chroot(HOST) || chdir("/"))
			exit(126);
		execve(argv[0], argv, env);
		exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	if (status)
		printf("        # %s ended with status %#x\n", argv[0], status);
	return status;
}

static int prepare(void)
{
	/* hostfs takes the path as its option */
	if (mount("none", HOST, "hostfs", MS_RDONLY, "/"))
		return -errno;
	if (mount("dev", HOST "/dev", "devtmpfs", 0, 0))
		return -errno;
	if (mount("proc", HOST "/proc", "proc", 0, 0))
		return -errno;
	return 0;
}

/* ---- files ---- */

static int read_list(void)
{
	int fd = open("/files.list", O_RDONLY, 0);
	long len = 0, n;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, list + len, sizeof(list) - 1 - len)) > 0)
		len += n;
	close(fd);
	list[len] = 0;
	return n < 0 ? -errno : 0;
}

/* MNT/DIRECTORY/FILE; nolibc has no snprintf() */
static void copy_name(char *buf, unsigned int n)
{
	memcpy(buf, MNT "/", sizeof(MNT));
	buf += sizeof(MNT);
	buf += utoa_r(n / PER_DIR, buf);
	*buf++ = '/';
	utoa_r(n % PER_DIR, buf);
}

static int fill(int fd, char *buf)
{
	int len = 0, n;

	while (len < CHUNK && (n = read(fd, buf + len, CHUNK - len)) > 0)
		len += n;
	return len;
}

static int copy(int in, int out)
{
	int n;

	while ((n = fill(in, one)) > 0) {
		if (write(out, one, n) != n)
			return -1;
		bytes += n;
	}
	return 0;
}

static int compare(int in, int out)
{
	int n;

	do {
		n = fill(in, one);
		if (fill(out, other) != n || memcmp(one, other, n))
			return -1;
		bytes += n;
	} while (n);
	return 0;
}

/* @fn for each file of the list and its copy. */
static int each(int (*fn)(int in, int out), int flags)
{
	char *line = list, *next, from[512], to[64];
	int in, out, ret;

	nr_files = 0;
	bytes = 0;
	for (; *line; line = next) {
		next = strchr(line, '\n');
		if (!next)
			break;
		if (next - line >= 256)
			return -1;
		memcpy(from, HOST, sizeof(HOST));
		memcpy(from + sizeof(HOST) - 1, line, next - line);
		from[sizeof(HOST) - 1 + (next - line)] = 0;
		next++;
		copy_name(to, nr_files);
		if (flags & O_CREAT && nr_files % PER_DIR == 0) {
			*strrchr(to, '/') = 0;
			if (mkdir(to, 0755))
				return -errno;
			copy_name(to, nr_files);
		}
		in = open(from, O_RDONLY, 0);
		out = open(to, flags, 0644);
		ret = in < 0 || out < 0 ? -1 : fn(in, out);
		close(in);
		close(out);
		if (ret) {
			printf("        # file %u, %s\n", nr_files, from);
			return ret;
		}
		nr_files++;
	}
	printf("        # %u files, %u MiB\n", nr_files, (unsigned int)(bytes >> 20));
	return nr_files ? 0 : -1;
}

/* ---- steps ---- */

static int make_it(void)
{
	return tool("/sbin/mke2fs -q -F -t ext4 -b 4096 -E nodiscard");
}

static int mount_it(void)
{
	return mount(disk, MNT, "ext4", 0, "data=ordered") ? -errno : 0;
}

static int unmount_it(void)
{
	return umount2(MNT, 0) ? -errno : 0;
}

static int copy_files(void)
{
	return each(copy, O_CREAT | O_EXCL | O_WRONLY);
}

static int compare_files(void)
{
	return each(compare, O_RDONLY);
}

static int check_it(void)
{
	return tool("/sbin/e2fsck -f -n");
}

static const struct {
	const char *name;
	int (*fn)(void);
} steps[] = {
	{ "the_machine_is_reached", prepare },
	{ "the_list_of_files_is_read", read_list },
	{ "a_file_system_is_made", make_it },
	{ "it_is_mounted", mount_it },
	{ "files_are_copied", copy_files },
	{ "it_is_unmounted", unmount_it },
	{ "it_is_mounted_again", mount_it },
	{ "every_byte_is_as_it_was", compare_files },
	{ "it_is_unmounted_again", unmount_it },
	{ "fsck_finds_nothing", check_it },
	{ }
};

int main(int argc, char **argv)
{
	int nr, i, ret = 0;

	if (argc < 2)
		return 1;
	disk = argv[1];
	/* the scan for disks runs on its own time */
	for (i = 0; i < 100 && (ret = open(disk, O_RDWR, 0)) < 0; i++)
		usleep(50000);
	if (ret >= 0)
		close(ret);

	for (nr = 0; steps[nr].fn; nr++)
		;
	printf("KTAP version 1\n1..1\n    KTAP version 1\n    # Subtest: files\n    1..%d\n", nr);
	for (i = 0, ret = 0; i < nr; i++) {
		/* what follows a step that failed would only fail too */
		if (!ret)
			ret = steps[i].fn();
		if (ret)
			printf("        # %d\n", ret);
		printf("    %sok %d %s\n", ret ? "not " : "", i + 1, steps[i].name);
	}
	printf("%sok 1 files\n", ret ? "not " : "");
	return ret != 0;
}
