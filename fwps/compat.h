/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Differences between the kernels that packet injection builds for, each named by
 * what is different. Besides kmcl/compat.h the only place that looks at versions.
 */
#ifndef _FWPS_COMPAT_H
#define _FWPS_COMPAT_H

#include <linux/skbuff.h>
#include <linux/version.h>
#include <net/inet_dscp.h>
#include <net/route.h>

/* a ubuf_info has a table of operations now; it had its one callback itself */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#define fwps_ubuf_ops ubuf_info_ops

static inline void fwps_ubuf_init(struct ubuf_info *uarg, const struct fwps_ubuf_ops *ops)
{
	uarg->ops = ops;
}
#else
struct fwps_ubuf_ops {
	void (*complete)(struct sk_buff *skb, struct ubuf_info *uarg, bool success);
};

static inline void fwps_ubuf_init(struct ubuf_info *uarg, const struct fwps_ubuf_ops *ops)
{
	uarg->callback = ops->complete;
}
#endif

/* a flow has the DSCP alone now, in a type of its own; it had the TOS byte */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
static inline void fwps_flow_tos(struct flowi4 *fl4, u8 tos)
{
	fl4->flowi4_dscp = inet_dsfield_to_dscp(tos);
}
#else
static inline void fwps_flow_tos(struct flowi4 *fl4, u8 tos)
{
	fl4->flowi4_tos = RT_TOS(tos);
}
#endif

#endif
