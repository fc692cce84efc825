/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A sample's protocol file under test: a driver around it that finds the device,
 * and a host that the case plays.
 *
 * The suites link the protocol files and stand in for their Linux files, so what
 * a host can bring about (a clock set, a machine switched off) is written down
 * instead.  The real modules are the business of modules_test.c.
 *
 * The host runs inside the guest's hypercall and interrupts by a direct call:
 * when port_send() returns, the guest has read the packet, and unless it handed
 * something to a thread, it has answered.
 */
#ifndef _KMCL_SAMPLES_PORT_H
#define _KMCL_SAMPLES_PORT_H

#include <kunit/test.h>
#include <kmcl/device.h>
#include <kmcl/vsc.h>
#include <vmbuskernelmodeclientlibapi.h>
#include "../sim/sim.h"
#include "../helper.h"
#include "../kmsg.h"

/**
 * struct port - a protocol file's driver and host
 * @test: the case
 * @type: class of the device
 * @pipe: the host's offer is a pipe: packets have its header
 * @create: makes the device; 0 or an errno
 * @destroy: takes it down
 * @host: the host's channel
 * @dev: the device, while there is one
 * @created: what @create returned; 1 before it did
 * @priv: the suite's own
 *
 * The rest is the fixture's own.
 */
struct port {
	struct kunit *test;
	guid_t type;
	bool pipe;
	int (*create)(struct port *port, PDEVICE_OBJECT parent);
	void (*destroy)(struct port *port);
	struct hvsim_chan *host;
	struct device *dev;
	int created;
	void *priv;

	/* private: */
	struct hv_vmbus_device_id ids[2];
	struct kmcl_vsc vsc;
	bool registered;
};

struct port *port_begin(struct kunit *test, const struct port *port);
void port_end(struct port *port);
struct port *port_offer_only(struct kunit *test, const struct port *port);
void port_offer(struct port *port);
void port_register(struct port *port);
void port_rescind(struct port *port);
void port_up(struct port *port);

void port_send(struct port *port, const void *message, u32 len);
unsigned int port_answers(struct port *port);
u32 port_answer(struct port *port, void *buf, u32 size);

#endif
