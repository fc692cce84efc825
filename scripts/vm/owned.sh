# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# Part of scenario "check": the kernel's own driver has the device already. The driver under test
# says so in one line that tells how to free the device; nothing is lost; doing as told works.
# Sourced; a guest of its own, while the first one waits.

start_guest owned
boot owned
ask owned 60 'modprobe hv_balloon pressure_report_delay=0' >/dev/null || not_ok "the guest loads hv_balloon"
wait_for 30 "a report of hv_balloon" report owned || not_ok "hv_balloon has the device ($reply)"

mark owned
error=$(load owned)
lines=$(ask owned 20 "dmesg | sed '1,/modules under test from here/d' | grep hv_balloon")
[[ $(wc -l <<<"$lines") == 1 && $lines == *"/drivers/hv_balloon/unbind"* ]] ||
	not_ok "one line says that hv_balloon has the device, and how to free it (got: ${lines:-nothing}; $error)"
owner() { ask owned 20 "basename \$(readlink /sys/bus/vmbus/devices/$device/driver)"; }
{ [[ $(owner) == hv_balloon ]] && reports_follow owned; } || not_ok "hv_balloon keeps working beside $DRIVER"
ok "$DRIVER says that hv_balloon has the device, and how to free it; nothing is lost"

# What the line says after "to free it:", then the module once more.
free_it=$(sed -n 's/.*to free it: //p' <<<"$lines")
ask owned 20 "$free_it" >/dev/null || not_ok "the command in that line works: $free_it"
[[ $(owner) == "$DRIVER" ]] || { error=$(unload owned; load owned) || not_ok "$DRIVER loads again: $error"; }
wait_for 30 "the version handshake" says version owned || not_ok "$DRIVER takes the freed device"
reports_follow owned || not_ok "reports flow after the change of owner ($reply)"
error=$(unload owned) || not_ok "${modules[*]} unload: $error"
log_is_clean owned || not_ok "the kernel log has no warning and no error (these are there: $found)"
ok "done as told, $DRIVER has the device and reports flow"
stop_guest owned
