// SPDX-License-Identifier: GPL-2.0
/*
 * What a VMBus handle is: to a process a file descriptor, in the kernel a HANDLE.
 */
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/module.h>
#include "../helper.h"
#include "bus.h"

#define convert	VmbConvertVmbusHandleToKernelHandle

static HANDLE process_handle(int fd)
{
	return (HANDLE)(long)fd;
}

/* In a kernel thread a file is let go of by a work item. */
static void close_and_wait(struct kunit *test, int fd, int left)
{
	close_fd(fd);
	KUNIT_EXPECT_TRUE(test, becomes(module_refcount(THIS_MODULE) == left));
}

static void a_process_handle_becomes_a_kernel_handle(struct kunit *test)
{
	struct bus *b = bus_new(test, false);
	int before = module_refcount(THIS_MODULE);
	struct end *s = end_new(test, true);
	HANDLE handle = NULL;
	int fd;

	fd = kmcl_host_fd(&b->host);
	KUNIT_ASSERT_GE(test, fd, 0);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), before + 1);
	KUNIT_ASSERT_EQ(test, convert(process_handle(fd), &handle), STATUS_SUCCESS);
	KUNIT_EXPECT_NOT_NULL(test, handle);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), before + 2);
	/* which the process can do nothing to */
	close_and_wait(test, fd, before + 1);
	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetFlags(s->ch, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetVmbusHandle(s->ch, handle), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), before + 2);
	ZwClose(handle);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), before + 1);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(s->ch), STATUS_SUCCESS);
	KUNIT_EXPECT_NOT_NULL(test, b->offer);
	end_drop(s);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), before);
}

static void each_kernel_handle_is_one_of_its_own(struct kunit *test)
{
	struct bus *b = bus_new(test, false);
	int before = module_refcount(THIS_MODULE);
	HANDLE one = NULL, two = NULL;
	int fd = kmcl_host_fd(&b->host);

	KUNIT_ASSERT_GE(test, fd, 0);
	KUNIT_EXPECT_EQ(test, convert(process_handle(fd), &one), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, convert(process_handle(fd), &two), STATUS_SUCCESS);
	KUNIT_EXPECT_PTR_NE(test, one, two);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), before + 3);
	ZwClose(one);
	ZwClose(two);
	close_and_wait(test, fd, before);
}

static void the_latest_handle_of_a_channel_counts(struct kunit *test)
{
	struct bus *b = bus_new(test, false);
	int before = module_refcount(THIS_MODULE);
	struct end *s = bus_server(b);
	HANDLE loopback = kmcl_host_handle("loopback");

	KUNIT_ASSERT_NOT_NULL(test, loopback);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), before + 1);
	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetVmbusHandle(s->ch, loopback), STATUS_SUCCESS);
	ZwClose(loopback);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), before);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(s->ch), STATUS_SUCCESS);
	KUNIT_EXPECT_NULL(test, b->offer);
}

static void what_is_no_bus_becomes_nothing(struct kunit *test)
{
	HANDLE handle = &handle, other;
	struct file *file;
	int fd;

	KUNIT_EXPECT_EQ(test, convert(process_handle(0), NULL), STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, convert(process_handle(-1), &handle), STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_NULL(test, handle);
	KUNIT_EXPECT_EQ(test, convert(process_handle(12345), &handle), STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, convert((HANDLE)(1L << 40), &handle), STATUS_INVALID_PARAMETER_1);
	/* a kernel handle is no process handle */
	other = kmcl_host_handle("loopback");
	KUNIT_EXPECT_EQ(test, convert(other, &handle), STATUS_INVALID_PARAMETER_1);
	ZwClose(other);
	/* another file */
	file = open_path("/init", O_RDONLY);
	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	fd = get_unused_fd_flags(O_CLOEXEC);
	KUNIT_ASSERT_GE(test, fd, 0);
	fd_install(fd, file);
	KUNIT_EXPECT_EQ(test, convert(process_handle(fd), &handle), STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_NULL(test, handle);
	close_fd(fd);
}

static void it_is_for_passive_level(struct kunit *test)
{
	struct bus *b = bus_new(test, false);
	int before = module_refcount(THIS_MODULE);
	int fd = kmcl_host_fd(&b->host);
	HANDLE handle = NULL;
	NTSTATUS status;

	KUNIT_ASSERT_GE(test, fd, 0);
	local_bh_disable();
	status = convert(process_handle(fd), &handle);
	local_bh_enable();
	KUNIT_EXPECT_EQ(test, status, STATUS_INVALID_DEVICE_REQUEST);
	KUNIT_EXPECT_NULL(test, handle);
#ifdef CONFIG_FAILSLAB
	current->fail_nth = 1;
	status = convert(process_handle(fd), &handle);
	current->fail_nth = 0;
	KUNIT_EXPECT_EQ(test, status, STATUS_INSUFFICIENT_RESOURCES);
	KUNIT_EXPECT_NULL(test, handle);
#endif
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), before + 1);
	close_and_wait(test, fd, before);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_process_handle_becomes_a_kernel_handle),
	KUNIT_CASE(each_kernel_handle_is_one_of_its_own),
	KUNIT_CASE(the_latest_handle_of_a_channel_counts),
	KUNIT_CASE(what_is_no_bus_becomes_nothing),
	KUNIT_CASE(it_is_for_passive_level),
	{}
};

static struct kunit_suite suite = {
	.name = "loopback_handle",
	.init = end_init,
	.exit = bus_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
