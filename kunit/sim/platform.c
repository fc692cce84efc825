// SPDX-License-Identifier: GPL-2.0
/*
 * The platform: what arch/x86 gives the in-tree drivers on Hyper-V, and the
 * device "vmbus" that hv_vmbus binds to.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/cpuhotplug.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include "compat.h"
#include "internal.h"

struct ms_hyperv_info ms_hyperv;

spinlock_t hvsim_lock = __SPIN_LOCK_UNLOCKED(hvsim_lock);
struct workqueue_struct *hvsim_wq;

static struct platform_device *vmbus_device;
static int cpuhp_state;

void hv_setup_vmbus_handler(void (*handler)(void))
{
	hvsim_set_handler(handler);
}

void hv_remove_vmbus_handler(void)
{
	hvsim_set_handler(NULL);
}

bool hv_is_hyperv_initialized(void)
{
	return true;
}
EXPORT_SYMBOL_GPL(hv_is_hyperv_initialized);

void hyperv_report_panic(struct pt_regs *regs, long err, bool in_die)
{
}

#if HVSIM_NAMES_HYPERVISOR
int hv_get_hypervisor_version(union hv_hypervisor_version_info *info)
{
	memset(info, 0, sizeof(*info));
	info->major_version = 10;
	info->build_number = 20348;
	return 0;
}
#endif

/* hv_common_free() is __init and gone by now. */
static void free_common(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		kfree(*per_cpu_ptr(hyperv_pcpu_input_arg, cpu));
	free_percpu(hyperv_pcpu_input_arg);
	kfree(hv_vp_index);
}

static int __init hvsim_init(void)
{
	int ret;

	hvsim_wq = alloc_ordered_workqueue("hvsim", WQ_HIGHPRI);
	if (!hvsim_wq)
		return -ENOMEM;
	hvsim_hypervisor_init();
	ret = hvsim_suites_init();
	if (ret)
		goto free_wq;
	ret = hv_common_init();
	if (ret)
		goto suites_exit;
	ret = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "hvsim:online",
				hv_common_cpu_init, hv_common_cpu_die);
	if (ret < 0)
		goto free_common;
	cpuhp_state = ret;
	vmbus_device = platform_device_register_simple("vmbus", PLATFORM_DEVID_NONE, NULL, 0);
	ret = PTR_ERR_OR_ZERO(vmbus_device);
	if (!ret)
		return 0;

	cpuhp_remove_state(cpuhp_state);
free_common:
	free_common();
suites_exit:
	hvsim_suites_exit();
free_wq:
	destroy_workqueue(hvsim_wq);
	return ret;
}
module_init(hvsim_init);

static void __exit hvsim_exit(void)
{
	platform_device_unregister(vmbus_device);
	hvsim_forget_all(true);
	destroy_workqueue(hvsim_wq);
	hvsim_host_exit();
	hvsim_hypervisor_exit();
	cpuhp_remove_state(cpuhp_state);
	free_common();
	hvsim_suites_exit();
}
module_exit(hvsim_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Simulated Hyper-V hypervisor and VMBus host for UML");
