// SPDX-License-Identifier: GPL-2.0
/*
 * The SCSI commands that a disk needs: how they are put, and what their results
 * mean.  The kernel's own SCSI layer is not used; this is all there is of it.
 */
#include <linux/align.h>
#include <linux/bitops.h>
#include <linux/device.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <scsi/scsi_proto.h>

#define KMCL_COMPAT_BLOCK
#include "../../kmcl/compat.h"
#include "linux.h"

/* Of INQUIRY's first byte: who answers, and whether there is anybody. */
#define PERIPHERAL_ABSENT	0x7f
#define PERIPHERAL_TYPE		0x1f

/* ---- memory ---- */

void stor_mdl_init(struct stor_mdl *m)
{
	memset(&m->mdl, 0, sizeof(m->mdl));
	m->mdl.Size = sizeof(m->mdl);
	m->mdl.MdlFlags = MDL_PAGES_LOCKED;
}

/**
 * stor_mdl_add() - add memory to an MDL
 * @m: MDL
 * @phys: where
 * @len: how much, from 1
 *
 * An MDL is one run of bytes through whole pages: only the first page may begin
 * in its middle and only the last end there.
 *
 * Return: false when the memory does not continue the MDL or is too much.
 */
bool stor_mdl_add(struct stor_mdl *m, phys_addr_t phys, u32 len)
{
	u32 count = (m->mdl.Size - sizeof(m->mdl)) / sizeof(m->pfns[0]);
	u32 end = offset_in_page(m->mdl.ByteOffset + m->mdl.ByteCount);
	u32 here = phys & (STOR_PAGE - 1);
	u64 pfn = phys / STOR_PAGE;
	u32 pages;

	if (!count)
		m->mdl.ByteOffset = here;
	else if (here != end || (end && m->pfns[count - 1] != pfn))
		return false;
	/* in the page that the last one ended in */
	if (count && end)
		pfn++;
	pages = (here + len + STOR_PAGE - 1) / STOR_PAGE - (count && end);
	if (count + pages > STOR_MAX_PAGES)
		return false;
	while (pages--)
		m->pfns[count++] = pfn++;
	m->mdl.ByteCount += len;
	m->mdl.Size = sizeof(m->mdl) + count * sizeof(m->pfns[0]);
	return true;
}

/* ---- results ---- */

struct sense {
	u8 key;
	u8 asc;
	u8 ascq;
};

/* Fixed or descriptor format; the host's bytes, so every length is looked at. */
static bool parse_sense(const STOR_REQUEST *srb, struct sense *s)
{
	const u8 *b = srb->Sense;
	u32 len = srb->SenseLength;

	memset(s, 0, sizeof(*s));
	if (len < 3)
		return false;
	switch (b[0] & 0x7f) {
	case 0x70:
		s->key = b[2] & 0x0f;
		if (len >= 14 && b[7] >= 6) {
			s->asc = b[12];
			s->ascq = b[13];
		}
		return true;
	case 0x72:
		s->key = b[1] & 0x0f;
		s->asc = b[2];
		s->ascq = len > 3 ? b[3] : 0;
		return true;
	default:
		return false;
	}
}

static struct stor_result failed(blk_status_t error)
{
	return (struct stor_result){ .verdict = STOR_FAILED, .error = error };
}

static struct stor_result judge_sense(const struct sense *s)
{
	struct stor_result r = { .verdict = STOR_FAILED, .error = BLK_STS_IOERR };

	switch (s->key) {
	case NO_SENSE:
	case RECOVERED_ERROR:
		r.verdict = STOR_DONE;
		break;
	case NOT_READY:
		/* becoming ready */
		if (s->asc == 0x04 && s->ascq == 0x01)
			r.verdict = STOR_LATER;
		break;
	case UNIT_ATTENTION:
		/* capacity, parameters or the list of disks have changed */
		r.rescan = s->asc == 0x2a || s->asc == 0x3f;
		r.verdict = STOR_RETRY;
		break;
	case ABORTED_COMMAND:
		r.verdict = STOR_RETRY;
		break;
	case MEDIUM_ERROR:
		r.error = BLK_STS_MEDIUM;
		break;
	case ILLEGAL_REQUEST:
		r.error = BLK_STS_TARGET;
		/* LOGICAL UNIT NOT SUPPORTED */
		if (s->asc == 0x25)
			r.verdict = STOR_GONE;
		/* INVALID COMMAND OPERATION CODE */
		r.unsupported = s->asc == 0x20;
		break;
	case DATA_PROTECT:
		/* SPACE ALLOCATION FAILED WRITE PROTECT */
		r.error = s->asc == 0x27 && s->ascq == 0x07 ? BLK_STS_NOSPC : BLK_STS_TARGET;
		break;
	}
	return r;
}

/**
 * stor_judge() - what became of a command
 * @srb: the request, as it came back
 *
 * Context: any.
 * Return: what to do with it.
 */
struct stor_result stor_judge(const STOR_REQUEST *srb)
{
	struct stor_result r = { .verdict = STOR_DONE };
	struct sense sense;

	if (srb->Status == STATUS_CANCELLED || srb->Status == STATUS_DEVICE_REMOVED)
		return (struct stor_result){ .verdict = STOR_RESEND };
	if (!NT_SUCCESS(srb->Status))
		return failed(BLK_STS_IOERR);

	if (STOR_SRB_CODE(srb->SrbStatus) == STOR_SRB_CODE_INVALID_LUN)
		return (struct stor_result){ .verdict = STOR_GONE, .rescan = true };

	switch (srb->ScsiStatus) {
	case SAM_STAT_GOOD:
		/* an overrun is an underrun, too: Transferred says */
		if (STOR_SRB_CODE(srb->SrbStatus) != STOR_SRB_CODE_SUCCESS &&
		    STOR_SRB_CODE(srb->SrbStatus) != STOR_SRB_CODE_DATA_OVERRUN)
			return failed(BLK_STS_IOERR);
		return r;
	case SAM_STAT_CHECK_CONDITION:
		if (!parse_sense(srb, &sense))
			return failed(BLK_STS_IOERR);
		r = judge_sense(&sense);
		break;
	case SAM_STAT_BUSY:
	case SAM_STAT_TASK_SET_FULL:
		return (struct stor_result){ .verdict = STOR_LATER };
	case SAM_STAT_TASK_ABORTED:
		return (struct stor_result){ .verdict = STOR_RETRY };
	case SAM_STAT_RESERVATION_CONFLICT:
		return failed(KMCL_STS_RESERVED);
	default:
		return failed(BLK_STS_IOERR);
	}
	if (r.verdict == STOR_GONE)
		r.rescan = true;
	return r;
}

/* ---- commands on data ---- */

void stor_cdb_rw(STOR_REQUEST *srb, bool write, u64 lba, u32 blocks)
{
	u8 *cdb = srb->Cdb;

	memset(cdb, 0, sizeof(srb->Cdb));
	if (lba + blocks > U32_MAX || blocks > U16_MAX) {
		srb->CdbLength = 16;
		cdb[0] = write ? WRITE_16 : READ_16;
		put_unaligned_be64(lba, &cdb[2]);
		put_unaligned_be32(blocks, &cdb[10]);
	} else {
		srb->CdbLength = 10;
		cdb[0] = write ? WRITE_10 : READ_10;
		put_unaligned_be32(lba, &cdb[2]);
		put_unaligned_be16(blocks, &cdb[7]);
	}
	srb->Direction = write ? StorDirectionOut : StorDirectionIn;
}

/* The whole cache: block 0, and 0 blocks for all of them. */
void stor_cdb_flush(STOR_REQUEST *srb)
{
	memset(srb->Cdb, 0, sizeof(srb->Cdb));
	srb->CdbLength = 10;
	srb->Cdb[0] = SYNCHRONIZE_CACHE;
	srb->Direction = StorDirectionNone;
}

/* Fills in the list of one extent, too; returns its length. */
u32 stor_cdb_unmap(STOR_REQUEST *srb, u8 *list, u64 lba, u32 blocks)
{
	const u32 len = 24;

	memset(list, 0, len);
	put_unaligned_be16(len - 2, &list[0]);
	put_unaligned_be16(16, &list[2]);
	put_unaligned_be64(lba, &list[8]);
	put_unaligned_be32(blocks, &list[16]);

	memset(srb->Cdb, 0, sizeof(srb->Cdb));
	srb->CdbLength = 10;
	srb->Cdb[0] = UNMAP;
	put_unaligned_be16(len, &srb->Cdb[7]);
	srb->Direction = StorDirectionOut;
	return len;
}

/* ---- commands of the scan ---- */

/* Bytes that the answer to a command of the scan may have. */
#define ANSWER_SIZE		1024

struct command {
	STOR_REQUEST srb;
	struct completion done;
	struct stor_mdl mdl;
	u8 *answer;
};

static VOID command_completed(PSTOR_REQUEST srb)
{
	struct command *c = container_of(srb, struct command, srb);

	complete(&c->done);
}

static struct command *command_new(u8 target, u8 lun)
{
	struct command *c = kzalloc(sizeof(*c), GFP_KERNEL);

	if (!c)
		return NULL;
	c->answer = kzalloc(ANSWER_SIZE, GFP_KERNEL);
	if (!c->answer) {
		kfree(c);
		return NULL;
	}
	init_completion(&c->done);
	c->srb.Completion = command_completed;
	c->srb.Target = target;
	c->srb.Lun = lun;
	return c;
}

static void command_free(struct command *c)
{
	kfree(c->answer);
	kfree(c);
}

static void command_set(struct command *c, u8 opcode, u8 cdb_len, u32 data_len)
{
	memset(c->srb.Cdb, 0, sizeof(c->srb.Cdb));
	c->srb.Cdb[0] = opcode;
	c->srb.CdbLength = cdb_len;
	c->srb.DataLength = data_len;
	c->srb.Direction = data_len ? StorDirectionIn : StorDirectionNone;
	c->srb.Mdl = data_len ? &c->mdl.mdl : NULL;
	c->srb.Timeout = stor_timeout;
}

/*
 * There is no way to take the answer's memory back from the host, so this waits
 * until the host has answered or the channel is closed, which remove does.
 */
static void command_wait(struct stor_adapter *a, struct command *c)
{
	unsigned int waited = 0;

	while (!wait_for_completion_timeout(&c->done, stor_timeout * HZ)) {
		waited += stor_timeout;
		dev_warn(a->dev, "target %u, LUN %u: command 0x%02x not answered for %u s, still waiting\n",
			 c->srb.Target, c->srb.Lun, c->srb.Cdb[0], waited);
	}
}

/* Return: 0; -ENODEV: no such disk; -ESHUTDOWN: no channel; or another errno. */
static int command_run(struct stor_adapter *a, struct command *c)
{
	unsigned int tries, later = 0;
	struct stor_result r;
	STOR_INFORMATION info;
	NTSTATUS status;

	StorQueryInformation(a->device, &info);
	c->srb.Path = info.Path;
	for (tries = 0; tries < 5; tries++) {
		if (READ_ONCE(a->removing))
			return -ESHUTDOWN;
		stor_mdl_init(&c->mdl);
		if (c->srb.DataLength)
			stor_mdl_add(&c->mdl, virt_to_phys(c->answer), c->srb.DataLength);
		reinit_completion(&c->done);
		status = StorSubmit(a->device, &c->srb);
		if (status == STATUS_INSUFFICIENT_RESOURCES && ++later < 100) {
			schedule_timeout_uninterruptible(HZ / 100 + 1);
			tries--;
			continue;
		}
		if (!NT_SUCCESS(status))
			return -ESHUTDOWN;
		command_wait(a, c);
		r = stor_judge(&c->srb);
		switch (r.verdict) {
		case STOR_DONE:
			return 0;
		case STOR_RETRY:
			continue;
		case STOR_LATER:
			/* ten seconds of it are enough */
			if (++later >= 100)
				return -EBUSY;
			schedule_timeout_uninterruptible(HZ / 10);
			tries--;
			continue;
		case STOR_GONE:
			return -ENODEV;
		case STOR_RESEND:
			return -ESHUTDOWN;
		default:
			return r.unsupported ? -EOPNOTSUPP : -EIO;
		}
	}
	return -EIO;
}

/**
 * stor_report_luns() - ask which LUNs there are
 * @a: adapter
 * @target: of which target
 * @luns: where a bit for each goes
 *
 * Return: 0, or a negative errno when the host does not say.
 */
int stor_report_luns(struct stor_adapter *a, u8 target, u64 luns[4])
{
	struct command *c = command_new(target, 0);
	u32 len, i;
	int ret;

	if (!c)
		return -ENOMEM;
	command_set(c, REPORT_LUNS, 12, ANSWER_SIZE);
	put_unaligned_be32(ANSWER_SIZE, &c->srb.Cdb[6]);
	ret = command_run(a, c);
	if (!ret && c->srb.Transferred < 8)
		ret = -EIO;
	if (ret)
		goto out;

	memset(luns, 0, 4 * sizeof(luns[0]));
	len = min(get_unaligned_be32(&c->answer[0]), c->srb.Transferred - 8) / 8;
	for (i = 0; i < len; i++) {
		const u8 *lun = &c->answer[8 + 8 * i];

		/* simple addressing alone: the protocol has a byte for it */
		if (!lun[0])
			luns[lun[1] / 64] |= 1ULL << lun[1] % 64;
	}
out:
	command_free(c);
	return ret;
}

/**
 * stor_inquire() - ask who is there
 * @a: adapter
 * @target: address
 * @lun: address
 * @type: where the peripheral type goes
 *
 * Return: 0, -ENODEV when nobody is, or another negative errno.
 */
int stor_inquire(struct stor_adapter *a, u8 target, u8 lun, u8 *type)
{
	struct command *c = command_new(target, lun);
	int ret;

	if (!c)
		return -ENOMEM;
	command_set(c, INQUIRY, 6, 36);
	c->srb.Cdb[4] = 36;
	ret = command_run(a, c);
	if (!ret && c->srb.Transferred < 5)
		ret = -EIO;
	if (!ret && c->answer[0] == PERIPHERAL_ABSENT)
		ret = -ENODEV;
	if (!ret)
		*type = c->answer[0] & PERIPHERAL_TYPE;
	command_free(c);
	return ret;
}

/* A disk that spins up says so; everything else shows later. */
static int wait_ready(struct stor_adapter *a, struct command *c)
{
	command_set(c, TEST_UNIT_READY, 6, 0);
	return command_run(a, c);
}

static int read_capacity(struct stor_adapter *a, struct command *c, struct stor_geometry *g)
{
	int ret;

	command_set(c, SERVICE_ACTION_IN_16, 16, 32);
	c->srb.Cdb[1] = SAI_READ_CAPACITY_16;
	put_unaligned_be32(32, &c->srb.Cdb[10]);
	ret = command_run(a, c);
	if (!ret && c->srb.Transferred >= 32) {
		g->blocks = get_unaligned_be64(&c->answer[0]) + 1;
		g->block_size = get_unaligned_be32(&c->answer[8]);
		g->physical_size = g->block_size << (c->answer[13] & 0x0f);
		g->unmap = c->answer[14] & 0x80;
		return 0;
	}

	command_set(c, READ_CAPACITY, 10, 8);
	ret = command_run(a, c);
	if (!ret && c->srb.Transferred < 8)
		ret = -EIO;
	if (!ret) {
		g->blocks = get_unaligned_be32(&c->answer[0]) + 1ULL;
		g->block_size = get_unaligned_be32(&c->answer[4]);
		g->physical_size = g->block_size;
		g->unmap = false;
	}
	return ret;
}

/* MODE SENSE for every page, of which only the header is wanted. */
static bool write_protected(struct stor_adapter *a, struct command *c)
{
	command_set(c, MODE_SENSE, 6, 4);
	c->srb.Cdb[2] = 0x3f;
	c->srb.Cdb[4] = 4;
	return !command_run(a, c) && c->srb.Transferred >= 4 && c->answer[2] & 0x80;
}

/* A page of vital product data: its length in bytes, 0 when the host has none. */
static u32 vital_data(struct stor_adapter *a, struct command *c, u8 page, u32 len)
{
	command_set(c, INQUIRY, 6, len);
	c->srb.Cdb[1] = 1;
	c->srb.Cdb[2] = page;
	put_unaligned_be16(len, &c->srb.Cdb[3]);
	memset(c->answer, 0, len);
	if (command_run(a, c) || c->srb.Transferred < 4 || c->answer[1] != page)
		return 0;
	return min(get_unaligned_be16(&c->answer[2]) + 4u, c->srb.Transferred);
}

/* Logical Block Provisioning says whether, Block Limits how much at a time. */
static void read_unmap(struct stor_adapter *a, struct command *c, struct stor_geometry *g)
{
	if (vital_data(a, c, 0xb2, 8) < 6 || !(c->answer[5] & 0x80)) {
		g->unmap = false;
		return;
	}
	g->unmap_granularity = 1;
	if (vital_data(a, c, 0xb0, 64) < 32) {
		g->unmap = false;
		return;
	}
	g->unmap_blocks = get_unaligned_be32(&c->answer[20]);
	if (!g->unmap_blocks || !get_unaligned_be32(&c->answer[24]))
		g->unmap = false;
	g->unmap_granularity = max(get_unaligned_be32(&c->answer[28]), 1U);
}

/**
 * stor_read_geometry() - ask a disk what it is like
 * @a: adapter
 * @target: address
 * @lun: address
 * @g: where it goes
 *
 * Return: 0; -ENODEV when it has gone; -EINVAL when it has a geometry that no
 * disk can have; another negative errno when it does not say.
 */
int stor_read_geometry(struct stor_adapter *a, u8 target, u8 lun, struct stor_geometry *g)
{
	struct command *c = command_new(target, lun);
	int ret;

	if (!c)
		return -ENOMEM;
	memset(g, 0, sizeof(*g));
	ret = wait_ready(a, c);
	if (!ret)
		ret = read_capacity(a, c, g);
	if (ret)
		goto out;
	if (g->block_size < SECTOR_SIZE || g->block_size > STOR_PAGE ||
	    !is_power_of_2(g->block_size) || !g->blocks ||
	    g->blocks > (u64)S64_MAX / g->block_size) {
		dev_warn(a->dev, "target %u, LUN %u: %llu blocks of %u bytes cannot be\n", target,
			 lun, g->blocks, g->block_size);
		ret = -EINVAL;
		goto out;
	}
	if (g->physical_size < g->block_size || g->physical_size > SZ_1M)
		g->physical_size = g->block_size;
	g->read_only = write_protected(a, c);
	if (g->unmap)
		read_unmap(a, c, g);
out:
	command_free(c);
	return ret;
}
