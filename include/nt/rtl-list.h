/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Doubly linked lists.  A LIST_ENTRY is laid out as a struct list_head, so the
 * kernel's functions, and their checks for corruption, do the work.
 */
#ifndef _KMCL_NT_RTL_LIST_H
#define _KMCL_NT_RTL_LIST_H

#include <linux/list.h>

#include <ntdef.h>

C_ASSERT(sizeof(LIST_ENTRY) == sizeof(struct list_head));
C_ASSERT(offsetof(LIST_ENTRY, Flink) == offsetof(struct list_head, next));
C_ASSERT(offsetof(LIST_ENTRY, Blink) == offsetof(struct list_head, prev));

static inline struct list_head *kmcl_nt_list(LIST_ENTRY *e)
{
	return (struct list_head *)e;
}

static inline VOID InitializeListHead(PLIST_ENTRY ListHead)
{
	INIT_LIST_HEAD(kmcl_nt_list(ListHead));
}

static inline BOOLEAN IsListEmpty(const LIST_ENTRY *ListHead)
{
	return list_empty((const struct list_head *)ListHead);
}

static inline VOID InsertHeadList(PLIST_ENTRY ListHead, PLIST_ENTRY Entry)
{
	list_add(kmcl_nt_list(Entry), kmcl_nt_list(ListHead));
}

static inline VOID InsertTailList(PLIST_ENTRY ListHead, PLIST_ENTRY Entry)
{
	list_add_tail(kmcl_nt_list(Entry), kmcl_nt_list(ListHead));
}

/* Returns whether the list is empty now. */
static inline BOOLEAN RemoveEntryList(PLIST_ENTRY Entry)
{
	PLIST_ENTRY next = Entry->Flink;

	list_del(kmcl_nt_list(Entry));
	return IsListEmpty(next);
}

/* On an empty list Windows returns the head itself; so does this. */
static inline PLIST_ENTRY RemoveHeadList(PLIST_ENTRY ListHead)
{
	PLIST_ENTRY e = ListHead->Flink;

	if (e != ListHead)
		list_del(kmcl_nt_list(e));
	return e;
}

#endif /* _KMCL_NT_RTL_LIST_H */
