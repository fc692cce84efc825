/* SPDX-License-Identifier: GPL-2.0 */
/*
 * As much of the kernel as the parsers need, for programs: every <linux/...> and <asm/...> that
 * they include leads here (scripts/fuzz.sh). Where they look at memory that a peer shares, and
 * where they are between two looks, the peer is called.
 */
#ifndef _KMCL_FUZZ_KERNEL_H
#define _KMCL_FUZZ_KERNEL_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

typedef __UINT8_TYPE__ u8;
typedef __UINT16_TYPE__ u16;
typedef __UINT32_TYPE__ u32;
typedef __UINT64_TYPE__ u64;
typedef __INT32_TYPE__ s32;
typedef u16 __le16;
typedef u32 __le32;
typedef u64 __le64;

#define cpu_to_le16		htole16
#define cpu_to_le32		htole32
#define cpu_to_le64		htole64
#define le16_to_cpu		le16toh
#define le32_to_cpu		le32toh
#define le64_to_cpu		le64toh

#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#define static_assert(x)	_Static_assert(x, #x)
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define container_of(p, type, member) \
	((type *)((char *)(p) - offsetof(type, member)))

#define ALIGN(x, a)		(((x) + (a) - 1) & ~((typeof(x))(a) - 1))
#define IS_ALIGNED(x, a)	(((x) & ((typeof(x))(a) - 1)) == 0)
#define DIV_ROUND_UP_ULL(n, d)	(((u64)(n) + (d) - 1) / (d))
#define min_t(type, a, b)	((type)(a) < (type)(b) ? (type)(a) : (type)(b))
#define max_t(type, a, b)	((type)(a) > (type)(b) ? (type)(a) : (type)(b))
#define struct_size(p, member, n)	offsetof(typeof(*(p)), member[(size_t)(n)])
#define INT_MAX			0x7fffffff
#define ENOMEM			12

/* ---- shared memory ---- */

/* The peer does something, or not; each target has its own. */
void fuzz_peer(void);

/* one processor: what the kernel's order, these leave to the peer */
#define barrier()		fuzz_peer()
#define READ_ONCE(x)		({ fuzz_peer(); __atomic_load_n(&(x), __ATOMIC_RELAXED); })
/* as above */
#define virt_mb()		fuzz_peer()
/* as above */
#define virt_load_acquire(p)	READ_ONCE(*(p))
/* as above */
#define virt_store_release(p, v) \
	do { __atomic_store_n(p, v, __ATOMIC_RELEASE); fuzz_peer(); } while (0)

/* Of blob.c: the header is captured by then, the body may not be. */
u32 crc32_le(u32 crc, const u8 *bytes, size_t len);

/* ---- memory ---- */

#define GFP_KERNEL		0

/* NULL when it is the turn of the one that fails, see fuzz_fail_nth. */
void *kvmalloc(size_t bytes, int gfp);
#define kvfree(p)		free((void *)(p))

/* Allocations from here on until one fails; 0: none does. */
extern u32 fuzz_fail_nth;

#define cond_resched()		do { } while (0)

/* ---- lists ---- */

struct list_head {
	struct list_head *next, *prev;
};

static inline void INIT_LIST_HEAD(struct list_head *list)
{
	list->next = list;
	list->prev = list;
}

static inline void list_add_tail(struct list_head *entry, struct list_head *head)
{
	entry->next = head;
	entry->prev = head->prev;
	head->prev->next = entry;
	head->prev = entry;
}

static inline void list_del(struct list_head *entry)
{
	entry->next->prev = entry->prev;
	entry->prev->next = entry->next;
}

#define list_entry(p, type, member)	container_of(p, type, member)
#define list_for_each_entry(pos, head, member)					\
	for (pos = list_entry((head)->next, typeof(*pos), member);		\
	     &pos->member != (head);						\
	     pos = list_entry(pos->member.next, typeof(*pos), member))
#define list_for_each_entry_safe(pos, n, head, member)				\
	for (pos = list_entry((head)->next, typeof(*pos), member),		\
	     n = list_entry(pos->member.next, typeof(*pos), member);		\
	     &pos->member != (head);						\
	     pos = n, n = list_entry(n->member.next, typeof(*n), member))

#endif
