/*
 * Creates, while somebody listens to what is opened, and cleanups.
 */
#include "minifilter/instance.h"

/*
 * Whether a create may open a file stream: not the volume, which has no name; not a paging file, whose stream takes no contexts; not the
 * directory that a rename moves a file to, under the file's name.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static BOOLEAN
    PsctxIsStreamOpened(_In_ const FLT_CALLBACK_DATA *Data, _In_ const FILE_OBJECT *FileObject)
{
    PAGED_CODE();

    return (FileObject->FileName.Length != 0 || FileObject->RelatedFileObject != NULL) &&
           !FlagOn(Data->Iopb->OperationFlags, SL_OPEN_PAGING_FILE | SL_OPEN_TARGET_DIRECTORY);
}

/*
 * Asks the listener whether it wants to know more of a create on a volume. Options as in the request. FALSE, too, where the volume's context is
 * gone: its instance goes. [fltkernel/nf-fltkernel-fltgetvolumecontext]
 */
_IRQL_requires_(PASSIVE_LEVEL) _Success_(return) PSCTX_PAGE static BOOLEAN
    PsctxListenToOpen(_In_ PCFLT_RELATED_OBJECTS FltObjects, _In_ ULONG Options, _In_ BOOLEAN NameIsGone,
                      _Out_ PPSCTX_OPEN Open)
{
    PFLT_CONTEXT context;
    BOOLEAN redirector;

    PAGED_CODE();

    if (!NT_SUCCESS(FltGetVolumeContext(FltObjects->Filter, FltObjects->Volume, &context))) {
        return FALSE;
    }
    Open->VolumeDevice = ((PPSCTX_VOLUME_CONTEXT)context)->Volume.Device;
    redirector = ((PPSCTX_VOLUME_CONTEXT)context)->Redirector;
    FltReleaseContext(context);
    return PsctxListening.Listener->OpenBegins(FltObjects->FileObject,
                                               NameIsGone ? Options | FILE_OPEN_BY_FILE_ID : Options, redirector, Open);
}

/*
 * A file is about to be opened. What the listener knows of it waits for the file system in memory of its own: that of the stack is gone by
 * then. Without, it is asked again afterwards. PASSIVE_LEVEL, in the thread that opens. [fltkernel/nc-fltkernel-pflt_pre_operation_callback]
 */
PSCTX_PAGE _Use_decl_annotations_ FLT_PREOP_CALLBACK_STATUS FLTAPI PsctxPreCreate(PFLT_CALLBACK_DATA Data,
                                                                                  PCFLT_RELATED_OBJECTS FltObjects,
                                                                                  PVOID *CompletionContext)
{
    PSCTX_OPEN open;
    PPSCTX_OPEN kept;

    PAGED_CODE();

    if (ReadNoFence(&PsctxListening.Opens) == 0 || !PsctxIsStreamOpened(Data, FltObjects->FileObject) ||
        !PsctxListenToOpen(FltObjects, Data->Iopb->Parameters.Create.Options, FALSE, &open)) {
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    }
    kept = PsctxAllocate(PagedPool, sizeof(*kept));
    if (kept != NULL) {
        *kept = open;
    } else {
        PsctxListening.Listener->OpenEnds(&open);
    }
    *CompletionContext = kept;
    return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

/*
 * Whether an open has succeeded: not one of something else that the I/O manager opens after a reparse.
 */
static BOOLEAN PsctxHasOpened(_In_ const FLT_CALLBACK_DATA *Data)
{
    return NT_SUCCESS(Data->IoStatus.Status) && Data->IoStatus.Status != STATUS_REPARSE;
}

/*
 * The name of a file that has just been opened, for FltReleaseFileNameInformation: as the directories have it, else as it was opened by. A
 * redirector might ask its server for the normalised name, and answers without one. The statuses of FltGetFileNameInformation:
 * STATUS_FLT_INVALID_NAME_REQUEST where asking would not be safe. [fltkernel/nf-fltkernel-fltgetfilenameinformation]
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static NTSTATUS
    PsctxQueryName(_In_ PFLT_CALLBACK_DATA Data, _In_ BOOLEAN Redirector,
                   _Outptr_ PFLT_FILE_NAME_INFORMATION *Information)
{
    NTSTATUS status = STATUS_UNSUCCESSFUL;

    PAGED_CODE();

    if (!Redirector) {
        status = FltGetFileNameInformation(Data, FLT_FILE_NAME_NORMALIZED | FLT_FILE_NAME_QUERY_DEFAULT, Information);
    }
    if (!NT_SUCCESS(status)) {
        status = FltGetFileNameInformation(Data, FLT_FILE_NAME_OPENED | FLT_FILE_NAME_QUERY_DEFAULT, Information);
    }
    return status;
}

/*
 * What names the file in what Filter Manager tells, from the volume's root on (from the server, a redirector's). FALSE if that is no name.
 * [fltkernel/ns-fltkernel-_flt_file_name_information]
 */
PSCTX_PAGE static BOOLEAN PsctxCutName(_In_ const FLT_FILE_NAME_INFORMATION *Information, _In_ BOOLEAN Redirector,
                                       _Out_ PUNICODE_STRING Name)
{
    const USHORT volume = Information->Volume.Length;

    PAGED_CODE();

    *Name = Information->Name;
    if (Name->Length <= volume || Name->Buffer[volume / sizeof(WCHAR)] != L'\\') {
        return FALSE;
    }
    Name->Buffer += volume / sizeof(WCHAR);
    Name->Length = (USHORT)(Name->Length - volume);
    PsctxTrimName(Redirector, Name);
    return TRUE;
}

/*
 * A create has succeeded that somebody wants to know more of. It has succeeded whatever becomes of its tracking.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static VOID
    PsctxTellSuccess(_In_ PFLT_CALLBACK_DATA Data, _In_ PFILE_OBJECT FileObject, _In_ const PSCTX_OPEN *Open)
{
    PFLT_FILE_NAME_INFORMATION information;
    PSCTX_STREAM stream;
    UNICODE_STRING name;
    BOOLEAN redirector;
    BOOLEAN named;
    ULONG support;
    NTSTATUS status;

    PAGED_CODE();

    support = PsctxExamineStream(FileObject, &stream);
    if (support == PSCTX_SUPPORT_NOT_A_FILE_SYSTEM || support == PSCTX_SUPPORT_VOLUME) {
        return;
    }
    redirector = stream.DeviceType == FILE_DEVICE_NETWORK_FILE_SYSTEM;
    status = PsctxQueryName(Data, redirector, &information);
    named = NT_SUCCESS(status) && PsctxCutName(information, redirector, &name);
    PsctxListening.Listener->OpenSucceeds(Open, support == PSCTX_SUPPORT_YES ? &stream : NULL, named ? &name : NULL);
    if (NT_SUCCESS(status)) {
        FltReleaseFileNameInformation(information);
    }
}

/*
 * A create that was listened to is over, and its stream gets its contexts before the opener has its handle. PASSIVE_LEVEL, in the thread that
 * opens; but where the instance goes meanwhile, at <= APC_LEVEL, with the create still on its way: then it is given up.
 * [fltkernel/nc-fltkernel-pflt_post_operation_callback]
 */
PSCTX_PAGE _Use_decl_annotations_ FLT_POSTOP_CALLBACK_STATUS FLTAPI PsctxPostCreate(PFLT_CALLBACK_DATA Data,
                                                                                    PCFLT_RELATED_OBJECTS FltObjects,
                                                                                    PVOID CompletionContext,
                                                                                    FLT_POST_OPERATION_FLAGS Flags)
{
    const BOOLEAN succeeded = !FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING) && PsctxHasOpened(Data);
    PPSCTX_OPEN open = CompletionContext;
    PSCTX_OPEN forgotten;

    PAGED_CODE();

    if (open == NULL && succeeded &&
        PsctxListenToOpen(FltObjects, Data->Iopb->Parameters.Create.Options, TRUE, &forgotten)) {
        open = &forgotten;
    }
    if (open != NULL) {
        if (succeeded) {
            PsctxTellSuccess(Data, FltObjects->FileObject, open);
        }
        PsctxListening.Listener->OpenEnds(open);
    }
    PsctxFree(CompletionContext);
    return FLT_POSTOP_FINISHED_PROCESSING;
}

/*
 * The last handle of an open is closed. PASSIVE_LEVEL.
 */
PSCTX_PAGE _Use_decl_annotations_ FLT_PREOP_CALLBACK_STATUS FLTAPI PsctxPreCleanup(PFLT_CALLBACK_DATA Data,
                                                                                   PCFLT_RELATED_OBJECTS FltObjects,
                                                                                   PVOID *CompletionContext)
{
    UNREFERENCED_PARAMETER(Data);
    UNREFERENCED_PARAMETER(CompletionContext);

    PAGED_CODE();

    if (ReadNoFence(&PsctxListening.Cleanups) != 0) {
        PsctxListening.Listener->Cleanup(FltObjects->FileObject);
    }
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}
