/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between Linux' error numbers and Windows' status values.
 *
 * For Linux code that calls the Windows-named API or is called by it.  Both
 * directions are many-to-one, so a round trip keeps the meaning and not
 * necessarily the value.
 */
#ifndef _KMCL_STATUS_H
#define _KMCL_STATUS_H

#include <ntstatus.h>

/**
 * kmcl_status_from_errno() - the status that means the same as an error number
 * @err: 0 or a negative error number
 *
 * Context: any.
 * Return: STATUS_SUCCESS for 0 and for positive values, STATUS_UNSUCCESSFUL for
 * an error number without a counterpart.
 */
NTSTATUS kmcl_status_from_errno(int err);

/**
 * kmcl_status_to_errno() - the error number that means the same as a status
 * @s: any status
 *
 * Context: any.
 * Return: -ETIMEDOUT for STATUS_TIMEOUT and -EINPROGRESS for STATUS_PENDING,
 * although NT_SUCCESS() accepts both; 0 for every other status that it accepts;
 * -EIO for a failure without a counterpart.
 */
int kmcl_status_to_errno(NTSTATUS s);

#endif /* _KMCL_STATUS_H */
