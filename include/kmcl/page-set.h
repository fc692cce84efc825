/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sets of pages: what a peer's transfer page packets name.
 *
 * Such a packet carries no data but pieces of a buffer on which both sides have
 * agreed before, under a number; a network's receive buffer is the usual case.
 * The agreement is the protocol's: the driver shares the buffer as a GPADL, tells
 * the peer, and tells the library here which number the buffer has got.  Then
 * VmbChannelPacketGetExternalData() finds the pieces.
 *
 * Windows' KMCL has no such call; a port makes it in its Linux file.
 */
#ifndef _KMCL_PAGE_SET_H
#define _KMCL_PAGE_SET_H

#include <vmbuskernelmodeclientlibapi.h>

/**
 * kmcl_page_set_register() - say which buffer a number means
 * @channel: an open channel
 * @id: the number in the peer's packets
 * @gpadl_handle: a GPADL of the channel
 *
 * It ends when the channel closes, at the latest.  A packet that names a number
 * which is not registered is answered unread, counted and reported.
 *
 * Context: process, may sleep.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER_1 for a handle that is no
 * channel, or out of context; STATUS_INVALID_PARAMETER_2 when @id is registered
 * already; STATUS_INVALID_PARAMETER_3 when there is no such GPADL;
 * STATUS_INSUFFICIENT_RESOURCES without memory.
 */
NTSTATUS kmcl_page_set_register(VMBCHANNEL channel, UINT16 id, UINT32 gpadl_handle);

/**
 * kmcl_page_set_unregister() - the number means nothing any more
 * @channel: the channel
 * @id: the number; unknown ones are ignored
 *
 * Packets that have been delivered keep their external data until they are
 * completed, even when the GPADL is deleted.
 *
 * Context: process, may sleep.
 */
VOID kmcl_page_set_unregister(VMBCHANNEL channel, UINT16 id);

#endif
