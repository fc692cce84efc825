#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The story of a storage server that is replaced while its client works.
#
# In UML: the server is samples/storvsp, written with the server functions of KMCL; its client is
# the kernel's own hv_storvsc (or, with "ours", the port in samples/storvsc), on the kernel's own
# hv_vmbus. A file system is made on the disk and files are copied; meanwhile, at moments of its
# own choice, the server is saved to a file, its module is unloaded, a fresh one is loaded and
# restored from the file. The client sees a pause. In the end every byte is compared, and fsck looks.
#
# usage: demo-servicing.sh [in-tree|ours [TIMES [SEED [plain|debug]]]]
# Ends with a line "N passed, N failed, N skipped".

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

client=${1:-in-tree} times=${2:-20} seed=${3:-$((RANDOM))} flavour=${4:-plain}
case $client in
in-tree) driver=hv_storvsc disk=/dev/sda who="the kernel's own hv_storvsc" ;;
ours) driver=kmcl_storvsc:sub_channels=4 disk=/dev/kmsd0 who="the port in samples/storvsc" ;;
*) die "usage: demo-servicing.sh [in-tree|ours [TIMES [SEED [plain|debug]]]]" ;;
esac
# The disk takes a while for each request, and the client does not keep what it has to write: so that
# there are requests when the server is saved.
mib=200 options=(--mem 1G --cmdline "sysctl.vm.dirty_background_bytes=1048576 sysctl.vm.dirty_bytes=8388608")
if [[ $flavour == debug ]]; then
	mib=24
fi

need_packages e2fsprogs
uml=$ROOT/scripts/uml.sh log=$BUILD/log/servicing-$client-$flavour.log
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

say "building the modules, and User Mode Linux if it has to be"
"$uml" modules "$flavour"
kernel_files "$mib" >"$tmp/files.list"
size=mib=$((mib * 3 / 2 + 16)):latency_us=500

say "client: $who; server: samples/storvsp; $mib MiB of files; $times times (seed $seed)"
last=$("$uml" run "$flavour" --built "${options[@]}" --timeout 400 --log "$log" \
	--file "$BUILD/uml-init/files" --file "$BUILD/uml-init/servicing" --file "$tmp/files.list" \
	kmcl_ramdisk "kmcl_storvsp:bus=simulator:$size" "$driver" \
	"exec=servicing:$disk:$times:$seed:bus=simulator:$size" | tail -n 1) || true
# what happened, in order
grep -E '^servicing: |^    (not )?ok |^        # ' "$log" |
	sed -E 's/^ *(not ok|ok) [0-9]*/    \1/; s/^ *# /        /' >&2 || true

[[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]] || die "no result: $log"
passed=${BASH_REMATCH[1]} failed=${BASH_REMATCH[2]} skipped=${BASH_REMATCH[3]}
# expect COMMAND...: one more result.
expect() {
	if "$@"; then
		((++passed))
	else
		((++failed))
	fi
}
expect grep -q "^servicing: serviced $times times" "$log"
# A server that has nothing to do is no test. Ours spreads requests over five channels, where few wait.
busy=$(sed -nE 's/^servicing: .* at ([0-9]+) of the moments.*/\1/p' "$log")
[[ $client != in-tree ]] || expect test "${busy:-0}" -ge $((times / 2))
# an error that was tried again, an answer that came twice
if complaints=$(grep -E 'I/O error|Buffer I/O|Incorrect transaction|Invalid p(ac)?k|Sense Key' "$log"); then
	say "the client complains: $complaints"
	((++failed))
else
	((++passed))
fi
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
