/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Annotations that Windows' static analyser reads and a compiler does not.
 *
 * All of them are empty here.  They are kept apart from the types, so that a
 * port that needs one more name adds one more line to this file.
 */
#ifndef _KMCL_NT_SAL_H
#define _KMCL_NT_SAL_H

#define _In_
#define _In_opt_
#define _In_z_
#define _In_reads_(n)
#define _In_reads_opt_(n)
#define _In_reads_bytes_(n)
#define _In_reads_bytes_opt_(n)
#define _Inout_
#define _Inout_opt_
#define _Inout_updates_(n)
#define _Inout_updates_bytes_(n)
#define _Out_
#define _Out_opt_
#define _Out_writes_(n)
#define _Out_writes_opt_(n)
#define _Out_writes_bytes_(n)
#define _Out_writes_bytes_opt_(n)
#define _Out_writes_bytes_to_(n, c)
#define _Outptr_
#define _Outptr_opt_
#define _Outptr_result_maybenull_
#define _Ret_maybenull_
#define _Field_size_(n)
#define _Field_size_bytes_(n)
#define _Success_(e)
#define _When_(e, a)
#define _Must_inspect_result_
#define _Check_return_
#define _Use_decl_annotations_
#define _Function_class_(c)
#define _Pre_valid_
#define _Post_invalid_
#define _Analysis_assume_(e)
#define _IRQL_requires_(l)
#define _IRQL_requires_min_(l)
#define _IRQL_requires_max_(l)
#define _IRQL_requires_same_
#define _IRQL_raises_(l)
#define _IRQL_saves_
#define _IRQL_restores_
#define _Requires_lock_held_(l)
#define _Requires_lock_not_held_(l)
#define _Acquires_lock_(l)
#define _Releases_lock_(l)
#define _Guarded_by_(l)
#define _Interlocked_
#define __drv_aliasesMem
#define __drv_allocatesMem(k)
#define __drv_freesMem(k)
#define __drv_freeMem
#define __drv_maxIRQL(l)
#define __drv_requiresIRQL(l)
#define __drv_sameIRQL

#endif /* _KMCL_NT_SAL_H */
