// SPDX-License-Identifier: GPL-2.0
/*
 * Data into TCP connections, between sockets of the kernel on the loopback device, IPv4
 * and IPv6: which bytes arrive, in which order, and what is completed how when they do not.
 */
#include <linux/in.h>
#include <linux/net.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include <net/tcp.h>
#include "../helper.h"
#include "fixture.h"

#define SEND		FWPS_STREAM_FLAG_SEND
#define LEN		40000u
#define LISTS		40u
#define TOO_MUCH	(LISTS * LEN)

/* ---- every case, for both families ---- */

static const struct family {
	int family;
	const char *name;
} families[] = {
	{ AF_INET, "IPv4" },
#if IS_REACHABLE(CONFIG_IPV6)
	{ AF_INET6, "IPv6" },
#endif
};

static void describe(const struct family *f, char *text)
{
	strscpy(text, f->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(family, families, describe);

/* ---- what every case has ---- */

struct stream_fx {
	int family;
	HANDLE handle;
	UINT64 flow;
	struct socket *from;	/* the flow's */
	struct socket *to;
	u32 injected;		/* bytes: their place in the stream is what they are made of */
	u32 read;
};

static struct stream_fx s;

static u8 byte_at(u32 place)
{
	return place * 7 + (place >> 8) * 13 + (place >> 16);
}

/* Of this machine's loopback; its length. */
static int loopback(struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *sin6 = (void *)ss;
	struct sockaddr_in *sin = (void *)ss;

	memset(ss, 0, sizeof(*ss));
	ss->ss_family = s.family;
	if (s.family == AF_INET6) {
		sin6->sin6_addr = in6addr_loopback;
		return sizeof(*sin6);
	}
	sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sizeof(*sin);
}

static void connect_them(struct kunit *test)
{
	struct sockaddr_storage ss;
	struct sockaddr *sa = (struct sockaddr *)&ss;
	struct sockaddr_unsized *to = (struct sockaddr_unsized *)sa;
	struct socket *listener;
	int len = loopback(&ss);

	KUNIT_ASSERT_EQ(test, 0, sock_create_kern(&init_net, s.family, SOCK_STREAM, IPPROTO_TCP,
						  &listener));
	/* the address is there soon after the device is up */
	KUNIT_EXPECT_TRUE(test, becomes(!kernel_bind(listener, to, len)));
	/* small windows: what does not fit is in the cases' reach; the receiver's is inherited */
	WRITE_ONCE(listener->sk->sk_rcvbuf, 16384);
	listener->sk->sk_userlocks |= SOCK_RCVBUF_LOCK | SOCK_SNDBUF_LOCK;
	KUNIT_EXPECT_EQ(test, 0, kernel_listen(listener, 1));
	KUNIT_EXPECT_EQ(test, len, kernel_getsockname(listener, sa));
	KUNIT_ASSERT_EQ(test, 0, sock_create_kern(&init_net, s.family, SOCK_STREAM, IPPROTO_TCP,
						  &s.from));
	WRITE_ONCE(s.from->sk->sk_sndbuf, 65536);
	s.from->sk->sk_userlocks |= SOCK_SNDBUF_LOCK;
	KUNIT_EXPECT_EQ(test, 0, kernel_connect(s.from, to, len, 0));
	KUNIT_EXPECT_EQ(test, 0, kernel_accept(listener, &s.to, 0));
	sock_release(listener);
	KUNIT_ASSERT_NOT_NULL(test, s.to);
	s.to->sk->sk_rcvtimeo = 20 * HZ;
}

static int stream_init(struct kunit *test)
{
	const struct family *f = test->param_value;
	int ret;

	memset(&s, 0, sizeof(s));
	s.family = f->family;
	ret = fx_init_memory(test);
	if (ret)
		return ret;
	fx_up(init_net.loopback_dev, true);
	connect_them(test);
	KUNIT_ASSERT_EQ(test, fwps_flow_open(s.from, &s.flow), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, FwpsInjectionHandleCreate(AF_UNSPEC, FWPS_INJECTION_TYPE_STREAM,
							&s.handle), STATUS_SUCCESS);
	return 0;
}

static void stream_exit(struct kunit *test)
{
	if (s.flow)
		fwps_flow_close(s.flow);
	if (s.to)
		sock_no_linger(s.to->sk);
	if (s.to)
		sock_release(s.to);
	if (s.from)
		sock_release(s.from);
	if (s.handle)
		FwpsInjectionHandleDestroy(s.handle);
	fx_exit(test);
}

/* The next bytes of the stream. */
static NET_BUFFER_LIST *next_list(struct fx *fx, u32 len)
{
	u8 *buf = kunit_kmalloc(fx->test, len, GFP_KERNEL);
	NET_BUFFER_LIST *nbl;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(fx->test, buf);
	for (i = 0; i < len; i++)
		buf[i] = byte_at(s.injected++);
	nbl = fx_list(fx, buf, len);
	kunit_kfree(fx->test, buf);
	return nbl;
}

static u16 layer(void)
{
	return s.family == AF_INET6 ? FWPS_LAYER_STREAM_V6 : FWPS_LAYER_STREAM_V4;
}

static NTSTATUS inject(struct fx *fx, u32 flags, NET_BUFFER_LIST *nbl, size_t len)
{
	return FwpsStreamInjectAsync(s.handle, NULL, 0, s.flow, 0, layer(), flags, nbl, len,
				     fx_done, fx);
}

static void inject_too_much(struct fx *fx)
{
	unsigned int i;

	fx->freed = true;
	for (i = 0; i < LISTS; i++)
		KUNIT_EXPECT_EQ(fx->test, STATUS_SUCCESS,
				inject(fx, SEND, next_list(fx, LEN), LEN));
}

/* Read so many bytes, each of which has to be the next. */
static bool read_on(struct fx *fx, u32 len)
{
	static u8 buf[8192];
	u32 left = len, i;
	int got;

	while (left) {
		struct kvec vec = { buf, min_t(u32, left, sizeof(buf)) };
		struct msghdr msg = {};

		got = kernel_recvmsg(s.to, &msg, &vec, 1, vec.iov_len, 0);
		if (got <= 0) {
			kunit_err(fx->test, "%d after %u bytes\n", got, s.read);
			return false;
		}
		for (i = 0; i < got; i++)
			if (buf[i] != byte_at(s.read++)) {
				kunit_err(fx->test, "byte %u is another\n", s.read - 1);
				return false;
			}
		left -= got;
	}
	return true;
}

/* The peer is full, and nothing moves. */
static void wait_until_full(struct fx *fx)
{
	KUNIT_EXPECT_TRUE(fx->test, becomes(!sk_stream_memory_free(s.from->sk)));
	schedule_timeout_uninterruptible(HZ / 4);
	KUNIT_EXPECT_LT(fx->test, atomic_read(&fx->completions), (int)LISTS);
}

/* ---- cases ---- */

static void a_chain_arrives_in_order_and_each_list_completes_once(struct kunit *test)
{
	static const u32 len[] = { 1, 100, 70000, 5, 150000, 4096 };
	NET_BUFFER_LIST *first = NULL, **link = &first, *nbl[ARRAY_SIZE(len)];
	struct fx *fx = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(len); i++) {
		nbl[i] = next_list(fx, len[i]);
		*link = nbl[i];
		link = &NET_BUFFER_LIST_NEXT_NBL(nbl[i]);
	}
	KUNIT_ASSERT_EQ(test, inject(fx, SEND, first, s.injected), STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, read_on(fx, s.injected));
	fx_expect_completions(fx, (int)ARRAY_SIZE(len));
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->success), (int)ARRAY_SIZE(len));
	KUNIT_EXPECT_PTR_EQ(test, fx->last, nbl[ARRAY_SIZE(len) - 1]);
	/* one that has been a stream's may be so again */
	KUNIT_EXPECT_EQ(test, inject(fx, SEND, nbl[2], len[2]), STATUS_SUCCESS);
	s.read = len[0] + len[1];
	KUNIT_EXPECT_TRUE(test, read_on(fx, len[2]));
	fx_expect_completions(fx, (int)ARRAY_SIZE(len) + 1);
	for (i = 0; i < ARRAY_SIZE(len); i++)
		fx_free(nbl[i]);
}

static void a_slow_reader_is_waited_for(struct kunit *test)
{
	struct fx *fx = test->priv;

	inject_too_much(fx);
	wait_until_full(fx);
	KUNIT_EXPECT_TRUE(test, read_on(fx, TOO_MUCH));
	fx_expect_completions(fx, (int)LISTS);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->success), (int)LISTS);
}

static void what_the_owner_has_sent_is_waited_for(struct kunit *test)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl;
	u8 buf[1000];
	int sent, i;

	do {
		struct kvec vec = { buf, sizeof(buf) };
		struct msghdr msg = { .msg_flags = MSG_DONTWAIT };

		for (i = 0; i < sizeof(buf); i++)
			buf[i] = byte_at(s.injected + i);
		sent = kernel_sendmsg(s.from, &msg, &vec, 1, sizeof(buf));
		/* until the window is full, too, and not only the buffer */
		if (sent > 0)
			s.injected += sent;
		else
			schedule_timeout_uninterruptible(HZ / 4);
	} while (sent > 0 || sk_stream_memory_free(s.from->sk));
	nbl = next_list(fx, LEN);
	KUNIT_ASSERT_EQ(test, inject(fx, SEND, nbl, LEN), STATUS_SUCCESS);
	schedule_timeout_uninterruptible(HZ / 4);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->completions), 0);
	KUNIT_EXPECT_TRUE(test, read_on(fx, s.injected));
	fx_expect_completions(fx, 1);
	KUNIT_EXPECT_EQ(test, fx->status, NDIS_STATUS_SUCCESS);
	fx_free(nbl);
}

static void a_reset_completes_everything_with_an_error(struct kunit *test)
{
	struct fx *fx = test->priv;
	int acked;

	inject_too_much(fx);
	wait_until_full(fx);
	acked = tcp_sk(s.from->sk)->bytes_acked;
	sock_no_linger(s.to->sk);
	sock_release(s.to);
	s.to = NULL;
	fx_expect_completions(fx, (int)LISTS);
	KUNIT_EXPECT_EQ(test, fx->status, STATUS_CONNECTION_ABORTED);
	/* what was not acknowledged was not sent, whether TCP had taken it or not */
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->success), acked / (int)LEN);
	/* and the owner is still told */
	KUNIT_EXPECT_EQ(test, s.from->sk->sk_err, ECONNRESET);
	fx->freed = false;
}

static void a_released_socket_completes_everything_with_an_error(struct kunit *test)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl;

	inject_too_much(fx);
	wait_until_full(fx);
	sock_no_linger(s.from->sk);
	sock_release(s.from);
	s.from = NULL;
	fx_expect_completions(fx, (int)LISTS);
	KUNIT_EXPECT_EQ(test, fx->status, STATUS_CONNECTION_ABORTED);
	fx->freed = false;
	nbl = next_list(fx, LEN);
	KUNIT_ASSERT_EQ(test, inject(fx, SEND, nbl, LEN), STATUS_SUCCESS);
	fx_expect_completions(fx, (int)LISTS + 1);
	KUNIT_EXPECT_EQ(test, fx->status, STATUS_CONNECTION_ABORTED);
	fx_free(nbl);
}

struct destroy {
	struct fx *fx;
	NTSTATUS status;
	int completions;	/* when it returned */
};

static void destroy(void *arg)
{
	struct destroy *d = arg;

	d->status = FwpsInjectionHandleDestroy(s.handle);
	d->completions = atomic_read(&d->fx->completions);
}

static void a_handle_ends_behind_what_is_in_flight(struct kunit *test)
{
	struct fx *fx = test->priv;
	struct destroy d = { .fx = fx };
	NET_BUFFER_LIST *late;
	struct helper h;

	inject_too_much(fx);
	wait_until_full(fx);
	late = next_list(fx, 1);
	KUNIT_ASSERT_TRUE(test, helper_start(&h, destroy, &d));
	/* the handle is looked at before the flags, which are none */
	KUNIT_EXPECT_TRUE(test, becomes(inject(fx, 0, late, 1) ==
					STATUS_FWP_INJECT_HANDLE_CLOSING));
	KUNIT_EXPECT_FALSE(test, completion_done(&h.done));
	KUNIT_EXPECT_TRUE(test, read_on(fx, TOO_MUCH));
	KUNIT_ASSERT_TRUE(test, helper_join(&h));
	KUNIT_EXPECT_EQ(test, d.status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, d.completions, (int)LISTS);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->success), (int)LISTS);
	s.handle = NULL;
	fx_free(late);
}

static void a_closed_flow_gives_up_what_waits(struct kunit *test)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *late;

	inject_too_much(fx);
	wait_until_full(fx);
	late = next_list(fx, 1);
	KUNIT_EXPECT_EQ(test, fwps_flow_close(s.flow), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, fwps_flow_close(s.flow), STATUS_INVALID_HANDLE);
	KUNIT_EXPECT_EQ(test, inject(fx, SEND, late, 1), STATUS_INVALID_HANDLE);
	fx_wait(fx, fx->status == NDIS_STATUS_SEND_ABORTED);
	KUNIT_EXPECT_EQ(test, fx->status, NDIS_STATUS_SEND_ABORTED);
	s.flow = 0;
	/* what TCP has is out of reach, and ends with the connection */
	sock_no_linger(s.to->sk);
	sock_release(s.to);
	s.to = NULL;
	fx_expect_completions(fx, (int)LISTS);
	fx->freed = false;
	fx_free(late);
}

static void a_disconnect_is_behind_what_was_injected(struct kunit *test)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl = next_list(fx, LEN);
	struct msghdr msg = {};
	struct kvec vec;
	u8 byte;

	KUNIT_EXPECT_EQ(test, inject(fx, SEND, nbl, LEN), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, inject(fx, SEND | FWPS_STREAM_FLAG_SEND_DISCONNECT, NULL, 0),
			STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, read_on(fx, LEN));
	vec.iov_base = &byte;
	vec.iov_len = 1;
	KUNIT_EXPECT_EQ(test, kernel_recvmsg(s.to, &msg, &vec, 1, 1, 0), 0);
	fx_expect_completions(fx, 1);
	KUNIT_EXPECT_EQ(test, fx->status, NDIS_STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, inject(fx, SEND, nbl, LEN), STATUS_CONNECTION_DISCONNECTED);
	fx_expect_completions(fx, 1);
	fx_free(nbl);
}

/* A copy of the first data of the connection, as a queue's that doubles. */
static struct sk_buff *copy;

static unsigned int keep_a_copy(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	if (skb->sk == s.from->sk && skb->data_len && !copy)
		copy = skb_clone(skb, GFP_ATOMIC);
	return NF_ACCEPT;
}

static void what_was_acknowledged_is_success_whenever_it_is_let_go_of(struct kunit *test)
{
	const struct nf_hook_ops ops = {
		.hook = keep_a_copy,
		.pf = s.family == AF_INET6 ? NFPROTO_IPV6 : NFPROTO_IPV4,
		.hooknum = NF_INET_LOCAL_OUT,
		.priority = NF_IP_PRI_FILTER,
	};
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl = next_list(fx, 1000);

	copy = NULL;
	KUNIT_ASSERT_EQ(test, nf_register_net_hook(&init_net, &ops), 0);
	KUNIT_EXPECT_EQ(test, inject(fx, SEND, nbl, 1000), STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, read_on(fx, 1000));
	nf_unregister_net_hook(&init_net, &ops);
	KUNIT_ASSERT_NOT_NULL(test, copy);
	/* an orderly end, of both ways */
	KUNIT_EXPECT_EQ(test, kernel_sock_shutdown(s.from, SHUT_WR), 0);
	KUNIT_EXPECT_EQ(test, kernel_sock_shutdown(s.to, SHUT_WR), 0);
	KUNIT_EXPECT_TRUE(test, becomes(s.from->sk->sk_state == TCP_CLOSE));
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->completions), 0);
	kfree_skb(copy);
	fx_expect_completions(fx, 1);
	KUNIT_EXPECT_EQ(test, fx->status, NDIS_STATUS_SUCCESS);
	fx_free(nbl);
}

static void what_was_cut_off_has_no_orderly_end(struct kunit *test)
{
	struct fx *fx = test->priv;

	inject_too_much(fx);
	wait_until_full(fx);
	KUNIT_EXPECT_EQ(test, inject(fx, SEND | FWPS_STREAM_FLAG_SEND_DISCONNECT, NULL, 0),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, fwps_flow_close(s.flow), STATUS_SUCCESS);
	s.flow = 0;
	fx_wait(fx, fx->status == NDIS_STATUS_SEND_ABORTED);
	schedule_timeout_uninterruptible(HZ / 4);
	/* the peer would take what has arrived for all of it */
	KUNIT_EXPECT_EQ(test, s.from->sk->sk_shutdown & SEND_SHUTDOWN, 0);
	sock_no_linger(s.to->sk);
	sock_release(s.to);
	s.to = NULL;
	fx_expect_completions(fx, (int)LISTS);
	fx->freed = false;
}

static void behind_what_was_not_sent_nothing_is(struct kunit *test)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl = next_list(fx, 100), *lost = next_list(fx, 100);
	NET_BUFFER_LIST *late = next_list(fx, 100);

	KUNIT_ASSERT_EQ(test, inject(fx, SEND, nbl, 100), STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, read_on(fx, 100));
	fx_expect_completions(fx, 1);
	KUNIT_EXPECT_EQ(test, fx->status, NDIS_STATUS_SUCCESS);
	/* as what ICMP says, for an owner that has asked for it (IP_RECVERR) */
	WRITE_ONCE(s.from->sk->sk_err, EHOSTUNREACH);
	KUNIT_ASSERT_EQ(test, inject(fx, SEND, lost, 100), STATUS_SUCCESS);
	fx_expect_completions(fx, 2);
	KUNIT_EXPECT_EQ(test, fx->status, STATUS_CONNECTION_ABORTED);
	/* the owner has fetched it, and goes on */
	KUNIT_EXPECT_EQ(test, sock_error(s.from->sk), -EHOSTUNREACH);
	KUNIT_ASSERT_EQ(test, inject(fx, SEND, late, 100), STATUS_SUCCESS);
	fx_expect_completions(fx, 3);
	KUNIT_EXPECT_EQ(test, fx->status, STATUS_CONNECTION_ABORTED);
	fx_free(nbl);
	fx_free(lost);
	fx_free(late);
}

static void what_is_refused_takes_no_data(struct kunit *test)
{
	static const struct { u32 flags; NTSTATUS status; } t[] = {
		{ 0, STATUS_FWP_INVALID_PARAMETER },
		{ FWPS_STREAM_FLAG_SEND_DISCONNECT, STATUS_FWP_INVALID_PARAMETER },
		{ FWPS_STREAM_FLAG_RECEIVE_DISCONNECT, STATUS_FWP_INVALID_PARAMETER },
		{ SEND | 0x80000000, STATUS_FWP_INVALID_PARAMETER },
		{ FWPS_STREAM_FLAG_RECEIVE, STATUS_NOT_SUPPORTED },
		{ FWPS_STREAM_FLAG_RECEIVE | FWPS_STREAM_FLAG_RECEIVE_DISCONNECT,
		  STATUS_NOT_SUPPORTED },
		{ SEND | FWPS_STREAM_FLAG_RECEIVE, STATUS_NOT_SUPPORTED },
		{ SEND | FWPS_STREAM_FLAG_SEND_ABORT, STATUS_NOT_SUPPORTED },
		{ SEND | FWPS_STREAM_FLAG_SEND_EXPEDITED, STATUS_NOT_SUPPORTED },
	};
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl = next_list(fx, 100);
	HANDLE mine = s.handle, other;
	UINT64 flow = s.flow, none;
	struct socket *udp;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(t); i++)
		KUNIT_EXPECT_EQ_MSG(test, inject(fx, t[i].flags, nbl, 100), t[i].status, "%#x",
				    t[i].flags);
	KUNIT_EXPECT_EQ(test, inject(fx, SEND, nbl, 99), STATUS_FWP_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, inject(fx, SEND, nbl, 101), STATUS_FWP_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, inject(fx, SEND, NULL, 0), STATUS_FWP_NULL_POINTER);
	/* an IPv6 socket may speak IPv4, but not the other way round */
	KUNIT_EXPECT_EQ(test, STATUS_FWP_INVALID_PARAMETER,
			FwpsStreamInjectAsync(s.handle, NULL, 0, flow, 0, s.family == AF_INET6 ?
					      FWPS_LAYER_INBOUND_MAC_FRAME_ETHERNET :
					      FWPS_LAYER_STREAM_V6, SEND, nbl, 100, fx_done, fx));
	s.flow = (UINT64)mine;
	KUNIT_EXPECT_EQ(test, inject(fx, SEND, nbl, 100), STATUS_INVALID_HANDLE);
	s.flow = flow;
	s.handle = (HANDLE)flow;
	KUNIT_EXPECT_EQ(test, inject(fx, SEND, nbl, 100), STATUS_INVALID_HANDLE);
	KUNIT_ASSERT_EQ(test, STATUS_SUCCESS,
			FwpsInjectionHandleCreate(AF_UNSPEC, FWPS_INJECTION_TYPE_L2, &other));
	s.handle = other;
	KUNIT_EXPECT_EQ(test, inject(fx, SEND, nbl, 100), STATUS_FWP_INJECT_HANDLE_STALE);
	KUNIT_EXPECT_EQ(test, FwpsInjectionHandleDestroy(other), STATUS_SUCCESS);

	KUNIT_ASSERT_EQ(test, 0, sock_create_kern(&init_net, AF_INET, SOCK_DGRAM, IPPROTO_UDP,
						  &udp));
	KUNIT_EXPECT_EQ(test, fwps_flow_open(udp, &none), STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test, fwps_flow_open(NULL, &none), STATUS_FWP_NULL_POINTER);
	sock_release(udp);

	/* a handle for what 0 means does, and the first bytes that arrive are these */
	KUNIT_ASSERT_EQ(test, FwpsInjectionHandleCreate(AF_UNSPEC, 0, &other), STATUS_SUCCESS);
	s.handle = other;
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->completions), 0);
	KUNIT_EXPECT_EQ(test, inject(fx, SEND, nbl, 100), STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, read_on(fx, 100));
	fx_expect_completions(fx, 1);
	KUNIT_EXPECT_EQ(test, FwpsInjectionHandleDestroy(other), STATUS_SUCCESS);
	s.handle = mine;
	fx_free(nbl);
}

static void more_than_a_flow_may_have_is_refused_whole(struct kunit *test)
{
	struct fx *fx = test->priv;
	const unsigned int n = (16 << 20) / LEN + 1;	/* max_stream_bytes */
	NET_BUFFER_LIST *nbl = fx_share(fx, next_list(fx, LEN), n), *one;

	KUNIT_EXPECT_EQ(test, inject(fx, SEND, nbl, (size_t)n * LEN),
			STATUS_INSUFFICIENT_RESOURCES);
	/* no packet is longer */
	one = nbl->Next;
	nbl->Next = NULL;
	NET_BUFFER_DATA_LENGTH(nbl->FirstNetBuffer) = (16 << 20) + 1;
	KUNIT_EXPECT_EQ(test, inject(fx, SEND, nbl, (16 << 20) + 1), NDIS_STATUS_INVALID_LENGTH);
	NET_BUFFER_DATA_LENGTH(nbl->FirstNetBuffer) = LEN;
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->completions), 0);
	/* and nothing is left that would count */
	KUNIT_EXPECT_EQ(test, inject(fx, SEND, nbl, LEN), STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, read_on(fx, LEN));
	fx_expect_completions(fx, 1);
	fx_free(nbl);
	fx_free(one);
}

static void what_is_not_connected_is_no_flow(struct kunit *test)
{
	struct socket *sock;
	UINT64 none = 0;

	KUNIT_ASSERT_EQ(test, 0, sock_create_kern(&init_net, s.family, SOCK_STREAM, IPPROTO_TCP,
						  &sock));
	KUNIT_EXPECT_EQ(test, fwps_flow_open(sock, &none), STATUS_CONNECTION_DISCONNECTED);
	KUNIT_EXPECT_EQ(test, none, 0ull);
	sock_release(sock);
}

#ifdef CONFIG_FAILSLAB
static NET_BUFFER_LIST *swept;
static UINT64 opened;

static NTSTATUS sweep_open(struct fx *fx)
{
	return fwps_flow_open(s.from, &opened);
}

static void sweep_open_undo(struct fx *fx)
{
	KUNIT_EXPECT_EQ(fx->test, fwps_flow_close(opened), STATUS_SUCCESS);
}

static NTSTATUS sweep_inject(struct fx *fx)
{
	return inject(fx, SEND, swept, LEN);
}

static void sweep_inject_undo(struct fx *fx)
{
	KUNIT_EXPECT_TRUE(fx->test, read_on(fx, LEN));
	fx_expect_completions(fx, 1);
	atomic_set(&fx->completions, 0);
	fx_free(swept);
	swept = next_list(fx, LEN);
}

static void without_memory_nothing_is_sent(struct kunit *test)
{
	struct fx *fx = test->priv;

	fx_sweep(fx, sweep_open, sweep_open_undo, 1);
	swept = next_list(fx, LEN);
	fx_sweep(fx, sweep_inject, sweep_inject_undo, 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->completions), 0);
	fx_free(swept);
}
#endif

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(a_chain_arrives_in_order_and_each_list_completes_once, family_gen_params),
	KUNIT_CASE_PARAM(a_slow_reader_is_waited_for, family_gen_params),
	KUNIT_CASE_PARAM(what_the_owner_has_sent_is_waited_for, family_gen_params),
	KUNIT_CASE_PARAM(a_reset_completes_everything_with_an_error, family_gen_params),
	KUNIT_CASE_PARAM(a_released_socket_completes_everything_with_an_error, family_gen_params),
	KUNIT_CASE_PARAM(a_handle_ends_behind_what_is_in_flight, family_gen_params),
	KUNIT_CASE_PARAM(a_closed_flow_gives_up_what_waits, family_gen_params),
	KUNIT_CASE_PARAM(a_disconnect_is_behind_what_was_injected, family_gen_params),
	KUNIT_CASE_PARAM(what_was_acknowledged_is_success_whenever_it_is_let_go_of,
			 family_gen_params),
	KUNIT_CASE_PARAM(what_was_cut_off_has_no_orderly_end, family_gen_params),
	KUNIT_CASE_PARAM(behind_what_was_not_sent_nothing_is, family_gen_params),
	KUNIT_CASE_PARAM(what_is_refused_takes_no_data, family_gen_params),
	KUNIT_CASE_PARAM(more_than_a_flow_may_have_is_refused_whole, family_gen_params),
	KUNIT_CASE_PARAM(what_is_not_connected_is_no_flow, family_gen_params),
#ifdef CONFIG_FAILSLAB
	KUNIT_CASE_PARAM(without_memory_nothing_is_sent, family_gen_params),
#endif
	{}
};

static struct kunit_suite suite = {
	.name = "fwps_stream",
	.init = stream_init,
	.exit = stream_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
