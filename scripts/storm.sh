#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Storms (kunit/storm), for STORM_SECONDS on each of three kernels with two processors, one after the
# other: User Mode Linux 7.3, without and with KASAN and lockdep, where there is a bus and a host below
# the library, and a stock kernel in QEMU. Ends with a line "N passed, N failed, N skipped".
#
# usage: storm.sh [smp|smp-debug|vm]...     (default: all)

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

seconds=${STORM_SECONDS:-60}
((seconds >= 3)) || die "STORM_SECONDS=$seconds: at least 3"
export UML_KERNEL=${UML_KERNEL:-7.3}
uml=$ROOT/scripts/uml.sh

# three storms share the time
storm_uml() {
	local last log=$BUILD/log/storm-$1.log
	"$uml" modules "$1"
	last=$("$uml" run "$1" --built --timeout $((seconds * 3 + 600)) --log "$log" \
		"kmcl_storm_kunit:seconds=$((seconds / 3))" | tail -n 1) || true
	say "storm of $seconds s, $1: ${last:-no result}"
	{ grep -oE 'kmcl_storm: .*|# whatever.*' "$log" || true; } >&2
	add_up "$last"
}

storm_vm() {
	local out=$BUILD/log/storm-vm.txt
	say "storm of $seconds s, a guest of QEMU"
	mkdir -p "$BUILD/log"
	"$ROOT/scripts/vm/storm.sh" "$seconds" | tee "$out" >&2 || true
	((passed += $(grep -c '^ok ' "$out"))) || true
	((failed += $(grep -c '^not ok ' "$out"))) || true
}

(($#)) || set -- smp smp-debug vm
for where; do
	case $where in
	vm) storm_vm ;;
	*) storm_uml "$where" ;;
	esac
done
total
((passed > 0))
