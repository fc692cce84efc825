#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# What of kmcl/ the KUnit suites run: the modules with gcov's counters, on the debug kernel, where
# allocations can fail. Prints the lines that no suite has reached, and a table of lines and branches
# for each file; both stay in build/coverage.txt. Fails when less than 90 % of the lines have run, or
# when a suite fails: what a failed run has reached says nothing.
#
# usage: coverage.sh [--least PERCENT]

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

least=90
if [[ ${1:-} == --least ]]; then
	least=${2?}
fi

need_packages gcc python3
export UML_TREE=coverage
uml=$ROOT/scripts/uml.sh out=$BUILD/coverage start=$SECONDS failed=0
rm -rf "$out"
mkdir -p "$out"
"$uml" modules debug

# guest NAME OPTION... MODULE...: the suites of the modules named.
guest() {
	local name=$1
	shift
	"$uml" run debug --built --time-travel --timeout 500 --log "$BUILD/log/coverage-$name.log" \
		--counters "$out/$name" "$@" >"$out/$name.result" || true
}

# As scripts/kunit.sh has them, and the library without a bus.
{ guest kunit kmcl_kunit; guest alone --alone kmcl kmcl_loopback_kunit; } &
{ guest load kmcl_load_kunit kmcl_storvsc_kunit kmcl_loopback_kunit kmcl_vsp_kunit
  guest rest kmcl_storm_kunit kmcl_sample_kunit kmcl_hosted_kunit kmcl_intree_kunit; } &
wait

names=(kunit load rest alone)
for name in "${names[@]}"; do
	last=$(tail -n 1 "$out/$name.result")
	say "KUnit, $name: ${last:-no result}"
	[[ $last == *" 0 failed, "* ]] || failed=1
done
((!failed)) || die "suites have failed"
"$ROOT/scripts/coverage.py" "$ROOT" "$BUILD/mod-6.12-debug-coverage/kmcl" "$least" "${names[@]/#/$out/}" |
	tee "$BUILD/coverage.txt"
say "coverage took $((SECONDS - start)) s"
