// SPDX-License-Identifier: GPL-2.0
/*
 * errno <-> NTSTATUS, for the seam between a port's two files.
 */
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <ntddk.h>
#include <kmcl/status.h>

static const struct {
	int err;
	NTSTATUS status;
} map[] = {
	/* first match wins in both directions */
	{ 0,		STATUS_SUCCESS },
	{ -ENOMEM,	STATUS_INSUFFICIENT_RESOURCES },
	{ -EINVAL,	STATUS_INVALID_PARAMETER },
	{ -ENODEV,	STATUS_DEVICE_REMOVED },
	{ -EOPNOTSUPP,	STATUS_NOT_SUPPORTED },
	{ -ETIMEDOUT,	STATUS_TIMEOUT },
	{ -ECANCELED,	STATUS_CANCELLED },
	{ -EINPROGRESS,	STATUS_PENDING },
	{ -EBUSY,	STATUS_INVALID_DEVICE_STATE },
	{ -EOVERFLOW,	STATUS_BUFFER_OVERFLOW },
	{ -ENOBUFS,	STATUS_BUFFER_TOO_SMALL },
	{ -EINVAL,	STATUS_INVALID_PARAMETER_1 },
	{ -EINVAL,	STATUS_INVALID_PARAMETER_2 },
	{ -EINVAL,	STATUS_INVALID_PARAMETER_3 },
	{ -EINVAL,	STATUS_INVALID_PARAMETER_4 },
	{ -EINVAL,	STATUS_INVALID_PARAMETER_5 },
	{ -EINVAL,	STATUS_INVALID_PARAMETER_6 },
	{ -EINVAL,	STATUS_INVALID_PARAMETER_7 },
	{ -EINVAL,	STATUS_INVALID_DEVICE_REQUEST },
	{ -EPROTO,	STATUS_REVISION_MISMATCH },
};

NTSTATUS kmcl_status_from_errno(int err)
{
	unsigned int i;

	if (err > 0)
		return STATUS_SUCCESS;
	for (i = 0; i < ARRAY_SIZE(map); i++)
		if (map[i].err == err)
			return map[i].status;
	return STATUS_UNSUCCESSFUL;
}
EXPORT_SYMBOL_GPL(kmcl_status_from_errno);

int kmcl_status_to_errno(NTSTATUS status)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(map); i++)
		if (map[i].status == status)
			return map[i].err;
	return NT_SUCCESS(status) ? 0 : -EIO;
}
EXPORT_SYMBOL_GPL(kmcl_status_to_errno);
