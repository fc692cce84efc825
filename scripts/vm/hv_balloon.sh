# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154
#
# The kernel's own Dynamic Memory driver in the place of the module under test: shows whether the
# rig itself works. It cannot be unloaded, and counts no reports.

modules=(hv_balloon)

load() { ask "$1" 60 'modprobe hv_balloon pressure_report_delay=0'; }
version() { ask "$1" 20 "sed -n 's/^host_version *: //p' /sys/kernel/debug/hv-balloon"; }
ballooned() { ask "$1" 20 "sed -n 's/^pages_ballooned *: //p' /sys/kernel/debug/hv-balloon"; }
reports() { return 1; }
between_reports() { :; }
reopen() {
	ask "$1" 60 "cd /sys/bus/vmbus/drivers/hv_balloon && echo $device >unbind && echo $device >bind"
}
unload() { return 1; }
