// SPDX-License-Identifier: GPL-2.0
/*
 * kmcl/ring.c against a peer that writes what it likes, when it likes.
 *
 * One ring that we read and one that we write, in memory of exactly their size. The input is
 * a list of steps: the peer writes a packet, an index or any bytes; we read as receive.c does,
 * or write as rings.c does. Between two looks of ours the peer changes what the input says.
 * Where it leaves the memory alone, everything read is compared with a model that knows no wrap.
 */
#include "fuzz.h"
#include "ring.h"

#define BUDGET		64		/* packets of one look; receive.c has one, too */
#define LIES		8u

/* Something that the peer does between two looks. */
struct lie {
	u8 *at;
	u32 value;
};

static struct {
	struct kmcl_ring in;
	struct kmcl_ring_out out;
	u32 published;
	u32 peer;			/* what the peer believes to have written */
	struct lie lies[LIES];
	u32 first;
	u32 last;
	bool lied;			/* since somebody asked */
} w;

void fuzz_peer(void)
{
	struct lie *lie;

	if (w.first == w.last)
		return;
	lie = &w.lies[w.first++ % LIES];
	memcpy(lie->at, &lie->value, sizeof(lie->value));
	w.lied = true;
}

static void forget_lies(void)
{
	w.first = w.last;
	w.lied = false;
}

/* A word of one of the rings, control page or data. */
static u8 *any_word(struct stream *s, u32 size)
{
	struct kmcl_ring_ctl *ctl[] = { w.in.ctl, w.out.ctl };
	u8 *data[] = { w.in.data, w.out.data };
	u8 which = take_u8(s);

	switch (which >> 1 & 7) {
	case 0:
		return (u8 *)&ctl[which & 1]->in;
	case 1:
		return (u8 *)&ctl[which & 1]->out;
	case 2:
		return (u8 *)&ctl[which & 1]->interrupt_mask;
	case 3:
		return (u8 *)&ctl[which & 1]->pending_send_size;
	default:
		return data[which & 1] + take_u16(s) % (size - 3);
	}
}

static void plan_a_lie(struct stream *s)
{
	u8 *at = any_word(s, w.in.size);

	if (w.last - w.first < LIES)
		w.lies[w.last++ % LIES] = (struct lie) { at, take_u32(s) };
}

static void modular(const u8 *data, u32 size, u32 from, u8 *to, u32 len)
{
	u32 i;

	for (i = 0; i < len; i++)
		to[i] = data[((u64)from + i) % size];
}

/* ---- the peer's packets ---- */

/* A packet whose form the input decides on: mostly in order, and published. */
static void peer_writes(struct stream *s)
{
	u32 size = w.in.size, at = w.peer, i, total;
	struct kmcl_desc desc = {
		.type = cpu_to_le16(take_u8(s) % 16),
		.flags = cpu_to_le16(take_u8(s)),
		.id = cpu_to_le64(take_u32(s)),
	};
	u32 len8 = 2 + take_u8(s) % 16, offset8 = 2 + take_u8(s) % (len8 - 1);
	u8 lie = take_u8(s), *bytes = (u8 *)&desc;

	desc.len8 = cpu_to_le16(lie & 1 ? take_u16(s) : len8);
	desc.offset8 = cpu_to_le16(lie & 2 ? take_u16(s) : offset8);
	total = len8 * 8 + KMCL_FOOTER_SIZE;
	if (total + 8 > size)
		return;
	for (i = 0; i < total; i++)
		w.in.data[(at + i) % size] = i < sizeof(desc) ? bytes[i] : (u8)(i * 7 + at);
	w.peer = (at + total) % size;
	w.in.ctl->in = cpu_to_le32(w.peer);
}

/* ---- what receive.c does ---- */

static void check_packet(const struct kmcl_ring_packet *pkt, u32 avail)
{
	struct kmcl_desc desc;

	must(pkt->total <= avail && pkt->total >= KMCL_DESC_SIZE + KMCL_FOOTER_SIZE);
	must(pkt->total == KMCL_DESC_SIZE + pkt->header + pkt->len + KMCL_FOOTER_SIZE);
	must(pkt->payload < w.in.size && pkt->payload % 8 == 0);
	must(pkt->len % 8 == 0 && pkt->header % 8 == 0);
	must(pkt->total <= KMCL_PACKET_MAX + KMCL_FOOTER_SIZE);
	if (w.lied)
		return;
	modular(w.in.data, w.in.size, w.in.read, (u8 *)&desc, sizeof(desc));
	must(pkt->type == le16_to_cpu(desc.type) && pkt->flags == le16_to_cpu(desc.flags));
	must(pkt->id == le64_to_cpu(desc.id));
	must(pkt->total == le16_to_cpu(desc.len8) * 8u + KMCL_FOOTER_SIZE);
	must(pkt->header == le16_to_cpu(desc.offset8) * 8u - KMCL_DESC_SIZE);
	must(pkt->payload == (w.in.read + le16_to_cpu(desc.offset8) * 8u) % w.in.size);
}

/* Why the head is refused, by a model. */
static enum kmcl_ring_fault expected_fault(u32 avail)
{
	struct kmcl_desc desc;
	u64 len, offset;

	if (avail < 24)
		return KMCL_RING_SHORT;
	modular(w.in.data, w.in.size, w.in.read, (u8 *)&desc, sizeof(desc));
	len = le16_to_cpu(desc.len8) * 8ull;
	offset = le16_to_cpu(desc.offset8) * 8ull;
	if (len < 16)
		return KMCL_RING_SHORT;
	if (len + 8 > avail)
		return KMCL_RING_LENGTH;
	if (offset < 16 || offset > len)
		return KMCL_RING_OFFSET;
	return KMCL_RING_OK;
}

static void copy_and_compare(u32 from, u32 len)
{
	u8 *got = exactly(len), *want = exactly(len);

	kmcl_ring_copy(&w.in, from, got, len);
	modular(w.in.data, w.in.size, from, want, len);
	must(!len || !memcmp(got, want, len));
	free(got);
	free(want);
}

static void consumed(void)
{
	u32 before = w.published;

	kmcl_ring_consumed(&w.in, &w.published);
	must(w.published == w.in.read && before < w.in.size);
}

/* True: the ring is fine as far as it was read; false: poison. */
static bool read_batch(void)
{
	enum kmcl_ring_fault fault;
	struct kmcl_ring_packet pkt;
	u32 avail, n, looks = 0;

	fault = kmcl_ring_avail(&w.in, &avail);
	must(kmcl_ring_fault_name(fault));
	must(!fault || !avail);
	must(avail < w.in.size && avail % 8 == 0);
	for (n = 0; !fault && avail && n < BUDGET; n++) {
		u32 before = w.in.read;

		w.lied = false;
		fault = kmcl_ring_head(&w.in, avail, &pkt);
		must(kmcl_ring_fault_name(fault));
		must(w.lied || fault == expected_fault(avail));
		if (fault)
			break;
		check_packet(&pkt, avail);
		copy_and_compare(pkt.payload, pkt.len);
		copy_and_compare(kmcl_ring_wrap(&w.in, w.in.read, KMCL_DESC_SIZE), pkt.header);
		kmcl_ring_skip(&w.in, &pkt);
		must(w.in.read == (before + pkt.total) % w.in.size);
		avail -= pkt.total;
		must(++looks <= w.in.size / 24);
	}
	consumed();
	return !fault;
}

/* A poisoned channel is closed, and opens with clean rings. */
static void open_again(void)
{
	forget_lies();
	memset(w.in.ctl, 0, sizeof(*w.in.ctl));
	memset(w.out.ctl, 0, sizeof(*w.out.ctl));
	w.in.read = 0;
	w.out.write = 0;
	w.published = 0;
	w.peer = 0;
}

/* ---- what rings.c does ---- */

static bool write_packet(struct stream *s)
{
	u32 size = w.out.size, room, len, at, i, start = w.out.write;
	u8 *body, *before;

	if (kmcl_ring_room(&w.out, &room))
		return false;
	must(room % 8 == 0 && room <= size - 8);
	len = take_u16(s) % 300 * 8;
	if (len > room)
		return true;
	body = exactly(len);
	before = exactly(size);
	memcpy(before, w.out.data, size);
	take(s, body, len < 16 ? len : 16);
	for (i = 16; i < len; i++)
		body[i] = i;
	/* in two pieces, as head and payload are */
	at = kmcl_ring_put(&w.out, start, body, len / 16 * 8);
	must(at < size);
	at = kmcl_ring_put(&w.out, at, body + len / 16 * 8, len - len / 16 * 8);
	must(at == (start + len) % size);
	for (i = 0; i < len; i++)
		must(w.out.data[(start + i) % size] == body[i]);
	for (; i < size; i++)
		must(w.out.data[(start + i) % size] == before[(start + i) % size]);
	kmcl_ring_publish(&w.out, at);
	must(w.out.write == at);
	free(body);
	free(before);
	return true;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct stream s = { data, size };
	u32 bytes = 64 + take_u8(&s) % 64 * 8 + (take_u8(&s) & 1 ? 4096 : 0);
	bool fine = true;

	memset(&w, 0, sizeof(w));
	w.in = (struct kmcl_ring) { exactly(sizeof(*w.in.ctl)), exactly(bytes), bytes, 0 };
	w.out = (struct kmcl_ring_out) { exactly(sizeof(*w.out.ctl)), exactly(bytes), bytes, 0 };
	memset(w.in.data, 0, bytes);
	memset(w.out.data, 0, bytes);
	open_again();
	while (s.left && fine) {
		u8 *at;

		switch (take_u8(&s) % 8) {
		case 0:
		case 1:
		case 2:
			peer_writes(&s);
			break;
		case 3:
			at = any_word(&s, bytes);
			take(&s, at, sizeof(u32));
			break;
		case 4:
			plan_a_lie(&s);
			break;
		case 5:
			fine = write_packet(&s);
			break;
		default:
			fine = read_batch();
			break;
		}
		must(w.in.read < bytes && w.in.read % 8 == 0);
		must(w.out.write < bytes && w.out.write % 8 == 0);
		if (!fine) {
			open_again();
			fine = true;
		}
	}
	must(!strcmp(kmcl_ring_fault_name(77), "unknown fault"));
	free(w.in.ctl);
	free(w.in.data);
	free(w.out.ctl);
	free(w.out.data);
	return 0;
}
