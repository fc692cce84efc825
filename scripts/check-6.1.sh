#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# What runs in User Mode Linux, on Linux 6.1: the KUnit suites, a file system on the storage VSC,
# packet injection among network namespaces, on the plain and on the debug kernel. "make check" does
# it on 6.12, and builds the modules for both. Ends with a line "N passed, N failed, N skipped".

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

export UML_KERNEL=6.1
counted "KUnit, Linux 6.1" "$ROOT/scripts/kunit.sh"
counted "a file system on the storage VSC, Linux 6.1" "$ROOT/scripts/storvsc.sh"
counted "packet injection among network namespaces, Linux 6.1" "$ROOT/scripts/fwps-net.sh"
total
