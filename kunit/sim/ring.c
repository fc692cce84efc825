// SPDX-License-Identifier: GPL-2.0
/*
 * The far side of a channel's two rings: reads what the guest wrote, writes
 * what the guest reads, and signals as the protocol asks on either.
 *
 *	      read            write			write      read
 *	...free|=====used======|free...		====used==|..free..|===used====
 *
 * Indices are bytes into the data area and wrap at its size. read == write is
 * an empty ring, so a writer always leaves at least one byte free. The data
 * area is mapped twice in a row: a packet never wraps for the code here.
 *
 * The host keeps its own index in each ring. Only that one is believed, so a
 * test may poke any value into the shared words.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "internal.h"

/* Behind every packet: where it started, in the high half. */
#define TRAILER		sizeof(u64)

static u32 used_bytes(const struct hvsim_ring *ring, u32 read, u32 write)
{
	return write >= read ? write - read : ring->size - read + write;
}

static u32 advance(const struct hvsim_ring *ring, u32 index, u32 bytes)
{
	index += bytes;
	return index >= ring->size ? index - ring->size : index;
}

static bool valid_index(const struct hvsim_ring *ring, u32 index)
{
	return index < ring->size && IS_ALIGNED(index, sizeof(u64));
}

int hvsim_ring_map(struct hvsim_ring *ring, struct page **pages, u32 nr)
{
	struct page **twice;
	u32 i;

	twice = kvcalloc(2 * nr - 1, sizeof(*twice), GFP_KERNEL);
	if (!twice)
		return -ENOMEM;
	twice[0] = pages[0];
	for (i = 0; i < 2 * (nr - 1); i++)
		twice[i + 1] = pages[1 + i % (nr - 1)];
	ring->rb = vmap(twice, 2 * nr - 1, VM_MAP, PAGE_KERNEL);
	kvfree(twice);
	if (!ring->rb)
		return -ENOMEM;
	ring->pages = pages;
	ring->size = (nr - 1) * HV_HYP_PAGE_SIZE;
	return 0;
}

void hvsim_ring_unmap(struct hvsim_ring *ring)
{
	vunmap(ring->rb);
	ring->rb = NULL;
}

/*
 * KASAN does not know what the host's own mapping shows: touch the same page
 * where the guest allocated it, so that a ring freed too early is reported.
 */
static void check_alive(const struct hvsim_ring *ring)
{
	if (IS_ENABLED(CONFIG_KASAN))
		READ_ONCE(*(u8 *)page_address(ring->pages[0]));
}

/* ---- guest to host ---- */

/* Its size without the trailer, or a negative errno after telling the test. */
static int check_packet(struct hvsim_chan *chan, const struct vmpacket_descriptor *desc,
			u32 used)
{
	const struct hvsim_ring *ring = &chan->g2h;
	u32 size = desc->len8 << 3, head = desc->offset8 << 3;
	u64 trailer;

	if (used < sizeof(*desc) + TRAILER || size < sizeof(*desc) || size + TRAILER > used) {
		hvsim_fault(chan, "packet of %u bytes where %u are in the ring", size, used);
		return -EIO;
	}
	if (head < sizeof(*desc) || head > size) {
		hvsim_fault(chan, "payload at %u in a packet of %u bytes", head, size);
		return -EIO;
	}
	trailer = *(const u64 *)((const u8 *)desc + size);
	if (trailer != (u64)ring->pos << 32)
		hvsim_fault(chan, "trailer %#llx of a packet at %#x", trailer, ring->pos);
	if (desc->flags & ~VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED)
		hvsim_fault(chan, "packet flags %#x", desc->flags);
	switch (desc->type) {
	case VM_PKT_DATA_INBAND:
	case VM_PKT_DATA_USING_GPADL:
	case VM_PKT_DATA_USING_XFER_PAGES:
		break;
	case VM_PKT_DATA_USING_GPA_DIRECT:
		if (!hvsim_gpa_valid(desc))
			hvsim_fault(chan, "external data that does not fit into its packet");
		break;
	case VM_PKT_COMP:
		if (desc->flags)
			hvsim_fault(chan, "completion with flags %#x", desc->flags);
		break;
	default:
		hvsim_fault(chan, "packet of type %u", desc->type);
	}
	return size;
}

/* Did reading up to @read make the room that the guest waits for? */
static bool made_room(const struct hvsim_ring *ring, u32 was_free)
{
	u32 wanted, now_free;

	/*
	 * The read index is out before the guest's wish is read; pairs with the
	 * barrier between a guest's setting it and its second look at the ring.
	 */
	smp_mb();
	wanted = READ_ONCE(ring->rb->pending_send_sz);
	if (!wanted || was_free > wanted)
		return false;
	now_free = ring->size - used_bytes(ring, ring->pos, READ_ONCE(ring->rb->write_index));
	return now_free > wanted;
}

/**
 * hvsim_recv - take the next packet that the guest has sent
 * @chan: the channel
 * @buf: where to copy it to, descriptor first
 * @size: room there
 *
 * Checks the packet, frees its place in the ring, and signals a guest that has
 * been waiting for as much. What the script does for packets is not done.
 *
 * Return: its size, 0 if there is none, -ENODEV on a channel that is not open,
 * -ENOBUFS if it does not fit, -EIO if the guest wrote nonsense.
 */
int hvsim_recv(struct hvsim_chan *chan, void *buf, u32 size)
{
	struct hvsim_ring *ring = &chan->g2h;
	const struct vmpacket_descriptor *desc;
	unsigned long flags;
	u32 write, used;
	bool room = false;
	int len = 0;

	if (!hvsim_enter(chan))
		return -ENODEV;
	spin_lock_irqsave(&chan->lock, flags);
	check_alive(ring);
	/* Pairs with the guest's barrier before it publishes the index. */
	write = smp_load_acquire(&ring->rb->write_index);
	if (!valid_index(ring, write)) {
		if (!chan->forged)
			hvsim_fault(chan, "write index %#x in a ring of %#x", write,
				    ring->size);
		len = -EIO;
		goto unlock;
	}
	used = used_bytes(ring, ring->pos, write);
	if (!used)
		goto unlock;
	desc = (const void *)(ring->rb->buffer + ring->pos);
	len = check_packet(chan, desc, used);
	if (len > 0 && len > size)
		len = -ENOBUFS;
	if (len < 0)
		goto unlock;
	memcpy(buf, desc, len);
	ring->pos = advance(ring, ring->pos, len + TRAILER);
	/* The copy is done before the guest may write there again. */
	smp_store_release(&ring->rb->read_index, ring->pos);
	room = made_room(ring, ring->size - used);
	desc = buf;
	chan->stats.packets[desc->type < HVSIM_PKT_TYPES ? desc->type : 0]++;
unlock:
	spin_unlock_irqrestore(&chan->lock, flags);
	if (room)
		hvsim_set_event(chan);
	hvsim_leave(chan);
	return len;
}
EXPORT_SYMBOL_GPL(hvsim_recv);

/* ---- host to guest ---- */

static u32 raw_size(const struct hvsim_raw *raw)
{
	return raw->size ?: ALIGN(sizeof(raw->desc) + raw->len, sizeof(u64));
}

/*
 * Write a packet if there is room: -EAGAIN otherwise. *event is set when the
 * guest has to be interrupted, which the caller does without the lock.
 */
int hvsim_ring_write(struct hvsim_chan *chan, const struct hvsim_raw *raw, bool *event)
{
	struct hvsim_ring *ring = &chan->h2g;
	u32 size = raw_size(raw), start = ring->pos, read, left;
	u8 *to = ring->rb->buffer + start;

	lockdep_assert_held(&chan->lock);
	check_alive(ring);
	/* Pairs with the guest's barrier before it gives the place back. */
	read = smp_load_acquire(&ring->rb->read_index);
	if (!valid_index(ring, read)) {
		if (!chan->forged)
			hvsim_fault(chan, "read index %#x in a ring of %#x", read, ring->size);
		return -EIO;
	}
	if (!IS_ALIGNED(size, sizeof(u64)) || size + TRAILER >= ring->size)
		return -EMSGSIZE;
	if (ring->size - used_bytes(ring, read, start) <= size + TRAILER)
		return -EAGAIN;

	left = size;
	memcpy(to, &raw->desc, min_t(u32, left, sizeof(raw->desc)));
	to += sizeof(raw->desc);
	left -= min_t(u32, left, sizeof(raw->desc));
	memset(to, 0, left);
	if (raw->payload)
		memcpy(to, raw->payload, min(left, raw->len));
	*(u64 *)(ring->rb->buffer + start + size) = (u64)start << 32;

	ring->pos = advance(ring, start, size + TRAILER);
	/* The packet is there before the guest can see it. */
	smp_store_release(&ring->rb->write_index, ring->pos);
	/*
	 * Then the question whether the guest sleeps; pairs with the barrier
	 * between its clearing of the mask and its second look at the ring.
	 */
	smp_mb();
	*event = !raw->quiet && !READ_ONCE(ring->rb->interrupt_mask) &&
		 READ_ONCE(ring->rb->read_index) == start;
	return 0;
}

/* Ask the guest to signal when a packet of @size bytes fits; 0: ask no more. */
void hvsim_await_room(struct hvsim_chan *chan, u32 size)
{
	lockdep_assert_held(&chan->lock);
	WRITE_ONCE(chan->h2g.rb->pending_send_sz, size ? size + TRAILER : 0);
	/* Pairs with hv_pkt_iter_close(): the wish is out before the ring is looked at again. */
	smp_mb();
}

/**
 * hvsim_send_raw - put a packet into the guest's ring exactly as given
 * @chan: the channel
 * @raw: descriptor, payload and the space to occupy
 *
 * The host's own index moves by the space occupied, whatever the descriptor
 * claims.
 *
 * Return: 0, -ENODEV on a channel that is not open, -EAGAIN when the ring is
 * full, -EMSGSIZE when it can never fit.
 */
int hvsim_send_raw(struct hvsim_chan *chan, const struct hvsim_raw *raw)
{
	unsigned long flags;
	bool event = false;
	int ret;

	if (!hvsim_enter(chan))
		return -ENODEV;
	spin_lock_irqsave(&chan->lock, flags);
	ret = hvsim_ring_write(chan, raw, &event);
	spin_unlock_irqrestore(&chan->lock, flags);
	if (event)
		hvsim_set_event(chan);
	hvsim_leave(chan);
	return ret;
}
EXPORT_SYMBOL_GPL(hvsim_send_raw);

/**
 * hvsim_send - send the guest a packet
 * @chan: the channel
 * @type: VM_PKT_DATA_INBAND, VM_PKT_COMP ...
 * @flags: VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED or 0, or anything
 * @trans_id: transaction id; a completion's may be forged, stale or repeated
 * @payload: the payload
 * @len: its length; rounded up to 8 in the ring, as on Hyper-V
 *
 * Return: as hvsim_send_raw().
 */
int hvsim_send(struct hvsim_chan *chan, u16 type, u16 flags, u64 trans_id,
	       const void *payload, u32 len)
{
	struct hvsim_raw raw = {
		.desc.type = type,
		.desc.offset8 = sizeof(raw.desc) >> 3,
		.desc.len8 = ALIGN(sizeof(raw.desc) + len, sizeof(u64)) >> 3,
		.desc.flags = flags,
		.desc.trans_id = trans_id,
		.payload = payload,
		.len = len,
	};

	return hvsim_send_raw(chan, &raw);
}
EXPORT_SYMBOL_GPL(hvsim_send);

/**
 * hvsim_fill - fill the guest's ring
 * @chan: the channel; a guest that reads meanwhile makes this long
 * @len: payload of each packet, in-band and zeros
 *
 * Return: the number of packets that went in before the ring was full, or a
 * negative errno.
 */
int hvsim_fill(struct hvsim_chan *chan, u32 len)
{
	u8 *zeros = hvsim_alloc(len);
	int nr = 0, ret;

	if (!zeros)
		return -ENOMEM;
	while (!(ret = hvsim_send(chan, VM_PKT_DATA_INBAND, 0, 0, zeros, len)))
		nr++;
	kfree(zeros);
	return ret == -EAGAIN ? nr : ret;
}
EXPORT_SYMBOL_GPL(hvsim_fill);

/* ---- for the test's eyes and lies ---- */

static struct hvsim_ring *ring_of(struct hvsim_chan *chan, enum hvsim_dir dir)
{
	return dir == HVSIM_G2H ? &chan->g2h : &chan->h2g;
}

/**
 * hvsim_ring_bytes - size of a ring's data area
 * @chan: the channel, open
 * @dir: which ring
 *
 * Return: bytes; a packet takes up to 8 less, its trailer included.
 */
u32 hvsim_ring_bytes(struct hvsim_chan *chan, enum hvsim_dir dir)
{
	return ring_of(chan, dir)->size;
}
EXPORT_SYMBOL_GPL(hvsim_ring_bytes);

/**
 * hvsim_ring_used - how much is in a ring
 * @chan: the channel
 * @dir: which ring
 *
 * Return: bytes written and not read yet, 0 for a channel that is not open.
 */
u32 hvsim_ring_used(struct hvsim_chan *chan, enum hvsim_dir dir)
{
	struct hvsim_ring *ring = ring_of(chan, dir);
	u32 used;

	if (!hvsim_enter(chan))
		return 0;
	used = dir == HVSIM_G2H ?
	       used_bytes(ring, ring->pos, READ_ONCE(ring->rb->write_index)) :
	       used_bytes(ring, READ_ONCE(ring->rb->read_index), ring->pos);
	hvsim_leave(chan);
	return used;
}
EXPORT_SYMBOL_GPL(hvsim_ring_used);

static u32 *field_of(struct hvsim_ring *ring, enum hvsim_field field)
{
	switch (field) {
	case HVSIM_WRITE_INDEX:
		return &ring->rb->write_index;
	case HVSIM_READ_INDEX:
		return &ring->rb->read_index;
	case HVSIM_INTERRUPT_MASK:
		return &ring->rb->interrupt_mask;
	case HVSIM_PENDING_SIZE:
		return &ring->rb->pending_send_sz;
	case HVSIM_FEATURES:
		return &ring->rb->feature_bits.value;
	}
	return NULL;
}

/**
 * hvsim_peek - read a word of a ring's control page
 * @chan: the channel
 * @dir: which ring
 * @field: which word
 *
 * Return: the word, 0 on a channel that is not open.
 */
u32 hvsim_peek(struct hvsim_chan *chan, enum hvsim_dir dir, enum hvsim_field field)
{
	u32 value;

	if (!hvsim_enter(chan))
		return 0;
	value = READ_ONCE(*field_of(ring_of(chan, dir), field));
	hvsim_leave(chan);
	return value;
}
EXPORT_SYMBOL_GPL(hvsim_peek);

/**
 * hvsim_poke - write a word of a ring's control page, whoever owns it
 * @chan: the channel
 * @dir: which ring
 * @field: which word
 * @value: what to write
 *
 * The guest is not told; see hvsim_interrupt(). The host goes on from its own
 * index and overwrites a poked one when it next reads or writes that ring. An
 * index of the guest's own that makes no sense is no fault of the guest any
 * more: the host stops reading, or does not write.
 */
void hvsim_poke(struct hvsim_chan *chan, enum hvsim_dir dir, enum hvsim_field field,
		u32 value)
{
	if (!hvsim_enter(chan))
		return;
	if (field == (dir == HVSIM_G2H ? HVSIM_WRITE_INDEX : HVSIM_READ_INDEX))
		chan->forged = true;
	WRITE_ONCE(*field_of(ring_of(chan, dir), field), value);
	hvsim_leave(chan);
}
EXPORT_SYMBOL_GPL(hvsim_poke);

/**
 * hvsim_interrupt - interrupt the guest for a channel, reason or none
 * @chan: the channel
 */
void hvsim_interrupt(struct hvsim_chan *chan)
{
	hvsim_set_event(chan);
}
EXPORT_SYMBOL_GPL(hvsim_interrupt);
