// SPDX-License-Identifier: GPL-2.0
/* A host that takes the device away, gives it back, sends what it likes, and lies. */
#include <linux/sched.h>
#include "../helper.h"
#include "host.h"

static const guid_t device_type =
	GUID_INIT(0x6b6d636c, 0x0001, 0x4000, 0x80, 0, 0, 0, 0, 0, 0x57, 1);
static const guid_t device_instance =
	GUID_INIT(0x6b6d636c, 0x0001, 0x4000, 0x80, 0, 0, 0, 0, 0, 0x57, 2);

void storm_host_offer(struct storm_host *h)
{
	const struct hvsim_offer offer = {
		.type = device_type,
		.instance = device_instance,
		.script.lenient = true,
	};

	h->chan = hvsim_offer(&offer);
}

void storm_host_ids(GUID *type, GUID *instance)
{
	export_guid((u8 *)type, &device_type);
	export_guid((u8 *)instance, &device_instance);
}

static void rescind(struct storm_host *h)
{
	hvsim_rescind(h->chan);
	if (!hvsim_wait_released(h->chan))
		atomic_inc(&h->client.odd);
	hvsim_forget(h->chan);
	h->rescinds++;
	storm_host_offer(h);
}

/* echo DEVICE > /sys/bus/vmbus/drivers/DRIVER/{unbind,bind} */
static bool driver_file(const char *what)
{
	char path[128], name[UUID_STRING_LEN + 1];
	struct file *file;
	loff_t pos = 0;
	ssize_t ret;

	snprintf(path, sizeof(path), "/sys/bus/vmbus/drivers/kmcl:%pUl/%s", &device_type, what);
	snprintf(name, sizeof(name), "%pUl", &device_instance);
	file = open_path(path, O_WRONLY);
	/* the driver is there while a channel is enabled */
	if (IS_ERR(file))
		return false;
	ret = kernel_write(file, name, strlen(name), &pos);
	filp_close(file, NULL);
	return ret > 0;
}

static void lie(struct storm_host *h, struct rnd_state *rnd)
{
	switch (prandom_u32_state(rnd) % 4) {
	case 0:
		hvsim_poke(h->chan, HVSIM_H2G, HVSIM_WRITE_INDEX, 4);
		break;
	case 1:
		hvsim_poke(h->chan, HVSIM_G2H, HVSIM_READ_INDEX, U32_MAX);
		break;
	default:
		/* an answer to nothing, or to something: any id */
		hvsim_send(h->chan, VM_PKT_COMP, 0, prandom_u32_state(rnd) % 256, "liar", 4);
		return;
	}
	hvsim_interrupt(h->chan);
}

void storm_host_act(struct storm_end *e, struct rnd_state *rnd)
{
	struct storm_host *h = container_of(e, struct storm_host, client);
	u32 n;

	switch (prandom_u32_state(rnd) % 16) {
	case 0:
		rescind(h);
		break;
	case 1:
	case 2:
		h->unbinds += driver_file("unbind");
		break;
	case 3:
		driver_file("bind");
		break;
	case 4:
		lie(h, rnd);
		break;
	default:
		for (n = prandom_u32_state(rnd) % 32; n; n--)
			hvsim_send(h->chan, VM_PKT_DATA_INBAND, n % 2, n, "from the host",
				   8 + n % 4);
		break;
	}
}
