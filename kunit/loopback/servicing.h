/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Servicing, for the suites: a VSP that keeps what it is asked, saves itself, goes, and
 * is followed by another one that answers.
 *
 * Both sides number what they send, and an answer says which number it answers: so a
 * case sees that each is answered once, and by the right one.
 */
#ifndef _KUNIT_LOOPBACK_SERVICING_H
#define _KUNIT_LOOPBACK_SERVICING_H

#include "end.h"

struct vsp;

/* What both sides send, and answer. */
struct message {
	u32 number;
	u32 size;			/* of the VSP's own state for it, when it is saved */
};

/* Something that was sent and is not answered yet. */
struct call {
	struct end *end;
	u32 number;
	u32 answers;
	u32 wrong;			/* answers that were not to this */
	u32 cancelled;
	u32 removed;
	u32 index;			/* in its table */
};

/* What a VSP has been asked, and has not answered. */
struct ask {
	VMBPACKETCOMPLETION packet;	/* NULL: it is answered */
	struct message message;
	bool restored;
};

/**
 * struct vsp - a server that keeps what it is asked
 * @e: its end
 * @asks: what it was asked, in the order in which it came
 * @asked: how many
 * @room: in @asks
 * @calls: what it has sent, restored ones too: by number
 * @saves: calls of SavePacket
 * @restores: calls of RestorePacket
 * @fail_restore: the call of RestorePacket that fails, from 1
 * @fail_after: it has called VmbPacketRestore first
 * @failed: with that packet
 * @on_save: called in SavePacket
 * @node: in the list of those of the running case
 */
struct vsp {
	struct end *e;
	struct ask *asks;
	atomic_t asked;
	u32 room;
	struct call *calls;
	u32 saves;
	u32 restores;
	u32 fail_restore;
	bool fail_after;
	VMBPACKET failed;
	void (*on_save)(struct vsp *v, VMBPACKET packet);
	struct list_head node;
};

/* The end of a case: a packet that is not answered would keep both ends. */
void vsp_exit(struct kunit *test);

/* What was saved. */
struct blob {
	u8 *bytes;
	u32 size;
	u32 chunks;
	u32 calls;			/* of VmbChannelSaveContinue() */
};

#define CALLS	20000u			/* what a table of calls has room for */

/* A server for the same client, not enabled; up to @room packets at a time. */
struct vsp *vsp_new(struct kunit *test, u32 room);
/* It and a client that has it open; what the client sends waits in calls. */
struct vsp *vsp_pair(struct kunit *test, u32 room, struct end **client);
struct call *calls_new(struct kunit *test);
NTSTATUS call_send(struct end *e, struct call *calls, u32 number, u32 size);
NTSTATUS call_send_mdl(struct end *e, struct call *calls, u32 number, u32 size, PMDL mdl);
VOID call_done(VMBPACKET packet, PVOID context, NTSTATUS status, PVOID buf, UINT32 len);
void vsp_answer(struct vsp *v, u32 index);
void vsp_answer_all(struct vsp *v);
/* Numbers below @count are answered once, by the right one. */
void calls_expect(struct kunit *test, struct call *calls, u32 count);
bool calls_are_answered(struct call *calls, u32 count);

/* SaveContinue until it ends, with a buffer of @size bytes. */
NTSTATUS blob_write(struct kunit *test, struct end *e, struct blob *b, u32 size);
/* SaveBegin, that, SaveEnd. */
void blob_save(struct kunit *test, struct vsp *v, struct blob *b, u32 size);
NTSTATUS blob_read(struct kunit *test, struct end *e, const u8 *bytes, u32 size);
/* The same, a chunk at a time. */
NTSTATUS blob_read_chunks(struct kunit *test, struct end *e, const struct blob *b);
/* Where chunk @n begins. */
u32 blob_chunk_at(const struct blob *b, u32 n);
void blob_free(struct blob *b);

/* Restored from @b, enabled and started. */
struct vsp *vsp_follow(struct kunit *test, const struct blob *b, u32 room, struct call *calls);

#endif
