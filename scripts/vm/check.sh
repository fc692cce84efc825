# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# Scenario "check": does the driver under test do its work in a stock kernel, against this host?
# One result line each; stops at the first failure.

start_guest guest
boot guest
ok "a stock kernel finds the VMBus host ($(tail -n 1 <<<"$found")) and its Dynamic Memory offer"

mark guest
error=$(load guest) || not_ok "${modules[*]} loads: ${error:-no message}"
wait_for 30 "the version handshake" says version guest ||
	not_ok "$DRIVER agrees with the host on a version"
handshake=$SECONDS
ok "$DRIVER loads and agrees on version $(version guest)"

reports_follow guest || not_ok "status reports reach the host and follow the guest's memory ($reply)"
ok "status reports reach the host and follow the guest's memory ($low to $available MiB available)"

if [[ $DRIVER != hv_balloon ]]; then
	# shellcheck source=/dev/null
	. "$here/owned.sh"
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
	for name in kmcl kmcl_vmbus; do
		error=$(ask guest 20 "rmmod $name") && not_ok "$name stays while a driver uses it (rmmod took it)"
	done
	reports_follow guest || not_ok "reports flow after rmmod was refused ($reply)"
	ok "rmmod refuses to take the library from under a driver"

	error=$(unload guest) || not_ok "${modules[*]} unload: $error"
	ok "${modules[*]} unload"
fi

log_is_clean guest || not_ok "the kernel log has no warning and no error (these are there: $found)"
ok "the kernel log has no warning and no error"
