#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Packet injection among network namespaces, in UML: veth, bridges, filters, delays and losses, links
# that go down and devices that go away, both families (kunit/net/scenarios.py); then
# samples/netvsc-rx with many frames. On the plain and on the debug kernel. Prints a line for each
# scenario, and at the end "N passed, N failed, N skipped".
#
# usage: fwps-net.sh [NAME]     (NAME: only scenarios in whose names that is)
# FRAMES=N in the environment: so many on both kernels

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

need_packages python3
uml=$ROOT/scripts/uml.sh unpacked=$BUILD/net-tools only=${1:-}
# KASAN and lockdep take their time.
declare -A frames=([plain]=${FRAMES:-1000000} [debug]=${FRAMES:-20000})

# ip, tc and nft, with the libraries that they need: unpacked, as far as this machine has not got them.
net_tools() {
	local pkg
	local -a todo=(iproute2 nftables)
	local -A seen=()
	[[ ! -e $unpacked/.complete ]] || return 0
	mkdir -p "$unpacked"
	while ((${#todo[@]})); do
		pkg=${todo[0]} todo=("${todo[@]:1}")
		[[ ! ${seen[$pkg]:-} ]] || continue
		seen[$pkg]=1
		[[ $(dpkg-query -W -f '${db:Status-Status}' "$pkg" 2>/dev/null) != installed ]] || continue
		fetch_deb "$pkg" "$unpacked"
		mapfile -t -O "${#todo[@]}" todo < <(dpkg_depends "$pkg" | grep '^lib')
	done
	touch "$unpacked/.complete"
}

# count NAME LOG LAST: the cases of a run, a line each, and their number.
count() {
	tr -d '\r' <"$2" | sed -nE "s/^    ((not )?ok) [0-9]+ /\\1 $1: /p; s/^        # /    /p"
	say "packet injection, $1: ${3:-no result}"
	# how fast they were: told, not judged
	tr -d '\r' <"$2" | sed -nE 's/^        # (.* by netif_rx.*)/    \1/p' >&2
	add_up "$3"
}

# guest FLAVOUR NAME SCRIPT "OPTION... of uml.sh run" [ARG]...: a program of kunit/net in a guest.
guest() {
	local flavour=$1 name="$2, $1" script=$3 last log=$BUILD/log/fwps-net-$2-$1.log arg command
	local -a options
	read -ra options <<<"$4"
	shift 4
	command="machine:/usr/bin/python3:-sB:$ROOT/kunit/net/$script:$unpacked"
	for arg; do
		command+=":$arg"
	done
	last=$("$uml" run "$flavour" --built "${options[@]}" --timeout $((300 + ${FRAMES:-0} / 200)) --mem 1G --log "$log" \
		--file "$BUILD/uml-init/machine" kmcl fwps fwps_net "exec=$command" | tail -n 1) || true
	count "$name" "$log" "$last"
}

# suite FRAMES: that of samples/netvsc-rx.
suite() {
	local last log=$BUILD/log/fwps-net-suite.log
	last=$("$uml" run plain --built --alone --timeout 300 --log "$log" --filter 'fwps_netvsc*' \
		kmcl fwps "fwps_kunit:frames=$1" | tail -n 1) || true
	count "a million frames, KUnit" "$log" "$last"
}

with_lock net_tools
"$uml" modules plain
"$uml" modules debug
for flavour in plain debug; do
	guest "$flavour" scenarios scenarios.py "--only --time-travel" ${only:+"$only"}
	[[ $only ]] || guest "$flavour" frames frames.py --alone "${frames[$flavour]}"
done
[[ $only ]] || suite 1000000

total
