/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a driver that restores packets may need besides the Windows functions.
 */
#ifndef _KMCL_RESTORED_H
#define _KMCL_RESTORED_H

#include <vmbuskernelmodeclientlibapi.h>

/**
 * kmcl_packet_payload() - the inline data of a packet that the driver has
 * @packet: what ProcessPacket was given, or a restored packet, cast
 * @length: its bytes
 *
 * What ProcessPacket is given as its Buffer is restored with a packet, but RestorePacket
 * is not told where it is.  A driver that has not saved it itself finds it here.
 *
 * Context: any up to softirq.
 * Return: the data, valid until the packet is completed; NULL for what is no packet of
 * the driver's.
 */
PVOID kmcl_packet_payload(VMBPACKETCOMPLETION packet, PUINT32 length);

#endif
