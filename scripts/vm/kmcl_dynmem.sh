# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154
#
# The Dynamic Memory VSC of samples/, with the library under it.

modules=(kmcl kmcl_vmbus kmcl_dynmem)
files=/sys/module/kmcl_dynmem/dynmem

load() { ask "$1" 60 'modprobe kmcl_dynmem'; }

# The protocol's version, once host and guest agree.
version() {
	local value
	value=$(ask "$1" 20 "cat $files/protocol_version 2>/dev/null") && ((value)) && echo "$value.0"
}

reports() { ask "$1" 20 "cat $files/reports_sent"; }
between_reports() {
	ask "$1" 20 "old=\$(cat $files/reports_sent); while [ \$(cat $files/reports_sent) = \$old ]; do sleep 0.05; done"
	sleep 0.2
}
reopen() { ask "$1" 60 "echo 1 >$files/reconnect"; }
unload() { ask "$1" 60 'rmmod kmcl_dynmem && rmmod kmcl_vmbus kmcl && ! grep kmcl /proc/modules'; }
