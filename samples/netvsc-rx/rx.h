/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A network VSC's receive path: what its two ends agree on, and what the system calls.
 *
 * A message carries frames.  It is answered once, when the stack has let go of the
 * last of them; until then it holds one of RX_WINDOW credits of the VSP's.  (The host's
 * network VSP does the same with its receive buffer.)
 */
#ifndef _NETVSC_RX_RX_H
#define _NETVSC_RX_RX_H

#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>
#include <fwpsk.h>

#define RX_WINDOW	4
#define RX_MAX_FRAMES	64
#define RX_MAX_BYTES	16384

/*
 * The frames' bytes follow the table, or are the packet's external data; Offset counts
 * from the first of them.
 */
typedef struct _RX_FRAME {
	UINT32 Offset;
	UINT32 Length;
} RX_FRAME;

typedef struct _RX_MESSAGE {
	UINT32 Count;
	UINT32 Reserved;
	RX_FRAME Frame[];
} RX_MESSAGE;

typedef struct _RX_ANSWER {
	UINT32 Frames;		/* taken by the stack */
	UINT32 Dropped;
} RX_ANSWER;

C_ASSERT(sizeof(RX_MESSAGE) == 8 && sizeof(RX_FRAME) == 8 && sizeof(RX_ANSWER) == 8);

extern const GUID RxType;
extern const GUID RxInstance;

/* Where frames go, and the books. */
typedef struct _RX_PORT {
	HANDLE Handle;
	NDIS_HANDLE Pool;
	IF_INDEX IfIndex;
	BOOLEAN Going;		/* the VSC does not open its channel again */
	LONG64 Messages;	/* received */
	LONG64 Answered;
	LONG64 Injected;	/* lists that were accepted */
	LONG64 Completed;	/* and came back */
	LONG64 Dropped;		/* with a status that is no success, or never accepted */
	LONG64 Bad;		/* messages that say nonsense */
} RX_PORT;

/* PASSIVE_LEVEL.  RxPortClose() when no message comes any more; those under way it waits for. */
NTSTATUS RxPortOpen(RX_PORT *Port, IF_INDEX IfIndex);
VOID RxPortClose(RX_PORT *Port);

/* EvtVmbChannelProcessPacket of whatever channel brings frames; Context is the RX_PORT. */
VOID RxProcessPacket(VMBCHANNEL Channel, PVOID Context, VMBPACKETCOMPLETION Packet, PVOID Buffer,
		     UINT32 BufferLength, UINT32 Flags);

/* The VSC: a channel to the VSP, and a port.  PASSIVE_LEVEL. */
NTSTATUS RxVscCreate(RX_PORT *Port, IF_INDEX IfIndex, VMBCHANNEL *Channel);
VOID RxVscDestroy(RX_PORT *Port, VMBCHANNEL Channel);

/* The VSP: sends frames, and keeps its own books. */
typedef struct _RX_VSP {
	VMBCHANNEL Channel;
	KSPIN_LOCK Lock;	/* of what follows */
	BOOLEAN Pumping;
	BOOLEAN Again;
	ULONG Outstanding;
	ULONG MaxOutstanding;
	UINT64 Left;		/* frames to send */
	UINT32 Number;		/* of the next one */
	UINT64 Messages;	/* sent */
	UINT64 Answers;
	UINT64 Lost;		/* messages whose channel went away before the answer */
	UINT64 LostFrames;
	UINT64 Frames;		/* that the answers say were taken */
	UINT64 Dropped;		/* and were not */
	UINT32 Length;		/* of a frame */
	UINT32 PerMessage;
	UCHAR Address[6];	/* whom they are for */
	UCHAR Bytes[sizeof(RX_MESSAGE) + RX_MAX_FRAMES * sizeof(RX_FRAME) + RX_MAX_BYTES];
} RX_VSP;

NTSTATUS RxVspCreate(RX_VSP *Vsp);
VOID RxVspDestroy(RX_VSP *Vsp);
/* Sends so many frames; returns at once.  They go when there is a client. */
VOID RxVspSend(RX_VSP *Vsp, UINT64 Frames);
/* One message of frames for the VSP's address: table and, behind it, bytes.  Its length. */
UINT32 RxBuild(RX_VSP *Vsp, PVOID Buffer, UINT32 Count);

#endif /* _NETVSC_RX_RX_H */
