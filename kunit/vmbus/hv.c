// SPDX-License-Identifier: GPL-2.0
/* The bus does not free its per-CPU context when it is unloaded, which nobody but this rig does. */
#define hv_synic_free hv_synic_free_pages
#include "hv/hv.c"
#undef hv_synic_free

void hv_synic_free(void);

void hv_synic_free(void)
{
	hv_synic_free_pages();
	free_percpu(hv_context.cpu_context);
	hv_context.cpu_context = NULL;
}
