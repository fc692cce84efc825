// SPDX-License-Identifier: GPL-2.0
#include <linux/cpumask.h>
#include <linux/ctype.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include "compat.h"
#include "secret.h"

struct secrets *secrets_new(struct kunit *test)
{
	struct secrets *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	s->test = test;
	secret_know_guid(s, &guid_null);
	secret_add(s, current);
	return s;
}

/* Memory that is there: the range for vmalloc() alone begins, in UML, with numbers of any use. */
static bool is_address(u64 value)
{
	void *p = (void *)value;

	return virt_addr_valid(p) || (is_vmalloc_addr(p) && vmalloc_to_page(p));
}

void secret_add(struct secrets *s, const void *address)
{
	unsigned long value = (unsigned long)address;
	u32 i;

	if (!is_address(value))
		return;
	for (i = 0; i < s->count; i++)
		if (s->of[i] == value)
			return;
	if (s->count < SECRETS)
		s->of[s->count++] = value;
}

void secret_know_guid(struct secrets *s, const void *guid)
{
	KUNIT_ASSERT_LT(s->test, s->known, SECRET_GUIDS);
	import_guid(&s->guids[s->known++], guid);
}

static void add_link(struct secrets *s, struct kmcl_link *link)
{
	if (!link)
		return;
	secret_add(s, link);
	secret_add(s, link->ops);
	secret_add(s, link->bounce);
	secret_add(s, link->in.ctl);
	secret_add(s, link->in.data);
}

static void add_packets(struct secrets *s, struct kmcl_channel *kch)
{
	struct kmcl_incoming *in;
	u32 i, left = 20;

	secret_add(s, kch->chunks);
	for (i = 0; i < kch->slots; i++) {
		struct kmcl_chunk *chunk = kch->chunks[i / KMCL_SLOT_CHUNK];
		struct kmcl_slot *slot = &chunk->slots[i % KMCL_SLOT_CHUNK];
		struct kmcl_packet *pkt = slot->object;

		if (!pkt)
			continue;
		secret_add(s, slot);
		secret_add(s, pkt);
		secret_add(s, pkt->data);
		secret_add(s, pkt->context);
		secret_add(s, pkt->external);
		secret_add(s, pkt->routine_ex);
	}
	spin_lock_bh(&kch->rx.lock);
	list_for_each_entry(in, &kch->rx.all, all) {
		/* first those that hold a packet; of the others a few */
		if (atomic64_read(&in->word) % 0x100000000 == KMCL_IN_FREE && !left--)
			break;
		secret_add(s, in);
		secret_add(s, in->data);
		secret_add(s, in->payload);
		secret_add(s, in->client_context);
	}
	spin_unlock_bh(&kch->rx.lock);
}

void secret_add_channel(struct secrets *s, struct kmcl_channel *kch)
{
	unsigned long index;
	unsigned int cpu;
	void *entry;

	secret_add(s, kch);
	secret_add(s, kch->handle);
	secret_add(s, kch->parent);
	secret_add(s, kch->wq);
	secret_add(s, kch->pointer);
	secret_add(s, kch->life_owner);
	secret_add(s, kch->transport);
	secret_add(s, kch->target.private);
	secret_add(s, kch->target.device);
	secret_add(s, kch->primary);
	secret_add(s, kch->server);
	secret_add(s, kch->save);
	secret_add(s, kch->restore);
	secret_add(s, kch->poison);
	secret_add(s, kch->config.packet.context);
	secret_add(s, kch->config.packet.process_ex);
	secret_add(s, kch->config.state.context);
	for_each_online_cpu(cpu)
		secret_add(s, per_cpu_ptr(kch->tx.counters, cpu));
	secret_add(s, kch->rx.scratch);
	add_link(s, kch->target.link);
	rcu_read_lock();
	add_link(s, rcu_dereference(kch->link));
	rcu_read_unlock();
	xa_for_each(&kch->gpadls, index, entry)
		secret_add(s, entry);
	add_packets(s, kch);
}

static const char *found(struct secrets *s, const char *what, const char *at, u32 len)
{
	scnprintf(s->found, sizeof(s->found), "%s: %.*s", what, (int)len, at);
	return s->found;
}

/* The length of a GUID's text at @text, or 0. */
static u32 guid_at(const char *text)
{
	static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	u32 i;

	for (i = 0; shape[i]; i++)
		if (shape[i] == 'x' ? !isxdigit(text[i]) : text[i] != shape[i])
			return 0;
	return i;
}

/* The length of a known one's at @text, or of as much as a name has had room for, or 0. */
static u32 known_guid_at(const struct secrets *s, const char *text)
{
	char known[UUID_STRING_LEN + 1];
	u32 i, len;

	for (i = 0; i < s->known; i++) {
		scnprintf(known, sizeof(known), "%pUl", &s->guids[i]);
		for (len = 0; known[len] && tolower(text[len]) == known[len];)
			len++;
		if (len >= 8 && !isxdigit(text[len]))
			return len;
	}
	return 0;
}

/* A number in @text, of which @digits are hexadecimal digits. */
static bool number_tells(const char *text, u32 digits)
{
	u64 value = 0, decimal = 0;
	bool is_decimal = true;
	u32 i;

	/* %p, hashed or not, and whatever else is that long */
	if (digits >= 16)
		return true;
	for (i = 0; i < digits; i++) {
		value = value * 16 + hex_to_bin(text[i]);
		is_decimal &= isdigit(text[i]);
		decimal = decimal * 10 + (text[i] - '0');
	}
	return is_address(value) || (is_decimal && is_address(decimal));
}

/* The length of an NTSTATUS, and of what announces it, at @text, or 0. */
static u32 status_at(const char *text)
{
	static const char * const names[] = { "status=0x", "status 0x" };
	u32 i, len;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		len = strlen(names[i]);
		if (!strncmp(text, names[i], len) &&
		    strspn(text + len, "0123456789abcdef") <= 2 * sizeof(NTSTATUS))
			return len + strspn(text + len, "0123456789abcdef");
	}
	return 0;
}

static const char *known_in(struct secrets *s, const char *text)
{
	static const char * const forms[] = { "%lx", "%lX", "%lu" };
	char form[24];
	u32 i, j;

	for (i = 0; i < s->count; i++) {
		for (j = 0; j < ARRAY_SIZE(forms); j++) {
			scnprintf(form, sizeof(form), forms[j], s->of[i]);
			if (strstr(text, form))
				return found(s, "an address", form, sizeof(form));
		}
	}
	return NULL;
}

const char *secret_in(struct secrets *s, const char *text)
{
	static const char time[] = "\ntime_ns: ";
	const char *at;
	u32 len;

	s->looked++;
	if (known_in(s, text))
		return s->found;
	for (at = text; *at; at += len) {
		/* so nothing is in it as it is in memory, either */
		if (!isprint(*at) && *at != '\n' && *at != '\t')
			return found(s, "no text", at, 1);
		len = known_guid_at(s, at);
		if (!len && guid_at(at))
			return found(s, "a GUID of nobody", at, UUID_STRING_LEN);
		/* any time may be the value of an address, and in UML a status, too */
		if (!strncmp(at, time, sizeof(time) - 1))
			len = sizeof(time) - 1 + strspn(at + sizeof(time) - 1, "0123456789");
		len = len ?: status_at(at);
		if (len)
			continue;
		len = strspn(at, "0123456789abcdefABCDEF");
		if (number_tells(at, len))
			return found(s, "a number that is an address", at, len);
		len = len ?: 1;
	}
	return NULL;
}
