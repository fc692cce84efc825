#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# A file system on the disk of samples/storvsc, in UML: mkfs, mount, copy files, unmount, mount
# again, compare every byte, fsck. On the plain kernel with 200 MiB, with rings of four pages and
# five channels, and again with one channel; on the debug kernel with less. Then the kernel's own
# hv_storvsc, where it is built (6.12), does the same on samples/storvsp, and our VSC too. Ends with a
# line "N passed, N failed, N skipped".

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

need_packages e2fsprogs
uml=$ROOT/scripts/uml.sh
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# files NAME FLAVOUR MIB MEM DISK "OPTION... of uml.sh run" MODULE...: on DISK, which the modules bring.
files() {
	local name=$1 flavour=$2 mib=$3 mem=$4 disk=$5 last began=$SECONDS
	local -a options
	read -ra options <<<"$6"
	shift 6
	kernel_files "$mib" >"$tmp/files.list"
	last=$("$uml" run "$flavour" "${options[@]}" --timeout 300 --mem "$mem" --log "$BUILD/log/storvsc-$name.log" \
		--file "$BUILD/uml-init/files" --file "$tmp/files.list" "$@" "exec=files:$disk" | tail -n 1) || true
	say "storvsc, $name: ${last:-no result} ($((SECONDS - began)) s)"
	grep -E '^        # |kmcl_storhost: requests' "$BUILD/log/storvsc-$name.log" |
		sed 's/^ *# /    /; s/^kmcl_storhost: /    /' >&2 || true
	add_up "$last"
	# as much as was wanted, twice: what was copied, and what was read again
	if (($(grep -c "^        # [0-9]* files, $mib MiB" "$BUILD/log/storvsc-$name.log") != 2)); then
		say "storvsc, $name: not $mib MiB of files"
		((++failed))
	fi
}

"$uml" modules plain
"$uml" modules debug
# ours NAME FLAVOUR MIB MEM RING_PAGES SUB_CHANNELS [OPTION]...: our VSC, on the scripted controller.
ours() {
	local mib=$3 ring=$5 subs=$6
	files "$1" "$2" "$3" "$4" /dev/kmsd0 "${*:7}" "kmcl_storhost:mib=$((mib * 3 / 2 + 16)):sub_channels=$subs" \
		"kmcl_storvsc:ring_pages=$ring:sub_channels=$subs"
	# on every channel
	if ! grep -qE "kmcl_storhost: requests by channel:( [1-9][0-9]*){$((subs + 1))};" "$BUILD/log/storvsc-$1.log"; then
		say "storvsc, $1: not $((subs + 1)) channels had requests"
		((++failed))
	fi
}

# intree NAME FLAVOUR MIB MEM [OPTION]...: the kernel's own hv_storvsc, on our VSP.
intree() {
	files "$1" "$2" "$3" "$4" /dev/sda "${*:5}" kmcl_ramdisk \
		"kmcl_storvsp:bus=simulator:mib=$(($3 * 3 / 2 + 16))" hv_storvsc
}

# pair NAME FLAVOUR MIB MEM [OPTION]...: our VSC, on our VSP.
pair() {
	files "$1" "$2" "$3" "$4" /dev/kmsd0 "${*:5}" kmcl_ramdisk \
		"kmcl_storvsp:bus=simulator:mib=$(($3 * 3 / 2 + 16))" kmcl_storvsc:sub_channels=4
}

ours plain plain 200 768M 4 4
ours one-channel plain 200 768M 4 0 --time-travel
ours debug debug 24 1G 4 4 --time-travel
if [[ ${UML_KERNEL:-6.12} == 6.12 ]]; then
	intree intree-plain plain 200 768M
	intree intree-debug debug 24 1G
fi
pair pair-plain plain 200 768M

total
