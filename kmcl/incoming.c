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

/* Wire format: a transfer page packet, behind the descriptor. */
struct transfer {
	__le16 set;
	u8 sender_owns;
	u8 reserved;
	__le32 count;
	struct {
		__le32 bytes;
		__le32 offset;
	} ranges[];
};

/* The description is in memory of ours, so it may be looked at as often as need be. */
static const char *resolve_transfer(struct kmcl_incoming *in, void *head, u32 len, bool *damaged)
{
	struct kmcl_channel *ch = in->object.channel;
	struct transfer *t = head;
	u32 i, count, size;
	void *handle;
	u64 left;

	*damaged = true;
	if (len < sizeof(*t))
		return "transfer pages without a header";
	count = le32_to_cpu(t->count);
	if (count > (len - sizeof(*t)) / sizeof(t->ranges[0]))
		return "transfer page ranges beyond the packet";

	*damaged = false;
	if (!count)
		return "no ranges";
	if (count > ch->config.max_chain)
		return "a longer chain than the driver allows";
	handle = xa_load(&ch->page_sets, le16_to_cpu(t->set));
	if (!handle)
		return "unknown set of pages";
	in->gpadl = kmcl_gpadl_get(ch, xa_to_value(handle));
	if (!in->gpadl)
		return "set of pages whose GPADL is gone";

	size = kmcl_gpadl_bytes(in->gpadl);
	left = ch->config.max_external;
	in->pieces = head;
	for (i = 0; i < count; i++) {
		u32 bytes = le32_to_cpu(t->ranges[i].bytes);
		u32 offset = le32_to_cpu(t->ranges[i].offset);

		if (!bytes || offset > size || bytes > size - offset) {
			*damaged = true;
			return "transfer page range outside its set";
		}
		if (bytes > left)
			return "more external data than the driver allows";
		left -= bytes;
		/* never ahead of what is read */
		in->pieces[i] = (struct kmcl_piece) { .offset = offset, .bytes = bytes };
	}
	in->piece_count = count;
	return NULL;
}

/* Frames of a range, 0 when they do not fit into @len bytes. */
static u32 range_frames(const struct kmcl_gpa_range *range, u32 len)
{
	u64 frames;

	if (len < sizeof(*range) || le32_to_cpu(range->offset) >= KMCL_PAGE_SIZE)
		return 0;
	if (!range->bytes)
		return 0;
	frames = DIV_ROUND_UP_ULL((u64)le32_to_cpu(range->offset) + le32_to_cpu(range->bytes),
				  KMCL_PAGE_SIZE);
	return frames <= (len - sizeof(*range)) / sizeof(range->frames[0]) ? frames : 0;
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
	bool server = ch->server;
	u64 left = ch->config.max_external;
	u32 i, count, at, frames, *h = head;

	*damaged = true;
	/* a reserved word and the count: the same 8 bytes as the first piece */
	if (len < 2 * sizeof(u32))
		return "GPA direct without a header";
	count = le32_to_cpu((__force __le32)h[1]);
	for (i = 0, at = 2 * sizeof(u32); i < count; i++) {
		struct kmcl_gpa_range *range = head + at;

		frames = range_frames(range, len - at);
		if (!frames)
			return "GPA direct ranges beyond the packet";
		at += struct_size(range, frames, frames);
	}

	*damaged = false;
	if (!count)
		return "no ranges";
	if (count > ch->config.max_chain)
		return "a longer chain than the driver allows";
	if (server)
		in->ranges = head + 2 * sizeof(u32);
	else
		in->pieces = head;
	for (i = 0, at = 2 * sizeof(u32); i < count; i++) {
		struct kmcl_gpa_range *range = head + at;
		u32 bytes = le32_to_cpu(range->bytes), offset;

		if (bytes > left)
			return "more external data than the driver allows";
		left -= bytes;
		frames = range_frames(range, len - at);
		at += struct_size(range, frames, frames);
		if (server) {
			if (frames_are_there(ch->target.link, range, frames))
				continue;
			return "frames that the client does not have";
		}
		if (!resolve_range(in, range, frames, &offset))
			return "frames that the driver has not lent";
		/* never ahead of what is read: a range is longer than a piece */
		in->pieces[i] = (struct kmcl_piece) { .offset = offset, .bytes = bytes };
	}
	in->piece_count = count;
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

/* The range behind one that has been checked. */
static struct kmcl_gpa_range *next_range(struct kmcl_gpa_range *range)
{
	u32 frames = DIV_ROUND_UP_ULL((u64)le32_to_cpu(range->offset) + le32_to_cpu(range->bytes),
				      KMCL_PAGE_SIZE);

	return (void *)range + struct_size(range, frames, frames);
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
	*head = (void *)in->ranges - 2 * sizeof(u32);
	for (i = 0; i < in->piece_count; i++)
		at = next_range(at);
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
	return next_range(range);
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
