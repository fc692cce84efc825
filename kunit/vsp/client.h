/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A client that a case plays by hand: a channel in the loopback, questions that wait
 * for their answers, and what the server sends unasked.
 */
#ifndef _KUNIT_VSP_CLIENT_H
#define _KUNIT_VSP_CLIENT_H

#include <kunit/test.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <vmbuskernelmodeclientlibapi.h>

/**
 * struct client - one channel to a server
 * @test: the case
 * @ch: the channel
 * @on_message: called for what the server sends, in its context; NULL: kept
 * @priv: the case's own
 *
 * The rest is the fixture's own.
 */
struct client {
	struct kunit *test;
	VMBCHANNEL ch;
	void (*on_message)(struct client *c, const void *message, u32 len);
	void *priv;

	/* private: */
	bool open;
	spinlock_t lock;		/* messages */
	struct list_head messages;
	struct list_head node;
};

/* Not open yet. @flags for VmbChannelInitSetFlags(). */
struct client *client_new(struct kunit *test, const GUID *type, const GUID *instance, u32 flags);
struct client *client_new_sub(struct client *primary, u16 index);
/* Open it, and wait until it is. */
void client_open(struct client *c);
void client_close(struct client *c);
/* Those that the case has left: for the exit of a suite. */
void clients_drop(void);

/* Is it open? */
bool client_is_open(struct client *c);

/**
 * client_ask() - a packet that wants an answer
 * @c: the client
 * @message: its payload
 * @len: bytes there
 * @mdl: external data, or NULL
 * @answer: gets the answer
 * @size: bytes there, a multiple of 8
 *
 * Return: bytes of the answer, or a negative number.
 */
int client_ask(struct client *c, const void *message, u32 len, PMDL mdl, void *answer, u32 size);
/* A packet that wants none. */
void client_tell(struct client *c, const void *message, u32 len);

/* What the server has sent, the oldest first. Return: its length; -1: nothing. */
int client_take(struct client *c, void *buf, u32 size);
/* The same, waited for. */
int client_await(struct client *c, void *buf, u32 size);

#endif
