// SPDX-License-Identifier: GPL-2.0
/*
 * The storage VSP: its commands, and where the data go.
 */
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#define KMCL_COMPAT_BLOCK
#include "compat.h"
#include "../helper.h"
#include "storvsp.h"

static int init(struct kunit *test)
{
	int ret = sv_init(test);

	if (!ret)
		sv_connect(test->priv, 0x0602);
	return ret;
}

/* ---- what is asked about a disk ---- */

static void inquire(struct sv *sv, u8 path, u8 target, u8 lun, u8 expect)
{
	static const u8 inquiry[] = { 0x12, 0, 0, 0, 36, 0 };
	u8 *buf = kunit_kzalloc(sv->test, 36, GFP_KERNEL);
	struct sv_msg msg;

	KUNIT_ASSERT_NOT_NULL(sv->test, buf);
	sv_command(&msg, inquiry, 6, SV_IN, 36);
	msg.path = path;
	msg.target = target;
	msg.lun = lun;
	sv_run(sv->c, &msg, buf, 36);
	KUNIT_EXPECT_EQ(sv->test, msg.srb_status, SV_GOOD);
	KUNIT_EXPECT_EQ(sv->test, buf[0], expect);
	KUNIT_EXPECT_MEMEQ(sv->test, &buf[8], "KMCL    ", 8);
}

static void inquiry_tells_where_there_is_a_disk(struct kunit *test)
{
	struct sv *sv = test->priv;
	int lun;

	for (lun = 0; lun < 10; lun++)
		inquire(sv, 0, 0, lun, lun == 0 || lun == SV_ROM ? 0 : 0x7f);
	inquire(sv, 0, 0, 255, 0x7f);
	inquire(sv, 0, 1, 0, 0x7f);
	inquire(sv, 1, 0, 0, 0x7f);
}

static void other_commands_to_a_disk_that_is_not_there_fail(struct kunit *test)
{
	static const u8 commands[][10] = { { 0x00 }, { 0x28 }, { 0x25 }, { 0x35 } };
	struct sv *sv = test->priv;
	struct sv_msg msg;
	int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		sv_command(&msg, commands[i], 10, SV_NONE, 0);
		msg.lun = 1;
		sv_run(sv->c, &msg, NULL, 0);
		sv_expect_sense(test, &msg, 0x5, 0x25);
	}
}

static void every_page_that_is_listed_is_there(struct kunit *test)
{
	u8 *buf = kunit_kzalloc(test, 512, GFP_KERNEL), pages[32], n, i;
	u8 inquiry[] = { 0x12, 1, 0, 0, 255, 0 };
	struct sv *sv = test->priv;
	struct sv_msg msg;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_EXPECT_EQ(test, sv_do(sv, &msg, inquiry, 6, SV_IN, buf, 255), SV_OVERRUN);
	n = buf[3];
	KUNIT_EXPECT_EQ(test, le32_to_cpu(msg.transfer), 4u + n);
	KUNIT_ASSERT_LE(test, (size_t)n, sizeof(pages));
	memcpy(pages, &buf[4], n);
	for (i = 0; i < n; i++) {
		inquiry[2] = pages[i];
		KUNIT_EXPECT_EQ(test, sv_do(sv, &msg, inquiry, 6, SV_IN, buf, 255), SV_OVERRUN);
		KUNIT_EXPECT_EQ(test, buf[1], pages[i]);
		KUNIT_EXPECT_EQ(test, le32_to_cpu(msg.transfer), 4u + get_unaligned_be16(&buf[2]));
		if (pages[i] == 0x80)
			KUNIT_EXPECT_MEMEQ(test, &buf[4], "0123456789abcdef", 16);
		if (pages[i] == 0xb0)
			KUNIT_EXPECT_EQ(test, get_unaligned_be32(&buf[8]), SV_TRANSFER / SV_BLOCK);
	}
	inquiry[2] = 0x42;
	sv_do(sv, &msg, inquiry, 6, SV_IN, buf, 255);
	sv_expect_sense(test, &msg, 0x5, 0x24);
}

static void report_luns_lists_the_disks(struct kunit *test)
{
	static const u8 report[12] = { 0xa0, [9] = 64 };
	u8 *buf = kunit_kzalloc(test, 64, GFP_KERNEL);
	struct sv *sv = test->priv;
	struct sv_msg msg;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_EXPECT_EQ(test, sv_do(sv, &msg, report, 12, SV_IN, buf, 64), SV_GOOD);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(msg.transfer), 24u);
	KUNIT_EXPECT_EQ(test, get_unaligned_be32(buf), 16u);
	KUNIT_EXPECT_EQ(test, get_unaligned_be64(&buf[8]), 0ull);
	KUNIT_EXPECT_EQ(test, get_unaligned_be64(&buf[16]), (u64)SV_ROM << 48);
}

static void both_capacities_agree(struct kunit *test)
{
	static const u8 ten[10] = { 0x25 }, sixteen[16] = { 0x9e, 0x10, [13] = 32 };
	u8 *buf = kunit_kzalloc(test, 32, GFP_KERNEL);
	struct sv *sv = test->priv;
	struct sv_msg msg;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_EXPECT_EQ(test, sv_do(sv, &msg, ten, 10, SV_IN, buf, 8), SV_GOOD);
	KUNIT_EXPECT_EQ(test, get_unaligned_be32(buf), SV_BLOCKS - 1);
	KUNIT_EXPECT_EQ(test, get_unaligned_be32(&buf[4]), SV_BLOCK);
	KUNIT_EXPECT_EQ(test, sv_do(sv, &msg, sixteen, 16, SV_IN, buf, 32), SV_GOOD);
	KUNIT_EXPECT_EQ(test, get_unaligned_be64(buf), (u64)SV_BLOCKS - 1);
	KUNIT_EXPECT_EQ(test, get_unaligned_be32(&buf[8]), SV_BLOCK);
	KUNIT_EXPECT_EQ(test, buf[13], 3);
	KUNIT_EXPECT_EQ(test, buf[14], 0xc0);
}

/* What is asked for, what is lent and what there is: the least of them is written. */
static void an_answer_is_as_long_as_there_is_room(struct kunit *test)
{
	u8 *buf = kunit_kzalloc(test, 64, GFP_KERNEL), inquiry[6] = { 0x12 };
	struct sv *sv = test->priv;
	u32 asked, lent, least;
	struct sv_msg msg;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	for (asked = 0; asked <= 40; asked += 5) {
		for (lent = 0; lent <= 64; lent += 8) {
			memset(buf, 0xee, 64);
			inquiry[4] = asked;
			least = min3(asked, lent, 36u);
			sv_do(sv, &msg, inquiry, 6, lent ? SV_IN : SV_NONE, buf, lent);
			KUNIT_EXPECT_EQ(test, msg.srb_status, least == lent ? SV_GOOD : SV_OVERRUN);
			KUNIT_EXPECT_EQ(test, le32_to_cpu(msg.transfer), least);
			KUNIT_EXPECT_NULL(test, memchr_inv(buf + least, 0xee, 64 - least));
		}
	}
}

static void mode_sense_tells_of_write_protection(struct kunit *test)
{
	static const u8 six[6] = { 0x1a, 0, 0x3f, 0, 24 }, ten[10] = { 0x5a, 0, 0x08, [8] = 28 };
	u8 *buf = kunit_kzalloc(test, 28, GFP_KERNEL);
	struct sv *sv = test->priv;
	struct sv_msg msg;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_EXPECT_EQ(test, sv_do(sv, &msg, six, 6, SV_IN, buf, 24), SV_GOOD);
	KUNIT_EXPECT_EQ(test, buf[0], 23);
	KUNIT_EXPECT_EQ(test, buf[2] & 0x80, 0);
	KUNIT_EXPECT_EQ(test, sv_do(sv, &msg, ten, 10, SV_IN, buf, 28), SV_GOOD);
	KUNIT_EXPECT_EQ(test, get_unaligned_be16(buf), 26);
	/* no write cache */
	KUNIT_EXPECT_EQ(test, buf[8], 0x08);
	KUNIT_EXPECT_EQ(test, buf[10] & 0x04, 0);
	sv_command(&msg, six, 6, SV_IN, 24);
	msg.lun = SV_ROM;
	sv_run(sv->c, &msg, buf, 24);
	KUNIT_EXPECT_EQ(test, buf[2] & 0x80, 0x80);
}

/* ---- blocks ---- */

static u8 build_rw(u8 *cdb, int size, bool write, u64 lba, u32 count)
{
	memset(cdb, 0, 16);
	switch (size) {
	case 6:
		cdb[0] = write ? 0x0a : 0x08;
		put_unaligned_be16(lba, &cdb[2]);
		cdb[1] = lba >> 16;
		cdb[4] = count;
		break;
	case 10:
		cdb[0] = write ? 0x2a : 0x28;
		put_unaligned_be32(lba, &cdb[2]);
		put_unaligned_be16(count, &cdb[7]);
		break;
	case 12:
		cdb[0] = write ? 0xaa : 0xa8;
		put_unaligned_be32(lba, &cdb[2]);
		put_unaligned_be32(count, &cdb[6]);
		break;
	default:
		cdb[0] = write ? 0x8a : 0x88;
		put_unaligned_be64(lba, &cdb[2]);
		put_unaligned_be32(count, &cdb[10]);
		break;
	}
	return size;
}

static u8 rw(struct sv *sv, int size, bool write, u64 lba, u32 count, void *buf)
{
	struct sv_msg msg;
	u8 cdb[16];

	build_rw(cdb, size, write, lba, count);
	return sv_do(sv, &msg, cdb, size, write ? SV_OUT : SV_IN, buf, count * SV_BLOCK);
}

static void what_is_written_is_read(struct kunit *test)
{
	static const int sizes[] = { 6, 10, 12, 16 };
	u32 count = 37, len = count * SV_BLOCK;
	u8 *out = vmalloc(len + 512), *in = vmalloc(len + 512);
	struct sv *sv = test->priv;
	u64 lba;
	int i;

	KUNIT_EXPECT_TRUE(test, out && in);
	for (i = 0; out && in && i < ARRAY_SIZE(sizes); i++) {
		lba = 11 + 500 * i;
		get_random_bytes(out, len + 512);
		memset(in, 0xee, len + 512);
		/* scattered pages, and an offset into the first */
		KUNIT_EXPECT_EQ(test, rw(sv, sizes[i], true, lba, count, out + 104), SV_GOOD);
		KUNIT_EXPECT_MEMEQ(test, sv->memory + lba * SV_BLOCK, out + 104, len);
		KUNIT_EXPECT_EQ(test, rw(sv, sizes[3 - i], false, lba, count, in + 256), SV_GOOD);
		KUNIT_EXPECT_MEMEQ(test, in + 256, out + 104, len);
		KUNIT_EXPECT_NULL(test, memchr_inv(in, 0xee, 256));
		KUNIT_EXPECT_NULL(test, memchr_inv(in + 256 + len, 0xee, 256));
	}
	sv_expect_bad(sv, 0);
	vfree(out);
	vfree(in);
}

static void the_data_may_lie_in_pieces(struct kunit *test)
{
	static const u32 piece[] = { 4096, 512, 8192, 24, 488 };
	u8 *mem[ARRAY_SIZE(piece)], cdb[16];
	struct sv *sv = test->priv;
	PMDL mdl[ARRAY_SIZE(piece)];
	struct sv_msg msg, answer;
	u32 len = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(piece); i++) {
		mem[i] = kunit_kzalloc(test, piece[i], GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, mem[i]);
		get_random_bytes(mem[i], piece[i]);
		mdl[i] = sv_mdl(test, mem[i], piece[i]);
		if (i)
			mdl[i - 1]->Next = mdl[i];
		len += piece[i];
	}
	sv_command(&msg, cdb, build_rw(cdb, 10, true, 100, len / SV_BLOCK), SV_OUT, len);
	KUNIT_EXPECT_EQ(test, client_ask(sv->c, &msg, 64, mdl[0], &answer, 64), 64);
	KUNIT_EXPECT_EQ(test, answer.srb_status, SV_GOOD);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(answer.transfer), len);
	len = 100 * SV_BLOCK;
	for (i = 0; i < ARRAY_SIZE(piece); i++) {
		KUNIT_EXPECT_MEMEQ(test, sv->memory + len, mem[i], piece[i]);
		len += piece[i];
		IoFreeMdl(mdl[i]);
	}
}

static void blocks_that_do_not_exist_are_out_of_range(struct kunit *test)
{
	static const struct {
		u64 lba;
		u32 count;
	} bad[] = {
		{ SV_BLOCKS, 1 },
		{ SV_BLOCKS - 1, 2 },
		{ SV_BLOCKS + 1, 0 },
		{ 0, SV_BLOCKS + 1 },
		{ 1, U32_MAX },
		{ U64_MAX, 1 },
		{ U64_MAX - 1, 2 },
		{ 1ULL << 55, 8 },
		{ 1ULL << 32, 0 },
	};
	u8 *buf = kunit_kzalloc(test, 4096, GFP_KERNEL), cdb[16];
	struct sv *sv = test->priv;
	struct sv_msg msg;
	int i, write;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		for (write = 0; write < 2; write++) {
			build_rw(cdb, 16, write, bad[i].lba, bad[i].count);
			sv_do(sv, &msg, cdb, 16, write ? SV_OUT : SV_IN, buf, 4096);
			sv_expect_sense(test, &msg, 0x5, 0x21);
		}
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&sv->served), 0);
	/* nothing at the very end is something */
	build_rw(cdb, 16, false, SV_BLOCKS, 0);
	KUNIT_EXPECT_EQ(test, sv_do(sv, &msg, cdb, 16, SV_NONE, NULL, 0), SV_GOOD);
}

/* A client that lies about lengths gets an error, and nobody else's memory. */
static void lengths_that_do_not_fit_are_refused(struct kunit *test)
{
	u8 *buf = kunit_kzalloc(test, 8192, GFP_KERNEL), cdb[16];
	struct sv *sv = test->priv;
	struct sv_msg msg;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	/* more than came along */
	sv_command(&msg, cdb, build_rw(cdb, 10, true, 0, 16), SV_OUT, 8192);
	sv_run(sv->c, &msg, buf, 8184);
	KUNIT_EXPECT_EQ(test, msg.srb_status, SV_INVALID);
	sv_command(&msg, cdb, 10, SV_OUT, 8192);
	sv_run(sv->c, &msg, NULL, 0);
	KUNIT_EXPECT_EQ(test, msg.srb_status, SV_INVALID);
	/* more than was agreed */
	sv_command(&msg, cdb, 10, SV_OUT, SV_TRANSFER + 512);
	sv_run(sv->c, &msg, buf, 8192);
	KUNIT_EXPECT_EQ(test, msg.srb_status, SV_INVALID);
	sv_command(&msg, cdb, 10, SV_OUT, U32_MAX);
	sv_run(sv->c, &msg, buf, 8192);
	KUNIT_EXPECT_EQ(test, msg.srb_status, SV_INVALID);
	/* a longer command than there can be, and a direction that there is not */
	sv_command(&msg, cdb, 10, SV_OUT, 8192);
	msg.cdb_len = 17;
	sv_run(sv->c, &msg, buf, 8192);
	KUNIT_EXPECT_EQ(test, msg.srb_status, SV_INVALID);
	sv_command(&msg, cdb, 10, 3, 8192);
	sv_run(sv->c, &msg, buf, 8192);
	KUNIT_EXPECT_EQ(test, msg.srb_status, SV_INVALID);
	sv_expect_bad(sv, 6);
	/* half a command */
	sv_command(&msg, cdb, 9, SV_OUT, 8192);
	sv_run(sv->c, &msg, buf, 8192);
	sv_expect_sense(test, &msg, 0x5, 0x24);
	/* more blocks than data, and data the wrong way */
	sv_do(sv, &msg, cdb, build_rw(cdb, 10, true, 0, 17), SV_OUT, buf, 8192);
	sv_expect_sense(test, &msg, 0x5, 0x24);
	sv_do(sv, &msg, cdb, build_rw(cdb, 10, true, 0, 16), SV_IN, buf, 8192);
	sv_expect_sense(test, &msg, 0x5, 0x24);
	sv_do(sv, &msg, cdb, build_rw(cdb, 10, false, 0, 16), SV_OUT, buf, 8192);
	sv_expect_sense(test, &msg, 0x5, 0x24);
	/* 256 blocks, in disguise */
	sv_do(sv, &msg, cdb, build_rw(cdb, 6, false, 0, 0), SV_IN, buf, 8192);
	sv_expect_sense(test, &msg, 0x5, 0x24);
	KUNIT_EXPECT_EQ(test, atomic_read(&sv->served), 0);
	/* fewer blocks than data are no harm */
	sv_do(sv, &msg, cdb, build_rw(cdb, 10, false, 0, 8), SV_IN, buf, 8192);
	KUNIT_EXPECT_EQ(test, msg.srb_status, SV_OVERRUN);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(msg.transfer), 4096u);
}

static void commands_that_nobody_knows_say_so(struct kunit *test)
{
	static const u8 known[] = { 0x00, 0x03, 0x08, 0x0a, 0x12, 0x1a, 0x1b, 0x25, 0x28, 0x2a,
				    0x35, 0x42, 0x5a, 0x88, 0x8a, 0x91, 0x9e, 0xa0, 0xa8, 0xaa };
	struct sv *sv = test->priv;
	struct sv_msg msg;
	u8 cdb[16] = { };
	int i;

	for (i = 0; i < 256; i++) {
		cdb[0] = i;
		sv_do(sv, &msg, cdb, 16, SV_NONE, NULL, 0);
		if (!memchr(known, i, sizeof(known)))
			sv_expect_sense(test, &msg, 0x5, 0x20);
		else
			KUNIT_EXPECT_FALSE(test, msg.srb_status == SV_ERROR && msg.cdb[12] == 0x20);
	}
}

static void a_disk_that_is_write_protected_keeps_its_contents(struct kunit *test)
{
	static const u8 unmap[10] = { 0x42, [8] = 24 };
	u8 *buf = kunit_kzalloc(test, 512, GFP_KERNEL), cdb[16];
	struct sv *sv = test->priv;
	struct sv_msg msg;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	sv_command(&msg, cdb, build_rw(cdb, 10, true, 0, 1), SV_OUT, 512);
	msg.lun = SV_ROM;
	sv_run(sv->c, &msg, buf, 512);
	sv_expect_sense(test, &msg, 0x7, 0x27);
	sv_command(&msg, unmap, 10, SV_OUT, 24);
	msg.lun = SV_ROM;
	sv_run(sv->c, &msg, buf, 24);
	sv_expect_sense(test, &msg, 0x7, 0x27);
	KUNIT_EXPECT_EQ(test, atomic_read(&sv->served), 0);
	sv_command(&msg, cdb, build_rw(cdb, 10, false, 0, 1), SV_IN, 512);
	msg.lun = SV_ROM;
	sv_run(sv->c, &msg, buf, 512);
	KUNIT_EXPECT_EQ(test, msg.srb_status, SV_GOOD);
}

static void unmap_part(u8 *list, int part, u64 lba, u32 count)
{
	put_unaligned_be64(lba, &list[8 + 16 * part]);
	put_unaligned_be32(count, &list[16 + 16 * part]);
}

static void unmapped_blocks_are_zeros(struct kunit *test)
{
	static const u8 unmap[10] = { 0x42, [8] = 40 };
	u8 *list = kunit_kzalloc(test, 40, GFP_KERNEL);
	struct sv *sv = test->priv;
	struct sv_msg msg;

	KUNIT_ASSERT_NOT_NULL(test, list);
	memset(sv->memory, 0x55, SV_BLOCKS * SV_BLOCK);
	put_unaligned_be16(38, &list[0]);
	put_unaligned_be16(32, &list[2]);
	unmap_part(list, 0, 1, 2);
	unmap_part(list, 1, SV_BLOCKS - 1, 1);
	KUNIT_EXPECT_EQ(test, sv_do(sv, &msg, unmap, 10, SV_OUT, list, 40), SV_GOOD);
	KUNIT_EXPECT_NULL(test, memchr_inv(sv->memory, 0x55, 512));
	KUNIT_EXPECT_NULL(test, memchr_inv(sv->memory + 512, 0, 1024));
	KUNIT_EXPECT_NULL(test, memchr_inv(sv->memory + 1536, 0x55, SV_BLOCKS * SV_BLOCK - 2048));
	KUNIT_EXPECT_NULL(test, memchr_inv(sv->memory + (SV_BLOCKS - 1) * 512, 0, 512));
}

static void a_bad_list_of_unmap_changes_nothing(struct kunit *test)
{
	u8 *list = kunit_kzalloc(test, 4096, GFP_KERNEL), unmap[10] = { 0x42 };
	struct sv *sv = test->priv;
	struct sv_msg msg;

	KUNIT_ASSERT_NOT_NULL(test, list);
	/* the second part is no part of the disk: the first stays as well */
	unmap[8] = 40;
	put_unaligned_be16(32, &list[2]);
	unmap_part(list, 0, 0, 1);
	unmap_part(list, 1, SV_BLOCKS, 1);
	sv_do(sv, &msg, unmap, 10, SV_OUT, list, 40);
	sv_expect_sense(test, &msg, 0x5, 0x21);
	unmap_part(list, 1, U64_MAX, U32_MAX);
	sv_do(sv, &msg, unmap, 10, SV_OUT, list, 40);
	sv_expect_sense(test, &msg, 0x5, 0x21);
	/* more parts than the list has */
	put_unaligned_be16(48, &list[2]);
	sv_do(sv, &msg, unmap, 10, SV_OUT, list, 40);
	sv_expect_sense(test, &msg, 0x5, 0x26);
	/* no head, more than is lent, more than is taken */
	unmap[8] = 7;
	sv_do(sv, &msg, unmap, 10, SV_OUT, list, 7);
	sv_expect_sense(test, &msg, 0x5, 0x1a);
	unmap[8] = 40;
	sv_do(sv, &msg, unmap, 10, SV_OUT, list, 32);
	sv_expect_sense(test, &msg, 0x5, 0x1a);
	put_unaligned_be16(4096, &unmap[7]);
	sv_do(sv, &msg, unmap, 10, SV_OUT, list, 4096);
	sv_expect_sense(test, &msg, 0x5, 0x1a);
	KUNIT_EXPECT_EQ(test, atomic_read(&sv->served), 0);
	memset(unmap + 7, 0, 2);
	KUNIT_EXPECT_EQ(test, sv_do(sv, &msg, unmap, 10, SV_NONE, NULL, 0), SV_GOOD);
}

static void a_disk_that_fails_is_a_medium_error(struct kunit *test)
{
	static const u8 unmap[10] = { 0x42, [8] = 24 };
	u8 *buf = kunit_kzalloc(test, 512, GFP_KERNEL), cdb[16];
	struct sv *sv = test->priv;
	struct sv_msg msg;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	sv->fail = true;
	sv_do(sv, &msg, cdb, build_rw(cdb, 10, false, 0, 1), SV_IN, buf, 512);
	sv_expect_sense(test, &msg, 0x3, 0x11);
	sv_do(sv, &msg, cdb, build_rw(cdb, 10, true, 0, 1), SV_OUT, buf, 512);
	sv_expect_sense(test, &msg, 0x3, 0x0c);
	put_unaligned_be16(16, &buf[2]);
	unmap_part(buf, 0, 0, 1);
	sv_do(sv, &msg, unmap, 10, SV_OUT, buf, 24);
	sv_expect_sense(test, &msg, 0x3, 0x0c);
	sv->fail = false;
	KUNIT_EXPECT_EQ(test, rw(sv, 10, false, 0, 1, buf), SV_GOOD);
}

/* ---- many, and the end ---- */

struct async {
	atomic_t answered;
	atomic_t good;
	atomic_t ended;
};

static VOID async_done(VMBPACKET packet, PVOID context, NTSTATUS status, PVOID buf, UINT32 len)
{
	struct sv_msg *answer = buf;
	struct async *a = context;

	if (NT_SUCCESS(status)) {
		atomic_inc(&a->answered);
		if (len == sizeof(*answer) && answer->srb_status == SV_GOOD)
			atomic_inc(&a->good);
	}
	VmbPacketFree(packet);
	atomic_inc(&a->ended);
}

static void send_read(struct kunit *test, struct client *c, struct async *a, PMDL mdl, u64 lba)
{
	VMBPACKET packet = VmbPacketAllocate(c->ch);
	struct sv_msg msg;
	u8 cdb[16];

	KUNIT_ASSERT_NOT_NULL(test, packet);
	VmbPacketSetCompletionRoutineEx(packet, a, async_done);
	sv_command(&msg, cdb, build_rw(cdb, 10, false, lba, 1), SV_IN, 512);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(packet, &msg, sizeof(msg), mdl,
					    VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION),
			STATUS_SUCCESS);
}

#define MANY	200

static void many_commands_are_each_answered_once(struct kunit *test)
{
	struct async a = { };
	struct sv *sv = test->priv;
	u8 *buf = vmalloc(MANY * 512);
	static PMDL mdl[MANY];
	int i;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	for (i = 0; i < MANY; i++)
		memset(sv->memory + i * 512, i, 512);
	for (i = 0; i < MANY; i++) {
		mdl[i] = sv_mdl(test, buf + i * 512, 512);
		send_read(test, sv->c, &a, mdl[i], i);
	}
	KUNIT_EXPECT_TRUE(test, becomes(atomic_read(&a.ended) == MANY));
	KUNIT_EXPECT_EQ(test, atomic_read(&a.good), MANY);
	KUNIT_EXPECT_MEMEQ(test, buf, sv->memory, MANY * 512);
	for (i = 0; i < MANY; i++)
		IoFreeMdl(mdl[i]);
	vfree(buf);
}

static void close_client(void *arg)
{
	client_close(arg);
}

static void a_client_that_closes_is_waited_for(struct kunit *test)
{
	DECLARE_COMPLETION_ONSTACK(gate);
	struct async a = { };
	struct sv *sv = test->priv;
	u8 *buf = kunit_kzalloc(test, 8 * 512, GFP_KERNEL);
	VSP_INFORMATION info;
	struct helper closer;
	PMDL mdl[8];
	int i;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	sv->gate = &gate;
	for (i = 0; i < 8; i++) {
		mdl[i] = sv_mdl(test, buf + i * 512, 512);
		send_read(test, sv->c, &a, mdl[i], i);
	}
	KUNIT_EXPECT_TRUE(test, becomes((VspQueryInformation(sv->server, &info),
					 info.Waiting == 7)));
	KUNIT_EXPECT_EQ(test, atomic_read(&sv->served), 1);
	KUNIT_ASSERT_TRUE(test, helper_start(&closer, close_client, sv->c));
	complete_all(&gate);
	KUNIT_EXPECT_TRUE(test, helper_join(&closer));
	KUNIT_EXPECT_EQ(test, atomic_read(&a.ended), 8);
	KUNIT_EXPECT_TRUE(test, becomes((VspQueryInformation(sv->server, &info),
					 !info.Channels && !info.Waiting)));
	sv->gate = NULL;
	for (i = 0; i < 8; i++)
		IoFreeMdl(mdl[i]);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(inquiry_tells_where_there_is_a_disk),
	KUNIT_CASE(other_commands_to_a_disk_that_is_not_there_fail),
	KUNIT_CASE(every_page_that_is_listed_is_there),
	KUNIT_CASE(report_luns_lists_the_disks),
	KUNIT_CASE(both_capacities_agree),
	KUNIT_CASE(an_answer_is_as_long_as_there_is_room),
	KUNIT_CASE(mode_sense_tells_of_write_protection),
	KUNIT_CASE(what_is_written_is_read),
	KUNIT_CASE(the_data_may_lie_in_pieces),
	KUNIT_CASE(blocks_that_do_not_exist_are_out_of_range),
	KUNIT_CASE(lengths_that_do_not_fit_are_refused),
	KUNIT_CASE(commands_that_nobody_knows_say_so),
	KUNIT_CASE(a_disk_that_is_write_protected_keeps_its_contents),
	KUNIT_CASE(unmapped_blocks_are_zeros),
	KUNIT_CASE(a_bad_list_of_unmap_changes_nothing),
	KUNIT_CASE(a_disk_that_fails_is_a_medium_error),
	KUNIT_CASE(many_commands_are_each_answered_once),
	KUNIT_CASE(a_client_that_closes_is_waited_for),
	{}
};

static struct kunit_suite suite = {
	.name = "vsp_storvsp_scsi",
	.init = init,
	.exit = sv_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
