// SPDX-License-Identifier: GPL-2.0
/*
 * External data through the kernel's bounce pool: a client of Dynamic Memory that
 * sends nothing but questions with external data, for a guest with swiotlb=force.
 *
 * The question is for a version that no host speaks: QEMU's balloon answers it and
 * stays as it is. It answers no packet whose ranges QEMU cannot take apart, and it
 * completes none. So each answer is one to the ranges, and all packets are under
 * way at a time, from the loading of this module to its unloading.
 *
 * Meanwhile the packet in the ring says where the host would read and write; that
 * is memory of the guest, and this module does it in the host's place. When the
 * channel is closed the driver's memory must hold what the host has written, where
 * it may write, and nothing else must have changed.
 *
 * A failure is a line of level err; loading fails with -EIO then. How much of the
 * pool is in use is in debugfs, and whoever loads this looks there.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/completion.h>
#include <linux/gfp.h>
#include <linux/hyperv.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/swiotlb.h>

#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

#include <kmcl/device.h>
#include <kmcl/vsc.h>

#define PAGE		HV_HYP_PAGE_SIZE
#define AREA		(64 * PAGE)
#define EXTERNAL_MAX	(48 * PAGE)
#define PIECES		4u

/* Bytes that no pattern has: around the driver's data, and what the host writes. */
#define GUARD		0xa5
#define WRITTEN		0x5a

#define IN		VMBUS_CHANNEL_FORMAT_FLAG_DATA_IN_ONLY
#define OUT		VMBUS_CHANNEL_FORMAT_FLAG_DATA_OUT_ONLY

/*
 * What is sent: pieces of an area, one MDL for each; or one piece of whole pages,
 * named by their frames, the last one first.
 */
static const struct request {
	const char *what;
	u32 flags;
	bool frames;
	struct {
		u32 offset;
		u32 bytes;
	} pieces[PIECES];
} requests[] = {
	{ "a page in part", 0, false, { { PAGE + 1001, 777 } } },
	{ "a byte", 0, false, { { 4 * PAGE - 1, 1 } } },
	{ "two bytes in two pages", 0, false, { { 2 * PAGE - 1, 2 } } },
	{ "more than one mapping takes", 0, false, { { PAGE + 17, 150001 } } },
	{ "a chain", 0, false, { { PAGE - 3, 7 }, { 3 * PAGE + 100, 3 * PAGE + 1 },
				 { 9 * PAGE + 4095, 1 }, { 20 * PAGE + 2047, 2 * PAGE } } },
	{ "frames", 0, true, { { 5 * PAGE, 3 * PAGE } } },
	{ "what the host only reads", OUT, false, { { 511, 9001 } } },
	{ "frames that the host only reads", OUT, true, { { 30 * PAGE, 2 * PAGE } } },
	{ "what the host only writes", IN, false, { { 2049, 9001 }, { 8 * PAGE + 1, 4095 } } },
	{ "frames that the host only writes", IN, true, { { 7 * PAGE, 20 * PAGE } } },
};

static struct sent {
	VMBPACKET packet;
	u8 *area;
	PMDL mdl;
	NTSTATUS status;
	unsigned int ends;
} sents[ARRAY_SIZE(requests)];

/* Messages of Dynamic Memory: a question for a version, and its answer. */
#define QUESTION	1
#define ANSWER		2
#define NO_VERSION	0xffffffff

struct message {
	__le16 type;
	__le16 size;
	__le32 id;
	__le64 version;		/* in an answer: whether it is accepted */
};

static VMBCHANNEL channel;
static struct hv_device *device;
static DECLARE_COMPLETION(started);
static DECLARE_COMPLETION(answered);
static DECLARE_COMPLETION(tried);
static struct message answer;
static int result = -ENODEV;

static unsigned int slots;
module_param(slots, uint, 0444);
MODULE_PARM_DESC(slots, "slots of the pool that the packets need, at least (to be read)");

static __printf(2, 3) bool wrong(const struct request *r, const char *fmt, ...)
{
	struct va_format vaf = { .fmt = fmt };
	va_list args;

	va_start(args, fmt);
	vaf.va = &args;
	pr_err("%s: %pV\n", r->what, &vaf);
	va_end(args);
	return false;
}

static u8 pattern(u32 at)
{
	return 1 + at % 83;
}

/* ---- the driver ---- */

/* Which byte of the area the @at-th byte of the external data is. */
static u8 *byte_at(const struct request *r, u8 *area, u32 at)
{
	u32 i;

	if (r->frames)
		return area + r->pieces[0].offset + r->pieces[0].bytes -
		       (at / PAGE + 1) * PAGE + at % PAGE;
	for (i = 0; at >= r->pieces[i].bytes; i++)
		at -= r->pieces[i].bytes;
	return area + r->pieces[i].offset + at;
}

static u32 pieces_of(const struct request *r)
{
	u32 i;

	for (i = 0; i < PIECES && r->pieces[i].bytes; i++)
		;
	return i;
}

static u32 bytes_of(const struct request *r)
{
	u32 i, bytes = 0;

	for (i = 0; i < PIECES; i++)
		bytes += r->pieces[i].bytes;
	return bytes;
}

static bool prepare(const struct request *r, struct sent *s)
{
	PMDL *end = &s->mdl;
	u32 i;

	s->packet = VmbPacketAllocate(channel);
	s->area = alloc_pages_exact(AREA, GFP_KERNEL);
	if (!s->packet || !s->area)
		return wrong(r, "no memory");
	memset(s->area, GUARD, AREA);
	for (i = 0; i < bytes_of(r); i++)
		*byte_at(r, s->area, i) = pattern(i);
	for (i = 0; i < pieces_of(r) && !r->frames; i++) {
		*end = IoAllocateMdl(s->area + r->pieces[i].offset, r->pieces[i].bytes,
				     FALSE, FALSE, NULL);
		if (!*end)
			return wrong(r, "no memory for an MDL");
		MmBuildMdlForNonPagedPool(*end);
		end = &(*end)->Next;
	}
	return true;
}

static void release(struct sent *s)
{
	PMDL next;

	for (; s->mdl; s->mdl = next) {
		next = s->mdl->Next;
		IoFreeMdl(s->mdl);
	}
	if (s->packet)
		VmbPacketFree(s->packet);
	if (s->area)
		free_pages_exact(s->area, AREA);
	memset(s, 0, sizeof(*s));
}

static VOID ended(VMBPACKET packet, PVOID context, NTSTATUS status, PVOID buf, UINT32 len)
{
	struct sent *s = context;

	s->status = status;
	s->ends++;
}

static VOID process(VMBCHANNEL ch, PVOID context, VMBPACKETCOMPLETION packet, PVOID buf,
		    UINT32 len, UINT32 flags)
{
	memset(&answer, 0, sizeof(answer));
	memcpy(&answer, buf, min_t(size_t, len, sizeof(answer)));
	VmbChannelPacketComplete(packet, NULL, 0);
	complete(&answered);
}

/* ---- in the host's place ---- */

/*
 * A frame of a packet: are bytes @begin to @end of it the next of the external data,
 * from byte @at on, and is nothing else of the driver's in it? Then the host writes,
 * beyond the range too, as far as the slots of the pool that hold it reach: what
 * follows in the frame may be another packet's.
 */
static bool use_frame(const struct request *r, const struct sent *s, u64 frame, u32 begin,
		      u32 end, u32 at)
{
	u8 *page = phys_to_virt(frame * PAGE);
	u32 i;

	if (!pfn_valid(PHYS_PFN(frame * PAGE)))
		return wrong(r, "byte %u is in frame %#llx, where no memory is", at, frame);
	if (page >= s->area && page < s->area + AREA)
		return wrong(r, "byte %u is in the driver's own memory", at);
	for (i = begin; i < end && !(r->flags & IN); i++)
		if (page[i] != pattern(at + i - begin))
			return wrong(r, "byte %u is %#x for the host", at + i - begin, page[i]);
	if (memchr(page, GUARD, begin) || memchr(page + end, GUARD, PAGE - end))
		return wrong(r, "the host sees what is beside byte %u", at);
	begin = round_down(begin, IO_TLB_SIZE);
	end = round_up(end, IO_TLB_SIZE);
	memset(page + begin, WRITTEN, end - begin);
	return true;
}

/* The packet that begins there in the ring, which is mapped twice in a row. */
static bool use_ranges(const struct request *r, const struct sent *s, u32 ring_offset)
{
	const struct vmbus_packet_mpb_array *packet =
		(void *)(device->channel->outbound.ring_buffer->buffer + ring_offset);
	const struct hv_mpb_array *range = &packet->range;
	u32 i, n, frame, begin, end, at = 0;

	if (packet->type != VM_PKT_DATA_USING_GPA_DIRECT || packet->rangecount != pieces_of(r))
		return wrong(r, "a packet of type %u, %u ranges", packet->type,
			     packet->rangecount);
	for (i = 0; i < pieces_of(r); i++) {
		begin = r->pieces[i].offset % PAGE;
		if (range->offset != begin || range->len != r->pieces[i].bytes)
			return wrong(r, "range %u: offset %u, %u bytes", i, range->offset,
				     range->len);
		n = DIV_ROUND_UP(range->offset + range->len, PAGE);
		for (frame = 0; frame < n; frame++, begin = 0) {
			end = min_t(u32, PAGE, range->offset + range->len - frame * PAGE);
			if (!use_frame(r, s, range->pfn_array[frame], begin, end, at))
				return false;
			at += end - begin;
		}
		slots += DIV_ROUND_UP(range->len, IO_TLB_SIZE);
		range = (const void *)&range->pfn_array[n];
	}
	return true;
}

/* ---- one at a time ---- */

static bool ask(const struct request *r, struct sent *s)
{
	const u32 flags = r->flags | VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION;
	struct message question = {
		.type = cpu_to_le16(QUESTION),
		.size = cpu_to_le16(sizeof(question)),
		.id = cpu_to_le32(r - requests + 1),
		.version = cpu_to_le64(NO_VERSION),
	};
	u32 at, i, n = r->pieces[0].bytes / PAGE;
	PFN_NUMBER frames[AREA / PAGE];
	NTSTATUS status;

	if (!prepare(r, s))
		return false;
	VmbPacketSetCompletionRoutineEx(s->packet, s, ended);
	at = READ_ONCE(device->channel->outbound.ring_buffer->write_index);
	if (r->frames) {
		for (i = 0; i < n; i++)
			frames[i] = virt_to_phys(byte_at(r, s->area, i * PAGE)) / PAGE;
		status = VmbPacketSendWithExternalPfns(s->packet, &question, sizeof(question),
						       frames, n, flags);
	} else {
		status = VmbPacketSend(s->packet, &question, sizeof(question), s->mdl, flags);
	}
	if (!NT_SUCCESS(status))
		return wrong(r, "not sent, status 0x%08x", status);
	if (!wait_for_completion_timeout(&answered, 5 * HZ))
		return wrong(r, "the host does not take the packet");
	if (le16_to_cpu(answer.type) != ANSWER || answer.id != question.id || answer.version)
		return wrong(r, "answer of type %u to question %u", le16_to_cpu(answer.type),
			     le32_to_cpu(answer.id));
	if (s->ends)
		return wrong(r, "ended with status 0x%08x before the channel", s->status);
	return use_ranges(r, s, at);
}

/* The channel is closed: what came back, and from whom. */
static bool came_back(const struct request *r, const struct sent *s)
{
	u32 i, n = bytes_of(r);

	if (s->ends != 1 || s->status != STATUS_CANCELLED)
		return wrong(r, "ended %u times, status 0x%08x", s->ends, s->status);
	for (i = 0; i < n; i++) {
		u8 *p = byte_at(r, s->area, i), should = r->flags & OUT ? pattern(i) : WRITTEN;

		if (*p != should)
			return wrong(r, "byte %u is %#x, not %#x", i, *p, should);
		*p = GUARD;
	}
	if (memchr_inv(s->area, GUARD, AREA))
		return wrong(r, "something has written beside the data");
	return true;
}

/* ---- module ---- */

static VOID post_started(VMBCHANNEL ch)
{
	complete(&started);
}

static NTSTATUS configure(void)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS callbacks;
	NTSTATUS status;

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&callbacks);
	callbacks.EvtChannelPostStarted = post_started;
	status = VmbChannelInitSetStateChangeCallbacks(channel, &callbacks);
	if (NT_SUCCESS(status))
		status = VmbChannelInitSetProcessPacketCallbacksEx(channel, NULL, process, NULL);
	if (NT_SUCCESS(status))
		status = VmbChannelInitSetMaximumPacketSize(channel, sizeof(struct message));
	if (NT_SUCCESS(status))
		status = VmbChannelInitSetMaximumExternalData(channel, EXTERNAL_MAX, PIECES);
	if (NT_SUCCESS(status))
		status = VmbChannelEnable(channel);
	return status;
}

static void swiotlb_remove(struct device *dev)
{
	bool asked = !result;
	u32 i;

	VmbChannelDisable(channel);
	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		if (asked && !came_back(&requests[i], &sents[i]))
			result = -EIO;
		release(&sents[i]);
	}
	VmbChannelCleanup(channel);
	if (asked && !result)
		pr_info("%zu packets came back from the pool\n", ARRAY_SIZE(requests));
}

static int swiotlb_add(struct device *dev)
{
	NTSTATUS status = VmbChannelAllocate(kmcl_device_object(dev), FALSE, &channel);
	u32 i = 0;

	if (!NT_SUCCESS(status))
		return -ENOMEM;
	device = device_to_hv_device(dev);
	status = configure();
	if (NT_SUCCESS(status) && wait_for_completion_timeout(&started, 5 * HZ)) {
		while (i < ARRAY_SIZE(requests) && ask(&requests[i], &sents[i]))
			i++;
		result = i == ARRAY_SIZE(requests) ? 0 : -EIO;
	} else {
		pr_err("the channel does not open, status 0x%08x\n", status);
	}
	complete(&tried);
	return 0;
}

static const struct hv_vmbus_device_id swiotlb_ids[] = {
	{ HV_DM_GUID, },
	{ },
};

/* No MODULE_DEVICE_TABLE(): nobody gets this without asking for it. */
static struct kmcl_vsc vsc = {
	.name = KBUILD_MODNAME,
	.owner = THIS_MODULE,
	.id_table = swiotlb_ids,
	.add = swiotlb_add,
	.remove = swiotlb_remove,
};

static int __init swiotlb_test_init(void)
{
	int ret = kmcl_vsc_register(&vsc);

	if (ret)
		return ret;
	if (!wait_for_completion_timeout(&tried, 20 * HZ))
		pr_err("no device of Dynamic Memory was to be had\n");
	if (result)
		kmcl_vsc_unregister(&vsc);
	return result;
}

static void __exit swiotlb_test_exit(void)
{
	kmcl_vsc_unregister(&vsc);
}

module_init(swiotlb_test_init);
module_exit(swiotlb_test_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KMCL: external data under swiotlb=force, in the guest of the VM rig");
