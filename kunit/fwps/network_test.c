// SPDX-License-Identifier: GPL-2.0
/*
 * IP packets, both families, to and from sockets of the kernel and a device of our own:
 * what arrives, and what Status says of what does not.
 */
#include <linux/if_arp.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/net.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/udp.h>
#include <linux/slab.h>
#include <net/ip6_checksum.h>
#include <net/net_namespace.h>
#include "../sim/compat.h"
#include "fixture.h"

#define PORT		4000
#define PAYLOAD		32

/* Of a family: the device's, a neighbour's, and nobody's. */
struct where {
	int family;
	u8 local[16];
	u8 neighbour[16];
	u8 nowhere[16];
	u8 link[16];		/* of this link alone */
	u8 link_neighbour[16];
	int bits;
};

/* addresses for documentation */
static const struct where v4 = {
	.family = AF_INET,
	.local = { 192, 0, 2, 1 },
	.neighbour = { 192, 0, 2, 2 },
	.nowhere = { 198, 51, 100, 1 },
	.bits = 24,
};

static const struct where v6 = {
	.family = AF_INET6,
	.local = { 0x20, 1, 0xd, 0xb8, [15] = 1 },
	.neighbour = { 0x20, 1, 0xd, 0xb8, [15] = 2 },
	.nowhere = { 0x20, 1, 0xd, 0xb8, 1, [15] = 1 },
	.link = { 0xfe, 0x80, [15] = 1 },
	.link_neighbour = { 0xfe, 0x80, [15] = 2 },
	.bits = 64,
};

/* ---- what every case has ---- */

struct net_fx {
	const struct where *at;
	HANDLE handle;
	struct socket *sock;
};

static struct net_fx net_fx;

static void listen_at(struct fx *fx, const u8 *address)
{
	struct kunit *test = fx->test;
	struct sockaddr_storage ss = {};
	struct sockaddr_in6 *sin6 = (void *)&ss;
	struct sockaddr_in *sin = (void *)&ss;

	KUNIT_ASSERT_EQ(test, 0, sock_create_kern(&init_net, net_fx.at->family, SOCK_DGRAM,
						  IPPROTO_UDP, &net_fx.sock));
	if (net_fx.at == &v4) {
		sin->sin_family = AF_INET;
		sin->sin_port = htons(PORT);
		memcpy(&sin->sin_addr, address, 4);
	} else {
		sin6->sin6_family = AF_INET6;
		sin6->sin6_port = htons(PORT);
		memcpy(&sin6->sin6_addr, address, 16);
		sin6->sin6_scope_id = fx->dev->ifindex;
	}
	KUNIT_ASSERT_EQ(test, 0, kernel_bind(net_fx.sock, (struct sockaddr_unsized *)&ss,
					     sizeof(ss)));
}

static void begin(struct kunit *test, const struct where *at)
{
	struct net_device *lo = init_net.loopback_dev;
	struct fx *fx = test->priv;

	net_fx.at = at;
	KUNIT_ASSERT_EQ(test, STATUS_SUCCESS,
			FwpsInjectionHandleCreate(at->family, FWPS_INJECTION_TYPE_NETWORK,
						  &net_fx.handle));
	fx_up(lo, true);
	fx_address(fx, fx->dev, at->family, at->local, at->bits);
}

static void net_exit(struct kunit *test)
{
	struct fx *fx = test->priv;

	fx_release(fx);
	if (net_fx.sock)
		sock_release(net_fx.sock);
	if (net_fx.handle)
		FwpsInjectionHandleDestroy(net_fx.handle);
	memset(&net_fx, 0, sizeof(net_fx));
	fx_exit(test);
}

/* A UDP packet, with @len bytes behind the headers. */
static NET_BUFFER_LIST *packet(struct fx *fx, const u8 *from, const u8 *to, size_t len)
{
	size_t head = net_fx.at == &v4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	u8 *buf = kunit_kzalloc(fx->test, head + sizeof(struct udphdr) + len, GFP_KERNEL);
	struct udphdr *udp = (struct udphdr *)(buf + head);
	struct ipv6hdr *ip6 = (struct ipv6hdr *)buf;
	struct iphdr *ip = (struct iphdr *)buf;
	NET_BUFFER_LIST *nbl;
	size_t i;

	for (i = 0; i < len; i++)
		((u8 *)(udp + 1))[i] = i;
	udp->source = htons(PORT + 1);
	udp->dest = htons(PORT);
	udp->len = htons(sizeof(*udp) + len);
	if (net_fx.at == &v4) {
		ip->version = 4;
		ip->ihl = 5;
		ip->ttl = 64;
		ip->protocol = IPPROTO_UDP;
		ip->tot_len = htons(head + sizeof(*udp) + len);
		memcpy(&ip->saddr, from, 4);
		memcpy(&ip->daddr, to, 4);
		ip->check = ip_fast_csum(ip, 5);
	} else {
		ip6->version = 6;
		ip6->hop_limit = 64;
		ip6->nexthdr = IPPROTO_UDP;
		ip6->payload_len = udp->len;
		memcpy(&ip6->saddr, from, 16);
		memcpy(&ip6->daddr, to, 16);
		udp->check = csum_ipv6_magic(&ip6->saddr, &ip6->daddr, sizeof(*udp) + len,
					     IPPROTO_UDP, csum_partial(udp, sizeof(*udp) + len, 0));
	}
	nbl = fx_list(fx, buf, head + sizeof(*udp) + len);
	kunit_kfree(fx->test, buf);
	return nbl;
}

static NTSTATUS receive(struct fx *fx, NET_BUFFER_LIST *nbl)
{
	return FwpsInjectNetworkReceiveAsync(net_fx.handle, NULL, 0, UNSPECIFIED_COMPARTMENT_ID,
					     fx->dev->ifindex, 0, nbl, fx_done, fx);
}

static NTSTATUS send(struct fx *fx, NET_BUFFER_LIST *nbl)
{
	return FwpsInjectNetworkSendAsync(net_fx.handle, NULL, 0, DEFAULT_COMPARTMENT_ID, nbl,
					  fx_done, fx);
}

/* The socket has one packet of @len bytes, and they are right. */
static void expect_heard(struct fx *fx, size_t len)
{
	u8 *buf = kunit_kmalloc(fx->test, len + 1, GFP_KERNEL);
	struct kvec vec = { buf, len + 1 };
	struct msghdr msg = {};
	size_t i;

	KUNIT_ASSERT_EQ(fx->test, kernel_recvmsg(net_fx.sock, &msg, &vec, 1, len + 1, MSG_DONTWAIT),
			(int)len);
	for (i = 0; i < len; i++)
		KUNIT_ASSERT_EQ(fx->test, buf[i], (u8)i);
}

/* ---- both families ---- */

static void received(struct kunit *test, const struct where *at)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl;

	begin(test, at);
	listen_at(fx, at->local);
	nbl = packet(fx, at->neighbour, at->local, PAYLOAD);
	KUNIT_ASSERT_EQ(test, receive(fx, nbl), STATUS_SUCCESS);
	fx_expect_completions(fx, 1);
	KUNIT_EXPECT_EQ(test, fx->status, NDIS_STATUS_SUCCESS);
	expect_heard(fx, PAYLOAD);
	fx_free(nbl);
	/* of pages */
	nbl = packet(fx, at->neighbour, at->local, 20000);
	KUNIT_ASSERT_EQ(test, receive(fx, nbl), STATUS_SUCCESS);
	fx_expect_completions(fx, 2);
	expect_heard(fx, 20000);
	fx_free(nbl);
}

static void an_ipv4_packet_received_reaches_its_socket(struct kunit *test)
{
	received(test, &v4);
}

static void an_ipv6_packet_received_reaches_its_socket(struct kunit *test)
{
	received(test, &v6);
}

static void sent_to_itself(struct kunit *test, const struct where *at)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl;

	begin(test, at);
	listen_at(fx, at->local);
	nbl = packet(fx, at->local, at->local, PAYLOAD);
	KUNIT_ASSERT_EQ(test, send(fx, nbl), STATUS_SUCCESS);
	fx_expect_completions(fx, 1);
	KUNIT_EXPECT_EQ(test, fx->status, NDIS_STATUS_SUCCESS);
	expect_heard(fx, PAYLOAD);
	fx_free(nbl);
}

static void an_ipv4_packet_sent_to_this_machine_reaches_its_socket(struct kunit *test)
{
	sent_to_itself(test, &v4);
}

static void an_ipv6_packet_sent_to_this_machine_reaches_its_socket(struct kunit *test)
{
	sent_to_itself(test, &v6);
}

static void sent_on_link(struct kunit *test, const struct where *at)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl;
	struct sk_buff *skb;

	begin(test, at);
	fx->keep = true;
	nbl = packet(fx, at->local, at->neighbour, PAYLOAD);
	if (at == &v4) {
		/* what is filled in */
		struct iphdr *ip = NdisGetDataBuffer(nbl->FirstNetBuffer, 20, NULL, 1, 0);

		ip->check = 0;
		ip->tot_len = 0;
	}
	KUNIT_ASSERT_EQ(test, send(fx, nbl), STATUS_SUCCESS);
	fx_wait(fx, atomic_read(&fx->sent) == 1);
	fx_settle();
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->completions), 0);
	skb = skb_peek(&fx->parked);
	KUNIT_ASSERT_NOT_NULL(test, skb);
	if (at == &v4) {
		KUNIT_EXPECT_EQ(test, ntohs(ip_hdr(skb)->tot_len), 28 + PAYLOAD);
		KUNIT_EXPECT_EQ(test, ip_fast_csum(ip_hdr(skb), 5), 0);
	} else {
		KUNIT_EXPECT_EQ(test, ntohs(ipv6_hdr(skb)->payload_len), 8 + PAYLOAD);
	}
	fx_release(fx);
	fx_expect_completions(fx, 1);
	KUNIT_EXPECT_EQ(test, fx->status, NDIS_STATUS_SUCCESS);
	fx_free(nbl);
}

static void an_ipv4_packet_sent_on_the_link_is_completed_when_the_device_lets_go(struct kunit *test)
{
	sent_on_link(test, &v4);
}

static void an_ipv6_packet_sent_on_the_link_is_completed_when_the_device_lets_go(struct kunit *test)
{
	sent_on_link(test, &v6);
}

static void not_routed(struct kunit *test, const struct where *at)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl;

	begin(test, at);
	nbl = packet(fx, at->local, at->nowhere, PAYLOAD);
	KUNIT_EXPECT_EQ(test, send(fx, nbl), STATUS_NETWORK_UNREACHABLE);
	fx_settle();
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->completions), 0);
	fx_free(nbl);
}

static void without_a_route_for_ipv4_nothing_is_sent(struct kunit *test)
{
	not_routed(test, &v4);
}

static void without_a_route_for_ipv6_nothing_is_sent(struct kunit *test)
{
	not_routed(test, &v6);
}

static unsigned int drop(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	return NF_DROP;
}

static void filtered(struct kunit *test, const struct where *at)
{
	const struct nf_hook_ops ops = {
		.hook = drop,
		.pf = at == &v4 ? NFPROTO_IPV4 : NFPROTO_IPV6,
		.hooknum = NF_INET_LOCAL_OUT,
		.priority = NF_IP_PRI_FILTER,
	};
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl;

	begin(test, at);
	nbl = packet(fx, at->local, at->neighbour, PAYLOAD);
	KUNIT_ASSERT_EQ(test, nf_register_net_hook(&init_net, &ops), 0);
	KUNIT_EXPECT_EQ(test, send(fx, nbl), STATUS_SUCCESS);
	nf_unregister_net_hook(&init_net, &ops);
	fx_expect_completions(fx, 1);
	KUNIT_EXPECT_EQ(test, fx->status, STATUS_DATA_NOT_ACCEPTED);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->sent), 0);
	fx_free(nbl);
}

static void what_a_filter_drops_of_ipv4_is_not_accepted(struct kunit *test)
{
	filtered(test, &v4);
}

static void what_a_filter_drops_of_ipv6_is_not_accepted(struct kunit *test)
{
	filtered(test, &v6);
}

static void fragmented(struct kunit *test, const struct where *at)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl;

	begin(test, at);
	nbl = packet(fx, at->local, at->neighbour, 3000);
	KUNIT_EXPECT_EQ(test, send(fx, nbl), STATUS_SUCCESS);
	fx_expect_completions(fx, 1);
	KUNIT_EXPECT_EQ(test, fx->status, NDIS_STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->sent), 3);
	fx_free(nbl);
}

static void what_is_too_long_for_ipv4_is_cut_and_completed_once(struct kunit *test)
{
	fragmented(test, &v4);
}

static void what_is_too_long_for_ipv6_is_cut_and_completed_once(struct kunit *test)
{
	fragmented(test, &v6);
}

/* ---- one family ---- */

static void what_is_too_long_and_may_not_be_cut_is_not_sent(struct kunit *test)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl;
	struct iphdr *ip;

	begin(test, &v4);
	nbl = packet(fx, v4.local, v4.neighbour, 3000);
	ip = NdisGetDataBuffer(nbl->FirstNetBuffer, 20, NULL, 1, 0);
	ip->frag_off = htons(IP_DF);
	KUNIT_EXPECT_EQ(test, send(fx, nbl), STATUS_SUCCESS);
	fx_expect_completions(fx, 1);
	KUNIT_EXPECT_EQ(test, fx->status, NDIS_STATUS_INVALID_LENGTH);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->sent), 0);
	fx_free(nbl);
}

static void addresses_of_a_link_are_those_of_the_sources(struct kunit *test)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl;

	begin(test, &v6);
	/* another link with the same prefix */
	fx_device(fx);
	fx_address(fx, fx->dev, AF_INET6, v6.link, 64);
	listen_at(fx, v6.link);
	nbl = packet(fx, v6.link_neighbour, v6.link, PAYLOAD);
	KUNIT_EXPECT_EQ(test, receive(fx, nbl), STATUS_SUCCESS);
	fx_expect_completions(fx, 1);
	expect_heard(fx, PAYLOAD);
	fx_free(nbl);
	fx->keep = true;
	nbl = packet(fx, v6.link, v6.link_neighbour, PAYLOAD);
	KUNIT_EXPECT_EQ(test, send(fx, nbl), STATUS_SUCCESS);
	fx_wait(fx, atomic_read(&fx->sent) == 1);
	KUNIT_ASSERT_NOT_NULL(test, skb_peek(&fx->parked));
	KUNIT_EXPECT_PTR_EQ(test, skb_peek(&fx->parked)->dev, fx->dev);
	fx_release(fx);
	fx_expect_completions(fx, 2);
	fx_free(nbl);
}

static void no_way(struct kunit *test, const struct where *at)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl;

	begin(test, at);
	nbl = packet(fx, at->local, at->neighbour, PAYLOAD);
	fx_unreachable(fx, at->family, at->neighbour, true);
	KUNIT_EXPECT_EQ(test, send(fx, nbl), STATUS_HOST_UNREACHABLE);
	fx_unreachable(fx, at->family, at->neighbour, false);
	fx_settle();
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->completions), 0);
	KUNIT_EXPECT_EQ(test, send(fx, nbl), STATUS_SUCCESS);
	fx_expect_completions(fx, 1);
	fx_free(nbl);
}

static void without_a_way_to_an_ipv4_host_nothing_is_sent(struct kunit *test)
{
	no_way(test, &v4);
}

static void without_a_way_to_an_ipv6_host_nothing_is_sent(struct kunit *test)
{
	no_way(test, &v6);
}

static void offloads_that_nobody_would_do_are_refused(struct kunit *test)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl;

	begin(test, &v4);
	nbl = packet(fx, v4.local, v4.neighbour, PAYLOAD);
	NET_BUFFER_LIST_INFO(nbl, TcpIpChecksumNetBufferListInfo) = (void *)1;
	KUNIT_EXPECT_EQ(test, send(fx, nbl), STATUS_NOT_SUPPORTED);
	NET_BUFFER_LIST_INFO(nbl, TcpIpChecksumNetBufferListInfo) = NULL;
	KUNIT_EXPECT_EQ(test, send(fx, nbl), STATUS_SUCCESS);
	fx_expect_completions(fx, 1);
	fx_free(nbl);
}

#ifdef CONFIG_FAILSLAB
static NET_BUFFER_LIST *swept;

static NTSTATUS sweep_receive(struct fx *fx)
{
	return receive(fx, swept);
}

static NTSTATUS sweep_send(struct fx *fx)
{
	return send(fx, swept);
}

static void sweep_undo(struct fx *fx)
{
	fx_expect_completions(fx, 1);
	atomic_set(&fx->completions, 0);
}

static void without_memory_nothing_is_injected(struct kunit *test)
{
	static const struct where *const both[] = { &v4, &v6 };
	struct fx *fx = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(both); i++) {
		begin(test, both[i]);
		swept = packet(fx, both[i]->neighbour, both[i]->local, PAYLOAD);
		fx_sweep(fx, sweep_receive, sweep_undo, 1);
		fx_free(swept);
		swept = packet(fx, both[i]->local, both[i]->neighbour, PAYLOAD);
		fx_sweep(fx, sweep_send, sweep_undo, 1);
		fx_free(swept);
		FwpsInjectionHandleDestroy(net_fx.handle);
		net_fx.handle = NULL;
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->completions), 0);
}
#endif

static void what_is_no_packet_of_the_handles_family_is_refused(struct kunit *test)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl, *other, *chain;
	struct iphdr *ip;
	HANDLE handle6, stream;

	begin(test, &v4);
	KUNIT_ASSERT_EQ(test, STATUS_SUCCESS,
			FwpsInjectionHandleCreate(AF_INET6, FWPS_INJECTION_TYPE_NETWORK, &handle6));
	nbl = packet(fx, v4.neighbour, v4.local, PAYLOAD);
	ip = NdisGetDataBuffer(nbl->FirstNetBuffer, 20, NULL, 1, 0);
	KUNIT_EXPECT_EQ(test, STATUS_FWP_INVALID_PARAMETER,
			FwpsInjectNetworkReceiveAsync(handle6, NULL, 0, 0, fx->dev->ifindex, 0, nbl,
						      fx_done, fx));
	KUNIT_EXPECT_EQ(test, STATUS_FWP_INVALID_PARAMETER,
			FwpsInjectNetworkSendAsync(handle6, NULL, 0, 0, nbl, fx_done, fx));
	/* transport, stream and forward */
	KUNIT_ASSERT_EQ(test, STATUS_SUCCESS, FwpsInjectionHandleCreate(AF_INET, 0, &stream));
	KUNIT_EXPECT_EQ(test, STATUS_FWP_INJECT_HANDLE_STALE,
			FwpsInjectNetworkSendAsync(stream, NULL, 0, 0, nbl, fx_done, fx));
	KUNIT_EXPECT_EQ(test, STATUS_FWP_INJECT_HANDLE_STALE,
			FwpsInjectNetworkReceiveAsync(stream, NULL, 0, 0, fx->dev->ifindex, 0, nbl,
						      fx_done, fx));
	KUNIT_EXPECT_EQ(test, STATUS_SUCCESS, FwpsInjectionHandleDestroy(stream));
	ip->ihl = 4;
	KUNIT_EXPECT_EQ(test, receive(fx, nbl), NDIS_STATUS_INVALID_LENGTH);
	KUNIT_EXPECT_EQ(test, send(fx, nbl), NDIS_STATUS_INVALID_LENGTH);
	ip->ihl = 15;
	NET_BUFFER_DATA_LENGTH(nbl->FirstNetBuffer) = 59;
	KUNIT_EXPECT_EQ(test, receive(fx, nbl), NDIS_STATUS_INVALID_LENGTH);
	NET_BUFFER_DATA_LENGTH(nbl->FirstNetBuffer) = 19;
	KUNIT_EXPECT_EQ(test, send(fx, nbl), NDIS_STATUS_INVALID_LENGTH);
	other = fx_list(fx, ip, 20);
	chain = packet(fx, v4.neighbour, v4.local, PAYLOAD);
	chain->Next = other;
	KUNIT_EXPECT_EQ(test, receive(fx, chain), STATUS_FWP_INVALID_PARAMETER);
	fx_settle();
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->completions), 0);
	fx_free(chain);
	fx_free(nbl);
	FwpsInjectionHandleDestroy(handle6);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(an_ipv4_packet_received_reaches_its_socket),
	KUNIT_CASE(an_ipv6_packet_received_reaches_its_socket),
	KUNIT_CASE(an_ipv4_packet_sent_to_this_machine_reaches_its_socket),
	KUNIT_CASE(an_ipv6_packet_sent_to_this_machine_reaches_its_socket),
	KUNIT_CASE(an_ipv4_packet_sent_on_the_link_is_completed_when_the_device_lets_go),
	KUNIT_CASE(an_ipv6_packet_sent_on_the_link_is_completed_when_the_device_lets_go),
	KUNIT_CASE(without_a_route_for_ipv4_nothing_is_sent),
	KUNIT_CASE(without_a_route_for_ipv6_nothing_is_sent),
	KUNIT_CASE(without_a_way_to_an_ipv4_host_nothing_is_sent),
	KUNIT_CASE(without_a_way_to_an_ipv6_host_nothing_is_sent),
	KUNIT_CASE(what_a_filter_drops_of_ipv4_is_not_accepted),
	KUNIT_CASE(what_a_filter_drops_of_ipv6_is_not_accepted),
	KUNIT_CASE(what_is_too_long_for_ipv4_is_cut_and_completed_once),
	KUNIT_CASE(what_is_too_long_for_ipv6_is_cut_and_completed_once),
	KUNIT_CASE(what_is_too_long_and_may_not_be_cut_is_not_sent),
	KUNIT_CASE(addresses_of_a_link_are_those_of_the_sources),
	KUNIT_CASE(offloads_that_nobody_would_do_are_refused),
#ifdef CONFIG_FAILSLAB
	KUNIT_CASE(without_memory_nothing_is_injected),
#endif
	KUNIT_CASE(what_is_no_packet_of_the_handles_family_is_refused),
	{}
};

static struct kunit_suite suite = {
	.name = "fwps_network",
	.init = fx_init,
	.exit = net_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
