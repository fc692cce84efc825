/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The objects behind VMBPACKET and VMBPACKETCOMPLETION. Whose they are when is told by the word
 * of a packet's slot (handle.h), and by that of an incoming one.
 *
 * Included by kmcl.h only.
 */
#ifndef _KMCL_PACKET_H
#define _KMCL_PACKET_H

#define KMCL_MAGIC_PACKET	0x6b6d504bu
#define KMCL_MAGIC_INCOMING	0x6b6d494eu

/*
 * Head of everything a VMBPACKET handle may name: an incoming packet is
 * reached by both its VMBPACKETCOMPLETION and the same value as a VMBPACKET.
 */
struct kmcl_object {
	u32 magic;			/* first: see owner_name() */
	struct kmcl_channel *channel;
	void *pointer;			/* the driver's, PacketSetPointer */
};

/* Something that waits for room in the outgoing ring. */
struct kmcl_tx_item {
	struct list_head node;
	const void *data;
	u32 len;
	u32 head;			/* bytes in front of it: descriptor, ranges */
	u64 id;
	enum kmcl_packet_type type;
	bool wants_reply;
};

struct kmcl_external;
struct kmcl_source;

/* An outgoing packet: behind VMBPACKET. */
struct kmcl_packet {
	struct kmcl_object object;
	VMBPACKET handle;
	VMBCHANNEL channel_key;		/* in the driver's memory: channel may be gone */
	struct kmcl_slot *slot;		/* NULL: none, see kmcl_packet_take_slot() */
	u32 index;			/* of the slot, in its channel */
	u32 place;			/* of the slot, in the table of handles */
	u32 capacity;			/* bytes of payload that fit in data[] */
	VMBPACKETCOMPLETION stands_for;	/* the restored packet that it is; see adopt.c */
	union {
		struct kmcl_tx_item tx;
		struct rcu_head rcu;	/* for the end of one that stands for another */
	};
	bool library;			/* from VmbPacketAllocate() */
	void *inline_context;		/* the driver's room behind data[], or NULL */
	bool internal;			/* the library's own, outside the driver's count */
	bool ex;
	union {
		PFN_VMB_PACKET_COMPLETION_ROUTINE routine;
		PFN_VMB_PACKET_COMPLETION_ROUTINE_EX routine_ex;
	};
	void *context;
	struct kmcl_external *external;	/* behind data[] */
	NTSTATUS status;		/* while it waits for the outer loop */
	u8 data[] __aligned(8);		/* pipe header and payload, when queued */
};

enum kmcl_incoming_state {
	KMCL_IN_FREE,
	KMCL_IN_READY,			/* read, not yet (or no longer) at the driver */
	KMCL_IN_DRIVER,			/* the driver owes a PacketComplete */
	KMCL_IN_REPLYING,		/* completed, the reply waits for room */
};

/* An incoming packet: behind VMBPACKETCOMPLETION. */
struct kmcl_incoming {
	struct kmcl_object object;
	atomic64_t word;		/* generation << 32 | enum kmcl_incoming_state */
	u32 place;			/* in the table of handles */
	bool wants_reply;
	bool extra;			/* not of the pool, freed after use */
	bool saved;			/* as one that the driver has */
	u32 capacity;
	u32 len;			/* payload, without pipe header */
	void *payload;			/* into data[], behind the pipe header */
	void *client_context;		/* the driver's room behind data[], or NULL */
	u64 id;
	u32 order;			/* of arrival */
	/* external data: pieces of a GPADL, or, at a server, ranges of the client's frames */
	struct kmcl_gpadl *gpadl;
	union {
		struct kmcl_piece *pieces;	/* in data[] behind the packet */
		struct kmcl_gpa_range *ranges;	/* the same, each behind the other's frames */
	};
	u32 piece_count;		/* or of ranges; 0: there are none */
	PMDL mdls;			/* of each piece or range, once asked for */
	struct llist_node free;
	struct kmcl_packet *carrier;	/* what the driver calls it, if it was restored */
	struct list_head node;		/* backlog, or kept */
	struct list_head all;
	struct rcu_head rcu;		/* for its end: a late handle is looked at */
	struct kmcl_tx_item tx;
	u8 data[] __aligned(8);		/* the packet; once completed, the reply */
};

#endif
