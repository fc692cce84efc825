/* SPDX-License-Identifier: GPL-2.0 */
/* A sample's module as it is used: loaded, looked at through its files, unloaded. */
#ifndef _KUNIT_VSP_MODULE_H
#define _KUNIT_VSP_MODULE_H

#include <kunit/test.h>

/* @what as the rig's modprobe takes it: NAME:PARAMETER=VALUE:... */
int module_load(const char *what);
int module_unload(const char *name);

/* A file below /sys/module; @path without that. The text is good until the next call. */
const char *module_file(struct kunit *test, const char *path);
/* Return: what write() returns. */
ssize_t module_write(struct kunit *test, const char *path, const char *text);

#endif
