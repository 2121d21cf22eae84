/*
 * The operation INSPECT: every per-stream context on a stream's list, whoever's it is.
 *
 * Another filter's context may be freed as soon as the lock of the list is dropped: under it nothing is done but copy
 * what FsRtl itself keeps in a context, and afterwards that is compared and hashed, never followed. Ours are kept by their shard's
 * lock, which is taken first, as everywhere.
 */
#include "inspect.h"

/* More than that fit into no reply. */
#define PSCTX_MAXIMUM_INSPECTED \
    ((PSCTX_MAXIMUM_TRANSFER - (ULONG)sizeof(PSCTX_INSPECT_REPLY)) / (ULONG)sizeof(PSCTX_INSPECT_ENTRY))
#define PSCTX_USUALLY_INSPECTED 32u

/* What is known of one context of the list. */
typedef struct _PSCTX_INSPECTED {
    ULONG_PTR Context; /* its address */
    ULONG_PTR OwnerId; /* of ours: the address of the owner */
    ULONG_PTR InstanceId;
    ULONG_PTR FreeCallback;
    ULONG64 OwnerKey;
    ULONG64 Instance;
    ULONG64 Sequence;
    ULONG64 CallbackOffset;
    ULONG Holder;
    ULONG DataLength;
    ULONG Module; /* its number, if HasModule */
    BOOLEAN HasModule;
} PSCTX_INSPECTED, *PPSCTX_INSPECTED;

typedef struct _PSCTX_INSPECTION {
    PPSCTX_INSPECTED Contexts; /* in the order of the list */
    ULONG Count;
    PSCTX_MODULES Modules;
    PSCTX_DEVICE_STACK Stack;
} PSCTX_INSPECTION, *PPSCTX_INSPECTION;

/*
 * Makes ready what inspections need. It holds nothing that would have to be given back.
 */
PSCTX_INIT _Use_decl_annotations_ VOID PsctxStartInspection(VOID)
{
    PAGED_CODE();

    PsctxStartListLocks();
    PsctxStartModules();
    PsctxStartTokens();
}

/*
 * Copies what FsRtl keeps in each context of the list, as far as there is room; the list's lock is held. Returns how
 * many there are, at most one more than PSCTX_MAXIMUM_INSPECTED. STATUS_DATA_ERROR: the list is not linked both ways;
 * none is followed further then.
 */
_IRQL_requires_max_(APC_LEVEL) PSCTX_PAGE static NTSTATUS
    PsctxCopyList(_In_ const LIST_ENTRY *Head, _Out_writes_to_(Capacity, *Count) PPSCTX_INSPECTED Contexts,
                  _In_ ULONG Capacity, _Out_ PULONG Count)
{
    const LIST_ENTRY *previous = Head;
    const LIST_ENTRY *entry;
    ULONG count = 0;

    for (entry = Head->Flink; entry != Head && count <= PSCTX_MAXIMUM_INSPECTED; entry = entry->Flink) {
        const FSRTL_PER_STREAM_CONTEXT *context;

        if (entry == NULL || entry->Blink != previous) {
            *Count = 0;
            return STATUS_DATA_ERROR;
        }
        if (count < Capacity) {
            context = CONTAINING_RECORD(entry, FSRTL_PER_STREAM_CONTEXT, Links);
            Contexts[count].Context = (ULONG_PTR)context;
            Contexts[count].OwnerId = (ULONG_PTR)context->OwnerId;
            Contexts[count].InstanceId = (ULONG_PTR)context->InstanceId;
            Contexts[count].FreeCallback = (ULONG_PTR)context->FreeCallback;
        }
        count += 1;
        previous = entry;
    }
    *Count = count;
    return STATUS_SUCCESS;
}

/*
 * Tells ours from others'; the shard is locked. No other driver's context has our FreeCallback, and one of ours that was on the
 * list is kept by the lock: whoever has taken it off since waits for that.
 */
_IRQL_requires_(APC_LEVEL) PSCTX_PAGE static VOID
    PsctxTellHolder(_Inout_ PPSCTX_INSPECTED Inspected, _In_ PPSCTX_SESSION Session)
{
    const PSCTX_CONTEXT *context;

    PAGED_CODE();

    if (!PsctxIsOwnCallback(Inspected->FreeCallback)) {
        Inspected->Holder = PSCTX_HOLDER_OTHER_FILTER;
        return;
    }
    context = CONTAINING_RECORD(Inspected->Context, PSCTX_CONTEXT, PerStreamContext);
    Inspected->OwnerId = (ULONG_PTR)context->Owner;
    Inspected->Holder = PSCTX_HOLDER_OTHER_SESSION;
    Inspected->Instance = context->Instance;
    if (context->Owner->Session == Session) {
        Inspected->Holder = PSCTX_HOLDER_SELF;
        Inspected->OwnerKey = context->Owner->Key;
        Inspected->Sequence = context->Sequence;
        Inspected->DataLength = context->DataLength;
    }
}

/*
 * Takes one look at the list, with room for Capacity contexts. Those of PsctxCopyList.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static NTSTATUS
    PsctxLookAtList(_In_ const PSCTX_STREAM *Stream, _Inout_ PPSCTX_LIST_LOCK Lock, _In_ PPSCTX_SESSION Session,
                    _Out_writes_to_(Capacity, *Count) PPSCTX_INSPECTED Contexts, _In_ ULONG Capacity,
                    _Out_ PULONG Count)
{
    const PPSCTX_SHARD shard = PsctxLockShard(Stream->Header);
    ULONG index;
    NTSTATUS status;

    PsctxAcquireListLock(Lock);
    status = PsctxCopyList(&Stream->Header->FilterContexts, Contexts, Capacity, Count);
    PsctxReleaseListLock(Lock);
    for (index = 0; index < *Count && index < Capacity; index += 1) {
        PsctxTellHolder(&Contexts[index], Session);
    }
    PsctxUnlockShard(shard);
    return status;
}

/*
 * The contexts on a stream's list at one moment, in memory that the caller gives to PsctxFree. More than
 * PSCTX_MAXIMUM_INSPECTED: none, and Count says so. STATUS_INSUFFICIENT_RESOURCES, STATUS_DATA_ERROR.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static NTSTATUS
    PsctxCaptureList(_In_ const PSCTX_STREAM *Stream, _Inout_ PPSCTX_LIST_LOCK Lock, _In_ PPSCTX_SESSION Session,
                     _Outptr_result_maybenull_ PPSCTX_INSPECTED *Contexts, _Out_ PULONG Count)
{
    ULONG capacity = PSCTX_USUALLY_INSPECTED;
    PPSCTX_INSPECTED contexts;
    NTSTATUS status;

    PAGED_CODE();

    *Contexts = NULL;
    *Count = 0;
    for (;;) {
        contexts = PsctxAllocate(NonPagedPool, (SIZE_T)capacity * sizeof(*contexts));
        if (contexts == NULL) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        status = PsctxLookAtList(Stream, Lock, Session, contexts, capacity, Count);
        if (NT_SUCCESS(status) && *Count <= capacity) {
            *Contexts = contexts;
            return STATUS_SUCCESS;
        }
        PsctxFree(contexts);
        if (!NT_SUCCESS(status) || *Count > PSCTX_MAXIMUM_INSPECTED) {
            return status;
        }
        capacity = min(2 * *Count, PSCTX_MAXIMUM_INSPECTED);
    }
}

/*
 * Finds the images that the FreeCallbacks lie in; neighbours on a list often share one.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static VOID PsctxTellModules(_Inout_ PPSCTX_INSPECTION Inspection)
{
    ULONG index;

    PAGED_CODE();

    for (index = 0; index < Inspection->Count; index += 1) {
        const PPSCTX_INSPECTED inspected = &Inspection->Contexts[index];

        if (index != 0 && inspected->FreeCallback == inspected[-1].FreeCallback) {
            inspected->HasModule = inspected[-1].HasModule;
            inspected->Module = inspected[-1].Module;
            inspected->CallbackOffset = inspected[-1].CallbackOffset;
        } else {
            inspected->HasModule = PsctxFindModule(&Inspection->Modules, inspected->FreeCallback, &inspected->Module,
                                                   &inspected->CallbackOffset);
        }
    }
}

/*
 * Writes the entry of one context, if it fits into Capacity bytes, and returns how many it takes. Of ours OwnerId is
 * their own affair, so that no driver's object is looked for.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static ULONG
    PsctxWriteInspected(_In_ const PSCTX_INSPECTION *Inspection, _In_ const PSCTX_INSPECTED *Inspected,
                        _Out_writes_bytes_(Capacity) PSCTX_INSPECT_ENTRY *Entry, _In_ ULONG Capacity)
{
    const BOOLEAN own = Inspected->Holder != PSCTX_HOLDER_OTHER_FILTER;
    ULONG kind = PSCTX_OWNER_UNKNOWN;
    UNICODE_STRING ownerName = {0};
    ULONG moduleLength = 0;
    ULONG size;

    PAGED_CODE();

    if (!own) {
        kind = PsctxFindOwnerOfId(&Inspection->Stack, Inspected->OwnerId, &ownerName);
    }
    if (Inspected->HasModule) {
        moduleLength = PsctxGetModuleName(&Inspection->Modules, Inspected->Module, NULL, 0);
    }
    size = (ULONG)ALIGN_UP_BY(sizeof(*Entry) + moduleLength + ownerName.Length, sizeof(ULONG64));
    if (size > Capacity) {
        return size;
    }

    RtlZeroMemory(Entry, size);
    Entry->Size = size;
    Entry->Holder = Inspected->Holder;
    Entry->OwnerKey = Inspected->OwnerKey;
    Entry->Sequence = Inspected->Sequence;
    Entry->DataLength = Inspected->DataLength;
    Entry->OwnerToken = PsctxMakeToken(Inspected->OwnerId);
    Entry->InstanceToken =
        own ? PsctxMakePairToken(Inspected->OwnerId, Inspected->Instance) : PsctxMakeToken(Inspected->InstanceId);
    if (Inspected->Holder == PSCTX_HOLDER_SELF) {
        Entry->Instance = Inspected->Instance;
    }
    Entry->OwnerKind = kind;
    if (moduleLength != 0) {
        Entry->CallbackOffset = Inspected->CallbackOffset;
        Entry->ModuleLength =
            PsctxGetModuleName(&Inspection->Modules, Inspected->Module, (PWCH)(Entry + 1), moduleLength);
    }
    Entry->OwnerNameLength = ownerName.Length;
    if (ownerName.Length != 0) {
        RtlCopyMemory((PUCHAR)(Entry + 1) + moduleLength, ownerName.Buffer, ownerName.Length);
    }
    return size;
}

/*
 * Writes the reply. STATUS_BUFFER_OVERFLOW, with none of the contexts and what would do in Remaining, if they do not all fit.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static NTSTATUS
    PsctxTellInspection(_In_ const PSCTX_INSPECTION *Inspection, _Inout_ PPSCTX_REQUEST Request)
{
    PSCTX_INSPECT_REPLY *reply = Request->Output;
    ULONG used = sizeof(*reply);
    BOOLEAN fits = TRUE;
    ULONG index;

    PAGED_CODE();

    RtlZeroMemory(reply, sizeof(*reply));
    for (index = 0; index < Inspection->Count; index += 1) {
        const ULONG capacity = fits ? Request->OutputLength - used : 0;
        const ULONG size =
            PsctxWriteInspected(Inspection, &Inspection->Contexts[index],
                                (PSCTX_INSPECT_ENTRY *)((PUCHAR)Request->Output + (fits ? used : 0)), capacity);

        fits = fits && size <= capacity;
        used += size;
    }
    if (!fits) {
        reply->Remaining = used;
        PsctxSetReplyHeader(Request, sizeof(*reply));
        return STATUS_BUFFER_OVERFLOW;
    }
    reply->Count = Inspection->Count;
    PsctxSetReplyHeader(Request, used);
    return STATUS_SUCCESS;
}

/*
 * STATUS_NOT_SUPPORTED: how the list is guarded is not known. STATUS_BUFFER_OVERFLOW with PSCTX_INSPECT_REPLY.Remaining, which is
 * more than PSCTX_MAXIMUM_TRANSFER where no reply is long enough. STATUS_DATA_ERROR: the list is corrupt.
 * STATUS_INSUFFICIENT_RESOURCES. Those of PsctxOpenStream.
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxHandleInspect(PPSCTX_REQUEST Request)
{
    const PSCTX_STREAM_REQUEST *input = Request->Input;
    PSCTX_INSPECTION inspection = {0};
    PSCTX_LIST_LOCK lock;
    PSCTX_STREAM stream;
    NTSTATUS status;

    PAGED_CODE();

    status = PsctxOpenStream(input->Handle, &stream);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = PsctxFindListLock(stream.Header, &lock);
    if (!NT_SUCCESS(status)) {
        goto CloseStream;
    }
    status = PsctxCaptureList(&stream, &lock, Request->Session, &inspection.Contexts, &inspection.Count);
    if (!NT_SUCCESS(status)) {
        goto CloseStream;
    }
    if (inspection.Count > PSCTX_MAXIMUM_INSPECTED) {
        PSCTX_INSPECT_REPLY *reply = Request->Output;

        RtlZeroMemory(reply, sizeof(*reply));
        reply->Remaining = (ULONG)sizeof(*reply) + inspection.Count * (ULONG)sizeof(PSCTX_INSPECT_ENTRY);
        PsctxSetReplyHeader(Request, sizeof(*reply));
        status = STATUS_BUFFER_OVERFLOW;
        goto CloseStream;
    }
    status = PsctxQueryModules(&inspection.Modules);
    if (!NT_SUCCESS(status)) {
        goto FreeContexts;
    }
    status = PsctxReferenceDeviceStack(stream.FileObject, &inspection.Stack);
    if (!NT_SUCCESS(status)) {
        goto FreeModules;
    }
    PsctxTellModules(&inspection);
    status = PsctxTellInspection(&inspection, Request);

    PsctxDereferenceDeviceStack(&inspection.Stack);
FreeModules:
    PsctxFreeModules(&inspection.Modules);
FreeContexts:
    PsctxFree(inspection.Contexts);
CloseStream:
    PsctxCloseStream(&stream);
    return status;
}
