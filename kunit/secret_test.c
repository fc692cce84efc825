// SPDX-License-Identifier: GPL-2.0
/*
 * Where things are in the kernel's memory is told to nobody: not in the files of debugfs, in
 * the log, in the trace, or on the wire. What a save says is in loopback/saved_test.c; servers
 * are in loopback/observe_test.c.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "external.h"
#include "kmsg.h"
#include "look.h"
#include "secret.h"

#define ASK	VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED
#define SOME	4u

/* What a scene is looked at with. */
static struct {
	struct secrets *secrets;
	void (*look)(struct secrets *s);
} eye;

/* Everybody who is in the picture, and whoever comes into it. */
static void look_at(struct kmcl_channel *kch)
{
	secret_add_channel(eye.secrets, kch);
	if (eye.look)
		eye.look(eye.secrets);
}

static void look_in_callback(struct vsc *v, enum vsc_event event)
{
	look_at(v->kch);
}

/* One of several: with an instance of its own. */
static struct vsc *new_vsc(struct kunit *test, u8 number)
{
	struct vsc *v = vsc_new(test);

	v->offer.exec = HVSIM_EXEC_INLINE;
	v->offer.script.answer = HVSIM_ANSWER_NONE;
	v->offer.instance.b[15] = number;
	KUNIT_ASSERT_EQ(test, vsc_set_target(v->ch, &v->offer.instance), STATUS_SUCCESS);
	secret_know_guid(eye.secrets, &v->offer.instance);
	return v;
}

static void keep_all_but_the_first(struct vsc *v, VMBPACKETCOMPLETION pkt, void *buf, u32 len)
{
	VMBPACKETCOMPLETION *kept = v->priv;

	if (atomic_read(&v->received) == 1)
		VmbChannelPacketComplete(pkt, buf, len);
	else if (atomic_read(&v->received) <= SOME)
		kept[atomic_read(&v->received) - 1] = pkt;
}

/* A bit of everything: in flight, with memory lent, received and kept, forged. */
static struct vsc *busy_vsc(struct kunit *test)
{
	UNICODE_STRING name = RTL_CONSTANT_STRING(L"\n \x263a, and more than there is room for");
	VMBPACKETCOMPLETION *kept = kunit_kcalloc(test, SOME, sizeof(*kept), GFP_KERNEL);
	u8 *memory = kunit_kmalloc(test, SOME * 8192, GFP_KERNEL);
	struct vsc *v = new_vsc(test, 11);
	UINT32 gpadl;
	u32 i;

	KUNIT_ASSERT_TRUE(test, memory && kept);
	secret_add(eye.secrets, memory);
	secret_add(eye.secrets, kept);
	v->priv = kept;
	v->on_packet = keep_all_but_the_first;
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetFriendlyName(v->ch, &name), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetClientContextSize(v->ch, 40), STATUS_SUCCESS);
	vsc_bring_up(v);
	v->host->script.lenient = true;
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadl(v->ch, 0, 2, &gpadl), STATUS_SUCCESS);
	for (i = 0; i < SOME; i++) {
		VMBPACKET pkt = vsc_packet(v);

		KUNIT_EXPECT_EQ(test, vsc_send(v, memory, 100, WAIT_FOR_COMPLETION),
				STATUS_SUCCESS);
		KUNIT_EXPECT_EQ(test, STATUS_SUCCESS,
				VmbPacketSend(pkt, "x", 1, mdl_for(memory + i * 8192 + i, 5000),
					      WAIT_FOR_COMPLETION));
		KUNIT_EXPECT_EQ(test, 0, hvsim_send(v->host, VM_PKT_DATA_INBAND, ASK, i, "ask", 4));
		KUNIT_EXPECT_EQ(test, 0, hvsim_send(v->host, VM_PKT_COMP, 0, 0x700000000 + i,
						    "forged", 7));
	}
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, atomic_read(&v->received), (int)SOME);
	return v;
}

static void let_go(struct vsc *v)
{
	VMBPACKETCOMPLETION *kept = v->priv;
	u32 i;

	for (i = 1; i < SOME; i++)
		VmbChannelPacketComplete(kept[i], "done", 5);
}

static struct vsc *paused_vsc(struct kunit *test)
{
	struct vsc *v = new_vsc(test, 12);
	u32 i;

	vsc_bring_up(v);
	VmbChannelPause(v->ch);
	for (i = 0; i < SOME; i++)
		KUNIT_EXPECT_EQ(test, vsc_send(v, "held", 5, i % 2 ? 0 : WAIT_FOR_COMPLETION),
				STATUS_SUCCESS);
	return v;
}

/* Channel and packet in the driver's own memory: there the handles are addresses. */
static VMBCHANNEL channel_in_memory(struct kunit *test, VMBPACKET *packet)
{
	VMBCHANNEL ch = kunit_kzalloc(test, VmbSizeofChannel(), GFP_KERNEL);
	VMBPACKET pkt;
	u32 size;

	KUNIT_ASSERT_EQ(test, VmbChannelInitialize(NULL, FALSE, ch, VmbSizeofChannel()),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, vsc_set_target(ch, NULL), STATUS_SUCCESS);
	VmbChannelSetPointer(ch, test);
	size = VmbChannelSizeofPacket(ch);
	pkt = kunit_kzalloc(test, size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pkt);
	KUNIT_EXPECT_EQ(test, VmbPacketInitialize(ch, pkt, size), STATUS_SUCCESS);
	secret_add(eye.secrets, ch);
	secret_add(eye.secrets, pkt);
	*packet = pkt;
	return ch;
}

static void poison(struct vsc *v)
{
	v->on_state = look_in_callback;
	hvsim_poke(v->host, HVSIM_H2G, HVSIM_WRITE_INDEX, 0xffffffff);
	hvsim_interrupt(v->host);
	vsc_expect_soon(v, READ_ONCE(v->kch->state) == KMCL_DISABLED);
	v->on_state = NULL;
}

/* All of it, one after the other; whatever is looked at, is looked at again and again. */
static void scene(struct kunit *test)
{
	struct vsc *busy, *paused, *poisoned;
	VMBPACKET packet, once;
	VMBCHANNEL own;

	busy = busy_vsc(test);
	look_at(busy->kch);
	paused = paused_vsc(test);
	look_at(paused->kch);
	own = channel_in_memory(test, &packet);
	look_at(kmcl_channel(own));
	poisoned = new_vsc(test, 13);
	vsc_bring_up(poisoned);
	KUNIT_EXPECT_EQ(test, vsc_send(poisoned, "lost", 5, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	poison(poisoned);
	look_at(poisoned->kch);

	/* mistakes of the driver's */
	once = VmbPacketAllocate(busy->ch);
	VmbPacketFree(once);
	VmbPacketFree(once);
	VmbPacketFree((VMBPACKET)busy->ch);
	VmbPacketFree((VMBPACKET)test);
	VmbChannelPacketComplete((VMBPACKETCOMPLETION)once, NULL, 0);
	VmbChannelPacketComplete((VMBPACKETCOMPLETION)packet, NULL, 0);
	VmbPacketFree(packet);
	/* a packet is left behind */
	packet = VmbPacketAllocate(paused->ch);
	KUNIT_ASSERT_NOT_NULL(test, packet);
	VmbChannelDisable(paused->ch);
	list_del_init(&paused->node);
	secret_add_channel(eye.secrets, paused->kch);
	VmbChannelCleanup(paused->ch);
	look_at(busy->kch);
	VmbPacketFree(packet);
	VmbChannelCleanup(own);

	let_go(busy);
	VmbChannelDisable(busy->ch);
	look_at(busy->kch);
}

static void begin(struct kunit *test, void (*look)(struct secrets *s))
{
	eye.secrets = secrets_new(test);
	eye.look = look;
	secret_know_guid(eye.secrets, &vsc_type);
}

/* ---- who could tell ---- */

static void look_at_files(struct secrets *s)
{
	secret_expect_none(s, look(s->test, LOOK_DIR "channels"), "channels");
	secret_expect_none(s, look(s->test, LOOK_DIR "counters"), "counters");
	secret_expect_none(s, look(s->test, LOOK_DIR "status"), "status");
}

static void no_file_says_where_anything_is_in_memory(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_DEBUG_FS))
		kunit_skip(test, "no debugfs in this kernel");
	begin(test, look_at_files);
	scene(test);
	/* with all the channels, Suspend and Closed of the poisoned one, and so on */
	KUNIT_EXPECT_EQ(test, eye.secrets->looked, 3u * 8);
	KUNIT_EXPECT_GT(test, eye.secrets->count, 40u);
}

static void no_line_of_the_log_says_where_anything_is_in_memory(struct kunit *test)
{
	char *text = kunit_kzalloc(test, LOOK_ROOM, GFP_KERNEL);
	struct kmsg k;

	KUNIT_ASSERT_NOT_NULL(test, text);
	if (!IS_ENABLED(CONFIG_KALLSYMS))
		kunit_skip(test, "this kernel prints an address for a symbol");
	begin(test, NULL);
	kmsg_mark(&k);
	scene(test);
	kmsg_text(&k, text, LOOK_ROOM);
	secret_expect_none(eye.secrets, text, "log");
	KUNIT_EXPECT_GT(test, eye.secrets->count, 40u);
	/* what has been said */
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "closing the channel"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "nothing waits for it"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "still owned"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "VmbPacketFree: "));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "VmbChannelPacketComplete: "));
}

static void no_record_of_the_trace_says_where_anything_is_in_memory(struct kunit *test)
{
	char *text;

	begin(test, NULL);
	look_trace_begin(test);
	scene(test);
	text = look_trace_end(test);
	secret_expect_none(eye.secrets, text, "trace");
	KUNIT_EXPECT_GT(test, eye.secrets->count, 40u);
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, ": kmcl_packet_submit: "));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, ": kmcl_packet_reply: "));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, ": kmcl_packet_stale: "));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, ": kmcl_gpadl_unshare: "));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, ": kmcl_channel_poison: "));
}

/* What looks is itself worth a look: each form of an address is found. */
static void an_address_is_found_in_any_form(struct kunit *test)
{
	static const char * const forms[] = {
		"%lx", "0x%lx", "%#lx", "%lX", "%016lx", "%lu", "a%lxf", "00%lu",
	};
	struct secrets *s = secrets_new(test);
	char text[128];
	u32 i;

	secret_add(s, test);
	KUNIT_ASSERT_EQ(test, s->count, 2u);
	for (i = 0; i < ARRAY_SIZE(forms); i++) {
		char format[64];

		scnprintf(format, sizeof(format), "forty characters of text: %s in it\n", forms[i]);
		snprintf(text, sizeof(text), format, (unsigned long)test);
		KUNIT_EXPECT_TRUE_MSG(test, !!secret_in(s, text), "%s", forms[i]);
		/* one that nobody has named */
		snprintf(text, sizeof(text), format, (unsigned long)test->name);
		if (forms[i][0] != 'a')
			KUNIT_EXPECT_TRUE_MSG(test, !!secret_in(s, text), "%s", forms[i]);
	}
}

/* In UML memory may be mapped where the number of a status is. */
static void a_status_is_not_taken_for_an_address(struct kunit *test)
{
	struct secrets *s = secrets_new(test);
	unsigned long value = (unsigned long)test->name;
	char text[64];

	if (value > U32_MAX)
		kunit_skip(test, "an address has more digits than a status here");
	snprintf(text, sizeof(text), "channel=1 status=0x%08lx bytes=1\n", value);
	KUNIT_EXPECT_NULL(test, secret_in(s, text));
	snprintf(text, sizeof(text), "nothing is restored (status %#lx)\n", value);
	KUNIT_EXPECT_NULL(test, secret_in(s, text));
	/* and nothing else is taken for a status */
	snprintf(text, sizeof(text), "channel=1 gpadl=0x%08lx bytes=1\n", value);
	KUNIT_EXPECT_NOT_NULL(test, secret_in(s, text));
	secret_add(s, test->name);
	snprintf(text, sizeof(text), "channel=1 status=0x%08lx bytes=1\n", value);
	KUNIT_EXPECT_NOT_NULL(test, secret_in(s, text));
}

/* ---- the wire ---- */

/* Of the linear map; UML's vmalloc range has small numbers in it. */
static bool is_kernel_pointer(u64 value)
{
	return virt_addr_valid((void *)value);
}

static void expect_no_pointers(struct vsc *v)
{
	struct hvsim_packet *pkt;
	const u64 *words;
	u32 i;

	list_for_each_entry(pkt, &v->host->record, node) {
		words = (const u64 *)&pkt->desc;
		for (i = 0; i < pkt->size / sizeof(*words); i++)
			KUNIT_EXPECT_FALSE_MSG(v->test, is_kernel_pointer(words[i]),
					       "%#llx is word %u of a packet of type %u",
					       words[i], i, pkt->desc.type);
	}
}

static void no_kernel_pointer_goes_on_the_wire(struct kunit *test)
{
	LARGE_INTEGER timeout = { .QuadPart = -50000000 };
	struct vsc *v = vsc_new(test);
	static u8 zeros[64];
	u32 len;

	KUNIT_ASSERT_TRUE(test, is_kernel_pointer((unsigned long)v));
	v->offer.exec = HVSIM_EXEC_INLINE;
	v->offer.script.record = true;
	vsc_bring_up(v);
	/* every length, so that padding shows too */
	for (len = 0; len <= 40; len++) {
		KUNIT_ASSERT_EQ(test, vsc_send(v, zeros, len, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
		KUNIT_ASSERT_EQ(test, vsc_send(v, zeros, len, 0), STATUS_SUCCESS);
		KUNIT_ASSERT_EQ(test, hvsim_send(v->host, VM_PKT_DATA_INBAND, 1, len, zeros, len),
				0);
	}
	VmbChannelPause(v->ch);
	for (len = 0; len <= 40; len++)
		KUNIT_ASSERT_EQ(test, vsc_send(v, zeros, len, WAIT_FOR_COMPLETION), STATUS_SUCCESS);
	VmbChannelStart(v->ch);
	len = sizeof(zeros);
	KUNIT_ASSERT_EQ(test, STATUS_SUCCESS,
			VmbChannelSendSynchronousRequest(v->ch, "all", 4, NULL, WAIT_FOR_COMPLETION,
							 zeros, &len, &timeout));
	vsc_expect_soon(v, atomic_read(&v->completions) == 3 * 41);
	hvsim_settle();
	KUNIT_EXPECT_EQ(test, v->host->stats.packets[VM_PKT_DATA_INBAND], 3 * 41 + 1);
	KUNIT_EXPECT_EQ(test, v->host->stats.packets[VM_PKT_COMP], 41);
	expect_no_pointers(v);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(an_address_is_found_in_any_form),
	KUNIT_CASE(a_status_is_not_taken_for_an_address),
	KUNIT_CASE(no_file_says_where_anything_is_in_memory),
	KUNIT_CASE(no_line_of_the_log_says_where_anything_is_in_memory),
	KUNIT_CASE(no_record_of_the_trace_says_where_anything_is_in_memory),
	KUNIT_CASE(no_kernel_pointer_goes_on_the_wire),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_secret",
	.init = external_suite_init,
	.exit = external_suite_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
