// SPDX-License-Identifier: GPL-2.0
/*
 * Frames of the MAC layer, to and from a device of our own: each list is completed
 * once, when the stack has let go of it, and never else.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/prandom.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include "fixture.h"
#include "kmsg.h"

#define LEN	100

static void a_frame_sent_is_completed_when_the_device_lets_go_of_it(struct kunit *test)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl = fx_frame(fx, LEN, 1);

	fx->keep = true;
	KUNIT_ASSERT_EQ(test, fx_send(fx, nbl), STATUS_SUCCESS);
	fx_settle();
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->sent), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->completions), 0);
	KUNIT_EXPECT_EQ(test, fx_release(fx), 1u);
	fx_expect_completions(fx, 1);
	KUNIT_EXPECT_EQ(test, fx->status, NDIS_STATUS_SUCCESS);
	KUNIT_EXPECT_PTR_EQ(test, fx->last, nbl);
	fx_free(nbl);
}

static void a_frame_received_reaches_who_listens(struct kunit *test)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl = fx_frame(fx, LEN, 77);

	KUNIT_ASSERT_EQ(test, fx_receive(fx, nbl), STATUS_SUCCESS);
	fx_expect_completions(fx, 1);
	KUNIT_EXPECT_EQ(test, fx->status, NDIS_STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->received), 1);
	KUNIT_EXPECT_EQ(test, fx->order[0], 77u);
	fx_free(nbl);
}

static bool releasing;

static void not_while_releasing(struct fx *fx, NET_BUFFER_LIST *nbl)
{
	if (READ_ONCE(releasing))
		atomic_inc(&fx->wrong);
}

static void a_completion_never_runs_within_the_release(struct kunit *test)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl = fx_frame(fx, LEN, 1);
	struct sk_buff *skb;

	fx->keep = true;
	fx->on_done = not_while_releasing;
	KUNIT_ASSERT_EQ(test, fx_send(fx, nbl), STATUS_SUCCESS);
	skb = skb_dequeue(&fx->parked);
	KUNIT_ASSERT_NOT_NULL(test, skb);
	/* as a queueing discipline does it, with its lock held */
	local_bh_disable();
	WRITE_ONCE(releasing, true);
	kfree_skb(skb);
	WRITE_ONCE(releasing, false);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->completions), 0);
	local_bh_enable();
	fx_expect_completions(fx, 1);
	fx_free(nbl);
}

static void the_status_is_there_when_a_frame_is_dropped_at_once(struct kunit *test)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl = fx_frame(fx, LEN, 1);

	/* a device that frees within the send: the last reference is the injection's */
	KUNIT_ASSERT_EQ(test, fx_send(fx, nbl), STATUS_SUCCESS);
	fx_expect_completions(fx, 1);
	/* fx_done() has looked for NDIS_STATUS_PENDING, which it was before */
	KUNIT_EXPECT_EQ(test, fx->status, NDIS_STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->wrong), 0);
	fx_free(nbl);
}

static void expect_order(struct fx *fx, unsigned int n, u32 first)
{
	unsigned int i;

	KUNIT_EXPECT_EQ(fx->test, atomic_read(&fx->received), n);
	for (i = 0; i < n; i++)
		KUNIT_EXPECT_EQ(fx->test, fx->order[i], first + i);
}

static void a_chain_is_completed_list_by_list(struct kunit *test)
{
	struct fx *fx = test->priv;

	fx->freed = true;
	KUNIT_ASSERT_EQ(test, fx_receive(fx, fx_chain(fx, 16, LEN, 40)), STATUS_SUCCESS);
	fx_expect_completions(fx, 16);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->success), 16);
	expect_order(fx, 16, 40);
	KUNIT_ASSERT_EQ(test, fx_send(fx, fx_chain(fx, 16, LEN, 40)), STATUS_SUCCESS);
	fx_expect_completions(fx, 32);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->sent), 16);
}

/* A list of @n packets; the others are freed by drop_packets(). */
static NET_BUFFER_LIST *packets(struct fx *fx, unsigned int n, u32 number)
{
	NET_BUFFER_LIST *nbl = fx_frame(fx, LEN, number), *other;
	NET_BUFFER *nb = nbl->FirstNetBuffer;

	while (--n) {
		other = fx_frame(fx, LEN, ++number);
		nb->Next = NdisAllocateNetBuffer(fx->nb_pool, other->FirstNetBuffer->MdlChain, 0,
						 LEN);
		nb = nb->Next;
		KUNIT_ASSERT_NOT_NULL(fx->test, nb);
		fx_free(other);
	}
	return nbl;
}

static void drop_packets(NET_BUFFER_LIST *nbl)
{
	NET_BUFFER *nb = nbl->FirstNetBuffer->Next, *next;

	for (; nb; nb = next) {
		next = nb->Next;
		NdisFreeNetBuffer(nb);
	}
	fx_free(nbl);
}

static void a_list_of_packets_is_completed_with_the_last_of_them(struct kunit *test)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl = packets(fx, 3, 5);
	unsigned int i;

	fx->keep = true;
	KUNIT_ASSERT_EQ(test, fx_send(fx, nbl), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->sent), 3);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, atomic_read(&fx->completions), 0);
		consume_skb(skb_dequeue_tail(&fx->parked));
		fx_settle();
	}
	fx_expect_completions(fx, 1);
	KUNIT_ASSERT_EQ(test, fx_receive(fx, nbl), STATUS_SUCCESS);
	fx_expect_completions(fx, 2);
	expect_order(fx, 3, 5);
	drop_packets(nbl);
}

static void a_flood_is_completed_whatever_is_dropped(struct kunit *test)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl = fx_share(fx, fx_frame(fx, LEN, 9), 6000), *next;

	fx->freed = true;
	local_bh_disable();
	for (; nbl; nbl = next) {
		next = NET_BUFFER_LIST_NEXT_NBL(nbl);
		NET_BUFFER_LIST_NEXT_NBL(nbl) = NULL;
		KUNIT_EXPECT_EQ(test, fx_receive(fx, nbl), STATUS_SUCCESS);
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->completions), 0);
	local_bh_enable();
	fx_expect_completions(fx, 6000);
	/* a backlog of 1000, and one that is being looked at */
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->success), 1001);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->resources), 4999);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->received), 1001);
}

static unsigned int rounds, depth, deepest;

static void once_more(struct fx *fx, NET_BUFFER_LIST *nbl)
{
	if (++depth > deepest)
		deepest = depth;
	if (++rounds < 2000 && fx_receive(fx, nbl) != STATUS_SUCCESS)
		atomic_inc(&fx->wrong);
	depth--;
}

static void a_completion_may_inject_again_without_end(struct kunit *test)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl = fx_frame(fx, LEN, 3);

	rounds = 0;
	deepest = 0;
	fx->on_done = once_more;
	KUNIT_ASSERT_EQ(test, fx_receive(fx, nbl), STATUS_SUCCESS);
	fx_expect_completions(fx, 2000);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->received), 2000);
	KUNIT_EXPECT_EQ(test, deepest, 1u);
	fx_free(nbl);
}

static void a_tap_delays_nothing_and_doubles_nothing(struct kunit *test)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl = fx_frame(fx, LEN, 12);
	struct packet_type old = fx->tap;

	/* one that hears everything, what is sent too */
	dev_remove_pack(&fx->tap);
	fx->tap.type = htons(ETH_P_ALL);
	dev_add_pack(&fx->tap);
	fx->keep = true;
	KUNIT_ASSERT_EQ(test, fx_send(fx, nbl), STATUS_SUCCESS);
	fx_settle();
	/* the tap's copy shares the header; a frame that was copied is let go of now or then */
	fx_release(fx);
	fx_expect_completions(fx, 1);
	KUNIT_ASSERT_EQ(test, fx_receive(fx, nbl), STATUS_SUCCESS);
	fx_expect_completions(fx, 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->received), 2);
	dev_remove_pack(&fx->tap);
	fx->tap = old;
	dev_add_pack(&fx->tap);
	fx_free(nbl);
}

static void a_device_that_goes_takes_no_completion_with_it(struct kunit *test)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl = fx_frame(fx, LEN, 1), *other = fx_frame(fx, LEN, 2);

	fx->keep = true;
	KUNIT_ASSERT_EQ(test, fx_send(fx, nbl), STATUS_SUCCESS);
	dev_remove_pack(&fx->tap);
	fx->tap.func = NULL;
	rtnl_lock();
	unregister_netdevice(fx->dev);
	rtnl_unlock();
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->completions), 0);
	fx_release(fx);
	fx_expect_completions(fx, 1);
	fx_free(nbl);
	fx_free(other);
}

static void a_device_that_is_down_takes_nothing(struct kunit *test)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl = fx_frame(fx, LEN, 1);

	fx_up(fx->dev, false);
	KUNIT_EXPECT_EQ(test, fx_send(fx, nbl), STATUS_FWP_TCPIP_NOT_READY);
	KUNIT_EXPECT_EQ(test, fx_receive(fx, nbl), STATUS_FWP_TCPIP_NOT_READY);
	fx_settle();
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->completions), 0);
	fx_up(fx->dev, true);
	KUNIT_EXPECT_EQ(test, fx_receive(fx, nbl), STATUS_SUCCESS);
	fx_expect_completions(fx, 1);
	fx_free(nbl);
}

static void without_a_carrier_nothing_is_sent(struct kunit *test)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl = fx_frame(fx, LEN, 1);

	/* up, but its queue takes nothing */
	fx_up(fx->dev, false);
	netif_carrier_off(fx->dev);
	fx_up(fx->dev, true);
	KUNIT_EXPECT_EQ(test, fx_send(fx, nbl), STATUS_FWP_TCPIP_NOT_READY);
	fx_settle();
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->completions), 0);
	/* a frame may have come before it went */
	KUNIT_EXPECT_EQ(test, fx_receive(fx, nbl), STATUS_SUCCESS);
	fx_expect_completions(fx, 1);
	fx_up(fx->dev, false);
	netif_carrier_on(fx->dev);
	fx_up(fx->dev, true);
	KUNIT_EXPECT_EQ(test, fx_send(fx, nbl), STATUS_SUCCESS);
	fx_expect_completions(fx, 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->sent), 1);
	fx_free(nbl);
}

static void lengths_are_those_of_frames_of_the_device(struct kunit *test)
{
	struct fx *fx = test->priv;
	size_t most = fx->dev->mtu + ETH_HLEN + VLAN_HLEN;
	NET_BUFFER_LIST *fits = fx_frame(fx, most, 1), *longer = fx_frame(fx, most + 1, 2);
	NET_BUFFER_LIST *nbl = fx_list(fx, "0123456789abc", ETH_HLEN - 1), *empty;

	KUNIT_EXPECT_EQ(test, fx_send(fx, longer), NDIS_STATUS_INVALID_LENGTH);
	KUNIT_EXPECT_EQ(test, fx_send(fx, nbl), NDIS_STATUS_INVALID_LENGTH);
	KUNIT_EXPECT_EQ(test, fx_receive(fx, nbl), NDIS_STATUS_INVALID_LENGTH);
	empty = fx_list(fx, "", 0);
	KUNIT_EXPECT_EQ(test, fx_receive(fx, empty), NDIS_STATUS_INVALID_LENGTH);
	empty->FirstNetBuffer = NULL;
	KUNIT_EXPECT_EQ(test, fx_receive(fx, empty), STATUS_FWP_INVALID_PARAMETER);
	/* one of a chain is all of it */
	fits->Next = longer;
	KUNIT_EXPECT_EQ(test, fx_send(fx, fits), NDIS_STATUS_INVALID_LENGTH);
	KUNIT_EXPECT_PTR_EQ(test, fits->Next, longer);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->sent), 0);
	fits->Next = NULL;
	KUNIT_EXPECT_EQ(test, fx_send(fx, fits), STATUS_SUCCESS);
	/* what is received is the device's to limit, which has let it pass */
	KUNIT_EXPECT_EQ(test, fx_receive(fx, longer), STATUS_SUCCESS);
	fx_expect_completions(fx, 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->received), 1);
	fx_free(fits);
	fx_free(longer);
	fx_free(nbl);
	fx_free(empty);
}

static void large_frames_arrive_whole(struct kunit *test)
{
	static const u32 lengths[] = { 4000, 8000, 8192, 9014, 40000, 65000 };
	struct fx *fx = test->priv;
	unsigned int i;

	fx->freed = true;
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		KUNIT_EXPECT_EQ(test, fx_receive(fx, fx_frame(fx, lengths[i], i)), STATUS_SUCCESS);
		fx_expect_completions(fx, i + 1);
		/* the tap compares */
		KUNIT_EXPECT_EQ(test, atomic_read(&fx->received), i + 1);
	}
}

static void a_device_may_want_any_room_in_front(struct kunit *test)
{
	static const u16 room[] = { 64, 4096, 8192, 32768 };
	struct fx *fx = test->priv;
	struct sk_buff *skb;
	unsigned int i;

	fx->freed = true;
	fx->keep = true;
	for (i = 0; i < ARRAY_SIZE(room); i++) {
		fx->dev->needed_headroom = room[i];
		KUNIT_EXPECT_EQ(test, fx_send(fx, fx_frame(fx, LEN, i)), STATUS_SUCCESS);
		skb = skb_peek(&fx->parked);
		KUNIT_ASSERT_NOT_NULL(test, skb);
		KUNIT_EXPECT_GE(test, skb_headroom(skb), (unsigned int)room[i]);
		KUNIT_EXPECT_EQ(test, skb->len, (unsigned int)LEN);
		fx_release(fx);
		fx_expect_completions(fx, i + 1);
	}
}

static void bytes_are_those_of_the_call_not_later_ones(struct kunit *test)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl = fx_frame(fx, LEN, 6);

	local_bh_disable();
	KUNIT_EXPECT_EQ(test, fx_receive(fx, nbl), STATUS_SUCCESS);
	/* a host that writes where it has written */
	memset(MmGetSystemAddressForMdlSafe(nbl->FirstNetBuffer->MdlChain, NormalPagePriority),
	       0xee, LEN);
	local_bh_enable();
	fx_expect_completions(fx, 1);
	KUNIT_EXPECT_EQ(test, fx->order[0], 6u);
	fx_free(nbl);
}

static void data_of_many_mdls_become_one_frame(struct kunit *test)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *whole = fx_frame(fx, LEN, 21), *nbl;
	u8 *bytes = NdisGetDataBuffer(whole->FirstNetBuffer, LEN, NULL, 1, 0);
	static const u32 sizes[] = { 5, 0, 13, 1, 0, 81 };
	u8 *buf = kunit_kmalloc(test, LEN + 7, GFP_KERNEL);
	MDL *first = fx_mdl(test, buf, 7), *mdl = first;
	unsigned int i, at = 0;

	/* seven bytes of backfill, in an MDL of their own, and empty ones */
	memcpy(buf + 7, bytes, LEN);
	for (i = 0; i < ARRAY_SIZE(sizes); at += sizes[i++]) {
		mdl->Next = fx_mdl(test, buf + 7 + at, sizes[i]);
		mdl = mdl->Next;
		/* not mapped: by its pages */
		if (i % 2 && sizes[i])
			mdl->MdlFlags = MDL_PAGES_LOCKED;
	}
	KUNIT_ASSERT_EQ(test, at, (unsigned int)LEN);
	KUNIT_ASSERT_EQ(test, STATUS_SUCCESS,
			FwpsAllocateNetBufferAndNetBufferList(fx->pool, 0, 0, first, 7, LEN, &nbl));
	KUNIT_EXPECT_EQ(test, fx_receive(fx, nbl), STATUS_SUCCESS);
	fx_expect_completions(fx, 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->received), 1);
	KUNIT_EXPECT_EQ(test, fx->order[0], 21u);
	/* a chain that has been cut, and one that is a ring of nothing, end in a status */
	first->Next->Next = NULL;
	KUNIT_EXPECT_EQ(test, fx_receive(fx, nbl), STATUS_FWP_INVALID_PARAMETER);
	first->Next->Next = fx_mdl(test, buf, 0);
	first->Next->Next->Next = first->Next->Next;
	KUNIT_EXPECT_EQ(test, fx_receive(fx, nbl), STATUS_FWP_INVALID_PARAMETER);
	fx_free(nbl);
	fx_free(whole);
}

/* MDLs over @buf, @len bytes of it: of any size, empty ones too, and some not mapped. */
static MDL *any_mdls(struct kunit *test, u8 *buf, u32 len, struct rnd_state *rnd)
{
	MDL *first = NULL, **link = &first;
	u32 at, n;

	for (at = 0; at < len || !first; at += n, link = &(*link)->Next) {
		n = prandom_u32_state(rnd) % 5 ? prandom_u32_state(rnd) % 3000 : 0;
		n = min(n, len - at);
		*link = IoAllocateMdl(buf + at, n, FALSE, FALSE, NULL);
		KUNIT_ASSERT_NOT_NULL(test, *link);
		MmBuildMdlForNonPagedPool(*link);
		if (n && prandom_u32_state(rnd) % 2)
			(*link)->MdlFlags = MDL_PAGES_LOCKED;
	}
	return first;
}

static void any_frame_in_any_mdls_arrives_whole(struct kunit *test)
{
	struct fx *fx = test->priv;
	u8 *buf = kunit_kmalloc(test, 16384, GFP_KERNEL), *bytes;
	NET_BUFFER_LIST *whole, *nbl;
	struct rnd_state rnd;
	u32 seed, front, len;
	MDL *mdl, *next;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	for (seed = 1; seed <= 2000; seed++) {
		prandom_seed_state(&rnd, seed);
		/* backfill, and frames of one piece and of pages */
		front = prandom_u32_state(&rnd) % 100;
		len = FX_MIN + prandom_u32_state(&rnd) % (seed % 2 ? 1500 : 16000);
		whole = fx_frame(fx, len, seed);
		bytes = NdisGetDataBuffer(whole->FirstNetBuffer, len, NULL, 1, 0);
		memcpy(buf + front, bytes, len);
		mdl = any_mdls(test, buf, front + len, &rnd);
		KUNIT_ASSERT_EQ(test, STATUS_SUCCESS,
				FwpsAllocateNetBufferAndNetBufferList(fx->pool, 0, 0, mdl, front,
								      len, &nbl));
		KUNIT_ASSERT_EQ(test, fx_receive(fx, nbl), STATUS_SUCCESS);
		fx_wait(fx, atomic_read(&fx->completions) == seed);
		/* the tap compares */
		KUNIT_ASSERT_EQ_MSG(test, atomic_read(&fx->wrong), 0, "seed %u", seed);
		KUNIT_ASSERT_EQ(test, atomic_read(&fx->received), (int)seed);
		KUNIT_ASSERT_EQ(test, fx->order[(seed - 1) % ARRAY_SIZE(fx->order)], seed);
		fx_free(nbl);
		kunit_kfree(test, bytes);
		kunit_kfree(test, whole->FirstNetBuffer->MdlChain);
		fx_free(whole);
		for (; mdl; mdl = next) {
			next = mdl->Next;
			IoFreeMdl(mdl);
		}
	}
}

static void a_vlan_tag_beside_the_frame_is_put_into_it(struct kunit *test)
{
	NDIS_NET_BUFFER_LIST_8021Q_INFO info = {
		.TagHeader = { .UserPriority = 5, .VlanId = 0x123 },
	};
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl = fx_frame(fx, LEN, 2);
	struct vlan_ethhdr *eth;
	struct sk_buff *skb;

	fx->keep = true;
	NET_BUFFER_LIST_INFO(nbl, Ieee8021QNetBufferListInfo) = info.Value;
	KUNIT_ASSERT_EQ(test, fx_send(fx, nbl), STATUS_SUCCESS);
	skb = skb_peek(&fx->parked);
	KUNIT_ASSERT_NOT_NULL(test, skb);
	eth = (struct vlan_ethhdr *)skb->data;
	KUNIT_EXPECT_EQ(test, skb->len, LEN + 4u);
	KUNIT_EXPECT_EQ(test, ntohs(eth->h_vlan_proto), ETH_P_8021Q);
	KUNIT_EXPECT_EQ(test, ntohs(eth->h_vlan_TCI), 5 << 13 | 0x123);
	KUNIT_EXPECT_EQ(test, ntohs(eth->h_vlan_encapsulated_proto), FX_TYPE);
	fx_release(fx);
	fx_expect_completions(fx, 1);
	fx_free(nbl);
}

static void offloads_that_nobody_would_do_are_refused(struct kunit *test)
{
	static const u8 ids[] = { TcpIpChecksumNetBufferListInfo, TcpLargeSendNetBufferListInfo,
				  IPsecOffloadV1NetBufferListInfo };
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl = fx_frame(fx, LEN, 2);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		NET_BUFFER_LIST_INFO(nbl, ids[i]) = (void *)1;
		KUNIT_EXPECT_EQ(test, fx_send(fx, nbl), STATUS_NOT_SUPPORTED);
		NET_BUFFER_LIST_INFO(nbl, ids[i]) = NULL;
	}
	/* that a device has found a checksum right is no request */
	NET_BUFFER_LIST_INFO(nbl, TcpIpChecksumNetBufferListInfo) = (void *)0x20;
	KUNIT_EXPECT_EQ(test, fx_receive(fx, nbl), STATUS_SUCCESS);
	fx_expect_completions(fx, 1);
	fx_free(nbl);
}

static void in_flight_is_nobody_elses(struct kunit *test)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl = fx_frame(fx, LEN, 1), *other = fx_frame(fx, LEN, 2);
	struct kmsg k;

	fx->keep = true;
	KUNIT_ASSERT_EQ(test, fx_send(fx, nbl), STATUS_SUCCESS);
	kmsg_mark(&k);
	KUNIT_EXPECT_EQ(test, fx_send(fx, nbl), STATUS_FWP_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, fx_receive(fx, nbl), STATUS_FWP_INVALID_PARAMETER);
	/* also as the last of a chain, the others of which are not sent then */
	other->Next = nbl;
	KUNIT_EXPECT_EQ(test, fx_send(fx, other), STATUS_FWP_INVALID_PARAMETER);
	KUNIT_EXPECT_PTR_EQ(test, other->Next, nbl);
	kmsg_expect(test, &k, 3, "can be injected: in flight");
	FwpsFreeNetBufferList(nbl);
	kmsg_expect(test, &k, 1, "is in flight");
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->sent), 1);
	fx_release(fx);
	fx_expect_completions(fx, 1);
	/* a chain that contains a list twice, and one that is a ring */
	other->Next = nbl;
	nbl->Next = other;
	KUNIT_EXPECT_EQ(test, fx_send(fx, other), STATUS_FWP_INVALID_PARAMETER);
	nbl->Next = NULL;
	KUNIT_EXPECT_EQ(test, fx_send(fx, other), STATUS_SUCCESS);
	fx_release(fx);
	fx_expect_completions(fx, 3);
	fx_free(nbl);
	KUNIT_EXPECT_EQ(test, fx_send(fx, nbl), STATUS_FWP_INVALID_PARAMETER);
	kmsg_expect(test, &k, 1, "can be injected: not allocated");
	fx_free(other);
}

static void a_reference_delays_the_completion(struct kunit *test)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl = fx_frame(fx, LEN, 1), *clone;

	KUNIT_ASSERT_EQ(test, STATUS_SUCCESS,
			FwpsAllocateCloneNetBufferList(nbl, NULL, NULL, 0, &clone));
	FwpsReferenceNetBufferList(nbl, FALSE);
	KUNIT_ASSERT_EQ(test, fx_send(fx, nbl), STATUS_SUCCESS);
	fx_settle();
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->completions), 0);
	FwpsDereferenceNetBufferList(nbl, FALSE);
	fx_settle();
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->completions), 0);
	/* the clone's bytes are the parent's: both are injected, the parent comes back last */
	KUNIT_ASSERT_EQ(test, fx_receive(fx, clone), STATUS_SUCCESS);
	fx_expect_completions(fx, 1);
	KUNIT_EXPECT_PTR_EQ(test, fx->last, clone);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->received), 1);
	FwpsFreeCloneNetBufferList(clone, 0);
	fx_expect_completions(fx, 2);
	KUNIT_EXPECT_PTR_EQ(test, fx->last, nbl);
	fx_free(nbl);
}

static void more_in_flight_than_allowed_is_refused_whole(struct kunit *test)
{
	struct fx *fx = test->priv;
	NET_BUFFER_LIST *nbl = fx_share(fx, fx_frame(fx, FX_MIN, 9), 16385);
	NET_BUFFER_LIST *one = nbl;

	KUNIT_EXPECT_EQ(test, fx_send(fx, nbl), STATUS_INSUFFICIENT_RESOURCES);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->sent), 0);
	/* with one in flight there is room for all but one; and what was refused takes none */
	nbl = NET_BUFFER_LIST_NEXT_NBL(one);
	NET_BUFFER_LIST_NEXT_NBL(one) = NULL;
	fx->keep = true;
	KUNIT_EXPECT_EQ(test, fx_send(fx, one), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, fx_send(fx, nbl), STATUS_INSUFFICIENT_RESOURCES);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->sent), 1);
	fx_release(fx);
	fx_expect_completions(fx, 1);
	fx->keep = false;
	fx->freed = true;
	KUNIT_EXPECT_EQ(test, fx_send(fx, nbl), STATUS_SUCCESS);
	fx_expect_completions(fx, 16385);
	fx->freed = false;
	fx_free(one);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_frame_sent_is_completed_when_the_device_lets_go_of_it),
	KUNIT_CASE(a_frame_received_reaches_who_listens),
	KUNIT_CASE(a_completion_never_runs_within_the_release),
	KUNIT_CASE(the_status_is_there_when_a_frame_is_dropped_at_once),
	KUNIT_CASE(a_chain_is_completed_list_by_list),
	KUNIT_CASE(a_list_of_packets_is_completed_with_the_last_of_them),
	KUNIT_CASE(a_flood_is_completed_whatever_is_dropped),
	KUNIT_CASE(a_completion_may_inject_again_without_end),
	KUNIT_CASE(a_tap_delays_nothing_and_doubles_nothing),
	KUNIT_CASE(a_device_that_goes_takes_no_completion_with_it),
	KUNIT_CASE(a_device_that_is_down_takes_nothing),
	KUNIT_CASE(without_a_carrier_nothing_is_sent),
	KUNIT_CASE(lengths_are_those_of_frames_of_the_device),
	KUNIT_CASE(large_frames_arrive_whole),
	KUNIT_CASE(a_device_may_want_any_room_in_front),
	KUNIT_CASE(bytes_are_those_of_the_call_not_later_ones),
	KUNIT_CASE(data_of_many_mdls_become_one_frame),
	KUNIT_CASE(any_frame_in_any_mdls_arrives_whole),
	KUNIT_CASE(a_vlan_tag_beside_the_frame_is_put_into_it),
	KUNIT_CASE(offloads_that_nobody_would_do_are_refused),
	KUNIT_CASE(in_flight_is_nobody_elses),
	KUNIT_CASE(a_reference_delays_the_completion),
	KUNIT_CASE(more_in_flight_than_allowed_is_refused_whole),
	{}
};

static struct kunit_suite suite = {
	.name = "fwps_mac",
	.init = fx_init,
	.exit = fx_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
