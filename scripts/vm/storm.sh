#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# A storm (kunit/storm) in a stock Debian kernel with two processors, a plain guest of QEMU: servers and
# clients in the loopback. Prints a line "ok N - ..." or "not ok N - ..." for each result. The processors
# are emulated, each by a thread of its own; when the guest says that one of them is stuck, a line tells
# how long those threads have waited for a processor of this machine. It stays a failure.
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

# How many milliseconds each of the guest's processors has waited for one of this machine.
waited() {
	local task wait
	for task in "/proc/$1/task"/*; do
		[[ $(<"$task/comm") == CPU* ]] || continue
		read -r _ wait _ <"$task/schedstat"
		echo $((wait / 1000000))
	done 2>/dev/null || true
}

# A stall that the guest reports may be one of this machine: what it had in the half minute before.
watch() {
	local history=() said=0 now before after cpu
	while [[ -d /proc/$1 ]]; do
		history+=("$(waited "$1")")
		now=$(grep -cE 'INFO: (task|rcu)' "$dir/console.log") || true
		if ((now > said)); then
			mapfile -t before <<<"${history[${#history[@]} > 30 ? -31 : 0]}"
			mapfile -t after <<<"${history[-1]}"
			for cpu in "${!after[@]}"; do
				echo "# a stall: processor $cpu has waited $((after[cpu] - before[cpu])) ms of the last" \
					"$((${#history[@]} > 30 ? 30 : ${#history[@]})) s for one of this machine"
			done
		fi
		said=$now
		sleep 1
	done
}

# an emulated processor's seconds are longer, and the rest of the machine is busy
rm -f "$dir/pid"
for log in console.log waits; do
	: >"$dir/$log"
done
timeout -k 5 $((seconds * 4 + 600)) "$BUILD/vm/qemu" -L "$BUILD/vm/firmware" -accel tcg,thread=multi -cpu max \
	-name storm,debug-threads=on -pidfile "$dir/pid" -M q35 -m 512 -smp 2 -nodefaults -no-reboot -display none \
	-kernel "$image/vmlinuz" -initrd "$dir/image" \
	-append "console=ttyS0 panic=-1 loglevel=4 mitigations=off no_timer_check" \
	-serial "file:$dir/console.log" -serial "file:$dir/results" </dev/null 2>"$dir/qemu.log" &
until [[ -s $dir/pid ]] || ! kill -0 $! 2>/dev/null; do
	sleep 0.1
done
[[ ! -s $dir/pid ]] || watch "$(<"$dir/pid")" >"$dir/waits"
wait $! || true

tr -d '\r' <"$dir/results"
cat "$dir/waits"
if ! grep -q '^end' "$dir/results"; then
	tail -n 15 "$dir/console.log" "$dir/qemu.log" >&2 || true
	echo "not ok - the guest ends: its logs are in $dir"
	exit 1
fi
! grep -q '^not ok' "$dir/results"
