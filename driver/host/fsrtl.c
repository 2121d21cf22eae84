/* Per-stream contexts: the list of every filter's contexts that a stream's header owns. */
#include "host_disk.h"
#include "kernel.h"

#define HOST_PIN_CONTEXT "a per-stream context that is linked still"
#define HOST_PIN_HEADER "a stream header with per-stream contexts on its list"

/* A push lock that could grow, if there were many processors here. */
PVOID FsRtlAllocateAePushLock(POOL_TYPE PoolType, ULONG Tag)
{
    (VOID) HostEnter(FsRtlAllocateAePushLock);
    return HostAllocatePool(PoolType, sizeof(ULONG_PTR), Tag, TRUE, __builtin_return_address(0));
}

VOID FsRtlFreeAePushLock(PVOID AePushLock)
{
    (VOID) HostEnter(FsRtlFreeAePushLock);
    HostFreePool(AePushLock, 0, "FsRtlFreeAePushLock");
}

/*
 * The list's lock: the fast mutex of the file system's on kernels before 6.0 and of headers before version 1; else the push lock,
 * or the auto-expand push lock where a header of version 3 or later has one. NULL: the fast mutex.
 */
static PULONG_PTR HostListPushLock(PFSRTL_ADVANCED_FCB_HEADER Header)
{
    if ((HostQuirks & HOST_QUIRK_VERSION_52) != 0 || Header->Version < FSRTL_FCB_HEADER_V1) {
        return NULL;
    }
    if (Header->Version >= FSRTL_FCB_HEADER_V3 && Header->AePushLock != NULL) {
        return Header->AePushLock;
    }
    return &Header->PushLock;
}

static VOID HostLockContexts(PFSRTL_ADVANCED_FCB_HEADER Header)
{
    PULONG_PTR PushLock = HostListPushLock(Header);

    if (PushLock != NULL) {
        KeEnterCriticalRegion();
        HostAcquirePushLock(PushLock, TRUE);
    } else {
        ExAcquireFastMutex(Header->FastMutex);
    }
}

static VOID HostUnlockContexts(PFSRTL_ADVANCED_FCB_HEADER Header)
{
    PULONG_PTR PushLock = HostListPushLock(Header);

    if (PushLock != NULL) {
        HostReleasePushLock(PushLock, TRUE);
        KeLeaveCriticalRegion();
    } else {
        ExReleaseFastMutex(Header->FastMutex);
    }
}

static BOOLEAN HostIsLinked(PFSRTL_PER_STREAM_CONTEXT Context)
{
    const char *Pin = HostFindPin(Context, 1);

    return (BOOLEAN)(Pin != NULL && strcmp(Pin, HOST_PIN_CONTEXT) == 0);
}

HOST_CONTEXT_WORK HostContextWork;

VOID HostResetWork(VOID)
{
    __atomic_store_n(&HostContextWork.EntriesVisited, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&HostContextWork.LongestRun, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&HostContextWork.Acquisitions, 0, __ATOMIC_RELAXED);
}

VOID HostQueryWork(PHOST_CONTEXT_WORK Work)
{
    Work->EntriesVisited = __atomic_load_n(&HostContextWork.EntriesVisited, __ATOMIC_RELAXED);
    Work->LongestRun = __atomic_load_n(&HostContextWork.LongestRun, __ATOMIC_RELAXED);
    Work->Acquisitions = __atomic_load_n(&HostContextWork.Acquisitions, __ATOMIC_RELAXED);
}

/* A context was removed by a thread, under locks of its own: the longest run of those is kept. */
static VOID HostNoteRemoval(PETHREAD Thread)
{
    ULONG64 Longest = __atomic_load_n(&HostContextWork.LongestRun, __ATOMIC_RELAXED);

    Thread->Removals++;
    while (Thread->Removals > Longest &&
           !__atomic_compare_exchange_n(&HostContextWork.LongestRun, &Longest, Thread->Removals, 0, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED)) {}
}

/* Lock held. */
static PFSRTL_PER_STREAM_CONTEXT HostFindContext(PFSRTL_ADVANCED_FCB_HEADER Header, PVOID OwnerId, PVOID InstanceId,
                                                 const char *Routine)
{
    PFSRTL_PER_STREAM_CONTEXT Found = NULL;
    ULONG64 Visited = 0;

    if (OwnerId == NULL && InstanceId != NULL) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, Routine, "an instance is told without its owner");
    }
    for (PLIST_ENTRY Entry = Header->FilterContexts.Flink; Entry != &Header->FilterContexts; Entry = Entry->Flink) {
        PFSRTL_PER_STREAM_CONTEXT Context = CONTAINING_RECORD(Entry, FSRTL_PER_STREAM_CONTEXT, Links);

        Visited++;
        if (OwnerId == NULL ||
            (Context->OwnerId == OwnerId && (InstanceId == NULL || Context->InstanceId == InstanceId ||
                                             (HostQuirks & HOST_QUIRK_OWNER_ALONE_MATCHES) != 0))) {
            Found = Context;
            break;
        }
    }
    (VOID) __atomic_fetch_add(&HostContextWork.EntriesVisited, Visited, __ATOMIC_RELAXED);
    return Found;
}

/* Lock held. */
static VOID HostUnlinkContext(PFSRTL_ADVANCED_FCB_HEADER Header, PFSRTL_PER_STREAM_CONTEXT Context)
{
    PLIST_ENTRY Previous = Context->Links.Blink;
    PLIST_ENTRY Next = Context->Links.Flink;

    if (Previous->Flink != &Context->Links || Next->Blink != &Context->Links) {
        HostListCorrupt(&Context->Links);
    }
    __atomic_store_n(&Previous->Flink, Next, __ATOMIC_RELAXED);
    Next->Blink = Previous;
    HostUnpin(Context);
    if (IsListEmpty(&Header->FilterContexts)) {
        HostUnpin(Header);
    }
}

/*
 * IRQL <= APC_LEVEL. Links at the head; duplicates are allowed. STATUS_INVALID_DEVICE_REQUEST when the stream supports no
 * filter contexts. The file system frees the context at teardown, through FreeCallback.
 * [ntifs/nf-ntifs-fsrtlinsertperstreamcontext]
 */
NTSTATUS FsRtlInsertPerStreamContext(PFSRTL_ADVANCED_FCB_HEADER AdvFcbHeader, PFSRTL_PER_STREAM_CONTEXT Ptr)
{
    PLIST_ENTRY First;

    (VOID) HostEnter(FsRtlInsertPerStreamContext);
    if (AdvFcbHeader == NULL || (AdvFcbHeader->Flags2 & FSRTL_FLAG2_SUPPORTS_FILTER_CONTEXTS) == 0) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    if (Ptr->OwnerId == NULL || Ptr->FreeCallback == NULL) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "FsRtlInsertPerStreamContext",
                      "a context without an OwnerId or a FreeCallback");
    }
    HostLockContexts(AdvFcbHeader);
    if (HostIsLinked(Ptr)) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "FsRtlInsertPerStreamContext",
                      "the context at %p is linked already", (PVOID)Ptr);
    }
    First = AdvFcbHeader->FilterContexts.Flink;
    if (First == &AdvFcbHeader->FilterContexts) {
        HostPin(AdvFcbHeader, HOST_PIN_HEADER);
    }
    HostPin(Ptr, HOST_PIN_CONTEXT);
    Ptr->Links.Flink = First;
    Ptr->Links.Blink = &AdvFcbHeader->FilterContexts;
    First->Blink = &Ptr->Links;
    __atomic_store_n(&AdvFcbHeader->FilterContexts.Flink, &Ptr->Links, __ATOMIC_RELAXED);
    HostUnlockContexts(AdvFcbHeader);
    return STATUS_SUCCESS;
}

/* IRQL <= APC_LEVEL. NULL when none matches. [ntifs/nf-ntifs-fsrtllookupperstreamcontext] */
PFSRTL_PER_STREAM_CONTEXT FsRtlLookupPerStreamContextInternal(PFSRTL_ADVANCED_FCB_HEADER StreamContext, PVOID OwnerId,
                                                              PVOID InstanceId)
{
    PFSRTL_PER_STREAM_CONTEXT Context;

    (VOID) HostEnter(FsRtlLookupPerStreamContextInternal);
    HostLockContexts(StreamContext);
    Context = HostFindContext(StreamContext, OwnerId, InstanceId, "FsRtlLookupPerStreamContext");
    HostUnlockContexts(StreamContext);
    return Context;
}

/*
 * IRQL <= APC_LEVEL. Unlinks the first match, which the caller frees; NULL when none matches. Not from the dispatch routine
 * of IRP_MJ_CLOSE or IRP_MJ_PNP, and not from a FreeCallback. [ntifs/nf-ntifs-fsrtlremoveperstreamcontext]
 */
PFSRTL_PER_STREAM_CONTEXT FsRtlRemovePerStreamContext(PFSRTL_ADVANCED_FCB_HEADER StreamContext, PVOID OwnerId,
                                                      PVOID InstanceId)
{
    PETHREAD Thread = HostEnter(FsRtlRemovePerStreamContext);
    PFSRTL_PER_STREAM_CONTEXT Context;

    if (Thread->FreeCallbacks != 0) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "FsRtlRemovePerStreamContext", "called from a FreeCallback");
    }
    if (Thread->Dispatch != NULL &&
        (Thread->Dispatch->MajorFunction == IRP_MJ_CLOSE || Thread->Dispatch->MajorFunction == IRP_MJ_PNP)) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "FsRtlRemovePerStreamContext",
                      "called from the dispatch of major function 0x%02X", Thread->Dispatch->MajorFunction);
    }
    if (StreamContext == NULL || (StreamContext->Flags2 & FSRTL_FLAG2_SUPPORTS_FILTER_CONTEXTS) == 0) {
        return NULL;
    }
    HostLockContexts(StreamContext);
    Context = HostFindContext(StreamContext, OwnerId, InstanceId, "FsRtlRemovePerStreamContext");
    if (Context != NULL) {
        HostUnlinkContext(StreamContext, Context);
        HostNoteRemoval(Thread);
    }
    HostUnlockContexts(StreamContext);
    return Context;
}

/* IRQL <= APC_LEVEL, by the file system. The list's lock is not held while a FreeCallback runs. */
VOID FsRtlTeardownPerStreamContexts(PFSRTL_ADVANCED_FCB_HEADER AdvancedHeader)
{
    PETHREAD Thread = HostEnter(FsRtlTeardownPerStreamContexts);
    PFSRTL_PER_STREAM_CONTEXT Context;
    PFREE_FUNCTION FreeCallback;

    for (;;) {
        Context = NULL;
        HostLockContexts(AdvancedHeader);
        if (!IsListEmpty(&AdvancedHeader->FilterContexts)) {
            Context = CONTAINING_RECORD(AdvancedHeader->FilterContexts.Flink, FSRTL_PER_STREAM_CONTEXT, Links);
            HostUnlinkContext(AdvancedHeader, Context);
        }
        HostUnlockContexts(AdvancedHeader);
        if (Context == NULL) {
            break;
        }
        FreeCallback = Context->FreeCallback;
        Thread->FreeCallbacks++;
        FreeCallback(Context);
        Thread->FreeCallbacks--;
    }
}

/* What no file system may do: for those that are broken on purpose. Whether there were any. */
BOOLEAN HostMoveContexts(PFSRTL_ADVANCED_FCB_HEADER From, PFSRTL_ADVANCED_FCB_HEADER To)
{
    BOOLEAN Any;
    LIST_ENTRY Moved;

    InitializeListHead(&Moved);
    HostLockContexts(From);
    while (!IsListEmpty(&From->FilterContexts)) {
        PFSRTL_PER_STREAM_CONTEXT Context =
            CONTAINING_RECORD(From->FilterContexts.Blink, FSRTL_PER_STREAM_CONTEXT, Links);

        HostUnlinkContext(From, Context);
        HostPin(Context, HOST_PIN_CONTEXT);
        InsertTailList(&Moved, &Context->Links);
    }
    HostUnlockContexts(From);
    Any = (BOOLEAN)!IsListEmpty(&Moved);
    HostLockContexts(To);
    while (!IsListEmpty(&Moved)) {
        if (IsListEmpty(&To->FilterContexts)) {
            HostPin(To, HOST_PIN_HEADER);
        }
        InsertTailList(&To->FilterContexts, RemoveHeadList(&Moved));
    }
    HostUnlockContexts(To);
    return Any;
}
