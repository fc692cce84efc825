#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Are the KUnit suites any good? The defects of scripts/mutants.txt are put into a copy of the
# sources, one at a time; each has to be caught: by a case that fails, a report of the kernel's, or a
# guest that does not end. The suites that should see it are asked first, then all, then all on the
# debug kernel. Prints who caught which; fails when one survives, does not build, or does not apply
# any more.
#
# usage: mutants.sh [--plain] [NAME]...     (--plain: leave the debug kernel out)

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

need_packages gcc python3
export UML_TREE=mutants
list=$ROOT/scripts/mutants.txt tool=$ROOT/scripts/mutants.py
copy=$BUILD/mutants log=$BUILD/log/mutants-run.log table=$BUILD/mutants.txt
uml=$copy/scripts/uml.sh start=$SECONDS
plain=
if [[ ${1:-} == --plain ]]; then
	plain=1
	shift
fi
names=("$@")
((${#names[@]})) || mapfile -t names < <("$tool" "$list" names)

# A copy of what the modules are built from. What has not changed keeps its time, so that make builds
# what has.
synchronize() {
	local file
	mkdir -p "$copy"/{include,kmcl,fwps,kunit,samples,scripts}
	(cd "$ROOT" && find include kmcl fwps kunit samples scripts -type f) >"$copy/.files"
	(cd "$copy" && find include kmcl fwps kunit samples scripts -type f) | sort |
		comm -23 - <(sort "$copy/.files") | sed "s,^,$copy/," | xargs -r -d '\n' rm -f
	while read -r file; do
		cmp -s "$ROOT/$file" "$copy/$file" || { mkdir -p "$copy/${file%/*}"; cp "$ROOT/$file" "$copy/$file"; }
	done <"$copy/.files"
}

# passes FLAVOUR MODULE...: do the suites see nothing?
passes() {
	local flavour=$1 last
	shift
	last=$("$uml" run "$flavour" --built --time-travel --timeout "$limit" --log "$log" "$@" 2>/dev/null | tail -n 1) || true
	[[ $last == *" 0 failed, "* ]]
}

# catch MODULE SUITES: says who caught what has been put in, or fails.
catch() {
	limit=$((whole > 60 ? whole : 60))
	passes plain --filter "$2" "$1" || { "$tool" "$list" caught "$log"; return; }
	limit=$((whole > 60 ? 3 * whole : 200))
	passes plain || { echo "$("$tool" "$list" caught "$log"), of all"; return; }
	[[ ! $plain ]] || return 1
	"$uml" modules debug 2>/dev/null
	limit=$((whole > 60 ? 8 * whole : 500))
	passes debug || { echo "$("$tool" "$list" caught "$log"), on the debug kernel"; return; }
	return 1
}

synchronize
"$tool" "$list" check "$ROOT"
"$uml" modules plain
# A guest that does not end has caught a defect, but for one that a busy machine has kept waiting: what
# they take without any defect says how busy it is.
limit=900 whole=$SECONDS
passes plain || die "the suites fail without any defect: $log"
whole=$((SECONDS - whole))

# More than kmcl/ has to be built: some suites have a file of the library compiled in.
beyond() { [[ $1 != kmcl/* ]] || grep -rqF "#include \"${1#kmcl/}\"" "$copy/kunit" --include='*.c'; }

caught=0 survived=0 part=kmcl
: >"$table"
for name in "${names[@]}"; do
	{ read -r why; read -r file; read -r module suites; } < <("$tool" "$list" show "$name")
	"$tool" "$list" apply "$name" "$copy"
	# and those before it are built again without their defect
	! beyond "$file" || part=
	"$uml" modules plain $part 2>/dev/null || die "$name does not build: $BUILD/log/uml-plain-mutants-modules.log"
	if who=$(catch "$module" "$suites"); then
		((++caught))
	else
		who="SURVIVED: $why"
		((++survived))
	fi
	printf '%-44s %-16s %s\n' "$name" "$file" "$who" | tee -a "$table"
	beyond "$file" && part='' || part=kmcl
	# with a time of its own: it has to be built again
	cp "$ROOT/$file" "$copy/$file"
done
say "mutants took $((SECONDS - start)) s"
echo "$caught of ${#names[@]} mutants caught"
((!survived))
