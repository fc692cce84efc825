// SPDX-License-Identifier: GPL-2.0
/*
 * A storage controller of the simulated host: handshake, SCSI commands, disks.
 *
 * Everything runs where the host runs, in on_packet(); commands that are held run
 * in storhost_release(), so that a late host touches the guest's pages late.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <scsi/scsi_proto.h>

#define KMCL_COMPAT_BLOCK
#include "compat.h"
#include "host.h"

#define SRB_SUCCESS		0x01
#define SRB_ERROR		0x04
#define SRB_OVERRUN		0x12
#define SRB_INVALID_LUN		0x20
#define SRB_SENSE		0x80

#define DATA_OUT		0
#define DATA_IN			1
#define DATA_NONE		2

/* An SRB that was put aside: the packet as it came. */
struct aside {
	struct list_head node;
	struct hvsim_chan *chan;
	struct vmpacket_descriptor desc;
};

/* A command while it is served. */
struct command {
	struct storhost *h;
	struct storhost_disk *disk;
	const struct vmpacket_descriptor *desc;
	struct storhost_srb *srb;	/* of the answer; its cdb is copied */
	u8 cdb[16];
	u32 transfer;
};

__printf(2, 3)
static void fault(struct storhost *h, const char *fmt, ...)
{
	struct va_format vaf = { .fmt = fmt };
	va_list args;

	va_start(args, fmt);
	vaf.va = &args;
	pr_err("the guest: %pV\n", &vaf);
	va_end(args);
	h->faults++;
}

/* ---- external data ---- */

/*
 * One range, as the in-tree driver sends it, of whole pages but for its ends; its
 * length is that of the transfer.
 */
static bool data_valid(struct storhost *h, const struct vmpacket_descriptor *desc,
		       const struct storhost_srb *srb)
{
	const struct gpa_range *range;
	u32 transfer = le32_to_cpu(srb->transfer);
	int nr = hvsim_gpa_ranges(desc, 0, &range);

	if (!transfer) {
		if (nr || srb->data_in != DATA_NONE)
			fault(h, "sends %d ranges, direction %u, and no data", nr, srb->data_in);
		return !nr;
	}
	if (nr != 1 || !range || range->byte_count != transfer ||
	    range->byte_offset >= HV_HYP_PAGE_SIZE || transfer > h->max_transfer) {
		fault(h, "%u bytes in %d ranges, of %u bytes from offset %u", transfer, nr,
		      range ? range->byte_count : 0, range ? range->byte_offset : 0);
		return false;
	}
	if (srb->data_in != DATA_IN && srb->data_in != DATA_OUT) {
		fault(h, "direction %u with data", srb->data_in);
		return false;
	}
	if (range->byte_offset)
		h->offsets++;
	h->largest = max(h->largest, transfer);
	return true;
}

/* Between the guest's pages and @buf; NULL: zeros. Returns bytes. */
static u32 copy_data(struct command *c, u8 *buf, u32 len, bool to_guest)
{
	const struct gpa_range *range;
	u32 done = 0, offset, step, page = 0;

	if (hvsim_gpa_ranges(c->desc, 0, &range) != 1 || !range)
		return 0;
	len = min(len, range->byte_count);
	offset = range->byte_offset;
	while (done < len) {
		void *guest = hvsim_gpa(range->pfn_array[page++], offset);

		step = min_t(u32, HV_HYP_PAGE_SIZE - offset, len - done);
		if (to_guest && buf)
			memcpy(guest, buf + done, step);
		else if (to_guest)
			memset(guest, 0, step);
		else if (buf)
			memcpy(buf + done, guest, step);
		done += step;
		offset = 0;
	}
	return done;
}

/* ---- results ---- */

static void check_condition(struct command *c, u8 key, u8 asc, u8 ascq)
{
	u8 *sense = c->srb->cdb;

	memset(sense, 0, sizeof(c->srb->cdb));
	sense[0] = 0x70;
	sense[2] = key;
	sense[7] = 10;
	sense[12] = asc;
	sense[13] = ascq;
	c->srb->scsi_status = SAM_STAT_CHECK_CONDITION;
	c->srb->srb_status = SRB_ERROR | SRB_SENSE;
	c->srb->sense_len = 18;
	c->srb->transfer = 0;
}

static void good(struct command *c, u32 transferred)
{
	c->srb->scsi_status = SAM_STAT_GOOD;
	c->srb->srb_status = transferred == c->transfer ? SRB_SUCCESS : SRB_OVERRUN;
	c->srb->transfer = cpu_to_le32(transferred);
}

static void answer_data(struct command *c, u8 *buf, u32 len)
{
	good(c, copy_data(c, buf, len, true));
}

static void unknown_command(struct command *c)
{
	check_condition(c, ILLEGAL_REQUEST, 0x20, 0);
}

/* ---- commands ---- */

static void inquiry(struct command *c)
{
	u8 buf[64] = { };

	if (c->cdb[1] & 1) {
		buf[1] = c->cdb[2];
		switch (c->cdb[2]) {
		case 0xb0:
			put_unaligned_be16(60, &buf[2]);
			put_unaligned_be32(c->disk->unmap ? 1 << 16 : 0, &buf[20]);
			put_unaligned_be32(c->disk->unmap ? 1 : 0, &buf[24]);
			put_unaligned_be32(8, &buf[28]);
			answer_data(c, buf, 64);
			return;
		case 0xb2:
			put_unaligned_be16(4, &buf[2]);
			buf[5] = c->disk->unmap ? 0x80 : 0;
			answer_data(c, buf, 8);
			return;
		}
		check_condition(c, ILLEGAL_REQUEST, 0x24, 0);
		return;
	}
	buf[0] = c->disk ? c->disk->type : 0x7f;
	buf[2] = 5;
	buf[4] = 31;
	memcpy(&buf[8], "KMCL    Scripted disk   1   ", 28);
	answer_data(c, buf, 36);
}

static void report_luns(struct command *c)
{
	struct storhost *h = c->h;
	u8 buf[8 + 8 * STORHOST_LUNS] = { };
	u32 n = 0, i;

	if (h->no_report_luns) {
		unknown_command(c);
		return;
	}
	for (i = 0; i < STORHOST_LUNS; i++)
		if (h->disk[i].present)
			buf[8 + 8 * n++ + 1] = i;
	put_unaligned_be32(8 * n, &buf[0]);
	answer_data(c, buf, 8 + 8 * n);
}

static void capacity(struct command *c)
{
	u64 last = c->disk->blocks - 1;
	u8 buf[32] = { };

	if (c->cdb[0] == READ_CAPACITY) {
		put_unaligned_be32(min_t(u64, last, U32_MAX), &buf[0]);
		put_unaligned_be32(c->disk->block_size, &buf[4]);
		answer_data(c, buf, 8);
	} else if (c->h->no_capacity_16 || (c->cdb[1] & 0x1f) != SAI_READ_CAPACITY_16) {
		unknown_command(c);
	} else {
		put_unaligned_be64(last, &buf[0]);
		put_unaligned_be32(c->disk->block_size, &buf[8]);
		buf[13] = c->disk->block_size == 512 ? 3 : 0;
		buf[14] = c->disk->unmap ? 0x80 : 0;
		answer_data(c, buf, 32);
	}
}

static void mode_sense(struct command *c)
{
	u8 buf[4] = { 3, 0, c->disk->read_only ? 0x80 : 0 };

	answer_data(c, buf, 4);
}

static bool blocks_exist(struct command *c, u64 lba, u32 blocks)
{
	if (lba <= c->disk->blocks && blocks <= c->disk->blocks - lba)
		return true;
	check_condition(c, ILLEGAL_REQUEST, 0x21, 0);
	return false;
}

static void read_write(struct command *c, bool write)
{
	struct storhost_disk *d = c->disk;
	bool long_form = c->cdb[0] == READ_16 || c->cdb[0] == WRITE_16;
	u64 lba = long_form ? get_unaligned_be64(&c->cdb[2]) : get_unaligned_be32(&c->cdb[2]);
	u32 blocks = long_form ? get_unaligned_be32(&c->cdb[10]) : get_unaligned_be16(&c->cdb[7]);
	u64 bytes = (u64)blocks * d->block_size;

	if (!blocks_exist(c, lba, blocks))
		return;
	if (bytes != c->transfer || c->srb->data_in != (write ? DATA_OUT : DATA_IN)) {
		fault(c->h, "command 0x%02x for %llu bytes with %u of data, direction %u",
		      c->cdb[0], bytes, c->transfer, c->srb->data_in);
		check_condition(c, ABORTED_COMMAND, 0, 0);
		return;
	}
	if (write && d->read_only) {
		check_condition(c, DATA_PROTECT, 0x27, 0);
		return;
	}
	good(c, copy_data(c, d->data ? d->data + lba * d->block_size : NULL, bytes, !write));
}

static void unmap(struct command *c)
{
	struct storhost_disk *d = c->disk;
	u8 list[24];
	u64 lba;
	u32 n;

	if (!d->unmap) {
		unknown_command(c);
		return;
	}
	if (c->transfer != sizeof(list) || copy_data(c, list, sizeof(list), false) != 24 ||
	    get_unaligned_be16(&list[0]) != 22 || get_unaligned_be16(&list[2]) != 16) {
		fault(c->h, "an UNMAP of %u bytes", c->transfer);
		check_condition(c, ILLEGAL_REQUEST, 0x26, 0);
		return;
	}
	lba = get_unaligned_be64(&list[8]);
	n = get_unaligned_be32(&list[16]);
	if (!blocks_exist(c, lba, n))
		return;
	if (d->data)
		memset(d->data + lba * d->block_size, 0, (u64)n * d->block_size);
	good(c, c->transfer);
}

static void serve(struct command *c)
{
	if (!c->disk && c->cdb[0] != INQUIRY && c->cdb[0] != REPORT_LUNS) {
		good(c, 0);
		c->srb->srb_status = SRB_INVALID_LUN;
		return;
	}
	switch (c->cdb[0]) {
	case TEST_UNIT_READY:
		good(c, 0);
		break;
	case SYNCHRONIZE_CACHE:
		if (c->h->no_flush)
			unknown_command(c);
		else
			good(c, 0);
		break;
	case INQUIRY:
		inquiry(c);
		break;
	case REPORT_LUNS:
		report_luns(c);
		break;
	case READ_CAPACITY:
	case SERVICE_ACTION_IN_16:
		capacity(c);
		break;
	case MODE_SENSE:
		mode_sense(c);
		break;
	case READ_10:
	case READ_16:
		read_write(c, false);
		break;
	case WRITE_10:
	case WRITE_16:
		read_write(c, true);
		break;
	case UNMAP:
		unmap(c);
		break;
	default:
		unknown_command(c);
		break;
	}
}

/* ---- SRBs ---- */

static u32 message_length(struct storhost *h)
{
	return h->agreed < 0x0501 ? STORHOST_MSG_OLD : STORHOST_MSG;
}

static void execute(struct storhost *h, struct hvsim_chan *chan,
		    const struct vmpacket_descriptor *desc)
{
	const void *payload = (const u8 *)desc + (desc->offset8 << 3);
	struct storhost_msg answer = { };
	struct command c = { .h = h, .desc = desc, .srb = &answer.srb };
	u32 len = message_length(h);

	memcpy(&answer, payload, len);
	memcpy(c.cdb, answer.srb.cdb, sizeof(c.cdb));
	c.transfer = le32_to_cpu(answer.srb.transfer);
	if (!answer.srb.target && answer.srb.lun < STORHOST_LUNS &&
	    h->disk[answer.srb.lun].present)
		c.disk = &h->disk[answer.srb.lun];

	if (h->fault.times && h->fault.opcode == c.cdb[0]) {
		h->fault.times--;
		if (h->fault.done)
			serve(&c);
		else
			good(&c, 0);
		answer.srb.sense_len = sizeof(h->fault.sense);
		memcpy(answer.srb.cdb, h->fault.sense, sizeof(h->fault.sense));
		answer.srb.scsi_status = h->fault.scsi;
		answer.srb.srb_status = h->fault.srb;
	} else {
		serve(&c);
	}
	answer.op = cpu_to_le32(STORHOST_COMPLETE_IO);
	answer.status = 0;
	if (h->forge)
		len = h->forge(h, &answer);
	hvsim_complete(chan, desc->trans_id, &answer, len);
}

static bool srb_valid(struct storhost *h, const struct vmpacket_descriptor *desc,
		      const struct storhost_msg *msg, u32 len)
{
	u32 want = message_length(h);

	if (!h->ready) {
		fault(h, "sends a command before the end of the handshake");
		return false;
	}
	if (len != want || le16_to_cpu(msg->srb.length) != want - 12 ||
	    !(le32_to_cpu(msg->flags) & 1) || msg->srb.cdb_len > 16) {
		fault(h, "an SRB of %u in %u bytes, flags %#x", le16_to_cpu(msg->srb.length), len,
		      le32_to_cpu(msg->flags));
		return false;
	}
	return data_valid(h, desc, &msg->srb);
}

static void on_srb(struct storhost *h, struct hvsim_chan *chan,
		   const struct vmpacket_descriptor *desc, const struct storhost_msg *msg, u32 len)
{
	u32 size = desc->len8 << 3;
	struct aside *a;

	if (!srb_valid(h, desc, msg, len))
		return;
	/* channels are served side by side */
	spin_lock_bh(&h->lock);
	h->commands[msg->srb.cdb[0]]++;
	h->requests[chan->offer.sub_index]++;
	spin_unlock_bh(&h->lock);
	if (h->hook)
		h->hook(h, &msg->srb);
	if (!READ_ONCE(h->hold)) {
		execute(h, chan, desc);
		return;
	}
	a = kmalloc(offsetof(struct aside, desc) + size, GFP_ATOMIC);
	if (!a)
		return;
	a->chan = chan;
	memcpy(&a->desc, desc, size);
	spin_lock_bh(&h->lock);
	list_add_tail(&a->node, &h->aside);
	h->held++;
	spin_unlock_bh(&h->lock);
}

static struct aside *take_aside(struct storhost *h)
{
	struct aside *a;

	spin_lock_bh(&h->lock);
	a = list_first_entry_or_null(&h->aside, struct aside, node);
	if (a) {
		list_del(&a->node);
		h->held--;
	}
	spin_unlock_bh(&h->lock);
	return a;
}

/**
 * storhost_release() - serve commands that were held, oldest first
 * @h: controller
 * @nr: how many
 *
 * Return: how many there were.
 */
unsigned int storhost_release(struct storhost *h, unsigned int nr)
{
	unsigned int done;
	struct aside *a;

	for (done = 0; done < nr; done++) {
		a = take_aside(h);
		if (!a)
			break;
		execute(h, a->chan, &a->desc);
		kfree(a);
	}
	return done;
}

/* The host never answers them: their channels have gone. */
void storhost_forget_held(struct storhost *h)
{
	struct aside *a;

	while ((a = take_aside(h)))
		kfree(a);
}

/* ---- handshake ---- */

/* In this order; a version that is refused is asked for again, in another number. */
static bool in_turn(struct storhost *h, enum storhost_op op)
{
	bool fc = guid_equal(&h->type, &STORHOST_GUID(HV_SYNTHFC_GUID));
	enum storhost_op order[] = {
		STORHOST_BEGIN, STORHOST_VERSION, STORHOST_PROPERTIES,
		fc ? STORHOST_FCHBA : STORHOST_END, fc ? STORHOST_END : STORHOST_SUB_CHANNELS,
		STORHOST_SUB_CHANNELS,
	};

	if (h->step < ARRAY_SIZE(order) && order[h->step] == op)
		return true;
	fault(h, "asks operation %u in step %u of the handshake", op, h->step);
	return false;
}

static bool offer_channel(struct storhost *h, unsigned int index);

static void on_handshake(struct storhost *h, struct hvsim_chan *chan,
			 const struct vmpacket_descriptor *desc, const struct storhost_msg *msg,
			 u32 len)
{
	enum storhost_op op = le32_to_cpu(msg->op);
	struct storhost_msg answer = *msg;
	u32 want = message_length(h);
	unsigned int subs = 0, i;
	u16 version;

	/* h->chan may not be written yet */
	if (chan->offer.sub_index)
		fault(h, "shakes hands on a sub-channel");
	if (!in_turn(h, op))
		return;
	/* until a version is agreed, either length will do */
	if ((len != want && (h->agreed || len != STORHOST_MSG)) || !(le32_to_cpu(msg->flags) & 1))
		fault(h, "operation %u in %u bytes, flags %#x", op, len, le32_to_cpu(msg->flags));
	answer.op = cpu_to_le32(STORHOST_COMPLETE_IO);
	answer.status = 0;
	if (op == h->silent)
		return;
	if (op == h->refuse)
		answer.status = cpu_to_le32(0xc0000001);

	switch (op) {
	case STORHOST_VERSION:
		version = get_unaligned_le16(&msg->bytes[0]);
		if (version > h->version)
			answer.status = cpu_to_le32(0xc0000059);
		else
			h->agreed = version;
		break;
	case STORHOST_PROPERTIES:
		memset(answer.bytes, 0, sizeof(answer.bytes));
		put_unaligned_le16(h->sub_channels, &answer.bytes[4]);
		put_unaligned_le32(!!h->sub_channels, &answer.bytes[8]);
		put_unaligned_le32(h->max_transfer, &answer.bytes[12]);
		break;
	case STORHOST_FCHBA:
		memset(answer.bytes, 0, sizeof(answer.bytes));
		answer.bytes[0] = 1;
		for (i = 0; i < 32; i++)
			answer.bytes[4 + i] = i;
		break;
	case STORHOST_SUB_CHANNELS:
		subs = get_unaligned_le16(&msg->bytes[0]);
		if (subs > h->sub_channels)
			fault(h, "wants %u sub-channels of %u", subs, h->sub_channels);
		subs = min_t(unsigned int, subs, h->sub_channels);
		break;
	default:
		break;
	}
	if (!answer.status) {
		h->step++;
		if (op == STORHOST_END)
			WRITE_ONCE(h->ready, true);
	}
	hvsim_complete(chan, desc->trans_id, &answer, len);
	for (i = 1; i <= subs && !answer.status; i++)
		offer_channel(h, i);
}

static enum hvsim_answer on_packet(struct hvsim_chan *chan, const struct vmpacket_descriptor *desc,
				   const void *payload, u32 len)
{
	struct storhost *h = chan->script.priv;
	struct storhost_msg msg = { };

	memcpy(&msg, payload, min_t(u32, len, sizeof(msg)));
	if (!(desc->flags & VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED) || len < 12)
		fault(h, "a message of %u bytes that wants no completion", len);
	else if (le32_to_cpu(msg.op) == STORHOST_EXECUTE_SRB)
		on_srb(h, chan, desc, &msg, len);
	else
		on_handshake(h, chan, desc, &msg, len);
	return HVSIM_ANSWER_NONE;
}

/* ---- channels ---- */

/* The handshake begins anew when the primary opens again. */
static void on_close(struct hvsim_chan *chan)
{
	struct storhost *h = chan->script.priv;
	unsigned int i;

	if (chan != h->chan[0])
		return;
	h->step = 0;
	h->agreed = 0;
	WRITE_ONCE(h->ready, false);
	for (i = 1; i <= STORHOST_SUBS; i++) {
		if (h->chan[i])
			hvsim_rescind(h->chan[i]);
		h->chan[i] = NULL;
	}
}

static bool offer_channel(struct storhost *h, unsigned int index)
{
	const struct hvsim_offer offer = {
		.type = h->type,
		.instance = h->instance,
		.sub_index = index,
		.script.on_packet = on_packet,
		.script.on_close = on_close,
		.script.priv = h,
	};
	struct hvsim_chan *chan = hvsim_offer(&offer);

	if (IS_ERR(chan))
		return false;
	h->chan[index] = chan;
	return true;
}

/**
 * storhost_offer() - offer the controller
 * @h: controller
 *
 * Return: 0 or -ENOMEM.
 */
int storhost_offer(struct storhost *h)
{
	return offer_channel(h, 0) ? 0 : -ENOMEM;
}

/**
 * storhost_tell() - say something unasked
 * @h: controller
 * @op: what
 *
 * Return: 0 or a negative errno.
 */
int storhost_tell(struct storhost *h, enum storhost_op op)
{
	struct storhost_msg msg = { .op = cpu_to_le32(op) };

	return hvsim_send(h->chan[0], VM_PKT_DATA_INBAND, 0, 0, &msg, STORHOST_MSG);
}

/**
 * storhost_init() - a controller of today, without disks
 * @h: controller
 */
void storhost_init(struct storhost *h)
{
	memset(h, 0, sizeof(*h));
	h->type = STORHOST_GUID(HV_SCSI_GUID);
	h->instance = GUID_INIT(0x73746f72, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
	h->version = 0x0602;
	h->max_transfer = SZ_512K;
	spin_lock_init(&h->lock);
	INIT_LIST_HEAD(&h->aside);
}

/**
 * storhost_disk_init() - put a disk of zeros in
 * @d: its place
 * @bytes: size
 * @block_size: bytes in a block
 *
 * Return: 0 or -ENOMEM.
 */
int storhost_disk_init(struct storhost_disk *d, u64 bytes, u32 block_size)
{
	d->data = vzalloc(bytes);
	if (!d->data)
		return -ENOMEM;
	d->blocks = bytes / block_size;
	d->block_size = block_size;
	d->present = true;
	return 0;
}

void storhost_disk_free(struct storhost_disk *d)
{
	vfree(d->data);
	memset(d, 0, sizeof(*d));
}
