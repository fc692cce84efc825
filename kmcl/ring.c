// SPDX-License-Identifier: GPL-2.0
/*
 * The reader of every incoming ring, and the writer of those that no bus writes
 * for us.
 *
 * This is the part that looks at hostile memory.  The write index is captured
 * once per batch, a descriptor once per packet; both are checked before they
 * are used and passed on by value, so that a caller cannot look again by
 * accident.  The writer captures the reader's index once per packet.
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

/* The word at an offset, which is a multiple of 8 as the ring's size is. */
static u64 ring_word(const struct kmcl_ring *ring, u32 at)
{
	return le64_to_cpu(READ_ONCE(*(const __le64 *)(ring->data + at)));
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
	u32 len, offset;
	u64 head, id;

	if (unlikely(avail < KMCL_DESC_SIZE + KMCL_FOOTER_SIZE))
		return KMCL_RING_SHORT;

	/* two words, each of them in one look; the ring may wrap between them */
	head = ring_word(ring, ring->read);
	id = ring_word(ring, kmcl_ring_wrap(ring, ring->read, sizeof(head)));

	len = (u16)(head >> 32) * 8u;
	offset = (u16)(head >> 16) * 8u;
	if (unlikely(len < KMCL_DESC_SIZE))
		return KMCL_RING_SHORT;
	if (unlikely(len + KMCL_FOOTER_SIZE > avail))
		return KMCL_RING_LENGTH;
	if (unlikely(offset < KMCL_DESC_SIZE || offset > len))
		return KMCL_RING_OFFSET;

	pkt->type = (u16)head;
	pkt->flags = head >> 48;
	pkt->id = id;
	pkt->total = len + KMCL_FOOTER_SIZE;
	pkt->header = offset - KMCL_DESC_SIZE;
	pkt->payload = kmcl_ring_wrap(ring, ring->read, offset);
	pkt->len = len - offset;
	return KMCL_RING_OK;
}

/* Bytes that are not taken; an empty ring has @size of them. */
static u32 ring_free(u32 size, u32 read, u32 write)
{
	return read > write ? read - write : size - write + read;
}

/**
 * kmcl_ring_consumed() - publish how far the reader is
 * @ring: the ring
 * @published: the index that was published last; updated
 *
 * The writer wants a signal when the room that it waits for is there: so the step
 * that crosses its wish signals, and no other.
 *
 * Return: true when the writer must be signalled.
 */
bool kmcl_ring_consumed(const struct kmcl_ring *ring, u32 *published)
{
	u32 wish, write, before = *published;

	*published = ring->read;
	/* what was read, then the room */
	virt_store_release(&ring->ctl->out, cpu_to_le32(ring->read));
	/* pairs with the writer's, between its wish and its second look */
	virt_mb();
	wish = le32_to_cpu(READ_ONCE(ring->ctl->pending_send_size));
	if (likely(!wish))
		return false;
	write = le32_to_cpu(READ_ONCE(ring->ctl->in));
	/* nonsense is found out by the next look at the ring; signal meanwhile */
	if (write >= ring->size)
		return true;
	return ring_free(ring->size, ring->read, write) > wish &&
	       ring_free(ring->size, before, write) <= wish;
}

/**
 * kmcl_ring_room() - capture how much may be written
 * @ring: the ring
 * @room: bytes; 8 less than are free, because a full ring would look empty
 *
 * Return: KMCL_RING_OK, or KMCL_RING_INDEX and @room is 0.
 */
enum kmcl_ring_fault kmcl_ring_room(const struct kmcl_ring_out *ring, u32 *room)
{
	u32 read;

	/* pairs with the reader's store, after it has read what lies before */
	read = le32_to_cpu(virt_load_acquire(&ring->ctl->out));
	if (unlikely(read >= ring->size || read % 8)) {
		*room = 0;
		return KMCL_RING_INDEX;
	}
	*room = ring_free(ring->size, read, ring->write) - 8;
	return KMCL_RING_OK;
}

/**
 * kmcl_ring_put() - copy bytes into the ring
 * @ring: the ring
 * @at: offset in the data area, below @ring->size
 * @from: private memory
 * @len: bytes, no more than there is room for
 *
 * Return: the offset behind them.
 */
u32 kmcl_ring_put(const struct kmcl_ring_out *ring, u32 at, const void *from, u32 len)
{
	u32 first = ring->size - at;

	if (likely(len < first)) {
		memcpy(ring->data + at, from, len);
		return at + len;
	}
	memcpy(ring->data + at, from, first);
	memcpy(ring->data, from + first, len - first);
	return len - first;
}

/**
 * kmcl_ring_publish() - show the reader what has been put
 * @ring: the ring
 * @next: offset behind it
 *
 * Return: true when the reader must be signalled: it has said that it wants to be,
 * and had read everything before.
 */
bool kmcl_ring_publish(struct kmcl_ring_out *ring, u32 next)
{
	u32 before = ring->write;

	ring->write = next;
	/* the packet, then the index */
	virt_store_release(&ring->ctl->in, cpu_to_le32(next));
	/* pairs with the reader's, between its mask and its second look */
	virt_mb();
	if (READ_ONCE(ring->ctl->interrupt_mask))
		return false;
	return le32_to_cpu(READ_ONCE(ring->ctl->out)) == before;
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
