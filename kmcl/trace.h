/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints, kmcl:*.  Documentation/observing.md explains every field.
 *
 * A channel is named by its number, as in debugfs, and by its name; a packet by its
 * transaction id, a GPADL by its number.  No address of the kernel's is in a record.
 *
 * Arguments are what the caller has at hand; whatever has to be looked up is looked up
 * in TP_fast_assign(), which runs only while somebody traces.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM kmcl

#if !defined(_KMCL_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _KMCL_TRACE_H

#include <linux/tracepoint.h>
#include <linux/uuid.h>
#include "kmcl.h"
#include "save.h"

/* As much of a channel's name as a record has room for. */
#define KMCL_TRACE_NAME		48
#define KMCL_TRACE_WHY		64

TRACE_DEFINE_ENUM(KMCL_DISABLED);
TRACE_DEFINE_ENUM(KMCL_WAITING);
TRACE_DEFINE_ENUM(KMCL_OPEN);
TRACE_DEFINE_ENUM(KMCL_ASLEEP);
TRACE_DEFINE_ENUM(KMCL_LINK_NONE);
TRACE_DEFINE_ENUM(KMCL_LINK_OPENING);
TRACE_DEFINE_ENUM(KMCL_LINK_UP);
TRACE_DEFINE_ENUM(KMCL_LINK_CLOSING);
TRACE_DEFINE_ENUM(KMCL_TYPE_INBAND);
TRACE_DEFINE_ENUM(KMCL_TYPE_TRANSFER);
TRACE_DEFINE_ENUM(KMCL_TYPE_GPA_DIRECT);
TRACE_DEFINE_ENUM(KMCL_TYPE_COMPLETION);
TRACE_DEFINE_ENUM(KMCL_SAVE_STEP_BEGIN);
TRACE_DEFINE_ENUM(KMCL_SAVE_STEP_CONTINUE);
TRACE_DEFINE_ENUM(KMCL_SAVE_STEP_END);

#define kmcl_show_state(state)				\
	__print_symbolic(state,				\
			 { KMCL_DISABLED, "disabled" },	\
			 { KMCL_WAITING, "waiting" },	\
			 { KMCL_OPEN, "open" },		\
			 { KMCL_ASLEEP, "asleep" })

#define kmcl_show_link(state)				\
	__print_symbolic(state,				\
			 { KMCL_LINK_NONE, "none" },	\
			 { KMCL_LINK_OPENING, "opening" },	\
			 { KMCL_LINK_UP, "up" },	\
			 { KMCL_LINK_CLOSING, "closing" })

#define kmcl_show_type(type)				\
	__print_symbolic(type,				\
			 { KMCL_TYPE_INBAND, "inband" },	\
			 { KMCL_TYPE_TRANSFER, "transfer" },	\
			 { KMCL_TYPE_GPA_DIRECT, "gpa_direct" },	\
			 { KMCL_TYPE_COMPLETION, "completion" })

#define kmcl_show_step(step)				\
	__print_symbolic(step,				\
			 { KMCL_SAVE_STEP_BEGIN, "begin" },	\
			 { KMCL_SAVE_STEP_CONTINUE, "continue" },	\
			 { KMCL_SAVE_STEP_END, "end" })

/* In every record; its bytes are all written, since what reads them raw is kept and passed on. */
#define KMCL_TRACE_FIELDS				\
	__field(u32, channel)				\
	__array(char, name, KMCL_TRACE_NAME)

#define KMCL_TRACE_ASSIGN(ch)				\
do {							\
	__entry->channel = (ch)->number;		\
	strscpy_pad(__entry->name, (ch)->name, KMCL_TRACE_NAME);	\
} while (0)

/* ---- the channel ---- */

TRACE_EVENT(kmcl_channel_state,
	TP_PROTO(const struct kmcl_channel *ch, enum kmcl_state from, enum kmcl_state to),
	TP_ARGS(ch, from, to),
	TP_STRUCT__entry(
		KMCL_TRACE_FIELDS
		__field(u8, from)
		__field(u8, to)
		__array(u8, type, UUID_SIZE)
		__array(u8, instance, UUID_SIZE)
	),
	TP_fast_assign(
		guid_t type, instance;

		KMCL_TRACE_ASSIGN(ch);
		__entry->from = from;
		__entry->to = to;
		kmcl_channel_guids(ch, &type, &instance);
		export_guid(__entry->type, &type);
		export_guid(__entry->instance, &instance);
	),
	TP_printk("channel=%u name='%s' from=%s to=%s type=%pUl instance=%pUl",
		  __entry->channel, __entry->name, kmcl_show_state(__entry->from),
		  kmcl_show_state(__entry->to), __entry->type, __entry->instance)
);

TRACE_EVENT(kmcl_channel_link,
	TP_PROTO(const struct kmcl_channel *ch, enum kmcl_link_state from,
		 enum kmcl_link_state to),
	TP_ARGS(ch, from, to),
	TP_STRUCT__entry(
		KMCL_TRACE_FIELDS
		__field(u8, from)
		__field(u8, to)
	),
	TP_fast_assign(
		KMCL_TRACE_ASSIGN(ch);
		__entry->from = from;
		__entry->to = to;
	),
	TP_printk("channel=%u name='%s' from=%s to=%s",
		  __entry->channel, __entry->name, kmcl_show_link(__entry->from),
		  kmcl_show_link(__entry->to))
);

TRACE_EVENT(kmcl_channel_run,
	TP_PROTO(const struct kmcl_channel *ch, bool running),
	TP_ARGS(ch, running),
	TP_STRUCT__entry(
		KMCL_TRACE_FIELDS
		__field(bool, running)
	),
	TP_fast_assign(
		KMCL_TRACE_ASSIGN(ch);
		__entry->running = running;
	),
	TP_printk("channel=%u name='%s' running=%d",
		  __entry->channel, __entry->name, __entry->running)
);

TRACE_EVENT(kmcl_channel_poison,
	TP_PROTO(const struct kmcl_channel *ch, const char *why),
	TP_ARGS(ch, why),
	TP_STRUCT__entry(
		KMCL_TRACE_FIELDS
		__array(char, why, KMCL_TRACE_WHY)
	),
	TP_fast_assign(
		KMCL_TRACE_ASSIGN(ch);
		strscpy_pad(__entry->why, why, KMCL_TRACE_WHY);
	),
	TP_printk("channel=%u name='%s' why='%s'",
		  __entry->channel, __entry->name, __entry->why)
);

/* ---- outgoing packets ---- */

TRACE_EVENT(kmcl_packet_submit,
	TP_PROTO(const struct kmcl_channel *ch, u64 id, enum kmcl_packet_type type, u32 len,
		 u32 flags),
	TP_ARGS(ch, id, type, len, flags),
	TP_STRUCT__entry(
		KMCL_TRACE_FIELDS
		__field(u64, id)
		__field(u16, type)
		__field(u32, len)
		__field(u32, flags)
	),
	TP_fast_assign(
		KMCL_TRACE_ASSIGN(ch);
		__entry->id = id;
		__entry->type = type;
		__entry->len = len;
		__entry->flags = flags;
	),
	TP_printk("channel=%u name='%s' id=0x%llx type=%s len=%u flags=0x%x",
		  __entry->channel, __entry->name, __entry->id, kmcl_show_type(__entry->type),
		  __entry->len, __entry->flags)
);

TRACE_EVENT(kmcl_packet_queue,
	TP_PROTO(const struct kmcl_channel *ch, const struct kmcl_tx_item *item, bool held),
	TP_ARGS(ch, item, held),
	TP_STRUCT__entry(
		KMCL_TRACE_FIELDS
		__field(u64, id)
		__field(u16, type)
		__field(u32, len)
		__field(bool, held)
	),
	TP_fast_assign(
		KMCL_TRACE_ASSIGN(ch);
		__entry->id = item->id;
		__entry->type = item->type;
		__entry->len = item->len;
		__entry->held = held;
	),
	TP_printk("channel=%u name='%s' id=0x%llx type=%s len=%u held=%d",
		  __entry->channel, __entry->name, __entry->id, kmcl_show_type(__entry->type),
		  __entry->len, __entry->held)
);

TRACE_EVENT(kmcl_ring_write,
	TP_PROTO(const struct kmcl_channel *ch, u64 id, enum kmcl_packet_type type, u32 len,
		 int result),
	TP_ARGS(ch, id, type, len, result),
	TP_STRUCT__entry(
		KMCL_TRACE_FIELDS
		__field(u64, id)
		__field(u16, type)
		__field(u32, len)
		__field(int, result)
	),
	TP_fast_assign(
		KMCL_TRACE_ASSIGN(ch);
		__entry->id = id;
		__entry->type = type;
		__entry->len = len;
		__entry->result = result;
	),
	TP_printk("channel=%u name='%s' id=0x%llx type=%s len=%u result=%d",
		  __entry->channel, __entry->name, __entry->id, kmcl_show_type(__entry->type),
		  __entry->len, __entry->result)
);

TRACE_EVENT(kmcl_packet_complete,
	TP_PROTO(const struct kmcl_packet *pkt, NTSTATUS status, u32 len),
	TP_ARGS(pkt, status, len),
	TP_STRUCT__entry(
		KMCL_TRACE_FIELDS
		__field(u64, id)
		__field(u32, status)
		__field(u32, len)
	),
	TP_fast_assign(
		KMCL_TRACE_ASSIGN(pkt->object.channel);
		__entry->id = pkt->tx.id;
		__entry->status = status;
		__entry->len = len;
	),
	TP_printk("channel=%u name='%s' id=0x%llx status=0x%08x len=%u",
		  __entry->channel, __entry->name, __entry->id, __entry->status, __entry->len)
);

TRACE_EVENT(kmcl_packet_stale,
	TP_PROTO(const struct kmcl_channel *ch, u64 id, u32 len),
	TP_ARGS(ch, id, len),
	TP_STRUCT__entry(
		KMCL_TRACE_FIELDS
		__field(u64, id)
		__field(u32, len)
	),
	TP_fast_assign(
		KMCL_TRACE_ASSIGN(ch);
		__entry->id = id;
		__entry->len = len;
	),
	TP_printk("channel=%u name='%s' id=0x%llx len=%u",
		  __entry->channel, __entry->name, __entry->id, __entry->len)
);

/* ---- incoming packets ---- */

TRACE_EVENT(kmcl_packet_receive,
	TP_PROTO(const struct kmcl_channel *ch, const struct kmcl_ring_packet *pkt),
	TP_ARGS(ch, pkt),
	TP_STRUCT__entry(
		KMCL_TRACE_FIELDS
		__field(u64, id)
		__field(u16, type)
		__field(u32, len)
		__field(u32, external)
		__field(bool, wants_reply)
	),
	TP_fast_assign(
		KMCL_TRACE_ASSIGN(ch);
		__entry->id = pkt->id;
		__entry->type = pkt->type;
		__entry->len = pkt->len;
		__entry->external = pkt->type == KMCL_TYPE_INBAND ? 0 : pkt->header;
		__entry->wants_reply = pkt->flags & KMCL_DESC_WANTS_REPLY;
	),
	TP_printk("channel=%u name='%s' id=0x%llx type=%s len=%u external=%u wants_reply=%d",
		  __entry->channel, __entry->name, __entry->id, kmcl_show_type(__entry->type),
		  __entry->len, __entry->external, __entry->wants_reply)
);

DECLARE_EVENT_CLASS(kmcl_incoming,
	TP_PROTO(const struct kmcl_incoming *in, u32 len),
	TP_ARGS(in, len),
	TP_STRUCT__entry(
		KMCL_TRACE_FIELDS
		__field(u64, id)
		__field(u32, len)
		__field(bool, wants_reply)
	),
	TP_fast_assign(
		KMCL_TRACE_ASSIGN(in->object.channel);
		__entry->id = in->id;
		__entry->len = len;
		__entry->wants_reply = in->wants_reply;
	),
	TP_printk("channel=%u name='%s' id=0x%llx len=%u wants_reply=%d",
		  __entry->channel, __entry->name, __entry->id, __entry->len,
		  __entry->wants_reply)
);

/* The driver has it come again at PASSIVE_LEVEL; @len of the packet. */
DEFINE_EVENT(kmcl_incoming, kmcl_packet_defer,
	TP_PROTO(const struct kmcl_incoming *in, u32 len),
	TP_ARGS(in, len)
);

/* The driver has completed it; @len of the reply. */
DEFINE_EVENT(kmcl_incoming, kmcl_packet_reply,
	TP_PROTO(const struct kmcl_incoming *in, u32 len),
	TP_ARGS(in, len)
);

/* ---- GPADLs ---- */

DECLARE_EVENT_CLASS(kmcl_gpadl,
	TP_PROTO(const struct kmcl_channel *ch, u32 gpadl, u32 bytes, int result),
	TP_ARGS(ch, gpadl, bytes, result),
	TP_STRUCT__entry(
		KMCL_TRACE_FIELDS
		__field(u32, gpadl)
		__field(u32, bytes)
		__field(int, result)
	),
	TP_fast_assign(
		KMCL_TRACE_ASSIGN(ch);
		__entry->gpadl = gpadl;
		__entry->bytes = bytes;
		__entry->result = result;
	),
	TP_printk("channel=%u name='%s' gpadl=0x%x bytes=%u result=%d",
		  __entry->channel, __entry->name, __entry->gpadl, __entry->bytes,
		  __entry->result)
);

#define KMCL_TRACE_GPADL(event)						\
DEFINE_EVENT(kmcl_gpadl, event,						\
	TP_PROTO(const struct kmcl_channel *ch, u32 gpadl, u32 bytes, int result),	\
	TP_ARGS(ch, gpadl, bytes, result))

KMCL_TRACE_GPADL(kmcl_gpadl_share);
KMCL_TRACE_GPADL(kmcl_gpadl_unshare);

/* At a server: memory of its client's. */
TRACE_EVENT(kmcl_gpadl_map,
	TP_PROTO(const struct kmcl_channel *ch, u32 gpadl, NTSTATUS status, const MDL *mdl),
	TP_ARGS(ch, gpadl, status, mdl),
	TP_STRUCT__entry(
		KMCL_TRACE_FIELDS
		__field(u32, gpadl)
		__field(u32, bytes)
		__field(u32, status)
	),
	TP_fast_assign(
		KMCL_TRACE_ASSIGN(ch);
		__entry->gpadl = gpadl;
		__entry->bytes = mdl ? mdl->ByteCount : 0;
		__entry->status = status;
	),
	TP_printk("channel=%u name='%s' gpadl=0x%x bytes=%u status=0x%08x",
		  __entry->channel, __entry->name, __entry->gpadl, __entry->bytes,
		  __entry->status)
);

TRACE_EVENT(kmcl_gpadl_unmap,
	TP_PROTO(const struct kmcl_channel *ch, u32 gpadl, bool mapped),
	TP_ARGS(ch, gpadl, mapped),
	TP_STRUCT__entry(
		KMCL_TRACE_FIELDS
		__field(u32, gpadl)
		__field(bool, mapped)
	),
	TP_fast_assign(
		KMCL_TRACE_ASSIGN(ch);
		__entry->gpadl = gpadl;
		__entry->mapped = mapped;
	),
	TP_printk("channel=%u name='%s' gpadl=0x%x mapped=%d",
		  __entry->channel, __entry->name, __entry->gpadl, __entry->mapped)
);

/* ---- save and restore ---- */

TRACE_EVENT(kmcl_save,
	TP_PROTO(const struct kmcl_channel *ch, enum kmcl_save_step step, NTSTATUS status,
		 u32 filled, u32 required),
	TP_ARGS(ch, step, status, filled, required),
	TP_STRUCT__entry(
		KMCL_TRACE_FIELDS
		__field(u8, step)
		__field(u32, status)
		__field(u32, filled)
		__field(u32, required)
	),
	TP_fast_assign(
		KMCL_TRACE_ASSIGN(ch);
		__entry->step = step;
		__entry->status = status;
		__entry->filled = filled;
		__entry->required = required;
	),
	TP_printk("channel=%u name='%s' step=%s status=0x%08x filled=%u required=%u",
		  __entry->channel, __entry->name, kmcl_show_step(__entry->step),
		  __entry->status, __entry->filled, __entry->required)
);

TRACE_EVENT(kmcl_restore,
	TP_PROTO(const struct kmcl_channel *ch, NTSTATUS status, u32 bytes),
	TP_ARGS(ch, status, bytes),
	TP_STRUCT__entry(
		KMCL_TRACE_FIELDS
		__field(u32, status)
		__field(u32, bytes)
	),
	TP_fast_assign(
		KMCL_TRACE_ASSIGN(ch);
		__entry->status = status;
		__entry->bytes = bytes;
	),
	TP_printk("channel=%u name='%s' status=0x%08x bytes=%u",
		  __entry->channel, __entry->name, __entry->status, __entry->bytes)
);

TRACE_EVENT(kmcl_packet_restore,
	TP_PROTO(const struct kmcl_channel *ch, bool incoming, NTSTATUS status),
	TP_ARGS(ch, incoming, status),
	TP_STRUCT__entry(
		KMCL_TRACE_FIELDS
		__field(bool, incoming)
		__field(u32, status)
	),
	TP_fast_assign(
		KMCL_TRACE_ASSIGN(ch);
		__entry->incoming = incoming;
		__entry->status = status;
	),
	TP_printk("channel=%u name='%s' incoming=%d status=0x%08x",
		  __entry->channel, __entry->name, __entry->incoming, __entry->status)
);

#endif /* _KMCL_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
