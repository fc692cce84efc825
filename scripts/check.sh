#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Everything that must hold, from nothing: what it needs it installs or unpacks itself. Ends with
# a line "N passed, N failed, N skipped"; exits non-zero when something failed.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# part NAME COMMAND...: one thing that works or does not.
part() {
	local name=$1 began=$SECONDS
	shift
	say "== $name"
	if "$@" >&2; then
		((++passed))
	else
		((++failed))
		say "FAILED: $name"
	fi
	say "   ($((SECONDS - began)) s)"
}

# The guest prints a result a line. A doubly emulated processor loses a guest now and then, so one
# that falls silent gets a second run, and a line says so; a wrong result gets none.
vm() {
	local out=$BUILD/log/check-vm.txt n
	"$ROOT/scripts/vm/run.sh" check | tee "$out" >&2 || true
	if grep -q '^not ok' "$out" && grep -q 'has not answered for' "$out"; then
		say "the guest fell silent: SECOND RUN of the VM rig"
		"$ROOT/scripts/vm/run.sh" check | tee "$out" >&2 || true
	fi
	n=$(grep -c '^ok ' "$out") || true
	echo "$n passed, $(grep -c '^not ok ' "$out" || true) failed, 0 skipped"
}

part "modules for Debian's 6.12: W=1, C=2" "$ROOT/scripts/modules.sh" 6.12
part "include/nt beside Linux's headers, 6.1 and 6.12" "$ROOT/scripts/headers.sh"
part "the samples as Windows drivers: PE32+, native" "$ROOT/scripts/windows.sh"
part "modules for Debian's 6.1: W=1, C=2" "$ROOT/scripts/modules.sh" 6.1
part "the example of the README" "$ROOT/scripts/readme.sh"
part "the reference, from kernel-doc" "$ROOT/scripts/docs.sh"
part "style: checkpatch --strict, shellcheck" "$ROOT/scripts/checkpatch.sh"
counted "KUnit, on the plain and on the debug kernel" "$ROOT/scripts/kunit.sh"
part "functions: exported, documented, asserted, every status provoked" \
	"$ROOT/scripts/functions.py" "$BUILD"/log/kunit-{plain,debug,debug-load,debug-rest}.log
counted "bytes that lie: rings, descriptions, saves, hosts, clients" "$ROOT/scripts/fuzz.sh"
counted "a file system on the storage VSC" "$ROOT/scripts/storvsc.sh"
counted "a storage server, replaced 20 times while its client works" "$ROOT/scripts/demo-servicing.sh"
counted "a server and a client without Hyper-V" "$ROOT/scripts/echo.sh"
counted "packet injection among network namespaces" "$ROOT/scripts/fwps-net.sh"
counted "kmcltop, on what a kernel with traffic shows" "$ROOT/scripts/kmcltop-check.sh"
counted "a stock kernel under QEMU's VMBus host" vm

total
