/* SPDX-License-Identifier: GPL-2.0 */
/* What becomes of a SCSI command on the virtual bus: the two statuses of an answer. */
#ifndef _STORVSC_SRB_H
#define _STORVSC_SRB_H

/* SrbStatus: two flags above a code. */
#define STOR_SRB_CODE(s)		((s) & 0x3f)
#define STOR_SRB_CODE_SUCCESS		0x01
#define STOR_SRB_CODE_ERROR		0x04
#define STOR_SRB_CODE_BUSY		0x05
#define STOR_SRB_CODE_INVALID_REQUEST	0x06
#define STOR_SRB_CODE_DATA_OVERRUN	0x12
#define STOR_SRB_CODE_INVALID_LUN	0x20
#define STOR_SRB_SENSE_VALID		0x80

/* ScsiStatus */
#define STOR_SCSI_GOOD			0x00
#define STOR_SCSI_CHECK_CONDITION	0x02
#define STOR_SCSI_BUSY			0x08

#endif /* _STORVSC_SRB_H */
