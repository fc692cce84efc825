/* SPDX-License-Identifier: GPL-2.0 */
/* What the module does for the services of <ntddk.h>. */
#ifndef _KMCL_NT_H
#define _KMCL_NT_H

int kmcl_nt_init(void);
void kmcl_nt_exit(void);

/* nt-mdl.c */
void kmcl_nt_mdl_exit(void);

#endif
