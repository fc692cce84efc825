#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The UML rig: a user mode kernel that loads the real in-tree drivers/hv, the simulated host and
# the modules under test. See Documentation/rig-uml.md.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

KERNEL=${UML_KERNEL:-6.12}
# Modules of another kind, in a tree of their own: "coverage" counts what runs in kmcl/.
TREE=${UML_TREE:-}
# Whose nolibc and kunit.py serve all of them.
TOOLS=6.12
# What every run loads, in this order, as far as it is built; the suites come behind.
BASE=(hv_sim hv_vmbus kmcl fwps kmcl_vmbus kmcl_sim_host)
# A line of a kernel log that says that something is wrong, whatever the tests think.
REPORTS='BUG:|WARNING:|Kernel panic|Oops|general protection|UBSAN:|KASAN|ODEBUG:|INFO: (task|rcu)|'
REPORTS+='(circular|recursive|inconsistent|irq|unsafe) lock|bad: scheduling|scheduling while atomic|'
REPORTS+='sleeping function|Invalid wait context|suspicious RCU|held lock|DEBUG_LOCKS_WARN|'
REPORTS+='list_(add|del) corruption|refcount_t:|blocked for more than|lockup|Call Trace:|cut here|'
REPORTS+='DMA-API:|kmemleak: .*(disabled|Cannot allocate a kmemleak)|unreferenced object|Segfault'

usage() {
	cat >&2 <<-EOF
		usage: ${0##*/} kernel FLAVOUR
		       ${0##*/} modules FLAVOUR [kmcl]
		       ${0##*/} run FLAVOUR [option]... [module]...

		kernel   build the UML kernel, once
		modules  build the modules for it, or those of kmcl/ alone again
		run      both, then boot, load the modules, run their KUnit suites, unload

		A FLAVOUR is plain, debug or, from Linux 7.3 on, smp or smp-debug: the same with two
		processors. The kernel is 6.12; UML_KERNEL=6.1 in the environment names another.
		UML_TREE=NAME keeps the modules apart; those of the tree "coverage" count what runs.

		A run loads ${BASE[*]} and then the modules named, or every *_kunit.
		NAME:PARAM=VALUE gives a module a parameter.

		  --only           load nothing but the modules named
		  --alone          and have no others to be loaded on request
		  --built          the modules are up to date: do not look
		  --keep           do not unload them: traces of leaks keep their symbols
		  --filter GLOB    run only suites (or SUITE.CASE) that match
		  --time-travel    time passes at once when nothing runs: long timeouts cost
		                   nothing; not for benchmarks
		  --cmdline ARGS   more for the kernel command line
		  --mem SIZE       memory of the guest
		  --file FILE      a file for the root directory of the guest, for programs that
		                   exec=NAME:ARG... among the modules runs; show=PATH prints
		                   a file of the guest's into the log
		  --counters DIR   what a tree that counts has counted goes there, as .gcda files
		  --under PROGRAM  the program of the host that starts the kernel
		  --timeout SECS   give up after so long (default 120)
		  --log FILE       where the kernel's log goes
		                   (default: $BUILD/log/uml-FLAVOUR.log)

		The last line of a run on stdout is "N passed, N failed, N skipped".
	EOF
	exit 2
}

kernel_dir() { echo "$BUILD/uml-$KERNEL-$1"; }
modules_dir() { echo "$BUILD/mod-$KERNEL-$1${TREE:+-$TREE}"; }
# What a log is called, and who speaks.
name() {
	local name=$1${TREE:+-$TREE}
	[[ $KERNEL == 6.12 ]] && echo "$name" || echo "$KERNEL-$name"
}

# exclusively DIR COMMAND...: one user of DIR at a time, in this process or another.
exclusively() {
	local dir=$1
	shift
	mkdir -p "$dir"
	(
		flock -n 8 || { say "waiting for another run that builds in $dir"; flock 8; }
		"$@"
	) 8>"$dir/.lock"
}

# ---- the kernel -----------------------------------------------------------------------------

# A later fragment overrides an earlier one.
fragments() {
	local dir=$ROOT/kunit/uml
	echo "$dir/plain.config"
	[[ $1 != *debug ]] || echo "$dir/debug.config"
	[[ $1 != smp* ]] || echo "$dir/smp.config"
	[[ ! -e $dir/$KERNEL.config ]] || echo "$dir/$KERNEL.config"
}

merge() {
	awk -F = '/^CONFIG_/ { if (!($1 in line)) name[++n] = $1; line[$1] = $0 }
		END { for (i = 1; i <= n; i++) print line[name[i]] }' "$@"
}

build_kernel() {
	local out src stamp config
	local -a files
	out=$(kernel_dir "$flavour")
	need_packages build-essential flex bison bc python3
	src=$(kernel_source "$KERNEL")
	mapfile -t files < <(fragments "$flavour")
	stamp=$({ cat "${files[@]}" "$ROOT/kunit/uml/stacktrace.h"; head -n 6 "$src/Makefile"; gcc --version; } | sha256sum)
	[[ ! -e $out/.stamp || $(<"$out/.stamp") != "$stamp" ]] || return 0

	say "building the UML kernel ($KERNEL, $flavour): one to four minutes"
	# Objects of another configuration, or of a build that was cut short, are not to be trusted.
	find "$out" -mindepth 1 -maxdepth 1 ! -name .lock -exec rm -rf {} +
	config=$out/all.config
	merge "${files[@]}" >"$config"
	quietly "uml-$who-config" make -C "$src" ARCH=um O="$out" KCONFIG_ALLCONFIG="$config" allnoconfig ||
		die "cannot configure the UML kernel"
	check_config "$config" "$out/.config"
	quietly "uml-$who-build" make -C "$src" ARCH=um O="$out" -j"$(nproc)" \
		CFLAGS_stacktrace.o="-include $ROOT/kunit/uml/stacktrace.h" ||
		die "cannot build the UML kernel"
	echo "$stamp" >"$out/.stamp"
}

# An option that Kconfig has dropped in silence would make a run prove less than it says.
check_config() {
	local line
	while read -r line; do
		case $line in
		'#'* | '') ;;
		*=n) ! grep -q "^${line%=n}=" "$2" || die "the kernel configuration ignores $line" ;;
		*) grep -qxF "$line" "$2" || die "the kernel configuration ignores $line" ;;
		esac
	done <"$1"
}

# ---- the modules ----------------------------------------------------------------------------

# kbuild puts objects beside their sources: mirror the sources as links, one tree for each kernel.
mirror_sources() {
	local dir=$1 file
	mkdir -p "$dir"
	find "$dir" -xtype l -delete
	(cd "$ROOT" && find include kmcl fwps kunit samples -type f \( -name '*.[ch]' -o -name Kbuild \)) |
		while read -r file; do
			[[ ! -L $dir/$file ]] || continue
			mkdir -p "$dir/${file%/*}"
			ln -s "$ROOT/$file" "$dir/$file"
		done
	# The shims of kunit/include come before the kernel's headers, in every directory below; what
	# <asm/mshyperv.h> declares depends on the option.
	# shellcheck disable=SC2016	# make expands this
	printf '%s\n' 'LINUXINCLUDE := -I$(src)/kunit/include $(LINUXINCLUDE)' \
		'subdir-ccflags-y := -DCONFIG_HYPERV=1' 'obj-m += kmcl/ $(if $(KMCL_ONLY),,fwps/ kunit/ samples/)' >"$dir/Kbuild"
}

build_modules() {
	local out dir src options=() log=$BUILD/log/uml-$who-modules.log
	out=$(kernel_dir "$flavour")
	dir=$(modules_dir "$flavour")
	src=$(kernel_source "$KERNEL")
	mirror_sources "$dir"
	mkdir -p "$BUILD/log"
	[[ $TREE != coverage ]] || options=(KMCL_COVERAGE=y)
	# the others, which are there, are the bus whose symbols modpost does not see then
	[[ ${part:-} != kmcl ]] || options+=(KMCL_ONLY=y KBUILD_MODPOST_WARN=1)
	if ! make -C "$src" ARCH=um O="$out" M="$dir" W=1 -j"$(nproc)" "${options[@]}" >"$log" 2>&1 </dev/null; then
		grep -E 'error|Error|undefined' "$log" | head -n 20 >&2
		die "cannot build the modules ($who): more in $log"
	fi
	[[ ${part:-} == kmcl ]] || grep -A 6 'warning:' "$log" >&2 || true
}

build_init() {
	local dir=$BUILD/uml-init src=$ROOT/kunit/uml nolibc
	nolibc=$(kernel_source "$TOOLS")/tools/include/nolibc
	mkdir -p "$dir"
	local program
	for program in init files machine servicing counters; do
		[[ $src/$program.c -nt $dir/$program ]] || continue
		gcc -Os -Wall -static -nostdlib -ffreestanding -fno-stack-protector \
			-fno-asynchronous-unwind-tables -mgeneral-regs-only -I"$nolibc" \
			-o "$dir/$program" "$src/$program.c" -lgcc
	done
	if [[ $src/noxstate.c -nt $dir/noxstate.so ]]; then
		gcc -O2 -Wall -shared -fPIC -o "$dir/noxstate.so" "$src/noxstate.c"
	fi
}

# ---- a run ----------------------------------------------------------------------------------

find_module() { find "$(modules_dir "$flavour")" -name "$1.ko" -print -quit; }

# Everything this UML may write to is in $run; every process is in the group of timeout.
boot() {
	local tmp=/dev/shm watchdog=$((timeout > 10 ? timeout - 5 : timeout))
	local preload=$BUILD/uml-init/noxstate.so smp=()
	# The guest's seconds: when time travels, a run that is stuck is there at once.
	[[ ${cmdline[*]} != *time-travel* ]] || watchdog=7200
	[[ -n $mem || $flavour != *debug ]] || mem=768M
	[[ -d $tmp && -w $tmp ]] || tmp=$run
	if [[ $flavour == smp* ]]; then
		# UML has several processors only with seccomp, which needs no help with the registers;
		# kmemleak does not survive there.
		# Its processors are threads here, and wait for ours like any other.
		smp=(ncpus=2 seccomp=on kmemleak=off rcupdate.rcu_cpu_stall_timeout=60)
		preload=
	fi
	LD_PRELOAD=$preload TMPDIR=$tmp HOME=$run \
		timeout -k 5 "$timeout" ${under:+"$under"} "$(kernel_dir "$flavour")/linux" "mem=${mem:-256M}" \
		root=/dev/root rootfstype=hostfs "rootflags=$run/root" ro init=/init \
		con=null con0=fd:0,fd:1 "uml_dir=$run/uml" kunit.enable=1 kasan_multi_shot \
		"${smp[@]}" "${cmdline[@]}" -- run "watchdog=$watchdog" "$@" \
		</dev/null >"$run/log" 2>&1
}

# The suites of several modules as one KTAP document. The kernel's own empty one comes before init.
ktap() {
	echo 'KTAP version 1'
	echo "1..$(grep -c '^    # Subtest: ' "$1")"
	# each module counts its suites from 1
	awk '/^(KTAP version|1\.\.[0-9]+$)/ { next }
		/^(not )?ok [0-9]+ / { sub(/ok [0-9]+ /, "ok " ++n " ") }
		{ print }' "$1"
}

# Not ours: UML 6.1 walks its own process's memory map at a fork without a lock, and lockdep says so;
# and the driver core forgets why it has put a device off that was being added while its driver was.
without_known() {
	awk 'function flush() { if (text !~ /vmbus: Device no/) printf "%s", text; text = "" }
		/^unreferenced object/ { flush(); text = $0 "\n"; next }
		text != "" && /^ / { text = text $0 "\n"; next }
		{ flush(); print }
		END { flush() }' "$1" |
		if [[ $KERNEL == 6.1 ]]; then
			awk '/^=+$/ { held = 1 }
				!held { print; next }
				{ text = text $0 "\n"; known = known || /lib\/maple_tree.c:.* suspicious/ }
				/^Call Trace:/ { if (!known) printf "%s", text; text = ""; held = known = 0 }
				END { printf "%s", text }'
		else
			cat
		fi
}

# The numbers of kunit.py's last line.
tally() {
	local n
	n=$(sed -nE "s/.*Testing complete\..*[ ,:]$2: ([0-9]+).*/\\1/p" "$1")
	echo "${n:-0}"
}

summary() {
	local passed failed skipped problem=0 parse
	parse=$(kernel_source "$TOOLS")/tools/testing/kunit/kunit.py
	# what a program prints passes a terminal
	sed -n '/^init: start/,$p' "$run/log" | tr -d '\r' >"$run/tests"
	ktap "$run/tests" | python3 "$parse" parse >"$run/summary" 2>&1 || true
	grep -E 'FAILED|CRASHED|\[ERROR\]|Testing complete' "$run/summary" >&2 || true
	sed -i 's/\x1b\[[0-9;]*m//g' "$run/summary"
	passed=$(tally "$run/summary" passed)
	skipped=$(tally "$run/summary" skipped)
	failed=$(($(tally "$run/summary" failed) + $(tally "$run/summary" crashed) + $(tally "$run/summary" errors)))

	if ((status == 124 || status == 137)); then
		say "$who: no end after $timeout seconds"
		problem=1
	elif ! grep -q '^init: end' "$run/tests"; then
		say "$who: the kernel died (exit status $status)"
		problem=1
	fi
	if grep '^init: failed' "$run/tests" | sed 's/^init: failed/'"$who"'/' >&2; then
		problem=1
	fi
	# to the parser a suite that could not begin is no failed test
	if ((failed == 0)) && grep '^not ok' "$run/tests" >&2; then
		problem=1
	fi
	# no pipe: grep may stop early, and the pipe's status would then be that of who writes into it
	without_known "$run/tests" >"$run/reports"
	if grep -E -m 20 "$REPORTS" "$run/reports" >&2; then
		say "$who: the kernel reports problems, see above"
		problem=1
	fi
	((failed += problem)) || true
	# Not before: another run may have the same name for its log.
	mv "$run/log" "$log"
	((failed == 0)) || say "$who: the whole log is $log"
	echo "$passed passed, $failed failed, $skipped skipped"
	((failed == 0))
}

run() {
	local built='' only='' alone='' keep='' filter='' mem='' under='' counters='' timeout=120 log=$BUILD/log/uml-$who.log status=0 arg file
	local -a cmdline=() wanted=() load=() files=()
	while (($#)); do
		case $1 in
		--only) only=1 ;;
		--alone) only=1 alone=1 ;;
		--built) built=1 ;;
		--keep) keep=1 ;;
		--time-travel) cmdline+=(time-travel=inf-cpu) ;;
		--filter) filter=${2?}; shift ;;
		--cmdline) read -ra arg <<<"${2?}"; cmdline+=("${arg[@]}"); shift ;;
		--mem) mem=${2?}; shift ;;
		--under) under=${2?}; shift ;;
		--file) files+=("${2?}"); shift ;;
		--counters) counters=$(realpath -m "${2?}"); shift ;;
		--timeout) timeout=${2?}; shift ;;
		--log) log=$(realpath -m "${2?}"); shift ;;
		-*) usage ;;
		*) wanted+=("$1") ;;
		esac
		shift
	done
	[[ -z $filter ]] || cmdline+=("kunit.filter_glob=$filter")

	[[ $built ]] || modules
	if ((${#wanted[@]} == 0)) && [[ ! $only ]]; then
		mapfile -t wanted < <(find "$(modules_dir "$flavour")" -name '*_kunit.ko' -printf '%f\n' | sed 's/\.ko$//' | sort -r)
	fi
	run=$BUILD/uml-run/$who-$$
	trap 'rm -rf "$run"' EXIT
	mkdir -p "$run/root"/{proc,sys,dev,sbin,mnt,host} "${log%/*}"
	((${#files[@]} == 0)) || cp "${files[@]}" "$run/root/"
	cp "$BUILD/uml-init/init" "$run/root/init"
	ln "$run/root/init" "$run/root/sbin/modprobe"
	ln "$run/root/init" "$run/root/sbin/poweroff"
	[[ $only ]] || load=("${BASE[@]}")
	local -a there=("${wanted[@]}")
	[[ $alone ]] || there+=("${BASE[@]}")
	for arg in "${there[@]}"; do
		[[ $arg != show=* ]] || continue
		file=$(find_module "${arg%%:*}")
		[[ -n $file ]] || continue
		cp "$file" "$run/root/"
	done
	# a suite has them loaded and unloaded
	[[ $alone ]] || find "$(modules_dir "$flavour")"/{samples,kunit/intree,kunit/storm} -name '*.ko' -exec cp -t "$run/root" {} +
	local -a args=()
	for arg in "${load[@]}" "${wanted[@]}"; do
		if [[ $arg == @(exec|show)=* || -e $run/root/${arg%%:*}.ko ]]; then
			args+=("$arg")
		elif [[ " ${BASE[*]} " != *" $arg "* ]]; then
			die "there is no module ${arg%%:*}: kunit/Kbuild lists what there is"
		fi
	done
	[[ ! $keep ]] || args=(keep "${args[@]}")
	if [[ $counters ]]; then
		mkdir -p "$counters"
		cp "$BUILD/uml-init/counters" "$run/root/"
		args=("finally=counters:$(modules_dir "$flavour")/kmcl:$counters" "${args[@]}")
	fi
	boot "${args[@]}" || status=$?
	# With several processors UML itself may panic while it boots: nothing of ours is loaded yet.
	for arg in 1 2 3 4; do
		if [[ $flavour != smp* || $status == 124 ]] || grep -q '^init: start' "$run/log"; then
			break
		fi
		say "$who: UML died while it booted: once more ($arg)"
		status=0
		boot "${args[@]}" || status=$?
	done
	summary
}

kernel() { exclusively "$(kernel_dir "$flavour")" build_kernel; }

modules() {
	kernel
	exclusively "$(modules_dir "$flavour")" build_modules
	exclusively "$BUILD/uml-init" build_init
}

# Read as a whole before it runs: this file may be replaced while a kernel is built.
main() {
	local action flavour who
	(($# >= 2)) || usage
	action=$1 flavour=$2
	shift 2
	[[ $flavour == @(plain|debug|smp|smp-debug) ]] || usage
	who=$(name "$flavour")
	case $action in
	kernel) kernel ;;
	modules) part=${1:-} modules ;;
	run) run "$@" ;;
	*) usage ;;
	esac
}

main "$@"
