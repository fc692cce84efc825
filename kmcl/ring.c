// SPDX-License-Identifier: GPL-2.0
/*
 * The reader of every incoming ring.
 *
 * This is the part that looks at hostile memory.  The write index is captured
 * once per batch, a descriptor once per packet; both are checked before they
 * are used and passed on by value, so that a caller cannot look again by
 * accident.
 */
#include <linux/string.h>
#include <asm/barrier.h>
#include <asm/byteorder.h>
#include "ring.h"

/**
 * kmcl_ring_avail() - capture how much the peer has written
 * @ring: the ring
 * @avail: bytes from our read index, R, to the captured write index, W
 *
 *   R <= W:  [......RxxxxxxxW.....]   avail = W - R
 *   R >  W:  [xxxxW.........Rxxxxx]   avail = size - R + W
 *
 * Return: KMCL_RING_OK, or KMCL_RING_INDEX and @avail is 0.
 */
enum kmcl_ring_fault kmcl_ring_avail(const struct kmcl_ring *ring, u32 *avail)
{
	u32 write;

	/* pairs with the peer's barrier before its store of the index */
	write = le32_to_cpu(virt_load_acquire(&ring->ctl->in));
	if (unlikely(write >= ring->size || write % 8)) {
		*avail = 0;
		return KMCL_RING_INDEX;
	}
	*avail = write >= ring->read ? write - ring->read :
				       ring->size - ring->read + write;
	return KMCL_RING_OK;
}

/**
 * kmcl_ring_copy() - copy bytes out of the ring
 * @ring: the ring
 * @from: offset in the data area, below @ring->size
 * @to: private memory
 * @len: bytes, at most @ring->size
 *
 *   no wrap:  [....FFFF....]        wrap:  [22....1111]
 */
void kmcl_ring_copy(const struct kmcl_ring *ring, u32 from, void *to, u32 len)
{
	u32 first = ring->size - from;

	if (likely(len <= first)) {
		memcpy(to, ring->data + from, len);
		return;
	}
	memcpy(to, ring->data + from, first);
	memcpy(to + first, ring->data, len - first);
}

/**
 * kmcl_ring_head() - capture and check the packet at the read index
 * @ring: the ring
 * @avail: what kmcl_ring_avail() said, less the packets skipped since
 * @pkt: filled in on success
 *
 * Lengths in a descriptor count 8-byte units and include the descriptor; the
 * footer comes on top.  Nothing is said here about @pkt->type: what a type
 * means is the caller's.
 *
 * Return: KMCL_RING_OK or what is wrong; @pkt is undefined then.
 */
enum kmcl_ring_fault kmcl_ring_head(const struct kmcl_ring *ring, u32 avail,
				    struct kmcl_ring_packet *pkt)
{
	struct kmcl_desc desc;
	u32 len, offset;

	if (unlikely(avail < KMCL_DESC_SIZE + KMCL_FOOTER_SIZE))
		return KMCL_RING_SHORT;

	kmcl_ring_copy(ring, ring->read, &desc, sizeof(desc));
	/* the copy must not be optimised into looks at the ring itself */
	barrier();

	len = le16_to_cpu(desc.len8) * 8u;
	offset = le16_to_cpu(desc.offset8) * 8u;
	if (unlikely(len < KMCL_DESC_SIZE))
		return KMCL_RING_SHORT;
	if (unlikely(len + KMCL_FOOTER_SIZE > avail))
		return KMCL_RING_LENGTH;
	if (unlikely(offset < KMCL_DESC_SIZE || offset > len))
		return KMCL_RING_OFFSET;

	pkt->type = le16_to_cpu(desc.type);
	pkt->flags = le16_to_cpu(desc.flags);
	pkt->id = le64_to_cpu(desc.id);
	pkt->total = len + KMCL_FOOTER_SIZE;
	pkt->header = offset - KMCL_DESC_SIZE;
	pkt->payload = kmcl_ring_wrap(ring, ring->read, offset);
	pkt->len = len - offset;
	return KMCL_RING_OK;
}

/**
 * kmcl_ring_fault_name() - what to say about a fault in a log line
 * @fault: the fault
 *
 * Return: a phrase.
 */
const char *kmcl_ring_fault_name(enum kmcl_ring_fault fault)
{
	switch (fault) {
	case KMCL_RING_OK:
		return "no fault";
	case KMCL_RING_INDEX:
		return "write index outside the ring";
	case KMCL_RING_SHORT:
		return "packet shorter than its descriptor";
	case KMCL_RING_LENGTH:
		return "packet longer than what was written";
	case KMCL_RING_OFFSET:
		return "payload outside the packet";
	}
	return "unknown fault";
}
