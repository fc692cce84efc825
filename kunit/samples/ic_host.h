/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A host of integration services.
 */
#ifndef _KMCL_SAMPLES_IC_HOST_H
#define _KMCL_SAMPLES_IC_HOST_H

#include "../../samples/integration/ic.h"

struct port;

/* A negotiate message, and the answer to it. */
#define IC_MAX_VERSIONS		8

struct ic_versions {
	IC_VERSION framework[IC_MAX_VERSIONS];
	IC_VERSION message[IC_MAX_VERSIONS];
	u16 frameworks;
	u16 messages;
};

/* The longest message: a shutdown's. */
struct ic_message {
	IC_HEADER header;
	u8 body[IC_MAXIMUM_MESSAGE - sizeof(IC_HEADER)];
};

/* Room for it, once for all cases: too large for a stack. */
extern struct ic_message ic_answer;

void ic_negotiate(struct port *port, const struct ic_versions *offer);
void ic_agree(struct port *port, u16 major, u16 minor);
void ic_send(struct port *port, u16 type, const void *body, u32 len);
u32 ic_exchange(struct port *port, u16 type, const void *body, u32 len);
void ic_expect_agreed(struct port *port, IC_VERSION framework, IC_VERSION message);
void ic_expect_refused(struct port *port);

VMBCHANNEL ic_channel(PIC_DEVICE ic);

#endif
