/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The chunks that saved state consists of, over plain memory.
 *
 * A save is a sequence of chunks, each at most 64 KiB with its header.  A record
 * (what a chunk's tag names) is one chunk, or several in a row when it is larger.
 * What is in a record is not known here: see Documentation/save-format.md for every
 * byte.
 *
 * What is read may come from anywhere.  A chunk is captured once, header first, and
 * only the copy is looked at; so the memory that it comes from may change
 * meanwhile, and nothing that was not checked is ever used.  The file pair
 * blob.[ch] knows no object of the library: the same source serves the fuzzers.
 */
#ifndef _KMCL_BLOB_H
#define _KMCL_BLOB_H

#include <linux/types.h>

#define KMCL_BLOB_MAGIC		0x53434d4bu	/* "KMCS" */
#define KMCL_BLOB_VERSION	1u
#define KMCL_BLOB_CHUNK_MAX	65536u		/* header included */

enum kmcl_blob_flags {
	KMCL_BLOB_CRITICAL	= 0x1,	/* who does not know the tag must refuse it all */
	KMCL_BLOB_CONTINUES	= 0x2,	/* the record goes on in the next chunk */
	KMCL_BLOB_LAST		= 0x4,	/* nothing follows */
};

#define KMCL_BLOB_FLAGS		0x7u

/* Wire format in front of every chunk. */
struct kmcl_blob_wire {
	__le32 magic;
	__le16 version;
	__le16 tag;
	__le16 flags;
	__le16 reserved;
	__le32 sequence;
	__le64 save;
	__le32 len;
	__le32 crc;			/* of the 28 bytes before it, then of the body */
};

#define KMCL_BLOB_HEADER	32u
#define KMCL_BLOB_BODY_MAX	(KMCL_BLOB_CHUNK_MAX - KMCL_BLOB_HEADER)

/* What can be wrong with a chunk. */
enum kmcl_blob_fault {
	KMCL_BLOB_OK,
	KMCL_BLOB_SHORT,		/* the buffer ends inside of it */
	KMCL_BLOB_ALIEN,		/* not a chunk */
	KMCL_BLOB_NEWER,		/* of another version of the format */
	KMCL_BLOB_FLAG,			/* flags that mean nothing, or contradict each other */
	KMCL_BLOB_LENGTH,		/* longer than a chunk, or continued and short */
	KMCL_BLOB_ORDER,		/* another chunk belongs here */
	KMCL_BLOB_MIXED,		/* of another save than the chunks before */
	KMCL_BLOB_CRC,			/* damaged */
	KMCL_BLOB_OVER,			/* behind the last */
};

/**
 * struct kmcl_blob_head - a header, captured and checked
 * @tag: which record this is, or belongs to
 * @flags: enum kmcl_blob_flags
 * @len: bytes of body
 */
struct kmcl_blob_head {
	u16 tag;
	u16 flags;
	u32 len;
};

/**
 * struct kmcl_blob_reader - what has been read of a save; zeroed to begin
 * @save: which save, once the first chunk is read
 * @chunks: chunks read
 * @bytes: bytes read
 * @continues: the next chunk goes on with the record of the last one
 * @over: the last chunk was read
 * @head: of the chunk that kmcl_blob_head() looked at last
 * @crc: of its header
 * @wanted: what the crc of all of it has to be
 * @seen: its save
 */
struct kmcl_blob_reader {
	u64 save;
	u32 chunks;
	u64 bytes;
	bool continues;
	bool over;
	struct kmcl_blob_head head;
	u32 crc;
	u32 wanted;
	u64 seen;
};

/**
 * struct kmcl_blob_writer - what has been written of a save
 * @save: names it; set by the caller to a number that no other save has
 * @chunks: chunks written
 * @bytes: bytes written
 */
struct kmcl_blob_writer {
	u64 save;
	u32 chunks;
	u64 bytes;
};

/* Bytes of the next chunk of a record of which @left bytes are to be written. */
static inline u32 kmcl_blob_chunk_bytes(u32 left)
{
	return KMCL_BLOB_HEADER + (left < KMCL_BLOB_BODY_MAX ? left : KMCL_BLOB_BODY_MAX);
}

u32 kmcl_blob_put(struct kmcl_blob_writer *w, void *to, u16 tag, u16 flags, const void *body,
		  u32 left);
enum kmcl_blob_fault kmcl_blob_head(struct kmcl_blob_reader *r, const void *from, u32 size);
enum kmcl_blob_fault kmcl_blob_body(struct kmcl_blob_reader *r, const void *from, void *to);
const char *kmcl_blob_fault_name(enum kmcl_blob_fault fault);

#endif
