#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The host's side of the VM rig: starts guests under QEMU's VMBus, talks to both, and plays one
# scenario. Runs wherever a KVM with SynIC is: on this machine, or in the middle of the nested rig.
#
# The environment says what to use: QEMU, FIRMWARE, KERNEL, GUEST (initramfs), WORK (a directory
# for sockets and logs), SCENARIO (check, demo, hibernate, trace), DRIVER (kmcl_dynmem or hv_balloon).

# shellcheck disable=SC2153
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)

# ---- results and story ----------------------------------------------------------------------

count=0
# A second try does not repeat the results of the first.
ok() { ((++count <= ${PRINTED:-0})) || echo "ok $count - $*"; }
# A story in place of results: a time stamp, and the end of it when something is wrong.
tell() { printf '[%3d s] %s\n' "$SECONDS" "$*"; }
note() { printf '        %s\n' "$*"; }

# QEMU 10.0 aborts when its balloon acts (50 s after the handshake, or on a new target) while a
# message of the guest is unread: its balloon then reads the ring outside of the ring's own event.
# Rare, and no guest can avoid it, so it is no result.
try_again() {
	grep -qs 'gpadl_iter_seek: Assertion' "$WORK"/*.qemu.log || return
	((${TRIED:-0} < 2)) || return
	note "... QEMU hit a bug of its own (a balloon message at the wrong moment): starting over"
	trap - EXIT
	end >/dev/null
	mkdir "$WORK/again"
	((PRINTED = count > ${PRINTED:-0} ? count : ${PRINTED:-0}))
	export PRINTED TRIED=$((${TRIED:-0} + 1)) WORK=$WORK/again
	exec bash "$0"
}

# not_ok WHAT: the one failure of a scenario; what was not reached after it has no result.
not_ok() {
	local guest
	try_again
	if [[ $SCENARIO == demo ]]; then
		tell "FAILED: $*"
	else
		echo "not ok $((++count)) - $*"
	fi
	for guest in "${guests[@]}"; do
		echo "# last lines of the guest '$guest' (kernel log, or its console when it does not answer):"
		if ! ask "$guest" 10 'dmesg | tail -n 25'; then
			# a backtrace, if it can; then its QEMU ends
			qmp "$guest" '{"execute": "inject-nmi"}' && wait_for 20 "the backtrace" gone "$guest"
			tail -n 60 "$WORK/$guest.console.log"
		fi 2>/dev/null | awk '{ print "#   " $0 }'	# ends its last line, if the guest did not
		[[ ! -s $WORK/$guest.qemu.log ]] || tail -n 5 "$WORK/$guest.qemu.log" | sed 's/^/# QEMU: /'
	done
	exit 1
}

# wait_for SECONDS WHAT COMMAND...: until the command succeeds, with a sign of life.
wait_for() {
	local limit=$1 what=$2 start=$SECONDS said=$SECONDS
	shift 2
	until "$@"; do
		((SECONDS - start < limit)) || return 1
		all_run || return 1
		if ((SECONDS - said >= 10)); then
			said=$SECONDS
			note "... waiting for $what ($((SECONDS - start)) s)"
		fi
		sleep 0.5
	done
}

gone() { ! kill -0 "${pid[$1]}"; }

all_run() {
	local guest
	for guest in "${guests[@]}"; do
		kill -0 "${pid[$guest]}" 2>/dev/null || return
	done
}

# ---- guests ---------------------------------------------------------------------------------

guests=()
declare -A pid to from options

# with_disk NAME: the guest will have a disk, empty, to hibernate to.
with_disk() {
	truncate -s 768M "$WORK/$1.disk"
	options[$1]="-drive if=none,id=disk,format=raw,file=$WORK/$1.disk -device virtio-blk-pci,drive=disk"
}

# No hv-stimer, or its messages and those of the VMBus meet in one slot; see Documentation/rig-vm.md.
# kvm=off: a guest that finds KVM's own signature takes that for its hypervisor, and hv_vmbus
# refuses to load. disable_s4: hv_balloon does not balloon a guest that can hibernate.
start_guest() {
	local name=$1 more
	shift
	read -ra more <<<"${options[$name]:-}"
	guests+=("$name")
	"$QEMU" -L "$FIRMWARE" -accel kvm -M q35 -m 1024 -smp "${CPUS:-1}" -global ICH9-LPC.disable_s4=1 \
		-cpu host,kvm=off,hv-relaxed,hv-vapic,hv-vpindex,hv-runtime,hv-time,hv-frequencies,hv-synic \
		-nodefaults -no-reboot -display none \
		-device vmbus-bridge -device hv-balloon,status-report=on \
		-kernel "$KERNEL" -initrd "$GUEST" \
		-append "console=ttyS0 panic=-1 loglevel=5 log_buf_len=1M mitigations=off init_on_alloc=0 unknown_nmi_panic ${parameters:-}" \
		-serial "file:$WORK/$name.console.log" \
		-chardev "socket,id=commands,path=$WORK/$name.commands,server=on,wait=off" -serial chardev:commands \
		-qmp "unix:$WORK/$name.qmp,server=on,wait=off" "${more[@]}" "$@" </dev/null >"$WORK/$name.qemu.log" 2>&1 &
	pid[$name]=$!
	disown		# the shell need not tell when it ends
	connect "$name" commands
	connect "$name" qmp
	qmp "$name" '{"execute": "qmp_capabilities"}' || not_ok "QEMU starts"
}

stop_guest() {
	local name=$1 left=()
	kill -9 "${pid[$name]}" 2>/dev/null
	unset "pid[$name]"
	for guest in "${guests[@]}"; do
		[[ $guest == "$name" ]] || left+=("$guest")
	done
	guests=("${left[@]}")
}

# The last line of the output is for run.sh.
end() {
	local code=$?
	((${#pid[@]} == 0)) || kill -9 "${pid[@]}" 2>/dev/null
	echo "exit $code"
}
trap end EXIT
trap '' PIPE
trap 'exit 130' INT TERM

# connect NAME SOCKET: file descriptors to and from a socket of a guest.
connect() {
	local path=$WORK/$1.$2 out in
	rm -f "$path.to" "$path.from"
	mkfifo "$path.to" "$path.from"
	socat -t 1 - "UNIX-CONNECT:$path,retry=100,interval=0.1" <"$path.to" >"$path.from" 2>>"$WORK/socat.log" &
	exec {out}>"$path.to" {in}<"$path.from"
	to[$1.$2]=$out
	from[$1.$2]=$in
}

# ask NAME SECONDS COMMAND: run a command in the guest, print what it prints, return its code.
ask() {
	local id=$EPOCHREALTIME line begun='' deadline=$((SECONDS + $2))
	{ printf '%s %s\n' "$id" "${3//$'\n'/ }" >&"${to[$1.commands]}"; } 2>/dev/null || return 125
	while ((SECONDS <= deadline)) && read -r -t "$2" line <&"${from[$1.commands]}"; do
		case $line in
		"begin $id") begun=1 ;;
		"end $id "*) return "${line##* }" ;;
		*) [[ -z $begun ]] || printf '%s\n' "$line" ;;
		esac
	done
	note "... the guest '$1' has not answered for $2 s: $3" >&2
	return 124
}

# qmp NAME JSON: the answer in $reply.
qmp() {
	local deadline=$((SECONDS + 30))
	reply='the host does not answer'
	{ printf '%s\n' "$2" >&"${to[$1.qmp]}"; } 2>/dev/null || return 1
	while ((SECONDS <= deadline)) && read -r -t 30 reply <&"${from[$1.qmp]}"; do
		case $reply in
		*'"return": '*) return 0 ;;
		*'"error": '*) return 1 ;;
		*'"event": '*) echo "$reply" >>"$WORK/$1.events.log" ;;
		esac
	done
	reply='the host does not answer'
	return 1
}

# hmp NAME COMMAND: one of the commands for people; the first line of the answer in $reply.
hmp() {
	qmp "$1" "{\"execute\": \"human-monitor-command\", \"arguments\": {\"command-line\": \"$2\"}}" || return 1
	reply=${reply#*\"return\": \"}
	reply=${reply%%\\r*}
}

balloon_is() { hmp "$1" "info balloon" && [[ $reply == "balloon: actual=$2" ]]; }

# report NAME: the guest's last status report as the host has it; "committed available" in $reply.
report() {
	qmp "$1" '{"execute": "query-hv-balloon-status-report"}' || return 1
	[[ $reply =~ \"committed\":\ ([0-9]+) ]] || return 1
	local committed=${BASH_REMATCH[1]}
	[[ $reply =~ \"available\":\ ([0-9]+) ]] || return 1
	reply="$committed ${BASH_REMATCH[1]}"
}

# available_in NAME LOW HIGH: the last report says so many MiB available.
available_in() {
	report "$1" || return 1
	available=$((${reply#* } / 1048576))
	((available >= $2 && available <= $3))
}

# reports_follow NAME: 32 MiB taken in the guest, and returned, show in its reports.
reports_follow() {
	wait_for 30 "a status report" report "$1" || return 1
	local old=$((${reply#* } / 1048576))
	ask "$1" 60 'dd if=/dev/zero of=/tmp/fill bs=1M count=32' >/dev/null || return 1
	wait_for 20 "a report with less memory than $old MiB" available_in "$1" 0 $((old - 24)) || return 1
	low=$available
	ask "$1" 30 'rm /tmp/fill' || return 1
	wait_for 20 "a report with more memory than $low MiB" available_in "$1" $((low + 16)) 1024
}

mem_free() { ask "$1" 20 "awk '/^MemFree/ { print int(\$2 / 1024) }' /proc/meminfo"; }

# mem_free_in NAME LOW HIGH: so many MiB are free in the guest; how many in $free.
mem_free_in() { free=$(mem_free "$1") && ((free >= $2 && free <= $3)); }

# ballooned_to NAME MIB LOW HIGH: set the host's target, and see guest and host follow it.
# The target is set right after a report, for the reason above (try_again).
ballooned_to() {
	between_reports "$1"
	hmp "$1" "balloon $2"
	wait_for 40 "the balloon" balloon_is "$1" "$2" || return 1
	wait_for 20 "the guest's MemFree" mem_free_in "$1" "$3" "$4"
}

# ---- what scenarios share -----------------------------------------------------------------

balloon_class=525074dc-8985-46e2-8057-a307dc18a502

# says COMMAND...: it prints something.
says() { [[ $("$@") ]]; }

ready() {
	local line
	while read -r -t 1 line <&"${from[$1.commands]}"; do
		[[ $line != *ready ]] || return 0
	done
	return 1
}

# finds_bus NAME: the stock kernel's own driver, before any module under test is there.
finds_bus() {
	# shellcheck disable=SC2016	# the guest expands these
	ask "$1" 20 'modprobe hv_vmbus; i=0; until ls /sys/bus/vmbus/devices/* || [ $i = 50 ]; do sleep 0.1; i=$((i+1)); done' \
		>/dev/null 2>&1
	found=$(ask "$1" 20 'dmesg | grep -oE "Hypervisor detected: .*|Vmbus version:.*"') && [[ $found == *Vmbus* ]]
}

# The doubly emulated processor loses a guest now and then before it has run much more than its
# kernel, long before any module under test is there: so a boot, and only a boot, gets a second chance.
boot() {
	local tries=3
	until wait_for 75 "the guest to boot" ready "$1" && finds_bus "$1"; do
		((--tries)) || not_ok "the guest boots and finds the VMBus host"
		note "... the guest hangs or dies before it has found the bus: booting it again"
		stop_guest "$1"
		start_guest "$1"
	done
	offer=$(ask "$1" 20 "grep -l $balloon_class /sys/bus/vmbus/devices/*/class_id") ||
		not_ok "the host offers Dynamic Memory to the guest"
	device=${offer%/class_id}
	device=${device##*/}
}

# What must not be in a kernel log; and no message of level err or worse from the moment the
# modules under test came (mark), whoever wrote it.
alarms='WARNING: [^S]|BUG:|Oops|Call Trace|general protection|possible recursive|possible circular|suspicious RCU|kmemleak|refcount_t|blocked for more than|Out of memory|page allocation failure'
mark() { ask "$1" 20 'echo "<5>modules under test from here" >/dev/kmsg'; }

# log_is_clean NAME: the lines that must not be there are in $found.
log_is_clean() {
	found=$(ask "$1" 60 "dmesg -r | awk '
		/$alarms/ { print; next }
		/modules under test from here/ { marked = 1 }
		marked && substr(\$0, 2) % 8 <= 3 { print }'") && [[ -z $found ]]
}

# taken NAME: the driver has the device, the host has its version and its reports.
taken() {
	wait_for 30 "the version handshake" says version guest || not_ok "$DRIVER agrees with the host on a version"
	# shellcheck disable=SC2034	# the scenario waits from here
	handshake=$SECONDS
	reports_follow guest || not_ok "status reports reach the host and follow the guest's memory ($reply)"
}

# hibernate NAME: the whole of it but the power: every device freezes, the image is taken, they thaw,
# it is written to the disk, they freeze again, it is read back and takes over, and they are restored.
# The console tells each step, for a guest that does not come back.
hibernate() {
	local sign code
	# shellcheck disable=SC2016	# the guest expands these
	ask "$1" 20 'grep -q vda /proc/swaps || { modprobe -a virtio_pci virtio_blk && mkswap /dev/vda && swapon /dev/vda; } &&
		echo test_resume >/sys/power/disk && echo 1 >/sys/power/pm_print_times &&
		echo N >/sys/module/printk/parameters/console_suspend && dmesg -n 7' >/dev/null || return
	while sleep 20; do note "... the guest hibernates"; done >&2 &
	sign=$!
	ask "$1" 150 'echo disk >/sys/power/state && dmesg -n 5'
	code=$?
	kill "$sign"
	return "$code"
}

# hibernations NAME: how many it has come back from.
hibernations() { ask "$1" 20 'dmesg | grep -c "PM: hibernation: hibernation exit"'; }

# shellcheck source=/dev/null
. "$here/$DRIVER.sh"
# shellcheck source=/dev/null
. "$here/$SCENARIO.sh"
