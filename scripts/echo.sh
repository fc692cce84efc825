#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# samples/echo where there is no Hyper-V: a server and a client in the loopback of kmcl.ko, in User Mode
# Linux without the simulated hypervisor, and in a plain guest of QEMU with a stock kernel. Prints how
# many round trips a second that makes. Ends with a line "N passed, N failed, N skipped".
#
# usage: echo.sh

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

passed=0 failed=0 log=$BUILD/log/echo-uml.log out=$BUILD/log/echo-qemu.txt

say "in User Mode Linux"
"$ROOT/scripts/uml.sh" modules plain
last=$("$ROOT/scripts/uml.sh" run plain --only --timeout 100 --log "$log" --filter 'vsp_echo*.*' \
	kmcl kmcl_vsp_kunit | tail -n 1) || true
if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed ]]; then
	passed=${BASH_REMATCH[1]} failed=${BASH_REMATCH[2]}
else
	failed=1
fi
grep '^kmcl_echo: 1000 round trips' "$log" >&2 || ((++failed))

say "in a guest of QEMU, on an emulated processor"
"$ROOT/scripts/vm/plain.sh" | tee "$out" >&2 || true
((passed += $(grep -c '^ok ' "$out"))) || true
((failed += $(grep -c '^not ok ' "$out"))) || true

echo "$passed passed, $failed failed, 0 skipped"
((failed == 0))
