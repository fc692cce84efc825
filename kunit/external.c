// SPDX-License-Identifier: GPL-2.0
#include <linux/gfp.h>
#include <linux/slab.h>
#include "external.h"

#define BOUNCE_ORDER	get_order(KMCL_MAP_MAX)

static PMDL made;

/* ---- packets ---- */

static VOID lot_done(VMBPACKET packet, PVOID context, NTSTATUS status, PVOID buf, UINT32 len)
{
	struct lot *lot = context;

	lot->status = status;
	lot->len = len;
	if (buf)
		memcpy(lot->data, buf, min_t(u32, len, sizeof(lot->data)));
	kfree(lot->memory);
	lot->memory = NULL;
	lot->calls++;
	vsc_count(lot->v, status);
}

struct lot *lot_new(struct vsc *v)
{
	struct lot *lot = kunit_kzalloc(v->test, sizeof(*lot), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(v->test, lot);
	lot->v = v;
	lot->pkt = VmbPacketAllocate(v->ch);
	KUNIT_ASSERT_NOT_NULL(v->test, lot->pkt);
	VmbPacketSetCompletionRoutineEx(lot->pkt, lot, lot_done);
	return lot;
}

void lot_free(struct lot *lot)
{
	VmbPacketFree(lot->pkt);
}

/* ---- MDLs; Process, which nobody uses, links those of a case ---- */

PMDL mdl_keep(PMDL mdl)
{
	mdl->Process = (void *)made;
	made = mdl;
	return mdl;
}

PMDL mdl_before(void *buf, u32 len, PMDL next)
{
	PMDL mdl = IoAllocateMdl(buf, len, FALSE, FALSE, NULL);

	if (!mdl)
		return NULL;
	MmBuildMdlForNonPagedPool(mdl);
	mdl->Next = next;
	return mdl_keep(mdl);
}

PMDL mdl_for(void *buf, u32 len)
{
	return mdl_before(buf, len, NULL);
}

int external_suite_init(struct kunit *test)
{
	made = NULL;
	return vsc_suite_init(test);
}

void external_suite_exit(struct kunit *test)
{
	PMDL mdl;

	vsc_suite_exit(test);
	while ((mdl = made)) {
		made = (void *)mdl->Process;
		IoFreeMdl(mdl);
	}
}

/* ---- the host ---- */

static void each_piece(const struct vmpacket_descriptor *desc,
		       void (*fn)(void *host, u32 len, void *arg), void *arg)
{
	const struct gpa_range *r;
	int i, n = hvsim_gpa_ranges(desc, 0, &r);

	for (i = 0; i < n; i++) {
		u32 left, offset, page = 0, len;

		hvsim_gpa_ranges(desc, i, &r);
		left = r->byte_count;
		offset = r->byte_offset;
		while (left) {
			len = min_t(u32, left, HV_HYP_PAGE_SIZE - offset);
			fn(hvsim_gpa(r->pfn_array[page++], offset), len, arg);
			left -= len;
			offset = 0;
		}
	}
}

static void add_len(void *host, u32 len, void *arg)
{
	*(u32 *)arg += len;
}

static void copy_out(void *host, u32 len, void *arg)
{
	u8 **to = arg;

	memcpy(*to, host, len);
	*to += len;
}

static void copy_in(void *host, u32 len, void *arg)
{
	const u8 **from = arg;

	memcpy(host, *from, len);
	*from += len;
}

static void fill(void *host, u32 len, void *arg)
{
	memset(host, *(u8 *)arg, len);
}

u32 host_bytes(const struct vmpacket_descriptor *desc)
{
	u32 bytes = 0;

	each_piece(desc, add_len, &bytes);
	return bytes;
}

u32 host_read(const struct vmpacket_descriptor *desc, void *to)
{
	each_piece(desc, copy_out, &to);
	return host_bytes(desc);
}

void host_write(const struct vmpacket_descriptor *desc, const void *from)
{
	each_piece(desc, copy_in, &from);
}

void host_fill(const struct vmpacket_descriptor *desc, u8 byte)
{
	each_piece(desc, fill, &byte);
}

const struct vmpacket_descriptor *recorded(struct vsc *v)
{
	KUNIT_ASSERT_TRUE(v->test, list_is_singular(&v->host->record));
	return &list_first_entry(&v->host->record, struct hvsim_packet, node)->desc;
}

/* ---- bouncing ---- */

static struct bounce *bounce_of(struct kmcl_link *link)
{
	return container_of(link->ops, struct bounce, ops);
}

static dma_addr_t bounce_map(struct kmcl_link *link, phys_addr_t phys, u32 bytes,
			     enum dma_data_direction dir)
{
	struct bounce *b = bounce_of(link);
	u32 offset = phys % HV_HYP_PAGE_SIZE;
	struct bounce_slot *s = b->slots;

	if (!b->fail_after && b->fail) {
		b->fail -= b->fail > 0;
		return KMCL_NOT_MAPPED;
	}
	b->fail_after -= !!b->fail_after;
	if (b->then_direct && !b->fail) {
		b->maps++;
		b->live++;
		return phys;
	}
	while (s < b->slots + BOUNCE_SLOTS && s->used)
		s++;
	if (s == b->slots + BOUNCE_SLOTS || offset + bytes > KMCL_MAP_MAX)
		return KMCL_NOT_MAPPED;
	*s = (struct bounce_slot) {
		.memory = s->memory, .phys = phys, .bytes = bytes, .dir = dir, .used = true,
	};
	memset(s->memory, 0, PAGE_ALIGN(offset + bytes));
	if (dir != DMA_FROM_DEVICE)
		memcpy(s->memory + offset, phys_to_virt(phys), bytes);
	b->maps++;
	b->live++;
	b->mapped += bytes;
	return virt_to_phys(s->memory) + offset;
}

static void bounce_unmap(struct kmcl_link *link, dma_addr_t addr, u32 bytes,
			 enum dma_data_direction dir)
{
	struct bounce *b = bounce_of(link);
	struct bounce_slot *s;
	u32 offset;

	b->unmaps++;
	for (s = b->slots; s < b->slots + BOUNCE_SLOTS; s++) {
		offset = s->phys % HV_HYP_PAGE_SIZE;
		if (!s->used || virt_to_phys(s->memory) + offset != addr)
			continue;
		b->wrong += s->bytes != bytes || s->dir != dir;
		if (dir != DMA_TO_DEVICE)
			memcpy(phys_to_virt(s->phys), s->memory + offset, s->bytes);
		s->used = false;
		b->live--;
		return;
	}
	b->live -= b->then_direct;
	b->wrong += !b->then_direct;
}

static void bounce_free(struct kunit_resource *res)
{
	struct bounce *b = res->data;
	unsigned int i;

	for (i = 0; i < BOUNCE_SLOTS; i++)
		free_pages((unsigned long)b->slots[i].memory, BOUNCE_ORDER);
}

struct bounce *bounce_new(struct kunit *test)
{
	struct bounce *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, b);
	KUNIT_ASSERT_NOT_NULL(test, kunit_alloc_resource(test, NULL, bounce_free, GFP_KERNEL, b));
	for (i = 0; i < BOUNCE_SLOTS; i++) {
		b->slots[i].memory = (u8 *)__get_free_pages(GFP_KERNEL, BOUNCE_ORDER);
		KUNIT_ASSERT_NOT_NULL(test, b->slots[i].memory);
	}
	return b;
}

/* From now on, for a link through which nothing is mapped. */
void bounce_set(struct bounce *b, struct kmcl_link *link)
{
	b->link = link;
	b->real = link->ops;
	b->ops = *link->ops;
	b->ops.map = bounce_map;
	b->ops.unmap = bounce_unmap;
	link->ops = &b->ops;
}

void bounce_expect_even(struct kunit *test, const struct bounce *b)
{
	KUNIT_EXPECT_EQ(test, b->live, 0);
	KUNIT_EXPECT_EQ(test, b->maps, b->unmaps);
	KUNIT_EXPECT_EQ(test, b->wrong, 0u);
}
