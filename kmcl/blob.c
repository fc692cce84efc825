// SPDX-License-Identifier: GPL-2.0
/*
 * The chunks that saved state consists of: written, read and checked.  See blob.h.
 */
#include <linux/build_bug.h>
#include <linux/crc32.h>
#include <linux/string.h>
#include <linux/types.h>
#include <asm/byteorder.h>
#include "blob.h"

#define CHECKED		(KMCL_BLOB_HEADER - sizeof(__le32))	/* of the header, by its crc */

static_assert(sizeof(struct kmcl_blob_wire) == KMCL_BLOB_HEADER);
static_assert(offsetof(struct kmcl_blob_wire, crc) == CHECKED);

/* As zlib's: begins and ends inverted. */
static u32 crc_begin(const struct kmcl_blob_wire *wire)
{
	return crc32_le(~0u, (const u8 *)wire, CHECKED);
}

static u32 crc_end(u32 crc, const void *body, u32 len)
{
	return ~crc32_le(crc, body, len);
}

/**
 * kmcl_blob_put() - write the next chunk of a record
 * @w: the save
 * @to: where; room for kmcl_blob_chunk_bytes(@left) bytes, at any address
 * @tag: the record's
 * @flags: the record's: KMCL_BLOB_CRITICAL, KMCL_BLOB_LAST
 * @body: what is to be written of the record
 * @left: its bytes
 *
 * Return: bytes of @body that are in the chunk; less than @left: the record goes on.
 */
u32 kmcl_blob_put(struct kmcl_blob_writer *w, void *to, u16 tag, u16 flags, const void *body,
		  u32 left)
{
	u32 bytes = kmcl_blob_chunk_bytes(left), len = bytes - KMCL_BLOB_HEADER;
	struct kmcl_blob_wire wire = {
		.magic = cpu_to_le32(KMCL_BLOB_MAGIC),
		.version = cpu_to_le16(KMCL_BLOB_VERSION),
		.tag = cpu_to_le16(tag),
		.flags = cpu_to_le16(len < left ? flags | KMCL_BLOB_CONTINUES : flags),
		.sequence = cpu_to_le32(w->chunks),
		.save = cpu_to_le64(w->save),
		.len = cpu_to_le32(len),
	};

	wire.crc = cpu_to_le32(crc_end(crc_begin(&wire), body, len));
	memcpy(to, &wire, sizeof(wire));
	if (len)
		memcpy(to + sizeof(wire), body, len);
	w->chunks++;
	w->bytes += bytes;
	return len;
}

static enum kmcl_blob_fault check_flags(const struct kmcl_blob_reader *r,
					const struct kmcl_blob_head *head)
{
	if (head->flags & ~KMCL_BLOB_FLAGS)
		return KMCL_BLOB_FLAG;
	if (head->flags & KMCL_BLOB_CONTINUES) {
		if (head->flags & KMCL_BLOB_LAST)
			return KMCL_BLOB_FLAG;
		if (head->len != KMCL_BLOB_BODY_MAX)
			return KMCL_BLOB_LENGTH;
	}
	/* the next part of a record is of the same record */
	if (r->continues && (head->tag != r->head.tag ||
			     (head->flags ^ r->head.flags) & ~KMCL_BLOB_CONTINUES))
		return KMCL_BLOB_ORDER;
	return KMCL_BLOB_OK;
}

/**
 * kmcl_blob_head() - look at the header of the next chunk
 * @r: what has been read so far
 * @from: where the chunk begins, at any address
 * @size: bytes there
 *
 * When it is in order, @r->head describes it, and all of it is in the buffer.
 *
 * Return: KMCL_BLOB_OK, or what is wrong; then nothing of the save can be used.
 */
enum kmcl_blob_fault kmcl_blob_head(struct kmcl_blob_reader *r, const void *from, u32 size)
{
	struct kmcl_blob_wire wire;
	struct kmcl_blob_head head;
	enum kmcl_blob_fault fault;

	if (r->over)
		return KMCL_BLOB_OVER;
	if (size < sizeof(wire))
		return KMCL_BLOB_SHORT;
	memcpy(&wire, from, sizeof(wire));
	if (le32_to_cpu(wire.magic) != KMCL_BLOB_MAGIC)
		return KMCL_BLOB_ALIEN;
	if (le16_to_cpu(wire.version) != KMCL_BLOB_VERSION)
		return KMCL_BLOB_NEWER;
	if (wire.reserved)
		return KMCL_BLOB_FLAG;
	head.tag = le16_to_cpu(wire.tag);
	head.flags = le16_to_cpu(wire.flags);
	head.len = le32_to_cpu(wire.len);
	if (head.len > KMCL_BLOB_BODY_MAX)
		return KMCL_BLOB_LENGTH;
	if (head.len > size - sizeof(wire))
		return KMCL_BLOB_SHORT;
	if (r->chunks && le64_to_cpu(wire.save) != r->save)
		return KMCL_BLOB_MIXED;
	if (le32_to_cpu(wire.sequence) != r->chunks)
		return KMCL_BLOB_ORDER;
	fault = check_flags(r, &head);
	if (fault)
		return fault;
	r->head = head;
	r->seen = le64_to_cpu(wire.save);
	r->wanted = le32_to_cpu(wire.crc);
	r->crc = crc_begin(&wire);
	return KMCL_BLOB_OK;
}

/**
 * kmcl_blob_body() - take the chunk whose header was in order
 * @r: after kmcl_blob_head()
 * @from: where the chunk begins, as before
 * @to: gets the body, @r->head.len bytes
 *
 * Return: KMCL_BLOB_OK: the chunk is read, and the next one is at
 * @from + KMCL_BLOB_HEADER + @r->head.len. KMCL_BLOB_CRC: it is damaged; what is at
 * @to may be anything.
 */
enum kmcl_blob_fault kmcl_blob_body(struct kmcl_blob_reader *r, const void *from, void *to)
{
	u32 len = r->head.len;

	if (len)
		memcpy(to, from + KMCL_BLOB_HEADER, len);
	if (crc_end(r->crc, to, len) != r->wanted)
		return KMCL_BLOB_CRC;
	r->save = r->seen;
	r->continues = r->head.flags & KMCL_BLOB_CONTINUES;
	r->over = r->head.flags & KMCL_BLOB_LAST;
	r->chunks++;
	r->bytes += KMCL_BLOB_HEADER + len;
	return KMCL_BLOB_OK;
}

/**
 * kmcl_blob_fault_name() - say what is wrong, for a log line
 * @fault: the fault
 *
 * Return: a phrase.
 */
const char *kmcl_blob_fault_name(enum kmcl_blob_fault fault)
{
	switch (fault) {
	case KMCL_BLOB_OK:
		break;
	case KMCL_BLOB_SHORT:
		return "it ends inside of a chunk";
	case KMCL_BLOB_ALIEN:
		return "no chunk begins there";
	case KMCL_BLOB_NEWER:
		return "a version of the format that this library does not know";
	case KMCL_BLOB_FLAG:
		return "a chunk has flags that mean nothing";
	case KMCL_BLOB_LENGTH:
		return "a chunk has an impossible length";
	case KMCL_BLOB_ORDER:
		return "chunks are missing, repeated or in another order";
	case KMCL_BLOB_MIXED:
		return "chunks of several saves";
	case KMCL_BLOB_CRC:
		return "a chunk is damaged";
	case KMCL_BLOB_OVER:
		return "something follows the last chunk";
	}
	return "nothing";
}
