#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Do the NT names get along with Linux's? A wide set of kernel headers before <ntddk.h> and the
# API, and behind them, compiled against Debian's headers without a warning. And does what they
# declare to be absent refuse to be called?
#
# usage: headers.sh [KERNEL]...     (default: 6.1 6.12)

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# What drivers of the kinds that sit on VMBus include: storage, network, input, display, time,
# PCI, memory, sockets.
linux=(acpi atomic backing-dev bitfield bitmap bitops blk-mq blk_types blkdev bsearch bug
	cdev circ_buf clocksource completion configfs console cpu cpufreq cpuhotplug cpumask crc32
	ctype debugfs delay device dma-mapping dmapool dmi edac efi err errno etherdevice ethtool
	eventfd fb fdtable file filter firmware freezer fs ftrace genalloc gfp hardirq hashtable hid
	highmem hrtimer hwmon hyperv i2c idr if_arp if_ether if_vlan in in6 inet inetdevice init
	input input-event-codes interrupt io iommu ioport ip ipv6 irq irqdomain jhash jiffies jump_label
	kallsyms kdev_t kernel kfifo kmod kobject kref kthread ktime leds libata list llist lockdep log2
	memblock memcontrol memory memory_hotplug mempool miscdevice mm mman mmzone module moduleparam
	mount msi mutex namei net netdevice netlink nls nmi node notifier numa nvme of overflow
	page-flags page_reporting pagemap panic_notifier pci percpu perf_event pfn pid platform_device
	pm pm_runtime poll posix-timers preempt proc_fs ptp_clock_kernel quotaops radix-tree random
	ratelimit rbtree rculist rcupdate reboot refcount regmap rtc rtnetlink rwsem sbitmap scatterlist
	sched seq_file serio shmem_fs signal skbuff slab smp sock_diag socket sort spi spinlock
	stringify string suspend swap swiotlb syscalls sysctl sysfs tcp thermal time timekeeping timer
	topology tracepoint tty types uaccess ucs2_string udp uio unaligned usb utsname uuid vmalloc
	vmstat vt_kern wait watchdog workqueue writeback xarray)
other=(asm/mshyperv.h kunit/test.h net/sock.h net/tcp.h net/checksum.h net/xdp.h net/page_pool.h
	net/vsock_addr.h net/af_vsock.h net/dsa.h scsi/scsi.h scsi/scsi_cmnd.h scsi/scsi_dbg.h
	scsi/scsi_device.h scsi/scsi_eh.h scsi/scsi_host.h scsi/scsi_tcq.h scsi/scsi_transport_fc.h
	sound/core.h video/vga.h xen/xen.h)
# All of what a port may include; <initguid.h> first would define what others declare.
nt=(ntddk.h wdm.h ntdef.h ntstrsafe.h ntintsafe.h wdf.h ndis.h fwpsk.h vmbuskernelmodeclientlibapi.h kmcl/device.h
	kmcl/status.h kmcl/vsc.h)

includes() {
	local header
	for header in "${linux[@]/%/.h}"; do
		printf '#if __has_include(<linux/%s>)\n#include <linux/%s>\n#endif\n' "$header" "$header"
	done
	for header in "${other[@]}"; do
		printf '#if __has_include(<%s>)\n#include <%s>\n#endif\n' "$header" "$header"
	done
}

nt_includes() { printf '#include <%s>\n' "${nt[@]}"; }

check() {
	local version=$1 dir=$BUILD/headers-$1 log=$BUILD/log/headers-$1.log kdir
	kdir=$(kernel_headers "$version")
	mkdir -p "$dir" "${log%/*}"
	{ includes; nt_includes; } >"$dir/linux_first.c"
	{ nt_includes; includes; } >"$dir/nt_first.c"
	printf '#include <linux/module.h>\nMODULE_LICENSE("GPL");\nMODULE_DESCRIPTION("headers");\n' >"$dir/main.c"
	cat >"$dir/Kbuild" <<-EOF
		obj-m += headers.o
		headers-y := main.o linux_first.o nt_first.o
		ccflags-y += -I$ROOT/include -I$ROOT/include/nt
	EOF
	# what the headers of a port say is wanted every time
	rm -f "$dir"/*.o
	if ! make -C "$kdir" M="$dir" W=1 -j"$(nproc)" >"$log" 2>&1 </dev/null || grep -q 'warning:' "$log"; then
		grep -E -m 10 'error:|warning:' "$log" >&2 || tail -n 5 "$log" >&2
		die "names of include/nt collide with those of Linux $version: more in $log"
	fi
}

# A call of what has no counterpart is an error, and the compiler gives the reason: each function that
# <fwpsk.h> declares so, and a constant that asks for a part of one.
absent() {
	local version=$1 dir=$BUILD/headers-absent log=$BUILD/log/headers-absent.log kdir name names
	kdir=$(kernel_headers "$version")
	mkdir -p "$dir" "${log%/*}"
	python3 - "$ROOT/include/fwpsk.h" >"$dir/absent.c" <<-'EOF'
		import re, sys
		text = open(sys.argv[1]).read()
		calls = re.findall(r'^FWPS_OUT\(".*"\)\n(\w+) (\w+)\(([^;]*)\);', text, re.M)
		# and under the names without a number
		args = {name: args for _, name, args in calls}
		calls += [("NTSTATUS", short, args[name]) for short, name in
		          re.findall(r"^#define (\w+)\s+(\w+)$", text, re.M) if name in args]
		print("#include <ntddk.h>\n#include <fwpsk.h>")
		for kind, name, args in calls:
		    if kind == "NTSTATUS":
		        print(f"NTSTATUS call_{name}(void);\nNTSTATUS call_{name}(void)\n{{\n"
		              f"\treturn {name}({', '.join(['0'] * len(args.split(',')))});\n}}")
		print("NTSTATUS receive(void);\nNTSTATUS receive(void)\n{\n\treturn FwpsStreamInjectAsync0("
		      "0, 0, 0, 0, 0, 0, FWPS_STREAM_FLAG_RECEIVE, 0, 0, 0, 0);\n}")
	EOF
	printf 'obj-m += absent.o\nccflags-y += -I%s/include -I%s/include/nt\n' "$ROOT" "$ROOT" >"$dir/Kbuild"
	make -k -C "$kdir" M="$dir" >"$log" 2>&1 </dev/null && die "what has no counterpart compiles: $dir/absent.c"
	mapfile -t names < <(sed -n '/^FWPS_OUT(/,/(/ { /^FWPS_OUT/d; s/^[A-Za-z]* \([A-Za-z0-9_]*\)(.*/\1/p }' "$ROOT/include/fwpsk.h")
	((${#names[@]} > 5)) || die "include/fwpsk.h declares hardly anything to be absent"
	for name in "${names[@]}"; do
		grep -qE "call to .$name. declared with attribute error: ." "$log" ||
			die "a call of $name() does not say why it cannot be: $log"
	done
	# one for each, and no other
	if grep 'error:' "$log" | grep -v 'declared with attribute error' ||
		(($(grep -c 'error:' "$log") != $(grep -c 'return' "$dir/absent.c"))); then
		die "$dir/absent.c is wrong: $log"
	fi
	say "${#names[@]} functions have no counterpart: a call does not compile, and says why"
}

need_packages build-essential python3
versions=("$@")
((${#versions[@]})) || versions=(6.1 6.12)
for version in "${versions[@]}"; do
	check "$version"
done
absent "${versions[-1]}"
say "include/nt gets along with ${#linux[@]} Linux headers in either order (${versions[*]})"
