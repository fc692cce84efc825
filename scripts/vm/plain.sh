#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Echo on a machine without Hyper-V: a stock Debian kernel as a plain guest of QEMU, kmcl.ko, and a
# server and a client in its loopback. Prints how many round trips a second that makes, and a line
# "ok N - ..." or "not ok N - ..." for each result. The processor is emulated, so that it is the same
# everywhere; the number says little about a real one.
#
# usage: plain.sh
#
# KMCL_MODULES names the directory with the modules under test (default: build/modules-6.12, where
# scripts/modules.sh puts them).

# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source-path=SCRIPTDIR source=qemu.sh
. "$ROOT/scripts/vm/qemu.sh"
# shellcheck source-path=SCRIPTDIR source=image.sh
. "$ROOT/scripts/vm/image.sh"

version=6.12
dir=$BUILD/vm/plain
modules=${KMCL_MODULES:-$BUILD/modules-$version}
files=()
for name in kmcl kmcl_echo; do
	file=$(find "$modules" -name "$name.ko" -print -quit 2>/dev/null) || true
	[[ $file ]] || die "no $name.ko in $modules: run scripts/modules.sh $version first, or set KMCL_MODULES"
	files+=("$file")
done

need_packages busybox-static cpio
image=$(kernel_image $version)
qemu_find
make_firmware

rm -rf "$dir"
mkdir -p "$dir/root/bin" "$dir/root/modules"
cp /bin/busybox "$dir/root/bin/"
cp "$ROOT/scripts/vm/plain-init" "$dir/root/init"
chmod +x "$dir/root/init"
cp "${files[@]}" "$dir/root/modules/"
pack "$dir/root" >"$dir/image"

timeout -k 5 300 "$BUILD/vm/qemu" -L "$BUILD/vm/firmware" -accel tcg,thread=multi -cpu max -M q35 -m 512 -smp 2 \
	-nodefaults -no-reboot -display none -kernel "$image/vmlinuz" -initrd "$dir/image" \
	-append "console=ttyS0 panic=-1 loglevel=4 mitigations=off" \
	-serial "file:$dir/console.log" -serial "file:$dir/results" </dev/null 2>"$dir/qemu.log" || true

tr -d '\r' <"$dir/results"
if ! grep -q '^end' "$dir/results"; then
	tail -n 15 "$dir/console.log" "$dir/qemu.log" >&2 || true
	echo "not ok - the guest ends: its logs are in $dir"
	exit 1
fi
! grep -q '^not ok' "$dir/results"
