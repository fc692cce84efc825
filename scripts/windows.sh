#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The samples as Windows drivers: their protocol files, as they are, compiled and linked with
# mingw-w64 and its DDK headers into build/windows/NAME.sys. They are not run.
#
# A sample is a directory of samples/ whose Kbuild links a kmcl_NAME.o. Files named linux*.c are
# Linux's; every other file in that list is the protocol, and is compiled here too. windows.c is
# the counterpart of linux.c, and samples/windows/ what all of those share.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

out=$BUILD/windows
log=$BUILD/log/windows.log
triple=x86_64-w64-mingw32
names=74

need_packages gcc-mingw-w64-x86-64 mingw-w64-x86-64-dev binutils-mingw-w64-x86-64 python3
ddk=$(dirname "$("$triple-gcc" -print-file-name=libntoskrnl.a)")/../include/ddk
[[ -e $ddk/ntddk.h ]] || die "mingw-w64 has no DDK headers: reinstall the Debian package mingw-w64-x86-64-dev"
rm -rf "$out"
mkdir -p "$out" "${log%/*}"
: >"$log"

# The import library of vmbkmcl.sys, from the prototypes in our own headers.
imports() {
	local n
	{
		echo 'LIBRARY vmbkmcl.sys'
		echo EXPORTS
		cat "$ROOT"/include/kmcl/*-functions.h | tr -s '\n\t' '  ' |
			grep -oE '\bFN_VMB_[A-Z0-9_]+ Vmb[A-Za-z0-9]+;' | sed 's/.* //; s/;//' | sort -u
	} >"$out/vmbkmcl.def"
	n=$(grep -c '^Vmb' "$out/vmbkmcl.def") || true
	((n == names)) || die "the headers declare $n functions instead of $names: see $out/vmbkmcl.def"
	"$triple-dlltool" -d "$out/vmbkmcl.def" -l "$out/libvmbkmcl.a" >>"$log" 2>&1 ||
		die "no import library: see $log"
}

# protocol_files DIR: what its Kbuild links, without Linux's part.
protocol_files() {
	sed -nE 's/^kmcl_[a-z0-9_]+-y *[:+]= *//p' "$1/Kbuild" | tr ' ' '\n' | sed -n 's/\.o$/.c/p' |
		grep -vE '^linux[^/]*\.c$' || true
}

# compile FILE OBJECT [OPTION]...: as strictly as it goes; what mingw's own headers do is not our business.
compile() {
	"$triple-gcc" "${@:3}" -std=gnu11 -O2 -Wall -Wextra -Werror -Wno-unused-parameter \
		-Wno-missing-field-initializers -Wno-array-bounds -ffreestanding -fno-builtin-printf -fms-extensions \
		-mno-stack-arg-probe -fno-ident -MMD -MF "$2.d" \
		-isystem "$ddk" -I"$ROOT/include" -include "$ROOT/scripts/windows/mingw-ddk.h" \
		-c "$1" -o "$2" >>"$log" 2>&1 ||
		{ grep -E -m 5 'error' "$log" >&2; die "${1#"$ROOT"/} is no Windows source: more in $log"; }
}

# The same source for both systems: nothing in it is conditional but include guards and DBG.
undivided() {
	local source divided=0
	for source in $(grep -hoE "$ROOT/samples/[^ ]+" "$@" | xargs realpath | sort -u); do
		if grep -HnE '^[[:space:]]*#[[:space:]]*(if|ifdef|ifndef|elif)' "$source" |
			grep -vE '#[[:space:]]*(ifndef _[A-Z0-9_]+_H|if(def)? DBG)$' >&2; then
			divided=1
		fi
	done
	((!divided))
}

# The checksum that Windows' loader wants of a driver, as the linker should have left it.
checksum() {
	python3 - "$1" <<-'EOF'
		import struct, sys
		data = bytearray(open(sys.argv[1], "rb").read())
		at = struct.unpack_from("<I", data, 0x3c)[0] + 24 + 64
		data[at:at + 4] = bytes(4)
		total = 0
		for (word,) in struct.iter_unpack("<H", data + bytes(len(data) % 2)):
		    total += word
		    total = (total & 0xffff) + (total >> 16)
		struct.pack_into("<I", data, at, total + len(data))
		open(sys.argv[1], "wb").write(data)
	EOF
}

# verify FILE: is it what Windows loads as a driver, and does it import what it may?
verify() {
	local file=$1 dump=$1.txt bad
	"$triple-objdump" -x "$file" >"$dump"
	grep -q 'file format pei-x86-64' "$dump" || die "$file is not PE32+"
	grep -qE '^Subsystem[[:space:]]+0+1[[:space:]]' "$dump" || die "$file: the subsystem is not native"
	grep -qE '^AddressOfEntryPoint[[:space:]]+0*[1-9a-f]' "$dump" || die "$file has no entry point"
	grep -q '\.reloc' "$dump" || die "$file cannot be relocated"
	bad=$(sed -n 's/^[[:space:]]*DLL Name: //p' "$dump" | grep -vixE 'vmbkmcl\.sys|ntoskrnl\.exe|hal\.dll') || true
	[[ -z $bad ]] || die "$file imports from $bad"
	# of vmbkmcl.sys: some, and only names of KMCL
	sed -nE '/DLL Name: vmbkmcl\.sys/,/^[[:space:]]*$/ s/.*[[:space:]](Vmb[A-Za-z0-9]+)$/\1/p' "$dump" | sort >"$file.imports"
	[[ -s $file.imports ]] || die "$file imports nothing from vmbkmcl.sys"
	bad=$(comm -23 "$file.imports" <(sed 1,2d "$out/vmbkmcl.def" | sort))
	[[ -z $bad ]] || die "$file imports what KMCL does not have: $bad"
}

# driver DIR: one sample.
driver() {
	local dir=$1 name file object
	local -a sources objects=() protocol=()
	name=kmcl_${dir##*/}
	mapfile -t sources < <(protocol_files "$dir")
	((${#sources[@]})) || die "${dir#"$ROOT"/}/Kbuild names no protocol file"
	[[ -e $dir/windows.c ]] ||
		die "${dir#"$ROOT"/} has no windows.c: Documentation/porting.md says what it is"
	mkdir -p "$out/$name"
	for file in "${sources[@]}"; do
		object=$out/$name/${file%.c}.o
		compile "$dir/$file" "$object"
		objects+=("$object")
		protocol+=("$object.d")
	done
	undivided "${protocol[@]}" || die "the protocol of ${dir#"$ROOT"/} is not one source for both systems"
	for file in "$dir"/windows*.c "$ROOT"/samples/windows/*.c; do
		object=$out/$name/$(basename "${file%.c}").o
		compile "$file" "$object"
		objects+=("$object")
	done
	"$triple-gcc" -nostdlib -nostartfiles -s -o "$out/$name.sys" "${objects[@]}" \
		-Wl,--subsystem,native:10.0 -Wl,--entry,DriverEntry -Wl,--image-base,0x140000000 \
		-Wl,--major-os-version,10,--minor-os-version,0 -Wl,--dynamicbase,--nxcompat,--high-entropy-va \
		-Wl,--wdmdriver -Wl,--no-insert-timestamp -Wl,--file-alignment,0x200 \
		-L"$out" -lvmbkmcl -lntoskrnl -lhal -lgcc >>"$log" 2>&1 ||
		{ grep -E -m 5 'undefined|error' "$log" >&2; die "$name.sys does not link: more in $log"; }
	checksum "$out/$name.sys"
	verify "$out/$name.sys"
	say "$name.sys: ${#sources[@]} protocol files, $(wc -l <"$out/$name.sys.imports") functions of vmbkmcl.sys"
}

# What injects packets is compiled and no more: mingw-w64 has neither fwpsk.h, so that the project's own
# declarations have to do, nor what to link with.
injecting() {
	local dir=$1 file object
	local -a objects=()
	mkdir -p "$out/${dir##*/}"
	for file in "$dir"/[!lw]*.c; do
		object=$out/${dir##*/}/$(basename "${file%.c}").o
		compile "$file" "$object" -I"$ROOT/scripts/windows/net" -idirafter "$ROOT/include/nt"
		objects+=("$object")
	done
	undivided "${objects[@]/%/.d}" || die "the protocol of ${dir#"$ROOT"/} is not one source for both systems"
	say "samples/${dir##*/}: ${#objects[@]} protocol files, with this project's fwpsk.h; not linked, which mingw-w64 has nothing for"
}

imports
count=0
for kbuild in "$ROOT"/samples/*/Kbuild; do
	if [[ $kbuild == */netvsc-rx/Kbuild ]]; then
		injecting "${kbuild%/Kbuild}"
		continue
	fi
	grep -q '^obj-m' "$kbuild" || continue
	driver "${kbuild%/Kbuild}"
	((++count))
done
((count)) || die "no sample found"
say "$count samples are Windows drivers too: PE32+, native, compiled and linked, not run"
