# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# The initramfs images of the VM rig, all under $BUILD/vm. Nothing is cached here: packing takes
# two seconds, and what it packs is cached already. Sourced after lib.sh and qemu.sh.

# pack DIR: the directory as an initramfs archive on stdout, not compressed: it is unpacked by an
# emulated CPU.
pack() { (cd "$1" && find . -print0 | cpio -0 -o -H newc -R 0:0 --quiet); }

# put_program DIR PROGRAM [NAME]: a program and the libraries it needs.
put_program() {
	local lib
	cp -L "$2" "$1/bin/${3:-${2##*/}}"
	LD_LIBRARY_PATH=$qemu_libs ldd "$2" 2>/dev/null | grep -oE '/[^ ]+' | while read -r lib; do
		mkdir -p "$1/lib64" "$1/lib/x86_64-linux-gnu"
		if [[ $lib == /lib64/* ]]; then
			cp -nL "$lib" "$1/lib64/"
		else
			cp -nL "$lib" "$1/lib/x86_64-linux-gnu/"
		fi
	done
}

# module_files IMAGE NAME...: the files of these stock modules and of those they need, these first.
module_files() {
	local image=$1 release=${1##*/linux-image-} name
	shift
	for name; do
		/sbin/modprobe -d "$image" -S "$release" --show-depends --ignore-install "$name" ||
			die "the kernel $release has no module $name"
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

unxz_to() {
	if [[ $1 == *.xz ]]; then
		xz -dc "$1" >"$2/$(basename "$1" .xz)"
	else
		cp "$1" "$2/"
	fi
}

# make_guest IMAGE OUT PROGRAMS MODULE.ko...: the guest: busybox, PROGRAMS (in one word), the stock
# modules of the VMBus and of a disk to hibernate to, and the modules under test.
make_guest() {
	local image=$1 out=$2 programs=$3 release=${1##*/linux-image-} dir=$BUILD/vm/guest mods file
	shift 3
	mods=$dir/lib/modules/$release
	rm -rf "$dir"
	mkdir -p "$dir/bin" "$mods/extra"
	cp /bin/busybox "$dir/bin/"
	cp "$ROOT/scripts/vm/guest-init" "$dir/init"
	chmod +x "$dir/init"
	for file in $programs; do
		put_program "$dir" "$file"
	done
	cp "$image/lib/modules/$release"/modules.{order,builtin,builtin.modinfo} "$mods/"
	for file in $(module_files "$image" hv_vmbus hv_balloon virtio_pci virtio_blk); do
		unxz_to "$file" "$mods"
	done
	for file; do
		cp "$file" "$mods/extra/"
	done
	/sbin/depmod -b "$dir" "$release"
	pack "$dir" >"$out"
}

# make_firmware: what a PC without display or network needs, in one directory.
make_firmware() {
	local file
	mkdir -p "$BUILD/vm/firmware"
	for file in bios-256k.bin kvmvapic.bin linuxboot_dma.bin; do
		cp -L "$qemu_data/$file" "$BUILD/vm/firmware/" 2>/dev/null ||
			cp -L "${qemu_data%/qemu}/seabios/$file" "$BUILD/vm/firmware/" ||
			die "QEMU's firmware $file is not where QEMU is: install seabios and qemu-system-data"
	done
}

# make_middle IMAGE OUT GUEST: the machine in the middle: QEMU, KVM, the guest and the scenario.
# Expects $BUILD/vm/scenario to hold the scenario's files.
make_middle() {
	local image=$1 out=$2 guest=$3 dir=$BUILD/vm/middle file
	rm -rf "$dir"
	mkdir -p "$dir/bin" "$dir/modules"
	cp /bin/busybox "$dir/bin/"
	cp "$ROOT/scripts/vm/middle-init" "$dir/init"
	chmod +x "$dir/init"
	put_program "$dir" "$qemu"
	put_program "$dir" "$(command -v socat)"
	put_program "$dir" "$(command -v bash)"
	put_program "$dir" "$BUILD/vm/kvm-synic"
	cp -r "$BUILD/vm/firmware" "$dir/"
	for file in $(module_files "$image" kvm-amd); do
		unxz_to "$file" "$dir/modules"
		basename "$file" .xz >>"$dir/modules/list"
	done
	cp -r "$BUILD/vm/scenario" "$dir/"
	ln -f "$image/vmlinuz" "$dir/scenario/vmlinuz" 2>/dev/null || cp "$image/vmlinuz" "$dir/scenario/"
	cp "$guest" "$dir/scenario/guest.img"
	pack "$dir" >"$out"
}
