// SPDX-License-Identifier: GPL-2.0
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/hash.h>
#include <linux/slab.h>
#include <kmcl/page-set.h>
#include "books.h"
#include "client.h"

#define PATIENCE	(300 * HZ)	/* a teardown that takes longer is stuck */
#define EXTERNAL_MOST	12000u

/* What a packet's pointer says of it. */
#define ON_ITS_WAY	((void *)1)
#define OVER		((void *)2)

u32 odd_number(struct rnd_state *rnd)
{
	u32 random = prandom_u32_state(rnd);

	switch (random >> 28) {
	case 0:
		return 0;
	case 1:
		return 0xffffffff;
	case 2:
		return 1u << random % 32;
	case 3:
		return (1u << random % 32) - 1;
	case 4:
		return 0xffffffff - random % 64;
	case 5 ... 8:
		return random % 64;
	case 9 ... 11:
		return random % 8192 * 8;
	case 12 ... 13:
		return random % 32 * 4096 + (random >> 8) % 3 - 1;
	default:
		return prandom_u32_state(rnd);
	}
}

u32 draw(struct round *r)
{
	return hash_32(r->seed + 0x9e3779b9 * (u32)atomic_inc_return(&r->draws), 32);
}

void any_moment(struct rnd_state *rnd, u32 us)
{
	us = any(rnd, us);
	if (us % 4)
		usleep_range(us, us + 20);
	else
		cond_resched();
}

/* ---- sending ---- */

/* What a packet has with it. */
struct load {
	struct round *round;
	PMDL mdl;
	u8 memory[];
};

static void load_free(struct load *load)
{
	if (load->mdl)
		IoFreeMdl(load->mdl);
	kfree(load);
}

static VOID completed(VMBPACKET packet, PVOID context, NTSTATUS status, PVOID buf, UINT32 len)
{
	struct load *load = context;
	struct round *r = load->round;

	if (VmbPacketGetPointer(packet) != ON_ITS_WAY)
		atomic_inc(&r->twice);
	VmbPacketSetPointer(packet, OVER);
	if (status != STATUS_SUCCESS && status != STATUS_CANCELLED &&
	    status != STATUS_DEVICE_REMOVED)
		atomic_inc(&r->odd);
	/* all of it can be read */
	if (buf && len && memchr_inv(buf, 0, len))
		barrier();
	VmbPacketFree(packet);
	load_free(load);
	atomic_inc(&r->ended);
}

static struct load *load_new(struct round *r, u32 external)
{
	struct load *load = kzalloc(sizeof(*load) + external, GFP_KERNEL);

	if (!load)
		return NULL;
	load->round = r;
	if (!external)
		return load;
	load->mdl = IoAllocateMdl(load->memory, external, FALSE, FALSE, NULL);
	if (load->mdl) {
		MmBuildMdlForNonPagedPool(load->mdl);
		return load;
	}
	kfree(load);
	return NULL;
}

/* False: refused. */
static bool send_one(struct actor *a)
{
	u32 random = prandom_u32_state(&a->rnd), flags = 0, external = 0;
	struct round *r = a->round;
	u8 body[256];
	struct load *load;
	NTSTATUS status;
	VMBPACKET pkt;

	if (random & BIT(30))
		flags = VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION;
	if (flags && !r->kch->server && (random & 3) == 3)
		external = 1 + any(&a->rnd, EXTERNAL_MOST);
	load = load_new(r, external);
	if (!load)
		return false;
	pkt = VmbPacketAllocate(r->ch);
	if (!pkt) {
		load_free(load);
		return false;
	}
	memset(body, 0x5a, sizeof(body));
	VmbPacketSetCompletionRoutineEx(pkt, load, completed);
	VmbPacketSetPointer(pkt, ON_ITS_WAY);
	status = VmbPacketSend(pkt, body, random % min_t(u32, sizeof(body), r->max_packet),
			       load->mdl, flags);
	if (NT_SUCCESS(status)) {
		atomic_inc(&r->accepted);
		return true;
	}
	VmbPacketFree(pkt);
	load_free(load);
	return false;
}

static void sender(struct actor *a)
{
	u32 n;

	for (n = any(&a->rnd, 16); n && send_one(a); n--)
		;
	any_moment(&a->rnd, 1000);
}

static void requester(struct actor *a)
{
	struct round *r = a->round;
	LARGE_INTEGER timeout = { .QuadPart = -10000LL * any(&a->rnd, 20) };
	struct load *load = load_new(r, any(&a->rnd, 3) ? 0 : 1 + any(&a->rnd, EXTERNAL_MOST));
	u64 answer[8];
	u32 size = sizeof(answer);
	NTSTATUS status;

	if (!load)
		return;
	if (r->kch->server)
		timeout.QuadPart = 0;
	status = VmbChannelSendSynchronousRequest(r->ch, answer, 16,
						  r->kch->server ? NULL : load->mdl,
						  r->kch->server ? 0 :
						  VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION,
						  answer, &size, &timeout);
	if (size > sizeof(answer))
		atomic_inc(&r->odd);
	if (NT_SUCCESS(status))
		atomic_inc(&r->requests);
	load_free(load);
	any_moment(&a->rnd, 2000);
}

/* ---- receiving ---- */

static void done(struct round *r, VMBPACKETCOMPLETION pkt, void *buf, u32 len)
{
	VmbChannelPacketComplete(pkt, buf, len);
	atomic_inc(&r->done);
}

static bool keep(struct round *r, VMBPACKETCOMPLETION pkt)
{
	bool kept = false;
	u32 i;

	spin_lock_bh(&r->lock);
	for (i = 0; i < KEPT && !kept; i++) {
		kept = !r->kept[i];
		if (kept)
			r->kept[i] = pkt;
	}
	spin_unlock_bh(&r->lock);
	return kept;
}

static VMBPACKETCOMPLETION take_kept(struct round *r, u32 i)
{
	VMBPACKETCOMPLETION pkt;

	spin_lock_bh(&r->lock);
	pkt = r->kept[i];
	r->kept[i] = NULL;
	spin_unlock_bh(&r->lock);
	return pkt;
}

static void keeper(struct actor *a)
{
	struct round *r = a->round;
	VMBPACKETCOMPLETION pkt;
	u8 reply[64] = {};
	u32 i;

	for (i = 0; i < KEPT; i++) {
		pkt = take_kept(r, i);
		if (pkt)
			done(r, pkt, reply, any(&a->rnd, sizeof(reply)));
	}
	any_moment(&a->rnd, 500);
}

/* Every byte that the peer has named. */
static void read_external(struct round *r, PMDL mdl)
{
	for (; mdl; mdl = mdl->Next) {
		u8 *at = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);

		if (at && memchr_inv(at, 0x5a, mdl->ByteCount))
			barrier();
	}
}

void round_packet(struct round *r, VMBPACKETCOMPLETION pkt, void *buf, u32 len)
{
	u32 random = draw(r);
	NTSTATUS status;
	PMDL mdl;

	if (memchr_inv(buf, 0, len))
		barrier();
	status = VmbChannelPacketGetExternalData(pkt, 0, &mdl);
	if (status == STATUS_PENDING)
		return;
	if (in_interrupt() && random % 16 == 1) {
		VmbChannelPacketDeferToPassive(pkt);
		return;
	}
	atomic_inc(&r->given);
	if (status == STATUS_SUCCESS)
		read_external(r, mdl);
	if (random % 1024 == 2) {
		VmbChannelPacketFail(pkt);
		atomic_inc(&r->done);
		return;
	}
	if (random % 4 == 3 && keep(r, pkt))
		return;
	done(r, pkt, buf, random % 8 ? min(len, 256u) : 0);
}

/* ---- memory ---- */

void round_may_map(struct round *r, bool may)
{
	mutex_lock(&r->mapping);
	r->may_map = may;
	mutex_unlock(&r->mapping);
}

/* What the client lends, whatever that is. */
static void look_at_gpadl(struct actor *a)
{
	u32 handle = any(&a->rnd, 6);
	struct round *r = a->round;
	PMDL mdl;

	mutex_lock(&r->mapping);
	if (r->may_map && VmbChannelMapGpadl(r->ch, 0, handle, &mdl) == STATUS_SUCCESS) {
		read_external(r, mdl);
		atomic_inc(&r->gpadls);
		any_moment(&a->rnd, 2000);
		read_external(r, mdl);
		VmbChannelUnmapGpadl(r->ch, handle);
	}
	mutex_unlock(&r->mapping);
}

/* Memory of the driver's, which the host may name while it is lent. */
static void lend(struct actor *a)
{
	struct round *r = a->round;
	u32 handle;

	if (VmbChannelCreateGpadlFromBuffer(r->ch, 0, r->lent, LENT_PAGES * PAGE_SIZE, &handle) !=
	    STATUS_SUCCESS)
		return;
	atomic_inc(&r->gpadls);
	WRITE_ONCE(r->handle, handle);
	kmcl_page_set_register(r->ch, SET, handle);
	any_moment(&a->rnd, 20000);
	kmcl_page_set_unregister(r->ch, SET);
	VmbChannelDeleteGpadl(r->ch, handle);
}

static void lender(struct actor *a)
{
	if (a->round->kch->server)
		look_at_gpadl(a);
	else
		lend(a);
	any_moment(&a->rnd, 5000);
}

/* ---- life ---- */

static void owner(struct actor *a)
{
	VMBCHANNEL ch = a->round->ch;

	switch (any(&a->rnd, a->round->service ? 32 : 16)) {
	case 0:
		VmbChannelDisable(ch);
		break;
	case 1:
		VmbChannelPause(ch);
		break;
	case 2 ... 5:
		VmbChannelStart(ch);
		break;
	case 16 ... 31:
		a->round->service(container_of(a->round, struct client, round), &a->rnd);
		break;
	default:
		if (VmbChannelEnable(ch) == STATUS_SUCCESS && a->round->kch->server)
			VmbChannelStart(ch);
		break;
	}
	any_moment(&a->rnd, 20000);
}

static void actor_main(void *arg)
{
	struct actor *a = arg;
	struct round *r = a->round;

	if (a->act == owner && VmbChannelEnable(r->ch) == STATUS_SUCCESS && r->kch->server)
		VmbChannelStart(r->ch);
	while (!READ_ONCE(r->stop) || (a->act == keeper && !READ_ONCE(r->over))) {
		a->act(a);
		cond_resched();
	}
	/* the last word is its own */
	if (a->act == owner) {
		VmbChannelDisable(r->ch);
		WRITE_ONCE(r->over, true);
	}
}

static void (*const acts[ACTORS])(struct actor *a) = {
	owner, sender, requester, lender, keeper,
};

/* ---- a round ---- */

void round_init(struct round *r, struct kunit *test, u32 seed, VMBCHANNEL ch)
{
	memset(r, 0, sizeof(*r));
	r->test = test;
	r->seed = seed;
	r->ch = ch;
	r->kch = kmcl_channel(ch);
	spin_lock_init(&r->lock);
	mutex_init(&r->mapping);
}

bool round_go(struct round *r)
{
	u32 i;

	r->max_packet = r->kch->config.max_packet;
	r->lent = alloc_pages_exact(LENT_PAGES * PAGE_SIZE, GFP_KERNEL | __GFP_ZERO);
	for (i = 0; r->lent && i < ACTORS; i++) {
		struct actor *a = &r->actors[i];

		a->round = r;
		a->act = acts[i];
		prandom_seed_state(&a->rnd, r->seed * ACTORS + i);
		if (!helper_start(&a->helper, actor_main, a))
			break;
		r->running++;
	}
	return r->running == ACTORS;
}

void round_stop(struct round *r)
{
	WRITE_ONCE(r->stop, true);
}

bool round_end(struct round *r)
{
	static const char *const names[ACTORS] = {
		"owner", "sender", "requester", "lender", "keeper",
	};
	struct kunit *test = r->test;
	u32 i;

	for (i = 0; i < r->running; i++) {
		if (wait_for_completion_timeout(&r->actors[i].helper.done, PATIENCE))
			continue;
		KUNIT_FAIL(test, "seed %u: the %s is stuck", r->seed, names[i]);
		return false;
	}
	KUNIT_EXPECT_EQ_MSG(test, atomic_read(&r->ended), atomic_read(&r->accepted),
			    "seed %u: packets sent and completed", r->seed);
	KUNIT_EXPECT_EQ_MSG(test, atomic_read(&r->given), atomic_read(&r->done),
			    "seed %u: packets received and completed", r->seed);
	KUNIT_EXPECT_EQ_MSG(test, atomic_read(&r->twice), 0, "seed %u", r->seed);
	KUNIT_EXPECT_EQ_MSG(test, atomic_read(&r->odd), 0, "seed %u", r->seed);
	KUNIT_EXPECT_EQ_MSG(test, r->kch->packets, 0, "seed %u", r->seed);
	KUNIT_EXPECT_EQ_MSG(test, READ_ONCE(r->kch->state), KMCL_DISABLED, "seed %u", r->seed);
	KUNIT_EXPECT_EQ_MSG(test, atomic_read(&r->kch->rx.delivered), 0, "seed %u", r->seed);
	return true;
}

void round_add(struct round *r, struct totals *t)
{
	t->accepted += atomic_read(&r->accepted);
	t->given += atomic_read(&r->given);
	t->requests += atomic_read(&r->requests);
	t->gpadls += atomic_read(&r->gpadls);
	t->faults += r->kch->stats.faults;
	t->stale += r->kch->stats.stale_ids;
	t->unread += r->kch->stats.unsupported;
	free_pages_exact(r->lent, LENT_PAGES * PAGE_SIZE);
}
