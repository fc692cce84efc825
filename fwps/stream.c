// SPDX-License-Identifier: GPL-2.0
/*
 * Data for the other end of a TCP connection.
 *
 * A flow is the library's name for a connection. It has a reference to the struct sock,
 * not to the socket, which stays its owner's: when that is released the flow's next
 * attempt to send says so.
 *
 * Lists wait in the flow, in order, and a work item sends them: tcp_sendmsg_locked() needs
 * the socket's lock, which an injection may not wait for.  What a list's sk_buffs carry
 * here are bare pages, lent to TCP with the list's ubuf_info (MSG_ZEROCOPY): a list is
 * complete when TCP has let go of its last byte, that is when the peer has acknowledged it,
 * or the connection is over.
 *
 * A full send buffer: the work item ends.  The next acknowledgment of ours starts it again,
 * through the ubuf_info.  What fills the buffer may be the owner's, of which nobody
 * tells us, as callbacks and wait queue of the socket are the owner's too, and so may the
 * end of the socket be: therefore it looks again by itself, POLL later.
 *
 * References to a flow: the table's, those of calls, of lists until they are complete, and of
 * the pending work item.
 */
#define pr_fmt(fmt) "fwps: " fmt

#include <linux/bvec.h>
#include <linux/export.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/uio.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <net/sock.h>
#include <net/tcp.h>
#include "compat.h"
#include "fwps.h"

#define POLL		max(1, HZ / 100)

#define RECEIVE		(FWPS_STREAM_FLAG_RECEIVE | FWPS_STREAM_FLAG_RECEIVE_EXPEDITED |	\
			 FWPS_STREAM_FLAG_RECEIVE_DISCONNECT |				\
			 FWPS_STREAM_FLAG_RECEIVE_ABORT | FWPS_STREAM_FLAG_RECEIVE_PUSH)
#define SEND		(FWPS_STREAM_FLAG_SEND | FWPS_STREAM_FLAG_SEND_NODELAY |	\
			 FWPS_STREAM_FLAG_SEND_DISCONNECT)
#define OUT		(FWPS_STREAM_FLAG_SEND_EXPEDITED | FWPS_STREAM_FLAG_SEND_ABORT)

static unsigned int max_stream_bytes = 16 << 20;
module_param(max_stream_bytes, uint, 0644);
MODULE_PARM_DESC(max_stream_bytes, "Bytes that each flow may have in flight");

/**
 * struct fwps_flow - a TCP connection to inject into
 * @id: its number
 * @refs: references
 * @sk: the connection
 * @lock: of @lists and @disconnect
 * @lists: to be sent; only the work item takes some out
 * @bytes: of lists that are not complete
 * @at: bytes of the first sk_buff of the first list that TCP has
 * @closed: nothing more is sent
 * @error: why a list was not sent to its end, and so nothing behind it is; of the work item
 * @disconnect: nothing more is injected, and behind @lists is a FIN
 * @work: sends
 * @rcu: lookups
 */
struct fwps_flow {
	u32 id;
	refcount_t refs;
	struct sock *sk;
	spinlock_t lock;		/* of lists and disconnect */
	struct list_head lists;
	atomic64_t bytes;
	u32 at;
	bool closed;
	int error;
	bool disconnect;
	struct delayed_work work;
	struct rcu_head rcu;
};

static DEFINE_XARRAY_ALLOC1(flows);
static u32 next_flow;
static struct workqueue_struct *wq;

static void flow_put(struct fwps_flow *f)
{
	if (!refcount_dec_and_test(&f->refs))
		return;
	sock_put(f->sk);
	kfree_rcu(f, rcu);
}

/* The work item runs, soon or after @delay, with a reference. Context: any. */
static void flow_kick(struct fwps_flow *f, unsigned long delay)
{
	refcount_inc(&f->refs);
	if (mod_delayed_work(wq, &f->work, delay))
		flow_put(f);
}

static struct fwps_flow *flow_get(UINT64 flow_id)
{
	u32 id = fwps_handle_id((HANDLE)flow_id, FWPS_KIND_FLOW);
	struct fwps_flow *f;

	rcu_read_lock();
	f = id ? xa_load(&flows, id) : NULL;
	if (f && !refcount_inc_not_zero(&f->refs))
		f = NULL;
	rcu_read_unlock();
	return f;
}

/* ---- sending ---- */

static NDIS_STATUS status_of(int err)
{
	switch (err) {
	case -ENOMEM:
	case -ENOBUFS:
		return NDIS_STATUS_RESOURCES;
	case -ECANCELED:
		return NDIS_STATUS_SEND_ABORTED;
	case -EOPNOTSUPP:
		return NDIS_STATUS_NOT_SUPPORTED;
	default:
		return STATUS_CONNECTION_ABORTED;
	}
}

/* 0, or why nothing can be sent; the owner's error stays for the owner. Socket locked. */
static int flow_error(const struct fwps_flow *f)
{
	const struct sock *sk = f->sk;

	if (sk->sk_err)
		return -sk->sk_err;
	if (sk->sk_shutdown & SEND_SHUTDOWN ||
	    (1 << sk->sk_state) & ~(TCPF_ESTABLISHED | TCPF_CLOSE_WAIT))
		return -EPIPE;
	/* what goes under TLS would not be a record of it */
	return inet_csk(sk)->icsk_ulp_ops ? -EOPNOTSUPP : 0;
}

/* So many bytes of the rest of @skb are TCP's now; or an error, -EAGAIN: none yet. */
static int flow_send(struct fwps_flow *f, struct fwps_nbl *n, struct sk_buff *skb)
{
	struct msghdr msg = {
		.msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL | MSG_ZEROCOPY,
		.msg_ubuf = &n->uarg,
	};
	unsigned int i, count = skb_shinfo(skb)->nr_frags;
	const struct tcp_sock *tp = tcp_sk(f->sk);
	u32 len = skb->len - f->at, end = n->end;
	struct bio_vec vec[MAX_SKB_FRAGS];
	skb_frag_t *frag;
	int rc;

	for (i = 0; i < count; i++) {
		frag = &skb_shinfo(skb)->frags[i];
		vec[i].bv_page = skb_frag_page(frag);
		vec[i].bv_offset = skb_frag_off(frag);
		vec[i].bv_len = skb_frag_size(frag);
	}
	iov_iter_bvec(&msg.msg_iter, ITER_SOURCE, vec, count, skb->len);
	iov_iter_advance(&msg.msg_iter, f->at);
	lock_sock(f->sk);
	rc = flow_error(f);
	if (!rc) {
		/* at most: some may be let go of before this returns */
		WRITE_ONCE(n->end, tp->write_seq + len);
		rc = tcp_sendmsg_locked(f->sk, &msg, len);
		WRITE_ONCE(n->end, rc > 0 ? tp->write_seq : end);
	}
	release_sock(f->sk);
	return rc;
}

/* As far as there is room: 0, or why not all of @n. */
static int flow_send_list(struct fwps_flow *f, struct fwps_nbl *n)
{
	struct sk_buff *skb;
	int rc;

	while ((skb = skb_peek(&n->skbs))) {
		rc = f->error;
		if (!rc)
			rc = READ_ONCE(f->closed) ? -ECANCELED : flow_send(f, n, skb);
		if (rc < 0)
			return rc;
		f->at += rc;
		if (f->at < skb->len)
			continue;
		__skb_unlink(skb, &n->skbs);
		consume_skb(skb);
		f->at = 0;
	}
	return 0;
}

static void flow_shutdown(struct fwps_flow *f)
{
	struct sock *sk = f->sk;

	lock_sock(sk);
	if (!flow_error(f)) {
		sk->sk_shutdown |= SEND_SHUTDOWN;
		sk->sk_prot->shutdown(sk, SEND_SHUTDOWN);
		sk->sk_state_change(sk);
	}
	release_sock(sk);
}

static void flow_work(struct work_struct *work)
{
	struct fwps_flow *f = container_of(to_delayed_work(work), struct fwps_flow, work);
	bool disconnect;
	struct fwps_nbl *n;
	int rc;

	for (;;) {
		spin_lock_bh(&f->lock);
		n = list_first_entry_or_null(&f->lists, struct fwps_nbl, queued);
		disconnect = f->disconnect;
		spin_unlock_bh(&f->lock);
		if (!n)
			break;
		rc = flow_send_list(f, n);
		if (rc == -EAGAIN) {
			/* a kick since then is sooner, and is not put off */
			refcount_inc(&f->refs);
			if (!queue_delayed_work(wq, &f->work, POLL))
				flow_put(f);
			break;
		}
		/* the peer would not see that bytes are missing */
		if (rc)
			f->error = rc;
		f->at = 0;
		__skb_queue_purge(&n->skbs);
		spin_lock_bh(&f->lock);
		list_del(&n->queued);
		spin_unlock_bh(&f->lock);
		n->nbl.Status = rc ? status_of(rc) : NDIS_STATUS_SUCCESS;
		fwps_nbl_put(n);
	}
	if (!n && disconnect && !f->error)
		flow_shutdown(f);
	flow_put(f);
}

/**
 * fwps_flow_released() - TCP has let go of data of a list
 * @n: the list
 * @skb: they were there; NULL: of nothing
 *
 * Context: any, with any locks.
 */
void fwps_flow_released(struct fwps_nbl *n, const struct sk_buff *skb)
{
	struct fwps_flow *f = n->flow;

	if (!skb)
		return;
	/* a queue may keep a copy of what was acknowledged until the connection is over */
	if ((READ_ONCE(f->sk->sk_err) || READ_ONCE(f->sk->sk_state) == TCP_CLOSE) &&
	    before(READ_ONCE(tcp_sk(f->sk)->snd_una), READ_ONCE(n->end)))
		WRITE_ONCE(n->lost, true);
	if (!list_empty_careful(&f->lists))
		flow_kick(f, 0);
}

/**
 * fwps_flow_done() - a list is complete
 * @n: the list
 *
 * Context: softirq.
 */
void fwps_flow_done(struct fwps_nbl *n)
{
	struct fwps_flow *f = n->flow;

	if (n->lost && n->nbl.Status == NDIS_STATUS_SUCCESS)
		n->nbl.Status = STATUS_CONNECTION_ABORTED;
	n->flow = NULL;
	atomic64_sub(n->bytes, &f->bytes);
	flow_put(f);
}

/* ---- flows ---- */

NTSTATUS fwps_flow_open(struct socket *sock, UINT64 *flow_id)
{
	struct fwps_flow *f;
	struct sock *sk;
	int err;

	might_sleep();
	if (!sock || !sock->sk || !flow_id)
		return STATUS_FWP_NULL_POINTER;
	sk = sock->sk;
	if ((sk->sk_family != AF_INET && sk->sk_family != AF_INET6) || !sk_is_tcp(sk))
		return STATUS_NOT_SUPPORTED;
	f = kzalloc(sizeof(*f), GFP_KERNEL);
	if (!f)
		return STATUS_INSUFFICIENT_RESOURCES;
	refcount_set(&f->refs, 1);
	f->sk = sk;
	sock_hold(sk);
	spin_lock_init(&f->lock);
	INIT_LIST_HEAD(&f->lists);
	INIT_DELAYED_WORK(&f->work, flow_work);
	lock_sock(sk);
	err = flow_error(f);
	release_sock(sk);
	if (err) {
		flow_put(f);
		return err == -EOPNOTSUPP ? STATUS_NOT_SUPPORTED : STATUS_CONNECTION_DISCONNECTED;
	}
	if (xa_alloc_cyclic(&flows, &f->id, f, xa_limit_31b, &next_flow, GFP_KERNEL) < 0) {
		flow_put(f);
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	*flow_id = (UINT64)fwps_handle_make(FWPS_KIND_FLOW, f->id);
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(fwps_flow_open);

NTSTATUS fwps_flow_close(UINT64 flow_id)
{
	struct fwps_flow *f = flow_get(flow_id);

	if (!f)
		return STATUS_INVALID_HANDLE;
	/* of two, one takes it out, and the table's reference is that one's */
	if (xa_cmpxchg(&flows, f->id, f, NULL, GFP_KERNEL) == f)
		flow_put(f);
	WRITE_ONCE(f->closed, true);
	flow_kick(f, 0);
	flow_put(f);
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(fwps_flow_close);

/* ---- injecting ---- */

static NTSTATUS prepare(const struct fwps_request *r, struct fwps_nbl *n, struct sk_buff *skb)
{
	return STATUS_SUCCESS;
}

static NTSTATUS admit(const struct fwps_request *r)
{
	struct fwps_flow *f = r->flow;
	NTSTATUS status = STATUS_SUCCESS;

	if (r->bytes != r->expected)
		return STATUS_FWP_INVALID_PARAMETER;
	spin_lock_bh(&f->lock);
	if (f->closed || f->disconnect)
		status = STATUS_CONNECTION_DISCONNECTED;
	else if (atomic64_read(&f->bytes) + r->bytes > READ_ONCE(max_stream_bytes))
		status = STATUS_INSUFFICIENT_RESOURCES;
	else
		atomic64_add(r->bytes, &f->bytes);
	spin_unlock_bh(&f->lock);
	return status;
}

/* All of a call's at once: calls at the same time do not mix. */
static void queue(const struct fwps_request *r, struct list_head *lists)
{
	struct fwps_flow *f = r->flow;
	struct fwps_nbl *n;

	list_for_each_entry(n, lists, queued) {
		refcount_inc(&f->refs);
		n->flow = f;
		n->lost = false;
		/* as TCP's own: the pages stay while there are references to them */
		n->uarg.flags = SKBFL_ZEROCOPY_FRAG | SKBFL_DONT_ORPHAN;
	}
	spin_lock_bh(&f->lock);
	list_splice_tail_init(lists, &f->lists);
	f->disconnect |= r->disconnect;
	spin_unlock_bh(&f->lock);
	flow_kick(f, 0);
}

static const struct fwps_way way = { .prepare = prepare, .admit = admit, .queue = queue };

static NTSTATUS check_flags(u32 flags)
{
	const u32 disconnect = FWPS_STREAM_FLAG_SEND_DISCONNECT |
			       FWPS_STREAM_FLAG_RECEIVE_DISCONNECT;
	const u32 way = FWPS_STREAM_FLAG_SEND | FWPS_STREAM_FLAG_RECEIVE;

	if (flags & ~(RECEIVE | SEND | OUT) || !(flags & (way | disconnect)) ||
	    (flags & disconnect && !(flags & way)))
		return STATUS_FWP_INVALID_PARAMETER;
	if (flags & (RECEIVE | OUT))
		return STATUS_NOT_SUPPORTED;
	return STATUS_SUCCESS;
}

static bool is_layer_of(u16 layer, const struct sock *sk)
{
	return layer == FWPS_LAYER_STREAM_V4 ||
	       (layer == FWPS_LAYER_STREAM_V6 && sk->sk_family == AF_INET6);
}

/* the macro is for callers */
#undef FwpsStreamInjectAsync0
NTSTATUS FwpsStreamInjectAsync0(HANDLE injectionHandle, HANDLE injectionContext, UINT32 flags,
				UINT64 flowId, UINT32 calloutId, UINT16 layerId,
				UINT32 streamFlags, NET_BUFFER_LIST *netBufferList,
				SIZE_T dataLength, FWPS_INJECT_COMPLETE0 completionFn,
				HANDLE completionContext)
{
	struct fwps_request r = {
		.way = &way,
		.piece = FWPS_PIECE,
		.max = READ_ONCE(max_stream_bytes),
		.paged = true,
		.disconnect = streamFlags & FWPS_STREAM_FLAG_SEND_DISCONNECT,
		.nbls = netBufferList,
		.expected = dataLength,
		.fn = completionFn,
		.fn_context = completionContext,
		.context = injectionContext,
	};
	NTSTATUS status;

	status = fwps_begin(&r, injectionHandle, FWPS_INJECTION_TYPE_STREAM, flags);
	if (!NT_SUCCESS(status))
		return status;
	status = check_flags(streamFlags);
	if (!NT_SUCCESS(status))
		goto end;
	r.flow = flow_get(flowId);
	if (!r.flow)
		status = STATUS_INVALID_HANDLE;
	else if (!is_layer_of(layerId, r.flow->sk))
		status = STATUS_FWP_INVALID_PARAMETER;
	else
		status = fwps_inject(&r);
	if (r.flow)
		flow_put(r.flow);
end:
	fwps_end(&r);
	return status;
}
EXPORT_SYMBOL_GPL(FwpsStreamInjectAsync0);

int fwps_flows_init(void)
{
	wq = alloc_workqueue("fwps", WQ_UNBOUND, 0);
	return wq ? 0 : -ENOMEM;
}

/* No driver is left: what waits is given up, so that handles can end. */
void fwps_flows_close(void)
{
	struct fwps_flow *f;
	unsigned long id;

	xa_for_each(&flows, id, f) {
		pr_err("flow %u was not closed\n", f->id);
		fwps_flow_close((UINT64)fwps_handle_make(FWPS_KIND_FLOW, f->id));
	}
}

/* Behind the last list nothing waits for a time, and everything else runs out here. */
void fwps_flows_exit(void)
{
	destroy_workqueue(wq);
	xa_destroy(&flows);
}
