#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Nanoseconds per packet on the plain UML kernel, beside the in-tree pattern in the same run: a
# table here, and build/bench.tsv for programs.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

LOG=$BUILD/log/bench.log
TSV=$BUILD/bench.tsv

"$ROOT/scripts/uml.sh" run plain --log "$LOG" --timeout 300 kmcl_bench >/dev/null ||
	die "the benchmark did not finish: see $LOG"
awk 'BEGIN { printf "case\tours_ns\tintree_ns\tratio\n" }
	/kmcl_bench: / {
		sub(/.*kmcl_bench: /, "")
		printf "%s\t%.1f\t%.1f\t%.2f\n", $1, $2 / 10, $3 / 10, $2 / $3
		n++
	}
	END { exit !n }' "$LOG" >"$TSV" || die "no figures in $LOG"
column -t -s "$(printf '\t')" "$TSV"
