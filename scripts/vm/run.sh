#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A stock Debian kernel as a guest of QEMU's VMBus host, with the modules under test in it.
#
# usage: run.sh check|demo [--driver NAME] [--rig kvm|nested]
#
#   check           prints one "ok" or "not ok" line for each result
#   demo            tells what happens
#   --driver NAME   kmcl_dynmem, or hv_balloon: the kernel's own driver, to try the rig itself
#   --rig NAME      do not choose between KVM and the nested rig, take this one
#
# KMCL_MODULES names the directory with the modules under test (default: build/modules-6.12, which
# is built when it is not there).

here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/vm/qemu.sh
. "$here/qemu.sh"
# shellcheck source=scripts/vm/image.sh
. "$here/image.sh"

version=6.12
scenario=${1:-}
driver=kmcl_dynmem
rig=
[[ $scenario == check || $scenario == demo ]] || die "usage: run.sh check|demo [--driver NAME] [--rig kvm|nested]"
shift
while (($#)); do
	case $1:${2:-} in
	--driver:kmcl_dynmem | --driver:hv_balloon) driver=$2 ;;
	--rig:kvm | --rig:nested) rig=$2 ;;
	*) die "cannot use '$*': see the first lines of this script" ;;
	esac
	shift 2
done
[[ $(uname -m) == x86_64 ]] || die "the VM rig needs an x86-64 machine; this one is $(uname -m)"

need_packages busybox-static cpio gcc kmod libc6-dev socat xz-utils
qemu_find
image=$(kernel_image $version)
release=${image##*/linux-image-}
say "guest kernel: Debian's $release"
[[ -e $image/lib/modules/$release/modules.dep ]] || /sbin/depmod -b "$image" "$release"

vm=$BUILD/vm
mkdir -p "$vm"
rm -rf "$vm/scenario" "$vm/run"
gcc -O2 -o "$vm/kvm-synic" "$ROOT/scripts/kvm-synic.c" || die "cannot compile scripts/kvm-synic.c: is gcc usable?"
if why=$("$vm/kvm-synic"); then
	: "${rig:=kvm}"
	say "$why: ${rig/kvm/the guest runs directly}"
else
	[[ $rig != kvm ]] || die "--rig kvm: $why"
	rig=nested
	say "$why: the guest runs in an emulated machine that has one (slower, same scenario)"
fi

modules=()
if [[ $driver != hv_balloon ]]; then
	dir=${KMCL_MODULES:-$BUILD/modules-$version}
	for name in kmcl kmcl_vmbus "$driver"; do
		file=$(find "$dir" -name "$name.ko" 2>/dev/null | head -n 1)
		[[ $file ]] || die "no $name.ko in $dir: run 'make modules' for $release, or set KMCL_MODULES"
		[[ $(modinfo -F vermagic "$file") == "$release "* ]] ||
			die "$file is for another kernel than $release: build it with KDIR=$(kernel_headers $version)"
		modules+=("$file")
	done
fi

make_firmware
make_guest "$image" "$vm/guest.img" "${modules[@]}"

mkdir "$vm/scenario"
cp "$here"/{host,check,owned,demo,kmcl_dynmem,hv_balloon}.sh "$vm/scenario/"

# The scenario's environment, as NAME=VALUE arguments; where the nested rig keeps things differs.
settings() {
	printf '%s=%q\n' SCENARIO "$scenario" DRIVER "$driver" RELEASE "$release" "$@"
}

child=
trap '[[ -z $child ]] || kill "$child" 2>/dev/null' EXIT
trap 'exit 130' INT TERM

run_kvm() {
	mkdir "$vm/run"
	settings QEMU "$qemu" FIRMWARE "$vm/firmware" KERNEL "$image/vmlinuz" GUEST "$vm/guest.img" WORK "$vm/run" \
		LD_LIBRARY_PATH "$qemu_libs" >"$vm/scenario/environment"
	(
		set -a
		# shellcheck source=/dev/null
		. "$vm/scenario/environment"
		exec timeout 900 bash "$vm/scenario/host.sh"
	) </dev/null &
	child=$!
	wait "$child" && code=0 || code=$?
}

run_nested() {
	local line
	settings QEMU /bin/qemu-system-x86_64 FIRMWARE /firmware KERNEL /scenario/vmlinuz GUEST /scenario/guest.img \
		WORK /tmp/run >"$vm/scenario/environment"
	sed -i 's/^/export /' "$vm/scenario/environment"
	make_middle "$image" "$vm/middle.img" "$vm/guest.img"
	say "booting the emulated machine (30 s)"
	mkfifo "$vm/scenario/output"
	qemu_run -L "$vm/firmware" -accel tcg,thread=multi -cpu EPYC,+svm,+npt -m 4G -smp 2 -M q35 -nodefaults -no-reboot \
		-display none -kernel "$image/vmlinuz" -initrd "$vm/middle.img" -append "console=ttyS0 panic=-1 loglevel=4 mitigations=off" \
		-serial "file:$vm/middle.log" -chardev "stdio,id=results,signal=off" -serial chardev:results \
		-serial "file:$vm/guests.log" </dev/null >"$vm/scenario/output" 2>"$vm/qemu.log" &
	child=$!
	code=
	while read -r -t 120 line; do
		if [[ $line == "exit "* ]]; then
			code=${line#exit }
			break
		fi
		printf '%s\n' "$line"
	done <"$vm/scenario/output"
	if [[ -z $code ]]; then
		code=1
		printf '%s\n' "not ok - the emulated machine stopped or went silent for two minutes; its last lines:"
		{ grep -v "TCG doesn't support" "$vm/qemu.log" || true; tail -n 15 "$vm/middle.log"; } | sed 's/^/# /'
	fi
	wait "$child" || true
	child=
}

start=$SECONDS
if [[ $rig == kvm ]]; then
	run_kvm
else
	run_nested
fi
say "VM rig, $scenario with $driver: exit code $code after $((SECONDS - start)) s; logs in ${vm#"$ROOT/"}"
exit "$code"
