#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The story of one guest: the Dynamic Memory VSC of samples/, a stock kernel, and a host that
# nobody here wrote. Sets everything up by itself and fails loudly.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

say "building the modules for the guest's kernel"
"$ROOT/scripts/modules.sh" 6.12 >/dev/null
exec "$ROOT/scripts/vm/run.sh" demo
