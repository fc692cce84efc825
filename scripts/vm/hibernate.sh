# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# Scenario "hibernate": the guest hibernates and comes back, again and again. With the kernel's own
# driver in place of ours it tells what the rig alone does, on a busy machine above all.

with_disk guest
# What a guest that hangs waits for is told when it gets its NMI.
# shellcheck disable=SC2034	# host.sh reads it
parameters=panic_print=0x80
start_guest guest
boot guest
mark guest
error=$(load guest) || not_ok "${modules[*]} loads: ${error:-no message}"
taken
ok "$DRIVER has the device"
for n in 1 2 3 4 5; do
	began=$SECONDS
	error=$(hibernate guest) || not_ok "the guest hibernates for the $n. time: $error"
	[[ $(hibernations guest) == "$n" ]] || not_ok "the guest comes back from hibernation"
	took=$((SECONDS - began))
	taken
	ok "the guest hibernates and comes back in $took s; $DRIVER agrees with the host anew and reports to it"
done
log_is_clean guest || not_ok "the kernel log has no warning and no error (these are there: $found)"
ok "the kernel log has no warning and no error"
