// SPDX-License-Identifier: GPL-2.0
/* What is behind the tracepoints of trace.h. */
#define CREATE_TRACE_POINTS
#include "trace.h"

/* For whoever would rather be called than read records: the suites do. */
EXPORT_TRACEPOINT_SYMBOL_GPL(kmcl_ring_write);
EXPORT_TRACEPOINT_SYMBOL_GPL(kmcl_packet_complete);
EXPORT_TRACEPOINT_SYMBOL_GPL(kmcl_packet_receive);
EXPORT_TRACEPOINT_SYMBOL_GPL(kmcl_packet_reply);
