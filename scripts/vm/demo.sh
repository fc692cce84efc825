# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# Scenario "demo": a guest's memory goes to the host and comes back, through a VSC that was written
# against KMCL; and the guest moves to another host meanwhile. Told as it happens.

# balloon_there_and_back NAME: 1024 -> 600 -> 1024 MiB, and the guest's free memory with it.
balloon_there_and_back() {
	local before small
	until ((SECONDS - handshake >= 52)); do
		note "... the host balloons 50 s after the handshake: $((52 - SECONDS + handshake)) s left"
		sleep $((52 - SECONDS + handshake < 10 ? 52 - SECONDS + handshake : 10))
	done
	balloon_is "$1" 1024 || not_ok "the balloon starts empty ($reply)"
	before=$(mem_free "$1")
	tell "Host asks for memory: target 600 MiB. Now: $reply; the guest's MemFree is $before MiB"
	ballooned_to "$1" 600 0 $((before - 400)) || not_ok "the balloon reaches 600 MiB ($reply, MemFree ${free:-?} MiB)"
	small=$free
	tell "$reply; MemFree is $small MiB: $((before - small)) MiB went to the host"
	ballooned_to "$1" 1024 $((small + 400)) 1024 || not_ok "the balloon returns to 1024 MiB ($reply, MemFree ${free:-?} MiB)"
	tell "Host gives it back: $reply; MemFree is $free MiB"
}

# ring NAME: reports sent, and the outgoing ring's indices and size, seen at one moment.
ring() {
	local again='' free used limit=$((SECONDS + 60))
	sent=
	until [[ $sent && $sent == "$again" ]]; do
		((SECONDS < limit)) || return 1
		sent=$(reports "$1") || return 1
		read -r written read used free <<<"$(ask "$1" 20 "cd /sys/bus/vmbus/devices/$device &&
			echo \$(cat out_write_index out_read_index out_read_bytes_avail out_write_bytes_avail)")"
		again=$(reports "$1")
	done
	ring_bytes=$((used + free))
}

sent_more_than() { sent=$(reports "$1") && ((sent > $2)); }

tell "Booting the guest: Debian's stock kernel $RELEASE, 1024 MiB"
start_guest first
boot first
while read -r line; do
	tell "Guest: $line"
done <<<"$found"
tell "Offer found: Dynamic Memory {$balloon_class}, device $device"

mark first
error=$(load first) || not_ok "${modules[*]} load: ${error:-no message}"
wait_for 30 "the version handshake" says version first || not_ok "$DRIVER agrees with the host on a version"
handshake=$SECONDS
tell "Loaded ${modules[*]}; protocol version agreed: $(version first)"

reports_follow first || not_ok "status reports reach the host and follow the guest's memory ($reply)"
tell "Reports flow: the host saw $low MiB available while the guest used 32 MiB, $available MiB before and after"
balloon_there_and_back first

if ring first; then
	sent_before=$sent written_before=$written
	{ wait_for 30 "the next report" sent_more_than first "$sent" && ring first; } || not_ok "reports go on"
	size=$(((written - written_before) / (sent - sent_before)))
	tell "$sent reports sent, and the host has read each: the ring is empty ($size bytes for each report)"
	sent_before=$sent written_before=$written
	((written == read)) || not_ok "the host reads its ring (write index $written, read index $read)"
fi

start_guest second -incoming "unix:$WORK/migration"
tell "Live migration to a second QEMU, with the channel open"
qmp first "{\"execute\": \"migrate\", \"arguments\": {\"uri\": \"unix:$WORK/migration\"}}" || not_ok "the migration starts ($reply)"
migrated() { qmp first '{"execute": "query-migrate"}' && [[ $reply == *'"status": "completed"'* || $reply == *'"status": "failed"'* ]]; }
{ wait_for 120 "the migration" migrated && [[ $reply == *completed* ]]; } || not_ok "the migration completes ($reply)"
downtime=${reply#*\"downtime\": }
{ qmp second '{"execute": "query-status"}' && [[ $reply == *'"status": "running"'* ]]; } || not_ok "the guest runs on the second host ($reply)"
stop_guest first
tell "The guest runs on the second host; it stood still for ${downtime%%,*} ms, and the first QEMU is gone"

if [[ ${size:-} ]]; then
	{ wait_for 30 "reports" sent_more_than second $((sent_before + 3)) && ring second; } || not_ok "the VSC goes on sending after the migration"
	((written >= written_before)) || written=$((written + ring_bytes))
	((read >= written_before)) || read=$((read + ring_bytes))
	((written - written_before == (sent - sent_before) * size && (written - read) % size == 0)) ||
		not_ok "no report is lost or doubled ($sent_before -> $sent reports, ring $written_before -> $written)"
	tell "The VSC goes on sending: $((sent - sent_before)) reports since, all in the ring, none lost, none twice;" \
		"$(((read - written_before) / size)) of them read before the move, $(((written - read) / size)) waiting"
fi
tell "QEMU does not migrate its balloon's own state: the new host waits for a new handshake"
error=$(reopen second) || not_ok "$DRIVER reopens its channel: ${error:-no message}"
wait_for 30 "the version handshake" says version second || not_ok "$DRIVER agrees with the new host on a version"
handshake=$SECONDS
reports_follow second || not_ok "status reports reach the new host ($reply)"
tell "The VSC closed and opened its channel; version agreed: $(version second); the new host sees its reports ($available MiB available)"
balloon_there_and_back second

if [[ $DRIVER != hv_balloon ]]; then
	error=$(unload second) || not_ok "${modules[*]} unload: $error"
	tell "Unloaded ${modules[*]}"
fi
log_is_clean second || not_ok "the kernel log has no warning and no error (these are there: $found)"
tell "The kernel log has no WARN, BUG or Oops, and no error since the modules were loaded"
tell "The demo is complete"
