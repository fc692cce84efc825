// SPDX-License-Identifier: GPL-2.0
/*
 * GPADLs: memory that a client lends its peer as a whole, for longer than one
 * packet.
 *
 * A GPADL is in the channel's table from the peer's confirmation until its
 * delete.  It has two owners who let go one after the other:
 *
 *   (none) --create, confirmed--> SHARED --unshared--> KEPT --delete--> (none)
 *
 * SHARED (g->link is set): the peer may touch the memory.  This ends when the
 * driver deletes the GPADL, or when the rings close: kmcl_gpadls_unshare() runs
 * beside the close, so once the link is down the peer has nothing any more,
 * whatever the driver is doing.  KEPT: the driver may still read the memory and
 * ask for its address; VmbChannelDeleteGpadl(), inside Closed at the latest, or
 * the return of Closed ends that too.
 *
 * A peer that would not give memory back keeps it for ever: references on the
 * driver's pages stay taken, memory of the library's stays allocated, and one
 * line says so, as with the rings.
 *
 * ch->control serialises what waits for an answer to a control message once the
 * channel is open: GPADLs and the close.  A rescind wakes only the first waiter
 * of a channel.
 */
#include <linux/export.h>
#include <linux/kmemleak.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "compat.h"
#include "kmcl.h"
#include "observe.h"

/* vmap() counts in the kernel's pages, PFN lists in the hypervisor's. */
static_assert(PAGE_SIZE == KMCL_PAGE_SIZE);

/**
 * struct kmcl_gpadl - memory lent to the peer
 * @handle: the number that names it on both sides
 * @link: whose peer has it; NULL: it is back
 * @address: where the kernel sees it, in one piece
 * @bytes: its size, whole pages
 * @memory: @address is the library's, from vmalloc()
 * @mapped: @address is the library's mapping of @pages
 * @held: @pages are referenced
 * @lost: the peer never gave it back
 * @users: the table, and incoming packets whose external data it holds
 * @put_work: the end, when that comes above PASSIVE_LEVEL
 * @rcu: for lookups that are late
 * @page_count: entries in @pages
 * @pages: the driver's pages; once held, NULL where no reference could be taken
 */
struct kmcl_gpadl {
	u32 handle;
	struct kmcl_link *link;
	void *address;
	u32 bytes;
	bool memory;
	bool mapped;
	bool held;
	bool lost;
	refcount_t users;
	struct work_struct put_work;
	struct rcu_head rcu;
	u32 page_count;
	struct page **pages;
};

/* ---- memory ---- */

/* The page at a kernel address, NULL when there is none. */
static struct page *address_page(const void *address)
{
	if (kmcl_is_mapped_by_page(address))
		return vmalloc_to_page(address);
	return virt_addr_valid(address) ? virt_to_page(address) : NULL;
}

/*
 * Pages from vmalloc() or the page allocator stay in place although the driver
 * frees them too early.  An object of a slab cannot be held: its page is not
 * freed as a whole.
 */
static bool page_hold(struct page *page)
{
	struct folio *folio = page_folio(page);

	return !folio_test_slab(folio) && folio_try_get(folio);
}

static void pages_hold(struct kmcl_gpadl *g)
{
	u32 i;

	for (i = 0; i < g->page_count; i++)
		if (!page_hold(g->pages[i]))
			g->pages[i] = NULL;
	g->held = true;
}

static void gpadl_release(struct kmcl_gpadl *g)
{
	u32 i;

	if (g->mapped)
		vunmap(g->address);
	if (g->memory && !g->lost)
		vfree(g->address);
	for (i = 0; g->held && !g->lost && i < g->page_count; i++)
		if (g->pages[i])
			put_page(g->pages[i]);
	kvfree(g->pages);
	kfree_rcu(g, rcu);
}

static void put_work(struct work_struct *work)
{
	gpadl_release(container_of(work, struct kmcl_gpadl, put_work));
}

/* The table's share, or that of a GPADL that never got there. */
static void gpadl_free(struct kmcl_gpadl *g)
{
	if (refcount_dec_and_test(&g->users))
		gpadl_release(g);
}

/* The peer may go on using the memory: nobody else ever will. */
static void gpadl_lose(struct kmcl_channel *ch, struct kmcl_gpadl *g)
{
	ch->stats.lost_bytes += g->bytes;
	kmcl_err(ch, "GPADL %#x is not given back; its %u bytes stay with the host\n",
		 g->handle, g->bytes);
	if (g->memory)
		kmemleak_ignore(g->address);
	g->lost = true;
	gpadl_free(g);
}

/* @page_count: of the driver's memory, 0 when the library has its own. */
static struct kmcl_gpadl *gpadl_alloc(u32 page_count)
{
	struct kmcl_gpadl *g = kzalloc(sizeof(*g), GFP_KERNEL);

	if (!g)
		return NULL;
	refcount_set(&g->users, 1);
	INIT_WORK(&g->put_work, put_work);
	if (!page_count)
		return g;
	g->pages = kvcalloc(page_count, sizeof(*g->pages), GFP_KERNEL);
	if (!g->pages) {
		kfree(g);
		return NULL;
	}
	g->page_count = page_count;
	return g;
}

/* One range of addresses for pages from anywhere. */
static NTSTATUS gpadl_map(struct kmcl_gpadl *g)
{
	g->address = vmap(g->pages, g->page_count, VM_MAP, PAGE_KERNEL);
	g->mapped = g->address;
	return g->mapped ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

/* ---- the peer ---- */

static NTSTATUS share_status(int err)
{
	switch (err) {
	case 0:
	case -ENOMEM:
	case -ENODEV:
	case -EOPNOTSUPP:
		return kmcl_status_from_errno(err);
	default:
		/* the peer refused, or did not get the message */
		return STATUS_UNSUCCESSFUL;
	}
}

/* Called with ch->control.  The peer has it no more, or will have it for ever. */
static bool gpadl_unshare(struct kmcl_channel *ch, struct kmcl_gpadl *g)
{
	struct kmcl_link *link = g->link;
	struct kmcl_step step;
	int ret;

	if (!link)
		return true;
	kmcl_step_begin(&step, ch, "the host to give a GPADL back");
	ret = link->ops->unshare(link, g->handle, g->address, g->bytes);
	kmcl_step_end(&step);
	trace_kmcl_gpadl_unshare(ch, g->handle, g->bytes, ret);
	g->link = NULL;
	return !ret;
}

/*
 * Lend @g to the peer and enter it into the table.  Whatever comes of it, @g is
 * not the caller's any more.
 */
static NTSTATUS gpadl_share(struct kmcl_channel *ch, struct kmcl_gpadl *g, u32 *handle)
{
	struct kmcl_link *link;
	struct kmcl_step step;
	bool lost = false;
	int ret = -ENODEV;

	pages_hold(g);
	mutex_lock(&ch->control);
	/* taken away before the close gets the mutex */
	link = rcu_dereference_protected(ch->link, lockdep_is_held(&ch->control));
	if (link) {
		kmcl_step_begin(&step, ch, "the host to take a GPADL");
		ret = link->ops->share(link, g->address, g->bytes, &g->handle);
		kmcl_step_end(&step);
		lost = ret == -EIO;
	}
	trace_kmcl_gpadl_share(ch, g->handle, g->bytes, ret);
	if (!ret) {
		g->link = link;
		ret = xa_insert(&ch->gpadls, g->handle, g, GFP_KERNEL);
		if (ret)
			lost = !gpadl_unshare(ch, g);
	}
	if (!ret)
		*handle = g->handle;
	mutex_unlock(&ch->control);

	if (lost)
		gpadl_lose(ch, g);
	else if (ret)
		gpadl_free(g);
	return share_status(ret);
}

/**
 * kmcl_gpadls_unshare() - the peer gives back everything
 * @ch: channel whose rings are closing or closed
 *
 * The driver may go on using the memory until Closed returns.
 *
 * Context: process, with ch->control; waits for the peer without limit.
 */
void kmcl_gpadls_unshare(struct kmcl_channel *ch)
{
	struct kmcl_gpadl *g;
	unsigned long index;

	lockdep_assert_held(&ch->control);
	xa_for_each(&ch->gpadls, index, g) {
		if (gpadl_unshare(ch, g))
			continue;
		xa_erase(&ch->gpadls, index);
		gpadl_lose(ch, g);
	}
}

/**
 * kmcl_gpadls_finish() - delete what the driver has left
 * @ch: channel without a link, after Closed
 *
 * Context: process.
 */
void kmcl_gpadls_finish(struct kmcl_channel *ch)
{
	struct kmcl_gpadl *g;
	unsigned long index;

	mutex_lock(&ch->control);
	xa_for_each(&ch->gpadls, index, g) {
		xa_erase(&ch->gpadls, index);
		kmcl_leaks_note(ch->leaks, g->handle, g->bytes);
		gpadl_free(g);
	}
	xa_destroy(&ch->page_sets);
	mutex_unlock(&ch->control);
}

/**
 * kmcl_gpadls_sum() - what the driver has lent
 * @ch: channel
 * @count: GPADLs that have not been deleted
 * @bytes: their size
 *
 * Context: any up to softirq.
 */
void kmcl_gpadls_sum(struct kmcl_channel *ch, u32 *count, u64 *bytes)
{
	struct kmcl_gpadl *g;
	unsigned long index;

	*count = 0;
	*bytes = 0;
	rcu_read_lock();
	xa_for_each(&ch->gpadls, index, g) {
		++*count;
		*bytes += g->bytes;
	}
	rcu_read_unlock();
}

void kmcl_gpadls_init(struct kmcl_channel *ch)
{
	mutex_init(&ch->control);
	xa_init(&ch->gpadls);
	xa_init(&ch->page_sets);
}

/* ---- as external data of incoming packets ---- */

/**
 * kmcl_gpadl_get() - find a GPADL and keep it
 * @ch: channel
 * @handle: its number
 *
 * Context: any up to softirq.
 * Return: the GPADL, for kmcl_gpadl_put(), or NULL.
 */
struct kmcl_gpadl *kmcl_gpadl_get(struct kmcl_channel *ch, u32 handle)
{
	struct kmcl_gpadl *g;

	rcu_read_lock();
	g = xa_load(&ch->gpadls, handle);
	if (g && !refcount_inc_not_zero(&g->users))
		g = NULL;
	rcu_read_unlock();
	return g;
}

/**
 * kmcl_gpadl_by_frame() - find the GPADL that a frame belongs to and keep it
 * @ch: channel
 * @frame: number of the frame
 *
 * Context: any up to softirq.
 * Return: as kmcl_gpadl_get().
 */
struct kmcl_gpadl *kmcl_gpadl_by_frame(struct kmcl_channel *ch, PFN_NUMBER frame)
{
	struct kmcl_gpadl *g, *found = NULL;
	unsigned long index;
	u32 page;

	rcu_read_lock();
	xa_for_each(&ch->gpadls, index, g) {
		if (!refcount_inc_not_zero(&g->users))
			continue;
		if (kmcl_gpadl_find(g, frame, &page)) {
			found = g;
			break;
		}
		kmcl_gpadl_put(g);
	}
	rcu_read_unlock();
	return found;
}

/**
 * kmcl_gpadl_put() - let go of a GPADL
 * @g: the GPADL
 *
 * Context: any up to softirq.
 */
void kmcl_gpadl_put(struct kmcl_gpadl *g)
{
	if (refcount_dec_and_test(&g->users))
		queue_work(kmcl_wq, &g->put_work);
}

u32 kmcl_gpadl_bytes(const struct kmcl_gpadl *g)
{
	return g->bytes;
}

static PFN_NUMBER gpadl_frame(const struct kmcl_gpadl *g, u32 page)
{
	return page_to_pfn(address_page(g->address + page * KMCL_PAGE_SIZE));
}

/* Is @frame its page number @page? */
bool kmcl_gpadl_has(const struct kmcl_gpadl *g, u32 page, PFN_NUMBER frame)
{
	return page < g->bytes / KMCL_PAGE_SIZE && gpadl_frame(g, page) == frame;
}

/* Which page of it is @frame? */
bool kmcl_gpadl_find(const struct kmcl_gpadl *g, PFN_NUMBER frame, u32 *page)
{
	u32 i;

	for (i = 0; i < g->bytes / KMCL_PAGE_SIZE; i++) {
		if (!kmcl_gpadl_has(g, i, frame))
			continue;
		*page = i;
		return true;
	}
	return false;
}

/**
 * kmcl_gpadl_describe() - make an MDL of a part
 * @g: the GPADL
 * @offset: where the part begins
 * @bytes: its length, within @g
 * @mdl: memory for it
 *
 * The address that the kernel has for a GPADL is the MDL's mapping: another one
 * could not be had in softirq, and would be none on a guest that is encrypted.
 */
void kmcl_gpadl_describe(const struct kmcl_gpadl *g, u32 offset, u32 bytes, PMDL mdl)
{
	PFN_NUMBER *frames = MmGetMdlPfnArray(mdl);
	u32 i, first = offset / KMCL_PAGE_SIZE;

	MmInitializeMdl(mdl, g->address + offset, bytes);
	for (i = 0; i <= (offset + bytes - 1) / KMCL_PAGE_SIZE - first; i++)
		frames[i] = gpadl_frame(g, first + i);
	mdl->MappedSystemVa = g->address + offset;
	mdl->MdlFlags = MDL_PAGES_LOCKED | MDL_MAPPED_TO_SYSTEM_VA | MDL_PARENT_MAPPED_SYSTEM_VA;
}

/* ---- the API ---- */

/*
 * What every create checks, and the link's limits, which hold while it is up:
 * gpadl_share() asks the transport again.  @caller_memory: of the driver's.
 */
static NTSTATUS may_create(struct kmcl_channel *ch, u32 flags, const char *who,
			   bool caller_memory, u32 *limit)
{
	NTSTATUS status = STATUS_SUCCESS;
	struct kmcl_link *link;

	if (!ch || ch->server)
		return STATUS_INVALID_PARAMETER_1;
	if (!kmcl_may_sleep(ch, who))
		return STATUS_INVALID_DEVICE_STATE;
	if (READ_ONCE(ch->state) != KMCL_OPEN)
		return STATUS_INVALID_PARAMETER_1;
	if (flags & ~VMBUS_CHANNEL_GPADL_FLAGS)
		return STATUS_INVALID_PARAMETER_2;

	rcu_read_lock();
	link = rcu_dereference(ch->link);
	if (!link)
		status = STATUS_DEVICE_REMOVED;
	else if (caller_memory && link->share_wipes)
		status = STATUS_NOT_SUPPORTED;
	else
		*limit = link->share_max;
	rcu_read_unlock();
	if (status == STATUS_NOT_SUPPORTED)
		kmcl_err(ch, "%s: sharing would destroy what is in the memory; use VmbChannelCreateGpadl()\n",
			 who);
	return status;
}

/* @offset and @bytes: of one piece of the memory. */
static NTSTATUS check_piece(struct kmcl_channel *ch, const char *who, u64 offset, u64 bytes)
{
	if (!((offset | bytes) & (KMCL_PAGE_SIZE - 1)))
		return STATUS_SUCCESS;
	kmcl_err(ch, "%s: the bus takes whole pages, not %llu bytes at offset %llu of a page\n",
		 who, bytes, offset & (KMCL_PAGE_SIZE - 1));
	return STATUS_NOT_SUPPORTED;
}

static NTSTATUS check_size(struct kmcl_channel *ch, const char *who, u64 bytes, u32 limit)
{
	if (bytes <= limit)
		return STATUS_SUCCESS;
	kmcl_err(ch, "%s: the bus takes up to %u bytes, not %llu\n", who, limit, bytes);
	return STATUS_NOT_SUPPORTED;
}

NTSTATUS VmbChannelCreateGpadlFromBuffer(VMBCHANNEL Channel, UINT32 Flags, PVOID Buffer,
					 UINT32 BufferSize, PUINT32 GpadlHandle)
{
	struct kmcl_channel *ch = kmcl_channel(Channel);
	struct kmcl_gpadl *g;
	NTSTATUS status;
	u32 i, limit;

	status = may_create(ch, Flags, __func__, true, &limit);
	if (status)
		return status;
	if (!Buffer)
		return STATUS_INVALID_PARAMETER_3;
	if (!BufferSize)
		return STATUS_INVALID_PARAMETER_4;
	if (!GpadlHandle)
		return STATUS_INVALID_PARAMETER_5;
	status = check_piece(ch, __func__, (uintptr_t)Buffer, BufferSize);
	if (!status)
		status = check_size(ch, __func__, BufferSize, limit);
	if (status)
		return status;

	g = gpadl_alloc(BufferSize / KMCL_PAGE_SIZE);
	if (!g)
		return STATUS_INSUFFICIENT_RESOURCES;
	for (i = 0; i < g->page_count; i++) {
		g->pages[i] = address_page(Buffer + i * KMCL_PAGE_SIZE);
		if (!g->pages[i]) {
			/* not the kernel's, or not so much of it */
			gpadl_free(g);
			return STATUS_INVALID_PARAMETER_3;
		}
	}
	g->bytes = BufferSize;
	g->address = Buffer;
	/* a module's own data is in neither range that the bus knows */
	if (!is_vmalloc_addr(Buffer) && kmcl_is_mapped_by_page(Buffer))
		status = gpadl_map(g);
	if (status) {
		gpadl_free(g);
		return status;
	}
	return gpadl_share(ch, g, GpadlHandle);
}
EXPORT_SYMBOL_GPL(VmbChannelCreateGpadlFromBuffer);

/* Share @g's pages through a mapping of the library's. */
static NTSTATUS share_pages(struct kmcl_channel *ch, struct kmcl_gpadl *g, u32 *handle)
{
	NTSTATUS status;

	g->bytes = g->page_count * KMCL_PAGE_SIZE;
	status = gpadl_map(g);
	if (status) {
		gpadl_free(g);
		return status;
	}
	return gpadl_share(ch, g, handle);
}

/* Find pages by number. */
static NTSTATUS pages_from_pfns(struct kmcl_channel *ch, const char *who, struct page **pages,
				const PFN_NUMBER *pfns, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++) {
		pages[i] = pfn_to_online_page(pfns[i]);
		if (pages[i])
			continue;
		kmcl_err(ch, "%s: frame %#llx is no memory of this kernel\n", who, pfns[i]);
		return STATUS_NOT_SUPPORTED;
	}
	return STATUS_SUCCESS;
}

/**
 * struct mdl_piece - the part of one MDL that belongs to a range of a chain
 * @offset: where it starts, from the start of the MDL's first page
 * @bytes: its length
 */
struct mdl_piece {
	u32 offset;
	u32 bytes;
};

/* Take the next piece of [*offset, *offset + *length) from @mdl; may be empty. */
static struct mdl_piece mdl_piece(PMDL mdl, u32 *offset, u64 *length)
{
	u32 skip = min(*offset, mdl->ByteCount);
	struct mdl_piece piece = {
		.offset = mdl->ByteOffset + skip,
		.bytes = min_t(u64, mdl->ByteCount - skip, *length),
	};

	*offset -= skip;
	*length -= piece.bytes;
	return piece;
}

NTSTATUS VmbChannelCreateGpadlFromMdl(VMBCHANNEL Channel, UINT32 Flags, PMDL Mdl,
				      UINT32 MdlOffset, UINT32 MdlLength, PUINT32 GpadlHandle)
{
	struct kmcl_channel *ch = kmcl_channel(Channel);
	u64 left = MdlLength ?: U64_MAX, bytes;
	u32 limit, skip = MdlOffset, done = 0;
	struct kmcl_gpadl *g;
	NTSTATUS status;
	PMDL mdl;

	status = may_create(ch, Flags, __func__, true, &limit);
	if (status)
		return status;
	if (!Mdl)
		return STATUS_INVALID_PARAMETER_3;
	if (!GpadlHandle)
		return STATUS_INVALID_PARAMETER_6;

	for (mdl = Mdl, bytes = 0; mdl && left && bytes <= limit; mdl = mdl->Next) {
		struct mdl_piece piece = mdl_piece(mdl, &skip, &left);

		if (!kmcl_nt_mdl_has_pages(mdl))
			return STATUS_INVALID_PARAMETER_3;
		if (!piece.bytes)
			continue;
		status = check_piece(ch, __func__, piece.offset, piece.bytes);
		if (status)
			return status;
		bytes += piece.bytes;
	}
	if (!bytes)
		return STATUS_INVALID_PARAMETER_4;
	status = check_size(ch, __func__, bytes, limit);
	if (status)
		return status;
	if (MdlLength && left)
		return STATUS_INVALID_PARAMETER_5;

	g = gpadl_alloc(bytes / KMCL_PAGE_SIZE);
	if (!g)
		return STATUS_INSUFFICIENT_RESOURCES;
	skip = MdlOffset;
	left = bytes;
	for (mdl = Mdl; left; mdl = mdl->Next) {
		struct mdl_piece piece = mdl_piece(mdl, &skip, &left);
		u32 first = piece.offset / KMCL_PAGE_SIZE;
		u32 count = piece.bytes / KMCL_PAGE_SIZE;

		status = pages_from_pfns(ch, __func__, g->pages + done,
					 MmGetMdlPfnArray(mdl) + first, count);
		if (status) {
			gpadl_free(g);
			return status;
		}
		done += count;
	}
	return share_pages(ch, g, GpadlHandle);
}
EXPORT_SYMBOL_GPL(VmbChannelCreateGpadlFromMdl);

NTSTATUS VmbChannelCreateGpadlFromPfnList(VMBCHANNEL Channel, UINT32 Flags, PPFN_NUMBER PfnList,
					  UINT32 PfnCount, PUINT32 GpadlHandle)
{
	struct kmcl_channel *ch = kmcl_channel(Channel);
	struct kmcl_gpadl *g;
	NTSTATUS status;
	u32 limit;

	status = may_create(ch, Flags, __func__, true, &limit);
	if (status)
		return status;
	if (!PfnList)
		return STATUS_INVALID_PARAMETER_3;
	if (!PfnCount)
		return STATUS_INVALID_PARAMETER_4;
	if (!GpadlHandle)
		return STATUS_INVALID_PARAMETER_5;
	status = check_size(ch, __func__, (u64)PfnCount * KMCL_PAGE_SIZE, limit);
	if (status)
		return status;

	g = gpadl_alloc(PfnCount);
	if (!g)
		return STATUS_INSUFFICIENT_RESOURCES;
	status = pages_from_pfns(ch, __func__, g->pages, PfnList, PfnCount);
	if (status) {
		gpadl_free(g);
		return status;
	}
	return share_pages(ch, g, GpadlHandle);
}
EXPORT_SYMBOL_GPL(VmbChannelCreateGpadlFromPfnList);

NTSTATUS VmbChannelCreateGpadl(VMBCHANNEL Channel, UINT32 Flags, UINT32 PageCount,
			       PUINT32 GpadlHandle)
{
	struct kmcl_channel *ch = kmcl_channel(Channel);
	struct kmcl_gpadl *g;
	NTSTATUS status;
	u32 limit;

	status = may_create(ch, Flags, __func__, false, &limit);
	if (status)
		return status;
	if (!PageCount)
		return STATUS_INVALID_PARAMETER_3;
	if (!GpadlHandle)
		return STATUS_INVALID_PARAMETER_4;
	status = check_size(ch, __func__, (u64)PageCount * KMCL_PAGE_SIZE, limit);
	if (status)
		return status;

	g = gpadl_alloc(0);
	if (!g)
		return STATUS_INSUFFICIENT_RESOURCES;
	g->bytes = PageCount * KMCL_PAGE_SIZE;
	/* zeroed: the peer sees all of it */
	g->address = __vmalloc(g->bytes, GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN);
	g->memory = g->address;
	if (!g->address) {
		gpadl_free(g);
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	return gpadl_share(ch, g, GpadlHandle);
}
EXPORT_SYMBOL_GPL(VmbChannelCreateGpadl);

NTSTATUS VmbChannelGetSystemAddressForGpadl(VMBCHANNEL Channel, UINT32 Flags,
					    UINT32 GpadlHandle, PVOID *SystemAddress)
{
	struct kmcl_channel *ch = kmcl_channel(Channel);
	struct kmcl_gpadl *g;

	if (!ch || ch->server)
		return STATUS_INVALID_PARAMETER_1;
	if (!kmcl_may_sleep(ch, __func__))
		return STATUS_INVALID_DEVICE_STATE;
	if (Flags & ~VMBUS_CHANNEL_GPADL_FLAGS)
		return STATUS_INVALID_PARAMETER_2;
	if (!SystemAddress)
		return STATUS_INVALID_PARAMETER_4;
	/* not ch->control: a GPADL may be asked for while another waits for the host */
	xa_lock(&ch->gpadls);
	g = xa_load(&ch->gpadls, GpadlHandle);
	*SystemAddress = g ? g->address : NULL;
	xa_unlock(&ch->gpadls);
	return g ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER_3;
}
EXPORT_SYMBOL_GPL(VmbChannelGetSystemAddressForGpadl);

VOID VmbChannelDeleteGpadl(VMBCHANNEL Channel, UINT32 GpadlHandle)
{
	struct kmcl_channel *ch = kmcl_channel(Channel);
	struct kmcl_gpadl *g;
	bool lost;

	if (!ch || !kmcl_may_sleep(ch, __func__))
		return;
	mutex_lock(&ch->control);
	g = xa_erase(&ch->gpadls, GpadlHandle);
	lost = g && !gpadl_unshare(ch, g);
	mutex_unlock(&ch->control);

	if (!g)
		kmcl_err(ch, "%s: there is no GPADL %#x, ignored\n", __func__, GpadlHandle);
	else if (lost)
		gpadl_lose(ch, g);
	else
		gpadl_free(g);
}
EXPORT_SYMBOL_GPL(VmbChannelDeleteGpadl);
