#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Everything that reads bytes of somebody else's, given bytes that lie. See Documentation/fuzzing.md.
#
#   fuzz.sh [-s SECONDS] [target]...
#
# ring, ranges and save are programs of libFuzzer's, with ASan and UBSan, around the library's own
# source files. host, client and restore are a lying peer in UML on the debug kernel. Without targets:
# all of them, at a time. Each is a test that passes when nothing was found in SECONDS (60, or
# FUZZ_SECONDS); the last line is "N passed, N failed, N skipped".

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

programs=(ring ranges save)
liars=(host client restore)
seconds=${FUZZ_SECONDS:-60}
while getopts s: option; do
	case $option in
	s) seconds=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[[ $seconds =~ ^[1-9][0-9]*$ ]] || die "FUZZ_SECONDS is a number of seconds, not '$seconds'"
wanted=("$@")
((${#wanted[@]})) || wanted=("${programs[@]}" "${liars[@]}")

dir=$BUILD/fuzz
user=$ROOT/kunit/fuzz/user
mkdir -p "$dir/bin" "$dir/crash" "$BUILD/log"

# Pure files of the library that a program is about.
sources() {
	case $1 in
	ring) echo ring ;;
	ranges) echo ranges ;;
	save) echo blob records ranges ;;
	esac
}

# Longest input: a save has records of more than a chunk.
longest() {
	case $1 in
	ring) echo 2048 ;;
	ranges) echo 4096 ;;
	save) echo 200000 ;;
	esac
}

# Headers of the kernel's: what the sources name, all of it in one file of ours.
kernel_headers_of() {
	local header
	(cd "$ROOT" && grep -hoE '<(linux|asm)/[a-z_0-9]+\.h>' kmcl/{ring,blob,ranges,records}.[ch] \
		include/nt/ntstatus.h) | tr -d '<>' | sort -u |
		while read -r header; do
			mkdir -p "$dir/include/${header%/*}"
			echo '#include "kernel.h"' >"$dir/include/$header"
		done
}

# build PROGRAM: as the kernel is compiled, where a language lawyer could tell.
build() {
	local name=$1 file files=()
	local flags=(-std=gnu11 -g -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Werror
		'-D__aligned(x)=__attribute__((aligned(x)))' -fno-strict-aliasing -fno-delete-null-pointer-checks -fno-omit-frame-pointer
		-I"$dir/include" -I"$user" -I"$ROOT/kmcl" -I"$ROOT/include/nt")
	for file in $(sources "$name"); do
		files+=("$ROOT/kmcl/$file.c")
	done
	files+=("$user/${name}_target.c" "$user/fuzz.c")
	quietly "fuzz-$name-build" clang "${flags[@]}" -O1 -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined -o "$dir/bin/$name" "${files[@]}" &&
		quietly "fuzz-$name-build" clang "${flags[@]}" -O0 -fsanitize=fuzzer \
			-fprofile-instr-generate -fcoverage-mapping -o "$dir/bin/$name-cov" "${files[@]}"
}

# Lines of the library's files that all inputs found so far reach.
coverage() {
	local name=$1 file files=()
	for file in $(sources "$name"); do
		files+=("$ROOT/kmcl/$file.c")
	done
	LLVM_PROFILE_FILE=$dir/$name.profraw "$dir/bin/$name-cov" -runs=0 \
		"$dir/corpus/$name" >/dev/null 2>&1
	llvm-profdata merge -o "$dir/$name.profdata" "$dir/$name.profraw"
	llvm-cov report "$dir/bin/$name-cov" -instr-profile="$dir/$name.profdata" "${files[@]}" |
		tee "$BUILD/log/fuzz-$name-cov.txt" |
		awk '/\.c / { sub(/.*\//, "", $1); printf "%s%s %s lines, %s branches", sep, $1, $10, $13; sep = "; " }
			END { print "" }'
}

program() {
	local name=$1 log=$BUILD/log/fuzz-$1.log runs found crash status=0
	build "$name" || return
	mkdir -p "$dir/corpus/$name"
	nice "$dir/bin/$name" -max_total_time="$seconds" -max_len="$(longest "$name")" -timeout=20 \
		-use_value_profile=1 -print_final_stats=1 -artifact_prefix="$dir/crash/$name-" \
		"$dir/corpus/$name" >"$log" 2>&1 || status=$?
	runs=$(awk '/number_of_executed_units/ { print $2 }' "$log")
	found=$(grep -oE 'cov: [0-9]+ ft: [0-9]+ corp: [0-9]+' "$log" | tail -n 1)
	say "$name: ${runs:-0} executions, $found ($(coverage "$name"))"
	((status)) || return 0
	crash=$(sed -nE 's/.*Test unit written to //p' "$log" | tail -n 1)
	say "$name: FOUND SOMETHING: $(grep -m 1 -E 'ERROR:|runtime error:|does not hold' "$log")"
	say "$name: reproduce it with $dir/bin/$name ${crash:-(see $log)}"
	return 1
}

# Runs of the guest, each with seeds that no other had, until the time is over.
liar() {
	local name=$1 log=$BUILD/log/fuzz-$1.log end=$((SECONDS + seconds)) seed rounds=0 n clock
	local kernel=("$ROOT/scripts/uml.sh" run debug --built --timeout 900 --log "$log")
	# it is init that waits for the rounds
	kernel+=(--cmdline sysctl.kernel.hung_task_timeout_secs=900)
	seed=$(($(date +%s) % 1000000 * 1000))
	while ((SECONDS < end)); do
		# every other run in a time that passes at once when nothing runs
		clock=(--time-travel)
		((seed / 100 % 2)) || clock=()
		n=$((end - SECONDS < 100 ? end - SECONDS : 100))
		if ! nice "${kernel[@]}" "${clock[@]}" "kmcl_fuzz:what=$name:seed=$seed:rounds=100:seconds=$n" \
			>"$dir/$name.out" 2>&1; then
			cp "$log" "$dir/crash/$name-$seed.log"
			say "$name: FOUND SOMETHING: $(grep -avE 'Testing complete|whole log|passed,' "$dir/$name.out" | head -n 3)"
			say "$name: seed $(grep -aoE 'kmcl_fuzz: [a-z]+, seed [0-9]+' "$log" | tail -n 1 | grep -oE '[0-9]+'); $dir/crash/$name-$seed.log"
			say "$name: reproduce it with scripts/uml.sh run debug ${clock[*]} kmcl_fuzz:what=$name:seed=$seed:rounds=100:seconds=0"
			return 1
		fi
		n=$(grep -aoE 'kmcl_fuzz: [a-z]+: [0-9]+ rounds' "$log" | grep -oE '[0-9]+' | tail -n 1) || true
		rounds=$((rounds + ${n:-0}))
		seed=$((seed + 100))
	done
	say "$name: $rounds rounds; in the last run:$(sed -nE "s/.*kmcl_fuzz: $name: [0-9]+ rounds:?//p" "$log" | tail -n 1)"
	((rounds))
}

run() {
	if [[ " ${programs[*]} " == *" $1 "* ]]; then
		program "$1"
	else
		liar "$1"
	fi
}

for name in "${wanted[@]}"; do
	[[ " ${programs[*]} ${liars[*]} " == *" $name "* ]] ||
		die "no such target: $name; there are ${programs[*]} ${liars[*]}"
done
need_packages clang llvm
kernel_headers_of
[[ " ${wanted[*]} " != *" host "* && " ${wanted[*]} " != *" client "* && " ${wanted[*]} " != *" restore "* ]] ||
	"$ROOT/scripts/uml.sh" modules debug

say "fuzzing for $seconds seconds: ${wanted[*]}"
passed=0 failed=0 pids=()
for name in "${wanted[@]}"; do
	run "$name" &
	pids+=($!)
done
for pid in "${pids[@]}"; do
	if wait "$pid"; then
		((++passed))
	else
		((++failed))
	fi
done
echo "$passed passed, $failed failed, 0 skipped"
((failed == 0))
