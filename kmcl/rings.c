// SPDX-License-Identifier: GPL-2.0
/*
 * One end of a pair of rings, over plain memory: the data operations of a link,
 * for servers and for clients in the loopback.
 *
 * The other end may be anybody, a driver of the kernel's own bus included, so what
 * is in shared memory is looked at through ring.c alone.
 */
#include <linux/align.h>
#include "kmcl.h"
#include "rings.h"

#define PADDING_MAX	7u

static void event(struct tasklet_struct *t)
{
	struct kmcl_rings *rings = from_tasklet(rings, t, tasklet);

	kmcl_link_event(&rings->link);
}

/**
 * kmcl_rings_init() - prepare an end that has no rings yet
 * @rings: the end
 * @ops: its link's
 * @signal: how the other end is told
 */
void kmcl_rings_init(struct kmcl_rings *rings, const struct kmcl_link_ops *ops,
		     void (*signal)(struct kmcl_rings *rings))
{
	rings->link.ops = ops;
	rings->signal = signal;
	spin_lock_init(&rings->lock);
	tasklet_setup(&rings->tasklet, event);
}

/**
 * kmcl_rings_open() - begin to use rings, both empty
 * @rings: the end
 * @place: where they are
 * @server: this end reads the first of them and writes the second
 */
void kmcl_rings_open(struct kmcl_rings *rings, const struct kmcl_rings_place *place, bool server)
{
	void *second = place->memory + place->first;
	void *in = server ? place->memory : second;
	void *out = server ? second : place->memory;

	rings->link.in = (struct kmcl_ring) {
		.ctl = in,
		.data = in + KMCL_PAGE_SIZE,
		.size = (server ? place->first : place->second) - KMCL_PAGE_SIZE,
	};
	rings->out = (struct kmcl_ring_out) {
		.ctl = out,
		.data = out + KMCL_PAGE_SIZE,
		.size = (server ? place->second : place->first) - KMCL_PAGE_SIZE,
	};
	rings->published = 0;
	rings->link.out_bytes = rings->out.size;
}

/**
 * kmcl_rings_close() - stop
 * @rings: an end whose link the library has taken away; the other end is told
 *	nothing any more
 *
 * Context: process.
 */
void kmcl_rings_close(struct kmcl_rings *rings)
{
	tasklet_kill(&rings->tasklet);
	rings->link.in.ctl = NULL;
	rings->out.ctl = NULL;
}

/**
 * kmcl_rings_event() - the other end has signalled
 * @rings: an end that is open
 *
 * Context: any.
 */
void kmcl_rings_event(struct kmcl_rings *rings)
{
	tasklet_schedule(&rings->tasklet);
}

/* One packet: @head with its descriptor, which is filled in here, then @data. */
static int rings_write(struct kmcl_rings *rings, struct kmcl_desc *desc, u32 head_bytes,
		       const void *data, u32 len, bool wants_reply)
{
	static const u8 zeros[PADDING_MAX];
	u32 total = ALIGN(head_bytes + len, 8);
	__le64 footer;
	u32 room, at;
	bool signal;
	int ret = 0;

	desc->offset8 = cpu_to_le16(head_bytes / 8);
	desc->len8 = cpu_to_le16(total / 8);
	desc->flags = cpu_to_le16(wants_reply ? KMCL_DESC_WANTS_REPLY : 0);

	spin_lock_bh(&rings->lock);
	if (unlikely(kmcl_ring_room(&rings->out, &room)))
		ret = -EIO;
	else if (total + KMCL_FOOTER_SIZE > room)
		ret = -EAGAIN;
	if (ret) {
		spin_unlock_bh(&rings->lock);
		return ret;
	}
	at = kmcl_ring_put(&rings->out, rings->out.write, desc, head_bytes);
	at = kmcl_ring_put(&rings->out, at, data, len);
	at = kmcl_ring_put(&rings->out, at, zeros, total - head_bytes - len);
	footer = cpu_to_le64((u64)rings->out.write << 32);
	at = kmcl_ring_put(&rings->out, at, &footer, sizeof(footer));
	if (wants_reply)
		kmcl_packet_published(&rings->link, le64_to_cpu(desc->id));
	signal = kmcl_ring_publish(&rings->out, at);
	spin_unlock_bh(&rings->lock);
	if (signal)
		rings->signal(rings);
	return 0;
}

int kmcl_rings_send(struct kmcl_link *link, const void *data, u32 len, u64 id,
		    enum kmcl_packet_type type, bool wants_reply)
{
	struct kmcl_desc desc = {
		.type = cpu_to_le16(type),
		.id = cpu_to_le64(id),
	};

	return rings_write(kmcl_rings(link), &desc, sizeof(desc), data, len, wants_reply);
}

int kmcl_rings_send_external(struct kmcl_link *link, struct kmcl_gpa_direct *head,
			     u32 head_bytes, const void *data, u32 len, u64 id)
{
	head->desc.type = cpu_to_le16(KMCL_TYPE_GPA_DIRECT);
	head->desc.id = cpu_to_le64(id);
	return rings_write(kmcl_rings(link), &head->desc, head_bytes, data, len, true);
}

void kmcl_rings_want_room(struct kmcl_link *link, u32 bytes)
{
	WRITE_ONCE(kmcl_rings(link)->out.ctl->pending_send_size, cpu_to_le32(bytes));
}

u32 kmcl_rings_out_used(struct kmcl_link *link)
{
	const struct kmcl_ring_out *out = &kmcl_rings(link)->out;
	u32 room;

	return kmcl_ring_room(out, &room) ? 0 : out->size - 8 - room;
}

void kmcl_rings_consumed(struct kmcl_link *link)
{
	struct kmcl_rings *rings = kmcl_rings(link);

	if (kmcl_ring_consumed(&link->in, &rings->published))
		rings->signal(rings);
}

/* No barrier: a signal that slips through finds the reader at work. */
void kmcl_rings_mask(struct kmcl_link *link)
{
	WRITE_ONCE(link->in.ctl->interrupt_mask, cpu_to_le32(1));
}

void kmcl_rings_unmask(struct kmcl_link *link)
{
	WRITE_ONCE(link->in.ctl->interrupt_mask, 0);
	/* the mask, then the reader's second look; pairs with kmcl_ring_publish() */
	virt_mb();
}

void kmcl_rings_kick(struct kmcl_link *link)
{
	tasklet_schedule(&kmcl_rings(link)->tasklet);
}
