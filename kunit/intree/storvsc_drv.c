// SPDX-License-Identifier: GPL-2.0
#include "scsi/storvsc_drv.c"
