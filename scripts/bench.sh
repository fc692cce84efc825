#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# What a packet costs on the plain UML kernel, beside the in-tree pattern in the same run: a table
# here, and build/bench.tsv for programs. See Documentation/performance.md.
#
# Times are the least of some runs of many short batches each, instructions are counted one by one
# under ptrace, allocations by the kernel's tracepoints. Ends with 1 when a target is missed by more
# than repeats (SLACK).
#
# usage: bench.sh [GLOB]        the cases beside the in-tree pattern that shall run
#        bench.sh --threads     two threads on one channel, on Linux 7.3 with two processors
#        bench.sh --profile CASE    in which functions the instructions of one case are
#        BENCH_RUNS=N           how often (default 3)

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

LOG=$BUILD/log/bench
TSV=$BUILD/bench.tsv
RUNS=${BENCH_RUNS:-3}
SLACK=1.05
only=${1:-*}

# Packets a second on the kernel without debugging; locks on the one that counts them.
threads() {
	local flavour status=0
	export UML_KERNEL=${UML_KERNEL:-7.3}
	for flavour in smp smp-debug; do
		"$ROOT/scripts/uml.sh" run "$flavour" --log "$LOG-$flavour.log" --timeout 600 \
			--filter 'kmcl_bench_threads.*' kmcl_bench >/dev/null || status=1
		say "two processors, $flavour"
		grep -ao 'kmcl_bench: threads.*' "$LOG-$flavour.log" | awk '
			$3 == "packets_per_second" { print $2, $4, "packets a second" }
			/not available/ { sub(/.*threads /, ""); print; next }
			$3 ~ /^(locks|allocations)$/ { printf "%s %.2f %s for a packet\n", $2, $4 / 100, $3 }'
	done
	exit "$status"
}
[[ $only != --threads ]] || threads

steps=$BUILD/uml-init/steps
profile() {
	local modules=$BUILD/mod-6.12-plain
	make_steps
	STEPS_PROFILE=$BUILD/log/bench-profile.txt run "$LOG-profile.log" --under "$steps" \
		"kmcl_bench:steps=1:ours_only=1:only=$1"
	"$ROOT/scripts/steps.py" "$BUILD/uml-6.12-plain/linux" "$modules" "$LOG-profile.log" \
		"$BUILD/log/bench-profile.txt"
	exit
}

make_steps() {
	mkdir -p "${steps%/*}"
	gcc -O2 -Wall -o "$steps" "$ROOT/kunit/uml/steps.c"
}

run() {
	local log=$1
	shift
	"$ROOT/scripts/uml.sh" run plain --built --log "$log" --timeout 300 "$@" >/dev/null ||
		die "the benchmark did not finish: see $log"
}

"$ROOT/scripts/uml.sh" modules plain
[[ $only != --profile ]] || profile "${2?}"
rm -f "$LOG"-*.log
for ((i = 1; i <= RUNS; i++)); do
	say "times, run $i of $RUNS"
	run "$LOG-$i.log" "kmcl_bench:only=$only"
done

say "instructions"
make_steps
if "$steps" /bin/true; then
	run "$LOG-steps.log" --under "$steps" "kmcl_bench:steps=1:only=$only"
else
	say "instructions: not available, no process may be traced here"
fi
grep -q ' allocations ' "$LOG"-*.log || say "allocations: not available, the kernel has no tracepoints"

grep -hao 'kmcl_bench: .*' "$LOG"-*.log | awk -v slack="$SLACK" '
	function least(a, key, x) { if (x >= 0 && (!(key in a) || x < a[key])) a[key] = x }
	function show(a, key, digits) { return key in a ? sprintf("%." digits "f", a[key] / 100) : "-" }
	# what the ratio may be, 0: anything
	function target(name) {
		if (name ~ /^(inflight_16384_to_1|roundtrip_|receive_[0-9]|external_)/) return 1.10
		if (name ~ /^send_/) return 1.15
		if (name ~ /^queued.*_throughput$/) return -0.9
		return 0
	}
	function check(name, ratio,  t) {
		t = target(name)
		if (t > 0 && ratio > t * slack || t < 0 && ratio < -t / slack)
			missed[++misses] = sprintf("%s: %.2f, and not %s %.2f", name, ratio,
						   t > 0 ? "at most" : "at least", t > 0 ? t : -t)
	}
	$3 !~ /^(ns|instructions|allocations|ratio)$/ { next }
	!($2 in seen) { seen[$2] = 1; order[++n] = $2 }
	$3 == "ns" { least(ours, $2, $4); least(intree, $2, $5) }
	$3 == "instructions" { least(ours_steps, $2, $4); least(intree_steps, $2, $5) }
	$3 == "allocations" { least(allocated, $2, $4) }
	# of the least of either: the best ratio is that of the run that was slow below the line
	$3 == "ratio" && $5 > 0 { least(above, $2, $4); least(below, $2, $5) }
	END {
		print "case\tours_ns\tintree_ns\tratio\tours_instructions\tintree_instructions\tours_allocations"
		for (i = 1; i <= n; i++) {
			name = order[i]
			r = name in above ? above[name] / below[name] : name in intree ? ours[name] / intree[name] : ""
			printf "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", name, show(ours, name, 1), show(intree, name, 1),
				r == "" ? "-" : sprintf("%.2f", r), show(ours_steps, name, 0),
				show(intree_steps, name, 0), show(allocated, name, 2)
			if (r != "")
				check(name, r)
			if (name in allocated && allocated[name] > 0)
				missed[++misses] = sprintf("%s: %.2f allocations for a packet, and not 0", name,
							   allocated[name] / 100)
		}
		for (i = 1; i <= misses; i++)
			print missed[i] >"/dev/stderr"
		exit !n || misses > 0
	}' >"$TSV" 2>"$LOG-missed.txt" || status=$?
column -t -s "$(printf '\t')" "$TSV"
if [[ ${status:-0} != 0 ]]; then
	[[ -s $LOG-missed.txt ]] || die "no figures in $LOG-1.log"
	sed 's/^/target missed: /' "$LOG-missed.txt" >&2
	exit 1
fi
