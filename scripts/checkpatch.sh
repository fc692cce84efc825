#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The style of every tracked file: checkpatch --strict for C, shellcheck for scripts.
#
# CamelCase is the Windows-named boundary's, and kernel versions belong into compat.h: what is
# ignored is said here and nowhere else.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

need_packages perl shellcheck git
tree=$(kernel_source 6.12)
checkpatch=$tree/scripts/checkpatch.pl
cd "$ROOT"
out=$BUILD/log/checkpatch.log
mkdir -p "${out%/*}"
: >"$out"

# A file that was clean stays clean until it changes, or what is asked of it does.
known=$BUILD/checkpatch
mkdir -p "$known"
rules=$(cat "$0" "$checkpatch" | sha256sum)

# check IGNORE FILE...: remarks on the files that are not known to be clean.
check() {
	local ignore=$1 file key
	local -A todo=()
	shift
	for file; do
		key=$({ echo "$rules $ignore"; cat "$file"; } | sha256sum)
		[[ -e $known/${key%% *} ]] || todo[$file]=$known/${key%% *}
	done
	((${#todo[@]})) || return 0
	# from a directory without include/ or .git, which it would read for names
	printf "$ROOT/%s\0" "${!todo[@]}" |
		(cd "$BUILD/log" && xargs -0 -r -n 8 -P "$(nproc)" perl "$checkpatch" --root="$tree" --no-summary \
			--strict --terse --show-types --quiet --max-line-length=100 --ignore "$ignore" -f) |
		sed "s,^$ROOT/,," >"$out.now" || true
	cat "$out.now" >>"$out"
	for file in "${!todo[@]}"; do
		grep -qF "$file:" "$out.now" || touch "${todo[$file]}"
	done
}

# Test macros wait for an argument they print; wrappers of in-tree files are shims by nature.
# A pointer to a function without parameters trips FUNCTION_ARGUMENTS and OPEN_BRACE.
common=CAMELCASE,MACRO_ARG_REUSE,BIT_MACRO,FUNCTION_ARGUMENTS,OPEN_BRACE
boundary=$common,NEW_TYPEDEFS,SPACING,PREFER_KERNEL_TYPES,AVOID_EXTERNS,STORAGE_CLASS,CONSIDER_KSTRTO
boundary+=,COMPLEX_MACRO,PREFER_DEFINED_ATTRIBUTE_MACRO,LONG_LINE,OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT
boundary+=,MULTISTATEMENT_MACRO_USE_DO_WHILE,SINGLE_STATEMENT_DO_WHILE_MACRO,TRAILING_SEMICOLON,MACRO_ARG_UNUSED
version=$common,LINUX_VERSION_CODE,CONSTANT_COMPARISON,COMPLEX_MACRO,MACRO_WITH_FLOW_CONTROL

shims=$version,FUNCTION_ARGUMENTS,NEW_TYPEDEFS,AVOID_EXTERNS,PREFER_KERNEL_TYPES,USE_NEGATIVE_ERRNO,UNCOMMENTED_DEFINITION,MACRO_ARG_PRECEDENCE
# Lists of names that expand to declarations.
names=$common,COMPLEX_MACRO,TRAILING_SEMICOLON,MULTISTATEMENT_MACRO_USE_DO_WHILE,MACRO_ARG_PRECEDENCE
# Windows' own prototypes.
shims+=,VOLATILE

# Tracepoints are written as they are everywhere in the kernel.
tracing=$common,COMPLEX_MACRO,OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT,SPACING

mapfile -t files < <(git ls-files --cached --others --exclude-standard -- '*.[ch]')
windows=() shim=() lists=() traces=() linux=()
for file in "${files[@]}"; do
	case $file in
	include/nt/* | include/vmbus* | include/fwpsk.h | include/kmcl/*-functions.h | include/kmcl/interface-tables.h | samples/* | kunit/calls.[ch] | kunit/fwps/calls.c)
		windows+=("$file") ;;
	kmcl/compat.h | fwps/compat.h | kunit/include/* | kunit/vmbus/* | kunit/uml/* | kunit/sim/hv_common.c | kunit/sim/compat.h | scripts/*)
		shim+=("$file") ;;
	kmcl/functions.h | kmcl/interface.c | kunit/interface_test.c | kunit/functions_test.c | kunit/wrap.h)
		lists+=("$file") ;;
	kmcl/trace.h)
		traces+=("$file") ;;
	*) linux+=("$file") ;;
	esac
done
check "$boundary" "${windows[@]}"
check "$shims" "${shim[@]}"
check "$names" "${lists[@]}"
check "$tracing" "${traces[@]}"
check "$common" "${linux[@]}"
mapfile -t scripts < <(git ls-files --cached --others --exclude-standard -- 'scripts/*.sh' 'scripts/*/*.sh' .ci/run)
shellcheck -x --severity=style "${scripts[@]}" >>"$out" 2>&1 || true

if [[ -s $out ]]; then
	head -n 40 "$out" >&2
	die "style: $(grep -cE 'WARNING|ERROR|CHECK|SC[0-9]+' "$out") remarks: all of them in $out"
fi
say "style: ${#files[@]} C files and ${#scripts[@]} scripts are clean"
