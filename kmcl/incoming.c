// SPDX-License-Identifier: GPL-2.0
/*
 * External data of incoming packets.
 *
 * A peer names memory in two ways: by frames (GPA direct), or by pieces of a set
 * of pages that both sides have agreed on (transfer pages).  What either may mean
 * is decided here: memory of a GPADL of this channel, which the driver has lent
 * the peer itself.  Anything else would let the peer have the driver read or
 * write memory of its choice; on a guest that is isolated from its host, memory
 * that the host cannot even see.  At a server it is the other way round: what the
 * client names by frames is the client's own memory, all of it the server's to use
 * until the packet is completed.
 *
 * The reader copies the description into the packet's object, behind the payload,
 * and resolves it there into pieces of one GPADL, on which the packet holds a
 * reference.  VmbChannelPacketGetExternalData() makes MDLs of the pieces; they and
 * the reference go when the packet is retired.
 *
 * A description that is wrong in itself, or goes beyond its set, poisons the
 * channel.  One that may be right but means nothing here (an unknown set, frames
 * that were not lent, more than the driver wants) is refused: the packet is
 * answered unread, counted and reported.
 */
#include <linux/export.h>
#include <linux/slab.h>
#include <kmcl/page-set.h>
#include "kmcl.h"
#include "server.h"

static struct kmcl_described what_the_driver_takes(const struct kmcl_channel *ch)
{
	return (struct kmcl_described) {
		.most_ranges = ch->config.max_chain,
		.most_bytes = ch->config.max_external,
	};
}

static const char *resolve_transfer(struct kmcl_incoming *in, void *head, u32 len, bool *damaged)
{
	struct kmcl_channel *ch = in->object.channel;
	struct kmcl_described d = what_the_driver_takes(ch);
	const char *why;
	void *handle;

	why = kmcl_transfer_check(head, len, &d);
	if (why)
		goto out;
	why = "unknown set of pages";
	handle = xa_load(&ch->page_sets, d.set);
	if (!handle)
		goto out;
	why = "set of pages whose GPADL is gone";
	in->gpadl = kmcl_gpadl_get(ch, xa_to_value(handle));
	if (!in->gpadl)
		goto out;
	why = kmcl_transfer_pieces(head, kmcl_gpadl_bytes(in->gpadl), &d);
	if (why)
		goto out;
	in->pieces = head;
	in->piece_count = d.count;
out:
	*damaged = d.damaged;
	return why;
}

/* At a server: memory of the client's, whichever it likes. */
static bool frames_are_there(struct kmcl_link *link, const struct kmcl_gpa_range *range,
			     u32 frames)
{
	u32 i;

	for (i = 0; i < frames; i++)
		if (!kmcl_endpoint_page(link, le64_to_cpu(range->frames[i])))
			return false;
	return true;
}

/* Where a range begins in the GPADL that all of the packet's memory belongs to. */
static bool resolve_range(struct kmcl_incoming *in, const struct kmcl_gpa_range *range,
			  u32 frames, u32 *offset)
{
	PFN_NUMBER first = le64_to_cpu(range->frames[0]);
	u32 index, i;

	if (!in->gpadl)
		in->gpadl = kmcl_gpadl_by_frame(in->object.channel, first);
	if (!in->gpadl || !kmcl_gpadl_find(in->gpadl, first, &index))
		return false;
	/* in the order in which they were lent: so they have an address in one piece */
	for (i = 1; i < frames; i++)
		if (!kmcl_gpadl_has(in->gpadl, index + i, le64_to_cpu(range->frames[i])))
			return false;
	*offset = index * KMCL_PAGE_SIZE + le32_to_cpu(range->offset);
	return true;
}

static const char *resolve_frames(struct kmcl_incoming *in, void *head, u32 len, bool *damaged)
{
	struct kmcl_channel *ch = in->object.channel;
	struct kmcl_described d = what_the_driver_takes(ch);
	struct kmcl_gpa_range *range, *next;
	struct kmcl_piece *pieces = head;
	u32 i, frames, offset, bytes;
	const char *why;

	why = kmcl_frames_check(head, len, &d);
	*damaged = d.damaged;
	if (why)
		return why;
	for (i = 0, range = head + KMCL_RANGES_AT; i < d.count; i++, range = next) {
		frames = kmcl_range_frames(range);
		next = kmcl_range_next(range);
		if (ch->server) {
			if (frames_are_there(ch->target.link, range, frames))
				continue;
			return "frames that the client does not have";
		}
		if (!resolve_range(in, range, frames, &offset))
			return "frames that the driver has not lent";
		bytes = le32_to_cpu(range->bytes);
		/* never ahead of what is read: a range is longer than a piece */
		pieces[i] = (struct kmcl_piece) { .offset = offset, .bytes = bytes };
	}
	if (ch->server)
		in->ranges = head + KMCL_RANGES_AT;
	else
		in->pieces = pieces;
	in->piece_count = d.count;
	return NULL;
}

/**
 * kmcl_incoming_resolve() - find out what a packet's external data are
 * @in: packet, with nothing resolved
 * @type: KMCL_TYPE_GPA_DIRECT or KMCL_TYPE_TRANSFER
 * @head: the packet between descriptor and payload, captured; used up
 * @len: its bytes
 * @damaged: set when the peer broke the rules
 *
 * Context: the reader.
 * Return: NULL, or a phrase that says why it cannot be had.
 */
const char *kmcl_incoming_resolve(struct kmcl_incoming *in, u16 type, void *head, u32 len,
				  bool *damaged)
{
	const char *why;

	if (type == KMCL_TYPE_TRANSFER)
		why = resolve_transfer(in, head, len, damaged);
	else
		why = resolve_frames(in, head, len, damaged);
	if (why)
		kmcl_incoming_release(in);
	return why;
}

/**
 * kmcl_incoming_release() - a packet's external data are not needed any more
 * @in: the packet, with or without
 *
 * Context: any up to softirq.
 */
void kmcl_incoming_release(struct kmcl_incoming *in)
{
	PMDL mdl;

	/* inside an RCU read side section as a rule, where vunmap() and vfree() may not be */
	local_bh_disable();
	/* those of a GPADL are mapped with it */
	for (mdl = in->gpadl ? NULL : in->mdls; mdl; mdl = mdl->Next)
		MmUnlockPages(mdl);
	kvfree(in->mdls);
	local_bh_enable();
	if (in->gpadl)
		kmcl_gpadl_put(in->gpadl);
	in->gpadl = NULL;
	in->mdls = NULL;
	in->pieces = NULL;
	in->piece_count = 0;
}

static size_t mdl_size(u32 offset, u32 bytes)
{
	return MmSizeOfMdl((void *)(uintptr_t)offset, bytes);
}

/**
 * kmcl_incoming_described() - what the client said about external data
 * @in: packet of a server's
 * @head: as in the packet, behind its descriptor
 *
 * Return: its bytes; 0: there are none.
 */
u32 kmcl_incoming_described(const struct kmcl_incoming *in, const void **head)
{
	void *at = in->ranges;
	u32 i;

	*head = NULL;
	if (!in->piece_count)
		return 0;
	*head = (void *)in->ranges - KMCL_RANGES_AT;
	for (i = 0; i < in->piece_count; i++)
		at = kmcl_range_next(at);
	return at - *head;
}

/* What the first piece or range from @at on is, and where the next one begins. */
static void *piece_at(const struct kmcl_incoming *in, void *at, u32 *offset, u32 *bytes)
{
	struct kmcl_gpa_range *range = at;
	struct kmcl_piece *piece = at;

	if (in->gpadl) {
		*offset = piece->offset;
		*bytes = piece->bytes;
		return piece + 1;
	}
	*offset = le32_to_cpu(range->offset);
	*bytes = le32_to_cpu(range->bytes);
	return kmcl_range_next(range);
}

/* Pages of the client's, which the driver maps if it likes. */
static bool describe_range(const struct kmcl_incoming *in, const struct kmcl_gpa_range *range,
			   PMDL mdl)
{
	struct kmcl_link *link = in->object.channel->target.link;
	unsigned int i, n;

	MmInitializeMdl(mdl, (void *)(uintptr_t)le32_to_cpu(range->offset),
			le32_to_cpu(range->bytes));
	n = ADDRESS_AND_SIZE_TO_SPAN_PAGES(MmGetMdlVirtualAddress(mdl), mdl->ByteCount);
	for (i = 0; i < n; i++) {
		struct page *page = kmcl_endpoint_page(link, le64_to_cpu(range->frames[i]));

		/* it was there when the packet came */
		if (!page)
			return false;
		MmGetMdlPfnArray(mdl)[i] = page_to_pfn(page);
	}
	mdl->MdlFlags |= MDL_PAGES_LOCKED;
	return true;
}

static PMDL make_mdls(const struct kmcl_incoming *in, gfp_t gfp)
{
	u32 i, offset, length;
	size_t bytes = 0;
	PMDL first, mdl;
	void *at, *next;

	for (i = 0, at = in->pieces; i < in->piece_count; i++) {
		at = piece_at(in, at, &offset, &length);
		bytes += mdl_size(offset, length);
	}
	first = gfpflags_allow_blocking(gfp) ? kvmalloc(bytes, gfp) :
					       kmalloc(bytes, gfp | __GFP_NOWARN);
	if (!first)
		return NULL;
	for (i = 0, at = in->pieces, mdl = first; i < in->piece_count; i++, at = next) {
		next = piece_at(in, at, &offset, &length);
		if (in->gpadl) {
			kmcl_gpadl_describe(in->gpadl, offset, length, mdl);
		} else if (!describe_range(in, at, mdl)) {
			kvfree(first);
			return NULL;
		}
		if (i + 1 == in->piece_count)
			break;
		mdl->Next = (void *)mdl + mdl_size(offset, length);
		mdl = mdl->Next;
	}
	return first;
}

NTSTATUS VmbChannelPacketGetExternalData(VMBPACKETCOMPLETION PacketCompletionContext,
					 UINT32 Flags, PMDL *Mdl)
{
	bool passive = !in_interrupt() && !irqs_disabled();
	NTSTATUS status = STATUS_INVALID_PARAMETER_1;
	struct kmcl_incoming *in;
	PMDL mdls;

	rcu_read_lock();
	PacketCompletionContext = kmcl_stands_for(PacketCompletionContext);
	in = kmcl_incoming(PacketCompletionContext);
	if (!in || !kmcl_incoming_is_drivers(in, PacketCompletionContext) || !in->piece_count)
		goto out;
	status = STATUS_INVALID_PARAMETER_2;
	if (Flags & ~VMBUS_CHANNEL_PACKET_EXTERNAL_DATA_FLAGS)
		goto out;
	status = STATUS_INVALID_PARAMETER_3;
	if (!Mdl)
		goto out;

	status = STATUS_SUCCESS;
	if (!in->mdls) {
		/* the packet stays while it is the driver's */
		rcu_read_unlock();
		mdls = make_mdls(in, passive ? GFP_KERNEL : GFP_ATOMIC);
		rcu_read_lock();
		/* completed meanwhile by another thread: the object may hold another packet */
		if (kmcl_incoming(PacketCompletionContext) != in ||
		    !kmcl_incoming_is_drivers(in, PacketCompletionContext)) {
			kvfree(mdls);
			status = STATUS_INVALID_PARAMETER_1;
			goto out;
		}
		/* two threads of the driver's may ask at a time */
		if (mdls && cmpxchg(&in->mdls, NULL, mdls))
			kvfree(mdls);
	}
	*Mdl = in->mdls;
	if (*Mdl)
		goto out;
	/* in process context there is more memory to be had */
	status = !passive && kmcl_incoming_defer(in, PacketCompletionContext) ?
		 STATUS_PENDING : STATUS_INSUFFICIENT_RESOURCES;
out:
	rcu_read_unlock();
	return status;
}
EXPORT_SYMBOL_GPL(VmbChannelPacketGetExternalData);

/* ---- sets of pages ---- */

NTSTATUS kmcl_page_set_register(VMBCHANNEL channel, UINT16 id, UINT32 gpadl_handle)
{
	struct kmcl_channel *ch = kmcl_channel(channel);
	struct kmcl_gpadl *g;
	int ret;

	if (!ch || !kmcl_may_sleep(ch, __func__))
		return STATUS_INVALID_PARAMETER_1;
	g = kmcl_gpadl_get(ch, gpadl_handle);
	if (!g)
		return STATUS_INVALID_PARAMETER_3;
	kmcl_gpadl_put(g);
	ret = xa_insert(&ch->page_sets, id, xa_mk_value(gpadl_handle), GFP_KERNEL);
	if (ret == -EBUSY)
		return STATUS_INVALID_PARAMETER_2;
	return ret ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(kmcl_page_set_register);

VOID kmcl_page_set_unregister(VMBCHANNEL channel, UINT16 id)
{
	struct kmcl_channel *ch = kmcl_channel(channel);

	if (ch && kmcl_may_sleep(ch, __func__))
		xa_erase(&ch->page_sets, id);
}
EXPORT_SYMBOL_GPL(kmcl_page_set_unregister);
