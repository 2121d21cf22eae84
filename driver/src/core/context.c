/*
 * Our per-stream contexts: hung on streams and taken off them through FsRtl, and found again through the index.
 *
 * The lock of a stream's shard makes look-up-then-insert one step and keeps a context alive while its
 * data is copied: whoever frees a linked context, FreeCallback included, must first get that lock to unlink it.
 *
 * That is also why Header may be used without a file object while a context is linked here and its shard is locked: a file system
 * that tears the stream down cannot free the header before every FreeCallback has returned, and ours waits for the lock.
 * All of that rests on the file system: one that frees a header without FsRtlTeardownPerStreamContexts leaves every filter
 * with contexts on freed memory. Where that is known of it, each context holds a reference on the file object it was inserted through,
 * so that its stream stays; nothing but a removal or its session's end then ends it.
 */
#include "core/index.h"

static FREE_FUNCTION PsctxTearDownContext;

/* Contexts that were torn down with their anchors, linked by Links.Flink. */
static PVOID volatile PsctxAnchoredContexts;

/* What stands behind a context is aligned: see PSCTX_CONTEXT. */
C_ASSERT(sizeof(PSCTX_CONTEXT) % sizeof(ULONG64) == 0);

static ULONG PsctxTrackingSize(_In_ ULONG Tracked)
{
    return Tracked == PSCTX_TRACKED_COUNTED ? (ULONG)sizeof(PSCTX_TRACKING) : 0;
}

/*
 * What a context counts of its stream, or NULL if it does not count. Valid as the context is.
 */
_Use_decl_annotations_ PPSCTX_TRACKING PsctxContextTracking(PPSCTX_CONTEXT Context)
{
    return Context->Tracked == PSCTX_TRACKED_COUNTED ? (PPSCTX_TRACKING)(Context + 1) : NULL;
}

static PUCHAR PsctxContextData(_In_ PPSCTX_CONTEXT Context)
{
    return (PUCHAR)(Context + 1) + PsctxTrackingSize(Context->Tracked);
}

/*
 * The name, NameLength bytes, that a context was inserted with.
 */
_Use_decl_annotations_ PUCHAR PsctxContextName(PPSCTX_CONTEXT Context)
{
    return PsctxContextData(Context) + ALIGN_UP_BY(Context->DataLength, sizeof(WCHAR));
}

/*
 * Bytes of pool that a context with this much data and name takes. At most 160 + 64 + 65536 + 65534: no overflow.
 */
static ULONG PsctxSizeWith(_In_ ULONG Tracked, _In_ ULONG DataLength, _In_ USHORT NameLength)
{
    return (ULONG)(sizeof(PSCTX_CONTEXT) + PsctxTrackingSize(Tracked) + ALIGN_UP_BY(DataLength, sizeof(WCHAR)) +
                   NameLength);
}

_Use_decl_annotations_ ULONG PsctxContextSize(const PSCTX_CONTEXT *Context)
{
    return PsctxSizeWith(Context->Tracked, Context->DataLength, Context->NameLength);
}

/*
 * Disposes of a context that is linked nowhere, and of what it holds but the driver: its share of the accounts, its session, its anchor,
 * whose file may be closed with it: PASSIVE_LEVEL then, no lock held, and not from a FreeCallback.
 */
PSCTX_PAGE static VOID PsctxDisposeOfContext(_In_ PPSCTX_CONTEXT Context)
{
    const PPSCTX_SESSION session = Context->Owner->Session;
    const PFILE_OBJECT anchor = Context->Anchor;
    const ULONG size = PsctxContextSize(Context);

    PAGED_CODE();

    PsctxDischargeContext(&session->Account, Context->Pool, size);
    if (Context->Tracked != PSCTX_TRACKED_NO) {
        PsctxDischargeTracked(&session->TrackedAccount, Context->Pool, size);
    }
    PsctxFree(Context);
    if (anchor != NULL) {
        ObDereferenceObject(anchor);
    }
    PsctxDereferenceSession(session);
}

/*
 * Likewise, and gives up its hold on the driver.
 */
PSCTX_PAGE static VOID PsctxFreeContext(_In_opt_ PPSCTX_CONTEXT Context)
{
    PAGED_CODE();

    if (Context == NULL) {
        return;
    }
    PsctxDisposeOfContext(Context);
    ExReleaseRundownProtection(&PsctxGlobals.Rundown);
}

/*
 * Frees the contexts that were torn down with their anchors, whose FreeCallback has given up their hold on the driver: where a client's request
 * may close files, and once more when every FreeCallback is over.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxFreeAnchoredContexts(VOID)
{
    PLIST_ENTRY entry = InterlockedExchangePointer(&PsctxAnchoredContexts, NULL);

    PAGED_CODE();

    while (entry != NULL) {
        const PPSCTX_CONTEXT context = CONTAINING_RECORD(entry, PSCTX_CONTEXT, Links);

        entry = entry->Flink;
        PsctxDisposeOfContext(context);
    }
}

/*
 * A context with everything but its place on a stream. PsctxFreeContext frees it.
 * STATUS_QUOTA_EXCEEDED, STATUS_INSUFFICIENT_RESOURCES, STATUS_DELETE_PENDING while the driver unloads.
 */
PSCTX_PAGE static NTSTATUS PsctxCreateContext(_In_ const PSCTX_INSERTION *Insertion, _Outptr_ PPSCTX_CONTEXT *Context)
{
    const ULONG size = PsctxSizeWith(Insertion->Tracked, Insertion->DataLength, Insertion->Name.Length);
    PPSCTX_CONTEXT context;
    PPSCTX_OWNER owner;
    NTSTATUS status;

    PAGED_CODE();

    status = PsctxGetOwner(Insertion->Session, Insertion->OwnerKey, &owner);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    if (!ExAcquireRundownProtection(&PsctxGlobals.Rundown)) {
        return STATUS_DELETE_PENDING;
    }
    if (!PsctxChargeContext(&Insertion->Session->Account, Insertion->Pool, size)) {
        status = STATUS_QUOTA_EXCEEDED;
        goto ReleaseRundown;
    }
    if (Insertion->Tracked != PSCTX_TRACKED_NO &&
        !PsctxChargeTracked(&Insertion->Session->TrackedAccount, Insertion->Pool, size)) {
        status = STATUS_QUOTA_EXCEEDED;
        goto Discharge;
    }
    context =
        PsctxAllocate(Insertion->Pool == PSCTX_POOL_PAGED ? PagedPoolCacheAligned : NonPagedPoolCacheAligned, size);
    if (context == NULL) {
        status = STATUS_INSUFFICIENT_RESOURCES;
        goto DischargeTracked;
    }

    PsctxReferenceSession(Insertion->Session);
    context->Owner = owner;
    context->Instance = Insertion->Instance;
    context->DataLength = Insertion->DataLength;
    context->NameLength = Insertion->Name.Length;
    context->Pool = (UCHAR)Insertion->Pool;
    context->Lifetime = (UCHAR)Insertion->Lifetime;
    context->Tracked = (UCHAR)Insertion->Tracked;
    context->NameTruncated = Insertion->NameTruncated;
    if (Insertion->DataLength != 0) {
        RtlCopyMemory(PsctxContextData(context), Insertion->Data, Insertion->DataLength);
    }
    if (Insertion->Name.Length != 0) {
        RtlCopyMemory(PsctxContextName(context), Insertion->Name.Buffer, Insertion->Name.Length);
    }
    *Context = context;
    return STATUS_SUCCESS;

DischargeTracked:
    if (Insertion->Tracked != PSCTX_TRACKED_NO) {
        PsctxDischargeTracked(&Insertion->Session->TrackedAccount, Insertion->Pool, size);
    }
Discharge:
    PsctxDischargeContext(&Insertion->Session->Account, Insertion->Pool, size);
ReleaseRundown:
    ExReleaseRundownProtection(&PsctxGlobals.Rundown);
    return status;
}

/*
 * Whether a linked context of some stream is one that is meant.
 */
static BOOLEAN PsctxIsMatch(_In_ const PSCTX_CONTEXT *Context, _In_ PFSRTL_ADVANCED_FCB_HEADER Header,
                            _In_ const PSCTX_IDENTITY *Identity)
{
    return Context->Header == Header && Context->Owner->Session == Identity->Session &&
           (Identity->Match == PSCTX_MATCH_FIRST || Context->Owner->Key == Identity->OwnerKey) &&
           (Identity->Match != PSCTX_MATCH_INSTANCE || Context->Instance == Identity->Instance);
}

/*
 * The youngest context on the stream that is meant, or NULL; the shard is locked. FsRtl has the last word: a context that the
 * file system has lost from its list is not there.
 */
PSCTX_PAGE _Use_decl_annotations_ PPSCTX_CONTEXT PsctxFindContext(PPSCTX_SHARD Shard, PFSRTL_ADVANCED_FCB_HEADER Header,
                                                                  const PSCTX_IDENTITY *Identity)
{
    const PLIST_ENTRY bucket = PsctxGetBucket(Shard, Header);
    PLIST_ENTRY entry;

    PAGED_CODE();

    for (entry = bucket->Flink; entry != bucket; entry = entry->Flink) {
        const PPSCTX_CONTEXT context = CONTAINING_RECORD(entry, PSCTX_CONTEXT, Links);

        if (PsctxIsMatch(context, Header, Identity)) {
            return FsRtlLookupPerStreamContext(Header, context, context->Owner) == &context->PerStreamContext ? context
                                                                                                              : NULL;
        }
    }
    return NULL;
}

/*
 * Takes this very context off its stream and out of the index; the shard is locked. FALSE if a teardown was first: it has the
 * context then, and its FreeCallback is waiting for the lock, to report it.
 */
_IRQL_requires_(APC_LEVEL) PSCTX_PAGE static BOOLEAN
    PsctxUnlinkContext(_Inout_ PPSCTX_SHARD Shard, _Inout_ PPSCTX_CONTEXT Context)
{
    PAGED_CODE();

    if (FsRtlRemovePerStreamContext(Context->Header, Context, Context->Owner) == NULL) {
        return FALSE;
    }
    PsctxRemoveFromIndex(Shard, Context);
    PsctxReportContext(PSCTX_EVENT_REMOVED, Context);
    return TRUE;
}

/*
 * Puts a context that is on its stream now into the index; the shard is locked, under which sequence numbers and times are given.
 */
_IRQL_requires_(APC_LEVEL) PSCTX_PAGE static VOID
    PsctxLinkContext(_Inout_ PPSCTX_SHARD Shard, _Inout_ PPSCTX_CONTEXT Context)
{
    LARGE_INTEGER systemTime;

    PAGED_CODE();

    KeQuerySystemTime(&systemTime);
    Context->Sequence = (ULONG64)InterlockedIncrement64(&PsctxSequence);
    Context->Inserted = KeQueryInterruptTime();
    Context->InsertedSystemTime = (ULONG64)systemTime.QuadPart;
    PsctxAddToIndex(Shard, Context);
    PsctxReportContext(PSCTX_EVENT_INSERTED, Context);
}

/*
 * FreeCallback: the file system tears the stream down, has already unlinked the context and released its list's lock. It runs at
 * <= APC_LEVEL, calls nothing of the file system's and assumes no file object. At most it completes requests that wait for the event.
 *
 * A context has an anchor where the file system's image does not say that it tears down. If it does so all the same, the anchor's file must
 * not be closed from here: the context is kept for the next request that may do so.
 *
 * The hold on the driver is given up last, by a call that compilers make the routine's end a jump to where both leave the stack alike: whoever
 * unloads the driver waits for nothing else, and this thread may be held up for long before it runs on. [ntifs/nc-ntifs-free_function]
 */
PSCTX_PAGE _Use_decl_annotations_ static VOID PsctxTearDownContext(PVOID Buffer)
{
    const PPSCTX_CONTEXT context = CONTAINING_RECORD(Buffer, PSCTX_CONTEXT, PerStreamContext);
    PPSCTX_SHARD shard;
    PVOID head;

    PAGED_CODE();

    shard = PsctxLockShard(context->Header);
    PsctxRemoveFromIndex(shard, context);
    PsctxReportContext(PSCTX_EVENT_TORN_DOWN, context);
    PsctxUnlockShard(shard);

    InterlockedIncrement64(&context->Owner->Session->TornDown);
    if (context->Anchor == NULL) {
        PsctxDisposeOfContext(context);
    } else {
        do {
            head = ReadPointerAcquire(&PsctxAnchoredContexts);
            context->Links.Flink = head;
        } while (InterlockedCompareExchangePointer(&PsctxAnchoredContexts, &context->Links, head) != head);
    }
    ExReleaseRundownProtection(&PsctxGlobals.Rundown);
}

/*
 * Whether a context with this FreeCallback is one of ours. Any IRQL.
 */
_Use_decl_annotations_ BOOLEAN PsctxIsOwnCallback(ULONG_PTR FreeCallback)
{
    return FreeCallback == (ULONG_PTR)PsctxTearDownContext;
}

/*
 * Hangs a new context on the stream, or does what IfExists says if this owner has one with this instance there: one step for
 * everybody else. When it fails, the stream is as before. In a critical region: whoever unloads the driver waits for what is run down.
 *
 * STATUS_OBJECT_NAME_COLLISION (PSCTX_IF_EXISTS_FAIL), STATUS_FILE_CLOSED once the session has ended, STATUS_QUOTA_EXCEEDED,
 * STATUS_INSUFFICIENT_RESOURCES, STATUS_DELETE_PENDING, or FsRtl's STATUS_INVALID_DEVICE_REQUEST.
 * [ntifs/nf-ntifs-fsrtlinsertperstreamcontext]
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxInsertContext(const PSCTX_STREAM *Stream,
                                                              const PSCTX_INSERTION *Insertion, PULONG Outcome,
                                                              PULONG64 Sequence)
{
    const PSCTX_IDENTITY identity = {Insertion->Session, Insertion->OwnerKey, Insertion->Instance,
                                     PSCTX_MATCH_INSTANCE};
    PPSCTX_CONTEXT surplus = NULL;
    PPSCTX_CONTEXT context;
    PPSCTX_CONTEXT existing;
    PPSCTX_SHARD shard;
    NTSTATUS status;

    PAGED_CODE();

    *Outcome = PSCTX_OUTCOME_INSERTED;
    KeEnterCriticalRegion();
    status = PsctxCreateContext(Insertion, &context);
    if (!NT_SUCCESS(status)) {
        goto LeaveRegion;
    }

    if (Stream->NeedsAnchor) {
        PsctxFreeAnchoredContexts();
        ObReferenceObject(Stream->FileObject);
        context->Anchor = Stream->FileObject;
    }
    PsctxFitIndex(Stream->Header);
    shard = PsctxLockShard(Stream->Header);
    if (ReadNoFence(&Insertion->Session->Ended) != 0) {
        status = STATUS_FILE_CLOSED;
        goto Unlock;
    }
    existing = PsctxFindContext(shard, Stream->Header, &identity);
    if (existing != NULL && Insertion->IfExists == PSCTX_IF_EXISTS_FAIL) {
        status = STATUS_OBJECT_NAME_COLLISION;
        goto Unlock;
    }
    if (existing != NULL && Insertion->IfExists == PSCTX_IF_EXISTS_KEEP) {
        *Outcome = PSCTX_OUTCOME_KEPT;
        *Sequence = existing->Sequence;
        surplus = context;
        context = NULL;
        goto Unlock;
    }
    if ((existing == NULL || Insertion->IfExists == PSCTX_IF_EXISTS_ADD) &&
        PsctxCountOnStream(shard, Stream->Header) >= PSCTX_MAXIMUM_STREAM_CONTEXTS) {
        status = STATUS_QUOTA_EXCEEDED;
        goto Unlock;
    }

    context->Header = Stream->Header;
    context->VolumeDevice = Stream->VolumeDevice;
    FsRtlInitPerStreamContext(&context->PerStreamContext, context, context->Owner, PsctxTearDownContext);
    status = FsRtlInsertPerStreamContext(Stream->Header, &context->PerStreamContext);
    if (!NT_SUCCESS(status)) {
        goto Unlock;
    }
    PsctxLinkContext(shard, context);
    *Sequence = context->Sequence;
    InterlockedIncrement64(&Insertion->Session->Inserted);

    if (existing != NULL && Insertion->IfExists == PSCTX_IF_EXISTS_REPLACE) {
        *Outcome = PSCTX_OUTCOME_REPLACED;
        if (PsctxUnlinkContext(shard, existing)) {
            InterlockedIncrement64(&Insertion->Session->Removed);
            surplus = existing;
        }
    } else if (existing != NULL) {
        *Outcome = PSCTX_OUTCOME_ADDED;
    }

Unlock:
    PsctxUnlockShard(shard);
    PsctxFreeContext(surplus);
    if (!NT_SUCCESS(status)) {
        PsctxFreeContext(context);
    }
LeaveRegion:
    KeLeaveCriticalRegion();
    return status;
}

/*
 * Tells a context of the asking session, with its data if that fits. STATUS_BUFFER_OVERFLOW if not.
 */
_IRQL_requires_(APC_LEVEL) PSCTX_PAGE static NTSTATUS
    PsctxDescribeContext(_In_ PPSCTX_CONTEXT Context, _Out_ PSCTX_CONTEXT_REPLY *Reply,
                         _Out_writes_bytes_(Capacity) PVOID Data, _In_ ULONG Capacity)
{
    PAGED_CODE();

    Reply->Holder = PSCTX_HOLDER_SELF;
    Reply->OwnerKey = Context->Owner->Key;
    Reply->Instance = Context->Instance;
    Reply->Sequence = Context->Sequence;
    Reply->Pool = Context->Pool;
    Reply->Lifetime = Context->Lifetime;
    Reply->DataLength = Context->DataLength;
    if (Context->DataLength > Capacity) {
        return STATUS_BUFFER_OVERFLOW;
    }
    RtlCopyMemory(Data, PsctxContextData(Context), Context->DataLength);
    return STATUS_SUCCESS;
}

/*
 * Finds the context that is meant, tells it, and takes it off the stream if asked and told whole. Reply is zeroed first.
 *
 * STATUS_NOT_FOUND; STATUS_BUFFER_OVERFLOW with Reply filled, nothing in Data and nothing removed.
 * [ntifs/nf-ntifs-fsrtllookupperstreamcontext, ntifs/nf-ntifs-fsrtlremoveperstreamcontext]
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxLookupContext(const PSCTX_STREAM *Stream,
                                                              const PSCTX_IDENTITY *Identity, BOOLEAN Remove,
                                                              PSCTX_CONTEXT_REPLY *Reply, PVOID Data, ULONG Capacity)
{
    PPSCTX_CONTEXT removed = NULL;
    PPSCTX_CONTEXT context;
    PPSCTX_SHARD shard;
    NTSTATUS status;

    PAGED_CODE();

    RtlZeroMemory(Reply, sizeof(*Reply));
    shard = PsctxLockShard(Stream->Header);
    context = PsctxFindContext(shard, Stream->Header, Identity);
    if (context == NULL) {
        status = STATUS_NOT_FOUND;
    } else {
        status = PsctxDescribeContext(context, Reply, Data, Capacity);
    }
    if (Remove && status == STATUS_SUCCESS) {
        if (PsctxUnlinkContext(shard, context)) {
            removed = context;
            InterlockedIncrement64(&Identity->Session->Removed);
        } else {
            status = STATUS_NOT_FOUND;
        }
    }
    PsctxUnlockShard(shard);
    if (removed != NULL) {
        PsctxFreeContext(removed);
        PsctxFitIndex(Stream->Header);
    }
    return status;
}

/*
 * Tells whose the first context on the stream is, and of the asking session's own everything. What FsRtl returns may be another
 * filter's and freed at any moment: its address is compared with ours, never followed.
 *
 * STATUS_NOT_FOUND if the stream has no context at all; STATUS_BUFFER_OVERFLOW as above.
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxLookupFirst(const PSCTX_STREAM *Stream, PPSCTX_SESSION Session,
                                                            PSCTX_CONTEXT_REPLY *Reply, PVOID Data, ULONG Capacity)
{
    PFSRTL_PER_STREAM_CONTEXT first;
    PPSCTX_SHARD shard;
    PLIST_ENTRY bucket;
    PLIST_ENTRY entry;
    NTSTATUS status = STATUS_NOT_FOUND;

    PAGED_CODE();

    RtlZeroMemory(Reply, sizeof(*Reply));
    shard = PsctxLockShard(Stream->Header);
    bucket = PsctxGetBucket(shard, Stream->Header);
    first = FsRtlLookupPerStreamContext(Stream->Header, NULL, NULL);
    if (first != NULL) {
        Reply->Holder = PSCTX_HOLDER_OTHER_FILTER;
        status = STATUS_SUCCESS;
    }
    for (entry = bucket->Flink; first != NULL && entry != bucket; entry = entry->Flink) {
        const PPSCTX_CONTEXT context = CONTAINING_RECORD(entry, PSCTX_CONTEXT, Links);

        if (&context->PerStreamContext == first) {
            if (context->Owner->Session == Session) {
                status = PsctxDescribeContext(context, Reply, Data, Capacity);
            } else {
                Reply->Holder = PSCTX_HOLDER_OTHER_SESSION;
            }
            break;
        }
    }
    PsctxUnlockShard(shard);
    return status;
}

/*
 * Frees the contexts that PsctxUnlinkContext has put on a list of the caller's, outside every lock.
 */
PSCTX_PAGE static VOID PsctxFreeContexts(_Inout_ PLIST_ENTRY Contexts)
{
    PAGED_CODE();

    while (!IsListEmpty(Contexts)) {
        PsctxFreeContext(CONTAINING_RECORD(RemoveHeadList(Contexts), PSCTX_CONTEXT, Links));
    }
}

/*
 * Removes and frees every context on the stream that is meant, and says how many. The youngest first: FsRtl looks for each from the
 * head of the stream's list.
 */
PSCTX_PAGE _Use_decl_annotations_ ULONG64 PsctxRemoveContexts(const PSCTX_STREAM *Stream,
                                                              const PSCTX_IDENTITY *Identity)
{
    LIST_ENTRY removed;
    PPSCTX_CONTEXT context;
    PSCTX_WALK walk;
    ULONG64 count = 0;

    PAGED_CODE();

    InitializeListHead(&removed);
    PsctxBeginStreamWalk(&walk, Stream->Header);
    for (context = PsctxNextContext(&walk); context != NULL; context = PsctxNextContext(&walk)) {
        if (PsctxIsMatch(context, Stream->Header, Identity) && PsctxUnlinkContext(walk.Shard, context)) {
            InsertTailList(&removed, &context->Links);
            count += 1;
        }
    }
    PsctxEndWalk(&walk);

    InterlockedExchangeAdd64(&Identity->Session->Removed, (LONG64)count);
    PsctxFreeContexts(&removed);
    return count;
}

/*
 * Counters that others change, one by one: together they are no snapshot.
 */
static VOID PsctxCopyTracking(_Inout_ PPSCTX_TRACKING Source, _Out_ PPSCTX_TRACKING Target)
{
    volatile LONG64 *source = (volatile LONG64 *)Source;
    PSCTX_UINT64 *target = (PSCTX_UINT64 *)Target;
    ULONG index;

    for (index = 0; index < sizeof(*Source) / sizeof(LONG64); index += 1) {
        target[index] = PsctxReadCounter(&source[index]);
    }
}

/*
 * Writes what LIST and ENUMERATE tell of a context, whose shard is locked, if that fits. Returns how long it is.
 */
PSCTX_PAGE _Use_decl_annotations_ ULONG PsctxWriteEntry(PPSCTX_CONTEXT Context, PUCHAR Entry, ULONG Capacity)
{
    const ULONG fixedSize = (ULONG)sizeof(PSCTX_LIST_ENTRY) + PsctxTrackingSize(Context->Tracked);
    const ULONG size = (ULONG)ALIGN_UP_BY(fixedSize + Context->NameLength, sizeof(ULONG64));
    const PPSCTX_TRACKING tracking = PsctxContextTracking(Context);
    PSCTX_LIST_ENTRY *entry = (PSCTX_LIST_ENTRY *)Entry;

    PAGED_CODE();

    if (size > Capacity) {
        return size;
    }
    RtlZeroMemory(entry, size);
    entry->Size = size;
    entry->NameLength = Context->NameLength;
    entry->OwnerKey = Context->Owner->Key;
    entry->Instance = Context->Instance;
    entry->Sequence = Context->Sequence;
    entry->Pool = Context->Pool;
    entry->Lifetime = Context->Lifetime;
    entry->DataLength = Context->DataLength;
    entry->Tracked = Context->Tracked;
    entry->Inserted = Context->InsertedSystemTime;
    entry->Flags = Context->NameTruncated ? PSCTX_NAME_TRUNCATED : 0;
    if (tracking != NULL) {
        PsctxCopyTracking(tracking, (PPSCTX_TRACKING)(entry + 1));
    }
    RtlCopyMemory(Entry + fixedSize, PsctxContextName(Context), Context->NameLength);
    return size;
}

/*
 * Lists a session's contexts on the stream, youngest first: those inserted before the one with sequence number Before (zero: all),
 * as many as fit. Fills all of Reply but its header. Of more than a few hundred, those that come and go meanwhile may be told or not.
 * STATUS_BUFFER_OVERFLOW if there are some and not one fits.
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxListContexts(const PSCTX_STREAM *Stream, PPSCTX_SESSION Session,
                                                             ULONG64 Before, PSCTX_LIST_REPLY *Reply, PUCHAR Entries,
                                                             ULONG Capacity, PULONG EntriesLength)
{
    const PSCTX_IDENTITY identity = {Session, 0, 0, PSCTX_MATCH_FIRST};
    PPSCTX_CONTEXT context;
    PSCTX_WALK walk;
    ULONG used = 0;

    PAGED_CODE();

    RtlZeroMemory(Reply, sizeof(*Reply));
    PsctxBeginStreamWalk(&walk, Stream->Header);
    for (context = PsctxNextContext(&walk); context != NULL; context = PsctxNextContext(&walk)) {
        ULONG size;

        if (!PsctxIsMatch(context, Stream->Header, &identity) || (Before != 0 && context->Sequence >= Before)) {
            continue;
        }
        size = PsctxWriteEntry(context, Entries + used, Reply->Remaining == 0 ? Capacity - used : 0);
        if (Reply->Remaining == 0 && size <= Capacity - used) {
            used += size;
            Reply->Count += 1;
        } else {
            if (Reply->Remaining == 0) {
                Reply->NextSize = size;
            }
            Reply->Remaining += 1;
        }
    }
    PsctxEndWalk(&walk);

    *EntriesLength = used;
    return Reply->Count == 0 && Reply->Remaining != 0 ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

/*
 * Whether a context ends with this session, or, for NULL, with the driver. The context's shard is locked.
 */
static BOOLEAN PsctxEndsWith(_In_ const PSCTX_CONTEXT *Context, _In_opt_ const PSCTX_SESSION *Session)
{
    return Session == NULL || (Context->Owner->Session == Session &&
                               (Context->Lifetime == PSCTX_LIFETIME_SESSION || Context->Anchor != NULL));
}

/*
 * Removes every context of a session that ends with it, or, for NULL, every context that there is, and frees them.
 *
 * Stream by stream, the youngest first: FsRtl looks for each from the head of its stream's list, whose entries are in the processor's
 * cache after the first time. They are freed when the shard they were in is done with.
 *
 * No file object is needed: see the head of this file. A context whose stream is just being torn down is left to its FreeCallback;
 * so is one that the file system has lost from its list, which cannot be told from it and may never be called back for.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxRemoveSessionContexts(PPSCTX_SESSION Session)
{
    LIST_ENTRY removed;
    ULONG number;

    PAGED_CODE();

    InitializeListHead(&removed);
    for (number = 0; number < PSCTX_SHARD_COUNT; number += 1) {
        PPSCTX_CONTEXT context;
        PSCTX_WALK inner;
        PSCTX_WALK walk;

        PsctxBeginShardWalk(&walk, number, PsctxShardYoungestFirst);
        for (context = PsctxNextContext(&walk); context != NULL; context = PsctxNextContext(&walk)) {
            if (!PsctxEndsWith(context, Session)) {
                continue;
            }
            PsctxBeginInnerWalk(&inner, &walk, context);
            for (context = PsctxNextContext(&inner); context != NULL; context = PsctxNextContext(&inner)) {
                if (PsctxEndsWith(context, Session) && PsctxUnlinkContext(walk.Shard, context)) {
                    InsertTailList(&removed, &context->Links);
                }
            }
            PsctxEndInnerWalk(&inner, &walk);
        }
        PsctxEndWalk(&walk);
        PsctxFreeContexts(&removed);
    }
    PsctxFreeAnchoredContexts();
}
