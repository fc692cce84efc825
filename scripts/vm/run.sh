#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# A stock Debian kernel as a guest of QEMU's VMBus host, with the modules under test in it.
#
# usage: run.sh check|demo|hibernate|trace [--driver NAME] [--rig kvm|nested]
#
#   check           prints a line "ok N - ..." or "not ok N - ..." for each result
#   demo            tells what happens
#   hibernate       results again: the guest hibernates five times, and nothing else
#   trace           results again: perf and trace-cmd record what the driver does, and read it
#   --driver NAME   kmcl_dynmem, or hv_balloon: the kernel's own driver, to try the rig itself
#   --rig NAME      do not choose between KVM and the nested rig, take this one
#
# KMCL_MODULES names the directory with the modules under test (default: build/modules-6.12, where
# scripts/modules.sh puts them).

# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source-path=SCRIPTDIR source=qemu.sh
. "$ROOT/scripts/vm/qemu.sh"
# shellcheck source-path=SCRIPTDIR source=image.sh
. "$ROOT/scripts/vm/image.sh"

version=6.12
vm=$BUILD/vm
scenario=${1:-}
driver=kmcl_dynmem
rig=

[[ $scenario == @(check|demo|hibernate|trace) ]] ||
	die "usage: run.sh check|demo|hibernate|trace [--driver NAME] [--rig kvm|nested]"
shift
while (($#)); do
	case $1:${2:-} in
	--driver:kmcl_dynmem | --driver:hv_balloon) driver=$2 ;;
	--rig:kvm | --rig:nested) rig=$2 ;;
	*) die "cannot use '$*': the first lines of scripts/vm/run.sh say what there is" ;;
	esac
	shift 2
done

# Whoever counts results must not take none for good.
child='' bad=''
# shellcheck disable=SC2317	# traps and start_$rig call it
at_exit() {
	local code=$?
	[[ -z $child ]] || kill "$child" 2>/dev/null || true
	if ((code)) && [[ $scenario != demo && -z $bad ]]; then
		echo "not ok - the VM rig works"
	fi
}
trap at_exit EXIT
trap 'exit 130' INT TERM HUP

# ---- what it takes --------------------------------------------------------------------------

[[ $(uname -m) == x86_64 ]] || die "the VM rig needs an x86-64 machine; this one is $(uname -m)"
mkdir -p "$vm"
exec 8>"$vm/.lock"
flock -n 8 || die "another run of the VM rig uses $vm: wait for its end, or set KMCL_BUILD to another directory"

need_packages busybox-static cpio gcc kmod libc6-dev socat xz-utils
image=$(kernel_image $version)
release=${image##*/linux-image-}
qemu_find

gcc -O2 -o "$vm/kvm-synic" "$ROOT/scripts/kvm-synic.c" || die "cannot compile scripts/kvm-synic.c: is gcc usable?"
if why=$("$vm/kvm-synic"); then
	: "${rig:=kvm}"
elif [[ $rig == kvm ]]; then
	die "no guest can run directly here: $why; without --rig kvm it runs in an emulated machine"
else
	rig=nested
fi
if [[ $rig == kvm ]]; then
	say "rig: the guest runs directly ($why)"
else
	say "rig: an emulated machine with a KVM of its own, and the guest in that ($why)"
	memory=$(awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo)
	((memory > 3400)) || die "the emulated machine needs 3400 MiB of memory; $memory MiB are free here"
fi

modules=() samples=()
if [[ $driver != hv_balloon ]]; then
	dir=${KMCL_MODULES:-$BUILD/modules-$version}
	# the others of samples/ come along: they have no device here, but they load
	mapfile -t samples < <(find "$dir/samples" -name 'kmcl_*.ko' ! -name "$driver.ko" -printf '%f\n' 2>/dev/null | sed 's/\.ko$//' | sort)
	tests=()
	[[ $scenario != check ]] || tests=(kmcl_swiotlb)
	for name in kmcl kmcl_vmbus "$driver" "${samples[@]}" "${tests[@]}"; do
		file=$(find "$dir" -name "$name.ko" -print -quit 2>/dev/null) || true
		[[ $file ]] || die "no $name.ko in $dir: run scripts/modules.sh $version first, or set KMCL_MODULES"
		[[ $(/sbin/modinfo -F vermagic "$file") == "$release "* ]] ||
			die "$file is not for the guest's kernel $release: run scripts/modules.sh $version, or set KMCL_MODULES"
		modules+=("$file")
	done
fi

[[ -e $image/lib/modules/$release/modules.dep ]] || /sbin/depmod -b "$image" "$release"
programs=()
if [[ $scenario == trace ]]; then
	need_packages linux-perf trace-cmd
	programs=("$(command -v perf)" "$(command -v trace-cmd)")
fi
make_firmware
make_guest "$image" "$vm/guest.img" "${programs[*]}" "${modules[@]}"
rm -rf "$vm/scenario"
mkdir "$vm/scenario"
cp "$ROOT"/scripts/vm/{host,check,demo,hibernate,trace,kmcl_dynmem,hv_balloon}.sh "$vm/scenario/"

# ---- one run --------------------------------------------------------------------------------

# environment NAME VALUE...: what host.sh reads.
environment() { printf 'export %s=%q\n' PRINTED "$good" SCENARIO "$scenario" DRIVER "$driver" SAMPLES "${samples[*]}" RELEASE "$release" "$@" >"$vm/scenario/environment"; }

start_kvm() {
	rm -rf "$vm/run"
	mkdir "$vm/run"
	environment QEMU "$vm/qemu" FIRMWARE "$vm/firmware" KERNEL "$image/vmlinuz" GUEST "$vm/guest.img" WORK "$vm/run"
	bash -c '. "$0/environment"; exec timeout 900 bash "$0/host.sh"' "$vm/scenario" \
		</dev/null >"$vm/output" 2>&1 &
	child=$!
}

start_nested() {
	environment QEMU /bin/qemu-system-x86_64 FIRMWARE /firmware KERNEL /scenario/vmlinuz GUEST /scenario/guest.img WORK /tmp/run
	make_middle "$image" "$vm/middle.img" "$vm/guest.img"
	say "booting the emulated machine: 20 seconds and more"
	"$vm/qemu" -L "$vm/firmware" -accel tcg,thread=multi -cpu EPYC,+svm,+npt -M q35 -m 3G -smp 2 \
		-nodefaults -no-reboot -display none -kernel "$image/vmlinuz" -initrd "$vm/middle.img" \
		-append "console=ttyS0 panic=-1 loglevel=4 mitigations=off" \
		-serial "file:$vm/middle.log" -chardev stdio,id=results,signal=off -serial chardev:results \
		-serial "file:$vm/guests.log" </dev/null >"$vm/output" 2>"$vm/qemu.log" &
	child=$!
}

# play: one run of the scenario, its output passed on as it comes; the result in $code, which is
# empty when the rig broke down before there was one.
play() {
	local line
	rm -f "$vm/output"
	mkfifo "$vm/output"
	if [[ $rig == kvm ]]; then
		start_kvm
	else
		start_nested
	fi
	code=
	while read -r -t 100 line; do
		case $line in
		"exit "*) code=${line#exit }; break ;;
		"ok "*) ((++good)) ;;
		"not ok "*) bad=1 ;;
		esac
		printf '%s\n' "$line"
	done <"$vm/output"
	# The emulated machine switches itself off once its logs are out.
	if [[ $code ]]; then
		for ((i = 0; i < 100; i++)); do
			kill -0 "$child" 2>/dev/null || break
			sleep 0.1
		done
	fi
	if kill "$child" 2>/dev/null; then
		sleep 1
		kill -9 "$child" 2>/dev/null || true
	fi
	child=''
}

start=$SECONDS good=0
play
if [[ -z $code && $rig == nested ]]; then
	say "the emulated machine stopped, or said nothing for 100 seconds; the last lines of $vm/qemu.log and $vm/middle.log:"
	{ grep -hv "TCG doesn't support" "$vm/qemu.log" || true; tail -n 15 "$vm/middle.log"; } 2>/dev/null | sed 's/^/  /' >&2
	say "starting over, once"
	play
fi
if [[ -z $code ]]; then
	code=1
	say "the rig stopped, or said nothing for 100 seconds: look at the logs in $vm"
fi
say "VM rig: $scenario with $driver took $((SECONDS - start)) s; the guests' logs are in $vm"
exit "$code"
