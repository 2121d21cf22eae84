/*
 * Every per-stream context on a stream's list, whoever's it is.
 *
 * Another filter's context may be freed as soon as the lock of the list is dropped: under it nothing is done but copy
 * what FsRtl itself keeps in a context, and afterwards that is compared and hashed, never followed. Ours are kept by their shard's
 * lock, which is taken first, as everywhere.
 */
#include "inspection/inspection.h"

#define PSCTX_USUALLY_INSPECTED 32u

/*
 * Makes ready what inspections need. It holds nothing that would have to be given back.
 */
PSCTX_INIT _Use_decl_annotations_ VOID PsctxStartInspection(VOID)
{
    PAGED_CODE();

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
    for (index = 0; NT_SUCCESS(status) && index < *Count && index < Capacity; index += 1) {
        PsctxTellHolder(&Contexts[index], Session);
    }
    PsctxUnlockShard(shard);
    return status;
}

/*
 * The contexts on a stream's list at one moment, in memory that the caller gives to PsctxFree. More than
 * PSCTX_MAXIMUM_INSPECTED: Contexts stays as it is, and Count says so. STATUS_INSUFFICIENT_RESOURCES, STATUS_DATA_ERROR.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static NTSTATUS
    PsctxCaptureList(_In_ const PSCTX_STREAM *Stream, _Inout_ PPSCTX_LIST_LOCK Lock, _In_ PPSCTX_SESSION Session,
                     _Inout_ PPSCTX_INSPECTED *Contexts, _Out_ PULONG Count)
{
    ULONG capacity = PSCTX_USUALLY_INSPECTED;
    PPSCTX_INSPECTED contexts;
    NTSTATUS status;

    PAGED_CODE();

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
    const PSCTX_INSPECTED *previous = NULL;
    ULONG index;

    PAGED_CODE();

    for (index = 0; index < Inspection->Count; index += 1) {
        const PPSCTX_INSPECTED inspected = &Inspection->Contexts[index];

        if (previous != NULL && inspected->FreeCallback == previous->FreeCallback) {
            inspected->HasModule = previous->HasModule;
            inspected->Module = previous->Module;
            inspected->CallbackOffset = previous->CallbackOffset;
        } else {
            inspected->HasModule = PsctxFindModule(&Inspection->Modules, inspected->FreeCallback, &inspected->Module,
                                                   &inspected->CallbackOffset);
        }
        previous = inspected;
    }
}

/*
 * Writes the entry of one context, if it fits into Capacity bytes, and returns how many it takes. Of ours OwnerId is
 * their own affair, so that no driver's object is looked for.
 */
PSCTX_PAGE _Use_decl_annotations_ ULONG PsctxWriteInspected(const PSCTX_INSPECTION *Inspection,
                                                            const PSCTX_INSPECTED *Inspected,
                                                            PSCTX_INSPECT_ENTRY *Entry, ULONG Capacity)
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
 * Looks at a stream's list for a session, and at whose contexts are on it; PsctxFreeInspection frees what has been found. More than
 * PSCTX_MAXIMUM_INSPECTED: none, and Count says so.
 *
 * STATUS_NOT_SUPPORTED: how the list is guarded is not known. STATUS_DATA_ERROR: the list is corrupt. STATUS_INSUFFICIENT_RESOURCES.
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxInspect(const PSCTX_STREAM *Stream, PPSCTX_SESSION Session,
                                                        PPSCTX_INSPECTION Inspection)
{
    PSCTX_LIST_LOCK lock;
    NTSTATUS status;

    PAGED_CODE();

    RtlZeroMemory(Inspection, sizeof(*Inspection));
    status = PsctxFindListLock(Stream->Header, &lock);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = PsctxCaptureList(Stream, &lock, Session, &Inspection->Contexts, &Inspection->Count);
    if (!NT_SUCCESS(status) || Inspection->Count > PSCTX_MAXIMUM_INSPECTED) {
        return status;
    }
    status = PsctxQueryModules(&Inspection->Modules);
    if (!NT_SUCCESS(status)) {
        goto FreeContexts;
    }
    status = PsctxReferenceDeviceStack(Stream->FileObject, &Inspection->Stack);
    if (!NT_SUCCESS(status)) {
        goto FreeModules;
    }
    PsctxTellModules(Inspection);
    return STATUS_SUCCESS;

FreeModules:
    PsctxFreeModules(&Inspection->Modules);
FreeContexts:
    PsctxFree(Inspection->Contexts);
    return status;
}

PSCTX_PAGE _Use_decl_annotations_ VOID PsctxFreeInspection(const PSCTX_INSPECTION *Inspection)
{
    PAGED_CODE();

    PsctxDereferenceDeviceStack(&Inspection->Stack);
    PsctxFreeModules(&Inspection->Modules);
    PsctxFree(Inspection->Contexts);
}
