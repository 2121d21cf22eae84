/* Source annotations of the WDK: read by analysers of the real driver, empty here. */
#ifndef HOST_SAL_H
#define HOST_SAL_H

#define _In_
#define _In_z_
#define _In_opt_
#define _In_opt_z_
#define _In_reads_(Count)
#define _In_reads_opt_(Count)
#define _In_reads_bytes_(Bytes)
#define _In_reads_bytes_opt_(Bytes)
#define _In_range_(Low, High)
#define _Out_
#define _Out_opt_
#define _Out_range_(Low, High)
#define _Out_writes_(Count)
#define _Out_writes_opt_(Count)
#define _Out_writes_to_(Count, Written)
#define _Out_writes_all_(Count)
#define _Out_writes_z_(Count)
#define _Out_writes_bytes_(Bytes)
#define _Out_writes_bytes_opt_(Bytes)
#define _Out_writes_bytes_to_(Bytes, Written)
#define _Out_writes_bytes_to_opt_(Bytes, Written)
#define _Out_writes_bytes_all_(Bytes)
#define _Outptr_
#define _Outptr_opt_
#define _Outptr_result_maybenull_
#define _Outptr_result_bytebuffer_(Bytes)
#define _Outptr_result_buffer_(Count)
#define _Inout_
#define _Inout_opt_
#define _Inout_updates_(Count)
#define _Inout_updates_bytes_(Bytes)
#define _Inout_updates_bytes_to_(Bytes, Written)
#define _Deref_out_
#define _Reserved_
#define _Frees_ptr_
#define _Frees_ptr_opt_
#define _Field_size_(Count)
#define _Field_size_bytes_(Bytes)
#define _Field_size_bytes_opt_(Bytes)
#define _Field_size_bytes_part_(Bytes, Used)
#define _Field_size_bytes_part_opt_(Bytes, Used)
#define _Field_range_(Low, High)
#define _Ret_maybenull_
#define _Ret_notnull_
#define _Ret_z_
#define _Ret_writes_bytes_maybenull_(Bytes)
#define _Must_inspect_result_
#define _Check_return_
#define _Success_(Expression)
#define _Always_(Annotations)
#define _When_(Expression, Annotations)
#define _At_(Target, Annotations)
#define _At_buffer_(Target, Iterator, Bound, Annotations)
#define _Pre_
#define _Post_
#define _Pre_satisfies_(Expression)
#define _Post_satisfies_(Expression)
#define _Pre_notnull_
#define _Pre_maybenull_
#define _Post_invalid_
#define _Post_maybenull_
#define _Post_notnull_
#define _Post_writable_byte_size_(Bytes)
#define _Notnull_
#define _Maybenull_
#define _Null_terminated_
#define _Printf_format_string_
#define _Use_decl_annotations_
#define _Analysis_assume_(Expression)
#define _Analysis_assume_lock_held_(Lock)
#define _Analysis_assume_lock_not_held_(Lock)
#define _Analysis_noreturn_
#define _Points_to_data_
#define _Literal_
#define _Const_
#define _Interlocked_operand_

#define _IRQL_requires_(Level)
#define _IRQL_requires_min_(Level)
#define _IRQL_requires_max_(Level)
#define _IRQL_requires_same_
#define _IRQL_always_function_min_(Level)
#define _IRQL_always_function_max_(Level)
#define _IRQL_raises_(Level)
#define _IRQL_saves_
#define _IRQL_restores_
#define _IRQL_saves_global_(Kind, Parameter)
#define _IRQL_restores_global_(Kind, Parameter)
#define _IRQL_uses_cancel_
#define _IRQL_is_cancel_

#define _Function_class_(Name)
#define _Dispatch_type_(Type)
#define _Kernel_clear_do_init_(Answer)
#define _Kernel_float_saved_
#define _Kernel_IoGetDmaAdapter_
#define __drv_aliasesMem
#define __drv_allocatesMem(Kind)
#define __drv_freesMem(Kind)
#define __drv_maxIRQL(Level)
#define __drv_strictTypeMatch(Mode)

#define _Guarded_by_(Lock)
#define _Write_guarded_by_(Lock)
#define _Acquires_lock_(Lock)
#define _Releases_lock_(Lock)
#define _Requires_lock_held_(Lock)
#define _Requires_lock_not_held_(Lock)
#define _Acquires_exclusive_lock_(Lock)
#define _Releases_exclusive_lock_(Lock)
#define _Acquires_shared_lock_(Lock)
#define _Releases_shared_lock_(Lock)
#define _Requires_exclusive_lock_held_(Lock)
#define _Requires_shared_lock_held_(Lock)
#define _Has_lock_kind_(Kind)
#define _Has_lock_level_(Level)
#define _Lock_level_order_(First, Second)
#define _Create_lock_level_(Level)
#define _Acquires_nonreentrant_lock_(Lock)
#define _Releases_nonreentrant_lock_(Lock)

#define __analysis_assume(Expression)

#endif
