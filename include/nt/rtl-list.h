/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lists.  A LIST_ENTRY is laid out as a struct list_head, so the kernel's
 * functions, and their checks for corruption, do the work.
 */
#ifndef _KMCL_NT_RTL_LIST_H
#define _KMCL_NT_RTL_LIST_H

#include <linux/list.h>

#include <ke-spinlock.h>

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

/* On an empty list Windows returns the head itself; so do these. */
static inline PLIST_ENTRY RemoveHeadList(PLIST_ENTRY ListHead)
{
	PLIST_ENTRY e = ListHead->Flink;

	if (e != ListHead)
		list_del(kmcl_nt_list(e));
	return e;
}

static inline PLIST_ENTRY RemoveTailList(PLIST_ENTRY ListHead)
{
	PLIST_ENTRY e = ListHead->Blink;

	if (e != ListHead)
		list_del(kmcl_nt_list(e));
	return e;
}

/* Appends a whole list; @ListToAppend is one of its entries, not a head of its own. */
static inline VOID AppendTailList(PLIST_ENTRY ListHead, PLIST_ENTRY ListToAppend)
{
	PLIST_ENTRY end = ListHead->Blink;

	ListHead->Blink->Flink = ListToAppend;
	ListHead->Blink = ListToAppend->Blink;
	ListToAppend->Blink->Flink = ListHead;
	ListToAppend->Blink = end;
}

/* ---- under a spin lock; on an empty list these return NULL ---- */

static inline PLIST_ENTRY ExInterlockedInsertHeadList(PLIST_ENTRY ListHead, PLIST_ENTRY Entry,
						      PKSPIN_LOCK Lock)
{
	PLIST_ENTRY first;
	KIRQL irql;

	KeAcquireSpinLock(Lock, &irql);
	first = IsListEmpty(ListHead) ? NULL : ListHead->Flink;
	InsertHeadList(ListHead, Entry);
	KeReleaseSpinLock(Lock, irql);
	return first;
}

static inline PLIST_ENTRY ExInterlockedInsertTailList(PLIST_ENTRY ListHead, PLIST_ENTRY Entry,
						      PKSPIN_LOCK Lock)
{
	PLIST_ENTRY last;
	KIRQL irql;

	KeAcquireSpinLock(Lock, &irql);
	last = IsListEmpty(ListHead) ? NULL : ListHead->Blink;
	InsertTailList(ListHead, Entry);
	KeReleaseSpinLock(Lock, irql);
	return last;
}

static inline PLIST_ENTRY ExInterlockedRemoveHeadList(PLIST_ENTRY ListHead, PKSPIN_LOCK Lock)
{
	PLIST_ENTRY first;
	KIRQL irql;

	KeAcquireSpinLock(Lock, &irql);
	first = IsListEmpty(ListHead) ? NULL : RemoveHeadList(ListHead);
	KeReleaseSpinLock(Lock, irql);
	return first;
}

/* ---- singly linked ---- */

typedef struct _SINGLE_LIST_ENTRY {
	struct _SINGLE_LIST_ENTRY *Next;
} SINGLE_LIST_ENTRY, *PSINGLE_LIST_ENTRY, SLIST_ENTRY, *PSLIST_ENTRY;

static inline VOID PushEntryList(PSINGLE_LIST_ENTRY ListHead, PSINGLE_LIST_ENTRY Entry)
{
	Entry->Next = ListHead->Next;
	ListHead->Next = Entry;
}

static inline PSINGLE_LIST_ENTRY PopEntryList(PSINGLE_LIST_ENTRY ListHead)
{
	PSINGLE_LIST_ENTRY first = ListHead->Next;

	if (first)
		ListHead->Next = first->Next;
	return first;
}

/*
 * A list with a lock of its own, usable at any level.  Its size is not Windows',
 * where it is lock-free; its entries need no alignment.
 */
typedef struct _SLIST_HEADER {
	/* Protects the rest. */
	spinlock_t Lock;
	SLIST_ENTRY Head;
	USHORT Depth;
} SLIST_HEADER, *PSLIST_HEADER;

/* A macro, for the lockdep class. */
#define InitializeSListHead(ListHead)						\
do {										\
	PSLIST_HEADER __l = (ListHead);						\
										\
	spin_lock_init(&__l->Lock);						\
	__l->Head.Next = NULL;							\
	__l->Depth = 0;								\
} while (0)

/* Returns the first entry before. */
static inline PSLIST_ENTRY InterlockedPushEntrySList(PSLIST_HEADER ListHead, PSLIST_ENTRY Entry)
{
	PSLIST_ENTRY first;
	unsigned long flags;

	spin_lock_irqsave(&ListHead->Lock, flags);
	first = ListHead->Head.Next;
	PushEntryList(&ListHead->Head, Entry);
	ListHead->Depth++;
	spin_unlock_irqrestore(&ListHead->Lock, flags);
	return first;
}

/* NULL: it is empty. */
static inline PSLIST_ENTRY InterlockedPopEntrySList(PSLIST_HEADER ListHead)
{
	PSLIST_ENTRY first;
	unsigned long flags;

	spin_lock_irqsave(&ListHead->Lock, flags);
	first = PopEntryList(&ListHead->Head);
	if (first)
		ListHead->Depth--;
	spin_unlock_irqrestore(&ListHead->Lock, flags);
	return first;
}

/* Returns all entries, the first one linked to the others. */
static inline PSLIST_ENTRY InterlockedFlushSList(PSLIST_HEADER ListHead)
{
	PSLIST_ENTRY first;
	unsigned long flags;

	spin_lock_irqsave(&ListHead->Lock, flags);
	first = ListHead->Head.Next;
	ListHead->Head.Next = NULL;
	ListHead->Depth = 0;
	spin_unlock_irqrestore(&ListHead->Lock, flags);
	return first;
}

static inline USHORT QueryDepthSList(PSLIST_HEADER ListHead)
{
	return READ_ONCE(ListHead->Depth);
}

#define ExInitializeSListHead(ListHead)			InitializeSListHead(ListHead)
#define ExQueryDepthSList(ListHead)			QueryDepthSList(ListHead)
#define ExInterlockedPushEntrySList(ListHead, Entry, Lock)			\
	((void)(Lock), InterlockedPushEntrySList(ListHead, Entry))
#define ExInterlockedPopEntrySList(ListHead, Lock)				\
	((void)(Lock), InterlockedPopEntrySList(ListHead))
#define ExInterlockedFlushSList(ListHead)		InterlockedFlushSList(ListHead)

#endif /* _KMCL_NT_RTL_LIST_H */
