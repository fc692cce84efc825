/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events.  A notification event stays signalled until it is cleared; a
 * synchronization event lets one waiter pass and clears itself.
 */
#ifndef _KMCL_NT_KE_EVENT_H
#define _KMCL_NT_KE_EVENT_H

#include <ke-wait.h>

typedef enum _EVENT_TYPE {
	NotificationEvent = KMCL_NT_STAYS_SIGNALLED,
	SynchronizationEvent = KMCL_NT_RELEASES_ONE,
} EVENT_TYPE;

typedef struct _KEVENT {
	DISPATCHER_HEADER Header;
} KEVENT, *PKEVENT, *PRKEVENT;

#define KeInitializeEvent(Event, EventType, EventState)				\
	kmcl_nt_header_init(&(Event)->Header,					\
			    (enum kmcl_nt_object_type)(EventType), !!(EventState))

/* @Increment and @Wait are about Windows' scheduler and ignored. */
static inline LONG KeSetEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait)
{
	return kmcl_nt_header_signal(&Event->Header);
}

static inline LONG KeReadStateEvent(PRKEVENT Event)
{
	return READ_ONCE(Event->Header.SignalState);
}

static inline LONG KeResetEvent(PRKEVENT Event)
{
	return kmcl_nt_header_clear(&Event->Header);
}

#define KeClearEvent(Event) ((void)KeResetEvent(Event))

#endif /* _KMCL_NT_KE_EVENT_H */
