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
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "compat.h"
#include "gpadl.h"
#include "observe.h"

/* ---- memory ---- */

/**
 * kmcl_address_page() - find the page at a kernel address
 * @address: the address
 *
 * Return: the page, or NULL when there is none.
 */
struct page *kmcl_address_page(const void *address)
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

/**
 * kmcl_gpadl_free() - let go of the table's share
 * @g: the GPADL, or one that never got there
 *
 * Context: process.
 */
void kmcl_gpadl_free(struct kmcl_gpadl *g)
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
	kmcl_gpadl_free(g);
}

/**
 * kmcl_gpadl_alloc() - a GPADL that describes nothing yet
 * @page_count: pages of the driver's memory, 0 when the library has its own
 *
 * Return: the GPADL, for kmcl_gpadl_share() or kmcl_gpadl_free(), or NULL.
 */
struct kmcl_gpadl *kmcl_gpadl_alloc(u32 page_count)
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

/**
 * kmcl_gpadl_map() - one range of addresses for pages from anywhere
 * @g: GPADL with all of its pages, and no address
 *
 * Return: STATUS_SUCCESS or STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS kmcl_gpadl_map(struct kmcl_gpadl *g)
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
	ret = link->ops->unshare(link, g->handle, g->address, g->bytes, g->shown);
	kmcl_step_end(&step);
	trace_kmcl_gpadl_unshare(ch, g->handle, g->bytes, ret);
	g->link = NULL;
	return !ret;
}

/**
 * kmcl_gpadl_share() - lend it to the peer and enter it into the table
 * @ch: channel
 * @g: GPADL with an address; whatever comes of it, not the caller's any more
 * @handle: its number, when the peer has taken it
 *
 * Context: process; waits for the peer without limit.
 * Return: STATUS_SUCCESS, STATUS_INSUFFICIENT_RESOURCES, STATUS_DEVICE_REMOVED,
 * STATUS_NOT_SUPPORTED; STATUS_UNSUCCESSFUL: the peer refused.
 */
NTSTATUS kmcl_gpadl_share(struct kmcl_channel *ch, struct kmcl_gpadl *g, u32 *handle)
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
		ret = link->ops->share(link, g->address, g->bytes, &g->handle, &g->shown);
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
		kmcl_gpadl_free(g);
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
		kmcl_gpadl_free(g);
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
	return page_to_pfn(kmcl_address_page(g->address + page * KMCL_PAGE_SIZE));
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

/* ---- the API: see lend.c for how they come about ---- */

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
		kmcl_gpadl_free(g);
}
EXPORT_SYMBOL_GPL(VmbChannelDeleteGpadl);
