// SPDX-License-Identifier: GPL-2.0
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kmod.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/umh.h>
#include "../helper.h"
#include "module.h"

int module_load(const char *what)
{
	return request_module("%s", what);
}

int module_unload(const char *name)
{
	char *argv[4], *envp[1] = { };

	argv[0] = "/sbin/modprobe";
	argv[1] = "-r";
	argv[2] = (char *)name;
	argv[3] = NULL;
	return call_usermodehelper(argv[0], argv, envp, UMH_WAIT_PROC);
}

static struct file *open_file(struct kunit *test, const char *name, int flags)
{
	static char path[128];
	struct file *file;

	snprintf(path, sizeof(path), "/sys/module/%s", name);
	file = open_path(path, flags);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(file), "%s: %ld", path, PTR_ERR(file));
	return file;
}

const char *module_file(struct kunit *test, const char *path)
{
	static char text[128];
	struct file *f = open_file(test, path, O_RDONLY);
	loff_t pos = 0;
	ssize_t n = kernel_read(f, text, sizeof(text) - 1, &pos);

	filp_close(f, NULL);
	text[max_t(ssize_t, n, 0)] = 0;
	return strim(text);
}

ssize_t module_write(struct kunit *test, const char *path, const char *text)
{
	struct file *f = open_file(test, path, O_WRONLY);
	loff_t pos = 0;
	ssize_t n = 0;

	/* a path in the text is looked up from the writer's root */
	scoped_with_init_fs()
		n = kernel_write(f, text, strlen(text), &pos);
	filp_close(f, NULL);
	/* a kernel thread's files are closed later: this one, and what its writer opened */
	flush_delayed_fput();
	return n;
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KMCL: suites of the samples' VSPs");
