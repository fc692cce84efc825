// SPDX-License-Identifier: GPL-2.0
/*
 * Can this machine's KVM run a guest of a VMBus host?
 *
 * The device node alone proves nothing. This opens it, asks for the Hyper-V interrupt controller
 * (SynIC), which VMBus needs, switches that on in a virtual CPU and lets the CPU run one
 * instruction. Prints one line; the exit code is 0 when all of it worked.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define GUEST_BASE 0x1000

static int no(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	return 1;
}

int main(void)
{
	struct kvm_enable_cap synic = { .cap = KVM_CAP_HYPERV_SYNIC2 };
	struct kvm_userspace_memory_region memory = {
		.guest_phys_addr = GUEST_BASE,
		.memory_size = 4096,
	};
	struct kvm_regs regs = { .rip = GUEST_BASE, .rflags = 2 };
	struct kvm_sregs sregs;
	struct kvm_run *run;
	int kvm, vm, vcpu, size;
	unsigned char *page;

	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		return no("cannot open /dev/kvm");
	if (ioctl(kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION) {
		puts("/dev/kvm does not speak KVM's API");
		return 1;
	}
	if (ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_HYPERV_SYNIC2) <= 0) {
		puts("this KVM has no SynIC (KVM_CAP_HYPERV_SYNIC2)");
		return 1;
	}
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm < 0)
		return no("KVM cannot create a virtual machine");
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return no("no memory");
	memcpy(page, "\xe6\x80", 2);	/* out %al, $0x80: comes back to us */
	memory.userspace_addr = (unsigned long)page;
	if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &memory) < 0)
		return no("KVM cannot give memory to a virtual machine");
	if (ioctl(vm, KVM_CREATE_IRQCHIP, 0) < 0)
		return no("KVM has no interrupt controller");
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	if (vcpu < 0)
		return no("KVM cannot create a virtual CPU");
	if (ioctl(vcpu, KVM_ENABLE_CAP, &synic) < 0)
		return no("KVM cannot switch on the SynIC");

	size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (run == MAP_FAILED || ioctl(vcpu, KVM_GET_SREGS, &sregs) < 0)
		return no("KVM cannot set up a virtual CPU");
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	if (ioctl(vcpu, KVM_SET_SREGS, &sregs) < 0 || ioctl(vcpu, KVM_SET_REGS, &regs) < 0)
		return no("KVM cannot set up a virtual CPU");
	if (ioctl(vcpu, KVM_RUN, 0) < 0)
		return no("KVM cannot run a virtual CPU");
	if (run->exit_reason != KVM_EXIT_IO) {
		printf("KVM's virtual CPU stopped at its first instruction (reason %u)\n",
		       run->exit_reason);
		return 1;
	}
	puts("KVM works and has a SynIC");
	return 0;
}
