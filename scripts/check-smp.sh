#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The KUnit suites with two processors, which User Mode Linux has from 7.3 on: what only shows when
# two tasks really run at a time. On a kernel without debugging, where windows are narrow, and under
# KASAN and lockdep. Ends with a line "N passed, N failed, N skipped" for all of them.
#
# There is no time travel with several processors: the suites' timeouts are really waited for.
#
# usage: check-smp.sh [--repeat N] [option of uml.sh run]...

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

export UML_KERNEL=${UML_KERNEL:-7.3}
uml=$ROOT/scripts/uml.sh
repeat=1
if [[ ${1:-} == --repeat ]]; then
	repeat=${2?}
	shift 2
fi

for flavour in smp smp-debug; do
	"$uml" modules "$flavour"
	for ((i = 1; i <= repeat; i++)); do
		last=$("$uml" run "$flavour" --timeout 3000 "$@" | tail -n 1) || true
		say "KUnit, two processors, $flavour: ${last:-no result}"
		add_up "$last"
	done
done
total
