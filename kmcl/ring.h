/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Both sides of one VMBus ring, over plain memory.
 *
 * Everything behind @ctl and @data is shared with a peer that may change it at
 * any time, so each function says what it captures; nothing captured is ever
 * read a second time.  The file pair ring.[ch] uses no bus header: the same
 * source serves every transport and the fuzzers.
 */
#ifndef _KMCL_RING_H
#define _KMCL_RING_H

#include <linux/types.h>

/* Wire format of a ring's control page; indices are byte offsets into data. */
struct kmcl_ring_ctl {
	__le32 in;			/* next byte the writer fills */
	__le32 out;			/* next byte the reader takes */
	__le32 interrupt_mask;
	__le32 pending_send_size;
	u8 reserved[48];
	__le32 feature_bits;
};

/* Wire format in front of every packet. */
struct kmcl_desc {
	__le16 type;
	__le16 offset8;
	__le16 len8;
	__le16 flags;
	__le64 id;
};

/* Wire format of external data: a descriptor, then ranges of frames. */
struct kmcl_gpa_range {
	__le32 bytes;
	__le32 offset;			/* of the first byte, in the first frame */
	__le64 frames[];		/* as many as the bytes touch */
};

struct kmcl_gpa_direct {
	struct kmcl_desc desc;
	__le32 reserved;
	__le32 range_count;
	u8 ranges[];			/* struct kmcl_gpa_range, each behind the other's frames */
};

#define KMCL_PAGE_SIZE		4096u	/* whatever PAGE_SIZE is */
#define KMCL_DESC_SIZE		16u
#define KMCL_FOOTER_SIZE	8u
#define KMCL_PACKET_MAX		(0xffffu * 8)	/* headers included */
#define KMCL_DESC_WANTS_REPLY	1u

enum kmcl_packet_type {
	KMCL_TYPE_INBAND	= 0x6,
	KMCL_TYPE_TRANSFER	= 0x7,
	KMCL_TYPE_GPA_DIRECT	= 0x9,
	KMCL_TYPE_COMPLETION	= 0xb,
};

/* What can be wrong with what the peer left in the ring. */
enum kmcl_ring_fault {
	KMCL_RING_OK,
	KMCL_RING_INDEX,		/* write index outside the ring or unaligned */
	KMCL_RING_SHORT,		/* less than a descriptor and a footer */
	KMCL_RING_LENGTH,		/* packet longer than what was written */
	KMCL_RING_OFFSET,		/* payload starts outside the packet */
};

/**
 * struct kmcl_ring - one direction, as its reader sees it
 * @ctl: shared control page
 * @data: shared data area
 * @size: bytes in @data, a multiple of 8
 * @read: our own read index, never fetched back from @ctl
 */
struct kmcl_ring {
	struct kmcl_ring_ctl *ctl;
	u8 *data;
	u32 size;
	u32 read;
};

/**
 * struct kmcl_ring_packet - the head packet, captured and checked
 * @type: descriptor type, as written by the peer
 * @flags: descriptor flags, as written by the peer
 * @id: transaction id, as written by the peer
 * @total: bytes to skip to reach the next packet, footer included
 * @header: bytes between descriptor and payload (external data descriptions)
 * @payload: offset of the payload in the data area, already wrapped
 * @len: bytes of payload, a multiple of 8
 */
struct kmcl_ring_packet {
	u16 type;
	u16 flags;
	u64 id;
	u32 total;
	u32 header;
	u32 payload;
	u32 len;
};

/**
 * struct kmcl_ring_out - one direction, as its writer sees it
 * @ctl: shared control page
 * @data: shared data area
 * @size: bytes in @data, a multiple of 8
 * @write: our own write index, never fetched back from @ctl
 */
struct kmcl_ring_out {
	struct kmcl_ring_ctl *ctl;
	u8 *data;
	u32 size;
	u32 write;
};

enum kmcl_ring_fault kmcl_ring_avail(const struct kmcl_ring *ring, u32 *avail);
enum kmcl_ring_fault kmcl_ring_head(const struct kmcl_ring *ring, u32 avail,
				    struct kmcl_ring_packet *pkt);
void kmcl_ring_copy(const struct kmcl_ring *ring, u32 from, void *to, u32 len);
bool kmcl_ring_consumed(const struct kmcl_ring *ring, u32 *published);
enum kmcl_ring_fault kmcl_ring_room(const struct kmcl_ring_out *ring, u32 *room);
u32 kmcl_ring_put(const struct kmcl_ring_out *ring, u32 at, const void *from, u32 len);
bool kmcl_ring_publish(struct kmcl_ring_out *ring, u32 next);
const char *kmcl_ring_fault_name(enum kmcl_ring_fault fault);

/* One past @pos by @bytes; @bytes never exceeds the ring. */
static inline u32 kmcl_ring_wrap(const struct kmcl_ring *ring, u32 pos, u32 bytes)
{
	pos += bytes;
	return pos >= ring->size ? pos - ring->size : pos;
}

/* Step over a packet that kmcl_ring_head() accepted. */
static inline void kmcl_ring_skip(struct kmcl_ring *ring,
				  const struct kmcl_ring_packet *pkt)
{
	ring->read = kmcl_ring_wrap(ring, ring->read, pkt->total);
}

#endif
