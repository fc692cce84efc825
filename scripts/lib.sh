# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the scripts share: messages, and Debian packages as a source of kernels, headers and tools.
# Sourced, never run. Everything that is downloaded is unpacked under $BUILD; only need_packages
# touches the system, and says so.

# shellcheck disable=SC2034	# the users of this file read these
set -euo pipefail
shopt -s inherit_errexit

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=$(realpath -m "${KMCL_BUILD:-$ROOT/build}")
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive

# Progress goes to stderr: most functions below answer on stdout.
say() { printf '%s\n' "$*" >&2; }
die() { printf '%s\n' "${0##*/}: $*" >&2; exit 1; }

# with_lock COMMAND...: one user of $BUILD's downloads at a time, in this process or another.
with_lock() {
	if [[ ${lock_held:-} ]]; then
		"$@"
		return
	fi
	mkdir -p "$BUILD" || die "cannot create $BUILD: set KMCL_BUILD to a directory you can write"
	(
		exec 9>"$BUILD/.lock"
		if ! flock -n 9; then
			say "waiting for another run that downloads into $BUILD"
			flock -w 1800 9 || die "another run has held $BUILD/.lock for 30 minutes: end it and try again"
		fi
		lock_held=1
		"$@"
	)
}

# quietly NAME COMMAND...: output to a log; its last line is shown when the command fails.
quietly() {
	local log=$BUILD/log/$1.log
	shift
	mkdir -p "$BUILD/log"
	"$@" >"$log" 2>&1 </dev/null && return
	say "failed: $* ($(grep -v '^ *$' "$log" | tail -n 1); more in $log)"
	return 1
}

# ---- results --------------------------------------------------------------------------------

# Everything that is counted ends with a line "N passed, N failed, N skipped".
passed=0 failed=0 skipped=0

# add_up LINE: add such a line to what there is; another one is a failure.
add_up() {
	if [[ $1 =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
		((passed += BASH_REMATCH[1], failed += BASH_REMATCH[2], skipped += BASH_REMATCH[3])) || true
	else
		((++failed))
	fi
}

# total: that line of all, after how long it took; false when something failed.
total() {
	say "all of it took $SECONDS s"
	echo "$passed passed, $failed failed, $skipped skipped"
	((failed == 0))
}

# counted NAME COMMAND...: a part of a check, with a heading; what it ends with counts.
counted() {
	local name=$1 out=$BUILD/log/check-counted.txt began=$SECONDS last
	shift
	say "== $name"
	mkdir -p "$BUILD/log"
	"$@" >"$out" || true
	last=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$out" | tail -n 1) || true
	add_up "$last"
	say "   ${last:-FAILED: $name: no result} ($((SECONDS - began)) s)"
}

# ---- apt ------------------------------------------------------------------------------------

apt_opts=()

as_root() {
	if ((EUID == 0)); then
		"$@"
	else
		sudo "$@"
	fi
}

# need_packages PKG...: install what is missing on this system.
need_packages() {
	local pkg missing=()
	for pkg; do
		dpkg-query -W -f '${db:Status-Status}\n' "$pkg" 2>/dev/null | grep -qx installed || missing+=("$pkg")
	done
	((${#missing[@]})) || return 0
	if ((EUID != 0)); then
		command -v sudo >/dev/null ||
			die "missing Debian packages, and neither root nor sudo to install them: run 'apt-get install ${missing[*]}' as root"
	fi
	say "installing Debian packages: ${missing[*]}"
	with_lock install_packages "${missing[@]}"
}

install_packages() {
	local install=(as_root env DEBIAN_FRONTEND=noninteractive apt-get -y --no-install-recommends install "$@")
	if apt-cache show "$@" >/dev/null 2>&1 && quietly apt-install "${install[@]}" 2>/dev/null; then
		return
	fi
	quietly apt-update as_root apt-get update || die "apt-get update failed: repair this machine's package sources and try again"
	quietly apt-install "${install[@]}" || die "cannot install $*: see the line above"
}

# apt_view system|own|backports|releases: what the apt calls below see. system is this machine's apt
# as it is; own has the same sources but fresh lists of its own under $BUILD (no root needed, and good
# when the machine's lists are missing or old); backports adds the backports suite of this machine's
# Debian to that; releases adds the suites with the oldest and the newest kernel that the library is
# built for, whichever Debian this machine runs.
apt_views=(system own backports releases)

apt_view() {
	local dir=$BUILD/apt/$1 file line
	apt_opts=()
	[[ $1 == system ]] && return
	apt_opts=(-c "$dir/apt.conf")
	[[ -e $dir/stamp && -z $(find "$dir/stamp" -mmin +720) ]] && return

	mkdir -p "$dir/sources" "$dir/state/lists/partial" "$dir/cache/archives/partial"
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources}; do
		[[ ! -e $file ]] || cp "$file" "$dir/sources/"
	done
	case $1 in
	backports) debian_source CODENAME-backports >"$dir/sources/kmcl.sources" || return ;;
	releases) debian_source bookworm trixie-backports >"$dir/sources/kmcl.sources" || return ;;
	esac
	cat >"$dir/apt.conf" <<-EOF
		Dir::State "$dir/state";
		Dir::State::status "/var/lib/dpkg/status";
		Dir::Cache "$dir/cache";
		Dir::Etc::sourcelist "/dev/null";
		Dir::Etc::sourceparts "$dir/sources";
		Acquire::Languages "none";
		Debug::NoLocking "true";
		#clear APT::Update::Pre-Invoke;
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
		#clear DPkg::Post-Invoke;
	EOF
	((EUID != 0)) || echo 'APT::Sandbox::User "root";' >>"$dir/apt.conf"
	say "reading Debian's package lists ($1) into $dir"
	quietly "apt-update-$1" apt-get "${apt_opts[@]}" update || return
	touch "$dir/stamp"
}

# debian_source SUITE...: an apt source of those suites, from the mirror and with the key that this
# machine uses already; CODENAME stands for that of its own Debian.
debian_source() {
	local uri codename entry key=
	# shellcheck disable=SC2016	# apt expands these
	read -r codename uri entry < <(apt-get indextargets --format '$(CODENAME) $(REPO_URI) $(SOURCESENTRY) $(ORIGIN) $(COMPONENT)' \
		'Created-By: Packages' | awk '$4 == "Debian" && $5 == "main" && $1 !~ /-/ { print; exit }') ||
		{ say "this machine's apt has no Debian main suite with package lists: run apt-get update as root"; return 1; }
	entry=${entry%:*}
	if [[ $entry == *.sources ]]; then
		key=$(awk 'tolower($1) == "signed-by:" { print $2; exit }' "$entry")
	else
		key=$(grep -oiE 'signed-by=[^] ]+' "$entry" | head -n 1 | cut -d= -f2) || true
	fi
	if [[ ! -r $key ]]; then
		key=$(find /usr/share/keyrings -name 'debian-archive-keyring.*' -print -quit)
	fi
	printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\n' "$uri" "${*//CODENAME/$codename}"
	[[ -z $key ]] || printf 'Signed-By: %s\n' "$key"
}

apt_knows() { [[ $(apt-cache "${apt_opts[@]}" show --no-all-versions "$1" 2>/dev/null) == *$'\nFilename: '* ]]; }

# Every download goes through here: the first view that has the package gives it.
download_deb() {
	local pkg=$1 dir=$2 view
	for view in "${apt_views[@]}"; do
		if apt_view "$view" && apt_knows "$pkg" &&
		   (cd "$dir" && quietly apt-download apt-get "${apt_opts[@]}" download "$pkg") 2>/dev/null; then
			return
		fi
	done
	die "cannot download the Debian package $pkg: check this machine's package sources and network ($BUILD/log/apt-download.log)"
}

# fetch_deb PKG DIR: unpack a Debian package under DIR, once.
fetch_deb() {
	[[ -e $2/.debs/$1 ]] || with_lock fetch_deb_locked "$@"
}

fetch_deb_locked() {
	local pkg=$1 dir=$2 tmp deb
	[[ ! -e $dir/.debs/$pkg ]] || return 0
	mkdir -p "$BUILD/debs" "$(dirname "$dir")"
	rm -rf "$BUILD/debs/$pkg".*
	tmp=$(mktemp -d "$BUILD/debs/$pkg.XXXXXX")
	say "downloading the Debian package $pkg"
	download_deb "$pkg" "$tmp"
	deb=("$tmp"/*.deb)
	mkdir "$tmp/x"
	dpkg-deb -x "${deb[0]}" "$tmp/x" || die "cannot unpack $pkg: is the disk full? ($(df -h --output=avail "$tmp" | tail -n 1) left)"
	rm "${deb[0]}"
	mkdir "$tmp/x/.debs"
	if [[ ! -e $dir ]]; then
		touch "$tmp/x/.debs/$pkg"
		mv -T "$tmp/x" "$dir"
	else
		cp -al --remove-destination "$tmp/x/." "$dir/" || die "cannot write to $dir: remove it and try again"
		touch "$dir/.debs/$pkg"
	fi
	rm -rf "$tmp"
}

# ---- Debian's kernels -----------------------------------------------------------------------

# kernel_source VERSION: the path of Debian's kernel source of that version, unpacked.
kernel_source() {
	local dir=$BUILD/kernels/linux-source-$1
	[[ -e $dir/Makefile ]] || with_lock kernel_source_locked "$1" "$dir"
	echo "$dir"
}

kernel_source_locked() {
	local tmp=$2.new
	[[ ! -e $2/Makefile ]] || return 0
	need_packages xz-utils
	rm -rf "$tmp" "$tmp.deb"
	fetch_deb "linux-source-$1" "$tmp.deb"
	say "unpacking the kernel source $1"
	mkdir "$tmp"
	tar -xf "$tmp.deb/usr/src/linux-source-$1.tar.xz" -C "$tmp" --strip-components=1 ||
		die "cannot unpack the kernel source: is the disk full? ($(df -h --output=avail "$tmp" | tail -n 1) left)"
	mv -T "$tmp" "$2"
	rm -rf "$tmp.deb"
}

# kernel_files MIB: files of the kernel's source that are so much together.
kernel_files() {
	local source
	source=$(realpath "$(kernel_source 6.12)")
	find "$source"/{fs,drivers,net,include} -type f -size -8M -printf '%s %p\n' |
		awk -v left=$(($1 << 20)) 'left > 0 { left -= $1; sub(/^[0-9]+ /, ""); print }'
}

# kernel_release VERSION: the release (6.12.63+deb12-amd64) of Debian's stock amd64 kernel of that
# version. Remembered, so that image and headers stay those of one build.
kernel_release() {
	local file=$BUILD/kernels/$1.release
	[[ -s $file ]] || with_lock kernel_release_locked "$1" "$file"
	cat "$file"
}

kernel_release_locked() {
	local view release
	[[ ! -s $2 ]] || return 0
	for view in "${apt_views[@]}"; do
		apt_view "$view" || continue
		release=$(find_release "$1")
		[[ -n $release ]] || continue
		mkdir -p "$(dirname "$2")"
		echo "$release" >"$2.new"
		mv "$2.new" "$2"
		return
	done
	die "no amd64 kernel $1 in this machine's package sources: run apt-get update, then 'apt-cache search linux-image-$1'"
}

# What a meta package names, or else the newest that is there; stock flavour, and not the debug one.
find_release() {
	local name pattern="^linux-image-(${1//./\\.}(\.[0-9]+)*([-+~][a-z0-9.]+)*-amd64)$" found=()
	mapfile -t found < <({
		for name in "linux-image-$1-amd64" linux-image-amd64; do
			apt-cache "${apt_opts[@]}" depends "$name" 2>/dev/null | awk '$1 == "Depends:" { print $2 }' || true
		done
		apt-cache "${apt_opts[@]}" pkgnames "linux-image-$1" | sort -rV
	} | sed -nE "s/$pattern/\1/p")
	for name in "${found[@]}"; do
		[[ $name != "$1-amd64" && $name != *-@(cloud|rt)-amd64 ]] || continue
		if apt_knows "linux-image-$name" && apt_knows "linux-headers-$name"; then
			echo "$name"
			return
		fi
	done
}

# kernel_image VERSION: a directory with vmlinuz and lib/modules of Debian's stock kernel.
kernel_image() {
	local release dir
	release=$(kernel_release "$1")
	dir=$BUILD/kernels/linux-image-$release
	[[ -e $dir/vmlinuz ]] || with_lock kernel_image_locked "$release" "$dir"
	echo "$dir"
}

kernel_image_locked() {
	[[ ! -e $2/vmlinuz ]] || return 0
	rm -rf "$2" "$2.new"
	fetch_deb "linux-image-$1" "$2.new"
	if [[ ! -e $2.new/lib/modules ]]; then
		mv -T "$2.new/usr/lib" "$2.new/lib"
	fi
	mv -T "$2.new/boot/vmlinuz-$1" "$2.new/vmlinuz"
	mv -T "$2.new" "$2"
}

# kernel_headers VERSION: a KDIR for make -C KDIR M=..., from Debian's headers of that same kernel.
kernel_headers() {
	local release dir
	release=$(kernel_release "$1")
	dir=$BUILD/kernels/linux-headers-$release
	[[ -e $dir/kdir ]] || with_lock kernel_headers_locked "$release" "$dir"
	echo "$dir/usr/src/linux-headers-$release"
}

kernel_headers_locked() {
	local headers=linux-headers-$1 pkg tools=()
	[[ ! -e $2/kdir ]] || return 0
	rm -rf "$2" "$2.new"
	fetch_deb "$headers" "$2.new"
	# The compiler that built the kernel, and what kbuild's own programs need.
	while read -r pkg; do
		case $pkg in
		linux-headers-*-common)
			fetch_deb "$pkg" "$2.new" ;;
		linux-kbuild-*)
			fetch_deb "$pkg" "$2.new"
			mapfile -t -O "${#tools[@]}" tools < <(dpkg_depends "$pkg" | grep -vx libc6) ;;
		gcc-*)
			tools+=("${pkg%-for-host}") ;;
		esac
	done < <(dpkg_depends "$headers")
	need_packages make "${tools[@]}"

	# The package expects to live in /usr/src; here its common part lives beside it.
	# shellcheck disable=SC2016	# make expands this
	sed -i 's|/usr/src/|$(dir $(realpath $(lastword $(MAKEFILE_LIST))))../|' "$2.new/usr/src/$headers/Makefile"
	mv -T "$2.new" "$2"
	touch "$2/kdir"
}

# kernel_prepared VERSION: a KDIR from Debian's source of that version: a guest's configuration, made
# ready for modules, and nothing built. It has no Module.symvers.
kernel_prepared() {
	local dir=$BUILD/kernels/prepared-$1
	[[ -e $dir/.prepared ]] || with_lock kernel_prepared_locked "$1" "$dir"
	echo "$dir"
}

kernel_prepared_locked() {
	local src
	[[ ! -e $2/.prepared ]] || return 0
	need_packages build-essential flex bison bc libelf-dev libssl-dev
	src=$(kernel_source "$1")
	rm -rf "$2"
	mkdir -p "$2"
	say "preparing the kernel source $1 for modules: a minute"
	if ! { quietly "prepare-$1-defconfig" make -C "$src" O="$2" x86_64_defconfig &&
	       "$src/scripts/config" --file "$2/.config" -e HYPERVISOR_GUEST -e PARAVIRT -e HYPERV -m HYPERV_VMBUS &&
	       quietly "prepare-$1-config" make -C "$src" O="$2" olddefconfig &&
	       quietly "prepare-$1" make -C "$src" O="$2" -j"$(nproc)" modules_prepare; }; then
		die "cannot prepare the kernel source $1"
	fi
	grep -qx CONFIG_HYPERV_VMBUS=m "$2/.config" || die "the kernel configuration of $1 has no hv_vmbus module"
	touch "$2/.prepared"
}

# The packages that PKG depends on, as the view that has it says; the first of each alternative.
dpkg_depends() {
	local view
	for view in "${apt_views[@]}"; do
		if apt_view "$view" && apt_knows "$1"; then
			apt-cache "${apt_opts[@]}" show --no-all-versions "$1" |
				sed -n 's/^Depends: //p' | tr ',' '\n' | awk '{ print $1 }'
			return
		fi
	done
}
