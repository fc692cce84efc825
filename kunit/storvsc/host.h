/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The host's side of virtual storage, scripted: it offers a controller, shakes
 * hands as Hyper-V does, and serves disks in its memory.
 *
 * It knows the protocol from its own definitions, not from the driver's, and is as
 * strict: what the guest does wrong is a fault, which fails the running case.
 */
#ifndef _KMCL_STORHOST_H
#define _KMCL_STORHOST_H

#include <linux/hyperv.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include "../sim/sim.h"

/* From the macros of <linux/hyperv.h>. */
#define STORHOST_GUID(id)	(((struct hv_vmbus_device_id){ id }).guid)

#define STORHOST_SUBS		8
#define STORHOST_LUNS		8
/* Messages: the long form, and the one up to version 4.2. */
#define STORHOST_MSG		64
#define STORHOST_MSG_OLD	48

enum storhost_op {
	STORHOST_COMPLETE_IO = 1,
	STORHOST_REMOVE_DEVICE = 2,
	STORHOST_EXECUTE_SRB = 3,
	STORHOST_BEGIN = 7,
	STORHOST_END = 8,
	STORHOST_VERSION = 9,
	STORHOST_PROPERTIES = 10,
	STORHOST_ENUMERATE = 11,
	STORHOST_FCHBA = 12,
	STORHOST_SUB_CHANNELS = 13,
};

struct storhost_srb {
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
	u8 cdb[20];		/* and the sense data of the answer */
	__le16 reserved1;
	u8 queue_tag;
	u8 queue_action;
	__le32 flags;
	__le32 timeout;
	__le32 sort_key;
} __packed;

struct storhost_msg {
	__le32 op;
	__le32 flags;
	__le32 status;
	union {
		struct storhost_srb srb;
		u8 bytes[52];
	};
} __packed;

/**
 * struct storhost_disk - a logical unit
 * @present: it is there
 * @type: peripheral type, 0: a disk
 * @data: its blocks, or NULL: reads zeros, forgets writes
 * @blocks: how many
 * @block_size: bytes in one
 * @read_only: write-protected
 * @unmap: knows UNMAP; unmapped blocks read 0
 */
struct storhost_disk {
	bool present;
	u8 type;
	u8 *data;
	u64 blocks;
	u32 block_size;
	bool read_only;
	bool unmap;
};

/**
 * struct storhost_fault - how commands shall fail
 * @opcode: which
 * @times: how many of them, counts down
 * @done: it is served all the same
 * @scsi: SCSI status
 * @srb: SRB status; with 0x80 the sense data are sent
 * @sense: 18 bytes, fixed format
 */
struct storhost_fault {
	u8 opcode;
	unsigned int times;
	bool done;
	u8 scsi;
	u8 srb;
	u8 sense[18];
};

/**
 * struct storhost - a controller
 * @type: class of the offer
 * @instance: its instance
 * @chan: the primary's and the sub-channels' host side, by index
 * @disk: by LUN of target 0
 * @version: newest version that it accepts
 * @sub_channels: how many it would create; 0: it knows no multi-channel
 * @max_transfer: bytes per request
 * @refuse: operation of the handshake that it refuses
 * @silent: operation that it never answers
 * @no_report_luns: it does not know REPORT LUNS
 * @no_capacity_16: it does not know READ CAPACITY (16)
 * @no_flush: it does not know SYNCHRONIZE CACHE
 * @hold: SRBs are put aside until storhost_release()
 * @fault: how commands fail
 * @forge: may change the answer to an SRB; returns its length in bytes
 * @hook: told every SRB before it is served, in the host's context
 *
 * What it has seen:
 *
 * @agreed: version agreed
 * @ready: the handshake is over
 * @faults: rules the guest broke
 * @commands: SRBs by opcode
 * @requests: SRBs by channel
 * @largest: bytes of the largest
 * @offsets: requests whose data begin inside a page
 * @held: SRBs put aside now
 */
struct storhost {
	guid_t type;
	guid_t instance;
	struct hvsim_chan *chan[1 + STORHOST_SUBS];
	struct storhost_disk disk[STORHOST_LUNS];
	u16 version;
	u16 sub_channels;
	u32 max_transfer;
	enum storhost_op refuse;
	enum storhost_op silent;
	bool no_report_luns;
	bool no_capacity_16;
	bool no_flush;
	bool hold;
	struct storhost_fault fault;
	u32 (*forge)(struct storhost *h, struct storhost_msg *answer);
	void (*hook)(struct storhost *h, const struct storhost_srb *srb);

	u16 agreed;
	bool ready;
	unsigned int faults;
	unsigned long commands[256];
	unsigned long requests[1 + STORHOST_SUBS];
	u32 largest;
	unsigned long offsets;
	unsigned int held;

	/* private: */
	unsigned int step;
	spinlock_t lock;		/* aside */
	struct list_head aside;
};

void storhost_init(struct storhost *h);
int storhost_disk_init(struct storhost_disk *d, u64 bytes, u32 block_size);
void storhost_disk_free(struct storhost_disk *d);
int storhost_offer(struct storhost *h);
unsigned int storhost_release(struct storhost *h, unsigned int nr);
void storhost_forget_held(struct storhost *h);
int storhost_tell(struct storhost *h, enum storhost_op op);

#endif
