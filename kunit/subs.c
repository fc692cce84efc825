// SPDX-License-Identifier: GPL-2.0
#include "subs.h"

static char story[128];
static unsigned int told;

void subs_tell(struct vsc *v, enum vsc_event event)
{
	char letter = v->kch->sub_index ? event | 0x20 : event;

	if (told < sizeof(story) - 1)
		story[told++] = letter;
}

static void forget(void)
{
	memset(story, 0, sizeof(story));
	told = 0;
}

void subs_expect_story(struct kunit *test, const char *letters)
{
	KUNIT_EXPECT_STREQ(test, story, letters);
	forget();
}

void subs_expect_end(struct kunit *test, unsigned int letters, const char *end)
{
	KUNIT_EXPECT_EQ(test, told, letters);
	KUNIT_EXPECT_GE(test, (size_t)told, strlen(end));
	if (told >= strlen(end))
		KUNIT_EXPECT_STREQ(test, story + told - strlen(end), end);
	forget();
}

bool subs_is_disabled(struct vsc *v)
{
	return READ_ONCE(v->kch->state) == KMCL_DISABLED && !READ_ONCE(v->kch->life_owner);
}

bool subs_is_running(struct vsc *v)
{
	return READ_ONCE(v->kch->running) && !READ_ONCE(v->kch->life_owner);
}

struct vsc *subs_primary(struct kunit *test)
{
	struct vsc *v = vsc_new(test);

	forget();
	v->on_state = subs_tell;
	return v;
}

struct vsc *subs_new(struct vsc *primary, u16 index)
{
	struct vsc *v = vsc_new(primary->test);

	v->on_state = subs_tell;
	v->offer.sub_index = index;
	KUNIT_ASSERT_EQ(v->test, VmbChannelInitSetPrimaryChannel(v->ch, primary->ch, index),
			STATUS_SUCCESS);
	return v;
}

struct vsc *subs_bring_up(struct vsc *primary, u16 index)
{
	struct vsc *v;

	if (!primary->host)
		vsc_bring_up(primary);
	v = subs_new(primary, index);
	vsc_bring_up(v);
	forget();
	return v;
}

void subs_enable(void *sub)
{
	struct vsc *v = sub;

	v->priv = (void *)(long)VmbChannelEnable(v->ch);
}

int subs_done(struct vsc *v)
{
	return atomic_read(&v->completions);
}

void subs_send(struct vsc *v, u32 flags)
{
	int i;

	for (i = 0; i < SOME; i++)
		KUNIT_EXPECT_EQ(v->test, vsc_send(v, "request", 8, flags), STATUS_SUCCESS);
}

void subs_expect_traffic(struct vsc *v)
{
	int ok = atomic_read(&v->ok), received = atomic_read(&v->received);

	subs_send(v, WAIT_FOR_COMPLETION);
	vsc_expect_soon(v, atomic_read(&v->ok) == ok + SOME);
	KUNIT_EXPECT_EQ(v->test, 0, hvsim_send(v->host, VM_PKT_DATA_INBAND, 0, 1, "data", 4));
	vsc_expect_soon(v, atomic_read(&v->received) == received + 1);
}
