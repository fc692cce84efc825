// SPDX-License-Identifier: GPL-2.0
/*
 * Packets of the network layer: IPv4 and IPv6.
 *
 * What is received re-enters at the bottom, as from a device (netif_rx()); what is
 * sent at the top, as from a local socket (ip_local_out(), ip6_local_out()), and is
 * routed before anything is handed over, so that no route is a status.
 */
#include <linux/etherdevice.h>
#include <linux/export.h>
#include <linux/if_arp.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <net/addrconf.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/route.h>
#include "compat.h"
#include "fwps.h"

static bool is_v6(const struct fwps_request *r)
{
	return r->h->family == AF_INET6;
}

/* The header is whole, and of the handle's family. What it says besides is the stack's to judge. */
static NTSTATUS check_header(const struct fwps_request *r, const struct sk_buff *skb)
{
	const struct iphdr *ip = (const struct iphdr *)skb->data;

	if (ip->version != (is_v6(r) ? 6 : 4))
		return STATUS_FWP_INVALID_PARAMETER;
	if (!is_v6(r) && (ip->ihl < 5 || ip->ihl * 4 > skb->len))
		return NDIS_STATUS_INVALID_LENGTH;
	return STATUS_SUCCESS;
}

/* ---- receive ---- */

static NTSTATUS receive_prepare(const struct fwps_request *r, struct fwps_nbl *n,
				struct sk_buff *skb)
{
	NTSTATUS status = check_header(r, skb);
	struct ethhdr *eth;

	if (!NT_SUCCESS(status))
		return status;
	skb->protocol = htons(is_v6(r) ? ETH_P_IPV6 : ETH_P_IP);
	skb_reset_network_header(skb);
	/* taps on an Ethernet device look for a header */
	if (r->dev->type == ARPHRD_ETHER) {
		eth = skb_push(skb, ETH_HLEN);
		ether_addr_copy(eth->h_dest, r->dev->dev_addr);
		eth_zero_addr(eth->h_source);
		eth->h_proto = skb->protocol;
		skb_reset_mac_header(skb);
		__skb_pull(skb, ETH_HLEN);
	} else {
		skb_reset_mac_header(skb);
	}
	skb_reset_mac_len(skb);
	return STATUS_SUCCESS;
}

static int receive(const struct fwps_request *r, struct sk_buff *skb)
{
	return netif_rx(skb);
}

/* ---- send ---- */

static NTSTATUS no_route(int err)
{
	switch (err) {
	case -EHOSTUNREACH:
		return STATUS_HOST_UNREACHABLE;
	case -ENOMEM:
	case -ENOBUFS:
		return STATUS_INSUFFICIENT_RESOURCES;
	default:
		return STATUS_NETWORK_UNREACHABLE;
	}
}

static NTSTATUS route4(const struct fwps_request *r, struct sk_buff *skb)
{
	const struct iphdr *ip = ip_hdr(skb);
	struct flowi4 fl4 = {
		.daddr = ip->daddr,
		.saddr = ip->saddr,
		.flowi4_proto = ip->protocol,
		.flowi4_flags = FLOWI_FLAG_ANYSRC,
	};
	struct rtable *rt;

	fwps_flow_tos(&fl4, ip->tos);
	rt = ip_route_output_key(r->h->net, &fl4);
	if (IS_ERR(rt))
		return no_route(PTR_ERR(rt));
	skb_dst_set(skb, &rt->dst);
	skb->protocol = htons(ETH_P_IP);
	skb_set_transport_header(skb, ip->ihl * 4);
	return STATUS_SUCCESS;
}

#if IS_REACHABLE(CONFIG_IPV6)
/* A link-local address means something on its link alone: that of the source's. */
static int link_of(struct net *net, const struct ipv6hdr *ip)
{
	struct net_device *dev;
	int index = 0;

	if (!ipv6_addr_is_multicast(&ip->daddr) &&
	    !(ipv6_addr_type(&ip->daddr) & IPV6_ADDR_LINKLOCAL))
		return 0;
	rcu_read_lock();
	dev = ipv6_dev_find(net, &ip->saddr, NULL);
	if (dev)
		index = dev->ifindex;
	rcu_read_unlock();
	return index;
}

static NTSTATUS route6(const struct fwps_request *r, struct sk_buff *skb)
{
	const struct ipv6hdr *ip = ipv6_hdr(skb);
	struct flowi6 fl6 = {
		.daddr = ip->daddr,
		.saddr = ip->saddr,
		.flowlabel = ip6_flowinfo(ip),
		.flowi6_proto = ip->nexthdr,
		.flowi6_flags = FLOWI_FLAG_ANYSRC,
		.flowi6_oif = link_of(r->h->net, ip),
	};
	struct dst_entry *dst;

	dst = ip6_route_output(r->h->net, NULL, &fl6);
	if (dst->error) {
		int err = dst->error;

		dst_release(dst);
		return no_route(err);
	}
	skb_dst_set(skb, dst);
	skb->protocol = htons(ETH_P_IPV6);
	skb_set_transport_header(skb, sizeof(*ip));
	/* only the source may cut IPv6 packets, and that is us */
	skb->ignore_df = 1;
	return STATUS_SUCCESS;
}

static int send6(const struct fwps_request *r, struct sk_buff *skb)
{
	return ip6_local_out(r->h->net, NULL, skb);
}
#else
static NTSTATUS route6(const struct fwps_request *r, struct sk_buff *skb)
{
	return STATUS_NOT_SUPPORTED;
}

static int send6(const struct fwps_request *r, struct sk_buff *skb)
{
	kfree_skb(skb);
	return -EAFNOSUPPORT;
}
#endif

static NTSTATUS send_prepare(const struct fwps_request *r, struct fwps_nbl *n, struct sk_buff *skb)
{
	NTSTATUS status = check_header(r, skb);

	if (!NT_SUCCESS(status))
		return status;
	if (n->nbl.NetBufferListInfo[TcpIpChecksumNetBufferListInfo] ||
	    n->nbl.NetBufferListInfo[TcpLargeSendNetBufferListInfo] ||
	    n->nbl.NetBufferListInfo[IPsecOffloadV1NetBufferListInfo])
		return STATUS_NOT_SUPPORTED;
	skb_reset_network_header(skb);
	return is_v6(r) ? route6(r, skb) : route4(r, skb);
}

static int send(const struct fwps_request *r, struct sk_buff *skb)
{
	return is_v6(r) ? send6(r, skb) : ip_local_out(r->h->net, NULL, skb);
}

/* ---- both ---- */

static const struct fwps_way receive_way = { receive_prepare, receive };
static const struct fwps_way send_way = { send_prepare, send };

static NTSTATUS check(struct fwps_request *r, COMPARTMENT_ID compartment)
{
	if (compartment != UNSPECIFIED_COMPARTMENT_ID && compartment != DEFAULT_COMPARTMENT_ID)
		return STATUS_INVALID_PARAMETER;
	if (!fwps_nbl_find(r->nbls) || r->nbls->Next)
		return STATUS_FWP_INVALID_PARAMETER;
	r->min = is_v6(r) ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
	r->max = IP_MAX_MTU;
	return STATUS_SUCCESS;
}

NTSTATUS FwpsInjectNetworkReceiveAsync0(HANDLE injectionHandle, HANDLE injectionContext,
					UINT32 flags, COMPARTMENT_ID compartmentId,
					IF_INDEX interfaceIndex, IF_INDEX subInterfaceIndex,
					NET_BUFFER_LIST *netBufferList,
					FWPS_INJECT_COMPLETE0 completionFn,
					HANDLE completionContext)
{
	struct fwps_request r = {
		.way = &receive_way,
		.headroom = NET_IP_ALIGN + ETH_HLEN,
		.nbls = netBufferList,
		.fn = completionFn,
		.fn_context = completionContext,
		.context = injectionContext,
	};
	NTSTATUS status;

	status = fwps_begin(&r, injectionHandle, FWPS_INJECTION_TYPE_NETWORK, flags);
	if (!NT_SUCCESS(status))
		return status;
	status = check(&r, compartmentId);
	if (NT_SUCCESS(status))
		status = fwps_use_device(&r, interfaceIndex);
	if (NT_SUCCESS(status))
		status = fwps_inject(&r);
	fwps_end(&r);
	return status;
}
EXPORT_SYMBOL_GPL(FwpsInjectNetworkReceiveAsync0);

NTSTATUS FwpsInjectNetworkSendAsync0(HANDLE injectionHandle, HANDLE injectionContext,
				     UINT32 flags, COMPARTMENT_ID compartmentId,
				     NET_BUFFER_LIST *netBufferList,
				     FWPS_INJECT_COMPLETE0 completionFn, HANDLE completionContext)
{
	struct fwps_request r = {
		.way = &send_way,
		.headroom = LL_MAX_HEADER,
		.nbls = netBufferList,
		.fn = completionFn,
		.fn_context = completionContext,
		.context = injectionContext,
	};
	NTSTATUS status;

	status = fwps_begin(&r, injectionHandle, FWPS_INJECTION_TYPE_NETWORK, flags);
	if (!NT_SUCCESS(status))
		return status;
	status = check(&r, compartmentId);
	if (NT_SUCCESS(status))
		status = fwps_inject(&r);
	fwps_end(&r);
	return status;
}
EXPORT_SYMBOL_GPL(FwpsInjectNetworkSendAsync0);
