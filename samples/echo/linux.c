// SPDX-License-Identifier: GPL-2.0
/*
 * Linux around both ends of echo: a module, which works on any machine.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>

#include <kmcl/status.h>

#include "echo.h"

static unsigned int round_trips = 100000;
module_param(round_trips, uint, 0444);
MODULE_PARM_DESC(round_trips, "Round trips to make (default 100000)");

static int __init echo_init(void)
{
	NTSTATUS status;

	if (!round_trips)
		return -EINVAL;
	status = EchoVspCreate();
	if (!NT_SUCCESS(status))
		return kmcl_status_to_errno(status);
	status = EchoVscCreate(round_trips);
	if (!NT_SUCCESS(status))
		EchoVspDestroy();
	return kmcl_status_to_errno(status);
}
module_init(echo_init);

static void __exit echo_exit(void)
{
	EchoVscDestroy();
	EchoVspDestroy();
}
module_exit(echo_exit);

MODULE_DESCRIPTION("Echo: the shortest VSP and VSC, over KMCL's loopback");
MODULE_LICENSE("GPL");
