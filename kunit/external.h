/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For the suites about external data: MDLs that are freed at the end of the
 * case, the host's hands on the guest's memory, and a transport that bounces.
 */
#ifndef _KUNIT_EXTERNAL_H
#define _KUNIT_EXTERNAL_H

#include "fixture.h"

/**
 * struct lot - a packet that is kept, and what became of it
 * @v: whose
 * @pkt: the packet
 * @calls: of the completion routine
 * @status: of the last one
 * @len: bytes of its answer
 * @data: the first of them
 * @memory: freed by the routine when set: from then on KASAN watches
 */
struct lot {
	struct vsc *v;
	VMBPACKET pkt;
	int calls;
	NTSTATUS status;
	u32 len;
	u8 data[64];
	void *memory;
};

struct lot *lot_new(struct vsc *v);
void lot_free(struct lot *lot);

int external_suite_init(struct kunit *test);
void external_suite_exit(struct kunit *test);

/* An MDL of kernel memory, of the case's. */
PMDL mdl_for(void *buf, u32 len);
/* The same, put in front of another. */
PMDL mdl_before(void *buf, u32 len, PMDL next);
/* For what the case has made itself. */
PMDL mdl_keep(PMDL mdl);

static inline PFN_NUMBER frame_of(const void *p)
{
	return virt_to_phys((void *)p) >> HV_HYP_PAGE_SHIFT;
}

/* The host's: bytes of all ranges, in order; and copies from and to them. */
u32 host_bytes(const struct vmpacket_descriptor *desc);
u32 host_read(const struct vmpacket_descriptor *desc, void *to);
void host_write(const struct vmpacket_descriptor *desc, const void *from);
void host_fill(const struct vmpacket_descriptor *desc, u8 byte);

/* The only packet recorded since the last call of hvsim_clear_record(). */
const struct vmpacket_descriptor *recorded(struct vsc *v);

#define BOUNCE_SLOTS	40

/**
 * struct bounce - between the library and a link, memory that the host sees
 * @ops: the link's, with map and unmap replaced
 * @link: the link
 * @real: its own ops
 * @maps: calls of map that succeeded
 * @unmaps: calls of unmap
 * @mapped: bytes in those of map
 * @live: mapped and not unmapped
 * @wrong: unmapped what was not mapped, or otherwise than it was
 * @fail: maps that fail from now on; -1 all of them
 * @fail_after: and before that, maps that succeed
 * @then_direct: and after that, memory is where it is
 * @slots: where it bounces
 */
struct bounce {
	struct kmcl_link_ops ops;
	struct kmcl_link *link;
	const struct kmcl_link_ops *real;
	unsigned int maps;
	unsigned int unmaps;
	u32 mapped;
	int live;
	unsigned int wrong;
	int fail;
	unsigned int fail_after;
	bool then_direct;
	struct bounce_slot {
		u8 *memory;
		phys_addr_t phys;
		u32 bytes;
		enum dma_data_direction dir;
		bool used;
	} slots[BOUNCE_SLOTS];
};

struct bounce *bounce_new(struct kunit *test);
void bounce_set(struct bounce *b, struct kmcl_link *link);
/* Nothing is mapped, everything was unmapped once. */
void bounce_expect_even(struct kunit *test, const struct bounce *b);

#endif
