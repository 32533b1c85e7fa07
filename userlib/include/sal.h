/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The source annotations that Windows sources carry on parameters. They check
 * nothing here, so each one is empty. The older spellings with two leading
 * underscores (__in, __out) are left out on purpose: the C++ library uses these
 * names for its own parameters.
 */
#ifndef _LSABUF_SAL_H
#define _LSABUF_SAL_H

#define _In_
#define _In_opt_
#define _In_z_
#define _In_opt_z_
#define _In_reads_(count)
#define _In_reads_opt_(count)
#define _In_reads_bytes_(size)
#define _In_reads_bytes_opt_(size)
#define _Inout_
#define _Inout_opt_
#define _Inout_updates_(count)
#define _Inout_updates_bytes_(size)
#define _Inout_updates_bytes_opt_(size)
#define _Out_
#define _Out_opt_
#define _Out_writes_(count)
#define _Out_writes_opt_(count)
#define _Out_writes_bytes_(size)
#define _Out_writes_bytes_opt_(size)
#define _Out_writes_bytes_to_(size, used)
#define _Outptr_
#define _Outptr_opt_
#define _Outptr_result_maybenull_
#define _Outptr_opt_result_maybenull_
#define _Outptr_result_bytebuffer_(size)
#define _Outptr_opt_result_bytebuffer_(size)
#define _Outptr_opt_result_buffer_maybenull_
#define _Reserved_
#define _Success_(expression)
#define _When_(condition, annotation)
#define _At_(target, annotation)
#define _Ret_maybenull_
#define _Ret_notnull_
#define _Must_inspect_result_
#define _Check_return_
#define _Field_size_(count)
#define _Field_size_bytes_(size)
#define _Function_class_(name)
#define _IRQL_requires_(level)
#define _IRQL_requires_max_(level)
#define _Use_decl_annotations_

#endif /* _LSABUF_SAL_H */
