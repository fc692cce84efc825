# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC1091,SC2034,SC2154
#
# A QEMU that has VMBus devices (8.2 or newer): the installed one, or else Debian's packages of it
# unpacked under $BUILD. Nothing is installed. Sourced after lib.sh.
#
# qemu_find sets qemu (the program), qemu_data (its firmware directory) and qemu_libs (directories
# with libraries that the system does not have; empty for an installed QEMU), and writes
# $BUILD/vm/qemu, which runs it.

qemu_find() {
	local where=
	qemu_libs=
	if qemu=$(command -v qemu-system-x86_64) && qemu_fits; then
		qemu_data=/usr/share/qemu
		where="installed"
	else
		qemu=$BUILD/qemu/usr/bin/qemu-system-x86_64
		qemu_data=$BUILD/qemu/usr/share/qemu
		qemu_libs=$BUILD/qemu/usr/lib/x86_64-linux-gnu:$BUILD/qemu/lib/x86_64-linux-gnu
		if ! qemu_fits; then
			with_lock qemu_unpack
			qemu_fits || die "the QEMU under $BUILD/qemu does not run: remove that directory and try again" \
				"($(LD_LIBRARY_PATH=$qemu_libs "$qemu" --version 2>&1 | tail -n 1))"
		fi
		where="unpacked under ${BUILD#"$ROOT/"}/qemu"
	fi
	say "QEMU $(qemu_version), $where"

	mkdir -p "$BUILD/vm"
	cat >"$BUILD/vm/qemu" <<-EOF
		#!/bin/sh
		LD_LIBRARY_PATH='$qemu_libs' QEMU_MODULE_DIR='${qemu_libs:+${qemu_libs%%:*}/qemu}' exec '$qemu' "\$@"
	EOF
	chmod +x "$BUILD/vm/qemu"
}

qemu_version() { LD_LIBRARY_PATH=$qemu_libs "$qemu" --version 2>/dev/null | sed -nE '1s/.* version ([0-9.]+).*/\1/p'; }

qemu_fits() {
	[[ -x $qemu ]] && at_least 8.2 "$(qemu_version)"
}

at_least() { [[ $2 && $(printf '%s\n' "$1" "$2" | sort -V) == "$1"$'\n'* ]]; }

# Debian 12 has QEMU 7.2, and 10.0 in its backports suite; Debian 13 has it.
qemu_unpack() {
	local view version tmp=$BUILD/qemu.new deb
	local plan=(-y --no-install-recommends install qemu-system-x86)
	for view in own backports ""; do
		[[ $view ]] || die "no QEMU 8.2 or newer in this Debian release or its backports suite: install one and try again"
		apt_view "$view" || die "cannot read Debian's package lists: see the line above"
		[[ $view == own ]] || plan=(-t "$(. /etc/os-release && echo "$VERSION_CODENAME")-backports" "${plan[@]}")
		version=$(apt-get "${apt_opts[@]}" -s "${plan[@]}" 2>/dev/null |
			sed -nE 's/^Inst qemu-system-x86 (\[.*\] )?\(([0-9]+:)?([0-9.]+).*/\3/p') || true
		! at_least 8.2 "$version" || break
	done
	say "downloading QEMU $version and its libraries, to be unpacked under $BUILD/qemu"
	rm -rf "$tmp"
	apt-get "${apt_opts[@]}" clean
	quietly qemu-download apt-get "${apt_opts[@]}" --download-only "${plan[@]}" ||
		die "cannot download QEMU: check this machine's package sources and network"
	mkdir "$tmp"
	for deb in "$BUILD/apt/$view/cache/archives"/*.deb; do
		dpkg-deb -x "$deb" "$tmp" || die "cannot unpack ${deb##*/}: is the disk full?"
	done
	apt-get "${apt_opts[@]}" clean
	rm -rf "$BUILD/qemu"
	mv -T "$tmp" "$BUILD/qemu"
}
