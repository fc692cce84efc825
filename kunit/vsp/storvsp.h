/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the suites of the storage VSP share: disks in the place of its Linux file, and
 * a client that speaks virtual storage from definitions of its own.
 */
#ifndef _KUNIT_VSP_STORVSP_H
#define _KUNIT_VSP_STORVSP_H

#include <linux/completion.h>
#include "../../samples/storvsp/protocol.h"
#include "client.h"

#define SV_BLOCKS	2048
#define SV_BLOCK	512
#define SV_TRANSFER	SZ_128K
#define SV_SUBS		4
/* A disk that is write-protected. */
#define SV_ROM		3

enum sv_op {
	SV_COMPLETE = 1,
	SV_SRB = 3,
	SV_RESET = 6,
	SV_BEGIN = 7,
	SV_END = 8,
	SV_VERSION = 9,
	SV_PROPERTIES = 10,
	SV_SUB_CHANNELS = 13,
};

struct sv_msg {
	__le32 op;
	__le32 flags;
	__le32 status;
	union {
		u8 bytes[52];
		__le16 words[26];
		__le32 longs[13];
		struct {
			__le16 length;
			u8 srb_status;
			u8 scsi_status;
			u8 port;
			u8 path;
			u8 target;
			u8 lun;
			u8 cdb_len;
			u8 sense_len;
			u8 data_in;
			u8 reserved;
			__le32 transfer;
			u8 cdb[20];
			u8 rest[16];
		} __packed;
	};
} __packed;

enum { SV_OUT, SV_IN, SV_NONE };

#define SV_GOOD		0x01
#define SV_ERROR	0x84		/* with sense data */
#define SV_BUSY		0x05
#define SV_INVALID	0x06
#define SV_OVERRUN	0x12

/**
 * struct sv - the server under test, its disks, and a client
 * @test: the case
 * @server: the server
 * @c: its client, not open yet
 * @memory: of disk 0
 * @fail: reads, writes and unmaps fail
 * @gate: when not NULL, reads and writes wait for it
 * @served: reads and writes that have begun
 */
struct sv {
	struct kunit *test;
	PVSP_DEVICE server;
	struct client *c;
	u8 *memory;
	bool fail;
	struct completion *gate;
	atomic_t served;
};

int sv_init(struct kunit *test);
/* The server alone, of the same disks; not offered. */
void sv_create(struct sv *sv);
void sv_exit(struct kunit *test);

/* One question of the handshake, 64 bytes. Return: the status in the answer. */
u32 sv_ask(struct client *c, enum sv_op op, struct sv_msg *msg);
/* Open, and shake hands with this version. */
void sv_connect(struct sv *sv, u16 version);
/* What a good command is made of, for disk 0. */
void sv_command(struct sv_msg *msg, const u8 *cdb, u8 cdb_len, u8 data_in, u32 transfer);
/* A command with its data at @buf, kmalloc or vmalloc; @msg becomes the answer. */
void sv_run(struct client *c, struct sv_msg *msg, void *buf, u32 len);
/* The same in one step. Return: the SRB status. */
u8 sv_do(struct sv *sv, struct sv_msg *msg, const u8 *cdb, u8 cdb_len, u8 data_in, void *buf,
	 u32 len);
PMDL sv_mdl(struct kunit *test, void *buf, u32 len);

/* The answer in @msg is a check condition with this sense. */
void sv_expect_sense(struct kunit *test, const struct sv_msg *msg, u8 key, u8 code);

s64 sv_bad(struct sv *sv);

#define sv_expect_bad(sv, n)	KUNIT_EXPECT_EQ((sv)->test, sv_bad(sv), (s64)(n))

#endif
