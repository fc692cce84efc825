#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The modules, as strictly as it goes: W=1, sparse on every file, and any warning fails. Against
# Debian's own headers, unpacked under build/, as a guest would have them; for kernels whose headers
# this Debian may be too old for, against a source tree that is prepared and not built: then no
# module can be loaded, but all is compiled. Beside them what is for the guest of the VM rig alone,
# kunit/vm. Prints the directory that holds them.
#
# usage: modules.sh [KERNEL]     (default: 6.12; 6.1 and 7.3 are the oldest and the newest)

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

version=${1:-6.12}
dir=$BUILD/modules-$version
log=$BUILD/log/modules-$version.log

need_packages build-essential sparse
case $version in
6.*) kdir=$(kernel_headers "$version") modpost_warn='' ;;
*) kdir=$(kernel_prepared "$version") modpost_warn=1 ;;
esac
mkdir -p "$dir" "$BUILD/log"
# kbuild puts objects beside their sources: a mirror of links keeps the tree clean
find "$dir" -xtype l -delete
(cd "$ROOT" && find include kmcl fwps samples kunit/vm Kbuild -type f \( -name '*.[ch]' -o -name Kbuild \)) |
	while read -r file; do
		[[ -L $dir/$file ]] && continue
		mkdir -p "$dir/$(dirname "$file")"
		ln -s "$ROOT/$file" "$dir/$file"
	done
if ! make -C "$kdir" M="$dir" W=1 C=2 KMCL_TESTS=1 KBUILD_MODPOST_WARN="$modpost_warn" -j"$(nproc)" >"$log" 2>&1 </dev/null; then
	grep -E -m 20 'error|Error|undefined' "$log" >&2 || tail -n 5 "$log" >&2
	die "the modules do not build for $version: more in $log"
fi
if grep -E -m 20 'warning:|error:' "$log" >&2; then
	die "the modules build for $version with warnings: more in $log"
fi
say "modules for $version: no warning at W=1, clean under sparse"
echo "$dir"
