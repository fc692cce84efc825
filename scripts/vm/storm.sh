#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# A storm (kunit/storm) in a stock Debian kernel with two processors, a plain guest of QEMU: servers and
# clients in the loopback. Prints a line "ok N - ..." or "not ok N - ..." for each result. The processors
# are emulated, each by a thread of its own.
#
# usage: storm.sh SECONDS

# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source-path=SCRIPTDIR source=qemu.sh
. "$ROOT/scripts/vm/qemu.sh"
# shellcheck source-path=SCRIPTDIR source=image.sh
. "$ROOT/scripts/vm/image.sh"

version=6.12 seconds=${1:?usage: storm.sh SECONDS}
dir=$BUILD/vm/storm tree=$BUILD/modules-$version-storm

# The library and the storm alone, as a mirror of links.
kdir=$(kernel_headers $version)
mkdir -p "$tree" "$dir"
find "$tree" -xtype l -delete
(cd "$ROOT" && find include kmcl kunit/storm kunit/sim kunit/helper.h -type f \( -name '*.[ch]' -o -name Kbuild \)) |
	while read -r file; do
		[[ ! -L $tree/$file ]] || continue
		mkdir -p "$tree/${file%/*}"
		ln -s "$ROOT/$file" "$tree/$file"
	done
echo 'obj-m += kmcl/ kunit/storm/' >"$tree/Kbuild"
quietly modules-storm make -C "$kdir" M="$tree" -j"$(nproc)" || die "the storm does not build"

need_packages busybox-static cpio
image=$(kernel_image $version)
qemu_find
make_firmware

rm -rf "$dir/root"
mkdir -p "$dir/root/bin" "$dir/root/modules"
cp /bin/busybox "$dir/root/bin/"
cp "$ROOT/scripts/vm/storm-init" "$dir/root/init"
chmod +x "$dir/root/init"
cp "$tree/kmcl/kmcl.ko" "$tree"/kunit/storm/kmcl_storm{,_client}.ko "$dir/root/modules/"
echo "$seconds" >"$dir/root/seconds"
pack "$dir/root" >"$dir/image"

# an emulated processor's seconds are longer, and the rest of the machine is busy
timeout -k 5 $((seconds * 4 + 600)) "$BUILD/vm/qemu" -L "$BUILD/vm/firmware" -accel tcg,thread=multi -cpu max \
	-M q35 -m 512 -smp 2 -nodefaults -no-reboot -display none -kernel "$image/vmlinuz" -initrd "$dir/image" \
	-append "console=ttyS0 panic=-1 loglevel=4 mitigations=off no_timer_check" \
	-serial "file:$dir/console.log" -serial "file:$dir/results" </dev/null 2>"$dir/qemu.log" || true

tr -d '\r' <"$dir/results"
if ! grep -q '^end' "$dir/results"; then
	tail -n 15 "$dir/console.log" "$dir/qemu.log" >&2 || true
	echo "not ok - the guest ends: its logs are in $dir"
	exit 1
fi
! grep -q '^not ok' "$dir/results"
