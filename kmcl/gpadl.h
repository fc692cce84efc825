/* SPDX-License-Identifier: GPL-2.0 */
/* A GPADL between lend.c, which makes it, and gpadl.c, which keeps it. */
#ifndef _KMCL_GPADL_H
#define _KMCL_GPADL_H

#include "kmcl.h"

/**
 * struct kmcl_gpadl - memory lent to the peer
 * @handle: the number that names it on both sides
 * @link: whose peer has it; NULL: it is back
 * @address: where the kernel sees it, in one piece
 * @bytes: its size, whole pages
 * @shown: what the transport wants to know when it is taken back
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
	bool shown;
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

struct page *kmcl_address_page(const void *address);
struct kmcl_gpadl *kmcl_gpadl_alloc(u32 page_count);
NTSTATUS kmcl_gpadl_map(struct kmcl_gpadl *g);
NTSTATUS kmcl_gpadl_share(struct kmcl_channel *ch, struct kmcl_gpadl *g, u32 *handle);
void kmcl_gpadl_free(struct kmcl_gpadl *g);

#endif
