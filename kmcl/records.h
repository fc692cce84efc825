/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The records of saved state: what is in them, and the reader that believes none of it.
 *
 * What is read may come from anywhere.  A record is put together from chunks (blob.h) in
 * memory of the reader's own, and is kept when it is whole and as the format says; so what
 * is kept can be used without another look at lengths and counts.  What frame numbers,
 * handles and ids mean is not known here.  The file pair records.[ch] knows no object of
 * the library but by name: the same source serves the fuzzers.
 */
#ifndef _KMCL_RECORDS_H
#define _KMCL_RECORDS_H

#include <linux/build_bug.h>
#include <linux/list.h>
#include <linux/types.h>
#include <ntstatus.h>
#include "blob.h"

struct kmcl_incoming;
struct kmcl_packet;

#define KMCL_STATE_MAX		(1u << 20)	/* what a driver may add to a packet */
#define KMCL_RECORD_MAX		(16u << 20)	/* more than any that the format allows */
#define KMCL_SAVE_EPOCHS	2048u		/* of transaction ids */
#define KMCL_SAVE_NAME_MAX	255u

/* Tags of records; see Documentation/save-format.md for all of what follows. */
enum kmcl_save_tag {
	KMCL_SAVE_BEGIN		= 1,
	KMCL_SAVE_CONFIG	= 2,
	KMCL_SAVE_OPEN		= 3,
	KMCL_SAVE_GPADL		= 4,
	KMCL_SAVE_INCOMING	= 5,
	KMCL_SAVE_REPLY		= 6,
	KMCL_SAVE_OUTGOING	= 7,
	KMCL_SAVE_END		= 8,
	KMCL_SAVE_NAME		= 9,
};

struct kmcl_save_begin {
	u8 type[16];
	u8 instance[16];
	__le16 sub_index;
	__le16 reserved;
	__le32 epoch;
};

struct kmcl_save_config {
	__le32 flags;
	__le32 server_flags;
	__le32 max_packet;
	__le32 max_external;
	__le32 max_chain;
	__le32 max_count;
	__le16 mmio;
	__le16 mmio_optional;
	__le32 reserved;
};

struct kmcl_save_open {
	__le32 gpadl;
	__le32 downstream_page;
	__le32 target_vp;
	__le32 in_bytes;
	__le32 out_bytes;
	__le32 read;
	__le32 write;
	__le32 reserved;
	u8 user[120];
};

struct kmcl_save_gpadl {
	__le32 handle;
	__le32 offset;
	__le32 bytes;
	__le32 flags;
	__le64 frames[];
};

#define KMCL_SAVED_DYING	0x1u

struct kmcl_save_incoming {
	__le64 id;
	__le32 flags;
	__le32 len;
	__le32 external;
	__le32 state;
	__le64 reserved;
	u8 data[];
};

#define KMCL_SAVED_WANTS_REPLY	0x1u
#define KMCL_SAVED_UNDELIVERED	0x2u

struct kmcl_save_reply {
	__le64 id;
	__le32 len;
	__le32 reserved;
	u8 data[];
};

struct kmcl_save_outgoing {
	__le64 id;
	__le32 where;
	__le32 flags;
	__le32 len;
	__le32 state;
	__le64 reserved;
	u8 data[];
};

#define KMCL_SAVED_QUEUED	1u
#define KMCL_SAVED_SENT		2u

struct kmcl_save_end {
	__le32 chunks;
	__le32 gpadls;
	__le64 bytes;
	__le32 incoming;
	__le32 replies;
	__le32 outgoing;
	__le32 reserved;
};

static_assert(sizeof(struct kmcl_save_begin) == 40);
static_assert(sizeof(struct kmcl_save_config) == 32);
static_assert(sizeof(struct kmcl_save_open) == 152);
static_assert(sizeof(struct kmcl_save_gpadl) == 16);
static_assert(sizeof(struct kmcl_save_incoming) == 32);
static_assert(sizeof(struct kmcl_save_reply) == 16);
static_assert(sizeof(struct kmcl_save_outgoing) == 32);
static_assert(sizeof(struct kmcl_save_end) == 32);

/**
 * struct kmcl_record - a record on its way out or in
 * @bytes: the record
 * @len: how much there is of it
 * @room: how much there could be
 */
struct kmcl_record {
	u8 *bytes;
	u32 len;
	u32 room;
};

/**
 * struct kmcl_saved - a record that has been read
 * @node: in the list of its kind
 * @tag: enum kmcl_save_tag
 * @len: its bytes
 * @in: of an incoming packet or a reply, once it is made
 * @bytes: the record, as its kind says; aligned
 */
struct kmcl_saved {
	struct list_head node;
	u16 tag;
	u32 len;
	struct kmcl_incoming *in;
	u8 bytes[] __aligned(8);
};

/* What RestorePacket gets as LibraryBuffer: names the packet, and no other. */
struct kmcl_token {
	u64 save;
	u64 nonce;
	u32 index;
	u32 tag;
};

/**
 * struct kmcl_restore - a restore, from the first chunk to Enable
 * @self: BEGIN as the channel itself would write it
 * @limits: the same for CONFIG
 * @reader: what has been read
 * @record: the record that is being read
 * @stage: the place of the last record in their order
 * @begin: once read
 * @config: once read
 * @open: once read, if @is_open
 * @is_open: a client had it open
 * @gpadls: struct kmcl_saved
 * @incoming: struct kmcl_saved
 * @queue: struct kmcl_saved: replies and outgoing packets
 * @counts: of those, as END has them
 * @end: once read
 * @over: END was read, and all is well as far as the save itself goes
 * @complete: everything is restored: Enable goes on from here
 * @why: what is wrong, for a line
 * @token: of the packet that RestorePacket is called for
 * @current_packet: that packet; NULL: outside of RestorePacket
 * @restored: what VmbPacketRestore() was called with for it
 */
struct kmcl_restore {
	struct kmcl_save_begin self;
	struct kmcl_save_config limits;
	struct kmcl_blob_reader reader;
	struct kmcl_record record;
	u32 stage;
	struct kmcl_save_begin begin;
	struct kmcl_save_config config;
	struct kmcl_save_open open;
	bool is_open;
	struct list_head gpadls;
	struct list_head incoming;
	struct list_head queue;
	struct {
		u32 gpadls;
		u32 incoming;
		u32 replies;
		u32 outgoing;
	} counts;
	struct kmcl_save_end end;
	bool over;
	bool complete;
	const char *why;
	struct kmcl_token token;
	struct kmcl_saved *current_packet;
	struct kmcl_packet *restored;
};

int kmcl_record_add(struct kmcl_record *record, const void *from, u32 bytes);
void kmcl_record_free(struct kmcl_record *record);

void kmcl_records_init(struct kmcl_restore *r);
NTSTATUS kmcl_records_read(struct kmcl_restore *r, const u8 *from, u32 size);
void kmcl_records_free(struct kmcl_restore *r);

u32 kmcl_gpadl_frames(u32 offset, u32 bytes);

#endif
