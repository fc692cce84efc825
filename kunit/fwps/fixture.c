// SPDX-License-Identifier: GPL-2.0
#include <linux/err.h>
#include <linux/etherdevice.h>
#include <linux/file.h>
#include <linux/if_addr.h>
#include <linux/ipv6.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/addrconf.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>
#include <net/netlink.h>
#include <net/sock.h>
#include "../fail.h"
#include "../helper.h"
#include "fixture.h"

#define DEVICES		4

/* ---- a device ---- */

struct fx_priv {
	struct fx *fx;
};

/* The kernel has things to say on a device that comes up. */
static bool is_ours(const struct sk_buff *skb)
{
	const struct ethhdr *eth = (const struct ethhdr *)skb->data;
	u8 next;

	if (eth->h_proto != htons(ETH_P_IPV6))
		return true;
	if (skb_copy_bits(skb, ETH_HLEN + offsetof(struct ipv6hdr, nexthdr), &next, 1))
		return false;
	return next == NEXTHDR_UDP || next == NEXTHDR_FRAGMENT;
}

static netdev_tx_t fx_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct fx *fx = ((struct fx_priv *)netdev_priv(dev))->fx;

	if (!is_ours(skb)) {
		dev_kfree_skb_any(skb);
		return NETDEV_TX_OK;
	}
	/* as drivers do it that may keep a frame for long: the sender's socket is let go of */
	skb_orphan(skb);
	if (READ_ONCE(fx->keep))
		skb_queue_tail(&fx->parked, skb);
	else
		dev_consume_skb_any(skb);
	atomic_inc(&fx->sent);
	wake_up_all(&fx->wait);
	return NETDEV_TX_OK;
}

static const struct net_device_ops fx_ops = {
	.ndo_start_xmit = fx_xmit,
};

static void fx_setup(struct net_device *dev)
{
	ether_setup(dev);
	dev->netdev_ops = &fx_ops;
	dev->flags |= IFF_NOARP;
	dev->priv_flags |= IFF_NO_QUEUE;
	dev->needs_free_netdev = true;
	dev->max_mtu = 65535;
	eth_hw_addr_random(dev);
}

/* By name: a case may have unregistered one. */
static char fx_names[DEVICES][IFNAMSIZ];

struct net_device *fx_device(struct fx *fx)
{
	struct kunit *test = fx->test;
	struct net_device *dev;
	unsigned int i;

	for (i = 0; i < DEVICES && fx_names[i][0]; i++)
		;
	KUNIT_ASSERT_LT(test, i, DEVICES);
	dev = alloc_netdev(sizeof(struct fx_priv), "fwps%d", NET_NAME_UNKNOWN, fx_setup);
	KUNIT_ASSERT_NOT_NULL(test, dev);
	((struct fx_priv *)netdev_priv(dev))->fx = fx;
	if (register_netdev(dev)) {
		free_netdev(dev);
		KUNIT_FAIL_AND_ABORT(test, "no device");
	}
	strscpy(fx_names[i], dev->name, IFNAMSIZ);
	fx_up(dev, true);
	return dev;
}

void fx_up(struct net_device *dev, bool up)
{
	rtnl_lock();
	if (!up)
		dev_close(dev);
	else if (dev_open(dev, NULL))
		pr_err("%s does not come up\n", dev->name);
	rtnl_unlock();
}

static void devices_gone(void)
{
	struct net_device *dev;
	unsigned int i;

	for (i = 0; i < DEVICES; i++) {
		rtnl_lock();
		dev = fx_names[i][0] ? __dev_get_by_name(&init_net, fx_names[i]) : NULL;
		if (dev)
			unregister_netdevice(dev);
		rtnl_unlock();
		fx_names[i][0] = 0;
	}
}

/* What ip(8) would say of this family, and the kernel agrees. */
static struct nlmsghdr *netlink_new(struct fx *fx, int type, int flags, size_t len)
{
	struct sk_buff *skb = nlmsg_new(256, GFP_KERNEL);
	struct nlmsghdr *nlh;

	KUNIT_ASSERT_NOT_NULL(fx->test, skb);
	nlh = nlmsg_put(skb, 0, 1, type, len, NLM_F_REQUEST | NLM_F_ACK | flags);
	memset(nlmsg_data(nlh), 0, len);
	fx->netlink = skb;
	return nlh;
}

static void netlink_say(struct fx *fx)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)fx->netlink->data;
	struct kunit *test = fx->test;
	struct socket *sock;
	struct msghdr msg = {};
	struct kvec vec;
	struct {
		struct nlmsghdr nlh;
		struct nlmsgerr err;
	} answer;
	struct file *file;
	int ret;

	nlmsg_end(fx->netlink, nlh);
	KUNIT_ASSERT_EQ(test, 0, sock_create_kern(&init_net, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE,
						  &sock));
	/* netlink looks for who has opened it */
	file = sock_alloc_file(sock, 0, NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	vec.iov_base = nlh;
	vec.iov_len = nlh->nlmsg_len;
	ret = kernel_sendmsg(sock, &msg, &vec, 1, vec.iov_len);
	KUNIT_EXPECT_EQ(test, ret, (int)vec.iov_len);
	vec.iov_base = &answer;
	vec.iov_len = sizeof(answer);
	memset(&msg, 0, sizeof(msg));
	ret = kernel_recvmsg(sock, &msg, &vec, 1, vec.iov_len, 0);
	KUNIT_EXPECT_GE(test, ret, (int)sizeof(answer));
	KUNIT_EXPECT_EQ(test, answer.err.error, 0);
	nlmsg_free(fx->netlink);
	fx->netlink = NULL;
	fput(file);
}

static size_t address_len(int family)
{
	return family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
}

void fx_address(struct fx *fx, struct net_device *dev, int family, const void *address, int bits)
{
	struct ifaddrmsg *ifa = nlmsg_data(netlink_new(fx, RTM_NEWADDR, NLM_F_CREATE,
						       sizeof(*ifa)));

	ifa->ifa_family = family;
	ifa->ifa_prefixlen = bits;
	ifa->ifa_index = dev->ifindex;
	nla_put(fx->netlink, IFA_LOCAL, address_len(family), address);
	nla_put(fx->netlink, IFA_ADDRESS, address_len(family), address);
	netlink_say(fx);
	if (family == AF_INET)
		return;
	/* tentative until a work item puts it into force, under this lock */
	KUNIT_EXPECT_TRUE(fx->test, becomes(ipv6_chk_addr(&init_net, address, dev, 0)));
	rtnl_lock();
	rtnl_unlock();
}

void fx_unreachable(struct fx *fx, int family, const void *address, bool add)
{
	struct rtmsg *rtm = nlmsg_data(netlink_new(fx, add ? RTM_NEWROUTE : RTM_DELROUTE,
						   add ? NLM_F_CREATE : 0, sizeof(*rtm)));

	rtm->rtm_family = family;
	rtm->rtm_dst_len = 8 * address_len(family);
	rtm->rtm_table = RT_TABLE_MAIN;
	rtm->rtm_protocol = RTPROT_BOOT;
	rtm->rtm_type = RTN_UNREACHABLE;
	nla_put(fx->netlink, RTA_DST, address_len(family), address);
	netlink_say(fx);
}

/* ---- what is injected ---- */

MDL *fx_mdl(struct kunit *test, void *buf, size_t len)
{
	MDL *mdl = kunit_kzalloc(test, MmSizeOfMdl(buf, len), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, mdl);
	MmInitializeMdl(mdl, buf, len);
	MmBuildMdlForNonPagedPool(mdl);
	return mdl;
}

NET_BUFFER_LIST *fx_list(struct fx *fx, const void *bytes, size_t len)
{
	u8 *buf = kunit_kmalloc(fx->test, len ?: 1, GFP_KERNEL);
	NET_BUFFER_LIST *nbl;

	KUNIT_ASSERT_NOT_NULL(fx->test, buf);
	memcpy(buf, bytes, len);
	KUNIT_ASSERT_EQ(fx->test, STATUS_SUCCESS,
			FwpsAllocateNetBufferAndNetBufferList(fx->pool, 0, 0,
							      fx_mdl(fx->test, buf, len), 0, len,
							      &nbl));
	/* what Status is before is nobody's answer */
	NET_BUFFER_LIST_STATUS(nbl) = NDIS_STATUS_PENDING;
	return nbl;
}

static u8 pattern(u32 number, size_t i)
{
	return number * 31 + i;
}

NET_BUFFER_LIST *fx_frame(struct fx *fx, size_t len, u32 number)
{
	u8 *buf = kunit_kmalloc(fx->test, len, GFP_KERNEL);
	struct ethhdr *eth = (struct ethhdr *)buf;
	NET_BUFFER_LIST *nbl;
	size_t i;

	KUNIT_ASSERT_NOT_NULL(fx->test, buf);
	KUNIT_ASSERT_GE(fx->test, len, (size_t)FX_MIN);
	ether_addr_copy(eth->h_dest, fx->dev->dev_addr);
	eth_random_addr(eth->h_source);
	eth->h_proto = htons(FX_TYPE);
	memcpy(buf + ETH_HLEN, &number, sizeof(number));
	for (i = FX_MIN; i < len; i++)
		buf[i] = pattern(number, i);
	nbl = fx_list(fx, buf, len);
	kunit_kfree(fx->test, buf);
	return nbl;
}

NET_BUFFER_LIST *fx_chain(struct fx *fx, unsigned int n, size_t len, u32 number)
{
	NET_BUFFER_LIST *first = NULL, **link = &first;

	while (n--) {
		*link = fx_frame(fx, len, number++);
		link = &NET_BUFFER_LIST_NEXT_NBL(*link);
	}
	return first;
}

NET_BUFFER_LIST *fx_share(struct fx *fx, NET_BUFFER_LIST *nbl, unsigned int n)
{
	NET_BUFFER *nb = nbl->FirstNetBuffer;
	NET_BUFFER_LIST *new;

	while (--n) {
		KUNIT_ASSERT_EQ(fx->test, STATUS_SUCCESS,
				FwpsAllocateNetBufferAndNetBufferList(fx->pool, 0, 0, nb->MdlChain,
								      0, nb->DataLength, &new));
		NET_BUFFER_LIST_STATUS(new) = NDIS_STATUS_PENDING;
		NET_BUFFER_LIST_NEXT_NBL(new) = nbl;
		nbl = new;
	}
	return nbl;
}

void fx_free(NET_BUFFER_LIST *nbl)
{
	NET_BUFFER_LIST *next;

	for (; nbl; nbl = next) {
		next = NET_BUFFER_LIST_NEXT_NBL(nbl);
		FwpsFreeNetBufferList(nbl);
	}
}

bool fx_frame_is(const struct sk_buff *skb, u32 *number)
{
	struct ethhdr *eth = eth_hdr(skb);
	u8 byte;
	int i;

	if (eth->h_proto != htons(FX_TYPE) || skb_copy_bits(skb, 0, number, sizeof(*number)))
		return false;
	for (i = sizeof(*number); i < skb->len; i++)
		if (skb_copy_bits(skb, i, &byte, 1) || byte != pattern(*number, i + ETH_HLEN))
			return false;
	return true;
}

static int fx_tap(struct sk_buff *skb, struct net_device *dev, struct packet_type *pt,
		  struct net_device *orig)
{
	struct fx *fx = container_of(pt, struct fx, tap);
	u32 number = 0;

	/* it may have been told to hear everything: what is sent has its header in front */
	if (eth_hdr(skb)->h_proto != htons(FX_TYPE))
		goto out;
	if (skb->pkt_type == PACKET_OUTGOING)
		skb_pull(skb, ETH_HLEN);
	if (!fx_frame_is(skb, &number))
		atomic_inc(&fx->wrong);
	fx->order[atomic_read(&fx->received) % ARRAY_SIZE(fx->order)] = number;
	atomic_inc(&fx->received);
	wake_up_all(&fx->wait);
out:
	kfree_skb(skb);
	return 0;
}

/* ---- completion ---- */

void fx_done(void *context, NET_BUFFER_LIST *nbl, BOOLEAN dispatch_level)
{
	struct fx *fx = context;

	if (!dispatch_level || !in_serving_softirq() || in_hardirq() || irqs_disabled() ||
	    nbl->Next || nbl->Status == NDIS_STATUS_PENDING)
		atomic_inc(&fx->wrong);
	fx->status = NET_BUFFER_LIST_STATUS(nbl);
	fx->last = nbl;
	if (fx->status == NDIS_STATUS_SUCCESS)
		atomic_inc(&fx->success);
	if (fx->status == NDIS_STATUS_RESOURCES)
		atomic_inc(&fx->resources);
	if (fx->freed)
		FwpsFreeNetBufferList(nbl);
	if (fx->on_done)
		fx->on_done(fx, nbl);
	atomic_inc(&fx->completions);
	wake_up_all(&fx->wait);
}

NTSTATUS fx_receive(struct fx *fx, NET_BUFFER_LIST *nbl)
{
	return FwpsInjectMacReceiveAsync(fx->handle, NULL, 0,
					 FWPS_LAYER_INBOUND_MAC_FRAME_ETHERNET, fx->dev->ifindex,
					 NDIS_DEFAULT_PORT_NUMBER, nbl, fx_done, fx);
}

NTSTATUS fx_send(struct fx *fx, NET_BUFFER_LIST *nbl)
{
	return FwpsInjectMacSendAsync(fx->handle, NULL, 0,
				      FWPS_LAYER_OUTBOUND_MAC_FRAME_ETHERNET, fx->dev->ifindex,
				      NDIS_DEFAULT_PORT_NUMBER, nbl, fx_done, fx);
}

unsigned int fx_release(struct fx *fx)
{
	struct sk_buff *skb;
	unsigned int n = 0;

	for (; (skb = skb_dequeue(&fx->parked)); n++)
		consume_skb(skb);
	return n;
}

void fx_settle(void)
{
	/* an end of a section without softirqs runs them, here or in their thread */
	local_bh_disable();
	local_bh_enable();
	schedule_timeout_uninterruptible(1);
}

/* ---- no memory ---- */

#define MOST_SITES	500
#define TRIES		4

void fx_sweep(struct fx *fx, NTSTATUS (*call)(struct fx *fx), void (*undo)(struct fx *fx),
	      unsigned int least)
{
	unsigned int n, tries, failed = 0;
	NTSTATUS status;
	bool met = true;

	for (n = 0; met && n < MOST_SITES; n++) {
		/*
		 * Some have a second way. And what is met may be an allocation of the debug
		 * kernel's own, made now and then: another time another one is the n-th.
		 */
		for (tries = 0; met && tries < TRIES; tries++) {
			fail_allocation(n + 1);
			status = call(fx);
			met = allocation_failed();
			if (!NT_SUCCESS(status))
				break;
			undo(fx);
		}
		if (NT_SUCCESS(status))
			continue;
		KUNIT_EXPECT_EQ(fx->test, status, STATUS_INSUFFICIENT_RESOURCES);
		KUNIT_EXPECT_TRUE(fx->test, met);
		failed++;
	}
	KUNIT_EXPECT_FALSE(fx->test, met);
	/* the last one met none; a sweep that meets nothing proves nothing */
	KUNIT_EXPECT_GE(fx->test, n - 1, least);
	KUNIT_EXPECT_GE(fx->test, failed, min(least, 1u));
}

/* ---- suites ---- */

int fx_init_memory(struct kunit *test)
{
	const NET_BUFFER_LIST_POOL_PARAMETERS lists = {
		.Header = {
			NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
			NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
		},
		.fAllocateNetBuffer = TRUE,
		.PoolTag = 0x74736574,
	};
	const NET_BUFFER_POOL_PARAMETERS packets = {
		.Header = {
			NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_POOL_PARAMETERS_REVISION_1,
			NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1,
		},
		.PoolTag = 0x74736574,
	};
	struct fx *fx = kunit_kzalloc(test, sizeof(*fx), GFP_KERNEL);

	if (!fx)
		return -ENOMEM;
	test->priv = fx;
	fx->test = test;
	init_waitqueue_head(&fx->wait);
	skb_queue_head_init(&fx->parked);
	fx->pool = NdisAllocateNetBufferListPool(NULL, &lists);
	fx->nb_pool = NdisAllocateNetBufferPool(NULL, &packets);
	return fx->pool && fx->nb_pool ? 0 : -ENOMEM;
}

int fx_init(struct kunit *test)
{
	int ret = fx_init_memory(test);
	struct fx *fx = test->priv;

	if (ret)
		return ret;
	fx->dev = fx_device(fx);
	fx->tap.type = htons(FX_TYPE);
	fx->tap.dev = fx->dev;
	fx->tap.func = fx_tap;
	dev_add_pack(&fx->tap);
	return FwpsInjectionHandleCreate(AF_UNSPEC, FWPS_INJECTION_TYPE_L2, &fx->handle) ?
	       -ENOMEM : 0;
}

void fx_exit(struct kunit *test)
{
	struct fx *fx = test->priv;

	if (!fx)
		return;
	fx_release(fx);
	if (fx->tap.func)
		dev_remove_pack(&fx->tap);
	devices_gone();
	fx_release(fx);
	if (fx->handle)
		FwpsInjectionHandleDestroy(fx->handle);
	if (fx->pool)
		NdisFreeNetBufferListPool(fx->pool);
	if (fx->nb_pool)
		NdisFreeNetBufferPool(fx->nb_pool);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->wrong), 0);
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KMCL: suites about packet injection");
