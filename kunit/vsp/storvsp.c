// SPDX-License-Identifier: GPL-2.0
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "../helper.h"
#include "storvsp.h"

static const GUID type = {
	0xba6163d9, 0x04a1, 0x4d29, { 0xb6, 0x05, 0x72, 0xe2, 0xff, 0xb1, 0xdc, 0x7f }
};

static const GUID instance = { 0x73746f72, 0x7673, 0x4000, { 0x80, 0, 0, 0, 0, 0, 0, 1 } };

/* ---- disks ---- */

BOOLEAN VspQueryDisk(PVOID System, ULONG Lun, PVSP_DISK Disk)
{
	if (Lun && Lun != SV_ROM)
		return FALSE;
	Disk->Blocks = SV_BLOCKS;
	Disk->BlockSize = SV_BLOCK;
	Disk->ReadOnly = Lun == SV_ROM;
	memcpy(Disk->Serial, "0123456789abcdef", 16);
	return TRUE;
}

static NTSTATUS serve(struct sv *sv, u64 offset, u64 len)
{
	atomic_inc(&sv->served);
	if (sv->gate)
		wait_for_completion(sv->gate);
	KUNIT_EXPECT_LE(sv->test, offset + len, (u64)SV_BLOCKS * SV_BLOCK);
	return READ_ONCE(sv->fail) ? STATUS_UNSUCCESSFUL : STATUS_SUCCESS;
}

NTSTATUS VspRead(PVOID System, ULONG Lun, ULONG64 Offset, PVOID Buffer, ULONG Length)
{
	struct sv *sv = System;
	NTSTATUS status = serve(sv, Offset, Length);

	if (NT_SUCCESS(status))
		memcpy(Buffer, sv->memory + Offset, Length);
	return status;
}

NTSTATUS VspWrite(PVOID System, ULONG Lun, ULONG64 Offset, const VOID *Buffer, ULONG Length)
{
	struct sv *sv = System;
	NTSTATUS status = serve(sv, Offset, Length);

	if (NT_SUCCESS(status))
		memcpy(sv->memory + Offset, Buffer, Length);
	return status;
}

NTSTATUS VspUnmap(PVOID System, ULONG Lun, ULONG64 Offset, ULONG64 Length)
{
	struct sv *sv = System;
	NTSTATUS status = serve(sv, Offset, Length);

	if (NT_SUCCESS(status))
		memset(sv->memory + Offset, 0, Length);
	return status;
}

/* ---- the client ---- */

u32 sv_ask(struct client *c, enum sv_op op, struct sv_msg *msg)
{
	struct sv_msg answer = { };
	int len;

	msg->op = cpu_to_le32(op);
	msg->flags = cpu_to_le32(1);
	len = client_ask(c, msg, sizeof(*msg), NULL, &answer, sizeof(answer));
	KUNIT_EXPECT_EQ(c->test, len, (int)sizeof(*msg));
	KUNIT_EXPECT_EQ(c->test, le32_to_cpu(answer.op), SV_COMPLETE);
	*msg = answer;
	return le32_to_cpu(answer.status);
}

void sv_connect(struct sv *sv, u16 version)
{
	struct sv_msg msg = { };

	client_open(sv->c);
	KUNIT_ASSERT_EQ(sv->test, sv_ask(sv->c, SV_BEGIN, &msg), 0u);
	msg.words[0] = cpu_to_le16(version);
	KUNIT_ASSERT_EQ(sv->test, sv_ask(sv->c, SV_VERSION, &msg), 0u);
	KUNIT_ASSERT_EQ(sv->test, sv_ask(sv->c, SV_PROPERTIES, &msg), 0u);
	KUNIT_ASSERT_EQ(sv->test, sv_ask(sv->c, SV_END, &msg), 0u);
}

void sv_command(struct sv_msg *msg, const u8 *cdb, u8 cdb_len, u8 data_in, u32 transfer)
{
	memset(msg, 0, sizeof(*msg));
	msg->op = cpu_to_le32(SV_SRB);
	msg->flags = cpu_to_le32(1);
	msg->length = cpu_to_le16(52);
	msg->cdb_len = cdb_len;
	memcpy(msg->cdb, cdb, cdb_len);
	msg->sense_len = 20;
	msg->data_in = data_in;
	msg->transfer = cpu_to_le32(transfer);
}

PMDL sv_mdl(struct kunit *test, void *buf, u32 len)
{
	PMDL mdl = IoAllocateMdl(buf, len, FALSE, FALSE, NULL);

	KUNIT_ASSERT_NOT_NULL(test, mdl);
	MmBuildMdlForNonPagedPool(mdl);
	return mdl;
}

void sv_run(struct client *c, struct sv_msg *msg, void *buf, u32 len)
{
	PMDL mdl = len ? sv_mdl(c->test, buf, len) : NULL;
	struct sv_msg answer = { };

	KUNIT_EXPECT_EQ(c->test, client_ask(c, msg, sizeof(*msg), mdl, &answer, sizeof(answer)),
			(int)sizeof(answer));
	KUNIT_EXPECT_EQ(c->test, le32_to_cpu(answer.op), SV_COMPLETE);
	*msg = answer;
	if (mdl)
		IoFreeMdl(mdl);
}

u8 sv_do(struct sv *sv, struct sv_msg *msg, const u8 *cdb, u8 cdb_len, u8 data_in, void *buf,
	 u32 len)
{
	sv_command(msg, cdb, cdb_len, data_in, len);
	sv_run(sv->c, msg, buf, len);
	KUNIT_EXPECT_EQ(sv->test, le32_to_cpu(msg->status), 0u);
	return msg->srb_status;
}

void sv_expect_sense(struct kunit *test, const struct sv_msg *msg, u8 key, u8 code)
{
	KUNIT_EXPECT_EQ(test, msg->srb_status, SV_ERROR);
	KUNIT_EXPECT_EQ(test, msg->scsi_status, 2);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(msg->transfer), 0u);
	KUNIT_EXPECT_EQ(test, msg->sense_len, 18);
	KUNIT_EXPECT_EQ(test, msg->cdb[0], 0x70);
	KUNIT_EXPECT_EQ(test, msg->cdb[2], key);
	KUNIT_EXPECT_EQ(test, msg->cdb[12], code);
}

s64 sv_bad(struct sv *sv)
{
	VSP_INFORMATION info;

	VspQueryInformation(sv->server, &info);
	return info.BadMessages;
}

/* ---- the frame ---- */

void sv_create(struct sv *sv)
{
	const VSP_CONFIG config = {
		.Name = "storvsp under test",
		.Instance = instance,
		.SubChannels = SV_SUBS,
		.MaximumTransfer = SV_TRANSFER,
	};

	KUNIT_ASSERT_EQ(sv->test, VspCreate(NULL, sv, &config, &sv->server), STATUS_SUCCESS);
}

int sv_init(struct kunit *test)
{
	struct sv *sv = kunit_kzalloc(test, sizeof(*sv), GFP_KERNEL);

	if (!sv)
		return -ENOMEM;
	test->priv = sv;
	sv->test = test;
	sv->memory = vzalloc(SV_BLOCKS * SV_BLOCK);
	if (!sv->memory)
		return -ENOMEM;
	sv_create(sv);
	KUNIT_ASSERT_EQ(test, VspOffer(sv->server), STATUS_SUCCESS);
	sv->c = client_new(test, &type, &instance, 0);
	return 0;
}

void sv_exit(struct kunit *test)
{
	struct sv *sv = test->priv;

	if (!sv)
		return;
	if (sv->gate)
		complete_all(sv->gate);
	clients_drop();
	if (sv->server)
		VspDestroy(sv->server);
	kmcl_nt_flush();
	vfree(sv->memory);
}
