// SPDX-License-Identifier: GPL-2.0
/*
 * VmbChannelSendSynchronousRequest(): a send and a wait in one call.
 */
#include <linux/completion.h>
#include <linux/export.h>
#include <linux/ktime.h>
#include "kmcl.h"

/* From 1601-01-01, where Windows counts from, to 1970-01-01, in 100 ns. */
#define NT_EPOCH	116444736000000000LL

struct request {
	struct completion done;
	NTSTATUS status;
	void *buf;
	u32 size;
	u32 written;
};

static VOID request_done(VMBPACKET handle, PVOID context, NTSTATUS status,
			 PVOID buf, UINT32 len)
{
	struct request *r = context;

	r->status = status;
	if (status == STATUS_SUCCESS) {
		r->written = min(len, r->size);
		if (r->written)
			memcpy(r->buf, buf, r->written);
		/* a caller without a buffer does not want the payload */
		if (r->size && len > r->size)
			r->status = STATUS_BUFFER_OVERFLOW;
	}
	complete(&r->done);
}

static VOID forget(VMBPACKET handle, PVOID context, NTSTATUS status,
		   PVOID buf, UINT32 len)
{
	kmcl_packet_free(kmcl_packet(handle));
}

/* Jiffies until a Windows timeout expires: negative is relative, else absolute. */
static unsigned long timeout_jiffies(s64 timeout)
{
	s64 now = ktime_get_real_ns() / 100 + NT_EPOCH;
	u64 wait;

	if (timeout < 0)
		wait = -(u64)timeout;
	else
		wait = timeout > now ? timeout - now : 0;
	/* rounded up: never early */
	return min_t(u64, DIV_ROUND_UP_ULL(wait, 10000000 / HZ), MAX_JIFFY_OFFSET);
}

static NTSTATUS send_and_forget(struct kmcl_channel *ch, void *buf, u32 len, u32 flags)
{
	struct kmcl_packet *pkt = kmcl_packet_alloc(ch, true, GFP_KERNEL);
	NTSTATUS status;

	if (!pkt)
		return STATUS_INSUFFICIENT_RESOURCES;
	pkt->ex = true;
	pkt->routine_ex = forget;
	status = kmcl_submit(pkt, buf, len, flags, NULL);
	if (!NT_SUCCESS(status))
		kmcl_packet_free(pkt);
	return status;
}

/* The peer may still use the external data of a request that has timed out. */
static void wait_for_pages(struct kmcl_channel *ch, struct request *r)
{
	struct kmcl_step step;

	kmcl_step_begin(&step, ch, "the host to be done with the external data of a request");
	wait_for_completion(&r->done);
	kmcl_step_end(&step);
}

static NTSTATUS send_and_wait(struct kmcl_channel *ch, struct request *r, void *buf, u32 len,
			      PMDL mdl, u32 flags, const LARGE_INTEGER *timeout)
{
	struct kmcl_source source = { .mdl = mdl };
	struct kmcl_packet *pkt = kmcl_packet_alloc(ch, true, GFP_KERNEL);
	NTSTATUS status;
	u64 id;

	if (!pkt)
		return STATUS_INSUFFICIENT_RESOURCES;
	init_completion(&r->done);
	pkt->ex = true;
	pkt->routine_ex = request_done;
	pkt->context = r;
	status = kmcl_submit(pkt, buf, len, flags, mdl ? &source : NULL);
	if (!NT_SUCCESS(status))
		goto out;
	/* ours alone, so it is still the id of this send */
	id = pkt->tx.id;
	if (!timeout) {
		wait_for_completion(&r->done);
	} else if (!wait_for_completion_timeout(&r->done, timeout_jiffies(timeout->QuadPart))) {
		status = STATUS_CANCELLED;
		switch (kmcl_packet_cancel(pkt, id)) {
		case 0:
			goto out;
		case -EBUSY:
			wait_for_pages(ch, r);
			/* whatever came of it, it came too late */
			r->written = 0;
			goto out;
		}
		/* somebody is completing it right now */
		wait_for_completion(&r->done);
	}
	status = r->status;
	if (status == STATUS_CANCELLED)
		status = STATUS_DEVICE_REMOVED;
out:
	kmcl_packet_free(pkt);
	return status;
}

NTSTATUS VmbChannelSendSynchronousRequest(VMBCHANNEL Channel, PVOID Buffer,
					  UINT32 BufferSize, PMDL ExternalDataMdl,
					  UINT32 Flags, PVOID CompletionBuffer,
					  PUINT32 CompletionBufferSize,
					  PLARGE_INTEGER Timeout)
{
	struct kmcl_channel *ch = kmcl_channel(Channel);
	bool wait = Flags & VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION;
	struct request r = {};
	NTSTATUS status;

	if (!ch)
		return STATUS_INVALID_PARAMETER_1;
	if (!Buffer && BufferSize)
		return STATUS_INVALID_PARAMETER_2;
	if (BufferSize > ch->config.max_packet)
		return STATUS_INVALID_PARAMETER_3;
	status = kmcl_check_flags(ch, ExternalDataMdl, Flags, 5);
	if (status)
		return status;
	if (CompletionBufferSize && *CompletionBufferSize % 8)
		return STATUS_INVALID_PARAMETER_7;
	if (CompletionBufferSize && *CompletionBufferSize && !CompletionBuffer)
		return STATUS_INVALID_PARAMETER_6;
	if (!wait && Timeout && !Timeout->QuadPart) {
		if (!kmcl_dispatch(ch, __func__))
			return STATUS_INVALID_DEVICE_REQUEST;
		status = kmcl_send_now(ch, Buffer, BufferSize);
		goto out;
	}
	/* a client that is asked to hurry could hold a server up for ever */
	if (ch->server)
		return STATUS_INVALID_PARAMETER;
	if (in_interrupt() || irqs_disabled()) {
		kmcl_err(ch, "%s that waits, above PASSIVE_LEVEL, refused\n", __func__);
		return STATUS_INVALID_DEVICE_REQUEST;
	}
	if (!wait) {
		status = send_and_forget(ch, Buffer, BufferSize, Flags);
		goto out;
	}
	r.buf = CompletionBuffer;
	r.size = CompletionBufferSize ? *CompletionBufferSize : 0;
	status = send_and_wait(ch, &r, Buffer, BufferSize, ExternalDataMdl, Flags, Timeout);
out:
	if (CompletionBufferSize)
		*CompletionBufferSize = r.written;
	return status;
}
EXPORT_SYMBOL_GPL(VmbChannelSendSynchronousRequest);
