/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Saving and restoring server channels: what the files save.c, restore.c, adopt.c and
 * park.c share.
 *
 * An instance of a driver saves its channel and goes; a later one, of another build
 * perhaps, restores it.  The client sees a pause.
 *
 *      old instance                    parked offer                 new instance
 *
 *   running --SaveBegin--> FROZEN
 *   SaveContinue: SAVED  (all of it is written)
 *      |    \--Start--> running        nothing is parked
 *   Disable ------------------------> PARKED --timeout, close--> rescinded
 *                                        |
 *                                        +-- RestoreFromBuffer --> RESTORED
 *                                                                    |  Enable
 *                                                                  open, paused
 *                                                                    |  Start
 *                                                                  running
 *
 * FROZEN.  Nothing is read from the ring, not even answers, and nothing written.  What
 * the driver sends and completes meanwhile is kept; what was sent before is not
 * completed, not even when the client closes, before the channel thaws.  So
 * everything that was in flight at SaveBegin stays where it is, and SaveContinue can
 * walk over it without a lock while the driver goes on.  Start thaws: all of it goes
 * on as if nothing had been.  Disable thaws too, without a client to talk to.
 *
 * SAVED.  Disable parks: outgoing packets complete with STATUS_CANCELLED, incoming
 * ones the driver completes as at any close, and no answer goes out.  The offer stays,
 * with the client's rings and GPADLs, and signals for nobody.
 *
 * RESTORED.  RestoreFromBuffer keeps what it is given and changes nothing until the
 * last chunk is there.  Then all of it is checked, everything that the library needs
 * is allocated, the parked offer is taken, and RestorePacket is called for each
 * packet.  Should one of these calls fail, or the client close before Enable, what was
 * restored ends as it would at a close: outgoing packets complete, the driver completes
 * the incoming ones that it has taken over, and then the offer is rescinded.
 *
 * The owner of a channel's life owns ch->save and ch->restore, too.
 */
#ifndef _KMCL_SAVE_H
#define _KMCL_SAVE_H

#include <linux/build_bug.h>
#include <linux/list.h>
#include "blob.h"
#include "kmcl.h"

#define KMCL_STATE_MAX		(1u << 20)	/* what a driver may add to a packet */

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

/* freeze.c */
bool kmcl_freeze(struct kmcl_channel *ch);
void kmcl_thaw(struct kmcl_channel *ch);

/* save.c */
int kmcl_record_add(struct kmcl_record *record, const void *from, u32 bytes);
void kmcl_record_free(struct kmcl_record *record);

bool kmcl_save_is_complete(struct kmcl_channel *ch);
u64 kmcl_save_name(struct kmcl_channel *ch);
void kmcl_save_drop(struct kmcl_channel *ch);

/* restore.c */
u32 kmcl_gpadl_frames(u32 offset, u32 bytes);
void kmcl_restore_free(struct kmcl_channel *ch);
bool kmcl_restore_is_complete(struct kmcl_channel *ch);

/* adopt.c */
NTSTATUS kmcl_restore_commit(struct kmcl_channel *ch);
void kmcl_restore_drop(struct kmcl_channel *ch, NTSTATUS status);
void kmcl_restore_settle(struct kmcl_channel *ch);
NTSTATUS kmcl_restore_resume(struct kmcl_channel *ch);
bool kmcl_restore_is_over(struct kmcl_channel *ch);
void kmcl_restore_check(struct kmcl_channel *ch);

/* park.c */
void kmcl_endpoint_save(struct kmcl_link *link, struct kmcl_save_open *open);
int kmcl_endpoint_save_gpadl(struct kmcl_link *link, u64 *next, struct kmcl_record *record);
bool kmcl_endpoint_park(struct kmcl_channel *ch);
bool kmcl_endpoint_lost(struct kmcl_link *link);
int kmcl_endpoint_adopt(struct kmcl_channel *ch, const struct kmcl_restore *r);
int kmcl_endpoint_resume(struct kmcl_channel *ch);
void kmcl_endpoint_refuse(struct kmcl_channel *ch);
void kmcl_endpoint_drop(struct kmcl_channel *ch);

#endif
