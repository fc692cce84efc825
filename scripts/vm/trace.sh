# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# Scenario "trace": what perf and trace-cmd make of the tracepoints while the driver works. They read
# the events' own descriptions, not the kernel's idea of them, so this is what an engineer gets.

# shows FILE EVENT FIELDS: the file, in the guest, has a line of that event with fields like these.
shows() {
	line=$(ask guest 60 "grep -E '$2: +channel=[0-9]+ name=.[^ ].* $3\$' $1 | head -n 1")
	[[ $line ]] || not_ok "$1 has a line of $2 with $3 (it has: $(ask guest 30 "grep -m 1 $2 $1"))"
}

id='id=0x[0-9a-f]+' guid='[0-9a-f]{8}-[0-9a-f-]{27}'

start_guest guest
boot guest
mark guest
ask guest 60 'modprobe -a kmcl kmcl_vmbus' >/dev/null || not_ok "the library loads"
ask guest 20 'mount -t tracefs trace /sys/kernel/tracing' >/dev/null || not_ok "the guest has tracefs"

error=$(ask guest 120 "perf record -q -a -e 'kmcl:*' -o /tmp/perf.data sh -c 'modprobe kmcl_dynmem && sleep 6' 2>&1") ||
	not_ok "perf records: $error"
error=$(ask guest 120 'perf script -i /tmp/perf.data >/tmp/perf.txt 2>/tmp/perf.errors || { cat /tmp/perf.errors; false; }') ||
	not_ok "perf reads what it has recorded: $error"
shows /tmp/perf.txt kmcl:kmcl_channel_state "from=disabled to=waiting type=$guid instance=$guid"
shows /tmp/perf.txt kmcl:kmcl_channel_state "from=waiting to=open type=$balloon_class instance=$guid"
shows /tmp/perf.txt kmcl:kmcl_channel_link "from=opening to=up"
shows /tmp/perf.txt kmcl:kmcl_channel_run "running=1"
shows /tmp/perf.txt kmcl:kmcl_packet_submit "$id type=inband len=[0-9]+ flags=0x[0-9a-f]+"
shows /tmp/perf.txt kmcl:kmcl_ring_write "$id type=inband len=[0-9]+ result=0"
shows /tmp/perf.txt kmcl:kmcl_packet_complete "$id status=0x00000000 len=[0-9]+"
shows /tmp/perf.txt kmcl:kmcl_packet_receive "$id type=inband len=[0-9]+ external=0 wants_reply=[01]"
ok "perf script names fields and values of what it has recorded: open, handshake and reports"
ask guest 30 'grep -E "kmcl:" /tmp/perf.txt | head -n 40' | sed 's/^/# /'

taken
error=$(ask guest 120 'trace-cmd record -q -e kmcl -o /tmp/trace.dat sleep 4 2>&1 >/dev/null') || not_ok "trace-cmd records: $error"
ask guest 120 'trace-cmd report -i /tmp/trace.dat >/tmp/report.txt 2>/tmp/report.errors' || not_ok "trace-cmd reads what it has recorded"
shows /tmp/report.txt kmcl_packet_submit "$id type=inband len=[0-9]+ flags=0x[0-9a-f]+"
shows /tmp/report.txt kmcl_ring_write "$id type=inband len=[0-9]+ result=0"
ok "trace-cmd report does, too"
ask guest 30 'grep kmcl_ /tmp/report.txt | head -n 12' | sed 's/^/# /'

error=$(ask guest 120 "trace-cmd record -q -e kmcl:kmcl_packet_submit -f 'len > 100000' -o /tmp/none.dat sleep 3 2>&1 >/dev/null && trace-cmd report -i /tmp/none.dat 2>/dev/null | grep -c kmcl_")
[[ $error == 0 ]] || not_ok "a filter of a field filters (it leaves $error records)"
ok "a filter by a field's name filters"

error=$(unload guest) || not_ok "${modules[*]} unload: $error"
log_is_clean guest || not_ok "the kernel log has no warning and no error (these are there: $found)"
ok "the kernel log has no warning and no error"
