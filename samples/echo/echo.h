/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Echo, a service that gives back what it gets: what its two ends agree on, and
 * what the system calls.
 */
#ifndef _ECHO_ECHO_H
#define _ECHO_ECHO_H

#include <ntddk.h>

extern const GUID EchoType;
extern const GUID EchoInstance;

/* Offers the service in the loopback, to clients of this machine.  PASSIVE_LEVEL. */
NTSTATUS EchoVspCreate(VOID);
VOID EchoVspDestroy(VOID);

/*
 * Opens the service, now or when it is offered, makes so many round trips, one after
 * the other, and prints how many a second that were.  PASSIVE_LEVEL.
 */
NTSTATUS EchoVscCreate(ULONG RoundTrips);
VOID EchoVscDestroy(VOID);

#endif /* _ECHO_ECHO_H */
