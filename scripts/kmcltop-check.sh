#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# kmcltop on what a kernel shows: User Mode Linux with both ends of samples/echo at work, whose
# kmcl/status is taken twice. The copies stay as build/kmcltop/*.status. Ends with a line
# "N passed, N failed, N skipped".
#
# usage: kmcltop-check.sh

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

need_packages python3
dir=$BUILD/kmcltop log=$BUILD/log/kmcltop.log
top=$ROOT/scripts/kmcltop
status=/sys/kernel/debug/kmcl/status
passed=0 failed=0

# holds NAME COMMAND...
holds() {
	local name=$1
	shift
	if "$@" >"$dir/out" 2>&1; then
		((++passed))
	else
		((++failed))
		say "not so: $name"
		head -n 20 "$dir/out" >&2
	fi
}

# says TEXT COMMAND...: the command fails and says that in one line.
says() {
	local text=$1 out
	shift
	if out=$("$@" 2>&1) || [[ $out != *"$text"* || $out == *$'\n'* ]]; then
		echo "$out"
		return 1
	fi
}

# json CONDITION FILE...: what kmcltop makes of these samples, as s, its two ends as client and server.
json() {
	local condition=$1 file args=()
	shift
	for file; do
		args+=(--file "$file")
	done
	"$top" --once --json "${args[@]}" | python3 -c "
import json, sys
s = json.load(sys.stdin)
client = next((c for c in s['channels'] if c['role'] == 'client'), None)
server = next((c for c in s['channels'] if c['role'] == 'server'), None)
print(json.dumps(s, indent=1))
sys.exit(0 if $condition else 1)"
}

has() { "$top" --once --file "$dir/1.status" --file "$dir/2.status" | tee "$dir/screen" | grep -E "$1"; }

# under PATTERN COMMAND...: on a terminal of 100 columns.
terminal() {
	local pattern=$1
	shift
	COLUMNS=100 LINES=20 python3 -c '
import os, pty, sys
def read(fd):
    return os.read(fd, 65536)
status = pty.spawn(sys.argv[1:], read)
sys.exit(os.waitstatus_to_exitcode(status))' "$@" </dev/null >"$dir/terminal" && grep -aE "$pattern" "$dir/terminal"
}

rm -rf "$dir"
mkdir -p "$dir"
"$ROOT/scripts/uml.sh" modules plain
"$ROOT/scripts/uml.sh" run plain --only --timeout 60 --log "$log" kmcl kmcl_echo:round_trips=100000000 \
	"show=$status" "show=$status" >"$dir/run" 2>&1 || true
tr -d '\r' <"$log" | awk -v dir="$dir" '/^init: shown/ { on = 0 }
	on { print >(dir "/" n ".status") }
	/^init: show \// { on = 1; n++ }'
[[ -s $dir/1.status && -s $dir/2.status ]] || die "the kernel has shown nothing: see $log"
grep -q '^init: failed' "$log" && die "the kernel was not as it should be: see $log"

one=("$dir/1.status")
both=("$dir/1.status" "$dir/2.status")
holds "the table has a line for each channel" has '^ +[0-9]+ server [0-9a-f-]{36} running .* loopback$'
holds "the table has a head" has '^ +# NAME +STATE +OUT/s +B/s +IN/s +B/s +FLIGHT'
holds "two channels, both running" has '^kmcltop: 2 channels, 2 running; out [0-9]'
holds "JSON names both ends" json 'client and server and client["state"] == server["state"] == "running"' "${one[@]}"
holds "both ends are of one class" json 'client["type"] == server["type"] != "00000000-0000-0000-0000-000000000000"' "${one[@]}"
holds "rings have a size" json 'client["out_bytes"] == server["in_bytes"] > 0' "${one[@]}"
holds "a single sample has no rates" json 'client["rates"] is None' "${one[@]}"
holds "two samples have rates" json 'client["rates"]["packets_out_per_s"] > 1000' "${both[@]}"
holds "what the client sends the server receives" json '.5 < client["rates"]["packets_out_per_s"] / server["rates"]["packets_in_per_s"] < 2' "${both[@]}"
holds "bytes are counted" json 'client["sent_payload_bytes"] > client["sent"] > 0' "${one[@]}"
holds "nobody was poisoned" json 'client["poisoned"] == 0 and client["poisoned_because"] is None' "${one[@]}"
holds "samples in the wrong order have no rates" json 'client["rates"] is None' "$dir/2.status" "$dir/1.status"
sed 's/^poisoned: 0/poisoned: 2/; s/^poisoned_because: -/poisoned_because: a lie/; s/^state: running/state: poisoned/' \
	"${one[0]}" >"$dir/poisoned.status"
holds "the cause of a poisoning is on the screen" bash -c "'$top' --once --file '$dir/poisoned.status' | grep -F '[poisoned 2x: a lie]'"
sed 's/^held: .*/&\nnews: of a later version/' "${one[0]}" >"$dir/later.status"
holds "fields of a later kmcl.ko do no harm" json 'client["news"]' "$dir/later.status"
sed 's/^format: 1/format: 2/' "${one[0]}" >"$dir/format.status"
holds "another format is refused" says "this kmcltop knows 1" "$top" --once --file "$dir/format.status"
head -c 300 "${one[0]}" >"$dir/cut.status"
holds "half a file is refused" says "not a status" "$top" --once --file "$dir/cut.status"
holds "no file: what to do" says "is kmcl.ko loaded" "$top" --once --file "$dir/none"
holds "on a terminal it draws and ends" terminal 'server [0-9a-f-]+ +running' "$top" -n 2 -i 0.1 --file "${one[0]}"
holds "it leaves the terminal as it was" grep -aF $'\e[?1049l' "$dir/terminal"
holds "without a keyboard, and faster than it can draw" terminal 'server [0-9a-f-]+ +running' \
	bash -c "'$top' -n 3 -i 0.0000001 --file '${one[0]}' </dev/null"
holds "a pipe gets lines of JSON" bash -c "[[ \$('$top' --json -n 2 -i 0.1 --file '${one[0]}' | wc -l) == 2 ]]"
holds "--help explains every column" bash -c "'$top' --help | grep -c -E '^  (NAME|STATE|VIA|OUT, IN|FLIGHT|QUEUED|HELD|OUT/s|FULL/s)' | grep -qx 9"

cat "$dir/screen" >&2
echo "$passed passed, $failed failed, 0 skipped"
((failed == 0))
