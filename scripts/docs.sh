#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The API reference, from the kernel-doc of the headers, and the pages of Documentation/ beside it,
# as HTML in build/docs/html. A remark of kernel-doc's or of Sphinx's is a failure.
#
# usage: docs.sh [--lint]     (--lint: only kernel-doc, over the sources too; writes nothing)

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

need_packages perl
kerneldoc=$(kernel_source 6.12)/scripts/kernel-doc
cd "$ROOT"

# PAGE TITLE HEADER...: the pages of the reference, in this order.
pages() {
	cat <<-EOT
		channels|Channel objects and callbacks|include/vmbuskernelmodeclientlibapi.h
		configuration|Configuration|include/kmcl/config-functions.h
		control|Channels and GPADLs|include/kmcl/channel-functions.h
		packets|Packets|include/kmcl/packet-functions.h
		servers|Server endpoints|include/kmcl/server-functions.h
		injection|Packet injection|include/fwpsk.h
		buffers|Network buffers|include/nt/nblapi.h
		linux|For Linux code|$(kmcl_headers)
		transport|The seam to a transport|kmcl/transport.h
		simulator|The simulated host, for suites|kunit/sim/sim.h
	EOT
}

# What a port's Linux file includes: every header of include/kmcl/ that is not a part of the API's.
kmcl_headers() {
	find include/kmcl -name '*.h' ! -name '*-functions.h' ! -name 'interface-tables.h' | sort | tr '\n' ' '
}

# kernel-doc knows void, not VOID: it reads a copy of the sources.
copy=$BUILD/docs/copy
make_copy() {
	rm -rf "$copy"
	mkdir -p "$copy"
	find include kmcl fwps samples kunit -name '*.[ch]' -print0 | xargs -0 cp --parents -t "$copy"
	find "$copy" -type f -exec sed -i 's/\<VOID\>/void/g' {} +
}

lint() {
	local log=$BUILD/log/kernel-doc.log
	mkdir -p "${log%/*}"
	make_copy
	(cd "$copy" && find . -name '*.[ch]' -print0 |
		xargs -0 perl "$kerneldoc" -none -Wall) >"$log" 2>&1 || true
	if [[ -s $log ]]; then
		head -n 20 "$log" >&2
		die "kernel-doc is not content: more in $log"
	fi
	say "kernel-doc: every comment is complete"
}

# kernel-doc knows typedefs of functions, a reader looks for the function: VmbX, not FN_VMB_X.
functions() {
	awk '
	NR == FNR { name[$1] = $2; next }
	/^\.\. c:macro:: FN_/ { type = $3; state = 1; next }
	/^\.\. c:macro:: EVT_/ { sub(/macro/, "type") }
	state == 1 && /\*\*Typedef\*\*: / {
		sub(/.*\*\*Typedef\*\*: (Vmb[A-Za-z]+\(\): )?/, ""); purpose = $0; next
	}
	state == 1 && /^  ``/ {
		gsub(/``/, ""); sub(/^ +/, ""); sub(type, name[type])
		print ".. c:function:: " $0 "\n\n   " toupper(substr(purpose, 1, 1)) substr(purpose, 2) ".\n"
		state = 0; next
	}
	state == 1 { next }
	{ print }' <(cat include/kmcl/*-functions.h | tr -s '\n\t' ' ' |
		grep -oE '\bFN_[A-Z_]+ Vmb[A-Za-z]+;' | tr -d ';') -
}

reference() {
	local out=$1 page title headers
	while IFS='|' read -r page title headers; do
		printf '%s\n%s\n\n' "$title" "${title//?/=}" >"$out/$page.rst"
		# shellcheck disable=SC2086	# a list
		(cd "$copy" && perl "$kerneldoc" -rst -sphinx-version 5.3 $headers 2>/dev/null) | functions >>"$out/$page.rst"
		echo "$page"
	done < <(pages)
}

build() {
	local dir=$BUILD/docs src=$BUILD/docs/src log=$BUILD/log/docs.log page
	local -a reference
	# Debian's python3, where its packages are, whatever else the PATH has
	need_packages python3-sphinx python3-myst-parser
	rm -rf "$src" "$dir/html"
	mkdir -p "$src" "${log%/*}"
	cp README.md Documentation/*.md "$src/"
	# the README's links are seen from the top of the tree
	sed -i 's,(Documentation/,(,g' "$src/README.md"
	mapfile -t reference < <(reference "$src")
	{
		printf 'KMCL for Linux\n==============\n\n'
		printf '.. toctree::\n   :maxdepth: 1\n   :caption: Guides\n\n   README\n'
		for page in Documentation/*.md; do
			basename "$page" .md | sed 's/^/   /'
		done
		printf '\n.. toctree::\n   :maxdepth: 1\n   :caption: Reference\n\n'
		printf '   %s\n' "${reference[@]}"
		# shellcheck disable=SC2016	# Sphinx's
		printf '\n:ref:`genindex` lists every function.\n'
	} >"$src/index.rst"
	cat >"$src/conf.py" <<-'EOT'
		project = 'KMCL for Linux'
		extensions = ['myst_parser']
		html_theme = 'alabaster'
		html_theme_options = {'page_width': '72em', 'sidebar_width': '16em'}
		html_copy_source = False
		html_show_copyright = False
		highlight_language = 'c'
		myst_heading_anchors = 3
		c_id_attributes = ['FASTCALL', 'NTAPI']
	EOT
	if ! /usr/bin/python3 -m sphinx -q -W --keep-going -b html "$src" "$dir/html" >"$log" 2>&1 </dev/null; then
		head -n 20 "$log" >&2
		die "the reference does not build: more in $log"
	fi
	say "the reference: $dir/html/index.html ($(cat "$src"/*.rst | grep -cE '^\.\. c:function:: .*\bVmb') functions)"
}

case ${1:-} in
--lint) lint ;;
'') lint; build ;;
*) die "usage: ${0##*/} [--lint]" ;;
esac
