/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packet injection of the Windows Filtering Platform, on Linux' network stack:
 * a driver hands in packets and is told, packet by packet, when the stack has let
 * go of them.
 *
 * Common to all injections:
 *
 * - A status that is not STATUS_SUCCESS: nothing has happened, the completion
 *   function is not called, the NET_BUFFER_LISTs are the caller's as before.
 * - STATUS_SUCCESS: each NET_BUFFER_LIST is the stack's until the completion
 *   function is called for it, once, with Next NULL and Status set.
 * - The completion function runs in softirq (dispatchLevel TRUE), under no lock
 *   of the stack's or the library's, one at a time for each handle.  On one
 *   processor it does not run before the injection returns if the caller is at
 *   DISPATCH_LEVEL; else, and on others, it may.  It may inject again, free, and
 *   complete a VMBus packet.
 * - Data are copied out of the MDLs in the call.
 *
 * What Status can say and what it cannot: Documentation/fwps.md.
 */
#ifndef _KMCL_FWPSK_H
#define _KMCL_FWPSK_H

#include <ndis.h>

typedef UINT16 ADDRESS_FAMILY;
typedef ULONG COMPARTMENT_ID;

#define UNSPECIFIED_COMPARTMENT_ID	0
#define DEFAULT_COMPARTMENT_ID		1

/* Not Windows' number, which is 23: the symbol is what sources have in common. */
#ifndef AF_UNSPEC
#define AF_UNSPEC	0
#endif
#ifndef AF_INET
#define AF_INET		2
#endif
#ifndef AF_INET6
#define AF_INET6	10
#endif

#define STATUS_FWP_NULL_POINTER			((NTSTATUS)0xC022001C)
#define STATUS_FWP_INVALID_PARAMETER		((NTSTATUS)0xC0220035)
#define STATUS_FWP_TCPIP_NOT_READY		((NTSTATUS)0xC0220100)
#define STATUS_FWP_INJECT_HANDLE_CLOSING	((NTSTATUS)0xC0220101)
#define STATUS_FWP_INJECT_HANDLE_STALE		((NTSTATUS)0xC0220102)
#define STATUS_FWP_CANNOT_PEND			((NTSTATUS)0xC0220103)
#define STATUS_DATA_NOT_ACCEPTED		((NTSTATUS)0xC000021B)
#define STATUS_NETWORK_UNREACHABLE		((NTSTATUS)0xC000023C)
#define STATUS_HOST_UNREACHABLE			((NTSTATUS)0xC000023D)

#define FWPS_INJECTION_TYPE_STREAM		0x00000001
#define FWPS_INJECTION_TYPE_TRANSPORT		0x00000002
#define FWPS_INJECTION_TYPE_NETWORK		0x00000004
#define FWPS_INJECTION_TYPE_FORWARD		0x00000008
#define FWPS_INJECTION_TYPE_L2			0x00000010
#define FWPS_INJECTION_TYPE_VSWITCH_TRANSPORT	0x00000020

#define FWPS_STREAM_FLAG_RECEIVE		0x00000001
#define FWPS_STREAM_FLAG_RECEIVE_EXPEDITED	0x00000002
#define FWPS_STREAM_FLAG_RECEIVE_DISCONNECT	0x00000004
#define FWPS_STREAM_FLAG_RECEIVE_ABORT		0x00000008
#define FWPS_STREAM_FLAG_RECEIVE_PUSH		0x00000010
#define FWPS_STREAM_FLAG_SEND			0x00010000
#define FWPS_STREAM_FLAG_SEND_EXPEDITED		0x00020000
#define FWPS_STREAM_FLAG_SEND_NODELAY		0x00040000
#define FWPS_STREAM_FLAG_SEND_DISCONNECT	0x00080000
#define FWPS_STREAM_FLAG_SEND_ABORT		0x00100000

/* The layers that injections name.  The numbers are this library's own. */
enum {
	FWPS_LAYER_INBOUND_MAC_FRAME_ETHERNET = 1,
	FWPS_LAYER_OUTBOUND_MAC_FRAME_ETHERNET,
	FWPS_LAYER_INBOUND_MAC_FRAME_NATIVE,
	FWPS_LAYER_OUTBOUND_MAC_FRAME_NATIVE,
	FWPS_LAYER_STREAM_V4,
	FWPS_LAYER_STREAM_V6,
};

typedef enum FWPS_PACKET_INJECTION_STATE_ {
	FWPS_PACKET_NOT_INJECTED,
	FWPS_PACKET_INJECTED_BY_SELF,
	FWPS_PACKET_INJECTED_BY_OTHER,
	FWPS_PACKET_PREVIOUSLY_INJECTED_BY_SELF,
	FWPS_PACKET_INJECTION_STATE_MAX,
} FWPS_PACKET_INJECTION_STATE;

/**
 * typedef FWPS_INJECT_COMPLETE0 - told when the stack has let go of a packet
 * @context: completionContext of the injection
 * @netBufferList: one that was injected, alone; the driver's again
 * @dispatchLevel: TRUE
 *
 * Context: softirq, no locks held.
 */
typedef void (*FWPS_INJECT_COMPLETE0)(void *context, NET_BUFFER_LIST *netBufferList,
				      BOOLEAN dispatchLevel);
typedef FWPS_INJECT_COMPLETE0 FWPS_INJECT_COMPLETE;

/**
 * FwpsInjectionHandleCreate0() - make a handle to inject with
 * @addressFamily: of a handle for the network layer AF_INET or AF_INET6; else
 *	ignored
 * @flags: FWPS_INJECTION_TYPE_* bits: what it will be used for; of those that
 *	exist on Linux (STREAM, NETWORK, L2) at least one.  0 means, as on
 *	Windows, transport, stream and forward: here a handle for STREAM
 * @injectionHandle: the handle goes here
 *
 * Packets of the handle live in the initial network namespace; data of streams
 * where their connection does.
 *
 * Context: process, may sleep.
 * Return: STATUS_SUCCESS; STATUS_FWP_NULL_POINTER; STATUS_FWP_INVALID_PARAMETER
 * for unknown bits, and for NETWORK without one of the two families;
 * STATUS_NOT_SUPPORTED when none of the types exists on Linux, and for AF_INET6
 * in a kernel without IPv6; STATUS_INSUFFICIENT_RESOURCES;
 * STATUS_INVALID_DEVICE_REQUEST above PASSIVE_LEVEL.
 */
NTSTATUS FwpsInjectionHandleCreate0(ADDRESS_FAMILY addressFamily, UINT32 flags,
				    HANDLE *injectionHandle);

/**
 * FwpsInjectionHandleDestroy0() - end a handle
 * @injectionHandle: the handle
 *
 * Waits until everything that was injected has been completed, which takes as
 * long as a queue keeps a packet; from the beginning injections are refused.  No
 * completion function of the handle runs any more when this returns.
 *
 * Context: process, may sleep; not with anything held that a completion function
 * waits for.
 * Return: STATUS_SUCCESS; STATUS_INVALID_HANDLE; STATUS_FWP_INJECT_HANDLE_CLOSING
 * when somebody else destroys it already; STATUS_INVALID_DEVICE_REQUEST above
 * PASSIVE_LEVEL, that is also from a completion function.
 */
NTSTATUS FwpsInjectionHandleDestroy0(HANDLE injectionHandle);

/**
 * FwpsAllocateNetBufferAndNetBufferList0() - allocate a list of one packet
 * @poolHandle: a pool with fAllocateNetBuffer TRUE and DataSize 0
 * @contextSize: bytes of context, a multiple of MEMORY_ALLOCATION_ALIGNMENT
 * @contextBackFill: bytes in front of them, a multiple of that too
 * @mdlChain: where the data are, or NULL; it and its buffers stay the caller's
 * @dataOffset: bytes of @mdlChain before the data; 0 without @mdlChain
 * @dataLength: bytes of data; 0 without @mdlChain
 * @netBufferList: it goes here
 *
 * Context: process or softirq.
 * Return: STATUS_SUCCESS; STATUS_FWP_NULL_POINTER; STATUS_FWP_INVALID_PARAMETER for
 * a pool that is none or has no NET_BUFFERs, sizes that are no multiple, and data
 * that are not within @mdlChain; STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS FwpsAllocateNetBufferAndNetBufferList0(NDIS_HANDLE poolHandle, USHORT contextSize,
						USHORT contextBackFill, MDL *mdlChain,
						ULONG dataOffset, SIZE_T dataLength,
						NET_BUFFER_LIST **netBufferList);

/**
 * FwpsFreeNetBufferList0() - free a list
 * @netBufferList: from FwpsAllocateNetBufferAndNetBufferList0(), alone
 *
 * One that is in flight, or free already, or a clone, or no list at all, is left
 * alone, and one rate-limited line says so.  One that is referenced, or has clones,
 * is freed when they are gone.
 *
 * Context: process or softirq.
 */
void FwpsFreeNetBufferList0(NET_BUFFER_LIST *netBufferList);

/**
 * FwpsAllocateCloneNetBufferList0() - a list that describes the same bytes
 * @originalNetBufferList: the list; it is completed and freed after its clones only
 * @netBufferListPoolHandle: a pool, or NULL for the library's own
 * @netBufferPoolHandle: a pool of NET_BUFFERs, or NULL for the library's own
 * @allocateCloneFlags: 0
 * @netBufferList: the clone goes here
 *
 * Nothing is copied: the clone has its own NET_BUFFERs and MDLs, which begin at
 * the first byte of data.  Status, flags and out-of-band information are those of
 * the original, there is no context.
 *
 * Context: process or softirq.
 * Return: STATUS_SUCCESS; STATUS_FWP_NULL_POINTER; STATUS_FWP_INVALID_PARAMETER for a
 * list that is none or free, a pool that is none, flags, and data that are not
 * within their MDLs; STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS FwpsAllocateCloneNetBufferList0(NET_BUFFER_LIST *originalNetBufferList,
					 NDIS_HANDLE netBufferListPoolHandle,
					 NDIS_HANDLE netBufferPoolHandle, ULONG allocateCloneFlags,
					 NET_BUFFER_LIST **netBufferList);

/**
 * FwpsFreeCloneNetBufferList0() - free a clone
 * @netBufferList: from FwpsAllocateCloneNetBufferList0(), its NET_BUFFERs and MDLs
 *	linked as they were then
 * @freeCloneFlags: 0; ignored
 *
 * As FwpsFreeNetBufferList0().
 *
 * Context: process or softirq.
 */
void FwpsFreeCloneNetBufferList0(NET_BUFFER_LIST *netBufferList, ULONG freeCloneFlags);

/**
 * FwpsReferenceNetBufferList0() - keep a list
 * @netBufferList: the list
 * @intendToModify: ignored
 *
 * While there is a reference a list in flight is not completed, and a list that
 * is freed stays.
 *
 * Context: process or softirq.
 */
void FwpsReferenceNetBufferList0(NET_BUFFER_LIST *netBufferList, BOOLEAN intendToModify);

/**
 * FwpsDereferenceNetBufferList0() - give a reference back
 * @netBufferList: the list
 * @dispatchLevel: ignored
 *
 * One without references is left alone, with a line.
 *
 * Context: process or softirq.
 */
void FwpsDereferenceNetBufferList0(NET_BUFFER_LIST *netBufferList, BOOLEAN dispatchLevel);

/**
 * FwpsInjectMacReceiveAsync0() - as if a device had received these frames
 * @injectionHandle: a handle for L2
 * @injectionContext: for FwpsQueryPacketInjectionState0()
 * @flags: 0
 * @layerId: FWPS_LAYER_INBOUND_MAC_FRAME_ETHERNET, or _NATIVE, which on an Ethernet
 *	device is the same
 * @interfaceIndex: of the device, which has to be up
 * @NdisPortNumber: ignored
 * @netBufferLists: a chain; each NET_BUFFER is a frame that begins with its Ethernet
 *	header
 * @completionFn: called for each NET_BUFFER_LIST
 * @completionContext: its first argument
 *
 * The frames go through the backlog of the processor, in order (netif_rx()), to
 * whoever listens.  One that it has no room for is dropped, and that list's Status is
 * NDIS_STATUS_RESOURCES.
 *
 * A VLAN tag in Ieee8021QNetBufferListInfo is honoured; checksum information is
 * ignored, the stack computes checksums itself.
 *
 * Context: process or softirq; interrupts on.
 * Return: STATUS_SUCCESS; STATUS_INVALID_HANDLE; STATUS_FWP_INJECT_HANDLE_CLOSING;
 * STATUS_FWP_INJECT_HANDLE_STALE for a handle that is not for L2;
 * STATUS_FWP_NULL_POINTER without a list or @completionFn;
 * STATUS_FWP_INVALID_PARAMETER for @flags, @layerId, and lists that are none, free or
 * in flight, have no packet or data that are not within their MDLs;
 * NDIS_STATUS_INTERFACE_NOT_FOUND; STATUS_FWP_TCPIP_NOT_READY when the device is
 * down; STATUS_NOT_SUPPORTED when it is no Ethernet device;
 * NDIS_STATUS_INVALID_LENGTH for a frame without header, or longer than 64 KiB;
 * STATUS_INSUFFICIENT_RESOURCES without memory, or with too much in flight;
 * STATUS_INVALID_DEVICE_REQUEST with interrupts off.
 */
NTSTATUS FwpsInjectMacReceiveAsync0(HANDLE injectionHandle, HANDLE injectionContext,
				    UINT32 flags, UINT16 layerId, IF_INDEX interfaceIndex,
				    NDIS_PORT_NUMBER NdisPortNumber,
				    NET_BUFFER_LIST *netBufferLists,
				    FWPS_INJECT_COMPLETE completionFn, HANDLE completionContext);

/**
 * FwpsInjectMacSendAsync0() - give these frames to a device to send
 * @injectionHandle: see FwpsInjectMacReceiveAsync0()
 * @injectionContext: see FwpsInjectMacReceiveAsync0()
 * @flags: 0
 * @layerId: FWPS_LAYER_OUTBOUND_MAC_FRAME_ETHERNET or _NATIVE
 * @interfaceIndex: see FwpsInjectMacReceiveAsync0()
 * @NdisPortNumber: ignored
 * @netBufferLists: see FwpsInjectMacReceiveAsync0()
 * @completionFn: see FwpsInjectMacReceiveAsync0()
 * @completionContext: see FwpsInjectMacReceiveAsync0()
 *
 * Through the device's queueing discipline (dev_queue_xmit()); a list is completed
 * when the device has let go of its last frame, or somebody has got a copy of it.
 *
 * Context: process or softirq; interrupts on.
 * Return: as FwpsInjectMacReceiveAsync0(), with STATUS_FWP_TCPIP_NOT_READY also for
 * a device without a carrier, NDIS_STATUS_INVALID_LENGTH for a frame longer than the
 * device takes, and STATUS_NOT_SUPPORTED for out-of-band information that asks for
 * checksums or segmentation.
 */
NTSTATUS FwpsInjectMacSendAsync0(HANDLE injectionHandle, HANDLE injectionContext, UINT32 flags,
				 UINT16 layerId, IF_INDEX interfaceIndex,
				 NDIS_PORT_NUMBER NdisPortNumber, NET_BUFFER_LIST *netBufferLists,
				 FWPS_INJECT_COMPLETE completionFn, HANDLE completionContext);

/**
 * FwpsInjectNetworkReceiveAsync0() - as if these IP packets had arrived
 * @injectionHandle: a handle for the network layer and the packets' family
 * @injectionContext: for FwpsQueryPacketInjectionState0()
 * @flags: 0
 * @compartmentId: UNSPECIFIED_COMPARTMENT_ID or DEFAULT_COMPARTMENT_ID
 * @interfaceIndex: of the device that they seem to come from; it has to be up
 * @subInterfaceIndex: ignored
 * @netBufferList: one list; each NET_BUFFER is a packet that begins with its IP
 *	header, whose checksum is right
 * @completionFn: called for the list
 * @completionContext: its first argument
 *
 * Context: process or softirq; interrupts on.
 * Return: as FwpsInjectMacReceiveAsync0(), but any device will do, and
 * STATUS_INVALID_PARAMETER for another compartment; STATUS_FWP_INVALID_PARAMETER
 * for a chain of lists, and for packets of the other family;
 * NDIS_STATUS_INVALID_LENGTH for a packet shorter than its header.
 */
NTSTATUS FwpsInjectNetworkReceiveAsync0(HANDLE injectionHandle, HANDLE injectionContext,
					UINT32 flags, COMPARTMENT_ID compartmentId,
					IF_INDEX interfaceIndex, IF_INDEX subInterfaceIndex,
					NET_BUFFER_LIST *netBufferList,
					FWPS_INJECT_COMPLETE0 completionFn,
					HANDLE completionContext);

/**
 * FwpsInjectNetworkSendAsync0() - send these IP packets
 * @injectionHandle: see FwpsInjectNetworkReceiveAsync0()
 * @injectionContext: for FwpsQueryPacketInjectionState0()
 * @flags: 0
 * @compartmentId: see FwpsInjectNetworkReceiveAsync0()
 * @netBufferList: see FwpsInjectNetworkReceiveAsync0(); IPv4's total length and
 *	header checksum, and IPv6's payload length, are filled in
 * @completionFn: see FwpsInjectNetworkReceiveAsync0()
 * @completionContext: see FwpsInjectNetworkReceiveAsync0()
 *
 * Routed by their addresses, filtered as what this machine sends, and cut into
 * fragments where they may be.
 *
 * Context: process or softirq; interrupts on.
 * Return: as FwpsInjectNetworkReceiveAsync0(), less what is about a device, and
 * STATUS_NETWORK_UNREACHABLE or STATUS_HOST_UNREACHABLE without a route,
 * STATUS_NOT_SUPPORTED for out-of-band information that asks for checksums or
 * segmentation.
 */
NTSTATUS FwpsInjectNetworkSendAsync0(HANDLE injectionHandle, HANDLE injectionContext,
				     UINT32 flags, COMPARTMENT_ID compartmentId,
				     NET_BUFFER_LIST *netBufferList,
				     FWPS_INJECT_COMPLETE0 completionFn, HANDLE completionContext);

/**
 * FwpsQueryPacketInjectionState0() - who has injected a list
 * @injectionHandle: "self"
 * @netBufferList: the list
 * @injectionContext: NULL, or where the injectionContext goes of an injection by
 *	@injectionHandle; NULL goes there if there is none
 *
 * The list's own history, and that of the lists that it was cloned from.  Packets
 * do not come back from the stack as lists.
 *
 * Context: process or softirq.
 * Return: FWPS_PACKET_NOT_INJECTED, also for a list or handle that is none;
 * INJECTED_BY_SELF when the last injection was by this handle;
 * PREVIOUSLY_INJECTED_BY_SELF when it was by another, of a clone of what this one had
 * injected; INJECTED_BY_OTHER.
 */
FWPS_PACKET_INJECTION_STATE FwpsQueryPacketInjectionState0(HANDLE injectionHandle,
							   const NET_BUFFER_LIST *netBufferList,
							   HANDLE *injectionContext);

struct socket;

/**
 * fwps_flow_open() - name a TCP connection, to inject into it
 * @sock: its socket, connected, of the kernel or of a program
 * @flow_id: the flowId for FwpsStreamInjectAsync0() goes here
 *
 * Linux' own, for what a callout's classify function is told on Windows.  The
 * socket stays its owner's, who may go on to use it, and release it at any time: what
 * is injected behind that is completed with an error.  A number is not used for
 * another connection soon.
 *
 * Context: process, may sleep; the socket is not released meanwhile.
 * Return: STATUS_SUCCESS; STATUS_FWP_NULL_POINTER; STATUS_NOT_SUPPORTED for another
 * socket than TCP's over IP, and one with an upper layer protocol (TLS);
 * STATUS_CONNECTION_DISCONNECTED when it cannot send; STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS fwps_flow_open(struct socket *sock, UINT64 *flow_id);

/**
 * fwps_flow_close() - the end of a flow
 * @flow_id: from fwps_flow_open()
 *
 * What TCP has not taken yet is completed with NDIS_STATUS_SEND_ABORTED; what it has
 * is sent, and completed when it is acknowledged.  Does not wait.  The connection stays.
 *
 * Context: process.
 * Return: STATUS_SUCCESS; STATUS_INVALID_HANDLE.
 */
NTSTATUS fwps_flow_close(UINT64 flow_id);

/**
 * FwpsStreamInjectAsync0() - send these data into a TCP connection
 * @injectionHandle: a handle for STREAM
 * @injectionContext: for FwpsQueryPacketInjectionState0()
 * @flags: 0
 * @flowId: the connection: fwps_flow_open()
 * @calloutId: ignored
 * @layerId: FWPS_LAYER_STREAM_V4, or of an IPv6 socket FWPS_LAYER_STREAM_V6 too
 * @streamFlags: FWPS_STREAM_FLAG_SEND; with it _SEND_DISCONNECT: behind these data
 *	is the end, also for the socket's owner; _SEND_NODELAY is ignored, it
 *	is the socket's option.  Any _RECEIVE flag is a compile-time error where the
 *	compiler knows it, else a status
 * @netBufferList: a chain; NULL with _SEND_DISCONNECT: nothing is completed then
 * @dataLength: bytes that the chain has, 0 for NULL
 * @completionFn: called for each NET_BUFFER_LIST
 * @completionContext: its first argument
 *
 * Data of a flow are sent in the order of the calls, those of a call together; between
 * them, anywhere, may be what the owner sends.  While the socket's send buffer is full
 * they wait; a flow has at most max_stream_bytes (a module parameter) waiting or
 * unacknowledged.
 *
 * A list is completed when TCP has let go of its last byte (through a device that cannot
 * gather: has copied it): Status is
 * NDIS_STATUS_SUCCESS when the peer has acknowledged it, STATUS_CONNECTION_ABORTED when
 * the connection was reset, timed out or could not send any more,
 * NDIS_STATUS_SEND_ABORTED when the flow was closed.  Behind a list that was not sent to
 * its end the flow sends nothing any more, no end either: the peer would not see what is
 * missing.  A peer that does not read keeps lists and FwpsInjectionHandleDestroy0() waiting
 * until the connection ends.
 *
 * Context: process or softirq; interrupts on.
 * Return: STATUS_SUCCESS; STATUS_INVALID_HANDLE also for a @flowId that is none or
 * closed; STATUS_FWP_INJECT_HANDLE_CLOSING; STATUS_FWP_INJECT_HANDLE_STALE;
 * STATUS_FWP_NULL_POINTER without @completionFn, and without a list but with
 * _SEND_DISCONNECT; STATUS_FWP_INVALID_PARAMETER for @flags, @layerId, unknown
 * @streamFlags, a disconnect without _SEND or _RECEIVE, a @dataLength that is not the
 * chain's, and lists as FwpsInjectMacReceiveAsync0(); STATUS_NOT_SUPPORTED for _RECEIVE,
 * _SEND_EXPEDITED and _SEND_ABORT; STATUS_CONNECTION_DISCONNECTED behind a disconnect;
 * NDIS_STATUS_INVALID_LENGTH for a packet, STATUS_INSUFFICIENT_RESOURCES for a call above
 * max_stream_bytes, and without memory; STATUS_INVALID_DEVICE_REQUEST with interrupts off.
 */
NTSTATUS FwpsStreamInjectAsync0(HANDLE injectionHandle, HANDLE injectionContext, UINT32 flags,
				UINT64 flowId, UINT32 calloutId, UINT16 layerId,
				UINT32 streamFlags, NET_BUFFER_LIST *netBufferList,
				SIZE_T dataLength, FWPS_INJECT_COMPLETE0 completionFn,
				HANDLE completionContext);

/* What has no counterpart: a port that calls it does not compile, and is told why. */
typedef struct FWPS_TRANSPORT_SEND_PARAMS0_ FWPS_TRANSPORT_SEND_PARAMS0;
typedef struct FWPS_TRANSPORT_SEND_PARAMS1_ FWPS_TRANSPORT_SEND_PARAMS1;

#define FWPS_OUT(why)	__attribute__((error(why)))

FWPS_OUT("there is no hook for forwarded packets to re-enter behind: use FwpsInjectNetworkSendAsync0()")
NTSTATUS FwpsInjectForwardAsync0(HANDLE injectionHandle, HANDLE injectionContext, UINT32 flags,
				 ADDRESS_FAMILY addressFamily, COMPARTMENT_ID compartmentId,
				 IF_INDEX interfaceIndex, NET_BUFFER_LIST *netBufferList,
				 FWPS_INJECT_COMPLETE0 completionFn, HANDLE completionContext);
FWPS_OUT("there are no transport endpoints to name: build the IP header and use FwpsInjectNetworkSendAsync0()")
NTSTATUS FwpsInjectTransportSendAsync0(HANDLE injectionHandle, HANDLE injectionContext,
				       UINT64 endpointHandle, UINT32 flags,
				       FWPS_TRANSPORT_SEND_PARAMS0 *sendArgs,
				       ADDRESS_FAMILY addressFamily, COMPARTMENT_ID compartmentId,
				       NET_BUFFER_LIST *netBufferList,
				       FWPS_INJECT_COMPLETE0 completionFn,
				       HANDLE completionContext);
FWPS_OUT("there are no transport endpoints to name: build the IP header and use FwpsInjectNetworkSendAsync0()")
NTSTATUS FwpsInjectTransportSendAsync1(HANDLE injectionHandle, HANDLE injectionContext,
				       UINT64 endpointHandle, UINT32 flags,
				       FWPS_TRANSPORT_SEND_PARAMS1 *sendArgs,
				       ADDRESS_FAMILY addressFamily, COMPARTMENT_ID compartmentId,
				       NET_BUFFER_LIST *netBufferList,
				       FWPS_INJECT_COMPLETE0 completionFn,
				       HANDLE completionContext);
FWPS_OUT("IPsec's verification cannot be bypassed for one packet: use FwpsInjectNetworkReceiveAsync0()")
NTSTATUS FwpsInjectTransportReceiveAsync0(HANDLE injectionHandle, HANDLE injectionContext,
					  PVOID reserved, UINT32 flags,
					  ADDRESS_FAMILY addressFamily,
					  COMPARTMENT_ID compartmentId, IF_INDEX interfaceIndex,
					  IF_INDEX subInterfaceIndex,
					  NET_BUFFER_LIST *netBufferList,
					  FWPS_INJECT_COMPLETE0 completionFn,
					  HANDLE completionContext);
FWPS_OUT("there is no virtual switch: use FwpsInjectMacReceiveAsync0() on a port of a bridge")
NTSTATUS FwpsInjectvSwitchEthernetIngressAsync0(HANDLE injectionHandle, HANDLE injectionContext,
						UINT32 flags, PVOID reserved,
						const PVOID vSwitchId, ULONG portId, ULONG nicIndex,
						NET_BUFFER_LIST *netBufferLists,
						FWPS_INJECT_COMPLETE completionFn,
						HANDLE completionContext);
FWPS_OUT("it serves the transport calls alone, which are not here: build the header in the data")
NTSTATUS FwpsConstructIpHeaderForTransportPacket0(NET_BUFFER_LIST *netBufferList,
						  ULONG headerIncludeHeaderLength,
						  ADDRESS_FAMILY addressFamily,
						  const UCHAR *sourceAddress,
						  const UCHAR *remoteAddress, ULONG nextProtocol,
						  UINT64 endpointHandle, const void *controlData,
						  ULONG controlDataLength, UINT32 flags,
						  PVOID reserved, IF_INDEX interfaceIndex,
						  IF_INDEX subInterfaceIndex);
FWPS_OUT("there are no callouts: register a netfilter hook")
NTSTATUS FwpsCalloutRegister0(void *deviceObject, const void *callout, UINT32 *calloutId);

FWPS_OUT("data cannot be put between a connection and its reader: only FWPS_STREAM_FLAG_SEND is here")
void fwps_stream_receive_is_out(void);

/* a constant that asks for what is not here does not get as far as a status */
#define FwpsStreamInjectAsync0(handle, context, flags, flow, callout, layer, stream_flags, ...)	\
({												\
	if (__builtin_constant_p(stream_flags) && ((stream_flags) & 0xffff))			\
		fwps_stream_receive_is_out();							\
	(FwpsStreamInjectAsync0)(handle, context, flags, flow, callout, layer, stream_flags,	\
				 __VA_ARGS__);							\
})

/* The names without a number. */
#define FwpsInjectionHandleCreate		FwpsInjectionHandleCreate0
#define FwpsInjectionHandleDestroy		FwpsInjectionHandleDestroy0
#define FwpsAllocateNetBufferAndNetBufferList	FwpsAllocateNetBufferAndNetBufferList0
#define FwpsFreeNetBufferList			FwpsFreeNetBufferList0
#define FwpsAllocateCloneNetBufferList		FwpsAllocateCloneNetBufferList0
#define FwpsFreeCloneNetBufferList		FwpsFreeCloneNetBufferList0
#define FwpsReferenceNetBufferList		FwpsReferenceNetBufferList0
#define FwpsDereferenceNetBufferList		FwpsDereferenceNetBufferList0
#define FwpsInjectMacReceiveAsync		FwpsInjectMacReceiveAsync0
#define FwpsInjectMacSendAsync			FwpsInjectMacSendAsync0
#define FwpsInjectNetworkReceiveAsync		FwpsInjectNetworkReceiveAsync0
#define FwpsInjectNetworkSendAsync		FwpsInjectNetworkSendAsync0
#define FwpsStreamInjectAsync			FwpsStreamInjectAsync0
#define FwpsQueryPacketInjectionState		FwpsQueryPacketInjectionState0
#define FwpsInjectForwardAsync			FwpsInjectForwardAsync0
#define FwpsInjectTransportSendAsync		FwpsInjectTransportSendAsync1
#define FwpsInjectTransportReceiveAsync		FwpsInjectTransportReceiveAsync0
#define FwpsInjectvSwitchEthernetIngressAsync	FwpsInjectvSwitchEthernetIngressAsync0
#define FwpsConstructIpHeaderForTransportPacket	FwpsConstructIpHeaderForTransportPacket0
#define FwpsCalloutRegister			FwpsCalloutRegister0

#endif /* _KMCL_FWPSK_H */
