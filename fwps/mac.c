// SPDX-License-Identifier: GPL-2.0
/*
 * Frames of the MAC layer.
 */
#include <linux/etherdevice.h>
#include <linux/export.h>
#include <linux/if_arp.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/netdevice.h>
#include <net/sch_generic.h>
#include "fwps.h"

#define MAX_FRAME	(IP_MAX_MTU + VLAN_ETH_HLEN)

/* A tag that travels beside the frame. */
static void put_tag(const struct fwps_nbl *n, struct sk_buff *skb)
{
	NDIS_NET_BUFFER_LIST_8021Q_INFO info = {
		.Value = n->nbl.NetBufferListInfo[Ieee8021QNetBufferListInfo],
	};

	if (!info.Value)
		return;
	__vlan_hwaccel_put_tag(skb, htons(ETH_P_8021Q),
			       info.TagHeader.UserPriority << VLAN_PRIO_SHIFT |
			       info.TagHeader.CanonicalFormatId << 12 | info.TagHeader.VlanId);
}

static NTSTATUS receive_prepare(const struct fwps_request *r, struct fwps_nbl *n,
				struct sk_buff *skb)
{
	skb->protocol = eth_type_trans(skb, r->dev);
	put_tag(n, skb);
	return STATUS_SUCCESS;
}

/*
 * Not netif_receive_skb(): that runs the whole of the stack on our caller's. And not
 * GRO, which forgets whom to tell.
 */
static int receive(const struct fwps_request *r, struct sk_buff *skb)
{
	return netif_rx(skb);
}

static NTSTATUS send_prepare(const struct fwps_request *r, struct fwps_nbl *n, struct sk_buff *skb)
{
	__be16 proto;

	if (n->nbl.NetBufferListInfo[TcpIpChecksumNetBufferListInfo] ||
	    n->nbl.NetBufferListInfo[TcpLargeSendNetBufferListInfo] ||
	    n->nbl.NetBufferListInfo[IPsecOffloadV1NetBufferListInfo])
		return STATUS_NOT_SUPPORTED;
	skb_reset_mac_header(skb);
	skb_set_network_header(skb, ETH_HLEN);
	proto = eth_hdr(skb)->h_proto;
	skb->protocol = eth_proto_is_802_3(proto) ? proto : htons(ETH_P_802_2);
	put_tag(n, skb);
	return STATUS_SUCCESS;
}

static int send(const struct fwps_request *r, struct sk_buff *skb)
{
	return dev_queue_xmit(skb);
}

static const struct fwps_way receive_way = { receive_prepare, receive };
static const struct fwps_way send_way = { send_prepare, send };

static NTSTATUS inject(struct fwps_request *r, HANDLE handle, u32 flags, bool layer, IF_INDEX index)
{
	NTSTATUS status;

	status = fwps_begin(r, handle, FWPS_INJECTION_TYPE_L2, flags);
	if (!NT_SUCCESS(status))
		return status;
	status = layer ? fwps_use_device(r, index) : STATUS_FWP_INVALID_PARAMETER;
	if (NT_SUCCESS(status) && r->dev->type != ARPHRD_ETHER && r->dev->type != ARPHRD_LOOPBACK)
		status = STATUS_NOT_SUPPORTED;
	/* without a carrier its queue drops everything, and says what a congested one says */
	if (NT_SUCCESS(status) && r->way == &send_way && qdisc_tx_is_noop(r->dev))
		status = STATUS_FWP_TCPIP_NOT_READY;
	if (NT_SUCCESS(status)) {
		r->min = ETH_HLEN;
		r->max = MAX_FRAME;
		/* neither the core nor every device looks */
		if (r->way == &send_way) {
			r->max = READ_ONCE(r->dev->mtu) + r->dev->hard_header_len + VLAN_HLEN;
			r->max = min_t(u32, r->max, MAX_FRAME);
			r->headroom = r->dev->needed_headroom;
		} else {
			r->headroom = NET_IP_ALIGN;
		}
		status = fwps_inject(r);
	}
	fwps_end(r);
	return status;
}

NTSTATUS FwpsInjectMacReceiveAsync0(HANDLE injectionHandle, HANDLE injectionContext,
				    UINT32 flags, UINT16 layerId, IF_INDEX interfaceIndex,
				    NDIS_PORT_NUMBER NdisPortNumber,
				    NET_BUFFER_LIST *netBufferLists,
				    FWPS_INJECT_COMPLETE completionFn, HANDLE completionContext)
{
	struct fwps_request r = {
		.way = &receive_way,
		.nbls = netBufferLists,
		.fn = completionFn,
		.fn_context = completionContext,
		.context = injectionContext,
	};

	return inject(&r, injectionHandle, flags,
		      layerId == FWPS_LAYER_INBOUND_MAC_FRAME_ETHERNET ||
		      layerId == FWPS_LAYER_INBOUND_MAC_FRAME_NATIVE, interfaceIndex);
}
EXPORT_SYMBOL_GPL(FwpsInjectMacReceiveAsync0);

NTSTATUS FwpsInjectMacSendAsync0(HANDLE injectionHandle, HANDLE injectionContext, UINT32 flags,
				 UINT16 layerId, IF_INDEX interfaceIndex,
				 NDIS_PORT_NUMBER NdisPortNumber, NET_BUFFER_LIST *netBufferLists,
				 FWPS_INJECT_COMPLETE completionFn, HANDLE completionContext)
{
	struct fwps_request r = {
		.way = &send_way,
		.nbls = netBufferLists,
		.fn = completionFn,
		.fn_context = completionContext,
		.context = injectionContext,
	};

	return inject(&r, injectionHandle, flags,
		      layerId == FWPS_LAYER_OUTBOUND_MAC_FRAME_ETHERNET ||
		      layerId == FWPS_LAYER_OUTBOUND_MAC_FRAME_NATIVE, interfaceIndex);
}
EXPORT_SYMBOL_GPL(FwpsInjectMacSendAsync0);
