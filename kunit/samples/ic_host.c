// SPDX-License-Identifier: GPL-2.0
/*
 * A host of integration services, as hv_util.c knows one.
 */
#include "port.h"
#include "ic_host.h"

struct ic_message ic_answer;
static struct ic_message ic_request;

static u8 transaction;

/**
 * ic_send() - a message
 * @port: the driver
 * @type: IC_TYPE_*
 * @body: behind the header
 * @len: its bytes
 */
void ic_send(struct port *port, u16 type, const void *body, u32 len)
{
	ic_request.header = (IC_HEADER) {
		.Framework = { 3, 0 },
		.Type = type,
		.Message = { 3, 0 },
		.Size = len,
		.TransactionId = ++transaction,
		.Flags = IC_TRANSACTION | IC_REQUEST,
	};
	memcpy(ic_request.body, body, len);
	port_send(port, &ic_request, sizeof(IC_HEADER) + len);
}

/**
 * ic_exchange() - a message, and the answer to it in ic_answer
 * @port: the driver
 * @type: IC_TYPE_*
 * @body: behind the header
 * @len: its bytes
 *
 * Return: the status in the answer.
 */
u32 ic_exchange(struct port *port, u16 type, const void *body, u32 len)
{
	struct kunit *test = port->test;

	ic_send(port, type, body, len);
	KUNIT_EXPECT_EQ(test, port_answers(port), 1u);
	KUNIT_EXPECT_EQ(test, port_answer(port, &ic_answer, sizeof(ic_answer)),
			sizeof(IC_HEADER) + len);
	KUNIT_EXPECT_EQ(test, ic_answer.header.Type, type);
	KUNIT_EXPECT_EQ(test, ic_answer.header.TransactionId, transaction);
	KUNIT_EXPECT_EQ(test, ic_answer.header.Flags, IC_TRANSACTION | IC_RESPONSE);
	return ic_answer.header.Status;
}

/**
 * ic_negotiate() - offer versions; the answer is in ic_answer
 * @port: the driver
 * @offer: the versions
 */
void ic_negotiate(struct port *port, const struct ic_versions *offer)
{
	struct {
		IC_NEGOTIATE negotiate;
		IC_VERSION versions[2 * IC_MAX_VERSIONS];
	} body = {
		.negotiate.FrameworkCount = offer->frameworks,
		.negotiate.MessageCount = offer->messages,
	};
	u32 nr = offer->frameworks + offer->messages;

	memcpy(body.versions, offer->framework, offer->frameworks * sizeof(IC_VERSION));
	memcpy(body.versions + offer->frameworks, offer->message,
	       offer->messages * sizeof(IC_VERSION));
	KUNIT_EXPECT_EQ(port->test, IC_OK,
			ic_exchange(port, IC_TYPE_NEGOTIATE, &body,
				    sizeof(IC_NEGOTIATE) + nr * sizeof(IC_VERSION)));
}

/* The answer to a negotiation names these. */
void ic_expect_agreed(struct port *port, IC_VERSION framework, IC_VERSION message)
{
	IC_NEGOTIATE *answer = (IC_NEGOTIATE *)ic_answer.body;

	KUNIT_EXPECT_EQ(port->test, answer->FrameworkCount, 1);
	KUNIT_EXPECT_EQ(port->test, answer->MessageCount, 1);
	KUNIT_EXPECT_EQ(port->test, ic_answer.header.Size, 16);
	KUNIT_EXPECT_MEMEQ(port->test, &answer->Versions[0], &framework, sizeof(framework));
	KUNIT_EXPECT_MEMEQ(port->test, &answer->Versions[1], &message, sizeof(message));
}

/* The answer to a negotiation names none. */
void ic_expect_refused(struct port *port)
{
	IC_NEGOTIATE *answer = (IC_NEGOTIATE *)ic_answer.body;

	KUNIT_EXPECT_EQ(port->test, answer->FrameworkCount, 0);
	KUNIT_EXPECT_EQ(port->test, answer->MessageCount, 0);
	KUNIT_EXPECT_EQ(port->test, ic_answer.header.Size, 8);
}

/**
 * ic_agree() - be done with versions
 * @port: the driver
 * @major: the service's version
 * @minor: the service's version
 */
void ic_agree(struct port *port, u16 major, u16 minor)
{
	const struct ic_versions offer = {
		.framework = { { 3, 0 } }, .frameworks = 1,
		.message = { { major, minor } }, .messages = 1,
	};

	ic_negotiate(port, &offer);
	ic_expect_agreed(port, offer.framework[0], offer.message[0]);
}
