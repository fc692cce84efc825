// SPDX-License-Identifier: GPL-2.0
/*
 * The driver and the host around a protocol file.
 */
#include <linux/err.h>
#include <linux/module.h>
#include "port.h"

#define PIPE_HEADER	8

static const guid_t instance = GUID_INIT(0x6b6d636c, 0x0003, 0x4000, 0x80, 0, 0, 0, 0, 0, 0, 3);

/* The helper gives add and remove a device and nothing else. */
static struct port *current_port;

static int port_add(struct device *dev)
{
	struct port *port = current_port;

	port->created = port->create(port, kmcl_device_object(dev));
	if (!port->created)
		WRITE_ONCE(port->dev, dev);
	return port->created;
}

static void port_remove(struct device *dev)
{
	current_port->destroy(current_port);
	WRITE_ONCE(current_port->dev, NULL);
}

/**
 * port_offer() - offer the device, or offer it again
 * @port: the driver
 */
void port_offer(struct port *port)
{
	struct hvsim_offer offer = {
		.type = port->type,
		.instance = instance,
		.flags = port->pipe ? VMBUS_CHANNEL_NAMED_PIPE_MODE : 0,
		.exec = HVSIM_EXEC_INLINE,
		.script.record = true,
	};

	hvsim_stay_on_bus_cpu();
	port->host = hvsim_offer(&offer);
	KUNIT_ASSERT_FALSE(port->test, IS_ERR_OR_NULL(port->host));
}

/**
 * port_register() - have the driver look for the device
 * @port: the driver
 */
void port_register(struct port *port)
{
	KUNIT_ASSERT_EQ(port->test, kmcl_vsc_register(&port->vsc), 0);
	port->registered = true;
}

/**
 * port_up() - wait until the device has been created and its channel is open
 * @port: the driver
 */
void port_up(struct port *port)
{
	KUNIT_ASSERT_TRUE(port->test, hvsim_wait_open(port->host, true));
	KUNIT_ASSERT_TRUE(port->test, becomes(READ_ONCE(port->dev)));
}

/**
 * port_rescind() - take the device away and wait until it is released
 * @port: the driver
 */
void port_rescind(struct port *port)
{
	hvsim_rescind(port->host);
	KUNIT_EXPECT_TRUE(port->test, hvsim_wait_released(port->host));
	KUNIT_EXPECT_NULL(port->test, READ_ONCE(port->dev));
}

/**
 * port_offer_only() - a clean host with the device; nobody drives it yet
 * @test: the case
 * @what: type, pipe, create, destroy and priv
 *
 * Return: the driver, for port_register().
 */
struct port *port_offer_only(struct kunit *test, const struct port *what)
{
	struct port *port = kunit_kzalloc(test, sizeof(*port), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, port);
	*port = *what;
	port->test = test;
	port->created = 1;
	port->ids[0].guid = port->type;
	port->vsc.name = "kmcl_port";
	port->vsc.owner = THIS_MODULE;
	port->vsc.id_table = port->ids;
	port->vsc.add = port_add;
	port->vsc.remove = port_remove;
	current_port = port;
	test->priv = port;
	KUNIT_ASSERT_EQ(test, hvsim_begin(test), 0);
	port_offer(port);
	return port;
}

/**
 * port_begin() - the same, and the driver has opened it
 * @test: the case
 * @what: as above
 *
 * Return: the driver and its host.
 */
struct port *port_begin(struct kunit *test, const struct port *what)
{
	struct port *port = port_offer_only(test, what);

	port_register(port);
	port_up(port);
	return port;
}

/**
 * port_end() - the driver goes, then the host checks that nothing stays behind
 * @port: the driver, or NULL when the case never got one
 */
void port_end(struct port *port)
{
	if (!port)
		return;
	if (port->registered)
		kmcl_vsc_unregister(&port->vsc);
	KUNIT_EXPECT_NULL(port->test, READ_ONCE(port->dev));
	hvsim_end(port->test);
}

/**
 * port_send() - a message from the host
 * @port: the driver
 * @message: without a pipe header
 * @len: its bytes
 */
void port_send(struct port *port, const void *message, u32 len)
{
	u32 header = port->pipe ? PIPE_HEADER : 0;
	u8 *packet = kmalloc(header + len, GFP_KERNEL);
	int ret;

	KUNIT_ASSERT_NOT_NULL(port->test, packet);
	if (header) {
		((__le32 *)packet)[0] = cpu_to_le32(1);
		((__le32 *)packet)[1] = cpu_to_le32(len);
	}
	memcpy(packet + header, message, len);
	/* a guest that is slow to read has its ring full for a while */
	becomes((ret = hvsim_send(port->host, VM_PKT_DATA_INBAND, 0, 0x1000, packet,
				  header + len)) != -EAGAIN);
	kfree(packet);
	KUNIT_EXPECT_EQ(port->test, ret, 0);
}

/**
 * port_answers() - packets of the guest's that port_answer() has not taken
 * @port: the driver
 *
 * Return: their number.
 */
unsigned int port_answers(struct port *port)
{
	return list_count_nodes(&port->host->record);
}

/**
 * port_answer() - take the oldest packet of the guest's
 * @port: the driver
 * @buf: gets it, without the pipe header, which is checked
 * @size: bytes at @buf
 *
 * Return: its length as the guest said it; 0: there is none.
 */
u32 port_answer(struct port *port, void *buf, u32 size)
{
	struct hvsim_packet *pkt = list_first_entry_or_null(&port->host->record,
							    struct hvsim_packet, node);
	const u8 *payload;
	u32 len;

	if (!pkt)
		return 0;
	list_del(&pkt->node);
	payload = hvsim_payload(pkt);
	len = hvsim_payload_len(pkt);
	if (port->pipe) {
		u32 said = le32_to_cpu(((const __le32 *)payload)[1]);

		KUNIT_EXPECT_EQ(port->test, le32_to_cpu(*(const __le32 *)payload), 1u);
		KUNIT_EXPECT_EQ(port->test, ALIGN(said, 8), len - PIPE_HEADER);
		payload += PIPE_HEADER;
		len = min(said, len - PIPE_HEADER);
	}
	KUNIT_EXPECT_EQ(port->test, pkt->desc.type, VM_PKT_DATA_INBAND);
	memset(buf, 0, size);
	memcpy(buf, payload, min(len, size));
	kfree(pkt);
	return len;
}
