# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# Scenario "check": does the driver under test do its work in a stock kernel, against this host?
# One result line each; stops at the first failure.

owner() { ask guest 20 "basename \$(readlink /sys/bus/vmbus/devices/$device/driver)"; }

# The kernel's own driver has the device: the driver under test says so in one line that tells how
# to free the device. What has worked goes on working, and doing as told works.
take_from_hv_balloon() {
	local lines free_it
	ask guest 60 'modprobe hv_balloon pressure_report_delay=0' >/dev/null || not_ok "the guest loads hv_balloon"
	wait_for 30 "a report of hv_balloon" report guest || not_ok "hv_balloon serves the device ($reply)"
	error=$(load guest)
	lines=$(ask guest 20 "dmesg | sed '1,/modules under test from here/d' | grep 'kmcl.*hv_balloon'")
	[[ $(wc -l <<<"$lines") == 1 && $lines == *"/drivers/hv_balloon/unbind"* ]] ||
		not_ok "one line says that hv_balloon has the device, and how to free it (${lines:-no line}; $error)"
	[[ $(owner) == hv_balloon ]] || not_ok "hv_balloon keeps its device"
	reports_follow guest || not_ok "hv_balloon goes on reporting ($reply)"
	ok "$DRIVER says in one line that hv_balloon has the device, and hv_balloon goes on working"

	free_it=$(sed -n 's/.*to free it: //p' <<<"$lines")
	ask guest 20 "$free_it" >/dev/null || not_ok "the command in that line works: $free_it"
	if [[ $(owner) != "$DRIVER" ]]; then
		error=$(unload guest && load guest) || not_ok "$DRIVER loads after the device was freed: $error"
	fi
}

# Slots of the kernel's bounce pool that are in use. No other device of this guest uses it.
pool() { ask guest 20 'cat /sys/kernel/debug/swiotlb/io_tlb_used'; }
remark() { ask guest 20 "dmesg | grep -o 'kmcl_swiotlb: .*' | head -n 1"; }

# kunit/vm/swiotlb.c sends external data, and looks at them as the host would.
through_the_pool() {
	local before during after slots
	before=$(pool) || not_ok "the guest's kernel tells what is in its bounce pool"
	ask guest 60 'modprobe kmcl_swiotlb' >/dev/null 2>&1 ||
		not_ok "the host takes external data that bounce, and finds the driver's bytes ($(remark))"
	during=$(pool)
	slots=$(ask guest 20 'cat /sys/module/kmcl_swiotlb/parameters/slots')
	((slots > 0 && during - before >= slots)) ||
		not_ok "external data are in the bounce pool (in use: $before slots, then $during; they need $slots)"
	ok "the host takes external data, which bounce: $((during - before)) slots of the pool, each byte at its place, none beside them"

	ask guest 60 'rmmod kmcl_swiotlb kmcl_vmbus kmcl' >/dev/null || not_ok "kmcl_swiotlb unloads"
	[[ $(remark) == *" packets came back from the pool" ]] ||
		not_ok "what the host wrote is in the driver's memory, and nothing else ($(remark))"
	after=$(pool)
	((after == before)) || not_ok "the pool has its slots back ($before in use before, $after after)"
	ok "after a close the driver has what the host wrote where it might, and nothing else; the pool has its slots back"
}

with_disk guest
# every transfer bounces, as in a guest whose memory the host cannot see
# shellcheck disable=SC2034	# host.sh reads it
parameters=swiotlb=force
start_guest guest
boot guest
ok "a stock kernel finds the VMBus host ($(tail -n 1 <<<"$found")) and its Dynamic Memory offer"

mark guest
if [[ $DRIVER == hv_balloon ]]; then
	error=$(load guest) || not_ok "${modules[*]} loads: ${error:-no message}"
else
	take_from_hv_balloon
fi
taken
ok "$DRIVER has the device: version $(version guest), and its reports follow the guest's memory ($low to $available MiB available)"

if [[ $DRIVER != hv_balloon ]]; then
	for name in kmcl kmcl_vmbus; do
		error=$(ask guest 20 "rmmod $name") && not_ok "$name stays while a driver uses it (rmmod took it)"
	done
	reports_follow guest || not_ok "reports flow after rmmod was refused ($reply)"
	ok "rmmod refuses to take the library from under a driver"

	error=$(hibernate guest) || not_ok "the guest hibernates: $error"
	[[ $(hibernations guest) == 1 ]] || not_ok "the guest comes back from hibernation"
	taken
	ok "the guest hibernates and comes back; $DRIVER agrees with the host anew and reports to it"
fi

until ((SECONDS - handshake >= 52)); do
	note "... waiting for the host: it balloons 50 s after the handshake ($((52 - SECONDS + handshake)) s left)"
	sleep $((52 - SECONDS + handshake < 10 ? 52 - SECONDS + handshake : 10))
done
balloon_is guest 1024 || not_ok "the balloon starts empty ($reply)"
before=$(mem_free guest) || not_ok "the guest answers"
ballooned_to guest 600 0 $((before - 400)) || not_ok "the balloon reaches 600 MiB ($reply, MemFree $before -> ${free:-?} MiB)"
small=$free
ok "ballooned from 1024 to 600 MiB; MemFree went from $before to $small MiB"
ballooned_to guest 1024 $((small + 400)) 1024 || not_ok "the balloon returns to 1024 MiB ($reply, MemFree $small -> ${free:-?} MiB)"
ok "ballooned back to 1024 MiB; MemFree went from $small to $free MiB"

if [[ $DRIVER != hv_balloon ]]; then
	error=$(unload guest) || not_ok "${modules[*]} unload: $error"
	error=$(load guest) || not_ok "${modules[*]} load again: $error"
	taken
	error=$(unload guest) || not_ok "${modules[*]} unload again: $error"
	ok "${modules[*]} unload, load again with a new handshake, and unload"

	# what one of them needs was loaded before it
	backwards=
	for name in $SAMPLES; do
		backwards="$name $backwards"
	done
	error=$(ask guest 60 "modprobe -a $SAMPLES && rmmod $backwards && rmmod kmcl_vmbus kmcl && ! grep kmcl /proc/modules") ||
		not_ok "the other samples load and unload: $error"
	ok "the other samples load and unload, where every transfer would bounce: $SAMPLES"

	# The device is nobody's now.
	through_the_pool
fi

log_is_clean guest || not_ok "the kernel log has no warning and no error (these are there: $found)"
ok "the kernel log has no warning and no error"
