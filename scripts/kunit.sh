#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The KUnit suites on the plain and on the debug kernel, side by side. Ends with a line
# "N passed, N failed, N skipped" for both together.
#
# The logs stay as build/log/kunit-*.log: scripts/functions.py reads them.
#
# Time passes at once when nothing runs (time travel): the bus's and our own timeouts of ten
# seconds are really waited for, and cost nothing.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

uml=$ROOT/scripts/uml.sh
# the kernels one after the other: their builds have their own parallelism
"$uml" kernel plain
"$uml" kernel debug
"$uml" modules plain &
plain=$!
"$uml" modules debug
wait "$plain"

options=("$@")
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
run() {
	local name=$1
	shift
	rm -f "$BUILD/log/kunit-$name.log"
	"$uml" run "$@" --built --time-travel --timeout 400 --log "$BUILD/log/kunit-$name.log" \
		"${options[@]}" >"$out/$name" || true
}
# Guests for two processors: whichever order they take, the two halves are about as long. The last
# one has the library and nothing below it: no hypervisor, no bus.
names=(plain debug debug-load debug-rest alone)
load=(kmcl_load_kunit kmcl_storvsc_kunit kmcl_loopback_kunit kmcl_vsp_kunit)
# not every kernel has all of them
mapfile -t rest < <(find "$BUILD/mod-${UML_KERNEL:-6.12}-debug" -name '*_kunit.ko' -printf '%f\n' |
	sed 's/\.ko$//' | sort -r | grep -vxF "$(printf '%s\n' kmcl_kunit "${load[@]}")")
{ run debug debug kmcl_kunit; run plain plain; run alone plain --alone kmcl kmcl_loopback_kunit; } &
{ run debug-load debug "${load[@]}"; run debug-rest debug "${rest[@]}"; } &
wait

for name in "${names[@]}"; do
	last=$(tail -n 1 "$out/$name")
	say "KUnit, $name: ${last:-no result}"
	add_up "$last"
done
total
