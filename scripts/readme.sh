#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Are the README's examples true? Compiles the first, as strictly as the library; the second is a
# file of a sample.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

dir=$BUILD/readme
log=$BUILD/log/readme.log
modules=$("$ROOT/scripts/modules.sh" 6.12)
kdir=$(kernel_headers 6.12)

mkdir -p "$dir" "${log%/*}"

# example NUMBER: a block of C, from 1 on.
example() {
	awk -v want="$1" '/^```/ { inside = /^```c$/; n += inside; next } inside && n == want' "$ROOT/README.md"
}

example 1 >"$dir/ping.c"
[[ -s $dir/ping.c ]] || die "README.md has no example"
example 2 | diff - "$ROOT/samples/echo/vsp.c" >&2 || die "the README's VSP is not samples/echo/vsp.c"
cat >"$dir/Kbuild" <<-EOF
	obj-m += ping.o
	ccflags-y += -I$ROOT/include -I$ROOT/include/nt
EOF
make -C "$kdir" M="$dir" W=1 KBUILD_EXTRA_SYMBOLS="$modules/Module.symvers" >"$log" 2>&1 </dev/null ||
	die "the README's example does not build: see $log"
! grep 'warning:' "$log" >&2 || die "the README's example builds with warnings: see $log"
say "the README's example compiles and links"
