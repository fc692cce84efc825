// SPDX-License-Identifier: GPL-2.0
/*
 * Restoring a server channel, as far as it is reading; see save.h for the state machine.
 *
 * Records are read and kept by records.c.  What they ask for is done when the last one has
 * come (adopt.c).
 */
#include <linux/export.h>
#include <linux/slab.h>
#include "kmcl.h"
#include "observe.h"
#include "save.h"
#include "server.h"

static_assert(KMCL_SAVE_EPOCHS == KMCL_ID_EPOCHS);

static struct kmcl_restore *restore_new(const struct kmcl_channel *ch)
{
	struct kmcl_restore *r = kzalloc(sizeof(*r), GFP_KERNEL);

	if (!r)
		return NULL;
	kmcl_records_init(r);
	/* which do not change while there is a restore */
	kmcl_save_describe(ch, &r->self, &r->limits);
	return r;
}

/**
 * kmcl_restore_free() - what was read is not needed any more
 * @ch: channel whose life the caller owns
 */
void kmcl_restore_free(struct kmcl_channel *ch)
{
	struct kmcl_restore *r = ch->restore;

	if (!r)
		return;
	ch->restore = NULL;
	kmcl_records_free(r);
	kfree(r);
}

/**
 * kmcl_restore_is_complete() - does Enable go on from here?
 * @ch: channel whose life the caller owns
 *
 * Return: true when all of a save is restored.
 */
bool kmcl_restore_is_complete(struct kmcl_channel *ch)
{
	return ch->restore && ch->restore->complete;
}

static NTSTATUS read_all(struct kmcl_channel *ch, const u8 *from, u32 size)
{
	NTSTATUS status = kmcl_records_read(ch->restore, from, size);

	if (status)
		return status;
	return ch->restore->over ? kmcl_restore_commit(ch) : STATUS_MORE_PROCESSING_REQUIRED;
}

NTSTATUS VmbChannelRestoreFromBuffer(VMBCHANNEL Channel, PVOID SaveBuffer, ULONG SaveBufferSize)
{
	struct kmcl_channel *ch = kmcl_channel(Channel);
	NTSTATUS status = STATUS_INVALID_PARAMETER_1;

	if (!ch || !ch->server)
		return STATUS_INVALID_PARAMETER_1;
	if (!SaveBuffer)
		return STATUS_INVALID_PARAMETER_2;
	if (!SaveBufferSize)
		return STATUS_INVALID_PARAMETER_3;
	if (!kmcl_passive(ch, __func__))
		return STATUS_INVALID_DEVICE_REQUEST;
	kmcl_life_enter(ch);
	if (ch->state != KMCL_DISABLED || kmcl_server_enable(ch) ||
	    (ch->restore ? ch->restore->complete : !kmcl_restore_is_over(ch)))
		goto out;
	if (!ch->restore)
		ch->restore = restore_new(ch);
	status = STATUS_INSUFFICIENT_RESOURCES;
	if (!ch->restore)
		goto out;
	status = read_all(ch, SaveBuffer, SaveBufferSize);
	if (NT_SUCCESS(status) || status == STATUS_MORE_PROCESSING_REQUIRED)
		goto out;
	kmcl_err(ch, "%s: nothing is restored (status %#x): %s\n", __func__, status,
		 ch->restore->why ?: "see above");
	kmcl_restore_drop(ch, STATUS_CANCELLED);
	kmcl_endpoint_refuse(ch);
out:
	trace_kmcl_restore(ch, status, SaveBufferSize);
	kmcl_life_leave(ch);
	return status;
}
EXPORT_SYMBOL_GPL(VmbChannelRestoreFromBuffer);
