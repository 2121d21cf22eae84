/*
 * Reads and writes, while somebody listens to them: those of programs, not the memory manager's. At whatever IRQL and in the context that they
 * come in, up to DISPATCH_LEVEL: nothing here is pageable or can fail.
 */
#include "minifilter/instance.h"

/*
 * Tells of one, whichever way it came.
 */
static VOID PsctxTellTransfer(_In_ const FLT_IO_PARAMETER_BLOCK *Block, _In_ PFILE_OBJECT FileObject)
{
    const FLT_PARAMETERS *parameters = &Block->Parameters;

    switch (Block->MajorFunction) {
    case IRP_MJ_READ:
        PsctxListening.Listener->Transfer(FileObject, FALSE, parameters->Read.Length);
        break;
    case IRP_MJ_MDL_READ:
        PsctxListening.Listener->Transfer(FileObject, FALSE, parameters->MdlRead.Length);
        break;
    case IRP_MJ_WRITE:
        PsctxListening.Listener->Transfer(FileObject, TRUE, parameters->Write.Length);
        break;
    case IRP_MJ_PREPARE_MDL_WRITE:
        PsctxListening.Listener->Transfer(FileObject, TRUE, parameters->PrepareMdlWrite.Length);
        break;
    default:
        break;
    }
}

/*
 * A request is told of before the file system has it, but for those that end one that was told of; fast I/O when it is over.
 * [ifs/irp-mj-read, ifs/irp-mj-write]
 */
_Use_decl_annotations_ FLT_PREOP_CALLBACK_STATUS FLTAPI PsctxPreTransfer(PFLT_CALLBACK_DATA Data,
                                                                         PCFLT_RELATED_OBJECTS FltObjects,
                                                                         PVOID *CompletionContext)
{
    UNREFERENCED_PARAMETER(CompletionContext);

    if (ReadNoFence(&PsctxListening.Transfers) == 0 || FltObjects->FileObject == NULL) {
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    }
    if (!FLT_IS_IRP_OPERATION(Data)) {
        return FLT_PREOP_SUCCESS_WITH_CALLBACK;
    }
    if (!FlagOn(Data->Iopb->MinorFunction, IRP_MN_COMPLETE)) {
        PsctxTellTransfer(Data->Iopb, FltObjects->FileObject);
    }
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

/*
 * Fast I/O is over. Where the file system has not done it, an IRP comes, and is told of. [fltkernel/ns-fltkernel-_flt_callback_data]
 */
_Use_decl_annotations_ FLT_POSTOP_CALLBACK_STATUS FLTAPI PsctxPostTransfer(PFLT_CALLBACK_DATA Data,
                                                                           PCFLT_RELATED_OBJECTS FltObjects,
                                                                           PVOID CompletionContext,
                                                                           FLT_POST_OPERATION_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(CompletionContext);

    if (!FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING) && Data->IoStatus.Status != STATUS_FLT_DISALLOW_FAST_IO) {
        PsctxTellTransfer(Data->Iopb, FltObjects->FileObject);
    }
    return FLT_POSTOP_FINISHED_PROCESSING;
}
